// Writes how languages and countries write money and dates, as ICU has it from CLDR, into
// internal/core/content: the table, and what ICU itself writes for some amounts and days,
// by which a test compares.
//
//   node scripts/customs.mjs && gofumpt -w internal/core/content/customs_table.go
import { writeFileSync } from 'node:fs'

const locales = ('bg bs ca cs cy da de de-AT de-CH el en en-AU en-CA en-GB en-IE en-IN en-NZ en-ZA es es-MX es-US et eu fi fr fr-BE fr-CA fr-CH fr-LU ga gl hr hu is it it-CH ' +
  'lb lt lv mk mt nb nl nl-BE nn pl pt pt-PT ro sk sl sq sr sr-Latn sv sv-FI tr uk').split(' ')

const latin = (l) => l + '-u-nu-latn'
const q = JSON.stringify
const day = (month, d = 5) => new Date(Date.UTC(2026, month, d, 12))
const format = (l, options) => new Intl.DateTimeFormat(latin(l), { timeZone: 'UTC', ...options })
const part = (l, options, date, type) => format(l, options).formatToParts(date).find((p) => p.type === type).value
const twelve = Array.from({ length: 12 }, (_, i) => i)
const beside = { day: 'numeric', month: 'long', year: 'numeric' } // what a weekday stands beside
const week = [4, 5, 6, 7, 8, 9, 10].map((d) => day(0, d)) // from Sunday on

// names are the months of a style: beside a day, and by themselves.
function names(l, style) {
  return [twelve.map((m) => part(l, { day: 'numeric', month: style }, day(m), 'month')), twelve.map((m) => part(l, { month: style }, day(m), 'month'))]
}

// pattern is a style of dates as a format of strftime.
function pattern(l, options) {
  const long = names(l, 'long'), short = names(l, 'short')
  const month = twelve.findLast((m) => m < 9 && long[0][m] !== short[0][m]) ?? 8 // whose name and short name can be told apart
  const date = new Date(Date.UTC(2026, month, 5, 7, 4, 3))
  return format(l, options).formatToParts(date).map(({ type, value }) => {
    switch (type) {
      case 'literal': return value.replaceAll('%', '%%')
      case 'weekday': return value === part(l, { dateStyle: 'full' }, date, 'weekday') ? '%A' : '%a'
      case 'day': return value === '05' ? '%d' : '%-d'
      case 'year': return value === '26' ? '%y' : '%Y'
      case 'hour': return value === '07' ? '%H' : '%-H'
      case 'minute': return '%M'
      case 'second': return '%S'
      case 'dayPeriod': return '%p'
      case 'month':
        if (value === String(month + 1).padStart(2, '0')) return '%m'
        if (value === String(month + 1)) return '%-m'
        if (long[0][month] === value || long[1][month] === value) return '%B'
        if (short[0][month] === value || short[1][month] === value) return '%b'
    }
    throw new Error(`${l}: ${type} ${value}`)
  }).join('')
}

function clock(l, options) {
  const p = pattern(l, options)
  return p.includes('%p') ? p.replace('%H', '%I').replace('%-H', '%-I') : p
}

const money = (l, currency, options = {}) => new Intl.NumberFormat(latin(l), { style: 'currency', currency, ...options })

// shape is where the sign of the currency stands, and the minus: ¤ and # for the amount.
function shape(l, amount) {
  let out = ''
  for (const { type, value } of money(l, 'EUR', { currencyDisplay: 'narrowSymbol' }).formatToParts(amount)) {
    if (type === 'literal') out += value
    else if (type === 'currency') out += '¤'
    else if (type === 'minusSign') out += '-'
    else if (!out.includes('#')) out += '#'
  }
  return out
}

// separators are those of a kind of numbers: of thousands, of decimals, and how many digits
// a number has before the first.
function separators(f) {
  const of = (n, type) => f.formatToParts(n).find((p) => p.type === type)?.value ?? ''
  const least = of(1234.5, 'group') ? 4 : 5
  const ints = f.formatToParts(123456789.5).filter((p) => p.type === 'integer').map((p) => p.value.length)
  return { group: of(12345.5, 'group'), decimal: of(1234.5, 'decimal'), least, second: ints[1] === 2 ? 2 : 3 }
}

const currencies = Intl.supportedValuesOf('currency')
const rows = locales.map((l) => {
  const sums = separators(money(l, 'EUR')), plain = separators(new Intl.NumberFormat(latin(l), { minimumFractionDigits: 2 }))
  const [long, longAlone] = names(l, 'long'), [short, shortAlone] = names(l, 'short')
  const signs = currencies.map((c) => [c, money(l, c).formatToParts(1).find((p) => p.type === 'currency').value]).filter(([c, s]) => c !== s)
  const minus = money(l, 'EUR').formatToParts(-1).find((p) => p.type === 'minusSign').value
  const list = (a) => '[...]string{' + a.map(q).join(', ') + '}'
  const digits = (s) => `separators{${q(s.group)}, ${q(s.decimal)}, ${s.least}, ${s.second}}`
  const dates = ['full', 'long', 'medium', 'short'].map((style) => pattern(l, { dateStyle: style }))
  return `	${q(l.toLowerCase())}: {
		sums: ${digits(sums)}, plain: ${digits(plain)}, minus: ${q(minus)}, shape: ${q(shape(l, 1234.5))}, below: ${q(shape(l, -1234.5))},
		signs: ${q('\n' + signs.map(([c, s]) => c + s).join('\n') + '\n')},
		months: ${list(long)}, monthsAlone: ${list(longAlone)},
		short: ${list(short)}, shortAlone: ${list(shortAlone)},
		days: ${list(week.map((d) => part(l, { dateStyle: 'full' }, d, 'weekday')))}, daysAlone: ${list(week.map((d) => part(l, { weekday: 'long' }, d, 'weekday')))},
		daysShort: ${list(week.map((d) => part(l, { ...beside, weekday: 'short' }, d, 'weekday')))}, daysShortAlone: ${list(week.map((d) => part(l, { weekday: 'short' }, d, 'weekday')))},
		noon: ${list([9, 15].map((h) => part(l, { hour: 'numeric', hour12: true }, new Date(Date.UTC(2026, 0, 5, h)), 'dayPeriod')))},
		dates: ${list(dates)}, clock: ${q(clock(l, { timeStyle: 'medium' }))},
	},`
})
const digits = currencies.map((c) => [c, money('en', c).resolvedOptions().maximumFractionDigits]).filter(([, n]) => n !== 2)
writeFileSync('internal/core/content/customs_table.go', `// Code generated by scripts/customs.mjs from CLDR ${process.versions.cldr}; DO NOT EDIT.

package content

// decimals are the digits behind the point of currencies that have not two.
var decimals = map[string]int{${digits.map(([c, n]) => `${q(c)}: ${n}`).join(', ')}}

var customs = map[string]*Customs{
${rows.join('\n')}
}
`)

const amounts = ['0', '0.5', '999.99', '1234.5', '12345.67', '-1234.5', '1234567.89']
const seen = {}
for (const l of locales) {
  const sums = {}, days = {}
  for (const c of ['EUR', 'GBP', 'USD', 'CHF', 'PLN', 'SEK', 'CZK', 'JPY', 'INR', 'CAD']) sums[c] = amounts.map((a) => money(l, c).format(a))
  for (const [m, d] of [[0, 2], [3, 15], [8, 9], [11, 31]]) {
    const date = day(m, d)
    days[date.toISOString().slice(0, 10)] = ['full', 'long', 'medium', 'short'].map((style) => format(l, { dateStyle: style }).formatToParts(date).map((p) => p.value).join(''))
  }
  seen[l] = { plain: amounts.map((a) => new Intl.NumberFormat(latin(l), { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(a)), sums, days }
}
writeFileSync('internal/core/content/testdata/customs.json', JSON.stringify({ cldr: process.versions.cldr, amounts, locales: seen }, null, 1) + '\n')
