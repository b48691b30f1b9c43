import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'

// Koa makes three objects for each request and gives them one property after another. Here a context has one shape from
// its first moment, and `ctx.request` and `ctx.response` are made when somebody asks for them, with the prototypes that
// Koa gives them, so that all that an app has added there is found. While nobody has asked for the response, all that is
// known of the answer is the value of the route, which can then be written in one go.

const self = Symbol('self')
const theReq = Symbol('req')
const theRes = Symbol('res')
const theRequest = Symbol('request')
const theResponse = Symbol('response')
const given = Symbol('given')

/** Where the route has given nothing. */
const NOTHING = Symbol('nothing')

/** A context, with what is behind its accessors. */
export interface Shaped extends BaseContext {
  /** The context itself, for one that inherits from it. */
  [self]: Shaped
  /** Those that it was made for, whatever `ctx.req` is by now. */
  [theReq]: IncomingMessage
  [theRes]: ServerResponse
  [theRequest]: Koa.Request | undefined
  [theResponse]: Koa.Response | undefined
  [given]: unknown
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
    this[given] = NOTHING
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

  /** Somebody wants the response: what has been said of the answer so far goes there. */
  function open(ctx: Shaped): Koa.Response {
    const response: Koa.Response = make(Response, ctx)
    ctx[theResponse] = response
    const res = ctx[theRes]
    if (!res.headersSent) {
      // As Koa begins, until somebody answers.
      res.statusCode = 404
      if (ctx.requestId) res.setHeader('X-Request-Id', ctx.requestId)
    }
    const value = ctx[given]
    ctx[given] = NOTHING
    if (value !== NOTHING) respond(ctx, value)
    return response
  }

  refresh()
  access(
    app.context,
    'request',
    ({ [self]: ctx }: Shaped) => {
      ctx[theRequest] ??= make(Request, ctx)
      return ctx[theRequest]
    },
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theRequest] = value as Koa.Request
    },
  )
  access(
    app.context,
    'response',
    ({ [self]: ctx }: Shaped) => ctx[theResponse] ?? open(ctx),
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theResponse] = value as Koa.Response
    },
  )
  // Whoever writes there by hand finds what has been said of the answer already.
  access(
    app.context,
    'res',
    (ctx: Shaped) => ctx.response && ctx[self][theRes],
    ({ [self]: ctx }: Shaped, value) => {
      ctx[theRes] = value as ServerResponse
    },
  )
  access(app.request, 'response', ({ ctx }: { ctx: Shaped }) => ctx.response)
  access(app.request, 'res', ({ ctx }: { ctx: Shaped }) => ctx.res)
  access(app.response, 'request', ({ ctx }: { ctx: Shaped }) => ctx.request)

  return (req, res) => {
    if (Context.prototype !== app.context || Request.prototype !== app.request || Response.prototype !== app.response)
      refresh()
    return make(Context, req, res)
  }
}

function make<T>(type: unknown, ...args: unknown[]): T {
  return new (type as new (...args: unknown[]) => T)(...args)
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
 * Keeps the value of a route, to be written in one go, while nobody wants the response.
 *
 * @returns whether it did: the context may be that of another Koa app, on which this one is mounted
 */
export function keep(ctx: BaseContext, value: unknown): boolean {
  const its = (ctx as Shaped)[self]
  if (!its || its[theResponse] || its[given] !== NOTHING) return false
  its[given] = value
  return true
}

/** What was given, and where to write it, where nobody has asked for the response. */
export function untouched(ctx: BaseContext): { readonly value: unknown; readonly res: ServerResponse } | undefined {
  const its = (ctx as Shaped)[self]
  if (!its || its[theResponse] || its[given] === NOTHING) return undefined
  return { value: its[given], res: its[theRes] }
}

/** What went wrong is the answer now, in place of what was given. */
export function takeBack(ctx: BaseContext): void {
  const its = (ctx as Shaped)[self]
  if (its && !its[theResponse]) its[given] = NOTHING
}

/** The response, where somebody has asked for it: before that nobody has set anything on it. */
export function responseOf(ctx: BaseContext): Koa.Response | undefined {
  const its = (ctx as Shaped)[self] as Shaped | undefined
  return its && its[given] === NOTHING ? its[theResponse] : ctx.response
}
