import test from 'ava'
import type { Knex } from 'knex'
import {
  type BaseContext,
  blueprint,
  type Context,
  decorator,
  type Handler,
  isPromise,
  kolba,
  type Next,
  type Route,
  reply,
  stack,
  when,
} from 'kolba'
import { json } from 'kolba/json'
import { keeping, layer, trace } from '../support/layers.ts'
import { knexOnSqlite } from '../support/sqlite.ts'

/** Puts what comes up between brackets, without making a promise. */
const wrap = (label: string) => decorator(label, (_ctx, next) => when(next(), value => `${label}(${value})`))
const refused = (message: string) => ({ instanceOf: TypeError, message })
const run = (handler: Handler, ctx = {}) => (handler as (ctx: object) => unknown)(ctx)

test('decorator() lets the request go down and the value come up', async t => {
  const app = kolba()
  app.get('/', wrap('a'), wrap('b'), wrap('c'), () => 'value')
  t.is(await (await app.client().get('/')).text(), 'a(b(c(value)))')
})

test('decorator() answers by itself where it does not call next()', async t => {
  const app = kolba()
  const closed = decorator('closed', () => reply(403, 'closed'))
  app.get('/', wrap('a'), closed, () => t.fail('the handler must not run') as never)
  app.get('/plain', closed, () => t.fail('the handler must not run') as never)
  const response = await app.client().get('/plain')
  t.is(response.status, 403)
  t.is(await response.text(), 'closed')
  t.is((await app.client().get('/')).status, 200, 'an outer decorator makes another value of it')
})

test('decorator() puts what next() is given on ctx for all below, and only there', async t => {
  const app = kolba()
  const seen: unknown[] = []
  const peek = (label: string) =>
    decorator(label, (ctx, next) => {
      seen.push([label, 'user' in ctx])
      return next()
    })
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: { name: string } }>) =>
    next({ user: { name: 'Ada' } }),
  )
  app.get('/', peek('above'), signedIn, peek('below'), ctx => ctx.user.name)
  t.is(await (await app.client().get('/')).text(), 'Ada')
  t.deepEqual(seen, [
    ['above', false],
    ['below', true],
  ])
})

test('decorator() finds what a decorator above has added', async t => {
  const app = kolba()
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: { admin: boolean } }>) =>
    next({ user: { admin: false } }),
  )
  const admin = decorator('admin', (ctx: BaseContext & { user: { admin: boolean } }, next: Next) =>
    ctx.user.admin ? next() : reply(403, 'no'),
  )
  app.get('/', signedIn, admin, () => 'secret')
  t.is((await app.client().get('/')).status, 403)
})

const TAKEN = ['body', 'status', 'query', 'cookies', 'throw', 'toString']
  .concat('app', 'req', 'res', 'request', 'response', 'originalUrl', 'state', 'respond')
  .concat('params', 'requestId', 'route', 'signal', 'urlFor')
for (const name of TAKEN) {
  test(`next({ ${name} }) is refused, because the name is taken`, async t => {
    const logger = keeping()
    const app = kolba({ logger })
    app.get(
      '/',
      decorator('adds', (_ctx, next) => next({ [name]: 1 })),
      () => 'unreachable',
    )
    t.is((await app.client().get('/')).status, 500)
    t.is(logger.errors[0]?.message, `adds: ctx.${name} is taken by Koa or kolba. Add it under another name.`)
  })
}

test('next() runs what is below again when it is called again', async t => {
  const app = kolba()
  let runs = 0
  const twice = decorator('twice', async (_ctx, next) => `${await next()} ${await next()}`)
  app.get('/', twice, wrap('a'), async () => ++runs)
  t.is(await (await app.client().get('/')).text(), 'a(1) a(2)')
})

test('decorator() over a synchronous handler makes no promise', t => {
  const value = run(wrap('a')(wrap('b')(stack(wrap('c'), wrap('d'))(() => 'value'))))
  t.false(isPromise(value))
  t.is(value, 'a(b(c(d(value))))')
})

test('decorator() over an asynchronous handler gives its promise', async t => {
  const value = run(wrap('a')(wrap('b')(async () => 'value')))
  t.true(isPromise(value))
  t.is(await value, 'a(b(value))')
})

const forms: Record<string, (fail: () => never) => unknown> = {
  'a synchronous error': fail => {
    const layers = ['one', 'two', 'three'].map(name => decorator(name, (_ctx, next) => next()))
    return run(
      stack(...layers)(function show() {
        return fail()
      }),
    )
  },
  'an error after waiting': fail => {
    const layers = ['one', 'two', 'three'].map(name => decorator(name, async (_ctx, next) => await next()))
    return run(
      stack(...layers)(async function show() {
        await null
        return fail()
      }),
    )
  },
}
for (const [title, form] of Object.entries(forms)) {
  test(`${title} has a stack trace that names every layer`, async t => {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 30
    const error = await t.throwsAsync(
      async () =>
        form(() => {
          throw new Error('no')
        }),
      { message: 'no' },
    )
    Error.stackTraceLimit = limit
    const names = error.stack?.split('\n').map(line => /at (?:async )?(\w+)/.exec(line)?.[1])
    t.deepEqual(
      [...new Set(names)].filter(name => /^(show|one|two|three)$/.test(name ?? '')),
      ['show', 'three', 'two', 'one'],
    )
  })
}

test('an error of the handler can be caught and answered by a decorator above', async t => {
  const app = kolba()
  const saved = decorator('saved', async (_ctx, next) => {
    try {
      return await next()
    } catch (error) {
      return `saved from ${(error as Error).message}`
    }
  })
  app.get('/', saved, wrap('a'), () => {
    throw new Error('the handler')
  })
  t.is(await (await app.client().get('/')).text(), 'saved from the handler')
})

test('stack() stands for its members, however deep', async t => {
  const app = kolba()
  const inner = stack(wrap('b'), wrap('c'))
  const outer = stack(wrap('a'), inner, stack())
  t.is(outer.name, 'stack(a, b, c)')
  app.get('/', outer, wrap('d'), () => 'value')
  t.is(await (await app.client().get('/')).text(), 'a(b(c(d(value))))')
  t.deepEqual(
    app.routes()[0]?.decorators.map(({ name }) => name),
    ['a', 'b', 'c', 'd'],
  )
})

test('a()(b()(handler)) is the stack, registered and called', async t => {
  const app = kolba()
  async function show() {
    return 'value'
  }
  const composition = wrap('a')(wrap('b')(show))
  t.is(composition.name, 'show')
  t.is(await run(composition), 'a(b(value))')
  app.get('/stack', wrap('x'), wrap('a'), wrap('b'), show)
  app.get('/composition', wrap('x'), composition)
  const client = app.client()
  for (const path of ['/stack', '/composition']) t.is(await (await client.get(path)).text(), 'x(a(b(value)))')
  const [first, second] = app.routes()
  t.deepEqual(
    first?.decorators.map(it => it.name),
    second?.decorators.map(it => it.name),
  )
  t.is(first?.handler, second?.handler)
  t.is(second?.handler, show)
})

test('register is called once for each final route, with the whole path', t => {
  const app = kolba()
  const seen: Route[] = []
  const watched = decorator('watched', (_ctx, next) => next(), { register: route => void seen.push(route) })
  const group = app.group('/v1/:tenant', watched)
  group.route(['PUT', 'PATCH'], '/books/:id', function save() {
    return null
  })
  group.group('/deep').get(
    '/',
    watched(function deep() {
      return null
    }),
  )
  t.deepEqual(
    seen.map(({ methods, path, name }) => [methods.join(), path, name]),
    [
      ['PUT,PATCH', '/v1/:tenant/books/:id', 'save'],
      ['GET', '/v1/:tenant/deep', 'deep'],
      ['GET', '/v1/:tenant/deep', 'deep'],
    ],
  )
  t.true(seen.every(route => route.app === app))
  t.true(app.routes().includes(seen[0] as Route))
})

test('register may give an around that is made for the route', async t => {
  const app = kolba()
  const where = decorator('where', (_ctx, next) => next(), {
    register:
      ({ path }) =>
      (_ctx, next) =>
        when(next(), value => `${path}: ${value}`),
  })
  app.get('/a', where, () => 'a')
  app.get('/b', where, () => 'b')
  t.is(await (await app.client().get('/a')).text(), '/a: a')
  t.is(await (await app.client().get('/b')).text(), '/b: b')
})

test('paths gives further paths, tried before the own one, of which app.routes() and app.url() know nothing', async t => {
  const asText = decorator('asText', (ctx, next) => when(next(), value => `${ctx.path} ${ctx.route?.path} ${value}`), {
    paths: ({ path }) => [`${path}.txt`],
  })
  const books = blueprint('books')
  books.get('/', asText, function list() {
    return 'all'
  })
  function show(ctx: Context<'/:id'>) {
    return ctx.params.id
  }
  books.get('/:id', asText, show)
  const inner = kolba()
  inner.mount('/books', books)
  const app = kolba()
  app.mount('/v1', inner)
  app.mount('/books', books)
  const client = app.client()
  const text = async (path: string) => (await client.get(path)).text()
  t.is(await text('/books.txt'), '/books.txt /books all')
  t.is(await text('/books/7.8.txt'), '/books/7.8.txt /books/:id 7.8')
  t.is(await text('/books/7.csv'), '/books/7.csv /books/:id 7.csv')
  t.is(await text('/v1/books.txt'), '/v1/books.txt /v1/books all')
  t.is(await text('/v1/books/7.txt'), '/v1/books/7.txt /v1/books/:id 7')
  t.is((await client.head('/books.txt')).status, 200)
  const posted = await client.post('/books.txt')
  t.is(posted.status, 405)
  t.is(posted.headers.get('allow'), 'GET, HEAD, OPTIONS')
  t.deepEqual(
    app.routes().map(({ path }) => path),
    ['/v1/books', '/v1/books/:id', '/books', '/books/:id'],
  )
  t.is(inner.url(show, { id: '7' }), '/books/7')
  t.is(inner.url('books.list'), '/books')
  const clash = kolba()
  clash.get('/a.txt', () => 1)
  const message = 'GET /a.txt: GET /a.txt is there already. Change or remove one of them.'
  t.throws(() => clash.get('/a', asText, () => 1), { instanceOf: TypeError, message })
})

test('register may refuse the route', t => {
  const app = kolba()
  const safe = decorator('safe', (_ctx, next) => next(), {
    register: ({ path }) => {
      throw new TypeError(`${path}: safe goes nowhere.`)
    },
  })
  t.throws(() => app.get('/a', safe, () => 'a'), refused('/a: safe goes nowhere.'))
})

test('note is stored on the route, outermost first', t => {
  const app = kolba()
  const summary = decorator('summary', (_ctx, next) => next(), { note: { summary: 'Books' } })
  const tags = decorator('tags', (_ctx, next) => next(), { note: ({ path }) => ({ tags: [path] }) })
  const silent = decorator('silent', (_ctx, next) => next())
  app.group('/v1', summary).get('/books', silent, stack(tags), () => [])
  t.deepEqual(app.routes()[0]?.notes, [{ summary: 'Books' }, { tags: ['/v1/books'] }])
})

test('decorator() refuses what is no decorator', t => {
  const around = () => null
  const because = (message: string, ...args: unknown[]) =>
    t.throws(() => (decorator as (...args: unknown[]) => unknown)(...args), refused(message))
  because('decorator: the first argument is the name. Give a non-empty string.')
  because('decorator: the first argument is the name. Give a non-empty string.', '', around)
  because('decorator: the first argument is the name. Give a non-empty string.', around)
  because('decorator timed: give a function (ctx, next) after the name.', 'timed')
  because(
    'decorator timed: the options are null. Give an object with note, reads, guards, register and paths.',
    'timed',
    around,
    null,
  )
  because(
    'decorator timed: the option "notes" is unknown. It takes note, reads, guards, register and paths.',
    'timed',
    around,
    {
      notes: {},
    },
  )
  because('decorator timed: the option note is 5. Give an object or a function.', 'timed', around, { note: 5 })
  because('decorator timed: the option register is an object. Give a function.', 'timed', around, { register: {} })
})

test('stack() refuses what is no decorator', t => {
  t.throws(
    () => stack(json as never),
    refused('stack: json is not a decorator. Did you mean json()? A handler goes last.'),
  )
  t.throws(() => stack(layer('a'), 'b' as never), refused('stack: argument 2 of the stack is not a decorator.'))
})

test('a composition refuses a decorator for a handler', t => {
  t.throws(() => json()(layer('a') as never), refused('json: a is no handler. Write stack(a(), b()) for both.'))
})

test('app.use() takes a decorator, which sees the value of every answer', async t => {
  const app = kolba()
  app.use(wrap('a'))
  app.use(stack(layer('l'), wrap('b')))
  app.get('/text', ctx => trace(ctx).join())
  app.get('/reply', () => reply(201, 'made', { 'X-Made': 'yes' }))
  const client = app.client()
  t.is(await (await client.get('/text')).text(), 'a(b(l))')
  const made = await client.get('/reply')
  t.deepEqual([made.status, made.headers.get('x-made'), await made.text()], [201, 'yes', 'a(b(made))'])
})

test('app.use() takes a decorator that answers by itself or leaves the answer alone', async t => {
  const app = kolba()
  app.use(decorator('closed', (ctx, next) => (ctx.path === '/closed' ? reply(403, { closed: true }) : next())))
  app.get('/open', () => ({ open: true }))
  app.get('/empty', () => null)
  const client = app.client()
  const closed = await client.get('/closed')
  t.deepEqual([closed.status, await closed.json()], [403, { closed: true }])
  t.deepEqual(await (await client.get('/open')).json(), { open: true })
  t.is((await client.get('/empty')).status, 204)
  t.is((await client.get('/none')).status, 404)
})

test('register and note may give nothing, and register nothing but a function', t => {
  const app = kolba()
  const quiet = decorator('quiet', (_ctx, next) => next(), {
    note: () => undefined as never,
    register: () => undefined,
  })
  app.get('/quiet', quiet, () => 1)
  t.deepEqual(app.routes()[0]?.notes, [])
  const late = decorator('late', (_ctx, next) => next(), { register: (async () => {}) as never })
  t.throws(() => app.get('/late', late, () => 1), {
    instanceOf: TypeError,
    message: 'GET /late: register of late gives what is no function. Return a function (ctx, next), or undefined.',
  })
})

test('a composition that adds to ctx runs without an app', t => {
  const named = decorator('named', (_ctx, next: Next<{ user: string }>) => next({ user: 'ann' }))
  t.is(named((ctx: { user: string }) => ctx.user)({} as never), 'ann')
})

test('afterBody stands below the last decorator that reads the body, in the order of the stack', async t => {
  const steps: string[] = []
  const step = (name: string) => (_ctx: unknown, next: () => unknown) => {
    steps.push(name)
    return next()
  }
  const plain = (name: string) => decorator(name, step(name))
  const reader = (name: string) => decorator(name, step(name), { reads: true })
  const double = (name: string) =>
    decorator(name, step(name), { register: () => ({ afterBody: step(`${name} after the body`) }) })
  const app = kolba()
  const note = () => steps.push('handler')
  app.get('/both', double('a'), plain('b'), reader('c'), double('d'), reader('e'), double('f'), plain('g'), note)
  app.get('/none', double('a'), plain('b'), note)
  await app.client().get('/both')
  const after = ['a after the body', 'd after the body', 'f', 'f after the body']
  t.deepEqual(steps.splice(0), ['a', 'b', 'c', 'd', 'e', ...after, 'g', 'handler'])
  await app.client().get('/none')
  t.deepEqual(steps, ['a', 'a after the body', 'b', 'handler'])
})

test('afterBody may come with an around of its own, and is refused where it is no function', async t => {
  const app = kolba()
  const stacked = decorator('stacked', () => 'unused', {
    register: () => ({
      around: async (_ctx, next) => `${await next()}!`,
      afterBody: async (_ctx, next) => `${await next()}?`,
    }),
  })
  app.get('/', stacked, () => 'what')
  t.is(await (await app.client().get('/')).text(), 'what?!')
  const wrong = decorator('wrong', (_ctx, next) => next(), { register: () => ({ afterBody: 1 }) as never })
  t.throws(() => app.get('/wrong', wrong, () => 1), {
    message: 'GET /wrong: register of wrong gives what is no function. Return a function (ctx, next), or undefined.',
  })
})

test('app.match() finds an endpoint and its parameters, or the methods that a path allows', t => {
  const app = kolba()
  app.get('/books/:id', () => 1)
  t.deepEqual({ ...app.match('GET', '/books/7').params }, { id: '7' })
  t.is(app.match('HEAD', '/books/7').endpoint?.route.path, '/books/:id')
  t.deepEqual(app.match('PUT', '/books/7'), { params: {}, allow: ['HEAD', 'GET'] })
})

test('app.get() runs no query that the handler returns: a builder has a then, which is for the decorators to call', async t => {
  const db = knexOnSqlite()
  t.teardown(() => db.destroy())
  await db.schema.createTable('book', table => void table.integer('id'))
  await db('book').insert([{ id: 1 }, { id: 2 }, { id: 3 }])
  const ran: string[] = []
  db.on('query', ({ sql }) => ran.push(sql))
  const first = decorator('first', (_ctx, next) => (next() as unknown as Knex.QueryBuilder).limit(1))
  const app = kolba()
  app.get('/first', first, () => db('book'))
  app.get('/all', () => db('book'))
  t.deepEqual(await (await app.client().get('/first')).json(), [{ id: 1 }])
  t.deepEqual(ran, ['select * from `book` limit ?'])
  t.deepEqual(await (await app.client().get('/all')).json(), [{ id: 1 }, { id: 2 }, { id: 3 }])
  t.is(ran.length, 2)
})
