import { kolba, problem, reply } from 'kolba'
import { bulk, collection, type Links, links, resource } from 'kolba/collection'
import { json } from 'kolba/json'
import { date, int, object, optional, readOnly, text } from 'kolba/schema'
import { z } from 'zod'
import { same } from './same.ts'

const app = kolba()
const book = object({ id: readOnly(int()), title: text(), since: date(), year: optional(int()) })

// bulk() adds one item, as its schema gives it, and its place.
app.post('/books', json(), bulk({ item: book, atomic: true, max: 5 }), ctx => {
  same<typeof ctx.input.body.title, string>(true)
  same<typeof ctx.input.body.since, Date>(true)
  same<typeof ctx.input.body.year, number | undefined>(true)
  same<typeof ctx.index, number>(true)
  return ctx.input.body.name // error: Property 'name' does not exist
})
app.post('/zod', bulk({ item: z.object({ n: z.coerce.number() }) }), ctx => {
  same<typeof ctx.input.body.n, number>(true)
})
app.post('/record', bulk({ item: { n: int() } }), ctx => same<typeof ctx.input.body.n, number>(true))
app.post('/any', bulk(), ctx => same<typeof ctx.input.body, unknown>(true))
app.post('/json', bulk({ item: { type: 'object' } }), ctx => same<typeof ctx.input.body, unknown>(true))
app.post('/wrong', bulk({ most: 5 }), () => 1) // error: 'most' does not exist in type 'BulkOptions

// links() above a handler takes rows of the type that its function takes.
interface Person {
  id: number
}
const linked = links<Person>((row, ctx) => ({ self: ctx.urlFor('show', { id: row.id }), none: row.id > 5 && '/x' }))
app.get('/a', linked, () => [{ id: 1, name: 'Ada' }])
app.get('/b', linked, () => ({ id: 1 }))
app.get('/c', linked, async () => (Math.random() > 0.5 ? reply(404) : null))
app.get('/d', linked, () => problem(404))
app.get('/e', linked, () => [{ name: 'Ada' }]) // error: 'name' does not exist in type 'Person'
app.get('/f', json(), linked, () => 'Ada') // error: Type 'string' is not assignable
// Without a type of the row anything goes, and its fields are unknown.
app.get(
  '/g',
  links(row => ({ self: `/people/${row.id}` })),
  () => 5,
)
links(row => ({ self: row.id })) // error: Type 'unknown' is not assignable
links(() => ({ self: 5 })) // error: Type 'number' is not assignable
links(() => '/x') // error: Type 'string' is not assignable
links(() => ({ self: { title: 'x' } })) // error: Type '{ title: string; }' is not assignable
links(() => ({}), { hall: true }) // error: 'hall' does not exist
const some: Links = { a: '/a', b: { href: '/{b}', templated: true }, c: ['/1', { href: '/2' }], d: null, e: undefined }
void some

// Above a collection it says nothing of what the handler gives, and its rows are what was read.
const people = resource({ fields: { id: 'number', name: 'string' } })
app.get(
  '/i',
  json(),
  links((row, ctx) => ({ self: ctx.urlFor('show', { id: Number(row.id) }), more: row.id })), // error: Type 'unknown' is not assignable
  collection(people),
  () => [{ anything: 1 }],
)
app.get(
  '/j',
  links((row, ctx) => ({ self: ctx.urlFor('show', { id: Number(row.id) }) })),
  collection(people),
  () => [{ anything: 1 }],
)
app.get(
  '/k',
  links((row: Person) => ({ self: `/people/${row.id}` })),
  () => [{ id: 1 }],
)
const typed = links((row: Person) => ({ self: `/people/${row.id}` }))
app.get('/l', typed, () => [{ name: 'Ada' }]) // error: 'name' does not exist in type 'Person'
