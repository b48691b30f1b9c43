import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { type BaseContext, kolba, problem } from 'kolba'
import { json } from 'kolba/json'
import { requestLog } from 'kolba/request-log'
import { admin, app, signedIn } from './given.ts'
import { same } from './same.ts'

// A kolba app is a Koa app, and takes Koa middleware and decorators.
export const koa: Koa = app
app.use(bodyParser())
app.use(async (ctx, next) => {
  ctx.body = ctx.path
  await next()
})
app.use(requestLog())
app.use(signedIn).use(json())
app.use(7) // error: Argument of type 'number' is not assignable
app.use(admin) // error: Argument of type 'Decorator<object, { user: User; }, unknown>' is not assignable
new Koa().use((ctx, next) => next().then(() => app.callback()(ctx.req, ctx.res)))

// An error handler has the error's own class.
class BookMissing extends Error {
  constructor(readonly isbn: string) {
    super(isbn)
  }
}
abstract class ShopError extends Error {
  abstract readonly shop: number
}
app.onError(BookMissing, error => problem(404, { isbn: error.isbn }))
app.onError(BookMissing, error => same<typeof error, BookMissing>(true))
app.onError(BookMissing, (_error, ctx) => same<typeof ctx, BaseContext>(true))
app.onError(ShopError, error => error.shop)
app.onError(Error, error => error.isbn) // error: Property 'isbn' does not exist on type 'Error'
app.onError(Date, () => 1) // error: Argument of type 'DateConstructor' is not assignable to parameter of type 'ErrorClass<Error>'
app.onError('BookMissing', () => 1) // error: Argument of type 'string' is not assignable to parameter of type 'ErrorClass
app.onError(new BookMissing('7'), () => 1) // error: Argument of type 'BookMissing' is not assignable to parameter of type

app.before(ctx => same<typeof ctx, BaseContext>(true))
app.after(ctx => ctx.set('X-After', ctx.requestId))

kolba({ debug: true, timeouts: { handler: 1 }, proxy: ['10.0.0.0/8'] })
kolba({ debugg: true }) // error: 'debugg' does not exist in type 'KolbaOptions'. Did you mean to write 'debug'?
kolba({ debug: 1 }) // error: Type 'number' is not assignable to type 'boolean | undefined'
kolba({ timeouts: { handlr: 1 } }) // error: 'handlr' does not exist in type 'Partial<Timeouts>'
kolba({ debug: undefined }) // error: is not assignable to parameter of type 'KolbaOptions' with 'exactOptionalPropertyTypes
