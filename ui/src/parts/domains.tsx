// The domains that mail is sent from, with what DNS says of each, in green and red.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, must, useGet, type Schemas } from '../api';
import { Ask, Empty, Facts, Failure, Panel, State, Tag, type Tone } from './kit';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

type Domain = Schemas['Domain'];

const checks: [string, Text, Text][] = [
  ['spf', 'SPF', 'which servers may send'],
  ['dkim', 'DKIM', 'that the mail is signed'],
  ['dmarc', 'DMARC', 'what becomes of mail that is neither'],
];

export function Domains() {
  const { t, n } = useWords();
  const may = useMay();
  const list = useGet('/api/v1/domains', { query: { limit: 500 } });
  const stopped = useGet('/api/v1/suppressions');
  const [adding, setAdding] = useState(false);
  const add = may('post_domains') && (
    <button className="primary" onClick={() => setAdding(true)}>
      {t('Add a domain…')}
    </button>
  );
  return (
    <div className="stack">
      <State of={list}>
        {(l) =>
          (l.data ?? []).length === 0 ? (
            <Panel title={t('Sending domains')} aside={add}>
              <Empty>{t('No domain is set up yet. Without one that DNS proves, mailbox providers take your mail for a forgery.')}</Empty>
            </Panel>
          ) : (
            <>
              <div className="row">{add}</div>
              {(l.data ?? []).map((d) => (
                <One key={d.name} d={d} />
              ))}
            </>
          )
        }
      </State>
      <Panel title={t('Not written to')}>
        <State of={stopped}>
          {(s) => {
            const all = Object.entries(s.reasons ?? {});
            return all.length === 0 ? (
              <span className="soft">{t('No address is suppressed.')}</span>
            ) : (
              <Facts of={all.map(([k, v]): [string, string] => [k, n(v)])} />
            );
          }}
        </State>
      </Panel>
      <New open={adding} onClose={() => setAdding(false)} />
    </div>
  );
}

function One({ d }: { d: Domain }) {
  const { t, n, when } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const refresh = () => void cache.invalidateQueries({ queryKey: ['/api/v1/domains'] });
  const path = { params: { path: { name: d.name } } };
  const check = useMutation({ mutationFn: () => must(api.POST('/api/v1/domains/{name}/check', path)), onSettled: refresh });
  const rotate = useMutation({ mutationFn: () => must(api.POST('/api/v1/domains/{name}/rotate', path)), onSettled: refresh });
  const pause = useMutation({
    mutationFn: (why: string) => must(api.POST('/api/v1/domains/{name}/pause', { ...path, body: { why } })),
    onSuccess: () => {
      setPausing(false);
      refresh();
    },
  });
  const resume = useMutation({ mutationFn: () => must(api.POST('/api/v1/domains/{name}/resume', path)), onSettled: refresh });
  const [pausing, setPausing] = useState(false);
  const problems = d.problems ?? [];
  const state = (kind: string): [Tone, Text] => {
    const mine = problems.filter((p) => p.check === kind);
    if (!d.checked) return ['', 'not checked'];
    if (mine.some((p) => !p.warning)) return ['bad', 'wrong'];
    return mine.length ? ['warn', 'could be better'] : ['good', 'in order'];
  };
  return (
    <Panel
      title={<span className="mono domain">{d.name}</span>}
      aside={
        <div className="row">
          {d.paused && <Tag tone="bad">{t('marketing stopped')}</Tag>}
          <Tag tone={d.verified ? 'good' : 'bad'}>{d.verified ? t('verified {date}', { date: when(d.verified) }) : t('not verified')}</Tag>
          {may('post_domains_name_check') && (
            <button disabled={check.isPending} onClick={() => check.mutate()}>
              {check.isPending ? t('Asking DNS…') : t('Check now')}
            </button>
          )}
        </div>
      }
    >
      <div className="stack">
        <ul className="plain lights">
          {checks.map(([kind, label, about]) => {
            const [tone, word] = state(kind);
            return (
              <li key={kind} className={tone}>
                <b>{t(label)}</b>
                <Tag tone={tone}>{t(word)}</Tag>
                <span className="soft small">{t(about)}</span>
              </li>
            );
          })}
        </ul>
        <p className="soft small">{d.checked ? t('DNS was asked {date}.', { date: when(d.checked) }) : t('DNS was not asked yet.')}</p>
        <Failure error={check.error ?? rotate.error ?? resume.error} />
        {d.paused && (
          <div className="note bad">
            {d.why}{' '}
            {may('post_domains_name_resume') && (
              <button onClick={() => resume.mutate()} disabled={resume.isPending}>
                {t('Let it send again')}
              </button>
            )}
          </div>
        )}
        {problems.map((p, i) => (
          <div key={i} className={'note ' + (p.warning ? 'warn' : 'bad')}>
            <b>{p.check.toUpperCase()}</b> {p.what}
            {p.instead && (
              <div>
                {t('Set')} <span className="mono wrap-any">{p.instead}</span>
              </div>
            )}
          </div>
        ))}
        <details open={!d.verified}>
          <summary>{t('What to publish in DNS')}</summary>
          <ul className="plain records">
            {(d.records ?? []).map((r) => (
              <li key={r.name + r.value}>
                <div className="spread">
                  <span className="mono wrap-any">
                    <Tag>{r.type}</Tag> {r.name}
                  </span>
                  <button
                    className="link"
                    aria-label={`${t('Copy')}: ${r.name}`}
                    onClick={() => void navigator.clipboard.writeText(r.value)}
                  >
                    {t('Copy')}
                  </button>
                </div>
                <div className="mono wrap-any value">{r.value}</div>
                <div className="soft small">{r.why}</div>
              </li>
            ))}
          </ul>
        </details>
        <Facts
          of={[
            [t('May stand in From'), [d.name, ...(d.froms ?? [])].join(', ')],
            [t('Most an hour'), d.hourly ? n(d.hourly) : t('no limit')],
            ...((d.warmup ?? []).length
              ? ([[t('Grows from'), t('{n} a day, since {date}', { n: n(d.warmup?.[0]), date: when(d.began) })]] as [string, string][])
              : []),
          ]}
        />
        <div className="row">
          {may('post_domains_name_rotate') && (
            <button disabled={rotate.isPending} onClick={() => rotate.mutate()}>
              {t('Make new keys')}
            </button>
          )}
          {!d.paused && may('post_domains_name_pause') && (
            <button className="danger" onClick={() => setPausing(true)}>
              {t('Stop marketing from it…')}
            </button>
          )}
        </div>
      </div>
      <Ask open={pausing} onClose={() => setPausing(false)} title={t('Stop marketing from {name}?', { name: d.name })}>
        <form
          onSubmit={(e: FormEvent<HTMLFormElement>) => {
            e.preventDefault();
            pause.mutate(String(new FormData(e.currentTarget).get('why')));
          }}
        >
          <label className="field">
            {t('Why')}
            <input name="why" required maxLength={200} />
          </label>
          <Failure error={pause.error} />
          <div className="row">
            <button className="danger" disabled={pause.isPending}>
              {t('Stop it')}
            </button>
            <button type="button" onClick={() => setPausing(false)}>
              {t('Cancel')}
            </button>
          </div>
        </form>
      </Ask>
    </Panel>
  );
}

function New({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useWords();
  const cache = useQueryClient();
  const make = useMutation({
    mutationFn: (f: FormData) => {
      const many = (k: string) =>
        String(f.get(k) ?? '')
          .split(/[\s,]+/)
          .filter(Boolean);
      return must(
        api.POST('/api/v1/domains', {
          body: {
            name: String(f.get('name')).trim().toLowerCase(),
            froms: many('froms'),
            hosts: many('hosts'),
            hourly: Number(f.get('hourly') || 0),
            warmup: f.get('warmup') === 'on',
          },
        }),
      );
    },
    onSuccess: () => {
      onClose();
      void cache.invalidateQueries();
    },
  });
  return (
    <Ask open={open} onClose={onClose} title={t('Add a domain')}>
      <form
        onSubmit={(e: FormEvent<HTMLFormElement>) => {
          e.preventDefault();
          make.mutate(new FormData(e.currentTarget));
        }}
      >
        <label className="field">
          {t('Domain')}
          <input name="name" required maxLength={253} placeholder="news.shop.example" pattern="\s*[A-Za-z0-9.\-]+\.[A-Za-z0-9\-]+\s*" />
          <small>{t('It signs, and providers judge it. One of its own for marketing keeps receipts safe.')}</small>
        </label>
        <label className="field">
          {t('Further domains in From')}
          <input name="froms" placeholder="shop.example" />
        </label>
        <label className="field">
          {t('Addresses of the servers that send')}
          <input name="hosts" placeholder="192.0.2.7" />
          <small>{t('For SPF. Empty: only its form is checked.')}</small>
        </label>
        <label className="field">
          {t('Most an hour')}
          <input name="hourly" type="number" min={0} placeholder={t('no limit')} />
        </label>
        <label className="row">
          <input type="checkbox" name="warmup" /> {t('It is new: let its volume grow from fifty a day')}
        </label>
        <Failure error={make.error} />
        <div className="row">
          <button className="primary" disabled={make.isPending}>
            {t('Make its keys')}
          </button>
          <button type="button" onClick={onClose}>
            {t('Cancel')}
          </button>
        </div>
      </form>
    </Ask>
  );
}
