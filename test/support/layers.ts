import { type BaseContext, type Decorator, decorator, type Logger } from 'kolba'

/** Notes its label on ctx.state.trace on the way down, so that a handler can say what stood above it. */
export function layer(label: string): Decorator {
  return decorator(label, (ctx, next) => {
    trace(ctx).push(label)
    return next()
  })
}

/** The labels of the layers that a request has come through, outermost first. */
export function trace(ctx: Pick<BaseContext, 'state'>): string[] {
  ctx.state.trace ??= []
  return ctx.state.trace as string[]
}

/** A logger that keeps the errors it is given. */
export function keeping(): Logger & { errors: Error[] } {
  const errors: Error[] = []
  return { errors, info() {}, warn() {}, error: fields => void errors.push((fields as { err: Error }).err) }
}
