import type { Job, State } from '../engine.ts'
import { did } from './backend.ts'
import type { Keys } from './keys.ts'
import { cancelKey, jobKey, type Queues } from './queues.ts'
import { type Entity, endedJob, endOf, type Outcome, toJson } from './record.ts'

/** For jobs that BullMQ is told to end. */
export const OPTS = { attempts: 0 }

/** That a job is to be cancelled. */
type Mark = Pick<Outcome, 'finished' | 'keep'>

/**
 * Ends jobs whatever they are at.
 *
 * A job that runs is ended by its own lock, whose token is known, so that BullMQ decides between this and its finish.
 * BullMQ has no step that ends a job which waits: for it there is a mark in the registry. Whoever takes up a job looks
 * for the mark then, and does not begin it; and whoever has made the mark looks again at the job: when it waits still,
 * nobody can begin it any more.
 */
export class Cancels {
  readonly #queues: Queues
  readonly #keys: Keys

  constructor(queues: Queues, keys: Keys) {
    this.#queues = queues
    this.#keys = keys
  }

  mark(id: string): Promise<Mark | undefined> {
    return this.#queues.entry<Mark>(cancelKey(id))
  }

  /** Ends a job that somebody has with this token. */
  async end({ job, data, token }: Entity, { keep }: Pick<Mark, 'keep'>): Promise<boolean> {
    const { id, task } = job
    const outcome = JSON.stringify(toJson(endOf(job, 'cancelled', undefined, keep)))
    const step = this.#queues
      .of(task)
      .moveToFailed({ id: jobKey(id), opts: OPTS }, outcome, false, String(token), false)
    if (!(await did(step))) return false
    await Promise.all([this.#queues.look(id, keep), this.#queues.strip(data), this.#keys.free(data, 'ended')])
    return true
  }

  async cancel(id: string, keep: number): Promise<State | undefined> {
    let before: State | undefined
    for (;;) {
      const { entity, listed } = await this.#queues.find(id)
      const job = entity ? await this.seen(entity) : listed?.ended?.job
      // Others may have done what this has begun.
      if (!entity || !job || isEnded(job)) return job?.state === 'cancelled' ? (before ?? job.state) : job?.state
      before = job.state
      const isDone = entity.isFree ? await this.#endFree(entity, keep) : await this.#endRunning(entity, keep)
      if (isDone) return before
    }
  }

  async #endRunning(entity: Entity, keep: number): Promise<boolean> {
    if (await this.end(entity, { keep })) return true
    // Redis forgets the lock of a lease that is over, and then nobody can end the job until it waits again.
    const { task, id } = entity.job
    const now = await this.#queues.entity(task, id)
    if (now && !now.outcome && !now.isFree && now.token === entity.token) await this.#queues.lapse(task)
    return false
  }

  async #endFree({ job: { id, task } }: Entity, keep: number): Promise<boolean> {
    await this.#queues.put(cancelKey(id), 'cancel', { finished: Date.now(), keep } satisfies Mark)
    const mark = await this.mark(id)
    const now = await this.#queues.entity(task, id)
    if (!mark || !now?.isFree) return false
    const { job, data } = now
    const outcome = { ...endOf(job, 'cancelled', undefined, mark.keep), finished: mark.finished }
    await this.#queues.shelve(endedJob(data, outcome), mark.keep, data.keys.length)
    await Promise.all([this.#queues.look(id, mark.finished + mark.keep - Date.now()), this.#keys.free(data, 'ended')])
    return true
  }

  /** A job as everybody sees it: one that was cancelled while it waited may be in its queue still. */
  async seen({ job, outcome }: Entity): Promise<Job> {
    if (outcome && outcome.state !== 'cancelled') return job
    if (!outcome && !(await this.mark(job.id))) return job
    return (await this.#queues.listed(job.id))?.ended?.job ?? job
  }
}

export const isEnded = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'
