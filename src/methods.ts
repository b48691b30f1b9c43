import type { Handler } from './context.ts'
import type { Decorator } from './decorator.ts'
import { type PathParams, readPath } from './path.ts'
import { checkMethods, type Entry } from './route.ts'

/** What the `@` above a method have said of it. It is kept on the method, and the method stays as it was written. */
interface Mark {
  readonly routes: { methods: readonly string[]; path: string }[]
  readonly decorators: Decorator[]
}

/** That an `@` has marked a method, kept on the class (or the instance) too, where no other decorator can hide it. */
interface Claim {
  readonly where: string
  readonly by: string
  readonly mark: Mark
}

const mark: unique symbol = Symbol.for('kolba.method') as never
const claims: unique symbol = Symbol.for('kolba.claims') as never

type Method = ((this: never, ctx: never) => unknown) & { [mark]?: Mark }

/** `@get('/books/:id')`: refuses a method whose ctx wants other parameters than the path has. */
interface RouteDecorator<Path extends string> {
  <M extends Method>(method: M & Fits<M, Path>, context: ClassMethodDecoratorContext): void
  <M extends Method>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<M & Fits<M, Path>>,
  ): void
}

type Fits<M, Path extends string> = M extends (this: never, ctx: infer C) => unknown
  ? C extends { params: infer Wanted }
    ? PathParams<Path> extends Wanted
      ? unknown
      : (ctx: Omit<C, 'params'> & { params: PathParams<Path> }) => unknown
    : unknown
  : unknown

/**
 * Puts a route on a method. It stands above the method's other decorators, which run below it, outermost first.
 *
 * @example
 * class Books {
 *   \@get('/books/:id') \@json() show(ctx: Context<'/books/:id'>) { ... }
 * }
 * app.mount('/v1', new Books())
 */
export function route<Path extends string>(methods: string | readonly string[], path: Path): RouteDecorator<Path> {
  const verbs = checkMethods(`@route ${path}`, methods)
  const name = `@${verbs.length === 1 ? verbs[0]?.toLowerCase() : 'route'}('${path}')`
  readPath(name, path)
  const it = (first: unknown, second: unknown, third?: unknown) =>
    markMethod(name, first, second, third, ({ routes }) => routes.unshift({ methods: verbs, path }), true)
  return it as RouteDecorator<Path>
}

const verb =
  (method: string) =>
  <Path extends string>(path: Path) =>
    route(method, path)

export const get = verb('GET')
export const head = verb('HEAD')
export const post = verb('POST')
export const put = verb('PUT')
export const patch = verb('PATCH')
export const options = verb('OPTIONS')
export const query = verb('QUERY')
/** `@del`, because `delete` is a word of the language; the app's verb is `app.delete`. */
export const del = verb('DELETE')

/** Notes something on the method that an `@` stands on, whichever of the two decorator modes calls. */
export function markMethod(
  name: string,
  first: unknown,
  second: unknown,
  third: unknown,
  note: (mark: Mark) => void,
  isRoute = false,
): void {
  const context = second as ClassMethodDecoratorContext | undefined
  const standard = context?.kind === 'method' && !context.static && !context.private
  const method = (standard ? first : (third as PropertyDescriptor | undefined)?.value) as Method | undefined
  const where = standard ? context.name : second
  if (typeof method !== 'function' || typeof where !== 'string' || (!standard && typeof first === 'function')) {
    const others = 'a class, a field, an accessor, or a static, private or symbol-named method'
    throw new TypeError(`${name}: this stands on a handler or on a method of a class, not on ${others}.`)
  }
  method[mark] ??= { routes: [], decorators: [] }
  if (!isRoute && method[mark].routes.length > 0)
    throw new TypeError(`${where}: ${name} stands above the method's route, where it would not run. Put it below.`)
  note(method[mark])
  const its = { where, by: name, mark: method[mark] }
  if (!standard) return claim(first as object, its)
  context.addInitializer(function () {
    claim(this as object, its)
  })
}

function claim(holder: { [claims]?: Claim[] }, its: Claim): void {
  if (!Object.hasOwn(holder, claims)) Object.defineProperty(holder, claims, { value: [] })
  holder[claims]?.push(its)
}

/**
 * The routes of an instance of a class with `@get` and the like, base classes first, in the order of the methods.
 *
 * @throws TypeError for a class without routes, and for a method with decorators that would not run.
 */
export function methodRoutes(where: string, instance: object): Entry[] {
  if (typeof instance === 'function' && isClass(instance))
    throw new TypeError(`${where}: ${instance.name} is a class. Mount an instance: new ${instance.name}().`)
  assertNoneHidden(instance)
  const title = instance?.constructor?.name || 'the object'
  const entries = [...marked(instance ?? null)].flatMap(([name, { routes, decorators }]) => {
    if (routes.length === 0) {
      const names = decorators.map(it => `@${it.name}`).join(' ')
      throw new TypeError(`${where}: ${title}.${name} has ${names} and no route. Put @get('/...') or the like above.`)
    }
    const method = (instance as Record<string, Handler>)[name] as Handler
    const handler = method.bind(instance) as Handler
    const endpoint = `${title.charAt(0).toLowerCase()}${title.slice(1)}.${name}`
    return routes.map(its => ({ ...its, name: endpoint, decorators, handler, known: [method] }))
  })
  if (entries.length > 0) return entries
  throw new TypeError(
    `${where}: ${title} has no routes. Mount a blueprint, an app, or an instance of a class with @get.`,
  )
}

/** The marked methods, base classes first. A method that overrides another keeps the other's route. */
function marked(instance: object | null): Map<string, Mark> {
  const above = instance && Object.getPrototypeOf(instance)
  if (!above) return new Map()
  const found = marked(above)
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(above))) {
    const its = typeof value === 'function' ? (value as Method)[mark] : undefined
    if (its) found.set(name, its)
  }
  return found
}

/** Another library's decorator may put a function of its own in the method's place, and that has no mark. */
function assertNoneHidden(instance: object | null): void {
  const found = new Set<unknown>()
  const claimed: Claim[] = []
  for (let it = instance; it; it = Object.getPrototypeOf(it)) {
    if (Object.hasOwn(it, claims)) claimed.push(...((it as { [claims]?: Claim[] })[claims] ?? []))
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(it))) {
      if (typeof value === 'function') found.add((value as Method)[mark])
    }
  }
  const hidden = claimed.find(it => !found.has(it.mark))
  if (!hidden) return
  const what = `${hidden.by} is hidden by a decorator that is not kolba's, so it would not run`
  throw new TypeError(`${hidden.where}: ${what}. Put that one below.`)
}

export function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}
