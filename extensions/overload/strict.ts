import type { Turn } from './turns.ts'

/** Milliseconds without a pause after which the loop does not catch up by itself. */
const INTERVAL = 60
/** So many requests, too: some that cost much and came together, or a collection of garbage, take as long. */
const IN_A_ROW = 20
/** Milliseconds that a request may have waited while the loop is behind, or as long as two take. */
const TARGET = 5
/** A request that costs more, in milliseconds, is something else than a request. */
const MOST_COST = 50
/** Milliseconds after which it is looked at whether all would fit again. */
const PERIOD = 500

/** What was since when: milliseconds, requests, and those under way times the milliseconds that they were. */
interface Period {
  readonly began: number
  paused: number
  crowd: number
  taken: number
  refused: number
}

/** Since when the loop had no pause, how long it has paused since all the same, and how many were taken. */
interface Behind {
  readonly since: number
  paused: number
  taken: number
}

const periodFrom = (began: number): Period => ({ began, paused: 0, crowd: 0, taken: 0, refused: 0 })

/**
 * Controlled delay, after CoDel (RFC 8289): a queue that empties now and then is what queues are for, and one that does
 * not is as long as it is let become, and its length is what everybody waits. So where the loop had no pause for a
 * while, a request is taken only if it has waited very little.
 *
 * Of handlers that wait for something, what they will cost comes later, and no turn is long yet when they are let in.
 * There the number of those under way is held to what keeps turns short: as TCP finds its window, some more where they
 * are answered in time, and fewer where they are late.
 */
export class Strict {
  readonly #utilisation: number
  readonly #delay: number
  /** While the loop has no pause. */
  #behind: Behind | undefined
  #period: Period | undefined
  #isOn = false
  /** What a request costs while all are taken, in milliseconds, and how many are under way for each that computes. */
  #cost = 0
  #width = 0
  /** How many may be under way. */
  #most = 0
  #spare = 0

  /** @param delay milliseconds that a request may wait while the loop is not behind */
  constructor(utilisation: number, delay: number) {
    this.#utilisation = utilisation
    this.#delay = delay
  }

  /** Is a request to be refused, that has waited so long while so many are under way? */
  refuses(now: number, waited: number, underWay: number): boolean {
    this.#period ??= periodFrom(now)
    if (!this.#isOn && this.#isLate(now, underWay)) this.#begin(now)
    const refuses = this.#isOn && (waited > this.#target || underWay >= this.#most)
    if (refuses) this.#period.refused += 1
    else this.#take(this.#period)
    return refuses
  }

  /** One that made a promise has been answered. */
  settled(waited: () => number, underWay: number): void {
    if (!this.#isOn) return
    if (waited() > 2 * this.#target) this.#most = Math.max(1, this.#most - 0.5)
    else if (underWay >= this.#most - 1) this.#most += 1 / this.#most
  }

  turned({ now, took, paused }: Turn, underWay: number): void {
    if (!this.#period) return
    this.#period.paused += paused
    this.#period.crowd += underWay * took
    this.#look(now, took, paused)
    if (this.#isOn) this.#widen(took < this.#target ? took : paused, underWay)
    if (now - this.#period.began < PERIOD) return
    // Those that were under way all the time are not what keeps the loop busy.
    if (this.#period.taken === 0) this.#widen(PERIOD, underWay)
    this.#review(now, this.#period)
    // What was before it would say for another period that all would not fit.
    if (paused >= PERIOD) this.#isOn = false
  }

  get #target(): number {
    return Math.max(TARGET, 2 * this.#cost)
  }

  #take(period: Period): void {
    period.taken += 1
    if (this.#behind) this.#behind.taken += 1
  }

  #isLate(now: number, underWay: number): boolean {
    const behind = this.#behind
    if (behind && now - behind.since > INTERVAL && behind.taken >= IN_A_ROW) return true
    // Those that wait before they compute will be as late as that, all of them, and it does not show yet.
    return (underWay - this.#width) * this.#cost > (behind ? INTERVAL : this.#delay)
  }

  #begin(now: number): void {
    this.#isOn = true
    this.#spare = 0
    // As many as there were for each that computes keep it busy, and some that wait as long as they may.
    this.#most = Math.max(1, this.#width + this.#target / (this.#cost || 1))
    this.#period = periodFrom(now)
  }

  /** Does the loop keep up? */
  #look(now: number, took: number, paused: number): void {
    if (!this.#behind) {
      // What came at once is heard in one turn. The next one tells whether that was all.
      if (paused < this.#rest(took)) this.#behind = { since: now, paused: 0, taken: 0 }
      return
    }
    this.#behind.paused += paused
    if (this.#behind.paused > this.#rest(now - this.#behind.since)) this.#behind = undefined
  }

  /** While the loop has little to do, those under way wait for something else, and one more can be let in now and then. */
  #widen(time: number, underWay: number): void {
    this.#spare += time
    if (this.#spare < TARGET) return
    this.#most = Math.max(this.#most, underWay) + 1
    this.#spare = 0
  }

  /** Ends it where there would have been time for those that were refused too. */
  #review(now: number, { began, paused, crowd, taken, refused }: Period): void {
    const time = now - began
    const busy = time - paused
    if (!this.#isOn && taken > 0 && busy > 0) {
      this.#cost = Math.min(MOST_COST, busy / taken)
      this.#width = crowd / busy
    }
    if (busy * (taken + refused) <= this.#utilisation * time * taken) this.#isOn = false
    this.#period = periodFrom(now)
  }

  /** How long the loop has to pause in a time, so that it keeps up. */
  #rest(time: number): number {
    return time * (1 - this.#utilisation)
  }
}
