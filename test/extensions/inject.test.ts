import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import {
  blueprint,
  type Context,
  decorator,
  get,
  isPromise,
  Kolba,
  kolba,
  type Next,
  problem,
  reply,
  stack,
} from 'kolba'
import { type Component, type ComponentOptions, component, inject } from 'kolba/inject'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { MemoryLogger } from '../support/memory-logger.js'

interface User {
  name: string
}

const signedIn = decorator('signedIn', (ctx, next: Next<{ user: User }>) => next({ user: { name: ctx.get('X-User') } }))

/** What happened, in order, and a way to wait until it has. */
class Events {
  readonly list: string[] = []
  #wake: (() => void)[] = []

  add(event: string): void {
    this.list.push(event)
    for (const wake of this.#wake.splice(0)) wake()
  }

  async until(event: string): Promise<string[]> {
    while (!this.list.includes(event)) await new Promise<void>(resolve => this.#wake.push(resolve))
    return this.list
  }
}

/** A component of a request that tells of itself. */
function telling(events: Events, name: string, options: ComponentOptions<string, 'request'> = {}) {
  return component(tells(events, name), { ...hooks(events), name, ...options })
}

const tells = (events: Events, name: string) => () => {
  events.add(`make ${name}`)
  return name
}

function hooks(events: Events): ComponentOptions<string, 'request'> {
  const word = (outcome: { error?: unknown }) => ('error' in outcome ? ` (${messageOf(outcome.error)})` : '')
  return {
    commit: name => events.add(`commit ${name}`),
    rollback: (name, outcome) => events.add(`rollback ${name}${word(outcome)}`),
    dispose: (name, outcome) => events.add(`dispose ${name}${word(outcome)}`),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function quietApp(options: Parameters<typeof kolba>[0] = {}): { app: Kolba; logger: MemoryLogger } {
  const logger = new MemoryLogger()
  return { app: kolba({ signals: false, ...options, logger }), logger }
}

function fail(message: string): never {
  throw new Error(message)
}

test('inject() adds what components make, typed, and only to its own route', async t => {
  const app = kolba()
  const config = component(() => ({ currency: 'CHF' }), { scope: 'app' })
  const price = component({ config }, async ({ config }, ctx) => `${ctx.get('X-Price')} ${config.currency}`)
  app.get('/price', inject({ price, config }), ({ price, config }) => [price, config.currency])
  app.get('/plain', ctx => Object.keys(ctx).includes('price'))
  const client = app.client()
  t.deepEqual(await (await client.get('/price', { headers: { 'x-price': '5' } })).json(), ['5 CHF', 'CHF'])
  t.is(await (await client.get('/plain')).json(), false)
})

test('inject() takes a function in the place of a component, which sees what stands above', async t => {
  const app = kolba()
  app.get('/:greeting', signedIn, inject({ me: ctx => `${ctx.params.greeting} ${ctx.user.name}` }), ctx => ctx.me)
  app.get('/later/:greeting', signedIn, inject({ me: async ctx => ctx.user.name }), ctx => ctx.me.toUpperCase())
  const client = app.client({ headers: { 'x-user': 'Ada' } })
  t.is(await (await client.get('/Hello')).text(), 'Hello Ada')
  t.is(await (await client.get('/later/Hello')).text(), 'ADA')
})

test('a handler of inject() is a plain function, called in a test with an object', t => {
  const db = component(() => new Map([['1', 'Emma']]), { scope: 'app' })
  function show({ db, params }: { db: Map<string, string>; params: { id: string } }) {
    return db.get(params.id) ?? reply(404)
  }
  kolba().get('/books/:id', inject({ db }), show)
  t.is(show({ db: new Map([['7', 'Persuasion']]), params: { id: '7' } }), 'Persuasion')
})

test('inject() stands in a stack, in a composition, above a method, on a group, and in app.use()', async t => {
  const n = component(ctx => Number(ctx.get('X-N')))
  const withN = inject({ n })
  class Numbers {
    @get('/method')
    @inject({ n })
    show(ctx: Context<'/method', { n: number }>) {
      return ctx.n
    }
  }
  const app = kolba()
  app.get('/stack', stack(withN, json()), ctx => ctx.n)
  app.get('/composition', withN((ctx: Context<'/composition', { n: number }>) => ctx.n) as () => unknown)
  app.group('/group', withN).get('/', ctx => ctx.n)
  const module = blueprint(withN)
  module.get('/blueprint', ctx => ctx.n)
  app.mount('', module)
  app.mount('', new Numbers())
  const everywhere = kolba()
  everywhere.use(withN)
  everywhere.get('/use', ctx => (ctx as unknown as { n: number }).n)
  const show = async (it: Kolba, path: string) => (await it.client().get(path, { headers: { 'x-n': '7' } })).json()
  for (const path of ['/stack', '/composition', '/group', '/blueprint', '/method']) t.is(await show(app, path), 7, path)
  t.is(await show(everywhere, '/use'), 7)
})

test('inject() over synchronous components makes no promise', t => {
  const app = kolba()
  const db = component(() => 'db', { scope: 'app' })
  const repo = component({ db }, ({ db }) => `${db}/repo`)
  const run = inject({ db, repo })((ctx: { repo: string }) => ctx.repo)
  t.is(run({ app } as never), 'db/repo')
  const later = component(async () => 'later')
  t.true(isPromise(inject({ later })(() => 1)({ app } as never)))
})

test('inject() makes no promise over one of the app that was asynchronous, once it is there', async t => {
  const app = kolba()
  const db = component(async () => 'db', { scope: 'app' })
  const handler = app.get('/', inject({ db }), ctx => ctx.db)
  await app.start()
  t.is(inject({ db })(handler as (ctx: object) => unknown)({ app } as never), 'db')
})

test('inject() makes each component once a request, however often it is named', async t => {
  let made = 0
  const id = component(async () => {
    made += 1
    return made
  })
  const twice = component({ id }, ({ id }) => id * 2)
  const thrice = component({ id }, async ({ id }) => id * 3)
  const app = kolba()
  const group = app.group('/group', inject({ id, twice }))
  group.get('/', inject({ same: id, thrice }), ctx => [ctx.id, ctx.same, ctx.twice, ctx.thrice])
  const client = app.client()
  t.deepEqual(await (await client.get('/group')).json(), [1, 1, 2, 3])
  t.deepEqual(await (await client.get('/group')).json(), [2, 2, 4, 6])
})

test('inject() makes components that do not need each other at the same time', async t => {
  let arrived = 0
  const gate = withResolvers()
  const wait = async () => {
    arrived += 1
    if (arrived === 2) gate.resolve(undefined)
    await gate.promise
    return arrived
  }
  const app = kolba({ timeouts: { handler: 5 } })
  app.get('/', inject({ a: component(wait), b: component(wait) }), ctx => [ctx.a, ctx.b])
  t.deepEqual(await (await app.client().get('/')).json(), [2, 2])
})

test('inject() makes nothing that the route does not name', async t => {
  const events = new Events()
  const app = kolba()
  const [a, b] = [telling(events, 'a'), telling(events, 'b')]
  app.get('/a', inject({ a }), ctx => ctx.a)
  app.get('/b', inject({ b }), ctx => ctx.b)
  app.get('/', () => 'nothing')
  const client = app.client()
  await client.get('/')
  t.deepEqual(events.list, [])
  await client.get('/a')
  await events.until('dispose a')
  t.deepEqual(events.list, ['make a', 'commit a', 'dispose a'])
})

test('inject() commits before the answer and disposes after it, the last made first', async t => {
  const events = new Events()
  const app = kolba({ signals: false })
  const a = telling(events, 'a')
  const b = component({ a }, tells(events, 'b'), hooks(events))
  const c = component({ b }, tells(events, 'c'), { ...hooks(events), dispose: async () => events.add('dispose c') })
  const watched = middleware(async (ctx, next) => {
    ctx.res.once('finish', () => events.add('sent'))
    await next()
    events.add('answered')
  })
  app.get('/', watched, inject({ a, c }), inject({ b }), () => {
    events.add('handle')
    return 1
  })
  t.is((await app.client().get('/')).status, 200)
  t.deepEqual(await events.until('dispose a'), [
    ...['make a', 'make b', 'make c', 'handle'],
    ...['commit c', 'commit b', 'commit a', 'answered', 'sent'],
    ...['dispose c', 'dispose b', 'dispose a'],
  ])
})

test('inject() disposes of what an inner inject() made before what an outer one made', async t => {
  const events = new Events()
  const app = kolba()
  const [outer, inner] = [telling(events, 'outer'), telling(events, 'inner', { dispose: slowly })]
  async function slowly() {
    await new Promise(setImmediate)
    events.add('dispose inner')
  }
  app.group('/g', inject({ outer })).get('/', inject({ inner, outer }), ctx => [ctx.inner, ctx.outer])
  await app.client().get('/g')
  t.deepEqual((await events.until('dispose outer')).slice(2), [
    ...['commit inner', 'commit outer', 'dispose inner', 'dispose outer'],
  ])
})

test('inject() disposes of nothing while a stream of it is being sent', async t => {
  const events = new Events()
  const app = kolba()
  const cursor = telling(events, 'cursor')
  app.get('/', inject({ cursor }), ctx => {
    async function* rows() {
      for (const row of ['1', '2', '3']) {
        await new Promise(setImmediate)
        events.add(`read ${ctx.cursor} ${row}`)
        yield row
      }
    }
    return Readable.from(rows())
  })
  t.is(await (await app.client().get('/')).text(), '123')
  const reads = ['1', '2', '3'].map(row => `read cursor ${row}`)
  t.deepEqual(await events.until('dispose cursor'), ['make cursor', 'commit cursor', ...reads, 'dispose cursor'])
})

// How a request may fail, what is answered, and what becomes of two components, of which the second needs the first.
type Scene = { first: ComponentOptions<string, 'request'>; second: Component<string>; handler: () => unknown }
const failures: Record<string, [change: (events: Events) => Partial<Scene>, status: number, events: string]> = {
  'the handler throws': [
    () => ({ handler: () => fail('oops') }),
    500,
    'make a, make b, rollback b (oops), rollback a (oops), dispose b (oops), dispose a (oops)',
  ],
  'the handler rejects with a problem': [
    () => ({ handler: async () => Promise.reject(problem(409, { detail: 'taken' })) }),
    409,
    'make a, make b, rollback b (taken), rollback a (taken), dispose b (taken), dispose a (taken)',
  ],
  'the handler throws undefined': [
    () => ({ handler: () => Promise.reject(undefined) }),
    500,
    [
      'make a, make b, rollback b (undefined was thrown.), rollback a (undefined was thrown.)',
      'dispose b (undefined was thrown.), dispose a (undefined was thrown.)',
    ].join(', '),
  ],
  'the handler returns a reply of 400 or more': [
    () => ({ handler: () => reply(422, 'no') }),
    422,
    [
      'make a, make b, rollback b (Unprocessable Entity), rollback a (Unprocessable Entity)',
      'dispose b (Unprocessable Entity), dispose a (Unprocessable Entity)',
    ].join(', '),
  ],
  'the handler returns a web Response of 400 or more': [
    () => ({ handler: () => new Response('', { status: 503 }) }),
    503,
    [
      'make a, make b, rollback b (Service Unavailable), rollback a (Service Unavailable)',
      'dispose b (Service Unavailable), dispose a (Service Unavailable)',
    ].join(', '),
  ],
  'the handler returns undefined': [
    () => ({ handler: () => undefined }),
    500,
    'make a, make b, rollback b (Not Found), rollback a (Not Found), dispose b (Not Found), dispose a (Not Found)',
  ],
  'the second make fails': [
    () => ({ second: component(() => fail('no b')) }),
    500,
    'make a, rollback a (no b), dispose a (no b)',
  ],
  'the second make rejects': [
    () => ({ second: component(async () => fail('no b')) }),
    500,
    'make a, rollback a (no b), dispose a (no b)',
  ],
  'the commit of the second fails': [
    events => ({ second: component(tells(events, 'b'), { ...hooks(events), commit: () => fail('full') }) }),
    500,
    'make a, make b, rollback b (full), rollback a (full), dispose b (full), dispose a (full)',
  ],
  'the commit of the first fails': [
    () => ({ first: { commit: async () => Promise.reject(problem(409, { detail: 'late' })) } }),
    409,
    'make a, make b, commit b, rollback a (late), dispose b (late), dispose a (late)',
  ],
  'a rollback fails': [
    events => ({
      second: component(tells(events, 'b'), { ...hooks(events), rollback: () => fail('broken') }),
      handler: () => fail('oops'),
    }),
    500,
    'make a, make b, rollback a (oops), dispose b (oops), dispose a (oops)',
  ],
  'a dispose fails': [
    events => ({ second: component(tells(events, 'b'), { ...hooks(events), dispose: () => fail('stuck') }) }),
    200,
    'make a, make b, commit b, commit a, dispose a',
  ],
  'nothing fails': [() => ({}), 200, 'make a, make b, commit b, commit a, dispose b, dispose a'],
}

for (const [title, [change, status, expected]] of Object.entries(failures)) {
  test(`inject(): ${title}, and the answer is ${status}`, async t => {
    const events = new Events()
    const { app, logger } = quietApp()
    const { first = {}, second = telling(events, 'b'), handler = () => 1 } = change(events)
    const a = component(tells(events, 'a'), { ...hooks(events), ...first })
    app.get('/', inject({ a, b: component({ a, second }, ({ second }) => second) }), handler)
    const response = await app.client().get('/', { headers: { 'x-request-id': 'the-request' } })
    t.is(response.status, status)
    await app.close()
    t.is(events.list.join(', '), expected)
    for (const line of logger.lines) t.is(line.fields.requestId, 'the-request')
  })
}

for (const hook of ['rollback', 'dispose'] as const) {
  test(`inject() logs what a ${hook} throws, with the request id and the component's name`, async t => {
    const { app, logger } = quietApp()
    const db = component(() => 'db', { [hook]: () => fail('stuck') })
    app.get('/', inject({ db }), () => reply(400))
    await app.client().get('/', { headers: { 'x-request-id': 'abc-123' } })
    const [line] = await logger.until(1)
    t.is(line?.message, `${hook} of db failed`)
    t.like(line?.fields, { requestId: 'abc-123', method: 'GET', path: '/' })
    t.is(line?.fields.err?.message, 'stuck')
  })
}

for (const [title, status, handler] of [
  ['an explicit 404 with a value', 404, (ctx: Context) => Object.assign(ctx, { status: 404 }) && 'x'],
  [
    'an explicit 409 with a body in the way of Koa',
    409,
    (ctx: Context) => void Object.assign(ctx, { status: 409, body: 'x' }),
  ],
  ['a body in the way of Koa', 200, (ctx: Context) => void Object.assign(ctx, { body: 'x' })],
  ['null', 204, () => null],
  ['a reply of 303', 303, () => reply(303, undefined, { Location: '/' })],
] as [string, number, (ctx: Context) => unknown][]) {
  test(`inject() ${status < 400 ? 'commits' : 'rolls back'} when the handler gives ${title}`, async t => {
    const events = new Events()
    const { app } = quietApp()
    app.get('/', inject({ a: telling(events, 'a', { dispose: () => {} }) }), handler)
    t.is((await app.client().get('/')).status, status)
    t.is(events.list[1]?.split(' ')[0], status < 400 ? 'commit' : 'rollback')
    t.is(events.list.length, 2)
  })
}

test('inject() rolls back when the client has gone, and disposes when the handler has ended', async t => {
  const events = new Events()
  const { app } = quietApp()
  const gone = new Events()
  app.get('/', inject({ a: telling(events, 'a') }), async ctx => {
    gone.add('handling')
    await once(ctx.signal, 'abort')
    await new Promise(setImmediate)
    events.add('handled')
    return 1
  })
  const server = app.listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await gone.until('handling')
  socket.destroy()
  await events.until('dispose a (The client has gone.)')
  const expected = ['make a', 'handled', 'rollback a (The client has gone.)', 'dispose a (The client has gone.)']
  t.deepEqual(events.list, expected)
  await app.close()
})

test('inject() rolls back when the time of the handler is over, and not before it has ended', async t => {
  const events = new Events()
  const { app } = quietApp({ timeouts: { handler: 0.02 } })
  const answered = withResolvers()
  app.get('/', inject({ a: telling(events, 'a') }), async () => {
    await answered.promise
    events.add('handled')
    return 1
  })
  t.is((await app.client().get('/')).status, 503)
  t.deepEqual(events.list, ['make a'])
  answered.resolve(undefined)
  const reason = 'GET /: no answer within 0.02 s. Make it quicker, a job, or raise timeouts.handler.'
  await events.until(`dispose a (${reason})`)
  t.deepEqual(events.list.slice(1), ['handled', `rollback a (${reason})`, `dispose a (${reason})`])
})

test('inject() makes everything anew when a decorator above calls next again', async t => {
  const events = new Events()
  const app = kolba()
  const again = decorator('again', async (_ctx, next) => {
    try {
      return await next()
    } catch {
      return next()
    }
  })
  let made = 0
  const tx = component(() => ++made, {
    rollback: n => events.add(`rollback ${n}`),
    commit: n => events.add(`commit ${n}`),
  })
  const repo = component({ tx }, ({ tx }) => `repo ${tx}`)
  app.get('/', again, inject({ repo }), ctx => (ctx.repo === 'repo 1' ? fail('deadlock') : ctx.repo))
  t.is(await (await app.client().get('/')).text(), 'repo 2')
  t.deepEqual(events.list, ['rollback 1', 'commit 2'])
})

test('a make is given ctx, and may pass on its signal', async t => {
  const app = kolba()
  const signal = component(ctx => ctx.signal)
  app.get('/', inject({ given: signal }), ctx => ctx.given === ctx.signal && !ctx.given.aborted)
  t.is(await (await app.client().get('/')).json(), true)
})

test('a component of the app is made when it starts, once, and disposed of when it closes, the last made first', async t => {
  const events = new Events()
  const options = { scope: 'app', dispose: (name: string) => events.add(`dispose ${name}`) } as const
  const app = kolba({ signals: false })
  const config = component(tells(events, 'config'), options)
  const pool = component(
    { config },
    async (_needs, app) => tells(events, app instanceof Kolba ? 'pool' : 'nothing')(),
    options,
  )
  const repo = component({ pool }, () => 'repo')
  app.get('/', inject({ repo }), ctx => ctx.repo)
  app.get('/again', inject({ repo, pool, config }), ctx => ctx.repo)
  await app.start()
  t.deepEqual(events.list, ['make config', 'make pool'])
  const client = app.client()
  for (const path of ['/', '/again', '/']) t.is(await (await client.get(path)).text(), 'repo')
  await app.close()
  t.deepEqual(events.list, ['make config', 'make pool', 'dispose pool', 'dispose config'])
})

test('a component of the app that cannot be made stops the app from starting, and disposes of the others', async t => {
  const events = new Events()
  const { app } = quietApp()
  const a = component(tells(events, 'a'), { scope: 'app', dispose: () => events.add('dispose a') })
  const db = component({ a }, async (): Promise<string> => fail('wrong password'), { scope: 'app' })
  app.get('/', inject({ db }), ctx => ctx.db)
  const [error] = await once(app.listen(0), 'error').catch(error => [error])
  t.is(error.message, 'wrong password')
  t.deepEqual(events.list, ['make a', 'dispose a'])
})

test('two apps have their own instances of a component of the app', async t => {
  let made = 0
  const db = component(() => ++made, { scope: 'app' })
  const [one, two] = [kolba(), kolba()]
  for (const app of [one, two]) app.get('/', inject({ db }), ctx => ctx.db)
  const numbers = []
  for (const app of [one, two, one]) numbers.push(await (await app.client().get('/')).json())
  t.deepEqual(numbers, [1, 2, 1])
})

test('a component of the app is made at first use where the app has started, and again where that failed', async t => {
  const { app } = quietApp()
  await app.start()
  let tries = 0
  const db = component(async () => (++tries === 1 ? fail('not yet') : tries), { scope: 'app' })
  app.get('/', inject({ db }), ctx => ctx.db)
  const client = app.client()
  t.is((await client.get('/')).status, 500)
  const both = await Promise.all([client.get('/'), client.get('/')])
  t.deepEqual(await Promise.all(both.map(response => response.json())), [2, 2])
})

test('app.close() waits for disposals, and disposes of the app after the requests', async t => {
  const events = new Events()
  const app = kolba({ signals: false })
  const pool = component(() => 'pool', { scope: 'app', dispose: () => events.add('end pool') })
  const client = component({ pool }, () => 'client', {
    dispose: async () => {
      await new Promise(setImmediate)
      events.add('release client')
    },
  })
  app.get('/', inject({ client }), ctx => ctx.client)
  await app.client().get('/')
  await app.close()
  t.deepEqual(events.list, ['release client', 'end pool'])
})

test('a dispose of the app that throws is logged, and the others run', async t => {
  const { app, logger } = quietApp()
  const events = new Events()
  const a = component(() => 'a', { scope: 'app', dispose: () => events.add('dispose a') })
  const b = component({ a }, () => 'b', { scope: 'app', dispose: () => fail('stuck') })
  app.get('/', inject({ b }), ctx => ctx.b)
  await app.start()
  await app.close()
  t.deepEqual(events.list, ['dispose a'])
  t.is(logger.lines[0]?.message, 'dispose of b failed')
})

test('app.override() puts a fake in the place of a component, which is then not made, nor what it alone needs', async t => {
  const app = kolba()
  const url = component(() => fail('no url'), { scope: 'app' })
  const db = component({ url }, (): { name: string } => fail('no database'), {
    scope: 'app',
    dispose: () => fail('no'),
  })
  const repo = component({ db }, ({ db }) => `repo of ${db.name}`, { scope: 'app' })
  const mine = component({ repo }, ({ repo }) => `mine from ${repo}`)
  app.get('/', inject({ mine }), ctx => ctx.mine)
  app.override(db, { name: 'fake' })
  t.is(await (await app.client().get('/')).text(), 'mine from repo of fake')
})

test('app.override() of a component of a request spares the start what it alone needs of the app', async t => {
  const app = kolba()
  const pool = component(() => fail('no database'), { scope: 'app' })
  const tx = component({ pool }, () => 'tx')
  app.get('/', inject({ tx }), ctx => ctx.tx)
  app.override(tx, 'fake')
  t.is(await (await app.client().get('/')).text(), 'fake')
})

test('app.override() after the start reaches what was made of the real one, twice, and is taken back', async t => {
  const app = kolba()
  let made = 0
  const db = component(async () => `real ${++made}`, { scope: 'app' })
  const repo = component({ db }, ({ db }) => `repo of ${db}`, { scope: 'app' })
  app.get('/', inject({ repo, db }), ctx => `${ctx.repo}, ${ctx.db}`)
  const client = app.client()
  const text = async () => (await client.get('/')).text()
  t.is(await text(), 'repo of real 1, real 1')
  const takeBackFirst = app.override(db, 'fake 1')
  const takeBackSecond = app.override(db, 'fake 2')
  t.is(await text(), 'repo of fake 2, fake 2')
  takeBackFirst()
  t.is(await text(), 'repo of fake 2, fake 2')
  takeBackSecond()
  takeBackSecond()
  t.is(await text(), 'repo of real 1, real 1')
})

test('app.override() of a component of a request is neither committed nor disposed of', async t => {
  const events = new Events()
  const app = kolba()
  const tx = telling(events, 'tx')
  app.get('/', inject({ tx }), ctx => ctx.tx)
  const takeBack = app.override(tx, 'fake')
  t.is(await (await app.client().get('/')).text(), 'fake')
  takeBack()
  t.is(await (await app.client().get('/')).text(), 'tx')
  t.deepEqual((await events.until('dispose tx')).length, 3)
})

test('app.override() refuses what cannot be replaced', t => {
  const app = kolba()
  t.throws(() => app.override('db' as never, 1 as never), {
    instanceOf: TypeError,
    message: 'override: db is nothing to replace. Give a component, then what replaces it.',
  })
})

const number = component(() => 1)
const shared = component(() => 1, { scope: 'app' })
const loop: Component<number> = component(
  () => ({ other }),
  () => 1,
)
const other: Component<number> = component({ loop }, () => 1)
const itself: Component<number> = component(
  () => ({ itself }),
  () => 1,
)
const shorter = component(
  () => ({ number }),
  () => 1,
  { scope: 'app' },
)
const hollow = component(
  () => ({ later: undefined as never }),
  () => 1,
)
class Database {}
const withSignal = blueprint(inject({ signal: number }))
withSignal.get('/', () => 1)

const mistakes: Record<string, [make: (app: Kolba) => unknown, message: string]> = {
  'a name that Koa has': [
    app => app.get('/', inject({ body: number }), () => 1),
    'GET /: inject body: ctx has this already. Use another name.',
  ],
  'a name that kolba has': [
    app => app.mount('/v1', withSignal),
    'GET /v1: inject signal: ctx has this already. Use another name.',
  ],
  'components that need each other': [
    app => app.get('/', inject({ loop }), () => 1),
    'GET /: inject loop.other.loop: it needs itself. Take from one of them what both need, and make a third of it.',
  ],
  'a component that needs itself': [
    app => app.group('/g', inject({ itself })).get('/', () => 1),
    'GET /g: inject itself.itself: it needs itself. Take from one of them what both need, and make a third of it.',
  ],
  'one of the app that needs one of a request': [
    () => component({ number }, () => 1, { scope: 'app' }),
    "component needs.number: it is made for each request, and what needs it for the app. Give both the same scope, 'request'.",
  ],
  'the same, named in a function': [
    app => app.get('/', inject({ shorter }), () => 1),
    "GET /: inject shorter.number: it is made for each request, and what needs it for the app. Give both the same scope, 'request'.",
  ],
  'a component that is not there yet': [
    () => component({ later: undefined as never }, () => 1),
    'component needs.later: it is undefined. Modules that import each other say component(() => ({ needs }), ...).',
  ],
  'the same, named in a function that comes too early': [
    app => app.get('/', inject({ hollow }), () => 1),
    'GET /: inject hollow.later: it is undefined. Modules that import each other say component(() => ({ needs }), ...).',
  ],
  'a need that is a value': [
    () => component({ db: new Database() as never }, () => 1),
    'component needs.db: it is no component. Give what component() has returned.',
  ],
  'a value in the place of a component': [
    app => app.get('/', inject({ db: new Database() as never }), () => 1),
    'GET /: inject db: it is no component. Give what component() has returned.',
  ],
  'a need without a name': [
    () => component(shared as never, () => 1),
    'component: what it needs has no names. Say component({ db }, ({ db }) => ...).',
  ],
  'needs in a list': [
    () => component([shared] as never, () => 1),
    'component: what it needs has no names. Say component({ db }, ({ db }) => ...).',
  ],
  'a component without a name': [
    () => inject(number as never),
    'inject: the components have no names. Say inject({ db }).',
  ],
  'no component at all': [
    () => inject(undefined as never),
    'inject: the components have no names. Say inject({ db }).',
  ],
  'no function': [
    () => component(new Database() as never),
    'component: there is no function that makes it. Give one, component(() => connect()).',
  ],
  'needs and no function': [
    () => component({ number } as never, undefined as never),
    'component: there is no function that makes it. Give one, component(() => connect()).',
  ],
  'a class': [
    () => component(Database as never),
    'component: Database is a class. Say component(() => new Database()).',
  ],
  'a class in the place of a component': [
    () => inject({ db: Database as never }),
    'component: Database is a class. Say component(() => new Database()).',
  ],
  'an unknown option': [
    () => component(() => 1, { scoped: 'app' } as never),
    'component: the option "scoped" is unknown. It takes scope, commit, rollback, dispose and name.',
  ],
  'an unknown scope': [
    () => component(() => 1, { scope: 'session' as never }),
    'component: the option scope is "session". Give one of "app" and "request".',
  ],
  'a commit for the app': [
    () => component(() => 1, { scope: 'app', commit: () => {} }),
    "component: an app has nothing to commit. Leave commit and rollback out, or the scope 'app'.",
  ],
}

for (const [title, [make, message]] of Object.entries(mistakes)) {
  test(`inject() and component() refuse ${title}`, t => {
    t.throws(() => make(kolba()), { instanceOf: TypeError, message })
  })
}

test('inject() keeps its order for any graph of components, whatever fails', async t => {
  const node = fc.record({
    needs: fc.array(fc.nat(7), { maxLength: 3 }),
    async: fc.boolean(),
    fails: fc.constantFrom('', '', '', '', 'make', 'commit', 'dispose'),
  })
  const property = fc.asyncProperty(
    fc.array(node, { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    async (nodes, throws) => {
      const made: number[] = []
      const ended: Record<string, number[]> = { commit: [], rollback: [], dispose: [] }
      const tell = (hook: string, index: number) => {
        if (nodes[index]?.fails === hook) fail(`${hook} ${index}`)
        ;(hook === 'make' ? made : (ended[hook] as number[])).push(index)
      }
      const components: Component<number>[] = []
      nodes.forEach((its, index) => {
        const names = its.needs.filter(need => need < index).map(need => [`c${need}`, components[need]])
        const needs = Object.fromEntries(names) as Record<string, Component<number>>
        const make = (values: Record<string, number>) => {
          for (const [name, value] of Object.entries(values)) if (name !== `c${value}`) fail('a wrong value')
          tell('make', index)
          return index
        }
        const later = async (values: Record<string, number>) => {
          await new Promise(setImmediate)
          return make(values)
        }
        components.push(
          component(needs, its.async ? later : make, {
            commit: it => tell('commit', it),
            rollback: it => tell('rollback', it),
            dispose: it => tell('dispose', it),
          }) as Component<number>,
        )
      })
      const { app } = quietApp()
      app.get('/', inject({ ...components } as unknown as Record<string, Component<number>>), () =>
        throws ? fail('the handler') : 'well',
      )
      const { status } = await app.client().get('/')
      await app.close()
      const well = made.length === nodes.length && !throws && nodes.every(({ fails }) => fails !== 'commit')
      t.is(status, well ? 200 : 500)
      t.is(new Set(made).size, made.length)
      // What needs another is ended before it.
      for (const list of Object.values(ended)) {
        for (const it of list) {
          const needs = nodes[it]?.needs.filter(need => need < it && list.includes(need)) ?? []
          for (const need of needs) t.true(list.indexOf(it) < list.indexOf(need))
        }
      }
      const settled = [...(ended.commit as number[]), ...(ended.rollback as number[])]
      t.deepEqual(settled.toSorted(), made.toSorted())
      t.deepEqual(ended.dispose?.toSorted(), made.filter(it => nodes[it]?.fails !== 'dispose').toSorted())
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

function withResolvers() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** Compiled and not run: what does not fit is refused where it stands. */
export function types(app: Kolba): void {
  const db = component(() => new Map<string, number>(), { scope: 'app', dispose: db => db.clear() })
  const mine = component({ db }, async ({ db }, ctx: Context & { user: User }) => db.get(ctx.user.name) ?? 0, {
    commit: count => count.toFixed(),
  })
  const half = component({ mine }, ({ mine }) => mine / 2)
  app.get('/a', signedIn, inject({ db, half }), ctx => [ctx.db.size, ctx.half.toFixed()])
  // @ts-expect-error half needs mine, which needs ctx.user
  app.get('/b', inject({ db, half }), ctx => ctx.db.size)
  // @ts-expect-error nothing above adds a user
  app.get('/c', inject({ me: ctx => ctx.user.name }), ctx => ctx.me)
  // @ts-expect-error nothing was injected under this name
  app.get('/d', inject({ db }), ctx => ctx.database)
  // @ts-expect-error this is no component
  app.get('/e', inject({ db: 5 }), () => 1)
  // @ts-expect-error the name is another
  component({ db }, ({ database }) => database)
  // @ts-expect-error a need is a component
  component({ db: new Map() }, () => 1)
  // @ts-expect-error an option has a name of its own
  component(() => 1, { scoped: 'app' })
  // @ts-expect-error the value is a number
  component(() => 1, { dispose: (value: string) => value })
  // @ts-expect-error the fake is no Map of numbers
  app.override(db, new Map([['a', 'b']]))
  // @ts-expect-error a fake is for the value, not for the promise of it
  app.override(half, Promise.resolve(1))
  app.override(half, 1)
}
