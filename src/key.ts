import { createHash } from 'node:crypto'

/** What a key is made of. */
export type KeyPart = string | number | bigint | boolean | null

/** Longer ones are hashed, so that no client can fill a store with a few of them. */
const LONGEST = 128

/**
 * One key of several parts, in at most 128 bytes. Other parts give another key: `'a', 'b'` and `'ab'`, `1` and `'1'`.
 *
 * @example keyOf('tenant', 7, ctx.params.id)   // '["tenant",7,"x"]'
 */
export function keyOf(...parts: readonly KeyPart[]): string {
  // JSON escapes half a surrogate pair, which would be the same as any other once it is bytes.
  const text = JSON.stringify(parts.map(part => (isWritten(part) ? part : [`${part}`])))
  if (text.length <= LONGEST / 4 || Buffer.byteLength(text) <= LONGEST) return text
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`
}

/** JSON has no BigInt, and makes null of NaN. */
function isWritten(part: KeyPart): boolean {
  return typeof part === 'number' ? Number.isFinite(part) : typeof part !== 'bigint'
}
