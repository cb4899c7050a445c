import { describe, expect, test } from 'vitest';
import { anchored, back } from './parts/anchor';
import { ticks } from './parts/charts';
import { framed, graticule, high, meridians, parallels, project, turned, unproject, wide } from './parts/projection';
import { gathered, kept, type Line } from './parts/stream';

const line = (n: number): Line => ({ n, at: '', outcome: 'accepted', name: 'Page Viewed' });

describe('the live page', () => {
  test('the newest stands first, and no more are kept than a page holds', () => {
    const there = gathered([], [line(1), line(2)]);
    expect(there.map((l) => l.n)).toEqual([2, 1]);
    const many = gathered(
      there,
      Array.from({ length: kept - 1 }, (_, i) => line(i + 3)),
    );
    expect(many).toHaveLength(kept);
    expect(many[0]?.n).toBe(kept + 1);
    expect(many.at(-1)?.n).toBe(2);
    const flood = gathered(
      many,
      Array.from({ length: 3000 }, (_, i) => line(i)),
    );
    expect(flood).toHaveLength(kept);
    expect(flood[0]?.n).toBe(2999);
  });
});

describe('charts', () => {
  test('an axis has round numbers and holds everything', () => {
    for (const most of [0, 0.03, 1, 7, 99, 100, 101, 123_456]) {
      const list = ticks(most);
      expect(list[0]).toBe(0);
      expect(list.at(-1)).toBeGreaterThanOrEqual(most);
      expect(list.length).toBeLessThan(9);
    }
  });

  test('times are counted back from now, or from the last order of a silent shop', () => {
    const now = Date.parse('2026-11-29T10:00:00Z');
    expect(anchored('2026-11-20', now)).toEqual({ end: now, to: undefined, last: undefined });
    expect(anchored(undefined, now).to).toBeUndefined();
    const old = anchored('2011-12-09', now);
    expect(old.to).toBe('2011-12-10');
    expect(back(old, 30)).toBe('2011-11-10');
    expect(back(old, 0)).toBeUndefined();
  });
});

describe('the map', () => {
  const stores = [
    { lat: 53.8, lon: -1.54 },
    { lat: 51.5, lon: -0.12 },
    { lat: 55.95, lon: -3.2 },
  ];

  test('all stores are in the picture, north is up and east is right', () => {
    const f = framed(stores);
    for (const s of stores) {
      const p = project(f, s);
      expect(p.x).toBeGreaterThan(0);
      expect(p.x).toBeLessThan(wide);
      expect(p.y).toBeGreaterThan(0);
      expect(p.y).toBeLessThan(high);
      const back = unproject(f, p.x, p.y);
      expect(back.lat).toBeCloseTo(s.lat, 6);
      expect(back.lon).toBeCloseTo(s.lon, 6);
    }
    expect(project(f, stores[2]!).y).toBeLessThan(project(f, stores[1]!).y);
    expect(project(f, stores[1]!).x).toBeGreaterThan(project(f, stores[2]!).x);
  });

  test('one store, and none, make a picture too', () => {
    expect(framed([stores[0]!]).span).toBeGreaterThan(0);
    expect(graticule(framed([]))).toBeGreaterThan(0);
  });

  test('a chain around the world has no lines beyond the poles, and room for what they are called', () => {
    const f = framed([
      { lat: -18, lon: 178 },
      { lat: 51, lon: 0 },
      { lat: -14, lon: -172 },
    ]);
    const lats = parallels(f);
    const lons = meridians(f);
    expect(lats.every((lat) => Math.abs(lat) <= 90)).toBe(true);
    expect(lats).toContain(0);
    for (let i = 1; i < lons.length; i++)
      expect(project(f, { lat: 0, lon: lons[i]! }).x - project(f, { lat: 0, lon: lons[i - 1]! }).x).toBeGreaterThan(44);
    expect([190, -190, 180, -180, 0, 540].map(turned)).toEqual([-170, 170, 180, 180, 0, 180]);
  });
});
