// Charts of our own: SVG that scales, with the same numbers in a table and in a file.
import { useId, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useWords } from '../words';
import { csv, save } from './csv';
import { Panel } from './kit';

export type Row = (string | number)[];

// Chart is a panel with a picture, the table of the picture, and the table as a file.
export function Chart({
  title,
  about,
  name,
  head,
  rows,
  shown,
  actions,
  children,
}: {
  title: string;
  about?: ReactNode;
  name: string; // of the file
  head: string[];
  rows: Row[];
  shown?: ReactNode[][]; // the rows as people read them; default: as they are
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useWords();
  const [table, setTable] = useState(false);
  return (
    <Panel
      title={title}
      aside={
        <div className="row">
          {actions}
          <button className="small" aria-pressed={table} onClick={() => setTable(!table)}>
            {table ? t('Chart') : t('Table')}
          </button>
          <button className="small" onClick={() => save(name + '.csv', csv([head, ...rows]))}>
            CSV
          </button>
        </div>
      }
    >
      {about && <p className="soft small chart-about">{about}</p>}
      {table ? <Table head={head} rows={shown ?? rows} label={title} nums={rows[0]?.map((v) => typeof v === 'number')} /> : children}
    </Panel>
  );
}

export function Table({ head, rows, label, nums }: { head: ReactNode[]; rows: ReactNode[][]; label: string; nums?: boolean[] }) {
  return (
    <div className="scroll tall" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((h, i) => (
              <th key={i} className={nums?.[i] ? 'num' : ''}>
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r, i) => (
            <tr key={i}>
              {r.map((c, k) => (
                <td key={k} className={nums?.[k] ? 'num' : ''}>
                  {c}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// ticks are round numbers from zero to at least the most.
export function ticks(most: number, about = 4): number[] {
  if (!(most > 0)) return [0, 1];
  const raw = most / about;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * unit).find((s) => s >= raw) ?? raw;
  const list = [];
  for (let i = 0; i * step < most + step; i++) list.push(i * step);
  return list;
}

const H = 220;
const left = 56;
const bottom = 24;

export interface Series {
  name: string;
  values: number[];
  tone?: 'accent' | 'soft' | 'warn' | 'bad' | 'good';
  dashed?: boolean;
}

function useNarrow() {
  return useSyncExternalStore(
    (told) => {
      addEventListener('resize', told);
      return () => removeEventListener('resize', told);
    },
    () => innerWidth < 700,
  );
}

// Plot is bars or lines over labels, with an axis of round numbers.
export function Plot({
  labels,
  series,
  kind,
  format,
  label,
}: {
  labels: string[];
  series: Series[];
  kind: 'bars' | 'lines' | 'area';
  format: (n: number) => string;
  label: string;
}) {
  const [at, setAt] = useState<number | null>(null);
  const narrow = useNarrow();
  const W = narrow ? 400 : 720; // so that letters stay as large on a telephone
  const id = useId();
  const most = Math.max(...series.flatMap((s) => s.values), 0);
  const marks = ticks(most);
  const top = marks[marks.length - 1] ?? 1;
  const n = Math.max(labels.length, 1);
  const slot = (W - left - 8) / n;
  const x = (i: number) => left + slot * (i + 0.5);
  const y = (v: number) => H - bottom - (Math.max(v, 0) / top) * (H - bottom - 10);
  const every = Math.max(1, Math.ceil(n / (narrow ? 4 : 8)));
  const shown = at === null ? null : labels[at];
  return (
    <div className="plot">
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-labelledby={id} onPointerLeave={() => setAt(null)}>
        <title id={id}>{label}</title>
        {marks.map((m) => (
          <g key={m}>
            <line x1={left} x2={W - 8} y1={y(m)} y2={y(m)} className="grid" />
            <text x={left - 8} y={y(m) + 3.5} textAnchor="end">
              {format(m)}
            </text>
          </g>
        ))}
        {labels.map((l, i) =>
          i % every === 0 && (n - i > every / 2 || i === 0) ? (
            <text key={i} x={x(i)} y={H - 6} textAnchor="middle">
              {l}
            </text>
          ) : null,
        )}
        {at !== null && <rect x={left + slot * at} y={6} width={slot} height={H - bottom - 6} className="cursor" />}
        {series.map((s) => {
          const tone = 'tone-' + (s.tone ?? 'accent');
          if (kind === 'bars') {
            const wide = (slot * 0.72) / series.length;
            const k = series.indexOf(s);
            return s.values.map((v, i) => (
              <rect
                key={s.name + i}
                className={tone}
                x={x(i) - slot * 0.36 + wide * k}
                width={Math.max(wide, 0.6)}
                y={y(v)}
                height={Math.max(H - bottom - y(v), 0)}
                rx={Math.min(2, wide / 4)}
              />
            ));
          }
          const points = s.values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
          return (
            <g key={s.name} className={tone}>
              {kind === 'area' && <polygon className="wash" points={`${x(0)},${H - bottom} ${points} ${x(n - 1)},${H - bottom}`} />}
              <polyline className="line" points={points} strokeDasharray={s.dashed ? '5 4' : undefined} />
              {s.values.length === 1 && <circle cx={x(0)} cy={y(s.values[0] ?? 0)} r={3} />}
            </g>
          );
        })}
        {labels.map((_, i) => (
          <rect key={i} x={left + slot * i} y={0} width={slot} height={H} fill="transparent" onPointerEnter={() => setAt(i)} />
        ))}
      </svg>
      <div className="legend" aria-hidden="true">
        {series.map((s) => (
          <span key={s.name}>
            <i className={'tone-' + (s.tone ?? 'accent') + (s.dashed ? ' dashed' : '')} />
            {s.name}
            {at !== null && <b> {format(s.values[at] ?? 0)}</b>}
          </span>
        ))}
        {shown && <span className="soft">{shown}</span>}
      </div>
    </div>
  );
}

// Ranks are shares of a whole as bars that read from left to right; each may open.
export function Ranks({
  rows,
  format,
}: {
  rows: { name: ReactNode; key: string; value: number; note?: ReactNode; open?: () => void }[];
  format: (n: number) => string;
}) {
  const most = Math.max(...rows.map((r) => r.value), 0) || 1;
  return (
    <ul className={'plain ranks' + (rows.some((r) => r.note !== undefined) ? ' noted' : '')}>
      {rows.map((r) => (
        <li key={r.key}>
          <span className="name">{r.name}</span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect width={100} height={10} className="ground" />
            <rect width={Math.max((r.value / most) * 100, r.value > 0 ? 0.7 : 0)} height={10} className="tone-accent" />
          </svg>
          <span className="num">
            {r.open ? (
              <button className="link" onClick={r.open}>
                {format(r.value)}
              </button>
            ) : (
              format(r.value)
            )}
          </span>
          {r.note !== undefined && <span className="soft small note-cell">{r.note}</span>}
        </li>
      ))}
    </ul>
  );
}

// heat is the ground of a cell: stronger for more. Its text stays readable in both
// themes, because the ground never gets as far as the text's colour.
export const heat = (share: number) =>
  `color-mix(in oklab, var(--accent) ${Math.round(Math.max(0, Math.min(1, share)) * 42)}%, var(--panel))`;

// Heat is a table whose cells are shaded by how much they hold.
export function Heat({
  label,
  corner,
  head,
  rows,
}: {
  label: string;
  corner: string;
  head: string[];
  rows: { name: string; cells: ({ share: number; text: ReactNode; title?: string; open?: () => void } | null)[] }[];
}) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="heat">
        <thead>
          <tr>
            <th>{corner}</th>
            {head.map((h) => (
              <th key={h} className="num" scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.name}>
              <th scope="row">{r.name}</th>
              {r.cells.map((c, i) =>
                c ? (
                  <td key={i} style={{ background: heat(c.share) }} title={c.title}>
                    {c.open ? (
                      <button className="cell" onClick={c.open}>
                        {c.text}
                      </button>
                    ) : (
                      c.text
                    )}
                  </td>
                ) : (
                  <td key={i} />
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Calibration shows whether what a model said came true: in groups by what was predicted,
// the mean of that beside the mean of what came.
export function Calibration({
  bins,
  counted,
  ...chart
}: {
  title: string;
  about?: ReactNode;
  name: string;
  actions?: ReactNode;
  bins: { group: string; n: number; predicted: number; actual: number }[];
  counted?: string; // what a group has so many of: customers
}) {
  const { t } = useWords();
  return (
    <Chart
      {...chart}
      head={[t('Group'), counted ?? t('Customers'), t('Predicted'), t('Came')]}
      rows={bins.map((b) => [b.group, b.n, b.predicted, b.actual])}
    >
      <Plot
        kind="lines"
        labels={bins.map((b) => b.group)}
        series={[
          { name: t('Predicted'), values: bins.map((b) => b.predicted), tone: 'soft', dashed: true },
          { name: t('Came'), values: bins.map((b) => b.actual) },
        ]}
        format={(x) => String(Math.round(x * 100) / 100)}
        label={t('Predicted beside what came')}
      />
    </Chart>
  );
}
