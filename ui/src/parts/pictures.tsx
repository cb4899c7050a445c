// The library of pictures: each has words for who does not see it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { must, Trouble, useGet, type Schemas } from '../api';
import { slug } from './definitions';
import { changeFiles } from './files';
import { Ask, Empty, Failure, State, Tag } from './kit';
import { useMay } from '../session';
import { useWords } from '../words';

type Picture = Schemas['PictureShown'];
type Size = Schemas['PictureSize'];

// tidy is how words may stand on the line of a picture.
const tidy = (s: string) => s.replace(/\s+/g, ' ').trim().slice(0, 300);
const bare = (line: string) => line.split(' ').slice(0, 3).join(' ');

async function upload(file: File, alt: string, taken: string[]) {
  const response = await fetch('/api/v1/pictures', { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: file });
  const answer = (await response.json()) as { line?: string; detail?: string };
  const { line } = await must<{ line?: string }>(
    Promise.resolve({ data: answer, error: answer, response }) as Promise<{ data: { line?: string }; error: unknown; response: Response }>,
  );
  if (!line) throw new Trouble(500, answer.detail ?? '');
  const ext = /\.(\w+) /.exec(line)?.[1] ?? 'jpg';
  const stem = slug(file.name.replace(/\.[^.]*$/, '')) || 'picture';
  let name = `${stem}.${ext}`;
  for (let i = 2; taken.includes(name); i++) name = `${stem}-${i}.${ext}`;
  await changeFiles({ [`pictures/${name}`]: `${bare(line)} ${tidy(alt)}` });
  return name;
}

export function Upload({ taken, onDone }: { taken: string[]; onDone?: (name: string) => void }) {
  const { t } = useWords();
  const cache = useQueryClient();
  const put = useMutation({
    mutationFn: (f: FormData) => upload(f.get('file') as File, String(f.get('alt')), taken),
    onSuccess: (name) => {
      void cache.invalidateQueries();
      onDone?.(name);
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(e: FormEvent<HTMLFormElement>) => {
        e.preventDefault();
        const form = e.currentTarget;
        put.mutate(new FormData(form), { onSuccess: () => form.reset() });
      }}
    >
      <label className="field">
        {t('Picture')}
        <input name="file" type="file" accept="image/png,image/jpeg,image/gif,image/webp" required />
        <small>{t('PNG, JPEG, GIF or WebP, up to 16 MB. Four sizes are made of it, free of the camera’s notes.')}</small>
      </label>
      <label className="field">
        {t('What it shows')}
        <input name="alt" required maxLength={300} pattern=".*\S.*" placeholder={t('such as: A brass lamp on an oak table')} />
        <small>{t('Read to those who do not see it, and shown where pictures are blocked.')}</small>
      </label>
      <Failure error={put.error} />
      <div className="row">
        <button className="primary" disabled={put.isPending}>
          {put.isPending ? t('Taking it in…') : t('Put it in the library')}
        </button>
      </div>
    </form>
  );
}

export function Library() {
  const { t, n } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const list = useGet('/api/v1/pictures', { query: { limit: 500 } });
  const [adding, setAdding] = useState(false);
  const [open, setOpen] = useState<Picture | null>(null);
  const words = useMutation({
    mutationFn: ({ p, alt }: { p: Picture; alt: string }) => changeFiles({ [`pictures/${p.name}`]: `${bare(p.line)} ${tidy(alt)}` }),
    onSuccess: () => {
      setOpen(null);
      void cache.invalidateQueries();
    },
  });
  const remove = useMutation({
    mutationFn: (p: Picture) => changeFiles({ [`pictures/${p.name}`]: null }),
    onSuccess: () => {
      setOpen(null);
      void cache.invalidateQueries();
    },
  });
  return (
    <div className="stack">
      {may('post_pictures') && (
        <div className="row">
          <button className="primary" onClick={() => setAdding(true)}>
            {t('Add a picture…')}
          </button>
        </div>
      )}
      <State of={list}>
        {(l) =>
          (l.data ?? []).length === 0 ? (
            <Empty>{t('The library is empty.')}</Empty>
          ) : (
            <ul className="plain shelf">
              {(l.data ?? []).map((p) => (
                <li key={p.name} className="panel">
                  <button type="button" onClick={() => setOpen(p)}>
                    <img src={p.sizes?.[1]?.url} alt={p.alt || p.name} loading="lazy" />
                    <b className="wrap-any">{p.name}</b>
                    <span className="soft small">
                      {n(p.width)} × {n(p.height)}
                    </span>
                    {!p.alt && <Tag tone="warn">{t('no words')}</Tag>}
                    {(p.used ?? []).length === 0 && <Tag>{t('not used')}</Tag>}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </State>
      <Ask open={adding} onClose={() => setAdding(false)} title={t('Add a picture')}>
        <Upload taken={(list.data?.data ?? []).map((p) => p.name)} onDone={() => setAdding(false)} />
      </Ask>
      <Ask open={open !== null} onClose={() => setOpen(null)} title={open?.name ?? ''}>
        {open && (
          <form
            onSubmit={(e: FormEvent<HTMLFormElement>) => {
              e.preventDefault();
              words.mutate({ p: open, alt: String(new FormData(e.currentTarget).get('alt')) });
            }}
          >
            <img className="whole" src={open.sizes?.[2]?.url} alt={open.alt || open.name} />
            <label className="field">
              {t('What it shows')}
              <input name="alt" required maxLength={300} pattern=".*\S.*" defaultValue={open.alt} readOnly={!may('put_definitions')} />
            </label>
            <div className="small soft">
              {t('Sizes')}: {(open.sizes ?? []).map((s) => `${s.name} ${s.width} px`).join(' · ')}
            </div>
            <div className="small">
              {(open.used ?? []).length ? t('Used in {files}', { files: (open.used ?? []).join(', ') }) : t('Nothing shows it.')}
            </div>
            <Failure error={words.error ?? remove.error} />
            <div className="row">
              {may('put_definitions') && <button className="primary">{t('Save')}</button>}
              {may('put_definitions') && (
                <button type="button" className="danger" disabled={(open.used ?? []).length > 0} onClick={() => remove.mutate(open)}>
                  {t('Take out')}
                </button>
              )}
              <button type="button" onClick={() => setOpen(null)}>
                {t('Close')}
              </button>
            </div>
            {may('put_definitions') && <p className="small soft">{t('Messages that were sent go on showing it after it is taken out.')}</p>}
          </form>
        )}
      </Ask>
    </div>
  );
}

export function PictureChoice({
  open,
  onClose,
  onChoose,
}: {
  open: boolean;
  onClose: () => void;
  onChoose: (p: Picture, size: Size) => void;
}) {
  const { t } = useWords();
  const list = useGet('/api/v1/pictures', { query: { limit: 500 } }, { enabled: open });
  const [chosen, setChosen] = useState('');
  const [size, setSize] = useState('full');
  const p = (list.data?.data ?? []).find((x) => x.name === chosen);
  return (
    <Ask open={open} onClose={onClose} title={t('Put a picture in')}>
      <State of={list}>
        {(l) => (
          <>
            {(l.data ?? []).length > 0 && (
              <div className="shelf small-shelf" role="group" aria-label={t('Pictures')}>
                {(l.data ?? []).map((x) => (
                  <button key={x.name} type="button" aria-pressed={chosen === x.name} onClick={() => setChosen(x.name)}>
                    <img src={x.sizes?.[0]?.url} alt={x.alt || x.name} loading="lazy" />
                    <span className="small wrap-any">{x.name}</span>
                  </button>
                ))}
              </div>
            )}
            {p && (
              <div className="row">
                <label className="field">
                  {t('Size')}
                  <select value={size} onChange={(e) => setSize(e.target.value)}>
                    {(p.sizes ?? []).map((s) => (
                      <option key={s.name} value={s.name}>
                        {s.name}, {s.width} px
                      </option>
                    ))}
                  </select>
                </label>
                <button
                  type="button"
                  className="primary"
                  onClick={() => onChoose(p, (p.sizes ?? []).find((s) => s.name === size) ?? p.sizes![0]!)}
                >
                  {t('Insert')}
                </button>
              </div>
            )}
            <details open={(l.data ?? []).length === 0}>
              <summary>{t('Add a picture')}</summary>
              <Upload taken={(l.data ?? []).map((x) => x.name)} onDone={setChosen} />
            </details>
          </>
        )}
      </State>
      <div className="row">
        <button type="button" onClick={onClose}>
          {t('Close')}
        </button>
      </div>
    </Ask>
  );
}
