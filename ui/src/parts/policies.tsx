// The rules that protect customers, and the four eyes of a large send.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { api, must, useGet } from '../api';
import type { Json, Tree } from './files';
import { Empty, Facts, Failure, Panel, State } from './kit';
import { useSection } from './section';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const str = (v: Json | undefined) => (v === null || v === undefined || typeof v === 'object' ? '' : String(v));
const map = (v: Json | undefined): Tree => (v !== null && typeof v === 'object' && !Array.isArray(v) ? v : {});

interface Cap {
  channel: string;
  per: string;
  most: string;
}

const spans: [string, Text, Text][] = [
  ['gap', 'Between two messages', 'Such as 24h or 2d.'],
  ['owned_for', 'Nobody is offered what they bought within', 'Such as 60d.'],
  ['max_deferral', 'What is held back waits at most', 'Such as 7d.'],
  ['expires', 'A message is of use for', 'Such as 3d.'],
];

export function Policies() {
  const { t } = useWords();
  const section = useSection('policy.yaml');
  return (
    <div className="grid2">
      {section.tree.error ? (
        <Panel title={t('Caps and quiet hours')}>
          <Empty>{t('The definitions have no policy.')}</Empty>
        </Panel>
      ) : (
        <State of={section.tree}>{() => <Rules section={section} />}</State>
      )}
      <div className="stack">
        <FourEyes />
        <Shop />
      </div>
    </div>
  );
}

function Rules({ section }: { section: ReturnType<typeof useSection> }) {
  const { t } = useWords();
  const may = useMay();
  const writable = may('put_definitions');
  const value = section.value;
  const asked = JSON.stringify(value);
  const [caps, setCaps] = useState<Cap[]>([]);
  const [quiet, setQuiet] = useState({ from: '', to: '' });
  const [lengths, setLengths] = useState<Record<string, string>>({});
  const [then, setThen] = useState({ at_cap: '', at_quiet: '' });
  useEffect(() => {
    const v = JSON.parse(asked) as Tree;
    setCaps(
      Object.entries(map(v['caps'])).flatMap(([channel, c]) =>
        (Array.isArray(c) ? c : [c]).map((one) => ({ channel, per: str(map(one)['per']), most: str(map(one)['most']) })),
      ),
    );
    const q = Array.isArray(v['quiet']) ? v['quiet'][0] : v['quiet'];
    setQuiet({ from: str(map(q)['from']), to: str(map(q)['to']) });
    setLengths(Object.fromEntries(spans.map(([k]) => [k, str(v[k])])));
    setThen({ at_cap: str(v['at_cap']), at_quiet: str(v['at_quiet']) });
  }, [asked]);
  const several = Array.isArray(value['quiet']) && value['quiet'].length > 1;
  const save = (e: FormEvent) => {
    e.preventDefault();
    const changes: Record<string, Json | undefined> = {};
    const by: Tree = {};
    for (const c of caps) by[c.channel] = [...((by[c.channel] as Json[]) ?? []), { per: c.per, most: Number(c.most) }];
    changes['caps'] = Object.keys(by).length ? by : undefined;
    if (!several)
      changes['quiet'] =
        quiet.from && quiet.to ? { ...map(Array.isArray(value['quiet']) ? value['quiet'][0] : value['quiet']), ...quiet } : undefined;
    for (const [k] of spans) if (lengths[k] !== str(value[k])) changes[k] = lengths[k] || undefined;
    for (const k of ['at_cap', 'at_quiet'] as const) if (then[k] !== str(value[k])) changes[k] = then[k] || undefined;
    section.save.mutate(changes);
  };
  const set = (i: number, c: Partial<Cap>) => setCaps(caps.map((o, k) => (k === i ? { ...o, ...c } : o)));
  return (
    <Panel title={t('Caps and quiet hours')} aside={<span className="soft small mono">policy.yaml</span>}>
      <form className="stack" onSubmit={save}>
        <fieldset className="plain stack" disabled={!writable}>
          <legend>{t('How many messages of marketing one customer gets')}</legend>
          {caps.map((c, i) => (
            <div key={i} className="row cap">
              <label>
                <span className="hidden">{t('Most')}</span>
                <input type="number" min={0} required value={c.most} onChange={(e) => set(i, { most: e.target.value })} />
              </label>
              <span>{t('within')}</span>
              <label>
                <span className="hidden">{t('Within')}</span>
                <input required pattern="[0-9]+[mhdw]" size={5} value={c.per} onChange={(e) => set(i, { per: e.target.value })} />
              </label>
              <span>{t('by')}</span>
              <label>
                <span className="hidden">{t('Channel')}</span>
                <select value={c.channel} onChange={(e) => set(i, { channel: e.target.value })}>
                  {[...new Set(['all', 'email', 'sms', 'whatsapp', 'push', 'webpush', c.channel])].map((x) => (
                    <option key={x} value={x}>
                      {x === 'all' ? t('every channel together') : x}
                    </option>
                  ))}
                </select>
              </label>
              {writable && (
                <button
                  type="button"
                  className="link danger"
                  aria-label={`${t('Take out')}: ${c.most} / ${c.per} ${c.channel}`}
                  onClick={() => setCaps(caps.filter((_, k) => k !== i))}
                >
                  {t('Take out')}
                </button>
              )}
            </div>
          ))}
          {writable && (
            <div>
              <button type="button" onClick={() => setCaps([...caps, { channel: 'email', per: '7d', most: '2' }])}>
                {t('Add a cap')}
              </button>
            </div>
          )}
        </fieldset>
        <fieldset className="plain stack" disabled={!writable}>
          <legend>{t('Quiet hours, by the customer’s own clock')}</legend>
          {several ? (
            <p className="soft">{t('There are several; they are changed in policy.yaml.')}</p>
          ) : (
            <div className="row">
              <label className="row">
                {t('from')} <input type="time" value={quiet.from} onChange={(e) => setQuiet({ ...quiet, from: e.target.value })} />
              </label>
              <label className="row">
                {t('to')} <input type="time" value={quiet.to} onChange={(e) => setQuiet({ ...quiet, to: e.target.value })} />
              </label>
            </div>
          )}
        </fieldset>
        <fieldset className="plain stack" disabled={!writable}>
          <legend>{t('What a rule holds back')}</legend>
          {(['at_cap', 'at_quiet'] as const).map((k) => (
            <label key={k} className="row">
              {t(k === 'at_cap' ? 'By a cap' : 'By quiet hours')}
              <select value={then[k]} onChange={(e) => setThen({ ...then, [k]: e.target.value })}>
                <option value="">{t('the usual')}</option>
                <option value="defer">{t('waits')}</option>
                <option value="drop">{t('is dropped')}</option>
              </select>
            </label>
          ))}
        </fieldset>
        <div className="pairs">
          {spans.map(([k, label, about]) => (
            <label key={k} className="field">
              {t(label)}
              <input
                value={lengths[k] ?? ''}
                pattern="[0-9]+[smhdw]"
                readOnly={!writable}
                onChange={(e) => setLengths({ ...lengths, [k]: e.target.value.trim() })}
                placeholder={t('the usual')}
              />
              <small>{t(about)}</small>
            </label>
          ))}
        </div>
        <Failure error={section.save.error} />
        {writable && (
          <div className="row">
            <button className="primary" disabled={section.save.isPending}>
              {t('Put in force')}
            </button>
            {section.save.isSuccess && <span role="status">{t('In force.')}</span>}
          </div>
        )}
      </form>
    </Panel>
  );
}

function FourEyes() {
  const { t, n } = useWords();
  const may = useMay();
  const cache = useQueryClient();
  const approvals = useGet('/api/v1/approvals');
  const set = useMutation({
    mutationFn: (above: number) => must(api.PUT('/api/v1/approvals', { body: { above } })),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ['/api/v1/approvals'] }),
  });
  const submit = (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault();
    set.mutate(Number(new FormData(e.currentTarget).get('above')));
  };
  return (
    <Panel title={t('Four eyes')}>
      <State of={approvals}>
        {(a) => (
          <form className="stack" onSubmit={submit}>
            <p className="soft">
              {a.above > 0
                ? t('Campaigns that reach more than {n} need the approval of somebody else.', { n: n(a.above) })
                : t('No campaign needs an approval.')}
            </p>
            {may('put_approvals') && (
              <div className="row">
                <input name="above" aria-label={t('Above how many')} type="number" min={0} defaultValue={a.above} />
                <button disabled={set.isPending}>{t('Save')}</button>
              </div>
            )}
            <Failure error={set.error} />
          </form>
        )}
      </State>
    </Panel>
  );
}

function Shop() {
  const { t } = useWords();
  const program = useGet('/api/v1/program');
  return (
    <Panel title={t('In force')}>
      <State of={program}>
        {(p) => (
          <Facts
            of={[
              [t('Name'), p.name],
              [t('Time zone'), p.time_zone],
              [t('Currency'), p.currency],
              [t('Language'), p.locale],
              [t('Purposes'), (p.purposes ?? []).join(', ')],
              [t('Channels'), (p.channels ?? []).join(', ')],
              [
                t('Definitions'),
                <span key="t" className="mono">
                  {p.tag}
                </span>,
              ],
            ]}
          />
        )}
      </State>
    </Panel>
  );
}
