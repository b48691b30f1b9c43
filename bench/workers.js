// What serve() makes of the cores: requests a second of one worker, two, and as many as there are cores, in turn. Each takes
// some milliseconds of the processor, so that nothing has to be pinned: the load is one process that mostly waits.
// `node bench/workers.js`, `node bench/workers.js --rounds 9 --seconds 3`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { connect } from './load/lean.js'
import { prepare } from './prepare.js'
import { range, spread } from './spread.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '2' } },
})
const cores = availableParallelism()
const numbers = [...new Set([1, 2, cores])].filter(count => count <= cores)

prepare()

const results = numbers.map(workers => ({ workers, rates: [] }))
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const { workers, rates } of results) rates.push(await rateOf(workers, Number(values.seconds)))

const [{ rates: alone }] = results
console.log(`Node ${process.versions.node}, ${cores} cores`)
console.table(
  results.map(({ workers, rates }) => ({
    workers,
    'requests a second (min-max)': range(0)(spread(rates)),
    'times one worker': spread(rates.map((rate, index) => rate / alone[index])).median.toFixed(2),
  })),
)

/** Requests a second of so many workers, after a second to warm up. */
async function rateOf(workers, seconds) {
  const module = new URL('servers/workers/computing.js', import.meta.url)
  const primary = fork(module, { env: { ...process.env, NODE_ENV: 'production', BENCH_WORKERS: String(workers) } })
  const [{ port }] = await once(primary, 'message')
  // As many connections for each worker, whom Node gives them in turn.
  const client = await connect(`http://127.0.0.1:${port}`, [{ path: '/' }], cores * 8)
  try {
    await forSeconds(client, 1)
    return await forSeconds(client, seconds)
  } finally {
    client.close()
    primary.disconnect()
    await once(primary, 'exit')
  }
}

async function forSeconds(client, seconds) {
  const start = performance.now()
  let count = 0
  do {
    await client.send(400)
    count += 400
  } while (performance.now() - start < seconds * 1000)
  return (count * 1000) / (performance.now() - start)
}
