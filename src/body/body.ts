import { checkOptions, type Kind, kinds } from '../check.ts'
import type { BaseContext } from '../context.ts'
import { readMediaType } from '../media-type.ts'
import { type Problem, problem } from '../problem.ts'
import { remember } from '../remember.ts'
import type { Note } from '../route.ts'
import { type Parse, parseForm, parseJson, parseText } from './parse.ts'
import { hasBody, readBytes } from './read-bytes.ts'

export { excessOf, parseJson } from './parse.ts'

export type BodyType = 'json' | 'form' | 'text'

export interface BodyOptions {
  /** What is read: JSON (`application/json` and `application/*+json`), forms, plain text. @default ['json', 'form', 'text'] */
  types?: readonly BodyType[]
  /** Bytes, counted while reading and after inflation, else 413. @default the app's `limits.body`, 1 MiB */
  limit?: number
  /** Levels of nesting in JSON, else 400. @default 64 */
  depth?: number
  /** Names in JSON or a form, else 400. @default 10000 */
  keys?: number
  /** Reads bodies in gzip, deflate and br, else 415. @default false */
  inflate?: boolean
  /** Lets a request without a body pass, with `ctx.input.body` undefined, else 400. @default false */
  optional?: boolean
}

/** A body as it was read: its value, and as what it came. There is neither where there was no body. */
export interface Body<T extends string = BodyType> {
  readonly value: unknown
  readonly type: T | undefined
}

/** A kind of body: the media type by which it is named, those that are read as it, and how. */
export interface BodyKind {
  readonly media: string
  readonly fits: (type: string) => boolean
  readonly parse: Parse
}

/** What reads the bodies of a route, made once. */
export interface BodyReader<T extends string = BodyType> {
  readonly note: Note
  /** The media types it reads. */
  readonly media: readonly string[]
  read(ctx: BaseContext): Promise<Body<T>>
  /** @throws Problem 415 for a type that it does not read */
  typeOf(req: BaseContext['req']): T
}

const FORM = 'application/x-www-form-urlencoded'
const READERS: Record<BodyType, BodyKind> = {
  json: { media: 'application/json', fits: type => /^application\/(?:.+\+)?json$/.test(type), parse: parseJson },
  form: { media: FORM, fits: type => type === FORM, parse: parseForm },
  text: { media: 'text/plain', fits: type => type === 'text/plain', parse: parseText },
}
const types: Kind = {
  words: "a list of 'json', 'form' and 'text'",
  test: value => Array.isArray(value) && value.length > 0 && value.every(type => Object.hasOwn(READERS, type)),
}
const number: Kind = {
  words: 'a whole number from 1',
  test: value => Number.isSafeInteger(value) && (value as number) > 0,
}

/** The options of a body reader, as `checkOptions` wants them. */
export const BODY_OPTIONS = {
  types,
  limit: kinds.bytes,
  depth: number,
  keys: number,
  inflate: kinds.flag,
  optional: kinds.flag,
}

function hasOneType({ rawHeaders }: BaseContext['req']): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 12 && name.toLowerCase() === 'content-type') count += 1
  }
  return count === 1
}

/**
 * Makes what reads a body by its declared type: 415 for another type, charset or coding, 413 past the limit, 400 for
 * what is malformed or not there. A body that a Koa middleware has parsed, as `ctx.request.body`, is taken as it is.
 *
 * @throws TypeError for a wrong option
 */
export function bodyReader(where: string, options: BodyOptions = {}): BodyReader {
  checkOptions(where, options, BODY_OPTIONS)
  const types = options.types ?? ['json', 'form', 'text']
  const reader = readerOf(new Map(types.map(type => [type, READERS[type]])), options)

  function read(ctx: BaseContext): Promise<Body> {
    const parsed = (ctx.request as { body?: unknown }).body
    if (parsed === undefined) return reader.read(ctx)
    return Promise.resolve({ value: parsed, type: ctx.is(FORM) ? 'form' : 'json' })
  }

  return { ...reader, read }
}

/**
 * Makes what reads bodies of other kinds than `body()` does, and as strictly.
 *
 * @param header in which a 415 lists their media types: PATCH has one of its own (RFC 5789 section 3.1)
 */
export function readerOf<T extends string>(
  kinds: ReadonlyMap<T, BodyKind>,
  { depth = 64, keys = 10_000, inflate = false, optional = false, limit }: Omit<BodyOptions, 'types'>,
  header = 'Accept',
): BodyReader<T> {
  const media = [...kinds.values()].map(({ media }) => media)
  const accepted = media.join(', ')
  const limits = { depth, keys }
  const typeNamed = remember(32, findType)

  function read(ctx: BaseContext): Promise<Body<T>> {
    const { app, req } = ctx
    try {
      if (!hasBody(req)) return Promise.resolve(nothing())
      const type = typeOf(req)
      const { parse } = kinds.get(type) as BodyKind
      // A body that comes in chunks may turn out to have none.
      return readBytes(req, limit ?? app.settings.limits.body, inflate, bytes =>
        bytes.length > 0 ? { value: parse(bytes, limits), type } : nothing(),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function nothing(): Body<T> {
    if (optional) return { value: undefined, type: undefined }
    throw problem(400, { detail: `There is no body. Send one of ${accepted}.` })
  }

  /** Node keeps the first Content-Type of several and something before the app may have looked at the last, so one it is. */
  function typeOf(req: BaseContext['req']): T {
    const type = hasOneType(req) ? typeNamed(req.headers['content-type'] ?? '') : undefined
    if (!type) throw unsupported(`Send the body as ${accepted}, with one Content-Type that says so.`)
    return type
  }

  function findType(header: string): T | undefined {
    const media = readMediaType(header)
    const [type] = (media && [...kinds].find(([, { fits }]) => fits(media.type))) ?? []
    if (!media || !type) return
    const charset = media.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
    if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw unsupported('Send the body in UTF-8.')
    return type
  }

  function unsupported(detail: string): Problem {
    return problem(415, { detail, headers: { [header]: accepted } })
  }

  const note: Note = {
    requestBody: { required: !optional, content: Object.fromEntries(media.map(it => [it, {}])) },
    responses: {
      400: { description: 'The body is malformed or missing' },
      413: { description: 'The body is too large' },
      415: { description: 'The body is of another media type' },
    },
  }
  return { note, media, read, typeOf }
}
