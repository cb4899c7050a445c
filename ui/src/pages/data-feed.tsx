// Bringing a feed of products into the catalogue: a try first, then what is meant.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Trouble, type Schemas } from '../api';
import { Facts, Failure, Panel } from '../parts/kit';
import { useWords } from '../words';

type Read = Schemas['FeedRead'];

interface How {
  source: string;
  complete: boolean;
  all: boolean; // however much a complete feed leaves out
  try: boolean;
}

async function bring(file: File, how: How): Promise<Read> {
  const query = new URLSearchParams({ source: how.source.trim() || 'products', complete: String(how.complete), dry_run: String(how.try) });
  if (how.all) query.set('most_gone', '100');
  const r = await fetch('/api/v1/products/feed?' + query.toString(), {
    method: 'POST',
    body: file,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  const said = (await r.json().catch(() => ({}))) as Read & { detail?: string };
  if (!r.ok) throw new Trouble(r.status, said.detail ?? r.statusText);
  return said;
}

export function Feed() {
  const { t, n } = useWords();
  const cache = useQueryClient();
  const pick = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [source, setSource] = useState('products');
  const [complete, setComplete] = useState(false);
  const [all, setAll] = useState(false);
  const send = useMutation({
    mutationFn: (how: { file: File; try: boolean }) => bring(how.file, { source, complete, all, try: how.try }),
    onSuccess: (r) => {
      if (r.dry_run) return;
      setFile(null);
      void cache.invalidateQueries();
    },
  });
  const read = send.data;
  const again = () => send.reset();
  return (
    <Panel title={t('Bring in a feed')}>
      <div className="stack">
        <p className="soft small">
          {t('A feed for Google (XML, TSV, CSV), Shopify’s products, or JSON. You see what is in it before anything is written.')}
        </p>
        <div className="row">
          <label>
            {t('Source')}{' '}
            <input
              value={source}
              maxLength={64}
              size={14}
              onChange={(e) => {
                setSource(e.target.value);
                again();
              }}
            />
          </label>
          <label>
            <input
              type="checkbox"
              checked={complete}
              onChange={(e) => {
                setComplete(e.target.checked);
                again();
              }}
            />{' '}
            {t('It names everything: what is not in it is not sold any more')}
          </label>
          {complete && (
            <label>
              <input
                type="checkbox"
                checked={all}
                onChange={(e) => {
                  setAll(e.target.checked);
                  again();
                }}
              />{' '}
              {t('Also if that is more than 30 %')}
            </label>
          )}
        </div>
        <div className="row">
          <button
            disabled={send.isPending}
            onClick={() => {
              again();
              pick.current?.click();
            }}
          >
            {t('Choose a file…')}
          </button>
          {file && <span className="soft">{file.name}</span>}
          {file && !read && (
            <button disabled={send.isPending} onClick={() => send.mutate({ file, try: true })}>
              {t('Try it')}
            </button>
          )}
          {file && read?.dry_run && (
            <button className="primary" disabled={send.isPending} onClick={() => send.mutate({ file, try: false })}>
              {t('Bring it in')}
            </button>
          )}
          <input
            ref={pick}
            type="file"
            className="hidden"
            tabIndex={-1}
            aria-label={t('File')}
            onChange={(e) => {
              const f = e.target.files?.[0];
              e.target.value = '';
              if (!f) return;
              setFile(f);
              send.mutate({ file: f, try: true });
            }}
          />
        </div>
        <div role="status">{send.isPending && t('One moment…')}</div>
        <Failure error={send.error} />
        {read && (
          <>
            <Facts
              of={[
                [t('Written as'), `${read.format}, ${read.encoding}`],
                [t('Products'), n(read.products)],
                [t('Variants'), n(read.variants)],
                [t('Refused'), n(read.refused)],
                [read.dry_run ? t('Would be taken out') : t('Taken out'), n(read.gone)],
              ]}
            />
            {(read.problems ?? []).length > 0 && (
              <ul className="plain lines" tabIndex={0} aria-label={t('Refused')}>
                {(read.problems ?? []).slice(0, 50).map((p) => (
                  <li key={`${p.line}-${p.reason}`}>
                    <span className="soft small">{t('Line {n}', { n: p.line })}</span> {p.id && <code>{p.id}</code>} {p.reason}
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </div>
    </Panel>
  );
}
