import type { BaseContext } from './context.ts'
import { problem } from './problem.ts'
import { discard } from './reply.ts'
import { nameOf } from './route.ts'

const controller = Symbol('controller')

type Abortable = BaseContext & { [controller]?: AbortController }

/** `ctx.signal`: made when a handler first asks for it, so that the others pay nothing. */
export function signalOf(ctx: Abortable): AbortSignal {
  if (!ctx[controller]) {
    const made = new AbortController()
    ctx[controller] = made
    const onClose = () => {
      if (!ctx.res.writableFinished) made.abort(new Error('The client has gone.'))
    }
    ctx.res.closed ? onClose() : ctx.res.once('close', onClose)
  }
  return ctx[controller].signal
}

/** Waits for a handler, at most so many seconds; then it is 503, and `ctx.signal` aborts. */
export function inTime<T>(ctx: Abortable, promise: PromiseLike<T>, seconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const late = setTimeout(() => {
      isLate = true
      const where = ctx.route ? nameOf(ctx.route) : ctx.method
      const detail = `${where}: no answer within ${seconds} s. Make it quicker, a job, or raise timeouts.handler.`
      const reason = problem(503, { detail, headers: { 'Retry-After': '5' } })
      signalOf(ctx)
      ctx[controller]?.abort(reason)
      reject(reason)
    }, seconds * 1000)
    promise.then(
      value => {
        if (isLate) return discard(value)
        clearTimeout(late)
        resolve(value)
      },
      error => {
        clearTimeout(late)
        reject(error)
      },
    )
  })
}
