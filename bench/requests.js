// How most workloads are measured: the same requests over and over, for some seconds, after the answers were compared.
import { load } from './load/index.js'
import { startServer } from './server.js'
import { count, percent, thousands } from './spread.js'
import { oneTurn, takeTurns } from './turns.js'
import { verify } from './verify.js'

/** In the third second V8 still compiles, and what has more code is up to a tenth slower than it will be. */
const WARM_UP_SECONDS = 4

export const columns = [
  ['requests a second (min-max)', 'perSecond', thousands],
  ['processor time a request, µs', 'microseconds', count(1)],
  ['core in use', 'busy', percent],
]
export const comparison = { key: 'perSecond', best: 'highest' }

/** Each server is verified and warmed up by itself, and paused; then they take turns. */
export async function oneRound(its, workload, options) {
  const runs = []
  try {
    for (const { name, module } of its) {
      const run = { name, server: await startServer(module, workload.environment) }
      runs.push(run)
      await warmUp(run, workload, options)
    }
    const { connections, seconds } = options
    await Promise.all(
      runs.map(async run => {
        run.load = await load.start(run.server.url, { requests: run.requests, connections })
      }),
    )
    const ran = await takeTurns(
      runs.map(({ server }) => server),
      seconds,
    )
    const results = []
    for (const [index, run] of runs.entries()) results.push(await end(run, ran[index]))
    return results
  } finally {
    for (const run of runs) {
      run.load?.kill()
      await run.server.stop()
    }
  }
}

async function warmUp(run, workload, { connections }) {
  const { name, server } = run
  run.requests = await (workload.requestsFor?.(server.url) ?? workload.requests)
  await verify(name, server.url, [...run.requests, ...(workload.alsoVerify ?? [])])
  await load.run(server.url, { requests: run.requests, connections, seconds: WARM_UP_SECONDS })
  run.before = await server.usage()
  server.pause()
}

async function end({ name, server, before, load }, seconds) {
  let after
  // It is asked while the load goes on, or the time for what is answered after it would be of no request.
  const last = await oneTurn(server, async () => {
    after = await server.usage()
  })
  const answers = await load.end()
  if (answers.errors > 0) throw new Error(`bench ${name}: ${answers.errors} requests failed. Run the server by itself.`)
  const used = after.processorTime - before.processorTime
  return {
    peer: server.peer,
    perSecond: answers.count / (seconds + last),
    microseconds: used / answers.count,
    busy: used / 1e6 / (seconds + last),
  }
}
