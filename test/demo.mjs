// usage: node test/demo.mjs BINARY [DATA]
//
// Runs the demo once and compares what it heard with the published figures of
// the Online Retail year. It prints how long the year took and how long the page
// took to answer; neither is a reason to fail.
import { spawn } from 'node:child_process'

const binary = process.argv[2]
const began = Date.now()
const kept = process.argv[3] ? ['--data', process.argv[3]] : []
const child = spawn(binary, ['demo', '--once', '--json', ...kept], { stdio: ['ignore', 'pipe', 'inherit'] })
let out = ''
child.stdout.on('data', (piece) => (out += piece))
const code = await new Promise((resolve) => child.on('exit', resolve))
if (code !== 0) {
  console.log(`  the demo ended with ${code}`)
  process.exit(1)
}
const year = JSON.parse(out)
const wrong = []
const want = (what, got, figure, within = 0) => {
  if (!(Math.abs(Number(got) - figure) <= within)) wrong.push(`${what} is ${got}, published ${figure}`)
}
want('order lines', year.orders.rows, 541909)
want('customers', year.orders.customers, 4372)
want('invoices', year.orders.invoices, 25900)
want('the sum', year.orders.sum, 9747747.934, 0.0005)
want('lines without a customer', year.rows_without_customer, 135080)
want('clean lines', year.clean.rows, 397884)
want('clean customers', year.clean.customers, 4338)
want('clean invoices', year.clean.invoices, 18532)
want('the clean sum', year.clean.sum, 8911407.904, 0.0005)
want('mails in the catcher', year.mails_caught, year.accepted)
if (year.mails_caught < 5000) wrong.push(`only ${year.mails_caught} mails were sent`)
if (year.customer_12346_segments.some((name) => name.startsWith('vip'))) wrong.push('customer 12346, who returned everything, is a VIP')
if (year.holdout_excluding_zero * 20 > year.holdout_intervals) wrong.push(`${year.holdout_excluding_zero} of ${year.holdout_intervals} holdout intervals exclude 0`)
for (const line of wrong) console.log(`  ${line}`)
console.log(`  the year took ${((Date.now() - began) / 1000).toFixed(1)} s, ${year.mails_caught} mails`)
process.exit(wrong.length > 0 ? 1 : 0)
