// A marketer's whole day on the demo's year, in the browser alone: she becomes the owner,
// brings a file of orders and one of consents, makes a segment of who bought a spring
// lamp, a template, and a campaign to them; the mails arrive, one is clicked, the report
// says so; she changes a journey, tries it out on one of them, and publishes it. Then a
// support agent finds a customer, says why a message came, and notes that they no longer
// agree. Nobody uses a terminal.
//
// usage: node test/ui/day.mjs BINARY DATA [--shots DIR]
//        DATA is a folder that rapport demo --data has left; it is changed.
import { until, HOSTILE, tell } from './shop.mjs'

const args = process.argv.slice(2)
const BUYERS = 12

await tell(async (shop) => {
  if (args.includes('--shots')) shop.shots = args[args.indexOf('--shots') + 1]
  await shop.serve(args[0], { data: args[1], adopt: true })
  const { origin } = shop
  const page = await shop.open()
  await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')
  const get = (at, of = page) => of.evaluate(async (at) => (await fetch('/api/v1' + at)).json(), at)
  const put = (at, body, more = {}) =>
    page.evaluate(async ([at, body, more]) => (await fetch('/api/v1' + at, { method: 'PUT', headers: { 'Content-Type': 'application/json', ...more }, body: JSON.stringify(body) })).status, [at, body, more])
  const mails = async () => (await (await fetch(origin + '/mails/mails.json')).text()).split('\n').filter(Boolean).map((l) => JSON.parse(l))
  const dialog = page.getByRole('dialog')
  const button = (name, of = page) => of.getByRole('button', { name, exact: true })

  shop.where = 'home'
  await page.getByText('Ten minutes to the first campaign').waitFor()
  await shop.look(page)
  // The day may be told at night: the shop has no quiet hours, and its caps let one more go.
  const { files, tag } = await get('/definitions')
  const calm = files.map((f) => (f.path === 'policy.yaml' ? { ...f, body: 'caps:\n  email: {per: 7d, most: 9}\ngap: 0s\nquiet: []\nexpires: 3d\n' } : f))
  const status = await put('/definitions', { files: calm }, { 'If-Match': tag })
  if (status !== 200) shop.wrong(`the policy is answered ${status}`)

  const address = (i) => `spring${i}@people.example`
  const day = (n) => new Date(Date.now() - n * 86_400_000).toISOString().slice(0, 10)
  const upload = async (kind, name, text) => {
    await page.goto(origin + '/app/data/imports')
    await page.getByRole('radio', { name: kind }).check()
    await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
    await page.getByText('Columns, and the first').waitFor()
    await shop.look(page, name.split('.')[0] + ' mapping')
    await button('Try it without writing anything').click()
    await page.getByText('What would be imported').waitFor()
    await button('Import it').click()
    await page.getByText('It is imported').waitFor()
  }
  shop.where = 'orders'
  const line = (i) => `S${i},${i === BUYERS ? '31.31.2026' : day(20 - i)},SPRING-LAMP,Spring lamp,1,${20 + i}.00,${address(i)}`
  await upload(/^Orders/, 'orders.csv', 'Order,Date,SKU,Name,Quantity,Unit price,Email\n' + Array.from({ length: BUYERS + 1 }, (_, i) => line(i)).join('\n') + '\n')
  shop.where = 'consents'
  const agreed = Array.from({ length: BUYERS - 2 }, (_, i) => `${address(i)},email,marketing,granted,${day(30)},web form\n${address(i)},email,track.email,granted,${day(30)},web form`)
  await upload(/^Consents/, 'consents.csv', 'Email,Channel,Purpose,State,Date,Evidence\n' + agreed.join('\n') + '\n')

  shop.where = 'segment'
  await page.goto(origin + '/app/segments')
  await shop.look(page, 'segments')
  await page.getByRole('link', { name: 'New segment…' }).click()
  await button('Begin with nothing').click()
  await page.getByLabel('Called').fill('Spring lamp buyers')
  const editor = page.getByRole('group', { name: 'Condition', exact: true })
  await editor.getByLabel('+ question').selectOption('did')
  await editor.getByLabel('Say more').selectOption('where')
  await editor.getByLabel('where: property 1').fill('products.sku')
  await page.keyboard.press('Escape')
  await editor.getByLabel('products.sku: value').fill('SPRING-LAMP')
  await page.keyboard.press('Escape')
  await page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent === n && !document.querySelector('.count.busy'), String(BUYERS))
  await shop.look(page)
  await button('Review and apply…').click()
  await page.getByTestId('enter').getByText(String(BUYERS), { exact: true }).waitFor()
  await button('Apply').click()
  await page.getByRole('heading', { name: 'Spring lamp buyers' }).waitFor()
  await until('the members', async () => (await get('/segments/spring-lamp-buyers')).members === BUYERS)

  shop.where = 'template'
  await page.goto(origin + '/app/templates')
  await shop.look(page, 'templates')
  await button('New template…').click()
  await dialog.getByLabel('Title').fill('Spring lamps')
  await dialog.getByLabel('Subject').fill('A shade for your spring lamp')
  await button('Make it', dialog).click()
  await page.getByRole('heading', { name: 'Spring lamps' }).waitFor()
  await page.locator('.blocks textarea').first().fill('Shades for spring lamps ' + HOSTILE.replaceAll('"', '&quot;').replaceAll('<', '&lt;'))
  await page.getByText('Not in force yet; kept as your draft.').waitFor()
  await page.frameLocator('iframe[title=Preview]').getByText('Shades for spring').waitFor()
  await shop.look(page)
  await button('Put in force').click()
  await page.getByText('In force as shown.').waitFor()

  shop.where = 'campaign'
  await page.goto(origin + '/app/campaigns/new')
  await page.getByLabel('Title').fill('Shades for spring')
  await page.getByLabel('Who gets it').selectOption('spring-lamp-buyers')
  await page.getByText('who agreed').waitFor()
  await shop.look(page, 'campaign wizard')
  await button('Next').click()
  await page.getByLabel('Template').selectOption({ label: 'Spring lamps' })
  await page.getByLabel('Why they get it').fill('You bought a spring lamp from us')
  await button('Next').click()
  await page.getByRole('radio', { name: /At once/ }).check()
  await button('Next').click()
  await page.getByLabel('Undo window').selectOption('none')
  await page.getByLabel('Held out, in per cent').fill('0')
  await button('Next').click()
  await button('Make a draft').click()
  const typed = page.getByLabel(/Type the number of recipients/)
  await button('Send').or(typed).first().waitFor() // the new definitions reach everybody within a moment
  if (await typed.isVisible()) await typed.fill(String(BUYERS - 2))
  await button('Send').click()
  const sent = await until('the mails', async () => {
    const list = (await mails()).filter((m) => m.subject === 'A shade for your spring lamp')
    return list.length === BUYERS - 2 && list
  })
  const html = await (await fetch(`${origin}/mails/mail/${sent[0].id}/html`)).text()
  const click = html.match(/href="(http[^"]+\/c\/[^"]+)"/)?.[1]?.replaceAll('&amp;', '&')
  if (!click) throw new Error('the mail has no link that is measured')
  await new Promise((resolve) => setTimeout(resolve, 1500)) // what clicks sooner is no person
  await fetch(click, { redirect: 'manual', headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126 Safari/537.36' } })
  await until('the figures', async () => {
    const row = (await get('/reports/messages')).messages?.rows?.find((r) => r.origin === 'shades-for-spring')
    return row?.sent === BUYERS - 2 && row.clicked === 1
  })
  await page.reload()
  await page.getByText('What came of it').waitFor()
  await page.getByRole('row', { name: /Clicked by people/ }).waitFor()
  await shop.look(page)

  shop.where = 'report'
  await page.goto(origin + '/app/reports/messages')
  await page.getByRole('row', { name: /shades-for-spring/i }).waitFor()
  await shop.look(page)

  shop.where = 'journey'
  await page.goto(origin + '/app/journeys/welcome')
  await button('List').click()
  await page.locator('[data-step]').nth(1).waitFor()
  await shop.look(page)
  const wait = page.locator('[data-step]').filter({ hasText: /^Wait|Wait/ }).first()
  await wait.click()
  await page.getByRole('spinbutton', { name: 'How long' }).fill('3')
  await page.keyboard.press('Escape')
  await page.getByText('Ready to be published').waitFor()
  await button('Test run').click()
  await page.getByLabel('As which customer').fill(address(1))
  await button('Test').click()
  await page.getByRole('region', { name: 'Test run' }).getByText('They came in', { exact: false }).waitFor()
  await shop.look(page, 'journey test run')
  await page.getByRole('region', { name: 'Test run' }).getByRole('button', { name: 'Close', exact: true }).first().click()
  await button('Publish…').click()
  await dialog.getByText('wait: 3', { exact: false }).first().waitFor()
  await button('Publish', dialog).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByLabel('State of the draft').getByText('in force').waitFor()

  shop.where = 'invitation'
  await page.goto(origin + '/app/settings')
  await page.getByRole('tab', { name: 'People' }).click()
  await button('Invite…').click()
  await dialog.getByLabel('E-mail').fill('grace@shop.example')
  await dialog.getByLabel('Role').selectOption('support')
  await button('Make a link', dialog).click()
  const link = await until('the link', async () => (await dialog.locator('.mono').textContent())?.match(/http\S+\/join#\S+/)?.[0])
  await shop.look(page)

  shop.where = 'support'
  const reader = sent[0].rcpt[0]
  const agent = await shop.open()
  await shop.enter(agent, link.replace(/^https?:\/\/[^/]+/, origin), 'Grace Hopper')
  if (await agent.getByRole('link', { name: 'Campaigns', exact: true }).isVisible()) {
    await agent.goto(origin + '/app/campaigns')
    if (await agent.getByRole('link', { name: 'New campaign…' }).isVisible()) shop.wrong('a support agent is shown how to make a campaign')
  }
  const customers = async () => {
    await agent.goto(origin + '/app/customers')
    await agent.getByPlaceholder('E-mail, phone, user id, customer id…').fill(reader)
    await agent.keyboard.press('Enter')
    await agent.getByRole('heading', { name: reader }).waitFor()
  }
  await customers()
  await shop.look(agent, 'customer')
  await agent.getByRole('tab', { name: 'Messages' }).click()
  await agent.getByRole('link', { name: /spring/i }).first().click()
  await agent.getByText('You bought a spring lamp from us').waitFor()
  await agent.getByText('lets through').first().waitFor()
  await shop.look(agent, 'message')
  await customers()
  const consents = agent.locator('section, .panel').filter({ has: agent.getByRole('heading', { name: 'Consents' }) }).last()
  await consents.getByRole('listitem').filter({ hasText: 'email · marketing' }).getByRole('button', { name: 'Withdraw…' }).click()
  const note = agent.getByRole('dialog')
  await note.getByLabel('How they said it').fill('by telephone, at noon')
  await button('Note', note).click()
  await note.waitFor({ state: 'hidden' })
  await consents.getByRole('listitem').filter({ hasText: 'email · marketing' }).getByText('Refused').waitFor()
  await consents.getByText('by telephone, at noon', { exact: false }).waitFor()
  await shop.look(agent, 'consents')
  return `a marketer's day and a support agent's, ${shop.looked.size} pages in two themes`
})
