import { randomUUID } from 'node:crypto'
import { credentialsOf, readIdempotencyKey } from '../src/headers/index.ts'
import {
  type AroundContext,
  type Arounds,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  type Kolba,
  kinds,
  nameOf,
  type Route,
} from '../src/index.ts'
import { type Answer, type Before, replayOf } from './idempotency/answer.ts'
import { readFound, take } from './idempotency/found.ts'
import { type Held, hold, type Terms } from './idempotency/hold.ts'

import { memoryStore } from './idempotency/memory.ts'
import { watchPayload } from './idempotency/payload.ts'
import { checkRoute, noteOf, REPEATED } from './idempotency/route.ts'
import { ownerOf, placeOf } from './idempotency/scope.ts'
import type { IdempotencyStore } from './idempotency/store.ts'

export { type MemoryStoreOptions, memoryStore } from './idempotency/memory.ts'
export { type RedisClient, type RedisStoreOptions, redisStore } from './idempotency/redis.ts'
export type { Claim, Found, IdempotencyStore } from './idempotency/store.ts'

export interface IdempotentOptions<Needs = BaseContext> {
  /** Refuses a request without a key: 400. @default false */
  required?: boolean
  /** Seconds for which an answer is given again. @default 86400, a day */
  ttl?: number
  /** Seconds after which the key of a process that has died is free again; who is alive renews it. @default 60 */
  lease?: number
  /** Where keys are kept: `redisStore(client)` for several processes. @default a `memoryStore()` of this process */
  store?: IdempotencyStore
  /** Takes keys without quotes as well, as many clients send them: letters, digits and `_ . ~ : + / = -`. @default false */
  lenient?: boolean
  /** Who makes the request, where that is not `ctx.user`. */
  principal?: (ctx: AroundContext & Needs) => string
  /** Bytes of a body; an answer with a larger one is not kept. @default 1 MiB */
  limit?: number
  /** What sets its keys apart from those of other services in the same store. @default none */
  name?: string
}

const store: Kind = {
  words: 'an object with the methods begin, finish and release',
  test: it => ['begin', 'finish', 'release'].every(name => kinds.function.test(Object(it)[name])),
}
const ADVICE = 'knows the keys of its own process alone. Give store: redisStore(client)'
const OPTIONS = {
  required: kinds.flag,
  ttl: kinds.seconds,
  lease: kinds.seconds,
  store,
  lenient: kinds.flag,
  principal: kinds.function,
  limit: kinds.bytes,
  name: kinds.text,
}

/**
 * Carries out a POST or PATCH once, however often it is sent: `Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header.
 *
 * A client that does not know whether its request has arrived sends it again with the same key, a string such as
 * `"8e03978e-40d5-43d8-bc93-6894a57f9324"`, quotes included. Requests of other methods, and without a key, pass.
 *
 * | answer | to a key |
 * |---|---|
 * | the first one, whatever this request accepts, with `Idempotency-Replayed: true` | whose request has ended |
 * | 400 | that is malformed, or not there and `required` |
 * | 409, with Retry-After | whose request is still running |
 * | 409, without | whose request has ended with an answer that is not kept: a stream, a web `Response`, or more than `limit` bytes |
 * | 422 | that was used for something else: another query or another body, of which the bytes are compared |
 * | 503 | that cannot be looked up, because the store fails: nothing was done |
 *
 * A key belongs to the user, the method, and the route with its parameters. The user is `ctx.user`, else
 * `ctx.state.user`, else whoever has the same Authorization, Cookie, and API key in a header that a decorator's note
 * declares. Who is known by something else, such as the host where each has its own users, is what `principal` says.
 *
 * Kept are status, body, and the headers that were set below, but no cookies: a session is not given twice. What counts
 * is the answer at the end, errors of the handler and 5xx included. Not kept is what refuses the request above the
 * handler, such as `input()`, nor 412, 428 and 429, which say that nothing was done: the same key may try again.
 *
 * It stands below what signs users in, and above `etag()`, `json()` and what reads the body, so that a repetition passes
 * all checks again and the handler alone is left out. A body that a handler reads by itself is not compared. A handler
 * that has lost its client goes on, unless it listens to `ctx.signal`, and then its failure is the answer. What one gives
 * that takes longer than `timeouts.handler` is kept for the next to ask; `reply(201, order)` says its status then, because
 * the response on ctx is that of the 503 already.
 *
 * @throws TypeError at registration for a wrong option, below what reads the body, above what signs users in or asks what
 *   they may, unless that stands above what reads the body, in `app.use`, and where it stands twice; at the request, as a 500, where something below sets `ctx.user`
 * @example app.post('/orders', signedIn, idempotent({ required: true }), json(), input({ body: order }), placeOrder)
 */
export function idempotent<Needs = BaseContext>(options: IdempotentOptions<Needs> = {}): Decorator<object, Needs> {
  checkOptions('idempotent', options, OPTIONS)
  const { ttl = 86_400, lease = 60, limit = 1_048_576, required = false, name = '', principal } = options
  const terms: Terms = { ttl: ttl * 1000, lease: lease * 1000, limit }
  const stores = new WeakMap<Kolba, IdempotencyStore>()

  function register(route: Route): Arounds {
    checkRoute(route, self)
    const store = options.store ?? stores.get(route.app) ?? memoryStore()
    stores.set(route.app, store)
    if (store.perProcess) route.app.perProcess.push({ route, decorator: 'idempotent', advice: ADVICE })
    enlist(route.app)
    const credentials = credentialsOf(route)
    const callerIn = (ctx: AroundContext) => ownerOf(ctx, principal, credentials)

    function isSame(ctx: AroundContext, run: Run): boolean {
      try {
        return callerIn(ctx) === run.caller
      } catch {
        // What it cannot tell from others now it could before.
        return false
      }
    }

    /** In its own place: reads the key, and has the last word when what is below has ended. */
    async function watch(ctx: Running, next: () => unknown, key: string): Promise<unknown> {
      ctx[running] ??= { key, before: ctx.res.getHeaders(), payload: watchPayload(ctx, route) }
      const run = ctx[running]
      let value: unknown
      try {
        value = await next()
      } catch (error) {
        if (!run.replay) await run.held?.fail()
        if (!run.replay) throw error
      }
      if (run.replay) return replayOf(ctx, run.replay)
      if (!run.held) return value
      if (isSame(ctx, run)) return run.held.give(value)
      run.held.hide()
      await run.held.fail()
      const what = 'idempotent() stands above what sets ctx.user, which a repetition would not ask'
      throw new TypeError(`${nameOf(route)}: ${what}. Put it below.`)
    }

    function around(ctx: Running, next: () => unknown): unknown {
      const key = REPEATED.has(ctx.method) ? readIdempotencyKey(ctx, options) : undefined
      return key === undefined ? next() : watch(ctx, next, key)
    }

    /** Where the handler is about to run. It has the key already where something above tries twice. */
    async function begin(ctx: Running, next: () => unknown, run: Run): Promise<unknown> {
      const caller = callerIn(ctx)
      const place = placeOf(ctx, route, name, caller, run.key)
      const claim = { owner: randomUUID(), payload: run.payload() }
      const found = await take(route, store, place, claim, terms.lease)
      if (found) {
        run.replay = readFound(found, claim.payload)
        throw new Error(`${nameOf(route)}: idempotent() has the answer already, and what is above let nobody see it.`)
      }
      Object.assign(run, { caller, held: hold({ ctx, store, place, claim, terms, before: run.before }) })
      return next()
    }

    function afterBody(ctx: Running, next: () => unknown): unknown {
      const run = ctx[running]
      return run && !run.held ? begin(ctx, next, run) : next()
    }

    return { around, afterBody }
  }

  function around({ method }: AroundContext): never {
    throw new TypeError(`idempotent: without a route nothing keeps this ${method}. Give the composition to a route.`)
  }

  const note = (route: Route) => noteOf(route, required)
  const self: Decorator = decorator('idempotent', around, { note, register } as never)
  return self as never
}

const running = Symbol.for('kolba.idempotency')

/** A request with a key, on its way. */
interface Run {
  readonly key: string
  readonly before: Before
  /** Ends the watching of the payload, and gives its hash. */
  readonly payload: () => string
  /** Who makes the request, and the key in the store, from when the handler is about to run. */
  caller?: string
  held?: Held
  /** The answer that is given again. */
  replay?: Answer
}

type Running = AroundContext & { [running]?: Run }
type App = Kolba & { [running]?: true }

/** When the answer stands, and all above has ended, a commit included, it is kept before it goes out. */
function enlist(app: App): void {
  if (app[running]) return
  app[running] = true
  // Of an app that is mounted the outer one knows how it ends.
  app.after(ctx => (ctx.app === app ? (ctx as Running)[running]?.held?.conclude() : undefined))
}
