import { among, checkOptions, type Kind, kinds } from '../../src/index.ts'
import { connect, isClient, isPool } from './bullmq/connect.ts'
import { type Opened, opened } from './bullmq/opened.ts'
import type { Engine, Job } from './engine.ts'

export interface BullMQOptions {
  /** Where the connection does not tell: options of ioredis are for Redis, of pg for PostgreSQL. */
  backend?: 'redis' | 'postgres'
  /** What its keys in Redis begin with; in PostgreSQL the schema of its tables. @default 'kolba' */
  prefix?: string
  /** Seconds to wait for an answer, then what was asked is refused. @default 5 */
  timeout?: number
  /** What warns of a database that may lose jobs. @default warnings of the process */
  logger?: { warn(message: string): void }
}

/** How often those who watch are told to look, in milliseconds. */
const LOOK = 250

const logger: Kind = {
  words: 'an object with the method warn',
  test: value => typeof (value as { warn?: unknown } | null)?.warn === 'function',
}

/**
 * Keeps jobs in BullMQ, on Redis or on PostgreSQL, for as many processes on as many machines as there are. It needs
 * `bullmq`, and `ioredis` or `pg`: `npm install bullmq ioredis`.
 *
 * `connection` is a URL (`redis://`, `rediss://`, `postgres://`), options of ioredis or of pg, a client of ioredis or a
 * pool of pg. What it was given it does not close; what it has made it does. All queues share one connection or pool.
 * Each task has a queue of its own, so that what shows queues of BullMQ shows these; there is one more, `%jobs`, which
 * belongs to this engine. Nobody else should add to them or take from them.
 *
 * `open()` refuses a Redis that throws keys away when its memory is full, and a server that is too old for BullMQ. It
 * warns of one that does not keep on disk what it confirms. That no accepted job is lost takes `appendonly yes` and
 * `appendfsync always` in Redis, or a PostgreSQL as it comes. A Redis Cluster takes a prefix in braces, `{kolba}`.
 * In PostgreSQL `open()` makes and updates the tables of BullMQ in the schema named by `prefix`; a pool that is given
 * has to have `-c search_path=bullmq` in its options, and the tables are there.
 *
 * Where it differs from an engine that has its own tables:
 * - Jobs with the same priority begin as they came or became due, as BullMQ has it; in PostgreSQL one that was delayed
 *   or is done again begins before those that came after it was added. Priorities are whole numbers within a million
 *   of 0.
 * - The lease of a process that has died is found to be over within two seconds, if somebody asks for jobs.
 * - `limit` is exact within 1,000 of it; further away the count may be a second old.
 * - Another process hears of a change within a quarter of a second.
 * - A process that dies while it adds a job with a key has the next add with this key wait for three seconds.
 *
 * @throws TypeError for what is no connection, for a wrong option, and from `open()` where a package is missing. While
 * the database cannot be reached every call rejects within the `timeout`; a job may have been kept nevertheless.
 * @example jobs({ engine: bullmq(process.env.REDIS_URL) })
 */
export function bullmq(connection: string | object, options: BullMQOptions = {}): Engine {
  checkOptions('bullmq', options, {
    backend: among('redis', 'postgres'),
    prefix: kinds.text,
    timeout: kinds.seconds,
    logger,
  })
  const { prefix = 'kolba', timeout = 5 } = options
  const backend = backendOf(connection, options.backend)
  if (backend === 'postgres' && !isPool(connection) && !/^[a-z_]\w{0,62}$/i.test(prefix))
    throw new TypeError(
      `bullmq: the prefix "${prefix}" cannot be the name of a schema in PostgreSQL. Give one of letters, digits and _.`,
    )
  const ms = timeout * 1000
  const warn = (message: string) => (options.logger ? options.logger.warn(message) : process.emitWarning(message))
  const watchers = new Set<NodeJS.Timeout>()
  let open: Opened | undefined

  /** Whoever asks is answered in time, whatever the connection does. */
  async function ask<T>(use: (parts: Opened) => Promise<T>): Promise<T> {
    if (!open) throw new Error('bullmq: it is not open. Call open() first, and nothing after close().')
    return inTime(use(open), ms)
  }

  async function* list(owner: string): AsyncGenerator<Job> {
    const seen = new Set<string>()
    const pages = (await ask(async ({ queues }) => queues)).owners.ids(owner)
    for (;;) {
      const page = await ask(() => pages.next())
      if (page.done) return
      const fresh = page.value.filter(id => !seen.has(id))
      for (const id of fresh) seen.add(id)
      const jobs = await ask(parts => Promise.all(fresh.map(id => parts.get(id))))
      for (const job of jobs) if (job && job.state !== 'expired') yield job
    }
  }

  return {
    name: 'bullmq',
    isLasting: true,
    async open() {
      if (open) return
      const connecting = connect({ connection, backend, prefix, timeout: ms, warn })
      try {
        // It knows better what is wrong, and has as long.
        open = opened(await inTime(connecting, ms + 1000), prefix, ms)
      } catch (error) {
        connecting.then(
          ({ close }) => close(),
          () => {},
        )
        throw error
      }
    },
    async close() {
      for (const timer of watchers) clearInterval(timer)
      watchers.clear()
      const was = open
      open = undefined
      await was?.close()
    },
    add: job => ask(parts => parts.add(job)),
    get: id => ask(parts => parts.get(id)),
    list,
    claim: (task, lease) => ask(({ claims }) => claims.claim(task, lease)),
    due: task => ask(parts => parts.due(task)),
    waiting: task => ask(({ limits }) => limits.waiting(task)),
    renew: (claim, lease) => ask(({ claims }) => claims.renew(claim, lease)),
    progress: (claim, progress) => ask(({ claims }) => claims.progress(claim, progress)),
    finish: (claim, ending, result, keep) => ask(({ claims }) => claims.finish(claim, ending, result, keep)),
    retry: (claim, due) => ask(({ claims }) => claims.retry(claim, due)),
    release: claim => ask(({ claims }) => claims.release(claim)),
    cancel: (id, keep) => ask(({ cancels }) => cancels.cancel(id, keep)),
    expire: id => ask(({ sweeper }) => sweeper.expire(id)),
    async sweep() {
      const { sweeper } = await ask(async parts => parts)
      // There may be much to do: what takes its time here is not the connection.
      await sweeper.sweep()
    },
    watch(changed) {
      const timer = setInterval(() => changed(), LOOK).unref()
      watchers.add(timer)
      return () => {
        clearInterval(timer)
        watchers.delete(timer)
      }
    },
  }
}

function backendOf(connection: unknown, backend: 'redis' | 'postgres' | undefined): 'redis' | 'postgres' {
  if (typeof connection === 'string') {
    const scheme = /^(rediss?|postgres(?:ql)?):\/\//.exec(connection)?.[1]
    if (scheme) return scheme.startsWith('redis') ? 'redis' : 'postgres'
    throw new TypeError('bullmq: the URL begins with neither redis:// nor rediss:// nor postgres://. Give such a one.')
  }
  if (typeof connection !== 'object' || connection === null)
    throw new TypeError('bullmq: there is no connection. Give a URL, options, a client of ioredis or a pool of pg.')
  if (backend) return backend
  if (isClient(connection)) return 'redis'
  if (isPool(connection) || 'connectionString' in connection) return 'postgres'
  if ('url' in connection) return 'redis'
  throw new TypeError("bullmq: it cannot be told what these options are for. Give backend: 'redis' or 'postgres'.")
}

function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`bullmq: there was no answer within ${ms / 1000} s. Is the database there?`))
    const timer = setTimeout(late, ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
