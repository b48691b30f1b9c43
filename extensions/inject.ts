import {
  type BaseContext,
  type Decorator,
  decorator,
  isPromise,
  type Next,
  nameOf,
  type Route,
  when,
} from '../src/index.ts'
import {
  type AnyComponent,
  check,
  component,
  type Injected,
  isRecord,
  type Loader,
  type Named,
  type WantsOf,
} from './inject/component.ts'
import { begin, end } from './inject/ending.ts'
import { provideAll, startWith } from './inject/instances.ts'

export { type Component, type ComponentOptions, component, type Injected, type Outcome } from './inject/component.ts'

/**
 * Adds components to ctx, under the names that you give them: only for this route, each made once a request or once an
 * app however often it is named, and those that do not need each other at the same time. A function in the place of a
 * component is one for this request; it sees what stands above.
 *
 * It stands below what it needs (`signedIn`), and what stands above it sees the value after the commit: let `json()`
 * stand below it where a value that cannot be rendered is to roll back.
 *
 * Components of the app are made when it starts, so that one that cannot be made stops it there. In tests,
 * `app.override(db, fake)` puts the fake in the place of what would be made, and whatever needs it is made with it.
 *
 * @throws TypeError at registration for a name that ctx has already, for what is no component, and for components that
 *   need each other or something shorter-lived
 * @example app.get('/orders/:id', signedIn, inject({ db, me: ctx => load(ctx.user) }), ({ db, me, params }) => ...)
 */
export function inject<S extends Readonly<Record<string, AnyComponent | Loader<N>>>, N = unknown>(
  sources: S,
): Decorator<Injected<S>, N & WantsOf<S>> {
  if (!isRecord(sources)) throw new TypeError('inject: the components have no names. Say inject({ db }).')
  const components = Object.fromEntries(
    Object.entries(sources).map(([name, it]) => [name, typeof it === 'function' ? component(it as never) : it]),
  ) as Named

  function around(ctx: BaseContext, next: Next<object>): unknown {
    const begun = begin(ctx)
    let value: unknown
    try {
      value = when(provideAll(components, ctx.app, ctx), next)
    } catch (error) {
      return end(ctx, begun, { error })
    }
    if (!isPromise(value)) return end(ctx, begun, { value })
    return value.then(
      value => end(ctx, begun, { value }),
      error => end(ctx, begun, { error }),
    )
  }

  function register(route: Route): undefined {
    for (const [name, it] of Object.entries(components)) {
      const where = `${nameOf(route)}: inject ${name}`
      if (name in route.app.reserved) throw new TypeError(`${where}: ctx has this already. Use another name.`)
      check(where, it)
      it.name ||= name
    }
    startWith(route.app, Object.values(components))
  }

  return decorator('inject', around, { register }) as never
}
