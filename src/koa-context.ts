import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { type Fields, fieldIn, putField } from './fields.ts'
import { Reply } from './reply.ts'

// Koa makes three objects for each request and gives them one property after another. Here a context has one shape from
// its first moment, and `ctx.request` and `ctx.response` are made when somebody asks for them, with the prototypes that
// Koa gives them, so that all that an app has added there is found. The value of the route is kept here, and is put on
// Koa's response when somebody looks for it there. Where nobody does, it is written in one go.

const self = Symbol('self')
const theReq = Symbol('req')
const theRequest = Symbol('request')
const theResponse = Symbol('response')
/** How far a route is whose handler has made a promise. */
export const progress = Symbol('progress')

/** What `src/write-at-once.ts` has to know: the value of the route, and where to write it. */
export const given = Symbol('given')
export const theRes = Symbol('res')
/** Has somebody had the response in hand, Koa's or Node's? Until then headers are kept here. */
export const isOpen = Symbol('isOpen')
export const fields = Symbol('fields')

/** Where the route has given nothing. */
const NOTHING = Symbol('nothing')

/** Headers that Koa sets by the body: who sets one has something to say of it. */
const OF_THE_BODY = /^(?:content-(?:type|length)|transfer-encoding)$/i

/** A context, with what is behind its accessors. */
export interface Shaped extends BaseContext {
  /** The context itself, for one that inherits from it. */
  [self]: Shaped
  /** Those that it was made for, whatever `ctx.req` is by now. */
  [theReq]: IncomingMessage
  [theRes]: ServerResponse
  [theRequest]: Koa.Request | undefined
  [theResponse]: Koa.Response | undefined
  [isOpen]: boolean
  [fields]: Fields | undefined
  [given]: unknown
  [progress]: 'waiting' | 'over' | 'left' | undefined
  params: unknown
  _matchedRoute: string | undefined
}

type Half = Record<'app' | 'req' | 'res' | 'ctx' | 'originalUrl', unknown>

/**
 * How an app makes its contexts.
 *
 * @param respond puts a value on Koa's response
 */
export function contextsOf(
  app: Kolba,
  respond: (ctx: BaseContext, value: unknown) => void,
): (req: IncomingMessage, res: ServerResponse) => BaseContext {
  function Context(this: Shaped, req: IncomingMessage, res: ServerResponse) {
    this.app = app
    this.req = req
    this.originalUrl = req.url as string
    this.state = {}
    this.requestId = ''
    this.route = undefined as never
    this.params = undefined
    this._matchedRoute = undefined
    this[self] = this
    this[theReq] = req
    this[theRes] = res
    this[theRequest] = undefined
    this[theResponse] = undefined
    this[isOpen] = false
    this[fields] = undefined
    this[given] = NOTHING
    this[progress] = undefined
  }
  function Request(this: Half, ctx: Shaped) {
    this.app = app
    this.req = ctx[theReq]
    this.ctx = ctx
    this.originalUrl = ctx.originalUrl
  }
  function Response(this: Half, ctx: Shaped) {
    this.app = app
    this.req = ctx[theReq]
    this.res = ctx[theRes]
    this.ctx = ctx
  }

  /** Koa looks each time for what the app has there: somebody may have put others in their place. */
  function refresh(): void {
    Context.prototype = app.context
    Request.prototype = app.request
    Response.prototype = app.response
  }

  /** Somebody takes the response in hand: what has been said of the answer so far goes there. */
  function open(ctx: Shaped): void {
    const res = ctx[theRes]
    if (!ctx[isOpen] && !res.headersSent) {
      const all = ctx[fields] ?? idOf(ctx)
      for (let index = 0; index < all.length; index += 2) res.setHeader(all[index] as string, all[index + 1] as string)
      // As Koa begins, until somebody answers.
      res.statusCode = 404
    }
    ctx[isOpen] = true
    const value = ctx[given]
    if (value === NOTHING) return
    ctx[given] = NOTHING
    respond(ctx, value)
  }

  function responseFor(ctx: Shaped): Koa.Response {
    if (!ctx[isOpen] || ctx[given] !== NOTHING) open(ctx)
    ctx[theResponse] ??= new (Response as unknown as new (ctx: Shaped) => Koa.Response)(ctx)
    return ctx[theResponse]
  }

  refresh()
  access(
    app.context,
    'request',
    ({ [self]: ctx }: Shaped) => {
      ctx[theRequest] ??= new (Request as unknown as new (ctx: Shaped) => Koa.Request)(ctx)
      return ctx[theRequest]
    },
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theRequest] = value as Koa.Request
    },
  )
  access(
    app.context,
    'response',
    ({ [self]: ctx }: Shaped) => responseFor(ctx),
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theResponse] = value as Koa.Response
    },
  )
  // Whoever writes there by hand finds what has been said of the answer already.
  access(
    app.context,
    'res',
    ({ [self]: ctx }: Shaped) => {
      if (!ctx[isOpen] || ctx[given] !== NOTHING) open(ctx)
      return ctx[theRes]
    },
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theRes] = value as ServerResponse
    },
  )
  const koas = Object.getPrototypeOf(app.response)

  /** Keeps a header here, where nobody needs Koa's response for it. @returns whether it did */
  function keepHeader(ctx: Shaped | undefined, name: unknown, value: unknown): boolean {
    if (!ctx || ctx[isOpen] || ctx[theRes].headersSent) return false
    if (typeof name !== 'string' || typeof value !== 'string') return false
    // These are about the body, or stand against those that the route has given.
    if (OF_THE_BODY.test(name) || ctx[given] instanceof Reply || app.response.set !== koas.set) return false
    validateHeaderName(name)
    validateHeaderValue(name, value)
    ctx[fields] ??= idOf(ctx)
    putField(ctx[fields], name, value)
    return true
  }

  app.context.set = function (this: Shaped, name: string | object, value?: unknown) {
    if (!keepHeader(this[self], name, value)) this.response.set(name as string, value as string)
  }
  app.context.append = function (this: Shaped, name: string, value: string | string[]) {
    const isFirst = app.response.append === koas.append && headerOn(this, name) === undefined
    if (!isFirst || !keepHeader(this[self], name, value)) this.response.append(name, value)
  }
  access(app.request, 'response', ({ ctx }: { ctx: Shaped }) => ctx.response)
  access(app.request, 'res', ({ ctx }: { ctx: Shaped }) => ctx.res)
  access(app.response, 'request', ({ ctx }: { ctx: Shaped }) => ctx.request)

  return (req, res) => {
    if (Context.prototype !== app.context || Request.prototype !== app.request || Response.prototype !== app.response)
      refresh()
    return new (Context as unknown as new (req: IncomingMessage, res: ServerResponse) => Shaped)(req, res)
  }
}

function idOf({ requestId }: Shaped): Fields {
  return requestId ? ['X-Request-Id', requestId] : []
}

/** A property that is made when it is asked for. Where nothing else is said, what is put there stays there. */
function access<T extends object>(
  target: object,
  name: string,
  get: (its: T) => unknown,
  set: (its: T, value: unknown) => void = (its, value) =>
    Object.defineProperty(its, name, { value, writable: true, enumerable: true, configurable: true }),
): void {
  Object.defineProperty(target, name, {
    get(this: T) {
      return get(this)
    },
    set(this: T, value: unknown) {
      set(this, value)
    },
    configurable: true,
  })
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

/** A header of the answer as `ctx.res.getHeader` has it, without making a response for that. */
export function headerOn(ctx: BaseContext, name: string): number | string | string[] | undefined {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  if (!its || its[isOpen] || its[given] instanceof Reply) return ctx.res.getHeader(name)
  return its[fields] && fieldIn(its[fields], name)
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

/** The response, where somebody has asked for it: before that nobody has set anything on it. */
export function responseOf(ctx: BaseContext): Koa.Response | undefined {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  return its && its[given] === NOTHING ? its[theResponse] : ctx.response
}
