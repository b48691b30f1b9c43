import { randomUUID } from 'node:crypto'
import type { Job } from '../engine.ts'
import { did } from './backend.ts'
import { isEnded, OPTS } from './cancels.ts'
import type { Keys } from './keys.ts'
import { type Listed, type Queues, read } from './queues.ts'
import { type Entity, expiredJob } from './record.ts'

const HOUR = 3_600_000

/** What is left to be done to an entry of the registry: at that time, or nothing more. */
type Next = number | 'gone'

/** Looks after what is in the registry: its entries come up like jobs, each when there is something to be done. */
export class Sweeper {
  readonly #queues: Queues
  readonly #keys: Keys

  constructor(queues: Queues, keys: Keys) {
    this.#queues = queues
    this.#keys = keys
  }

  async sweep(): Promise<void> {
    const { registry } = this.#queues
    await registry.moveStalledJobsToWait()
    const owners = new Set<string>()
    for (;;) {
      const token = randomUUID()
      const [stored, key = ''] = await registry.moveToActive(token, token)
      if (!stored) break
      const next = await this.#look(key, read<Partial<Listed>>(stored), owners)
      const step =
        next === 'gone'
          ? registry.moveToCompleted({ id: key, opts: OPTS }, null, true, token, false)
          : registry.moveToDelayed(key, Math.ceil(next), 0, token, { skipAttempt: true })
      await did(step)
    }
    for (const owner of owners) await this.#queues.owners.trim(owner, async id => !!(await this.#queues.listed(id)))
  }

  async #look(key: string, { id, task, owner, keys = 0, ended }: Partial<Listed>, owners: Set<string>): Promise<Next> {
    if (key.startsWith('owner.')) return Date.now() + 24 * HOUR
    if (id === undefined || task === undefined) return this.#lookAtPart(key)
    const entity = ended ? undefined : await this.#queues.entity(task, id)
    // It may have been cancelled, and so have left its queue, since this entry was read.
    const now = ended ?? endedOf(entity) ?? (entity ? undefined : (await this.#queues.listed(id))?.ended)
    if (!now && entity) return Math.max(Date.now(), entity.job.due) + HOUR
    const next = now && (await this.#age(now.job, now.keep, keys))
    if (next !== undefined && next !== 'gone') return next
    await did(this.#queues.of(task).remove(key, false))
    await this.#keys.drop(id, keys)
    if (owner !== undefined) owners.add(owner)
    return 'gone'
  }

  /** A key, or the mark of a job that was cancelled: there is no longer any than its job. */
  async #lookAtPart(key: string): Promise<Next> {
    const id = key.slice(key.indexOf('.') + 1, key.startsWith('key.') ? key.lastIndexOf('.') : undefined)
    return (await this.#queues.registry.getJobData(`job.${id}`)) ? Date.now() + 24 * HOUR : 'gone'
  }

  async #age(job: Job, keep: number, keys: number): Promise<Next> {
    const now = Date.now()
    const finished = job.finished ?? now
    if (now < finished + keep) return finished + keep
    if (job.state !== 'expired') await this.#expire(job, keep, keys)
    return now < finished + 2 * keep ? finished + 2 * keep : 'gone'
  }

  /** Has a job expire that has ended. */
  async expire(id: string): Promise<void> {
    const { entity } = await this.#queues.find(id)
    const listed = await this.#queues.listed(id)
    const ended = listed?.ended ?? endedOf(entity)
    if (!ended || !listed || !isEnded(ended.job) || ended.job.state === 'expired') return
    const { job, keep } = ended
    await this.#expire(job, keep, listed.keys)
    await this.#queues.look(id, Number(job.finished) + 2 * keep - Date.now())
  }

  async #expire(job: Job, keep: number, keys: number): Promise<void> {
    await this.#queues.shelve(expiredJob(job), keep, keys)
    await this.#keys.drop(job.id, keys)
  }
}

function endedOf(entity: Entity | undefined): { job: Job; keep: number } | undefined {
  return entity?.outcome && { job: entity.job, keep: entity.outcome.keep }
}
