import { oneByOne } from '../alone.js'
import { installOf } from '../install.js'
import { load } from '../load/index.js'
import { count, range } from '../spread.js'
import { verify } from '../verify.js'
import { requests } from './W1.js'

export const title = 'start of the process to the first answer of `GET /json`, install, memory after the load of W1'

export const columns = [
  ['first answer, ms (min-max)', 'milliseconds', range(0)],
  ['of it its own processor time, ms', 'processor', count(0)],
  ['packages', 'packages', count(0)],
  ['install, MB', 'megabytes', count(1)],
  ['memory after load, MB', 'memory', count(0)],
]
export const comparison = { key: 'milliseconds', best: 'lowest' }

/** Seconds. */
const WARM_UP = 4
/** Read from disk once. */
const installs = new Map()

export const oneRound = oneByOne(async ({ name, server, start, options }) => {
  await verify(name, server.url, requests)
  const milliseconds = performance.now() - start
  const { processorTime } = await server.usage()
  const { connections, seconds } = options
  const { errors } = await load.run(server.url, { requests, connections, seconds: WARM_UP + seconds })
  if (errors > 0) throw new Error(`bench ${name}: ${errors} requests failed. Run the server by itself.`)
  const { rss } = await server.usage()
  if (!installs.has(name)) installs.set(name, installOf(server.peer.packages))
  const { packages, megabytes } = installs.get(name)
  return { milliseconds, processor: processorTime / 1e3, packages, megabytes, memory: rss / 1e6 }
})
