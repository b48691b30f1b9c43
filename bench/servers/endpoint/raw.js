import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import http from 'node:http'
import { AUDIENCE, CACHE_CONTROL, KEY, LIMIT, pageOf, readQuery } from '../../shared/endpoint.js'
import { findAsRaw } from '../../shared/source.js'

export const title = 'raw node:http, by hand'
export const packages = []

const used = new Map()

export default http
  .createServer((req, res) => {
    const user = userOf(req.headers.authorization)
    if (!user) return send(res, 401, { error: 'Unauthorized' }, { 'WWW-Authenticate': 'Bearer' })
    const left = take(user)
    const limits = { 'RateLimit-Limit': LIMIT, 'RateLimit-Remaining': left }
    if (left < 0) return send(res, 429, { error: 'Too Many Requests' }, limits)
    const { pathname, searchParams } = new URL(req.url, 'http://localhost')
    if (req.method !== 'GET' || pathname !== '/products') return send(res, 404, { error: 'Not Found' })
    const wanted = readQuery(Object.fromEntries(searchParams))
    if (!wanted) return send(res, 400, { error: 'Bad Request' })

    const { link, body } = pageOf(findAsRaw(wanted), wanted, req.url, req.headers.host)
    const text = JSON.stringify(body)
    const ETag = `"${createHash('sha1').update(text).digest('base64url')}"`
    const headers = { ...limits, Link: link, ETag, 'Cache-Control': CACHE_CONTROL }
    if (req.headers['if-none-match'] === ETag) return res.writeHead(304, headers).end()
    send(res, 200, text, headers)
  })
  .listen(0)

function send(res, status, value, headers) {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  const type = 'application/json; charset=utf-8'
  res.writeHead(status, { ...headers, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function userOf(authorization = '') {
  const [head, payload, signature] = authorization.replace(/^Bearer /, '').split('.')
  if (!signature) return undefined
  const should = createHmac('sha256', KEY).update(`${head}.${payload}`).digest()
  const is = Buffer.from(signature, 'base64url')
  if (is.length !== should.length || !timingSafeEqual(is, should)) return undefined
  if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'HS256') return undefined
  const { sub, aud, exp } = JSON.parse(Buffer.from(payload, 'base64url'))
  return aud === AUDIENCE && exp > Date.now() / 1000 ? sub : undefined
}

function take(user) {
  const now = Date.now()
  const known = used.get(user)
  const window = known && known.ends > now ? known : { count: 0, ends: now + 60_000 }
  window.count += 1
  used.set(user, window)
  return LIMIT - window.count
}
