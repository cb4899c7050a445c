// Bringing in what a shop has: upload, mapping, a try, the import, and taking it back.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState, type DragEvent } from 'react';
import { api, must, Trouble, useGet, type Schemas } from '../api';
import { Ask, Bar, Empty, Facts, Failure, Panel, State, StateTag, Tag } from '../parts/kit';
import { useMay, useMe } from '../session';
import { useWords, type Text } from '../words';

type Draft = Schemas['ImportDraft'];
type How = Schemas['ImportHow'];
type Imported = Schemas['Imported'];
type Kind = How['kind'];

export const kinds: { kind: Kind; text: Text; about: Text }[] = [
  { kind: 'suppressions', text: 'Do not write to', about: 'Who unsubscribed, bounced or complained. Bring these first.' },
  { kind: 'consents', text: 'Consents', about: 'Who agreed to what, when, and how that is known.' },
  { kind: 'customers', text: 'Customers', about: 'Names, addresses, traits and lists.' },
  { kind: 'orders', text: 'Orders', about: 'One line an item: order number, date, SKU, price.' },
  { kind: 'events', text: 'Events', about: 'Anything else that happened, with its date.' },
];

const kindText = (kind: string): Text => kinds.find((k) => k.kind === kind)?.text ?? 'Import';

// upload sends a file and tells how much of it is there; fetch cannot tell.
function upload(file: File, kind: Kind, tell: (share: number) => void): Promise<Draft> {
  return new Promise((done, fail) => {
    const r = new XMLHttpRequest();
    r.open('POST', '/api/v1/imports?' + new URLSearchParams({ kind, file: file.name }).toString());
    r.setRequestHeader('Content-Type', 'application/octet-stream');
    r.upload.onprogress = (e) => tell(e.total ? e.loaded / e.total : 0);
    r.onerror = () => fail(new Trouble(0, 'the file did not arrive whole'));
    r.onload = () => {
      let said: unknown;
      try {
        said = JSON.parse(r.responseText);
      } catch {
        said = {};
      }
      if (r.status === 201) done(said as Draft);
      else fail(new Trouble(r.status, (said as { detail?: string }).detail ?? r.statusText));
    };
    r.send(file);
  });
}

export function Imports() {
  const { id } = useParams({ strict: false }) as { id?: string };
  if (id?.startsWith('file-')) return <Mapping key={id} id={id} />;
  if (id) return <One id={id} />;
  return <Overview />;
}

function Overview() {
  const { t, when, n } = useWords();
  const may = useMay();
  const list = useGet('/api/v1/imports', { query: { limit: 500 } }, { refetchInterval: 4_000 });
  const drafts = useGet('/api/v1/uploads', undefined, { enabled: may('get_uploads') });
  const waiting = drafts.data?.data ?? [];
  return (
    <div className="stack">
      {may('post_imports') && <New />}
      {waiting.length > 0 && (
        <Panel title={t('Uploaded, and not imported yet')} flush>
          <ul className="plain lines">
            {waiting.map((d) => (
              <li key={d.id} className="spread">
                <span>
                  <b>{d.file}</b> <Tag>{t(kindText(d.how.kind))}</Tag> <span className="soft small">{when(d.at)}</span>
                </span>
                <Link to={'/app/data/imports/' + d.id}>{t('Go on')}</Link>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title={t('Imports')} flush>
        <State of={list}>
          {(l) =>
            (l.data ?? []).length === 0 ? (
              <Empty>{t('Nothing was imported yet.')}</Empty>
            ) : (
              <div className="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>{t('File')}</th>
                      <th>{t('State')}</th>
                      <th className="num">{t('Rows')}</th>
                      <th className="num">{t('Refused')}</th>
                      <th>{t('By')}</th>
                      <th>{t('Began')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {[...(l.data ?? [])]
                      .sort((a, b) => String(b.began).localeCompare(String(a.began)))
                      .map((i) => (
                        <tr key={i.id}>
                          <td>
                            <Link to={'/app/data/imports/' + i.id}>{i.file || i.source}</Link> <Tag>{t(kindText(i.kind))}</Tag>
                          </td>
                          <td>
                            <Stand of={i} />
                          </td>
                          <td className="num">{n(number(i.progress?.rows ?? i.totals?.['rows']))}</td>
                          <td className="num">{n(number(i.progress?.refused ?? i.totals?.['refused']))}</td>
                          <td>{i.by}</td>
                          <td className="soft">{when(i.began)}</td>
                        </tr>
                      ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </State>
      </Panel>
    </div>
  );
}

const number = (v: unknown): number | undefined => (typeof v === 'number' ? v : undefined);

function Stand({ of: i }: { of: Imported }) {
  const { t } = useWords();
  if (i.state === 'running' && !i.progress?.running) return <Tag tone="warn">{t('cut short')}</Tag>;
  return <StateTag state={i.state} />;
}

function New() {
  const { t, pct } = useWords();
  const go = useNavigate();
  const [kind, setKind] = useState<Kind>('customers');
  const [share, setShare] = useState<number | null>(null);
  const [over, setOver] = useState(false);
  const pick = useRef<HTMLInputElement>(null);
  const send = useMutation({
    mutationFn: (f: File) => upload(f, kind, setShare),
    onSuccess: (d) => void go({ to: '/app/data/imports/' + d.id }),
    onSettled: () => setShare(null),
  });
  const take = (files: FileList | null) => {
    const f = files?.[0];
    if (f) send.mutate(f);
  };
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    take(e.dataTransfer.files);
  };
  return (
    <Panel title={t('Import a file')}>
      <div className="stack">
        <fieldset className="filekinds">
          <legend className="hidden">{t('What the file is about')}</legend>
          {kinds.map((k) => (
            <label key={k.kind} className={'choice' + (kind === k.kind ? ' on' : '')}>
              <input type="radio" name="kind" value={k.kind} checked={kind === k.kind} onChange={() => setKind(k.kind)} />
              <b>{t(k.text)}</b>
              <span className="soft small">{t(k.about)}</span>
            </label>
          ))}
        </fieldset>
        <div
          className={'drop' + (over ? ' over' : '')}
          onDragOver={(e) => {
            e.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          {share === null ? (
            <>
              <button className="primary" onClick={() => pick.current?.click()}>
                {t('Choose a file…')}
              </button>
              <span className="soft">{t('or drop it here: CSV, TSV or JSON lines, zipped or not, up to 2 GB')}</span>
            </>
          ) : (
            <div className="stack wide" role="status">
              <span>{t('{share} is here', { share: pct(share) })}</span>
              <Bar share={share} />
            </div>
          )}
          <input
            ref={pick}
            type="file"
            className="hidden"
            tabIndex={-1}
            aria-label={t('File')}
            onChange={(e) => {
              take(e.target.files);
              e.target.value = '';
            }}
          />
        </div>
        <p className="soft small">
          {t('What a file tells is history: it never sends anything to anybody. Nothing is imported before you have seen how it is read.')}
        </p>
        <Failure error={send.error} />
      </div>
    </Panel>
  );
}

function Mapping({ id }: { id: string }) {
  const { t, n } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const key = ['/api/v1/uploads/{name}', { path: { name: id } }];
  const draft = useGet('/api/v1/uploads/{name}', { path: { name: id } }, { retry: false });
  const running = draft.data?.check?.running ?? false;
  useGet('/api/v1/uploads/{name}', { path: { name: id } }, { retry: false, refetchInterval: running ? 500 : undefined, enabled: running });
  const set = (d: Draft) => cache.setQueryData(key, d);
  const params = { params: { path: { name: id } } };
  const change = useMutation({
    mutationFn: (how: How) => must(api.PUT('/api/v1/uploads/{name}', { ...params, body: how })),
    onSuccess: set,
  });
  const check = useMutation({ mutationFn: () => must(api.POST('/api/v1/uploads/{name}/check', params)), onSuccess: set });
  const start = useMutation({
    mutationFn: () => must(api.POST('/api/v1/uploads/{name}/start', params)),
    onSuccess: (i) => {
      void cache.invalidateQueries({ queryKey: ['/api/v1/imports'] });
      void cache.invalidateQueries({ queryKey: ['/api/v1/uploads'] });
      void go({ to: '/app/data/imports/' + i.id });
    },
  });
  const discard = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/uploads/{name}', params)),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['/api/v1/uploads'] });
      void go({ to: '/app/data/imports' });
    },
  });
  return (
    <State of={draft}>
      {(d) => {
        const r = d.reading;
        const columns = r.columns ?? [];
        const how = (part: Partial<How>) => change.mutate({ ...d.how, ...part });
        const meaning = (column: string, field: string) => {
          const map = { ...d.how.map };
          // A field is in one column: it leaves the one that it was in.
          if (field && field !== '-') for (const c of columns) if (c.name !== column && c.field === field) map[c.name] = '-';
          map[column] = field || '-';
          how({ map });
        };
        return (
          <div className="stack">
            <div className="crumbs">
              <Link to="/app/data/imports">{t('Imports')}</Link> <span aria-hidden="true">/</span> <b>{d.file}</b>{' '}
              <Tag>{t(kindText(d.how.kind))}</Tag>
              <span className="soft small">{[r.format, r.encoding, r.from].filter(Boolean).join(' · ')}</span>
            </div>
            <div className="note">
              {t(
                'What a file tells is history: it never sends anything to anybody. Nothing is imported before you have seen how it is read.',
              )}
            </div>
            {r.trouble && (
              <div className="note bad" role="alert">
                {r.trouble}
              </div>
            )}
            <Panel title={t('How it is read')}>
              <div className="settings">
                <label className="field">
                  {t('About')}
                  <select value={d.how.kind} onChange={(e) => how({ kind: e.target.value as Kind, map: {} })}>
                    {kinds.map((k) => (
                      <option key={k.kind} value={k.kind}>
                        {t(k.text)}
                      </option>
                    ))}
                  </select>
                </label>
                <label className="field">
                  {t('Dates')}
                  <select value={d.how.dates ?? ''} onChange={(e) => how({ dates: (e.target.value || undefined) as How['dates'] })}>
                    <option value="">
                      {r.dates && !d.how.dates ? t(r.dates === 'dmy' ? 'found out: day first' : 'found out: month first') : t('found out')}
                    </option>
                    <option value="dmy">{t('day first, 31.12.2026')}</option>
                    <option value="mdy">{t('month first, 12/31/2026')}</option>
                  </select>
                </label>
                <Typed
                  label={t('Time zone of dates')}
                  value={d.how.zone ?? ''}
                  placeholder="UTC"
                  set={(zone) => how({ zone: zone || undefined })}
                />
                {d.how.kind === 'orders' && (
                  <>
                    <Typed
                      label={t('Currency')}
                      value={d.how.currency ?? ''}
                      placeholder="GBP"
                      set={(c) => how({ currency: c.toUpperCase() || undefined })}
                    />
                    <label className="field">
                      {t('Decimals')}
                      <select value={d.how.decimal ?? '.'} onChange={(e) => how({ decimal: e.target.value })}>
                        <option value=".">12.50</option>
                        <option value=",">12,50</option>
                      </select>
                    </label>
                    <Typed
                      label={t('Returns begin with')}
                      value={d.how.returns ?? ''}
                      placeholder="C"
                      set={(returns) => how({ returns: returns || undefined })}
                    />
                  </>
                )}
                {(d.how.kind === 'consents' || d.how.kind === 'suppressions') && (
                  <Typed
                    label={t('Purpose')}
                    value={d.how.purpose ?? ''}
                    placeholder="marketing"
                    set={(purpose) => how({ purpose: purpose || undefined })}
                  />
                )}
                {d.how.kind === 'suppressions' && (
                  <label className="field">
                    {t('Reason')}
                    <select value={d.how.reason ?? 'unsubscribed'} onChange={(e) => how({ reason: e.target.value as How['reason'] })}>
                      <option value="unsubscribed">{t('unsubscribed')}</option>
                      <option value="bounced">{t('bounced')}</option>
                      <option value="complained">{t('complained')}</option>
                      <option value="manual">{t('by hand')}</option>
                    </select>
                  </label>
                )}
                {d.how.kind === 'customers' && (
                  <Typed
                    label={t('Put them on the list')}
                    value={d.how.list ?? ''}
                    placeholder="–"
                    set={(list) => how({ list: list || undefined })}
                  />
                )}
                {d.how.kind !== 'orders' && d.how.kind !== 'events' && (
                  <Typed
                    label={t('Date of rows without one')}
                    value={d.how.as_of ?? ''}
                    placeholder="2026-03-01"
                    set={(as_of) => how({ as_of: as_of || undefined })}
                  />
                )}
                <Typed
                  label={t('Name of the source')}
                  value={d.how.source ?? ''}
                  placeholder={d.how.kind}
                  set={(source) => how({ source: source || undefined })}
                />
                {d.how.kind === 'consents' && (
                  <label className="tick">
                    <input
                      type="checkbox"
                      checked={d.how.granted ?? false}
                      onChange={(e) => how({ granted: e.target.checked || undefined })}
                    />
                    {t('Everybody in the file agreed')}
                  </label>
                )}
              </div>
              <Failure error={change.error} />
            </Panel>
            <Panel
              title={t('Columns, and the first {n} rows', { n: (r.rows ?? []).length })}
              aside={change.isPending ? <span className="soft small">{t('One moment…')}</span> : undefined}
              flush
            >
              <div className="scroll mapping" tabIndex={0} role="region" aria-label={t('How it is read')}>
                <table>
                  <thead>
                    <tr>
                      {columns.map((c) => (
                        <th key={c.name} scope="col">
                          <div className="column">
                            <b>{c.name}</b>
                            <select
                              aria-label={t('{name} holds', { name: c.name })}
                              value={c.field ?? ''}
                              onChange={(e) => meaning(c.name, e.target.value)}
                            >
                              <option value="">
                                {d.how.kind === 'customers' || d.how.kind === 'events' ? t('its own name') : t('not used')}
                              </option>
                              <option value="-">{t('nothing')}</option>
                              {(r.fields ?? []).map((f) => (
                                <option key={f}>{f}</option>
                              ))}
                              {c.field?.startsWith('-i') && <option value={c.field}>{t('nothing')}</option>}
                            </select>
                            <span className="soft small">
                              {c.type ? t(c.type as Text) : t('empty')}
                              {c.read ? ' → ' + c.read.slice(0, 16).replace('T', ' ') : ''}
                            </span>
                          </div>
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {(r.rows ?? []).map((row, i) => (
                      <tr key={i}>
                        {(row ?? []).map((v, k) => (
                          <td key={k} className={columns[k]?.field === '-' ? 'unused' : ''}>
                            {v}
                          </td>
                        ))}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Panel>
            {d.check && (
              <Panel
                title={d.check.running ? t('Trying…') : t('What would be imported')}
                aside={d.check.running ? <Tag tone="accent">{n(d.check.rows)}</Tag> : undefined}
              >
                <div className="stack">
                  <Counts kind={d.how.kind} totals={d.check.totals} rows={d.check.rows} refused={d.check.refused} />
                  {d.check.trouble && <div className="note bad">{d.check.trouble}</div>}
                  {(d.check.problems ?? []).length > 0 && (
                    <>
                      <h3>{t('Rows that would not be taken')}</h3>
                      <ul className="plain problems">
                        {(d.check.problems ?? []).map((p, i) => (
                          <li key={i}>
                            <span className="soft">{t('line {n}', { n: p.line })}</span> {p.column && <code>{p.column}</code>} {p.reason}
                          </li>
                        ))}
                        {d.check.refused > (d.check.problems ?? []).length && (
                          <li className="soft">
                            {t('and {n} more: after the import they can be downloaded', {
                              n: n(d.check.refused - (d.check.problems ?? []).length),
                            })}
                          </li>
                        )}
                      </ul>
                    </>
                  )}
                </div>
              </Panel>
            )}
            <div className="actions">
              <button
                onClick={() => check.mutate()}
                disabled={check.isPending || running || Boolean(r.trouble)}
                className={d.check ? '' : 'primary'}
              >
                {t('Try it without writing anything')}
              </button>
              <button
                onClick={() => start.mutate()}
                disabled={start.isPending || running || Boolean(r.trouble)}
                className={d.check ? 'primary' : ''}
              >
                {t('Import it')}
              </button>
              <button className="danger" onClick={() => discard.mutate()} disabled={discard.isPending}>
                {t('Discard')}
              </button>
              <Failure error={check.error ?? start.error ?? discard.error} />
            </div>
          </div>
        );
      }}
    </State>
  );
}

// Typed is a field whose text counts when it is left, so that nothing is asked at each letter.
function Typed({ label, value, placeholder, set }: { label: string; value: string; placeholder: string; set: (v: string) => void }) {
  return (
    <label className="field">
      {label}
      <input
        key={value}
        defaultValue={value}
        placeholder={placeholder}
        maxLength={64}
        onBlur={(e) => e.target.value.trim() !== value && set(e.target.value.trim())}
        onKeyDown={(e) => e.key === 'Enter' && e.currentTarget.blur()}
      />
    </label>
  );
}

const countTexts: Record<string, Text> = {
  orders: 'Orders',
  refunds: 'Refunds',
  customers: 'Customers',
  people: 'People',
  events: 'Events',
  granted: 'Agreed',
  withdrawn: 'Said no',
  outweighed: 'Agreed, and stay suppressed',
  silent: 'Rows that say nothing of it',
  orders_without_customer: 'Orders of nobody',
};

function Counts({ kind, totals, rows, refused }: { kind: string; totals?: Record<string, unknown>; rows: number; refused: number }) {
  const { t, n, date } = useWords();
  const list: [string, React.ReactNode][] = [
    [t('Rows'), n(rows)],
    [t('Refused'), refused > 0 ? <b className="bad-text">{n(refused)}</b> : n(0)],
  ];
  for (const [k, text] of Object.entries(countTexts)) {
    const v = number(totals?.[k]);
    if (v !== undefined && (v > 0 || k === kind)) list.push([t(text), n(v)]);
  }
  for (const [reason, v] of Object.entries((totals?.['suppressed'] as Record<string, number> | undefined) ?? {}))
    list.push([t('Suppressed: {reason}', { reason }), n(v)]);
  for (const [currency, v] of Object.entries((totals?.['sums'] as Record<string, number> | undefined) ?? {}))
    list.push([t('Sum'), `${v.toLocaleString(undefined, { maximumFractionDigits: 2 })} ${currency}`]);
  const first = totals?.['first'];
  const last = totals?.['last'];
  if (first && last) list.push([t('From, to'), `${date(String(first))} – ${date(String(last))}`]);
  return (
    <dl className="figures">
      {list.map(([k, v]) => (
        <div key={k}>
          <dt>{k}</dt>
          <dd>{v}</dd>
        </div>
      ))}
    </dl>
  );
}

function One({ id }: { id: string }) {
  const { t, n, when } = useWords();
  const may = useMay();
  const me = useMe();
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [retract, setRetract] = useState(false);
  const path = { path: { name: id } };
  const one = useGet('/api/v1/imports/{name}', path, { refetchInterval: 1_000, retry: false });
  const again = () => {
    void cache.invalidateQueries({ queryKey: ['/api/v1/imports/{name}', path] });
    void cache.invalidateQueries({ queryKey: ['/api/v1/imports'] });
  };
  const resume = useMutation({ mutationFn: () => must(api.POST('/api/v1/imports/{name}/resume', { params: path })), onSuccess: again });
  const undo = useMutation({
    mutationFn: () =>
      must(
        api.POST('/api/v1/imports/{name}/undo', {
          params: path,
          body: { by: me.name, ...(retract ? { retract_suppressions: true } : {}) },
        }),
      ),
    onSuccess: () => {
      setAsking(false);
      again();
    },
  });
  return (
    <State of={one}>
      {(i) => (
        <div className="stack">
          <div className="crumbs">
            <Link to="/app/data/imports">{t('Imports')}</Link> <span aria-hidden="true">/</span> <b>{i.file || i.source}</b>{' '}
            <Tag>{t(kindText(i.kind))}</Tag> <Stand of={i} />
          </div>
          <Panel
            title={
              i.progress?.running
                ? t('{n} rows so far', { n: n(i.progress.rows) })
                : i.state === 'done'
                  ? t('It is imported')
                  : i.state === 'undone'
                    ? t('It was taken back')
                    : t('Import')
            }
            aside={i.progress?.running ? <span className="spinner" aria-hidden="true" /> : undefined}
          >
            <div className="stack">
              <Counts
                kind={i.kind}
                totals={i.progress?.totals ?? i.totals}
                rows={number(i.progress?.rows) || number(i.totals?.['rows']) || 0}
                refused={number(i.progress?.refused) || number(i.totals?.['refused']) || 0}
              />
              {i.progress?.trouble && <div className="note bad">{i.progress.trouble}</div>}
              {i.resumable && (
                <div className="note warn">{t('It was cut short. What was imported stays, and it goes on where it was.')}</div>
              )}
              <div className="row">
                {i.has_errors && may('get_imports_name_errors') && (
                  <a className="button" href={`/api/v1/imports/${encodeURIComponent(id)}/errors`} download>
                    {t('Download the refused rows')}
                  </a>
                )}
                {i.resumable && may('post_imports_name_resume') && (
                  <button className="primary" onClick={() => resume.mutate()} disabled={resume.isPending}>
                    {t('Go on')}
                  </button>
                )}
                {may('post_imports_name_undo') && i.state !== 'undone' && i.state !== 'failed' && !i.progress?.running && (
                  <button className="danger" onClick={() => setAsking(true)}>
                    {t('Take it back…')}
                  </button>
                )}
              </div>
              <Failure error={resume.error} />
            </div>
          </Panel>
          <Panel title={t('In the book')}>
            <Facts
              of={[
                [t('Number'), <code key="i">{i.id}</code>],
                [t('Source'), i.source],
                [t('By'), i.by ?? '–'],
                [t('Began'), when(i.began)],
                [t('Ended'), when(i.ended)],
                ...(i.undone_at ? ([[t('Taken back'), `${when(i.undone_at)} · ${i.undone_by ?? ''}`]] as [string, string][]) : []),
                ...(i.suppressions ? ([[t('Suppressed'), n(i.suppressions)]] as [string, string][]) : []),
              ]}
            />
          </Panel>
          <Ask open={asking} onClose={() => setAsking(false)} title={t('Take this import back?')}>
            <p>
              {t(
                'Its customers become what they would be without it. What was sent meanwhile stays sent, and customers who were joined stay joined.',
              )}
            </p>
            {i.suppressions > 0 && (
              <label className="tick">
                <input type="checkbox" checked={retract} onChange={(e) => setRetract(e.target.checked)} />
                {t('Also lift the {n} stops that it brought: these people may be written to again', { n: n(i.suppressions) })}
              </label>
            )}
            <Failure error={undo.error} />
            <div className="row">
              <button className="primary" onClick={() => undo.mutate()} disabled={undo.isPending || (i.suppressions > 0 && !retract)}>
                {t('Take it back')}
              </button>
              <button onClick={() => setAsking(false)}>{t('Cancel')}</button>
            </div>
          </Ask>
        </div>
      )}
    </State>
  );
}
