// Orders and visits: by day and by what they are split by, hours of the week, ways to
// an order, and what was looked at on one device and bought on another.
import { useState } from 'react';
import { useGet, type Schemas } from '../api';
import { back, useAnchor } from '../parts/anchor';
import { Chart, Heat, Plot, Ranks, Table } from '../parts/charts';
import { Empty, Kpi, State } from '../parts/kit';
import { Behind, type Question } from '../parts/who';
import { useWords, type Text } from '../words';

const bys = ['day', 'hour', 'device', 'channel', 'store', 'city', 'segment'] as const;
type By = (typeof bys)[number];
const spans: { text: Text; days: number }[] = [
  { text: '30 days', days: 30 },
  { text: '90 days', days: 90 },
  { text: 'a year', days: 365 },
  { text: 'everything', days: 0 },
];
type KPI = Schemas['KPI'];
const measures: {
  key: 'revenue' | 'orders' | 'customers' | 'visitors' | 'conversion' | 'aov' | 'repeat';
  text: Text;
  of: (k: KPI) => number;
  who: string;
  kind: 'money' | 'n' | 'pct';
}[] = [
  { key: 'revenue', text: 'Revenue', of: (k) => k.revenue_micros / 1e6, who: 'customers', kind: 'money' },
  { key: 'orders', text: 'Orders', of: (k) => k.orders, who: 'customers', kind: 'n' },
  { key: 'customers', text: 'Customers', of: (k) => k.customers, who: 'customers', kind: 'n' },
  { key: 'visitors', text: 'Visitors', of: (k) => k.visitors, who: 'visitors', kind: 'n' },
  { key: 'conversion', text: 'Conversion', of: (k) => k.conversion, who: 'customers', kind: 'pct' },
  { key: 'aov', text: 'Average order', of: (k) => k.aov_micros / 1e6, who: 'customers', kind: 'money' },
  { key: 'repeat', text: 'Come back', of: (k) => k.repeat_rate, who: 'repeating', kind: 'pct' },
];

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function Figures() {
  const { t, n, pct, money, date } = useWords();
  const [by, setBy] = useState<By>('day');
  const [days, setDays] = useState(90);
  const [key, setKey] = useState<(typeof measures)[number]['key']>('revenue');
  const [who, setWho] = useState<Question | null>(null);
  const program = useGet('/api/v1/program');
  const anchor = useAnchor();
  const currency = program.data?.currency;
  const from = anchor && back(anchor, days);
  const query = { ...(from ? { from } : {}), ...(anchor?.to ? { to: anchor.to } : {}), zone };
  const sum = useGet('/api/v1/reports/kpis', { query }, { retry: false, keep: true, enabled: Boolean(anchor) });
  const list = useGet(
    '/api/v1/reports/kpis',
    { query: { ...query, by, limit: 500 } },
    { retry: false, keep: true, enabled: Boolean(anchor) },
  );
  const m = measures.find((x) => x.key === key) ?? measures[0]!;
  const format = (v: number) => (m.kind === 'money' ? money(v, currency) : m.kind === 'pct' ? pct(v) : n(Math.round(v * 100) / 100));
  return (
    <State of={list}>
      {(r) => {
        const all = r.kpis?.rows ?? [];
        const k = sum.data?.kpis;
        const total = k?.rows?.[0];
        const rows = by === 'day' || by === 'hour' ? all : all.toSorted((a, b) => m.of(b) - m.of(a));
        const name = (x: KPI) => x.key || t('not known');
        const ask = (x: KPI) =>
          setWho({ title: `${t(m.text)} · ${name(x)}`, report: 'kpis', query: { ...query, by, who: m.who, key: x.key } });
        return (
          <div className="stack">
            <div className="row filters">
              <div className="seg">
                {spans.map((s) => (
                  <button key={s.days} aria-pressed={days === s.days} onClick={() => setDays(s.days)}>
                    {t(s.text)}
                  </button>
                ))}
              </div>
              <label>
                {t('Show')}{' '}
                <select value={key} onChange={(e) => setKey(e.target.value as typeof key)}>
                  {measures.map((x) => (
                    <option key={x.key} value={x.key}>
                      {t(x.text)}
                    </option>
                  ))}
                </select>
              </label>
              <label>
                {t('By')}{' '}
                <select value={by} onChange={(e) => setBy(e.target.value as By)}>
                  {bys.map((b) => (
                    <option key={b} value={b}>
                      {t(b)}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            {anchor?.last && (
              <p className="soft small">
                {t('The last order was on {date}: times are counted back from then.', { date: date(anchor.last) })}
              </p>
            )}
            <div className="kpis six">
              <Kpi label={t('Revenue')} value={total ? money(total.revenue_micros / 1e6, currency) : '–'} />
              <Kpi label={t('Orders')} value={n(total?.orders)} />
              <Kpi label={t('Conversion')} value={pct(total?.conversion)} />
              <Kpi label={t('Retention')} value={days ? pct(k?.retention) : '–'} />
              <Kpi label={t('Churn')} value={days ? pct(k?.churn) : '–'} />
              <Kpi label={t('Reachable')} value={n(k?.reach)} />
            </div>
            <Chart
              title={`${t(m.text)}: ${t(by)}`}
              name={'kpis-' + by}
              head={[t(by), t('Orders'), t('Customers'), t('Revenue'), t('Average order'), t('Visitors'), t('Conversion'), t('Come back')]}
              rows={rows.map((x) => [
                x.key,
                x.orders,
                x.customers,
                x.revenue_micros / 1e6,
                x.aov_micros / 1e6,
                x.visitors,
                x.conversion,
                x.repeat_rate,
              ])}
              shown={rows.map((x) => [
                name(x),
                <button key="w" className="link" onClick={() => ask(x)}>
                  {n(x.orders)}
                </button>,
                n(x.customers),
                money(x.revenue_micros / 1e6, currency),
                money(x.aov_micros / 1e6, currency),
                n(x.visitors),
                pct(x.conversion),
                pct(x.repeat_rate),
              ])}
            >
              {rows.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : by === 'day' || by === 'hour' ? (
                <Plot
                  kind={by === 'hour' ? 'bars' : rows.length > 120 ? 'area' : 'bars'}
                  labels={rows.map((x) => (by === 'day' ? x.key.slice(5) : x.key))}
                  series={[{ name: t(m.text), values: rows.map(m.of) }]}
                  format={format}
                  label={t(m.text)}
                />
              ) : (
                <Ranks
                  rows={rows.slice(0, 40).map((x) => ({ key: x.key, name: name(x), value: m.of(x), open: () => ask(x) }))}
                  format={format}
                />
              )}
            </Chart>
            {by === 'segment' && <p className="soft small">{t('Somebody may be in several segments, so the rows do not add up.')}</p>}
            <Behind of={who} onClose={() => setWho(null)} />
          </div>
        );
      }}
    </State>
  );
}

const weekdays: Text[] = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

export function Hours() {
  const { t, n, money } = useWords();
  const [what, setWhat] = useState<'orders' | 'visitors' | 'revenue'>('orders');
  const [who, setWho] = useState<Question | null>(null);
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/reports/kpis', { query: { by: 'hour_of_week', zone, limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.kpis?.rows ?? [];
        const at = new Map(rows.map((x) => [x.key, x]));
        const of = (x: KPI | undefined) => (x ? (what === 'revenue' ? x.revenue_micros / 1e6 : x[what]) : 0);
        const most = Math.max(...rows.map(of), 1);
        const best = rows.toSorted((a, b) => of(b) - of(a))[0];
        const name = (key: string) => `${t(weekdays[Number(key[0]) - 1] ?? 'Monday')}, ${key.slice(2)}:00`;
        const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
        return (
          <>
            <Chart
              title={t('When they come: hours of the week')}
              about={best && `${t('Most: {when}', { when: name(best.key) })} · ${t('Clock of {zone}', { zone })}`}
              name="hours-of-the-week"
              head={[t('Hour'), t('Orders'), t('Customers'), t('Visitors'), t('Revenue')]}
              rows={rows.map((x) => [x.key, x.orders, x.customers, x.visitors, x.revenue_micros / 1e6])}
              shown={rows.map((x) => [
                name(x.key),
                n(x.orders),
                n(x.customers),
                n(x.visitors),
                money(x.revenue_micros / 1e6, program.data?.currency),
              ])}
              actions={
                <div className="seg">
                  {(['orders', 'visitors', 'revenue'] as const).map((w) => (
                    <button key={w} aria-pressed={what === w} onClick={() => setWhat(w)}>
                      {t(w === 'orders' ? 'Orders' : w === 'visitors' ? 'Visitors' : 'Revenue')}
                    </button>
                  ))}
                </div>
              }
            >
              {rows.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Heat
                  label={t('When they come: hours of the week')}
                  corner={t('Hour')}
                  head={Array.from({ length: 24 }, (_, h) => String(h))}
                  rows={weekdays.map((day, d) => ({
                    name: t(day),
                    cells: Array.from({ length: 24 }, (_, h) => {
                      const key = `${d + 1}-${String(h).padStart(2, '0')}`;
                      const v = of(at.get(key));
                      return {
                        share: v / most,
                        text: v ? short.format(v) : '',
                        title: `${name(key)}: ${n(Math.round(v))}`,
                        open: v
                          ? () =>
                              setWho({
                                title: name(key),
                                report: 'kpis',
                                query: { by: 'hour_of_week', zone, who: what === 'visitors' ? 'visitors' : 'customers', key },
                              })
                          : undefined,
                      };
                    }),
                  }))}
                />
              )}
            </Chart>
            <Behind of={who} onClose={() => setWho(null)} />
          </>
        );
      }}
    </State>
  );
}

const usual = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed'];

export function Funnel() {
  const { t, n, pct } = useWords();
  const [chosen, setSteps] = useState<string[] | null>(null);
  const [within, setWithin] = useState('7d');
  const [who, setWho] = useState<Question | null>(null);
  const names = useGet('/api/v1/reports/paths', { query: { top: 200, limit: 100 } }, { retry: false });
  const known = [
    ...new Set([
      ...usual,
      'Order Refunded',
      'Page Viewed',
      'Product List Viewed',
      'Message Clicked',
      ...(names.data?.paths?.rows ?? []).flatMap((p) => p.names ?? []),
    ]),
  ].toSorted();
  // Who has no events of a page yet begins with what there is.
  const heard = new Set((names.data?.paths?.rows ?? []).flatMap((p) => p.names ?? []));
  const steps = chosen ?? (heard.size === 0 || heard.has('Product Viewed') ? usual : ['Order Completed', 'Order Completed']);
  const asked = steps.map((s) => s.trim()).filter(Boolean);
  const ready = asked.length >= 2;
  const q = useGet(
    '/api/v1/reports/funnel',
    { query: { steps: asked.join(',') as never, within, limit: 100 } },
    { retry: false, keep: true, enabled: ready },
  );
  const set = (i: number, v: string) => setSteps(steps.map((s, k) => (k === i ? v : s)));
  const rows = ready ? (q.data?.funnel?.steps ?? []) : [];
  const first = rows[0]?.people ?? 0;
  const ask = (i: number, what: 'people' | 'lost', title: string) =>
    setWho({ title, report: 'funnel', query: { steps: asked.join(','), within, who: what, key: String(i + 1) } });
  return (
    <div className="stack">
      <Chart
        title={t('How far they come')}
        about={t('Who did these things in this order within the time, each counted once.')}
        name="funnel"
        head={[t('Step'), t('People'), t('Of the first'), t('Of the step before')]}
        rows={rows.map((s, i) => [
          s.name,
          s.people,
          first ? s.people / first : 0,
          i && rows[i - 1]?.people ? s.people / (rows[i - 1]?.people ?? 1) : 1,
        ])}
        shown={rows.map((s, i) => [
          s.name,
          n(s.people),
          pct(first ? s.people / first : 0),
          i ? pct(s.people / (rows[i - 1]?.people || 1)) : '–',
        ])}
        actions={
          <select aria-label={t('Within')} value={within} onChange={(e) => setWithin(e.target.value)}>
            {(
              [
                ['1h', 'one hour'],
                ['24h', 'one day'],
                ['7d', 'seven days'],
                ['30d', '30 days'],
                ['365d', 'a year'],
              ] as [string, Text][]
            ).map(([v, text]) => (
              <option key={v} value={v}>
                {t(text)}
              </option>
            ))}
          </select>
        }
      >
        <ol className="plain falls">
          {steps.map((s, i) => {
            const row = s.trim() ? rows[steps.slice(0, i).filter((x) => x.trim()).length] : undefined;
            const before = rows[i - 1]?.people;
            return (
              <li key={i}>
                <div className="row">
                  <span className="soft">{i + 1}</span>
                  <input
                    aria-label={t('Step {n}', { n: i + 1 })}
                    list="events"
                    value={s}
                    onChange={(e) => set(i, e.target.value)}
                    maxLength={200}
                  />
                  <button
                    aria-label={t('Up')}
                    disabled={i === 0}
                    onClick={() => setSteps(steps.with(i, steps[i - 1] ?? '').with(i - 1, s))}
                  >
                    ↑
                  </button>
                  <button aria-label={t('Take out')} disabled={steps.length <= 2} onClick={() => setSteps(steps.filter((_, k) => k !== i))}>
                    ✕
                  </button>
                </div>
                {row && (
                  <div className="fall">
                    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                      <rect width={100} height={10} className="ground" />
                      <rect width={first ? (row.people / first) * 100 : 0} height={10} className="tone-accent" />
                    </svg>
                    <button className="link" onClick={() => ask(i, 'people', `${s}: ${n(row.people)}`)}>
                      <b>{n(row.people)}</b>
                    </button>
                    <span className="soft">{pct(first ? row.people / first : 0)}</span>
                    {before !== undefined && before > row.people && (
                      <button className="link small" onClick={() => ask(i, 'lost', t('Not: {name}', { name: s }))}>
                        {t('{n} did not', { n: n(before - row.people) })}
                      </button>
                    )}
                  </div>
                )}
              </li>
            );
          })}
        </ol>
        <div className="row">
          <button disabled={steps.length >= 12} onClick={() => setSteps([...steps, ''])}>
            {t('Add a step')}
          </button>
          {q.isFetching && <span className="soft small">{t('One moment…')}</span>}
          {q.error && <span className="bad-text">{q.error.message}</span>}
        </div>
        <datalist id="events">
          {known.map((e) => (
            <option key={e} value={e} />
          ))}
        </datalist>
      </Chart>
      {(names.data?.paths?.rows ?? []).length > 0 && (
        <Chart
          title={t('The ways that visits take')}
          name="paths"
          head={[t('Way'), t('Visits'), t('Share')]}
          rows={(names.data?.paths?.rows ?? []).map((p) => [
            (p.names ?? []).join(' → '),
            p.visits,
            (names.data?.paths?.visits ?? 0) ? p.visits / (names.data?.paths?.visits ?? 1) : 0,
          ])}
        >
          <Table
            label={t('The ways that visits take')}
            head={[t('Way'), t('Visits'), t('Share')]}
            nums={[false, true, true]}
            rows={(names.data?.paths?.rows ?? []).slice(0, 20).map((p) => [
              <span key="w" className="way">
                {(p.names ?? []).map((x, i) => (
                  <span key={i}>{x}</span>
                ))}
              </span>,
              n(p.visits),
              pct(p.visits / (names.data?.paths?.visits || 1)),
            ])}
          />
        </Chart>
      )}
      <Behind of={who} onClose={() => setWho(null)} />
    </div>
  );
}

export function Devices() {
  const { t, n, pct } = useWords();
  const [who, setWho] = useState<Question | null>(null);
  const q = useGet('/api/v1/reports/handovers', { query: { limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.handovers?.rows ?? [];
        const orders = r.handovers?.orders ?? 0;
        return (
          <>
            <Chart
              title={t('Looked at on one device, bought on another')}
              about={t('Of {n} orders. Each counts once.', { n: n(orders) })}
              name="handovers"
              head={[t('Looked at'), t('Bought'), t('Orders'), t('People'), t('Share')]}
              rows={rows.map((x) => [x.from, x.to, x.orders, x.people, x.share])}
              shown={rows.map((x) => [x.from, x.to, n(x.orders), n(x.people), pct(x.share)])}
            >
              {rows.length === 0 ? (
                <Empty>{t('Nothing was looked at on one device and bought on another, or devices are not told.')}</Empty>
              ) : (
                <Ranks
                  rows={rows.map((x) => ({
                    key: x.from + x.to,
                    name: `${x.from} → ${x.to}`,
                    value: x.orders,
                    note: pct(x.share),
                    open: () =>
                      setWho({ title: `${x.from} → ${x.to}`, report: 'handovers', query: { who: 'people', key: `${x.from}/${x.to}` } }),
                  }))}
                  format={n}
                />
              )}
            </Chart>
            <Behind of={who} onClose={() => setWho(null)} />
          </>
        );
      }}
    </State>
  );
}
