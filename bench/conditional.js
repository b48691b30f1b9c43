// What a 304 saves, for a document of 10 KB as JSON: by a version, which renders nothing, by a hash of the bytes, and the
// whole answer; raw node:http beside it. Then what etag() adds to a GET by itself.
// `npm run build && npm install --prefix bench && node bench/conditional.js`
import http from 'node:http'
import { etag } from '../dist/extensions/etag.js'
import { json } from '../dist/extensions/json.js'
import { kolba } from '../dist/src/index.js'
import { load } from './load/index.js'
import { startServer } from './server.js'

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 64

const cases = [
  { server: 'raw', answer: '200', path: '/', isKnown: false },
  { server: 'raw', answer: '304', path: '/', isKnown: true },
  { server: 'kolba', answer: '200 without etag()', path: '/plain', isKnown: false },
  { server: 'kolba', answer: '200, tag by hash', path: '/hash', isKnown: false },
  { server: 'kolba', answer: '200, tag by version', path: '/version', isKnown: false },
  { server: 'kolba', answer: '304 by hash', path: '/hash', isKnown: true },
  { server: 'kolba', answer: '304 by version', path: '/version', isKnown: true },
]

// One case after another, round by round, so that what slows the machine for a while slows all of them.
for (let round = 1; round <= ROUNDS; round += 1) {
  for (const it of cases) {
    process.stderr.write(`round ${round} of ${ROUNDS}: ${it.server} ${it.answer}\n`)
    const { bytes, perSecond, microseconds } = await oneRound(it)
    it.bytes = bytes
    it.rounds = [...(it.rounds ?? []), { perSecond, microseconds }]
  }
}
console.table(
  cases.map(({ server, answer, bytes, rounds }) => ({
    server,
    answer,
    'bytes of the answer': bytes,
    'requests a second': Math.round(median(rounds.map(it => it.perSecond))),
    'processor time a request, µs': Number(median(rounds.map(it => it.microseconds)).toFixed(1)),
    'core in use, %': Math.round(median(rounds.map(it => it.perSecond * it.microseconds)) / 1e4),
  })),
)

async function oneRound({ server: name, path, isKnown, answer }) {
  const server = await startServer(new URL(`servers/conditional/${name}.js`, import.meta.url))
  try {
    const { etag: tag } = await ask(server.url + path, {})
    const headers = isKnown ? { 'If-None-Match': tag } : {}
    const { status, bytes } = await ask(server.url + path, headers)
    if (status !== Number.parseInt(answer, 10))
      throw new Error(`bench ${name}: GET ${path} answers ${status} and should ${answer}. Correct the server.`)
    const requests = [{ path, headers }]
    await load.run(server.url, { requests, connections: CONNECTIONS, seconds: 1 })
    const before = (await server.usage()).processorTime
    const { count, seconds, errors } = await load.run(server.url, {
      requests,
      connections: CONNECTIONS,
      seconds: SECONDS,
    })
    const after = (await server.usage()).processorTime
    if (errors > 0) throw new Error(`bench ${name}: ${errors} requests failed. Run the server by itself.`)
    return { bytes, perSecond: count / seconds, microseconds: (after - before) / count }
  } finally {
    await server.stop()
  }
}

/** An answer of a connection that stays open, with its bytes as they came. */
function ask(url, headers) {
  const agent = new http.Agent({ keepAlive: true })
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers }, response => {
      const { socket } = response
      response.resume().on('end', () => {
        resolve({ status: response.statusCode, etag: response.headers.etag, bytes: socket.bytesRead })
        agent.destroy()
      })
    })
    request.on('error', reject)
  })
}

// What etag() adds, in this process and without a server: the same stack with it and without.
const app = kolba()
const text = length => ({ version: 3, text: 'x'.repeat(length - 25) })
const version = row => row.version
const ways = [
  ['1 KB, hash', text(1024), row => etag()(json()(() => row)), {}],
  ['10 KB, hash', text(10_240), row => etag()(json()(() => row)), {}],
  ['10 KB, version', text(10_240), row => json()(etag({ version })(() => row)), {}],
  ['10 KB, version, 304', text(10_240), row => json()(etag({ version })(() => row)), { 'if-none-match': '"3"' }],
]
const added = ways.map(([what, row, tagged, headers]) => {
  const without = json()(() => row)
  const withTag = tagged(row)
  const best = { without: Infinity, withTag: Infinity }
  for (let round = 0; round < 9; round += 1) {
    best.without = Math.min(best.without, time(without, headers))
    best.withTag = Math.min(best.withTag, time(withTag, headers))
  }
  const rounded = value => Number(value.toFixed(2))
  return {
    what,
    'without, µs': rounded(best.without),
    'with etag(), µs': rounded(best.withTag),
    'added, µs': rounded(best.withTag - best.without),
  }
})
console.table(added)

/** Microseconds of one run, each with a context of its own, over a tenth of a second. */
function time(handler, headers) {
  const start = performance.now()
  let count = 0
  while (performance.now() - start < 100) {
    for (let index = 0; index < 20; index += 1) handler(contextOf(headers))
    count += 20
  }
  return ((performance.now() - start) / count) * 1000
}

function contextOf(headers) {
  const req = Object.assign(new http.IncomingMessage(null), { method: 'GET', url: '/', headers })
  return app.createContext(req, new http.ServerResponse(req))
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
