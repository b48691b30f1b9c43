import type { Turn } from './turns.ts'

/** Milliseconds without a pause after which the loop is behind, and does not catch up by itself. */
const INTERVAL = 100
/** Milliseconds that a request may have waited then. */
export const TARGET = 5
/** Milliseconds after which it is looked at whether all would fit again. */
const PERIOD = 500

interface Period {
  readonly began: number
  paused: number
  accepted: number
  refused: number
}

/**
 * Controlled delay, after CoDel (RFC 8289): a queue that empties now and then is what queues are for, and one that does
 * not is as long as it is let become, and its length is what everybody waits. So where the loop had no pause for a
 * while, a request is taken only if it has waited very little.
 *
 * Of handlers that wait for something, what they will cost comes later, and no turn is long yet when they are let in.
 * There the number of those under way is held to what keeps turns short: as TCP finds its window, one more for each
 * that were answered in time, less for each that was late.
 */
export class Strict {
  readonly #utilisation: number
  /** Since when the loop had no pause, and how long it has paused since. */
  #behind: { readonly since: number; paused: number } | undefined
  #period: Period | undefined
  #took = 0
  #most = 0
  #spare = 0

  constructor(utilisation: number) {
    this.#utilisation = utilisation
  }

  /** Is a request to be refused, that has waited so long, and so many are under way? */
  refuses(now: number, waited: number, underWay: number): boolean {
    this.#period ??= this.#begin(now, waited, underWay)
    if (!this.#period) return false
    const refuses = waited > TARGET || underWay >= this.#most
    if (refuses) this.#period.refused += 1
    else this.#period.accepted += 1
    return refuses
  }

  /** One that made a promise has been answered. */
  settled(waited: () => number, underWay: number): void {
    if (!this.#period) return
    if (waited() > TARGET) this.#most = Math.max(1, this.#most - 0.5)
    else if (underWay >= this.#most - 1) this.#most += 1 / this.#most
  }

  turned({ now, took, paused }: Turn, underWay: number): void {
    this.#took = took - paused
    if (!this.#behind) {
      if (paused <= this.#rest(took)) this.#behind = { since: now, paused: 0 }
    } else {
      this.#behind.paused += paused
      if (this.#behind.paused > this.#rest(now - this.#behind.since)) this.#behind = undefined
    }
    if (!this.#period) return
    this.#period.paused += paused
    this.#spare += paused
    // While the loop has nothing to do, those under way wait for something else.
    if (this.#spare > TARGET) {
      this.#most = Math.max(this.#most, underWay) + 1
      this.#spare = 0
    }
    if (now - this.#period.began < PERIOD) return
    const isOver = this.#wouldFit(this.#period, now)
    this.#period = isOver ? undefined : { began: now, paused: 0, accepted: 0, refused: 0 }
  }

  #begin(now: number, waited: number, underWay: number): Period | undefined {
    if (!this.#behind || now - this.#behind.since < INTERVAL) return
    this.#spare = 0
    // So many make a turn this long. Some fewer make one that is short enough.
    this.#most = Math.max(1, (underWay * TARGET) / Math.max(TARGET, waited, this.#took))
    return { began: now, paused: 0, accepted: 0, refused: 0 }
  }

  /** Would there have been time for those that were refused too? */
  #wouldFit({ began, paused, accepted, refused }: Period, now: number): boolean {
    const busy = 1 - paused / (now - began)
    return busy * (accepted + refused) <= this.#utilisation * accepted
  }

  /** How long the loop has to pause in a time, so that it keeps up. */
  #rest(time: number): number {
    return time * (1 - this.#utilisation)
  }
}
