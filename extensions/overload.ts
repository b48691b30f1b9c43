import {
  type AroundContext,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  type Kolba,
  kinds,
  type Note,
  problem,
  type Route,
  reply,
} from '../src/index.ts'
import { Valve } from './overload/valve.ts'

export interface OverloadOptions {
  /** Seconds that a request may have waited for the processor, while the loop keeps up. @default 0.25 */
  delay?: number
  /** The share of time above which the loop does not keep up. 1 for never. @default 0.98 */
  utilisation?: number
  /** The share of the heap, of what V8 may take, above which nothing new is taken. 1 for never. @default 0.85 */
  heap?: number
  /** How many may be under way, for work that waits for something else than the processor. @default any number */
  limit?: number
  /** Whole seconds of Retry-After; up to twice as many are said, so that not all come back at once. @default 2 */
  retryAfter?: number
  /** Is this request taken all the same? It is asked where one would be refused, and only `true` counts. */
  skip?: (ctx: BaseContext) => boolean
}

const share: Kind = {
  words: 'a number above 0, at most 1',
  test: value => typeof value === 'number' && value > 0 && value <= 1,
}
const positive: Kind = {
  words: 'a whole number from 1',
  test: value => kinds.count.test(value) && (value as number) > 0,
}
const OPTIONS: Record<keyof OverloadOptions, Kind> = {
  delay: kinds.seconds,
  utilisation: share,
  heap: share,
  limit: positive,
  retryAfter: positive,
  skip: kinds.function,
}

/**
 * Refuses what is more than the process can do: 503 with Retry-After, at once and at little cost, so that those that are
 * taken are answered as fast as ever. Without it everybody waits for everybody, until clients give up on answers that are
 * then made for nobody.
 *
 * Refused is what has waited for longer than `delay` while the event loop was busy. Where the loop has had no pause for
 * 60 ms and 20 requests (is in use to more than `utilisation`), more comes than can be done: from then on what has waited
 * for longer than 5 ms, or than two requests take, is refused, and of handlers that wait for something so many are let in
 * that this can be held, until all would fit again. So a burst is served, and a queue that stays is not. The `heap` is
 * measured after collections. What else there is to run out of, connections of a database or threads, has a `limit` of
 * requests under way; twice as many as there are connections is a good one.
 *
 * A request is under way until its handler has ended; a stream that this returns is not waited for. Connections that Node
 * has not taken yet are not seen, and it takes one in a turn of its loop: a proxy in front should keep its own open.
 *
 * It stands in `app.use`, or as the first of a stack; several on a path each have their say. One value is one count, on
 * however many routes. Routes with `exempt()` are never refused. The log has one warning when it begins to refuse, with the
 * reason, and one line when nothing was refused for 5 s, with how many there were; both name the path of the first.
 *
 * A refusal costs what a small answer costs: it helps where requests cost much more than that.
 *
 * @throws TypeError for a wrong option
 * @example
 * app.use(overload())
 * app.get('/health', exempt(), () => 'ok')
 * app.get('/report', overload({ limit: 20 }), json(), ctx => db.selectFrom('sale'))
 */
export function overload(options: OverloadOptions = {}): Decorator {
  checkOptions('overload', options, OPTIONS)
  const { retryAfter = 2, skip } = options
  const valve = new Valve(options)
  const apps = new WeakSet<Kolba>()

  /** Lets in, or refuses unless the request is one that is to be let in all the same. */
  function enter(ctx: AroundContext, next: () => unknown, isExempt?: (ctx: BaseContext) => boolean): unknown {
    const reason = valve.refuses()
    if (!reason || isExempt?.(ctx) || skip?.(ctx) === true) return valve.follow(ctx, next())
    valve.refused(ctx, reason)
    const seconds = retryAfter + Math.floor(Math.random() * (retryAfter + 1))
    return refuse(ctx, String(seconds))
  }

  function register({ app, decorators, isUse }: Route) {
    if (!apps.has(app)) app.onStop(() => valve.stop())
    apps.add(app)
    if (decorators.includes(EXEMPT)) return (_ctx: AroundContext, next: () => unknown) => next()
    if (!isUse) return
    // Before the routes only the path says which of them it will be.
    const isExempt = ({ method, path }: BaseContext) =>
      app.match(method, path).endpoint?.route.decorators.includes(EXEMPT) === true
    return (ctx: AroundContext, next: () => unknown) => enter(ctx, next, isExempt)
  }

  return decorator('overload', (ctx, next) => enter(ctx, next), { register, note: NOTE })
}

/**
 * Exempts a route from `overload()`, wherever that stands: for what says whether the process is alive.
 *
 * @example app.get('/health', exempt(), () => 'ok')
 */
export function exempt(): Decorator {
  return EXEMPT
}

const EXEMPT = decorator('exempt', (_ctx, next) => next())

/** Made once: an error looks for its stack, and this one is none. */
const UNAVAILABLE = problem(503)

/** What every problem looks like, given as a value: what is thrown would be logged, once for each request. */
function refuse(ctx: AroundContext, retryAfter: string): unknown {
  const document = ctx.app.inside.documentOf(ctx, UNAVAILABLE)
  const headers = { 'Retry-After': retryAfter, 'Content-Type': 'application/problem+json' }
  if (document) return reply(503, document, headers)
  // Left without a body, the app makes of it what it makes of its other problems.
  ctx.status = 503
  ctx.set('Retry-After', retryAfter)
  return undefined
}

const NOTE: Note = {
  responses: {
    503: {
      description: 'More than can be done now',
      headers: { 'Retry-After': { description: 'Seconds until it may be tried again', schema: { type: 'integer' } } },
      content: { 'application/problem+json': {} },
    },
  },
}
