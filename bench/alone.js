import { startServer } from './server.js'

/** How a workload that is no matter of requests a second is measured: one server after another, each by itself. */
export function oneByOne(measure) {
  return async (its, { environment }, options) => {
    const results = []
    for (const { name, module } of its) results.push(await oneServer(name, module))
    return results

    async function oneServer(name, module) {
      const start = performance.now()
      const server = await startServer(module, environment)
      try {
        return { peer: server.peer, ...(await measure({ name, server, start, options })) }
      } finally {
        await server.stop()
      }
    }
  }
}
