import {
  among,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Headers,
  isBytes,
  type Kind,
  kinds,
  nameOf,
  Reply,
  responseOf,
  statusOf,
  when,
} from '../src/index.ts'

export interface JsonOptions {
  /** Breaks lines and indents. @default false */
  pretty?: boolean
  /** Spaces of each level where it is pretty, at most 10. @default 2 */
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
// JSON.stringify takes more than ten for ten, and says nothing.
const spaces: Kind = {
  words: 'a whole number from 0 to 10',
  test: value => kinds.count.test(value) && (value as number) <= 10,
}
const OPTIONS = {
  pretty: kinds.flag,
  spaces,
  replacer,
  bigint: among('string', 'number', 'refuse'),
  date: among('iso', 'seconds', 'milliseconds'),
}

/**
 * Renders the value from below as JSON: `application/json; charset=utf-8`, through `toJSON`, a string included.
 *
 * Without it a value is JSON too; `json()` renders it here, so that what stands above, such as `etag()`, has the bytes.
 * `null` (204), streams, buffers and a web `Response` pass as they are, and a `reply()` keeps its status and headers,
 * its Content-Type included. So a string that has a Content-Type already, another `json()`'s for one, is not JSON again.
 *
 * @throws TypeError at registration for a wrong option; at the request, as a 500 that the log has with the route's name,
 *   for a value that JSON cannot hold
 * @example app.get('/books', json({ pretty: true }), () => shelf.all())
 */
export function json(options: JsonOptions = {}): Decorator {
  checkOptions('json', options, OPTIONS)
  const stringify = stringifier(options)
  const render = (ctx: BaseContext, value: unknown): unknown => {
    const { body, status, headers } = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
    const type = typeOf(ctx, headers)
    if (isRendered(body) || (type !== undefined && typeof body === 'string')) return value
    const text = write(ctx, stringify, body)
    const all = type ? headers : { 'Content-Type': 'application/json; charset=utf-8', ...headers }
    return new Reply(status, text, all, body)
  }
  const note = { responses: { 200: { description: 'The value as JSON', content: { 'application/json': {} } } } }
  return decorator('json', (ctx, next) => when(next(), value => render(ctx, value)), { note })
}

/** The Content-Type of a reply, or that on ctx where it is one of JSON; Koa may have put another there for a string. */
function typeOf(ctx: BaseContext, headers: Headers): unknown {
  const name = Object.keys(headers).find(name => name.toLowerCase() === 'content-type')
  return name ? headers[name] : responseOf(ctx)?.is('json', '+json') || undefined
}

/** Nothing, bytes already, or an error, which the core answers. */
function isRendered(body: unknown): boolean {
  return body === undefined || body === null || isBytes(body) || body instanceof Error
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
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : `there is no JSON for this ${typeof body}`
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
  const names = Array.isArray(replacer) ? (replacer as string[]) : undefined

  const full: Replacer = function full(key, value) {
    const original = this[key]
    const seen = original instanceof Date && date !== 'iso' ? epoch(original, date) : value
    const replaced = given ? given.call(this, key, seen) : names ? pick(seen, names) : seen
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

/** What JSON.stringify itself does with a list of names; they stand in the order of the list. */
function pick(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const object = value as Record<string, unknown>
  return Object.fromEntries(names.filter(name => name in object).map(name => [name, object[name]]))
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
