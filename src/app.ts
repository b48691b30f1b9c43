import type { Server } from 'node:http'
import Koa from 'koa'
import { Blueprint } from './blueprint.ts'
import { checkHook } from './check.ts'
import { Client, type ClientOptions } from './client.ts'
import type { BaseContext } from './context.ts'
import { Deadlines } from './deadlines.ts'
import type { Decorator } from './decorator.ts'
import { fold, layersOf, morePaths, toRoute } from './fold.ts'
import { enterKoa, refuseProxy, reservedNames } from './koa.ts'
import { Lifecycle } from './lifecycle.ts'
import { type Middleware, toMiddleware } from './lift.ts'
import { type Inside, insideOf, tellWhere } from './mount.ts'
import { Overrides, type Replaceable } from './overrides.ts'
import { readPath } from './path.ts'
import type { PerProcess } from './per-process.ts'
import { toProblem } from './problem.ts'
import { RequestPath } from './request-path.ts'
import type { ErrorClass } from './rescue.ts'
import { type Entry, nameOf, type Route } from './route.ts'
import type { Endpoint, Match } from './router.ts'
import { createServer } from './server.ts'
import { type KolbaOptions, type Logger, plainLogger, readOptions, type Settings } from './settings.ts'
import { heeding } from './streams.ts'
import { type UrlOf, UrlTable } from './url.ts'

/**
 * An app: a Koa application (`use`, `callback`, `ctx`) with verbs for resources.
 *
 * @example
 * const app = kolba()
 * app.get('/books/:id', json(), ctx => shelf.get(ctx.params.id))
 * app.listen(3000)
 *
 * @throws TypeError for an option that is unknown or of a wrong kind
 */
export function kolba(options: KolbaOptions = {}): Kolba {
  return new Kolba(options)
}

export class Kolba extends Koa {
  readonly settings: Settings
  /** Where errors and requests are logged; it may be exchanged at any time. */
  logger: Logger
  /** The names on ctx of Koa and of kolba, which no decorator may take. */
  readonly reserved: object
  /** What `app.override()` has put in the place of something, for extensions to look up. */
  readonly overrides = new Overrides()
  /** By when the handlers under way have to be done. */
  readonly deadlines: Deadlines
  /** What decorators keep in each process for itself, for `serve()` to warn of. */
  readonly perProcess: PerProcess[] = []
  readonly #blueprint = new Blueprint()
  readonly #urls = new UrlTable()
  readonly #routes: Route[] = []
  readonly #path = new RequestPath(this)
  readonly #life = new Lifecycle(err => this.logger.error({ err }, 'onStart: a hook failed while the app closed.'))
  readonly #within: Middleware

  readonly get = this.#blueprint.get
  readonly head = this.#blueprint.head
  readonly post = this.#blueprint.post
  readonly put = this.#blueprint.put
  readonly patch = this.#blueprint.patch
  readonly delete = this.#blueprint.delete
  readonly options = this.#blueprint.options
  readonly query = this.#blueprint.query
  readonly all = this.#blueprint.all
  readonly route = this.#blueprint.route
  readonly group: Blueprint['group'] = this.#blueprint.group.bind(this.#blueprint)
  readonly mount: Blueprint['mount'] = this.#blueprint.mount.bind(this.#blueprint)

  static {
    refuseProxy(Kolba.prototype)
  }

  constructor(options: KolbaOptions = {}) {
    const settings = readOptions(options)
    const { env, keys, subdomainOffset, asyncLocalStorage } = options
    super({ env, keys, subdomainOffset, asyncLocalStorage })
    this.settings = settings
    this.deadlines = new Deadlines(settings.timeouts.handler)
    this.logger = options.logger ?? plainLogger
    this.reserved = reservedNames(this)
    this.#within = enterKoa(this, this.#path)
    this.#blueprint.subscribe(entry => this.#register(entry))
  }

  /**
   * Adds a Koa middleware, which runs before the routes; or a decorator, for every request that is let in. One with a
   * malformed head or for an unknown host is refused before, and comes to `app.after` alone.
   */
  override use<S, C>(middleware: Koa.Middleware<Koa.DefaultState & S, Koa.DefaultContext & C>): this
  override use(middleware: Decorator | Middleware): this
  override use(middleware: unknown): this {
    super.use(toMiddleware(middleware, this) as Koa.Middleware)
    const [routes, added] = this.middleware.splice(-2) as [Koa.Middleware, Koa.Middleware]
    this.middleware.push(added, routes)
    return this
  }

  /** Runs before every request to a route or to none. What it returns, if anything, is the answer. */
  before(hook: (ctx: BaseContext) => unknown): this {
    this.#path.hooks.before.push(checkHook('before', hook))
    return this
  }

  /** Runs when the answer stands on ctx, that to an error too, and may change it there. */
  after(hook: (ctx: BaseContext) => unknown): this {
    this.#path.hooks.after.push(checkHook('after', hook))
    return this
  }

  /**
   * Answers errors of a class, those of a subclass included unless that has a handler of its own. A plain value is a
   * body with the error's status, or 500; a `reply()` has its own; `problem()` may be thrown or returned; with
   * undefined the error is answered as if there were no handler.
   *
   * @example app.onError(BookMissing, error => problem(404, { detail: error.message }))
   */
  onError<E extends Error>(type: ErrorClass<E>, handler: (error: E, ctx: BaseContext) => unknown): this {
    if (type !== (Error as unknown) && !(type?.prototype instanceof Error))
      throw new TypeError('onError: the first argument is no class of errors. Write onError(NotFound, error => ...).')
    this.#path.rescue.add(type, checkHook(`onError ${type.name}`, handler))
    return this
  }

  /** Runs, and is waited for, before the app listens. */
  onStart(hook: () => unknown): this {
    this.#life.onStart(checkHook('onStart', hook, ''))
    return this
  }

  /** Runs when the app begins to close, beside the requests that are still under way, and is waited for. */
  onDrain(hook: () => unknown): this {
    this.#life.onDrain(checkHook('onDrain', hook, ''))
    return this
  }

  /** Runs when the app closes, after the last answer; the last registered first. */
  onStop(hook: () => unknown): this {
    this.#life.onStop(checkHook('onStop', hook, ''))
    return this
  }

  /** The path of an endpoint, by its handler or its name: `app.url(showBook, { id: 7 })` is `/books/7`. */
  readonly url = ((key: string, params?: object, query?: object) =>
    this.#urls.url(key, params as never, query as never)) as UrlOf

  /** The routes as data, in the order of their registration. */
  routes(): readonly Route[] {
    return [...this.#routes]
  }

  /** What a method and a path lead to: an endpoint with its parameters, or else the methods that the path allows. */
  match(method: string, path: string): Match {
    return this.#path.routes.match(method, path)
  }

  /**
   * Puts something else in the place of a component, in this app: for tests. It may be done at any time, and again.
   *
   * @returns a function that takes it back
   * @example const takeBack = app.override(db, fakeDb)
   */
  override<T>(key: Replaceable<T>, value: NoInfer<T>): () => void {
    return this.overrides.add(key, value)
  }

  /** Calls the app in tests, without a port. */
  client(options?: ClientOptions): Client {
    const start = () => this.start()
    const createServer = () => this.createServer()
    return new Client({ start, createServer, listen: (server, args) => this.#life.listen(server, args) }, options)
  }

  /** Runs the hooks of `onStart`, once; `listen` and `client` do it by themselves. */
  start(): Promise<void> {
    return this.#life.start()
  }

  /** A server with the app's timeouts and limits, which does not listen yet. */
  createServer(): Server {
    return createServer(this.settings, this.callback() as never)
  }

  /** Koa's `listen`, with timeouts, limits, and an orderly end on SIGTERM and SIGINT. */
  override listen(...args: unknown[]): Server {
    return this.#life.listen(this.createServer(), args, this.settings.signals ? () => this.close() : undefined)
  }

  /**
   * Starts the app without a server, for work that is no answer to a request: the hooks of `onStart` run, and the process
   * goes on until the app is closed, in order on SIGTERM and SIGINT.
   */
  work(): Promise<void> {
    return this.#life.work(this.settings.signals ? () => this.close() : undefined)
  }

  /** Was it started by `work()`? */
  get isWorker(): boolean {
    return this.#life.isWorker
  }

  /** Stops accepting, answers what comes on open connections with 503, waits `timeouts.drain`, runs the stop hooks. */
  close(): Promise<void> {
    this.#path.isClosing = true
    return this.#life.close(this.settings.timeouts.drain)
  }

  /** Logs an error with the id of its request. An error that is shown to the client is not logged, as in Koa. */
  override onerror(error: Error & { expose?: boolean }, ctx?: BaseContext): void {
    const isShown = error.expose && !ctx?.headerSent && toProblem(error).status < 500
    if (isShown || this.silent) return
    const { requestId, method, path } = ctx ?? {}
    this.logger.error({ err: error, requestId, method, path }, error.message)
  }

  /** For the app that this one is mounted on. */
  readonly inside: Inside = {
    routes: this.#blueprint,
    life: this.#life,
    through: (ctx, next) => this.#path.within(ctx, () => this.#within(ctx, () => this.#path.hooks.enter(ctx, next))),
    hasRest: () => this.middleware.length > 1 || this.#path.mounted.isOpen(),
    rest: ctx => this.#path.mounted.answers(ctx),
    statusOf: (ctx, thrown) => this.#path.rescue.statusOf(ctx, thrown),
    problemOf: (ctx, thrown) => this.#path.rescue.problemOf(ctx, thrown),
    documentOf: (ctx, refusal) => this.#path.rescue.documentOf(ctx, refusal),
    tell: (error, ctx) => this.#path.rescue.tell(error, ctx),
  }

  #register(entry: Entry): void {
    const path = readPath(nameOf(entry), entry.path)
    const route = toRoute(entry, this)
    const layers = layersOf(route.decorators, route)
    const run = fold(layers, layers.length > 0 ? heeding(route.handler) : route.handler) as Endpoint['run']
    const endpoint = { route, layers, run }
    if (entry.rest) {
      const inner = insideOf(entry.rest.app)
      if (inner) {
        this.#life.adopt(inner.life)
        tellWhere(inner, this, entry.path, this.#path.mounted.countAt(entry.path))
      }
      return this.#path.mounted.add(endpoint, path, entry.rest.isOpen)
    }
    for (const at of morePaths(route)) this.#path.routes.add(endpoint, readPath(nameOf({ ...route, path: at }), at), at)
    this.#path.routes.add(endpoint, path)
    this.#urls.add(route, path, entry.known)
    this.#routes.push(route)
  }
}
