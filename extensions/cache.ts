import { writeDate } from '../src/conditional/index.ts'
import { type AroundContext, type BaseContext, type Decorator, decorator, isOverruled, when } from '../src/index.ts'
import { headerOf, READING, statusFor, withHeader } from './cache/answer.ts'
import {
  type CacheControlOptions,
  type Directives,
  deltaSeconds,
  isFieldName,
  merge,
  parse,
  readOptions,
  write,
} from './cache/directives.ts'
import { type Said, said } from './cache/said.ts'

export { type CachedOptions, cached } from './cache/cached.ts'
export type { CacheControlOptions } from './cache/directives.ts'
export { invalidate } from './cache/invalidate.ts'

const PRIVATE: Directives = new Map([['private', true]])
/** With one of these, it has been said what shared caches may do. */
const ABOUT_SHARING = ['public', 'private', 'no-store', 's-maxage']

/**
 * Says how long caches may use the answer, and which: `Cache-Control` (RFC 9111 section 5.2.2, RFC 5861, RFC 8246).
 *
 * It is sent with answers of 2xx and 3xx, 304 included, to GET, HEAD and QUERY. Errors do not carry it, thrown ones and
 * those of `reply(404)` alike. What is answered to a write is nobody's to keep, so there only `noStore` is sent.
 *
 * Several add up, and what a handler sets too: of each directive the inner one counts, `false` takes it away, and of
 * two that contradict each other the outer one goes. So a group says `private`, and a route in it `maxAge` or `public`.
 *
 * Where a request has Authorization or a Cookie, or ctx a `user`, or where the answer sets a cookie, `private` is added
 * unless it was said what shared caches may do: by `public`, `private`, `noStore` or `sMaxAge`. Cookies count because
 * sessions are in them; a page that is the same for all says `public: true`.
 *
 * @throws TypeError for a wrong option, and for two of which one says what the other forbids
 * @example app.get('/books', cacheControl({ maxAge: 60, staleIfError: 600 }), etag(), json(), () => shelf.all())
 */
export function cacheControl(options: CacheControlOptions): Decorator {
  return speaker('cacheControl', readOptions('cacheControl', options))
}

/**
 * `Cache-Control: no-cache`: caches keep the answer, and ask each time whether it is still good, which `etag()` answers
 * with 304. It adds up as `cacheControl()` does. What must not be kept at all is `cacheControl({ noStore: true })`.
 *
 * @example app.get('/cart', noCache(), etag(), json(), ctx => cartOf(ctx.user))
 */
export function noCache(): Decorator {
  return speaker('noCache', readOptions('noCache', { noCache: true }))
}

/**
 * Names the request headers that the answer depends on: `Vary` (RFC 9110 section 12.5.5), added to what is there.
 * Errors carry it too. `vary('*')` says that it depends on more than the request, and no cache uses it again.
 *
 * @throws TypeError for what is no name of a header
 * @example app.get('/', vary('Accept-Language'), ctx => greeting(ctx.acceptsLanguages('en', 'de')))
 */
export function vary(...names: readonly string[]): Decorator {
  if (names.length === 0) throw new TypeError("vary: there is no name. Give those of request headers, vary('Accept').")
  const odd = names.find(name => !isFieldName(name))
  if (odd !== undefined) throw new TypeError(`vary: ${JSON.stringify(odd)} is no name of a header. Give one a string.`)
  const header = { description: `Depends on ${names.join(', ')}` }
  return decorator(
    'vary',
    (ctx, next) => {
      ctx.vary([...names])
      return next()
    },
    { note: { headers: { Vary: header } } },
  )
}

/**
 * `Expires` (RFC 9111 section 5.3), for caches of HTTP/1.0: a date, or so many seconds from the answer on. The others
 * go by `Cache-Control` where both are there. It is sent where `cacheControl()` is, unless something below has set it.
 *
 * @throws TypeError for an invalid date, and for what is no whole number of seconds
 * @example app.get('/menu', cacheControl({ maxAge: 3600 }), expires(3600), json(), () => menu)
 */
export function expires(at: Date | number): Decorator {
  const fixed = at instanceof Date ? fixedDate(at) : undefined
  if (fixed === undefined && !deltaSeconds.test(at))
    throw new TypeError(`expires: ${String(at)} is no time. Give a Date, or ${deltaSeconds.words}.`)
  const header = { description: 'The date until which caches may use the answer' }
  return decorator(
    'expires',
    (ctx, next) =>
      when(next(), value => {
        if (!READING.has(ctx.method) || !isGood(ctx, value)) return value
        if (headerOf(ctx, value, 'Expires') !== undefined) return value
        return withHeader(ctx, value, 'Expires', fixed ?? writeDate(new Date(Date.now() + (at as number) * 1000)))
      }),
    { note: { headers: { Expires: header } } },
  )
}

/** A decorator that says these directives, together with those from below. */
function speaker(name: string, own: Directives): Decorator {
  let last = combine(own, undefined, undefined)

  function speak(ctx: AroundContext & Said, value: unknown): unknown {
    if (!isGood(ctx, value)) return value
    const found = headerOf(ctx, value, 'Cache-Control')
    // Of those taken away, and of a private that was added, the text below knows nothing.
    const below = ctx[said]?.text === (found ?? '') ? ctx[said] : undefined
    if (last.found !== found || last.below !== below?.directives) last = combine(own, found, below?.directives)
    const { directives, open, closed } = last
    if (!READING.has(ctx.method) && directives.get('no-store') !== true) return value
    const text = closed !== undefined && isPersonal(ctx, value) ? closed : open
    ctx[said] = { directives, text }
    return text === (found ?? '') ? value : withHeader(ctx, value, 'Cache-Control', text)
  }

  const header = { description: 'How long caches may use the answer, and which', schema: { examples: [write(own)] } }
  return decorator(name, (ctx, next) => when(next(), value => speak(ctx, value)), {
    note: { headers: { 'Cache-Control': header } },
  })
}

/** What all say together, and as text; `closed` is for who says who he is. Most requests are like the one before. */
function combine(own: Directives, found: string | undefined, below: Directives | undefined) {
  const inner = below ?? (found === undefined ? undefined : parse(found))
  const directives = inner ? merge(own, inner) : own
  const isOpen = !ABOUT_SHARING.some(name => directives.get(name))
  return {
    found,
    below,
    directives,
    open: write(directives),
    closed: isOpen ? write(merge(directives, PRIVATE)) : undefined,
  }
}

/** Is it an answer that caches may keep? What comes when time is up goes nowhere, and ctx has the 503 by then. */
function isGood(ctx: BaseContext, value: unknown): boolean {
  if (value instanceof Error || isOverruled(ctx)) return false
  const status = statusFor(ctx, value)
  return status >= 200 && status < 400
}

/** Does the request, or the answer, say who it is that asks? */
function isPersonal(ctx: BaseContext & { user?: unknown }, value: unknown): boolean {
  const { headers } = ctx.req
  if (headers.authorization !== undefined || headers.cookie !== undefined) return true
  if ((ctx.user ?? ctx.state.user ?? undefined) !== undefined) return true
  return headerOf(ctx, value, 'Set-Cookie') !== undefined
}

function fixedDate(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError('expires: the date is invalid. Give a valid Date.')
  return writeDate(date)
}
