// The templates in force, a new one, and the library of pictures.
import { Link, useNavigate } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useGet } from '../api';
import { fresh } from '../parts/blocks';
import { slug } from '../parts/definitions';
import { changeFiles } from '../parts/files';
import { Ask, Empty, Failure, Page, State, Tag } from '../parts/kit';
import { Library } from '../parts/pictures';
import { useMay } from '../session';
import { useWords } from '../words';

export function Templates() {
  const { t } = useWords();
  const may = useMay();
  const list = useGet('/api/v1/templates', { query: { limit: 500 } });
  const [tab, setTab] = useState<'Templates' | 'Pictures'>('Templates');
  const [making, setMaking] = useState(false);
  const [sought, setSought] = useState('');
  return (
    <Page
      title={t('Templates')}
      about={t('What messages say, and how they look.')}
      actions={
        may('put_definitions') && (
          <button className="primary" onClick={() => setMaking(true)}>
            {t('New template…')}
          </button>
        )
      }
    >
      <div className="tabs" role="tablist">
        {(['Templates', 'Pictures'] as const).map((x) => (
          <button key={x} role="tab" aria-selected={tab === x} onClick={() => setTab(x)}>
            {t(x)}
          </button>
        ))}
      </div>
      {tab === 'Pictures' ? (
        <Library />
      ) : (
        <State of={list}>
          {(l) => {
            const all = l.data ?? [];
            const rows = all.filter((x) => `${x.label} ${x.name} ${x.subject ?? ''}`.toLowerCase().includes(sought.toLowerCase()));
            return (
              <div className="stack">
                {all.length > 8 && (
                  <input
                    type="search"
                    aria-label={t('Find a template')}
                    placeholder={t('Find a template')}
                    value={sought}
                    onChange={(e) => setSought(e.target.value)}
                  />
                )}
                <div className="panel scroll">
                  <table>
                    <thead>
                      <tr>
                        <th>{t('Template')}</th>
                        <th>{t('Subject')}</th>
                        <th>{t('Written in')}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {rows.map((x) => (
                        <tr key={x.name}>
                          <td>
                            <Link to="/app/templates/$name" params={{ name: x.name }}>
                              <b>{x.label}</b>
                            </Link>
                          </td>
                          <td className="soft">{x.subject ?? <Tag>{t('no e-mail')}</Tag>}</td>
                          <td className="nowrap">
                            {(x.files ?? []).some((f) => f.endsWith('.mjml')) ? <Tag tone="accent">{t('Blocks')}</Tag> : <Tag>HTML</Tag>}{' '}
                            {(x.files ?? []).some((f) => f.endsWith('.txt.liquid')) && <Tag>{t('Text')}</Tag>}
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                  {rows.length === 0 && (
                    <Empty>{all.length ? t('No template is called so.') : t('The definitions have no templates.')}</Empty>
                  )}
                </div>
              </div>
            );
          }}
        </State>
      )}
      <New open={making} onClose={() => setMaking(false)} taken={(list.data?.data ?? []).map((x) => x.name)} />
    </Page>
  );
}

function New({ open, onClose, taken }: { open: boolean; onClose: () => void; taken: string[] }) {
  const { t } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const language = useGet('/api/v1/liquid', undefined, { enabled: open });
  const make = useMutation({
    mutationFn: async (f: FormData) => {
      const label = String(f.get('label')).trim();
      const name = slug(label);
      if (!name) throw new Error(t('A name has letters or digits in it.'));
      if (taken.includes(name)) throw new Error(t('There is a template of this name already.'));
      const has = (path: string) => (language.data?.variables ?? []).some((v) => v.path === path);
      const framed = (language.data?.layouts ?? []).includes('default');
      const foot = '\n{{ shop.postal }}\n{{ unsubscribe_url }}\n';
      await changeFiles({
        [`templates/${name}.mjml`]: fresh(label, String(f.get('subject')), has),
        [`templates/${name}.txt.liquid`]: `{{ customer.first_name | default: "Hello" }},\n\nWrite here what you want to say.\n${framed ? '' : foot}`,
      });
      return name;
    },
    onSuccess: (name) => {
      onClose();
      void cache.invalidateQueries();
      void go({ to: '/app/templates/$name', params: { name } });
    },
  });
  return (
    <Ask open={open} onClose={onClose} title={t('New template')}>
      <form
        onSubmit={(e: FormEvent<HTMLFormElement>) => {
          e.preventDefault();
          make.mutate(new FormData(e.currentTarget));
        }}
      >
        <label className="field">
          {t('Title')}
          <input name="label" required maxLength={80} />
        </label>
        <label className="field">
          {t('Subject')}
          <input name="subject" required maxLength={200} />
        </label>
        <p className="soft small">
          {t('It begins with blocks that you can change: a heading, a text, a button, and the footer that the law wants.')}
        </p>
        <Failure error={make.error} />
        <div className="row">
          <button className="primary" disabled={make.isPending || !language.data}>
            {t('Make it')}
          </button>
          <button type="button" onClick={onClose}>
            {t('Cancel')}
          </button>
        </div>
      </form>
    </Ask>
  );
}
