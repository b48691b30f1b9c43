import type { Field, Row, Slice } from '../types.ts'
import type { Dialect } from './dialect.ts'
import { fromMilliseconds, isEpoch } from './epoch.ts'

/** What a row is sorted by, by the names of the fields: those whose value is not what their column is sorted by. */
export type PlaceOf = (row: Row, raw: Row) => Row | undefined

type NameOf = (index: number) => string

/**
 * A column that is compared as it is, so that its index serves, may have what is read as null: NaN, infinity, text among
 * numbers. There it stands where the database puts it, and a walk that took it for null would begin again, or end.
 */
export function placing({ isRaw }: Dialect, { order, fields }: Slice, nameOf: NameOf): PlaceOf {
  const names = order
    .map(({ field }) => field)
    .filter(isRaw)
    .map(field => ({ field, alias: nameOf(fields.indexOf(field)) }))
  return (row, raw) => {
    const differing = names.filter(({ field, alias }) => differs(field, row[field.name], raw[alias] ?? null))
    if (differing.length > 0) return Object.fromEntries(differing.map(({ field, alias }) => [field.name, raw[alias]]))
  }
}

function differs(field: Field, value: unknown, raw: unknown): boolean {
  if (value === null) return raw !== null
  // It may have a fraction of a millisecond.
  return value instanceof Date && isEpoch(field) && fromMilliseconds(field, value.getTime()) !== Number(raw)
}

/** Of the rows between which a walk goes on. */
export function placesOf(rows: readonly Row[], raws: readonly Row[], placeOf: PlaceOf): { places?: Map<Row, Row> } {
  const places = new Map<Row, Row>()
  for (const index of new Set([0, rows.length - 1])) {
    const [row, raw] = [rows[index], raws[index]]
    const place = row && raw && placeOf(row, raw)
    if (place) places.set(row, place)
  }
  return places.size > 0 ? { places } : {}
}
