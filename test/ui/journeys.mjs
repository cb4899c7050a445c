// Makes a journey by keyboard alone: from nothing, with a test run, published, edited,
// undone and brought back to an older version. What the pages ask, say to the console,
// or break of the rules of axe is looked at on the way.
//
// usage: node test/ui/journeys.mjs BINARY [--shots DIR]
import { PATIENCE, tell, until } from './shop.mjs'

const args = process.argv.slice(2)
const EVIL = '<img src=x onerror="window.stolen=1">"><script>window.stolen=1</script>'

await tell(async (shop) => {
  if (args.includes('--shots')) shop.shots = args[args.indexOf('--shots') + 1]
  await shop.serve(args[0], { definitions: 'examples/shop' })
  const order = (i) => ({ order_id: 'o' + i, currency: 'GBP', total: 20, products: [{ sku: 'LAMP', name: EVIL, price: 20, quantity: 1, category: 'lighting' }] })
  const batch = []
  for (let i = 0; i < 3; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email: `person${i}@people.example`, first_name: EVIL } })
    batch.push({ type: 'track', event: 'Consent Changed', userId, messageId: `c${i}`, properties: { channel: 'email', purpose: 'marketing', state: 'granted', evidence: 'form' } })
    batch.push({ type: 'track', event: 'Order Completed', userId, messageId: `o${i}`, properties: order(i) })
  }
  await shop.send(batch)
  const page = await shop.open()
  await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')
  const look = (name) => shop.look(page, 'journey-' + name)
  // From here on everything is done by keyboard: focus goes where Tab would take it,
  // and nothing is clicked.
  const press = (key) => page.keyboard.press(key)
  const go = async (locator, key = 'Enter') => {
    await until('it can be pressed: ' + locator, () => locator.isEnabled()) // what cannot takes no focus
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
    throw new Error(`${what} is ${got}, not ${JSON.stringify(want)}`)
  }
  const add = async (kind) => page.getByRole('dialog', { name: 'Which step?' }).getByRole('button', { name: kind }).press('Enter')

  shop.where = 'new'
  await page.goto(shop.origin + '/app/journeys')
  await go(button('New journey…'))
  await page.keyboard.insertText('Spring ' + EVIL)
  await press('Enter')
  await page.getByRole('heading', { level: 1 }).filter({ hasText: 'Spring <img' }).waitFor()
  await go(button('List'))
  await look('new')

  shop.where = 'trigger'
  await go(button('+ trigger'))
  await write(page.getByRole('textbox', { name: 'Event', exact: true }).or(page.getByRole('combobox', { name: 'Event', exact: true })).first(), 'Order Completed')
  await press('Escape')
  await expect('the focus', '▸begin', () => page.evaluate(() => document.activeElement?.dataset?.step))

  shop.where = 'steps'
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
  if (await button('Publish…').isEnabled()) shop.wrong('a journey with an unfinished step can be published')
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

  shop.where = 'test run'
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

  shop.where = 'publish'
  await go(button('Publish…'))
  const dialog = page.getByRole('dialog', { name: 'Publish the journey' })
  await dialog.getByText('added').waitFor()
  await look('publish')
  await go(dialog.getByRole('button', { name: 'Publish', exact: true }))
  await dialog.waitFor({ state: 'hidden' })
  await page.getByLabel('State of the draft').getByText('in force').waitFor()
  const body = (await (await page.request.get(shop.origin + '/api/v1/definitions')).json()).files.find((f) => f.path.startsWith('journeys/spring'))?.body ?? ''
  for (const line of ['trigger: {event: Order Completed}', '    wait: 2d']) if (!body.includes(line)) shop.wrong(`the file is\n${body}`)

  shop.where = 'edit'
  await go(row('wait'))
  await write(page.getByRole('spinbutton', { name: 'How long' }), '5')
  await press('Escape')
  await page.getByText('Ready to be published').waitFor()
  await go(button('Publish…'))
  await dialog.getByText('wait: 5d').waitFor()
  await go(dialog.getByRole('button', { name: 'Publish', exact: true }))
  await dialog.waitFor({ state: 'hidden' })
  await page.getByLabel('State of the draft').getByText('in force').waitFor()

  shop.where = 'versions'
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

  shop.where = 'conflict'
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

  shop.where = 'canvas'
  await page.goto(shop.origin + '/app/journeys/vip-welcome')
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

  shop.where = 'German'
  await page.getByLabel('Language').selectOption('de')
  await page.getByRole('button', { name: 'Testlauf' }).waitFor()
  return 'a journey from nothing to its third version, by keyboard'
})
