import { installOf } from '../install.js'
import { oneRound as load } from '../requests.js'
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

/** Read from disk once. */
const installs = new Map()

export async function oneRound({ name, server, start, options }) {
  await verify(name, server.url, requests)
  const milliseconds = performance.now() - start
  const { processorTime } = await server.usage()
  const { rss } = await load({ name, server, workload: { requests }, options })
  if (!installs.has(name)) installs.set(name, installOf(server.peer.packages))
  const { packages, megabytes } = installs.get(name)
  return { milliseconds, processor: processorTime / 1e3, packages, megabytes, memory: rss / 1e6 }
}
