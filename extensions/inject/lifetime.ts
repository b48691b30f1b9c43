import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import {
  type Awaitable,
  type BaseContext,
  isPromise,
  type Kolba,
  problem,
  Reply,
  statusOf,
  when,
} from '../../src/index.ts'
import type { AnyComponent, Host, Named, Outcome } from './component.ts'

type Values = Readonly<Record<string, unknown>>

/** What a component has made, and of which needs. The value is a promise until it is there. */
interface Instance {
  readonly component: AnyComponent
  readonly needs: Values
  value: unknown
}

/** How the handler has ended. */
type Ended = { readonly value: unknown } | { readonly error: unknown }

const life = Symbol('kolba.inject')

/** What a request has: its instances in the order of their making, and the last of the disposals to come. */
type Request = BaseContext & { [life]?: { made: Instance[]; disposal?: Promise<void> } }
/** What an app has: its instances, what to make at the start, and the disposals that are to come in its requests. */
type App = Kolba & { [life]?: { made: Instance[]; components: Set<AnyComponent>; disposals: Set<Promise<void>> } }

function lifeOf(ctx: Request) {
  ctx[life] ??= { made: [] }
  return ctx[life]
}

function lifeOfApp(app: App) {
  if (app[life]) return app[life]
  app.onStop(() => stop(app))
  app[life] = { made: [], components: new Set(), disposals: new Set() }
  return app[life]
}

/** Where in a request an `inject()` begins, for `end()`. */
export function begin(ctx: BaseContext): number {
  return lifeOf(ctx).made.length
}

/** The values of components, made where they are not there yet. One that fails fails when the others have arrived. */
export function provideAll(components: Named, app: Kolba, ctx?: BaseContext): Awaitable<Values> {
  const names = Object.keys(components)
  const values = names.map(name => {
    try {
      return provide(components[name] as AnyComponent, app, ctx)
    } catch (error) {
      return Promise.reject(error)
    }
  })
  const named = (values: unknown[]) => Object.fromEntries(names.map((name, index) => [name, values[index]]))
  return values.some(isPromise) ? allOf(values).then(named) : named(values)
}

async function allOf(values: unknown[]): Promise<unknown[]> {
  const results = await Promise.allSettled(values)
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
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
    made.splice(made.indexOf(instance), 1)
    throw error
  }
}

/** Ends what was made since `begin()`, the last first, and hands on what the handler has given or thrown. */
export function end(ctx: BaseContext, begun: number, ended: Ended): unknown {
  const own = lifeOf(ctx).made.splice(begun).reverse()
  const has = (hook: Hook) => own.some(({ component }) => component.hooks[hook])
  if (has('commit') || has('rollback')) return settle(ctx, own, ended)
  if (has('dispose')) disposeLater(ctx, own, outcomeOf(ctx, ended))
  return handOn(ended)
}

async function settle(ctx: BaseContext, own: Instance[], ended: Ended): Promise<unknown> {
  let outcome = outcomeOf(ctx, ended)
  const committed = new Set<Instance>()
  try {
    for (const it of 'error' in outcome ? [] : own) {
      if (!it.component.hooks.commit) continue
      await it.component.hooks.commit(it.value as never)
      committed.add(it)
    }
  } catch (error) {
    ended = { error }
    outcome = outcomeOf(ctx, ended)
  }
  if ('error' in outcome) {
    for (const it of own) if (!committed.has(it)) await quietly('rollback', it, outcome, ctx.app, ctx)
  }
  disposeLater(ctx, own, outcome)
  return handOn(ended)
}

function outcomeOf(ctx: BaseContext, ended: Ended): Outcome {
  if ('error' in ended) return { error: ended.error ?? new TypeError(`${ended.error} was thrown.`) }
  if (ctx.signal.aborted) return { error: ctx.signal.reason }
  const { value } = ended
  if (value instanceof Error) return { error: value }
  const own = value instanceof Reply || value instanceof Response ? value : undefined
  // Koa's status is 404 until somebody answers, and a handler that gives nothing has to.
  const status = own?.status ?? (value === undefined && ctx.respond !== false ? ctx.status : statusOf(ctx))
  return status < 400 ? {} : { error: problem(Math.min(status, 599)) }
}

function handOn(ended: Ended): unknown {
  if ('error' in ended) throw ended.error
  return ended.value
}

/** Disposes when the response has closed, and what was made later has been disposed of. */
function disposeLater(ctx: BaseContext, own: Instance[], outcome: Outcome): void {
  const its = lifeOf(ctx)
  const { disposals } = lifeOfApp(ctx.app)
  const disposal = (its.disposal ?? closed(ctx.res)).then(() => disposeAll(own, outcome, ctx.app, ctx))
  its.disposal = disposal
  disposals.add(disposal)
  disposal.then(() => disposals.delete(disposal))
}

function closed(res: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    res.closed ? resolve() : res.once('close', resolve)
  })
}

async function disposeAll(own: Instance[], outcome: Outcome, app: Kolba, ctx?: BaseContext): Promise<void> {
  for (const instance of own) await quietly('dispose', instance, outcome, app, ctx)
}

type Hook = 'commit' | 'rollback' | 'dispose'

/** Runs a hook whose failure changes nothing any more; it is logged. */
async function quietly(hook: Hook, { component, value }: Instance, outcome: Outcome, app: Kolba, ctx?: BaseContext) {
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
      // It has started.
    }
  }
  for (const it of components) its.components.add(it)
}

async function start(app: Kolba): Promise<void> {
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
