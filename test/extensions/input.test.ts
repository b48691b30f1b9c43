import { spawnSync } from 'node:child_process'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import test from 'ava'
import { type AddsOf, decorator, isPromise, kolba, type Next, stack } from 'kolba'
import { body } from 'kolba/body'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { date, flag, int, list, object, oneOf, optional, readOnly, text } from 'kolba/schema'
import * as v from 'valibot'
import { z } from 'zod'
import { apis, type Library } from '../support/five-apis.ts'
import { testVectors } from '../support/vectors.ts'

interface Answer {
  readonly detail?: string
  readonly errors?: { in: string; pointer?: string; parameter?: string; detail: string }[]
}

test('input() answers all faults at once, by parameter and by JSON pointer', async t => {
  const app = kolba()
  const line = object({ article: text(), quantity: int({ min: 1 }) })
  app.post('/orders', input({ query: { dry: optional(flag()) }, body: object({ lines: list(line) }) }), () => null)
  const json = { lines: [{ article: 'pen', quantity: 0 }, { quantity: 2 }] }
  const response = await app.client().post('/orders?dry=maybe', { json })
  t.is(response.status, 422)
  t.is(response.headers.get('Content-Type'), 'application/problem+json')
  const { detail, errors } = (await response.json()) as Answer
  t.is(detail, '3 things in the request do not fit. See errors.')
  t.deepEqual(errors, [
    { in: 'query', parameter: 'dry', detail: 'Expected true or false.' },
    { in: 'body', pointer: '#/lines/0/quantity', detail: 'Expected a whole number, at least 1.' },
    { in: 'body', pointer: '#/lines/1/article', detail: 'This is required.' },
  ])
})

test('input() stays synchronous where its schemas are and there is no body', t => {
  const taken = input({ query: { page: int() }, params: z.object({ id: z.int() }) })(
    ({ input }: { input: { query: { page: number }; params: { id: number } } }) => [input.params.id, input.query.page],
  )
  const value = taken({ querystring: 'page=2', params: { id: '7' }, app: kolba() } as never)
  t.false(isPromise(value))
  t.deepEqual(value, [7, 2])
})

test('input() gives a handler that a test can call with an object and no server', t => {
  const byId = input({ params: { id: int() }, query: { full: optional(flag()) } })
  const show = ({ input }: AddsOf<typeof byId>) => ({ id: input.params.id + 1, full: input.query.full })
  const app = kolba()
  app.get('/books/:id', byId, show)
  t.deepEqual(show({ input: { params: { id: 7 }, query: {} } }), { id: 8, full: undefined })
  // @ts-expect-error the parameter is a number
  show({ input: { params: { id: '7' }, query: {} } })
})

test('input() types each part, with each library', t => {
  const app = kolba()
  const is = <T>(_value: T) => null
  app.post(
    '/:id',
    input({ params: { id: int() }, query: z.object({ page: z.int().default(1), q: z.string().optional() }) }),
    input({
      headers: v.object({ 'x-version': v.optional(v.number()) }),
      body: object({ id: readOnly(int()), at: date(), kind: oneOf('a', 'b'), tags: optional(list(text()), []) }),
    }),
    ({ input }) => {
      is<number>(input.params.id)
      is<{ page: number; q?: string | undefined }>(input.query)
      is<number | undefined>(input.headers['x-version'])
      is<Date>(input.body.at)
      is<'a' | 'b'>(input.body.kind)
      is<string[]>(input.body.tags)
      is<number | undefined>(input.body.id)
      // @ts-expect-error there is none such
      is(input.body.other)
      // @ts-expect-error no cookies are declared
      is(input.cookies)
      return null
    },
  )
  app.get('/', input({ query: { type: 'object', properties: {} } }), ({ input }) => {
    is<unknown>(input.query)
    // @ts-expect-error a JSON Schema does not tell TypeScript
    is(input.query.page)
    return null
  })
  t.pass()
})

test('input() adds to what an input() and a body() above have read', async t => {
  const app = kolba()
  const note = object({ note: text() })
  app.post('/:id', input({ params: { id: int() } }), body(), input({ body: note }), ctx => ctx.input)
  const response = await app.client().post('/7', { json: { note: 'x', more: 1 } })
  t.deepEqual(await response.json(), { params: { id: 7 }, body: { note: 'x' } })
})

test('input() stands in a stack, in a group and on several routes', async t => {
  const paged = stack(input({ query: { page: optional(int(), 1) } }))
  const app = kolba()
  const group = app.group('/g', paged)
  group.get('/a', ctx => ctx.input.query.page)
  group.get('/b', ctx => ctx.input.query.page)
  t.is(await (await app.client().get('/g/a?page=2')).json(), 2)
  t.is(await (await app.client().get('/g/b')).json(), 1)
})

test('input() refuses a part that another one of the route declares', t => {
  const schema = { x: optional(int()) }
  const message = (place: string) => `POST /g/:x: input declares the ${place} twice. Put all of it into one.`
  for (const place of ['params', 'query', 'headers', 'cookies', 'body']) {
    const one = input({ [place]: schema })
    const refused = { instanceOf: TypeError, message: message(place) }
    const group = kolba().group('/g', stack(one))
    const composed = one(() => 1)
    t.throws(() => kolba().post('/g/:x', one, input({ [place]: schema }), () => 1), refused)
    t.throws(() => group.post('/:x', json(), one, () => 1), refused)
    t.throws(() => group.post('/:x', composed), refused)
  }
  const group = kolba().group('/g', input({ query: schema }))
  t.notThrows(() => group.post('/:x', input({ params: schema }), input({ body: schema }), () => 1))
})

test('input() refuses a body that must be there where clients send none', t => {
  const note = input({ body: object({ note: text() }) })
  const group = kolba().group('/g', note)
  const message = (route: string, methods: string) =>
    `${route} /g: input wants a body, and clients send none with ${methods}. Take it by POST or QUERY.`
  t.throws(() => group.get('/', () => 1), { instanceOf: TypeError, message: message('GET', 'GET') })
  t.throws(() => group.route(['GET', 'HEAD'], '/', () => 1), { message: message('GET|HEAD', 'GET or HEAD') })
  for (const verb of ['post', 'query', 'delete', 'all'] as const) t.notThrows(() => group[verb](`/${verb}`, () => 1))
  t.notThrows(() => group.route(['GET', 'POST'], '/both', () => 1))
  const maybe = kolba().group('/g', input({ body: optional(object({ note: text() })) }))
  t.notThrows(() => maybe.get('/', () => 1))
})

test('input() waits for an asynchronous schema, and runs those of a request together', async t => {
  const free = z.object({ name: z.string().refine(async name => name !== 'taken', 'This name is taken.') })
  const other = v.objectAsync({
    mail: v.pipeAsync(
      v.string(),
      v.checkAsync(async mail => mail !== 'taken', 'Taken!'),
    ),
  })
  const app = kolba()
  app.post('/', input({ query: free, body: other }), ctx => ctx.input)
  const fine = await app.client().post('/?name=free', { json: { mail: 'free' } })
  t.deepEqual(await fine.json(), { query: { name: 'free' }, body: { mail: 'free' } })
  const bad = await app.client().post('/?name=taken', { json: { mail: 'taken' } })
  t.deepEqual(((await bad.json()) as Answer).errors, [
    { in: 'query', parameter: 'name', detail: 'This name is taken.' },
    { in: 'body', pointer: '#/mail', detail: 'Taken!' },
  ])
})

test('input() with a schema that never settles is 503 after the timeout of handlers', async t => {
  const never: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => {}) } }
  const app = kolba({ timeouts: { handler: 0.05 } })
  app.silent = true
  app.get('/', input({ query: never }), () => 'never')
  t.is((await app.client().get('/')).status, 503)
})

test('input() with a schema that throws is 500', async t => {
  const broken: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate() {
        throw new Error('broken')
      },
    },
  }
  const app = kolba()
  app.silent = true
  app.get('/', input({ query: broken }), () => 'never')
  t.is((await app.client().get('/')).status, 500)
})

test('input() converts a form by the declared types, and lists by repetition', async t => {
  const app = kolba()
  const schema = object({ name: text(), age: int(), tags: list(text()), on: date(), zip: text() })
  app.post('/', input({ body: schema }), ctx => ctx.input.body)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const sent = 'name=Ada&age=36&tags=a&tags=b&on=2026-02-28&zip=8000&admin=1'
  const response = await app.client().post('/', { headers, body: sent })
  const on = '2026-02-28T00:00:00.000Z'
  t.deepEqual(await response.json(), { name: 'Ada', age: 36, tags: ['a', 'b'], on, zip: '8000' })
})

test('input() converts no text in JSON but that for a Date', async t => {
  const app = kolba()
  app.post('/', input({ body: z.object({ at: z.date(), n: z.number().optional() }) }), ctx => ctx.input.body)
  const fine = await app.client().post('/', { json: { at: '2026-02-28T01:00:00+01:00' } })
  t.deepEqual(await fine.json(), { at: '2026-02-28T00:00:00.000Z' })
  t.is((await app.client().post('/', { json: { at: '2026-02-28', n: '5' } })).status, 422)
})

test('input() takes plain text where the schema takes text, and JSON null where it takes null', async t => {
  const app = kolba()
  app.post('/text', input({ body: text({ max: 5 }) }), ctx => ctx.input.body)
  app.post('/null', input({ body: z.null() }), ctx => String(ctx.input.body))
  const headers = { 'Content-Type': 'text/plain' }
  t.is(await (await app.client().post('/text', { headers, body: '12' })).text(), '12')
  t.is((await app.client().post('/text', { headers, body: '123456' })).status, 422)
  t.is(await (await app.client().post('/null', { json: null })).text(), 'null')
  t.is((await app.client().post('/null', { headers, body: 'null' })).status, 415)
})

test('input() lets a missing body pass where the schema takes undefined, else it is 400', async t => {
  const app = kolba()
  app.post('/maybe', input({ body: optional(object({ a: int() })) }), ctx => String(ctx.input.body))
  app.post('/default', input({ body: z.object({ a: z.int() }).default({ a: 1 }) }), ctx => ctx.input.body)
  app.post('/must', input({ body: object({ a: optional(int()) }) }), ctx => ctx.input.body)
  t.is(await (await app.client().post('/maybe')).text(), 'undefined')
  t.deepEqual(await (await app.client().post('/default')).json(), { a: 1 })
  t.is((await app.client().post('/must')).status, 400)
  t.is((await app.client().post('/maybe', { json: {} })).status, 422)
})

test('input() takes the body of a middleware, and does not change it', async t => {
  const given = { a: 1, b: 2 }
  const app = kolba()
  app.use((ctx, next) => {
    Object.assign(ctx.request, { body: given })
    return next()
  })
  const schema = { type: 'object', properties: { a: { type: 'integer' } } }
  app.post('/', input({ body: schema }), ctx => ctx.input.body)
  t.deepEqual(await (await app.client().post('/')).json(), { a: 1 })
  t.deepEqual(given, { a: 1, b: 2 })
})

test('input() passes the options of reading on', async t => {
  const app = kolba()
  app.post('/', input({ body: object({ a: text() }) }, { limit: 20, types: ['json'] }), () => null)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  t.is((await app.client().post('/', { json: { a: 'x' } })).status, 204)
  t.is((await app.client().post('/', { json: { a: 'x'.repeat(20) } })).status, 413)
  t.is((await app.client().post('/', { headers, body: 'a=x' })).status, 415)
})

test('input() with signed believes a signed cookie only', async t => {
  const app = kolba({ keys: ['secret'] })
  app.get('/set', ctx => {
    ctx.cookies.set('user', '7', { signed: true })
    return null
  })
  app.get('/', input({ cookies: { user: optional(int()) } }, { signed: true }), ctx => ctx.input.cookies)
  const client = app.client({ cookies: true })
  await client.get('/set')
  t.deepEqual(await (await client.get('/')).json(), { user: 7 })
  t.deepEqual(await (await app.client().get('/', { headers: { cookie: 'user=7' } })).json(), {})
})

test('input() never answers with the value', async t => {
  const secret = 'correct-horse-battery'
  const order = { customer: [secret], gift: secret, due: secret, lines: secret, note: 5551234, address: secret }
  const search = `?page=${secret}&ratio=${secret}&all=${secret}&ids=${secret}&sort=${secret}&level=${secret}&since=${secret}&q=${secret}`
  for (const app of Object.values(apis)) {
    const body = await (await app.client().post('/orders', { json: order })).text()
    const headers = { 'x-version': secret, cookie: `theme=${secret}; visits=${secret}` }
    const query = await (await app.client().get(`/books/7${search}`, { headers })).text()
    t.false(body.includes(secret), body)
    t.false(body.includes('5551234'), body)
    t.false(query.includes(secret), query)
    t.true(body.includes('#/customer') && query.includes('"page"'))
  }
})

test('input() keeps the messages that the schema was given', async t => {
  const app = kolba()
  const even = v.pipe(
    v.number(),
    v.check(n => n % 2 === 0, 'must be even'),
  )
  const query = { z: z.string().max(2, 'Two letters at most, please!'), v: even }
  app.get('/', input({ query }), () => null)
  const { errors } = (await (await app.client().get('/?z=abc&v=3')).json()) as Answer
  t.deepEqual(
    errors?.map(({ detail }) => detail),
    ['Two letters at most, please!', 'must be even.'],
  )
})

test('input() says what it takes and answers, as notes of the route', t => {
  const app = kolba()
  const order = object({ id: readOnly(int()), name: text({ max: 5 }) })
  const query = { page: optional(int({ min: 1 }), 1), at: z.date() }
  app.post('/:id', input({ params: { id: int() }, query, body: order }), () => null)
  const [note] = app.routes()[0]?.notes ?? []
  t.deepEqual(
    note?.parameters?.map(({ name, in: place, required }) => [name, place, required]),
    [
      ['id', 'path', true],
      ['page', 'query', false],
      ['at', 'query', true],
    ],
  )
  t.deepEqual(note?.parameters?.[1]?.schema, { type: 'integer', minimum: 1, default: 1 })
  t.true(note?.requestBody?.required)
  t.deepEqual(note?.requestBody?.content['application/json']?.schema, {
    type: 'object',
    properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string', maxLength: 5 } },
    required: ['name'],
  })
  t.deepEqual(Object.keys(note?.responses ?? {}), ['400', '404', '413', '415', '422'])
})

test('input() notes a parameter with the definitions that it refers to', t => {
  const app = kolba()
  const $defs = { id: { type: 'integer' } }
  app.get('/', input({ query: { type: 'object', properties: { a: { $ref: '#/$defs/id' } }, $defs } }), () => null)
  t.deepEqual(app.routes()[0]?.notes[0]?.parameters?.[0]?.schema, { $ref: '#/$defs/id', $defs })
})

const refused: [title: string, make: () => unknown, message: string | RegExp][] = [
  [
    'what is no schema',
    () => kolba().get('/x', input({ query: { page: 'number' } as never }), () => null),
    'GET /x: input query is not a schema. Give a Standard Schema (of zod, valibot, arktype or kolba/schema), an object of them, or a JSON Schema 2020-12.',
  ],
  [
    'a record of which one is none',
    () => kolba().get('/x', input({ query: { page: int(), size: 'number' } as never }), () => null),
    /^GET \/x: input query size is not a schema\. /,
  ],
  [
    'a list',
    () => kolba().get('/x', input({ query: [] as never }), () => null),
    /^GET \/x: input query is not a schema/,
  ],
  ['a function', () => kolba().get('/x', input({ query: (() => 1) as never }), () => null), /query is not a schema/],
  [
    'a JSON Schema with a keyword that is none',
    () => kolba().get('/x', input({ query: { type: 'object', propertees: {} } }), () => null),
    'GET /x: input query is not a JSON Schema 2020-12: strict mode: unknown keyword: "propertees".',
  ],
  [
    'a reference that leads nowhere',
    () => kolba().get('/x', input({ query: { $ref: '#/$defs/no' } }), () => null),
    /^GET \/x: input query is not a JSON Schema 2020-12: can't resolve reference/,
  ],
  [
    'a parameter that the path does not have',
    () => kolba().get('/x/:id', input({ params: { isbn: text() } }), () => null),
    'GET /x/:id: input declares the parameter isbn, and the path has :id. Rename one of them.',
  ],
  [
    'a parameter on a path without',
    () => kolba().get('/x', input({ params: z.object({ id: z.int() }) }), () => null),
    'GET /x: input declares the parameter id, and the path has none. Rename one of them.',
  ],
  [
    'an unknown part',
    () => input({ parms: { id: int() } } as never),
    'input: the option "parms" is unknown. It takes params, query, headers, cookies and body.',
  ],
  ['no parts', () => input(undefined as never), 'input: there are no schemas. Give { query: ... } or the like.'],
  [
    'an unknown option',
    () => input({}, { optional: true } as never),
    'input: the option "optional" is unknown. It takes types, limit, depth, keys, inflate and signed.',
  ],
  [
    'cookies without names',
    () =>
      kolba().get(
        '/x',
        input({ cookies: { '~standard': { version: 1, vendor: 'x', validate: value => ({ value }) } } }),
        () => null,
      ),
    'GET /x: input cookies: the schema does not say which. Give schemas by name, { session: text() }.',
  ],
]
for (const [title, make, message] of refused)
  test(`input() refuses ${title}`, t => void t.throws(make, { instanceOf: TypeError, message }))

test('input() with a decorator above it that needs nothing leaves its additions alone', async t => {
  const user = decorator('user', (_ctx, next: Next<{ user: string }>) => next({ user: 'Ada' }))
  const app = kolba()
  app.get('/', user, input({ query: { page: optional(int(), 1) } }), ctx => `${ctx.user} ${ctx.input.query.page}`)
  t.is(await (await app.client().get('/')).text(), 'Ada 1')
})

test('input() takes undeclared properties out of what another library checks within kolba/schema', async t => {
  const tree = z.object({
    a: z.int(),
    get below() {
      return z.array(tree).optional()
    },
  })
  const app = kolba()
  app.post('/', input({ body: object({ a: list(type({ b: 'string' })), t: optional(tree) }) }), ctx => ctx.input.body)
  app.post('/record', input({ body: { t: tree, a: type({ b: 'string' }) } }), ctx => ctx.input.body)
  const t1 = { a: 1, x: 1, below: [{ a: 2, x: 1 }] }
  const t2 = { a: 1, below: [{ a: 2 }] }
  const first = await app.client().post('/', { json: { a: [{ b: 'x', evil: 1 }], t: t1 } })
  t.deepEqual(await first.json(), { a: [{ b: 'x' }], t: t2 })
  const second = await app.client().post('/record', { json: { t: t1, a: { b: 'x', evil: 1 } } })
  t.deepEqual(await second.json(), { t: t2, a: { b: 'x' } })
})

for (const [name, program, said] of [
  [
    'ajv',
    "input({ query: { type: 'object' } })",
    'TypeError: GET /: input query is a JSON Schema, which needs ajv. Run npm install ajv ajv-formats, or give a Standard Schema.',
  ],
  ['@valibot/to-json-schema', 'input({ query: v.object({ page: v.optional(v.string()) }) })', 'nothing'],
] as const) {
  test(`input() without ${name} says ${said}`, t => {
    const code = `
      import Module from 'node:module'
      const resolve = Module._resolveFilename
      Module._resolveFilename = (name, ...rest) => {
        if (name.startsWith('${name}')) throw new Error('not there')
        return resolve(name, ...rest)
      }
      const { kolba } = await import('kolba')
      const { input } = await import('kolba/input')
      const v = await import('valibot')
      try {
        kolba().get('/', ${program}, () => null)
        console.log('nothing')
      } catch (error) {
        console.log(String(error))
      }`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    t.is(stdout.trim(), said, stderr)
  })
}

interface Recorded {
  readonly text: string | { buffer: string }
  readonly throws?: string
}

testVectors(
  'input() lets no prototype through, in any library',
  'prototype-pollution/secure-json-parse.json',
  async (t, file) => {
    const recorded: Recorded[] = JSON.parse(file)
    for (const { text } of recorded) {
      const sent = typeof text === 'string' ? text : text.buffer
      for (const [library, app] of Object.entries(apis)) {
        const { status } = await app
          .client()
          .post('/orders', { headers: { 'Content-Type': 'application/json' }, body: sent })
        t.true(status === 400 || status === 422, `${library} ${status}: ${sent}`)
      }
    }
    t.is(({} as Record<string, unknown>).x, undefined)
  },
)

testVectors('input() takes any text as text and nothing else for it', 'naughty-strings/blns.json', async (t, file) => {
  const app = kolba()
  const schema = { text: z.string().optional(), number: z.number().optional() }
  app.post('/', input({ query: schema, body: z.object(schema) }), ctx => ctx.input)
  for (const naughty of JSON.parse(file) as string[]) {
    const search = new URLSearchParams({ text: naughty })
    const response = await app.client().post(`/?${search}`, { json: { text: naughty } })
    if (String(search).length > 2048) {
      t.is(response.status, 400)
      continue
    }
    t.is(response.status, 200, naughty)
    t.deepEqual(await response.json(), { query: { text: naughty }, body: { text: naughty } })
  }
})

testVectors('input() answers naughty strings in each library alike', 'naughty-strings/blns.json', async (t, file) => {
  for (const naughty of JSON.parse(file) as string[]) {
    const search = new URLSearchParams({ q: naughty, page: naughty, tags: naughty })
    const answers = new Map<string, Library[]>()
    for (const [library, app] of Object.entries(apis)) {
      const response = await app.client().get(`/books/7?${search}`)
      const { errors = [] } = (await response.json()) as Answer
      const said = `${response.status} ${[...new Set(errors.map(({ parameter }) => parameter))].sort()}`
      answers.set(said, [...(answers.get(said) ?? []), library as Library])
    }
    // zod, valibot and arktype count code units where JSON Schema and kolba/schema count characters.
    const isSame = answers.size === 1 || [...naughty].length !== naughty.length
    t.true(isSame && ![...answers.keys()].some(said => /^5/.test(said)), `${naughty}: ${JSON.stringify([...answers])}`)
  }
})
