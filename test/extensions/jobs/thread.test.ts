import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { threadId } from 'node:worker_threads'
import together, { type ExecutionContext } from 'ava'
import { type AnyDecorator, type Context, decorator, type Handler, kolba, type Next, Reply } from 'kolba'
import { type BackgroundOptions, type JobsOptions, jobs, memory } from 'kolba/jobs'
import { json } from 'kolba/json'
import { prefer } from 'kolba/prefer'
import heavy from '../../support/jobs/heavy.js'
import { begin, ended, inState, until } from '../../support/jobs/watch.js'
import { MemoryLogger } from '../../support/memory-logger.js'
import { root } from '../../support/root.js'

// One after the other: most of them want all processors.
const test = together.serial
const run = promisify(execFile)
const thread = new URL('../../support/jobs/heavy.ts', import.meta.url)

const given = (input: object = {}) => decorator('given', (_ctx, next: Next<{ input: object }>) => next({ input }))

interface Setup extends BackgroundOptions {
  jobs?: JobsOptions
  above?: AnyDecorator[]
  below?: AnyDecorator[]
  handler?: Handler
  /** Seconds for a handler in its request. */
  patience?: number
}

/** An app with one route, whose handler runs in a thread. */
function open(t: ExecutionContext, setup: Setup = {}) {
  const { jobs: its, above = [given()], below = [], handler = heavy, patience = 30, ...own } = setup
  const logger = new MemoryLogger()
  const work = jobs({ retry: false, ...its })
  const app = kolba({ logger, timeouts: { drain: 0.1, handler: patience } })
  const add = app.post as unknown as (path: string, ...stack: unknown[]) => void
  add('/do/:what', ...above, work.background({ thread, ...own }), ...below, handler)
  app.mount('/jobs', work.routes)
  t.teardown(() => app.close())
  return { app, work, client: app.client(), logger }
}

/** The answer that a job comes to. */
async function answerTo(t: ExecutionContext, what: string, setup?: Setup) {
  const { client, logger } = open(t, setup)
  const response = await ended(client, await begin(client, `/do/${what}`))
  return { response, logger }
}

/** The jobs that compute in a thread right now say so; this hears them. */
function listen(t: ExecutionContext) {
  const heard: string[] = []
  const channel = new BroadcastChannel('kolba-beats')
  channel.onmessage = event => void heard.push((event as MessageEvent<string>).data)
  t.teardown(() => channel.close())
  const computes = (id: string) => until(() => heard.includes(id) || undefined, `A beat of ${id}`)
  return {
    computes,
    /** Resolves when it computes no more: nothing is heard for a quarter of a second. */
    async stops(id: string) {
      await until(async () => {
        heard.length = 0
        await new Promise(resolve => setTimeout(resolve, 250))
        return !heard.includes(id) || undefined
      }, `The end of ${id}`)
    },
  }
}

const idOf = (location: string) => location.split('/').at(-1) as string

test('background({ thread }) runs the handler in another thread', async t => {
  const { response } = await answerTo(t, 'where', { below: [json()] })
  const where = (await response.json()) as number
  t.true(where > 0)
  t.not(where, threadId)
})

test('background({ thread }) gives the handler params, job, signal, and the fields as they were stored', async t => {
  const kept = decorator('kept', async (_ctx, next: Next) => {
    seen.push(await next())
    return null
  })
  const seen: unknown[] = []
  const input = Object.assign(Object.create(null), {
    n: 1,
    big: 5n,
    when: new Date(86_400_000),
    bytes: Buffer.from('ab'),
    map: new Map([['a', new Set([1])]]),
    nan: Number.NaN,
  })
  const above = [prefer(), decorator('given', (_ctx, next: Next<object>) => next({ input, user: { id: 'ada' } }))]
  const { client } = open(t, { above, below: [kept], jobs: { principal: () => undefined } })
  const location = await begin(client, '/do/given')
  t.is((await ended(client, location)).status, 204)
  t.deepEqual(seen, [
    {
      input,
      user: { id: 'ada' },
      params: Object.assign(Object.create(null), { what: 'given' }),
      job: { id: idOf(location), attempt: 1 },
      aborted: false,
      kinds: { n: 'Number', big: 'BigInt', when: 'Date', bytes: 'Buffer', map: 'Map', nan: 'Number' },
    },
  ])
})

test('background({ thread, fields }) gives the thread what is named', async t => {
  const db = decorator('db', (_ctx, next: Next<{ db: object }>) => next({ db: { query() {} } }))
  const refused = await answerTo(t, 'echo', { above: [given({ a: 1 })], below: [db] })
  t.is(refused.response.status, 500)
  t.is(
    refused.logger.lines.at(-1)?.fields.err?.message,
    "POST /do/:what: ctx.db.query is a function, which no thread is given. Name what it is given: background({ thread, fields: ['input'] }).",
  )
  const { response } = await answerTo(t, 'echo', { above: [given({ a: 1 })], below: [db], fields: ['input'] })
  t.deepEqual(await response.json(), { a: 1 })
})

const results: [what: string, status: number, body: string, headers?: Record<string, string>][] = [
  ['nothing', 204, ''],
  ['null', 204, ''],
  ['later', 200, 'later'],
  ['reply', 203, '{"made":true}', { 'x-heavy': 'yes', link: '</a>, </b>' }],
  ['created', 201, '{"id":7}', { location: '/things/7' }],
]

for (const [what, status, body, headers = {}] of results) {
  test(`background({ thread }) answers with what the handler gives: ${what}`, async t => {
    const seen: unknown[] = []
    const below = [
      decorator('seen', async (_ctx, next: Next) => {
        const value = await next()
        seen.push(value instanceof Reply ? value.status : value)
        return value
      }),
    ]
    const { client } = open(t, { below, replay: true })
    const location = await begin(client, `/do/${what}`)
    const response = await until(async () => {
      const response = await client.get(location)
      return response.headers.has('Retry-After') ? undefined : response
    })
    t.is(response.status, status)
    t.is(await response.text(), body)
    for (const [name, value] of Object.entries(headers)) t.is(response.headers.get(name), value)
    t.is(seen.length, 1, 'What stands below background() runs around it, where the app is.')
  })
}

test('background({ thread }) answers with bytes', async t => {
  const { response } = await answerTo(t, 'bytes')
  t.deepEqual([...new Uint8Array(await response.arrayBuffer())], [1, 2, 255])
})

const NOT_PLAIN = 'which does not leave its thread. Return plain data, or reply(status, data).'
for (const [what, found] of [
  ['function', 'the result.list[0].run is a function'],
  ['instance', 'the result is an instance of Money'],
  ['response', 'the result is an instance of Response'],
  ['circle', `the result${'.again'.repeat(201)} is deeper than 200 levels, or leads back to itself`],
]) {
  test(`background({ thread }) fails for good where the handler gives no plain data: ${what}`, async t => {
    const { response, logger } = await answerTo(t, what as string, { jobs: { retry: { attempts: 3, delay: 0.01 } } })
    t.is(response.status, 500)
    const lines = logger.lines.filter(({ fields }) => fields.err)
    t.deepEqual(
      lines.map(({ fields }) => String(fields.err)),
      [`TypeError: POST /do/:what: ${found}, ${NOT_PLAIN}`],
    )
  })
}

test('background({ thread }) keeps of an error its name, message, stack, status, cause and what it says of itself', async t => {
  class Other extends Error {}
  const caught: unknown[] = []
  const below = [
    decorator('caught', async (_ctx, next: Next) => {
      try {
        return await next()
      } catch (error) {
        caught.push(error)
        throw new Other('as it is', { cause: error })
      }
    }),
  ]
  await answerTo(t, 'broken', { below })
  const [error] = caught as [RangeError & { code: string; status: number; cause: Error }]
  t.true(error instanceof RangeError)
  t.is(String(error), 'Broken: It broke.')
  t.regex(error.stack as string, /It broke\.\n.*heavy\.js/)
  t.deepEqual(Object.entries(error), [
    ['code', 'E_BROKEN'],
    ['status', 502],
  ])
  t.true(error.cause instanceof TypeError)
  t.is(String(error.cause), 'TypeError: There is the cause.')
  t.is(error.cause.cause, undefined)
})

const thrown: [what: string, status: number, body: object, runs: number, said?: string][] = [
  ['broken', 502, { title: 'Bad Gateway' }, 3, 'Broken: It broke.'],
  ['problem', 409, { title: 'Conflict', detail: 'It is there.', isbn: '1' }, 1],
  ['returned', 410, { title: 'Gone', detail: 'It is gone.' }, 1],
  ['final', 500, { title: 'Internal Server Error' }, 1, 'Error: Never again.'],
  [
    'text',
    500,
    { title: 'Internal Server Error' },
    3,
    "TypeError: 'text' was thrown. Throw an Error, or problem(status).",
  ],
  ['thing', 500, { title: 'Internal Server Error' }, 1],
  [
    'money',
    500,
    { title: 'Internal Server Error' },
    3,
    'TypeError: Money { amount: 7 } was thrown. Throw an Error, or problem(status).',
  ],
  [
    'wrong',
    500,
    { title: 'Internal Server Error' },
    3,
    'TypeError: progress: -1 is no number from 0. Write ctx.progress(done, total).',
  ],
  ['exit', 500, { title: 'Internal Server Error' }, 3, 'Error: worker exited with code: 3'],
  ['uncaught', 500, { title: 'Internal Server Error' }, 3, 'Error: Nobody waits for this.'],
]

for (const [what, status, body, runs, said] of thrown) {
  test(`background({ thread }) fails as the handler does: ${what}`, async t => {
    const { response, logger } = await answerTo(t, what, { jobs: { retry: { attempts: 3, delay: 0.01 } } })
    t.is(response.status, status)
    t.is(response.headers.get('Content-Type'), 'application/problem+json')
    t.like(await response.json(), body)
    if (what === 'problem') t.is(response.headers.get('X-Why'), 'there')
    const errors = logger.lines.flatMap(({ fields }) => (fields.err ? [String(fields.err)] : []))
    // What is meant for the client is no trouble of the server, and in no log.
    t.is(errors.length, status < 500 ? 0 : runs)
    if (said) t.deepEqual(new Set(errors), new Set([said]))
  })
}

test('DELETE ends the thread of a job that computes for ever', async t => {
  const { client } = open(t)
  const { computes, stops } = listen(t)
  const location = await begin(client, '/do/forever')
  await computes(idOf(location))
  t.is((await client.delete(location)).status, 204)
  await stops(idOf(location))
  t.like(await inState(client, location, 'cancelled'), { attempts: 1 })
  t.is(await (await ended(client, await begin(client, '/do/later'))).text(), 'later')
})

test('a job that computes for longer than its timeout has failed, its thread is ended, and it is done again', async t => {
  const { client, logger } = open(t, { timeout: 2, jobs: { retry: { attempts: 9, delay: 0.01 } } })
  const { computes, stops } = listen(t)
  // Now a thread is there, whose start would be a part of the time.
  await ended(client, await begin(client, '/do/later'))
  const location = await begin(client, '/do/once')
  await computes(idOf(location))
  t.regex(await (await ended(client, location)).text(), /^attempt [2-9]$/)
  await stops(idOf(location))
  const errors = logger.lines.flatMap(({ fields }) => (fields.err ? [String(fields.err)] : []))
  t.deepEqual(new Set(errors), new Set(['JobTooLate: It took longer than 2 s.']))
})

test('a job that computes when the app closes is handed back, and its thread is ended', async t => {
  const engine = memory()
  const { app, client } = open(t, { jobs: { engine } })
  const { computes, stops } = listen(t)
  const location = await begin(client, '/do/once')
  await computes(idOf(location))
  await app.close()
  await stops(idOf(location))
  t.like(await engine.get(idOf(location)), { state: 'queued', failures: 0, attempts: 1 })
  const other = open(t, { jobs: { engine } })
  t.is(await (await ended(other.client, location)).text(), 'attempt 2')
})

test('a job that computes keeps nobody waiting', async t => {
  const { app, client } = open(t)
  const { computes } = listen(t)
  app.get('/quick', () => 'quick')
  const location = await begin(client, '/do/forever')
  await computes(idOf(location))
  for (let count = 0; count < 5; count++) t.is(await (await client.get('/quick')).text(), 'quick')
  await inState(client, location, 'running')
  t.is((await client.delete(location)).status, 204)
})

test('jobs wait for a thread, and have one when another job is cancelled', async t => {
  const threads = availableParallelism()
  const { app, work, client } = open(t)
  const { computes } = listen(t)
  app.post('/other/:what', given(), work.background({ thread }), heavy as never)
  const first = await Promise.all(Array.from({ length: threads + 1 }, () => begin(client, '/do/forever')))
  await Promise.all(first.slice(0, threads).map(location => computes(idOf(location))))
  // No more than there are threads are taken up: the others are another process's as well.
  await inState(client, first.at(-1) as string, 'queued')
  const other = await begin(client, '/other/later')
  const dropped = await begin(client, '/other/later')
  await inState(client, other, 'running')
  await client.delete(dropped)
  for (const location of first) t.is((await client.delete(location)).status, 204)
  t.is(await (await ended(client, other)).text(), 'later')
})

test('progress() in a thread is stored, the last in the end, however often it is told', async t => {
  const { client } = open(t)
  const location = await begin(client, '/do/report')
  t.is(await (await ended(client, location)).text(), 'reported')
  const events = await client.get(location, { headers: { Accept: 'text/event-stream' } })
  const [, id, data] = /id: (\d+)\ndata: (.*)/.exec(await events.text()) as unknown as [string, string, string]
  t.deepEqual(JSON.parse(data).progress, { done: 20_000, total: 20_000, message: 'row 20000' })
  t.true(Number(id) < 100, `It was stored ${id} times.`)
})

test('progress() in a thread is seen while the handler is at work', async t => {
  const { client } = open(t)
  const location = await begin(client, '/do/half')
  await until(async () => {
    const { progress } = (await (await client.get(location)).json()) as { progress: { done: number } | null }
    return progress?.done === 1 || undefined
  })
  t.is((await ended(client, location)).status, 204)
})

test("background({ thread, when: 'preferred' }) runs in a thread where the client waits for it", async t => {
  const above = [given({ a: 1 })]
  const { client } = open(t, { when: 'preferred', above, below: [json()] })
  const where = await client.post('/do/where')
  t.is(where.status, 200)
  t.not(await where.json(), threadId)
  t.is(where.headers.get('Vary'), 'Prefer')
  t.deepEqual(await (await client.post('/do/echo')).json(), { a: 1 })
  t.like(await (await client.post('/do/problem')).json(), { status: 409, isbn: '1' })
  const asked = await client.post('/do/later', { headers: { Prefer: 'respond-async' } })
  t.is(asked.status, 202)
  t.is(await (await ended(client, asked.headers.get('Location') as string)).json(), 'later')
})

test("background({ thread, when: 'preferred' }) ends the thread when the handler has taken too long", async t => {
  const name = 'a request that computes'
  const { client } = open(t, { when: 'preferred', patience: 3, above: [given({ name })] })
  const { computes, stops } = listen(t)
  const asked = await client.post('/do/later', { headers: { Prefer: 'respond-async' } })
  await ended(client, asked.headers.get('Location') as string)
  const [response] = await Promise.all([client.post('/do/called'), computes(name)])
  t.is(response.status, 503)
  await stops(name)
})

const other = (ctx: Context) => heavy(ctx as never)
for (const [what, setup, message] of [
  [
    'whose default export is another function',
    { handler: other },
    /^POST \/do\/:what: thread is file:.*heavy\.ts, whose default export is not the handler of this route\. Import it, and give it: import heavy from '\.\/heavy\.ts'\.$/,
  ],
  [
    'that is not there',
    { thread: new URL('./nowhere.ts', import.meta.url) },
    /^POST \/do\/:what: thread is file:.*nowhere\.ts, where no file is\. Write thread: new URL\('\.\/heavy\.ts', import\.meta\.url\), with the path that it is imported from\.$/,
  ],
  [
    'that throws',
    { thread: new URL('data:text/javascript,throw new Error("No.")') },
    /^POST \/do\/:what: thread is data:.*, which could not be loaded\. See the cause\.$/,
  ],
] as const) {
  test(`background({ thread }) with a module ${what} does not start`, async t => {
    const { app } = open(t, setup as Setup)
    await t.throwsAsync(app.start(), { instanceOf: TypeError, message })
  })
}

test('background({ thread }) refuses what is no URL', t => {
  const message =
    /^background: the option thread is "\.\/heavy\.ts"\. Give a URL, new URL\("\.\/heavy\.ts", import\.meta\.url\)\.$/
  t.throws(() => jobs().background({ thread: './heavy.ts' as never }), { instanceOf: TypeError, message })
})

test('background({ thread }) without piscina says how to install it, when the route is registered', async t => {
  const code = `
    import Module from 'node:module'
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (name, ...rest) {
      if (name === 'piscina') throw new Error('not found')
      return resolve.call(this, name, ...rest)
    }
    const { kolba } = await import('kolba')
    const { jobs } = await import('kolba/jobs')
    const app = kolba()
    const decorator = jobs().background({ thread: new URL('file:///heavy.js') })
    try { app.post('/do', decorator, () => 1) } catch (error) { console.log(String(error)) }`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: root })
  t.is(stdout.trim(), 'TypeError: POST /do: thread needs piscina. Run npm install piscina.')
})

/** A program with a route that runs in a thread, in a folder that finds the package. */
function program(t: ExecutionContext, extension: 'js' | 'ts') {
  const folder = mkdtempSync(join(root, 'build/thread-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const typed = extension === 'ts' ? ': { params: { n: string } }' : ''
  writeFileSync(
    join(folder, `heavy.${extension}`),
    `import { isMainThread } from 'node:worker_threads'
    export default function heavy({ params }${typed}) {
      return { square: params.n ** 2, isMainThread }
    }`.replace('params.n', 'Number(params.n)'),
  )
  writeFileSync(
    join(folder, `app.${extension}`),
    `import { kolba } from 'kolba'
    import { jobs } from 'kolba/jobs'
    import heavy from './heavy.${extension}'
    const app = kolba({ logger: { info() {}, warn() {}, error: console.error } })
    const work = jobs()
    app.post('/squares/:n', work.background({ thread: new URL('./heavy.ts', import.meta.url) }), heavy)
    app.mount('/jobs', work.routes)
    const client = app.client()
    const made = await client.post('/squares/12')
    const done = await client.get(made.headers.get('Location'), { headers: { Prefer: 'wait=20' } })
    console.log(done.status, await done.text())`,
  )
  return join(folder, `app.${extension}`)
}

test('background({ thread }) finds the module that was compiled, and its threads keep no process going', async t => {
  const { stdout, stderr } = await run(process.execPath, [program(t, 'js')])
  t.is(stderr, '')
  t.is(stdout, '200 {"square":144,"isMainThread":false}\n')
})

const strips = 'typescript' in process.features && process.features.typescript
if (strips) {
  test('background({ thread }) runs a module in TypeScript where Node does', async t => {
    const { stdout } = await run(process.execPath, ['--no-warnings', program(t, 'ts')])
    t.is(stdout, '200 {"square":144,"isMainThread":false}\n')
  })
} else {
  test.skip(`background({ thread }) runs a module in TypeScript where Node does (skipped: Node ${process.versions.node} does not)`, t =>
    t.pass())
}

test('jobs whose threads cannot be started fail, and say why', async t => {
  const folder = mkdtempSync(join(root, 'build/thread-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = program(t, 'js')
  const preload = join(folder, 'preload.mjs')
  writeFileSync(
    preload,
    `import { isMainThread } from 'node:worker_threads'
    if (!isMainThread) throw new Error('Not in a thread.')`,
  )
  const { stdout, stderr } = await run(process.execPath, ['--import', pathToFileURL(preload).href, file])
  t.regex(stdout, /^500 /)
  t.regex(stderr, /a thread that had no job failed, or could not be started/)
  t.regex(stderr, /Not in a thread\./)
})
