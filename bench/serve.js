// The process of one server: imports it, says who it is and where, and then what it has used whenever it is asked.
import { once } from 'node:events'

const { default: server, title, packages } = await import(process.argv[2])
if (!server.listening) await once(server, 'listening')

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send({ processorTime: user + system, rss: process.memoryUsage.rss() })
})
process.on('disconnect', () => process.exit())
process.send({ port: server.address().port, peer: { title, packages } })
