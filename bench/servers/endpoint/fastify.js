import { endpoint } from '../../shared/fastify.js'

export { packages } from '../../shared/fastify.js'
export const title = 'fastify, @fastify/jwt, @fastify/rate-limit, @fastify/etag, schemas'

export default await endpoint({})
