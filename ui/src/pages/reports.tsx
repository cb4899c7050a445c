// Reports: figures, cohorts, RFM and messages. Each is a table, too, and a CSV.
import { useState } from 'react';
import { useGet } from '../api';
import { csv, save } from '../parts/csv';
import { Empty, Kpi, Page, Panel, State, Tag } from '../parts/kit';
import { useWords } from '../words';

const tabs = ['Figures', 'Cohorts', 'RFM', 'Messages', 'Models'] as const;
const bys = ['day', 'hour', 'device', 'channel', 'store', 'city', 'segment'] as const;

function Download({ name, rows }: { name: string; rows: (string | number)[][] }) {
  return <button onClick={() => save(name + '.csv', csv(rows))}>CSV</button>;
}

export function Reports() {
  const { t } = useWords();
  const [tab, setTab] = useState<(typeof tabs)[number]>('Figures');
  return (
    <Page title={t('Reports')} about={t('Added up from everything that was heard.')}>
      <div className="tabs" role="tablist">
        {tabs.map((x) => (
          <button key={x} role="tab" aria-selected={tab === x} onClick={() => setTab(x)}>
            {t(x)}
          </button>
        ))}
      </div>
      {tab === 'Figures' && <Figures />}
      {tab === 'Cohorts' && <Cohorts />}
      {tab === 'RFM' && <RFM />}
      {tab === 'Messages' && <Messages />}
      {tab === 'Models' && <Models />}
    </Page>
  );
}

function Figures() {
  const { t, n, pct, money } = useWords();
  const [by, setBy] = useState<(typeof bys)[number]>('day');
  const program = useGet('/api/v1/program');
  const currency = program.data?.currency;
  const sum = useGet('/api/v1/reports/kpis', undefined, { retry: false });
  const list = useGet('/api/v1/reports/kpis', { query: { by, limit: 500 } }, { retry: false, keep: true });
  return (
    <State of={list}>
      {(r) => {
        const rows = r.kpis?.rows ?? [];
        const k = sum.data?.kpis;
        const most = Math.max(...rows.map((x) => x.revenue_micros), 1);
        const shown = by === 'day' ? rows.slice(-90) : rows;
        return (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Retention')} value={pct(k?.retention)} />
              <Kpi label={t('Churn')} value={pct(k?.churn)} />
              <Kpi label={t('Conversion')} value={pct(k?.rows?.[0]?.conversion)} />
              <Kpi label={t('Reachable')} value={n(k?.reach)} />
            </div>
            <Panel
              title={t('Revenue')}
              aside={
                <div className="row">
                  <select aria-label={t('By')} value={by} onChange={(e) => setBy(e.target.value as 'day')}>
                    {bys.map((b) => (
                      <option key={b} value={b}>
                        {t(b)}
                      </option>
                    ))}
                  </select>
                  <Download
                    name={'kpis-' + by}
                    rows={[
                      [by, 'orders', 'customers', 'revenue', 'aov'],
                      ...rows.map((x) => [x.key, x.orders, x.customers, x.revenue_micros / 1e6, x.aov_micros / 1e6]),
                    ]}
                  />
                </div>
              }
            >
              {rows.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <svg
                  viewBox={`0 0 ${shown.length * 10} 140`}
                  preserveAspectRatio="none"
                  role="img"
                  aria-label={t('Revenue')}
                  style={{ width: '100%', height: 180 }}
                >
                  {shown.map((x, i) => (
                    <rect
                      key={x.key}
                      x={i * 10 + 1}
                      width={8}
                      rx={1}
                      y={140 - (x.revenue_micros / most) * 132}
                      height={(x.revenue_micros / most) * 132}
                      fill="var(--accent)"
                    >
                      <title>{`${x.key}: ${money(x.revenue_micros / 1e6, currency)}`}</title>
                    </rect>
                  ))}
                </svg>
              )}
            </Panel>
            <div className="panel scroll" style={{ maxHeight: 420 }} tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th>{t(by)}</th>
                    <th className="num">{t('Orders')}</th>
                    <th className="num">{t('Customers')}</th>
                    <th className="num">{t('Revenue')}</th>
                    <th className="num">{t('Average order')}</th>
                    <th className="num">{t('Come back')}</th>
                  </tr>
                </thead>
                <tbody>
                  {[...rows].reverse().map((x) => (
                    <tr key={x.key}>
                      <td>{x.key || '–'}</td>
                      <td className="num">{n(x.orders)}</td>
                      <td className="num">{n(x.customers)}</td>
                      <td className="num">{money(x.revenue_micros / 1e6, currency)}</td>
                      <td className="num">{money(x.aov_micros / 1e6, currency)}</td>
                      <td className="num">{pct(x.repeat_rate)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </div>
        );
      }}
    </State>
  );
}

// heat is the ground of a cell: stronger for more. Its text stays readable in both
// themes, because the ground never gets as far as the text's colour.
const heat = (share: number) => `color-mix(in oklab, var(--accent) ${Math.round(share * 42)}%, var(--panel))`;

function Cohorts() {
  const { t, n, pct } = useWords();
  const [shares, setShares] = useState(true);
  const q = useGet('/api/v1/reports/cohorts', { query: { limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.cohorts?.rows ?? [];
        const long = Math.max(...rows.map((x) => (x.people ?? []).length), 0);
        return (
          <Panel
            title={t('Customers by the month of their first order, and how many came back')}
            aside={
              <div className="row">
                <div className="seg">
                  <button aria-pressed={shares} onClick={() => setShares(true)}>
                    %
                  </button>
                  <button aria-pressed={!shares} onClick={() => setShares(false)}>
                    {t('People')}
                  </button>
                </div>
                <Download
                  name="cohorts"
                  rows={[['month', ...Array.from({ length: long }, (_, i) => i)], ...rows.map((x) => [x.month, ...(x.people ?? [])])]}
                />
              </div>
            }
          >
            {rows.length === 0 ? (
              <Empty>{t('There is nothing to add up yet.')}</Empty>
            ) : (
              <div className="scroll" tabIndex={0}>
                <table className="heat">
                  <thead>
                    <tr>
                      <th>{t('Month')}</th>
                      {Array.from({ length: long }, (_, i) => (
                        <th key={i} className="num">
                          {i}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((x) => {
                      const first = x.people?.[0] ?? 0;
                      return (
                        <tr key={x.month}>
                          <th scope="row">{x.month}</th>
                          {(x.people ?? []).map((p, i) => (
                            <td key={i} style={{ background: heat(i === 0 ? 0.12 : first ? p / first : 0) }}>
                              {i === 0 || !shares ? n(p) : pct(first ? p / first : 0)}
                            </td>
                          ))}
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            )}
          </Panel>
        );
      }}
    </State>
  );
}

function RFM() {
  const { t, n, money } = useWords();
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/reports/rfm', { query: { limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const cells = r.rfm?.cells ?? [];
        const grid: Record<string, { n: number; m: number }> = {};
        for (const c of cells) {
          const key = c.scores.slice(0, 2);
          const g = (grid[key] ??= { n: 0, m: 0 });
          g.n += c.customers;
          g.m += c.monetary_micros / 1e6;
        }
        const most = Math.max(...Object.values(grid).map((g) => g.n), 1);
        return (
          <Panel
            title={t('How recently across, how often down')}
            aside={
              <Download
                name="rfm"
                rows={[['scores', 'customers', 'revenue'], ...cells.map((c) => [c.scores, c.customers, c.monetary_micros / 1e6])]}
              />
            }
          >
            {cells.length === 0 ? (
              <Empty>{t('There is nothing to add up yet.')}</Empty>
            ) : (
              <table className="heat">
                <thead>
                  <tr>
                    <th>{t('Often \\ recently')}</th>
                    {[1, 2, 3, 4, 5].map((x) => (
                      <th key={x} className="num">
                        {x}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {[5, 4, 3, 2, 1].map((f) => (
                    <tr key={f}>
                      <th scope="row">{f}</th>
                      {[1, 2, 3, 4, 5].map((x) => {
                        const g = grid[`${x}${f}`];
                        return (
                          <td key={x} style={{ background: heat((g?.n ?? 0) / most) }}>
                            <b>{n(g?.n ?? 0)}</b>
                            <div className="small">{g ? money(g.m, program.data?.currency) : ''}</div>
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </Panel>
        );
      }}
    </State>
  );
}

function Messages() {
  const { t, n, money } = useWords();
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/reports/messages', { query: { limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.messages?.rows ?? [];
        return (
          <Panel
            title={t('What became of each message, and the orders within a week')}
            aside={
              <Download
                name="messages"
                rows={[
                  ['origin', 'step', 'sent', 'delivered', 'clicked', 'orders', 'revenue'],
                  ...rows.map((x) => [x.origin, x.step, x.sent, x.delivered, x.clicked, x.orders, x.revenue_micros / 1e6]),
                ]}
              />
            }
            flush
          >
            {rows.length === 0 && <Empty>{t('There is nothing to add up yet.')}</Empty>}
            <div className="scroll" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th>{t('Message')}</th>
                    <th className="num">{t('Sent')}</th>
                    <th className="num">{t('Clicked')}</th>
                    <th className="num">{t('Bounced')}</th>
                    <th className="num">{t('Unsubscribed')}</th>
                    <th className="num">{t('Orders')}</th>
                    <th className="num">{t('Revenue')}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((x) => (
                    <tr key={x.origin + x.step + x.channel}>
                      <td>
                        <b>{x.origin}</b> <span className="soft">{x.step}</span> <Tag>{x.channel}</Tag>
                      </td>
                      <td className="num">{n(x.sent)}</td>
                      <td className="num">{n(x.clicked)}</td>
                      <td className="num">{n(x.bounced)}</td>
                      <td className="num">{n(x.unsubscribed)}</td>
                      <td className="num">{n(x.orders)}</td>
                      <td className="num">{money(x.revenue_micros / 1e6, program.data?.currency)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        );
      }}
    </State>
  );
}

function Models() {
  const { t, n, when } = useWords();
  const q = useGet('/api/v1/predictions');
  return (
    <State of={q}>
      {(l) => (
        <div className="stack">
          {(l.data ?? []).length === 0 && <Empty>{t('There are no models here.')}</Empty>}
          {(l.data ?? []).map((m) => (
            <Panel
              key={m.name}
              title={m.title}
              aside={
                m.refused ? (
                  <Tag tone="warn">{t('says nothing')}</Tag>
                ) : m.ran ? (
                  <Tag tone="good">{t('{n} customers', { n: n(m.predicted) })}</Tag>
                ) : (
                  <Tag>{t('never ran')}</Tag>
                )
              }
            >
              <div className="stack">
                {m.refused && <p>{m.refused}</p>}
                <p className="soft small">
                  {[m.method, m.checked, m.ran ? t('ran {date}', { date: when(m.ran) }) : ''].filter(Boolean).join(' · ')}
                </p>
                {(m.calibration ?? []).length > 0 && (
                  <div className="scroll">
                    <table>
                      <thead>
                        <tr>
                          <th>{t('Group')}</th>
                          <th className="num">{t('Customers')}</th>
                          <th className="num">{t('Predicted')}</th>
                          <th className="num">{t('Came')}</th>
                        </tr>
                      </thead>
                      <tbody>
                        {(m.calibration ?? []).map((b) => (
                          <tr key={b.group}>
                            <td>{b.group}</td>
                            <td className="num">{n(b.n)}</td>
                            <td className="num">{b.predicted.toFixed(2)}</td>
                            <td className="num">{b.actual.toFixed(2)}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                )}
              </div>
            </Panel>
          ))}
        </div>
      )}
    </State>
  );
}
