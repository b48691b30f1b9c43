import { LRUCache } from 'lru-cache'
import { checkOptions, type Kind, kinds } from '../../src/index.ts'
import { ALGORITHMS, fresh, giveBack, type State } from './algorithms.ts'
import type { RateLimitStore } from './store.ts'

export interface MemoryStoreOptions {
  /** Keys that it has room for; the one that was not used for the longest time goes first. @default 100000 */
  keys?: number
}

const keys: Kind = {
  words: 'a whole number of keys from 1 to 10000000',
  test: value => kinds.count.test(value) && (value as number) > 0 && (value as number) <= 10_000_000,
}

/**
 * Counts in this process: what each `rateLimit()` does unless it is given a store. 100,000 keys take about 25 MB.
 *
 * Several processes count each for itself. Who comes from more addresses than there is room for is forgotten, and
 * begins anew.
 *
 * @throws TypeError for a wrong option
 * @example rateLimit('100/min', { store: memoryStore({ keys: 1000 }) })
 */
export function memoryStore(options: MemoryStoreOptions = {}): RateLimitStore {
  checkOptions('memoryStore', options, { keys })
  const max = options.keys ?? 100_000
  // Made on first use, because it takes its room at once.
  let states: LRUCache<string, State> | undefined

  return {
    perProcess: true,
    take(key, cost, rule) {
      states ??= new LRUCache({ max })
      let state = states.get(key)
      if (!state) {
        state = fresh()
        states.set(key, state)
      }
      return ALGORITHMS[rule.algorithm](state, cost, rule, Date.now())
    },
    giveBack(key, cost, rule, start) {
      const state = states?.get(key)
      if (state) giveBack(state, cost, rule, start)
    },
  }
}
