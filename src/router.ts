import Router from '@koa/router'
import type { BaseContext } from './context.ts'
import type { Layer as Place } from './fold.ts'
import { hasDots } from './guard.ts'
import type { Path } from './path.ts'
import { nameOf, type Route } from './route.ts'

type Layer = ReturnType<Router['match']>['path'][number]

/** A route with its folded stack, as the request path runs it. */
export interface Endpoint {
  readonly route: Route
  /** The places of its stack, for those that run a part of it. */
  readonly layers: readonly Place[]
  readonly run: (ctx: BaseContext) => unknown
}

/** What a path and a method lead to: an endpoint, or the methods that the path allows. */
export interface Match {
  readonly endpoint?: Endpoint
  readonly params: Record<string, string>
  readonly allow: readonly string[]
}

/** The routes of an app in @koa/router's layers. The one registered first wins; paths are told apart by case. */
export class RouteTable {
  readonly #router = new Router({ sensitive: true })
  readonly #endpoints = new Map<unknown, Endpoint>()
  readonly #shapes = new Map<string, Route>()

  /**
   * @param at where it answers, if not at the path of its route
   * @throws TypeError for a route that is there already, or that an earlier one leaves nothing of.
   */
  add(endpoint: Endpoint, path: Path, at = endpoint.route.path): void {
    const route = { ...endpoint.route, path: at }
    for (const method of route.methods) {
      const rival = this.#shapes.get(`${method} ${path.shape}`)
      if (rival)
        throw new TypeError(`${nameOf(route)}: ${nameOf(rival)} is there already. Change or remove one of them.`)
      const above = isLiteral(path) ? this.match(method, route.path).endpoint?.route : undefined
      if (above?.methods.includes(method)) {
        const advice = `Register ${route.path} before ${above.path}.`
        throw new TypeError(`${nameOf(route)}: it would never run, because ${nameOf(above)} takes its path. ${advice}`)
      }
    }
    for (const method of route.methods) this.#shapes.set(`${method} ${path.shape}`, route)
    const layer = this.#router.register(route.path, [...route.methods], () => {})
    this.#endpoints.set(layer, endpoint)
  }

  match(method: string, path: string): Match {
    const { path: layers, pathAndMethod } = this.#router.match(path, method)
    const layer = choose(method, pathAndMethod as Layer[])
    if (!layer) return { params: {}, allow: [...new Set(layers.flatMap(({ methods }) => methods))] }
    const params = paramsOf(layer, path)
    // `/files/...csv` has no dot segment, and its name is one: whoever makes a path of that would be led elsewhere.
    if (path.includes('.') && Object.values(params).some(hasDots)) return { params: {}, allow: [] }
    return { endpoint: this.#endpoints.get(layer) as Endpoint, params, allow: [] }
  }
}

function isLiteral({ required, optional }: Path): boolean {
  return required.length + optional.length === 0
}

/** A GET answers HEAD, unless the path has a HEAD of its own. */
function choose(method: string, layers: Layer[]): Layer | undefined {
  if (method !== 'HEAD') return layers[0]
  return layers.find(({ methods, path }) => !methods.includes('GET') && path === layers[0]?.path) ?? layers[0]
}

/** Path parameters, decoded, in an object without a prototype. */
function paramsOf(layer: Layer, path: string): Record<string, string> {
  const params = Object.create(null)
  if (layer.paramNames.length === 0) return params
  const captures = layer.regexp.exec(path) as RegExpExecArray
  layer.paramNames.forEach(({ name }, index) => {
    const text = captures[index + 1]
    if (text !== undefined) params[name] = decodeURIComponent(text)
  })
  return params
}
