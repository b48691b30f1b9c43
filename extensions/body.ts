import {
  type AroundContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  kinds,
  type Problem,
  problem,
  readMediaType,
} from '../src/index.ts'
import { type Parse, parseForm, parseJson, parseText } from './body/parse.ts'
import { hasBody, readBytes } from './body/read-bytes.ts'

export interface BodyOptions {
  /** What is read: JSON (`application/json` and `application/*+json`), forms, plain text. @default ['json', 'form', 'text'] */
  types?: readonly ('json' | 'form' | 'text')[]
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

/** What `body()` adds to ctx. It is unknown because nobody has checked it yet: that is `input()`'s to do. */
export interface BodyInput {
  input: { body: unknown }
}

const FORM = 'application/x-www-form-urlencoded'
const READERS: Record<string, { media: string; fits: (type: string) => boolean; parse: Parse }> = {
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
const OPTIONS = {
  types,
  limit: kinds.bytes,
  depth: number,
  keys: number,
  inflate: kinds.flag,
  optional: kinds.flag,
}

/**
 * Reads the body by its declared type, as `ctx.input.body`: JSON (RFC 8259, UTF-8, no `__proto__` nor
 * `constructor.prototype`), a form as an object of strings (of lists where a name repeats), or text.
 *
 * Answers 415 for another type, charset or coding, 413 past the limit, and 400 for what is malformed or not there.
 * A body that a Koa middleware has parsed already, as `ctx.request.body`, is taken as it is.
 *
 * @throws TypeError for a wrong option
 * @example app.post('/books', body({ types: ['json'] }), ctx => shelf.add(ctx.input.body))
 */
export function body(options: BodyOptions = {}): Decorator<BodyInput> {
  checkOptions('body', options, OPTIONS)
  const { types = ['json', 'form', 'text'], depth = 64, keys = 10_000, inflate = false, optional = false } = options
  const readers = types.map(type => READERS[type] as (typeof READERS)[string])
  const accepted = readers.map(({ media }) => media).join(', ')

  async function readBody({ app, req }: AroundContext): Promise<unknown> {
    const parse = hasBody(req) ? parserFor(req) : undefined
    const bytes = parse && (await readBytes(req, options.limit ?? app.settings.limits.body, inflate))
    // A body that comes in chunks may turn out to have none.
    if (parse && bytes && bytes.length > 0) return parse(bytes, { depth, keys })
    if (optional) return undefined
    throw problem(400, { detail: `There is no body. Send one of ${accepted}.` })
  }

  /** Node keeps the first Content-Type of several and something before the app may have looked at the last, so one it is. */
  function parserFor({ headers, headersDistinct }: AroundContext['req']): Parse {
    const type =
      headersDistinct['content-type']?.length === 1 ? readMediaType(headers['content-type'] ?? '') : undefined
    const reader = type && readers.find(({ fits }) => fits(type.type))
    if (!reader) throw unsupported(`Send the body as ${accepted}, with one Content-Type that says so.`)
    const charset = type.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
    if (!['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw unsupported('Send the body in UTF-8.')
    return reader.parse
  }

  function unsupported(detail: string): Problem {
    return problem(415, { detail, headers: { Accept: accepted } })
  }

  return decorator(
    'body',
    async (ctx, next) => {
      const { input } = ctx as { input?: object }
      if (input && 'body' in input) return next({ input })
      const parsed = (ctx.request as { body?: unknown }).body
      const body = parsed === undefined ? await readBody(ctx) : parsed
      return next({ input: { ...input, body } })
    },
    {
      note: {
        requestBody: { required: !optional, content: Object.fromEntries(readers.map(({ media }) => [media, {}])) },
        responses: {
          400: { description: 'The body is malformed or missing' },
          413: { description: 'The body is too large' },
          415: { description: 'The body is of another media type' },
        },
      },
    },
  )
}
