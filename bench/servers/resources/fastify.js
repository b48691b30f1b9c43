import Fastify from 'fastify'
import { answer, routes } from '../../shared/routes.js'

export const title = 'fastify'
export const packages = ['fastify']

const app = Fastify()
const text = { type: 'string' }
const params = { type: 'object', properties: { id: text, item: text } }
const schema = { response: { 200: { type: 'object', properties: { route: text, params } } } }

for (const route of routes())
  app.route({ method: route.method, url: route.path, schema, handler: async request => answer(route, request.params) })

await app.listen({ port: 0 })
export default app.server
