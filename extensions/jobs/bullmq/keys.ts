import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, NewJob } from '../engine.ts'
import { keyKey, type Queues } from './queues.ts'
import type { Data } from './record.ts'
import { hashOf } from './text.ts'

/** For so long whoever has a key may take to keep its job, in milliseconds. Then it has died. */
const GRACE = 3000

type Until = NewJob['keys'][number]['until']

interface Kept {
  readonly id: string
  readonly until: Until
}

/**
 * The keys of jobs: entries of the registry that BullMQ deduplicates, so that of each key there is one, and whoever
 * comes later is told whose it is.
 */
export class Keys {
  readonly #queues: Queues
  /** As everybody sees it. */
  readonly #get: (id: string) => Promise<Job | undefined>

  constructor(queues: Queues, get: (id: string) => Promise<Job | undefined>) {
    this.#queues = queues
    this.#get = get
  }

  /** Takes all keys for a job. Where another one has a key, gives that, and takes none. */
  async take({ id, task, keys }: NewJob): Promise<Job | undefined> {
    // In one order, so that two that want the same keys do not wait for each other.
    const places = keys
      .map(({ text, until }, index) => ({ hash: hashOf(task, text), until, entry: keyKey(id, index) }))
      .sort((one, other) => (one.hash < other.hash ? -1 : 1))
    for (const place of places) {
      const other = await this.#takeOne(id, place)
      if (!other) continue
      await this.drop(id, keys.length)
      return other
    }
    return undefined
  }

  async #takeOne(id: string, place: { hash: string; until: Until; entry: string }): Promise<Job | undefined> {
    const kept: Kept = { id, until: place.until }
    const mine = place.entry
    let seen: { entry: string; since: number } | undefined
    for (;;) {
      const entry = await this.#queues.put(mine, 'key', kept, { key: place.hash })
      if (entry === mine) return undefined
      const holder = await this.#queues.entry<Kept>(entry)
      const job = holder && (await this.#get(holder.id))
      if (job && holder && isHeld(holder, job)) return job
      if (seen?.entry !== entry) seen = { entry, since: performance.now() }
      // One that has a key and is not there is being kept now, or its process has died.
      if (job || performance.now() - seen.since > GRACE) await this.#queues.registry.remove(entry, false)
      else if (holder) await sleep(20)
    }
  }

  /** Does a job have all keys that it took? One that was too slow to be kept may have lost them. */
  async areOf({ id, task, keys }: NewJob): Promise<boolean> {
    for (const [index, { text, until }] of keys.entries()) {
      const mine = keyKey(id, index)
      const entry = await this.#queues.put(mine, 'key', { id, until } satisfies Kept, { key: hashOf(task, text) })
      if (entry !== mine) return false
    }
    return true
  }

  async drop(id: string, count: number): Promise<void> {
    for (let index = 0; index < count; index++) await this.#queues.registry.remove(keyKey(id, index), false)
  }

  /** Of a job that has ended, or has expired. */
  async free({ id, keys }: Pick<Data, 'id' | 'keys'>, until: Until): Promise<void> {
    for (const [index, its] of keys.entries())
      if (its === until) await this.#queues.registry.remove(keyKey(id, index), false)
  }
}

/** For how long a job was too slow to be kept, so that its keys have to be looked at again, in milliseconds. */
export const SLOW = GRACE / 3

function isHeld({ until }: Kept, { state }: Job): boolean {
  return until === 'expired' ? state !== 'expired' : state === 'queued' || state === 'running'
}
