import { checkOptions, type Kind, kinds } from '../../src/index.ts'

/** What `cacheControl()` takes; `false` takes away what one further out says. */
export interface CacheControlOptions {
  /** Seconds for which any cache may use the answer without asking. */
  maxAge?: number | false
  /** The same for shared caches, which then leave `maxAge` to the others. */
  sMaxAge?: number | false
  /** Shared caches may keep it, although the request was authenticated. */
  public?: boolean
  /** Only the client's own cache may keep it; or the names of the header fields that only it may keep. */
  private?: boolean | readonly string[]
  /** No cache may keep it. */
  noStore?: boolean
  /** It is kept, and used only after asking; or the names of the header fields of which that is so. */
  noCache?: boolean | readonly string[]
  /** Nobody on the way may change the content. */
  noTransform?: boolean
  /** Once it is stale it is not used without asking, whatever happens. */
  mustRevalidate?: boolean
  /** The same for shared caches alone. */
  proxyRevalidate?: boolean
  /** Kept only by caches that know the status. It goes with `noStore`, for those that do not know this directive. */
  mustUnderstand?: boolean
  /** It will not change while it is fresh, so that a reload need not ask (RFC 8246). */
  immutable?: boolean
  /** Seconds for which a stale answer may be used while a cache asks for a new one (RFC 5861 section 3). */
  staleWhileRevalidate?: number | false
  /** Seconds for which a stale answer may be used where asking fails (RFC 5861 section 4). */
  staleIfError?: number | false
}

/** Directives by their names on the wire: the text behind `=`, true where there is none, false for one taken away. */
export type Directives = ReadonlyMap<string, string | boolean>

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/

/** Is it a name that a header field may have (RFC 9110 section 5.1)? */
export function isFieldName(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

/** RFC 9111 section 1.2.2: caches take what is greater for 2147483648. */
export const deltaSeconds: Kind = {
  words: 'a whole number of seconds from 0 to 2147483648',
  test: value => kinds.count.test(value) && (value as number) <= 2 ** 31,
}
const seconds: Kind = {
  words: `${deltaSeconds.words}, or false`,
  test: value => value === false || deltaSeconds.test(value),
}
const fields: Kind = {
  words: 'true, false, or a list of names of header fields',
  test: value => kinds.flag.test(value) || (Array.isArray(value) && value.length > 0 && value.every(isFieldName)),
}

/** In the order in which they are written. */
const OPTIONS: Record<keyof CacheControlOptions, [name: string, kind: Kind]> = {
  public: ['public', kinds.flag],
  private: ['private', fields],
  mustUnderstand: ['must-understand', kinds.flag],
  noStore: ['no-store', kinds.flag],
  noCache: ['no-cache', fields],
  maxAge: ['max-age', seconds],
  sMaxAge: ['s-maxage', seconds],
  mustRevalidate: ['must-revalidate', kinds.flag],
  proxyRevalidate: ['proxy-revalidate', kinds.flag],
  immutable: ['immutable', kinds.flag],
  staleWhileRevalidate: ['stale-while-revalidate', seconds],
  staleIfError: ['stale-if-error', seconds],
  noTransform: ['no-transform', kinds.flag],
}
const NAMES = Object.values(OPTIONS).map(([name]) => name)

/**
 * Of two of these, one says what the other forbids. A time of 0 s allows nothing, and so is against nothing; nor are
 * `private` and `no-cache` of single fields. RFC 9111 sections 5.2.2 and 4.2.4.
 */
const AGAINST: readonly [string, readonly string[]][] = [
  ['private', ['public', 's-maxage']],
  ['no-store', ['public', 'max-age', 's-maxage', 'immutable', 'stale-while-revalidate', 'stale-if-error']],
  ['no-cache', ['max-age', 's-maxage', 'immutable', 'stale-while-revalidate', 'stale-if-error']],
  ['must-revalidate', ['stale-while-revalidate', 'stale-if-error']],
]
const PAIRS = AGAINST.flatMap(([name, others]) => others.map(other => [name, other] as const))

/**
 * Directives from options.
 *
 * @throws TypeError for a wrong option, for none, and for two of which one says what the other forbids
 */
export function readOptions(where: string, options: CacheControlOptions = {}): Directives {
  checkOptions(where, options, Object.fromEntries(Object.entries(OPTIONS).map(([key, [, kind]]) => [key, kind])))
  const given = Object.entries(OPTIONS).flatMap(([key, [name]]) => {
    const value = options[key as keyof CacheControlOptions]
    return value === undefined ? [] : [[name, onWire(value)] as const]
  })
  if (given.length === 0) throw new TypeError(`${where}: there is nothing to say. Give { maxAge: 60 } or the like.`)
  const directives = new Map(given)
  const pair = contradictions(directives)[0]
  if (pair) {
    const [one, other] = pair.map(optionOf)
    throw new TypeError(`${where}: ${one} and ${other} contradict each other. Leave one of them out.`)
  }
  if (directives.get('must-understand') && !directives.get('no-store'))
    throw new TypeError(`${where}: mustUnderstand goes with noStore, for caches that do not know it. Give both.`)
  return directives
}

/** Reads a Cache-Control header (RFC 9111 section 5.2); of a directive that is there twice, the first. */
export function parse(text: string): Directives {
  const found = new Map<string, string | boolean>()
  for (const [, name = '', value] of text.matchAll(/([^\s,=]+)(?:=("(?:[^"\\]|\\.)*"|[^\s,]*))?/g)) {
    const key = name.toLowerCase()
    if (!found.has(key)) found.set(key, value ?? true)
  }
  return found
}

/** Both together: of one that both have, and of two that contradict each other, what the inner one says counts. */
export function merge(outer: Directives, inner: Directives): Directives {
  const all = new Map([...outer, ...inner])
  if (inner.get('no-store') && !inner.get('must-understand')) all.delete('must-understand')
  for (const [one, other] of contradictions(all)) {
    if (inner.get(one) && inner.get(other)) continue
    all.delete(inner.get(one) ? other : one)
  }
  return all
}

/** As a header, without those that were taken away. */
export function write(directives: Directives): string {
  const others = [...directives.keys()].filter(name => !NAMES.includes(name))
  return [...NAMES, ...others]
    .filter(name => directives.get(name))
    .map(name => (directives.get(name) === true ? name : `${name}=${directives.get(name)}`))
    .join(', ')
}

/** The number of seconds that a directive says, undefined where it says none. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const text = directives.get(name)
  if (typeof text !== 'string') return undefined
  const digits = text.replace(/^"(.*)"$/, '$1')
  return /^\d+$/.test(digits) ? Number(digits) : undefined
}

function contradictions(all: Directives): (readonly [string, string])[] {
  return PAIRS.filter(([one, other]) => {
    // A cache that understands leaves no-store out of account: RFC 9111 section 5.2.2.3.
    if (one === 'no-store' && all.get('must-understand')) return false
    return all.get(one) === true && (all.get(other) === true || (secondsOf(all, other) ?? 0) > 0)
  })
}

function onWire(value: number | boolean | readonly string[]): string | boolean {
  if (typeof value === 'boolean') return value
  return typeof value === 'number' ? String(value) : `"${value.join(', ')}"`
}

function optionOf(name: string): string | undefined {
  return Object.entries(OPTIONS).find(([, [its]]) => its === name)?.[0]
}
