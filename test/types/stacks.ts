import bodyParser from 'koa-bodyparser'
import { type Decorator, decorator, type Next, stack } from 'kolba'
import { type BodyInput, body } from 'kolba/body'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { adds, admin, app, rows, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// What a decorator adds is there below it, and only there.
app.get('/', signedIn, ctx => same<typeof ctx.user, User>(true))
app.get('/', json(), signedIn, json(), ctx => same<typeof ctx.user, User>(true))
app.post('/', signedIn, body(), ctx => same<typeof ctx.input, BodyInput['input']>(true))
app.get('/', ctx => ctx.user) // error: Property 'user' does not exist
app.get('/', json(), ctx => ctx.user) // error: Property 'user' does not exist

// Zero to eight decorators, each with its own.
app.get('/:id', ctx => ctx.params.id)
app.get('/:id', adds('a'), ctx => ctx.a + ctx.params.id)
app.get('/:id', adds('a'), adds('b'), ctx => ctx.a + ctx.b + ctx.params.id)
app.get('/', adds('a'), adds('b'), adds('c'), ctx => ctx.a + ctx.b + ctx.c)
app.get('/', adds('a'), adds('b'), adds('c'), adds('d'), ctx => ctx.a + ctx.b + ctx.c + ctx.d)
app.get('/', adds('a'), adds('b'), adds('c'), adds('d'), adds('e'), ctx => ctx.a + ctx.c + ctx.e)
app.get('/', adds('a'), adds('b'), adds('c'), adds('d'), adds('e'), adds('f'), ctx => ctx.a + ctx.f)
app.get('/', adds('a'), adds('b'), adds('c'), adds('d'), adds('e'), adds('f'), adds('g'), ctx => ctx.a + ctx.g)
const eight = [adds('a'), adds('b'), adds('c'), adds('d'), adds('e'), adds('f'), adds('g'), adds('h')] as const
app.get('/', ...eight, ctx => ctx.a + ctx.b + ctx.c + ctx.d + ctx.e + ctx.f + ctx.g + ctx.h)
app.get('/', ...eight, ctx => ctx.i) // error: Property 'i' does not exist
app.get('/', ...eight, json(), () => 1) // error: Expected 2-10 arguments, but got 11
app.get('/', stack(...eight), json(), ctx => ctx.a + ctx.h)

// What a decorator needs must be added above it. The error stands at that decorator.
app.get('/', signedIn, admin, ctx => ctx.user)
app.get('/', signedIn, json(), admin, ctx => ctx.user)
app.get(
  '/',
  json(),
  admin, // error: Property 'user' is missing in type 'BaseContext & { params: {}; }' but required in type '{ user: User; }'
  signedIn,
  ctx => ctx.user,
)
app.get(
  '/',
  json(),
  json(),
  adds('a'),
  json(),
  json(),
  json(),
  json(),
  admin, // error: Property 'user' is missing
  () => 1,
)
app.get('/:id', owner(), ctx => ctx.params.id)
app.get('/:isbn', owner(), ctx => ctx.params.isbn) // error: Property 'id' is missing in type '{ isbn: string; }'
function owner() {
  return decorator('owner', (ctx: { params: { id: string } }, next: Next) => (ctx.params.id ? next() : null))
}

// What the innermost decorator takes is what the handler may return.
app.get('/', rows, () => [{ id: 1 }])
app.get('/:id', rows, async ctx => [ctx.params])
app.get('/', json(), rows, () => [])
app.get('/', rows, () => 'text') // error: Type 'string' is not assignable to type 'Awaitable<readonly object[]>'
app.get('/', rows, async () => 'text') // error: Type 'Promise<string>' is not assignable to type 'Awaitable<readonly object[]>'
app.get('/', rows, () => undefined) // error: Type 'undefined' is not assignable to type 'Awaitable<readonly object[]>'
app.get('/', json(), rows, () => 7) // error: Type 'number' is not assignable to type 'Awaitable<readonly object[]>'
app.get('/', rows, json(), () => 7)

// A stack adds, needs and takes what its members do.
app.get('/', stack(signedIn, json(), adds('a')), ctx => ctx.user.name + ctx.a)
app.get('/', stack(signedIn, admin), ctx => ctx.user)
app.get('/', stack(signedIn, stack(json(), admin)), ctx => ctx.user)
app.get('/', signedIn, stack(json(), admin), ctx => ctx.user)
app.get('/', stack(json(), admin), () => 1) // error: Property 'user' is missing
app.get('/', stack(admin, signedIn), () => 1) // error: Property 'user' is missing
app.get('/', stack(json(), rows), () => [])
app.get('/', stack(json(), rows), () => 1) // error: Type 'number' is not assignable to type 'Awaitable<readonly object[]>'
app.get('/', stack(rows, json()), () => 1)
app.get('/', stack(), () => 1)
export const named: Decorator<{ user: User }> = stack(signedIn, admin, json())
export const needing: Decorator<object, { user: User }> = stack(json(), admin)
export const wrong: Decorator = stack(json(), admin) // error: Property 'user' is missing in type 'BaseContext'

// A decorator is called, options or not; a Koa middleware is lifted; the handler goes last.
app.get('/', json, () => 1) // error: Property '[parts]' is missing in type '(options?: JsonOptions
app.get('/', signedIn, json, () => 1) // error: Property '[parts]' is missing in type '(options?: JsonOptions
app.get('/', stack(json), () => 1) // error: Property '[parts]' is missing in type '(options?: JsonOptions
app.get('/', bodyParser(), () => 1) // error: Property '[parts]' is missing in type 'Middleware<
app.post('/', middleware(bodyParser()), ctx => ctx.request.body)
app.get('/', json()) // error: is not assignable to parameter of type 'Handler<
app.get('/', signedIn, json()) // error: is not assignable to parameter of type 'Handler<
app.get('/') // error: Expected 2-10 arguments, but got 1
app.get('/', 7) // error: Argument of type 'number' is not assignable to parameter of type 'Handler<
json({ prety: true }) // error: 'prety' does not exist in type 'JsonOptions'. Did you mean to write 'pretty'?
