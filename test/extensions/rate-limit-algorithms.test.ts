import test from 'ava'
import fc from 'fast-check'
import { memoryStore, type RateLimitStore, type RedisClient, type Rule, redisStore } from 'kolba/rate-limit'
import { compare, type Step } from '../support/limits.js'
import { testRedis } from '../support/redis.js'

const clock = { now: 1_700_000_000_000 }
Date.now = () => clock.now

const HOUR = 3_600_000

const rules = fc
  .record({
    algorithm: fc.constantFrom('fixed', 'sliding', 'gcra'),
    limit: fc.integer({ min: 1, max: 12 }),
    per: fc.constantFrom(HOUR, HOUR + 7000, 3 * HOUR),
    burst: fc.integer({ min: 1, max: 12 }),
  })
  .map(rule => ({ ...rule, burst: rule.algorithm === 'gcra' ? rule.burst : rule.limit })) as fc.Arbitrary<Rule>

const wait = fc.oneof(
  fc.constantFrom(0, 1, 999, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1, 2 * HOUR, 7 * HOUR),
  fc.integer({ min: 0, max: HOUR / 3 }),
)

function scripts(rule: Rule): fc.Arbitrary<Step[]> {
  const cost = fc.integer({ min: 0, max: rule.burst })
  const back = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })
  return fc.array(fc.record({ wait, cost, back }), { minLength: 1, maxLength: 25 })
}
const cases = rules.chain(rule => scripts(rule).map(steps => ({ rule, steps })))

test.serial(
  'memoryStore() counts as a slow and obvious model does, and its waits are right to the millisecond',
  async t => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ rule, steps }) => {
        const { theirs, ours, waits } = await compare(memoryStore(), rule, steps, clock)
        t.deepEqual(ours, theirs)
        t.deepEqual(waits, [])
      }),
      { numRuns: 60 },
    )
  },
)

/** The scripts as they are, except that their time is the test's, and that nothing expires by that of Redis meanwhile. */
function onClock(redis: RedisClient): RedisClient {
  const time = () => `{ '${Math.floor(clock.now / 1000)}', '${(clock.now % 1000) * 1000 + 999}' }`
  return {
    evalsha: () => Promise.reject(new Error('NOSCRIPT')),
    eval(text, keys, ...args) {
      const its = text.replace("redis.call('TIME')", time).replace('math.max(keep, 1)', `keep + ${HOUR}`)
      return redis.eval(its, keys, ...args)
    },
  }
}

testRedis('redisStore() counts as the model does', async (t, redis, prefix) => {
  let count = 0
  await fc.assert(
    fc.asyncProperty(cases, async ({ rule, steps }) => {
      count += 1
      const store = redisStore(onClock(redis), { prefix: `${prefix}${count}:` })
      const { theirs, ours, waits } = await compare(store, rule, steps, clock)
      t.deepEqual(ours, theirs)
      t.deepEqual(waits, [])
    }),
    { numRuns: 30 },
  )
})

const day: Rule = { algorithm: 'fixed', limit: 5, per: 86_400_000, burst: 5 }

test.serial('fixed begins a window with the first request, and the next when it is over', t => {
  const store = memoryStore()
  const take = (cost = 1) => store.take('a', cost, day) as { allowed: boolean; remaining: number; after: number }
  t.like(take(3), { allowed: true, remaining: 2, after: 86_400_000 })
  clock.now += 86_399_999
  t.like(take(3), { allowed: false, remaining: 2, after: 1 })
  t.like(take(2), { allowed: true, remaining: 0, after: 1 })
  clock.now += 1
  t.like(take(1), { allowed: true, remaining: 4, after: 86_400_000 })
})

test.serial('sliding lets no two windows meet at an edge', t => {
  const store = memoryStore()
  const rule: Rule = { algorithm: 'sliding', limit: 100, per: 60_000, burst: 100 }
  const take = (cost: number) => store.take('a', cost, rule) as { allowed: boolean; remaining: number; after: number }
  t.like(take(1), { allowed: true, remaining: 99, after: 60_000 })
  clock.now += 59_999
  t.like(take(99), { allowed: true, remaining: 0 })
  clock.now += 1
  t.like(take(1), { allowed: false, remaining: 0, after: 600 })
  clock.now += 30_000
  t.like(take(51), { allowed: false, remaining: 50, after: 600 })
  t.like(take(50), { allowed: true, remaining: 0, after: 600 })
  clock.now += 600
  t.like(take(1), { allowed: true, remaining: 0 })
})

test.serial('gcra lets a burst through and then an even rate', t => {
  const store = memoryStore()
  const rule: Rule = { algorithm: 'gcra', limit: 7, per: 60_000, burst: 3 }
  const take = () => store.take('a', 1, rule) as { allowed: boolean; remaining: number; after: number }
  t.deepEqual(
    [take(), take(), take(), take()].map(({ allowed }) => allowed),
    [true, true, true, false],
  )
  // Every 8571 3/7 ms there is one more.
  const times: number[] = []
  const start = clock.now
  while (times.length < 7) {
    clock.now += take().after
    if (take().allowed) times.push(clock.now - start)
  }
  t.deepEqual(times, [8572, 17_143, 25_715, 34_286, 42_858, 51_429, 60_000])
})

for (const algorithm of ['fixed', 'sliding', 'gcra'] as const) {
  const rule: Rule = { algorithm, limit: 2, per: HOUR, burst: 2 }

  async function setBack(store: RateLimitStore): Promise<boolean[]> {
    const allowed: boolean[] = []
    const take = async () => allowed.push((await store.take('a', 1, rule)).allowed)
    await take()
    clock.now -= 5 * HOUR
    await take()
    await take()
    clock.now += 2 * HOUR
    await take()
    clock.now += 3 * HOUR
    return allowed
  }

  test.serial(`${algorithm} neither forgets nor shuts out anybody when the clock is set back`, async t => {
    t.deepEqual(await setBack(memoryStore()), [true, true, false, true])
  })

  testRedis(`${algorithm} does so in Redis too`, async (t, redis, prefix) => {
    const answers = await setBack(redisStore(onClock(redis), { prefix }))
    t.deepEqual(answers, [true, true, false, true])
  })
}

test.serial('memoryStore() forgets who was not there for the longest time', async t => {
  const store = memoryStore({ keys: 2 })
  const take = async (key: string) => (await store.take(key, 5, day)).allowed
  t.true(await take('a'))
  t.true(await take('b'))
  t.false(await take('a'))
  t.true(await take('c'))
  t.false(await take('a'))
  t.true(await take('b'))
})

test.serial('memoryStore() gives back to a window that counts still, and to no other', async t => {
  const store = memoryStore()
  const { start } = await store.take('a', 5, day)
  await store.giveBack('a', 5, day, start - 1)
  t.false((await store.take('a', 1, day)).allowed)
  await store.giveBack('a', 2, day, start)
  t.is((await store.take('a', 1, day)).remaining, 1)
  await store.giveBack('a', 100, day, start)
  t.is((await store.take('a', 0, day)).remaining, 5)
  await store.giveBack('nobody', 1, day, start)
  t.is((await store.take('nobody', 0, day)).remaining, 5)
})

testRedis('redisStore() lets what it counts expire', async (t, redis, prefix) => {
  const store = redisStore(redis, { prefix })
  for (const [algorithm, low, high] of [
    ['fixed', 59_000, 60_000],
    ['sliding', 119_000, 120_000],
    ['gcra', 5000, 6000],
  ] as const) {
    await store.take(algorithm, 1, { algorithm, limit: 10, per: 60_000, burst: 10 })
    const left = await redis.pttl(prefix + algorithm)
    t.true(left > low && left <= high, `${algorithm} ${left}`)
  }
})

testRedis('redisStore() loads its scripts again where Redis has lost them', async (t, redis, prefix) => {
  const store = redisStore(redis, { prefix })
  t.is((await store.take('a', 1, day)).remaining, 4)
  await redis.script('FLUSH')
  const { remaining, start } = await store.take('a', 1, day)
  t.is(remaining, 3)
  await redis.script('FLUSH')
  await store.giveBack('a', 1, day, start)
  t.is((await store.take('a', 1, day)).remaining, 3)
})

test('memoryStore() and redisStore() refuse wrong arguments', t => {
  const words = 'Give a whole number of keys from 1 to 10000000.'
  for (const [keys, shown] of [
    [0, '0'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['5', '"5"'],
  ] as const) {
    t.throws(() => memoryStore({ keys: keys as never }), {
      instanceOf: TypeError,
      message: `memoryStore: the option keys is ${shown}. ${words}`,
    })
  }
  t.throws(() => redisStore({} as never), {
    instanceOf: TypeError,
    message: 'redisStore: this is no client of ioredis. Give one, or a URL like redis://localhost:6379.',
  })
  t.throws(() => redisStore('localhost'), {
    instanceOf: TypeError,
    message: 'redisStore: this is no URL of Redis. Give one like redis://localhost:6379.',
  })
  t.throws(() => redisStore({ eval: async () => 1, evalsha: async () => 1 }, { prefix: '' }), {
    instanceOf: TypeError,
    message: 'redisStore: the option prefix is "". Give a non-empty string.',
  })
})
