import type { RateLimitStore, Rule, Taken } from 'kolba/rate-limit'

interface Event {
  time: number
  cost: number
  taken: boolean
}

/** What a limit has let through until now, as a list; nothing else is kept, and each question walks all of it. */
export class Model {
  readonly events: Event[] = []
  readonly #rule: Rule

  constructor(rule: Rule) {
    this.#rule = rule
  }

  take(time: number, cost: number): { allowed: boolean; remaining: number } {
    const allowed = this.fits(time, cost)
    this.events.push({ time, cost, taken: allowed })
    let remaining = 0
    while (this.fits(time, remaining + 1)) remaining += 1
    return { allowed, remaining }
  }

  giveBack(index: number): void {
    const event = this.events[index] as Event
    event.cost = 0
  }

  fits(time: number, cost: number): boolean {
    if (this.#rule.algorithm === 'gcra') return this.#flow(time, cost)
    return this.#rule.algorithm === 'fixed' ? this.#fixed(time, cost) : this.#sliding(time, cost)
  }

  /** What was let through from one time on, up to another. */
  #sum(from: number, to: number): number {
    const inside = this.events.filter(({ time, taken }) => taken && time >= from && time < to)
    return inside.reduce((sum, { cost }) => sum + cost, 0)
  }

  #fixed(time: number, cost: number): boolean {
    const { limit, per } = this.#rule
    let start = Number.NEGATIVE_INFINITY
    for (const event of [...this.events, { time }]) if (event.time >= start + per) start = event.time
    return this.#sum(start, start + per) + cost <= limit
  }

  #sliding(time: number, cost: number): boolean {
    const { limit, per } = this.#rule
    let start = Number.NEGATIVE_INFINITY
    for (const event of [...this.events, { time }]) {
      if (event.time >= start + 2 * per) start = event.time
      else if (event.time >= start + per) start += per
    }
    const share = BigInt(start + per - time) * BigInt(this.#sum(start - per, start))
    return share + BigInt(this.#sum(start, start + per) + cost) * BigInt(per) <= BigInt(limit * per)
  }

  /** Fractions of a request, as whole numbers of a BigInt: what comes in at each event, and what has flown off by then. */
  #flow(now: number, wanted: number): boolean {
    const { limit, per, burst } = this.#rule
    let level = 0n
    let last = Number.NEGATIVE_INFINITY
    for (const { time, cost, taken } of [...this.events, { time: now, cost: 0, taken: false }]) {
      if (level > 0n) level -= BigInt(time - last) * BigInt(limit)
      if (level < 0n) level = 0n
      if (taken) level += BigInt(cost) * BigInt(per)
      last = time
    }
    return level + BigInt(wanted) * BigInt(per) <= BigInt(burst) * BigInt(per)
  }
}

/** One thing that happens to a limit: time passes, then so much is asked for, or the last but so many is given back. */
export interface Step {
  wait: number
  cost: number
  back?: number | undefined
}

/** Runs steps through a store and a model; what they say, side by side. */
export async function compare(
  store: RateLimitStore,
  rule: Rule,
  steps: readonly Step[],
  clock: { now: number },
): Promise<{ theirs: unknown[]; ours: unknown[]; waits: unknown[] }> {
  const model = new Model(rule)
  const results: (Taken & { cost: number })[] = []
  const theirs: unknown[] = []
  const ours: unknown[] = []
  const waits: unknown[] = []
  for (const { wait, cost, back } of steps) {
    clock.now += wait
    const expected = model.take(clock.now, cost)
    const taken = await store.take('key', cost, rule)
    theirs.push(expected)
    ours.push({ allowed: taken.allowed, remaining: taken.remaining })
    results.push({ ...taken, cost })
    // What it says of when it fits is so, to the millisecond.
    if (!taken.allowed) {
      const [early, due] = [clock.now + taken.after - 1, clock.now + taken.after]
      if (model.fits(early, cost) || !model.fits(due, cost)) waits.push({ at: clock.now, cost, after: taken.after })
    }
    const index = results.length - 1 - (back ?? 0)
    const given = results[index]
    if (back === undefined || !given?.allowed || given.cost === 0 || rule.algorithm === 'gcra') continue
    await store.giveBack('key', given.cost, rule, given.start)
    model.giveBack(index)
    given.cost = 0
  }
  return { theirs, ours, waits }
}
