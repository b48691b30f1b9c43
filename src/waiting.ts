import type { BaseContext } from './context.ts'
import { problem, toError } from './problem.ts'
import { isAnswered } from './respond.ts'
import { nameOf } from './route.ts'
import { progress, type Shaped } from './shaped.ts'
import { abort } from './signal.ts'
import { discard } from './streams.ts'

type Waiting = BaseContext & Partial<Pick<Shaped, typeof progress>>

/** Waits for what a handler has promised, and goes on with it unless the answer has gone out by then. */
export function waitFor(ctx: Waiting, promise: PromiseLike<unknown>, go: (value: unknown) => void): Promise<void> {
  ctx[progress] = 'waiting'
  return inTime(ctx, promise).then(
    value => (endsInTime(ctx) ? go(value) : discard(value)),
    error => {
      if (endsInTime(ctx)) throw error
      ctx.app.emit('error', toError(error), ctx)
    },
  )
}

/** The route has ended: was it before the middleware around it? */
function endsInTime(ctx: Waiting): boolean {
  const isWaiting = ctx[progress] === 'waiting'
  ctx[progress] = 'over'
  return isWaiting
}

/**
 * The middleware around the route has ended: an answer that the route has yet to give would spoil another.
 *
 * @throws TypeError where nobody has answered, because a middleware did not wait
 */
export function leave(ctx: Waiting): void {
  if (ctx[progress] !== 'waiting') return
  ctx[progress] = 'left'
  if (isAnswered(ctx) || !ctx.route) return
  const advice = 'Write await next() in what app.use has.'
  throw new TypeError(`${nameOf(ctx.route)}: a middleware ended before the route had answered. ${advice}`)
}

/** Waits for a handler, at most `timeouts.handler`; then it is 503, and `ctx.signal` aborts. */
function inTime<T>(ctx: BaseContext, promise: PromiseLike<T>): Promise<T> {
  const { deadlines } = ctx.app
  return new Promise((resolve, reject) => {
    const wait = deadlines.begin(() => reject(late(ctx)))
    promise.then(
      value => {
        if (deadlines.end(wait)) resolve(value)
        else discard(value)
      },
      error => {
        deadlines.end(wait)
        reject(error)
      },
    )
  })
}

function late(ctx: BaseContext): Error {
  const { handler } = ctx.app.settings.timeouts
  const where = ctx.route ? nameOf(ctx.route) : ctx.method
  const detail = `${where}: no answer within ${handler} s. Make it quicker, a job, or raise timeouts.handler.`
  const reason = problem(503, { detail, headers: { 'Retry-After': '5' } })
  abort(ctx, reason)
  return reason
}
