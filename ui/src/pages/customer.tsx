// One customer: who they are, what they agreed to, what they did and got, and why.
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { Ask, Bar, Empty, Facts, Failure, Kpi, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { usePages } from '../parts/pages';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const tabs = ['Overview', 'Timeline', 'Messages', 'Segments', 'Scores and predictions'] as const;

export function show(v: unknown): string {
  if (v === null || v === undefined) return '–';
  if (typeof v === 'object') return JSON.stringify(v);
  return String(v);
}

export function Customer() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { t, date } = useWords();
  const may = useMay();
  const [tab, setTab] = useState<(typeof tabs)[number]>('Overview');
  const [erasing, setErasing] = useState(false);
  const c = useGet('/api/v1/customers/{id}', { path: { id } });
  const exported = useMutation({
    mutationFn: () => get('/api/v1/customers/{id}/export', { path: { id } }),
    onSuccess: (document_) => {
      const a = document.createElement('a');
      a.href = URL.createObjectURL(new Blob([JSON.stringify(document_, null, 2)], { type: 'application/json' }));
      a.download = `customer-${id}.json`;
      a.click();
      URL.revokeObjectURL(a.href);
    },
  });
  const name = c.data ? c.data.email || c.data.phone || c.data.user_id || t('Anonymous visitor') : '…';
  return (
    <Page
      title={name}
      about={
        c.data && (
          <>
            {t('Known since {date}', { date: date(c.data.first) })} · <span className="mono">{id}</span>
          </>
        )
      }
      actions={
        <>
          {may('get_customers_id_export') && (
            <button onClick={() => exported.mutate()} disabled={exported.isPending}>
              {t('Export')}
            </button>
          )}
          {may('delete_customers_id') && (
            <button className="danger" onClick={() => setErasing(true)}>
              {t('Erase…')}
            </button>
          )}
        </>
      }
    >
      <Failure error={exported.error} />
      <div className="tabs" role="tablist">
        {tabs.map((x) => (
          <button key={x} role="tab" aria-selected={tab === x} onClick={() => setTab(x)}>
            {t(x)}
          </button>
        ))}
      </div>
      <State of={c}>
        {(p) => (
          <>
            {tab === 'Overview' && <Overview p={p} />}
            {tab === 'Timeline' && <Timeline id={id} />}
            {tab === 'Messages' && <Messages id={id} />}
            {tab === 'Segments' && <Memberships id={id} />}
            {tab === 'Scores and predictions' && <Understanding id={id} />}
          </>
        )}
      </State>
      <Erase id={id} open={erasing} onClose={() => setErasing(false)} />
    </Page>
  );
}

type Known = Schemas['Customer'];

function Overview({ p }: { p: Known }) {
  const { t, n, when, date, money } = useWords();
  const spent = Object.entries(p.spent ?? {});
  return (
    <div className="stack">
      <div className="kpis">
        <Kpi label={t('Orders')} value={n(p.orders)} />
        <Kpi label={t('Spent')} value={spent.map(([c, v]) => money(v, c)).join(' + ') || '–'} />
        <Kpi label={t('Events')} value={n(p.events)} />
        <Kpi label={t('Last seen')} value={date(p.last)} />
      </div>
      {p.hot && <div className="note warn">{t('So many events this month that it is no person: it gets no messages.')}</div>}
      <div className="grid2">
        <div className="stack">
          <Consents p={p} />
          <Panel title={t('Orders')} flush>
            {(p.last_orders ?? []).length === 0 ? (
              <Empty>{t('No orders yet.')}</Empty>
            ) : (
              <div className="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>{t('When')}</th>
                      <th>{t('Order')}</th>
                      <th>{t('Kind')}</th>
                      <th className="num">{t('Net')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {(p.last_orders ?? []).slice(0, 12).map((o) => (
                      <tr key={o.id + o.kind + o.at}>
                        <td>{when(o.at)}</td>
                        <td className="mono">{o.id}</td>
                        <td>{o.kind}</td>
                        <td className="num">
                          {o.net} {o.currency}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
        </div>
        <div className="stack">
          <Panel title={t('Known as')} flush>
            <ul className="plain lines">
              {(p.identifiers ?? []).map((i) => (
                <li key={i.kind + i.value} className="spread">
                  <span className="wrap-any">{i.value}</span>
                  <Tag>{String(i.kind)}</Tag>
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title={t('Segments')}>
            <div className="row">
              {(p.segments ?? []).map((s) => (
                <Link key={s} to="/app/segments/$name" params={{ name: s }}>
                  <Tag tone="accent">{s}</Tag>
                </Link>
              ))}
              {(p.segments ?? []).length === 0 && <span className="soft">{t('In none.')}</span>}
            </div>
          </Panel>
          <Panel title={t('In journeys now')} flush>
            {(p.journeys ?? []).length === 0 ? (
              <Empty>{t('In none.')}</Empty>
            ) : (
              <ul className="plain lines">
                {(p.journeys ?? []).map((j, i) => (
                  <li key={i}>
                    <Link to="/app/journeys/$name" params={{ name: j.journey }}>
                      {j.journey}
                    </Link>{' '}
                    · {j.step} {j.held_out && <Tag>{t('held out')}</Tag>}
                    <div className="soft small">
                      {t('since {date}', { date: when(j.entered) })}
                      {j.wake ? ' · ' + t('goes on {date}', { date: when(j.wake) }) : ''}
                    </div>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
          <Panel title={t('Traits')}>
            <Facts
              of={[
                ...Object.entries(p.traits ?? {}).map(([k, v]): [string, string] => [k, show(v)]),
                ...(p.locale ? ([[t('Language'), p.locale]] as [string, string][]) : []),
                ...(p.device ? ([[t('Device'), p.device]] as [string, string][]) : []),
              ]}
            />
          </Panel>
        </div>
      </div>
    </div>
  );
}

function Consents({ p }: { p: Known }) {
  const { t, when } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const program = useGet('/api/v1/program');
  const [open, setOpen] = useState(false);
  const note = useMutation({
    mutationFn: (f: FormData) =>
      must(
        api.POST('/api/v1/customers/{id}/consents', {
          params: { path: { id: p.id } },
          body: {
            channel: String(f.get('channel')) as 'email',
            purpose: String(f.get('purpose')),
            granted: f.get('granted') === 'yes',
            evidence: String(f.get('evidence')),
          },
        }),
      ),
    onSuccess: () => {
      setOpen(false);
      setTimeout(() => void cache.invalidateQueries({ queryKey: ['/api/v1/customers/{id}'] }), 400);
    },
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    note.mutate(new FormData(e.currentTarget));
  };
  return (
    <Panel
      title={t('Consents')}
      aside={may('post_customers_id_consents') && <button onClick={() => setOpen(true)}>{t('Note a consent…')}</button>}
      flush
    >
      {(p.consents ?? []).length === 0 ? (
        <Empty>{t('They agreed to nothing and refused nothing.')}</Empty>
      ) : (
        <ul className="plain lines">
          {(p.consents ?? []).map((c) => (
            <li key={c.channel + c.purpose} className="spread">
              <div>
                <Tag tone={c.granted ? 'good' : 'bad'}>{c.granted ? t('Agreed') : t('Refused')}</Tag> {c.channel} · {c.purpose}
                <div className="soft small">
                  {c.evidence || t('no word of how')} {c.wording && `· ${c.wording}`} · <span className="mono wrap-any">{c.proof}</span>
                </div>
              </div>
              <span className="soft small">{when(c.at)}</span>
            </li>
          ))}
        </ul>
      )}
      <Ask open={open} onClose={() => setOpen(false)} title={t('Note a consent')}>
        <form onSubmit={submit}>
          <div className="row">
            <select name="channel" aria-label={t('Channel')}>
              {(program.data?.channels ?? ['email']).map((c) => (
                <option key={c}>{c}</option>
              ))}
            </select>
            <select name="purpose" aria-label={t('Purpose')}>
              {(program.data?.purposes ?? []).map((c) => (
                <option key={c}>{c}</option>
              ))}
            </select>
            <select name="granted" aria-label={t('Answer')}>
              <option value="yes">{t('Agreed')}</option>
              <option value="no">{t('Refused')}</option>
            </select>
          </div>
          <label className="field">
            {t('How they said it')}
            <input name="evidence" required maxLength={200} placeholder={t('such as: by telephone, call of 10:40')} />
            <small>{t('What you would show if they denied it.')}</small>
          </label>
          <Failure error={note.error} />
          <div className="row">
            <button className="primary" disabled={note.isPending}>
              {t('Note')}
            </button>
            <button type="button" onClick={() => setOpen(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
    </Panel>
  );
}

interface Heard {
  event?: string;
  type?: string;
  at?: string;
  timestamp?: string;
  source?: string;
  properties?: Record<string, unknown>;
}

function Timeline({ id }: { id: string }) {
  const { t, when } = useWords();
  const list = usePages(['timeline', id], (cursor) =>
    get('/api/v1/customers/{id}/timeline', { path: { id }, query: { limit: 100, cursor } }),
  );
  return (
    <State of={list}>
      {(rows) => (
        <Panel flush>
          <ul className="plain lines timeline">
            {rows.map((h, i) => {
              const e = h.event as Heard;
              return (
                <li key={i}>
                  <span className="soft small">{when(e.at ?? e.timestamp ?? h.heard)}</span>
                  <details>
                    <summary>
                      <b>{e.event ?? e.type}</b> {e.source && <Tag>{e.source}</Tag>}
                    </summary>
                    <pre className="wrap-any" style={{ whiteSpace: 'pre-wrap' }}>
                      {JSON.stringify(h.event, null, 2)}
                    </pre>
                  </details>
                </li>
              );
            })}
          </ul>
          {!list.whole && (
            <div className="body">
              <button onClick={list.more}>{t('Earlier')}</button>
            </div>
          )}
        </Panel>
      )}
    </State>
  );
}

function Messages({ id }: { id: string }) {
  const { t, when } = useWords();
  const list = usePages(['messages', id], (cursor) =>
    get('/api/v1/customers/{id}/deliveries', { path: { id }, query: { limit: 100, cursor } }),
  );
  return (
    <State of={list}>
      {(rows) => (
        <Panel title={t('Why they got it, or did not')} flush>
          {rows.length === 0 && <Empty>{t('No message was ever wanted for them.')}</Empty>}
          <ul className="plain lines">
            {rows.map((d) => (
              <li key={d.id}>
                <div className="spread">
                  <span>
                    <StateTag state={d.state} />{' '}
                    <Link to="/app/messages/$id" params={{ id: d.id }}>
                      {d.template}
                    </Link>{' '}
                    <span className="soft">
                      {d.journey} · {d.step} · {d.channel}
                    </span>
                  </span>
                  <span className="soft small">{when(d.planned)}</span>
                </div>
                <div className="small">{d.why || d.reason}</div>
              </li>
            ))}
          </ul>
          {!list.whole && (
            <div className="body">
              <button onClick={list.more}>{t('Earlier')}</button>
            </div>
          )}
        </Panel>
      )}
    </State>
  );
}

function Memberships({ id }: { id: string }) {
  const { t, when } = useWords();
  const list = useGet('/api/v1/customers/{id}/segments', { path: { id } });
  return (
    <State of={list}>
      {(l) => (
        <Panel flush>
          <ul className="plain lines">
            {[...(l.data ?? [])]
              .sort((a, b) => Number(b.in) - Number(a.in))
              .map((m) => (
                <li key={m.segment}>
                  <div className="spread">
                    <span>
                      <Tag tone={m.in ? 'good' : ''}>{m.in ? t('in') : t('out')}</Tag>{' '}
                      <Link to="/app/segments/$name" params={{ name: m.segment }}>
                        {m.segment}
                      </Link>
                    </span>
                    {m.since && <span className="soft small">{t('since {date}', { date: when(m.since) })}</span>}
                  </div>
                  {(m.because ?? []).length > 0 && <div className="small soft">{(m.because ?? []).join('; ')}</div>}
                </li>
              ))}
          </ul>
        </Panel>
      )}
    </State>
  );
}

function Understanding({ id }: { id: string }) {
  const { t, n, pct } = useWords();
  const scores = useGet('/api/v1/customers/{id}/scores', { path: { id } });
  const words = useGet('/api/v1/customers/{id}/predictions', { path: { id } });
  return (
    <div className="grid2">
      <Panel title={t('Predictions')} flush>
        <State of={words}>
          {(l) =>
            (l.data ?? []).length === 0 ? (
              <Empty>{t('No model says anything of them yet.')}</Empty>
            ) : (
              <ul className="plain lines">
                {(l.data ?? []).map((w) => (
                  <li key={w.name}>
                    <div className="spread">
                      <b>{w.name}</b>
                      <span>{show(w.value)}</span>
                    </div>
                    <div className="soft small">{w.evidence}</div>
                  </li>
                ))}
              </ul>
            )
          }
        </State>
      </Panel>
      <State of={scores}>
        {(s) => (
          <div className="stack">
            <Panel title={t('Scores')} flush>
              {(s.scores ?? []).length === 0 && <Empty>{t('The shop has no scores.')}</Empty>}
              <ul className="plain lines">
                {(s.scores ?? []).map((x) => (
                  <li key={x.score}>
                    <div className="spread">
                      <b>{x.label}</b>
                      <span>
                        {n(Math.round(x.value))} {x.tier && <Tag tone="accent">{x.tier}</Tag>}
                      </span>
                    </div>
                    {x.about && <div className="soft small">{x.about}</div>}
                  </li>
                ))}
              </ul>
            </Panel>
            {(s.affinities ?? []).map((a) => (
              <Panel key={a.affinity} title={t('Interest: {name}', { name: a.affinity })}>
                <div className="stack">
                  {(a.likes ?? []).slice(0, 8).map((l) => (
                    <div key={l.name}>
                      <div className="spread">
                        <span>{l.name}</span>
                        <span className="soft">{pct(l.share)}</span>
                      </div>
                      <Bar share={l.share} />
                    </div>
                  ))}
                </div>
              </Panel>
            ))}
          </div>
        )}
      </State>
    </div>
  );
}

function Erase({ id, open, onClose }: { id: string; open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const [typed, setTyped] = useState('');
  const erase = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/customers/{id}', { params: { path: { id } } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['customers'] });
      void go({ to: '/app/customers' });
    },
  });
  const word = t('erase' as Text);
  return (
    <Ask open={open} onClose={onClose} title={t('Erase this customer for good')}>
      <p>{t('Profile, history, messages, and everything that comes later. It cannot be undone.')}</p>
      <label className="field">
        {t('Type “{word}” to go on', { word })}
        <input value={typed} onChange={(e) => setTyped(e.target.value)} autoComplete="off" />
      </label>
      <Failure error={erase.error} />
      <div className="row">
        <button className="danger" disabled={typed !== word || erase.isPending} onClick={() => erase.mutate()}>
          {t('Erase for good')}
        </button>
        <button onClick={onClose}>{t('Cancel')}</button>
      </div>
    </Ask>
  );
}
