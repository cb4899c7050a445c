// Small parts that every page is made of.
import { useEffect, useRef, type ReactNode } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { useWords } from '../words';

export function Page({ title, about, actions, children }: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = title + ' · Rapport';
  }, [title]);
  return (
    <>
      <div className="head">
        <div>
          <h1>{title}</h1>
          {about && <p>{about}</p>}
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
      {children}
    </>
  );
}

export function Panel({ title, aside, children, flush }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className="panel">
      {title && (
        <header>
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {flush ? children : <div className="body">{children}</div>}
    </section>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'accent' | '';

export function Tag({ tone = '', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={'tag ' + tone}>{children}</span>;
}

// State shows what a question has come to: its trouble, that it is under way, or
// the answer.
export function State<T>({
  of,
  children,
}: {
  of: { data: T | undefined; error: Error | null; isPending: boolean };
  children: (data: T) => ReactNode;
}) {
  const { t } = useWords();
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error)
    return (
      <div className="note bad" role="alert">
        {of.error.message}
      </div>
    );
  return (
    <div className="empty" role="status">
      {t('One moment…')}
    </div>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className="empty">{children}</div>;
}

export function Kpi({ label, value, series }: { label: string; value: ReactNode; series?: number[] }) {
  return (
    <div className="panel kpi">
      <div className="label">{label}</div>
      <div className="value">{value}</div>
      {series && series.length > 1 && <Spark values={series} />}
    </div>
  );
}

function Spark({ values }: { values: number[] }) {
  const most = Math.max(...values, 1);
  const points = values.map((v, i) => `${((i / (values.length - 1)) * 100).toFixed(2)},${(28 - (v / most) * 25).toFixed(2)}`).join(' ');
  return (
    <svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`0,30 ${points} 100,30`} fill="var(--accent-wash)" />
      <polyline points={points} fill="none" stroke="var(--accent)" strokeWidth="1.6" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

export function Bar({ share }: { share: number }) {
  return (
    <div className="bar">
      <i style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
    </div>
  );
}

export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export interface Column<T> {
  name: string;
  width: string;
  num?: boolean;
  cell: (row: T) => ReactNode;
}

// List is a table of any length: only what is seen is drawn, and the next page is
// asked for when its end comes near.
export function List<T>({
  label,
  rows,
  columns,
  keyOf,
  to,
  more,
}: {
  label: string;
  rows: T[];
  columns: Column<T>[];
  keyOf: (row: T) => string;
  to?: (row: T) => string;
  more?: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 40, overscan: 12 });
  const items = v.getVirtualItems();
  const last = items[items.length - 1]?.index ?? 0;
  useEffect(() => {
    if (more && rows.length > 0 && last >= rows.length - 20) more();
  }, [last, rows.length, more]);
  const grid = { gridTemplateColumns: columns.map((c) => c.width).join(' ') };
  return (
    <div className="panel vt" ref={box} role="table" aria-label={label} aria-rowcount={rows.length} tabIndex={0}>
      <div role="rowgroup">
        <div className="vhead" role="row" style={grid}>
          {columns.map((c) => (
            <span key={c.name} role="columnheader" className={c.num ? 'num' : ''}>
              {c.name}
            </span>
          ))}
        </div>
      </div>
      <div className="vbody" role="rowgroup" style={{ height: v.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index] as T;
          const cells = columns.map((c, i) => (
            <span key={c.name} role="cell" className={c.num ? 'num' : ''}>
              {i === 0 && to ? <Link to={to(row)}>{c.cell(row)}</Link> : c.cell(row)}
            </span>
          ));
          return (
            <div key={keyOf(row)} className="vrow" role="row" style={{ ...grid, transform: `translateY(${item.start}px)` }}>
              {cells}
            </div>
          );
        })}
      </div>
    </div>
  );
}

// Ask is a dialog of the browser's own: it keeps the focus and closes by Escape.
export function Ask({ open, onClose, title, children }: { open: boolean; onClose: () => void; title: string; children: ReactNode }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open && !box.current?.open) box.current?.showModal();
    if (!open) box.current?.close();
  }, [open]);
  return (
    <dialog ref={box} onClose={onClose} aria-label={title}>
      {open && (
        <div className="stack">
          <h2>{title}</h2>
          {children}
        </div>
      )}
    </dialog>
  );
}

export function Failure({ error }: { error: Error | null | undefined }) {
  return error ? (
    <div className="note bad" role="alert">
      {error.message}
    </div>
  ) : null;
}

const tones: Record<string, Tone> = {
  accepted: 'good',
  done: 'good',
  running: 'accent',
  waiting: 'warn',
  paused: 'warn',
  stopped: 'bad',
  planned: 'accent',
  missed: 'warn',
  rejected: 'bad',
  failed: 'bad',
  unknown: 'warn',
  render_failed: 'bad',
};

export function StateTag({ state }: { state: string }) {
  return <Tag tone={tones[state] ?? ''}>{state.replaceAll('_', ' ')}</Tag>;
}
