import { Readable } from 'node:stream'
import test from 'ava'
import { type BaseContext, created, type KolbaOptions, kolba, problem, reply, stack } from 'kolba'
import { type BulkItem, type BulkOptions, bulk } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { component, inject } from 'kolba/inject'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { date, int, object, optional, readOnly, text } from 'kolba/schema'
import { z } from 'zod'
import { MemoryLogger } from '../../support/memory-logger.js'

const book = object({ id: readOnly(int()), title: text({ min: 1, max: 5 }), year: optional(int()) })

type Handler = (ctx: { input: { body: unknown }; index: number }) => unknown

function appOf(handler: Handler, options: BulkOptions = {}, its: KolbaOptions = {}) {
  const app = kolba({ logger: new MemoryLogger(), ...its })
  const each = bulk(options)
  app.post('/books', json(), each, handler)
  return app
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, which the tests compare
type Answer = any

async function post(app: ReturnType<typeof kolba>, list: unknown) {
  const response = await app.client().post('/books', { json: list })
  const answer = (await response.json()) as Answer
  return { response, status: response.status, answer }
}

test('bulk() runs the handler once for each item, in order and one at a time', async t => {
  const seen: unknown[] = []
  let running = 0
  const app = appOf(async ({ input, index }) => {
    running += 1
    seen.push([index, input.body, running])
    await new Promise(resolve => setImmediate(resolve))
    running -= 1
    return { index }
  })
  const { status, answer } = await post(app, ['a', { b: 1 }, null])
  t.is(status, 200)
  t.deepEqual(seen, [
    [0, 'a', 1],
    [1, { b: 1 }, 1],
    [2, null, 1],
  ])
  t.deepEqual(
    answer,
    [0, 1, 2].map(index => ({ status: 200, body: { index } })),
  )
})

test('bulk() answers an empty list with an empty list', async t => {
  const { status, answer } = await post(
    appOf(() => t.fail()),
    [],
  )
  t.is(status, 200)
  t.deepEqual(answer, [])
})

test('bulk() answers with the status of the items where it is one, and else 207', async t => {
  const statuses = [
    [[201, 201], 201],
    [[202, 202], 202],
    [[200, 200], 200],
    [[204, 204], 200],
    [[200, 204], 200],
    [[200, 201], 207],
    [[201, 409], 207],
    [[409, 409], 207],
    [[303, 303], 207],
  ] as const
  for (const [items, expected] of statuses) {
    const app = appOf(({ input }) => reply(input.body as number))
    const { status, answer } = await post(app, items)
    t.is(status, expected, String(items))
    t.deepEqual(
      answer.map((it: { status: number }) => it.status),
      items,
    )
  }
})

test('bulk() gives the Location of each item, and lets no header of an item out', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  app.post('/books', json(), bulk(), ctx => {
    ctx.set('X-Item', String(ctx.index))
    ctx.set('X-Request-Id', 'changed')
    ctx.append('Set-Cookie', 'a=b')
    ctx.status = 418
    if (ctx.index === 0) return created('/books/0', { id: 0 })
    ctx.set('Location', '/books/1')
    ctx.status = 201
    return { id: 1 }
  })
  const response = await app.client().post('/books', { json: [1, 2], headers: { 'X-Request-Id': 'mine' } })
  t.is(response.status, 201)
  t.deepEqual(await response.json(), [
    { status: 201, location: '/books/0', body: { id: 0 } },
    { status: 201, location: '/books/1', body: { id: 1 } },
  ])
  for (const name of ['x-item', 'location', 'set-cookie']) t.is(response.headers.get(name), null, name)
  t.is(response.headers.get('x-request-id'), 'mine')
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
})

test("bulk() takes what a handler leaves on ctx in Koa's way, and null as 204", async t => {
  const app = kolba({ logger: new MemoryLogger() })
  app.post('/books', bulk(), ctx => {
    if (ctx.index === 0) ctx.body = { id: 0 }
    if (ctx.index === 1) ctx.status = 202
    if (ctx.index === 3) ctx.status = 404
    return ctx.index === 2 ? null : undefined
  })
  const { status, answer } = await post(app, [1, 2, 3, 4])
  t.is(status, 207)
  t.deepEqual(answer, [
    { status: 200, body: { id: 0 } },
    { status: 202 },
    { status: 204 },
    { status: 404, problem: { type: 'about:blank', title: 'Not Found', status: 404 } },
  ])
})

test('bulk() renders again what a json() below it has rendered', async t => {
  const app = kolba()
  app.post('/books', bulk(), json(), ctx => ({ body: ctx.input.body }))
  t.deepEqual((await post(app, [1])).answer, [{ status: 200, body: { body: 1 } }])
})

test('bulk() checks and converts each item, and says where in the list a fault is', async t => {
  const seen: unknown[] = []
  const app = kolba({ logger: new MemoryLogger() })
  const item = object({ ...{ title: text({ max: 5 }), since: date() }, id: readOnly(int()) })
  app.post('/books', json(), bulk({ item }), ctx => {
    const { title, since } = ctx.input.body
    seen.push([title.trim(), since.getTime()])
    return ctx.input.body
  })
  const good = { id: 7, title: 'Emma', since: '1815-12-23', admin: true }
  const { status, answer } = await post(app, [good, { title: 'too long', since: 5 }, good, 7])
  t.is(status, 207)
  t.deepEqual(seen, [
    ['Emma', Date.parse('1815-12-23')],
    ['Emma', Date.parse('1815-12-23')],
  ])
  t.deepEqual(
    answer.map((it: { status: number }) => it.status),
    [200, 422, 200, 422],
  )
  t.deepEqual(answer[0].body, { title: 'Emma', since: '1815-12-23T00:00:00.000Z' })
  const { errors, ...rest } = answer[1].problem
  t.deepEqual(rest, {
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: '2 things in the request do not fit. See errors.',
  })
  t.deepEqual(
    errors.map((it: { pointer: string }) => it.pointer),
    ['#/1/title', '#/1/since'],
  )
  t.is(answer[3].problem.detail, 'One thing in the request does not fit. See errors.')
  t.is(answer[3].problem.errors[0].pointer, '#/3')
})

test('bulk() takes schemas of other libraries, of JSON, and with promises in them', async t => {
  const slow = z.object({ n: z.number().refine(async n => n < 5) })
  const plain = { type: 'object', properties: { n: { type: 'integer', maximum: 4 } }, required: ['n'] }
  for (const item of [slow, plain, { n: int({ max: 4 }) }]) {
    const { answer } = await post(
      appOf(({ input }) => input.body, { item }),
      [{ n: 1, more: true }, { n: 5 }],
    )
    t.deepEqual(answer[0], { status: 200, body: { n: 1 } })
    t.deepEqual([answer[1].status, answer[1].problem.errors[0].pointer], [422, '#/1/n'])
  }
})

test('bulk() keeps an error to its item: thrown, returned, of Koa, or mapped by onError', async t => {
  class OutOfStock extends Error {}
  class Gone extends Error {}
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.onError(OutOfStock, error => problem(409, { detail: error.message, restock: '2027-01-01' }))
  app.onError(Gone, () => reply(410, { gone: true }, { 'X-Gone': 'yes' }))
  app.post('/books', json(), bulk(), ctx => {
    switch (ctx.index) {
      case 0:
        throw problem(404, { detail: 'There is no such shelf.', headers: { 'X-Shelf': '1' } })
      case 1:
        return problem(404)
      case 2:
        return ctx.throw(400, 'Not like this.')
      case 3:
        throw new OutOfStock('The last copy was sold.')
      case 4:
        throw new Gone()
      default:
        return 'fine'
    }
  })
  const { response, answer } = await post(app, [0, 1, 2, 3, 4, 5])
  t.is(response.status, 207)
  const about = 'about:blank'
  t.deepEqual(answer, [
    { status: 404, problem: { type: about, title: 'Not Found', status: 404, detail: 'There is no such shelf.' } },
    { status: 404, problem: { type: about, title: 'Not Found', status: 404 } },
    { status: 400, problem: { type: about, title: 'Bad Request', status: 400, detail: 'Not like this.' } },
    {
      status: 409,
      problem: {
        type: about,
        title: 'Conflict',
        status: 409,
        detail: 'The last copy was sold.',
        restock: '2027-01-01',
      },
    },
    { status: 410, body: { gone: true } },
    { status: 200, body: 'fine' },
  ])
  t.is(response.headers.get('x-shelf'), null)
  t.is(response.headers.get('x-gone'), null)
  t.deepEqual(logger.lines, [])
})

test('bulk() says nothing of what happened inside a 5xx, and logs it', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.post('/books', json(), bulk(), ctx => {
    if (ctx.index === 1) throw new Error('the password is hunter2')
    if (ctx.index === 2) throw problem(503, { detail: 'the host is db7' })
    if (ctx.index === 3) throw null
    return 1
  })
  const { response, answer } = await post(app, [0, 1, 2, 3])
  t.is(response.status, 207)
  t.deepEqual(answer.slice(1), [
    { status: 500, problem: { type: 'about:blank', title: 'Internal Server Error', status: 500 } },
    { status: 503, problem: { type: 'about:blank', title: 'Service Unavailable', status: 503 } },
    { status: 500, problem: { type: 'about:blank', title: 'Internal Server Error', status: 500 } },
  ])
  t.deepEqual(
    logger.lines.map(({ level, message, fields }) => [level, message, fields.requestId]),
    [
      ['error', 'the password is hunter2', response.headers.get('x-request-id')],
      ['error', 'the host is db7', response.headers.get('x-request-id')],
      ['error', 'null was thrown. Throw an Error, or problem(status).', response.headers.get('x-request-id')],
    ],
  )
})

test('bulk() answers 500 for an item of which nothing or bytes are returned', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const values = [undefined, Readable.from(['x']), Buffer.from('x'), new Response('x')]
  app.post('/books', json(), bulk(), ctx => values[ctx.index])
  const { answer } = await post(app, [0, 1, 2, 3])
  t.deepEqual(
    answer.map((it: { status: number }) => it.status),
    [500, 500, 500, 500],
  )
  const [first, ...others] = logger.lines.map(({ message }) => message)
  t.is(first, 'POST /books: the handler returned undefined for an item. Return a value, or null for 204.')
  const bytes = 'POST /books: bulk() has no room for bytes. Return what JSON can hold for each item.'
  t.deepEqual(others, [bytes, bytes, bytes])
})

test('bulk() answers 400 to what is no list, and 413 to too long a one', async t => {
  const app = appOf(() => t.fail(), { max: 2 })
  for (const body of [{}, 'x', 5, null]) {
    const { status, answer } = await post(app, body)
    t.is(status, 400)
    t.is(answer.detail, 'The body is no list. Send one, [...].')
  }
  const { status, answer } = await post(app, [1, 2, 3])
  t.is(status, 413)
  t.is(answer.detail, 'There are 3 items. Send at most 2 at a time.')
  t.is(
    (
      await post(
        appOf(() => 1),
        Array(101).fill(1),
      )
    ).status,
    413,
  )
  t.is(
    (
      await post(
        appOf(() => 1),
        Array(100).fill(1),
      )
    ).status,
    200,
  )
})

test('bulk() reads the body as body() does: JSON only, with its limits', async t => {
  const client = appOf(({ input }) => input.body, { limit: 20, depth: 2 }).client()
  const send = async (body: string, type = 'application/json') =>
    (await client.post('/books', { body, headers: { 'Content-Type': type } })).status
  t.is(await send('[[1]]'), 200)
  t.is(await send('[1]', 'application/vnd.api+json'), 200)
  t.is(await send('[1]', 'text/plain'), 415)
  t.is(await send('a=1', 'application/x-www-form-urlencoded'), 415)
  t.is(await send('[1'), 400)
  t.is(await send('[[[1]]]'), 400)
  t.is(await send('[{"__proto__":1}]'), 400)
  t.is(await send(`[${'1,'.repeat(10)}1]`), 413)
  t.is((await client.post('/books')).status, 400)
})

test('bulk() takes the list that stands on ctx.input already, and keeps what else does', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const all = input({ body: z.array(z.number()), query: { factor: int() } })
  app.post('/books', all, bulk(), ctx => {
    const { body, query } = ctx.input as { body: unknown; query?: { factor: number } }
    return Number(body) * Number(query?.factor)
  })
  const response = await app.client().post('/books?factor=3', { json: [1, 2] })
  t.deepEqual(await response.json(), [
    { status: 200, body: 3 },
    { status: 200, body: 6 },
  ])
})

test('bulk() with atomic runs no item where one of them does not fit, and says all that does not', async t => {
  const app = appOf(() => t.fail(), { item: book, atomic: true })
  const { status, answer } = await post(app, [{ title: 'Emma' }, { title: '' }, {}])
  t.is(status, 422)
  t.is(answer.detail, '2 things in the request do not fit. See errors.')
  t.deepEqual(
    answer.errors.map((it: { pointer: string }) => it.pointer),
    ['#/1/title', '#/2/title'],
  )
})

test('bulk() with atomic hands down what the schema makes of each item', async t => {
  const app = appOf(({ input }) => input.body, { item: book, atomic: true })
  const { answer } = await post(app, [{ title: 'a', id: 5, admin: true }, { title: 'b' }])
  t.deepEqual(answer, [
    { status: 200, body: { title: 'a' } },
    { status: 200, body: { title: 'b' } },
  ])
})

function transactions() {
  const log: string[] = []
  const begin = () => {
    log.push('begin')
    return { insert: (it: unknown) => log.push(`insert ${it}`) }
  }
  const tx = component(begin, {
    commit: () => void log.push('commit'),
    rollback: () => void log.push('rollback'),
  })
  return { log, tx }
}

test('bulk() with atomic stops at the first item that fails, with its index, and a transaction above rolls back', async t => {
  const refusals: [fail: () => unknown, status: number, members: object][] = [
    [() => Promise.reject(problem(409, { detail: 'Taken.', isbn: 5 })), 409, { detail: 'Taken.', isbn: 5, index: 1 }],
    [() => problem(409, { detail: 'Taken.' }), 409, { detail: 'Taken.', index: 1 }],
    [() => reply(409, { taken: true, headers: { a: 'b' } }), 409, { taken: true, index: 1 }],
    [() => reply(409, 'Taken.'), 409, { index: 1 }],
    [() => reply(404), 404, { index: 1 }],
  ]
  for (const [fail, status, members] of refusals) {
    const { log, tx } = transactions()
    const app = kolba({ logger: new MemoryLogger() })
    app.post('/books', json(), inject({ tx }), bulk({ atomic: true }), ctx => {
      ctx.set('Location', '/x')
      ctx.tx.insert(ctx.input.body)
      return ctx.index === 1 ? fail() : 'fine'
    })
    const { response, answer } = await post(app, ['a', 'b', 'c'])
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.is(response.headers.get('location'), null)
    t.like(answer, { status, ...members })
    t.deepEqual(log, ['begin', 'insert a', 'insert b', 'rollback'])
  }
})

test('bulk() with atomic commits where all items have succeeded', async t => {
  const { log, tx } = transactions()
  const app = kolba()
  app.post('/books', json(), inject({ tx }), bulk({ atomic: true }), ctx => {
    ctx.tx.insert(ctx.input.body)
    return created(`/books/${ctx.index}`)
  })
  const { status, answer } = await post(app, ['a', 'b'])
  t.is(status, 201)
  t.deepEqual(answer, [
    { status: 201, location: '/books/0' },
    { status: 201, location: '/books/1' },
  ])
  t.deepEqual(log, ['begin', 'insert a', 'insert b', 'commit'])
})

test('bulk() above inject() makes a transaction for each item', async t => {
  const { log, tx } = transactions()
  const app = kolba({ logger: new MemoryLogger() })
  app.post('/books', json(), bulk(), inject({ tx }), ctx => {
    ctx.tx.insert(ctx.input.body)
    if (ctx.index === 1) throw problem(409)
    return 'fine'
  })
  const { status, answer } = await post(app, ['a', 'b', 'c'])
  t.is(status, 207)
  t.deepEqual(
    answer.map((it: { status: number }) => it.status),
    [200, 409, 200],
  )
  t.deepEqual(log, ['begin', 'insert a', 'commit', 'begin', 'insert b', 'rollback', 'begin', 'insert c', 'commit'])
})

test('bulk() with atomic throws a 5xx, and what onError answers, as it was', async t => {
  class Gone extends Error {}
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.onError(Gone, () => reply(410, { gone: true }))
  app.post('/books', json(), bulk({ atomic: true }), ctx => {
    if (ctx.input.body === 'gone') throw new Gone()
    if (ctx.input.body === 'broken') throw new Error('the password is hunter2')
    return ctx.input.body
  })
  const gone = await post(app, ['a', 'gone'])
  t.deepEqual([gone.status, gone.answer], [410, { gone: true }])
  const { status, answer } = await post(app, ['a', 'broken'])
  t.is(status, 500)
  t.deepEqual(Object.keys(answer), ['type', 'title', 'status', 'requestId'])
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    ['the password is hunter2'],
  )
})

test('bulk() runs below an etag() that guards the whole list, once', async t => {
  const books = ['a']
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/books', etag(), json(), () => books)
  app.post('/books', etag(), json(), bulk(), ctx => {
    books.push(String(ctx.input.body))
    return created('/books/x')
  })
  const client = app.client()
  const tag = String((await client.get('/books')).headers.get('etag'))
  const write = () => client.post('/books', { json: ['b', 'c'], headers: { 'If-Match': tag } })
  t.is((await write()).status, 201)
  t.is((await write()).status, 412)
  t.deepEqual(books, ['a', 'b', 'c'])
})

test('bulk() stops where the client has gone', async t => {
  const controller = new AbortController()
  let count = 0
  let ended = (_: unknown) => {}
  const end = new Promise(resolve => {
    ended = resolve
  })
  const app = kolba({ logger: new MemoryLogger() })
  app.post('/books', bulk(), async ctx => {
    count += 1
    if (ctx.index === 1) {
      ctx.res.once('close', () => setImmediate(ended))
      controller.abort()
      await end
    }
    return 1
  })
  await t.throwsAsync(app.client().post('/books', { json: [1, 2, 3], signal: controller.signal }))
  await end
  await new Promise(resolve => setImmediate(resolve))
  t.is(count, 2)
})

test('bulk() in a composition, and in a stack, is the same', async t => {
  const app = kolba()
  const doubles = bulk({ item: int(), max: 2 })
  app.post(
    '/a',
    doubles(ctx => ctx.input.body * 2),
  )
  app.post('/b', stack(json(), doubles), ctx => ctx.input.body * 2)
  for (const path of ['/a', '/b']) {
    const response = await app.client().post(path, { json: [1, 2] })
    t.deepEqual(await response.json(), [
      { status: 200, body: 2 },
      { status: 200, body: 4 },
    ])
    t.is((await app.client().post(path, { json: [1, 2, 3] })).status, 413)
  }
})

test('bulk() by hand, without a route, is the same', async t => {
  const run = bulk({ item: int() })((ctx: BaseContext & BulkItem<number>) => ctx.input.body + ctx.index)
  const app = kolba()
  app.post('/', ctx => run(ctx as never))
  const response = await app.client().post('/', { json: [1, 2, 'x'] })
  t.is(response.status, 207)
  t.deepEqual(((await response.json()) as Answer).slice(0, 2), [
    { status: 200, body: 1 },
    { status: 200, body: 3 },
  ])
})

test('bulk() says what it takes and answers', t => {
  const app = kolba()
  app.post('/books', bulk({ item: { n: int() }, max: 7, atomic: true }), () => 1)
  const [note] = app.routes()[0]?.notes ?? []
  const schema = note?.requestBody?.content['application/json']?.schema as Record<string, unknown>
  t.is(schema.type, 'array')
  t.is(schema.maxItems, 7)
  t.like(schema.items, { type: 'object', required: ['n'] })
  t.deepEqual(Object.keys(note?.responses ?? {}), ['200', '207', '400', '413', '415', '422'])
  app.post('/more', bulk(), () => 1)
  t.deepEqual(Object.keys(app.routes()[1]?.notes[0]?.responses ?? {}), ['200', '207', '400', '413', '415'])
})

test('bulk() refuses wrong options and routes without a body', t => {
  const message = (run: () => unknown) => t.throws(run, { instanceOf: TypeError })?.message
  t.is(
    message(() => bulk({ most: 5 } as never)),
    'bulk: the option "most" is unknown. It takes limit, depth, keys, inflate, item, max and atomic.',
  )
  t.is(
    message(() => bulk({ max: 0 })),
    'bulk: the option max is 0. Give a whole number from 1.',
  )
  t.is(
    message(() => bulk({ atomic: 1 as never })),
    'bulk: the option atomic is 1. Give true or false.',
  )
  const app = kolba()
  t.is(
    message(() => app.get('/books', bulk(), () => 1)),
    'GET /books: bulk() takes a list from the body, which GET has none of. Put it on POST.',
  )
  t.regex(
    message(() => app.post('/books', bulk({ item: 5 as never }), () => 1)) ?? '',
    /^POST \/books: bulk item is not a schema\. Give a Standard Schema/,
  )
})
