import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { bullmq, type Claim, type Engine, jobs, memory, sqlite } from 'kolba/jobs'
import { jobsFile, signal } from '../../support/jobs.js'
import { MemoryLogger } from '../../support/memory-logger.js'
import { redis } from '../../support/redis.js'

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

const LEASE = 1000

/** Does one job, and gives how often it was begun, and what became of it. */
async function doOne(engine: Engine, run: (attempt: number) => unknown) {
  const logger = new MemoryLogger()
  const work = jobs({ engine, lease: LEASE / 1000, logger })
  let [begun, running, most] = [0, 0, 0]
  const over = signal()
  const task = work.task('pay', async ctx => {
    begun += 1
    running += 1
    most = Math.max(most, running)
    await run(ctx.job.attempt)
    running -= 1
    over.resolve()
    return 'paid'
  })
  await work.start()
  const id = await task.add({})
  await over.promise
  // Who had it twice would begin it by now.
  await sleep(LEASE)
  const job = await engine.get(id)
  await work.close()
  return {
    begun,
    most,
    job,
    warnings: logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.err?.message),
  }
}

const engines: [string, (t: ExecutionContext) => Engine][] = [
  ['memory', () => memory()],
  ['sqlite', t => sqlite(jobsFile(t))],
]
const prefix = `kolba-test-${randomUUID()}`
if (!redis.reason) engines.push(['bullmq', () => bullmq(redis.url, { prefix, logger: silent })])
test.after.always(() => redis.clear(prefix))

for (const [name, open] of engines) {
  test.serial(
    `jobs() does a job once at a time that keeps the process busy for longer than its lease, with ${name}`,
    async t => {
      const { begun, most, job } = await doOne(open(t), async attempt => {
        const end = performance.now() + 1.5 * LEASE
        while (attempt === 1 && performance.now() < end);
        await sleep(200)
      })
      t.is(most, 1)
      // Redis forgets the lease, and gives the job once more: to the handler, unless that has ended before.
      if (name !== 'bullmq') t.is(begun, 1)
      if (name !== 'bullmq') t.like(job, { state: 'succeeded', attempts: 1, failures: 0 })
    },
  )
}

test.serial('jobs() goes on with a job that it is given again, and keeps what comes of it', async t => {
  const engine = sqlite(jobsFile(t))
  const renew = async () => 'held' as const
  const { begun, job, warnings } = await doOne({ ...engine, renew }, () => sleep(1.5 * LEASE))
  t.is(begun, 1)
  t.like(job, { state: 'succeeded', attempts: 2, failures: 1 })
  t.true(
    warnings.includes(
      'Its lease was over, so that it was given to this process once more. What kept it from renewing?',
    ),
  )
})
