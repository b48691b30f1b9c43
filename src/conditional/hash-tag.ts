import { hash } from 'node:crypto'

/**
 * The text of a tag for bytes: how many there are, and the beginning of their SHA-1. It tells states of a resource apart
 * and protects nothing, so it is the quickest hash that Node has. What it gives is what the package `etag` gives.
 */
export function hashTag(bytes: string | Uint8Array): string {
  return `${Buffer.byteLength(bytes).toString(16)}-${hash('sha1', bytes, 'base64').slice(0, 27)}`
}
