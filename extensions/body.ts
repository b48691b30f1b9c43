import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import zlib from 'node:zlib'
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

export interface BodyOptions {
  /** What is read: JSON (`application/json` and `+json`), forms, plain text. @default ['json', 'form', 'text'] */
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

type Reader = (text: string, limits: { depth: number; keys: number }) => unknown

const READERS: Record<string, { media: string; fits: (type: string) => boolean; read: Reader }> = {
  json: { media: 'application/json', fits: type => /^application\/(?:.+\+)?json$/.test(type), read: readJson },
  form: {
    media: 'application/x-www-form-urlencoded',
    fits: type => type === 'application/x-www-form-urlencoded',
    read: readForm,
  },
  text: { media: 'text/plain', fits: type => type === 'text/plain', read: text => text },
}
const INFLATE: Record<string, () => zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
}
const types: Kind = {
  words: "a list of 'json', 'form' and 'text'",
  test: value => Array.isArray(value) && value.length > 0 && value.every(type => Object.hasOwn(READERS, type)),
}
const OPTIONS = {
  types,
  limit: kinds.bytes,
  depth: kinds.bytes,
  keys: kinds.bytes,
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

  async function readBody(ctx: AroundContext): Promise<unknown> {
    const limit = options.limit ?? ctx.app.settings.limits.body
    const { req } = ctx
    if (!hasBody(req)) {
      if (optional) return undefined
      throw problem(400, { detail: `There is no body. Send one of ${accepted}.` })
    }
    const type = readMediaType(req.headers['content-type'] ?? '')
    const reader = type && readers.find(({ fits }) => fits(type.type))
    if (!type || !reader)
      throw unsupported(`Send the body as ${accepted}, with a Content-Type that says so.`, { Accept: accepted })
    const charset = type.parameters.get('charset')?.toLowerCase() ?? 'utf-8'
    if (!['utf-8', 'utf8', 'us-ascii'].includes(charset))
      throw unsupported('Send the body in UTF-8.', { Accept: accepted })
    const bytes = await readBytes(plainStream(req, inflate), req, limit)
    return reader.read(decode(bytes), { depth, keys })
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

/** RFC 9112 section 6: a request has a body where one of these headers says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function unsupported(detail: string, headers: Record<string, string>): Problem {
  return problem(415, { detail, headers })
}

/** The body without its content coding. */
function plainStream(req: IncomingMessage, inflate: boolean): Readable {
  const coding = req.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (coding === 'identity') return req
  const create = inflate && Object.hasOwn(INFLATE, coding) ? INFLATE[coding] : undefined
  const known = inflate ? 'gzip, deflate, br' : 'identity'
  if (!create)
    throw unsupported(`Send the body in one of these content codings: ${known}.`, { 'Accept-Encoding': known })
  const stream = create()
  req.on('error', error => stream.destroy(error))
  return req.pipe(stream)
}

/** All bytes, up to a limit. It listens to events because leaving an async loop would close the connection unanswered. */
function readBytes(stream: Readable, req: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () =>
    problem(413, { detail: `Send a body of at most ${limit} bytes.`, headers: { Connection: 'close' } })
  return new Promise((resolve, reject) => {
    if (Number(req.headers['content-length']) > limit) return reject(tooLarge())
    const chunks: Buffer[] = []
    let length = 0
    const stop = (error: Error) => {
      stream.off('data', onData)
      if (stream !== req) req.unpipe()
      stream.pause()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      if (length > limit) return stop(tooLarge())
      chunks.push(chunk)
    }
    const cut = problem(400, { detail: 'The body ends too early, or its content coding is broken.' })
    stream.on('data', onData)
    stream.on('end', () => resolve(Buffer.concat(chunks, length)))
    stream.on('error', () => stop(cut))
    req.on('close', () => req.readableEnded || stop(cut))
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed('The body is not UTF-8.')
  }
}

function readJson(text: string, limits: { depth: number; keys: number }): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const place = / at position (\d+)/.exec(String(error))
    throw malformed(`The body is not JSON${place ? `, from character ${place[1]} on` : ''}.`)
  }
  let keys = 0
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return
    if (depth > limits.depth) throw malformed(`The JSON is nested deeper than ${limits.depth} levels.`)
    if (Array.isArray(value)) {
      for (const item of value) look(item, depth + 1)
      return
    }
    for (const key of Object.keys(value)) {
      keys += 1
      if (keys > limits.keys) throw malformed(`The JSON has more than ${limits.keys} names.`)
      const item = (value as Record<string, unknown>)[key]
      if (key === '__proto__' || (key === 'constructor' && hasPrototype(item)))
        throw malformed(`The JSON has the name ${key}.`)
      look(item, depth + 1)
    }
  }
  look(value, 1)
  return value
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

/** `a=1&b=2&b=3`, as the URL standard writes it; in an object without a prototype. */
function readForm(text: string, limits: { keys: number }): Record<string, string | string[]> {
  const form = Object.create(null)
  const pairs = text === '' ? [] : text.split('&')
  if (pairs.length > limits.keys) throw malformed(`The form has more than ${limits.keys} fields.`)
  for (const pair of pairs) {
    const [name, value] = splitPair(pair).map(unescapeForm) as [string, string]
    if (name === '__proto__') throw malformed(`The form has the name ${name}.`)
    form[name] = name in form ? [form[name], value].flat() : value
  }
  return form
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
}

function unescapeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('The percent-encoding of the form is malformed, or is not of UTF-8.')
  }
}

function malformed(detail: string): Problem {
  return problem(400, { detail })
}
