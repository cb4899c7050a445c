// Why one customer got something or did not: what was decided, and what would be now.
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useGet, type Schemas } from '../api';
import { Empty, Panel, State, StateTag, Tag, type Tone } from '../parts/kit';
import { useWords } from '../words';

export function Why({ id }: { id: string }) {
  const { t } = useWords();
  const [of, setOf] = useState('');
  const journeys = useGet('/api/v1/conditions/choices', { query: { from: 'journeys' } });
  const campaigns = useGet('/api/v1/conditions/choices', { query: { from: 'campaigns' } });
  const services = useGet('/api/v1/conditions/choices', { query: { from: 'services' } });
  const groups = [
    [t('Journeys'), journeys.data],
    [t('Campaigns'), campaigns.data],
    [t('Service messages'), services.data],
  ] as const;
  const first = of || journeys.data?.data?.[0]?.value || campaigns.data?.data?.[0]?.value || '';
  return (
    <div className="stack">
      <label className="row choose">
        {t('Did, or did not, get')}
        <select value={first} onChange={(e) => setOf(e.target.value)} aria-label={t('What they got, or did not')}>
          {groups.map(([label, list]) =>
            (list?.data ?? []).length === 0 ? null : (
              <optgroup key={label} label={label}>
                {(list?.data ?? []).map((c) => (
                  <option key={c.value} value={c.value}>
                    {c.label || c.value}
                  </option>
                ))}
              </optgroup>
            ),
          )}
        </select>
      </label>
      {first ? <Answer key={first} id={id} of={first} /> : <Empty>{t('There is no journey and no campaign.')}</Empty>}
    </div>
  );
}

function Answer({ id, of }: { id: string; of: string }) {
  const { t, when, n } = useWords();
  const q = useGet('/api/v1/customers/{id}/why', { path: { id }, query: { of } });
  return (
    <State of={q}>
      {(w) => {
        const inside = (w.inside ?? []).length > 0;
        const rows: [boolean, string, ReactNode][] = [
          [
            w.audience,
            w.everyone ? t('It is for everybody') : w.audience ? t('They are in its audience') : t('They are not in its audience'),
            (w.because ?? []).join('; '),
          ],
          [
            w.again,
            w.again ? t('They may enter') : t('They may not enter again'),
            w.times > 0 ? t('entered {n} times, last on {at}', { n: n(w.times), at: when(w.entered) }) : t('never entered it so far'),
          ],
          [
            (w.met ?? []).length === 0,
            (w.met ?? []).length === 0 ? t('No exit and no goal is met already') : t('An exit or a goal is met already'),
            (w.met ?? []).join('; '),
          ],
          [!w.full, w.full ? t('They are inside too many journeys') : t('They are not inside too many journeys'), ''],
          [
            !w.held_out,
            w.held_out ? t('They are held out') : t('They are not held out'),
            w.held_out ? t('they walk it and get nothing, so that its effect can be measured') : '',
          ],
        ];
        const hurdle = w.kind === 'service' || inside ? undefined : rows.find(([ok]) => !ok);
        const held = (w.messages ?? []).find((m) => m.suppressed || String(m.record.outcome) !== 'send');
        return (
          <div className="stack">
            <div className={'note ' + (hurdle || held ? 'warn' : 'good')} role="status">
              {hurdle
                ? t('They would not be let in now: {why}', { why: hurdle[1] })
                : held
                  ? held.suppressed
                    ? t('The address is suppressed: {why}', { why: held.suppressed.replaceAll('_', ' ') })
                    : held.says
                  : t('Nothing is in the way now.')}
            </div>
            <div className="grid2">
              <Panel title={t('How they stand to it now')} flush>
                <ul className="plain lines verdicts">
                  {inside &&
                    (w.inside ?? []).map((i, k) => (
                      <li key={k}>
                        <Mark ok={true} />
                        <div>
                          {t('They are inside, at the step {step}', { step: i.step })}
                          <div className="soft small">
                            {t('since {date}', { date: when(i.entered) })}
                            {i.wake ? ' · ' + t('goes on {date}', { date: when(i.wake) }) : ''}
                          </div>
                        </div>
                      </li>
                    ))}
                  {w.kind !== 'service' &&
                    rows.map(([ok, what, more]) => (
                      <li key={what}>
                        <Mark ok={ok} />
                        <div>
                          {what}
                          {more && <div className="soft small">{more}</div>}
                        </div>
                      </li>
                    ))}
                </ul>
                {(w.triggers ?? []).length > 0 && (
                  <div className="body soft small">
                    {t('Begins when')}: {(w.triggers ?? []).join(' · ')}
                  </div>
                )}
              </Panel>
              <Panel title={t('What was decided')} flush>
                {(w.recorded ?? []).length === 0 ? (
                  <Empty>{t('None of its messages was ever wanted for them.')}</Empty>
                ) : (
                  <ul className="plain lines">
                    {(w.recorded ?? []).map((d) => (
                      <li key={d.id}>
                        <div className="spread">
                          <span>
                            <StateTag state={d.state} />{' '}
                            <Link to="/app/messages/$id" params={{ id: d.id }}>
                              {d.template}
                            </Link>
                          </span>
                          <span className="soft small nowrap">{when(d.planned)}</span>
                        </div>
                        <div className="small">{d.why || d.reason}</div>
                      </li>
                    ))}
                  </ul>
                )}
              </Panel>
            </div>
            <Panel title={t('If its messages were wanted now')} aside={<span className="soft small">{when(w.now)}</span>} flush>
              {(w.messages ?? []).length === 0 && <Empty>{t('It sends no messages.')}</Empty>}
              <ul className="plain lines">
                {(w.messages ?? []).map((m) => (
                  <Message key={m.step} m={m} />
                ))}
              </ul>
            </Panel>
          </div>
        );
      }}
    </State>
  );
}

function Mark({ ok }: { ok: boolean }) {
  const { t } = useWords();
  return (
    <span className={'mark ' + (ok ? 'good' : 'bad')} role="img" aria-label={ok ? t('lets through') : t('holds back')}>
      {ok ? '✓' : '✕'}
    </span>
  );
}

function Message({ m }: { m: Schemas['Verdict'] }) {
  const { t, when } = useWords();
  const r = m.record;
  const tones: Record<string, Tone> = { send: 'good', later: 'warn', never: 'bad' };
  const said = String(r.outcome);
  const outcome = said === 'send' ? t('would go') : said === 'later' ? t('would wait') : t('would not go');
  return (
    <li>
      <details>
        <summary>
          <Tag tone={m.suppressed ? 'bad' : (tones[said] ?? '')}>{m.suppressed ? t('would not go') : outcome}</Tag> <b>{m.template}</b>{' '}
          <span className="soft">
            {m.step} · {r.channel}
          </span>
          <div className="small">
            {m.suppressed ? t('The address is suppressed: {why}', { why: m.suppressed.replaceAll('_', ' ') }) : m.says}
          </div>
        </summary>
        <ul className="plain verdicts rules">
          {(r.checks ?? []).map((c, i) => (
            <li key={i}>
              <Mark ok={c.pass} />
              <div>
                {c.name}{' '}
                <span className="soft small">
                  {[c.text, c.other, c.got !== undefined && c.limit ? `${c.got} / ${c.limit}` : '', c.at ? when(c.at) : '']
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </div>
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}
