import { createReadStream, type ReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import test from 'ava'
import bodyParser from 'koa-bodyparser'
import {
  type AnyDecorator,
  blueprint,
  type Context,
  decorator,
  kolba,
  type Next,
  post,
  problem,
  reply,
  stack,
} from 'kolba'
import { roles, tokenAuth } from 'kolba/auth'
import { body } from 'kolba/body'
import { etag } from 'kolba/etag'
import { idempotent } from 'kolba/idempotency'
import { component, inject, type Outcome } from 'kolba/inject'
import { input } from 'kolba/input'
import { type JobAdds, type Jobs, jobs } from 'kolba/jobs'
import { json } from 'kolba/json'
import { versions } from 'kolba/lifecycle'
import { middleware } from 'kolba/middleware'
import { output } from 'kolba/output'
import { patch } from 'kolba/patch'
import { prefer } from 'kolba/prefer'
import { rateLimit } from 'kolba/rate-limit'
import { int, text } from 'kolba/schema'
import { begin, done, ended, type JobsApp, jobsApp, signal, signedIn, stateOf, until } from '../../support/jobs.js'
import { claims, EXPECTED, SECRET, token } from '../../support/tokens.js'

/** Adds what it is given, as a decorator of somebody else does. */
const adding = <T extends object>(added: T) => decorator('adding', (_, next: Next<T>) => next(added))

/** All that the engine was given to keep. */
function keptBy({ engine }: JobsApp): string[] {
  const kept: string[] = []
  const { add } = engine
  Object.assign(engine, {
    add(job: { request: string }) {
      kept.push(JSON.stringify(job))
      return add(job as never)
    },
  })
  return kept
}

test('what stands above background() comes first, and what it refuses makes no job', async t => {
  const its = jobsApp(t)
  const kept = keptBy(its)
  const auth = tokenAuth({ secret: SECRET, ...EXPECTED })
  its.app.post(
    '/x',
    auth,
    rateLimit('2/min'),
    input({ body: { name: text() } }),
    its.work.background(),
    ({ input }) => input.body.name,
  )
  const headers = { Authorization: `Bearer ${token({ alg: 'HS256', typ: 'JWT' }, claims())}` }
  const ask = (init: object) => its.client.post('/x', init)
  t.is((await ask({ json: { name: 'a' } })).status, 401)
  t.is((await ask({ json: { name: 1 }, headers })).status, 422)
  t.is(kept.length, 0)
  const made = await ask({ json: { name: 'Emma' }, headers })
  t.is(made.status, 202)
  t.is((await ask({ json: { name: 'a' }, headers })).status, 429)
  t.is(kept.length, 1)
  t.notRegex(kept.join(), /Bearer|eyJ/)
})

test('a job has none of the secrets of its request', async t => {
  const its = jobsApp(t)
  const kept = keptBy(its)
  const seen: unknown[] = []
  its.app.post('/x', its.work.background(), ctx => {
    seen.push(ctx.get('Authorization'), ctx.cookies.get('session'), ctx.get('X-Api-Key'), ctx.get('Accept-Language'))
    return null
  })
  const headers = {
    Authorization: 'Bearer s3cret',
    Cookie: 'session=s3cret',
    'X-Api-Key': 's3cret',
    'Proxy-Authorization': 's3cret',
    'Idempotency-Key': '"s3cret"',
    'Accept-Language': 'de',
  }
  await done(t, its, '/x', { headers })
  // The key is what tells two requests apart, and is kept as that alone.
  t.notRegex(kept.join().replace(/"keys":\[.*?\]/, ''), /s3cret/)
  t.deepEqual(seen, ['', undefined, '', 'de'])
})

test('a job has what its request had: parameters, what was read, the user, what the client prefers, and URLs', async t => {
  const its = jobsApp(t, {}, { proxy: ['127.0.0.0/8'] })
  const book = (ctx: Context<'/books/:id'>) => ctx.params.id
  its.app.get('/books/:id', book)
  const things = {
    date: new Date(5),
    bytes: new Uint8Array([1, 2]),
    buffer: Buffer.from('b'),
    map: new Map([[{ a: 1 }, new Set([2n])]]),
    number: -0,
    none: undefined,
    nothing: null,
    $: 'date',
  }
  const seen: object[] = []
  const look = (ctx: Context) => {
    const { params, input, user, things, prefer } = ctx as unknown as Record<string, object>
    seen.push({
      params,
      keys: Object.keys(params as object),
      input,
      user,
      things,
      wait: (prefer as { wait: number }).wait,
      custom: (prefer as { get(name: string): unknown }).get('x-own'),
      url: ctx.urlFor(book, { id: 'é 1' }),
      own: [
        ctx.method,
        ctx.url,
        ctx.path,
        ctx.querystring,
        ctx.query.b,
        ctx.protocol,
        ctx.host,
        ctx.hostname,
        ctx.secure,
      ],
      href: ctx.href,
      request: [ctx.requestId, ctx.get('Accept'), ctx.get('User-Agent'), ctx.get('Traceparent')],
      route: [ctx.route?.path, (ctx as never as { _matchedRoute: string })._matchedRoute],
      accepts: ctx.accepts('html', 'json'),
      app: ctx.app === its.app,
    })
  }
  const inRequest = decorator('inRequest', (ctx, next) => {
    look(ctx as never)
    return next()
  })
  const above = stack(
    signedIn,
    prefer(),
    input({ body: { n: int(), when: text() }, query: { b: text() } }),
    adding({ things }),
    inRequest,
  )
  its.app.post('/x/:id/:name', above, its.work.background(), ctx => {
    look(ctx as never)
    return null
  })
  // A proxy is believed on a real line alone.
  const client = its.app.client({ port: true })
  t.teardown(() => client.close())
  const made = await client.post('/x/7/%C3%A9?b=c%26d', {
    json: { n: 1, when: 'now' },
    headers: {
      'X-User': 'ada',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'shop.example.com:8443',
      'X-Forwarded-For': '10.1.1.1',
      'X-Request-Id': 'r-1',
      Prefer: 'wait=0, x-own="a, b"',
      Accept: 'application/json',
      'User-Agent': 'me',
      Traceparent: '00-1',
    },
  })
  t.is(made.status, 202)
  await ended(its, made.headers.get('Location') as string, { 'X-User': 'ada' })
  t.is(seen.length, 2)
  t.deepEqual(seen[1], seen[0])
  t.like(seen[1], {
    url: 'https://shop.example.com:8443/books/%C3%A9%201',
    href: 'https://shop.example.com:8443/x/7/%C3%A9?b=c%26d',
    params: { id: '7', name: 'é' },
  })
})

test('a job has a signal, an id that stays, and the number of its attempt', async t => {
  const its = jobsApp(t)
  const seen: unknown[][] = []
  its.app.post('/x', its.work.background(), ctx => {
    seen.push([ctx.job.id, ctx.job.attempt, ctx.signal.aborted])
    if (seen.length < 3) throw new Error('again')
    return null
  })
  const place = await begin(t, its, '/x')
  t.is((await ended(its, place)).status, 204)
  const id = place.slice(6)
  t.deepEqual(seen, [
    [id, 1, false],
    [id, 2, false],
    [id, 3, false],
  ])
})

class Pool {
  readonly size = 1
}

const UNSTORED: [title: string, added: object, what: string][] = [
  ['a pool', { db: new Pool() }, 'ctx.db is an instance of Pool'],
  ['a stream', { file: new PassThrough() }, 'ctx.file is a stream'],
  ['a stream inside', { form: { files: [new PassThrough()] } }, 'ctx.form.files[0] is a stream'],
  ['a function', { log: () => {} }, 'ctx.log is a function'],
]

for (const [title, added, what] of UNSTORED) {
  test(`background() refuses a request whose ctx has ${title}, unless fields names others`, async t => {
    const its = jobsApp(t)
    const kept = keptBy(its)
    its.app.post('/x', adding(added), its.work.background(), () => 1)
    its.app.post('/fields', adding(added), signedIn, its.work.background({ fields: ['user'] }), ctx => {
      return [ctx.user?.id, Object.keys(added).some(name => name in ctx)]
    })
    t.is((await its.client.post('/x')).status, 500)
    t.is(kept.length, 0)
    const advice = 'Put what adds it below background(), or name what the job has: background({ fields: [...] }).'
    t.is(
      its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message,
      `POST /x: background: ${what}, which cannot be stored. ${advice}`,
    )
    const headers = { 'X-User': 'ada' }
    t.deepEqual(await (await done(t, its, '/fields', { headers })).json(), ['ada', false])
  })
}

test('a job has what Koa middleware has said in ctx.state, and the body that one has parsed', async t => {
  const its = jobsApp(t)
  its.app.use(bodyParser() as never)
  its.app.use((ctx, next) => {
    ctx.state.tenant = ctx.get('X-Tenant')
    return next()
  })
  const run = (ctx: Context) => [ctx.state, (ctx.request as { body?: unknown }).body ?? null]
  its.app.post('/x', its.work.background(), run)
  its.app.post('/some', its.work.background({ fields: ['state'] }), run)
  its.app.post('/none', its.work.background({ fields: [] }), run)
  const init = { json: { a: 1 }, headers: { 'X-Tenant': 'a', 'Idempotency-Key': '"k"' } }
  t.deepEqual(await (await done(t, its, '/x', init)).json(), [{ tenant: 'a' }, { a: 1 }])
  t.deepEqual(await (await done(t, its, '/some', init)).json(), [{ tenant: 'a' }, null])
  t.deepEqual(await (await done(t, its, '/none', init)).json(), [{}, null])
  t.is((await its.client.post('/x', { ...init, json: { a: 2 } })).status, 422)
})

test('what Koa middleware has said in ctx.state is refused where it cannot be stored', async t => {
  const its = jobsApp(t)
  its.app.use((ctx, next) => {
    ctx.state.db = new Pool()
    return next()
  })
  its.app.post('/x', its.work.background(), () => 1)
  t.is((await its.client.post('/x')).status, 500)
  t.regex(
    its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message ?? '',
    /^POST \/x: background: ctx\.state\.db is an instance of Pool, which cannot be stored\. /,
  )
})

const guard = (work: Jobs, ...below: AnyDecorator[]) => stack(work.background(), ...below)
const READ = 'stands below background, when the request is over. Put it above.'
const GUARDED = 'stands below background, so that anybody makes a job. Put it above.'

const MISPLACED: [title: string, put: (work: Jobs) => AnyDecorator, message: string][] = [
  ['body()', work => guard(work, body()), `PUT /x: body ${READ}`],
  ['input() of a body', work => guard(work, input({ body: { a: text() } })), `PUT /x: input ${READ}`],
  ['patch()', work => guard(work, json(), patch({ load: () => ({}) })), `PATCH /x: patch ${READ}`],
  ['tokenAuth()', work => guard(work, tokenAuth({ secret: SECRET, ...EXPECTED })), `PUT /x: tokenAuth ${GUARDED}`],
  ['roles()', work => guard(work, json(), roles('admin')), `PUT /x: roles(admin) ${GUARDED}`],
  [
    'another background()',
    work => guard(work, work.background()),
    'PUT /x: background stands here twice. Remove one of them.',
  ],
  [
    'that of another jobs()',
    work => guard(work, jobs().background()),
    'PUT /x: background stands here twice. Remove one of them.',
  ],
  [
    'etag(), whose condition nobody would see',
    work => guard(work, etag()),
    'PUT /x: etag stands below background, where no If-Match of the request is left. Put it above.',
  ],
  [
    'idempotent()',
    work => guard(work, idempotent()),
    'PATCH /x: idempotent stands below background, where no Idempotency-Key of the request is left. Put it above.',
  ],
  [
    'input() of a header',
    work => guard(work, input({ headers: { 'x-tenant': text() } })),
    'PUT /x: input stands below background, where no x-tenant of the request is left. Put it above.',
  ],
]

for (const [title, place, message] of MISPLACED) {
  test(`background() refuses to stand above ${title}`, t => {
    const { app, work } = jobsApp(t)
    const method = message.startsWith('PATCH') ? 'PATCH' : 'PUT'
    t.throws(() => app.route(method, '/x', place(work), () => 1), { instanceOf: TypeError, message })
  })
}

test('background() refuses app.use(), and to run without a route', t => {
  const { app, work } = jobsApp(t)
  t.throws(() => app.use(work.background()), {
    instanceOf: TypeError,
    message: 'use: background() makes jobs of one route. Put it into a stack.',
  })
  const composed = work.background()(() => 1) as (ctx: object) => unknown
  t.throws(() => composed({}), {
    instanceOf: TypeError,
    message: 'background: without a route there is no job. Give the composition to a route.',
  })
})

test('background() refuses the name of another route for its jobs', t => {
  const { app, work } = jobsApp(t)
  const named = work.background({ name: 'report' })
  app.post('/a', named, () => 1)
  t.throws(() => app.post('/b', named, () => 2), {
    instanceOf: TypeError,
    message: 'background report: two routes have this name for their jobs. Give each its own.',
  })
})

test('an app with background() does not start where the places of jobs stand nowhere', async t => {
  const app = kolba({ signals: false })
  t.teardown(() => app.close().catch(() => {}))
  app.post('/x', jobs().background(), () => 1)
  const error = await t.throwsAsync(app.start(), { instanceOf: TypeError })
  t.is(
    error?.message,
    "jobs: work.routes stand nowhere in this app, or twice, so that no job has a place. Write app.mount('/jobs', work.routes) once.",
  )
})

test('an app whose jobs die with it says so at its start', async t => {
  const { app, work, logger } = jobsApp(t)
  app.post('/x', work.background(), () => 1)
  await app.start()
  t.deepEqual(
    logger.lines.map(({ level, fields, message }) => [level, fields.engine, message]),
    [
      [
        'warn',
        'memory',
        'jobs: they are kept in memory and end with this process. Give an engine: jobs({ engine: sqlite(file) }).',
      ],
    ],
  )
})

/** A component of the request that tells how it ended. */
function telling(events: string[]) {
  const word = (outcome: Outcome) => ('error' in outcome ? ` ${(outcome.error as Error).name}` : '')
  return component(() => 'db', {
    name: 'db',
    commit: () => void events.push('commit'),
    rollback: (_, outcome) => void events.push(`rollback${word(outcome)}`),
    dispose: () => void events.push('dispose'),
  })
}

const OUTCOMES: [title: string, run: (ctx: JobAdds) => unknown, events: string[]][] = [
  ['commits what succeeds', () => 1, ['commit', 'dispose']],
  ['rolls back what throws', () => Promise.reject(new RangeError('a')), ['rollback RangeError', 'dispose']],
  [
    'rolls back what throws at once',
    () => {
      throw new RangeError('a')
    },
    ['rollback RangeError', 'dispose'],
  ],
  ['rolls back what is refused', () => problem(409), ['rollback Problem', 'dispose']],
  ['rolls back the status of an error', () => reply(404), ['rollback Problem', 'dispose']],
]

for (const [title, run, events] of OUTCOMES) {
  test(`inject() below background() ${title}`, async t => {
    const its = jobsApp(t, { retry: false })
    const told: string[] = []
    its.app.post('/x', its.work.background(), inject({ db: telling(told) }), ctx => run(ctx))
    await done(t, its, '/x')
    await until(t, () => told.includes('dispose'))
    t.deepEqual(told, events)
  })
}

test('inject() below background() is made anew for each attempt, and commits the last alone', async t => {
  const its = jobsApp(t)
  const told: string[] = []
  its.app.post('/x', its.work.background(), inject({ db: telling(told) }), ctx => {
    if (ctx.job.attempt === 1) throw new RangeError('again')
    return null
  })
  await done(t, its, '/x')
  await until(t, () => told.length === 4)
  t.deepEqual(told, ['rollback RangeError', 'dispose', 'commit', 'dispose'])
})

test('inject() below background() rolls back what was cancelled, though it went on to its end', async t => {
  const its = jobsApp(t)
  const told: string[] = []
  const [running, go] = [signal(), signal()]
  its.app.post('/x', its.work.background(), inject({ db: telling(told) }), async () => {
    running.resolve()
    await go.promise
    return 'done'
  })
  const place = await begin(t, its, '/x')
  await running.promise
  t.is((await its.client.delete(place)).status, 204)
  go.resolve()
  await until(t, () => told.includes('dispose'))
  t.deepEqual(told, ['rollback JobCancelled', 'dispose'])
  t.is((await stateOf(its.client.get(place))).state, 'cancelled')
})

test('output() below background() lets out what is declared', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), json(), output({ a: int() }), () => ({ a: 1, secret: 2 }) as { a: number })
  t.deepEqual(await (await done(t, its, '/x')).json(), { a: 1 })
})

test('json() above background() writes the state in its way', async t => {
  const its = jobsApp(t)
  its.app.post('/x', json({ pretty: true }), its.work.background(), () => 1)
  t.regex(await (await its.client.post('/x')).text(), /^\{\n {2}"id": "/)
})

test('etag() above background() refuses a write before there is a job', async t => {
  const its = jobsApp(t)
  const kept = keptBy(its)
  its.app.get('/x', etag(), json(), () => ({ a: 1 }))
  its.app.put('/x', etag({ required: true }), its.work.background(), () => null)
  t.is((await its.client.put('/x')).status, 428)
  t.is((await its.client.put('/x', { headers: { 'If-Match': '"x"' } })).status, 412)
  t.is(kept.length, 0)
  const tag = (await its.client.get('/x')).headers.get('ETag') as string
  t.is((await its.client.put('/x', { headers: { 'If-Match': tag } })).status, 202)
})

test('patch() above background() gives the job what was patched', async t => {
  const its = jobsApp(t)
  its.app.patch('/x', patch({ load: () => ({ a: 1, b: 2 }) }), its.work.background(), ctx => ctx.patched as object)
  const made = await its.client.patch('/x', {
    body: '{"b":null}',
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  t.is(made.status, 202)
  t.deepEqual(await (await ended(its, made.headers.get('Location') as string)).json(), { a: 1 })
})

class Reports {
  readonly name = 'reports'

  make(ctx: Context<'/method/:id', JobAdds>) {
    return [this.name, ctx.params.id, ctx.job.attempt]
  }
}

test('background() stands in a stack, in a composition, above a method, on a group, and in a mounted app', async t => {
  const its = jobsApp(t)
  const { app, work } = its
  const run = (ctx: Context & JobAdds) => ctx.job.attempt
  app.post('/stack', stack(work.background(), json()), run)
  app.post('/composition', work.background()(json()(run)))
  app.group('/group', work.background()).post('/x', run)
  const module = blueprint('module', work.background())
  module.post('/blueprint', run)
  app.mount('', module)
  class Methods extends Reports {
    @post('/method/:id')
    @work.background()
    override make(ctx: Context<'/method/:id', JobAdds>) {
      return super.make(ctx)
    }
  }
  app.mount('', new Methods())
  for (const path of ['/stack', '/composition', '/group/x', '/blueprint'])
    t.is(await (await done(t, its, path)).json(), 1, path)
  t.deepEqual(await (await done(t, its, '/method/7')).json(), ['reports', '7', 1])
})

for (const name of [undefined, 'report']) {
  test(`background() stands in an app that is mounted twice, its jobs ${name ?? 'without a name'}`, async t => {
    const its = jobsApp(t)
    const { app, work, logger } = its
    const inner = kolba({ signals: false, logger })
    inner.use((ctx, next) => {
      ctx.set('X-Inner', '1')
      return next()
    })
    inner.post('/x/:id', work.background(name ? { name } : {}), json(), ctx => [
      ctx.params.id,
      ctx.path,
      ctx.route?.path,
    ])
    app.mount('/a', inner)
    app.mount('/b', inner)
    for (const prefix of ['/a', '/b']) {
      const made = await its.client.post(`${prefix}/x/7`)
      t.is(made.status, 202)
      t.is(made.headers.get('X-Inner'), '1')
      const place = made.headers.get('Location') as string
      t.true(place.startsWith('/jobs/'))
      t.deepEqual(await (await ended(its, place)).json(), ['7', `${prefix}/x/7`, `${prefix}/x/:id`])
    }
  })
}

test('HEAD of a route with background() begins nothing', async t => {
  const its = jobsApp(t)
  const kept = keptBy(its)
  its.app.get('/x', its.work.background(), () => 1)
  const response = await its.client.head('/x')
  t.is(response.status, 202)
  t.regex(response.headers.get('Vary') as string, /Prefer/)
  t.is(kept.length, 0)
  t.is((await its.client.get('/x')).status, 202)
  t.is(kept.length, 1)
})

test('input() of a query may stand below background(), and what it refuses is what comes of the job', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), input({ query: { n: int() } }), ctx => ctx.input.query)
  t.deepEqual(await (await done(t, its, '/x?n=7')).json(), { n: 7 })
  const refused = await done(t, its, '/x?n=x')
  t.is(refused.status, 422)
  t.deepEqual(Object.keys((await refused.json()) as object).includes('errors'), true)
})

test('background() refuses to stand inside of what chooses a handler', t => {
  const { app, work } = jobsApp(t)
  t.throws(
    () =>
      app.post(
        '/x',
        versions({ 1: () => 1, 2: work.background()(() => 2) as () => number }, { by: 'header' }) as never,
      ),
    {
      instanceOf: TypeError,
      message: 'POST /x: background() stands inside of what chooses a handler. Put it into the stack of a route.',
    },
  )
})

test('Koa middleware works in a job, and in the way of Koa a job may answer', async t => {
  const its = jobsApp(t)
  its.app.post(
    '/x',
    its.work.background(),
    middleware(async (ctx, next) => {
      await next()
      ctx.set('X-Time', '1')
    }),
    ctx => [ctx.ip, ctx.ips, ctx.get('Host'), ctx.is('json'), ctx.request.length ?? null],
  )
  its.app.post('/redirect', its.work.background(), ctx => ctx.redirect('/elsewhere'))
  its.app.post('/throw', its.work.background(), ctx => ctx.throw(404, 'Not here.'))
  const response = await done(t, its, '/x')
  t.is(response.headers.get('X-Time'), '1')
  t.deepEqual(await response.json(), ['', [], 'localhost', null, null])
  const redirected = await done(t, its, '/redirect')
  t.is(redirected.status, 303)
  t.is(redirected.headers.get('Location'), '/elsewhere')
  const thrown = await done(t, its, '/throw')
  t.is(thrown.status, 404)
  t.is(((await thrown.json()) as { detail: string }).detail, 'Not here.')
})

test('a stream that a job answers with in vain is let go, and its errors end nothing', async t => {
  const its = jobsApp(t)
  const streams: ReadStream[] = []
  const open = (path: string) => {
    const stream = createReadStream(path)
    streams.push(stream)
    return stream
  }
  const file = new URL(import.meta.url).pathname
  its.app.post('/returned', its.work.background(), () => open(file))
  its.app.post('/missing', its.work.background(), () => open('/missing'))
  its.app.post('/koa', its.work.background(), ctx => {
    ctx.body = open('/missing')
  })
  for (const path of ['/returned', '/missing', '/koa']) t.is((await done(t, its, path)).status, 500)
  await until(t, () => streams.every(({ destroyed }) => destroyed))
  t.is(streams.length, 3)
})

test('a job runs on the path of its request, whatever stands in it', async t => {
  const its = jobsApp(t)
  its.app.put('/files/:name', its.work.background(), ctx => ctx.params.name)
  for (const [path, name] of [
    ['/files/a%20b', 'a b'],
    ['/files/a%2Fb', 'a/b'],
    ['/files/%F0%9F%98%80', '😀'],
    ["/files/a'(b)*,;=:@&+$", "a'(b)*,;=:@&+$"],
    ['/files/a?b=/files/c', 'a'],
    ['/files/a%3Fb', 'a?b'],
    ['/files/a%23b', 'a#b'],
  ] as const) {
    const made = await its.client.put(path)
    t.is(made.status, 202, path)
    t.is(await (await ended(its, made.headers.get('Location') as string)).text(), name, path)
  }
})

test('a job whose stored text cannot be read is a failure, once', async t => {
  const its = jobsApp(t, { retry: false })
  const { add } = its.engine
  Object.assign(its.engine, { add: (job: object) => add({ ...job, request: '{"request":{}' } as never) })
  its.app.post('/x', its.work.background(), () => 1)
  const response = await done(t, its, '/x')
  t.is(response.status, 500)
  t.regex(its.logger.lines.find(({ level }) => level === 'error')?.message ?? '', /^jobs: POST \/x failed for good\.$/)
})

test('a job whose route is another one now is a failure that says so', async t => {
  const its = jobsApp(t)
  const { add } = its.engine
  its.app.post('/x/new', () => 'other')
  its.app.post('/x/:id', its.work.background(), () => 1)
  const moved = (job: { request: string }) => add({ ...job, request: job.request.replace('/x/7', '/x/new') } as never)
  Object.assign(its.engine, { add: moved })
  t.is((await done(t, its, '/x/7')).status, 500)
  t.is(
    its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message,
    'POST /x/:id: another route takes /x/new now.',
  )
})

test('the note of background() says 202 with its headers, and what may be sent', t => {
  const { app, work } = jobsApp(t)
  app.put('/x', work.background(), () => 1)
  const note = app.routes().find(({ path }) => path === '/x')?.notes[0]
  t.deepEqual(Object.keys(note?.responses ?? {}), ['202', '422', '503'])
  t.deepEqual(
    note?.parameters?.map(({ name }) => name),
    ['Prefer', 'Idempotency-Key'],
  )
})
