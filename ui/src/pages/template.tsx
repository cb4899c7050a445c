// One template: its source as blocks or as code, and beside it how a customer would
// read what is being written.
import { useNavigate, useParams } from '@tanstack/react-router';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type FormEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { called } from '../parts/called';
import { Blocks } from '../parts/blocked';
import { slug } from '../parts/definitions';
import { DraftNote } from '../parts/draft-note';
import { useKeeper, useStored, type Stored } from '../parts/drafts';
import { Editor, type Mark, type Place } from '../parts/editor';
import { changeFiles } from '../parts/files';
import { Ask, Empty, Facts, Failure, Page, Panel, State, Tag } from '../parts/kit';
import { PictureChoice } from '../parts/pictures';
import { TestSend } from '../parts/test';
import { useMay } from '../session';
import { useWords } from '../words';

const views = ['Desktop', 'Mobile', 'Dark', 'Text'] as const;
type View = (typeof views)[number];
type Read = Schemas['ReadTemplate'];

// The place of a problem: "templates/welcome.mjml:4:7".
function placeOf(where: string): { file: string; line: number } {
  const m = /^(.*?)(?: as HTML)?(?::(\d+))?(?::\d+)?$/.exec(where);
  return { file: m?.[1] ?? where, line: Number(m?.[2] ?? 0) };
}

export function Template() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t } = useWords();
  const may = useMay();
  const d = useGet('/api/v1/definitions');
  const list = useGet('/api/v1/templates', { query: { limit: 500 } });
  const one = (list.data?.data ?? []).find((x) => x.name === name);
  const gone = list.data && d.data && !one;
  const stored = useStored('template', name);
  return (
    <Page
      title={one?.label ?? name}
      about={one?.subject}
      actions={one && may('put_definitions') && <Actions name={name} files={one.files ?? []} all={d.data?.files ?? []} />}
    >
      {gone ? (
        <Empty>{t('There is no template of this name.')}</Empty>
      ) : (
        <State of={d}>
          {(all) =>
            one && stored !== undefined && <Desk key={name} name={name} own={one.files ?? []} all={all.files ?? []} stored={stored} />
          }
        </State>
      )}
    </Page>
  );
}

function Actions({ name, files, all }: { name: string; files: string[]; all: Schemas['File'][] }) {
  const { t } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const [copying, setCopying] = useState(false);
  const [removing, setRemoving] = useState(false);
  const copy = useMutation({
    mutationFn: async (title: string) => {
      const to = slug(title);
      if (!to) throw new Error(t('A name has letters or digits in it.'));
      if (all.some((f) => f.path.startsWith(`templates/${to}.`))) throw new Error(t('There is a template of this name already.'));
      const changes: Record<string, string> = {};
      for (const path of files) {
        const body = all.find((f) => f.path === path)?.body ?? '';
        changes[path.replace(`templates/${name}.`, `templates/${to}.`)] = body.replace(
          /^(---\n(?:.*\n)*?label:).*$/m,
          `$1 ${JSON.stringify(title)}`,
        );
      }
      await changeFiles(changes);
      return to;
    },
    onSuccess: (to) => {
      setCopying(false);
      void cache.invalidateQueries();
      void go({ to: '/app/templates/$name', params: { name: to } });
    },
  });
  const remove = useMutation({
    mutationFn: () => changeFiles(Object.fromEntries(files.map((f) => [f, null]))),
    onSuccess: () => {
      void cache.invalidateQueries();
      void go({ to: '/app/templates' });
    },
  });
  return (
    <>
      <button onClick={() => setCopying(true)}>{t('Duplicate…')}</button>
      <button className="danger" onClick={() => setRemoving(true)}>
        {t('Delete…')}
      </button>
      <Ask open={copying} onClose={() => setCopying(false)} title={t('Duplicate the template')}>
        <form
          onSubmit={(e: FormEvent<HTMLFormElement>) => {
            e.preventDefault();
            copy.mutate(String(new FormData(e.currentTarget).get('title')).trim());
          }}
        >
          <label className="field">
            {t('Title of the copy')}
            <input name="title" required maxLength={80} />
          </label>
          <Failure error={copy.error} />
          <div className="row">
            <button className="primary" disabled={copy.isPending}>
              {t('Duplicate')}
            </button>
            <button type="button" onClick={() => setCopying(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
      <Ask open={removing} onClose={() => setRemoving(false)} title={t('Delete this template?')}>
        <p>{t('Nothing can be sent by it afterwards. What sends it keeps it from being deleted, and is named then.')}</p>
        <Failure error={remove.error} />
        <div className="row">
          <button className="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {t('Delete')}
          </button>
          <button onClick={() => setRemoving(false)}>{t('Keep it')}</button>
        </div>
      </Ask>
    </>
  );
}

// Begun is what a draft makes of a file, and what it was made from.
type Begun = Record<string, { base: string; body: string }>;

function begunIn(body: string): Begun {
  try {
    const all = Object.entries(JSON.parse(body || '{}') as Begun);
    return Object.fromEntries(all.filter(([, f]) => typeof f?.base === 'string' && typeof f?.body === 'string'));
  } catch {
    return {}; // damaged: there is none
  }
}

const bodiesOf = (b: Begun) => Object.fromEntries(Object.entries(b).map(([path, f]) => [path, f.body]));

function Desk({ name, own, all, stored }: { name: string; own: string[]; all: Schemas['File'][]; stored: Stored | null }) {
  const { t } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const language = useGet('/api/v1/liquid');
  const [begun, setBegun] = useState(() => begunIn(stored?.body ?? ''));
  const [drafts, setDrafts] = useState<Record<string, string>>(() => bodiesOf(begun));
  const keeper = useKeeper('template', name, stored);
  const keep = keeper.keep;
  const [file, setFile] = useState(own[0] ?? '');
  const [mode, setMode] = useState<'blocks' | 'code'>(own[0]?.endsWith('.mjml') ? 'blocks' : 'code');
  const [picking, setPicking] = useState(false);
  const [testing, setTesting] = useState(false);
  const [jump, setJump] = useState<{ line: number; text?: string } | null>(null);
  const place = useRef<Place>(null);
  const shared = all.filter((f) => f.path.startsWith('layouts/') || f.path.startsWith('blocks/')).map((f) => f.path);
  const bodyOf = (path: string) => drafts[path] ?? all.find((f) => f.path === path)?.body ?? '';
  const changed = useMemo(
    () =>
      Object.entries(drafts)
        .filter(([path, body]) => body !== all.find((f) => f.path === path)?.body)
        .map(([path, body]) => ({ path, body })),
    [drafts, all],
  );
  useEffect(() => {
    const inForce = (path: string) => all.find((f) => f.path === path)?.body ?? '';
    keep(
      changed.length
        ? JSON.stringify(Object.fromEntries(changed.map((f) => [f.path, { base: begun[f.path]?.base ?? inForce(f.path), body: f.body }])))
        : '',
    );
  }, [changed, begun, all, keep]);
  const overtaken = changed.map((f) => f.path).filter((path) => begun[path] && begun[path].base !== all.find((f) => f.path === path)?.body);
  const edit = (text: string) => {
    const base = all.find((f) => f.path === file)?.body ?? '';
    setBegun((was) => (was[file] ? was : { ...was, [file]: { base, body: text } }));
    setDrafts((was) => ({ ...was, [file]: text }));
  };
  const save = useMutation({
    mutationFn: () => changeFiles(Object.fromEntries(changed.map((f) => [f.path, f.body]))),
    onSuccess: () => {
      setDrafts({});
      setBegun({});
      void cache.invalidateQueries();
    },
  });
  useEffect(() => {
    if (!changed.length || !(keeper.conflict || keeper.failed)) return; // it is kept
    const stay = (e: BeforeUnloadEvent) => e.preventDefault();
    window.addEventListener('beforeunload', stay);
    return () => window.removeEventListener('beforeunload', stay);
  }, [changed.length, keeper.conflict, keeper.failed]);
  const reading = useReading(name, changed);
  const problems = reading.read.data?.problems ?? [];
  const marks = useMemo<Mark[]>(
    () =>
      problems
        .map((p) => ({ ...placeOf(p.where), text: p.what + (p.instead ? ` → ${p.instead}` : ''), warning: p.warning }))
        .filter((p) => p.file === file && p.line > 0),
    [problems, file],
  );
  useEffect(() => {
    if (!jump) return;
    const timer = setTimeout(() => {
      place.current?.go(jump.line, jump.text);
      setJump(null);
    }, 60);
    return () => clearTimeout(timer);
  }, [jump]);
  const show = (where: string, text?: string) => {
    const at = placeOf(where);
    setMode('code');
    if ([...own, ...shared].includes(at.file)) setFile(at.file);
    setJump({ line: where.includes(' as HTML') ? 0 : at.line, text });
  };
  const writable = may('put_definitions');
  const asBlocks = mode === 'blocks' && file.endsWith('.mjml');
  return (
    <div className="desk">
      <div className="stack">
        <Panel
          title={
            <select aria-label={t('File')} value={file} onChange={(e) => setFile(e.target.value)}>
              <optgroup label={t('This template')}>
                {own.map((f) => (
                  <option key={f} value={f}>
                    {f.replace('templates/', '')}
                    {changed.some((c) => c.path === f) ? ' •' : ''}
                  </option>
                ))}
              </optgroup>
              {shared.length > 0 && (
                <optgroup label={t('Shared with others')}>
                  {shared.map((f) => (
                    <option key={f} value={f}>
                      {f}
                      {changed.some((c) => c.path === f) ? ' •' : ''}
                    </option>
                  ))}
                </optgroup>
              )}
            </select>
          }
          aside={
            <div className="row">
              {writable && (
                <button type="button" onClick={() => setPicking(true)}>
                  {t('Picture…')}
                </button>
              )}
              {file.endsWith('.mjml') && (
                <div className="seg" role="group" aria-label={t('How it is edited')}>
                  <button aria-pressed={mode === 'blocks'} onClick={() => setMode('blocks')}>
                    {t('Blocks')}
                  </button>
                  <button aria-pressed={mode === 'code'} onClick={() => setMode('code')}>
                    {t('Code')}
                  </button>
                </div>
              )}
            </div>
          }
          flush
        >
          {asBlocks ? (
            <Blocks source={bodyOf(file)} onChange={edit} readOnly={!writable} language={language.data} />
          ) : (
            language.data && (
              <Editor
                key={file}
                value={bodyOf(file)}
                onChange={edit}
                readOnly={!writable}
                label={file}
                language={language.data}
                marks={marks}
                place={place}
              />
            )
          )}
          <div className="body stack">
            {problems.length > 0 && (
              <ul className="plain stack problems" aria-label={t('Problems')}>
                {problems.map((p, i) => (
                  <li key={i} className={'note ' + (p.warning ? 'warn' : 'bad')}>
                    <button className="link mono" onClick={() => show(p.where)}>
                      {p.where.replace('templates/', '')}
                    </button>{' '}
                    {p.what}
                    {p.instead && <div className="mono wrap-any">→ {p.instead}</div>}
                  </li>
                ))}
              </ul>
            )}
            <Failure error={save.error} />
            <DraftNote
              keeper={keeper}
              onTheirs={(body) => {
                const b = begunIn(body);
                setBegun(b);
                setDrafts(bodiesOf(b));
              }}
            />
            {overtaken.map((path) => (
              <div key={path} className="note warn">
                {t('{file} was changed in force since your draft of it began: putting the draft in force undoes that.', { file: path })}
              </div>
            ))}
            {writable && (
              <div className="row">
                <button
                  className="primary"
                  disabled={!changed.length || save.isPending || problems.some((p) => !p.warning)}
                  onClick={() => save.mutate()}
                >
                  {t('Put in force')}
                </button>
                <button
                  disabled={!changed.length}
                  onClick={() => {
                    setDrafts({});
                    setBegun({});
                  }}
                >
                  {t('Discard')}
                </button>
                <span className="soft small" role="status">
                  {changed.length ? t('Not in force yet; kept as your draft.') : t('In force as shown.')}
                </span>
              </div>
            )}
          </div>
        </Panel>
      </div>
      <Reading name={name} reading={reading} onGap={show} onTest={() => setTesting(true)} />
      <PictureChoice
        open={picking}
        onClose={() => setPicking(false)}
        onChoose={(p, size) => {
          setPicking(false);
          const width = Math.min(size.width / (size.name === 'full' ? 2 : 1), 600);
          const alt = (p.alt ?? '').replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
          const tag = file.endsWith('.mjml')
            ? `<mj-image src="pictures/${size.name}/${p.name}" alt="${alt}" width="${width}px" />`
            : `<img src="pictures/${size.name}/${p.name}" alt="${alt}" width="${width}" style="max-width:100%;height:auto;">`;
          if (asBlocks) edit(insertSection(bodyOf(file), tag));
          else place.current?.insert(tag);
        }}
      />
      <TestSend
        open={testing}
        onClose={() => setTesting(false)}
        path="/api/v1/templates/{name}/test"
        name={name}
        customer={reading.who}
        locale={reading.locale}
        files={changed}
      />
    </div>
  );
}

// insertSection puts a picture into a section of its own, before the last block, which
// is the footer.
function insertSection(source: string, tag: string): string {
  const section = `\n    <mj-section padding="12px 0"><!-- block: picture -->\n      <mj-column>\n        ${tag}\n      </mj-column>\n    </mj-section>`;
  const last = source.lastIndexOf('<mj-section');
  const at = last >= 0 ? source.lastIndexOf('>', last) + 1 : source.indexOf('</mj-body>');
  return at > 0 ? source.slice(0, at).replace(/\s+$/, '') + section + '\n    ' + source.slice(at).replace(/^\s+/, '') : source + section;
}

// useReading reads what is being written as a customer would, some moments after the
// last key was pressed.
function useReading(name: string, changed: Schemas['File'][]) {
  const some = useGet('/api/v1/customers', { query: { limit: 1 } });
  const [chosen, setChosen] = useState('');
  const [locale, setLocale] = useState('');
  const [settled, setSettled] = useState(changed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(changed), 450);
    return () => clearTimeout(timer);
  }, [changed]);
  const who = chosen || some.data?.data?.[0]?.id || '';
  const read = useQuery<Read, Error>({
    queryKey: ['preview', name, who, locale, settled],
    enabled: who !== '',
    retry: false,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: () =>
      must(
        api.POST('/api/v1/templates/{name}/preview', {
          params: { path: { name } },
          body: { customer: who, ...(locale ? { locale } : {}), ...(settled.length ? { files: settled } : {}) },
        }),
      ),
  });
  return { who, choose: setChosen, locale, setLocale, read, nobody: some.data !== undefined && !who };
}

function Reading({
  name,
  reading,
  onGap,
  onTest,
}: {
  name: string;
  reading: ReturnType<typeof useReading>;
  onGap: (where: string, text?: string) => void;
  onTest: () => void;
}) {
  const { t } = useWords();
  const may = useMay();
  const language = useGet('/api/v1/liquid');
  const [text, setText] = useState('');
  const [view, setView] = useState<View>('Desktop');
  const { who, read } = reading;
  const find = useMutation({
    mutationFn: (identifier: string) => must(api.POST('/api/v1/customers/search', { body: { identifier } })),
    onSuccess: (c) => reading.choose(c.id),
  });
  const person = useQuery({
    queryKey: ['as', who],
    enabled: who !== '',
    queryFn: () => get('/api/v1/customers/{id}', { path: { id: who } }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) find.mutate(text.trim());
  };
  return (
    <section className="panel reading" aria-label={t('Preview')}>
      <header className="tools">
        <form className="row" onSubmit={submit}>
          <input
            type="search"
            aria-label={t('As which customer')}
            placeholder={person.data ? called(person.data) : t('Another customer: e-mail, id…')}
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
          <button>{t('Read as')}</button>
        </form>
        <select aria-label={t('Language of the reader')} value={reading.locale} onChange={(e) => reading.setLocale(e.target.value)}>
          <option value="">{t('Customer’s language')}</option>
          {(language.data?.locales ?? []).map((l) => (
            <option key={l}>{l}</option>
          ))}
        </select>
        <div className="seg" role="group" aria-label={t('How it is shown')}>
          {views.map((v) => (
            <button key={v} aria-pressed={view === v} onClick={() => setView(v)}>
              {t(v)}
            </button>
          ))}
        </div>
        {may('post_templates_name_test') && <button onClick={onTest}>{t('Send a test…')}</button>}
      </header>
      <div className="body stack">
        <Failure error={find.error} />
        {reading.nobody && <Empty>{t('Nobody is known yet to read it as.')}</Empty>}
        {who && (
          <State of={read}>
            {(p) => (
              <>
                {p.aborted && <div className="note warn">{t('This customer would get nothing: {why}', { why: p.aborted })}</div>}
                {!p.aborted && p.subject && (
                  <Facts
                    of={[
                      [t('Subject'), <b key="s">{p.subject}</b>],
                      [t('Preheader'), p.preheader || '–'],
                      [t('Language'), p.locale],
                    ]}
                  />
                )}
                {(p.gaps ?? []).length > 0 && (
                  <div className="note warn">
                    {t('Missing for this customer, so that it would not be sent:')}
                    <ul className="plain">
                      {(p.gaps ?? []).map((g, i) => (
                        <li key={i}>
                          <button className="link mono" onClick={() => onGap(`${g.file}:${g.line}`, g.what)}>
                            {g.what}
                          </button>{' '}
                          <span className="small">
                            {g.file.replace(' as HTML', '').replace('templates/', '')}:{g.line}
                          </span>
                        </li>
                      ))}
                    </ul>
                  </div>
                )}
                {view === 'Dark' && (
                  <p className="soft small">
                    {p.dark
                      ? t(
                          'As on a dark screen: the message’s own dark styles hold. Programs that invert colours by themselves may show it otherwise.',
                        )
                      : t('The message has no dark styles of its own, so it stays as it is; some programs invert it by themselves.')}
                  </p>
                )}
                {view === 'Text' ? (
                  <pre className="plaintext">{p.text || t('The message has no text part.')}</pre>
                ) : p.frame ? (
                  <div className={'screen' + (view === 'Dark' ? ' dark' : '')}>
                    <iframe
                      className={'frame' + (view === 'Mobile' ? ' mobile' : '')}
                      title={t('Preview')}
                      sandbox=""
                      src={`/api/v1/frames/${p.frame}?screen=${view === 'Dark' ? 'dark' : 'light'}`}
                    />
                  </div>
                ) : (
                  (p.problems ?? []).some((x) => !x.warning) && (
                    <Empty>
                      <Tag tone="bad">{t('Not readable yet')}</Tag> {t('Mend the problems on the left, and it is shown here.')}
                    </Empty>
                  )
                )}
              </>
            )}
          </State>
        )}
        <span className="hidden">{name}</span>
      </div>
    </section>
  );
}
