// What the shop sells: how the catalogue is, a list to search, and each product.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useDeferredValue, useState } from 'react';
import { api, get, must, useGet, type Schemas } from '../api';
import { Empty, Facts, Kpi, List, Panel, State, Tag, type Tone } from '../parts/kit';
import { usePages } from '../parts/pages';
import { useMay } from '../session';
import { useWords, type Text } from '../words';
import { Feed } from './data-feed';

type Line = Schemas['ProductLine'];
const states = ['in_stock', 'out_of_stock', 'preorder', 'backorder', 'on_sale', 'gone'] as const;
const named: Record<string, Text> = {
  in_stock: 'in stock',
  out_of_stock: 'sold out',
  preorder: 'to pre-order',
  backorder: 'on backorder',
  on_sale: 'on sale',
  gone: 'not sold any more',
};
const word = (state: string): Text => named[state] ?? 'not known';
const tone: Record<string, Tone> = { in_stock: 'good', out_of_stock: 'bad', preorder: 'accent', backorder: 'warn' };

export function Catalogue() {
  const { id } = useParams({ strict: false }) as { id?: string };
  return id ? <One id={id} /> : <All />;
}

function All() {
  const { t, n, when, pct } = useWords();
  const may = useMay();
  const [q, setQ] = useState('');
  const [state, setState] = useState<(typeof states)[number] | ''>('');
  const asked = useDeferredValue(q.trim());
  const sum = useGet('/api/v1/catalogue', undefined, { refetchInterval: 30_000 });
  const list = usePages<Line>(['products', asked, state], (cursor) =>
    get('/api/v1/products', {
      query: { limit: 100, ...(asked ? { q: asked } : {}), ...(state ? { availability: state } : {}), ...(cursor ? { cursor } : {}) },
    }),
  );
  const s = sum.data;
  return (
    <div className="stack">
      <div className="kpis">
        <Kpi label={t('Products')} value={n(s?.products)} />
        <Kpi label={t('Variants')} value={n(s?.variants)} />
        <Kpi label={t('Sold out')} value={n(s?.sold_out)} />
        <Kpi label={t('On sale')} value={n(s?.on_sale)} />
        <Kpi label={t('With a picture')} value={s?.products ? pct(s.with_picture / s.products) : '–'} />
      </div>
      {s && (s.sources ?? []).length > 0 && (
        <Panel title={t('Where it comes from')} flush>
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th>{t('Source')}</th>
                  <th className="num">{t('Products')}</th>
                  <th className="num">{t('Not sold any more')}</th>
                  <th>{t('Last news')}</th>
                </tr>
              </thead>
              <tbody>
                {(s.sources ?? []).map((x) => (
                  <tr key={x.source}>
                    <td>
                      <b>{x.source}</b>
                    </td>
                    <td className="num">{n(x.products)}</td>
                    <td className="num">{n(x.gone)}</td>
                    <td className="soft">{when(x.newest)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
      )}
      {may('post_products_feed') && <Feed />}
      <div className="row">
        <input
          className="search"
          type="search"
          aria-label={t('Find a product')}
          placeholder={t('Title, brand, category, SKU…')}
          value={q}
          onChange={(e) => setQ(e.target.value)}
          maxLength={100}
        />
        <select aria-label={t('State')} value={state} onChange={(e) => setState(e.target.value as typeof state)}>
          <option value="">{t('all that are sold')}</option>
          {states.map((x) => (
            <option key={x} value={x}>
              {t(word(x))}
            </option>
          ))}
        </select>
      </div>
      <State of={list}>
        {(rows) =>
          rows.length === 0 ? (
            <Panel>
              <Empty>
                {asked || state
                  ? t('Nothing is like that.')
                  : t('The catalogue is empty. A connected shop, a feed or PUT /api/v1/products fills it.')}
              </Empty>
            </Panel>
          ) : (
            <List
              label={t('Products')}
              rows={rows}
              keyOf={(p) => p.source + '/' + p.id}
              to={(p) => '/app/data/catalogue/' + encodeURIComponent(p.id)}
              more={list.more}
              columns={[
                { name: t('Product'), width: 'minmax(180px, 2fr)', cell: (p) => p.title || p.id },
                { name: t('Category'), width: 'minmax(100px, 1fr)', cell: (p) => <span className="soft">{p.category}</span> },
                {
                  name: t('Price'),
                  width: '170px',
                  num: true,
                  cell: (p) => (
                    <>
                      {p.regular_price && <s className="soft small">{p.regular_price}</s>} {p.price ?? '–'}
                    </>
                  ),
                },
                { name: t('Pieces'), width: '76px', num: true, cell: (p) => n(p.stock) },
                {
                  name: t('State'),
                  width: '110px',
                  cell: (p) => <Tag tone={p.gone ? '' : tone[p.availability]}>{t(word(p.gone ? 'gone' : p.availability))}</Tag>,
                },
                { name: t('Last news'), width: '150px', cell: (p) => <span className="soft">{when(p.updated)}</span> },
              ]}
            />
          )
        }
      </State>
    </div>
  );
}

function One({ id }: { id: string }) {
  const { t, n, when } = useWords();
  const one = useGet('/api/v1/products/{id}/full', { path: { id } }, { retry: false });
  const beside = useQuery({
    queryKey: ['beside', id],
    retry: false,
    queryFn: () => must(api.POST('/api/v1/recommend', { body: { list: 'together', item: id, n: 6, quiet: true, strict: true } as never })),
  });
  return (
    <State of={one}>
      {(p) => (
        <div className="stack">
          <div className="crumbs">
            <Link to="/app/data/catalogue">{t('Catalogue')}</Link> <span aria-hidden="true">/</span> <b>{p.title || p.id}</b>{' '}
            <Tag tone={p.gone ? '' : tone[p.availability]}>{t(word(p.gone ? 'gone' : p.availability))}</Tag>
          </div>
          <div className="grid2">
            <Panel title={t('Variants')} flush>
              <div className="scroll">
                <table>
                  <thead>
                    <tr>
                      <th>{t('Variant')}</th>
                      <th>SKU</th>
                      <th className="num">{t('Price')}</th>
                      <th className="num">{t('Pieces')}</th>
                      <th>{t('State')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {(p.options ?? []).map((v) => (
                      <tr key={v.id}>
                        <td>
                          {v.title || v.id}
                          {(v.places ?? []).length > 0 && (
                            <div className="soft small">{(v.places ?? []).map((x) => `${x.place}: ${n(x.stock)}`).join(' · ')}</div>
                          )}
                        </td>
                        <td className="mono">{v.sku}</td>
                        <td className="num">
                          {v.regular_price && <s className="soft small">{v.regular_price}</s>} {v.price}
                          {v.sale_to && <div className="soft small">{t('until {date}', { date: when(v.sale_to) })}</div>}
                        </td>
                        <td className="num">{n(v.stock)}</td>
                        <td>
                          <Tag tone={tone[v.availability]}>{t(word(v.availability))}</Tag>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Panel>
            <div className="stack">
              {p.interest && (
                <Panel
                  title={t('Who is interested')}
                  aside={<span className="soft small">{t('in {n} days', { n: p.interest.days })}</span>}
                >
                  <dl className="figures">
                    {(
                      [
                        ['Looked at it', p.interest.viewed],
                        ['Put it into the basket', p.interest.carted],
                        ['Wish for it', p.interest.wished],
                        ['Bought it', p.interest.bought],
                      ] as [Text, number][]
                    ).map(([text, v]) => (
                      <div key={text}>
                        <dt>{t(text)}</dt>
                        <dd>
                          {n(v)}
                          {p.interest?.more ? '+' : ''}
                        </dd>
                      </div>
                    ))}
                  </dl>
                </Panel>
              )}
              <Panel title={t('About it')}>
                <Facts
                  of={[
                    [t('Number'), <code key="i">{p.id}</code>],
                    [t('Source'), p.source],
                    [t('Brand'), p.brand || '–'],
                    [t('Categories'), (p.categories ?? []).join(', ') || '–'],
                    [t('Page'), p.url ? <span className="mono wrap-any">{p.url}</span> : '–'],
                    [t('Pictures'), n((p.images ?? []).length)],
                    [t('Last news'), when(p.updated)],
                  ]}
                />
              </Panel>
            </div>
          </div>
          <Panel title={t('Bought together with it')} flush>
            {beside.error ? (
              <Empty>{beside.error.message}</Empty>
            ) : (beside.data?.items ?? []).length === 0 ? (
              <Empty>{beside.isPending ? t('One moment…') : t('Too few orders have it to say so.')}</Empty>
            ) : (
              <ul className="plain lines">
                {(beside.data?.items ?? []).map((x) => (
                  <li key={x.item} className="spread">
                    <Link to={'/app/data/catalogue/' + encodeURIComponent(x.item)}>{x.title || x.item}</Link>
                    <span className="soft">{x.price}</span>
                  </li>
                ))}
              </ul>
            )}
          </Panel>
        </div>
      )}
    </State>
  );
}
