import { describe, expect, test } from 'vitest';
import type { Schemas } from './api';
import { fields, fresh, join, kind, made, palette, split, write } from './parts/blocks';
import { daysOf, entriesOf, shift, stateOf } from './parts/calendar';
import { document, withSection, type Tree } from './parts/files';
import { draftOf, treeOf } from './parts/wizard';

const none = () => false;

describe('definitions', () => {
  test('what people typed is a text and adds no line', () => {
    expect(document({ title: 'x"\nrate: none', yes: 'yes', n: 7, list: ['a: b', { k: 'v' }], empty: {}, dash: '- x' })).toBe(
      'title: "x\\"\\nrate: none"\n"yes": "yes"\n"n": 7\nlist:\n  - "a: b"\n  - k: v\nempty: {}\ndash: "- x"\n',
    );
  });

  test('a part of a file is changed, and every other line stays', () => {
    const file = '# who we are\nname: Shop # ours\nsenders:\n  email:\n    from: a@b.example\n\n# looks\nbrand: {}\n';
    expect(withSection(file, 'senders', { email: { from: 'c@d.example' } })).toBe(
      '# who we are\nname: Shop # ours\nsenders:\n  email:\n    from: "c@d.example"\n\n# looks\nbrand: {}\n',
    );
    expect(withSection(file, 'senders', undefined)).toBe('# who we are\nname: Shop # ours\n\n# looks\nbrand: {}\n');
    expect(withSection('name: Shop\n', 'postal', 'a: b')).toBe('name: Shop\n\npostal: "a: b"\n');
    expect(withSection('caps:\n- a\n- b\ngap: 1d\n', 'caps', undefined)).toBe('gap: 1d\n');
  });
});

describe('blocks', () => {
  const message = fresh('A "label"', 'Subject', none);

  test('pieces put together are the same text', () => {
    const p = split(message);
    expect(p.blocks.map(kind)).toEqual(['heading', 'text', 'button', 'footer']);
    for (const source of [
      message,
      '<mj-section>',
      'no blocks',
      '---\na: b\n---\n<mj-section><mj-section></mj-section></mj-section> x',
      '',
    ]) {
      expect(join(split(source))).toBe(source);
    }
  });

  test('a value is written into its place, and cannot leave it', () => {
    const block = split(message).blocks[2]!;
    const link = fields(block).find((f) => f.label === 'href')!;
    const next = write(block, link, 'https://x.example/"><script>alert(1)</script>&');
    expect(next).not.toContain('<script>');
    expect(fields(next).find((f) => f.label === 'href')!.value).toBe('https://x.example/"><script>alert(1)</script>&');
    expect(fields(next)).toHaveLength(fields(block).length);
  });

  test('each ready block is one', () => {
    for (const what of palette) {
      const source = '<mjml><mj-body>' + made(what, none, { name: 'a.png', alt: 'A "b"' }) + '</mj-body></mjml>';
      expect(split(source).blocks.map(kind)).toEqual([what]);
    }
  });
});

describe('the calendar', () => {
  const run = { run: '1', state: 'done', sent: '2026-12-01T23:30:00Z', begins: '2026-12-01T23:30:00Z' };
  const one = (c: object) =>
    [{ name: 'a', title: 'A', audience: 'x', runs: [], messages: [], ...c }] as unknown as Schemas['CampaignStatus'][];

  test('a run stands on the day that the zone has then', () => {
    expect(entriesOf(one({ runs: [run] }), 'UTC')[0]).toMatchObject({ day: '2026-12-01', time: '23:30', own: false });
    expect(entriesOf(one({ runs: [run] }), 'Asia/Tokyo')[0]).toMatchObject({ day: '2026-12-02', time: '08:30' });
  });

  test('what nobody sent in time is not planned', () => {
    expect(stateOf(one({ at: '2026-12-24 09:00' })[0]!)).toBe('planned');
    expect(stateOf(one({ at: '2026-12-24 09:00', passed: true })[0]!)).toBe('missed');
    expect(stateOf(one({ at: '2026-12-24 09:00', passed: true, runs: [run] })[0]!)).toBe('done');
    expect(stateOf(one({})[0]!)).toBe('draft');
    expect(entriesOf(one({ at: '2026-12-24 09:00', passed: true }), 'UTC')[0]).toMatchObject({ state: 'missed' });
  });

  test('a time of everybody’s own clock is the same day in each zone, one of a zone is not', () => {
    for (const zone of ['UTC', 'Asia/Tokyo'])
      expect(entriesOf(one({ at: '2026-12-24 09:00' }), zone)[0]).toMatchObject({
        day: '2026-12-24',
        time: '09:00',
        own: true,
        state: 'planned',
      });
    expect(entriesOf(one({ at: '2026-12-24 20:00', zone: 'Europe/Berlin' }), 'Asia/Tokyo')[0]).toMatchObject({
      day: '2026-12-25',
      time: '04:00',
      own: false,
    });
  });

  test('months begin on Mondays and years end', () => {
    expect(daysOf('2026-12-15', false)).toHaveLength(35);
    expect(daysOf('2026-12-15', false)[0]).toBe('2026-11-30');
    expect(daysOf('2026-11-29', true)).toEqual([
      '2026-11-23',
      '2026-11-24',
      '2026-11-25',
      '2026-11-26',
      '2026-11-27',
      '2026-11-28',
      '2026-11-29',
    ]);
    expect(shift('2026-12-31', 'month', 1)).toBe('2027-01-01');
    expect(shift('2026-12-31', 'week', 1)).toBe('2027-01-07');
  });
});

test('a campaign that the form reads and writes stays what it was', () => {
  const tree: Tree = {
    campaign: 'w',
    title: 'W',
    description: 'kept',
    audience: { all: [{ segment: 'active' }, { did: 'Order Completed' }] },
    template: 't',
    at: '2026-12-01 09:00',
    rate: '5000/h',
    undo: '10m',
    expires: '1d',
    holdout: '20%',
    same_address: 'each',
    goal: { did: 'Order Completed' },
    reason: 'r',
  };
  expect(treeOf(draftOf(tree), 'w', tree)).toEqual(tree);
  const own = treeOf({ ...draftOf(tree), moment: 'now', rate: '', segment: 's', holdout: '0' }, 'w', tree);
  expect(own).toMatchObject({ audience: { segment: 's' }, holdout: 0, goal: { did: 'Order Completed' } });
  expect(own).not.toHaveProperty('at');
  expect(own).not.toHaveProperty('rate');
});
