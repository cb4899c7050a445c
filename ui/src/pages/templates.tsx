// The templates in force.
import { Link } from '@tanstack/react-router';
import { useGet } from '../api';
import { Empty, Page, State, Tag } from '../parts/kit';
import { useWords } from '../words';

export function Templates() {
  const { t } = useWords();
  const list = useGet('/api/v1/templates', { query: { limit: 500 } });
  return (
    <Page title={t('Templates')} about={t('What messages say, and how they look.')}>
      <State of={list}>
        {(l) => (
          <div className="panel scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('Template')}</th>
                  <th>{t('Subject')}</th>
                  <th>{t('Files')}</th>
                </tr>
              </thead>
              <tbody>
                {(l.data ?? []).map((x) => (
                  <tr key={x.name}>
                    <td>
                      <Link to="/app/templates/$name" params={{ name: x.name }}>
                        <b>{x.label}</b>
                      </Link>
                    </td>
                    <td className="soft">{x.subject ?? <Tag>{t('no e-mail')}</Tag>}</td>
                    <td className="soft mono">{(x.files ?? []).map((f) => f.replace('templates/', '')).join(' ')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {(l.data ?? []).length === 0 && <Empty>{t('The definitions have no templates.')}</Empty>}
          </div>
        )}
      </State>
    </Page>
  );
}
