import { Stream } from 'node:stream'
import { preferencesOf } from '../src/headers/index.ts'
import {
  type AroundContext,
  checkOptions,
  type Decorator,
  decorator,
  isResponse,
  isWebStream,
  kinds,
  type Next,
  type Note,
  type Preferences,
  Reply,
  type Route,
  statusOf,
  when,
} from '../src/index.ts'

export interface PreferOptions {
  /** Whether `return=minimal` and `return=representation` are applied here, or left to the handler. @default true */
  return?: boolean
}

/**
 * Reads what the client prefers, RFC 7240, as `ctx.prefer`: `return`, `handling`, `wait` in seconds, `respondAsync`,
 * and `get(name)` for any other. Of a name that comes twice the first counts, and a malformed preference is ignored.
 *
 * What heeds one says so with `ctx.prefer.applied('handling')`, which `Preference-Applied` then lists. Every answer of
 * the route has `Vary: Prefer`, as section 2 demands, whether the client prefers anything or not.
 *
 * `return` is applied here, to a 200 or 201 of POST, PUT, PATCH and DELETE. With `return=minimal` a 200 becomes a 204
 * and a 201 loses its body; ETag, Location and all else that is not said of the body stay. With `return=representation`
 * the body is what the handler gives, and a 201 says whose it is: its Location is its Content-Location too (section
 * 4.2). Where such a body is something else than the resource, `{ return: false }` leaves this alone. Other statuses,
 * errors and a web `Response` pass as they are.
 *
 * It stands above `etag()` and `json()`, so that what they make of the body is known by then.
 *
 * @throws TypeError for a wrong option
 * @example
 * app.put('/books/:id', prefer(), json(), ctx => shelf.put(ctx.params.id))
 * app.post('/import', prefer(), body(), ctx => {
 *   ctx.prefer.applied('handling')
 *   return shelf.add(ctx.input.body, { skipFaulty: ctx.prefer.handling === 'lenient' })
 * })
 */
export function prefer(options: PreferOptions = {}): Decorator<{ prefer: Preferences }> {
  checkOptions('prefer', options, { return: kinds.flag })
  const applies = options.return !== false
  const around = (ctx: AroundContext, next: Next<{ prefer: Preferences }>) => {
    ctx.vary('Prefer')
    const prefer = preferencesOf(ctx)
    const value = next({ prefer })
    if (!applies || !WRITES.has(ctx.method)) return value
    return when(value, value => (prefer.return ? answer(ctx, prefer, value) : value))
  }
  return decorator('prefer', around, { note: route => noteOf(route, applies) })
}

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The value on its way up, as the client prefers it. */
function answer(ctx: AroundContext, prefer: Preferences, value: unknown): unknown {
  const given = value === undefined ? ctx.body : value
  if (given === undefined || isResponse(given) || given instanceof Error) return value
  const { status, body, headers } = given instanceof Reply ? given : new Reply(statusOf(ctx), given)
  const isEmpty = body === undefined || body === null
  if (status !== 200 && status !== 201 && !(status === 204 && isEmpty)) return value
  if (prefer.return === 'minimal') {
    prefer.applied('return')
    return isEmpty ? value : withoutBody(ctx, status, body, headers)
  }
  if (isEmpty) return value
  prefer.applied('return')
  const location = status === 201 && (find(headers, 'location') ?? ctx.response.get('Location'))
  // Where the reply has a Content-Location of its own, that one is written over this one.
  if (location && !ctx.res.hasHeader('Content-Location')) ctx.set('Content-Location', location)
  return value
}

const ABOUT_THE_BODY = /^(?:content-(?:type|length|encoding|language|location|range|disposition|digest)|digest)$/i

function withoutBody(ctx: AroundContext, status: number, body: unknown, headers: Reply['headers']): Reply {
  letGo(body)
  for (const name of ctx.res.getHeaderNames()) if (ABOUT_THE_BODY.test(name)) ctx.remove(name)
  const kept = Object.entries(headers).filter(([name]) => !ABOUT_THE_BODY.test(name))
  return new Reply(status === 200 ? 204 : status, null, Object.fromEntries(kept))
}

/** A stream that nobody will read may hold a file or a connection open. */
function letGo(body: unknown): void {
  if (body instanceof Stream) (body as { destroy?: () => void }).destroy?.()
  // One that has failed, or is being read by somebody else, holds nothing for us.
  if (isWebStream(body)) body.cancel().catch(() => {})
}

function find(headers: Reply['headers'], name: string): string | undefined {
  return Object.entries(headers)
    .find(([key]) => key.toLowerCase() === name)?.[1]
    ?.toString()
}

function noteOf({ methods }: Route, applies: boolean): Note {
  const minimal = { 204: { description: 'Done, where the client prefers return=minimal' } }
  return {
    parameters: [
      {
        name: 'Prefer',
        in: 'header',
        description: 'What the client prefers, RFC 7240',
        schema: { type: 'string' },
      },
    ],
    headers: {
      'Preference-Applied': { description: 'The preferences that were heeded', schema: { type: 'string' } },
    },
    ...(applies && methods.some(method => WRITES.has(method)) && { responses: minimal }),
  }
}
