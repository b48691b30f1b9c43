import type { Counting, Order, Rows, Slice } from '../types.ts'
import { comparator } from './compare.ts'
import { predicate } from './predicate.ts'
import { keyReader, type Row, ranker, reader } from './row.ts'
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
  const places = order.map(it => ({ read: keyReader(it.field), compare: comparator(it), rank: ranker(it) }))
  const { rank: rankFirst } = places[0] as (typeof places)[number]
  const after = slice.after?.map((value, index) => keyOf((order[index] as Order).field, value))
  const room = offset + limit
  const entries: Entry[] = []
  let total = 0
  let behind = 0

  const compare = (a: Entry, b: Entry): number => {
    for (let index = 0; index < places.length; index += 1) {
      const sign = (places[index] as (typeof places)[number]).compare(a.keys[index] as Key, b.keys[index] as Key)
      if (sign !== 0) return sign
    }
    return 0
  }

  /** How a row stands to what has these keys, from the second place on; of the row no more is read than it takes. */
  const rankRest = (row: Row, keys: readonly Key[]): number => {
    for (let index = 1; index < places.length; index += 1) {
      const sign = (places[index] as (typeof places)[number]).rank(row, keys[index] as Key)
      if (sign !== 0) return sign
    }
    return 0
  }

  const keep = (row: Row): void => {
    const entry = { row, keys: places.map(({ read }) => read(row)) }
    if (entries.length === room) {
      entries[0] = entry
      sink(entries, 0, compare)
    } else if (entries.push(entry) === room) {
      for (let at = room >> 1; at >= 0; at -= 1) sink(entries, at, compare)
    }
  }

  return {
    add(row) {
      if (typeof row !== 'object' || row === null) throw noRow(row)
      if (!isWanted(row as Row)) return
      total += 1
      if (after && (rankFirst(row as Row, after[0] as Key) || rankRest(row as Row, after)) <= 0) return
      behind += 1
      if (room === 0) return
      // Most rows end here, at the first place of the order.
      if (entries.length === room) {
        const { keys } = entries[0] as Entry
        const sign = rankFirst(row as Row, keys[0] as Key)
        if (sign > 0 || (sign === 0 && rankRest(row as Row, keys) >= 0)) return
      }
      keep(row as Row)
    },
    finish() {
      const rows = entries.sort(compare).slice(offset)
      const project = projection(slice)
      const more = behind > room
      return { rows: rows.map(({ row }) => project(row)), more, ...(counting === 'none' ? {} : { total }) }
    },
  }
}

/** Lets an entry sink to its place in a heap whose first is the last in order. */
function sink(entries: Entry[], from: number, compare: (a: Entry, b: Entry) => number): void {
  const entry = entries[from] as Entry
  let at = from
  for (;;) {
    let child = 2 * at + 1
    if (child >= entries.length) break
    const right = entries[child + 1]
    if (right && compare(right, entries[child] as Entry) > 0) child += 1
    if (compare(entries[child] as Entry, entry) <= 0) break
    entries[at] = entries[child] as Entry
    at = child
  }
  entries[at] = entry
}

function projection({ fields }: Slice): (row: Row) => Record<string, unknown> {
  const all = fields.map(field => ({ field, read: reader(field) }))
  return row => Object.fromEntries(all.map(({ field, read }) => [field.name, readValue(field, read(row), false)]))
}

function noRow(row: unknown): TypeError {
  return new TypeError(`collection: a row is ${row === null ? 'null' : `a ${typeof row}`}. Give objects.`)
}
