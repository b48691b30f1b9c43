import type { BaseContext } from '../context.ts'
import { problem } from '../problem.ts'

// An Item of RFC 9651 section 3.3 that is a String, and parameters, which mean nothing here. No two alternatives begin
// alike, so the expressions take one step for each character.
const STRING = '"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"'
const NUMBER = '-?(?:\\d{1,12}\\.\\d{1,3}|\\d{1,15})'
const TOKEN = "[A-Za-z*][\\w!#$%&'*+.^`|~:/-]*"
const BYTES = ':(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?:'
const DISPLAY = '%"(?:[\\x20\\x21\\x23\\x24\\x26-\\x7e]|%[\\da-f]{2})*"'
const BARE = [STRING, NUMBER, TOKEN, BYTES, '\\?[01]', '@-?\\d{1,15}', DISPLAY].join('|')
const ITEM = new RegExp(`^ *(${STRING})(?:; *[a-z*][a-z\\d_.*-]*(?:=(?:${BARE}))?)* *$`)

/** As many clients send it, without the quotes. */
const PLAIN = /^[\w.~:+/=-]+$/
const LONGEST = 255

const EXAMPLE = 'Idempotency-Key: "<a UUID>"'

/**
 * The key of a request (draft-ietf-httpapi-idempotency-key-header section 2.1), undefined where it has none.
 *
 * @throws Problem 400 for one that nobody can read, and where there is none and one is required
 */
export function readIdempotencyKey(ctx: BaseContext, { required = false, lenient = false }): string | undefined {
  const text = ctx.req.headers['idempotency-key']
  if (text === undefined) {
    if (!required) return undefined
    throw problem(400, { detail: `Send an Idempotency-Key, a new one for each thing to be done: ${EXAMPLE}.` })
  }
  // Node joins several lines with a comma, and a list is no key.
  const key = parse(String(text)) ?? (lenient && PLAIN.test(String(text)) ? String(text) : '')
  if (key.length >= 1 && key.length <= LONGEST) return key
  throw problem(400, { detail: `Send 1 to ${LONGEST} characters in double quotes as the key: ${EXAMPLE}.` })
}

function parse(text: string): string | undefined {
  return ITEM.exec(text)?.[1]?.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}
