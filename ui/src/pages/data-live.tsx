// The live stream: the last five hundred things that came in, and what became of them.
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useRef, useState } from 'react';
import { Empty, Facts, Panel, Tag, type Tone } from '../parts/kit';
import { gathered, kept, useStream, type Line } from '../parts/stream';
import { useWords, type Text } from '../words';

export const tones: Record<string, Tone> = { accepted: 'good', rejected: 'bad', quarantined: 'warn' };
export const outcomes: Record<string, Text> = { accepted: 'taken', rejected: 'refused', quarantined: 'put aside' };
const marks: Record<string, string> = { accepted: '✓', rejected: '✕', quarantined: '!' };

const seconds = 60;

export function Live() {
  const { t, n } = useWords();
  const [name, setName] = useState('');
  const [source, setSource] = useState('');
  const [outcome, setOutcome] = useState('');
  const [paused, setPaused] = useState(false);
  const [lines, setLines] = useState<Line[]>([]);
  const [behind, setBehind] = useState(0);
  const [lost, setLost] = useState(0);
  const [open, setOpen] = useState<Line | null>(null);
  const [counts, setCounts] = useState<number[]>([]);
  const came = useRef<Line[]>([]);
  const waits = useRef(false);
  const second = useRef(0);
  const sources = useRef(new Set<string>());
  waits.current = paused;
  const asked = useDeferredValue(name.trim());
  const query = '?' + new URLSearchParams(Object.entries({ name: asked, source, outcome }).filter(([, v]) => v)).toString();
  const link = useStream(query, (list, missed) => {
    second.current += list.length + missed;
    for (const l of list) if (l.source && sources.current.size < 50) sources.current.add(l.source);
    came.current.push(...list);
    if (came.current.length > kept) came.current = came.current.slice(-kept);
    if (waits.current) setBehind((b) => b + list.length + missed);
    else if (missed) setLost((x) => x + missed);
  });
  // Lines are drawn six times a second, however many come.
  useEffect(() => {
    const draw = setInterval(() => {
      if (waits.current || came.current.length === 0) return;
      const list = came.current;
      came.current = [];
      setLines((there) => gathered(there, list));
    }, 160);
    const tick = setInterval(() => {
      const c = second.current;
      second.current = 0;
      setCounts((there) => [...there, c].slice(-seconds));
    }, 1000);
    return () => {
      clearInterval(draw);
      clearInterval(tick);
    };
  }, []);
  useEffect(() => {
    came.current = [];
    setLines([]);
    setBehind(0);
  }, [query]);
  const go = () => {
    setPaused(false);
    setBehind(0);
  };
  const words: Record<typeof link, Text> = { opening: 'opening…', open: 'watching', lost: 'the connection is lost; it is tried again' };
  return (
    <div className="stack">
      <div className="panel livebar">
        <span className={'pulse ' + (paused ? 'paused' : link)} role="status">
          <i aria-hidden="true" />
          {paused ? t('paused') : t(words[link])}
        </span>
        <Rate counts={counts} />
        <input
          aria-label={t('Event')}
          placeholder={t('Event, such as Order')}
          value={name}
          onChange={(e) => setName(e.target.value)}
          maxLength={100}
          spellCheck={false}
        />
        <select aria-label={t('Source')} value={source} onChange={(e) => setSource(e.target.value)}>
          <option value="">{t('every source')}</option>
          {[...new Set([...sources.current, ...(source ? [source] : [])])].toSorted().map((s) => (
            <option key={s}>{s}</option>
          ))}
        </select>
        <select aria-label={t('What became of it')} value={outcome} onChange={(e) => setOutcome(e.target.value)}>
          <option value="">{t('taken or not')}</option>
          {Object.entries(outcomes).map(([v, text]) => (
            <option key={v} value={v}>
              {t(text)}
            </option>
          ))}
        </select>
        <div className="row end">
          {paused && behind > 0 && <span className="soft small">{t('{n} came since', { n: n(behind) })}</span>}
          <button className={paused ? 'primary' : ''} aria-pressed={paused} onClick={() => (paused ? go() : setPaused(true))}>
            {paused ? t('Go on') : t('Pause')}
          </button>
          <button
            onClick={() => {
              came.current = [];
              setLines([]);
              setLost(0);
              setOpen(null);
            }}
          >
            {t('Clear')}
          </button>
        </div>
      </div>
      {lost > 0 && (
        <p className="soft small">
          {t('{n} lines were left out because more came than a page can show. Nothing is lost in the data.', { n: n(lost) })}
        </p>
      )}
      <div className={'live' + (open ? ' with' : '')}>
        <Lines lines={lines} open={open} onOpen={setOpen} />
        {open && <Opened line={open} onClose={() => setOpen(null)} />}
      </div>
    </div>
  );
}

// Rate is how many came in each of the last sixty seconds.
export function Rate({ counts }: { counts: number[] }) {
  const { t, n } = useWords();
  const most = Math.max(...counts, 1);
  return (
    <span className="rate">
      <svg viewBox={`0 0 ${seconds * 2} 24`} preserveAspectRatio="none" aria-hidden="true">
        {counts.map((c, i) => (
          <rect
            key={i}
            x={(seconds - counts.length + i) * 2}
            width={1.5}
            y={24 - (c / most) * 23}
            height={(c / most) * 23}
            className="tone-accent"
          />
        ))}
      </svg>
      <b>{n(counts[counts.length - 1] ?? 0)}</b> <span className="soft">{t('a second')}</span>
    </span>
  );
}

function Lines({ lines, open, onOpen }: { lines: Line[]; open: Line | null; onOpen: (l: Line) => void }) {
  const { t, language } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const v = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 38, overscan: 10 });
  const clock = new Intl.DateTimeFormat(language === 'de' ? 'de-DE' : 'en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  if (lines.length === 0)
    return (
      <Panel>
        <Empty>{t('Nothing has come yet. As soon as something does, it stands here.')}</Empty>
      </Panel>
    );
  return (
    <div className="panel lines-box" ref={box} tabIndex={0} role="region" aria-label={t('What came in, the newest first')}>
      <ul className="plain" style={{ height: v.getTotalSize(), position: 'relative' }}>
        {v.getVirtualItems().map((item) => {
          const l = lines[item.index] as Line;
          return (
            <li key={l.n} className="line-row" style={{ transform: `translateY(${item.start}px)` }}>
              <button className={open?.n === l.n ? 'on' : ''} onClick={() => onOpen(l)}>
                <time>{clock.format(new Date(l.at))}</time>
                <span className={'mark ' + tones[l.outcome]} title={t(outcomes[l.outcome] ?? 'taken')}>
                  <span aria-hidden="true">{marks[l.outcome]}</span>
                  <span className="hidden">{t(outcomes[l.outcome] ?? 'taken')}</span>
                </span>
                <b>{l.name}</b>
                <span className="who">{l.reason ?? l.who ?? ''}</span>
                <span className="soft from">{l.source}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Opened({ line, onClose }: { line: Line; onClose: () => void }) {
  const { t, when } = useWords();
  const facts: [string, React.ReactNode][] = [
    [t('When'), when(line.at)],
    [t('Source'), line.source ?? '–'],
  ];
  if (line.who) facts.push([t('Who'), line.who]);
  if (line.field) facts.push([t('Field'), <code key="f">{line.field}</code>]);
  return (
    <Panel
      title={line.name}
      aside={
        <div className="row">
          <Tag tone={tones[line.outcome]}>{t(outcomes[line.outcome] ?? 'taken')}</Tag>
          <button className="link" onClick={onClose}>
            {t('Close')}
          </button>
        </div>
      }
    >
      <div className="stack">
        {line.reason && <div className="note bad">{line.reason}</div>}
        <Facts of={facts} />
        <div className="row">
          {line.customer && line.outcome === 'accepted' && (
            <Link className="button" to={'/app/customers/' + line.customer}>
              {t('Customer')}
            </Link>
          )}
          {line.outcome !== 'accepted' && (
            <Link className="button" to="/app/data/aside">
              {t('Mend it')}
            </Link>
          )}
        </div>
        {line.clipped && <p className="soft small">{t('It is too large to be shown whole.')}</p>}
        {(line.event || line.raw) && (
          <pre className="json" tabIndex={0} aria-label={t('The event')}>
            {line.event ? JSON.stringify(line.event, null, 2) : pretty(line.raw ?? '')}
          </pre>
        )}
      </div>
    </Panel>
  );
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
