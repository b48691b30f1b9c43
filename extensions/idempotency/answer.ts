import { type BaseContext, type Headers, isBytes, Reply, statusOf } from '../../src/index.ts'

/** An answer as it can be given again. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Null for none. */
  readonly body: string | Buffer | null
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
  if (value === undefined || value instanceof Error || value instanceof Response) return undefined
  const { status, headers, body } = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
  const isEmpty = body === null || body === undefined
  const all = { ...newHeaders(ctx, before), ...kept(headers) }
  // Koa makes 204 of nothing where nobody has said another status; a reply's own stays.
  return made(isEmpty && !(value instanceof Reply) ? 204 : status, all, isEmpty ? null : body)
}

/** What stands on ctx when all has been done, errors included. */
export function finalAnswerOf(ctx: BaseContext, before: Before): Answer | undefined {
  if (ctx.respond === false) return undefined
  // Koa sends the phrase of a status that nobody has given a body to.
  return made(ctx.status, newHeaders(ctx, before), ctx.body === undefined ? ctx.message : ctx.body)
}

/** An answer as a value for those above, with what it was made of. */
export function toReply({ status, body, headers }: Answer, source?: unknown): Reply {
  return new Reply(status, body, headers, source)
}

export function sourceOf(value: unknown): unknown {
  return value instanceof Reply ? (value.source ?? value.body) : value
}

/** The same answer again. */
export function replayOf({ status, body, headers }: Answer): Reply {
  return new Reply(status, body, { ...headers, 'Idempotency-Replayed': 'true' })
}

export function toText({ status, headers, body }: Answer): string {
  const isText = typeof body === 'string' || body === null
  return JSON.stringify(isText ? { status, headers, body } : { status, headers, base64: body.toString('base64') })
}

export function fromText(text: string): Answer {
  const { status, headers, body = null, base64 } = JSON.parse(text)
  return { status, headers, body: base64 === undefined ? body : Buffer.from(base64, 'base64') }
}

function made(status: number, headers: Record<string, string | readonly string[]>, body: unknown): Answer | undefined {
  if (body === null || typeof body === 'string') return { status, headers, body }
  // Whoever made them may write into them again.
  if (body instanceof Uint8Array) return { status, headers, body: Buffer.from(body) }
  const text = isBytes(body) ? undefined : jsonOf(body)
  if (text === undefined) return undefined
  const hasType = Object.keys(headers).some(name => name.toLowerCase() === 'content-type')
  const typed = hasType ? headers : { ...headers, 'Content-Type': 'application/json; charset=utf-8' }
  return { status, headers: typed, body: text }
}

/** Where JSON cannot hold it, the core says so with the name of the route, as it would have without us. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function newHeaders({ res }: BaseContext, before: Before): Record<string, string | readonly string[]> {
  // The answer has gone out, and its headers are those of another one: of a handler that took too long.
  if (res.headersSent) return {}
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

function kept(headers: Headers): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NEVER.test(name.toLowerCase())))
}
