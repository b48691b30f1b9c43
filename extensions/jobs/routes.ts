import {
  type Current,
  evaluate,
  forRepresentation,
  hasPreconditions,
  readPreconditions,
  writeTag,
} from '../../src/conditional/index.ts'
import { preferencesOf } from '../../src/headers/index.ts'
import {
  type BaseContext,
  type Blueprint,
  blueprint,
  type Context,
  type Kolba,
  problem,
  Reply,
} from '../../src/index.ts'
import { headerOf, readAnswer, toReply } from './answer.ts'
import type { Job } from './engine.ts'
import { JobCancelled } from './errors.ts'
import { events, lastSeen } from './events.ts'
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

export function resourcesOf(work: Work): Resources {
  const { engine } = work
  const path = (app: Kolba, id: string) => app.url(show, { id })

  function describe({ app }: BaseContext, job: Job, result?: string): JobState {
    return stateOf(job, path(app, job.id), result)
  }

  /** @throws Problem 404 for a job that there is not, or that is another's; 410 for one that has expired */
  async function find(ctx: OfJob): Promise<Job> {
    await work.ready()
    const job = await engine.get(ctx.params.id)
    // What is another's is as if it were not there: a 403 would tell that it is.
    if (!job || (job.owner !== undefined && job.owner !== work.ownerOf(ctx)))
      throw problem(404, { detail: 'There is no such job.' })
    if (job.state === 'expired')
      throw problem(410, { detail: 'This job has ended, and its result is not kept any more.' })
    return job
  }

  async function* list(ctx: BaseContext) {
    const owner = work.ownerOf(ctx)
    if (owner === undefined) return
    await work.ready()
    for await (const job of engine.list(owner)) yield describe(ctx, job)
  }

  async function show(ctx: OfJob): Promise<Reply> {
    ctx.vary('Accept')
    ctx.vary('Prefer')
    ctx.set('Cache-Control', 'private, no-cache')
    const job = await find(ctx)
    return wantsEvents(ctx) ? stream(ctx, job) : conclude(ctx, await waited(ctx, job))
  }

  /** `Prefer: wait=10` on a job that has not ended is answered when it has, or when ten seconds are over. */
  async function waited(ctx: BaseContext, job: Job): Promise<Job> {
    return isEnded(job) ? job : ((await work.wait(ctx, job.id, preferencesOf(ctx))) ?? job)
  }

  function conclude(ctx: BaseContext, job: Job): Reply {
    const { status, autoDelete, replay } = work.termsOf(job)
    if (!isEnded(job)) {
      const headers = { 'Retry-After': retryAfter(job) }
      return conditional(ctx, job, new Reply(status, describe(ctx, job), headers))
    }
    if (job.result === undefined) return conditional(ctx, job, new Reply(200, describe(ctx, job)))
    if (autoDelete) deleteWhenRead(ctx, job)
    return ended(ctx, job, !replay)
  }

  /** The outcome as it was, a problem with the place that it is now at; elsewhere is 303 (RFC 9110 section 15.4.4). */
  function ended(ctx: BaseContext, job: Job, leadsOn: boolean): Reply {
    const answer = readAnswer(job.result as string)
    const location = headerOf(answer.headers, 'location')
    if (job.state === 'failed') {
      const body = typeof answer.body === 'object' ? { ...answer.body, instance: path(ctx.app, job.id) } : answer.body
      return toReply({ ...answer, body })
    }
    if (location !== undefined && leadsOn) return new Reply(303, describe(ctx, job, location), { Location: location })
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD'
    return isRead && answer.status < 300 ? conditional(ctx, job, toReply(answer)) : toReply(answer)
  }

  function deleteWhenRead(ctx: BaseContext, { id }: Job): void {
    ctx.res.once('finish', () => engine.expire(id).catch(error => ctx.app.inside.tell(error, ctx)))
  }

  function stream(ctx: OfJob, job: Job): Reply {
    const seen = lastSeen(ctx.get('Last-Event-ID'))
    // A client that comes back for what has ended would come back for ever: 204 ends it.
    if (isEnded(job) && seen >= job.version) return new Reply(204)
    const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
    const signal = AbortSignal.any([ctx.signal, work.closing])
    return new Reply(
      200,
      events(work, job, seen, signal, job => describe(ctx, job, placeOf(job))),
      headers,
    )
  }

  async function cancel(ctx: OfJob): Promise<Reply> {
    const { id, task } = await find(ctx)
    const before = await engine.cancel(id, work.termsOf({ task }).keep)
    if (before === 'succeeded' || before === 'failed')
      throw problem(409, { detail: 'This job has ended, so that it cannot be cancelled.' })
    work.running.get(id)?.(new JobCancelled('The job was cancelled.'))
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
      if (hasWaited && isEnded(job) && job.result !== undefined) return ended(ctx, job, false)
      const headers = { Location: path(ctx.app, job.id), 'Retry-After': retryAfter(job) }
      return new Reply(202, describe(ctx, job), headers)
    },
  }
}

/** Where what came of a job is, if it is elsewhere. */
function placeOf({ state, result }: Job): string | undefined {
  return state === 'succeeded' && result !== undefined ? headerOf(readAnswer(result).headers, 'location') : undefined
}

const NEWEST = 100

async function newest(all: AsyncIterable<JobState>): Promise<{ items: JobState[] }> {
  const items: JobState[] = []
  for await (const job of all) if (items.push(job) === NEWEST) break
  return { items }
}

function wantsEvents(ctx: BaseContext): boolean {
  return ctx.get('Accept').includes('text/event-stream') && ctx.accepts('json', 'text/event-stream') !== 'json'
}

/** RFC 9110 section 13: a state that has not changed since it was read is 304. */
function conditional(ctx: BaseContext, { version }: Job, reply: Reply): Reply {
  const tag = { weak: true, opaque: forRepresentation(`${version}`, ctx) }
  ctx.set('ETag', writeTag(tag))
  if (!hasPreconditions(ctx.headers)) return reply
  const current: Current = { exists: true, tag, lastModified: undefined }
  const verdict = evaluate(ctx.method, readPreconditions(ctx.headers, ctx.req.rawHeaders), current)
  if (verdict === 'failed') throw problem(412, { detail: 'This is not what you have. GET it without conditions.' })
  return verdict === 'perform' ? reply : new Reply(304, undefined, {})
}
