import { LRUCache } from 'lru-cache'
import type { Backend } from './backend.ts'
import { hashOf, pack, unpack } from './text.ts'

const PAGE = 50
/** So many that have gone are left in a list, so that one that comes as it is shortened is not taken for one of them. */
const SLACK = 64

const ownerKey = (owner: string): string => `owner.${hashOf(owner)}`

/** The jobs of each owner: an entry of the registry for each, whose log in BullMQ has a line for each job. */
export class Owners {
  readonly #registry: Backend
  readonly #put: (key: string, name: string, data: object) => Promise<string>
  readonly #known = new LRUCache<string, true>({ max: 10_000 })

  constructor(registry: Backend, put: (key: string, name: string, data: object) => Promise<string>) {
    this.#registry = registry
    this.#put = put
  }

  async add(owner: string, id: string): Promise<void> {
    for (let tries = 50; ; tries--) {
      if (!this.#known.has(owner)) await this.#put(ownerKey(owner), 'owner', {})
      this.#known.set(owner, true)
      try {
        await this.#registry.addLog(ownerKey(owner), pack(id))
        return
      } catch (error) {
        const { code } = error as { code?: unknown }
        // The list was taken away, or two have added to it at once, which PostgreSQL lets one of them do.
        if (tries === 0 || (code !== -1 && code !== '23505')) throw error
        if (code === -1) this.#known.delete(owner)
      }
    }
  }

  /** Their ids, those that came last first. */
  async *ids(owner: string): AsyncGenerator<string[]> {
    let { count: end } = await this.#registry.getJobLogs(ownerKey(owner), 0, 0, true)
    for (; end > 0; end -= PAGE) {
      const { logs } = await this.#registry.getJobLogs(ownerKey(owner), Math.max(0, end - PAGE), end - 1, true)
      yield logs.map(unpack).reverse()
    }
  }

  /** Takes those away that have gone, as far as they are the oldest. */
  async trim(owner: string, isThere: (id: string) => Promise<boolean>): Promise<void> {
    const key = ownerKey(owner)
    for (;;) {
      const { logs, count } = await this.#registry.getJobLogs(key, 0, 2 * SLACK - 1, true)
      let gone = 0
      while (gone < logs.length && !(await isThere(unpack(String(logs[gone]))))) gone++
      if (gone > 0 && gone === count) {
        this.#known.delete(owner)
        await this.#registry.remove(key, false)
      }
      if (gone <= SLACK || gone === count) return
      await this.#registry.clearLogs(key, count - gone + SLACK)
    }
  }
}
