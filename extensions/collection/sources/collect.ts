import type { Counting, Order, Rows, Slice } from '../types.ts'
import { predicate } from './predicate.ts'
import { projection } from './projection.ts'
import { type Entry, type Place, placeOf, rankingOf } from './ranking.ts'
import type { Row } from './row.ts'
import { sortBetween } from './sort-between.ts'
import { type Key, keyOf } from './values.ts'

/** Takes rows one by one, and has the slice in the end. */
export interface Collector {
  add(row: unknown): void
  finish(): Rows
}

/** So many rows are kept at least before those are let go that will not be on the page. */
const LEAST = 1024

/** What of a slice does not depend on the rows. */
interface Prepared extends Pick<Slice, 'offset' | 'limit'> {
  readonly isWanted: (row: Row) => boolean
  readonly project: (row: Row) => Record<string, unknown>
  readonly places: readonly Place[]
  readonly after: readonly Key[] | undefined
  readonly counting: Counting
}

/** Makes collectors for one slice. */
export function collecting(slice: Slice, counting: Counting): () => Collector {
  const { order, offset, limit } = slice
  const after = slice.after?.map((value, index) => keyOf((order[index] as Order).field, value))
  const its = { isWanted: predicate(slice), project: projection(slice.fields), places: order.map(placeOf) }
  return () => collector({ ...its, after, offset, limit, counting })
}

/**
 * Filters, counts and sorts in one pass. Of many rows it keeps twice `offset + limit`: when it has as many, it lets go
 * those behind the page, and from then on most rows end at one comparison of numbers.
 */
function collector({ isWanted, project, places, after, offset, limit, counting }: Prepared): Collector {
  const ranking = rankingOf(places)
  const { compare } = ranking
  const room = offset + limit
  const most = Math.max(2 * room, LEAST)
  const entries: Entry[] = []
  let last: Entry | undefined
  let total = 0
  let behind = 0

  /** Lets go what is behind the page. */
  function cut(): void {
    sortBetween(entries, room - 1, room, compare)
    entries.length = room
    last = entries[room - 1]
  }

  return {
    add(row) {
      if (typeof row !== 'object' || row === null) throw noRow(row)
      if (!isWanted(row as Row)) return
      total += 1
      const entry = ranking.entryOf(row as Row)
      if (after && ranking.compareKeys(entry, after) <= 0) return
      behind += 1
      if (last && compare(entry, last) >= 0) return
      if (entries.push(entry) >= most) cut()
    },
    finish() {
      sortBetween(entries, offset, room, compare)
      const rows = entries.slice(offset, room).map(({ row }) => project(row))
      return { rows, more: behind > room, ...(counting === 'none' ? {} : { total }) }
    },
  }
}

function noRow(row: unknown): TypeError {
  return new TypeError(`collection: a row is ${row === null ? 'null' : `a ${typeof row}`}. Give objects.`)
}
