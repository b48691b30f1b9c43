import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { kolba } from 'kolba'
import { type Claim, type IdempotencyStore, idempotent, memoryStore, redisStore } from 'kolba/idempotency'
import { lateAnswers } from '../support/late-answers.js'
import { keeping } from '../support/layers.js'
import { noOwnRedis, startRedis } from '../support/own-redis.js'
import { type Program, startProgram } from '../support/program.js'
import { SERVER, testRedis } from '../support/redis.js'

const file = join(import.meta.dirname, '../support/idempotency-server.js')

/** Starts servers, and calls `run` with a function that sends an order to one of them. */
async function withServers(
  count: number,
  env: Record<string, string>,
  run: (send: (server?: number) => Promise<Response>, programs: readonly Program[]) => Promise<void>,
): Promise<void> {
  const programs = await Promise.all(
    Array.from({ length: count }, () => startProgram(file, { env: { REDIS: SERVER, ...env } })),
  )
  const send = (server = 0) =>
    fetch((programs[server] as Program).real('http://127.0.0.1:3000/orders'), {
      method: 'POST',
      body: '{"article":"pen"}',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': '"order-1"' },
    })
  try {
    await run(send, programs)
  } finally {
    await Promise.all(programs.map(program => program.stop()))
  }
}

testRedis('idempotent() with Redis lets one of 100 requests to 2 processes run', async (t, redis, PREFIX) => {
  await withServers(2, { PREFIX, PAUSE: '50' }, async send => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => send(index % 2)))
    const texts = await Promise.all(answers.map(answer => answer.text()))
    const done = answers.flatMap(({ status }, index) => (status === 201 ? [texts[index]] : []))
    t.true(answers.every(({ status }) => status === 201 || status === 409))
    t.true(done.length >= 1)
    t.is(answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotency-replayed')).length, 1)
    t.is(new Set(done).size, 1)
    t.is(await redis.get(`${PREFIX}effects`), '1')
    // Whichever process is asked later, the answer is the same to the last byte.
    for (const server of [0, 1]) {
      const again = await send(server)
      t.is(await again.text(), String(done[0]))
      t.is(again.headers.get('location'), '/orders/1')
      t.is(again.headers.get('idempotency-replayed'), 'true')
    }
    t.is(await redis.get(`${PREFIX}begun`), '1')
  })
})

testRedis(
  'idempotent() has one effect, after the lease, where the server was killed in mid-flight',
  async (t, redis, PREFIX) => {
    const begun = async (count: number) => {
      while (Number(await redis.get(`${PREFIX}begun`)) < count) await sleep(5)
    }
    let lost: Promise<unknown> = Promise.resolve()
    await withServers(1, { PREFIX, LEASE: '3', PAUSE: '600000' }, async (send, [program]) => {
      lost = t.throwsAsync(send())
      await begun(1)
      // Longer than the lease, which is renewed.
      await sleep(4000)
      t.is((await send()).status, 409)
      await program?.stop()
    })
    await lost
    t.is(await redis.get(`${PREFIX}effects`), null)
    await withServers(1, { PREFIX, LEASE: '3' }, async send => {
      const statuses = new Set<number>()
      let answer = await send()
      while (answer.status === 409) {
        statuses.add(answer.status)
        t.is(answer.headers.get('retry-after'), '1')
        await sleep(50)
        answer = await send()
      }
      t.is(answer.status, 201)
      t.false(answer.headers.has('idempotency-replayed'))
      t.is((await send()).headers.get('idempotency-replayed'), 'true')
      t.deepEqual([await redis.get(`${PREFIX}begun`), await redis.get(`${PREFIX}effects`)], ['2', '1'])
    })
  },
)

testRedis('redisStore() takes its scripts along to a Redis that knows none', async (t, redis, prefix) => {
  const store = redisStore(redis, { prefix })
  await redis.script('FLUSH')
  const claim = { owner: 'a', payload: 'p' }
  t.is(await store.begin('k', claim, 1000), undefined)
  await redis.script('FLUSH')
  t.true(await store.finish('k', claim, 'answer', 1000))
  t.deepEqual(await store.begin('k', claim, 1000), { payload: 'p', isRunning: false, answer: 'answer' })
})

testRedis('redisStore() keeps neither keys nor credentials, and each for its time', async (t, redis, prefix) => {
  const app = kolba()
  app.post('/', idempotent({ store: redisStore(redis, { prefix }), ttl: 100, lease: 10 }), async () => {
    const [key = ''] = await redis.keys(`${prefix}*`)
    const left = await redis.pttl(key)
    return { isLeased: left > 5000 && left <= 10_000 }
  })
  const headers = { 'Idempotency-Key': '"sk_secret"', Authorization: 'Bearer secret', Cookie: 'session=secret' }
  const first = await app.client().post('/', { headers })
  t.is(await first.text(), '{"isLeased":true}')
  const [key = '', ...others] = await redis.keys(`${prefix}*`)
  t.deepEqual(others, [])
  t.regex(key.slice(prefix.length), /^[\w-]{43}$/)
  t.notRegex(JSON.stringify(await redis.hgetall(key)), /secret/)
  const left = await redis.pttl(key)
  t.true(left > 90_000 && left <= 100_000)
})

testRedis('redisStore() gives bytes back as they were', async (t, redis, prefix) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
  const app = kolba()
  app.post('/', idempotent({ store: redisStore(redis, { prefix }) }), () => bytes)
  const send = async () =>
    Buffer.from(await (await app.client().post('/', { headers: { 'Idempotency-Key': '"k"' } })).arrayBuffer())
  t.deepEqual(await send(), bytes)
  t.deepEqual(await send(), bytes)
})

testRedis('redisStore() keeps what a handler gives that takes longer than it may', async (t, redis, prefix) => {
  const { given, expected } = await lateAnswers(redisStore(redis, { prefix }))
  t.deepEqual(given, expected)
})

test('idempotent() refuses with 503 where Redis is away, and does not wait for it for long', async t => {
  const away = new Redis('redis://127.0.0.1:1', { lazyConnect: true })
  away.on('error', () => {})
  const logger = keeping()
  const app = kolba({ logger })
  let runs = 0
  app.post('/', idempotent({ store: redisStore(away, { timeout: 0.1 }) }), () => {
    runs += 1
    return runs
  })
  const refused = await app.client().post('/', { headers: { 'Idempotency-Key': '"k"' } })
  away.disconnect()
  t.deepEqual([refused.status, runs], [503, 0])
  t.is(
    (logger.errors[0]?.cause as Error | undefined)?.message,
    'redisStore: Redis did not answer within 0.1 s. Is it there?',
  )
})

const STALLED = 'idempotent() leaves a key free that a Redis which stood still takes when it goes on'
const testOwn = noOwnRedis && !process.env.KOLBA_REQUIRE?.includes('redis') ? test.skip : test

testOwn(STALLED, async t => {
  const own = await startRedis()
  const redis = new Redis(own.url)
  const app = kolba({ logger: keeping() })
  let runs = 0
  app.post('/', idempotent({ store: redisStore(redis, { timeout: 0.2 }) }), () => {
    runs += 1
    return runs
  })
  const client = app.client()
  const send = async (key: string) => {
    const { status } = await client.post('/', { headers: { 'Idempotency-Key': key } })
    return status
  }
  try {
    // The first one comes to a Redis that knows no script yet.
    for (const [key, count] of [
      ['"a"', 1],
      ['"b"', 2],
    ] as const) {
      await redis.ping()
      own.signal('SIGSTOP')
      t.is(await send(key), 503)
      own.signal('SIGCONT')
      let status = await send(key)
      // Far less than the lease, which is a minute.
      for (const end = Date.now() + 5000; status !== 200 && Date.now() < end; await sleep(10)) status = await send(key)
      t.deepEqual([status, runs], [200, count])
    }
  } finally {
    redis.disconnect()
    await own.remove()
  }
})

const REFUSED: [run: () => unknown, message: string][] = [
  [
    () => redisStore({} as never),
    'redisStore: the option client is an object. Give a client of ioredis, new Redis(url).',
  ],
  [
    () => redisStore(undefined as never),
    'redisStore: the option client is null. Give a client of ioredis, new Redis(url).',
  ],
  [
    () => redisStore('redis://x' as never),
    'redisStore: the option client is "redis://x". Give a client of ioredis, new Redis(url).',
  ],
  [() => redisStore(fake, { prefix: '' }), 'redisStore: the option prefix is "". Give a non-empty string.'],
  [() => redisStore(fake, { timeout: 0 }), 'redisStore: the option timeout is 0. Give a number of seconds above 0.'],
]
const fake = { eval: async () => null, evalsha: async () => null }

for (const [run, message] of REFUSED) {
  test(`redisStore() refuses: ${message}`, t => {
    t.throws(run, { instanceOf: TypeError, message })
  })
}

// What a store is, written down plainly: a model that both are compared with, step by step.
type Step =
  | { do: 'begin' | 'release'; key: number; owner: number; payload: number }
  | { do: 'finish'; key: number; owner: number; payload: number; answer: string | undefined }
  | { do: 'expire'; key: number }

interface Kept extends Claim {
  answer?: string | undefined
  isRunning: boolean
}

function expected(model: Map<string, Kept>, step: Step, key: string): unknown {
  const has = model.get(key)
  if (step.do === 'expire') return has?.isRunning ? void model.delete(key) : undefined
  const claim = { owner: `o${step.owner}`, payload: `p${step.payload}` }
  const isOthers = has !== undefined && has.owner !== claim.owner
  if (step.do === 'begin') {
    if (has && (isOthers || !has.isRunning))
      return { payload: has.payload, isRunning: has.isRunning, answer: has.answer }
    return void model.set(key, { ...claim, isRunning: true })
  }
  if (step.do === 'finish') {
    if (!isOthers) model.set(key, { ...claim, isRunning: false, answer: step.answer })
    return !isOthers
  }
  if (has?.isRunning && !isOthers) model.delete(key)
}

const base = { key: fc.nat(1), owner: fc.nat(2), payload: fc.nat(1) }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), ...base }),
  fc.record({ do: fc.constant('begin' as const), ...base }),
  fc.record({ do: fc.constant('finish' as const), ...base, answer: fc.option(fc.string(), { nil: undefined }) }),
  fc.record({ do: fc.constant('release' as const), ...base }),
  fc.record({ do: fc.constant('expire' as const), key: fc.nat(1) }),
)

async function compare(
  t: ExecutionContext,
  store: IdempotencyStore,
  steps: Step[],
  name: string,
  expire: (key: string) => unknown,
) {
  const model = new Map<string, Kept>()
  for (const [index, step] of steps.entries()) {
    const key = `${name}-${step.key}`
    const wanted = expected(model, step, key)
    if (step.do === 'expire') {
      await expire(key)
      continue
    }
    const claim = { owner: `o${step.owner}`, payload: `p${step.payload}` }
    const given =
      step.do === 'begin'
        ? await store.begin(key, claim, 60_000)
        : step.do === 'finish'
          ? await store.finish(key, claim, step.answer, 60_000)
          : void (await store.release(key, claim))
    const shown =
      given && typeof given === 'object'
        ? { payload: given.payload, isRunning: given.isRunning, answer: given.answer }
        : given
    t.deepEqual(shown, wanted as never, `step ${index} of ${JSON.stringify(steps)}`)
  }
}

test('memoryStore() does what a plain model of it does', async t => {
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      count += 1
      // There is no clock to turn: who has a lease of no time has none.
      const store = memoryStore()
      const kept = new Map<string, Claim>()
      const watched: IdempotencyStore = {
        ...store,
        begin(key, claim, lease) {
          const found = store.begin(key, claim, lease)
          if (!found) kept.set(key, claim)
          return found
        },
      }
      await compare(t, watched, steps, `m${count}`, async key => {
        const claim = kept.get(key)
        if (claim && !(await store.begin(key, claim, 0))) await sleep(1)
        // Where nobody had it, the model has nobody too.
        if (claim) await store.release(key, claim)
      })
    }),
    { numRuns: 60 },
  )
})

testRedis('redisStore() does what a plain model of it does', async (t, redis, prefix) => {
  const store = redisStore(redis, { prefix })
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      count += 1
      await compare(t, store, steps, `r${count}`, async key => {
        if ((await redis.hget(prefix + key, 'state')) === 'running') await redis.pexpire(prefix + key, 0)
      })
    }),
    { numRuns: 60 },
  )
})
