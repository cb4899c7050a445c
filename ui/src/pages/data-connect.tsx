// How a shop is connected, and a sign that lights up when its first event is here.
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useGet } from '../api';
import { Panel, Tag } from '../parts/kit';
import { useStream, type Line } from '../parts/stream';
import { useMay } from '../session';
import { useWords, type Text } from '../words';

const ways = ['Web page', 'Server', 'Till', 'Shopify', 'WooCommerce'] as const;

export function Connect() {
  const { t } = useWords();
  const may = useMay();
  const keys = useGet('/api/v1/keys', { query: {} as never }, { enabled: may('get_keys'), retry: false });
  const write = (keys.data?.data ?? []).find((k) => k.kind === 'write' && !k.revoked && k.key)?.key;
  const [way, setWay] = useState<(typeof ways)[number]>('Web page');
  const here = location.origin;
  const texts: Record<(typeof ways)[number], { about: Text; code: string; more?: Text }> = {
    'Web page': {
      about:
        'Put this before the end of the head of every page. It is the open analytics.js of Segment, sent here and to nobody else; the shop serves the file itself.',
      code: `<script src="/analytics.min.js"></script>
<script>
  const { analytics } = window.AnalyticsNext ?? window
  analytics.load(
    { writeKey: '${write ?? 'WRITE_KEY'}' },
    { integrations: { 'Segment.io': { apiHost: '${here.replace(/^https?:\/\//, '')}/v1', protocol: '${location.protocol.slice(0, -1)}' } } },
  )
  analytics.page()
</script>

<!-- when somebody signs in or leaves an address -->
analytics.identify('customer-17', { email: 'ada@example.com' })

<!-- when somebody looks, and when somebody buys -->
analytics.track('Product Viewed', { product_id: 'LAMP', sku: 'LAMP', price: 24.9 })
analytics.track('Order Completed', { order_id: 'A7', currency: 'GBP', total: 24.9,
  products: [{ sku: 'LAMP', price: 24.9, quantity: 1 }] })`,
      more: 'The write key is public: it can send events and nothing else.',
    },
    Server: {
      about: 'Any SDK of Segment, RudderStack or Jitsu sends here when it is told this address. So does plain HTTP:',
      code: `curl ${here}/v1/track \\
  -u '${write ?? 'WRITE_KEY'}:' \\
  -H 'Content-Type: application/json' \\
  -d '{"userId": "customer-17", "event": "Order Completed",
       "properties": {"order_id": "A7", "currency": "GBP", "total": 24.9}}'`,
      more: 'A server should use a secret key: what it says is believed further.',
    },
    Till: {
      about: 'Each receipt is an order of the moment of its sale, however late it comes. A receipt that is sent twice counts once.',
      code: `curl ${here}/api/v1/receipts \\
  -H "Authorization: Bearer $RAPPORT_SECRET_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"receipts": [{"id": "4711", "at": "2026-11-28T10:12:00Z", "store": "leeds",
       "loyalty": "900017", "currency": "GBP", "total": "24.90",
       "lines": [{"sku": "LAMP", "quantity": 1, "price": "24.90"}]}]}'`,
    },
    Shopify: {
      about:
        'Connect the shop on the server, once. It sends orders, customers and products by webhooks, and what there was before is fetched.',
      code: `rapport connect shopify --help`,
    },
    WooCommerce: {
      about:
        'Connect the shop on the server, once. It sends orders, customers and products by webhooks, and what there was before is fetched.',
      code: `rapport connect woocommerce --help`,
    },
  };
  const shown = texts[way];
  return (
    <div className="grid2">
      <Panel title={t('Connect')}>
        <div className="stack">
          <div className="seg wrap">
            {ways.map((w) => (
              <button key={w} aria-pressed={w === way} onClick={() => setWay(w)}>
                {t(w)}
              </button>
            ))}
          </div>
          <p>{t(shown.about)}</p>
          <Copied text={shown.code} />
          {shown.more && <p className="soft small">{t(shown.more)}</p>}
          {!write && may('get_keys') && keys.data && (
            <div className="note warn">{t('There is no write key: make one in the settings.')}</div>
          )}
          {!may('get_keys') && <p className="soft small">{t('Somebody who is owner or admin can see the write key.')}</p>}
        </div>
      </Panel>
      <div className="stack">
        <First />
        <Panel title={t('What helps most')}>
          <ol className="howto">
            <li>{t('Say who it is with identify, as soon as the shop knows.')}</li>
            <li>{t('Name events as the field does: Product Viewed, Product Added, Order Completed.')}</li>
            <li>{t('Give every message an id of its own: then sending twice counts once.')}</li>
            <li>{t('Send orders from the server, not from the page: a page may be closed too early.')}</li>
          </ol>
        </Panel>
      </div>
    </div>
  );
}

// First lights up with the first event that comes while somebody looks.
export function First() {
  const { t, n } = useWords();
  const stats = useGet('/api/v1/stats', undefined, { refetchInterval: 3_000 });
  const [line, setLine] = useState<Line | null>(null);
  const [bad, setBad] = useState<Line | null>(null);
  const link = useStream('', (list) => {
    const good = list.findLast((l) => l.outcome === 'accepted');
    const wrong = list.findLast((l) => l.outcome === 'rejected');
    if (good) setLine(good);
    if (wrong) setBad(wrong);
  });
  const known = stats.data?.events;
  return (
    <Panel
      title={t('Is it connected?')}
      aside={
        line ? (
          <Tag tone="good">{t('yes')}</Tag>
        ) : link === 'open' ? (
          <Tag tone="accent">{t('waiting')}</Tag>
        ) : (
          <Tag tone="warn">{t('opening…')}</Tag>
        )
      }
    >
      <div className="stack">
        <div className={'beacon ' + (line ? 'on' : '')} role="status">
          <i aria-hidden="true" />
          <div>
            <b>{line ? t('An event has arrived: {name}', { name: line.name }) : t('Waiting for the next event…')}</b>
            <div className="soft small">
              {line ? [line.who, line.source].filter(Boolean).join(' · ') : t('{n} events since the server started', { n: n(known) })}
            </div>
          </div>
        </div>
        {bad && (
          <div className="note bad">
            <b>{bad.name}</b> {bad.reason} <Link to="/app/data/aside">{t('Mend it')}</Link>
          </div>
        )}
        <Link to="/app/data/live">{t('Watch everything live')}</Link>
      </div>
    </Panel>
  );
}

function Copied({ text }: { text: string }) {
  const { t } = useWords();
  const copy = useMutation({ mutationFn: () => navigator.clipboard.writeText(text) });
  return (
    <div className="copied">
      <pre tabIndex={0}>{text}</pre>
      <button className="small" onClick={() => copy.mutate()}>
        {copy.isSuccess ? t('Copied') : t('Copy')}
      </button>
    </div>
  );
}
