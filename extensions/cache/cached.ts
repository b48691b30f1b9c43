import { isReading } from '../../src/conditional/index.ts'
import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  type Kind,
  type Kolba,
  kinds,
  type Note,
  nameOf,
  type Route,
  traitsOf,
  when,
} from '../../src/index.ts'
import { readOrRun } from './flow.ts'
import { enlist } from './invalidate.ts'
import { credentialsOf, partsOf } from './key.ts'
import { createStore, type Store, type Version } from './store.ts'

export interface CachedOptions<Needs = BaseContext> {
  /** Seconds for which an answer is given again. It may be left out where there is a `version`. */
  ttl?: number
  /** What every write moves, such as a counter or the latest `updated_at`: while it is the same, the answer is too. */
  version?: (ctx: AroundContext & Needs) => Awaitable<string | number | bigint>
  /** How many answers are kept, one for each URL, user and representation. @default 1000 */
  max?: number
  /** How many bytes they have together, their keys included. @default 50 MB */
  maxBytes?: number
  /** What else the answer depends on, and of QUERY, which is kept with this alone, the body. */
  key?: (ctx: AroundContext & Needs) => string
  /** Gives the same answer to all users. @default false */
  shared?: boolean
}

const max: Kind = {
  words: 'a whole number from 1 to 10 million',
  test: value => kinds.count.test(value) && (value as number) >= 1 && (value as number) <= 1e7,
}
const ADVICE = 'keeps until its ttl what another process has changed. Give version'
const OPTIONS = {
  ttl: kinds.seconds,
  version: kinds.function,
  max,
  maxBytes: kinds.bytes,
  key: kinds.function,
  shared: kinds.flag,
}

/**
 * Keeps rendered answers in this process, and gives them again without running what stands below.
 *
 * It stands below what may turn a request away (tokens, rate limits), which would not be asked for what is kept, and
 * above `etag()`, `json()`, `produces()` and `output()`, so that no query runs and nothing is rendered. `cacheControl()` and
 * `noCache()` speak to other caches, and stand above it; what says `no-store` or `no-cache` below it is not kept.
 *
 * Kept are answers of 200 to GET and QUERY, with the headers that were set below, for `ttl` seconds (or as long as a
 * `max-age` below says, if that is shorter), or as long as `version` gives the same. No streams, no web `Response`, and
 * nothing that sets a cookie. HEAD is answered from what GET has left, and requests with Range pass. An answer is given
 * for the same URL, the same request headers of those that `Vary` names, and the same user: Authorization, Cookie,
 * `ctx.user`, and headers of API keys that a decorator's note declares. Who knows users by something else says it in
 * `key`. A user is plain data, or JSON of it has an `id`, an `_id` or a `sub`; for another nothing is kept, because it
 * may be told from others by what JSON does not show.
 *
 * The answer has an ETag, and If-None-Match is answered with 304, without `etag()` as well; an `etag()` with a version
 * stands below. By `ttl`, an answer that was kept has `Age` (RFC 9111 section 5.1), unless a `cacheControl()` above counts its
 * `max-age` from now. `Cache-Control: no-cache` of a request, which Node's fetch sends by itself, changes nothing,
 * since this is the origin and no cache on the way.
 *
 * A write to the same path drops what is kept of it, before it is answered; for other paths there is `invalidate()`.
 * What began before the write is not kept. Requests that come together wait for the first one's answer, until its time,
 * `timeouts.handler`, is over. Each process keeps its own, and knows nothing of what others write: there take a `version`
 * from the database, or a short `ttl`.
 *
 * @throws TypeError at registration for a wrong option, on a route that does not read, above what signs users in, where it
 *   is shared above what lets some users pass and others not, and in `app.use`; at the request, as a 500, where something
 *   below sets `ctx.user` that could not be known before
 * @example app.get('/books', cached({ ttl: 60, shared: true }), json(), () => db.selectFrom('book').execute())
 * @example
 * const books = cached({ version: () => shelf.version })
 * app.get('/books', signedIn, books, etag(), json(), collection(all), ctx => shelf.of(ctx.user))
 */
export function cached<Needs = BaseContext>(options: CachedOptions<Needs>): Decorator<object, Needs> {
  checkOptions('cached', options, OPTIONS)
  const { ttl, version, max = 1000, maxBytes = 50_000_000, shared = false, key } = options ?? {}
  if (ttl === undefined && !version)
    throw new TypeError('cached: nothing says how long an answer is good. Give ttl in seconds, or version.')
  const stores = new WeakMap<Kolba, Store>()
  // The same value may stand in several places: on a group and a route in it, or in two versions of one route.
  let places = 0

  function register(route: Route) {
    checkRoute(route, self, { hasKey: key !== undefined, shared })
    const store = stores.get(route.app) ?? createStore(max, maxBytes)
    stores.set(route.app, store)
    enlist(route.app, store)
    if (!version) route.app.perProcess.push({ route, decorator: 'cached', advice: ADVICE })
    places += 1
    const isTimedAbove = isTimed(route.decorators.slice(0, Math.max(route.decorators.indexOf(self), 0)))
    const keyOptions = { place: String(places), shared, key, credentials: credentialsOf(route), known: new WeakMap() }
    const versionOf = version && ((ctx: AroundContext) => when(version(ctx as never), it => checkVersion(route, it)))

    return (ctx: AroundContext, next: () => unknown) => {
      if (!isKept(ctx, key !== undefined)) return next()
      const parts = partsOf(ctx, keyOptions)
      if (!parts) return next()
      const go = (version: Version) =>
        readOrRun({ ctx, next, store, shared, ttl, key: store.keyOf(parts), parts, version, isTimedAbove })
      return versionOf ? when(versionOf(ctx), go) : go(undefined)
    }
  }

  // A handler that is called by itself, in a test, has no app to keep anything for.
  const self: Decorator = decorator('cached', (_ctx, next) => next(), { note, register } as never)
  return self as never
}

/** Do they say how long other caches may use the answer? */
function isTimed(decorators: readonly Decorator[]): boolean {
  return decorators.some(({ name }) => name === 'cacheControl' || name === 'expires')
}

/** Is it a request whose answer may be kept, or have been? Nothing kept may stand behind a write. */
function isKept(ctx: AroundContext, hasKey: boolean): boolean {
  const { req } = ctx
  const { method } = req
  if (method !== 'GET' && method !== 'HEAD' && !(method === 'QUERY' && hasKey)) return false
  return req.headers.range === undefined && !isReading(ctx)
}

/** @throws TypeError where it would do nothing, or what it should not */
function checkRoute(route: Route, self: Decorator, { hasKey, shared }: { hasKey: boolean; shared: boolean }): void {
  const { decorators, methods, path } = route
  if (path === '{/*rest}' && decorators.length === 1)
    throw new TypeError('use: cached() would stand above what signs users in. Put it into a stack or a group.')
  const where = `${nameOf(route)}: cached`
  const chooser = decorators.findIndex(({ name }) => name === 'produces')
  if (chooser >= 0 && chooser < decorators.indexOf(self))
    throw new TypeError(
      `${where}() stands below produces(), which would say what is kept in one way alone. Put it above.`,
    )
  // A handler that another one chooses has decorators of its own, which are not those of the route.
  const place = decorators.indexOf(self)
  const guard = shared && place >= 0 && decorators.slice(place).find(it => traitsOf(it, route).guards)
  if (guard)
    throw new TypeError(
      `${where}({ shared }) would give to all what ${guard.name} lets some have. Put it below, or leave shared out.`,
    )
  const signIn = place >= 0 && decorators.slice(place).find(it => namesUsers(it, route, decorators.slice(0, place)))
  if (signIn)
    throw new TypeError(`${where}() stands above ${signIn.name}, which what is kept would not ask. Put it below.`)
  if (methods.some(method => method === 'GET' || method === 'HEAD')) return
  if (!methods.includes('QUERY'))
    throw new TypeError(`${where} keeps what is read, and nothing is read here. Remove it.`)
  if (!hasKey)
    throw new TypeError(`${where} does not know the body of a QUERY. Give key: ctx => ... with what it asks.`)
}

/** Does it take credentials that nothing above takes? Scopes are of what stands above, and of the same user. */
function namesUsers(decorator: Decorator, route: Route, above: readonly Decorator[]): boolean {
  const schemesOf = (it: Decorator) => Object.keys(traitsOf(it, route).note?.security ?? {})
  const known = above.flatMap(schemesOf)
  return schemesOf(decorator).some(name => !known.includes(name))
}

/** @throws TypeError for what cannot be compared */
function checkVersion(route: Route, version: unknown): Version {
  if (typeof version === 'string' || typeof version === 'bigint') return version
  if (typeof version === 'number' && !Number.isNaN(version)) return version
  const what = typeof version === 'number' ? 'NaN' : typeof version
  throw new TypeError(`${nameOf(route)}: the version of cached is ${what}. Give a number or a string.`)
}

const TAG = { ETag: { description: 'The tag of this state', schema: { type: 'string' } } }
const AGE = { Age: { description: 'Seconds since the answer was made', schema: { type: 'integer' } } }

const note: Note = {
  responses: {
    200: { description: 'The value', headers: { ...TAG, ...AGE } },
    304: { description: 'It is what you have', headers: TAG },
    412: { description: 'It is not what If-Match says' },
  },
}
