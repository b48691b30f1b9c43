import Router from '@koa/router'
import type { BaseContext } from './context.ts'
import type { Layer as Place } from './fold.ts'
import { hasDots } from './guard.ts'
import type { Path } from './path.ts'
import { nameOf, type Route } from './route.ts'
import { type Entry, type Layer, paramsOf, RouteIndex } from './route-index.ts'
import type { Shaped } from './shaped.ts'

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

/** Runs an endpoint, for what a match has found of the path. */
export function enter(ctx: BaseContext, { route, run }: Endpoint, params: Record<string, string>): unknown {
  // _matchedRoute is where @koa/router has it and where middleware for metrics and tracing looks.
  const its = ctx as Shaped
  its.route = route
  its.params = params
  its._matchedRoute = route.path
  return run(ctx)
}

const NONE: readonly string[] = Object.freeze([])

/** The routes of an app in @koa/router's layers. The one registered first wins; paths are told apart by case. */
export class RouteTable {
  readonly #router = new Router({ sensitive: true })
  readonly #index = new RouteIndex<Endpoint>()
  /** The HEAD routes by the shapes of their paths, and those shapes, of which no other method has to know. */
  readonly #heads = new Map<string, { layer: Layer; value: Endpoint }>()
  readonly #shapeOf = new Map<Layer, string>()
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
    const layer = this.#router.register(route.path, [...route.methods], () => {}) as Layer
    this.#index.add(layer, endpoint)
    this.#shapeOf.set(layer, path.shape)
    const { methods } = layer
    if (methods.includes('HEAD') && !methods.includes('GET')) this.#heads.set(path.shape, { layer, value: endpoint })
  }

  match(method: string, path: string): Match {
    const hit = this.#find(method, path)
    if (!hit) return { params: {}, allow: methodsOf(this.#index.all(path)) }
    const params = paramsOf(hit, path)
    // `/files/...csv` has no dot segment, and its name is one: whoever makes a path of that would be led elsewhere.
    if (path.includes('.') && Object.values(params).some(hasDots)) return { params: {}, allow: [] }
    return { endpoint: hit.value, params, allow: NONE }
  }

  /** A GET answers HEAD, unless the path has a HEAD of its own, whatever that calls its parameters. */
  #find(method: string, path: string): Entry<Endpoint> | undefined {
    const hit = this.#index.first(method, path)
    const own = hit && method === 'HEAD' ? this.#heads.get(this.#shapeOf.get(hit.layer) as string) : undefined
    const captures = own?.layer.regexp.exec(path)
    return hit && captures ? { ...hit, ...own, captures } : hit
  }
}

/** Each once, in the order of the layers. */
function methodsOf(layers: readonly Layer[]): string[] {
  const all: string[] = []
  for (const { methods } of layers) for (const method of methods) if (!all.includes(method)) all.push(method)
  return all
}

function isLiteral({ required, optional }: Path): boolean {
  return required.length + optional.length === 0
}
