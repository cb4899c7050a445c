// The editor of a condition: a tree of questions, each a line that reads like a sentence.
// It knows no kind of question: GET /api/v1/conditions describes what each is made of.
//
//   const nodes = useConditionNodes();
//   const check = useConditionCheck(value, { trigger });
//   <ConditionEditor value={value} onChange={setValue} nodes={nodes} problems={check.problems} />
//
// The value is the JSON of a condition as definitions hold it, or null if there is none
// yet. useUndo keeps what was before.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { useWords, type Text } from '../words';
import { PartList, useSaid, type Ctx } from './condition-fields';
import {
  at,
  blank,
  beginKind,
  changed,
  duplicate,
  groupPart,
  insert,
  isTree,
  kindOf,
  locate,
  move,
  nests,
  put,
  redone,
  remove,
  turn,
  undone,
  unwrap,
  wrap,
  write,
  type Json,
  type Kind,
  type Past,
  type Path,
  type Pathed,
} from './condition-tree';

export type { Json, Kind, Pathed };

// useConditionNodes asks once for what there is.
export function useConditionNodes(): Kind[] | undefined {
  return useGet('/api/v1/conditions').data?.data ?? undefined;
}

// useLater is a value that has stood still for a while.
export function useLater<T>(value: T, ms: number): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return later;
}

export interface Checked {
  ok: boolean;
  fresh: boolean; // whether it is of the value as it is now
  problems: Pathed[];
  sentence: string; // in the language of the page
  said: Schemas['ConditionSaid'] | undefined;
  error: Error | null;
}

// useConditionCheck asks the server what is wrong with a condition and how it reads. An
// answer that comes too late is not waited for.
export function useConditionCheck(value: Json, options?: { trigger?: boolean; wait?: number }): Checked {
  const { language } = useWords();
  const marked = useMemo(() => (value === null ? null : write(value)), [value]);
  const later = useLater(marked, options?.wait ?? 250);
  const trigger = options?.trigger ?? false;
  const q = useQuery({
    queryKey: ['condition', later?.text ?? '', trigger],
    enabled: later !== null,
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => must(api.POST('/api/v1/conditions/check', { body: { text: later?.text ?? '', trigger }, signal })),
  });
  const fresh = later === marked && !q.isPlaceholderData && q.data !== undefined;
  const problems = useMemo(
    () =>
      q.data && later && !q.isPlaceholderData
        ? (q.data.problems ?? []).map((p) => ({
            path: locate(later, p.where),
            what: p.what,
            instead: p.instead,
            warning: p.warning ?? false,
          }))
        : [],
    [q.data, later, q.isPlaceholderData],
  );
  return {
    ok: q.data?.ok ?? false,
    fresh,
    problems,
    sentence: (language === 'de' ? q.data?.german : q.data?.sentence || q.data?.english) ?? '',
    said: q.data,
    error: q.error,
  };
}

// useUndo keeps a value with what it was before. What is typed without a pause is one
// change, but what is said to be a step is one by itself.
export function useUndo<T>(first: T) {
  const [past, setPast] = useState<Past<T>>({ before: [], now: first, after: [] });
  const last = useRef(0);
  const set = useCallback((v: T, step = false) => {
    const soon = !step && Date.now() - last.current < 600;
    last.current = step ? 0 : Date.now();
    setPast((h) => (soon && h.before.length > 0 ? { before: h.before, now: v, after: [] } : changed(h, v)));
  }, []);
  const undo = useCallback(() => {
    last.current = 0;
    setPast((h) => undone(h));
  }, []);
  const redo = useCallback(() => {
    last.current = 0;
    setPast((h) => redone(h));
  }, []);
  const reset = useCallback((v: T) => setPast({ before: [], now: v, after: [] }), []);
  // Ctrl+Z in a field is the browser's; everywhere else it takes back a change of the tree.
  const keys = useCallback(
    (e: KeyboardEvent) => {
      const field = e.target instanceof HTMLElement && e.target.matches('input, textarea');
      if (!(e.ctrlKey || e.metaKey) || field) return;
      const key = e.key.toLowerCase();
      if (key === 'z' && !e.shiftKey) undo();
      else if (key === 'y' || (key === 'z' && e.shiftKey)) redo();
      else return;
      e.preventDefault();
    },
    [undo, redo],
  );
  return { value: past.now, set, undo, redo, reset, keys, canUndo: past.before.length > 0, canRedo: past.after.length > 0 };
}

interface Row {
  value: Json;
  path: Path;
  depth: number;
}

interface Desk extends Ctx {
  root: Json;
  change: (v: Json, focus?: Path) => void;
  owned: Map<string, Pathed[]>;
}

const nameOf = (path: Path) => JSON.stringify(path);

// rowsOf lists the paths of all conditions of a tree.
function rowsOf(v: Json | undefined, kinds: Kind[], path: Path = []): Path[] {
  const list: Path[] = [path];
  if (!isTree(v)) return list;
  for (const p of kindOf(v, kinds)?.parts ?? []) {
    if (p.type === 'condition' && v[p.key] !== undefined) list.push(...rowsOf(v[p.key], kinds, [...path, p.key]));
    const items = p.type === 'conditions' ? v[p.key] : undefined;
    if (Array.isArray(items)) items.forEach((x, i) => list.push(...rowsOf(x, kinds, [...path, p.key, i])));
  }
  return list;
}

export function ConditionEditor({
  value,
  onChange,
  nodes,
  problems,
  label,
  readOnly = false,
  trigger = false,
}: {
  value: Json | null;
  onChange: (v: Json, step?: boolean) => void; // step: a question came, went or moved
  nodes: Kind[] | undefined;
  problems?: Pathed[];
  label?: string; // what the condition is for, for who hears it
  readOnly?: boolean;
  trigger?: boolean; // whether there is an event that began it, as inside journeys
}) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const focus = useRef<string | null>(null);
  const kinds = useMemo(() => (nodes ?? []).filter((k) => trigger || k.key !== 'property'), [nodes, trigger]);
  useEffect(() => {
    if (focus.current === null) return;
    const row = [...(box.current?.querySelectorAll<HTMLElement>('[data-path]') ?? [])].find((e) => e.dataset['path'] === focus.current);
    focus.current = null;
    row?.querySelector<HTMLElement>('select, input, button')?.focus();
  });
  const owned = useMemo(() => {
    const map = new Map<string, Pathed[]>();
    const rows = rowsOf(value ?? undefined, kinds);
    for (const p of problems ?? []) {
      let best: Path = [];
      for (const row of rows) if (row.length >= best.length && row.every((s, i) => p.path[i] === s)) best = row;
      map.set(nameOf(best), [...(map.get(nameOf(best)) ?? []), p]);
    }
    return map;
  }, [problems, value, kinds]);
  if (!nodes)
    return (
      <div className="empty" role="status">
        {t('One moment…')}
      </div>
    );
  const change = (v: Json, to?: Path) => {
    if (to) focus.current = nameOf(to);
    onChange(v, to !== undefined);
  };
  const desk: Desk = { kinds, readOnly, root: value, change, owned };
  return (
    <div className="condition" ref={box} role="group" aria-label={label ?? t('Condition')}>
      {value === null || (isTree(value) && Object.keys(value).length === 0) ? (
        <div className="cempty">
          <span className="soft">{t('Nothing is asked yet.')}</span>
          {!readOnly && <Add desk={desk} onAdd={(v) => change(v, [])} label={t('+ question')} />}
        </div>
      ) : (
        <Node value={value} path={[]} depth={0} desk={desk} />
      )}
    </div>
  );
}

// Add is a list of all kinds, by what they are about.
function Add({ desk, onAdd, label }: { desk: Desk; onAdd: (v: Json) => void; label: string }) {
  return (
    <KindList
      kinds={desk.kinds}
      value=""
      label={label}
      empty={label}
      className="add"
      onPick={(k) => onAdd(groupPart(k) ? turn(blank(desk.kinds), k, desk.kinds) : beginKind(k, desk.kinds))}
    />
  );
}

const groups: Record<string, Text> = {
  events: 'What they did',
  customer: 'Who they are',
  message: 'Messages',
  time: 'The clock',
  logic: 'Together',
};

function KindList({
  kinds,
  value,
  label,
  empty,
  className,
  disabled,
  onPick,
}: {
  kinds: Kind[];
  value: string;
  label: string;
  empty?: string;
  className?: string;
  disabled?: boolean;
  onPick: (k: Kind) => void;
}) {
  const { t, language } = useWords();
  const called = (k: Kind) => (language === 'de' ? k.german.label || k.label : k.label);
  const names = [...new Set(kinds.map((k) => k.group))];
  return (
    <select
      className={className ?? 'kind'}
      aria-label={label}
      value={value}
      disabled={disabled}
      onChange={(e) => {
        const k = kinds.find((x) => x.key === e.target.value);
        if (k) onPick(k);
      }}
    >
      {empty !== undefined && <option value="">{empty}</option>}
      {names.map((g) => (
        <optgroup key={g} label={groups[g] ? t(groups[g]) : g}>
          {kinds
            .filter((k) => k.group === g)
            .map((k) => (
              <option key={k.key} value={k.key}>
                {called(k)}
              </option>
            ))}
        </optgroup>
      ))}
    </select>
  );
}

function Node({ value, path, depth, desk, joint }: Row & { desk: Desk; joint?: ReactNode }) {
  const { t, language } = useWords();
  const said = useSaid();
  const { kinds, readOnly, root, change } = desk;
  const kind = kindOf(value, kinds);
  const tree = isTree(value) ? value : {};
  const group = groupPart(kind);
  const inner = kind?.parts?.filter((p) => p.type === 'condition' || p.type === 'conditions') ?? [];
  const flat = kind?.parts?.filter((p) => !inner.includes(p)) ?? [];
  const problems = desk.owned.get(nameOf(path)) ?? [];
  const name = kind ? (language === 'de' ? kind.german.label || kind.label : kind.label) : t('Unknown question');
  const index = path[path.length - 1];
  const inList = typeof index === 'number';
  const siblings = inList ? ((at(root, path.slice(0, -1)) as Json[] | undefined)?.length ?? 1) : 1;

  const act = {
    up: () => {
      const m = move(root, path, -1);
      change(m.value, m.path);
    },
    down: () => {
      const m = move(root, path, 1);
      change(m.value, m.path);
    },
    copy: () => {
      if (inList) change(duplicate(root, path), [...path.slice(0, -1), (index as number) + 1]);
    },
    remove: () => {
      const before = inList && (index as number) > 0 ? [...path.slice(0, -1), (index as number) - 1] : path.slice(0, -2);
      change(remove(root, path) ?? null, before);
    },
  };
  const keys = (e: KeyboardEvent) => {
    if (!e.altKey || e.ctrlKey || e.metaKey || readOnly) return;
    const found = { ArrowUp: act.up, ArrowDown: act.down, d: act.copy, Delete: act.remove, Backspace: act.remove }[e.key];
    if (!found || ((e.key === 'ArrowUp' || e.key === 'ArrowDown' || e.key === 'd') && !inList)) return;
    e.preventDefault();
    e.stopPropagation();
    found();
  };
  return (
    <div
      className={'cnode' + (group ? ' group' : '') + (problems.some((p) => !p.warning) ? ' wrong' : '')}
      data-path={nameOf(path)}
      data-depth={Math.min(depth, 6)}
      role="group"
      aria-label={name}
      onKeyDown={keys}
    >
      {joint}
      <div className="crow">
        <span className="ctext">
          <KindList
            kinds={kinds}
            value={kind?.key ?? ''}
            empty={kind ? undefined : t('Unknown question')}
            label={t('Kind of question')}
            disabled={readOnly}
            onPick={(k) => change(put(root, path, turn(value, k, kinds)), path)}
          />
          {kind ? (
            <PartList
              parts={flat}
              value={withoutInner(tree, inner)}
              outer={tree}
              ctx={desk}
              named="head"
              onChange={(v) => change(put(root, path, merge(tree, v, inner)))}
            />
          ) : (
            <code>{JSON.stringify(value)}</code>
          )}
        </span>
        {!readOnly && (
          <span className="tools" role="group" aria-label={t('{what}: move and remove', { what: name })}>
            {inList && (
              <>
                <button type="button" title="Alt ↑" aria-label={t('Move up')} disabled={index === 0 && path.length < 4} onClick={act.up}>
                  ↑
                </button>
                <button
                  type="button"
                  title="Alt ↓"
                  aria-label={t('Move down')}
                  disabled={index === siblings - 1 && path.length < 4}
                  onClick={act.down}
                >
                  ↓
                </button>
                <button type="button" title="Alt D" aria-label={t('Duplicate')} onClick={act.copy}>
                  <svg viewBox="0 0 16 16" aria-hidden="true">
                    <path d="M6 6h7v7H6zM10 6V3H3v7h3" />
                  </svg>
                </button>
              </>
            )}
            <select
              aria-label={t('{what}: put into', { what: name })}
              value=""
              onChange={(e) => {
                if (e.target.value === 'out') change(unwrap(root, path, kinds), path);
                else change(wrapIn(root, path, e.target.value, kinds), path);
              }}
            >
              <option value="">⋯</option>
              {kinds.filter(nests).map((k) => (
                <option key={k.key} value={k.key}>
                  {t('Put into “{kind}”', { kind: language === 'de' ? k.german.label : k.label })}
                </option>
              ))}
              {group && (inList || (Array.isArray(tree[group.key]) && (tree[group.key] as Json[]).length === 1)) && (
                <option value="out">{t('Dissolve the group')}</option>
              )}
            </select>
            <button type="button" title="Alt ⌫" aria-label={t('Remove')} onClick={act.remove}>
              ×
            </button>
          </span>
        )}
      </div>
      {problems.map((p, i) => (
        <div key={i} className={'cproblem ' + (p.warning ? 'warn' : 'bad')} role={p.warning ? undefined : 'alert'}>
          {p.what}
          {p.instead && /^[\w .-]{1,60}$/.test(p.instead) && typeof at(root, p.path) === 'string' && !readOnly ? (
            <button type="button" className="link" onClick={() => change(put(root, p.path, p.instead), path)}>
              {t('Take “{what}”', { what: p.instead })}
            </button>
          ) : (
            p.instead && (
              <span className="soft">
                {' '}
                {t('Write instead:')} <code>{p.instead}</code>
              </span>
            )
          )}
        </div>
      ))}
      {inner.map((p) => {
        const v = tree[p.key];
        if (p.type === 'condition')
          return (
            <div key={p.key} className="kids">
              {p.key !== kind?.key && <span className="word">{said(p.label)}</span>}
              {v === undefined || v === null ? (
                <Add desk={desk} label={t('+ question')} onAdd={(x) => change(put(root, [...path, p.key], x), [...path, p.key])} />
              ) : (
                <Node value={v} path={[...path, p.key]} depth={depth + 1} desk={desk} />
              )}
            </div>
          );
        const items = Array.isArray(v) ? v : [];
        const word = kind?.key === 'all' ? t('and') : kind?.key === 'any' ? t('or') : '·';
        const to = [...path, p.key];
        return (
          <div key={p.key} className="kids">
            {items.map((x, i) => (
              <Node
                key={i}
                value={x}
                path={[...to, i]}
                depth={depth + 1}
                desk={desk}
                joint={i > 0 ? <span className="joint">{word}</span> : undefined}
              />
            ))}
            {!readOnly && items.length < (p.most ?? Infinity) && (
              <Add desk={desk} label={t('+ question')} onAdd={(x) => change(insert(root, to, items.length, x), [...to, items.length])} />
            )}
          </div>
        );
      })}
    </div>
  );
}

// What is inside is shown below, and not as a part of the line.
function withoutInner(tree: { [key: string]: Json }, inner: { key: string }[]) {
  return Object.fromEntries(Object.entries(tree).filter(([k]) => !inner.some((p) => p.key === k)));
}

function merge(tree: { [key: string]: Json }, line: { [key: string]: Json }, inner: { key: string }[]): Json {
  const out: { [key: string]: Json } = {};
  for (const k of Object.keys(tree)) {
    if (inner.some((p) => p.key === k)) out[k] = tree[k] as Json;
    else if (k in line) out[k] = line[k] as Json;
  }
  // A key that got another name keeps the order in which the line has it.
  const fresh = Object.keys(line).some((k) => !(k in tree));
  return fresh ? { ...line, ...Object.fromEntries(Object.entries(tree).filter(([k]) => inner.some((p) => p.key === k))) } : out;
}

function wrapIn(root: Json, path: Path, key: string, kinds: Kind[]): Json {
  const k = kinds.find((x) => x.key === key);
  if (!k) return root;
  const list = groupPart(k);
  const others = k.parts?.filter((p) => p.needed && p !== list && p.type !== 'condition') ?? [];
  if (list && others.length === 0) return wrap(root, path, list.key);
  return put(root, path, turnInto(at(root, path) ?? null, k, kinds));
}

function turnInto(v: Json, k: Kind, kinds: Kind[]): Json {
  const out = beginKind(k, kinds);
  const list = groupPart(k);
  const single = k.parts?.find((p) => p.type === 'condition');
  if (list) out[list.key] = [v];
  else if (single) out[single.key] = v;
  return out;
}
