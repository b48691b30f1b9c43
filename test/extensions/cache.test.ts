import test from 'ava'
import { decorator, type Handler, kolba, type Next, problem, reply } from 'kolba'
import { type CacheControlOptions, cacheControl, expires, noCache, vary } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { MemoryLogger } from '../support/memory-logger.ts'

interface Asked {
  method?: string
  headers?: Record<string, string>
}

/** The Cache-Control of an answer; '' where there is none. */
async function control(stack: readonly CacheControlOptions[], handler: Handler, asked: Asked = {}): Promise<string> {
  const app = kolba({ logger: new MemoryLogger() })
  const [outer = {}, ...inner] = stack
  const below = inner.reduceRight<Handler>((below, options) => cacheControl(options)(below as never), handler)
  app.all('/', cacheControl(outer), below as () => unknown)
  const response = await app.client().fetch('/', asked)
  return response.headers.get('cache-control') ?? ''
}

const DIRECTIVES: [CacheControlOptions, string][] = [
  [{ maxAge: 60 }, 'max-age=60'],
  [{ maxAge: 0 }, 'max-age=0'],
  [{ maxAge: 2 ** 31 }, 'max-age=2147483648'],
  [{ sMaxAge: 600, maxAge: 60 }, 'max-age=60, s-maxage=600'],
  [{ maxAge: 60, public: true }, 'public, max-age=60'],
  [{ private: true, maxAge: 60 }, 'private, max-age=60'],
  [{ private: ['Set-Cookie', 'X-Name'] }, 'private="Set-Cookie, X-Name"'],
  [{ public: true, private: ['X-Name'], maxAge: 5 }, 'public, private="X-Name", max-age=5'],
  [{ noStore: true }, 'no-store'],
  [{ noStore: true, private: true, noTransform: true }, 'private, no-store, no-transform'],
  [{ noStore: true, maxAge: 0 }, 'no-store, max-age=0'],
  [{ noStore: true, mustUnderstand: true, maxAge: 60 }, 'must-understand, no-store, max-age=60'],
  [{ noCache: true }, 'no-cache'],
  [{ noCache: true, maxAge: 0, mustRevalidate: true }, 'no-cache, max-age=0, must-revalidate'],
  [{ noCache: ['ETag'], maxAge: 60 }, 'no-cache="ETag", max-age=60'],
  [{ maxAge: 60, mustRevalidate: true, proxyRevalidate: true }, 'max-age=60, must-revalidate, proxy-revalidate'],
  [{ maxAge: 31536000, immutable: true }, 'max-age=31536000, immutable'],
  [
    { maxAge: 60, staleWhileRevalidate: 600, staleIfError: 86400 },
    'max-age=60, stale-while-revalidate=600, stale-if-error=86400',
  ],
  [{ maxAge: 60, public: false, noStore: false, sMaxAge: false }, 'max-age=60'],
  [{ private: false }, ''],
]
for (const [options, text] of DIRECTIVES) {
  test(`cacheControl(${JSON.stringify(options)}) sends ${text || 'nothing'}`, async t => {
    t.is(await control([options], () => 'x'), text)
  })
}

const WRONG: [CacheControlOptions, string][] = [
  [{}, 'there is nothing to say. Give { maxAge: 60 } or the like.'],
  [{ maxAge: -1 }, 'the option maxAge is -1. Give a whole number of seconds from 0 to 2147483648, or false.'],
  [{ maxAge: 1.5 }, 'the option maxAge is 1.5. Give a whole number of seconds from 0 to 2147483648, or false.'],
  [
    { sMaxAge: Number.NaN },
    'the option sMaxAge is NaN. Give a whole number of seconds from 0 to 2147483648, or false.',
  ],
  [
    { staleIfError: 2 ** 31 + 1 },
    'the option staleIfError is 2147483649. Give a whole number of seconds from 0 to 2147483648, or false.',
  ],
  [{ private: [] }, 'the option private is a list. Give true, false, or a list of names of header fields.'],
  [{ noCache: ['a b'] }, 'the option noCache is a list. Give true, false, or a list of names of header fields.'],
  [{ public: true, private: true }, 'private and public contradict each other. Leave one of them out.'],
  [{ sMaxAge: 1, private: true }, 'private and sMaxAge contradict each other. Leave one of them out.'],
  [{ noStore: true, maxAge: 1 }, 'noStore and maxAge contradict each other. Leave one of them out.'],
  [{ noStore: true, public: true }, 'noStore and public contradict each other. Leave one of them out.'],
  [{ noStore: true, immutable: true }, 'noStore and immutable contradict each other. Leave one of them out.'],
  [{ noCache: true, maxAge: 1 }, 'noCache and maxAge contradict each other. Leave one of them out.'],
  [
    { noCache: true, staleWhileRevalidate: 1 },
    'noCache and staleWhileRevalidate contradict each other. Leave one of them out.',
  ],
  [
    { mustRevalidate: true, staleIfError: 1 },
    'mustRevalidate and staleIfError contradict each other. Leave one of them out.',
  ],
  [
    { mustUnderstand: true, maxAge: 60 },
    'mustUnderstand goes with noStore, for caches that do not know it. Give both.',
  ],
]
for (const [options, message] of WRONG) {
  test(`cacheControl(${JSON.stringify(options)}) is refused: ${message}`, t => {
    t.throws(() => cacheControl(options), { instanceOf: TypeError, message: `cacheControl: ${message}` })
  })
}

test('cacheControl() is refused where it says nothing', t => {
  const message = 'cacheControl: there is nothing to say. Give { maxAge: 60 } or the like.'
  t.throws(() => cacheControl(undefined as never), { instanceOf: TypeError, message })
})

test('cacheControl() refuses an option that it does not know', t => {
  const message = /^cacheControl: the option "max-age" is unknown\. It takes public, private, .* and noTransform\.$/
  t.throws(() => cacheControl({ 'max-age': 60 } as never), { instanceOf: TypeError, message })
})

/** Outermost first; then what the handler has set. */
const TOGETHER: [readonly CacheControlOptions[], string | undefined, string][] = [
  [[{ private: true }, { maxAge: 60 }], undefined, 'private, max-age=60'],
  [[{ private: true, maxAge: 1 }, { maxAge: 60 }], undefined, 'private, max-age=60'],
  [[{ private: true }, { public: true }], undefined, 'public'],
  [[{ public: true }, { private: true }], undefined, 'private'],
  [[{ public: true, sMaxAge: 9, maxAge: 1 }, { private: true }], undefined, 'private, max-age=1'],
  [[{ private: true }, { sMaxAge: 60 }], undefined, 's-maxage=60'],
  [[{ private: true, maxAge: 60 }, { private: false }], undefined, 'max-age=60'],
  [[{ maxAge: 60 }, { maxAge: false, noTransform: true }], undefined, 'no-transform'],
  [[{ maxAge: 60 }, { maxAge: false }], undefined, ''],
  [[{ maxAge: 60, public: true }, { noStore: true }], undefined, 'no-store'],
  [[{ noStore: true }, { maxAge: 60 }], undefined, 'max-age=60'],
  [[{ noStore: true }, { noCache: true }], undefined, 'no-store, no-cache'],
  [[{ mustUnderstand: true, noStore: true, maxAge: 60 }, { noStore: true }], undefined, 'no-store'],
  [[{ mustUnderstand: true, noStore: true }, { maxAge: 60 }], undefined, 'must-understand, no-store, max-age=60'],
  [[{ noCache: true }, { maxAge: 60 }], undefined, 'max-age=60'],
  [[{ maxAge: 60, staleIfError: 9 }, { mustRevalidate: true }], undefined, 'max-age=60, must-revalidate'],
  [[{ private: true }, { maxAge: 60 }, { immutable: true }], undefined, 'private, max-age=60, immutable'],
  [[{ private: true }, { private: false, maxAge: 1 }, { maxAge: 2 }], undefined, 'max-age=2'],
  [[{ maxAge: 60 }], 'private', 'private, max-age=60'],
  [[{ maxAge: 60, private: true }], 'MAX-AGE="5", public', 'public, max-age="5"'],
  [[{ maxAge: 60 }], 'no-store', 'no-store'],
  [[{ maxAge: 60 }], 'max-age=1, max-age=2', 'max-age=1'],
  [[{ maxAge: 60 }], 'community="a, private", max-age=7', 'max-age=7, community="a, private"'],
  [[{ private: true }, { maxAge: 60 }], 'no-cache, max-age=0', 'private, no-cache, max-age=0'],
  [[{ maxAge: 60 }], 'no-store, max-age=9', 'no-store, max-age=9'],
]
for (const [stack, given, expected] of TOGETHER) {
  const title = stack.map(it => JSON.stringify(it)).join(' above ')
  test(`cacheControl() makes "${expected}" of ${title}${given ? ` above "${given}"` : ''}`, async t => {
    const set = (ctx: { set(name: string, value: string): void }) => {
      if (given) ctx.set('Cache-Control', given)
      return 'x'
    }
    t.is(await control(stack, set), expected)
    t.is(await control(stack, () => reply(200, 'x', given ? { 'cache-control': given } : {})), expected)
    t.is(await control(stack, () => new Response('x', { headers: given ? { 'Cache-Control': given } : {} })), expected)
  })
}

test('cacheControl() says for each request what is set at that one', async t => {
  const app = kolba()
  app.get('/:text', cacheControl({ maxAge: 60 }), ctx => {
    if (ctx.params.text !== 'none') ctx.set('Cache-Control', ctx.params.text)
    return 'x'
  })
  const client = app.client()
  for (const [text, expected] of [
    ['private', 'private, max-age=60'],
    ['none', 'max-age=60'],
    ['no-store', 'no-store'],
    ['private', 'private, max-age=60'],
  ] as const)
    t.is((await client.get(`/${text}`)).headers.get('cache-control'), expected)
})

const AUTHORIZED = { Authorization: 'Basic QTpC' }
const withUser = decorator('withUser', (_ctx, next: Next<{ user: object }>) => next({ user: { name: 'Ada' } }))

test('cacheControl() adds private where the request says who sent it, unless sharing was spoken of', async t => {
  const rows: [CacheControlOptions, string][] = [
    [{ maxAge: 60 }, 'private, max-age=60'],
    [{ noCache: true }, 'private, no-cache'],
    [{ mustRevalidate: true }, 'private, must-revalidate'],
    [{ maxAge: 60, public: true }, 'public, max-age=60'],
    [{ maxAge: 60, sMaxAge: 6 }, 'max-age=60, s-maxage=6'],
    [{ noStore: true }, 'no-store'],
    [{ private: ['X-Name'] }, 'private="X-Name"'],
  ]
  for (const [options, expected] of rows) {
    t.is(await control([options], () => 'x', { headers: AUTHORIZED }), expected)
    t.is(await control([options], () => 'x', { headers: { Cookie: 'session=1' } }), expected)
    t.is(
      await control([options, { noTransform: true }], () => 'x', { headers: AUTHORIZED }),
      `${expected}, no-transform`,
    )
  }
  t.is(await control([{ public: true }, { maxAge: 60 }], () => 'x', { headers: AUTHORIZED }), 'public, max-age=60')
})

test('cacheControl() adds private where ctx has a user, and where the answer sets a cookie', async t => {
  const app = kolba()
  app.get('/user', withUser, cacheControl({ maxAge: 60 }), () => 'x')
  app.get('/state', cacheControl({ maxAge: 60 }), ctx => {
    ctx.state.user = { name: 'Ada' }
    return 'x'
  })
  app.get('/cookie', cacheControl({ maxAge: 60 }), ctx => {
    ctx.cookies.set('session', '1')
    return 'x'
  })
  app.get('/reply', cacheControl({ maxAge: 60 }), () => reply(200, 'x', { 'Set-Cookie': ['session=1'] }))
  const client = app.client()
  for (const path of ['/user', '/state', '/cookie', '/reply'])
    t.is((await client.get(path)).headers.get('cache-control'), 'private, max-age=60', path)
})

test('cacheControl() speaks with 2xx and 3xx to GET, HEAD and QUERY', async t => {
  const found = 'max-age=60'
  for (const method of ['GET', 'HEAD', 'QUERY']) t.is(await control([{ maxAge: 60 }], () => 'x', { method }), found)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    t.is(await control([{ maxAge: 60 }], () => 'x', { method }), '', method)
  for (const status of [200, 203, 204, 299, 300, 301, 304, 399])
    t.is(await control([{ maxAge: 60 }], () => reply(status)), found, String(status))
  for (const status of [400, 404, 410, 451, 500, 503])
    t.is(await control([{ maxAge: 60 }], () => reply(status, 'x')), '', String(status))
  t.is(await control([{ maxAge: 60 }], () => null), found)
  t.is(await control([{ maxAge: 60 }], ctx => void Object.assign(ctx, { body: 'x' })), found)
  t.is(await control([{ maxAge: 60 }], ctx => void Object.assign(ctx, { status: 404, body: 'x' })), '')
})

test('cacheControl() sends no-store with what a write is answered', async t => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    t.is(await control([{ noStore: true }], () => 'x', { method }), 'no-store')
    t.is(await control([{ private: true }, { noStore: true }], () => 'x', { method }), 'private, no-store')
  }
})

test('cacheControl() says nothing of errors, thrown, returned or replied, and leaves alone what a reply says', async t => {
  const failing = () => {
    throw problem(404)
  }
  t.is(await control([{ maxAge: 60 }], failing), '')
  t.is(await control([{ maxAge: 60 }], () => problem(404)), '')
  t.is(await control([{ maxAge: 60 }], () => new Error('no')), '')
  t.is(await control([{ maxAge: 60 }], () => undefined), '')
  t.is(await control([{ private: true }], () => reply(404, 'x', { 'Cache-Control': 'max-age=5' })), 'max-age=5')
})

test('cacheControl() speaks with the 304 of an etag() below and above it', async t => {
  const app = kolba()
  app.get('/above', cacheControl({ maxAge: 60 }), etag(), json(), () => [1])
  app.get('/below', etag(), cacheControl({ maxAge: 60 }), json(), () => [1])
  const client = app.client()
  for (const path of ['/above', '/below']) {
    const tag = (await client.get(path)).headers.get('etag') as string
    const response = await client.get(path, { headers: { 'If-None-Match': tag } })
    t.is(response.status, 304)
    t.is(response.headers.get('cache-control'), 'max-age=60')
  }
})

test('cacheControl() works in app.use, and says nothing there of what was not found', async t => {
  const app = kolba()
  app.use(cacheControl({ maxAge: 60 }))
  app.get('/', () => 'x')
  app.get('/own', cacheControl({ maxAge: 5 }), () => 'x')
  app.get('/fails', () => reply(409))
  const client = app.client()
  const controlOf = async (path: string, method = 'GET') =>
    (await client.fetch(path, { method })).headers.get('cache-control')
  t.is(await controlOf('/'), 'max-age=60')
  t.is(await controlOf('/own'), 'max-age=5')
  t.is(await controlOf('/fails'), null)
  t.is(await controlOf('/nowhere'), null)
  t.is(await controlOf('/', 'POST'), null)
  t.is(await controlOf('/', 'OPTIONS'), null)
})

test('cacheControl() keeps the rest of a reply and of a Response', async t => {
  const app = kolba()
  const headers = { 'cache-control': 'private', 'X-Name': 'a' }
  app.get('/reply', cacheControl({ maxAge: 60 }), () => reply(203, 'x', headers))
  app.get('/response', cacheControl({ maxAge: 60 }), () => new Response('x', { status: 203, headers }))
  for (const path of ['/reply', '/response']) {
    const response = await app.client().get(path)
    t.is(response.status, 203)
    t.is(await response.text(), 'x')
    t.is(response.headers.get('x-name'), 'a')
    t.is(response.headers.get('cache-control'), 'private, max-age=60')
  }
})

test('cacheControl() makes no promise above a handler that makes none', t => {
  const run = cacheControl({ private: true })(noCache()(expires(60)(() => 'x')))
  const ctx = {
    method: 'GET',
    req: { headers: {} },
    res: { getHeader: () => undefined },
    state: {},
    response: {},
    set() {},
  }
  t.is(run(ctx as never), 'x')
})

test('noCache() sends no-cache, and a route in a group of it may say else', async t => {
  const app = kolba()
  const group = app.group('/x', noCache())
  group.get('/', () => 'x')
  group.get('/long', cacheControl({ maxAge: 60 }), () => 'x')
  t.is((await app.client().get('/x')).headers.get('cache-control'), 'no-cache')
  t.is((await app.client().get('/x/long')).headers.get('cache-control'), 'max-age=60')
})

test('vary() adds to Vary, on errors too', async t => {
  const app = kolba()
  app.get('/', vary('Accept-Language', 'Accept'), vary('accept', 'X-Name'), () => 'x')
  app.get('/set', vary('Accept'), ctx => {
    ctx.vary('Origin')
    return 'x'
  })
  app.get('/reply', vary('Accept'), () => reply(200, 'x', { vary: 'Origin' }))
  app.get('/error', vary('Accept'), () => problem(404))
  app.get('/star', vary('Accept'), vary('*'), () => 'x')
  const varyOf = async (path: string) => (await app.client().get(path)).headers.get('vary')
  t.is(await varyOf('/'), 'Accept-Language, Accept, X-Name')
  t.is(await varyOf('/set'), 'Accept, Origin')
  t.is(await varyOf('/reply'), 'Accept, Origin')
  t.is(await varyOf('/error'), 'Accept')
  t.is(await varyOf('/star'), '*')
})

test('vary() refuses what is no name of a header', t => {
  const message = (shown: string) => `vary: ${shown} is no name of a header. Give one a string.`
  t.throws(() => vary('Accept, Origin'), { instanceOf: TypeError, message: message('"Accept, Origin"') })
  t.throws(() => vary(''), { instanceOf: TypeError, message: message('""') })
  t.throws(() => vary(5 as never), { instanceOf: TypeError, message: message('5') })
  t.throws(() => vary(), {
    instanceOf: TypeError,
    message: "vary: there is no name. Give those of request headers, vary('Accept').",
  })
})

test('expires() sends a date, or one so many seconds ahead', async t => {
  const app = kolba()
  app.get('/date', expires(new Date('2030-02-28T23:59:59.999Z')), () => 'x')
  app.get('/seconds', expires(3600), () => 'x')
  app.get('/zero', expires(0), () => 'x')
  app.get('/error', expires(60), () => reply(404, 'x'))
  app.get('/own', expires(60), expires(new Date(0)), () => 'x')
  app.get('/reply', expires(60), () => reply(200, 'x', { expires: '0' }))
  app.post('/date', expires(60), () => 'x')
  const client = app.client()
  const expiresOf = async (path: string, method = 'GET') =>
    (await client.fetch(path, { method })).headers.get('expires')
  t.is(await expiresOf('/date'), 'Thu, 28 Feb 2030 23:59:59 GMT')
  t.is(await expiresOf('/error'), null)
  t.is(await expiresOf('/own'), 'Thu, 01 Jan 1970 00:00:00 GMT')
  t.is(await expiresOf('/reply'), '0')
  t.is(await expiresOf('/date', 'POST'), null)
  const before = Math.floor(Date.now() / 1000)
  const [hour, now] = [await expiresOf('/seconds'), await expiresOf('/zero')].map(text => Date.parse(text ?? '') / 1000)
  const after = Math.floor(Date.now() / 1000)
  t.true(hour !== undefined && hour >= before + 3600 && hour <= after + 3600)
  t.true(now !== undefined && now >= before && now <= after)
})

test('expires() refuses what is no time', t => {
  const words = 'Give a Date, or a whole number of seconds from 0 to 2147483648.'
  t.throws(() => expires(-1), { instanceOf: TypeError, message: `expires: -1 is no time. ${words}` })
  t.throws(() => expires('60' as never), { instanceOf: TypeError, message: `expires: 60 is no time. ${words}` })
  t.throws(() => expires(new Date(Number.NaN)), {
    instanceOf: TypeError,
    message: 'expires: the date is invalid. Give a valid Date.',
  })
})

test('cacheControl(), vary() and expires() say in the notes what they send', t => {
  const app = kolba()
  app.get('/', cacheControl({ maxAge: 60 }), vary('Accept'), expires(60), () => 'x')
  const notes = Object.assign({}, ...(app.routes()[0]?.notes.map(({ headers }) => headers) ?? []))
  t.deepEqual(Object.keys(notes), ['Cache-Control', 'Vary', 'Expires'])
  t.deepEqual(notes['Cache-Control'].schema, { examples: ['max-age=60'] })
})
