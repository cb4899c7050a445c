// Segments: who is in each, and its condition as a sentence.
import { Link, useParams } from '@tanstack/react-router';
import { get, useGet } from '../api';
import { Bar, Empty, List, Page, Panel, State } from '../parts/kit';
import { usePages } from '../parts/pages';
import { useWords } from '../words';
import { useCustomerColumns, type Line } from './customers';

export function Segments() {
  const { t, n, pct } = useWords();
  const list = useGet('/api/v1/segments', { query: { limit: 500 } });
  const stats = useGet('/api/v1/stats');
  const all = stats.data?.rows?.['profiles'] ?? 0;
  return (
    <Page title={t('Segments')} about={t('Groups that customers join and leave by themselves, with every event.')}>
      <State of={list}>
        {(l) => (
          <div className="panel scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('Segment')}</th>
                  <th>{t('A customer is in it who')}</th>
                  <th className="num">{t('Members')}</th>
                  <th style={{ width: 120 }}>{t('Share')}</th>
                </tr>
              </thead>
              <tbody>
                {(l.data ?? []).map((s) => (
                  <tr key={s.name}>
                    <td>
                      <Link to="/app/segments/$name" params={{ name: s.name }}>
                        <b>{s.label}</b>
                      </Link>
                      <div className="soft small">{s.about}</div>
                    </td>
                    <td className="soft">{s.when}</td>
                    <td className="num">{n(s.members)}</td>
                    <td>
                      {all > 0 && (
                        <>
                          <Bar share={s.members / all} />
                          <span className="soft small">{pct(s.members / all)}</span>
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {(l.data ?? []).length === 0 && <Empty>{t('The definitions have no segments.')}</Empty>}
          </div>
        )}
      </State>
    </Page>
  );
}

export function Segment() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t, n } = useWords();
  const columns = useCustomerColumns();
  const s = useGet('/api/v1/segments/{name}', { path: { name } });
  const list = usePages<Line>(['members', name], (cursor) =>
    get('/api/v1/segments/{name}/members', { path: { name }, query: { limit: 200, cursor } }),
  );
  return (
    <Page title={s.data?.label ?? name} about={s.data?.about}>
      <div className="stack">
        <State of={s}>
          {(one) => (
            <Panel>
              <div className="spread">
                <span>
                  <span className="soft">{t('A customer is in it who')}</span> {one.when}
                </span>
                <b>{t('{n} members', { n: n(one.members) })}</b>
              </div>
            </Panel>
          )}
        </State>
        <State of={list}>
          {(rows) =>
            rows.length === 0 ? (
              <div className="panel">
                <Empty>{t('Nobody is in it now.')}</Empty>
              </div>
            ) : (
              <List
                label={t('Members')}
                rows={rows}
                columns={columns}
                keyOf={(c) => c.id}
                to={(c) => '/app/customers/' + c.id}
                more={list.more}
              />
            )
          }
        </State>
      </div>
    </Page>
  );
}
