// A marketer's afternoon: a picture, a template in blocks, a test that lands in the
// catcher, a campaign from the wizard, its approval by somebody else who types the
// number, the send, the mail, its click, and what came of it. Then the settings. What
// strangers typed never runs, and the policy of the pages is never broken.
//
// usage: node test/ui/campaigns.mjs BINARY
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const from = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = from('playwright-core')
const axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8')

// A machine that compiles something else beside it is slow.
const PATIENCE = 60_000
const PHRASE = 'three quiet hedgehogs'
const HOSTILE = `"><img src=x onerror="window.stolen=1">{{7|plus:7}}`
const said = []
const wrong = (what) => said.push(what)
let server, data, where = 'setup'

async function serve(binary) {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  data = mkdtempSync(path.join(tmpdir(), 'rapport-campaigns-'))
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
  const origin = new URL(link).origin
  const secret = out.match(/secret key \([^)]*\), shown once: (\S+)/)[1]
  const key = out.match(/rp_s_live_\w+/)[0]
  const batch = []
  for (let i = 0; i < 30; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email: `person${i}@people.example`, first_name: i === 3 ? HOSTILE : `Person ${i}` } })
    batch.push({
      type: 'track', event: 'Order Completed', userId, messageId: `o${i}`, timestamp: new Date(Date.now() - 200 * 864e5).toISOString(),
      properties: { order_id: `o${i}`, currency: 'GBP', total: 20 + i, products: [{ sku: 'LAMP', price: 20 + i, quantity: 1, category: 'lighting' }] },
    })
  }
  const heard = await fetch(origin + '/v1/batch', { method: 'POST', headers: { Authorization: 'Basic ' + btoa(key + ':') }, body: JSON.stringify({ batch }) })
  if (!heard.ok) throw new Error(`the events are answered ${heard.status}: ${await heard.text()}`)
  return { link, origin, secret }
}

// until asks until an answer holds.
async function until(what, ask) {
  for (const end = Date.now() + PATIENCE; ; ) {
    const found = await ask()
    if (found) return found
    if (Date.now() > end) throw new Error('waited in vain for: ' + what)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

async function main() {
  const { link, origin, secret } = await serve(process.argv[2])
  const manage = async (method, at, body) => {
    const r = await fetch(origin + '/api/v1' + at, { method, headers: { Authorization: 'Bearer ' + secret, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })
    if (!r.ok) throw new Error(`${method} ${at} = ${r.status} ${await r.text()}`)
    return r.status === 204 ? {} : r.json()
  }
  const mails = async () => (await (await fetch(origin + '/mails/mails.json')).text()).split('\n').filter(Boolean).map((l) => JSON.parse(l))
  const people = await until('the customers', async () => {
    const l = (await manage('GET', '/customers?limit=100')).data
    return l.length === 30 && l
  })
  // A shop without quiet hours: the test may run by night.
  const definitions = await manage('GET', '/definitions')
  await manage('PUT', '/definitions', {
    files: definitions.files.map((f) => (f.path === 'policy.yaml' ? { path: f.path, body: 'caps:\n  email: {per: 7d, most: 9}\ngap: 0s\nquiet: []\nexpires: 3d\n' } : f)),
  })
  // All but five agree to be written to, and to be measured.
  for (const c of people.slice(5)) for (const purpose of ['marketing', 'track.email'])
    await manage('POST', `/customers/${c.id}/consents`, { channel: 'email', purpose, granted: true, evidence: 'the test', wording: 'v1' })
  const segment = await until('a segment with everybody in it', async () => (await manage('GET', '/segments?limit=500')).data.find((s) => s.members === 30))

  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const open = async () => {
      const page = await (await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB' })).newPage()
      page.setDefaultTimeout(PATIENCE)
      page.on('console', (m) => {
        if (m.type() === 'error' && !(where === 'setup' && m.text().includes('401')) && !m.text().includes('40')) wrong(`${where}: the console says ${m.text()}`)
        if (/Content Security Policy/.test(m.text())) wrong(`${where}: the policy is broken: ${m.text()}`)
      })
      page.on('pageerror', (e) => wrong(`${where}: ${e}`))
      page.on('request', (r) => {
        if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url())) wrong(`${where}: asks ${r.url()}`)
      })
      return page
    }
    const enter = async (page, at, mail, name) => {
      await page.goto(at)
      if (mail) await page.getByLabel('E-mail').fill(mail)
      await page.getByLabel('Your name').fill(name)
      await page.getByLabel('Password', { exact: false }).first().fill(PHRASE)
      await page.getByLabel('The same password again').fill(PHRASE)
      await page.getByRole('button', { name: 'Begin' }).click()
      await page.getByRole('link', { name: 'Campaigns' }).waitFor()
    }
    const looked = new Set()
    const look = async (page) => {
      for (const theme of ['light', 'dark']) {
        await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme)
        await page.waitForTimeout(250) // colours change gently
        await page.evaluate(axe)
        const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false }))
        for (const v of found.violations) wrong(`${where} (${theme}): axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 140)).join(' | ')}`)
      }
      await page.evaluate(() => (document.documentElement.dataset.theme = 'auto'))
      if (await page.evaluate(() => window.stolen)) wrong(`${where}: what a stranger typed ran`)
      looked.add(where)
    }
    const page = await open()
    await enter(page, link, 'ada@shop.example', 'Ada')
    await manage('PUT', '/approvals', { above: 10 })

    where = 'pictures'
    await page.goto(origin + '/app/templates')
    await page.getByRole('tab', { name: 'Pictures' }).click()
    await page.getByText('The library is empty.').waitFor()
    await page.getByRole('button', { name: 'Add a picture…' }).click()
    const dialog = page.getByRole('dialog')
    // One pixel of a PNG.
    await dialog.locator('input[type=file]').setInputFiles({ name: 'Brass Lamp.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') })
    await dialog.getByLabel('What it shows').fill('A brass lamp ' + HOSTILE)
    await dialog.getByRole('button', { name: 'Put it in the library' }).click()
    await page.getByText('brass-lamp.png').waitFor()
    await look(page)

    where = 'new template'
    await page.getByRole('tab', { name: 'Templates' }).click()
    await page.getByRole('button', { name: 'New template…' }).click()
    await dialog.getByLabel('Title').fill('Spring lamps')
    await dialog.getByLabel('Subject').fill('New lamps for {{ customer.first_name }}')
    await dialog.getByRole('button', { name: 'Make it' }).click()
    await page.getByRole('heading', { name: 'Spring lamps' }).waitFor()
    where = 'template blocks'
    await page.getByRole('button', { name: 'Move Heading down' }).waitFor()
    const words = page.locator('.blocks textarea').first()
    await words.fill('Hello {{ customer.first_name }}, lamps!')
    await page.getByText('Not in force yet.').waitFor()
    await page.frameLocator('iframe[title=Preview]').getByText('lamps!').waitFor()
    // Below the one that is open, and never below the footer unless asked.
    await page.getByRole('button', { name: '+ QR code' }).click()
    await page.getByRole('button', { name: 'Move QR code up' }).click()
    await page.getByRole('button', { name: 'Picture…' }).click()
    await dialog.getByRole('button', { name: /brass-lamp/ }).click()
    await dialog.getByRole('button', { name: 'Insert' }).click()
    await page.getByRole('button', { name: 'Move Picture up' }).waitFor()
    for (const view of ['Mobile', 'Dark', 'Text', 'Desktop']) await page.getByRole('button', { name: view, exact: true }).click()
    await look(page)
    await page.getByRole('button', { name: 'Put in force' }).click()
    await page.getByText('In force as shown.').waitFor()

    where = 'template code'
    await page.getByRole('button', { name: /^Heading/ }).click()
    await words.fill('\nHello {{ customer.first_name }}, {{ customer.nickname }} lamps!\n')
    await page.getByRole('button', { name: 'customer.nickname', exact: true }).click() // missing, marked, and a way to its place
    await page.locator('.cm-content').waitFor()
    await page.waitForTimeout(400)
    await page.keyboard.press('Home')
    await page.keyboard.type('{{ shop.na')
    await page.locator('.cm-tooltip-autocomplete').getByText('name').first().waitFor() // the API said so
    await page.keyboard.press('Escape')
    await page.keyboard.type('}}{% if %}')
    await page.locator('.problems .bad').first().waitFor()
    if (await page.getByRole('button', { name: 'Put in force' }).isEnabled()) wrong('a mistake can be put in force')
    await look(page)
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByText('In force as shown.').waitFor()

    where = 'test send'
    await page.getByRole('button', { name: 'Send a test…' }).click()
    await dialog.getByLabel('To').fill('colleague@shop.example')
    await dialog.getByRole('button', { name: 'Send', exact: true }).click()
    await dialog.getByText('is on its way to colleague@shop.example').waitFor()
    await look(page)
    await dialog.getByRole('button', { name: 'Close' }).click()
    const test = await until('the test in the catcher', async () => (await mails()).find((m) => JSON.stringify(m).includes('colleague@shop.example')))
    if (!JSON.stringify(test).includes('[Test] New lamps')) wrong(`the test is ${JSON.stringify(test).slice(0, 300)}`)

    where = 'wizard'
    await page.goto(origin + '/app/campaigns/new')
    await page.getByLabel('Title').fill('Spring ' + HOSTILE)
    await page.getByLabel('Who gets it').selectOption(segment.name)
    await page.getByText('who agreed').waitFor()
    await look(page)
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Template').selectOption({ label: 'Spring lamps' })
    await page.getByLabel('Why they get it').fill('You bought a lamp from us')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByRole('radio', { name: /At once/ }).check()
    await look(page)
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByLabel('Undo window').selectOption('none')
    await page.getByLabel('Held out, in per cent').fill('0')
    await page.getByRole('button', { name: 'Next' }).click()
    await page.getByRole('button', { name: 'Make a draft' }).click()

    where = 'campaign'
    await page.getByRole('button', { name: 'Ask for an approval' }).click()
    await page.getByText('Somebody else must approve it').waitFor()
    const name = decodeURIComponent(new URL(page.url()).pathname.split('/').pop())
    await look(page)
    // Whoever wrote it cannot approve it, whatever they send.
    const own = await page.evaluate(async (n) => (await fetch(`/api/v1/campaigns/${n}/approve`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"recipients":25}' })).status, name)
    if (own < 400) wrong(`the author approved their own campaign: ${own}`)
    const invited = await manage('POST', '/invitations', { email: 'grace@shop.example', role: 'marketer' })
    const other = await open()
    await enter(other, invited.link.replace(/^https?:\/\/[^/]+/, origin), '', 'Grace')
    await other.goto(origin + '/app/campaigns/' + name)
    const typed = other.getByLabel(/Type the number of recipients/)
    await typed.fill('24')
    if (await other.getByRole('button', { name: 'Approve' }).isEnabled()) wrong('a wrong number approves')
    await typed.fill('25')
    await other.getByRole('button', { name: 'Approve' }).click()
    await other.getByText('Approved by').waitFor()
    await page.getByText('Approved by').waitFor()
    await page.getByLabel(/Type the number of recipients/).fill('25')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('It is on its way.').or(page.getByText('What came of it')).first().waitFor()
    const sent = await until('the mails', async () => {
      const all = (await mails()).filter((m) => m.subject.startsWith('New lamps'))
      return all.length === 25 && all
    })
    {
      where = 'click'
      const html = await (await fetch(`${origin}/mails/mail/${sent[0].id}/html`)).text()
      const click = html.match(/href="(http[^"]+\/c\/[^"]+)"/)?.[1]?.replaceAll('&amp;', '&')
      if (!click) throw new Error('the mail has no link that is measured')
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await fetch(click, { redirect: 'manual', headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126 Safari/537.36' } })
      where = 'results'
      await page.goto(origin + '/app/campaigns/' + name)
      await page.getByText('What came of it').waitFor()
      await until('the figures', async () => {
        const row = (await manage('GET', '/reports/messages')).messages?.rows?.find((r) => r.origin === name)
        return row?.sent === 25 && row.clicked === 1
      })
      await page.reload()
      await page.getByRole('row', { name: /Clicked by people/ }).waitFor()
      await look(page)
    }

    where = 'calendar'
    await page.goto(origin + '/app/campaigns')
    await page.getByRole('link', { name: /Spring/ }).first().waitFor()
    await look(page)
    where = 'week'
    await page.getByRole('button', { name: 'Week', exact: true }).click()
    await page.getByRole('link', { name: /Spring/ }).first().waitFor()
    await look(page)
    where = 'list'
    await page.getByRole('button', { name: 'List', exact: true }).click()
    await look(page)

    where = 'settings'
    await page.goto(origin + '/app/settings')
    await page.getByRole('button', { name: 'Add a domain…' }).click()
    await dialog.getByLabel('Domain', { exact: false }).first().fill('news.shop.example')
    await dialog.getByRole('button', { name: 'Make its keys' }).click()
    await page.getByText('What to publish in DNS').waitFor()
    await look(page)
    where = 'senders'
    await page.getByRole('tab', { name: 'Senders' }).click()
    await page.getByRole('button', { name: 'Edit: hello@shop.example' }).click()
    await dialog.getByLabel('Name in From').fill(HOSTILE)
    await dialog.getByRole('button', { name: 'Put in force' }).click()
    await page.getByRole('cell', { name: HOSTILE }).waitFor()
    await look(page)
    where = 'purposes'
    await page.getByRole('tab', { name: 'Purposes' }).click()
    await page.getByRole('button', { name: 'Add a purpose…' }).click()
    await dialog.getByLabel('Short name').fill('events')
    await dialog.getByLabel('What the preference page calls it').fill(HOSTILE)
    await dialog.getByRole('button', { name: 'Put in force' }).click()
    await page.getByText('events', { exact: true }).waitFor()
    await look(page)
    where = 'brands'
    await page.getByRole('tab', { name: 'Brands' }).click()
    await page.getByLabel('Colour accent as text').fill('#14532d')
    await page.getByRole('button', { name: 'Put in force' }).last().click()
    await until('the accent', async () => (await manage('GET', '/definitions/tree?path=shop.yaml')).value.brand.colors.accent === '#14532d')
    await look(page)
    where = 'policies'
    await page.getByRole('tab', { name: 'Policies' }).click()
    await page.getByRole('button', { name: 'Add a cap' }).click()
    await page.getByRole('button', { name: 'Put in force' }).click()
    await page.getByText('In force.', { exact: true }).waitFor()
    await look(page)
    const shop = (await manage('GET', '/definitions')).files.find((f) => f.path === 'shop.yaml').body
    if (!shop.includes('# What customers may agree to')) wrong('the comments of shop.yaml are gone')
    await page.getByRole('tab', { name: 'Audit trail' }).click()
    await page.getByText('a test to c…@shop.example').waitFor()
    console.log(`  ${looked.size} pages in two themes`)
  } finally {
    await browser.close()
  }
}

try {
  await main()
} catch (error) {
  wrong(`${where}: ${error?.stack ?? error}`)
} finally {
  if (server) {
    server.removeAllListeners('exit')
    if (server.exitCode === null && server.kill('SIGTERM')) await new Promise((resolve) => server.once('exit', resolve))
  }
  if (data) rmSync(data, { recursive: true, force: true })
}
for (const line of [...new Set(said)]) console.log('  ' + line)
process.exit(said.length ? 1 : 0)
