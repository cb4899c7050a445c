// The form of one thing of a journey, drawn from what the server says of its fields.
import { useId, useState, type ReactNode } from 'react';
import { useGet, type Schemas } from '../api';
import { useWords } from '../words';
import { begun, fieldsOf, isTree, wayOf, type Field, type Json, type Shape, type Tree } from './canvas-model';
import { ConditionEditor, useConditionNodes } from './condition';

export type Flaw = Schemas['Flaw'];

// Known is what can be chosen by name.
export interface Known {
  templates: string[];
  segments: string[];
  channels: string[];
  purposes: string[];
  traits: string[];
  events: string[];
  fences: string[];
}

export function useKnown(): Known {
  const templates = useGet('/api/v1/templates', { query: { limit: 500 } });
  const segments = useGet('/api/v1/segments', { query: { limit: 500 } });
  const program = useGet('/api/v1/program');
  const traits = useGet('/api/v1/traits', undefined, { retry: false });
  return {
    templates: (templates.data?.data ?? []).map((t) => t.name),
    segments: (segments.data?.data ?? []).map((s) => s.name),
    channels: program.data?.channels ?? [],
    purposes: program.data?.purposes ?? [],
    traits: (traits.data?.data ?? []).map((x) => x.name),
    events: [
      'Order Completed',
      'Product Viewed',
      'Product Added',
      'Checkout Started',
      'Order Shipped',
      'Order Delivered',
      'Order Refunded',
      'Order Cancelled',
    ],
    fences: [],
  };
}

interface Of {
  field: Field;
  value: Json | undefined;
  onChange: (v: Json | undefined) => void;
  known: Known;
  flaws: Flaw[]; // those below the field, with places relative to it
  readOnly?: boolean;
}

// Form draws all fields of a shape. Its value is the thing's body.
export function Form({
  shape,
  fields,
  body,
  onChange,
  known,
  flaws,
  readOnly,
}: {
  shape?: Shape;
  fields?: Field[];
  body: Tree;
  onChange: (b: Tree) => void;
  known: Known;
  flaws: Flaw[];
  readOnly?: boolean;
}) {
  const { t, language } = useWords();
  const list = fields ?? fieldsOf(shape, body);
  const way = wayOf(shape, body);
  const set = (name: string, v: Json | undefined) => {
    const next = { ...body };
    if (v === undefined) delete next[name];
    else next[name] = v;
    onChange(next);
  };
  const rare = (f: Field) => !f.required && !f.often && body[f.name] === undefined && !flaws.some((x) => x.place?.[0] === f.name);
  const strange = Object.keys(body).filter(
    (k) => !list.some((f) => f.name === k) && !(shape?.forks ?? []).some((f) => f.at === k || f.each === k),
  );
  const draw = (f: Field) => (
    <FieldOf
      key={f.name}
      field={f}
      value={body[f.name]}
      onChange={(v) => set(f.name, v)}
      known={known}
      readOnly={readOnly}
      flaws={flaws.filter((x) => x.place?.[0] === f.name).map((x) => ({ ...x, place: (x.place ?? []).slice(1) }))}
    />
  );
  const often = list.filter((f) => !rare(f) || list.length <= 3);
  const seldom = list.filter((f) => !often.includes(f));
  return (
    <div className="jform">
      {(shape?.ways ?? []).length > 0 && (
        <label className="field">
          {shape?.label[language]}
          <select
            value={way?.key ?? ''}
            disabled={readOnly}
            onChange={(e) => {
              const w = shape?.ways?.find((x) => x.key === e.target.value);
              const begin: Tree = {};
              for (const f of w?.fields ?? []) if (f.required) begin[f.name] = body[f.name] ?? begun(f);
              onChange(begin);
            }}
          >
            {!way && <option value="">–</option>}
            {shape?.ways?.map((w) => (
              <option key={w.key} value={w.key}>
                {w.label[language]}
              </option>
            ))}
          </select>
        </label>
      )}
      {often.map(draw)}
      {seldom.length > 0 && (
        <details className="jmore">
          <summary>{t('More')}</summary>
          <div className="jform">{seldom.map(draw)}</div>
        </details>
      )}
      {strange.map((k) => (
        <div key={k} className="note warn spread">
          <span>
            <code>{k}</code> {t('is no field of this.')}
          </span>
          {!readOnly && (
            <button type="button" className="link" onClick={() => set(k, undefined)}>
              {t('Take it out')}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function Said({ flaws }: { flaws: Flaw[] }) {
  return (
    <>
      {flaws.map((f, i) => (
        <span key={i} className={'jflaw ' + (f.warning ? 'warn' : 'bad')}>
          {f.what}
          {f.instead ? ` – ${f.instead}` : ''}
        </span>
      ))}
    </>
  );
}

function FieldOf(of: Of) {
  const { field: f, value, onChange, known, flaws, readOnly } = of;
  const { t, language } = useWords();
  const nodes = useConditionNodes();
  const id = useId();
  const label = (
    <span>
      {f.label[language]}
      {f.required && <span aria-hidden="true"> *</span>}
    </span>
  );
  const about = <small>{[f.about[language], f.default && t('Otherwise: {what}.', { what: f.default })].filter(Boolean).join(' ')}</small>;
  const wrong = flaws.some((x) => !x.warning);
  const field = (control: ReactNode) => (
    <div className={'jfield' + (wrong ? ' wrong' : '')}>
      <label className="field" htmlFor={id}>
        {label}
      </label>
      {control}
      {about}
      <Said flaws={flaws} />
    </div>
  );
  const group = (control: ReactNode) => (
    <fieldset className={'jfield' + (wrong ? ' wrong' : '')}>
      <legend>{label}</legend>
      {about}
      {control}
      <Said flaws={f.type === 'condition' ? [] : flaws} />
    </fieldset>
  );
  const text = (v: Json | undefined) => (v === undefined || v === null ? '' : String(v));
  const put = (s: string) => onChange(s === '' && !f.required ? undefined : s);
  const names = (list: string[]) =>
    field(
      <>
        <input
          id={id}
          list={id + 'l'}
          value={text(value)}
          readOnly={readOnly}
          required={f.required}
          onChange={(e) => put(e.target.value)}
        />
        <datalist id={id + 'l'}>
          {list.map((n) => (
            <option key={n} value={n} />
          ))}
        </datalist>
      </>,
    );
  const choose = (list: [string, string][]) =>
    field(
      <select id={id} value={text(value)} disabled={readOnly} onChange={(e) => put(e.target.value)}>
        {(!f.required || text(value) === '') && <option value="">–</option>}
        {text(value) !== '' && !list.some(([v]) => v === text(value)) && <option value={text(value)}>{text(value)}</option>}
        {list.map(([v, l]) => (
          <option key={v} value={v}>
            {l}
          </option>
        ))}
      </select>,
    );
  const same = (list: string[]) => choose(list.map((x) => [x, x]));
  switch (f.type) {
    case 'template':
      return same(known.templates);
    case 'segment':
      return same(known.segments);
    case 'channel':
      return same(known.channels);
    case 'purpose':
      return same(known.purposes);
    case 'trait':
      return names(known.traits);
    case 'fence':
      return names(known.fences);
    case 'choice':
      return choose((f.options ?? []).map((o) => [o.value, o.label[language]]));
    case 'choices':
      return group(<Choices f={f} value={value} onChange={onChange} readOnly={readOnly} />);
    case 'truth':
      return field(
        <select
          id={id}
          value={value === undefined ? '' : String(value)}
          disabled={readOnly}
          onChange={(e) => onChange(e.target.value === '' ? undefined : e.target.value === 'true')}
        >
          <option value="">–</option>
          <option value="true">{t('yes')}</option>
          <option value="false">{t('no')}</option>
        </select>,
      );
    case 'number':
      return field(
        <input
          id={id}
          type="number"
          value={text(value)}
          readOnly={readOnly}
          onChange={(e) => onChange(e.target.value === '' ? undefined : Number(e.target.value))}
        />,
      );
    case 'long':
      return field(<textarea id={id} rows={3} value={text(value)} readOnly={readOnly} onChange={(e) => put(e.target.value)} />);
    case 'length':
      return field(<Length id={id} f={f} value={text(value)} onChange={put} readOnly={readOnly} />);
    case 'length_or':
      return field(<Length id={id} f={f} value={text(value)} onChange={put} readOnly={readOnly} others={f.options ?? []} />);
    case 'reentry': {
      const after = isTree(value) ? text(value['after']) : '';
      return field(
        <span className="row">
          <select
            id={id}
            value={isTree(value) ? 'after' : text(value)}
            disabled={readOnly}
            onChange={(e) => onChange(e.target.value === '' ? undefined : e.target.value === 'after' ? { after: '30d' } : e.target.value)}
          >
            <option value="">–</option>
            {f.options?.map((o) => (
              <option key={o.value} value={o.value}>
                {o.label[language]}
              </option>
            ))}
            <option value="after">{t('after a while')}</option>
          </select>
          {isTree(value) && (
            <Length
              id={id + 'a'}
              f={{ ...f, units: ['h', 'd', 'w'], required: true }}
              value={after}
              onChange={(v) => onChange({ after: v })}
              readOnly={readOnly}
            />
          )}
        </span>,
      );
    }
    case 'clock':
      return field(
        <input id={id} type="time" value={text(value).padStart(5, '0')} readOnly={readOnly} onChange={(e) => put(e.target.value)} />,
      );
    case 'date':
      return field(<input id={id} type="date" value={text(value)} readOnly={readOnly} onChange={(e) => put(e.target.value)} />);
    case 'condition':
      return group(
        <>
          <ConditionEditor
            value={value ?? null}
            onChange={(v) => onChange(v === null || (isTree(v) && Object.keys(v).length === 0 && !f.required) ? undefined : v)}
            nodes={nodes}
            label={f.label[language]}
            readOnly={readOnly}
            trigger
            problems={flaws.map((x) => ({
              path: (x.place ?? []).map((k) => (/^\d+$/.test(k) ? Number(k) : k)),
              what: x.what,
              instead: x.instead ?? '',
              warning: x.warning,
            }))}
          />
          {value !== undefined && !f.required && !readOnly && (
            <button type="button" className="link" onClick={() => onChange(undefined)}>
              {t('Ask nothing')}
            </button>
          )}
        </>,
      );
    case 'filter':
    case 'values':
      return group(<Pairs value={value} onChange={onChange} readOnly={readOnly} filter={f.type === 'filter'} empty={!f.required} />);
    case 'shares':
      return group(<Shares value={value} onChange={onChange} readOnly={readOnly} />);
    case 'events':
    case 'sentences':
      return group(
        <Texts
          label={f.label[language]}
          value={value}
          onChange={onChange}
          readOnly={readOnly}
          known={f.type === 'events' ? known.events : []}
          empty={!f.required}
        />,
      );
    case 'list':
      return group(<Items {...of} />);
    default:
      return field(
        <input
          id={id}
          value={text(value)}
          readOnly={readOnly}
          required={f.required}
          placeholder={f.type === 'share' ? '10%' : f.type === 'offset' ? '-3d' : ''}
          onChange={(e) => put(e.target.value)}
        />,
      );
  }
}

function Length({
  id,
  f,
  value,
  onChange,
  readOnly,
  others = [],
}: {
  id: string;
  f: Field;
  value: string;
  onChange: (s: string) => void;
  readOnly?: boolean;
  others?: { value: string; label: Schemas['Words'] }[];
}) {
  const { t, language } = useWords();
  const m = /^(\d*)([smhdw])$/.exec(value);
  const other = others.find((o) => o.value === value);
  const unit = other ? other.value : (m?.[2] ?? 'd');
  const word = { s: t('seconds'), m: t('minutes'), h: t('hours'), d: t('days'), w: t('weeks') };
  const list = [...new Set([...(f.units ?? []), unit])].filter((u): u is keyof typeof word => u in word);
  return (
    <span className="row jlength">
      {!other && (
        <input
          id={id}
          type="number"
          min={1}
          value={m ? m[1] : ''}
          readOnly={readOnly}
          required={f.required}
          onChange={(e) => onChange(e.target.value === '' ? '' : e.target.value + unit)}
        />
      )}
      <select
        aria-label={t('Unit')}
        id={other ? id : undefined}
        value={unit}
        disabled={readOnly}
        onChange={(e) => onChange(others.some((o) => o.value === e.target.value) ? e.target.value : (m?.[1] || '1') + e.target.value)}
      >
        {list.map((u) => (
          <option key={u} value={u}>
            {word[u]}
          </option>
        ))}
        {others.map((o) => (
          <option key={o.value} value={o.value}>
            {o.label[language]}
          </option>
        ))}
      </select>
    </span>
  );
}

interface Simple {
  value: Json | undefined;
  onChange: (v: Json | undefined) => void;
  readOnly?: boolean;
}

// ranges such as mon..fri are written out, to be ticked one by one.
function spread(list: string[], known: string[]): string[] {
  return list.flatMap((x) => {
    const [a, b] = x.split('..');
    const i = known.indexOf(a ?? '');
    const k = known.indexOf(b ?? '');
    return b !== undefined && i >= 0 && k >= i ? known.slice(i, k + 1) : [x];
  });
}

function Choices({ f, value, onChange, readOnly }: Simple & { f: Field }) {
  const { language } = useWords();
  const known = (f.options ?? []).map((o) => o.value);
  const on = spread(Array.isArray(value) ? value.map(String) : typeof value === 'string' && value !== '' ? [value] : [], known);
  return (
    <span className="row jchoices">
      {(f.options ?? []).map((o) => (
        <label key={o.value}>
          <input
            type="checkbox"
            checked={on.includes(o.value)}
            disabled={readOnly}
            onChange={(e) => {
              const next = known.filter((v) => (v === o.value ? e.target.checked : on.includes(v)));
              onChange(next.length === 0 ? (f.required ? [] : undefined) : next);
            }}
          />
          {o.label[language]}
        </label>
      ))}
    </span>
  );
}

// typed reads what somebody typed as JSON would: numbers, yes and no, else a text.
function typed(s: string): Json {
  if (/^\s*[[{]/.test(s))
    try {
      return JSON.parse(s) as Json;
    } catch {
      return s; // not yet, or no JSON
    }
  if (s === 'true' || s === 'false') return s === 'true';
  return s.trim() !== '' && /^-?\d+(\.\d+)?$/.test(s) ? Number(s) : s;
}

const compares = ['=', '>=', '<=', '>', '<', 'contains', 'in'];

// Pairs are names with a value each; in a filter a value may be compared.
export function Pairs({ value, onChange, readOnly, filter, empty }: Simple & { filter: boolean; empty: boolean }) {
  const { t } = useWords();
  const pairs = Object.entries(isTree(value) ? value : {});
  const set = (list: [string, Json][]) => onChange(list.length === 0 && empty ? undefined : Object.fromEntries(list));
  const seen = (v: Json): [string, string] => {
    if (!filter) return ['=', typeof v === 'object' && v !== null ? JSON.stringify(v) : String(v ?? '')];
    if (Array.isArray(v)) return ['in', v.map(String).join(', ')];
    const [op, x] = isTree(v) ? (Object.entries(v)[0] ?? ['=', '']) : ['=', v];
    return [op, Array.isArray(x) ? x.map(String).join(', ') : x === null ? '' : isTree(x) ? JSON.stringify(x) : String(x)];
  };
  const make = (op: string, s: string): Json => {
    if (op === '=') return typed(s);
    if (op === 'in') return s.split(',').map((x) => typed(x.trim()));
    return { [op]: typed(s) };
  };
  return (
    <div className="jrows">
      {pairs.map(([k, v], i) => {
        const [op, s] = seen(v);
        return (
          <div key={i} className="row">
            <input
              aria-label={t('Name')}
              value={k}
              readOnly={readOnly}
              onChange={(e) => set(pairs.map((p, j) => (j === i ? [e.target.value, p[1]] : p)))}
            />
            {filter && (
              <select
                aria-label={t('Comparison')}
                value={op}
                disabled={readOnly}
                onChange={(e) => set(pairs.map((p, j) => (j === i ? [k, make(e.target.value, s)] : p)))}
              >
                {[...new Set([...compares, op])].map((x) => (
                  <option key={x}>{x}</option>
                ))}
              </select>
            )}
            <input
              aria-label={t('Value')}
              value={s}
              readOnly={readOnly}
              onChange={(e) => set(pairs.map((p, j) => (j === i ? [k, make(filter ? op : '=', e.target.value)] : p)))}
            />
            {!readOnly && (
              <button
                type="button"
                className="icon"
                aria-label={t('Take {what} out', { what: k })}
                onClick={() => set(pairs.filter((_, j) => j !== i))}
              >
                ×
              </button>
            )}
          </div>
        );
      })}
      {!readOnly && (
        <button type="button" className="link" disabled={pairs.some(([k]) => k === '')} onClick={() => set([...pairs, ['', '']])}>
          {t('+ property')}
        </button>
      )}
    </div>
  );
}

function Shares({ value, onChange, readOnly }: Simple) {
  const { t } = useWords();
  const pairs = Object.entries(isTree(value) ? value : {});
  const number = (v: Json) => Number(String(v).replace('%', ''));
  const sum = pairs.reduce((a, [, v]) => a + number(v), 0);
  const set = (list: [string, Json][]) => onChange(Object.fromEntries(list));
  const free = [...'abcdefghijklmnopqrstuvwxyz'].find((c) => !pairs.some(([k]) => k === c)) ?? 'z';
  return (
    <div className="jrows">
      {pairs.map(([k, v], i) => (
        <div key={i} className="row">
          <input
            aria-label={t('Name')}
            value={k}
            readOnly={readOnly}
            onChange={(e) => set(pairs.map((p, j) => (j === i ? [e.target.value, p[1]] : p)))}
          />
          <input
            aria-label={t('Percent of {what}', { what: k })}
            type="number"
            min={0}
            max={100}
            value={number(v)}
            readOnly={readOnly}
            onChange={(e) => set(pairs.map((p, j) => (j === i ? [k, Number(e.target.value)] : p)))}
          />
          <span className="soft">%</span>
          {!readOnly && pairs.length > 2 && (
            <button
              type="button"
              className="icon"
              aria-label={t('Take {what} out', { what: k })}
              onClick={() => set(pairs.filter((_, j) => j !== i))}
            >
              ×
            </button>
          )}
        </div>
      ))}
      <div className="row">
        {!readOnly && (
          <button type="button" className="link" onClick={() => set([...pairs, [free, Math.max(0, 100 - sum)]])}>
            {t('+ share')}
          </button>
        )}
        <span className={sum === 100 ? 'soft small' : 'jflaw bad'}>{t('together {n} %', { n: sum })}</span>
      </div>
    </div>
  );
}

// Texts is one text, or several.
function Texts({ label, value, onChange, readOnly, known, empty }: Simple & { label: string; known: string[]; empty: boolean }) {
  const { t } = useWords();
  const id = useId();
  const list = Array.isArray(value) ? value.map(String) : [value === undefined || value === null ? '' : String(value)];
  const set = (l: string[]) => onChange(l.length === 1 ? (l[0] === '' && empty ? undefined : (l[0] as string)) : l);
  return (
    <div className="jrows">
      {list.map((s, i) => (
        <div key={i} className="row">
          <input
            aria-label={list.length > 1 ? `${label} ${i + 1}` : label}
            list={known.length > 0 ? id : undefined}
            value={s}
            readOnly={readOnly}
            onChange={(e) => set(list.map((x, j) => (j === i ? e.target.value : x)))}
          />
          {!readOnly && list.length > 1 && (
            <button
              type="button"
              className="icon"
              aria-label={t('Take {what} out', { what: s || String(i + 1) })}
              onClick={() => set(list.filter((_, j) => j !== i))}
            >
              ×
            </button>
          )}
        </div>
      ))}
      {known.length > 0 && (
        <datalist id={id}>
          {known.map((n) => (
            <option key={n} value={n} />
          ))}
        </datalist>
      )}
      {!readOnly && (
        <button type="button" className="link" disabled={list.includes('')} onClick={() => set([...list, ''])}>
          {t('+ another')}
        </button>
      )}
    </div>
  );
}

// Items are several things of the same fields, in order.
function Items({ field: f, value, onChange, known, flaws, readOnly }: Of) {
  const { t } = useWords();
  const list = Array.isArray(value) ? value : [];
  const below = (i: number) => flaws.filter((x) => x.place?.[0] === String(i)).map((x) => ({ ...x, place: (x.place ?? []).slice(1) }));
  const swap = (i: number, k: number) => {
    const next = [...list];
    [next[i], next[k]] = [next[k] as Json, next[i] as Json];
    onChange(next);
  };
  const fresh = () => {
    const one: Tree = {};
    for (const x of f.items ?? []) if (x.required) one[x.name] = begun(x);
    return one;
  };
  return (
    <div className="jitems">
      {list.map((item, i) => (
        <div key={i} className="jitem">
          <div className="spread">
            <span className="soft small">{i + 1}</span>
            {!readOnly && (
              <span className="row">
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Move {n} up', { n: i + 1 })}
                  disabled={i === 0}
                  onClick={() => swap(i, i - 1)}
                >
                  ↑
                </button>
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Move {n} down', { n: i + 1 })}
                  disabled={i === list.length - 1}
                  onClick={() => swap(i, i + 1)}
                >
                  ↓
                </button>
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Take {what} out', { what: String(i + 1) })}
                  onClick={() => onChange(list.filter((_, j) => j !== i))}
                >
                  ×
                </button>
              </span>
            )}
          </div>
          {(f.items ?? []).some((x) => x.type === 'occurrence') ? (
            <Occurrence
              item={isTree(item) ? item : {}}
              onChange={(v) => onChange(list.map((x, j) => (j === i ? v : x)))}
              known={known}
              flaws={below(i)}
              readOnly={readOnly}
            />
          ) : (
            <Form
              fields={f.items ?? []}
              body={isTree(item) ? Object.fromEntries(Object.entries(item).filter(([k]) => (f.items ?? []).some((x) => x.name === k))) : {}}
              onChange={(v) => onChange(list.map((x, j) => (j === i ? { ...rest(x, f.items ?? []), ...v } : x)))}
              known={known}
              flaws={below(i)}
              readOnly={readOnly}
            />
          )}
        </div>
      ))}
      {!readOnly && (
        <button type="button" className="link" onClick={() => onChange([...list, fresh()])}>
          {t('+ another')}
        </button>
      )}
    </div>
  );
}

// rest is what an item holds beside its fields: where it leads.
function rest(item: Json, fields: Field[]): Tree {
  return isTree(item) ? Object.fromEntries(Object.entries(item).filter(([k]) => !fields.some((f) => f.name === k))) : {};
}

// Occurrence is an event that is waited for, or a condition.
function Occurrence({
  item,
  onChange,
  known,
  flaws,
  readOnly,
}: {
  item: Tree;
  onChange: (v: Tree) => void;
  known: Known;
  flaws: Flaw[];
  readOnly?: boolean;
}) {
  const { t } = useWords();
  const nodes = useConditionNodes();
  const id = useId();
  const [asks, setAsks] = useState(!('event' in item));
  const to: Tree = 'next' in item ? { next: item['next'] as Json } : {};
  const inner = Object.fromEntries(Object.entries(item).filter(([k]) => k !== 'next'));
  const asked: Json = 'when' in inner ? (inner['when'] as Json) : inner;
  return (
    <div className="jform">
      <label className="field" htmlFor={id}>
        {t('What is waited for')}
      </label>
      <select
        id={id}
        value={asks ? 'when' : 'event'}
        disabled={readOnly}
        onChange={(e) => {
          setAsks(e.target.value === 'when');
          onChange(e.target.value === 'when' ? { when: {}, ...to } : { event: '', ...to });
        }}
      >
        <option value="event">{t('an event')}</option>
        <option value="when">{t('a condition')}</option>
      </select>
      {asks ? (
        <ConditionEditor
          value={asked}
          onChange={(v) => onChange({ when: v, ...to })}
          nodes={nodes}
          trigger
          readOnly={readOnly}
          problems={flaws.map((x) => ({
            path: (x.place ?? []).filter((k) => k !== 'when').map((k) => (/^\d+$/.test(k) ? Number(k) : k)),
            what: x.what,
            instead: x.instead ?? '',
            warning: x.warning,
          }))}
        />
      ) : (
        <>
          <Texts
            label={t('Event')}
            value={item['event']}
            onChange={(v) => onChange({ ...item, event: v ?? '' })}
            known={known.events}
            readOnly={readOnly}
            empty={false}
          />
          <span className="soft small">{t('Only if')}</span>
          <Pairs
            value={item['where']}
            filter
            empty
            readOnly={readOnly}
            onChange={(v) => {
              const next = { ...item };
              if (v === undefined) delete next['where'];
              else next['where'] = v;
              onChange(next);
            }}
          />
          <Said flaws={flaws} />
        </>
      )}
    </div>
  );
}
