import {
  type BaseContext,
  type Headers,
  isBytes,
  isOverruled,
  isResponse,
  Reply,
  responseOf,
  statusOf,
} from '../../src/index.ts'

/** An answer as it can be given again. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Null for none. */
  readonly body: string | Buffer | null
  /** Headers of above that it does not have: an error has none of those that were about the body. */
  readonly removed?: readonly string[]
}

/** Headers as they were before anything below has set some. */
export type Before = Readonly<Record<string, unknown>>

/** They are about one request, one connection (RFC 9110 section 7.6.1), one client's session, or are made anew. */
const NEVER = new RegExp(
  '^(?:x-request-id|date|age|server-timing|set-cookie|content-length|connection|keep-alive|te|trailer' +
    '|transfer-encoding|upgrade|proxy-.*|(?:x-)?ratelimit.*|preference-applied|idempotency-replayed)$',
)

/**
 * What a value from below is answered with, and the headers that were set below. Undefined for what cannot be given
 * again, a stream, and for what is not known yet: an error, or what stands on ctx in Koa's way.
 */
export function answerOf(ctx: BaseContext, value: unknown, before: Before): Answer | undefined {
  if (value === undefined || value instanceof Error || isResponse(value)) return undefined
  const { status, headers, body } = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
  const isEmpty = body === null || body === undefined
  // Those on ctx are of another answer where a handler took too long.
  const isElsewhere = ctx.res.headersSent || isOverruled(ctx)
  const all = { ...(isElsewhere ? {} : newHeaders(ctx, before)), ...kept(headers) }
  // Koa makes 204 of nothing where nobody has said another status; a reply's own stays.
  return made(ctx, isEmpty && !(value instanceof Reply) ? 204 : status, all, isEmpty ? null : body)
}

/** What stands on ctx when all has been done, errors included. */
export function finalAnswerOf(ctx: BaseContext, before: Before): Answer | undefined {
  if (ctx.respond === false) return undefined
  // Koa sends the phrase of a status that nobody has given a body to.
  const body = ctx.body === undefined ? ctx.message : ctx.body
  const answer = made(ctx, ctx.status, newHeaders(ctx, before), body)
  return answer && { ...answer, removed: Object.keys(before).filter(name => !ctx.res.hasHeader(name)) }
}

/** The value with the body that is kept, so that the first answer and all others are the same. */
export function withBody(value: unknown, { status, body, headers }: Answer): Reply {
  if (value instanceof Reply)
    return new Reply(status, body, { ...typeIn(headers), ...value.headers }, value.source ?? value.body)
  return new Reply(status, body, typeIn(headers), value)
}

/** The same answer again. */
export function replayOf(ctx: BaseContext, { status, body, headers, removed = [] }: Answer): Reply {
  for (const name of removed) ctx.remove(name)
  return new Reply(status, body, { ...headers, 'Idempotency-Replayed': 'true' })
}

export function toText({ body, ...rest }: Answer): string {
  return JSON.stringify(Buffer.isBuffer(body) ? { ...rest, base64: body.toString('base64') } : { ...rest, body })
}

export function fromText(text: string): Answer {
  const { base64, ...rest } = JSON.parse(text)
  return base64 === undefined ? rest : { ...rest, body: Buffer.from(base64, 'base64') }
}

function made(ctx: BaseContext, status: number, headers: Lines, body: unknown): Answer | undefined {
  if (body === null || typeof body === 'string') return { status, headers, body }
  // Whoever made them may write into them again.
  if (body instanceof Uint8Array) return { status, headers, body: Buffer.from(body) }
  const text = isBytes(body) ? undefined : jsonOf(body)
  if (text === undefined) return undefined
  const type = Object.values(typeIn(headers))[0] ?? responseOf(ctx)?.get('Content-Type')
  const isTyped = /\bjson\b/i.test(String(type).split(';')[0] as string)
  const typed = isTyped ? headers : { ...headers, 'Content-Type': 'application/json; charset=utf-8' }
  return { status, headers: typed, body: text }
}

type Lines = Record<string, string | readonly string[]>

function typeIn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() === 'content-type'))
}

/** Where JSON cannot hold it, the core says so with the name of the route, as it would have without us. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function newHeaders({ res }: BaseContext, before: Before): Lines {
  const all = Object.entries(res.getHeaders()).map(([name, value]) => [name, linesOf(name, value)] as const)
  const added = all.filter(([name, lines]) => SHARED.has(name) || String(lines) !== String(linesOf(name, before[name])))
  const news = added.map(([name, lines]) => [name, SHARED.has(name) ? without(lines, name, before) : lines] as const)
  const some = news.filter(([, lines]) => lines.length > 0)
  return kept(Object.fromEntries(some.map(([name, lines]) => [name, lines.length === 1 ? `${lines[0]}` : lines])))
}

/** Lists that every layer has its part in. What stands above says its own each time. */
const SHARED = new Set(['vary', 'link'])

function without(lines: readonly string[], name: string, before: Before): readonly string[] {
  const there = linesOf(name, before[name])
  return lines.filter(line => !there.includes(line))
}

function linesOf(name: string, value: unknown): string[] {
  if (value === undefined) return []
  const lines = [value].flat().map(String)
  return name === 'vary' ? lines.flatMap(line => line.split(/\s*,\s*/)) : lines
}

function kept(headers: Headers): Lines {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEVER.test(name.toLowerCase())))
}
