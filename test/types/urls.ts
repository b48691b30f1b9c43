import { blueprint, type Context, type Handler } from 'kolba'
import { json } from 'kolba/json'
import { app, signedIn } from './given.ts'

const list = app.get('/books', () => 1)
const show = app.get('/books/:id', json(), ctx => ctx.params.id)
const page = app.get('/books/:id{/:page}', ctx => ctx.params.page)
const file = app.get('/files/*path', ctx => ctx.params.path)
const inGroup = app.group('/shops/:shop', signedIn).get('/:id', ctx => ctx.params.shop)
const composed = app.get(
  '/composed/:id',
  json()(ctx => ctx.params.id),
)
const inModule = blueprint().get('/:id', ctx => ctx.params.id)

app.url(list)
app.url(list, {}, { page: 2, sort: ['name', 'year'], all: true, none: undefined, nil: null })
app.url(show, { id: 7 })
app.url(show, { id: '7' }, { page: 2 })
app.url(show, { id: 7n })
app.url(page, { id: 7 })
app.url(page, { id: 7, page: 2 })
app.url(page, { id: 7, page: undefined })
app.url(file, { path: 'a/b' })
app.url(inGroup, { shop: 1, id: 2 })
app.url(composed, { id: 7 })
app.url(inModule, { id: 7 })

app.url(show) // error: Expected 2-3 arguments, but got 1
app.url(show, {}) // error: Property 'id' is missing in type '{}'
app.url(show, { isbn: 7 }) // error: 'isbn' does not exist in type '{ readonly id: Value; }'
app.url(show, { id: 7, page: 2 }) // error: 'page' does not exist in type '{ readonly id: Value; }'
app.url(show, { id: true }) // error: Type 'boolean' is not assignable to type 'Value'
app.url(show, { id: undefined }) // error: Type 'undefined' is not assignable to type 'Value'
app.url(list, { id: 7 }) // error: Type 'number' is not assignable to type 'never'
app.url(list, {}, { page: {} }) // error: Type '{}' is not assignable to type
app.url(page, { page: 2 }) // error: Property 'id' is missing in type '{ page: number; }'
app.url(inGroup, { id: 2 }) // error: Property 'shop' is missing in type '{ id: number; }'
app.url(composed) // error: Expected 2-3 arguments, but got 1
app.url(7) // error: Argument of type 'number' is not assignable to parameter of type 'string | Handler'

declare const either: string
declare const handler: Handler
app.url(handler)
app.url(handler, { id: 7 })

const anywhere = app.get(either, ctx => ctx.params.id)
app.url(anywhere)
app.url(anywhere, { id: 7 })

// A function with its parameters in its own type; one without says nothing of its path.
function detail(ctx: Context<'/books/:id'>) {
  return ctx.params.id
}
function nothing() {}
app.url(detail, { id: 7 })
app.url(detail) // error: Expected 2-3 arguments, but got 1
app.url(nothing)
app.url(nothing, { id: 7 })

// A name is looked up when it is called.
app.url('books.list')
app.url('books.show', { id: 7, page: undefined }, { q: null })
app.url('books.show', { id: {} }) // error: Type '{}' is not assignable to type 'Value | undefined'

app.get('/links', ctx => [ctx.urlFor(list), ctx.urlFor(show, { id: 7 }), ctx.urlFor('books.show', { id: 7 })])
app.get('/links', ctx => ctx.urlFor(show)) // error: Expected 2-3 arguments, but got 1
app.get('/links', ctx => ctx.urlFor(show, { isbn: 7 })) // error: 'isbn' does not exist in type
