import { randomBytes } from 'node:crypto'

/** Characters of an id, of base64url: 132 random bits, where a UUID has 122. */
const LENGTH = 22
/** Ids made at a time. To ask the system for randomness costs more than all else about an id. */
const COUNT = 128

/**
 * How an app names its requests.
 *
 * @returns a function that gives the client's own id where it is one that is safe to log and send back, else a new one
 */
export function requestIds(): (given: string | undefined) => string {
  let pool = ''
  let at = 0
  return given => {
    if (given !== undefined && SAFE.test(given)) return given
    if (at === pool.length) {
      pool = randomBytes((LENGTH * COUNT * 3) / 4).toString('base64url')
      at = 0
    }
    at += LENGTH
    return pool.slice(at - LENGTH, at)
  }
}

const SAFE = /^[\w.:~+/=-]{1,128}$/
