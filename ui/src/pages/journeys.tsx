// The journeys in force, and the way to a new one.
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { useGet } from '../api';
import { slug } from '../parts/definitions';
import { Ask, Empty, Page, State } from '../parts/kit';
import { useMay } from '../session';
import { useWords } from '../words';

export function Journeys() {
  const { t, n, pct } = useWords();
  const may = useMay();
  const go = useNavigate();
  const list = useGet('/api/v1/journeys', { query: { limit: 500 } });
  const [making, setMaking] = useState(false);
  const [title, setTitle] = useState('');
  const name = slug(title);
  const taken = (list.data?.data ?? []).some((j) => j.name === name);
  const make = (e: FormEvent) => {
    e.preventDefault();
    if (!name || taken) return;
    sessionStorage.setItem('rapport.new.' + name, title.trim());
    void go({ to: '/app/journeys/$name', params: { name } });
  };
  return (
    <Page
      title={t('Journeys')}
      about={t('What happens by itself when customers do something, or nothing.')}
      actions={
        may('put_definitions') && (
          <button type="button" className="primary" onClick={() => setMaking(true)}>
            {t('New journey…')}
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
                  <th>{t('Journey')}</th>
                  <th>{t('Begins when')}</th>
                  <th className="num">{t('Sent')}</th>
                  <th className="num">{t('Not sent')}</th>
                  <th className="num">{t('Held out')}</th>
                </tr>
              </thead>
              <tbody>
                {(l.data ?? []).map((j) => {
                  const sent = j.messages['accepted'] ?? 0;
                  const all = Object.values(j.messages).reduce((a, b) => a + b, 0);
                  return (
                    <tr key={j.name}>
                      <td>
                        <Link to="/app/journeys/$name" params={{ name: j.name }}>
                          <b>{j.title || j.name}</b>
                        </Link>
                        {j.audience && <div className="soft small">{t('for who {audience}', { audience: j.audience })}</div>}
                      </td>
                      <td className="soft">{(j.triggers ?? []).join('; ')}</td>
                      <td className="num">{n(sent)}</td>
                      <td className="num">{n(all - sent)}</td>
                      <td className="num">{pct(j.holdout)}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
            {(l.data ?? []).length === 0 && <Empty>{t('The definitions have no journeys.')}</Empty>}
          </div>
        )}
      </State>
      <Ask open={making} onClose={() => setMaking(false)} title={t('New journey')}>
        <form onSubmit={make}>
          <label className="field">
            {t('Title')}
            <input required autoFocus value={title} maxLength={120} onChange={(e) => setTitle(e.target.value)} />
            <small>{name ? t('Its name in files and reports: {name}', { name }) : t('What people call it.')}</small>
          </label>
          {taken && (
            <div className="note warn" role="alert">
              {t('There is a journey of that name.')}
            </div>
          )}
          <div className="row">
            <button className="primary" disabled={!name || taken}>
              {t('Begin')}
            </button>
            <button type="button" onClick={() => setMaking(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
    </Page>
  );
}
