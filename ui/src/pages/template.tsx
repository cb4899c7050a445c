// One template: its files, and how a customer would read it.
import { useParams } from '@tanstack/react-router';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, get, must, useGet } from '../api';
import { putFile } from '../parts/definitions';
import { Editor } from '../parts/editor';
import { Empty, Facts, Failure, Page, Panel, State } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';

const views = ['Desktop', 'Mobile', 'Text'] as const;

export function Template() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t } = useWords();
  const list = useGet('/api/v1/templates', { query: { limit: 500 } });
  const one = (list.data?.data ?? []).find((x) => x.name === name);
  const [file, setFile] = useState('');
  const files = one?.files ?? [];
  const shown = file || files[0] || '';
  return (
    <Page title={one?.label ?? name} about={one?.subject}>
      <div className="stack">
        <AsCustomer name={name} />
        <Panel
          title={t('Code')}
          aside={
            files.length > 1 && (
              <select aria-label={t('File')} value={shown} onChange={(e) => setFile(e.target.value)}>
                {files.map((f) => (
                  <option key={f}>{f}</option>
                ))}
              </select>
            )
          }
          flush
        >
          {shown && <File key={shown} path={shown} />}
        </Panel>
      </div>
    </Page>
  );
}

function File({ path }: { path: string }) {
  const { t } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const d = useGet('/api/v1/definitions');
  const [text, setText] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: () => putFile(path, text ?? ''),
    onSuccess: () => {
      setText(null);
      void cache.invalidateQueries();
    },
  });
  return (
    <State of={d}>
      {(all) => {
        const body = (all.files ?? []).find((f) => f.path === path)?.body ?? '';
        return (
          <>
            <Editor value={body} onChange={setText} readOnly={!may('put_definitions')} label={path} />
            <div className="body stack">
              <Failure error={save.error} />
              {may('put_definitions') && (
                <div className="row">
                  <button className="primary" disabled={text === null || text === body || save.isPending} onClick={() => save.mutate()}>
                    {t('Put in force')}
                  </button>
                  <span className="soft small">{t('Everything is checked first; a mistake changes nothing.')}</span>
                </div>
              )}
            </div>
          </>
        );
      }}
    </State>
  );
}

function AsCustomer({ name }: { name: string }) {
  const { t } = useWords();
  const some = useGet('/api/v1/customers', { query: { limit: 1 } });
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const [view, setView] = useState<(typeof views)[number]>('Desktop');
  const find = useMutation({
    mutationFn: (identifier: string) => must(api.POST('/api/v1/customers/search', { body: { identifier } })),
    onSuccess: (c) => setChosen(c.id),
  });
  const who = chosen || some.data?.data?.[0]?.id || '';
  const person = useQuery({
    queryKey: ['as', who],
    enabled: who !== '',
    queryFn: () => get('/api/v1/customers/{id}', { path: { id: who } }),
  });
  const preview = useQuery({
    queryKey: ['preview', name, who],
    enabled: who !== '',
    retry: false,
    queryFn: () => must(api.POST('/api/v1/templates/{name}/preview', { params: { path: { name } }, body: { customer: who } })),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim()) find.mutate(text.trim());
  };
  return (
    <Panel
      title={t('As {name} would read it', { name: person.data?.email ?? person.data?.user_id ?? '…' })}
      aside={
        <div className="row">
          <form className="row" onSubmit={submit}>
            <input
              aria-label={t('As which customer')}
              placeholder={t('Another customer: e-mail, id…')}
              value={text}
              onChange={(e) => setText(e.target.value)}
            />
            <button>{t('Read as')}</button>
          </form>
          <div className="seg">
            {views.map((v) => (
              <button key={v} aria-pressed={view === v} onClick={() => setView(v)}>
                {t(v)}
              </button>
            ))}
          </div>
        </div>
      }
    >
      <div className="stack">
        <Failure error={find.error} />
        {some.data && !who && <Empty>{t('Nobody is known yet to read it as.')}</Empty>}
        {who && (
          <State of={preview}>
            {(p) => (
              <>
                {p.aborted ? (
                  <div className="note warn">{t('This customer would get nothing: {why}', { why: p.aborted })}</div>
                ) : (
                  <>
                    <Facts
                      of={[
                        [t('Subject'), <b key="s">{p.subject}</b>],
                        [t('Preheader'), p.preheader],
                        [t('Language'), p.locale],
                      ]}
                    />
                    {(p.gaps ?? []).length > 0 && (
                      <div className="note warn">
                        {t('Missing for this customer, so that it would not be sent:')}{' '}
                        {(p.gaps ?? []).map((g) => `${g.what} (${g.file}:${g.line})`).join(', ')}
                      </div>
                    )}
                    {view === 'Text' ? (
                      <pre style={{ whiteSpace: 'pre-wrap' }}>{p.text}</pre>
                    ) : (
                      <iframe
                        className={'frame' + (view === 'Mobile' ? ' mobile' : '')}
                        title={t('Preview')}
                        sandbox=""
                        src={`/api/v1/templates/${encodeURIComponent(name)}/frame?customer=${who}`}
                      />
                    )}
                  </>
                )}
              </>
            )}
          </State>
        )}
      </div>
    </Panel>
  );
}
