import {
  type AroundContext,
  type BaseContext,
  type Decorator,
  decorator,
  Kolba,
  type Next,
  routedPath,
  unfinished,
} from '../../src/index.ts'

/** What drops what it keeps of the paths that fit a pattern. */
interface Droppable {
  drop(pattern: string): void
}

type Named = string | ((ctx: never) => string | readonly string[])

const stores: unique symbol = Symbol.for('kolba.cache') as never
const named = Symbol('kolba.invalidate')

type App = Kolba & { [stores]?: Set<Droppable> }
type Naming = BaseContext & { [named]?: readonly Named[] }

/** RFC 9110 section 9.2.1, and what else the IANA registry calls safe. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH'])

/**
 * Drops what `cached()` keeps of other paths, after a write to this one has succeeded: for the list that a book is in,
 * or the author's page that names it. Of the path that was written to, and of its Location, all is dropped anyway.
 * A 4xx drops nothing, and a 5xx does, because something may have been written before it; a handler that goes on behind
 * the 503 of `timeouts.handler` drops it once more when it ends.
 *
 * A path is a whole one, the prefixes of groups and mounts included, as `app.url()` gives it (and `ctx.urlFor()` with
 * the host), and is dropped with all its queries, for all users. `/books/*` is everything below `/books`. On reads it
 * does nothing. It is done when the answer stands and before it goes out, so after the commit of what stands above.
 *
 * With an app in the place of the first path it is no decorator, and drops at once: for jobs, and for messages from
 * other processes, of which each keeps its own. There call it after the commit.
 *
 * @throws TypeError for what is no path
 * @example app.put('/books/:id', invalidate('/books', ctx => `/books/${ctx.params.id}/pages`), body(), save)
 * @example invalidate(app, '/books', '/authors/*')
 */
export function invalidate(app: Kolba, ...paths: readonly string[]): void
export function invalidate<Needs = BaseContext>(
  ...paths: readonly (string | ((ctx: AroundContext & Needs) => string | readonly string[]))[]
): Decorator<object, Needs>
export function invalidate(...given: readonly unknown[]): unknown {
  const [app, ...rest] = given
  const paths = (app instanceof Kolba ? rest : given) as readonly Named[]
  if (paths.length === 0) throw new TypeError("invalidate: there is no path. Give one, invalidate('/books').")
  const patterns = paths.map(checked)
  if (app instanceof Kolba) {
    if (patterns.some(it => typeof it === 'function'))
      throw new TypeError('invalidate: with an app there is no ctx for a function. Give paths.')
    return dropAll(app, patterns as string[])
  }
  return decorator('invalidate', (ctx: AroundContext & Naming, next: Next) => {
    ctx[named] = [...(ctx[named] ?? []), ...patterns]
    return next()
  })
}

/** Lets the writes of an app drop what is kept here. */
export function enlist(app: App, store: Droppable): void {
  if (!app[stores]) {
    app[stores] = new Set()
    app.after(ctx => afterWrite(ctx, app))
  }
  app[stores].add(store)
}

/**
 * What a path is kept and dropped by: one for all ways to write it, whatever its encoding, with a slash at the end, and
 * with a suffix, because `/books/7.csv` may be another representation of `/books/7`.
 */
export function resourceOf(path: string): string {
  const whole = encoded(path)
  const dot = whole.indexOf('.', whole.lastIndexOf('/') + 2)
  return dot < 0 ? whole : whole.slice(0, dot)
}

function encoded(path: string): string {
  const cut = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  return /^[\w\-.~/]*$/.test(cut) ? cut : cut.split('/').map(recode).join('/')
}

/** A 5xx may come after something was written, so it counts as well; a 4xx says that nothing was done. */
function afterWrite(ctx: Naming, app: App): void {
  // Of an answer to a GET nobody has to ask, and who asks makes a response.
  if (SAFE.has(ctx.req.method as string)) return
  const { status, response } = ctx
  const isRefused = status >= 400 && status < 500
  const late = unfinished(ctx)
  if (isRefused && !late) return
  const pointed = ['Location', 'Content-Location'].flatMap(name => ownPath(ctx, response.get(name)))
  const paths = [resourceOf(ctx.path), resourceOf(routedPath(ctx)), ...pointed]
  const drop = (isGood: boolean) => {
    dropAll(app, paths)
    for (const it of ctx[named] ?? []) {
      if (typeof it === 'string') dropAll(app, [it])
      // Of a handler that failed, it may want what is not there.
      else if (isGood) dropAll(app, [it(ctx as never)].flat().map(patternOf))
    }
  }
  if (!isRefused) drop(status < 400)
  // What is written behind this answer is not there yet.
  const dropAgain = late?.then(
    () => drop(true),
    () => drop(false),
  )
  dropAgain?.then(undefined, error => app.inside.tell(error, ctx))
}

function dropAll(app: App, patterns: readonly string[]): void {
  for (const store of app[stores] ?? []) for (const pattern of patterns) store.drop(pattern)
}

/** RFC 9111 section 4.4: what an answer to a write points to may have changed too, where it is ours. */
function ownPath({ host, path }: BaseContext, url: string | undefined): string[] {
  const base = `http://${host}${path}`
  if (!url || !URL.canParse(url, base)) return []
  const target = new URL(url, base)
  return target.host === new URL(base).host ? [resourceOf(target.pathname)] : []
}

/** @throws TypeError for a text that is no path; a star within one is no pattern */
function checked(text: Named): Named {
  if (typeof text === 'function') return text
  if (String(text).slice(0, -1).includes('*'))
    throw new TypeError(
      `invalidate: ${JSON.stringify(text)} has a star that is not at its end. Write one like "/books/*".`,
    )
  return patternOf(text)
}

/** @throws TypeError for what is no path */
function patternOf(given: string): string {
  const text = typeof given === 'string' ? given : ''
  const path = text.replace(/^https?:\/\/[^/?#]+/, '').replace(/[?#].*$/s, '')
  if (!path.startsWith('/'))
    throw new TypeError(`invalidate: ${JSON.stringify(given)} is no path. Begin it with a slash, as in "/books".`)
  return path.endsWith('/*') ? `${encoded(path.slice(0, -1)).replace(/\/$/, '')}/*` : resourceOf(path)
}

function recode(segment: string): string {
  return encodeURIComponent(decoded(segment).toWellFormed()).replaceAll('*', '%2A')
}

/** In the path of a request it can always be decoded; one from a function may have a bare percent sign. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
