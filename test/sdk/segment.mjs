// The unmodified @segment/analytics-node against a real server: what it sends is
// stored once, and what is wrong, huge, zipped or sent twice does no harm.
//
// usage: node test/sdk/segment.mjs BINARY
import { gzipSync } from 'node:zlib'
import { Analytics } from '@segment/analytics-node'
import { run } from './server.mjs'

const CALLS = 250 // of two kinds, so 500 events
const PEOPLE = 40

const send = (server, calls, batch = 20) =>
  new Promise((resolve, reject) => {
    const errors = []
    const client = new Analytics({ writeKey: server.key, host: server.url, flushAt: batch, maxRetries: 3 })
    client.on('error', (error) => errors.push(error))
    for (const [kind, call] of calls) client[kind](call)
    client.closeAndFlush({ timeout: 60_000 }).then(() => resolve(errors), reject)
  })

await run('segment', async (server, score) => {
  await server.start()

  const calls = []
  for (let i = 0; i < CALLS; i++) {
    const userId = `shopper-${i % PEOPLE}`
    calls.push(['track', { userId, event: 'Product Viewed', messageId: `view-${i}`, properties: { product_id: `p-${i}`, price: 9.99, currency: 'GBP' } }])
    calls.push(['identify', { userId, messageId: `who-${i}`, traits: { plan: 'gold', visits: i } }])
  }
  const errors = await send(server, calls)
  score.holds('500 events leave without an error', errors.length === 0, `${errors.length} errors, ${JSON.stringify(errors[0] ?? null)}`)

  // Every kind of call the library has.
  const kinds = [
    ['track', { anonymousId: 'tablet', event: 'Cart Viewed', messageId: 'kind-track' }],
    ['page', { anonymousId: 'tablet', name: 'Lamps', messageId: 'kind-page' }],
    ['screen', { userId: 'shopper-1', name: 'Basket', messageId: 'kind-screen' }],
    ['group', { userId: 'shopper-1', groupId: 'office', messageId: 'kind-group' }],
    ['alias', { userId: 'shopper-1', previousId: 'tablet', messageId: 'kind-alias' }],
    ['track', { userId: 'shopper-ü', event: 'Søgte 💡', messageId: 'kind-unicode', properties: { query: 'lampe\u0000\n"' } }],
  ]
  score.holds('every kind of call is taken', (await send(server, kinds)).length === 0)

  // The library sends the same call again when the answer is lost, and a careless
  // caller uses one messageId for two things: the first counts.
  const again = [
    ['track', { userId: 'shopper-1', event: 'Product Viewed', messageId: 'view-1', properties: { product_id: 'other' } }],
    ['track', { userId: 'shopper-7', event: 'Product Viewed', messageId: 'twice' }],
    ['track', { userId: 'shopper-7', event: 'Product Viewed', messageId: 'twice' }],
  ]
  score.holds('repeats are taken', (await send(server, again)).length === 0)

  // The library drops a whole batch that is answered 400, so one wrong event must
  // not cost the nineteen beside it.
  const mixed = [
    ['track', { userId: 'shopper-2', event: 'Product Viewed', messageId: 'beside-1' }],
    ['track', { userId: 'shopper-2', event: 'Order Completed', messageId: 'wrong-order', properties: { total: 'a lot' } }],
    ['track', { userId: 'shopper-2', event: 'Product Viewed', messageId: 'beside-2' }],
  ]
  score.holds('an order without a number is no error for the library', (await send(server, mixed)).length === 0)

  const json = (value) => JSON.stringify(value)
  const view = (messageId, more = {}) => ({ type: 'track', event: 'Product Viewed', userId: 'shopper-3', messageId, ...more })

  const zipped = await server.post('/v1/batch', gzipSync(json({ batch: [view('zipped-1'), view('zipped-2')] })), { 'content-encoding': 'gzip' })
  score.holds('a gzip body is taken', zipped.status === 200, json(zipped))
  score.holds('success is said as the field says it', JSON.parse(zipped.text || '{}').success === true, zipped.text)

  // What is wrong is answered 4xx with the reason, and never by a crash.
  const refused = async (name, route, body, headers, statuses = [400]) => {
    const answer = await server.post(route, body, headers)
    score.holds(`${name} is refused with the reason`, statuses.includes(answer.status) && answer.text.trim().length > 10, json(answer))
  }
  await refused('a call without anybody', '/v1/track', json({ type: 'track', event: 'Product Viewed', messageId: 'nobody' }))
  await refused('a track without an event', '/v1/track', json({ type: 'track', userId: 'shopper-3', messageId: 'no-event' }))
  await refused('half a document', '/v1/batch', '{"batch":[{"type":"track"')
  await refused('no document', '/v1/batch', '')
  await refused('a body that is not gzip', '/v1/batch', 'not gzip at all', { 'content-encoding': 'gzip' })
  await refused('half a gzip body', '/v1/batch', gzipSync(json({ batch: [view('zipped-half')] })).subarray(0, 40), { 'content-encoding': 'gzip' })
  await refused('an event over 32 kB', '/v1/track', json(view('huge-event', { properties: { note: 'x'.repeat(40_000) } })), {}, [400, 413])
  await refused('a body over 512 kB', '/v1/batch', json({ batch: Array.from({ length: 700 }, (_, i) => view(`huge-body-${i}`, { properties: { note: 'x'.repeat(1000) } })) }), {}, [400, 413])
  await refused('4 kB that unzip to 4 MB and more', '/v1/batch', gzipSync(json({ batch: [view('bomb', { properties: { note: 'x'.repeat(5 << 20) } })] })), { 'content-encoding': 'gzip' }, [400, 413])
  await refused('a nest a thousand deep', '/v1/track', `{"type":"track","event":"Product Viewed","userId":"shopper-3","messageId":"deep","properties":{"a":${'['.repeat(1000)}${']'.repeat(1000)}}}`)
  await refused('a wrong key', '/v1/batch', json({ batch: [view('wrong-key')] }), { authorization: `Basic ${btoa('rp_w_wrong:')}` }, [401, 403])

  // Still in good health after all that.
  score.holds('it is still ready', await server.ready())
  const last = await server.post('/v1/track', json(view('last')))
  score.holds('it still takes events', last.status === 200, json(last))

  score.holds('it stops when asked', (await server.stop()) === 'exit 0', server.ended)

  // A repeat counts once for ever, so also after a restart.
  score.holds('a second start prints no key', (await server.start()) === undefined)
  const late = await server.post('/v1/batch', json({ batch: [view('view-2', { userId: 'shopper-2' }), view('twice', { userId: 'shopper-7' }), view('after-restart')] }))
  score.holds('the key outlives the restart', late.status === 200, json(late))
  score.holds('it stops again', (await server.stop()) === 'exit 0', server.ended)

  const stored = server.stored()
  score.once('500 events are stored once', stored, calls.map(([, call]) => call.messageId))
  score.once('every kind is stored once', stored, kinds.map(([, call]) => call.messageId))
  score.once('repeats are stored once', stored, ['view-1', 'view-2', 'twice'])
  score.once('those beside a wrong event are stored', stored, ['beside-1', 'beside-2'])
  score.once('raw requests are stored', stored, ['zipped-1', 'zipped-2', 'last', 'after-restart'])
  const unwanted = [...stored.keys()].filter((id) => /^(nobody|no-event|zipped-half|huge-|bomb|deep|wrong-key)/.test(id))
  score.holds('nothing that was refused is stored', unwanted.length === 0, unwanted.slice(0, 5).join(' '))
})
