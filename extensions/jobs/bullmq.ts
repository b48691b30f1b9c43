import { among, checkOptions, type Kind, kinds } from '../../src/index.ts'
import { Cancels } from './bullmq/cancels.ts'
import { Claims } from './bullmq/claims.ts'
import { type Connected, connect, isClient, isPool } from './bullmq/connect.ts'
import { Keys, SLOW } from './bullmq/keys.ts'
import { Limits } from './bullmq/limits.ts'
import { Queues } from './bullmq/queues.ts'
import { dataOf, newJobOf } from './bullmq/record.ts'
import { Sweeper } from './bullmq/sweep.ts'
import type { Added, Engine, Job, NewJob } from './engine.ts'

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
      const connecting = { connection, backend, prefix, timeout: ms, warn }
      open ??= partsOf(await inTime(connect(connecting), ms + 1000), prefix)
    },
    async close() {
      const { connected } = open ?? {}
      open = undefined
      if (connected) await connected.close()
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
      // There may be much to do: what takes its time here is not the connection.
      if (open) await open.sweeper.sweep()
    },
    watch(changed) {
      const timer = setInterval(() => changed(), LOOK).unref()
      return () => clearInterval(timer)
    },
  }
}

type Opened = ReturnType<typeof partsOf>

function partsOf(connected: Connected, prefix: string) {
  const queues = new Queues(connected.base, prefix, connected.space)
  const keys = new Keys(queues, get)
  const cancels = new Cancels(queues, keys)
  const claims = new Claims(queues, cancels, keys)
  const limits = new Limits(queues)
  const sweeper = new Sweeper(queues, keys)

  async function get(id: string): Promise<Job | undefined> {
    const { entity, listed } = await queues.find(id)
    return entity ? cancels.seen(entity) : listed?.ended?.job
  }

  async function add(job: NewJob): Promise<Added> {
    const since = performance.now()
    const other = await keys.take(job)
    if (other) return { job: other, isNew: false }
    const data = dataOf(job, Date.now())
    const isAdded = await limits.add(job.task, job.limit, () => queues.add(data, job.priority))
    if (!isAdded) {
      await keys.drop(job.id, job.keys.length)
      return 'full'
    }
    const isSlow = job.keys.length > 0 && performance.now() - since > SLOW
    if (!isSlow || (await keys.areOf(job))) return { job: newJobOf(data), isNew: true }
    // Somebody took this for dead and has its key: that one is the job then.
    await cancels.cancel(job.id, 0)
    return add(job)
  }

  async function due(task: string): Promise<number | undefined> {
    const queue = queues.of(task)
    const kinds = ['wait', 'prioritized', 'delayed']
    const [[active = []], firsts] = await Promise.all([
      queue.getRanges(['active'], 0, 999, true),
      queue.getRanges(kinds, 0, 0, true),
    ])
    const jobs = await Promise.all(firsts.flat().map(key => queues.entityAt(task, key)))
    const times = [...jobs.flatMap(it => (it ? [it.job.due] : [])), ...claims.leases(task, active)]
    return times.length > 0 ? Math.min(...times) : undefined
  }

  return { connected, queues, cancels, claims, limits, sweeper, get, add, due }
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
