// Walks through every page of the web UI and every tab of it, as an owner sees them: in
// English in both themes, and in German. A page that says something to the console, asks
// anybody else for anything, breaks the policy or a rule of axe, shows a mistake, or is
// wider than the window fails it, and so does a route that is not walked.
//
// usage: node test/ui/ui.mjs BINARY            a small shop of its own
//        node test/ui/ui.mjs --at LINK [--shots DIR]
//                                              a server that runs, such as the demo
import { readFileSync } from 'node:fs'
import { HOSTILE, PHRASE, tell, until } from './shop.mjs'

const args = process.argv.slice(2)
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : '')

// people are forty customers, of whom one and what they bought are called as no one is.
async function people(shop) {
  await shop.serve(args[0], { definitions: 'examples/shop' })
  const batch = []
  for (let i = 0; i < 40; i++) {
    const userId = `customer-${i}`
    const email = i === 7 ? '"><script>window.stolen=1</script>@people.example' : `person${i}@people.example`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email, first_name: HOSTILE } })
    batch.push({
      type: 'track', event: 'Order Completed', userId, messageId: `o${i}`,
      properties: { order_id: `o${i}`, currency: 'GBP', total: 20 + i, products: [{ sku: 'LAMP', name: HOSTILE, price: 20 + i, quantity: 1, category: 'lighting' }] },
    })
  }
  batch.push({ type: 'track', event: 'Order Completed', userId: 'customer-1', messageId: 'aside', timestamp: 'tomorrow', properties: { order_id: 'A7', currency: 'GBP', total: 12 } })
  batch.push({ type: 'track', event: HOSTILE, userId: 'customer-1', messageId: 'hostile', properties: {} })
  await shop.send(batch)
  await shop.manage('PUT', '/products', { currency: 'GBP', products: [{ id: 'LAMP', title: HOSTILE, sku: 'LAMP', price: '12.50', stock: 3, url: 'javascript:window.stolen=1' }] })
}

await tell(async (shop) => {
  if (option('--at')) {
    shop.link = option('--at')
    shop.origin = new URL(shop.link).origin
  } else await people(shop)
  const page = await shop.open()
  if (shop.link.includes('#')) {
    await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')
    await page.getByRole('button', { name: 'Sign out' }).click()
  } else await page.goto(shop.origin)
  await page.getByLabel('E-mail').fill('ada@shop.example')
  await page.getByLabel('Password').fill(PHRASE)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('link', { name: 'Customers', exact: true }).waitFor()

  const get = (p) => page.evaluate(async (p) => (await fetch('/api/v1' + p)).json(), p)
  const one = async (p) => ((await get(p)).data ?? [])[0]
  await until('a customer', () => one('/customers?limit=1'))
  let customer = {}
  for (const c of (await get('/customers?limit=500')).data) if (c.email && c.orders > (customer.orders ?? -1)) customer = c
  const segments = await until('the segments', async () => (await get('/segments?limit=500')).data)
  const segment = segments.sort((a, b) => b.members - a.members)[0].name
  const journeys = (await get('/journeys')).data
  const journey = journeys.sort((a, b) => (b.entered ?? 0) - (a.entered ?? 0))[0].name
  const campaign = (await get('/campaigns')).campaigns[0].name
  const template = (await get('/templates')).data.find((t) => t.subject).name
  const message = await one(`/customers/${customer.id}/deliveries?limit=1`)
  const product = await one('/products?limit=1')

  // A page, where it is, and what is pressed in it before it is looked at.
  const walk = [
    ['home', '/app/'],
    ['customers', '/app/customers'],
    ['customer', `/app/customers/${customer.id}`],
    message && ['message', `/app/messages/${message.id}`],
    ['segments', '/app/segments'],
    ['segment-library', '/app/segments?new='],
    ['segment-new', '/app/segments?new=-'],
    ['segment', `/app/segments/${segment}`],
    ['segment-edit', `/app/segments/${segment}?edit=true`],
    ['journeys', '/app/journeys'],
    ['journey-canvas', `/app/journeys/${journey}`, '.jviews button >> nth=0'],
    ['journey-list', `/app/journeys/${journey}`, '.jviews button >> nth=1'],
    ['campaigns-month', '/app/campaigns', '.calendar-tools .seg button >> nth=0'],
    ['campaigns-week', '/app/campaigns', '.calendar-tools .seg button >> nth=1'],
    ['campaigns-list', '/app/campaigns', '.calendar-tools .seg button >> nth=2'],
    ['campaign', `/app/campaigns/${campaign}`],
    ['campaign-wizard', '/app/campaigns/new'],
    ['templates', '/app/templates'],
    ['template', `/app/templates/${template}`],
    ['reports', '/app/reports'],
    ['data', '/app/data'],
    product && ['data-product', `/app/data/catalogue/${encodeURIComponent(product.id)}`],
    ['settings', '/app/settings'],
    ['account', '/app/settings/account'],
  ].filter(Boolean)

  // Whatever main.tsx has a route for is walked.
  const routes = [...readFileSync('ui/src/main.tsx', 'utf8').matchAll(/^ +(?:at\()?'(\/app\/.*)',$/gm)].map((m) => m[1])
  if (routes.length < 19) shop.wrong(`main.tsx has only ${routes.length} routes`)
  const tabbed = ['/app/data/$part', '/app/reports/$part', '/app/data/$part/$id', message ? '' : '/app/messages/$id'] // by their tabs, and the product
  for (const route of routes.filter((r) => !tabbed.includes(r))) {
    const like = new RegExp('^' + route.replace(/\$\w+/g, '[^/?]+') + '$')
    if (!walk.some(([, at]) => like.test(at.split('?')[0]))) shop.wrong(`nobody walks to ${route}`)
  }

  const settled = async () => {
    await page.locator('main h1').waitFor()
    await shop.settled(page)
    await page.waitForFunction(() => ![...document.querySelectorAll('main [role=status], main .empty')].some((e) => /^(One moment…|Einen Moment…)$/.test(e.textContent)))
  }
  const look = async (name) => {
    shop.where = name
    await settled()
    await shop.look(page, 'ui-' + name)
    // What comes late has had the time that axe took.
    for (const alert of await page.locator('main').getByRole('alert').allTextContents()) shop.wrong('says ' + alert)
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (wide > 0) shop.wrong(`is ${wide} pixels wider than the window`)
  }
  // The tabs are those that a page has, in the words that it has for them.
  const tabs = page.locator('main .tabs').locator('button, a')
  shop.shots = option('--shots')
  for (const language of ['en', 'de']) {
    shop.where = language
    await page.goto(shop.origin + '/app/')
    await page.locator('nav.side select').first().selectOption(language)
    const mark = language === 'en' ? '' : ' in German'
    if (mark) {
      shop.shots = ''
      shop.themes = ['light'] // colours do not depend on the language
    }
    for (const [name, at, press] of walk) {
      shop.where = name
      await page.goto(shop.origin + at)
      await settled()
      if (press) await page.locator(press).click()
      const n = name === 'data-product' ? 0 : await tabs.count()
      if (n === 0) await look(name + mark)
      for (let i = 0; i < n; i++) {
        await tabs.nth(i).click()
        const words = (await tabs.nth(i).evaluate((e) => e.firstChild.textContent)).trim().toLowerCase().replace(/\W+/g, '-')
        await look(`${name}-${words}${mark}`)
      }
    }
  }
  shop.where = 'German'
  await page.getByRole('link', { name: 'Kunden', exact: true }).click()
  await page.getByRole('heading', { name: 'Kunden' }).waitFor()
  await page.getByPlaceholder('E-Mail, Telefon, Kennung…').fill(customer.email)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: customer.email }).waitFor()

  // Who analyses sees the same customer, and nobody's name.
  shop.where = 'as an analyst'
  const invited = await page.evaluate(async () => (await fetch('/api/v1/invitations', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: 'grace@shop.example', role: 'analyst' }) })).json())
  const analyst = await shop.open()
  await shop.enter(analyst, shop.origin + new URL(invited.link).pathname + new URL(invited.link).hash, 'Grace')
  await analyst.getByText('Names are masked.').waitFor()
  for (const [name, at] of [['customers', '/app/customers'], ['customer', `/app/customers/${customer.id}`]]) {
    await analyst.goto(shop.origin + at)
    await analyst.getByText('are masked for your role').waitFor()
    await analyst.getByText(customer.id.slice(0, 12)).first().waitFor()
    for (const tab of name === 'customer' ? ['Overview', 'Timeline', 'Messages'] : []) {
      await analyst.getByRole('tab', { name: tab }).click()
      await shop.settled(analyst)
      const text = await analyst.locator('main').innerText()
      for (const said of [customer.email, customer.user_id, 'people.example', 'window.stolen'])
        if (said && text.includes(said)) shop.wrong(`${name}, ${tab} says ${said}`)
    }
  }
  return `${shop.looked.size / 2} pages and tabs, in two themes and two languages`
})
