import { once } from 'node:events'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import zlib from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import bodyParser from 'koa-bodyparser'
import { type BaseContext, decorator, type Kolba, kolba, reply } from 'kolba'
import { type BodyInput, type BodyOptions, body } from 'kolba/body'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { MemoryLogger } from '../support/memory-logger.ts'
import { lines, testVectors } from '../support/vectors.ts'

const FORM = 'application/x-www-form-urlencoded'
const ACCEPTED = `application/json, ${FORM}, text/plain`

/** An app that gives back what it was sent, on `/`. */
function echo(options?: BodyOptions, logger = new MemoryLogger()): Kolba {
  const app = kolba({ logger, signals: false })
  app.post('/', json(), body(options), ctx => reply(200, { got: ctx.input.body }))
  return app
}

function post(
  content: string | Uint8Array,
  type?: string,
  options?: BodyOptions,
  headers: Record<string, string> = {},
) {
  const all = { ...headers, ...(type !== undefined && { 'content-type': type }) }
  return echo(options).client().post('/', { body: content, headers: all })
}

async function got(...args: Parameters<typeof post>): Promise<unknown> {
  const response = await post(...args)
  return response.status === 200 ? ((await response.json()) as { got: unknown }).got : response.status
}

async function detail(response: Response): Promise<string> {
  return ((await response.json()) as { detail: string }).detail
}

test('body() reads JSON, forms and text by the declared type', async t => {
  t.deepEqual(await got('{"a":[1]}', 'application/json'), { a: [1] })
  t.deepEqual(await got('{"a":1}', 'Application/JSON; Charset="UTF-8"'), { a: 1 })
  t.deepEqual(await got('{"a":1}', 'application/merge-patch+json'), { a: 1 })
  t.deepEqual(await got('a=1&b=é', FORM), { a: '1', b: 'é' })
  t.is(await got('{"a":1}', 'text/plain'), '{"a":1}')
  t.is(await got('"x"', 'application/json'), 'x')
  t.is(await got('null', 'application/json'), null)
  t.is(await got('0', 'application/json'), 0)
})

test('body() takes UTF-8 under each of its names, and ASCII', async t => {
  for (const charset of ['utf-8', 'UTF8', '"utf-8"', 'us-ascii'])
    t.is(await got('x', `text/plain; charset=${charset}`), 'x', charset)
  for (const charset of ['iso-8859-1', 'utf-16', 'utf-7', '""']) {
    const response = await post('x', `text/plain; charset=${charset}`)
    t.is(response.status, 415, charset)
    t.is(response.headers.get('accept'), ACCEPTED)
    t.is(await detail(response), 'Send the body in UTF-8.')
  }
})

for (const type of [
  undefined,
  '',
  'application/xml',
  'application/jsonx',
  'application/json2',
  'xapplication/json',
  'text/json',
  'application/+json',
  'json',
  'application/json,text/plain',
  'application/json; charset=utf-8; charset=utf-16',
  'application/json; charset',
  'application/json\u00a0',
  'multipart/form-data; boundary=x',
]) {
  test(`body() answers 415 for Content-Type ${JSON.stringify(type)}, and says what it accepts`, async t => {
    const response = await post('{"a":1}', type)
    t.is(response.status, 415)
    t.is(response.headers.get('accept'), ACCEPTED)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.is(await detail(response), `Send the body as ${ACCEPTED}, with one Content-Type that says so.`)
  })
}

test('body() reads the types that it is told alone', async t => {
  const response = await post('a=1', FORM, { types: ['json', 'text'] })
  t.is(response.status, 415)
  t.is(response.headers.get('accept'), 'application/json, text/plain')
  t.is(await got('a=1', 'text/plain', { types: ['json', 'text'] }), 'a=1')
})

test('body() answers 415 for two Content-Type lines, of which something above may have read the other', async t => {
  const [head] = await raw(t, echo(), [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\n',
    'Content-Length: 2\r\nConnection: close\r\n\r\n{}',
  ])
  t.is(head, 'HTTP/1.1 415 Unsupported Media Type')
})

test('body() answers 415 with Accept-Encoding for a coded body', async t => {
  for (const coding of ['gzip', 'br', 'deflate', 'x', 'gzip, identity']) {
    const response = await post('{}', 'application/json', {}, { 'content-encoding': coding })
    t.is(response.status, 415, coding)
    t.is(response.headers.get('accept-encoding'), 'identity')
  }
  t.deepEqual(await got('{}', 'application/json', {}, { 'content-encoding': 'Identity' }), {})
  const response = await post('{}', 'application/json', { inflate: true }, { 'content-encoding': 'zstd' })
  t.is(response.status, 415)
  t.is(response.headers.get('accept-encoding'), 'gzip, deflate, br')
  t.is(await detail(response), 'Send the body in one of these content codings: gzip, deflate, br.')
})

const CODINGS: [string, (bytes: string) => Buffer][] = [
  ['gzip', zlib.gzipSync],
  ['GZIP', zlib.gzipSync],
  ['x-gzip', zlib.gzipSync],
  ['deflate', zlib.deflateSync],
  ['br', zlib.brotliCompressSync],
]
for (const [coding, compress] of CODINGS) {
  test(`body() with inflate reads ${coding} and counts the inflated bytes`, async t => {
    const options = { inflate: true, limit: 1000 }
    const headers = { 'content-encoding': coding }
    t.deepEqual(await got(compress('{"a":1}'), 'application/json', options, headers), { a: 1 })
    t.is(await got(compress('x'.repeat(1000)), 'text/plain', options, headers), 'x'.repeat(1000))
    t.is(await got(compress('x'.repeat(1001)), 'text/plain', options, headers), 413)
    t.is(await got(compress('x'.repeat(1e6)), 'text/plain', options, headers), 413)
    t.is(await got('{"a":1}', 'application/json', options, headers), 400)
    t.is(await got(compress('{"a":1}').subarray(0, -4), 'application/json', options, headers), 400)
  })
}

// Alone, because what the other tests hold would count.
test.serial('body() with inflate stops at the limit of a bomb, with little memory', async t => {
  const zeros = Buffer.alloc(50_000_000)
  const fast = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }
  const client = echo({ inflate: true }).client()
  await client.post('/', { json: 1 })
  for (const [coding, bomb] of [
    ['gzip', zlib.gzipSync(zeros)],
    ['br', zlib.brotliCompressSync(zeros, fast)],
  ] as const) {
    t.true(bomb.length < 100_000)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    let watching = true
    const look = () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      if (watching) setImmediate(look)
    }
    look()
    const headers = { 'content-type': 'text/plain', 'content-encoding': coding }
    const response = await client.post('/', { body: bomb, headers })
    watching = false
    t.is(response.status, 413)
    t.is(await detail(response), 'Send a body of at most 1048576 bytes.')
    t.true(most > 0 && most < 10_000_000, `${most} bytes more`)
  }
  t.is((await client.post('/', { json: 1 })).status, 200)
})

test('body() counts up to the limit and not a byte further', async t => {
  t.is(await got('x'.repeat(10), 'text/plain', { limit: 10 }), 'x'.repeat(10))
  t.is(await got('é'.repeat(5), 'text/plain', { limit: 10 }), 'é'.repeat(5))
  const response = await post('x'.repeat(11), 'text/plain', { limit: 10 })
  t.is(response.status, 413)
  t.is(response.headers.get('connection'), 'close')
  t.is(await detail(response), 'Send a body of at most 10 bytes.')
})

test("body() has the app's limits.body for its limit", async t => {
  const app = kolba({ limits: { body: 10 } })
  app.post('/', body(), () => 'fine')
  app.post('/more', body({ limit: 20 }), () => 'fine')
  const request = { body: 'x'.repeat(11), headers: { 'content-type': 'text/plain' } }
  t.is((await app.client().post('/', request)).status, 413)
  t.is((await app.client().post('/more', request)).status, 200)
})

test('body() answers 413 for a Content-Length over the limit before any of it has come', async t => {
  const [head, rest] = await raw(t, echo(), [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1048577\r\n\r\n',
  ])
  t.regex(head, /^HTTP\/1\.1 413 /)
  t.regex(rest, /^connection: close$/im)
})

test('body() answers 413 for a chunked body over the limit while it comes, and closes the connection', async t => {
  const app = echo({ limit: 1000 })
  const server = app.listen(0)
  await once(server, 'listening')
  const request = send(server.address() as AddressInfo, { 'Content-Type': 'text/plain' })
  let sent = 0
  const timer = setInterval(() => {
    sent += 100
    request.write('x'.repeat(100))
  }, 1)
  const closed = new Promise(resolve => request.on('socket', socket => socket.on('close', resolve)))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  t.is(response.statusCode, 413)
  t.is(response.headers.connection, 'close')
  await readAll(response)
  await closed
  clearInterval(timer)
  t.true(sent >= 1000)
  const alive = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  })
  t.is(alive.status, 200)
  await alive.text()
  await app.close()
})

test('body() answers 400 where there is no body, unless that is optional', async t => {
  const response = await echo()
    .client()
    .post('/', { headers: { 'content-type': 'application/json' } })
  t.is(response.status, 400)
  t.is(await detail(response), `There is no body. Send one of ${ACCEPTED}.`)
  t.is(await got('', 'application/json'), 400)
  const empty = await echo({ optional: true }).client().post('/')
  t.deepEqual(await empty.json(), {})
  t.is(await got('', 'application/json', { optional: true }), undefined)
  t.deepEqual(await got('{}', 'application/json', { optional: true }), {})
  t.is(await got('{', 'application/json', { optional: true }), 400)
  t.is(await got('{}', 'application/xml', { optional: true }), 415)
})

test('body() takes chunks without a byte for no body', async t => {
  const chunks = [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n',
    '\r\n0\r\n\r\n',
  ]
  t.is((await raw(t, echo(), chunks))[0], 'HTTP/1.1 400 Bad Request')
  t.is((await raw(t, echo({ optional: true }), chunks))[0], 'HTTP/1.1 200 OK')
})

test('body() puts a body together from chunks, even within a character', async t => {
  const [head, rest] = await raw(t, echo(), [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    '1\r\na\r\n1\r\n\xc3\r\n',
    '1\r\n\xa9\r\n0\r\n\r\n',
  ])
  t.is(head, 'HTTP/1.1 200 OK')
  t.true(Buffer.from(rest, 'latin1').toString().includes('{"got":"aé"}'))
})

function nested(depth: number, open = '[', close = ']'): string {
  return open.repeat(depth) + close.repeat(depth)
}

test('body() takes JSON of 64 levels and refuses 65', async t => {
  t.not(await got(nested(64), 'application/json'), 400)
  const response = await post(nested(65), 'application/json')
  t.is(response.status, 400)
  t.is(await detail(response), 'The JSON is nested deeper than 64 levels.')
  t.not(await got(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`, 'application/json'), 400)
  t.is(await got(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'application/json'), 400)
  t.is(await got('[[]]', 'application/json', { depth: 1 }), 400)
  t.deepEqual(await got('[1]', 'application/json', { depth: 1 }), [1])
})

test('body() survives a million brackets, and a depth that is allowed in thousands', async t => {
  t.is(await got('['.repeat(1e6), 'application/json'), 400)
  t.is(await got(nested(5e5), 'application/json'), 400)
  t.is(await got('{"a":'.repeat(2e5), 'application/json'), 400)
  const app = kolba()
  app.post('/', body({ depth: 100_000 }), () => 'fine')
  t.is(
    (await app.client().post('/', { body: nested(100_000), headers: { 'content-type': 'application/json' } })).status,
    200,
  )
})

test('body() counts the names in JSON over all objects', async t => {
  const object = (names: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: names }, (_, i) => [`n${i}`, i])))
  t.not(await got(object(10_000), 'application/json'), 400)
  const response = await post(object(10_001), 'application/json')
  t.is(response.status, 400)
  t.is(await detail(response), 'The JSON has more than 10000 names.')
  t.is(await got(`[${object(2)},${object(2)}]`, 'application/json', { keys: 3 }), 400)
  t.not(await got(`[${object(2)},${object(2)}]`, 'application/json', { keys: 4 }), 400)
  t.not(await got(`[${'1,'.repeat(20_000)}1]`, 'application/json'), 400)
})

for (const text of [
  '{"__proto__":{"x":1}}',
  '{"__proto__":null}',
  '{"__proto__":1}',
  '[{"a":[{"__proto__":{}}]}]',
  '{"\\u005f_proto__":{"x":1}}',
  '{"__proto\\u005f_":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"constructor":{"prototype":null}}',
  '{"a":{"\\u0063onstructor":{"proto\\u0074ype":{}}}}',
  '{"constructor":{"a":1,"constructor":{"prototype":1}}}',
]) {
  test(`body() refuses ${text}`, async t => t.is(await got(text, 'application/json'), 400))
}

for (const text of [
  '{"constructor":{"name":"x"}}',
  '{"constructor":null}',
  '{"constructor":"prototype"}',
  '{"prototype":{"x":1}}',
  '{"a":"__proto__"}',
  '["__proto__"]',
  '{"hasOwnProperty":1,"toString":2,"valueOf":null}',
]) {
  test(`body() takes ${text}`, async t => t.deepEqual(await got(text, 'application/json'), JSON.parse(text)))
}

test('body() answers 400 for bytes that are not UTF-8, in JSON, text and forms', async t => {
  const broken = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc3]]
  for (const bytes of broken) {
    const response = await post(Buffer.from([0x22, ...bytes, 0x22]), 'application/json')
    t.is(response.status, 400)
    t.is(await detail(response), 'The body is not UTF-8.')
    t.is(await got(Buffer.from([0x61, ...bytes]), 'text/plain'), 400)
    t.is(await got(Buffer.from([0x61, 0x3d, ...bytes]), FORM), 400)
  }
})

test('body() skips a byte order mark in UTF-8, and takes none of another encoding', async t => {
  t.deepEqual(await got('\ufeff{"a":1}', 'application/json'), { a: 1 })
  t.is(await got('\ufeffx\ufeff', 'text/plain'), 'x\ufeff')
  t.deepEqual(await got('\ufeffa=1', FORM), { a: '1' })
  t.is(await got('\ufeff\ufeff{}', 'application/json'), 400)
  t.is(await got(Buffer.from('\ufeff{}', 'utf16le'), 'application/json'), 400)
})

test('body() reads forms as the URL standard writes them', async t => {
  const cases: [string, unknown][] = [
    ['a=1&b=2&a=3&a=4', { a: ['1', '3', '4'], b: '2' }],
    ['a+b=c+d%2B', { 'a b': 'c d+' }],
    ['%C3%A9=%F0%9F%92%A9', { é: '💩' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['=a', { '': 'a' }],
    ['a=b=c', { a: 'b=c' }],
    ['&a=1&&b=2&', { a: '1', b: '2' }],
    ['&', {}],
    ['a%3Db=1%262', { 'a=b': '1&2' }],
    ['a=1\r\n2', { a: '1\r\n2' }],
    ['a[b]=1&a[]=2', { 'a[b]': '1', 'a[]': '2' }],
    ['constructor=1&toString=2&hasOwnProperty=3', { constructor: '1', toString: '2', hasOwnProperty: '3' }],
  ]
  for (const [text, expected] of cases) {
    t.deepEqual(await got(text, FORM), expected, text)
    const ours = Object.entries((await got(text, FORM)) as object).flatMap(([name, value]) =>
      [value].flat().map(it => [name, it]),
    )
    t.deepEqual(ours.sort(), [...new URLSearchParams(text)].sort(), text)
  }
})

test('body() reads back whatever form and whatever JSON a client can write', async t => {
  const client = echo({ optional: true }).client()
  const name = fc.string({ unit: 'grapheme' }).filter(it => it !== '__proto__')
  const pairs = fc.array(fc.tuple(name, fc.string({ unit: 'binary' })))
  const read = async (content: string, type: string) => {
    const response = await client.post('/', { body: content, headers: { 'content-type': type } })
    t.is(response.status, 200, content)
    return ((await response.json()) as { got?: unknown }).got
  }
  const property = fc.asyncProperty(pairs, fc.jsonValue({ maxDepth: 5 }), async (fields, value) => {
    const form = (await read(String(new URLSearchParams(fields)), FORM)) ?? {}
    const names = new Set(fields.map(([name]) => name))
    t.deepEqual(Object.keys(form).sort(), [...names].sort())
    for (const name of names)
      t.deepEqual(
        [(form as Record<string, unknown>)[name]].flat(),
        fields.filter(([it]) => it === name).map(([, it]) => it),
      )
    const text = JSON.stringify(value)
    if (isHarmless(text)) t.deepEqual(await read(text, 'application/json'), JSON.parse(text))
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 100 }))
})

test('body() gives a form without a prototype', async t => {
  const app = kolba()
  app.post('/', body(), ctx => `${Object.getPrototypeOf(ctx.input.body)}`)
  const response = await app.client().post('/', { body: 'a=1', headers: { 'content-type': FORM } })
  t.is(await response.text(), 'null')
})

test('body() refuses a form with __proto__, with broken percent-encoding or with too many fields', async t => {
  for (const text of ['__proto__=1', '__proto__', 'a=1&%5F_proto__=2', '__proto__=1&__proto__=2'])
    t.is(await detail(await post(text, FORM)), 'The form has the name __proto__.', text)
  for (const text of ['a=%', 'a=%zz', '%e9=1', 'a=%ff', 'a=%ed%a0%80']) t.is(await got(text, FORM), 400, text)
  t.is(await got('a&'.repeat(10_001), FORM), 400)
  t.is(await detail(await post('a=1&b=2&c=3', FORM, { keys: 2 })), 'The form has more than 2 fields.')
  t.deepEqual(await got('a=1&&&b=2', FORM, { keys: 2 }), { a: '1', b: '2' })
})

// Work that grows with the square of the input would take minutes in these tests, and ava ends them before.
test('body() reads one field two hundred thousand times', async t => {
  const { a } = (await got('a=1&'.repeat(200_000), FORM, { keys: 200_001 })) as { a: string[] }
  t.is(a.length, 200_000)
})

test('body() tells where the JSON breaks and never repeats it', async t => {
  const secret = 's3cr3t at position 4711'
  for (const [text, type] of [
    [`{"a":${secret}`, 'application/json'],
    ['x at position 4711', 'application/json'],
    [secret, 'application/json'],
    [`"${secret}`, 'application/json'],
    [`{"${secret}":{"constructor":{"prototype":"${secret}"}}}`, 'application/json'],
    [`${secret}=%zz`, FORM],
    [`__proto__=${secret}`, FORM],
    [secret, `application/${secret.replaceAll(' ', '')}`],
    [secret, `application/json; charset=${secret.replaceAll(' ', '')}`],
  ] as const) {
    // The id of the request is random, and may have any digits.
    const document = { ...((await (await post(text, type)).json()) as object), requestId: '' }
    t.notRegex(JSON.stringify(document), /s3cr3t|4711/, text)
  }
  t.is(await detail(await post('{"a":1,}', 'application/json')), 'The body is not JSON, from character 7 on.')
})

test('body() takes a body as a Koa body parser has left it', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  app.use(bodyParser({ jsonLimit: '20b' }))
  app.post('/', json(), body({ types: ['text'] }), ctx => ctx.input)
  const client = app.client()
  t.deepEqual(await (await client.post('/', { json: { a: 1 } })).json(), { body: { a: 1 } })
  const form = { body: 'a=1', headers: { 'content-type': FORM } }
  t.deepEqual(await (await client.post('/', form)).json(), { body: { a: '1' } })
  t.deepEqual(await (await client.post('/')).json(), { body: {} })
  t.is((await client.post('/', { json: 'x'.repeat(30) })).status, 413)
  t.is((await client.post('/', { body: '{', headers: { 'content-type': 'application/json' } })).status, 400)
})

test('body() takes a body as middleware(bodyParser()) has left it', async t => {
  const app = kolba()
  app.post('/', json(), middleware(bodyParser()), body(), ctx => ctx.input.body)
  t.deepEqual(await (await app.client().post('/', { json: { a: 1 } })).json(), { a: 1 })
})

test('body() says so where something above has read the body and left it nowhere', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const swallow = middleware(async (ctx, next) => {
    await readAll(ctx.req)
    await next()
  })
  const decode = middleware((ctx, next) => {
    ctx.req.setEncoding('utf8')
    return next()
  })
  app.post('/read', swallow, body(), () => 'x')
  app.post('/decoded', decode, body(), () => 'x')
  for (const path of ['/read', '/decoded']) t.is((await app.client().post(path, { json: 1 })).status, 500)
  const advice = 'Put body() above that, or have that leave what it read as ctx.request.body.'
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    Array(2).fill(`body: something above has read it. ${advice}`),
  )
})

test('body() twice in a stack reads once', async t => {
  const app = kolba()
  const group = app.group('/g', body())
  group.post('/', json(), body({ types: ['text'] }), body(), ctx => ctx.input.body)
  t.deepEqual(await (await app.client().post('/g', { json: { a: 1 } })).json(), { a: 1 })
})

test('body() keeps what else is in ctx.input', async t => {
  const app = kolba()
  const query = decorator<{ input: { query: number } }>('query', (_ctx, next) => next({ input: { query: 1 } }))
  app.post('/', json(), query, body(), ctx => ctx.input)
  t.deepEqual(await (await app.client().post('/', { json: 2 })).json(), { query: 1, body: 2 })
})

test('body() reads the body of QUERY, PUT, PATCH and DELETE', async t => {
  const app = kolba()
  app.route(['QUERY', 'PUT', 'PATCH', 'DELETE'], '/', json(), body(), ctx => ctx.input.body)
  for (const method of ['QUERY', 'PUT', 'PATCH', 'DELETE']) {
    const response = await app.client().fetch('/', { method, json: { a: method } })
    t.deepEqual(await response.json(), { a: method })
  }
})

test('body() runs the handler only with a whole body, and survives a client that leaves in the middle', async t => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false })
  let runs = 0
  let failed: (error: unknown) => void = () => {}
  const outcome = decorator('outcome', async (_ctx, next) => {
    try {
      return await next()
    } catch (error) {
      failed(error)
      throw error
    }
  })
  app.post('/', outcome, body({ inflate: true }), () => {
    runs += 1
    return 'x'
  })
  const server = app.listen(0)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const codings: Record<string, string>[] = [{}, { 'Content-Encoding': 'gzip' }, { 'Content-Length': '1000' }]
  for (const headers of codings) {
    const error = new Promise(resolve => {
      failed = resolve
    })
    const arrived = once(server, 'request')
    const request = send(address, { 'Content-Type': 'text/plain', ...headers })
    request.write(headers['Content-Encoding'] ? zlib.gzipSync('x'.repeat(100)).subarray(0, 12) : 'half')
    await arrived
    request.destroy()
    t.like(await error, { status: 400, message: 'The body ends too early, or its content coding is broken.' })
  }
  await app.close()
  t.is(runs, 0)
  t.deepEqual(unhandled, [])
  t.deepEqual(logger.lines, [])
  process.off('unhandledRejection', onUnhandled)
})

test('body() does not wait for a client that left before it began', async t => {
  const app = kolba({ logger: new MemoryLogger(), signals: false })
  let failed: (error: unknown) => void = () => {}
  const error = new Promise(resolve => {
    failed = resolve
  })
  const late = decorator('late', async (ctx, next) => {
    await new Promise<void>(resolve => ctx.req.once('close', resolve))
    try {
      return await next()
    } catch (error) {
      failed(error)
      throw error
    }
  })
  app.post('/', late, body(), () => 'x')
  const server = app.listen(0)
  await once(server, 'listening')
  const arrived = once(server, 'request')
  const request = send(server.address() as AddressInfo, { 'Content-Type': 'text/plain', 'Content-Length': '1000' })
  request.write('half')
  await arrived
  request.destroy()
  t.like(await error, { status: 400 })
  await app.close()
})

test('body() leaves the connection open for the next request after a 400 and a 415', async t => {
  const [head, rest] = await raw(t, echo(), [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\n12345',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1',
  ])
  t.is(head, 'HTTP/1.1 400 Bad Request')
  t.deepEqual(rest.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 415', 'HTTP/1.1 200'])
})

test('body() refuses wrong options when it is made', t => {
  const number = 'Give a whole number from 1.'
  const types = "Give a list of 'json', 'form' and 'text'."
  const wrong: [object, string][] = [
    [{ types: [] }, `body: the option types is a list. ${types}`],
    [{ types: ['xml'] }, `body: the option types is a list. ${types}`],
    [{ types: ['toString'] }, `body: the option types is a list. ${types}`],
    [{ types: 'json' }, `body: the option types is "json". ${types}`],
    [{ limit: '1mb' }, 'body: the option limit is "1mb". Give a whole number of bytes from 1.'],
    [{ limit: Number.NaN }, 'body: the option limit is NaN. Give a whole number of bytes from 1.'],
    [{ limit: Number.POSITIVE_INFINITY }, 'body: the option limit is Infinity. Give a whole number of bytes from 1.'],
    [{ limit: 0 }, 'body: the option limit is 0. Give a whole number of bytes from 1.'],
    [{ depth: -1 }, `body: the option depth is -1. ${number}`],
    [{ keys: 1.5 }, `body: the option keys is 1.5. ${number}`],
    [{ inflate: 'gzip' }, 'body: the option inflate is "gzip". Give true or false.'],
    [{ optional: 0 }, 'body: the option optional is 0. Give true or false.'],
    [
      { type: ['json'] },
      'body: the option "type" is unknown. It takes types, limit, depth, keys, inflate and optional.',
    ],
  ]
  for (const [options, message] of wrong) t.throws(() => body(options), { instanceOf: TypeError, message })
})

test('body() notes on the route what it takes and refuses', t => {
  const app = kolba()
  app.post('/', body({ types: ['json'], optional: true }), () => 'x')
  const { requestBody, responses } = app.routes()[0]?.notes[0] ?? {}
  t.deepEqual(requestBody, { required: false, content: { 'application/json': {} } })
  t.deepEqual(Object.keys(responses ?? {}), ['400', '413', '415'])
})

interface ParsingCase {
  id: string
  expect: 'accept' | 'reject' | 'either'
  b64: string
}

testVectors('body() agrees with JSONTestSuite on each of its cases', 'json-parsing/cases.ndjson', async (t, text) => {
  const counts = { accept: 0, reject: 0, either: 0 }
  const client = echo({ limit: 10_000_000 }).client()
  for (const { id, expect, b64 } of lines<ParsingCase>(text)) {
    counts[expect] += 1
    const bytes = Buffer.from(b64, 'base64')
    const response = await client.post('/', { body: bytes, headers: { 'content-type': 'application/json' } })
    const statuses = { accept: [200], reject: [400], either: [200, 400] }[expect]
    t.true(statuses.includes(response.status), `${id}: ${response.status}`)
    if (response.status !== 200) continue
    const plain = JSON.parse(bytes.toString().replace(/^\ufeff/, ''))
    t.deepEqual(await response.json(), JSON.parse(JSON.stringify({ got: plain })), id)
  }
  t.deepEqual(counts, { accept: 95, reject: 188, either: 35 })
})

interface PollutionCase {
  text: string | { buffer: string }
}

testVectors(
  'body() lets no __proto__ and no constructor.prototype through, and all else',
  'prototype-pollution/secure-json-parse.json',
  async (t, text) => {
    const cases = JSON.parse(text) as PollutionCase[]
    t.is(cases.length, 77)
    const seen: unknown[] = []
    const app = kolba()
    app.post('/', body(), (ctx: BaseContext & BodyInput) => {
      seen.push(ctx.input.body)
      return 'fine'
    })
    let refused = 0
    for (const { text } of cases) {
      const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, 'latin1')
      const plain = bytes.toString().replace(/^\ufeff/, '')
      const response = await app.client().post('/', { body: bytes, headers: { 'content-type': 'application/json' } })
      const expected = isHarmless(plain) ? 200 : 400
      t.is(response.status, expected, plain)
      if (expected === 400) refused += 1
      else t.deepEqual(seen.at(-1), JSON.parse(plain))
    }
    t.is(seen.length, 77 - refused)
    t.true(refused > 40)
    for (const value of seen) t.notRegex(JSON.stringify(value), /"__proto__":|"constructor":\{"prototype":/)
    t.is(({} as { x?: unknown }).x, undefined)
  },
)

/** Is it JSON, with none of the names that reach a prototype? JSON.parse calls back for each name, unescaped. */
function isHarmless(text: string): boolean {
  let harmless = true
  try {
    JSON.parse(text, (key, value) => {
      const reaches = key === 'constructor' && typeof value === 'object' && value !== null && 'prototype' in value
      if (key === '__proto__' || reaches) harmless = false
      return value
    })
  } catch {
    return false
  }
  return harmless
}

function send({ port }: AddressInfo, headers: Record<string, string>): ClientRequest {
  const request = http.request({ host: '127.0.0.1', port, method: 'POST', headers, agent: false })
  request.on('error', () => {})
  return request
}

/** Writes bytes on a connection of its own: the status line of the first answer, and the rest of what comes back. */
async function raw(t: ExecutionContext, app: Kolba, pieces: string[]): Promise<[head: string, rest: string]> {
  const server = app.listen(0)
  t.teardown(() => app.close())
  await once(server, 'listening')
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.setEncoding('latin1')
  for (const piece of pieces) socket.write(piece, 'latin1')
  const answer = await readAll(socket)
  const end = answer.indexOf('\r\n')
  return [answer.slice(0, end), answer.slice(end + 2).replaceAll('\r\n', '\n')]
}

test('body() refuses JSON that curl has sent as a form', async t => {
  const response = await post('{"title": "Emma"}', FORM)
  t.is(response.status, 415)
  t.is(await detail(response), 'This form looks like JSON. Send it with Content-Type: application/json.')
})
