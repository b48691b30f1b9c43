import type { KeyObject } from 'node:crypto'
import { type AroundContext, type Awaitable, among, checkOptions, type Kind, kinds } from '../../src/index.ts'
import { printable } from './challenge.ts'
import type { Claims } from './claims.ts'
import type { Keys } from './key-ring.ts'
import { ALGORITHMS, type Algorithm } from './keys.ts'

interface Shared {
  /** What the challenge names: which of your services it is. @default 'api' */
  realm?: string
}

/** Where the keys come from: exactly one of these. */
interface KeySources {
  /** A secret shared with the issuer, for HS256; of at least 32 bytes (48 for HS384, 64 for HS512). */
  secret?: string | Uint8Array | KeyObject | undefined
  /** Public keys: PEM, JWK, KeyObject, a list of them, each with its kid, or a JWK Set. */
  keys?: Keys | undefined
  /** The address of the issuer's JWK Set, which is fetched and kept. */
  jwks?: string | URL | undefined
}

export interface TokenOptions<Needs = unknown> extends Shared, KeySources {
  /** The only algorithms. @default of each key by its type: HS256, RS256, or ES256, ES384, ES512 by its curve */
  algorithms?: readonly Algorithm[]
  /** The `iss` that a token must have, or several of which it must have one; false takes any. */
  issuer: string | readonly string[] | false
  /** Whom a token must be for: one of these is in its `aud`; false takes any. */
  audience: string | readonly string[] | false
  /** Must a token have an `exp`? Where it has one, it counts in any case. @default true */
  expires?: boolean
  /** Seconds by which clocks may differ, at most 300. @default 5 */
  leeway?: number
  /** The `typ` that a token must have, RFC 8725 section 3.11: 'at+jwt' keeps the issuer's other tokens out. @default any */
  type?: string
  /** Asked at each request, and only `false` lets the token pass. */
  revoked?: (claims: Claims, ctx: AroundContext & Needs) => Awaitable<boolean>
  /** How many verified tokens are remembered; 0 is none. @default 10000 */
  cache?: number
}

/** Loads the account that the claims are about, at each request; undefined is 401. */
export type Load<R, Needs> = (claims: Claims, ctx: AroundContext & Needs) => R

export interface VerifyOptions<R, Needs = unknown> extends Shared {
  /** Checks a token in your own way, and gives the user; undefined is 401. */
  verify: (token: string, ctx: AroundContext & Needs) => R
}

/** Who `load` or `verify` gives, where it gives anybody. */
export type User<R> = Exclude<Awaited<R>, undefined | null | false>

const text: Kind = {
  words: 'a non-empty string, a list of them, or false',
  test: it => it === false || kinds.text.test(it) || (kinds.texts.test(it) && (it as string[]).length > 0),
}
const leeway: Kind = {
  words: 'a number of seconds from 0 to 300',
  test: it => typeof it === 'number' && it >= 0 && it <= 300,
}
const algorithms: Kind = {
  words: `a list of ${ALGORITHMS.join(', ')}`,
  test: it => Array.isArray(it) && it.length > 0 && it.every(name => among(...ALGORITHMS).test(name)),
}
const any: Kind = { words: 'a value', test: () => true }
const SOURCES = ['secret', 'keys', 'jwks', 'verify'] as const
const SHARED = { realm: printable, ...Object.fromEntries(SOURCES.map(name => [name, any])) }
const OPTIONS = {
  ...SHARED,
  algorithms,
  issuer: text,
  audience: text,
  expires: kinds.flag,
  leeway,
  type: kinds.text,
  revoked: kinds.function,
  load: kinds.function,
  cache: kinds.count,
}

/** All options, as they are once they have been checked. */
export type AllOptions = TokenOptions & Partial<VerifyOptions<unknown>> & { load?: Load<unknown, unknown> }

/** @throws TypeError for an option that is wrong or missing */
export function readTokenOptions(given: object): AllOptions {
  checkSource(given)
  checkOptions('tokenAuth', given, 'verify' in given && given.verify ? SHARED : OPTIONS)
  return given as AllOptions
}

/** The values that a claim may have, undefined where any will do. @throws TypeError where nothing is said of it */
export function expectation(name: string, value: string | readonly string[] | false | undefined): string[] | undefined {
  if (value === false) return
  if (value !== undefined) return [value].flat()
  throw new TypeError(
    `tokenAuth: there is no ${name}. Say which one tokens must have, ${name}: '...', or ${name}: false to take any.`,
  )
}

/** @throws TypeError unless one source is there, and names the one that was meant to be */
function checkSource(options: unknown): void {
  if (!kinds.object.test(options)) throw new TypeError('tokenAuth: there are no options. Give tokenAuth({ secret }).')
  const given = options as Record<string, unknown>
  const there = SOURCES.filter(name => given[name] !== undefined)
  if (there.length === 1) return checkKind(there[0] as string, given)
  if (there.length > 1) throw new TypeError(`tokenAuth: ${there.join(' and ')} are too many. Give one of them.`)
  const meant = SOURCES.find(name => name in given)
  throw new TypeError(
    meant
      ? `tokenAuth: ${meant} is undefined. Is the variable of the environment set that it comes from?`
      : `tokenAuth: there is nothing to verify tokens with. Give one of ${SOURCES.join(', ')}.`,
  )
}

function checkKind(source: string, { secret, verify, jwks, issuer, audience }: Record<string, unknown>): void {
  if (source === 'secret' && !(typeof secret === 'string' || kinds.object.test(secret)))
    throw new TypeError('tokenAuth: the secret is neither text nor bytes. Give a string of at least 32 bytes.')
  if (source === 'jwks' && !(typeof jwks === 'string' || jwks instanceof URL))
    throw new TypeError("tokenAuth: jwks is no address. Give 'https://...', or a JWK Set as keys.")
  if (source !== 'verify') return
  if (typeof verify !== 'function') throw new TypeError('tokenAuth: verify is no function. Give (token, ctx) => user.')
  if (issuer !== undefined || audience !== undefined)
    throw new TypeError('tokenAuth: with verify nothing else looks at a token. Check issuer and audience there.')
}
