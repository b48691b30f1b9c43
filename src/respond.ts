import type { BaseContext } from './context.ts'
import { knownHeader } from './known-header.ts'
import { Reply } from './reply.ts'
import { isOverruled, keep, responseOf } from './shaped.ts'
import { bodyOf } from './streams.ts'
import { isResponse } from './web.ts'

/**
 * Puts a value on Koa's context, where Koa writes it from. Undefined leaves the context as it is, for a handler that
 * has answered there in Koa's way.
 *
 * @throws the value, where it is an error
 */
export function respond(ctx: BaseContext, value: unknown): void {
  if (value instanceof Reply) return respondWithReply(ctx, value)
  if (isResponse(value)) return respondWithResponse(ctx, value)
  if (value === undefined) return
  // A problem that is returned and not thrown must not go out as a 200 that shows what is in it.
  if (value instanceof Error) throw value
  // A string is text. Koa would look for a `<` and call it HTML, which lets a client's input become a page.
  if (typeof value === 'string' && !ctx.res.hasHeader('Content-Type')) ctx.type = 'text'
  if (value === null) ctx.remove('Content-Type')
  ctx.body = typeof value === 'object' ? bodyOf(ctx, value) : value
}

/** Answers with the value of a route, which stays a value while nobody wants Koa's response. */
export function give(ctx: BaseContext, value: unknown): void {
  if (value === undefined || value instanceof Error || !keep(ctx, value)) respond(ctx, value)
}

const lastStatus = Symbol('lastStatus')
type Late = BaseContext & { [lastStatus]?: number }

/** The status that a value goes out with when it has none of its own: the one that was set on ctx in time, else 200. */
export function statusOf(ctx: Late): number {
  if (isOverruled(ctx)) return ctx[lastStatus] ?? 200
  return isStatusSet(ctx) ? ctx.status : 200
}

/** Remembers the status that was set, for a value that comes when another answer stands on ctx. */
export function rememberStatus(ctx: Late): void {
  ctx[lastStatus] = statusOf(ctx)
}

/** Koa begins with 404, and keeps here whether anybody has said so. */
export function isStatusSet(ctx: BaseContext): boolean {
  return (responseOf(ctx) as { _explicitStatus?: boolean } | undefined)?._explicitStatus === true
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

/** Has ctx been answered in Koa's way, by its body or by hand? */
export function isAnswered(ctx: BaseContext): boolean {
  return ctx.respond === false || ctx.body !== undefined || ctx.headerSent || ctx.status !== 404
}

/** Has a middleware left a status of an error, or nothing at all, and no body? */
export function isUnanswered(ctx: BaseContext): boolean {
  return ctx.status >= 400 && (ctx.body === undefined || ctx.body === null) && ctx.respond !== false && !ctx.headerSent
}

function respondWithReply(ctx: BaseContext, { status, body, headers }: Reply): void {
  ctx.status = status
  for (const [name, value] of Object.entries(headers)) put(ctx, name, value as string | string[])
  respond(ctx, body ?? null)
  // Koa makes every empty body a 204.
  ctx.status = status
}

function respondWithResponse(ctx: BaseContext, response: Response): void {
  ctx.status = response.status
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !endsHere(name, response)) put(ctx, name, value)
  }
  for (const cookie of response.headers.getSetCookie()) ctx.append('Set-Cookie', cookie)
  ctx.body = bodyOf(ctx, response.body)
  ctx.status = response.status
}

function put(ctx: BaseContext, name: string, value: string | string[]): void {
  const before: unknown = knownHeader(name).kind === 'shared' ? ctx.response.get(name) : undefined
  if (before === undefined) return ctx.set(name, value)
  const lines = [before as string | string[]].flat()
  ctx.set(name, [...lines, ...[value].flat().filter(line => !lines.includes(line))])
}
