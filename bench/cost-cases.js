// The cases of cost.js: what is added, what stands above and below it in both routes, and the request.
import { apiKey, hashToken, roles, secretToken, tokenAuth } from '../dist/extensions/auth.js'
import { body } from '../dist/extensions/body.js'
import { cacheControl, cached, vary } from '../dist/extensions/cache.js'
import { clientAddress } from '../dist/extensions/client-address.js'
import { collection, resource } from '../dist/extensions/collection.js'
import { etag } from '../dist/extensions/etag.js'
import { idempotent } from '../dist/extensions/idempotency.js'
import { component, inject } from '../dist/extensions/inject.js'
import { input } from '../dist/extensions/input.js'
import { json } from '../dist/extensions/json.js'
import { deprecated } from '../dist/extensions/lifecycle.js'
import { middleware } from '../dist/extensions/middleware.js'
import { csv, languages, produces } from '../dist/extensions/negotiate.js'
import { output } from '../dist/extensions/output.js'
import { overload } from '../dist/extensions/overload.js'
import { prefer } from '../dist/extensions/prefer.js'
import { rateLimit } from '../dist/extensions/rate-limit.js'
import { requestLog } from '../dist/extensions/request-log.js'
import { int, list, object, text } from '../dist/extensions/schema.js'
import { decorator } from '../dist/src/index.js'
import { AUDIENCE, products, SECRET, tokenOf } from './shared/endpoint.js'

/** About 1 KB as JSON. */
const document = {
  id: 7,
  version: 3,
  title: 'Emma',
  lines: Array.from({ length: 20 }, (_, id) => ({ id, name: `Line ${id} of twenty` })),
}
const schema = object({ id: int(), version: int(), title: text(), lines: list(object({ id: int(), name: text() })) })
const handler = () => document
const rows = () => products
const page = () => products.slice(0, 20)
const fields = { id: 'number', name: 'string', category: 'string', price: 'number', stock: 'number' }
const user = { sub: 'user-1', roles: ['admin'] }
const signedIn = decorator('signedIn', (_ctx, next) => next({ user }))
const passing = decorator('passing', (_ctx, next) => next())
const { token: key, hash: known } = secretToken('shop')
const limit = 100_000_000
// What is measured here is the loop kept busy, which it is to take for nothing unusual.
const busy = { delay: 3600, utilisation: 1 }
const full = overload({ ...busy, limit: 1 })
full(() => new Promise(() => {}))({})

const json1KB = { method: 'POST', body: JSON.stringify(document), headers: { 'content-type': 'application/json' } }
const authorization = `Bearer ${tokenOf('user-1')}`
let last = 0

export const cases = [
  { name: 'a decorator of one’s own', add: [passing] },
  { name: 'middleware(koaMiddleware)', add: [middleware((_ctx, next) => next())] },
  { name: 'json(), 1 KB', add: [json()] },
  { name: 'output(schema), 1 KB', add: [output(schema)] },
  { name: 'body(), 1 KB', add: [body()], ...json1KB },
  { name: 'input({ body }), 1 KB', add: [input({ body: schema })], ...json1KB },
  { name: 'input({ params })', add: [input({ params: { id: int() } })], route: '/:id', suffix: '/7' },
  { name: 'input({ query })', add: [input({ query: { page: int() } })], suffix: '?page=7' },
  { name: 'cacheControl()', add: [cacheControl({ private: true, maxAge: 60 })] },
  { name: 'vary()', add: [vary('Accept-Language')] },
  { name: 'etag(), 1 KB, hash', add: [etag()], below: [json()] },
  { name: 'etag({ version })', above: [json()], add: [etag({ version: row => row.version })] },
  {
    name: 'etag({ version }), 304',
    above: [json()],
    add: [etag({ version: row => row.version })],
    headers: { 'if-none-match': '"3"' },
    status: 304,
  },
  { name: 'cached({ version }), hit', add: [cached({ version: () => 1 })], below: [json()] },
  { name: 'collection(), page of 20 of 1,000', add: [collection(resource({ fields }))], plain: page, handler: rows },
  {
    name: 'collection(), filter and sort',
    add: [collection(resource({ fields }))],
    handler: rows,
    plain: page,
    suffix: '?category=garden&sort=-price',
  },
  { name: 'produces()', add: [produces({ 'application/json': true, 'text/csv': csv() })], headers: { accept: '*/*' } },
  { name: 'languages()', add: [languages('en', 'de')], headers: { 'accept-language': 'de-CH' } },
  { name: 'prefer()', add: [prefer()] },
  { name: 'overload()', add: [overload(busy)] },
  {
    name: 'overload(), of a promise',
    add: [overload(busy)],
    handler: async () => document,
    plain: async () => document,
  },
  { name: 'overload(), a refusal', add: [full], status: 503, plain: () => 'ok' },
  {
    name: 'tokenAuth(), a token seen before',
    add: [tokenAuth({ secret: SECRET, issuer: false, audience: AUDIENCE })],
    headers: { authorization },
  },
  {
    name: 'apiKey()',
    add: [apiKey({ prefix: 'shop', verify: it => hashToken(it) === known && user })],
    headers: { 'x-api-key': key },
  },
  { name: 'roles()', above: [signedIn], add: [roles('admin')] },
  { name: 'rateLimit(), by address', add: [rateLimit({ limit, per: 60 })] },
  { name: 'rateLimit(), by user', above: [signedIn], add: [rateLimit({ limit, per: 60 })] },
  { name: 'clientAddress()', add: [clientAddress()] },
  {
    name: 'idempotent(), a new key',
    method: 'POST',
    add: [idempotent()],
    eachHeaders: () => ({ 'idempotency-key': `"${++last}"` }),
  },
  { name: 'inject(), of the app', add: [inject({ it: component(() => 1, { scope: 'app' }) })] },
  { name: 'inject(), of the request', add: [inject({ it: () => 1 })] },
  { name: 'deprecated()', add: [deprecated({ since: '2026-01-01', sunset: '2027-01-01' })] },
  { name: 'requestLog()', add: [requestLog()] },
].map(it => ({ handler, ...it }))
