// One campaign: whom it reaches and why not the others, four eyes, and the send.
import { useParams } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { Bar, Empty, Failure, Kpi, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { useMay, useMe } from '../session';
import { useWords } from '../words';

type Verb = 'pause' | 'resume' | 'stop';

export function Campaign() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t, n, when, money } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const program = useGet('/api/v1/program');
  const c = useGet('/api/v1/campaigns/{name}', { path: { name } }, { refetchInterval: 3_000 });
  const messages = useGet('/api/v1/reports/messages', { query: { limit: 500 } }, { retry: false });
  const order = useMutation({
    mutationFn: (verb: Verb) => must(api.POST(`/api/v1/campaigns/{name}/${verb}`, { params: { path: { name } } })),
    onSettled: () => void cache.invalidateQueries({ queryKey: ['/api/v1/campaigns/{name}'] }),
  });
  const earned = (messages.data?.messages?.rows ?? []).filter((r) => r.origin === name);
  const sum = (f: (r: (typeof earned)[number]) => number) => earned.reduce((a, r) => a + f(r), 0);
  return (
    <Page title={c.data?.title || name} about={c.data && t('for who {audience}', { audience: c.data.audience })}>
      <State of={c}>
        {(one) => {
          const run = one.runs?.[one.runs.length - 1];
          return (
            <div className="stack">
              {run && (
                <Panel
                  title={
                    <>
                      <StateTag state={run.state} /> {t('sent {date}', { date: when(run.sent) })}
                    </>
                  }
                  aside={
                    may('post_campaigns_name_stop') &&
                    !run.finished && (
                      <div className="row">
                        {run.state === 'paused' ? (
                          <button onClick={() => order.mutate('resume')}>{t('Resume')}</button>
                        ) : (
                          <button onClick={() => order.mutate('pause')}>{t('Pause')}</button>
                        )}
                        <button className="danger" onClick={() => order.mutate('stop')}>
                          {t('Stop for good')}
                        </button>
                      </div>
                    )
                  }
                >
                  <div className="kpis">
                    <Kpi label={t('Looked at')} value={n(run.seen)} />
                    <Kpi label={t('Came to')} value={n(run.entered)} />
                    <Kpi label={t('On their way')} value={n(run.open)} />
                    <Kpi label={t('Clicked')} value={n(sum((r) => r.clicked))} />
                    <Kpi label={t('Orders after it')} value={n(sum((r) => r.orders))} />
                    <Kpi label={t('Revenue after it')} value={money(sum((r) => r.revenue_micros) / 1e6, program.data?.currency)} />
                  </div>
                  <Failure error={order.error} />
                </Panel>
              )}
              <div className="grid2">
                <Reach name={name} />
                <Send name={name} status={one} />
              </div>
              {(one.messages ?? []).length > 0 && (
                <Panel title={t('What became of its messages')} flush>
                  <table>
                    <tbody>
                      {(one.messages ?? []).map((m, i) => (
                        <tr key={i}>
                          <td>
                            <StateTag state={m.state} />
                          </td>
                          <td className="soft">{m.reason}</td>
                          <td className="num">{n(m.count)}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </Panel>
              )}
            </div>
          );
        }}
      </State>
    </Page>
  );
}

function Reach({ name }: { name: string }) {
  const { t, n } = useWords();
  const f = useGet('/api/v1/campaigns/{name}/preview', { path: { name } });
  return (
    <Panel title={t('Whom it would reach now')}>
      <State of={f}>
        {(r) => {
          const all = Math.max(r.customers, 1);
          const lines: [string, number][] = [
            [t('Customers'), r.customers],
            [t('in the audience'), r.audience],
            [t('with an address that takes mail'), r.reachable],
            [t('who agreed'), r.agreed],
            [t('after caps and quiet hours'), r.sent],
          ];
          return (
            <div className="stack">
              {lines.map(([label, count]) => (
                <div key={label}>
                  <div className="spread">
                    <span>{label}</span>
                    <b>{n(count)}</b>
                  </div>
                  <Bar share={count / all} />
                </div>
              ))}
              {(r.reasons ?? []).length > 0 && (
                <details>
                  <summary>{t('Why the others get nothing')}</summary>
                  <ul className="plain">
                    {(r.reasons ?? []).map((x, i) => (
                      <li key={i} className="spread">
                        <span className="soft">{x.reason || x.state}</span>
                        <span>{n(x.count)}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </div>
          );
        }}
      </State>
    </Panel>
  );
}

function Send({ name, status }: { name: string; status: Schemas['CampaignStatus'] }) {
  const { t, n, when } = useWords();
  const me = useMe();
  const may = useMay();
  const cache = useQueryClient();
  const funnel = useGet('/api/v1/campaigns/{name}/preview', { path: { name } });
  const approvals = useGet('/api/v1/approvals', undefined, { refetchInterval: 5_000 });
  const program = useGet('/api/v1/program');
  const [typed, setTyped] = useState('');
  const refresh = () => void cache.invalidateQueries();
  const a = (approvals.data?.data ?? []).find((x) => x.campaign === name);
  const needed = (approvals.data?.above ?? 0) > 0 && (funnel.data?.agreed ?? 0) > (approvals.data?.above ?? 0);
  const valid = a && a.tag === program.data?.tag;
  const count = needed && a ? a.recipients : (funnel.data?.agreed ?? 0);
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
  const send = useMutation({
    mutationFn: () =>
      must(
        api.POST('/api/v1/campaigns/{name}/send', {
          params: { path: { name } },
          body: { recipients: Number(typed), again: (status.runs ?? []).length > 0 },
        }),
      ),
    onSuccess: () => {
      setTyped('');
      refresh();
    },
  });
  if (!may('post_campaigns_name_send')) return <Panel title={t('Send')}>{t('Your role does not send campaigns.')}</Panel>;
  const running = (status.runs ?? []).some((r) => !r.finished);
  if (running) return <Panel title={t('Send')}>{t('It is on its way. Within the undo window, stopping takes everything back.')}</Panel>;
  const mine = a?.asked_by.id === me.id;
  const ready = !needed || (valid && a?.approved_by);
  return (
    <Panel title={t('Send')} aside={needed && <Tag tone={ready ? 'good' : 'warn'}>{ready ? t('approved') : t('needs an approval')}</Tag>}>
      <div className="stack">
        {status.at && <p>{t('It is planned for {at}, in each customer’s own time zone.', { at: status.at })}</p>}
        {needed && !valid && (
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
        {needed && valid && !a?.approved_by && (
          <p>
            {t('{name} asked on {date}, for {n} recipients.', {
              name: a?.asked_by.name ?? '',
              date: when(a?.asked_at),
              n: n(a?.recipients),
            })}{' '}
            {mine && t('Somebody else must approve it.')}
          </p>
        )}
        {needed && valid && a?.approved_by && (
          <p>{t('{name} approved it on {date}.', { name: a.approved_by.name, date: when(a.approved_at) })}</p>
        )}
        {(ready || (valid && !mine)) && count > 0 && (
          <label className="field">
            {t('Type the number of recipients, {n}', { n: count })}
            <input inputMode="numeric" value={typed} onChange={(e) => setTyped(e.target.value.replace(/\D/g, ''))} autoComplete="off" />
          </label>
        )}
        {ready && count > 0 && (
          <div>
            <button className="primary" disabled={Number(typed) !== count || send.isPending} onClick={() => send.mutate()}>
              {(status.runs ?? []).length > 0 ? t('Send it once more') : t('Send')}
            </button>
          </div>
        )}
        {!ready && valid && !mine && (
          <div>
            <button className="primary" disabled={Number(typed) !== count || approve.isPending} onClick={() => approve.mutate()}>
              {t('Approve')}
            </button>
          </div>
        )}
        {funnel.data && count === 0 && <Empty>{t('It would reach nobody now.')}</Empty>}
        <Failure error={ask.error ?? approve.error ?? send.error} />
      </div>
    </Panel>
  );
}
