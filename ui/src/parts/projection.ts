// Where a place stands on a flat picture: good for a country, and honest about
// distances along the middle of it.
export interface Spot {
  lat: number;
  lon: number;
}

export interface Frame {
  lat: number; // of the middle
  lon: number;
  span: number; // degrees of latitude from top to bottom
}

export const wide = 720;
export const high = 440;

// framed is the frame that holds all spots with some room around them.
export function framed(spots: Spot[]): Frame {
  if (spots.length === 0) return { lat: 51, lon: 10, span: 12 };
  const lats = spots.map((s) => s.lat);
  const lons = spots.map((s) => s.lon);
  const lat = (Math.min(...lats) + Math.max(...lats)) / 2;
  const lon = (Math.min(...lons) + Math.max(...lons)) / 2;
  const tall = Math.max(...lats) - Math.min(...lats);
  const across = (Math.max(...lons) - Math.min(...lons)) * Math.cos((lat * Math.PI) / 180) * (high / wide);
  return { lat, lon, span: Math.max(tall, across, 0.02) * 1.3 };
}

export function project(f: Frame, s: Spot): { x: number; y: number } {
  const k = high / f.span;
  return { x: wide / 2 + (s.lon - f.lon) * Math.cos((f.lat * Math.PI) / 180) * k, y: high / 2 - (s.lat - f.lat) * k };
}

export function unproject(f: Frame, x: number, y: number): Spot {
  const k = high / f.span;
  return { lat: f.lat - (y - high / 2) / k, lon: f.lon + (x - wide / 2) / (k * Math.cos((f.lat * Math.PI) / 180)) };
}

// kilometres per pixel of the picture.
export const scale = (f: Frame) => (f.span * 111.2) / high;

const steps = [60, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];

// graticule is the step in degrees of lines that help the eye: three from top to bottom at
// least, unless what they are called would run together.
export function graticule(f: Frame): number {
  const room = 48 / (wide / acrossOf(f)); // of a name, in degrees
  const step = steps.find((s) => f.span / s >= 3) ?? 0.005;
  return step >= room ? step : (steps.findLast((s) => s >= room) ?? 60);
}

// acrossOf is how many degrees of longitude are seen.
const acrossOf = (f: Frame) => (f.span * wide) / high / Math.cos((f.lat * Math.PI) / 180);

function lines(from: number, to: number, step: number): number[] {
  const list: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to && list.length < 40; i++) list.push(i * step || 0);
  return list;
}

// parallels and meridians are the degrees at which lines are drawn; a picture may be wider
// than the world, and is never taller.
export function parallels(f: Frame): number[] {
  return lines(Math.max(f.lat - f.span / 2, -90), Math.min(f.lat + f.span / 2, 90), graticule(f));
}

export function meridians(f: Frame): number[] {
  return lines(f.lon - acrossOf(f) / 2, f.lon + acrossOf(f) / 2, graticule(f));
}

// turned is a longitude by its usual name, from -180 on and to 180.
export function turned(lon: number): number {
  const once = (((lon % 360) + 540) % 360) - 180;
  return once === -180 ? 180 : once;
}
