import { morePaths } from '../fold.ts'
import { readPath } from '../path.ts'
import { nameOf, type Route } from '../route.ts'

/** A route, and the parameters that a path has led to it with. */
interface Place {
  readonly route?: Route | undefined
  readonly params?: Readonly<Record<string, string>>
}

/**
 * What a path leads to, in one spelling: the same resource is at `/caf%C3%A9`, `/caf%c3%a9` and `/caf%c3%a9/`, and at
 * `/books/7.csv` and `/books/7` where a decorator has given the route that path too.
 */
export function resourceOf(path: string, { route, params = {} }: Place = {}): string {
  const own = route && morePaths(route).length > 0 ? ownPath(route, params) : path
  return decodeURIComponent(own).replace(/(.)\/$/, '$1')
}

/** The path that a route is listed with, filled again. */
function ownPath(route: Route, params: Readonly<Record<string, string>>): string {
  const { fill, wild } = readPath(nameOf(route), route.path)
  const values = Object.entries(params).map(([name, text]) => [name, wild.includes(name) ? text.split('/') : text])
  return fill(Object.fromEntries(values))
}
