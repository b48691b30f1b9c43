import { checkOptions, kinds } from './check.ts'
import type { Awaitable, BaseContext, Handler } from './context.ts'
import { flat, fold, layersOf, type Parts, parts } from './fold.ts'
import { isClass, markMethod } from './methods.ts'
import type { Note, Route } from './route.ts'

/** Runs what stands below, and gives its value. What it is called with is added to ctx for all below. */
export type Next<Adds = object, Takes = unknown> = (
  ...added: object extends Adds ? [added?: Adds] : [added: Adds]
) => Awaitable<Takes>

/** The context that a decorator sees: of any route, so its path parameters are not known by name. */
export type AroundContext = BaseContext & { params: Readonly<Record<string, string>> }

/** Koa's `(ctx, next)`, except that values flow: `next()` is the value from below, the return value goes up. */
export type Around<Adds = object, Needs = unknown, Takes = unknown> = (
  ctx: AroundContext & Needs,
  next: Next<Adds, Takes>,
) => unknown

/**
 * A function from handler to handler: in a stack, in a composition, or as `@` on a method, in both decorator modes.
 *
 * `Adds` is what it adds to ctx, `Needs` what it must find there, `Takes` what the handler below must return.
 */
export interface Decorator<out Adds = object, in Needs = BaseContext, in Takes = unknown> {
  <M extends (this: never, ctx: never) => unknown>(method: M, context: ClassMethodDecoratorContext): void
  (target: object, name: string | symbol, descriptor: PropertyDescriptor): void
  <C, R extends Takes>(
    handler: Handler<Below<C, Needs, Adds>, Awaitable<R>>,
    // Without this TypeScript prefers composition where `@` stands on a method, and refuses what it gives.
    none?: never,
  ): Handler<C & Needs, unknown>
  readonly [parts]: Parts
}

/**
 * The context below a decorator, which stands on one that has C. While TypeScript infers a nested call it takes C for
 * never; the condition keeps what is known then, so that the lambda in `signedIn(json()(ctx => ctx.user))` has its type.
 */
type Below<C, Needs, Adds> = BaseContext & Needs & Adds & ([C] extends [never] ? unknown : C)

/** What a decorator may say of itself beside its function. */
export interface DecoratorOptions<Adds = object, Needs = unknown, Takes = unknown> {
  /** What it does to the interface: data, or a function of the route. Stored on the route. */
  note?: Note | ((route: Route) => Note)
  /** Does it read the body of the request? */
  reads?: boolean
  /** Does it turn some users away? What gives one answer to all does not stand above it. */
  guards?: boolean
  /**
   * Called once for every route that the decorator comes to stand on, when the route joins an app. It may refuse
   * (throw a TypeError) or return an `around` made for that route, or two.
   */
  register?: (route: Route) => Around<Adds, Needs, Takes> | Arounds<Adds, Needs, Takes> | undefined
  /**
   * Further paths at which the route answers, `/books.csv` beside `/books`, each tried before the route's own. They are
   * the same route: `app.routes()` and `app.url()` have its own path alone.
   */
  paths?: (route: Route) => readonly string[]
}

/** What a decorator may do at two places of a stack: its own, and below all that reads the body. */
export interface Arounds<Adds = object, Needs = unknown, Takes = unknown> {
  /** At its own place; that of the decorator where none is given. */
  around?: Around<Adds, Needs, Takes>
  /** Where the body has been read: below the last decorator that reads it, or right below this one. */
  afterBody?: Around<Adds, Needs, Takes>
}

const composition: unique symbol = Symbol.for('kolba.composition') as never

interface Composed extends Handler {
  [composition]?: { decorators: readonly Decorator[]; handler: Handler }
}

/**
 * Makes a decorator: a name for error messages and route lists, and a function `(ctx, next)`.
 *
 * @example
 * const timed = decorator('timed', async (ctx, next) => {
 *   const start = performance.now()
 *   const value = await next()                       // the request goes down, the value comes back up
 *   ctx.set('Server-Timing', `handler;dur=${(performance.now() - start).toFixed(1)}`)
 *   return value
 * })
 *
 * @example
 * const signedIn = decorator('signedIn', (ctx, next: Next<{ user: User }>) => next({ user: load(ctx) }))
 * const admin = decorator('admin', (ctx: { user: User }, next: Next) => ctx.user.admin ? next() : reply(403))
 *
 * @throws TypeError for a name or function that is none, and for an unknown option.
 */
export function decorator<Adds extends object = object, Needs = BaseContext, Takes = unknown>(
  name: string,
  around: (ctx: AroundContext & Needs, next: Next<Adds, Takes>) => unknown,
  options: DecoratorOptions<Adds, Needs, Takes> = {},
): Decorator<Adds, Needs, Takes> {
  if (!kinds.text.test(name)) throw new TypeError('decorator: the first argument is the name. Give a non-empty string.')
  if (typeof around !== 'function')
    throw new TypeError(`decorator ${name}: give a function (ctx, next) after the name.`)
  checkOptions(`decorator ${name}`, options, {
    note: { words: 'an object or a function', test: it => kinds.object.test(it) || kinds.function.test(it) },
    reads: kinds.flag,
    guards: kinds.flag,
    register: kinds.function,
    paths: kinds.function,
  })
  return make(name, { around, ...options } as unknown as Parts)
}

function make<D>(name: string, its: Parts): D {
  const it = Object.assign(
    (first: unknown, second?: unknown, third?: unknown) => {
      if (isDecorator(first))
        throw new TypeError(`${name}: ${first.name} is no handler. Write stack(a(), b()) for both.`)
      if (second === undefined && typeof first === 'function' && !isClass(first)) return composed(it, first as Composed)
      markMethod(`@${name}`, first, second, third, mark => mark.decorators.unshift(it))
    },
    { [parts]: its },
  ) as unknown as Decorator
  Object.defineProperty(it, 'name', { value: name })
  return it as D
}

/**
 * Names a set of decorators, outermost first, that goes wherever one decorator goes.
 *
 * @example const read = stack(etag(), json())
 */
export function stack<D extends readonly AnyDecorator[]>(
  ...decorators: D
): Decorator<AddsOf<D>, NeedsOf<D>, TakesOf<D>> {
  assertDecorators('stack', decorators)
  const members = flat(decorators)
  return make(`stack(${members.map(({ name }) => name).join(', ')})`, { members })
}

/** `etag()(json()(handler))`: a handler, which remembers what it is made of, for the route it may come to stand on. */
function composed(outer: Decorator, below: Composed): Composed {
  const { decorators, handler } = takeApart(below)
  const all = [outer, ...decorators]
  const folded = fold(layersOf(all), handler)
  const run = Object.assign((ctx: never) => folded(ctx), { [composition]: { decorators: all, handler } })
  return Object.defineProperty(run, 'name', { value: handler.name })
}

/** The decorators that a handler was composed of, and the function inside. */
export function takeApart(handler: Handler): { decorators: readonly Decorator[]; handler: Handler } {
  return (handler as Composed)[composition] ?? { decorators: [], handler }
}

/**
 * Refuses whatever is not a decorator.
 *
 * @throws TypeError `GET /books: etag is not a decorator. Did you mean etag()?`
 */
export function assertDecorators(where: string, values: readonly unknown[]): asserts values is readonly Decorator[] {
  values.forEach((value, index) => {
    if (isDecorator(value)) return
    if (typeof value !== 'function')
      throw new TypeError(`${where}: argument ${index + 1} of the stack is not a decorator.`)
    const name = value.name || `the function at place ${index + 1}`
    const advice =
      value.length >= 2
        ? 'A Koa middleware is one as middleware(f), from kolba/middleware.'
        : `Did you mean ${value.name || 'f'}()? A handler goes last.`
    throw new TypeError(`${where}: ${name} is not a decorator. ${advice}`)
  })
}

export function isDecorator(value: unknown): value is Decorator {
  return typeof value === 'function' && parts in value
}

// biome-ignore lint/suspicious/noExplicitAny: any decorator at all, which variance leaves no other way to say
export type AnyDecorator = Decorator<any, any, any>

/** What a decorator, or a list of them, adds to ctx. */
export type AddsOf<D> = D extends readonly [infer First, ...infer Rest]
  ? AddsOf<First> & AddsOf<Rest>
  : D extends Decorator<infer A, never, never>
    ? A
    : unknown

/** What a list of decorators needs from above: what its members do not give each other. */
export type NeedsOf<D, Given = unknown> = D extends readonly [Decorator<infer A, infer N, never>, ...infer Rest]
  ? (BaseContext & Given extends N ? unknown : N) & NeedsOf<Rest, Given & A>
  : unknown

/** What the innermost of a list of decorators takes from below. */
export type TakesOf<D> = D extends readonly [...unknown[], Decorator<unknown, never, infer T>] ? T : unknown
