import {
  type Around,
  among,
  type BaseContext,
  checkOptions,
  decorator,
  type Handler,
  isDecorator,
  isGuarded,
  kinds,
  nested,
  type Route,
  when,
} from '../../src/index.ts'
import { byHeader, byMediaType, byPath, plain } from './ways.ts'

export interface VersionsOptions<V = string | number> {
  /**
   * Where the client says which version it wants:
   * - `'header'`: in `Accept-Version`, and `API-Version` says which it got;
   * - `'media-type'`: in `Accept`, as `application/json;version=2`, or as `application/vnd.acme.v2+json` with a vendor;
   * - `'path'`: in the parameter `:version` of the path.
   */
  by: 'header' | 'media-type' | 'path'
  /**
   * What a client gets that does not say. @default the first, so that a new version changes nothing for old clients;
   * JavaScript puts whole numbers first and in order, so beside others, as in `{ '1.0': listV1, 2: listV2 }`, it is needed
   */
  default?: V
  /** The `acme` of `application/vnd.acme.v2+json`, with `by: 'media-type'`. */
  vendor?: string
}

/** What `versions()` adds to ctx for its handlers: the version that was chosen, without a `v`. */
export interface Versioned {
  apiVersion: string
}

/**
 * A handler that chooses among handlers by the version that the client asks for, with or without a `v` before it.
 *
 * A version begins with a digit: `1`, `1.2`, `2026-01-01`; it is compared as it is written, and stands on ctx as
 * `ctx.apiVersion`. Each handler may be composed, `deprecated({ ... })(listV1)`, and sees the ctx of the stack above.
 * The one for `default` is the route's: its name is the endpoint's, and documentation is made from its decorators.
 *
 * A version that is not there is 406 with those that are in `available`, or 404 with `by: 'path'`. `Vary` names the
 * header that was looked at, on every answer, and an `etag()` above gives each version tags of its own. With
 * `by: 'media-type'` an object is sent as the media type that was asked for, and so is what a `json()` of the handler's
 * own renders; who asks for `application/json` gets the default as such.
 *
 * @throws TypeError for a version that is none or is there twice, for a handler that is none, where nobody can tell which
 *   is the first, and at registration for `by: 'path'` where the path has no `:version`
 * @example
 * app.get('/books', json(), versions({ 1: deprecated({ since: '2026-01-01' })(listV1), 2: listV2 }, { by: 'header' }))
 * app.get('/:version/books', json(), versions({ 1: listV1, 2: listV2 }, { by: 'path' }))
 */
export function versions<C, const H extends Readonly<Record<string | number, Handler<BaseContext & C & Versioned>>>>(
  handlers: H,
  options: VersionsOptions<keyof H>,
): Handler<C & BaseContext, ReturnType<H[keyof H]>> {
  const all = readHandlers(handlers)
  checkOptions('versions', options, OPTIONS)
  if (options?.by === undefined) throw new TypeError("versions: there is no by. Give 'header', 'media-type' or 'path'.")
  const { by, vendor } = options
  if (vendor !== undefined && by !== 'media-type')
    throw new TypeError("versions: a vendor is of media types. Give by: 'media-type', or leave it out.")
  if (options.default === undefined) checkFirst(Object.keys(handlers))
  const first = plain(String(options.default ?? [...all.keys()][0]))
  if (!all.has(first))
    throw new TypeError(`versions: there is no version ${first}, the default. Give one of the handlers.`)

  const way = WAYS[by]([...all.keys()], first, vendor)
  const around =
    (run: (version: string) => Handler): Around<Versioned> =>
    (ctx, next) => {
      const { version, sent, ...rest } = way.choose(ctx)
      // Where something further out has chosen a representation, that one is told from others by it.
      const added = 'representation' in ctx ? { apiVersion: version } : { apiVersion: version, ...rest }
      const value = version === first ? next(added) : run(version)(Object.assign(ctx, added) as never)
      return sent ? when(value, sent) : value
    }
  const its = decorator<Versioned>(
    'versions',
    around(version => all.get(version) as Handler),
    {
      guards: [...all.values()].some(isGuarded),
      note: way.note,
      register(route: Route) {
        way.check?.(route)
        const others = [...all].filter(([version]) => version !== first)
        const registered = new Map(others.map(([version, handler]) => [version, nested(handler, route)]))
        return around(version => registered.get(version) as Handler)
      },
    },
  )
  return its(unnumbered(all.get(first) as Handler<BaseContext>)) as never
}

/** JavaScript gives a function that is written behind `1:` the name 1, which would be the endpoint's on every route. */
function unnumbered(handler: Handler<BaseContext>): Handler<BaseContext> {
  return /^\d/.test(handler.name) ? ctx => handler(ctx) : handler
}

/** @throws TypeError where the order of the keys is not the one in which they were written */
function checkFirst(keys: readonly string[]): void {
  const isNumber = (key: string) => /^(?:0|[1-9]\d*)$/.test(key)
  const [number, other] = [keys.find(isNumber), keys.find(key => !isNumber(key))]
  if (number === undefined || other === undefined) return
  throw new TypeError(
    `versions: JavaScript puts ${number} before ${other}, however they are written. Give default, the one for clients that do not say.`,
  )
}

const WAYS = { header: byHeader, 'media-type': byMediaType, path: byPath }

const VENDOR = /^[a-z\d][a-z\d.-]*$/i
const OPTIONS = {
  by: among(...Object.keys(WAYS)),
  default: { words: 'one of the versions', test: (value: unknown) => ['string', 'number'].includes(typeof value) },
  vendor: {
    words: "a name of letters, digits, dots and hyphens, such as 'acme'",
    test: (value: unknown) => typeof value === 'string' && VENDOR.test(value),
  },
}

/** @throws TypeError that names the version */
function readHandlers(handlers: unknown): ReadonlyMap<string, Handler> {
  const entries = kinds.object.test(handlers) && !Array.isArray(handlers) ? Object.entries(handlers as object) : []
  if (entries.length === 0)
    throw new TypeError('versions: there are no versions. Give handlers by version, { 1: listV1, 2: listV2 }.')
  const all = new Map<string, Handler>()
  for (const [name, handler] of entries) {
    const version = plain(name)
    if (!/^\d[\w.-]*$/.test(version))
      throw new TypeError(`versions: "${name}" is no version. Give one that begins with a digit, 1 or v1.`)
    if (all.has(version)) throw new TypeError(`versions: version ${version} is there twice. Leave one of them out.`)
    if (isDecorator(handler))
      throw new TypeError(
        `versions: version ${version} is a decorator. Put it around a handler, ${handler.name}()(list).`,
      )
    if (typeof handler !== 'function')
      throw new TypeError(`versions: version ${version} is no handler. Give a function.`)
    all.set(version, handler)
  }
  return all
}
