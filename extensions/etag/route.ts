import { type Decorator, type Note, nameOf, type Route, readPath } from '../../src/index.ts'
import { describeOf, isTagging } from './state.ts'
import type { Describe } from './validators.ts'

/** The methods that a 304 answers; RFC 10008 has QUERY among them. */
export const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY'])
/** The methods that change nothing (RFC 9110 section 9.2.1). */
export const SAFE: ReadonlySet<string> = new Set([...READING, 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'REPORT'])

interface Wishes {
  readonly describe: Describe
  readonly load: unknown
  readonly required: boolean
}

/** What an `etag()` has to do for the writes of a route. */
export interface Duties {
  readonly guards: boolean
  /** Does it give the reply its tag? */
  readonly carries: boolean
  readonly isDated: boolean
  readonly isVersioned: boolean
  readonly hasReads: boolean
}

/**
 * What an `etag()` has to do on a route, undefined where nothing is written.
 *
 * @throws TypeError for a write that has nothing to be compared with, and for a version above what keeps bytes
 */
export function checkRoute(route: Route, self: Decorator, wishes: Wishes): Duties | undefined {
  const { describe, load, required } = wishes
  const { app, decorators, methods } = route
  checkPlace(route, self, describe)
  const isWrite = methods.some(method => !SAFE.has(method))
  if (!isWrite) return
  // Of several the innermost guards, which was said of this route; the outermost sees what will be sent.
  const guards = decorators.findLast(isTagging) === self
  const carries = decorators.find(isTagging) === self
  const where = `${nameOf(route)}: etag`
  const get = getOf(route)
  const theirs = get && describeOf(app, get.decorators)
  if (load === undefined && guards) {
    if (!get && (required || methods.some(method => ['PUT', 'PATCH', 'DELETE'].includes(method))))
      throw new TypeError(
        `${where} compares with what GET ${route.path} gives, and there is none yet. Register that first, or give load.`,
      )
    if (get && !theirs)
      throw new TypeError(`${where}: ${nameOf(get)} has no etag(), so no client has a tag to send. Put one there too.`)
  }
  if (required && theirs?.isWeak && !theirs.isDated)
    throw new TypeError(
      `${where}: the tags of ${nameOf(get as Route)} are weak and never match If-Match, so no write could pass. Leave out weak there.`,
    )
  if (theirs && describe.isVersioned && !theirs.isVersioned)
    throw new TypeError(
      `${where}: this one has a version, and that of ${nameOf(get as Route)} has none. Give both the same, as a value.`,
    )
  const { isDated, isVersioned } = theirs ?? describe
  return { guards, carries, isDated, isVersioned, hasReads: methods.some(it => SAFE.has(it)) }
}

/** What `cached()` gives is bytes with a tag of their hash, so that no write would ever find its version in one. */
function checkPlace(route: Route, self: Decorator, { isVersioned, isDated }: Describe): void {
  const below = route.decorators.slice(route.decorators.indexOf(self) + 1)
  const keeper = below.findIndex(({ name }) => name === 'cached')
  if (keeper < 0 || !(isVersioned || isDated) || below.slice(keeper).some(isTagging)) return
  const what = isVersioned ? 'version' : 'lastModified'
  throw new TypeError(
    `${nameOf(route)}: etag({ ${what} }) stands above cached(), which gives it bytes and no row. Put it below.`,
  )
}

/** The route that reads what this one writes. */
function getOf({ app, path, methods, ...route }: Route): Route | undefined {
  if (methods.includes('GET')) return { app, path, methods, ...route }
  const shapeOf = (path: string) => readPath('etag', path).shape
  return app.routes().find(it => it.methods.includes('GET') && shapeOf(it.path) === shapeOf(path))
}

const TAG = { ETag: { description: 'The tag of this state', schema: { type: 'string' } } }
const header = (name: string, description: string, required = false) =>
  ({ name, in: 'header', description, required, schema: { type: 'string' } }) as const

/** What it does to the interface. */
export function noteOf({ methods }: Route, required: boolean): Note {
  if (methods.every(method => SAFE.has(method)))
    return {
      parameters: [header('If-None-Match', 'Answers 304 where the tag is still the same')],
      responses: {
        304: { description: 'It is what you have', headers: TAG },
        412: { description: 'It is not what If-Match says' },
      },
      headers: TAG,
    }
  return {
    parameters: [header('If-Match', 'Writes only where the tag is still the same', required)],
    responses: {
      412: { description: 'It has changed, or is not there, or is there already' },
      ...(required && { 428: { description: 'A condition is missing' } }),
    },
    headers: TAG,
  }
}
