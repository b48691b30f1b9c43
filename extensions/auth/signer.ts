import { createPrivateKey, createPublicKey, KeyObject } from 'node:crypto'
import jsonwebtoken from 'jsonwebtoken'
import { type Algorithm, fromKey, fromSecret, type Jwk } from './keys.ts'

/** What tokens are signed with: exactly one of secret and key. */
export interface SigningOptions {
  /** A secret that whoever verifies has too, for HS256; of at least 32 bytes. */
  secret?: string | Uint8Array | KeyObject | undefined
  /** A private key, as PEM, JWK or KeyObject; whoever verifies has its public half. */
  key?: string | KeyObject | Jwk | undefined
  /** Stands in the header of each token, so that keys can be exchanged one by one. */
  kid?: string
  /** @default by the type of the key: HS256, RS256, or ES256, ES384, ES512 by its curve */
  algorithm?: Algorithm
}

export type Sign = (claims: object) => string

/** @throws TypeError for no key, two of them, one that is too weak, and one that does not fit the algorithm */
export function signerOf(where: string, { secret, key, kid, algorithm }: SigningOptions): Sign {
  if ((secret === undefined) === (key === undefined))
    throw new TypeError(
      `${where}: give a secret or a key to sign with, one of them. Is the variable of the environment set that it comes from?`,
    )
  const wanted = algorithm && [algorithm]
  const own = key === undefined ? undefined : toPrivateKey(where, key)
  const { key: verifying, algorithms } = own
    ? fromKey(`${where} key`, createPublicKey(own), wanted)
    : fromSecret(`${where} secret`, secret as string, wanted)
  const [chosen = 'HS256'] = algorithms
  // RFC 9068 section 2.1: a type of its own, so that no other token of the same key is taken for one.
  const header = { alg: chosen, typ: 'at+jwt', ...(kid !== undefined && { kid }) }
  return claims => jsonwebtoken.sign(claims, own ?? verifying, { algorithm: chosen, header })
}

function toPrivateKey(where: string, key: string | KeyObject | Jwk): KeyObject {
  try {
    if (key instanceof KeyObject && key.type === 'private') return key
    if (typeof key === 'string') return createPrivateKey(key)
    return createPrivateKey({ key: key as never, format: 'jwk' })
  } catch {
    throw new TypeError(`${where}: the key is no private key. Give a PEM, a JWK or a KeyObject.`)
  }
}
