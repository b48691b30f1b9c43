import type { EventEmitter } from 'node:events'
import { pipeline, Readable, Stream } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { BaseContext } from './context.ts'
import { isClosed, streamOf } from './http2.ts'
import { nameOf } from './route.ts'
import { destroyWhenIdle, isOfObjects, onlyPieces } from './streams.ts'
import { isResponse, isWebStream } from './web.ts'

/** Has an answer of this status no body? RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
export function isEmpty(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}

/**
 * Writes the answer that stands on ctx. It does what Koa's own writer does, which cannot be called from outside, and
 * leaves out what costs most there: listening for the end of every response, which only streams need.
 *
 * @throws TypeError for a body that JSON cannot hold
 */
export function write(ctx: BaseContext): void {
  const { res, status, body } = ctx
  if (ctx.respond === false) return
  if (!ctx.writable || isClosed(res)) return void res.end()
  if (isEmpty(status)) {
    ctx.body = null
    return void res.end()
  }
  if (ctx.method === 'HEAD') return writeHead(ctx)
  if (body === null || body === undefined) return writeNothing(ctx)
  if (typeof body === 'string' || Buffer.isBuffer(body)) return end(ctx, body)
  const stream = toStream(body)
  if (stream) return send(ctx, stream)
  const text = toJson(ctx, body)
  if (!res.headersSent) ctx.length = Buffer.byteLength(text)
  end(ctx, text)
}

function send(ctx: BaseContext, stream: NodeJS.ReadableStream): void {
  // The client of an event stream waits for the headers, and the first event may be long in coming.
  if (ctx.type === 'text/event-stream') ctx.flushHeaders()
  // pipeline and Koa listen for its end a dozen times between them.
  ctx.res.setMaxListeners(20)
  let hasLeft = false
  // Before pipeline and Koa listen, because they destroy the stream then. A client that has gone is no error of ours,
  // and one that has all its bytes may go before the stream says that it has ended.
  const leave = () => {
    hasLeft ||= !(stream as Readable).destroyed
  }
  const stop = onLoss(ctx, leave)
  ctx.res.once('close', () => {
    leave()
    stop()
  })
  const fail = (error?: NodeJS.ErrnoException | null) => {
    // The response had all of the stream, and the client has not.
    hasLeft ||= (stream as Readable).readableEnded && error?.code === 'ERR_STREAM_PREMATURE_CLOSE'
    if (error && !hasLeft) ctx.onerror(error)
  }
  if (isOfObjects(stream)) pipeline(stream, onlyPieces(), ctx.res, fail)
  else pipeline(stream, ctx.res, fail)
}

/** Listens for the end of the connection before all others: a write may fail long before the response knows of it. */
function onLoss({ res }: BaseContext, listener: () => void): () => void {
  // HTTP/2 has one socket for all, and a stream for each.
  const line: EventEmitter | null = streamOf(res) ?? res.socket
  const names = streamOf(res) ? ['aborted'] : ['error', 'close']
  for (const name of names) line?.prependListener(name, listener)
  return () => {
    for (const name of names) line?.off(name, listener)
  }
}

/** What the system does not take at once waits for the reader, as a stream does. */
function end(ctx: BaseContext, body: string | Buffer): void {
  ctx.res.end(body)
  if (ctx.res.socket?.writableNeedDrain) destroyWhenIdle(ctx)
}

/** @throws TypeError for what JSON cannot hold, with the route. */
export function toJson(ctx: BaseContext, body: unknown): string {
  let cause: unknown
  try {
    const text: string | undefined = JSON.stringify(body)
    if (text !== undefined) return text
  } catch (error) {
    cause = error
  }
  const where = ctx.route ? nameOf(ctx.route) : `${ctx.method} ${ctx.path}`
  if (cause)
    throw new TypeError(`${where}: the value cannot be written as JSON: ${(cause as Error).message}`, { cause })
  throw new TypeError(`${where}: a ${typeof body} cannot be written as JSON. Return data, a stream, or reply().`)
}

/** The headers that GET would send, its Content-Length where it is known. */
function writeHead(ctx: BaseContext): void {
  const { res, response } = ctx
  if (!res.headersSent && !res.hasHeader('Content-Length') && ctx.body !== undefined) {
    const { length } = response
    if (Number.isInteger(length)) ctx.length = length
  }
  res.end()
}

/** A body that was emptied on purpose, or one that nobody gave, which Koa makes the phrase of the status. */
function writeNothing(ctx: BaseContext): void {
  const { res } = ctx
  // HTTP/2 has no phrases, RFC 9113 section 8.3.2.
  const phrase = ctx.req.httpVersionMajor < 2 && ctx.message
  const text = ctx.body === null ? '' : phrase || String(ctx.status)
  if (!res.headersSent) {
    ctx.remove('Transfer-Encoding')
    if (ctx.body === null) ctx.remove('Content-Type')
    else ctx.type = 'text'
    ctx.length = Buffer.byteLength(text)
  }
  res.end(text)
}

function toStream(body: unknown): NodeJS.ReadableStream | undefined {
  if (body instanceof Blob) return Readable.fromWeb(body.stream() as NodeReadableStream)
  if (isWebStream(body)) return Readable.fromWeb(body as NodeReadableStream)
  if (isResponse(body)) return toStream(body.body ?? new Blob([]))
  // A stream of Node, or of a library that only behaves like one.
  const { pipe, read } = body as Partial<Readable>
  const isLike = typeof pipe === 'function' && typeof read === 'function'
  return body instanceof Stream || isLike ? (body as Readable) : undefined
}
