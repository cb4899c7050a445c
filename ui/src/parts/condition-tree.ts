// The condition tree as the API's definitions hold it, and every change of it. A change
// makes a new tree; paths say where in it.
import type { Schemas } from '../api';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Tree = { [key: string]: Json };
export type Path = (string | number)[];
export type Kind = Schemas['Kind'];
export type Part = Schemas['Part'];
export type Choice = Schemas['Choice'];

// Pathed is a problem of a condition at the place where it belongs.
export interface Pathed {
  path: Path;
  what: string;
  instead: string;
  warning: boolean;
}

export function isTree(v: Json | undefined): v is Tree {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

// kindOf says which kind of question a tree asks: the kind whose key stands in it, and
// is not part of another kind that stands in it too.
export function kindOf(v: Json | undefined, kinds: Kind[]): Kind | undefined {
  if (!isTree(v)) return undefined;
  const here = kinds.filter((k) => Object.hasOwn(v, k.key));
  return (
    here.find(
      (k) => !here.some((o) => o !== k && (o.with ?? []).includes(k.key) && Object.keys(v).indexOf(o.key) < Object.keys(v).indexOf(k.key)),
    ) ?? here[0]
  );
}

// What a new part begins with.
export function begin(p: Part, kinds: Kind[]): Json {
  if (p.start !== undefined) return structuredClone(p.start) as Json;
  switch (p.type) {
    case 'condition':
      return blank(kinds);
    case 'conditions':
      return [blank(kinds)];
    case 'map':
      return beginAll(p.parts ?? [], kinds);
    case 'list':
      return Array.from({ length: p.least ?? 1 }, () => beginAll(p.parts ?? [], kinds));
    case 'choice':
      return p.many ? [p.choices?.[0]?.value ?? ''] : (p.choices?.[0]?.value ?? '');
    case 'whole':
    case 'number':
      return 1;
    case 'flag':
      return true;
    case 'bound':
    case 'measure':
      return '>= 1';
    case 'duration':
      return '30d';
    case 'distance':
      return '2km';
    case 'share':
      return '10%';
    case 'clock':
      return '09:00';
    case 'relative':
      return 'in the last 30d';
    case 'yearly':
      return 'today';
    case 'date':
      return today();
    case 'period':
      return [today(), today()];
    case 'values':
      return [];
    case 'filter':
      return { '': '' };
    default:
      return '';
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

// beginAll makes a map of the parts that are needed.
export function beginAll(parts: Part[], kinds: Kind[]): Tree {
  const out: Tree = {};
  for (const p of parts) if (p.needed) addPart(out, p, kinds);
  return out;
}

function addPart(to: Tree, p: Part, kinds: Kind[]) {
  if (p.type === 'compare') Object.assign(to, (structuredClone(p.start) as Tree | undefined) ?? { [p.choices?.[0]?.value ?? 'is']: '' });
  else to[p.type === 'measure' ? `${p.key}(${p.key === 'sum' ? 'net' : 'sku'})` : p.key] = begin(p, kinds);
}

export function beginKind(k: Kind, kinds: Kind[]): Tree {
  return beginAll(k.parts ?? [], kinds);
}

// blank is the question that a new row asks.
export function blank(kinds: Kind[]): Json {
  const first = kinds.find((k) => !nests(k));
  return first ? beginKind(first, kinds) : {};
}

// nests tells whether a kind is made of other conditions.
export function nests(k: Kind): boolean {
  return (k.parts ?? []).some((p) => p.type === 'condition' || p.type === 'conditions');
}

// The part of a kind that is a list of conditions: all, any, of.
export function groupPart(k: Kind | undefined): Part | undefined {
  return k?.parts?.find((p) => p.type === 'conditions');
}

// turn asks another kind of question. A group that becomes another keeps what is in
// it, and what is no group goes into one.
export function turn(v: Json, k: Kind, kinds: Kind[]): Tree {
  const old = kindOf(v, kinds);
  const out = beginKind(k, kinds);
  const to = groupPart(k);
  const from = groupPart(old);
  const single = k.parts?.find((p) => p.type === 'condition');
  if (to && from && isTree(v)) out[to.key] = v[from.key] ?? [];
  else if (to && old) out[to.key] = [v];
  else if (single && old) out[single.key] = v;
  else if (isTree(v) && old) {
    // What both ask stays: the events of did and did_not, the window.
    for (const p of k.parts ?? []) {
      const same = old.parts?.find((o) => o.key === p.key && o.type === p.type && o.from === p.from && p.key !== k.key);
      if (same && same.key !== old.key && v[p.key] !== undefined && p.type !== 'compare') out[p.key] = v[p.key] as Json;
    }
    const a = old.parts?.[0];
    const b = k.parts?.[0];
    if (a && b && a.type === b.type && a.from && a.from === b.from && v[a.key] !== undefined) out[b.key] = v[a.key] as Json;
  }
  return out;
}

export function at(v: Json | undefined, path: Path): Json | undefined {
  let here: Json | undefined = v;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isTree(here)) here = here[String(step)];
    else return undefined;
  }
  return here;
}

// put returns the tree with another value at the path; undefined takes it out. A key
// keeps its place among the others.
export function put(v: Json, path: Path, value: Json | undefined): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value ?? null;
  if (Array.isArray(v) && typeof step === 'number') {
    if (rest.length === 0 && value === undefined) return v.filter((_, i) => i !== step);
    return v.map((x, i) => (i === step ? put(x, rest, value) : x));
  }
  const t = isTree(v) ? v : {};
  const key = String(step);
  if (rest.length === 0 && value === undefined) return Object.fromEntries(Object.entries(t).filter(([k]) => k !== key));
  const inner = rest.length === 0 ? (value as Json) : put(t[key] ?? {}, rest, value);
  return { ...t, [key]: inner };
}

// rename gives a key of a map another name, in its place.
export function rename(v: Tree, from: string, to: string): Tree {
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k === from ? to : k, x]));
}

export function insert(v: Json, list: Path, index: number, value: Json): Json {
  const here = at(v, list);
  const items = Array.isArray(here) ? here : [];
  return put(v, list, [...items.slice(0, index), value, ...items.slice(index)]);
}

export function duplicate(v: Json, path: Path): Json {
  const index = path[path.length - 1];
  const list = path.slice(0, -1);
  if (typeof index !== 'number') return v;
  return insert(v, list, index + 1, structuredClone(at(v, path) ?? null));
}

// move shifts an element within its list, and out of it at its ends: into the list
// that stands around it.
export function move(v: Json, path: Path, by: 1 | -1): { value: Json; path: Path } {
  const index = path[path.length - 1];
  const list = path.slice(0, -1);
  const items = at(v, list);
  if (typeof index !== 'number' || !Array.isArray(items)) return { value: v, path };
  const to = index + by;
  const item = items[index] as Json;
  if (to >= 0 && to < items.length) {
    const rest = items.filter((_, i) => i !== index);
    return { value: put(v, list, [...rest.slice(0, to), item, ...rest.slice(to)]), path: [...list, to] };
  }
  // The list stands under a key of a map that is itself an element of a list.
  const outer = path.slice(0, -2);
  const place = outer[outer.length - 1];
  if (typeof place !== 'number' || items.length < 2) return { value: v, path };
  const without = put(v, path, undefined);
  const next = by > 0 ? place + 1 : place;
  return { value: insert(without, outer.slice(0, -1), next, item), path: [...outer.slice(0, -1), next] };
}

// remove takes an element out of its list, and a group that is empty then with it.
export function remove(v: Json, path: Path): Json {
  const index = path[path.length - 1];
  const list = at(v, path.slice(0, -1));
  if (typeof index === 'number' && Array.isArray(list) && list.length === 1) {
    const holder = path.slice(0, -2);
    if (holder.length > 0) return remove(v, holder);
  }
  return path.length === 0 ? null : put(v, path, undefined);
}

// wrap puts a condition into a group of its own.
export function wrap(v: Json, path: Path, key: string): Json {
  return put(v, path, { [key]: [at(v, path) ?? null] });
}

// unwrap puts the conditions of a group in the place of the group.
export function unwrap(v: Json, path: Path, kinds: Kind[]): Json {
  const group = at(v, path);
  const key = groupPart(kindOf(group, kinds))?.key;
  const items = key && isTree(group) ? group[key] : undefined;
  if (!Array.isArray(items)) return v;
  const index = path[path.length - 1];
  if (typeof index !== 'number') return items.length === 1 ? put(v, path, items[0]) : v;
  const list = path.slice(0, -1);
  const around = at(v, list);
  if (!Array.isArray(around)) return v;
  return put(v, list, [...around.slice(0, index), ...items, ...around.slice(index + 1)]);
}

// Marked is a text with the places at which the values of the tree stand in it.
export interface Marked {
  text: string;
  places: { line: number; col: number; path: Path }[];
}

// write writes a tree as JSON that people can read, and notes where what stands: the
// API says of a problem at which line and column it is.
export function write(v: Json): Marked {
  const places: Marked['places'] = [];
  let text = '';
  let line = 1;
  let start = 0;
  const out = (s: string) => {
    for (let i = 0; i < s.length; i++)
      if (s[i] === '\n') {
        line++;
        start = text.length + i + 1;
      }
    text += s;
  };
  const mark = (path: Path) => places.push({ line, col: Array.from(text.slice(start)).length + 1, path });
  const value = (x: Json, path: Path, deep: string) => {
    mark(path);
    const inner = deep + '  ';
    if (Array.isArray(x)) {
      if (x.every((y) => typeof y !== 'object' || y === null)) {
        out('[');
        x.forEach((y, i) => {
          if (i > 0) out(', ');
          value(y, [...path, i], inner);
        });
        out(']');
        return;
      }
      out('[\n');
      x.forEach((y, i) => {
        if (i > 0) out(',\n');
        out(inner);
        value(y, [...path, i], inner);
      });
      out('\n' + deep + ']');
    } else if (isTree(x)) {
      const entries = Object.entries(x);
      if (entries.length === 0) return out('{}');
      out('{\n');
      entries.forEach(([k, y], i) => {
        if (i > 0) out(',\n');
        out(inner);
        mark([...path, k]);
        out(JSON.stringify(k) + ': ');
        value(y, [...path, k], inner);
      });
      out('\n' + deep + '}');
    } else out(JSON.stringify(x));
  };
  value(v, [], '');
  return { text, places };
}

// locate finds the path of a place such as condition:3:7: of what begins at it, or
// else of what began last before it.
export function locate(m: Marked, where: string): Path {
  const found = /:(\d+)(?::(\d+))?$/.exec(where);
  if (!found) return [];
  const line = Number(found[1]);
  const col = Number(found[2] ?? 1);
  let best: Path = [];
  for (const p of m.places) {
    if (p.line > line || (p.line === line && p.col > col)) break;
    best = p.path;
  }
  return best;
}

const plain = /^([A-Za-z_][A-Za-z0-9 _./%-]*|\d+[smhdw]|\d+(\.\d+)?k?m)$/;
const special = /^(true|false|null|yes|no|on|off|y|n|~)$/i;

function scalar(v: Json): string {
  if (typeof v === 'string' && plain.test(v) && !special.test(v) && !v.endsWith(' ')) return v;
  return JSON.stringify(v);
}

// yaml writes a tree as definitions are written: lists of words on one line.
export function yaml(v: Json, deep = ''): string {
  const flat = (x: Json): string => {
    if (Array.isArray(x)) return '[' + x.map(flat).join(', ') + ']';
    if (isTree(x))
      return (
        '{' +
        Object.entries(x)
          .map(([k, y]) => flowKey(k) + ': ' + flat(y))
          .join(', ') +
        '}'
      );
    // In a flow a comma or a bracket would end a plain text.
    return typeof x === 'string' ? scalar(x) : JSON.stringify(x);
  };
  const short = (x: Json) => {
    const s = flat(x);
    return s.length <= 76 && !hasList(x) ? s : undefined;
  };
  if (Array.isArray(v)) {
    if (v.every((x) => typeof x !== 'object' || x === null)) return deep + flat(v);
    return v
      .map((x) => {
        const one = short(x);
        return deep + '- ' + (one ?? yaml(x, deep + '  ').trimStart());
      })
      .join('\n');
  }
  if (isTree(v)) {
    if (Object.keys(v).length === 0) return deep + '{}';
    return Object.entries(v)
      .map(([k, x]) => {
        const key = deep + flowKey(k) + ':';
        if (typeof x !== 'object' || x === null) return key + ' ' + flat(x);
        const one = Array.isArray(x) && x.some((y) => typeof y === 'object' && y !== null) ? undefined : short(x);
        return one !== undefined ? key + ' ' + one : key + '\n' + yaml(x, deep + '  ');
      })
      .join('\n');
  }
  return deep + flat(v);
}

function flowKey(k: string): string {
  return /^[A-Za-z_][A-Za-z0-9_.]*(\([A-Za-z0-9_.]+\))?$/.test(k) && !special.test(k) ? k : JSON.stringify(k);
}

// hasList tells whether there is a list of conditions inside, which reads badly on one line.
function hasList(v: Json): boolean {
  if (Array.isArray(v)) return v.some((x) => (typeof x === 'object' && x !== null) || hasList(x));
  return isTree(v) && Object.values(v).some(hasList);
}

// A duration as a number and a unit; what is not one is shown as it is.
export const units = ['m', 'h', 'd', 'w'] as const;

export function readDuration(s: Json | undefined): { n: string; unit: string } | undefined {
  const found = /^(\d+)(s|m|h|d|w)$/.exec(String(s ?? '').trim());
  return found ? { n: found[1] as string, unit: found[2] as string } : undefined;
}

export const boundOps = ['>=', '<=', '>', '<', '=', '!=', 'to'] as const;

// A bound as an operator and one or two numbers.
export function readBound(s: Json | undefined): { op: string; a: string; b: string } | undefined {
  const text = String(s ?? '').trim();
  const range = /^(-?[\d.]+ ?%?) to (-?[\d.]+ ?%?)$/.exec(text);
  if (range) return { op: 'to', a: range[1] as string, b: range[2] as string };
  const found = /^(>=|<=|!=|==|=|>|<|≥|≤)? *(-?[\d.]*%?)$/.exec(text);
  if (!found) return undefined;
  const op = { '==': '=', '≥': '>=', '≤': '<=' }[found[1] ?? '='] ?? found[1] ?? '=';
  return { op, a: found[2] as string, b: '' };
}

export function writeBound(b: { op: string; a: string; b: string }): string {
  return b.op === 'to' ? `${b.a} to ${b.b || b.a}` : `${b.op} ${b.a}`;
}

export const nears = ['in the last', 'in the next', 'ago', 'ahead'] as const;

export function readRelative(s: Json | undefined): { form: string; span: string } | undefined {
  const text = String(s ?? '')
    .trim()
    .replace(/^(last|next) /, 'in the $1 ');
  const found = /^in the (last|next) (\S+)$/.exec(text);
  if (found) return { form: 'in the ' + found[1], span: found[2] as string };
  const more = /^more than (\S+) (ago|ahead)$/.exec(text);
  return more ? { form: more[2] as string, span: more[1] as string } : undefined;
}

export function writeRelative(r: { form: string; span: string }): string {
  return r.form.startsWith('in') ? `${r.form} ${r.span}` : `more than ${r.span} ${r.form}`;
}

// What a person typed as a value: a number and true and false are what they look like.
export function readValue(text: string): Json {
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true') return true;
  if (text === 'false') return false;
  return text;
}

// One comparison of a property, however it was written: {a: 1}, {a: [1]}, {a: ">= 3"}, {a: {op: v}}.
export interface Compared {
  op: string;
  value: Json;
}

export function readCompared(v: Json): Compared[] {
  if (Array.isArray(v)) return [{ op: 'in', value: v }];
  if (isTree(v)) return Object.entries(v).map(([op, value]) => ({ op, value }));
  const found = typeof v === 'string' ? /^(>=|<=|>|<) *(-?\d+(?:\.\d+)?)$/.exec(v) : null;
  if (found) return [{ op: found[1] as string, value: Number(found[2]) }];
  return [{ op: 'is', value: v }];
}

export function writeCompared(list: Compared[]): Json {
  const [one] = list;
  if (one && list.length === 1) {
    if (one.op === 'is' && !isTree(one.value) && !Array.isArray(one.value)) return one.value;
    if (one.op === 'in' && Array.isArray(one.value)) return one.value;
  }
  return Object.fromEntries(list.map((c) => [c.op, c.value]));
}

// What a comparison takes when its operator becomes another.
export function fit(value: Json, takes: string | undefined, kinds: Kind[]): Json {
  switch (takes) {
    case 'values':
      return Array.isArray(value) ? value : value === '' || value === null || isTree(value) ? [] : [value];
    case 'flag':
      return typeof value === 'boolean' ? value : true;
    case 'number':
      return typeof value === 'number' ? value : Number(value) || 0;
    case 'date':
      return /^\d{4}-/.test(String(value)) ? value : today();
    case 'relative':
      return readRelative(value) ? value : 'in the last 30d';
    case 'yearly':
      return 'today';
    case 'text':
      return Array.isArray(value) ? String(value[0] ?? '') : String(value ?? '');
  }
  void kinds;
  return Array.isArray(value) ? (value[0] ?? '') : value;
}

// The keys of a map that a part stands for.
export function keysOf(v: Tree, p: Part): string[] {
  if (p.type === 'compare') return Object.keys(v).filter((k) => p.choices?.some((c) => c.value === k));
  if (p.type === 'measure') return Object.keys(v).filter((k) => k === p.key || k.startsWith(p.key + '('));
  return Object.hasOwn(v, p.key) ? [p.key] : [];
}

// The parts that could still be added to a map, and those that are in it.
export function partsIn(v: Tree, parts: Part[]): { here: Part[]; more: Part[]; strange: string[] } {
  const here = parts.filter((p) => keysOf(v, p).length > 0 || (p.needed && !p.instead));
  const more = parts.filter(
    (p) =>
      p.type !== 'compare' &&
      (p.type === 'measure' || !here.includes(p)) &&
      !here.some((h) => h !== p && h.instead && h.instead === p.instead),
  );
  const strange = Object.keys(v).filter((k) => !parts.some((p) => keysOf(v, p).includes(k)));
  return { here, more, strange };
}

export function withPart(v: Tree, p: Part, kinds: Kind[]): Tree {
  const out = { ...v };
  if (p.type === 'measure') {
    let name = p.key === 'sum' ? 'net' : 'sku';
    while (Object.hasOwn(out, `${p.key}(${name})`)) name += '2';
    out[`${p.key}(${name})`] = begin(p, kinds);
  } else addPart(out, p, kinds);
  return out;
}

// History of one value: what was before, and what was undone.
export interface Past<T> {
  before: T[];
  now: T;
  after: T[];
}

const kept = 200;

export function changed<T>(h: Past<T>, now: T): Past<T> {
  return Object.is(now, h.now) ? h : { before: [...h.before.slice(-kept), h.now], now, after: [] };
}

export function undone<T>(h: Past<T>): Past<T> {
  const last = h.before[h.before.length - 1];
  return h.before.length === 0 ? h : { before: h.before.slice(0, -1), now: last as T, after: [h.now, ...h.after] };
}

export function redone<T>(h: Past<T>): Past<T> {
  const [next] = h.after;
  return h.after.length === 0 ? h : { before: [...h.before, h.now], now: next as T, after: h.after.slice(1) };
}
