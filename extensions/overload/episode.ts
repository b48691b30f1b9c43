import type { Logger } from '../../src/index.ts'

/** Milliseconds without a refusal after which it is over. */
const QUIET = 5000

/** The time in which requests are refused, of which the log has a line when it begins and one when it is over. */
export class Episode {
  #timer: NodeJS.Timeout | undefined
  #logger: Logger | undefined
  #path = ''
  #began = 0
  #last = 0
  #refused = 0

  /** @param fields what the log says of the first one that is refused, beside its path */
  refused(now: number, logger: Logger, path: string, fields: () => object): void {
    this.#last = now
    this.#refused += 1
    if (this.#timer) return
    this.#began = now
    this.#path = path
    this.#logger = logger
    this.#timer = setInterval(() => performance.now() - this.#last > QUIET && this.stop(), 1000).unref()
    logger.warn({ path, ...fields() }, 'overload: requests are refused')
  }

  stop(): void {
    if (!this.#timer) return
    clearInterval(this.#timer)
    this.#timer = undefined
    const seconds = Math.round((this.#last - this.#began) / 100) / 10
    this.#logger?.info({ path: this.#path, refused: this.#refused, seconds }, 'overload: it is over')
    this.#refused = 0
  }
}
