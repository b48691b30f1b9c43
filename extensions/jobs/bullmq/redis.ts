/** What is used of a client of ioredis. */
export interface RedisClient {
  readonly status: string
  connect(): Promise<void>
  disconnect(): void
  info(): Promise<string>
  config(get: 'GET', name: string): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A connection of our own: what is asked while it is away is refused at once, and not done some time later. */
export async function redisClient(connection: string | object, timeout: number): Promise<RedisClient> {
  const { Redis } = await ioredis()
  const { url, ...given } = (typeof connection === 'string' ? { url: connection } : connection) as { url?: string }
  const options = {
    connectTimeout: timeout,
    retryStrategy: (times: number) => Math.min(times * 100, 2000),
    ...given,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  }
  const client = url === undefined ? new Redis(options) : new Redis(url, options)
  let last: Error | undefined
  client.on('error', error => {
    last = error
  })
  try {
    await client.connect()
  } catch (error) {
    client.disconnect()
    const why = (last ?? (error as Error)).message || String((last as { code?: string }).code)
    throw new Error(`bullmq: Redis cannot be reached: ${why}. Is it there?`, { cause: last ?? error })
  }
  return client
}

async function ioredis(): Promise<{ Redis: new (...options: unknown[]) => RedisClient }> {
  try {
    return (await import('ioredis')) as unknown as { Redis: new (...options: unknown[]) => RedisClient }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new TypeError('bullmq: the package ioredis is not here. Install it: npm install ioredis', { cause: error })
  }
}

/** Refuses a Redis that would throw jobs away, and warns of one that forgets them when it ends. */
export async function checkRedis(client: RedisClient, warn: (message: string) => void): Promise<void> {
  const info = await client.info()
  const policy = fieldOf(info, 'maxmemory_policy') ?? (await configOf(client, 'maxmemory-policy'))
  if (policy !== undefined && policy !== 'noeviction')
    throw new Error(
      `bullmq: this Redis throws away keys when its memory is full (maxmemory-policy is ${policy}), and jobs with them. Set it: CONFIG SET maxmemory-policy noeviction, and in redis.conf.`,
    )
  if (fieldOf(info, 'aof_enabled') !== '0') return
  const save = await configOf(client, 'save')
  if (save !== '') return
  warn(
    'bullmq: this Redis keeps nothing on disk (appendonly is no, save is empty), so jobs are lost when it ends. Set appendonly yes, and appendfsync always where none may be lost.',
  )
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
}

/** Undefined where it may not be asked for. */
async function configOf(client: RedisClient, name: string): Promise<string | undefined> {
  try {
    const answer = await client.config('GET', name)
    return Array.isArray(answer) && answer.length > 1 ? String(answer[1]) : undefined
  } catch (error) {
    if (!/^(?:ERR|NOPERM)/.test((error as Error).message)) throw error
    return undefined
  }
}
