import { createHash } from 'node:crypto'
import { callerOf } from '../../src/headers/index.ts'
import type { AroundContext, BaseContext, Route } from '../../src/index.ts'

export type PrincipalOption = ((ctx: never) => string) | undefined

/**
 * Who makes the request: what `principal` says, or else the user, or whoever sends the same credentials.
 *
 * @throws TypeError where `principal` gives no string
 */
export function ownerOf(ctx: BaseContext, principal: PrincipalOption, credentials: readonly string[]): string {
  if (!principal) return callerOf(ctx, credentials)
  const its: unknown = principal(ctx as never)
  if (typeof its === 'string' && its !== '') return JSON.stringify(['principal', its])
  throw new TypeError('idempotent: principal gave no string, or an empty one. Return who makes the request.')
}

/**
 * What a key is kept under: its caller, the method, the route with its parameters, and the key. It is a hash, so that a
 * store has neither keys nor credentials. The parameters are decoded, so there is one way to write a path. The host is
 * not in it: a repetition may come through another proxy, and by another name, and would be carried out again.
 */
export function placeOf(ctx: AroundContext, route: Route, name: string, caller: string, key: string): string {
  const params = Object.entries(ctx.params).sort(([one], [other]) => (one < other ? -1 : 1))
  const parts = [caller, ctx.method, route.path, params, key]
  return `${name}${createHash('sha256').update(JSON.stringify(parts)).digest('base64url')}`
}
