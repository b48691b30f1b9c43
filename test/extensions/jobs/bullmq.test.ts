import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Engine, Job } from '../../../dist/extensions/jobs/engine.js'
import { conformance, until } from '../../support/engine-suite.js'
import { newJob } from '../../support/new-job.js'
import { noOwnRedis, type OwnRedis, type RedisSettings, startRedis } from '../../support/own-redis.js'
import { postgres } from '../../support/postgres.js'
import { redis, testRedis } from '../../support/redis.js'
import { root } from '../../support/root.js'

const url = pathToFileURL(join(root, 'dist/extensions/jobs/bullmq.js')).href
const { bullmq } = (await import(url)) as typeof import('../../../dist/extensions/jobs/bullmq.js')
const logger = { warn() {} }
const HOUR = 3_600_000

conformance('bullmq on Redis', {
  store() {
    const prefix = `kolba-test-${randomUUID()}`
    return { engine: () => bullmq(redis.url, { prefix, logger }), remove: () => redis.clear(prefix) }
  },
  isShared: true,
  order: 'any',
  runs: 25,
  skip: redis.reason,
  needs: 'redis',
})

// A schema takes longer to make than to empty, and what is not on disk at once is written faster.
const schema = `kolba_${randomUUID().replaceAll('-', '')}`
const fast = `${postgres.url}?options=${encodeURIComponent('-c synchronous_commit=off')}`

conformance('bullmq on PostgreSQL', {
  store: () => ({
    engine: () => bullmq(fast, { prefix: schema, logger }),
    remove: () => postgres.empty(schema),
  }),
  isShared: true,
  order: 'any',
  runs: 15,
  skip: postgres.reason,
  needs: 'postgres',
})

test.after.always(async () => {
  if (!postgres.reason) await postgres.clear(schema)
})

const refused: [string, () => Engine, string][] = [
  [
    'no connection',
    () => bullmq(undefined as never),
    'bullmq: there is no connection. Give a URL, options, a client of ioredis or a pool of pg.',
  ],
  [
    'a URL of something else',
    () => bullmq('mysql://127.0.0.1'),
    'bullmq: the URL begins with neither redis:// nor rediss:// nor postgres://. Give such a one.',
  ],
  [
    'options that may be of either',
    () => bullmq({ host: '127.0.0.1' }),
    "bullmq: it cannot be told what these options are for. Give backend: 'redis' or 'postgres'.",
  ],
  [
    'an unknown option',
    () => bullmq('redis://127.0.0.1', { name: 'x' } as never),
    'bullmq: the option "name" is unknown. It takes backend, prefix, timeout and logger.',
  ],
  [
    'a prefix that is no schema',
    () => bullmq('postgres://127.0.0.1/test', { prefix: 'my:jobs' }),
    'bullmq: the prefix "my:jobs" cannot be the name of a schema in PostgreSQL. Give one of letters, digits and _.',
  ],
]

for (const [what, make, message] of refused)
  test(`bullmq() refuses ${what}`, t => {
    t.throws(make, { instanceOf: TypeError, message })
  })

test('bullmq: before open() and after close() everything is refused', async t => {
  const engine = bullmq('redis://127.0.0.1:1')
  const message = 'bullmq: it is not open. Call open() first, and nothing after close().'
  await t.throwsAsync(engine.get('1'), { message })
  await t.throwsAsync(engine.add(newJob()), { message })
  await engine.close()
})

for (const scheme of ['redis', 'postgres'])
  test(`bullmq: open() says that there is no ${scheme} server`, async t => {
    const port = await closedPort()
    const engine = bullmq(`${scheme}://127.0.0.1:${port}/`, { timeout: 5 })
    await t.throwsAsync(engine.open(), { message: /ECONNREFUSED/ })
  })

testOwn(
  'bullmq: open() refuses a Redis that throws keys away',
  { 'maxmemory-policy': 'allkeys-lru' },
  async (t, own) => {
    const message =
      'bullmq: this Redis throws away keys when its memory is full (maxmemory-policy is allkeys-lru), and jobs with them. Set it: CONFIG SET maxmemory-policy noeviction, and in redis.conf.'
    await t.throwsAsync(bullmq(own.url, { logger }).open(), { message })
  },
)

const secret = { 'maxmemory-policy': 'volatile-ttl', 'rename-command': 'CONFIG secret', appendonly: 'no' }
testOwn('bullmq: open() refuses it also where CONFIG is forbidden', secret, async (t, own) => {
  await t.throwsAsync(bullmq(own.url, { logger }).open(), { message: /maxmemory-policy is volatile-ttl/ })
})

for (const [appendonly, save, isWarned] of [
  ['no', '', true],
  ['no', '60 1', false],
  ['yes', '', false],
] as const)
  testOwn(
    `bullmq: open() ${isWarned ? 'warns' : 'does not warn'} of appendonly ${appendonly}, save "${save}"`,
    { appendonly, save },
    async (t, own) => {
      const warnings: string[] = []
      const engine = bullmq(own.url, { logger: { warn: message => warnings.push(message) } })
      await engine.open()
      await engine.close()
      const text =
        'bullmq: this Redis keeps nothing on disk (appendonly is no, save is empty), so jobs are lost when it ends. Set appendonly yes, and appendfsync always where none may be lost.'
      t.deepEqual(warnings, isWarned ? [text] : [])
    },
  )

testOwn('bullmq: add() is refused in time while Redis is away, and then it goes on', {}, async (t, own) => {
  const given = new Redis(own.url, { maxRetriesPerRequest: null })
  given.on('error', () => {})
  const engines = [bullmq(own.url, { timeout: 2 }), bullmq(given, { timeout: 2, prefix: 'given' })]
  for (const engine of engines) await engine.open()
  const before = await Promise.all(engines.map(engine => engine.add(newJob())))
  await own.kill()
  for (const engine of engines) {
    const start = performance.now()
    await t.throwsAsync(engine.add(newJob()))
    t.true(performance.now() - start < 10_000)
  }
  await own.start()
  for (const [index, engine] of engines.entries()) {
    const { job } = before[index] as { job: Job }
    t.deepEqual(await until(() => engine.get(job.id).catch(() => undefined)), job)
    await engine.close()
  }
  given.disconnect()
})

testOwn('bullmq: a Redis that does not answer is not waited for', {}, async (t, own) => {
  const engine = bullmq(own.url, { timeout: 0.5 })
  await engine.open()
  own.signal('SIGSTOP')
  await t.throwsAsync(engine.add(newJob()), {
    message: 'bullmq: there was no answer within 0.5 s. Is the database there?',
  })
  own.signal('SIGCONT')
  await until(() =>
    engine.get('nobody').then(
      () => true,
      () => false,
    ),
  )
  await engine.close()
})

testOwn('bullmq: when all jobs are gone, nothing is left of them', {}, async (t, own) => {
  const engine = bullmq(own.url)
  await engine.open()
  const jobs: Job[] = []
  for (let index = 0; index < 6; index++) {
    const keys = [{ text: `${index}`, until: index % 2 ? ('ended' as const) : ('expired' as const) }]
    jobs.push(((await engine.add(newJob({ owner: 'me', keys }))) as { job: Job }).job)
  }
  for (const { id } of jobs.slice(3)) await engine.cancel(id, 1)
  for (let claim = await engine.claim('POST /reports', HOUR); claim; claim = await engine.claim('POST /reports', HOUR))
    await engine.finish(claim, 'succeeded', '1', 1)
  const client = new Redis(own.url)
  // The mark of a job that was cancelled is looked after in an hour.
  const left = async () => (await client.keys('kolba:*')).filter(key => /:(?:job|key|owner|de)[.:]/.test(key))
  t.true((await left()).length > 6)
  await until(async () => {
    await engine.sweep()
    return (await left()).length === 0
  })
  t.is(await engine.get(String(jobs[0]?.id)), undefined)
  client.disconnect()
  await engine.close()
})

testOwn('bullmq: a key of a process that died before its job was kept is free after 3 s', {}, async (t, own) => {
  const { hashOf } = await import(pathToFileURL(join(root, 'dist/extensions/jobs/bullmq/text.js')).href)
  const engine = bullmq(own.url)
  await engine.open()
  const job = newJob({ keys: [{ text: 'k', until: 'ended' }] })
  const registry = new Queue('%jobs', { connection: { url: own.url, maxRetriesPerRequest: null }, prefix: 'kolba' })
  const jobId = 'key.of-nobody.0'
  const deduplication = { id: hashOf(job.task, 'k') }
  await registry.add('key', { id: 'of-nobody', until: 'ended' }, { jobId, delay: HOUR, deduplication })
  const start = performance.now()
  t.like(await engine.add(job), { isNew: true, job: { id: job.id } })
  t.true(performance.now() - start >= 2900)
  t.like(await engine.add(newJob({ keys: job.keys })), { isNew: false, job: { id: job.id } })
  await registry.close()
  await engine.close()
})

testOwn(
  'bullmq: whoever loses its key as it is slow to add its job is given the job that has it',
  {},
  async (t, own) => {
    const client = new Redis(own.url)
    const job = newJob({ keys: [{ text: 'k', until: 'ended' }] })
    const { stop, isStopped } = stopAt(client, `job.${job.id}`)
    const [slow, quick] = [bullmq(client, { timeout: 30 }), bullmq(own.url)]
    await slow.open()
    await quick.open()
    const adding = slow.add(job)
    await isStopped
    const { job: winner } = (await quick.add(newJob({ keys: job.keys }))) as { job: Job }
    stop()
    t.deepEqual(await adding, { job: winner, isNew: false })
    t.like(await quick.get(job.id), { state: 'cancelled' })
    t.is((await quick.claim(job.task, HOUR))?.job.id, winner.id)
    t.is(await quick.claim(job.task, HOUR), undefined)
    await slow.close()
    await quick.close()
    client.disconnect()
  },
)

testOwn('bullmq: a client of ioredis that was given stays open', {}, async (t, own) => {
  const client = new Redis(own.url)
  const engine = bullmq(client, { prefix: 'mine' })
  await engine.open()
  t.like(await engine.add(newJob()), { isNew: true })
  await engine.close()
  t.is(await client.ping(), 'PONG')
  t.true((await client.keys('*')).every(key => key.startsWith('mine:')))
  client.disconnect()
})

const poolTitle = 'bullmq: a pool of pg that was given stays open'
const testPool = postgres.reason ? test.skip : test.serial
testPool(postgres.reason ? `${poolTitle} (skipped: ${postgres.reason})` : poolTitle, async t => {
  await postgres.inDatabase(async connectionString => {
    const blind = new pg.Pool({ connectionString })
    await t.throwsAsync(bullmq(blind).open(), {
      instanceOf: TypeError,
      message:
        "bullmq: the pool does not look for tables in the schema bullmq. Give it options: '-c search_path=bullmq', or give its URL here.",
    })
    await blind.end()
    const pool = new pg.Pool({ connectionString, options: '-c search_path=bullmq' })
    const engines = ['one', 'other'].map(prefix => bullmq(pool, { prefix, logger }))
    for (const engine of engines) await engine.open()
    const [one, other] = engines as [Engine, Engine]
    const { job } = (await one.add(newJob())) as { job: Job }
    t.deepEqual(await one.get(job.id), job)
    t.is(await other.get(job.id), undefined)
    for (const engine of engines) await engine.close()
    t.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }])
    await pool.end()
  })
})

testRedis('bullmq: close() ends those who watch', async (t, _redis, prefix) => {
  const engine = bullmq(redis.url, { prefix, logger })
  await engine.open()
  let calls = 0
  engine.watch(() => calls++)
  await until(async () => calls > 0)
  await engine.close()
  const before = calls
  await sleep(600)
  t.is(calls, before)
})

function testOwn(
  title: string,
  settings: RedisSettings,
  run: (t: ExecutionContext, own: OwnRedis) => Promise<void>,
): void {
  if (noOwnRedis && process.env.KOLBA_REQUIRE?.includes('redis')) return test(title, t => t.fail(noOwnRedis))
  if (noOwnRedis) return test.skip(`${title} (skipped: ${noOwnRedis})`, t => t.pass())
  test.serial(title, async t => {
    const own = await startRedis(settings)
    try {
      await run(t, own)
    } finally {
      await own.remove()
    }
  })
}

/** Holds back the first command with such a text in its arguments, until it is told to stop that. */
function stopAt(client: Redis, text: string): { stop: () => void; isStopped: Promise<void> } {
  const send = client.sendCommand.bind(client)
  let stop = () => {}
  const isStopped = new Promise<void>(resolve => {
    let isFirst = true
    client.sendCommand = (command, ...rest) => {
      if (!isFirst || !command.args.some(it => String(it).includes(text))) return send(command, ...rest)
      isFirst = false
      stop = () => send(command, ...rest)
      resolve()
      return command.promise
    }
  })
  return { stop: () => stop(), isStopped }
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
