import { createHash } from 'node:crypto'

/** What a key is made of. */
export type KeyPart = string | number | bigint | boolean | null

/** Longer ones are hashed, so that no client can fill a store with a few of them. */
const LONGEST = 128

/**
 * One key of several parts, in at most 128 bytes. Other parts give another key: `'a', 'b'` and `'ab'`, `1` and `'1'`.
 *
 * @example keyOf('tenant', 7, ctx.params.id)   // '6:tenant,n7,1:x,'
 */
export function keyOf(...parts: readonly KeyPart[]): string {
  let text = ''
  for (const part of parts) text += `${write(part)},`
  // No character takes more than three bytes.
  if (text.length * 3 <= LONGEST || Buffer.byteLength(text) <= LONGEST) return text
  return `sha256:${createHash('sha256').update(text).digest('base64url')}`
}

/** Text says its length, so that nothing in it can be taken for what stands around it. */
function write(part: KeyPart): string {
  if (typeof part !== 'string') return `${typeof part === 'bigint' ? 'i' : typeof part === 'number' ? 'n' : ''}${part}`
  // Half a surrogate pair would be the same as any other once it is bytes.
  return part.isWellFormed() ? `${part.length}:${part}` : `j${JSON.stringify(part)}`
}
