import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  type Decorator,
  decorator,
  isDecorator,
  type Next,
  type Note,
  when,
} from '../../src/index.ts'
import { missing, type Refusal, refused } from './challenge.ts'
import type { Claims } from './claims.ts'

/** Who somebody is, and how that is known. */
export interface Identity<User = unknown> {
  readonly user: User
  /** The challenge that the credentials answer. */
  readonly challenge: string
  /** What the token says, where there was one: the user may be an account that was loaded. */
  readonly claims?: Claims | undefined
}

/** A way to authenticate, or several of which one is enough. */
export interface Scheme<User = unknown> {
  readonly challenges: readonly string[]
  /** The headers that it looks at. */
  readonly headers: readonly string[]
  /** The kinds of credentials, of which no other may take the same. */
  readonly takes: readonly string[]
  readonly security: NonNullable<Note['security']>
  /** Gives undefined, and no promise, where the request has no credentials of this kind. */
  authenticate(ctx: AroundContext): Awaitable<Identity<User> | Refusal> | undefined
}

/** What is known on ctx of the authentication above. */
export interface Standing {
  readonly challenges: readonly string[]
  readonly identity?: Identity
}

const scheme: unique symbol = Symbol.for('kolba.auth') as never
const standing = Symbol.for('kolba.auth.standing')

/**
 * It is kept in `ctx.state`, under a symbol, because that goes along where a write reads what GET would give.
 */
export function standingOf(ctx: BaseContext): Standing | undefined {
  return (ctx.state as { [standing]?: Standing })[standing]
}

/** The scheme of a decorator that authenticates, undefined for any other. */
export function schemeOf(it: unknown): Scheme | undefined {
  return isDecorator(it) ? (it as { [scheme]?: Scheme })[scheme] : undefined
}

/** The decorator of a scheme: adds `ctx.user`, or answers 401 or 400 with its challenges. */
export function authentication<User, Needs>(
  name: string,
  its: Scheme<User>,
): Decorator<{ user: User }, BaseContext & Needs> {
  // A shared cache keeps nothing that was asked for with Authorization (RFC 9111 section 3.5); of other headers it knows
  // nothing, so Vary has to name them.
  const varies = its.headers.some(name => name !== 'Authorization')
  const around = (ctx: AroundContext, next: Next<{ user: User }>): unknown => {
    if (varies) ctx.vary(its.headers as string[])
    const outcome = its.authenticate(ctx)
    if (outcome === undefined) throw missing(its.challenges)
    return when(outcome, outcome => next(admit(ctx, its, outcome)))
  }
  return Object.assign(decorator(name, around, { guards: true, note: noteOf(its) }), { [scheme]: its }) as never
}

/** @throws Problem where the credentials were not accepted */
export function admit<User>(
  ctx: BaseContext,
  { challenges }: Scheme<User>,
  outcome: Identity<User> | Refusal,
): { user: User } {
  if ('status' in outcome) throw refused(outcome, challenges)
  stand(ctx, { challenges, identity: outcome })
  return { user: outcome.user }
}

export function stand(ctx: BaseContext, its: Standing): void {
  ;(ctx.state as { [standing]?: Standing })[standing] = its
}

/** For documentation; of several schemes in one note any is enough. */
export function noteOf({ security, headers }: Scheme, isOptional = false): Note {
  const description = isOptional ? 'The credentials are wrong' : 'There are no credentials, or wrong ones'
  const header = { 'WWW-Authenticate': { description: 'The credentials to send', schema: { type: 'string' } } }
  const malformed = headers.includes('Authorization') && {
    400: { description: 'The credentials are malformed', headers: header },
  }
  return {
    security,
    ...(isOptional && { isAnonymous: true }),
    responses: { ...malformed, 401: { description, headers: header } },
  }
}
