const OURS = /^(?:JsonWebTokenError|TokenExpiredError|NotBeforeError)$/
const JOSE =
  /^ERR_(?:JW[TSE]_\w+|JWE|JWS|JOSE_(?:ALG_NOT_ALLOWED|NOT_SUPPORTED)|JWKS_(?:NO_MATCHING_KEY|MULTIPLE_MATCHING_KEYS))$/

/** Is this what jsonwebtoken and jose throw for a token that is not good? Not for keys that they could not fetch. */
export function isRefusal(error: unknown): boolean {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown }
  return (typeof name === 'string' && OURS.test(name)) || (typeof code === 'string' && JOSE.test(code))
}
