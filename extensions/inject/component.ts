import { type Awaitable, among, type BaseContext, checkOptions, type Kolba, kinds } from '../../src/index.ts'

type Scope = 'app' | 'request'

/** How it ended: with this error, or well. Where a reply of 400 or more was returned, the error is `problem(status)`. */
export interface Outcome {
  readonly error?: unknown
}

export interface ComponentOptions<T, S extends Scope = Scope> {
  /** Made once for the app, when it starts; or once for each request that names it. @default 'request' */
  scope?: S
  /** When the handler has ended well, before the answer is sent. What it throws is answered instead. */
  commit?: (value: T) => unknown
  /** When the handler or a commit has failed, before the answer is sent. */
  rollback?: (value: T, outcome: Outcome) => unknown
  /** When the answer has been sent or the client has gone; for the app, when it closes. */
  dispose?: (value: T, outcome: Outcome) => unknown
  /** For the log. @default the name of the function that makes it, or the first that it is injected under */
  name?: string
}

/** A thing that handlers name and do not make. Made by `component()`. */
export class Component<out T = unknown, in Needs = BaseContext> {
  declare readonly makes?: () => T
  declare readonly wants?: (ctx: Needs) => void
  name: string
  readonly scope: Scope
  readonly hooks: ComponentOptions<never>
  readonly make: Make
  readonly #needs: Needed

  constructor(needs: Needed, make: Make, hooks: ComponentOptions<never>) {
    this.#needs = needs
    this.make = make
    this.hooks = hooks
    this.name = hooks.name ?? ''
    this.scope = hooks.scope ?? 'request'
  }

  get needs(): Named {
    return typeof this.#needs === 'function' ? this.#needs() : this.#needs
  }
}

export type AnyComponent = Component<unknown, never>
export type Named = Readonly<Record<string, AnyComponent>>
type Needed = Named | (() => Named)
/** What one for the app is made with, and one for a request. */
export type Host = Kolba | BaseContext
type Make = (needs: Readonly<Record<string, unknown>>, host: Host) => unknown
export type Loader<Ctx> = { load(ctx: Ctx): unknown }['load']

/** What the names stand for. */
export type Injected<S> = {
  [K in keyof S]: S[K] extends Component<infer T, never> ? T : S[K] extends (ctx: never) => infer R ? Awaited<R> : never
}
/** What all of them together must find on ctx. */
export type WantsOf<S> = [WantOf<S[keyof S]>] extends [(ctx: infer C) => void] ? C : never
type WantOf<C> =
  C extends Component<unknown, infer N>
    ? (ctx: N) => void
    : C extends (ctx: infer N) => unknown
      ? (ctx: N) => void
      : never
type HostOf<S> = S extends 'app' ? Kolba : BaseContext
type CtxOf<S, C> = S extends 'app' ? unknown : NoInfer<C>

const OPTIONS = {
  scope: among('app', 'request'),
  commit: kinds.function,
  rollback: kinds.function,
  dispose: kinds.function,
  name: kinds.text,
}

/**
 * Says how to make something that handlers use: a pool of connections, a transaction, the user's account. `inject()`
 * puts it on ctx. It may be a promise, and may need other components, which are made before it and disposed after it:
 *
 * @example
 * const pool = component(() => new Pool(), { scope: 'app', dispose: pool => pool.end() })
 * const account = component({ pool }, ({ pool }, ctx) => loadAccount(pool, ctx.get('X-Account')))
 *
 * One for the app is given the app, one for a request its ctx. There are two moments at which one for a request ends.
 * `commit` or `rollback` runs **when the handler has ended** and nothing is sent yet, so a commit that fails is an error
 * as if the handler had thrown it. `dispose` runs **when the answer has been sent**, or the client has gone, and the
 * handler has ended: a stream has been read by then. Each runs the last made first; an error in `rollback` or `dispose`
 * is logged and changes nothing.
 *
 * The handler has failed when it has thrown; when it has returned a reply with a status of 400 or more, or nothing; and
 * when nobody can be told of its success, because the client has gone or `timeouts.handler` is over.
 *
 * Modules that import each other name what they need in a function: `component(() => ({ pool }), ...)`.
 *
 * @throws TypeError for a component that needs what is none, and for options that are unknown or of a wrong kind
 */
export function component<T, S extends Scope = 'request', C = HostOf<S>>(
  make: (host: C) => Awaitable<T>,
  options?: ComponentOptions<T, S>,
): Component<T, CtxOf<S, C>>
export function component<N extends Named, T, S extends Scope = 'request', C = HostOf<S>>(
  needs: N | (() => N),
  make: (needs: Injected<N>, host: C) => Awaitable<T>,
  options?: ComponentOptions<T, S>,
): Component<T, CtxOf<S, C> & WantsOf<N>>
export function component(first: unknown, second?: unknown, third?: unknown): AnyComponent {
  const [needs, make, options] = typeof second === 'function' ? [first, second, third] : [{}, first, second]
  if (typeof make !== 'function')
    throw new TypeError('component: there is no function that makes it. Give one, component(() => connect()).')
  if (isClass(make)) throw new TypeError(`component: ${make.name} is a class. Say component(() => new ${make.name}()).`)
  checkOptions('component', options, OPTIONS)
  const { scope, commit, rollback, name = make.name } = (options ?? {}) as ComponentOptions<never>
  if (scope === 'app' && (commit || rollback))
    throw new TypeError("component: an app has nothing to commit. Leave commit and rollback out, or the scope 'app'.")
  const plain = make === first ? (_: unknown, host: Host) => make(host) : make
  const made = new Component(needs as Needed, plain as Make, { ...(options as object), name })
  if (typeof needs === 'function') return made
  for (const [need, it] of needsOf('component', made)) checkOne(`component needs.${need}`, it, [made])
  return made
}

/**
 * Refuses what is no component, what needs itself, and what outlives what it needs, however far down.
 *
 * @throws TypeError `GET /me: inject account.pool: it is no component. Give what component() has returned.`
 */
export function check(where: string, it: unknown, above: readonly AnyComponent[] = []): void {
  checkOne(where, it, above)
  for (const [name, need] of needsOf(where, it)) check(`${where}.${name}`, need, [...above, it])
}

function checkOne(where: string, it: unknown, above: readonly AnyComponent[]): asserts it is AnyComponent {
  const refuse = (what: string): never => {
    throw new TypeError(`${where}: ${what}`)
  }
  if (it === undefined) refuse('it is undefined. Modules that import each other say component(() => ({ needs }), ...).')
  if (!(it instanceof Component)) return refuse('it is no component. Give what component() has returned.')
  if (above.includes(it)) refuse('it needs itself. Take from one of them what both need, and make a third of it.')
  if (it.scope === 'request' && above.at(-1)?.scope === 'app')
    refuse("it is made for each request, and what needs it for the app. Give both the same scope, 'request'.")
}

function needsOf(where: string, { needs }: AnyComponent): [name: string, need: AnyComponent][] {
  if (isRecord(needs)) return Object.entries(needs)
  throw new TypeError(`${where}: what it needs has no names. Say component({ db }, ({ db }) => ...).`)
}

/** An object with names of the user's. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Component)
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}
