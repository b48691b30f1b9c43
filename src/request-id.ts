import { randomBytes } from 'node:crypto'

const LAST = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LENGTH = 11
const AT_A_TIME = 64

/**
 * How an app names its requests: 66 random bits, which last for 64 requests, and a character that tells these apart. To
 * ask the system for randomness takes longer than all else about an id, so it is asked for many at a time.
 *
 * @returns a function that gives the client's own id where it is one that is safe to log and send back, else a new one
 */
export function requestIds(): (given: string | undefined) => string {
  let random = ''
  let first = ''
  let last = LAST.length
  return given => {
    if (given !== undefined && SAFE.test(given)) return given
    if (last === LAST.length) {
      if (random === '') random = randomBytes((LENGTH * AT_A_TIME * 6) / 8).toString('base64url')
      first = random.slice(0, LENGTH)
      random = random.slice(LENGTH)
      last = 0
    }
    last += 1
    return first + LAST[last - 1]
  }
}

const SAFE = /^[\w.:~+/=-]{1,128}$/
