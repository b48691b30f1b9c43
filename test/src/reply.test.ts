import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { created, decorator, kolba, noContent, problem, redirect, reply, seeOther, when } from 'kolba'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { keepErrors } from '../support/log.ts'
import { exchange, Line, listening } from '../support/raw.ts'

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const BYTES = 'application/octet-stream'

interface Row {
  value: () => unknown
  status?: number
  type?: string | null
  body?: string
  headers?: Record<string, string | null>
}

/** The table "returned values" of the design: what a handler returns, and what goes over the wire. */
const returned: Record<string, Row> = {
  'an object': { value: () => ({ a: [1, null] }), type: JSON_TYPE, body: '{"a":[1,null]}' },
  'a list': { value: () => [], type: JSON_TYPE, body: '[]' },
  'a number': { value: () => 0, type: JSON_TYPE, body: '0' },
  true: { value: () => true, type: JSON_TYPE, body: 'true' },
  false: { value: () => false, type: JSON_TYPE, body: 'false' },
  'a Date': { value: () => new Date(0), type: JSON_TYPE, body: '"1970-01-01T00:00:00.000Z"' },
  'an object with toJSON': { value: () => ({ toJSON: () => 'it' }), type: JSON_TYPE, body: '"it"' },
  'a string': { value: () => 'Grüße', type: TEXT, body: 'Grüße', headers: { 'content-length': '7' } },
  'an empty string': { value: () => '', type: TEXT, body: '' },
  "a string with '<'": { value: () => '<script>alert(1)</script>', type: TEXT, body: '<script>alert(1)</script>' },
  'a promise': { value: async () => 'later', type: TEXT, body: 'later' },
  null: { value: () => null, status: 204, type: null, body: '', headers: { 'content-length': null } },
  'a Buffer': { value: () => Buffer.from('bytes'), type: BYTES, body: 'bytes', headers: { 'content-length': '5' } },
  'a Uint8Array': { value: () => new TextEncoder().encode('bytes'), type: BYTES, body: 'bytes' },
  'a part of an ArrayBuffer': {
    value: () => new Uint8Array(Buffer.from('abcdef').buffer.slice(0), 0, 0),
    type: BYTES,
    body: '',
  },
  'a Blob': { value: () => new Blob(['a,b'], { type: 'text/csv' }), type: 'text/csv; charset=utf-8', body: 'a,b' },
  'a stream': { value: () => Readable.from(['a', 'b']), type: BYTES, body: 'ab' },
  'an empty stream': { value: () => Readable.from([]), type: BYTES, body: '' },
  'a stream that has ended': { value: () => new PassThrough().end('all'), type: BYTES, body: 'all' },
  'a web stream': { value: () => new Blob(['web']).stream(), type: BYTES, body: 'web' },
  'a web Response': {
    value: () => new Response('made', { status: 418, headers: { 'x-one': '1' } }),
    status: 418,
    type: 'text/plain;charset=UTF-8',
    body: 'made',
    headers: { 'x-one': '1' },
  },
  'a web Response without a body': {
    value: () => new Response(null, { status: 204 }),
    status: 204,
    type: null,
    body: '',
  },
  'Response.json()': {
    value: () => Response.json({ a: 1 }, { status: 201 }),
    status: 201,
    type: 'application/json',
    body: '{"a":1}',
  },
  'Response.redirect()': {
    value: () => Response.redirect('https://example.com/', 307),
    status: 307,
    type: null,
    body: '',
    headers: { location: 'https://example.com/' },
  },
  'reply() with headers': {
    value: () => reply(202, { state: 'queued' }, { 'Retry-After': '5', 'X-List': ['a', 'b'] }),
    status: 202,
    type: JSON_TYPE,
    body: '{"state":"queued"}',
    headers: { 'retry-after': '5', 'x-list': 'a, b' },
  },
  'reply() with a type of its own': {
    value: () => reply(200, '<p>Hello</p>', { 'Content-Type': 'text/html; charset=utf-8' }),
    type: 'text/html; charset=utf-8',
    body: '<p>Hello</p>',
  },
  'reply() without a body': { value: () => reply(200), type: null, body: '', headers: { 'content-length': '0' } },
  'reply() with null': { value: () => reply(202, null), status: 202, type: null, body: '' },
  'reply() of a stream': { value: () => reply(206, Readable.from(['part'])), status: 206, type: BYTES, body: 'part' },
  'reply(205)': { value: () => reply(205), status: 205, type: null, body: '' },
  'reply(304)': {
    value: () => reply(304, undefined, { ETag: '"a"' }),
    status: 304,
    type: null,
    body: '',
    headers: { etag: '"a"', 'content-length': null },
  },
  'reply(204) with a body': { value: () => reply(204, 'lost'), status: 204, type: null, body: '' },
  'created()': {
    value: () => created('/books/7'),
    status: 201,
    type: null,
    body: '',
    headers: { location: '/books/7' },
  },
  'created() with a body': {
    value: () => created('/books/ü 7\r\nX-Evil: 1', { id: 7 }),
    status: 201,
    type: JSON_TYPE,
    body: '{"id":7}',
    headers: { location: '/books/%C3%BC%207%0D%0AX-Evil:%201', 'x-evil': null },
  },
  'noContent()': { value: noContent, status: 204, type: null, body: '', headers: { 'content-length': null } },
  'seeOther()': {
    value: () => seeOther('/result'),
    status: 303,
    type: null,
    body: '',
    headers: { location: '/result' },
  },
}

for (const [name, { value, status = 200, type = TEXT, body = '', headers = {} }] of Object.entries(returned)) {
  test(`a handler that returns ${name} answers ${status}, and HEAD says the same without the body`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    app.get('/it', () => value())
    const response = await app.client().get('/it')
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), type)
    t.is(await response.text(), body)
    for (const [header, text] of Object.entries(headers)) t.is(response.headers.get(header), text, header)

    const head = await app.client().head('/it')
    t.is(head.status, status)
    t.is(head.headers.get('content-type'), type)
    t.is(await head.text(), '')
    const length = head.headers.get('content-length')
    t.true(length === null || length === String(Buffer.byteLength(body)), `Content-Length of HEAD: ${length}`)
    t.deepEqual(errors, [])
  })
}

test('HEAD sends no byte of a body over the line', async t => {
  const app = kolba({ signals: false })
  app.get('/text', () => 'text')
  app.get('/stream', () => Readable.from(['stream']))
  app.get('/response', () => new Response('response'))
  app.get('/broken', () => {
    throw new Error('broken')
  })
  app.on('error', () => {})
  const { port } = await listening(t, app)
  for (const path of ['/text', '/stream', '/response', '/broken', '/nowhere']) {
    const line = new Line(port).write(`HEAD ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    await line.closed
    t.regex(line.text, /^HTTP\/1\.1 (?:200|404|500) .*\r\n\r\n$/s, path)
  }
})

test('several Set-Cookie of a web Response stay several', async t => {
  const app = kolba()
  app.get('/', () => {
    const response = new Response('in')
    response.headers.append('Set-Cookie', 'a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT')
    response.headers.append('Set-Cookie', 'b=2')
    return response
  })
  const response = await app.client().get('/')
  t.deepEqual(response.headers.getSetCookie(), ['a=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT', 'b=2'])
})

test('what fetch() gives passes through, decoded, without what was about its own connection', async t => {
  const upstream = http.createServer((req, res) => {
    const packed = req.url === '/packed'
    const bytes = packed ? gzipSync('from upstream') : Buffer.from('from upstream')
    res.setHeader('Set-Cookie', ['a=1', 'b=2'])
    const coding = packed ? { 'Content-Encoding': 'gzip' } : {}
    res.writeHead(203, { ...coding, 'Content-Length': bytes.length, 'Keep-Alive': 'timeout=99', ETag: '"a"' })
    res.end(bytes)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.teardown(() => upstream.close())
  const app = kolba()
  app.get('/*path', ctx => fetch(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}${ctx.path}`))
  for (const [path, length] of [
    ['/plain', '13'],
    ['/packed', null],
  ] as const) {
    const response = await app.client().get(path)
    t.is(response.status, 203)
    t.is(await response.text(), 'from upstream')
    t.is(response.headers.get('etag'), '"a"')
    t.is(response.headers.get('content-encoding'), null)
    t.is(response.headers.get('content-length'), length)
    t.is(response.headers.get('keep-alive'), null)
    t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  }
})

test('a handler that returns undefined is a 500, and the log names it', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.get('/books', function listBooks() {})
  app.post('/books', () => undefined)
  const response = await app.client().get('/books')
  t.is(response.status, 500)
  t.false((await response.text()).includes('listBooks'))
  t.is((await app.client().post('/books')).status, 500)
  t.deepEqual(
    errors.map(({ message }) => message),
    [
      'GET /books: listBooks returned undefined. Return a value, or null for 204 No Content.',
      'POST /books: the handler returned undefined. Return a value, or null for 204 No Content.',
    ],
  )
})

test("a handler that returns undefined after answering in Koa's way has answered", async t => {
  const app = kolba()
  app.get('/body', ctx => {
    ctx.body = 'on ctx'
  })
  app.get('/status', ctx => {
    ctx.status = 204
  })
  app.get('/by-hand', ctx => {
    ctx.respond = false
    ctx.res.end('by hand')
  })
  t.is(await (await app.client().get('/body')).text(), 'on ctx')
  t.is((await app.client().get('/status')).status, 204)
  t.is(await (await app.client().get('/by-hand')).text(), 'by hand')
})

for (const [name, value] of Object.entries<() => unknown>({
  'a BigInt': () => 1n,
  'a function': () => () => 1,
  'a symbol': () => Symbol('s'),
  'a circle': () => {
    const circle: { self?: object } = {}
    circle.self = circle
    return circle
  },
  'a web Response that was read': async () => {
    const response = new Response('once')
    await response.text()
    return response
  },
  'Response.error()': () => Response.error(),
})) {
  test(`a handler that returns ${name}, which cannot be sent, is a 500 and does not hang`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    app.get('/it', () => value())
    const client = app.client()
    for (const response of [await client.get('/it'), await client.head('/it')]) {
      t.is(response.status, 500)
      t.is(response.headers.get('content-type'), 'application/problem+json')
    }
    t.is(errors.length, 2)
  })
}

for (const [name, stream] of Object.entries<() => unknown>({
  'a stream': () =>
    new Readable({
      read() {
        this.destroy(new Error('no disk'))
      },
    }),
  'a stream that has failed already': () => new PassThrough().destroy(new Error('no disk')),
  'a web stream': () =>
    new ReadableStream({
      pull() {
        throw new Error('no disk')
      },
    }),
  'a web Response': () =>
    new Response(
      new ReadableStream({
        pull() {
          throw new Error('no disk')
        },
      }),
      { headers: { etag: '"1"' } },
    ),
  'reply() of a stream': () => reply(200, new PassThrough().destroy(new Error('no disk')), { ETag: '"1"' }),
})) {
  test(`${name} that fails before its first byte is a 500`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    app.get('/it', () => stream())
    const response = await app.client().get('/it')
    t.is(response.status, 500)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.is(response.headers.get('etag'), null)
    t.like(await response.json(), { status: 500, title: 'Internal Server Error' })
    t.is((await app.client().head('/it')).status, 500)
    t.deepEqual(
      errors.map(({ message }) => message),
      ['no disk', 'no disk'],
    )
  })

  test(`${name} that is destroyed without a byte or an error is a 500`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    app.get('/it', () => {
      const quiet = new PassThrough()
      setImmediate(() => quiet.destroy())
      return name.startsWith('reply') ? reply(200, quiet) : quiet
    })
    t.is((await app.client().get('/it')).status, 500)
    t.is(errors.length, 1)
  })
}

for (const port of [false, true]) {
  test(`a stream that fails in the middle cuts the connection and is logged, ${port ? 'on a port' : 'in memory'}`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    const parts = async function* () {
      yield 'the beginning'
      await new Promise(setImmediate)
      throw new Error('no disk')
    }
    app.get('/node', () => Readable.from(parts()))
    app.get('/web', () => new Response(Readable.toWeb(Readable.from(parts())) as ReadableStream))
    const client = app.client({ port })
    t.teardown(() => client.close())
    for (const path of ['/node', '/web']) {
      await t.throwsAsync(client.get(path), { code: 'ECONNRESET' })
    }
    t.deepEqual(
      errors.map(({ message }) => message),
      ['no disk', 'no disk'],
    )
  })
}

test('a stream that fails while a decorator is still at work is a 500', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  const slow = decorator('slow', async (_ctx, next) => {
    const value = await next()
    await new Promise(resolve => setTimeout(resolve, 20))
    return value
  })
  app.get('/stream', slow, () => createReadStream('/nowhere/at/all'))
  app.get('/later', slow, async () => createReadStream('/nowhere/at/all'))
  app.get('/reply', slow, () => reply(201, createReadStream('/nowhere/at/all')))
  for (const path of ['/stream', '/later', '/reply']) t.is((await app.client().get(path)).status, 500, path)
  t.is(errors.length, 3)
})

test('a stream that fails in the middle is not ended as if it were whole', async t => {
  const app = kolba({ logger: keepErrors().logger, signals: false })
  app.get('/', () =>
    Readable.from(
      (async function* () {
        yield 'half'
        await new Promise(setImmediate)
        throw new Error('no disk')
      })(),
    ),
  )
  const { port } = await listening(t, app)
  const line = new Line(port).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await line.closed
  t.true(line.text.endsWith('4\r\nhalf\r\n'), line.text)
})

test('what an outer decorator returns replaces what comes from below', async t => {
  const app = kolba()
  const other = decorator('other', async (_ctx, next) => {
    await next()
    return { other: true }
  })
  const plain = decorator('plain', (_ctx, next) => when(next(), () => 'plain'))
  const none = decorator('none', (_ctx, next) => when(next(), () => null))
  app.get('/object', other, () => 'inner')
  app.get('/string', plain, () => ({ inner: true }))
  app.get('/null', none, () => ({ inner: true }))
  app.get('/reply', other, () => reply(201, 'inner', { 'X-Inner': '1' }))
  const client = app.client()

  const object = await client.get('/object')
  t.is(object.headers.get('content-type'), JSON_TYPE)
  t.deepEqual(await object.json(), { other: true })

  const text = await client.get('/string')
  t.is(text.headers.get('content-type'), TEXT)
  t.is(await text.text(), 'plain')

  t.is((await client.get('/null')).status, 204)

  const replaced = await client.get('/reply')
  t.is(replaced.status, 200)
  t.is(replaced.headers.get('x-inner'), null)
})

test('reply() refuses a status that no response has', t => {
  for (const status of [199, 600, 0, -1, 200.5, Number.NaN, '200', undefined]) {
    t.throws(() => reply(status as number), {
      instanceOf: RangeError,
      message: `reply: ${typeof status === 'string' ? `"${status}"` : status} is no status of a response. Give a whole number from 200 to 599.`,
    })
  }
})

test('reply() without a body and with the status of an error is a problem document', async t => {
  const app = kolba()
  app.get('/gone', () => reply(410, undefined, { 'X-Since': 'May' }))
  const response = await app.client().get('/gone')
  t.is(response.status, 410)
  t.is(response.headers.get('x-since'), 'May')
  t.like(await response.json(), { status: 410, title: 'Gone' })
})

test('a header value with a line break is a 500, not two headers', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger, signals: false })
  app.get('/', () => reply(200, 'x', { 'X-Evil': 'a\r\nSet-Cookie: b=1' }))
  const { port } = await listening(t, app)
  const [answer] = await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  t.is(answer?.status, 500)
  t.is(answer?.headers['set-cookie'], undefined)
  t.is(errors.length, 1)
})

test('an error that is returned counts as thrown', async t => {
  const { logger } = keepErrors()
  const app = kolba({ logger })
  const missing = () => problem(404, { detail: 'No such book.' })
  app.get('/plain', missing)
  app.get('/later', async () => missing())
  app.get('/json', json(), missing)
  app.get(
    '/above',
    decorator('above', () => missing()),
    () => 1,
  )
  app.get('/reply', () => reply(200, missing()))
  app.get('/error', () => new Error('secret'))
  for (const path of ['/plain', '/later', '/json', '/above', '/reply']) {
    const response = await app.client().get(path)
    t.is(response.status, 404, path)
    t.is(response.headers.get('content-type'), 'application/problem+json', path)
  }
  const response = await app.client().get('/error')
  t.is(response.status, 500)
  t.false((await response.text()).includes('secret'))
})

test('Set-Cookie of a web Response leaves the cookies that were set before', async t => {
  const app = kolba()
  const session = decorator('session', (ctx, next) => {
    ctx.cookies.set('session', '1')
    return next()
  })
  app.get('/', session, () => new Response('in', { headers: { 'Set-Cookie': 'b=2' } }))
  const response = await app.client().get('/')
  t.deepEqual(response.headers.getSetCookie(), ['session=1; path=/; httponly', 'b=2'])
})

test('redirect() is a 302, or the status that is given', async t => {
  const app = kolba()
  app.get('/a', () => redirect('/b'))
  app.get('/b', () => redirect('/c?x=é', 308))
  const client = app.client()
  const a = await client.get('/a')
  t.deepEqual([a.status, a.headers.get('location'), await a.text()], [302, '/b', ''])
  const b = await client.get('/b')
  t.deepEqual([b.status, b.headers.get('location')], [308, '/c?x=%C3%A9'])
  t.throws(() => redirect('/x', 303 as never), {
    instanceOf: RangeError,
    message: 'redirect: 303 is no status for it. Give 301, 302, 307 or 308 after the URL.',
  })
})

test('created(), seeOther() and redirect() refuse a URL that is no string', t => {
  for (const make of [created, seeOther, redirect])
    t.throws(() => make({ id: 1 } as never), {
      instanceOf: TypeError,
      message: 'Location: an object is no URL. Give a string, app.url(handler, params).',
    })
})

test('a value that JSON cannot hold is a 500 whose log names the route', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  const circular: Record<string, unknown> = {}
  circular.self = circular
  app.get('/circular', () => circular)
  app.get('/bigint', () => ({ a: 1n }))
  app.get('/function', () => () => 1)
  const client = app.client()
  for (const path of ['/circular', '/bigint', '/function']) t.is((await client.get(path)).status, 500)
  const [one, two, three] = errors.map(({ err }) => err.message)
  t.true(one?.startsWith('GET /circular: the value cannot be written as JSON: Converting circular structure'))
  t.is(two, 'GET /bigint: the value cannot be written as JSON: Do not know how to serialize a BigInt')
  t.is(three, 'GET /function: a function cannot be written as JSON. Return data, a stream, or reply().')
})

test('a stream that a decorator above does not send is let go', async t => {
  const app = kolba({ logger: keepErrors().logger })
  const streams: Record<string, PassThrough> = {}
  const make = (ctx: { path: string }) => {
    streams[ctx.path] = new PassThrough()
    return streams[ctx.path]
  }
  const other = decorator('other', (_ctx, next) => when(next(), () => 'other'))
  const fails = decorator('fails', (_ctx, next) =>
    when(next(), () => {
      throw problem(403)
    }),
  )
  app.get('/other', other, make)
  app.get('/fails', fails, async ctx => make(ctx))
  for (const path of ['/other', '/fails']) {
    await (await app.client().get(path)).text()
    const stream = streams[path] as PassThrough
    if (!stream.closed) await once(stream, 'close', { signal: AbortSignal.timeout(10_000) })
    t.true(stream.destroyed, path)
  }
})

test('a web stream and a Response that are not sent are cancelled, and one that is sent is whole', async t => {
  const app = kolba({ logger: keepErrors().logger, timeouts: { handler: 0.05 } })
  let cancelled = 0
  const web = () => {
    const cancel = () => {
      cancelled += 1
    }
    return new ReadableStream({ start: its => its.enqueue(Buffer.from('web')), cancel })
  }
  const other = decorator('other', (_ctx, next) => when(next(), () => 'other'))
  const text = decorator('text', async (_ctx, next) => ((await next()) as Response).text())
  const shape: Record<string, () => unknown> = {
    stream: web,
    response: () => new Response(web()),
    reply: () => reply(200, web()),
  }
  for (const [name, make] of Object.entries(shape)) {
    app.get(`/${name}/other`, other, make)
    app.get(`/${name}/late`, async () => {
      await new Promise(resolve => setTimeout(resolve, 100))
      return make()
    })
  }
  app.get('/read', text, () => new Response('read'))
  app.get(
    '/sent',
    decorator('pass', (_ctx, next) => next()),
    () => new Response('sent'),
  )
  for (const path of Object.keys(shape).flatMap(name => [`/${name}/other`, `/${name}/late`])) {
    await (await app.client().get(path)).text()
    while (cancelled === 0) await new Promise(resolve => setTimeout(resolve, 5))
    t.is(cancelled, 1, path)
    cancelled = 0
  }
  for (const name of ['read', 'sent']) t.is(await (await app.client().get(`/${name}`)).text(), name)
})

test('an async generator is a stream of its pieces, under json() too', async t => {
  const app = kolba()
  async function* pieces() {
    yield 'one '
    yield 'two'
  }
  app.get('/', () => pieces())
  app.get('/json', json(), () => pieces())
  const client = app.client()
  t.is(await (await client.get('/')).text(), 'one two')
  t.is(await (await client.get('/json')).text(), 'one two')
})

const NO_PIECES: [name: string, first: unknown, said: string][] = [
  ['an object', { a: 1 }, 'an object'],
  ['a list', [1], 'an array'],
  ['a number', 5, 'a number'],
  ['a truth value', true, 'a boolean'],
]
for (const [name, wrong, said] of NO_PIECES) {
  test(`a stream that gives ${name} first is a 500, and one that does later is cut: the process goes on`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger, signals: false })
    // As much as a reader that waits has not taken yet.
    const lists: Record<string, unknown[]> = { first: [wrong, 'a'], later: ['a', 'b', wrong, 'c'] }
    lists.full = [...Array.from({ length: 60 }, () => 'x'.repeat(65_536)), wrong]
    const listOf = ({ params }: { params: { place: string } }) => lists[params.place] as unknown[]
    app.get('/list/:place', ctx => Readable.from(listOf(ctx)))
    app.get('/generator/:place', async function* (ctx) {
      yield* listOf(ctx)
    })
    app.get('/waits/:place', json(), async function* (ctx) {
      await new Promise(setImmediate)
      for (const it of listOf(ctx)) yield it
    })
    const client = app.client({ port: true })
    t.teardown(() => client.close())
    for (const kind of ['list', 'generator', 'waits']) {
      const response = await client.get(`/${kind}/first`)
      t.is(response.status, 500)
      t.is(response.headers.get('content-type'), 'application/problem+json')
      await t.throwsAsync(client.get(`/${kind}/later`), { code: 'ECONNRESET' })
      await t.throwsAsync(client.get(`/${kind}/full`), { code: 'ECONNRESET' })
    }
    const advice = 'Give strings or bytes, put collection() or produces() above it, or return a list.'
    t.deepEqual(
      [...new Set(errors.map(({ message }) => message))],
      [`The stream gave ${said}, which cannot be sent. ${advice}`],
    )
    t.is(errors.length, 9)
  })
}

test('a stream of objects that are text and bytes is sent whole', async t => {
  const app = kolba()
  const pieces: unknown[] = ['', 'a', Buffer.from('b'), '', new Uint8Array([99]), 'd']
  for (let count = 0; count <= pieces.length; count += 1) {
    app.get(`/list/${count}`, () => Readable.from(pieces.slice(0, count)))
    app.get(`/generator/${count}`, async function* () {
      yield* pieces.slice(0, count)
    })
    for (const kind of ['list', 'generator']) {
      const text = await (await app.client().get(`/${kind}/${count}`)).text()
      t.is(text, ['', '', 'a', 'ab', 'ab', 'abc', 'abcd'][count] as string, kind)
    }
  }
})

test('pieces that a middleware replaces unread are ended, because they may listen to something or hold it open', async t => {
  const app = kolba({ signals: false })
  let ended = 0
  app.use(async (ctx, next) => {
    await next()
    t.true(ctx.body instanceof Readable)
    ctx.body = 'instead'
  })
  app.get('/', () => ({
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: 'a' }),
      async return() {
        ended += 1
        return { done: true as const, value: undefined }
      },
    }),
  }))
  const response = await app.client().get('/')
  t.is(await response.text(), 'instead')
  t.is(ended, 1)
})

test('an event stream sends its headers before its first event', async t => {
  const app = kolba()
  const stream = new PassThrough()
  app.get('/', ctx => {
    ctx.type = 'text/event-stream'
    return stream
  })
  const server = app.listen(0)
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/`)
  t.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  stream.end('data: 1\n\n')
  t.is(await response.text(), 'data: 1\n\n')
  await app.close()
})

test('a reply adds to Vary and Link, which every layer has its part in, and replaces all other headers', async t => {
  const app = kolba()
  const outer = decorator('outer', (ctx, next) => {
    ctx.vary('Prefer')
    ctx.set({ Link: '</a>; rel="next"', Allow: 'GET', 'Content-Language': 'en' })
    return next()
  })
  const headers = {
    vary: 'Origin',
    Link: ['</b>; rel="prev"', '</a>; rel="next"'],
    Allow: 'PUT',
    'content-language': 'de',
  }
  app.get('/reply', outer, () => reply(200, 'x', headers))
  app.get(
    '/lifted',
    outer,
    middleware(async (_ctx, next) => next()),
    () => reply(200, 'x', headers),
  )
  const web = new Headers({ Vary: 'Origin', Link: '</b>; rel="prev"', Allow: 'PUT', 'Content-Language': 'de' })
  app.get('/web', outer, () => new Response('x', { headers: web }))
  for (const path of ['/reply', '/lifted', '/web']) {
    const got = (await app.client().get(path)).headers
    t.is(got.get('vary'), 'Prefer, Origin', path)
    t.is(got.get('link'), '</a>; rel="next", </b>; rel="prev"', path)
    t.is(got.get('allow'), 'PUT', path)
    t.is(got.get('content-language'), 'de', path)
  }
})
