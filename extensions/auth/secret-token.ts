import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Kind } from '../../src/index.ts'

/** What a token begins with. */
export const prefix: Kind = {
  words: 'a prefix of 2 to 32 lower-case letters, digits and underscores, which begins with a letter',
  test: it => typeof it === 'string' && /^[a-z][a-z0-9_]{1,31}$/.test(it),
}

/** 32 bytes in base64url. */
const LENGTH = 43
const CHECKSUM = 6

/**
 * A token of 256 random bits that means nothing by itself: `shop_`, the bits, and a checksum, so that a scanner finds one
 * that was published by mistake, and a mistyped one is known without looking it up. Store its `hash`, never itself.
 *
 * @throws TypeError for a wrong prefix
 * @example const { token, hash } = secretToken('shop')
 */
export function secretToken(its: string): { token: string; hash: string } {
  if (!prefix.test(its)) throw new TypeError(`secretToken: give ${prefix.words}.`)
  const body = `${its}_${randomBytes(32).toString('base64url')}`
  const token = body + checksumOf(body)
  return { token, hash: hashToken(token) }
}

/** SHA-256 in base64url: enough for what has 256 random bits, and not for a password. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** Has it the form that `secretToken` gives, with a good checksum? That says nothing of whether it was ever given out. */
export function isSecretToken(its: string, token: unknown): token is string {
  if (typeof token !== 'string' || token.length !== its.length + 1 + LENGTH + CHECKSUM) return false
  const body = token.slice(0, -CHECKSUM)
  return token.startsWith(`${its}_`) && /^[\w-]+$/.test(token) && checksumOf(body) === token.slice(-CHECKSUM)
}

/** Are two secrets the same? It takes as long whether they begin alike or not; an undefined one is never the same. */
export function sameSecret(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [one ?? '', other ?? ''].map(text => hash('sha256', text, 'buffer'))
  return timingSafeEqual(a as Buffer, b as Buffer) && one !== undefined && other !== undefined
}

function checksumOf(body: string): string {
  return hash('sha256', body, 'base64url').slice(0, CHECKSUM)
}
