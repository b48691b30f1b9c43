import jsonwebtoken from 'jsonwebtoken'
import { type Awaitable, type BaseContext, when } from '../../src/index.ts'
import { fromBase64url, object } from './json.ts'
import type { KeyRing, KeyWish } from './key-ring.ts'
import type { Algorithm, VerifyingKey } from './keys.ts'

/** A token whose signature is good. */
export interface Signed {
  readonly payload: Buffer
  readonly key: VerifyingKey
  /** What the key was chosen by. */
  readonly wish: KeyWish
}

/**
 * Verifies the signature of a token (RFC 7515 section 5.2, RFC 8725): three parts of base64url that is written in the one
 * right way, a header with an `alg` that is pinned to the key of its `kid`, and nothing in it that would have to be
 * understood. What a header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not looked at. Undefined where it is not good.
 */
export function verifySignature(
  token: string,
  ring: KeyRing,
  ctx: BaseContext,
  type?: string,
): Awaitable<Signed | undefined> {
  const parts = token.split('.')
  const [header, payload, signature] = parts.map(fromBase64url)
  if (parts.length !== 3 || !header || !payload || !signature || signature.length === 0) return
  const wish = readHeader(header, type)
  if (!wish) return
  return when(ring.find(wish, ctx), key => {
    if (!key || !isSigned(token, key, wish.alg as Algorithm)) return
    return { payload, key, wish }
  })
}

function readHeader(bytes: Buffer, wanted: string | undefined): KeyWish | undefined {
  const header = object(bytes)
  if (!header) return
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return
  // An extension that has to be understood, and none is. `b64` is one, RFC 7797 section 6, and is refused without it too.
  if ('crit' in header || 'b64' in header) return
  if (typ !== undefined && typeof typ !== 'string') return
  if (wanted !== undefined && (typ === undefined || mediaType(typ) !== mediaType(wanted))) return
  return { alg, kid }
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
function mediaType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}

function isSigned(token: string, { key }: VerifyingKey, algorithm: Algorithm): boolean {
  try {
    // The claims are not its business: it would not end well with some of them.
    jsonwebtoken.verify(token, key, { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true })
    return true
  } catch {
    return false
  }
}
