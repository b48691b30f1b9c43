import type { BaseContext } from './context.ts'
import { keyOf } from './key.ts'

/**
 * Who makes a request, as text: for limits, idempotency and jobs, which belong to somebody. Undefined without `ctx.user`.
 *
 * It is made of the user's `iss` and `sub` (claims of a token, RFC 7519 section 4.1), else of its `id`, else of a user
 * that is a string or a number itself, else of all its JSON. Two users never have the same one, and it is at most 128
 * bytes long. Where a route knows users in two ways, of `anyOf()`, their ids differ: a key and a person that are both 1
 * are one.
 *
 * @throws TypeError for a user who cannot be told from others, such as an instance with private fields alone: with one
 *   principal for all, each would find what belongs to another
 */
export function principalOf(ctx: BaseContext): string | undefined {
  const { user } = ctx as { user?: unknown }
  if (user === undefined || user === null) return undefined
  if (isId(user)) return keyOf('user', user)
  const { iss, sub, id } = user as Record<string, unknown>
  if (isId(sub) && (isId(iss) || (iss ?? null) === null)) return keyOf('sub', (iss as Id) ?? null, sub)
  if (isId(id)) return keyOf('id', id)
  return keyOf('json', jsonOf(user))
}

type Id = string | number | bigint

/** NaN is no number of anybody, and text that is empty nobody's name. */
function isId(value: unknown): value is Id {
  return typeof value === 'string' ? value !== '' : Number.isFinite(value) || typeof value === 'bigint'
}

/** What JSON sees nothing of may be all that tells users apart. */
const NOBODY = [undefined, '{}', '[]', '""', 'null', 'true', 'false']

function jsonOf(user: unknown): string {
  let text: string | undefined
  let cause: unknown
  try {
    text = JSON.stringify(user)
  } catch (error) {
    cause = error
  }
  if (text !== undefined && !NOBODY.includes(text)) return text
  throw new TypeError('principalOf: this user cannot be told from others. Give ctx.user an id, or a sub.', { cause })
}
