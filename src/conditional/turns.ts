import type { Kolba } from '../app.ts'
import type { Awaitable, BaseContext } from '../context.ts'
import { isPromise } from '../when.ts'

const turns = Symbol('kolba.turns')

type Queues = Map<string, PromiseLike<unknown>>
type App = Kolba & { [turns]?: Queues }
type Waiting = BaseContext & { [turns]?: Set<string> }

/**
 * Runs what belongs to a path one at a time in this process, in the order of coming: between reading a resource and
 * writing it nobody else writes it. Who has the turn already goes on at once; nobody else there costs no promise.
 *
 * @throws the reason of `ctx.signal`, where the client has gone or time is over before the turn has come
 */
export function inTurn<T>(ctx: Waiting, path: string, run: () => Awaitable<T>): Awaitable<T> {
  // The same resource is at /caf%C3%A9, /caf%c3%a9 and /caf%c3%a9/.
  const key = decodeURIComponent(path).replace(/(.)\/$/, '$1')
  ctx[turns] ??= new Set()
  const own = ctx[turns]
  if (own.has(key)) return run()
  const queues = queuesOf(ctx.app)
  const last = queues.get(key)
  own.add(key)
  const value = last ? last.then(() => enter(ctx, run)) : run()
  if (!isPromise(value)) {
    own.delete(key)
    return value
  }
  const leave = () => {
    own.delete(key)
    if (queues.get(key) === turn) queues.delete(key)
  }
  const turn: PromiseLike<unknown> = value.then(leave, leave)
  queues.set(key, turn)
  return value
}

/** A turn that comes when the request has been answered is passed on. */
function enter<T>({ signal }: BaseContext, run: () => Awaitable<T>): Awaitable<T> {
  signal.throwIfAborted()
  return run()
}

function queuesOf(app: App): Queues {
  app[turns] ??= new Map()
  return app[turns]
}
