// What each decorator adds to a request: microseconds, and bytes allocated. The request goes through app.callback() with
// Node's own request and response over a socket that takes all and sends nothing; the same route without the decorator
// takes its turn with it.
// `npm run build && node bench/cost.js` (with a part of a name, only those: `node bench/cost.js rateLimit`)
import { spawnSync } from 'node:child_process'
import { PerformanceObserver } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { cases } from './cost-cases.js'
import { appOf, requesterOf } from './in-process.js'
import { spread } from './spread.js'

// Bytes are the growth of the heap while nothing is collected, so the young generation has to hold a whole measurement.
const FLAGS = ['--expose-gc', '--max-semi-space-size=256', '--min-semi-space-size=256']
const ROUNDS = 21
const MILLISECONDS = 15
const REQUESTS_FOR_BYTES = 500
const COUNTS_OF_BYTES = 5

if (!globalThis.gc) {
  const { status } = spawnSync(process.execPath, [...FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'production' },
  })
  process.exit(status ?? 1)
}

const [wanted = ''] = process.argv.slice(2)
const rows = []
for (const it of cases.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()))) {
  const { app, paths } = appOf(it)
  const [before, after] = paths.map(path => requesterOf(app, { ...it, path }))
  await checkAnswer(it, after)
  rows.push({
    decorator: it.name,
    ...(await price(before, after)),
  })
  process.stderr.write('.')
}
process.stderr.write('\n')
console.table(rows)

async function checkAnswer({ name, status = 200 }, request) {
  const given = (await request()).statusCode
  if (given !== status) throw new Error(`cost ${name}: it answers ${given} and should ${status}. Correct the case.`)
}

/** The two take turns; what the decorator adds is the median of the differences of the rounds. */
async function price(without, within) {
  await time(without, 150)
  await time(within, 150)
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await time(without, MILLISECONDS)
    const added = (await time(within, MILLISECONDS)) - bare
    rounds.push({ bare, added })
  }
  const bare = await leastBytes(without)
  return {
    'without, µs': Number(spread(rounds.map(it => it.bare)).median.toFixed(2)),
    'added, µs': Number(spread(rounds.map(it => it.added)).median.toFixed(2)),
    'without, bytes': bare,
    'added, bytes': (await leastBytes(within)) - bare,
  }
}

/** Microseconds of processor time of a request. Others on the machine take no part in it. */
async function time(request, milliseconds) {
  const start = performance.now()
  const before = process.cpuUsage()
  let count = 0
  do {
    for (let index = 0; index < 20; index += 1) await request()
    count += 20
  } while (performance.now() - start < milliseconds)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** The least of some counts: what V8 itself allocates while it learns the code is not the request's. */
async function leastBytes(request) {
  const counts = []
  while (counts.length < COUNTS_OF_BYTES) counts.push(await bytes(request))
  return Math.min(...counts)
}

/** Bytes allocated by a request, on V8's heap. */
async function bytes(request) {
  const collections = []
  const observer = new PerformanceObserver(list => collections.push(...list.getEntries()))
  gc()
  await new Promise(resolve => setTimeout(resolve, 5))
  observer.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage().heapUsed
  for (let index = 0; index < REQUESTS_FOR_BYTES; index += 1) await request()
  const grown = process.memoryUsage().heapUsed - before
  await new Promise(resolve => setTimeout(resolve, 5))
  observer.disconnect()
  if (collections.length > 0) throw new Error('cost: memory was collected while it was counted. Run it again.')
  return Math.round(grown / REQUESTS_FOR_BYTES)
}
