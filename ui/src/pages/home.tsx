// The first page: what is left to do, how it goes, and what needs somebody.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useGet } from '../api';
import { Empty, Kpi, Page, Panel, State, Tag } from '../parts/kit';
import { useWords } from '../words';

interface Step {
  done: boolean;
  title: string;
  about: string;
  to: string;
}

export function Home() {
  const { t, n, money, pct } = useWords();
  const program = useGet('/api/v1/program');
  const stats = useGet('/api/v1/stats', undefined, { refetchInterval: 5_000 });
  const domains = useGet('/api/v1/domains');
  const imports = useGet('/api/v1/imports');
  const templates = useGet('/api/v1/templates');
  const campaigns = useGet('/api/v1/campaigns');
  const quarantine = useGet('/api/v1/quarantine', { query: { limit: 50 } });
  const approvals = useGet('/api/v1/approvals');
  const days = useGet('/api/v1/reports/kpis', { query: { by: 'day', limit: 500 } }, { retry: false });
  const sum = useGet('/api/v1/reports/kpis', undefined, { retry: false });
  const rows = stats.data?.rows ?? {};
  const customers = rows['profiles'] ?? 0;
  const sent = (campaigns.data?.campaigns ?? []).some((c) => (c.runs ?? []).length > 0);
  const steps: Step[] = [
    { done: customers > 0, title: t('Connect your data'), about: t('The first event arrives, and a customer is known.'), to: '/app/data' },
    {
      done: (imports.data?.data ?? []).length > 0,
      title: t('Import what you have'),
      about: t('Customers, orders and consents of your old tool.'),
      to: '/app/data',
    },
    {
      done: (domains.data?.data ?? []).some((d) => d.verified),
      title: t('Verify a sending domain'),
      about: t('DNS shows our keys, so that mail arrives.'),
      to: '/app/settings',
    },
    {
      done: (templates.data?.data ?? []).length > 0,
      title: t('Design a message'),
      about: t('A template, read as one of your customers.'),
      to: '/app/templates',
    },
    { done: sent, title: t('Send a campaign'), about: t('See first whom it reaches, and why not the others.'), to: '/app/campaigns' },
  ];
  const left = steps.filter((s) => !s.done).length;
  const k = sum.data?.kpis;
  const total = k?.rows?.[0];
  const series = (days.data?.kpis?.rows ?? []).slice(-60);
  const currency = program.data?.currency;
  const needs: { tone: 'warn' | 'bad'; text: ReactNode; to: string }[] = [];
  for (const d of domains.data?.data ?? [])
    if (d.paused)
      needs.push({ tone: 'bad', text: t('{name} sends no marketing: {why}', { name: d.name, why: d.why ?? '' }), to: '/app/settings' });
  if ((quarantine.data?.data ?? []).length > 0)
    needs.push({ tone: 'warn', text: t('{n} events were put aside', { n: quarantine.data?.data?.length ?? 0 }), to: '/app/data' });
  for (const a of approvals.data?.data ?? [])
    if (!a.approved_by)
      needs.push({ tone: 'warn', text: t('{name} waits for an approval', { name: a.campaign }), to: '/app/campaigns/' + a.campaign });
  for (const c of campaigns.data?.campaigns ?? [])
    for (const r of c.runs ?? [])
      if (r.state === 'paused')
        needs.push({ tone: 'warn', text: t('{name} is paused', { name: c.title }), to: '/app/campaigns/' + c.name });
  if ((stats.data?.lag ?? 0) > 1000)
    needs.push({ tone: 'warn', text: t('{n} records are not applied yet', { n: n(stats.data?.lag) }), to: '/app/data' });

  return (
    <Page title={program.data ? program.data.name : t('Home')} about={t('How the shop and its customers are getting on.')}>
      <div className="stack">
        <div className="kpis">
          <Kpi label={t('Customers')} value={n(k ? k.profiles : customers)} />
          <Kpi label={t('Orders')} value={n(total?.orders)} series={series.map((r) => r.orders)} />
          <Kpi
            label={t('Revenue')}
            value={total ? money(total.revenue_micros / 1e6, currency) : '–'}
            series={series.map((r) => r.revenue_micros / 1e6)}
          />
          <Kpi
            label={t('Average order')}
            value={total ? money(total.aov_micros / 1e6, currency) : '–'}
            series={series.map((r) => r.aov_micros / 1e6)}
          />
          <Kpi label={t('Come back')} value={pct(total?.repeat_rate)} />
          <Kpi label={t('Agreed to e-mail')} value={pct(k?.opt_in)} />
        </div>
        <div className="grid2">
          <Panel
            title={t('Ten minutes to the first campaign')}
            aside={<Tag tone={left ? 'accent' : 'good'}>{left ? t('{n} to go', { n: left }) : t('All done')}</Tag>}
            flush
          >
            <ul className="plain lines">
              {steps.map((s) => (
                <li key={s.to + s.title} className={'check' + (s.done ? ' done' : '')}>
                  <span className="dot" aria-hidden="true">
                    {s.done ? '✓' : ''}
                  </span>
                  <div>
                    <b>{s.title}</b>
                    <span className="hidden">{s.done ? t('done') : t('to do')}</span>
                    <div className="soft small">{s.about}</div>
                  </div>
                  <Link to={s.to}>{s.done ? t('Look') : t('Go')}</Link>
                </li>
              ))}
            </ul>
          </Panel>
          <Panel title={t('Needs attention')} flush>
            {needs.length === 0 ? (
              <Empty>{t('Nothing needs you now.')}</Empty>
            ) : (
              <ul className="plain lines">
                {needs.map((x, i) => (
                  <li key={i} className="spread">
                    <span>
                      <Tag tone={x.tone}>{x.tone === 'bad' ? t('Stopped') : t('Look')}</Tag> {x.text}
                    </span>
                    <Link to={x.to}>{t('Open')}</Link>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
        </div>
        <Panel title={t('The server')}>
          <State of={stats}>
            {(s) => (
              <div className="row" style={{ gap: 28 }}>
                <span>
                  <span className="soft">{t('Events since it started')}</span> <b>{n(s.events)}</b>
                </span>
                <span>
                  <span className="soft">{t('Waiting to be applied')}</span> <b>{n(s.lag)}</b>
                </span>
                <span>
                  <span className="soft">{t('Segments')}</span> <b>{n(program.data?.segments)}</b>
                </span>
                <span>
                  <span className="soft">{t('Journeys')}</span> <b>{n(program.data?.journeys)}</b>
                </span>
              </div>
            )}
          </State>
        </Panel>
      </div>
    </Page>
  );
}
