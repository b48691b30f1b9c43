import Router from '@koa/router'
import test from 'ava'
import { isBare } from '../../src/bare.ts'
import { decode, hasDots } from '../../src/guard.ts'
import { readPath } from '../../src/path.ts'
import type { Route } from '../../src/route.ts'
import { type Layer, paramsOf, RouteIndex } from '../../src/route-index.ts'
import { type Endpoint, type Match, RouteTable } from '../../src/router.ts'
import { isWhole } from '../support/extent.ts'
import {
  pick,
  type Random,
  randomFrom,
  randomMethod,
  randomMethods,
  randomPath,
  randomPattern,
  randomRoute,
} from '../support/route-tables.ts'

// The index finds what @koa/router would find by trying all its layers: that is asked here of both, and compared.
// CI compares 100,000 paths. KOLBA_TABLES says how many tables there are to be, KOLBA_TABLE with which to begin.

const TABLES = Number(process.env.KOLBA_TABLES ?? (isWhole ? 2000 : 400))
const FIRST_TABLE = Number(process.env.KOLBA_TABLE ?? 1)
const PATHS = 50

/** One table, three times: in @koa/router, in the index of its layers, and as far as kolba takes it in a RouteTable. */
interface Tables {
  readonly router: Router
  readonly index: RouteIndex<Layer>
  readonly taken: Router
  readonly table: RouteTable
  readonly endpoints: Map<unknown, Endpoint>
  /** The paths that are text, which are what to make requests from. */
  readonly routes: string[]
}

test(`RouteIndex finds the layers of @koa/router, in order, with their parameters: ${TABLES * PATHS} paths`, t => {
  const counts = { paths: 0, found: 0, several: 0, parameters: 0, taken: 0 }
  const differences: object[] = []
  for (let seed = FIRST_TABLE; seed < FIRST_TABLE + TABLES; seed += 1) {
    const random = randomFrom(seed)
    const tables = emptyTables()
    const size = 1 + random(random(4) === 0 ? 30 : 10)
    for (let asked = 0; asked < PATHS; asked += 1) {
      // Half of the routes come later, when the index has been asked before.
      if (asked === 0 || asked === PATHS / 2) addRoutes(random, tables, Math.ceil(size / 2))
      const method = randomMethod(random)
      const path = randomPath(random, tables.routes)
      const { layers, first, params } = byTrying(tables.router, method, path)
      const entry = tables.index.first(method, path)
      const results = [
        [layers, tables.index.all(path)],
        [first, entry?.value],
        [params, entry && orError(() => paramsOf(entry, path))],
        [byTryingAll(tables, method, path), orError(() => tables.table.match(method, path))],
      ]
      if (!results.every(([one, other]) => isSame(one, other))) differences.push({ seed, method, path })
      counts.paths += 1
      counts.found += first ? 1 : 0
      counts.several += layers.length > 1 ? 1 : 0
      counts.parameters += Object.keys(params ?? {}).length > 0 ? 1 : 0
      counts.taken += tables.taken.match(path, method).route ? 1 : 0
    }
  }
  t.log({ ...counts, differences: differences.length })
  t.deepEqual(differences.slice(0, 5), [])
  t.is(counts.paths, TABLES * PATHS)
  // Neither does most of it fit nothing, or the same.
  for (const kind of ['found', 'several', 'parameters', 'taken'] as const) t.true(counts[kind] > counts.paths / 8, kind)
})

function emptyTables(): Tables {
  const options = { sensitive: true }
  const [router, taken] = [new Router(options), new Router(options)]
  const [index, table] = [new RouteIndex<Layer>(), new RouteTable()]
  return { router, index, taken, table, endpoints: new Map(), routes: [] }
}

function addRoutes(random: Random, tables: Tables, count: number): void {
  const wanted = tables.routes.length + count
  while (tables.routes.length < wanted) {
    const methods = randomMethods(random)
    const pattern = randomPattern(random)
    if (pattern) addLayer(tables, pattern, methods)
    const again = tables.routes.length > 0 && random(5) === 0
    const path = again ? pick(random, tables.routes) : randomRoute(random)
    // Not all that is made up can be read: two parameters without a text between them cannot.
    if (orError(() => addLayer(tables, path, methods)) instanceof Error) continue
    tables.routes.push(path)
    orError(() => take(tables, path, methods))
  }
}

function addLayer({ router, index }: Tables, path: string | RegExp, methods: string[]): void {
  const layer = router.register(path, methods, () => {}, { pathAsRegExp: path instanceof RegExp }) as Layer
  index.add(layer, layer)
}

/** kolba takes no path that no request can have, and no route that would never run. */
function take({ table, taken, endpoints }: Tables, path: string, methods: string[]): void {
  const endpoint = { route: { path, methods } as unknown as Route, layers: [], run: () => path }
  table.add(endpoint, readPath('', path))
  endpoints.set(
    taken.register(path, methods, () => {}),
    endpoint,
  )
}

/** What is found by trying one layer after another. */
function byTrying(router: Router, method: string, path: string) {
  const { path: layers, pathAndMethod } = router.match(path, method) as { path: Layer[]; pathAndMethod: Layer[] }
  const [first] = pathAndMethod
  return { layers, first, params: first && orError(() => caught(first, path)) }
}

/** The same as kolba puts it: a HEAD of its own, what is allowed instead, and no parameter with a dot segment. */
function byTryingAll({ taken, endpoints }: Tables, method: string, path: string): Match | Error {
  const { path: layers, pathAndMethod } = taken.match(path, method) as { path: Layer[]; pathAndMethod: Layer[] }
  const shapeOf = (layer?: Layer) => layer && readPath('', String(layer.path)).shape
  const own = (layer: Layer) => !layer.methods.includes('GET') && shapeOf(layer) === shapeOf(pathAndMethod[0])
  const layer = (method === 'HEAD' && pathAndMethod.find(own)) || pathAndMethod[0]
  if (!layer) return { params: {}, allow: [...new Set(layers.flatMap(({ methods }) => methods))] }
  const params = orError(() => caught(layer, path))
  if (params instanceof Error) return params
  if (path.includes('.') && Object.values(params).some(hasDots)) return { params: {}, allow: [] }
  return { endpoint: endpoints.get(layer) as Endpoint, params, allow: [] }
}

function caught({ regexp, paramNames }: Layer, path: string): Record<string, string> {
  const [, ...texts] = regexp.exec(path) as RegExpExecArray
  const params = Object.create(null)
  paramNames.forEach(({ name }, index) => {
    const text = texts[index]
    if (text !== undefined) params[name] = decode(text)
  })
  return params
}

function orError<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error as Error
  }
}

/** Layers and endpoints have to be the very same; lists and parameters equal, with their order and prototype. */
function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Error) return other instanceof Error && one.message === other.message
  if (Array.isArray(one))
    return Array.isArray(other) && one.length === other.length && one.every((it, i) => it === other[i])
  if (!isRecord(one)) return one === other
  if (!isRecord(other) || isBare(one) !== isBare(other)) return false
  if ('route' in one) return one === other
  const names = Object.keys(one)
  return isSame(names, Object.keys(other)) && names.every(name => isSame(one[name], other[name]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  const prototype = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : undefined
  return prototype === Object.prototype || (typeof value === 'object' && value !== null && isBare(value))
}
