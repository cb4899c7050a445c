// The visit in which a customer is at this moment, and how likely it ends in an order.
import { useGet, type Schemas } from '../api';
import { Calibration } from '../parts/charts';
import { Bar, Panel, State, Tag } from '../parts/kit';
import { useWords, type Text } from '../words';

const why: Record<string, Text> = {
  away: 'They are not here now: nothing was heard of them in the last half hour.',
  bought: 'The visit has led to an order already.',
  nothing_looked_at: 'They are here and have not looked at a product yet, so nothing can be said.',
  never_ran: 'No model has learned from visits yet. It is fitted each night, once there are visits to learn from.',
  no_models: 'This server runs no models.',
};

type Now = Schemas['Visit'];

// Visit shows the visit under way. With quiet it is not there while nobody is.
export function Visit({ id, quiet }: { id: string; quiet?: boolean }) {
  const { t } = useWords();
  const visit = useGet('/api/v1/customers/{id}/visit', { path: { id } }, { refetchInterval: 10_000 });
  if (quiet && !visit.data?.here) return null;
  return (
    <Panel title={t('The visit under way')} aside={visit.data?.here ? <Tag tone="good">{t('here now')}</Tag> : undefined}>
      <State of={visit}>{(v) => <Chance v={v} full={!quiet} />}</State>
    </Panel>
  );
}

function Chance({ v, full }: { v: Now; full: boolean }) {
  const { t, n, pct, when } = useWords();
  const chance = typeof v.intent?.value === 'number' ? v.intent.value : undefined;
  const bins = v.calibration ?? [];
  // The group of held-back visits that were rated most like this one.
  const like =
    chance === undefined || bins.length === 0
      ? undefined
      : bins.reduce((a, b) => (Math.abs(b.predicted - chance) < Math.abs(a.predicted - chance) ? b : a));
  return (
    <div className="stack" data-testid="visit">
      {v.here && (
        <p className="soft small">
          {t('Since {from}, last heard of {last}', { from: when(v.began), last: when(v.last) })} ·{' '}
          {t('products looked at: {n}', { n: n(v.looks) })}
        </p>
      )}
      {chance !== undefined && v.intent && (
        <>
          <div className="spread">
            <b>{t('Chance that it ends in an order')}</b>
            <b data-testid="intent">{pct(chance)}</b>
          </div>
          <Bar share={chance} />
          <p className="soft small">{v.intent.evidence}</p>
          <p className="small">
            {v.base ? t('Of all visits {share} end in an order.', { share: pct(v.base) }) : ''}{' '}
            {like && t('Of {n} visits held back and rated most like this one, {share} did.', { n: n(like.n), share: pct(like.actual) })}
          </p>
        </>
      )}
      {v.silent === 'refused' && <p>{t('The model has too little to learn from: {what}', { what: v.missing ?? '' })}</p>}
      {v.silent && v.silent !== 'refused' && <p>{t(why[v.silent] ?? 'This server runs no models.')}</p>}
      {full && bins.length > 0 && (
        <details className="small">
          <summary>{t('How far it can be believed')}</summary>
          <Calibration
            title={t('Predicted beside what came')}
            about={[v.checked, v.ran ? t('ran {date}', { date: when(v.ran) }) : ''].filter(Boolean).join(' · ')}
            name="intent"
            counted={t('Visits')}
            bins={bins}
          />
        </details>
      )}
    </div>
  );
}
