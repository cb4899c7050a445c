// SQL over the tables of the warehouse: it reads and does nothing else.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, must } from '../api';
import { csv, save } from '../parts/csv';
import { Failure, Panel } from '../parts/kit';
import { useWords, type Text } from '../words';
import { show } from './customer';

const tables = ['events', 'orders', 'order_lines', 'deliveries', 'decisions', 'memberships', 'profiles', 'persons'] as const;
const examples: { text: Text; sql: string }[] = [
  {
    text: 'What was heard most',
    sql: 'SELECT type, name, count(*) AS events\nFROM events\nGROUP BY type, name\nORDER BY events DESC\nLIMIT 20',
  },
  {
    text: 'Orders by month',
    sql: "SELECT strftime(ts, '%Y-%m') AS month, count(*) AS orders\nFROM orders\nWHERE kind = 'completed'\nGROUP BY month\nORDER BY month",
  },
  {
    text: 'Why messages were not sent',
    sql: 'SELECT channel, state, because, count(*) AS messages\nFROM deliveries\nGROUP BY channel, state, because\nORDER BY messages DESC',
  },
  {
    text: 'Who is in which segment',
    sql: 'SELECT segment, count(*) AS people\nFROM members\nGROUP BY segment\nORDER BY people DESC',
  },
];

const stored = 'rapport.sql';
const remembered = 30;

function past(): string[] {
  try {
    const v: unknown = JSON.parse(localStorage.getItem(stored) ?? '[]');
    return Array.isArray(v) ? v.filter((x) => typeof x === 'string').slice(0, remembered) : [];
  } catch {
    return [];
  }
}

export function SQL() {
  const { t, n } = useWords();
  const [text, setText] = useState(examples[0]?.sql ?? '');
  const [history, setHistory] = useState(past);
  const [took, setTook] = useState(0);
  const box = useRef<HTMLTextAreaElement>(null);
  const ask = useMutation({
    mutationFn: async (sql: string) => {
      const began = performance.now();
      const out = await must(api.POST('/api/v1/sql', { body: { sql, rows: 2000 } }));
      setTook(performance.now() - began);
      const next = [sql, ...history.filter((h) => h !== sql)].slice(0, remembered);
      setHistory(next);
      localStorage.setItem(stored, JSON.stringify(next));
      return out;
    },
  });
  const whole = useMutation({
    mutationFn: async (sql: string) => {
      const r = await fetch('/api/v1/exports', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ sql, format: 'csv' }),
      });
      if (!r.ok) throw new Error(((await r.json()) as { detail?: string }).detail ?? r.statusText);
      save('query.csv', await r.text());
    },
  });
  const insert = (word: string) => {
    const b = box.current;
    if (!b) return;
    const from = b.selectionStart;
    setText(text.slice(0, from) + word + text.slice(b.selectionEnd));
    requestAnimationFrame(() => {
      b.focus();
      b.setSelectionRange(from + word.length, from + word.length);
    });
  };
  const rows = ask.data?.rows ?? [];
  const columns = ask.data?.columns ?? [];
  const numeric = columns.map((_, k) => rows.length > 0 && rows.every((r) => r?.[k] === null || typeof r?.[k] === 'number'));
  return (
    <div className="sql">
      <div className="stack">
        <Panel title={t('Tables')} flush>
          <ul className="plain tables">
            {tables.map((x) => (
              <Columns key={x} table={x} insert={insert} />
            ))}
          </ul>
        </Panel>
        <Panel title={t('To begin with')} flush>
          <ul className="plain lines pick">
            {examples.map((e) => (
              <li key={e.text}>
                <button onClick={() => setText(e.sql)}>{t(e.text)}</button>
              </li>
            ))}
          </ul>
        </Panel>
      </div>
      <div className="stack">
        <Panel title="SQL" aside={<span className="soft small">{t('It reads and does nothing else.')}</span>}>
          <div className="stack">
            <textarea
              ref={box}
              aria-label="SQL"
              rows={8}
              value={text}
              spellCheck={false}
              onChange={(e) => setText(e.target.value)}
              onKeyDown={(e) => {
                if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) ask.mutate(text);
              }}
            />
            <div className="row">
              <button className="primary" onClick={() => ask.mutate(text)} disabled={ask.isPending || !text.trim()}>
                {ask.isPending ? t('Running…') : t('Run')}
              </button>
              <span className="soft small">Ctrl + Enter</span>
              {history.length > 0 && (
                <select aria-label={t('Asked before')} value="" onChange={(e) => setText(history[Number(e.target.value)] ?? text)}>
                  <option value="">{t('Asked before')}</option>
                  {history.map((h, i) => (
                    <option key={h} value={i}>
                      {h.replaceAll(/\s+/g, ' ').slice(0, 80)}
                    </option>
                  ))}
                </select>
              )}
            </div>
            <Failure error={ask.error} />
          </div>
        </Panel>
        {ask.data && (
          <Panel
            title={ask.data.truncated ? t('The first {n} rows', { n: n(rows.length) }) : t('{n} rows', { n: n(rows.length) })}
            aside={
              <div className="row">
                <span className="soft small">{n(Math.round(took))} ms</span>
                {ask.data.truncated && (
                  <button className="small" onClick={() => whole.mutate(ask.variables)} disabled={whole.isPending}>
                    {t('All of it as CSV')}
                  </button>
                )}
                <button
                  className="small"
                  onClick={() => save('query.csv', csv([columns.map((c) => c.name), ...rows.map((r) => (r ?? []).map(show))]))}
                >
                  CSV
                </button>
              </div>
            }
            flush
          >
            <Failure error={whole.error} />
            <div className="scroll tall" tabIndex={0} role="region" aria-label={t('Answer')}>
              <table>
                <thead>
                  <tr>
                    {columns.map((c, k) => (
                      <th key={c.name + k} className={numeric[k] ? 'num' : ''}>
                        {c.name} <span className="type">{c.type}</span>
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {rows.map((r, i) => (
                    <tr key={i}>
                      {(r ?? []).map((v, k) => (
                        <td key={k} className={'mono' + (numeric[k] ? ' num' : '')}>
                          {show(v)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Panel>
        )}
      </div>
    </div>
  );
}

// Columns are asked for when a table is opened: the empty answer names them.
function Columns({ table, insert }: { table: string; insert: (word: string) => void }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const q = useQuery({
    queryKey: ['columns', table],
    enabled: open,
    staleTime: Infinity,
    queryFn: () => must(api.POST('/api/v1/sql', { body: { sql: `SELECT * FROM ${table} LIMIT 0` } })),
  });
  return (
    <li>
      <button className="table-name" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{open ? '▾' : '▸'}</span> {table}
      </button>
      {open && (
        <ul className="plain">
          {q.isPending && <li className="soft small">{t('One moment…')}</li>}
          {q.error && <li className="soft small">{q.error.message}</li>}
          {(q.data?.columns ?? []).map((c) => (
            <li key={c.name}>
              <button onClick={() => insert(c.name)}>
                {c.name} <span className="type">{c.type}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
