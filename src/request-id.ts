import { randomBytes } from 'node:crypto'

const LAST = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * How an app names its requests: 66 random bits, which last for 64 requests, and a character that tells these apart. To
 * ask the system for randomness takes longer than all else about an id.
 *
 * @returns a function that gives the client's own id where it is one that is safe to log and send back, else a new one
 */
export function requestIds(): (given: string | undefined) => string {
  let first = ''
  let count = 0
  return given => {
    if (given !== undefined && SAFE.test(given)) return given
    if (count % LAST.length === 0) first = randomBytes(9).toString('base64url').slice(0, 11)
    const id = first + LAST[count % LAST.length]
    count += 1
    return id
  }
}

const SAFE = /^[\w.:~+/=-]{1,128}$/
