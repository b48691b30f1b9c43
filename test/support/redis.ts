import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'

/** Where the tests look for Redis; they write under prefixes of their own alone. */
const SERVER = process.env.KOLBA_REDIS ?? 'redis://127.0.0.1:6379'

const reason = await unreachable()
let count = 0

/** A server of Redis, and what the keys of one test begin with. */
export interface RedisPlace {
  readonly url: string
  readonly client: Redis
  readonly prefix: string
}

/**
 * A test with a client of Redis and a prefix of its own, whose keys are deleted when it ends. Where there is no server
 * the test is skipped, under a title that says so, or fails if `KOLBA_REQUIRE` names `redis`.
 */
export function testRedis(title: string, run: (t: ExecutionContext, place: RedisPlace) => Promise<void>): void {
  if (!reason) return test(title, t => withPrefix(place => run(t, place)))
  if (process.env.KOLBA_REQUIRE?.includes('redis')) return test(title, t => t.fail(reason))
  test.skip(`${title} (skipped: ${reason})`, t => t.pass())
}

async function unreachable(): Promise<string | undefined> {
  const client = new Redis(SERVER, { lazyConnect: true, connectTimeout: 2000, retryStrategy: () => null })
  // What it says of a lost connection is what connect() rejects with too.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } catch (error) {
    return `there is no Redis at ${SERVER}: ${(error as Error).message || String(error)}`
  } finally {
    client.disconnect()
  }
}

async function withPrefix(run: (place: RedisPlace) => Promise<void>): Promise<void> {
  const client = new Redis(SERVER)
  count += 1
  const prefix = `kolba-test:${process.pid}:${Date.now()}:${count}:`
  try {
    await run({ url: SERVER, client, prefix })
  } finally {
    const keys = await client.keys(`${prefix}*`)
    if (keys.length > 0) await client.del(...keys)
    client.disconnect()
  }
}
