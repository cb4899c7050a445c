// A journey as a list: the same as the canvas, for the keyboard and for who listens.
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { useWords } from '../words';
import { FlawTag, Icon, type Canvas } from './canvas';
import { BEGIN, END, order, shapeOf, ways } from './canvas-model';

export function ListOf({
  canvas: c,
  onOpen,
  onNudge,
  onRemove,
  onDuplicate,
  focus,
  onFocused,
}: {
  canvas: Canvas;
  onOpen: (name: string) => void;
  onNudge: (name: string, by: -1 | 1) => void;
  onRemove: (name: string) => void;
  onDuplicate: (name: string) => void;
  focus: string | null; // the step that the focus goes to when it is drawn
  onFocused: () => void;
}) {
  const { t, language } = useWords();
  const box = useRef<HTMLOListElement>(null);
  const rows = order(c.draft, c.kinds);
  useEffect(() => {
    if (focus === null) return;
    const el = [...(box.current?.querySelectorAll<HTMLElement>('[data-step]') ?? [])].find((e) => e.dataset['step'] === focus);
    if (!el) return;
    el.focus();
    onFocused();
  });
  const go = (from: HTMLElement, by: number) => {
    const all = [...(box.current?.querySelectorAll<HTMLElement>('[data-step]') ?? [])];
    all[Math.max(0, Math.min(all.length - 1, all.indexOf(from) + by))]?.focus();
  };
  const keys = (name: string) => (e: KeyboardEvent<HTMLElement>) => {
    const step = name !== BEGIN && !c.readOnly;
    const first =
      name === BEGIN
        ? { from: BEGIN, key: '' }
        : ways(
            c.draft.steps.find((s) => s.name === name)!,
            c.kinds,
          )[0];
    if (e.altKey && step && (e.key === 'ArrowUp' || e.key === 'ArrowDown')) onNudge(name, e.key === 'ArrowUp' ? -1 : 1);
    else if (e.ctrlKey || e.metaKey || e.altKey) return;
    else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') go(e.currentTarget, e.key === 'ArrowDown' ? 1 : -1);
    else if (e.key === 'Delete' && step) onRemove(name);
    else if ((e.key === 'a' || e.key === 'Insert') && first && !c.readOnly) c.onAdd(first.from, first.key);
    else if (e.key === 'd' && step) onDuplicate(name);
    else return;
    e.preventDefault();
  };
  return (
    <>
      <p className="soft small jhelp" id="jkeys">
        {t(
          'Keys: ↑ ↓ between steps, Enter opens one, A adds behind it, D copies it, Alt+↑ ↓ moves it, Delete takes it out, Ctrl+Z takes a change back.',
        )}
      </p>
      <ol className="plain jlist" ref={box} aria-label={t('Steps')} aria-describedby="jkeys">
        <li>
          <div className="jrow">
            <button type="button" className="jline" data-step={BEGIN} onClick={() => onOpen(BEGIN)} onKeyDown={keys(BEGIN)}>
              <span className="soft">{t('Begins')}</span> <b>{c.begins || t('Nothing lets anybody in yet')}</b>
            </button>
            {c.flaws[''] && <FlawTag {...c.flaws['']} />}
            {!c.readOnly && (
              <button type="button" className="link" onClick={() => c.onAdd(BEGIN, '')}>
                {t('Add a first step')}
              </button>
            )}
          </div>
          <Numbers c={c} name="" />
        </li>
        {rows.map(({ step, depth, via, reached }) => {
          const out = ways(step, c.kinds, language);
          const flaw = c.flaws[step.name];
          const shape = shapeOf(c.kinds, step.kind);
          return (
            <li key={step.name} style={{ marginInlineStart: Math.min(depth, 6) * 22 }} className={reached ? '' : 'loose'}>
              <div className="jrow">
                <button
                  type="button"
                  className={'jline' + (c.selected === step.name ? ' on' : '')}
                  data-step={step.name}
                  onClick={() => onOpen(step.name)}
                  onKeyDown={keys(step.name)}
                >
                  <Icon shape={shape} />
                  <span className="soft">{shape?.label[language] ?? step.kind}</span> <b>{c.titles[step.name] || step.name}</b>
                  {via && (
                    <span className="hidden">
                      {' '}
                      {t('on the way')} {c.labels[`${pred(c, step.name)} ${via}`] ?? via}
                    </span>
                  )}
                </button>
                {flaw && <FlawTag {...flaw} />}
                {!reached && <span className="jflaw warn">{t('no way leads here')}</span>}
                {!c.readOnly && (
                  <span className="row jtools">
                    <button
                      type="button"
                      className="icon"
                      aria-label={t('Move {what} up', { what: step.name })}
                      onClick={() => onNudge(step.name, -1)}
                    >
                      ↑
                    </button>
                    <button
                      type="button"
                      className="icon"
                      aria-label={t('Move {what} down', { what: step.name })}
                      onClick={() => onNudge(step.name, 1)}
                    >
                      ↓
                    </button>
                    <button
                      type="button"
                      className="icon"
                      aria-label={t('Take {what} out', { what: step.name })}
                      onClick={() => onRemove(step.name)}
                    >
                      ×
                    </button>
                  </span>
                )}
              </div>
              {flaw && flaw.first && <div className={'jflaw ' + (flaw.bad ? 'bad' : 'warn')}>{flaw.first}</div>}
              {step.note && <div className="jnote">{step.note}</div>}
              <Numbers c={c} name={step.name} />
              <div className="jways">
                {out.map((w) => {
                  const label = c.labels[`${w.from} ${w.key}`] ?? w.label;
                  return (
                    <span key={w.key} className="jto">
                      <span className="soft">
                        {label ? label + ' → ' : '→ '}
                        {w.to === END ? t('the end') : w.to}
                      </span>
                      {!c.readOnly && (
                        <button
                          type="button"
                          className="jplus small"
                          aria-label={t('Add a step after {what}', { what: label ? `${step.name} (${label})` : step.name })}
                          onClick={() => c.onAdd(w.from, w.key)}
                        >
                          +
                        </button>
                      )}
                    </span>
                  );
                })}
              </div>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function pred(c: Canvas, name: string): string {
  return c.draft.steps.find((s) => ways(s, c.kinds).some((w) => w.to === name))?.name ?? '';
}

function Numbers({ c, name }: { c: Canvas; name: string }) {
  const list = c.figures[name] ?? [];
  if (list.length === 0) return null;
  return (
    <div className="jnums">
      {list.map((f) => (
        <button key={f.key} type="button" className={f.tone ?? ''} onClick={() => c.onFigure(name, f)}>
          {f.text}
        </button>
      ))}
    </div>
  );
}
