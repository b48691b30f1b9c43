import type { ServerResponse } from 'node:http'
import { Readable, Stream, Transform } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { types } from 'node:util'
import type { BaseContext, Handler } from './context.ts'
import { isClosed } from './http2.ts'
import { Reply } from './reply.ts'
import { isResponse, isWebStream } from './web.ts'

// Streams as answers: one may fail before it is sent, while it is sent, or never be sent at all, and none of that may
// end the process, hang a request, or hold a file open.

/** Bytes as Koa knows them. Web streams become Node's, so that one that fails at the start is still an error. */
export function bodyOf(ctx: BaseContext, value: object | null): unknown {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const stream = isWebStream(value) ? Readable.fromWeb(value as NodeReadableStream) : piecesOf(value)
  heed(stream)
  if (stream instanceof Stream) destroyWhenIdle(ctx)
  return stream
}

/** What an async generator gives piece by piece is a stream. */
function piecesOf(value: object | null): unknown {
  if (value === null || !(Symbol.asyncIterator in value) || value instanceof Stream) return value
  const stream = Readable.from(lookedAt(value as AsyncIterable<unknown>))
  ofPieces.add(stream)
  return stream
}

/** The same pieces, until one comes that a response does not take. What is let go unread ends them too. */
function lookedAt(pieces: AsyncIterable<unknown>): AsyncIterable<unknown> {
  const iterator = pieces[Symbol.asyncIterator]()
  const next = async () => {
    const result = await iterator.next()
    if (result.done || isPiece(result.value)) return result
    throw noPiece(result.value)
  }
  const end = async () => (await iterator.return?.()) ?? { done: true as const, value: undefined }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}

/** Streams that give nothing but text and bytes. */
const ofPieces = new WeakSet<NodeJS.ReadableStream>()

/**
 * A handler whose streams may fail while the decorators above it are still at work: an error that nobody listens to
 * ends the process, and `firstByte` finds it later all the same. One that they do not send is let go in the end.
 */
export function heeding(handler: Handler): Handler {
  return (ctx: BaseContext) => {
    const value = handler(ctx as never)
    // A query builder may have a `then` as well, which runs the query, and that is for those above to decide.
    if (types.isPromise(value))
      value.then(
        value => lend(ctx, value),
        () => {},
      )
    else lend(ctx, value)
    return value
  }
}

function lend(ctx: BaseContext, value: unknown): void {
  if (!streamOf(value) && !webStreamOf(value)) return
  heed(value)
  // Not before it is a stream: who asks for the response has the answer go Koa's way.
  ctx.res.once('close', () => discard(value))
}

function heed(value: unknown): void {
  streamOf(value)?.on('error', () => {})
}

/** Lets go of a value that comes too late to be sent: a stream may hold a file open, and may fail. */
export function discard(value: unknown): void {
  heed(value)
  streamOf(value)?.destroy?.()
  // It is refused where somebody is reading: of what is sent, Node does, and ends it.
  webStreamOf(value)
    ?.cancel()
    .catch(() => {})
}

function streamOf(value: unknown): (Stream & { destroy?: () => void }) | undefined {
  const body = bodyIn(value)
  return body instanceof Stream ? body : undefined
}

function webStreamOf(value: unknown): ReadableStream | null | undefined {
  const body = bodyIn(value)
  if (isResponse(body)) return body.body
  return isWebStream(body) ? body : undefined
}

function bodyIn(value: unknown): unknown {
  return value instanceof Reply ? value.body : value
}

/** A reader that takes nothing for `timeouts.stream` seconds loses its connection. */
export function destroyWhenIdle({ app, res }: BaseContext): void {
  res.setTimeout(app.settings.timeouts.stream * 1000, () => res.destroy())
}

/** A stream may give whatever there is, a response takes text and bytes, and ends the process where it gets another. */
export function isOfObjects(stream: NodeJS.ReadableStream): stream is Readable {
  return (stream as Readable).readableObjectMode === true && !ofPieces.has(stream)
}

/** Hands on what a response takes. It fails at what it does not take, and all that it stands between with it. */
export function onlyPieces(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform: (piece, _encoding, done) => (isPiece(piece) ? done(null, piece) : done(noPiece(piece))),
  })
}

function isPiece(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array
}

function noPiece(value: unknown): TypeError {
  const advice = 'Give strings or bytes, put collection() or produces() above it, or return a list.'
  return new TypeError(`The stream gave ${kindOf(value)}, which cannot be sent. ${advice}`)
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object') return `a ${typeof value}`
  return Array.isArray(value) ? 'an array' : 'an object'
}

/**
 * Waits until a stream has something to send, so that one that fails at the start is an error and not half an answer.
 *
 * @throws TypeError for a stream whose first piece is neither text nor bytes
 */
export function firstByte(stream: Readable, res: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      if (!isOfObjects(stream) || stream.readableLength === 0) return resolve()
      const piece = stream.read()
      if (!isPiece(piece)) return reject(noPiece(piece))
      stream.unshift(piece)
      resolve()
    }
    const fail = () => {
      // A client that has gone takes the stream along, and that is no error of ours.
      if ((isClosed(res) || res.socket?.destroyed) && !stream.errored) return resolve()
      reject(stream.errored ?? new Error('The stream was closed before its first byte.'))
    }
    if (stream.readableEnded) return resolve()
    if (stream.destroyed) return fail()
    if (stream.readableLength > 0) return begin()
    const done = (error?: unknown) => {
      for (const name of ['readable', 'error', 'close']) stream.off(name, done)
      if (error instanceof Error) reject(error)
      else if (stream.destroyed && !stream.readableEnded) fail()
      else begin()
    }
    // An empty stream is readable too, once.
    for (const name of ['readable', 'error', 'close']) stream.on(name, done)
  })
}
