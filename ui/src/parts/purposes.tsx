// What customers agree to. A part of shop.yaml, as a form.
import { useState, type FormEvent } from 'react';
import { useMay } from '../session';
import { useWords } from '../words';
import { type Json, type Tree } from './files';
import { Ask, Empty, Panel, Tag } from './kit';
import { End, file, map, str, tidy, useSection, Wanting } from './section';

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
                <End
                  save={section.save}
                  onClose={() => setOpen(null)}
                  onRemove={
                    open
                      ? () => {
                          const next = { ...purposes };
                          delete next[open];
                          void section.save.mutateAsync({ purposes: Object.keys(next).length ? next : undefined }).then(
                            () => setOpen(null),
                            () => {},
                          );
                        }
                      : undefined
                  }
                />
              </form>
            </Ask>
          </div>
        );
      }}
    </Wanting>
  );
}
