import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'

/** Where the tests look for Redis; each writes under a prefix of its own. */
export const SERVER = process.env.KOLBA_REDIS ?? 'redis://127.0.0.1:6379'

const reason = await unreachable()

/** For tests that connect themselves. */
export const redis = {
  url: SERVER,
  reason,
  /** Deletes what is under a prefix. */
  async clear(prefix: string): Promise<void> {
    const client = new Redis(SERVER)
    const keys = await client.keys(`${prefix}*`)
    if (keys.length > 0) await client.unlink(...keys)
    client.disconnect()
  },
}

/**
 * A test with a client of Redis and a prefix for its keys, which are deleted afterwards; alone, as the others that are serial. Where there is no server the
 * test is skipped, under a title that says so, or fails if `KOLBA_REQUIRE` names `redis`.
 */
export function testRedis(
  title: string,
  run: (t: ExecutionContext, redis: Redis, prefix: string) => Promise<void>,
): void {
  if (!reason) return test.serial(title, t => withPrefix((redis, prefix) => run(t, redis, prefix)))
  if (process.env.KOLBA_REQUIRE?.includes('redis')) return test(title, t => t.fail(reason))
  test.skip(`${title} (skipped: ${reason})`, t => t.pass())
}

async function unreachable(): Promise<string | undefined> {
  const redis = new Redis(SERVER, { lazyConnect: true, connectTimeout: 2000, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    return `there is no Redis at ${SERVER}: ${(error as Error).message}`
  } finally {
    redis.disconnect()
  }
}

let count = 0

async function withPrefix(run: (redis: Redis, prefix: string) => Promise<void>): Promise<void> {
  const redis = new Redis(SERVER)
  count += 1
  const prefix = `kolba-test:${process.pid}:${Date.now()}:${count}:`
  try {
    await run(redis, prefix)
  } finally {
    const keys = await redis.keys(`${prefix}*`)
    if (keys.length > 0) await redis.del(...keys)
    redis.disconnect()
  }
}
