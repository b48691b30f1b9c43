import type { BaseContext } from './context.ts'

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

/** Aborts it, for one who asks for it later too. */
export function abort(ctx: Abortable, reason: Error): void {
  signalOf(ctx)
  ctx[controller]?.abort(reason)
}
