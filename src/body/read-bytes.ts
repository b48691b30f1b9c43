import type { IncomingMessage } from 'node:http'
import zlib from 'node:zlib'
import { streamOf } from '../http2.ts'
import { problem } from '../problem.ts'

type Inflater = zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress

const INFLATERS: Record<string, () => Inflater> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
}

/**
 * RFC 9112 section 6: a request has a body where one of these headers says so. Over HTTP/2 neither has to, and the headers
 * end the stream of a request without a body (RFC 9113 section 8.1).
 */
export function hasBody(req: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers
  if (length === undefined && streamOf(req)?.endAfterHeaders === false) return true
  return coding !== undefined || Number(length ?? 0) > 0
}

/**
 * Reads all bytes of a body, without its content coding, up to a limit, and gives what `use` makes of them, in one promise.
 *
 * It is rejected with a Problem: 415 for a content coding, 413 past the limit, 400 where the body breaks off; or with a
 * TypeError where somebody else has read the body.
 */
export function readBytes<T>(
  req: IncomingMessage,
  limit: number,
  inflate: boolean,
  use: (bytes: Buffer) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const create = inflaterOf(req, inflate)
    if (Number(req.headers['content-length']) > limit) throw tooLarge(limit)
    if (req.readableEnded || req.readableEncoding) throw new TypeError(`body: something above has read it. ${ADVICE}`)
    if (req.destroyed) throw cut()
    const done = (bytes: Buffer) => {
      try {
        resolve(use(bytes))
      } catch (error) {
        reject(error)
      }
    }
    collect(req, create?.(), limit, done, reject)
  })
}

const ADVICE = 'Put body() above that, or have that leave what it read as ctx.request.body.'

/** It listens to events because leaving an async loop would close the connection unanswered. */
function collect(
  req: IncomingMessage,
  inflater: Inflater | undefined,
  limit: number,
  done: (bytes: Buffer) => void,
  fail: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  let length = 0
  const stop = (error: Error) => {
    stream.off('data', onData)
    req.unpipe().pause()
    inflater?.destroy()
    fail(error)
  }
  const onData = (chunk: Buffer) => {
    length += chunk.length
    if (length > limit) stop(tooLarge(limit))
    else chunks.push(chunk)
  }
  const stream = inflater ? req.pipe(inflater) : req
  stream.on('data', onData)
  stream.on('end', () => done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)))
  stream.on('error', () => stop(cut()))
  req.on('close', () => req.readableEnded || stop(cut()))
}

function inflaterOf(req: IncomingMessage, inflate: boolean): (() => Inflater) | undefined {
  const coding = req.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (coding === 'identity') return
  if (inflate && Object.hasOwn(INFLATERS, coding)) return INFLATERS[coding]
  const known = inflate ? 'gzip, deflate, br' : 'identity'
  const detail = `Send the body in one of these content codings: ${known}.`
  throw problem(415, { detail, headers: { 'Accept-Encoding': known } })
}

function tooLarge(limit: number): Error {
  return problem(413, { detail: `Send a body of at most ${limit} bytes.`, headers: { Connection: 'close' } })
}

function cut(): Error {
  return problem(400, { detail: 'The body ends too early, or its content coding is broken.' })
}
