// usage: node test/mail/styles.mjs < PAGES
//
// Reads a JSON list of pages and prints what juice makes of each.
import juice from 'juice'
import { readFileSync } from 'node:fs'

const options = {
  applyWidthAttributes: false,
  applyHeightAttributes: false,
  applyAttributesTableElements: false,
  inlinePseudoElements: false,
  preserveImportant: false,
}
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map((page) => juice(page, options))))
