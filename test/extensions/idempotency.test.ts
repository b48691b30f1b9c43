import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import bodyParser from 'koa-bodyparser'
import { type AnyDecorator, type Context, decorator, kolba, type Next, problem, Reply, reply } from 'kolba'
import { roles } from 'kolba/auth'
import { body } from 'kolba/body'
import { bulk } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { type IdempotencyStore, idempotent, memoryStore } from 'kolba/idempotency'
import { component, inject } from 'kolba/inject'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { versions } from 'kolba/lifecycle'
import { patch } from 'kolba/patch'
import { text } from 'kolba/schema'
import { lateAnswers } from '../support/late-answers.js'
import { keeping } from '../support/layers.js'

const REPLAYED = 'idempotency-replayed'
const OTHER = 'This Idempotency-Key was used for another request. Send a new key with this one.'
const RUNNING = 'A request with this Idempotency-Key is still running. Send it again when it has ended.'
const NOT_KEPT =
  'This request was carried out before, and its answer was not kept. Look at what is there before you send it with a new key.'

type App = ReturnType<typeof kolba>
type Sent = Parameters<ReturnType<App['client']>['post']>[1] & { key?: string; path?: string }

/** Signs in whoever says who he is, and lets others pass. */
const signedIn = decorator('signedIn', (ctx, next: Next<{ user: { id: string } | undefined }>) =>
  next({ user: ctx.get('X-User') ? { id: ctx.get('X-User') } : undefined }),
)

/** An app with one route, POST /, and what sends to it; each run of its handler counts. */
function open(stack: AnyDecorator[], run: (ctx: Context, count: number) => unknown, logger = keeping()) {
  const app = kolba({ logger })
  let count = 0
  const handler = (ctx: Context) => {
    count += 1
    return run(ctx, count)
  }
  // biome-ignore lint/suspicious/noExplicitAny: a list of any decorators has no overload
  ;(app.post as any)('/', ...stack, handler)
  const client = app.client()
  const send = ({ key = '"k"', path = '/', headers, ...init }: Sent = {}) =>
    client.post(path, { ...init, headers: { 'Idempotency-Key': key, ...headers } })
  return { app, send, errors: logger.errors, runs: () => count }
}

async function detailOf(response: Response): Promise<string> {
  return ((await response.json()) as { detail: string }).detail
}

/** What is the same in an answer and its repetition: all but what is about one request. */
async function contentOf(response: Response) {
  const own = ['date', 'x-request-id', 'connection', 'keep-alive', REPLAYED]
  const headers = [...response.headers].filter(([name]) => !own.includes(name))
  return { status: response.status, headers, body: Buffer.from(await response.arrayBuffer()).toString('latin1') }
}

async function repeats(t: ExecutionContext, { send, runs }: ReturnType<typeof open>, sent?: Sent) {
  const first = await send(sent)
  t.false(first.headers.has(REPLAYED))
  const second = await send(sent)
  t.is(second.headers.get(REPLAYED), 'true')
  const content = await contentOf(first)
  t.deepEqual(await contentOf(second), content)
  t.is(runs(), 1)
  return content
}

/** A value, once something is said in Koa's way. */
function after(ctx: Context, said: object, value: unknown): unknown {
  Object.assign(ctx, said)
  return value
}

// Each is answered with what its number says, and again.
const ANSWERS: [title: string, stack: AnyDecorator[], run: (ctx: Context, count: number) => unknown, status: number][] =
  [
    ['an object', [], (_, count) => ({ count }), 200],
    ['an object below json()', [], (_, count) => ({ count, at: new Date(0) }), 200],
    ['a list that json() above writes in its way', [json({ pretty: true })], (_, count) => [count], 200],
    ['a list that json() writes below it in its way', [], () => [1, { a: 'é' }], 200],
    ['a string', [], (_, count) => `run ${count}, ÿ €`, 200],
    ['a page', [], ctx => after(ctx, { type: 'html' }, '<p>'), 200],
    ['bytes', [], () => Buffer.from([0, 255, 128, 10]), 200],
    ['an array of bytes', [], () => new Uint8Array([0, 255, 128, 10]), 200],
    ['nothing', [], () => null, 204],
    ['a reply without a body', [], () => reply(201), 201],
    [
      'a reply with headers',
      [],
      () => reply(201, { id: 7 }, { Location: '/7', Link: ['</>; rel="a"', '</>; rel="b"'] }),
      201,
    ],
    [
      'headers of the handler',
      [],
      ctx => {
        ctx.set('X-One', ['1', '2'])
        ctx.append('Link', '</>; rel="c"')
        ctx.vary('Accept')
        return 1
      },
      200,
    ],
    ['a status of the handler', [], ctx => after(ctx, { status: 202 }, { state: 'queued' }), 202],
    [
      'what stands on ctx in the way of Koa',
      [],
      ctx => after(ctx, { status: 203, body: { koa: true } }, undefined),
      203,
    ],
    ['a status without a body in the way of Koa', [], ctx => after(ctx, { status: 202 }, undefined), 202],
    ['a problem that is thrown', [], () => Promise.reject(problem(402, { detail: 'No money.', balance: 3 })), 402],
    ['a problem that is returned', [], () => problem(409, { headers: { 'Retry-After': '7' } }), 409],
    [
      'an error of its own class',
      [],
      () => {
        throw new RangeError('secret')
      },
      500,
    ],
    ['a status of 5xx', [], () => reply(503, 'later', { 'Retry-After': '7' }), 503],
    ['undefined, which is a mistake', [], () => undefined, 500],
  ]

for (const [title, above, run, status] of ANSWERS) {
  test(`idempotent() gives again ${title}`, async t => {
    const vary = decorator('vary', (ctx, next) => {
      ctx.vary('Origin')
      ctx.append('Link', '</>; rel="z"')
      return next()
    })
    const app = open([vary, ...above, idempotent(), ...(title.includes('below') ? [json()] : [])], run)
    const content = await repeats(t, app)
    t.is(content.status, status)
    t.notRegex(content.body, /secret/)
  })
}

test('idempotent() gives again what onError has made of an error, once', async t => {
  const app = open([idempotent()], () => {
    throw new RangeError('x')
  })
  let mapped = 0
  app.app.onError(RangeError, () => {
    mapped += 1
    return reply(418, { mapped })
  })
  const { status, body } = await repeats(t, app)
  t.deepEqual([status, body], [418, '{"mapped":1}'])
})

test('idempotent() carries out each request without a key, and each of another key', async t => {
  const { app, send, runs } = open([idempotent()], (_, count) => count)
  const client = app.client()
  t.is(await (await client.post('/')).text(), '1')
  t.is(await (await client.post('/')).text(), '2')
  t.is(await (await send({ key: '"a"' })).text(), '3')
  t.is(await (await send({ key: '"b"' })).text(), '4')
  t.is(await (await send({ key: '"a"' })).text(), '3')
  t.is(runs(), 4)
})

test('idempotent() lets methods pass that are idempotent by themselves', async t => {
  const app = kolba()
  let count = 0
  const run = () => {
    count += 1
    return count
  }
  const group = app.group('/things', idempotent({ required: true }))
  for (const verb of ['get', 'put', 'delete', 'patch'] as const) group[verb]('/', run)
  const client = app.client()
  const headers = { 'Idempotency-Key': '"k"' }
  for (const verb of ['get', 'put', 'delete'] as const) {
    const malformed = { 'Idempotency-Key': 'malformed' }
    const answers = [await client[verb]('/things', { headers }), await client[verb]('/things', { headers: malformed })]
    t.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    t.false(answers[1]?.headers.has(REPLAYED))
  }
  t.is(await (await client.patch('/things', { headers })).text(), '7')
  t.is(await (await client.patch('/things', { headers })).text(), '7')
  t.is((await client.patch('/things')).status, 400)
})

// The same key, for a request that differs from POST /?a=1 with {"n":1} of Ada in one thing.
const DIFFERENCES: [what: string, sent: Sent, answer: 'again' | 'new' | 422][] = [
  ['nothing', {}, 'again'],
  ['headers that change nothing', { headers: { 'User-Agent': 'other', Accept: '*/*', 'If-Match': '"x"' } }, 'again'],
  ['another query', { path: '/?a=2' }, 422],
  ['no query', { path: '/' }, 422],
  ['another body', { json: { n: 2 } }, 422],
  ['another body of the same meaning', { body: '{"n": 1}', headers: { 'Content-Type': 'application/json' } }, 422],
  ['another type', { headers: { 'Content-Type': 'application/json; charset=utf-8' } }, 422],
  ['another user', { headers: { 'X-User': 'Bob' } }, 'new'],
  ['no user', { headers: { 'X-User': '' } }, 'new'],
  ['another token of the same user', { headers: { Authorization: 'Bearer other' } }, 'again'],
  ['another cookie of the same user', { headers: { Cookie: 'a=b' } }, 'again'],
  // It may come by another name, or through a proxy that gives it one.
  ['another host', { headers: { Host: 'other.example:81' } }, 'again'],
]

for (const [what, sent, answer] of DIFFERENCES) {
  test(`idempotent() tells requests apart by more than the key: ${what}`, async t => {
    const { send, runs } = open([signedIn, idempotent(), body()], (_, count) => count)
    const all = (sent: Sent): Sent => ({
      path: '/?a=1',
      ...(sent.body === undefined && { json: { n: 1 } }),
      ...sent,
      headers: { 'X-User': 'Ada', ...sent.headers },
    })
    t.is((await send(all({}))).status, 200)
    const second = await send(all(sent))
    t.is(second.status, answer === 422 ? 422 : 200)
    t.is(second.headers.get(REPLAYED), answer === 'again' ? 'true' : null)
    if (answer === 422) t.is(await detailOf(second), OTHER)
    t.is(runs(), answer === 'new' ? 2 : 1)
    // Whatever was asked for in between, the first request is answered as before.
    t.is(await (await send(all({}))).text(), '1')
  })
}

test('idempotent() knows anonymous clients by their credentials', async t => {
  const apiKey = decorator('apiKey', (_ctx, next) => next(), {
    note: { security: { key: { scheme: { type: 'apiKey', in: 'header', name: 'X-Key' } } } },
  })
  const { send } = open([apiKey, idempotent()], (_, count) => count)
  const of = async (headers: Record<string, string>) => (await send({ headers })).text()
  t.is(await of({}), '1')
  t.is(await of({ Authorization: 'Bearer a' }), '2')
  t.is(await of({ Authorization: 'Bearer b' }), '3')
  t.is(await of({ Cookie: 'session=a' }), '4')
  t.is(await of({ Cookie: 'session=b' }), '5')
  t.is(await of({ 'X-Key': 'a' }), '6')
  t.is(await of({ 'X-Key': 'b' }), '7')
  t.is(await of({ Authorization: 'Bearer a' }), '2')
  t.is(await of({ 'X-Other': 'b' }), '1')
})

test('idempotent() knows the user that a Koa middleware has put on ctx.state', async t => {
  const { app, send } = open([idempotent()], (_, count) => count)
  app.use((ctx, next) => {
    if (ctx.get('X-User')) ctx.state.user = { id: ctx.get('X-User') }
    return next()
  })
  const of = async (user: string) => (await send({ headers: { 'X-User': user, Cookie: 'any' } })).text()
  t.deepEqual([await of('Ada'), await of('Bob'), await of('Ada'), await of('')], ['1', '2', '1', '3'])
})

test('idempotent() knows whoever principal says', async t => {
  const principal = (ctx: Context) => ctx.get('X-Tenant')
  const { send, errors, runs } = open([signedIn, idempotent({ principal })], (_, count) => count)
  const of = async (tenant: string, user: string) => send({ headers: { 'X-Tenant': tenant, 'X-User': user } })
  t.is(await (await of('a', 'Ada')).text(), '1')
  t.is(await (await of('b', 'Ada')).text(), '2')
  t.is(await (await of('a', 'Bob')).text(), '1')
  t.is((await of('', 'Bob')).status, 500)
  t.is(errors[0]?.message, 'idempotent: principal gave no string, or an empty one. Return who makes the request.')
  t.is(runs(), 2)
})

test('idempotent() refuses users that it cannot tell from others', async t => {
  const nobody = decorator('nobody', (_ctx, next: Next<{ user: object }>) => next({ user: {} }))
  const { send, errors, runs } = open([nobody, idempotent()], () => 1)
  t.is((await send()).status, 500)
  t.regex(errors[0]?.message ?? '', /^principalOf: this user cannot be told from others\./)
  t.is(runs(), 0)
})

test('idempotent() tells routes and their parameters apart, and no two ways to write them', async t => {
  const app = kolba()
  let count = 0
  const run = () => {
    count += 1
    return count
  }
  const once = idempotent()
  app.post('/a/:id', once, run)
  app.post('/b/:id{/:more}', once, run)
  app.patch('/a/:id', once, run)
  const client = app.client()
  const headers = { 'Idempotency-Key': '"k"' }
  const post = async (path: string) => (await client.post(path, { headers })).text()
  t.is(await post('/a/caf%C3%A9'), '1')
  t.is(await post('/a/caf%c3%a9'), '1')
  t.is(await post('/a/caf%C3%A9/'), '1')
  t.is(await post('/a/2'), '2')
  t.is(await post('/b/2'), '3')
  t.is(await post('/b/2/3'), '4')
  t.is(await (await client.patch('/a/2', { headers })).text(), '5')
  t.is(await post('/a/2'), '2')
})

test('idempotent() of one value keeps the apps apart that it stands in', async t => {
  const once = idempotent()
  const answers = ['one', 'other'].map(async name => {
    const app = kolba()
    app.post('/', once, () => name)
    return (await app.client().post('/', { headers: { 'Idempotency-Key': '"k"' } })).text()
  })
  t.deepEqual(await Promise.all(answers), ['one', 'other'])
})

test('idempotent({ name }) keeps the services apart that share a store', async t => {
  const store = memoryStore()
  const send = async (name: string, answer: string) =>
    (await open([idempotent({ store, name })], () => answer).send()).text()
  t.is(await send('a', 'first'), 'first')
  t.is(await send('a', 'second'), 'first')
  t.is(await send('b', 'third'), 'third')
})

test('idempotent() compares the bytes that any reader below takes, in any pieces', async t => {
  const collect = async (stream: AsyncIterable<Buffer | string>) => {
    const all: Buffer[] = []
    for await (const chunk of stream) all.push(Buffer.from(chunk as string))
    return String(Buffer.concat(all))
  }
  const readers: Record<string, (ctx: Context) => Promise<string>> = {
    data: ({ req }) => collect(req),
    readable: ({ req }) =>
      new Promise(resolve => {
        const all: Buffer[] = []
        req.on('readable', () => {
          for (let chunk = req.read(3); chunk !== null; chunk = req.read(3) ?? req.read()) all.push(chunk)
        })
        req.on('end', () => resolve(String(Buffer.concat(all))))
      }),
    piped: ({ req }) => collect(req.pipe(new PassThrough())),
    web: ({ req }) => new Response(Readable.toWeb(req) as ReadableStream).text(),
    text: ({ req }) => collect(req.setEncoding('utf8')),
  }
  for (const [name, read] of Object.entries(readers)) {
    const reader = decorator('reader', async (ctx, next: Next<{ given: string }>) => next({ given: await read(ctx) }), {
      reads: true,
    })
    const { send, runs } = open([idempotent(), reader], ctx => (ctx as Context & { given: string }).given)
    for (const content of ['Grüße, grüße', 'Grüße, Grüße']) {
      const first = await send({ body: content, key: `"${content.charCodeAt(7)}"` })
      t.is(await first.text(), content, name)
    }
    t.is((await send({ body: 'a', key: '"same"' })).status, 200, name)
    t.is((await send({ body: 'b', key: '"same"' })).status, 422, name)
    t.is((await send({ body: 'a', key: '"same"' })).headers.get(REPLAYED), 'true', name)
    t.is(runs(), 3, name)
  }
})

test('idempotent() compares no body that only the handler reads', async t => {
  const { send, runs } = open([idempotent()], async ({ req }, count) => {
    let all = ''
    for await (const chunk of req) all += chunk
    return `${count} ${all}`
  })
  t.is(await (await send({ body: 'a' })).text(), '1 a')
  t.is(await (await send({ body: 'b' })).text(), '1 a')
  t.is(runs(), 1)
})

test('idempotent() compares what a Koa middleware above has parsed', async t => {
  for (const drop of [false, true]) {
    const { app, send, runs } = open(
      [idempotent(), body()],
      ctx => (ctx as never as { input: { body: unknown } }).input.body,
    )
    app.use(bodyParser())
    app.use((ctx, next) => {
      if (drop) Object.assign(ctx.request, { rawBody: undefined })
      return next()
    })
    t.is(await (await send({ json: { a: 1 } })).text(), '{"a":1}')
    t.is((await send({ json: { a: 2 } })).status, 422)
    t.is((await send({ json: { a: 1 } })).headers.get(REPLAYED), 'true')
    t.is(runs(), 1)
  }
})

test('idempotent() says so where something above has read the body and kept nothing', async t => {
  const { app, send, errors, runs } = open([idempotent()], () => 1)
  app.use(async (ctx, next) => {
    for await (const _ of ctx.req);
    return next()
  })
  t.is((await send({ body: 'x' })).status, 500)
  t.is(errors[0]?.message, 'POST /: something above idempotent has read the body. Put idempotent() above it.')
  t.is(runs(), 0)
})

test('idempotent() keeps nothing of what is refused above the handler', async t => {
  const { send, runs } = open([idempotent(), json(), input({ body: { title: text() } })], () => 'done')
  t.is((await send({ json: { title: 5 } })).status, 422)
  t.is((await send({ body: '{', headers: { 'Content-Type': 'application/json' } })).status, 400)
  t.is((await send({ body: 'x', headers: { 'Content-Type': 'image/png' } })).status, 415)
  // The key is as good as new, for whatever content.
  t.is((await send({ json: { title: 'x' } })).status, 200)
  t.is(runs(), 1)
})

test('idempotent() refuses to stand above rules that a repetition would not ask', async t => {
  const app = kolba()
  const its = idempotent()
  const admin = roles('a')
  const add = () => 'done'
  for (const register of [
    () => app.post('/', signedIn, its, admin, json(), add),
    () => app.post('/', signedIn, its, json(), body({ optional: true }), admin, add),
  ])
    t.throws(register, {
      instanceOf: TypeError,
      message: 'POST /: idempotent stands above roles(a), which a repetition would not ask. Put it below.',
    })
  const user = { role: 'a' }
  const me = decorator('me', (_ctx, next: Next<{ user: { id: string; role: string } }>) =>
    next({ user: { id: '7', ...user } }),
  )
  app.post('/above', me, admin, its, json(), add)
  app.post('/asked', me, its, admin, body({ optional: true }), add)
  const client = app.client()
  const send = (path: string) => client.post(path, { headers: { 'Idempotency-Key': '"k"' } })
  for (const path of ['/above', '/asked']) {
    user.role = 'a'
    t.is((await send(path)).status, 200)
    user.role = 'b'
    t.is((await send(path)).status, 403)
  }
})

test('idempotent() gives the answer where its store and a listener for errors fail', async t => {
  const store: IdempotencyStore = {
    ...memoryStore(),
    finish() {
      throw new Error('The store is away.')
    },
  }
  const { app, send } = open([idempotent({ store, lease: 0.03 })], () => 'done')
  let count = 0
  app.on('error', () => {
    count += 1
    throw new Error('The listener failed.')
  })
  t.is(await (await send()).text(), 'done')
  const before = count
  while (count < before + 2) await sleep(10)
  t.pass()
})

test('idempotent() asks what stands below it anew at each repetition', async t => {
  let isOpen = true
  const guard = decorator('guard', (_ctx, next) => (isOpen ? next() : reply(403)))
  const reads = decorator('reads', (_ctx, next) => next(), { reads: true })
  const { send, runs } = open([idempotent(), guard, reads], () => 'done')
  t.is((await send()).status, 200)
  isOpen = false
  t.is((await send()).status, 403)
  isOpen = true
  t.is((await send()).headers.get(REPLAYED), 'true')
  t.is(runs(), 1)
})

test('idempotent() lets a write try again with the same key where its precondition failed', async t => {
  const app = kolba()
  const note = { text: 'Milk' }
  let writes = 0
  app.get('/note', etag(), json(), () => note)
  app.patch('/note', idempotent(), etag({ required: true }), json(), patch({ load: () => note }), ctx => {
    writes += 1
    return Object.assign(note, ctx.patched)
  })
  const client = app.client()
  const send = (headers: Record<string, string>) =>
    client.patch('/note', {
      body: '{"text":"Bread"}',
      headers: { 'Content-Type': 'application/merge-patch+json', 'Idempotency-Key': '"k"', ...headers },
    })
  const tag = (await client.get('/note')).headers.get('etag') as string
  t.is((await send({})).status, 428)
  t.is((await send({ 'If-Match': '"other"' })).status, 412)
  const done = await send({ 'If-Match': tag })
  t.is(done.status, 200)
  // The tag is an old one by now, and the repetition is no write.
  const again = await send({ 'If-Match': tag })
  t.is(again.headers.get(REPLAYED), 'true')
  t.truthy(again.headers.get('etag'))
  t.deepEqual(await contentOf(again), await contentOf(done))
  t.is(writes, 1)
})

test('idempotent() lets a write try again with the same key that was one too many', async t => {
  let isFull = true
  const limited = decorator('limited', (_ctx, next) => {
    if (isFull) throw problem(429, { headers: { 'Retry-After': '1' } })
    return next()
  })
  const { send, runs } = open([idempotent(), limited], () => 'done')
  t.is((await send({ key: '"k"' })).status, 429)
  isFull = false
  t.is((await send({ key: '"k"' })).status, 200)
  t.is((await send({ key: '"k"' })).headers.get(REPLAYED), 'true')
  t.is(runs(), 1)
})

test('idempotent() answers 409 with Retry-After while the first request is running', async t => {
  const gate = gateOf()
  const { send, runs } = open([idempotent(), body()], async () => {
    await gate.promise
    return 'done'
  })
  const first = send({ json: 1 })
  while (runs() === 0) await sleep(1)
  const second = await send({ json: 1 })
  t.is(second.status, 409)
  t.is(second.headers.get('retry-after'), '1')
  t.is(await detailOf(second), RUNNING)
  t.is((await send({ json: 2 })).status, 422)
  gate.resolve()
  t.is(await (await first).text(), 'done')
  t.is((await send({ json: 1 })).headers.get(REPLAYED), 'true')
  t.is(runs(), 1)
})

function gateOf() {
  let resolve: (value?: unknown) => void = () => {}
  const promise = new Promise(go => {
    resolve = go
  })
  return { promise, resolve }
}

test('idempotent() lets one of 100 requests with one key run', async t => {
  const { send, runs } = open([signedIn, idempotent(), json(), body()], async (_, count) => {
    await sleep(20)
    return { count }
  })
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => send({ json: { n: 1 }, headers: { 'X-User': 'Ada' } })),
  )
  const again = answers.filter(({ headers }) => headers.has(REPLAYED))
  t.true(answers.every(({ status }) => status === 409 || status === 200))
  t.is(answers.filter(({ status }) => status === 200).length, again.length + 1)
  t.is(runs(), 1)
})

// What cannot be given again has been done all the same.
const NOT_GIVEN: [title: string, run: () => unknown, content: string][] = [
  ['a stream', () => Readable.from(['a', 'b']), 'ab'],
  ['a generator', () => pieces(), 'a'],
  ['a web Response', () => new Response('web'), 'web'],
  ['a reply with a stream', () => reply(201, Readable.from(['a'])), 'a'],
  ['more than the limit', () => 'x'.repeat(1001), 'x'.repeat(1001)],
]

async function* pieces() {
  yield 'a'
}

for (const [title, run, content] of NOT_GIVEN) {
  test(`idempotent() answers 409 to a repetition of what it has not kept: ${title}`, async t => {
    const { send, runs } = open([idempotent({ limit: 1000 })], run)
    t.is(await (await send()).text(), content)
    const second = await send()
    t.is(second.status, 409)
    t.false(second.headers.has('retry-after'))
    t.is(await detailOf(second), NOT_KEPT)
    t.is(runs(), 1)
  })
}

test('idempotent() gives no cookie again, and none of what is about one request', async t => {
  const { send } = open([idempotent()], ctx => {
    ctx.cookies.set('session', 'secret')
    ctx.set('Server-Timing', 'a;dur=1')
    ctx.set('X-Kept', 'yes')
    return reply(200, 'done', { 'Set-Cookie': 'other=secret', RateLimit: '"a";r=1;t=1' })
  })
  const first = await send()
  t.truthy(first.headers.get('set-cookie'))
  const second = await send()
  t.deepEqual(
    ['set-cookie', 'server-timing', 'ratelimit', 'x-kept'].map(name => second.headers.get(name)),
    [null, null, null, 'yes'],
  )
  t.not(second.headers.get('x-request-id'), first.headers.get('x-request-id'))
})

test('idempotent() keeps the headers of above as each request sets them', async t => {
  let count = 0
  const counted = decorator('counted', (ctx, next) => {
    count += 1
    ctx.set('X-Count', String(count))
    return next()
  })
  const { send } = open([counted, idempotent()], () => 1)
  t.is((await send()).headers.get('x-count'), '1')
  t.is((await send()).headers.get('x-count'), '2')
})

test('idempotent() keeps what came out in the end: a commit above that failed', async t => {
  const transaction = component(() => ({ rows: [] as number[] }), {
    commit: () => Promise.reject(new Error('disk full')),
  })
  const { send, runs, errors } = open([inject({ transaction }), idempotent()], (_, count) => created(count))
  t.is((await send()).status, 500)
  const second = await send()
  t.deepEqual([second.status, second.headers.get(REPLAYED)], [500, 'true'])
  t.is(runs(), 1)
  t.true(errors.some(({ message }) => /disk full/.test(message)))
})

function created(id: number): Reply {
  return new Reply(201, { id })
}

test('idempotent() shows those above the answer, and what it was made of', async t => {
  const seen: unknown[] = []
  const above = decorator('above', async (_ctx, next) => {
    const value = await next()
    seen.push((value as Reply).source)
    return value
  })
  const { send } = open([above, idempotent(), json()], () => ({ a: 1 }))
  await send()
  t.deepEqual(seen, [{ a: 1 }])
})

test('idempotent() runs the handler again for a decorator that tries twice, above and below', async t => {
  const twice = decorator('twice', async (_ctx, next) => {
    try {
      return await next()
    } catch {
      return next()
    }
  })
  for (const stack of [
    [twice, idempotent(), body()],
    [idempotent(), twice, body()],
    [idempotent(), body(), twice],
  ]) {
    const { send, runs } = open(stack, (_, count) => {
      if (count === 1) throw new Error('deadlock')
      return count
    })
    t.is(await (await send({ json: 1 })).text(), '2')
    const again = await send({ json: 1 })
    t.is(await again.text(), '2')
    t.is(again.headers.get(REPLAYED), 'true')
    t.is(runs(), 2)
  }
})

test('idempotent() gives its answer though a decorator below makes something of every error', async t => {
  const swallow = decorator('swallow', async (_ctx, next) => {
    try {
      return await next()
    } catch {
      return 'an error'
    }
  })
  const app = open([idempotent(), swallow, body()], (_, count) => count)
  await repeats(t, app, { json: 1 })
})

test('idempotent() holds the key of a handler that takes longer than it may, and keeps what it gives in the end', async t => {
  const { given, expected } = await lateAnswers(memoryStore())
  t.deepEqual(given, expected)
})

test('idempotent() answers 409 to a repetition of what has failed when its time was over', async t => {
  const app = kolba({ timeouts: { handler: 0.2 }, logger: keeping() })
  const gate = gateOf()
  app.post('/', idempotent(), async () => {
    await gate.promise
    throw new Error('late')
  })
  const client = app.client()
  const send = () => client.post('/', { headers: { 'Idempotency-Key': '"k"' } })
  t.is((await send()).status, 503)
  t.is(await detailOf(await send()), RUNNING)
  gate.resolve()
  let detail = RUNNING
  while (detail === RUNNING) detail = await detailOf(await send())
  t.is(detail, NOT_KEPT)
})

for (const where of ['above', 'below'] as const) {
  test(`idempotent() keeps no success of a transaction ${where} it that is rolled back when time is over`, async t => {
    const app = kolba({ timeouts: { handler: 0.2 }, logger: keeping() })
    const gate = gateOf()
    const ends: string[] = []
    const end = (how: string) => () => void ends.push(how)
    const transaction = component(() => ({}), { commit: end('commit'), rollback: end('rollback') })
    const paid = async () => {
      await gate.promise
      return { paid: true }
    }
    if (where === 'above') app.post('/', inject({ transaction }), idempotent(), paid)
    else app.post('/', idempotent(), inject({ transaction }), paid)
    const client = app.client()
    const send = () => client.post('/', { headers: { 'Idempotency-Key': '"k"' } })
    t.is((await send()).status, 503)
    gate.resolve()
    let again = await send()
    while (ends.length === 0 || again.headers.has('Retry-After')) again = await send()
    t.is(again.status, 409)
    t.is(await detailOf(again), NOT_KEPT)
    t.true(ends.every(it => it === 'rollback'))
  })
}

test('idempotent() gives the 503 again to a handler that stops when its time is over', async t => {
  const app = kolba({ timeouts: { handler: 0.2 }, logger: keeping() })
  let runs = 0
  app.post('/', idempotent(), ctx => {
    runs += 1
    return new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
  })
  const client = app.client()
  const send = () => client.post('/', { headers: { 'Idempotency-Key': '"k"' } })
  const content = await contentOf(await send())
  t.is(content.status, 503)
  const again = await send()
  t.is(again.headers.get(REPLAYED), 'true')
  const { requestId: _, ...body } = JSON.parse(content.body)
  const last = await contentOf(again)
  t.deepEqual({ ...last, body: undefined }, { ...content, body: undefined })
  t.like(JSON.parse(last.body), body)
  t.is(runs, 1)
})

// What has answered in the place of the handler, and not gone out yet maybe.
const OVERRULED: [title: string, prepare: (app: App, answered: () => void) => unknown, status: number][] = [
  [
    'while a hook of the app holds the 503 up',
    (app, answered) => {
      app.after(async ctx => {
        if (ctx.status !== 503) return
        answered()
        await sleep(20)
      })
    },
    503,
  ],
  [
    'after a middleware has failed',
    (app, answered) =>
      app.use(async (ctx, next) => {
        const isFirst = !ctx.get('X-Again')
        if (!isFirst) return next()
        void next()
        await sleep(10)
        answered()
        throw problem(504)
      }),
    504,
  ],
  [
    'after a middleware has answered',
    (app, answered) =>
      app.use(async (ctx, next) => {
        if (ctx.get('X-Again')) return next()
        void next()
        await sleep(10)
        answered()
        ctx.status = 504
        ctx.body = 'No.'
      }),
    504,
  ],
]

for (const [title, prepare, status] of OVERRULED) {
  test(`idempotent() keeps what the handler gives ${title}`, async t => {
    const app = kolba({ timeouts: { handler: 0.2 }, logger: keeping() })
    const gate = gateOf()
    prepare(app, () => gate.resolve())
    app.post('/', idempotent(), json(), async () => {
      await gate.promise
      await sleep(1)
      return { done: true }
    })
    const client = app.client()
    const send = (headers = {}) => client.post('/', { headers: { 'Idempotency-Key': '"k"', ...headers } })
    t.is((await send()).status, status)
    let again = await send({ 'X-Again': 'yes' })
    while (again.status === 409) {
      await sleep(5)
      again = await send({ 'X-Again': 'yes' })
    }
    t.deepEqual(await contentOf(again), {
      status: 200,
      headers: [
        ['content-length', '13'],
        ['content-type', 'application/json; charset=utf-8'],
      ],
      body: '{"done":true}',
    })
  })
}

test('idempotent() keeps the answer for a client that has gone', async t => {
  const gate = gateOf()
  const { send, runs } = open([idempotent()], async () => {
    await gate.promise
    return 'done'
  })
  const leaving = new AbortController()
  const first = send({ signal: leaving.signal })
  while (runs() === 0) await sleep(1)
  leaving.abort()
  await t.throwsAsync(first)
  t.is((await send()).status, 409)
  gate.resolve()
  await sleep(10)
  const again = await send()
  t.deepEqual([await again.text(), again.headers.get(REPLAYED)], ['done', 'true'])
  t.is(runs(), 1)
})

test('idempotent() gives an app that is mounted its answers again', async t => {
  const inner = kolba()
  let count = 0
  inner.post('/', idempotent(), () => {
    count += 1
    throw new RangeError('x')
  })
  inner.onError(RangeError, () => reply(418, { count }))
  const outer = kolba()
  outer.mount('/inner', inner)
  for (const [client, path, expected] of [
    [outer.client(), '/inner', 1],
    [inner.client(), '/', 2],
  ] as const) {
    const send = () => client.post(path, { headers: { 'Idempotency-Key': '"k"' } })
    t.is(await (await send()).text(), `{"count":${expected}}`)
    const again = await send()
    t.deepEqual([again.status, await again.text(), again.headers.get(REPLAYED)], [418, `{"count":${expected}}`, 'true'])
  }
})

test('idempotent() refuses with 503 and runs nothing where its store fails', async t => {
  const store: IdempotencyStore = {
    begin: () => Promise.reject(new Error('connection refused: redis://secret@10.0.0.1')),
    finish: () => true,
    release: () => {},
  }
  const { send, runs, errors } = open([idempotent({ store })], () => 1)
  const refused = await send()
  t.is(refused.status, 503)
  t.is(refused.headers.get('retry-after'), '5')
  t.notRegex(await refused.text(), /secret|redis|store/)
  t.is(errors[0]?.message, 'POST /: the store of idempotent() failed, so nothing was done. See the cause.')
  t.regex(String(errors[0]?.cause), /connection refused/)
  t.is(runs(), 0)
})

test('idempotent() gives a key back that its store may have taken though it failed', async t => {
  const memory = memoryStore()
  let isAway = true
  const store: IdempotencyStore = {
    ...memory,
    async begin(...args) {
      const found = await memory.begin(...args)
      if (isAway) throw new Error('The answer got lost.')
      return found
    },
  }
  const { send, runs, errors } = open([idempotent({ store })], () => 1)
  t.is((await send()).status, 503)
  isAway = false
  t.is((await send()).status, 200)
  t.deepEqual([runs(), errors.length], [1, 1])
  const failing: IdempotencyStore = {
    ...memory,
    begin: () => Promise.reject(new Error('away')),
    release() {
      throw new Error('away')
    },
  }
  const other = open([idempotent({ store: failing })], () => 1)
  t.is((await other.send()).status, 503)
  t.is(other.errors.length, 1)
})

test('idempotent() answers though its store has failed since, and asks it until it keeps the answer', async t => {
  const memory = memoryStore()
  let isAway = true
  // It asks often, and on a machine that is busy a lease as short would be over.
  const store: IdempotencyStore = {
    ...memory,
    begin: (key, claim) => memory.begin(key, claim, 60_000),
    async finish(...args) {
      if (isAway) throw new Error('away')
      return memory.finish(...args)
    },
  }
  const { send, runs, errors } = open([idempotent({ store, lease: 0.3 })], () => 'done')
  t.is(await (await send()).text(), 'done')
  t.is((await send()).status, 409)
  while (errors.length < 2) await sleep(5)
  t.is((await send()).status, 409)
  isAway = false
  let again = await send()
  while (again.status === 409) {
    await sleep(5)
    again = await send()
  }
  t.deepEqual([await again.text(), again.headers.get(REPLAYED)], ['done', 'true'])
  t.is(runs(), 1)
  t.true(errors.every(({ message }) => message === 'away'))
})

test('idempotent() renews its lease while the handler runs, and no longer', async t => {
  const memory = memoryStore()
  const leases: [owner: string, lease: number][] = []
  const store: IdempotencyStore = {
    ...memory,
    begin(key, claim, lease) {
      leases.push([claim.owner, lease])
      return memory.begin(key, claim, 60_000)
    },
  }
  const gate = gateOf()
  const { send } = open([idempotent({ store, lease: 0.15 })], () => gate.promise)
  const first = send()
  while (leases.length < 4) await sleep(5)
  t.true(leases.every(([owner, lease]) => owner === leases[0]?.[0] && lease === 150))
  gate.resolve('done')
  t.is(await (await first).text(), 'done')
  const { length } = leases
  await sleep(200)
  t.is(leases.length, length)
})

test('idempotent() tells the log where another request has taken the key, and keeps the answer of that', async t => {
  const memory = memoryStore()
  let isAsleep = true
  // A process that sleeps does not renew.
  const store: IdempotencyStore = {
    ...memory,
    begin: (key, claim, lease) => memory.begin(key, claim, isAsleep ? 1 : lease),
  }
  const gate = gateOf()
  const { send, runs, errors } = open([idempotent({ store, lease: 100 })], async (_, count) => {
    if (count === 1) await gate.promise
    return `run ${count}`
  })
  const first = send()
  while (runs() === 0) await sleep(1)
  await sleep(5)
  isAsleep = false
  t.is(await (await send()).text(), 'run 2')
  gate.resolve()
  t.is(await (await first).text(), 'run 1')
  t.is(await (await send()).text(), 'run 2')
  t.deepEqual(
    errors.map(({ message }) => message),
    ['idempotent: another request took the key before this one ended. Raise the lease.'],
  )
})

test('idempotent() keeps an answer for a day, or for its ttl', async t => {
  const memory = memoryStore()
  const given: number[] = []
  const store: IdempotencyStore = {
    ...memory,
    finish(key, claim, answer, ttl) {
      given.push(ttl)
      return memory.finish(key, claim, answer, ttl)
    },
  }
  await open([idempotent({ store, name: 'day' })], () => 1).send()
  await open([idempotent({ store, ttl: 0.5 })], () => 1).send()
  t.deepEqual(given, [86_400_000, 500])
})

test('memoryStore() forgets a key after its time, be it running or not', async t => {
  const store = memoryStore()
  const [one, other] = [
    { owner: 'one', payload: 'p' },
    { owner: 'other', payload: 'p' },
  ]
  t.is(await store.begin('running', one, 60_000), undefined)
  t.deepEqual(await store.begin('running', other, 60_000), { payload: 'p', isRunning: true })
  t.is(await store.begin('running', one, 1), undefined)
  await store.finish('ended', one, 'answer', 1)
  await sleep(10)
  t.is(await store.begin('running', other, 60_000), undefined)
  t.is(await store.begin('ended', other, 60_000), undefined)
})

test('idempotent() answers 409 to a repetition of what could not be written', async t => {
  const { send, runs } = open([idempotent()], () => 1n)
  t.is((await send()).status, 500)
  t.is(await detailOf(await send()), NOT_KEPT)
  t.is(runs(), 1)
})

test('idempotent() gives nobody an answer whose user was found below it', async t => {
  const late = decorator('late', (ctx, next: Next<{ user: string }>) => next({ user: ctx.get('X-User') }))
  const { send, errors, runs } = open([idempotent(), late], ctx => `of ${(ctx as never as { user: string }).user}`)
  t.is((await send({ headers: { 'X-User': 'Ada' } })).status, 500)
  t.is(
    errors[0]?.message,
    'POST /: idempotent() stands above what sets ctx.user, which a repetition would not ask. Put it below.',
  )
  const other = await send({ headers: { 'X-User': 'Bob' } })
  t.is(await detailOf(other), NOT_KEPT)
  t.is(runs(), 1)
})

// What is refused when the program starts.
const once = idempotent()
const secured = decorator('secured', (_ctx, next) => next(), {
  note: { security: { a: { scheme: { type: 'http' } } } },
})
const WRONG: [run: (app: App) => unknown, message: string][] = [
  [() => idempotent({ ttl: 0 }), 'idempotent: the option ttl is 0. Give a number of seconds above 0.'],
  [() => idempotent({ ttl: Number.NaN }), 'idempotent: the option ttl is NaN. Give a number of seconds above 0.'],
  [() => idempotent({ lease: -1 }), 'idempotent: the option lease is -1. Give a number of seconds above 0.'],
  [() => idempotent({ limit: 0.5 }), 'idempotent: the option limit is 0.5. Give a whole number of bytes from 1.'],
  [() => idempotent({ required: 1 } as never), 'idempotent: the option required is 1. Give true or false.'],
  [
    () => idempotent({ store: {} } as never),
    'idempotent: the option store is an object. Give an object with the methods begin, finish and release.',
  ],
  [
    () => idempotent({ key: 'x' } as never),
    'idempotent: the option "key" is unknown. It takes required, ttl, lease, store, lenient, principal, limit and name.',
  ],
  [() => memoryStore({ max: 0 }), 'memoryStore: the option max is 0. Give a whole number from 1.'],
  [app => app.use(once), 'use: idempotent() would stand above what signs users in. Put it into a stack.'],
  [
    app => app.group('/g', once).post('/', idempotent(), () => 1),
    'POST /g: idempotent stands here twice. Remove one of them.',
  ],
  [
    app => app.post('/', body(), once, () => 1),
    'POST /: idempotent cannot see the body that body has read. Put it above that.',
  ],
  [
    app => app.post('/', once, secured, () => 1),
    'POST /: idempotent stands above secured, which a repetition would not ask. Put it below.',
  ],
]

for (const [run, message] of WRONG) {
  test(`idempotent() refuses: ${message}`, t => {
    t.throws(() => run(kolba()), { instanceOf: TypeError, message })
  })
}

test('idempotent() stands above bulk(), and not below it', async t => {
  const app = kolba()
  let count = 0
  const add = () => {
    count += 1
    return count
  }
  app.post('/', idempotent(), json(), bulk(), add)
  const send = () => app.client().post('/', { json: ['a', 'b'], headers: { 'Idempotency-Key': '"k"' } })
  const first = await contentOf(await send())
  t.deepEqual(await contentOf(await send()), first)
  t.is(count, 2)
  t.throws(() => app.post('/below', bulk(), idempotent(), add), {
    message: 'POST /below: idempotent cannot see the body that bulk has read. Put it above that.',
  })
})

test('idempotent() stands on one version of a handler', async t => {
  const app = kolba()
  let count = 0
  const add = () => {
    count += 1
    return count
  }
  const composed = idempotent()(body()(add))
  app.post('/', json(), versions({ 1: add, 2: composed }, { by: 'header' }))
  const send = async (version: string, json = 1) =>
    (await app.client().post('/', { json, headers: { 'Idempotency-Key': '"k"', 'Accept-Version': version } })).text()
  t.deepEqual([await send('1'), await send('1')], ['1', '2'])
  t.deepEqual([await send('2'), await send('2')], ['3', '3'])
  t.regex(await send('2', 5), /"status":422/)
  t.throws(() => app.post('/below', body(), versions({ 1: add, 2: composed }, { by: 'header' })), {
    message: 'POST /below: idempotent cannot see the body that body has read. Put it above that.',
  })
})

test('idempotent() lets what signs users in stand between it and what reads the body', async t => {
  const app = open([idempotent(), secured, signedIn, body()], (_, count) => count)
  t.is(await (await app.send({ json: 1, headers: { 'X-User': 'Ada' } })).text(), '1')
  t.is(await (await app.send({ json: 1, headers: { 'X-User': 'Bob' } })).text(), '2')
  t.is(await (await app.send({ json: 1, headers: { 'X-User': 'Ada' } })).text(), '1')
})

test('idempotent() says that a composition is to be given to a route', t => {
  const handler = idempotent()(() => 1)
  t.throws(() => handler({ method: 'POST' } as never), {
    message: 'idempotent: without a route nothing keeps this POST. Give the composition to a route.',
  })
})

test('idempotent() is noted for documents', t => {
  const app = kolba()
  app.get('/', idempotent({ required: true }), () => 1)
  app.post('/', idempotent({ required: true }), () => 1)
  app.route(['GET', 'POST'], '/both', idempotent({ required: true }), () => 1)
  const notes = app.routes().map(({ notes }) => notes[0])
  t.deepEqual(notes[0], {})
  t.like(notes[1]?.parameters?.[0], { name: 'Idempotency-Key', in: 'header', required: true })
  t.deepEqual(Object.keys(notes[1]?.responses ?? {}), ['400', '409', '422'])
  t.like(notes[2]?.parameters?.[0], { required: false })
})

test('memoryStore() forgets the oldest answers past its bounds, and never what is running', async t => {
  const bounds: [options: object, answer: string][] = [
    [{ max: 3 }, 'x'],
    [{ maxBytes: 6000 }, 'x'.repeat(1500)],
  ]
  for (const [options, answer] of bounds) {
    const store = memoryStore(options)
    const claim = { owner: 'o', payload: 'p' }
    t.is(await store.begin('running', claim, 60_000), undefined)
    for (let index = 0; index < 10; index += 1) {
      t.is(await store.begin(`k${index}`, claim, 60_000), undefined)
      t.true(await store.finish(`k${index}`, claim, answer, 60_000))
    }
    const other = { owner: 'other', payload: 'p' }
    t.like(await store.begin('running', other, 60_000), { isRunning: true })
    t.is(await store.begin('k0', other, 60_000), undefined)
    t.like(await store.begin('k9', other, 60_000), { isRunning: false, answer })
  }
})

test('memoryStore() remembers that there was an answer which is too large for it', async t => {
  const { send, runs } = open([idempotent({ store: memoryStore({ maxBytes: 1000 }) })], () => 'x'.repeat(1000))
  t.is((await send()).status, 200)
  t.is(await detailOf(await send()), NOT_KEPT)
  t.is(runs(), 1)
})

type Step = { key: number; user: number; content: number; end: 'value' | 'error' | 'stale' | 'stream' | 'leave' }

test('idempotent() has at most one effect a key, however requests are interleaved', async t => {
  const step = fc.record({
    key: fc.nat(1),
    user: fc.nat(1),
    content: fc.nat(1),
    end: fc.constantFrom<Step['end']>('value', 'error', 'stale', 'stream', 'leave'),
  })
  const run = async (steps: Step[], scheduler: fc.Scheduler) => {
    const effects = new Map<string, number>()
    const pass = (label: string) => scheduler.schedule(Promise.resolve(), label)
    const memory = memoryStore()
    const store: IdempotencyStore = {
      begin: (...args) => pass('begin').then(() => memory.begin(...args)),
      finish: (...args) => pass('finish').then(() => memory.finish(...args)),
      release: (...args) => pass('release').then(() => memory.release(...args)),
    }
    const app = kolba({ logger: keeping() })
    app.post('/', signedIn, idempotent({ store }), json(), body(), async ctx => {
      await pass('handler')
      const { content, end } = ctx.input.body as Step
      const id = `${ctx.get('Idempotency-Key')} ${ctx.user?.id}`
      if (end === 'stale') throw problem(412)
      effects.set(id, (effects.get(id) ?? 0) + 1)
      await pass('effect')
      if (end === 'error') throw new Error('x')
      return end === 'stream' ? Readable.from(['x']) : { content, effect: effects.get(id) }
    })
    const client = app.client()
    const answers = steps.map(async it => {
      await pass('send')
      const leaving = new AbortController()
      const sent = client.post('/', {
        json: it,
        headers: { 'Idempotency-Key': `"${it.key}"`, 'X-User': `u${it.user}` },
        signal: leaving.signal,
      })
      if (it.end === 'leave') setImmediate(() => leaving.abort())
      return sent.then(
        ({ status }) => status,
        () => 'left',
      )
    })
    const all = Promise.all(answers)
    let isOver = false
    all.finally(() => {
      isOver = true
    })
    while (!isOver) {
      if (scheduler.count() > 0) await scheduler.waitOne()
      else await sleep(0)
    }
    while (scheduler.count() > 0) await scheduler.waitOne()
    for (const status of await all) t.true(['left', 200, 409, 412, 422, 500].includes(status), String(status))
    t.true(
      [...effects.values()].every(count => count === 1),
      JSON.stringify([...effects]),
    )
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), fc.scheduler(), run), {
    numRuns: 40,
  })
})
