import { type BaseContext, nameOf } from '../../src/index.ts'

const told = Symbol('kolba.rateLimit.told')
const firstUse = Symbol('kolba.rateLimit.firstUse')
type Watched = { [told]?: Set<string>; [firstUse]?: Map<string, number> }

/** A warning that an app's log has once. */
export function tellOnce({ app }: BaseContext, message: string): void {
  const watched = app as Watched
  watched[told] ??= new Set()
  if (watched[told].has(message)) return
  watched[told].add(message)
  app.logger.warn({}, message)
}

/**
 * Tells of a limit that is made anew for each request: one that no route knows, and that was made after the same route
 * had used another such. One that is made outside and called in a handler is none of these.
 *
 * @param made when it was made, by `performance.now()`
 */
export function watchForNew(ctx: BaseContext, made: number): void {
  const watched = ctx.app as Watched
  const where = ctx.route ? nameOf(ctx.route) : ''
  watched[firstUse] ??= new Map()
  const first = watched[firstUse].get(where)
  if (first === undefined) watched[firstUse].set(where, performance.now())
  else if (made > first)
    tellOnce(
      ctx,
      `${where}: rateLimit() is called for each request, and each time it counts from zero. Make it once, outside.`,
    )
}
