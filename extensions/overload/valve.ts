import { performance } from 'node:perf_hooks'
import { type BaseContext, isPromise, unfinished } from '../../src/index.ts'
import { Episode } from './episode.ts'
import { Heap } from './heap.ts'
import { Strict } from './strict.ts'
import { Turns } from './turns.ts'

export type Reason = 'heap' | 'limit' | 'delay'

interface ValveOptions {
  readonly delay?: number
  readonly utilisation?: number
  readonly heap?: number
  readonly limit?: number
}

/** Lets requests in while there is something to do them with. */
export class Valve {
  readonly #delay: number
  readonly #limit: number
  readonly #heap: Heap
  readonly #strict: Strict
  readonly #turns = new Turns(turn => this.#strict.turned(turn, this.#underWay))
  readonly #episode = new Episode()
  #underWay = 0
  /** What the last request that was asked for had waited, in milliseconds. */
  #waited = 0

  constructor({ delay = 0.25, utilisation = 0.98, heap = 0.85, limit = Number.POSITIVE_INFINITY }: ValveOptions) {
    this.#delay = delay * 1000
    this.#limit = limit
    this.#heap = new Heap(heap)
    this.#strict = new Strict(utilisation, this.#delay)
  }

  /** Why the request that is being heard is to be refused, if it is. */
  refuses(): Reason | undefined {
    const now = performance.now()
    this.#waited = this.#turns.waited(now)
    if (this.#heap.isFull(now)) return 'heap'
    if (this.#underWay >= this.#limit) return 'limit'
    // Asked first, because it counts those that are let in.
    if (this.#strict.refuses(now, this.#waited, this.#underWay) || this.#waited > this.#delay) return 'delay'
    return undefined
  }

  refused({ app, path }: BaseContext, reason: Reason): void {
    this.#episode.refused(performance.now(), app.logger, path, () => ({
      reason,
      ...(reason === 'limit' && { limit: this.#limit }),
      waited: Math.round(this.#waited),
      underWay: this.#underWay,
      heap: Math.round(this.#heap.share * 100) / 100,
    }))
  }

  /** Counts a request as under way until what it has promised is there, and its handler has ended. */
  follow(ctx: BaseContext, value: unknown): unknown {
    if (!isPromise(value)) return value
    // A query may be sent again each time that somebody waits for it.
    const promise = Promise.resolve(value)
    this.#underWay += 1
    const settle = () => {
      // Behind the 503 of `timeouts.handler` it still has what the limit is of.
      const late = unfinished(ctx)
      if (late) late.then(this.#settled, this.#settled)
      else this.#settled()
    }
    promise.then(settle, settle)
    return promise
  }

  stop(): void {
    this.#turns.stop()
    this.#heap.stop()
    this.#episode.stop()
  }

  readonly #settled = (): void => {
    this.#underWay -= 1
    this.#strict.settled(() => this.#turns.waited(performance.now()), this.#underWay)
  }
}
