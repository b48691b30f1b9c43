import { createHash } from 'node:crypto'
import { checkOptions, type Kind, kinds } from '../../src/index.ts'
import type { IdempotencyStore } from './store.ts'

/** What is used of a client of ioredis. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
}

export interface RedisStoreOptions {
  /** What its keys begin with. @default 'kolba:idempotency:' */
  prefix?: string
  /** Seconds to wait for Redis, then the request is refused. @default 2 */
  timeout?: number
}

// A key is a hash. It lives as long as the lease while it is running, which a process that has died does not renew, and
// as long as the ttl when it has ended.
const BEGIN = script(`
  local owner, payload, state, answer = unpack(redis.call('HMGET', KEYS[1], 'owner', 'payload', 'state', 'answer'))
  if state == 'ended' or (owner and owner ~= ARGV[1]) then return { payload, state, answer } end
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'payload', ARGV[2], 'state', 'running')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return false`)

const FINISH = script(`
  local owner = redis.call('HGET', KEYS[1], 'owner')
  if owner and owner ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'payload', ARGV[2], 'state', 'ended')
  if ARGV[4] then redis.call('HSET', KEYS[1], 'answer', ARGV[4]) else redis.call('HDEL', KEYS[1], 'answer') end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1`)

const RELEASE = script(`
  if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'state') == 'ended' then return 0 end
  return redis.call('DEL', KEYS[1])`)

const client: Kind = {
  words: 'a client of ioredis, new Redis(url)',
  test: it => ['eval', 'evalsha'].every(name => typeof (it as Record<string, unknown> | null)?.[name] === 'function'),
}

/**
 * Keeps keys in Redis, for all processes that are given the same one. Each step is one script, which Redis runs at once.
 * Answers lie there as they were sent, for as long as the `ttl`. The client is yours: close it in `app.onStop`.
 *
 * A Redis that loses what it was told (no persistence, a failover, `maxmemory` with eviction) has the write done again.
 *
 * @throws TypeError for what is no client, and for a wrong option
 * @example idempotent({ store: redisStore(new Redis(process.env.REDIS_URL)) })
 */
export function redisStore(redis: RedisClient, options: RedisStoreOptions = {}): IdempotencyStore {
  checkOptions('redisStore', { client: redis ?? null }, { client })
  checkOptions('redisStore', options, { prefix: kinds.text, timeout: kinds.seconds })
  const { prefix = 'kolba:idempotency:', timeout = 2 } = options

  async function run({ text, sha }: Script, key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(sha, 1, prefix + key, ...args)
    } catch (error) {
      // A Redis that was started anew knows no script.
      if (!/^NOSCRIPT/.test((error as Error)?.message)) throw error
      return redis.eval(text, 1, prefix + key, ...args)
    }
  }
  const ask: typeof run = (...args) => inTime(run(...args), timeout)

  return {
    async begin(key, { owner, payload }, lease) {
      const found = (await ask(BEGIN, key, owner, payload, Math.ceil(lease))) as (string | null)[] | null
      if (!found) return undefined
      return { payload: String(found[0]), isRunning: found[1] !== 'ended', answer: found[2] ?? undefined }
    },
    async finish(key, { owner, payload }, answer, ttl) {
      return (await ask(FINISH, key, owner, payload, Math.ceil(ttl), ...(answer === undefined ? [] : [answer]))) === 1
    },
    release: (key, { owner }) => ask(RELEASE, key, owner),
  }
}

interface Script {
  readonly text: string
  readonly sha: string
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** A client may wait for its connection for as long as it likes. */
function inTime<T>(promise: Promise<T>, seconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`redisStore: Redis did not answer within ${seconds} s. Is it there?`))
    const timer = setTimeout(late, seconds * 1000)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
