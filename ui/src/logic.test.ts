import { describe, expect, test } from 'vitest';
import { csv } from './parts/csv';
import { campaignFile, slug } from './parts/definitions';
import { layout } from './parts/layout';
import { fill } from './words';

describe('what people type', () => {
  test('a cell of a spreadsheet is no formula', () => {
    expect(csv([['=1+1', 'a "b", c', 7]])).toBe(`'=1+1,"a ""b"", c",7\r\n`);
  });

  test('a title is quoted in a definition, and cannot add a line to it', () => {
    const file = campaignFile({
      name: 'a',
      title: 'x"\nrate: none',
      segment: 's',
      template: 't',
      at: '2026-12-01T09:00',
      rate: '',
      undo: '10m',
      reason: 'r',
    });
    expect(file.split('\n')).toEqual([
      'campaign: "a"',
      'title: "x\\"\\nrate: none"',
      'audience: {segment: "s"}',
      'template: "t"',
      'at: 2026-12-01 09:00',
      'undo: 10m',
      'reason: "r"',
      '',
    ]);
  });

  test('a name is made of a title', () => {
    expect(slug('  Größe & Süßes, 2026! ')).toBe('grosse-susses-2026');
  });
});

test('words are filled in, and a gap that nobody fills stays', () => {
  expect(fill('{n} of {m}', { n: 3 })).toBe('3 of {m}');
});

test('steps stand from top to bottom, and none on another', () => {
  const { at } = layout([
    {
      id: 'a',
      to: [
        { to: 'b', label: '' },
        { to: 'c', label: '' },
      ],
    },
    { id: 'b', to: [{ to: 'd', label: '' }] },
    { id: 'c', to: [{ to: 'd', label: '' }] },
    { id: 'd', to: [{ to: 'a', label: '' }] },
  ]);
  expect(at['a']!.y).toBeLessThan(at['b']!.y);
  expect(at['b']!.y).toBeLessThan(at['d']!.y);
  expect(at['b']!.x).not.toBe(at['c']!.x);
});
