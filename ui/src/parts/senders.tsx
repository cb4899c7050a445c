// Who speaks: senders by channel, stream, language and brand. A part of shop.yaml, as a form.
import { useState, type FormEvent } from 'react';
import { useGet } from '../api';
import { useMay } from '../session';
import { useWords, type Text } from '../words';
import { type Json, type Tree } from './files';
import { Ask, Empty, Failure, Panel, Tag } from './kit';
import { End, file, map, str, tidy, useSection, Wanting } from './section';

interface Speaker {
  channel: string;
  fields: Tree;
}

const senderFields: [string, Text, string][] = [
  ['from_name', 'Name in From', 'The Lamp Shop'],
  ['from', 'Address in From', 'hello@shop.example'],
  ['reply_to', 'Answers go to', 'care@shop.example'],
  ['bounce_domain', 'Failures come back to', 'bounce.shop.example'],
  ['domain', 'Signed by', 'shop.example'],
  ['logo', 'Logo of this sender', 'https://shop.example/logo.png'],
  ['postal', 'Postal address', ''],
];

export function Senders() {
  const { t } = useWords();
  const may = useMay();
  const section = useSection(file);
  const domains = useGet('/api/v1/domains', { query: { limit: 500 } });
  const [open, setOpen] = useState<{ at: number; s: Speaker } | null>(null);
  const list = (value: Tree): Speaker[] =>
    Object.entries(map(value['senders'])).flatMap(([channel, v]) =>
      (Array.isArray(v) ? v : [v]).map((one) => ({ channel, fields: map(one) })),
    );
  const put = (speakers: Speaker[]) => {
    const senders: Tree = {};
    for (const s of speakers) {
      const clean = tidy(s.fields);
      const there = senders[s.channel];
      senders[s.channel] = there === undefined ? [clean] : [...(there as Json[]), clean];
    }
    for (const [channel, v] of Object.entries(senders)) if ((v as Json[]).length === 1) senders[channel] = (v as Json[])[0]!;
    return section.save.mutateAsync({ senders });
  };
  return (
    <Wanting of={section}>
      {(value) => {
        const all = list(value);
        const brands = Object.keys(map(value['brands']));
        return (
          <div className="stack">
            <Failure error={open ? null : section.save.error} />
            <Panel
              title={t('Who speaks')}
              aside={
                may('put_definitions') && (
                  <button className="primary" onClick={() => setOpen({ at: -1, s: { channel: 'email', fields: {} } })}>
                    {t('Add a sender…')}
                  </button>
                )
              }
              flush
            >
              {all.length === 0 && <Empty>{t('Nobody speaks yet, so nothing can be sent.')}</Empty>}
              <div className="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>{t('From')}</th>
                      <th>{t('Speaks for')}</th>
                      <th>{t('Answers go to')}</th>
                      <th>{t('Its domain')}</th>
                      <th>
                        <span className="hidden">{t('Actions')}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {all.map((s, i) => {
                      const of = str(s.fields['domain']) || str(s.fields['from']).split('@')[1] || '';
                      const d = (domains.data?.data ?? []).find((x) => x.name === of || (x.froms ?? []).includes(of));
                      return (
                        <tr key={i}>
                          <td>
                            <b>{str(s.fields['from_name']) || str(value['name'])}</b>
                            <div className="mono soft">{str(s.fields['from'])}</div>
                          </td>
                          <td>
                            <span className="row">
                              <Tag>{s.channel}</Tag>
                              {str(s.fields['brand']) && <Tag tone="accent">{str(s.fields['brand'])}</Tag>}
                              <Tag>{str(s.fields['stream']) ? t(str(s.fields['stream']) as Text) : t('every message')}</Tag>
                              {str(s.fields['locale']) && <Tag>{str(s.fields['locale'])}</Tag>}
                            </span>
                          </td>
                          <td className="mono soft">{str(s.fields['reply_to']) || '–'}</td>
                          <td>
                            {s.channel !== 'email' || !of ? (
                              '–'
                            ) : (
                              <Tag tone={d?.verified ? 'good' : 'bad'}>
                                {of} · {d ? (d.verified ? t('verified') : t('not verified')) : t('not set up')}
                              </Tag>
                            )}
                          </td>
                          <td>
                            {may('put_definitions') && (
                              <div className="row">
                                <button
                                  className="link"
                                  aria-label={`${t('Edit')}: ${str(s.fields['from'])}`}
                                  onClick={() => setOpen({ at: i, s })}
                                >
                                  {t('Edit')}
                                </button>
                                <button
                                  className="link danger"
                                  aria-label={`${t('Take out')}: ${str(s.fields['from'])}`}
                                  onClick={() => section.save.mutate(withoutOne(all, i))}
                                >
                                  {t('Take out')}
                                </button>
                              </div>
                            )}
                          </td>
                        </tr>
                      );
                    })}
                  </tbody>
                </table>
              </div>
            </Panel>
            <p className="soft small">
              {t('Of several senders that fit, the more special fills in over the more general: first by stream, then by language.')}
            </p>
            <Ask
              open={open !== null}
              onClose={() => {
                section.save.reset();
                setOpen(null);
              }}
              title={open?.at === -1 ? t('Add a sender') : t('Edit the sender')}
            >
              {open && (
                <form
                  onSubmit={(e: FormEvent<HTMLFormElement>) => {
                    e.preventDefault();
                    const f = new FormData(e.currentTarget);
                    const fields: Tree = { ...open.s.fields };
                    for (const key of ['brand', 'stream', 'locale', ...senderFields.map(([k]) => k)])
                      fields[key] = String(f.get(key) ?? '').trim();
                    const next = [...all];
                    const one = { channel: String(f.get('channel')), fields };
                    if (open.at < 0) next.push(one);
                    else next[open.at] = one;
                    void put(next).then(
                      () => setOpen(null),
                      () => {},
                    );
                  }}
                >
                  <div className="row">
                    <label className="field">
                      {t('Channel')}
                      <select name="channel" defaultValue={open.s.channel}>
                        {['email', 'sms', 'whatsapp', 'push', 'webpush'].map((c) => (
                          <option key={c}>{c}</option>
                        ))}
                      </select>
                    </label>
                    <label className="field">
                      {t('Stream')}
                      <select name="stream" defaultValue={str(open.s.fields['stream'])}>
                        <option value="">{t('every message')}</option>
                        <option value="marketing">{t('marketing')}</option>
                        <option value="service">{t('service')}</option>
                      </select>
                    </label>
                    <label className="field">
                      {t('Language')}
                      <input name="locale" size={6} maxLength={12} placeholder="de-AT" defaultValue={str(open.s.fields['locale'])} />
                    </label>
                    <label className="field">
                      {t('Brand')}
                      <select name="brand" defaultValue={str(open.s.fields['brand'])}>
                        <option value="">{t('the shop itself')}</option>
                        {brands.map((b) => (
                          <option key={b}>{b}</option>
                        ))}
                      </select>
                    </label>
                  </div>
                  {senderFields.map(([key, label, example]) => (
                    <label key={key} className="field">
                      {t(label)}
                      <input
                        name={key}
                        type={key === 'from' || key === 'reply_to' ? 'email' : key === 'logo' ? 'url' : 'text'}
                        placeholder={example}
                        defaultValue={str(open.s.fields[key])}
                      />
                    </label>
                  ))}
                  <End save={section.save} onClose={() => setOpen(null)} />
                </form>
              )}
            </Ask>
          </div>
        );
      }}
    </Wanting>
  );
}

// withoutOne are the senders without one of them.
function withoutOne(all: Speaker[], i: number): Record<string, Json | undefined> {
  const senders: Tree = {};
  all.forEach((s, k) => {
    if (k !== i) senders[s.channel] = [...((senders[s.channel] as Json[]) ?? []), tidy(s.fields)];
  });
  return { senders: Object.keys(senders).length ? senders : undefined };
}
