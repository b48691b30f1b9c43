import { createHash } from 'node:crypto'
import { type AroundContext, type BaseContext, principalOf, type Route } from '../../src/index.ts'

export type PrincipalOption = ((ctx: never) => string) | undefined

/**
 * Who makes the request: what `principal` says, or else the user, or else the credentials that the request has, so that
 * nobody has another's answers where users are found by something that we do not know.
 *
 * @throws TypeError where `principal` gives no string
 */
export function callerOf(ctx: BaseContext, principal: PrincipalOption, credentials: readonly string[]): string {
  if (principal) {
    const its: unknown = principal(ctx as never)
    if (typeof its === 'string' && its !== '') return JSON.stringify(['principal', its])
    throw new TypeError('idempotent: principal gave no string, or an empty one. Return who makes the request.')
  }
  const user = principalOf(ctx)
  const koaUser = principalOf({ user: ctx.state.user } as never)
  if (user !== undefined || koaUser !== undefined) return JSON.stringify(['user', user ?? null, koaUser ?? null])
  const { headers } = ctx.req
  const names = ['authorization', 'cookie', ...credentials]
  return JSON.stringify(['credentials', ...names.map(name => headers[name] ?? null)])
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

/** The headers in which clients of a route say who they are, as the notes of its decorators have it. */
export function credentialsOf({ notes }: Route): string[] {
  const schemes = notes.flatMap(({ security }) => Object.values(security ?? {}).map(({ scheme }) => scheme))
  return (schemes as { type?: string; in?: string; name?: unknown }[])
    .filter(({ type, in: place }) => type === 'apiKey' && place === 'header')
    .map(({ name }) => String(name).toLowerCase())
}
