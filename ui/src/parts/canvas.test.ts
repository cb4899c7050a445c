import { describe, expect, test } from 'vitest';
import {
  allWays,
  BEGIN,
  duplicate,
  insert,
  move,
  nudge,
  order,
  read,
  remove,
  rename,
  setStep,
  ways,
  write,
  yaml,
  type Json,
  type Shape,
} from './canvas-model';

const w = (en: string) => ({ en, de: en });
const field = (name: string, type: string, required = false) => ({
  name,
  type,
  required,
  label: w(name),
  about: w(name),
  units: [],
  options: [],
  items: [],
});
const fork = (at: string, more: object = {}) => ({ at, label: w(''), keyed: false, optional: false, needs: [], falls: [], ...more });
const shape = (key: string, more: object): Shape =>
  ({
    key,
    label: w(key),
    about: w(key),
    says: w(key),
    fields: [],
    ways: [],
    forks: [fork('next')],
    schema: {},
    example: '',
    ...more,
  }) as Shape;

const kinds: Shape[] = [
  shape('send', {
    fields: [field('template', 'template', true)],
    forks: [fork('next'), fork('otherwise', { optional: true, label: w('not sent') })],
  }),
  shape('wait', { short: 'for', ways: [shape('for', { fields: [field('for', 'length', true)], forks: [] })] }),
  shape('branch', {
    short: 'cases',
    fields: [{ ...field('cases', 'list', true), items: [field('when', 'condition', true)] }],
    forks: [fork('next', { each: 'cases', falls: ['next'] }), fork('else', { falls: ['otherwise', 'next'], label: w('else') })],
  }),
  shape('split', { fields: [field('shares', 'shares', true)], forks: [fork('to', { each: 'shares', keyed: true, falls: ['next'] })] }),
  shape('exit', { short: 'why', fields: [field('why', 'text')], forks: [] }),
];

const tree: Json = {
  journey: 'j',
  trigger: { event: 'Order Completed' },
  steps: [
    { name: 'a', wait: '1d' },
    { name: 'b', branch: { cases: [{ when: { segment: 'vip' }, next: 'd' }], else: 'end' } },
    { name: 'c', send: { template: 't' } },
    { name: 'd', send: { template: 'u' }, otherwise: 'a' },
  ],
};

const d = read(tree, kinds);
const edges = (x = d) => allWays(x, kinds).map((e) => `${e.from === BEGIN ? '' : e.from}>${e.to}`);

describe('a journey that is edited', () => {
  test('every way on is written out, whatever follows from the order', () => {
    expect(edges()).toEqual(['>a', 'a>b', 'b>d', 'b>end', 'c>d', 'd>end', 'd>a']);
  });

  test('and what follows from the order is left out again', () => {
    expect(write(d, kinds)).toEqual(tree);
  });

  test('a step is put on a way, and the way goes on through it', () => {
    const { draft, name } = insert(d, 'b', 'cases.0.next', 'wait', kinds);
    expect(name).toBe('wait');
    expect(edges(draft)).toEqual(['>a', 'a>b', 'b>wait', 'b>end', 'wait>d', 'c>d', 'd>end', 'd>a']);
  });

  test('at the beginning it is the first', () => {
    expect(edges(insert(d, BEGIN, '', 'split', kinds).draft).slice(0, 3)).toEqual(['>split', 'split>a', 'split>a']);
  });

  test('who led to a step that is taken out leads to where it led', () => {
    expect(edges(remove(d, 'd', kinds))).toEqual(['>a', 'a>b', 'b>end', 'b>end', 'c>end']);
    expect(edges(remove(d, 'a', kinds))).toEqual(['>b', 'b>d', 'b>end', 'c>d', 'd>end', 'd>b']);
  });

  test('the last step can be taken out, too', () => {
    const one = read({ steps: [{ name: 'x', wait: '1d' }] }, kinds);
    expect(edges(remove(one, 'x', kinds))).toEqual(['>end']);
  });

  test('a step moves up and down the way that it is on', () => {
    const line = read(
      {
        steps: [
          { name: 'x', wait: '1d' },
          { name: 'y', wait: '2d' },
          { name: 'z', send: { template: 't' } },
        ],
      },
      kinds,
    );
    expect(edges(nudge(line, 'z', -1, kinds))).toEqual(['>x', 'x>z', 'z>y', 'y>end']);
    expect(edges(nudge(line, 'x', 1, kinds))).toEqual(['>y', 'y>x', 'x>z', 'z>end']);
    expect(nudge(line, 'x', -1, kinds)).toBe(line);
    expect(nudge(line, 'z', 1, kinds)).toBe(line);
    expect(edges(move(line, 'x', 'z', 'next', kinds))).toEqual(['>y', 'y>z', 'z>x', 'x>end']);
  });

  test('a copy stands behind its step, under a name of its own', () => {
    const { draft, name } = duplicate(d, 'c', kinds);
    expect(name).toBe('c-2');
    expect(
      ways(
        draft.steps.find((s) => s.name === 'c')!,
        kinds,
      )[0]!.to,
    ).toBe('c-2');
  });

  test('a name is changed wherever it is named', () => {
    expect(edges(rename(d, 'd', 'thanks', kinds))).toEqual(['>a', 'a>b', 'b>thanks', 'b>end', 'c>thanks', 'thanks>end', 'thanks>a']);
  });

  test('a new share leads somewhere at once', () => {
    const { draft, name } = insert(d, 'a', 'next', 'split', kinds);
    const more = setStep(
      draft,
      name,
      { body: { ...draft.steps.find((s) => s.name === name)!.body, shares: { a: 40, b: 40, c: 20 } } },
      kinds,
    );
    expect(
      ways(
        more.steps.find((s) => s.name === name)!,
        kinds,
      ).map((x) => x.to),
    ).toEqual(['b', 'b', 'b']);
  });

  test('a list reads the steps as they are come to, and tells of those that nobody comes to', () => {
    expect(order(d, kinds).map((o) => [o.step.name, o.depth, o.reached])).toEqual([
      ['a', 0, true],
      ['b', 0, true],
      ['d', 0, true],
      ['c', 0, false],
    ]);
  });
});

describe('the file', () => {
  test('reads like one that was written by hand', () => {
    expect(yaml(d, kinds)).toBe(`journey: j
trigger: {event: Order Completed}
steps:
  - name: a
    wait: 1d
  - name: b
    branch: {cases: [{when: {segment: vip}, next: d}], else: end}
  - name: c
    send: {template: t}
  - name: d
    send: {template: u}
    otherwise: a
`);
  });

  test('what people type stays a text, whatever YAML would make of it', () => {
    const evil = read(
      {
        title: 'x"\nholdout: 0',
        description: 'one\ntwo: three',
        steps: [{ name: 'a', send: { template: 'on', reason: '{because}, # no' } }],
      },
      kinds,
    );
    expect(yaml(evil, kinds).split('\n')).toEqual([
      'title: |-',
      '  x"',
      '  holdout: 0',
      'description: |-',
      '  one',
      '  two: three',
      'steps:',
      '  - name: a',
      '    send: {template: "on", reason: "{because}, # no"}',
      '',
    ]);
  });
});

const sources = import.meta.glob<string>('./canvas*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });

test('no part of the canvas knows the name of a kind of step', () => {
  // A new kind is described by the server, and drawn and edited without a change here.
  const files = Object.entries(sources).filter(([file]) => !file.includes('.test.'));
  expect(files.length).toBeGreaterThan(3);
  for (const [file, source] of files)
    for (const kind of ['send', 'wait', 'wait_for', 'branch', 'split', 'update', 'jump'])
      expect(source.replaceAll(/\/\/.*$/gm, '').includes(`'${kind}'`), `${file} names ${kind}`).toBe(false);
});
