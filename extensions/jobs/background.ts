import { randomUUID } from 'node:crypto'
import { credentialsOf, preferencesOf, readIdempotencyKey } from '../../src/headers/index.ts'
import {
  type AroundContext,
  type Decorator,
  decorator,
  keyOf,
  type Next,
  nameOf,
  problem,
  Reply,
  type Route,
} from '../../src/index.ts'
import { type AddedJob, addJob } from './add.ts'
import { type BackgroundOptions, checkBackground, checkGiven, type JobDefaults, termsOf } from './options.ts'
import { fingerprintOf, type JobAdds, requestText } from './request.ts'
import { checkRoute, hasKeyAbove, noteOf } from './route.ts'
import { routeTask } from './route-task.ts'
import type { Resources } from './routes.ts'
import { THREADS } from './thread/pool.ts'
import type { Task, Work } from './work.ts'

const ADVICE = 'keeps jobs where other processes answer 404 to them. Give jobs({ engine: sqlite(file) })'

/** Makes jobs of what stands below it, on each route that it comes to stand on. */
export function backgroundOf<Needs>(
  work: Work,
  { answer }: Resources,
  common: JobDefaults,
  options: BackgroundOptions<Needs>,
): Decorator<JobAdds, Needs> {
  checkBackground(options as BackgroundOptions<never>)
  const own = options as BackgroundOptions<never>
  const isPreferred = own.when === 'preferred'

  function register(route: Route) {
    checkRoute(route, self)
    work.join(route.app)
    if (!work.engine.isLasting) route.app.perProcess.push({ route, decorator: 'background', advice: ADVICE })
    const name = own.name ?? nameOf(route)
    const handler = own.thread && work.threads.handler(own.thread, route, own.fields)
    const terms = termsOf(common, own)
    // What waits for a thread here is better done by another process.
    const concurrency = handler ? Math.min(terms.concurrency, THREADS) : terms.concurrency
    const task = routeTask(name, { ...terms, concurrency }, route, self, handler)
    work.add(task)
    const make = makerOf(work, task, own, { readsKey: !hasKeyAbove(route, self), credentials: credentialsOf(route) })

    return (ctx: AroundContext, next: Next<JobAdds>) => {
      ctx.vary('Prefer')
      const preferences = preferencesOf(ctx)
      if (isPreferred && !preferences.respondAsync) return now(ctx, next)
      // HEAD is answered as GET would be, and begins nothing (RFC 9110 section 9.3.2).
      return ctx.method === 'HEAD' ? new Reply(202) : begin(ctx)
    }

    /** Nor does a handler that computes for long keep others waiting where its client waits for it. */
    function now(ctx: AroundContext, next: Next<JobAdds>): unknown {
      return handler ? task.runIn(Object.assign(ctx, inRequest())) : next(inRequest())
    }

    async function begin(ctx: AroundContext): Promise<Reply> {
      const preferences = preferencesOf(ctx)
      const job = await make(ctx)
      const waited = await work.wait(ctx, job.id, preferences)
      const reply = answer(ctx, waited ?? job, waited !== undefined)
      if (reply.status === 202) preferences.applied('respond-async')
      return reply
    }
  }

  const around = (): never => {
    throw new TypeError('background: without a route there is no job. Give the composition to a route.')
  }
  const self: Decorator = decorator('background', around, { note: noteOf(isPreferred), register } as never)
  return self as never
}

/**
 * What a handler finds on ctx where it runs in its request: nobody sees how far it is. The id is not that of the request,
 * which a client may choose: what is kept under the id of a job would be another one's.
 */
function inRequest(): JobAdds {
  return { job: { id: randomUUID(), attempt: 1 }, progress: () => {} }
}

/** Makes a job of a request, or gives the one that there is. */
function makerOf(
  work: Work,
  task: Task,
  options: BackgroundOptions<never>,
  { readsKey, credentials }: { readsKey: boolean; credentials: readonly string[] },
) {
  const where = `${task.name}: background`
  const given = <T>(name: 'delay' | 'runAt' | 'priority', option: T | ((ctx: never) => T), ctx: AroundContext): T =>
    typeof option === 'function' ? checkGiven(where, name, (option as (ctx: never) => T)(ctx as never)) : option

  function dueOf(ctx: AroundContext): number {
    if (options.runAt !== undefined) return given('runAt', options.runAt, ctx).getTime()
    return Date.now() + given('delay', options.delay ?? 0, ctx) * 1000
  }

  function keyIn(ctx: AroundContext): string | undefined {
    const key = options.key?.(ctx as never)
    if (key === undefined || typeof key === 'string') return key
    throw new TypeError(`${where}: key gave no string. Give a string, or undefined for none.`)
  }

  function keysOf(ctx: AroundContext, owner: string | undefined, key: string | undefined, sent: string | undefined) {
    if (key === undefined && sent === undefined) return []
    const keeper = work.keeperOf(ctx, owner, credentials)
    return [
      ...(sent === undefined ? [] : [{ text: keyOf('request', keeper, sent), until: 'expired' as const }]),
      ...(key === undefined ? [] : [{ text: keyOf('key', keeper, key), until: 'ended' as const }]),
    ]
  }

  function textOf(ctx: AroundContext): string {
    try {
      return requestText(ctx, options.fields)
    } catch (error) {
      const advice = 'Put what adds it below background(), or name what the job has: background({ fields: [...] }).'
      throw new TypeError(`${where}: ${(error as Error).message}, which cannot be stored. ${advice}`)
    }
  }

  return async (ctx: AroundContext) => {
    const owner = work.ownerOf(ctx)
    const request = textOf(ctx)
    const key = keyIn(ctx)
    // What is the same by its key is the same request.
    const fingerprint = key === undefined ? fingerprintOf(request) : keyOf('key', key)
    const sent = readsKey ? readIdempotencyKey(ctx, {}) : undefined
    const keys = keysOf(ctx, owner, key, sent)
    const priority = given('priority', options.priority ?? 0, ctx)
    const news: AddedJob = { owner, request, fingerprint, keys, priority, due: dueOf(ctx) }
    const { job, isNew } = await addJob(work, task, news)
    if (!isNew && sent !== undefined && job.fingerprint !== fingerprint)
      throw problem(422, { detail: 'This Idempotency-Key was used for another request. Send a new key with this one.' })
    return job
  }
}
