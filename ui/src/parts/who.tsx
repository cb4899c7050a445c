// Who is behind a number: a dialog with the people, each a step from their page.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { get } from '../api';
import { useWords } from '../words';
import { called } from './called';
import { csv, save } from './csv';
import { Ask, Empty, Failure } from './kit';
import { usePages } from './pages';

export interface Question {
  title: string;
  report: string;
  query: Record<string, string | number | string[] | undefined>; // with who and key
}

type Ids = { data: string[] | null; next?: string };

export function Behind({ of, onClose }: { of: Question | null; onClose: () => void }) {
  return (
    <Ask open={of !== null} onClose={onClose} title={of?.title ?? ''}>
      {of && <People of={of} onClose={onClose} />}
    </Ask>
  );
}

function People({ of, onClose }: { of: Question; onClose: () => void }) {
  const { t, n } = useWords();
  const list = usePages<string>(['behind', of.report, of.query], async (cursor) => {
    const query = Object.fromEntries(
      Object.entries({ ...of.query, limit: 100, ...(cursor ? { cursor } : {}) }).filter(([, v]) => v !== undefined && v !== ''),
    );
    const r = await get(('/api/v1/reports/' + of.report) as '/api/v1/reports/kpis', { query: query as never });
    return (r.people ?? { data: [] }) as Ids;
  });
  const ids = list.data ?? [];
  return (
    <>
      <Failure error={list.error} />
      {list.data && ids.length === 0 && <Empty>{t('Nobody.')}</Empty>}
      {list.isPending && <div role="status">{t('One moment…')}</div>}
      <ul className="plain lines people" tabIndex={0} aria-label={of.title}>
        {ids.map((id, i) => (
          <li key={id}>
            <Person id={id} named={i < 20} />
          </li>
        ))}
      </ul>
      <div className="row">
        <span className="soft">{list.whole ? t('{n} customers', { n: n(ids.length) }) : t('{n} and more', { n: n(ids.length) })}</span>
        {!list.whole && ids.length > 0 && <button onClick={list.more}>{t('More')}</button>}
        {ids.length > 0 && (
          <button onClick={() => save(of.report + '-people.csv', csv([['customer'], ...ids.map((id) => [id])]))}>CSV</button>
        )}
        <button onClick={onClose}>{t('Close')}</button>
      </div>
    </>
  );
}

function Person({ id, named }: { id: string; named: boolean }) {
  const [ask, setAsk] = useState(named);
  const q = useQuery({
    queryKey: ['person', id],
    enabled: ask,
    staleTime: 60_000,
    retry: false,
    queryFn: () => get('/api/v1/customers/{id}', { path: { id } as never }),
  });
  return (
    <Link to={'/app/customers/' + id} onFocus={() => setAsk(true)} onPointerEnter={() => setAsk(true)}>
      {q.data ? called(q.data) : <code>{id}</code>}
    </Link>
  );
}
