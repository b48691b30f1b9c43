import type { Awaitable } from '../../src/index.ts'
import type { Rule } from './rule.ts'

/** What became of a request for some of a quota. */
export interface Taken {
  readonly allowed: boolean
  /** What is left of the quota. */
  readonly remaining: number
  /**
   * Milliseconds: where nothing was taken, or nothing is left, until it fits, or one does; else until the window ends,
   * or, of `gcra`, until all of the quota is back.
   */
  readonly after: number
  /** When the window began that it was taken from, for `giveBack`. */
  readonly start: number
}

/**
 * Where it is counted. Each call is one step that nothing else comes between: who reads, decides and then writes lets
 * too many through.
 */
export interface RateLimitStore {
  /** Takes so much from the quota under a key, or nothing where that does not fit. */
  take(key: string, cost: number, rule: Rule): Awaitable<Taken>
  /** Gives back what was taken from the window that began at `start`, while it counts still. Not asked of `gcra`. */
  giveBack(key: string, cost: number, rule: Rule, start: number): Awaitable<unknown>
  /** Does each process count for itself? */
  readonly perProcess?: boolean
  /** Called, and waited for, before the app listens. */
  open?(): Awaitable<unknown>
  /** Called when the app has closed. */
  close?(): Awaitable<unknown>
}
