import type { Job, NewJob } from '../engine.ts'
import { Heap } from '../heap.ts'

/** A job, and what an engine knows of it besides. */
export type Kept = { -readonly [K in keyof Job]: Job[K] } & Pick<NewJob, 'priority' | 'keys'> & {
    /** Its place among those that came; another one for each time that it waits. */
    order: number
    token: string | undefined
    /** When it expires, and when nothing is left of it. */
    until: number
    gone: number
  }

/** The jobs of one task that wait: those that are due, and those that will be. */
export class Tasks {
  waiting = 0
  #dropped = 0
  readonly #ready = new Heap<Kept>((one, other) =>
    one.priority === other.priority
      ? one.due === other.due
        ? one.order < other.order
        : one.due < other.due
      : one.priority > other.priority,
  )
  readonly #later = new Heap<Kept>((one, other) => one.due < other.due)

  push(kept: Kept): void {
    this.waiting++
    const heap = kept.due > Date.now() ? this.#later : this.#ready
    heap.push(kept)
  }

  /** One has ended that waited. It is left where it is, until those are more than the others. */
  drop(): void {
    this.waiting--
    this.#dropped++
    if (this.#dropped < 100 || this.#dropped < this.waiting) return
    for (const heap of [this.#ready, this.#later]) heap.keep(isQueued)
    this.#dropped = 0
  }

  /** The next to begin of those that are due. */
  next(): Kept | undefined {
    const now = Date.now()
    for (let kept = first(this.#later); kept && kept.due <= now; kept = first(this.#later)) {
      this.#later.shift()
      this.#ready.push(kept)
    }
    const kept = first(this.#ready)
    if (!kept) return undefined
    this.#ready.shift()
    this.waiting--
    return kept
  }

  due(): number | undefined {
    const due = Math.min(first(this.#ready)?.due ?? Infinity, first(this.#later)?.due ?? Infinity)
    return due === Infinity ? undefined : due
  }
}

const isQueued = ({ state }: Kept) => state === 'queued'

function first(heap: Heap<Kept>): Kept | undefined {
  while (heap.first && !isQueued(heap.first)) heap.shift()
  return heap.first
}
