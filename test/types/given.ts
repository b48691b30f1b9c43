import { decorator, kolba, type Next, reply } from 'kolba'

export interface User {
  name: string
  admin: boolean
}

export const app = kolba()

/** Adds `ctx.user`. */
export const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: User }>) =>
  next({ user: { name: 'Ada', admin: true } }),
)

/** Needs `ctx.user`. */
export const admin = decorator('admin', (ctx: { user: User }, next: Next) => (ctx.user.admin ? next() : reply(403)))

/** Takes rows. */
export const rows = decorator('rows', async (_ctx, next: Next<object, readonly object[]>) => {
  const items = await next()
  return { items, length: items.length }
})

/** Adds one property, of a name to be told apart. */
export function adds<const Name extends string>(name: Name) {
  return decorator(name, (_ctx, next: Next<{ [K in Name]: number }>) => next({ [name]: 1 } as { [K in Name]: number }))
}
