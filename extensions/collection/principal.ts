import type { BaseContext } from '../../src/index.ts'

/**
 * Who a cursor is for: what `principal` says, or else the id of `ctx.user`, else all of it, else everybody.
 *
 * @throws TypeError for what tells nobody from anybody
 */
export function principalOf(ctx: BaseContext, principal: ((ctx: never) => unknown) | undefined): string | undefined {
  if (!principal) return userOf(ctx)
  const its = principal(ctx as never)
  if (its === undefined || typeof its === 'string') return its
  throw new TypeError(`collection: principal gave ${kindOf(its)}. Give a string, or undefined for everybody.`)
}

function userOf(ctx: BaseContext): string | undefined {
  const { user } = ctx as { user?: unknown }
  if (user === undefined || user === null) return
  const { id, sub } = Object(user) as { id?: unknown; sub?: unknown }
  const its = [id, sub].find(it => typeof it === 'string' || typeof it === 'number') ?? user
  const text = toJson(its)
  if (text !== undefined) return text
  throw new TypeError('collection: ctx.user has no id and no sub, and cannot be JSON. Give the option principal.')
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  return value === null ? 'null' : `a value of the type ${typeof value}`
}
