// Has the request path become slower? kolba beside bare node:http, both in one process, in short slices that take turns
// round by round. What counts is the processor time of a request, so that what others take of the machine does not, and
// the median of the ratios, so that a slice in which something happened does not. check.json has the thresholds.
// `npm run bench:check`, `-- --only W1,W4a`, and `-- --write` to keep what was measured, with a margin, as thresholds.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { keepTo, LOAD } from './cores.js'
import { connect } from './load/lean.js'
import { prepare } from './prepare.js'
import { startServers } from './server.js'
import { spread } from './spread.js'
import { verify } from './verify.js'

const MARGIN = 1.12
const WARM_UP = 4000
const ROUNDS = 25
const SLICE = 600
const CONNECTIONS = 32
const CHECKS = [
  ['W1', 'W1', 'kolba'],
  ['W1m', 'W1m', 'kolba'],
  ['W2', 'W2', 'kolba'],
  ['W3b', 'W3b', 'kolba'],
  ['W4a', 'W4a', 'kolba'],
  ['W4a cached', 'W4a', 'kolba-cached'],
  ['W4b', 'W4b', 'kolba'],
  ['W4b cached', 'W4b', 'kolba-cached'],
  ['W5', 'W5', 'kolba'],
]

const { values } = parseArgs({ options: { only: { type: 'string' }, write: { type: 'boolean', default: false } } })
const file = new URL('check.json', import.meta.url)
const thresholds = JSON.parse(readFileSync(file, 'utf8'))
const chosen = CHECKS.filter(([name]) => !values.only || values.only.split(',').includes(name))
if (chosen.length === 0)
  throw new TypeError(`check --only: ${values.only} is unknown. There are ${CHECKS.map(([name]) => name).join(', ')}.`)

prepare()
keepTo(LOAD)

const rows = []
for (const [name, workload, server] of chosen) {
  process.stderr.write(`${name}\n`)
  const { ratio, raw, kolba } = await compare(await import(`./workloads/${workload}.js`), server)
  if (values.write) thresholds[name] = Number((ratio * MARGIN).toFixed(2))
  rows.push({
    workload: name,
    'raw, µs': Number(raw.toFixed(1)),
    'kolba, µs': Number(kolba.toFixed(1)),
    'times raw': Number(ratio.toFixed(3)),
    'at most': thresholds[name],
    verdict: ratio <= thresholds[name] ? 'ok' : 'slower',
  })
}
console.table(rows)
if (values.write) writeFileSync(file, `${JSON.stringify(thresholds, null, 2)}\n`)
const slower = rows.filter(({ verdict }) => verdict !== 'ok')
for (const { workload } of slower) console.log(`${workload}: it takes more of raw node:http than check.json allows.`)
if (slower.length > 0) process.exitCode = 1

async function compare({ servers = 'servers', environment, requests, requestsFor }, name) {
  const modules = ['raw', name].map(it => new URL(`${servers}/${it}.js`, import.meta.url))
  const process = await startServers(modules, { environment })
  const clients = []
  try {
    for (const { url, peer } of process.servers) {
      const its = await (requestsFor?.(url) ?? requests)
      await verify(peer.title, url, its)
      clients.push(await connect(url, its, CONNECTIONS))
    }
    return await takeTurns(process, clients)
  } finally {
    for (const client of clients) client.close()
    await process.stop()
  }
}

async function takeTurns(process, clients) {
  const [raw, kolba] = clients.map(client => count => slice(process, client, count))
  await raw(WARM_UP)
  await kolba(WARM_UP)
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    // Who begins changes, so that what a slice leaves behind for the next is shared out.
    const first = round % 2 === 0 ? await raw(SLICE) : undefined
    const second = await kolba(SLICE)
    rounds.push({ raw: first ?? (await raw(SLICE)), kolba: second })
  }
  const median = of => spread(rounds.map(of)).median
  return { ratio: median(it => it.kolba / it.raw), raw: median(it => it.raw), kolba: median(it => it.kolba) }
}

/** Microseconds of processor time of the server for a request, over so many of them. */
async function slice(process, client, count) {
  const before = await process.usage()
  await client.send(count)
  const after = await process.usage()
  return (after.processorTime - before.processorTime) / count
}
