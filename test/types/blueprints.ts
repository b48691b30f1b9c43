import Koa from 'koa'
import { blueprint, kolba } from 'kolba'
import { etag } from 'kolba/etag'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { csv, languages, produces } from 'kolba/negotiate'
import { int } from 'kolba/schema'
import { admin, app, signedIn, type User } from './given.ts'
import { same } from './same.ts'

// A group adds its prefix's parameters and what its stack adds.
const group = app.group('/shops/:shop', signedIn, json())
group.get('/books/:id', ctx => same<typeof ctx.params, { shop: string; id: string }>(true))
group.get('/books/:id', admin, ctx => same<typeof ctx.user, User>(true))
group.group('/books/:book').get('/:page', ctx => same<keyof typeof ctx.params, 'shop' | 'book' | 'page'>(true))
group.group('/books', admin).get('/', ctx => ctx.user)
group.get('/', ctx => ctx.params.id) // error: Property 'id' does not exist
app.group('/books', json()).get('/', ctx => ctx.user) // error: Property 'user' does not exist
app.group('/books', signedIn, json(), admin)
app.group('/books', admin) // error: Property 'user' is missing
app.group('/books', json) // error: Property '[parts]' is missing
app.group(
  '/books',
  json(),
  admin, // error: Property 'user' is missing
  signedIn,
)

// A blueprint gives its routes what its own stack adds.
const books = blueprint('books', signedIn, json())
books.get('/:id', ctx => ctx.user.name + ctx.params.id)
const unnamed = blueprint(json(), signedIn, admin)
unnamed.get('/', ctx => ctx.user)
app.mount('/books', books)
app.mount('/:shop', unnamed, json())
// What is generic is inferred in the list, behind a name too.
blueprint('tongues', languages('en', 'de')).get('/', ctx => same<typeof ctx.language, 'en' | 'de'>(true))
blueprint(languages('en', 'de')).get('/', ctx => same<typeof ctx.language, 'en' | 'de'>(true))
const versioned = etag({ version: (row: { rev: number }) => row.rev })
blueprint('made', json(), produces({ 'text/csv': csv() }), input({ query: { a: int() } }), versioned).put('/', ctx =>
  same<[typeof ctx.representation, typeof ctx.input.query.a], ['text/csv', number]>(true),
)
blueprint().get('/', ctx => ctx.user) // error: Property 'user' does not exist
blueprint('books').get('/', ctx => ctx.user) // error: Property 'user' does not exist
blueprint(admin) // error: Property 'user' is missing in type 'BaseContext'
blueprint('books', json(), admin) // error: Property 'user' is missing in type 'BaseContext'
blueprint(json(), 'books') // error: Argument of type 'string' is not assignable to parameter of type
blueprint('books', json) // error: is not assignable to parameter of type
blueprint(json) // error: is not assignable to parameter of type

// One that counts on more says so, and is mounted where that is given.
const me = blueprint<{ user: User }>('me')
me.get('/', ctx => ctx.user)
me.get('/admin', admin, ctx => ctx.user)
app.mount('/me', me, signedIn)
app.mount('/me', me, json(), signedIn)
group.mount('/me', me)
books.mount('/me', me)
app.group('/a', signedIn).group('/b').mount('/me', me)
app.mount('/me', me) // error: Property 'user' is missing in type 'BaseContext & { params: {}; }' but required in type
app.mount('/me', me, json()) // error: Property 'user' is missing
app.group('/a').mount('/me', me) // error: Property 'user' is missing
app.mount('/me', books, admin) // error: Property 'user' is missing
app.mount('/me', books, json) // error: Property '[parts]' is missing

const inShop = blueprint<{ params: { shop: string } }>()
inShop.get('/:id', ctx => same<typeof ctx.params, { shop: string; id: string }>(true))
app.mount('/shops/:shop', inShop)
group.mount('/more', inShop)
app.mount('/shops/:id', inShop) // error: Property 'shop' is missing in type '{ id: string; }'
app.mount('/shops', inShop) // error: Property 'shop' is missing in type '{}'

// Apps and instances are mounted too.
class Books {
  list() {}
}
app.mount('/kolba', kolba(), signedIn)
app.mount('/koa', new Koa(), json())
app.mount('/class', new Books())
app.mount('/class', Books) // error: Types of property 'prototype' are incompatible
app.mount('/handler', () => 1) // error: Argument of type '() => number' is not assignable
app.mount('/number', 7) // error: Argument of type 'number' is not assignable
app.mount(7, books) // error: Argument of type 'number' is not assignable to parameter of type 'string'
