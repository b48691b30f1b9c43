import { createHash } from 'node:crypto'
import type { BaseContext } from '../context.ts'
import { keyOf } from '../key.ts'
import { principalOf } from '../principal.ts'
import type { Route } from '../route.ts'

/**
 * Whose an Idempotency-Key is: the user's, `ctx.user` or Koa's `ctx.state.user`, or else of whoever sends the same
 * credentials, so that nobody has what is another's where users are found by something that we do not know. Of
 * credentials it has a hash.
 *
 * @param credentials headers in which clients say who they are, beside Authorization and Cookie
 */
export function callerOf(ctx: BaseContext, credentials: readonly string[]): string {
  const user = principalOf(ctx)
  const koaUser = principalOf({ user: ctx.state.user } as never)
  if (user !== undefined || koaUser !== undefined) return keyOf('user', user ?? null, koaUser ?? null)
  const { headers } = ctx.req
  const sent = ['authorization', 'cookie', ...credentials].map(name => headers[name] ?? null)
  const hash = createHash('sha256').update(JSON.stringify(sent)).digest('base64url')
  return keyOf('credentials', hash)
}

/** The headers in which clients of a route say who they are, as the notes of its decorators have it. */
export function credentialsOf({ notes }: Route): string[] {
  const schemes = notes.flatMap(({ security }) => Object.values(security ?? {}).map(({ scheme }) => scheme))
  return (schemes as { type?: string; in?: string; name?: unknown }[])
    .filter(({ type, in: place }) => type === 'apiKey' && place === 'header')
    .map(({ name }) => String(name).toLowerCase())
}
