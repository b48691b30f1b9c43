import type Koa from 'koa'
import { type Decorator, decorator, isDecorator, lift, type Middleware } from '../src/index.ts'

/**
 * Lifts a Koa middleware into a stack: it runs for this route alone, at its place among the decorators.
 *
 * The middleware finds the value from below on `ctx.body`, with its status and headers. What it leaves there goes up.
 * For all routes, `app.use(compress())` is Koa's own way and needs no lifting.
 *
 * @throws TypeError where it is not given a function, or is given a decorator
 * @example app.get('/report', middleware(compress()), () => report())
 */
export function middleware(koa: Middleware): Decorator
export function middleware<S, C>(koa: Koa.Middleware<Koa.DefaultState & S, Koa.DefaultContext & C>): Decorator
export function middleware(koa: unknown): Decorator {
  if (typeof koa !== 'function')
    throw new TypeError('middleware: this is no function. Give a Koa middleware, as in middleware(compress()).')
  if (isDecorator(koa)) throw new TypeError(`middleware: ${koa.name} is a decorator. Put it in the stack as it is.`)
  return decorator(koa.name || 'middleware', lift(koa as Middleware))
}
