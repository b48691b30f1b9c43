import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'

// Koa makes three objects for each request and gives them one property after another. Here a context has one shape from
// its first moment, and `ctx.request` and `ctx.response` are made when somebody asks for them, with the prototypes that
// Koa gives them, so that all that an app has added there is found. While nobody has asked for the response, all that is
// known of the answer is the value of the route, which can then be written in one go.

const self = Symbol('self')
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
  [theRes]: ServerResponse
  [theRequest]: Koa.Request | undefined
  [theResponse]: Koa.Response | undefined
  [given]: unknown
  params: unknown
  _matchedRoute: string | undefined
}

/**
 * How an app makes its contexts.
 *
 * @param respond puts a value on Koa's response
 */
export function contextsOf(
  app: Kolba,
  respond: (ctx: BaseContext, value: unknown) => void,
): (req: IncomingMessage, res: ServerResponse) => BaseContext {
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
    this[theRes] = res
    this[theRequest] = undefined
    this[theResponse] = undefined
    this[given] = NOTHING
  }
  function Request(this: Koa.Request, ctx: Shaped) {
    Object.assign(this, { app, req: ctx.req, ctx, originalUrl: ctx.originalUrl })
  }
  function Response(this: Koa.Response, ctx: Shaped) {
    Object.assign(this, { app, req: ctx.req, res: ctx[theRes], ctx })
  }
  Context.prototype = app.context
  Request.prototype = app.request
  Response.prototype = app.response
  const make = <T>(type: unknown, ...args: unknown[]): T => new (type as new (...args: unknown[]) => T)(...args)

  access(app.context, 'request', {
    get(this: Shaped) {
      const ctx = this[self]
      ctx[theRequest] ??= make(Request, ctx)
      return ctx[theRequest]
    },
    set(this: Shaped, value: Koa.Request) {
      this[self][theRequest] = value
    },
  })
  access(app.context, 'response', {
    get(this: Shaped) {
      const ctx = this[self]
      return ctx[theResponse] ?? open(ctx)
    },
    set(this: Shaped, value: Koa.Response) {
      this[self][theResponse] = value
    },
  })
  access(app.context, 'res', {
    get(this: Shaped) {
      // Whoever writes there by hand finds what has been said of the answer already.
      return this.response && this[self][theRes]
    },
    set(this: Shaped, value: ServerResponse) {
      this[self][theRes] = value
    },
  })
  const ofContext = (name: 'request' | 'response' | 'res') => ({
    get(this: { ctx: Shaped }) {
      return this.ctx[name]
    },
  })
  access(app.request, 'response', ofContext('response'))
  access(app.request, 'res', ofContext('res'))
  access(app.response, 'request', ofContext('request'))
  return (req, res) => make(Context, req, res)
}

function access(target: object, name: string, accessors: PropertyDescriptor): void {
  Object.defineProperty(target, name, { ...accessors, configurable: true })
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
