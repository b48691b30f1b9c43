import { LRUCache } from 'lru-cache'
import type { BaseContext } from '../../src/index.ts'
import type { Answer } from './kept.ts'

/** What the data's version may be: undefined where nobody asked. */
export type Version = string | number | bigint | undefined

/** An answer that is kept. */
export interface Entry {
  readonly answer: Answer
  readonly path: string
  readonly version: Version
  /** By the clock of `performance.now()`. */
  readonly since: number
  readonly until: number
}

/** Where answers differ by request headers, their names stand in the place of an answer. */
interface Varying {
  readonly path: string
  readonly names: readonly string[]
}

/** A run of what stands below, whose answer others wait for. */
export interface Work {
  readonly path: string
  readonly key: string
  readonly version: Version
  /** Something was written since it began, or it is late: what it gives must not be kept. */
  isStale: boolean
  /** What it gave, and for whom; nothing where that was for nobody else; or that its client has left, or time. */
  done: Promise<{ readonly answer: Answer; readonly ctx: BaseContext } | 'left' | undefined>
}

/** What there is for a request. */
interface Found {
  /** The key of its representation. */
  readonly own: string
  readonly entry: Entry | undefined
}

/** The answers that one `cached()` keeps for one app. */
export type Store = ReturnType<typeof createStore>

export function createStore(max: number, maxBytes: number) {
  const entries = new LRUCache<string, Entry | Varying>({
    max,
    maxSize: maxBytes,
    dispose: ({ path }, key) => {
      const keys = paths.get(path)
      keys?.delete(key)
      if (keys?.size === 0) paths.delete(path)
    },
  })
  /** The keys of each path, for a write that drops them. */
  const paths = new Map<string, Set<string>>()
  const running = new Set<Work>()
  const leaders = new Map<string, Work>()

  function put(key: string, value: Entry | Varying, size: number): void {
    entries.set(key, value, { size })
    // What is larger than all room there is has not been taken.
    if (!entries.has(key)) return
    const keys = paths.get(value.path) ?? new Set()
    paths.set(value.path, keys.add(key))
  }

  function usable(key: string, found: Entry | Varying | undefined, version: Version): Entry | undefined {
    if (!found || 'names' in found || found.version !== version) return undefined
    if (found.until === Number.POSITIVE_INFINITY || found.until > performance.now()) return found
    entries.delete(key)
    return undefined
  }

  return {
    /** The names of the request headers that answers under a key are known to differ by. */
    namesOf(key: string): readonly string[] {
      const found = entries.get(key)
      return found && 'names' in found ? found.names : []
    },

    /**
     * What is kept for a request, and under what.
     *
     * @param variant gives the key of the representation, where answers differ by headers of these names
     */
    find(key: string, version: Version, variant: (names: readonly string[]) => string): Found {
      const found = entries.get(key)
      if (!found || !('names' in found)) return { own: key, entry: usable(key, found, version) }
      const own = variant(found.names)
      return { own, entry: usable(own, entries.get(own), version) }
    },

    put(key: string, entry: Entry): void {
      put(key, entry, key.length + entry.answer.size)
    },

    putNames(key: string, path: string, names: readonly string[]): void {
      put(key, { path, names }, key.length + names.join().length)
    },

    leaderOf(key: string, version: Version): Work | undefined {
      const found = leaders.get(key)
      return found?.version === version ? found : undefined
    },

    begin(work: Work, isLeader: boolean): void {
      running.add(work)
      if (isLeader) leaders.set(work.key, work)
    },

    end(work: Work): void {
      running.delete(work)
      if (leaders.get(work.key) === work) leaders.delete(work.key)
    },

    /** Drops what is kept of the paths that fit, and lets nothing be kept of them that is being made. */
    drop(pattern: string): void {
      for (const path of pattern.endsWith('/*') ? [...paths.keys()] : [pattern]) {
        if (fits(path, pattern)) for (const key of paths.get(path) ?? []) entries.delete(key)
      }
      for (const work of running) {
        if (!fits(work.path, pattern)) continue
        work.isStale = true
        if (leaders.get(work.key) === work) leaders.delete(work.key)
      }
    },
  }
}

function fits(path: string, pattern: string): boolean {
  return path === pattern || (pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1)))
}
