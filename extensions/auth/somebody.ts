/**
 * Is this a user? Undefined, null and false are nobody.
 *
 * @throws TypeError for true, which is nobody in particular, and a user to whoever asks `if (ctx.user)`
 */
export function isSomebody<User>(where: string, user: User | undefined | null | false): user is User {
  if ((user as unknown) === true)
    throw new TypeError(`${where}: true is no user. Return who it is, { id }, or undefined.`)
  return user !== undefined && user !== null && user !== false
}
