// How most workloads are measured: the same requests over and over, for some seconds, after the answers were compared.
import { load } from './load/index.js'
import { count, percent, thousands } from './spread.js'
import { verify } from './verify.js'

/** In the third second V8 still compiles, and what has more code is up to a tenth slower than it will be. */
const WARM_UP_SECONDS = 4

export const columns = [
  ['requests a second (min-max)', 'perSecond', thousands],
  ['processor time a request, µs', 'microseconds', count(1)],
  ['core in use', 'busy', percent],
]
export const comparison = { key: 'perSecond', best: 'highest' }

export async function oneRound({ name, server, workload, options }) {
  const { connections, seconds } = options
  const requests = await (workload.requestsFor?.(server.url) ?? workload.requests)
  await verify(name, server.url, [...requests, ...(workload.alsoVerify ?? [])])
  await load.run(server.url, { requests, connections, seconds: WARM_UP_SECONDS })
  const before = await server.usage()
  const answers = await load.run(server.url, { requests, connections, seconds })
  const after = await server.usage()
  if (answers.errors > 0) throw new Error(`bench ${name}: ${answers.errors} requests failed. Run the server by itself.`)
  const used = after.processorTime - before.processorTime
  return {
    perSecond: answers.count / answers.seconds,
    microseconds: used / answers.count,
    busy: used / 1e6 / answers.seconds,
    rss: after.rss,
  }
}
