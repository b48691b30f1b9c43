import { type Around, type BaseContext, type Decorator, decorator, type Next, type Route } from 'kolba'
import { app, type User } from './given.ts'
import { same } from './same.ts'

const ada: User = { name: 'Ada', admin: true }

// What it adds, needs and takes is read from the annotations.
const passing = decorator('passing', (_ctx, next) => next())
same<typeof passing, Decorator>(true)
const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ user: ada }))
same<typeof signedIn, Decorator<{ user: User }>>(true)
const admin = decorator('admin', (ctx: { user: User }, next: Next) => (ctx.user.admin ? next() : null))
same<typeof admin, Decorator<object, { user: User }>>(true)
const lengthOf = decorator('lengthOf', async (_ctx, next: Next<object, string>) => (await next()).length)
same<typeof lengthOf, Decorator<object, BaseContext, string>>(true)
const named = decorator('named', (ctx: BaseContext & { user: User }, next: Next<{ n: number }>) => {
  ctx.set('X-User', ctx.user.name)
  return next({ n: 1 })
})
same<typeof named, Decorator<{ n: number }, { user: User }>>(true)

// Or from type arguments.
decorator<{ user: User }>('signedIn', (ctx, next) => next({ user: { ...ada, name: ctx.requestId } }))
decorator<{ n: number }, { user: User }>('n', (ctx, next) => next({ n: ctx.user.name.length + ctx.path.length }))
decorator<object, BaseContext, string>('length', async (_ctx, next) => (await next()).length)

// It sees parameters of any route, all strings.
decorator('id', ctx => same<typeof ctx.params.id, string | undefined>(true))

// `next` is called with what the decorator adds, all of it and nothing else.
decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next()) // error: Expected 1 arguments, but got 0
decorator<{ user: User }>('signedIn', (_ctx, next) => next()) // error: Expected 1 arguments, but got 0
decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({})) // error: Property 'user' is missing in type '{}'
decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ usr: ada })) // error: 'usr' does not exist in type
decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ user: 7 })) // error: Type 'number' is not assignable
decorator('maybe', (_ctx, next: Next<{ user?: User }>) => next())
decorator('length', (_ctx, next: Next<object, string>) => next().length) // error: Property 'length' does not exist
decorator('user', (ctx, next) => (ctx.user ? next() : null)) // error: Property 'user' does not exist

// Options.
decorator('noted', (_ctx, next) => next(), { note: { summary: 'Noted', responses: { 304: { description: 'Same' } } } })
decorator('noted', (_ctx, next) => next(), { note: route => ({ summary: route.path }) })
decorator('noted', (_ctx, next) => next(), { note: { summary: 7 } }) // error: Type 'number' is not assignable to type 'string'
decorator('noted', (_ctx, next) => next(), { nota: {} }) // error: 'nota' does not exist in type 'DecoratorOptions
decorator('looking', (_ctx, next) => next(), { register: route => void same<typeof route, Route>(true) })
decorator('looking', (_ctx, next) => next(), { register: route => (route.name ? pass : undefined) })
const pass: Around = (_ctx, next) => next()
decorator('nothing') // error: Expected 2-3 arguments, but got 1
decorator(7, (_ctx, next) => next()) // error: Argument of type 'number' is not assignable to parameter of type 'string'

// Written where it stands.
app.get('/:id', inline(), ctx => ctx.n.toFixed() + ctx.params.id)
app.get(
  '/:id',
  decorator('inline', (_ctx, next: Next<{ n: number }>) => next({ n: 1 })),
  ctx => ctx.n.toFixed() + ctx.params.id,
)
function inline() {
  return decorator('inline', (_ctx, next: Next<{ n: number }>) => next({ n: 1 }))
}
