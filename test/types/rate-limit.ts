import { type Decorator, decorator, kolba, type Next, principalOf, stack } from 'kolba'
import { type ClientAddress, clientAddress, proxiesIn, resolveAddress } from 'kolba/client-address'
import { json } from 'kolba/json'
import { memoryStore, type RateLimitStore, rateLimit, redisStore } from 'kolba/rate-limit'
import { same } from './same.ts'

interface User {
  id: number
  admin: boolean
}
const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ user: { id: 1, admin: false } }))
const app = kolba()

// A text, an object, or a text and an object; it adds nothing.
app.get('/a', rateLimit('100/min'), ctx => ctx.path)
app.get('/b', rateLimit({ limit: 5, per: '15min', algorithm: 'sliding', name: 'b' }), ctx => ctx.path)
app.get(
  '/c',
  rateLimit('5/15min', { key: 'address', when: status => status === 401 }),
  signedIn,
  json(),
  ctx => ctx.user,
)
const limit: Decorator = rateLimit('1/s')
app.get('/d', stack(limit, json()), () => 1)
rateLimit('100/minute') // error: is not assignable to parameter
rateLimit('hundred/min') // error: is not assignable to parameter
rateLimit({ limit: 5 }) // error: is not assignable to parameter
rateLimit({ limit: 5, per: 'week' }) // error: is not assignable to type
rateLimit('1/s', { limit: 5 }) // error: 'limit' does not exist
rateLimit({ limit: 5, per: 1, algorithm: 'leaky' }) // error: is not assignable to type

// What a function looks at has to stand above.
app.get('/e/:id', rateLimit('1/s', { key: ctx => [ctx.ip, ctx.params.id ?? '', 7, null] }), ctx => ctx.params.id)
app.get('/f', signedIn, rateLimit('1/s', { skip: (ctx: { user: User }) => ctx.user.admin }), ctx => ctx.user.id)
app.get('/g', signedIn, rateLimit('9/s', { cost: async (ctx: { user: User }) => ctx.user.id }), ctx => ctx.user.id)
const admins = rateLimit('1/s', { skip: (ctx: { user: User }) => ctx.user.admin })
app.get('/h', admins, () => 1) // error: Property 'user' is missing
rateLimit('1/s', { key: () => ({}) }) // error: is not assignable to type
rateLimit('1/s', { when: (status: string) => status === '' }) // error: is not assignable to type

// Stores.
const store: RateLimitStore = memoryStore({ keys: 5 })
app.get('/i', rateLimit('1/s', { store, onStoreFailure: 'refuse' }), () => 1)
app.get('/j', rateLimit('1/s', { store: redisStore('redis://localhost', { prefix: 'x' }) }), () => 1)
rateLimit('1/s', { store: new Map() }) // error: is missing the following properties
redisStore({ get: () => 1 }) // error: 'get' does not exist

// Addresses.
app.get('/k', clientAddress(), ctx => same<typeof ctx.clientAddress, ClientAddress>(true))
app.get('/l', clientAddress({ header: 'Forwarded' }), ctx => ctx.clientAddress.network)
app.get('/m', ctx => ctx.clientAddress) // error: Property 'clientAddress' does not exist
clientAddress({ header: 'X-Real-IP' }) // error: is not assignable to type
app.get('/n', ctx => resolveAddress(ctx.req, ['10.0.0.0/8']).address)
app.get('/o', ctx => resolveAddress(ctx.req, proxiesIn(['10.0.0.0/8']), { header: 'Forwarded' }).network)

app.get('/p', ctx => principalOf(ctx)?.length)
