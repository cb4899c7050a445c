// Everybody, and the search by any identifier.
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useMutation } from '@tanstack/react-query';
import { api, get, must, type Schemas } from '../api';
import { Empty, Failure, List, Page, State, type Column } from '../parts/kit';
import { called } from '../parts/called';
import { usePages } from '../parts/pages';
import { useMe } from '../session';
import { useWords } from '../words';

export type Line = Schemas['CustomerLine'];

export function useCustomerColumns(): Column<Line>[] {
  const { t, n, date } = useWords();
  return [
    { name: t('Customer'), width: 'minmax(180px, 2fr)', cell: (c) => called(c) },
    { name: t('User id'), width: 'minmax(90px, 1fr)', cell: (c) => <span className="soft">{c.user_id ?? '–'}</span> },
    { name: t('First seen'), width: '112px', cell: (c) => <span className="soft">{date(c.first)}</span> },
    { name: t('Last seen'), width: '112px', cell: (c) => date(c.last) },
    { name: t('Orders'), width: '70px', num: true, cell: (c) => n(c.orders) },
    { name: t('Events'), width: '80px', num: true, cell: (c) => n(c.events) },
  ];
}

export function Customers() {
  const { t, n } = useWords();
  const go = useNavigate();
  const me = useMe();
  const columns = useCustomerColumns();
  const list = usePages<Line>(['customers'], (cursor) => get('/api/v1/customers', { query: { limit: 200, cursor } }));
  const [text, setText] = useState('');
  const find = useMutation({
    mutationFn: (identifier: string) => must(api.POST('/api/v1/customers/search', { body: { identifier } })),
    onSuccess: (c) => void go({ to: '/app/customers/$id', params: { id: c.id } }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) find.mutate(text.trim());
  };
  return (
    <Page
      title={t('Customers')}
      about={
        list.data
          ? list.whole
            ? t('{n} customers', { n: n(list.data.length) })
            : t('{n} and more', { n: n(list.data.length) })
          : undefined
      }
      actions={
        <form className="row" role="search" onSubmit={submit}>
          <input
            type="search"
            aria-label={t('Find by any identifier')}
            placeholder={t('E-mail, phone, user id, customer id…')}
            value={text}
            onChange={(e) => setText(e.target.value)}
            size={34}
          />
          <button className="primary" disabled={find.isPending}>
            {t('Find')}
          </button>
        </form>
      }
    >
      <div className="stack">
        {me.masked && (
          <div className="note">{t('Names, addresses and numbers are masked for your role. Who knows one finds its customer by it.')}</div>
        )}
        <Failure error={find.error} />
        <State of={list}>
          {(rows) =>
            rows.length === 0 ? (
              <div className="panel">
                <Empty>{t('Nobody is known yet. Customers appear with their first event or an import.')}</Empty>
              </div>
            ) : (
              <List
                label={t('Customers')}
                rows={rows}
                columns={columns}
                keyOf={(c) => c.id}
                to={(c) => '/app/customers/' + c.id}
                more={list.more}
              />
            )
          }
        </State>
      </div>
    </Page>
  );
}
