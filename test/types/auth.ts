import { blueprint, type Context, decorator, kolba, type Next, stack } from 'kolba'
import {
  and,
  anyOf,
  apiKey,
  basicAuth,
  type Claims,
  issueTokens,
  mayRead,
  not,
  optional,
  or,
  permit,
  roles,
  scopes,
  type TokenOptions,
  tokenAuth,
  verifyPassword,
} from 'kolba/auth'
import { json } from 'kolba/json'
import { same } from './same.ts'

const app = kolba()

interface Account {
  id: number
  isAdmin: boolean
}
interface Client {
  name: string
}
declare const accounts: { get(id: string | undefined): Promise<Account | undefined> }
declare const note: { owner: number }

// ctx.user is the claims, or what load gives without what is nobody.
const expected = { issuer: 'https://id.example.com', audience: 'shop' }
const signedIn = tokenAuth({ secret: process.env.SECRET, ...expected })
app.get('/a', signedIn, ctx => same<typeof ctx.user, Claims>(true))
app.get('/b', signedIn, ctx => ctx.user.sub?.length)
const account = tokenAuth({ secret: process.env.SECRET, ...expected, load: ({ sub }) => accounts.get(sub) })
app.get('/c', account, ctx => same<typeof ctx.user, Account>(true))
app.get(
  '/d',
  tokenAuth({ jwks: 'https://id.example.com/jwks', ...expected, load: () => null as Account | null }),
  ctx => same<typeof ctx.user, Account>(true),
)
app.get('/e', tokenAuth({ verify: async token => (token ? { name: token } : undefined) }), ctx =>
  same<typeof ctx.user, Client>(true),
)
app.get('/f', json(), ctx => ctx.user) // error: Property 'user' does not exist

// What may be left out, and what may not.
tokenAuth({ secret: 'x' }) // error: No overload matches this call
tokenAuth({ secret: 'x', issuer: 'i' }) // error: No overload matches this call
tokenAuth({ secret: 'x', issuer: false, audience: ['a', 'b'], algorithms: ['HS512'] })
tokenAuth({ secret: 'x', ...expected, algorithms: ['none'] }) // error: No overload matches this call
tokenAuth({ secret: 'x', ...expected, audiense: 'a' }) // error: No overload matches this call
tokenAuth({ secret: 'x', issuer: true, audience: 'a' }) // error: No overload matches this call
tokenAuth({
  ...expected,
  keys: [
    { kid: 'a', key: '-----BEGIN' },
    { kty: 'EC', crv: 'P-256' },
  ],
})
const options: TokenOptions = { jwks: new URL('https://id.example.com'), issuer: 'i', audience: false }
tokenAuth(options)

// load, verify and revoked may need what stands above.
const db = decorator('db', (_ctx, next: Next<{ db: Map<string, Account> }>) => next({ db: new Map() }))
const loaded = tokenAuth({
  secret: process.env.SECRET,
  ...expected,
  load: ({ sub = '' }, ctx: { db: Map<string, Account> }) => ctx.db.get(sub),
})
app.get('/g', db, loaded, ctx => ctx.user.isAdmin)
app.get('/h', loaded, () => 1) // error: Property 'db' is missing

// The others.
const basic = basicAuth(async (name, password) => (name === password ? { name } : undefined))
app.get('/i', basic, ctx => same<typeof ctx.user, Client>(true))
basicAuth((name: number) => name) // error: not assignable
const key = apiKey({ verify: (it): Client | null => (it ? { name: it } : null), prefix: 'shop' })
app.get('/j', key, ctx => same<typeof ctx.user, Client>(true))
apiKey({}) // error: Property 'verify' is missing
app.get('/k', anyOf(account, key), ctx => same<typeof ctx.user, Account | Client>(true))
app.get('/l', anyOf(loaded, key), () => 1) // error: Property 'db' is missing
app.get('/m', db, anyOf(loaded, key), ctx => same<typeof ctx.user, Account | Client>(true))
app.get('/n', optional(account), ctx => same<typeof ctx.user, Account | undefined>(true))
app.get('/o', optional(anyOf(account, key)), ctx => same<typeof ctx.user, Account | Client | undefined>(true))
app.get('/p', optional(account), ctx => ctx.user.id) // error: possibly 'undefined'
anyOf() // error: Expected at least 1 argument
anyOf(json()) // error: is not assignable

// roles, scopes and permit need a user above, and below them there is one.
app.get('/q', signedIn, roles('admin'), ctx => ctx.user.sub)
app.get('/r', roles('admin'), () => 1) // error: Property 'user' is missing
app.get('/s', roles('admin'), signedIn, () => 1) // error: Property 'user' is missing
app.get('/t', scopes('notes:write'), () => 1) // error: Property 'user' is missing
app.get('/u', optional(account), roles('admin'), ctx => ctx.user.id)
app.get(
  '/v',
  optional(account),
  permit((user: Account) => user.isAdmin),
  ctx => ctx.user.id,
)
app.get(
  '/w',
  account,
  permit((user: Account) => user.isAdmin),
  ctx => same<typeof ctx.user.id, number>(true),
)
app.get(
  '/x',
  key,
  permit((user: Account) => user.isAdmin), // error: is not assignable
  () => 1,
)
app.get(
  '/y/:id',
  account,
  permit((user: Account, ctx) => String(user.id) === ctx.params.id),
  () => 1,
)
app.get(
  '/y2',
  account,
  permit((user: Account) => user.id), // error: is not assignable
  () => 1,
)
roles() // error: Expected at least 1 argument
scopes(1) // error: Argument of type 'number'

// What a rule needs of ctx has to stand above it, in combinations too.
const mine = permit((user: Account, ctx: { note: { owner: number } }) => ctx.note.owner === user.id, { hide: true })
const withNote = decorator('withNote', (_ctx, next: Next<{ note: typeof note }>) => next({ note }))
app.get('/z', account, withNote, mine, () => 1)
app.get('/aa', account, mine, () => 1) // error: Property 'note' is missing
app.get('/ab', account, or(roles('admin'), mine), () => 1) // error: Property 'note' is missing
app.get('/ac', account, withNote, or(roles('admin'), mine), ctx => ctx.user.id)
app.get('/ad', account, withNote, and(not(roles('guest')), mine), ctx => ctx.user.id)
app.get('/ae', key, withNote, and(mine, roles('admin')), () => 1) // error: is not assignable
and(signedIn) // and refuses what is no rule when it is made
app.get(
  '/af',
  account,
  mayRead((user: Account, it: { owner: number }) => it.owner === user.id),
  () => note,
)
app.get(
  '/ag',
  mayRead((user: Account) => user.isAdmin), // error: Property 'user' is missing
  () => note,
)

// Groups, stacks, blueprints, methods.
const admin = app.group('/admin', account, roles('admin'))
admin.get('/', ctx => same<typeof ctx.user.id, number>(true))
app.get('/ah', stack(account, roles('admin')), ctx => ctx.user.isAdmin)
const books = blueprint(
  account,
  permit((user: Account) => user.isAdmin),
)
books.get('/', ctx => ctx.user.id)
export class Books {
  @account
  @roles('admin')
  list(ctx: Context<'/', { user: Account }>) {
    return ctx.user.id
  }
}

// Tokens.
const tokens = issueTokens({
  secret: process.env.SECRET,
  issuer: 'i',
  audience: 'a',
  check: ({ username }): Account | undefined => (username ? { id: 1, isAdmin: false } : undefined),
  load: id => accounts.get(id),
  subject: user => same<typeof user, Account>(true) ?? String(user.id),
  claims: ({ isAdmin }) => ({ roles: isAdmin ? ['admin'] : [] }),
})
app.mount('/tokens', tokens)
tokenAuth({ secret: process.env.SECRET, ...expected, revoked: tokens.revoked })
tokens.issue({ id: 2 }) // error: Property 'isAdmin' is missing
issueTokens({ secret: 'x', issuer: 'i', audience: 'a', check: () => undefined }) // error: Property 'load' is missing
const verified = ({ password }: { password: string }) => verifyPassword(password, 'hash')
// A password that is right does not say whose it is.
issueTokens({ secret: 'x', issuer: 'i', audience: 'a', check: verified, load: () => undefined }) // error: not assignable
