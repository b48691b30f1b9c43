import { LRUCache } from 'lru-cache'
import type { BaseContext } from '../../src/index.ts'
import type { Answer } from './kept.ts'
import { type Parts, textOf } from './key.ts'
import { Table } from './table.ts'

/** What the data's version may be: undefined where nobody asked. */
export type Version = string | number | bigint | undefined

/** Of what stands under the key of a request, and not of one of its representations, the parts of that key. */
interface Keyed {
  readonly parts?: Parts | undefined
}

/** An answer that is kept. */
export interface Entry extends Keyed {
  readonly answer: Answer
  readonly path: string
  readonly version: Version
  /** By the clock of `performance.now()`. */
  readonly since: number
  readonly until: number
}

/** Where answers differ by request headers, their names stand in the place of an answer. */
interface Varying extends Keyed {
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
    dispose: ({ path, parts }, key) => {
      paths.delete(path, key)
      if (parts) keys.delete(parts.url, parts.asker)
    },
  })
  /** The keys of each path, for a write that drops them. */
  const paths = new Table<true>()
  /** The keys by their parts: to find one takes less than to make it anew, because it is hashed already. */
  const keys = new Table<string>()
  const running = new Set<Work>()
  const leaders = new Map<string, Work>()

  function put(key: string, value: Entry | Varying, size: number): void {
    entries.set(key, value, { size })
    // What is larger than all room there is has not been taken.
    if (!entries.has(key)) return
    paths.set(value.path, key, true)
    if (value.parts) keys.set(value.parts.url, value.parts.asker, key)
  }

  function usable(key: string, found: Entry | Varying | undefined, version: Version): Entry | undefined {
    if (!found || 'names' in found || found.version !== version) return undefined
    if (found.until === Number.POSITIVE_INFINITY || found.until > performance.now()) return found
    entries.delete(key)
    return undefined
  }

  return {
    /** The key that has these parts. */
    keyOf(parts: Parts): string {
      return keys.get(parts.url, parts.asker) ?? textOf(parts)
    },

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
      // The parts of the key are kept beside it.
      put(key, entry, 2 * key.length + entry.answer.size)
    },

    putNames(key: string, varying: Varying): void {
      put(key, varying, 2 * key.length + varying.names.join().length)
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
      for (const path of pattern.endsWith('/*') ? paths.rows() : [pattern]) {
        if (fits(path, pattern)) for (const key of paths.columns(path)) entries.delete(key)
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
