// The whole program that the product runs: compile(source) puts its answer, as
// JSON, into globalThis.answer once the pending jobs have run.
import './host.js'
import { restart } from './chance.js'
import mjml from 'mjml-browser'
import { options } from './options.js'

const convert = mjml.default || mjml

globalThis.compile = (source) => {
  restart()
  globalThis.answer = ''
  const keep = (x) => {
    globalThis.answer = JSON.stringify(x)
  }
  const fail = (e) => keep({ failure: String((e && e.message) || e), stack: String((e && e.stack) || '') })
  Promise.resolve()
    .then(() => convert(source, options()))
    .then(({ html, errors }) => keep({ html, errors: errors.map(({ line, message, tagName }) => ({ line, message, tagName })) }), fail)
}
