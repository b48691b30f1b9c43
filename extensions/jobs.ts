import type { BaseContext, Blueprint, Decorator } from '../src/index.ts'
import { appsOf } from './jobs/apps.ts'
import { backgroundOf } from './jobs/background.ts'
import { changesOf } from './jobs/changes.ts'
import { lifeOf } from './jobs/life.ts'
import { memory } from './jobs/memory.ts'
import { type BackgroundOptions, checkJobs, type JobsOptions, termsOf } from './jobs/options.ts'
import { ownersOf } from './jobs/owner.ts'
import { type Program, programOf } from './jobs/program.ts'
import type { JobAdds } from './jobs/request.ts'
import { resourcesOf } from './jobs/routes.ts'
import { threadsOf } from './jobs/thread.ts'
import { waitFor } from './jobs/wait.ts'
import type { Task, Work } from './jobs/work.ts'

export { type BullMQOptions, bullmq } from './jobs/bullmq.ts'
export type { Added, Claim, Engine, Job, NewJob, State } from './jobs/engine.ts'
export { JobCancelled, JobHandedBack, JobLost, JobTooLate } from './jobs/errors.ts'
export { jobFields } from './jobs/fields.ts'
export { memory } from './jobs/memory.ts'
export type {
  AddOptions,
  BackgroundOptions,
  JobDefaults,
  JobsOptions,
  RetryOptions,
  TaskOptions,
} from './jobs/options.ts'
export type { EveryOptions, Program, StartOptions } from './jobs/program.ts'
export type { Progress } from './jobs/progress.ts'
export type { JobAdds, JobOfContext } from './jobs/request.ts'
export { type SqliteOptions, sqlite } from './jobs/sqlite.ts'
export type { JobState } from './jobs/state.ts'
export type { PlainTask, TaskContext } from './jobs/tasks.ts'

/** What `jobs()` gives. */
export interface Jobs extends Program {
  /** Makes a job of each request, and runs what stands below it apart from the request. */
  background<Needs = BaseContext>(options?: BackgroundOptions<Needs>): Decorator<JobAdds, Needs>
  /** The resources of jobs, to be mounted: `app.mount('/jobs', work.routes, signedIn)`. */
  readonly routes: Blueprint
}

/**
 * Slow work as a resource (RFC 9110 section 15.3.3). `background()` makes a job of a request, which is answered with 202 and
 * a `Location`, where the job is watched, cancelled, and its result collected; what stands below it runs apart from the
 * request, with the same ctx: parameters, input, user, `ctx.urlFor`. It finds there beside these
 *
 * - `ctx.progress(done, total, message)`, which says how far it is,
 * - `ctx.signal`, which aborts when the job is cancelled, late or lost, or the process ends,
 * - `ctx.job.id`, the same each time that it is begun.
 *
 * What stands above it runs first, in the request: whoever is refused there makes no job. What reads the body, or turns
 * users away, may not stand below. What the decorators above have added to ctx is stored, so it is plain data, dates, bytes,
 * maps or sets; a pool or a transaction is injected below.
 *
 * | request to `/jobs/:id` | answer |
 * |---|---|
 * | GET | 202 with its state while it runs (304 where nothing has changed), then the result, 303 where that has a Location, or the problem |
 * | GET, `Prefer: wait=10` | the same, when it has ended, or ten seconds later (RFC 7240 section 4.3) |
 * | GET, `Accept: text/event-stream` | its states as they come, going on behind `Last-Event-ID` |
 * | DELETE | 204, and the handler is told to stop; 409 when it has ended |
 * | any, of another user | 404; when it is no longer kept, 410 |
 *
 * A job is done at least once: one that fails is begun again, three times in all, with a growing pause, and one whose
 * process has died is begun by another when its lease is over. What is done elsewhere is done once under the key
 * `ctx.job.id`. In `memory()`, the default, jobs end with the process; `sqlite(file)` keeps them for the processes of one
 * machine, `bullmq(url)` for many machines.
 *
 * @throws TypeError for a wrong option; at registration where a decorator stands below that may not; at the start where
 *   `routes` are not mounted
 * @example
 * const work = jobs({ engine: sqlite('jobs.db') })
 * app.post('/reports', signedIn, input({ body: report }), work.background(), async ctx => {
 *   const rows = await load(ctx.input.body, ctx.signal)
 *   return created(ctx.urlFor(show, { id: await write(rows, ctx.progress) }))
 * })
 * app.mount('/jobs', work.routes, signedIn)
 */
export function jobs(options: JobsOptions = {}): Jobs {
  checkJobs(options)
  const engine = options.engine ?? memory()
  const tasks = new Map<string, Task>()
  const common = termsOf({}, options)
  const apps = appsOf(engine, options)
  const threads = threadsOf(apps.logger)
  const life = lifeOf(engine, () => work)

  const work: Work = {
    engine,
    threads,
    changes: changesOf(engine),
    lease: (options.lease ?? 30) * 1000,
    list: options.list,
    running: new Map(),
    closing: life.closing,
    closed: life.closed,
    logger: apps.logger,
    ready: life.ready,
    add(task, beside) {
      const before = tasks.get(task.name)
      // An app that is mounted on another registers its routes there as well.
      if (before && before.handler !== task.handler) {
        const both = before.handler && task.handler ? 'two routes have' : 'a route and a task have'
        throw new TypeError(`background ${task.name}: ${both} this name for their jobs. Give each its own.`)
      }
      tasks.set(task.name, task)
      life.add(task, beside)
    },
    termsOf: ({ task }) => tasks.get(task)?.terms ?? common,
    join: app => apps.join(app, { resources, life, threads }),
    ...ownersOf(options.principal),
    wait: (ctx, id, preferences) => waitFor(work, ctx, id, preferences),
  }
  const resources = resourcesOf(work)
  return {
    background: (own = {}) => backgroundOf(work, resources, options, own),
    routes: resources.routes,
    ...programOf(work, options, life, threads, apps),
  }
}
