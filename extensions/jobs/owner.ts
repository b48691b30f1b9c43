import { type AroundContext, type BaseContext, keyOf, principalOf } from '../../src/index.ts'

/** Whose the jobs of a request are: what `principal` says, or else who `ctx.user` is; undefined for nobody in particular. */
export function ownersOf(principal: ((ctx: AroundContext) => string | undefined) | undefined) {
  return (ctx: BaseContext | AroundContext): string | undefined => {
    if (!principal) return principalOf(ctx)
    const its: unknown = principal(ctx as AroundContext)
    if (its === undefined) return undefined
    if (typeof its === 'string' && its !== '') return keyOf('principal', its)
    throw new TypeError('jobs: principal gave no string, or an empty one. Return who makes the request, or undefined.')
  }
}
