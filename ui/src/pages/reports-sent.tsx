// What messages and suggestions brought, and how far the models can be believed.
import { useState } from 'react';
import { useGet } from '../api';
import { Calibration, Chart, Ranks, Table } from '../parts/charts';
import { Empty, Kpi, Panel, State, Tag } from '../parts/kit';
import { Behind, type Question } from '../parts/who';
import { useWords } from '../words';

export function Messages() {
  const { t, n, money, pct } = useWords();
  const [who, setWho] = useState<Question | null>(null);
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/reports/messages', { query: { limit: 500 } }, { retry: false });
  return (
    <State of={q}>
      {(r) => {
        const rows = r.messages?.rows ?? [];
        const currency = program.data?.currency;
        const ask = (x: (typeof rows)[number], what: string, title: string) =>
          setWho({
            title: `${x.origin}/${x.step} · ${title}`,
            report: 'messages',
            query: { who: what, key: `${x.origin}/${x.step}`, channel: x.channel },
          });
        const number = (x: (typeof rows)[number], what: 'sent' | 'clicked' | 'bounced' | 'unsubscribed' | 'orders', title: string) =>
          x[what] ? (
            <button key={what} className="link" onClick={() => ask(x, what, title)}>
              {n(x[what])}
            </button>
          ) : (
            n(0)
          );
        const head = [
          t('Message'),
          t('Channel'),
          t('Sent'),
          t('Clicked'),
          t('Share'),
          t('Bounced'),
          t('Unsubscribed'),
          t('Orders'),
          t('Revenue'),
          t('For each'),
        ];
        const shown = rows.map((x) => [
          <span key="m">
            <b>{x.origin}</b> <span className="soft">{x.step}</span>
          </span>,
          <Tag key="c">{x.channel}</Tag>,
          number(x, 'sent', t('Sent')),
          number(x, 'clicked', t('Clicked')),
          pct(x.sent ? x.clicked / x.sent : 0),
          number(x, 'bounced', t('Bounced')),
          number(x, 'unsubscribed', t('Unsubscribed')),
          number(x, 'orders', t('Orders')),
          money(x.revenue_micros / 1e6, currency),
          new Intl.NumberFormat(undefined, currency ? { style: 'currency', currency } : {}).format(x.revenue_per_recipient_micros / 1e6),
        ]);
        return (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Sent')} value={n(rows.reduce((s, x) => s + x.sent, 0))} />
              <Kpi label={t('Clicked')} value={n(rows.reduce((s, x) => s + x.clicked, 0))} />
              <Kpi label={t('Orders after it')} value={n(rows.reduce((s, x) => s + x.orders, 0))} />
              <Kpi label={t('Revenue after it')} value={money(rows.reduce((s, x) => s + x.revenue_micros, 0) / 1e6, currency)} />
            </div>
            <Chart
              title={t('What became of each message, and the orders within a week')}
              about={t('Orders after a message are not orders because of it: that, only a group that is held out can tell.')}
              name="messages"
              head={head}
              rows={rows.map((x) => [
                `${x.origin}/${x.step}`,
                x.channel,
                x.sent,
                x.clicked,
                x.sent ? x.clicked / x.sent : 0,
                x.bounced,
                x.unsubscribed,
                x.orders,
                x.revenue_micros / 1e6,
                x.revenue_per_recipient_micros / 1e6,
              ])}
              shown={shown}
            >
              {rows.length === 0 ? (
                <Empty>{t('There is nothing to add up yet.')}</Empty>
              ) : (
                <Table
                  label={t('Messages')}
                  head={head}
                  rows={shown}
                  nums={[false, false, true, true, true, true, true, true, true, true]}
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

// Journeys shows what they brought beside those who were held out, and says nothing
// where too few were.
export function Journeys() {
  const { t, n, pct, money, when } = useWords();
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/incremental', undefined, { retry: false });
  const currency = program.data?.currency;
  const each = (v: number) => new Intl.NumberFormat(undefined, currency ? { style: 'currency', currency } : {}).format(v);
  return (
    <State of={q}>
      {(r) => {
        const all = (r.journeys ?? []).filter((j) => j.people + j.pending > 0);
        const drawn = all.filter((j) => j.report.revenue.enough);
        const most = Math.max(...drawn.flatMap((j) => [Math.abs(j.report.revenue.low), Math.abs(j.report.revenue.high)]), 0.01);
        const x = (v: number) => 50 + (Math.max(-most, Math.min(most, v)) / most) * 48;
        return (
          <Chart
            title={t('What journeys brought, beside those who were held out')}
            about={t(
              'A person within 60 days of entering, and between which bounds it lies. A bar that leaves the middle behind is no chance. Measured {date}.',
              { date: when(r.at) },
            )}
            name="incremental"
            head={[
              t('Journey'),
              t('Held out'),
              t('Measured'),
              t('Too early'),
              t('Revenue a person'),
              t('At least'),
              t('At most'),
              t('More revenue'),
              t('Says'),
            ]}
            rows={all.map((j) => [
              j.journey,
              j.share,
              j.people,
              j.pending,
              j.report.revenue.enough ? j.report.revenue.lift : '',
              j.report.revenue.enough ? j.report.revenue.low : '',
              j.report.revenue.enough ? j.report.revenue.high : '',
              j.report.incremental_revenue.enough ? j.report.incremental_revenue.lift : '',
              j.report.revenue.why ?? '',
            ])}
          >
            {all.length === 0 ? (
              <Empty>{t('Nobody has entered a journey yet.')}</Empty>
            ) : (
              <ul className="plain effects">
                {all.map((j) => {
                  const v = j.report.revenue;
                  return (
                    <li key={j.journey}>
                      <span>
                        <b>{j.journey}</b>{' '}
                        <span className="soft small">
                          {j.share > 0 ? t('{share} held out', { share: pct(j.share) }) : t('nobody is held out')}
                        </span>
                      </span>
                      {v.enough ? (
                        <>
                          <svg viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">
                            <rect width={100} height={14} className="ground" />
                            <rect
                              x={x(v.low)}
                              width={Math.max(x(v.high) - x(v.low), 0.6)}
                              y={4}
                              height={6}
                              className={v.excludes_zero ? (v.lift > 0 ? 'tone-good' : 'tone-bad') : 'tone-soft'}
                            />
                            <rect x={49.8} width={0.4} height={14} className="tone-soft" />
                          </svg>
                          <span>
                            {each(v.lift)} <span className="soft small">{`${each(v.low)} – ${each(v.high)}`}</span>
                            {j.report.incremental_revenue.enough && v.excludes_zero && (
                              <div className="soft small">
                                {t('{sum} more in all', { sum: money(j.report.incremental_revenue.lift, currency) })}
                              </div>
                            )}
                          </span>
                        </>
                      ) : (
                        <>
                          <span className="soft small">{v.why || t('too few to say')}</span>
                          <span className="soft small">{t('{n} measured, {m} too early', { n: n(j.people), m: n(j.pending) })}</span>
                        </>
                      )}
                    </li>
                  );
                })}
              </ul>
            )}
          </Chart>
        );
      }}
    </State>
  );
}

export function Recommendations() {
  const { t, n, pct, when, money } = useWords();
  const program = useGet('/api/v1/program');
  const q = useGet('/api/v1/recommend/figures', undefined, { retry: false, refetchInterval: 10_000 });
  return (
    <State of={q}>
      {(f) => {
        const lists = Object.entries(f.items_by_list).toSorted((a, b) => b[1] - a[1]);
        return (
          <div className="stack">
            <div className="kpis">
              <Kpi label={t('Lists given')} value={n(f.lists)} />
              <Kpi label={t('Empty')} value={f.lists ? pct(f.empty / f.lists) : '–'} />
              <Kpi label={t('Needed a fallback')} value={f.lists ? pct(f.fallback_share) : '–'} />
              <Kpi label={t('Of the catalogue shown')} value={pct(f.coverage)} />
              <Kpi label={t('Orders with something suggested')} value={f.orders ? pct(f.orders_suggested / f.orders) : '–'} />
              <Kpi label={t('Revenue suggested before')} value={money(f.revenue_suggested, program.data?.currency)} />
            </div>
            <Chart
              title={t('Where suggestions come from')}
              about={f.since ? t('since {date}', { date: when(f.since) }) : undefined}
              name="recommendations"
              head={[t('List'), t('Items')]}
              rows={lists}
            >
              {lists.length === 0 ? (
                <Empty>{t('Nothing was suggested to anybody yet.')}</Empty>
              ) : (
                <Ranks rows={lists.map(([name, v]) => ({ key: name, name, value: v }))} format={n} />
              )}
            </Chart>
            <p className="soft small">
              {t(
                'A suggestion counts if the same person was shown the product within a day before. What they would have bought anyway, only an experiment tells.',
              )}
            </p>
          </div>
        );
      }}
    </State>
  );
}

export function Models() {
  const { t, n, when } = useWords();
  const q = useGet('/api/v1/predictions');
  return (
    <State of={q}>
      {(l) => (
        <div className="stack">
          {(l.data ?? []).length === 0 && <Empty>{t('There are no models here.')}</Empty>}
          {(l.data ?? []).map((m) => {
            const bins = m.calibration ?? [];
            const about = [
              m.name === 'intent' ? t('Each customer’s page says it of the visit under way.') : '',
              m.method,
              m.checked,
              m.ran ? t('ran {date}', { date: when(m.ran) }) : '',
            ]
              .filter(Boolean)
              .join(' · ');
            const state = m.refused ? (
              <Tag tone="warn">{t('says nothing')}</Tag>
            ) : m.ran ? (
              <Tag tone="good">{m.name === 'intent' ? t('ready') : t('{n} customers', { n: n(m.predicted) })}</Tag>
            ) : (
              <Tag>{t('never ran')}</Tag>
            );
            if (bins.length === 0)
              return (
                <Panel key={m.name} title={m.title} aside={state}>
                  <div className="stack">
                    {m.refused && <p>{m.refused}</p>}
                    <p className="soft small">{about}</p>
                  </div>
                </Panel>
              );
            return (
              <Calibration
                key={m.name}
                title={m.title}
                about={about}
                name={m.name}
                actions={state}
                counted={m.name === 'intent' ? t('Visits') : undefined}
                bins={bins}
              />
            );
          })}
        </div>
      )}
    </State>
  );
}
