import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { type BaseContext, decorator, kolba, reply, stack, when } from 'kolba'
import { type JsonOptions, json } from 'kolba/json'
import { MemoryLogger } from '../support/memory-logger.ts'

async function render(value: unknown, options?: JsonOptions): Promise<Response> {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', json(options), () => value)
  return app.client().get('/')
}

async function text(value: unknown, options?: JsonOptions): Promise<string> {
  const response = await render(value, options)
  return response.status === 200 ? response.text() : String(response.status)
}

test('json() renders a value with its media type and length', async t => {
  const response = await render({ a: [1, 'é', null] })
  t.is(response.status, 200)
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.is(response.headers.get('content-length'), '19')
  t.is(await response.text(), '{"a":[1,"é",null]}')
})

test('json() renders strings, numbers and booleans as JSON', async t => {
  t.is(await text('<b>"x"</b>'), '"<b>\\"x\\"</b>"')
  t.is(await text(''), '""')
  t.is(await text(0), '0')
  t.is(await text(false), 'false')
  t.is(await text(Number.NaN), 'null')
  t.is((await render('x')).headers.get('content-type'), 'application/json; charset=utf-8')
})

test('json() goes through toJSON, at the top and inside', async t => {
  class Money {
    toJSON() {
      return { euros: 3 }
    }
  }
  t.is(await text(new Money()), '{"euros":3}')
  t.is(await text({ price: new Money(), list: [new Money()] }), '{"price":{"euros":3},"list":[{"euros":3}]}')
  t.is(await text({ toJSON: () => null }), 'null')
  t.is(await text({ toJSON: () => 5n }), '"5"')
})

test('json() breaks lines and indents where it is pretty', async t => {
  t.is(await text({ a: [1] }, { pretty: true }), '{\n  "a": [\n    1\n  ]\n}')
  t.is(await text({ a: [1] }, { pretty: true, spaces: 1 }), '{\n "a": [\n  1\n ]\n}')
  t.is(await text({ a: 1 }, { pretty: true, spaces: 10 }), '{\n          "a": 1\n}')
  t.is(await text({ a: 1 }, { pretty: true, spaces: 0 }), '{"a":1}')
  t.is(await text({ a: 1 }, { pretty: false, spaces: 4 }), '{"a":1}')
  t.is(await text({ a: 1n }, { pretty: true }), '{\n  "a": "1"\n}')
})

test('json() renders a BigInt as its policy says, at any depth', async t => {
  const value = { a: [{ b: 2n ** 53n }], c: 1n }
  t.is(await text(value), '{"a":[{"b":"9007199254740992"}],"c":"1"}')
  t.is(await text(7n), '"7"')
  t.is(await text({ a: 2n ** 53n - 1n }, { bigint: 'number' }), '{"a":9007199254740991}')
  t.is(await text({ a: -(2n ** 53n) + 1n }, { bigint: 'number' }), '{"a":-9007199254740991}')
  t.is(await text({ a: 2n ** 53n }, { bigint: 'number' }), '500')
  t.is(await text({ a: 1n }, { bigint: 'refuse' }), '500')
  t.is(await text({ a: 1n }, { bigint: 'refuse', date: 'seconds' }), '500')
  t.is(await text({ a: 1 }, { bigint: 'refuse' }), '{"a":1}')
})

test('json() renders a Date as its policy says, at any depth', async t => {
  const date = new Date('2024-02-29T12:00:00.999Z')
  t.is(await text({ a: [date] }), '{"a":["2024-02-29T12:00:00.999Z"]}')
  t.is(await text({ a: [date], b: 1n }, { date: 'seconds' }), '{"a":[1709208000],"b":"1"}')
  t.is(await text(date, { date: 'milliseconds' }), '1709208000999')
  t.is(await text([new Date(-1)], { date: 'seconds' }), '[-1]')
  t.is(await text([new Date(Number.NaN)], { date: 'seconds' }), '[null]')
  t.is(await text([new Date(Number.NaN)]), '[null]')
})

test('json() takes a replacer function', async t => {
  function replacer(this: unknown, key: string, value: unknown) {
    if (key === 'password') return undefined
    if (key === 'big') return BigInt(value as number)
    return value
  }
  t.is(await text({ id: 1, password: 'x', big: 5, in: { password: 'y' } }, { replacer }), '{"id":1,"big":"5","in":{}}')
  const holders: unknown[] = []
  const value = { a: 1 }
  await text(value, {
    replacer(key, it) {
      if (key === 'a') holders.push(this)
      return it
    },
  })
  t.deepEqual(holders, [value])
})

test('json() takes a list of names, as JSON.stringify does', async t => {
  class Book {
    id = 1
    '' = 'nameless'
    password = 'x'
    at = new Date(0)
    get title() {
      return 'T'
    }
  }
  const value = { list: [new Book(), [{ id: 2n, password: 'y' }]], constructor: 'no' }
  const names = ['title', 'id', 'list', 'at', 'toString']
  t.is(await text({ list: [new Book()] }, { replacer: names }), JSON.stringify({ list: [new Book()] }, names))
  t.is(await text(value, { replacer: names, date: 'seconds' }), '{"list":[{"title":"T","id":1,"at":0},[{"id":"2"}]]}')
  t.is(await text({ a: 1 }, { replacer: [] }), '{}')
  t.is(await text({ '': 'secret', id: { '': 'secret' } }, { replacer: ['id'] }), '{"id":{}}')
  t.is(await text('x', { replacer: ['id'] }), '"x"')
})

test('json() answers 204 for null, and leaves undefined to the error that names the handler', async t => {
  const response = await render(null)
  t.is(response.status, 204)
  t.is(response.headers.get('content-type'), null)
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', json(), function show() {})
  t.is((await app.client().get('/')).status, 500)
  const message = logger.lines[0]?.message ?? ''
  t.true(message.startsWith('GET /: show returned undefined. Return a value, or null for 204 No Content. Or '), message)
})

test('json() keeps status and headers of a reply', async t => {
  const response = await render(reply(201, { a: 1n }, { Location: '/a', 'X-A': 'b', 'Set-Cookie': ['a=1', 'b=2'] }))
  t.is(response.status, 201)
  t.is(response.headers.get('location'), '/a')
  t.is(response.headers.get('x-a'), 'b')
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.is(await response.text(), '{"a":"1"}')
  t.is((await render(reply(202))).status, 202)
  t.is(await (await render(reply(202))).text(), '')
})

test('json() keeps the Content-Type of a reply, whose string is no longer to be rendered', async t => {
  const vendor = await render(reply(200, { a: 1 }, { 'content-type': 'application/vnd.api+json' }))
  t.is(vendor.headers.get('content-type'), 'application/vnd.api+json')
  t.is(await vendor.text(), '{"a":1}')
  const csv = await render(reply(200, 'a,b', { 'Content-Type': 'text/csv' }))
  t.is(csv.headers.get('content-type'), 'text/csv')
  t.is(await csv.text(), 'a,b')
})

test('json() keeps a status and a JSON Content-Type that were set on ctx, 404 included', async t => {
  const app = kolba()
  app.get('/:status', json(), ctx => {
    ctx.status = Number(ctx.params.status)
    ctx.type = 'application/vnd.api+json'
    return { a: 1 }
  })
  for (const status of [200, 201, 404, 500]) {
    const response = await app.client().get(`/${status}`)
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), 'application/vnd.api+json')
    t.is(await response.text(), '{"a":1}')
  }
})

test('json() puts its own Content-Type in place of another that was set on ctx', async t => {
  const app = kolba()
  app.get('/', json(), ctx => {
    ctx.type = 'text/csv'
    return 'a'
  })
  const response = await app.client().get('/')
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.is(await response.text(), '"a"')
})

test('json() twice in a stack, or around a route that has it, renders once', async t => {
  const app = kolba()
  app.use(json())
  app.get('/', json({ pretty: true }), json(), () => ({ a: 'b' }))
  app.get('/bare', () => ({ a: 1n }))
  const client = app.client()
  t.is(await (await client.get('/')).text(), '{"a":"b"}')
  t.is(await (await client.get('/bare')).text(), '{"a":"1"}')
  t.is((await client.get('/missing')).headers.get('content-type'), 'application/problem+json')
})

test('json() lets streams, bytes and web responses pass', async t => {
  const bytes = new Uint8Array([0, 104, 105, 0]).subarray(1, 3)
  const values = [
    () => Readable.from(['hi']),
    () => Buffer.from('hi'),
    () => bytes,
    () => new Blob(['hi']),
    () => new Response('hi'),
    () => new Response('hi').body,
    () => reply(200, Buffer.from('hi')),
  ]
  for (const value of values) {
    const response = await render(value())
    t.is(response.status, 200)
    t.is(await response.text(), 'hi', String(value))
    t.notRegex(response.headers.get('content-type') ?? '', /json/)
  }
})

const circular: Record<string, unknown> = {}
circular.self = circular

const UNSERIALISABLE: [string, unknown, RegExp][] = [
  ['a circular object', circular, /Converting circular structure to JSON/],
  ['a circular object with a BigInt', { a: 1n, circular }, /Converting circular structure to JSON/],
  ['a function', () => 1, /there is no JSON for this function/],
  ['a symbol', Symbol('x'), /there is no JSON for this symbol/],
  ['a toJSON that gives undefined', { toJSON() {} }, /there is no JSON for this object/],
  [
    'a getter that throws',
    {
      get a() {
        throw new Error('inside')
      },
    },
    /inside/,
  ],
  [
    'a toJSON that throws null',
    {
      toJSON() {
        throw null
      },
    },
    /there is no JSON for this object/,
  ],
]
for (const [title, value, reason] of UNSERIALISABLE) {
  test(`json() makes of ${title} a 500 whose log names the route`, async t => {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    app.get('/books/:id', json(), () => value)
    const response = await app.client().get('/books/7')
    t.is(response.status, 500)
    t.notRegex(await response.text(), reason)
    t.is(logger.lines.length, 1)
    const message = logger.lines[0]?.message ?? ''
    t.true(message.startsWith('GET /books/:id: json() cannot render the value: '), message)
    t.regex(message, reason)
  })
}

test('json() survives 100,000 levels: the engine runs out of stack, or writes them as Node 26 does', async t => {
  let deep: unknown[] = []
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep]
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', json(), () => deep)
  const response = await app.client().get('/')
  if (response.status === 200) return t.regex(await response.text(), /^\[{100001}\]{100001}$/)
  t.is(response.status, 500)
  t.regex(logger.lines[0]?.message ?? '', /^GET \/: json\(\) cannot render the value: .*call stack/)
})

test('json() says which BigInt policy to use where one is too large for a number', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', json({ bigint: 'number' }), () => [2n ** 64n])
  await app.client().get('/')
  const advice = 'a BigInt is too large for a number; use the policy bigint: "string"'
  t.is(logger.lines[0]?.message, `GET /: json() cannot render the value: ${advice}.`)
})

test('json() over a synchronous handler makes no promise', t => {
  const ctx = { response: { is: () => false } } as unknown as BaseContext
  const value = stack(json(), json())(() => ({ a: 1 }))(ctx as never)
  t.deepEqual(
    { ...(value as object) },
    {
      status: 200,
      body: '{"a":1}',
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
    },
  )
})

test('json() gives what stands above it the text', async t => {
  const app = kolba()
  let above: unknown
  const look = decorator('look', (_ctx, next) => when(next(), value => (above = value)))
  app.get('/', look, json(), async () => ({ a: 1 }))
  await app.client().get('/')
  t.is((above as { body: unknown }).body, '{"a":1}')
})

test('json() refuses wrong options when it is made', t => {
  const wrong: [object, string][] = [
    [{ pretty: 1 }, 'json: the option pretty is 1. Give true or false.'],
    [{ spaces: 11 }, 'json: the option spaces is 11. Give a whole number from 0 to 10.'],
    [{ spaces: -1 }, 'json: the option spaces is -1. Give a whole number from 0 to 10.'],
    [{ spaces: '\t' }, 'json: the option spaces is "\\t". Give a whole number from 0 to 10.'],
    [{ replacer: 'id' }, 'json: the option replacer is "id". Give a function or a list of names.'],
    [{ replacer: [1] }, 'json: the option replacer is a list. Give a function or a list of names.'],
    [{ bigint: 'text' }, 'json: the option bigint is "text". Give one of "string", "number" and "refuse".'],
    [{ date: 'rfc' }, 'json: the option date is "rfc". Give one of "iso", "seconds" and "milliseconds".'],
    [{ prety: true }, 'json: the option "prety" is unknown. It takes pretty, spaces, replacer, bigint and date.'],
    [[], 'json: the options are a list. Give an object with pretty, spaces, replacer, bigint and date.'],
  ]
  for (const [options, message] of wrong) t.throws(() => json(options), { instanceOf: TypeError, message })
  t.throws(() => json(null as never), { instanceOf: TypeError })
})

test('json() renders any JSON value so that it reads back equal, whatever the options', async t => {
  const app = kolba()
  let value: unknown
  app.get('/0', json(), () => reply(200, value))
  app.get('/1', json({ pretty: true, spaces: 3 }), () => reply(200, value))
  app.get('/2', json({ date: 'seconds', replacer: (_key, it) => it }), () => reply(200, value))
  const client = app.client()
  const property = fc.asyncProperty(fc.jsonValue(), fc.integer({ min: 0, max: 2 }), async (it, route) => {
    value = it
    const response = await client.get(`/${route}`)
    const body = await response.text()
    t.is(response.status, 200)
    if (it === null) t.is(body, '')
    else t.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(it)))
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }))
})
