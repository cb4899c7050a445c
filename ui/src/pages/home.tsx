// The first page: what is left to do, how it goes, and what needs somebody.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState, type ReactNode } from 'react';
import { api, must, useGet } from '../api';
import { back, useAnchor } from '../parts/anchor';
import { Empty, Kpi, Page, Panel, Tag } from '../parts/kit';
import { useStream } from '../parts/stream';
import { useMay } from '../session';
import { silence, useWords } from '../words';

interface Step {
  done: boolean | undefined; // undefined: it is not known yet
  title: string;
  about: string;
  to: string;
}

const weeks = 8;

export function Home() {
  const { t, n, money, pct, when, date } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const often = { refetchInterval: 10_000 };
  const program = useGet('/api/v1/program', undefined, often);
  const stats = useGet('/api/v1/stats', undefined, { refetchInterval: 5_000 });
  const domains = useGet('/api/v1/domains', undefined, { ...often, enabled: may('get_domains') });
  const imports = useGet('/api/v1/imports', undefined, often);
  const scheduled = useGet('/api/v1/scheduled-reports', undefined, often);
  const templates = useGet('/api/v1/templates', undefined, often);
  const campaigns = useGet('/api/v1/campaigns', undefined, often);
  const journeys = useGet('/api/v1/journeys', { query: { limit: 500 } }, often);
  const aside = useGet('/api/v1/quarantine/reasons', undefined, often);
  const approvals = useGet('/api/v1/approvals', undefined, { ...often, enabled: may('get_approvals') });
  const delivered = useGet('/api/v1/deliveries', { query: { state: 'accepted', limit: 1 } }, { retry: false, ...often });
  const anchor = useAnchor();
  const asks = { retry: false, enabled: Boolean(anchor) };
  const from = anchor && back(anchor, weeks * 7);
  const until = anchor?.to ? { to: anchor.to } : {};
  const days = useGet('/api/v1/reports/kpis', { query: { by: 'day', from, ...until, limit: 500 } }, asks);
  const sum = useGet('/api/v1/reports/kpis', { query: { from, ...until } }, asks);
  const before = useGet('/api/v1/reports/kpis', { query: { from: anchor && back(anchor, 2 * weeks * 7), to: from } }, asks);
  const late = useQuery({
    queryKey: ['warehouse-lag'],
    enabled: may('post_sql'),
    retry: false,
    queryFn: () => must(api.POST('/api/v1/sql', { body: { sql: 'SELECT max(ts) AS last, count(*) AS n FROM events', rows: 1 } })),
  });

  // What arrives while somebody looks moves the page at once.
  const [last, setLast] = useState<{ name: string; who?: string; at: string } | null>(null);
  const [seen, setSeen] = useState(0);
  const asked = useRef(0);
  useStream('?outcome=accepted', (list, lost) => {
    const l = list[list.length - 1];
    if (!l) return;
    setLast({ name: l.name, who: l.who, at: l.at });
    setSeen((x) => x + list.length + lost);
    if (Date.now() - asked.current > 2_000) {
      asked.current = Date.now();
      void cache.invalidateQueries({ queryKey: ['/api/v1/stats'] });
    }
  });

  const rows = stats.data?.rows ?? {};
  const customers = rows['profiles'];
  const runs = (campaigns.data?.campaigns ?? []).flatMap((c) => c.runs ?? []);
  const list = <T,>(q: { data?: { data?: T[] | null } }) => (q.data ? (q.data.data ?? []) : undefined);
  const designed = list(templates);
  const steps: Step[] = [
    {
      done: customers === undefined ? undefined : customers > 0,
      title: t('Connect your data'),
      about: last
        ? t('Just now: {name}', { name: last.name + (last.who ? ' · ' + last.who : '') })
        : t('The first event arrives, and a customer is known.'),
      to: '/app/data/connect',
    },
    {
      done: list(imports)?.some((i) => i.state === 'done'),
      title: t('Import what you have'),
      about: t('Customers, orders and consents of your old tool.'),
      to: '/app/data/imports',
    },
    {
      done: list(domains)?.some((d) => d.verified),
      title: t('Verify a sending domain'),
      about: t('DNS shows our keys, so that mail arrives.'),
      to: '/app/settings',
    },
    {
      done: designed && designed.length > 0,
      title: t('Design a message'),
      about: t('A template of blocks, in your colours.'),
      to: '/app/templates',
    },
    {
      done: designed && designed.length > 0 && (customers ?? 0) > 0,
      title: t('See it as a customer does'),
      about: t('What is missing for somebody is marked before it is sent.'),
      to: designed?.[0] ? '/app/templates/' + designed[0].name : '/app/templates',
    },
    {
      done: delivered.data ? (delivered.data.data ?? []).length > 0 : undefined,
      title: t('Send a first message'),
      about: t('To yourself, or by a journey: it is accepted by the mail server.'),
      to: '/app/templates',
    },
    {
      done: campaigns.data ? runs.length > 0 : undefined,
      title: t('Send a campaign'),
      about: t('See first whom it reaches, and why not the others.'),
      to: '/app/campaigns',
    },
  ];
  const left = steps.filter((s) => s.done === false).length;
  const k = sum.data?.kpis;
  const total = k?.rows?.[0];
  const earlier = before.data?.kpis?.rows?.[0];
  const series = days.data?.kpis?.rows ?? [];
  const currency = program.data?.currency;
  const versus = (now: number | undefined, then: number | undefined) =>
    now !== undefined && then ? (
      <span className={'versus ' + (now >= then ? 'up' : 'down')}>
        {now >= then ? '↑' : '↓'} {pct(Math.abs(now - then) / then)}
      </span>
    ) : null;

  const needs: { tone: 'warn' | 'bad'; text: ReactNode; to: string }[] = [];
  if (stats.data?.silent) needs.push({ tone: 'bad', text: t(silence), to: '/app/campaigns' });
  for (const d of list(domains) ?? []) {
    if (d.paused)
      needs.push({ tone: 'bad', text: t('{name} sends no marketing: {why}', { name: d.name, why: d.why ?? '' }), to: '/app/settings' });
    else if (!d.verified)
      needs.push({ tone: 'warn', text: t('{name} is not verified: its mail may not arrive', { name: d.name }), to: '/app/settings' });
  }
  if (domains.data && (list(domains) ?? []).length === 0 && (customers ?? 0) > 0)
    needs.push({ tone: 'warn', text: t('No domain is set up to send from'), to: '/app/settings' });
  if ((aside.data?.total ?? 0) > 0)
    needs.push({ tone: 'warn', text: t('{n} events were put aside', { n: n(aside.data?.total) }), to: '/app/data/aside' });
  for (const i of list(imports) ?? [])
    if (i.resumable)
      needs.push({
        tone: 'warn',
        text: t('The import of {name} was cut short', { name: i.file || i.source }),
        to: '/app/data/imports/' + i.id,
      });
  for (const a of list(approvals) ?? [])
    if (!a.approved_by)
      needs.push({ tone: 'warn', text: t('{name} waits for an approval', { name: a.campaign }), to: '/app/campaigns/' + a.campaign });
  for (const c of campaigns.data?.campaigns ?? [])
    for (const r of c.runs ?? [])
      if (r.state === 'paused')
        needs.push({ tone: 'warn', text: t('{name} is paused', { name: c.title }), to: '/app/campaigns/' + c.name });
  if ((stats.data?.lag ?? 0) > 1000)
    needs.push({ tone: 'warn', text: t('{n} records are not applied yet', { n: n(stats.data?.lag) }), to: '/app/data/live' });
  if (k && k.profiles > 100 && k.opt_in < 0.1)
    needs.push({ tone: 'warn', text: t('Only {share} of the customers agreed to e-mail', { share: pct(k.opt_in) }), to: '/app/reports' });
  if ((sum.error as { status?: number } | null)?.status === 503)
    needs.push({ tone: 'warn', text: t('The tables for reports cannot be asked now'), to: '/app/reports' });
  for (const r of list(scheduled) ?? [])
    if (r.late_since)
      needs.push({
        tone: 'warn',
        text: t('The report {name} is late since {date}: {why}', {
          name: r.title,
          date: when(r.late_since),
          why: r.trouble ?? t('it is being made'),
        }),
        to: '/app/reports',
      });
    else if (r.trouble)
      needs.push({ tone: 'warn', text: t('The report {name}: {why}', { name: r.title, why: r.trouble }), to: '/app/reports' });
  const newest = late.data?.rows?.[0]?.[0];
  const heard = stats.data?.now;
  if (typeof newest === 'string' && heard && (stats.data?.lag ?? 0) === 0 && seen > 50 && Date.parse(heard) - Date.parse(newest) > 600_000)
    needs.push({ tone: 'warn', text: t('Reports are behind: they end at {date}', { date: when(newest) }), to: '/app/reports' });

  return (
    <Page title={program.data ? program.data.name : t('Home')} about={t('How the shop and its customers are getting on.')}>
      <div className="stack">
        {anchor?.last && (
          <p className="soft small">{t('The last order was on {date}: times are counted back from then.', { date: date(anchor.last) })}</p>
        )}
        <div className="kpis six">
          <Kpi label={t('Customers')} value={n(k?.profiles)} />
          <Kpi
            label={t('Orders, {n} weeks', { n: weeks })}
            value={
              <>
                {n(total?.orders)} {versus(total?.orders, earlier?.orders)}
              </>
            }
            series={series.map((r) => r.orders)}
          />
          <Kpi
            label={t('Revenue, {n} weeks', { n: weeks })}
            value={
              <>
                {total ? money(total.revenue_micros / 1e6, currency) : '–'} {versus(total?.revenue_micros, earlier?.revenue_micros)}
              </>
            }
            series={series.map((r) => r.revenue_micros / 1e6)}
          />
          <Kpi
            label={t('Average order')}
            value={total ? money(total.aov_micros / 1e6, currency) : '–'}
            series={series.map((r) => r.aov_micros / 1e6)}
          />
          <Kpi label={t('Came back')} value={pct(total?.repeat_rate)} series={series.map((r) => r.repeating)} />
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
                <li key={s.title} className={'check' + (s.done ? ' done' : '')}>
                  <span className="dot" aria-hidden="true">
                    {s.done ? '✓' : ''}
                  </span>
                  <div>
                    <b>{s.title}</b>
                    <span className="hidden">{s.done ? t('done') : t('to do')}</span>
                    <div className="soft small wrap-any">{s.about}</div>
                  </div>
                  <Link to={s.to} aria-label={`${s.done ? t('Look') : t('Go')}: ${s.title}`}>
                    {s.done ? t('Look') : t('Go')}
                  </Link>
                </li>
              ))}
            </ul>
          </Panel>
          <div className="stack">
            <Panel title={t('Needs attention')} aside={needs.length > 0 ? <Tag tone="warn">{needs.length}</Tag> : undefined} flush>
              {needs.length === 0 ? (
                <Empty>{t('Nothing needs you now.')}</Empty>
              ) : (
                <ul className="plain lines">
                  {needs.slice(0, 12).map((x, i) => (
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
            <Panel title={t('Right now')} aside={<Link to="/app/data/live">{t('Watch')}</Link>}>
              <div className={'beacon ' + (last ? 'on' : '')}>
                <i aria-hidden="true" />
                <div>
                  <b>{last ? last.name : t('It is quiet')}</b>
                  <div className="soft small wrap-any">
                    {last
                      ? [last.who, t('{n} since this page is open', { n: n(seen) })].filter(Boolean).join(' · ')
                      : t('What comes in stands here.')}
                  </div>
                </div>
              </div>
              <dl className="figures">
                <div>
                  <dt>{t('Events since it started')}</dt>
                  <dd>{n(stats.data?.events)}</dd>
                </div>
                <div>
                  <dt>{t('Waiting to be applied')}</dt>
                  <dd>{n(stats.data?.lag)}</dd>
                </div>
                <div>
                  <dt>{t('Segments')}</dt>
                  <dd>{n(program.data?.segments)}</dd>
                </div>
                <div>
                  <dt>{t('Journeys')}</dt>
                  <dd>{n(list(journeys)?.length)}</dd>
                </div>
              </dl>
            </Panel>
          </div>
        </div>
      </div>
    </Page>
  );
}
