// Back from when times are counted: from now, or, in a shop that has been silent for
// weeks, from the last day on which somebody ordered. Else every report of an old shop
// would show nothing.
import { useQuery } from '@tanstack/react-query';
import { get } from '../api';

const day = 86_400_000;
const silent = 21; // days

export interface Anchor {
  end: number; // milliseconds
  to: string | undefined; // as reports take it; undefined: now
  last: string | undefined; // the last day with an order, if that is long ago
}

// anchored says back from when times are counted, of the last day with an order.
export function anchored(last: string | undefined, now: number): Anchor {
  const at = last ? Date.parse(last) : NaN;
  if (!last || Number.isNaN(at) || now - at < silent * day) return { end: now, to: undefined, last: undefined };
  return { end: at + day, to: date(at + day), last };
}

export const date = (at: number) => new Date(at).toISOString().slice(0, 10);

// back is the date so many days before the end; undefined for none.
export const back = (a: Anchor, days: number) => (days ? date(a.end - days * day) : undefined);

// useAnchor is undefined until it is known.
export function useAnchor(): Anchor | undefined {
  const q = useQuery({
    queryKey: ['anchor'],
    staleTime: 300_000,
    retry: false,
    queryFn: async () => {
      const r = await get('/api/v1/reports/kpis', { query: { by: 'day', limit: 1 } });
      return (r.kpis?.rows ?? []).findLast((k) => k.orders > 0)?.key ?? '';
    },
  });
  if (q.isPending) return undefined;
  return anchored(q.data || undefined, Date.now());
}
