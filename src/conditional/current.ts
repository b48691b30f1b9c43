import { type IncomingMessage, ServerResponse } from 'node:http'
import type { BaseContext, Handler } from '../context.ts'
import { type Around, type Decorator, decorator } from '../decorator.ts'
import { fold, type Layer } from '../fold.ts'
import { Reply } from '../reply.ts'
import { statusOf } from '../respond.ts'
import type { Route } from '../route.ts'
import type { Endpoint } from '../router.ts'
import { discard, heeding } from '../streams.ts'
import { isResponse } from '../web.ts'
import { when } from '../when.ts'
import { resourceOf } from './resource.ts'

/** What a resource is now, as its GET route tells. */
export interface Reading {
  /** The value at the place in the stack that was asked for. */
  readonly value: unknown
  /** The context that GET had, whose answer goes nowhere. */
  readonly ctx: BaseContext
  /** The status it would be answered with. */
  readonly status: number
}

export interface CurrentOptions {
  /** What the request has run through already: GET does not run it again. */
  readonly passed: readonly Decorator[]
  /**
   * The place in GET's stack whose value is wanted: the innermost that fits, or above all where none does. None of those
   * that fit runs.
   */
  readonly isPlace: (decorator: Decorator) => boolean
  /** What stands in for GET's handler. It is given the parameters of the request's own route too, under their names. */
  readonly handler?: Handler | undefined
}

/**
 * Reads the resource at a path, the request's own by default, with other headers where they are given. Undefined where
 * the path has no GET, or one of something else: where GET alone answers at `/books/7.csv` too, a PUT there is of the
 * book `7.csv`, and what GET gives is the book 7.
 */
export type ReadCurrent = (
  ctx: BaseContext,
  other?: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> },
) => Promise<Reading | undefined>

const seen = Symbol('kolba.seen')
type Marked = BaseContext & { [seen]?: { value?: unknown } }

/** Is this a GET that another request makes, to learn what there is? Nothing kept from before will do then. */
export function isReading(ctx: BaseContext): boolean {
  return seen in ctx
}

/**
 * Makes what reads a resource as its own GET route would, within another request: a write that has to know what it
 * changes. The stack of GET runs without what the request has passed already, such as the same `signedIn`.
 */
export function currentReader({ passed, isPlace, handler }: CurrentOptions): ReadCurrent {
  const runs = new WeakMap<Endpoint, Handler<BaseContext>>()

  function prepare({ route, layers }: Endpoint): Handler<BaseContext> {
    const index = layers.findLastIndex(({ decorator, isAfterBody }) => !isAfterBody && isPlace(decorator))
    // Another place further up would take what it finds for what this one has made.
    const isNew = ({ decorator }: Layer) => !passed.includes(decorator) && !isPlace(decorator)
    const above = layers.slice(0, Math.max(index, 0)).filter(isNew)
    return fold(
      [...above, probe, ...layers.slice(index + 1)],
      heeding(handler ?? route.handler),
    ) as Handler<BaseContext>
  }

  return async (ctx, { path = ctx.path, headers = {} } = {}) => {
    const { endpoint, params } = ctx.app.match('GET', path)
    if (!endpoint || leadsElsewhere(ctx, path, endpoint.route, params)) return
    const run = runs.get(endpoint) ?? prepare(endpoint)
    runs.set(endpoint, run)
    const both = handler ? Object.assign(params, (ctx as { params?: object }).params) : params
    const copy: Marked = Object.assign(asGet(ctx, path, headers), { params: both, route: endpoint.route, [seen]: {} })
    try {
      const last = await run(copy)
      const value = 'value' in (copy[seen] as object) ? copy[seen]?.value : last
      if (value instanceof Error) throw value
      const its = value instanceof Reply || isResponse(value) ? value.status : undefined
      return { value: readable(ctx, value), ctx: copy, status: its ?? statusOf(copy) }
    } catch (error) {
      const status = await ctx.app.inside.statusOf(copy, error)
      if (status !== 404 && status !== 410) throw error
      return { value: undefined, ctx: copy, status }
    } finally {
      // For those that end something with the answer, which this one will never have.
      copy.res.emit('close')
    }
  }
}

/** A stream is let go. Of a Response one may want the text, for as long as the request takes that asks for it. */
function readable({ res }: BaseContext, value: unknown): unknown {
  const isUnread = isResponse(value) && !value.bodyUsed && !value.body?.locked
  const own = isUnread ? value.clone() : value
  discard(value)
  if (isUnread) res.once('close', () => discard(own))
  return own
}

function leadsElsewhere(ctx: BaseContext, path: string, route: Route, params: Record<string, string>): boolean {
  return path === ctx.path && ctx.route !== undefined && resourceOf(path, { route, params }) !== resourceOf(path, ctx)
}

const remember: Around = (ctx: Marked, next) =>
  when(next(), value => {
    ctx[seen] = { value }
    return value
  })
const probe: Layer = { decorator: decorator('reading', remember), around: remember }

const CONDITIONS = /^(?:if-|content-|transfer-encoding$|expect$|range$|prefer$)/

/** A context of this request as an unconditional GET, with all that stands on ctx by now. */
function asGet(ctx: BaseContext, path: string, other: Readonly<Record<string, string>>): BaseContext {
  const { app, req } = ctx
  const kept = Object.entries(req.headers).filter(([name]) => !CONDITIONS.test(name))
  const headers = { ...Object.fromEntries(kept), ...other }
  // Koa keeps what it has made of a URL on the request, and changes it there.
  const own = { method: 'GET', url: path === ctx.path ? req.url : path, headers, _parsedUrl: undefined }
  const request: IncomingMessage = Object.create(req, Object.getOwnPropertyDescriptors(own))
  const copy = app.createContext(request, new ServerResponse(request)) as unknown as BaseContext
  const added = Object.entries(ctx).filter(([name]) => !(name in app.reserved))
  Object.assign(copy, Object.fromEntries(added), { requestId: ctx.requestId, state: { ...ctx.state } })
  return Object.defineProperty(copy, 'signal', { get: () => ctx.signal })
}
