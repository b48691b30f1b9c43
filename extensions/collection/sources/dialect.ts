import type { Field, Value } from '../types.ts'
import type { Sql } from './sql.ts'

/** What the SQL of one database is, where they differ. */
export interface Dialect {
  readonly name: 'PostgreSQL' | 'SQLite' | 'MySQL'
  /** What a field is compared and sorted by: of text its code points, of a date its milliseconds. */
  key(field: Field): Sql
  /** What it is equal by, where an index serves that and not the key. */
  same?(field: Field): Sql
  /** A value to compare that with. */
  value(field: Field, value: Exclude<Value, null>): Sql
  /** The same for a value that the column itself had, where that is another. */
  held?(field: Field, value: Exclude<Value, null>): Sql
  /** What is read of a field, where its column says something else than is compared. */
  read?(field: Field): Sql | undefined
  /** The column itself, where it sorts as the key does and an index on it can narrow the search; else undefined. */
  bound(field: Field): Sql | undefined
  /** Is a text like the pattern, or, does it contain the text? */
  like(field: Field, pattern: string): Sql
  contains(field: Field, text: string): Sql
  /** What follows `asc` and `desc`, so that null is before all values. */
  readonly nulls: { readonly ascending: string; readonly descending: string }
  /**
   * What it finds in an index at once: `(a, b) > (1, 2)`, or the alternatives of `a > 1 or (a = 1 and b > 2)`, or of all
   * that nothing but one range a query, which then are asked one after the other.
   */
  readonly ranges: 'rows' | 'alternatives' | 'one'
  /** The longest prefix of a text that the database can have in a column. */
  storable(text: string): string
}

export const isEpoch = ({ stored }: Field): boolean => stored === 'seconds' || stored === 'milliseconds'
/** Is it compared as the database does, which any index serves? */
export const isPlain = ({ type, collation }: Field): boolean =>
  collation === 'database' || !['string', 'enum', 'date'].includes(type)

export const isText = ({ type }: Field): boolean => type === 'string' || type === 'enum'

/** A date as the number or the text that it is stored as. */
export function stored({ stored }: Field, date: Date): number | string {
  if (stored === 'seconds') return date.getTime() / 1000
  if (stored === 'milliseconds') return date.getTime()
  // The year 10000, which an offset makes of the end of 9999, sorts behind the others.
  return date.toISOString().replace('+', ':')
}
