import http from 'node:http'
import { duplexPair } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  blueprint,
  type Client,
  decorator,
  get,
  type KolbaOptions,
  kolba,
  type Next,
  problem,
  reply,
  stack,
} from 'kolba'
import { clientAddress } from 'kolba/client-address'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { memoryStore, type RateLimitOptions, type RateLimitStore, rateLimit } from 'kolba/rate-limit'
import { MemoryLogger } from '../support/memory-logger.js'

/** The clock of the test; the tests that move it are serial, and move it on alone. */
const clock = { now: 1_700_000_000_000 }
Date.now = () => clock.now

function quiet(options: KolbaOptions = {}) {
  return kolba({ logger: new MemoryLogger(), ...options })
}

/** An app with one route, `GET /`, below these. */
function limited(...limits: ReturnType<typeof rateLimit>[]): Client {
  const app = quiet()
  const group = app.group('', ...limits)
  group.get('/', () => 'ok')
  return app.client()
}

async function statuses(client: Client, count: number, path = '/', init: RequestInit = {}): Promise<number[]> {
  const found: number[] = []
  for (let index = 0; index < count; index += 1) found.push((await client.get(path, init as never)).status)
  return found
}

interface Said {
  status: number
  policy: string | null
  state: string | null
  retryAfter: string | null
}

async function said(client: Client, path = '/'): Promise<Said> {
  const { status, headers } = await client.get(path)
  return {
    status,
    policy: headers.get('RateLimit-Policy'),
    state: headers.get('RateLimit'),
    retryAfter: headers.get('Retry-After'),
  }
}

test.serial('rateLimit() says what is left, and when to come back', async t => {
  const client = limited(rateLimit('3/min'))
  const policy = '"default";q=3;w=60'
  t.deepEqual(await said(client), { status: 200, policy, state: '"default";r=2;t=60', retryAfter: null })
  clock.now += 1
  t.deepEqual(await said(client), { status: 200, policy, state: '"default";r=1;t=60', retryAfter: null })
  clock.now += 999
  t.deepEqual(await said(client), { status: 200, policy, state: '"default";r=0;t=59', retryAfter: null })
  clock.now += 58_001
  t.deepEqual(await said(client), { status: 429, policy, state: '"default";r=0;t=1', retryAfter: '1' })
  clock.now += 999
  t.deepEqual(await said(client), { status: 200, policy, state: '"default";r=2;t=60', retryAfter: null })
})

test('rateLimit() answers 429 with a problem that names the limit', async t => {
  const client = limited(rateLimit('1/hour', { name: 'hourly' }))
  await client.get('/')
  const response = await client.get('/')
  t.is(response.status, 429)
  t.is(response.headers.get('Content-Type'), 'application/problem+json')
  const { requestId, ...document } = (await response.json()) as Record<string, unknown>
  t.deepEqual(document, {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
    detail: 'At most 1 in 3600 s are allowed. Try again in 3600 s.',
    instance: '/',
    'violated-policies': ['hourly'],
  })
})

for (const algorithm of ['fixed', 'sliding', 'gcra'] as const) {
  test(`rateLimit() lets exactly 100 of 150 requests at once through, by ${algorithm}`, async t => {
    const client = limited(rateLimit({ limit: 100, per: 'min', algorithm }))
    const all = await Promise.all(Array.from({ length: 150 }, async () => (await client.get('/')).status))
    t.is(all.filter(status => status === 200).length, 100)
    t.is(all.filter(status => status === 429).length, 50)
  })
}

for (const [algorithm, states] of [
  ['fixed', ['"default";r=1;t=60', '"default";r=0;t=60', '"default";r=0;t=60 60', '"default";r=0;t=50 50']],
  ['sliding', ['"default";r=1;t=60', '"default";r=0;t=90', '"default";r=0;t=90 90', '"default";r=0;t=80 80']],
  ['gcra', ['"default";r=1;t=30', '"default";r=0;t=30', '"default";r=0;t=30 30', '"default";r=0;t=20 20']],
] as const) {
  test.serial(`rateLimit() says of ${algorithm} what is left, and the same t in Retry-After`, async t => {
    const client = limited(rateLimit({ limit: 2, per: 60, algorithm }))
    const found: string[] = []
    for (const wait of [0, 0, 0, 10_000]) {
      clock.now += wait
      const { state, retryAfter } = await said(client)
      found.push(retryAfter ? `${state} ${retryAfter}` : String(state))
    }
    t.deepEqual(found, [...states])
  })
}

test.serial('rateLimit() lets pass who waits as long as it says, whatever the limit', async t => {
  const rule = fc.record({
    algorithm: fc.constantFrom('fixed', 'sliding', 'gcra'),
    limit: fc.integer({ min: 1, max: 5 }),
    per: fc.constantFrom(1, 7, 60),
  }) as fc.Arbitrary<RateLimitOptions>
  const waits = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 3, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(rule, waits, async (options, waits) => {
      const client = limited(rateLimit(options))
      for (const wait of waits) {
        clock.now += wait
        const { status, state, retryAfter } = await said(client)
        if (status === 200) continue
        t.is(Number(/t=(\d+)/.exec(String(state))?.[1]), Number(retryAfter))
        clock.now += Number(retryAfter) * 1000
        t.is((await said(client)).status, 200)
      }
    }),
    { numRuns: 20 },
  )
})

test('rateLimit() of several limits asks from above, and says them all in one list', async t => {
  const client = limited(rateLimit('5/hour'), rateLimit('2/min', { name: 'burst' }), rateLimit('9/day'))
  const policy = '"default";q=5;w=3600, "burst";q=2;w=60, "default-2";q=9;w=86400'
  t.deepEqual(await said(client), {
    status: 200,
    policy,
    state: '"default";r=4;t=3600, "burst";r=1;t=60, "default-2";r=8;t=86400',
    retryAfter: null,
  })
  await client.get('/')
  // The innermost was not asked any more, and the outermost has counted.
  t.deepEqual(await said(client), {
    status: 429,
    policy: '"default";q=5;w=3600, "burst";q=2;w=60',
    state: '"default";r=2;t=3600, "burst";r=0;t=60',
    retryAfter: '60',
  })
})

test('rateLimit() shares a count where its value is shared, and nowhere else', async t => {
  const app = quiet()
  const shared = rateLimit('2/min')
  app.get('/a', shared, () => 'a')
  app.get('/b', shared, () => 'b')
  app.get('/c', rateLimit('2/min'), () => 'c')
  const client = app.client()
  t.deepEqual(await statuses(client, 1, '/a'), [200])
  t.deepEqual(await statuses(client, 2, '/b'), [200, 429])
  t.deepEqual(await statuses(client, 1, '/a'), [429])
  t.deepEqual(await statuses(client, 3, '/c'), [200, 200, 429])
})

test('rateLimit() keeps its counts apart in a store that is shared, unless they have one name and are the same', async t => {
  const app = quiet()
  const store = memoryStore()
  app.get('/a', rateLimit('1/min', { store }), () => 'a')
  app.get('/b', rateLimit('1/min', { store }), () => 'b')
  app.get('/c', rateLimit('1/min', { store, name: 'c' }), () => 'c')
  app.get('/d', rateLimit('1/min', { store, name: 'c' }), () => 'd')
  app.get('/e', rateLimit('2/min', { store, name: 'c' }), () => 'e')
  const client = app.client()
  for (const [path, found] of [
    ['/a', [200, 429]],
    ['/b', [200, 429]],
    ['/c', [200, 429]],
    ['/d', [429, 429]],
    ['/e', [200, 200]],
  ] as const)
    t.deepEqual(await statuses(client, 2, path), [...found], path)
})

/** A store for several limits, and under which keys they count in it, without what they count and whom. */
function watched() {
  const memory = memoryStore()
  const keys = new Set<string>()
  const store: RateLimitStore = {
    ...memory,
    take(key, ...rest) {
      keys.add(/^\d+:(.*?),5:fixed/.exec(key)?.[1] ?? key)
      return memory.take(key, ...rest)
    },
  }
  return { store, keys }
}

/** The names in RateLimit-Policy and RateLimit, which are the same, and how many each has let through of 99. */
async function counted(t: ExecutionContext, client: Client, path: string): Promise<Record<string, number>> {
  const { policy, state } = await said(client, path)
  const names = policy?.split(', ').map(it => it.split(';')[0]?.slice(1, -1) ?? '') ?? []
  const left = state?.split(', ').map(it => /^"(.*)";r=(\d+)/.exec(it)?.slice(1) ?? []) ?? []
  t.deepEqual(
    left.map(([name]) => name),
    names,
  )
  t.is(new Set(names).size, names.length)
  return Object.fromEntries(left.map(([name, left]) => [name, 99 - Number(left)]))
}

test('rateLimit() of apps that are mounted counts for each in a store that is shared, under a name of its own', async t => {
  const { store, keys } = watched()
  const limit = () => rateLimit('99/min', { store })
  const made = () => {
    const inner = quiet()
    inner.use(limit())
    inner.get('/x', limit(), () => 'ok')
    return inner
  }
  const outer = quiet()
  outer.use(limit())
  outer.get('/x', limit(), () => 'ok')
  const middle = quiet()
  middle.mount('/two', made())
  outer.mount('/one', made())
  outer.mount('/one', middle)
  outer.mount('/one/two/three', made(), limit())
  const pages = blueprint('pages')
  pages.mount('/in', made())
  outer.mount('/pages', pages)
  const client = outer.client()
  const each: Record<string, number>[] = []
  for (const path of ['/x', '/one/x', '/one/two/x', '/one/two/three/x', '/pages/in/x'])
    each.push(await counted(t, client, path))
  t.deepEqual(each, [
    { app: 1, default: 1 },
    { app: 2, 'app-2': 1, default: 1 },
    { app: 3, 'app-2': 1, default: 1 },
    { app: 4, default: 1, 'app-2': 1, 'default-2': 1 },
    { app: 5, 'app-2': 1, default: 1 },
  ])
  const places = ['/one', '/one (2) /two', '/one/two/three', '/pages/in'].flatMap(place => [
    `${place} ALL {/*rest} app`,
    `${place} GET /x default`,
  ])
  t.deepEqual(
    [...keys].sort(),
    ['ALL {/*rest} app', 'GET /x default', 'GET /one/two/three/x default', ...places].sort(),
  )
})

test('rateLimit() in app.use has a name and a count of its own beside another one', async t => {
  const { store, keys } = watched()
  const app = quiet()
  const limit = () => rateLimit('99/min', { store })
  const twice = limit()
  app.use(limit())
  app.use(stack(twice, rateLimit('99/min', { name: 'x', store })))
  app.use(twice)
  app.get('/', rateLimit('99/min', { name: 'x', store }), () => 'ok')
  const client = app.client()
  t.deepEqual(await counted(t, client, '/'), { app: 1, 'app-2': 1, x: 1, 'app-3': 2, 'x-2': 2 })
  t.deepEqual([...keys], ['ALL {/*rest} app', 'ALL {/*rest} app-2', 'x'])
  t.throws(() => app.use(rateLimit('1/min', { name: 'x' })), {
    instanceOf: TypeError,
    message: 'use: two limits are called x. Give one of them another name.',
  })
})

test('rateLimit() names in a 429 the limit as its headers do', async t => {
  const inner = quiet()
  inner.use(rateLimit('1/min'))
  inner.get('/', () => 'ok')
  const outer = quiet()
  outer.use(rateLimit('99/min'))
  outer.mount('/in', inner)
  const client = outer.client()
  t.deepEqual(await statuses(client, 1, '/in'), [200])
  const refused = await client.get('/in')
  t.is(refused.headers.get('RateLimit'), '"app";r=97;t=60, "app-2";r=0;t=60')
  t.like(await refused.json(), { status: 429, 'violated-policies': ['app-2'] })
})

test('rateLimit() counts as before in a store that is shared, where nothing is mounted', async t => {
  const { store, keys } = watched()
  const app = quiet()
  app.use(rateLimit('9/min', { store }))
  app.get(
    '/x',
    rateLimit('9/min', { store }),
    rateLimit('9/min', { store }),
    rateLimit('9/min', { store, name: 'x' }),
    () => 1,
  )
  app.group('/group', rateLimit('9/min', { store })).post('/', () => 1)
  await app.client().get('/x')
  await app.client().post('/group/')
  t.deepEqual([...keys], ['ALL {/*rest} app', 'GET /x default', 'GET /x default-2', 'x', 'POST /group default'])
})

test('rateLimit() counts a HEAD as a GET', async t => {
  const client = limited(rateLimit('2/min'))
  t.is((await client.head('/')).status, 200)
  t.is((await client.head('/')).headers.get('RateLimit'), '"default";r=0;t=60')
  t.is((await client.get('/')).status, 429)
  t.is((await client.head('/')).status, 429)
})

test('rateLimit() stands on a group, a method, in a composition and in app.use', async t => {
  const app = quiet()
  class Books {
    @get('/')
    @rateLimit('1/min')
    list() {
      return 'books'
    }
  }
  app.mount('/books', new Books())
  app.get('/composed', rateLimit('1/min')(json()(() => 'x')))
  const limit = rateLimit('1/min')
  const pages = blueprint('pages', limit)
  pages.get('/1', () => '1')
  pages.get('/2', () => '2')
  app.mount('/pages', pages)
  const client = app.client()
  t.deepEqual(await statuses(client, 2, '/books'), [200, 429])
  t.deepEqual(await statuses(client, 2, '/composed'), [200, 429])
  t.deepEqual(await statuses(client, 1, '/pages/1'), [200])
  t.deepEqual(await statuses(client, 1, '/pages/2'), [429])

  const all = quiet()
  all.use(rateLimit('2/min'))
  all.get('/', rateLimit('9/min'), () => 'ok')
  t.deepEqual(await said(all.client()), {
    status: 200,
    policy: '"app";q=2;w=60, "default";q=9;w=60',
    state: '"app";r=1;t=60, "default";r=8;t=60',
    retryAfter: null,
  })
  t.deepEqual(await statuses(all.client(), 2, '/missing'), [404, 429])
})

test('rateLimit() does not count the reading that a guarded write makes', async t => {
  const app = quiet()
  app.get('/', etag(), rateLimit('1/min'), () => 'x')
  app.put('/', etag(), () => 'x')
  const client = app.client()
  for (let index = 0; index < 3; index += 1)
    t.is((await client.put('/', { headers: { 'If-Match': '*' } } as never)).status, 200)
  t.deepEqual(await statuses(client, 2), [200, 429])
})

interface User {
  id: string
}
const signedIn = decorator('signedIn', (ctx, next: Next<{ user: User }>) => {
  const id = ctx.get('X-User')
  if (!id) throw problem(401, { headers: { 'WWW-Authenticate': 'Demo' } })
  return next({ user: { id } })
})
const as = (id: string) => ({ headers: { 'X-User': id } })

test('rateLimit() goes by the user below what signs in, and by the address above it', async t => {
  const app = quiet()
  app.get('/below', signedIn, rateLimit('1/min'), () => 'ok')
  app.get('/above', rateLimit('2/min'), signedIn, () => 'ok')
  app.get('/address', signedIn, rateLimit('2/min', { key: 'address' }), () => 'ok')
  const client = app.client()
  t.deepEqual(await statuses(client, 2, '/below', as('ada')), [200, 429])
  t.deepEqual(await statuses(client, 2, '/below', as('bob')), [200, 429])
  t.deepEqual(await statuses(client, 1, '/below'), [401])
  for (const path of ['/above', '/address']) {
    t.deepEqual(await statuses(client, 1, path, as('ada')), [200])
    t.deepEqual(await statuses(client, 1, path, as('bob')), [200])
    t.deepEqual(await statuses(client, 1, path, as('eve')), [429])
  }
})

test('rateLimit() knows a user that cannot change, and looks at one that can each time', async t => {
  const changing = { id: 1 }
  const circle: Record<string, unknown> = { id: 2 }
  circle.self = circle
  const users: Record<string, unknown> = {
    fixed: Object.freeze({ sub: 'ada' }),
    same: Object.freeze({ sub: 'ada' }),
    text: 'ada',
    circle: Object.freeze(circle),
    changing,
  }
  const byName = decorator('byName', (ctx, next: Next<{ user: unknown }>) => next({ user: users[ctx.get('X-Name')] }))
  const app = quiet()
  app.get('/', byName, rateLimit('2/min'), () => 'ok')
  const client = app.client()
  const ask = (count: number, name: string) => statuses(client, count, '/', { headers: { 'X-Name': name } })
  t.deepEqual(await ask(1, 'fixed'), [200])
  t.deepEqual(await ask(1, 'same'), [200])
  t.deepEqual(await ask(1, 'fixed'), [429])
  for (const name of ['text', 'circle', 'changing']) t.deepEqual(await ask(3, name), [200, 200, 429], name)
  changing.id = 3
  t.deepEqual(await ask(3, 'changing'), [200, 200, 429])
})

/** Requests from a peer, to an app that is given. */
function from(app: ReturnType<typeof kolba>, remoteAddress: string, headers: Record<string, string> = {}) {
  const server = app.createServer()
  const createConnection = () => {
    const [near, far] = duplexPair()
    server.emit('connection', Object.assign(far, { remoteAddress }))
    return near as never
  }
  return new Promise<number | undefined>((resolve, reject) => {
    const request = http.get({ headers: { host: 'a', ...headers }, createConnection }, ({ statusCode, resume }) => {
      resolve(statusCode)
      void resume
    })
    request.on('error', reject)
  })
}

test('rateLimit() takes an IPv6 /64 for one client, and IPv4 in IPv6 for IPv4', async t => {
  const app = quiet()
  app.get('/', rateLimit('1/min'), () => 'ok')
  t.is(await from(app, '2001:db8::1'), 200)
  t.is(await from(app, '2001:DB8:0:0:ffff::2'), 429)
  t.is(await from(app, '2001:db8:0:1::1'), 200)
  t.is(await from(app, '192.0.2.1'), 200)
  t.is(await from(app, '::ffff:192.0.2.1'), 429)
  t.is(await from(app, '192.0.2.2'), 200)
})

test('rateLimit() believes a proxy that is named, and the header that clientAddress() reads', async t => {
  const app = quiet({ proxy: ['10.0.0.0/8'] })
  app.get('/', rateLimit('1/min'), () => 'ok')
  t.is(await from(app, '10.0.0.1', { 'X-Forwarded-For': '203.0.113.7' }), 200)
  t.is(await from(app, '10.0.0.2', { 'X-Forwarded-For': '1.2.3.4, 203.0.113.7' }), 429)
  t.is(await from(app, '10.0.0.1', { 'X-Forwarded-For': '203.0.113.8' }), 200)
  // What comes past the proxy says nothing of where it is from.
  t.is(await from(app, '203.0.113.9', { 'X-Forwarded-For': '1.1.1.1' }), 200)
  t.is(await from(app, '203.0.113.9', { 'X-Forwarded-For': '2.2.2.2' }), 429)

  const other = quiet({ proxy: ['10.0.0.0/8'] })
  other.get('/', clientAddress({ header: 'Forwarded' }), rateLimit('1/min'), () => 'ok')
  t.is(await from(other, '10.0.0.1', { Forwarded: 'for=203.0.113.7' }), 200)
  t.is(await from(other, '10.0.0.1', { Forwarded: 'for=203.0.113.7', 'X-Forwarded-For': '1.1.1.1' }), 429)
  t.is(await from(other, '10.0.0.1', { Forwarded: 'for=203.0.113.8' }), 200)
  t.is(await from(other, '10.0.0.1', { Forwarded: 'for="[2001:db8::1]"' }), 200)
  t.is(await from(other, '10.0.0.1', { Forwarded: 'for="[2001:db8::2]"' }), 429)
})

test('rateLimit() goes by a key, and tells lists apart by their parts', async t => {
  const app = quiet()
  app.get('/list', rateLimit('1/min', { key: ctx => [ctx.get('X-A'), ctx.get('X-B')] }), () => 'ok')
  app.get('/later', rateLimit('1/min', { key: async ctx => ctx.get('X-A') }), () => 'ok')
  app.get('/none', signedIn, rateLimit('1/min', { key: () => undefined }), () => 'ok')
  const client = app.client()
  const of = (a: string, b: string) => ({ headers: { 'X-A': a, 'X-B': b } })
  t.deepEqual(await statuses(client, 2, '/list', of('a', 'b')), [200, 429])
  t.deepEqual(await statuses(client, 1, '/list', of('a,b', '')), [200])
  t.deepEqual(await statuses(client, 1, '/list', of('', 'a,b')), [200])
  t.deepEqual(await statuses(client, 1, '/list', of('a"', '"b')), [200])
  t.deepEqual(await statuses(client, 2, '/list', of('x'.repeat(5000), 'y')), [200, 429])
  t.deepEqual(await statuses(client, 1, '/list', of('x'.repeat(5001), 'y')), [200])
  t.deepEqual(await statuses(client, 2, '/later', of('a', '')), [200, 429])
  t.deepEqual(await statuses(client, 2, '/none', as('ada')), [200, 429])
  t.deepEqual(await statuses(client, 1, '/none', as('bob')), [200])
})

test('rateLimit() keeps users, addresses and keys apart, whatever they are called', async t => {
  const keys: string[] = []
  const inner = memoryStore()
  const store: RateLimitStore = {
    ...inner,
    take(key, cost, rule) {
      keys.push(key)
      return inner.take(key, cost, rule)
    },
  }
  const app = quiet()
  const key = () => '127.0.0.1'
  app.get('/user', signedIn, rateLimit('9/min', { store, name: 'x' }), () => 'ok')
  app.get('/address', rateLimit('9/min', { store, name: 'x' }), () => 'ok')
  app.get('/key', rateLimit('9/min', { store, name: 'x', key }), () => 'ok')
  app.get('/long', rateLimit('9/min', { store, name: 'x', key: () => 'x'.repeat(9999) }), () => 'ok')
  const client = app.client()
  for (const path of ['/user', '/address', '/key', '/long']) await client.get(path, as('127.0.0.1'))
  const place = '1:x,5:fixed,n9,n60000,n9,'
  t.deepEqual(keys.slice(0, 3), [`${place}u2:id,9:127.0.0.1,`, `${place}a127.0.0.1`, `${place}k9:127.0.0.1,`])
  t.regex(keys[3] as string, /^1:x,5:fixed,n9,n60000,n9,ksha256:[\w-]{43}$/)
})

test('rateLimit() takes the cost of a request', async t => {
  const app = quiet()
  app.get('/', rateLimit('10/min', { cost: ctx => Number(ctx.query.n) }), () => 'ok')
  app.get('/three', rateLimit('10/min', { cost: 3 }), () => 'ok')
  const client = app.client()
  t.like(await said(client, '/?n=4'), { status: 200, state: '"default";r=6;t=60' })
  t.like(await said(client, '/?n=7'), { status: 429, state: '"default";r=6;t=60', retryAfter: '60' })
  t.like(await said(client, '/?n=6'), { status: 200, state: '"default";r=0;t=60' })
  t.like(await said(client, '/?n=0'), { status: 200, state: '"default";r=0;t=60' })
  t.deepEqual(await statuses(client, 4, '/three'), [200, 200, 200, 429])
  // No wait will do, so none is told.
  const response = await client.get('/?n=11')
  t.is(response.status, 429)
  t.is(response.headers.get('Retry-After'), null)
  t.like(await response.json(), {
    detail: 'This request counts as 11, and 10 is the most that is ever allowed. Ask for less.',
    'violated-policies': ['default'],
  })
})

test('rateLimit() lets gcra have a burst', async t => {
  const client = limited(rateLimit({ limit: 100, per: 'min', algorithm: 'gcra', burst: 2 }))
  t.deepEqual(await statuses(client, 3), [200, 200, 429])
  t.like(await said(client), { policy: '"default";q=100;w=60', state: '"default";r=0;t=1', retryAfter: '1' })
})

test('rateLimit() skips what it is told to, without a header', async t => {
  const app = quiet()
  const skip = (ctx: { user: User }) => ctx.user.id === 'root'
  app.get('/', signedIn, rateLimit('1/min', { skip }), ctx => ctx.user.id)
  app.get('/later', signedIn, rateLimit('1/min', { skip: async ctx => ctx.get('X-User') === 'root' }), () => 'ok')
  const client = app.client()
  for (const path of ['/', '/later']) {
    t.deepEqual(await statuses(client, 3, path, as('root')), [200, 200, 200])
    t.is((await client.get(path, as('root'))).headers.get('RateLimit'), null)
    t.deepEqual(await statuses(client, 2, path, as('ada')), [200, 429])
  }
})

test('rateLimit() in a dry run refuses nobody, and logs whom it would', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const limit = rateLimit('1/min', { dryRun: true, key: () => 'a secret', cost: ctx => Number(ctx.query.n ?? 1) })
  app.get('/', limit, () => 'ok')
  const client = app.client()
  t.deepEqual(await said(client), { status: 200, policy: null, state: null, retryAfter: null })
  t.is(logger.lines.length, 0)
  t.deepEqual(await said(client), { status: 200, policy: null, state: null, retryAfter: null })
  t.deepEqual(await said(client, '/?n=5'), { status: 200, policy: null, state: null, retryAfter: null })
  t.deepEqual(
    logger.lines.map(({ level, message }) => `${level} ${message}`),
    Array(2).fill('warn rateLimit: a dry run would have refused this.'),
  )
  t.like(logger.lines[0]?.fields, { limit: 'default', method: 'GET', path: '/' })
  t.false(JSON.stringify(logger.lines).includes('secret'))
  t.deepEqual(app.routes()[0]?.notes, [{}])
})

test.serial(
  'rateLimit() sends the older headers where it is asked for them, of the limit that has least left',
  async t => {
    const legacyHeaders = true
    const client = limited(
      rateLimit('5/hour', { legacyHeaders }),
      rateLimit('2/min', { name: 'b', legacyHeaders }),
      rateLimit('9/day', { name: 'c', legacyHeaders }),
      rateLimit('1/s', { name: 'd' }),
    )
    const older = async () => {
      const { headers } = await client.get('/')
      return ['Limit', 'Remaining', 'Reset'].map(name => Number(headers.get(`X-RateLimit-${name}`)))
    }
    t.deepEqual(await older(), [2, 1, Math.ceil(clock.now / 1000) + 60])
    const others = (await limited(rateLimit('2/min')).get('/')).headers
    t.is(others.get('X-RateLimit-Limit'), null)
  },
)

test('rateLimit() with `when` counts failures, thrown, returned and mapped ones', async t => {
  class Wrong extends Error {}
  const app = quiet()
  app.onError(Wrong, () => problem(401))
  const failures = () => rateLimit('2/min', { when: status => status === 401 })
  app.get('/thrown', failures(), signedIn, () => 'ok')
  app.get('/returned', failures(), ctx => (ctx.get('X-User') ? 'ok' : reply(401)))
  app.get('/problem', failures(), ctx => (ctx.get('X-User') ? 'ok' : problem(401)))
  app.get('/response', failures(), ctx => (ctx.get('X-User') ? null : new Response('', { status: 401 })))
  app.get('/koa', failures(), ctx => {
    ctx.body = 'x'
    if (!ctx.get('X-User')) ctx.status = 401
  })
  app.get('/mapped', failures(), async ctx => {
    if (!ctx.get('X-User')) throw new Wrong()
    return 'ok'
  })
  const client = app.client()
  for (const path of ['/thrown', '/returned', '/problem', '/response', '/koa', '/mapped']) {
    const good = path === '/response' ? 204 : 200
    t.deepEqual(await statuses(client, 5, path, as('ada')), Array(5).fill(good), path)
    t.deepEqual(await statuses(client, 1, path), [401], path)
    const response = await client.get(path, as('ada'))
    t.is(response.headers.get('RateLimit'), '"default";r=1;t=60', path)
    t.is((await client.get(path)).headers.get('RateLimit'), '"default";r=0;t=60', path)
    // Then even the right answer is not listened to.
    t.deepEqual(await statuses(client, 2, path, as('ada')), [429, 429], path)
  }
})

test('rateLimit() with `when` lets no more failures through at once than one by one', async t => {
  const app = quiet()
  let tried = 0
  const limit = rateLimit('5/15min', { key: 'address', when: status => status === 401 })
  app.post('/login', limit, async () => {
    tried += 1
    await new Promise(resolve => setImmediate(resolve))
    throw problem(401)
  })
  const client = app.client()
  const all = await Promise.all(Array.from({ length: 50 }, async () => (await client.post('/login')).status))
  t.is(tried, 5)
  t.is(all.filter(status => status === 401).length, 5)
  t.is(all.filter(status => status === 429).length, 45)
})

test('rateLimit() with `when` asks once more where the answer is a 404 or the handler fails', async t => {
  const app = quiet()
  const seen: number[] = []
  const limit = rateLimit('9/min', { when: status => seen.push(status) > 99 })
  app.get('/bug', limit, () => JSON.parse('{'))
  app.get('/null', limit, () => null)
  app.get('/nothing', limit, () => undefined)
  app.get('/made', limit, () => reply(201))
  const client = app.client()
  for (const path of ['/bug', '/null', '/nothing', '/made']) await client.get(path)
  t.deepEqual(seen, [500, 204, 404, 201])
})

test('rateLimit() leaves a stack that is synchronous so', t => {
  const app = quiet()
  const run = rateLimit('2/min')(() => 'ok')
  const headers: Record<string, string> = {}
  const set = (name: string, value: string) => Object.assign(headers, { [name]: value })
  const res = { getHeader: (name: string) => headers[name] }
  t.is(run({ app, req: { headers: {} }, ip: '192.0.2.1', res, set } as never), 'ok')
  t.deepEqual(headers, { 'RateLimit-Policy': '"default";q=2;w=60', RateLimit: '"default";r=1;t=60' })
})

test('rateLimit() notes its headers and its 429', t => {
  const app = quiet()
  app.get('/', rateLimit('1/min'), () => 'ok')
  const [note] = app.routes()[0]?.notes ?? []
  t.deepEqual(Object.keys(note?.headers ?? {}), ['RateLimit-Policy', 'RateLimit'])
  t.deepEqual(Object.keys(note?.responses ?? {}), ['429'])
})

for (const [rate, policy] of [
  ['1/s', '"default";q=1;w=1'],
  ['10/sec', '"default";q=10;w=1'],
  ['100/min', '"default";q=100;w=60'],
  ['5/15min', '"default";q=5;w=900'],
  ['1000/h', '"default";q=1000;w=3600'],
  ['1000/hour', '"default";q=1000;w=3600'],
  ['1000000/day', '"default";q=1000000;w=86400'],
  ['1/365day', '"default";q=1;w=31536000'],
] as const) {
  test(`rateLimit() reads ${rate}`, async t => {
    t.is((await said(limited(rateLimit(rate)))).policy, policy)
  })
}

for (const rate of [
  ...[
    '',
    '100',
    '/min',
    '100/',
    '100/minute',
    '100/ min',
    ' 100/min',
    '100/min ',
    '0/min',
    '-1/min',
    '1.5/min',
    '1e3/min',
  ],
  ...[
    '100/0min',
    '100/-1min',
    '100/month',
    'NaN/min',
    'Infinity/s',
    '100/min/h',
    '0100/min',
    '+1/s',
    '1/s\n',
    '９/s',
    '1/366day',
  ],
]) {
  test(`rateLimit() refuses the limit ${JSON.stringify(rate)}`, t => {
    t.throws(() => rateLimit(rate as never), {
      instanceOf: TypeError,
      message: `rateLimit: ${JSON.stringify(rate)} is no limit. Write '100/min' or '5/15min', with a count above 0, and s, min, h or day, up to a year.`,
    })
  })
}

const count = 'Give a whole number from 1.'
const time = "Give whole seconds from 1 to 31536000, or text like 'min', '15min', 'hour' or 'day'."
for (const [options, message] of [
  [{ limit: 0 }, `the option limit is 0. ${count}`],
  [{ limit: -5 }, `the option limit is -5. ${count}`],
  [{ limit: Number.NaN }, `the option limit is NaN. ${count}`],
  [{ limit: Number.POSITIVE_INFINITY }, `the option limit is Infinity. ${count}`],
  [{ limit: 1.5 }, `the option limit is 1.5. ${count}`],
  [{ limit: '100' }, `the option limit is "100". ${count}`],
  [{ limit: null }, `the option limit is null. ${count}`],
  [{ limit: undefined }, "there is no limit. Give '100/min', or { limit: 100, per: 'min' }."],
  [{ per: undefined }, "there is no limit. Give '100/min', or { limit: 100, per: 'min' }."],
  [{ per: 0 }, `the option per is 0. ${time}`],
  [{ per: -1 }, `the option per is -1. ${time}`],
  [{ per: Number.NaN }, `the option per is NaN. ${time}`],
  [{ per: 0.5 }, `the option per is 0.5. ${time}`],
  [{ per: 31_536_001 }, `the option per is 31536001. ${time}`],
  [{ per: '366day' }, `the option per is "366day". ${time}`],
  [{ per: 'minute' }, `the option per is "minute". ${time}`],
  [{ limit: 1e12, per: 'day' }, '1000000000000 in 86400 s is too much to count. Give a shorter time.'],
  [{ algorithm: 'leaky' }, 'the option algorithm is "leaky". Give one of "fixed", "sliding" and "gcra".'],
  [{ burst: 0, algorithm: 'gcra' }, `the option burst is 0. ${count}`],
  [{ burst: 5 }, 'burst is an option of the algorithm gcra, and not of fixed. Leave it out.'],
  [{ name: 'a "b"' }, 'the option name is "a \\"b\\"". Give at most 64 letters, digits and ._:-.'],
  [{ name: '' }, 'the option name is "". Give at most 64 letters, digits and ._:-.'],
  [{ key: 'ip' }, `the option key is "ip". Give 'user', 'address' or a function.`],
  [{ cost: 0 }, 'the option cost is 0. Give a whole number from 1, or a function.'],
  [{ cost: Number.NaN }, 'the option cost is NaN. Give a whole number from 1, or a function.'],
  [{ cost: 101 }, 'the cost is 101 and at most 100 fit, so nothing would pass. Lower it.'],
  [{ cost: 3, algorithm: 'gcra', burst: 2 }, 'the cost is 3 and at most 2 fit, so nothing would pass. Lower it.'],
  [{ when: 401 }, 'the option when is 401. Give a function.'],
  [{ when: () => true, algorithm: 'gcra' }, 'gcra cannot give back what `when` does not count. Take fixed or sliding.'],
  [{ skip: true }, 'the option skip is true. Give a function.'],
  [{ dryRun: 1 }, 'the option dryRun is 1. Give true or false.'],
  [{ store: new Map() }, 'the option store is an object. Give a store, such as memoryStore() or redisStore(client).'],
  [{ onStoreFailure: 'ignore' }, 'the option onStoreFailure is "ignore". Give one of "allow" and "refuse".'],
] as const) {
  test(`rateLimit() refuses ${Object.entries(options).map(([name, it]) => `${name} ${String(it)}`)}`, t => {
    t.throws(() => rateLimit({ limit: 100, per: 'min', ...options } as never), {
      instanceOf: TypeError,
      message: `rateLimit: ${message}`,
    })
  })
}

test('rateLimit() refuses what is no limit at all', t => {
  const known = Object.keys({ limit: 1, per: 1, algorithm: 1, burst: 1, name: 1, key: 1, cost: 1, when: 1, skip: 1 })
  t.throws(() => rateLimit(undefined as never), {
    message: "rateLimit: there is no limit. Give '100/min', or { limit: 100, per: 'min' }.",
  })
  t.throws(() => rateLimit(100 as never), { instanceOf: TypeError, message: /^rateLimit: the options are 100\. Give/ })
  t.throws(() => rateLimit({ limit: 1, per: 1, max: 5 } as never), {
    message: `rateLimit: the option "max" is unknown. It takes ${known.join(', ')}, dryRun, legacyHeaders, store and onStoreFailure.`,
  })
  t.throws(() => rateLimit('1/min', { limit: 5 } as never), {
    message: /^rateLimit: the option "limit" is unknown\. It takes algorithm,/,
  })
})

test('rateLimit() refuses two of a name in one stack', t => {
  const app = quiet()
  const named = () => rateLimit('1/min', { name: 'x' })
  t.throws(() => app.get('/', named(), named(), () => 'ok'), {
    instanceOf: TypeError,
    message: 'GET /: two limits are called x. Give one of them another name.',
  })
  t.throws(() => app.get('/', rateLimit('1/min'), rateLimit('1/s', { name: 'default' }), () => 'ok'), {
    message: 'GET /: two limits are called default. Give one of them another name.',
  })
})

test('rateLimit() answers 500 and logs a sentence where a key or a cost is none', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/key', rateLimit('1/min', { key: () => ({}) as never }), () => 'ok')
  app.get('/nan', rateLimit('1/min', { key: () => [Number.NaN] }), () => 'ok')
  app.get('/cost', rateLimit('1/min', { cost: ctx => Number(ctx.query.n) }), () => 'ok')
  const client = app.client()
  t.deepEqual(await statuses(client, 1, '/key'), [500])
  t.deepEqual(await statuses(client, 1, '/nan'), [500])
  for (const n of ['x', '-1', '1.5', '1e400']) t.deepEqual(await statuses(client, 1, `/cost?n=${n}`), [500])
  const key = 'rateLimit: the option key gave what is no key. Return text, a number, or a list of them.'
  const costs = ['NaN', '-1', '1.5', 'Infinity'].map(
    it => `rateLimit: the option cost gave ${it}. Return a whole number from 0.`,
  )
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    [key, key, ...costs],
  )
})

test('rateLimit() warns once where a proxy is at work and none is named', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', rateLimit('9/min'), rateLimit('8/min'), () => 'ok')
  const client = app.client()
  await client.get('/')
  t.is(logger.lines.length, 0)
  for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Forwarded-For'])
    await client.get('/', { headers: { [name]: 'for=203.0.113.7' } } as never)
  t.deepEqual(
    logger.lines.map(({ level, message }) => `${level} ${message}`),
    [
      'warn rateLimit: a request came with X-Forwarded-For or Forwarded, and no proxy is named, so all who come through ' +
        "one share one limit. Name it where there is one: kolba({ proxy: ['10.0.0.0/8'] }).",
    ],
  )
})

test('rateLimit() says nothing of proxies where one is named, or where it goes by the user', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, proxy: ['10.0.0.0/8'] })
  app.get('/', rateLimit('9/min'), () => 'ok')
  await app.client().get('/', { headers: { 'X-Forwarded-For': '203.0.113.7' } } as never)
  const other = kolba({ logger })
  other.get('/', signedIn, rateLimit('9/min'), () => 'ok')
  await other.client().get('/', { headers: { 'X-Forwarded-For': '203.0.113.7', 'X-User': 'ada' } } as never)
  t.deepEqual(logger.lines, [])
})

test('rateLimit() warns once where it is made for each request', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/bad', ctx => rateLimit('1/min')(() => 'ok')(ctx))
  const inner = rateLimit('1/min')(() => 'ok')
  const another = rateLimit('1/min')(() => 'ok')
  app.get('/good', ctx => (ctx.query.other ? another(ctx) : inner(ctx)))
  const client = app.client()
  t.deepEqual(await statuses(client, 2, '/good'), [200, 429])
  t.deepEqual(await statuses(client, 2, '/good?other=1'), [200, 429])
  t.is(logger.lines.length, 0)
  t.deepEqual(await statuses(client, 4, '/bad'), [200, 200, 200, 200])
  t.deepEqual(
    logger.lines.map(({ level, message }) => `${level} ${message}`),
    [
      'warn GET /bad: rateLimit() is called for each request, and each time it counts from zero. Make it once, outside.',
    ],
  )
})
