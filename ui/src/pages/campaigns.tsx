// The campaigns: as a calendar, and as a list that says the same.
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useGet, type Schemas } from '../api';
import { dayOf, daysOf, entriesOf, shift, stateOf, type Entry } from '../parts/calendar';
import { Empty, Page, State, StateTag, Tag } from '../parts/kit';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const kinds = ['Month', 'Week', 'List'] as const;
type Kind = (typeof kinds)[number];

export function Campaigns() {
  const { t } = useWords();
  const may = useMay();
  const list = useGet('/api/v1/campaigns', undefined, { refetchInterval: 5_000 });
  return (
    <Page
      title={t('Campaigns')}
      about={t('One message to everybody of an audience, once.')}
      actions={
        may('put_definitions') && (
          <Link className="button primary" to="/app/campaigns/$name" params={{ name: 'new' }}>
            {t('New campaign…')}
          </Link>
        )
      }
    >
      <State of={list}>{(l) => <Calendar all={l.campaigns ?? []} />}</State>
    </Page>
  );
}

function Calendar({ all }: { all: Schemas['CampaignStatus'][] }) {
  const { t, language } = useWords();
  const program = useGet('/api/v1/program');
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const shop = program.data?.time_zone ?? 'UTC';
  const [zone, setZone] = useState('');
  const [kind, setKind] = useState<Kind>('Month');
  const in_ = zone || shop;
  const today = dayOf(new Date(), in_);
  const [at, setAt] = useState('');
  const shown = at || today;
  const entries = useMemo(() => entriesOf(all, in_), [all, in_]);
  const tag = language === 'de' ? 'de-DE' : 'en-GB';
  const days = kind === 'List' ? [] : daysOf(shown, kind === 'Week');
  const title =
    kind === 'Week'
      ? new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).formatRange(
          noon(days[0]!),
          noon(days[6]!),
        )
      : new Intl.DateTimeFormat(tag, { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(noon(shown));
  const step = (n: number) => setAt(shift(shown, kind === 'Week' ? 'week' : 'month', n));
  const inside = entries.filter((e) => days.includes(e.day) && (kind === 'Week' || e.day.slice(0, 7) === shown.slice(0, 7)));
  const near = entries.length
    ? [...entries].sort((a, b) => Math.abs(+noon(a.day) - +noon(shown)) - Math.abs(+noon(b.day) - +noon(shown)))[0]
    : undefined;
  return (
    <div className="stack">
      <div className="row calendar-tools">
        <div className="seg" role="group" aria-label={t('How it is shown')}>
          {kinds.map((k) => (
            <button key={k} aria-pressed={kind === k} onClick={() => setKind(k)}>
              {t(k)}
            </button>
          ))}
        </div>
        {kind !== 'List' && (
          <>
            <button aria-label={t('Earlier')} onClick={() => step(-1)}>
              ←
            </button>
            <button onClick={() => setAt('')}>{t('Today')}</button>
            <button aria-label={t('Later')} onClick={() => step(1)}>
              →
            </button>
            <h2 aria-live="polite">{title}</h2>
          </>
        )}
        <label className="row zone-choice">
          <span className="soft small">{t('By the clock of')}</span>
          <select value={in_} onChange={(e) => setZone(e.target.value)}>
            {[...new Set([shop, own, 'UTC', 'America/New_York', 'Asia/Tokyo', 'Europe/Berlin', 'Europe/London'])].map((z) => (
              <option key={z} value={z}>
                {z.replaceAll('_', ' ')}
                {z === shop ? ` (${t('the shop')})` : ''}
              </option>
            ))}
          </select>
        </label>
      </div>
      {kind === 'List' ? (
        <Table all={all} entries={entries} />
      ) : (
        <Grid days={days} entries={entries} month={kind === 'Month' ? shown.slice(0, 7) : ''} today={today} label={title} />
      )}
      {kind !== 'List' && inside.length === 0 && (
        <p className="soft">
          {t('Nothing is planned or was sent here.')}{' '}
          {near && (
            <button className="link" onClick={() => setAt(near.day)}>
              {t('Go to {title}, {day}', { title: near.title, day: near.day })}
            </button>
          )}
        </p>
      )}
      {kind !== 'List' && <p className="soft small">{t('What says “own clock” leaves when each customer’s own clock shows that time.')}</p>}
    </div>
  );
}

const noon = (day: string) => new Date(day + 'T12:00:00Z');

function Grid({ days, entries, month, today, label }: { days: string[]; entries: Entry[]; month: string; today: string; label: string }) {
  const { t, language } = useWords();
  const tag = language === 'de' ? 'de-DE' : 'en-GB';
  const weekday = new Intl.DateTimeFormat(tag, { weekday: 'short', timeZone: 'UTC' });
  const whole = new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' });
  const weeks: string[][] = [];
  for (let i = 0; i < days.length; i += 7) weeks.push(days.slice(i, i + 7));
  return (
    <div className="panel">
      <table className={'calendar' + (month ? '' : ' week')}>
        <caption className="hidden">{label}</caption>
        <thead>
          <tr>
            {weeks[0]!.map((d) => (
              <th key={d} scope="col">
                {weekday.format(noon(d))}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((w) => (
            <tr key={w[0]}>
              {w.map((d) => {
                const here = entries.filter((e) => e.day === d);
                return (
                  <td
                    key={d}
                    className={
                      (month && !d.startsWith(month) ? 'outside ' : '') + (d === today ? 'today ' : '') + (here.length ? '' : 'bare')
                    }
                    aria-current={d === today ? 'date' : undefined}
                  >
                    <span className="day" title={whole.format(noon(d))}>
                      <span aria-hidden="true">{Number(d.slice(8))}</span>
                      <span className="hidden">{whole.format(noon(d))}</span>
                      <span className="phone" aria-hidden="true">
                        {weekday.format(noon(d))}
                      </span>
                    </span>
                    <ul className="plain">
                      {here.map((e) => (
                        <li key={e.name + e.run}>
                          <Link className={'entry ' + e.state} to="/app/campaigns/$name" params={{ name: e.name }}>
                            <span className="small">
                              {e.time} {e.own && t('own clock')}
                            </span>
                            <b>{e.title}</b>
                            <span className="small state">{t(e.state as Text)}</span>
                            {!month && e.audience && (
                              <span className="small soft">{t('for who {audience}', { audience: e.audience })}</span>
                            )}
                          </Link>
                        </li>
                      ))}
                    </ul>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Table({ all, entries }: { all: Schemas['CampaignStatus'][]; entries: Entry[] }) {
  const { t, n } = useWords();
  const [only, setOnly] = useState('');
  const [sought, setSought] = useState('');
  const states = [...new Set(all.map(stateOf))];
  const rows = all.filter((c) => (!only || stateOf(c) === only) && (c.title + c.name).toLowerCase().includes(sought.toLowerCase()));
  return (
    <div className="stack">
      <div className="row">
        <input
          type="search"
          aria-label={t('Find a campaign')}
          placeholder={t('Find a campaign')}
          value={sought}
          onChange={(e) => setSought(e.target.value)}
        />
        <select aria-label={t('State')} value={only} onChange={(e) => setOnly(e.target.value)}>
          <option value="">{t('In every state')}</option>
          {states.map((s) => (
            <option key={s} value={s}>
              {t(s as Text)}
            </option>
          ))}
        </select>
      </div>
      <div className="panel scroll">
        <table>
          <thead>
            <tr>
              <th>{t('Campaign')}</th>
              <th>{t('State')}</th>
              <th>{t('When')}</th>
              <th>{t('Audience')}</th>
              <th className="num">{t('Sent')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((c) => {
              const sent = (c.messages ?? []).filter((m) => m.state === 'accepted').reduce((a, m) => a + m.count, 0);
              const mine = entries.filter((e) => e.name === c.name);
              const last = mine[mine.length - 1];
              const state = stateOf(c);
              return (
                <tr key={c.name}>
                  <td>
                    <Link to="/app/campaigns/$name" params={{ name: c.name }}>
                      <b>{c.title || c.name}</b>
                    </Link>
                  </td>
                  <td>{state === 'draft' ? <Tag>{t('draft')}</Tag> : <StateTag state={state} />}</td>
                  <td className="soft nowrap">
                    {last ? `${last.day} ${last.time}` : '–'} {last?.own && <span className="small">{t('own clock')}</span>}
                  </td>
                  <td className="soft">{c.audience}</td>
                  <td className="num">{n(sent)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {rows.length === 0 && <Empty>{all.length ? t('No campaign is so.') : t('There is no campaign yet.')}</Empty>}
      </div>
    </div>
  );
}
