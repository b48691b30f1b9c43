import Koa from 'koa'
import type { BaseContext, Handler } from './context.ts'
import {
  type AddsOf,
  type AnyDecorator,
  assertDecorators,
  type Decorator,
  isDecorator,
  takeApart,
} from './decorator.ts'
import { flat } from './fold.ts'
import { methodRoutes } from './methods.ts'
import { insideOf, mountApp } from './mount.ts'
import { join, type PathParams, readPath } from './path.ts'
import { checkMethods, type Entry, METHODS, nameOf } from './route.ts'
import type { Checked, Verb } from './verbs.ts'

/** What stands above the routes under a prefix. */
type Under<Prefix extends string, Above> = BaseContext & { params: PathParams<Prefix> } & Above

/** What has routes to mount, and may need more on ctx than Koa's. */
interface Mountable<in Needs = BaseContext> {
  readonly needs?: (ctx: Needs) => void
  subscribe(listener: (entry: Entry) => void): void
}

/** What may be mounted beside a blueprint: a Koa app, or an instance of a class with `@get` and the like. */
type AppOrInstance = Koa | (object & { subscribe?: never; prototype?: never })

/**
 * Routes without an app, to be mounted on one. Made by `blueprint()` and `app.group()`.
 *
 * `Above` is what its handlers find on ctx beside Koa's; `Needs` is what it must be given where it is mounted.
 */
export class Blueprint<Above = unknown, Needs = BaseContext> implements Mountable<Needs> {
  readonly get = this.#verb('GET')
  readonly head = this.#verb('HEAD')
  readonly post = this.#verb('POST')
  readonly put = this.#verb('PUT')
  readonly patch = this.#verb('PATCH')
  readonly delete = this.#verb('DELETE')
  readonly options = this.#verb('OPTIONS')
  /** HTTP QUERY (RFC 10008): safe and idempotent like GET, with a body. */
  readonly query = this.#verb('QUERY')
  /** Every method that Node knows, except CONNECT. */
  readonly all = this.#verb(METHODS)
  /** `route(['PUT', 'PATCH'], path, ...decorators, handler)` */
  readonly route = ((methods: string, path: string, ...layers: unknown[]) =>
    this.#define(methods, path, layers)) as Verb<Above, [methods: string | readonly string[]]>

  declare readonly needs?: (ctx: Needs) => void
  readonly #name: string
  readonly #decorators: readonly Decorator[]
  readonly #entries: Entry[] = []
  readonly #listeners: ((entry: Entry) => void)[] = []
  readonly #inside: object[] = []

  constructor(name = '', decorators: readonly Decorator[] = []) {
    assertDecorators(`blueprint ${name}`.trim(), decorators)
    this.#name = name
    this.#decorators = flat(decorators)
  }

  /**
   * Routes that share a prefix and a stack. The group's stack stands outside the stacks of its routes.
   *
   * @example const admin = app.group('/admin', signedIn, roles('admin'))
   */
  group<Prefix extends string, D extends readonly AnyDecorator[]>(
    prefix: Prefix,
    ...decorators: Checked<D, Under<Prefix, Above>>
  ): Blueprint<Above & { params: PathParams<Prefix> } & AddsOf<D>> {
    const where = `group ${prefix}`
    assertDecorators(where, decorators)
    if (prefix !== '') readPath(where, prefix)
    const group = new Blueprint('', decorators)
    this.#inside.push(group)
    this.#join(prefix, group, [])
    return group as never
  }

  /**
   * Puts a blueprint, a class instance, a kolba app or any Koa app under a prefix, with a stack outside of its own.
   * Routes that a blueprint or an app gets later are mounted too.
   *
   * @throws TypeError for a route that is there already, and for an object without routes.
   */
  mount<Prefix extends string, D extends readonly AnyDecorator[]>(
    prefix: Prefix,
    what: Mountable<Under<Prefix, Above> & AddsOf<D>> | AppOrInstance,
    ...decorators: Checked<D, Under<Prefix, Above>>
  ): void {
    const where = `mount ${prefix}`
    assertDecorators(where, decorators)
    if (prefix !== '') readPath(where, prefix)
    if (contains(what, this))
      throw new TypeError(`${where}: this would be mounted on itself. Mount it on another blueprint or app.`)
    this.#inside.push(what)
    if (what instanceof Blueprint) return this.#join(prefix, what, decorators)
    if (what instanceof Koa) return mountApp(what, entry => this.#add(under(prefix, decorators, entry)))
    for (const entry of methodRoutes(where, what)) this.#add(under(prefix, decorators, entry))
  }

  /** Tells the listener of every route here, now and later: so nothing is lost between a module and its app. */
  subscribe(listener: (entry: Entry) => void): void {
    this.#entries.forEach(listener)
    this.#listeners.push(listener)
  }

  /** Is it this, or mounted here, however deep? */
  contains(other: unknown): boolean {
    return other === this || this.#inside.some(inner => contains(inner, other))
  }

  #verb(methods: string | readonly string[]): Verb<Above> {
    return ((path: string, ...layers: unknown[]) => this.#define(methods, path, layers)) as Verb<Above>
  }

  #define(methods: string | readonly string[], path: string, layers: unknown[]): unknown {
    const verbs = checkMethods(`route ${path}`, methods)
    const where = nameOf({ methods: verbs, path })
    readPath(where, path)
    const last = layers.pop()
    if (isDecorator(last))
      throw new TypeError(`${where}: the decorator ${last.name} stands last. Put the handler last.`)
    if (typeof last !== 'function')
      throw new TypeError(`${where}: there is no handler. Give a function as the last argument.`)
    assertDecorators(where, layers)
    if (last.length > 1)
      throw new TypeError(
        `${where}: the handler takes ${last.length} arguments. It is given ctx alone, and returns the answer.`,
      )
    const { decorators, handler } = takeApart(last as Handler)
    const all = [...flat(layers), ...decorators]
    this.#add({ methods: verbs, path, name: handler.name, decorators: all, handler, known: [last as Handler, handler] })
    return last
  }

  #join(prefix: string, inner: Mountable<never>, decorators: readonly Decorator[]): void {
    inner.subscribe(entry => this.#add(under(prefix, decorators, entry)))
  }

  #add(entry: Entry): void {
    const name = this.#name && entry.name ? `${this.#name}.${entry.name}` : entry.name
    const whole = { ...entry, name, decorators: [...this.#decorators, ...entry.decorators] }
    this.#entries.push(whole)
    for (const listener of this.#listeners) listener(whole)
  }
}

/**
 * Routes for a module of their own, to be mounted on an app: `app.mount('/books', books)`.
 *
 * A name, where one is given, stands before the names of its endpoints: `app.url('books.show', { id: 7 })`.
 * A blueprint that counts on what the mount adds says so: `blueprint<{ user: User }>('books')`.
 *
 * @example
 * export const books = blueprint('books', json())
 * books.get('/:id', function show(ctx) { return shelf.get(ctx.params.id) })
 */
export function blueprint<Needs>(name?: string): Blueprint<Needs, BaseContext & Needs>
export function blueprint<D extends readonly [string | AnyDecorator, ...AnyDecorator[]]>(
  ...nameAndDecorators: Checked<D>
): Blueprint<AddsOf<D>>
export function blueprint(...args: unknown[]): unknown {
  const name = typeof args[0] === 'string' ? (args.shift() as string) : ''
  return new Blueprint(name, args as Decorator[])
}

function contains(what: object, other: unknown): boolean {
  const routes = what instanceof Blueprint ? what : insideOf(what)?.routes
  return routes?.contains(other) ?? false
}

function under(prefix: string, decorators: readonly Decorator[], entry: Entry): Entry {
  return { ...entry, path: join(prefix, entry.path), decorators: [...flat(decorators), ...entry.decorators] }
}
