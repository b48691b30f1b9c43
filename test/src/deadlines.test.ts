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
  const begin = (name: string) => deadlines.begin(() => late.push(name))
  const [a, b, c] = [begin('a'), begin('b'), begin('c')]
  t.true(deadlines.end(b))
  await sleep(15)
  const d = begin('d')
  begin('e')
  await sleep(25)
  t.deepEqual(late, ['a', 'c'])
  t.true(deadlines.end(d))
  await sleep(30)
  t.deepEqual(late, ['a', 'c', 'e'])
  for (const wait of [a, b, c, d]) t.false(deadlines.end(wait))
})

test('Deadlines watches again who begins when all before were over', async t => {
  const deadlines = new Deadlines(0.01)
  const late: number[] = []
  for (let round = 0; round < 3; round += 1) {
    t.true(deadlines.end(deadlines.begin(() => late.push(-1))))
    deadlines.begin(() => late.push(round))
    await sleep(40)
  }
  t.deepEqual(late, [0, 1, 2])
})

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
  const answers = await Promise.all(['/1', '/2', '/3'].map(path => client.get(path)))
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
