import { type Backend, LOCK } from './backend.ts'
import { checkPostgres, type Queryable } from './postgres.ts'
import { checkRedis, type RedisClient, redisClient } from './redis.ts'

export interface Connecting {
  readonly connection: string | object
  readonly backend: 'redis' | 'postgres'
  readonly prefix: string
  readonly timeout: number
  readonly warn: (message: string) => void
}

/** BullMQ over a connection, as far as it is used. */
export interface Connected {
  readonly base: Backend
  /** What the names of its queues begin with, where they are not in a place of their own. */
  readonly space: string
  close(): Promise<void>
}

interface Producer {
  getBackend(): Backend & { readonly connection: { readonly pool: Queryable } }
  waitUntilReady(): Promise<void>
  close(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

interface BullMQ {
  readonly FlowProducer: new (options: object, factory?: unknown) => Producer
  readonly createPostgresBackend: unknown
  readonly DEFAULT_SCHEMA: string
  runMigrations(client: unknown, schema: string): Promise<number>
}

// It is never BullMQ that gives a job up, and it may look for lost ones as often as it is told to.
const OPTIONS = { lockDuration: LOCK, maxStalledCount: 2 ** 31 - 1, stalledInterval: 1 }

export async function connect(connecting: Connecting): Promise<Connected> {
  const { backend } = connecting
  const bullmq = (await load(
    'bullmq',
    backend === 'redis' ? 'bullmq ioredis' : 'bullmq pg',
    () => import('bullmq'),
  )) as BullMQ
  return backend === 'redis' ? onRedis(bullmq, connecting) : onPostgres(bullmq, connecting)
}

async function onRedis(
  { FlowProducer }: BullMQ,
  { connection, prefix, timeout, warn }: Connecting,
): Promise<Connected> {
  const isGiven = isClient(connection)
  const client = isGiven ? connection : await redisClient(connection, timeout)
  try {
    await checkRedis(client, warn)
    const producer = new FlowProducer({ connection: client, prefix, ...OPTIONS })
    return await ready(producer, '', async () => {
      if (!isGiven) client.disconnect()
    })
  } catch (error) {
    if (!isGiven) client.disconnect()
    throw error
  }
}

async function onPostgres(bullmq: BullMQ, { connection, prefix, timeout, warn }: Connecting): Promise<Connected> {
  const { FlowProducer, createPostgresBackend, DEFAULT_SCHEMA } = bullmq
  await load('pg', 'pg', () => import('pg'))
  const isGiven = isPool(connection)
  if (isGiven) await migrate(bullmq, connection, DEFAULT_SCHEMA)
  const given = isGiven ? connection : poolConfig(connection, prefix, timeout)
  const producer = new FlowProducer({ connection: given, ...OPTIONS }, createPostgresBackend)
  const connected = await ready(producer, isGiven ? `${prefix}/` : '', async () => {})
  try {
    await checkPostgres(producer.getBackend().connection.pool, warn)
  } catch (error) {
    await connected.close()
    throw error
  }
  return connected
}

async function ready(producer: Producer, space: string, release: () => Promise<void>): Promise<Connected> {
  // Whoever asks for something hears of it: a connection that is lost must not end the process.
  producer.on('error', () => {})
  const close = async () => {
    await producer.close()
    await release()
  }
  try {
    await producer.waitUntilReady()
  } catch (error) {
    await close()
    throw error
  }
  return { base: producer.getBackend(), space, close }
}

/** A pool that was given decides itself where it looks for tables: it has to find those of BullMQ. */
async function migrate(bullmq: BullMQ, pool: PgPool, schema: string): Promise<void> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query('select current_setting($1) as path', ['search_path'])
    if (!String(rows[0]?.path).includes(schema))
      throw new TypeError(
        `bullmq: the pool does not look for tables in the schema ${schema}. Give it options: '-c search_path=${schema}', or give its URL here.`,
      )
    await bullmq.runMigrations(client, schema)
  } finally {
    client.release()
  }
}

function poolConfig(connection: string | object, schema: string, timeout: number): object {
  const given = typeof connection === 'string' ? { connectionString: connection } : connection
  const { connectionString, ...rest } = given as { connectionString?: string; options?: string }
  const own = { migrate: true, connectionTimeoutMillis: timeout, schema, ...rest }
  if (connectionString === undefined) return own
  // BullMQ sets the search path in the options, which those in a URL would undo.
  const url = new URL(connectionString)
  const options = [url.searchParams.get('options'), rest.options].filter(it => it).join(' ')
  url.searchParams.delete('options')
  return { ...own, connectionString: url.href, ...(options && { options }) }
}

async function load(name: string, both: string, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load()
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new TypeError(`bullmq: the package ${name} is not here. Install it: npm install ${both}`, { cause: error })
  }
}

interface PgPool {
  connect(): Promise<Queryable & { release(): void }>
  query: Queryable['query']
  end(): Promise<void>
}

export function isClient(value: unknown): value is RedisClient {
  return hasAll(value, ['defineCommand', 'duplicate', 'info', 'disconnect'])
}

export function isPool(value: unknown): value is PgPool {
  return hasAll(value, ['connect', 'query', 'end'])
}

function hasAll(value: unknown, names: string[]): boolean {
  return names.every(name => typeof (value as Record<string, unknown> | null)?.[name] === 'function')
}
