import { Readable } from 'node:stream'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import test from 'ava'
import * as fc from 'fast-check'
import { type AnySchema, created, decorator, isPromise, type Kolba, kolba, problem, reply, stack, when } from 'kolba'
import { json } from 'kolba/json'
import { produces } from 'kolba/negotiate'
import { output } from 'kolba/output'
import { date, int, list, object, optional, text, writeOnly } from 'kolba/schema'
import * as v from 'valibot'
import { z } from 'zod'
import { MemoryLogger } from '../support/memory-logger.ts'

const book = object({ id: int(), title: text() })
const emma = { id: 7, title: 'Emma' }
const HIDDEN = 'HIDDEN'
const row = { ...emma, HIDDEN }

test('output() sends a plain value by the schema of 200 or of the status on ctx, and a Reply by its own', async t => {
  const app = kolba()
  const title = object({ title: text() })
  const id = object({ id: int() })
  const several = output({ 200: book, 201: title, 202: id, 404: id })
  const answers: [string, (ctx: { status: number }) => unknown, number, unknown][] = [
    ['/plain', () => row, 200, emma],
    ['/later', async () => row, 200, emma],
    ['/created', () => created('/7', row), 201, { title: 'Emma' }],
    ['/reply', () => reply(202, row, { 'X-More': '1' }), 202, { id: 7 }],
    ['/missing', () => reply(404, row), 404, { id: 7 }],
    ['/accepted', ctx => Object.assign(ctx, { status: 202 }) && row, 202, { id: 7 }],
  ]
  for (const [path, handler] of answers) app.get(path, several as never, handler as never)
  for (const [path, , status, sent] of answers) {
    const response = await app.client().get(path)
    t.is(response.status, status, path)
    t.deepEqual(await response.json(), sent, path)
  }
  t.is((await app.client().get('/reply')).headers.get('X-More'), '1')
})

test('output() adds up with others in a stack and in a group', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const group = app.group('/g', output(404, object({ why: text() })))
  group.get('/a', output(201, object({ id: int() })), output(book), () => row)
  group.get('/b', output(201, object({ id: int() })), output(book), () => created('/7', row))
  group.get('/c', output(book), () => reply(404, { why: 'x', HIDDEN }))
  t.deepEqual(await (await app.client().get('/g/a')).json(), emma)
  t.deepEqual(await (await app.client().get('/g/b')).json(), { id: 7 })
  t.deepEqual(await (await app.client().get('/g/c')).json(), { why: 'x' })
})

test('output() lets pass what no schema speaks of', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const all = output({ 200: book }) as never
  app.get('/null', all, () => null)
  app.get('/empty', all, () => reply(202))
  app.get('/response', all, () => new Response(null, { status: 202 }))
  app.get('/stream', all, () => Readable.from(['HIDDEN']))
  app.get('/web-stream', all, () => reply(202, new Blob(['HIDDEN']).stream()))
  app.get('/buffer', all, () => Buffer.from('HIDDEN'))
  app.get('/gone', all, () => reply(410, row))
  app.get('/elsewhere', all, () => reply(300, row))
  app.get('/thrown', all, () => {
    throw problem(409, { detail: 'Twice.', more: row })
  })
  app.get('/error', all, () => problem(410, { more: row }))
  app.get('/undefined', all, () => undefined)
  const answer = async (path: string) => {
    const response = await app.client().get(path)
    return [response.status, await response.text()]
  }
  t.deepEqual(await answer('/null'), [204, ''])
  t.deepEqual(await answer('/empty'), [202, ''])
  t.deepEqual(await answer('/response'), [202, ''])
  t.deepEqual(await answer('/stream'), [200, HIDDEN])
  t.is((await answer('/web-stream'))[0], 202)
  t.deepEqual(await answer('/buffer'), [200, HIDDEN])
  t.deepEqual(await answer('/gone'), [410, JSON.stringify(row)])
  t.deepEqual(await answer('/elsewhere'), [300, JSON.stringify(row)])
  t.is((await answer('/thrown'))[0], 409)
  t.is((await answer('/error'))[0], 410)
  t.is((await answer('/undefined'))[0], 500)
})

test('output() prunes what was put on ctx.body in the way of Koa', async t => {
  const app = kolba()
  app.get('/', output(book) as never, ctx => {
    ctx.body = row
  })
  t.deepEqual(await (await app.client().get('/')).json(), emma)
})

/** What goes out, and what the log says. */
async function call(env: string, stand: (app: Kolba) => void, debug = false) {
  const logger = new MemoryLogger()
  const app = kolba({ env, logger, debug })
  stand(app)
  const response = await app.client().get('/books/7')
  const lines = logger.lines.map(({ level, message }) => [level, message])
  return { status: response.status, text: await response.text(), lines, logger }
}

test('output() says in the log, and with debug in the problem, what does not fit', async t => {
  const stand = (app: Kolba) =>
    app.get('/books/:id', output(object({ id: int(), tags: list(text()) })) as never, () => ({
      id: HIDDEN,
      tags: ['a', 5, 6, 7, 8, 9],
    }))
  const message =
    'GET /books/:id: output 200: the value does not fit: #/id Expected a whole number; #/tags/1 Expected text; ' +
    '#/tags/2 Expected text; #/tags/3 Expected text; #/tags/4 Expected text; and 1 more. ' +
    'Return what is declared, or declare what is returned.'
  const development = await call('development', stand)
  t.is(development.status, 500)
  t.deepEqual(development.lines, [['error', message]])
  t.notRegex(development.text, /Expected/)
  const debug = await call('development', stand, true)
  t.is((JSON.parse(debug.text) as { message: string }).message, message)
  const production = await call('production', stand)
  t.is(production.status, 200)
  t.deepEqual(production.lines, [['warn', message]])
  const { requestId, route, status, errors } = production.logger.lines[0]?.fields ?? {}
  t.is(typeof requestId, 'string')
  t.deepEqual(
    [route, status, (errors as object[])[0], (errors as object[]).length],
    ['GET /books/:id', 200, { pointer: '#/id', detail: 'Expected a whole number.' }, 6],
  )
})

const declared201 = 'Declare it too, output(201, schema), or answer with what is declared.'
const unprunable: [string, (app: Kolba) => void, string][] = [
  [
    'a status that is not declared',
    app => app.get('/books/:id', output(book), () => created('/7', row)),
    `GET /books/:id: output 201: 200 is declared, and this is not. ${declared201}`,
  ],
  [
    'a status that none of several declares',
    app => app.get('/books/:id', output(book), output(404, book), () => reply(201, row)),
    `GET /books/:id: output 201: 200, 404 are declared, and this is not. ${declared201}`,
  ],
  [
    'a plain value where only another status is declared',
    app => app.get('/books/:id', output(201, book), () => row),
    'GET /books/:id: output 200: 201 is declared, and this is not. Declare it too, output(200, schema), or answer with what is declared.',
  ],
  [
    'a web Response with a body',
    app => app.get('/books/:id', output(book), () => Response.json(row)),
    'GET /books/:id: output 200: a web Response cannot be looked into. Return the value, or reply(status, value, headers).',
  ],
  [
    'what was rendered in the way of Koa',
    app =>
      app.get('/books/:id', output(book) as never, ctx => {
        ctx.type = 'json'
        ctx.body = JSON.stringify(row)
      }),
    'GET /books/:id: output 200: this is JSON text already, which cannot be looked into. Put output() below json().',
  ],
  [
    'a misfit of a schema that does not say what it declares',
    app => app.get('/books/:id', output(bare()) as never, () => ({ id: HIDDEN })),
    'GET /books/:id: output 200: the value does not fit: #/id Expected a number. Return what is declared, or declare what is returned.',
  ],
]

for (const [title, stand, message] of unprunable) {
  test(`output() refuses ${title}, in production too`, async t => {
    for (const env of ['development', 'production']) {
      const { status, text, lines } = await call(env, stand)
      t.is(status, 500)
      t.deepEqual(lines, [['error', message]])
      t.notRegex(text, /HIDDEN/)
    }
  })
}

/** A schema of a library that has no JSON Schema, and strips. */
function bare(): StandardSchemaV1<{ id: number }> {
  const validate = (value: unknown) => {
    const { id } = value as { id: unknown }
    return typeof id === 'number' ? { value: { id } } : { issues: [{ message: 'Expected a number', path: ['id'] }] }
  }
  return { '~standard': { version: 1, vendor: 'bare', validate } }
}

test('output() sends what a schema without a JSON Schema gives', async t => {
  const { text } = await call('development', app => app.get('/books/:id', output(bare()), () => row))
  t.is(text, '{"id":7}')
})

test('output() does not send what a schema makes of the value, nor changes the value', async t => {
  const value = Object.freeze({ title: 'emma', HIDDEN })
  const upper = z.object({ title: z.string().transform(it => it.toUpperCase()), pages: z.int().default(5) })
  const whole = z.object({ title: z.string() }).transform(({ title }) => ({ HIDDEN: title }))
  const ajv = { type: 'object', properties: { title: { type: 'string' }, pages: { type: 'integer', default: 5 } } }
  for (const schema of [upper, whole, ajv]) {
    const { text } = await call('development', app => app.get('/books/:id', output(schema), () => value))
    t.is(text, '{"title":"emma"}')
  }
})

test('output() waits for an asynchronous schema', async t => {
  const schema = z.object({ title: z.string().refine(async it => it !== 'bad', 'Another one, please.') })
  const fine = await call('development', app => app.get('/books/:id', output(schema), () => row))
  t.is(fine.text, '{"title":"Emma"}')
  const bad = await call('development', app => app.get('/books/:id', output(schema), () => ({ title: 'bad' })))
  t.regex(String(bad.lines[0]?.[1]), /#\/title Another one, please\. Return/)
})

test('output() leaves a BigInt and a Date to json(), where the schema takes them', async t => {
  const schema = z.object({ big: z.bigint(), at: z.date(), any: z.any() })
  const value = { big: 2n ** 60n, at: new Date(0), any: new Date(1000), HIDDEN }
  const stand = (app: Kolba) => app.get('/books/:id', json({ date: 'seconds' }), output(schema), () => value)
  t.is((await call('development', stand)).text, '{"big":"1152921504606846976","at":0,"any":1}')
  const odd = (app: Kolba) => app.get('/books/:id', json(), output({ id: int() }) as never, () => ({ id: 5n }))
  t.is((await call('development', odd)).status, 500)
})

test('output() keeps what is declared to be anything', async t => {
  const value = { a: { x: [{ y: 1 }] }, b: { c: 1 } }
  const schemas = [
    z.object({ a: z.any(), b: z.looseObject({}) }),
    v.object({ a: v.any(), b: v.record(v.string(), v.number()) }),
    object({ a: z.any(), b: object({}, { additional: 'keep' }) }),
    { type: 'object', properties: { a: true, b: { type: 'object', additionalProperties: { type: 'integer' } } } },
    { type: 'object', properties: { a: {} }, patternProperties: { '^b$': {} } },
  ]
  for (const schema of schemas) {
    const { text } = await call('development', app => app.get('/books/:id', output(schema), () => value))
    t.deepEqual(JSON.parse(text), value)
  }
})

test('output() drops what a strict schema does not declare', async t => {
  const strict = { type: 'object', properties: { id: { type: 'integer' } }, additionalProperties: false }
  for (const schema of [strict, z.strictObject({ id: z.int() }), object({ id: int() }, { additional: 'refuse' })]) {
    const { text } = await call('development', app => app.get('/books/:id', output(schema), () => row))
    t.is(text, '{"id":7}')
  }
})

test('output() stays synchronous', t => {
  const seen: boolean[] = []
  const watch = decorator('watch', (_ctx, next) => {
    const value = next()
    seen.push(isPromise(value))
    return when(value, it => it)
  })
  const app = kolba()
  app.get('/', watch, output(book), () => row)
  return app
    .client()
    .get('/')
    .then(() => t.deepEqual(seen, [false]))
})

test('output() works in a composition without a route', t => {
  const ctx = { response: { is: () => false } } as never
  t.deepEqual(output(201, { id: int() })(output(book)(() => row))(ctx), emma)
})

test('output() says what a route answers', t => {
  const app = kolba()
  const schema = { type: 'object', required: ['id', 'pin'], properties: { id: {}, pin: { writeOnly: true } } }
  const secret = object({
    id: int(),
    at: date(),
    pin: writeOnly(text()),
    sub: list(object({ pin: writeOnly(text()) })),
  })
  app.get('/', output({ 200: secret, 404: schema }), output(201, bare()), () => null)
  const notes = app.routes()[0]?.notes.map(({ responses }) => responses)
  const at = { type: 'string', format: 'date-time' }
  t.deepEqual(notes, [
    {
      200: {
        description: 'OK',
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: {
                id: { type: 'integer' },
                at,
                sub: { type: 'array', items: { type: 'object', properties: {} } },
              },
              required: ['id', 'at', 'sub'],
            },
          },
        },
      },
      404: {
        description: 'Not Found',
        content: { 'application/json': { schema: { type: 'object', properties: { id: {} }, required: ['id'] } } },
      },
    },
    { 201: { description: 'Created', content: { 'application/json': {} } } },
  ] as never)
})

const advice = 'Give output(schema), output(201, schema) or output({ 200: schema, 404: schema }).'
const kindsOf =
  'Give a Standard Schema (of zod, valibot, arktype or kolba/schema), an object of them, or a JSON Schema 2020-12.'
const wrong: [string, unknown[], string][] = [
  ['nothing', [], `output: there is no schema. ${advice}`],
  ['an empty object', [{}], `output: there is no schema. ${advice}`],
  ['text', ['book'], `output: there is no schema. ${advice}`],
  ['a status alone', [201], `output: there is no schema for 201. ${advice}`],
  ['a status below 200', [100, book], 'output: 100 is no status of a response. Give a whole number from 200 to 599.'],
  [
    'a status that is no number',
    [{ 200: book, ok: book }],
    'output: ok is no status of a response. Give a whole number from 200 to 599.',
  ],
  [
    'a status of too much',
    [{ 600: book }],
    'output: 600 is no status of a response. Give a whole number from 200 to 599.',
  ],
  [
    'a status without a body',
    [{ 200: book, 204: book }],
    'output: 204 has no body. Leave it out; null passes undeclared.',
  ],
  ['an unknown option', [book, { force: true }], 'output: the option "force" is unknown. It takes enforce.'],
  ['a wrong option', [201, book, { enforce: 1 }], 'output: the option enforce is 1. Give true or false.'],
  ['what is no schema', [{ 201: 'book' }], `GET /books: output 201 is not a schema. ${kindsOf}`],
  [
    'what is no schema in a record',
    [{ id: int(), title: 5 }],
    `GET /books: output 200 title is not a schema. ${kindsOf}`,
  ],
]

for (const [title, given, message] of wrong) {
  test(`output() refuses ${title} when the route is registered`, t => {
    const stand = () => kolba().get('/books', (output as (...given: unknown[]) => never)(...given), () => null)
    t.is(t.throws(stand, { instanceOf: TypeError })?.message, message)
  })
}

test('output() refuses a status that is declared twice on a route', t => {
  const group = kolba().group('/g', output({ 200: book, 404: book }))
  const error = t.throws(() => group.get('/', output(book), () => emma), { instanceOf: TypeError })
  t.is(error?.message, 'GET /g: output declares 200 twice. Leave one of them out.')
})

test('output() refuses to stand above what renders', t => {
  const inside = kolba().group('/g', output({ 404: book }) as never)
  for (const render of [json(), stack(json({ pretty: true })), produces({ 'application/json': true })]) {
    const [name] = /json|produces/.exec(render.name) ?? []
    const message = `GET /g: output() stands above ${name}(), which makes text. Put it below.`
    t.throws(() => inside.get('/', render, () => row), { instanceOf: TypeError, message })
  }
  const outside = kolba().group('/g', json())
  t.notThrows(() => outside.get('/', output(book), () => row))
})

const name = fc.constantFrom('a', 'b', 'c', 'HIDDEN', 'constructor', '__proto__', 'toJSON')
const value = fc.letrec(tie => ({
  any: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(1, 'x', true, null, undefined, new Date(0)),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(name, tie('any'), { maxKeys: 4 }),
    fc.dictionary(name, tie('any'), { maxKeys: 4 }).map(it => ({ HIDDEN, toJSON: () => it })),
  ),
})).any

test('output() never lets an undeclared name out, whatever the value', t => {
  const c = z.string().meta({ writeOnly: true }).optional()
  const schemas: AnySchema[] = [
    z.object({ a: z.array(z.object({ b: z.string(), c })), b: z.union([z.string(), z.object({ a: z.int() })]), c }),
    v.union([v.object({ a: v.object({ b: v.string() }) }), v.array(v.object({ b: v.nullable(v.string()) }))]),
    object({ a: list(object({ b: text() })), b: optional(object({ a: date() })) }),
    {
      type: 'object',
      properties: { a: { $ref: '#' }, b: { type: ['array', 'string'], items: { $ref: '#' } }, c: { writeOnly: true } },
      additionalProperties: false,
    },
  ]
  for (const schema of schemas) {
    let given: unknown
    const around = output(schema)(() => given as never)
    const app = { env: 'production', logger: new MemoryLogger() }
    const ctx = { app, response: { is: () => false }, method: 'GET', path: '/' } as never
    fc.assert(
      fc.property(value, it => {
        given = it
        const names = JSON.stringify(around(ctx))?.match(/"[^"]*"(?=:)/g) ?? []
        return names.every(name => name === '"a"' || name === '"b"')
      }),
      { numRuns: 300 },
    )
  }
  t.pass()
})
