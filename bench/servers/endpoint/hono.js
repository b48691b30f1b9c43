import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { etag } from 'hono/etag'
import { jwt } from 'hono/jwt'
import { rateLimiter } from 'hono-rate-limiter'
import { AUDIENCE, CACHE_CONTROL, LIMIT, pageOf, readQuery, SECRET } from '../../shared/endpoint.js'
import { jsonType } from '../../shared/hono.js'
import { find } from '../../shared/source.js'

export const title = 'hono, hono/jwt, hono-rate-limiter, hono/etag'
export const packages = ['hono', '@hono/node-server', 'hono-rate-limiter']

const hmac = { name: 'HMAC', hash: 'SHA-256' }
const secret = await crypto.subtle.importKey('raw', Buffer.from(SECRET), hmac, false, ['verify'])
const app = new Hono()

app.use(etag())
app.use(jwt({ secret, alg: 'HS256', verification: { aud: AUDIENCE } }))
app.use(
  rateLimiter({
    windowMs: 60_000,
    limit: LIMIT,
    standardHeaders: 'draft-6',
    keyGenerator: c => c.get('jwtPayload').sub,
  }),
)
app.get('/products', async c => {
  const wanted = readQuery(c.req.query())
  if (!wanted) return c.json({ error: 'Bad Request' }, 400)
  const { pathname, search } = new URL(c.req.url)
  const { link, body } = pageOf(await find(wanted), wanted, pathname + search, c.req.header('Host'))
  return c.json(body, 200, { ...jsonType, Link: link, 'Cache-Control': CACHE_CONTROL })
})

export default serve({ fetch: app.fetch, port: 0 })
