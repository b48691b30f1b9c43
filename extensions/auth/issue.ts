import { randomUUID } from 'node:crypto'
import {
  type Awaitable,
  among,
  type BaseContext,
  type Blueprint,
  blueprint,
  checkOptions,
  type Kind,
  kinds,
  type Problem,
  problem,
  type Reply,
  reply,
} from '../../src/index.ts'
import type { Claims } from './claims.ts'
import { type Credentials, fields, signIn, type Tokens } from './issue-fields.ts'
import { ALGORITHMS } from './keys.ts'
import { prefix } from './secret-token.ts'
import { sessionsIn } from './sessions.ts'
import { type SigningOptions, signerOf } from './signer.ts'
import { isSomebody, type Somebody } from './somebody.ts'
import { memoryTokens, store, type TokenStore } from './store.ts'

export interface IssueOptions<User extends Somebody> extends SigningOptions {
  /** The `iss` of the tokens, and the `aud`: what `tokenAuth` is told to expect. */
  issuer: string
  audience: string | readonly string[]
  /**
   * Gives the user whose credentials these are, else undefined; `true` does not say who, and is a 500. Let it take as
   * long for a name that is not there, as `verifyPassword` does. Beside name and password it has whatever else was sent.
   */
  check: (credentials: Credentials, ctx: BaseContext) => Awaitable<User | undefined | null | false>
  /** Gives the user again by the `sub`, whenever a token is refreshed: undefined where there is no such user any more. */
  load: (subject: string, ctx: BaseContext) => Awaitable<User | undefined | null | false>
  /** The `sub`. @default user.id, as text */
  subject?: (user: User) => string
  /** What else the access token says of a user: roles, scope. Whoever has the token can read it. */
  claims?: (user: User) => object
  /** @default memoryTokens(), for one process and until it ends */
  store?: TokenStore
  /** What refresh tokens begin with. @default 'rt' */
  prefix?: string
  /** Seconds that an access token is good for. @default 600 */
  access?: number
  /** Seconds that a refresh token is good for; each is good once. @default 14 days */
  refresh?: number
  /** Seconds from signing in until it has to be done again, however often tokens are refreshed. @default 90 days */
  session?: number
  /**
   * Seconds in which a second use of a refresh token ends nothing. It gets no token in any case; but a client that asks
   * twice at once, or missed the answer, need not sign in on its other devices again. @default 0
   */
  grace?: number
}

/** The routes, and what else belongs to them. */
export type TokenRoutes<User> = Blueprint & {
  /** For `tokenAuth({ revoked })`: an access token of a session that has ended is good no longer. It costs a look-up. */
  revoked(claims: Claims): Promise<boolean>
  /** Tokens for a user whom something else has let in: a registration, another provider. */
  issue(user: User): Promise<Tokens>
}

const seconds: Kind = {
  words: 'a whole number of seconds, from 1 to 10 years',
  test: it => Number.isInteger(it) && (it as number) >= 1 && (it as number) <= 315_360_000,
}
const OPTIONS = {
  secret: { words: 'text, bytes or a KeyObject', test: (it: unknown) => kinds.text.test(it) || kinds.object.test(it) },
  key: { words: 'a PEM, a JWK or a KeyObject', test: (it: unknown) => kinds.text.test(it) || kinds.object.test(it) },
  kid: kinds.text,
  algorithm: among(...ALGORITHMS),
  issuer: kinds.text,
  audience: { words: 'a non-empty string, or a list of them', test: isNames },
  check: kinds.function,
  load: kinds.function,
  subject: kinds.function,
  claims: kinds.function,
  store,
  prefix,
  access: seconds,
  refresh: seconds,
  session: seconds,
  grace: {
    words: 'a number of seconds from 0 to 60',
    test: (it: unknown) => kinds.count.test(it) && (it as number) <= 60,
  },
}
const DAY = 86_400
const REQUIRED = ['issuer', 'audience', 'check', 'load'] as const
const RESERVED = ['iss', 'aud', 'sub', 'iat', 'nbf', 'exp', 'jti', 'sid']

/**
 * Routes that give tokens, to be mounted: `app.mount('/tokens', issueTokens({ ... }))`.
 *
 * | route | takes, as JSON or a form | answers |
 * |---|---|---|
 * | `POST /` | `username`, `password`, and what `check` asks for | an access token and a refresh token, as RFC 6749 section 5.1 writes them |
 * | `POST /refresh` | `refresh_token` | new ones; the old refresh token is used up |
 * | `POST /revoke` | `token`, a refresh token | 200 whether it was known or not, RFC 7009 section 2.2; its session has ended |
 *
 * Wrong credentials and tokens are 400 with `error: 'invalid_grant'` (RFC 6749 section 5.2). The access token is a JWT
 * of 10 minutes, of the type `at+jwt`, for `tokenAuth` here or elsewhere. The refresh token means nothing by itself; its
 * hash is stored. Each is good once: a second use ends the session, with all its refresh tokens, because one of the two
 * was a thief's. Of two uses at once one gets tokens, and the session ends as well, unless `grace` says otherwise.
 *
 * Put a limit on these routes: to check a password takes a quarter of a second of the processor.
 *
 * @throws TypeError for a wrong option, and for a secret or key that is none or too weak
 * @example
 * const secret = process.env.SECRET
 * const tokens = issueTokens({ secret, issuer: 'shop', audience: 'shop',
 *   check: ({ username, password }) => accounts.signIn(username, password), load: id => accounts.get(id) })
 * app.mount('/tokens', tokens)
 * app.get('/me', tokenAuth({ secret, issuer: 'shop', audience: 'shop', revoked: tokens.revoked }), show)
 */
export function issueTokens<User extends Somebody>(options: IssueOptions<User>): TokenRoutes<User> {
  checkOptions('issueTokens', options ?? {}, OPTIONS)
  const nothing = REQUIRED.find(name => options?.[name] === undefined)
  if (nothing) throw new TypeError(`issueTokens: there is no ${nothing}. Give issueTokens({ ${REQUIRED.join(', ')} }).`)
  const { issuer, audience, check, load, access = 600, claims = () => ({}) } = options
  const { subject = idOf, store = memoryTokens(), prefix = 'rt' } = options
  const { refresh = 14 * DAY, session = 90 * DAY, grace = 0 } = options
  const sign = signerOf('issueTokens', options)
  const sessions = sessionsIn({ store, prefix, refresh, session, grace })

  function write(user: User, sid: string): Omit<Tokens, 'refresh_token'> {
    const own = claims(user)
    const taken = Object.keys(own).find(name => RESERVED.includes(name))
    if (taken) throw new TypeError(`issueTokens: claims gives ${taken}, which is set here. Leave it out.`)
    const iat = Math.floor(Date.now() / 1000)
    const times = { iat, exp: iat + access }
    const token = sign({ ...own, iss: issuer, aud: audience, sub: subjectOf(user), jti: randomUUID(), sid, ...times })
    return { access_token: token, token_type: 'Bearer', expires_in: access }
  }

  function subjectOf(user: User): string {
    const its: unknown = subject(user)
    if (kinds.text.test(its)) return its as string
    throw new TypeError('issueTokens: subject gives no text for this user. Return who it is, user => user.email.')
  }

  async function issue(user: User): Promise<Tokens> {
    const { id, token } = await sessions.start(subjectOf(user))
    return { ...write(user, id), refresh_token: token }
  }

  const routes = blueprint('tokens')
  routes.post('/', signIn(!store.perProcess), async function issueToken(ctx) {
    const user = await check(ctx.credentials, ctx)
    if (!isSomebody('issueTokens', user)) throw invalid('The name or the password is wrong.')
    return answer(await issue(user))
  })
  routes.post('/refresh', fields('refresh_token'), async function refreshToken(ctx) {
    const turn = await sessions.open(ctx.given, session => tell(ctx, session))
    if (!turn) throw invalid(USED)
    // Before it is taken: where this fails, the client still has a token to try again with.
    const user = await load(turn.session.subject, ctx)
    if (!isSomebody('issueTokens', user)) {
      await turn.end()
      throw invalid(USED)
    }
    const written = write(user, turn.id)
    const next = await turn.take()
    if (next === undefined) throw invalid(USED)
    return answer({ ...written, refresh_token: next })
  })
  routes.post('/revoke', fields('token'), async function revokeToken(ctx) {
    await sessions.revoke(ctx.given)
    return answer({})
  })
  const revoked = async ({ sid }: Claims) => typeof sid !== 'string' || (await sessions.find(sid)) === undefined
  return Object.assign(routes, { revoked, issue }) as TokenRoutes<User>
}

const USED = 'The refresh token is not valid. Sign in again.'

function answer(body: object): Reply {
  return reply(200, body, { 'Cache-Control': 'no-store' })
}

function invalid(detail: string): Problem {
  return problem(400, { detail, error: 'invalid_grant' })
}

function tell(ctx: BaseContext, session: string): void {
  const { app, requestId } = ctx
  app.logger.warn({ requestId, session }, 'issueTokens: a refresh token was used twice, so its session has ended.')
}

function idOf(user: unknown): string {
  const { id } = Object(user) as { id?: unknown }
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : (id as string)
}

function isNames(it: unknown): boolean {
  return kinds.text.test(it) || (kinds.texts.test(it) && (it as string[]).length > 0)
}
