// A campaign, step by step. It ends with a draft: what is sent is sent from its page,
// where whom it reaches stands beside the button.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, must, useGet } from '../api';
import { slug } from './definitions';
import { changeFiles, document as written, type Json, type Tree } from './files';
import { Bar, Empty, Facts, Failure, Panel, State } from './kit';
import { useWords, type Text } from '../words';

const steps = ['Audience', 'Message', 'When', 'Pace', 'Check'] as const satisfies readonly Text[];

export interface Draft {
  title: string;
  segment: string; // empty: the audience as it is written
  template: string;
  purpose: string;
  reason: string;
  category: string;
  moment: 'now' | 'own' | 'zone';
  at: string;
  zone: string;
  rate: string;
  undo: string;
  expires: string;
  holdout: string;
  each: boolean;
}

const text = (v: Json | undefined) => (v === null || v === undefined || typeof v === 'object' ? '' : String(v));

// draftOf reads what the form can say of a definition. An audience that is more than
// one segment stays as it is written.
export function draftOf(tree: Tree): Draft {
  const audience = tree['audience'] as Tree | undefined;
  const one = audience && Object.keys(audience).length === 1 ? text(audience['segment']) : '';
  const at = text(tree['at']);
  const rate = /^(\d+)\/h$/.exec(text(tree['rate']));
  return {
    title: text(tree['title']) || text(tree['campaign']),
    segment: one,
    template: text(tree['template']),
    purpose: text(tree['purpose']),
    reason: text(tree['reason']),
    category: text(tree['category']),
    moment: !at || at === 'now' ? 'now' : text(tree['zone']) && text(tree['zone']) !== 'customer' ? 'zone' : 'own',
    at: at && at !== 'now' ? at.replace(' ', 'T') : '',
    zone: text(tree['zone']),
    rate: rate ? rate[1]! : text(tree['rate']) === 'none' ? '' : text(tree['rate']),
    undo: text(tree['undo']) || '10m',
    expires: text(tree['expires']) || '3d',
    holdout: text(tree['holdout']).replace('%', ''),
    each: text(tree['same_address']) === 'each',
  };
}

// treeOf writes what the form says over a definition, whose other words stay.
export function treeOf(d: Draft, name: string, was: Tree): Tree {
  const out: Tree = { campaign: name, title: d.title, ...was };
  const set = (key: string, value: Json | undefined) => {
    if (value === undefined || value === '') delete out[key];
    else out[key] = value;
  };
  out['campaign'] = name;
  set('title', d.title);
  if (d.segment) out['audience'] = { segment: d.segment };
  set('template', d.template);
  set('purpose', d.purpose);
  set('category', d.category);
  set('at', d.moment === 'now' ? undefined : d.at.replace('T', ' '));
  set('zone', d.moment === 'zone' ? d.zone : undefined);
  set('rate', d.rate ? (/^\d+$/.test(d.rate) ? `${d.rate}/h` : d.rate) : undefined);
  set('undo', d.undo);
  set('expires', d.expires);
  set('holdout', d.holdout === '' ? undefined : d.holdout === '0' ? 0 : `${d.holdout}%`);
  set('same_address', d.each ? 'each' : undefined);
  set('reason', d.reason);
  return out;
}

const fresh: Draft = {
  title: '',
  segment: '',
  template: '',
  purpose: '',
  reason: '',
  category: '',
  moment: 'own',
  at: '',
  zone: '',
  rate: '',
  undo: '10m',
  expires: '3d',
  holdout: '10',
  each: false,
};

export function Wizard({
  of,
  onDone,
  onCancel,
}: {
  of?: { name: string; file: string; tree: Tree };
  onDone: (name: string) => void;
  onCancel: () => void;
}) {
  const { t, n } = useWords();
  const cache = useQueryClient();
  const [d, setD] = useState<Draft>(() => (of ? draftOf(of.tree) : fresh));
  const [step, setStep] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const segments = useGet('/api/v1/segments', { query: { limit: 500 } });
  const templates = useGet('/api/v1/templates', { query: { limit: 500 } });
  const campaigns = useGet('/api/v1/campaigns');
  const program = useGet('/api/v1/program');
  const set = <K extends keyof Draft>(key: K, value: Draft[K]) => setD((was) => ({ ...was, [key]: value }));
  const kept = of !== undefined && !draftOf(of.tree).segment;
  const save = useMutation({
    mutationFn: async () => {
      const name = of?.name ?? slug(d.title);
      if (!name || name === 'new') throw new Error(t('A name has letters or digits in it.'));
      if (!of && (campaigns.data?.campaigns ?? []).some((c) => c.name === name))
        throw new Error(t('There is a campaign of this name already.'));
      await changeFiles({ [of?.file ?? `campaigns/${name}.yaml`]: written(treeOf(d, name, of?.tree ?? {})) });
      return name;
    },
    onSuccess: (name) => {
      void cache.invalidateQueries();
      onDone(name);
    },
  });
  const to = (next: number) => {
    if (next > step && form.current && !form.current.reportValidity()) return;
    setStep(next);
    setTimeout(() => heading.current?.focus(), 0);
  };
  const chosen = (templates.data?.data ?? []).find((x) => x.name === d.template);
  const segment = (segments.data?.data ?? []).find((s) => s.name === d.segment);
  return (
    <div className="wizard">
      <ol className="wsteps" aria-label={t('Steps')}>
        {steps.map((s, i) => (
          <li key={s} aria-current={i === step ? 'step' : undefined} className={i < step ? 'past' : ''}>
            <button type="button" disabled={i > step + 1 && !of} onClick={() => to(i)}>
              <span aria-hidden="true">{i < step ? '✓' : i + 1}</span> {t(s)}
            </button>
          </li>
        ))}
      </ol>
      <form
        ref={form}
        className="panel"
        onSubmit={(e) => {
          e.preventDefault();
          if (step < steps.length - 1) to(step + 1);
          else save.mutate();
        }}
      >
        <header>
          <h2 tabIndex={-1} ref={heading}>
            {t(steps[step]!)}
          </h2>
          <span className="soft small">{t('Step {n} of {m}', { n: step + 1, m: steps.length })}</span>
        </header>
        <div className="body stack">
          {step === 0 && (
            <>
              <label className="field">
                {t('Title')}
                <input value={d.title} onChange={(e) => set('title', e.target.value)} required maxLength={80} />
                <small>{t('For you and your colleagues; customers do not see it.')}</small>
              </label>
              <label className="field">
                {t('Who gets it')}
                <select value={d.segment} onChange={(e) => set('segment', e.target.value)} required={!kept}>
                  <option value="">{kept ? t('As it is written in the definition') : t('Choose a segment…')}</option>
                  {(segments.data?.data ?? []).map((s) => (
                    <option key={s.name} value={s.name}>
                      {s.label} ({n(s.members)})
                    </option>
                  ))}
                </select>
              </label>
              {d.segment && <Funnel segment={d.segment} />}
            </>
          )}
          {step === 1 && (
            <>
              <label className="field">
                {t('Template')}
                <select value={d.template} onChange={(e) => set('template', e.target.value)} required>
                  <option value="">{t('Choose a template…')}</option>
                  {(templates.data?.data ?? [])
                    .filter((x) => x.subject)
                    .map((x) => (
                      <option key={x.name} value={x.name}>
                        {x.label}
                      </option>
                    ))}
                </select>
                {chosen && (
                  <small>
                    {t('Subject')}: {chosen.subject}
                  </small>
                )}
              </label>
              <label className="field">
                {t('What they agreed to')}
                <select value={d.purpose} onChange={(e) => set('purpose', e.target.value)}>
                  <option value="">{t('The usual: marketing')}</option>
                  {(program.data?.purposes ?? [])
                    .filter((p) => !p.startsWith('track.') && p !== 'marketing')
                    .map((p) => (
                      <option key={p}>{p}</option>
                    ))}
                </select>
                <small>{t('A purpose of a brand makes that brand speak: its sender, its looks.')}</small>
              </label>
              <label className="field">
                {t('Why they get it')}
                <input
                  value={d.reason}
                  onChange={(e) => set('reason', e.target.value)}
                  required
                  maxLength={200}
                  placeholder={t('such as: You bought from us before')}
                />
                <small>{t('It stands at the foot of the message.')}</small>
              </label>
              <label className="field">
                {t('Category it is about')}
                <input value={d.category} onChange={(e) => set('category', e.target.value)} maxLength={80} />
                <small>{t('If it is about one: who just bought there is left out.')}</small>
              </label>
              {d.template && <Look template={d.template} />}
            </>
          )}
          {step === 2 && (
            <>
              <fieldset className="choices">
                <legend>{t('When it leaves')}</legend>
                {(
                  [
                    ['own', 'At a time of each customer’s own clock', 'Nine in the morning is nine for everybody, wherever they live.'],
                    ['zone', 'At one moment everywhere', 'By the clock of one time zone.'],
                    ['now', 'At once', 'As soon as it is sent and the undo window has passed.'],
                  ] as const
                ).map(([value, title, about]) => (
                  <label key={value} className={d.moment === value ? 'on' : ''}>
                    <input type="radio" name="moment" checked={d.moment === value} onChange={() => set('moment', value)} />
                    <span>
                      <b>{t(title)}</b>
                      <small>{t(about)}</small>
                    </span>
                  </label>
                ))}
              </fieldset>
              {d.moment !== 'now' && (
                <div className="row">
                  <label className="field">
                    {t('Day and time')}
                    <input type="datetime-local" value={d.at} onChange={(e) => set('at', e.target.value)} required />
                  </label>
                  {d.moment === 'zone' && (
                    <label className="field">
                      {t('Time zone')}
                      <input
                        list="zones"
                        value={d.zone}
                        onChange={(e) => set('zone', e.target.value)}
                        required
                        placeholder={program.data?.time_zone}
                      />
                      <datalist id="zones">
                        {Intl.supportedValuesOf('timeZone').map((z) => (
                          <option key={z} value={z} />
                        ))}
                      </datalist>
                    </label>
                  )}
                </div>
              )}
              <label className="field">
                {t('Of use for')}
                <select value={d.expires} onChange={(e) => set('expires', e.target.value)}>
                  {[...new Set(['6h', '12h', '1d', '2d', '3d', '7d', d.expires])].map((x) => (
                    <option key={x} value={x}>
                      {span(x, t)}
                    </option>
                  ))}
                </select>
                <small>{t('Who could not be written to by then, because of a cap, quiet hours or an outage, gets nothing.')}</small>
              </label>
            </>
          )}
          {step === 3 && (
            <>
              <label className="field">
                {t('Messages an hour')}
                <input
                  type="number"
                  min={1}
                  max={100000000}
                  value={d.rate}
                  onChange={(e) => set('rate', e.target.value)}
                  placeholder={t('no limit')}
                />
                <small>{t('So that you can keep up with the answers. It can be changed while it runs.')}</small>
              </label>
              <label className="field">
                {t('Undo window')}
                <select value={d.undo} onChange={(e) => set('undo', e.target.value)}>
                  {[...new Set(['none', '10m', '30m', '1h', '2h', d.undo])].map((x) => (
                    <option key={x} value={x}>
                      {x === 'none' ? t('none') : span(x, t)}
                    </option>
                  ))}
                </select>
                <small>{t('For so long nothing leaves, and it can be taken back whole.')}</small>
              </label>
              <label className="field">
                {t('Held out, in per cent')}
                <input
                  type="number"
                  min={0}
                  max={50}
                  step="any"
                  value={d.holdout}
                  onChange={(e) => set('holdout', e.target.value)}
                  placeholder={t('the usual')}
                />
                <small>{t('They get nothing, so that you learn what it truly earned.')}</small>
              </label>
              <label className="row">
                <input type="checkbox" checked={d.each} onChange={(e) => set('each', e.target.checked)} />{' '}
                {t('Customers who share an address get it each')}
              </label>
            </>
          )}
          {step === 4 && (
            <>
              <Facts
                of={[
                  [t('Title'), d.title],
                  [t('Audience'), segment ? `${segment.label} (${n(segment.members)})` : t('As it is written in the definition')],
                  [t('Template'), chosen?.label ?? d.template],
                  [t('Why they get it'), d.reason],
                  [
                    t('When'),
                    d.moment === 'now'
                      ? t('at once, when it is sent')
                      : d.moment === 'own'
                        ? t('{at}, by each customer’s own clock', { at: d.at.replace('T', ' ') })
                        : t('{at}, by the clock of {zone}', { at: d.at.replace('T', ' '), zone: d.zone }),
                  ],
                  [t('Rate'), d.rate ? t('{n} an hour', { n: d.rate }) : t('no limit')],
                  [t('Undo window'), d.undo === 'none' ? t('none') : span(d.undo, t)],
                  [t('Held out'), d.holdout === '' ? t('the usual') : `${d.holdout} %`],
                ]}
              />
              <p className="note">
                {t('This makes a draft. On its page you see whom it reaches after every rule, read it, send yourself a test, and send it.')}
              </p>
              {of && <p className="soft small">{t('Comments in the file of this campaign are not kept.')}</p>}
            </>
          )}
          <Failure error={save.error} />
          <div className="row">
            {step > 0 && (
              <button type="button" onClick={() => to(step - 1)}>
                {t('Back')}
              </button>
            )}
            <button className="primary" disabled={save.isPending}>
              {step < steps.length - 1 ? t('Next') : of ? t('Save') : t('Make a draft')}
            </button>
            <button type="button" className="link" onClick={onCancel}>
              {t('Cancel')}
            </button>
          </div>
        </div>
      </form>
    </div>
  );
}

// span says a length of time such as 10m or 3d.
function span(x: string, t: (text: Text, vars?: Record<string, string | number>) => string): string {
  const m = /^(\d+)([mhd])$/.exec(x);
  if (!m) return x;
  const n = Number(m[1]);
  return m[2] === 'm'
    ? t('{n} minutes', { n })
    : m[2] === 'h'
      ? n === 1
        ? t('an hour')
        : t('{n} hours', { n })
      : n === 1
        ? t('a day')
        : t('{n} days', { n });
}

function Funnel({ segment }: { segment: string }) {
  const { t, n } = useWords();
  const f = useQuery({
    queryKey: ['funnel', segment],
    retry: false,
    queryFn: () => must(api.POST('/api/v1/segments/preview', { body: { when: { segment }, sample: 0, wait: 8 } })),
  });
  return (
    <State of={f}>
      {(p) => {
        const mail = (p.funnel ?? []).find((r) => r.channel === 'email') ?? p.funnel?.[0];
        const lines: [Text, number][] = [
          ['in the audience', p.members],
          ...(mail
            ? ([
                ['with an address that takes mail', mail.reachable],
                ['who agreed', mail.agreed],
                ['after caps and quiet hours', mail.free],
              ] as [Text, number][])
            : []),
        ];
        return (
          <div className="stack">
            {lines.map(([label, v]) => (
              <div key={label}>
                <div className="spread">
                  <span>{t(label)}</span>
                  <b>{n(v)}</b>
                </div>
                <Bar share={v / Math.max(1, p.members)} />
              </div>
            ))}
          </div>
        );
      }}
    </State>
  );
}

function Look({ template }: { template: string }) {
  const { t } = useWords();
  const some = useGet('/api/v1/customers', { query: { limit: 1 } });
  const who = some.data?.data?.[0]?.id;
  const read = useQuery({
    queryKey: ['preview', template, who ?? ''],
    enabled: who !== undefined,
    retry: false,
    queryFn: () =>
      must(api.POST('/api/v1/templates/{name}/preview', { params: { path: { name: template } }, body: { customer: who ?? '' } })),
  });
  if (some.data && !who) return <Empty>{t('Nobody is known yet to read it as.')}</Empty>;
  return (
    <Panel title={t('Preview')}>
      <State of={read}>
        {(p) =>
          p.frame ? (
            <iframe className="frame short" title={t('Preview')} sandbox="" src={`/api/v1/frames/${p.frame}`} />
          ) : (
            <Empty>{p.aborted || t('Not readable yet')}</Empty>
          )
        }
      </State>
    </Panel>
  );
}
