// Drafts: what somebody changed and did not put in force. The server keeps them for the
// person, so another browser of theirs goes on where this one stopped; and each version
// says from which it was made, so that one browser does not undo what another wrote.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { api, get, must, Trouble } from '../api';
import { useMay } from '../session';

export type Drafted = 'segment' | 'journey' | 'template';

export interface Stored {
  version: string;
  at: string;
  body: string;
}

async function load(kind: Drafted, name: string): Promise<Stored | null> {
  try {
    // Asked first, because most pages have none, and a 404 stands in the browser's console.
    const list = await get('/api/v1/drafts');
    if (!(list.data ?? []).some((d) => d.kind === kind && d.name === name)) return null;
    const d = await get('/api/v1/drafts/{kind}', { path: { kind }, query: { name } });
    return { version: d.version, at: d.at, body: d.body ?? '' };
  } catch (e) {
    if (e instanceof Trouble && (e.status === 404 || e.status === 503)) return null;
    throw e;
  }
}

// useStored asks for the draft when a page opens: undefined while it is not known. It is
// asked once, and not with everything else that is asked anew when something changed: from
// then on the page itself knows.
export function useStored(kind: Drafted, name: string): Stored | null | undefined {
  const may = useMay()('get_drafts_kind');
  const [found, setFound] = useState<{ of: string; draft: Stored | null }>();
  const of = kind + ' ' + name;
  useEffect(() => {
    if (!may) return;
    let here = true;
    const tell = (draft: Stored | null) => here && setFound({ of, draft });
    load(kind, name).then(tell, () => tell(null)); // it can be worked without
    return () => {
      here = false;
    };
  }, [kind, name, of, may]);
  if (!may) return null;
  return found?.of === of ? found.draft : undefined;
}

// useDrafts are the names of what has a draft, of one kind; "" is something new.
export function useDrafts(kind: Drafted): string[] {
  const may = useMay()('get_drafts');
  const q = useQuery({ queryKey: ['drafts'], queryFn: () => get('/api/v1/drafts'), enabled: may, retry: false });
  return useMemo(() => (q.data?.data ?? []).filter((d) => d.kind === kind).map((d) => d.name), [q.data, kind]);
}

// soon is how long it is waited for the next letter before a version is kept.
const soon = 500;

export interface Keeper {
  keep: (body: string) => void; // "" gives the draft up
  conflict: string; // why nothing is kept any more: another browser has
  failed: string; // why the last version is not kept
  theirs: () => Promise<string>; // takes what the other browser kept, and goes on from there
  mine: () => Promise<void>; // keeps what is here in its place
}

// Line keeps one version after another, the newest if many come at once: one request at
// a time, each from the version that the one before made.
export class Line {
  private wanted: string;
  private saved: string;
  private busy = false;
  stopped = false;
  constructor(
    private version: string,
    body: string,
    private put: (body: string, from: string) => Promise<string>, // returns the next version
    private say: (conflict: string, failed: string) => void,
  ) {
    this.wanted = this.saved = body;
  }
  want(body: string) {
    this.wanted = body;
  }
  get open() {
    return this.wanted !== this.saved && !this.stopped;
  }
  from(version: string, body: string) {
    this.version = version;
    this.saved = body;
    this.stopped = false;
  }
  async flush() {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.open) {
        const body = this.wanted;
        this.version = await this.put(body, this.version);
        this.saved = body;
        this.say('', '');
      }
    } catch (e) {
      const text = e instanceof Error ? e.message : String(e);
      if (e instanceof Trouble && e.status === 409) {
        this.stopped = true;
        this.say(text, '');
      } else this.say('', text);
    } finally {
      this.busy = false;
    }
  }
}

export function useKeeper(kind: Drafted, name: string, stored: Stored | null): Keeper {
  const cache = useQueryClient();
  const may = useMay()('put_drafts_kind');
  const [said, setSaid] = useState({ conflict: '', failed: '' });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const alive = useRef(true);
  const line = useRef<Line>(null);
  line.current ??= new Line(
    stored?.version ?? '',
    stored?.body ?? '',
    async (body, from) => {
      void cache.invalidateQueries({ queryKey: ['drafts'], exact: true });
      if (body === '') {
        if (from !== '')
          await must(api.DELETE('/api/v1/drafts/{kind}', { params: { path: { kind }, query: { name, from } }, keepalive: true }));
        return '';
      }
      const keepalive = body.length < 30_000; // more a browser does not send behind a page that is gone
      return (await must(api.PUT('/api/v1/drafts/{kind}', { params: { path: { kind } }, body: { name, from, body }, keepalive }))).version;
    },
    (conflict, failed) =>
      alive.current && setSaid((was) => (was.conflict === conflict && was.failed === failed ? was : { conflict, failed })),
  );
  const keep = useCallback(
    (body: string) => {
      if (!may) return;
      line.current!.want(body);
      clearTimeout(timer.current);
      if (body === '') void line.current!.flush();
      else timer.current = setTimeout(() => void line.current!.flush(), soon);
    },
    [may],
  );
  useEffect(() => {
    alive.current = true;
    const now = () => void line.current!.flush();
    window.addEventListener('pagehide', now);
    return () => {
      alive.current = false;
      window.removeEventListener('pagehide', now);
      clearTimeout(timer.current);
      now();
    };
  }, []);
  const theirs = useCallback(async () => {
    const d = await load(kind, name);
    line.current!.from(d?.version ?? '', d?.body ?? '');
    line.current!.want(d?.body ?? '');
    setSaid({ conflict: '', failed: '' });
    return d?.body ?? '';
  }, [kind, name]);
  const mine = useCallback(async () => {
    const d = await load(kind, name);
    line.current!.from(d?.version ?? '', d?.body ?? '');
    setSaid({ conflict: '', failed: '' });
    await line.current!.flush();
  }, [kind, name]);
  return { keep, ...said, theirs, mine };
}
