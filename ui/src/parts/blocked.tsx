// A message of MJML, block by block. The text fields are the source's own places.
import { useState } from 'react';
import type { Schemas } from '../api';
import { fields, join, kind, made, palette, split, write, type Palette } from './blocks';
import { Empty } from './kit';
import { useWords, type Text } from '../words';

const names: Record<string, Text> = {
  heading: 'Heading',
  text: 'Text',
  button: 'Button',
  picture: 'Picture',
  products: 'Products',
  divider: 'Line',
  ean13: 'EAN code',
  qr: 'QR code',
  footer: 'Footer',
  code: 'Code',
};
const labels: Record<string, Text> = {
  src: 'Picture',
  alt: 'What it shows',
  href: 'Leads to',
  width: 'Width',
  text: 'Words',
};

export function Blocks({
  source,
  onChange,
  readOnly,
  language,
}: {
  source: string;
  onChange: (source: string) => void;
  readOnly: boolean;
  language: Schemas['Language'] | undefined;
}) {
  const { t } = useWords();
  const [open, setOpen] = useState(0);
  const [said, setSaid] = useState('');
  const pieces = split(source);
  const set = (blocks: string[]) => onChange(join({ ...pieces, blocks }));
  const has = (path: string) => (language?.variables ?? []).some((v) => v.path === path);
  const move = (from: number, to: number) => {
    const blocks = [...pieces.blocks];
    const [one] = blocks.splice(from, 1);
    blocks.splice(to, 0, one!);
    set(blocks);
    setOpen(to);
    setSaid(t('{what} is number {n} of {m} now.', { what: t(names[kind(one!)] ?? 'Code'), n: to + 1, m: blocks.length }));
  };
  const add = (what: Palette) => {
    const blocks = [...pieces.blocks];
    const at = what === 'footer' ? blocks.length : Math.min(open + 1, blocks.length);
    blocks.splice(at, 0, made(what, has));
    set(blocks);
    setOpen(at);
  };
  return (
    <div className="blocks">
      {!readOnly && (
        <div className="palette" role="group" aria-label={t('Add a block')}>
          {palette
            .filter((p) => p !== 'picture')
            .map((p) => (
              <button key={p} type="button" onClick={() => add(p)}>
                + {t(names[p]!)}
              </button>
            ))}
        </div>
      )}
      {pieces.blocks.length === 0 && <Empty>{t('This message has no blocks that could be told apart: edit it as code.')}</Empty>}
      <ol className="plain">
        {pieces.blocks.map((block, i) => {
          const what = t(names[kind(block)] ?? 'Code');
          const list = fields(block);
          return (
            <li key={i} className={open === i ? 'open' : ''}>
              <div className="bar-of">
                <button className="grow" type="button" aria-expanded={open === i} onClick={() => setOpen(open === i ? -1 : i)}>
                  <b>{what}</b>
                  <span className="soft">{glance(list.map((f) => f.value).join(' '))}</span>
                </button>
                {!readOnly && (
                  <>
                    <button type="button" aria-label={t('Move {what} up', { what })} disabled={i === 0} onClick={() => move(i, i - 1)}>
                      ↑
                    </button>
                    <button
                      type="button"
                      aria-label={t('Move {what} down', { what })}
                      disabled={i === pieces.blocks.length - 1}
                      onClick={() => move(i, i + 1)}
                    >
                      ↓
                    </button>
                    <button
                      type="button"
                      className="danger"
                      aria-label={t('Take {what} out', { what })}
                      onClick={() => set(pieces.blocks.filter((_, k) => k !== i))}
                    >
                      ×
                    </button>
                  </>
                )}
              </div>
              {open === i && (
                <div className="fields">
                  {list.length === 0 && <p className="soft">{t('Nothing in it is for writing in: edit it as code.')}</p>}
                  {list.map((f, k) => {
                    const put = (v: string) => set(pieces.blocks.map((b, n) => (n === i ? write(b, f, v) : b)));
                    return (
                      <label key={k} className="field">
                        {t(labels[f.label] ?? 'Words')}
                        {f.kind === 'text' && f.tag === 'mj-text' ? (
                          <textarea
                            rows={Math.min(10, 2 + f.value.split('\n').length)}
                            value={block.slice(f.start, f.end)}
                            readOnly={readOnly}
                            onChange={(e) => put(e.target.value)}
                          />
                        ) : (
                          <input value={f.value} readOnly={readOnly} onChange={(e) => put(e.target.value)} />
                        )}
                      </label>
                    );
                  })}
                </div>
              )}
            </li>
          );
        })}
      </ol>
      <div className="hidden" role="status">
        {said}
      </div>
    </div>
  );
}

function glance(text: string): string {
  const flat = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length > 70 ? flat.slice(0, 70) + '…' : flat;
}
