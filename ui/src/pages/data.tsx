// What comes in: imports, what was put aside, and the tables in SQL.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, must, useGet } from '../api';
import { csv, save } from '../parts/csv';
import { Empty, Failure, Kpi, Page, Panel, State, StateTag, Tag } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';
import { show } from './customer';

const example = 'SELECT type, name, count(*) AS events\nFROM events\nGROUP BY type, name\nORDER BY events DESC\nLIMIT 20';

export function Data() {
  const { t, n } = useWords();
  const may = useMay();
  const stats = useGet('/api/v1/stats', undefined, { refetchInterval: 2_000 });
  return (
    <Page title={t('Data')} about={t('What comes in, what was put aside, and the tables underneath.')}>
      <div className="stack">
        <div className="kpis">
          <Kpi label={t('Events since it started')} value={n(stats.data?.events)} />
          <Kpi label={t('Waiting to be applied')} value={n(stats.data?.lag)} />
          <Kpi label={t('Customers')} value={n(stats.data?.rows?.['profiles'])} />
          <Kpi label={t('On the disk')} value={stats.data?.rows?.['bytes'] ? `${n(Math.round(stats.data.rows['bytes'] / 1e6))} MB` : '–'} />
        </div>
        <div className="grid2">
          <Imports />
          <Quarantine />
        </div>
        {may('post_sql') && <SQL />}
      </div>
    </Page>
  );
}

function Imports() {
  const { t, when } = useWords();
  const list = useGet('/api/v1/imports', { query: { limit: 500 } });
  return (
    <Panel title={t('Imports')} flush>
      <State of={list}>
        {(l) =>
          (l.data ?? []).length === 0 ? (
            <Empty>{t('Nothing was imported. rapport import takes CSV, Excel and JSON.')}</Empty>
          ) : (
            <div className="scroll">
              <table>
                <thead>
                  <tr>
                    <th>{t('Import')}</th>
                    <th>{t('State')}</th>
                    <th>{t('By')}</th>
                    <th>{t('Began')}</th>
                  </tr>
                </thead>
                <tbody>
                  {[...(l.data ?? [])].reverse().map((i) => (
                    <tr key={i.id}>
                      <td>
                        <b>{i.kind}</b> <span className="soft">{i.file || i.source}</span>
                      </td>
                      <td>
                        <StateTag state={i.state} />
                      </td>
                      <td>{i.by}</td>
                      <td className="soft">{when(i.began)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </State>
    </Panel>
  );
}

function Quarantine() {
  const { t, when } = useWords();
  const list = useGet('/api/v1/quarantine', { query: { limit: 50 } }, { refetchInterval: 5_000 });
  return (
    <Panel title={t('Put aside')} flush>
      <State of={list}>
        {(l) =>
          (l.data ?? []).length === 0 ? (
            <Empty>{t('Everything that came could be taken.')}</Empty>
          ) : (
            <ul className="plain lines">
              {(l.data ?? []).map((q, i) => (
                <li key={i}>
                  <div className="spread">
                    <span>
                      <Tag tone="warn">{q.kind}</Tag> {q.reason}
                    </span>
                    <span className="soft small">{when(q.at)}</span>
                  </div>
                  <div className="soft small wrap-any">{[q.field, q.detail].filter(Boolean).join(' · ')}</div>
                </li>
              ))}
            </ul>
          )
        }
      </State>
    </Panel>
  );
}

function SQL() {
  const { t, n } = useWords();
  const [text, setText] = useState(example);
  const ask = useMutation({ mutationFn: () => must(api.POST('/api/v1/sql', { body: { sql: text, rows: 1000 } })) });
  const rows = ask.data?.rows ?? [];
  const columns = ask.data?.columns ?? [];
  return (
    <Panel title="SQL" aside={<span className="soft small">{t('It reads and does nothing else.')}</span>}>
      <div className="stack">
        <textarea
          aria-label="SQL"
          rows={6}
          value={text}
          spellCheck={false}
          onChange={(e) => setText(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) ask.mutate();
          }}
        />
        <div className="row">
          <button className="primary" onClick={() => ask.mutate()} disabled={ask.isPending}>
            {t('Run')}
          </button>
          <span className="soft small">Ctrl + Enter</span>
          {ask.data && (
            <>
              <span className="soft">{t('{n} rows', { n: n(rows.length) })}</span>
              <button onClick={() => save('query.csv', csv([columns.map((c) => c.name), ...rows.map((r) => (r ?? []).map(show))]))}>
                CSV
              </button>
            </>
          )}
        </div>
        <Failure error={ask.error} />
        {ask.data && (
          <div className="scroll" style={{ maxHeight: 420 }} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  {columns.map((c) => (
                    <th key={c.name}>{c.name}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((r, i) => (
                  <tr key={i}>
                    {(r ?? []).map((v, k) => (
                      <td key={k} className="mono">
                        {show(v)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </Panel>
  );
}
