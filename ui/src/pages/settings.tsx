// Settings: sending domains, who speaks and how it looks, what customers agree to, the
// rules, people, keys and the audit trail.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { Domains } from '../parts/domains';
import { Ask, Empty, Failure, Page, Panel, State, Tag } from '../parts/kit';
import { usePages } from '../parts/pages';
import { Policies } from '../parts/policies';
import { Brands } from '../parts/brands';
import { Purposes } from '../parts/purposes';
import { Senders } from '../parts/senders';
import { useMay, useMe } from '../session';
import { useWords, type Text } from '../words';

const tabs = [
  ['Sending', 'get_domains'],
  ['Senders', 'get_definitions'],
  ['Brands', 'get_definitions'],
  ['Purposes', 'get_definitions'],
  ['Policies', 'get_program'],
  ['People', 'get_people'],
  ['Keys', 'get_keys'],
  ['Audit trail', 'get_audit'],
] as const;
const roles = ['owner', 'admin', 'marketer', 'analyst', 'support'] as const;
type Role = (typeof roles)[number];

export function Settings() {
  const { t } = useWords();
  const may = useMay();
  const [tab, setTab] = useState<(typeof tabs)[number][0]>('Sending');
  return (
    <Page title={t('Settings')}>
      <div className="tabs" role="tablist">
        {tabs
          .filter(([, needs]) => may(needs))
          .map(([x]) => (
            <button key={x} role="tab" aria-selected={tab === x} onClick={() => setTab(x)}>
              {t(x)}
            </button>
          ))}
      </div>
      {tab === 'Sending' && <Domains />}
      {tab === 'Senders' && <Senders />}
      {tab === 'Brands' && <Brands />}
      {tab === 'Purposes' && <Purposes />}
      {tab === 'People' && <People />}
      {tab === 'Keys' && <Keys />}
      {tab === 'Policies' && <Policies />}
      {tab === 'Audit trail' && <Trail />}
    </Page>
  );
}

function People() {
  const { t, date } = useWords();
  const me = useMe();
  const cache = useQueryClient();
  const list = useGet('/api/v1/people');
  const invitations = useGet('/api/v1/invitations');
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState('');
  const refresh = () => void cache.invalidateQueries();
  const appoint = useMutation({
    mutationFn: (p: { id: string; role: Role }) =>
      must(api.PUT('/api/v1/people/{id}', { params: { path: { id: p.id } }, body: { role: p.role } })),
    onSuccess: refresh,
  });
  const remove = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/people/{id}', { params: { path: { id } } })),
    onSuccess: refresh,
  });
  const reset = useMutation({
    mutationFn: (id: string) => must(api.POST('/api/v1/people/{id}/reset', { params: { path: { id } } })),
    onSuccess: (v) => setLink(v.link),
  });
  const back = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/invitations/{id}', { params: { path: { id } } })),
    onSuccess: refresh,
  });
  const invite = useMutation({
    mutationFn: (f: FormData) =>
      must(api.POST('/api/v1/invitations', { body: { email: String(f.get('email')), role: String(f.get('role')) as Role } })),
    onSuccess: (v) => {
      setInviting(false);
      setLink(v.link);
      refresh();
    },
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    invite.mutate(new FormData(e.currentTarget));
  };
  return (
    <div className="stack">
      <Failure error={appoint.error ?? remove.error ?? reset.error ?? back.error} />
      <Panel
        title={t('Who works here')}
        aside={
          <button className="primary" onClick={() => setInviting(true)}>
            {t('Invite…')}
          </button>
        }
        flush
      >
        <State of={list}>
          {(l) => (
            <div className="scroll">
              <table>
                <thead>
                  <tr>
                    <th>{t('Name')}</th>
                    <th>{t('E-mail')}</th>
                    <th>{t('Role')}</th>
                    <th>{t('Since')}</th>
                    <th>
                      <span className="hidden">{t('Actions')}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {(l.data ?? []).map((p) => (
                    <tr key={p.id}>
                      <td>
                        <b>{p.name}</b> {p.id === me.id && <Tag>{t('you')}</Tag>}
                      </td>
                      <td>{p.email}</td>
                      <td>
                        <select
                          aria-label={t('Role of {name}', { name: p.name })}
                          value={p.role}
                          onChange={(e) => appoint.mutate({ id: p.id, role: e.target.value as Role })}
                        >
                          {roles.map((r) => (
                            <option key={r} value={r}>
                              {t(r)}
                            </option>
                          ))}
                        </select>
                      </td>
                      <td className="soft">{date(p.created)}</td>
                      <td>
                        {p.id !== me.id && (
                          <div className="row">
                            <button className="link" onClick={() => reset.mutate(p.id)}>
                              {t('Another password…')}
                            </button>
                            <button className="link danger" onClick={() => remove.mutate(p.id)}>
                              {t('Take out')}
                            </button>
                          </div>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </State>
      </Panel>
      {(invitations.data?.data ?? []).length > 0 && (
        <Panel title={t('Invited')} flush>
          <ul className="plain lines">
            {(invitations.data?.data ?? []).map((v) => (
              <li key={v.id} className="spread">
                <span>
                  {v.email} <Tag>{t(v.role as Text)}</Tag> <span className="soft small">{t('until {date}', { date: date(v.until) })}</span>
                </span>
                <button className="link danger" onClick={() => back.mutate(v.id)}>
                  {t('Take back')}
                </button>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Ask open={inviting} onClose={() => setInviting(false)} title={t('Invite somebody')}>
        <form onSubmit={submit}>
          <label className="field">
            {t('E-mail')}
            <input name="email" type="email" required />
          </label>
          <label className="field">
            {t('Role')}
            <select name="role" defaultValue="marketer">
              {roles.map((r) => (
                <option key={r} value={r}>
                  {t(r)}
                </option>
              ))}
            </select>
          </label>
          <Failure error={invite.error} />
          <div className="row">
            <button className="primary">{t('Make a link')}</button>
            <button type="button" onClick={() => setInviting(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
      <Once
        open={link !== ''}
        onClose={() => setLink('')}
        title={t('Hand this link over')}
        text={link}
        about={t('It works once, for a week, and is not shown again.')}
      />
    </div>
  );
}

function Once({ open, onClose, title, text, about }: { open: boolean; onClose: () => void; title: string; text: string; about: string }) {
  const { t } = useWords();
  return (
    <Ask open={open} onClose={onClose} title={title}>
      <p className="note mono wrap-any">{text}</p>
      <p className="soft">{about}</p>
      <div className="row">
        <button className="primary" onClick={() => void navigator.clipboard.writeText(text)}>
          {t('Copy')}
        </button>
        <button onClick={onClose}>{t('Close')}</button>
      </div>
    </Ask>
  );
}

const scopes = ['read', 'analyse', 'write', 'send', 'erase', 'sql'] as const;

function Keys() {
  const { t, date, when } = useWords();
  const cache = useQueryClient();
  const list = useGet('/api/v1/keys');
  const [making, setMaking] = useState(false);
  const [fresh, setFresh] = useState('');
  const refresh = () => void cache.invalidateQueries({ queryKey: ['/api/v1/keys'] });
  const revoke = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } })),
    onSuccess: refresh,
  });
  const make = useMutation({
    mutationFn: (f: FormData) =>
      must(api.POST('/api/v1/keys', { body: { name: String(f.get('name')), scopes: f.getAll('scope').map(String) as ['read'] } })),
    onSuccess: (k) => {
      setMaking(false);
      setFresh(k.key ?? '');
      refresh();
    },
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    make.mutate(new FormData(e.currentTarget));
  };
  return (
    <div className="stack">
      <Failure error={revoke.error} />
      <Panel
        title={t('Keys')}
        aside={
          <button className="primary" onClick={() => setMaking(true)}>
            {t('New key…')}
          </button>
        }
        flush
      >
        <State of={list}>
          {(l) => (
            <div className="scroll">
              <table>
                <thead>
                  <tr>
                    <th>{t('Name')}</th>
                    <th>{t('Key')}</th>
                    <th>{t('May')}</th>
                    <th>{t('Made')}</th>
                    <th>{t('Last used')}</th>
                    <th>
                      <span className="hidden">{t('Actions')}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {(l.data ?? []).map((k) => (
                    <tr key={k.id}>
                      <td>
                        <b>{k.name}</b> <Tag>{k.kind}</Tag>
                      </td>
                      <td className="mono">{k.key ?? `${k.prefix}…${k.last4}`}</td>
                      <td className="soft">
                        {k.kind === 'secret' ? t('everything') : k.kind === 'write' ? t('send events') : (k.scopes ?? []).join(', ')}
                      </td>
                      <td className="soft">{date(k.created)}</td>
                      <td className="soft">{when(k.lastUsed)}</td>
                      <td>
                        {k.revoked ? (
                          <Tag tone="bad">{t('revoked')}</Tag>
                        ) : (
                          <button className="link danger" onClick={() => revoke.mutate(k.id)}>
                            {t('Revoke')}
                          </button>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </State>
      </Panel>
      <Ask open={making} onClose={() => setMaking(false)} title={t('New key')}>
        <form onSubmit={submit}>
          <label className="field">
            {t('What it is for')}
            <input name="name" required maxLength={60} />
          </label>
          <fieldset className="row" style={{ border: 0, padding: 0, margin: 0 }}>
            <legend className="hidden">{t('May')}</legend>
            {scopes.map((s) => (
              <label key={s} className="row">
                <input type="checkbox" name="scope" value={s} defaultChecked={s === 'read'} style={{ minHeight: 0 }} /> {s}
              </label>
            ))}
          </fieldset>
          <p className="soft small">{t('read sees names, addresses and numbers of customers; analyse sees the same with these masked.')}</p>
          <Failure error={make.error} />
          <div className="row">
            <button className="primary">{t('Make the key')}</button>
            <button type="button" onClick={() => setMaking(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
      <Once open={fresh !== ''} onClose={() => setFresh('')} title={t('The new key')} text={fresh} about={t('It is not shown again.')} />
    </div>
  );
}

function Trail() {
  const { t, when } = useWords();
  const list = usePages<Schemas['Deed']>(['audit'], (cursor) => get('/api/v1/audit', { query: { limit: 100, cursor } }));
  return (
    <State of={list}>
      {(rows) => (
        <Panel flush>
          {rows.length === 0 && <Empty>{t('Nothing was done yet.')}</Empty>}
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('When')}</th>
                  <th>{t('Who')}</th>
                  <th>{t('What')}</th>
                  <th>{t('Came of it')}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((d) => (
                  <tr key={d.n}>
                    <td className="soft">{when(d.at)}</td>
                    <td>
                      <b>{d.actor.name}</b> <Tag>{d.actor.role ? t(d.actor.role as Text) : d.actor.kind}</Tag>
                    </td>
                    <td>
                      <span className="mono wrap-any">
                        {d.operation.split('_')[0]?.toUpperCase()} {d.object}
                      </span>
                      <div className="soft small">{d.detail}</div>
                    </td>
                    <td>
                      <Tag tone={!d.status ? 'warn' : d.status < 400 ? 'good' : 'bad'}>
                        {!d.status ? t('cut off') : d.status < 400 ? t('done') : t('refused')}
                      </Tag>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {!list.whole && (
            <div className="body">
              <button onClick={list.more}>{t('Earlier')}</button>
            </div>
          )}
        </Panel>
      )}
    </State>
  );
}
