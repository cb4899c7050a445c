// What a count of customers shows: how many, whom a message would reach, who they are.
import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { called } from '../parts/called';
import { Bar, Empty, Failure } from '../parts/kit';
import { useWords } from '../words';
import type { Preview } from './segment-preview';

export function Count({ of }: { of: Preview }) {
  const { t, n, pct } = useWords();
  const f = of.figures;
  const busy = of.stale || f?.state === 'counting' || f?.state === 'waiting';
  return (
    <div className={'count' + (busy ? ' busy' : '')}>
      <div className="figure" aria-live="polite" aria-atomic="true">
        <b data-testid="count">{f ? n(f.members) : '–'}</b>
        <span>
          {t('customers')}
          {f && f.customers > 0 && <span className="soft"> · {t('{share} of all', { share: pct(f.members / f.customers) })}</span>}
        </span>
      </div>
      <div className="soft small" role="status">
        {of.error
          ? ''
          : !f
            ? t('Counting…')
            : f.state === 'failed' && !of.stale
              ? f.trouble
              : f.state === 'done' && !of.stale
                ? t('Counted exactly, in {s} s', { s: n(Math.round(f.seconds * 10) / 10) })
                : f.of > 0 && !of.stale
                  ? t('Counting… {share} looked at', { share: pct(Math.min(1, f.looked / f.of)) })
                  : t('Counting…')}
      </div>
      {busy && <Bar share={f && !of.stale && f.of > 0 ? f.looked / f.of : 0.04} />}
      {f?.history && !of.stale && (
        <p className="soft small">
          {t('It asks for something that is not kept yet, so everybody’s history is read. Once saved, it is kept.')}
        </p>
      )}
      {f && f.behind > 0 && (
        <p className="soft small">{t('{n} customers are still being brought up to the newest definitions.', { n: n(f.behind) })}</p>
      )}
      <Failure error={of.error} />
    </div>
  );
}

const channels: Record<string, string> = { email: 'E-mail', sms: 'SMS', whatsapp: 'WhatsApp', push: 'Push' };

export function Funnel({ of }: { of: Preview }) {
  const { t, n, pct } = useWords();
  const f = of.figures;
  const reach = (f?.funnel ?? []).filter((r) => r.reachable > 0 || r.channel === 'email');
  if (!f) return <Empty>{t('One moment…')}</Empty>;
  if (reach.length === 0) return <Empty>{t('No channel is set up to write to them.')}</Empty>;
  return (
    <div className="stack">
      {reach.map((r) => {
        const steps: [string, number][] = [
          [t('In the segment'), f.members],
          [t('Reachable'), r.reachable],
          [t('Agreed'), r.agreed],
          [t('Free now'), r.free],
        ];
        return (
          <div key={r.channel} className="reach">
            <h3>{channels[r.channel] ?? r.channel}</h3>
            <ol>
              {steps.map(([label, count]) => (
                <li key={label}>
                  <span>{label}</span>
                  <Bar share={f.members ? count / f.members : 0} />
                  <span className="num">{n(count)}</span>
                  <span className="num soft small">{f.members ? pct(count / f.members) : ''}</span>
                </li>
              ))}
            </ol>
            {(r.stopped ?? []).length > 0 && (
              <div className="soft small">
                {(r.stopped ?? []).map((s) => `${s.reason.replaceAll('_', ' ')}: ${n(s.count)}`).join(' · ')}
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}

export function Samples({ of }: { of: Preview }) {
  const { t, date } = useWords();
  const people = of.figures?.people ?? [];
  if (people.length === 0) return <Empty>{of.figures && !of.stale && of.figures.state === 'done' ? t('Nobody is in it now.') : '…'}</Empty>;
  return (
    <ul className="plain lines">
      {people.map((c) => (
        <li key={c.id} className="spread">
          <Link to="/app/customers/$id" params={{ id: c.id }} className="cut">
            {called(c, t('Anonymous visitor'))}
          </Link>
          <span className="soft small nowrap">{date(c.last)}</span>
        </li>
      ))}
    </ul>
  );
}

// Overlap of a saved segment with others.
export function Overlap({ name }: { name: string }) {
  const { t, n, pct } = useWords();
  const list = useGet('/api/v1/segments', { query: { limit: 500 } });
  const [chosen, setChosen] = useState<string[] | null>(null);
  const others = (list.data?.data ?? []).filter((s) => s.name !== name);
  const largest = [...others].sort((a, b) => b.members - a.members).slice(0, 4);
  const withThese = chosen ?? largest.map((s) => s.name);
  const q = useQuery({
    queryKey: ['overlap', name, withThese],
    enabled: withThese.length > 0,
    queryFn: ({ signal }) =>
      must(api.GET('/api/v1/segments/{name}/overlap', { params: { path: { name }, query: { with: withThese } }, signal })),
  });
  const label = (s: string) => others.find((o) => o.name === s)?.label ?? s;
  const rows = pairs(q.data, name);
  return (
    <div className="stack">
      <div className="row">
        {withThese.map((s) => (
          <span key={s} className="tag accent">
            {label(s)}
            <button
              type="button"
              className="link"
              aria-label={t('Take {what} out', { what: label(s) })}
              onClick={() => setChosen(withThese.filter((x) => x !== s))}
            >
              ×
            </button>
          </span>
        ))}
        {withThese.length < 7 && (
          <select aria-label={t('Compare with')} value="" onChange={(e) => e.target.value && setChosen([...withThese, e.target.value])}>
            <option value="">{t('+ segment')}</option>
            {others
              .filter((o) => !withThese.includes(o.name))
              .map((o) => (
                <option key={o.name} value={o.name}>
                  {o.label}
                </option>
              ))}
          </select>
        )}
      </div>
      <Failure error={q.error} />
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>{t('Also in')}</th>
              <th className="num">{t('Customers')}</th>
              <th style={{ width: '34%' }}>{t('Share of this one')}</th>
              <th className="num">{t('of the other')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.name}>
                <td>
                  <Link to="/app/segments/$name" params={{ name: r.name }}>
                    {label(r.name)}
                  </Link>
                </td>
                <td className="num">{n(r.both)}</td>
                <td>
                  <Bar share={r.own ? r.both / r.own : 0} />
                  <span className="soft small">{r.own ? pct(r.both / r.own) : '–'}</span>
                </td>
                <td className="num soft">{r.other ? pct(r.both / r.other) : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function pairs(o: Schemas['Overlap'] | undefined, name: string) {
  if (!o) return [];
  const size = new Map((o.segments ?? []).map((s) => [s.name, s.members]));
  return (o.pairs ?? [])
    .filter((p) => p.a === name || p.b === name)
    .map((p) => {
      const other = p.a === name ? p.b : p.a;
      return { name: other, both: p.both, own: size.get(name) ?? 0, other: size.get(other) ?? 0 };
    });
}
