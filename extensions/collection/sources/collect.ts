import type { Counting, Order, Rows, Slice } from '../types.ts'
import { predicate } from './predicate.ts'
import { projection } from './projection.ts'
import { kindOf, type Ranking, rankingOf } from './ranking.ts'
import type { Row } from './row.ts'
import { sortBetween } from './sort-between.ts'
import { type Key, keyOf } from './values.ts'

/** Takes rows, some at a time or all at once, and has the slice in the end. */
export interface Collector {
  add(rows: readonly unknown[]): void
  finish(): Rows
}

/** So many rows are kept at least before those are let go that will not be on the page. */
const LEAST = 1024

/** What of a slice does not depend on the rows. */
interface Prepared extends Pick<Slice, 'offset' | 'limit'> {
  readonly isWanted: (row: Row) => boolean
  readonly project: (row: Row) => Record<string, unknown>
  readonly ranking: Ranking
  readonly after: readonly Key[] | undefined
  readonly counting: Counting
}

/** Makes collectors for one slice. */
export function collecting(slice: Slice, counting: Counting): () => Collector {
  const { fields, order, offset, limit } = slice
  const after = slice.after?.map((value, index) => keyOf((order[index] as Order).field, value))
  const prepared = { isWanted: predicate(slice), project: projection(fields), ranking: rankingOf(order) }
  const its: Prepared = { ...prepared, after, offset, limit, counting }
  return () => new Page(its)
}

/**
 * Filters, counts and sorts in one pass. Of many rows it keeps twice `offset + limit`: when it has as many, it lets go
 * those behind the page, and from then on most rows end at one comparison.
 */
class Page implements Collector {
  readonly #its: Prepared
  /** So many rows are at most on the page or before it. */
  readonly #room: number
  /** At so many rows it lets go those behind the page. */
  readonly #most: number
  readonly #rows: Row[] = []
  /** What is compared first of each row, but for those that have come since the last time that it was read. */
  readonly #keys: Key[] = []
  /** Of all keys that there were. */
  #kinds = 0
  #isCut = false
  #total = 0
  /** Rows behind `after`, all where there is none, kept or let go. */
  #behind = 0

  constructor(its: Prepared) {
    this.#its = its
    this.#room = its.offset + its.limit
    this.#most = Math.max(2 * this.#room, LEAST)
  }

  add(rows: readonly unknown[]): void {
    const { isWanted } = this.#its
    const found = this.#rows
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index]
      if (typeof row !== 'object' || row === null) throw noRow(row)
      if (isWanted(row as Row) && found.push(row as Row) >= this.#most) this.#cut()
    }
  }

  finish(): Rows {
    const { project, offset, counting } = this.#its
    this.#readKeys()
    this.#sortBetween(offset, this.#room)
    const rows = this.#rows.slice(offset, this.#room).map(project)
    const more = this.#behind > this.#room
    return counting === 'none' ? { rows, more } : { rows, more, total: this.#total }
  }

  /** Lets go what is behind the page. */
  #cut(): void {
    this.#readKeys()
    if (this.#rows.length < this.#most) return
    this.#sortBetween(this.#room - 1, this.#room)
    this.#keys.length = this.#room
    this.#rows.length = this.#room
    this.#isCut = true
  }

  #readKeys(): void {
    const { ranking, after } = this.#its
    const rows = this.#rows
    const keys = this.#keys
    const start = keys.length
    this.#total += rows.length - start
    let end = start
    for (let index = start; index < rows.length; index += 1) {
      const row = rows[index] as Row
      const key = ranking.keyOf(row)
      if (after && ranking.compareKeys(key, row, after) <= 0) continue
      this.#behind += 1
      this.#kinds |= kindOf(key)
      if (this.#isCut && this.#isBehind(key, row)) continue
      keys.push(key)
      rows[end] = row
      end += 1
    }
    rows.length = end
  }

  /** Is it behind the last row that was kept when others were let go? There is none where no row is asked for. */
  #isBehind(key: Key, row: Row): boolean {
    const at = this.#room - 1
    const last = this.#rows[at]
    return !last || this.#its.ranking.comparing(this.#kinds)(key, row, this.#keys[at] as Key, last) >= 0
  }

  #sortBetween(from: number, to: number): void {
    sortBetween(this.#keys, this.#rows, from, to, this.#its.ranking.comparing(this.#kinds))
  }
}

function noRow(row: unknown): TypeError {
  return new TypeError(`collection: a row is ${row === null ? 'null' : `a ${typeof row}`}. Give objects.`)
}
