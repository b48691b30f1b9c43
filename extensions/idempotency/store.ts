import type { Awaitable } from '../../src/index.ts'

/** Somebody who carries out a request. */
export interface Claim {
  /** Differs for each who carries it out, a repetition included. */
  readonly owner: string
  /** A hash of what the request asks for. */
  readonly payload: string
}

/** What is under a key that somebody else has. */
export interface Found {
  readonly payload: string
  readonly isRunning: boolean
  /** The answer, where the request has ended and its answer was kept. */
  readonly answer?: string | undefined
}

/**
 * Where keys are kept. Each of these is done at once, whatever else asks: of two `begin` with one key one gets it. What
 * fails refuses the request with 503, because a write that cannot be made safe is not carried out.
 */
export interface IdempotencyStore {
  /**
   * Takes a key for so many milliseconds, which whoever has it may do again; undefined says that it is taken. One that
   * nobody has taken again in time is free.
   *
   * @returns what is there, where somebody else has it or has ended
   */
  begin(key: string, claim: Claim, lease: number): Awaitable<Found | undefined>
  /**
   * Keeps an answer, or that there was one, for so many milliseconds; the key may be free by then.
   *
   * @returns false where somebody else has taken the key since
   */
  finish(key: string, claim: Claim, answer: string | undefined, ttl: number): Awaitable<boolean>
  /**
   * Gives a key back, as if nothing had been, where it is still the owner's. It is asked, and not waited for, after a
   * `begin` that has failed as well.
   */
  release(key: string, claim: Claim): Awaitable<unknown>
  /** Does each process have keys of its own? */
  readonly perProcess?: boolean
}
