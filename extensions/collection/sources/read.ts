import { problem } from '../../../src/index.ts'
import type { Counting, Order, Rows, Slice } from '../types.ts'
import { partsAfter } from './after.ts'
import type { Dialect } from './dialect.ts'
import { any, column, type Sql, sql } from './sql.ts'
import { readValue } from './values.ts'
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

/** Reads a slice by one query, two at the end of the values of a field that has nulls, and one to count where it has to. */
export async function readSlice(query: Query, slice: Slice, counting: Counting): Promise<Rows> {
  try {
    return await readRows(query, slice, counting)
  } catch (error) {
    throw isMisfit(error) ? problem(400, { detail: MISFIT }, { cause: error }) : error
  }
}

async function readRows(query: Query, slice: Slice, counting: Counting): Promise<Rows> {
  const { after, offset, limit } = slice
  const where = conditionsOf(query.dialect, slice)
  const rows = await readParts(query, slice, where)
  const isLast = rows.length < limit
  if (counting === 'none') return { rows, ...(isLast ? { more: false } : {}) }
  // A page that is not full says how many there are.
  const isCounted = !after && isLast && (rows.length > 0 || offset === 0)
  const estimated = !isCounted && counting === 'estimated' ? await query.estimate(where) : undefined
  const total = isCounted ? offset + rows.length : (estimated ?? (await query.count(where)))
  if (isLast) return { rows, total, more: false }
  return { rows, total, ...(after || estimated !== undefined ? {} : { more: offset + rows.length < total }) }
}

async function readParts(query: Query, slice: Slice, where: readonly Sql[]): Promise<Record<string, unknown>[]> {
  const { after, order, offset, limit, fields } = slice
  const { dialect } = query
  const parts = after && partsAfter(dialect, order, after)
  // To skip rows is to count on through all parts.
  const conditions = !parts ? [undefined] : offset > 0 ? [any(parts)] : parts
  const columns = fields.map((field, index) => ({
    // A name of our own: one of the user's could stand for another column where the rows are sorted, and a plugin of
    // the query builder could change it.
    as: `kolba${index}`,
    of: dialect.read?.(field) ?? column(field.column),
  }))
  const all: Record<string, unknown>[] = []
  for (const condition of conditions) {
    if (all.length === limit) break
    const found = await query.rows({
      where: condition ? [...where, condition] : where,
      columns,
      order: order.map((it, index) => orderBy(dialect, it, index === order.length - 1)),
      limit: limit - all.length,
      offset,
    })
    for (const row of found)
      all.push(
        Object.fromEntries(fields.map((field, index) => [field.name, readValue(field, row[`kolba${index}`], true)])),
      )
  }
  return all
}

/** The unique key is never null, and without a word of nulls any index on it serves. */
function orderBy({ key, nulls }: Dialect, { field, descending }: Order, isKey: boolean): Sql {
  const words = descending ? ` desc${isKey ? '' : nulls.descending}` : ` asc${isKey ? '' : nulls.ascending}`
  return sql(['', words], key(field))
}
