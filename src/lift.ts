import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { type Around, type Decorator, isDecorator } from './decorator.ts'
import { fold, layersOf } from './fold.ts'
import { Reply } from './reply.ts'
import { give, respond } from './respond.ts'
import { METHODS } from './route.ts'
import { isResponse, isWebStream } from './web.ts'

/** A Koa middleware: what it answers stands on ctx, and no value comes back. */
export type Middleware = (ctx: BaseContext, next: () => Promise<void>) => unknown

/**
 * Makes a Koa middleware fit into a stack. It finds the value from below on `ctx.body`, with its status and headers;
 * what it leaves there goes up, the value itself where it left the body alone.
 *
 * @throws Error where the middleware calls `next()` twice, as Koa does
 */
export function lift(middleware: Middleware): Around {
  return async (ctx, next) => {
    let value: unknown
    let body: unknown
    let called = false
    await middleware(ctx, async () => {
      if (called) throw new Error('next() called multiple times')
      called = true
      value = await next()
      respond(ctx, value)
      body = ctx.body
    })
    // Nothing is no value to send again: Koa would make a 204 of whatever status the middleware has set.
    if (value === undefined || ctx.body !== body) return ctx.body ?? undefined
    if (value instanceof Reply || isResponse(value)) return asLeft(ctx, value)
    return isWebStream(value) ? body : value
  }
}

/** A reply with the status and the headers that ctx has now, so that it does not put back what the middleware changed. */
function asLeft(ctx: BaseContext, value: Reply | Response): Reply {
  const names = value instanceof Reply ? Object.keys(value.headers) : [...value.headers.keys()]
  const headers = names.filter(name => ctx.res.hasHeader(name)).map(name => [name, ctx.response.get(name)])
  // A web stream can be read once, and ctx has it in hand.
  const isWhole = value instanceof Reply && !isWebStream(value.body)
  return new Reply(ctx.status, isWhole ? value.body : ctx.body, Object.fromEntries(headers))
}

/** The other way: makes a decorator a Koa middleware, for `app.use`. The value from below is what stands on `ctx.body`. */
function lower(decorator: Decorator, app: Kolba): Middleware {
  const below = Symbol('below')
  const handler = async (ctx: BaseContext & { [below]: () => Promise<void> }) => {
    await ctx[below]()
    return ctx.body
  }
  const route = {
    methods: METHODS,
    path: '{/*rest}',
    name: undefined,
    decorators: [decorator],
    handler,
    notes: [],
    app,
    isUse: true,
  }
  const run = fold(layersOf([decorator], route), handler) as (ctx: BaseContext) => unknown
  return async (ctx, next) => {
    let isAbove = true
    const go = () => {
      isAbove = false
      return next()
    }
    const value = await run(Object.assign(ctx, { [below]: go }))
    // What has answered in the place of all below has given a value, as a route does.
    if (isAbove) return give(ctx, value)
    if (value !== ctx.body) respond(ctx, value)
  }
}

/**
 * What `app.use` is given, as a middleware: a decorator becomes one.
 *
 * @throws TypeError for what is neither
 */
export function toMiddleware(middleware: unknown, app: Kolba): Middleware {
  if (typeof middleware === 'string')
    throw new TypeError(
      `use: it takes no path. Say group('${middleware}', middleware(f)), with that of kolba/middleware.`,
    )
  if (typeof middleware !== 'function')
    throw new TypeError('use: this is no function. Give a Koa middleware, or a decorator.')
  if (isDecorator(middleware)) return lower(middleware, app)
  if (middleware.length > 2) throw new TypeError('use: this takes (req, res, next). A Koa middleware is (ctx, next).')
  return middleware as Middleware
}

/** Koa's `compose`, which an app may be given another of. */
export type Compose = (middleware: Koa.Middleware[]) => Middleware

export function composeOf(app: Koa): Compose {
  return (app as unknown as { compose: Compose }).compose
}

/** An app's middleware as one function, composed anew when there is more of it. */
export function composed(
  app: Koa,
  compose: Compose,
  choose = (middleware: Koa.Middleware[]) => middleware,
): Middleware {
  let run: Middleware | undefined
  let length = -1
  return (ctx, next) => {
    if (!run || length !== app.middleware.length) run = compose(choose(app.middleware))
    length = app.middleware.length
    return run(ctx, next)
  }
}
