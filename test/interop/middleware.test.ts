// The middlewares of Koa that are used most, unchanged in app.use: each does its work in front of a route of kolba, and
// answers there as it does in front of @koa/router, but for the problem documents.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import jwt from 'jsonwebtoken'
import Koa from 'koa'
import { kolba, reply } from 'kolba'
import { json } from 'kolba/json'
import { portOf } from '../support/beside-koa.ts'
import { keepErrors } from '../support/log.ts'
import { type Answer, inFrontOf, type Make, testMiddleware } from '../support/middlewares.ts'

const books = [{ id: 1, title: 'Emma' }]
const showBooks = { 'get /books': () => books } as const
const sendsJson = { 'Content-Type': 'application/json' }

/** A folder with files in it, until the test ends. */
function folderOf(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** The cookies of an answer, as a client sends them back. */
function cookiesOf({ headers }: Answer): { cookie: string } {
  return { cookie: (headers['set-cookie'] ?? []).map(line => line.split(';')[0]).join('; ') }
}

testMiddleware('@koa/bodyparser reads bodies, and refuses those that it cannot read', async (t, load) => {
  const bodyParser = load('@koa/bodyparser') as Make
  const echo = (ctx: Koa.Context) => ({ got: (ctx.request as Koa.Request & { body?: unknown }).body })
  const use = (app: Koa) => void app.use(bodyParser({ jsonLimit: '1kb' }))
  const { both, koa, ours } = await inFrontOf(t, { 'post /echo': echo }, use)
  const post = (body: string, type: string) => ({ method: 'POST', body, headers: { 'Content-Type': type } })

  t.is((await both('/echo', post('{"a":[1]}', 'application/json'))).text, '{"got":{"a":[1]}}')
  t.is((await both('/echo', post('a=1&b=2', 'application/x-www-form-urlencoded'))).text, '{"got":{"a":"1","b":"2"}}')
  await both('/echo', post('<a/>', 'application/xml'))
  for (const [body, status] of [
    ['{"a":', 400],
    [`{"a":"${'x'.repeat(2000)}"}`, 413],
  ] as const) {
    t.is((await koa('/echo', post(body, 'application/json'))).status, status)
    const answer = await ours('/echo', post(body, 'application/json'))
    t.is(answer.status, status)
    t.is(answer.headers['content-type'], 'application/problem+json')
  }
})

testMiddleware('@koa/cors answers preflights, and says who may read, errors too', async (t, load) => {
  const cors = load('@koa/cors') as Make
  const fail = (ctx: Koa.Context) => ctx.throw(409, 'taken')
  const use = (app: Koa) => void app.use(cors({ origin: 'https://a.example', credentials: true }))
  const { both, koa, ours } = await inFrontOf(t, { ...showBooks, 'get /fail': fail }, use)
  const from = { Origin: 'https://a.example' }

  const asked = { ...from, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'X-A' }
  const preflight = await both('/books', { method: 'OPTIONS', headers: asked })
  t.is(preflight.status, 204)
  t.is(preflight.headers['access-control-allow-methods'], 'GET,HEAD,PUT,POST,DELETE,PATCH')
  t.is(preflight.headers['access-control-allow-headers'], 'X-A')
  const read = await both('/books', { headers: from })
  t.deepEqual(JSON.parse(read.text), books)
  t.is(read.headers['access-control-allow-origin'], 'https://a.example')
  t.is(read.headers.vary, 'Origin')
  for (const call of [koa, ours]) {
    const { status, headers } = await call('/fail', { headers: from })
    t.is(status, 409)
    t.is(headers['access-control-allow-origin'], 'https://a.example')
    t.is(headers['access-control-allow-credentials'], 'true')
  }
})

testMiddleware('koa-helmet sets its headers on each answer, those to errors too', async (t, load) => {
  const helmet = load('koa-helmet') as Make
  const { both, ours } = await inFrontOf(t, showBooks, app => void app.use(helmet()))
  const { headers } = await both('/books')
  t.is(headers['x-content-type-options'], 'nosniff')
  t.regex(String(headers['content-security-policy']), /^default-src 'self'/)
  t.regex(String(headers['strict-transport-security']), /^max-age=/)
  const missing = await ours('/none')
  t.is(missing.status, 404)
  t.is(missing.headers['content-security-policy'], headers['content-security-policy'])
})

testMiddleware(
  'koa-compress compresses values, streams and problem documents that are long enough',
  async (t, load) => {
    const compress = load('koa-compress') as Make
    const long = Array.from({ length: 200 }, (_, id) => ({ id, title: 'Emma' }))
    const routes = {
      'get /long': () => long,
      'get /short': () => 'short',
      'get /stream': (ctx: Koa.Context) => {
        ctx.type = 'text'
        return Readable.from(['one,', 'two'])
      },
    }
    const { both, ours, app } = await inFrontOf(
      t,
      routes,
      app => void app.use(compress({ threshold: 1024, br: false })),
    )
    app.get('/fail', ctx => ctx.throw(422, 'x'.repeat(2000)))
    const accept = { headers: { 'Accept-Encoding': 'gzip' } }

    const answer = await both('/long', accept)
    t.is(answer.headers['content-encoding'], 'gzip')
    t.is(answer.headers.vary, 'Accept-Encoding')
    t.is(answer.headers['content-length'], undefined)
    t.deepEqual(JSON.parse(gunzipSync(answer.bytes).toString()), long)
    t.is((await both('/short', accept)).headers['content-encoding'], undefined)
    t.is(gunzipSync((await both('/stream', accept)).bytes).toString(), 'one,two')
    t.is((await both('/long')).text, JSON.stringify(long))
    t.is((await both('/long', { ...accept, method: 'HEAD' })).text, '')
    // A problem is made when all middleware is done, so it goes out as it is.
    const refused = await ours('/fail', accept)
    t.is(JSON.parse(refused.text).detail.length, 2000)
  },
)

testMiddleware('koa-static serves files, and leaves the rest to the routes', async (t, load) => {
  const serve = load('koa-static') as Make
  const folder = folderOf(t, { 'a.txt': 'a file', 'index.html': '<p>index' })
  const { both, ours } = await inFrontOf(t, showBooks, app => void app.use(serve(folder, { maxage: 5000 })))
  const file = await both('/a.txt')
  t.is(file.text, 'a file')
  t.is(file.headers['cache-control'], 'max-age=5')
  t.is(file.headers['content-type'], 'text/plain; charset=utf-8')
  t.is((await both('/a.txt', { method: 'HEAD' })).headers['content-length'], '6')
  t.is((await both('/')).text, '<p>index')
  t.deepEqual(JSON.parse((await both('/books')).text), books)
  t.is(JSON.parse((await ours('/none.txt')).text).status, 404)
  t.is((await ours('/%2e%2e/%2e%2e/etc/passwd')).status, 400)
})

testMiddleware('koa-session keeps a session in a signed cookie, and forgets one that is forged', async (t, load) => {
  const session = load('koa-session') as (options: object, app: Koa) => Koa.Middleware
  const count = (ctx: Koa.Context) => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return { views: ctx.session.views }
  }
  const use = (app: Koa) => void app.use(session({ key: 'sess' }, app))
  const { both, ours } = await inFrontOf(t, { 'get /count': count, ...showBooks }, use, { keys: ['key'] })
  const volatile = ['set-cookie']

  const first = await both('/count', {}, volatile)
  t.is(first.text, '{"views":1}')
  t.is(first.headers['set-cookie']?.length, 2)
  const second = await both('/count', { headers: cookiesOf(first) }, volatile)
  t.is(second.text, '{"views":2}')
  const third = await ours('/count', { headers: cookiesOf(second) })
  t.is(third.text, '{"views":3}')
  const { cookie } = cookiesOf(third)
  t.is((await ours('/count', { headers: { cookie: cookie.replace('sess.sig=', 'sess.sig=x') } })).text, '{"views":1}')
  t.is((await both('/books')).headers['set-cookie'], undefined)
})

testMiddleware('koa-logger prints each request with its status and length', async (t, load) => {
  const logger = load('koa-logger') as Make
  const printed: Record<string, unknown[][]> = { koa: [], ours: [] }
  const use = (app: Koa) => {
    const lines = printed[app.constructor === Koa ? 'koa' : 'ours'] as unknown[][]
    // Without the colours and the time: way, method, path, status and length.
    app.use(
      logger((_line: string, [way, ...args]: string[]) =>
        lines.push([/<--|-->|xxx/.exec(way ?? '')?.[0], ...args.filter((_, index) => index !== 3)]),
      ),
    )
  }
  const fail = (ctx: Koa.Context) => ctx.throw(409)
  const { koa, ours } = await inFrontOf(t, { ...showBooks, 'get /fail': fail }, use)
  for (const call of [koa, ours]) {
    await call('/books')
    await call('/fail')
    await setTimeout(5)
  }
  t.deepEqual(printed.ours, printed.koa)
  t.deepEqual(printed.ours, [
    ['<--', 'GET', '/books'],
    ['-->', 'GET', '/books', 200, '25b'],
    ['<--', 'GET', '/fail'],
    ['xxx', 'GET', '/fail', 409, '-'],
  ])
})

testMiddleware('koa-ratelimit counts, and refuses past the limit', async (t, load) => {
  const ratelimit = load('koa-ratelimit') as Make
  const use = (app: Koa) => void app.use(ratelimit({ driver: 'memory', db: new Map(), max: 2, duration: 60_000 }))
  const { both, koa, ours } = await inFrontOf(t, showBooks, use)
  const volatile = ['x-ratelimit-reset']
  for (const left of ['1', '0']) {
    const { status, headers } = await both('/books', {}, volatile)
    t.is(status, 200)
    t.is(headers['x-ratelimit-remaining'], left)
    t.is(headers['x-ratelimit-limit'], '2')
  }
  // It says in how many seconds, which need not be the same for two.
  for (const call of [koa, ours]) {
    const { status, text, headers } = await call('/books')
    t.is(status, 429)
    t.regex(text, /^Rate limit exceeded, retry in /)
    t.true(Number(headers['retry-after']) > 5)
  }
})

testMiddleware('koa-jwt lets in who has a token, and tells the route who it is', async (t, load) => {
  const auth = load('koa-jwt') as Make
  const who = (ctx: Koa.Context) => ({ sub: ctx.state.user.sub })
  const { both, koa, ours } = await inFrontOf(
    t,
    { 'get /me': who },
    app => void app.use(auth({ secret: 'shared secret' })),
  )
  const bearer = (secret: string) => ({ headers: { Authorization: `Bearer ${jwt.sign({ sub: 'me' }, secret)}` } })
  t.is((await both('/me', bearer('shared secret'))).text, '{"sub":"me"}')
  for (const ask of [{}, bearer('another secret')]) {
    t.is((await koa('/me', ask)).text, 'Authentication Error')
    const { status, text } = await ours('/me', ask)
    t.is(status, 401)
    t.is(JSON.parse(text).detail, 'Authentication Error')
  }
})

testMiddleware('koa-mount puts a middleware, or a whole Koa app, under a prefix', async (t, load) => {
  const mount = load('koa-mount') as Make
  const admin = () => {
    const app = new Koa()
    app.use(async (ctx, next) => {
      if (ctx.path === '/pass') return next()
      ctx.body = `admin at ${ctx.path} of ${ctx.originalUrl}`
    })
    return app
  }
  const mark = (ctx: Koa.Context, next: Koa.Next) => {
    ctx.set('X-Mark', ctx.path)
    return next()
  }
  const use = (app: Koa) => {
    app.use(mount('/admin', admin()))
    app.use(mount('/mark', mark))
  }
  const routes = { ...showBooks, 'get /mark/books': () => books, 'get /admin/pass': (ctx: Koa.Context) => ctx.path }
  const { both, ours } = await inFrontOf(t, routes, use)
  t.is((await both('/admin/users')).text, 'admin at /users of /admin/users')
  t.is((await both('/admin/pass')).text, '/admin/pass')
  t.is((await both('/mark/books')).headers['x-mark'], '/books')
  t.is((await both('/books')).headers['x-mark'], undefined)
  t.is((await ours('/none')).status, 404)
})

testMiddleware(
  'koa-mount puts a kolba app into a plain Koa app, with all that its handlers find on ctx',
  async (t, load) => {
    const mount = load('koa-mount') as Make
    const { logger, errors } = keepErrors()
    const inner = kolba({ signals: false, logger })
    inner.get('/sync', ctx => ({ app: ctx.app === inner, path: ctx.path, params: ctx.params }))
    inner.get(
      '/late/:id',
      async ctx => `${await ctx.params.id} at ${ctx.urlFor('late', { id: 1 })} ${ctx.signal.aborted}`,
    )
    inner.route('GET', '/named/:id', function late() {
      return null
    })
    inner.get('/stream', () => Readable.from(['a', 'b']))
    inner.get('/broken', async () => {
      throw new Error('secret')
    })
    inner.post('/sync', () => reply(201, { made: true }))
    inner.get('/by-hand', ctx => {
      ctx.respond = false
      ctx.res.writeHead(200).end('by hand')
    })
    const outer = new Koa()
    outer.use(mount('/in', inner))
    outer.use(ctx => {
      ctx.body = 'outer'
    })
    const port = await portOf(t, outer)
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, init)
      return [response.status, await response.text(), response.headers.get('Content-Type')?.split(';')[0]]
    }
    t.deepEqual(await ask('/in/sync'), [200, '{"app":true,"path":"/sync","params":{}}', 'application/json'])
    const late = `http://127.0.0.1:${port}/named/1`
    t.deepEqual(await ask('/in/late/7'), [200, `7 at ${late} false`, 'text/plain'])
    t.deepEqual(await ask('/in/stream'), [200, 'ab', 'application/octet-stream'])
    t.deepEqual(await ask('/in/sync', { method: 'POST' }), [201, '{"made":true}', 'application/json'])
    t.deepEqual(await ask('/in/by-hand'), [200, 'by hand', undefined])
    t.deepEqual(await ask('/in/none'), [200, 'outer', 'text/plain'])
    const [status, text, type] = await ask('/in/broken')
    t.deepEqual([status, type], [500, 'application/problem+json'])
    t.false(String(text).includes('secret'))
    t.deepEqual(
      errors.map(({ message }) => message),
      ['secret'],
    )
    const [wrong] = await ask('/in/%70rivate')
    t.is(wrong, 400)
  },
)

testMiddleware('koa-send sends a file from a middleware and from a route', async (t, load) => {
  const send = load('koa-send') as (ctx: Koa.Context, path: string, options: object) => Promise<string>
  const root = folderOf(t, { 'a.css': 'p { margin: 0 }' })
  const style = async (ctx: Koa.Context) => {
    await send(ctx, 'a.css', { root, immutable: true, maxAge: 1000 })
  }
  const use = (app: Koa) => {
    app.use(async (ctx, next) => (ctx.path === '/a.css' ? style(ctx) : next()))
  }
  const { both, ours } = await inFrontOf(
    t,
    { 'get /style': style, 'get /gone': ctx => send(ctx, 'b.css', { root }) },
    use,
  )
  for (const path of ['/a.css', '/style']) {
    const { text, headers } = await both(path)
    t.is(text, 'p { margin: 0 }')
    t.is(headers['content-type'], 'text/css; charset=utf-8')
    t.is(headers['cache-control'], 'max-age=1,immutable')
    t.truthy(headers['last-modified'])
  }
  t.is((await ours('/gone')).status, 404)
})

testMiddleware('@koa/etag makes tags of values and bytes', async (t, load) => {
  const etag = load('@koa/etag') as Make
  const routes = { ...showBooks, 'get /text': () => 'text', 'get /own': (ctx: Koa.Context) => (ctx.etag = 'own') }
  const { both } = await inFrontOf(t, routes, app => void app.use(etag()))
  for (const path of ['/books', '/text']) t.regex(String((await both(path)).headers.etag), /^(?:W\/)?"[^"]+"$/)
  t.is((await both('/own')).headers.etag, '"own"')
})

testMiddleware('koa-conditional-get answers 304 where the tag or the date matches', async (t, load) => {
  const conditional = load('koa-conditional-get') as Make
  const etag = load('@koa/etag') as Make
  const dated = (ctx: Koa.Context) => {
    ctx.lastModified = new Date('2026-01-01')
    return 'dated'
  }
  const use = (app: Koa) => void app.use(conditional()).use(etag())
  const { both } = await inFrontOf(t, { ...showBooks, 'get /dated': dated }, use)
  const tag = String((await both('/books')).headers.etag)
  const same = await both('/books', { headers: { 'If-None-Match': tag } })
  t.is(same.status, 304)
  t.is(same.text, '')
  t.is(same.headers.etag, tag)
  t.is((await both('/books', { headers: { 'If-None-Match': '"other"' } })).status, 200)
  const since = { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' }
  t.is((await both('/dated', { headers: since })).status, 304)
})

testMiddleware('koa-response-time says how long it took', async (t, load) => {
  const responseTime = load('koa-response-time') as Make
  const slow = () => setTimeout(15, 'slow')
  const { both, ours } = await inFrontOf(t, { 'get /slow': slow }, app => void app.use(responseTime()))
  await both('/slow', {}, ['x-response-time'])
  const { headers } = await ours('/slow')
  t.regex(String(headers['x-response-time']), /^\d+ms$/)
  t.true(Number.parseInt(String(headers['x-response-time']), 10) >= 14)
})

testMiddleware('koa-favicon gives the icon, and nothing else', async (t, load) => {
  const favicon = load('koa-favicon') as Make
  const path = join(folderOf(t, { 'favicon.ico': 'icon' }), 'favicon.ico')
  const { both, ours } = await inFrontOf(t, showBooks, app => void app.use(favicon(path, { maxAge: 1000 })))
  const icon = await both('/favicon.ico')
  t.is(icon.text, 'icon')
  t.is(icon.headers['content-type'], 'image/x-icon')
  t.is(icon.headers['cache-control'], 'public, max-age=1')
  t.is((await both('/favicon.ico', { method: 'OPTIONS' })).headers.allow, 'GET, HEAD, OPTIONS')
  t.is((await ours('/favicon.ico', { method: 'POST' })).status, 405)
  t.deepEqual(JSON.parse((await both('/books')).text), books)
})

testMiddleware('@koa/ejs renders a page from a route', async (t, load) => {
  const render = load('@koa/ejs') as (app: Koa, options: object) => void
  const root = folderOf(t, {
    'layout.html': '<main><%- body %></main>',
    'books.html': '<%= user %>: <%= books[0].title %>',
  })
  const page = (ctx: Koa.Context) => {
    ctx.state.user = '<me>'
    return ctx.render('books', { books })
  }
  const { both } = await inFrontOf(t, { 'get /page': page, 'get /left': async ctx => void (await page(ctx)) }, app =>
    render(app, { root }),
  )
  for (const path of ['/page', '/left']) {
    const { text, headers } = await both(path)
    t.is(text, '<main>&lt;me&gt;: Emma</main>')
    t.is(headers['content-type'], 'text/html; charset=utf-8')
  }
})

testMiddleware('koa-pino-logger logs each request and error, and gives the route a log', async (t, load) => {
  const pino = load('koa-pino-logger') as Make
  const written: Record<string, string[]> = { koa: [], ours: [] }
  const use = (app: Koa) => {
    const lines = written[app.constructor === Koa ? 'koa' : 'ours'] as string[]
    app.use(pino({}, { write: (line: string) => lines.push(line) }))
  }
  const noted = (ctx: Koa.Context) => {
    ctx.log.info('from the route')
    return 'noted'
  }
  const fail = () => {
    throw new Error('broken')
  }
  const { koa, ours } = await inFrontOf(t, { 'get /noted': noted, 'get /fail': fail }, use)
  for (const call of [koa, ours]) {
    await call('/noted')
    await call('/fail')
    await setTimeout(5)
  }
  const read = (lines: string[] = []) =>
    lines
      .map(line => JSON.parse(line))
      .map(({ msg, level, req, res, err }) => [msg, level, req?.url, res?.statusCode, err?.message])
  t.deepEqual(read(written.ours), read(written.koa))
  t.deepEqual(
    read(written.ours).map(([msg]) => msg),
    ['from the route', 'request completed', 'broken', 'request errored'],
  )
})

testMiddleware('koa-i18n speaks the language of the query, of a cookie or of the header', async (t, load) => {
  const locale = load('koa-locale') as (app: Koa) => void
  const i18n = load('koa-i18n') as (app: Koa, options: object) => Koa.Middleware
  const directory = folderOf(t, { 'en.json': '{"hello":"Hello"}', 'de.json': '{"hello":"Guten Tag"}' })
  const use = (app: Koa) => {
    locale(app)
    app.use(i18n(app, { directory, locales: ['en', 'de'], extension: '.json', modes: ['query', 'cookie', 'header'] }))
  }
  const { both } = await inFrontOf(t, { 'get /hello': ctx => `${ctx.i18n.__('hello')}, ${ctx.state.__('hello')}` }, use)
  t.is((await both('/hello')).text, 'Hello, Hello')
  t.is((await both('/hello?locale=de')).text, 'Guten Tag, Guten Tag')
  t.is((await both('/hello', { headers: { Cookie: 'locale=de' } })).text, 'Guten Tag, Guten Tag')
  t.is((await both('/hello', { headers: { 'Accept-Language': 'de' } })).text, 'Guten Tag, Guten Tag')
})

interface Passport {
  serializeUser(run: (user: { id: number }, done: (error: null, id: number) => void) => void): void
  deserializeUser(run: (id: number, done: (error: null, user: object) => void) => void): void
  use(strategy: object): void
  initialize: Make
  session: Make
  authenticate: Make
}

testMiddleware('koa-passport signs a user in by password, and knows who it is by the session', async (t, load) => {
  const KoaPassport = (load('koa-passport') as { KoaPassport: new () => Passport }).KoaPassport
  const { Strategy } = load('passport-local') as {
    Strategy: new (
      verify: (name: string, password: string, done: (error: null, user: unknown) => void) => void,
    ) => object
  }
  const passport = new KoaPassport()
  passport.serializeUser((user, done) => done(null, user.id))
  passport.deserializeUser((id, done) => done(null, { id, name: 'me' }))
  passport.use(new Strategy((name, password, done) => done(null, password === 'right' && { id: 7, name })))
  const session = load('koa-session') as (options: object, app: Koa) => Koa.Middleware
  const bodyParser = load('@koa/bodyparser') as Make
  const login = passport.authenticate('local') as (ctx: Koa.Context, next: Koa.Next) => Promise<void>
  const use = (app: Koa) => {
    app.use(session({}, app)).use(bodyParser()).use(passport.initialize()).use(passport.session())
    app.use((ctx, next) => (ctx.path === '/login' ? login(ctx, next) : next()))
  }
  const me = (ctx: Koa.Context) => (ctx.isAuthenticated() ? ctx.state.user : ctx.throw(401))
  const routes = { 'post /login': (ctx: Koa.Context) => ctx.state.user, 'get /me': me }
  const { both, ours } = await inFrontOf(t, routes, use, { keys: ['key'] })
  const post = (password: string) => ({
    method: 'POST',
    body: JSON.stringify({ username: 'me', password }),
    headers: sendsJson,
  })

  const entered = await both('/login', post('right'), ['set-cookie'])
  t.is(entered.text, '{"id":7,"name":"me"}')
  t.is((await both('/me', { headers: cookiesOf(entered) }, ['set-cookie'])).text, '{"id":7,"name":"me"}')
  t.is((await ours('/login', post('wrong'))).status, 401)
  t.is((await ours('/me')).status, 401)
})

testMiddleware('koa-json makes values and streams of objects legible', async (t, load) => {
  const pretty = load('koa-json') as Make
  const routes = { ...showBooks, 'get /stream': () => Readable.from(books) }
  const { both, app, ours } = await inFrontOf(
    t,
    routes,
    app => void app.use(pretty({ pretty: false, param: 'pretty' })),
  )
  app.get('/rendered', json(), () => books)
  t.is((await both('/books')).text, JSON.stringify(books))
  t.is((await both('/books?pretty')).text, JSON.stringify(books, null, 2))
  t.deepEqual(JSON.parse((await both('/stream')).text), books)
  t.deepEqual(JSON.parse((await ours('/rendered?pretty')).text), books)
})
