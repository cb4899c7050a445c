// What comes in, as it comes in: server-sent events of the API.
import { useEffect, useRef, useState } from 'react';

export interface Line {
  n: number; // in the order in which this page heard of it
  at: string;
  outcome: 'accepted' | 'rejected' | 'quarantined';
  name: string;
  source?: string;
  customer?: string;
  who?: string;
  reason?: string;
  field?: string;
  event?: Record<string, unknown>;
  raw?: string;
  clipped?: boolean;
}

export type Link = 'opening' | 'open' | 'lost';

// kept is how many lines a page holds: more than anybody reads back.
export const kept = 500;

// gathered puts new lines before those that are there, the newest first, and lets the
// oldest go.
export function gathered(there: Line[], came: Line[]): Line[] {
  return came.length >= kept ? came.slice(-kept).reverse() : [...came.toReversed(), ...there].slice(0, kept);
}

// useStream tells hear of what comes, until the page is left. The browser opens the
// stream anew when it is lost.
export function useStream(query: string, hear: (lines: Line[], lost: number) => void): Link {
  const [link, setLink] = useState<Link>('opening');
  const told = useRef(hear);
  told.current = hear;
  useEffect(() => {
    let n = 0;
    setLink('opening');
    const source = new EventSource('/api/v1/events/stream' + query);
    source.onopen = () => setLink('open');
    source.onerror = () => setLink('lost');
    source.addEventListener('lines', (e) => {
      const m = JSON.parse(String(e.data)) as { lost: number; lines: Line[] };
      told.current(
        m.lines.map((l) => ({ ...l, n: ++n })),
        m.lost,
      );
    });
    return () => source.close();
  }, [query]);
  return link;
}
