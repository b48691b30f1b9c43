import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { type Context, get, type Kolba, kolba, Problem, problem, reply } from 'kolba'
import { cached } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { exempt, type OverloadOptions, overload } from 'kolba/overload'
import { MemoryLogger } from '../support/memory-logger.ts'
import { type Answer, Line, listening } from '../support/raw.ts'

// All of them keep the one event loop busy, so they take turns. None depends on how fast the machine is: what is compared
// are counts, and the waits are made by handlers that keep the processor busy for longer than is allowed.

/** Keeps the processor busy. */
function compute(milliseconds: number): string {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
  return 'done'
}

function quiet(): { app: Kolba; logger: MemoryLogger } {
  const logger = new MemoryLogger()
  return { app: kolba({ logger, signals: false }), logger }
}

/** Asks for paths on connections of their own, all in the same moment, so that one turn of the loop hears them. */
async function askAtOnce(t: ExecutionContext, app: Kolba, paths: readonly string[]): Promise<Answer[]> {
  const { port, server } = await listening(t, app)
  let heard = 0
  server.on('connection', () => {
    heard += 1
  })
  const lines = paths.map(() => new Line(port))
  while (heard < paths.length) await sleep(1)
  for (const [index, line] of lines.entries())
    line.write(`GET ${paths[index]} HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-${index}\r\n\r\n`)
  const answers = await Promise.all(lines.map(line => line.next()))
  for (const { socket } of lines) socket.destroy()
  return answers
}

const times = (count: number, path: string) => Array.from({ length: count }, () => path)
const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status)

test.serial('overload() refuses what has waited too long in its turn, with a problem and Retry-After', async t => {
  const { app, logger } = quiet()
  app.get('/', overload({ delay: 0.05, retryAfter: 3 }), () => compute(60))
  const answers = await askAtOnce(t, app, times(12, '/'))
  const refused = answers.flatMap((answer, index) => (answer.status === 503 ? [{ ...answer, index }] : []))
  t.true(refused.length >= 8 && refused.length < 12, `${refused.length} of 12 were refused.`)
  for (const { headers, body, index } of refused) {
    t.is(headers['content-type'], 'application/problem+json')
    t.is(headers['x-request-id'], `id-${index}`)
    t.regex(headers['retry-after'] ?? '', /^[3456]$/)
    const document = { type: 'about:blank', title: 'Service Unavailable', status: 503, requestId: `id-${index}` }
    t.deepEqual(JSON.parse(body), document)
  }
  await app.close()
  const [begin, end, ...more] = logger.lines
  t.deepEqual(more, [])
  t.like(begin, { level: 'warn', message: 'overload: requests are refused' })
  t.deepEqual(Object.keys(begin?.fields ?? {}), ['path', 'reason', 'waited', 'underWay', 'heap'])
  t.like(begin?.fields, { path: '/', reason: 'delay', underWay: 0 })
  t.true(Number(begin?.fields.waited) >= 50)
  t.like(end, { level: 'info', message: 'overload: it is over' })
  t.is(end?.fields.refused, refused.length)
})

test.serial('overload() takes all that come at once where none waits too long', async t => {
  const { app, logger } = quiet()
  app.use(overload({ delay: 60 }))
  app.get('/', () => compute(3))
  const answers = await askAtOnce(t, app, times(40, '/'))
  t.deepEqual(statusesOf(answers), Array(40).fill(200))
  await app.close()
  t.deepEqual(logger.lines, [])
})

const ENOUGH = 80
type Before = (app: Kolba) => Promise<unknown>

/**
 * So many clients that each ask again when they are answered, so that the loop has no pause, until so many were taken. A
 * machine that is busy with other things gets there too.
 */
async function crowd(t: ExecutionContext, options: OverloadOptions, handler: () => unknown, before?: Before) {
  const { app, logger } = quiet()
  app.use(overload({ delay: 60, ...options }))
  app.get('/', handler)
  await before?.(app)
  const { port } = await listening(t, app)
  const counts = { 200: 0, 503: 0 } as Record<200 | 503, number>
  const end = performance.now() + 10_000
  const lines = Array.from({ length: 30 }, () => new Line(port))
  const ask = async (line: Line) => {
    while (counts[200] < ENOUGH && performance.now() < end) {
      line.text = ''
      const { status } = await line.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n').next()
      counts[status as 200] += 1
    }
    line.socket.destroy()
  }
  await Promise.all(lines.map(ask))
  return { app, logger, counts }
}

test.serial(
  'overload() refuses where more comes than can be done, takes all again after it, and logs both once',
  async t => {
    const { app, logger, counts } = await crowd(t, {}, () => compute(4))
    t.true(counts[200] >= ENOUGH && counts[503] > 0, JSON.stringify(counts))
    // It is over after half a second in which nothing came, or came to little: within a second, whatever happens here.
    await sleep(1500)
    t.deepEqual(statusesOf(await askAtOnce(t, app, times(12, '/'))), Array(12).fill(200))
    await app.close()
    t.deepEqual(
      logger.lines.map(({ level, fields: { reason, refused } }) => [level, reason, refused]),
      [
        ['warn', 'delay', undefined],
        ['info', undefined, counts[503]],
      ],
    )
  },
)

test.serial(
  'overload() lets no more in than keep the turns short, of handlers that wait before they compute',
  async t => {
    const { app, counts } = await crowd(t, {}, async () => {
      await sleep(1)
      return compute(4)
    })
    t.true((counts[503] ?? 0) > (counts[200] ?? 0), JSON.stringify(counts))
    t.true((counts[200] ?? 0) > 20, JSON.stringify(counts))
    await app.close()
  },
)

test.serial(
  'overload() takes what computes while others, of which there are more than it would let in, wait',
  async t => {
    const { waiting, handler, until } = gate()
    let polls: Promise<Response>[] = []
    const { app, counts } = await crowd(
      t,
      {},
      () => compute(4),
      app => {
        app.get('/poll', handler)
        polls = times(50, '/poll').map(path => app.client().get(path))
        return until(50)
      },
    )
    t.true((counts[200] ?? 0) > 20, JSON.stringify(counts))
    for (const { resolve } of waiting) resolve('news')
    for (const { status } of await Promise.all(polls)) t.is(status, 200)
    await app.close()
  },
)

test.serial('overload({ utilisation: 1 }) asks for no pause', async t => {
  const { app, logger, counts } = await crowd(t, { utilisation: 1 }, () => compute(4))
  t.true(counts[200] >= ENOUGH && counts[503] === 0, JSON.stringify(counts))
  await app.close()
  t.deepEqual(logger.lines, [])
})

/** A handler whose requests end when they are told to. */
function gate() {
  const waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  const handler = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  return {
    waiting,
    handler,
    until: async (count: number) => {
      while (waiting.length < count) await sleep(1)
    },
  }
}

test.serial(
  'overload({ limit }) lets so many be under way, of all routes it stands on, and counts failures as ended',
  async t => {
    const { app, logger } = quiet()
    const limited = overload({ limit: 2 })
    const { waiting, handler, until } = gate()
    app.get('/a', limited, handler)
    app.get('/b', limited, handler)
    app.get('/free', () => 'free')
    const client = app.client()
    const first = client.get('/a')
    const second = client.get('/b')
    await until(2)
    t.is((await client.get('/a')).status, 503)
    t.is((await client.get('/b')).status, 503)
    t.is((await client.get('/free')).status, 200)
    waiting[0]?.resolve('a')
    t.is(await (await first).text(), 'a')
    const third = client.get('/a')
    await until(3)
    t.is((await client.get('/a')).status, 503)
    waiting[1]?.reject(problem(409))
    t.is((await second).status, 409)
    const fourth = client.get('/b')
    await until(4)
    waiting[2]?.resolve('c')
    waiting[3]?.resolve('d')
    t.deepEqual([await (await third).text(), await (await fourth).text()], ['c', 'd'])
    await app.close()
    t.like(logger.lines[0]?.fields, { path: '/a', reason: 'limit', limit: 2, underWay: 2 })
    t.like(logger.lines[1]?.fields, { path: '/a', refused: 3 })
    t.is(logger.lines.length, 2)
  },
)

for (const place of ['of all routes', 'of one'])
  test.serial(`overload({ limit }) ${place} counts a handler that goes on behind its 503`, async t => {
    const app = kolba({ logger: new MemoryLogger(), signals: false, timeouts: { handler: 0.05 } })
    const limited = overload({ limit: 2 })
    if (place === 'of all routes') app.use(limited)
    const { waiting, handler, until } = gate()
    if (place === 'of one') app.get('/', limited, handler)
    else app.get('/', handler)
    const { port } = await listening(t, app)
    const ask = async () => (await new Line(port).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n').next()).status
    t.deepEqual(await Promise.all([ask(), ask()]), [503, 503])
    t.deepEqual(await Promise.all([ask(), ask()]), [503, 503])
    t.is(waiting.length, 2)
    waiting[0]?.resolve('late')
    waiting[1]?.reject(new Error('late'))
    await sleep(1)
    const third = ask()
    await until(3)
    waiting[2]?.resolve('in time')
    t.is(await third, 200)
  })

test.serial('overload() waits once for what runs each time that it is waited for', async t => {
  const { app } = quiet()
  let runs = 0
  const query = {
    // biome-ignore lint/suspicious/noThenProperty: a query of Knex is one that runs when it is waited for
    then(resolve: (rows: string) => void) {
      runs += 1
      resolve(`run ${runs}`)
    },
  }
  app.get('/', overload(), () => query as unknown as PromiseLike<string>)
  t.is(await (await app.client().get('/')).text(), 'run 1')
  t.is(runs, 1)
  await app.close()
})

/** A limit that is used up by one request, which goes on until `end` is called. */
async function full(app: Kolba) {
  const { waiting, handler, until } = gate()
  app.get('/slow', handler)
  const client = app.client()
  const slow = client.get('/slow')
  await until(1)
  return {
    client,
    status: async (path: string, method: 'get' | 'head' | 'post' = 'get') => (await client[method](path)).status,
    async end() {
      waiting[0]?.resolve('slow')
      await slow
      await app.close()
    },
  }
}

test.serial('exempt() exempts a route from app.use(overload()), HEAD too, and no other', async t => {
  const { app } = quiet()
  app.use(overload({ limit: 1 }))
  app.get('/health', exempt(), () => 'ok')
  app.get('/health/:part', () => 'ok')
  const { status, end } = await full(app)
  t.deepEqual([await status('/health'), await status('/health', 'head')], [200, 200])
  t.deepEqual([await status('/health/db'), await status('/missing'), await status('/health', 'post')], [503, 503, 503])
  await end()
})

test.serial('exempt() exempts a route from that of a group, of a mounted app, and of its own stack', async t => {
  const { app } = quiet()
  const limited = overload({ limit: 1 })
  const group = app.group('/group', limited)
  group.get('/health', exempt(), () => 'ok')
  group.get('/other', () => 'ok')
  app.get('/below', exempt(), limited, () => 'ok')
  app.get('/above', limited, exempt(), () => 'ok')
  const inner = kolba()
  inner.use(limited)
  inner.get('/health', exempt(), () => 'ok')
  inner.get('/other', () => 'ok')
  app.mount('/inner', inner)
  const { waiting, handler, until } = gate()
  app.get('/wait', limited, handler)
  const client = app.client()
  const status = async (path: string) => (await client.get(path)).status
  const wait = client.get('/wait')
  await until(1)
  for (const path of ['/group/health', '/below', '/above', '/inner/health']) t.is(await status(path), 200, path)
  for (const path of ['/group/other', '/inner/other', '/wait']) t.is(await status(path), 503, path)
  waiting[0]?.resolve('over')
  t.is((await wait).status, 200)
  await app.close()
})

test.serial('overload({ skip }) takes what it is true of, and a promise is not true', async t => {
  const { app } = quiet()
  app.use(overload({ limit: 1, skip: ctx => ctx.get('X-Priority') === 'high' }))
  app.get('/', () => 'ok')
  const { client, status, end } = await full(app)
  t.is((await client.get('/', { headers: { 'X-Priority': 'high' } })).status, 200)
  t.is(await status('/'), 503)
  await end()

  const another = quiet().app
  another.use(overload({ limit: 1, skip: (async () => true) as never }))
  another.get('/', () => 'ok')
  const its = await full(another)
  t.is(await its.status('/'), 503)
  await its.end()
})

test.serial('@overload() stands on a method', async t => {
  const { waiting, handler, until } = gate()
  class Reports {
    @get('/')
    @overload({ limit: 1 })
    @json()
    show(_ctx: Context<'/'>) {
      return handler()
    }
  }
  const { app } = quiet()
  app.mount('/reports', new Reports())
  const first = app.client().get('/reports')
  await until(1)
  t.is((await app.client().get('/reports')).status, 503)
  waiting[0]?.resolve([1])
  t.deepEqual(await (await first).json(), [1])
  await app.close()
})

test.serial('overload() has app.onError answer as for other problems, and app.after change it', async t => {
  const { app, logger } = quiet()
  app.use(overload({ limit: 1 }))
  app.onError(Problem, ({ status }) => reply(status, `sorry, ${status}`))
  app.after(ctx => ctx.set('X-After', String(ctx.status)))
  app.get('/', () => 'ok')
  const { client, end } = await full(app)
  const answer = await client.get('/')
  t.deepEqual([answer.status, await answer.text(), answer.headers.get('x-after')], [503, 'sorry, 503', '503'])
  t.regex(answer.headers.get('retry-after') ?? '', /^[234]$/)
  await end()
  t.false(logger.lines.some(({ level }) => level === 'error'))
})

test.serial(
  'overload() is heeded below what tags, keeps and renders, and none of them takes a refusal for a value',
  async t => {
    const { app } = quiet()
    const limited = overload({ limit: 1 })
    app.use(limited)
    app.get('/', cached({ ttl: 60 }), etag(), json({ pretty: true }), limited, () => ({ id: 1 }))
    const { client, end } = await full(app)
    const answer = await client.get('/')
    t.is(answer.status, 503)
    t.is(answer.headers.get('etag'), null)
    t.like(await answer.json(), { type: 'about:blank', status: 503 })
    await end()

    const below = quiet().app
    const { waiting, handler, until } = gate()
    const alone = overload({ limit: 1 })
    below.get('/wait', alone, handler)
    below.get('/', cached({ ttl: 60 }), etag(), json({ pretty: true }), alone, () => ({ id: 1 }))
    const wait = below.client().get('/wait')
    await until(1)
    const refusal = await below.client().get('/')
    t.is(refusal.status, 503)
    t.is(refusal.headers.get('content-type'), 'application/problem+json')
    t.is(refusal.headers.get('etag'), null)
    t.is((await refusal.json()).title, 'Service Unavailable')
    waiting[0]?.resolve('over')
    await wait
    t.deepEqual(await (await below.client().get('/')).json(), { id: 1 })
    await below.close()
  },
)

test.serial('overload() with debug shows what other problems show', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false, debug: true })
  app.use(overload({ limit: 1 }))
  app.get('/', () => 'ok')
  const { client, end } = await full(app)
  const answer = await client.get('/')
  t.like(await answer.json(), { status: 503, instance: '/', message: 'Service Unavailable' })
  t.regex(answer.headers.get('retry-after') ?? '', /^[234]$/)
  await end()
})

test.serial('overload({ heap }) refuses while too much is left after a collection, for two seconds', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { app, logger } = quiet()
  // This process has more than that, whatever it may take.
  app.get('/', overload({ heap: 0.0001, delay: 60 }), () => 'ok')
  const status = async () => (await app.client().get('/')).status
  t.is(await status(), 200)
  gc()
  await sleep(50)
  t.is(await status(), 503)
  const { now } = performance
  performance.now = () => now.call(performance) + 2000
  t.teardown(() => {
    performance.now = now
  })
  t.is(await status(), 200)
  performance.now = now
  await app.close()
  t.is(logger.lines[0]?.fields.reason, 'heap')
  t.true(Number(logger.lines[0]?.fields.heap) >= 0)
})

test('overload() refuses before a process runs out of memory, and takes again what comes when there is some', t => {
  const program = `
    import { kolba } from 'kolba'
    import { exempt, overload } from 'kolba/overload'
    const app = kolba()
    app.use(overload({ delay: 60, utilisation: 1 }))
    let held = []
    // Numbers, in which a collection has nothing to look for, and 3 MB at once: V8 gives up after some collections that
    // bring little above 80 % of its limit, so a step leads from below that to what is refused.
    app.get('/hold', () => {
      held.push(new Array(375_000).fill(1))
      return 'held'
    })
    app.get('/free', exempt(), () => {
      held = []
      return 'free'
    })
    const status = async path => (await app.client().get(path)).status
    // What is measured is told in a turn of its own, and a collection takes some.
    const next = () => new Promise(resolve => setTimeout(resolve, 20))
    let taken = 0
    for (; (await status('/hold')) === 200; taken += 1) await next()
    console.log(taken > 2, await status('/hold'), await status('/free'))
    gc()
    await next()
    console.log(await status('/hold'))`
  const flags = ['--max-old-space-size=64', '--expose-gc', '--input-type=module', '-e', program]
  const { stdout, stderr, status } = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 20_000 })
  t.is(stdout.trim(), 'true 503 200\n200', stderr)
  const [, heap] = /"reason":"heap".*"heap":([\d.]+)/.exec(stderr) ?? []
  t.true(Number(heap) >= 0.85, stderr)
  t.is(status, 0)
})

test.serial('overload() says that it is over when nothing was refused for five seconds', async t => {
  const { app, logger } = quiet()
  app.use(overload({ limit: 1 }))
  const { status, end } = await full(app)
  t.is(await status('/slow'), 503)
  const { now } = performance
  performance.now = () => now.call(performance) + 5000
  t.teardown(() => {
    performance.now = now
  })
  while (logger.lines.length < 2) await sleep(20)
  const [, line] = logger.lines
  performance.now = now
  t.like(line, { level: 'info', message: 'overload: it is over' })
  t.deepEqual(line?.fields, { path: '/slow', refused: 1, seconds: 0 })
  t.is(await status('/slow'), 503)
  t.is(logger.lines.length, 3)
  await end()
})

test('overload() keeps no process alive, nor a processor busy', t => {
  const program = `
    import { kolba } from 'kolba'
    import { overload } from 'kolba/overload'
    const app = kolba()
    app.use(overload({ limit: 1 }))
    app.get('/', () => new Promise(resolve => setTimeout(resolve, 300, 'x')))
    const [first, second] = await Promise.all(['/', '/'].map(path => app.client().get(path)))
    const before = process.cpuUsage()
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before)
      console.log(first.status, second.status, user + system < 250_000)
    }, 500)`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  t.is(stdout.trim(), '200 503 true')
  t.regex(stderr, /overload: requests are refused/)
  t.is(status, 0)
})

const WRONG: readonly [OverloadOptions, string][] = [
  [{ delay: 0 }, 'overload: the option delay is 0. Give a number of seconds above 0.'],
  [{ utilisation: 1.1 }, 'overload: the option utilisation is 1.1. Give a number above 0, at most 1.'],
  [{ heap: 85 }, 'overload: the option heap is 85. Give a number above 0, at most 1.'],
  [{ heap: Number.NaN }, 'overload: the option heap is NaN. Give a number above 0, at most 1.'],
  [{ limit: 0 }, 'overload: the option limit is 0. Give a whole number from 1.'],
  [{ retryAfter: 0.5 }, 'overload: the option retryAfter is 0.5. Give a whole number from 1.'],
  [{ skip: '/health' as never }, 'overload: the option skip is "/health". Give a function.'],
  [
    { dealy: 1 } as OverloadOptions,
    'overload: the option "dealy" is unknown. It takes delay, utilisation, heap, limit, retryAfter and skip.',
  ],
]

for (const [options, message] of WRONG) {
  test(`overload() refuses with: ${message}`, t => {
    t.throws(() => overload(options), { instanceOf: TypeError, message })
  })
}
