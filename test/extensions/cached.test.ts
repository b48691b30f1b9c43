import { PassThrough, Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  type BaseContext,
  created,
  type Decorator,
  decorator,
  isPromise,
  kolba,
  type Next,
  noContent,
  problem,
  redirect,
  reply,
  stack,
} from 'kolba'
import { anyOf, apiKey, basicAuth, mayRead, optional, roles, scopes } from 'kolba/auth'
import { type CachedOptions, cacheControl, cached, expires, invalidate, noCache, vary } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { versions } from 'kolba/lifecycle'
import { middleware } from 'kolba/middleware'
import { csv, produces } from 'kolba/negotiate'
import { MemoryLogger } from '../support/memory-logger.ts'
import { Line, listening } from '../support/raw.ts'

const FOREVER = { ttl: 100_000 }

/** An app with one route, whose handler counts its calls. */
function counted(handler: (ctx: BaseContext, calls: number) => unknown, options: CachedOptions = FOREVER) {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const its = { app, client: app.client(), logger, calls: 0 }
  app.get('/', cached(options), ctx => {
    its.calls += 1
    return handler(ctx, its.calls)
  })
  return its
}

/** Holds the clock that answers age by, and moves it. The tests that do are serial, and ava runs those before all others. */
function travel(t: ExecutionContext): (seconds: number) => void {
  const real = performance.now
  // A whole number: one with a fraction is rounded when something is added to it, and 29 s later is then 28.999….
  const begin = Math.ceil(performance.now())
  let ahead = 0
  performance.now = () => begin + ahead * 1000
  t.teardown(() => {
    performance.now = real
  })
  return seconds => {
    ahead += seconds
  }
}

/** A promise, and what settles it. */
function gate<T = void>(): { open: (value: T) => void; passed: Promise<T> } {
  let open: (value: T) => void = () => {}
  const passed = new Promise<T>(resolve => {
    open = resolve
  })
  return { open, passed }
}

test('cached() gives the bytes, the type and the tag again without running what is below', async t => {
  const values: unknown[] = ['text', '', '<b>', { a: [1, 'é'] }, [1], 5, 0, false, new Date(0), Buffer.from('bytes')]
  for (const value of [...values, new Uint8Array([1, 2]), reply(200, { b: 1 }), reply(200, 'x', { 'X-Name': 'a' })]) {
    const twin = kolba()
    twin.get('/', () => value)
    const plain = await twin.client().get('/')
    const it = counted(() => value)
    const body = await plain.text()
    // How many seconds it says is tested where the clock is ours.
    for (const isKept of [false, true, true]) {
      const response = await it.client.get('/')
      t.is(response.status, 200)
      t.is(await response.text(), body)
      for (const name of ['content-type', 'content-length', 'x-name'])
        t.is(response.headers.get(name), plain.headers.get(name), name)
      t.regex(response.headers.get('etag') ?? '', /^"[^"]+"$/)
      t.regex(response.headers.get('age') ?? 'none', isKept ? /^\d$/ : /^none$/)
    }
    t.is(it.calls, 1)
  }
})

test('cached() renders a value once, and keeps a type of JSON that was set', async t => {
  let rendered = 0
  const it = counted(ctx => {
    ctx.type = 'application/hal+json'
    return {
      toJSON() {
        rendered += 1
        return { a: 1 }
      },
    }
  })
  for (const status of [200, 200]) {
    const response = await it.client.get('/')
    t.is(response.status, status)
    t.is(response.headers.get('content-type'), 'application/hal+json')
    t.is(await response.text(), '{"a":1}')
  }
  t.is(rendered, 1)
})

test('cached() stands above json(), and copies bytes that are written into later', async t => {
  const app = kolba()
  const bytes = Buffer.from('abc')
  let calls = 0
  app.get('/json', cached(FOREVER), json({ pretty: true }), () => ({ calls: ++calls }))
  app.get('/bytes', cached(FOREVER), () => bytes)
  const client = app.client()
  for (const path of ['/json', '/json']) t.is(await (await client.get(path)).text(), '{\n  "calls": 1\n}')
  t.is(await (await client.get('/bytes')).text(), 'abc')
  bytes.fill('x')
  t.is(await (await client.get('/bytes')).text(), 'abc')
})

test('cached({ ttl }) leaves out Age where a lifetime above counts from now, and has it where one below does', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/above', cacheControl({ maxAge: 60 }), cached({ ttl: 3600 }), () => 'a')
  app.get('/expires', expires(60), cached({ ttl: 3600 }), () => 'a')
  app.get('/below', cached({ ttl: 3600 }), cacheControl({ maxAge: 60 }), () => 'a')
  app.get('/both', cacheControl({ maxAge: 90 }), cached({ ttl: 3600 }), cacheControl({ maxAge: 60 }), () => 'a')
  app.get('/none', cached({ ttl: 3600 }), () => 'a')
  const client = app.client()
  const expected = { '/above': false, '/expires': false, '/below': true, '/both': true, '/none': true }
  for (const [path, has] of Object.entries(expected)) {
    await client.get(path)
    t.is((await client.get(path)).headers.has('Age'), has, path)
  }
})

test('cached() keeps the headers that were set below, and none of the request', async t => {
  const above = decorator('above', (ctx, next) => {
    ctx.set('X-Above', ctx.get('X-Name'))
    ctx.append('Link', `</${ctx.get('X-Name')}>; rel=up`)
    return next()
  })
  const app = kolba()
  app.get('/', above, cached(FOREVER), ctx => {
    ctx.set({ 'X-Below': ctx.get('X-Name'), 'Server-Timing': 'db', 'RateLimit-Policy': '"a"', RateLimit: '"a";r=1' })
    ctx.set({ 'X-RateLimit-Limit': '5', 'Retry-After': '5', Connection: 'keep-alive', Age: '7', Date: 'today' })
    ctx.append('Link', '</below>; rel=next')
    return reply(200, 'x', { 'x-reply': ['a', 'b'], Link: '</reply>; rel=last', 'Content-Language': 'en' })
  })
  const client = app.client()
  const first = await client.get('/', { headers: { 'X-Name': 'first' } })
  const second = await client.get('/', { headers: { 'X-Name': 'second' } })
  for (const name of ['x-below', 'x-reply', 'content-language', 'etag'])
    t.is(second.headers.get(name), first.headers.get(name), name)
  t.is(second.headers.get('x-below'), 'first')
  t.is(second.headers.get('x-reply'), 'a, b')
  t.is(second.headers.get('link'), '</second>; rel=up, </below>; rel=next, </reply>; rel=last')
  t.is(second.headers.get('x-above'), 'second')
  t.not(second.headers.get('x-request-id'), first.headers.get('x-request-id'))
  for (const name of ['server-timing', 'ratelimit-policy', 'ratelimit', 'x-ratelimit-limit', 'retry-after'])
    t.is(second.headers.get(name), null, name)
  t.regex(second.headers.get('age') ?? '', /^[01]$/)
  t.not(second.headers.get('date'), 'today')
})

test('cached() has nothing of what another route or another app keeps', async t => {
  const both = cached(FOREVER)
  for (const name of ['one', 'two']) {
    const app = kolba()
    app.get('/a', both, () => `${name} a`)
    app.get('/b', both, () => `${name} b`)
    for (const path of ['a', 'b', 'a', 'b']) t.is(await (await app.client().get(`/${path}`)).text(), `${name} ${path}`)
  }
})

test('cached() is one value in several places of a route, each of which keeps its own', async t => {
  const app = kolba()
  const kept = cached({ version: async () => 1 })
  const calls = { one: 0, two: 0, group: 0 }
  app.get(
    '/versions',
    vary('X-Other'),
    versions(
      { 1: kept(async () => `one ${++calls.one}`), 2: kept(async () => `two ${++calls.two}`) },
      { by: 'header' },
    ),
  )
  app.group('/group', kept).get('/', kept, async () => `group ${++calls.group}`)
  const text = async (path: string, version: string) =>
    (await app.client().get(path, { headers: { 'Accept-Version': version } })).text()
  for (const _ of [1, 2]) {
    t.is(await text('/versions', '1'), 'one 1')
    t.is(await text('/versions', '2'), 'two 1')
    t.is(await text('/group', '1'), 'group 1')
  }
})

const NOT_KEPT: Record<string, (ctx: BaseContext) => unknown> = {
  'a problem that is thrown': () => {
    throw problem(404)
  },
  'a problem that is returned': () => problem(409),
  'an error': () => {
    throw new Error('broken')
  },
  'a promise that is rejected': () => Promise.reject(new Error('broken')),
  'a reply of 404': () => reply(404, 'x'),
  'a reply of 203': () => reply(203, 'x'),
  'a status that was set': ctx => {
    ctx.status = 202
    return 'x'
  },
  'a redirect': () => redirect('/'),
  null: () => null,
  'reply(200) without a body': () => reply(200),
  'what was put on ctx.body': ctx => {
    ctx.body = 'x'
  },
  'a stream': () => Readable.from(['a', 'b']),
  'a web stream': () => new Blob(['x']).stream(),
  'a Blob': () => new Blob(['x']),
  'an async generator': async function* () {
    yield 'x'
  },
  'a Response': () => new Response('x'),
  'a value that JSON cannot hold': () => ({ big: 1n }),
  'a cookie': ctx => {
    ctx.cookies.set('a', 'b')
    return 'x'
  },
  'a cookie of a reply': () => reply(200, 'x', { 'set-cookie': 'a=b' }),
  'no-store': ctx => {
    ctx.set('Cache-Control', 'max-age=60, No-Store')
    return 'x'
  },
  'no-cache': () => reply(200, 'x', { 'cache-control': 'no-cache' }),
  'no-cache of a field': () => reply(200, 'x', { 'cache-control': 'no-cache="X-Name"' }),
  'Vary: *': ctx => {
    ctx.vary('*')
    return 'x'
  },
  'Vary: * of a reply': () => reply(200, 'x', { vary: 'Accept, *' }),
}
for (const [name, handler] of Object.entries(NOT_KEPT)) {
  test(`cached() passes up ${name}, as it is, and does not keep it`, async t => {
    const it = counted(handler)
    const twin = kolba({ logger: new MemoryLogger() })
    twin.get('/', handler as () => unknown)
    const plain = await twin.client().get('/')
    const strip = (text: string) => text.replace(/"requestId":"[^"]*"/, '')
    const body = strip(await plain.text())
    for (let round = 1; round <= 2; round += 1) {
      const response = await it.client.get('/')
      t.is(response.status, plain.status)
      t.is(strip(await response.text()), body)
      t.is(response.headers.get('etag'), null)
      t.is(it.calls, round)
    }
  })
}

test('cached() keeps what is private for its user, and not where it is shared', async t => {
  const handler = () => reply(200, 'x', { 'Cache-Control': 'private, max-age=60' })
  for (const [shared, calls] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const it = counted(handler, { ...FOREVER, shared })
    await it.client.get('/')
    await it.client.get('/')
    t.is(it.calls, calls)
  }
})

// Users

const FROM: [string, Record<string, string>][] = [
  ['nobody', {}],
  ['an empty Authorization', { Authorization: '' }],
  ['an empty Cookie', { Cookie: '' }],
  ['both empty', { Authorization: '', Cookie: '' }],
  ['a', { Authorization: 'a' }],
  ['a as a cookie', { Cookie: 'a' }],
  ['a and b', { Authorization: 'a', Cookie: 'b' }],
  ['one of them with the other in it', { Authorization: 'a1:b' }],
  ['a dash', { Authorization: '-' }],
  ['two dashes', { Authorization: '--', Cookie: '-' }],
  ['a length', { Authorization: '1:a' }],
  ['a length and a dash', { Authorization: '1:a-', Cookie: '1:a' }],
  ['a user', { 'X-User': 'a' }],
  ['a user in quotes', { 'X-User': '"a"' }],
  ['a user with a separator', { 'X-User': 'a","b' }],
  ['a user and a cookie', { 'X-User': 'a', Cookie: '3:"a"' }],
]
const byHeader = decorator('byHeader', (ctx, next: Next<{ user: { name: string } | undefined }>) => {
  const name = ctx.get('X-User')
  return next({ user: name ? { name } : undefined })
})
const who = (ctx: BaseContext & { user?: unknown }) => {
  const { authorization, cookie } = ctx.headers
  return JSON.stringify([authorization ?? null, cookie ?? null, ctx.user ?? null])
}

test('cached() never gives one user what it keeps for another', async t => {
  const app = kolba()
  let calls = 0
  app.get('/', byHeader, cached(FOREVER), ctx => {
    calls += 1
    return who(ctx)
  })
  const client = app.client()
  const answers = new Set<string>()
  for (const [name, headers] of FROM) {
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    const user = lower['x-user'] === undefined ? null : { name: lower['x-user'] }
    const expected = JSON.stringify([lower.authorization ?? null, lower.cookie ?? null, user])
    for (const _ of [1, 2]) t.is(await (await client.get('/', { headers })).text(), expected, name)
    answers.add(expected)
  }
  t.is(answers.size, FROM.length)
  t.is(calls, FROM.length)
})

test('cached({ shared }) gives all users the same', async t => {
  const it = counted(who, { ...FOREVER, shared: true })
  for (const [, headers] of FROM) t.is(await (await it.client.get('/', { headers })).text(), '[null,null,null]')
  t.is(it.calls, 1)
})

test('cached({ shared }) refuses to stand above what lets some users pass and others not', async t => {
  const app = kolba()
  const signedIn = basicAuth(name => ({ role: name }))
  const all = cached({ ...FOREVER, shared: true })
  const seen = mayRead(() => true)
  const advice = 'lets some have. Put it below, or leave shared out.'
  const message = (name: string) => `GET /: cached({ shared }) would give to all what ${name} ${advice}`
  t.throws(() => app.get('/', all, signedIn, () => 'x'), { instanceOf: TypeError, message: message('basicAuth') })
  t.throws(() => app.get('/', signedIn, all, roles('a'), () => 'x'), { message: message('roles(a)') })
  t.throws(() => app.get('/', signedIn, all, json(), seen, () => 'x'), { message: message('mayRead') })
  app.get('/own', signedIn, cached(FOREVER), roles('a'), () => 'x')
  app.get('/all', signedIn, roles('a'), all, () => 'x')
  const client = app.client()
  for (const path of ['/own', '/all'])
    for (const [name, status] of [
      ['a', 200],
      ['b', 403],
    ] as const) {
      const headers = { Authorization: `Basic ${btoa(`${name}:`)}` }
      t.is((await client.get(path, { headers })).status, status, path + name)
    }
})

test('cached() tells users apart by ctx.state.user, and by the header of an API key that a note declares', async t => {
  const app = kolba()
  app.use((ctx, next) => {
    ctx.state.user = ctx.get('X-State') || undefined
    return next()
  })
  const security = { key: { scheme: { type: 'apiKey', in: 'header', name: 'X-API-Key' } } }
  const byKey = decorator('byKey', (_ctx, next) => next(), { note: { security } })
  app.get('/state', cached(FOREVER), ctx => String(ctx.state.user))
  app.get('/key', byKey, cached(FOREVER), ctx => ctx.get('X-API-Key'))
  const client = app.client()
  for (const name of ['a', 'b', 'a']) {
    t.is(await (await client.get('/state', { headers: { 'X-State': name } })).text(), name)
    t.is(await (await client.get('/key', { headers: { 'X-API-Key': name } })).text(), name)
  }
})

test('cached() keeps nothing for a user whom JSON cannot tell from others', async t => {
  class Hidden {
    readonly #id: number
    constructor(id: number) {
      this.#id = id
    }
    get id() {
      return this.#id
    }
  }
  class Role extends Hidden {
    readonly role = 'reader'
  }
  const circle: { self?: object } = {}
  circle.self = circle
  for (const user of [
    new Hidden(1),
    new Role(1),
    { claims: new Map([['sub', 'a']]), name: 'a' },
    { roles: [new Role(1)] },
    { name: 'a', [Symbol('id')]: 1 },
    Object.defineProperty({ name: 'a' }, 'tenant', { value: 1 }),
    { name: 'a', of: [Object.defineProperty({}, 'tenant', { value: 1 })] },
    { name: 'a', level: Number.NaN },
    { name: 'a', level: Number.NEGATIVE_INFINITY },
    { name: 'a', since: new Date(Number.NaN) },
    { name: 'a', roles: Object.assign(['reader'], { tenant: 1 }) },
    { name: 'a', roles: new Array(1) },
    { toJSON: () => ({ role: 'reader' }) },
    Object.create({ id: 1 }, { role: { value: 'reader', enumerable: true } }),
    circle,
    { id: 1n },
    5n,
    Symbol('a'),
    () => 1,
    new Map([['id', 1]]),
    [],
    Number.NaN,
  ]) {
    const app = kolba()
    let calls = 0
    const given = decorator('given', (_ctx, next: Next<{ user: unknown }>) => next({ user }))
    app.get('/', given, cached(FOREVER), () => String(++calls))
    for (const text of ['1', '2']) t.is(await (await app.client().get('/')).text(), text)
  }
})

test('cached() keeps answers for users that are plain data, and for those that have an id', async t => {
  class Person {
    readonly id = 7
    readonly groups = new Set(['a'])
  }
  class Record {
    readonly #values = { _id: '66f', name: 'Ada' }
    toJSON() {
      return this.#values
    }
  }
  for (const user of [
    'ada',
    7,
    { name: 'Ada', roles: ['a', { of: null }], since: new Date(0), none: undefined },
    Object.assign(Object.create(null), { name: 'Ada' }),
    { sub: 'ada', claims: new Map() },
    new Person(),
    new Record(),
  ]) {
    const app = kolba()
    let calls = 0
    const given = decorator('given', (_ctx, next: Next<{ user: unknown }>) => next({ user }))
    app.get('/', given, cached(FOREVER), () => String(++calls))
    for (const text of ['1', '1']) t.is(await (await app.client().get('/')).text(), text)
  }
})

test('cached() looks at a user that can change each time, and knows one that cannot', async t => {
  const inner = Object.freeze({ role: 'a' })
  const changing = { id: 1, role: 'a' }
  let gets = 0
  const getting = Object.freeze({
    get name() {
      gets += 1
      return `name ${gets}`
    },
  })
  const date = new Date(0)
  const users: Record<string, object> = {
    frozen: Object.freeze({ id: 1, inner }),
    changing,
    shallow: Object.freeze({ id: 1, inner: changing }),
    getting,
    date: Object.freeze({ id: 1, date }),
  }
  const byName = decorator('byName', (ctx, next: Next<{ user: unknown }>) => next({ user: users[ctx.get('X-Name')] }))
  const app = kolba()
  let calls = 0
  app.get('/', byName, cached(FOREVER), () => {
    calls += 1
    return String(calls)
  })
  const client = app.client()
  const get = async (name: string) => (await client.get('/', { headers: { 'X-Name': name } })).text()
  const before = new Map<string, string>()
  for (const name of ['frozen', 'changing', 'shallow', 'date']) {
    before.set(name, await get(name))
    t.is(await get(name), before.get(name) as string)
  }
  changing.role = 'b'
  date.setTime(1)
  t.is(await get('frozen'), before.get('frozen') as string)
  for (const name of ['changing', 'shallow', 'date']) t.not(await get(name), before.get(name), name)
  t.not(await get('getting'), await get('getting'))
})

test('cached() tells apart what one user that cannot change has sent', async t => {
  const user = Object.freeze({ id: 1 })
  const given = decorator('given', (_ctx, next: Next<{ user: unknown }>) => next({ user }))
  const key = apiKey({ verify: () => user })
  const app = kolba()
  let calls = 0
  app.get('/', given, cached(FOREVER), () => String(++calls))
  app.get('/key', key, cached(FOREVER), () => String(++calls))
  const get = async (path: string, headers: Record<string, string>) =>
    (await app.client().get(path, { headers })).text()
  const sent = [{}, { Authorization: 'a' }, { Cookie: 'a' }, { Authorization: 'a', Cookie: 'a' }]
  const first: string[] = []
  for (const headers of sent) first.push(await get('/', headers))
  t.deepEqual(first, ['1', '2', '3', '4'])
  for (const [index, headers] of sent.entries()) t.is(await get('/', headers), first[index] as string)
  t.is(await get('/key', { 'X-API-Key': 'a' }), '5')
  t.is(await get('/key', { 'X-API-Key': 'b' }), '6')
  t.is(await get('/key', { 'X-API-Key': 'a' }), '5')
})

test('cached() stands below what sets ctx.user, or answers 500 with a sentence for the log', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/me', cached(FOREVER), byHeader, ctx => ctx.user ?? null)
  const response = await app.client().get('/me', { headers: { 'X-User': 'a' } })
  t.is(response.status, 500)
  const what = 'cached() stands above what sets ctx.user, which an answer that is kept would not ask. Put it below.'
  t.is(logger.lines[0]?.fields.err?.message, `GET /me: ${what}`)
  const byKoa = middleware((ctx, next) => {
    ctx.state.user = { name: 'a' }
    return next()
  })
  app.get('/koa', cached(FOREVER), byKoa, () => 'x')
  t.is((await app.client().get('/koa')).status, 500)
  t.is(logger.lines[1]?.fields.err?.message, `GET /koa: ${what}`)
})

test('cached() refuses to stand above what takes credentials that nothing above takes', t => {
  const basic = basicAuth((_name, password) => ({ id: 1, scope: password }))
  const key = apiKey({ verify: id => ({ id }) })
  const group = kolba().group('/g', cached(FOREVER))
  const all: Decorator[] = [basic, key, anyOf(basic, key), optional(basic), stack(json(), key)]
  for (const auth of all) {
    const [name] = /(anyOf|optional)\(.*?\)|basicAuth|apiKey/.exec(auth.name) ?? []
    const message = `GET /g: cached() stands above ${name}, which what is kept would not ask. Put it below.`
    t.throws(() => group.get('/', auth, () => 1), { instanceOf: TypeError, message })
  }
  const above = kolba()
  t.throws(() => above.get('/', basic, cached(FOREVER), key, () => 1), {
    message: /^GET \/: cached\(\) stands above apiKey/,
  })
  t.notThrows(() => above.get('/', basic, cached(FOREVER), scopes('read'), roles('admin'), () => 1))
})

test('cached() asks again what stands above it, each time', async t => {
  const app = kolba()
  let open = true
  const guard = decorator('guard', (_ctx, next) => {
    if (!open) throw problem(403)
    return next()
  })
  app.get('/', guard, cached(FOREVER), () => 'x')
  t.is((await app.client().get('/')).status, 200)
  open = false
  t.is((await app.client().get('/')).status, 403)
})

test('cached({ key }) adds to what answers are told apart by', async t => {
  const app = kolba()
  const tenant = decorator('tenant', (ctx, next: Next<{ tenant: string }>) => next({ tenant: ctx.get('X-Tenant') }))
  app.get(
    '/',
    tenant,
    cached({ ...FOREVER, key: (ctx: { tenant: string }) => ctx.tenant }),
    ctx => `${ctx.tenant} ${who(ctx)}`,
  )
  const client = app.client()
  for (const [name, cookie] of [
    ['a', 'x'],
    ['b', 'x'],
    ['a', 'y'],
    ['a', 'x'],
  ] as const) {
    const text = await (await client.get('/', { headers: { 'X-Tenant': name, Cookie: cookie } })).text()
    t.is(text, `${name} [null,"${cookie}",null]`)
  }
})

test('cached({ key }) answers 500 where key gives no string', async t => {
  const { client, logger } = counted(() => 'x', { ...FOREVER, key: () => 5 as never })
  t.is((await client.get('/')).status, 500)
  t.is(logger.lines[0]?.fields.err?.message, 'cached: the option key gave a number. Return a string.')
})

// URLs, methods, representations

test('cached() tells apart paths, queries as they are sent, and hosts', async t => {
  const app = kolba()
  app.get('/books/:id', cached(FOREVER), ctx => `${ctx.url} ${ctx.host}`)
  for (const _ of [1, 2])
    for (const url of ['/books/1', '/books/2', '/books/1?a=1', '/books/1?a=1&b=2', '/books/1?b=2&a=1', '/books/1?'])
      for (const host of ['a.example', 'b.example'])
        t.is(await (await app.client().get(url, { headers: { host } })).text(), `${url} ${host}`)
})

test('cached() tells apart what was asked for, where a middleware has rewritten the URL', async t => {
  const app = kolba()
  app.use((ctx, next) => {
    ctx.path = ctx.path.replace(/^\/tenants\/\w+/, '')
    return next()
  })
  let calls = 0
  app.get('/books', cached(FOREVER), ctx => `${ctx.originalUrl} ${++calls}`)
  for (const _ of [1, 2]) {
    for (const [index, path] of ['/tenants/a/books', '/tenants/b/books', '/books'].entries())
      t.is(await (await app.client().get(path)).text(), `${path} ${index + 1}`)
  }
})

test('cached() tells apart the schemes that a proxy of ours says', async t => {
  const app = kolba({ proxy: ['127.0.0.1'] })
  app.get('/', cached(FOREVER), ctx => `${ctx.protocol}://${ctx.host}`)
  for (const scheme of ['http', 'https', 'http'])
    t.is(
      await (await app.client().get('/', { headers: { 'X-Forwarded-Proto': scheme } })).text(),
      `${scheme}://localhost`,
    )
})

test('cached() answers HEAD from what GET has left, and keeps nothing of HEAD', async t => {
  const it = counted(() => ({ a: 1 }))
  const tagOf = async (method: string) => {
    const response = await it.client.fetch('/', { method })
    t.is(response.headers.get('content-length'), '7')
    t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
    return response.headers.get('etag')
  }
  const tag = await tagOf('HEAD')
  t.is(await tagOf('HEAD'), tag)
  t.is(it.calls, 2)
  t.is(await tagOf('GET'), tag)
  t.is(await tagOf('HEAD'), tag)
  t.is(it.calls, 3)
})

test('cached() passes QUERY, and keeps it where key says what its body asks', async t => {
  const app = kolba()
  let calls = 0
  const content = decorator('content', async (ctx, next: Next<{ asked: string }>) =>
    next({ asked: await new Response(Readable.toWeb(ctx.req) as never).text() }),
  )
  app.route(['GET', 'QUERY'], '/plain', content, cached(FOREVER), ctx => `${++calls} ${ctx.asked}`)
  const byBody = cached({ ...FOREVER, key: (ctx: { asked: string }) => ctx.asked })
  app.route(['GET', 'QUERY'], '/keyed', content, byBody, ctx => `${++calls} ${ctx.asked}`)
  const ask = async (path: string, body: string) => (await app.client().query(path, { body })).text()
  t.is(await ask('/plain', 'a'), '1 a')
  t.is(await ask('/plain', 'b'), '2 b')
  t.is(await ask('/keyed', 'a'), '3 a')
  t.is(await ask('/keyed', 'b'), '4 b')
  t.is(await ask('/keyed', 'a'), '3 a')
  t.is(await (await app.client().get('/keyed')).text(), '5 ')
})

test('cached() passes what asks for a range, and keeps nothing where the request says no-store', async t => {
  const it = counted((_ctx, calls) => String(calls))
  const textWith = async (headers: Record<string, string>) => (await it.client.get('/', { headers })).text()
  t.is(await textWith({ 'Cache-Control': 'no-store' }), '1')
  t.is(await textWith({ Range: 'bytes=0-1' }), '2')
  t.is(await textWith({}), '3')
  t.is(await textWith({ Range: 'bytes=0-1' }), '4')
  for (const control of ['no-cache', 'max-age=0', 'no-store', 'only-if-cached'])
    t.is(await textWith({ 'Cache-Control': control, Pragma: 'no-cache' }), '3', control)
})

test('cached() keeps one answer for each representation, as Vary names them', async t => {
  const app = kolba()
  let calls = 0
  app.get('/', cached(FOREVER), ctx => {
    calls += 1
    ctx.vary('Accept-Language')
    const language = ctx.acceptsLanguages('en', 'de') || 'none'
    if (language !== 'de') return reply(200, language)
    return reply(200, `${language} ${ctx.get('X-Dialect')}`, { Vary: 'x-dialect' })
  })
  const ask = async (language: string, dialect: string) => {
    const response = await app.client().get('/', { headers: { 'Accept-Language': language, 'X-Dialect': dialect } })
    return `${await response.text()}, ${response.headers.get('vary')}`
  }
  for (const _ of [1, 2, 3]) {
    t.is(await ask('en', 'a'), 'en, Accept-Language')
    t.is(await ask('de', 'a'), 'de a, Accept-Language, x-dialect')
    t.is(await ask('de', 'b'), 'de b, Accept-Language, x-dialect')
    t.is(await ask('fr', 'b'), 'none, Accept-Language')
  }
  // English once more, because only German has told of dialects.
  t.is(calls, 5)
})

test('cached() knows what a Vary from above names, which below depends on as well', async t => {
  const app = kolba()
  const above = decorator('above', (ctx, next) => {
    if (ctx.get('X-Quiet') === '') ctx.vary('Origin')
    return next()
  })
  app.get('/', above, cached(FOREVER), ctx => {
    ctx.vary('Origin')
    return ctx.get('Origin')
  })
  for (const quiet of ['', 'yes'])
    for (const origin of ['a', 'b', 'a']) {
      const response = await app.client().get('/', { headers: { Origin: origin, 'X-Quiet': quiet } })
      t.is(await response.text(), origin)
      t.is(response.headers.get('vary'), 'Origin')
    }
})

// Preconditions

test('cached() answers 304 by itself, without rendering, with what 304 has to say', async t => {
  const app = kolba()
  let rendered = 0
  app.get('/', vary('Accept'), cacheControl({ maxAge: 60 }), cached(FOREVER), ctx => {
    ctx.set({
      'Content-Location': '/here',
      Expires: 'Thu, 01 Jan 2032 00:00:00 GMT',
      'Content-Language': 'en',
      'X-A': 'b',
    })
    return { toJSON: () => ++rendered }
  })
  const client = app.client()
  const tag = (await client.get('/')).headers.get('etag') as string
  for (const headers of [{ 'If-None-Match': tag }, { 'If-None-Match': `"x", W/${tag}` }, { 'If-None-Match': '*' }]) {
    const response = await client.get('/', { headers: { ...headers, 'Cache-Control': 'no-cache' } })
    t.is(response.status, 304)
    t.is(await response.text(), '')
    const names = [...response.headers.keys()].filter(name => !['connection', 'date', 'x-request-id'].includes(name))
    t.deepEqual(names, ['cache-control', 'content-location', 'etag', 'expires', 'vary'])
    t.is(response.headers.get('etag'), tag)
  }
  t.is((await client.get('/', { headers: { 'If-None-Match': '"other"' } })).status, 200)
  const failed = await client.get('/', { headers: { 'If-Match': '"other"' } })
  t.is(failed.status, 412)
  t.is(
    ((await failed.json()) as { detail: string }).detail,
    'What is here now is not what If-Match or If-Unmodified-Since says.',
  )
  t.is((await client.get('/', { headers: { 'If-Match': tag } })).status, 200)
  t.is(rendered, 1)
})

test('cached() answers 304 and 412 to the first request too, and keeps what it was about', async t => {
  const tag = (await counted(() => 'x').client.get('/')).headers.get('etag') as string
  for (const handler of [() => 'x', async () => 'x']) {
    const it = counted(handler)
    t.is((await it.client.get('/', { headers: { 'If-None-Match': tag } })).status, 304)
    t.is((await it.client.get('/')).status, 200)
    t.is(it.calls, 1)
    const other = counted(handler)
    t.is((await other.client.get('/', { headers: { 'If-Match': '"y"' } })).status, 412)
    t.is((await other.client.get('/')).status, 200)
    t.is(other.calls, 1)
  }
})

test('cached() says no more with a first 304 than with a later one', async t => {
  const above = decorator('above', (ctx, next) => {
    ctx.set('X-Both', 'above')
    return next()
  })
  const app = kolba()
  app.get('/', above, cached(FOREVER), ctx => {
    ctx.set({ 'Content-Language': 'en', 'X-Below': 'a', 'X-Both': 'below', ETag: '"a"' })
    return 'x'
  })
  for (const _ of [1, 2]) {
    const { status, headers } = await app.client().get('/', { headers: { 'If-None-Match': '"a"' } })
    t.is(status, 304)
    t.deepEqual(
      ['content-language', 'x-below', 'x-both', 'etag'].map(name => headers.get(name)),
      [null, null, 'above', '"a"'],
    )
  }
  t.is((await app.client().get('/')).headers.get('x-both'), 'below')
})

test('cached() keeps the ETag and the Last-Modified from below', async t => {
  const it = counted(ctx => {
    ctx.set('Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT')
    return reply(200, 'x', { etag: 'W/"v1"' })
  })
  for (const _ of [1, 2]) {
    const response = await it.client.get('/')
    t.is(response.headers.get('etag'), 'W/"v1"')
    t.is(response.headers.get('last-modified'), 'Sun, 06 Nov 1994 08:49:37 GMT')
  }
  const statusWith = async (headers: Record<string, string>) => (await it.client.get('/', { headers })).status
  t.is(await statusWith({ 'If-None-Match': '"v1"' }), 304)
  t.is(await statusWith({ 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }), 304)
  t.is(await statusWith({ 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:36 GMT' }), 200)
  t.is(await statusWith({ 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:36 GMT' }), 412)
  t.is(it.calls, 1)
})

test('cached() looks at the preconditions of what it does not keep, where it has a tag', async t => {
  const it = counted(() => reply(200, Readable.from(['x']), { ETag: '"v1"', 'Cache-Control': 'max-age=5' }))
  const response = await it.client.get('/', { headers: { 'If-None-Match': '"v1"' } })
  t.is(response.status, 304)
  t.is(response.headers.get('cache-control'), 'max-age=5')
  t.is((await it.client.get('/', { headers: { 'If-None-Match': '"v2"' } })).status, 200)
  t.is((await it.client.get('/', { headers: { 'If-Match': '"v2"' } })).status, 412)
  const plain = counted(() => Readable.from(['x']))
  t.is((await plain.client.get('/', { headers: { 'If-None-Match': '*' } })).status, 200)
})

test('cached() hides the preconditions from what is below only while that runs', async t => {
  const seen: unknown[] = []
  const app = kolba({ logger: new MemoryLogger() })
  const above = decorator('above', async (ctx, next) => {
    try {
      return await next()
    } finally {
      seen.push(ctx.headers['if-none-match'])
    }
  })
  app.get('/:how', above, cached(FOREVER), ctx => {
    seen.push(ctx.headers['if-none-match'])
    if (ctx.params.how === 'throw') throw problem(404)
    if (ctx.params.how === 'reject') return Promise.reject(problem(404))
    return ctx.params.how === 'promise' ? Promise.resolve('x') : 'x'
  })
  for (const how of ['value', 'promise', 'throw', 'reject'])
    await app.client().get(`/${how}`, { headers: { 'If-None-Match': '"a"' } })
  t.deepEqual(seen, Array(4).fill([undefined, '"a"']).flat())
})

test('cached() agrees with an etag() below and above it', async t => {
  const app = kolba()
  let calls = 0
  const value = () => ({ v: 1, calls: ++calls })
  const version = (row: { v: number }) => row.v
  app.get('/above', etag(), cached(FOREVER), json(), value)
  app.get('/below', cached(FOREVER), etag(), json(), value)
  app.get('/version', cached(FOREVER), json(), etag({ version }), value)
  app.get('/none', cached(FOREVER), json(), value)
  const client = app.client()
  for (const path of ['/above', '/below', '/version', '/none']) {
    calls = 0
    // The first to ask has something already, and others have a use of it all the same.
    t.is((await client.get(path, { headers: { 'If-None-Match': '"old"' } })).status, 200, path)
    const tag = (await client.get(path)).headers.get('etag') as string
    if (path === '/version') t.is(tag, '"1"')
    const response = await client.get(path, { headers: { 'If-None-Match': tag } })
    t.is(response.status, 304)
    t.is(response.headers.get('etag'), tag)
    t.is(calls, 1)
  }
  const tags = await Promise.all(
    ['/above', '/below', '/none'].map(async it => (await client.get(it)).headers.get('etag')),
  )
  t.is(new Set(tags).size, 1)
})

test('cached() below an etag() with a version is refused, unless another one below says the same', async t => {
  const app = kolba({ signals: false })
  const row = { rev: [1, 2] }
  const tagged = etag({ version: ({ rev }: typeof row) => rev.join('.') })
  const dated = etag({ lastModified: () => 0 })
  for (const [outer, name] of [
    [tagged, 'version'],
    [dated, 'lastModified'],
  ] as const) {
    const message = `GET /a: etag({ ${name} }) stands above cached(), which gives it bytes and no row. Put it below.`
    t.throws(() => app.get('/a', outer, cached(FOREVER), json(), () => row), { instanceOf: TypeError, message })
  }
  const group = app.group('/b', tagged)
  group.get('/', cached(FOREVER), tagged, json(), () => row)
  group.put('/', json(), () => row)
  for (const status of [200, 200]) {
    const response = await app.client().get('/b')
    t.deepEqual([response.status, response.headers.get('etag')], [status, '"1.2"'])
  }
  t.is((await app.client().get('/b', { headers: { 'If-None-Match': '"1.2"' } })).status, 304)
  t.is((await app.client().put('/b', { headers: { 'If-Match': '"1.2"' } })).status, 200)
})

test('cached() makes the tag of a representation as etag() does', async t => {
  const app = kolba()
  const chosen = decorator('chosen', (_ctx, next: Next<{ representation: string }>) =>
    next({ representation: 'text/x;a=" "' }),
  )
  app.get('/cached', chosen, cached(FOREVER), () => 'x')
  app.get('/etag', chosen, etag(), () => 'x')
  const tagOf = async (path: string) => (await app.client().get(path)).headers.get('etag')
  t.is(await tagOf('/cached'), await tagOf('/etag'))
})

test('cached() guards no write: what is there now is read from below', async t => {
  const app = kolba()
  let text = 'old'
  const tagged = etag()
  app.get('/', cached(FOREVER), tagged, () => text)
  app.put('/', tagged, () => {
    text = 'written'
    return noContent()
  })
  const client = app.client()
  const tag = (await client.get('/')).headers.get('etag') as string
  text = 'changed by somebody else'
  t.is(await (await client.get('/')).text(), 'old')
  t.is((await client.put('/', { headers: { 'If-Match': tag } })).status, 412)
  t.is(text, 'changed by somebody else')
})

// cacheControl() around it

test('cached() below and above cacheControl() sends what was sent the first time', async t => {
  const rows: [Parameters<typeof cacheControl>[0], Parameters<typeof cacheControl>[0], string][] = [
    [{ private: true }, { maxAge: 60 }, 'private, max-age=60'],
    [{ private: true }, { private: false, maxAge: 60 }, 'max-age=60'],
    [{ maxAge: 60 }, { maxAge: false }, 'private'],
    [{ public: true }, { maxAge: 60 }, 'public, max-age=60'],
  ]
  for (const [outer, inner, expected] of rows) {
    const app = kolba()
    app.get('/', cacheControl(outer), cached(FOREVER), cacheControl(inner), () => 'x')
    for (const _ of [1, 2]) {
      const response = await app.client().get('/', { headers: { Cookie: 'a' } })
      const personal = expected === 'max-age=60' ? 'private, max-age=60' : expected
      t.is(response.headers.get('cache-control') ?? '', personal)
    }
  }
})

test('cached() keeps what a noCache() above it sends, and nothing where that stands below', async t => {
  const app = kolba()
  const calls = { above: 0, below: 0 }
  app.get('/above', noCache(), cached(FOREVER), () => String(++calls.above))
  app.get('/below', cached(FOREVER), noCache(), () => String(++calls.below))
  for (const path of ['/above', '/below', '/above', '/below'])
    t.is((await app.client().get(path)).headers.get('cache-control'), 'no-cache')
  t.deepEqual(calls, { above: 1, below: 2 })
})

// Time

test.serial('cached({ ttl }) keeps an answer for so long, and says its age', async t => {
  const go = travel(t)
  const it = counted((_ctx, calls) => String(calls), { ttl: 60 })
  const ask = async () => {
    const response = await it.client.get('/')
    return [await response.text(), response.headers.get('age')]
  }
  t.deepEqual(await ask(), ['1', null])
  go(29)
  t.deepEqual(await ask(), ['1', '29'])
  go(30.5)
  t.deepEqual(await ask(), ['1', '59'])
  go(0.6)
  t.deepEqual(await ask(), ['2', null])
  t.deepEqual(await ask(), ['2', '0'])
})

test.serial('cached({ ttl }) keeps it for no longer than a max-age from below says', async t => {
  const go = travel(t)
  for (const [control, seconds] of [
    ['max-age=10', 10],
    ['max-age="10"', 10],
    ['s-maxage=5, max-age=10', 5],
    ['s-maxage=10, max-age=5', 5],
    ['max-age=100', 60],
    ['max-age=x', 60],
    ['max-age=0', 0],
  ] as const) {
    const it = counted(() => reply(200, 'x', { 'Cache-Control': control }), { ttl: 60 })
    await it.client.get('/')
    go(Math.max(0, seconds - 0.5))
    if (seconds > 0) await it.client.get('/')
    t.is(it.calls, 1, control)
    go(0.6)
    await it.client.get('/')
    t.is(it.calls, 2, control)
  }
})

test.serial('cached({ version }) keeps an answer for any time, and cached({ version, ttl }) for so long', async t => {
  const go = travel(t)
  const version = () => 1
  const handler = () => reply(200, 'x', { 'Cache-Control': 'max-age=5' })
  const forever = counted(handler, { version })
  const bounded = counted(() => 'x', { version, ttl: 60 })
  for (const seconds of [0, 50, 100_000]) {
    go(seconds)
    t.is((await forever.client.get('/')).headers.get('age'), null)
    t.is((await bounded.client.get('/')).headers.get('age'), null)
  }
  t.is(forever.calls, 1)
  t.is(bounded.calls, 2)
})

// Versions

for (const [kind, wrap] of [
  ['at once', (value: unknown) => value],
  ['as a promise', async (value: unknown) => value],
] as const) {
  test(`cached({ version }) that is given ${kind} runs nothing while it is the same`, async t => {
    let version: string | number | bigint = 1
    const it = counted((_ctx, calls) => String(calls), { version: () => wrap(version) as number })
    const texts = async () => {
      const all = [await it.client.get('/'), await it.client.get('/')]
      return Promise.all(all.map(response => response.text()))
    }
    t.deepEqual(await texts(), ['1', '1'])
    version = 2
    t.deepEqual(await texts(), ['2', '2'])
    version = '2'
    t.deepEqual(await texts(), ['3', '3'])
    version = 2n
    t.deepEqual(await texts(), ['4', '4'])
    version = 1
    t.deepEqual(await texts(), ['5', '5'])
  })
}

test('cached({ version }) is that of before the answer was made', async t => {
  let version = 1
  const it = counted(
    async (_ctx, calls) => {
      if (calls === 1) version = 2
      return String(version)
    },
    { version: () => version },
  )
  for (const text of ['2', '2', '2']) t.is(await (await it.client.get('/')).text(), text)
  t.is(it.calls, 2)
})

test('cached({ version }) does not wait for an answer of another version', async t => {
  let version = 1
  const gates = [gate(), gate()]
  const it = counted(
    async (_ctx, calls) => {
      const its = version
      await gates[calls - 1]?.passed
      return String(its)
    },
    { version: () => version },
  )
  const first = it.client.get('/')
  while (it.calls < 1) await new Promise(setImmediate)
  version = 2
  const second = it.client.get('/')
  while (it.calls < 2) await new Promise(setImmediate)
  gates[1]?.open()
  t.is(await (await second).text(), '2')
  gates[0]?.open()
  t.is(await (await first).text(), '1')
  t.is(await (await it.client.get('/')).text(), '2')
})

test('cached({ version }) answers 500 where it gives what cannot be compared, or fails', async t => {
  for (const [given, what] of [
    [undefined, 'undefined'],
    [null, 'object'],
    [Number.NaN, 'NaN'],
    [{}, 'object'],
    [Promise.resolve(undefined), 'undefined'],
  ]) {
    const { client, logger } = counted(() => 'x', { version: () => given as never })
    t.is((await client.get('/')).status, 500)
    const message = `GET /: the version of cached is ${what}. Give a number or a string.`
    t.is(logger.lines[0]?.fields.err?.message, message)
  }
  const failing = counted(() => 'x', { version: () => Promise.reject(problem(503)) })
  t.is((await failing.client.get('/')).status, 503)
})

// Bounds

test('cached({ max }) lets go of what was not asked for longest', async t => {
  const app = kolba()
  const ran: string[] = []
  app.get('/:id', cached({ ...FOREVER, max: 2 }), ctx => {
    ran.push(ctx.params.id)
    return ctx.params.id
  })
  for (const id of ['a', 'b', 'a', 'c', 'a', 'b']) t.is(await (await app.client().get(`/${id}`)).text(), id)
  t.deepEqual(ran, ['a', 'b', 'c', 'b'])
})

test('cached({ maxBytes }) counts keys, headers and bodies, and keeps nothing that is larger', async t => {
  const app = kolba()
  let calls = 0
  app.get('/:length', cached({ ...FOREVER, maxBytes: 2000 }), ctx => {
    calls += 1
    return 'x'.repeat(Number(ctx.params.length))
  })
  const callsFor = async (path: string, headers = {}) => {
    const before = calls
    for (const _ of [1, 2]) t.is((await app.client().get(path, { headers })).status, 200)
    return calls - before
  }
  t.is(await callsFor('/1000'), 1)
  t.is(await callsFor('/2000'), 2)
  t.is(await callsFor(`/10?${'x'.repeat(2000)}`), 2)
  // Of who asks it has a digest, when that is shorter.
  t.is(await callsFor('/10', { Cookie: 'x'.repeat(2000) }), 1)
  t.is(await callsFor('/1000'), 0)
  t.is(await callsFor('/1001'), 1)
  t.is(await callsFor('/1000'), 1)
})

test('cached() keeps no more answers than max, however they vary', async t => {
  const app = kolba()
  let calls = 0
  app.get('/', cached({ ...FOREVER, max: 3 }), vary('X-Name'), () => String(++calls))
  const ask = async (name: string) => (await app.client().get('/', { headers: { 'X-Name': name } })).text()
  for (const name of ['a', 'b', 'c']) await ask(name)
  t.is(await ask('c'), '3')
  t.is(await ask('b'), '2')
  t.is(await ask('a'), '4')
})

// Requests that come together

/** Lets requests in, and opens a gate when so many have come. */
function together(count: number) {
  const all = gate()
  let come = 0
  const counting = decorator('counting', (_ctx, next) => {
    come += 1
    if (come === count) setImmediate(all.open)
    return next()
  })
  return { all: all.passed, counting }
}

test('cached() runs once for 100 requests that come together, and once for each user', async t => {
  for (const users of [1, 2]) {
    const app = kolba()
    const { all, counting } = together(100)
    let calls = 0
    app.get('/', counting, cached(FOREVER), async ctx => {
      calls += 1
      await all
      return ctx.get('Authorization')
    })
    const client = app.client()
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const Authorization = `user ${index % users}`
        return [Authorization, await (await client.get('/', { headers: { Authorization } })).text()]
      }),
    )
    for (const [asked, got] of answers) t.is(got, asked)
    t.is(calls, users)
  }
})

test('cached() collapses what differs by Vary into one run for each representation', async t => {
  const app = kolba()
  const { all, counting } = together(60)
  let calls = 0
  app.get('/', counting, cached(FOREVER), vary('X-Name'), async ctx => {
    calls += 1
    await all
    await new Promise(setImmediate)
    return ctx.get('X-Name')
  })
  const names = Array.from({ length: 60 }, (_, index) => String(index % 3))
  const client = app.client()
  const answers = await Promise.all(
    names.map(async it => (await client.get('/', { headers: { 'X-Name': it } })).text()),
  )
  t.deepEqual(answers, names)
  t.is(calls, 3)
})

test('cached() lets the others run by themselves where the first has nothing for them', async t => {
  const handlers: Record<string, (ctx: BaseContext, calls: number) => unknown> = {
    error: (_ctx, calls) => {
      throw problem(calls === 1 ? 503 : 404)
    },
    cookie: (ctx, calls) => {
      ctx.cookies.set('a', String(calls))
      return 'x'
    },
    stream: () => Readable.from(['x']),
  }
  for (const [name, handler] of Object.entries(handlers)) {
    const app = kolba({ logger: new MemoryLogger() })
    const { all, counting } = together(5)
    let calls = 0
    app.get('/', counting, cached(FOREVER), async ctx => {
      calls += 1
      const its = calls
      await all
      return handler(ctx, its)
    })
    const client = app.client()
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.get('/')))
    t.is(calls, 5, name)
    if (name === 'error') t.deepEqual(answers.map(({ status }) => status).sort(), [404, 404, 404, 404, 503])
    if (name === 'cookie') t.is(new Set(answers.map(it => it.headers.get('set-cookie'))).size, 5)
  }
})

test('cached() lets another go first where the client of the first has left', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const { all, counting } = together(5)
  const leave = new AbortController()
  let calls = 0
  app.get('/', counting, cached(FOREVER), async ctx => {
    calls += 1
    if (calls > 1) return 'x'
    return new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
  })
  const client = app.client()
  const first = client.get('/', { signal: leave.signal })
  while (calls < 1) await new Promise(setImmediate)
  const others = Array.from({ length: 4 }, () => client.get('/'))
  await all
  leave.abort()
  await t.throwsAsync(first)
  for (const response of await Promise.all(others)) t.is(await response.text(), 'x')
  t.is(calls, 2)
})

test('cached() keeps the answer of a first one who has left, where what is below goes on', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const work = gate()
  const leave = new AbortController()
  let calls = 0
  app.get('/', cached(FOREVER), async () => {
    calls += 1
    await work.passed
    return 'x'
  })
  const client = app.client()
  const first = client.get('/', { signal: leave.signal })
  while (calls < 1) await new Promise(setImmediate)
  const second = client.get('/')
  leave.abort()
  await t.throwsAsync(first)
  work.open()
  t.is(await (await second).text(), 'x')
  t.is(await (await client.get('/')).text(), 'x')
  t.is(calls, 1)
})

test('cached() makes no promise where what is below makes none', async t => {
  const app = kolba()
  const results: unknown[] = []
  const outer = decorator('outer', (_ctx, next) => {
    const value = next()
    results.push(isPromise(value))
    return value
  })
  app.get('/', outer, cached({ version: () => 1 }), () => 'x')
  for (const _ of [1, 2]) await app.client().get('/')
  t.deepEqual(results, [false, false])
})

// Writes

/** A shelf behind an app: what is read is kept, and every book can be written. */
function library() {
  const books = new Map<string, number>()
  const app = kolba({ logger: new MemoryLogger() })
  const its = { app, client: app.client(), books, reads: 0 }
  const kept = cached(FOREVER)
  const read = (ctx: BaseContext & { params: { id?: string } }) => {
    its.reads += 1
    return `${books.get(ctx.params.id ?? '') ?? 0}`
  }
  app.get('/books', kept, () => {
    its.reads += 1
    return JSON.stringify([...books])
  })
  app.get('/books/:id', kept, read)
  const write = (ctx: BaseContext & { params: { id: string } }) => {
    books.set(ctx.params.id, (books.get(ctx.params.id) ?? 0) + 1)
    const status = Number(ctx.query.status ?? 204)
    if (status >= 500) throw new Error('broken')
    return reply(status, undefined, ctx.query.location ? { Location: String(ctx.query.location) } : {})
  }
  for (const verb of ['put', 'post', 'patch', 'delete'] as const) app[verb]('/books/:id', write)
  return { ...its, its, text: async (path: string, headers = {}) => (await its.client.get(path, { headers })).text() }
}

test('a write drops what cached() keeps of its path: all queries, all users, before it is answered', async t => {
  for (const method of ['PUT', 'POST', 'PATCH', 'DELETE'])
    for (const status of [200, 204, 303, 500]) {
      const { client, text, its } = library()
      const all = [
        ['/books/1', {}],
        ['/books/1?a=1', {}],
        ['/books/1', { Cookie: 'a' }],
      ] as const
      for (const [path, headers] of all) t.is(await text(path, headers), '0')
      await text('/books/2')
      t.is((await client.fetch(`/books/1?status=${status}`, { method })).status, status)
      for (const [path, headers] of all) t.is(await text(path, headers), '1', `${method} ${status}`)
      t.is(its.reads, 7)
      await text('/books/2')
      t.is(its.reads, 7)
    }
})

test('a write that is refused drops nothing, and nor does what is safe', async t => {
  const { client, text, its } = library()
  await text('/books/1')
  t.is((await client.put('/books/1?status=409')).status, 409)
  for (const method of ['HEAD', 'OPTIONS', 'GET']) await client.fetch('/books/1', { method })
  t.is(await text('/books/1'), '0')
  t.is(its.reads, 1)
})

test('a write drops its path however that is written, and with other suffixes', async t => {
  const rows = [
    ['/books/1', '/books/1/'],
    ['/books/1/', '/books/1'],
    ['/books/a@b', '/books/a%40b'],
    ['/books/%C3%A9', '/books/%c3%a9'],
    ['/books/1.csv', '/books/1'],
    ['/books/1', '/books/1.csv'],
    ['/books/a.b', '/books/a.b.csv'],
  ] as const
  for (const [read, written] of rows) {
    const { client, text, its } = library()
    await text(read)
    await client.put(written)
    await text(read)
    t.is(its.reads, 2, `${read} and ${written}`)
  }
  const { client, text, its } = library()
  await text('/books/1')
  await text('/books/*')
  for (const path of ['/books/10', '/books/%2A', '/books/1x', '/books/x.1']) await client.put(path)
  await text('/books/1')
  t.is(its.reads, 2)
})

test('a write drops the path that its Location points to, on the same host', async t => {
  const { client, text, its } = library()
  for (const location of ['/books', '../books', 'http://localhost/books?page=2']) {
    const before = its.reads
    await text('/books')
    await client.post(`/books/1?status=201&location=${encodeURIComponent(location)}`)
    await text('/books')
    t.is(its.reads - before, before === 0 ? 2 : 1, location)
  }
  for (const location of ['http://other.example/books', 'http://[', '/elsewhere']) {
    const before = its.reads
    await client.post(`/books/1?status=201&location=${encodeURIComponent(location)}`)
    await text('/books')
    t.is(its.reads, before, location)
  }
})

test('a read that began before a write is not kept after it, and nobody waits for it any more', async t => {
  const app = kolba()
  const slow = gate()
  let value = 'old'
  let reads = 0
  app.get('/', cached(FOREVER), async () => {
    reads += 1
    const read = value
    if (reads === 1) await slow.passed
    return read
  })
  app.put('/', () => {
    value = 'new'
    return noContent()
  })
  const client = app.client()
  const first = client.get('/')
  while (reads < 1) await new Promise(setImmediate)
  const follower = client.get('/')
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  await client.put('/')
  t.is(await (await client.get('/')).text(), 'new')
  slow.open()
  t.is(await (await first).text(), 'old')
  t.is(await (await follower).text(), 'old')
  t.is(await (await client.get('/')).text(), 'new')
  t.is(reads, 2)
})

test('what is written counts when it is committed: a decorator above the write may do that', async t => {
  const app = kolba()
  const [handled, commit] = [gate(), gate()]
  let value = 'old'
  const transaction = decorator('transaction', async (_ctx, next) => {
    const result = await next()
    handled.open()
    await commit.passed
    value = 'new'
    return result
  })
  app.get('/', cached(FOREVER), () => value)
  app.get('/list', cached(FOREVER), () => value)
  app.put('/', transaction, invalidate('/list'), () => noContent())
  const client = app.client()
  const written = client.put('/')
  await handled.passed
  for (const path of ['/', '/list']) t.is(await (await client.get(path)).text(), 'old')
  commit.open()
  await written
  for (const path of ['/', '/list']) t.is(await (await client.get(path)).text(), 'new')
})

test('invalidate() drops other paths after a write: some by name, some by what is above', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const reads: string[] = []
  const show = (ctx: BaseContext) => {
    reads.push(ctx.url)
    return 'x'
  }
  const kept = cached(FOREVER)
  for (const path of ['/books', '/books/:id', '/authors/:name', '/authors/:name/books', '/', '/other'])
    app.get(path, kept, show)
  const all = [
    '/books',
    '/books?page=2',
    '/books/1',
    '/books/2',
    '/authors/a%20b',
    '/authors/a%20b/books',
    '/',
    '/other',
  ]
  const dropped = async (run: () => unknown) => {
    for (const path of all) await app.client().get(path)
    reads.length = 0
    await run()
    for (const path of all) await app.client().get(path)
    return [...reads]
  }
  const by = (ctx: BaseContext & { params: Readonly<Record<string, string>> }) => `/authors/${ctx.params.author}`
  app.put('/w/list', invalidate('/books'), () => 'x')
  app.put('/w/author/:author', invalidate('/books', by), () => 'x')
  app.put('/w/below', invalidate('/authors/*', '/books/'), () => 'x')
  app.put('/w/all', invalidate('/*'), () => 'x')
  app.put(
    '/w/several',
    invalidate(() => ['/books/1', '/other?x=1']),
    () => 'x',
  )
  app.put(
    '/w/url',
    invalidate(ctx => `http://localhost${ctx.app.url('show', { id: 2 })}#top`),
    () => 'x',
  )
  app.put('/w/refused', invalidate('/books'), () => reply(409, 'x'))
  app.put(
    '/w/broken',
    invalidate('/books', () => '/other'),
    () => {
      throw new Error('broken')
    },
  )
  app.get('/w/read', invalidate('/books'), () => 'x')
  app.get('/named/:id', function showNamed() {
    return 'x'
  })
  const put = (path: string) => () => app.client().put(`/w/${path}`)
  t.deepEqual(await dropped(put('list')), ['/books', '/books?page=2'])
  t.deepEqual(await dropped(put('author/a%20b')), ['/books', '/books?page=2', '/authors/a%20b'])
  t.deepEqual(await dropped(put('author/50%25')), ['/books', '/books?page=2'])
  t.deepEqual(await dropped(put('author/*')), ['/books', '/books?page=2', '/authors/a%20b', '/authors/a%20b/books'])
  t.deepEqual(await dropped(put('below')), ['/books', '/books?page=2', '/authors/a%20b', '/authors/a%20b/books'])
  t.deepEqual(await dropped(put('all')), all)
  t.deepEqual(await dropped(put('several')), ['/books/1', '/other'])
  t.deepEqual(await dropped(put('refused')), [])
  t.deepEqual(await dropped(put('broken')), ['/books', '/books?page=2'])
  t.deepEqual(await dropped(() => app.client().get('/w/read')), [])
  t.deepEqual(await dropped(() => invalidate(app, '/books/2', '/authors/*')), [
    '/books/2',
    '/authors/a%20b',
    '/authors/a%20b/books',
  ])
})

test('invalidate() takes what app.url() and ctx.urlFor() give', async t => {
  const app = kolba()
  let reads = 0
  app.get('/books/:id', cached(FOREVER), function show() {
    reads += 1
    return 'x'
  })
  app.put(
    '/a',
    invalidate(ctx => ctx.app.url('show', { id: 'ä/b' })),
    () => 'x',
  )
  app.put(
    '/b',
    invalidate(ctx => ctx.urlFor('show', { id: 'ä/b' })),
    () => 'x',
  )
  for (const path of ['/a', '/b']) {
    await app.client().get('/books/%C3%A4%2Fb')
    await app.client().put(path)
  }
  await app.client().get('/books/%C3%A4%2Fb')
  t.is(reads, 3)
})

test('invalidate() stops what is being read from being kept', async t => {
  const app = kolba()
  const slow = gate()
  let reads = 0
  app.get('/books/:id', cached(FOREVER), async () => {
    reads += 1
    if (reads === 1) await slow.passed
    return String(reads)
  })
  const first = app.client().get('/books/1')
  while (reads < 1) await new Promise(setImmediate)
  invalidate(app, '/books/*')
  slow.open()
  await first
  t.is(await (await app.client().get('/books/1')).text(), '2')
})

test('invalidate() answers 500 to a function that gives no path', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.put(
    '/',
    invalidate(() => 'books'),
    () => 'x',
  )
  app.get('/', cached(FOREVER), () => 'x')
  t.is((await app.client().put('/')).status, 500)
  const message = 'invalidate: "books" is no path. Begin it with a slash, as in "/books".'
  t.is(logger.lines[0]?.fields.err?.message, message)
})

test('invalidate() refuses what is no path', t => {
  const app = kolba()
  const wrong: [() => unknown, string][] = [
    [() => invalidate(), "invalidate: there is no path. Give one, invalidate('/books')."],
    [() => invalidate(app), "invalidate: there is no path. Give one, invalidate('/books')."],
    [() => invalidate('books'), 'invalidate: "books" is no path. Begin it with a slash, as in "/books".'],
    [() => invalidate(app, ''), 'invalidate: "" is no path. Begin it with a slash, as in "/books".'],
    [() => invalidate(5 as never), 'invalidate: 5 is no path. Begin it with a slash, as in "/books".'],
    [
      () => invalidate('/books/*/pages'),
      'invalidate: "/books/*/pages" has a star that is not at its end. Write one like "/books/*".',
    ],
    [
      () => invalidate(app, (() => '/books') as never),
      'invalidate: with an app there is no ctx for a function. Give paths.',
    ],
  ]
  for (const [run, message] of wrong) t.throws(run, { instanceOf: TypeError, message })
})

test('cached() and writes in a mounted app, below its prefix', async t => {
  const inner = kolba()
  let reads = 0
  inner.get('/books/:id', cached(FOREVER), () => String(++reads))
  inner.put('/books/:id', invalidate('/v1/books/2'), () => noContent())
  const app = kolba()
  app.mount('/v1', inner)
  const text = async (id: number) => (await app.client().get(`/v1/books/${id}`)).text()
  t.deepEqual([await text(1), await text(2), await text(1), await text(2)], ['1', '2', '1', '2'])
  await app.client().put('/v1/books/1')
  t.deepEqual([await text(1), await text(2)], ['3', '4'])
})

test('cached() keeps what a Koa middleware below gives', async t => {
  const app = kolba()
  let calls = 0
  app.get(
    '/',
    cached(FOREVER),
    middleware(async (ctx, next) => {
      await next()
      ctx.set('X-Koa', 'yes')
      ctx.body = `${ctx.body}!`
    }),
    () => `Hello ${++calls}`,
  )
  for (const _ of [1, 2]) {
    const response = await app.client().get('/')
    t.is(await response.text(), 'Hello 1!')
    t.is(response.headers.get('x-koa'), 'yes')
    t.is(response.headers.get('content-length'), '8')
    t.is(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  }
})

test('cached() closes a stream that it answers 304 for', async t => {
  const stream = new PassThrough()
  const it = counted(() => reply(200, stream, { ETag: '"a"' }))
  t.is((await it.client.get('/', { headers: { 'If-None-Match': '"a"' } })).status, 304)
  t.true(stream.destroyed)
})

// Registration

test('cached() refuses wrong options', t => {
  const wrong: [unknown, string][] = [
    [{}, 'cached: nothing says how long an answer is good. Give ttl in seconds, or version.'],
    [{ max: 5 }, 'cached: nothing says how long an answer is good. Give ttl in seconds, or version.'],
    [{ ttl: 0 }, 'cached: the option ttl is 0. Give a number of seconds above 0.'],
    [{ ttl: '60' }, 'cached: the option ttl is "60". Give a number of seconds above 0.'],
    [{ version: 1 }, 'cached: the option version is 1. Give a function.'],
    [{ ttl: 1, max: 0 }, 'cached: the option max is 0. Give a whole number from 1 to 10 million.'],
    [{ ttl: 1, max: 1e8 }, 'cached: the option max is 100000000. Give a whole number from 1 to 10 million.'],
    [{ ttl: 1, maxBytes: 0.5 }, 'cached: the option maxBytes is 0.5. Give a whole number of bytes from 1.'],
    [{ ttl: 1, key: 'a' }, 'cached: the option key is "a". Give a function.'],
    [{ ttl: 1, shared: 1 }, 'cached: the option shared is 1. Give true or false.'],
    [{ tll: 1 }, 'cached: the option "tll" is unknown. It takes ttl, version, max, maxBytes, key and shared.'],
  ]
  for (const [options, message] of wrong) t.throws(() => cached(options as never), { instanceOf: TypeError, message })
})

test('cached() refuses routes on which it would do nothing, or too much', t => {
  const app = kolba()
  const kept = cached(FOREVER)
  const wrong: [() => unknown, string][] = [
    [() => app.put('/a', kept, () => 'x'), 'PUT /a: cached keeps what is read, and nothing is read here. Remove it.'],
    [
      () => app.query('/b', kept, () => 'x'),
      'QUERY /b: cached does not know the body of a QUERY. Give key: ctx => ... with what it asks.',
    ],
    [
      () => app.get('/c', stack(produces({ 'text/csv': csv() })), kept, () => 'x'),
      'GET /c: cached() stands below produces(), which would say what is kept in one way alone. Put it above.',
    ],
    [() => app.use(kept), 'use: cached() would stand above what signs users in. Put it into a stack or a group.'],
  ]
  for (const [run, message] of wrong) t.throws(run, { instanceOf: TypeError, message })
  t.notThrows(() => app.query('/d', cached({ ...FOREVER, key: () => '' }), () => 'x'))
  t.notThrows(() => app.all('/e', cached(FOREVER), () => 'x'))
})

test('cached() passes where its route is composed and called by hand', t => {
  t.is(cached(FOREVER)(() => 'x')({} as never), 'x')
})

test('cached() says in the notes what it answers', t => {
  const app = kolba()
  app.get('/', cached(FOREVER), () => 'x')
  const responses = app.routes()[0]?.notes[0]?.responses
  t.deepEqual(Object.keys(responses ?? {}), ['200', '304', '412'])
  t.deepEqual(Object.keys(responses?.[200]?.headers ?? {}), ['ETag', 'Age'])
})

// All of it together

const token = fc.constantFrom('', 'a', 'b', '1:a', '-', 'a,b', '"a"', '{"name":"a"}', 'x'.repeat(20))
const headers = fc.record(
  { Authorization: token, Cookie: token, 'X-User': token, 'Accept-Language': token, 'X-Other': token },
  { requiredKeys: [] },
)
const path = fc.constantFrom('/1', '/2', '/1/', '/1?a', '/1?a&b', '/10', '/cookie', '/vary', '/missing')
const request = fc.record({ path, headers, isWrite: fc.boolean(), isPaired: fc.boolean() })

/** An app whose answers depend on all that a request has, and on what was written. */
function shelf(options?: CachedOptions) {
  const app = kolba({ logger: new MemoryLogger() })
  const values = new Map<string, number>()
  let total = 0
  const kept = decorator('nothing', (_ctx, next) => next())
  app.get('/:id', byHeader, options ? cached(options) : kept, async ctx => {
    const { id } = ctx.params
    if (id === 'missing') throw problem(404, { detail: 'There is none.' })
    if (id === 'cookie') ctx.cookies.set('a', 'b')
    if (id !== '10') ctx.vary('Accept-Language')
    await null
    const value = values.get(id) ?? 0
    const about = [ctx.url, who(ctx), id === '10' ? '' : (ctx.headers['accept-language'] ?? null), value]
    if (id !== 'vary' || ctx.get('Accept-Language') !== 'a') return about
    return reply(200, [...about, ctx.headers['x-other'] ?? null], { Vary: 'X-Other' })
  })
  app.put('/:id', ctx => {
    values.set(ctx.params.id, (values.get(ctx.params.id) ?? 0) + 1)
    total += 1
    return created(`/${ctx.params.id}`)
  })
  return { client: app.client(), version: () => total }
}

async function answerOf(response: Response) {
  const names = ['content-type', 'content-length', 'set-cookie', 'vary']
  const text = (await response.text()).replace(/"requestId":"[^"]*"/, '')
  return [response.status, text, ...names.map(name => response.headers.get(name))]
}

for (const mode of ['ttl', 'version'] as const) {
  test(`cached({ ${mode} }) answers whatever an app without it answers, in any order of requests`, async t => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 5, maxLength: 20 }), async requests => {
        const twin = shelf()
        const version = () => twin.version()
        const it = shelf(mode === 'ttl' ? FOREVER : { version, max: 5 })
        for (const { path, headers, isWrite, isPaired } of requests) {
          const ask = ({ client }: typeof it) => client.fetch(path, { method: isWrite ? 'PUT' : 'GET', headers })
          const expected = await answerOf(await ask(twin))
          const got = await Promise.all((isPaired && !isWrite ? [1, 2] : [1]).map(async () => answerOf(await ask(it))))
          for (const answer of got) t.deepEqual(answer, expected)
        }
      }),
      { numRuns: 40 },
    )
  })
}

test('cached() drops what a write has changed whose hook fails, before or behind those of the cache', async t => {
  for (const isBefore of [true, false]) {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    let state = 1
    const failing = () =>
      app.after(ctx => {
        if (ctx.method === 'PUT') throw new Error('the audit log is away')
      })
    if (isBefore) failing()
    app.get('/', cached({ ttl: 60 }), () => ({ state }))
    if (!isBefore) failing()
    app.put('/', () => {
      state += 1
      return null
    })
    const client = app.client()
    t.deepEqual(await (await client.get('/')).json(), { state: 1 })
    t.is((await client.put('/')).status, 500)
    t.deepEqual(await (await client.get('/')).json(), { state: 2 })
    t.is(logger.lines.filter(({ level }) => level === 'error').length, 1)
  }
})

test('cached() drops what a write has changed that failed when its client had gone', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false })
  let state = 1
  app.get('/', cached({ ttl: 60 }), () => ({ state }))
  let failed: (value?: unknown) => void = () => {}
  const hasFailed = new Promise(resolve => {
    failed = resolve
  })
  app.put('/', async ctx => {
    state += 1
    line.socket.destroy()
    await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
    setTimeout(failed, 20)
    throw new Error('mail is away')
  })
  const { port } = await listening(t, app)
  const read = async () => (await app.client().get('/')).json()
  t.deepEqual(await read(), { state: 1 })
  const line = new Line(port).write('PUT / HTTP/1.1\r\nHost: a\r\n\r\n')
  await hasFailed
  t.deepEqual(await read(), { state: 2 })
  t.is(logger.lines.filter(({ level }) => level === 'error').length, 1)
})

test('cached() drops what a write has changed whose path a middleware cuts off and puts back', async t => {
  const app = kolba()
  let state = 1
  app.use(async (ctx, next) => {
    const { path } = ctx
    ctx.path = path.replace(/^\/tenants\/\w+/, '')
    await next()
    ctx.path = path
  })
  app.get('/list', cached({ ttl: 60 }), () => ({ state }))
  app.put('/list', () => {
    state += 1
    return null
  })
  const client = app.client()
  const read = async () => (await client.get('/tenants/a/list')).json()
  t.deepEqual(await read(), { state: 1 })
  t.is((await client.put('/tenants/a/list')).status, 204)
  t.deepEqual(await read(), { state: 2 })
})

test('cached() lets a reply say Server-Timing once, of its own request', async t => {
  const it = counted(() => reply(200, { a: 1 }, { 'Server-Timing': 'db;dur=5', 'X-Kept': 'yes' }), { ttl: 60 })
  const first = await it.client.get('/')
  const again = await it.client.get('/')
  t.deepEqual(
    [first, again].map(({ headers }) => headers.get('x-kept')),
    ['yes', 'yes'],
  )
  t.deepEqual(
    [first, again].map(({ headers }) => headers.get('server-timing')),
    ['db;dur=5', null],
  )
})
