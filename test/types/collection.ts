import { type Context, get } from 'kolba'
import { collection, defineSource, filter, paginate, resource, type Slice, sort } from 'kolba/collection'
import { json } from 'kolba/json'
import { app, signedIn } from './given.ts'
import { same } from './same.ts'

const books = resource({ fields: { id: 'number', title: 'string' } })
const rows = [{ id: 1, title: 'Emma' }]

// A handler gives rows, in whatever form, or a query for them.
app.get('/a', collection(books), () => rows)
app.get('/a', json(), collection(books, { perPage: 50 }), async () => new Set(rows))
app.get('/a', collection(books), async function* list() {
  yield* rows
})
app.get('/a', collection(books), () => ({ selectFrom: 'book' }))
app.get('/a', collection(books), ctx => (ctx.get('X') ? rows : null))
app.get('/:shop/a', filter(books), sort(books), paginate(), ctx => {
  same<typeof ctx.params.shop, string>(true)
  return rows
})
collection(books)(() => rows)
app.get('/a', collection(books), () => 'text') // error: Type 'string' is not assignable to type 'Awaitable<Given>'
app.get('/a', collection(books), () => 7) // error: Type 'number' is not assignable to type 'Awaitable<Given>'
app.get('/a', collection(books), () => {}) // error: Type 'void' is not assignable to type 'Awaitable<Given>'
app.get('/a', collection, () => rows) // error: Property '[parts]' is missing

// What the principal is found by has to be there.
const mine = collection(books, { principal: (ctx: { user: { name: string } }) => ctx.user.name })
app.get('/a', signedIn, mine, () => rows)
app.get('/a', mine, () => rows) // error: Property 'user' is missing
app.get('/a', mine, signedIn, () => rows) // error: Property 'user' is missing
app.get('/a', collection(books, { principal: ctx => ctx.get('X-Tenant') }), () => rows)
app.get('/a', filter(books), paginate({ principal: (ctx: { user: { name: string } }) => ctx.user.name }), () => rows) // error: Property 'user' is missing
paginate({ principal: () => 7 }) // error: Type '() => number' is not assignable to type '(ctx: BaseContext) => string | undefined'

collection(books, { paging: ['page', 'cursor'], count: 'none', name: false, contentRange: 'books' })
collection(books, { paging: 'pages' }) // error: Type '"pages"' is not assignable to type
collection(books, { perpage: 5 }) // error: Did you mean to write 'perPage'?
collection(books, { name: true }) // error: Type 'true' is not assignable to type 'string | false | undefined'
collection({ fields: {} }) // error: Type '{}' is missing the following properties
filter(books, { perPage: 5 }) // error: 'perPage' does not exist in type 'CommonOptions'
paginate(books, { perPage: 5 })
paginate({ depth: 2 }) // error: 'depth' does not exist

// A source reads what it says that it matches.
const search = defineSource<Map<string, number>>({
  name: 'a search',
  matches: value => value instanceof Map,
  read: (map, slice) => ({ rows: [{ size: map.size, slice: same<typeof slice, Slice>(true) }] }),
})
collection(books, { sources: [search] })

class Books {
  @get('/')
  @collection(books)
  list(_ctx: Context<'/'>) {
    return rows
  }
}
app.mount('/books', new Books())
