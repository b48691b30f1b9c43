import { type Awaitable, type BaseContext, isPromise, type Logger } from '../../src/index.ts'

/** How long a store may take for an answer, and how long it is left alone after it gave none. In milliseconds. */
const TIME = 100
const REST = 1000
/** In how many steps that time is counted. */
const STEPS = 10

/** Asks a store; undefined where it fails, or does not answer in time. */
export type Ask = <T>(ctx: BaseContext, limit: { name: string }, ask: () => Awaitable<T>) => Awaitable<T | undefined>

/**
 * Makes what asks a store and does not wait for one that is away: after a failure nobody asks for a second, and then one
 * does, to see. The log has a line when it goes and one when it is back. Of the error it has the message alone, because
 * that of a client may hold keys.
 */
export function carefully(becomes: string): Ask {
  let isAway = false
  let restUntil = 0

  function failed(logger: Logger, limit: string, error: unknown): undefined {
    restUntil = performance.now() + REST
    if (isAway) return
    isAway = true
    const reason = error instanceof Error ? error.message : String(error)
    logger.error({ limit, reason }, `rateLimit: the store does not answer. Until it does, requests are ${becomes}.`)
  }

  function answered(logger: Logger, limit: string): void {
    isAway = false
    logger.info({ limit }, 'rateLimit: the store answers again.')
  }

  return ({ app: { logger } }, { name }, ask) => {
    if (isAway) {
      if (performance.now() < restUntil) return undefined
      restUntil = performance.now() + REST
    }
    try {
      const answer = ask()
      if (isPromise(answer)) {
        return inTime(answer).then(
          value => {
            if (isAway) answered(logger, name)
            return value
          },
          error => failed(logger, name, error),
        )
      }
      if (isAway) answered(logger, name)
      return answer
    } catch (error) {
      return failed(logger, name, error)
    }
  }
}

/**
 * Waits for an answer. The time is counted in steps, of which each counts once however long it was: where this process
 * or its machine had no time, the answer may have come and not been read, and the store is not to blame.
 */
function inTime<T>(answer: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let steps = 0
    let timer = setTimeout(function step() {
      steps += 1
      if (steps < STEPS) timer = setTimeout(step, TIME / STEPS)
      else reject(new Error(`no answer within ${TIME} ms`))
    }, TIME / STEPS)
    answer.then(
      value => {
        clearTimeout(timer)
        resolve(value)
      },
      error => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
