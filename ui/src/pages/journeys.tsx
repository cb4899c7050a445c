// The journeys in force.
import { Link } from '@tanstack/react-router';
import { useGet } from '../api';
import { Empty, Page, State } from '../parts/kit';
import { useWords } from '../words';

export function Journeys() {
  const { t, n, pct } = useWords();
  const list = useGet('/api/v1/journeys', { query: { limit: 500 } });
  return (
    <Page title={t('Journeys')} about={t('What happens by itself when customers do something, or nothing.')}>
      <State of={list}>
        {(l) => (
          <div className="panel scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('Journey')}</th>
                  <th>{t('Begins when')}</th>
                  <th className="num">{t('Sent')}</th>
                  <th className="num">{t('Not sent')}</th>
                  <th className="num">{t('Held out')}</th>
                </tr>
              </thead>
              <tbody>
                {(l.data ?? []).map((j) => {
                  const sent = j.messages['accepted'] ?? 0;
                  const all = Object.values(j.messages).reduce((a, b) => a + b, 0);
                  return (
                    <tr key={j.name}>
                      <td>
                        <Link to="/app/journeys/$name" params={{ name: j.name }}>
                          <b>{j.title || j.name}</b>
                        </Link>
                        {j.audience && <div className="soft small">{t('for who {audience}', { audience: j.audience })}</div>}
                      </td>
                      <td className="soft">{(j.triggers ?? []).join('; ')}</td>
                      <td className="num">{n(sent)}</td>
                      <td className="num">{n(all - sent)}</td>
                      <td className="num">{pct(j.holdout)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
            {(l.data ?? []).length === 0 && <Empty>{t('The definitions have no journeys.')}</Empty>}
          </div>
        )}
      </State>
    </Page>
  );
}
