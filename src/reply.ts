import { Readable, Stream } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { show } from './check.ts'
import type { BaseContext, Handler } from './context.ts'
import { isPromise } from './when.ts'

/** Headers of a reply. A list is sent as one header line for each value. */
export type Headers = Readonly<Record<string, string | readonly string[]>>

/** A body with a status and headers. Made by `reply()`; a decorator on the way up may make another of it. */
export class Reply {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers

  constructor(status: number, body?: unknown, headers: Headers = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`reply: ${show(status)} is no status of a response. Give a whole number from 200 to 599.`)
    }
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/**
 * A value with a status and headers; a plain value is a body with 200.
 *
 * @param status 200 to 599, RFC 9110 section 15
 * @throws RangeError for another status
 * @example return reply(202, { state: 'queued' }, { 'Retry-After': '5' })
 */
export function reply(status: number, body?: unknown, headers?: Headers): Reply {
  return new Reply(status, body, headers)
}

/**
 * 201 with `Location` (RFC 9110 section 15.3.2), and the new resource as the body if you like.
 *
 * @example return created(app.url(showBook, { id: book.id }), book)
 */
export function created(url: string, body?: unknown): Reply {
  return new Reply(201, body, { Location: location(url) })
}

/** 204: done, and there is nothing to say (RFC 9110 section 15.3.5). Returning `null` is the same. */
export function noContent(): Reply {
  return new Reply(204)
}

/**
 * A redirect: 302 unless another status is given (RFC 9110 section 15.4). 307 and 308 keep the method and the body.
 *
 * @throws RangeError for a status that is no redirect
 */
export function redirect(url: string, status: 301 | 302 | 307 | 308 = 302): Reply {
  if (![301, 302, 307, 308].includes(status))
    throw new RangeError(`redirect: ${show(status)} is no status for it. Give 301, 302, 307 or 308 after the URL.`)
  return new Reply(status, undefined, { Location: location(url) })
}

/** 303: the answer is at another URL, to be fetched with GET (RFC 9110 section 15.4.4). */
export function seeOther(url: string): Reply {
  return new Reply(303, undefined, { Location: location(url) })
}

/** Only what a URI may hold goes into the header; the rest is percent-encoded, line breaks included. */
function location(url: string): string {
  if (typeof url !== 'string')
    throw new TypeError(`Location: ${show(url)} is no URL. Give a string, app.url(handler, params).`)
  return url.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

/**
 * Puts a value on Koa's context, where Koa writes it from. Undefined leaves the context as it is, for a handler that
 * has answered there in Koa's way.
 *
 * @throws the value, where it is an error
 */
export function respond(ctx: BaseContext, value: unknown): void {
  if (value instanceof Reply) return respondWithReply(ctx, value)
  if (value instanceof Response) return respondWithResponse(ctx, value)
  if (value === undefined) return
  // A problem that is returned and not thrown must not go out as a 200 that shows what is in it.
  if (value instanceof Error) throw value
  // A string is text. Koa would look for a `<` and call it HTML, which lets a client's input become a page.
  if (typeof value === 'string' && !ctx.res.hasHeader('Content-Type')) ctx.type = 'text'
  if (value === null) ctx.remove('Content-Type')
  ctx.body = typeof value === 'object' ? plain(ctx, value) : value
}

/** The status that a value goes out with when it has none of its own: the one that was set on ctx, else 200. */
export function statusOf(ctx: BaseContext): number {
  return isStatusSet(ctx) ? ctx.status : 200
}

/** Koa begins with 404, and keeps here whether anybody has said so. */
export function isStatusSet({ response }: BaseContext): boolean {
  return (response as { _explicitStatus?: boolean })._explicitStatus === true
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'])

/**
 * Of a response that `fetch` gave, what was about that connection (RFC 9110 section 7.6.1), and the coding and length
 * of bytes that `fetch` has decoded.
 */
function endsHere(name: string, { url, headers }: Response): boolean {
  if (url === '') return false
  if (name === 'content-encoding' || name === 'content-length') return headers.has('content-encoding')
  return HOP_BY_HOP.has(name)
}

/** What an async generator gives piece by piece is a stream. */
function piecesOf(value: object | null): unknown {
  const isPieces = value !== null && Symbol.asyncIterator in value && !(value instanceof Stream)
  return isPieces ? Readable.from(value as AsyncIterable<unknown>) : value
}

/** Bytes as Koa knows them. Web streams become Node's, so that one that fails at the start is still an error. */
function plain(ctx: BaseContext, value: object | null): unknown {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const stream = value instanceof ReadableStream ? Readable.fromWeb(value as NodeReadableStream) : piecesOf(value)
  heed(stream)
  if (stream instanceof Stream) destroyWhenIdle(ctx)
  return stream
}

/**
 * A handler whose streams may fail while the decorators above it are still at work: an error that nobody listens to
 * ends the process, and `firstByte` finds it later all the same. One that they do not send is let go in the end.
 */
export function heeding(handler: Handler): Handler {
  return (ctx: BaseContext) => {
    const value = handler(ctx as never)
    if (isPromise(value))
      value.then(
        value => lend(ctx, value),
        () => {},
      )
    else lend(ctx, value)
    return value
  }
}

function lend({ res }: BaseContext, value: unknown): void {
  if (!streamOf(value)) return
  heed(value)
  res.once('close', () => discard(value))
}

function heed(value: unknown): void {
  streamOf(value)?.on('error', () => {})
}

/** Lets go of a value that comes too late to be sent: a stream may hold a file open, and may fail. */
export function discard(value: unknown): void {
  heed(value)
  streamOf(value)?.destroy?.()
}

function streamOf(value: unknown): (Stream & { destroy?: () => void }) | undefined {
  const body = value instanceof Reply ? value.body : value
  return body instanceof Stream ? body : undefined
}

/** Has ctx been answered in Koa's way, by its body or by hand? */
export function isAnswered(ctx: BaseContext): boolean {
  return ctx.respond === false || ctx.body !== undefined || ctx.headerSent || ctx.status !== 404
}

function respondWithReply(ctx: BaseContext, { status, body, headers }: Reply): void {
  ctx.status = status
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value as string | string[])
  respond(ctx, body ?? null)
  // Koa makes every empty body a 204.
  ctx.status = status
}

function respondWithResponse(ctx: BaseContext, response: Response): void {
  ctx.status = response.status
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !endsHere(name, response)) ctx.set(name, value)
  }
  for (const cookie of response.headers.getSetCookie()) ctx.append('Set-Cookie', cookie)
  ctx.body = plain(ctx, response.body)
  ctx.status = response.status
}

/** A reader that takes nothing for `timeouts.stream` seconds loses its connection. */
export function destroyWhenIdle({ app, res }: BaseContext): void {
  res.setTimeout(app.settings.timeouts.stream * 1000, () => res.destroy())
}

/** Waits until a stream has something to send, so that one that fails at the start is an error and not half an answer. */
export function firstByte(stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(stream.errored ?? new Error('The stream was closed before its first byte.'))
    if (stream.readableEnded) return resolve()
    if (stream.destroyed) return fail()
    if (stream.readableLength > 0) return resolve()
    const done = (error?: unknown) => {
      for (const name of ['readable', 'error', 'close']) stream.off(name, done)
      if (error instanceof Error) reject(error)
      else stream.destroyed && !stream.readableEnded ? fail() : resolve()
    }
    // An empty stream is readable too, once.
    for (const name of ['readable', 'error', 'close']) stream.on(name, done)
  })
}
