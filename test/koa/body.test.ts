// ctx.body with every type that Koa knows, by GET and HEAD, with statuses that have no body, and one after another.
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable, Stream } from 'node:stream'
import test from 'ava'
import type Koa from 'koa'
import { kolba } from 'kolba'
import { type Row, talk, testBesideKoa } from '../support/beside-koa.ts'
import { DIFFERENCES, type Named } from '../support/koa-differences.ts'
import { root } from '../support/root.ts'

const text = 'text/plain; charset=utf-8'
const html = 'text/html; charset=utf-8'
const bytes = 'application/octet-stream'
const data = 'application/json; charset=utf-8'

type Kind = readonly [value: () => unknown, type: string | undefined, body: string, status?: number]

/** What stands on ctx.body, the type that it goes out with, and its bytes. */
const bodies: Record<string, Kind> = {
  'a string': [() => 'hello', text, 'hello'],
  'an empty string': [() => '', text, ''],
  'a string of more than Latin-1': [() => 'Đà Nẵng ☂', text, Buffer.from('Đà Nẵng ☂').toString('latin1')],
  'a string that begins with <': [() => '<p>hello', html, '<p>hello'],
  'a string that begins with space and <': [() => '\n <p>hello', html, '\n <p>hello'],
  'a string with < further on': [() => 'a < b', text, 'a < b'],
  'a long string': [() => 'x'.repeat(100_000), text, 'x'.repeat(100_000)],
  'a Buffer': [() => Buffer.from('hello'), bytes, 'hello'],
  'an empty Buffer': [() => Buffer.alloc(0), bytes, ''],
  'a Uint8Array, which Koa writes as JSON': [() => Uint8Array.of(1, 2), data, '{"0":1,"1":2}'],
  'an object': [() => ({ a: 1, b: { c: [null, true] } }), data, '{"a":1,"b":{"c":[null,true]}}'],
  'an empty object': [() => ({}), data, '{}'],
  'an object without a prototype': [() => Object.assign(Object.create(null), { a: 1 }), data, '{"a":1}'],
  'an object with toJSON': [() => ({ toJSON: () => ({ a: 1 }) }), data, '{"a":1}'],
  'an instance of a class': [() => new Invoice(3), data, '{"id":3}'],
  'an array': [() => [1, 'two', null], data, '[1,"two",null]'],
  'a Date': [() => new Date(0), data, '"1970-01-01T00:00:00.000Z"'],
  'a number': [() => 7, data, '7'],
  zero: [() => 0, data, '0'],
  'NaN, which JSON has not': [() => Number.NaN, data, 'null'],
  true: [() => true, data, 'true'],
  false: [() => false, data, 'false'],
  'a Map, which JSON has not': [() => new Map([[1, 2]]), data, '{}'],
  'an async generator, which Koa takes for an object': [() => pieces(), data, '{}'],
  null: [() => null, undefined, '', 204],
  undefined: [() => undefined, undefined, '', 204],
  'a stream of strings': [() => Readable.from(['a', 'b', 'c']), bytes, 'abc'],
  'a stream of Buffers': [() => Readable.from([Buffer.from('a'), Buffer.from('b')]), bytes, 'ab'],
  'an empty stream': [() => Readable.from([]), bytes, ''],
  'a PassThrough': [() => new PassThrough().end('through'), bytes, 'through'],
  'a stream that gives later': [() => Readable.from(pieces()), bytes, 'onetwo'],
  'a file stream': [() => createReadStream(join(root, 'LICENSE'), { end: 10 }), bytes, 'MIT License'],
  'what only looks like a stream': [() => lookalike(), bytes, 'alike'],
  'a web stream': [() => new Blob(['a', 'b']).stream(), bytes, 'ab'],
  'an empty web stream': [() => new Blob([]).stream(), bytes, ''],
  'a Blob': [() => new Blob(['hello']), bytes, 'hello'],
  'a Blob with a type': [() => new Blob(['<p>'], { type: 'text/html' }), html, '<p>'],
  'an empty Blob': [() => new Blob([]), bytes, ''],
  'a File': [() => new File(['{}'], 'a.json', { type: 'application/json' }), data, '{}'],
  'a web Response': [() => new Response('made'), 'text/plain;charset=UTF-8', 'made'],
  'a web Response with a status and headers': [
    () => new Response('made', { status: 201, headers: { 'X-A': 'b', 'Content-Type': 'text/css' } }),
    'text/css',
    'made',
    201,
  ],
  'a web Response of JSON': [() => Response.json({ a: 1 }), 'application/json', '{"a":1}'],
  'a web Response of a stream': [() => new Response(new Blob(['s']).stream()), bytes, 's'],
  'a web Response without a body': [() => new Response(null, { status: 202 }), bytes, '', 202],
  'a web Response that is a 204': [() => new Response(null, { status: 204 }), undefined, '', 204],
  'a web Response with two cookies, which Koa joins': [
    () =>
      new Response('c', {
        headers: [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ],
      }),
    'text/plain;charset=UTF-8',
    'c',
  ],
}

class Invoice {
  readonly id: number
  readonly #total = 5
  constructor(id: number) {
    this.id = id
  }
  get total() {
    return this.#total
  }
}

async function* pieces() {
  yield 'one'
  await new Promise(resolve => setImmediate(resolve))
  yield 'two'
}

/** A stream of another library: it has all that Koa looks for, and Node's is not among what it inherits from. */
function lookalike(): unknown {
  const real = Readable.from(['alike'])
  const names = ['pipe', 'read', 'destroy', 'on', 'once', 'off', 'emit', 'removeListener', 'pause', 'resume', 'unpipe']
  const own = names.map(name => [name, (real as unknown as Record<string, () => void>)[name]?.bind(real)])
  return Object.defineProperties(
    { ...Object.fromEntries(own), [Symbol.asyncIterator]: () => real[Symbol.asyncIterator]() },
    Object.fromEntries(
      ['readable', 'readableObjectMode', 'destroyed', 'readableEnded', 'errored', '_readableState'].map(name => [
        name,
        { get: () => (real as unknown as Record<string, unknown>)[name] },
      ]),
    ),
  )
}

const rows: Record<string, Row> = {}

for (const [name, [value, type, body, status = 200]] of Object.entries(bodies)) {
  const run: Row['run'] = ctx => {
    ctx.body = value()
  }
  const isNothing = name === 'a web Response without a body'
  const differs: Named = isNothing ? { nothingInPieces: true } : {}
  rows[`ctx.body = ${name}`] = { run, is: [status, type, body], differs }
  rows[`ctx.body = ${name}, asked by HEAD`] = { run, ask: { method: 'HEAD' }, is: [status, type, ''] }
  rows[`ctx.body = ${name}, after a promise`] = { run: async ctx => run(ctx, done), is: [status, type, body], differs }
  for (const empty of [204, 205, 304]) {
    const then: Row['run'] = ctx => {
      ctx.body = value()
      ctx.status = empty
    }
    rows[`ctx.body = ${name}, then status ${empty}`] = { run: then, is: [empty, undefined, ''] }
  }
  // A web Response brings a status along.
  const its: Row['is'] = name.startsWith('a web Response') ? [status] : [204, undefined, '']
  const first: Row['run'] = ctx => {
    ctx.status = 204
    ctx.body = value()
  }
  rows[`status 204, then ctx.body = ${name}`] = { run: first, is: its, differs }
}

async function done() {}

/** What JSON cannot hold: an error in both, of which the log of kolba says more. */
const refused: Record<string, readonly [value: () => unknown, error: string]> = {
  'a function': [() => () => {}, 'a function cannot be written as JSON. Return data, a stream, or reply().'],
  'a symbol': [() => Symbol('s'), 'a symbol cannot be written as JSON. Return data, a stream, or reply().'],
  'a bigint': [() => 1n, 'the value cannot be written as JSON: Do not know how to serialize a BigInt'],
}

for (const [name, [value, error]] of Object.entries(refused)) {
  const differs = (where: string): Named => ({ problem: {}, errors: [`TypeError: ${where}: ${error}`] })
  const run: Row['run'] = ctx => {
    ctx.body = value()
  }
  rows[`ctx.body = ${name}`] = {
    run,
    is: [500, text],
    differs: differs('GET /'),
    differsAsRoute: differs('ALL /{*rest}'),
  }
}

/** Several steps on ctx, and what comes of them. */
const steps: Record<string, readonly [run: (ctx: Koa.Context) => void, is: Row['is'], differs?: Named]> = {
  'a status alone': [ctx => (ctx.status = 200), [200, text, 'OK']],
  'a status alone that has another phrase': [ctx => (ctx.status = 202), [202, text, 'Accepted']],
  'a status with a message of its own': [
    ctx => {
      ctx.status = 200
      ctx.message = 'Fine'
    },
    [200, text, 'Fine'],
  ],
  'a status without a phrase': [ctx => (ctx.status = 299), [299, text]],
  'a status of an error': [ctx => (ctx.status = 403), [403, text, 'Forbidden'], { problem: {} }],
  'a status of an error with a body': [
    ctx => {
      ctx.status = 403
      ctx.body = 'no'
    },
    [403, text, 'no'],
  ],
  'res.statusCode alone': [ctx => (ctx.res.statusCode = 200), [200, text, 'OK']],
  'a body after res.statusCode is a 200': [
    ctx => {
      ctx.res.statusCode = 201
      ctx.body = 'a'
    },
    [200, text, 'a'],
  ],
  'a status before a body stays': [
    ctx => {
      ctx.status = 201
      ctx.body = { a: 1 }
    },
    [201, data, '{"a":1}'],
  ],
  'null with a status is an empty body': [
    ctx => {
      ctx.body = null
      ctx.status = 200
    },
    [200, undefined, ''],
  ],
  'undefined with a status is the phrase': [
    ctx => {
      ctx.body = undefined
      ctx.status = 200
    },
    [200, text, 'OK'],
  ],
  'null with a status of an error': [
    ctx => {
      ctx.body = null
      ctx.status = 404
    },
    [404, undefined, ''],
    { problem: { detail: 'Nothing is at this path.' } },
  ],
  'null after a type of JSON is the text null': [
    ctx => {
      ctx.status = 200
      ctx.type = 'json'
      ctx.body = null
    },
    [200, data, 'null'],
  ],
  'null after a string takes type and length with it': [
    ctx => {
      ctx.body = 'a'
      ctx.body = null
    },
    [204, undefined, ''],
  ],
  'a string after an object keeps the type of JSON': [
    ctx => {
      ctx.body = { a: 1 }
      ctx.body = '{"b":2}'
    },
    [200, data, '{"b":2}'],
  ],
  'an object after a string is JSON': [
    ctx => {
      ctx.body = 'hello'
      ctx.body = { a: 1 }
    },
    [200, data, '{"a":1}'],
  ],
  'an object after a type that is not of JSON': [
    ctx => {
      ctx.type = 'html'
      ctx.body = { a: 1 }
    },
    [200, data, '{"a":1}'],
  ],
  'an object after another type of JSON keeps it': [
    ctx => {
      ctx.type = 'application/hal+json'
      ctx.body = { a: 1 }
    },
    [200, 'application/hal+json', '{"a":1}'],
  ],
  'a string with a type of its own': [
    ctx => {
      ctx.type = 'text/css'
      ctx.body = '<p>'
    },
    [200, 'text/css; charset=utf-8', '<p>'],
  ],
  'an object that changes before it is sent': [
    ctx => {
      const value: Record<string, number> = { a: 1 }
      ctx.body = value
      value.b = 2
    },
    [200, data, '{"a":1,"b":2}'],
  ],
  'a length of its own for a stream': [
    ctx => {
      ctx.body = Readable.from(['abc'])
      ctx.length = 3
    },
    [200, bytes, 'abc'],
  ],
  'a length of its own for an object is counted again': [
    ctx => {
      ctx.body = { a: 1 }
      ctx.length = 100
    },
    [200, data, '{"a":1}'],
  ],
  'Transfer-Encoding leaves a string without a length': [
    ctx => {
      ctx.set('Transfer-Encoding', 'chunked')
      ctx.body = 'abc'
    },
    [200, text, 'abc'],
  ],
  'a stream after a string has no length': [
    ctx => {
      ctx.body = 'a longer string'
      ctx.body = Readable.from(['abc'])
    },
    [200, text, 'abc'],
  ],
  'a string after a stream lets that go': [
    ctx => {
      const stream = new PassThrough()
      ctx.body = stream
      ctx.body = String(stream.destroyed)
      ctx.body += ` ${stream.destroyed}`
    },
    [200, bytes, 'false true'],
  ],
  'a stream after another leaves that to whoever pipes it': [
    ctx => {
      const inner = Readable.from(['abc'])
      ctx.body = inner
      ctx.body = inner.pipe(new PassThrough())
    },
    [200, bytes, 'abc'],
  ],
  'a Stream of Node that is none of the newer ones': [
    ctx => {
      const stream = new Stream() as Stream & { pipe: unknown; readable?: boolean }
      ctx.status = 200
      ctx.body = stream instanceof Stream ? 'old' : 'new'
    },
    [200, text, 'old'],
  ],
  'headers that say nothing of a body stay with a 204': [
    ctx => {
      ctx.set({ ETag: '"a"', 'X-A': 'b', 'Content-Type': 'text/css', 'Content-Length': '5' })
      ctx.status = 204
    },
    [204, undefined, ''],
  ],
  'headers that say nothing of a body stay with a 304': [
    ctx => {
      ctx.set({ ETag: '"a"', 'Cache-Control': 'no-cache', 'Content-Type': 'text/css' })
      ctx.status = 304
    },
    [304, undefined, ''],
  ],
}

for (const [name, [run, is, differs]] of Object.entries(steps)) {
  rows[name] = { run, is, ...(differs && { differs }) }
  // A phrase is made a body only where there is one to be sent, and its type with it.
  const head = { ask: { method: 'HEAD' }, is: [is[0], undefined, ''] } as const
  rows[`${name}, asked by HEAD`] = { run, ...head, ...(differs && { differs }) }
}

testBesideKoa(rows)

test('a string is HTML by its first letter on ctx.body, and text where a handler returns it', async t => {
  const app = kolba()
  const { because } = DIFFERENCES.returnedStrings
  app.get('/body', ctx => {
    ctx.body = '<p>'
  })
  app.get('/returned', () => '<p>')
  const client = app.client()
  t.is((await client.get('/body')).headers.get('content-type'), html)
  t.is((await client.get('/returned')).headers.get('content-type'), text, because)
})

test('a value that JSON cannot hold is answered with the phrase of a 500', async t => {
  const run: Row['run'] = ctx => {
    ctx.status = 201
    ctx.body = { big: 1n }
  }
  for (const way of ['koa', 'use', 'route'] as const) {
    const { answers } = await talk(t, way, { run })
    t.is(answers[0]?.line, 'HTTP/1.1 500 Internal Server Error', way)
  }
})
