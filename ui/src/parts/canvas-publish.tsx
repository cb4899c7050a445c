// Bringing a journey into force, and what it was before.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, get, must, Trouble, useGet } from '../api';
import { useWords } from '../words';
import { Ask, Empty, Failure, State, Tag } from './kit';

// Diff shows lines as diff -u writes them.
export function Diff({ lines }: { lines: string[] }) {
  const { t } = useWords();
  return (
    <pre className="jdiff" tabIndex={0} aria-label={t('Difference')}>
      {lines.map((l, i) => (
        <span key={i} className={l.startsWith('+') ? 'plus' : l.startsWith('-') ? 'minus' : l.startsWith('@') ? 'at' : ''}>
          {l + '\n'}
        </span>
      ))}
    </pre>
  );
}

// filesWith returns all definitions with that of the journey as it shall be; empty: it
// is taken away.
async function filesWith(path: string, text: string) {
  const d = await get('/api/v1/definitions');
  const files = (d.files ?? []).filter((f) => f.path !== path);
  const was = (d.files ?? []).find((f) => f.path === path)?.body ?? '';
  if (text) files.push({ path, body: text });
  return { tag: d.tag ?? '', files, was };
}

export function Publish({
  open,
  path,
  text,
  base,
  onClose,
  onDone,
  onTheirs,
}: {
  open: boolean;
  path: string;
  text: string; // as it shall be; empty: taken away
  base: string; // as it was when the work began
  onClose: () => void;
  onDone: () => void;
  onTheirs: () => void;
}) {
  const { t, n } = useWords();
  const cache = useQueryClient();
  const diff = useQuery({
    queryKey: ['publish', path, text, open],
    enabled: open,
    retry: false,
    gcTime: 0,
    queryFn: async () => {
      const w = await filesWith(path, text);
      const d = await must(api.POST('/api/v1/definitions/diff', { body: { files: w.files } }));
      return { ...w, d };
    },
  });
  // Somebody else published meanwhile: their version is not overwritten unseen.
  const theirs = diff.data !== undefined && diff.data.was !== base;
  const put = useMutation({
    mutationFn: async () => {
      const w = diff.data;
      if (!w) return;
      const done = await must(api.PUT('/api/v1/definitions', { params: { header: { 'If-Match': w.tag } }, body: { files: w.files } }));
      // They come into force by an entry of the log, which takes a moment.
      for (let i = 0; i < 100 && (await get('/api/v1/program')).tag !== done.tag; i++)
        await new Promise((resolve) => setTimeout(resolve, 100));
    },
    onSuccess: async () => {
      await cache.invalidateQueries();
      onDone();
    },
  });
  const reset = put.reset;
  useEffect(() => {
    if (open) reset();
  }, [open, reset]);
  const problems = (diff.data?.d.problems ?? []).filter((p) => !p.warning);
  return (
    <Ask open={open} onClose={onClose} title={text ? t('Publish the journey') : t('Take the journey away')}>
      <State of={diff}>
        {({ d }) => (
          <div className="stack jpublish">
            {d.same && <p>{t('Nothing differs from what is in force.')}</p>}
            {(d.changes ?? []).map((c) => (
              <div key={c.file + c.name} className="stack">
                <div className="spread">
                  <b>{c.file}</b>
                  <Tag tone={c.what === 'removed' ? 'bad' : 'accent'}>{c.what}</Tag>
                </div>
                {c.affects.inside > 0 && (
                  <p className="soft">
                    {t('{n} runs are inside; they go on in the version that they began with.', { n: n(c.affects.inside) })}
                  </p>
                )}
                <Diff lines={c.lines ?? []} />
              </div>
            ))}
            {problems.map((p, i) => (
              <p key={i} className="note bad">
                {p.where}: {p.what}
              </p>
            ))}
          </div>
        )}
      </State>
      {theirs && (
        <div className="note warn" role="alert">
          {t('Somebody published another version of this journey while you worked on yours. The difference above is to theirs.')}{' '}
          <button type="button" className="link" onClick={onTheirs}>
            {t('Take theirs, and give mine up')}
          </button>
        </div>
      )}
      <Failure error={put.error} />
      {put.error instanceof Trouble && put.error.status === 409 && (
        <button type="button" onClick={() => void diff.refetch().then(() => put.reset())}>
          {t('Compare again')}
        </button>
      )}
      <div className="row end">
        <button
          type="button"
          className={text ? 'primary' : 'danger'}
          disabled={!diff.data || diff.data.d.same || problems.length > 0 || put.isPending}
          onClick={() => put.mutate()}
        >
          {theirs ? t('Publish mine over it') : text ? t('Publish') : t('Take it away')}
        </button>
        <button type="button" onClick={onClose}>
          {t('Cancel')}
        </button>
      </div>
    </Ask>
  );
}

export function Versions({
  open,
  name,
  onClose,
  onRestore,
}: {
  open: boolean;
  name: string;
  onClose: () => void;
  onRestore: (text: string) => void;
}) {
  const { t, when } = useWords();
  const list = useGet('/api/v1/journeys/{name}/versions', { path: { name } }, { enabled: open });
  return (
    <Ask open={open} onClose={onClose} title={t('Versions')}>
      <State of={list}>
        {(l) => (
          <div className="stack jpublish">
            {(l.data ?? []).length === 0 && <Empty>{t('It was never in force.')}</Empty>}
            {(l.data ?? []).map((v, i) => (
              <details key={v.tag + i} open={i === 0}>
                <summary className="spread">
                  <span>
                    <b>{v.at ? when(v.at) : t('Version {n}', { n: (l.data ?? []).length - i })}</b>
                    {v.by && <span className="soft"> {v.by}</span>} <span className="mono soft">{v.tag.slice(0, 8)}</span>
                  </span>
                  {v.in_force && <Tag tone="good">{t('in force')}</Tag>}
                </summary>
                <div className="stack">
                  <Diff lines={v.lines ?? []} />
                  {!v.in_force && v.text && (
                    <div>
                      <button type="button" onClick={() => onRestore(v.text)}>
                        {t('Work on this version')}
                      </button>
                    </div>
                  )}
                </div>
              </details>
            ))}
            <p className="soft small">{t('The last twenty sets of definitions are known, for the people who are inside.')}</p>
          </div>
        )}
      </State>
      <div>
        <button type="button" onClick={onClose}>
          {t('Close')}
        </button>
      </div>
    </Ask>
  );
}
