import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { kolba, type Route, reply } from 'kolba'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { keeping, layer, trace } from '../support/layers.ts'

const refused = (message: string) => ({ instanceOf: TypeError, message })
/** Any arguments at all, as from plain JavaScript. */
type Loose = Record<
  'get' | 'route' | 'use' | 'before' | 'after' | 'onStart' | 'onStop' | 'onError',
  (...args: unknown[]) => void
>
const loose = () => kolba() as unknown as Loose

test('kolba() answers a request with what the handler returns', async t => {
  const app = kolba()
  app.get('/hello/:name', ctx => `Hello, ${ctx.params.name}!`)
  const response = await app.client().get('/hello/Ada')
  t.is(response.status, 200)
  t.is(await response.text(), 'Hello, Ada!')
})

test('kolba() is a Koa app', t => {
  t.true(kolba() instanceof Koa)
})

test('app has every verb', async t => {
  const app = kolba()
  const answer = (ctx: { method: string }) => ctx.method
  app.get('/', answer)
  app.post('/', answer)
  app.put('/', answer)
  app.patch('/', answer)
  app.delete('/', answer)
  app.options('/', answer)
  app.query('/', answer)
  app.head('/head', ctx => {
    ctx.set('X-Head', 'yes')
    return null
  })
  app.all('/all', answer)
  app.route(['put', 'PATCH'], '/save', answer)
  const client = app.client()
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])
    t.is(await (await client.fetch('/', { method })).text(), method)
  t.is((await client.head('/head')).headers.get('x-head'), 'yes')
  for (const method of ['GET', 'QUERY', 'OPTIONS', 'PROPFIND', 'TRACE'])
    t.is(await (await client.fetch('/all', { method })).text(), method)
  t.is(await (await client.put('/save')).text(), 'PUT')
  t.is(await (await client.patch('/save')).text(), 'PATCH')
  t.is((await client.get('/save')).status, 405)
})

test('app.get() takes eight decorators, and more at run time', async t => {
  const app = kolba()
  const [a, b, c, d, e, f, g, h] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(layer) as [
    never,
    never,
    never,
    never,
    never,
    never,
    never,
    never,
  ]
  app.get('/', a, b, c, d, e, f, g, h, ctx => trace(ctx).join(''))
  t.is(await (await app.client().get('/')).text(), 'abcdefgh')
})

test('app.get() gives the handler back', t => {
  const app = kolba()
  const show = () => 'x'
  t.is(app.get('/x', layer('a'), show), show)
})

test('app.routes() is the routes as data, in the order of their registration', t => {
  const app = kolba()
  function list() {
    return []
  }
  const items = layer('items')
  app.group('/v1', layer('group')).get('/items', items, list)
  app.route(['PUT', 'PATCH'], '/items/:id', () => null)
  app.mount('/koa', new Koa())
  const [first, second, ...more] = app.routes() as [Route, Route]
  t.deepEqual(
    { ...first, decorators: first.decorators.map(({ name }) => name) },
    {
      methods: ['GET'],
      path: '/v1/items',
      name: 'list',
      decorators: ['group', 'items'],
      handler: list,
      notes: [],
      app,
    },
  )
  t.is(first.decorators[1], items)
  t.deepEqual([second.methods, second.path, second.name], [['PUT', 'PATCH'], '/items/:id', undefined])
  t.deepEqual(more, [])
})

test('app.routes() cannot be changed from outside', t => {
  const app = kolba()
  app.get('/', () => 1)
  ;(app.routes() as Route[]).pop()
  t.is(app.routes().length, 1)
})

test('ctx.route is the route as data, and undefined where there is none', async t => {
  const app = kolba()
  const seen: unknown[] = []
  app.before(ctx => void seen.push(ctx.route))
  app.after(ctx => void seen.push(ctx.route?.path))
  app.get('/:id', ctx => ctx.route?.path)
  t.is(await (await app.client().get('/7')).text(), '/:id')
  await app.client().get('/a/b')
  t.deepEqual(seen, [undefined, '/:id', undefined, undefined])
})

// What is refused when it is registered.

const refusals: [title: string, act: (app: Loose) => void, message: string][] = [
  [
    'a decorator that was not called',
    app => app.get('/books', json, () => 1),
    'GET /books: json is not a decorator. Did you mean json()? A handler goes last.',
  ],
  [
    'a handler that is not last',
    app => app.get('/books', () => 1, json()),
    'GET /books: the decorator json stands last. Put the handler last.',
  ],
  [
    'a handler before another',
    app =>
      app.get(
        '/books',
        json(),
        () => 1,
        () => 2,
      ),
    'GET /books: the function at place 2 is not a decorator. Did you mean f()? A handler goes last.',
  ],
  [
    'a value in the stack',
    app => app.get('/books', json(), 5, () => 2),
    'GET /books: argument 2 of the stack is not a decorator.',
  ],
  ['no handler', app => app.get('/books'), 'GET /books: there is no handler. Give a function as the last argument.'],
  [
    'an object for a handler',
    app => app.get('/books', json(), {}),
    'GET /books: there is no handler. Give a function as the last argument.',
  ],
  ['no path', app => app.get(() => 1), "GET () => 1: the path is not a string. Write app.get('/books', ...)."],
  [
    'a path without a slash',
    app => app.get('books', () => 1),
    "GET books: a path starts with a slash. Write '/books'.",
  ],
  ['an empty path', app => app.get('', () => 1), "GET : a path starts with a slash. Write '/'."],
  [
    'a pattern in parentheses',
    app => app.get('/:id(\\d+)', () => 1),
    'GET /:id(\\d+): the path cannot be read: a pattern in parentheses is gone: check the value in the handler, or with input().',
  ],
  [
    'a pattern without a name',
    app => app.get('/(.*)', () => 1),
    'GET /(.*): the path cannot be read: a wildcard has a name: write /*rest for /*.',
  ],
  [
    'an optional parameter of old',
    app => app.get('/books/:page?', () => 1),
    'GET /books/:page?: the path cannot be read: an optional part stands in braces: write {/:page} for /:page?.',
  ],
  [
    'an optional group of old',
    app => app.get('/books{/:page}?', () => 1),
    'GET /books{/:page}?: the path cannot be read: an optional part stands in braces: write {/:page} for /:page?.',
  ],
  [
    'an optional letter of old',
    app => app.get('/colou?r', () => 1),
    'GET /colou?r: the path cannot be read: an optional part stands in braces: write {/:page} for /:page?.',
  ],
  [
    'a wildcard without a name',
    app => app.get('/files/*', () => 1),
    'GET /files/*: the path cannot be read: a wildcard has a name: write /*rest for /*.',
  ],
  ['a wildcard alone', app => app.get('*', () => 1), "GET *: a path starts with a slash. Write '/*rest'."],
  [
    'a repeated parameter of old',
    app => app.get('/files/:rest+', () => 1),
    'GET /files/:rest+: the path cannot be read: a repeated part is a wildcard: write /*rest for /:rest+.',
  ],
  [
    'a repeated parameter of old, or none',
    app => app.get('/files/:rest*', () => 1),
    'GET /files/:rest*: the path cannot be read: a repeated part is a wildcard: write {/*rest} for /:rest*.',
  ],
  [
    'a repeated group of old',
    app => app.get('/files{/:rest}+', () => 1),
    'GET /files{/:rest}+: the path cannot be read: a repeated part is a wildcard: write /*rest for /:rest+.',
  ],
  [
    'a parameter without a name',
    app => app.get('/books/:', () => 1),
    'GET /books/:: the path cannot be read: Missing parameter name at index 8.',
  ],
  [
    'a brace that is not closed',
    app => app.get('/books{/:id', () => 1),
    'GET /books{/:id: the path cannot be read: Unexpected end at index 11, expected }.',
  ],
  [
    'a letter that a URL has only encoded',
    app => app.get('/café', () => 1),
    "GET /café: no request has such a path. Write '/caf%C3%A9'.",
  ],
  ['a space', app => app.get('/a b/:id', () => 1), "GET /a b/:id: no request has such a path. Write '/a%20b/:id'."],
  [
    'an empty segment',
    app => app.get('/a//b', () => 1),
    'GET /a//b: no request has such a path. Leave out dot segments, empty segments, queries and needless encoding.',
  ],
  [
    'a dot segment',
    app => app.get('/a/../:id', () => 1),
    'GET /a/../:id: no request has such a path. Leave out dot segments, empty segments, queries and needless encoding.',
  ],
  [
    'a needless encoding',
    app => app.get('/%41', () => 1),
    'GET /%41: no request has such a path. Leave out dot segments, empty segments, queries and needless encoding.',
  ],
  ['a percent sign alone', app => app.get('/100%', () => 1), "GET /100%: no request has such a path. Write '/100%25'."],
  [
    'a query',
    app => app.get('/a\\?b=1', () => 1),
    'GET /a\\?b=1: no request has such a path. Leave out dot segments, empty segments, queries and needless encoding.',
  ],
  [
    'a regular expression',
    app => app.get(/books/, () => 1),
    "GET /books/: the path is not a string. Write app.get('/books', ...).",
  ],
  [
    'a parameter that stands twice',
    app => app.get('/:id/:id', () => 1),
    'GET /:id/:id: the parameter id stands twice in the path. Rename one.',
  ],
  [
    'an unknown method',
    app => app.route('FETCH', '/x', () => 1),
    "route /x: FETCH is no method. Give one like 'GET' or ['PUT', 'PATCH'].",
  ],
  [
    'one unknown method of two',
    app => app.route(['get', 'fetch'], '/x', () => 1),
    "route /x: FETCH is no method. Give one like 'GET' or ['PUT', 'PATCH'].",
  ],
  [
    'CONNECT',
    app => app.route('CONNECT', '/x', () => 1),
    "route /x: CONNECT is no method. Give one like 'GET' or ['PUT', 'PATCH'].",
  ],
  [
    'no methods',
    app => app.route([], '/x', () => 1),
    "route /x: an empty list is no method. Give one like 'GET' or ['PUT', 'PATCH'].",
  ],
  [
    'a path of Flask',
    app => app.get('/f/<int:id>/x', () => 1),
    "GET /f/<int:id>/x: a parameter begins with a colon here. Write '/f/:id/x'.",
  ],
  [
    'a path of OpenAPI',
    app => app.get('/f/{id}', () => 1),
    "GET /f/{id}: a parameter begins with a colon here. Write '/f/:id'.",
  ],
  [
    'a handler in the manner of Express',
    app => app.get('/x', (_req: unknown, _res: unknown) => 1),
    'GET /x: the handler takes 2 arguments. It is given ctx alone, and returns the answer.',
  ],
  [
    'a Koa middleware in a stack',
    app =>
      app.get(
        '/x',
        (_ctx: unknown, _next: unknown) => 1,
        () => 1,
      ),
    'GET /x: the function at place 1 is not a decorator. A Koa middleware is one as middleware(f), from kolba/middleware.',
  ],
  [
    'a middleware with a path',
    app => app.use('/api', () => 1),
    "use: it takes no path. Say group('/api', middleware(f)), with that of kolba/middleware.",
  ],
  [
    'a middleware of Express',
    app => app.use((_req: unknown, _res: unknown, _next: unknown) => 1),
    'use: this takes (req, res, next). A Koa middleware is (ctx, next).',
  ],
  [
    'a path before the methods',
    app => app.route('/x', () => 1),
    "route () => 1: the methods stand before the path. Write route('GET', '/x', ...).",
  ],
  ['a hook that is none', app => app.before('x'), 'before: this is no function. Give one that takes ctx.'],
  ['a hook after that is none', app => app.after({}), 'after: this is no function. Give one that takes ctx.'],
  ['a hook at the start that is none', app => app.onStart(), 'onStart: this is no function. Give one.'],
  ['a hook at the end that is none', app => app.onStop(5), 'onStop: this is no function. Give one.'],
  [
    'an error that is no class',
    app => app.onError({}, () => 1),
    'onError: the first argument is no class of errors. Write onError(NotFound, error => ...).',
  ],
  [
    'a function in the place of a class of errors',
    app => app.onError(() => 1, Error),
    'onError: the first argument is no class of errors. Write onError(NotFound, error => ...).',
  ],
  [
    'a handler of errors that is none',
    app => app.onError(RangeError, 5),
    'onError RangeError: this is no function. Give one that takes ctx.',
  ],
  ['a middleware that is none', app => app.use(5), 'use: this is no function. Give a Koa middleware, or a decorator.'],
]
for (const [title, act, message] of refusals) {
  test(`app refuses ${title}`, t => {
    t.throws(() => act(loose()), refused(message))
  })
}

const twice: [title: string, first: string, second: string, message: string][] = [
  ['the same path', '/books', '/books', 'GET /books: GET /books is there already. Change or remove one of them.'],
  [
    'the same path with a slash',
    '/books',
    '/books/',
    'GET /books/: GET /books is there already. Change or remove one of them.',
  ],
  [
    'the same path with other names',
    '/books/:id',
    '/books/:isbn',
    'GET /books/:isbn: GET /books/:id is there already. Change or remove one of them.',
  ],
  [
    'the same path with an optional part',
    '/books{/:page}',
    '/books{/:other}',
    'GET /books{/:other}: GET /books{/:page} is there already. Change or remove one of them.',
  ],
  [
    'a literal path below a parameter',
    '/books/:id',
    '/books/new',
    'GET /books/new: it would never run, because GET /books/:id takes its path. Register /books/new before /books/:id.',
  ],
  [
    'a literal path below a wildcard',
    '/*rest',
    '/a/b',
    'GET /a/b: it would never run, because GET /*rest takes its path. Register /a/b before /*rest.',
  ],
  [
    'a literal path below an optional part',
    '/books{/:page}',
    '/books',
    'GET /books: it would never run, because GET /books{/:page} takes its path. Register /books before /books{/:page}.',
  ],
]
for (const [title, first, second, message] of twice) {
  test(`app refuses ${title}`, t => {
    const app = kolba()
    app.get(first, () => 1)
    t.throws(() => app.get(second, () => 2), refused(message))
  })
}

test('app refuses one method of several that is there already, and all of them', t => {
  const app = kolba()
  app.put('/books/:id', () => 1)
  t.throws(
    () => app.route(['PATCH', 'PUT'], '/books/:id', () => 2),
    refused('PATCH|PUT /books/:id: PUT /books/:id is there already. Change or remove one of them.'),
  )
  t.throws(
    () => app.all('/books/:id', () => 2),
    refused('ALL /books/:id: PUT /books/:id is there already. Change or remove one of them.'),
  )
})

test('app takes a literal path before the parameter, and paths that differ by case or method', async t => {
  const app = kolba()
  app.get('/books/new', () => 'new')
  app.get('/books/:id', () => 'id')
  app.post('/books/:id', () => 'post')
  app.get('/Books/new', () => 'New')
  const client = app.client()
  t.is(await (await client.get('/books/new')).text(), 'new')
  t.is(await (await client.get('/books/old')).text(), 'id')
  t.is(await (await client.get('/Books/new')).text(), 'New')
})

test('app refuses a name that another handler has', t => {
  const app = kolba()
  app.get('/a', function show() {
    return 1
  })
  t.throws(
    () =>
      app.get('/b', function show() {
        return 2
      }),
    refused("GET /b: the name show is taken by GET /a. Rename the handler, or name its blueprint: blueprint('books')."),
  )
})

// Koa middleware.

test('app.use() runs a Koa middleware before the routes, also when it comes after them', async t => {
  const app = kolba()
  app.get('/', ctx => `handler ${ctx.state.first} ${ctx.state.second}`)
  app.use((ctx, next) => {
    ctx.state.first = 1
    return next()
  })
  app.use(async (ctx, next) => {
    ctx.state.second = ctx.state.first + 1
    await next()
    ctx.body = `${ctx.body}!`
  })
  t.is(await (await app.client().get('/')).text(), 'handler 1 2!')
})

test('app.use() takes koa-bodyparser', async t => {
  const app = kolba({ logger: keeping() })
  app.use(bodyParser())
  app.post('/', json(), ctx => ctx.request.body)
  const client = app.client()
  t.deepEqual(await (await client.post('/', { json: { a: [1] } })).json(), { a: [1] })
  t.is((await client.post('/', { body: '{', headers: { 'content-type': 'application/json' } })).status, 400)
})

test('middleware() lifts koa-bodyparser into the stack of one route', async t => {
  const app = kolba()
  app.post('/with', layer('a'), middleware(bodyParser()), json(), ctx => [trace(ctx), ctx.request.body])
  app.post('/without', json(), ctx => [ctx.request.body ?? null])
  const client = app.client()
  t.deepEqual(await (await client.post('/with', { json: { a: 1 } })).json(), [['a'], { a: 1 }])
  t.deepEqual(await (await client.post('/without', { json: { a: 1 } })).json(), [null])
})

test('middleware() keeps the status and headers that the Koa middleware sets, over whatever value', async t => {
  const app = kolba()
  const teapot = middleware(async (ctx, next) => {
    await next()
    ctx.status = 418
    ctx.set('X-Kind', 'teapot')
  })
  const forbidden = middleware(ctx => {
    ctx.body = null
    ctx.status = 403
  })
  app.get('/value', teapot, () => 'tea')
  app.get('/reply', teapot, () => reply(201, 'tea', { 'X-Kind': 'cup', 'X-Of': 'china' }))
  app.get('/nothing', forbidden, () => 'secret')
  const client = app.client()
  for (const path of ['/value', '/reply']) {
    const response = await client.get(path)
    t.deepEqual([response.status, response.headers.get('x-kind'), await response.text()], [418, 'teapot', 'tea'])
  }
  t.is((await client.get('/reply')).headers.get('x-of'), 'china')
  t.is((await client.get('/nothing')).status, 403)
})

test('middleware() refuses what is no function', t => {
  t.throws(
    () => middleware(5 as never),
    refused('middleware: this is no function. Give a Koa middleware, as in middleware(compress()).'),
  )
})

// Hooks.

test('app.before() and app.after() run in order, around routes and where there is none', async t => {
  const app = kolba()
  const steps: unknown[] = []
  app.before(() => void steps.push('before 1'))
  app.before(async () => void steps.push('before 2'))
  app.after(ctx => void steps.push(`after 1 ${ctx.status} ${ctx.body}`))
  app.after(ctx => void ctx.set('X-After', String(ctx.status)))
  app.get('/', () => {
    steps.push('handler')
    return 'value'
  })
  const response = await app.client().get('/')
  t.is(response.headers.get('x-after'), '200')
  t.deepEqual(steps, ['before 1', 'before 2', 'handler', 'after 1 200 value'])
  t.is((await app.client().get('/none')).headers.get('x-after'), '404')
})

test('app.before() answers with what it returns', async t => {
  const app = kolba()
  app.before(ctx => (ctx.path === '/open' ? undefined : reply(401, 'closed', { 'X-Why': 'before' })))
  app.before(ctx => (ctx.path === '/open' ? undefined : 'not asked'))
  app.after(ctx => void ctx.set('X-After', 'yes'))
  app.get('/open', () => 'open')
  app.get('/closed', () => t.fail('the handler must not run') as never)
  const client = app.client()
  t.is(await (await client.get('/open')).text(), 'open')
  const closed = await client.get('/closed')
  t.deepEqual([closed.status, await closed.text(), closed.headers.get('x-after')], [401, 'closed', 'yes'])
})

test('app.after() runs for errors too, and may replace the answer', async t => {
  const app = kolba({ logger: keeping() })
  app.after(ctx => {
    if (ctx.status === 500) ctx.body = 'sorry'
  })
  app.get('/', () => {
    throw new Error('no')
  })
  const response = await app.client().get('/')
  t.deepEqual([response.status, await response.text()], [500, 'sorry'])
})

for (const name of ['before', 'after'] as const) {
  test(`an error in app.${name}() is a problem like any other`, async t => {
    const logger = keeping()
    const app = kolba({ logger })
    app[name](() => {
      throw new Error('the hook')
    })
    app.get('/', () => 'x')
    const response = await app.client().get('/')
    t.is(response.status, 500)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.deepEqual(
      logger.errors.map(({ message }) => message),
      ['the hook'],
    )
  })
}

test('app.onStart() is waited for, in order, once', async t => {
  const app = kolba()
  const steps: string[] = []
  app.onStart(async () => {
    await null
    steps.push('first')
  })
  app.onStart(() => void steps.push('second'))
  app.get('/', () => steps.join())
  t.is(await (await app.client().get('/')).text(), 'first,second')
  t.is(await (await app.client({ port: false }).get('/')).text(), 'first,second')
  t.throws(() => app.onStart(() => {}), refused('onStart: the app has started already. Register the hook before.'))
})

test('app.onStart() that fails keeps the app from answering', async t => {
  const app = kolba()
  app.onStart(() => {
    throw new Error('no database')
  })
  app.get('/', () => 'x')
  await t.throwsAsync(app.client().get('/'), { message: 'no database' })
})

test('app.onStop() runs when the app closes, the last first, once, and all of them', async t => {
  const app = kolba()
  const steps: string[] = []
  app.onStop(() => void steps.push('database'))
  app.onStop(() => {
    throw new Error('the queue')
  })
  app.onStop(async () => void steps.push('cache'))
  await t.throwsAsync(app.close(), { message: 'the queue' })
  await t.throwsAsync(app.close(), { message: 'the queue' })
  t.deepEqual(steps, ['cache', 'database'])
})

test('app.onStop() that fails several times gives every error', async t => {
  const app = kolba()
  for (const message of ['a', 'b'])
    app.onStop(() => {
      throw new Error(message)
    })
  const error = await t.throwsAsync(app.close(), {
    instanceOf: AggregateError,
    message: 'onStop: 2 hooks failed. See errors.',
  })
  t.deepEqual(
    (error as AggregateError).errors.map(({ message }) => message),
    ['b', 'a'],
  )
})

async function contexts(t: ExecutionContext, asyncLocalStorage: boolean): Promise<boolean[]> {
  const app = kolba({ asyncLocalStorage })
  const seen: boolean[] = []
  const look = (ctx: object) => seen.push((app.currentContext as object | undefined) === ctx)
  app.use((ctx, next) => {
    look(ctx)
    return next()
  })
  app.before(async ctx => void look(ctx))
  app.after(ctx => void look(ctx))
  app.get('/', layer('a'), async ctx => {
    await new Promise(resolve => setImmediate(resolve))
    look(ctx)
    return 'x'
  })
  const client = app.client()
  await Promise.all([client.get('/'), client.get('/')])
  t.is(app.currentContext, undefined, 'outside of a request')
  return seen
}

test('app.currentContext is the ctx anywhere in a call with asyncLocalStorage', async t => {
  t.deepEqual(await contexts(t, true), Array(8).fill(true))
})

test('app.currentContext is undefined without asyncLocalStorage', async t => {
  t.deepEqual(await contexts(t, false), Array(8).fill(false))
})

test('app.listen() serves the same on a port', async t => {
  const app = kolba({ signals: false })
  app.get('/', layer('a'), ctx => trace(ctx).join())
  const client = app.client({ port: true })
  t.is(await (await client.get('/')).text(), 'a')
  await client.close()
})

test('app.callback() mounts in any Koa app', async t => {
  const app = kolba()
  app.get('/', () => 'kolba')
  const outer = kolba()
  outer.all('/', ctx => {
    ctx.respond = false
    return void (app.callback()(ctx.req, ctx.res) as unknown)
  })
  t.is(await (await outer.client().get('/')).text(), 'kolba')
})
