// Where campaigns stand in a calendar, by the clock of a zone. Days are texts such as
// 2026-11-29, which no clock of the reader changes.
import type { Schemas } from '../api';

export interface Entry {
  name: string;
  run: string;
  title: string;
  audience: string;
  day: string;
  time: string;
  own: boolean; // each customer's own clock shows the time
  state: string;
}

const parts = (at: Date, zone: string) => {
  const f = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return Object.fromEntries(f.formatToParts(at).map((p) => [p.type, p.value]));
};

export function dayOf(at: Date, zone: string): string {
  const p = parts(at, zone);
  return `${p.year}-${p.month}-${p.day}`;
}

export function timeOf(at: Date, zone: string): string {
  const p = parts(at, zone);
  return `${p.hour}:${p.minute}`;
}

// entriesOf makes an entry of each run, and of each campaign that is planned and was
// not sent yet. One that names a moment stands there; others where their run began.
export function entriesOf(all: Schemas['CampaignStatus'][], zone: string): Entry[] {
  const list: Entry[] = [];
  for (const c of all) {
    const about = { name: c.name, title: c.title || c.name, audience: c.audience };
    const moment = /^(\d{4}-\d{2}-\d{2}) (\d{1,2}:\d{2})/.exec(c.at ?? '');
    const runs = c.runs ?? [];
    runs.forEach((r, i) => {
      const begins = new Date(r.begins ?? 0);
      const latest = i === runs.length - 1;
      if (moment && latest) list.push({ ...about, run: r.run, ...wall(moment, c.zone, zone), state: r.state });
      else list.push({ ...about, run: r.run, day: dayOf(begins, zone), time: timeOf(begins, zone), own: false, state: r.state });
    });
    if (moment && runs.length === 0) list.push({ ...about, run: '', ...wall(moment, c.zone, zone), state: stateOf(c) });
  }
  return list.sort((a, b) => (a.day + a.time).localeCompare(b.day + b.time));
}

// wall is a moment that a definition names: of everybody's own clock, or of one zone's.
function wall(m: RegExpExecArray, of: string | undefined, zone: string): Pick<Entry, 'day' | 'time' | 'own'> {
  const time = m[2]!.padStart(5, '0');
  if (!of) return { day: m[1]!, time, own: true };
  const at = instant(m[1]!, time, of);
  return { day: dayOf(at, zone), time: timeOf(at, zone), own: false };
}

// instant is when a zone's clock shows a time: the guess as if it were UTC, put right
// by what the clock shows then.
function instant(day: string, time: string, zone: string): Date {
  const wanted = Date.parse(`${day}T${time}:00Z`);
  let at = wanted;
  for (let i = 0; i < 2; i++) {
    const d = new Date(at);
    at += wanted - Date.parse(`${dayOf(d, zone)}T${timeOf(d, zone)}:00Z`);
  }
  return new Date(at);
}

// stateOf is how a campaign stands: its last run, or what becomes of it without one.
export function stateOf(c: Schemas['CampaignStatus']): string {
  const last = c.runs?.[c.runs.length - 1];
  if (last) return last.state;
  if (!c.at) return 'draft';
  return c.passed ? 'missed' : 'planned';
}

const noon = (day: string) => new Date(day + 'T12:00:00Z');
const iso = (d: Date) => d.toISOString().slice(0, 10);

// daysOf are the days of a month with what fills its weeks, or of one week, from
// Monday on.
export function daysOf(day: string, week: boolean): string[] {
  const from = noon(week ? day : day.slice(0, 8) + '01');
  from.setUTCDate(from.getUTCDate() - ((from.getUTCDay() + 6) % 7));
  const list: string[] = [];
  const month = day.slice(0, 7);
  for (let i = 0; i < 42; i++) {
    if (i >= 7 && i % 7 === 0 && (week || !iso(from).startsWith(month))) break;
    list.push(iso(from));
    from.setUTCDate(from.getUTCDate() + 1);
  }
  return list;
}

export function shift(day: string, by: 'week' | 'month', n: number): string {
  const d = noon(day);
  if (by === 'week') d.setUTCDate(d.getUTCDate() + 7 * n);
  else {
    d.setUTCDate(1);
    d.setUTCMonth(d.getUTCMonth() + n);
  }
  return iso(d);
}
