import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { PathParams } from './path.ts'
import type { Route } from './route.ts'
import type { UrlOf } from './url.ts'

/** A value, or the promise of one. */
export type Awaitable<T> = T | PromiseLike<T>

/** What every handler and decorator finds on `ctx`: all of Koa's context, and a few nouns of kolba's. */
export interface BaseContext extends Koa.ParameterizedContext<Koa.DefaultState, object, unknown> {
  app: Kolba

  /** The id of this request: the client's `X-Request-Id` where it is well-formed, else a new one of 12 characters. */
  requestId: string

  /** The route that answers this request, as data. Undefined before routing and where no route fits. */
  route?: Route

  /**
   * Aborts when the client has gone, with an `AbortError`, which is not logged where a handler throws it, or when the
   * handler has taken longer than `timeouts.handler`. Made on first use; pass it on to whatever can stop: `fetch(url, { signal: ctx.signal })`.
   */
  readonly signal: AbortSignal

  /**
   * The absolute URL of an endpoint, from the scheme and host of this request; `app.url()` gives the path alone.
   *
   * It has Flask's name, `url_for`, because `ctx.url` is Koa's: the URL of the request, a string.
   *
   * @example ctx.urlFor(showBook, { id: 7 })   // 'https://api.example.com/books/7'
   */
  urlFor: UrlOf
}

/**
 * The context of a handler: the parameters of its path, and what the decorators above it add.
 *
 * @example
 * function show(ctx: Context<'/books/:id'>) { return ctx.params.id }
 * function mine(ctx: Context<'/me', { user: User }>) { return ctx.user }
 */
export type Context<Path extends string | object = Record<never, string>, Adds = unknown> = BaseContext & {
  params: Path extends string ? PathParams<Path> : Path
} & Adds

/** A handler: from a context to a value. */
export type Handler<C = never, R = unknown> = (ctx: C) => R
