// The endpoint of W4 on Fastify, with what its users pick. `jwt` is what @fastify/jwt is told of verifying.
import etag from '@fastify/etag'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import { AUDIENCE, CACHE_CONTROL, LIMIT, pageOf, SECRET } from './endpoint.js'
import { find } from './source.js'

const integer = { type: 'integer' }
const text = { type: 'string' }
const count = { type: 'integer', minimum: 1 }

const querystring = {
  type: 'object',
  properties: {
    category: text,
    'price[gte]': { type: 'number' },
    sort: { enum: ['id', '-id', 'price', '-price', 'name', '-name'], default: 'id' },
    page: { ...count, default: 1 },
    per_page: { ...count, maximum: 100, default: 20 },
  },
}
const product = {
  type: 'object',
  properties: { id: integer, name: text, category: text, price: integer, stock: integer },
}
const meta = { type: 'object', properties: { page: integer, per_page: integer, total: integer, pages: integer } }
const links = { type: 'object', properties: { self: text, first: text, prev: text, next: text, last: text } }
const page = { type: 'object', properties: { items: { type: 'array', items: product }, meta, links } }

export async function endpoint(verify) {
  const app = Fastify()
  await app.register(jwt, { secret: SECRET, verify: { algorithms: ['HS256'], allowedAud: AUDIENCE, ...verify } })
  app.addHook('onRequest', request => request.jwtVerify())
  await app.register(rateLimit, {
    max: LIMIT,
    timeWindow: 60_000,
    hook: 'preHandler',
    keyGenerator: request => request.user.sub,
  })
  await app.register(etag)
  app.get('/products', { schema: { querystring, response: { 200: page } } }, async (request, reply) => {
    const { category, sort, page, per_page: perPage, 'price[gte]': least } = request.query
    const wanted = { category, sort, page, perPage, least }
    const { link, body } = pageOf(await find(wanted), wanted, request.url, request.host)
    reply.header('Link', link).header('Cache-Control', CACHE_CONTROL)
    return body
  })
  await app.listen({ port: 0 })
  return app.server
}

export const packages = ['fastify', '@fastify/jwt', '@fastify/rate-limit', '@fastify/etag']
