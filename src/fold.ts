import type { Kolba } from './app.ts'
import type { BaseContext, Handler } from './context.ts'
import type { Around, AroundContext, Arounds, Decorator, DecoratorOptions } from './decorator.ts'
import { type Entry, type Note, nameOf, type Route } from './route.ts'

/** One decorator has an `around`, a stack has members. */
export interface Parts extends DecoratorOptions {
  readonly around?: Around
  readonly members?: readonly Decorator[]
}

/** Where a decorator keeps what it is made of. */
export const parts: unique symbol = Symbol.for('kolba.decorator') as never

/** One place in a stack: what a decorator does there. Most have one, those with an `afterBody` have two. */
export interface Layer {
  readonly decorator: Decorator
  readonly around: Around
  /** Is it the second place of its decorator? */
  readonly isAfterBody?: boolean
}

/**
 * Second places that wait for the body where a decorator is registered. Whoever chooses another handler there than that
 * at the end of the stack would leave them out, so they go into the stack of that one too.
 */
const owed = Symbol('kolba.owed')
type Owing = Route & { [owed]?: readonly Layer[] }

/** The layers of a stack, outermost first. */
export function layersOf(decorators: readonly Decorator[], route?: Owing): readonly Layer[] {
  const all = flat(decorators)
  const lastReader = all.findLastIndex(it => it[parts].reads)
  const layers: Layer[] = []
  const above = route?.[owed] ?? []
  let waiting = above
  if (lastReader < 0) {
    layers.push(...waiting)
    waiting = []
  }
  all.forEach((decorator, index) => {
    if (route) route[owed] = waiting
    const { around = decorator[parts].around, afterBody } = (route && registered(decorator, route)) ?? {}
    layers.push({ decorator, around: around as Around })
    if (afterBody) waiting = [...waiting, { decorator, around: afterBody, isAfterBody: true }]
    if (index < lastReader) return
    layers.push(...waiting)
    waiting = []
  })
  // The list of routes has nothing of it.
  if (route) delete route[owed]
  if (route && above.length > 0) route[owed] = above
  return layers
}

/** Folds layers over a handler, once. What comes out calls each in turn, and is as synchronous as they are. */
export function fold(layers: readonly Layer[], handler: Handler): Handler {
  return layers.reduceRight<Handler>((below, { around, decorator: { name } }) => {
    // The names are for stack traces: of an `around` that has waited, nothing else is left in them.
    if (!around.name) Object.defineProperty(around, 'name', { value: name })
    const layer = (ctx: AroundContext) =>
      around(ctx, added => {
        if (added !== undefined) extend(ctx, added, name)
        return (below as (ctx: AroundContext) => unknown)(ctx)
      })
    return Object.defineProperty(layer, 'name', { value: name })
  }, handler)
}

function registered({ name, [parts]: { register } }: Decorator, route: Route): Arounds | undefined {
  const given: unknown = register?.(route)
  if (given === undefined) return
  if (typeof given === 'function') return { around: given as Around }
  const { around, afterBody } = Object(given) as Arounds
  const made = [around, afterBody].filter(it => it !== undefined)
  if (made.length > 0 && made.every(it => typeof it === 'function')) return given as Arounds
  const what = `register of ${name} gives what is no function`
  throw new TypeError(`${nameOf(route)}: ${what}. Return a function (ctx, next), or undefined.`)
}

/** An entry as a route of an app, with what its decorators say of the interface. */
export function toRoute({ methods, path, name, decorators, handler }: Entry, app: Kolba): Route {
  const route = {
    methods,
    path,
    name: name || undefined,
    decorators: flat(decorators),
    handler,
    app,
    notes: [] as Note[],
  }
  route.notes = route.decorators.flatMap(
    ({ [parts]: { note } }) => (typeof note === 'function' ? note(route) : note) ?? [],
  )
  return route
}

/** What a decorator has said of itself on a route, for another one that depends on the order of the stack. */
export function traitsOf({ [parts]: { reads = false, guards = false, note } }: Decorator, route: Route) {
  return { reads, guards, note: typeof note === 'function' ? note(route) : note }
}

/** The further paths that decorators give a route. */
export function morePaths(route: Route): readonly string[] {
  return route.decorators.flatMap(({ [parts]: { paths } }) => paths?.(route) ?? [])
}

/** The same decorators with every stack replaced by its members. */
export function flat(decorators: readonly Decorator[]): readonly Decorator[] {
  return decorators.flatMap(it => it[parts].members ?? it)
}

function extend(ctx: AroundContext, added: object, name: string): void {
  // next(error) is Express's way to refuse a request; added to ctx, it would let the request through.
  if (added instanceof Error) throw added
  // A composition that a test calls by itself has no app.
  const { reserved = {} } = (ctx.app as BaseContext['app'] | undefined) ?? {}
  for (const key of Object.keys(added)) {
    if (key in reserved) throw new TypeError(`${name}: ctx.${key} is taken by Koa or kolba. Add it under another name.`)
  }
  Object.assign(ctx, added)
}
