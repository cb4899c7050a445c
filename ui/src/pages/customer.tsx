// One customer: who they are, what they agreed to, what they did and got, and why.
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { Ask, Empty, Facts, Failure, Kpi, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { stageWord } from '../parts/stages';
import { called } from '../parts/called';
import { usePages } from '../parts/pages';
import { useMay, useMe } from '../session';
import { useWords, type Text } from '../words';
import { Understanding } from './customer-scores';
import { Visit } from './customer-visit';
import { Why } from './customer-why';

const tabs = ['Overview', 'Timeline', 'Messages', 'Why', 'Segments', 'Scores and predictions'] as const;

export function show(v: unknown): string {
  if (v === null || v === undefined) return '–';
  if (typeof v === 'object') return JSON.stringify(v);
  return String(v);
}

export function Customer() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { t, date } = useWords();
  const may = useMay();
  const me = useMe();
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
  const name = called(c.data, t('Anonymous visitor'));
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
      {me.masked && <div className="note">{t('Names, addresses and numbers are masked for your role.')}</div>}
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
            {tab === 'Why' && <Why id={id} />}
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
        <Kpi label={t('Stage of life')} value={stageWord(p.stage, t)} />
      </div>
      <Visit id={p.id} quiet />
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
          <Merges p={p} />
          <Devices p={p} />
          <Panel title={t('Traits')}>
            <Facts
              of={[
                ...Object.entries(p.traits ?? {}).map(([k, v]): [string, string] => [k, show(v)]),
                ...(p.locale ? ([[t('Language'), p.locale]] as [string, string][]) : []),
                ...(p.time_zone ? ([[t('Time zone'), p.time_zone]] as [string, string][]) : []),
              ]}
            />
          </Panel>
          <Computed p={p} />
        </div>
      </div>
    </div>
  );
}

// Merges says of which profiles this one was put together, and when each identifier came.
function Merges({ p }: { p: Known }) {
  const { t, when } = useWords();
  const list = p.joined ?? [];
  return (
    <Panel title={t('How this profile came together')} flush>
      <ol className="plain lines merges">
        {list.map((j) => (
          <li key={j.id}>
            <div className="spread">
              <span className="wrap-any">
                <Tag>{j.kind || '?'}</Tag> {j.value || j.id.slice(0, 12) + '…'}
              </span>
              <span className="soft small nowrap">{when(j.born)}</span>
            </div>
            <div className="soft small">
              {j.current
                ? list.length > 1
                  ? t('The others joined this one.')
                  : t('Nothing has joined it so far.')
                : j.joined
                  ? t('joined on {at}', { at: when(j.joined) })
                  : t('joined; it is not known when')}
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Devices({ p }: { p: Known }) {
  const { t, n, date } = useWords();
  const moves = p.hand_overs ?? [];
  if (!p.device && moves.length === 0) return null;
  return (
    <Panel title={t('Devices')}>
      <div className="stack">
        {p.device && <div>{t('Last seen on {device}', { device: p.device })}</div>}
        {moves.map((h) => (
          <div key={h.from + h.to} className="spread">
            <span>{t('looked on {from}, bought on {to}', { from: h.from, to: h.to })}</span>
            <span className="soft small nowrap">
              {n(h.times)} × · {date(h.last)}
            </span>
          </div>
        ))}
      </div>
    </Panel>
  );
}

// Computed is what follows from events, and what is kept beside traits.
function Computed({ p }: { p: Known }) {
  const { t, date } = useWords();
  const computed = Object.entries(p.computed_traits ?? {});
  const lists = p.lists ?? [];
  const things = p.objects ?? [];
  const ill = p.ailing_addresses ?? [];
  return (
    <>
      {computed.length > 0 && (
        <Panel title={t('Computed traits')}>
          <Facts of={computed.map(([k, v]): [string, string] => [k, show(v)])} />
        </Panel>
      )}
      {ill.length > 0 && (
        <Panel title={t('Addresses that take nothing')} flush>
          <ul className="plain lines">
            {ill.map((a) => (
              <li key={a.channel + a.address}>
                <div className="spread">
                  <span className="wrap-any">{a.address}</span>
                  <Tag tone="bad">{a.state === 'bounced' ? t('Bounced') : t('Complained')}</Tag>
                </div>
                <div className="soft small">
                  {date(a.at)} {a.why && '· ' + a.why}
                </div>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {lists.length > 0 && (
        <Panel title={t('On lists')}>
          <Facts of={lists.map((l): [string, string] => [l.list, t('since {date}', { date: date(l.since) })])} />
        </Panel>
      )}
      {things.length > 0 && (
        <Panel title={t('Their things')} flush>
          <ul className="plain lines">
            {things.map((o) => (
              <li key={o.type + o.id}>
                <Tag>{o.type}</Tag> <b>{o.id}</b>
                <Facts of={Object.entries(o.properties ?? {}).map(([k, v]): [string, string] => [k, show(v)])} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

interface Noting {
  channel: string;
  purpose: string;
  granted: boolean;
}

function Consents({ p }: { p: Known }) {
  const { t, when } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const program = useGet('/api/v1/program');
  const [open, setOpen] = useState<Noting | null>(null);
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
            ...(f.get('wording') ? { wording: String(f.get('wording')) } : {}),
          },
        }),
      ),
    onSuccess: () => {
      setOpen(null);
      setTimeout(() => void cache.invalidateQueries({ queryKey: ['/api/v1/customers/{id}'] }), 400);
    },
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    note.mutate(new FormData(e.currentTarget));
  };
  const mayNote = may('post_customers_id_consents');
  return (
    <Panel
      title={t('Consents')}
      aside={
        mayNote && (
          <button onClick={() => setOpen({ channel: 'email', purpose: 'marketing', granted: true })}>{t('Note a consent…')}</button>
        )
      }
      flush
    >
      {(p.consents ?? []).length === 0 ? (
        <Empty>{t('They agreed to nothing and refused nothing.')}</Empty>
      ) : (
        <ul className="plain lines">
          {(p.consents ?? []).map((c) => (
            <li key={c.channel + c.purpose}>
              <div className="spread">
                <span>
                  <Tag tone={c.granted ? 'good' : 'bad'}>{c.granted ? t('Agreed') : t('Refused')}</Tag> {c.channel} · {c.purpose}
                </span>
                <span className="soft small nowrap">{when(c.at)}</span>
              </div>
              <div className="spread">
                <div className="soft small">
                  {c.evidence || t('no word of how')} {c.wording && `· ${c.wording}`} · {t('proof')}{' '}
                  <span className="mono wrap-any">{c.proof}</span>
                </div>
                {mayNote && (
                  <button className="link nowrap" onClick={() => setOpen({ channel: c.channel, purpose: c.purpose, granted: !c.granted })}>
                    {c.granted ? t('Withdraw…') : t('Give…')}
                  </button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      <Ask
        open={open !== null}
        onClose={() => setOpen(null)}
        title={open?.granted === false ? t('Withdraw a consent') : t('Note a consent')}
      >
        {open && (
          <form onSubmit={submit}>
            <div className="row">
              <select name="channel" aria-label={t('Channel')} defaultValue={open.channel}>
                {[...new Set([open.channel, ...(program.data?.channels ?? [])])].map((c) => (
                  <option key={c}>{c}</option>
                ))}
              </select>
              <select name="purpose" aria-label={t('Purpose')} defaultValue={open.purpose}>
                {[...new Set([open.purpose, ...(program.data?.purposes ?? [])])].map((c) => (
                  <option key={c}>{c}</option>
                ))}
              </select>
              <select name="granted" aria-label={t('Answer')} defaultValue={open.granted ? 'yes' : 'no'}>
                <option value="yes">{t('Agreed')}</option>
                <option value="no">{t('Refused')}</option>
              </select>
            </div>
            <label className="field">
              {t('How they said it')}
              <input name="evidence" required maxLength={200} placeholder={t('such as: by telephone, call of 10:40')} />
              <small>{t('What you would show if they denied it.')}</small>
            </label>
            <label className="field">
              {t('Version of the text')}
              <input name="wording" maxLength={200} placeholder={t('such as: newsletter form, May 2026')} />
              <small>{t('May stay empty.')}</small>
            </label>
            <Failure error={note.error} />
            <div className="row">
              <button className="primary" disabled={note.isPending}>
                {t('Note')}
              </button>
              <button type="button" onClick={() => setOpen(null)}>
                {t('Cancel')}
              </button>
            </div>
          </form>
        )}
      </Ask>
    </Panel>
  );
}

// gist is what one event was about, in the order in which people look for it.
function gist(e: Heard): string {
  const p = e.properties ?? {};
  const text = (k: string) => (typeof p[k] === 'string' || typeof p[k] === 'number' ? String(p[k]) : '');
  const parts = ['name', 'sku', 'query', 'order_id', 'template', 'journey', 'segment', 'step', 'channel', 'purpose', 'state', 'reason'].map(
    text,
  );
  const money = text('total') || text('price') || text('net');
  if (money) parts.push((money + ' ' + text('currency')).trim());
  const products = Array.isArray(p['products']) ? p['products'].length : 0;
  if (products > 0) parts.push(products + ' ×');
  return [...new Set(parts.filter(Boolean))].slice(0, 4).join(' · ');
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
                      <b>{e.event ?? e.type}</b> <span className="soft">{gist(e)}</span> {e.source && <Tag>{e.source}</Tag>}
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
                        {m.label}
                      </Link>
                    </span>
                    <span className="soft small nowrap">
                      {m.since && t('since {date}', { date: when(m.since) })}
                      {m.until && ' · ' + t('at least until {date}', { date: when(m.until) })}
                    </span>
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
