import { callerOf } from '../../src/headers/index.ts'
import { type AroundContext, type BaseContext, keyOf, principalOf } from '../../src/index.ts'

/** Whose jobs are, and the keys that clients and routes give them. */
export interface Owners {
  /** What `principal` says, or else who `ctx.user` is; undefined for nobody in particular. */
  ownerOf(ctx: BaseContext | AroundContext): string | undefined
  /**
   * Whose a key is: the owner's that `principal` says, or else the caller's, who is found where jobs are nobody's, too.
   *
   * @param credentials headers in which clients of the route say who they are
   */
  keeperOf(ctx: AroundContext, owner: string | undefined, credentials: readonly string[]): string
}

export function ownersOf(principal: ((ctx: AroundContext) => string | undefined) | undefined): Owners {
  return {
    ownerOf(ctx) {
      if (!principal) return principalOf(ctx)
      const its: unknown = principal(ctx as AroundContext)
      if (its === undefined) return undefined
      if (typeof its === 'string' && its !== '') return keyOf('principal', its)
      throw new TypeError(
        'jobs: principal gave no string, or an empty one. Return who makes the request, or undefined.',
      )
    },
    keeperOf: (ctx, owner, credentials) => (principal && owner) ?? callerOf(ctx, credentials),
  }
}
