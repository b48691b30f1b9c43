import type { IncomingMessage, ServerResponse } from 'node:http'
import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import {
  fields,
  fieldsOf,
  given,
  headerOn,
  isOpen,
  keepHeader,
  NOTHING,
  progress,
  type Shaped,
  self,
  target,
  targetPath,
  theReq,
  theRequest,
  theRes,
  theResponse,
} from './shaped.ts'

// Koa makes three objects for each request and gives them one property after another. Here a context has one shape from
// its first moment, and `ctx.request` and `ctx.response` are made when somebody asks for them, with the prototypes that
// Koa gives them, so that all that an app has added there is found. The value of the route is kept here, and is put on
// Koa's response when somebody looks for it there. Where nobody does, it is written in one go.

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
    this[target] = undefined
    this[targetPath] = undefined
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
      const all = fieldsOf(ctx)
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

  app.context.set = function (this: Shaped, name: string | object, value?: unknown) {
    const isKept = app.response.set === koas.set && keepHeader(this, name, value)
    if (!isKept) this.response.set(name as string, value as string)
  }
  app.context.append = function (this: Shaped, name: string, value: string | string[]) {
    const isKoas = app.response.append === koas.append && app.response.set === koas.set
    const isKept = isKoas && headerOn(this, name) === undefined && keepHeader(this, name, value)
    if (!isKept) this.response.append(name, value)
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
