import type { Awaitable, BaseContext } from '../../src/index.ts'
import { isObject } from './json.ts'
import { type Algorithm, fromKey, type Jwk, type KeyInput, type NamedKey, type VerifyingKey } from './keys.ts'

/** The header of a token, as far as a key is chosen by it. */
export interface KeyWish {
  readonly alg: string
  readonly kid: string | undefined
}

/** The keys that tokens may be signed with. */
export interface KeyRing {
  find(wish: KeyWish, ctx: BaseContext): Awaitable<VerifyingKey | undefined>
  /** Is a key that was found before still the one, of those that are there by now? */
  isCurrent(wish: KeyWish, key: VerifyingKey, ctx: BaseContext): Awaitable<boolean>
}

/** Keys by `kid`, those without one under undefined. */
export type KeyTable = ReadonlyMap<string | undefined, readonly VerifyingKey[]>

export function tableOf(keys: readonly VerifyingKey[]): KeyTable {
  const table = new Map<string | undefined, VerifyingKey[]>()
  for (const key of keys) table.set(key.kid, [...(table.get(key.kid) ?? []), key])
  return table
}

/** The one key that a token can be meant for: that of its `kid`, or one without, for the algorithm. None where several fit. */
export function choose(table: KeyTable, { alg, kid }: KeyWish): VerifyingKey | undefined {
  const nameless = table.get(undefined) ?? []
  const candidates = kid === undefined ? [...table.values()].flat() : [...(table.get(kid) ?? []), ...nameless]
  const fitting = candidates.filter(({ algorithms }) => algorithms.includes(alg as Algorithm))
  return fitting.length === 1 ? fitting[0] : undefined
}

export type Keys = KeyInput | NamedKey | readonly (KeyInput | NamedKey)[] | { readonly keys: readonly Jwk[] }

/**
 * A ring of keys that are given once.
 *
 * @throws TypeError for what is no key, for secrets beside public keys, and for keys that no token could tell apart
 */
export function ringOf(where: string, keys: readonly VerifyingKey[]): KeyRing {
  const types = new Set(keys.map(({ key }) => key.type))
  if (types.size > 1) throw new TypeError(`${where}: there are secrets beside public keys. Leave one kind out.`)
  for (const [index, key] of keys.entries()) {
    const twin = keys.findIndex(
      ({ kid, algorithms }) => kid === key.kid && algorithms.some(algorithm => key.algorithms.includes(algorithm)),
    )
    if (twin < index)
      throw new TypeError(
        `${where}: the keys ${twin + 1} and ${index + 1} have the same kid, or none. Give each its own.`,
      )
  }
  const table = tableOf(keys)
  return { find: wish => choose(table, wish), isCurrent: () => true }
}

/** @throws TypeError for what is no key, or too weak */
export function readKeys(where: string, given: Keys, algorithms?: readonly Algorithm[]): readonly VerifyingKey[] {
  if (isObject(given) && Array.isArray(given.keys)) {
    const usable = usableOf(given.keys, algorithms, false)
    if (usable.length === 0) throw new TypeError(`${where}: none of the keys in the set is for signatures.`)
    return usable
  }
  const list = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new TypeError(`${where}: the list is empty. Give a key.`)
  return list.map((key, index) =>
    fromKey(list.length > 1 ? `${where} ${index + 1}` : where, key as KeyInput | NamedKey, algorithms),
  )
}

/** Those of a JWK Set that may verify (RFC 7517 section 5 has the others ignored). A secret that was published is none. */
export function usableOf(
  keys: readonly unknown[],
  algorithms: readonly Algorithm[] | undefined,
  isPublic: boolean,
): readonly VerifyingKey[] {
  return keys.flatMap(jwk => {
    if (!isObject(jwk) || typeof jwk.kty !== 'string' || (isPublic && jwk.kty === 'oct')) return []
    try {
      return [fromKey('jwks', jwk as Jwk, algorithms)]
    } catch {
      return []
    }
  })
}
