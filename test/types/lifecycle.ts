import { type BaseContext, type Context, type Handler, type Preferences, reply } from 'kolba'
import { json } from 'kolba/json'
import { deprecated, type Versioned, versions } from 'kolba/lifecycle'
import { prefer } from 'kolba/prefer'
import { adds, admin, app, rows, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// What a client prefers is on ctx below, and only there.
app.get('/', prefer(), ctx => same<typeof ctx.prefer, Preferences>(true))
app.get('/', prefer(), ctx => same<typeof ctx.prefer.wait, number | undefined>(true))
app.get('/', ctx => ctx.prefer) // error: Property 'prefer' does not exist
prefer({ wait: false }) // error: 'wait' does not exist in type 'PreferOptions'

deprecated({ since: new Date(), successor: ctx => ctx.params.id ?? '/' })
deprecated({}) // error: Property 'since' is missing
app.get('/:id', deprecated({ since: '2026-01-01' }), ctx => ctx.params.id)

// Each version sees what stands above, and the path.
app.get(
  '/:id',
  versions({ 1: ctx => ctx.params.id, 2: ctx => ctx.requestId + ctx.apiVersion }, { by: 'header', default: 2 }),
)
app.get(
  '/:id',
  json(),
  signedIn,
  versions(
    {
      1: ctx => same<typeof ctx.user, User>(true),
      2: deprecated({ since: '2026-01-01' })(ctx => ctx.user.name + ctx.params.id),
      3: ctx => ctx.params.isbn, // error: Property 'isbn' does not exist
    },
    { by: 'path' },
  ),
)

// Named handlers say what they need, and the stack has to give it.
const show = (ctx: Context<'/:id', { user: User }>) => ctx.user.name + ctx.params.id
const list = (ctx: Context<'/:id'> & Versioned) => ctx.apiVersion
app.get('/:id', signedIn, versions({ 1: show, 2: list }, { by: 'header' }))
app.get('/:id', versions({ 1: list, 2: admin(list) }, { by: 'header' })) // error: user
app.get('/:isbn', versions({ 1: list }, { by: 'header' })) // error: id

// What the innermost decorator takes, each version must give.
app.get('/', rows, versions({ 1: () => [{ id: 1 }], 2: async () => [] }, { by: 'header' }))
app.get('/', rows, versions({ 1: () => [{ id: 1 }], 2: () => 'text' }, { by: 'header' })) // error: Type 'string' is not

// Values of several kinds, and the default is one of the versions.
app.get('/', adds('a'), versions({ 1: () => [1], 2: () => ({ items: [1] }), 3: () => reply(200) }, { by: 'header' }))
versions({ 1: () => 1 }, { by: 'header', default: 2 }) // error: Type '2' is not assignable
versions({ 1: () => 1 }, { by: 'cookie' }) // error: Type '"cookie"' is not assignable
versions({ 1: () => 1 }) // error: Expected 2 arguments
const alone: Handler<BaseContext, number> = versions({ 1: () => 1, 2: () => 2 }, { by: 'header' })
void alone
