import { type BaseContext, type Context, type Handler, reply } from 'kolba'
import { json } from 'kolba/json'
import { adds, app, signedIn, type User } from './given.ts'
import { same } from './same.ts'

function show(ctx: Context<'/books/:id'>) {
  return ctx.params.id
}
function mine(ctx: Context<'/me', { user: User }>) {
  return ctx.user
}
async function plain({ params }: { params: { id: string } }) {
  return reply(200, params.id)
}
const requestId: Handler<BaseContext> = ctx => ctx.requestId

app.get('/books/:id', show)
app.get('/books/:id/:page', json(), show)
app.get('/books/:isbn', show) // error: Property 'id' is missing in type '{ isbn: string; }'
app.get('/me', signedIn, mine)
app.get('/me', json(), signedIn, json(), mine)
app.get('/me', mine) // error: Property 'user' is missing
app.get('/me', json(), mine) // error: Property 'user' is missing
app.get('/plain/:id', plain)
app.get('/plain/:id', signedIn, plain)
app.get('/plain/:isbn', plain) // error: Property 'id' is missing in type '{ isbn: string; }'
app.get('/id', requestId)
app.get('/nothing', () => 1)

// What a call in the stack adds is there for a handler that says what it is given, as well as for a lambda.
function both(ctx: Context<'/both', { user: User; a: number; b: number }>) {
  return ctx.user.name + ctx.a + ctx.b
}
app.get('/both', signedIn, adds('a'), adds('b'), both)
app.get('/both', adds('a'), json(), adds('b'), signedIn, both)
app.get('/both', signedIn, adds('b'), json(), both) // error: Property 'a' is missing
app.get('/both', signedIn, adds('b'), adds('c'), both) // error: Property 'a' is missing

// A handler that takes only what it needs is tested by a call, without a server.
plain({ params: { id: '7' } }).then(({ body }) => body)
plain({ params: {} }) // error: Property 'id' is missing in type '{}'

// A verb gives the handler back, with the type of what it returns.
const shown = app.get('/books/:id', json(), ctx => ctx.params.id)
same<ReturnType<typeof shown>, string>(true)
const later = app.get('/books/:id', async ctx => Number(ctx.params.id))
same<ReturnType<typeof later>, Promise<number>>(true)

// Koa's context is whole, and kolba's nouns are there.
app.get('/', ctx => same<typeof ctx.ip, string>(true))
app.get('/', ctx => same<typeof ctx.signal, AbortSignal>(true))
app.get('/', ctx => ctx.app.settings.limits.body.toFixed())
app.get('/', ctx => ctx.set('X-Shelf', '7'))
app.get('/', ctx => ctx.shelf) // error: Property 'shelf' does not exist
