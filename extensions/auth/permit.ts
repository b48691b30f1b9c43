import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  isDecorator,
  type Kind,
  kinds,
  type Next,
  type Note,
  type Problem,
  problem,
  type Route,
  when,
} from '../../src/index.ts'
import { challenged, extended, missing } from './challenge.ts'
import { checkOrder, type Tell } from './order.ts'
import { schemeOf, standingOf } from './scheme.ts'

/** Gives the refusal, undefined where it permits. */
type Check = (user: unknown, ctx: AroundContext) => Awaitable<Problem | undefined>

export interface Rule {
  readonly check: Check
  readonly scopes: readonly string[]
}

export interface PermitOptions {
  /**
   * Answers 404 in place of 403, for what one may not even know of: true says what every unknown path says, a text is the
   * detail to give. Say the same where it really is not there.
   * @default false
   */
  hide?: boolean | string
}

/** A decorator that needs a user above, of this kind, and lets nobody else pass. */
export type Guard<User, Ctx = unknown> = Decorator<
  { user: NonNullable<User> },
  BaseContext & Ctx & { user: User | undefined | null }
>
const rule: unique symbol = Symbol.for('kolba.permit') as never
export const hide: Kind = {
  words: 'true, false, or a non-empty string',
  test: it => kinds.flag.test(it) || kinds.text.test(it),
}

/**
 * Lets the user pass for whom the check gives true; false is 403, no user is 401 with the challenges of the
 * authentication above (RFC 9110 section 15.5.2). Anything but true and false is a mistake, and a 500.
 *
 * Of what one may do to a thing, it is asked where the thing is on ctx, which `inject()` above puts there:
 *
 * @throws TypeError for what is no function, for a wrong option, and at registration where what says who the user is
 *   stands below it, and nothing above that could
 * @example
 * app.get('/admin', signedIn, permit((user: User) => user.isAdmin), show)
 * app.put('/notes/:id', signedIn, inject({ note: ctx => findOrThrow(ctx.params.id) }),
 *   permit((user: User, ctx: { note: Note }) => ctx.note.owner === user.id, { hide: true }), put)
 */
export function permit<User = unknown, Ctx = unknown>(
  check: (user: User, ctx: AroundContext & Ctx) => Awaitable<boolean>,
  options: PermitOptions = {},
): Guard<User, Ctx> {
  if (typeof check !== 'function')
    throw new TypeError('permit: there is no function to ask. Give (user, ctx) => true or false.')
  checkOptions('permit', options, { hide })
  const refuse = () => refusalOf(options)
  return guard('permit', {
    scopes: [],
    check: (user, ctx) =>
      when(check(user as User, ctx as never), (answer: unknown) => {
        if (typeof answer === 'boolean') return answer ? undefined : refuse()
        throw new TypeError('permit: the check gave neither true nor false. Return one of them.')
      }),
  })
}

/** What a refusal by a rule is: 403, or 404 for what is to be hidden. */
export function refusalOf({ hide = false }: PermitOptions): Problem {
  if (hide === false) return problem(403, { detail: 'You are not allowed to do this.' })
  return problem(404, { detail: hide === true ? 'Nothing is at this path.' : hide })
}

/**
 * Lets a user pass who has one of these roles, in `user.roles` (a list) or `user.role`; else 403.
 *
 * @throws TypeError for a role that is no text
 * @example app.get('/admin', signedIn, roles('admin', 'owner'), show)
 */
export function roles(...names: readonly [string, ...string[]]): Guard<unknown> {
  checkNames('roles', names, /./)
  return guard(`roles(${names.join(', ')})`, {
    scopes: [],
    check: user => {
      const { roles, role } = Object(user) as { roles?: unknown; role?: unknown }
      const own = Array.isArray(roles) ? roles : [role]
      return names.some(name => own.includes(name)) ? undefined : refusalOf({})
    },
  })
}

/**
 * Lets a token pass that has all these scopes in its `scope`, as a list or with spaces (RFC 8693 section 4.2); where
 * there is no token, `user.scope` counts. Else 403, for a bearer token with `error="insufficient_scope"` and the scopes
 * that are needed (RFC 6750 section 3.1).
 *
 * @throws TypeError for what is no scope, RFC 6749 section 3.3
 * @example app.post('/notes', signedIn, scopes('notes:write'), add)
 */
export function scopes(...names: readonly [string, ...string[]]): Guard<unknown> {
  checkNames('scopes', names, /^[\x21\x23-\x5b\x5d-\x7e]+$/)
  return guard(`scopes(${names.join(', ')})`, {
    scopes: names,
    check: (user, ctx) => {
      const identity = standingOf(ctx)?.identity
      const { scope } = Object(identity?.claims ?? user) as { scope?: unknown }
      const own: unknown[] = Array.isArray(scope) ? scope : typeof scope === 'string' ? scope.split(' ') : []
      if (names.every(name => own.includes(name))) return undefined
      const members = { detail: `This needs the scope ${names.join(' ')}.` }
      if (!identity?.challenge.startsWith('Bearer ')) return problem(403, members)
      const params = { error: 'insufficient_scope', scope: names.join(' ') }
      return challenged(403, [extended(identity.challenge, params)], members)
    },
  })
}

/** The decorator of a rule. It asks about a user, so it lets nobody pass where there is none. */
export function guard<G>(name: string, its: Rule): G {
  type Ctx = AroundContext & { user: unknown }
  const around = (tell?: Tell) => (ctx: Ctx, next: Next<{ user: NonNullable<unknown> }>) => {
    const { user } = ctx
    if (isNobody(user)) throw unknown(ctx, tell)
    return when(its.check(user, ctx), refusal => {
      if (refusal) throw refusal
      return (next as () => unknown)()
    })
  }
  const made: Decorator = decorator(name, around() as never, {
    guards: true,
    note: route => noteOf(route, made, its),
    register: route => around(checkOrder(route, made, isRule)) as never,
  })
  return Object.assign(made, { [rule]: its }) as G
}

export function isNobody(user: unknown): boolean {
  return user === undefined || user === null || user === false
}

/** 401 where the authentication above has a challenge to give, which a 401 has to have; 403 where it is the app's own. */
export function unknown(ctx: BaseContext, tell?: Tell): Problem {
  const { challenges } = standingOf(ctx) ?? {}
  if (challenges) return missing(challenges)
  tell?.(ctx)
  return problem(403, { detail: 'This needs a user, and there is none.' })
}

/** The rule of a decorator, undefined for any other. */
export function ruleIn(it: unknown): Rule | undefined {
  return isDecorator(it) ? (it as { [rule]?: Rule })[rule] : undefined
}

/** It asks about a user, and gives none. */
export function isRule(it: Decorator): boolean {
  return ruleIn(it) !== undefined
}

function checkNames(where: string, names: readonly unknown[], form: RegExp): void {
  const odd = names.find(name => typeof name !== 'string' || !form.test(name))
  if (names.length > 0 && odd === undefined) return
  const what =
    names.length === 0 ? 'nothing is named' : `${typeof odd === 'string' ? JSON.stringify(odd) : 'a name'} is none`
  throw new TypeError(`${where}: ${what}. Say ${where}('${where === 'roles' ? 'admin' : 'notes:write'}').`)
}

/** The scopes are said of those schemes that stand above it. */
function noteOf({ decorators }: Route, self: unknown, { scopes }: Rule): Note {
  const above = decorators.slice(0, decorators.indexOf(self as never))
  const schemes = above.flatMap(it => Object.entries(schemeOf(it)?.security ?? {}))
  const security = Object.fromEntries(schemes.map(([name, { scheme }]) => [name, { scheme, scopes }]))
  return {
    responses: { 403: { description: 'The credentials are good, and not enough' } },
    ...(scopes.length > 0 && schemes.length > 0 && { security }),
  }
}
