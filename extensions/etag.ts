import {
  type AroundContext,
  type Arounds,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  kinds,
  type Route,
  when,
} from '../src/index.ts'
import { answer } from './etag/answer.ts'
import { demand, type Guarded, guard, toEnd } from './etag/guard.ts'
import { checkRoute, noteOf, READING, SAFE } from './etag/route.ts'
import { tagging, writesOf } from './etag/state.ts'
import { describer, type Version } from './etag/validators.ts'

export type { Guarded } from './etag/guard.ts'
export type { Version } from './etag/validators.ts'

export interface EtagOptions<Row = unknown, V extends Version = Version, Needs = unknown> {
  /**
   * What differs after each write: the tag is made of it, and nothing is rendered for a 304 where `etag()` stands below
   * `json()`. It is given what the handler returned, or what `load` gave; undefined is no tag.
   */
  version?: (row: Row, ctx: BaseContext) => V
  /** Where the current row of a guarded write comes from. @default the GET route of the same path */
  load?: (ctx: AroundContext & Needs) => Awaitable<Row | null | undefined>
  /** Refuses a write without If-Match (or, to create, `If-None-Match: *`): 428, RFC 6585. @default false */
  required?: boolean
  /** `Last-Modified`, of the same row. Seconds are all that HTTP can tell apart. */
  lastModified?: (row: Row, ctx: BaseContext) => Date | string | number | null | undefined
  /** Makes weak tags, for what is equal without being the same bytes. They never match If-Match. @default false */
  weak?: boolean
}

const ADVICE = 'lets writes take turns in one process alone. Give version, and UPDATE ... WHERE version = ?'
const OPTIONS = {
  version: kinds.function,
  load: kinds.function,
  required: kinds.flag,
  lastModified: kinds.function,
  weak: kinds.flag,
}

/**
 * Tags what is read, and guards what is written.
 *
 * On GET, HEAD and QUERY the answer gets an `ETag`, a hash of its bytes or a `version`, and a request that has it
 * already gets 304 (RFC 9110 section 13). A stream has a tag only by a version, and so has, below what renders it, a Set or
 * what else is iterated, of which JSON shows nothing.
 *
 * On PUT, PATCH, DELETE and POST the request's preconditions are evaluated against what the resource is *before* the
 * handler runs: 412 where it has changed since the client read it. The current row comes from `load`, or else from the
 * GET route of the same path, which has an `etag()` too and is registered first. From there to the end of what stands
 * below, a commit included, this process writes one at a time to each path, for at most `timeouts.handler`. Where other
 * processes write too, let the database decide: `UPDATE ... WHERE version = ?` with `ctx.version`, and `ctx.stale()`
 * where no row was changed. The reply carries the new tag, where it holds the resource as GET would give it.
 *
 * It stands above `json()`, where it sees the bytes, or below it, where with a `version` a 304 renders nothing; below
 * `output()` where that does not show the version. What holds a connection, as an `inject()` may, stands below it and
 * below `body()`, because a write reads what GET gives before it and after it. `app.use(etag())` tags what is read in
 * the whole app.
 *
 * @throws TypeError at registration for a wrong option, and where a write has nothing to be compared with
 * @example
 * app.get('/pages/:id', etag(), json(), ctx => pages.get(ctx.params.id))
 * app.put('/pages/:id', etag({ required: true }), json(), body(), ctx => pages.put(ctx.params.id, ctx.input.body))
 */
export function etag<Row = unknown, V extends Version = string, Needs = unknown>(
  options: EtagOptions<Row, V, Needs> = {},
): Decorator<Guarded<V>, BaseContext & Needs> {
  checkOptions('etag', options, OPTIONS)
  const { load, required = false, weak, lastModified } = options
  if (weak && required && !lastModified)
    throw new TypeError('etag: a weak tag never matches If-Match, so no write could pass. Leave out weak or required.')
  const describe = describer(options)

  function read(ctx: AroundContext, next: () => unknown): unknown {
    return READING.has(ctx.method) ? when(next(), value => answer(ctx, value, describe)) : next()
  }

  /** In a composition that is called by itself, which no route knows. */
  function around(ctx: AroundContext, next: () => unknown): unknown {
    if (SAFE.has(ctx.method)) return read(ctx, next)
    throw new TypeError(`etag: without a route nothing guards this ${ctx.method}. Give the composition to a route.`)
  }

  function register(route: Route): Arounds {
    if (route.isUse) return useForAll(route)
    const duties = checkRoute(route, self, { describe, load, required })
    if (!duties) return { around: read }
    const passed = route.decorators.slice(0, route.decorators.indexOf(self))
    const answersGet = route.methods.includes('GET')
    const writes = writesOf({ own: describe, load, passed, answersGet })
    // On a route of writes alone no method that somebody has put in the place of the first makes it a read.
    const isRead = ({ method }: AroundContext) => duties.hasReads && SAFE.has(method)
    const write: typeof read = (ctx, next) => {
      if (isRead(ctx)) return read(ctx, next)
      if (required) demand(ctx, duties)
      const value = duties.guards ? toEnd(ctx, next) : next()
      return duties.carries ? when(value, value => writes.after(ctx, value)) : value
    }
    if (!duties.guards) return { around: write }
    if (!duties.isVersioned) route.app.perProcess.push({ route, decorator: 'etag', advice: ADVICE })
    const demanded = required ? duties : undefined
    const afterBody: typeof read = (ctx, next) => (isRead(ctx) ? next() : guard(ctx, next, writes.before, demanded))
    return { around: write, afterBody }
  }

  /** In app.use there is no route yet, and what is written is guarded by an etag() of its own. */
  function useForAll({ app }: Route): Arounds {
    if (load || required) throw new TypeError('use: etag({ load, required }) guards a route. Put it on that.')
    tagging(app, describe)
    return { around: read }
  }

  const note = (route: Route) => noteOf(route, required)
  const self: Decorator = tagging(decorator('etag', around as never, { note, register } as never), describe)
  return self as never
}
