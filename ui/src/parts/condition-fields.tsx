// The controls of a condition's parts, one for each type that the API describes.
import { useId, useRef, useState, type KeyboardEvent } from 'react';
import { useGet } from '../api';
import { useWords } from '../words';
import {
  begin,
  beginAll,
  boundOps,
  fit,
  isTree,
  keysOf,
  nears,
  partsIn,
  readBound,
  readCompared,
  readDuration,
  readRelative,
  readValue,
  rename,
  units,
  withPart,
  writeBound,
  writeCompared,
  writeRelative,
  type Compared,
  type Json,
  type Kind,
  type Part,
  type Tree,
} from './condition-tree';

export interface Ctx {
  kinds: Kind[];
  readOnly: boolean;
}

// useSaid says the words of a description in the language of the page.
export function useSaid(): (w: { en: string; de: string } | undefined) => string {
  const { language } = useWords();
  return (w) => (w ? (language === 'de' ? w.de : w.en) : '');
}

// useDraft keeps what is being typed: "1." is on its way to 1.5.
function useDraft(value: Json, parse: (text: string) => Json, format: (v: Json) => string = (v) => (v === null ? '' : String(v))) {
  const [text, setText] = useState(format(value));
  const shown = JSON.stringify(parse(text)) === JSON.stringify(value) ? text : format(value);
  return [shown, setText] as const;
}

// Source says where the suggestions of an input come from.
export interface Source {
  from: string;
  of?: string[];
  at?: string;
}

// Suggest is an input that offers what is known and takes anything else too.
export function Suggest({
  value,
  onChange,
  source,
  label,
  readOnly,
  placeholder,
  onEnter,
  parse = (s) => s,
}: {
  value: Json;
  onChange: (v: Json) => void;
  source: Source | undefined;
  label: string;
  readOnly: boolean;
  placeholder?: string;
  onEnter?: (v: Json) => void;
  parse?: (text: string) => Json;
}) {
  const { t, n, language } = useWords();
  const id = useId();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [typed, setTyped] = useState(false);
  const box = useRef<HTMLInputElement>(null);
  const [text, setText] = useDraft(value, parse);
  const list = useGet(
    '/api/v1/conditions/choices',
    { query: { from: source?.from ?? '', of: source?.of ?? null, at: source?.at } },
    { enabled: open && source !== undefined },
  );
  const needle = typed ? text.trim().toLowerCase() : '';
  const all = source ? (list.data?.data ?? []) : [];
  const called = (c: (typeof all)[number]) => c.words?.[language] ?? c.label;
  const options = all.filter((c) => !needle || (c.value + ' ' + (called(c) ?? '')).toLowerCase().includes(needle)).slice(0, 60);
  const shown = open && !readOnly && options.length > 0;
  const take = (v: string) => {
    setText(v);
    setOpen(false);
    setTyped(false);
    setChosen(-1);
    if (onEnter) {
      onEnter(parse(v));
      setText('');
    } else onChange(parse(v));
  };
  const keys = (e: KeyboardEvent) => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setOpen(true);
      const step = e.key === 'ArrowDown' ? 1 : -1;
      setChosen((c) => Math.max(-1, Math.min(options.length - 1, c + step)));
    } else if (e.key === 'Enter') {
      const option = shown ? options[chosen] : undefined;
      if (option) {
        e.preventDefault();
        take(option.value);
      } else if (onEnter && text.trim()) {
        e.preventDefault();
        take(text.trim());
      }
    } else if (e.key === 'Escape' && open) {
      e.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <span className="suggest">
      <input
        ref={box}
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={shown ? id : undefined}
        aria-autocomplete="list"
        aria-activedescendant={shown && chosen >= 0 ? `${id}-${chosen}` : undefined}
        value={text}
        placeholder={placeholder ?? '…'}
        readOnly={readOnly}
        autoComplete="off"
        spellCheck={false}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          setTyped(false);
          if (onEnter && text.trim()) take(text.trim());
        }}
        onChange={(e) => {
          setText(e.target.value);
          setTyped(true);
          setOpen(true);
          setChosen(-1);
          if (!onEnter) onChange(parse(e.target.value));
        }}
        onKeyDown={keys}
      />
      {shown && (
        <ul id={id} role="listbox" aria-label={label} className="options">
          {options.map((c, i) => (
            <li
              key={c.value}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === chosen}
              ref={i === chosen ? (el) => el?.scrollIntoView({ block: 'nearest' }) : undefined}
              onPointerDown={(e) => {
                e.preventDefault();
                take(c.value);
              }}
            >
              <span>
                {called(c) ? (
                  <>
                    {called(c)} <span className="soft">{c.value}</span>
                  </>
                ) : (
                  c.value
                )}
              </span>
              {c.seen ? <span className="soft small">{t('seen {n}×', { n: n(c.seen) })}</span> : null}
            </li>
          ))}
        </ul>
      )}
    </span>
  );
}

// Chips are several values: each can be taken out, and another written behind.
function Chips({
  value,
  onChange,
  source,
  label,
  readOnly,
  parse,
}: {
  value: Json[];
  onChange: (v: Json[]) => void;
  source: Source | undefined;
  label: string;
  readOnly: boolean;
  parse?: (text: string) => Json;
}) {
  const { t } = useWords();
  return (
    <span className="chips" role="group" aria-label={label}>
      {value.map((v, i) => (
        <span key={i} className="chip">
          {String(v)}
          {!readOnly && (
            <button
              type="button"
              aria-label={t('Take {what} out', { what: String(v) })}
              onClick={() => onChange(value.filter((_, k) => k !== i))}
            >
              ×
            </button>
          )}
        </span>
      ))}
      {!readOnly && (
        <Suggest
          value=""
          onChange={() => {}}
          source={source}
          label={value.length ? t('{label}: another', { label }) : label}
          placeholder={value.length ? '+' : '…'}
          readOnly={false}
          parse={parse}
          onEnter={(v) => (value.some((x) => x === v) ? undefined : onChange([...value, v]))}
        />
      )}
    </span>
  );
}

function Duration({ value, onChange, label, readOnly }: { value: Json; onChange: (v: Json) => void; label: string; readOnly: boolean }) {
  const { t } = useWords();
  const d = readDuration(value);
  const known = d && (units as readonly string[]).includes(d.unit);
  const [text, setText] = useState(d?.n ?? '');
  if (value !== '' && !known)
    return <input aria-label={label} value={String(value ?? '')} readOnly={readOnly} size={6} onChange={(e) => onChange(e.target.value)} />;
  const unit = d?.unit ?? 'd';
  const shown = text !== '' && d && Number(text) === Number(d.n) ? text : (d?.n ?? '');
  const names = { m: t('minutes'), h: t('hours'), d: t('days'), w: t('weeks') };
  return (
    <span className="pair">
      <input
        type="number"
        min={1}
        className="short"
        aria-label={label}
        value={shown}
        readOnly={readOnly}
        onChange={(e) => {
          setText(e.target.value);
          onChange(e.target.value ? Math.abs(Math.round(Number(e.target.value))) + unit : '');
        }}
      />
      <select
        aria-label={t('{label}: unit', { label })}
        value={unit}
        disabled={readOnly}
        onChange={(e) => onChange((d?.n || '1') + e.target.value)}
      >
        {units.map((u) => (
          <option key={u} value={u}>
            {names[u]}
          </option>
        ))}
      </select>
    </span>
  );
}

function Bound({
  value,
  onChange,
  label,
  unit,
  readOnly,
}: {
  value: Json;
  onChange: (v: Json) => void;
  label: string;
  unit: string;
  readOnly: boolean;
}) {
  const { t } = useWords();
  const b = readBound(value);
  if (!b)
    return <input aria-label={label} value={String(value ?? '')} readOnly={readOnly} size={8} onChange={(e) => onChange(e.target.value)} />;
  const names: Record<string, string> = {
    '>=': t('at least'),
    '<=': t('at most'),
    '>': t('more than'),
    '<': t('less than'),
    '=': t('exactly'),
    '!=': t('not exactly'),
    to: t('from … to'),
  };
  return (
    <span className="pair">
      <select
        aria-label={t('{label}: comparison', { label })}
        value={b.op}
        disabled={readOnly}
        onChange={(e) => onChange(writeBound({ ...b, op: e.target.value }))}
      >
        {boundOps.map((op) => (
          <option key={op} value={op}>
            {names[op]}
          </option>
        ))}
      </select>
      <input
        className="short"
        inputMode="decimal"
        aria-label={label}
        value={b.a}
        readOnly={readOnly}
        onChange={(e) => onChange(writeBound({ ...b, a: e.target.value.replace(/[^\d.%-]/g, '') }))}
      />
      {b.op === 'to' && (
        <>
          <span className="word">{t('to')}</span>
          <input
            className="short"
            inputMode="decimal"
            aria-label={t('{label}: up to', { label })}
            value={b.b}
            readOnly={readOnly}
            onChange={(e) => onChange(writeBound({ ...b, b: e.target.value.replace(/[^\d.%-]/g, '') }))}
          />
        </>
      )}
      {unit && <span className="word">{unit}</span>}
    </span>
  );
}

function Relative({ value, onChange, label, readOnly }: { value: Json; onChange: (v: Json) => void; label: string; readOnly: boolean }) {
  const { t } = useWords();
  const r = readRelative(value);
  if (!r) return <input aria-label={label} value={String(value ?? '')} readOnly={readOnly} onChange={(e) => onChange(e.target.value)} />;
  const names: Record<string, string> = {
    'in the last': t('in the last'),
    'in the next': t('in the next'),
    ago: t('longer ago than'),
    ahead: t('further ahead than'),
  };
  return (
    <span className="pair">
      <select
        aria-label={t('{label}: when', { label })}
        value={r.form}
        disabled={readOnly}
        onChange={(e) => onChange(writeRelative({ ...r, form: e.target.value }))}
      >
        {nears.map((f) => (
          <option key={f} value={f}>
            {names[f]}
          </option>
        ))}
      </select>
      <Duration value={r.span} onChange={(v) => onChange(writeRelative({ ...r, span: String(v) }))} label={label} readOnly={readOnly} />
    </span>
  );
}

function Yearly({ value, onChange, label, readOnly }: { value: Json; onChange: (v: Json) => void; label: string; readOnly: boolean }) {
  const { t } = useWords();
  const text = String(value ?? '');
  const found = /^in (the next )?(\d+)d$/.exec(text);
  if (text !== 'today' && !found)
    return <input aria-label={label} value={text} readOnly={readOnly} onChange={(e) => onChange(e.target.value)} />;
  const form = !found ? 'today' : found[1] ? 'next' : 'in';
  const days = found?.[2] ?? '7';
  const make = (f: string, d: string) => (f === 'today' ? 'today' : `in ${f === 'next' ? 'the next ' : ''}${Number(d) || 1}d`);
  return (
    <span className="pair">
      <select
        aria-label={t('{label}: when', { label })}
        value={form}
        disabled={readOnly}
        onChange={(e) => onChange(make(e.target.value, days))}
      >
        <option value="today">{t('today')}</option>
        <option value="in">{t('in exactly')}</option>
        <option value="next">{t('in the next')}</option>
      </select>
      {form !== 'today' && (
        <>
          <input
            type="number"
            min={1}
            max={300}
            className="short"
            aria-label={label}
            value={days}
            readOnly={readOnly}
            onChange={(e) => onChange(make(form, e.target.value))}
          />
          <span className="word">{t('days')}</span>
        </>
      )}
    </span>
  );
}

// Plain is one value of the type that a comparison takes.
function Plain({
  type,
  value,
  onChange,
  source,
  label,
  readOnly,
}: {
  type: string;
  value: Json;
  onChange: (v: Json) => void;
  source: Source | undefined;
  label: string;
  readOnly: boolean;
}) {
  const { t } = useWords();
  const [number, setNumber] = useDraft(value, (s) => (s === '' ? null : Number(s)));
  switch (type) {
    case 'values':
      return (
        <Chips
          value={Array.isArray(value) ? value : [value]}
          onChange={onChange}
          source={source}
          label={label}
          readOnly={readOnly}
          parse={readValue}
        />
      );
    case 'flag':
      return (
        <select aria-label={label} value={String(value)} disabled={readOnly} onChange={(e) => onChange(e.target.value === 'true')}>
          <option value="true">{t('yes')}</option>
          <option value="false">{t('no')}</option>
        </select>
      );
    case 'number':
    case 'whole':
      return (
        <input
          type="number"
          step={type === 'whole' ? 1 : 'any'}
          className="short"
          aria-label={label}
          value={number}
          readOnly={readOnly}
          onChange={(e) => {
            setNumber(e.target.value);
            onChange(e.target.value === '' ? null : Number(e.target.value));
          }}
        />
      );
    case 'date':
      return (
        <input
          type={/^\d{4}-\d\d-\d\d$/.test(String(value)) || value === '' ? 'date' : 'text'}
          aria-label={label}
          value={String(value ?? '')}
          readOnly={readOnly}
          onChange={(e) => onChange(e.target.value)}
        />
      );
    case 'relative':
      return <Relative value={value} onChange={onChange} label={label} readOnly={readOnly} />;
    case 'yearly':
      return <Yearly value={value} onChange={onChange} label={label} readOnly={readOnly} />;
    case 'clock':
      return (
        <input
          type={value === '24:00' ? 'text' : 'time'}
          aria-label={label}
          value={String(value ?? '')}
          readOnly={readOnly}
          onChange={(e) => onChange(e.target.value)}
        />
      );
    case 'value':
      return <Suggest value={value} onChange={onChange} source={source} label={label} readOnly={readOnly} parse={readValue} />;
  }
  return <Suggest value={value} onChange={onChange} source={source} label={label} readOnly={readOnly} />;
}

// One comparison: how, and with what.
function Comparison({
  op,
  value,
  choices,
  onChange,
  taken,
  source,
  label,
  ctx,
}: {
  op: string;
  value: Json;
  choices: Part['choices'];
  onChange: (op: string, value: Json) => void;
  taken: string[];
  source: Source | undefined;
  label: string;
  ctx: Ctx;
}) {
  const { t } = useWords();
  const said = useSaid();
  const list = choices ?? [];
  const here = list.find((c) => c.value === op);
  return (
    <span className="pair">
      <select
        aria-label={t('{label}: comparison', { label })}
        value={op}
        disabled={ctx.readOnly}
        onChange={(e) => onChange(e.target.value, fit(value, list.find((c) => c.value === e.target.value)?.takes, ctx.kinds))}
      >
        {!here && <option value={op}>{op}</option>}
        {list
          .filter((c) => c.value === op || !taken.includes(c.value))
          .map((c) => (
            <option key={c.value} value={c.value}>
              {said(c.label)}
            </option>
          ))}
      </select>
      <Plain
        type={here?.takes ?? 'value'}
        value={value}
        onChange={(v) => onChange(op, v)}
        source={source}
        label={t('{label}: value', { label })}
        readOnly={ctx.readOnly}
      />
    </span>
  );
}

// Filter asks for properties: {category: shoes, price: {">=": 50}}.
function Filter({
  part,
  value,
  onChange,
  of,
  label,
  ctx,
}: {
  part: Part;
  value: Json;
  onChange: (v: Json) => void;
  of: string[];
  label: string;
  ctx: Ctx;
}) {
  const { t } = useWords();
  const map = isTree(value) ? value : {};
  const set = (key: string, list: Compared[]) => onChange({ ...map, [key]: writeCompared(list) });
  return (
    <span className="filter" role="group" aria-label={label}>
      {Object.entries(map).map(([key, v], i) => {
        const list = readCompared(v);
        return (
          <span key={i} className="pair property">
            {i > 0 && <span className="word">{t('and')}</span>}
            <Suggest
              value={key}
              onChange={(k) => (Object.hasOwn(map, String(k)) ? undefined : onChange(rename(map, key, String(k))))}
              source={part.from ? { from: part.from, of } : undefined}
              label={t('{label}: property {n}', { label, n: i + 1 })}
              placeholder={t('property')}
              readOnly={ctx.readOnly}
            />
            {list.map((c, k) => (
              <Comparison
                key={k}
                op={c.op}
                value={c.value}
                choices={part.choices}
                taken={list.map((x) => x.op)}
                onChange={(op, x) =>
                  set(
                    key,
                    list.map((y, m) => (m === k ? { op, value: x } : y)),
                  )
                }
                source={part.from ? { from: part.from + ' values', of, at: key } : undefined}
                label={key || t('property')}
                ctx={ctx}
              />
            ))}
            {!ctx.readOnly && (
              <button
                type="button"
                className="x"
                aria-label={t('Take {what} out', { what: key || t('property') })}
                onClick={() => onChange(Object.fromEntries(Object.entries(map).filter(([k]) => k !== key)))}
              >
                ×
              </button>
            )}
          </span>
        );
      })}
      {!ctx.readOnly && !Object.hasOwn(map, '') && (
        <button type="button" className="add small" onClick={() => onChange({ ...map, '': '' })}>
          {t('+ property')}
        </button>
      )}
    </span>
  );
}

// PartField is the control of one part of a map, and of all the keys that it stands for.
export function PartField({
  part,
  holder,
  onHolder,
  outer,
  ctx,
  first,
}: {
  part: Part;
  holder: Tree;
  onHolder: (v: Tree) => void;
  outer: Tree; // the whole question, whose values narrow choices
  ctx: Ctx;
  first: boolean; // its label is what the kind is called already
}) {
  const { t } = useWords();
  const said = useSaid();
  const label = said(part.label);
  const narrow = part.of ? (holder[part.of] ?? outer[part.of]) : undefined;
  const of = (Array.isArray(narrow) ? narrow : narrow === undefined || narrow === null ? [] : [narrow]).map(String);
  const keys = keysOf(holder, part);
  const set = (key: string, v: Json) => onHolder({ ...holder, [key]: v });

  if (part.type === 'compare') {
    const rest = (part.choices ?? []).filter((c) => !keys.includes(c.value));
    return (
      <>
        {keys.map((op, i) => (
          <span key={i} className="pair">
            {i > 0 && <span className="word">{t('and')}</span>}
            <Comparison
              op={op}
              value={holder[op] ?? null}
              choices={part.choices}
              taken={keys}
              onChange={(to, v) => onHolder({ ...rename(holder, op, to), [to]: v })}
              source={part.from ? { from: part.from + ' values', of } : undefined}
              label={of[0] || label}
              ctx={ctx}
            />
            {i > 0 && !ctx.readOnly && (
              <button
                type="button"
                className="x"
                aria-label={t('Take the comparison out')}
                onClick={() => onHolder(Object.fromEntries(Object.entries(holder).filter(([k]) => k !== op)))}
              >
                ×
              </button>
            )}
          </span>
        ))}
        {!ctx.readOnly && rest.length > 0 && (
          <button
            type="button"
            className="add small"
            onClick={() => onHolder({ ...holder, [rest[0]!.value]: fit('', rest[0]!.takes, ctx.kinds) })}
          >
            {keys.length === 0 ? t('+ comparison') : t('+ and')}
          </button>
        )}
      </>
    );
  }

  const list = keys.length > 0 ? keys : [part.key];
  return (
    <>
      {list.map((key, i) => {
        const value = holder[key] ?? '';
        const source = part.from ? { from: part.from, of } : undefined;
        const common = { onChange: (v: Json) => set(key, v), label, readOnly: ctx.readOnly };
        const input = () => {
          switch (part.type) {
            case 'text':
              return part.many ? (
                <Chips
                  {...common}
                  value={Array.isArray(value) ? value : value === '' ? [] : [value]}
                  source={source}
                  onChange={(v) => set(key, v.length === 1 ? (v[0] as Json) : v)}
                />
              ) : (
                <Suggest {...common} value={value} source={source} />
              );
            case 'choice':
              return <Choose part={part} value={value} {...common} />;
            case 'duration':
              return <Duration {...common} value={value} />;
            case 'bound':
              return <Bound {...common} value={value} unit={said(part.unit)} />;
            case 'distance':
            case 'share':
              return (
                <input
                  aria-label={label}
                  className="short"
                  value={String(value)}
                  readOnly={ctx.readOnly}
                  onChange={(e) => set(key, e.target.value)}
                />
              );
            case 'period': {
              const pair = Array.isArray(value) ? value : ['', ''];
              return (
                <span className="pair">
                  <Plain {...common} type="date" value={pair[0] ?? ''} source={undefined} onChange={(v) => set(key, [v, pair[1] ?? ''])} />
                  <span className="word">{t('and')}</span>
                  <Plain
                    {...common}
                    type="date"
                    label={t('{label}: up to', { label })}
                    value={pair[1] ?? ''}
                    source={undefined}
                    onChange={(v) => set(key, [pair[0] ?? '', v])}
                  />
                </span>
              );
            }
            case 'filter':
              return <Filter part={part} value={value} onChange={common.onChange} of={of} label={label} ctx={ctx} />;
            case 'measure': {
              const long = isTree(value) ? value : undefined;
              const name = long ? String(long['property'] ?? '') : (/\((.*)\)$/.exec(key)?.[1] ?? '');
              const bound = long ? (long['is'] ?? '') : value;
              return (
                <span className="pair">
                  <Suggest
                    value={name}
                    readOnly={ctx.readOnly}
                    label={t('{label}: property', { label })}
                    placeholder={t('property')}
                    source={source}
                    onChange={(v) =>
                      long
                        ? set(key, { ...long, property: v })
                        : Object.hasOwn(holder, `${part.key}(${String(v)})`)
                          ? undefined
                          : onHolder(rename(holder, key, `${part.key}(${String(v)})`))
                    }
                  />
                  <Bound {...common} value={bound} unit="" onChange={(v) => set(key, long ? { ...long, is: v } : v)} />
                </span>
              );
            }
            case 'map':
              return (
                <PartList
                  parts={part.parts ?? []}
                  value={isTree(value) ? value : {}}
                  onChange={common.onChange}
                  outer={outer}
                  ctx={ctx}
                  named=""
                />
              );
            case 'list':
              return <Steps part={part} value={Array.isArray(value) ? value : []} onChange={common.onChange} outer={outer} ctx={ctx} />;
          }
          return <Plain {...common} type={part.type} value={value} source={source} />;
        };
        return (
          <span key={i} className={'said' + (part.type === 'list' ? ' wide' : '')} title={said(part.about) || undefined}>
            {!first && <span className="word">{label}</span>}
            {input()}
            {!part.needed && !ctx.readOnly && (
              <button
                type="button"
                className="x"
                aria-label={t('Take {what} out', { what: label })}
                onClick={() => onHolder(Object.fromEntries(Object.entries(holder).filter(([k]) => k !== key)))}
              >
                ×
              </button>
            )}
          </span>
        );
      })}
    </>
  );
}

function Choose({
  part,
  value,
  onChange,
  label,
  readOnly,
}: {
  part: Part;
  value: Json;
  onChange: (v: Json) => void;
  label: string;
  readOnly: boolean;
}) {
  const said = useSaid();
  const list = part.choices ?? [];
  if (part.many) {
    const here = (Array.isArray(value) ? value : [value]).map(String);
    return (
      <span className="picks" role="group" aria-label={label}>
        {list.map((c) => (
          <button
            key={c.value}
            type="button"
            aria-pressed={here.includes(c.value)}
            disabled={readOnly}
            onClick={() => {
              const next = list.map((x) => x.value).filter((v) => (v === c.value ? !here.includes(v) : here.includes(v)));
              if (next.length > 0) onChange(next.length === 1 ? (next[0] as Json) : next);
            }}
          >
            {said(c.label)}
          </button>
        ))}
      </span>
    );
  }
  return (
    <select aria-label={label} value={String(value)} disabled={readOnly} onChange={(e) => onChange(e.target.value)}>
      {!list.some((c) => c.value === value) && <option value={String(value)}>{String(value)}</option>}
      {list.map((c) => (
        <option key={c.value} value={c.value}>
          {said(c.label)}
        </option>
      ))}
    </select>
  );
}

// Steps are the elements of a list, one under the other.
function Steps({ part, value, onChange, outer, ctx }: { part: Part; value: Json[]; onChange: (v: Json) => void; outer: Tree; ctx: Ctx }) {
  const { t } = useWords();
  const swap = (i: number, k: number) => {
    const next = [...value];
    [next[i], next[k]] = [next[k] as Json, next[i] as Json];
    onChange(next);
  };
  return (
    <>
      <ol className="steps">
        {value.map((step, i) => (
          <li key={i}>
            <PartList
              parts={part.parts ?? []}
              value={isTree(step) ? step : {}}
              onChange={(v) => onChange(value.map((x, k) => (k === i ? v : x)))}
              outer={outer}
              ctx={ctx}
              named={t('Step {n}', { n: i + 1 })}
            />
            {!ctx.readOnly && (
              <span className="tools" role="group" aria-label={t('Step {n}', { n: i + 1 })}>
                <button type="button" aria-label={t('Move up')} disabled={i === 0} onClick={() => swap(i, i - 1)}>
                  ↑
                </button>
                <button type="button" aria-label={t('Move down')} disabled={i === value.length - 1} onClick={() => swap(i, i + 1)}>
                  ↓
                </button>
                <button
                  type="button"
                  aria-label={t('Remove')}
                  disabled={value.length <= (part.least ?? 0)}
                  onClick={() => onChange(value.filter((_, k) => k !== i))}
                >
                  ×
                </button>
              </span>
            )}
          </li>
        ))}
      </ol>
      {!ctx.readOnly && value.length < (part.most ?? Infinity) && (
        <button
          type="button"
          className="add small"
          onClick={() => {
            const step = beginAll(part.parts ?? [], ctx.kinds);
            const after = part.parts?.find((p) => p.key === 'within');
            onChange([...value, after && value.length > 0 ? { ...step, within: begin(after, ctx.kinds) } : step]);
          }}
        >
          {t('+ step')}
        </button>
      )}
    </>
  );
}

// PartList are all parts of a map that are in it, and a list of those that are not.
export function PartList({
  parts,
  value,
  onChange,
  outer,
  ctx,
  named,
}: {
  parts: Part[];
  value: Tree;
  onChange: (v: Tree) => void;
  outer: Tree;
  ctx: Ctx;
  named: string; // of whom, for who hears it; "head": the first part's label is said already
}) {
  const { t } = useWords();
  const said = useSaid();
  const { here, more, strange } = partsIn(value, parts);
  return (
    <span
      className="parts"
      role={named && named !== 'head' ? 'group' : undefined}
      aria-label={named && named !== 'head' ? named : undefined}
    >
      {here.map((p, i) => {
        const others = p.instead ? parts.filter((o) => o.instead === p.instead) : [];
        return (
          <span key={p.key || 'compare'} className="part">
            {others.length > 1 && !ctx.readOnly && (
              <select
                aria-label={t('Which way')}
                value={p.key}
                onChange={(e) => {
                  const to = others.find((o) => o.key === e.target.value);
                  if (!to) return;
                  const kept = p.type === to.type && p.from === to.from && p.many === to.many ? value[p.key] : undefined;
                  onChange({ ...rename(value, p.key, to.key), [to.key]: kept ?? begin(to, ctx.kinds) });
                }}
              >
                {others.map((o) => (
                  <option key={o.key} value={o.key}>
                    {said(o.label)}
                  </option>
                ))}
              </select>
            )}
            <PartField
              part={p}
              holder={value}
              onHolder={onChange}
              outer={outer}
              ctx={ctx}
              first={(i === 0 && named === 'head') || (others.length > 1 && !ctx.readOnly)}
            />
          </span>
        );
      })}
      {strange.map((k) => (
        <span key={k} className="said">
          <code>
            {k}: {JSON.stringify(value[k])}
          </code>
          {!ctx.readOnly && (
            <button
              type="button"
              className="x"
              aria-label={t('Take {what} out', { what: k })}
              onClick={() => onChange(Object.fromEntries(Object.entries(value).filter(([x]) => x !== k)))}
            >
              ×
            </button>
          )}
        </span>
      ))}
      {!ctx.readOnly && more.length > 0 && (
        <select
          className="more"
          aria-label={named && named !== 'head' ? t('{of}: say more', { of: named }) : t('Say more')}
          value=""
          onChange={(e) => {
            const p = more.find((x) => x.key === e.target.value);
            if (p) onChange(withPart(value, p, ctx.kinds));
          }}
        >
          <option value="">{t('+ detail')}</option>
          {more.map((p) => (
            <option key={p.key} value={p.key}>
              {said(p.label)}
            </option>
          ))}
        </select>
      )}
    </span>
  );
}
