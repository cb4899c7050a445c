// Stores on a map that needs no tiles: where they are is drawn from their positions.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { Empty, Facts, Failure, Panel, State, Tag } from '../parts/kit';
import {
  framed,
  graticule,
  high,
  meridians,
  parallels,
  project,
  scale,
  turned,
  unproject,
  wide,
  type Frame,
  type Spot,
} from '../parts/projection';
import { useWords } from '../words';

type Store = Schemas['StoreView'];
type Fence = Schemas['FenceView'];

export function Stores() {
  const { t } = useWords();
  const stores = useGet('/api/v1/stores', { query: { limit: 500 } });
  const fences = useGet('/api/v1/fences', { query: { limit: 500 } as never });
  return (
    <State of={stores}>
      {(l) =>
        (l.data ?? []).length === 0 ? (
          <Panel>
            <Empty>{t('The definitions have no stores. rapport import stores turns a list into definitions.')}</Empty>
          </Panel>
        ) : (
          <Shown stores={l.data ?? []} fences={fences.data?.data ?? []} />
        )
      }
    </State>
  );
}

function Shown({ stores, fences }: { stores: Store[]; fences: Fence[] }) {
  const { t, n } = useWords();
  const [at, setAt] = useState<Spot | null>(null);
  const [here, setHere] = useState<string | null>(null);
  const near = useQuery({
    queryKey: ['nearest', at],
    enabled: at !== null,
    queryFn: () => get('/api/v1/stores/nearest', { query: { lat: at?.lat ?? 0, lon: at?.lon ?? 0, limit: 5 } as never }),
  });
  const [typed, setTyped] = useState('');
  const around = useMutation({
    mutationFn: async () => {
      const c = await must(api.POST('/api/v1/customers/search', { body: { identifier: typed.trim() } }));
      return get('/api/v1/stores/nearest', { query: { customer: c.id, limit: 5 } });
    },
  });
  const hours = (s: Store) => (s.hours_today === 'closed' ? t('closed') : s.hours_today || t('not known'));
  const store = stores.find((s) => s.id === here);
  return (
    <div className="stack">
      <div className="grid2">
        <Map stores={stores} fences={fences} here={here} onHere={setHere} at={at} onAt={setAt} />
        <div className="stack">
          {store ? (
            <Panel title={store.name || store.id} aside={<Open of={store} />}>
              <Facts
                of={[
                  [
                    t('Address'),
                    [store.street, [store.postal, store.city].filter(Boolean).join(' '), store.country].filter(Boolean).join(', ') || '–',
                  ],
                  [t('Hours today'), hours(store)],
                  [t('Telephone'), store.phone || '–'],
                  [t('Time zone'), store.zone],
                  [t('Services'), (store.services ?? []).join(', ') || '–'],
                  [
                    t('Fences'),
                    fences
                      .filter((f) => f.store === store.id)
                      .map((f) => `${f.name} (${n(Math.round(f.metres))} m)`)
                      .join(', ') || '–',
                  ],
                ]}
              />
            </Panel>
          ) : (
            <Panel title={t('A store')}>
              <p className="soft">{t('Choose a store on the map or in the list.')}</p>
            </Panel>
          )}
          <Panel title={t('Nearest to a place')}>
            <form
              className="stack"
              onSubmit={(e) => {
                e.preventDefault();
                const f = new FormData(e.currentTarget);
                setAt({ lat: Number(f.get('lat')), lon: Number(f.get('lon')) });
              }}
            >
              <div className="row" key={at ? `${at.lat},${at.lon}` : ''}>
                <input
                  name="lat"
                  aria-label={t('Latitude')}
                  placeholder={t('Latitude')}
                  inputMode="decimal"
                  required
                  pattern="-?[0-9]+(\.[0-9]+)?"
                  size={9}
                  defaultValue={at?.lat.toFixed(4)}
                />
                <input
                  name="lon"
                  aria-label={t('Longitude')}
                  placeholder={t('Longitude')}
                  inputMode="decimal"
                  required
                  pattern="-?[0-9]+(\.[0-9]+)?"
                  size={9}
                  defaultValue={at?.lon.toFixed(4)}
                />
                <button>{t('Find')}</button>
              </div>
              <p className="soft small">{t('Or double-click on the map.')}</p>
            </form>
            {near.error && <div className="note bad">{near.error.message}</div>}
            <form
              className="stack"
              onSubmit={(e) => {
                e.preventDefault();
                around.mutate();
              }}
            >
              <div className="row">
                <input
                  aria-label={t('Nearest to a customer')}
                  placeholder={t('E-mail, phone, user id, customer id…')}
                  value={typed}
                  onChange={(e) => setTyped(e.target.value)}
                  required
                  maxLength={300}
                />
                <button disabled={around.isPending}>{t('Find')}</button>
              </div>
            </form>
            <Failure error={around.error} />
            {around.data && <Near of={around.data.data ?? []} onHere={setHere} />}
            {at && near.data && <Near of={near.data.data ?? []} onHere={setHere} />}
          </Panel>
        </div>
      </div>
      <Panel title={t('{n} stores', { n: n(stores.length) })} flush>
        <div className="scroll tall" tabIndex={0} role="region" aria-label={t('Stores')}>
          <table>
            <thead>
              <tr>
                <th>{t('Store')}</th>
                <th>{t('City')}</th>
                <th>{t('Hours today')}</th>
                <th>{t('State')}</th>
                <th>{t('Fences')}</th>
              </tr>
            </thead>
            <tbody>
              {stores.map((s) => (
                <tr key={s.id}>
                  <td>
                    <button className="link" onClick={() => setHere(s.id)}>
                      {s.name || s.id}
                    </button>
                  </td>
                  <td>{s.city}</td>
                  <td className="soft">{hours(s)}</td>
                  <td>
                    <Open of={s} />
                  </td>
                  <td className="soft">
                    {fences
                      .filter((f) => f.store === s.id)
                      .map((f) => f.name)
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
    </div>
  );
}

const distance = (metres: number | undefined) =>
  metres === undefined ? '' : metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;

function Near({ of, onHere }: { of: Store[]; onHere: (id: string) => void }) {
  return (
    <ol className="nearest">
      {of.map((s) => (
        <li key={s.id}>
          <button className="link" onClick={() => onHere(s.id)}>
            {s.name || s.id}
          </button>{' '}
          <span className="soft">{distance(s.metres)}</span> <Open of={s} />
        </li>
      ))}
    </ol>
  );
}

function Open({ of: s }: { of: Store }) {
  const { t } = useWords();
  if (s.open === undefined) return <Tag>{t('hours not known')}</Tag>;
  return s.open ? <Tag tone="good">{t('open')}</Tag> : <Tag>{t('closed')}</Tag>;
}

function Map({
  stores,
  fences,
  here,
  onHere,
  at,
  onAt,
}: {
  stores: Store[];
  fences: Fence[];
  here: string | null;
  onHere: (id: string) => void;
  at: Spot | null;
  onAt: (s: Spot) => void;
}) {
  const { t } = useWords();
  const all = useMemo(() => framed(stores), [stores]);
  const [f, setF] = useState<Frame>(all);
  const drag = useRef<{ x: number; y: number; f: Frame } | null>(null);
  const box = useRef<SVGSVGElement>(null);
  const zoom = (k: number) => setF((v) => ({ ...v, span: Math.min(160, Math.max(0.005, v.span * k)) }));
  const move = (dx: number, dy: number) =>
    setF((v) => ({
      ...v,
      lon: v.lon + (dx * v.span * wide) / high / Math.cos((v.lat * Math.PI) / 180),
      lat: Math.max(-85, Math.min(85, v.lat - dy * v.span)),
    }));
  const keys = (e: KeyboardEvent) => {
    const acts: Record<string, () => void> = {
      '+': () => zoom(0.6),
      '=': () => zoom(0.6),
      '-': () => zoom(1.6),
      '0': () => setF(all),
      ArrowLeft: () => move(-0.12, 0),
      ArrowRight: () => move(0.12, 0),
      ArrowUp: () => move(0, -0.12),
      ArrowDown: () => move(0, 0.12),
    };
    const act = acts[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  };
  const pixel = (e: { clientX: number; clientY: number }) => {
    const r = box.current?.getBoundingClientRect();
    return r ? { x: ((e.clientX - r.left) / r.width) * wide, y: ((e.clientY - r.top) / r.height) * high } : { x: 0, y: 0 };
  };
  const pull = (e: PointerEvent) => {
    if (!drag.current) return;
    const p = pixel(e);
    const d = drag.current;
    const a = unproject(d.f, d.x, d.y);
    const b = unproject(d.f, p.x, p.y);
    setF({ ...d.f, lat: d.f.lat + a.lat - b.lat, lon: d.f.lon + a.lon - b.lon });
  };
  const step = graticule(f);
  const km = scale(f);
  const bar = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1].find((k) => k / km <= 140) ?? 0.1;
  // A town is named once, where the first of its stores stands, if there is room.
  const named: { x: number; y: number; text: string }[] = [];
  for (const s of stores) {
    const text = s.city || s.name || s.id;
    const p = project(f, s);
    if (p.x < 0 || p.x > wide || p.y < 0 || p.y > high) continue;
    if (named.some((o) => o.text === text)) continue;
    const long = text.length * 7;
    const free = (x: number) => !named.some((o) => x < o.x + o.text.length * 7 && x + long > o.x && Math.abs(o.y - p.y) < 14);
    const x = [p.x + 10, p.x - 10 - long].find(free);
    if (x !== undefined) named.push({ x, y: p.y, text });
  }
  return (
    <Panel
      title={t('Map')}
      aside={
        <div className="row">
          <button aria-label={t('Nearer')} onClick={() => zoom(0.6)}>
            +
          </button>
          <button aria-label={t('Farther')} onClick={() => zoom(1.6)}>
            −
          </button>
          <button onClick={() => setF(all)}>{t('All')}</button>
        </div>
      }
    >
      <svg
        ref={box}
        className="map"
        viewBox={`0 0 ${wide} ${high}`}
        role="application"
        aria-label={t('Map of the stores: arrows move it, plus and minus zoom, 0 shows all')}
        tabIndex={0}
        onKeyDown={keys}
        onPointerDown={(e) => {
          if ((e.target as Element).closest('[data-store]')) return;
          drag.current = { ...pixel(e), f };
          e.currentTarget.setPointerCapture(e.pointerId);
        }}
        onPointerMove={pull}
        onPointerUp={() => (drag.current = null)}
        onDoubleClick={(e) => {
          const p = pixel(e);
          onAt(unproject(f, p.x, p.y));
        }}
      >
        <rect width={wide} height={high} className="sea" />
        {parallels(f).map((lat) => {
          const y = project(f, { lat, lon: f.lon }).y;
          return (
            <g key={'a' + lat.toFixed(4)}>
              <line x1={0} x2={wide} y1={y} y2={y} className="grid" />
              <text className="degrees" x={6} y={y - 4}>
                {Math.abs(lat).toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0)}° {lat < 0 ? 'S' : 'N'}
              </text>
            </g>
          );
        })}
        {meridians(f).map((lon) => {
          const x = project(f, { lat: f.lat, lon }).x;
          return (
            <g key={'o' + lon.toFixed(4)}>
              <line y1={0} y2={high} x1={x} x2={x} className="grid" />
              <text className="degrees" x={x + 4} y={high - 6}>
                {Math.abs(turned(lon)).toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0)}° {turned(lon) < 0 ? 'W' : 'E'}
              </text>
            </g>
          );
        })}
        {fences.map((x) => {
          const p = project(f, x);
          return <circle key={x.name} cx={p.x} cy={p.y} r={Math.max(x.metres / 1000 / km, 3)} className="fence" />;
        })}
        {stores.map((s) => {
          const p = project(f, s);
          return (
            <g
              key={s.id}
              data-store={s.id}
              role="button"
              tabIndex={0}
              aria-label={s.name || s.id}
              aria-pressed={here === s.id}
              onClick={() => onHere(s.id)}
              onKeyDown={(e) => (e.key === 'Enter' || e.key === ' ') && (e.preventDefault(), e.stopPropagation(), onHere(s.id))}
            >
              <circle cx={p.x} cy={p.y} r={14} fill="transparent" />
              <circle
                cx={p.x}
                cy={p.y}
                r={here === s.id ? 8 : 5.5}
                className={'store' + (here === s.id ? ' on' : '') + (s.open === false ? ' shut' : '')}
              />
            </g>
          );
        })}
        {named.map((o) => (
          <text key={o.text} x={o.x} y={o.y + 4} className="town">
            {o.text}
          </text>
        ))}
        {at && (
          <g className="at">
            <line x1={project(f, at).x - 8} x2={project(f, at).x + 8} y1={project(f, at).y} y2={project(f, at).y} />
            <line y1={project(f, at).y - 8} y2={project(f, at).y + 8} x1={project(f, at).x} x2={project(f, at).x} />
          </g>
        )}
        <g className="bar-scale">
          <line x1={wide - 16 - bar / km} x2={wide - 16} y1={20} y2={20} />
          <text x={wide - 16} y={36} textAnchor="end">
            {bar < 1 ? bar * 1000 + ' m' : bar + ' km'}
          </text>
        </g>
      </svg>
    </Panel>
  );
}
