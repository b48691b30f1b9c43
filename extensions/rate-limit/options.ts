import { type AroundContext, type Awaitable, among, checkOptions, type Kind, kinds } from '../../src/index.ts'
import { memoryStore } from './memory-store.ts'
import { type Algorithm, isPer, type Per, type Rule, readRate, readRule } from './rule.ts'
import type { RateLimitStore } from './store.ts'
import type { Key } from './who.ts'

export interface RateLimitOptions<Needs = unknown> {
  /** How many are let through in the time `per`. */
  limit: number
  /** Whole seconds, or text: `'min'`, `'15min'`, `'hour'`, `'day'`; at most a year. */
  per: Per
  /**
   * How it is counted. `fixed`: a window begins with the first request, and the next one after it. `sliding`: windows
   * without an edge at which twice as many come. `gcra`: an even rate, and `burst` of them at once. @default 'fixed'
   */
  algorithm?: Algorithm
  /** How many may come at once; of `gcra` alone. @default limit */
  burst?: number
  /**
   * What the headers call it; and Redis, where one name with the same numbers is one count. Without a name it is counted
   * in Redis by the route on which it stands first. @default 'default'
   */
  name?: string
  /**
   * Whose requests are counted together: `'user'`, which is the address where nobody has signed in; `'address'`, IPv6
   * by /64; or a function that gives text, a number or a list of them, and undefined for `'user'`. @default 'user'
   */
  key?: Key<Needs>
  /** How much of the limit a request takes, as a whole number. @default 1 */
  cost?: number | ((ctx: AroundContext & Needs) => Awaitable<number>)
  /** Counts only answers of which this is true, such as failures. What is under way counts until it has ended. */
  when?: (status: number, ctx: AroundContext & Needs) => boolean
  /** Is this request let through, and not counted? */
  skip?: (ctx: AroundContext & Needs) => Awaitable<unknown>
  /** Counts, logs what it would refuse, refuses nothing, and sends no headers. @default false */
  dryRun?: boolean
  /** Sends X-RateLimit-Limit, -Remaining and -Reset (seconds since 1970) too. @default false */
  legacyHeaders?: boolean
  /** Where it is counted. @default a `memoryStore()` of its own */
  store?: RateLimitStore
  /** What becomes of requests while the store does not answer. @default 'refuse' with `when`, which is 503, else 'allow' */
  onStoreFailure?: 'allow' | 'refuse'
}

/** The options with their defaults. */
export interface Settings {
  readonly rule: Rule
  readonly name: string | undefined
  readonly key: Key<never>
  readonly cost: number | ((ctx: never) => Awaitable<number>)
  readonly counts: ((status: number, ctx: never) => boolean) | undefined
  readonly skip: ((ctx: never) => Awaitable<unknown>) | undefined
  readonly dryRun: boolean
  readonly legacyHeaders: boolean
  readonly store: RateLimitStore
  /** Is it a store that may count for others too? */
  readonly isShared: boolean
  readonly mayFail: boolean
}

const isFunction = kinds.function.test
const positive: Kind = {
  words: 'a whole number from 1',
  test: value => kinds.count.test(value) && (value as number) > 0,
}
const OPTIONS: Record<keyof RateLimitOptions, Kind> = {
  limit: positive,
  per: { words: "whole seconds from 1 to 31536000, or text like 'min', '15min', 'hour' or 'day'", test: isPer },
  algorithm: among('fixed', 'sliding', 'gcra'),
  burst: positive,
  name: {
    words: 'at most 64 letters, digits and ._:-',
    test: value => typeof value === 'string' && /^[\w.:-]{1,64}$/.test(value),
  },
  key: {
    words: "'user', 'address' or a function",
    test: value => value === 'user' || value === 'address' || isFunction(value),
  },
  cost: { words: 'a whole number from 1, or a function', test: value => positive.test(value) || isFunction(value) },
  when: kinds.function,
  skip: kinds.function,
  dryRun: kinds.flag,
  legacyHeaders: kinds.flag,
  store: {
    words: 'a store, such as memoryStore() or redisStore(client)',
    test: value => isFunction(Object(value).take) && isFunction(Object(value).giveBack),
  },
  onStoreFailure: among('allow', 'refuse'),
}

/** @throws TypeError for a wrong option, and for what does not go together: no mistake makes a limit that is none */
export function readOptions(first: unknown, more: object): Settings {
  const options = readBoth(first, more)
  const { key = 'user', cost = 1, when: counts, skip, dryRun = false, legacyHeaders = false, name, store } = options
  const { onStoreFailure = counts ? 'refuse' : 'allow' } = options
  const rule = readRule(options)
  if (counts && rule.algorithm === 'gcra')
    throw new TypeError('rateLimit: gcra cannot give back what `when` does not count. Take fixed or sliding.')
  if (typeof cost === 'number' && cost > rule.burst)
    throw new TypeError(
      `rateLimit: the cost is ${cost} and at most ${rule.burst} fit, so nothing would pass. Lower it.`,
    )
  return {
    rule,
    name,
    key,
    cost,
    counts,
    skip,
    dryRun,
    legacyHeaders,
    store: store ?? memoryStore(),
    isShared: store !== undefined,
    mayFail: onStoreFailure === 'allow',
  }
}

function readBoth(first: unknown, more: object): RateLimitOptions<never> {
  const { limit: _, per: __, ...others } = OPTIONS
  checkOptions('rateLimit', more, others)
  if (typeof first === 'string') return { ...more, ...readRate(first) } as never
  checkOptions('rateLimit', first, OPTIONS)
  const { limit, per } = Object(first)
  if (limit === undefined || per === undefined)
    throw new TypeError("rateLimit: there is no limit. Give '100/min', or { limit: 100, per: 'min' }.")
  return first as never
}
