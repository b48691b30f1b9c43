import { createPublicKey, createSecretKey, KeyObject } from 'node:crypto'
import { isObject } from './json.ts'
import { weaknessOf } from './weakness.ts'

export const ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const

/** The algorithms of RFC 7518 section 3.1 that are taken. `none` is not among them. */
export type Algorithm = (typeof ALGORITHMS)[number]

/** A key as RFC 7517 writes it. */
export interface Jwk {
  readonly kty: string
  readonly [member: string]: unknown
}

/** A public key to verify with (of a private one, the public half), as PEM, JWK or KeyObject; or a secret KeyObject or JWK. */
export type KeyInput = string | KeyObject | Jwk

/** A key, with its name and what it may be used for. */
export interface NamedKey {
  readonly kid?: string
  readonly key: KeyInput
  readonly algorithms?: readonly Algorithm[]
}

/** A key that may verify, and the algorithms that are pinned to it. */
export interface VerifyingKey {
  readonly kid: string | undefined
  readonly key: KeyObject
  readonly algorithms: readonly Algorithm[]
}

const CURVES: Readonly<Record<string, Algorithm>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

/** @throws TypeError for a secret that is none, too short, or a key of another kind */
export function fromSecret(
  where: string,
  secret: string | Uint8Array | KeyObject,
  algorithms?: readonly Algorithm[],
): VerifyingKey {
  const key = secret instanceof KeyObject ? secret : toSecret(where, secret)
  if (key.type !== 'secret') throw new TypeError(`${where}: this is a ${key.type} key. Give it as keys.`)
  return pinned(where, key, undefined, algorithms)
}

function toSecret(where: string, secret: string | Uint8Array): KeyObject {
  // A public key that is taken for a secret lets everyone sign who has that key.
  if (/-----BEGIN |^\s*\{\s*"/.test(Buffer.from(secret).toString('latin1', 0, 4096)))
    throw new TypeError(`${where}: this is a PEM or a JWK, and no secret. Give it as keys.`)
  return createSecretKey(typeof secret === 'string' ? Buffer.from(secret) : secret)
}

/** @throws TypeError for what is no key, for one that is too weak, and for one that is meant for something else */
export function fromKey(where: string, input: KeyInput | NamedKey, algorithms?: readonly Algorithm[]): VerifyingKey {
  if (!isNamed(input)) return fromKey(where, { key: input }, algorithms)
  const { key: given, kid, algorithms: own = algorithms } = input
  const jwk = isJwk(given) ? given : undefined
  const pin = jwk ? algorithmsOf(where, jwk, own) : own
  const name = kid ?? jwk?.kid
  if (name !== undefined && typeof name !== 'string') throw new TypeError(`${where}: the kid is no string.`)
  return pinned(where, toKey(where, given), name, pin)
}

function isNamed(input: KeyInput | NamedKey): input is NamedKey {
  return isObject(input) && !(input instanceof KeyObject) && 'key' in input
}

function isJwk(given: KeyInput): given is Jwk {
  return isObject(given) && !(given instanceof KeyObject)
}

/** What a JWK says that it is for: RFC 7517 sections 4.2 to 4.4. */
function algorithmsOf(where: string, { use, key_ops: operations, alg }: Jwk, wanted?: readonly Algorithm[]) {
  const isForSigning =
    operations === undefined ||
    (Array.isArray(operations) && operations.some(operation => operation === 'verify' || operation === 'sign'))
  if ((use !== undefined && use !== 'sig') || !isForSigning)
    throw new TypeError(`${where}: its use or key_ops say that it is not for signatures. Give another.`)
  if (alg === undefined) return wanted
  if (!ALGORITHMS.includes(alg as Algorithm) || (wanted && !wanted.includes(alg as Algorithm)))
    throw new TypeError(`${where}: its alg is not among ${(wanted ?? ALGORITHMS).join(', ')}. Give another.`)
  return [alg as Algorithm]
}

function toKey(where: string, given: KeyInput): KeyObject {
  try {
    if (given instanceof KeyObject) return given.type === 'private' ? createPublicKey(given) : given
    if (typeof given === 'string') return createPublicKey(given)
    if (given.kty === 'oct' && typeof given.k === 'string') return createSecretKey(Buffer.from(given.k, 'base64url'))
    return createPublicKey({ key: given as never, format: 'jwk' })
  } catch {
    // What crypto says of it may quote it.
    throw new TypeError(`${where}: this is no key. Give a PEM, a JWK or a KeyObject.`)
  }
}

/** Pins a key to algorithms that its type allows: it is never the token that chooses. */
function pinned(
  where: string,
  key: KeyObject,
  kid: string | undefined,
  wanted: readonly Algorithm[] | undefined,
): VerifyingKey {
  const possible = possibleFor(key)
  const [usual] = possible
  if (usual === undefined)
    throw new TypeError(
      `${where}: it is of the type ${key.asymmetricKeyType}. Give a secret, an RSA or an EC key; or verify yourself, tokenAuth({ verify }).`,
    )
  const algorithms = wanted ?? [usual]
  const odd = algorithms.find(algorithm => !possible.includes(algorithm))
  if (odd !== undefined || algorithms.length === 0)
    throw new TypeError(
      `${where}: it cannot be used with ${odd ?? 'no algorithm'}. Give some of ${possible.join(', ')}.`,
    )
  const weakness = weaknessOf(key, algorithms)
  if (weakness) throw new TypeError(`${where}: ${weakness}`)
  return { kid, key, algorithms }
}

/** The algorithms that fit the type of a key, the usual one first. */
function possibleFor({ type, asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): readonly Algorithm[] {
  const { namedCurve = '', hashAlgorithm } = asymmetricKeyDetails
  const starting = (prefix: string) => ALGORITHMS.filter(it => it.startsWith(prefix))
  if (type === 'secret') return starting('HS')
  if (asymmetricKeyType === 'rsa') return [...starting('RS'), ...starting('PS')]
  if (asymmetricKeyType === 'rsa-pss')
    return hashAlgorithm ? starting(`PS${hashAlgorithm.replace('sha', '')}`) : starting('PS')
  return asymmetricKeyType === 'ec' ? [CURVES[namedCurve] ?? []].flat() : []
}
