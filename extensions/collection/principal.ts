import { type BaseContext, principalOf } from '../../src/index.ts'

/**
 * Who a cursor is for: what `principal` says, or else who `ctx.user` is, or else everybody.
 *
 * @throws TypeError for what tells nobody from anybody
 */
export function readerOf(ctx: BaseContext, principal: ((ctx: never) => unknown) | undefined): string | undefined {
  if (!principal) return principalOf(ctx)
  const its = principal(ctx as never)
  if (its === undefined || typeof its === 'string') return its
  throw new TypeError(`collection: principal gave ${kindOf(its)}. Give a string, or undefined for everybody.`)
}

function kindOf(value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  return value === null ? 'null' : `a value of the type ${typeof value}`
}
