// One journey: what happens to whom, and the desk at which it is made.
import { useMutation, useQuery, keepPreviousData } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { called } from '../parts/called';
import { CanvasOf, Icon, type Canvas, type Figure } from '../parts/canvas';
import { useKnown, type Flaw } from '../parts/canvas-fields';
import { ListOf } from '../parts/canvas-list';
import { BEGIN, duplicate, insert, move, nudge, read, remove, ways, yaml, type Draft, type Json, type Shape } from '../parts/canvas-model';
import { BeginPanel, StepPanel } from '../parts/canvas-panel';
import { Publish, Versions } from '../parts/canvas-publish';
import { Trial, type Rehearsed } from '../parts/canvas-trial';
import { useLater } from '../parts/condition';
import { DraftNote } from '../parts/draft-note';
import { useKeeper, useStored, type Stored } from '../parts/drafts';
import { changed, redone, undone, type Past } from '../parts/condition-tree';
import { Ask, Empty, Kpi, Page, State, Tag } from '../parts/kit';
import { usePages } from '../parts/pages';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

type Shown = Schemas['DraftShown'];
type Shapes = Schemas['Shapes'];
type Flow = Schemas['Flow'];

export function Journey() {
  const { name } = useParams({ strict: false }) as { name: string };
  const draft = useGet('/api/v1/journeys/{name}/draft', { path: { name } }, { retry: false });
  const shapes = useGet('/api/v1/steps');
  const { t } = useWords();
  const stored = useStored('journey', name);
  if (draft.data && shapes.data && stored !== undefined)
    return <Desk key={name} name={name} base={draft.data} shapes={shapes.data} stored={stored} again={() => draft.refetch()} />;
  return (
    <Page title={name}>
      <State of={draft}>{() => <State of={shapes}>{() => <Empty>{t('One moment…')}</Empty>}</State>}</State>
    </Page>
  );
}

// Kept is a draft that was not published.
interface Kept {
  base: string;
  text: string;
}

function keptIn(body: string): Kept | null {
  try {
    const k = JSON.parse(body || 'null') as Kept | null;
    return k && typeof k.text === 'string' && typeof k.base === 'string' ? k : null;
  } catch {
    return null; // damaged: there is none
  }
}

const fresh = (name: string): Json => ({
  journey: name,
  title: sessionStorage.getItem('rapport.new.' + name) ?? name,
  trigger: [],
  steps: [],
});

interface DeskOf {
  name: string;
  base: Shown;
  shapes: Shapes;
  stored: Stored | null;
  again: () => Promise<{ data?: Shown }>;
}

function Desk({ name, base, shapes, stored, again }: DeskOf) {
  const { t, n, language, money, pct } = useWords();
  const may = useMay();
  const go = useNavigate();
  const kinds: Shape[] = useMemo(() => shapes.steps ?? [], [shapes]);
  const known = useKnown();
  const readOnly = !may('put_definitions');
  const begin = useMemo(() => read((base.tree as Json) ?? fresh(name), kinds), [base, kinds, name]);
  const [past, setPast] = useState<Past<Draft>>({ before: [], now: begin, after: [] });
  const [baseText, setBaseText] = useState(base.text);
  const [view, setView] = useState<'canvas' | 'list'>(() => (localStorage.getItem('rapport.journey-view') === 'list' ? 'list' : 'canvas'));
  const [selected, setSelected] = useState<string | null>(base.text === '' ? BEGIN : null);
  const [adding, setAdding] = useState<{ from: string; key: string } | null>(null);
  const [focus, setFocus] = useState<string | null>(null);
  const [side, setSide] = useState<'form' | 'trial'>('form');
  const [trial, setTrial] = useState<Rehearsed | null>(null);
  const [publishing, setPublishing] = useState<'' | 'put' | 'remove'>('');
  const [versions, setVersions] = useState(false);
  const [people, setPeople] = useState<{ step: string; figure: Figure } | null>(null);
  const [said, setSaid] = useState('');
  const [restored, setRestored] = useState<Kept | null>(() => (readOnly || !stored ? null : keptIn(stored.body)));
  const keeper = useKeeper('journey', name, stored);
  const keep = keeper.keep;
  const last = useRef(0);
  const draft = past.now;
  const text = useMemo(() => yaml(draft, kinds), [draft, kinds]);
  const baseYaml = useMemo(() => (baseText === '' ? '' : yaml(begin, kinds)), [begin, baseText, kinds]);
  const dirty = text !== baseYaml;

  // What is wrong is asked of the server, once somebody stops typing.
  const later = useLater(text, 250);
  const checked = useQuery({
    queryKey: ['journey-draft', name, later],
    queryFn: ({ signal }) => must(api.POST('/api/v1/journeys/{name}/draft', { params: { path: { name } }, body: { text: later }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
  const shown = checked.data;
  const flaws: Flaw[] = useMemo(() => shown?.problems ?? [], [shown]);
  const current = later === text && !checked.isPlaceholderData && shown !== undefined;
  const flow = useGet('/api/v1/journeys/{name}/flow', { path: { name } }, { enabled: base.text !== '', retry: false });
  const program = useGet('/api/v1/program');

  const setDraft = useCallback((d: Draft, typing = false) => {
    const soon = typing && Date.now() - last.current < 800;
    last.current = typing ? Date.now() : 0;
    setRestored(null);
    setPast((h) => (d === h.now ? h : soon && h.before.length > 0 ? { before: h.before, now: d, after: [] } : changed(h, d)));
  }, []);
  useEffect(() => {
    if (readOnly || restored) return;
    keep(dirty ? JSON.stringify({ base: baseText, text }) : '');
  }, [keep, dirty, text, baseText, readOnly, restored]);

  // load puts a text in the place of the draft: a version, or one that was kept.
  const load = useMutation({
    mutationFn: (body: string) => must(api.POST('/api/v1/journeys/{name}/draft', { params: { path: { name } }, body: { text: body } })),
    onSuccess: (r) => {
      if (r.tree) setDraft(read(r.tree as Json, kinds));
    },
  });

  const undo = () => {
    setPast((h) => undone(h));
    setSaid(t('A change was taken back.'));
  };
  const redo = () => {
    setPast((h) => redone(h));
    setSaid(t('A change was made again.'));
  };
  const keys = (e: KeyboardEvent) => {
    const field = e.target instanceof HTMLElement && e.target.matches('input, textarea');
    if (!(e.ctrlKey || e.metaKey) || field) return;
    const key = e.key.toLowerCase();
    if (key === 'z' && !e.shiftKey) undo();
    else if (key === 'y' || (key === 'z' && e.shiftKey)) redo();
    else return;
    e.preventDefault();
  };

  const select = (to: string | null) => {
    setSelected(to);
    if (to !== null) setSide('form');
  };
  const add = (from: string, key: string, kind: string) => {
    const { draft: d, name: made } = insert(draft, from, key, kind, kinds);
    setAdding(null);
    if (!made) return;
    setDraft(d);
    setSaid(t('{what} was added.', { what: made }));
    select(made);
  };
  const drop = (step: string) => {
    const d = remove(draft, step, kinds);
    const list = draft.steps.map((s) => s.name);
    const beside = list[list.indexOf(step) - 1] ?? list[list.indexOf(step) + 1] ?? BEGIN;
    setDraft(d);
    setSaid(t('{what} was taken out.', { what: step }));
    if (selected === step) setSelected(null);
    setFocus(beside);
  };
  const shift = (step: string, by: -1 | 1) => {
    const d = nudge(draft, step, by, kinds);
    setSaid(d === draft ? t('{what} cannot be moved further.', { what: step }) : t('{what} was moved.', { what: step }));
    setDraft(d);
    setFocus(step);
  };
  const copy = (step: string) => {
    const { draft: d, name: made } = duplicate(draft, step, kinds);
    setDraft(d);
    setFocus(made);
    setSaid(t('{what} was added.', { what: made }));
  };

  const titles = useMemo(() => Object.fromEntries((shown?.steps ?? []).map((s) => [s.name, s.title])), [shown]);
  const labels = useMemo(() => {
    const by: Record<string, string> = {};
    for (const s of draft.steps) {
      const told = (shown?.steps ?? []).find((x) => x.name === s.name);
      const edges = (told?.next ?? []).filter((e) => e.when !== 'in the past');
      const out = ways(s, kinds, language);
      if (edges.length === out.length) out.forEach((w, i) => (by[`${w.from} ${w.key}`] = w.label || edges[i]?.when || ''));
    }
    return by;
  }, [shown, draft, kinds, language]);
  const marks = useMemo(() => {
    const by: Canvas['flaws'] = {};
    for (const f of flaws) {
      // Names are those of what was checked, which may be older than what is drawn.
      const at = f.step ?? '';
      const m = (by[at] ??= { bad: 0, warn: 0, first: '' });
      if (f.warning) m.warn++;
      else m.bad++;
      if (m.first === '' || (!f.warning && m.bad === 1)) m.first = f.what;
    }
    return by;
  }, [flaws]);
  const figures = useMemo(
    () =>
      figuresOf(
        flow.data,
        (x) => n(x),
        t,
        (x) => money(x / 1e6, flow.data?.currency),
      ),
    [flow.data, n, t, money],
  );
  const canvas: Canvas = {
    draft,
    kinds,
    titles,
    labels,
    begins: (shown?.triggers ?? []).join('; '),
    flaws: marks,
    figures,
    path: side === 'trial' ? (trial?.path ?? []) : [],
    selected,
    readOnly,
    onSelect: select,
    onAdd: (from, key) => setAdding({ from, key }),
    onDropKind: (kind, from, key) => add(from, key, kind),
    onMove: (step, from, key) => {
      setDraft(move(draft, step, from, key, kinds));
      setSaid(t('{what} was moved.', { what: step }));
    },
    onFigure: (step, figure) => setPeople({ step, figure }),
  };
  const bad = flaws.filter((f) => !f.warning).length;
  const warn = flaws.length - bad;
  const title = typeof draft.head['title'] === 'string' && draft.head['title'] !== '' ? draft.head['title'] : name;
  const f = flow.data;
  const close = () => {
    if (selected) setFocus(selected);
    setSelected(null);
  };
  return (
    <div onKeyDown={keys} className="jdesk">
      <Page
        title={title}
        about={shown?.audience ? t('for who {audience}', { audience: shown.audience }) : t('for everybody who comes in')}
        actions={
          <>
            <span role="group" aria-label={t('View')} className="row jviews">
              {(['canvas', 'list'] as const).map((v) => (
                <button
                  key={v}
                  type="button"
                  aria-pressed={view === v}
                  onClick={() => {
                    localStorage.setItem('rapport.journey-view', v);
                    setView(v);
                  }}
                >
                  {v === 'canvas' ? t('Canvas') : t('List')}
                </button>
              ))}
            </span>
            {!readOnly && (
              <>
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Undo')}
                  title={t('Undo')}
                  disabled={past.before.length === 0}
                  onClick={undo}
                >
                  ↶
                </button>
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Redo')}
                  title={t('Redo')}
                  disabled={past.after.length === 0}
                  onClick={redo}
                >
                  ↷
                </button>
              </>
            )}
            <button type="button" onClick={() => setVersions(true)}>
              {t('Versions')}
            </button>
            <button type="button" aria-pressed={side === 'trial'} onClick={() => setSide(side === 'trial' ? 'form' : 'trial')}>
              {t('Test run')}
            </button>
            {!readOnly && (
              <button type="button" className="primary" disabled={!dirty || !current || bad > 0} onClick={() => setPublishing('put')}>
                {t('Publish…')}
              </button>
            )}
          </>
        }
      >
        <div className="stack">
          <DraftNote
            keeper={keeper}
            onTheirs={(body) => {
              const k = keptIn(body);
              if (k) {
                setBaseText(k.base);
                load.mutate(k.text);
              } else setDraft(begin);
            }}
          />
          {restored && restored.text !== baseYaml && (
            <div className="note spread" role="status">
              <span>{t('There is a draft of yours that was not published.')}</span>
              <span className="row">
                <button
                  type="button"
                  onClick={() => {
                    setBaseText(restored.base === base.text ? base.text : restored.base);
                    load.mutate(restored.text);
                  }}
                >
                  {t('Go on with it')}
                </button>
                <button
                  type="button"
                  className="link"
                  onClick={() => {
                    keep('');
                    setRestored(null);
                  }}
                >
                  {t('Give it up')}
                </button>
              </span>
            </div>
          )}
          {f?.learnt && (
            <div className="kpis">
              <Kpi label={t('Came in')} value={n(f.entered)} />
              <Kpi label={t('Inside now')} value={n(Object.values(f.standing).reduce((a, b) => a + b, 0))} />
              <Kpi label={t('Reached the goal')} value={n(f.converted)} />
              <Kpi
                label={t('Brought beside who was held out')}
                value={
                  f.brought.incremental_revenue.enough ? (
                    <>
                      {money(f.brought.incremental_revenue.lift, f.currency)}
                      <small className="soft">
                        {' '}
                        {t('{low} to {high}', {
                          low: money(f.brought.incremental_revenue.low),
                          high: money(f.brought.incremental_revenue.high),
                        })}
                      </small>
                    </>
                  ) : (
                    <small className="soft">{f.share === 0 ? t('nobody is held out') : t('too few people yet')}</small>
                  )
                }
              />
              <Kpi label={t('Held out')} value={pct(shown?.holdout ?? f.share)} />
            </div>
          )}
          <div className="row jstate" role="status" aria-label={t('State of the draft')}>
            {dirty ? <Tag tone="accent">{t('Draft')}</Tag> : <Tag tone="good">{t('in force')}</Tag>}
            {bad > 0 && <Tag tone="bad">{t('{n} missing', { n: bad })}</Tag>}
            {bad === 0 && dirty && current && <span className="soft small">{t('Ready to be published')}</span>}
            {warn > 0 && <Tag tone="warn">{t('{n} to look at', { n: warn })}</Tag>}
            {checked.error && <span className="jflaw bad">{checked.error.message}</span>}
          </div>
          <p className="hidden" role="log" aria-live="polite">
            {said}
          </p>
          <div className={'jsplit' + (selected !== null || side === 'trial' ? ' open' : '')}>
            <div className="panel jwork">
              {view === 'canvas' ? (
                <CanvasOf {...canvas} />
              ) : (
                <div className="body">
                  <ListOf
                    canvas={canvas}
                    onOpen={select}
                    onNudge={shift}
                    onRemove={drop}
                    onDuplicate={copy}
                    focus={focus}
                    onFocused={() => setFocus(null)}
                  />
                </div>
              )}
            </div>
            {side === 'trial' && (
              <section className="panel jpanel" aria-label={t('Test run')}>
                <header>
                  <h2>{t('Test run')}</h2>
                  <button type="button" className="icon" aria-label={t('Close')} onClick={() => setSide('form')}>
                    ×
                  </button>
                </header>
                <div className="body">
                  <Trial
                    name={name}
                    text={text}
                    triggers={shown?.triggers ?? []}
                    known={known}
                    currency={program.data?.currency ?? ''}
                    onDone={setTrial}
                  />
                </div>
              </section>
            )}
            {side === 'form' && selected === BEGIN && (
              <BeginPanel canvas={canvas} shapes={shapes} flaws={flaws} known={known} onChange={(d) => setDraft(d, true)} onClose={close}>
                {base.text !== '' && (
                  <button type="button" className="danger" onClick={() => setPublishing('remove')}>
                    {t('Take the journey away…')}
                  </button>
                )}
              </BeginPanel>
            )}
            {side === 'form' && selected !== null && selected !== BEGIN && (
              <StepPanel
                canvas={canvas}
                shapes={shapes}
                name={selected}
                flaws={flaws}
                known={known}
                onChange={(d) => setDraft(d, true)}
                onRename={(d, to) => {
                  setDraft(d);
                  setSelected(to);
                }}
                onClose={close}
              >
                <div className="row">
                  <button type="button" onClick={() => copy(selected)}>
                    {t('Copy the step')}
                  </button>
                  <button type="button" aria-label={t('Move {what} up', { what: selected })} onClick={() => shift(selected, -1)}>
                    ↑
                  </button>
                  <button type="button" aria-label={t('Move {what} down', { what: selected })} onClick={() => shift(selected, 1)}>
                    ↓
                  </button>
                  <button type="button" className="danger" onClick={() => drop(selected)}>
                    {t('Take it out')}
                  </button>
                </div>
              </StepPanel>
            )}
          </div>
        </div>
      </Page>
      <Ask open={adding !== null} onClose={() => setAdding(null)} title={t('Which step?')}>
        <div className="jmenu">
          {kinds.map((k) => (
            <button key={k.key} type="button" onClick={() => adding && add(adding.from, adding.key, k.key)}>
              <Icon shape={k} />
              <span>
                <b>{k.label[language]}</b>
                <small>{k.about[language]}</small>
              </span>
            </button>
          ))}
        </div>
      </Ask>
      <Ask open={people !== null} onClose={() => setPeople(null)} title={people ? people.figure.text : ''}>
        {people && <People journey={name} step={people.step} who={people.figure.who} reason={people.figure.reason} />}
        <div>
          <button type="button" onClick={() => setPeople(null)}>
            {t('Close')}
          </button>
        </div>
      </Ask>
      <Versions
        open={versions}
        name={name}
        onClose={() => setVersions(false)}
        onRestore={(body) => {
          setVersions(false);
          load.mutate(body);
          setSaid(t('The older version is on the desk. Nothing is published yet.'));
        }}
      />
      <Publish
        open={publishing !== ''}
        path={base.path}
        text={publishing === 'remove' ? '' : text}
        base={baseText}
        onClose={() => setPublishing('')}
        onDone={() => {
          const gone = publishing === 'remove';
          setPublishing('');
          keep('');
          if (gone) return void go({ to: '/app/journeys' });
          void again().then((r) => {
            if (!r.data) return;
            setBaseText(r.data.text);
            setSaid(t('The journey is in force.'));
          });
        }}
        onTheirs={() => {
          setPublishing('');
          void again().then((r) => {
            if (!r.data) return;
            setBaseText(r.data.text);
            setPast({ before: [], now: read(r.data.tree as Json, kinds), after: [] });
          });
        }}
      />
    </div>
  );
}

// figuresOf turns the flow of customers into the numbers of each step.
function figuresOf(
  f: Flow | undefined,
  n: (x: number) => string,
  t: (text: Text, vars?: Record<string, string | number>) => string,
  money: (micros: number) => string,
): Record<string, Figure[]> {
  const by: Record<string, Figure[]> = {};
  if (!f) return by;
  const put = (step: string, fig: Figure) => (by[step] ??= []).push(fig);
  if (f.learnt) {
    put('', { key: 'entered', text: t('{n} came in', { n: n(f.entered) }), who: 'entered' });
    if (f.converted > 0) put('', { key: 'goal', text: t('{n} reached the goal', { n: n(f.converted) }), who: 'goal', tone: 'good' });
  }
  for (const s of f.steps ?? []) {
    put(s.step, { key: 'reached', text: t('{n} came here', { n: n(s.reached) }), who: 'reached' });
    const here = f.standing[s.step] ?? 0;
    if (here > 0) put(s.step, { key: 'standing', text: t('{n} waiting', { n: n(here) }), who: 'standing' });
    if (s.sent > 0) put(s.step, { key: 'sent', text: t('{n} sent', { n: n(s.sent) }), who: 'sent', tone: 'good' });
    for (const u of s.unsent ?? [])
      put(s.step, {
        key: `${u.state} ${u.reason}`,
        text: t('{n} not sent: {why}', { n: n(u.count), why: (u.reason || u.state).replaceAll('_', ' ') }),
        who: u.state,
        reason: u.reason,
        tone: 'warn',
      });
    if (s.orders > 0) {
      put(s.step, { key: 'clicked', text: t('{n} clicked', { n: n(s.clicked) }), who: 'clicked' });
      put(s.step, {
        key: 'orders',
        text: t('{n} orders, {sum}', { n: n(s.orders), sum: money(s.revenue_micros) }),
        who: 'sent',
        tone: 'good',
      });
    }
    if (s.goals > 0) put(s.step, { key: 'goal', text: t('{n} converted', { n: n(s.goals) }), who: 'goal', tone: 'good' });
  }
  for (const [step, here] of Object.entries(f.standing))
    if (here > 0 && !(by[step] ?? []).some((x) => x.key === 'standing'))
      put(step, { key: 'standing', text: t('{n} waiting', { n: n(here) }), who: 'standing' });
  return by;
}

function People({ journey, step, who, reason }: { journey: string; step: string; who: string; reason?: string }) {
  const { t, when } = useWords();
  const list = usePages(['who', journey, step, who, reason ?? ''], (cursor) =>
    get('/api/v1/journeys/{name}/people', {
      path: { name: journey },
      query: { step, who: who as 'sent', limit: 100, ...(reason ? { reason } : {}), ...(cursor ? { cursor } : {}) },
    }),
  );
  return (
    <State of={list}>
      {(rows) => (
        <div className="scroll jpeople">
          {rows.length === 0 && list.whole && <Empty>{t('Nobody.')}</Empty>}
          <ul className="plain lines">
            {rows.map((p) => (
              <li key={p.id} className="spread">
                <Link to="/app/customers/$id" params={{ id: p.id }}>
                  {called(p, t('Anonymous visitor'))}
                </Link>
                <span className="soft small">
                  {p.held_out && <Tag>{t('held out')}</Tag>}{' '}
                  {p.since ? t('since {date}', { date: when(p.since) }) : t('{n} orders', { n: p.orders })}
                  {p.until ? ' · ' + t('goes on {date}', { date: when(p.until) }) : ''}
                </span>
              </li>
            ))}
          </ul>
          {!list.whole && (
            <button type="button" className="link" onClick={list.more}>
              {t('More')}
            </button>
          )}
        </div>
      )}
    </State>
  );
}
