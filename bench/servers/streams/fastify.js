import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import Fastify from 'fastify'
import { BYTES, eventText, FILE } from '../../shared/streams.js'

export const title = 'fastify'
export const packages = ['fastify']

const app = Fastify()

app.get('/events', (_request, reply) => {
  reply.type('text/event-stream').header('Cache-Control', 'no-cache')
  return reply.send(Readable.from(eventText()))
})
app.get('/file', (_request, reply) => {
  reply.type('application/octet-stream').header('Content-Length', BYTES)
  return reply.send(createReadStream(FILE))
})

await app.listen({ port: 0 })
export default app.server
