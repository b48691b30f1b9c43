import { problem } from '../../../src/index.ts'
import type { Counting, Field, Order, Rows, Slice } from '../types.ts'
import { partsAfter } from './after.ts'
import type { Dialect } from './dialect.ts'
import { type PlaceOf, placesOf, placing } from './places.ts'
import { any, column, type Sql, sql } from './sql.ts'
import { isOf, readValue } from './values.ts'
import { conditionsOf } from './where.ts'

/** What is asked of a query builder: it adds this to the user's own query. */
export interface Ask {
  readonly where: readonly Sql[]
  /** Each with the name that it has in the result. */
  readonly columns: readonly { readonly of: Sql; readonly as: string }[]
  readonly order: readonly Sql[]
  readonly limit: number
  readonly offset: number
}

/** The user's query, whichever builder it is of. */
export interface Query {
  readonly dialect: Dialect
  rows(ask: Ask): Promise<readonly Record<string, unknown>[]>
  count(where: readonly Sql[]): Promise<number>
  /** What the database guesses, where it does: undefined where it has to count. */
  estimate(where: readonly Sql[]): Promise<number | undefined>
}

const MISFIT = 'A value of the filter does not fit the column that it is compared with.'

/**
 * PostgreSQL's words for text that is no uuid, and the like. With `collation: 'database'` a value is compared with the
 * column as it is, which an index serves, and what the value is the client says.
 */
function isMisfit(error: unknown): boolean {
  return ['22P02', '22003', '22007', '22008'].includes((error as { code?: string } | null)?.code ?? '')
}

/** What of a slice is the same for all who ask for it. */
interface Made {
  readonly where: readonly Sql[]
  /** The conditions of each query, of which the next is asked where those before have not filled the page. */
  readonly parts: readonly (readonly Sql[])[]
  readonly columns: Ask['columns']
  readonly order: readonly Sql[]
  /** What of a row it is sorted by that was not read of it. */
  readonly placeOf: PlaceOf
}

/**
 * Makes what reads a slice: by one query, two at the end of the values of a field that has nulls, and one to count where it
 * has to. What does not depend on the query is made once, for the dialect of the first, which is that of all.
 */
export function reading(slice: Slice, counting: Counting): (query: Query) => Promise<Rows> {
  const toRow = rowMaker(slice.fields)
  let last: { readonly dialect: Dialect; readonly made: Made } | undefined

  return async query => {
    const { dialect } = query
    try {
      if (last?.dialect !== dialect) last = { dialect, made: make(dialect, slice) }
      return await readRows(query, slice, counting, last.made, toRow)
    } catch (error) {
      throw isMisfit(error) ? problem(400, { detail: MISFIT }, { cause: error }) : error
    }
  }
}

function make(dialect: Dialect, slice: Slice): Made {
  const { after, order, offset, fields } = slice
  const where = conditionsOf(dialect, slice)
  const parts = after && partsAfter(dialect, order, after)
  // To skip rows is to count on through all parts.
  const more = parts && (offset > 0 ? [any(parts)] : parts)
  return {
    where,
    parts: more ? more.map(condition => [...where, condition]) : [where],
    columns: fields.map((field, index) => ({ as: aliasOf(index), of: dialect.read?.(field) ?? column(field.column) })),
    order: order.map((it, index) => orderBy(dialect, it, index === order.length - 1)),
    placeOf: placing(dialect, slice, aliasOf),
  }
}

/**
 * A name of our own: one of the user's could stand for another column where the rows are sorted, and a plugin of the query
 * builder could change it.
 */
function aliasOf(index: number): string {
  return `kolba${index}`
}

type Raw = Record<string, unknown>

function rowMaker(fields: readonly Field[]): (raw: Raw) => Raw {
  const all = fields.map((field, index) => ({ field, name: field.name, alias: aliasOf(index) }))
  const empty: Raw = Object.fromEntries(all.map(({ name }) => [name, null]))
  return raw => {
    const row = { ...empty }
    for (let index = 0; index < all.length; index += 1) {
      const { field, name, alias } = all[index] as (typeof all)[number]
      const value = raw[alias]
      row[name] = isOf(field, value) ? value : readValue(field, value, true)
    }
    return row
  }
}

async function readRows(
  query: Query,
  { after, offset, limit }: Slice,
  counting: Counting,
  { where, parts, columns, order, placeOf }: Made,
  toRow: (raw: Raw) => Raw,
): Promise<Rows> {
  const raws: Raw[] = []
  for (const conditions of parts) {
    if (raws.length === limit) break
    const found = await query.rows({ where: conditions, columns, order, limit: limit - raws.length, offset })
    for (const raw of found) raws.push(raw)
  }
  const rows = raws.map(toRow)
  const places = placesOf(rows, raws, placeOf)
  const isLast = rows.length < limit
  if (counting === 'none') return { rows, ...places, ...(isLast ? { more: false } : {}) }
  // A page that is not full says how many there are.
  const isCounted = !after && isLast && (rows.length > 0 || offset === 0)
  const estimated = !isCounted && counting === 'estimated' ? await query.estimate(where) : undefined
  const total = isCounted ? offset + rows.length : (estimated ?? (await query.count(where)))
  if (isLast) return { rows, ...places, total, more: false }
  return { rows, ...places, total, ...(after || estimated !== undefined ? {} : { more: offset + rows.length < total }) }
}

/** The unique key is never null, and without a word of nulls any index on it serves. */
function orderBy({ key, nulls }: Dialect, { field, descending }: Order, isKey: boolean): Sql {
  const words = descending ? ` desc${isKey ? '' : nulls.descending}` : ` asc${isKey ? '' : nulls.ascending}`
  return sql(['', words], key(field))
}
