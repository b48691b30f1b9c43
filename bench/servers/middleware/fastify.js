import Fastify from 'fastify'
import { timing } from '../../shared/timing.js'

export const title = 'fastify, hooks'
export const packages = ['fastify']

const app = Fastify()

app.addHook('onResponse', async (_request, reply) => {
  timing.add(reply.elapsedTime)
})
app.addHook('onRequest', async (_request, reply) => {
  reply.header('X-Content-Type-Options', 'nosniff')
})
app.decorateRequest('by', '')
app.addHook('onRequest', async request => {
  request.by = 'bench'
})
const schema = { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } }
app.get('/json', { schema }, async (request, reply) => {
  reply.header('X-By', request.by)
  return { hello: 'world' }
})

await app.listen({ port: 0 })
export default app.server
