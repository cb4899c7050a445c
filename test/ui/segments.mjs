// A marketer builds a nested segment by keyboard and mouse, sees the count follow, puts it
// in force, sees who is in it, changes it while somebody else changes the definitions, and
// deletes it. A page that says something to the console, asks anybody else for anything,
// breaks the policy or a rule of axe, or runs what was typed, fails it.
//
// usage: node test/ui/segments.mjs BINARY      a small shop of its own
import { HOSTILE, PHRASE, tell, until } from './shop.mjs'

await tell(async (shop) => {
  await shop.serve(process.argv[2], { definitions: 'examples/shop' })
  const batch = []
  for (let i = 0; i < 40; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, traits: { email: `person${i}@people.example` } })
    batch.push({
      type: 'track', event: 'Order Completed', userId, messageId: `o${i}`,
      properties: {
        order_id: `o${i}`, currency: 'GBP', total: 20 + i,
        products: [{ sku: 'LAMP', price: 20 + i, quantity: 1, category: i % 2 ? 'lighting' : HOSTILE }],
      },
    })
  }
  await shop.send(batch)
  const page = await shop.open()
  const is = (what, ok) => ok || shop.wrong(what)
  const button = (name) => page.getByRole('button', { name, exact: true })
  const counts = (n) => page.waitForFunction((n) => document.querySelector('[data-testid=count]')?.textContent === n && !document.querySelector('.count.busy'), String(n))
  const known = async (name) => (await shop.manage('GET', '/segments?limit=500')).data.some((s) => s.name === name)
  const look = (name) => shop.look(page, (shop.where = name))
  await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')
  await page.getByRole('link', { name: 'Segments' }).click()
  await until('40 customers', async () => (await shop.manage('GET', '/customers?limit=100')).data.length === 40)

  // While new definitions are on their way to a large shop's customers, the page says so.
  let swept = 40632
  await page.route('**/api/v1/stats', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, json: { ...(await answer.json()), swept, sweeping: 65536 } })
  })
  await page.reload()
  await page.getByRole('status').filter({ hasText: /62\s?% of the customers/ }).waitFor()
  await look('a sweep under way')
  swept = 65536
  await page.getByRole('status').filter({ hasText: 'of the customers' }).waitFor({ state: 'detached' })

  // From the library, and from nothing.
  await page.getByRole('link', { name: 'New segment…' }).click()
  await page.getByRole('button', { name: /^Left with a full cart/ }).waitFor()
  await look('the library')
  await button('Begin with nothing').click()
  await page.getByLabel('Called').fill('Lamp friends')
  is('the name follows the label', (await page.getByLabel('Name in definitions').inputValue()) === 'lamp-friends')
  await page.getByLabel('What it is for').fill(HOSTILE)

  // A question, by the mouse.
  const editor = page.getByRole('group', { name: 'Condition', exact: true })
  await editor.getByLabel('+ question').selectOption('did')
  await counts(40)
  await look('one question')
  // A detail of it, by the keyboard: what is typed is found, and Enter takes it.
  await editor.getByLabel('Say more').selectOption('where')
  await editor.getByLabel('where: property 1').focus()
  await page.keyboard.type('products.cat')
  await page.getByRole('option', { name: /^products\.category/ }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await editor.getByLabel('products.category: value').focus()
  await page.getByRole('option', { name: /^lighting/ }).waitFor()
  await page.keyboard.type('light')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await counts(20)
  await editor.getByLabel('Say more').selectOption('sum')
  await editor.getByLabel('adding up', { exact: true }).fill('40')
  await counts(10)

  // It is put into a group, and a group into that.
  await editor.getByLabel('Did: put into').selectOption('any')
  await editor.getByLabel('+ question').selectOption('all')
  const inner = editor.getByRole('group', { name: 'All of', exact: true })
  await inner.getByLabel('Kind of question').nth(1).selectOption('trait')
  await inner.getByRole('combobox', { name: 'the trait' }).fill('email')
  await inner.getByLabel('email: comparison').selectOption('is')
  await inner.getByLabel('email: value').fill('person0@people.example')
  await counts(11)
  // Keyboard: double, move, remove, take back.
  await inner.getByLabel('email: value').focus()
  await page.keyboard.press('Alt+d')
  await page.waitForFunction(() => document.querySelectorAll('.condition [aria-label="Trait"]').length === 2)
  await page.keyboard.press('Alt+ArrowUp')
  await page.keyboard.press('Alt+ArrowUp')
  // Out of the inner group at its top, to stand before it.
  await page.waitForFunction(() => document.activeElement?.closest('.cnode')?.getAttribute('data-path') === '["any",1]')
  await page.keyboard.press('Alt+Backspace')
  await page.waitForFunction(() => document.querySelectorAll('.condition [aria-label="Trait"]').length === 1)
  await page.getByRole('heading', { name: 'New segment' }).click()
  await button('Undo').click()
  await page.waitForFunction(() => document.querySelectorAll('.condition [aria-label="Trait"]').length === 2)
  await button('Redo').click()
  await page.waitForFunction(() => document.querySelectorAll('.condition [aria-label="Trait"]').length === 1)
  await counts(11)

  // A mistake stands at the question that it is about, with what was meant.
  await inner.getByLabel('+ question').selectOption('segment')
  await inner.getByRole('combobox', { name: 'is in the segment' }).fill('at-rsk')
  await inner.getByRole('alert').getByText('there is no segment').waitFor()
  is('what is wrong cannot be applied', await button('Review and apply…').isDisabled())
  await inner.getByRole('button', { name: 'Take “at-risk”' }).click()
  await counts(10)
  await inner.getByRole('group', { name: 'In a segment: move and remove' }).getByRole('button', { name: 'Remove' }).focus()
  await page.keyboard.press('Enter')
  await counts(11)
  await look('a nested segment')

  // JSON and YAML are the same condition, both ways.
  await button('JSON').click()
  is('JSON shows the tree', JSON.parse(await page.getByLabel('Condition as JSON').inputValue()).any.length === 2)
  await button('YAML').click()
  const yaml = page.getByLabel('Condition as YAML')
  const text = await yaml.inputValue()
  is(`YAML shows the tree: ${text}`, text.startsWith('any:\n') && text.includes('person0@people.example'))
  await yaml.fill(text.replace('person0@', 'person2@'))
  await button('Builder').click()
  await page.waitForFunction(() => document.querySelector('[aria-label="email: value"]')?.value === 'person2@people.example')
  await counts(11)

  // A draft survives another visit.
  await page.goto(shop.origin + '/app/segments')
  await page.getByRole('link', { name: 'Go on with it' }).click()
  await counts(11)
  is('the draft kept what was typed', (await page.getByLabel('What it is for').inputValue()) === HOSTILE)

  // Another browser of hers goes on with it, and neither overwrites the other unseen.
  const second = await shop.open()
  const was = shop.where
  shop.where = 'setup'
  await second.goto(shop.origin + '/app/')
  await second.getByLabel('E-mail').fill('ada@shop.example')
  await second.getByLabel('Password').fill(PHRASE)
  await second.getByRole('button', { name: 'Sign in' }).click()
  await second.getByRole('link', { name: 'Segments', exact: true }).click()
  shop.where = was
  await second.getByRole('link', { name: 'Go on with it' }).click()
  await second.getByText(/^A draft of .* goes on here/).waitFor()
  is('the other browser has what was typed', (await second.getByLabel('What it is for').inputValue()) === HOSTILE)
  await second.getByLabel('Called').fill('Written elsewhere')
  const kept = (what) => until(what, () => page.evaluate(async (what) => (await (await fetch('/api/v1/drafts/segment?name=')).json()).body?.includes(what), what))
  await kept('Written elsewhere')
  shop.expects = /409/
  await page.getByLabel('What it is for').fill('Written here')
  const clash = page.getByRole('alert')
  await clash.getByText('you have kept another draft of it, in another browser').waitFor()
  await look('a draft that is not kept')
  await clash.getByRole('button', { name: 'Keep what is here' }).click()
  await kept('Written here')
  await second.getByLabel('Called').fill('Written elsewhere again')
  await second.getByRole('button', { name: 'Go on with the other' }).click()
  await until('the other browser to follow', async () => (await second.getByLabel('What it is for').inputValue()) === 'Written here')
  shop.expects = undefined
  await second.close()
  await page.getByLabel('What it is for').fill(HOSTILE)
  await kept('onerror')

  // Reviewed, and in force.
  await button('Review and apply…').click()
  await page.waitForFunction(() => document.querySelector('[data-testid=enter]')?.textContent === '11')
  await page.getByText('lamp-friends').first().waitFor()
  await look('the review')
  await button('Apply').click()
  await page.getByRole('heading', { name: 'Lamp friends' }).waitFor()
  await page.getByText('11 members').waitFor()
  await page.getByRole('link', { name: 'person2@people.example' }).waitFor()
  is('the members are those of the count', (await page.getByRole('table', { name: 'Members' }).getAttribute('aria-rowcount')) === '11')
  await look('the members')
  for (const tab of ['Reach', 'Overlap', 'Used by']) {
    await page.getByRole('tab', { name: tab }).click()
    await shop.settled(page)
    await look(tab)
  }

  // Changed, while somebody else changes something too.
  await page.getByRole('link', { name: 'Edit', exact: true }).click()
  await counts(11)
  await editor.getByLabel('email: comparison').selectOption('ends_with')
  await editor.getByLabel('email: value').fill('9@people.example')
  await counts(12) // those of forty pounds and more, and number nine, and nineteen
  await button('Review and apply…').click()
  await page.waitForFunction(() => document.querySelector('[data-testid=leave]')?.textContent === '1' && document.querySelector('[data-testid=enter]')?.textContent === '2')
  await page.getByText('changed', { exact: true }).waitFor()
  await page.evaluate(async () => {
    const d = await (await fetch('/api/v1/definitions')).json()
    const files = [...d.files, { path: 'segments/theirs.yaml', body: 'segment: theirs\nwhen: {segment: lamp-friends}\n' }]
    const put = await fetch('/api/v1/definitions', { method: 'PUT', headers: { 'Content-Type': 'application/json', 'If-Match': d.tag }, body: JSON.stringify({ files }) })
    if (!put.ok) throw new Error(await put.text())
  })
  shop.expects = /409/
  await button('Apply').click()
  await page.getByText('Somebody else put other definitions in force meanwhile.').waitFor()
  await button('Look again').click()
  await page.waitForFunction(() => ![...document.querySelectorAll('dialog button')].find((b) => b.textContent === 'Apply')?.disabled)
  await button('Apply').click()
  await page.getByText('12 members').waitFor()
  is('theirs is there still', await known('theirs'))

  // What is named somewhere is not deleted; what is not, is.
  await button('Delete…').click()
  await page.getByText('It cannot go as long as these name it:').waitFor()
  await page.getByRole('dialog').getByText('segments/theirs.yaml').waitFor()
  await button('Close').click()
  await page.goto(shop.origin + '/app/segments/theirs')
  await button('Delete…').click()
  await page.getByText('removed', { exact: true }).waitFor()
  await button('Delete').click()
  await page.getByRole('heading', { name: 'Segments' }).waitFor()
  is('theirs is gone', !(await known('theirs')))
  await page.getByRole('link', { name: 'Lamp friends' }).waitFor()
  is('what a stranger typed ran', !(await page.evaluate(() => window.stolen)))
  return 'a segment from nothing to its members, and away'
})
