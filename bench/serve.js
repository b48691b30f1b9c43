// The process of a server, or of some: imports them, says who they are and where, and what they have used whenever it is
// asked. With --expose-gc it collects first, so that the heap is what is held.
import { once } from 'node:events'

const servers = []
for (const module of process.argv.slice(2)) {
  const { default: server, title, packages } = await import(module)
  if (!server.listening) await once(server, 'listening')
  servers.push({ port: server.address().port, peer: { title, packages } })
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  process.send({ processorTime: user + system, rss, held: heapUsed + external })
})
process.on('disconnect', () => process.exit())
process.send({ servers })
