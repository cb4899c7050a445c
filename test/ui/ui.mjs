// Walks through the web UI as its first owner does: the set-up link, signing in,
// and every page, in both themes. A page that says something to the console, asks
// anybody else for anything, breaks the policy, or breaks a rule of axe fails it.
//
// usage: node test/ui/ui.mjs BINARY            a small shop of its own
//        node test/ui/ui.mjs --at LINK [--shots DIR]
//                                              a server that runs, such as the demo
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const from = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = from('playwright-core')
const axe = from.resolve('axe-core/axe.min.js')

const args = process.argv.slice(2)
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : '')
const shots = option('--shots')
// A machine that compiles something else beside it is slow.
const PATIENCE = 60_000
const PHRASE = 'three quiet hedgehogs'

let server, data
const said = []

// serve starts a server of a small shop and returns the set-up link that it prints.
async function serve(binary) {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  data = mkdtempSync(path.join(tmpdir(), 'rapport-ui-'))
  server = spawn(path.resolve(binary), ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--definitions', 'examples/shop'])
  let out = ''
  const link = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server printed no set-up link:\n' + out)), PATIENCE)
    const read = (chunk) => {
      out += chunk
      const found = out.match(/http\S+\/setup#\S+/)
      if (found && out.includes('listens on')) {
        clearTimeout(timer)
        resolve(found[0])
      }
    }
    server.stdout.on('data', read)
    server.stderr.on('data', read)
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${out}`)))
  })
  const key = out.match(/rp_s_live_\w+/)[0]
  const origin = new URL(link).origin
  const batch = []
  for (let i = 0; i < 40; i++) {
    const userId = `customer-${i}`
    const email = i === 7 ? '"><script>window.stolen=1</script>@people.example' : `person${i}@people.example`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email, first_name: '<img src=x onerror="window.stolen=1">' } })
    batch.push({
      type: 'track', event: 'Order Completed', userId, messageId: `o${i}`,
      properties: { order_id: `o${i}`, currency: 'GBP', total: 20 + i, products: [{ sku: 'LAMP', price: 20 + i, quantity: 1, category: 'lighting' }] },
    })
  }
  const heard = await fetch(origin + '/v1/batch', { method: 'POST', headers: { Authorization: 'Basic ' + btoa(key + ':') }, body: JSON.stringify({ batch }) })
  if (!heard.ok) throw new Error(`the events are answered ${heard.status}: ${await heard.text()}`)
  return link
}

const wrong = (what) => said.push(what)

async function main() {
  const link = option('--at') || (await serve(args[0]))
  const origin = new URL(link).origin
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: 'en-GB', bypassCSP: false })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    let where = 'setup'
    page.on('console', (m) => {
      // Before signing in, who asks who is signed in is told nobody.
      if (m.type() === 'error' && !(where === 'setup' && m.text().includes('401'))) wrong(`${where}: the console says ${m.text()}`)
    })
    page.on('pageerror', (e) => wrong(`${where}: ${e}`))
    page.on('request', (r) => {
      if (!r.url().startsWith(origin) && !r.url().startsWith('data:') && !r.url().startsWith('blob:')) wrong(`${where}: asks ${r.url()}`)
    })
    await page.goto(link)
    if (link.includes('#')) {
      await page.getByLabel('E-mail').fill('ada@shop.example')
      await page.getByLabel('Your name').fill('Ada Lovelace')
      await page.getByLabel('Password', { exact: false }).first().fill(PHRASE)
      await page.getByLabel('The same password again').fill(PHRASE)
      await page.getByRole('button', { name: 'Begin' }).click()
      await page.getByRole('link', { name: 'Customers' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
    }
    await page.getByLabel('E-mail').fill('ada@shop.example')
    await page.getByLabel('Password').fill(PHRASE)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Customers' }).waitFor()

    const get = (p) => page.evaluate(async (p) => (await fetch('/api/v1' + p)).json(), p)
    const first = async (p) => ((await get(p)).data ?? [])[0]
    // The server applies what it heard within moments.
    for (const until = Date.now() + PATIENCE; ; ) {
      if (await first('/customers?limit=1')) break
      if (Date.now() > until) throw new Error('nobody is known')
      await page.waitForTimeout(100)
    }
    let customer = await first('/customers?limit=1')
    for (const c of (await get('/customers?limit=500')).data) if (c.orders > (customer.orders ?? 0) && c.email) customer = c
    const journey = (await first('/journeys')).name
    const campaign = (await get('/campaigns')).campaigns[0].name
    const template = (await get('/templates')).data.find((t) => t.subject).name
    const segment = (await get('/segments?limit=500')).data.sort((a, b) => b.members - a.members)[0].name
    const pages = [
      ['home', '/app/'], ['customers', '/app/customers'], ['customer-page', `/app/customers/${customer.id}`],
      ['customer-timeline', `/app/customers/${customer.id}`, 'Timeline'], ['customer-messages', `/app/customers/${customer.id}`, 'Messages'],
      ['customer-segments', `/app/customers/${customer.id}`, 'Segments'], ['customer-scores', `/app/customers/${customer.id}`, 'Scores and predictions'],
      ['segments', '/app/segments'], ['segment', `/app/segments/${segment}`], ['journeys', '/app/journeys'], ['journey', `/app/journeys/${journey}`],
      ['campaigns', '/app/campaigns'], ['campaign', `/app/campaigns/${campaign}`], ['templates', '/app/templates'], ['template', `/app/templates/${template}`],
      ['reports', '/app/reports'], ['reports-cohorts', '/app/reports', 'Cohorts'], ['reports-rfm', '/app/reports', 'RFM'], ['reports-messages', '/app/reports', 'Messages'],
      ['reports-models', '/app/reports', 'Models'], ['data', '/app/data'], ['settings', '/app/settings'], ['settings-people', '/app/settings', 'People'],
      ['settings-keys', '/app/settings', 'Keys'], ['settings-policies', '/app/settings', 'Policies'], ['settings-audit', '/app/settings', 'Audit trail'],
      ['account', '/app/settings/account'],
    ]
    if (shots) mkdirSync(shots, { recursive: true })
    for (const theme of ['light', 'dark']) {
      await page.evaluate((t) => localStorage.setItem('rapport.theme', t), theme)
      for (const [name, at, tab] of pages) {
        where = `${name} (${theme})`
        await page.goto(origin + at)
        if (tab) await page.getByRole('tab', { name: tab, exact: true }).click()
        await page.locator('h1').waitFor()
        await page.waitForLoadState('networkidle')
        await page.getByText('One moment…').waitFor({ state: 'detached' })
        for (const alert of await page.getByRole('alert').allTextContents()) wrong(`${where}: says ${alert}`)
        // The checker is put in by the browser's own means, which the policy does not concern.
        await page.evaluate((await import('node:fs')).readFileSync(axe, 'utf8'))
        const found = await page.evaluate(() =>
          window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false }))
        for (const v of found.violations) wrong(`${where}: axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 140)).join(' | ')}`)
        if (await page.evaluate(() => window.stolen)) wrong(`${where}: what a stranger typed ran`)
        if (shots) await page.screenshot({ path: path.join(shots, `ui-${name}${theme === 'dark' ? '-dark' : ''}.png`) })
      }
    }
    where = 'German'
    await page.goto(origin + '/app/')
    await page.getByLabel('Language').selectOption('de')
    await page.getByRole('link', { name: 'Kunden' }).click()
    await page.getByRole('heading', { name: 'Kunden' }).waitFor()
    await page.getByPlaceholder('E-Mail, Telefon, Kennung…').fill(customer.email)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: customer.email }).waitFor()
    console.log(`  ${pages.length} pages in two themes and two languages`)
  } finally {
    await browser.close()
  }
}

try {
  await main()
} catch (error) {
  wrong(String(error?.stack ?? error))
} finally {
  if (server) {
    server.removeAllListeners('exit')
    if (server.exitCode === null && server.kill('SIGTERM')) await new Promise((resolve) => server.once('exit', resolve))
  }
  if (data) rmSync(data, { recursive: true, force: true })
}
for (const line of [...new Set(said)]) console.log('  ' + line)
process.exit(said.length ? 1 : 0)
