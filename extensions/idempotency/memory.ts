import { LRUCache } from 'lru-cache'
import { checkOptions, kinds } from '../../src/index.ts'
import type { Claim, Found, IdempotencyStore } from './store.ts'

export interface MemoryStoreOptions {
  /** How many keys that have ended are kept. @default 10000 */
  max?: number
  /** How many bytes they have together. @default 50 MB */
  maxBytes?: number
}

const number = { words: 'a whole number from 1', test: kinds.bytes.test }
/** Bytes of a record beside what is in it. */
const RECORD = 200

/**
 * Keeps keys in this process, which forgets them when it ends. Past `max` or `maxBytes` the oldest of those that have
 * ended are forgotten; those that are running never are.
 *
 * @throws TypeError for a wrong option
 */
export function memoryStore(options: MemoryStoreOptions = {}): IdempotencyStore {
  checkOptions('memoryStore', options, { max: number, maxBytes: kinds.bytes })
  const { max = 10_000, maxBytes = 50_000_000 } = options
  const running = new Map<string, Claim & { until: number }>()
  const ended = new LRUCache<string, Found & { owner: string }>({ max, maxSize: maxBytes })

  return {
    perProcess: true,
    begin(key, { owner, payload }, lease) {
      const found = ended.get(key)
      if (found) return found
      const now = performance.now()
      const other = running.get(key)
      if (other && other.owner !== owner && other.until > now) return { payload: other.payload, isRunning: true }
      running.set(key, { owner, payload, until: now + lease })
      return undefined
    },

    finish(key, { owner, payload }, answer, ttl) {
      const has = running.get(key) ?? ended.get(key)
      if (has && has.owner !== owner) return false
      const put = (answer?: string) => {
        const size = RECORD + key.length + Buffer.byteLength(answer ?? '')
        ended.set(key, { owner, payload, isRunning: false, answer }, { size, ttl: Math.ceil(ttl) })
      }
      put(answer)
      // What is larger than all room there is has not been taken.
      if (!ended.has(key)) put()
      running.delete(key)
      return true
    },

    release(key, { owner }) {
      if (running.get(key)?.owner === owner) running.delete(key)
    },
  }
}
