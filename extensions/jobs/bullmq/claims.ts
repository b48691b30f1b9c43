import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Claim } from '../engine.ts'
import { type Backend, did } from './backend.ts'
import { type Cancels, OPTS } from './cancels.ts'
import { type Hold, Holds } from './holds.ts'
import type { Keys } from './keys.ts'
import { jobKey, type Queues } from './queues.ts'
import { type Entity, endOf, entityOf, noteText, type Outcome, toJson } from './record.ts'

/** How often locks are looked at that other processes may have lost, in milliseconds. */
const CHECK = 1000

/** The jobs that somebody holds, by a lock in BullMQ with a token of that taking up alone. */
export class Claims {
  readonly #queues: Queues
  readonly #cancels: Cancels
  readonly #keys: Keys
  readonly #holds = new Holds()
  readonly #checked = new Map<string, number>()
  /** Which BullMQ was told to end. Whoever got no answer asks again, and is told whether it was done. */
  readonly #told = new LRUCache<string, true>({ max: 1000 })

  constructor(queues: Queues, cancels: Cancels, keys: Keys) {
    this.#queues = queues
    this.#cancels = cancels
    this.#keys = keys
  }

  async claim(task: string, lease: number): Promise<Claim | undefined> {
    const queue = this.#queues.of(task)
    await this.#check(task, queue)
    const claim = await this.#next(task, lease)
    // Where this process knows that a lease is over, nobody has to wait for that to be found.
    if (claim || !this.#holds.forget(task)) return claim
    await this.#queues.lapse(task)
    return this.#next(task, lease)
  }

  async #next(task: string, lease: number): Promise<Claim | undefined> {
    for (;;) {
      const token = randomUUID()
      const started = Date.now()
      const [stored] = await this.#queues.of(task).moveToActive(token, token)
      if (!stored) return undefined
      const entity = entityOf(stored)
      if (!(await this.#begin(entity, token, lease))) continue
      this.#holds.add(entity, token, started + lease)
      return { job: entity.job, token }
    }
  }

  /** Does not begin one that was cancelled while it waited, nor one that is lost again because this process took so long. */
  async #begin(entity: Entity, token: string, lease: number): Promise<boolean> {
    const { id, task } = entity.job
    const [mark, isHeld] = await Promise.all([
      this.#cancels.mark(id),
      this.#queues.of(task).extendLock(jobKey(id), token, Math.ceil(lease)),
    ])
    if (mark) await this.#cancels.end(entity, mark)
    return !mark && isHeld === 1
  }

  /** Every second, BullMQ looks for jobs whose lock is over. Of one that it sees for the second time it says so. */
  async #check(task: string, queue: Backend): Promise<void> {
    const now = Date.now()
    if (now - (this.#checked.get(task) ?? 0) < CHECK) return
    this.#checked.set(task, now)
    await queue.moveStalledJobsToWait()
  }

  /** When the leases of these jobs are over, as far as it is known here: those of others might be, soon. */
  leases(task: string, jobKeys: readonly string[]): number[] {
    const until = this.#holds.until(task)
    return jobKeys.map(key => until(key) ?? Date.now() + CHECK)
  }

  async renew(claim: Claim, lease: number): Promise<'held' | 'lost'> {
    const until = Date.now() + lease
    const { id, task } = claim.job
    const isHeld = (await this.#queues.of(task).extendLock(jobKey(id), claim.token, Math.ceil(lease))) === 1
    const hold = this.#holds.get(claim)
    if (isHeld && hold) hold.until = until
    if (!isHeld) this.#holds.drop(claim, false)
    return isHeld ? 'held' : 'lost'
  }

  async #running(claim: Claim): Promise<Entity | undefined> {
    const entity = await this.#queues.entity(claim.job.task, claim.job.id)
    return entity && !entity.outcome && !entity.isFree && entity.token === claim.token ? entity : undefined
  }

  /** BullMQ asks nobody who says how far a job is: it is looked first, and nothing is said of one that is being ended. */
  async progress(claim: Claim, text: string): Promise<boolean> {
    const hold = this.#holds.get(claim)
    if (!hold) return this.#say(claim, text)
    const said = hold.saying.then(() => !hold.isOver && this.#say(claim, text, hold))
    hold.saying = said.catch(() => {})
    return said
  }

  async #say(claim: Claim, text: string, hold?: Hold): Promise<boolean> {
    const entity = await this.#running(claim)
    if (!entity) return false
    const count = entity.progress.count + 1
    const queue = this.#queues.of(claim.job.task)
    const job = { ...entity.job, progress: text, version: entity.job.version + 1 }
    // Before it is done: it may be done where BullMQ does not say so.
    if (hold) hold.entity = { ...entity, job, progress: { count, text } }
    return did(queue.updateProgress(jobKey(claim.job.id), toJson({ count, text })))
  }

  async finish(claim: Claim, state: 'succeeded' | 'failed', result: string, keep: number): Promise<boolean> {
    const wasTold = this.#told.has(claim.token)
    this.#told.set(claim.token, true)
    const entity = await this.#last(claim)
    const isDone = entity !== undefined && (await this.#end(claim, entity, endOf(entity.job, state, result, keep)))
    this.#holds.drop(claim, isDone)
    if (isDone) await Promise.all([this.#queues.strip(entity.data), this.#keys.free(entity.data, 'ended')])
    return isDone || (wasTold && this.#isSo(claim, state, result))
  }

  async #end({ token }: Claim, { job }: Entity, outcome: Outcome): Promise<boolean> {
    const queue = this.#queues.of(job.task)
    const it = { id: jobKey(job.id), opts: OPTS }
    const value = toJson(outcome)
    const step =
      outcome.state === 'succeeded'
        ? queue.moveToCompleted(it, value, false, token, false)
        : queue.moveToFailed(it, JSON.stringify(value), false, token, false)
    const [isDone] = await Promise.all([did(step), this.#queues.look(job.id, outcome.keep)])
    // Somebody else knows for how long it is kept.
    if (!isDone) await this.#queues.look(job.id, 0)
    return isDone
  }

  /** The job as it is when nothing more is said of it. */
  async #last(claim: Claim): Promise<Entity | undefined> {
    const hold = this.#holds.get(claim)
    if (!hold) return this.#running(claim)
    hold.isOver = true
    await hold.saying
    return hold.entity
  }

  async #isSo({ job: { task, id }, token }: Claim, state: string, result: string): Promise<boolean> {
    const entity = await this.#queues.entity(task, id)
    return entity?.token === token && entity.outcome?.state === state && entity.outcome.result === result
  }

  retry(claim: Claim, due: number): Promise<boolean> {
    return this.#again(claim, due, false)
  }

  release(claim: Claim): Promise<boolean> {
    return this.#again(claim, Date.now(), true)
  }

  async #again(claim: Claim, due: number, isHandedBack: boolean): Promise<boolean> {
    const entity = await this.#last(claim)
    if (!entity) return false
    const { note, stalled } = entity
    const failedReason = noteText({ due, released: note.released + (isHandedBack ? 1 : 0), stalled })
    const options = { skipAttempt: isHandedBack, fieldsToUpdate: { failedReason } }
    const { task, id } = claim.job
    const isDone = await did(this.#queues.of(task).moveToDelayed(jobKey(id), due, 0, claim.token, options))
    this.#holds.drop(claim, isDone)
    return isDone
  }
}
