import hash from 'etag'
import { type EntityTag, encodeForTag, forRepresentation, readTag } from '../../src/conditional/index.ts'
import { type BaseContext, headerOn, isBytes, isResponse, Reply, statusOf } from '../../src/index.ts'

/** What tells one state of a resource from another. */
export interface Validators {
  readonly tag?: EntityTag | undefined
  readonly lastModified?: Date | undefined
  /** As the option `version` gave it. */
  readonly version?: Version
  /** Is the tag made of that version? Then it is of the state, in whatever representation. */
  readonly isOfVersion?: boolean
}

/** What may be a version: whatever differs after each write. */
export type Version = string | number | bigint | Date | null | undefined

/** How the validators of a value are found: once for each `etag()`. */
export interface Describe {
  (ctx: BaseContext, value: unknown): Validators
  readonly isVersioned: boolean
  readonly isDated: boolean
  readonly isWeak: boolean
}

export interface ValidatorOptions {
  readonly version?: ((row: never, ctx: never) => Version) | undefined
  readonly lastModified?: ((row: never, ctx: never) => Date | string | number | null | undefined) | undefined
  readonly weak?: boolean | undefined
}

/** The statuses whose answer is a representation, which has a tag: RFC 9110 section 15.3. */
const TAGGED = new Set([200, 201, 203])

/**
 * A tag that the answer has already is left as it is. Else it is made of the version, or of the bytes: a value that is
 * not rendered yet counts as the JSON it would be.
 */
export function describer({ version, lastModified, weak = false }: ValidatorOptions): Describe {
  function describe(ctx: BaseContext, value: unknown): Validators {
    const { status, body, headers, source } = replyOf(ctx, value)
    if (!TAGGED.has(status) || body === null || body === undefined) return {}
    const given = tagOf(ctx, headers)
    const row = (source ?? body) as never
    // Bytes that have their tag already, as those that cached() keeps, are no row, and need no version.
    const isRow = !given || source !== undefined || !(typeof body === 'string' || body instanceof Uint8Array)
    const own = isRow ? version?.(row, ctx as never) : undefined
    const date = dateOf(isRow || !headerOf(headers, 'last-modified') ? lastModified?.(row, ctx as never) : undefined)
    const text = given ? undefined : version ? ofVersion(own) : ofBytes(body)
    const tag = given ?? (text === undefined ? undefined : { weak, opaque: forRepresentation(text, ctx) })
    return { tag, lastModified: date, version: own, isOfVersion: version !== undefined && !given }
  }
  return Object.assign(describe, {
    isVersioned: version !== undefined,
    isDated: lastModified !== undefined,
    isWeak: weak,
  })
}

/** A value as a reply; what a handler has put on ctx in Koa's way is one too. */
export function replyOf(ctx: BaseContext, value: unknown): Reply {
  if (value instanceof Reply) return value
  if (isResponse(value)) return new Reply(value.status, value, Object.fromEntries(value.headers))
  return new Reply(statusOf(ctx), value === undefined ? ctx.body : value)
}

/** What was there before the semicolon: a tag of the state, whatever its representation. */
export function stateOf<T extends EntityTag | undefined>(tag: T): T {
  return tag && { ...tag, opaque: tag.opaque.split(';', 1)[0] as string }
}

/** The media type that a tag is of. */
export function representationOf({ opaque }: EntityTag): string | undefined {
  const type = opaque.split(';', 2)[1]
  try {
    return type?.includes('/') ? decodeURIComponent(type) : undefined
  } catch {
    return undefined
  }
}

function tagOf(ctx: BaseContext, headers: Reply['headers']): EntityTag | undefined {
  const text = headerOf(headers, 'etag') ?? headerOn(ctx, 'ETag')
  return text === undefined ? undefined : readTag(String(text))
}

function headerOf(headers: Reply['headers'], name: string): string | undefined {
  for (const own of Object.keys(headers))
    if (own.length === name.length && own.toLowerCase() === name) return String(headers[own])
}

function ofVersion(version: Version): string | undefined {
  if (version === null || version === undefined) return
  const plain = version instanceof Date ? version.getTime() : version
  // NaN is the same each time, so that every write would be let through.
  const isVersion = typeof plain === 'number' ? Number.isFinite(plain) : ['string', 'bigint'].includes(typeof plain)
  if (!isVersion) {
    const what = version instanceof Date ? 'an invalid Date' : typeof version === 'number' ? version : typeof version
    throw new TypeError(`etag: version gave ${what}. Give a string, a number or a Date.`)
  }
  const text = encodeForTag(version instanceof Date ? version.toISOString() : String(version))
  return text.length > 128 ? ofBytes(text) : text
}

function ofBytes(body: unknown): string | undefined {
  const bytes = toBytes(body)
  return bytes === undefined ? undefined : hash(bytes).slice(1, -1)
}

function toBytes(body: unknown): string | Buffer | undefined {
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return isBytes(body) ? undefined : toJson(body)
}

/** The JSON that a value would be, for the hash alone. What has none fails where it is rendered, and needs no tag. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, asShown)
  } catch {
    return undefined
  }
}

/** @throws TypeError for a Set and the like, whose content JSON leaves out and another rendering shows */
function asShown(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  const isIterated = typeof value === 'object' && value !== null && Symbol.iterator in value
  if (isIterated && !Array.isArray(value) && !ArrayBuffer.isView(value))
    throw new TypeError('JSON shows nothing of it.')
  return value
}

/** RFC 9110 section 8.8.2.1: a date is not later than the answer that has it. */
function dateOf(given: Date | string | number | null | undefined): Date | undefined {
  if (given === null || given === undefined) return
  const date = new Date(given)
  if (Number.isNaN(date.getTime()))
    throw new TypeError('etag: lastModified gave what is no date. Give a Date, ISO 8601 text or milliseconds.')
  return date.getTime() > Date.now() ? new Date() : date
}
