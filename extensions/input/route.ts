import { nameOf, type Route, readPath } from '../../src/index.ts'
import type { Place } from './part.ts'
import type { Prepared } from './prepare.ts'

/** The parts that an input() declares, for the others on its route. */
const places: unique symbol = Symbol.for('kolba.input') as never

/** Lets the others on a route see what a decorator declares. */
export function declaring<D extends object>(decorator: D, its: readonly Place[]): D {
  return Object.assign(decorator, { [places]: its })
}

/** Methods of which a body has no meaning, RFC 9110 sections 9.3.1, 9.3.2 and 9.3.8, so that clients send none. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'TRACE'])

/** @throws TypeError for a part that is declared twice, a body that nobody sends, and parameters that the path does not have */
export function checkRoute(route: Route, { params, body }: Prepared): void {
  checkPlaces(route)
  if (body && !body.isOptional && route.methods.every(method => BODILESS.has(method)))
    throw new TypeError(
      `${nameOf(route)}: input wants a body, and clients send none with ${route.methods.join(' or ')}. Take it by POST or QUERY.`,
    )
  const { required, optional } = readPath(nameOf(route), route.path)
  const odd = params?.names?.find(name => !required.includes(name) && !optional.includes(name))
  if (odd === undefined) return
  const there = [...required, ...optional].map(name => `:${name}`).join(', ') || 'none'
  throw new TypeError(
    `${nameOf(route)}: input declares the parameter ${odd}, and the path has ${there}. Rename one of them.`,
  )
}

/** Each leaves out what it does not declare, so that of two the one or the other would lack what it wants. */
function checkPlaces(route: Route): void {
  const all = route.decorators.flatMap(it => (it as { [places]?: readonly Place[] })[places] ?? [])
  const twice = all.find((place, index) => all.indexOf(place) < index)
  if (twice === undefined) return
  throw new TypeError(`${nameOf(route)}: input declares the ${twice} twice. Put all of it into one.`)
}
