import { type Awaitable, type BaseContext, problem, when } from '../../src/index.ts'
import type { Position } from './cursor.ts'
import type { Prepared } from './prepared.ts'
import type { PageQuery } from './query.ts'
import type { Resource } from './resource.ts'
import type { Field, Order, Row, Rows, Slice, Source, Value } from './types.ts'

/** A page as it was read: its rows in the order of the query, and what lies around it. */
export interface Page {
  readonly rows: readonly Row[]
  /** How many rows the filter lets through, where it was counted. */
  readonly total?: number | undefined
  /** May the total be somewhat wrong? */
  readonly isEstimate: boolean
  /** Are there rows behind it? */
  readonly more: boolean
  /** What a row is sorted by, the first (0) or the last (-1), undefined where there is none. */
  valuesAt(index: 0 | -1): readonly Value[] | undefined
}

/** What a page is read from. */
export interface Reading {
  readonly prepared: Prepared
  /** The field that a row is found by. */
  readonly key: Field
  /** Without one the page is all there is. */
  readonly isPaged: boolean
  /** Is a page behind the last one empty, and no 404? */
  readonly mayBeBeyond: boolean
  readonly position?: Position | undefined
  readonly source: Source
  readonly value: unknown
}

/**
 * Reads a page, and never a row more. Where the source does not say whether there is more, and no total does, it is asked
 * once again, for one key.
 *
 * @throws Problem 404 for a page behind the last
 */
export function readPage(reading: Reading, ctx: BaseContext): Awaitable<Page> {
  const { prepared, source, value, position } = reading
  const { counting } = prepared
  const slice = position ? sliceAt(position, prepared.slice) : prepared.slice
  const read = position ? source.read(value, slice, counting, ctx) : prepared.readerOf(source)(value, ctx)
  return when(read, read => {
    const { page } = prepared.query
    if (reading.isPaged && page.kind !== 'cursor' && !reading.mayBeBeyond) refuseBeyond(page, slice, read)
    return when(isMore(reading, slice, read, ctx), more => {
      const total = totalOf(prepared, slice, read, more)
      const rows = position?.isBackward ? [...read.rows].reverse() : read.rows
      const isEstimate = counting === 'estimated' && (more || page.kind === 'cursor')
      const valuesAt = (index: 0 | -1) => valuesOf(rows.at(index), prepared.query.order, read)
      return { rows, more, total, isEstimate, valuesAt }
    })
  })
}

function sliceAt({ isBackward, values }: Position, slice: Slice): Slice {
  return { ...slice, order: isBackward ? slice.order.map(turned) : slice.order, after: values }
}

/** How many rows to pass over, and how many to read. */
export function extentOf(page: PageQuery): { readonly offset: number; readonly limit: number } {
  if (page.kind === 'page') return { offset: (page.page - 1) * page.perPage, limit: page.perPage }
  return { offset: page.kind === 'offset' ? page.offset : 0, limit: page.limit }
}

/** Null comes before all values, and so behind all of them in the other direction. */
function turned({ field, descending }: Order): Order {
  return { field, descending: !descending }
}

/** The fields that leave where the client selects none, as they are declared. */
export function selectableOf({ fields, selectable }: Resource): readonly Field[] {
  return [...fields.values()].filter(({ name }) => selectable.has(name))
}

/** The values of the row that a cursor stands at. */
function valuesOf(row: Row | undefined, order: readonly Order[], { places }: Rows): readonly Value[] | undefined {
  if (!row) return
  const place = places?.get(row) ?? {}
  return order.map(({ field }) =>
    Object.hasOwn(place, field.name) ? heldOf(field, place[field.name]) : ((row[field.name] ?? null) as Value),
  )
}

/** What a column had, where it is no value of the field. */
function heldOf({ column, type }: Field, stored: unknown): Value {
  // NaN, infinities, and text among numbers.
  if (type !== 'boolean' && typeof stored === 'string') return stored
  if (typeof stored === 'number' && !Number.isFinite(stored)) return stored
  // A date with a fraction of a millisecond.
  if (typeof stored === 'number') return String(stored)
  const what = `a row has in the column ${column} what is no ${type}, and no cursor holds it`
  throw new TypeError(`collection: ${what}. Store null in its place, or give the resource another sort.`)
}

/** Where there are no rows at all, any offset is as good as another: clients with a table ask for the second page of it. */
function refuseBeyond(page: PageQuery, { offset }: Slice, { rows, total }: Rows): void {
  if (rows.length > 0 || offset === 0 || (page.kind === 'offset' && total === 0)) return
  const last = total === undefined ? '' : ` There are ${total} rows.`
  throw problem(404, { detail: `This is behind the last page.${last}` })
}

function isMore(
  { prepared, key, source, value }: Reading,
  slice: Slice,
  read: Rows,
  ctx: BaseContext,
): Awaitable<boolean> {
  const { rows, total, more } = read
  if (more !== undefined) return more
  if (rows.length < slice.limit) return false
  const { page } = prepared.query
  if (page.kind !== 'cursor' && prepared.counting === 'exact' && total !== undefined)
    return slice.offset + rows.length < total
  const rest =
    page.kind === 'cursor'
      ? { after: valuesOf(rows.at(-1), slice.order, read) }
      : { offset: slice.offset + rows.length }
  const probe = source.read(value, { ...slice, ...rest, limit: 1, fields: [key] }, 'none', ctx)
  return when(probe, ({ rows }) => rows.length > 0)
}

/** On the last page the total is known, whatever was counted, and an estimate is at least what has been seen. */
function totalOf({ query, counting }: Prepared, { offset }: Slice, { rows, total }: Rows, more: boolean) {
  if (total === undefined || counting !== 'estimated' || query.page.kind === 'cursor') return total
  const seen = offset + rows.length
  return more ? Math.max(total, seen + 1) : seen
}
