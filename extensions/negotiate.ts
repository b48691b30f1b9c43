import { Stream } from 'node:stream'
import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Headers,
  isBytes,
  kinds,
  type Note,
  type Problem,
  problem,
  Reply,
  statusOf,
  when,
} from '../src/index.ts'
import { mediaTypeChooser } from './negotiate/accept.ts'
import { isFlowing, placeOf, type Rendered } from './negotiate/rendering.ts'
import { checkShorts, type Representation, readRepresentations } from './negotiate/representations.ts'

export { preferredCharset, preferredLanguage, preferredMediaType } from './negotiate/accept.ts'
export { type CsvOptions, csv } from './negotiate/csv.ts'
export { preferredEncoding } from './negotiate/encoding.ts'
export { languages } from './negotiate/languages.ts'
export type { Rendered, Rendering } from './negotiate/rendering.ts'
export { yaml } from './negotiate/yaml.ts'

export interface ProducesOptions {
  /** Lets `?format=csv` choose, before `Accept` does. @default false */
  format?: boolean
  /** Lets `/books.csv` choose, beside `/books`. A path that is `/` or ends in a wildcard has none. @default false */
  suffix?: boolean
}

/** What `produces()` adds to ctx: the media type that was chosen, as it was given. */
export interface Representing<K extends string = string> {
  representation: K
}

/** What a handler returns for renderings that say what they take. */
type Produced<T> = unknown extends T ? unknown : T | Reply | Response | Problem | null

/**
 * Says one value in several ways, and lets the client choose by `Accept` (RFC 9110 section 12.5.1), before the handler
 * runs: the highest q, the first of equal ones, the first where there is no preference, and 406 with the list where
 * nothing fits. What is chosen is `ctx.representation`, by which `etag()` tells the representations apart, and `Vary`
 * says `Accept`, always.
 *
 * A rendering is a function of the value and ctx, or `true` for JSON. A `reply()` keeps its status and headers, errors
 * that are returned included. `null`, bytes, streams of bytes, a web `Response` and a reply with a Content-Type of its own
 * pass as they are; an async generator and a stream of objects are collections, which JSON, `csv()` and `yaml()` write as
 * they come. What is thrown is a problem document, in JSON.
 *
 * It stands where `json()` would: below `etag()`, above `output()`. In a URL a representation is `json`, `csv`, `yaml`,
 * `html`, `xml`, `txt`, or the last part of its subtype.
 *
 * @throws TypeError for no renderings, for a key that is no media type, for a rendering that is none, and for two types
 *   with one name in a URL; at the request, as a 500, for a rendering that gives nothing to send
 * @example
 * app.get('/books', produces({ 'application/json': true, 'text/csv': csv(), 'text/html': page }, { suffix: true }), list)
 */
export function produces<T = unknown, const K extends string = string>(
  // A function type, and not Rendering<T>, of which TypeScript would infer that all take the same.
  renderings: { readonly [Type in K]: true | ((value: T, ctx: BaseContext) => Awaitable<Rendered>) },
  options: ProducesOptions = {},
): Decorator<Representing<K>, BaseContext, Produced<T>> {
  checkOptions('produces', options, { format: kinds.flag, suffix: kinds.flag })
  const all = readRepresentations(renderings)
  const { format = false, suffix = false } = options
  if (format || suffix) checkShorts(all)
  const byAccept = mediaTypeChooser(all.map(({ contentType }) => contentType))

  const choose = (ctx: AroundContext, isSuffixed: boolean): Representation => {
    ctx.vary('Accept')
    const suffix = isSuffixed ? /\.(\w+)\/?$/.exec(ctx.path)?.[1] : undefined
    const named = all.find(({ short }) => short === suffix)
    if (named) return named
    const asked = format ? ctx.query.format : undefined
    if (Array.isArray(asked)) throw problem(400, { detail: 'Send format once.' })
    const type = asked === undefined ? byAccept(ctx.req.headers.accept) : undefined
    const found = all.find(it => (asked === undefined ? it.contentType === type : it.short === asked))
    if (!found) throw refusal(all, asked !== undefined)
    return found
  }
  const around = (isSuffixed: boolean) => (ctx: AroundContext, next: (added: Representing<K>) => unknown) => {
    const chosen = choose(ctx, isSuffixed)
    return when(next({ representation: chosen.type as K }), value => render(ctx, value, chosen))
  }

  const suffixed = (path: string) => (suffix && !/^\/$|\*(?:[^/{}]+)\}*\/?$/.test(path) ? all : [])
  return decorator('produces', around(false), {
    note: noteOf(all, format),
    paths: ({ path }) => suffixed(path).map(({ short }) => `${path.replace(/\/$/, '')}.${short}`),
    register: ({ path }) => around(suffixed(path).length > 0),
  }) as never
}

/** 406 with what there is, as RFC 9110 section 15.5.7 wants it. */
function refusal(all: readonly Representation[], isFormat: boolean): Problem {
  const available = all.map(({ type }) => type)
  const names = all.map(({ short }) => short)
  const detail = isFormat ? `The formats are ${names.join(', ')}.` : `This is available as ${available.join(', ')}.`
  return problem(406, { detail, available })
}

function render(ctx: BaseContext, value: unknown, { type, contentType, render }: Representation): unknown {
  const reply = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
  if (isDone(ctx, reply)) return value
  const { status, body, headers } = reply
  return when(render(body as never, ctx), text => {
    if (typeof text !== 'string' && !isBytes(text))
      throw new TypeError(
        `${placeOf(ctx)}: the rendering of ${type} gave ${typeof text}. Return text, bytes or a stream.`,
      )
    lend(ctx, text)
    return new Reply(status, text, { 'Content-Type': contentType, ...headers }, body)
  })
}

/** Statuses that have no body: RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
const EMPTY = [204, 205, 304]

/** Is there nothing to render: no body, an error, or what is bytes or text of a type already? */
function isDone({ response }: BaseContext, { status, body, headers }: Reply): boolean {
  if (body === undefined || body === null || body instanceof Error || EMPTY.includes(status)) return true
  if (isBytes(body) && !isFlowing(body)) return true
  return hasType(headers) || (typeof body === 'string' && response.is('json', '+json') !== false)
}

function hasType(headers: Headers): boolean {
  return Object.keys(headers).some(name => name.toLowerCase() === 'content-type')
}

/** A stream may fail while what stands above is at work, or never be sent. */
function lend({ res }: BaseContext, text: unknown): void {
  if (!(text instanceof Stream)) return
  text.on('error', () => {})
  res.once('close', () => (text as Stream & { destroy?: () => void }).destroy?.())
}

function noteOf(all: readonly Representation[], format: boolean): Note {
  const content = Object.fromEntries(all.map(({ type }) => [type, {}]))
  const schema = { type: 'string', enum: all.map(({ short }) => short) }
  return {
    ...(format && { parameters: [{ name: 'format', in: 'query', description: 'Chooses before Accept does', schema }] }),
    responses: {
      200: { description: 'The value, as it is asked for', content },
      406: { description: 'Nothing that Accept names is available' },
    },
  }
}
