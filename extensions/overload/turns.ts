import { performance } from 'node:perf_hooks'

/** What a turn of the event loop was, in milliseconds. */
export interface Turn {
  readonly now: number
  /** From the end of the one before it to its own. */
  readonly took: number
  /** How long the loop had nothing to do in it. */
  readonly paused: number
}

/** After so many milliseconds without a request nobody needs to know where the loop is. */
const PATIENCE = 1000

/**
 * Where the event loop is. In one turn Node hears all sockets that have something to say, one after another, so what a
 * request has waited is at least the time since its turn began.
 *
 * It is at the end of each turn, after the sockets, by an immediate that is not waited for: the loop neither turns for it
 * nor stays alive for it. It begins with the first request, and ends by itself.
 */
export class Turns {
  readonly #onTurn: (turn: Turn) => void
  #next: NodeJS.Immediate | undefined
  #ended = 0
  #idle = 0
  #began: number | undefined
  #asked = 0

  constructor(onTurn: (turn: Turn) => void) {
    this.#onTurn = onTurn
  }

  /** Milliseconds that the loop has been at work in this turn. */
  waited(now: number): number {
    this.#asked = now
    if (!this.#next) this.#begin(now)
    // Where the loop had nothing to do it waited for what it hears now, and nobody waited for it.
    this.#began ??= this.#ended + performance.nodeTiming.idleTime - this.#idle
    return now - this.#began
  }

  stop(): void {
    clearImmediate(this.#next)
    this.#next = undefined
  }

  #begin(now: number): void {
    // What nobody has looked at was a time with nothing to do, as far as requests go.
    if (this.#ended > 0) this.#onTurn({ now, took: now - this.#ended, paused: now - this.#ended })
    this.#ended = now
    this.#idle = performance.nodeTiming.idleTime
    this.#began = now
    this.#next = setImmediate(this.#end).unref()
  }

  readonly #end = (): void => {
    const now = performance.now()
    const idle = performance.nodeTiming.idleTime
    const turn = { now, took: now - this.#ended, paused: idle - this.#idle }
    this.#ended = now
    this.#idle = idle
    this.#began = undefined
    this.#next = now - this.#asked > PATIENCE ? undefined : setImmediate(this.#end).unref()
    this.#onTurn(turn)
  }
}
