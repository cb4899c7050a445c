// Counting whom a condition is about while it is being edited.
import { useEffect, useRef, useState } from 'react';
import { api, must, type Schemas } from '../api';
import { useLater, type Json } from '../parts/condition';

export type Figures = Schemas['AudiencePreview'];

export interface Preview {
  figures: Figures | undefined; // the newest, of the condition before while stale
  stale: boolean;
  error: Error | null;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// usePreview counts a condition once it has stood still for a moment, shows how far the
// count has come, and stops it on the server when it is of no use any more.
export function usePreview(when: Json | null, options?: { sample?: number; purpose?: string; wait?: number; ready?: boolean }): Preview {
  const text = when === null ? '' : JSON.stringify(when);
  const later = useLater(text, options?.wait ?? 450);
  const [state, setState] = useState<{ of: string; figures: Figures | undefined; error: Error | null }>({
    of: '',
    figures: undefined,
    error: null,
  });
  const sample = options?.sample ?? 8;
  const purpose = options?.purpose ?? '';
  const ready = options?.ready ?? true;
  const running = useRef('');
  const still = later === text; // what was asked before is of no use from the first change on
  useEffect(() => {
    if (later === '' || !still || !ready) return;
    const stop = new AbortController();
    const count = async () => {
      try {
        let f = await must(
          api.POST('/api/v1/segments/preview', {
            body: { when: JSON.parse(later) as unknown, sample, wait: 1, ...(purpose ? { purpose } : {}) },
            signal: stop.signal,
          }),
        );
        running.current = f.id;
        for (;;) {
          if (stop.signal.aborted) return;
          setState({ of: later, figures: f, error: null });
          if (f.state === 'done' || f.state === 'failed') break;
          await pause(150);
          f = await must(api.GET('/api/v1/previews/{id}', { params: { path: { id: f.id }, query: { wait: 1 } }, signal: stop.signal }));
        }
        running.current = '';
      } catch (e) {
        if (!stop.signal.aborted) setState((s) => ({ ...s, of: later, error: e as Error }));
      }
    };
    void count();
    return () => {
      stop.abort();
      if (running.current) void api.DELETE('/api/v1/previews/{id}', { params: { path: { id: running.current } } });
      running.current = '';
    };
  }, [later, still, sample, purpose, ready]);
  return { figures: state.figures, stale: text !== state.of || !ready, error: state.of === later ? state.error : null };
}
