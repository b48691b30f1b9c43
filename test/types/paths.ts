import type { PathParams } from 'kolba'
import { json } from 'kolba/json'
import { app } from './given.ts'
import { same } from './same.ts'

same<PathParams<'/'>, object>(false)
same<PathParams<'/'>, Record<never, string>>(true)
same<PathParams<'/books/:id'>, { id: string }>(true)
same<PathParams<'/books/:id'>, { id: number }>(false)
same<PathParams<'/books/:id/pages/:page'>, { id: string; page: string }>(true)
same<PathParams<'/:a-:b.:c'>, { a: string; b: string; c: string }>(true)
same<PathParams<'/:from..:to'>, { from: string; to: string }>(true)
same<PathParams<'/:lat,:lng'>, { lat: string; lng: string }>(true)
same<PathParams<'/:name@:version'>, { name: string; version: string }>(true)
same<PathParams<'/:a\':b":c`:d<:e>:f^'>, Record<'a' | 'b' | 'c' | 'd' | 'e' | 'f', string>>(true)
same<PathParams<"/*path'">, { path: string }>(true)
same<PathParams<'/files/*path'>, { path: string }>(true)
same<PathParams<'/:user/*path'>, { user: string; path: string }>(true)
same<PathParams<'/books/:id\\:cancel'>, { id: string }>(true)
same<PathParams<'/books\\:batch'>, Record<never, string>>(true)

same<PathParams<'/books{/:page}'>, { page?: string }>(true)
same<PathParams<'{/:lang}/books/:id'>, { id: string; lang?: string }>(true)
same<PathParams<'/:a{-:b}.:c'>, { a: string; b?: string; c: string }>(true)
same<PathParams<'/a{/:b{/:c}/:d}/:e'>, { b?: string; c?: string; d?: string; e: string }>(true)
same<PathParams<'/files{/*path}'>, { path?: string }>(true)

// A path that is known at run time alone may have any parameters.
declare const path: string
same<PathParams<string>, Record<string, string>>(true)
app.get(path, ctx => ctx.params.anything)
app.get(`/${path}/:id`, ctx => ctx.params.id)

app.get('/books/:id', ctx => same<typeof ctx.params, { id: string }>(true))
app.get('/books/:id', ctx => ctx.params.isbn) // error: Property 'isbn' does not exist on type '{ id: string; }'
app.get('/books', json(), ctx => ctx.params.id) // error: Property 'id' does not exist on type '{}'
app.get('/books{/:page}', ctx => ctx.params.page.length) // error: 'ctx.params.page' is possibly 'undefined'
app.route(['PUT', 'PATCH'], '/books/:id', json(), ctx => ctx.params.id)
app.route('PUT', '/books/:id', json(), ctx => ctx.params.isbn) // error: Property 'isbn' does not exist on type '{ id
app.get(7, () => 1) // error: Argument of type 'number' is not assignable to parameter of type 'string'
