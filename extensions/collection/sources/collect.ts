import type { Counting, Rows, Slice } from '../types.ts'
import { comparator } from './compare.ts'
import { keyReader, predicate, type Row, reader } from './predicate.ts'
import { type Key, keyOf, readValue } from './values.ts'

interface Entry {
  row: Row
  keys: Key[]
}

/** Takes rows one by one, and has the slice in the end. */
export interface Collector {
  add(row: unknown): void
  finish(): Rows
}

/**
 * Filters, counts and sorts in one pass. It keeps `offset + limit` rows and no more, in a heap whose first is the one to
 * go next, so that the first page of 100,000 rows sorts twenty.
 */
export function collector(slice: Slice, counting: Counting): Collector {
  const { order, offset, limit } = slice
  const isWanted = predicate(slice)
  const reads = order.map(({ field }) => keyReader(field))
  const compares = order.map(comparator)
  const after = slice.after?.map((value, index) => keyOf((order[index] as (typeof order)[number]).field, value))
  const room = offset + limit
  const entries: Entry[] = []
  let total = 0
  let behind = 0

  const compare = (a: readonly Key[], b: readonly Key[]): number => {
    for (let index = 0; index < compares.length; index += 1) {
      const sign = (compares[index] as (typeof compares)[number])(a[index] as Key, b[index] as Key)
      if (sign !== 0) return sign
    }
    return 0
  }

  /** Does a row stand on this side of what has these keys? It reads of the row no more than it takes to say so. */
  const isBefore = (row: Row, keys: readonly Key[]): boolean => signOf(row, keys) < 0

  const signOf = (row: Row, keys: readonly Key[]): number => {
    for (let index = 0; index < compares.length; index += 1) {
      const key = (reads[index] as (typeof reads)[number])(row)
      const sign = (compares[index] as (typeof compares)[number])(key, keys[index] as Key)
      if (sign !== 0) return sign
    }
    return 0
  }

  const sink = (from: number): void => {
    const entry = entries[from] as Entry
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      const right = entries[child + 1]
      if (right && compare(right.keys, (entries[child] as Entry).keys) > 0) child += 1
      if (compare((entries[child] as Entry).keys, entry.keys) <= 0) break
      entries[at] = entries[child] as Entry
      at = child
    }
    entries[at] = entry
  }

  const keep = (row: Row): void => {
    if (entries.length < room) {
      entries.push({ row, keys: reads.map(read => read(row)) })
      if (entries.length === room) for (let at = room >> 1; at >= 0; at -= 1) sink(at)
      return
    }
    const [last] = entries
    if (!last || !isBefore(row, last.keys)) return
    last.row = row
    for (let index = 0; index < reads.length; index += 1)
      last.keys[index] = (reads[index] as (typeof reads)[number])(row)
    sink(0)
  }

  return {
    add(row) {
      assertRow(row)
      if (!isWanted(row)) return
      total += 1
      if (after && signOf(row, after) <= 0) return
      behind += 1
      keep(row)
    },
    finish() {
      const rows = entries.sort((a, b) => compare(a.keys, b.keys)).slice(offset)
      const project = projection(slice)
      const more = behind > room
      return { rows: rows.map(({ row }) => project(row)), more, ...(counting === 'none' ? {} : { total }) }
    },
  }
}

function projection({ fields }: Slice): (row: Row) => Record<string, unknown> {
  const all = fields.map(field => ({ field, read: reader(field) }))
  return row => Object.fromEntries(all.map(({ field, read }) => [field.name, readValue(field, read(row), false)]))
}

function assertRow(row: unknown): asserts row is Row {
  if (typeof row === 'object' && row !== null) return
  throw new TypeError(`collection: a row is ${row === null ? 'null' : `a ${typeof row}`}. Give objects.`)
}
