import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Redis } from 'ioredis'
import { kolba, problem } from 'kolba'
import { type RateLimitOptions, type RateLimitStore, rateLimit, redisStore } from 'kolba/rate-limit'
import { forked } from '../support/forked.js'
import { Gate } from '../support/gate.js'
import { MemoryLogger } from '../support/memory-logger.js'
import { SERVER, testRedis } from '../support/redis.js'

const program = fileURLToPath(new URL('../support/limited.js', import.meta.url))

for (const algorithm of ['fixed', 'sliding', 'gcra'] as const) {
  testRedis(
    `redisStore() lets 100 of 400 requests of four processes through, by ${algorithm}`,
    async (t, _, prefix) => {
      const children = Array.from({ length: 4 }, () => forked(program, [SERVER, prefix, algorithm, '100']))
      await Promise.all(children.map(child => once(child, 'message')))
      const answers = children.map(child => once(child, 'message'))
      for (const child of children) child.send('go')
      const statuses = (await Promise.all(answers)).flatMap(([message]) => message as number[])
      await Promise.all(children.map(child => child.exitCode ?? once(child, 'exit')))
      t.is(statuses.length, 400)
      t.is(statuses.filter(status => status === 200).length, 100)
      t.is(statuses.filter(status => status === 429).length, 300)
    },
  )
}

testRedis('redisStore() is one count for the apps of one name and place', async (t, redis, prefix) => {
  const app = (options: Partial<RateLimitOptions>) => {
    const app = kolba({ logger: new MemoryLogger() })
    app.get('/', rateLimit('2/hour', { store: redisStore(redis, { prefix }), ...options }), () => 'ok')
    return app.client()
  }
  const get = async (client: ReturnType<typeof app>) => (await client.get('/')).status
  // Without a name it is where it stands.
  t.deepEqual([await get(app({})), await get(app({})), await get(app({}))], [200, 200, 429])
  t.is(await get(app({ name: 'another' })), 200)
  t.is(await get(app({ name: 'another' })), 200)
  t.is(await get(app({ name: 'another' })), 429)
  const keys = (await redis.keys(`${prefix}*`)).map(key => key.slice(prefix.length)).sort()
  t.deepEqual(keys, [
    '13:GET / default,5:fixed,n2,n3600000,n2,a127.0.0.1',
    '7:another,5:fixed,n2,n3600000,n2,a127.0.0.1',
  ])
})

testRedis('redisStore() gives back what `when` does not count', async (t, redis, prefix) => {
  const app = kolba({ logger: new MemoryLogger() })
  const store = redisStore(redis, { prefix })
  app.get('/', rateLimit('2/hour', { store, when: status => status === 401 }), ctx => ctx.query.ok ?? problem(401))
  const client = app.client()
  const found: string[] = []
  for (const path of ['/?ok=1', '/?ok=1', '/?ok=1', '/', '/?ok=1', '/', '/?ok=1']) {
    const { status, headers } = await client.get(path)
    found.push(`${status} ${headers.get('RateLimit')}`)
  }
  t.deepEqual(found, [
    '200 "default";r=2;t=3600',
    '200 "default";r=2;t=3600',
    '200 "default";r=2;t=3600',
    '401 "default";r=1;t=3600',
    '200 "default";r=1;t=3600',
    '401 "default";r=0;t=3600',
    '429 "default";r=0;t=3600',
  ])
})

testRedis(
  'redisStore() makes a client of a URL, which is there before the app listens and ends with it',
  async (t, redis, prefix) => {
    const name = `kolba${process.pid}`
    const url = new URL(SERVER)
    const app = kolba({ logger: new MemoryLogger(), signals: false })
    const store = redisStore(`${url}?connectionName=${name}`, { prefix })
    app.get('/', rateLimit('1/hour', { store }), () => 'ok')
    app.get('/other', rateLimit('1/hour', { store }), () => 'ok')
    const connections = async () => String(await redis.client('LIST')).split(`name=${name} `).length - 1
    await app.start()
    t.is(await connections(), 1)
    const client = app.client()
    t.is((await client.get('/')).status, 200)
    t.is((await client.get('/')).status, 429)
    await app.close()
    while ((await connections()) > 0) await new Promise(resolve => setTimeout(resolve, 10))
    t.is(await connections(), 0)
  },
)

/** An app behind a gate to Redis: `/` is traffic, `/login` counts failures. */
async function gated(prefix: string) {
  const gate = new Gate(new URL(SERVER))
  const redis = new Redis(await gate.open(), '127.0.0.1', { retryStrategy: () => 20 })
  redis.on('error', () => {})
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.on('error', () => {})
  const store = redisStore(redis, { prefix })
  app.get('/', rateLimit('100/hour', { store }), () => 'ok')
  app.get('/login', rateLimit('100/hour', { store, when: status => status === 401 }), () => 'in')
  await app.start()
  const close = () => {
    redis.disconnect()
    gate.close()
  }
  return { gate, logger, client: app.client(), close }
}

const GONE = (becomes: string) => `error rateLimit: the store does not answer. Until it does, requests are ${becomes}.`
const BACK = 'info rateLimit: the store answers again.'
const written = ({ lines }: MemoryLogger) => lines.map(({ level, message }) => `${level} ${message}`)

for (const way of ['block', 'cut'] as const) {
  testRedis(
    `rateLimit() lets traffic through while Redis is away, by ${way}, and counts when it is back`,
    async (t, _, prefix) => {
      const { gate, logger, client, close } = await gated(prefix)
      const get = async () => {
        const { status, headers } = await client.get('/')
        return `${status} ${headers.get('RateLimit')}`
      }
      t.is(await get(), '200 "default";r=99;t=3600')
      gate.block()
      if (way === 'cut') gate.cut()
      t.is(await get(), '200 null')
      const all = await Promise.all(Array.from({ length: 50 }, get))
      t.deepEqual(new Set(all), new Set(['200 null']))
      t.deepEqual(written(logger), [GONE('let through')])
      gate.block(false)
      gate.cut()
      let last = ''
      while (!last.includes('"default";r=')) {
        await new Promise(resolve => setTimeout(resolve, 50))
        last = await get()
      }
      t.deepEqual(written(logger), [GONE('let through'), BACK])
      close()
    },
  )
}

testRedis('rateLimit() refuses attempts to sign in while Redis is away', async (t, _, prefix) => {
  const { gate, logger, client, close } = await gated(prefix)
  t.is((await client.get('/login')).status, 200)
  gate.block()
  for (let index = 0; index < 3; index += 1) {
    const response = await client.get('/login')
    t.is(response.status, 503)
    t.is(response.headers.get('Retry-After'), '1')
    const { requestId, ...document } = (await response.json()) as Record<string, unknown>
    t.deepEqual(document, { type: 'about:blank', title: 'Service Unavailable', status: 503 })
  }
  t.deepEqual(
    written(logger).filter(line => line.includes('rateLimit')),
    [GONE('refused')],
  )
  t.deepEqual(logger.lines[0]?.fields, { limit: 'default', reason: 'no answer within 100 ms' })
  close()
})

test('rateLimit() does what onStoreFailure says, whatever goes wrong in a store', async t => {
  const broken: [string, () => never | Promise<never>][] = [
    [
      'thrown',
      () => {
        throw new Error('x')
      },
    ],
    ['rejected', () => Promise.reject(new Error('y'))],
    ['no error', () => Promise.reject('z')],
    ['late', () => new Promise<never>(() => {})],
  ]
  for (const [what, take] of broken) {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    app.on('error', () => {})
    const store: RateLimitStore = { take, giveBack: () => {} }
    app.get('/allow', rateLimit('1/min', { store }), () => 'ok')
    app.get('/refuse', rateLimit('1/min', { store, onStoreFailure: 'refuse' }), () => 'ok')
    const client = app.client()
    t.is((await client.get('/allow')).status, 200, what)
    t.is((await client.get('/allow')).status, 200, what)
    t.is((await client.get('/refuse')).status, 503, what)
    t.deepEqual(
      written(logger).filter(line => line.includes('rateLimit')),
      [GONE('let through'), GONE('refused')],
      what,
    )
  }
})

test('rateLimit() waits once for a store that does not answer, and not with every request', async t => {
  let asked = 0
  const store: RateLimitStore = {
    take() {
      asked += 1
      return new Promise(() => {})
    },
    giveBack: () => {},
  }
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', rateLimit('1/min', { store }), () => 'ok')
  const client = app.client()
  for (let index = 0; index < 30; index += 1) t.is((await client.get('/')).status, 200)
  t.true(asked < 30, String(asked))
})

test('rateLimit() takes an answer that has come while the process was busy', async t => {
  const inner = kolba({ logger: new MemoryLogger() })
  inner.get('/', () => ({ allowed: true, remaining: 7, after: 1000, start: 0 }))
  const server = inner.listen(0)
  const { port } = server.address() as { port: number }
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).json() as never
  await ask()
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const store: RateLimitStore = {
    take() {
      setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400))
      return ask()
    },
    giveBack: () => {},
  }
  app.get('/', rateLimit('9/min', { store }), () => 'ok')
  const { headers } = await app.client().get('/')
  t.is(headers.get('RateLimit'), '"default";r=7;t=1')
  t.deepEqual(logger.lines, [])
  server.close()
})
