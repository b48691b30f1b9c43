// Does a server under full load keep what it should let go? W4 over a list, plain and with cached(), for some minutes, with
// clients that abort and clients that read slowly among the others. The heap after a collection has to be flat once it
// is warm, and no descriptor may be left open (Linux counts them in /proc). It exits with 1 otherwise.
// `npm run bench:soak`, `npm run bench:soak -- --minutes 1`
import { existsSync, readdirSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { keepTo, LOAD } from './cores.js'
import { prepare } from './prepare.js'
import { startServers } from './server.js'
import { requestsOfUsers } from './shared/endpoint.js'
import { spread } from './spread.js'

const EAGER = 48
const ABORTING = 8
const SLOW = 8
/** The heap may grow by this much from the second quarter of the time to the last: caches fill, and V8 keeps code. */
const MOST_GROWTH = { share: 0.05, bytes: 1_000_000 }

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new TypeError(`soak --minutes: ${values.minutes} is no length of time. Give a number over 0.`)

prepare()
keepTo(LOAD)

const modules = ['kolba', 'kolba-cached'].map(name => new URL(`servers/endpoint/${name}.js`, import.meta.url))
const server = await startServers(modules, { flags: ['--expose-gc'] })
const urls = server.servers.map(({ url }) => url)
const requests = requestsOfUsers()
const counts = { answered: 0, aborted: 0, 'read slowly': 0, failed: 0 }
const until = performance.now() + minutes * 60_000
const isOver = () => performance.now() >= until

const before = descriptors()
const agent = new http.Agent({ keepAlive: true, maxSockets: EAGER })
const clients = [
  ...Array.from({ length: EAGER }, (_, index) => repeat(() => ask(index))),
  ...Array.from({ length: ABORTING }, (_, index) => repeat(() => abort(index))),
  ...Array.from({ length: SLOW }, (_, index) => repeat(() => readSlowly(index))),
]
const samples = await sample()
await Promise.all(clients)
agent.destroy()
const after = await settled()
const usage = await server.usage()
await server.stop()
report()

async function repeat(run) {
  while (!isOver()) await run()
}

/** A client as it should be, on a connection that stays open. */
function ask(index) {
  const { path, headers, expect } = requests[(counts.answered * 7 + index) % requests.length]
  return new Promise(resolve => {
    const fail = error => {
      if (counts.failed === 0) console.error(`soak: a request failed: ${error.message}`)
      counts.failed += 1
      resolve()
    }
    const request = http.get(urls[index % urls.length] + path, { agent, headers }, response => {
      let length = 0
      response.on('data', chunk => {
        length += chunk.length
      })
      response.on('error', fail)
      response.on('end', () => {
        if (response.statusCode !== 200 || length !== Buffer.byteLength(expect))
          return fail(new Error(`it was answered ${response.statusCode} with ${length} bytes`))
        counts.answered += 1
        resolve()
      })
    })
    request.on('error', fail)
  })
}

/** Goes away: in the middle of the request, before the answer, or in the middle of it. */
async function abort(index) {
  const socket = connect(index)
  const text = textOf(requests[(counts.aborted + index) % requests.length])
  const way = (counts.aborted + index) % 3
  socket.write(way === 0 ? text.slice(0, text.length >> 1) : text)
  if (way === 2) await new Promise(resolve => socket.once('data', resolve).once('close', resolve))
  else await sleep(way * 2)
  if (way === 1) socket.resetAndDestroy()
  else socket.destroy()
  counts.aborted += 1
}

/** Sends 100 requests at once and reads a little now and then, until it has had enough. */
async function readSlowly(index) {
  const socket = connect(index)
  socket.pause()
  socket.write(textOf(requests[(counts['read slowly'] + index) % requests.length]).repeat(100))
  for (let reads = 0; reads < 30 && !socket.destroyed && !isOver(); reads += 1) {
    await sleep(50)
    socket.read(2000)
  }
  socket.destroy()
  counts['read slowly'] += 1
}

function connect(index) {
  const { hostname, port } = new URL(urls[index % urls.length])
  // A reset is what the client asked for.
  return net.connect({ host: hostname, port: Number(port), highWaterMark: 2000 }).on('error', () => {})
}

function textOf({ path, headers }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** What is held and open, twice a second at most: each time all is collected. */
async function sample() {
  const samples = []
  const pause = Math.max(500, (minutes * 60_000) / 240)
  while (!isOver()) {
    await sleep(pause)
    const { held, rss } = await server.usage()
    samples.push({ held, rss, open: descriptors() })
  }
  return samples
}

function descriptors() {
  const folder = `/proc/${server.pid}/fd`
  return existsSync(folder) ? readdirSync(folder).length : undefined
}

/** Connections close a moment after their clients; a server keeps an idle one for 5 s. */
async function settled() {
  for (let waited = 0; waited < 15_000 && descriptors() > before; waited += 250) await sleep(250)
  return descriptors()
}

function report() {
  const quarter = Math.floor(samples.length / 4)
  const quarters = [0, 1, 2, 3].map(index => samples.slice(index * quarter, (index + 1) * quarter))
  console.table(
    quarters.map((its, index) => ({
      quarter: index + 1,
      'held, MB': megabytes(heldIn(its)),
      'resident, MB': megabytes(spread(its.map(({ rss }) => rss)).median),
      'descriptors, at most': before === undefined ? 'not counted' : Math.max(...its.map(({ open }) => open)),
    })),
  )
  console.table([{ ...counts, 'requests a second': Math.round(counts.answered / (minutes * 60)) }])
  const grown = heldIn(quarters[3]) - heldIn(quarters[1])
  const most = Math.max(MOST_GROWTH.bytes, heldIn(quarters[1]) * MOST_GROWTH.share)
  const faults = [
    grown > most &&
      `The heap grew by ${megabytes(grown)} MB after the first quarter; ${megabytes(most)} MB are allowed.`,
    after > before && `${after - before} descriptors are left open of ${before} before.`,
    counts.failed > 0 && `${counts.failed} requests failed that should not.`,
    counts.answered === 0 && 'No request was answered.',
  ].filter(Boolean)
  const open =
    before === undefined
      ? 'descriptors were not counted: there is no /proc'
      : `${after} descriptors open, ${before} before`
  console.log(`After it: ${megabytes(usage.held)} MB held, ${open}.`)
  for (const fault of faults) console.log(fault)
  console.log(faults.length === 0 ? 'Flat.' : 'Not flat.')
  if (faults.length > 0) process.exitCode = 1
}

/** The least of some samples, since a collection sees the requests that are under way too. */
function heldIn(samples) {
  return Math.min(...samples.map(({ held }) => held))
}

function megabytes(bytes) {
  return Number((bytes / 1e6).toFixed(2))
}
