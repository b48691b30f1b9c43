import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { BaseContext } from './context.ts'
import { type Fields, fieldIn, putField } from './fields.ts'
import { isPlainValue, knownHeader } from './known-header.ts'
import { Reply } from './reply.ts'

// What a context knows of its answer before anybody wants a response of Koa's or Node's: the value of the route, and
// headers. `src/koa-context.ts` makes contexts of this shape, and `src/write-at-once.ts` writes such an answer.

export const self = Symbol('self')
export const theReq = Symbol('req')
export const theRequest = Symbol('request')
export const theResponse = Symbol('response')
/** The URL, where the guard has found nothing in it to look at twice, and its path. */
export const target = Symbol('target')
export const targetPath = Symbol('targetPath')
/** The path that a route was found by, where it may be another than what was asked for. */
export const routed = Symbol('routed')
/** How far a route is whose handler has made a promise: that promise, while it is waited for. */
export const progress = Symbol('progress')

/** The value of the route, and where to write it. */
export const given = Symbol('given')
export const theRes = Symbol('res')
/** Has somebody had the response in hand, Koa's or Node's? Until then headers are kept here. */
export const isOpen = Symbol('isOpen')
export const fields = Symbol('fields')

/** Where the route has given nothing. */
export const NOTHING = Symbol('nothing')

/** A context, with what is behind its accessors. */
export interface Shaped extends BaseContext {
  /** The context itself, for one that inherits from it. */
  [self]: Shaped
  /** Those that it was made for, whatever `ctx.req` is by now. */
  [theReq]: IncomingMessage
  [theRes]: ServerResponse
  [theRequest]: Koa.Request | undefined
  [theResponse]: Koa.Response | undefined
  [target]: string | undefined
  [targetPath]: string | undefined
  [routed]?: string
  [isOpen]: boolean
  [fields]: Fields | undefined
  [given]: unknown
  [progress]: PromiseLike<unknown> | 'over' | 'late' | 'left' | undefined
  params: unknown
  _matchedRoute: string | undefined
}

/**
 * Keeps the value of a route, to be written in one go, unless somebody has answered otherwise, or may hold a response in
 * which he expects to find it: a middleware of `app.use` may, and what stands in a stack is done.
 *
 * @returns whether it did: the context may be that of another Koa app, on which this one is mounted
 */
export function keep(ctx: BaseContext, value: unknown): boolean {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  if (!its || its[given] !== NOTHING) return false
  if (its[isOpen] && (its.app.middleware.length > 1 || isSaid(its))) return false
  its[given] = value
  return true
}

function isSaid({ [theResponse]: response, [theRes]: res }: Shaped): boolean {
  const { _explicitStatus: isSet, body } = (response ?? {}) as Partial<Koa.Response> & { _explicitStatus?: boolean }
  return isSet === true || body !== undefined || res.statusCode !== 404 || res.headersSent
}

/**
 * Has a server in front of the app's callback begun the answer, or does it wait for the end? It may have set headers, put
 * a `writeHead` of its own there, or want to read headers when all is sent, where Node finds those of `setHeader` alone.
 */
export function isSharedWithAnother(ctx: BaseContext): boolean {
  const { [theRes]: res } = ctx as Shaped
  // Node listens for the end itself.
  return (
    res.getHeaderNames().length > 0 ||
    res.writeHead !== Object.getPrototypeOf(res).writeHead ||
    res.listenerCount('finish') > 1
  )
}

/** The headers that are kept, the id of the request first. */
export function fieldsOf(its: Shaped): Fields {
  its[fields] ??= its.requestId ? ['X-Request-Id', its.requestId] : []
  return its[fields]
}

/**
 * Keeps a header, in the place of one that is kept already, where nobody needs Koa's response for it.
 *
 * @returns whether it did
 * @throws TypeError for what no header may be
 */
export function keepHeader(ctx: BaseContext, name: unknown, value: unknown): boolean {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  if (!its || its[isOpen] || its[theRes].headersSent) return false
  // Koa knows what to do with a list and a number, and sets nothing by no name.
  if (typeof name !== 'string' || typeof value !== 'string' || name === '') return false
  const known = knownHeader(name)
  // The first two Koa sets by the body, and the last stands against those that the route has given.
  if (known.kind === 'type' || known.kind === 'length' || its[given] instanceof Reply || !isPlainValue(value, known))
    return false
  putField(fieldsOf(its), name, value)
  return true
}

/** A header of the answer as `ctx.res.getHeader` has it, without making a response for that. */
export function headerOn(ctx: BaseContext, name: string): number | string | string[] | undefined {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  if (!its || its[isOpen] || its[given] instanceof Reply) return ctx.res.getHeader(name)
  return its[fields] && fieldIn(its[fields], name)
}

/** Is it a context of kolba's, and not that of a plain Koa app? */
export function isOwn(ctx: BaseContext): boolean {
  return (ctx as Partial<Shaped>)[self] !== undefined
}

/** The context with the value that is kept, where one is. */
export function kept(ctx: BaseContext): Shaped | undefined {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  return its && its[given] !== NOTHING ? its : undefined
}

/** What went wrong is the answer now, in place of what was given. */
export function takeBack(ctx: BaseContext): void {
  const its = kept(ctx)
  if (its) its[given] = NOTHING
}

/** Did time run out, or end what stands around the route? What is on ctx then is another answer than what the route gives. */
export function isOverruled(ctx: BaseContext): boolean {
  const { [progress]: its } = ctx as Shaped
  return its === 'late' || its === 'left'
}

/** The path that the route of a request was found by: a middleware may have changed `ctx.path`, and put it back since. */
export function routedPath(ctx: BaseContext): string {
  return (ctx as Partial<Shaped>)[routed] ?? ctx.path
}

/** The response of the route, where somebody has asked for it: before that nobody has set anything on it. */
export function responseOf(ctx: BaseContext): Koa.Response | undefined {
  if (isOverruled(ctx)) return undefined
  const its = (ctx as Shaped)[self] as Shaped | undefined
  return its && its[given] === NOTHING ? its[theResponse] : ctx.response
}
