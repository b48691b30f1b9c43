import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { debugPage } from './debug-page.ts'
import { type Problem, problem, toDocument, toError, toProblem } from './problem.ts'
import { Reply } from './reply.ts'
import { respond } from './respond.ts'
import { unreachedIn } from './unreached.ts'
import { isResponse } from './web.ts'

/** A class of errors. */
export type ErrorClass<E extends Error = Error> = abstract new (...args: never) => E

type Handler = (error: never, ctx: BaseContext) => unknown

/** An error, and the problem that it is to the client. */
export interface Refusal {
  readonly error: Error
  readonly problem: Problem
}

/** What becomes of whatever is thrown: the answer of `app.onError`, or a problem document (RFC 9457). */
export class Rescue {
  readonly #handlers = new Map<unknown, Handler>()
  readonly #broken = new WeakMap<BaseContext, Error>()
  readonly #app: Kolba
  readonly #isUnreached: ReturnType<typeof unreachedIn>
  /** What `ctx.onerror` is, unless `app.context` has been given another. Without an error it does nothing, as in Koa. */
  readonly onerror: (this: BaseContext, error: unknown) => void

  constructor(app: Kolba) {
    this.#app = app
    this.#isUnreached = unreachedIn(app)
    const rescue = this
    this.onerror = function onerror(error) {
      if (error !== null && error !== undefined) rescue.last(this, toError(error))
    }
  }

  add(type: ErrorClass, handler: Handler): void {
    this.#handlers.set(type.prototype, handler)
  }

  /** Answers with what `app.onError` or RFC 9457 makes of an error. Koa logs it where the headers have gone out. */
  async from(ctx: BaseContext, thrown: unknown): Promise<void> {
    if (ctx.headerSent || !ctx.writable) {
      // Nobody hears it, but hooks ask what came of the request.
      ctx.status = toProblem(toError(thrown)).status
      throw toError(thrown)
    }
    ctx.respond = true
    removeBodyHeaders(ctx.res)
    const error = await this.unmapped(ctx, thrown)
    if (!error) return
    // Koa's apps change what errors look like by an `app.context.onerror` of their own.
    if (ctx.onerror !== this.onerror) return void ctx.onerror(error)
    await this.#write(ctx, toProblem(error), error)
    this.tell(error, ctx)
  }

  /** The error that is left where no `onError` has answered: the one that was thrown, or what a handler made of it. */
  async unmapped(ctx: BaseContext, thrown: unknown): Promise<Error | undefined> {
    try {
      return (await this.map(ctx, thrown)) ? undefined : toError(thrown)
    } catch (another) {
      // What it made another error of is not shown, and the log would know nothing of the first.
      if (another !== thrown && toProblem(toError(another)).status >= 500) this.tell(toError(thrown), ctx)
      return toError(another)
    }
  }

  /** The same with the problem that it comes to, for an answer that has others in it. Nothing is logged. */
  async problemOf(ctx: BaseContext, thrown: unknown): Promise<Refusal | undefined> {
    const error = await this.unmapped(ctx, thrown)
    return error && { error, problem: toProblem(error) }
  }

  /** The document of a problem, to be given as a value and not logged; undefined where `onError` or debug says more. */
  documentOf(ctx: BaseContext, refusal: Problem): string | undefined {
    if (this.#app.settings.debug || this.#handlerOf(refusal)) return undefined
    return JSON.stringify(toDocument(refusal, instanceOf(ctx), ctx.requestId))
  }

  /** A status without a body, as Koa middleware may leave it: the problem that the status says, with the headers set. There is no error to log. */
  async fromStatus(ctx: BaseContext): Promise<void> {
    const detail = this.#isUnreached(ctx, instanceOf(ctx)) ? undefined : DETAILS[ctx.status]?.(ctx)
    const refusal = problem(ctx.status, detail ? { detail } : {})
    const answer = await this.#answerOf(ctx, refusal)
    if (answer) return respond(ctx, answer)
    await this.#write(ctx, refusal, refusal)
  }

  /** Koa could not write the answer, or lost the connection: logs it, and sends the problem where nothing was sent yet. */
  last(ctx: BaseContext, error: Error): void {
    // Of a stream that breaks Koa hears twice: from the stream, and from the response that it took along.
    if (this.#broken.get(ctx) === error) return
    this.#broken.set(ctx, error)
    // Koa marks an error that no answer shows, and one that is frozen cannot be.
    if (ctx.headerSent || !ctx.writable) Reflect.set(error, 'headerSent', true)
    // Work that ends because its client has gone does what ctx.signal is for.
    if (error.name !== 'AbortError' || ctx.writable) this.tell(error, ctx)
    const { res } = ctx
    // One that comes behind a whole answer must not take it along; half of one must not look whole.
    if (res.writableEnded) return
    if (res.headersSent || !ctx.writable) return void res.destroy()
    const refusal = toProblem(error)
    removeBodyHeaders(res)
    const document = JSON.stringify(toDocument(refusal, instanceOf(ctx), ctx.requestId))
    const headers = { 'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(document) }
    // The phrase stands there still of the status that was set first.
    res.writeHead(refusal.status, STATUS_CODES[refusal.status] ?? 'unknown', headers).end(document)
  }

  /**
   * Answers by the handler of the error's class, or of the nearest class above it.
   *
   * @returns whether it has answered
   * @throws what the handler throws, and an error that it returns
   */
  async map(ctx: BaseContext, thrown: unknown): Promise<boolean> {
    const error = toError(thrown)
    const answer = await this.#answerOf(ctx, error)
    if (!answer) return false
    respond(ctx, answer)
    if (ctx.status >= 500) this.tell(error, ctx)
    return true
  }

  /** The status that an error would be answered with. The answer itself goes nowhere, and nothing is logged. */
  async statusOf({ req, requestId, route, state }: BaseContext, thrown: unknown): Promise<number> {
    const copy = this.#app.createContext(req, new ServerResponse(req)) as unknown as BaseContext
    const error = toError(thrown)
    try {
      const answer = await this.#answerOf(Object.assign(copy, { requestId, route, state }), error)
      return (answer ?? toProblem(error)).status
    } catch (another) {
      return toProblem(toError(another)).status
    }
  }

  async #answerOf(ctx: BaseContext, error: Error): Promise<Reply | Response | undefined> {
    const handler = this.#handlerOf(error)
    if (!handler) return
    const value = await handler(error as never, ctx)
    if (value instanceof Error) throw value
    if (value === undefined || value instanceof Reply || isResponse(value)) return value
    return new Reply(toProblem(error).status, value)
  }

  /** That of the error's class, or of the nearest class above it. */
  #handlerOf(error: Error): Handler | undefined {
    let type = Object.getPrototypeOf(error)
    while (type && !this.#handlers.has(type)) type = Object.getPrototypeOf(type)
    return this.#handlers.get(type)
  }

  /** Emits the error. A listener that fails is logged, and the request is answered all the same. */
  tell(error: Error, ctx: BaseContext): void {
    try {
      this.#app.emit('error', error, ctx)
    } catch (another) {
      try {
        this.#app.onerror(toError(another), ctx)
      } catch {
        process.emitWarning(toError(another))
      }
    }
  }

  async #write(ctx: BaseContext, refusal: Problem, error: Error): Promise<void> {
    const debug = this.#app.settings.debug
    const page = debug && refusal.status >= 500 && (await debugPage(ctx, error))
    const document = toDocument(refusal, instanceOf(ctx), ctx.requestId, debug ? error : undefined)
    respond(ctx, new Reply(refusal.status, page || JSON.stringify(document), refusal.headers))
    ctx.type = page ? 'html' : 'application/problem+json'
  }
}

const DETAILS: Record<number, (ctx: BaseContext) => string> = {
  404: () => 'Nothing is at this path.',
  405: ctx => `This path takes ${ctx.response.get('Allow')}.`,
}

const ABOUT_THE_BODY =
  /^(?:content-(?!security-policy)|transfer-encoding$|trailer$|etag$|last-modified$|cache-control$|expires$|age$|accept-ranges$|location$|link$|(?:repr-)?digest$|retry-after$|refresh$)/

/** What was said of a body that will not be sent goes. Cookies, security headers, CORS and Vary stay. */
function removeBodyHeaders(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (ABOUT_THE_BODY.test(name)) res.removeHeader(name)
}

/**
 * The path of the request, where it is not longer than the rest of the document. Of a URL that a middleware has written,
 * Koa may find none, or throw, and here nobody would catch that.
 */
function instanceOf(ctx: BaseContext): string | undefined {
  try {
    const path: string | null = ctx.path
    return path !== null && path.length <= 1024 ? path : undefined
  } catch {
    return undefined
  }
}
