// Walks through the pages of data as a marketer does: a file with a wrong row is
// uploaded, mapped, tried, imported, its refused row downloaded, and the import taken
// back; an event that is wrong is seen live with its reason, mended, and heard again.
// Names of products and people that would run as scripts do not.
//
// usage: node test/ui/data.mjs BINARY
import { readFileSync } from 'node:fs'
import { tell, until } from './shop.mjs'

const HOSTILE = '<img src=x onerror="window.stolen=1">'

await tell(async (shop) => {
  await shop.serve(process.argv[2], { definitions: 'examples/shop' })
  const page = await shop.open()
  const want = (so, what) => so || shop.wrong(what)
  const looked = (name) => shop.look(page, name)
  await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')

  // The first event arrives while somebody looks at how to connect.
  shop.where = 'connect'
  await page.goto(shop.origin + '/app/data/connect')
  await page.getByText('waiting', { exact: true }).waitFor()
  want((await page.locator('pre').first().textContent()).includes('rp_w_'), 'the snippet lacks the write key')
  await shop.send([{ type: 'track', event: HOSTILE, userId: 'u1', messageId: 'first', traits: {}, properties: {} }])
  await page.getByText('An event has arrived').waitFor()
  await looked('connect')

  // An event that is wrong is seen with its reason within a second, mended and heard.
  shop.where = 'live'
  await page.goto(shop.origin + '/app/data/live')
  await page.getByText('watching').waitFor()
  await shop.send([
    { type: 'track', event: 'Product Viewed', userId: 'u1', messageId: 'good', properties: { sku: HOSTILE } },
    { type: 'track', event: 'Order Completed', userId: 'mended', messageId: 'bad', timestamp: 'tomorrow', properties: { order_id: 'A7', currency: 'GBP', total: 12 } },
  ])
  await page.getByRole('button', { name: /Order Completed/ }).click()
  await page.locator('.note.bad').filter({ hasText: 'time' }).waitFor()
  await page.getByRole('button', { name: /Product Viewed/ }).waitFor()
  await looked('live')
  await page.getByRole('button', { name: 'Pause' }).click()
  await shop.send([{ type: 'track', event: 'Page Viewed', userId: 'u1', messageId: 'paused', properties: {} }])
  await page.getByText('1 came since').waitFor()
  want((await page.getByRole('button', { name: /Page Viewed/ }).count()) === 0, 'a line came although the page was paused')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: /Page Viewed/ }).waitFor()

  shop.where = 'aside'
  await page.goto(shop.origin + '/app/data/aside')
  await page.getByRole('button', { name: 'Order Completed' }).click()
  await page.getByRole('button', { name: 'Hear it again as it is' }).click()
  await page.locator('.note.bad').filter({ hasText: 'timestamp' }).waitFor()
  await looked('aside')
  const box = page.getByLabel('The event')
  await box.fill((await box.inputValue()).replace('tomorrow', '2026-01-02T10:00:00Z'))
  await page.getByRole('button', { name: 'Mend it and hear it' }).click()
  await page.getByText('Everything that came could be taken.').waitFor()
  const search = (identifier) => shop.manage('POST', '/customers/search', { identifier }).catch(() => undefined)
  const known = (identifier, is) => until('what is told of ' + identifier, async () => is(await search(identifier)))
  await known('mended', (c) => c?.orders === 1)

  // A file with a wrong row.
  shop.where = 'imports'
  await page.goto(shop.origin + '/app/data/imports')
  await looked('imports')
  await page.getByRole('radio', { name: /Orders/ }).check()
  const rows = Array.from({ length: 25 }, (_, i) => `${900 + i},${i === 3 ? '99/99/2025' : `2025-11-${String((i % 27) + 1).padStart(2, '0')}`},LAMP,1,${i + 2}.50,buyer${i}@people.example,"${HOSTILE.replaceAll('"', '""')}"`)
  await page.locator('input[type=file]').setInputFiles({ name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from('Bestellung,Date,SKU,Qty,Unit price,Customer email,Note\n' + rows.join('\n') + '\n') })
  shop.where = 'mapping'
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
  shop.where = 'import'
  await page.getByText('It is imported').waitFor()
  await looked('import')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download the refused rows' }).click()])
  const text = readFileSync(await download.path(), 'utf8')
  want(text.includes('buyer3@people.example') && !text.includes('buyer4@people.example'), 'the file of errors is\n' + text)
  await known('buyer1@people.example', (c) => c?.orders === 1)
  const sent = await shop.manage('GET', '/deliveries?state=accepted&limit=1')
  want((sent.data ?? []).length === 0, 'an import sent something')

  // It outlives a restart.
  const id = page.url().split('/').pop()
  shop.where = 'setup'
  await page.goto('about:blank') // it would ask a server that is gone
  await shop.stop()
  await shop.again()
  await page.goto(shop.origin + '/app/data/imports/' + id)
  shop.where = 'import'
  await page.getByRole('button', { name: 'Take it back…' }).click()
  await page.getByRole('button', { name: 'Take it back', exact: true }).click()
  await page.getByText('It was taken back').waitFor()
  await known('buyer1@people.example', (c) => !c?.orders)

  shop.where = 'sql'
  await page.goto(shop.origin + '/app/data/sql')
  await page.getByRole('button', { name: 'Run' }).click()
  await page.getByText('Order Completed').first().waitFor()
  await page.getByRole('button', { name: 'events', exact: false }).first().click()
  await page.getByRole('button', { name: /^profile / }).first().waitFor()
  return `a file, a wrong row and a wrong event, ${shop.looked.size} pages in two themes`
})
