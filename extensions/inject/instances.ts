import { setTimeout } from 'node:timers/promises'
import { type Awaitable, type BaseContext, isPromise, type Kolba, when } from '../../src/index.ts'
import type { AnyComponent, Host, Named, Outcome } from './component.ts'

type Values = Readonly<Record<string, unknown>>

/** What a component has made, and of which needs. The value is a promise until it is there. */
export interface Instance {
  readonly component: AnyComponent
  readonly needs: Values
  value: unknown
}

const life = Symbol('kolba.inject')

/** What a request has: its instances in the order of their making, and the last of the disposals to come. */
type Request = BaseContext & { [life]?: { made: Instance[]; disposal?: Promise<void> } }
/** What an app has: its instances, what to make at the start, and the disposals that are to come in its requests. */
type App = Kolba & { [life]?: { made: Instance[]; components: Set<AnyComponent>; disposals: Set<Promise<void>> } }

export function lifeOf(ctx: Request) {
  ctx[life] ??= { made: [] }
  return ctx[life]
}

export function lifeOfApp(app: App) {
  if (app[life]) return app[life]
  app.onStop(() => stop(app))
  app[life] = { made: [], components: new Set(), disposals: new Set() }
  return app[life]
}

/** The values of components, made where they are not there yet. One that fails fails when the others have arrived. */
export function provideAll(components: Named, app: Kolba, ctx?: BaseContext): Awaitable<Values> {
  const values: Record<string, unknown> = {}
  let isPending = false
  for (const [name, component] of Object.entries(components)) {
    try {
      values[name] = provide(component, app, ctx)
    } catch (error) {
      values[name] = Promise.reject(error)
    }
    isPending ||= isPromise(values[name])
  }
  return isPending ? allOf(values) : values
}

async function allOf(values: Values): Promise<Values> {
  const results = await Promise.allSettled(Object.values(values))
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
  const arrived = results.map(result => (result as PromiseFulfilledResult<unknown>).value)
  return Object.fromEntries(Object.keys(values).map((name, index) => [name, arrived[index]]))
}

function provide(it: AnyComponent, app: Kolba, ctx?: BaseContext): unknown {
  const override = app.overrides.get(it)
  if (override) return override.value
  return when(provideAll(it.needs, app, ctx), needs => {
    if (it.scope === 'app') return take(it, needs, app, lifeOfApp(app).made)
    return take(it, needs, ctx as BaseContext, lifeOf(ctx as BaseContext).made)
  })
}

/** What was made of the same needs, which an override may have changed; else it is made. */
function take(component: AnyComponent, needs: Values, host: Host, made: Instance[]): unknown {
  const same = (other: Instance) => Object.keys(needs).every(name => other.needs[name] === needs[name])
  const found = made.find(other => other.component === component && same(other))
  if (found) return found.value
  const instance: Instance = { component, needs, value: component.make(needs, host) }
  made.push(instance)
  if (isPromise(instance.value)) instance.value = arrival(instance, made)
  return instance.value
}

/** Keeps the value when it is there, and forgets what could not be made, so that the next request tries again. */
async function arrival(instance: Instance, made: Instance[]): Promise<unknown> {
  try {
    instance.value = await instance.value
    return instance.value
  } catch (error) {
    if (made.includes(instance)) made.splice(made.indexOf(instance), 1)
    throw error
  }
}

export async function disposeAll(own: Instance[], outcome: Outcome, app: Kolba, ctx?: BaseContext): Promise<void> {
  for (const instance of own) await quietly('dispose', instance, outcome, app, ctx)
}

export type Hook = 'commit' | 'rollback' | 'dispose'

/** Runs a hook whose failure changes nothing any more; it is logged. */
export async function quietly(
  hook: Hook,
  { component, value }: Instance,
  outcome: Outcome,
  app: Kolba,
  ctx?: BaseContext,
): Promise<void> {
  try {
    await component.hooks[hook]?.(value as never, outcome)
  } catch (err) {
    const { requestId, method, path } = ctx ?? {}
    app.logger.error({ err, requestId, method, path }, `${hook} of ${component.name || 'a component'} failed`)
  }
}

/** Has components made when the app starts; where it has started already, when a request first names them. */
export function startWith(app: Kolba, components: AnyComponent[]): void {
  const its = lifeOfApp(app)
  if (its.components.size === 0) {
    try {
      app.onStart(() => start(app))
    } catch {
      // It has started already.
    }
  }
  for (const it of components) its.components.add(it)
}

async function start(app: Kolba): Promise<void> {
  // What a mounted app names is made for the app that it is mounted on.
  if (app.inside.life.isInner) return
  const components = [...lifeOfApp(app).components].flatMap(it => ofApp(it, app))
  try {
    await provideAll({ ...components } as unknown as Named, app)
  } catch (error) {
    await stop(app)
    throw error
  }
}

/** What a component needs of the app, itself included, as far as nothing stands in its place. */
function ofApp(it: AnyComponent, app: Kolba): AnyComponent[] {
  if (app.overrides.get(it)) return []
  return it.scope === 'app' ? [it] : Object.values(it.needs).flatMap(need => ofApp(need, app))
}

/** Lets the disposals of requests end, for as long as the app drains, and then disposes of what is the app's. */
async function stop(app: Kolba): Promise<void> {
  const { made, disposals } = lifeOfApp(app)
  const late = setTimeout(app.settings.timeouts.drain * 1000, undefined, { ref: false })
  await Promise.race([Promise.all(disposals), late])
  await Promise.allSettled(made.map(({ value }) => value))
  await disposeAll(made.splice(0).reverse(), {}, app)
}
