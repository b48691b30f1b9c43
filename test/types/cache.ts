import { type Decorator, kolba } from 'kolba'
import { cacheControl, cached, invalidate } from 'kolba/cache'
import { app, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// What key, version and a path look at has to be there above.
const mine = cached({ ttl: 5, key: (ctx: { user: User }) => ctx.user.name })
same<typeof mine, Decorator<object, { user: User }>>(true)
app.get('/', signedIn, mine, ctx => ctx.user.name)
app.get('/', mine, () => 'x') // error: 'user' is missing
const versioned = cached({ version: async (ctx: { user: User }) => ctx.user.name })
app.get('/', versioned, () => 'x') // error: 'user' is missing
const dropping = invalidate('/a', (ctx: { user: User }) => `/${ctx.user.name}`)
app.put('/', signedIn, dropping, () => null)
app.put('/', dropping, () => null) // error: 'user' is missing

// What is always on ctx they know without a word.
app.get('/', cached({ ttl: 5, key: ctx => ctx.path }), ctx => ctx.params)
app.put(
  '/:id',
  invalidate('/', ctx => `/${ctx.params.id}`),
  ctx => ctx.params.id,
)
cached({ version: () => 5n })
cached({ version: () => new Date() }) // error: Type 'Date' is not assignable
cached({ ttl: 5, key: () => 5 }) // error: Type 'number' is not assignable

// With an app invalidate() is no decorator.
const nothing: undefined = invalidate(kolba(), '/books', '/authors/*') // error: Type 'void' is not assignable
invalidate(kolba(), () => '/books') // error: not assignable
void nothing

cacheControl({ maxAge: '60' }) // error: Type 'string' is not assignable
cacheControl({ private: 'X-Name' }) // error: Type 'string' is not assignable
