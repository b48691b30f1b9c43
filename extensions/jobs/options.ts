import {
  type AnyDecorator,
  type AroundContext,
  among,
  type BaseContext,
  checkOptions,
  isDecorator,
  type Kind,
  kinds,
  type Logger,
} from '../../src/index.ts'
import type { Engine } from './engine.ts'

/** When a job that has failed is begun again. */
export interface RetryOptions {
  /** How often it is begun at most, the first time included. @default 3 */
  attempts?: number
  /** Seconds before the second time; twice as long before the third, and so on, each somewhere between half of it and all. @default 1 */
  delay?: number
  /** Seconds that it waits at most. @default 300 */
  maxDelay?: number
}

/** What is said once for all jobs, and for the jobs of one route where they differ. */
export interface JobDefaults {
  /** When one that has failed is begun again; false for never. @default 3 attempts */
  retry?: RetryOptions | false
  /** Seconds for one attempt, which then has failed: `ctx.signal` aborts. @default 3600 */
  timeout?: number
  /** How many jobs of one route run at the same time in one process. @default 10 */
  concurrency?: number
  /** How many jobs of one route may wait; for more the answer is 503. @default 10000 */
  limit?: number
  /** Seconds for which the result is kept when the job has ended. @default 86400, a day */
  keep?: number
  /** The status of a job that has not ended. @default 202 */
  status?: 200 | 202
  /** Are the job and its result deleted when the result has been read once? @default false */
  autoDelete?: boolean
  /** Is a result with a Location read with the status that it has, such as 201, and not as 303 to there? @default false */
  replay?: boolean
}

export interface JobsOptions extends JobDefaults {
  /** Where jobs are kept: `memory()`, `sqlite(file)`, `bullmq(connection)`. @default memory() */
  engine?: Engine
  /**
   * Seconds for which a process holds a job without renewing that it does. If it dies, another one has the job after this
   * time. @default 30
   */
  lease?: number
  /**
   * Where jobs run: `here`, in every process that serves the app or works for it; `apart`, in those alone that were
   * started by `app.work()` or `work.start()`. @default 'here'
   */
  run?: 'here' | 'apart'
  /** What stands above the list of one's own jobs, such as `collection(resource({ fields: jobFields }))`. @default the newest 100 */
  list?: AnyDecorator
  /** Who has started a job, and may see it, where that is not `ctx.user`. */
  principal?: (ctx: AroundContext) => string | undefined
  /** Where errors of jobs go that no app knows of. @default the app's, else console */
  logger?: Logger
}

/** The same for each, or as the request has it. */
type OfRequest<T, Needs> = T | ((ctx: AroundContext & Needs) => T)

export interface BackgroundOptions<Needs = BaseContext> extends JobDefaults {
  /** The name of the task, for workers that do not have the app. @default the name of the route, `POST /reports` */
  name?: string
  /** `preferred` makes a job only where the client sends `Prefer: respond-async`, and else answers as ever. @default 'always' */
  when?: 'always' | 'preferred'
  /** Seconds to wait before it begins. @default 0 */
  delay?: OfRequest<number, Needs>
  /** When it begins, in place of `delay`. */
  runAt?: OfRequest<Date, Needs>
  /** Those with a larger number begin first. A whole number from -1000 to 1000. @default 0 */
  priority?: OfRequest<number, Needs>
  /**
   * What is the same for requests for the same thing: while one is not done, another of the same caller gets its job.
   * Undefined for none.
   */
  key?: (ctx: AroundContext & Needs) => string | undefined
  /**
   * What of ctx the job has, beside its parameters and URL, by name: what decorators above have added, `state`, and
   * `request.body`, which body parsers of Koa make. @default all of it
   */
  fields?: readonly string[]
  /**
   * The module whose default export is the handler, which then runs in a thread: for what keeps the processor busy. It is
   * given plain data there (`TaskContext`), gives such, and ends with its thread when `ctx.signal` would abort, whatever
   * it is at. Decorators below `background()` stay outside. Of such jobs one process runs as many as it has processors.
   * Needs the package piscina.
   *
   * @example
   * import primes from './primes.ts'
   * app.post('/primes', work.background({ thread: new URL('./primes.ts', import.meta.url) }), primes)
   */
  thread?: URL
}

/** How one job of a task is made. */
export interface AddOptions {
  /** Whose it is, as `principalOf(ctx)` names a user. @default nobody's */
  owner?: string
  /** While a job with this key is not done, another one gives it. */
  key?: string
  /** Seconds to wait before it begins. @default 0 */
  delay?: number
  /** When it begins, in place of `delay`. */
  runAt?: Date
  /** Those with a larger number begin before. A whole number from -1000 to 1000. @default 0 */
  priority?: number
}

/** Options of a task that no route has. */
export type TaskOptions = Pick<JobDefaults, 'retry' | 'timeout' | 'concurrency' | 'limit' | 'keep'>

const attempts: Kind = { words: 'a whole number from 1', test: it => kinds.count.test(it) && (it as number) > 0 }
const retry: Kind = {
  words: 'false, or an object with attempts, delay and maxDelay',
  test: it => it === false || (kinds.object.test(it) && !Array.isArray(it)),
}
const engine: Kind = {
  words: 'memory(), sqlite(file) or bullmq(connection)',
  test: it => ['open', 'add', 'claim', 'finish'].every(name => kinds.function.test(Object(it)[name])),
}

/** Seconds, a hundred years. No timer runs for so long, which is why other times end at 24 days. */
const LONGEST = 3_155_760_000
const isLong = (it: unknown) => typeof it === 'number' && it > 0 && it <= LONGEST
const keep: Kind = { words: 'a number of seconds above 0, a hundred years at most', test: isLong }

export const DEFAULTS: Record<keyof JobDefaults, Kind> = {
  retry,
  timeout: kinds.seconds,
  concurrency: attempts,
  limit: attempts,
  keep,
  status: among(200, 202),
  autoDelete: kinds.flag,
  replay: kinds.flag,
}

const JOBS: Record<keyof JobsOptions, Kind> = {
  ...DEFAULTS,
  engine,
  lease: kinds.seconds,
  run: among('here', 'apart'),
  list: { words: 'a decorator, such as collection(...)', test: isDecorator },
  principal: kinds.function,
  logger: kinds.logger,
}

const or = (kind: Kind): Kind => ({
  words: `${kind.words}, or a function that gives it`,
  test: it => kind.test(it) || kinds.function.test(it),
})
const delay: Kind = { words: 'a number of seconds from 0, a hundred years at most', test: it => it === 0 || isLong(it) }
const date: Kind = { words: 'a Date', test: it => it instanceof Date && !Number.isNaN(it.getTime()) }
const priority: Kind = {
  words: 'a whole number from -1000 to 1000',
  test: it => Number.isInteger(it) && Math.abs(it as number) <= 1000,
}

const BACKGROUND: Record<keyof BackgroundOptions, Kind> = {
  ...DEFAULTS,
  name: kinds.text,
  when: among('always', 'preferred'),
  delay: or(delay),
  runAt: or(date),
  priority: or(priority),
  key: kinds.function,
  fields: kinds.texts,
  thread: { words: 'a URL, new URL("./heavy.ts", import.meta.url)', test: it => it instanceof URL },
}

export function checkJobs(options: JobsOptions): void {
  checkOptions('jobs', options, JOBS)
  checkRetry('jobs', options.retry)
  if (options.run === 'apart' && !(options.engine?.isLasting ?? false))
    throw new TypeError('jobs: run is "apart", and no other process sees what is in memory. Give an engine that lasts.')
}

export function checkBackground(options: BackgroundOptions<never>): void {
  checkOptions('background', options, BACKGROUND)
  checkRetry('background', options.retry)
  checkTime('background', options)
}

export function checkAdd(where: string, options: AddOptions): void {
  checkOptions(where, options, { owner: kinds.text, key: kinds.text, delay, runAt: date, priority })
  checkTime(where, options)
}

function checkTime(where: string, { delay, runAt }: { delay?: unknown; runAt?: unknown }): void {
  if (delay !== undefined && runAt !== undefined)
    throw new TypeError(`${where}: there are delay and runAt. Give one of them.`)
}

export function checkTask(where: string, options: TaskOptions = {}): void {
  const { retry, timeout, concurrency, limit, keep } = DEFAULTS
  checkOptions(where, options, { retry, timeout, concurrency, limit, keep })
  checkRetry(where, options.retry)
}

/** @throws TypeError for what a function has given */
export function checkGiven<T>(where: string, name: 'delay' | 'runAt' | 'priority', value: T): T {
  checkOptions(where, { [name]: value }, { [name]: { delay, runAt: date, priority }[name] })
  return value
}

function checkRetry(where: string, options: RetryOptions | false | undefined): void {
  if (options === false) return
  checkOptions(`${where} retry`, options, { attempts, delay: kinds.seconds, maxDelay: kinds.seconds })
}

/** What is said of a task, with the defaults. Times are in milliseconds. */
export interface Terms {
  readonly attempts: number
  readonly delay: number
  readonly maxDelay: number
  readonly timeout: number
  readonly concurrency: number
  readonly limit: number
  readonly keep: number
  readonly status: 200 | 202
  readonly autoDelete: boolean
  readonly replay: boolean
}

export function termsOf(common: JobDefaults, own: JobDefaults): Terms {
  const both = { ...given(common), ...given(own) }
  const { retry = {}, timeout = 3600, concurrency = 10, limit = 10_000, keep = 86_400 } = both
  const { attempts = 3, delay = 1, maxDelay = 300 } = retry === false ? { attempts: 1 } : retry
  const { status = 202, autoDelete = false, replay = false } = both
  const times = { delay: delay * 1000, maxDelay: maxDelay * 1000, timeout: timeout * 1000, keep: keep * 1000 }
  return { ...times, attempts, concurrency, limit, status, autoDelete, replay }
}

/** An option that is undefined is one that is not given. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
