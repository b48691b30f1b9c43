import type { ServerResponse } from 'node:http'
import { Readable, Stream } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { types } from 'node:util'
import type { BaseContext, Handler } from './context.ts'
import { Reply } from './reply.ts'
import { isWebStream } from './web.ts'

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
  const isPieces = value !== null && Symbol.asyncIterator in value && !(value instanceof Stream)
  return isPieces ? Readable.from(value as AsyncIterable<unknown>) : value
}

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
  if (!streamOf(value)) return
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
}

function streamOf(value: unknown): (Stream & { destroy?: () => void }) | undefined {
  const body = value instanceof Reply ? value.body : value
  return body instanceof Stream ? body : undefined
}

/** A reader that takes nothing for `timeouts.stream` seconds loses its connection. */
export function destroyWhenIdle({ app, res }: BaseContext): void {
  res.setTimeout(app.settings.timeouts.stream * 1000, () => res.destroy())
}

/** Waits until a stream has something to send, so that one that fails at the start is an error and not half an answer. */
export function firstByte(stream: Readable, res: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      // A client that has gone takes the stream along, and that is no error of ours.
      if ((res.closed || res.socket?.destroyed) && !stream.errored) return resolve()
      reject(stream.errored ?? new Error('The stream was closed before its first byte.'))
    }
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
