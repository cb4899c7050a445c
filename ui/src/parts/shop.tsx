// Who speaks, how it looks and what customers agree to: parts of shop.yaml, as forms.
// A form changes its own part of the file; every other line stays as it was written.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { get, useGet } from '../api';
import { changeFiles, withSection, type Json, type Tree } from './files';
import { Ask, Empty, Failure, Panel, State, Tag } from './kit';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const file = 'shop.yaml';
const str = (v: Json | undefined) => (v === null || v === undefined || typeof v === 'object' ? '' : String(v));
const map = (v: Json | undefined): Tree => (v !== null && typeof v === 'object' && !Array.isArray(v) ? v : {});

// useSection reads a file of YAML and writes one key of it.
export function useSection(path: string) {
  const cache = useQueryClient();
  const tree = useGet('/api/v1/definitions/tree', { query: { path } }, { retry: false });
  const save = useMutation({
    mutationFn: async (changes: Record<string, Json | undefined>) => {
      const d = await get('/api/v1/definitions');
      let text = (d.files ?? []).find((f) => f.path === path)?.body ?? '';
      for (const [key, value] of Object.entries(changes)) text = withSection(text, key, value);
      return changeFiles({ [path]: text });
    },
    onSuccess: () => void cache.invalidateQueries(),
  });
  const value = map(tree.data?.value as Json | undefined);
  return { tree, value, save };
}

function Wanting({ of, children }: { of: ReturnType<typeof useSection>; children: (value: Tree) => ReactNode }) {
  const { t } = useWords();
  if (of.tree.error) return <div className="note">{t('The definitions have no {file} yet.', { file })}</div>;
  return <State of={of.tree}>{() => children(of.value)}</State>;
}

const tidy = (t: Tree): Tree => Object.fromEntries(Object.entries(t).filter(([, v]) => v !== '' && v !== undefined && v !== null));

interface Speaker {
  channel: string;
  fields: Tree;
}

const senderFields: [string, Text, string][] = [
  ['from_name', 'Name in From', 'The Lamp Shop'],
  ['from', 'Address in From', 'hello@shop.example'],
  ['reply_to', 'Answers go to', 'care@shop.example'],
  ['bounce_domain', 'Failures come back to', 'bounce.shop.example'],
  ['domain', 'Signed by', 'shop.example'],
  ['logo', 'Logo of this sender', 'https://shop.example/logo.png'],
  ['postal', 'Postal address', ''],
];

export function Senders() {
  const { t } = useWords();
  const may = useMay();
  const section = useSection(file);
  const domains = useGet('/api/v1/domains', { query: { limit: 500 } });
  const [open, setOpen] = useState<{ at: number; s: Speaker } | null>(null);
  const list = (value: Tree): Speaker[] =>
    Object.entries(map(value['senders'])).flatMap(([channel, v]) =>
      (Array.isArray(v) ? v : [v]).map((one) => ({ channel, fields: map(one) })),
    );
  const put = (speakers: Speaker[]) => {
    const senders: Tree = {};
    for (const s of speakers) {
      const clean = tidy(s.fields);
      const there = senders[s.channel];
      senders[s.channel] = there === undefined ? [clean] : [...(there as Json[]), clean];
    }
    for (const [channel, v] of Object.entries(senders)) if ((v as Json[]).length === 1) senders[channel] = (v as Json[])[0]!;
    return section.save.mutateAsync({ senders });
  };
  return (
    <Wanting of={section}>
      {(value) => {
        const all = list(value);
        const brands = Object.keys(map(value['brands']));
        return (
          <div className="stack">
            <Failure error={open ? null : section.save.error} />
            <Panel
              title={t('Who speaks')}
              aside={
                may('put_definitions') && (
                  <button className="primary" onClick={() => setOpen({ at: -1, s: { channel: 'email', fields: {} } })}>
                    {t('Add a sender…')}
                  </button>
                )
              }
              flush
            >
              {all.length === 0 && <Empty>{t('Nobody speaks yet, so nothing can be sent.')}</Empty>}
              <div className="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>{t('From')}</th>
                      <th>{t('Speaks for')}</th>
                      <th>{t('Answers go to')}</th>
                      <th>{t('Its domain')}</th>
                      <th>
                        <span className="hidden">{t('Actions')}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {all.map((s, i) => {
                      const of = str(s.fields['domain']) || str(s.fields['from']).split('@')[1] || '';
                      const d = (domains.data?.data ?? []).find((x) => x.name === of || (x.froms ?? []).includes(of));
                      return (
                        <tr key={i}>
                          <td>
                            <b>{str(s.fields['from_name']) || str(value['name'])}</b>
                            <div className="mono soft">{str(s.fields['from'])}</div>
                          </td>
                          <td>
                            <span className="row">
                              <Tag>{s.channel}</Tag>
                              {str(s.fields['brand']) && <Tag tone="accent">{str(s.fields['brand'])}</Tag>}
                              <Tag>{str(s.fields['stream']) ? t(str(s.fields['stream']) as Text) : t('every message')}</Tag>
                              {str(s.fields['locale']) && <Tag>{str(s.fields['locale'])}</Tag>}
                            </span>
                          </td>
                          <td className="mono soft">{str(s.fields['reply_to']) || '–'}</td>
                          <td>
                            {s.channel !== 'email' || !of ? (
                              '–'
                            ) : (
                              <Tag tone={d?.verified ? 'good' : 'bad'}>
                                {of} · {d ? (d.verified ? t('verified') : t('not verified')) : t('not set up')}
                              </Tag>
                            )}
                          </td>
                          <td>
                            {may('put_definitions') && (
                              <div className="row">
                                <button
                                  className="link"
                                  aria-label={`${t('Edit')}: ${str(s.fields['from'])}`}
                                  onClick={() => setOpen({ at: i, s })}
                                >
                                  {t('Edit')}
                                </button>
                                <button
                                  className="link danger"
                                  aria-label={`${t('Take out')}: ${str(s.fields['from'])}`}
                                  onClick={() => section.save.mutate(withoutOne(all, i))}
                                >
                                  {t('Take out')}
                                </button>
                              </div>
                            )}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            </Panel>
            <p className="soft small">
              {t('Of several senders that fit, the more special fills in over the more general: first by stream, then by language.')}
            </p>
            <Ask
              open={open !== null}
              onClose={() => {
                section.save.reset();
                setOpen(null);
              }}
              title={open?.at === -1 ? t('Add a sender') : t('Edit the sender')}
            >
              {open && (
                <form
                  onSubmit={(e: FormEvent<HTMLFormElement>) => {
                    e.preventDefault();
                    const f = new FormData(e.currentTarget);
                    const fields: Tree = { ...open.s.fields };
                    for (const key of ['brand', 'stream', 'locale', ...senderFields.map(([k]) => k)])
                      fields[key] = String(f.get(key) ?? '').trim();
                    const next = [...all];
                    const one = { channel: String(f.get('channel')), fields };
                    if (open.at < 0) next.push(one);
                    else next[open.at] = one;
                    void put(next).then(
                      () => setOpen(null),
                      () => {},
                    );
                  }}
                >
                  <div className="row">
                    <label className="field">
                      {t('Channel')}
                      <select name="channel" defaultValue={open.s.channel}>
                        {['email', 'sms', 'whatsapp', 'push', 'webpush'].map((c) => (
                          <option key={c}>{c}</option>
                        ))}
                      </select>
                    </label>
                    <label className="field">
                      {t('Stream')}
                      <select name="stream" defaultValue={str(open.s.fields['stream'])}>
                        <option value="">{t('every message')}</option>
                        <option value="marketing">{t('marketing')}</option>
                        <option value="service">{t('service')}</option>
                      </select>
                    </label>
                    <label className="field">
                      {t('Language')}
                      <input name="locale" size={6} maxLength={12} placeholder="de-AT" defaultValue={str(open.s.fields['locale'])} />
                    </label>
                    <label className="field">
                      {t('Brand')}
                      <select name="brand" defaultValue={str(open.s.fields['brand'])}>
                        <option value="">{t('the shop itself')}</option>
                        {brands.map((b) => (
                          <option key={b}>{b}</option>
                        ))}
                      </select>
                    </label>
                  </div>
                  {senderFields.map(([key, label, example]) => (
                    <label key={key} className="field">
                      {t(label)}
                      <input
                        name={key}
                        type={key === 'from' || key === 'reply_to' ? 'email' : key === 'logo' ? 'url' : 'text'}
                        placeholder={example}
                        defaultValue={str(open.s.fields[key])}
                      />
                    </label>
                  ))}
                  <Failure error={section.save.error} />
                  <div className="row">
                    <button className="primary" disabled={section.save.isPending}>
                      {t('Put in force')}
                    </button>
                    <button type="button" onClick={() => setOpen(null)}>
                      {t('Cancel')}
                    </button>
                  </div>
                </form>
              )}
            </Ask>
          </div>
        );
      }}
    </Wanting>
  );
}

// withoutOne are the senders without one of them.
function withoutOne(all: Speaker[], i: number): Record<string, Json | undefined> {
  const senders: Tree = {};
  all.forEach((s, k) => {
    if (k !== i) senders[s.channel] = [...((senders[s.channel] as Json[]) ?? []), tidy(s.fields)];
  });
  return { senders: Object.keys(senders).length ? senders : undefined };
}

const colours = ['accent', 'paper', 'ground', 'ink', 'quiet', 'line'];
const fonts = ['body', 'small'];

export function Brands() {
  const { t } = useWords();
  const section = useSection(file);
  const [open, setOpen] = useState<string | null>(null);
  const may = useMay();
  return (
    <Wanting of={section}>
      {(value) => {
        const brands = map(value['brands']);
        return (
          <div className="stack">
            <div className="grid2">
              <Identity value={value} section={section} />
              <Kit
                title={t('How the shop looks')}
                kit={map(value['brand'])}
                name={str(value['name'])}
                onSave={(kit) => section.save.mutate({ brand: kit })}
                error={section.save.error}
                busy={section.save.isPending}
              />
            </div>
            <Panel
              title={t('Brands beside the shop’s own')}
              aside={may('put_definitions') && <button onClick={() => setOpen('')}>{t('Add a brand…')}</button>}
              flush
            >
              {Object.keys(brands).length === 0 ? (
                <Empty>{t('There is none: the shop speaks under its own name.')}</Empty>
              ) : (
                <ul className="plain lines">
                  {Object.entries(brands).map(([key, b]) => (
                    <li key={key} className="spread">
                      <span>
                        <Swatches kit={map(map(b)['brand'])} /> <b>{str(map(b)['name'])}</b> <span className="soft mono">{key}</span>{' '}
                        <span className="soft">{str(map(b)['website'])}</span>
                      </span>
                      {may('put_definitions') && (
                        <button className="link" aria-label={`${t('Edit')}: ${key}`} onClick={() => setOpen(key)}>
                          {t('Edit')}
                        </button>
                      )}
                    </li>
                  ))}
                </ul>
              )}
            </Panel>
            <p className="soft small">
              {t('A purpose belongs to a brand by the brand’s name before its dot: oak.marketing is the brand oak’s.')}
            </p>
            <BrandForm open={open} onClose={() => setOpen(null)} brands={brands} section={section} />
          </div>
        );
      }}
    </Wanting>
  );
}

function BrandForm({
  open,
  onClose,
  brands,
  section,
}: {
  open: string | null;
  onClose: () => void;
  brands: Tree;
  section: ReturnType<typeof useSection>;
}) {
  const { t } = useWords();
  const was = map(brands[open ?? '']);
  const kit = map(was['brand']);
  const logo = map(kit['logo']);
  const done = () => onClose();
  return (
    <Ask open={open !== null} onClose={onClose} title={open ? t('Edit the brand') : t('Add a brand')}>
      <form
        onSubmit={(e: FormEvent<HTMLFormElement>) => {
          e.preventDefault();
          const f = new FormData(e.currentTarget);
          const text = (k: string) => String(f.get(k) ?? '').trim();
          const key = open || text('key');
          const look = tidy({
            ...kit,
            colors: { ...map(kit['colors']), ...(text('accent') ? { accent: text('accent') } : {}) },
            logo: text('logo') ? { ...logo, url: text('logo'), alt: text('alt') || text('name') } : '',
          });
          const next = {
            ...brands,
            [key]: tidy({ ...was, name: text('name'), website: text('website'), postal: text('postal'), brand: look }),
          };
          void section.save.mutateAsync({ brands: next }).then(done, () => {});
        }}
      >
        {!open && (
          <label className="field">
            {t('Short name')}
            <input name="key" required pattern="[a-z0-9][a-z0-9\-]*" maxLength={40} placeholder="oak" />
            <small>{t('Small letters, digits and hyphens. Purposes begin with it.')}</small>
          </label>
        )}
        <label className="field">
          {t('Name, as customers know it')}
          <input name="name" required maxLength={80} defaultValue={str(was['name'])} />
        </label>
        <label className="field">
          {t('Web site')}
          <input name="website" type="url" defaultValue={str(was['website'])} />
        </label>
        <label className="field">
          {t('Postal address')}
          <input name="postal" maxLength={300} defaultValue={str(was['postal'])} />
        </label>
        <label className="field">
          {t('Accent')}
          <input
            name="accent"
            pattern="#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}|[a-z]*"
            placeholder="#0b6b62"
            defaultValue={str(map(kit['colors'])['accent'])}
          />
        </label>
        <label className="field">
          {t('Address of the logo')}
          <input name="logo" type="url" defaultValue={str(logo['url'])} />
        </label>
        <label className="field">
          {t('What the logo says')}
          <input name="alt" maxLength={120} defaultValue={str(logo['alt'])} />
        </label>
        <Failure error={section.save.error} />
        <div className="row">
          <button className="primary" disabled={section.save.isPending}>
            {t('Put in force')}
          </button>
          {open && (
            <button
              type="button"
              className="danger"
              onClick={() => {
                const next = { ...brands };
                delete next[open];
                void section.save.mutateAsync({ brands: Object.keys(next).length ? next : undefined }).then(done, () => {});
              }}
            >
              {t('Take out')}
            </button>
          )}
          <button type="button" onClick={onClose}>
            {t('Cancel')}
          </button>
        </div>
      </form>
    </Ask>
  );
}

const identity: [string, Text, string][] = [
  ['name', 'Name, as customers know it', 'text'],
  ['website', 'Web site', 'url'],
  ['postal', 'Postal address', 'text'],
  ['zone', 'Time zone', 'text'],
  ['currency', 'Currency', 'text'],
  ['locale', 'Language', 'text'],
];

function Identity({ value, section }: { value: Tree; section: ReturnType<typeof useSection> }) {
  const { t } = useWords();
  const may = useMay();
  const writable = may('put_definitions');
  return (
    <Panel title={t('The shop')}>
      <form
        key={JSON.stringify(identity.map(([k]) => value[k]))}
        className="stack"
        onSubmit={(e: FormEvent<HTMLFormElement>) => {
          e.preventDefault();
          const f = new FormData(e.currentTarget);
          const changes: Record<string, Json | undefined> = {};
          for (const [key] of identity) {
            const v = String(f.get(key) ?? '').trim();
            if (v !== str(value[key])) changes[key] = v || undefined;
          }
          section.save.mutate(changes);
        }}
      >
        {identity.map(([key, label, type]) => (
          <label key={key} className="field">
            {t(label)}
            <input
              name={key}
              type={type}
              defaultValue={str(value[key])}
              readOnly={!writable}
              required={key === 'name' || key === 'currency'}
              maxLength={300}
            />
          </label>
        ))}
        <Failure error={section.save.error} />
        {writable && (
          <div className="row">
            <button className="primary" disabled={section.save.isPending}>
              {t('Put in force')}
            </button>
            {section.save.isSuccess && <span role="status">{t('In force.')}</span>}
          </div>
        )}
      </form>
    </Panel>
  );
}

function Swatches({ kit }: { kit: Tree }) {
  return (
    <span className="swatches" aria-hidden="true">
      {Object.values(map(kit['colors'])).map((c, i) => (
        <i key={i} style={{ background: str(c) }} />
      ))}
    </span>
  );
}

function Kit({
  title,
  kit,
  name,
  onSave,
  error,
  busy,
}: {
  title: string;
  kit: Tree;
  name: string;
  onSave: (kit: Tree | undefined) => void;
  error: Error | null;
  busy: boolean;
}) {
  const { t } = useWords();
  const may = useMay();
  const writable = may('put_definitions');
  const [colors, setColors] = useState<Record<string, string>>({});
  const [face, setFace] = useState<Record<string, string>>({});
  const [logo, setLogo] = useState({ url: '', alt: '' });
  const asked = JSON.stringify(kit);
  useEffect(() => {
    const k = JSON.parse(asked) as Tree;
    setColors(Object.fromEntries([...new Set([...colours, ...Object.keys(map(k['colors']))])].map((c) => [c, str(map(k['colors'])[c])])));
    setFace(Object.fromEntries([...new Set([...fonts, ...Object.keys(map(k['fonts']))])].map((c) => [c, str(map(k['fonts'])[c])])));
    setLogo({ url: str(map(k['logo'])['url']), alt: str(map(k['logo'])['alt']) });
  }, [asked]);
  const hex = (c: string) => (/^#[0-9a-f]{6}$/i.test(c) ? c : '#888888');
  return (
    <Panel title={title}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          const out = tidy({
            ...kit,
            colors: tidy(colors),
            fonts: tidy(face),
            logo: logo.url ? { ...map(kit['logo']), url: logo.url, alt: logo.alt || name } : '',
          });
          for (const k of ['colors', 'fonts']) if (Object.keys(map(out[k])).length === 0) delete out[k];
          onSave(Object.keys(out).length ? out : undefined);
        }}
      >
        <div
          className="sample"
          style={{
            background: colors['ground'] || '#f4f1ec',
            color: colors['ink'] || '#222222',
            fontFamily: face['body'] || 'inherit',
          }}
        >
          <div style={{ background: colors['paper'] || '#ffffff', borderColor: colors['line'] || '#dddddd' }}>
            <b>{name}</b>
            <span style={{ background: colors['accent'] || '#0b6b62' }}>{t('Have a look')}</span>
          </div>
        </div>
        <div className="colours">
          {Object.entries(colors).map(([c, v]) => (
            <label key={c} className="field">
              {c}
              <span className="row">
                <input
                  type="color"
                  aria-label={t('Colour {name}', { name: c })}
                  value={hex(v)}
                  disabled={!writable}
                  onChange={(e) => setColors({ ...colors, [c]: e.target.value })}
                />
                <input
                  aria-label={t('Colour {name} as text', { name: c })}
                  value={v}
                  size={8}
                  readOnly={!writable}
                  placeholder="–"
                  onChange={(e) => setColors({ ...colors, [c]: e.target.value.trim() })}
                />
              </span>
            </label>
          ))}
        </div>
        {Object.entries(face).map(([c, v]) => (
          <label key={c} className="field">
            {t('Font {name}', { name: c })}
            <input
              value={v}
              readOnly={!writable}
              placeholder="Georgia, Times New Roman, serif"
              onChange={(e) => setFace({ ...face, [c]: e.target.value })}
            />
          </label>
        ))}
        <label className="field">
          {t('Address of the logo')}
          <input type="url" value={logo.url} readOnly={!writable} onChange={(e) => setLogo({ ...logo, url: e.target.value.trim() })} />
        </label>
        {logo.url && (
          <label className="field">
            {t('What the logo says')}
            <input value={logo.alt} required readOnly={!writable} onChange={(e) => setLogo({ ...logo, alt: e.target.value })} />
          </label>
        )}
        <Failure error={error} />
        {writable && (
          <div className="row">
            <button className="primary" disabled={busy}>
              {t('Put in force')}
            </button>
          </div>
        )}
      </form>
    </Panel>
  );
}

export function Purposes() {
  const { t } = useWords();
  const may = useMay();
  const section = useSection(file);
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Wanting of={section}>
      {(value) => {
        const purposes = map(value['purposes']);
        const was = purposes[open ?? ''];
        const of = typeof was === 'string' ? { label: was } : map(was);
        return (
          <div className="stack">
            <Panel
              title={t('What customers can agree to')}
              aside={
                may('put_definitions') && (
                  <button className="primary" onClick={() => setOpen('')}>
                    {t('Add a purpose…')}
                  </button>
                )
              }
              flush
            >
              <ul className="plain lines">
                {Object.entries(purposes).map(([key, p]) => {
                  const one = typeof p === 'string' ? { label: p } : map(p);
                  return (
                    <li key={key} className="spread">
                      <span>
                        <b>{str((one as Tree)['label'])}</b> <span className="mono soft">{key}</span>{' '}
                        {Object.keys(map((one as Tree)['labels'])).map((l) => (
                          <Tag key={l}>{l}</Tag>
                        ))}
                        <div className="soft">{str((one as Tree)['about'])}</div>
                      </span>
                      {may('put_definitions') && (
                        <button className="link" aria-label={`${t('Edit')}: ${key}`} onClick={() => setOpen(key)}>
                          {t('Edit')}
                        </button>
                      )}
                    </li>
                  );
                })}
              </ul>
              {Object.keys(purposes).length === 0 && <Empty>{t('There is none, so nobody can agree to anything.')}</Empty>}
            </Panel>
            <p className="soft small">
              {t(
                'Nothing said means no. A purpose that is taken out can no longer be sent for; what customers said stays in their history.',
              )}
            </p>
            <Ask
              open={open !== null}
              onClose={() => {
                section.save.reset();
                setOpen(null);
              }}
              title={open ? t('Edit the purpose') : t('Add a purpose')}
            >
              <form
                onSubmit={(e: FormEvent<HTMLFormElement>) => {
                  e.preventDefault();
                  const f = new FormData(e.currentTarget);
                  const text = (k: string) => String(f.get(k) ?? '').trim();
                  const others = (k: string, v: string): Json => tidy({ ...map((of as Tree)[k]), de: v });
                  const one = tidy({
                    ...(of as Tree),
                    label: text('label'),
                    about: text('about'),
                    labels: others('labels', text('label_de')),
                    abouts: others('abouts', text('about_de')),
                  });
                  for (const k of ['labels', 'abouts']) if (Object.keys(map(one[k])).length === 0) delete one[k];
                  void section.save.mutateAsync({ purposes: { ...purposes, [open || text('key')]: one } }).then(
                    () => setOpen(null),
                    () => {},
                  );
                }}
              >
                {!open && (
                  <label className="field">
                    {t('Short name')}
                    <input name="key" required pattern="[a-z0-9]+([.\-][a-z0-9]+)*" maxLength={60} placeholder="oak.marketing" />
                  </label>
                )}
                <label className="field">
                  {t('What the preference page calls it')}
                  <input name="label" required maxLength={120} defaultValue={str((of as Tree)['label'])} />
                </label>
                <label className="field">
                  {t('What it means')}
                  <textarea name="about" rows={3} maxLength={500} defaultValue={str((of as Tree)['about'])} />
                </label>
                <label className="field">
                  {t('What it is called in German')}
                  <input name="label_de" maxLength={120} defaultValue={str(map((of as Tree)['labels'])['de'])} />
                </label>
                <label className="field">
                  {t('What it means, in German')}
                  <textarea name="about_de" rows={3} maxLength={500} defaultValue={str(map((of as Tree)['abouts'])['de'])} />
                </label>
                <Failure error={section.save.error} />
                <div className="row">
                  <button className="primary" disabled={section.save.isPending}>
                    {t('Put in force')}
                  </button>
                  {open && (
                    <button
                      type="button"
                      className="danger"
                      onClick={() => {
                        const next = { ...purposes };
                        delete next[open];
                        void section.save.mutateAsync({ purposes: Object.keys(next).length ? next : undefined }).then(
                          () => setOpen(null),
                          () => {},
                        );
                      }}
                    >
                      {t('Take out')}
                    </button>
                  )}
                  <button type="button" onClick={() => setOpen(null)}>
                    {t('Cancel')}
                  </button>
                </div>
              </form>
            </Ask>
          </div>
        );
      }}
    </Wanting>
  );
}
