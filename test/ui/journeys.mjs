// Makes a journey by keyboard alone: from nothing, with a test run, published, edited,
// undone and brought back to an older version. What the pages ask, say to the console,
// or break of the rules of axe is looked at on the way.
//
// usage: node test/ui/journeys.mjs BINARY [--shots DIR]
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const from = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = from('playwright-core')
const axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8')

const args = process.argv.slice(2)
const shots = args.includes('--shots') ? args[args.indexOf('--shots') + 1] : ''
// A machine that compiles something else beside it is slow.
const PATIENCE = 60_000
const PHRASE = 'three quiet hedgehogs'
const EVIL = '<img src=x onerror="window.stolen=1">"><script>window.stolen=1</script>'

const said = []
const wrong = (what) => said.push(what)
let server, data

async function serve(binary) {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  data = mkdtempSync(path.join(tmpdir(), 'rapport-journeys-'))
  server = spawn(path.resolve(binary), ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--definitions', 'examples/shop'])
  let out = ''
  const link = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server printed no set-up link:\n' + out)), PATIENCE)
    const hear = (chunk) => {
      out += chunk
      const found = out.match(/http\S+\/setup#\S+/)
      if (found && out.includes('listens on')) {
        clearTimeout(timer)
        resolve(found[0])
      }
    }
    server.stdout.on('data', hear)
    server.stderr.on('data', hear)
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${out}`)))
  })
  const key = out.match(/rp_s_live_\w+/)[0]
  const origin = new URL(link).origin
  const order = (i) => ({ order_id: 'o' + i, currency: 'GBP', total: 20, products: [{ sku: 'LAMP', name: EVIL, price: 20, quantity: 1, category: 'lighting' }] })
  const batch = []
  for (let i = 0; i < 3; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email: `person${i}@people.example`, first_name: EVIL } })
    batch.push({ type: 'track', event: 'Consent Changed', userId, messageId: `c${i}`, properties: { channel: 'email', purpose: 'marketing', state: 'granted', evidence: 'form' } })
    batch.push({ type: 'track', event: 'Order Completed', userId, messageId: `o${i}`, properties: order(i) })
  }
  const heard = await fetch(origin + '/v1/batch', { method: 'POST', headers: { Authorization: 'Basic ' + btoa(key + ':') }, body: JSON.stringify({ batch }) })
  if (!heard.ok) throw new Error(`the events are answered ${heard.status}: ${await heard.text()}`)
  return link
}

async function main() {
  const link = await serve(args[0])
  const origin = new URL(link).origin
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-GB' })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    let where = 'setup'
    page.on('console', (m) => {
      if (m.type() === 'error' && !(where === 'setup' && m.text().includes('401'))) wrong(`${where}: the console says ${m.text()}`)
    })
    page.on('pageerror', (e) => wrong(`${where}: ${e}`))
    page.on('request', (r) => {
      if (!r.url().startsWith(origin) && !r.url().startsWith('data:') && !r.url().startsWith('blob:')) wrong(`${where}: asks ${r.url()}`)
    })
    await page.goto(link)
    await page.getByLabel('E-mail').fill('ada@shop.example')
    await page.getByLabel('Your name').fill('Ada Lovelace')
    await page.getByLabel('Password', { exact: false }).first().fill(PHRASE)
    await page.getByLabel('The same password again').fill(PHRASE)
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.getByRole('link', { name: 'Customers' }).waitFor()

    if (shots) mkdirSync(shots, { recursive: true })
    const look = async (name) => {
      await page.evaluate(axe)
      for (const theme of ['light', 'dark']) {
        await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme)
        await page.waitForTimeout(200) // colours fade
        const found = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], iframes: false }))
        for (const v of found.violations) wrong(`${where} (${theme}): axe: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 140)).join(' | ')}`)
        if (shots) await page.screenshot({ path: path.join(shots, `journey-${name}${theme === 'dark' ? '-dark' : ''}.png`), fullPage: true })
      }
      await page.evaluate(() => (document.documentElement.dataset.theme = 'light'))
      if (await page.evaluate(() => window.stolen)) wrong(`${where}: what a stranger typed ran`)
    }
    // From here on everything is done by keyboard: focus goes where Tab would take it,
    // and nothing is clicked.
    const press = (key) => page.keyboard.press(key)
    const go = async (locator, key = 'Enter') => {
      await locator.focus()
      await press(key)
    }
    const write = async (locator, text) => {
      await locator.focus()
      await press('Control+a')
      await page.keyboard.insertText(text)
    }
    const button = (name, exact = true) => page.getByRole('button', { name, exact })
    const row = (name) => page.locator(`[data-step="${name}"]`)
    const names = () => page.locator('[data-step]').evaluateAll((all) => all.slice(1).map((e) => e.dataset.step))
    const expect = async (what, want, get) => {
      let got
      for (const until = Date.now() + PATIENCE; Date.now() < until; await page.waitForTimeout(50)) {
        got = JSON.stringify(await get())
        if (got === JSON.stringify(want)) return
      }
      throw new Error(`${where}: ${what} is ${got}, not ${JSON.stringify(want)}`)
    }
    const add = async (kind) => page.getByRole('dialog', { name: 'Which step?' }).getByRole('button', { name: kind }).press('Enter')

    where = 'new'
    await page.goto(origin + '/app/journeys')
    await go(button('New journey…'))
    await page.keyboard.insertText('Spring ' + EVIL)
    await press('Enter')
    await page.getByRole('heading', { level: 1 }).filter({ hasText: 'Spring <img' }).waitFor()
    await go(button('List'))
    await look('new')

    where = 'trigger'
    await go(button('+ trigger'))
    await write(page.getByRole('textbox', { name: 'Event', exact: true }).or(page.getByRole('combobox', { name: 'Event', exact: true })).first(), 'Order Completed')
    await press('Escape')
    await expect('the focus', '▸begin', () => page.evaluate(() => document.activeElement?.dataset?.step))

    where = 'steps'
    await press('a')
    await add(/^Wait Stays/)
    await expect('the list', ['wait'], names)
    await write(page.getByRole('spinbutton', { name: 'How long' }), '2')
    await press('Escape')
    await row('wait').focus()
    await press('a')
    await add('Send a message')
    await expect('the list', ['wait', 'send'], names)
    // What is missing is said, and nothing can be published.
    await page.getByText('the message has no template').first().waitFor()
    if (await button('Publish…').isEnabled()) wrong('steps: a journey with an unfinished step can be published')
    await look('unfinished')
    await page.getByRole('combobox', { name: 'Template', exact: false }).selectOption('welcome')
    await write(page.getByRole('textbox', { name: 'Why they get it' }), 'You bought {trigger.products.name|something} from us')
    await write(page.getByRole('textbox', { name: 'Note' }), EVIL)
    await press('Escape')
    await page.getByText('Ready to be published').waitFor()
    await row('send').focus()
    await press('a')
    await add(/^Branch/)
    await press('Escape')
    await expect('the list', ['wait', 'send', 'branch'], names)
    await row('branch').focus()
    await press('Delete')
    await expect('the list', ['wait', 'send'], names)
    await press('Control+z')
    await expect('the list after taking it back', ['wait', 'send', 'branch'], names)
    await press('Control+y')
    await expect('the list after doing it again', ['wait', 'send'], names)
    await row('send').focus()
    await press('Alt+ArrowUp')
    await expect('the list', ['send', 'wait'], names)
    await expect('the focus', 'send', () => page.evaluate(() => document.activeElement?.dataset?.step))
    await press('Alt+ArrowDown')
    await expect('the list', ['wait', 'send'], names)
    await press('ArrowUp')
    await expect('the focus', 'wait', () => page.evaluate(() => document.activeElement?.dataset?.step))
    await press('d')
    await expect('the list', ['wait', 'wait-2', 'send'], names)
    await press('Control+z')
    await expect('the list', ['wait', 'send'], names)
    await page.getByText('Ready to be published').waitFor()

    where = 'test run'
    await go(button('Test run'))
    await write(page.getByLabel('As which customer'), 'customer-1')
    await go(button('+ something they do'))
    await press('Tab')
    await go(button('Test'))
    await page.getByText('They came in, and were through', { exact: false }).waitFor()
    await page.getByText('Agreed to marketing by e-mail').first().waitFor({ state: 'attached' })
    await go(button('Look at it').first())
    const frame = page.frameLocator('iframe.jframe')
    await frame.locator('body').waitFor()
    await look('test-run')
    await go(page.getByRole('region', { name: 'Test run' }).getByRole('button', { name: 'Close', exact: true }).first())

    where = 'publish'
    await go(button('Publish…'))
    const dialog = page.getByRole('dialog', { name: 'Publish the journey' })
    await dialog.getByText('added').waitFor()
    await look('publish')
    await go(dialog.getByRole('button', { name: 'Publish', exact: true }))
    await dialog.waitFor({ state: 'hidden' })
    await page.getByLabel('State of the draft').getByText('in force').waitFor()
    const body = (await (await page.request.get(origin + '/api/v1/definitions')).json()).files.find((f) => f.path.startsWith('journeys/spring'))?.body ?? ''
    for (const line of ['trigger: {event: Order Completed}', '    wait: 2d']) if (!body.includes(line)) wrong(`publish: the file is\n${body}`)

    where = 'edit'
    await go(row('wait'))
    await write(page.getByRole('spinbutton', { name: 'How long' }), '5')
    await press('Escape')
    await page.getByText('Ready to be published').waitFor()
    await go(button('Publish…'))
    await dialog.getByText('wait: 5d').waitFor()
    await go(dialog.getByRole('button', { name: 'Publish', exact: true }))
    await dialog.waitFor({ state: 'hidden' })
    await page.getByLabel('State of the draft').getByText('in force').waitFor()

    where = 'versions'
    await go(button('Versions'))
    const list = page.getByRole('dialog', { name: 'Versions' })
    await list.getByText('wait: 5d').first().waitFor()
    await look('versions')
    await go(list.locator('summary').nth(1))
    await go(list.getByRole('button', { name: 'Work on this version' }))
    await page.getByLabel('State of the draft').getByText('Draft').waitFor()
    await go(row('wait'))
    await expect('the wait', '2', () => page.getByRole('spinbutton', { name: 'How long' }).inputValue())
    await press('Escape')
    await row('wait').focus()
    await press('Control+z')
    await page.getByLabel('State of the draft').getByText('in force').waitFor()
    await press('Control+y')
    await page.getByText('Ready to be published').waitFor()
    await go(button('Publish…'))
    await go(dialog.getByRole('button', { name: 'Publish', exact: true }))
    await dialog.waitFor({ state: 'hidden' })

    where = 'conflict'
    await page.getByLabel('State of the draft').getByText('in force').waitFor()
    await go(row('wait'))
    await write(page.getByRole('spinbutton', { name: 'How long' }), '7')
    await press('Escape')
    await page.evaluate(async () => {
      const d = await (await fetch('/api/v1/definitions')).json()
      for (const f of d.files) if (f.path.startsWith('journeys/spring')) f.body = f.body.replace('wait: 2d', 'wait: 9d')
      const r = await fetch('/api/v1/definitions', { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-Match': d.tag }, body: JSON.stringify({ files: d.files }) })
      if (!r.ok) throw new Error(await r.text())
    })
    await page.getByText('Ready to be published').waitFor()
    await go(button('Publish…'))
    await dialog.getByText('Somebody published another version', { exact: false }).waitFor()
    await go(dialog.getByRole('button', { name: 'Take theirs, and give mine up' }))
    await go(row('wait'))
    await expect('the wait', '9', () => page.getByRole('spinbutton', { name: 'How long' }).inputValue())

    where = 'canvas'
    await page.goto(origin + '/app/journeys/vip-welcome')
    await go(button('Canvas'))
    await page.locator('.jnode').nth(3).waitFor()
    await look('canvas')
    await page.setViewportSize({ width: 390, height: 844 })
    await look('canvas-narrow')
    await page.setViewportSize({ width: 1280, height: 860 })
    // By mouse, the way most will: a kind from the palette, dropped on a way.
    await page.locator('.jpick').filter({ hasText: 'Set traits' }).dragTo(page.locator('.jplus').first())
    await page.getByRole('heading', { name: 'Set traits' }).waitFor()
    await go(button('Undo'))

    where = 'German'
    await page.getByLabel('Language').selectOption('de')
    await page.getByRole('button', { name: 'Testlauf' }).waitFor()
    console.log('  a journey from nothing to its third version, by keyboard')
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
