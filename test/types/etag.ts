import { blueprint, type Context, created, decorator, kolba, type Next, stack } from 'kolba'
import { body } from 'kolba/body'
import { type EtagOptions, etag, type Guarded } from 'kolba/etag'
import { json } from 'kolba/json'
import { output } from 'kolba/output'
import { int, object } from 'kolba/schema'
import { same } from './same.ts'

const app = kolba()

interface Row {
  id: number
  at: Date
}
const row: Row = { id: 7, at: new Date() }

// ctx.version has the type of what version gives, and is a string where there is no version; undefined where there is
// no resource yet.
app.put('/a', etag(), ctx => same<typeof ctx.version, string | undefined>(true))
app.put('/b', etag({ required: true, weak: false }), ctx => same<typeof ctx.version, string | undefined>(true))
app.put('/c', etag({ version: (it: Row) => it.id }), ctx => same<typeof ctx.version, number | undefined>(true))
app.put('/d', etag({ version: (it: Row) => it.at }), json(), body(), ctx => ctx.version?.getTime())
app.put('/e', json(), etag({ version: (it: Row) => BigInt(it.id) }), ctx =>
  same<typeof ctx.version, bigint | undefined>(true),
)
app.put('/f', etag({ version: ({ id }: { id?: number }) => id }), ctx =>
  same<typeof ctx.version, number | undefined>(true),
)
etag({ version: () => ({}) }) // error: Type '() => {}' is not assignable
etag({ version: () => true }) // error: Type '() => boolean' is not assignable
etag({ lastModified: () => 7n }) // error: is not assignable to type
etag({ verson: () => 1 }) // error: 'verson' does not exist

// ctx.stale() can be called below it, thrown, returned and bare; Koa's own is a boolean.
app.put('/g', etag(), ctx => ctx.stale())
app.put('/h', etag(), ctx => {
  throw ctx.stale()
})
app.put('/i', etag(), ctx => {
  if (ctx.version) return row
  ctx.stale()
})
app.put('/j', etag({ version: (it: Row) => it.id }), output(object({ id: int() })), ctx => {
  if (ctx.version === 7) ctx.stale()
  return row
})
app.put('/k', etag(), ctx => update(row, ctx.version) ?? ctx.stale())
app.put('/l', json(), ctx => ctx.stale()) // error: This expression is not callable
function update(it: Row, version: string | undefined): Row | undefined {
  return version === '' ? it : undefined
}

// What load gives is what version and lastModified are given.
const load = async (ctx: { params: { id: string } }): Promise<Row | undefined> => (ctx.params.id ? row : undefined)
app.put('/m/:id', etag({ load, version: it => it.id }), ctx => same<typeof ctx.version, number | undefined>(true))
app.put('/n/:id', etag({ load, lastModified: it => it.at }), () => created('/n/7', row))
app.put('/o/:id', etag({ load: () => null }), () => 1)
app.put('/p/:id', etag({ load: ctx => (ctx.params.id ? row : null), version: it => it.at }), ctx =>
  ctx.version?.getTime(),
)
etag({ load, version: (it: { name: string }) => it.name }) // error: is not assignable to type

// What load needs has to stand above.
interface User {
  name: string
}
const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ user: { name: 'Ada' } }))
const mine = etag({ load: (ctx: { user: User }) => ({ owner: ctx.user.name }), version: it => it.owner })
app.put('/q', signedIn, mine, ctx => ctx.user.name + ctx.version)
app.put('/r', mine, () => 1) // error: Property 'user' is missing
app.put('/s', mine, signedIn, () => 1) // error: Property 'user' is missing
app.put('/t', etag({ load }), () => 1) // error: Property 'id' is missing

// A shared value, a group, a stack, a composition, a blueprint, a method.
const tagged = etag({ version: (it: Row) => it.id })
app.get('/u', tagged, json(), () => row)
app.put('/u', tagged, json(), ctx => (ctx.version ?? 0) + 1)
app.use(tagged)
const group = app.group('/v', etag(), json({ pretty: true }))
group.get('/', () => row)
group.put('/', etag({ required: true }), ctx => ctx.version?.length)
app.put('/w', stack(json(), tagged), ctx => ctx.version?.toFixed())
app.put('/x', etag({ version: (it: Row) => it.id })(json()(ctx => ctx.version?.toFixed())))
const books = blueprint(etag(), json())
books.put('/', ctx => ctx.version?.length)
const inline = blueprint(etag({ version: (it: Row) => it.id }), json())
inline.put('/', ctx => ctx.version?.toFixed())
const shelf = blueprint('shelf', tagged)
shelf.put('/', ctx => ctx.version?.toFixed())
export class Books {
  @tagged
  @json()
  change(ctx: Context<'/', Guarded<number>>) {
    return ctx.version?.toFixed()
  }
}

const options: EtagOptions<Row, number> = { version: it => it.id, weak: true }
same<EtagOptions<Row, number>['version'], ((row: Row, ctx: Context) => number) | undefined>(false)
export const named = etag(options)
