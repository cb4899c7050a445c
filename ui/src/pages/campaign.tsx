// One campaign: whom it reaches and why not the others, how it reads, four eyes, the
// send, and what came of it. A new one, and one that is edited, is the wizard.
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { called } from '../parts/called';
import { Wizard } from '../parts/wizard';
import { slug } from '../parts/definitions';
import { changeFiles, document as written, type Tree } from '../parts/files';
import { Ask, Bar, Empty, Facts, Failure, Kpi, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { TestSend } from '../parts/test';
import { useMay, useMe } from '../session';
import { silence, useWords, type Text } from '../words';

type Verb = 'pause' | 'resume' | 'stop';
type Status = Schemas['CampaignStatus'];

export function Campaign() {
  const { name } = useParams({ strict: false }) as { name: string };
  return name === 'new' ? <New /> : <One key={name} name={name} />;
}

function New() {
  const { t } = useWords();
  const go = useNavigate();
  return (
    <Page title={t('New campaign')} about={t('Nothing is sent before you say so at the end.')}>
      <Wizard
        onDone={(name) => void go({ to: '/app/campaigns/$name', params: { name } })}
        onCancel={() => void go({ to: '/app/campaigns' })}
      />
    </Page>
  );
}

function One({ name }: { name: string }) {
  const { t } = useWords();
  const [editing, setEditing] = useState(false);
  const c = useGet('/api/v1/campaigns/{name}', { path: { name } }, { refetchInterval: 2_000 });
  const file = c.data?.file ?? '';
  const tree = useGet('/api/v1/definitions/tree', { query: { path: file } }, { enabled: file !== '' });
  if (editing && tree.data)
    return (
      <Page title={c.data?.title || name}>
        <Wizard of={{ name, file, tree: tree.data.value as Tree }} onDone={() => setEditing(false)} onCancel={() => setEditing(false)} />
      </Page>
    );
  return (
    <Page
      title={c.data?.title || name}
      about={c.data?.audience && t('for who {audience}', { audience: c.data.audience })}
      actions={c.data && tree.data && <Actions status={c.data} tree={tree.data.value as Tree} onEdit={() => setEditing(true)} />}
    >
      <State of={c}>
        {(one) => (
          <div className="stack">
            <Progress name={name} status={one} />
            {one.file ? (
              <>
                <div className="grid2">
                  <Reach name={name} status={one} />
                  <Send name={name} status={one} />
                </div>
                {one.template && <Letter status={one} />}
              </>
            ) : (
              <div className="note">{t('Its definition is no longer in force: it cannot be sent again.')}</div>
            )}
            {(one.runs ?? []).length > 0 && <Results name={name} status={one} />}
          </div>
        )}
      </State>
    </Page>
  );
}

function Actions({ status, tree, onEdit }: { status: Status; tree: Tree; onEdit: () => void }) {
  const { t } = useWords();
  const may = useMay();
  const go = useNavigate();
  const cache = useQueryClient();
  const [asking, setAsking] = useState<'copy' | 'delete' | ''>('');
  const all = useGet('/api/v1/campaigns');
  const running = (status.runs ?? []).some((r) => !r.finished);
  const copy = useMutation({
    mutationFn: async (title: string) => {
      const name = slug(title);
      if (!name || name === 'new') throw new Error(t('A name has letters or digits in it.'));
      if ((all.data?.campaigns ?? []).some((c) => c.name === name)) throw new Error(t('There is a campaign of this name already.'));
      await changeFiles({ [`campaigns/${name}.yaml`]: written({ ...tree, campaign: name, title }) });
      return name;
    },
    onSuccess: (name) => {
      setAsking('');
      void cache.invalidateQueries();
      void go({ to: '/app/campaigns/$name', params: { name } });
    },
  });
  const remove = useMutation({
    mutationFn: () => changeFiles({ [status.file ?? '']: null }),
    onSuccess: () => {
      void cache.invalidateQueries();
      void go({ to: '/app/campaigns' });
    },
  });
  if (!may('put_definitions')) return null;
  return (
    <>
      <button onClick={onEdit} disabled={running}>
        {t('Edit')}
      </button>
      <button onClick={() => setAsking('copy')}>{t('Duplicate…')}</button>
      <button className="danger" disabled={running} onClick={() => setAsking('delete')}>
        {t('Delete…')}
      </button>
      <Ask open={asking === 'copy'} onClose={() => setAsking('')} title={t('Duplicate the campaign')}>
        <form
          onSubmit={(e: FormEvent<HTMLFormElement>) => {
            e.preventDefault();
            copy.mutate(String(new FormData(e.currentTarget).get('title')).trim());
          }}
        >
          <label className="field">
            {t('Title of the copy')}
            <input name="title" required maxLength={80} />
          </label>
          <Failure error={copy.error} />
          <div className="row">
            <button className="primary" disabled={copy.isPending}>
              {t('Duplicate')}
            </button>
            <button type="button" onClick={() => setAsking('')}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
      <Ask open={asking === 'delete'} onClose={() => setAsking('')} title={t('Delete this campaign?')}>
        <p>{t('What was sent stays in the reports and in the histories of who got it.')}</p>
        <Failure error={remove.error} />
        <div className="row">
          <button className="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {t('Delete')}
          </button>
          <button onClick={() => setAsking('')}>{t('Keep it')}</button>
        </div>
      </Ask>
    </>
  );
}

// Progress is a run while it goes on, with what can be done about it.
function Progress({ name, status }: { name: string; status: Status }) {
  const { t, n, when } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const [stopping, setStopping] = useState(false);
  const run = status.runs?.[status.runs.length - 1];
  const refresh = () => void cache.invalidateQueries({ queryKey: ['/api/v1/campaigns/{name}'] });
  const order = useMutation({
    mutationFn: (verb: Verb) => must(api.POST(`/api/v1/campaigns/{name}/${verb}`, { params: { path: { name } } })),
    onSettled: () => {
      setStopping(false);
      refresh();
    },
  });
  const pace = useMutation({
    mutationFn: (rate: string) => must(api.POST('/api/v1/campaigns/{name}/rate', { params: { path: { name } }, body: { rate } })),
    onSettled: refresh,
  });
  if (!run) return null;
  const accepted = (status.messages ?? []).filter((m) => m.state === 'accepted').reduce((a, m) => a + m.count, 0);
  const going = !run.finished;
  const undo = run.state === 'waiting' && new Date(run.begins ?? 0) > new Date();
  return (
    <Panel
      title={
        <>
          <StateTag state={run.state} /> {t('sent {date}', { date: when(run.sent) })}
        </>
      }
      aside={
        going &&
        may('post_campaigns_name_stop') && (
          <div className="row">
            {run.state === 'paused' ? (
              <button disabled={order.isPending} onClick={() => order.mutate('resume')}>
                {t('Resume')}
              </button>
            ) : (
              <button disabled={order.isPending} onClick={() => order.mutate('pause')}>
                {t('Pause')}
              </button>
            )}
            <button className="danger" onClick={() => setStopping(true)}>
              {undo ? t('Take it back') : t('Stop for good')}
            </button>
          </div>
        )
      }
    >
      <div className="stack">
        {undo && (
          <div className="note warn">{t('It begins {date}. Until then it can be taken back whole.', { date: when(run.begins) })}</div>
        )}
        <div className="kpis">
          <Kpi label={t('Looked at')} value={n(run.seen)} />
          <Kpi label={t('Came to')} value={n(run.entered)} />
          <Kpi label={t('On their way')} value={n(run.open)} />
          <Kpi label={t('Handed over')} value={n(accepted)} />
        </div>
        {going && run.entered > 0 && (
          <div>
            <div className="spread small soft">
              <span>{t('Handed over, of those it came to')}</span>
              <span role="status">{Math.round((accepted / Math.max(1, run.entered)) * 100)} %</span>
            </div>
            <Bar share={accepted / Math.max(1, run.entered)} />
          </div>
        )}
        {going && may('post_campaigns_name_rate') && (
          <form
            className="row"
            onSubmit={(e: FormEvent<HTMLFormElement>) => {
              e.preventDefault();
              const v = String(new FormData(e.currentTarget).get('rate')).trim();
              pace.mutate(v ? `${v}/h` : 'none');
            }}
          >
            <label className="row">
              <span className="soft">{t('Messages an hour')}</span>
              <input
                key={run.rate_per_hour ?? 0}
                name="rate"
                type="number"
                min={1}
                max={100000000}
                defaultValue={run.rate_per_hour || ''}
                placeholder={t('no limit')}
              />
            </label>
            <button disabled={pace.isPending}>{t('Change the rate')}</button>
          </form>
        )}
        <Failure error={order.error ?? pace.error} />
      </div>
      <Ask open={stopping} onClose={() => setStopping(false)} title={undo ? t('Take it back?') : t('Stop it for good?')}>
        <p>{undo ? t('Nobody gets it.') : t('What has not left is recalled. What has left stays sent.')}</p>
        <div className="row">
          <button className="danger" disabled={order.isPending} onClick={() => order.mutate('stop')}>
            {undo ? t('Take it back') : t('Stop for good')}
          </button>
          <button onClick={() => setStopping(false)}>{t('Let it go on')}</button>
        </div>
      </Ask>
    </Panel>
  );
}

// useFunnel counts whom a campaign would reach, and counts again while customers are
// still being looked at under definitions that have just come into force.
function useFunnel(name: string) {
  const [behind, setBehind] = useState(false);
  const f = useGet('/api/v1/campaigns/{name}/preview', { path: { name } }, behind ? { refetchInterval: 2_000 } : {});
  const now = (f.data?.behind ?? 0) > 0;
  if (now !== behind) setBehind(now);
  return f;
}

function Reach({ name, status }: { name: string; status: Status }) {
  const { t, n, when } = useWords();
  const f = useFunnel(name);
  return (
    <Panel
      title={t('Whom it would reach now')}
      aside={
        <button className="link" onClick={() => void f.refetch()}>
          {t('Count again')}
        </button>
      }
    >
      <State of={f}>
        {(r) => {
          const all = Math.max(r.audience, 1);
          const lines: [string, number][] = [
            [t('in the audience'), r.audience],
            [t('with an address that takes mail'), r.reachable],
            [t('who agreed'), r.agreed],
            [t('after caps and quiet hours'), r.sent],
          ];
          return (
            <div className="stack">
              {r.behind > 0 && (
                <div className="note warn" role="status">
                  {t('The definitions changed a moment ago: {n} customers are still to be looked at.', { n: n(r.behind) })}
                </div>
              )}
              <p className="soft small">{t('Of {n} customers.', { n: n(r.customers) })}</p>
              {lines.map(([label, count]) => (
                <div key={label}>
                  <div className="spread">
                    <span>{label}</span>
                    <b>{n(count)}</b>
                  </div>
                  <Bar share={count / all} />
                </div>
              ))}
              <ul className="plain small soft">
                {r.withheld > 0 && <li>{t('{n} are held out, so that the effect can be measured.', { n: n(r.withheld) })}</li>}
                {r.later > 0 && <li>{t('{n} of them get it later, when a rule lets it through.', { n: n(r.later) })}</li>}
                {r.same_address > 0 && <li>{t('{n} share an address with somebody who gets it.', { n: n(r.same_address) })}</li>}
              </ul>
              {(r.reasons ?? []).length > 0 && (
                <details>
                  <summary>{t('Why the others get nothing')}</summary>
                  <ul className="plain">
                    {(r.reasons ?? []).map((x, i) => (
                      <li key={i} className="spread">
                        <span className="soft">{(x.reason || x.state).replaceAll('_', ' ')}</span>
                        <span>{n(x.count)}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
              {(r.zones ?? []).length > 0 && (
                <details open={(r.zones ?? []).length < 6}>
                  <summary>{status.zone ? t('When it leaves') : t('When each clock shows {at}', { at: status.at ?? '' })}</summary>
                  <table className="tight">
                    <thead>
                      <tr>
                        <th>{t('Time zone')}</th>
                        <th>{t('Here it is then')}</th>
                        <th className="num">{t('Customers')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {(r.zones ?? []).map((z) => (
                        <tr key={z.zone}>
                          <td>{z.zone.replaceAll('_', ' ')}</td>
                          <td>{when(z.at)}</td>
                          <td className="num">{n(z.customers)}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </details>
              )}
            </div>
          );
        }}
      </State>
    </Panel>
  );
}

function Letter({ status }: { status: Status }) {
  const { t } = useWords();
  const may = useMay();
  const [mobile, setMobile] = useState(false);
  const [testing, setTesting] = useState(false);
  const segment = status.segment ?? '';
  const members = useGet(
    '/api/v1/segments/{name}/members',
    { path: { name: segment }, query: { limit: 1 } },
    { enabled: segment !== '', retry: false },
  );
  const some = useGet('/api/v1/customers', { query: { limit: 1 } });
  const who = members.data?.data?.[0] ?? some.data?.data?.[0];
  const name = status.template ?? '';
  const read = useQuery({
    queryKey: ['preview', name, who?.id ?? ''],
    enabled: who !== undefined,
    retry: false,
    queryFn: () => must(api.POST('/api/v1/templates/{name}/preview', { params: { path: { name } }, body: { customer: who?.id ?? '' } })),
  });
  return (
    <Panel
      title={t('As {name} would read it', { name: called(who) })}
      aside={
        <div className="row">
          <Link to="/app/templates/$name" params={{ name }}>
            {t('Open the template')}
          </Link>
          <div className="seg" role="group" aria-label={t('How it is shown')}>
            <button aria-pressed={!mobile} onClick={() => setMobile(false)}>
              {t('Desktop')}
            </button>
            <button aria-pressed={mobile} onClick={() => setMobile(true)}>
              {t('Mobile')}
            </button>
          </div>
          {may('post_campaigns_name_test') && <button onClick={() => setTesting(true)}>{t('Send a test…')}</button>}
        </div>
      }
    >
      {who ? (
        <State of={read}>
          {(p) => (
            <div className="stack">
              {p.aborted && <div className="note warn">{t('This customer would get nothing: {why}', { why: p.aborted })}</div>}
              {(p.gaps ?? []).length > 0 && (
                <div className="note warn">
                  {t('Missing for this customer, so that it would not be sent:')} {(p.gaps ?? []).map((g) => g.what).join(', ')}
                </div>
              )}
              {!p.aborted && <Facts of={[[t('Subject'), <b key="s">{p.subject}</b>]]} />}
              {p.frame && (
                <iframe className={'frame' + (mobile ? ' mobile' : '')} title={t('Preview')} sandbox="" src={`/api/v1/frames/${p.frame}`} />
              )}
            </div>
          )}
        </State>
      ) : (
        <Empty>{t('Nobody is known yet to read it as.')}</Empty>
      )}
      <TestSend
        open={testing}
        onClose={() => setTesting(false)}
        path="/api/v1/campaigns/{name}/test"
        name={status.name}
        customer={who?.id ?? ''}
        locale=""
        files={[]}
      />
    </Panel>
  );
}

// Effect is what the campaign added, against those who were held out. It is asked for:
// the first time it reads everything that happened.
function Effect({ name, withheld }: { name: string; withheld: number }) {
  const { t, n, money } = useWords();
  const [asked, setAsked] = useState(false);
  const e = useGet('/api/v1/campaigns/{name}/effect', { path: { name } }, { enabled: asked, retry: false });
  return (
    <div className="stack">
      <p className="soft small">
        {t('{n} customers were held out and got nothing: the difference to them is what the campaign truly added.', { n: n(withheld) })}
      </p>
      {!asked && (
        <div>
          <button onClick={() => setAsked(true)}>{t('Measure what it added')}</button>
        </div>
      )}
      {asked && (
        <State of={e}>
          {(x) => {
            const more = x.incremental_revenue;
            const orders = x.incremental_orders;
            if (more.enough)
              return (
                <Facts
                  of={[
                    [
                      t('Revenue it added'),
                      <span key="r">
                        <b>{money(more.lift, x.currency)}</b>{' '}
                        {t('(between {low} and {high})', { low: money(more.low, x.currency), high: money(more.high, x.currency) })}
                      </span>,
                    ],
                    [t('Orders it added'), `${n(Math.round(orders.lift))} (${n(Math.round(orders.low))} – ${n(Math.round(orders.high))})`],
                    [t('Measured'), t('{n} got it, {m} were held out', { n: n(more.treated), m: n(more.held_out) })],
                  ]}
                />
              );
            return (
              <div className="note">
                {x.pending > 0
                  ? t('{n} customers are still to be measured: each {days} days after it came to them.', {
                      n: n(x.pending),
                      days: x.window_days,
                    })
                  : t('Too few people to say: {n} got it, {m} were held out.', { n: n(more.treated), m: n(more.held_out) })}
              </div>
            );
          }}
        </State>
      )}
    </div>
  );
}

function Results({ name, status }: { name: string; status: Status }) {
  const { t, n, pct, money } = useWords();
  const report = useGet('/api/v1/reports/messages', { query: { limit: 500 } }, { retry: false, refetchInterval: 15_000 });
  const rows = (report.data?.messages?.rows ?? []).filter((r) => r.origin === name);
  const sum = (f: (r: (typeof rows)[number]) => number) => rows.reduce((a, r) => a + f(r), 0);
  const sent = sum((r) => r.sent);
  const share = (v: number) => (sent ? pct(v / sent) : '–');
  const currency = report.data?.messages?.currency;
  const withheld = (status.messages ?? []).filter((m) => m.state === 'withheld').reduce((a, m) => a + m.count, 0);
  const lines: [Text, number][] = [
    ['Delivered', sum((r) => r.delivered)],
    ['Bounced', sum((r) => r.bounced)],
    ['Clicked by people', sum((r) => r.clicked)],
    ['Unsubscribed', sum((r) => r.unsubscribed)],
    ['Complained', sum((r) => r.complained)],
    ['Orders after it', sum((r) => r.orders)],
  ];
  return (
    <div className="grid2">
      <Panel title={t('What came of it')}>
        {report.error ? (
          <div className="note">{report.error.message}</div>
        ) : (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Sent')} value={n(sent)} />
              <Kpi label={t('Clicked by people')} value={share(sum((r) => r.clicked))} />
              <Kpi label={t('Revenue after it')} value={money(sum((r) => r.revenue_micros) / 1e6, currency)} />
              <Kpi
                label={t('Per message')}
                value={sent ? money(Math.round(sum((r) => r.revenue_micros) / 1e4 / sent) / 100, currency) : '–'}
              />
            </div>
            <table className="tight">
              <tbody>
                {lines.map(([label, v]) => (
                  <tr key={label}>
                    <td>{t(label)}</td>
                    <td className="num">{n(v)}</td>
                    <td className="num soft">{share(v)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {withheld > 0 ? (
              <Effect name={name} withheld={withheld} />
            ) : (
              <p className="soft small">
                {t('Nobody was held out, so what came after it cannot be told from what would have come anyway.')}
              </p>
            )}
          </div>
        )}
      </Panel>
      <Panel title={t('What became of its messages')} flush>
        <table>
          <tbody>
            {(status.messages ?? []).map((m, i) => (
              <tr key={i}>
                <td>
                  <StateTag state={m.state} />
                </td>
                <td className="soft">{(m.reason ?? '').replaceAll('_', ' ')}</td>
                <td className="num">{n(m.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {(status.messages ?? []).length === 0 && <Empty>{t('There are none yet.')}</Empty>}
      </Panel>
    </div>
  );
}

function Send({ name, status }: { name: string; status: Status }) {
  const { t, n, when } = useWords();
  const me = useMe();
  const may = useMay();
  const cache = useQueryClient();
  const funnel = useFunnel(name);
  const approvals = useGet('/api/v1/approvals', undefined, { refetchInterval: 5_000 });
  const program = useGet('/api/v1/program');
  const [typed, setTyped] = useState('');
  const [now, setNow] = useState(false);
  const refresh = () => void cache.invalidateQueries();
  const a = (approvals.data?.data ?? []).find((x) => x.campaign === name);
  const above = approvals.data?.above ?? 0;
  const needed = above > 0 && (funnel.data?.agreed ?? 0) > above;
  const valid = a && a.tag === program.data?.tag;
  const count = needed && valid && a ? a.recipients : (funnel.data?.agreed ?? 0);
  const before = (status.runs ?? []).some((r) => r.entered > 0);
  const ask = useMutation({
    mutationFn: () => must(api.POST('/api/v1/campaigns/{name}/approval', { params: { path: { name } } })),
    onSuccess: refresh,
  });
  const approve = useMutation({
    mutationFn: () =>
      must(api.POST('/api/v1/campaigns/{name}/approve', { params: { path: { name } }, body: { recipients: Number(typed) } })),
    onSuccess: () => {
      setTyped('');
      refresh();
    },
  });
  const stats = useGet('/api/v1/stats');
  const send = useMutation({
    mutationFn: () =>
      must(
        api.POST('/api/v1/campaigns/{name}/send', {
          params: { path: { name } },
          body: { recipients: Number(typed), again: before, now },
        }),
      ),
    onSuccess: () => {
      setTyped('');
      refresh();
    },
  });
  if (!may('post_campaigns_name_send')) return <Panel title={t('Send')}>{t('Your role does not send campaigns.')}</Panel>;
  const running = (status.runs ?? []).some((r) => !r.finished);
  if (stats.data?.silent) return <Panel title={t('Send')}>{t(silence)}</Panel>;
  if (running) return <Panel title={t('Send')}>{t('It is on its way. Within the undo window, stopping takes everything back.')}</Panel>;
  const mine = a?.asked_by.id === me.id;
  const author = approvals.data?.edited_by;
  const whole = funnel.data?.behind === 0;
  const ready = !needed || (valid && a?.approved_by);
  const mayApprove = valid && !mine && author?.id !== me.id;
  const day = (status.at ?? '').slice(0, 10);
  const past = day !== '' && Date.parse(day + 'T00:00:00Z') < Date.now() - 3 * 864e5 && count === 0;
  const undo = Math.round((status.undo_ns ?? 0) / 6e10);
  return (
    <Panel
      title={t('Send')}
      aside={
        needed ? (
          <Tag tone={ready ? 'good' : 'warn'}>{ready ? t('approved') : t('needs an approval')}</Tag>
        ) : (
          count > 0 && <Tag tone="good">{t('ready')}</Tag>
        )
      }
    >
      <div className="stack">
        <Facts
          of={[
            [
              t('When'),
              !status.at
                ? t('at once, when it is sent')
                : status.zone
                  ? t('{at}, by the clock of {zone}', { at: status.at, zone: status.zone.replaceAll('_', ' ') })
                  : t('{at}, by each customer’s own clock', { at: status.at }),
            ],
            [t('Rate'), status.rate_per_hour ? t('{n} an hour', { n: n(status.rate_per_hour) }) : t('no limit')],
            [t('Undo window'), undo ? t('{n} minutes', { n: undo }) : t('none')],
            ...(author ? ([[t('Last edited by'), author.name]] as [string, string][]) : []),
            ...(needed && valid && a ? ([[t('Approval asked by'), `${a.asked_by.name}, ${when(a.asked_at)}`]] as [string, string][]) : []),
            ...(needed && valid && a?.approved_by
              ? ([[t('Approved by'), `${a.approved_by.name}, ${when(a.approved_at)}`]] as [string, string][])
              : []),
          ]}
        />
        {needed && !valid && whole && (
          <>
            <p>
              {a
                ? t('The definitions were edited since the approval was asked for, which voids it.')
                : t('It reaches so many that somebody else must approve it.')}
            </p>
            <div>
              <button className="primary" onClick={() => ask.mutate()} disabled={ask.isPending}>
                {t('Ask for an approval')}
              </button>
            </div>
          </>
        )}
        {needed && valid && !a?.approved_by && !mayApprove && <p>{t('Somebody else must approve it, who did not write it.')}</p>}
        {(ready || mayApprove) && count > 0 && whole && (
          <label className="field">
            {t('Type the number of recipients, {n}', { n: count })}
            <input inputMode="numeric" value={typed} onChange={(e) => setTyped(e.target.value.replace(/\D/g, ''))} autoComplete="off" />
          </label>
        )}
        {ready && count > 0 && whole && (
          <>
            {undo > 0 && (
              <label className="row small">
                <input type="checkbox" checked={now} onChange={(e) => setNow(e.target.checked)} /> {t('Without the undo window')}
              </label>
            )}
            <div>
              <button className="primary" disabled={Number(typed) !== count || send.isPending} onClick={() => send.mutate()}>
                {before ? t('Send it once more') : status.at ? t('Plan it') : t('Send')}
              </button>
            </div>
          </>
        )}
        {!ready && mayApprove && whole && (
          <div>
            <button className="primary" disabled={Number(typed) !== count || approve.isPending} onClick={() => approve.mutate()}>
              {t('Approve')}
            </button>
          </div>
        )}
        {whole && count === 0 && (
          <Empty>{past ? t('Its moment has passed everywhere: give it another one.') : t('It would reach nobody now.')}</Empty>
        )}
        <Failure error={ask.error ?? approve.error ?? send.error} />
      </div>
    </Panel>
  );
}
