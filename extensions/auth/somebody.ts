import { isResponse, kinds, Reply, show } from '../../src/index.ts'

/** Who a user may be. `true` says that there is one, and not who; a promise is an object, and is waited for. */
export type Somebody = (object & { then?: never }) | string | number | bigint

/**
 * Is this a user? Undefined, null and false are nobody.
 *
 * @throws TypeError for what is neither, such as `true`, a list that may be empty, or an answer; and an error that was
 *   returned. As users, they would let everybody in.
 */
export function isSomebody<User>(where: string, user: User | undefined | null | false): user is User {
  if (user === undefined || user === null || user === false) return false
  if (user instanceof Error) throw user
  const isAnswer = user instanceof Reply || isResponse(user)
  if (isPlain(user) || (kinds.object.test(user) && !Array.isArray(user) && !isAnswer)) return true
  const what = isAnswer ? 'an answer' : show(user)
  throw new TypeError(`${where}: ${what} is no user. Return who it is, { id }, or undefined.`)
}

/** A user who is an id, and nothing more. */
function isPlain(user: unknown): boolean {
  return kinds.text.test(user) || Number.isFinite(user) || typeof user === 'bigint'
}
