// What the compiler expects of a browser or of node, for an engine that has
// neither. It must be imported first.
import { Buffer } from 'buffer/'
import process from 'process/browser.js'

globalThis.window = globalThis
globalThis.self = globalThis
globalThis.Buffer = Buffer
globalThis.process = process
