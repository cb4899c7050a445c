// A marketer looks at somebody who is in the shop at this moment: first while no model
// has learned from visits, then with one, and then what the models say of a customer in
// words with units, in English and in German. A page that says something to the console,
// asks anybody else for anything, breaks the policy or a rule of axe fails it.
//
// usage: node test/ui/visit.mjs BINARY      a small shop of its own
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { tell, until } from './shop.mjs'

await tell(async (shop) => {
  const binary = path.resolve(process.argv[2])
  shop.shots = process.argv[3] ?? ''
  await shop.serve(binary, { definitions: 'examples/shop' })
  const is = (what, ok) => ok || shop.wrong(what)
  const hour = 3600_000
  const view = (userId, id, at, event, sku, more) => ({
    type: 'track', event, userId, messageId: id, timestamp: new Date(at).toISOString(), properties: { sku, product_id: sku, price: 20, ...more },
  })
  // 450 customers come four times in seventeen weeks. Who puts something into the cart
  // orders four times of five; who only looks, one time of thirty.
  let seed = 7
  const dice = (n) => (seed = (seed * 48271) % 2147483647) % n
  let batch = []
  const flush = async () => {
    await shop.send(batch)
    batch = []
  }
  const begin = Date.now() - 17 * 7 * 24 * hour
  for (let i = 0; i < 450; i++) {
    const userId = `customer-${i}`
    batch.push({ type: 'identify', userId, messageId: `i${i}`, timestamp: new Date(begin).toISOString(), traits: { email: `person${i}@people.example` } })
    for (let k = 0; k < (i === 7 ? 2 : 4); k++) {
      const n = i * 4 + k
      const at = begin + (k * 28 * 24 + dice(600)) * hour
      const carts = dice(3) === 0 || i === 7
      const buys = i === 7 || carts ? dice(5) > 0 || i === 7 : dice(30) === 0
      for (let look = 0, looks = 1 + dice(4); look < looks; look++) batch.push(view(userId, `v${n}-${look}`, at + look * 60_000, 'Product Viewed', `SKU${(n + look) % 40}`))
      if (carts) batch.push(view(userId, `a${n}`, at + 6 * 60_000, 'Product Added', `SKU${n % 40}`))
      if (buys)
        batch.push(view(userId, `o${n}`, at + 9 * 60_000, 'Order Completed', undefined, { order_id: `o${n}`, currency: 'GBP', total: 20 + (n % 50), products: [{ sku: `SKU${n % 40}`, price: 20, quantity: 1 }] }))
    }
    if (batch.length > 300) await flush()
  }
  await flush()
  await until('450 customers', async () => (await shop.manage('GET', '/stats')).lag === 0)

  const page = await shop.open()
  const at = async (name) => page.goto(`${shop.origin}/app/customers/${name}`)
  const one = async (email) => (await shop.manage('GET', '/customers?limit=500')).data.find((c) => c.email === email).id
  await shop.enter(page, shop.link, 'Ada Lovelace', 'ada@shop.example')
  const id = await one('person7@people.example')
  const visit = page.getByTestId('visit')
  const tab = (name) => page.getByRole('tab', { name }).click()

  // Nobody is here, and no model was fitted.
  await at(id)
  await tab('Scores and predictions')
  await page.getByText('They are not here now').waitFor()
  await shop.look(page, 'nobody is here')
  await shop.send([view('customer-7', 'now1', Date.now() - 7 * 60_000, 'Product Viewed', 'SKU1')])
  await page.getByText('No model has learned from visits yet').waitFor()
  await page.getByText('here now').waitFor()
  await shop.look(page, 'no model yet')

  // The night passes: models are fitted to what is in the directory.
  shop.expects = /Failed to load|ERR_CONNECTION/ // the server is away for a moment
  await shop.stop()
  const said = execFileSync(binary, ['predict', 'run', '--data', shop.own], { encoding: 'utf8' })
  is('the model of intent was fitted: ' + said, /intent.*learned from 450 customers/.test(said))
  await shop.again()
  await shop.send([view('customer-7', 'now2', Date.now() - 60_000, 'Product Added', 'SKU1')])
  await at(id)
  shop.expects = undefined
  await page.getByText('here now').waitFor() // on the overview
  await page.getByText('Chance that it ends in an order').waitFor()
  let chance // the page asks every few seconds: the cart may come with the second answer
  await until('a full cart is rated high', async () => (chance = parseFloat(await page.getByTestId('intent').textContent())) > 50)
  await page.getByText(/Of all visits .* end in an order/).waitFor()
  await page.getByText(/visits held back and rated most like this one/).waitFor()
  await tab('Scores and predictions')
  await visit.getByText('How far it can be believed').click()
  await page.getByText(/of a third of the customers, held back/).waitFor()
  await page.getByText('Average value of an order').waitFor()
  await shop.look(page, 'a visit and its chance')
  const text = await page.locator('main').innerText()
  for (const raw of ['aov', 'clv', 'erfm', 'p_alive', 'orders_90d', 'rfm_persona', 'next_order']) is(`the page says ${raw}`, !new RegExp(`\\b${raw}\\b`).test(text))
  for (const word of ['Chance of still being a customer', 'Kind of customer by RFM', 'Number of orders expected in 90 days']) is(`the page does not say ${word}`, text.includes(word))
  is('money has its currency', /Average value of an order\s+£\d+/.test(text))

  // Bought: nothing is left to guess.
  await shop.send([view('customer-7', 'now3', Date.now(), 'Order Completed', undefined, { order_id: 'last', currency: 'GBP', total: 30, products: [{ sku: 'SKU1', price: 30, quantity: 1 }] })])
  await page.getByText('The visit has led to an order already.').waitFor()

  // The page of models says what stands behind it, and the same in German.
  await page.evaluate(() => localStorage.setItem('rapport.language', 'de'))
  await at(id)
  await page.getByText('Der laufende Besuch').waitFor()
  await page.getByText('Der Besuch hat schon zu einer Bestellung geführt.').waitFor()
  await page.getByRole('tab', { name: 'Scores und Vorhersagen' }).click()
  await page.getByText('Durchschnittlicher Wert einer Bestellung').waitFor()
  await shop.look(page, 'in German')
  await page.goto(`${shop.origin}/app/reports/models`)
  await page.getByText('Die Seite jeder Person sagt es vom laufenden Besuch.').waitFor()
  await shop.look(page, 'the models')
  return `${shop.looked.size} pages looked at; a visit with a full cart is rated ${chance} %`
})
