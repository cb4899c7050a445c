// A journey that somebody is writing: steps, where they lead, and the changes that can
// be made to it. It knows no kind of step: GET /api/v1/steps says what each is made of
// and where it writes to which step it leads.
import type { Schemas } from '../api';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Tree = { [key: string]: Json };
export type Shape = Schemas['Shape'];
export type Field = Schemas['ShapeField'];
export type Fork = Schemas['ShapeFork'];

export const END = 'end';
export const BEGIN = '▸begin';

// StepDraft is one step. All that says where it leads is written out in it.
export interface StepDraft {
  name: string;
  kind: string;
  body: Tree; // what stands behind the kind's key
  next?: string;
  otherwise?: string;
  note?: string;
}

export interface Draft {
  head: Tree; // what the journey says beside its steps
  steps: StepDraft[];
}

// Way is one way on from a step, or the way in.
export interface Way {
  from: string;
  key: string; // names the way among those of its step
  to: string;
  label: string;
}

type Language = 'en' | 'de';

export function isTree(v: Json | undefined): v is Tree {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

export function shapeOf(kinds: Shape[], key: string): Shape | undefined {
  return kinds.find((k) => k.key === key);
}

// wayOf returns the way in which a thing of several ways is written.
export function wayOf(shape: Shape | undefined, body: Tree): Shape | undefined {
  return (shape?.ways ?? []).find((w) => w.key in body);
}

export function fieldsOf(shape: Shape | undefined, body: Tree): Field[] {
  return [...(shape?.fields ?? []), ...(wayOf(shape, body)?.fields ?? [])];
}

// read takes a journey apart.
export function read(tree: Json, kinds: Shape[]): Draft {
  if (!isTree(tree)) return { head: {}, steps: [] };
  const { steps: list, ...head } = tree;
  if (isTree(head['trigger'])) head['trigger'] = [head['trigger']];
  const items: [string, Json][] = Array.isArray(list)
    ? list.map((s) => ['', s])
    : isTree(list)
      ? Object.entries(list).map(([name, s]) => [name, s])
      : [];
  const steps = items.map(([key, item], i): StepDraft => {
    const s: Tree = typeof item === 'string' ? { [item]: null } : isTree(item) ? item : {};
    const kind = Object.keys(s).find((k) => shapeOf(kinds, k)) ?? '';
    const name = key || (typeof s['name'] === 'string' ? s['name'] : '') || `${kind || 'step'}-${i + 1}`;
    const text = (k: string) => (typeof s[k] === 'string' ? (s[k] as string) : undefined);
    return {
      name,
      kind,
      body: bodyOf(shapeOf(kinds, kind), s[kind]),
      next: text('next'),
      otherwise: text('otherwise'),
      note: text('note'),
    };
  });
  return { head, steps: steps.map((s, i) => explicit(s, steps[i + 1]?.name ?? END, shapeOf(kinds, s.kind), steps)) };
}

function bodyOf(shape: Shape | undefined, v: Json | undefined): Tree {
  if (isTree(v)) return structuredClone(v);
  if (v === null || v === undefined || !shape?.short) return {};
  return { [shape.short]: structuredClone(v) };
}

// explicit writes out where a step leads, also where it says nothing.
function explicit(s: StepDraft, below: string, shape: Shape | undefined, all: StepDraft[]): StepDraft {
  const out: StepDraft = { ...s, body: structuredClone(s.body) };
  const look = (place: string): string | undefined => {
    if (place === 'next') return s.next;
    if (place === 'otherwise') return s.otherwise;
    return typeof s.body[place] === 'string' ? s.body[place] : undefined;
  };
  const forks = shape?.forks ?? [];
  for (const f of forks) {
    const fallen = (f.falls ?? []).map(look).find((x) => x) ?? below;
    if (!f.each) {
      if (!there(f, s)) continue;
      const to = look(f.at) ?? (f.optional ? undefined : fallen);
      if (to) setPlace(out, f.at, to);
      continue;
    }
    const each = out.body[f.each];
    if (f.keyed && isTree(each)) {
      const map: Tree = isTree(out.body[f.at]) ? { ...(out.body[f.at] as Tree) } : {};
      for (const k of Object.keys(each)) map[k] ??= all.some((x) => x.name === k) ? k : fallen;
      out.body[f.at] = map;
    } else if (Array.isArray(each)) {
      out.body[f.each] = each.map((x) => (isTree(x) ? { ...x, [f.at]: x[f.at] ?? fallen } : x));
    }
  }
  if (!forks.some((f) => f.at === 'next' && !f.each)) delete out.next;
  if (!forks.some((f) => f.at === 'otherwise' && !f.each)) delete out.otherwise;
  return out;
}

function there(f: Fork, s: StepDraft): boolean {
  const needs = f.needs ?? [];
  return needs.length === 0 || needs.some((n) => s.body[n] !== undefined);
}

function setPlace(s: StepDraft, at: string, to: string | undefined) {
  if (at === 'next' || at === 'otherwise') {
    if (to === undefined) delete s[at];
    else s[at] = to;
  } else if (to === undefined) delete s.body[at];
  else s.body[at] = to;
}

// ways lists where a step leads.
export function ways(s: StepDraft, kinds: Shape[], language: Language = 'en'): Way[] {
  const list: Way[] = [];
  for (const f of shapeOf(kinds, s.kind)?.forks ?? []) {
    if (!f.each) {
      const to = f.at === 'next' || f.at === 'otherwise' ? s[f.at] : s.body[f.at];
      if (there(f, s) && typeof to === 'string') list.push({ from: s.name, key: f.at, to, label: f.label[language] });
      continue;
    }
    const each = s.body[f.each];
    if (f.keyed && isTree(each)) {
      const map = s.body[f.at];
      for (const k of Object.keys(each)) {
        const to = isTree(map) ? map[k] : undefined;
        list.push({ from: s.name, key: `${f.at}.${k}`, to: typeof to === 'string' ? to : END, label: `${k} ${String(each[k])} %` });
      }
    } else if (Array.isArray(each)) {
      each.forEach((x, i) => {
        const to = isTree(x) ? x[f.at] : undefined;
        list.push({ from: s.name, key: `${f.each}.${i}.${f.at}`, to: typeof to === 'string' ? to : END, label: '' });
      });
    }
  }
  return list;
}

// allWays lists the way in and every way on.
export function allWays(d: Draft, kinds: Shape[], language: Language = 'en'): Way[] {
  const first: Way = { from: BEGIN, key: '', to: d.steps[0]?.name ?? END, label: '' };
  return [first, ...d.steps.flatMap((s) => ways(s, kinds, language))];
}

// lead lets a way of a step lead elsewhere.
function lead(s: StepDraft, key: string, to: string): StepDraft {
  const out: StepDraft = { ...s, body: structuredClone(s.body) };
  const [first = '', ...rest] = key.split('.');
  const list = out.body[first];
  if (rest.length === 0) setPlace(out, key, to);
  else if (Array.isArray(list)) {
    const item = list[Number(rest[0])];
    if (isTree(item)) item[rest[1] ?? ''] = to;
  } else out.body[first] = { ...(isTree(list) ? list : {}), [rest.join('.')]: to }; // the name of a share may hold a point
  return out;
}

// redirect lets a way lead elsewhere. The way in leads to the first step, so another
// step is put first.
export function redirect(d: Draft, from: string, key: string, to: string): Draft {
  if (from === BEGIN) {
    const first = d.steps.find((s) => s.name === to);
    return first ? { ...d, steps: [first, ...d.steps.filter((s) => s !== first)] } : d;
  }
  return { ...d, steps: d.steps.map((s) => (s.name === from ? lead(s, key, to) : s)) };
}

// open adds a way that is not there unless it is written, such as “not sent”.
export function openWay(d: Draft, name: string, at: string, to: string | undefined): Draft {
  return {
    ...d,
    steps: d.steps.map((s) => {
      if (s.name !== name) return s;
      const out = { ...s, body: structuredClone(s.body) };
      setPlace(out, at, to);
      return out;
    }),
  };
}

export function freeName(d: Draft, wish: string): string {
  const base = wish.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/-\d+$/, '') || 'step';
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (name !== END && !d.steps.some((s) => s.name === name)) return name;
  }
}

// begun is what a field begins with, so that as little as possible is missing.
export function begun(f: Field): Json {
  switch (f.type) {
    case 'length':
      return '1d';
    case 'clock':
      return '09:00';
    case 'list':
      return [beginFields(f.items ?? [])];
    case 'shares':
      return { a: 50, b: 50 };
    case 'values':
    case 'condition':
    case 'filter':
      return {};
    case 'truth':
      return false;
    case 'choice':
      return f.options?.[0]?.value ?? '';
    default:
      return '';
  }
}

function beginFields(fields: Field[]): Tree {
  const out: Tree = {};
  for (const f of fields) if (f.required) out[f.name] = begun(f);
  return out;
}

// beginWith is the body of a new step or trigger of a kind.
export function beginWith(shape: Shape): Tree {
  const way = shape.ways?.[0];
  const body = { ...beginFields(shape.fields ?? []), ...beginFields(way?.fields ?? []) };
  // Whoever waits for something without an end waits for ever, which is seldom meant.
  for (const f of shape.forks ?? [])
    for (const need of f.needs ?? []) {
      const field = shape.fields?.find((x) => x.name === need);
      if (field && !f.optional) body[need] = '7d';
    }
  return body;
}

// insert puts a new step on a way and returns its name.
export function insert(d: Draft, from: string, key: string, kind: string, kinds: Shape[]): { draft: Draft; name: string } {
  const shape = shapeOf(kinds, kind);
  const at = allWays(d, kinds).find((w) => w.from === from && w.key === key);
  if (!shape || !at) return { draft: d, name: '' };
  const name = freeName(d, kind.replaceAll('_', '-'));
  const step = explicit({ name, kind, body: beginWith(shape) }, at.to, shape, []);
  return { draft: place(d, step, from, key), name };
}

// place puts a step on a way: below the step that it follows in the list, too.
function place(d: Draft, step: StepDraft, from: string, key: string): Draft {
  if (from === BEGIN) return { ...d, steps: [step, ...d.steps] };
  const steps = d.steps.flatMap((s) => (s.name === from ? [lead(s, key, step.name), step] : [s]));
  return { ...d, steps };
}

// remove takes a step out; who led to it leads to where it led first.
export function remove(d: Draft, name: string, kinds: Shape[]): Draft {
  const gone = d.steps.find((s) => s.name === name);
  if (!gone) return d;
  let to = ways(gone, kinds)[0]?.to ?? END;
  if (to === name) to = END;
  const wasFirst = d.steps[0] === gone;
  let steps = d.steps.filter((s) => s !== gone);
  for (const w of steps.flatMap((s) => ways(s, kinds)))
    if (w.to === name) steps = steps.map((s) => (s.name === w.from ? lead(s, w.key, to) : s));
  const first = wasFirst ? steps.find((s) => s.name === to) : undefined;
  if (first) steps = [first, ...steps.filter((s) => s !== first)];
  return { ...d, steps };
}

// duplicate puts a copy of a step behind it and returns the copy's name.
export function duplicate(d: Draft, name: string, kinds: Shape[]): { draft: Draft; name: string } {
  const s = d.steps.find((x) => x.name === name);
  const way = s && ways(s, kinds)[0];
  if (!s || !way) return { draft: d, name };
  const copy = { ...structuredClone(s), name: freeName(d, name) };
  return { draft: place(d, copy, name, way.key), name: copy.name };
}

// move takes a step from where it is to another way.
export function move(d: Draft, name: string, from: string, key: string, kinds: Shape[]): Draft {
  const step = d.steps.find((s) => s.name === name);
  if (!step || from === name) return d;
  const without = remove(d, name, kinds);
  const at = allWays(without, kinds).find((w) => w.from === from && w.key === key);
  if (!at) return d;
  const main = ways(step, kinds)[0];
  return place(without, main ? lead(step, main.key, at.to) : step, from, key);
}

// nudge moves a step before the step above it or behind the one below. It returns d
// itself where there is none.
export function nudge(d: Draft, name: string, by: -1 | 1, kinds: Shape[]): Draft {
  const step = d.steps.find((s) => s.name === name);
  if (!step) return d;
  const all = allWays(d, kinds);
  if (by === -1) {
    const above = all.find((w) => w.to === name)?.from;
    const into = above === undefined || above === BEGIN ? undefined : all.find((w) => w.to === above);
    return into ? move(d, name, into.from, into.key, kinds) : d;
  }
  const below = ways(step, kinds)[0]?.to;
  const next = d.steps.find((s) => s.name === below);
  const out = next && next.name !== name ? ways(next, kinds)[0] : undefined;
  return out ? move(d, name, out.from, out.key, kinds) : d;
}

// rename gives a step another name, wherever it is named.
export function rename(d: Draft, from: string, to: string, kinds: Shape[]): Draft {
  let steps = d.steps.map((s) => (s.name === from ? { ...s, name: to } : s));
  for (const w of steps.flatMap((s) => ways(s, kinds)))
    if (w.to === from) steps = steps.map((s) => (s.name === w.from ? lead(s, w.key, to) : s));
  return { ...d, steps };
}

export function setStep(d: Draft, name: string, change: Partial<StepDraft>, kinds: Shape[]): Draft {
  return {
    ...d,
    steps: d.steps.map((s) => {
      if (s.name !== name) return s;
      // Where a new arm or case leads if it does not say: where the first way leads.
      return explicit({ ...s, ...change }, ways(s, kinds)[0]?.to ?? END, shapeOf(kinds, s.kind), []);
    }),
  };
}

// order lists the steps as they are come to, each with how deep it lies in branches.
export function order(d: Draft, kinds: Shape[]): { step: StepDraft; depth: number; via: string; reached: boolean }[] {
  const seen = new Set<string>();
  const list: { step: StepDraft; depth: number; via: string; reached: boolean }[] = [];
  const all = allWays(d, kinds);
  const visit = (name: string, depth: number, via: string, reached: boolean) => {
    const step = d.steps.find((s) => s.name === name);
    if (!step || seen.has(name)) return;
    // What several branches lead to stands after them, as deep as they began.
    seen.add(name);
    list.push({ step, depth, via, reached });
    const out = ways(step, kinds);
    const shared = (to: string) => all.filter((w) => w.to === to).length > 1;
    const late: string[] = [];
    out.forEach((w) => {
      if (out.length > 1 && shared(w.to)) late.push(w.to);
      else visit(w.to, depth + (out.length > 1 ? 1 : 0), out.length > 1 ? w.key : '', reached);
    });
    late.forEach((to) => visit(to, depth, '', reached));
  };
  const first = d.steps[0];
  if (first) visit(first.name, 0, '', true);
  for (const s of d.steps) visit(s.name, 0, '', false);
  return list;
}

// write puts a journey together again, as a person would: what follows from the order
// of the steps is left out.
export function write(d: Draft, kinds: Shape[]): Tree {
  const { trigger, ...rest } = d.head;
  const head: Tree = { ...rest };
  const out: Tree = {};
  for (const k of ['journey', 'title', 'description']) if (filled(head[k])) out[k] = head[k] as Json;
  if (filled(trigger)) out['trigger'] = Array.isArray(trigger) && trigger.length === 1 ? (trigger[0] as Json) : (trigger as Json);
  for (const [k, v] of Object.entries(head)) if (!(k in out) && filled(v)) out[k] = v;
  out['steps'] = d.steps.map((s, i) => {
    const below = d.steps[i + 1]?.name ?? END;
    const shape = shapeOf(kinds, s.kind);
    const body = structuredClone(s.body);
    const item: Tree = { name: s.name };
    if (s.note) item['note'] = s.note;
    for (const f of shape?.forks ?? []) {
      const each = f.each ? body[f.each] : undefined;
      if (Array.isArray(each)) for (const x of each) if (isTree(x) && x[f.at] === below) delete x[f.at];
      if (f.each || f.at === 'next' || f.at === 'otherwise') continue;
      const falls = (f.falls ?? []).length > 0;
      if (falls && body[f.at] === below && s.otherwise === undefined) delete body[f.at];
    }
    const keys = Object.keys(body);
    if (shape?.short && keys.length === 1 && keys[0] === shape.short && !Array.isArray(body[shape.short]))
      item[s.kind] = body[shape.short] as Json;
    else item[s.kind] = keys.length === 0 && (shape?.fields ?? []).every((f) => !f.required) && !shape?.ways?.length ? null : body;
    if (s.next !== undefined && s.next !== below) item['next'] = s.next;
    if (s.otherwise !== undefined) item['otherwise'] = s.otherwise;
    return item;
  });
  return out;
}

const filled = (v: Json | undefined) => v !== undefined && v !== null && v !== '';

const plain = /^([A-Za-z_][A-Za-z0-9 _./-]*|\d+[smhdw]|\d+(\.\d+)?%)$/;
const special = /^(true|false|null|yes|no|on|off|y|n|~)$/i;

function scalar(v: Json): string {
  if (typeof v === 'string' && plain.test(v) && !special.test(v) && !v.endsWith(' ')) return v;
  return JSON.stringify(v);
}

const keyOf = (k: string) => (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(k) && !special.test(k) ? k : JSON.stringify(k));

function flat(v: Json): string {
  if (Array.isArray(v)) return '[' + v.map(flat).join(', ') + ']';
  if (isTree(v))
    return (
      '{' +
      Object.entries(v)
        .map(([k, x]) => `${keyOf(k)}: ${flat(x)}`)
        .join(', ') +
      '}'
    );
  return scalar(v);
}

// widest is how long a line may be before what is on it is written below one another.
const widest = 96;

function block(k: string, v: Json, deep: string): string[] {
  const key = deep + k + ':';
  if (v === null) return [key];
  if (typeof v === 'string' && v.includes('\n') && !/[^\n\P{C}]/u.test(v) && v.trim() === v && !/^[ \t]/m.test(v))
    return [key + ' |-', ...v.split('\n').map((l) => (l ? deep + '  ' + l : ''))];
  const one = `${key} ${flat(v)}`;
  if (typeof v !== 'object' || one.length <= widest) return [one];
  return [key, ...lines(v, deep + '  ')];
}

function lines(v: Json, deep: string): string[] {
  if (Array.isArray(v))
    return v.flatMap((x) => {
      const one = `${deep}- ${flat(x)}`;
      if (!isTree(x) || one.length <= widest) return [one];
      const inner = lines(x, deep + '  ');
      return [deep + '- ' + (inner[0] ?? '').trimStart(), ...inner.slice(1)];
    });
  return isTree(v) ? Object.entries(v).flatMap(([k, x]) => block(keyOf(k), x, deep)) : [deep + scalar(v)];
}

// yaml writes a journey as a file. What people typed is quoted as JSON wherever YAML
// could read it as anything but a text.
export function yaml(d: Draft, kinds: Shape[]): string {
  const { steps, ...head } = write(d, kinds);
  const list = (steps as Json[]).flatMap((s) => {
    const inner = Object.entries(s as Tree).flatMap(([k, x]) => block(k, x, '    '));
    return ['  - ' + (inner[0] ?? '').trimStart(), ...inner.slice(1)];
  });
  return [...lines(head, ''), list.length ? 'steps:' : 'steps: []', ...list].join('\n') + '\n';
}
