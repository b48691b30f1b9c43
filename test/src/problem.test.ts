import http from 'node:http'
import vm from 'node:vm'
import test from 'ava'
import createError from 'http-errors'
import { decorator, kolba, type Logger, Problem, problem, reply } from 'kolba'
import { keepErrors } from '../support/log.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { exchange, listening } from '../support/raw.ts'

const ID = /^[\w-]{12}$/
const SECRET = 'the-secret-of-/srv/app/db.ts'

interface Row {
  thrown: () => unknown
  status: number
  /** Members of the document beside type, title, status, instance and requestId. */
  members?: object
  title?: string
  headers?: Record<string, string | null>
  /** The message in the log, where there is a line. */
  log?: string
}

interface Document {
  status: number
  requestId: string
  stack: string[]
}

async function problemOf(response: Response): Promise<Document> {
  return (await response.json()) as Document
}

const withStatus = (status: unknown, more?: object) => Object.assign(new Error(SECRET), { status }, more)

/** What is thrown, and what becomes of it. */
const thrown: Record<string, Row> = {
  'an Error': { thrown: () => new Error(SECRET), status: 500, log: SECRET },
  'an error of another realm': { thrown: () => vm.runInNewContext(`new Error('${SECRET}')`), status: 500, log: SECRET },
  'problem()': { thrown: () => problem(409), status: 409, title: 'Conflict' },
  'problem() with members': {
    thrown: () =>
      problem(402, { type: 'https://example.com/credit', title: 'No credit', detail: 'Pay 5.', balance: 30 }),
    status: 402,
    title: 'No credit',
    members: { type: 'https://example.com/credit', detail: 'Pay 5.', balance: 30 },
  },
  'problem() with an instance and headers': {
    thrown: () => problem(429, { instance: '/quota/7', headers: { 'Retry-After': '60' } }),
    status: 429,
    members: { instance: '/quota/7' },
    headers: { 'retry-after': '60' },
  },
  'problem() with a status of its own among the members': {
    thrown: () => problem(409, { status: 200, requestStatus: 1 }),
    status: 409,
    members: { requestStatus: 1 },
  },
  'problem() of a server error': {
    thrown: () => problem(503, { detail: SECRET, input: SECRET, headers: { 'Retry-After': '5' } }),
    status: 503,
    headers: { 'retry-after': '5' },
    log: SECRET,
  },
  'problem() of an unassigned status': { thrown: () => problem(499), status: 499, title: 'Unknown Error' },
  'http-errors': { thrown: () => createError(404, 'No such book.'), status: 404, members: { detail: 'No such book.' } },
  'http-errors with headers': {
    thrown: () => createError(401, 'Sign in.', { headers: { 'WWW-Authenticate': 'Basic realm="books"' } }),
    status: 401,
    members: { detail: 'Sign in.' },
    headers: { 'www-authenticate': 'Basic realm="books"' },
  },
  'http-errors of a server error': { thrown: () => createError(502, SECRET), status: 502, log: SECRET },
  'http-errors that are not to be shown': {
    thrown: () => createError(403, SECRET, { expose: false }),
    status: 403,
    log: SECRET,
  },
  'an error with a status and no expose': { thrown: () => withStatus(404), status: 404, log: SECRET },
  'an error with statusCode': {
    thrown: () => Object.assign(new Error(SECRET), { statusCode: 413 }),
    status: 413,
    log: SECRET,
  },
  'an error with status 200': { thrown: () => withStatus(200, { expose: true }), status: 500, log: SECRET },
  'an error with status 99': { thrown: () => withStatus(99), status: 500, log: SECRET },
  'an error with status 600': { thrown: () => withStatus(600), status: 500, log: SECRET },
  "an error with status '404'": { thrown: () => withStatus('404'), status: 500, log: SECRET },
  'an error with status NaN': { thrown: () => withStatus(Number.NaN), status: 500, log: SECRET },
  'an error with status 404.5': { thrown: () => withStatus(404.5), status: 500, log: SECRET },
  'an error with headers that are none': { thrown: () => withStatus(409, { headers: 'x' }), status: 409, log: SECRET },
  'a frozen error': { thrown: () => Object.freeze(withStatus(409)), status: 409, log: SECRET },
  null: { thrown: () => null, status: 500, log: 'null was thrown. Throw an Error, or problem(status).' },
  undefined: { thrown: () => undefined, status: 500, log: 'undefined was thrown. Throw an Error, or problem(status).' },
  'a string': { thrown: () => SECRET, status: 500, log: `'${SECRET}' was thrown. Throw an Error, or problem(status).` },
  'a number': { thrown: () => 404, status: 500, log: '404 was thrown. Throw an Error, or problem(status).' },
  'a symbol': {
    thrown: () => Symbol('s'),
    status: 500,
    log: 'Symbol(s) was thrown. Throw an Error, or problem(status).',
  },
  'a function': {
    thrown: () => () => 1,
    status: 500,
    log: '[Function (anonymous)] was thrown. Throw an Error, or problem(status).',
  },
  'an object': {
    thrown: () => ({ status: 404, message: SECRET, expose: true }),
    status: 500,
    log: `{ status: 404, message: '${SECRET}', expose: true } was thrown. Throw an Error, or problem(status).`,
  },
  'an object without a prototype': {
    thrown: () => Object.create(null),
    status: 500,
    log: '[Object: null prototype] {} was thrown. Throw an Error, or problem(status).',
  },
  'a reply()': {
    thrown: () => reply(200, SECRET),
    status: 500,
    log: `Reply { status: 200, body: '${SECRET}', headers: {} } was thrown. Throw an Error, or problem(status).`,
  },
}

for (const [name, row] of Object.entries(thrown)) {
  for (const way of ['at once', 'later', 'from a middleware', 'from a hook']) {
    test(`${name}, thrown ${way}, is a problem with ${row.status}`, async t => {
      const { logger, errors } = keepErrors()
      const app = kolba({ logger })
      const fail = () => {
        throw row.thrown()
      }
      if (way === 'from a middleware') app.use(fail)
      if (way === 'from a hook') app.before(fail)
      app.get('/it/:x', way === 'later' ? async () => fail() : fail)
      const response = await app.client().get('/it/7?key=input')
      const text = await response.text()
      const { type, title, status, detail, instance, requestId, ...rest } = JSON.parse(text)

      t.is(response.status, row.status)
      t.is(response.headers.get('content-type'), 'application/problem+json')
      t.is(status, row.status)
      t.is(title, row.title ?? http.STATUS_CODES[row.status])
      t.is(requestId, response.headers.get('x-request-id'))
      for (const [header, value] of Object.entries(row.headers ?? {})) t.is(response.headers.get(header), value)
      if (row.status >= 500) {
        t.deepEqual([type, detail, instance, rest], ['about:blank', undefined, undefined, {}])
      } else {
        const usual = { type: 'about:blank', instance: '/it/7' }
        t.deepEqual(JSON.parse(JSON.stringify({ type, detail, instance, ...rest })), { ...usual, ...row.members })
      }
      for (const leak of [SECRET, 'stack', 'node_modules', '.js', 'key=input']) t.false(text.includes(leak), leak)

      t.deepEqual(
        errors.map(line => [line.message, line.requestId, line.path]),
        row.log ? [[row.log, requestId, '/it/7']] : [],
      )
      if (row.log) t.true(errors[0]?.err instanceof Error || name.includes('realm'))
    })
  }
}

test('ctx.throw() and ctx.assert() are problems', async t => {
  const app = kolba()
  app.get('/throw', ctx => ctx.throw(403, 'Members only.', { headers: { 'X-Why': 'guest' } }))
  app.get('/assert', ctx => ctx.assert(ctx.query.name, 400, 'Send a name.'))
  const refused = await app.client().get('/throw')
  t.is(refused.status, 403)
  t.is(refused.headers.get('x-why'), 'guest')
  t.like(await refused.json(), { title: 'Forbidden', detail: 'Members only.' })
  const asserted = await app.client().get('/assert')
  t.is(asserted.status, 400)
  t.like(await asserted.json(), { title: 'Bad Request', detail: 'Send a name.' })
})

test('an error takes the headers that were set before it with it', async t => {
  const app = kolba({ logger: keepErrors().logger })
  app.get('/', ctx => {
    ctx.set({ ETag: '"a"', 'Cache-Control': 'public', 'Content-Encoding': 'gzip', 'Content-Length': '3' })
    ctx.body = 'abc'
    throw problem(409)
  })
  const response = await app.client().get('/')
  t.deepEqual([...response.headers.keys()].sort(), [
    'connection',
    'content-length',
    'content-type',
    'date',
    'x-request-id',
  ])
  t.is((await problemOf(response)).status, 409)
})

test('a status of an error that a middleware leaves without a body is a problem, with the headers that it set', async t => {
  const app = kolba()
  app.use((ctx, next) => {
    if (ctx.path !== '/left') return next()
    ctx.status = 401
    ctx.set('WWW-Authenticate', 'Basic')
  })
  const response = await app.client().get('/left')
  t.is(response.status, 401)
  t.is(response.headers.get('www-authenticate'), 'Basic')
  t.like(await response.json(), { title: 'Unauthorized', status: 401, instance: '/left' })
})

test('a middleware that ends a request without next() is not said to be no route, and the log names the route once', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.use((ctx, next) => {
    if (ctx.query.set) ctx.status = 404
    if (ctx.query.thrown) ctx.throw(404, 'Gone fishing.')
    if (ctx.query.pass) return next()
    if (ctx.query.odd) ctx.url = '/books/%zz'
  })
  app.get('/books/:id', ctx => reply(ctx.params.id === '7' ? 404 : 200))
  const get = async (path: string) => {
    const response = await app.client().get(path)
    t.is(response.status, 404)
    return ((await response.json()) as { detail?: string }).detail
  }
  // Whoever says 404 means it, and where there is no route nothing is kept from one.
  t.is(await get('/books/1?set=1'), 'Nothing is at this path.')
  t.is(await get('/books/1?thrown=1'), 'Gone fishing.')
  t.is(await get('/nowhere'), 'Nothing is at this path.')
  t.is(await get('/books/1?odd=1'), 'Nothing is at this path.')
  t.is(await get('/nowhere?pass=1'), 'Nothing is at this path.')
  t.is(await get('/books/7?pass=1'), 'Nothing is at this path.')
  t.deepEqual(logger.lines, [])
  t.is(await get('/books/1'), undefined)
  t.is(await get('/books/2'), undefined)
  t.is((await app.client().head('/books/1')).status, 404)
  t.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [
      [
        'warn',
        'GET /books/:id: a middleware ended the request without next(), so that the route was not reached. Call next() there, or answer with a body or a status.',
      ],
    ],
  )
})

test('problem() refuses a status that no error has', t => {
  for (const status of [200, 399, 600, 404.5, Number.NaN, '404']) {
    t.throws(() => problem(status as number), {
      instanceOf: RangeError,
      message: `problem: ${typeof status === 'string' ? `"${status}"` : status} is no status of an error. Give a whole number from 400 to 599.`,
    })
  }
})

test('problem() with what JSON cannot hold is a 500 and does not hang', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.get('/', () => {
    throw problem(409, { count: 1n })
  })
  const response = await app.client().get('/')
  t.is(response.status, 500)
  t.like(await response.json(), { status: 500, requestId: response.headers.get('x-request-id') })
  t.is(errors.length, 1)
})

test('an error with headers that HTTP refuses is a 500 and does not hang', async t => {
  const app = kolba({ logger: keepErrors().logger })
  app.get('/', () => {
    throw problem(409, { headers: { 'X-Evil': 'a\r\nb: c' } })
  })
  const response = await app.client().get('/')
  t.is(response.status, 500)
  t.is((await problemOf(response)).status, 500)
})

test('an error whose properties throw is a 500 and does not hang', async t => {
  const app = kolba({ logger: keepErrors().logger })
  app.get('/', () => {
    throw Object.defineProperty(new Error('x'), 'status', {
      get() {
        throw new Error('again')
      },
    })
  })
  t.is((await app.client().get('/')).status, 500)
})

// The id of a request.

test('X-Request-Id is taken from the client where it is well-formed, else made', async t => {
  const app = kolba()
  app.get('/', ctx => ctx.requestId)
  const client = app.client()
  const sent = async (id: string | string[]) => {
    const response = await client.get('/', { headers: { 'X-Request-Id': id } })
    const answered = response.headers.get('x-request-id')
    t.is(answered, await response.text())
    return answered
  }
  for (const id of ['a', '7f3b-1', 'A.b_c:d~e+f/g=', 'x'.repeat(128)]) t.is(await sent(id), id)
  for (const id of ['', 'a b', 'a,b', '"a"', '<b>', 'x'.repeat(129), 'ä', '{"a":1}', ['a', 'b']])
    t.regex((await sent(id)) as string, ID, String(id))
  const made = await client.get('/')
  t.regex(made.headers.get('x-request-id') as string, ID)
})

test('the id of a request is in the header, the problem and the log', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.get('/', () => {
    throw new Error('broken')
  })
  const response = await app.client().get('/', { headers: { 'X-Request-Id': 'mine-7' } })
  t.is(response.headers.get('x-request-id'), 'mine-7')
  t.is((await problemOf(response)).requestId, 'mine-7')
  t.is(errors[0]?.requestId, 'mine-7')
})

// Debug.

test('debug shows message and stack, of client errors too', async t => {
  const app = kolba({ debug: true, logger: keepErrors().logger })
  app.get('/error', function inTheHandler() {
    throw new Error('no database')
  })
  app.get('/problem', () => {
    throw problem(503, { detail: 'The shelf is closed.', shelf: 7 })
  })
  const broken = await problemOf(await app.client().get('/error'))
  t.like(broken, { status: 500, message: 'no database', instance: '/error' })
  t.is(broken.stack[0], 'Error: no database')
  t.true(broken.stack.some((line: string) => line.includes('inTheHandler')))
  const closed = await problemOf(await app.client().get('/problem'))
  t.like(closed, { status: 503, detail: 'The shelf is closed.', shelf: 7 })
})

test('debug shows a browser a page with the failing line', async t => {
  const app = kolba({ debug: true, logger: keepErrors().logger })
  app.get('/', () => {
    throw new Error('no <database>')
  })
  const response = await app.client().get('/', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
  t.is(response.status, 500)
  t.is(response.headers.get('content-type'), 'text/html; charset=utf-8')
  const page = await response.text()
  t.true(page.includes('problem.test'))
  t.true(page.includes('no &lt;database&gt;'))
  t.false(page.includes('no <database>'))
})

test('without debug a browser gets the problem document', async t => {
  const app = kolba({ logger: keepErrors().logger })
  app.get('/', () => {
    throw new Error('no database')
  })
  const response = await app.client().get('/', { headers: { accept: 'text/html' } })
  t.is(response.headers.get('content-type'), 'application/problem+json')
  t.false((await response.text()).includes('database'))
})

test('debug is refused in production', t => {
  t.throws(() => kolba({ debug: true, env: 'production' }), {
    instanceOf: TypeError,
    message: 'kolba: debug shows stacks to clients. Leave it out in production.',
  })
})

// app.onError.

class ShelfError extends Error {}
class BookMissing extends ShelfError {}
class PageMissing extends BookMissing {}

function failing(error: () => unknown, logger: Logger = keepErrors().logger) {
  const app = kolba({ logger })
  app.get('/', () => {
    throw error()
  })
  return app
}

test('onError() chooses the most specific class, in any order of registration', async t => {
  for (const order of [
    [ShelfError, BookMissing, Error],
    [Error, BookMissing, ShelfError],
  ]) {
    const answer = async (error: Error) => {
      const app = failing(() => error)
      for (const type of order) app.onError(type, () => reply(418, type.name))
      return (await app.client().get('/')).text()
    }
    t.is(await answer(new PageMissing()), 'BookMissing')
    t.is(await answer(new BookMissing()), 'BookMissing')
    t.is(await answer(new ShelfError()), 'ShelfError')
    t.is(await answer(new RangeError()), 'Error')
  }
})

for (const [name, value, status, type, body] of [
  ['a reply()', () => reply(404, { missing: true }), 404, 'application/json; charset=utf-8', '{"missing":true}'],
  ['a plain value', () => ({ missing: true }), 500, 'application/json; charset=utf-8', '{"missing":true}'],
  ['a string', () => '<b>', 500, 'text/plain; charset=utf-8', '<b>'],
  ['a promise', async () => reply(410, 'gone'), 410, 'text/plain; charset=utf-8', 'gone'],
  ['a web Response', () => new Response('web', { status: 451 }), 451, 'text/plain;charset=UTF-8', 'web'],
  ['null', () => null, 500, null, ''],
] as const) {
  test(`onError() may return ${name}`, async t => {
    const app = failing(() => new BookMissing('secret')).onError(BookMissing, value)
    const response = await app.client().get('/')
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), type)
    t.is(await response.text(), body)
  })
}

test('onError() keeps the status of the error for a plain value', async t => {
  const app = failing(() => createError(404, 'x')).onError(createError.HttpError as never, () => ({ missing: true }))
  const response = await app.client().get('/')
  t.is(response.status, 404)
  t.deepEqual(await response.json(), { missing: true })
})

for (const [name, handler] of [
  ['returns problem()', () => problem(404, { detail: 'No such book.' })],
  [
    'throws problem()',
    () => {
      throw problem(404, { detail: 'No such book.' })
    },
  ],
  ['rejects with problem()', () => Promise.reject(problem(404, { detail: 'No such book.' }))],
] as const) {
  test(`onError() that ${name} answers with it`, async t => {
    const { logger, errors } = keepErrors()
    const app = failing(() => new BookMissing('row 7'), logger).onError(BookMissing, handler)
    const response = await app.client().get('/')
    t.is(response.status, 404)
    t.like(await response.json(), { detail: 'No such book.', instance: '/' })
    t.deepEqual(errors, [])
  })
}

test('onError() that returns undefined leaves the error as it is', async t => {
  const { logger, errors } = keepErrors()
  const seen: unknown[] = []
  const app = failing(() => new BookMissing('row 7'), logger).onError(BookMissing, (error, ctx) => {
    seen.push(error.message, ctx.path)
  })
  t.is((await app.client().get('/')).status, 500)
  t.deepEqual(seen, ['row 7', '/'])
  t.is(errors[0]?.message, 'row 7')
})

test('onError() that throws again is a 500, and the log has both errors under one id', async t => {
  const { logger, errors } = keepErrors()
  const app = failing(() => new BookMissing('row 7'), logger).onError(BookMissing, () => {
    throw new Error('and again')
  })
  const response = await app.client().get('/')
  t.is(response.status, 500)
  t.deepEqual(
    errors.map(({ message }) => message),
    ['row 7', 'and again'],
  )
  t.is(new Set(errors.map(({ requestId }) => requestId)).size, 1)
})

test('onError() that makes a 503 of an error leaves the error in the log', async t => {
  const { logger, errors } = keepErrors()
  const app = failing(() => new ShelfError('no connection'), logger).onError(ShelfError, () => problem(503))
  t.is((await app.client().get('/')).status, 503)
  t.true(errors.some(({ message }) => message === 'no connection'))
})

test('onError() answers problems too, 404 and 405 of the router among them', async t => {
  const app = kolba()
  app.get('/', () => 'home')
  app.onError(Problem, ({ status }) => reply(status, { sorry: status }))
  const missing = await app.client().get('/nowhere')
  t.is(missing.status, 404)
  t.deepEqual(await missing.json(), { sorry: 404 })
  const wrong = await app.client().delete('/')
  t.is(wrong.status, 405)
  t.is(wrong.headers.get('allow'), 'GET, HEAD, OPTIONS')
  t.deepEqual(await wrong.json(), { sorry: 405 })
})

test('onError() refuses what is no class and no function', t => {
  t.throws(() => kolba().onError('Error' as never, () => 1), {
    instanceOf: TypeError,
    message: 'onError: the first argument is no class of errors. Write onError(NotFound, error => ...).',
  })
  t.throws(() => kolba().onError(BookMissing, 404 as never), {
    instanceOf: TypeError,
    message: 'onError BookMissing: this is no function. Give one that takes ctx.',
  })
})

// The log, and Koa's event.

test("app.on('error') gets the error and ctx, in the place of the log", async t => {
  const { logger, errors } = keepErrors()
  const app = failing(() => new Error('broken'), logger)
  const seen: unknown[] = []
  app.on('error', (error, ctx) => seen.push(error.message, ctx.path, ctx.requestId))
  const response = await app.client().get('/')
  t.deepEqual(seen, ['broken', '/', response.headers.get('x-request-id')])
  t.deepEqual(errors, [])
})

test('an error of the client is emitted and not logged', async t => {
  const { logger, errors } = keepErrors()
  const app = failing(() => problem(409), logger)
  await app.client().get('/')
  t.deepEqual(errors, [])
})

test('app.silent logs nothing', async t => {
  const { logger, errors } = keepErrors()
  const app = failing(() => new Error('broken'), logger)
  app.silent = true
  t.is((await app.client().get('/')).status, 500)
  t.deepEqual(errors, [])
})

test('an error after the headers have gone out cuts the connection and is logged', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger, signals: false })
  app.get('/', async ctx => {
    ctx.res.writeHead(200, { 'Content-Length': '10' })
    ctx.res.write('half')
    throw new Error('too late')
  })
  const { port } = await listening(t, app)
  t.deepEqual(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'), [])
  t.deepEqual(
    errors.map(({ message }) => message),
    ['too late'],
  )
})

test('a hook of app.after() that throws is a 500 in the place of the answer', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.get('/', () => 'fine')
  app.after(() => {
    throw new Error('in the hook')
  })
  const response = await app.client().get('/')
  t.is(response.status, 500)
  t.is((await problemOf(response)).status, 500)
  t.is(errors[0]?.message, 'in the hook')
})

test('an error keeps cookies, security headers and Vary, and drops what was said of the body', async t => {
  const app = kolba()
  app.use(async (ctx, next) => {
    ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': "default-src 'self'", Vary: 'Origin' })
    ctx.cookies.set('seen', '1')
    await next()
  })
  app.get('/', ctx => {
    ctx.set({ ETag: '"1"', 'Cache-Control': 'max-age=60', 'Content-Disposition': 'attachment', Location: '/x' })
    throw problem(409)
  })
  const { status, headers } = await app.client().get('/')
  t.is(status, 409)
  t.is(headers.get('x-content-type-options'), 'nosniff')
  t.is(headers.get('content-security-policy'), "default-src 'self'")
  t.is(headers.get('vary'), 'Origin')
  t.is(headers.get('set-cookie'), 'seen=1; path=/; httponly')
  for (const name of ['etag', 'cache-control', 'content-disposition', 'location']) t.is(headers.get(name), null, name)
})

test('a middleware that does not await next() is a 500 that says so, and no answer comes later', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.use((_ctx, next) => void next())
  app.get('/at-once', async () => 'x')
  app.get('/quick', () => new Promise(resolve => setImmediate(resolve, 'x')))
  app.get('/slow', () => new Promise(resolve => setTimeout(resolve, 20, 'x')))
  app.get('/broken', () => new Promise((_resolve, reject) => setTimeout(reject, 20, new Error('late'))))
  const client = app.client()
  // It has answered by the time that the middleware ends.
  t.is((await client.get('/at-once')).status, 200)
  for (const path of ['/quick', '/slow', '/broken']) {
    const response = await client.get(path)
    t.is(response.status, 500, path)
    t.like(await response.json(), { status: 500, title: 'Internal Server Error' })
  }
  while (errors.length < 4) await new Promise(resolve => setTimeout(resolve, 5))
  const told = 'a middleware ended before the route had answered. Write await next() in what app.use has.'
  t.deepEqual(
    errors.map(({ err }) => err.message),
    [`GET /quick: ${told}`, `GET /slow: ${told}`, `GET /broken: ${told}`, 'late'],
  )
})

test('a middleware may answer for a route that takes too long', async t => {
  const app = kolba()
  app.use(async (ctx, next) => {
    await Promise.race([next(), new Promise(resolve => setTimeout(resolve, 5))])
    if (ctx.body === undefined) ctx.body = 'instead'
  })
  app.get('/', () => new Promise(resolve => setTimeout(resolve, 30, 'late')))
  t.is(await (await app.client().get('/')).text(), 'instead')
})

test('next(error) in a decorator refuses the request, as in Express', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  const auth = decorator('auth', (_ctx, next) => next(new Error('no token') as never))
  app.get('/secret', auth, () => 'the secret')
  t.is((await app.client().get('/secret')).status, 500)
  t.deepEqual(
    errors.map(({ err }) => err.message),
    ['no token'],
  )
})

test('problem() refuses members that are no object', t => {
  t.throws(() => problem(404, 'no such' as never), {
    instanceOf: TypeError,
    message: 'problem: "no such" is no object of members. Write problem(404, { detail: ... }).',
  })
})

test('a problem of a very long path leaves the path out', async t => {
  const response = await kolba()
    .client()
    .get(`/${'a'.repeat(2000)}`)
  t.is(response.status, 404)
  t.false('instance' in ((await response.json()) as object))
})

test("a listener of app.on('error') that throws keeps no request from its answer", async t => {
  const app = kolba()
  const written: unknown[] = []
  app.logger = { info() {}, warn() {}, error: (...fields) => void written.push(fields) }
  app.on('error', () => {
    throw new Error('tracker')
  })
  app.get('/', () => {
    throw new Error('first')
  })
  app.get('/json', () => 1n)
  for (const path of ['/', '/json']) t.is((await app.client().get(path)).status, 500, path)
  t.is(written.length, 2)
})

test.serial('the log on the console says what an error came of', async t => {
  const written: string[] = []
  const { error } = console
  console.error = (line: string) => void written.push(line)
  t.teardown(() => {
    console.error = error
  })
  const app = kolba()
  const root = new RangeError('the root')
  app.get('/', () => {
    throw new Error('above', { cause: new Error('between', { cause: root }) })
  })
  app.get('/round', () => {
    throw Object.assign(root, { cause: root })
  })
  await app.client().get('/')
  t.regex(
    written[0] as string,
    /\nError: above\n(?:.*\n)+Caused by: Error: between\n(?:.*\n)+Caused by: RangeError: the root\n/,
  )
  await app.client().get('/round')
  t.is(written[1]?.match(/the root/g)?.length, 2)
})

test.serial('the log on the console says what a warning came of, as it does of an error', t => {
  const written: string[] = []
  const { warn } = console
  console.warn = (line: string) => void written.push(line)
  t.teardown(() => {
    console.warn = warn
  })
  const err = new Error('above', { cause: new RangeError('the root') })
  kolba().logger.warn({ err, task: 'x' }, 'It failed.')
  kolba().logger.warn({ task: 'x' }, 'Nothing failed.')
  const [first = '', second = ''] = written
  t.regex(first, /^\{"time":"[^"]+","level":"warn","task":"x","message":"It failed\."\}\nError: above\n/)
  t.regex(first, /\nCaused by: RangeError: the root\n/)
  t.regex(second, /^\{"time":"[^"]+","level":"warn","task":"x","message":"Nothing failed\."\}$/)
})
