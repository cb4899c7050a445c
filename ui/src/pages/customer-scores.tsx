// What is known of a customer beyond what they did: scores with their reasons, tastes,
// and what models say.
import { useGet, type Schemas } from '../api';
import { Bar, Empty, Panel, State, Tag } from '../parts/kit';
import { usePredictions } from '../parts/predictions';
import { useWords } from '../words';
import { Visit } from './customer-visit';

export function Understanding({ id }: { id: string }) {
  const { t, pct, date } = useWords();
  const { name, value } = usePredictions();
  const scores = useGet('/api/v1/customers/{id}/scores', { path: { id } });
  const words = useGet('/api/v1/customers/{id}/predictions', { path: { id } });
  return (
    <div className="grid2">
      <div className="stack">
        <Visit id={id} />
        <Panel title={t('Predictions')} flush>
          <State of={words}>
            {(l) => {
              const list = (l.data ?? []).filter((w) => w.name !== 'intent'); // it stands above, as of now
              if (list.length === 0) return <Empty>{t('No model says anything of them yet.')}</Empty>;
              return (
                <ul className="plain lines">
                  {list.map((w) => (
                    <li key={w.name}>
                      <div className="spread">
                        <b title={w.name}>{name(w)}</b>
                        <span className="nowrap">{value(w)}</span>
                      </div>
                      <div className="soft small">{w.evidence}</div>
                      <div className="soft small">
                        {w.model} · {date(w.at)}
                        {w.until && ' – ' + date(w.until)}
                      </div>
                    </li>
                  ))}
                </ul>
              );
            }}
          </State>
        </Panel>
      </div>
      <State of={scores}>
        {(s) => (
          <div className="stack">
            <Panel title={t('Scores')} flush>
              {(s.scores ?? []).length === 0 && <Empty>{t('The shop has no scores.')}</Empty>}
              <ul className="plain lines">
                {(s.scores ?? []).map((x) => (
                  <Score key={x.score} x={x} />
                ))}
              </ul>
            </Panel>
            {(s.affinities ?? []).map((a) => (
              <Panel key={a.affinity} title={t('Interest: {name}', { name: a.affinity })}>
                <div className="stack">
                  {(a.likes ?? []).slice(0, 8).map((l) => (
                    <div key={l.name}>
                      <div className="spread">
                        <span>{l.name}</span>
                        <span className="soft">{pct(l.share)}</span>
                      </div>
                      <Bar share={l.share} />
                    </div>
                  ))}
                </div>
              </Panel>
            ))}
          </div>
        )}
      </State>
    </div>
  );
}

// Score shows what gave the points: the rules, and the events behind them.
function Score({ x }: { x: Schemas['CustomerScore'] }) {
  const { t, n, when } = useWords();
  const parts = x.parts ?? [];
  const round = (v: number) => n(Math.round(v * 10) / 10);
  return (
    <li>
      <div className="spread">
        <b>{x.label}</b>
        <span>
          {round(x.value)} {x.tier && <Tag tone="accent">{x.tier}</Tag>}
        </span>
      </div>
      {x.about && <div className="soft small">{x.about}</div>}
      {parts.map((p, i) => (
        <details key={i} className="small reasons">
          <summary>
            {parts.length > 1 ? t('Why: {what}', { what: p.score }) : t('Why')}
            {parts.length > 1 && <span className="soft"> {round(p.value)}</span>}
          </summary>
          <ul className="plain">
            {(p.rules ?? []).map((r, k) => (
              <li key={k} className="spread">
                <span>{r.what}</span>
                <span className="soft nowrap">
                  {t('{n} events', { n: n(r.events) })} · {round(r.now)}
                </span>
              </li>
            ))}
          </ul>
          {(p.events ?? []).length > 0 && (
            <ul className="plain soft">
              {(p.events ?? []).slice(0, 10).map((e, k) => (
                <li key={k} className="spread">
                  <span>
                    {e.event} {e.taken_back && <Tag tone="warn">{t('taken back')}</Tag>}
                  </span>
                  <span className="nowrap">
                    {when(e.at)} · {round(e.then)} → {round(e.now)}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </details>
      ))}
    </li>
  );
}
