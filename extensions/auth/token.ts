import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  type Decorator,
  isPromise,
  when,
} from '../../src/index.ts'
import { challengeOf, type Refusal } from './challenge.ts'
import type { Claims } from './claims.ts'
import { isToken68, LONGEST, malformed, readAuthorization } from './credentials.ts'
import { isRefusal } from './foreign.ts'
import { remoteKeys } from './jwks.ts'
import { type KeyRing, readKeys, ringOf } from './key-ring.ts'
import { fromSecret } from './keys.ts'
import { authentication, type Identity, type Scheme } from './scheme.ts'
import { isSomebody } from './somebody.ts'
import {
  type AllOptions,
  expectation,
  type Load,
  readTokenOptions,
  type TokenOptions,
  type User,
  type VerifyOptions,
} from './token-options.ts'
import { type Fault, type Verdict, verifierOf } from './verifier.ts'

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
  const options = readTokenOptions(given)
  const { realm = 'api', verify } = options
  const challenge = challengeOf('Bearer', { realm })
  const check = verify ? foreign(verify) : own(options)
  const its: Scheme = {
    challenges: [challenge],
    headers: ['Authorization'],
    takes: ['Bearer'],
    security: {
      bearer: { scheme: { type: 'http', scheme: 'bearer', ...(verify ? {} : { bearerFormat: 'JWT' }) } },
    },
    authenticate(ctx) {
      const credentials = readAuthorization(ctx.req, 'Bearer')
      if (!credentials) return
      const { token, fault } = credentials
      if (token === undefined) return refusal(challenge, 400, 'invalid_request', fault)
      const found = token.length > LONGEST ? unread(token) : check(token, ctx)
      return when(found, (found: Found) => {
        if (found === 'malformed') return refusal(challenge, 400, 'invalid_request', malformed('Bearer'))
        if (typeof found === 'string') return refusal(challenge, 401, 'invalid_token', REASONS[found])
        return { user: found.user, claims: found.claims, challenge }
      })
    },
  }
  return authentication('tokenAuth', its)
}

const REASONS = { invalid: 'The token is not valid.', expired: 'The token has expired.' }

/** What is wrong with a token that is too long to look at. */
function unread(token: string): Fault {
  return isToken68(token) ? 'invalid' : 'malformed'
}

function refusal(challenge: string, status: 400 | 401, error: string, detail: string): Refusal {
  const description = detail.replace(/"/g, "'")
  return { status, detail, challenge, params: { error, error_description: description } }
}

type Found = Pick<Identity, 'user' | 'claims'> | Fault
type Check = (token: string, ctx: AroundContext) => Awaitable<Found>

/** Verifies JWTs: the token itself, then whether it is revoked, then whose it is. */
function own(options: AllOptions): Check {
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
  const asSaid = (verdict: Verdict): Found =>
    typeof verdict === 'string' ? verdict : { user: verdict, claims: verdict }
  if (!revoked && !load) return (token, ctx) => when(verify(token, ctx), asSaid) as Awaitable<Found>
  const isOut = (claims: Claims, ctx: AroundContext) =>
    revoked ? when(revoked(claims, ctx), it => it !== false) : false
  return (token, ctx) =>
    when(verify(token, ctx), (verdict: Verdict): Awaitable<Found> => {
      if (typeof verdict === 'string') return verdict
      return when(isOut(verdict, ctx), (out): Awaitable<Found> => {
        if (out) return 'invalid'
        if (!load) return { user: verdict, claims: verdict }
        return when(load(verdict, ctx), user => (isSomebody('tokenAuth', user) ? { user, claims: verdict } : 'invalid'))
      })
    }) as Awaitable<Found>
}

function foreign(verify: (token: string, ctx: AroundContext) => unknown): Check {
  const toFound = (user: unknown): Found => (isSomebody('tokenAuth', user) ? { user } : 'invalid')
  const toRefusal = (error: unknown): Found => {
    if (isRefusal(error)) return 'invalid'
    throw error
  }
  return (token, ctx) => {
    if (!isToken68(token)) return 'malformed'
    try {
      const user = verify(token, ctx)
      return isPromise(user) ? Promise.resolve(user).then(toFound, toRefusal) : toFound(user)
    } catch (error) {
      return toRefusal(error)
    }
  }
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
