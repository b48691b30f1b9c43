// Imported, because the global one is a getter, which V8 asks each time.
import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import { isBare } from './bare.ts'
import type { BaseContext } from './context.ts'
import { type Fields, fieldIn, putField } from './fields.ts'
import { isPlainValue, knownHeader } from './known-header.ts'
import { type Headers, Reply } from './reply.ts'
import { fields, fieldsOf, given, isOpen, kept, type Shaped, theRes } from './shaped.ts'
import { destroyWhenIdle } from './streams.ts'
import { isEmpty, toJson } from './write.ts'

/** Is the value of a route such as may be written in one go, if nobody says anything else of the answer? */
export function isReady(ctx: BaseContext): boolean {
  const its = kept(ctx)
  if (!its) return false
  const { [given]: value } = its
  if (!(value instanceof Reply)) return typeOf(value) !== undefined
  const type = typeOf(value.body)
  return type !== undefined && (type !== NOTHING || value.status < 400)
}

/**
 * Writes the value of a route in one go, where nobody has looked for it on Koa's response: text, bytes, plain data and
 * nothing, by themselves or in a reply. It is the same answer as by way of Koa's response.
 *
 * @returns whether it has written anything
 * @throws TypeError for a body that JSON cannot hold
 */
export function writeAtOnce(ctx: BaseContext): boolean {
  const its = kept(ctx)
  if (its?.req.httpVersionMajor !== 1 || its.req.method === 'HEAD' || ctx.respond === false) return false
  const { [given]: value, [theRes]: res, [isOpen]: isBegun } = its
  const isReply = value instanceof Reply
  const body = isReply ? value.body : value
  const type = typeOf(body)
  if (type === undefined || (isBegun && saysOfBody(res))) return false
  const all = headersOf(its, type)
  const said = isReply ? addFields(all, value.headers, isBegun ? res : undefined) : ''
  // What Koa would put another type or length on, and lines that are no text, go Koa's way.
  if (said === undefined || (said !== '' && (type === NOTHING || (type === JSON_TYPE && !JSON_NAME.test(said)))))
    return false
  const status = isReply ? value.status : type === NOTHING ? 204 : 200
  // Nothing with the status of an error becomes a problem document.
  if (type === NOTHING) return status < 400 && begin(its, status, all, '')
  if (isEmpty(status)) return false
  begin(its, status, all, type === JSON_TYPE ? toJson(ctx, body) : (body as string | Buffer))
  if (res.socket?.writableNeedDrain) destroyWhenIdle(ctx)
  return true
}

const NOTHING = ''
const TEXT = 'text/plain; charset=utf-8'
const BYTES = 'application/octet-stream'
const JSON_TYPE = 'application/json; charset=utf-8'
const JSON_NAME = /\bjson\b/i

/** The type that Koa would put on text, bytes, nothing, or data of which it is certain that it is JSON. Else undefined. */
function typeOf(body: unknown): string | undefined {
  if (typeof body === 'string') return TEXT
  if (body === null || body === undefined) return NOTHING
  if (typeof body !== 'object') return undefined
  if (Object.getPrototypeOf(body) === Object.prototype || isBare(body))
    return 'pipe' in body || Symbol.asyncIterator in body ? undefined : JSON_TYPE
  if (Array.isArray(body)) return JSON_TYPE
  return Buffer.isBuffer(body) ? BYTES : undefined
}

/** What is said already, with room for what goes with a body: a list that does not grow is made faster. */
function headersOf(its: Shaped, type: string): Fields {
  if (!its[isOpen] && !its[fields] && type !== NOTHING)
    return ['X-Request-Id', its.requestId, 'Content-Type', type, 'Content-Length', '']
  const all = its[isOpen] ? [] : [...fieldsOf(its)]
  if (type !== NOTHING) all.push('Content-Type', type, 'Content-Length', '')
  return all
}

/** Writes status, headers and content; the headers after those that somebody has put on Node's response. */
function begin(
  { [theRes]: res, [isOpen]: isBegun }: Shaped,
  status: number,
  all: Fields,
  content: string | Buffer,
): true {
  const length = Buffer.byteLength(content)
  if (length > 0 || !isEmpty(status)) putField(all, 'Content-Length', `${length}`)
  if (isBegun) {
    res.statusCode = status
    res.statusMessage = ''
    for (let index = 0; index < all.length; index += 2) res.setHeader(all[index] as string, all[index + 1] as string)
  } else {
    res.writeHead(status, all)
  }
  // Node writes the head in the encoding of the text. Where both are ASCII, latin1 is the same, and faster.
  res.end(content, !isBegun && length === content.length ? 'latin1' : 'utf8')
  return true
}

/** Has somebody set what goes with a body? */
function saysOfBody(res: ServerResponse): boolean {
  return res.hasHeader('Content-Type') || res.hasHeader('Content-Length') || res.hasHeader('Transfer-Encoding')
}

/**
 * @param res where there are headers already, if they are not among the fields
 * @returns the Content-Type among them, '' for none, undefined where they are not for this way
 */
function addFields(all: Fields, headers: Headers, res: ServerResponse | undefined): string | undefined {
  let type = ''
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    const known = knownHeader(name)
    const { kind } = known
    if (typeof value !== 'string' || kind === 'length' || kind === 'id' || !isPlainValue(value, known)) return undefined
    if (kind === 'shared' && (res ? res.hasHeader(name) : fieldIn(all, name) !== undefined)) return undefined
    if (kind === 'type') type = value
    putField(all, name, value)
  }
  return type
}
