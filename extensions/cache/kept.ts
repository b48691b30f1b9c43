import hash from 'etag'
import {
  type Current,
  evaluate,
  forRepresentation,
  hasPreconditions,
  isPlainlyCurrent,
  readDate,
  readPreconditions,
  readTag,
} from '../../src/conditional/index.ts'
import { type BaseContext, isBytes, problem, Reply } from '../../src/index.ts'
import { statusFor, textOf } from './answer.ts'
import { secondsOf } from './directives.ts'
import {
  type Before,
  directivesIn,
  type Fields,
  fieldOf,
  fieldsOf,
  isNew,
  keepable,
  namesIn,
  putBack,
  sayOnce,
  toHeaders,
} from './fields.ts'
import { type Said, said } from './said.ts'

/** An answer as it can be given again. */
export interface Answer {
  readonly whole: Reply
  /** What 304 says of it. */
  readonly unchanged: Reply
  readonly current: Current
  /** Its ETag, where that can be read. */
  readonly tag: string | undefined
  /** The names of the request headers that it depends on. */
  readonly vary: readonly string[]
  /** Seconds that its Cache-Control allows at most. */
  readonly maxAge: number
  /** Bytes of the body and of the headers. */
  readonly size: number
  readonly said: Said[typeof said]
}

/** What came from below: an answer that can be kept, or only a value to pass up. */
export type Outcome = Answer | { readonly value: unknown }

export function isAnswer(outcome: Outcome): outcome is Answer {
  return 'whole' in outcome
}

/** What 304 says of what it does not send: RFC 9110 section 15.4.5. Vary is on ctx. */
const OF_304 = new Set(['cache-control', 'content-location', 'etag', 'expires'])

/**
 * Reads the value from below. An answer that can be kept has all headers that were set for it, and ctx those that it
 * had before, so that the first client and all others go the same way from here.
 *
 * @throws Problem 412 where the value is passed up, and a tag or a date of it does not fit the request's preconditions
 */
export function readOutcome(ctx: BaseContext & Said, value: unknown, before: Before, shared: boolean): Outcome {
  const status = value instanceof Error ? 500 : statusFor(ctx, value)
  if (status < 200 || status > 299) return { value }
  const all = fieldsOf(ctx, value)
  const fields = keepable(all, before)
  const mayKeep = status === 200 && mayBeKept(all, before, shared)
  const body = mayKeep ? render(value instanceof Reply ? value.body : value) : undefined
  if (body === undefined) return { value: passUp(ctx, value, fields) }

  if (body.isJson && !/\bjson\b/i.test(fieldOf(all, 'content-type')?.split(';')[0] ?? ''))
    fields.set('content-type', ['Content-Type', 'application/json; charset=utf-8'])
  if (!fields.has('etag')) fields.set('etag', ['ETag', tagOf(ctx, body.bytes)])
  putBack(ctx, fields, before)
  sayOnce(ctx, value)
  const headers = toHeaders(fields)
  const texts = Object.entries(headers).map(([name, value]) => name + textOf(value))
  const directives = directivesIn(all)
  const current = currentOf(fields)
  return {
    whole: new Reply(200, body.bytes, headers),
    unchanged: unchanged(fields),
    current,
    tag: current.tag && fieldOf(fields, 'etag'),
    vary: namesIn(all),
    maxAge: Math.min(...['max-age', 's-maxage'].map(name => secondsOf(directives, name) ?? Number.POSITIVE_INFINITY)),
    size: Buffer.byteLength(body.bytes) + texts.join('').length,
    said: ctx[said],
  }
}

/**
 * The answer for this request: the whole of it, or 304.
 *
 * @throws Problem 412
 */
export function present(ctx: BaseContext & Said, answer: Answer): Reply {
  if (answer.said) ctx[said] = answer.said
  const isUnchanged = isCurrent(ctx, answer)
  if (answer.vary.length > 0) ctx.vary([...answer.vary])
  return isUnchanged ? answer.unchanged : answer.whole
}

/** @throws Problem 412 */
function isCurrent(ctx: BaseContext, { current, tag }: Answer): boolean {
  const { headers } = ctx.req
  if (isPlainlyCurrent(headers, tag)) return true
  return hasPreconditions(headers) && judge(ctx, current) === 'not-modified'
}

/** Nobody below has seen the preconditions; they are looked at where somebody below has said what they are to fit. */
function passUp(ctx: BaseContext, value: unknown, fields: Fields): unknown {
  if (!hasPreconditions(ctx.req.headers) || !(fields.has('etag') || fields.has('last-modified'))) return value
  return judge(ctx, currentOf(fields)) === 'not-modified' ? unchanged(fields) : value
}

function judge(ctx: BaseContext, current: Current): 'perform' | 'not-modified' {
  const { headers, rawHeaders } = ctx.req
  const verdict = evaluate(ctx.method, readPreconditions(headers, rawHeaders), current)
  if (verdict !== 'failed') return verdict
  throw problem(412, { detail: 'What is here now is not what If-Match or If-Unmodified-Since says.' })
}

/** As etag() makes it, wherever that stands. */
function tagOf(ctx: BaseContext, bytes: string | Buffer): string {
  return `"${forRepresentation(hash(bytes).slice(1, -1), ctx)}"`
}

function currentOf(fields: Fields): Current {
  return {
    exists: true,
    tag: readTag(fieldOf(fields, 'etag') ?? ''),
    lastModified: readDate(fieldOf(fields, 'last-modified') ?? ''),
  }
}

function unchanged(fields: Fields): Reply {
  return new Reply(304, undefined, toHeaders(new Map([...fields].filter(([name]) => OF_304.has(name)))))
}

/** May others have it, those that the key is the same for? */
function mayBeKept(all: Fields, before: Before, shared: boolean): boolean {
  const directives = directivesIn(all)
  if (directives.has('no-store') || directives.has('no-cache') || (shared && directives.has('private'))) return false
  return !isNew(all, 'set-cookie', before) && !namesIn(all).includes('*')
}

/** The bytes of a value as the core would write them, undefined where there are none yet. */
function render(body: unknown): { bytes: string | Buffer; isJson: boolean } | undefined {
  if (typeof body === 'string') return { bytes: body, isJson: false }
  // Whoever made them may write into them again.
  if (body instanceof Uint8Array) return { bytes: Buffer.from(body), isJson: false }
  if (body === undefined || body === null || isBytes(body)) return undefined
  const bytes = jsonOf(body)
  return bytes === undefined ? undefined : { bytes, isJson: true }
}

/** Where JSON cannot hold it, the core says so with the name of the route, as it would have without us. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
