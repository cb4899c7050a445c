// A marketer's afternoon: a picture, a template in blocks, a test that lands in the
// catcher, a campaign from the wizard, its approval by somebody else who types the
// number, the send, the mail, its click, and what came of it. Then the settings. What
// strangers typed never runs, and the policy of the pages is never broken.
//
// usage: node test/ui/campaigns.mjs BINARY
import { tell, until } from './shop.mjs'

const HOSTILE = `"><img src=x onerror="window.stolen=1">{{7|plus:7}}`

await tell(async (shop) => {
  await shop.serve(process.argv[2], { definitions: 'examples/shop' })
  const { origin } = shop
  const manage = (...asked) => shop.manage(...asked)
  const batch = []
  for (let i = 0; i < 30; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email: `person${i}@people.example`, first_name: i === 3 ? HOSTILE : `Person ${i}` } })
    batch.push({
      type: 'track', event: 'Order Completed', userId, messageId: `o${i}`, timestamp: new Date(Date.now() - 200 * 864e5).toISOString(),
      properties: { order_id: `o${i}`, currency: 'GBP', total: 20 + i, products: [{ sku: 'LAMP', price: 20 + i, quantity: 1, category: 'lighting' }] },
    })
  }
  await shop.send(batch)
  const mails = async () => (await (await fetch(origin + '/mails/mails.json')).text()).split('\n').filter(Boolean).map((l) => JSON.parse(l))
  const people = await until('the customers', async () => {
    const l = (await manage('GET', '/customers?limit=100')).data
    return l.length === 30 && l
  })
  // A shop without quiet hours: the test may run by night.
  const definitions = await manage('GET', '/definitions')
  await manage('PUT', '/definitions', {
    files: definitions.files.map((f) => (f.path === 'policy.yaml' ? { path: f.path, body: 'caps:\n  email: {per: 7d, most: 9}\ngap: 0s\nquiet: []\nexpires: 3d\n' } : f)),
  }, { 'If-Match': definitions.tag })
  // All but five agree to be written to, and to be measured.
  for (const c of people.slice(5)) for (const purpose of ['marketing', 'track.email'])
    await manage('POST', `/customers/${c.id}/consents`, { channel: 'email', purpose, granted: true, evidence: 'the test', wording: 'v1' })
  const segment = await until('a segment with everybody in it', async () => (await manage('GET', '/segments?limit=500')).data.find((s) => s.members === 30))

  const look = (page) => shop.look(page)
  const page = await shop.open()
  await shop.enter(page, shop.link, 'Ada', 'ada@shop.example')

  await manage('PUT', '/approvals', { above: 10 })

  shop.where = 'pictures'
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

  shop.where = 'new template'
  await page.getByRole('tab', { name: 'Templates' }).click()
  await page.getByRole('button', { name: 'New template…' }).click()
  await dialog.getByLabel('Title').fill('Spring lamps')
  await dialog.getByLabel('Subject').fill('New lamps for {{ customer.first_name }}')
  await dialog.getByRole('button', { name: 'Make it' }).click()
  await page.getByRole('heading', { name: 'Spring lamps' }).waitFor()
  shop.where = 'template blocks'
  await page.getByRole('button', { name: 'Move Heading down' }).waitFor()
  const words = page.locator('.blocks textarea').first()
  await words.fill('Hello {{ customer.first_name }}, lamps!')
  await page.getByText('Not in force yet; kept as your draft.').waitFor()
  await page.frameLocator('iframe[title=Preview]').getByText('lamps!').waitFor()
  // It is found again by who wrote it, wherever they go on.
  const keptDraft = () => page.evaluate(async () => (await (await fetch('/api/v1/drafts')).json()).data.some((d) => d.kind === 'template' && d.name === 'spring-lamps'))
  await until('the draft of the template', keptDraft)
  await page.reload()
  await page.frameLocator('iframe[title=Preview]').getByText('lamps!').waitFor()
  await page.getByText('Not in force yet; kept as your draft.').waitFor()
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
  await until('the draft to be gone', async () => !(await keptDraft()))

  shop.where = 'template code'
  const heading = page.getByRole('button', { name: /^Heading/ })
  await until('the heading to be open', async () => {
    if ((await heading.getAttribute('aria-expanded')) === 'true') return true
    await heading.click() // what came into force is shown anew, and may close it once
  })
  await words.fill('\nHello {{ customer.first_name }}, {{ customer.nickname }} lamps!\n')
  await page.getByRole('button', { name: 'customer.nickname', exact: true }).click() // missing, marked, and a way to its place
  await page.locator('.cm-content').waitFor()
  await page.locator('.cm-content:focus').waitFor() // the cursor is there
  await page.keyboard.press('Home')
  await page.keyboard.type('{{ shop.na')
  await page.locator('.cm-tooltip-autocomplete').getByText('name').first().waitFor() // the API said so
  await page.keyboard.press('Escape')
  await page.keyboard.type('}}{% if %}')
  await page.locator('.problems .bad').first().waitFor()
  if (await page.getByRole('button', { name: 'Put in force' }).isEnabled()) shop.wrong('a mistake can be put in force')
  await look(page)
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByText('In force as shown.').waitFor()

  shop.where = 'test send'
  await page.getByRole('button', { name: 'Send a test…' }).click()
  await dialog.getByLabel('To').fill('colleague@shop.example')
  await dialog.getByRole('button', { name: 'Send', exact: true }).click()
  await dialog.getByText('is on its way to colleague@shop.example').waitFor()
  await look(page)
  await dialog.getByRole('button', { name: 'Close' }).click()
  const test = await until('the test in the catcher', async () => (await mails()).find((m) => JSON.stringify(m).includes('colleague@shop.example')))
  if (!JSON.stringify(test).includes('[Test] New lamps')) shop.wrong(`the test is ${JSON.stringify(test).slice(0, 300)}`)

  shop.where = 'wizard'
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

  shop.where = 'campaign'
  await page.getByRole('button', { name: 'Ask for an approval' }).click()
  await page.getByText('Somebody else must approve it').waitFor()
  const name = decodeURIComponent(new URL(page.url()).pathname.split('/').pop())
  await look(page)
  // Whoever wrote it cannot approve it, whatever they send.
  shop.expects = /409/
  const own = await page.evaluate(async (n) => (await fetch(`/api/v1/campaigns/${n}/approve`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"recipients":25}' })).status, name)
  if (own < 400) shop.wrong(`the author approved their own campaign: ${own}`)
  shop.expects = undefined
  const invited = await manage('POST', '/invitations', { email: 'grace@shop.example', role: 'marketer' })
  const other = await shop.open()
  await shop.enter(other, invited.link.replace(/^https?:\/\/[^/]+/, origin), 'Grace')
  await other.goto(origin + '/app/campaigns/' + name)
  const typed = other.getByLabel(/Type the number of recipients/)
  await typed.fill('24')
  if (await other.getByRole('button', { name: 'Approve' }).isEnabled()) shop.wrong('a wrong number approves')
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
    shop.where = 'click'
    const html = await (await fetch(`${origin}/mails/mail/${sent[0].id}/html`)).text()
    const click = html.match(/href="(http[^"]+\/c\/[^"]+)"/)?.[1]?.replaceAll('&amp;', '&')
    if (!click) throw new Error('the mail has no link that is measured')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await fetch(click, { redirect: 'manual', headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126 Safari/537.36' } })
    shop.where = 'results'
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

  shop.where = 'calendar'
  await page.goto(origin + '/app/campaigns')
  await page.getByRole('link', { name: /Spring/ }).first().waitFor()
  await look(page)
  shop.where = 'week'
  await page.getByRole('button', { name: 'Week', exact: true }).click()
  await page.getByRole('link', { name: /Spring/ }).first().waitFor()
  await look(page)
  shop.where = 'list'
  await page.getByRole('button', { name: 'List', exact: true }).click()
  await look(page)

  shop.where = 'settings'
  await page.goto(origin + '/app/settings')
  await page.getByRole('button', { name: 'Add a domain…' }).click()
  await dialog.getByLabel('Domain', { exact: false }).first().fill('news.shop.example')
  await dialog.getByRole('button', { name: 'Make its keys' }).click()
  await page.getByText('What to publish in DNS').waitFor()
  await look(page)
  shop.where = 'senders'
  await page.getByRole('tab', { name: 'Senders' }).click()
  await page.getByRole('button', { name: 'Edit: hello@shop.example' }).click()
  await dialog.getByLabel('Name in From').fill(HOSTILE)
  await dialog.getByRole('button', { name: 'Put in force' }).click()
  await page.getByRole('cell', { name: HOSTILE }).waitFor()
  await look(page)
  shop.where = 'purposes'
  await page.getByRole('tab', { name: 'Purposes' }).click()
  await page.getByRole('button', { name: 'Add a purpose…' }).click()
  await dialog.getByLabel('Short name').fill('events')
  await dialog.getByLabel('What the preference page calls it').fill(HOSTILE)
  await dialog.getByRole('button', { name: 'Put in force' }).click()
  await page.getByText('events', { exact: true }).waitFor()
  await look(page)
  shop.where = 'brands'
  await page.getByRole('tab', { name: 'Brands' }).click()
  await page.getByLabel('Colour accent as text').fill('#14532d')
  await page.getByRole('button', { name: 'Put in force' }).last().click()
  await until('the accent', async () => (await manage('GET', '/definitions/tree?path=shop.yaml')).value.brand.colors.accent === '#14532d')
  await look(page)
  shop.where = 'policies'
  await page.getByRole('tab', { name: 'Policies' }).click()
  await page.getByRole('button', { name: 'Add a cap' }).click()
  await page.getByRole('button', { name: 'Put in force' }).click()
  await page.getByText('In force.', { exact: true }).waitFor()
  await look(page)
  const written = (await manage('GET', '/definitions')).files.find((f) => f.path === 'shop.yaml').body
  if (!written.includes('# What customers may agree to')) shop.wrong('the comments of shop.yaml are gone')
  await page.getByRole('tab', { name: 'Audit trail' }).click()
  await page.getByText('a test to c…@shop.example').waitFor()
  return `a campaign from its picture to its click, ${shop.looked.size} pages in two themes`
})
