import { type AroundContext, type BaseContext, type Decorator, decorator, type Route } from '../src/index.ts'
import { NOTE, policyOf } from './rate-limit/answer.ts'
import { attach } from './rate-limit/attach.ts'
import { counter } from './rate-limit/counter.ts'
import { watchForNew } from './rate-limit/misuse.ts'
import { named, nameFor, placeOf } from './rate-limit/names.ts'
import { type RateLimitOptions, readOptions } from './rate-limit/options.ts'
import type { Rate } from './rate-limit/rule.ts'

export { type MemoryStoreOptions, memoryStore } from './rate-limit/memory-store.ts'
export type { RateLimitOptions } from './rate-limit/options.ts'
export { type RedisClient, type RedisStoreOptions, redisStore } from './rate-limit/redis-store.ts'
export type { Algorithm, Per, Rate, Rule } from './rate-limit/rule.ts'
export type { RateLimitStore, Taken } from './rate-limit/store.ts'
export type { Key } from './rate-limit/who.ts'

const ADVICE = 'counts in each process for itself. Give store: redisStore(client)'

/**
 * Lets so many requests through in a time, and answers 429 to more (RFC 6585 section 4). They are counted by user where
 * something above has signed one in (`ctx.user`), else by address.
 *
 * Every answer says what is left, `RateLimit: "default";r=99;t=60`, of which limit, `RateLimit-Policy:
 * "default";q=100;w=60` (draft-ietf-httpapi-ratelimit-headers-11), and a 429 when to come back, `Retry-After`, which is
 * that t. A HEAD counts as a GET; the GET that a guarded write makes for itself does not count.
 *
 * One value is one count, on however many routes it stands; another value is another count. Several in a stack are asked
 * from the outermost on, and the first that refuses ends it; what those above it have counted stays counted. With `when`
 * it counts failures alone, and stands above what signs in: the second example.
 *
 * It counts in memory, each process for itself; `redisStore(client)` counts for all. Where a store does not answer in
 * 100 ms, requests are let through, or refused with 503, as `onStoreFailure` says, and the log has that once.
 *
 * @throws TypeError for a wrong option: what is no limit never counts as none
 * @example app.get('/books', signedIn, rateLimit('100/min'), rateLimit('5/s', { name: 'burst' }), () => shelf.all())
 * @example const attempts = rateLimit('5/15min', { key: 'address', when: status => status === 401 })
 */
export function rateLimit<Needs = unknown>(
  limit: Rate | RateLimitOptions<Needs>,
  options: Omit<RateLimitOptions<Needs>, 'limit' | 'per'> = {},
): Decorator<object, BaseContext & Needs> {
  const settings = readOptions(limit, options)
  const { rule, name, store, dryRun, legacyHeaders } = settings
  const made = performance.now()
  let home: { readonly route: Route; readonly name: string } | undefined
  const count = counter(settings, () => name ?? (home ? placeOf(home.route, home.name) : ''))

  function register(route: Route) {
    const policy = policyOf(nameFor(route, self), rule, legacyHeaders)
    home ??= { route, name: policy.name }
    attach(route.app, store)
    if (store.perProcess) route.app.perProcess.push({ route, decorator: 'rateLimit', advice: ADVICE })
    return (ctx: AroundContext, next: () => unknown) => count(ctx, next, policy)
  }

  const alone = policyOf(name ?? 'default', rule, legacyHeaders)
  /** In a composition that is called by itself, which no route knows. */
  function around(ctx: AroundContext, next: () => unknown): unknown {
    watchForNew(ctx, made)
    return count(ctx, next, alone)
  }

  const self = named(decorator('rateLimit', around, { register, note: dryRun ? {} : NOTE }), name)
  return self as Decorator<object, BaseContext & Needs>
}
