import together, { type ExecutionContext } from 'ava'
import { problem, reply } from 'kolba'
import { type JobsOptions, jobs, memory, type TaskOptions } from 'kolba/jobs'
import { until } from '../../support/jobs/watch.js'
import { MemoryLogger } from '../../support/memory-logger.js'

// One after the other, for each that begins listens to the signals of the process.
const test = together.serial

type Fields = Record<string, unknown>

/** A task of a program that has no app; it is not begun yet. */
function open(t: ExecutionContext, handler: (ctx: never) => unknown, own: TaskOptions = {}, options: JobsOptions = {}) {
  const engine = memory()
  const logger = new MemoryLogger()
  const work = jobs({ engine, logger, ...options })
  const task = work.task<Fields>('some', handler as never, own)
  t.teardown(() => work.close(0))
  const ended = (id: string) =>
    until(async () => {
      const job = await engine.get(id)
      return job?.finished === undefined ? undefined : job
    }, `The end of ${id}`)
  const errors = () => logger.lines.flatMap(({ level, fields }) => (fields.err ? [`${level} ${fields.err}`] : []))
  return { engine, work, task, ended, errors, logger }
}

test('work.task() does what add() has made, with its fields', async t => {
  const seen: unknown[] = []
  const { work, task, ended } = open(t, ({ signal, progress, ...rest }: { signal: AbortSignal; progress: unknown }) => {
    seen.push(rest, signal.aborted, typeof progress)
  })
  const fields = { n: 1, when: new Date(0), big: 5n, list: [new Set(['a'])], none: undefined, job: 'not its own' }
  const id = await task.add(fields)
  await work.start()
  t.like(await ended(id), { state: 'succeeded', attempts: 1, failures: 0, task: 'some', owner: undefined })
  const params = Object.create(null)
  t.deepEqual(seen, [{ ...fields, params, job: { id, attempt: 1 } }, false, 'function'])
})

const results: [what: string, value: unknown, status: number, body: unknown][] = [
  ['undefined', undefined, 204, null],
  ['null', null, 204, null],
  ['a value', { a: [1] }, 200, { a: [1] }],
  [
    'an instance, as JSON',
    new (class {
      toJSON() {
        return 'so'
      }
    })(),
    200,
    'so',
  ],
  ['a reply', reply(201, 'made'), 201, 'made'],
  ['an empty reply', reply(202), 202, null],
]

for (const [what, value, status, body] of results) {
  test(`work.task() keeps what its handler gives: ${what}`, async t => {
    const { work, task, ended } = open(t, async () => value)
    await work.start()
    const { result } = await ended(await task.add({}))
    t.like(JSON.parse(result as string), { status, body } as object)
  })
}

const failures: [what: string, value: unknown, status: number, attempts: number, said?: string][] = [
  ['an error', new Error('No.'), 500, 2, 'Error: No.'],
  ['an error that is permanent', Object.assign(new Error('No.'), { retry: false }), 500, 1, 'Error: No.'],
  ['a problem', problem(409, { detail: 'There.' }), 409, 1, 'Problem: There.'],
  ['a problem that passes', problem(429), 429, 2, 'Problem: Too Many Requests'],
  ['a text', 'no', 500, 2, "TypeError: 'no' was thrown. Throw an Error, or problem(status)."],
]

for (const [what, value, status, attempts, said] of failures) {
  test(`work.task() fails as its handler does, and says so: ${what}`, async t => {
    const handler = () => {
      throw value
    }
    const { work, task, ended, errors } = open(t, handler, { retry: { attempts: 2, delay: 0.01 } })
    await work.start()
    const job = await ended(await task.add({}))
    t.like(job, { state: 'failed', attempts })
    t.is(JSON.parse(job.result as string).status, status)
    t.deepEqual(errors(), [...(attempts > 1 ? [`warn ${said}`] : []), `error ${said}`])
  })
}

test('work.task() fails for good where its handler gives what cannot be stored', async t => {
  const { work, task, ended, errors } = open(t, () => new ReadableStream())
  await work.start()
  t.like(await ended(await task.add({})), { state: 'failed', attempts: 1 })
  t.deepEqual(errors(), [
    'error TypeError: some: the result.body is a stream, which cannot be stored. Write it where it can be fetched, and return its URL.',
  ])
})

test('work.task() has a handler that heeds ctx.signal, and one that does not, end at the timeout', async t => {
  const reasons: unknown[] = []
  const handler = ({ signal, heeds }: { signal: AbortSignal; heeds: boolean }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(String(signal.reason))
        if (heeds) reject(signal.reason)
      })
    })
  const { work, task, ended } = open(t, handler as never, { timeout: 0.1, retry: false })
  await work.start()
  for (const heeds of [true, false]) t.like(await ended(await task.add({ heeds })), { state: 'failed', attempts: 1 })
  t.deepEqual(reasons, Array(2).fill('JobTooLate: It took longer than 0.1 s.'))
})

test('add() begins those with a higher priority first, then those that are due first', async t => {
  const order: unknown[] = []
  const { work, task, ended } = open(t, ({ name }: { name: string }) => order.push(name), { concurrency: 1 })
  const past = (seconds: number) => new Date(Date.now() - seconds * 1000)
  const all = [
    await task.add({ name: 'plain' }),
    await task.add({ name: 'older' }, { runAt: past(60) }),
    await task.add({ name: 'low' }, { priority: -1 }),
    await task.add({ name: 'high' }, { priority: 5 }),
    await task.add({ name: 'later' }, { delay: 0.3 }),
  ]
  await work.start()
  for (const id of all) await ended(id)
  t.deepEqual(order, ['high', 'older', 'plain', 'low', 'later'])
})

test('add() gives the job with the same key while it is not done, and keeps whose it is', async t => {
  const { work, task, ended, engine } = open(t, () => 1)
  const first = await task.add({}, { key: 'a', owner: 'ada' })
  t.is(await task.add({}, { key: 'a' }), first)
  t.not(await task.add({}, { key: 'b' }), first)
  t.is((await engine.get(first))?.owner, 'ada')
  await work.start()
  await ended(first)
  t.not(await task.add({}, { key: 'a' }), first)
})

test('add() is refused with 503 when too many wait', async t => {
  const { task } = open(t, () => 1, { limit: 2 })
  await task.add({})
  await task.add({})
  const error = await t.throwsAsync(task.add({}), {
    message: 'some: 2 jobs are waiting. Raise limit, or start more workers.',
  })
  t.like(error, { status: 503, headers: { 'Retry-After': '10' } })
})

test('a task does no more jobs at a time than its concurrency', async t => {
  let now = 0
  let most = 0
  const handler = async () => {
    most = Math.max(most, ++now)
    await new Promise(resolve => setTimeout(resolve, 20))
    now--
  }
  const { work, task, ended } = open(t, handler, { concurrency: 3 })
  const all = await Promise.all(Array.from({ length: 10 }, () => task.add({})))
  await work.start()
  for (const id of all) await ended(id)
  t.is(most, 3)
})

test('a task that is added when jobs are done already is done as well', async t => {
  const { work, ended } = open(t, () => 1)
  await work.start()
  const late = work.task('late', () => 'late')
  t.like(JSON.parse((await ended(await late.add({}))).result as string), { body: 'late' })
})

const wrong: [options: unknown, message: string][] = [
  [{ dely: 1 }, 'task some: the option "dely" is unknown. It takes owner, key, delay, runAt and priority.'],
  [{ delay: -1 }, 'task some: the option delay is -1. Give a number of seconds from 0.'],
  [{ delay: Number.NaN }, 'task some: the option delay is NaN. Give a number of seconds from 0.'],
  [{ runAt: new Date('no') }, 'task some: the option runAt is an object. Give a Date.'],
  [{ runAt: new Date(), delay: 1 }, 'task some: there are delay and runAt. Give one of them.'],
  [{ priority: 1.5 }, 'task some: the option priority is 1.5. Give a whole number from -1000 to 1000.'],
  [{ key: 7 }, 'task some: the option key is 7. Give a non-empty string.'],
  [{ owner: '' }, 'task some: the option owner is "". Give a non-empty string.'],
]

for (const [options, message] of wrong) {
  test(`add() refuses an option: ${message}`, async t => {
    const { task, engine } = open(t, () => 1)
    await t.throwsAsync(task.add({}, options as never), { instanceOf: TypeError, message })
    t.is(await engine.waiting('some'), 0)
  })
}

for (const [what, fields, message] of [
  ['a function', { run() {} }, 'task some: run is a function'],
  ['a circle', circle(), /^task some: again\.again.* is deeper than 200 levels, or leads back to itself$/],
  ['nothing', undefined, 'task some: undefined is no object of fields. Write add({ id }).'],
  ['a text', 'id', 'task some: "id" is no object of fields. Write add({ id }).'],
] as const) {
  test(`add() refuses fields: ${what}`, async t => {
    const { task } = open(t, () => 1)
    await t.throwsAsync(task.add(fields as never), { instanceOf: TypeError, message })
  })
}

for (const [what, args, message] of [
  ['no name', ['', () => 1], 'task: the option name is "". Give a non-empty string.'],
  ['no function', ['other', 1], 'task other: this is no function. Give one that takes ctx.'],
  [
    'an option that it has not',
    ['other', () => 1, { key: 'a' }],
    'task other: the option "key" is unknown. It takes retry, timeout, concurrency, limit and keep.',
  ],
  [
    'a wrong retry',
    ['other', () => 1, { retry: { attempts: 0 } }],
    'task other retry: the option attempts is 0. Give a whole number from 1.',
  ],
  ['a name that is taken', ['some', () => 1], 'task some: there is one of this name. Give another name.'],
] as const) {
  test(`work.task() refuses ${what}`, t => {
    const { work } = open(t, () => 1)
    t.throws(() => work.task(...(args as unknown as [string, () => 1])), { instanceOf: TypeError, message })
  })
}

function circle(): object {
  const it: Fields = {}
  it.again = it
  return it
}
