import { toJson } from './rendering.ts'

// What a table is of a value: its rows, and their cells as CSV can hold them.

/** A number stays one, because a minus before it begins no formula. */
export type Cell = string | number | bigint

/** The properties that become columns, and what stands above them. */
export interface Columns {
  readonly keys: readonly string[]
  readonly titles: readonly string[]
}

type Collection = Iterable<unknown> | AsyncIterable<unknown>

export function readColumns(columns: readonly string[] | Readonly<Record<string, string>> | undefined) {
  if (columns === undefined) return undefined
  const keys = Array.isArray(columns) ? columns : Object.keys(columns)
  return { keys, titles: Object.values(columns) as string[] }
}

/** The rows of a collection, or of the `items` of an object; anything else is the one row. */
export function rowsOf(value: unknown): Collection {
  const plain = isCollection(value) ? value : plainOf(value)
  if (isCollection(plain)) return plain
  const { items } = Object(plain)
  return isCollection(items) ? items : [plain]
}

function isCollection(value: unknown): value is Collection {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

/**
 * Makes records of rows one by one, the header before the first of them, or at the end where there was none.
 *
 * @param write how text is written, that of the header too
 */
export function recorder(given: Columns | undefined, header: boolean, write: (text: string) => string) {
  let columns = given
  let isFirst = true
  const head = () => (isFirst && header && columns ? [columns.titles.map(write)] : [])
  return {
    add(value: unknown): (readonly Cell[])[] {
      const row = rowOf(value)
      columns ??= columnsOf(row, header)
      const above = head()
      isFirst = false
      return [...above, cellsOf(row, columns).map(it => cell(it, write))]
    },
    end: (): (readonly Cell[])[] => head(),
  }
}

function rowOf(value: unknown): object {
  const plain = plainOf(value)
  return typeof plain === 'object' && plain !== null ? plain : { value: plain }
}

/** @throws TypeError for a list, whose cells have no names, under a header */
function columnsOf(row: object, header: boolean): Columns | undefined {
  if (!Array.isArray(row)) return { keys: Object.keys(row), titles: Object.keys(row) }
  if (header) throw new TypeError('the rows are lists, which say no names for a header; give columns, or header: false')
  return undefined
}

function cellsOf(row: object, columns: Columns | undefined): readonly unknown[] {
  if (Array.isArray(row)) return columns ? columns.keys.map((_, index) => row[index]) : row
  const { keys } = columns ?? { keys: Object.keys(row) }
  return keys.map(key => (row as Record<string, unknown>)[key])
}

function cell(value: unknown, write: (text: string) => string): Cell {
  const plain = plainOf(value)
  if (typeof plain === 'string') return write(plain)
  if (typeof plain === 'bigint') return plain
  if (typeof plain === 'number') return Number.isFinite(plain) ? plain : ''
  return plain === undefined || plain === null ? '' : (toJson(plain) ?? '')
}

/** What JSON would be made of. */
function plainOf(value: unknown): unknown {
  const { toJSON } = Object(value)
  return typeof toJSON === 'function' ? toJSON.call(value, '') : value
}
