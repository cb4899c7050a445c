import { describe, expect, test } from 'vitest';
import {
  at,
  begin,
  beginKind,
  changed,
  duplicate,
  insert,
  kindOf,
  locate,
  move,
  partsIn,
  put,
  readBound,
  readCompared,
  readDuration,
  readRelative,
  readValue,
  redone,
  remove,
  rename,
  turn,
  undone,
  unwrap,
  wrap,
  write,
  writeBound,
  writeCompared,
  writeRelative,
  yaml,
  type Json,
  type Kind,
  type Part,
} from './condition-tree';

const part = (p: Partial<Part> & { key: string; type: string }): Part => ({ label: { en: p.key, de: p.key }, ...p });
const kind = (key: string, parts: Part[], rest?: string[]): Kind => ({
  key,
  label: key,
  about: '',
  group: 'x',
  example: '',
  german: { label: key, about: '' },
  with: rest ?? parts.slice(1).map((p) => p.key),
  parts,
});
const kinds: Kind[] = [
  kind('did', [
    part({ key: 'did', type: 'text', many: true, needed: true, from: 'events', start: 'Order Completed' }),
    part({ key: 'within', type: 'duration', start: '30d' }),
    part({ key: 'sum', type: 'measure' }),
  ]),
  kind('did_not', [
    part({ key: 'did_not', type: 'text', many: true, needed: true, from: 'events', start: 'Order Completed' }),
    part({ key: 'within', type: 'duration' }),
  ]),
  kind('trait', [
    part({ key: 'trait', type: 'text', needed: true }),
    part({
      key: '',
      type: 'compare',
      needed: true,
      start: { exists: true },
      choices: [
        { value: 'is', label: { en: 'is', de: 'ist' } },
        { value: 'exists', label: { en: 'known', de: 'bekannt' } },
      ],
    }),
  ]),
  kind('all', [part({ key: 'all', type: 'conditions', needed: true })]),
  kind('any', [part({ key: 'any', type: 'conditions', needed: true })]),
  kind('not', [part({ key: 'not', type: 'condition', needed: true })]),
  kind('at_least', [
    part({ key: 'at_least', type: 'whole', needed: true, start: 1 }),
    part({ key: 'of', type: 'conditions', needed: true }),
  ]),
  kind('local_time', [part({ key: 'local_time', type: 'map', needed: true }), part({ key: 'weekday', type: 'choice' })]),
  kind('weekday', [part({ key: 'weekday', type: 'choice', needed: true }), part({ key: 'local_time', type: 'map' })]),
];
const a = { did: 'A' };
const b = { did: 'B' };
const c = { did: 'C' };

describe('a tree', () => {
  test('is of the kind whose key comes first', () => {
    expect(kindOf({ within: '1d', did_not: 'A' }, kinds)?.key).toBe('did_not');
    expect(kindOf({ weekday: 'sat', local_time: {} }, kinds)?.key).toBe('weekday');
    expect(kindOf({ local_time: {}, weekday: 'sat' }, kinds)?.key).toBe('local_time');
    expect(kindOf({ who: 'knows' }, kinds)).toBeUndefined();
  });

  test('changes at one place, and is what it was at all others', () => {
    const v: Json = { all: [a, { any: [b, c] }] };
    const next = put(v, ['all', 1, 'any', 0, 'did'], 'X');
    expect(next).toEqual({ all: [a, { any: [{ did: 'X' }, c] }] });
    expect(v).toEqual({ all: [a, { any: [b, c] }] });
    expect(at(next, ['all', 0])).toBe(a);
    expect(put({ did: 'A', within: '1d', times: '> 1' }, ['within'], '2d')).toEqual({ did: 'A', within: '2d', times: '> 1' });
  });

  test('keeps its keys in order when one gets another name', () => {
    expect(Object.keys(rename({ x: 1, y: 2, z: 3 }, 'y', 'q'))).toEqual(['x', 'q', 'z']);
  });

  test('is added to, doubled and taken from', () => {
    const v: Json = { all: [a, b] };
    expect(insert(v, ['all'], 1, c)).toEqual({ all: [a, c, b] });
    expect(duplicate(v, ['all', 0])).toEqual({ all: [a, a, b] });
    expect(remove(v, ['all', 0])).toEqual({ all: [b] });
    expect(remove({ all: [a, { any: [b] }] }, ['all', 1, 'any', 0])).toEqual({ all: [a] });
    expect(remove(a, [])).toBeNull();
  });

  test('a question moves within its group, and out of it at its end', () => {
    const v: Json = { all: [a, { any: [b, c] }] };
    expect(move(v, ['all', 0], 1)).toEqual({ value: { all: [{ any: [b, c] }, a] }, path: ['all', 1] });
    expect(move(v, ['all', 1, 'any', 0], -1)).toEqual({ value: { all: [a, b, { any: [c] }] }, path: ['all', 1] });
    expect(move(v, ['all', 1, 'any', 1], 1)).toEqual({ value: { all: [a, { any: [b] }, c] }, path: ['all', 2] });
    expect(move(v, ['all', 0], -1).value).toBe(v);
  });

  test('a group is put around, and taken away again', () => {
    const v: Json = { all: [a, b] };
    const inside = wrap(v, ['all', 1], 'any');
    expect(inside).toEqual({ all: [a, { any: [b] }] });
    expect(unwrap(inside, ['all', 1], kinds)).toEqual(v);
    expect(unwrap({ any: [a] }, [], kinds)).toEqual(a);
  });

  test('another kind keeps what both ask', () => {
    const find = (key: string) => kinds.find((k) => k.key === key)!;
    expect(turn({ did: ['A', 'B'], within: '7d' }, find('did_not'), kinds)).toEqual({ did_not: ['A', 'B'], within: '7d' });
    expect(turn({ all: [a, b] }, find('at_least'), kinds)).toEqual({ at_least: 1, of: [a, b] });
    expect(turn(a, find('all'), kinds)).toEqual({ all: [a] });
    expect(turn(a, find('not'), kinds)).toEqual({ not: a });
    expect(beginKind(find('trait'), kinds)).toEqual({ trait: '', exists: true });
    expect(begin(part({ key: 'of', type: 'conditions' }), kinds)).toEqual([{ did: 'Order Completed' }]);
  });

  test('its parts are those that are in it, and the others can be added', () => {
    const parts = kinds[0]!.parts!;
    const { here, more, strange } = partsIn({ did: 'A', 'sum(net)': '> 1', odd: 1 }, parts);
    expect(here.map((p) => p.key)).toEqual(['did', 'sum']);
    expect(more.map((p) => p.key)).toEqual(['within', 'sum']);
    expect(strange).toEqual(['odd']);
  });
});

describe('a text of it', () => {
  const v: Json = { all: [{ did: 'Ä“', within: '14d' }, { segment: 'vip' }] };
  test('is the same tree', () => expect(JSON.parse(write(v).text)).toEqual(v));
  test('says where a problem belongs', () => {
    const m = write(v);
    const lines = m.text.split('\n');
    const line = lines.findIndex((l) => l.includes('vip'));
    const col = lines[line]!.indexOf('"vip"') + 1;
    expect(locate(m, `condition:${line + 1}:${col}`)).toEqual(['all', 1, 'segment']);
    const within = lines.findIndex((l) => l.includes('within'));
    expect(locate(m, `condition:${within + 1}:${lines[within]!.indexOf('"14d"') + 1}`)).toEqual(['all', 0, 'within']);
    expect(locate(m, 'condition')).toEqual([]);
  });
  test('in YAML a word that means something else is quoted', () => {
    expect(
      yaml({
        all: [
          { trait: 'country', in: ['GB', 'NO'] },
          { did: 'A', 'sum(net)': '>= 2', where: { x: 'yes', y: 'a, b' } },
        ],
      }),
    ).toBe(['all:', '  - {trait: country, in: [GB, "NO"]}', '  - {did: A, sum(net): ">= 2", where: {x: "yes", "y": "a, b"}}'].join('\n'));
    expect(yaml({ sequence: [{ did: 'A' }, { did_not: 'B', for: '1h' }], within: '7d' })).toBe(
      ['sequence:', '  - {did: A}', '  - {did_not: B, for: 1h}', 'within: 7d'].join('\n'),
    );
  });
});

describe('what stands in a field', () => {
  test('durations', () => {
    expect(readDuration('14d')).toEqual({ n: '14', unit: 'd' });
    expect(readDuration('1y')).toBeUndefined();
  });
  test('bounds', () => {
    for (const text of ['>= 3', '2 to 5', '!= 1', '>= 33%']) expect(writeBound(readBound(text)!)).toBe(text);
    expect(readBound('≥ 3')).toEqual({ op: '>=', a: '3', b: '' });
    expect(readBound(3)).toEqual({ op: '=', a: '3', b: '' });
    expect(readBound('many')).toBeUndefined();
  });
  test('days that are near', () => {
    for (const text of ['in the last 30d', 'in the next 7d', 'more than 30d ago', 'more than 7d ahead'])
      expect(writeRelative(readRelative(text)!)).toBe(text);
    expect(readRelative('last 3d')).toEqual({ form: 'in the last', span: '3d' });
  });
  test('a number is what looks like one, and a code is not', () => {
    expect(['12', '-1.5', 'true', '0012', '1e5', '12345678901234567890', 'x'].map(readValue)).toEqual([
      12,
      -1.5,
      true,
      '0012',
      '1e5',
      '12345678901234567890',
      'x',
    ]);
  });
  test('comparisons are written as shortly as they were', () => {
    for (const v of ['shoes', ['a', 'b'], { '>=': 50 }, { '>=': 1, '<': 3 }, true] as Json[])
      expect(writeCompared(readCompared(v))).toEqual(v);
    expect(readCompared('>= 50')).toEqual([{ op: '>=', value: 50 }]);
  });
});

test('a change is taken back and made again, and a new one forgets what was undone', () => {
  let h = changed(changed({ before: [] as number[], now: 1, after: [] as number[] }, 2), 3);
  h = undone(undone(h));
  expect(h.now).toBe(1);
  h = redone(h);
  expect([h.now, h.after]).toEqual([2, [3]]);
  expect(changed(h, 9)).toEqual({ before: [1, 2], now: 9, after: [] });
  expect(undone({ before: [], now: 1, after: [] }).now).toBe(1);
});
