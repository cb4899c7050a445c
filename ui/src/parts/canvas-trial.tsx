// A test run: a customer goes through the journey as it is being written.
import { useMutation } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { api, must, type Schemas } from '../api';
import { useWords, type Text } from '../words';
import { Pairs, type Known } from './canvas-fields';
import { isTree, type Json, type Tree } from './canvas-model';
import { Failure, StateTag, Tag } from './kit';

export type Rehearsed = Schemas['Rehearsed'];
type Moment = Schemas['Moment'];

interface Supposed {
  n: string;
  unit: string;
  event: string;
  props: Tree;
}

const words: Record<string, Text> = {
  trigger: 'Is it such an event?',
  again: 'May they come in again?',
  audience: 'Is it for them?',
  satisfied: 'At the door',
  entered: 'Comes in',
  reached: 'Step',
  waits: 'Waits',
  awaited: 'It came',
  case: 'Case',
  arm: 'Arm',
  sets: 'Sets',
  exit: 'Exit met',
  goal: 'Goal met',
  left: 'Leaves',
  event: 'Happens',
  message: 'Message',
  other: 'Other message',
};

// sample is what an event needs to be one, for whoever makes it up.
function sample(event: string, currency: string): Tree {
  return event.startsWith('Order ') ? { order_id: 'test-' + Math.floor(Math.random() * 1e6), currency, total: 20 } : {};
}

export function Trial({
  name,
  text,
  triggers,
  known,
  currency,
  onDone,
}: {
  name: string;
  text: string; // the journey as it is being written
  triggers: string[];
  known: Known;
  currency: string;
  onDone: (r: Rehearsed | null) => void;
}) {
  const { t, when } = useWords();
  const id = useId();
  const [customer, setCustomer] = useState(() => sessionStorage.getItem('rapport.trial') ?? '');
  const [at, setAt] = useState('');
  const [trigger, setTrigger] = useState(1);
  const [props, setProps] = useState<Tree>({});
  const [events, setEvents] = useState<Supposed[]>([]);
  const [anew, setAnew] = useState(true);
  const [holdout, setHoldout] = useState(false);
  const run = useMutation({
    mutationFn: () =>
      must(
        api.POST('/api/v1/journeys/{name}/test', {
          params: { path: { name } },
          body: {
            text,
            customer,
            trigger: Math.min(trigger, triggers.length),
            anew,
            holdout,
            ...(at ? { at: new Date(at).toISOString() } : {}),
            ...(Object.keys(props).length > 0 ? { properties: props } : {}),
            events: events.map((e) => ({ after: (e.n || '1') + e.unit, event: e.event, properties: e.props })),
          },
        }),
      ),
    onSuccess: (r) => {
      sessionStorage.setItem('rapport.trial', customer);
      onDone(r);
    },
    onError: () => onDone(null),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    run.mutate();
  };
  const set = (i: number, change: Partial<Supposed>) => setEvents(events.map((x, j) => (j === i ? { ...x, ...change } : x)));
  return (
    <div className="stack">
      <p className="soft small">{t('With the very functions that walk it in earnest. Nothing is sent, and nothing changes.')}</p>
      <form className="stack jtrial" onSubmit={submit}>
        <label className="field">
          {t('As which customer')}
          <input
            required
            value={customer}
            maxLength={300}
            onChange={(e) => setCustomer(e.target.value)}
            placeholder={t('E-mail, phone, id…')}
          />
        </label>
        <label className="field">
          {t('Beginning')}
          <input type="datetime-local" value={at} onChange={(e) => setAt(e.target.value)} />
          <small>{t('Otherwise: now. Before now they are what they were then.')}</small>
        </label>
        {triggers.length > 0 && (
          <label className="field">
            {t('What happens')}
            <select value={trigger} onChange={(e) => setTrigger(Number(e.target.value))}>
              {triggers.map((x, i) => (
                <option key={i} value={i + 1}>
                  {x}
                </option>
              ))}
              <option value={0}>{t('nothing by itself')}</option>
            </select>
          </label>
        )}
        <details className="jmore" open={Object.keys(props).length > 0}>
          <summary>{t('What the event says')}</summary>
          <p className="soft small">{t('Left empty: what their newest such event said.')}</p>
          <Pairs value={props} onChange={(v) => setProps(isTree(v) ? v : {})} filter={false} empty={false} />
        </details>
        <fieldset className="jfield">
          <legend>{t('And then they')}</legend>
          {events.map((e, i) => (
            <div key={i} className="jitem">
              <div className="row">
                <input
                  aria-label={t('After')}
                  type="number"
                  min={1}
                  value={e.n}
                  onChange={(x) => set(i, { n: x.target.value })}
                  className="jshort"
                />
                <select aria-label={t('Unit')} value={e.unit} onChange={(x) => set(i, { unit: x.target.value })}>
                  <option value="m">{t('minutes')}</option>
                  <option value="h">{t('hours')}</option>
                  <option value="d">{t('days')}</option>
                  <option value="w">{t('weeks')}</option>
                </select>
                <span className="soft small">{t('later')}</span>
                <button
                  type="button"
                  className="icon"
                  aria-label={t('Take {what} out', { what: e.event })}
                  onClick={() => setEvents(events.filter((_, j) => j !== i))}
                >
                  ×
                </button>
              </div>
              <input
                aria-label={t('Event')}
                required
                list={id}
                value={e.event}
                onChange={(x) =>
                  set(i, { event: x.target.value, props: Object.keys(e.props).length === 0 ? sample(x.target.value, currency) : e.props })
                }
              />
              <Pairs value={e.props} onChange={(v) => set(i, { props: isTree(v) ? v : {} })} filter={false} empty={false} />
            </div>
          ))}
          <datalist id={id}>
            {known.events.map((n) => (
              <option key={n} value={n} />
            ))}
          </datalist>
          <button
            type="button"
            className="link"
            onClick={() =>
              setEvents([...events, { n: '3', unit: 'd', event: 'Order Completed', props: sample('Order Completed', currency) }])
            }
          >
            {t('+ something they do')}
          </button>
        </fieldset>
        <label className="row">
          <input type="checkbox" checked={anew} onChange={(e) => setAnew(e.target.checked)} /> {t('As if they had never been in it')}
        </label>
        <label className="row">
          <input type="checkbox" checked={holdout} onChange={(e) => setHoldout(e.target.checked)} /> {t('Hold out who is held out')}
        </label>
        <button className="primary" disabled={run.isPending}>
          {run.isPending ? t('One moment…') : t('Test')}
        </button>
      </form>
      <Failure error={run.error} />
      {run.data && !run.error && (
        <section aria-label={t('What happened')}>
          <p role="status" className={'note ' + (run.data.entered ? 'good' : 'warn')}>
            {run.data.entered
              ? run.data.inside
                ? t('They came in, and are at “{step}” on {date}.', { step: run.data.inside, date: when(run.data.ended) })
                : t('They came in, and were through on {date}.', { date: when(run.data.ended) })
              : t('They did not come in.')}
            {run.data.held_out && ' ' + t('In earnest they are held out and get nothing.')}
          </p>
          <ol className="plain jtimeline">
            {(run.data.moments ?? []).map((m, i) => (
              <MomentOf key={i} m={m} />
            ))}
          </ol>
          {run.data.cut && <p className="soft small">{t('More happened than is shown.')}</p>}
        </section>
      )}
    </div>
  );
}

function MomentOf({ m }: { m: Moment }) {
  const { t, when } = useWords();
  const [open, setOpen] = useState(false);
  const list = m.criteria ?? [];
  const v = m.message;
  const asked = !['event', 'reached', 'entered', 'waits', 'other'].includes(m.what);
  const word = words[m.what];
  return (
    <li className={'jmoment ' + m.what + (asked && m.what !== 'left' ? (m.holds ? ' met' : ' unmet') : '')}>
      <span className="soft small jtime">{when(m.at)}</span>
      <div>
        <div>
          <span className="jwhat">{word ? t(word) : m.what}</span> <b>{m.text}</b> {v && <StateTag state={v.state} />}
          {m.what === 'case' && <Tag tone={m.holds ? 'good' : ''}>{m.holds ? t('yes') : t('no')}</Tag>}
          {m.until && m.what === 'waits' && <span className="soft small"> {t('until {date}', { date: when(m.until) })}</span>}
        </div>
        {v?.why && <div className="small">{v.why}</div>}
        {v?.reason && <div className="soft small">{t('Because: {why}', { why: v.reason })}</div>}
        {v?.wrong && <div className="jflaw bad">{v.wrong}</div>}
        {(v?.preview?.gaps ?? []).length > 0 && (
          <div className="jflaw bad">{t('Missing: {what}', { what: (v?.preview?.gaps ?? []).map((g) => g.what).join(', ') })}</div>
        )}
        {v?.preview?.aborted && <div className="jflaw warn">{v.preview.aborted}</div>}
        {v?.preview?.subject && (
          <div>
            <q>{v.preview.subject}</q>{' '}
            {v.frame && (
              <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
                {open ? t('Close') : t('Look at it')}
              </button>
            )}
          </div>
        )}
        {open && v?.frame && <iframe className="jframe" title={t('The message')} src={`/api/v1/frames/${v.frame}`} sandbox="" />}
        {list.length > 0 && (
          <details className="jcriteria" open={asked && !m.holds}>
            <summary>
              {m.what === 'event'
                ? t('What it says')
                : t('{met} of {all} met', { met: list.filter((c) => c.holds).length, all: list.length })}
            </summary>
            <ul className="plain">
              {list.map((c, i) => (
                <li key={i} className={m.what === 'event' ? '' : c.holds ? 'met' : 'unmet'}>
                  {m.what !== 'event' && <span aria-label={c.holds ? t('met') : t('not met')}>{c.holds ? '✓' : '✗'}</span>} {c.text}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}

export type { Json };
