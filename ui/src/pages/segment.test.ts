import { describe, expect, test } from 'vitest';
import { segmentText, Strange, textOf, withoutSegment, withSegment } from './segment-file';

const worth = `# Customers who mean much.

segment: vip
label: Best
when: {did: Order Completed, times: ">= 6"}
---
# Why it is so.
segment: big
about: Big baskets.
trigger: existing
when:
  did: Order Completed
  # in pounds
  where: {net: ">= 500"}
`;
const files = [
  { path: 'segments/worth.yaml', body: worth },
  { path: 'segments/lone.yaml', body: 'when: {did: A}\n' },
  {
    path: 'journeys/hello.yaml',
    body: 'trigger:\n  - segment: vip\nexit: [{not_in_segment: vip}, {segment: vip2}]\naudience: {segment: "vip"}\n',
  },
];
const when = { did: 'B', within: '3d' };

describe('the file of a segment', () => {
  test('gets a new segment in a file of its own', () => {
    const next = withSegment(files, { name: 'fresh', label: 'Fresh: new', about: '', when });
    expect(next[3]).toEqual({ path: 'segments/fresh.yaml', body: 'segment: fresh\nlabel: "Fresh: new"\nwhen: {did: B, within: 3d}\n' });
    expect(next.slice(0, 3)).toEqual(files);
    expect(() => withSegment(files, { name: 'vip', label: '', about: '', when })).toThrow(Strange);
  });

  test('keeps what stands around the one that changes', () => {
    const next = withSegment(files, { name: 'big', label: 'Big', about: 'Big ones.', when }, 'big');
    expect(next[0]!.body).toBe(
      worth.slice(0, worth.indexOf('segment: big')) +
        'segment: big\nlabel: Big\nabout: Big ones.\ntrigger: existing\nwhen: {did: B, within: 3d}\n',
    );
    const first = withSegment(files, { name: 'vip', label: 'Best', about: '', when }, 'vip')[0]!.body;
    expect(first.startsWith('# Customers who mean much.\n\nsegment: vip\nlabel: Best\nwhen: {did: B, within: 3d}\n---\n')).toBe(true);
    expect(first.endsWith(worth.slice(worth.indexOf('# Why')))).toBe(true);
  });

  test('knows a segment that is called like its file', () => {
    expect(textOf(files, 'lone')).toBe('when: {did: A}\n');
    expect(withSegment(files, { name: 'lone', label: '', about: '', when }, 'lone')[1]!.body).toBe(
      'segment: lone\nwhen: {did: B, within: 3d}\n',
    );
  });

  test('another name is another name wherever it stands', () => {
    const next = withSegment(files, { name: 'best', label: '', about: '', when }, 'vip');
    expect(next[2]!.body).toBe(
      'trigger:\n  - segment: best\nexit: [{not_in_segment: best}, {segment: vip2}]\naudience: {segment: "best"}\n',
    );
    expect(textOf(next, 'vip')).toBeUndefined();
    expect(textOf(next, 'best')).toContain('segment: best');
  });

  test('loses one, and goes with the last', () => {
    const next = withoutSegment(files, 'vip');
    expect(next[0]!.body).toBe(worth.slice(worth.indexOf('# Why')));
    expect(withoutSegment(files, 'big')[0]!.body).toBe(worth.slice(0, worth.indexOf('---')));
    expect(withoutSegment(files, 'lone').map((f) => f.path)).toEqual(['segments/worth.yaml', 'journeys/hello.yaml']);
    expect(() => withoutSegment(files, 'nobody')).toThrow(Strange);
  });

  test('what people type cannot add a line to it', () => {
    expect(segmentText({ name: 'a', label: 'x"\nwhen: {}', about: 'yes', when: { did: 'A: b', where: { x: '1' } } })).toBe(
      'segment: a\nlabel: "x\\"\\nwhen: {}"\nabout: "yes"\nwhen: {did: "A: b", where: {x: "1"}}\n',
    );
    expect(segmentText({ name: 'a', label: '', about: '', when: { all: [when, { any: [when] }] } })).toBe(
      'segment: a\nwhen:\n  all:\n    - {did: B, within: 3d}\n    - any:\n        - {did: B, within: 3d}\n',
    );
  });
});
