// The builder of a segment: a sentence that is edited, and whom it is about while it is.
import { useNavigate } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { api, get, must, Trouble, type Schemas } from '../api';
import { called } from '../parts/called';
import { ConditionEditor, useConditionCheck, useConditionNodes, useLater, useUndo, type Json } from '../parts/condition';
import { write, yaml } from '../parts/condition-tree';
import { slug } from '../parts/definitions';
import { DraftNote } from '../parts/draft-note';
import { useKeeper, useStored, type Stored } from '../parts/drafts';
import { Ask, Failure, Page, Panel, Tag } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';
import { bodyOf, draftIn, draftOf } from './segment-drafts';
import { Strange, withSegment, type File, type Written } from './segment-file';
import { Count, Funnel, Samples } from './segment-figures';
import { usePreview, type Preview } from './segment-preview';

export interface Start extends Written {
  old: string; // the segment that is changed; empty: a new one
  before: string; // its definition as it stands
}

export function Builder({ start, onClose }: { start: Start; onClose: () => void }) {
  const { t } = useWords();
  const stored = useStored('segment', start.old);
  if (stored === undefined) return <Page title={start.label || t('New segment')}>{t('One moment…')}</Page>;
  return <Bench start={start} stored={stored} onClose={onClose} />;
}

function Bench({ start, stored, onClose }: { start: Start; stored: Stored | null; onClose: () => void }) {
  const { t, when: whenAt } = useWords();
  const may = useMay();
  const go = useNavigate();
  const nodes = useConditionNodes();
  const [kept, setKept] = useState(() => draftOf(stored));
  const keeper = useKeeper('segment', start.old, stored);
  const keep = keeper.keep;
  const begun: Start = kept ? { ...kept, old: start.old } : start;
  const state = useUndo<Written>({ name: begun.name, label: begun.label, about: begun.about, when: begun.when });
  const s = state.value;
  const set = (part: Partial<Written>, step?: boolean) => state.set({ ...s, ...part }, step);
  const [view, setView] = useState<'builder' | 'json' | 'yaml'>('builder');
  const [reviewing, setReviewing] = useState(false);
  const check = useConditionCheck(s.when);
  const preview = usePreview(s.when, { ready: check.fresh && check.ok });
  const same = JSON.stringify({ ...s }) === JSON.stringify({ name: start.name, label: start.label, about: start.about, when: start.when });
  const text = useLater(JSON.stringify(s), 400);
  const before = begun.before;
  useEffect(() => {
    if (text !== JSON.stringify(s)) return;
    keep(same ? '' : bodyOf({ ...s, before }));
  }, [text, s, same, before, keep]);
  const nothing = s.when === null;
  const bad = check.problems.some((p) => !p.warning) || (check.fresh && !check.ok);
  const named = /^[a-z0-9][a-z0-9_-]{0,59}$/.test(s.name);
  const mayApply = may('put_definitions');
  const title = start.old ? t('Edit “{name}”', { name: start.label || start.old }) : t('New segment');
  return (
    <div onKeyDown={state.keys}>
      <Page
        title={title}
        about={
          !mayApply
            ? t('What you change here lasts as long as this page.')
            : kept && stored
              ? t('A draft of {at} goes on here.', { at: whenAt(stored.at) })
              : t('Changes are kept as your draft until you apply them.')
        }
        actions={
          <>
            <button onClick={state.undo} disabled={!state.canUndo} title="Ctrl Z">
              {t('Undo')}
            </button>
            <button onClick={state.redo} disabled={!state.canRedo} title="Ctrl Y">
              {t('Redo')}
            </button>
            {!same && (
              <button
                className="danger"
                onClick={() => {
                  keep('');
                  setKept(undefined);
                  state.reset({ name: start.name, label: start.label, about: start.about, when: start.when });
                }}
              >
                {t('Discard the draft')}
              </button>
            )}
            <button onClick={onClose}>{t('Back')}</button>
            {mayApply && (
              <button
                className="primary"
                disabled={(same && start.old !== '') || bad || !check.fresh || s.when === null || !named}
                onClick={() => setReviewing(true)}
              >
                {t('Review and apply…')}
              </button>
            )}
          </>
        }
      >
        <DraftNote
          keeper={keeper}
          onTheirs={(body) => {
            const d = draftIn(body);
            setKept(d);
            const w = d ?? start;
            state.reset({ name: w.name, label: w.label, about: w.about, when: w.when });
          }}
        />
        <div className="builder">
          <div className="stack">
            <section className="panel pad">
              <div className="naming">
                <label className="field">
                  {t('Called')}
                  <input
                    value={s.label}
                    maxLength={80}
                    placeholder={t('such as: Winter shoppers')}
                    onChange={(e) =>
                      set({
                        label: e.target.value,
                        ...(!start.old && (s.name === '' || s.name === slug(s.label)) ? { name: slug(e.target.value) } : {}),
                      })
                    }
                  />
                </label>
                <label className="field">
                  {t('Name in definitions')}
                  <input
                    className="mono"
                    value={s.name}
                    maxLength={60}
                    aria-invalid={!named && s.name + s.label !== ''}
                    onChange={(e) => set({ name: e.target.value.toLowerCase().replace(/[^a-z0-9_-]/g, '-') })}
                  />
                </label>
                <label className="field wide">
                  {t('What it is for')}
                  <input value={s.about} maxLength={300} onChange={(e) => set({ about: e.target.value })} />
                </label>
              </div>
            </section>
            <section className="panel" aria-label={t('Condition')}>
              <header>
                <p className="sentence" aria-live="polite">
                  <span className="soft">{t('A customer is in it who')}</span>{' '}
                  {check.sentence ? <span className={check.fresh ? '' : 'soft'}>{check.sentence}.</span> : '…'}
                </p>
                <span className="seg" role="group" aria-label={t('Show as')}>
                  {(['builder', 'json', 'yaml'] as const).map((v) => (
                    <button key={v} aria-pressed={view === v} onClick={() => setView(v)}>
                      {v === 'builder' ? t('Builder') : v.toUpperCase()}
                    </button>
                  ))}
                </span>
              </header>
              <div className="cbody">
                {view === 'builder' ? (
                  <ConditionEditor
                    value={s.when}
                    onChange={(when, step) => set({ when }, step)}
                    nodes={nodes}
                    problems={check.problems}
                    label={t('Condition')}
                  />
                ) : (
                  <Text key={view} as={view} value={s.when} onChange={(when) => set({ when })} />
                )}
              </div>
              {view === 'builder' && (
                <footer className="soft small">
                  {t('Alt ↑ ↓ moves a question, Alt D doubles it, Alt Backspace removes it, Ctrl Z takes back.')}
                </footer>
              )}
            </section>
            <Failure error={check.error} />
            {(check.said?.costs ?? []).length > 0 && check.fresh && (
              <details className="soft small costs">
                <summary>{t('What it makes each customer carry along')}</summary>
                <ul>
                  {(check.said?.costs ?? []).map((c) => (
                    <li key={c.what}>{c.says}</li>
                  ))}
                </ul>
              </details>
            )}
          </div>
          <aside className="stack" aria-label={t('Whom it is about')}>
            <section className="panel pad">
              {bad ? (
                <p className="soft">{t('The count goes on when the condition is in order.')}</p>
              ) : nothing ? (
                <p className="soft">{t('Nothing is asked yet.')}</p>
              ) : (
                <Count of={preview} />
              )}
            </section>
            {!nothing && (
              <>
                <Panel title={t('Whom a message would reach')}>
                  <Funnel of={preview} />
                </Panel>
                <Panel title={t('Some of them')} flush>
                  <Samples of={preview} />
                </Panel>
              </>
            )}
          </aside>
        </div>
        {reviewing && (
          <Review
            start={{ ...start, before }}
            now={s}
            open={reviewing}
            onClose={() => setReviewing(false)}
            onDone={() => {
              keep('');
              setReviewing(false);
              void go({ to: '/app/segments/$name', params: { name: s.name }, search: {} as never });
            }}
          />
        )}
      </Page>
    </div>
  );
}

// Text is the condition as JSON or YAML. What is typed becomes the condition as soon as
// the server can read it.
function Text({ as, value, onChange }: { as: 'json' | 'yaml'; value: Json; onChange: (v: Json) => void }) {
  const { t } = useWords();
  const shown = (v: Json) => (v === null ? '' : as === 'json' ? write(v).text : yaml(v));
  const [text, setText] = useState(() => shown(value));
  const [problems, setProblems] = useState<Schemas['DefinitionProblem'][]>([]);
  const last = useRef(JSON.stringify(value));
  const change = useRef(onChange);
  change.current = onChange;
  const later = useLater(text, 350);
  useEffect(() => {
    // Undo, and whoever else changes the condition, is shown here too.
    if (JSON.stringify(value) !== last.current) {
      last.current = JSON.stringify(value);
      setText(shown(value));
    }
  });
  const seen = useRef(text); // what the server was asked about last
  const typed = useRef(text);
  typed.current = text;
  const read = useRef<(body: string, signal?: AbortSignal) => Promise<void>>(() => Promise.resolve());
  read.current = async (body, signal) => {
    seen.current = body;
    if (body.trim() === '') return;
    try {
      const said = await must(api.POST('/api/v1/conditions/check', { body: { text: body }, signal }));
      setProblems(said.problems ?? []);
      const when = said.when as Json | undefined;
      if (when && typeof when === 'object' && JSON.stringify(when) !== last.current) {
        last.current = JSON.stringify(when);
        change.current(when);
      }
    } catch {
      // An answer that was not waited for; the next text is read anew.
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    void read.current(later, stop.signal);
    return () => stop.abort();
  }, [later]);
  // Who turns to another view at once has typed it all the same.
  useEffect(
    () => () => {
      if (typed.current !== seen.current) void read.current(typed.current);
    },
    [],
  );
  return (
    <div className="stack">
      <textarea
        aria-label={as === 'json' ? t('Condition as JSON') : t('Condition as YAML')}
        spellCheck={false}
        rows={Math.min(28, Math.max(10, text.split('\n').length + 1))}
        value={text}
        onChange={(e) => setText(e.target.value)}
      />
      {problems.map((p, i) => (
        <div key={i} className={'cproblem ' + (p.warning ? 'warn' : 'bad')}>
          <span className="mono">{p.where.replace(/^condition:/, '')}</span> {p.what}
          {p.instead && (
            <span className="soft">
              {' '}
              {t('Write instead:')} <code>{p.instead}</code>
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

// Review shows what would change, and whom it moves, before it is put in force.
function Review({
  start,
  now,
  open,
  onClose,
  onDone,
}: {
  start: Start;
  now: Written;
  open: boolean;
  onClose: () => void;
  onDone: () => void;
}) {
  const { t, n } = useWords();
  const cache = useQueryClient();
  const review = useMutation({
    mutationFn: async () => {
      const d = await get('/api/v1/definitions');
      const old = (d.files ?? []) as File[];
      const files = withSegment(old, now, start.old || undefined);
      const diff = await must(api.POST('/api/v1/definitions/diff', { body: { files } }));
      return { tag: d.tag ?? '', files, diff };
    },
  });
  const apply = useMutation({
    mutationFn: () =>
      must(
        api.PUT('/api/v1/definitions', {
          params: { header: { 'If-Match': review.data?.tag ?? '' } },
          body: { files: review.data?.files ?? [] },
        }),
      ),
    onSuccess: async () => {
      await cache.invalidateQueries();
      onDone();
    },
  });
  const begin = review.mutate;
  useEffect(() => begin(), [begin]);
  const changed = JSON.stringify(start.when) !== JSON.stringify(now.when);
  const renamed = start.old !== '' && start.old !== now.name;
  const enters = useMemo<Json>(
    () => (start.old ? { all: [now.when, { not_in_segment: start.old }] as Json[] } : now.when),
    [now.when, start.old],
  );
  const leaves = useMemo<Json>(() => ({ all: [{ segment: start.old }, { not: now.when }] as Json[] }), [now.when, start.old]);
  const coming = usePreview(changed || !start.old ? enters : null, { wait: 0, sample: 5 });
  const going = usePreview(changed && start.old ? leaves : null, { wait: 0, sample: 5 });
  const soFar = (p: Preview) => {
    if (!p.figures || p.stale) return '…';
    return n(p.figures.members) + (p.figures.state === 'done' ? '' : ' …');
  };
  const problems = review.data?.diff.problems ?? [];
  const bad = problems.some((p) => !p.warning);
  // Warnings about files that stay as they are have been seen before.
  const files = (review.data?.diff.changes ?? []).map((c) => c.file);
  const elsewhere = (p: Schemas['DefinitionProblem']) => p.warning && !files.some((f) => p.where === f || p.where.startsWith(f + ':'));
  const others = problems.filter(elsewhere);
  const conflict = apply.error instanceof Trouble && apply.error.status === 409;
  const strange = review.error instanceof Strange;
  return (
    <Ask open={open} onClose={onClose} title={t('What would change')}>
      {review.isPending && <p role="status">{t('One moment…')}</p>}
      {strange && start.old === '' && (
        <div className="note bad" role="alert">
          {t('There is a segment of that name already. Choose another name.')}
        </div>
      )}
      {strange && start.old !== '' && (
        <div className="note bad" role="alert">
          {t('{file} is written in a way that this page does not change. Edit the file itself.', { file: review.error?.message ?? '' })}
        </div>
      )}
      {review.error && !strange && <Failure error={review.error} />}
      {review.data && (
        <>
          <div className="moves">
            <div>
              <Tag tone="good">{t('Enter')}</Tag>
              <b data-testid="enter">{changed || !start.old ? soFar(coming) : n(0)}</b>
              <span className="soft small">{people(coming.figures)}</span>
            </div>
            <div>
              <Tag tone="bad">{t('Leave')}</Tag>
              <b data-testid="leave">{changed && start.old ? soFar(going) : n(0)}</b>
              <span className="soft small">{people(going.figures)}</span>
            </div>
          </div>
          {renamed && (
            <div className="note warn">
              {t(
                'The name changes everywhere that it stands. To the journeys that wait for it, it is another segment: who is in it enters anew.',
              )}
            </div>
          )}
          {review.data.diff.same && <div className="note">{t('Nothing differs from what is in force.')}</div>}
          {(review.data.diff.changes ?? []).map((c) => (
            <Change key={c.kind + c.name + c.file} c={c} />
          ))}
          {problems
            .filter((p) => !elsewhere(p))
            .map((p, i) => (
              <Noted key={i} p={p} />
            ))}
          {others.length > 0 && (
            <details>
              <summary className="soft small">{t('{n} warnings about what does not change', { n: n(others.length) })}</summary>
              <div className="stack">
                {others.map((p, i) => (
                  <Noted key={i} p={p} />
                ))}
              </div>
            </details>
          )}
        </>
      )}
      {conflict ? (
        <div className="note warn" role="alert">
          {t(
            'Somebody else put other definitions in force meanwhile. Nothing was overwritten: look again at what would change on top of theirs.',
          )}
        </div>
      ) : (
        <Failure error={apply.error} />
      )}
      <div className="row end">
        {conflict ? (
          <button
            className="primary"
            onClick={() => {
              apply.reset();
              review.mutate();
            }}
          >
            {t('Look again')}
          </button>
        ) : (
          <button
            className="primary"
            disabled={!review.data || bad || review.data.diff.same || apply.isPending}
            onClick={() => apply.mutate()}
          >
            {t('Apply')}
          </button>
        )}
        <button onClick={onClose}>{t('Cancel')}</button>
      </div>
    </Ask>
  );
}

function Noted({ p }: { p: Schemas['DefinitionProblem'] }) {
  return (
    <div className={'note ' + (p.warning ? 'warn' : 'bad')}>
      <span className="mono">{p.where}</span> {p.what}
      {p.instead && (
        <>
          {' '}
          — <code>{p.instead}</code>
        </>
      )}
    </div>
  );
}

function people(f: Schemas['AudiencePreview'] | undefined): string {
  return (f?.people ?? [])
    .slice(0, 3)
    .map((c) => called(c))
    .join(', ');
}

export function Change({ c }: { c: Schemas['Changed'] }) {
  const { t, n } = useWords();
  const what = c.what === 'added' ? t('added') : c.what === 'removed' ? t('removed') : t('changed');
  return (
    <details className="change" open={(c.lines ?? []).length < 24}>
      <summary>
        <Tag tone={c.what === 'added' ? 'good' : c.what === 'removed' ? 'bad' : 'accent'}>{what}</Tag> {c.kind} <b>{c.name}</b>{' '}
        <span className="soft small">
          {c.affects.members > 0 && t('{n} members', { n: n(c.affects.members) })}
          {c.affects.inside > 0 && ' · ' + t('{n} on their way', { n: n(c.affects.inside) })}
        </span>
      </summary>
      <pre className="diff">
        {(c.lines ?? []).map((l, i) => (
          <span key={i} className={l.startsWith('+') ? 'plus' : l.startsWith('-') ? 'minus' : ''}>
            {l + '\n'}
          </span>
        ))}
      </pre>
    </details>
  );
}
