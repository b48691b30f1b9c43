import { constants, PerformanceObserver, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { resourceLimits } from 'node:worker_threads'

/** Milliseconds that a measurement counts. While nothing is let in there may be no collection, and so no other one. */
const VALID = 2000

/**
 * Is the heap too full? What is in use between two collections is rubbish for the most part, so it is measured right
 * after those of the whole heap, which are frequent where it is nearly full.
 */
export class Heap {
  /** What was in use after the last collection, as a share of what V8 may take. */
  share = 0
  readonly #most: number
  readonly #limit = limitOf()
  #measured = 0
  #observer: PerformanceObserver | undefined

  constructor(most: number) {
    this.#most = most
  }

  isFull(now: number): boolean {
    if (!this.#observer) this.#observe()
    return this.share > this.#most && now - this.#measured < VALID
  }

  stop(): void {
    this.#observer?.disconnect()
    this.#observer = undefined
  }

  #observe(): void {
    this.#observer = new PerformanceObserver(list => {
      const isWhole = list.getEntries().some(it => kindOf(it) === constants.NODE_PERFORMANCE_GC_MAJOR)
      if (!isWhole) return
      this.share = getHeapStatistics().used_heap_size / this.#limit
      this.#measured = performance.now()
    })
    this.#observer.observe({ entryTypes: ['gc'] })
  }
}

/** Its types know nothing of it. */
function kindOf(entry: unknown): number | undefined {
  return (entry as { detail?: { kind?: number } }).detail?.kind
}

/**
 * Bytes after which V8 gives up. Its own figure has the room for new objects in it, 48 to 192 MB, which is much of a heap
 * that was made small, by a flag or for a thread.
 */
function limitOf(): number {
  const flags = `${process.env.NODE_OPTIONS} ${process.execArgv.join(' ')}`
  const given = [...flags.matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g)].at(-1)?.[1]
  const megabytes = resourceLimits.maxOldGenerationSizeMb ?? Number(given ?? Number.POSITIVE_INFINITY)
  return Math.min(getHeapStatistics().heap_size_limit, megabytes * 2 ** 20)
}
