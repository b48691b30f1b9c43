import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { kolba } from 'kolba'
import { Deadlines } from '../../src/deadlines.ts'
import { remember } from '../../src/remember.ts'
import { MemoryLogger } from '../support/memory-logger.ts'

test('Deadlines calls who is late, in the order of their beginning, and nobody else', async t => {
  const deadlines = new Deadlines(0.03)
  const late: string[] = []
  // What is under way keeps the process alive: the timer by itself does not.
  const until = async (count: number) => {
    while (late.length < count) await sleep(5)
  }
  const begin = (name: string) => deadlines.begin(() => late.push(name))
  const [a, b, c] = [begin('a'), begin('b'), begin('c')]
  t.true(deadlines.end(b))
  await until(2)
  t.deepEqual(late, ['a', 'c'])
  const [d, e] = [begin('d'), begin('e')]
  t.true(deadlines.end(d))
  await until(3)
  t.deepEqual(late, ['a', 'c', 'e'])
  for (const wait of [a, b, c, d, e]) t.false(deadlines.end(wait))
})

test('Deadlines looks again when the first is over, for those that have begun later', t => {
  const seen: [number, string[]][] = []
  const clock = stillClock()
  try {
    const deadlines = new Deadlines(1)
    const late: string[] = []
    const begin = (name: string) => deadlines.begin(() => late.push(name))
    const pass = (milliseconds: number) => seen.push([clock.pass(milliseconds), [...late]])
    begin('a')
    pass(600)
    begin('b')
    for (const milliseconds of [399, 1, 599, 1]) pass(milliseconds)
    begin('c')
    for (const milliseconds of [999, 1]) pass(milliseconds)
  } finally {
    clock.goOn()
  }
  t.deepEqual(seen, [
    [600, []],
    [999, []],
    [1000, ['a']],
    [1599, ['a']],
    [1600, ['a', 'b']],
    [2599, ['a', 'b']],
    [2600, ['a', 'b', 'c']],
  ])
})

test('Deadlines watches again who begins when all before were over', async t => {
  const deadlines = new Deadlines(0.01)
  const late: number[] = []
  for (let round = 0; round < 3; round += 1) {
    t.true(deadlines.end(deadlines.begin(() => late.push(-1))))
    deadlines.begin(() => late.push(round))
    while (late.length <= round) await sleep(5)
  }
  t.deepEqual(late, [0, 1, 2])
})

/** Time stands still unless it is told to pass. Until it goes on, the test may not wait. */
function stillClock() {
  const { setTimeout: realTimeout } = globalThis
  const realNow = performance.now
  let now = 0
  let timers: { at: number; call: () => void }[] = []
  const fakeTimeout = (call: () => void, milliseconds: number) => {
    timers.push({ at: now + milliseconds, call })
    return { unref() {} }
  }
  Object.assign(globalThis, { setTimeout: fakeTimeout })
  performance.now = () => now
  return {
    /** @returns what time it is then */
    pass(milliseconds: number): number {
      now += milliseconds
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { call } of due) call()
      return now
    },
    goOn() {
      Object.assign(globalThis, { setTimeout: realTimeout })
      performance.now = realNow
    },
  }
}

test('Deadlines ends any of its waits in any order', t => {
  const property = fc.property(fc.array(fc.nat({ max: 9 })), turns => {
    const deadlines = new Deadlines(1000)
    const open = new Map<number, ReturnType<typeof deadlines.begin>>()
    for (const name of turns) {
      const wait = open.get(name)
      if (wait) t.true(deadlines.end(wait))
      if (wait) open.delete(name)
      else
        open.set(
          name,
          deadlines.begin(() => {}),
        )
    }
    for (const wait of open.values()) t.deepEqual([deadlines.end(wait), deadlines.end(wait)], [true, false])
  })
  t.notThrows(() => fc.assert(property, { numRuns: 100 }))
})

test('who listens to ctx.signal is called in the async context of its own request', async t => {
  const storage = new AsyncLocalStorage<string>()
  const aborted: unknown[] = []
  const app = kolba({ logger: new MemoryLogger(), timeouts: { handler: 0.05 } })
  app.use((ctx, next) => storage.run(ctx.path, next))
  app.get('/:id', ctx => {
    ctx.signal.addEventListener('abort', () => aborted.push(storage.getStore()))
    return new Promise(() => {})
  })
  const client = app.client()
  // A connection would keep the process alive, and the joined streams of a test client do not.
  const alive = setInterval(() => {}, 1000)
  const answers = await Promise.all(['/1', '/2', '/3'].map(path => client.get(path)))
  clearInterval(alive)
  t.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 503],
  )
  t.deepEqual(aborted.sort(), ['/1', '/2', '/3'])
})

test('remember() makes what it knows no more, and knows no more than it may', t => {
  const made: string[] = []
  const length = remember(3, text => {
    made.push(text)
    return text.length || undefined
  })
  for (const text of ['a', 'bb', 'a', '', '', 'ccc', 'a', 'bb', 'ccc']) t.is(length(text), text.length || undefined)
  t.deepEqual(made, ['a', 'bb', '', '', 'ccc'])
  t.is(length('dddd'), 4)
  t.deepEqual([length('dddd'), length('a')], [4, 1])
  t.deepEqual(made, ['a', 'bb', '', '', 'ccc', 'dddd', 'a'])
})
