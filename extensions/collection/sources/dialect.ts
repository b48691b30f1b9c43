import type { Field, Value } from '../types.ts'
import { fromMilliseconds, isEpoch, roundedSql } from './epoch.ts'
import type { Sql } from './sql.ts'

/** What the SQL of one database is, where they differ. */
export interface Dialect {
  readonly name: 'PostgreSQL' | 'SQLite' | 'MySQL'
  /** What a field is compared and sorted by: of text its code points, of a date its milliseconds. */
  key(field: Field): Sql
  /**
   * Is the key the column as it is? Then what is no value of the declared type, NaN or text among numbers, is read as null
   * and stands where the database puts it. Any other key is null of what is read as null.
   */
  isRaw(field: Field): boolean
  /**
   * What is so of a column whose value is read, and not of one that is read as null; undefined where there is none. Of what
   * is known to be above some value, less is to be asked, and SQLite looks at each condition for each row.
   */
  fits?(field: Field, isAbove: boolean): Sql | undefined
  /** Is it null, or read as null, so that an index on the column serves? Undefined where `is null` is all there is. */
  lacks?(field: Field): Sql | undefined
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

/** Is it compared as the database does, which any index serves? */
export const isPlain = ({ type, collation }: Field): boolean =>
  collation === 'database' || !['string', 'enum', 'date'].includes(type)

export const isText = ({ type }: Field): boolean => type === 'string' || type === 'enum'
/** Is it a date that is compared by its milliseconds? */
export const isInstant = (field: Field): boolean => field.type === 'date' && !isPlain(field)
/** Has the database a type for it? */
export const isTimestamp = ({ type, stored }: Field): boolean => type === 'date' && !stored
/** Is it a number, or a date that is stored as one and compared as that? */
export const isNumber = (field: Field): boolean => field.type === 'number' || (field.type === 'date' && isEpoch(field))

/** A date as the number or the text that it is compared by. */
export function stored(field: Field, date: Date): number | string {
  if (isEpoch(field)) return isPlain(field) ? fromMilliseconds(field, date.getTime()) : date.getTime()
  // The year 10000, which an offset makes of the end of 9999, sorts behind the others.
  return date.toISOString().replace('+', ':')
}

/** Of a date that is a number, what it is compared by, in seconds where it has seconds. */
export function readRounded(dialect: Dialect, field: Field): Sql | undefined {
  return isInstant(field) && isEpoch(field) ? roundedSql(field, dialect.key(field)) : undefined
}
