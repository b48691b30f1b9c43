import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import hash from 'etag'
import { blueprint, type Context, decorator, get, kolba, problem, query, reply, stack } from 'kolba'
import { type EtagOptions, etag, type Version } from 'kolba/etag'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { csv, languages, produces } from 'kolba/negotiate'
import { output } from 'kolba/output'
import { int } from 'kolba/schema'
import { MemoryLogger } from '../support/memory-logger.ts'
import { exchange, listening } from '../support/raw.ts'

type Read = { status: number; tag: string | null; body: string; headers: Headers }

async function readOf(answer: Response | Promise<Response>): Promise<Read> {
  const { status, headers } = await answer
  return { status, tag: headers.get('etag'), body: await (await answer).text(), headers }
}

/** GET / of an app with one route. */
function reading(value: unknown, options: EtagOptions<never, Version> = {}, headers: Record<string, string> = {}) {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', etag(options as never), () => value)
  return readOf(app.client().get('/', { headers }))
}

/** Asks twice, the second time with the tag of the first answer. */
async function again(t: ExecutionContext, app: ReturnType<typeof kolba>, path = '/') {
  const client = app.client()
  const first = await readOf(client.get(path))
  t.is(first.status, 200)
  t.truthy(first.tag, 'the first answer has a tag')
  const second = await readOf(client.get(path, { headers: { 'If-None-Match': first.tag as string } }))
  t.deepEqual([second.status, second.body, second.tag], [304, '', first.tag])
  return { first, second }
}

// --- tags of bytes ---

test('etag() tags an answer with the hash of its bytes, and answers 304 to who has it', async t => {
  const app = kolba()
  app.get('/', etag(), json(), () => ({ title: 'Emma' }))
  const { first, second } = await again(t, app)
  t.is(first.tag, hash('{"title":"Emma"}'))
  t.is(first.body, '{"title":"Emma"}')
  t.is(second.headers.get('content-length'), null)
  t.is(second.headers.get('content-type'), null)
})

test('etag() hashes the bytes that json() renders, where it stands above', async t => {
  const app = kolba()
  app.get('/', etag(), json({ pretty: true }), () => ({ a: 1 }))
  t.is((await again(t, app)).first.tag, hash('{\n  "a": 1\n}'))
})

test('etag() below json() hashes the value, and keeps json() from rendering it for a 304', async t => {
  let renderings = 0
  const app = kolba()
  const replacer = (_key: string, value: unknown) => {
    renderings += 1
    return value
  }
  app.get('/', json({ replacer }), etag(), () => 7)
  t.is((await again(t, app)).first.tag, hash('7'))
  t.is(renderings, 1)
})

test('etag() tags what nothing has rendered yet as the JSON that it will be', async t => {
  for (const [value, bytes] of [
    [{ a: 1 }, '{"a":1}'],
    [[1, 2], '[1,2]'],
    [7, '7'],
    [false, 'false'],
    ['text', 'text'],
    ['', ''],
    [Buffer.from([1, 2]), Buffer.from([1, 2])],
    [new Uint8Array([0, 1, 2]).subarray(1), Buffer.from([1, 2])],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ] as const) {
    t.is((await reading(value)).tag, hash(bytes as string), String(value))
  }
})

test('etag() tags a value with a BigInt as json() renders it', async t => {
  const app = kolba()
  app.get('/', json(), etag(), () => ({ a: 1n }))
  t.is((await again(t, app)).first.tag, hash('{"a":"1"}'))
})

test('etag() gives no tag to a stream, a generator and a web Response, whose bytes it does not have', async t => {
  async function* pieces() {
    yield 'a'
    yield 'b'
  }
  for (const make of [
    () => Readable.from(['ab']),
    () => pieces(),
    () => new Response('ab'),
    () => new Blob(['ab']),
    () => reply(200, Readable.from(['ab'])),
  ]) {
    const { status, tag, body } = await reading(make())
    t.deepEqual([status, tag, body], [200, null, 'ab'])
    t.is((await reading(make(), {}, { 'If-None-Match': '"x"' })).body, 'ab')
  }
})

test('etag() tags a stream, a generator and a Response by a version, and lets go of a stream that a 304 does not send', async t => {
  const app = kolba()
  const streams: Readable[] = []
  const version = () => 'v1'
  app.get('/stream', etag({ version }), () => {
    streams.push(Readable.from(['ab']))
    return streams.at(-1) as Readable
  })
  app.get('/generator', etag({ version }), async function* () {
    yield 'ab'
  })
  app.get('/response', etag({ version }), () => new Response('ab', { headers: { 'X-A': 'b', 'Content-Type': 'a/b' } }))
  for (const path of ['/stream', '/generator', '/response']) {
    const { first, second } = await again(t, app, path)
    t.deepEqual([first.tag, first.body, second.headers.get('content-type')], ['"v1"', 'ab', null])
  }
  t.is(streams.length, 2)
  t.true(streams[1]?.destroyed)
})

test('etag() gives no tag to a value that JSON cannot hold, whose error is json()s to tell', async t => {
  const loop: Record<string, unknown> = {}
  loop.loop = loop
  t.deepEqual(await reading(loop).then(({ status, tag }) => [status, tag]), [500, null])
  t.deepEqual(await reading(() => 1).then(({ status, tag }) => [status, tag]), [500, null])
})

// --- what has a tag, and what has none ---

test('etag() leaves 204, redirects, 202, 206 and errors without a tag, and never answers them with 304', async t => {
  const any = { 'If-None-Match': '*', 'If-Match': '"x"', 'If-Modified-Since': 'Fri, 31 Dec 9999 23:59:59 GMT' }
  const version = () => 'v1'
  for (const [value, status] of [
    [reply(301, 'there', { Location: '/a' }), 301],
    [reply(404, { no: 1 }), 404],
    [reply(500, 'no'), 500],
    [problem(410), 410],
  ] as const)
    for (const headers of [{}, any, { 'If-None-Match': '*' }]) {
      const answer = await reading(value, { version }, headers)
      t.deepEqual([answer.status, answer.tag, answer.headers.get('last-modified')], [status, null, null])
    }
  for (const headers of [{}, any, { 'If-None-Match': '*' }])
    t.is((await reading(new Response('no', { status: 403 }), { version }, headers)).status, 403)
  for (const [value, status] of [
    [null, 204],
    [reply(202, 'soon'), 202],
    [reply(206, 'part'), 206],
  ] as const) {
    const answer = await reading(value, { version, lastModified: () => 0 })
    t.deepEqual([answer.status, answer.tag, answer.headers.get('last-modified')], [status, null, null])
  }
})

test('etag() leaves what is thrown to be what it is, whatever is asked', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  class Missing extends Error {}
  app.onError(Missing, () => problem(404, { detail: 'No such page.' }))
  app.use((ctx, next) => {
    ctx.set('Vary', 'X-User')
    return next()
  })
  app.get('/mapped', etag(), json(), () => {
    throw new Missing()
  })
  app.get('/broken', etag(), json(), () => {
    throw new Error('secret')
  })
  const headers = { 'If-None-Match': '*' }
  const mapped = await readOf(app.client().get('/mapped', { headers }))
  t.deepEqual([mapped.status, mapped.tag, mapped.headers.get('vary')], [404, null, 'X-User'])
  t.is(JSON.parse(mapped.body).detail, 'No such page.')
  t.is((await app.client().get('/broken', { headers })).status, 500)
})

test('etag() does not make a 304 of a handler that gives nothing', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', etag(), function show() {})
  const { status } = await app.client().get('/', { headers: { 'If-None-Match': '*' } })
  t.is(status, 500)
  t.regex(logger.lines[0]?.message ?? '', /^GET \/: show returned undefined\. /)
})

test('etag() tags what was set on ctx in the way of Koa', async t => {
  const app = kolba()
  app.get('/', etag(), ctx => {
    ctx.body = { a: 1 }
  })
  app.get('/early', etag(), ctx => {
    ctx.status = 203
    ctx.body = 'text'
  })
  const { first } = await again(t, app)
  t.deepEqual([first.tag, first.body], [hash('{"a":1}'), '{"a":1}'])
  const early = await readOf(app.client().get('/early'))
  t.deepEqual([early.status, early.tag], [203, hash('text')])
})

test('etag() leaves alone what a handler answers by itself', async t => {
  const app = kolba()
  app.get('/', etag(), ctx => {
    ctx.respond = false
    ctx.res.end('mine')
  })
  const { tag, body } = await readOf(app.client().get('/', { headers: { 'If-None-Match': '*' } }))
  t.deepEqual([tag, body], [null, 'mine'])
})

test('etag() keeps the status 201 of a reply, and its own headers', async t => {
  const answer = await reading(reply(201, { a: 1 }, { 'X-A': 'b' }))
  t.deepEqual([answer.status, answer.tag, answer.headers.get('x-a')], [201, hash('{"a":1}'), 'b'])
})

// --- tags of others ---

for (const name of ['ETag', 'etag', 'eTAG'])
  test(`etag() keeps the tag that a handler gives as ${name}, and answers 304 by it`, async t => {
    const app = kolba()
    app.get('/set', etag(), json(), ctx => {
      ctx.set(name, '"mine"')
      return 1
    })
    app.get('/reply', etag({ version: () => 'v1' }), json(), () => reply(200, 1, { [name]: 'W/"mine"' }))
    app.get('/response', etag(), () => new Response('1', { headers: { [name]: '"mine"' } }))
    t.is((await again(t, app, '/set')).first.tag, '"mine"')
    t.is((await again(t, app, '/reply')).first.tag, 'W/"mine"')
    t.is((await again(t, app, '/response')).first.tag, '"mine"')
  })

test('etag() puts a tag of its own in the place of one that is malformed', async t => {
  const app = kolba()
  app.get('/', etag(), ctx => {
    ctx.set('ETag', 'mine')
    return 'text'
  })
  t.is((await again(t, app)).first.tag, hash('text'))
})

// --- versions ---

test('etag() makes its tag of a version, which is a string, a number, a BigInt or a Date', async t => {
  const date = new Date('2024-02-29T12:00:00.123Z')
  for (const [version, tag] of [
    ['v1', '"v1"'],
    ['', '""'],
    [7, '"7"'],
    [-0.5, '"-0.5"'],
    [2n ** 70n, '"1180591620717411303424"'],
    [date, '"2024-02-29T12:00:00.123Z"'],
    ['a"b', '"a%22b"'],
    ['a;b', '"a%3Bb"'],
    ['a,b', '"a,b"'],
    ['a b\r\nSet-Cookie: x', '"a%20b%0D%0ASet-Cookie:%20x"'],
    ['50%', '"50%25"'],
    ['日本', '"%E6%97%A5%E6%9C%AC"'],
    ['😀', '"%F0%9F%98%80"'],
    ['\ud800', '"%EF%BF%BD"'],
    ['é', '"%C3%A9"'],
    [null, null],
    [undefined, null],
  ] as const) {
    const app = kolba()
    app.get('/', etag({ version: () => version as string }), json(), () => ({ a: 1 }))
    if (tag === null) t.is((await readOf(app.client().get('/'))).tag, null)
    else t.is((await again(t, app)).first.tag, tag)
  }
})

test('etag() hashes a version that is too long for a header', async t => {
  const tags = await Promise.all(
    ['a', 'b'].map(async end => (await reading(1, { version: () => 'x'.repeat(10_240) + end })).tag),
  )
  t.regex(tags[0] ?? '', /^"[\w+/-]{20,40}"$/)
  t.not(tags[0], tags[1])
})

test('etag() refuses a version that says nothing, as an error of the server', async t => {
  for (const [version, what] of [
    [{}, 'object'],
    [true, 'boolean'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [new Date(Number.NaN), 'an invalid Date'],
  ] as const) {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    app.get('/', etag({ version: () => version as never }), () => 1)
    t.is((await app.client().get('/')).status, 500)
    t.is(logger.lines[0]?.message, `etag: version gave ${what}. Give a string, a number or a Date.`)
  }
})

test('etag() with a version sees the row, above json() and below it', async t => {
  interface Row {
    rev: number
  }
  let renderings = 0
  const row = {
    rev: 3,
    toJSON() {
      renderings += 1
      return { rev: 3 }
    },
  }
  const versioned = etag({ version: (it: Row) => it.rev })
  const app = kolba()
  app.get('/above', versioned, json(), () => row)
  app.get('/below', json(), versioned, () => row)
  app.get('/reply', versioned, json(), () => reply(200, row, { 'X-A': 'b' }))
  app.get('/bare', versioned, () => row)
  t.is((await again(t, app, '/above')).first.tag, '"3"')
  t.is(renderings, 2)
  for (const path of ['/below', '/bare']) {
    const { first } = await again(t, app, path)
    t.deepEqual([first.tag, first.body], ['"3"', '{"rev":3}'])
  }
  t.is(renderings, 4)
  t.is((await again(t, app, '/reply')).second.headers.get('x-a'), 'b')
})

test('etag() gives each representation a tag of its own', async t => {
  const formats = decorator('formats', (ctx, next) => next({ representation: ctx.get('Accept') }))
  const app = kolba()
  app.get('/version', formats, etag({ version: () => 'v;1' }), () => 1)
  app.get('/bytes', formats, etag(), () => 1)
  const tagFor = async (path: string, accept: string) =>
    (await readOf(app.client().get(path, { headers: { accept } }))).tag
  t.is(await tagFor('/version', 'text/csv'), '"v%3B1;text/csv"')
  t.is(await tagFor('/version', 'a/b; c="d"'), '"v%3B1;a/b%3B%20c=%22d%22"')
  t.is(await tagFor('/bytes', 'text/csv'), `${hash('1').slice(0, -1)};text/csv"`)
  const headers = { 'If-None-Match': '"v%3B1;text/csv"', accept: 'text/plain' }
  t.is((await app.client().get('/version', { headers })).status, 200)
  t.is((await app.client().get('/version', { headers: { ...headers, accept: 'text/csv' } })).status, 304)
})

test('etag() below produces() gives no tag to what JSON shows nothing of, unless by a version', async t => {
  class Shelf {
    *[Symbol.iterator]() {
      yield* this.#rows
    }
    readonly #rows = [1]
  }
  class Shown extends Shelf {
    toJSON() {
      return [...this]
    }
  }
  const rows = [1]
  const kinds: [body: unknown, isTagged: boolean][] = [
    [new Set(rows), false],
    [new Map([[1, 1]]), false],
    [rows.values(), false],
    [new Shelf(), false],
    [{ items: new Set(rows) }, false],
    [new Shown(), true],
    [rows, true],
    [new Float64Array(rows), true],
    [{ items: rows, at: new Date(0) }, true],
  ]
  for (const [body, isTagged] of kinds) {
    const app = kolba()
    app.get('/hash', produces({ 'text/csv': csv({ header: false }) }), etag(), () => body)
    app.get('/version', produces({ 'text/csv': csv({ header: false }) }), etag({ version: () => 1 }), () => body)
    const { status, tag } = await readOf(app.client().get('/hash'))
    t.deepEqual([status, tag !== null], [200, isTagged], inspect(body))
    t.is((await readOf(app.client().get('/version'))).tag, '"1;text/csv"')
  }
})

test('etag() gives each language a tag of its own, behind that of the representation', async t => {
  const app = kolba()
  const chosen = languages('en', 'de-CH')
  const tagged = etag({ version: () => 7 })
  app.get('/version', chosen, tagged, ctx => ctx.language)
  app.get('/bytes', chosen, etag(), () => 'x')
  app.get('/both', produces({ 'text/csv': csv() }), chosen, tagged, () => [1])
  const given = (language: unknown) => decorator('given', (_ctx, next) => next({ language }))
  app.get('/odd', given('a;"b"'), tagged, () => 1)
  app.get('/other', given({ name: 'en' }), tagged, () => 1)
  const get = (path: string, language: string, headers = {}) =>
    app.client().get(path, { headers: { 'Accept-Language': language, ...headers } })
  for (const [path, language, tag] of [
    ['/version', 'en', '"7;en"'],
    ['/version', 'de', '"7;de-CH"'],
    ['/bytes', 'de', `${hash('x').slice(0, -1)};de-CH"`],
    ['/both', 'de', '"7;text/csv;de-CH"'],
    ['/odd', 'de', '"7;a%3B%22b%22"'],
    ['/other', 'de', '"7"'],
  ] as const)
    t.is((await get(path, language)).headers.get('etag'), tag, path)
  t.is((await get('/version', 'de', { 'If-None-Match': '"7;en"' })).status, 200)
  t.is((await get('/version', 'de', { 'If-None-Match': '"7;de-CH"' })).status, 304)
})

test('etag({ weak: true }) makes weak tags, which a reader may have all the same', async t => {
  const app = kolba()
  app.get('/', etag({ weak: true }), () => 'text')
  app.get('/version', etag({ weak: true, version: () => 1 }), () => 'text')
  t.is((await again(t, app)).first.tag, `W/${hash('text')}`)
  t.is((await again(t, app, '/version')).first.tag, 'W/"1"')
  const strong = await app.client().get('/version', { headers: { 'If-None-Match': '"1"' } })
  t.is(strong.status, 304)
  t.is((await app.client().get('/version', { headers: { 'If-Match': 'W/"1"' } })).status, 412)
})

// --- Last-Modified ---

const DATE = new Date('2024-02-29T12:00:00.900Z')
const TEXT = 'Thu, 29 Feb 2024 12:00:00 GMT'

test('etag({ lastModified }) sends Last-Modified, of a Date, a text or milliseconds', async t => {
  for (const date of [DATE, DATE.toISOString(), DATE.getTime()])
    t.is((await reading({ at: date }, { lastModified: ({ at }) => at })).headers.get('last-modified'), TEXT)
  for (const date of [null, undefined])
    t.is((await reading(1, { lastModified: () => date })).headers.get('last-modified'), null)
})

test('etag({ lastModified }) answers 304 where nothing has changed since, in whole seconds', async t => {
  const lastModified = () => DATE
  const since = (date: string) =>
    reading(1, { lastModified }, { 'If-Modified-Since': date }).then(({ status }) => status)
  t.is(await since(TEXT), 304)
  t.is(await since('Thu, 29 Feb 2024 12:00:01 GMT'), 304)
  t.is(await since('Thu, 29 Feb 2024 11:59:59 GMT'), 200)
  t.is(await since('Thursday, 29-Feb-24 12:00:00 GMT'), 304)
  t.is(await since('Thu Feb 29 12:00:00 2024'), 304)
  t.is(await since('yesterday'), 200)
  const both = { 'If-Modified-Since': TEXT, 'If-None-Match': '"other"' }
  t.is((await reading(1, { lastModified }, both)).status, 200)
})

test('etag({ lastModified }) answers 412 where it has changed after If-Unmodified-Since', async t => {
  const lastModified = () => DATE
  const answer = await reading(1, { lastModified }, { 'If-Unmodified-Since': 'Thu, 29 Feb 2024 11:59:59 GMT' })
  t.is(answer.status, 412)
  t.is(JSON.parse(answer.body).detail, 'This is not what you have. GET it without conditions.')
  t.is((await reading(1, { lastModified }, { 'If-Unmodified-Since': TEXT })).status, 200)
})

test('etag({ lastModified }) sends no date that is to come', async t => {
  const before = Math.floor(Date.now() / 1000) * 1000
  const answer = await reading(1, { lastModified: () => Date.now() + 3_600_000 })
  const sent = Date.parse(answer.headers.get('last-modified') as string)
  t.true(sent >= before && sent <= Date.now())
})

test('etag({ lastModified }) that gives no date is an error of the server', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', etag({ lastModified: () => 'yesterday' }), () => 1)
  t.is((await app.client().get('/')).status, 500)
  const message = 'etag: lastModified gave what is no date. Give a Date, ISO 8601 text or milliseconds.'
  t.is(logger.lines[0]?.message, message)
})

// --- requests ---

test('etag() takes a list, `*`, a weak tag and one with a comma inside', async t => {
  const status = (header: string) =>
    reading(1, { version: () => 'a,b' }, { 'If-None-Match': header }).then(it => it.status)
  t.is(await status('"a", "a,b"'), 304)
  t.is(await status('*'), 304)
  t.is(await status('W/"a,b"'), 304)
  t.is(await status('"a", "b"'), 200)
  t.is(await status('a,b'), 200)
  t.is(await status('"a,b'), 200)
  t.is(await status(''), 200)
})

test('etag() answers 304 to a request with Cache-Control: no-cache, as fetch() sends it', async t => {
  const headers = { 'If-None-Match': '"v1"', 'Cache-Control': 'no-cache', Pragma: 'no-cache' }
  t.is((await reading(1, { version: () => 'v1' }, headers)).status, 304)
})

test('etag() keeps the headers that a cache updates itself by in a 304, and nothing of the content', async t => {
  const app = kolba({ signals: false })
  app.get('/', etag(), json(), ctx => {
    ctx.set({ Vary: 'Accept', 'Content-Language': 'en', 'Content-Security-Policy': "default-src 'none'" })
    return reply(200, 1, {
      'Cache-Control': 'max-age=5',
      'Content-Location': '/here',
      Expires: TEXT,
      'X-A': 'b',
      'Content-Type': 'application/vnd.a+json',
      'content-disposition': 'inline',
    })
  })
  const { port } = await listening(t, app)
  const text = `GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${hash('1')}\r\nConnection: close\r\n\r\n`
  const [answer, more] = await exchange(port, text)
  t.is(more, undefined)
  const { date, 'x-request-id': id, ...headers } = answer?.headers ?? {}
  t.truthy(date)
  t.truthy(id)
  t.is(answer?.status, 304)
  t.deepEqual(headers, {
    etag: hash('1'),
    vary: 'Accept',
    'cache-control': 'max-age=5',
    'content-location': '/here',
    'content-security-policy': "default-src 'none'",
    expires: TEXT,
    'x-a': 'b',
    connection: 'close',
  })
})

test('etag() answers HEAD as GET, without the body', async t => {
  const app = kolba()
  app.get('/', etag(), json(), () => ({ a: 1 }))
  const head = await readOf(app.client().head('/'))
  t.deepEqual([head.status, head.tag, head.headers.get('content-length')], [200, hash('{"a":1}'), '7'])
  t.is((await app.client().head('/', { headers: { 'If-None-Match': head.tag as string } })).status, 304)
  t.is((await app.client().head('/', { headers: { 'If-Match': '"other"' } })).status, 412)
})

test('etag() answers QUERY as GET, RFC 10008', async t => {
  const app = kolba()
  app.query('/', etag(), json(), () => ({ a: 1 }))
  const first = await readOf(app.client().query('/', { json: {} }))
  t.deepEqual([first.status, first.tag], [200, hash('{"a":1}')])
  const second = await app.client().query('/', { json: {}, headers: { 'If-None-Match': first.tag as string } })
  t.is(second.status, 304)
})

test('etag() answers no header with a 5xx', async t => {
  const odd = ['', '"', '*, *', '\xff', '"\x80"', 'W/', ',,,', '"a" "b"', '"'.repeat(4000), '"a",'.repeat(900), '%zz']
  const app = kolba()
  app.get('/', etag({ lastModified: () => DATE }), () => 1)
  for (const name of ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since', 'If-Range', 'Range'])
    for (const value of odd) {
      const { status } = await app.client().get('/', { headers: { [name]: value } })
      t.true(status === 200 || status === 412, `${name}: ${value} is ${status}`)
    }
})

test('etag() answers 412 to a GET whose If-Match does not fit, and 200 to one that fits', async t => {
  const version = () => 'v1' as never
  t.is((await reading(1, { version }, { 'If-Match': '"v0"' })).status, 412)
  t.is((await reading(1, { version }, { 'If-Match': 'v1' })).status, 412)
  const fits = await reading(1, { version }, { 'If-Match': '"v1"' })
  t.deepEqual([fits.status, fits.tag], [200, '"v1"'])
  const failed = await reading(1, { version }, { 'If-Match': '"v0"' })
  t.is(failed.tag, null)
})

// --- places ---

test('app.use(etag()) tags what is read in the whole app, and what is not there is 404', async t => {
  const app = kolba()
  app.use(etag())
  app.get('/json', json(), () => ({ a: 1 }))
  app.get('/plain', () => ({ a: 1 }))
  app.get('/text', () => 'text')
  app.get('/null', () => null)
  app.post('/json', () => 'written')
  t.is((await again(t, app, '/json')).first.tag, hash('{"a":1}'))
  t.is((await again(t, app, '/plain')).first.tag, hash('{"a":1}'))
  t.is((await again(t, app, '/text')).first.tag, hash('text'))
  t.is((await readOf(app.client().get('/null'))).status, 204)
  const headers = { 'If-None-Match': '*' }
  t.is((await app.client().get('/none', { headers })).status, 404)
  t.is((await app.client().get('/none', { headers: { 'If-Match': '"a"' } })).status, 404)
  t.is((await app.client().query('/json', { headers })).status, 405)
  const post = await readOf(app.client().post('/json', { headers }))
  t.deepEqual([post.status, post.tag, post.body], [200, null, 'written'])
})

test('app.use(etag()) takes no option of a write', t => {
  const message = 'use: etag({ load, required }) guards a route. Put it on that.'
  t.throws(() => kolba().use(etag({ required: true })), { instanceOf: TypeError, message })
  t.throws(() => kolba().use(etag({ load: () => 1 })), { instanceOf: TypeError, message })
})

test('etag() does the same in a stack, a composition, a group, a blueprint, a class and a mounted app', async t => {
  const app = kolba()
  const tagged = etag()
  const show = () => ({ a: 1 })
  app.get('/listed', tagged, json(), show)
  app.get('/named', stack(tagged, json()), show)
  app.get('/composed', etag()(json()(show)))
  app.group('/group', etag(), json()).get('/', show)
  const books = blueprint('shelf', json())
  books.get('/', etag(), show)
  app.mount('/blueprint', books)
  app.mount('/above', blueprintOf(), etag(), json())
  app.mount('/class', new Books())
  const inner = kolba()
  inner.get('/', etag(), json(), show)
  app.mount('/inner', inner)
  const whole = kolba()
  whole.use(etag())
  whole.get('/', json(), show)
  app.mount('/whole', whole)
  for (const path of ['listed', 'named', 'composed', 'group', 'blueprint', 'above', 'class', 'inner', 'whole'])
    t.is((await again(t, app, `/${path}`)).first.tag, hash('{"a":1}'), path)
})

function blueprintOf() {
  const routes = blueprint()
  routes.get('/', () => ({ a: 1 }))
  return routes
}

class Books {
  @get('/')
  @query('/')
  @etag()
  @json()
  show(_ctx: Context<'/'>) {
    return { a: 1 }
  }
}

test('two etag() agree: the inner one makes the tag', async t => {
  const app = kolba()
  app.group('/a', etag(), json({ pretty: true })).get('/', etag({ version: () => 7 }), () => ({ a: 1 }))
  const { first } = await again(t, app, '/a')
  t.deepEqual([first.tag, first.body], ['"7"', '{\n  "a": 1\n}'])
})

test('etag() above json() and output() hashes what is let out', async t => {
  const app = kolba()
  app.get('/', etag(), json(), output({ id: int() }), () => ({ id: 7, secret: Math.random() }))
  t.is((await again(t, app)).first.tag, hash('{"id":7}'))
})

test('etag() tells apart what different users see', async t => {
  const app = kolba()
  app.get('/', etag(), json(), ctx => ({ user: ctx.get('X-User') }))
  const ann = await readOf(app.client().get('/', { headers: { 'X-User': 'ann' } }))
  const headers = { 'X-User': 'bob', 'If-None-Match': ann.tag as string }
  const bob = await readOf(app.client().get('/', { headers }))
  t.deepEqual([bob.status, bob.body], [200, '{"user":"bob"}'])
})

test('etag() waits for an async handler, and is as synchronous as a plain one', t => {
  const run = etag()(json()(() => ({ a: 1 })))
  const headers: Record<string, unknown> = {}
  const response = { get: (name: string) => headers[name] ?? '', is: () => false, _explicitStatus: false }
  const res = { getHeader: (name: string) => headers[name] }
  const ctx = { method: 'GET', headers: {}, req: { rawHeaders: [] }, res, response, status: 404, set: put }
  function put(name: string, value: string) {
    headers[name] = value
  }
  const value = run(ctx as never)
  t.false(value instanceof Promise)
  t.is(headers.ETag, hash('{"a":1}'))
})

test('etag() refuses a wrong option', t => {
  const refuses = (options: unknown, message: string) =>
    t.throws(() => etag(options as EtagOptions), { instanceOf: TypeError, message })
  refuses({ version: 'rev' }, 'etag: the option version is "rev". Give a function.')
  refuses({ load: {} }, 'etag: the option load is an object. Give a function.')
  refuses({ lastModified: 5 }, 'etag: the option lastModified is 5. Give a function.')
  refuses({ required: 'yes' }, 'etag: the option required is "yes". Give true or false.')
  refuses({ weak: 1 }, 'etag: the option weak is 1. Give true or false.')
  refuses({ wek: true }, 'etag: the option "wek" is unknown. It takes version, load, required, lastModified and weak.')
  refuses(null, 'etag: the options are null. Give an object with version, load, required, lastModified and weak.')
  refuses(
    { weak: true, required: true },
    'etag: a weak tag never matches If-Match, so no write could pass. Leave out weak or required.',
  )
  t.notThrows(() => etag({ weak: true, required: true, lastModified: () => 0 }))
})

test('etag() notes what it does to what is read', t => {
  const app = kolba()
  app.get('/', etag(), () => 1)
  const note = app.routes()[0]?.notes[0]
  t.deepEqual(Object.keys(note?.responses ?? {}), ['304', '412'])
  t.is(note?.parameters?.[0]?.name, 'If-None-Match')
  t.truthy(note?.headers?.ETag)
})

test('etag() stands below input(), whose refusal has no tag', async t => {
  const app = kolba()
  app.get('/:id', etag(), input({ params: { id: int() } }), json(), ctx => ctx.input.params.id)
  t.is((await again(t, app, '/7')).first.tag, hash('7'))
  const none = await readOf(app.client().get('/seven', { headers: { 'If-None-Match': '*' } }))
  t.deepEqual([none.status, none.tag], [404, null])
})
