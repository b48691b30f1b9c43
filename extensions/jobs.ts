import { closeOnSignal } from '../src/detached/index.ts'
import {
  type BaseContext,
  type Blueprint,
  checkHook,
  checkOptions,
  type Decorator,
  type Kolba,
  keyOf,
  kinds,
  type Logger,
  principalOf,
} from '../src/index.ts'
import { backgroundOf } from './jobs/background.ts'
import { changesOf } from './jobs/changes.ts'
import { keepSchedule, scheduleOf } from './jobs/every.ts'
import { lifeOf } from './jobs/life.ts'
import { memory } from './jobs/memory.ts'
import {
  type BackgroundOptions,
  checkJobs,
  type JobsOptions,
  type TaskOptions,
  type Terms,
  termsOf,
} from './jobs/options.ts'
import type { JobAdds } from './jobs/request.ts'
import { resourcesOf } from './jobs/routes.ts'
import { type PlainTask, plainTask, type TaskContext } from './jobs/tasks.ts'
import { waitFor } from './jobs/wait.ts'
import type { Task, Work } from './jobs/work.ts'

export { type BullMQOptions, bullmq } from './jobs/bullmq.ts'
export type { Added, Claim, Engine, Job, NewJob, State } from './jobs/engine.ts'
export { JobCancelled, JobHandedBack, JobLost, JobTooLate } from './jobs/errors.ts'
export { jobFields } from './jobs/fields.ts'
export { memory } from './jobs/memory.ts'
export type { BackgroundOptions, JobDefaults, JobsOptions, RetryOptions, TaskOptions } from './jobs/options.ts'
export type { Progress } from './jobs/progress.ts'
export type { JobAdds, JobOfContext } from './jobs/request.ts'
export { type SqliteOptions, sqlite } from './jobs/sqlite.ts'
export type { JobState } from './jobs/state.ts'
export type { AddOptions, PlainTask, TaskContext } from './jobs/tasks.ts'

/** What `jobs()` gives. */
export interface Jobs {
  /** Makes a job of each request, and runs what stands below it apart from the request. */
  background<Needs = BaseContext>(options?: BackgroundOptions<Needs>): Decorator<JobAdds, Needs>
  /** The resources of jobs, to be mounted: `app.mount('/jobs', work.routes, signedIn)`. */
  readonly routes: Blueprint
  /** A task without a route: what the program begins by itself, or what a worker without the app does for one. */
  task<Fields extends object = Record<string, unknown>>(
    name: string,
    handler: (ctx: TaskContext<Fields>) => unknown,
    options?: TaskOptions,
  ): PlainTask<Fields>
  /** Does something again and again: `every('5 min', tidyUp)`, `every('0 3 * * mon', report, { timezone: 'Europe/Berlin' })`. */
  every(schedule: string, handler: (ctx: TaskContext<{ time: Date }>) => unknown, options?: EveryOptions): void
  /** Begins to do jobs in a program that has no app, until `close()`, or a signal that ends the process. */
  start(): Promise<void>
  /** Gives running jobs so many seconds to end, hands back the rest, and lets go of the engine. @default 10 */
  close(seconds?: number): Promise<void>
}

export interface EveryOptions extends TaskOptions {
  /** What tells it from others, across processes and versions of the program. @default the name of the handler */
  name?: string
  /** The IANA time zone of a cron expression. @default that of the process */
  timezone?: string
}

/**
 * Slow work as a resource (RFC 9110 section 15.3.3): `background()` makes a job of a request, which is answered with 202
 * and the place where the job is watched, cancelled and its result collected.
 */
export function jobs(options: JobsOptions = {}): Jobs {
  checkJobs(options)
  const engine = options.engine ?? memory()
  const apps = new Set<Kolba>()
  const tasks = new Map<string, Task>()
  const ends: (() => void)[] = []
  const life = lifeOf(engine, () => work)
  const common = termsOf({}, options)

  const work: Work = {
    engine,
    changes: changesOf(engine),
    lease: (options.lease ?? 30) * 1000,
    list: options.list,
    running: new Map(),
    closing: life.closing,
    logger: () => options.logger ?? [...apps][0]?.logger ?? plainLogger,
    ready: life.ready,
    add(task) {
      addTask(task)
    },
    termsOf: ({ task }): Terms => tasks.get(task)?.terms ?? common,
    join,
    ownerOf(ctx) {
      if (!options.principal) return principalOf(ctx)
      const its: unknown = options.principal(ctx as never)
      if (its === undefined || (typeof its === 'string' && its !== '')) return its && keyOf('principal', its as string)
      throw new TypeError(
        'jobs: principal gave no string, or an empty one. Return who makes the request, or undefined.',
      )
    },
    wait: (ctx, id, preferences) => waitFor(work, ctx, id, preferences),
  }
  const resources = resourcesOf(work)

  function addTask(task: Task, beside?: () => () => void): void {
    const before = tasks.get(task.name)?.handler
    // An app that is mounted on another registers its routes there as well.
    if (before && task.handler && before !== task.handler)
      throw new TypeError(`background ${task.name}: two routes have this name for their jobs. Give each its own.`)
    tasks.set(task.name, task)
    life.add(task, beside)
  }

  function join(app: Kolba): void {
    if (apps.has(app)) return
    apps.add(app)
    app.onStart(async () => {
      if (!app.inside.life.isInner) checkMounted(app)
      await life.ready()
      if (!engine.isLasting) app.logger.warn({ engine: engine.name }, LOST)
      if (options.run !== 'apart' || app.isWorker) await life.begin()
    })
    app.onDrain(() => life.drain(app.settings.timeouts.drain))
    app.onStop(life.close)
  }

  function checkMounted(app: Kolba): void {
    try {
      resources.path(app, 'x')
    } catch (cause) {
      const what = 'jobs: work.routes stand nowhere in this app, or twice, so that no job has a place'
      throw new TypeError(`${what}. Write app.mount('/jobs', work.routes) once.`, { cause })
    }
  }

  return {
    background: (own = {}) => backgroundOf(work, resources, options, own),
    routes: resources.routes,
    task(name, handler, own) {
      const { add } = plainTask(work, options, name, handler, own)
      return { add }
    },
    every(schedule, handler, { name = handler?.name, timezone, ...own } = {}) {
      checkOptions('every', { name, timezone }, { name: kinds.text, timezone: kinds.text })
      const where = `every ${checkHook('every', handler) && name}`
      if (!name) throw new TypeError(`every ${schedule}: the handler has no name. Give one: { name: 'tidy up' }.`)
      const next = scheduleOf(where, schedule, timezone)
      const { task } = plainTask(work, { ...options, concurrency: 1, keep: 3600 }, where, handler, own)
      addTask(task, () => keepSchedule(work, task, next))
    },
    async start() {
      const going = setInterval(() => {}, 2 ** 30)
      const ignoreSignals = closeOnSignal(() => close())
      ends.push(() => clearInterval(going), ignoreSignals)
      await life.begin().catch(error => {
        end()
        throw error
      })
    },
    close,
  }

  async function close(seconds = 10): Promise<void> {
    try {
      await life.drain(seconds)
      await life.close()
    } finally {
      end()
    }
  }

  function end(): void {
    for (const end of ends.splice(0)) end()
  }
}

const LOST = 'jobs: they are kept in memory and end with this process. Give an engine: jobs({ engine: sqlite(file) }).'

const plainLogger: Logger = {
  info: (fields, message) => console.log(message, fields),
  warn: (fields, message) => console.warn(message, fields),
  error: (fields, message) => console.error(message, fields),
}
