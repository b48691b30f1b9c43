// The process of one server: imports it, says who it is and where, and then its processor time whenever it is asked.
import { once } from 'node:events'

const { default: server, title, packages } = await import(process.argv[2])
if (!server.listening) await once(server, 'listening')

process.on('message', () => process.send(process.cpuUsage()))
process.on('disconnect', () => process.exit())
process.send({ port: server.address().port, peer: { title, packages } })
