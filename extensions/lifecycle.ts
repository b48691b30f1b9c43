import {
  type AroundContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  kinds,
  type Note,
  nameOf,
  problem,
  when,
} from '../src/index.ts'
import { readDate } from '../src/schema/index.ts'

export { type Versioned, type VersionsOptions, versions } from './lifecycle/versions.ts'

export interface DeprecatedOptions {
  /** From when on it should not be used any more, past or future: a Date, or ISO text such as '2026-01-01'. */
  since: Date | string
  /** When it is expected to stop working; not before `since`. */
  sunset?: Date | string
  /** A page for developers that says what to do: an absolute URI, or one relative to the request's. */
  link?: string
  /** What takes its place: a URI, or a function of ctx where the path has parameters. */
  successor?: string | ((ctx: AroundContext) => string)
  /** Answers 410 from `sunset` on. @default false */
  gone?: boolean
}

/**
 * Says that an endpoint is to be left: `Deprecation: @1767225600` (RFC 9745), `Sunset` (RFC 8594), and a `Link` for
 * each of `link` (rel deprecation, and sunset where there is one) and `successor` (rel successor-version, RFC 5829),
 * beside those that are there.
 *
 * Deprecation and Sunset are on errors too; the links are not, as with every error. With `gone` all requests from
 * `sunset` on are 410 without running what stands below, and that one has the links.
 *
 * @throws TypeError for a date or a URI that is none, for a sunset before `since` (RFC 9745 section 4), and for `gone`
 *   without a sunset
 * @example
 * app.get('/v1/books', deprecated({ since: '2026-01-01', sunset: '2027-01-01', successor: '/v2/books' }), json(), list)
 * app.get('/v1/books/:id', deprecated({ since: '2026-01-01', successor: ctx => `/v2/books/${ctx.params.id}` }), show)
 */
export function deprecated(options: DeprecatedOptions): Decorator {
  checkOptions('deprecated', options, OPTIONS)
  const since = toDate(options?.since)
  if (!since) throw new TypeError("deprecated: there is no date. Give since, as in { since: '2026-01-01' }.")
  const sunset = toDate(options.sunset)
  if (sunset && sunset < since)
    throw new TypeError('deprecated: the sunset is before since. Give a later one, or an earlier since.')
  if (options.gone && !sunset) throw new TypeError('deprecated: gone needs a date. Give a sunset, or leave gone out.')
  const { successor, link, gone } = options
  const deprecation = `@${Math.floor(since.getTime() / 1000)}`

  const around = (ctx: AroundContext, next: () => unknown) => {
    ctx.set('Deprecation', deprecation)
    if (sunset) ctx.set('Sunset', sunset.toUTCString())
    if (gone && sunset && Date.now() >= sunset.getTime()) throw endOf(sunset, linksOf(ctx, options))
    if (!link && !successor) return next()
    // On the way up, because a handler in Koa's way replaces what stands there.
    return when(next(), value => {
      ctx.append('Link', linksOf(ctx, options))
      return value
    })
  }
  return decorator('deprecated', around, { note: noteOf(options) })
}

const isLink = (value: unknown) => kinds.text.test(value) && isReference(value as string)
const date: Kind = {
  words: "a Date from 1970 on, or ISO text such as '2026-01-01' or '2026-01-01T12:00:00Z'",
  test: value => toDate(value) !== undefined,
}
const OPTIONS = {
  since: date,
  sunset: date,
  link: { words: 'a URI, with all that is not ASCII percent-encoded', test: isLink },
  successor: {
    words: 'a URI, with all that is not ASCII percent-encoded, or a function of ctx',
    test: (value: unknown) => kinds.function.test(value) || isLink(value),
  },
  gone: kinds.flag,
}

/** What both headers can hold: HTTP has four digits for a year. */
function toDate(value: unknown): Date | undefined {
  const date = typeof value === 'string' ? readDate(value) : value
  if (!(date instanceof Date)) return undefined
  return date.getTime() >= 0 && date.getTime() < Date.UTC(10_000, 0) ? date : undefined
}

/** A URI reference, RFC 3986: of its characters alone, and one that can be resolved. */
function isReference(text: string): boolean {
  return /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\da-f]{2})+$/i.test(text) && URL.canParse(text, 'http://localhost')
}

function linksOf(ctx: AroundContext, { sunset, link, successor }: DeprecatedOptions): string[] {
  const next = typeof successor === 'function' ? encode(given(ctx, successor(ctx))) : successor
  return [
    ...(link ? [`<${link}>; rel="deprecation"`] : []),
    ...(link && sunset ? [`<${link}>; rel="sunset"`] : []),
    ...(next ? [`<${next}>; rel="successor-version"`] : []),
  ]
}

/** @throws TypeError for what is no text */
function given({ route, path }: AroundContext, uri: unknown): string {
  if (kinds.text.test(uri)) return uri as string
  const place = route ? nameOf(route) : path
  throw new TypeError(`${place}: the successor of deprecated is ${uri === '' ? 'empty' : typeof uri}. Return a URI.`)
}

/** Only what may stand between the brackets of a link; the rest is percent-encoded, line breaks included. */
function encode(uri: string): string {
  return uri.toWellFormed().replace(/[^\x21\x23-\x3b\x3d\x3f-\x7e]+/g, encodeURIComponent)
}

function endOf(sunset: Date, links: string[]) {
  const advice = links.length > 0 ? ' See the links of this answer.' : ''
  return problem(410, {
    detail: `This came to its end on ${sunset.toUTCString()}.${advice}`,
    headers: links.length > 0 ? { Link: links } : {},
  })
}

function noteOf({ sunset, gone }: DeprecatedOptions): Note {
  return {
    deprecated: true,
    headers: {
      Deprecation: { description: 'From when on this is deprecated, RFC 9745', schema: { type: 'string' } },
      ...(sunset && { Sunset: { description: 'When this ends, RFC 8594', schema: { type: 'string' } } }),
    },
    ...(gone && { responses: { 410: { description: 'This has come to its end' } } }),
  }
}
