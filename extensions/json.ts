import { Stream } from 'node:stream'
import {
  among,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  kinds,
  nameOf,
  Reply,
  when,
} from '../src/index.ts'

export interface JsonOptions {
  /** Breaks lines and indents. @default false */
  pretty?: boolean
  /** Spaces of each level where it is pretty. @default 2 */
  spaces?: number
  /** As for `JSON.stringify`: a function, or the names of the properties to keep. */
  replacer?: ((this: unknown, key: string, value: unknown) => unknown) | readonly string[]
  /** What a BigInt becomes; as a number it must be a safe integer. @default 'string' */
  bigint?: 'string' | 'number' | 'refuse'
  /** What a Date becomes: ISO 8601 text, or seconds or milliseconds since 1970. @default 'iso' */
  date?: 'iso' | 'seconds' | 'milliseconds'
}

type Replacer = (this: Record<string, unknown>, key: string, value: unknown) => unknown

const replacer: Kind = {
  words: 'a function or a list of names',
  test: value => kinds.function.test(value) || kinds.texts.test(value),
}
const OPTIONS = {
  pretty: kinds.flag,
  spaces: kinds.count,
  replacer,
  bigint: among('string', 'number', 'refuse'),
  date: among('iso', 'seconds', 'milliseconds'),
}

/**
 * Renders the value from below as JSON: `application/json; charset=utf-8`, through `toJSON`, a string included.
 *
 * Without it a value is JSON too; `json()` renders it here, so that what stands above, such as `etag()`, has the bytes.
 * `null` (204), streams, buffers and a web `Response` pass as they are, and a `reply()` keeps its status and headers.
 *
 * @throws TypeError at registration for a wrong option; at the request, as a 500 that the log has with the route's name,
 *   for a value that JSON cannot hold
 * @example app.get('/books', json({ pretty: true }), () => shelf.all())
 */
export function json(options: JsonOptions = {}): Decorator {
  checkOptions('json', options, OPTIONS)
  const stringify = stringifier(options)
  const render = (ctx: BaseContext, value: unknown): unknown => {
    const { body, status, headers } = value instanceof Reply ? value : { body: value, status: undefined, headers: {} }
    if (isRendered(body)) return value
    const type = { 'Content-Type': 'application/json; charset=utf-8' }
    return new Reply(status ?? (ctx.status === 404 ? 200 : ctx.status), write(ctx, stringify, body), {
      ...type,
      ...headers,
    })
  }
  const note = { responses: { 200: { description: 'The value as JSON', content: { 'application/json': {} } } } }
  return decorator('json', (ctx, next) => when(next(), value => render(ctx, value)), { note })
}

/** Nothing, or bytes already. */
function isRendered(body: unknown): boolean {
  if (body === undefined || body === null) return true
  if (typeof body !== 'object') return false
  return (
    body instanceof Stream ||
    body instanceof Uint8Array ||
    [Response, ReadableStream, Blob].some(type => body instanceof type)
  )
}

function write(ctx: BaseContext, stringify: (value: unknown) => string | undefined, body: unknown): string {
  let text: string | undefined
  let cause: unknown
  try {
    text = stringify(body)
  } catch (error) {
    cause = error
  }
  if (text !== undefined) return text
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : `there is no JSON for a ${typeof body}`
  const where = ctx.route ? nameOf(ctx.route) : `${ctx.method} ${ctx.path}`
  throw new TypeError(`${where}: json() cannot render the value: ${reason}.`, { cause })
}

function stringifier({
  pretty,
  spaces = 2,
  replacer,
  bigint = 'string',
  date = 'iso',
}: JsonOptions): (value: unknown) => string | undefined {
  const indent = pretty ? spaces : undefined
  const given = Array.isArray(replacer) ? undefined : (replacer as Replacer | undefined)
  const names = Array.isArray(replacer) ? new Set<string>(replacer) : undefined

  const full: Replacer = function full(key, value) {
    const original = this[key]
    const seen = original instanceof Date && date !== 'iso' ? epoch(original, date) : value
    const kept = names && key !== '' && !Array.isArray(this) && !names.has(key) ? undefined : seen
    const replaced = given ? given.call(this, key, kept) : kept
    return typeof replaced === 'bigint' ? fromBigint(replaced, bigint) : replaced
  }
  if (replacer || date !== 'iso') return value => JSON.stringify(value, full as never, indent)
  // A replacer makes JSON.stringify several times slower, so it is taken only when a BigInt turns up.
  return value => {
    try {
      return JSON.stringify(value, undefined, indent)
    } catch (error) {
      if (bigint === 'refuse' || !/BigInt/.test(String(error))) throw error
      return JSON.stringify(value, full as never, indent)
    }
  }
}

function epoch(date: Date, unit: 'seconds' | 'milliseconds'): number {
  return unit === 'seconds' ? Math.floor(date.getTime() / 1000) : date.getTime()
}

function fromBigint(value: bigint, policy: JsonOptions['bigint']): unknown {
  if (policy === 'string') return value.toString()
  if (policy === 'refuse') return value
  if (Number.isSafeInteger(Number(value))) return Number(value)
  throw new RangeError('a BigInt is too large for a number; use the policy bigint: "string"')
}
