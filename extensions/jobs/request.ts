import { createHash } from 'node:crypto'
import { type DetachedRequest, detached } from '../../src/detached/index.ts'
import { preferencesOf } from '../../src/headers/index.ts'
import { type AroundContext, Bare, type BaseContext, type Kolba } from '../../src/index.ts'
import { fromText, toText } from './stored.ts'
import type { Running } from './work.ts'

/** What a job has of the request that made it. */
export interface StoredRequest extends DetachedRequest {
  readonly params: Readonly<Record<string, string>>
  /** What the decorators above have added to ctx. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** The headers that a job has. None of these is a secret, which credentials, cookies and keys are. */
export const KEPT = ['accept', 'accept-language', 'prefer', 'traceparent', 'tracestate', 'user-agent']

/**
 * What a job has of a request, as text: its URL, its parameters, and what the decorators above have added to ctx; what
 * Koa middleware has said in `ctx.state`, and the body that one has parsed, as well.
 *
 * @throws TypeError for what cannot be stored, with its place in ctx
 */
export function requestText(ctx: AroundContext, names: readonly string[] | undefined): string {
  const { method, url, protocol, host, requestId, params } = ctx
  const headers = Object.fromEntries(KEPT.flatMap(name => (ctx.headers[name] ? [[name, ctx.get(name)]] : [])))
  const fields: Record<string, string> = {}
  // What prefer() has added is read again from the header.
  for (const [name, value] of [...addedTo(ctx, names), ...koaOf(ctx, names)])
    fields[name] = name === PREFER ? 'null' : toText(value, `ctx.${name}`)
  const request: DetachedRequest = { method, url, protocol, host, headers, requestId }
  return JSON.stringify({ request, params, fields })
}

/** What decorators have added to ctx, or what of it is named. */
export function addedTo(ctx: BaseContext, names: readonly string[] | undefined): [name: string, value: unknown][] {
  const isAdded = (name: string) =>
    names ? names.includes(name) : !(name in ctx.app.reserved) && !name.startsWith('_')
  return Object.entries(ctx).filter(([name, value]) => value !== undefined && name !== 'state' && isAdded(name))
}

/** What Koa middleware has left, where there is anything, or where it is named. */
function koaOf(
  { state, request }: BaseContext,
  names: readonly string[] | undefined,
): [name: string, value: unknown][] {
  const { body } = request as { body?: unknown }
  const its: [string, unknown][] = [
    ['state', Object.keys(state).length > 0 ? state : undefined],
    [BODY, body],
  ]
  return its.filter(([name, value]) => value !== undefined && (names?.includes(name) ?? true))
}

export const PREFER = 'prefer'
/** Where body parsers of Koa leave what they have read. */
const BODY = 'request.body'

/**
 * What tells one request from another: its URL and what was read of it, and not who sends it when and from where, for a
 * token that was renewed makes another user of the same one, and who sends again may have gone to another network.
 */
export function fingerprintOf(text: string): string {
  const { request, fields } = JSON.parse(text)
  const { user, state, clientAddress, ...read } = fields
  return createHash('sha256')
    .update(JSON.stringify([request.method, request.url, read]))
    .digest('base64url')
}

export function readRequest(text: string): StoredRequest {
  const { request, params, fields } = JSON.parse(text)
  const its = Object.entries(fields).map(([name, text]) => [name, fromText(text as string)])
  return { ...request, params: Object.assign(new Bare(), params), fields: Object.fromEntries(its) }
}

/** The context of a job: that of its request without the connection, and what is the job's own. */
export function contextOf(app: Kolba, { params, fields, ...request }: StoredRequest, running: Running): BaseContext {
  const ctx = detached(app, request, running.signal)
  const { [BODY]: body, ...its } = fields
  if (body !== undefined) Object.assign(ctx.request, { body })
  const prefer = PREFER in fields ? { prefer: preferencesOf(ctx) } : {}
  return Object.assign(ctx, { params }, its, prefer, addsOf(running))
}

/** What `background()` adds to ctx. */
export interface JobAdds {
  readonly job: JobOfContext
  /**
   * Says how far the job is: `progress(0.5)`, `progress(120, 400)`, `progress(120, 400, 'Reading')`. It may be called as
   * often as you like: what is told at once, or within a tenth of a second, is stored once.
   *
   * @throws TypeError for what is no number from 0
   */
  readonly progress: (done: number, total?: number, message?: string) => void
}

/** The job that a handler runs in. */
export interface JobOfContext {
  /** The same each time it is begun: the key to do something once, in whatever it is done with. */
  readonly id: string
  /** 1 when it is begun for the first time. */
  readonly attempt: number
}

export function addsOf({ job, progress }: Running): JobAdds {
  return { job: { id: job.id, attempt: job.attempts }, progress }
}
