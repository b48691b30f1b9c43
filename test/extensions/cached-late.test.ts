import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type BaseContext, kolba, problem, reply } from 'kolba'
import { cacheControl, cached, expires, invalidate } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { MemoryLogger } from '../support/memory-logger.ts'

// What takes longer than `timeouts.handler`, and has been answered with 503 by then.

// The timer of that lets a process end, and here is no connection that would not.
const alive = setInterval(() => {}, 1000)
test.after.always(() => clearInterval(alive))

const FOREVER = { ttl: 100_000 }

/** An app with one route that is kept, whose handler is told its number. */
function counted(handler: (ctx: BaseContext, calls: number) => unknown, seconds = 0.2) {
  const logger = new MemoryLogger()
  const app = kolba({ logger, timeouts: { handler: seconds } })
  const its = { app, client: app.client(), logger, calls: 0 }
  app.get('/', cached(FOREVER), async ctx => {
    its.calls += 1
    return handler(ctx, its.calls)
  })
  return its
}

/** A promise, and what settles it. */
function gate<T = void>(): { open: (value: T) => void; passed: Promise<T> } {
  let open: (value: T) => void = () => {}
  const passed = new Promise<T>(resolve => {
    open = resolve
  })
  return { open, passed }
}

const never = new Promise(() => {})

test('cached() lets another go first where the first does not end in time', async t => {
  const it = counted((_ctx, calls) => (calls === 1 ? never : String(calls)), 1)
  const first = it.client.get('/')
  await sleep(500)
  const others = Array.from({ length: 5 }, () => it.client.get('/'))
  t.is((await first).status, 503)
  for (const response of await Promise.all(others)) t.is(await response.text(), '2')
  t.is(await (await it.client.get('/')).text(), '2')
  t.is(it.calls, 2)
})

test('cached() lets another go first in time where the client of the first has left, and its handler never ends', async t => {
  const it = counted((_ctx, calls) => (calls === 1 ? never : String(calls)))
  const leave = new AbortController()
  const first = it.client.get('/', { signal: leave.signal })
  while (it.calls < 1) await sleep(1)
  leave.abort()
  await t.throwsAsync(first)
  await sleep(250)
  t.is(await (await it.client.get('/')).text(), '2')
})

test('cached() runs nothing for those who have left when the time of the first is over', async t => {
  const it = counted(() => never, 1)
  let come = 0
  it.app.before(() => {
    come += 1
  })
  const first = it.client.get('/')
  const leave = new AbortController()
  const others = Array.from({ length: 5 }, () => it.client.get('/', { signal: leave.signal }))
  while (come < 6) await sleep(1)
  leave.abort()
  for (const other of others) await t.throwsAsync(other)
  t.is((await first).status, 503)
  await sleep(10)
  t.is(it.calls, 1)
})

test('cached() keeps nothing of one that is late, of which the log has the 503 alone', async t => {
  const late = gate<unknown>()
  const it = counted((_ctx, calls) => (calls === 1 ? late.passed : String(calls)))
  t.is((await it.client.get('/')).status, 503)
  late.open(reply(200, 'late'))
  await sleep(10)
  t.is(await (await it.client.get('/')).text(), '2')
  t.is(await (await it.client.get('/')).text(), '2')
  t.deepEqual(
    it.logger.lines.map(({ message }) => message),
    ['GET /: no answer within 0.2 s. Make it quicker, a job, or raise timeouts.handler.'],
  )
})

test('cached() leaves the 503 its headers where one that is late comes before it has gone out', async t => {
  const late = gate<unknown>()
  const it = counted((_ctx, calls) => (calls === 1 ? late.passed : String(calls)))
  it.app.after(async ctx => {
    if (ctx.status !== 503) return
    late.open(reply(200, 'late', { 'Content-Type': 'text/x' }))
    await sleep(10)
  })
  const { status, headers } = await it.client.get('/')
  t.deepEqual([status, headers.get('content-type')], [503, 'application/problem+json'])
  t.is(await (await it.client.get('/')).text(), '2')
})

/** An app whose value is kept at three paths, and written by PUT when `write` is opened. */
function written() {
  const write = gate()
  const logger = new MemoryLogger()
  const app = kolba({ logger, timeouts: { handler: 0.2 } })
  const client = app.client()
  let value = 'old'
  for (const path of ['/7', '/list', '/page/7']) app.get(path, cached(FOREVER), () => value)
  const named = invalidate('/list', ctx => `${ctx.query.page ?? '/page'}/7`)
  app.put('/7', named, async ctx => {
    await write.passed
    value = 'new'
    if (ctx.query.fails) throw new Error('behind it')
    return value
  })
  const read = async () => Promise.all(['/7', '/list', '/page/7'].map(async path => (await client.get(path)).text()))
  return { app, client, logger, write, read }
}

test('a write that is done behind its 503 drops what is kept once more', async t => {
  const { client, write, read } = written()
  t.is((await client.put('/7')).status, 503)
  t.deepEqual(await read(), ['old', 'old', 'old'])
  write.open()
  await sleep(10)
  t.deepEqual(await read(), ['new', 'new', 'new'])
})

test('a write that fails behind its 503 does too, as it would have in time', async t => {
  const { client, logger, write, read } = written()
  t.is((await client.put('/7?fails=1')).status, 503)
  t.deepEqual(await read(), ['old', 'old', 'old'])
  write.open()
  await sleep(10)
  t.deepEqual(await read(), ['new', 'new', 'old'])
  t.is(logger.lines.at(-1)?.message, 'behind it')
})

test('a write that is done behind what a middleware has answered for it drops what is kept', async t => {
  for (const status of [403, 504]) {
    const { app, client, write, read } = written()
    app.use(async (ctx, next) => {
      const running = next()
      if (ctx.method === 'PUT') throw problem(status)
      await running
    })
    t.deepEqual(await read(), ['old', 'old', 'old'])
    t.is((await client.put('/7')).status, status)
    t.deepEqual(await read(), ['old', 'old', 'old'])
    write.open()
    await sleep(10)
    t.deepEqual(await read(), ['new', 'new', 'new'], `${status}`)
  }
})

test('what invalidate() is given wrongly behind a 503 is logged', async t => {
  const { client, logger, write } = written()
  t.is((await client.put('/7?page=x')).status, 503)
  write.open()
  t.is((await logger.until(2))[1]?.message, 'invalidate: "x/7" is no path. Begin it with a slash, as in "/books".')
})

for (const isWaitedFor of [false, true])
  test(`the 503 says nothing of an answer that comes too late${isWaitedFor ? ', while a hook holds it up' : ''}`, async t => {
    const app = kolba({ logger: new MemoryLogger(), timeouts: { handler: 0.05 } })
    if (isWaitedFor) app.after(() => sleep(20) as Promise<never>)
    let ended = false
    app.get('/', cacheControl({ maxAge: 60 }), expires(60), etag(), json(), async ctx => {
      await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
      ended = true
      return { late: true }
    })
    const answer = await app.client().get('/')
    t.deepEqual([answer.status, answer.headers.get('content-type')], [503, 'application/problem+json'])
    for (const name of ['cache-control', 'expires', 'etag']) t.is(answer.headers.get(name), null, name)
    t.true(ended)
  })
