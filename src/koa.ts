import type Koa from 'koa'
import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { contextsOf } from './koa-context.ts'
import { composed, composeOf, type Middleware } from './lift.ts'
import { readHosts, trustProxies } from './proxy.ts'
import { readQueries } from './query.ts'
import type { RequestPath } from './request-path.ts'
import { respond } from './respond.ts'
import { signalOf } from './signal.ts'
import type { UrlOf } from './url.ts'

/**
 * Where kolba enters Koa: the context; `handleRequest`, which Koa calls with the context and the composed middleware;
 * and the last place of that middleware, where the routes stand.
 *
 * @returns the middleware before the routes, for when the app is mounted on another
 */
export function enterKoa(app: Kolba, path: RequestPath): Middleware {
  readHosts(app.request)
  if (app.settings.proxy.length > 0) trustProxies(app.request, app.settings.proxy)
  readQueries(app.request)
  extendContext(app, path)
  app.middleware.push(path.dispatch as Koa.Middleware)
  Object.assign(app, {
    createContext: contextsOf(app, respond),
    handleRequest(ctx: BaseContext, run: Middleware) {
      // With nothing in `app.use` the routes stand alone, and one function needs no composing.
      return path.answer(ctx, app.middleware.length === 1 ? path.dispatch : run)
    },
  })
  return composed(app, composeOf(app), middleware => middleware.slice(0, -1))
}

/**
 * `app.proxy = true` is Koa's way to believe whatever a client says of its address, scheme and host. It is refused by the
 * class: an app whose own property is defined anew is no object of a fixed shape any more, and slower in all it is asked.
 */
export function refuseProxy(apps: Kolba): void {
  Object.defineProperty(apps, 'proxy', {
    get: () => false,
    set(value: unknown) {
      if (value) throw new TypeError("proxy: name the proxies to believe, kolba({ proxy: ['10.0.0.0/8'] }).")
    },
  })
}

/** The context of another Koa app that has mounted this one's middleware, with what is on this one's. */
export function guestOf(app: Kolba, { rescue }: RequestPath, host: BaseContext): BaseContext {
  // Where the host is a kolba app, its id of the request is in a header already.
  const requestId = host.requestId ? { get: () => host.requestId, set() {} } : { value: '', writable: true }
  return Object.create(host, { ...nounsOf(app), app: { value: app }, requestId, onerror: { value: rescue.onerror } })
}

function nounsOf(app: Kolba): PropertyDescriptorMap {
  return {
    signal: {
      get(this: BaseContext) {
        return signalOf(this)
      },
    },
    urlFor: {
      value(this: BaseContext, ...args: Parameters<UrlOf>) {
        return `${this.protocol}://${this.host}${app.url(...args)}`
      },
    },
  }
}

/** The names on ctx that are taken, as an object to look them up in: Koa's, and what Koa and kolba put on each ctx. */
export function reservedNames(app: Koa): object {
  return Object.create(Object.getPrototypeOf(app.context), Object.fromEntries(OWN.map(name => [name, {}])))
}

const OWN = 'app req res request response originalUrl state respond params requestId route signal urlFor'.split(' ')

function extendContext(app: Kolba, path: RequestPath): void {
  Object.defineProperties(app.context, {
    ...nounsOf(app),
    // For an error that reaches no middleware: of a stream, of the connection, of who calls it. An app may have its own.
    onerror: { value: path.rescue.onerror, writable: true, configurable: true },
  })
}
