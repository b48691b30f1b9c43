// Koa's context: what is there, what may be put there, and ctx.throw(), assert(), onerror(), cookies and state.
import { inspect } from 'node:util'
import test from 'ava'
import type Koa from 'koa'
import { appOf, isStable, type Row, type Seen, talk, testBesideKoa, testReadings } from '../support/beside-koa.ts'
import type { Named } from '../support/koa-differences.ts'

const REQUEST_GETTERS =
  'accept fresh header headers host hostname href idempotent ip ips method origin path protocol query querystring search secure socket stale subdomains url URL'
const RESPONSE_GETTERS = 'body etag headerSent lastModified length message status type writable'

testReadings({
  'ctx.request, response, req, res, app and state': {
    read: ctx => [
      isStable(() => ctx.request),
      isStable(() => ctx.response),
      ctx.request.ctx === ctx,
      ctx.response.ctx === ctx,
      ctx.request.response === ctx.response,
      ctx.response.request === ctx.request,
      ctx.request.app === ctx.app,
      ctx.response.app === ctx.app,
      ctx.request.req === ctx.req,
      ctx.response.req === ctx.req,
      ctx.request.res === ctx.res,
      ctx.response.res === ctx.res,
      isStable(() => ctx.state),
    ],
    is: Array(13).fill(true),
  },
  'ctx inherits from app.context, and its two from app.request and app.response': {
    read: ctx => [
      Object.prototype.isPrototypeOf.call(ctx.app.context, ctx),
      Object.prototype.isPrototypeOf.call(ctx.app.request, ctx.request),
      Object.prototype.isPrototypeOf.call(ctx.app.response, ctx.response),
    ],
    is: [true, true, true],
  },
  'ctx.state is an empty object, of this request alone': {
    read: ctx => {
      const first = { ...ctx.state }
      ctx.state.user = 'me'
      return [first, ctx.state.user, Object.getPrototypeOf(ctx.state) === Object.prototype]
    },
    is: [{}, 'me', true],
  },
  'everything that Koa puts on ctx has its name there': {
    read: ctx => 'app req res request response originalUrl state'.split(' ').filter(name => !(name in ctx)),
    is: [],
  },
  'everything that Koa puts on ctx may be replaced': {
    read: ctx =>
      'app req request res response originalUrl state respond'.split(' ').filter(name => {
        const before = ctx[name]
        const mine = {}
        ctx[name] = mine
        const isMine = ctx[name] === mine
        ctx[name] = before
        return !isMine
      }),
    is: [],
  },
  'ctx.req may be replaced, and the getters follow that of ctx.request': {
    ask: { path: '/a' },
    read: ctx => {
      const other = Object.create(ctx.req, {
        url: { value: '/b', writable: true },
        _parsedUrl: { value: undefined, writable: true },
      })
      ctx.req = other
      const first = ctx.path
      ctx.request.req = other
      return [first, ctx.path, ctx.originalUrl]
    },
    is: ['/a', '/b', '/a'],
  },
  'ctx.request may be replaced, and ctx delegates to the new one': {
    ask: { path: '/a' },
    read: ctx => {
      const real = ctx.request
      ctx.request = Object.create(real, { ip: { get: () => '192.0.2.1' }, path: { get: () => '/mine' } })
      const seen = [ctx.ip, ctx.path, ctx.method]
      ctx.request = real
      return [...seen, ctx.path]
    },
    is: ['192.0.2.1', '/mine', 'GET', '/a'],
  },
  'what is put on ctx, ctx.request and ctx.response stays there': {
    read: ctx => {
      const mark = Symbol('mark')
      Object.assign(ctx, { mine: 1, [mark]: 2 })
      Object.assign(ctx.request, { body: { a: 1 }, [mark]: 3 })
      Object.assign(ctx.response, { mine: 4 })
      const found = [ctx.mine, ctx[mark], (ctx.request as Koa.Request & { body?: unknown }).body]
      return [...found, (ctx.request as never)[mark], (ctx.response as unknown as { mine: 4 }).mine]
    },
    is: [1, 2, { a: 1 }, 3, 4],
  },
  'what inherits from ctx is one as well': {
    ask: { path: '/a?b=1', headers: { Cookie: 'c=2', Accept: 'text/html' } },
    read: ctx => {
      const derived: Koa.Context = Object.create(ctx)
      derived.body = { a: 1 }
      derived.status = 201
      derived.state.user = 'me'
      derived.set('X-A', 'b')
      const read = [derived.path, derived.query.b, derived.cookies.get('c'), derived.accepts('html'), derived.ip]
      return [...read, ctx.body, ctx.status, ctx.state.user, ctx.response.get('X-A'), derived.request === ctx.request]
    },
    is: ['/a', '1', '2', 'html', '127.0.0.1', { a: 1 }, 201, 'me', 'b', true],
  },
  'a Proxy of ctx is one as well': {
    ask: { path: '/a?b=1', headers: { Cookie: 'c=2' } },
    read: ctx => {
      const proxy = new Proxy(ctx, {})
      proxy.body = 'a'
      proxy.etag = 'tag'
      return [proxy.path, proxy.query.b, proxy.cookies.get('c'), proxy.request === ctx.request, ctx.body, ctx.etag]
    },
    is: ['/a', '1', '2', true, 'a', '"tag"'],
  },
  'what inherits from ctx.request and ctx.response is one as well': {
    ask: { path: '/a?b=1' },
    read: ctx => {
      const request: Koa.Request = Object.create(ctx.request)
      const response: Koa.Response = Object.create(ctx.response)
      response.status = 201
      return [request.path, request.query.b, request.host, request.get('Host'), ctx.status, response.writable]
    },
    is: ['/a', '1', 'example.com', 'example.com', 201, true],
  },
  'each getter of ctx.request is on ctx': {
    read: ctx =>
      REQUEST_GETTERS.split(' ').filter(name => !Object.is(ctx[name], (ctx.request as unknown as Koa.Context)[name])),
    // Each of the two makes a list of its own.
    is: ['ips', 'subdomains'],
  },
  'each getter of ctx.response is on ctx': {
    read: ctx => {
      ctx.body = 'a'
      ctx.etag = 'b'
      const response = ctx.response as unknown as Koa.Context
      return RESPONSE_GETTERS.split(' ').filter(name => !Object.is(ctx[name], response[name]))
    },
    is: [],
  },
  'ctx.toJSON() and inspect()': {
    ask: { path: '/a', headers: { 'X-A': 'b' } },
    read: ctx => {
      ctx.remove('X-Request-Id')
      const { response, ...json } = ctx.toJSON()
      return [
        json,
        { ...response, header: { ...response.header } },
        JSON.stringify(ctx.inspect()) === JSON.stringify(ctx.toJSON()),
        JSON.stringify(ctx) === JSON.stringify(ctx.toJSON()),
        inspect(ctx) === inspect(ctx.toJSON()),
      ]
    },
    is: [
      {
        request: { method: 'GET', url: '/a', header: { host: 'example.com', 'x-a': 'b' } },
        app: { subdomainOffset: 2, proxy: false, env: process.env.NODE_ENV ?? 'development' },
        originalUrl: '/a',
        req: '<original node req>',
        res: '<original node res>',
        socket: '<original node socket>',
      },
      { status: 404, message: 'Not Found', header: {} },
      true,
      true,
      true,
    ],
  },
  'ctx.throw() makes the error that it is told': {
    read: ctx => [
      errorOf(() => ctx.throw()),
      errorOf(() => ctx.throw(403)),
      errorOf(() => ctx.throw(400, 'name required')),
      errorOf(() => ctx.throw('something exploded')),
      errorOf(() => ctx.throw(409, 'taken', { user: 'me' })),
      errorOf(() => ctx.throw(409, { user: 'me' })),
      errorOf(() => ctx.throw(400, new Error('cause'))),
      errorOf(() => ctx.throw(new RangeError('as it is'))),
      errorOf(() => ctx.throw(502, 'hidden', { expose: true })),
    ],
    is: [
      { name: 'InternalServerError', message: 'Internal Server Error', status: 500, statusCode: 500, expose: false },
      { name: 'ForbiddenError', message: 'Forbidden', status: 403, statusCode: 403, expose: true },
      { name: 'BadRequestError', message: 'name required', status: 400, statusCode: 400, expose: true },
      { name: 'InternalServerError', message: 'something exploded', status: 500, statusCode: 500, expose: false },
      { name: 'ConflictError', message: 'taken', status: 409, statusCode: 409, expose: true, user: 'me' },
      { name: 'ConflictError', message: 'Conflict', status: 409, statusCode: 409, expose: true, user: 'me' },
      { name: 'Error', message: 'cause', status: 400, statusCode: 400, expose: true },
      { name: 'RangeError', message: 'as it is', status: 500, statusCode: 500, expose: false },
      { name: 'BadGatewayError', message: 'hidden', status: 502, statusCode: 502, expose: true },
    ],
  },
  'ctx.assert() throws where it does not hold': {
    read: ctx => [
      errorOf(() => ctx.assert(true, 401)),
      errorOf(() => ctx.assert(false, 401, 'Please login!', { hint: 'there' })),
      errorOf(() => ctx.assert.equal(1, 2, 409)),
      errorOf(() => ctx.assert.deepEqual({ a: 1 }, { a: 1 }, 409)),
    ],
    is: [
      undefined,
      {
        name: 'UnauthorizedError',
        message: 'Please login!',
        status: 401,
        statusCode: 401,
        expose: true,
        hint: 'there',
      },
      { name: 'ConflictError', message: 'Conflict', status: 409, statusCode: 409, expose: true },
      undefined,
    ],
  },
  'ctx.onerror() without an error does nothing': {
    read: ctx => [ctx.onerror(null as never), ctx.onerror(undefined as never), ctx.headerSent],
    is: [undefined, undefined, false],
  },
  'ctx.cookies reads what the client sent': {
    ask: { headers: { Cookie: 'a=1; b=two%20words; c="3"' } },
    read: ctx => [ctx.cookies.get('a'), ctx.cookies.get('b'), ctx.cookies.get('c'), ctx.cookies.get('none')],
    is: ['1', 'two%20words', '3', undefined],
  },
  'ctx.cookies is made once, and may be set': {
    read: ctx => {
      const { cookies } = ctx
      const isSame = ctx.cookies === cookies
      const mine = { get: () => 'mine' }
      ctx.cookies = mine as never
      return [isSame, ctx.cookies === (mine as unknown), ctx.cookies.get('a')]
    },
    is: [true, true, 'mine'],
  },
  'ctx.cookies is secure where the connection is': {
    read: ctx => [ctx.cookies.secure, thrownBy(() => ctx.cookies.set('a', 'b', { secure: true }))],
    is: [false, 'Error: Cannot send secure cookie over unencrypted connection'],
  },
  'ctx.cookies is secure where a proxy says so': {
    isProxy: true,
    ask: { headers: { 'X-Forwarded-Proto': 'https' } },
    read: ctx => [ctx.cookies.secure, thrownBy(() => ctx.cookies.set('a', 'b', { secure: true }))],
    is: [true, ''],
  },
  'ctx.cookies needs keys to sign with': {
    read: ctx => [
      thrownBy(() => ctx.cookies.set('a', 'b', { signed: true })),
      thrownBy(() => ctx.cookies.get('a', { signed: true })),
    ],
    is: ['Error: .keys required for signed cookies', ''],
  },
})

interface Thrown extends Error {
  status?: number
  statusCode?: number
  expose?: boolean
}

/** What stands on an error, its name and message with it. */
function errorOf(action: () => void): object | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    const { name, message, status, statusCode, expose } = error as Thrown
    return { ...(error as Thrown), name, message, status, statusCode, expose }
  }
}

function thrownBy(action: () => void): string {
  try {
    action()
    return ''
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

const rows: Record<string, Row> = {
  'ctx.cookies.set()': {
    run: ctx => {
      ctx.cookies.set('a', '1')
      ctx.cookies.set('b', 'two', { httpOnly: false, path: '/b', sameSite: 'lax', maxAge: undefined })
      ctx.body = 'a'
    },
    is: [200],
  },
  'ctx.cookies.set() beside cookies that were set by hand': {
    run: ctx => {
      ctx.append('Set-Cookie', 'a=1')
      ctx.cookies.set('b', '2')
      ctx.cookies.set('b', '3', { overwrite: true })
      ctx.body = { a: 1 }
    },
    is: [200],
  },
  'ctx.cookies.set() takes a cookie back': {
    run: ctx => {
      ctx.cookies.set('a', null)
      ctx.body = null
    },
    is: [204],
  },
  'ctx.cookies.set() signs with the first key': {
    options: { keys: ['new', 'old'] },
    run: ctx => {
      ctx.cookies.set('a', '1', {})
      ctx.body = 'a'
    },
    is: [200],
  },
  'ctx.cookies.set() signs with app.keys': {
    setup: app => {
      app.keys = ['late']
    },
    run: ctx => {
      ctx.cookies.set('a', '1', { signed: true })
      ctx.body = 'a'
    },
    is: [200],
  },
  'ctx.onerror(error) answers': {
    run: ctx => ctx.onerror(Object.assign(new Error('no such thing'), { status: 410, expose: true })),
    is: [410, 'text/plain; charset=utf-8', 'no such thing'],
    differs: { problem: { detail: 'no such thing' } } satisfies Named,
  },
  'ctx.onerror(error) of a server error answers, and says nothing of it': {
    run: ctx => {
      ctx.body = { half: 'done' }
      ctx.onerror(new Error('secret'))
    },
    is: [500, 'text/plain; charset=utf-8', 'Internal Server Error'],
    differs: { problem: {} } satisfies Named,
  },
  'ctx.onerror(error) when the answer is on its way': {
    run: ctx => {
      ctx.respond = false
      ctx.res.statusCode = 200
      ctx.res.end('by hand')
      ctx.onerror(new Error('too late'))
    },
    is: [200, undefined, 'by hand'],
  },
}

testBesideKoa(rows)

test('ctx.cookies reads a cookie that any of the keys has signed, signs it anew, and takes back a forged one', async t => {
  for (const way of ['koa', 'use', 'route'] as const) {
    const sign = (ctx: Koa.Context) => {
      ctx.cookies.set('a', '1', {})
      ctx.body = 'signed'
    }
    const [signed] = (await talk(t, way, { run: sign, options: { keys: ['old'] } })).answers
    const pairs = setCookies(signed).map(line => line.split(';')[0])
    t.regex(pairs.join('; '), /^a\.sig=[\w-]{27}; a=1$/)

    const seen: unknown[] = []
    const read = (ctx: Koa.Context) => {
      seen.push(ctx.cookies.get('a', { signed: true }), ctx.cookies.get('a', { signed: false }))
      ctx.body = 'read'
    }
    const options = { keys: ['new', 'old'] }
    const ask = (cookie: string) => talk(t, way, { run: read, options, ask: { headers: { Cookie: cookie } } })
    const anew = setCookies((await ask(pairs.join('; '))).answers[0])
    t.is(anew.length, 1, way)
    t.regex(anew[0] ?? '', /^a\.sig=/)
    t.not(anew[0]?.split(';')[0], pairs[0])
    const forged = setCookies((await ask('a=2; a.sig=forged')).answers[0])
    t.regex(forged[0] ?? '', /^a\.sig=; path=\/; expires=Thu, 01 Jan 1970/)
    t.deepEqual(seen, ['1', '1', '1', '1', undefined, '2', undefined, '2'], way)
  }
})

function setCookies(seen: Seen | undefined): string[] {
  return (seen?.headers ?? []).filter(it => it.startsWith('Set-Cookie: ')).map(it => it.slice(12))
}

test('an error that comes too late for an answer has headerSent', async t => {
  for (const way of ['koa', 'use', 'route'] as const) {
    const seen: unknown[] = []
    const setup = (app: Koa) => {
      app.on('error', (error: Error & { headerSent?: boolean }) => seen.push(error.headerSent))
    }
    const run = (ctx: Koa.Context) => {
      ctx.respond = false
      ctx.res.statusCode = 200
      ctx.res.end('by hand')
      ctx.onerror(new Error('too late'))
    }
    await talk(t, way, { setup, run })
    t.deepEqual(seen, [true, true], way)
  }
})

test('app.context has every property of Koa, with a setter where that has one', t => {
  const [koa, ours] = [appOf('koa', { run: () => {} }), appOf('use', { run: () => {} })]
  const all = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(koa.context))
  t.true(Object.keys(all).length > 50)
  for (const [name, { set, writable }] of Object.entries(all)) {
    const found = inherited(ours.context, name)
    t.is(typeof found?.set, typeof set, `set ${name}`)
    t.is(found?.writable, writable, name)
  }
})

function inherited(it: object | null, name: string): PropertyDescriptor | undefined {
  if (it === null) return undefined
  return Object.getOwnPropertyDescriptor(it, name) ?? inherited(Object.getPrototypeOf(it), name)
}
