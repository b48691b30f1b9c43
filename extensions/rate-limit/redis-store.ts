import { createRequire } from 'node:module'
import { checkOptions, kinds } from '../../src/index.ts'
import type { Rule } from './rule.ts'
import { GIVE, type Script, TAKE } from './scripts.ts'
import type { RateLimitStore } from './store.ts'

/** What is used of a client of the package ioredis; a cluster does too. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
}

export interface RedisStoreOptions {
  /** What its keys begin with. @default 'kolba:limit:' */
  prefix?: string
}

/** How long the app waits for Redis before it listens, in milliseconds. It listens without, too. */
const PATIENCE = 2000

/**
 * Counts in Redis, for all processes together, in one atomic script a request, by the clock of Redis. What is counted
 * expires there by itself.
 *
 * @param redis a client of ioredis 5 or 6, which stays yours to close; or a URL, `redis://localhost:6379`, of which a
 *   client is made that closes with the app
 * @throws TypeError for what is neither, for a wrong option, and for a URL where the package ioredis is not installed
 * @example
 * const redis = new Redis()
 * app.get('/books', rateLimit('100/min', { name: 'books', store: redisStore(redis) }), () => shelf.all())
 */
export function redisStore(redis: RedisClient | string, options: RedisStoreOptions = {}): RateLimitStore {
  checkOptions('redisStore', options, { prefix: kinds.text })
  const { prefix = 'kolba:limit:' } = options
  const own = typeof redis === 'string' ? connect(redis) : undefined
  const client = own ?? (redis as RedisClient)
  if (typeof client?.evalsha !== 'function' || typeof client.eval !== 'function')
    throw new TypeError('redisStore: this is no client of ioredis. Give one, or a URL like redis://localhost:6379.')

  const sent = new Set<Script>()

  async function run(script: Script, key: string, cost: number, rule: Rule, start = 0): Promise<unknown> {
    const args = [prefix + key, cost, rule.limit, rule.per, rule.burst, start]
    // The first goes with its text, so that Redis knows it when the next comes.
    if (!sent.has(script)) {
      sent.add(script)
      return client.eval(script.text, 1, ...args)
    }
    try {
      return await client.evalsha(script.sha, 1, ...args)
    } catch (error) {
      // Redis has been started again, or this is another node of a cluster.
      if (!String(error).includes('NOSCRIPT')) throw error
      return client.eval(script.text, 1, ...args)
    }
  }

  return {
    async take(key, cost, rule) {
      const [allowed, remaining, after, start] = (await run(TAKE[rule.algorithm], key, cost, rule)) as number[]
      return { allowed: allowed === 1, remaining, after, start } as never
    },
    giveBack: (key, cost, rule, start) => run(GIVE, key, cost, rule, start),
    // Of the first requests none should wait for the connection, or be let through because it is not there yet.
    open: () => settled(client.eval('return 1', 0)),
    close: () => own?.disconnect(),
  }
}

interface OwnClient extends RedisClient {
  on(event: 'error', listener: () => void): unknown
  disconnect(): void
}

function connect(url: string): OwnClient {
  if (!/^rediss?:\/\/./.test(url))
    throw new TypeError('redisStore: this is no URL of Redis. Give one like redis://localhost:6379.')
  const Redis = load()
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 })
  // Each request that fails by it tells its rateLimit(), which logs it once.
  client.on('error', () => {})
  return client
}

function load(): new (url: string, options: object) => OwnClient {
  const require = createRequire(import.meta.url)
  try {
    return require('ioredis').Redis
  } catch (error) {
    throw new TypeError('redisStore: a URL is opened by the package ioredis. Run npm install ioredis.', {
      cause: error,
    })
  }
}

/** Waits for an end, good or bad, as long as patience lasts. */
function settled(promise: Promise<unknown>): Promise<void> {
  return new Promise(resolve => {
    const late = setTimeout(resolve, PATIENCE)
    const go = () => {
      clearTimeout(late)
      resolve()
    }
    promise.then(go, go)
  })
}
