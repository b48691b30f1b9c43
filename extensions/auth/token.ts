import type { KeyObject } from 'node:crypto'
import {
  type AroundContext,
  type Awaitable,
  among,
  type BaseContext,
  checkOptions,
  type Decorator,
  isPromise,
  type Kind,
  kinds,
  when,
} from '../../src/index.ts'
import { challengeOf, printable, type Refusal } from './challenge.ts'
import type { Claims } from './claims.ts'
import { readAuthorization } from './credentials.ts'
import { isRefusal } from './foreign.ts'
import { remoteKeys } from './jwks.ts'
import { type KeyRing, type Keys, readKeys, ringOf } from './key-ring.ts'
import { ALGORITHMS, type Algorithm, fromSecret } from './keys.ts'
import { authentication, type Identity, type Scheme } from './scheme.ts'
import { type Verdict, verifierOf } from './verifier.ts'

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
type Load<R, Needs> = (claims: Claims, ctx: AroundContext & Needs) => R

export interface VerifyOptions<R, Needs = unknown> extends Shared {
  /** Checks a token in your own way, and gives the user; undefined is 401. */
  verify: (token: string, ctx: AroundContext & Needs) => R
}

type User<R> = Exclude<Awaited<R>, undefined | null | false>

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

/**
 * Lets a request with a good bearer token pass, with `ctx.user`: the claims, or what `load` makes of them.
 *
 * A token is a JWT (RFC 7519) in the Authorization header (RFC 6750 section 2.1), of at most 8 KiB. It must be signed by a
 * key that is given here, with an algorithm that is pinned to that key, for this `audience`, by this `issuer`, and have an
 * `exp`; `nbf` counts too. A key is chosen by its `kid`; what a token says of other keys is not looked at, and a header
 * with `crit` is refused. A good token is remembered until it expires; `revoked` and `load` are asked at each request.
 *
 * Opaque tokens, EdDSA, or what an issuer's own library checks: `tokenAuth({ verify: (token, ctx) => user })`. Errors of
 * jose and jsonwebtoken that it throws are 401; any other is a failure of the service, 500.
 *
 * | answer | `WWW-Authenticate: Bearer realm="api"`, RFC 6750 section 3 |
 * |---|---|
 * | 401 | there is no token |
 * | 401 | it is not valid, or has expired: with `error="invalid_token"` |
 * | 400 | the header is malformed, or is there twice: with `error="invalid_request"` |
 *
 * @throws TypeError for a wrong option: no secret where the environment has none, one that is short, a key that does not
 *   fit the algorithms, and an `issuer` or `audience` that is neither given nor switched off with false
 * @example
 * const signedIn = tokenAuth({ secret: process.env.SECRET, issuer: 'https://id.example.com', audience: 'shop' })
 * app.get('/me', signedIn, ctx => ctx.user.sub)
 *
 * @example
 * tokenAuth({ jwks: 'https://id.example.com/jwks', issuer: 'https://id.example.com', audience: 'shop',
 *   load: claims => accounts.get(claims.sub) })
 */
export function tokenAuth<R, Needs = unknown>(
  options: VerifyOptions<R, Needs>,
): Decorator<{ user: User<R> }, BaseContext & Needs>
export function tokenAuth<R, Needs = unknown>(
  options: TokenOptions<Needs> & { load: Load<R, Needs> },
): Decorator<{ user: User<R> }, BaseContext & Needs>
export function tokenAuth<Needs = unknown>(
  options: TokenOptions<Needs>,
): Decorator<{ user: Claims }, BaseContext & Needs>
export function tokenAuth(given: object): unknown {
  checkSource(given)
  const options = given as TokenOptions & Partial<VerifyOptions<unknown>> & { load?: Load<unknown, unknown> }
  const { realm = 'api', verify } = options
  checkOptions('tokenAuth', options, verify ? SHARED : OPTIONS)
  const challenge = challengeOf('Bearer', { realm })
  const check = verify ? foreign(verify) : own(options)
  const its: Scheme = {
    challenges: [challenge],
    headers: ['authorization'],
    security: {
      bearer: { scheme: { type: 'http', scheme: 'bearer', ...(verify ? {} : { bearerFormat: 'JWT' }) } },
    },
    authenticate(ctx) {
      const credentials = readAuthorization(ctx.req, 'Bearer')
      if (!credentials) return
      const { token, fault } = credentials
      if (token === undefined) return refusal(challenge, 400, 'invalid_request', fault)
      return when(check(token, ctx), found => {
        if (typeof found === 'string') return refusal(challenge, 401, 'invalid_token', REASONS[found])
        return { ...found, challenge }
      })
    },
  }
  return authentication('tokenAuth', its)
}

const REASONS = { invalid: 'The token is not valid.', expired: 'The token has expired.' }

function refusal(challenge: string, status: 400 | 401, error: string, detail: string): Refusal {
  const description = detail.replace(/"/g, "'")
  return { status, detail, challenge, params: { error, error_description: description } }
}

type Found = Pick<Identity, 'user' | 'claims'> | 'invalid' | 'expired'
type Check = (token: string, ctx: AroundContext) => Awaitable<Found>

/** Verifies JWTs: the token itself, then whether it is revoked, then whose it is. */
function own(options: TokenOptions & { load?: Load<unknown, unknown> }): Check {
  const { issuer, audience, expires = true, leeway = 5, type, cache = 10_000, revoked, load } = options
  const verify = verifierOf({
    ring: ringFrom(options),
    type,
    cache,
    issuers: expectation('issuer', issuer),
    audiences: expectation('audience', audience),
    mustExpire: expires,
    leeway,
  })
  const isOut = (claims: Claims, ctx: AroundContext) =>
    revoked ? when(revoked(claims, ctx), it => it !== false) : false
  return (token, ctx) =>
    when(verify(token, ctx), (verdict: Verdict): Awaitable<Found> => {
      if (typeof verdict === 'string') return verdict
      return when(isOut(verdict, ctx), (out): Awaitable<Found> => {
        if (out) return 'invalid'
        if (!load) return { user: verdict, claims: verdict }
        return when(load(verdict, ctx), user => (isNobody(user) ? 'invalid' : { user, claims: verdict }))
      })
    }) as Awaitable<Found>
}

function foreign(verify: (token: string, ctx: AroundContext) => unknown): Check {
  const toFound = (user: unknown): Found => (isNobody(user) ? 'invalid' : { user })
  const toRefusal = (error: unknown): Found => {
    if (isRefusal(error)) return 'invalid'
    throw error
  }
  return (token, ctx) => {
    try {
      const user = verify(token, ctx)
      return isPromise(user) ? Promise.resolve(user).then(toFound, toRefusal) : toFound(user)
    } catch (error) {
      return toRefusal(error)
    }
  }
}

/** `true` is no user, and would be one to whoever asks `if (ctx.user)`. */
function isNobody(user: unknown): boolean {
  if (user === true) throw new TypeError('tokenAuth: true is no user. Return who it is, { id }, or undefined.')
  return user === undefined || user === null || user === false
}

function ringFrom({ secret, keys, jwks, algorithms }: TokenOptions): KeyRing {
  if (jwks !== undefined) {
    if (algorithms?.some(name => name.startsWith('HS')))
      throw new TypeError('tokenAuth: keys that are published are no secrets. Leave HS out of the algorithms.')
    return remoteKeys('tokenAuth jwks', jwks, algorithms)
  }
  if (keys !== undefined) return ringOf('tokenAuth keys', readKeys('tokenAuth keys', keys, algorithms))
  return ringOf('tokenAuth secret', [fromSecret('tokenAuth secret', secret as string, algorithms)])
}

function expectation(name: string, value: string | readonly string[] | false | undefined): string[] | undefined {
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
