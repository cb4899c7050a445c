// What the stories of the web UI share: a server of a shop, and a browser that hears
// whatever a page should not say, ask for, or run.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const from = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = from('playwright-core')
const axe = readFileSync(from.resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

// A machine that compiles something else beside it is slow.
export const PATIENCE = 180_000
export const PHRASE = 'three quiet hedgehogs'
export const HOSTILE = '"><img src=x onerror="window.stolen=1">'

// until asks until an answer holds, and returns it.
export async function until(what, ask) {
  for (const end = Date.now() + PATIENCE; ; ) {
    const found = await ask()
    if (found) return found
    if (Date.now() > end) throw new Error('waited in vain for: ' + what)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

// Shop is one story's server and browser, and what was wrong with its pages.
export class Shop {
  where = 'setup'
  said = []
  looked = new Set()
  pages = []
  asked = new Map() // what each page waits for, and how often it has asked
  shots = ''
  themes = ['dark', 'light']
  expects // what the console may say now, for the story is about a refusal

  wrong(what) {
    this.said.push(`${this.where}: ${what}`)
  }

  // serve starts the server: of a folder that is there, or of a new one that goes with it.
  async serve(binary, { data, definitions, port, adopt } = {}) {
    if (!port) {
      const probe = createServer()
      await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
      port = probe.address().port
      await new Promise((resolve) => probe.close(resolve))
    }
    if (!data) data = this.own = mkdtempSync(path.join(tmpdir(), 'rapport-ui-'))
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`]
    if (definitions) args.push('--definitions', definitions)
    if (adopt) args.push('--adopt') // a copy sends nothing otherwise
    this.server = spawn(path.resolve(binary), args)
    let out = ''
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the server does not listen:\n' + out)), PATIENCE)
      const read = (chunk) => {
        out += chunk
        if (!out.includes('listens on')) return
        clearTimeout(timer)
        resolve()
      }
      this.server.stdout.on('data', read)
      this.server.stderr.on('data', read)
      this.server.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${out}`)))
    })
    this.origin = `http://127.0.0.1:${port}`
    this.link = out.match(/http\S+\/setup#\S+/)?.[0]
    this.secret ??= out.match(/rp_s_live_\w+/)?.[0] // it is shown once
    this.again = () => this.serve(binary, { data, definitions, port, adopt })
  }

  // stop ends the server as an upgrade does.
  async stop() {
    this.server.removeAllListeners('exit')
    if (this.server.exitCode === null && this.server.kill('SIGTERM')) await new Promise((resolve) => this.server.once('exit', resolve))
  }

  // send is what a website's server does: it hands over events.
  async send(batch) {
    const r = await fetch(this.origin + '/v1/batch', { method: 'POST', headers: { Authorization: 'Basic ' + btoa(this.secret + ':') }, body: JSON.stringify({ batch }) })
    if (!r.ok) throw new Error(`the events are answered ${r.status}: ${await r.text()}`)
  }

  // manage asks the management API, with the secret key.
  async manage(method, at, body, more = {}) {
    const headers = { ...more, Authorization: 'Bearer ' + this.secret, 'Content-Type': 'application/json' }
    const r = await fetch(this.origin + '/api/v1' + at, { method, headers, body: body && JSON.stringify(body) })
    if (!r.ok) throw new Error(`${method} ${at} is answered ${r.status}: ${await r.text()}`)
    return r.status === 204 ? {} : r.json()
  }

  // open opens a browser of somebody else.
  async open() {
    this.browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
    const page = await (await this.browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/London' })).newPage()
    page.setDefaultTimeout(PATIENCE)
    this.pages.push(page)
    page.on('console', (m) => {
      const first = this.where === 'setup' && m.text().includes('401') // who is signed in is asked before anybody is
      if (m.type() === 'error' && !first && !this.expects?.test(m.text())) this.wrong(`the console says ${m.text()}`)
    })
    page.on('pageerror', (e) => this.wrong(String(e)))
    page.on('request', (r) => {
      if (!r.url().startsWith(this.origin) && !/^(data|blob):/.test(r.url())) this.wrong(`asks ${r.url()}`)
    })
    await this.listen(page)
    return page
  }

  // listen counts what a page asks for. The browser says of which document a question is:
  // what a page asked that has been left is never answered, and nobody says so.
  async listen(page) {
    const net = { open: new Map(), begun: 0 }
    const cdp = await page.context().newCDPSession(page)
    const main = (await cdp.send('Page.getFrameTree')).frameTree.frame.id
    cdp.on('Network.requestWillBeSent', ({ requestId, frameId, loaderId, type, request }) => {
      if (frameId !== main || type === 'EventSource') return // of a preview, or without an end
      net.begun++
      net.open.set(requestId, { loaderId, url: request.url })
    })
    for (const end of ['Network.loadingFinished', 'Network.loadingFailed']) cdp.on(end, ({ requestId }) => net.open.delete(requestId))
    cdp.on('Page.frameNavigated', ({ frame }) => {
      if (frame.id === main) for (const [id, one] of net.open) if (one.loaderId !== frame.loaderId) net.open.delete(id)
    })
    await cdp.send('Network.enable')
    await cdp.send('Page.enable')
    this.asked.set(page, net)
  }

  // settled waits until a page has got all that it asked for, has drawn it, and asks for
  // nothing more because of it.
  async settled(page) {
    const net = this.asked.get(page)
    for (const end = Date.now() + PATIENCE; ; ) {
      const begun = net.begun
      if (net.open.size === 0) {
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))))
        if (net.open.size === 0 && net.begun === begun) return
      } else await new Promise((resolve) => setTimeout(resolve, 10))
      if (Date.now() > end) throw new Error('waited in vain for: ' + [...net.open.values()].map((one) => one.url).join(', '))
    }
  }

  // enter takes an invitation up, or the set-up link.
  async enter(page, link, name, email) {
    const before = this.where
    this.where = 'setup'
    await page.goto(link)
    if (email) await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Your name').fill(name)
    await page.getByLabel('Password').first().fill(PHRASE)
    await page.getByLabel('The same password again').fill(PHRASE)
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.getByRole('link', { name: 'Customers', exact: true }).waitFor()
    this.where = before
  }

  // look holds a page against the rules of axe in both themes.
  async look(page, name = this.where) {
    if (this.shots) mkdirSync(this.shots, { recursive: true })
    for (const theme of this.themes) {
      await page.evaluate((t) => (document.documentElement.dataset.theme = t), theme)
      // Colours fade from one to the other.
      await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished.catch(() => {}))))
      if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
      const found = await page.evaluate(async (rules) => (await window.axe.run(document, { runOnly: rules, iframes: false })).violations, RULES)
      for (const v of found) this.wrong(`axe in ${theme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 140)).join(' | ')}`)
      if (this.shots) await page.screenshot({ path: path.join(this.shots, `${name.replaceAll(' ', '-')}${theme === 'dark' ? '-dark' : ''}.png`) })
    }
    if (await page.evaluate(() => window.stolen)) this.wrong('what a stranger typed ran')
    this.looked.add(name)
  }

  async close() {
    await this.browser?.close()
    if (this.server) await this.stop()
    if (this.own) rmSync(this.own, { recursive: true, force: true })
  }
}

// tell tells a story, prints what was wrong, and ends the process.
export async function tell(story) {
  const shop = new Shop()
  try {
    const end = await story(shop)
    console.log('  ' + end)
  } catch (error) {
    shop.wrong(String(error?.stack ?? error))
    if (shop.shots) for (const [i, page] of shop.pages.entries()) await page.screenshot({ path: path.join(shop.shots, `failed-${i}.png`) })
  } finally {
    await shop.close()
  }
  for (const line of [...new Set(shop.said)]) console.log('  ' + line)
  process.exit(shop.said.length ? 1 : 0)
}
