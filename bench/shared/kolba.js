// What both servers of kolba in W4 and W7 declare, as examples/todo.ts does.
import { tokenAuth } from 'kolba/auth'
import { resource } from 'kolba/collection'
import { rateLimit } from 'kolba/rate-limit'
import { AUDIENCE, LIMIT, products, SECRET } from './endpoint.js'
import { db } from './source.js'

export const list = resource({
  fields: { id: 'number', name: 'string', category: 'string', price: 'number', stock: 'number' },
})
export const signedIn = tokenAuth({ secret: SECRET, issuer: false, audience: AUDIENCE })
export const limited = rateLimit({ limit: LIMIT, per: 'min' })
export const rows = db ? () => db.selectFrom('product') : () => products
