// The campaigns, and a new one.
import { Link, useNavigate } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useGet } from '../api';
import { campaignFile, putFile, slug } from '../parts/definitions';
import { Ask, Empty, Failure, Page, State, StateTag, Tag } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';

export function Campaigns() {
  const { t, n } = useWords();
  const may = useMay();
  const list = useGet('/api/v1/campaigns', undefined, { refetchInterval: 5_000 });
  const [open, setOpen] = useState(false);
  return (
    <Page
      title={t('Campaigns')}
      about={t('One message to everybody of an audience, once.')}
      actions={
        may('put_definitions') && (
          <button className="primary" onClick={() => setOpen(true)}>
            {t('New campaign…')}
          </button>
        )
      }
    >
      <State of={list}>
        {(l) => (
          <div className="panel scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('Campaign')}</th>
                  <th>{t('State')}</th>
                  <th>{t('Audience')}</th>
                  <th className="num">{t('Sent')}</th>
                </tr>
              </thead>
              <tbody>
                {(l.campaigns ?? []).map((c) => {
                  const run = c.runs?.[c.runs.length - 1];
                  const sent = (c.messages ?? []).filter((m) => m.state === 'accepted').reduce((a, m) => a + m.count, 0);
                  return (
                    <tr key={c.name}>
                      <td>
                        <Link to="/app/campaigns/$name" params={{ name: c.name }}>
                          <b>{c.title || c.name}</b>
                        </Link>
                        {c.at && <div className="soft small">{c.at}</div>}
                      </td>
                      <td>{run ? <StateTag state={run.state} /> : <Tag>{t('draft')}</Tag>}</td>
                      <td className="soft">{c.audience}</td>
                      <td className="num">{n(sent)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
            {(l.campaigns ?? []).length === 0 && <Empty>{t('There is no campaign yet.')}</Empty>}
          </div>
        )}
      </State>
      <New open={open} onClose={() => setOpen(false)} />
    </Page>
  );
}

function New({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, n } = useWords();
  const go = useNavigate();
  const cache = useQueryClient();
  const segments = useGet('/api/v1/segments', { query: { limit: 500 } }, { enabled: open });
  const templates = useGet('/api/v1/templates', { query: { limit: 500 } }, { enabled: open });
  const make = useMutation({
    mutationFn: async (f: FormData) => {
      const text = (k: string) => String(f.get(k) ?? '').trim();
      const name = slug(text('title'));
      await putFile(
        `campaigns/${name}.yaml`,
        campaignFile({
          name,
          title: text('title'),
          segment: text('segment'),
          template: text('template'),
          at: text('at'),
          rate: text('rate'),
          undo: text('undo'),
          reason: text('reason'),
        }),
      );
      return name;
    },
    onSuccess: (name) => {
      void cache.invalidateQueries();
      void go({ to: '/app/campaigns/$name', params: { name } });
    },
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    make.mutate(new FormData(e.currentTarget));
  };
  return (
    <Ask open={open} onClose={onClose} title={t('New campaign')}>
      <form onSubmit={submit}>
        <label className="field">
          {t('Title')}
          <input name="title" required maxLength={80} pattern=".*[A-Za-z0-9].*" />
        </label>
        <label className="field">
          {t('Audience')}
          <select name="segment" required>
            {(segments.data?.data ?? []).map((s) => (
              <option key={s.name} value={s.name}>
                {s.label} ({n(s.members)})
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          {t('Template')}
          <select name="template" required>
            {(templates.data?.data ?? [])
              .filter((x) => x.subject)
              .map((x) => (
                <option key={x.name} value={x.name}>
                  {x.label}
                </option>
              ))}
          </select>
        </label>
        <label className="field">
          {t('When')}
          <input name="at" type="datetime-local" />
          <small>{t('In each customer’s own time zone. Empty: at once, when it is sent.')}</small>
        </label>
        <div className="row">
          <label className="field">
            {t('Most an hour')}
            <select name="rate" defaultValue="5000/h">
              <option value="1000/h">1,000</option>
              <option value="5000/h">5,000</option>
              <option value="50000/h">50,000</option>
              <option value="">{t('no limit')}</option>
            </select>
          </label>
          <label className="field">
            {t('Can be taken back for')}
            <select name="undo" defaultValue="10m">
              <option value="10m">10 min</option>
              <option value="30m">30 min</option>
              <option value="1h">1 h</option>
            </select>
          </label>
        </div>
        <label className="field">
          {t('Why they get it')}
          <input name="reason" required maxLength={200} placeholder={t('such as: You bought from us before')} />
          <small>{t('It stands at the foot of the message.')}</small>
        </label>
        <Failure error={make.error} />
        <p className="soft small">{t('This makes a draft. Nothing is sent yet.')}</p>
        <div className="row">
          <button className="primary" disabled={make.isPending}>
            {t('Make a draft')}
          </button>
          <button type="button" onClick={onClose}>
            {t('Cancel')}
          </button>
        </div>
      </form>
    </Ask>
  );
}
