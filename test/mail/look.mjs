// usage: node test/mail/look.mjs BASE FOLDER MAIL,MAIL…
//
// Opens each mail at BASE/mail/NAME as its readers do, leaves a picture of each in
// the folder, and prints what it saw as JSON; mail_test.go judges it.
import { join } from 'node:path'
import { launch } from './chromium.mjs'

const [base, folder, list] = process.argv.slice(2)
const ways = [
  { name: '320', width: 320, height: 640 },
  { name: '768', width: 768, height: 1024 },
  { name: '1280', width: 1280, height: 900 },
  { name: 'images off', width: 320, height: 640, images: false },
  { name: 'dark', width: 600, height: 900, dark: true },
]

// look runs in the page. What is wider than the window is named, and so are words
// with less contrast than large text needs (WCAG 2.2, 1.4.3: 3 to 1).
function look() {
  const visible = (e) => {
    const r = e.getBoundingClientRect()
    return r.width > 1 && r.height > 1 && getComputedStyle(e).visibility !== 'hidden'
  }
  const name = (e) => e.tagName.toLowerCase() + (e.className ? '.' + e.className : '') + ' ' + (e.textContent || '').trim().slice(0, 40)
  const wide = [...document.body.querySelectorAll('*')].filter((e) => visible(e) && e.getBoundingClientRect().right > innerWidth + 0.5).map(name)
  const missing = [...document.images].filter((i) => !i.complete || i.naturalWidth === 0).map((i) => i.src)
  const rgb = (s) => (s.match(/[\d.]+/g) || []).map(Number)
  const light = ([r, g, b]) => {
    const f = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b)
  }
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor)
      if (c.length >= 3 && (c.length < 4 || c[3] === 1)) return c
    }
    return [255, 255, 255]
  }
  const low = []
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement
    if (!n.textContent.trim() || !visible(e) || e.closest('[style*="display:none"]')) continue
    const a = light(rgb(getComputedStyle(e).color))
    const b = light(behind(e))
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 3) low.push(`${ratio.toFixed(1)}: ${n.textContent.trim().slice(0, 40)}`)
  }
  return { Width: innerWidth, Scroll: document.documentElement.scrollWidth, Wide: wide, Missing: missing, Words: document.body.innerText, Low: low }
}

const browser = await launch()
const all = []
for (const way of ways) {
  const context = await browser.newContext({ viewport: { width: way.width, height: way.height }, colorScheme: way.dark ? 'dark' : 'light' })
  const page = await context.newPage()
  let outside = []
  await page.route('**/*', (route) => {
    const request = route.request()
    if (!request.url().startsWith(base + '/')) {
      outside.push(request.url())
      return route.abort()
    }
    return way.images === false && request.resourceType() === 'image' ? route.abort() : route.continue()
  })
  for (const mail of list.split(',')) {
    outside = []
    await page.goto(`${base}/mail/${mail}`, { waitUntil: 'load' })
    const shot = join(folder, `${mail}-${way.name.replace(' ', '-')}.png`)
    await page.screenshot({ path: shot, fullPage: true })
    all.push({ Mail: mail, Way: way.name, Shot: shot, Outside: outside, ...(await page.evaluate(look)) })
  }
  await context.close()
}
await browser.close()
console.log(JSON.stringify(all))
