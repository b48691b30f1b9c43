import type { Handler } from './context.ts'
import { isCanonical } from './guard.ts'
import type { Path } from './path.ts'
import { nameOf, type Route } from './route.ts'

/** The values of query parameters; a list repeats its name, undefined and null leave it out. */
export type Query = Readonly<Record<string, Scalar | null | undefined | readonly Scalar[]>>
type Scalar = string | number | boolean | bigint
type Value = string | number | bigint

/** What to fill a path's parameters with: nothing where it has none, anything where they are not known. */
type Values<Params> = unknown extends Params
  ? { readonly [name: string]: Value | undefined }
  : keyof Params extends never
    ? { readonly [name: string]: never }
    : { readonly [K in keyof Params]: Value | (object extends Pick<Params, K> ? undefined : never) }

// biome-ignore lint/suspicious/noExplicitAny: the parameter of any handler, which `never` cannot be inferred from
type ParamsOf<E> = E extends (this: any, ctx: infer C) => unknown
  ? [C] extends [{ params: infer Params }]
    ? string extends keyof Params
      ? unknown
      : Params
    : unknown
  : unknown

type Rest<Params> = object extends Params
  ? [params?: Values<Params>, query?: Query]
  : [params: Values<Params>, query?: Query]

/** `app.url` and `ctx.urlFor`: by a handler, which knows its parameters, or by an endpoint's name. */
export type UrlOf = <E extends string | Handler>(endpoint: E, ...paramsAndQuery: Rest<ParamsOf<E>>) => string

interface Endpoint {
  readonly route: Route
  readonly path: Path
}

/** The endpoints of an app, by name and by handler. */
export class UrlTable {
  readonly #endpoints = new Map<string | Handler, Endpoint[]>()

  /** @throws TypeError for a name that another handler has. */
  add(route: Route, path: Path, known: readonly Handler[]): void {
    const namesake = route.name ? this.#endpoints.get(route.name)?.[0] : undefined
    if (namesake && namesake.route.handler !== route.handler && !this.#same(namesake, known)) {
      const taken = `the name ${route.name} is taken by ${nameOf(namesake.route)}`
      throw new TypeError(`${nameOf(route)}: ${taken}. Rename the handler, or name its blueprint: blueprint('books').`)
    }
    const endpoint = { route, path }
    for (const key of new Set([route.name, ...known])) {
      if (key) this.#endpoints.set(key, [...(this.#endpoints.get(key) ?? []), endpoint])
    }
  }

  /**
   * The path of an endpoint, filled and percent-encoded, with a query.
   *
   * @throws TypeError for an endpoint that there is not, or that stands at several paths, for parameters that are
   *   missing or unknown, and for values that no path can hold.
   */
  url(key: string | Handler, params: Readonly<Record<string, unknown>> = {}, query: Query = {}): string {
    const endpoints = this.#endpoints.get(key)
    const route = endpoints?.[0]?.route
    const name = typeof key === 'string' ? key : key?.name || (route ? nameOf(route) : 'the handler')
    if (!endpoints && name.startsWith('/'))
      throw new TypeError(`url ${name}: give the handler of this path, or the name that it has as a function.`)
    if (!endpoints) throw new TypeError(`url: no route has ${name}. ${this.#nearest(name)}`)
    const given = Object.keys(params).filter(name => params[name] !== undefined && params[name] !== null)
    const fitting = endpoints.filter(({ path }) => misfits(path, given).length === 0)
    const [first, second] = fitting
    if (!first) throw new TypeError(`url ${name}: ${misfits((endpoints[0] as Endpoint).path, given).join(' and ')}.`)
    if (second && second.route.path !== first.route.path) {
      const paths = fitting.map(({ route }) => route.path).join(' and ')
      throw new TypeError(`url ${name}: it stands at ${paths}. Name the blueprints that it is mounted with.`)
    }
    return fill(`url ${name}`, first.path, params) + search(query)
  }

  #same(endpoint: Endpoint, known: readonly Handler[]): boolean {
    return known.some(handler => this.#endpoints.get(handler)?.includes(endpoint))
  }

  #nearest(name: string): string {
    const names = [...this.#endpoints.keys()].filter(key => typeof key === 'string')
    const near = names.find(it => it.toLowerCase() === name.toLowerCase() || it.endsWith(`.${name}`))
    if (near) return `Did you mean ${near}?`
    return names.length > 0 ? `There are ${names.slice(0, 10).join(', ')}.` : 'No handler has a name yet.'
  }
}

function misfits({ required, optional }: Path, given: readonly string[]): string[] {
  const missing = required.filter(name => !given.includes(name))
  const unknown = given.filter(name => !required.includes(name) && !optional.includes(name))
  return [
    ...missing.map(name => `the parameter ${name} is missing`),
    ...unknown.map(name => `there is no parameter ${name}`),
  ]
}

function fill(where: string, path: Path, params: Readonly<Record<string, unknown>>): string {
  const values = Object.entries(params).filter(([, value]) => value !== undefined && value !== null)
  const texts = values.map(([name, value]) => {
    const text = String(value)
    if (text === '') throw new TypeError(`${where}: the parameter ${name} is empty. Give it a value.`)
    if (!text.isWellFormed()) throw new TypeError(`${where}: the parameter ${name} is not well-formed Unicode.`)
    return [name, path.wild.includes(name) ? text.split('/') : text]
  })
  const filled = path.fill(Object.fromEntries(texts))
  // `..` cannot be written in a path so that it stays: whoever follows the link would go elsewhere.
  if (isCanonical(filled, decodeURIComponent(filled))) return filled
  throw new TypeError(`${where}: ${filled} is no path. Give parameters without dot segments, empty segments and NUL.`)
}

function search(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map(item => [name, String(item)] as [string, string]),
  )
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : ''
}
