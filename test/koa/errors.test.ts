// What becomes of what is thrown: the status, what the client sees of it, what app.on('error') is told, and what a
// middleware above makes of it.
import vm from 'node:vm'
import test from 'ava'
import createError from 'http-errors'
import type Koa from 'koa'
import { headerOf, type Row, type Run, talk, testBesideKoa } from '../support/beside-koa.ts'
import { DIFFERENCES, type Named } from '../support/koa-differences.ts'

const text = 'text/plain; charset=utf-8'
const SECRET = 'the secret'

const withProps = (props: object) => Object.assign(new Error(SECRET), props)

type Thrown = readonly [thrown: () => unknown, is: Row['is'], differs: Named]

const hidden: Thrown[1] = [500, text, 'Internal Server Error']

/** What is thrown, what Koa answers, and what kolba makes of it. */
const thrown: Record<string, Thrown> = {
  'an Error': [() => new Error(SECRET), hidden, { problem: {} }],
  'an error of another realm': [() => vm.runInNewContext(`new Error('${SECRET}')`), hidden, { problem: {} }],
  'an error with a status': [() => withProps({ status: 404 }), [404, text, 'Not Found'], { problem: {} }],
  'an error with a statusCode': [() => withProps({ statusCode: 409 }), [409, text, 'Conflict'], { problem: {} }],
  'an error that may be shown': [
    () => withProps({ status: 400, expose: true }),
    [400, text, SECRET],
    { problem: { detail: SECRET } },
  ],
  'a server error that may be shown': [
    () => withProps({ status: 503, expose: true }),
    [503, text, SECRET],
    { problem: {} },
  ],
  'an error with a status that is none': [() => withProps({ status: 'none' }), hidden, { problem: {} }],
  'an error with a status that nobody knows': [() => withProps({ status: 999 }), hidden, { problem: {} }],
  'an error with the status of a success': [
    () => withProps({ status: 200 }),
    [200, text, 'OK'],
    { problem: { status: 500 } },
  ],
  'an error of http-errors': [() => createError(422, 'no'), [422, text, 'no'], { problem: { detail: 'no' } }],
  'an error of http-errors with headers': [
    () => createError(401, 'no', { headers: { 'WWW-Authenticate': 'Bearer', 'Content-Type': 'text/css' } }),
    [401, text, 'no'],
    { problem: { detail: 'no' } },
  ],
  'an error of a library with headers that were for somebody else': [
    () => withProps({ status: 409, headers: { 'X-Secret': SECRET } }),
    [409, text, 'Conflict'],
    { headersOfErrors: ['X-Secret'], problem: {} },
  ],
  'an error with a type and a length of its own': [
    () => createError(400, 'no', { headers: { 'content-length': '99', 'x-a': 'b' } }),
    [400, text, 'no'],
    { problem: { detail: 'no' } },
  ],
  'an AggregateError': [() => new AggregateError([], SECRET), hidden, { problem: {} }],
  'a string': [() => 'text', hidden, named("'text'")],
  'a number': [() => 7, hidden, named('7')],
  'an object': [() => ({ status: 404 }), hidden, named('{ status: 404 }')],
}

function named(what: string): Named {
  return { problem: {}, errors: [`TypeError: ${what} was thrown. Throw an Error, or problem(status).`] }
}

const rows: Record<string, Row> = {}

for (const [name, [make, is, differs]] of Object.entries(thrown)) {
  const run: Run = () => {
    throw make()
  }
  rows[`${name} that is thrown`] = { run, is, differs }
  rows[`${name} in a promise`] = { run: async () => run(undefined as never, undefined as never), is, differs }
  rows[`${name} that is thrown, asked by HEAD`] = { ask: { method: 'HEAD' }, run, is: [is[0]], differs }
}

Object.assign(rows, {
  'an error takes what was set for another answer with it': {
    run: ctx => {
      ctx.body = { half: 'done' }
      ctx.etag = 'a'
      ctx.set('Content-Encoding', 'gzip')
      ctx.set('Cache-Control', 'public')
      throw new Error(SECRET)
    },
    is: hidden,
    differs: { problem: {} },
  },
  'an error leaves what is about no body': {
    run: ctx => {
      ctx.set('Access-Control-Allow-Origin', '*')
      ctx.cookies.set('a', '1')
      ctx.vary('Origin')
      throw new Error(SECRET)
    },
    is: hidden,
    differs: {
      problem: { keeps: ['Access-Control-Allow-Origin: *', 'Set-Cookie: a=1; path=/; httponly', 'Vary: Origin'] },
    },
  },
  'an error that a middleware above answers': {
    setup: app => {
      app.use(async (ctx, next) => {
        try {
          await next()
        } catch (error) {
          ctx.status = 202
          ctx.body = (error as Error).message
        }
      })
    },
    run: async () => {
      throw new Error('caught')
    },
    is: [202, text, 'caught'],
  },
  'an error that a middleware above makes another of': {
    setup: app => {
      app.use((_ctx, next) =>
        next().catch((error: Error) => Promise.reject(createError(409, `again: ${error.message}`))),
      )
    },
    run: () => {
      throw new Error('first')
    },
    is: [409, text, 'again: first'],
    differs: { problem: { detail: 'again: first' } },
  },
  'an error of a middleware on the way back': {
    setup: app => {
      app.use(async (ctx, next) => {
        await next()
        ctx.throw(503)
      })
    },
    run: ctx => {
      ctx.body = 'a'
    },
    is: [503, text, 'Service Unavailable'],
    differs: { problem: {} },
  },
  'next() that is called twice': {
    setup: app => {
      app.use(async (_ctx, next) => {
        await next()
        await next()
      })
    },
    run: ctx => {
      ctx.body = 'a'
    },
    is: hidden,
    differs: { problem: {} },
  },
  'next() that nobody waited for': {
    setup: app => {
      app.use((_ctx, next) => void next())
    },
    run: async ctx => {
      await new Promise(resolve => setTimeout(resolve, 5))
      if (!ctx.headerSent) ctx.body = 'too late'
    },
    is: [404, text, 'Not Found'],
    differs: { problem: { detail: 'Nothing is at this path.' } },
    differsAsRoute: {
      problem: { status: 500 },
      errors: [
        'TypeError: ALL /{*rest}: a middleware ended before the route had answered. Write await next() in what app.use has.',
      ],
    },
  },
  'an error when the answer is whole': {
    run: ctx => {
      ctx.res.statusCode = 200
      ctx.res.end('by hand')
      throw new Error('too late')
    },
    is: [200, undefined, 'by hand'],
  },
} satisfies Record<string, Row>)

testBesideKoa(rows)

for (const way of ['koa', 'use', 'route'] as const) {
  test(`app.on('error') gets each error with its ctx, and each listener does, ${way}`, async t => {
    const told: unknown[] = []
    const contexts: unknown[] = []
    const thrown = [new Error('a'), createError(404, 'b')]
    const setup = (app: Koa) => {
      app.on('error', (error, ctx) => told.push([error, ctx]))
      app.on('error', error => told.push(error))
    }
    let count = 0
    const run: Run = ctx => {
      contexts.push(ctx)
      throw thrown[count++]
    }
    await talk(t, way, { setup, run })
    t.is(told.length, 4)
    for (const index of [0, 1]) {
      const [error, ctx] = told[index * 2] as [Error, Koa.Context]
      t.true(error === thrown[index])
      t.true(ctx === contexts[index])
      t.is(told[index * 2 + 1], thrown[index])
    }
  })
}

test('a frozen error is answered, which Koa fails to write the status on', async t => {
  const run: Run = () => {
    throw Object.freeze(new Error(SECRET))
  }
  for (const way of ['use', 'route'] as const) {
    const { answers, errors } = await talk(t, way, { run })
    t.is(answers[0]?.line, 'HTTP/1.1 500 Internal Server Error', DIFFERENCES.frozenErrors.because)
    t.deepEqual(errors, Array(2).fill(`Error: ${SECRET}`))
  }
})

/** What Koa leaves without an answer, on purpose or not, and kolba ends. */
const left: Record<string, { run: Run; told: readonly string[]; status?: number }> = {
  'nothing, which is thrown': {
    run: () => {
      throw undefined
    },
    told: ['TypeError: undefined was thrown. Throw an Error, or problem(status).'],
    status: 500,
  },
  'null, in a promise': {
    run: () => Promise.reject(null),
    told: ['TypeError: null was thrown. Throw an Error, or problem(status).'],
    status: 500,
  },
  'an error when the headers have gone out': {
    run: ctx => {
      ctx.status = 200
      ctx.flushHeaders()
      throw new Error('too late')
    },
    told: ['Error: too late'],
  },
  'an error when a part of the body has gone out': {
    run: async ctx => {
      ctx.res.statusCode = 200
      ctx.res.write('half')
      throw new Error('too late')
    },
    told: ['Error: too late'],
  },
}

for (const [name, { run, told, status }] of Object.entries(left)) {
  test(`kolba ends what Koa leaves open: ${name}`, async t => {
    t.is((await talk(t, 'koa', { run, patience: 150 })).connection, 'open')
    for (const way of ['use', 'route'] as const) {
      const { answers, connection, errors } = await talk(t, way, { run })
      t.deepEqual([...new Set(errors)], told, DIFFERENCES.endsWhatHangs.because)
      t.is(connection, status ? 'kept' : 'closed')
      if (!status)
        t.deepEqual(
          answers.map(({ cut }) => cut),
          [true],
          way,
        )
      else t.is(headerOf(answers[0], 'content-type'), 'application/problem+json', way)
    }
  })
}
