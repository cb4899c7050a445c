// What was put aside: why, the event itself, mending it, and hearing it again.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { Ask, Empty, Failure, Panel, State, Tag } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';
import { pretty } from './data-live';

type Why = { kind: string; reason: string; field?: string };
type One = Schemas['Aside'];

export function Aside() {
  const { t, n, when } = useWords();
  const [why, setWhy] = useState<Why | null>(null);
  const reasons = useGet('/api/v1/quarantine/reasons', undefined, { refetchInterval: 3_000 });
  return (
    <State of={reasons}>
      {(r) => {
        const list = r.reasons ?? [];
        if (list.length === 0)
          return (
            <Panel>
              <Empty>{t('Everything that came could be taken.')}</Empty>
            </Panel>
          );
        const here = list.find((x) => why && x.kind === why.kind && x.reason === why.reason && x.field === why.field) ?? list[0];
        return (
          <div className="aside">
            <Panel title={t('Why')} aside={<Tag tone="warn">{n(r.total)}</Tag>} flush>
              <ul className="plain lines pick">
                {list.map((x) => (
                  <li key={x.kind + x.reason + (x.field ?? '')}>
                    <button className={x === here ? 'on' : ''} aria-pressed={x === here} onClick={() => setWhy(x)}>
                      <span className="spread">
                        <span className="wrap-any">{x.reason}</span>
                        <b>{n(x.count)}</b>
                      </span>
                      <span className="soft small">
                        {x.field ? <code>{x.field}</code> : x.kind} · {when(x.last)}
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
            </Panel>
            {here && <OfReason key={here.kind + here.reason + (here.field ?? '')} why={here} />}
          </div>
        );
      }}
    </State>
  );
}

function useAgain() {
  const cache = useQueryClient();
  return () => {
    void cache.invalidateQueries({ queryKey: ['/api/v1/quarantine'] });
    void cache.invalidateQueries({ queryKey: ['/api/v1/quarantine/reasons'] });
  };
}

function OfReason({ why }: { why: Schemas['AsideReason'] }) {
  const { t, n } = useWords();
  const may = useMay();
  const again = useAgain();
  const [asking, setAsking] = useState(false);
  const query = { kind: why.kind, reason: why.reason, ...(why.field ? { field: why.field } : {}), limit: 100 };
  const list = useGet('/api/v1/quarantine', { query }, { refetchInterval: 5_000, keep: true });
  const body = { kind: why.kind, reason: why.reason, field: why.field };
  const replay = useMutation({ mutationFn: () => must(api.POST('/api/v1/quarantine/replay', { body })), onSuccess: again });
  const discard = useMutation({
    mutationFn: () => must(api.POST('/api/v1/quarantine/discard', { body })),
    onSuccess: () => {
      setAsking(false);
      again();
    },
  });
  return (
    <div className="stack">
      <Panel
        title={<span className="wrap-any">{why.reason}</span>}
        aside={
          may('post_quarantine_replay') && (
            <div className="row">
              {why.replayable > 0 && (
                <button onClick={() => replay.mutate()} disabled={replay.isPending}>
                  {t('Hear all {n} again', { n: n(why.count) })}
                </button>
              )}
              <button className="danger" onClick={() => setAsking(true)}>
                {t('Discard all…')}
              </button>
            </div>
          )
        }
        flush
      >
        {replay.data && (
          <div className="body" role="status">
            <div className={'note ' + (replay.data.left > 0 ? 'warn' : 'good')}>
              {t('{taken} taken, {left} left', { taken: n(replay.data.taken), left: n(replay.data.left) })}
              {replay.data.reason ? `: ${replay.data.reason}` : ''}
            </div>
          </div>
        )}
        <Failure error={replay.error} />
        <State of={list}>
          {(l) => (
            <ul className="plain lines">
              {(l.data ?? []).map((q) => (
                <Item key={q.id} of={q} />
              ))}
            </ul>
          )}
        </State>
      </Panel>
      <Ask open={asking} onClose={() => setAsking(false)} title={t('Discard all {n}?', { n: n(why.count) })}>
        <p>{t('They are deleted for good, and nothing of them was taken.')}</p>
        <Failure error={discard.error} />
        <div className="row">
          <button className="primary" onClick={() => discard.mutate()} disabled={discard.isPending}>
            {t('Discard')}
          </button>
          <button onClick={() => setAsking(false)}>{t('Cancel')}</button>
        </div>
      </Ask>
    </div>
  );
}

function Item({ of: q }: { of: One }) {
  const { t, when } = useWords();
  const may = useMay();
  const again = useAgain();
  const whole = q.event !== undefined && q.event !== null;
  const was = whole ? JSON.stringify(q.event, null, 2) : pretty(q.detail ?? '');
  const [text, setText] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const path = { params: { path: { name: q.id } } };
  const replay = useMutation({
    mutationFn: async () => {
      let event: unknown;
      if (text !== null && text !== was) {
        try {
          event = JSON.parse(text);
        } catch (e) {
          throw new Error(t('This is no JSON: {why}', { why: String(e instanceof Error ? e.message : e) }));
        }
      }
      return must(api.POST('/api/v1/quarantine/{name}/replay', { ...path, body: event === undefined ? {} : { event: event as never } }));
    },
    onSuccess: (r) => r.taken > 0 && again(),
  });
  const discard = useMutation({
    mutationFn: () => must(api.POST('/api/v1/quarantine/discard', { body: { ids: [q.id] } })),
    onSuccess: again,
  });
  const left = replay.data && replay.data.left > 0 ? replay.data : null;
  return (
    <li>
      <div className="spread">
        <button className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {q.name || t('an event that cannot be read')}
        </button>
        <span className="soft small">{[q.source, when(q.at)].filter(Boolean).join(' · ')}</span>
      </div>
      {open && (
        <div className="stack mend">
          {q.field && (
            <p className="small">
              {t('Look at')} <code>{q.field}</code>
            </p>
          )}
          <textarea
            aria-label={t('The event')}
            rows={Math.min(18, Math.max(4, was.split('\n').length + 1))}
            value={text ?? was}
            spellCheck={false}
            readOnly={!may('post_quarantine_name_replay')}
            onChange={(e) => setText(e.target.value)}
          />
          {left && (
            <div className="note bad" role="alert">
              {left.field ? <code>{left.field}</code> : null} {left.reason}
            </div>
          )}
          <Failure error={replay.error ?? discard.error} />
          {may('post_quarantine_name_replay') && (
            <div className="row">
              <button
                className="primary"
                onClick={() => replay.mutate()}
                disabled={replay.isPending || (!whole && (text === null || text === was))}
              >
                {text !== null && text !== was ? t('Mend it and hear it') : t('Hear it again as it is')}
              </button>
              <button className="danger" onClick={() => discard.mutate()} disabled={discard.isPending}>
                {t('Discard')}
              </button>
            </div>
          )}
        </div>
      )}
    </li>
  );
}
