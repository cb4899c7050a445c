// Starts a real server for a client library to talk to, and keeps the score.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

// How long the server may take to be ready and to stop. Both take well under a
// second; a machine that compiles something else beside it is slower.
const PATIENCE = 120_000

// What `dump` may print: 500 events are 1 MB.
const DUMP_LIMIT = 64 << 20

// freePort asks the system for a port on loopback. It is free again when we
// return, so another process may take it; then the server says so and we fail.
async function freePort() {
  const probe = createServer()
  await new Promise((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}

export class Server {
  // Server.temporary returns a server with an empty data directory, not yet started.
  static async temporary(binary) {
    const server = new Server()
    server.binary = path.resolve(binary)
    server.data = mkdtempSync(path.join(tmpdir(), 'rapport-sdk-'))
    server.url = `http://127.0.0.1:${await freePort()}`
    return server
  }

  // start starts the process and waits until it is ready. The first start prints
  // the write key; later ones do not, and the key stays.
  async start() {
    let output = ''
    this.ended = null
    const child = spawn(this.binary, ['serve', '--data', this.data, '--listen', new URL(this.url).host])
    this.process = child
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    this.exit = new Promise((resolve) => {
      child.once('error', (error) => resolve((this.ended = String(error))))
      child.once('exit', (code, signal) => resolve((this.ended = `exit ${code ?? signal}`)))
    })
    const deadline = Date.now() + PATIENCE
    while (!(await this.ready())) {
      if (this.ended !== null) throw new Error(`the server ended with ${this.ended}:\n${output}`)
      if (Date.now() > deadline) throw new Error(`the server is not ready after ${PATIENCE} ms:\n${output}`)
      await pause(50)
    }
    const printed = output.match(/rp_w_[A-Za-z0-9_]+/)?.[0]
    this.key ??= printed
    if (!this.key) throw new Error(`the first start printed no write key (rp_w_…):\n${output}`)
    return printed
  }

  async ready() {
    try {
      return (await fetch(`${this.url}/readyz`)).ok
    } catch {
      return false
    }
  }

  // stop asks the process to end and waits. It returns how it ended.
  async stop() {
    this.process.kill('SIGTERM')
    const late = pause(PATIENCE, 'late', { ref: false })
    if ((await Promise.race([this.exit, late])) === 'late') {
      this.process.kill('SIGKILL')
      await this.exit
      return `it did not stop within ${PATIENCE} ms`
    }
    return this.ended
  }

  // remove ends the process if it runs, and deletes the data.
  async remove() {
    if (this.process && this.ended === null) {
      this.process.kill('SIGKILL')
      await this.exit
    }
    rmSync(this.data, { recursive: true, force: true })
  }

  // post sends raw bytes as a client with the key would. Every client sends its
  // own Content-Type, so the server ignores it.
  async post(route, body, headers = {}) {
    const answer = await fetch(this.url + route, {
      method: 'POST',
      body,
      headers: { authorization: `Basic ${btoa(`${this.key}:`)}`, 'content-type': 'text/plain', ...headers },
    })
    return { status: answer.status, text: await answer.text() }
  }

  // stored counts the events in the stopped server's data by messageId.
  stored() {
    const printed = execFileSync(this.binary, ['dump', 'events', '--data', this.data], { maxBuffer: DUMP_LIMIT })
    const counts = new Map()
    for (const line of printed.toString().split('\n')) {
      if (line.trim() === '') continue
      const id = JSON.parse(line).messageId
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    return counts
  }
}

// Score notes what held and what did not.
export class Score {
  held = 0
  broken = 0

  // holds notes one check; detail says what was seen instead.
  holds(name, ok, detail = '') {
    if (ok) {
      this.held++
      return
    }
    this.broken++
    console.log(`  does not hold: ${name}${detail === '' ? '' : ` (${detail})`}`)
  }

  // once notes whether each id is stored exactly once.
  once(name, stored, ids) {
    const missing = ids.filter((id) => !stored.has(id))
    const twice = ids.filter((id) => stored.get(id) > 1)
    const some = (list) => `${list.length}: ${list.slice(0, 5).join(' ')}`
    this.holds(name, missing.length === 0 && twice.length === 0,
      `of ${ids.length}, missing ${some(missing)}; more than once ${some(twice)}`)
  }

  // close prints the score and sets the exit status.
  close(who) {
    const all = this.held + this.broken
    console.log(this.broken === 0 ? `  ${who}: all ${all} checks hold` : `  ${who}: ${this.broken} of ${all} checks do not hold`)
    process.exitCode = this.broken === 0 ? 0 : 1
  }
}

// run gives body a server and a score, and cleans up whatever happens.
export async function run(who, body) {
  const binary = process.argv[2]
  if (!binary) {
    console.error(`usage: node test/sdk/${who}.mjs BINARY`)
    process.exit(2)
  }
  const server = await Server.temporary(binary)
  const score = new Score()
  try {
    await body(server, score)
  } catch (error) {
    score.holds('it comes to the end', false, error.message)
  } finally {
    await server.remove()
  }
  score.close(who)
}
