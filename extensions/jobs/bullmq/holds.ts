import type { Claim } from '../engine.ts'
import { jobKey } from './queues.ts'
import type { Entity } from './record.ts'

/** What this process knows of a job that it has taken up. */
export interface Hold {
  readonly token: string
  /** As it was when this process last did something to it. */
  entity: Entity
  /** When its lease is over. */
  until: number
  /** Is it being ended? Then nothing is said of it any more. */
  isOver: boolean
  /** What is being said of it. */
  saying: Promise<unknown>
}

/** The jobs that this process has taken up. Of those that others have, nothing is known here. */
export class Holds {
  readonly #tasks = new Map<string, Map<string, Hold>>()

  #of(task: string): Map<string, Hold> {
    const holds = this.#tasks.get(task) ?? new Map<string, Hold>()
    this.#tasks.set(task, holds)
    return holds
  }

  add(entity: Entity, token: string, until: number): void {
    const { task, id } = entity.job
    this.#of(task).set(id, { token, entity, until, isOver: false, saying: Promise.resolve() })
  }

  get({ job, token }: Claim): Hold | undefined {
    const hold = this.#of(job.task).get(job.id)
    return hold?.token === token ? hold : undefined
  }

  /** Where its lease is over, it stays known that the next may have the job. */
  drop(claim: Claim, isDone: boolean): void {
    const hold = this.get(claim)
    if (hold && (isDone || hold.until > Date.now())) this.#of(claim.job.task).delete(claim.job.id)
  }

  /** Forgets those whose lease is over, and says whether there were any. */
  forget(task: string): boolean {
    const holds = this.#of(task)
    const now = Date.now()
    const over = [...holds].filter(([, { until }]) => until < now)
    for (const [id] of over) holds.delete(id)
    return over.length > 0
  }

  /** When the lease of a job is over, as far as it is known. */
  until(task: string): (key: string) => number | undefined {
    const known = new Map([...this.#of(task)].map(([id, { until }]) => [jobKey(id), until]))
    return key => known.get(key)
  }
}
