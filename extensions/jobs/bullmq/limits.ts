import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { jobData } from './backend.ts'
import type { Queues } from './queues.ts'
import { hashOf } from './text.ts'

/** How old a count may be, in milliseconds. */
const FRESH = 1000
/** So near to the limit those that add wait for each other, in all processes. */
const NEAR = 1000
/** For so long one may count and add, in milliseconds. */
const TURN = 5000

/** How many jobs may wait. */
export class Limits {
  readonly #queues: Queues
  readonly #counts = new Map<string, { count: number; at: number }>()
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(queues: Queues) {
    this.#queues = queues
  }

  async waiting(task: string): Promise<number> {
    return (await this.#queues.of(task).getCounts(['delayed', 'prioritized'])).reduce((sum, count) => sum + count, 0)
  }

  /** Adds where there is room. */
  async add(task: string, limit: number, add: () => Promise<void>): Promise<boolean> {
    const known = this.#counts.get(task)
    const now = Date.now()
    if (known && now - known.at < FRESH && known.count < limit - NEAR) known.count++
    else if ((await this.#count(task)) >= limit - NEAR) return this.#inTurn(task, () => this.#addLast(task, limit, add))
    await add()
    return true
  }

  async #count(task: string): Promise<number> {
    const count = await this.waiting(task)
    this.#counts.set(task, { count: count + 1, at: Date.now() })
    return count
  }

  /** Here one after the other, and then one process after the other. */
  #inTurn<T>(task: string, use: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(task) ?? Promise.resolve()).then(use)
    const done = turn.then(
      () => {},
      () => {},
    )
    this.#turns.set(task, done)
    done.then(() => this.#turns.get(task) === done && this.#turns.delete(task))
    return turn
  }

  async #addLast(task: string, limit: number, add: () => Promise<void>): Promise<boolean> {
    const { registry } = this.#queues
    const mine = `turn.${randomUUID()}`
    const entry = jobData(mine, 'turn', {}, { delay: TURN, key: hashOf('turn', task), ttl: TURN })
    while ((await registry.addJob(entry, mine)) !== mine) await sleep(5)
    try {
      if ((await this.#count(task)) >= limit) return false
      await add()
      return true
    } finally {
      await registry.remove(mine, false)
    }
  }
}
