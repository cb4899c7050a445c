// usage: node test/mail/mjml/build.mjs [--check]
//
// Bundles the MJML compiler with what it needs into the one file that the product
// embeds, and writes down the licences of everything in it. With --check it writes
// nothing and fails if what is committed is something else.
import { build } from 'esbuild'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..')
const out = join(here, '../../../internal/studio/mjml')

const made = await build({
  absWorkingDir: root,
  entryPoints: ['mjml/entry.js'],
  bundle: true,
  write: false,
  format: 'iife',
  platform: 'browser',
  target: 'es2020',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'error',
})
const code = Buffer.from(made.outputFiles[0].contents)

// The packages whose files are in the bundle, and those that mjml-browser holds
// bundled already: its own source map is not published, its manifest is.
const names = new Set()
for (const file of Object.keys(made.metafile.inputs)) {
  const [, rest] = file.split('node_modules/')
  if (rest) names.add(rest.startsWith('@') ? rest.split('/').slice(0, 2).join('/') : rest.split('/')[0])
}
const queue = ['mjml-browser']
while (queue.length > 0) {
  const name = queue.pop()
  names.add(name)
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json')))
  queue.push(...Object.keys(dependencies).filter((d) => !names.has(d)))
}
let licences = `The file compiler.js.gz is made by test/mail/mjml/build.mjs of these packages of npm.
mjml-browser is itself a bundle that its makers built of MJML and of what MJML needs,
among others lodash, juice, mensch, slick, cssnano, postcss and js-beautify, all under the MIT licence.\n`
for (const name of [...names].sort()) {
  const dir = join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(dir, 'package.json')))
  licences += `\n${'='.repeat(78)}\n${name} ${version}, ${license}\n\n`
  const file = readdirSync(dir).sort().find((f) => /^licen[cs]e/i.test(f))
  licences += file ? readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n').trimEnd() + '\n' : `(The package has no file of its licence beside that line.)\n`
}

const target = join(out, 'compiler.js.gz')
const text = join(out, 'LICENSES')
if (process.argv.includes('--check')) {
  const same = existsSync(target) && gunzipSync(readFileSync(target)).equals(code) && readFileSync(text, 'utf8') === licences
  if (!same) console.log('  internal/studio/mjml/compiler.js.gz is not what its sources make: run node test/mail/mjml/build.mjs')
  process.exit(same ? 0 : 1)
}
writeFileSync(target, gzipSync(code, { level: 9 }))
writeFileSync(text, licences)
console.log(`${relative(process.cwd(), target)}: ${code.length} bytes, ${names.size} packages`)
