import { type Awaitable, type BaseContext, problem, when } from '../../src/index.ts'
import { arrived, isSource } from './arrived.ts'
import { refuseCopies, type Tree } from './expand-size.ts'
import { selectableOf } from './page.ts'
import type { Relation, Resource } from './resource.ts'
import { chooseSource } from './source.ts'
import type { Field, Row, Slice, Source, Value } from './types.ts'

interface Reading {
  readonly ctx: BaseContext
  readonly sources: readonly Source<never>[]
}

/**
 * Rows with what their relations lead to, under the names of these: an object or null, or with `many` a list. Each
 * relation is read once for all rows, at each level once for all rows of that level, and one after another, because a
 * transaction has one connection. Of what is read only the selectable fields of its resource leave.
 *
 * @param rows with the fields that the relations start from, as they were read
 * @param paths those of a `Query`, which there are
 * @throws Problem 400 where a list relation has more rows than its limit, for then some list would not be whole, and
 *   where few rows would become very many, because others lead to them again and again
 * @throws TypeError for a relation to one that leads to several, and for a `load` that gives no rows
 */
export function expandRows(
  rows: readonly Row[],
  paths: readonly (readonly string[])[],
  resource: Resource,
  ctx: BaseContext,
  sources: readonly Source<never>[] = [],
): Awaitable<readonly Row[]> {
  const tree = treeOf(paths)
  return when(expandTree(rows, tree, resource, '', { ctx, sources }), rows => {
    refuseCopies(rows, tree, resource)
    return rows
  }) as Awaitable<readonly Row[]>
}

function treeOf(paths: readonly (readonly string[])[]): Tree {
  const tree: Tree = new Map()
  for (const path of paths) {
    let at = tree
    for (const name of path) {
      const below = at.get(name) ?? new Map()
      at.set(name, below)
      at = below
    }
  }
  return tree
}

function expandTree(
  rows: readonly Row[],
  tree: Tree,
  { relations }: Resource,
  above: string,
  reading: Reading,
): Awaitable<readonly Row[]> {
  let expanded: Awaitable<readonly Row[]> = rows
  for (const [name, below] of tree) {
    const relation = relations.get(name)
    if (!relation) throw new TypeError(`expand: there is no relation ${above}${name}. Give paths that a query has.`)
    expanded = when(expanded, rows => expandOne(rows, relation, below, `${above}${name}`, reading)) as typeof expanded
  }
  return expanded
}

function expandOne(
  rows: readonly Row[],
  relation: Relation,
  below: Tree,
  path: string,
  reading: Reading,
): Awaitable<readonly Row[]> {
  const { name, from, many } = relation
  const keys = new Map<unknown, Value>()
  for (const { [from.name]: key } of rows)
    if (key !== null && key !== undefined) keys.set(identityOf(key), key as Value)
  const found =
    keys.size > 0 ? readOthers(relation, [...keys.values()], below, path, reading) : new Map<unknown, Row[]>()
  return when(found, found =>
    rows.map(row => {
      const others = found.get(identityOf(row[from.name])) ?? []
      return { ...row, [name]: many ? others : (others[0] ?? null) }
    }),
  ) as Awaitable<readonly Row[]>
}

/** The rows that a relation leads to, as they leave, by the key that leads there. */
function readOthers(
  relation: Relation,
  keys: readonly Value[],
  below: Tree,
  path: string,
  reading: Reading,
): Awaitable<Map<unknown, Row[]>> {
  const { resource } = relation
  const { ctx, sources } = reading
  assertAlike(relation, path)
  const slice = sliceOf(relation, keys, below)
  return arrived(relation.load(keys, ctx), sources, value => {
    if (!isSource(value, sources))
      throw new TypeError(`expand: load of ${path} gave what has no rows. Return rows, or a query that has not run.`)
    return when(chooseSource(value, sources).read(value, slice, 'none', ctx), ({ rows }) => {
      if (rows.length >= slice.limit) refuse(relation, path, slice.limit - 1)
      return when(expandTree(rows, below, resource, `${path}.`, reading), rows =>
        grouped(rows, relation, [...namesOf(resource), ...below.keys()], path),
      )
    })
  }) as Awaitable<Map<unknown, Row[]>>
}

/** One more than there may be: to see that there are more. */
function sliceOf({ to, many, limit, resource }: Relation, keys: readonly Value[], below: Tree): Slice {
  const { relations, sort } = resource
  const starts = [...below.keys()].flatMap(name => relations.get(name)?.from ?? [])
  const fields: readonly Field[] = [...new Set([...selectableOf(resource), to, ...starts])]
  const where = [{ field: to, operator: 'in', values: keys as readonly Exclude<Value, null>[] } as const]
  return { where, order: sort, offset: 0, limit: (many ? limit : keys.length) + 1, fields }
}

function namesOf(resource: Resource): string[] {
  return selectableOf(resource).map(({ name }) => name)
}

function grouped(rows: readonly Row[], { to, many }: Relation, names: readonly string[], path: string) {
  const found = new Map<unknown, Row[]>()
  for (const row of rows) {
    const key = identityOf(row[to.name])
    const others = found.get(key) ?? []
    if (!many && others.length > 0) throw severalOf(path, to)
    found.set(key, others)
    others.push(Object.fromEntries(names.map(name => [name, row[name] ?? null])))
  }
  return found
}

/** What a key is told apart by: two Dates of one instant are one. */
function identityOf(key: unknown): unknown {
  return key instanceof Date ? key.getTime() : typeof key === 'object' ? String(key) : key
}

function refuse({ many, to }: Relation, path: string, limit: number): never {
  if (!many) throw severalOf(path, to)
  const advice = `Ask for fewer rows at a time, or leave ${path} out.`
  throw problem(400, { detail: `There are more than ${limit} rows to expand as ${path}. ${advice}` })
}

function severalOf(path: string, { name }: Field): TypeError {
  return new TypeError(`expand: ${path} leads to several rows with one ${name}. Declare it with many: true.`)
}

/** Keys that are compared have to be of one type, or none would ever be found. */
function assertAlike({ from, to }: Relation, path: string): void {
  const [one, other] = [from, to].map(({ type }) => (type === 'enum' ? 'string' : type))
  if (one === other || one === 'other' || other === 'other') return
  const what = `${path} leads from ${from.name}, a ${one}, to ${to.name}, a ${other}`
  throw new TypeError(`expand: ${what}. Declare both of one type.`)
}
