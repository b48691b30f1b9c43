import test from 'ava'
import { app as blueprints } from '../../examples/blueprints/app.js'
import { app as books } from '../../examples/books.js'
import { app as classes } from '../../examples/classes.js'
import { app as hello } from '../../examples/hello.js'

test('hello.ts says hello', async t => {
  t.is(await (await hello.client().get('/hello/Ada')).text(), 'Hello, Ada!')
})

for (const [name, app] of Object.entries({ books, classes })) {
  test(`${name}.ts lists, shows, adds and removes books`, async t => {
    const client = app.client()
    t.deepEqual(await (await client.get('/books')).json(), [{ id: 1, title: 'Emma' }])
    const added = await client.post('/books', { json: { title: 'Persuasion' } })
    t.is(added.status, 201)
    t.is(added.headers.get('location'), '/books/2')
    t.deepEqual(await (await client.get('/books/2')).json(), { id: 2, title: 'Persuasion' })
    t.is((await client.post('/books', { json: { title: 5 } })).status, 422)
    t.is((await client.delete('/books/2')).status, 204)
    t.is((await client.get('/books/2')).status, 404)
  })
}

test('books.ts and classes.ts have the same routes', t => {
  const routes = (app: typeof books) =>
    app.routes().map(({ methods, path, decorators }) => [methods, path, decorators.map(({ name }) => name)])
  t.deepEqual(routes(books), routes(classes))
})

test('blueprints/ links authors and books by endpoint name', async t => {
  const client = blueprints.client({ headers: { host: 'books.example' } })
  const author = (await (await client.get('/authors/sei')).json()) as { books: string }
  t.deepEqual(author, { name: 'Sei Shonagon', books: 'http://books.example/books?author=sei' } as never)
  const books = await (await client.get('/books?author=sei')).json()
  t.deepEqual(books, [{ title: 'The Pillow Book', author: 'http://books.example/authors/sei' }])
  t.is((await client.get('/authors/nobody')).status, 404)
})
