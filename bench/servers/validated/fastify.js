import Fastify from 'fastify'
import { orderSchema as body, summaryOf } from '../../shared/order.js'

export const title = 'fastify, its schemas'
export const packages = ['fastify']

const app = Fastify()
const properties = { id: { type: 'integer' }, customer: { type: 'string' }, pieces: { type: 'integer' } }
const schema = { body, response: { 201: { type: 'object', properties } } }

app.post('/orders', { schema }, async (request, reply) => {
  reply.code(201).header('Location', '/orders/1')
  return summaryOf(request.body)
})

await app.listen({ port: 0 })
export default app.server
