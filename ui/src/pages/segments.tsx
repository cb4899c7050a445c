// Segments: who is in each, its condition as a sentence, and the builder.
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, get, must, Trouble, useGet } from '../api';
import { useDrafts } from '../parts/drafts';
import { type Json } from '../parts/condition';
import { Ask, Bar, Empty, Failure, List, Page, Panel, State, Tag, type Column } from '../parts/kit';
import { usePages } from '../parts/pages';
import { Sweep } from '../parts/sweep';
import { useMay } from '../session';
import { useWords } from '../words';
import type { Schemas } from '../api';
import { useCustomerColumns } from './customers';
import { Builder, Change, type Start } from './segment-builder';
import { textOf, withoutSegment, type File } from './segment-file';
import { Count, Funnel, Overlap } from './segment-figures';
import { Library, library } from './segment-library';
import { usePreview } from './segment-preview';

interface Search {
  new?: string; // "": choose one; "-": from nothing; an id of the library; copy:NAME
  edit?: boolean | number;
}

export function Segments() {
  const { t, n, pct, language } = useWords();
  const may = useMay();
  const go = useNavigate();
  const search: Search = useSearch({ strict: false });
  const list = useGet('/api/v1/segments', { query: { limit: 500 } }, { refetchInterval: 10_000 });
  const stats = useGet('/api/v1/stats');
  const [text, setText] = useState('');
  const all = stats.data?.rows?.['profiles'] ?? 0;
  const drafted = useDrafts('segment');
  const to = (s: Search) => void go({ to: '/app/segments', search: s as never });

  const wanted = search.new === undefined ? undefined : String(search.new);
  if (wanted === '') return <Library onPick={(id) => to({ new: id })} onClose={() => to({})} />;
  if (wanted?.startsWith('copy:')) {
    const from = (list.data?.data ?? []).find((s) => s.name === wanted.slice('copy:'.length));
    if (!list.data) return <State of={list}>{() => null}</State>;
    const start: Start = from
      ? {
          old: '',
          before: '',
          name: from.name + '-2',
          label: t('{label} (copy)', { label: from.label }),
          about: from.about ?? '',
          when: from.tree as Json,
        }
      : nothing;
    return <Builder key={wanted} start={start} onClose={() => to({})} />;
  }
  if (wanted !== undefined) {
    const from = library.find((l) => l.id === wanted);
    const start: Start = from
      ? { old: '', before: '', name: from.id, label: from.label[language], about: from.about[language], when: from.when as unknown as Json }
      : nothing;
    return <Builder key={wanted} start={start} onClose={() => to({})} />;
  }
  const needle = text.trim().toLowerCase();
  return (
    <Page
      title={t('Segments')}
      about={t('Groups that customers join and leave by themselves, with every event.')}
      actions={
        <>
          <input
            type="search"
            aria-label={t('Find a segment')}
            placeholder={t('Find a segment')}
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
          {may('post_segments_preview') && (
            <Link to="/app/segments" search={{ new: '' } as never} className="button primary">
              {t('New segment…')}
            </Link>
          )}
        </>
      }
    >
      <Sweep />
      {drafted.includes('') && (
        <div className="note row draftnote">
          <span>{t('You have a draft of a new segment.')}</span>
          <Link to="/app/segments" search={{ new: '-' } as never}>
            {t('Go on with it')}
          </Link>
        </div>
      )}
      <State of={list}>
        {(l) => {
          const rows = (l.data ?? []).filter(
            (s) => !needle || [s.name, s.label, s.about ?? '', s.when].join(' ').toLowerCase().includes(needle),
          );
          return (
            <div className="panel scroll">
              <table className="segments">
                <thead>
                  <tr>
                    <th>{t('Segment')}</th>
                    <th>{t('A customer is in it who')}</th>
                    <th className="num">{t('Members')}</th>
                    <th style={{ width: 120 }}>{t('Share')}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((s) => (
                    <tr key={s.name}>
                      <td>
                        <Link to="/app/segments/$name" params={{ name: s.name }}>
                          <b>{s.label}</b>
                        </Link>{' '}
                        {drafted.includes(s.name) && <Tag tone="warn">{t('Draft')}</Tag>}
                        <div className="soft small">{s.about}</div>
                      </td>
                      <td className="soft">{language === 'de' ? s.german : s.when}</td>
                      <td className="num">{n(s.members)}</td>
                      <td>
                        {all > 0 && (
                          <>
                            <Bar share={s.members / all} />
                            <span className="soft small">{pct(s.members / all)}</span>
                          </>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {(l.data ?? []).length === 0 && (
                <Empty>
                  {t('The definitions have no segments.')}{' '}
                  <Link to="/app/segments" search={{ new: '' } as never}>
                    {t('Start with one that is ready-made.')}
                  </Link>
                </Empty>
              )}
              {(l.data ?? []).length > 0 && rows.length === 0 && <Empty>{t('No segment says so.')}</Empty>}
            </div>
          );
        }}
      </State>
    </Page>
  );
}

const nothing: Start = { old: '', before: '', name: '', label: '', about: '', when: null };

export function Segment() {
  const { name } = useParams({ strict: false }) as { name: string };
  const search: Search = useSearch({ strict: false });
  // Who is in it changes with every event, and all at once when it was just put in force.
  const s = useGet('/api/v1/segments/{name}', { path: { name } }, { refetchInterval: search.edit ? undefined : 3000, keep: true });
  const go = useNavigate();
  const close = () => void go({ to: '/app/segments/$name', params: { name }, search: {} as never });
  if (search.edit) return <Editing name={name} onClose={close} />;
  return <Shown key={name} name={name} s={s} />;
}

// Editing begins with the segment as it is in force now.
function Editing({ name, onClose }: { name: string; onClose: () => void }) {
  const one = useGet('/api/v1/segments/{name}', { path: { name } });
  const files = useGet('/api/v1/definitions');
  const [start, setStart] = useState<Start | null>(null);
  if (!start && one.data && files.data) {
    let before = '';
    try {
      before = textOf((files.data.files ?? []) as File[], name) ?? '';
    } catch {
      // The review says that this page cannot change it.
    }
    const label = one.data.label === name ? '' : one.data.label;
    setStart({ old: name, before, name, label, about: one.data.about ?? '', when: one.data.tree as Json });
  }
  if (start) return <Builder key={name} start={start} onClose={onClose} />;
  return <State of={one.error ? one : { data: undefined, error: files.error, isPending: true }}>{() => null}</State>;
}

type Member = Schemas['MemberLine'];

function Shown({ name, s }: { name: string; s: ReturnType<typeof useGet<'/api/v1/segments/{name}'>> }) {
  const { t, n, date, language } = useWords();
  const may = useMay();
  const customer = useCustomerColumns();
  const [deleting, setDeleting] = useState(false);
  const [tab, setTab] = useState<'Members' | 'Reach' | 'Overlap' | 'Used by'>('Members');
  const columns = useMemo<Column<Member>[]>(
    () => [
      ...(customer.slice(0, 1) as unknown as Column<Member>[]),
      { name: t('In it since'), width: '112px', cell: (c) => (c.since ? date(c.since) : t('always')) },
      { name: t('Until at least'), width: '112px', cell: (c) => <span className="soft">{date(c.until)}</span> },
      {
        name: t('Why'),
        width: 'minmax(220px, 3fr)',
        cell: (c) => (
          <span className="soft" title={(c.because ?? []).join('; ')}>
            {(c.because ?? []).join('; ')}
          </span>
        ),
      },
      { name: t('Orders'), width: '70px', num: true, cell: (c) => n(c.orders) },
    ],
    [customer, t, n, date],
  );
  // A short list is read anew when its length changes; a long one stays where it was scrolled to.
  const total = s.data?.members ?? 0;
  const list = usePages<Member>(['members', name, total < 200 ? total : 'many'], (cursor) =>
    get('/api/v1/segments/{name}/members', { path: { name }, query: { limit: 200, cursor } }),
  );
  const condition = useMemo<Json>(() => ({ segment: name }), [name]);
  const reach = usePreview(tab === 'Reach' ? condition : null, { wait: 0, sample: 0 });
  const uses = s.data?.uses ?? [];
  return (
    <Page
      title={s.data?.label ?? name}
      about={s.data?.about}
      actions={
        s.data && (
          <>
            <Link to="/app/segments" search={{ new: 'copy:' + name } as never} className="button">
              {t('Duplicate')}
            </Link>
            {may('put_definitions') && (
              <>
                <button className="danger" onClick={() => setDeleting(true)}>
                  {t('Delete…')}
                </button>
                <Link to="/app/segments/$name" params={{ name }} search={{ edit: true } as never} className="button primary">
                  {t('Edit')}
                </Link>
              </>
            )}
          </>
        )
      }
    >
      <div className="stack">
        <Sweep />
        <State of={s}>
          {(one) => (
            <section className="panel pad spread">
              <p className="sentence">
                <span className="soft">{t('A customer is in it who')}</span> {language === 'de' ? one.german : one.when}.
              </p>
              <b className="nowrap">{t('{n} members', { n: n(one.members) })}</b>
            </section>
          )}
        </State>
        {s.data && (
          <>
            <div className="tabs" role="tablist">
              {(['Members', 'Reach', 'Overlap', 'Used by'] as const).map((x) => (
                <button key={x} role="tab" aria-selected={tab === x} onClick={() => setTab(x)}>
                  {t(x)}
                  {x === 'Used by' && uses.length > 0 && <span className="soft"> {n(uses.length)}</span>}
                </button>
              ))}
            </div>
            {tab === 'Members' && (
              <State of={list}>
                {(rows) =>
                  rows.length === 0 ? (
                    <div className="panel">
                      <Empty>{t('Nobody is in it now.')}</Empty>
                    </div>
                  ) : (
                    <List
                      label={t('Members')}
                      rows={rows}
                      columns={columns}
                      keyOf={(c) => c.id}
                      to={(c) => '/app/customers/' + c.id}
                      more={list.more}
                    />
                  )
                }
              </State>
            )}
            {tab === 'Reach' && (
              <div className="builder even">
                <Panel title={t('Whom a message would reach')}>
                  <Funnel of={reach} />
                </Panel>
                <section className="panel pad">
                  <Count of={reach} />
                </section>
              </div>
            )}
            {tab === 'Overlap' && (
              <Panel title={t('Overlap with other segments')}>
                <Overlap name={name} />
              </Panel>
            )}
            {tab === 'Used by' && (
              <Panel flush>
                <Uses uses={uses} />
              </Panel>
            )}
          </>
        )}
      </div>
      {s.data && deleting && <Delete name={name} uses={uses} open={deleting} onClose={() => setDeleting(false)} />}
    </Page>
  );
}

function Uses({ uses }: { uses: Schemas['Use'][] }) {
  const { t } = useWords();
  if (uses.length === 0) return <Empty>{t('No other definition names it.')}</Empty>;
  return (
    <ul className="plain lines">
      {uses.map((u) => (
        <li key={u.file + u.line} className="spread">
          <span>
            <Tag>{u.kind}</Tag>{' '}
            {u.kind === 'journey' ? (
              <Link to="/app/journeys/$name" params={{ name: u.name }}>
                {u.name}
              </Link>
            ) : u.kind === 'campaign' ? (
              <Link to="/app/campaigns/$name" params={{ name: u.name }}>
                {u.name}
              </Link>
            ) : u.kind === 'segment' ? (
              <Link to="/app/segments/$name" params={{ name: u.name }}>
                {u.name}
              </Link>
            ) : (
              u.name
            )}
          </span>
          <span className="soft mono">
            {u.file}:{u.line}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Delete({ name, uses, open, onClose }: { name: string; uses: Schemas['Use'][]; open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const review = useMutation({
    mutationFn: async () => {
      const d = await get('/api/v1/definitions');
      const files = withoutSegment((d.files ?? []) as File[], name);
      return { tag: d.tag ?? '', files, diff: await must(api.POST('/api/v1/definitions/diff', { body: { files } })) };
    },
  });
  const apply = useMutation({
    mutationFn: () =>
      must(
        api.PUT('/api/v1/definitions', {
          params: { header: { 'If-Match': review.data?.tag ?? '' } },
          body: { files: review.data?.files ?? [] },
        }),
      ),
    onSuccess: async () => {
      await go({ to: '/app/segments', search: {} as never });
      await cache.invalidateQueries();
    },
  });
  const { mutate: look } = review;
  const [asked] = useState(() => {
    if (uses.length === 0) look();
    return true;
  });
  void asked;
  const conflict = apply.error instanceof Trouble && apply.error.status === 409;
  const problems = (review.data?.diff.problems ?? []).filter((p) => !p.warning);
  return (
    <Ask open={open} onClose={onClose} title={t('Delete the segment “{name}”', { name })}>
      {uses.length > 0 ? (
        <>
          <p>{t('It cannot go as long as these name it:')}</p>
          <Uses uses={uses} />
          <div className="row">
            <button onClick={onClose}>{t('Close')}</button>
          </div>
        </>
      ) : (
        <>
          <p>{t('Its members lose it at once. Their histories stay.')}</p>
          {(review.data?.diff.changes ?? []).map((c) => (
            <Change key={c.kind + c.name} c={c} />
          ))}
          {problems.map((p, i) => (
            <div key={i} className="note bad">
              <span className="mono">{p.where}</span> {p.what}
            </div>
          ))}
          <Failure error={review.error} />
          {conflict ? (
            <div className="note warn" role="alert">
              {t(
                'Somebody else put other definitions in force meanwhile. Nothing was overwritten: look again at what would change on top of theirs.',
              )}
            </div>
          ) : (
            <Failure error={apply.error} />
          )}
          <div className="row end">
            {conflict ? (
              <button
                onClick={() => {
                  apply.reset();
                  look();
                }}
              >
                {t('Look again')}
              </button>
            ) : (
              <button className="danger" disabled={!review.data || problems.length > 0 || apply.isPending} onClick={() => apply.mutate()}>
                {t('Delete')}
              </button>
            )}
            <button onClick={onClose}>{t('Cancel')}</button>
          </div>
        </>
      )}
    </Ask>
  );
}
