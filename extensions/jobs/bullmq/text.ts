import { createHash } from 'node:crypto'

// jsonb of PostgreSQL takes neither a zero character nor half of a surrogate pair.
const ODD = /[\0\p{Cs}]/u
const UNSAFE = /[%:\p{Cc}\p{Cs}]/gu

/** A text as every database takes it, to be read by `unpack`. */
export function pack(text: string): string {
  return ODD.test(text) || text.startsWith('\\') ? `\\${JSON.stringify(text)}` : text
}

export function unpack(text: string): string {
  return text.startsWith('\\') ? (JSON.parse(text.slice(1)) as string) : text
}

/** A text as part of a name in BullMQ, which takes no colon. No two texts become one name. */
export function nameOf(text: string): string {
  const name = text.replace(UNSAFE, it => `%${it.charCodeAt(0).toString(16)}.`)
  return name.length <= 200 ? name : `%${hashOf(text)}`
}

/** Of every code unit, as `update` alone would read one half of a surrogate pair like any other. */
export function hashOf(...texts: string[]): string {
  return createHash('sha256')
    .update(Buffer.from(JSON.stringify(texts), 'utf16le'))
    .digest('base64url')
}
