/** Something that has to be over in time: a link of a chain, whose ends are joined, while it is under way. */
export interface Wait {
  readonly until: number
  readonly late: () => void
  before: Wait
  after: Wait
  isOver: boolean
}

/**
 * Waits that may all take equally long, and of which most are soon over. One timer watches all of them, and they are a
 * chain, in the order of their ends: beside a short wait a timer of its own costs much, and so does an entry in a Set.
 */
export class Deadlines {
  readonly #milliseconds: number
  readonly #chain = emptyChain()
  #timer: NodeJS.Timeout | undefined

  constructor(seconds: number) {
    this.#milliseconds = seconds * 1000
  }

  /** Begins to wait. Where `end()` is not called in time, `late` is, though not in the async context of who has begun. */
  begin(late: () => void): Wait {
    const after = this.#chain
    const { before } = after
    const wait = { until: performance.now() + this.#milliseconds, late, before, after, isOver: false }
    before.after = wait
    after.before = wait
    if (!this.#timer) this.#watch(this.#milliseconds)
    return wait
  }

  /** @returns whether it is in time */
  end(wait: Wait): boolean {
    if (wait.isOver) return false
    wait.isOver = true
    wait.before.after = wait.after
    wait.after.before = wait.before
    return true
  }

  #watch(milliseconds: number): void {
    // The connection of a request keeps the process alive, and a timer that nobody waits for must not.
    this.#timer = setTimeout(() => this.#look(), milliseconds).unref()
  }

  #look(): void {
    this.#timer = undefined
    const now = performance.now()
    for (let { after: first } = this.#chain; first !== this.#chain; first = this.#chain.after) {
      if (first.until > now) return this.#watch(first.until - now)
      this.end(first)
      first.late()
    }
  }
}

function emptyChain(): Wait {
  const chain = { until: Infinity, late: () => {}, isOver: false } as Wait
  chain.before = chain
  chain.after = chain
  return chain
}
