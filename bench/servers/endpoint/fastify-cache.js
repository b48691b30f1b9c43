import { endpoint } from '../../shared/fastify.js'

export { packages } from '../../shared/fastify.js'
export const title = 'fastify, the same, tokens kept by its option `cache`'

export default await endpoint({ cache: true, cacheTTL: 600_000 })
