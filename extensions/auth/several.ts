import { type AroundContext, type BaseContext, type Decorator, decorator, type Next, when } from '../../src/index.ts'
import { challenged } from './challenge.ts'
import { admit, authentication, noteOf, type Scheme, schemeOf, stand } from './scheme.ts'

type Auth = Decorator<{ user: unknown }, never>

/** Who the user may be under any of these. */
type UserOf<D> = D extends Decorator<{ user: infer U }, never> ? U : never
/** What all of them together must find on ctx. */
type WantsOf<D> = (D extends Decorator<object, infer N> ? (ctx: N) => void : never) extends (ctx: infer N) => void
  ? N
  : never

/**
 * Authenticates by one of several: the first whose credentials are in the request decides, and where those are wrong
 * no other is asked. A 401 has the challenge of each, on a line of its own (RFC 9110 section 11.6.1).
 *
 * @throws TypeError for what does not authenticate, for `optional()`, which goes around it, and for two of one kind, since
 *   the second would never be asked
 * @example app.get('/me', anyOf(tokenAuth(...), apiKey(...)), ctx => ctx.user)
 */
export function anyOf<const D extends readonly [Auth, ...Auth[]]>(
  ...auths: D
): Decorator<{ user: UserOf<D[number]> }, BaseContext & WantsOf<D[number]>> {
  const schemes = auths.map(it => taken('anyOf', it))
  if (schemes.length === 0) throw new TypeError('anyOf: there is nothing to choose from. Say anyOf(a, b).')
  const its: Scheme = {
    challenges: unique(schemes.flatMap(({ challenges }) => challenges)),
    headers: unique(schemes.flatMap(({ headers }) => headers)),
    takes: checkTakes(schemes.flatMap(({ takes }) => takes)),
    security: Object.assign({}, ...schemes.map(({ security }) => security)),
    authenticate(ctx) {
      for (const scheme of schemes) {
        const outcome = scheme.authenticate(ctx)
        if (outcome !== undefined) return outcome
      }
    },
  }
  return authentication(`anyOf(${auths.map(({ name }) => name).join(', ')})`, its) as never
}

/**
 * Lets a request without credentials pass, with `ctx.user` undefined; wrong ones are 401 as ever, and so is a header
 * that has something else in it. The answer has a `Vary`, so that a cache does not give what a stranger was told to the user.
 *
 * @throws TypeError for what does not authenticate
 * @example app.get('/books', optional(signedIn), ctx => ctx.user?.name ?? 'a stranger')
 */
export function optional<User, Needs>(
  auth: Decorator<{ user: User }, Needs>,
): Decorator<{ user: User | undefined }, Needs> {
  const its = taken('optional', auth) as Scheme<User>
  const around = (ctx: AroundContext, next: Next<{ user: User | undefined }>): unknown => {
    ctx.vary(its.headers as string[])
    const outcome = its.authenticate(ctx)
    if (outcome !== undefined) return when(outcome, outcome => next(admit(ctx, its, outcome)))
    if (its.headers.some(name => ctx.req.headers[name.toLowerCase()] !== undefined)) throw strange(its)
    stand(ctx, its)
    return next({ user: undefined })
  }
  return decorator(`optional(${auth.name})`, around, { note: noteOf(its, true) }) as never
}

/** @throws TypeError where one would never be asked, because another takes all credentials of its kind */
function checkTakes(takes: readonly string[]): readonly string[] {
  const twice = takes.find((name, index) => takes.indexOf(name) < index)
  if (twice === undefined) return takes
  throw new TypeError(`anyOf: of two that take ${twice} the second is never asked. Let one do both.`)
}

function strange({ challenges }: Scheme) {
  const detail = 'These are credentials of another kind. WWW-Authenticate says which are taken; or send none.'
  return challenged(401, challenges, { detail })
}

function taken(where: string, auth: unknown): Scheme {
  const its = schemeOf(auth)
  if (its) return its
  const what = typeof auth === 'function' && auth.name ? auth.name : 'this'
  throw new TypeError(
    `${where}: ${what} does not authenticate. Give tokenAuth(...), basicAuth(...), apiKey(...) or anyOf(...).`,
  )
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
