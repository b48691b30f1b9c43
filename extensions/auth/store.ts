import { LRUCache } from 'lru-cache'
import type { Awaitable, Kind } from '../../src/index.ts'

/** Where tokens are kept: text under a key, for so many seconds. No key and no text is a token that could be used. */
export interface TokenStore {
  get(key: string): Awaitable<string | undefined | null>
  /** Stores it for at most so many seconds. */
  set(key: string, value: string, seconds: number): unknown
  /**
   * Says whether it was there, as a Map does, and Redis by the number of keys: of those who delete the same key at the
   * same time exactly one may be told so. A refresh token is good once because of that.
   */
  delete(key: string): Awaitable<boolean | number>
  /** Does each process have tokens of its own? */
  readonly perProcess?: boolean
}

/** What a store has to have. */
export const store: Kind = {
  words: 'an object with the methods get, set and delete',
  test: it =>
    ['get', 'set', 'delete'].every(name => typeof (Object(it) as Record<string, unknown>)[name] === 'function'),
}

/**
 * Keeps tokens in the memory of this process: for one process, and until it ends. Of more than `max` the one that was
 * used least recently goes, and its session has to sign in again.
 */
export function memoryTokens(max = 100_000): TokenStore {
  const cache = new LRUCache<string, string>({ max })
  return {
    perProcess: true,
    get: key => cache.get(key),
    set: (key, value, seconds) => void cache.set(key, value, { ttl: Math.ceil(seconds * 1000) }),
    delete: key => cache.delete(key),
  }
}
