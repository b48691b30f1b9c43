import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type AroundContext, type Awaitable, when } from '../../src/index.ts'
import { areForUs, type Claims, type Expected, readClaims, timeOf } from './claims.ts'
import { isToken68 } from './credentials.ts'
import { verifySignature } from './jws.ts'
import type { KeyRing, KeyWish } from './key-ring.ts'
import type { VerifyingKey } from './keys.ts'

/** What is wrong with a token, as much of it as a client may know; `malformed` where it is no token68. */
export type Fault = 'malformed' | 'invalid' | 'expired'

/** The claims of a good token, or why it is none. */
export type Verdict = Claims | Fault

interface Verified {
  readonly claims: Claims
  readonly key: VerifyingKey
  readonly wish: KeyWish
}

export interface VerifierOptions extends Expected {
  readonly ring: KeyRing
  readonly type: string | undefined
  /** How many tokens to remember. */
  readonly cache: number
}

/** All remembered tokens together, in characters. */
const LARGEST = 16 * 1024 * 1024

/**
 * Verifies tokens, and remembers those that were good by the SHA-256 of the whole token: the signature and the claims
 * are not looked at again, the times and whether the key is still the one for it are.
 */
export function verifierOf({ ring, type, cache, ...expected }: VerifierOptions) {
  const known = cache > 0 ? new LRUCache<string, Verified>({ max: cache, maxSize: LARGEST }) : undefined

  function inTime(claims: Claims): Verdict {
    const time = timeOf(claims, expected.leeway)
    if (time === 'now') return claims
    return time === 'over' ? 'expired' : 'invalid'
  }

  function verify(token: string, id: string | undefined, ctx: AroundContext): Awaitable<Verdict> {
    if (!isToken68(token)) return 'malformed'
    return when(verifySignature(token, ring, ctx, type), signed => {
      const claims = signed && readClaims(signed.payload)
      if (!claims || !areForUs(claims, expected)) return 'invalid'
      const verdict = inTime(claims)
      if (verdict === claims && id)
        known?.set(id, { claims, key: signed.key, wish: signed.wish }, { size: token.length })
      return verdict
    })
  }

  return (token: string, ctx: AroundContext): Awaitable<Verdict> => {
    const id = known && hash('sha256', token, 'base64url')
    const before = id === undefined ? undefined : known?.get(id)
    if (!before) return verify(token, id, ctx)
    return when(ring.isCurrent(before.wish, before.key, ctx), (isKnown): Awaitable<Verdict> => {
      const verdict = isKnown ? inTime(before.claims) : verify(token, undefined, ctx)
      if (verdict !== before.claims) known?.delete(id as string)
      return verdict
    }) as Awaitable<Verdict>
  }
}
