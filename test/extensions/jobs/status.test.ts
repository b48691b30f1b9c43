import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { type Context, created, keyOf, kolba, problem, redirect, reply, seeOther } from 'kolba'
import { cacheControl } from 'kolba/cache'
import { collection, resource } from 'kolba/collection'
import { type JobState, type JobsOptions, jobFields, jobs } from 'kolba/jobs'
import { json } from 'kolba/json'
import { retryAfter } from '../../../extensions/jobs/state.js'
import { later } from '../../support/clock.js'
import { begin, done, ended, jobsApp, signal, signedIn, stateOf, until } from '../../support/jobs.js'
import { listening } from '../../support/raw.js'

const PRIVATE = 'private, no-cache'

/** An app with one job, POST /x. */
function appOf(t: ExecutionContext, run: (ctx: Context) => unknown, options: JobsOptions = {}) {
  const its = jobsApp(t, options)
  its.app.post('/x', its.work.background(), ctx => run(ctx as never))
  return its
}

test('background() answers 202 with the place of the job, and its place says how far it is', async t => {
  const go = signal()
  const its = jobsApp(t)
  its.app.post('/reports/:id', its.work.background(), async ctx => {
    ctx.progress(3, 12, 'Reading')
    await go.promise
    return { id: ctx.params.id }
  })
  const made = await its.client.post('/reports/7')
  t.is(made.status, 202)
  const place = made.headers.get('Location') as string
  t.regex(place, /^\/jobs\/[\da-f]{8}-[\da-f-]{27}$/)
  t.regex(made.headers.get('Retry-After') as string, /^\d+$/)
  t.is(made.headers.get('Content-Type'), 'application/json; charset=utf-8')
  t.is(made.headers.get('Cache-Control'), PRIVATE)
  t.regex(made.headers.get('Vary') as string, /\bPrefer\b/)
  const first = (await made.json()) as JobState
  const { created, due, ...rest } = first
  t.deepEqual(rest, {
    id: place.slice(6),
    task: 'POST /reports/:id',
    state: 'queued',
    progress: null,
    attempts: 0,
    started: null,
    finished: null,
    _links: { self: { href: place }, cancel: { href: place, method: 'DELETE' } },
  })
  t.true(Math.abs(Date.parse(created) - Date.now()) < 20_000)
  t.true(Date.parse(due) >= Date.parse(created))

  await until(t, async () => (await stateOf(its.client.get(place))).progress !== null)
  const running = await its.client.get(place)
  t.is(running.status, 202)
  t.is(running.headers.get('Cache-Control'), PRIVATE)
  t.regex(running.headers.get('Retry-After') as string, /^[1-9]\d*$/)
  t.regex(running.headers.get('Vary') as string, /\bAccept\b.*\bPrefer\b/)
  const state = await stateOf(running)
  t.is(state.state, 'running')
  t.is(state.attempts, 1)
  t.deepEqual(state.progress, { done: 3, total: 12, message: 'Reading' })
  t.true(Date.parse(state.started as string) >= Date.parse(created))
  t.is(state.finished, null)
  go.resolve()
  const last = await ended(its, place)
  t.is(last.status, 200)
  t.deepEqual(await last.json(), { id: '7' })
})

test('the place of a job says its progress as a number, and answers 200 where status is 200', async t => {
  const go = signal()
  const its = appOf(
    t,
    async ctx => {
      const { progress } = ctx as unknown as { progress: (done: number) => void }
      progress(0.25)
      await go.promise
      return null
    },
    { status: 200 },
  )
  const place = await begin(t, its, '/x')
  await until(t, async () => (await stateOf(its.client.get(place))).progress === 0.25)
  t.is((await its.client.get(place)).status, 200)
  go.resolve()
  t.is((await ended(its, place)).status, 204)
})

test('ctx.progress() refuses what is no number from 0', async t => {
  const messages: unknown[] = []
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), ctx => {
    const say = ctx.progress as (...args: unknown[]) => void
    for (const args of [[], [-1], [Number.NaN], ['1'], [1, -1], [1, Number.POSITIVE_INFINITY], [1, 2, 3]])
      messages.push(t.throws(() => say(...args), { instanceOf: TypeError })?.message)
    return null
  })
  await done(t, its, '/x')
  t.deepEqual(messages, [
    'progress: undefined is no number from 0. Write ctx.progress(done, total).',
    'progress: -1 is no number from 0. Write ctx.progress(done, total).',
    'progress: NaN is no number from 0. Write ctx.progress(done, total).',
    'progress: "1" is no number from 0. Write ctx.progress(done, total).',
    'progress: -1 is no number from 0. Write ctx.progress(done, total).',
    'progress: Infinity is no number from 0. Write ctx.progress(done, total).',
    'progress: the message is 3. Give a string.',
  ])
})

const RESULTS: [title: string, run: (ctx: Context) => unknown, status: number, type: string | null, body: string][] = [
  ['an object', () => ({ a: 1, at: new Date(0) }), 200, 'application/json', '{"a":1,"at":"1970-01-01T00:00:00.000Z"}'],
  ['a list', () => [1, { $: 'date' }], 200, 'application/json', '[1,{"$":"date"}]'],
  ['a number', () => 7, 200, 'application/json', '7'],
  ['false', () => false, 200, 'application/json', 'false'],
  ['text', () => '<b>é', 200, 'text/plain', '<b>é'],
  ['nothing', () => null, 204, null, ''],
  ['nothing at all', () => undefined, 204, null, ''],
  [
    'an instance',
    () =>
      new (class Book {
        title = 'Emma'
      })(),
    200,
    'application/json',
    '{"title":"Emma"}',
  ],
  ['bytes', () => Buffer.from('abc'), 200, 'application/octet-stream', 'abc'],
  ['a reply', () => reply(203, { a: 1 }, { 'X-A': 'b' }), 203, 'application/json', '{"a":1}'],
  ['a reply of nothing', () => reply(205), 205, null, ''],
  ['a web Response', () => Response.json({ a: 1 }, { status: 203 }), 203, 'application/json', '{"a":1}'],
  ['a web Response of bytes', () => new Response(new Uint8Array([97])), 200, 'application/octet-stream', 'a'],
  ['ctx.body', ctx => void Object.assign(ctx, { status: 203, body: 'x' }), 203, 'text/plain', 'x'],
  ['a page', ctx => void Object.assign(ctx, { type: 'html', body: '<p>' }), 200, 'text/html', '<p>'],
  [
    'ctx.status beside a value',
    ctx => {
      ctx.status = 203
      return { a: 1 }
    },
    203,
    'application/json',
    '{"a":1}',
  ],
  // biome-ignore lint/suspicious/noThenProperty: it is a query builder
  ['a thenable', () => ({ then: (go: (it: unknown) => void) => go([1]) }), 200, 'application/json', '[1]'],
]

for (const [title, run, status, type, body] of RESULTS) {
  test(`the place of a job that has succeeded answers with its result: ${title}`, async t => {
    const its = appOf(t, run)
    const response = await done(t, its, '/x')
    t.is(response.status, status)
    t.is(response.headers.get('Content-Type')?.split(';')[0] ?? null, type)
    t.is(await response.text(), body)
    t.is(response.headers.get('Cache-Control'), PRIVATE)
  })
}

test('the place of a job that has succeeded answers with what json() below background() has made of it', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), json({ pretty: true }), () => ({ a: 1 }))
  const response = await done(t, its, '/x')
  t.is(await response.text(), '{\n  "a": 1\n}')
  t.is(response.headers.get('Content-Type'), 'application/json; charset=utf-8')
})

const TOO_MUCH = 'which cannot be stored. Write it where it can be fetched, and return its URL.'
const UNSTORED: [title: string, run: () => unknown, message: string][] = [
  ['a stream', () => new Blob(['a']).stream(), `POST /x: the result.body is a stream, ${TOO_MUCH}`],
  [
    'an async generator',
    async function* () {
      yield 1
    },
    `POST /x: the result.body is a stream, ${TOO_MUCH}`,
  ],
  ['a function', () => () => 1, `POST /x: the result.body is a function, ${TOO_MUCH}`],
  ['a big integer in an object', () => ({ a: 1n }), `POST /x: Do not know how to serialize a BigInt, ${TOO_MUCH}`],
]

for (const [title, run, message] of UNSTORED) {
  test(`background() refuses a result that cannot be stored, and does not run again for it: ${title}`, async t => {
    let runs = 0
    const its = appOf(t, () => {
      runs += 1
      return run()
    })
    const response = await done(t, its, '/x')
    t.is(response.status, 500)
    t.is(runs, 1)
    t.deepEqual(Object.keys((await response.json()) as object).sort(), [
      'instance',
      'requestId',
      'status',
      'title',
      'type',
    ])
    t.is(its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message, message)
  })
}

test('a result has no headers of a session, a connection, or another place', async t => {
  const its = appOf(t, ctx => {
    ctx.cookies.set('session', 'secret')
    ctx.set({ ETag: '"a"', 'X-Kept': '1', 'Last-Modified': new Date(0).toUTCString(), Expires: 'x' })
    return reply(
      200,
      { a: 1 },
      {
        'Set-Cookie': 'b=c',
        'Cache-Control': 'public, max-age=3600',
        'Preference-Applied': 'return=minimal',
        Connection: 'close',
        'X-Own': ['1', '2'],
      },
    )
  })
  const response = await done(t, its, '/x')
  t.is(response.status, 200)
  t.is(response.headers.get('Set-Cookie'), null)
  t.is(response.headers.get('Cache-Control'), PRIVATE)
  t.is(response.headers.get('Last-Modified'), null)
  t.is(response.headers.get('Expires'), null)
  t.not(response.headers.get('Preference-Applied'), 'return=minimal')
  t.regex(response.headers.get('ETag') as string, /^W\/"\d+"$/)
  t.is(response.headers.get('X-Kept'), '1')
  t.is(response.headers.get('X-Own'), '1, 2')
})

test('a result that must not be kept anywhere says so at its place too', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), cacheControl({ noStore: true }), () => ({ a: 1 }))
  t.is((await done(t, its, '/x')).headers.get('Cache-Control'), 'no-store')
})

test('a web Response that fetch() has decoded is kept without its coding', async t => {
  const server = http.createServer((_, res) => {
    res.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain', 'Set-Cookie': 'a=b' })
    res.end(gzipSync('hello'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  const its = appOf(t, () => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
  const response = await done(t, its, '/x')
  t.is(response.headers.get('Content-Encoding'), null)
  t.is(response.headers.get('Set-Cookie'), null)
  t.is(await response.text(), 'hello')
})

const PLACES: [title: string, run: () => unknown, location: string][] = [
  ['created()', () => created('/books/7', { id: 7 }), '/books/7'],
  ['redirect()', () => redirect('https://example.com/'), 'https://example.com/'],
  ['seeOther()', () => seeOther('/books/7'), '/books/7'],
  ['a header in any case', () => reply(200, null, { location: '/books/7' }), '/books/7'],
  ['a web Response', () => new Response('', { status: 201, headers: { location: '/books/7' } }), '/books/7'],
  ['a place that is relative to the request', () => created('7?a=b'), '/deep/7?a=b'],
]

for (const [title, run, location] of PLACES) {
  test(`the place of a job leads on to what it has made, with 303: ${title}`, async t => {
    const its = jobsApp(t)
    its.app.post('/deep/x', its.work.background(), run as () => object)
    const place = await begin(t, its, '/deep/x')
    const response = await ended(its, place)
    t.is(response.status, 303)
    t.is(response.headers.get('Location'), location)
    t.is(response.headers.get('Cache-Control'), PRIVATE)
    const state = await stateOf(response)
    t.is(state.state, 'succeeded')
    t.deepEqual(state._links, { self: { href: place }, result: { href: location } })
    t.true(Date.parse(state.finished as string) >= Date.parse(state.started as string))
  })
}

test('a task without a route has a place too, with what comes of it', async t => {
  const its = jobsApp(t, { retry: false })
  const task = its.work.task<{ kind: string }>('tidy', ({ kind }) => RESULTS_OF_TASKS[kind]?.())
  const owner = keyOf('id', 'ada')
  const read = async (kind: string) => {
    const id = await task.add({ kind }, { owner })
    t.is((await its.client.get(`/jobs/${id}`, { headers: EVE })).status, 404)
    const response = await ended(its, `/jobs/${id}`, ADA)
    t.is(response.headers.get('Set-Cookie'), null)
    return [response.status, await response.text()]
  }
  its.app.post('/x', its.work.background(), () => 1)
  t.deepEqual(await read('object'), [200, '{"a":1}'])
  t.deepEqual(await read('none'), [204, ''])
  t.deepEqual(await read('response'), [201, 'a'])
  t.deepEqual(await read('reply'), [203, 'a'])
  t.deepEqual(await read('refusal'), [404, 'no'])
  t.is((await read('error'))[0], 500)
  t.notRegex(`${(await read('error'))[1]}`, /secret/)
})

const RESULTS_OF_TASKS: Record<string, () => unknown> = {
  object: () => ({ a: 1 }),
  none: () => undefined,
  response: () => new Response('a', { status: 201, headers: { 'Set-Cookie': 'a=b' } }),
  reply: () => reply(203, 'a', { 'set-cookie': 'a=b' }),
  refusal: () => reply(404, 'no'),
  error: () => new Error('secret'),
}

test('a result with 202 says that it is there, and is not asked for again', async t => {
  const its = appOf(t, () => reply(202, { a: 1 }))
  const response = await done(t, its, '/x')
  t.is(response.status, 200)
  t.deepEqual(await response.json(), { a: 1 })
})

const WAITS: [title: string, job: object, seconds: string][] = [
  ['that waits', { state: 'queued', due: 4500 }, '5'],
  ['that is due', { state: 'queued', due: -4500 }, '1'],
  ['that waits long', { state: 'queued', due: 1e12 }, '60'],
  ['that runs', { state: 'running', started: -10_000 }, '1'],
  ['that has run for five minutes', { state: 'running', started: -300_000 }, '30'],
  ['that is half done', { state: 'running', started: -10_000, progress: 0.5 }, '10'],
  ['that is done by a third', { state: 'running', started: -10_000, progress: { done: 10, total: 30 } }, '20'],
  ['that has hardly begun', { state: 'running', started: -10_000, progress: 0.0001 }, '60'],
  ['that has done nothing', { state: 'running', started: -10_000, progress: 0 }, '1'],
  ['that has done all', { state: 'running', started: -10_000, progress: { done: 3, total: 3 } }, '1'],
  ['that has done more than all', { state: 'running', started: -10_000, progress: 7 }, '1'],
  ['of no total', { state: 'running', started: -10_000, progress: { done: 3, message: 'a' } }, '1'],
]

for (const [title, { due = 0, started = 0, progress, state }] of WAITS as [string, Record<string, never>, string][]) {
  test(`Retry-After of a job ${title}`, t => {
    const now = Date.now()
    const text = progress === undefined ? undefined : JSON.stringify(progress)
    const seconds = Number(retryAfter({ state, due: now + due, started: now + started, progress: text } as never))
    const expected = Number(WAITS.find(it => it[0] === title)?.[2])
    t.true(Math.abs(seconds - expected) <= 1, `${seconds}`)
  })
}

test('a job with replay answers with the 201 that it had', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background({ replay: true }), () => created('/books/7', { id: 7 }))
  const response = await done(t, its, '/x')
  t.is(response.status, 201)
  t.is(response.headers.get('Location'), '/books/7')
  t.deepEqual(await response.json(), { id: 7 })
})

class OutOfPaper extends Error {}

test('a job that has failed answers with a problem that tells nothing of the inside', async t => {
  const its = appOf(
    t,
    () => {
      throw Object.assign(new Error('secret of /etc/passwd'), { code: 'SECRET', headers: { 'X-Secret': '1' } })
    },
    { retry: false },
  )
  const place = await begin(t, its, '/x', { headers: { 'X-Request-Id': 'request-1' } })
  const response = await ended(its, place)
  t.is(response.status, 500)
  t.is(response.headers.get('Content-Type'), 'application/problem+json')
  t.is(response.headers.get('X-Secret'), null)
  t.is(response.headers.get('Cache-Control'), PRIVATE)
  t.is(response.headers.get('ETag'), null)
  t.deepEqual(await response.json(), {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    instance: place,
    requestId: 'request-1',
  })
  const errors = its.logger.lines.filter(({ level }) => level === 'error')
  t.deepEqual(
    errors.map(({ fields }) => [fields.err?.message, fields.requestId]),
    [['secret of /etc/passwd', 'request-1']],
  )
})

test('a job that was refused answers with the problem and its members, and there is nothing to log', async t => {
  let runs = 0
  const its = appOf(t, () => {
    runs += 1
    throw problem(409, { detail: 'It is on the shelf.', isbn: '1', headers: { 'Set-Cookie': 'a=b', 'X-A': 'b' } })
  })
  const place = await begin(t, its, '/x')
  const response = await ended(its, place)
  t.is(response.status, 409)
  const { requestId, ...body } = (await response.json()) as Record<string, unknown>
  t.is(typeof requestId, 'string')
  t.deepEqual(body, {
    type: 'about:blank',
    title: 'Conflict',
    status: 409,
    detail: 'It is on the shelf.',
    isbn: '1',
    instance: place,
  })
  t.is(response.headers.get('X-A'), 'b')
  t.is(response.headers.get('Set-Cookie'), null)
  t.is(runs, 1)
  t.deepEqual(
    its.logger.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('a job that failed for good does not ask to be fetched again', async t => {
  const its = appOf(t, () => Promise.reject(problem(503, { headers: { 'Retry-After': '5' } })), { retry: false })
  const response = await done(t, its, '/x')
  t.is(response.status, 503)
  t.is(response.headers.get('Retry-After'), null)
})

const RETURNED: [title: string, run: () => unknown, status: number, body: RegExp][] = [
  ['an error', () => new Error('secret'), 500, /^\{"type":"about:blank","title":"Internal Server Error","status":500,/],
  ['a problem', () => problem(409, { detail: 'No.' }), 409, /"detail":"No\."/],
  ['an error in a reply', () => reply(200, new Error('secret')), 500, /"title":"Internal Server Error"/],
  ['the status of an error', () => reply(422, { why: 'No.' }), 422, /^\{"why":"No\."\}$/],
  ['a web Response that is an error', () => Response.json({ why: 'No.' }, { status: 404 }), 404, /^\{"why":"No\."\}$/],
]

for (const [title, run, status, body] of RETURNED) {
  test(`a job has failed whose handler returns ${title}`, async t => {
    const its = appOf(t, run, { retry: false })
    const place = await begin(t, its, '/x')
    const response = await ended(its, place)
    t.is(response.status, status)
    const text = await response.text()
    t.regex(text, body)
    t.notRegex(text, /secret/)
    const { state } = (await its.engine.get(place.slice(6))) as { state: string }
    t.is(state, 'failed')
  })
}

test('a job whose handler returns a 5xx is begun again, and logged in the end', async t => {
  let runs = 0
  const its = appOf(t, () => {
    runs += 1
    return reply(502, 'no')
  })
  t.is((await done(t, its, '/x')).status, 502)
  t.is(runs, 3)
  const messages = its.logger.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.err?.message)
  t.deepEqual(messages, ['The handler gave the status 502.'])
})

test('app.onError() answers for what a job throws, with nothing of the answer that there was to be', async t => {
  const its = appOf(t, ctx => {
    ctx.set('Content-Disposition', 'attachment')
    ctx.type = 'text/csv'
    throw new OutOfPaper('secret')
  })
  its.app.onError(OutOfPaper, () => reply(409, { paper: 'none' }, { 'X-Paper': '0' }))
  const response = await done(t, its, '/x')
  t.is(response.status, 409)
  t.is(response.headers.get('X-Paper'), '0')
  t.is(response.headers.get('Content-Disposition'), null)
  t.is(response.headers.get('Content-Type'), 'application/json; charset=utf-8')
  t.deepEqual(await response.json(), { paper: 'none' })
})

for (const [title, answer, body] of [
  ['bytes', () => reply(409, Buffer.from('abc'), { 'Content-Type': 'image/png' }), 'abc'],
  ['a list', () => reply(409, [1]), '[1]'],
  ['nothing', () => reply(409), /^\{"type":"about:blank","title":"Conflict","status":409,/],
] as const) {
  test(`app.onError() may answer for a job with ${title}`, async t => {
    const its = appOf(t, () => Promise.reject(new OutOfPaper()))
    its.app.onError(OutOfPaper, answer)
    const response = await done(t, its, '/x')
    t.is(response.status, 409)
    const text = await response.text()
    typeof body === 'string' ? t.is(text, body) : t.regex(text, body)
  })
}

test('app.onError() that answers for a job with a stream is a failure all the same', async t => {
  const its = appOf(t, () => Promise.reject(new OutOfPaper()), { retry: false })
  its.app.onError(OutOfPaper, () => reply(409, new Blob(['a']).stream()))
  const response = await done(t, its, '/x')
  t.is(response.status, 500)
  t.regex(
    its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message ?? '',
    /the result\.body is a stream/,
  )
})

for (const path of [
  '/jobs/00000000-0000-4000-8000-000000000000',
  '/jobs/__proto__',
  '/jobs/constructor',
  '/jobs/%F0%9F%98%80',
  '/jobs/a:b',
  '/jobs/a%2Fb',
  '/jobs/%27%20or%201=1',
  `/jobs/${'a'.repeat(5000)}`,
]) {
  test(`the place of a job that there is not is 404: ${path.slice(0, 40)}`, async t => {
    const its = appOf(t, () => 1)
    for (const method of ['GET', 'DELETE', 'HEAD']) {
      const response = await its.client.fetch(path, { method })
      t.is(response.status, 404)
      t.is(response.headers.get('Cache-Control'), PRIVATE)
    }
    t.is(((await (await its.client.get(path)).json()) as { detail: string }).detail, 'There is no such job.')
  })
}

const ADA = { 'X-User': 'ada' }
const EVE = { 'X-User': 'eve' }

test('a job belongs to its user: for another one, and for nobody, there is none', async t => {
  const its = jobsApp(t)
  its.app.post('/x', signedIn, its.work.background(), () => 'secret')
  const place = await begin(t, its, '/x', { headers: ADA })
  t.is(await (await ended(its, place, ADA)).text(), 'secret')
  for (const headers of [EVE, {}]) {
    for (const [method, accept] of [
      ['GET', '*/*'],
      ['GET', 'text/event-stream'],
      ['HEAD', '*/*'],
      ['DELETE', '*/*'],
    ] as const) {
      const ask = (path: string) => its.client.fetch(path, { method, headers: { ...headers, Accept: accept } })
      const missing = await ask('/jobs/00000000-0000-4000-8000-000000000000')
      const response = await ask(place)
      t.is(response.status, 404)
      t.deepEqual([...response.headers.keys()].sort(), [...missing.headers.keys()].sort())
    }
  }
})

test('a job of nobody is for whoever has its place', async t => {
  const its = appOf(t, () => 'open')
  const place = await begin(t, its, '/x')
  t.is(await (await ended(its, place, EVE)).text(), 'open')
  t.deepEqual(await (await its.client.get('/jobs')).json(), { items: [] })
})

test('a job belongs to whom principal says', async t => {
  const its = jobsApp(t, { principal: ctx => ctx.get('X-Tenant') || undefined })
  its.app.post('/x', its.work.background(), () => 'secret')
  const place = await begin(t, its, '/x', { headers: { 'X-Tenant': 'a' } })
  t.is((await ended(its, place, { 'X-Tenant': 'a' })).status, 200)
  t.is((await ended(its, place, { 'X-Tenant': 'b' })).status, 404)
})

for (const principal of [() => '', () => 7 as never, () => null as never]) {
  test(`a principal that gives ${JSON.stringify(principal())} is an error, and no job for all`, async t => {
    const its = jobsApp(t, { principal })
    its.app.post('/x', its.work.background(), () => 1)
    t.is((await its.client.post('/x')).status, 500)
    t.is(
      its.logger.lines.find(({ level }) => level === 'error')?.fields.err?.message,
      'jobs: principal gave no string, or an empty one. Return who makes the request, or undefined.',
    )
  })
}

test('GET /jobs lists the newest jobs of the user alone', async t => {
  const its = jobsApp(t)
  its.app.post('/x', signedIn, its.work.background(), () => 'secret')
  const places: string[] = []
  for (const headers of [ADA, EVE, ADA, {}]) places.push(await begin(t, its, '/x', { headers }))
  const response = await its.client.get('/jobs', { headers: ADA })
  t.is(response.headers.get('Cache-Control'), PRIVATE)
  const { items } = (await response.json()) as { items: JobState[] }
  t.deepEqual(
    items.map(({ _links }) => _links.self?.href),
    [places[2], places[0]],
  )
  t.notRegex(JSON.stringify(items), /secret/)
})

test('GET /jobs filters, sorts and pages through collection()', async t => {
  const list = collection(resource({ fields: jobFields, sort: '-created' }), { perPage: 2 })
  const its = jobsApp(t, { list })
  const go = signal()
  its.app.post('/x', signedIn, its.work.background(), () => 1)
  its.app.post('/slow', signedIn, its.work.background(), () => go.promise)
  for (const path of ['/x', '/x', '/x']) await done(t, its, path, { headers: ADA })
  await begin(t, its, '/slow', { headers: ADA })
  await done(t, its, '/x', { headers: EVE })
  const read = async (query: string) => {
    const response = await its.client.get(`/jobs${query}`, { headers: ADA })
    t.is(response.headers.get('Cache-Control'), PRIVATE)
    return (await response.json()) as { items: JobState[]; meta: { total: number } }
  }
  t.deepEqual((await read('')).meta, { page: 1, per_page: 2, total: 4, pages: 2 } as never)
  const ended = await read('?state=succeeded&sort=created&page=2')
  t.is(ended.meta.total, 3)
  t.is(ended.items.length, 1)
  t.deepEqual(
    (await read('?task=POST%20/slow')).items.map(it => it.task),
    ['POST /slow'],
  )
  t.is((await its.client.get('/jobs?owner=eve', { headers: ADA })).status, 400)
  go.resolve()
})

test.serial('a job that has ended is 410 when it is not kept any more, and 404 when nothing is left of it', async t => {
  const its = jobsApp(t, { keep: 60 })
  its.app.post('/x', signedIn, its.work.background(), () => 1)
  const place = await begin(t, its, '/x', { headers: ADA })
  t.is((await ended(its, place, ADA)).status, 200)
  await later(61, async () => {
    await its.engine.sweep()
    const gone = await its.client.get(place, { headers: ADA })
    t.is(gone.status, 410)
    t.is(gone.headers.get('Cache-Control'), PRIVATE)
    const { detail } = (await gone.json()) as { detail: string }
    t.is(detail, 'This job has ended, and its result is not kept any more.')
    t.is((await its.client.delete(place, { headers: ADA })).status, 410)
    t.is((await its.client.get(place, { headers: EVE })).status, 404)
    t.is((await its.client.get(place, { headers: { ...ADA, Accept: 'text/event-stream' } })).status, 410)
    t.deepEqual(await (await its.client.get('/jobs', { headers: ADA })).json(), { items: [] })
  })
  await later(121, async () => {
    await its.engine.sweep()
    t.is((await its.client.get(place, { headers: ADA })).status, 404)
  })
})

test('asking for a job that is as it was costs a 304', async t => {
  const go = signal()
  const its = appOf(t, () => go.promise.then(() => ({ a: 1 })))
  const place = await begin(t, its, '/x')
  await until(t, async () => (await stateOf(its.client.get(place))).state === 'running')
  const first = await its.client.get(place)
  const tag = first.headers.get('ETag') as string
  t.regex(tag, /^W\/"\d+"$/)
  const ask = (value: string, method = 'GET') =>
    its.client.fetch(place, { method, headers: { 'If-None-Match': value } })
  for (const value of [tag, tag.slice(2), `"x", ${tag}`, '*', `"a,${tag.slice(3)}, ${tag}`]) {
    const response = await ask(value)
    t.is(response.status, 304, value)
    t.is(response.headers.get('ETag'), tag)
    t.is(response.headers.get('Cache-Control'), PRIVATE)
    t.regex(response.headers.get('Vary') as string, /Prefer/)
    t.is((await ask(value, 'HEAD')).status, 304)
  }
  for (const value of ['"x"', `W/"x"`, '"0"']) t.is((await ask(value)).status, 202, value)
  t.is((await its.client.get(place, { headers: { 'If-Match': '"x"' } })).status, 412)
  go.resolve()
  const last = await ended(its, place, { 'If-None-Match': tag })
  t.is(last.status, 200)
  t.not(last.headers.get('ETag'), tag)
  t.is((await ask(last.headers.get('ETag') as string)).status, 304)
})

test('HEAD asks for the state of a job without its text', async t => {
  const its = appOf(t, () => ({ a: 1 }))
  const place = await begin(t, its, '/x')
  await ended(its, place)
  const response = await its.client.head(place)
  t.is(response.status, 200)
  t.is(response.headers.get('Content-Length'), '7')
  t.is(await response.text(), '')
})

test('autoDelete deletes a result that was read, and not before', async t => {
  const its = appOf(t, () => ({ a: 1 }), { autoDelete: true })
  const place = await begin(t, its, '/x')
  await until(t, async () => (await its.client.head(place)).status === 200)
  const tag = (await its.client.head(place)).headers.get('ETag') as string
  // It has nothing of the result in it.
  t.is((await its.client.get(place, { headers: { 'If-None-Match': tag } })).status, 304)
  t.is((await its.client.get(place, { headers: { 'If-Match': '"x"' } })).status, 412)
  const read = await its.client.get(place)
  t.is(read.status, 200)
  t.deepEqual(await read.json(), { a: 1 })
  t.is((await its.client.get(place)).status, 410)
})

test('autoDelete keeps the state of a job that has not ended, and of one that was cancelled', async t => {
  const its = appOf(t, () => new Promise(() => {}), { autoDelete: true })
  const place = await begin(t, its, '/x')
  t.is((await its.client.get(place)).status, 202)
  t.is((await its.client.get(place)).status, 202)
  t.is((await its.client.delete(place)).status, 204)
  t.is((await its.client.get(place)).status, 200)
  t.is((await its.client.get(place)).status, 200)
})

test('autoDelete keeps a result that did not arrive', async t => {
  const large = 'x'.repeat(30_000_000)
  const its = appOf(t, () => large, { autoDelete: true })
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  await until(t, async () => (await its.client.head(place)).status === 200)
  const socket = net.connect(port, '127.0.0.1')
  socket.write(`GET ${place} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await once(socket, 'data')
  socket.destroy()
  await until(t, async () => (await its.client.head(place)).status === 200)
  t.is((await (await its.client.get(place)).text()).length, large.length)
  t.is((await its.client.get(place)).status, 410)
})

test('a huge result comes as it was', async t => {
  const list = Array.from({ length: 200_000 }, (_, index) => ({ index, text: '😀"\\' }))
  const its = appOf(t, () => list)
  t.deepEqual(((await (await done(t, its, '/x')).json()) as unknown[]).length, list.length)
})

test('a request to the list and to a place says 503 where the engine fails, and tells nothing', async t => {
  const its = appOf(t, () => 1)
  its.app.post('/y', signedIn, its.work.background(), () => 1)
  const place = await begin(t, its, '/x')
  await ended(its, place)
  const fail = () => {
    throw new Error('secret')
  }
  Object.assign(its.engine, {
    get: async () => fail(),
    list: fail,
    cancel: async () => fail(),
    add: async () => fail(),
  })
  for (const [method, path] of [
    ['GET', place],
    ['DELETE', place],
    ['GET', '/jobs'],
    ['POST', '/x'],
  ] as const) {
    const response = await its.client.fetch(path, { method, headers: ADA })
    t.is(response.status, 503, `${method} ${path}`)
    t.is(response.headers.get('Retry-After'), '5')
    t.notRegex(await response.text(), /secret/)
  }
})

test('the places of jobs are under the prefix that they are mounted at, in a mounted app too', async t => {
  const inner = kolba({ logger: jobsApp(t).logger })
  const work = jobs()
  inner.mount('/tasks', work.routes)
  inner.post('/x', work.background(), ctx => ctx.url)
  const outer = kolba({ signals: false, logger: inner.logger })
  outer.mount('/api', inner)
  t.teardown(() => outer.close())
  const client = outer.client()
  const made = await client.post('/api/x')
  t.is(made.status, 202)
  t.regex(made.headers.get('Location') as string, /^\/api\/tasks\/[\da-f-]{36}$/)
})
