import type { BaseContext } from './context.ts'
import { problem, toError } from './problem.ts'
import { isAnswered, rememberStatus } from './respond.ts'
import { nameOf } from './route.ts'
import { progress, type Shaped } from './shaped.ts'
import { abort } from './signal.ts'
import { discard } from './streams.ts'
import { isPromise } from './when.ts'

const pending = Symbol('pending')

type Waiting = BaseContext & Partial<Pick<Shaped, typeof progress>> & { [pending]?: PromiseLike<unknown> }

/**
 * Waits for what a handler has promised, at most `timeouts.handler`, and goes on with it unless the answer has gone out by
 * then. When the time is up it is 503, `ctx.signal` aborts, and what the handler still gives is let go.
 */
export function waitFor(ctx: Waiting, promise: PromiseLike<unknown>, go: (value: unknown) => void): Promise<void> {
  const { deadlines, inside } = ctx.app
  ctx[progress] = promise
  return new Promise((resolve, reject) => {
    let timedOut: Error | undefined
    const wait = deadlines.begin(() => {
      ctx[pending] = promise
      timedOut = late(ctx)
      fail(timedOut, 'late')
    })
    const fail = (error: unknown, how?: 'late') => {
      if (endsInTime(ctx, how)) return reject(error)
      inside.tell(toError(error), ctx)
      resolve()
    }
    promise.then(
      value => {
        if (!deadlines.end(wait)) return discard(value)
        try {
          if (endsInTime(ctx)) go(value)
          else discard(value)
          resolve()
        } catch (error) {
          reject(error)
        }
      },
      error => {
        if (deadlines.end(wait)) fail(error)
        // To have stopped because of ctx.signal is what was asked for.
        else if (error !== timedOut && !isAbort(error)) inside.tell(toError(error), ctx)
      },
    )
  })
}

function isAbort(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'AbortError'
}

/** The route has ended: was it before the middleware around it? */
function endsInTime(ctx: Waiting, how: 'over' | 'late' = 'over'): boolean {
  const isWaiting = isPromise(ctx[progress])
  if (isWaiting) ctx[progress] = how
  return isWaiting
}

/**
 * The middleware around the route has ended: an answer that the route has yet to give would spoil another.
 *
 * @throws TypeError where nobody has answered, because a middleware did not wait
 */
export function leave(ctx: Waiting): void {
  if (!abandon(ctx)) return
  if (isAnswered(ctx) || !ctx.route) return
  const advice = 'Write await next() in what app.use has.'
  throw new TypeError(`${nameOf(ctx.route)}: a middleware ended before the route had answered. ${advice}`)
}

/**
 * What the route has yet to give will not be sent: the request has failed around it, or ended.
 *
 * @returns whether it had yet to give something
 */
export function abandon(ctx: Waiting): boolean {
  const promise = ctx[progress]
  if (!isPromise(promise)) return false
  ctx[pending] = promise
  ctx[progress] = 'left'
  return true
}

/**
 * What the stack of a route has promised and is still at, where its request is answered without it: because time was up,
 * or a middleware has failed or ended. For a decorator that has to do something behind all that a handler does.
 */
export function unfinished(ctx: Waiting): PromiseLike<unknown> | undefined {
  return ctx[pending]
}

function late(ctx: BaseContext): Error {
  const { handler } = ctx.app.settings.timeouts
  const where = ctx.route ? nameOf(ctx.route) : ctx.method
  const detail = `${where}: no answer within ${handler} s. Make it quicker, a job, or raise timeouts.handler.`
  const reason = problem(503, { detail, headers: { 'Retry-After': '5' } })
  rememberStatus(ctx)
  abort(ctx, reason)
  return reason
}
