import {
  type AroundContext,
  type Awaitable,
  type BaseContext,
  checkOptions,
  type Decorator,
  decorator,
  isBytes,
  isResponse,
  type Next,
  nameOf,
  Reply,
  type Route,
  statusOf,
  when,
} from '../../src/index.ts'
import { checkOrder, type Tell } from './order.ts'
import { hide, isNobody, isRule, type PermitOptions, refusalOf, unknown } from './permit.ts'

const READS = new Set(['GET', 'HEAD', 'QUERY', 'OPTIONS'])

/**
 * Asks of the thing that comes up from below whether the user may see it; where not, the answer is 404, as if it were
 * not there, or 403 with `hide: false`. Nothing, errors, and replies from 400 on pass. It stands below `output()` and
 * `json()`, or above: what was rendered is asked about as it was before. It stands below `etag()` and `cached()`, whose 304
 * and 412 would tell of what is there.
 *
 * It is for reads alone, since a write is done by the time its value comes up: there it is `permit()`, above the handler.
 *
 * @throws TypeError at registration, for a route that writes, above `etag()` and `cached()` and what says who the user is,
 *   and for a wrong option; at the request, as a 500, for bytes and streams, which cannot be asked, and for a 304
 * @example app.get('/notes/:id', signedIn, json(), mayRead((user: User, note: Note) => note.owner === user.id), show)
 */
export function mayRead<User = unknown, Thing = unknown, Ctx = unknown>(
  check: (user: User, thing: Thing, ctx: AroundContext & Ctx) => Awaitable<boolean>,
  options: PermitOptions = {},
): Decorator<{ user: NonNullable<User> }, BaseContext & Ctx & { user: User | undefined | null }> {
  if (typeof check !== 'function')
    throw new TypeError('mayRead: there is no function to ask. Give (user, thing) => true or false.')
  checkOptions('mayRead', options, { hide })
  type Own = AroundContext & { user: unknown }
  const around = (tell?: Tell) => (ctx: Own, next: Next<{ user: NonNullable<unknown> }>) => {
    const { user } = ctx
    if (isNobody(user)) throw unknown(ctx, tell)
    return when((next as () => Awaitable<unknown>)(), value => {
      const thing = thingOf(ctx, value)
      if (thing === undefined || thing === null) return value
      return when(check(user as User, thing as Thing, ctx as never), (answer: unknown) => {
        if (answer === true) return value
        if (answer === false) throw refusalOf({ hide: options.hide ?? true })
        throw new TypeError('mayRead: the check gave neither true nor false. Return one of them.')
      })
    })
  }
  const self: Decorator = decorator('mayRead', around() as never, {
    guards: true,
    note: { responses: { 404: { description: 'It is not there, or not for this user' } } },
    register(route) {
      checkRoute(route, self)
      return around(checkOrder(route, self, isRule)) as never
    },
  })
  return self as never
}

/** @throws TypeError where it would be asked too late, or of what shows nothing of the thing */
function checkRoute(route: Route, self: Decorator): void {
  const { decorators, methods } = route
  const where = `${nameOf(route)}: mayRead`
  const write = methods.find(method => !READS.has(method))
  if (write) throw new TypeError(`${where} is asked when the handler is done. On ${write} write permit(), above it.`)
  const place = decorators.indexOf(self)
  const below = place < 0 ? [] : decorators.slice(place)
  const teller = below.find(({ name }) => name === 'etag' || name === 'cached')
  if (teller) throw new TypeError(`${where} stands above ${teller.name}(), whose 304 is not asked about. Put it below.`)
}

/** What the answer shows; undefined where it shows nothing. */
function thingOf(ctx: BaseContext, value: unknown): unknown {
  if (value instanceof Error) return
  const given = value === undefined ? ctx.body : value
  const { status, body } = given instanceof Reply || isResponse(given) ? given : new Reply(statusOf(ctx), given)
  if (status === 304)
    throw new TypeError('mayRead: a 304 cannot be asked about. Put etag(), or whatever else gives it, above.')
  if (status >= 400 || body === null || body === undefined) return
  const source = given instanceof Reply ? (given.source ?? body) : body
  if (isResponse(given) || isBytes(source))
    throw new TypeError('mayRead: bytes cannot be asked about. Return the thing itself, or use permit().')
  return source
}
