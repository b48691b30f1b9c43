import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type Claim, jobs, memory } from 'kolba/jobs'

const COUNT = 20
const silent = { info() {}, warn() {}, error() {} }

/** Does 20 jobs, 5 at a time, over an engine that takes its time to give one, and fails where it is told to. */
async function doing(failing: number | undefined) {
  const engine = memory()
  let turn = 0
  let open = 0
  let most = 0
  async function claim(task: string, lease: number): Promise<Claim | undefined> {
    turn += 1
    if (turn === failing) throw new Error('The engine has failed.')
    open += 1
    most = Math.max(most, open)
    await sleep(20)
    open -= 1
    return engine.claim(task, lease)
  }
  const work = jobs({ engine: { ...engine, claim }, concurrency: 5, logger: silent })
  const done: number[] = []
  const all = new Promise<void>(resolve => {
    const task = work.task<{ number: number }>('count', ({ number }) => {
      if (done.push(number) === COUNT) resolve()
    })
    for (let number = 0; number < COUNT; number += 1) void task.add({ number })
  })
  await work.start()
  await all
  await work.close()
  return { most, done: done.sort((one, other) => one - other) }
}

const ALL = Array.from({ length: COUNT }, (_, number) => number)

test('jobs() takes up as many at once as it may do, where there are many', async t => {
  const { most, done } = await doing(undefined)
  // The first one says that there are any.
  t.true(most >= 4)
  t.deepEqual(done, ALL)
})

test('jobs() does what it was given at once though the engine has failed for another at the same time', async t => {
  const start = performance.now()
  t.deepEqual((await doing(4)).done, ALL)
  // What was given and is not begun comes again with its lease alone, after 30 s.
  t.true(performance.now() - start < 20_000)
})
