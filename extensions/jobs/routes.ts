import { preferencesOf } from '../../src/headers/index.ts'
import { type BaseContext, type Blueprint, blueprint, type Context, type Kolba, Reply } from '../../src/index.ts'
import { asked, engineFailure } from './asked.ts'
import type { Job } from './engine.ts'
import { JobCancelled } from './errors.ts'
import { events, lastSeen } from './events.ts'
import { conditional, outcome, PRIVATE, placeOf, refusal } from './outcome.ts'
import { isEnded, type JobState, retryAfter, stateOf } from './state.ts'
import type { Work } from './work.ts'

type OfJob = Context<'/:id'>

/** The resources of jobs: the list of one's own, and each by its id. */
export interface Resources {
  readonly routes: Blueprint
  /** The path of a job in an app. */
  path(app: Kolba, id: string): string
  /** The answer to the request that has made a job: 202, or, where it has waited for the outcome, that. */
  answer(ctx: BaseContext, job: Job, hasWaited: boolean): Reply
}

/** What the ids of jobs are made of; what is none is not even looked for. */
const ID = /^[\w-]{1,64}$/

export function resourcesOf(work: Work): Resources {
  const path = (app: Kolba, id: string) => app.url(show, { id })

  function describe({ app }: BaseContext, job: Job, result?: string): JobState {
    return stateOf(job, path(app, job.id), result)
  }

  /** @throws Problem 404 for a job that there is not, or that is another's; 410 for one that has expired */
  async function find(ctx: OfJob): Promise<Job> {
    const { id } = ctx.params
    const job = ID.test(id) ? await asked(work, 'jobs', engine => engine.get(id)) : undefined
    // What is another's is as if it were not there: a 403 would tell that it is.
    if (!job || (job.owner !== undefined && job.owner !== work.ownerOf(ctx)))
      throw refusal(404, 'There is no such job.')
    return present(job)
  }

  function present(job: Job): Job {
    if (job.state === 'expired') throw refusal(410, 'This job has ended, and its result is not kept any more.')
    return job
  }

  async function* list(ctx: BaseContext) {
    ctx.set(PRIVATE)
    const owner = work.ownerOf(ctx)
    if (owner === undefined) return
    try {
      await work.ready()
      for await (const job of work.engine.list(owner)) yield describe(ctx, job)
    } catch (cause) {
      throw engineFailure(work, 'jobs', cause)
    }
  }

  async function show(ctx: OfJob): Promise<Reply> {
    ctx.vary('Accept')
    ctx.vary('Prefer')
    const found = await find(ctx)
    if (wantsEvents(ctx)) return stream(ctx, found)
    const job = await waited(ctx, found)
    const reply = conditional(ctx, job, conclude(ctx, job))
    if (reply.status !== 304 && ctx.method === 'GET') deleteWhenRead(ctx, job)
    return reply
  }

  /** `Prefer: wait=10` on a job that has not ended is answered when it has, or when ten seconds are over. */
  async function waited(ctx: BaseContext, job: Job): Promise<Job> {
    return isEnded(job) ? job : present((await work.wait(ctx, job.id, preferencesOf(ctx))) ?? job)
  }

  function conclude(ctx: BaseContext, job: Job): Reply {
    const { status, replay } = work.termsOf(job)
    if (!isEnded(job)) return new Reply(status, describe(ctx, job), { ...PRIVATE, 'Retry-After': retryAfter(job) })
    if (job.result === undefined) return new Reply(200, describe(ctx, job), PRIVATE)
    const leadOn = replay ? undefined : (result: string) => describe(ctx, job, result)
    return outcome(job, job.result, path(ctx.app, job.id), leadOn)
  }

  /** When the whole answer has gone out: a result that did not arrive may be fetched again. */
  function deleteWhenRead(ctx: BaseContext, job: Job): void {
    if (job.result === undefined || !work.termsOf(job).autoDelete) return
    ctx.res.once('finish', () => work.engine.expire(job.id).catch(error => ctx.app.inside.tell(error, ctx)))
  }

  function stream(ctx: OfJob, job: Job): Reply {
    const seen = lastSeen(ctx.get('Last-Event-ID'))
    // A client that comes back for what has ended would come back for ever: 204 ends it.
    if (isEnded(job) && seen >= job.version) return new Reply(204, null, PRIVATE)
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
    const signals = [ctx.signal, work.closing]
    return new Reply(
      200,
      events(work, job, seen, signals, job => describe(ctx, job, placeOf(job))),
      headers,
    )
  }

  async function cancel(ctx: OfJob): Promise<Reply> {
    const { id, task } = await find(ctx)
    const before = await asked(work, task, engine => engine.cancel(id, work.termsOf({ task }).keep))
    if (before === 'succeeded' || before === 'failed')
      throw refusal(409, 'This job has ended, so that it cannot be cancelled.')
    work.running.get(id)?.stop(new JobCancelled('The job was cancelled.'))
    work.changes.tell(id)
    return new Reply(204)
  }

  const routes = blueprint('jobs')
  if (work.list) routes.get('/', work.list, list as never)
  else routes.get('/', ctx => newest(list(ctx)))
  routes.get('/:id', show)
  routes.delete('/:id', cancel)
  return {
    routes,
    path,
    answer(ctx, job, hasWaited) {
      const place = path(ctx.app, job.id)
      if (!hasWaited || !isEnded(job) || job.result === undefined)
        return new Reply(202, describe(ctx, job), { ...PRIVATE, Location: place, 'Retry-After': retryAfter(job) })
      deleteWhenRead(ctx, job)
      return outcome(job, job.result, place)
    },
  }
}

const NEWEST = 100

async function newest(all: AsyncIterable<JobState>): Promise<{ items: JobState[] }> {
  const items: JobState[] = []
  for await (const job of all) if (items.push(job) === NEWEST) break
  return { items }
}

function wantsEvents(ctx: BaseContext): boolean {
  return (
    /text\/event-stream/i.test(ctx.get('Accept')) && ctx.accepts('json', 'text/event-stream') === 'text/event-stream'
  )
}
