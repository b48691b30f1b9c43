import { execFileSync } from 'node:child_process'
import { Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { parse as parseCsv } from 'csv-parse/sync'
import fc from 'fast-check'
import { blueprint, type Context, decorator, isPromise, kolba, problem, type Reply, reply, stack, when } from 'kolba'
import { body } from 'kolba/body'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { type CsvOptions, csv, languages, preferredEncoding, produces, yaml } from 'kolba/negotiate'
import { parse as parseYaml } from 'yaml'
import { MemoryLogger } from '../support/memory-logger.js'
import { Line, listening } from '../support/raw.js'
import { root } from '../support/root.js'

const BOOKS = [
  { id: 1, title: 'Emma' },
  { id: 2, title: 'Persuasion' },
]
const JSON_TYPE = 'application/json'
const page = (value: unknown) => `<h1>${JSON.stringify(value)}</h1>`
const ALL = { 'application/json': true, 'text/csv': csv(), 'application/yaml': yaml(), 'text/html': page } as const

function appOf(value: () => unknown, options = {}) {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/books', produces(ALL, options), value)
  return { app, logger, client: app.client() }
}

async function asked(value: unknown, accept?: string): Promise<Response> {
  return appOf(() => value).client.get('/books', accept === undefined ? {} : { headers: { accept } })
}

const chosen: [string, string | undefined, string, string][] = [
  ['the first without Accept', undefined, 'application/json; charset=utf-8', JSON.stringify(BOOKS)],
  ['JSON', 'application/json', 'application/json; charset=utf-8', JSON.stringify(BOOKS)],
  ['CSV', 'text/csv', 'text/csv; charset=utf-8; header=present', 'id,title\r\n1,Emma\r\n2,Persuasion\r\n'],
  ['YAML', 'application/yaml', 'application/yaml', '- id: 1\n  title: Emma\n- id: 2\n  title: Persuasion\n'],
  ['what a function makes', 'text/html, */*;q=0.1', 'text/html; charset=utf-8', page(BOOKS)],
  ['what q=0 leaves', 'application/json;q=0, text/*', 'text/csv; charset=utf-8; header=present', 'id,title'],
  ['what is sent, by its parameters', 'text/csv;charset=UTF-8;header=present', 'text/csv', 'id,title'],
]
for (const [title, accept, type, text] of chosen) {
  test(`produces() answers with ${title}`, async t => {
    const response = await asked(BOOKS, accept)
    t.is(response.status, 200)
    t.is(response.headers.get('vary'), 'Accept')
    const [got, body] = [response.headers.get('content-type') ?? '', await response.text()]
    t.true(got.startsWith(type), got)
    t.true(body.startsWith(text), body)
    t.is(response.headers.get('content-length'), String(Buffer.byteLength(body)))
  })
}

test('produces() answers 406 when nothing fits, before the handler runs, and says what there is', async t => {
  let runs = 0
  const { client } = appOf(() => {
    runs += 1
    return BOOKS
  })
  for (const accept of ['image/png', 'application/json;q=0', 'json']) {
    const response = await client.get('/books', { headers: { accept } })
    t.is(response.status, 406)
    t.is(response.headers.get('vary'), 'Accept')
    t.is(response.headers.get('content-type'), 'application/problem+json')
    const { requestId, ...document } = (await response.json()) as Record<string, unknown>
    t.deepEqual(document, {
      type: 'about:blank',
      title: 'Not Acceptable',
      status: 406,
      detail: 'This is available as application/json, text/csv, application/yaml, text/html.',
      instance: '/books',
      available: ['application/json', 'text/csv', 'application/yaml', 'text/html'],
    })
  }
  t.is(runs, 0)
})

test('produces() answers HEAD with the headers of GET', async t => {
  const { client } = appOf(() => BOOKS)
  const response = await client.head('/books', { headers: { accept: 'text/csv' } })
  t.is(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  t.is(response.headers.get('content-length'), '32')
  t.is(await response.text(), '')
})

test('produces() says below what was chosen, and above what it was made of', async t => {
  const app = kolba()
  let above: unknown
  let below: unknown
  const look = decorator('look', (_ctx, next) => when(next(), value => (above = value)))
  app.get('/', look, produces({ 'application/json': true, 'text/csv': csv() }), ctx => {
    below = ctx.representation
    return BOOKS
  })
  await app.client().get('/', { headers: { accept: 'text/csv' } })
  t.is(below, 'text/csv')
  t.is((above as Reply).source, BOOKS)
  t.is((above as Reply).body, 'id,title\r\n1,Emma\r\n2,Persuasion\r\n')
})

test('produces() keeps status and headers of a reply, errors included, and adds to its Vary', async t => {
  const made = await asked(reply(201, { a: 1n }, { Location: '/a', Vary: 'Cookie' }), 'text/csv')
  t.is(made.status, 201)
  t.is(made.headers.get('location'), '/a')
  t.is(made.headers.get('vary'), 'Accept, Cookie')
  t.is(await made.text(), 'a\r\n1\r\n')
  const missing = await asked(reply(404, { detail: 'no' }), 'text/csv')
  t.is(missing.status, 404)
  t.is(await missing.text(), 'detail\r\nno\r\n')
})

test('produces() keeps a status that was set on ctx', async t => {
  const app = kolba()
  app.get('/', produces(ALL), ctx => {
    ctx.status = 202
    return { a: 1 }
  })
  const response = await app.client().get('/', { headers: { accept: 'application/yaml' } })
  t.is(response.status, 202)
  t.is(await response.text(), 'a: 1\n')
})

test('produces() lets pass what is empty, and what is bytes or has a type already', async t => {
  const passing: [unknown, number, string | null, string][] = [
    [null, 204, null, ''],
    [reply(204), 204, null, ''],
    [reply(304, { a: 1 }), 304, null, ''],
    [reply(202), 202, null, ''],
    [Buffer.from('hi'), 200, 'application/octet-stream', 'hi'],
    [new Uint8Array([104, 105]), 200, 'application/octet-stream', 'hi'],
    [new Blob(['hi']), 200, 'application/octet-stream', 'hi'],
    [new Response('hi', { headers: { 'content-type': 'text/x' } }), 200, 'text/x', 'hi'],
    [new Response('hi').body, 200, 'application/octet-stream', 'hi'],
    [Readable.from([Buffer.from('hi')], { objectMode: false }), 200, 'application/octet-stream', 'hi'],
    [reply(200, 'a', { 'content-type': 'text/x' }), 200, 'text/x', 'a'],
    [reply(200, { a: 1 }, { 'Content-Type': 'application/vnd.api+json' }), 200, 'application/vnd.api+json', '{"a":1}'],
  ]
  for (const [value, status, type, text] of passing) {
    const response = await asked(value, 'text/csv')
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), type)
    t.is(response.headers.get('vary'), 'Accept')
    t.is(await response.text(), text)
  }
})

test('produces() leaves errors, thrown or returned, to problem documents', async t => {
  for (const value of [() => problem(409), () => Promise.reject(problem(409))]) {
    const { client } = appOf(value)
    const response = await client.get('/books', { headers: { accept: 'text/csv' } })
    t.is(response.status, 409)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.is(response.headers.get('vary'), 'Accept')
  }
})

test('produces() leaves undefined to the error that names the handler', async t => {
  const { client, logger } = appOf(function list() {})
  t.is((await client.get('/books')).status, 500)
  t.regex(logger.lines[0]?.message ?? '', /^GET \/books: list returned undefined\./)
})

test('produces() leaves what json() has rendered below it as it is', async t => {
  const app = kolba()
  app.use(produces({ 'application/json': true, 'text/html': page }))
  app.get('/', json({ pretty: true }), () => ({ a: 1 }))
  app.get('/bare', () => ({ a: 1 }))
  const text = async (path: string, accept: string) => (await app.client().get(path, { headers: { accept } })).text()
  t.is(await text('/', 'application/json'), '{\n  "a": 1\n}')
  t.is(await text('/bare', 'text/html'), '<h1>{"a":1}</h1>')
  t.is(await text('/bare', 'application/json'), '{"a":1}')
  t.is((await app.client().get('/nothing')).status, 404)
})

test('produces() takes functions that give text, bytes, streams, pieces, or a promise of them', async t => {
  const app = kolba()
  const seen: unknown[] = []
  const renderings = {
    'text/a': (value: string, ctx: unknown) => {
      seen.push([value, (ctx as { path: string }).path])
      return value
    },
    'text/b': async (value: string) => Buffer.from(value),
    'image/c': (value: string) => new TextEncoder().encode(value),
    'text/d': (value: string) => Readable.from([value]),
    'text/e': async function* (value: string) {
      yield value
    },
    'text/f;charset=utf-8;x=1': (value: string) => new Blob([value]),
  }
  app.get('/', produces(renderings), () => 'ü')
  for (const [type, sent] of [
    ['text/a', 'text/a; charset=utf-8'],
    ['text/b', 'text/b; charset=utf-8'],
    ['image/c', 'image/c'],
    ['text/d', 'text/d; charset=utf-8'],
    ['text/e', 'text/e; charset=utf-8'],
    ['text/f', 'text/f;charset=utf-8;x=1'],
  ] as const) {
    const response = await app.client().get('/', { headers: { accept: type } })
    t.is(response.headers.get('content-type'), sent)
    t.is(await response.text(), 'ü')
  }
  t.deepEqual(seen, [['ü', '/']])
})

test('produces() makes a 500 of a rendering that fails or gives nothing, and an error of a domain is mapped', async t => {
  class Broken extends Error {}
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.onError(Broken, () => problem(503))
  const circular: { self?: unknown } = {}
  circular.self = circular
  const renderings = {
    'application/json': true,
    'text/csv': csv(),
    'application/yaml': yaml(),
    'text/a': (() => undefined) as never,
    'text/b': () => {
      throw new Broken()
    },
  } as const
  app.get('/', produces(renderings), () => circular)
  const status = async (accept: string) => (await app.client().get('/', { headers: { accept } })).status
  const messages: [string, string][] = [
    ['application/json', 'GET /: produces() cannot render the value: Converting circular structure to JSON.'],
    ['text/csv', 'GET /: csv() cannot render the value: Converting circular structure to JSON.'],
    ['application/yaml', 'GET /: yaml() cannot render the value: Converting circular structure to JSON.'],
    ['text/a', 'GET /: the rendering of text/a gave undefined. Return text, bytes or a stream.'],
  ]
  for (const [type, message] of messages) {
    t.is(await status(type), 500)
    t.is(logger.lines.at(-1)?.message, message)
  }
  t.is(await status('text/b'), 503)
})

test('produces() says that JSON has no function', async t => {
  const { client, logger } = appOf(() => () => 1)
  t.is((await client.get('/books')).status, 500)
  t.is(logger.lines[0]?.message, 'GET /books: produces() cannot render the value: there is no JSON for it.')
})

test('produces() survives a stream of a rendering that fails while what stands above waits, and closes one not sent', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  let unsent: Readable | undefined
  const waiting = decorator('waiting', async (_ctx, next) => {
    const value = await next()
    await new Promise(resolve => setTimeout(resolve, 10))
    return value
  })
  const failing = () => Readable.from([]).destroy(new Error('the disk is gone'))
  app.get('/', waiting, produces({ 'text/a': failing }), () => 1)
  const replaced = decorator('replaced', (_ctx, next) => when(next(), () => 'other'))
  const open = () => {
    unsent = new Readable({ read() {} })
    return unsent
  }
  app.get('/replaced', replaced, produces({ 'text/a': open }), () => 1)
  t.is((await app.client().get('/')).status, 500)
  t.is(logger.lines[0]?.message, 'the disk is gone')
  t.is(await (await app.client().get('/replaced')).text(), 'other')
  while (!unsent?.destroyed) await new Promise(setImmediate)
  t.true(unsent.destroyed)
})

test('produces() writes what comes one by one as it comes: generators, and streams of objects', async t => {
  const rows = async function* () {
    yield* BOOKS
  }
  const nothing = async function* () {}
  for (const value of [rows, () => Readable.from(BOOKS)]) {
    t.deepEqual(await (await asked(value(), 'application/json')).json(), BOOKS)
    t.is(await (await asked(value(), 'text/csv')).text(), 'id,title\r\n1,Emma\r\n2,Persuasion\r\n')
    t.deepEqual(parseYaml(await (await asked(value(), 'application/yaml')).text()), BOOKS)
  }
  t.is(await (await asked(nothing(), 'application/json')).text(), '[]')
  t.is(await (await asked(nothing(), 'text/csv')).text(), '')
  t.is(await (await asked(nothing(), 'application/yaml')).text(), '[]\n')
  const odd = async function* () {
    yield* [undefined, 5n, 'x']
  }
  t.is(await (await asked(odd(), 'application/json')).text(), '[null,"5","x"]')
})

for (const accept of [JSON_TYPE, 'text/csv', 'application/yaml']) {
  test(`produces() answers 500 where the first row fails, and breaks the connection at a later one: ${accept}`, async t => {
    const { client, logger } = appOf(async function* () {
      yield* []
      throw new Error('no database')
    })
    t.is((await client.get('/books', { headers: { accept } })).status, 500)
    t.is(logger.lines[0]?.message, 'no database')
    const late = appOf(async function* () {
      yield* BOOKS
      await new Promise(resolve => setTimeout(resolve, 20))
      throw new Error('the database has gone')
    })
    await t.throwsAsync(late.client.get('/books', { headers: { accept } }), { message: 'aborted' })
    const [line] = await late.logger.until(1)
    t.is(line?.message, 'the database has gone')
  })
}

test('produces() over a synchronous handler makes no promise', t => {
  const ctx = { req: { headers: {} }, response: { is: () => false }, vary() {} }
  const value = stack(produces(ALL), produces(ALL))(() => ({ a: 1 }))(ctx as never)
  t.false(isPromise(value))
  t.is((value as Reply).body, '{"a":1}')
})

test('produces() below etag() gives each representation a tag of its own, and any of them guards a write', async t => {
  const app = kolba()
  let book = { title: 'Emma' }
  app.get('/book', etag(), produces(ALL), () => book)
  app.put('/book', etag(), produces(ALL), body(), ctx => {
    book = ctx.input.body as typeof book
    return book
  })
  const client = app.client()
  const tags: string[] = []
  for (const accept of Object.keys(ALL)) {
    const tag = (await client.get('/book', { headers: { accept } })).headers.get('etag') ?? ''
    tags.push(tag)
    const same = await client.get('/book', { headers: { accept, 'if-none-match': tag } })
    t.is(same.status, 304)
    t.is(same.headers.get('vary'), 'Accept')
    const other = await client.get('/book', { headers: { accept: 'image/*, */*;q=0.1', 'if-none-match': tag } })
    t.is(other.status, accept === JSON_TYPE ? 304 : 200)
  }
  t.is(new Set(tags).size, 4)
  const put = (tag: string, title: string) =>
    client.put('/book', { json: { title }, headers: { 'if-match': tag, accept: 'text/csv' } })
  const written = await put(tags[2] as string, 'Persuasion')
  t.is(written.status, 200)
  t.is(await written.text(), 'title\r\nPersuasion\r\n')
  t.is((await put(tags[1] as string, 'Sanditon')).status, 412)
  // If-None-Match with a tag says: unless it is what I have seen, in whatever representation that was.
  const unless = { 'if-none-match': written.headers.get('etag') ?? '' }
  t.is((await client.put('/book', { json: { title: 'Sanditon' }, headers: unless })).status, 412)
  t.is((await put(written.headers.get('etag') ?? '', 'Sanditon')).status, 200)
})

test('produces() goes around other methods as well, and turns away before the body is read', async t => {
  const app = kolba()
  app.post('/', produces({ 'text/csv': csv() }), body(), ctx => ctx.input.body)
  const response = await app.client().post('/', { json: { a: 1 }, headers: { accept: 'text/*' } })
  t.is(await response.text(), 'a\r\n1\r\n')
  t.is((await app.client().post('/', { headers: { accept: 'image/*' } })).status, 406)
})

test('produces({ format }) lets a parameter choose before Accept does', async t => {
  const { client } = appOf(() => BOOKS, { format: true })
  const get = (query: string) => client.get(`/books${query}`, { headers: { accept: 'application/yaml, image/*' } })
  for (const [query, type] of [
    ['?format=json', 'application/json; charset=utf-8'],
    ['?format=csv', 'text/csv; charset=utf-8; header=present'],
    ['?format=html', 'text/html; charset=utf-8'],
    ['', 'application/yaml'],
  ] as const) {
    const response = await get(query)
    t.is(response.headers.get('content-type'), type)
    t.is(response.headers.get('vary'), 'Accept')
  }
  const unknown = await get('?format=xlsx')
  t.is(unknown.status, 406)
  const document = (await unknown.json()) as { detail: string; available: string[] }
  t.is(document.detail, 'The formats are json, csv, yaml, html.')
  t.deepEqual(document.available, Object.keys(ALL))
  const twice = await get('?format=csv&format=json')
  t.is(twice.status, 400)
  t.is(((await twice.json()) as { detail: string }).detail, 'Send format once.')
  t.is((await get('?format=')).status, 406)
  const plain = await appOf(() => BOOKS).client.get('/books?format=csv')
  t.is(plain.headers.get('content-type'), 'application/json; charset=utf-8')
})

test('produces({ suffix }) lets the path choose, in groups, blueprints and mounted apps, and app.url knows one path', async t => {
  const renderings = { 'application/json': true, 'text/csv': csv() } as const
  const asked = produces(renderings, { suffix: true })
  const books = blueprint('books', asked)
  books.get('/', function list() {
    return BOOKS
  })
  function show(ctx: Context<'/:id'>) {
    return { id: ctx.params.id }
  }
  books.get('/:id', show)
  books.get('/files/*rest', function file(ctx) {
    return ctx.params.rest
  })
  const inner = kolba()
  inner.mount('/books', books)
  const app = kolba()
  app.get('/', produces(renderings, { suffix: true }), () => 'root')
  app.mount('/v1', inner)
  app.mount('/shelf', books)
  const client = app.client()
  const get = async (path: string) => {
    const response = await client.get(path, { headers: { accept: 'application/json' } })
    return `${response.headers.get('content-type')?.split(';')[0]} ${await response.text()}`
  }
  t.is(await get('/shelf'), `application/json ${JSON.stringify(BOOKS)}`)
  t.is(await get('/shelf.csv'), 'text/csv id,title\r\n1,Emma\r\n2,Persuasion\r\n')
  t.is(await get('/shelf/7.csv'), 'text/csv id\r\n7\r\n')
  t.is(await get('/shelf/7.csv/'), 'text/csv id\r\n7\r\n')
  t.is(await get('/shelf/7.8.json'), 'application/json {"id":"7.8"}')
  t.is(await get('/shelf/7.txt'), 'application/json {"id":"7.txt"}')
  t.is(await get('/v1/books.csv'), 'text/csv id,title\r\n1,Emma\r\n2,Persuasion\r\n')
  t.is(await get('/v1/books/7.csv'), 'text/csv id\r\n7\r\n')
  t.is(await get('/shelf/files/a/b.csv'), 'application/json "a/b.csv"')
  t.is(await get('/'), 'application/json "root"')
  t.is((await client.get('/shelf.csv', { headers: { accept: 'image/png' } })).status, 200)
  t.is((await client.get('/shelf.csv')).headers.get('vary'), 'Accept')
  t.is((await client.get('/shelf.xml')).status, 404)
  t.is((await client.post('/shelf.csv')).status, 405)
  t.is(inner.url(show, { id: '7' }), '/books/7')
  t.is(app.routes().filter(({ path }) => path.includes('.')).length, 0)
})

test('produces() says in its note what there is', t => {
  const app = kolba()
  app.get('/books', produces(ALL, { format: true }), languages('en', 'de'), () => 1)
  const [produced, spoken] = app.routes()[0]?.notes ?? []
  t.deepEqual(produced, {
    parameters: [
      {
        name: 'format',
        in: 'query',
        description: 'Chooses before Accept does',
        schema: { type: 'string', enum: ['json', 'csv', 'yaml', 'html'] },
      },
    ],
    responses: {
      200: {
        description: 'The value, as it is asked for',
        content: { 'application/json': {}, 'text/csv': {}, 'application/yaml': {}, 'text/html': {} },
      },
      406: { description: 'Nothing that Accept names is available' },
    },
  })
  t.deepEqual(spoken?.headers?.['Content-Language'], {
    description: 'The language of the answer',
    schema: { type: 'string', enum: ['en', 'de'] },
  })
})

test('produces() refuses wrong renderings and options when it is made', t => {
  const wrong: [unknown, string, object?][] = [
    [{}, "produces: there are no renderings. Give { 'application/json': true } or the like."],
    [undefined, "produces: there are no renderings. Give { 'application/json': true } or the like."],
    [{ json: true }, 'produces: "json" is no media type. Write one like text/csv, whole and without q.'],
    [{ 'text/*': page }, 'produces: "text/*" is no media type. Write one like text/csv, whole and without q.'],
    [
      { 'text/html;q=0.5': page },
      'produces: "text/html;q=0.5" is no media type. Write one like text/csv, whole and without q.',
    ],
    [
      { 'text/html': true },
      'produces: true renders JSON, and text/html is another type. Give a function (value, ctx).',
    ],
    [{ 'text/csv': csv }, 'produces: the rendering of text/csv is not called. Write csv().'],
    [
      { 'application/json': json({ pretty: true }) },
      'produces: the rendering of application/json is the decorator json(). Give true for JSON, or a function (value, ctx).',
    ],
    [{ 'text/yaml': yaml }, 'produces: the rendering of text/yaml is not called. Write yaml().'],
    [
      { 'text/csv': 'csv' },
      'produces: the rendering of text/csv is none. Give a function (value, ctx), or true for JSON.',
    ],
    [
      { 'application/json': true, 'application/geo+json': true },
      'produces: application/json and application/geo+json are both json in a URL. Leave one out, or both format and suffix.',
      { format: true },
    ],
    [
      { 'text/xml': page, 'application/xml': page },
      'produces: text/xml and application/xml are both xml in a URL. Leave one out, or both format and suffix.',
      { suffix: true },
    ],
    [{ 'text/csv': csv() }, 'produces: the option format is "csv". Give true or false.', { format: 'csv' }],
    [{ 'text/csv': csv() }, 'produces: the option "sufix" is unknown. It takes format and suffix.', { sufix: true }],
  ]
  for (const [renderings, message, options] of wrong)
    t.throws(() => produces(renderings as never, options), { instanceOf: TypeError, message })
  t.notThrows(() => produces({ 'application/json': true, 'application/geo+json': true }))
})

async function table(value: unknown, options?: CsvOptions): Promise<string> {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', produces({ 'text/csv': csv(options) }), () => value)
  const response = await app.client().get('/')
  return response.status === 200 ? response.text() : (logger.lines[0]?.message ?? '')
}

test('csv() writes cells as JSON says the value, without its quotes', async t => {
  class Money {
    toJSON() {
      return '3 EUR'
    }
  }
  const row = {
    text: 'a',
    number: -1.5,
    big: 2n ** 64n,
    yes: true,
    no: false,
    none: null,
    missing: undefined,
    at: new Date(0),
    money: new Money(),
    object: { a: [1, 'x'] },
    nan: Number.NaN,
    invalid: new Date(Number.NaN),
    call: () => 1,
  }
  t.is(
    await table([row]),
    `${Object.keys(row).join(',')}\r\na,-1.5,18446744073709551616,true,false,,,1970-01-01T00:00:00.000Z,3 EUR,"{""a"":[1,""x""]}",,,\r\n`,
  )
})

test('csv() quotes what would end a cell, and ends lines with CRLF', async t => {
  const rows = [
    { a: 'x,y', b: 'say "hi"' },
    { a: 'two\r\nlines', b: 'one\nmore' },
    { a: 'alone\r', b: ' space ' },
  ]
  const text = 'a,b\r\n"x,y","say ""hi"""\r\n"two\r\nlines","one\nmore"\r\n"alone\r", space \r\n'
  t.is(await table(rows), text)
})

test('csv() takes collections of all kinds, items of an object, and one row', async t => {
  const text = 'id,title\r\n1,Emma\r\n2,Persuasion\r\n'
  for (const value of [BOOKS, new Set(BOOKS), BOOKS.values(), { items: BOOKS, meta: {} }, { toJSON: () => BOOKS }])
    t.is(await table(value), text)
  const items = async function* () {
    yield* BOOKS
  }
  t.is(await table({ items: items() }), text)
  t.is(await table(BOOKS[0]), 'id,title\r\n1,Emma\r\n')
  t.is(await table({ items: 'none' }), 'items\r\nnone\r\n')
  t.is(await table('x'), 'value\r\nx\r\n')
  t.is(await table([1, null, { value: 2 }]), 'value\r\n1\r\n\r\n2\r\n')
})

test('csv() takes the columns of the first row, or those that are given, with titles of their own', async t => {
  const rows = [{ id: 1, title: 'Emma' }, { title: 'Persuasion', id: 2, more: 'x' }, {}]
  t.is(await table(rows), 'id,title\r\n1,Emma\r\n2,Persuasion\r\n,\r\n')
  t.is(await table(rows, { columns: ['title'] }), 'title\r\nEmma\r\nPersuasion\r\n\r\n')
  t.is(
    await table(rows, { columns: { title: 'Title, =1', id: 'No.' } }),
    '"Title, =1",No.\r\nEmma,1\r\nPersuasion,2\r\n,\r\n',
  )
  t.is(await table(rows, { header: false }), '1,Emma\r\n2,Persuasion\r\n,\r\n')
  t.is(await table([{ 'a.b': 1, 'c[0]': 2 }]), 'a.b,c[0]\r\n1,2\r\n')
})

test('csv() takes rows that are lists', async t => {
  const rows = [['1', 'Emma'], ['2']]
  t.is(await table(rows, { columns: ['id', 'title'] }), 'id,title\r\n1,Emma\r\n2,\r\n')
  t.is(await table(rows, { header: false }), '1,Emma\r\n2\r\n')
  const reason = 'the rows are lists, which say no names for a header; give columns, or header: false'
  t.is(await table(rows), `GET /: csv() cannot render the value: ${reason}.`)
})

test('csv() writes the header of an empty collection where the columns are given', async t => {
  const nothing = async function* () {}
  for (const value of [() => [], nothing]) {
    t.is(await table(value(), { columns: ['id', 'title'] }), 'id,title\r\n')
    t.is(await table(value(), { columns: ['id'], header: false }), '')
    t.is(await table(value()), '')
  }
})

test('csv() says in its Content-Type whether there is a header', async t => {
  const app = kolba()
  app.get('/', produces({ 'text/csv': csv({ header: false }) }), () => BOOKS)
  t.is((await app.client().get('/')).headers.get('content-type'), 'text/csv; charset=utf-8; header=absent')
})

test('csv() begins text that a spreadsheet would run with an apostrophe, unless it is told not to', async t => {
  const texts = ['=1+1', '+49 30', '-1', '@SUM(A1)', '\tx', '\rx', '\n=1', '＝1', 'a=1', '']
  const rows = [...texts.map(a => ({ a })), { a: -1 }, { a: -1n }]
  const safe =
    "a\r\n'=1+1\r\n'+49 30\r\n'-1\r\n'@SUM(A1)\r\n'\tx\r\n\"'\rx\"\r\n\"'\n=1\"\r\n'＝1\r\na=1\r\n\r\n-1\r\n-1\r\n"
  t.is(await table(rows), safe)
  t.is(await table(rows, { formulas: true }), safe.replaceAll("'", ''))
  t.is(await table([{ '=cmd()': 1 }]), "'=cmd()\r\n1\r\n")
})

test('csv() takes another delimiter, and a byte order mark', async t => {
  t.is(await table([{ a: 'x;y', b: 'x,y' }], { delimiter: ';' }), 'a;b\r\n"x;y";x,y\r\n')
  const app = kolba()
  app.get('/:how', produces({ 'text/csv': csv({ bom: true }) }), ctx =>
    ctx.params.how === 'list' ? BOOKS : BOOKS.values(),
  )
  for (const how of ['list', 'stream']) {
    const bytes = Buffer.from(await (await app.client().get(`/${how}`)).arrayBuffer())
    t.is(bytes.toString('latin1').slice(0, 5), '\xef\xbb\xbfid')
    t.is(bytes.toString('latin1').lastIndexOf('\xef'), 0)
  }
})

test('csv() writes 1,000 rows at once, with a length, and more as a stream', async t => {
  const app = kolba()
  const rows = Array.from({ length: 1001 }, (_, id) => ({ id }))
  app.get('/:count', produces({ 'text/csv': csv() }), ctx => rows.slice(0, Number(ctx.params.count)))
  const few = await app.client().get('/1000')
  const many = await app.client().get('/1001')
  t.is(few.headers.get('content-length'), '4894')
  t.is(many.headers.get('content-length'), null)
  t.is(await many.text(), `${await few.text()}1000\r\n`)
})

test('csv() refuses wrong options when it is made', t => {
  const one = 'Give one character that is no quote and no line break.'
  const wrong: [object, string][] = [
    [{ columns: 'id' }, 'csv: the option columns is "id". Give a list of names, or an object of titles by name.'],
    [{ columns: [1] }, 'csv: the option columns is a list. Give a list of names, or an object of titles by name.'],
    [{ header: 1 }, 'csv: the option header is 1. Give true or false.'],
    [{ delimiter: '::' }, `csv: the option delimiter is "::". ${one}`],
    [{ delimiter: '"' }, `csv: the option delimiter is "\\"". ${one}`],
    [{ delimiter: '\n' }, `csv: the option delimiter is "\\n". ${one}`],
    [{ column: [] }, 'csv: the option "column" is unknown. It takes columns, header, delimiter, bom and formulas.'],
  ]
  for (const [options, message] of wrong) t.throws(() => csv(options), { instanceOf: TypeError, message })
})

test('csv() of any rows reads back the same, at once and as a stream', async t => {
  const app = kolba()
  let rows: Record<string, string>[] = []
  const renderings = { 'text/csv': csv({ columns: ['a', 'b'], formulas: true }) }
  app.get('/list', produces(renderings), () => rows)
  app.get('/stream', produces(renderings), () => rows.values())
  const client = app.client()
  const piece = fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'ü', '=', "'", '\u2028')
  const text = fc.oneof(
    fc.array(piece).map(it => it.join('')),
    fc.string({ unit: 'grapheme' }),
  )
  const property = fc.asyncProperty(fc.array(fc.record({ a: text, b: text }), { maxLength: 5 }), async given => {
    rows = given
    for (const path of ['/list', '/stream']) {
      const answer = await (await client.get(path)).text()
      t.deepEqual(parseCsv(answer, { columns: true, record_delimiter: '\r\n' }), given)
    }
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 100 }))
})

/** A route over 100,000 rows, and how many of them were made. */
async function flowing(t: ExecutionContext, width: number) {
  const made = { rows: 0, isOver: false }
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get(
    '/',
    produces({ 'text/csv': csv(), 'application/json': true, 'application/yaml': yaml() }),
    async function* () {
      try {
        for (let id = 0; id < 100_000; id += 1) {
          made.rows += 1
          yield { id, text: 'x'.repeat(width) }
        }
      } finally {
        made.isOver = true
      }
    },
  )
  return { made, app, ...(await listening(t, app)) }
}

for (const type of ['text/csv', 'application/json', 'application/yaml']) {
  test(`produces() makes no more rows than are read: ${type}`, async t => {
    // 100 MB in all, of which the system holds a few.
    const { made, port } = await flowing(t, 1000)
    const line = new Line(port)
    line.write(`GET / HTTP/1.1\r\nHost: a\r\nAccept: ${type}\r\n\r\n`)
    await line.until(text => text.includes('\r\n\r\n'))
    line.socket.pause()
    // Until nothing moves any more: what the two ends of the connection and the system hold is full.
    for (let before = -1; before !== made.rows; ) {
      before = made.rows
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    t.true(made.rows > 100 && made.rows < 50_000, `${made.rows} rows`)
    t.false(made.isOver)
    line.socket.destroy()
    while (!made.isOver) await new Promise(resolve => setTimeout(resolve, 10))
    t.true(made.rows < 50_000)
    t.log(`${made.rows} rows`)
  })
}

test('csv() writes 100,000 rows whole to one who reads, and HEAD ends the generator at once', async t => {
  const { made, app } = await flowing(t, 10)
  const client = app.client()
  const head = await client.head('/')
  t.is(head.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
  while (!made.isOver) await new Promise(resolve => setTimeout(resolve, 10))
  t.true(made.rows < 50_000, `${made.rows} rows`)
  const text = await (await client.get('/')).text()
  t.is(text.split('\r\n').length, 100_002)
  t.true(text.endsWith(`\r\n99999,${'x'.repeat(10)}\r\n`))
})

test('yaml() lets no text begin a line for readers of YAML 1.1', async t => {
  const app = kolba()
  // To them U+2028 ends a line: `admin` would be a member beside `name`.
  const value = {
    name: 'Ada\u2028admin:\u2028 true',
    is: '=',
    'a\u2029b': ['\x85', { c: 'd\ufeff', e: '\x7f\x80\x9f\ufffe\uffff' }],
    'f\t\u200b': 'g\th',
    long: `${'word '.repeat(40)}\u2028`,
  }
  app.get('/', produces({ 'application/yaml': yaml() }), () => value)
  app.get('/flow', produces({ 'application/yaml': yaml() }), async function* () {
    yield value
  })
  for (const [path, expected] of [
    ['/', value],
    ['/flow', [value]],
  ] as const) {
    const text = await (await app.client().get(path)).text()
    t.notRegex(text, /[\t\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/)
    t.true(text.includes(String.raw`name: "Ada\u2028admin:\u2028 true"`), text)
    t.true(text.includes('is: "="'))
    t.deepEqual(parseYaml(text) as unknown, expected)
    t.deepEqual(parseYaml(text, { version: '1.1' }) as unknown, expected)
  }
})

test('yaml() says what JSON says, to readers of YAML 1.2 and of 1.1', async t => {
  const app = kolba()
  let value: unknown
  app.get('/', produces({ 'application/yaml': yaml() }), () => reply(200, value))
  const client = app.client()
  const odd = fc.constantFrom(
    'no',
    'Yes',
    'on',
    '~',
    'null',
    '12:30',
    '0o7',
    '010',
    '1e3',
    '2024-02-29',
    '<<',
    '=',
    '- a',
    '#',
    '',
  )
  const property = fc.asyncProperty(fc.oneof(fc.jsonValue(), odd, fc.dictionary(odd, odd)), async given => {
    value = given
    const expected = JSON.parse(JSON.stringify(given))
    const text = await (await client.get('/')).text()
    if (given === null) return t.is(text, '')
    t.deepEqual(parseYaml(text), expected)
    t.deepEqual(parseYaml(text, { version: '1.1' }), expected)
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 300 }))
  value = { at: new Date(0), big: 5n, none: undefined, text: 'a\nb', long: 'word '.repeat(40).trim() }
  const long = 'word '.repeat(40).trim()
  t.is(
    await (await client.get('/')).text(),
    `at: "1970-01-01T00:00:00.000Z"\nbig: "5"\ntext: |-\n  a\n  b\nlong: ${long}\n`,
  )
})

test('languages() chooses by Accept-Language, and says so', async t => {
  const app = kolba()
  app.get('/', languages('en', 'de-CH'), ctx => ctx.language)
  const ask = async (language?: string) => {
    const headers = language === undefined ? {} : { 'accept-language': language }
    const response = await app.client().get('/', { headers })
    t.is(response.headers.get('vary'), 'Accept-Language')
    t.is(response.headers.get('content-language'), await response.clone().text())
    return response.text()
  }
  t.is(await ask(), 'en')
  t.is(await ask('de'), 'de-CH')
  t.is(await ask('en-GB, de-CH;q=0.9'), 'en')
  t.is(await ask('de;q=0.9, en;q=0.1'), 'de-CH')
  t.is(await ask('fr'), 'en')
  t.is(await ask('en;q=0'), 'en')
})

test('languages() lets a handler say another language, and errors have none', async t => {
  const app = kolba()
  app.get('/other', languages('en', 'de'), () => reply(200, 'bonjour', { 'Content-Language': 'fr' }))
  app.get('/error', languages('en', 'de'), produces(ALL), () => problem(409))
  t.is((await app.client().get('/other')).headers.get('content-language'), 'fr')
  const response = await app.client().get('/error')
  t.is(response.headers.get('content-language'), null)
  t.is(response.headers.get('vary'), 'Accept-Language, Accept')
})

test('languages() refuses wrong tags when it is made', t => {
  const wrong: [unknown[], string][] = [
    [[], "languages: there are none. Give language tags, languages('en', 'de')."],
    [['en_US'], 'languages: "en_US" is no language tag. Write one like en or en-GB.'],
    [['*'], 'languages: "*" is no language tag. Write one like en or en-GB.'],
    [['en', 7], 'languages: 7 is no language tag. Write one like en or en-GB.'],
    [[['en', 'de']], 'languages: ["en","de"] is no language tag. Write one like en or en-GB.'],
    [['en', 'de', 'EN'], 'languages: EN is there twice. Leave one of them out.'],
  ]
  for (const [tags, message] of wrong)
    t.throws(() => languages(...(tags as [string])), { instanceOf: TypeError, message })
})

test('preferredEncoding(ctx) reads the header of the request, and says in Vary that it did', async t => {
  const app = kolba()
  app.get('/app.js', ctx => preferredEncoding(ctx, ['br', 'gzip', 'identity']) ?? 'none')
  const ask = async (coding?: string) => {
    const headers = coding === undefined ? {} : { 'accept-encoding': coding }
    const response = await app.client().get('/app.js', { headers })
    t.is(response.headers.get('vary'), 'Accept-Encoding')
    return response.text()
  }
  t.is(await ask(), 'identity')
  t.is(await ask(''), 'identity')
  t.is(await ask('gzip, deflate, br'), 'br')
  t.is(await ask('gzip, identity;q=0'), 'gzip')
  t.is(await ask('zstd, identity;q=0'), 'none')
})

for (const [name, program, said] of [
  ['csv-stringify', 'csv()', 'TypeError: csv: it is written by csv-stringify. Run npm install csv-stringify.'],
  ['yaml', 'yaml()', 'TypeError: yaml: it is written by the package yaml. Run npm install yaml.'],
] as const) {
  test(`${program} without ${name} says how to install it`, t => {
    const code = `
      import Module from 'node:module'
      const resolve = Module._resolveFilename
      Module._resolveFilename = function (name, ...rest) {
        if (name.startsWith('${name}')) throw new Error('not found')
        return resolve.call(this, name, ...rest)
      }
      const { csv, produces, yaml } = await import('kolba/negotiate')
      produces({ 'application/json': true })
      try { ${program} } catch (error) { console.log(String(error)) }`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' })
    t.is(printed.trim(), said)
  })
}
