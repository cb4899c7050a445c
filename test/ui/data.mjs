// Walks through the pages of data as a marketer does: a file with a wrong row is
// uploaded, mapped, tried, imported, its refused row downloaded, and the import taken
// back; an event that is wrong is seen live with its reason, mended, and heard again.
// Names of products and people that would run as scripts do not.
//
// usage: node test/ui/data.mjs BINARY
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const from = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = from('playwright-core')
const axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8')

const args = process.argv.slice(2)
const PATIENCE = 60_000 // a machine that compiles something else beside it is slow
const PHRASE = 'three quiet hedgehogs'
const HOSTILE = '<img src=x onerror="window.stolen=1">'

let server, data
const said = []
const wrong = (what) => said.push(what)
const want = (so, what) => so || wrong(what)

// serve starts a server of a small shop.
async function serve(binary, port, folder) {
  server = spawn(path.resolve(binary), ['serve', '--data', folder, '--listen', `127.0.0.1:${port}`, '--definitions', 'examples/shop'])
  let out = ''
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not listen:\n' + out)), PATIENCE)
    const read = (chunk) => {
      out += chunk
      if (!out.includes('listens on')) return
      clearTimeout(timer)
      resolve()
    }
    server.stdout.on('data', read)
    server.stderr.on('data', read)
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${out}`)))
  })
  return out
}

const stop = () =>
  new Promise((resolve) => {
    server.removeAllListeners('exit')
    server.once('exit', resolve)
    server.kill('SIGTERM')
  })

async function main() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  data = mkdtempSync(path.join(tmpdir(), 'rapport-data-'))
  const out = await serve(args[0], port, data)
  const link = out.match(/http\S+\/setup#\S+/)[0]
  const secret = out.match(/rp_s_live_\w+/)[0]
  const origin = new URL(link).origin
  const send = async (batch, at = '/v1/batch') => {
    const r = await fetch(origin + at, { method: 'POST', headers: { Authorization: 'Basic ' + btoa(secret + ':') }, body: JSON.stringify({ batch }) })
    return r.status
  }
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', acceptDownloads: true })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    let where = 'setup'
    page.on('console', (m) => {
      if (m.type() === 'error' && where !== 'setup') wrong(`${where}: the console says ${m.text()}`)
    })
    page.on('pageerror', (e) => wrong(`${where}: ${e}`))
    page.on('request', (r) => {
      if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url())) wrong(`${where}: asks ${r.url()}`)
    })
    await page.goto(link)
    await page.getByLabel('E-mail').fill('ada@shop.example')
    await page.getByLabel('Your name').fill('Ada Lovelace')
    await page.getByLabel('Password', { exact: false }).first().fill(PHRASE)
    await page.getByLabel('The same password again').fill(PHRASE)
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.getByRole('link', { name: 'Customers' }).waitFor()
    const get = (p) => page.evaluate(async (p) => (await fetch('/api/v1' + p)).json(), p)
    const looked = async (name) => {
      for (const theme of ['light', 'dark']) {
        await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme)
        await page.waitForTimeout(250) // colours fade from one to the other
        await page.evaluate(axe)
        const found = await page.evaluate(async () => (await window.axe.run()).violations.map((v) => `${v.id} at ${v.nodes[0].target.join(' ')}`))
        for (const f of found) wrong(`${name} (${theme}): axe says ${f}`)
      }
      if (await page.evaluate(() => window.stolen)) wrong(`${name}: a name has run as a script`)
    }

    // The first event arrives while somebody looks at how to connect.
    where = 'connect'
    await page.goto(origin + '/app/data/connect')
    await page.getByText('waiting', { exact: true }).waitFor()
    want((await page.locator('pre').first().textContent()).includes('rp_w_'), 'the snippet lacks the write key')
    await send([{ type: 'track', event: HOSTILE, userId: 'u1', messageId: 'first', traits: {}, properties: {} }])
    await page.getByText('An event has arrived').waitFor()
    await looked('connect')

    // An event that is wrong is seen with its reason within a second, mended and heard.
    where = 'live'
    await page.goto(origin + '/app/data/live')
    await page.getByText('watching').waitFor()
    await send([
      { type: 'track', event: 'Product Viewed', userId: 'u1', messageId: 'good', properties: { sku: HOSTILE } },
      { type: 'track', event: 'Order Completed', userId: 'mended', messageId: 'bad', timestamp: 'tomorrow', properties: { order_id: 'A7', currency: 'GBP', total: 12 } },
    ])
    await page.getByRole('button', { name: /Order Completed/ }).click()
    await page.locator('.note.bad').filter({ hasText: 'time' }).waitFor()
    await page.getByRole('button', { name: /Product Viewed/ }).waitFor()
    await looked('live')
    await page.getByRole('button', { name: 'Pause' }).click()
    await send([{ type: 'track', event: 'Page Viewed', userId: 'u1', messageId: 'paused', properties: {} }])
    await page.getByText('1 came since').waitFor()
    want((await page.getByRole('button', { name: /Page Viewed/ }).count()) === 0, 'a line came although the page was paused')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: /Page Viewed/ }).waitFor()

    where = 'aside'
    await page.goto(origin + '/app/data/aside')
    await page.getByRole('button', { name: 'Order Completed' }).click()
    await page.getByRole('button', { name: 'Hear it again as it is' }).click()
    await page.locator('.note.bad').filter({ hasText: 'timestamp' }).waitFor()
    await looked('aside')
    const box = page.getByLabel('The event')
    await box.fill((await box.inputValue()).replace('tomorrow', '2026-01-02T10:00:00Z'))
    await page.getByRole('button', { name: 'Mend it and hear it' }).click()
    await page.getByText('Everything that came could be taken.').waitFor()
    const search = async (identifier) => {
      const headers = { Authorization: 'Bearer ' + secret, 'Content-Type': 'application/json' }
      const r = await fetch(origin + '/api/v1/customers/search', { method: 'POST', headers, body: JSON.stringify({ identifier }) })
      return r.ok ? r.json() : undefined
    }
    const known = async (identifier, is) => {
      for (const until = Date.now() + PATIENCE; Date.now() < until; await page.waitForTimeout(150)) {
        const c = await search(identifier)
        if (is(c)) return true
      }
      return false
    }
    want(await known('mended', (c) => c?.orders === 1), 'the mended order does not count')

    // A file with a wrong row.
    where = 'imports'
    await page.goto(origin + '/app/data/imports')
    await looked('imports')
    await page.getByRole('radio', { name: /Orders/ }).check()
    const rows = Array.from({ length: 25 }, (_, i) => `${900 + i},${i === 3 ? '99/99/2025' : `2025-11-${String((i % 27) + 1).padStart(2, '0')}`},LAMP,1,${i + 2}.50,buyer${i}@people.example,"${HOSTILE.replaceAll('"', '""')}"`)
    await page.locator('input[type=file]').setInputFiles({ name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from('Bestellung,Date,SKU,Qty,Unit price,Customer email,Note\n' + rows.join('\n') + '\n') })
    where = 'mapping'
    await page.getByText('Columns, and the first 20 rows').waitFor()
    await page.getByRole('alert').filter({ hasText: 'order' }).waitFor() // its number has a name of its own
    await page.getByLabel('Bestellung holds').selectOption('order')
    await page.getByRole('alert').waitFor({ state: 'detached' })
    want((await page.getByLabel('Customer email holds').inputValue()) === 'email', 'the address was not guessed')
    await looked('mapping')
    await page.getByRole('button', { name: 'Try it without writing anything' }).click()
    await page.getByText('Rows that would not be taken').waitFor()
    want((await page.locator('.problems li').first().textContent()).includes('line 5'), 'the wrong row is not named')
    want(!(await search('buyer1@people.example')), 'a try made a customer known')
    await page.getByRole('button', { name: 'Import it' }).click()
    where = 'import'
    await page.getByText('It is imported').waitFor()
    await looked('import')
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download the refused rows' }).click()])
    const text = readFileSync(await download.path(), 'utf8')
    want(text.includes('buyer3@people.example') && !text.includes('buyer4@people.example'), 'the file of errors is\n' + text)
    want(await known('buyer1@people.example', (c) => c?.orders === 1), 'an imported order does not count')
    const sent = await get('/deliveries?state=accepted&limit=1')
    want((sent.data ?? []).length === 0, 'an import sent something')

    // It outlives a restart.
    const id = page.url().split('/').pop()
    where = 'setup'
    await page.goto('about:blank') // it would ask a server that is gone
    await stop()
    await serve(args[0], port, data)
    await page.goto(origin + '/app/data/imports/' + id)
    where = 'import'
    await page.getByRole('button', { name: 'Take it back…' }).click()
    await page.getByRole('button', { name: 'Take it back', exact: true }).click()
    await page.getByText('It was taken back').waitFor()
    want(await known('buyer1@people.example', (c) => !c?.orders), 'what was taken back still counts')

    where = 'pages'
    const put = await fetch(origin + '/api/v1/products', {
      method: 'PUT',
      headers: { Authorization: 'Bearer ' + secret, 'Content-Type': 'application/json' },
      body: JSON.stringify({ currency: 'GBP', products: [{ id: 'p1', title: HOSTILE, sku: 'LAMP', price: '12.50', stock: 3, url: 'javascript:window.stolen=1' }] }),
    })
    want(put.ok, `a product is answered ${put.status}`)
    for (const at of ['/app/', '/app/data/catalogue', '/app/data/catalogue/p1', '/app/data/stores', '/app/data/sql', '/app/reports/figures', '/app/reports/hours', '/app/reports/funnel', '/app/reports/cohorts', '/app/reports/rfm', '/app/reports/value', '/app/reports/devices', '/app/reports/messages', '/app/reports/recommendations', '/app/reports/models']) {
      where = at
      await page.goto(origin + at)
      await page.locator('h1').waitFor()
      await page.getByText('One moment…').first().waitFor({ state: 'detached' })
      await looked(at)
    }
    where = 'sql'
    await page.goto(origin + '/app/data/sql')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByText('Order Completed').first().waitFor()
    await page.getByRole('button', { name: 'events', exact: false }).first().click()
    await page.getByRole('button', { name: /^profile / }).first().waitFor()
  } finally {
    await browser.close()
  }
}

try {
  await main()
} catch (e) {
  wrong(String(e?.stack ?? e))
}
if (server) await stop()
if (data) rmSync(data, { recursive: true, force: true })
for (const s of said) console.error(s)
console.log(said.length ? `${said.length} things are wrong` : 'the pages of data hold')
process.exit(said.length ? 1 : 0)
