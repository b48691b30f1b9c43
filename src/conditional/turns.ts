import type { Kolba } from '../app.ts'
import type { Awaitable, BaseContext } from '../context.ts'
import { isPromise } from '../when.ts'
import { resourceOf } from './resource.ts'

const turns = Symbol('kolba.turns')

type Queues = Map<string, Promise<unknown>>
type App = Kolba & { [turns]?: Queues }
type Waiting = BaseContext & { [turns]?: Set<string> }

/**
 * Runs what belongs to a path, in whatever spelling, one at a time in this process, in the order of coming: between
 * reading a resource and writing it nobody else writes it. Who has the turn already goes on at once; nobody else there
 * costs no promise.
 *
 * A turn lasts until `run` has ended, or longer, until `end` has; but never longer than `timeouts.handler`, when the
 * request has been answered with 503: else one handler that never ends would close its path for good.
 *
 * @throws the reason of `ctx.signal`, where the client has gone or time is over before the turn has come
 */
export function inTurn<T>(
  ctx: Waiting,
  path: string,
  run: () => Awaitable<T>,
  end?: PromiseLike<unknown>,
): Awaitable<T> {
  const key = resourceOf(path, path === ctx.path ? ctx : {})
  ctx[turns] ??= new Set()
  const own = ctx[turns]
  if (own.has(key)) return run()
  const queues = queuesOf(ctx.app)
  const last = queues.get(key)
  own.add(key)
  let value: Awaitable<T>
  try {
    value = last ? last.then(() => enter(ctx, run)) : run()
  } catch (error) {
    own.delete(key)
    throw error
  }
  const over = end ?? (isPromise(value) ? value : undefined)
  if (!over) {
    own.delete(key)
    return value
  }
  const turn: Promise<unknown> = Promise.all([last, inTime(ctx, over)]).then(() => {
    own.delete(key)
    if (queues.get(key) === turn) queues.delete(key)
  })
  queues.set(key, turn)
  return value
}

/** A turn that comes when the request has been answered is passed on. */
function enter<T>({ signal }: BaseContext, run: () => Awaitable<T>): Awaitable<T> {
  signal.throwIfAborted()
  return run()
}

/** Waits for an end, good or bad, as long as the request may take. */
function inTime({ app }: BaseContext, end: PromiseLike<unknown>): Promise<void> {
  return new Promise(resolve => {
    const late = setTimeout(resolve, app.settings.timeouts.handler * 1000)
    const go = () => {
      clearTimeout(late)
      resolve()
    }
    end.then(go, go)
  })
}

function queuesOf(app: App): Queues {
  app[turns] ??= new Map()
  return app[turns]
}
