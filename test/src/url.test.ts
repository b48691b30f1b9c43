import test from 'ava'
import fc from 'fast-check'
import { blueprint, type Context, get, kolba, seeOther } from 'kolba'
import { json } from 'kolba/json'

function showBook(ctx: Context<'/books/:id'>) {
  return ctx.params.id
}

function library() {
  const app = kolba()
  app.get('/', function home() {
    return 'home'
  })
  app.get('/books/:id', showBook)
  app.get('/books{/:page}', function listBooks() {
    return []
  })
  app.get('/files/*rest', function file(ctx) {
    return ctx.params.rest
  })
  app.get('/:from-:to/:name.:extension', function parts(ctx) {
    return ctx.params
  })
  return app
}

test('url() finds an endpoint by its handler and by its name', t => {
  const app = library()
  t.is(app.url(showBook, { id: 7 }), '/books/7')
  t.is(app.url('showBook', { id: '7' }), '/books/7')
  t.is(app.url('showBook', { id: 7n }), '/books/7')
  t.is(app.url('home'), '/')
})

test('url() finds a handler under its decorators', t => {
  const app = kolba()
  const composed = json()(showBook)
  app.get('/composed/:id', composed)
  t.is(app.url(composed, { id: 1 }), '/composed/1')
  t.is(app.url(showBook, { id: 1 }), '/composed/1')
  t.is(app.url('showBook', { id: 1 }), '/composed/1')
  const handler = app.get('/given/:id', json(), function given() {
    return 1
  }) as never
  t.is(app.url(handler, { id: 1 } as never), '/given/1')
})

class Books {
  @get('/books')
  list() {
    return []
  }

  @get('/books/:id')
  show(ctx: Context<'/books/:id'>) {
    return ctx.params.id
  }
}

test('url() finds a method of a class by itself and by its name', t => {
  const app = kolba()
  const books = new Books()
  app.mount('/v1', books)
  t.is(app.url(books.show, { id: 7 }), '/v1/books/7')
  t.is(app.url(Books.prototype.show, { id: 7 }), '/v1/books/7')
  t.true(app.routes().some(({ name }) => name?.endsWith('show')))
  const name = app.routes().find(({ path }) => path === '/v1/books/:id')?.name as string
  t.is(app.url(name, { id: 7 }), '/v1/books/7')
})

test('url() takes the names of blueprints before the name of the endpoint', t => {
  const books = blueprint('books')
  books.get('/:id', function show(ctx) {
    return ctx.params.id
  })
  const films = blueprint('films')
  films.get('/:id', function show(ctx) {
    return ctx.params.id
  })
  const shop = blueprint('shop')
  shop.mount('/books', books)
  shop.mount('/films', films)
  const app = kolba()
  app.mount('/shop', shop)
  t.is(app.url('shop.books.show', { id: 1 }), '/shop/books/1')
  t.is(app.url('shop.films.show', { id: 1 }), '/shop/films/1')
})

test('url() fills parameters of prefixes', t => {
  const books = blueprint('books')
  books.get('/books/:id', function show() {
    return 1
  })
  const app = kolba()
  app.mount('/shops/:shop', books)
  t.is(app.url('books.show', { shop: 'a b', id: 7 }), '/shops/a%20b/books/7')
})

test('url() leaves out optional groups, and fills them', t => {
  const app = library()
  t.is(app.url('listBooks'), '/books')
  t.is(app.url('listBooks', { page: undefined }), '/books')
  t.is(app.url('listBooks', { page: 2 }), '/books/2')
})

test('url() encodes what a segment cannot hold, and keeps the slashes of a wildcard', t => {
  const app = library()
  t.is(app.url('showBook', { id: 'a/b c?d#e%ü' }), '/books/a%2Fb%20c%3Fd%23e%25%C3%BC')
  t.is(app.url('file', { rest: 'a/b c/d?.txt' }), '/files/a/b%20c/d%3F.txt')
  t.is(app.url('parts', { from: 1, to: 2, name: 'x', extension: 'txt' }), '/1-2/x.txt')
})

test('url() appends a query: lists repeat their name, null and undefined are left out', t => {
  const app = library()
  t.is(
    app.url(
      'home',
      {},
      { q: 'a b&c=d', tag: ['x', 'y'], none: null, not: undefined, empty: [], zero: 0, no: false, big: 1n },
    ),
    '/?q=a+b%26c%3Dd&tag=x&tag=y&zero=0&no=false&big=1',
  )
  t.is(app.url(showBook, { id: 7 }, { empty: '' }), '/books/7?empty=')
  t.is(app.url('home', {}, {}), '/')
})

for (const [name, call, message] of [
  ['a parameter that is missing', () => library().url('showBook'), 'url showBook: the parameter id is missing.'],
  [
    'a parameter that is undefined',
    () => library().url('showBook', { id: undefined }),
    'url showBook: the parameter id is missing.',
  ],
  [
    'a parameter that is null',
    () => library().url('showBook', { id: null } as never),
    'url showBook: the parameter id is missing.',
  ],
  [
    'an unknown parameter',
    () => library().url('showBook', { id: 1, page: 2 }),
    'url showBook: there is no parameter page.',
  ],
  [
    'both',
    () => library().url(showBook, { ID: 1 } as never),
    'url showBook: the parameter id is missing and there is no parameter ID.',
  ],
  [
    'a name in other letters',
    () => library().url('ShowBook', { id: 1 }),
    'url: no route has ShowBook. Did you mean showBook?',
  ],
  [
    'an unknown name',
    () => library().url('nothing'),
    'url: no route has nothing. There are home, showBook, listBooks, file, parts.',
  ],
  [
    'a handler of no route',
    () => library().url(function stranger() {}),
    'url: no route has stranger. There are home, showBook, listBooks, file, parts.',
  ],
  ['an app without names', () => kolba().url('x'), 'url: no route has x. No handler has a name yet.'],
  [
    'an empty parameter',
    () => library().url(showBook, { id: '' }),
    'url showBook: the parameter id is empty. Give it a value.',
  ],
  [
    'half a character',
    () => library().url(showBook, { id: '\ud800' }),
    'url showBook: the parameter id is not well-formed Unicode.',
  ],
  [
    'dots',
    () => library().url(showBook, { id: '..' }),
    'url showBook: /books/.. is no path. Give parameters without dot segments, empty segments and NUL.',
  ],
  [
    'dots in a wildcard',
    () => library().url('file', { rest: 'a/../../etc' }),
    'url file: /files/a/../../etc is no path. Give parameters without dot segments, empty segments and NUL.',
  ],
  [
    'an empty segment in a wildcard',
    () => library().url('file', { rest: '/etc' }),
    'url file: /files//etc is no path. Give parameters without dot segments, empty segments and NUL.',
  ],
] as const) {
  test(`url() refuses ${name}`, t => {
    t.throws(call, { instanceOf: TypeError, message })
  })
}

test('url() suggests the name within its blueprint', t => {
  const books = blueprint('books')
  books.get('/:id', showBook)
  const app = kolba()
  app.mount('/books', books)
  t.throws(() => app.url('showBook', { id: 1 }), {
    message: 'url: no route has showBook. Did you mean books.showBook?',
  })
})

test('url() refuses a handler at several paths, unless the parameters tell them apart', t => {
  const app = kolba()
  const old = blueprint('old')
  const current = blueprint('current')
  old.get('/books/:id', showBook)
  current.get('/books/:id', showBook)
  app.mount('/v1', old)
  app.mount('/v2', current)
  t.throws(() => app.url(showBook, { id: 1 }), {
    message: 'url showBook: it stands at /v1/books/:id and /v2/books/:id. Name the blueprints that it is mounted with.',
  })
  t.is(app.url('old.showBook', { id: 1 }), '/v1/books/1')
  t.is(app.url('current.showBook', { id: 1 }), '/v2/books/1')
  app.get('/shelves/:shelf/books/:id', showBook)
  t.is(app.url(showBook, { shelf: 1, id: 2 } as never), '/shelves/1/books/2')
})

test('two handlers of one name are refused when they are registered', t => {
  const app = library()
  t.throws(
    () =>
      app.get('/other', function home() {
        return 1
      }),
    {
      instanceOf: TypeError,
      message:
        "GET /other: the name home is taken by GET /. Rename the handler, or name its blueprint: blueprint('books').",
    },
  )
})

test('ctx.urlFor() is absolute, from the scheme and the host of the request', async t => {
  const app = library()
  app.get('/links', ctx => [ctx.urlFor(showBook, { id: 'a b' }, { q: 1 }), ctx.urlFor('home')])
  const response = await app.client().get('/links', { headers: { host: 'api.example.com:8080' } })
  t.deepEqual(await response.json(), ['http://api.example.com:8080/books/a%20b?q=1', 'http://api.example.com:8080/'])
})

test("ctx.urlFor() does not look at the client's Origin or X-Forwarded-Host", async t => {
  const app = library()
  app.get('/link', ctx => ctx.urlFor('home'))
  const headers = {
    host: 'a',
    origin: 'https://evil.example',
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil',
  }
  t.is(await (await app.client().get('/link', { headers })).text(), 'http://a/')
})

test('seeOther(app.url()) leads to the endpoint', async t => {
  const app = library()
  app.post('/books', () => seeOther(app.url(showBook, { id: 'ü/1' })))
  const response = await app.client().post('/books')
  t.is(await (await app.client().get(response.headers.get('location') as string)).text(), 'ü/1')
})

/** What no path can hold, by the words of the design: dot segments, also behind encoded slashes, and NUL. */
function isHeld(text: string): boolean {
  return text !== '' && text.isWellFormed() && !text.includes('\0') && !/(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(text)
}

/** Text in which what matters in paths is frequent. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', '2', 'e', 'a', '?', '#', ' ', ';', '\0', 'ü'), maxLength: 6 }),
)

test('a request to url(params) gives the params back, or url() refuses them', async t => {
  const app = kolba()
  app.get('/one/:id', function one(ctx) {
    return ctx.params
  })
  app.get('/two/:first/:second', function two(ctx) {
    return ctx.params
  })
  app.get('/rest/*rest', function rest(ctx) {
    return ctx.params
  })
  const client = app.client()
  const roundTrip = async (name: string, params: Record<string, string>, held: boolean) => {
    if (!held) return void t.throws(() => app.url(name, params), { instanceOf: TypeError }, JSON.stringify(params))
    const response = await client.get(app.url(name, params))
    t.is(response.status, 200, JSON.stringify(params))
    t.deepEqual(await response.json(), params)
  }
  await fc.assert(
    fc.asyncProperty(texts, id => roundTrip('one', { id }, isHeld(id))),
    { numRuns: 300 },
  )
  await fc.assert(
    fc.asyncProperty(texts, texts, (first, second) =>
      roundTrip('two', { first, second }, isHeld(first) && isHeld(second)),
    ),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(texts, rest => {
      const held = isHeld(rest) && !rest.startsWith('/') && !rest.includes('//')
      return roundTrip('rest', { rest }, held)
    }),
    { numRuns: 300 },
  )
})
