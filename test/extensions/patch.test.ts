import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import bodyParser from 'koa-bodyparser'
import { type BaseContext, created, decorator, type Kolba, kolba, type Next, problem, redirect, reply } from 'kolba'
import { body } from 'kolba/body'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { csv, produces } from 'kolba/negotiate'
import { output } from 'kolba/output'
import { type PatchOptions, patch } from 'kolba/patch'
import { date, int, list, object, optional, readOnly, text, writeOnly } from 'kolba/schema'
import { z } from 'zod'
import { MemoryLogger } from '../support/memory-logger.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const BOTH = `${JSON_PATCH}, ${MERGE_PATCH}`

interface Problem {
  status: number
  detail?: string
  errors?: { in: string; pointer: string; path?: string; detail: string }[]
}

async function send(app: Kolba, content: unknown, { path = '/', type = '', headers = {} } = {}) {
  const body = typeof content === 'string' ? content : JSON.stringify(content)
  const media = type || (Array.isArray(content) ? JSON_PATCH : MERGE_PATCH)
  const response = await app.client().patch(path, { body, headers: { 'Content-Type': media, ...headers } })
  const answer = await response.text()
  return { status: response.status, headers: response.headers, answer: answer && (JSON.parse(answer) as Problem) }
}

/** An app that answers with the patched value. */
function patching(load: unknown, options: PatchOptions<never> = {}, logger = new MemoryLogger()): Kolba {
  const app = kolba({ logger, signals: false })
  app.patch('/', patch({ load: typeof load === 'function' ? (load as () => unknown) : () => load, ...options }), ctx =>
    reply(200, { patched: ctx.patched }),
  )
  return app
}

async function patched(load: unknown, content: unknown, options?: object): Promise<unknown> {
  const { status, answer } = await send(patching(load, options), content)
  return status === 200 ? (answer as unknown as { patched: unknown }).patched : status
}

async function refused(load: unknown, content: unknown, options?: object): Promise<Partial<Problem>> {
  const { answer } = await send(patching(load, options), content)
  const { status, detail, errors } = answer as Problem
  return { status, ...(detail && { detail }), ...(errors && { errors }) }
}

test('patch() hands down what the patch makes of what GET gives, by either type', async t => {
  const app = kolba()
  let book: unknown = { title: 'Emma', tags: ['novel'] }
  app.get('/books/:id', json(), () => book)
  app.patch('/books/:id', json(), patch(), ctx => {
    book = ctx.patched
    return book
  })
  const path = '/books/7'
  t.deepEqual((await send(app, [{ op: 'add', path: '/tags/-', value: '1815' }], { path })).answer as unknown, {
    title: 'Emma',
    tags: ['novel', '1815'],
  })
  t.deepEqual((await send(app, { tags: null, by: 'Austen' }, { path })).answer as unknown, {
    title: 'Emma',
    by: 'Austen',
  })
  t.deepEqual(book, { title: 'Emma', by: 'Austen' })
})

for (const type of [
  'application/json',
  'application/json-patch',
  'application/json-patch+json2',
  'application/vnd.api+json',
  'text/plain',
  `${JSON_PATCH}, ${MERGE_PATCH}`,
]) {
  test(`patch() answers 415 with Accept-Patch for ${type}`, async t => {
    const { status, headers, answer } = await send(patching({}), {}, { type })
    t.is(status, 415)
    t.is(headers.get('accept-patch'), BOTH)
    t.is(headers.get('accept'), null)
    t.is((answer as Problem).detail, `Send the body as ${BOTH}, with one Content-Type that says so.`)
  })
}

test('patch({ types }) takes these alone', async t => {
  const app = patching({ a: 1 }, { types: ['merge-patch'] })
  const { status, headers } = await send(app, [])
  t.is(status, 415)
  t.is(headers.get('accept-patch'), MERGE_PATCH)
  t.is((await send(app, {})).status, 200)
  t.is((await send(app, {}, { type: 'Application/Merge-Patch+JSON; charset=UTF-8' })).status, 200)
  t.is((await send(app, {}, { type: `${MERGE_PATCH}; charset=latin1` })).status, 415)
})

test('patch() answers 400 for what is no JSON, no body, or malformed', async t => {
  t.deepEqual(await refused({}, '{"a":'), { status: 400, detail: 'The body is not JSON.' })
  t.is((await refused({}, '')).detail, `There is no body. Send one of ${BOTH}.`)
  t.is((await refused({}, '{"__proto__":{"a":1}}')).detail, 'The JSON has the name __proto__.')
  const proto = '[{"op":"add","path":"/a","value":{"__proto__":1}}]'
  t.is((await send(patching({}), proto, { type: JSON_PATCH })).status, 400)
  const { answer } = await send(patching({}), {}, { type: JSON_PATCH })
  t.is((answer as Problem).detail, 'The body is no JSON Patch. Send a list of operations (RFC 6902).')
})

test('patch() names every operation that is malformed', async t => {
  const NO_POINTER = 'Expected a JSON pointer: empty, or names that each have a slash in front.'
  const operations = [
    { op: 'remove', path: '/a' },
    5,
    { op: 'spam', path: '/secret' },
    { op: 'add', path: 'a', value: 'secret' },
    { op: 'move', path: '/a' },
    { op: 'test', path: '/a' },
    { op: 'copy', from: '/__proto__', path: '/a' },
    { op: 'move', from: '/a', path: '/a/b' },
  ]
  t.deepEqual(await refused({ a: 1 }, operations), {
    status: 400,
    detail: '7 operations are malformed. See errors.',
    errors: [
      { in: 'body', pointer: '#/1', operation: 1, detail: 'Expected an operation: an object with op and path.' },
      {
        in: 'body',
        pointer: '#/2/op',
        operation: 2,
        path: '/secret',
        detail: 'Expected one of add, remove, replace, move, copy, test.',
      },
      { in: 'body', pointer: '#/3/path', operation: 3, op: 'add', path: 'a', detail: NO_POINTER },
      { in: 'body', pointer: '#/4/from', operation: 4, op: 'move', path: '/a', detail: NO_POINTER },
      { in: 'body', pointer: '#/5/value', operation: 5, op: 'test', path: '/a', detail: 'This is required.' },
      { in: 'body', pointer: '#/6/from', operation: 6, op: 'copy', path: '/a', detail: 'It has the name __proto__.' },
      {
        in: 'body',
        pointer: '#/7/path',
        operation: 7,
        op: 'move',
        path: '/a/b',
        detail: 'Nothing can be moved into itself.',
      },
    ] as never,
  })
})

test('patch() answers 409 where a test fails and 422 where a place is not there, and names the operation', async t => {
  const doc = { a: 1, list: [1] }
  const ok = { op: 'test', path: '/a', value: 1 }
  const rows: [object, string, string, string][] = [
    [{ op: 'test', path: '/a', value: 's3cret' }, 'value', 'test /a', 'The value is not what was expected.'],
    [{ op: 'remove', path: '/b' }, 'path', 'remove /b', 'There is nothing at this place.'],
    [{ op: 'copy', from: '/b', path: '/c' }, 'from', 'copy /c', 'There is nothing at this place.'],
    [{ op: 'add', path: '/a/b', value: 1 }, 'path', 'add /a/b', 'There is no object or list to put this in.'],
    [
      { op: 'add', path: '/list/2', value: 1 },
      'path',
      'add /list/2',
      'There is no such place in the list. Send an index up to its length, or - for its end.',
    ],
  ]
  for (const [operation, member, what, detail] of rows) {
    const { status, detail: said, errors } = await refused(doc, [ok, operation])
    t.is(status, what.startsWith('test') ? 409 : 422)
    t.is(said, `Operation 1 (${what}): ${detail}`)
    t.like(errors?.[0], { pointer: `#/1/${member}`, operation: 1, detail })
    t.notRegex(JSON.stringify(errors), /s3cret/)
  }
})

test('patch() says nothing of a path that is long', async t => {
  const path = `/${'x'.repeat(10_000)}`
  const { detail, errors } = await refused({}, [{ op: 'remove', path }])
  t.is(detail, 'Operation 0 (remove): There is nothing at this place.')
  t.is(errors?.[0]?.path, undefined)
})

test('patch() refuses too many operations, and takes as many as it is told', async t => {
  const operations = (count: number) => Array.from({ length: count }, () => ({ op: 'test', path: '', value: {} }))
  t.deepEqual(await patched({}, operations(1000)), {})
  t.deepEqual(await refused({}, operations(1001)), { status: 422, detail: 'Send at most 1000 operations at a time.' })
  t.is(await patched({}, operations(3), { operations: 2 }), 422)
})

test('patch({ limit, depth, keys }) are those of a body', async t => {
  t.is(await patched({}, { a: 'x'.repeat(50) }, { limit: 40 }), 413)
  t.is((await refused({}, { a: { b: 1 } }, { depth: 1 })).detail, 'The JSON is nested deeper than 1 levels.')
  t.is((await refused({}, { a: 1, b: 2 }, { keys: 1 })).detail, 'The JSON has more than 1 names.')
  t.deepEqual(await patched({ a: 1, b: 2 }, { c: 3 }, { keys: 1 }), { a: 1, b: 2, c: 3 })
  t.is((await refused({}, { a: { b: 1 } }, { limit: 40, depth: undefined, keys: undefined })).status, undefined)
})

test('patch() refuses what operations put together that no body may have', async t => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })
  const nest = [
    { op: 'add', path: '/b', value: deep(40) },
    { op: 'move', from: '/b', path: `${'/a'.repeat(40)}` },
  ]
  t.deepEqual(await refused(deep(40), nest), {
    status: 422,
    detail: 'What the patch makes is nested deeper than 64 levels.',
  })
  const inConstructor = [
    { op: 'add', path: '/constructor', value: {} },
    { op: 'add', path: '/constructor/prototype', value: { polluted: true } },
  ]
  t.is((await refused({}, inConstructor)).detail, 'What the patch makes has the name prototype in a constructor.')
  t.is((await refused([1], [{ op: 'remove', path: '' }])).detail, 'This patch removes all there is. DELETE does that.')
  t.is(({} as { polluted?: boolean }).polluted, undefined)
})

test('patch() stops copies that would fill the memory', async t => {
  const doubling = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/${index}` }))
  const tooLarge = { status: 422, detail: 'Operation 14 (copy /14): The copies are too large.' }
  t.like(await refused({ a: 'x'.repeat(40) }, doubling), tooLarge)
  const long = Array.from({ length: 1000 }, () => ({ op: 'copy', from: '/text', path: '/list/-' }))
  t.is(await patched({ text: 'x'.repeat(2000), list: [] }, long), 422)
  t.is(await patched({ text: 'x'.repeat(2000), list: [] }, long.slice(0, 500), { limit: 100_000 }), 422)
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
  const copy = [{ op: 'copy', from: '/0', path: '/-' }]
  t.is((await refused([deep(5000)], copy)).detail, 'Operation 0 (copy /-): The copy is nested too deep.')
})

test('patch() takes hostile pointers and patches without running out of stack', async t => {
  const slashes = '/'.repeat(500_000)
  t.is((await refused({ '': 1 }, [{ op: 'add', path: slashes, value: 1 }])).status, 422)
  t.is((await refused({}, [{ op: 'remove', path: `/${'~1'.repeat(400_000)}` }])).status, 422)
  t.is((await refused({}, [{ op: 'remove', path: `/${'~'.repeat(900_000)}` }])).status, 400)
  // Each round puts what there is 20 levels further down, and no recursion would survive the end.
  const level = Array.from({ length: 20 }).reduce<unknown>(it => ({ a: it }), {})
  const rounds = Array.from({ length: 300 }, () => [
    { op: 'add', path: '/next', value: level },
    { op: 'move', from: '/all', path: `/next${'/a'.repeat(20)}/all` },
    { op: 'move', from: '/next', path: '/all' },
  ])
  t.is((await refused({ all: {} }, rounds.flat())).status, 422)
  for (const operation of [
    { op: 'test', path: '/all', value: level },
    { op: 'copy', from: '/all', path: '/more' },
  ])
    t.deepEqual((await refused({ all: {} }, [...rounds.flat(), operation])).errors?.length, 1)
})

test('patch() leaves what load gives as it was, and hands down a copy', async t => {
  const live = Object.freeze({ list: Object.freeze([1]), at: new Date(0), big: 2n ** 60n, gone: undefined })
  const it = await patched(live, [{ op: 'add', path: '/list/0', value: 0 }])
  t.deepEqual(it, { list: [0, 1], at: '1970-01-01T00:00:00.000Z', big: '1152921504606846976' })
  t.deepEqual(live.list, [1])
})

test('patch({ load }) takes promises, replies, and handlers of other routes', async t => {
  t.deepEqual(await patched(async () => ({ a: 1 }), {}), { a: 1 })
  t.deepEqual(await patched(() => reply(200, { a: 1 }), {}), { a: 1 })
  t.deepEqual(await patched('text', [{ op: 'replace', path: '', value: 'other' }]), 'other')
  for (const nothing of [null, undefined, reply(204)])
    t.like(await refused(() => nothing, {}), { status: 404, detail: 'There is nothing here to patch.' })
  const gone = problem(410)
  t.is(await patched(() => gone, {}), 410)
  t.is(
    await patched(() => {
      throw gone
    }, {}),
    410,
  )
  t.is(await patched(() => reply(404), {}), 404)
})

test('patch({ load }) that gives no JSON is a 500 whose log says so', async t => {
  for (const value of [Buffer.from('{}'), () => 1, new Response('{}')]) {
    const logger = new MemoryLogger()
    const { status } = await send(
      patching(() => value, {}, logger),
      {},
    )
    t.is(status, 500)
    t.is(logger.lines[0]?.message, 'PATCH /: patch(): load gives what is no JSON. Return the value itself.')
  }
})

test('patch({ load }) sees what stands above it', async t => {
  const app = kolba()
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: string }>) => next({ user: 'Ada' }))
  app.patch('/:id', signedIn, patch({ load: (ctx: { user: string }) => ({ of: ctx.user }) }), ctx => [ctx.patched])
  t.deepEqual((await send(app, { a: 1 }, { path: '/7' })).answer as unknown, [{ of: 'Ada', a: 1 }])
})

/** An app whose GET answers by a handler, and whose PATCH gives what came of that. */
function onGet(handler: (ctx: BaseContext) => unknown, logger = new MemoryLogger()): Kolba {
  const app = kolba({ logger, signals: false })
  app.get('/:id', handler)
  app.patch('/:id', patch(), ctx => reply(200, { patched: ctx.patched }))
  return app
}

test('patch() reads what GET gives in every way to give JSON', async t => {
  const ways: ((ctx: BaseContext) => unknown)[] = [
    () => ({ a: 1 }),
    async () => reply(200, { a: 1 }),
    () => reply(200, '{"a":1}', { 'content-type': 'application/vnd.book+json' }),
    () => reply(200, Buffer.from('{"a":1}'), { 'Content-Type': 'application/json' }),
    () => Response.json({ a: 1 }),
    json({ pretty: true })(() => ({ a: 1 })),
    etag()(json()(() => ({ a: 1 }))),
    output(object({ a: int() }))(() => ({ a: 1, secret: 2 })),
    ctx => {
      ctx.body = { a: 1 }
    },
    ctx => {
      ctx.type = 'json'
      return '{"a":1}'
    },
    ctx => (ctx.get('Accept').startsWith('application/json') ? { a: 1 } : 'page'),
  ]
  for (const way of ways) {
    const { answer } = await send(
      onGet(way),
      { b: 2 },
      { path: '/7', headers: { Accept: 'text/html', 'If-None-Match': '*' } },
    )
    t.deepEqual(answer as unknown, { patched: { a: 1, b: 2 } }, String(way))
  }
})

test('patch() answers what GET refuses with the same status, and 409 where GET has no representation', async t => {
  const status = async (value: () => unknown) => (await send(onGet(value), {}, { path: '/7' })).status
  t.is(await status(() => reply(404)), 404)
  t.is(await status(() => null), 404)
  t.is(await status(() => problem(410)), 410)
  t.is(
    await status(() => {
      throw problem(403)
    }),
    403,
  )
  t.is(await status(() => reply(403, 'no')), 403)
  const { answer } = await send(
    onGet(() => redirect('/8')),
    {},
    { path: '/7' },
  )
  t.like(answer as Problem, { status: 409, detail: 'GET answers 302 here, so there is nothing to patch now.' })
})

test('patch() on a GET without JSON is a 500 whose log says what to do', async t => {
  for (const value of [
    'text',
    Buffer.from('{}'),
    new Response('{}'),
    reply(200, '<p>', { 'Content-Type': 'text/html' }),
  ]) {
    const logger = new MemoryLogger()
    t.is(
      (
        await send(
          onGet(() => value, logger),
          {},
          { path: '/7' },
        )
      ).status,
      500,
    )
    const advice = 'Put json() on GET, or give patch({ load }).'
    t.is(logger.lines[0]?.message, `PATCH /:id: patch() changes JSON, and GET gives none. ${advice}`)
  }
})

const book = object({
  id: readOnly(int()),
  title: text({ max: 10 }),
  since: optional(date()),
  tags: list(text()),
  secret: optional(writeOnly(text())),
})
const row = { id: 7, title: 'Emma', since: new Date(0), tags: ['a'], secret: 's3cret', hash: 'h4sh' }

test('patch() answers 409 or 404 where the URL chooses what is no JSON, and no 500', async t => {
  const logger = new MemoryLogger()
  const says = produces({ 'application/json': true, 'text/csv': csv() }, { format: true, suffix: true })
  const app = kolba({ logger, signals: false })
  app.get('/:id', says, ({ params: { id } }) => ({ id }))
  app.patch('/:id', json(), patch(), ctx => ctx.patched)
  const shelf = app.group('/shelf/:id', says)
  shelf.get('/', ({ params: { id } }) => ({ id }))
  shelf.patch('/', patch(), ctx => ctx.patched)

  const at = async (path: string) => (await send(app, {}, { path, headers: { Accept: 'text/csv, */*' } })).answer
  const detail = 'GET gives no JSON at this URL, so there is nothing to patch. PATCH one where it does.'
  for (const path of ['/7?format=csv', '/shelf/7.csv']) {
    const { status, headers, answer } = await send(app, {}, { path })
    t.like(answer as Problem, { status: 409, detail }, path)
    t.is(status, 409)
    t.is(headers.get('content-type'), 'application/problem+json')
  }
  // A PATCH without suffixes is of the book `7.csv`, of which GET knows nothing.
  t.like(await at('/7.csv'), { status: 404 })
  t.like(await at('/7.json'), { status: 404 })
  t.deepEqual(await at('/7?format=json'), { id: '7' } as never)
  t.is((await send(app, {}, { path: '/shelf/7.json' })).status, 200)
  t.deepEqual(logger.lines, [])
})

test('patch({ schema }) checks and converts what the patch makes, and drops what is readOnly or undeclared', async t => {
  let seen: unknown
  const app = kolba()
  app.patch('/', patch({ load: () => row, schema: book }), ctx => {
    seen = ctx.patched
    return ctx.patched.title
  })
  t.is(
    (
      await app
        .client()
        .patch('/', { body: '{"id":8,"admin":true,"secret":"new"}', headers: { 'Content-Type': MERGE_PATCH } })
    ).status,
    200,
  )
  t.deepEqual(seen, { title: 'Emma', since: new Date(0), tags: ['a'], secret: 'new' })
  const { status, answer } = await send(app, { title: 'Pride and Prejudice', tags: [1], since: 'never' })
  t.is(status, 422)
  const { detail, errors } = answer as Problem
  t.is(detail, '3 things do not fit in what the patch makes. See errors.')
  t.deepEqual(
    errors?.map(it => [it.in, it.pointer]),
    [
      ['patched', '#/title'],
      ['patched', '#/since'],
      ['patched', '#/tags/0'],
    ],
  )
  t.is(
    ((await send(app, { title: null })).answer as Problem).detail,
    'One thing does not fit in what the patch makes. See errors.',
  )
})

test('patch({ load, schema }) lets a patch see nothing that is undeclared or writeOnly', async t => {
  const schemas = [book, z.object({ id: z.number(), title: z.string(), name: z.string().optional() })]
  for (const schema of schemas) {
    for (const path of ['/secret', '/hash']) {
      const value = row[path.slice(1) as 'secret']
      const said = await refused(row, [{ op: 'test', path, value }], { schema })
      t.is(said.status, 409)
      t.is(said.errors?.[0]?.detail, 'There is nothing at this place.')
      t.is(await patched(row, [{ op: 'copy', from: path, path: '/title' }], { schema }), 422)
    }
    t.not(await patched(row, [{ op: 'test', path: '/id', value: 7 }], { schema }), 409)
  }
})

test('patch({ schema }) takes an object of schemas, a JSON Schema, and a schema that makes a promise', async t => {
  t.deepEqual(await patched({ a: 1, b: 2 }, {}, { schema: { a: int() } }), { a: 1 })
  const jsonSchema = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
  t.deepEqual(await patched({ a: 1, b: 2 }, {}, { schema: jsonSchema }), { a: 1 })
  t.is(await patched({ a: 1 }, { a: 'x' }, { schema: jsonSchema }), 422)
  const dated = z.object({ at: z.date() })
  t.deepEqual(await patched({ at: '2026-01-01' }, {}, { schema: dated }), { at: '2026-01-01T00:00:00.000Z' })
  const later = z.object({ a: z.number().refine(async it => it < 5) })
  t.deepEqual(await patched({ a: 1 }, { a: 4 }, { schema: later }), { a: 4 })
  t.is(await patched({ a: 1 }, { a: 5 }, { schema: later }), 422)
})

test('patch() of 200 clients at a time adds all that they send', async t => {
  const app = kolba()
  let numbers: number[] = []
  app.get('/list', async () => {
    await wait(1)
    return numbers
  })
  app.patch('/list', patch({ schema: list(int()) }), async ctx => {
    await wait(1)
    numbers = ctx.patched
    return null
  })
  const client = app.client()
  const calls = Array.from({ length: 200 }, (_, index) => {
    const path = index % 2 === 0 ? '/list' : '/list/'
    const body = JSON.stringify([{ op: 'add', path: '/-', value: index }])
    return client.patch(path, { body, headers: { 'Content-Type': JSON_PATCH } })
  })
  const statuses = (await Promise.all(calls)).map(({ status }) => status)
  t.deepEqual(new Set(statuses), new Set([204]))
  t.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: 200 }, (_, index) => index),
  )
})

test('patch() takes turns at each way to write a path, and a handler that fails passes its turn on', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  let names: string[] = []
  app.patch('/:id', patch({ load: () => names }), async ctx => {
    const patched = ctx.patched as string[]
    await wait(1)
    if (patched.at(-1) === 'bad') throw problem(409)
    names = patched
    return null
  })
  const paths = ['/caf%C3%A9', '/caf%c3%a9', '/caf%C3%A9/', '/caf%c3%a9/']
  const sent = paths.flatMap(path => ['good', 'bad', 'good'].map(value => ({ path, value })))
  const client = app.client()
  const answers = await Promise.all(
    sent.map(({ path, value }) =>
      client.patch(path, {
        body: JSON.stringify([{ op: 'add', path: '/-', value }]),
        headers: { 'Content-Type': JSON_PATCH },
      }),
    ),
  )
  t.is(answers.filter(({ status }) => status === 409).length, 4)
  t.deepEqual(names, Array(8).fill('good'))
})

test('patch() below etag() is guarded by the same turn', async t => {
  const app = kolba()
  let page: unknown = { title: 'Emma', count: 0 }
  app.get('/', etag(), json(), () => page)
  app.patch('/', etag({ required: true }), json(), patch(), async ctx => {
    await wait(1)
    page = ctx.patched
    return page
  })
  const client = app.client()
  const tag = (await client.get('/')).headers.get('etag') ?? ''
  const change = [{ op: 'replace', path: '/count', value: 1 }]
  t.is((await send(app, change)).status, 428)
  const both = await Promise.all([1, 2].map(() => send(app, change, { headers: { 'If-Match': tag } })))
  t.deepEqual(both.map(({ status }) => status).sort(), [200, 412])
  t.is((await send(app, [{ op: 'remove', path: '/none' }], { headers: { 'If-Match': tag } })).status, 412)
})

test('patch() takes a body that a Koa middleware has read, and reads one that it has not', async t => {
  const app = kolba()
  app.use(bodyParser())
  app.patch('/', patch({ load: () => ({ a: 1 }) }), ctx => reply(200, ctx.patched))
  t.deepEqual((await send(app, [{ op: 'add', path: '/b', value: 2 }])).answer as unknown, { a: 1, b: 2 })
  t.deepEqual((await send(app, { b: 2 })).answer as unknown, { a: 1, b: 2 })
  t.is((await send(app, { b: 2 }, { type: 'application/json' })).status, 415)
  const deep = `${'['.repeat(100)}${']'.repeat(100)}`
  const value = `[{"op":"add","path":"/b","value":${deep}}]`
  t.is(
    ((await send(app, value, { type: JSON_PATCH })).answer as Problem).detail,
    'The JSON is nested deeper than 64 levels.',
  )
})

test('patch() is applied again where something above calls next again', async t => {
  const app = kolba()
  let times = 0
  const load = () => {
    times += 1
    return { times }
  }
  const again = decorator('again', async (_ctx, next) => {
    await next()
    return next()
  })
  app.patch('/', again, patch({ load }), ctx => reply(200, ctx.patched))
  t.deepEqual((await send(app, { a: 1 })).answer as unknown, { times: 2, a: 1 })
})

test('patch() stands in a composition, and on a method', async t => {
  const app = kolba()
  const both = json()(patch({ load: () => ({ a: 1 }) })((ctx: { patched: unknown }) => ctx.patched))
  app.patch('/', both as never)
  t.deepEqual((await send(app, { b: 2 })).answer as unknown, { a: 1, b: 2 })
  const alone = patch()(() => 1) as (ctx: unknown) => unknown
  t.throws(() => alone({}), { message: 'patch: without a route there is no GET. Give patch({ load }).' })
})

test('patch() needs no promise of the handler, and what that returns is the answer', async t => {
  const app = kolba()
  app.patch('/', patch({ load: () => ({}) }), () => created('/x', { a: 1 }))
  const { status, answer } = await send(app, {})
  t.is(status, 201)
  t.deepEqual(answer as unknown, { a: 1 })
})

test('patch() says what it does to the interface', t => {
  const app = kolba()
  app.patch('/', patch({ load: () => 1 }), () => 1)
  app.patch('/merge', patch({ load: () => 1, types: ['merge-patch'] }), () => 1)
  const [note, other] = app.routes().map(({ notes }) => notes[0])
  t.deepEqual(Object.keys(note?.requestBody?.content ?? {}), [JSON_PATCH, MERGE_PATCH])
  t.like(note?.requestBody?.content[JSON_PATCH]?.schema, { type: 'array' })
  t.deepEqual(Object.keys(note?.responses ?? {}), ['400', '404', '409', '413', '415', '422'])
  t.deepEqual(note?.responses?.[415]?.headers?.['Accept-Patch']?.schema, { const: BOTH })
  t.deepEqual(Object.keys(other?.requestBody?.content ?? {}), [MERGE_PATCH])
})

test('patch() refuses a route that is no PATCH, or that has no GET', t => {
  const app = kolba()
  const load = () => ({})
  const methods = 'patch() stands on routes of PATCH alone. Give the other methods a route of their own.'
  t.throws(() => app.query('/x', patch({ load }), () => 1), { instanceOf: TypeError, message: `QUERY /x: ${methods}` })
  t.throws(() => app.route(['PUT', 'PATCH'], '/x', patch({ load }), () => 1), { message: `PUT|PATCH /x: ${methods}` })
  t.throws(() => app.all('/x', patch({ load }), () => 1), { message: `ALL /x: ${methods}` })
  app.get('/other', () => 1)
  app.get('/books/:id', () => 1)
  t.throws(() => app.patch('/books', patch(), () => 1), {
    instanceOf: TypeError,
    message:
      'PATCH /books: patch() changes what GET /books gives, and there is none yet. Register GET /books first, or give patch({ load }).',
  })
  t.notThrows(() => app.patch('/books/:isbn', patch(), () => 1))
  const group = app.group('/g')
  group.get('/', () => 1)
  t.notThrows(() => group.patch('/', patch(), () => 1))
})

test('patch() refuses wrong options when it is made, and what is no schema when it is registered', t => {
  const known = 'load, schema, types, operations, limit, depth and keys'
  const wrong: [object, string][] = [
    [{ load: {} }, 'patch: the option load is an object. Give a function.'],
    [{ types: [] }, "patch: the option types is a list. Give a list of 'json-patch' and 'merge-patch'."],
    [{ types: ['json'] }, "patch: the option types is a list. Give a list of 'json-patch' and 'merge-patch'."],
    [{ operations: 0 }, 'patch: the option operations is 0. Give a whole number from 1.'],
    [{ limit: -1 }, 'patch: the option limit is -1. Give a whole number of bytes from 1.'],
    [{ depth: 1.5 }, 'patch: the option depth is 1.5. Give a whole number from 1.'],
    [{ keys: Number.NaN }, 'patch: the option keys is NaN. Give a whole number from 1.'],
    [{ scheme: {} }, `patch: the option "scheme" is unknown. It takes ${known}.`],
  ]
  for (const [options, message] of wrong) t.throws(() => patch(options), { instanceOf: TypeError, message })
  const app = kolba()
  t.throws(() => app.patch('/', patch({ load: () => 1, schema: 5 as never }), () => 1), {
    instanceOf: TypeError,
    message: /^PATCH \/: patch schema is not a schema\. Give a Standard Schema/,
  })
})

test('patch() beside body() on one route is a 500 whose log says so', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.patch('/', body(), patch({ load: () => ({}) }), ctx => reply(200, ctx.patched))
  t.is((await send(app, {})).status, 500)
  t.regex(logger.lines[0]?.message ?? '', /^body: something above has read it\./)
})
