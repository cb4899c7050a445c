// The panel beside the canvas: the form of one step, or of how the journey begins and ends.
import { useEffect, useRef, useState } from 'react';
import { useWords } from '../words';
import { Icon, type Canvas } from './canvas';
import { Form, type Flaw, type Known } from './canvas-fields';
import {
  beginWith,
  END,
  isTree,
  openWay,
  redirect,
  rename,
  setStep,
  shapeOf,
  ways,
  type Draft,
  type Json,
  type Shape,
  type Tree,
} from './canvas-model';
import type { Schemas } from '../api';

type Shapes = Schemas['Shapes'];

// within returns the flaws below a place, with places relative to it.
export function within(flaws: Flaw[], place: string[]): Flaw[] {
  return flaws.filter((f) => place.every((k, i) => f.place?.[i] === k)).map((f) => ({ ...f, place: (f.place ?? []).slice(place.length) }));
}

function Own({ flaws }: { flaws: Flaw[] }) {
  const { t } = useWords();
  if (flaws.length === 0) return null;
  return (
    <ul className="plain jflaws" aria-label={t('What is missing')}>
      {flaws.map((f, i) => (
        <li key={i} className={'jflaw ' + (f.warning ? 'warn' : 'bad')}>
          {f.what}
          {f.instead ? ` – ${f.instead}` : ''}
        </li>
      ))}
    </ul>
  );
}

export function StepPanel({
  canvas: c,
  shapes,
  name,
  flaws,
  known,
  onChange,
  onRename,
  onClose,
  children,
}: {
  canvas: Canvas;
  shapes: Shapes;
  name: string;
  flaws: Flaw[]; // of the whole journey
  known: Known;
  onChange: (d: Draft) => void;
  onRename: (d: Draft, to: string) => void;
  onClose: () => void;
  children?: React.ReactNode; // what can be done with the step
}) {
  const { t, language } = useWords();
  const at = c.draft.steps.findIndex((s) => s.name === name);
  const step = c.draft.steps[at];
  const shape = shapeOf(c.kinds, step?.kind ?? '');
  const head = useRef<HTMLHeadingElement>(null);
  const [typed, setTyped] = useState(name);
  useEffect(() => {
    setTyped(name);
    head.current?.focus();
  }, [name]);
  if (!step) return null;
  const mine = within(flaws, ['steps', String(at)]);
  const short = shape?.short ?? '';
  // Of a bare value the flaw is at the kind's key itself.
  const inner = within(mine, [step.kind]).map((f) => (f.place?.length === 0 && short && short in step.body ? { ...f, place: [short] } : f));
  const fields = inner.filter((f) => (f.place ?? []).length > 0);
  const own = [...mine.filter((f) => f.place?.[0] !== step.kind), ...inner.filter((f) => (f.place ?? []).length === 0)];
  const free = /^[A-Za-z0-9_-]{1,64}$/.test(typed) && typed !== END && (typed === name || !c.draft.steps.some((s) => s.name === typed));
  const out = ways(step, c.kinds, language);
  const more = (shape?.forks ?? []).filter(
    (f) =>
      f.optional && !f.each && !out.some((w) => w.key === f.at) && ((f.needs ?? []).length === 0 || f.needs?.some((n) => n in step.body)),
  );
  const targets = (value: string, onPick: (to: string) => void, label: string, closes?: boolean) => (
    <select aria-label={label} value={value} disabled={c.readOnly} onChange={(e) => onPick(e.target.value)}>
      {closes && <option value="">{t('as usual')}</option>}
      {c.draft.steps
        .filter((s) => s.name !== name)
        .map((s) => (
          <option key={s.name} value={s.name}>
            {s.name} – {c.titles[s.name] ?? ''}
          </option>
        ))}
      <option value={END}>{t('the end')}</option>
    </select>
  );
  return (
    <section className="panel jpanel" aria-label={t('Step {name}', { name })} onKeyDown={(e) => e.key === 'Escape' && onClose()}>
      <header>
        <h2 ref={head} tabIndex={-1}>
          <Icon shape={shape} /> {shape?.label[language] ?? step.kind}
        </h2>
        <button type="button" className="icon" aria-label={t('Close')} onClick={onClose}>
          ×
        </button>
      </header>
      <div className="body stack">
        <p className="soft small">{shape?.about[language]}</p>
        <Own flaws={own} />
        <Form
          shape={shape}
          body={step.body}
          known={known}
          flaws={fields}
          readOnly={c.readOnly}
          onChange={(b) => {
            // Where it leads is no field of the form, and stays.
            const kept: Tree = {};
            for (const f of shape?.forks ?? []) if (!f.each && f.at in step.body) kept[f.at] = step.body[f.at] as Json;
            for (const f of shape?.forks ?? []) if (f.keyed && f.at in step.body) kept[f.at] = step.body[f.at] as Json;
            onChange(setStep(c.draft, name, { body: { ...kept, ...b } }, c.kinds));
          }}
        />
        {out.length + more.length > 0 && (
          <fieldset className="jfield">
            <legend>{t('Where it leads')}</legend>
            {out.map((w) => {
              const label = c.labels[`${w.from} ${w.key}`] ?? w.label;
              const optional = shape?.forks?.find((f) => f.at === w.key && !f.each)?.optional;
              return (
                <div key={w.key} className="jleads">
                  <span className="soft small">{label || t('and then')}</span>
                  {targets(
                    w.to,
                    (to) => onChange(to === '' ? openWay(c.draft, name, w.key, undefined) : redirect(c.draft, name, w.key, to)),
                    t('{what} leads to', { what: label || t('and then') }),
                    optional,
                  )}
                </div>
              );
            })}
            {more.map((f) => (
              <div key={f.at} className="jleads">
                <span className="soft small">{f.label[language]}</span>
                {targets(
                  '',
                  (to) => to !== '' && onChange(openWay(c.draft, name, f.at, to)),
                  t('{what} leads to', { what: f.label[language] }),
                  true,
                )}
              </div>
            ))}
          </fieldset>
        )}
        {(shapes.beside ?? [])
          .filter((f) => f.name === 'note')
          .map((f) => (
            <label key={f.name} className="field">
              {f.label[language]}
              <textarea
                rows={2}
                maxLength={2000}
                value={step.note ?? ''}
                readOnly={c.readOnly}
                onChange={(e) => onChange(setStep(c.draft, name, { note: e.target.value || undefined }, c.kinds))}
              />
              <small>{f.about[language]}</small>
            </label>
          ))}
        <label className="field">
          {t('Name')}
          <input
            value={typed}
            maxLength={64}
            readOnly={c.readOnly}
            aria-invalid={!free}
            onChange={(e) => setTyped(e.target.value)}
            onKeyDown={(e) => e.key === 'Enter' && e.currentTarget.blur()}
            onBlur={() => (free && typed !== name ? onRename(rename(c.draft, name, typed, c.kinds), typed) : setTyped(name))}
          />
          <small>{shapes.beside?.find((f) => f.name === 'name')?.about[language]}</small>
        </label>
        {!c.readOnly && children}
      </div>
    </section>
  );
}

export function BeginPanel({
  canvas: c,
  shapes,
  flaws,
  known,
  onChange,
  onClose,
  children,
}: {
  canvas: Canvas;
  shapes: Shapes;
  flaws: Flaw[];
  known: Known;
  onChange: (d: Draft) => void;
  onClose: () => void;
  children?: React.ReactNode;
}) {
  const { t, language } = useWords();
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  const triggers = Array.isArray(c.draft.head['trigger']) ? c.draft.head['trigger'] : [];
  const kinds: Shape[] = shapes.triggers ?? [];
  const set = (list: Json[]) => onChange({ ...c.draft, head: { ...c.draft.head, trigger: list } });
  const of = (x: Tree) => kinds.find((k) => k.key in x);
  const own = flaws.filter((f) => !f.step && (f.place ?? []).length === 0);
  const about = (i: number) => (triggers.length === 1 ? within(flaws, ['trigger']) : within(flaws, ['trigger', String(i)]));
  const fields = shapes.whole.fields ?? [];
  return (
    <section className="panel jpanel" aria-label={t('How it begins and ends')} onKeyDown={(e) => e.key === 'Escape' && onClose()}>
      <header>
        <h2 ref={head} tabIndex={-1}>
          {t('How it begins and ends')}
        </h2>
        <button type="button" className="icon" aria-label={t('Close')} onClick={onClose}>
          ×
        </button>
      </header>
      <div className="body stack">
        <Own flaws={own} />
        <fieldset className="jfield">
          <legend>{t('What lets customers in')}</legend>
          {triggers.map((x, i) => {
            const one = isTree(x) ? x : {};
            const shape = of(one);
            return (
              <div key={i} className="jitem">
                <div className="spread">
                  <select
                    aria-label={t('Kind of trigger')}
                    value={shape?.key ?? ''}
                    disabled={c.readOnly}
                    onChange={(e) => {
                      const k = kinds.find((s) => s.key === e.target.value);
                      if (k) set(triggers.map((y, j) => (j === i ? beginWith(k) : y)));
                    }}
                  >
                    {!shape && <option value="">–</option>}
                    {kinds.map((k) => (
                      <option key={k.key} value={k.key}>
                        {k.label[language]}
                      </option>
                    ))}
                  </select>
                  {!c.readOnly && (
                    <button
                      type="button"
                      className="icon"
                      aria-label={t('Take the trigger out')}
                      onClick={() => set(triggers.filter((_, j) => j !== i))}
                    >
                      ×
                    </button>
                  )}
                </div>
                <p className="soft small">{shape?.about[language]}</p>
                <Own flaws={about(i).filter((f) => (f.place ?? []).length === 0)} />
                <Form
                  shape={shape}
                  body={one}
                  known={known}
                  flaws={about(i)}
                  readOnly={c.readOnly}
                  onChange={(b) => set(triggers.map((y, j) => (j === i ? b : y)))}
                />
              </div>
            );
          })}
          {!c.readOnly && kinds[0] && (
            <button type="button" className="link" onClick={() => set([...triggers, beginWith(kinds[0] as Shape)])}>
              {t('+ trigger')}
            </button>
          )}
        </fieldset>
        <Form
          fields={fields}
          body={Object.fromEntries(Object.entries(c.draft.head).filter(([k]) => fields.some((f) => f.name === k)))}
          known={known}
          readOnly={c.readOnly}
          flaws={flaws.filter((f) => !f.step)}
          onChange={(b) => {
            const rest = Object.fromEntries(Object.entries(c.draft.head).filter(([k]) => !fields.some((f) => f.name === k)));
            onChange({ ...c.draft, head: { ...rest, ...b } });
          }}
        />
        {!c.readOnly && children}
      </div>
    </section>
  );
}
