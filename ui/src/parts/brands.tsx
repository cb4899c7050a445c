// How a shop and its brands look. A part of shop.yaml, as a form.
import { useEffect, useState, type FormEvent } from 'react';
import { useMay } from '../session';
import { useWords, type Text } from '../words';
import { type Json, type Tree } from './files';
import { Ask, Empty, Failure, Panel } from './kit';
import { End, file, map, str, tidy, useSection, Wanting } from './section';

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
        <End
          save={section.save}
          onClose={onClose}
          onRemove={
            open
              ? () => {
                  const next = { ...brands };
                  delete next[open];
                  void section.save.mutateAsync({ brands: Object.keys(next).length ? next : undefined }).then(done, () => {});
                }
              : undefined
          }
        />
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
