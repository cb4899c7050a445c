// The unmodified @rudderstack/rudder-sdk-node against a real server. It sends
// gzip with a Content-Type of a form, and its key in the Authorization header only.
//
// usage: node test/sdk/rudder.mjs BINARY
import { createRequire } from 'node:module'
import { run } from './server.mjs'

const RudderAnalytics = createRequire(import.meta.url)('@rudderstack/rudder-sdk-node')

const CALLS = 250 // of two kinds, so 500 events

const send = async (server, calls, options = {}) => {
  const errors = []
  const client = new RudderAnalytics(server.key, { dataPlaneUrl: server.url, flushAt: 20, logLevel: 'silly', ...options })
  client.logger = { silly() {}, debug() {}, info() {}, warn() {}, error: (...words) => errors.push(words.join(' ')) }
  const done = calls.map(([kind, call]) => new Promise((resolve) => client[kind](call, (error) => {
    if (error) errors.push(String(error))
    resolve()
  })))
  await client.flush().catch((error) => errors.push(String(error)))
  await Promise.all(done)
  return errors
}

await run('rudder', async (server, score) => {
  await server.start()

  const calls = []
  for (let i = 0; i < CALLS; i++) {
    const userId = `shopper-${i % 40}`
    calls.push(['track', { userId, event: 'Product Added', messageId: `add-${i}`, properties: { product_id: `p-${i}`, price: 9.99 } }])
    calls.push(['identify', { userId, messageId: `who-${i}`, traits: { plan: 'gold' } }])
  }
  const errors = await send(server, calls)
  score.holds('500 events leave zipped, without an error', errors.length === 0, `${errors.length} errors, ${errors[0]}`)

  const plain = [['track', { anonymousId: 'till-3', event: 'Cart Viewed', messageId: 'plain' }]]
  score.holds('plain JSON is taken too', (await send(server, plain, { gzip: false })).length === 0)

  const again = [['track', { userId: 'shopper-1', event: 'Product Added', messageId: 'add-1' }]]
  score.holds('a repeat is taken', (await send(server, again)).length === 0)

  score.holds('it stops when asked', (await server.stop()) === 'exit 0', server.ended)
  const stored = server.stored()
  score.once('501 events are stored once', stored, [...calls, ...plain].map(([, call]) => call.messageId))
})
