import { createHook } from 'node:async_hooks'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type Context, decorator, problem, reply } from 'kolba'
import { clientAddress } from 'kolba/client-address'
import { idempotent } from 'kolba/idempotency'
import { input } from 'kolba/input'
import { type BackgroundOptions, type Engine, type JobsOptions, JobTooLate, memory, sqlite } from 'kolba/jobs'
import { text } from 'kolba/schema'
import { backoff } from '../../../extensions/jobs/attempt.js'
import { termsOf } from '../../../extensions/jobs/options.js'
import { begin, done, ended, jobsApp, jobsFile, signal, signedIn, stateOf, until } from '../../support/jobs.js'

/** An app with one job, POST /x, and how often it was begun. */
function counting(
  t: ExecutionContext,
  run: (count: number) => unknown,
  options: JobsOptions = {},
  own: BackgroundOptions = {},
) {
  const its = jobsApp(t, options)
  let count = 0
  its.app.post('/x', its.work.background(own), () => {
    count += 1
    return run(count)
  })
  const jobOf = async (place: string) =>
    (await its.engine.get(place.slice(6))) as NonNullable<Awaited<ReturnType<Engine['get']>>>
  return { ...its, runs: () => count, jobOf }
}

const BACKOFFS: [failures: number, options: object, longest: number][] = [
  [1, {}, 1000],
  [2, {}, 2000],
  [3, {}, 4000],
  [9, {}, 256_000],
  [10, {}, 300_000],
  [5000, {}, 300_000],
  [1, { delay: 0.5 }, 500],
  [4, { delay: 10, maxDelay: 30 }, 30_000],
  [1, { delay: 10, maxDelay: 5 }, 5000],
]

for (const [failures, retry, longest] of BACKOFFS) {
  test(`backoff() after ${failures} failures with ${JSON.stringify(retry)} is from half of ${longest} ms to all`, t => {
    const waits = Array.from({ length: 500 }, () => backoff(termsOf({}, { retry }), failures))
    t.true(Math.min(...waits) >= longest / 2)
    t.true(Math.max(...waits) <= longest)
    // They are spread: what failed together does not come together.
    t.true(Math.max(...waits) - Math.min(...waits) > longest / 3)
  })
}

test('a job that fails is begun again, three times in all', async t => {
  const its = counting(t, () => Promise.reject(new Error('again')))
  const place = await begin(t, its, '/x')
  t.is((await ended(its, place)).status, 500)
  t.is(its.runs(), 3)
  t.like(await its.jobOf(place), { attempts: 3, state: 'failed' })
  const levels = its.logger.lines.filter(({ fields }) => fields.err).map(({ level, message }) => `${level} ${message}`)
  t.is(levels.length, 3)
  t.regex(levels[0] as string, /^warn jobs: POST \/x failed, and is done again in 0\.0 s\.$/)
  t.is(levels[2], 'error again')
})

test('a job that succeeds in the end has succeeded', async t => {
  const its = counting(t, count => (count < 3 ? Promise.reject(new Error('again')) : { count }))
  t.deepEqual(await (await done(t, its, '/x')).json(), { count: 3 })
  t.deepEqual(
    its.logger.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

const ONCE: [title: string, thrown: () => unknown, options: JobsOptions][] = [
  ['with retry: false', () => new Error('no'), { retry: false }],
  ['with one attempt', () => new Error('no'), { retry: { attempts: 1 } }],
  ['for an error with retry: false', () => Object.assign(new Error('no'), { retry: false }), {}],
  ['for 400', () => problem(400), {}],
  ['for 409', () => problem(409), {}],
  ['for 404 of another library', () => Object.assign(new Error('no'), { status: 404 }), {}],
]

for (const [title, thrown, options] of ONCE) {
  test(`a job is begun once ${title}`, async t => {
    const its = counting(t, () => Promise.reject(thrown()), options)
    t.true((await done(t, its, '/x')).status >= 400)
    t.is(its.runs(), 1)
  })
}

for (const status of [408, 425, 429, 500, 503]) {
  test(`a job is begun again for ${status}`, async t => {
    const its = counting(t, () => Promise.reject(problem(status)))
    t.is((await done(t, its, '/x')).status, status)
    t.is(its.runs(), 3)
  })
}

for (const thrown of [undefined, null, 'text', { retry: false }, Symbol('a')]) {
  test(`a job may throw ${String(thrown)}`, async t => {
    const its = counting(t, () => Promise.reject(thrown), { retry: false })
    t.is((await done(t, its, '/x')).status, 500)
    t.is(its.runs(), 1)
  })
}

test('background() says more of retries than jobs() does', async t => {
  const its = counting(
    t,
    () => Promise.reject(new Error('no')),
    { retry: false },
    { retry: { attempts: 2, delay: 0.01 } },
  )
  await done(t, its, '/x')
  t.is(its.runs(), 2)
})

test('a job that takes longer than its timeout has failed, and sees its signal abort', async t => {
  const its = jobsApp(t, { timeout: 0.05, retry: { attempts: 2, delay: 0.01 } })
  const reasons: unknown[] = []
  its.app.post('/x', its.work.background(), ctx => {
    ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason))
    return new Promise(() => {})
  })
  t.is((await done(t, its, '/x')).status, 500)
  t.is(reasons.length, 2)
  t.true(reasons.every(it => it instanceof JobTooLate && it.message === 'It took longer than 0.05 s.'))
})

test('a handler that goes on after its time was over changes nothing any more', async t => {
  const [first, over] = [signal(), signal()]
  const its = jobsApp(t, { timeout: 0.05, retry: { attempts: 2, delay: 0.01 } })
  its.app.post('/x', its.work.background(), async ctx => {
    if (ctx.job.attempt > 1) return 'second'
    await first.promise
    ctx.progress(0.99, 1, 'from the grave')
    over.resolve()
    return 'first'
  })
  const place = await begin(t, its, '/x')
  t.is(await (await ended(its, place)).text(), 'second')
  const before = await its.engine.get(place.slice(6))
  first.resolve()
  await over.promise
  await new Promise(resolve => setTimeout(resolve, 150))
  t.deepEqual(await its.engine.get(place.slice(6)), before)
})

const LATER: [title: string, own: () => BackgroundOptions][] = [
  ['delay', () => ({ delay: 0.15 })],
  ['a delay of the request', () => ({ delay: ctx => Number(ctx.get('X-Delay')) / 1000 })],
  ['runAt', () => ({ runAt: new Date(Date.now() + 150) })],
  ['a runAt of the request', () => ({ runAt: ctx => new Date(Date.now() + Number(ctx.get('X-Delay'))) })],
]

for (const [title, own] of LATER) {
  test(`a job with ${title} waits for its time`, async t => {
    const its = counting(t, () => Date.now(), {}, own())
    const start = Date.now()
    const made = await its.client.post('/x', { headers: { 'X-Delay': '150' } })
    const place = made.headers.get('Location') as string
    const { due, state } = await stateOf(made)
    t.is(state, 'queued')
    t.true(Date.parse(due) >= start + 100)
    t.true(Number(await (await ended(its, place)).json()) >= Date.parse(due))
  })
}

test('a job that begins in an hour is asked for in a minute', async t => {
  const its = counting(t, () => 1, {}, { delay: 3600 })
  const place = await begin(t, its, '/x')
  t.is((await its.client.get(place)).headers.get('Retry-After'), '60')
})

test('a job with a time that is past begins at once', async t => {
  const its = counting(t, () => 'done', {}, { runAt: new Date(0) })
  t.is(await (await done(t, its, '/x')).text(), 'done')
})

const GIVEN: [own: BackgroundOptions, message: string][] = [
  [
    { delay: () => -1 },
    'POST /x: background: the option delay is -1. Give a number of seconds from 0, a hundred years at most.',
  ],
  [
    { delay: () => '5' as never },
    'POST /x: background: the option delay is "5". Give a number of seconds from 0, a hundred years at most.',
  ],
  [{ runAt: () => new Date(Number.NaN) }, 'POST /x: background: the option runAt is an object. Give a Date.'],
  [{ priority: () => 1.5 }, 'POST /x: background: the option priority is 1.5. Give a whole number from -1000 to 1000.'],
  [{ key: () => 7 as never }, 'POST /x: background: key gave no string. Give a string, or undefined for none.'],
]

for (const [own, message] of GIVEN) {
  test(`background() refuses what a function gives: ${message}`, async t => {
    const its = counting(t, () => 1, {}, own)
    t.is((await its.client.post('/x')).status, 500)
    t.is(its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message, message)
    t.is(its.runs(), 0)
  })
}

test('jobs of a higher priority begin first, those of the same in their order', async t => {
  const its = jobsApp(t, { concurrency: 1 })
  const order: string[] = []
  const go = signal()
  its.app.post(
    '/x/:name/:priority',
    its.work.background({ priority: ctx => Number(ctx.params.priority) }),
    async ctx => {
      order.push(ctx.params.name)
      await go.promise
      return null
    },
  )
  const first = await begin(t, its, '/x/first/0')
  await until(t, () => order.length === 1)
  const places: string[] = [first]
  for (const path of ['/x/a/0', '/x/b/5', '/x/c/-5', '/x/d/5', '/x/e/1000']) places.push(await begin(t, its, path))
  go.resolve()
  for (const place of places) await ended(its, place)
  t.deepEqual(order, ['first', 'e', 'b', 'd', 'a', 'c'])
})

for (const concurrency of [1, 3]) {
  test(`no more than ${concurrency} jobs of a route run at a time, and so many do`, async t => {
    const its = jobsApp(t, { concurrency: 99 })
    let [running, most] = [0, 0]
    its.app.post('/x', its.work.background({ concurrency }), async ctx => {
      running += 1
      most = Math.max(most, running)
      await new Promise(resolve => setTimeout(resolve, 5))
      running -= 1
      if (ctx.job.attempt === 1) throw new Error('again')
      return null
    })
    const places = await Promise.all(Array.from({ length: 20 }, () => begin(t, its, '/x')))
    for (const place of places) t.is((await ended(its, place)).status, 204)
    t.is(most, concurrency)
  })
}

test('more jobs than limit are 503 with Retry-After, until there is room', async t => {
  const go = signal()
  const its = jobsApp(t, { limit: 2, concurrency: 1 })
  its.app.post('/x', its.work.background(), () => go.promise.then(() => null))
  const places = [await begin(t, its, '/x')]
  await until(t, async () => (await stateOf(its.client.get(places[0] as string))).state === 'running')
  places.push(await begin(t, its, '/x'), await begin(t, its, '/x'))
  const refused = await its.client.post('/x')
  t.is(refused.status, 503)
  t.is(refused.headers.get('Retry-After'), '10')
  t.regex(refused.headers.get('Vary') as string, /Prefer/)
  t.notRegex(await refused.text(), /waiting/)
  go.resolve()
  for (const place of places) await ended(its, place)
  t.is((await its.client.post('/x')).status, 202)
})

const ADA = { 'X-User': 'ada' }

test('requests with the same key get the same job while it is not done, each user his own', async t => {
  const go = signal()
  const its = jobsApp(t)
  let runs = 0
  its.app.post('/x/:id', signedIn, its.work.background({ key: ctx => ctx.params.id }), () => {
    runs += 1
    return go.promise.then(() => null)
  })
  const first = await begin(t, its, '/x/1', { headers: ADA })
  t.is(await begin(t, its, '/x/1', { headers: ADA }), first)
  t.is(await begin(t, its, '/x/1?a=other', { headers: ADA }), first)
  t.not(await begin(t, its, '/x/2', { headers: ADA }), first)
  t.not(await begin(t, its, '/x/1', { headers: { 'X-User': 'eve' } }), first)
  t.not(await begin(t, its, '/x/1'), first)
  go.resolve()
  await ended(its, first, ADA)
  t.not(await begin(t, its, '/x/1', { headers: ADA }), first)
  await until(t, () => runs === 5)
})

test('requests whose key is undefined are all their own', async t => {
  const its = counting(t, () => new Promise(() => {}), {}, { key: () => undefined })
  t.not(await begin(t, its, '/x'), await begin(t, its, '/x'))
})

/** An app whose POST /x reads a name. */
function named(t: ExecutionContext, own: BackgroundOptions<never> = {}) {
  const its = jobsApp(t)
  let runs = 0
  its.app.post('/x', signedIn, input({ body: { name: text() } }), its.work.background(own as object), ctx => {
    runs += 1
    return reply(200, { name: ctx.input.body.name })
  })
  const send = (key: string, name = 'a', headers: object = ADA, path = '/x') =>
    its.client.post(path, { json: { name }, headers: { 'Idempotency-Key': key, ...headers } })
  const placeOf = async (response: Promise<Response>) => (await response).headers.get('Location') as string
  return { ...its, send, placeOf, runs: () => runs }
}

test('a request with the Idempotency-Key of another gets its job, also when that has ended', async t => {
  const its = named(t)
  const place = await its.placeOf(its.send('"k"'))
  t.is(await its.placeOf(its.send('"k"')), place)
  t.is((await ended(its, place, ADA)).status, 200)
  const again = await its.send('"k"')
  t.is(again.status, 202)
  t.is(again.headers.get('Location'), place)
  t.is((await stateOf(again)).state, 'succeeded')
  t.is(its.runs(), 1)
  const waited = await its.client.post('/x', {
    json: { name: 'a' },
    headers: { 'Idempotency-Key': '"k"', Prefer: 'wait=5', ...ADA },
  })
  t.deepEqual(await waited.json(), { name: 'a' })
})

test('a job may wait for years, and be kept for as long', async t => {
  const years = 10 * 365 * 86_400
  const its = counting(t, () => 'done', {}, { delay: years, keep: years })
  const place = await begin(t, its, '/x')
  const { state, created, due } = await stateOf(its.client.get(place))
  t.is(state, 'queued')
  t.true(Date.parse(due) - Date.parse(created) > (years - 60) * 1000)
  t.is((await its.client.get(place)).headers.get('Retry-After'), '60')
})

test('a request with an Idempotency-Key that comes again from another address gets its job', async t => {
  const its = jobsApp(t, {}, { proxy: ['127.0.0.1', '::1'] })
  its.app.post('/x', clientAddress(), its.work.background(), ctx => ctx.clientAddress)
  const places = ['192.0.2.1', '192.0.2.2'].map(async address => {
    const headers = { 'Idempotency-Key': '"k"', 'X-Forwarded-For': address }
    return (await its.client.post('/x', { headers })).headers.get('Location')
  })
  const [first, second] = await Promise.all(places)
  t.is(second, first)
  t.truthy(first)
})

test('an Idempotency-Key used for something else is 422', async t => {
  const its = named(t)
  await its.send('"k"')
  for (const response of [await its.send('"k"', 'b'), await its.send('"k"', 'a', ADA, '/x?y=1')]) {
    t.is(response.status, 422)
    t.is(
      ((await response.json()) as { detail: string }).detail,
      'This Idempotency-Key was used for another request. Send a new key with this one.',
    )
  }
})

for (const key of ['k', '""', '"a", "b"', `"${'a'.repeat(256)}"`, '"']) {
  test(`an Idempotency-Key that is malformed is 400: ${key.slice(0, 20)}`, async t => {
    const its = named(t)
    t.is((await its.send(key)).status, 400)
    t.is(its.runs(), 0)
  })
}

test('an Idempotency-Key is of one user', async t => {
  const its = named(t)
  const place = await its.placeOf(its.send('"k"'))
  const others = [
    await its.placeOf(its.send('"k"', 'b', { 'X-User': 'eve' })),
    await its.placeOf(its.send('"k"', 'c', {})),
  ]
  t.is(new Set([place, ...others]).size, 3)
})

/** An app where nothing sets ctx.user, and one of Koa's that signs in, or none. */
function koaSigned(t: ExecutionContext, own: { principal?: (ctx: Context) => string | undefined } = {}) {
  const its = jobsApp(t, own as object)
  its.app.use((ctx, next) => {
    if (ctx.get('X-User')) ctx.state.user = { id: ctx.get('X-User') }
    return next()
  })
  const apiKey = decorator('apiKey', (_ctx, next) => next(), {
    note: { security: { key: { scheme: { type: 'apiKey', in: 'header', name: 'X-Key' } } } },
  })
  const run = (ctx: Context) => ctx.get('X-User')
  its.app.post('/sent', apiKey, its.work.background({ delay: 60 }), run)
  its.app.post('/key', apiKey, its.work.background({ delay: 60, key: () => 'same' }), run)
  return its
}

const callers: [string, Record<string, string>, Record<string, string>][] = [
  ['of ctx.state.user', { 'X-User': 'ada' }, { 'X-User': 'eve' }],
  ['of who has the same Authorization', { Authorization: 'Bearer a' }, { Authorization: 'Bearer b' }],
  ['of who has the same Cookie', { Cookie: 'id=a' }, { Cookie: 'id=b' }],
  ['of who has the same API key', { 'X-Key': 'a' }, { 'X-Key': 'b' }],
]

for (const [whose, one, other] of callers) {
  test(`an Idempotency-Key, and a key, is ${whose} where nothing sets ctx.user`, async t => {
    const its = koaSigned(t)
    const sent = { 'Idempotency-Key': '"1"' }
    for (const [path, headers] of [
      ['/sent', sent],
      ['/key', {}],
    ] as const) {
      const place = await begin(t, its, path, { headers: { ...headers, ...one } })
      t.is(await begin(t, its, path, { headers: { ...headers, ...one } }), place)
      t.not(await begin(t, its, path, { headers: { ...headers, ...other } }), place)
      t.not(await begin(t, its, path, { headers }), place)
    }
  })
}

test('an Idempotency-Key stays of whom principal says when credentials were renewed', async t => {
  const its = koaSigned(t, { principal: ctx => ctx.get('X-Tenant') || undefined })
  const place = (tenant: string, token: string) =>
    begin(t, its, '/sent', { headers: { 'Idempotency-Key': '"1"', 'X-Tenant': tenant, Authorization: token } })
  const first = await place('a', 'Bearer 1')
  t.is(await place('a', 'Bearer 2'), first)
  t.not(await place('b', 'Bearer 1'), first)
  t.not(await place('', 'Bearer 1'), await place('', 'Bearer 2'))
})

test('no engine is given the credentials that a key belongs to', async t => {
  const engine = memory()
  const texts: string[] = []
  const { add } = engine
  engine.add = job => {
    texts.push(JSON.stringify(job))
    return add(job)
  }
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => 1)
  await begin(t, its, '/x', { headers: { 'Idempotency-Key': '"1"', Authorization: 'Basic s3cret' } })
  t.is(texts.length, 1)
  t.notRegex(texts.join(), /s3cret/)
})

test('an Idempotency-Key stays of the same request when its token was renewed', async t => {
  const its = jobsApp(t)
  let time = 0
  const auth = { user: undefined as unknown }
  its.app.use((ctx, next) => {
    time += 1
    auth.user = { sub: 'ada', iat: time }
    Object.assign(ctx, auth)
    return next()
  })
  its.app.post('/x', its.work.background(), () => 1)
  const init = { headers: { 'Idempotency-Key': '"k"' } }
  t.is(await begin(t, its, '/x', init), await begin(t, its, '/x', init))
})

test('an Idempotency-Key and a key: what has another key is something else', async t => {
  const key = (ctx: { input: { body: { name: string } } }) => ctx.input.body.name
  const its = named(t, { key: key as never, delay: 60 })
  const place = await its.placeOf(its.send('"k"', 'a'))
  t.is(await its.placeOf(its.send('"other"', 'a')), place)
  t.is(await its.placeOf(its.send('"k"', 'a')), place)
  t.is((await its.send('"k"', 'b')).status, 422)
})

test('idempotent() above background() gives the same answer again, and has its own way to read keys', async t => {
  const its = jobsApp(t)
  let runs = 0
  its.app.post('/x', idempotent({ lenient: true }), its.work.background(), () => {
    runs += 1
    return null
  })
  const init = { headers: { 'Idempotency-Key': 'without-quotes' } }
  const first = await its.client.post('/x', init)
  const second = await its.client.post('/x', init)
  t.is(first.status, 202)
  t.is(second.status, 202)
  t.is(second.headers.get('Idempotency-Replayed'), 'true')
  t.is(second.headers.get('Location'), first.headers.get('Location'))
  await ended(its, first.headers.get('Location') as string)
  t.is(runs, 1)
})

test('an engine that fails when a job is added is 503, and works when it is back', async t => {
  const engine = memory()
  const { add } = engine
  let isAway = true
  engine.add = job => (isAway ? Promise.reject(new Error('away')) : add(job))
  const its = counting(t, () => 'done', { engine })
  const refused = await its.client.post('/x')
  t.is(refused.status, 503)
  t.is(refused.headers.get('Retry-After'), '5')
  const error = its.logger.lines.find(({ level }) => level === 'error')?.fields.err
  t.is((error?.cause as Error | undefined)?.message, 'away')
  isAway = false
  t.is(await (await done(t, its, '/x')).text(), 'done')
})

test('an engine that does not open keeps the app from starting', async t => {
  const engine = memory()
  let opened = 0
  engine.open = async () => {
    opened += 1
    if (opened === 1) throw new Error('not yet')
  }
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => 1)
  const error = await t.throwsAsync(its.app.start())
  t.is(error?.message, 'not yet')
  t.is(opened, 1)
})

/** An engine that fails at times, before it has done what it is asked for, or after that. */
function flaky(file: string, seed: number): { engine: Engine; finished: Map<string, number>; heal: () => void } {
  const inner = sqlite(file)
  const finished = new Map<string, number>()
  let state = seed
  let isIll = true
  const random = () => {
    // Good enough to be different each time, and the same for a seed.
    state = (state + 0x6d2b79f5) | 0
    let it = Math.imul(state ^ (state >>> 15), 1 | state)
    it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it
    return ((it ^ (it >>> 14)) >>> 0) / 2 ** 32
  }
  const ill = async <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    const luck = isIll ? random() : 1
    if (luck < 0.08) throw new Error(`${name} failed before`)
    const value = await ask()
    if (luck < 0.16) throw new Error(`${name} failed after`)
    return value
  }
  const names = ['add', 'get', 'claim', 'due', 'renew', 'progress', 'finish', 'retry', 'release'] as const
  const asks = names.map(name => [name, (...args: never[]) => ill(name, () => askInner(name, args))])
  async function askInner(name: (typeof names)[number], args: never[]): Promise<unknown> {
    const value = await (inner[name] as (...args: never[]) => Promise<unknown>)(...args)
    const [claim] = args as unknown as [{ job: { id: string } }]
    if (name === 'finish' && value) finished.set(claim.job.id, (finished.get(claim.job.id) ?? 0) + 1)
    return value
  }
  const heal = () => {
    isIll = false
  }
  return { engine: { ...inner, ...Object.fromEntries(asks) }, finished, heal }
}

test('every job that was acknowledged ends once, whatever fails of the engine', async t => {
  const property = fc.asyncProperty(fc.integer(), async seed => {
    const { engine, finished, heal } = flaky(jobsFile(t), seed)
    const its = jobsApp(t, { engine, lease: 0.6, concurrency: 4, retry: { attempts: 4, delay: 0.01 } })
    const effects = new Map<string, number>()
    its.app.post('/x', its.work.background(), async ctx => {
      ctx.progress(0.5)
      await new Promise(setImmediate)
      effects.set(ctx.job.id, (effects.get(ctx.job.id) ?? 0) + 1)
      if (ctx.job.attempt === 1 && ctx.job.id < '3') throw new Error('again')
      return 'done'
    })
    const answers = await Promise.all(Array.from({ length: 40 }, () => its.client.post('/x')))
    if (answers.some(({ status }) => status !== 202 && status !== 503)) throw new Error('It is neither 202 nor 503.')
    const places = answers.flatMap(({ status, headers }) => (status === 202 ? [headers.get('Location') as string] : []))
    await new Promise(resolve => setTimeout(resolve, 300))
    heal()
    for (const place of places) {
      const text = await (await ended(its, place)).text()
      const id = place.slice(6)
      if (text === 'done' && !effects.has(id)) throw new Error('It has succeeded without its effect.')
      if (finished.get(id) !== 1) throw new Error(`It has ended ${finished.get(id)} times.`)
    }
    await its.app.close()
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 4, interruptAfterTimeLimit: 40_000 }))
})

test.serial('a thousand jobs leave no timer behind', async t => {
  const timers = new Set<number>()
  const hook = createHook({
    init: (id, type) => type === 'Timeout' && timers.add(id),
    destroy: id => timers.delete(id),
  })
  const its = counting(t, count => (count % 10 === 0 ? Promise.reject(problem(409)) : count))
  await done(t, its, '/x')
  hook.enable()
  t.teardown(() => hook.disable())
  for (let round = 0; round < 10; round += 1) {
    const places = await Promise.all(Array.from({ length: 100 }, () => begin(t, its, '/x')))
    await Promise.all(places.map(place => ended(its, place)))
  }
  t.is(its.runs(), 1001)
  // That of the runner, and those of connections.
  await until(t, () => timers.size < 20, `${timers.size} timers are left`)
})
