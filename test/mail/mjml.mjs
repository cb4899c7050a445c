// usage: node test/mail/mjml.mjs [--write]
//
// Compiles the templates in internal/studio/mjml/testdata with the official
// compiler under node and compares with the HTML beside them, which is what the
// product's tests compare with.
import mjml from 'mjml-browser'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { restart } from './mjml/chance.js'
import { options } from './mjml/options.js'

const dir = fileURLToPath(new URL('../../internal/studio/mjml/testdata/', import.meta.url))
const convert = mjml.default ?? mjml
let wrong = 0
for (const file of readdirSync(dir).filter((f) => f.endsWith('.mjml'))) {
  restart()
  const { html, errors } = await convert(readFileSync(dir + file, 'utf8'), options())
  const beside = dir + file.replace(/mjml$/, 'html')
  if (errors.length > 0) console.log(`  ${file}: ${errors.map((e) => e.formattedMessage).join('; ')}`)
  if (process.argv.includes('--write')) writeFileSync(beside, html)
  else if (readFileSync(beside, 'utf8') !== html) console.log(`  ${beside} is not what node makes of it`)
  else if (errors.length === 0) continue
  if (!process.argv.includes('--write')) wrong++
}
process.exit(wrong > 0 ? 1 : 0)
