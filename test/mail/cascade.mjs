// usage: node test/mail/cascade.mjs < PAIRS
//
// Reads a JSON list of pairs of pages and prints where a browser computes another
// style for an element of the second than for the same element of the first.
import { readFileSync } from 'node:fs'
import { launch } from './chromium.mjs'

const properties = ['color', 'margin-left', 'margin-right', 'margin-top', 'font-family', 'background-color', 'background-image', 'width']
const browser = await launch()
const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
await page.route('**/*', (route) => route.abort())
const computed = async (html) => {
  await page.setContent(html, { waitUntil: 'domcontentloaded' })
  return page.evaluate(
    (list) => [...document.body.querySelectorAll('*')].map((e) => list.map((p) => `${p}: ${getComputedStyle(e)[p] ?? getComputedStyle(e).getPropertyValue(p)}`)),
    properties,
  )
}
const wrong = []
for (const [i, [before, after]] of JSON.parse(readFileSync(0, 'utf8')).entries()) {
  const a = await computed(before)
  const b = await computed(after)
  a.forEach((styles, k) => styles.forEach((s, j) => s !== b[k][j] && wrong.push(`page ${i}, element ${k}: ${s}, then ${b[k][j]}`)))
}
await browser.close()
console.log(JSON.stringify(wrong))
