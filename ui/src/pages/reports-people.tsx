// Customers over time: cohorts, RFM and how it moved, stages of life, expected value.
import { useState } from 'react';
import { useGet, type Schemas } from '../api';
import { back, useAnchor } from '../parts/anchor';
import { Calibration, Chart, Heat, Plot, Ranks } from '../parts/charts';
import { Empty, Kpi, State } from '../parts/kit';
import { stageWord } from '../parts/stages';
import { Behind, type Question } from '../parts/who';
import { useWords, type Text } from '../words';

export function Cohorts() {
  const { t, n, pct } = useWords();
  const [shares, setShares] = useState(true);
  const [kinds, setKinds] = useState<'completed' | 'all'>('completed');
  const [who, setWho] = useState<Question | null>(null);
  const q = useGet('/api/v1/reports/cohorts', { query: { kinds, limit: 500 } }, { retry: false, keep: true });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.cohorts?.rows ?? [];
        const long = Math.max(...rows.map((x) => (x.people ?? []).length), 0);
        const most = Math.max(...rows.flatMap((x) => (x.people ?? []).slice(1).map((p) => p / (x.people?.[0] || 1))), 0.01);
        return (
          <>
            <Chart
              title={t('Customers by the month of their first order, and how many came back')}
              about={t('Across: months since the first order. A cell opens its people.')}
              name="cohorts"
              head={[t('Month'), ...Array.from({ length: long }, (_, i) => String(i))]}
              rows={rows.map((x) => [x.month, ...(x.people ?? [])])}
              actions={
                <>
                  <select aria-label={t('Orders')} value={kinds} onChange={(e) => setKinds(e.target.value as 'all')}>
                    <option value="completed">{t('Orders')}</option>
                    <option value="all">{t('Orders and returns')}</option>
                  </select>
                  <div className="seg">
                    <button aria-pressed={shares} onClick={() => setShares(true)}>
                      %
                    </button>
                    <button aria-pressed={!shares} onClick={() => setShares(false)}>
                      {t('People')}
                    </button>
                  </div>
                </>
              }
            >
              {rows.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Heat
                  label={t('Cohorts')}
                  corner={t('Month')}
                  head={Array.from({ length: long }, (_, i) => String(i))}
                  rows={rows.map((x) => {
                    const first = x.people?.[0] ?? 0;
                    return {
                      name: x.month,
                      cells: (x.people ?? []).map((p, i) => ({
                        share: i === 0 ? 0.15 : first ? p / first / most : 0,
                        text: i === 0 || !shares ? n(p) : pct(first ? p / first : 0),
                        title: `${x.month} + ${i}: ${n(p)}`,
                        open: p
                          ? () =>
                              setWho({
                                title: `${x.month} + ${i}`,
                                report: 'cohorts',
                                query: { kinds, who: 'people', key: `${x.month}/${i}` },
                              })
                          : undefined,
                      })),
                    };
                  })}
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

type Grid = Record<string, { n: number; m: number; cells: string[] }>;

function gridOf(cells: Schemas['RFMCell'][]): Grid {
  const grid: Grid = {};
  for (const c of cells) {
    const g = (grid[c.scores.slice(0, 2)] ??= { n: 0, m: 0, cells: [] });
    g.n += c.customers;
    g.m += c.monetary_micros / 1e6;
    g.cells.push(c.scores);
  }
  return grid;
}

export function RFM() {
  const { t, n, money, date } = useWords();
  const [who, setWho] = useState<Question | null>(null);
  const [ago, setAgo] = useState(90);
  const program = useGet('/api/v1/program');
  const anchor = useAnchor();
  const then = anchor && back(anchor, ago);
  const to = anchor?.to ? { to: anchor.to } : {};
  const q = useGet(
    '/api/v1/reports/rfm',
    { query: { limit: 500, ...to, ...(then ? { before: then } : {}) } },
    { retry: false, enabled: Boolean(anchor) },
  );
  const was = useGet(
    '/api/v1/reports/rfm',
    { query: { limit: 500, ...(then ? { to: then } : {}) } },
    { retry: false, enabled: Boolean(then) },
  );
  return (
    <State of={q}>
      {(r) => {
        const cells = r.rfm?.cells ?? [];
        const grid = gridOf(cells);
        const old = was.data ? gridOf(was.data.rfm?.cells ?? []) : undefined;
        const most = Math.max(...Object.values(grid).map((g) => g.n), 1);
        return (
          <div className="stack">
            {anchor?.last && (
              <p className="soft small">
                {t('The last order was on {date}: times are counted back from then.', { date: date(anchor.last) })}
              </p>
            )}
            <div className="kpis">
              <Kpi label={t('Customers who bought')} value={n(r.rfm?.customers)} />
              <Kpi label={t('Bought once')} value={n(r.rfm?.customers_with_one_order)} />
              <Kpi label={t('Days since the last order, middle')} value={n(Math.round(r.rfm?.recency_days?.q50 ?? 0))} />
              <Kpi label={t('Orders, middle')} value={n(r.rfm?.frequency?.q50)} />
              <Kpi label={t('Spent, middle')} value={money(r.rfm?.monetary?.q50 ?? 0, r.rfm?.currency)} />
            </div>
            <Chart
              title={t('How recently across, how often down')}
              about={
                then &&
                t('Each fifth of the customers has a number, 5 the best. Small: how many more or fewer than on {date}.', {
                  date: date(then),
                })
              }
              name="rfm"
              head={['RFM', t('Customers'), t('Revenue')]}
              rows={cells.map((c) => [c.scores, c.customers, c.monetary_micros / 1e6])}
              shown={cells.map((c) => [
                c.scores,
                <button
                  key="w"
                  className="link"
                  onClick={() => setWho({ title: c.scores, report: 'rfm', query: { ...to, who: 'customers', key: c.scores } })}
                >
                  {n(c.customers)}
                </button>,
                money(c.monetary_micros / 1e6, program.data?.currency),
              ])}
              actions={
                <select aria-label={t('Compared with')} value={ago} onChange={(e) => setAgo(Number(e.target.value))}>
                  <option value={30}>{t('30 days ago')}</option>
                  <option value={90}>{t('90 days ago')}</option>
                  <option value={180}>{t('180 days ago')}</option>
                </select>
              }
            >
              {cells.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Heat
                  label="RFM"
                  corner={t('Often \\ recently')}
                  head={['1', '2', '3', '4', '5']}
                  rows={[5, 4, 3, 2, 1].map((f) => ({
                    name: String(f),
                    cells: [1, 2, 3, 4, 5].map((x) => {
                      const g = grid[`${x}${f}`];
                      const d = old ? (g?.n ?? 0) - (old[`${x}${f}`]?.n ?? 0) : 0;
                      return {
                        share: (g?.n ?? 0) / most,
                        text: (
                          <>
                            <b>{n(g?.n ?? 0)}</b>
                            {old && d !== 0 && (
                              <span className={'moved ' + (d > 0 ? 'up' : 'down')}>{(d > 0 ? '+' : '−') + n(Math.abs(d))}</span>
                            )}
                            <div className="small">{g ? money(g.m, program.data?.currency) : ''}</div>
                          </>
                        ),
                        open: g
                          ? () => setWho({ title: `R ${x} · F ${f}`, report: 'rfm', query: { ...to, who: 'customers', key: `${x}${f}` } })
                          : undefined,
                      };
                    }),
                  }))}
                />
              )}
            </Chart>
            {r.rfm?.movement_refused && <p className="soft small">{r.rfm.movement_refused}</p>}
            {then && (r.rfm?.movement ?? []).length > 0 && (
              <Movement
                of={r.rfm?.movement ?? []}
                then={then}
                onWho={(title, key) => setWho({ title, report: 'rfm', query: { ...to, before: then, who: 'movement', key } })}
              />
            )}
            <Behind of={who} onClose={() => setWho(null)} />
          </div>
        );
      }}
    </State>
  );
}

// The personas, the best first, as the models name them.
const personas: [string, Text][] = [
  ['champion', 'champion'],
  ['loyal', 'loyal'],
  ['promising', 'promising'],
  ['newcomer', 'newcomer'],
  ['slipping', 'slipping away'],
  ['inactive', 'inactive'],
];

function Movement({ of, then, onWho }: { of: Schemas['RFMMove'][]; then: string; onWho: (title: string, key: string) => void }) {
  const { t, n, date } = useWords();
  const rows: [string, Text][] = [...personas, ['none', 'had not bought']];
  const count = (from: string, to: string) => of.find((m) => m.from === from && m.to === to)?.customers ?? 0;
  return (
    <Chart
      title={t('Who moved from which kind to which')}
      about={t('Down: what customers were on {date}. Across: what they are now. A cell opens its people.', { date: date(then) })}
      name="rfm-movement"
      head={[t('From'), t('To'), t('Customers')]}
      rows={of.map((m) => [m.from, m.to, m.customers])}
    >
      <Heat
        label={t('Who moved from which kind to which')}
        corner={t('Was \\ is')}
        head={personas.map(([, word]) => t(word))}
        rows={rows.map(([from, word]) => {
          const all = personas.reduce((sum, [to]) => sum + count(from, to), 0);
          return {
            name: t(word),
            cells: personas.map(([to, now]) => ({
              share: all ? count(from, to) / all : 0,
              text: n(count(from, to)),
              open: count(from, to) ? () => onWho(`${t(word)} → ${t(now)}`, `${from}/${to}`) : undefined,
            })),
          };
        })}
      />
    </Chart>
  );
}

const tonesOf = ['accent', 'good', 'warn', 'bad', 'soft'] as const;

export function Stages() {
  const { t, n, pct } = useWords();
  const [who, setWho] = useState<Question | null>(null);
  const anchor = useAnchor();
  const span = { from: anchor && back(anchor, 365), ...(anchor?.to ? { to: anchor.to } : {}) };
  const q = useGet('/api/v1/reports/lifecycle', { query: { limit: 500, ...span } }, { retry: false, enabled: Boolean(anchor) });
  return (
    <State of={q}>
      {(r) => {
        const days = r.lifecycle?.days ?? [];
        const moves = (r.lifecycle?.moves ?? []).toSorted((a, b) => b.moves - a.moves);
        const names = [...new Set(days.flatMap((d) => Object.keys(d.stages)))];
        const shown = days.length > 180 ? days.filter((_, i) => i % Math.ceil(days.length / 180) === 0 || i === days.length - 1) : days;
        return (
          <div className="stack">
            <Chart
              title={t('How many customers are in which stage')}
              about={t('In the last year. Refunds move back.')}
              name="stages"
              head={[t('day'), ...names.map((s) => stageWord(s, t))]}
              rows={days.map((d) => [d.day, ...names.map((s) => d.stages[s] ?? 0)])}
            >
              {days.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Plot
                  kind="lines"
                  labels={shown.map((d) => d.day)}
                  series={names.map((s, i) => ({
                    name: stageWord(s, t),
                    values: shown.map((d) => d.stages[s] ?? 0),
                    tone: tonesOf[i % tonesOf.length],
                    dashed: i >= tonesOf.length,
                  }))}
                  format={n}
                  label={t('How many customers are in which stage')}
                />
              )}
            </Chart>
            <Chart
              title={t('From which stage to which')}
              about={t('The share of stays in a stage that ended in the other, with the bounds between which it lies with 95 %.')}
              name="moves"
              head={[t('From'), t('To'), t('Moves'), t('Share'), t('At least'), t('At most')]}
              rows={moves.map((m) => [m.from, m.to, m.moves, m.rate, m.low, m.high])}
              shown={moves.map((m) => [m.from, m.to, n(m.moves), pct(m.rate), pct(m.low), pct(m.high)])}
            >
              {moves.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Ranks
                  rows={moves.map((m) => ({
                    key: m.from + m.to,
                    name: `${stageWord(m.from, t)} → ${stageWord(m.to, t)}`,
                    value: m.rate,
                    note: `${n(m.moves)} · ${pct(m.low)}–${pct(m.high)}`,
                    open: () =>
                      setWho({
                        title: `${m.from} → ${m.to}`,
                        report: 'lifecycle',
                        query: { ...span, who: 'moves', key: `${m.from}/${m.to}` },
                      }),
                  }))}
                  format={pct}
                />
              )}
            </Chart>
            <Behind of={who} onClose={() => setWho(null)} />
          </div>
        );
      }}
    </State>
  );
}

export function Value() {
  const { t, n, money } = useWords();
  const [who, setWho] = useState<Question | null>(null);
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/reports/clv', { query: { limit: 500 } }, { retry: false });
  const models = useGet('/api/v1/predictions', undefined, { retry: false });
  const currency = program.data?.currency;
  const model = (models.data?.data ?? []).find((m) => /clv|value/i.test(m.name + m.title) && (m.calibration ?? []).length > 0);
  const bins = model?.calibration ?? [];
  return (
    <State of={q}>
      {(r) => {
        const v = r.clv;
        const deciles = v?.decile_means ?? [];
        return (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Customers with an expected value')} value={n(v?.customers)} />
              <Kpi label={t('Mean')} value={v?.customers ? money(v.spread.mean, currency) : '–'} />
              <Kpi label={t('Middle')} value={v?.customers ? money(v.spread.q50, currency) : '–'} />
              <Kpi label={t('Best tenth, mean')} value={deciles.length ? money(deciles[0] ?? 0, currency) : '–'} />
            </div>
            <Chart
              title={t('What the models expect of customers, by tenths')}
              about={t('The best tenth first: how much depends on few.')}
              name="clv"
              head={[t('Tenth'), t('Mean')]}
              rows={deciles.map((d, i) => [i + 1, d])}
              shown={deciles.map((d, i) => [
                <button
                  key="w"
                  className="link"
                  onClick={() =>
                    setWho({ title: `${t('Tenth')} ${i + 1}`, report: 'clv', query: { who: 'customers', key: String(i + 1) } })
                  }
                >
                  {i + 1}
                </button>,
                money(d, currency),
              ])}
            >
              {deciles.length === 0 || !v?.customers ? (
                <Empty>{t('No model says anything of value yet: it needs customers who bought more than once.')}</Empty>
              ) : (
                <Plot
                  kind="bars"
                  labels={deciles.map((_, i) => String(i + 1))}
                  series={[{ name: t('Mean'), values: deciles }]}
                  format={(x) => money(x, currency)}
                  label={t('What the models expect of customers, by tenths')}
                />
              )}
            </Chart>
            {bins.length > 0 && (
              <Calibration
                title={t('Predicted beside what came')}
                about={[model?.title, model?.checked].filter(Boolean).join(' · ')}
                name="calibration"
                bins={bins}
              />
            )}
            <Behind of={who} onClose={() => setWho(null)} />
          </div>
        );
      }}
    </State>
  );
}
