import { type BaseContext, type Context, stack } from 'kolba'
import { json } from 'kolba/json'
import { adds, admin, app, rows, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// A lambda at any depth knows what the decorators around it add.
signedIn(ctx => same<typeof ctx.user, User>(true))
json()(signedIn(ctx => same<typeof ctx.user, User>(true)))
signedIn(json()(ctx => same<typeof ctx.user, User>(true)))
signedIn(json()(adds('a')(json()(ctx => same<typeof ctx.user, User>(true)))))
signedIn(json()(adds('a')(json()(ctx => same<typeof ctx.a, number>(true)))))
signedIn(json()(ctx => ctx.requestId))
json()(ctx => ctx.user) // error: Property 'user' does not exist
signedIn(json()(ctx => ctx.users)) // error: Property 'users' does not exist

// In a route it knows the path too; in one of its own there is none, unless it is named.
app.get('/:id', signedIn(json()(ctx => ctx.user.name + ctx.params.id)))
app.get(
  '/:id',
  signedIn,
  json()(ctx => ctx.user.name + ctx.params.id),
)
app.get(
  '/:id',
  stack(signedIn, json())(ctx => ctx.user.name + ctx.params.id),
)
app.get(
  '/:id',
  json()(ctx => ctx.params.isbn), // error: Property 'isbn' does not exist on type '{ id: string; }'
)
json()(ctx => ctx.params) // error: Property 'params' does not exist
const show = signedIn(json()((ctx: Context<'/:id', { user: User }>) => ctx.user.name + ctx.params.id))
app.get('/:id', show)
app.get('/:isbn', show) // error: Property 'id' is missing in type '{ isbn: string; }'

// What is needed goes up to where it is added, or it is an error at the composed handler.
admin(ctx => ctx.user.admin && ctx.requestId)
json()(admin(json()(ctx => ctx.user.name)))
signedIn(json()(admin(ctx => ctx.user.name)))
const needing = json()(admin(ctx => ctx.user.name))
same<Parameters<typeof needing>[0], BaseContext & { user: User }>(true)
app.get('/', signedIn, needing)
app.get('/', signedIn(needing))
app.get('/', needing) // error: Property 'user' is missing
app.get('/', json(), needing) // error: Property 'user' is missing

// What a decorator takes is asked of the handler right below.
rows(() => [])
rows(async () => [{ id: 1 }])
signedIn(rows(ctx => [ctx.user]))
rows(() => 'text') // error: Type 'string' is not assignable to type 'Awaitable<readonly object[]>'
rows(async () => 'text') // error: Type 'Promise<string>' is not assignable to type 'Awaitable<readonly object[]>'
signedIn(rows(ctx => ctx.user.name)) // error: Type 'string' is not assignable to type 'Awaitable<readonly object[]>'
stack(json(), rows)(() => 1) // error: Type 'number' is not assignable to type 'Awaitable<readonly object[]>'
