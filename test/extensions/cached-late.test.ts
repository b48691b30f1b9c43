import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type BaseContext, kolba, reply } from 'kolba'
import { cached } from 'kolba/cache'
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
