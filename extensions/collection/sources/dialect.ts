import type { Field, Value } from '../types.ts'
import { containsPattern, containsRegexp, foldAscii, likePattern, regexpPattern } from './like.ts'
import { all, column, type Sql, sql, value } from './sql.ts'

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

const isEpoch = ({ stored }: Field): boolean => stored === 'seconds' || stored === 'milliseconds'
/** Is it compared as the database does, which any index serves? */
const isPlain = ({ type, collation }: Field): boolean =>
  collation === 'database' || !['string', 'enum', 'date'].includes(type)

const isText = ({ type }: Field): boolean => type === 'string' || type === 'enum'

/** A date as the number or the text that it is stored as. */
function stored({ stored }: Field, date: Date): number | string {
  if (stored === 'seconds') return date.getTime() / 1000
  if (stored === 'milliseconds') return date.getTime()
  // The year 10000, which an offset makes of the end of 9999, sorts behind the others.
  return date.toISOString().replace('+', ':')
}

/**
 * Text is cast to text, which costs nothing where it is, and lets uuids and enums be compared with whatever a client
 * sends. Numbers say of which type they are, or an integer column would refuse 30.5 and 3000000000. A timestamp has
 * microseconds, and a Date has not: compared by them, the last row of a page would come again on the next.
 */
export const postgres: Dialect = {
  name: 'PostgreSQL',
  key(field) {
    const name = column(field.column)
    if (isPlain(field) || isEpoch(field)) return name
    if (field.type === 'date' && !field.stored) return sql`date_trunc('milliseconds', ${name} + interval '0')`
    return sql`cast(${name} as text) collate "C"`
  },
  // Equal is equal in any collation but those that are called nondeterministic, and only this finds it in an index on
  // the column, which sorts by the collation of the database.
  same(field) {
    const isText = !isPlain(field) && (field.type !== 'date' || field.stored === 'text')
    return isText ? sql`cast(${column(field.column)} as text)` : postgres.key(field)
  },
  value(field, it) {
    if (it instanceof Date && !field.stored) return value(it)
    const plain = it instanceof Date ? stored(field, it) : it
    // Of a field of another type the value came from the database itself, and goes back as it is.
    if (typeof plain !== 'number' || field.type === 'other') return value(plain)
    return Number.isSafeInteger(plain) ? sql`cast(${value(plain)} as bigint)` : sql`cast(${value(plain)} as numeric)`
  },
  // A number without a type is of that of the column: compared as a numeric, no real column is what it was read as.
  held: (field, it) => (it instanceof Date ? postgres.value(field, it) : value(it)),
  // Of a char(5) the driver gives the spaces that it is filled with.
  read: field => (isText(field) && !isPlain(field) ? sql`cast(${column(field.column)} as text)` : undefined),
  bound: field => (field.type === 'date' && !field.stored && !isPlain(field) ? column(field.column) : undefined),
  like: ({ column: name }, pattern) =>
    sql`lower(cast(${column(name)} as text) collate "C") like ${value(likePattern(pattern))} escape '!'`,
  contains: ({ column: name }, text) =>
    sql`lower(cast(${column(name)} as text) collate "C") like ${value(containsPattern(text))} escape '!'`,
  nulls: { ascending: ' nulls first', descending: ' nulls last' },
  ranges: 'rows',
  // There is no NUL in its text, and it refuses one in a parameter.
  storable: text => text.split('\0', 1)[0] as string,
}

/** It has neither dates nor booleans: dates are ISO 8601 text, or numbers, and booleans are 0 and 1. */
export const sqlite: Dialect = {
  name: 'SQLite',
  key(field) {
    const name = column(field.column)
    if (field.type === 'boolean') return sql`(${name} <> 0)`
    if (isPlain(field) || isEpoch(field)) return name
    if (field.type === 'date') return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${name})`
    return sql`${name} collate binary`
  },
  value: (field, it) => value(it instanceof Date ? stored(field, it) : typeof it === 'boolean' ? Number(it) : it),
  read: field => (field.type === 'date' ? sqlite.key(field) : undefined),
  bound: () => undefined,
  like: ({ column: name }, pattern) => {
    const pieces = pattern.split('*').filter(it => MISREAD.test(it))
    const like = sql`lower(${column(name)}) like ${value(likePattern(pattern))} escape '!'`
    return all([like, ...pieces.map(it => sqliteContains(name, it)), sqliteHasNoNul(name)])
  },
  contains: ({ column: name }, text) => all([sqliteContains(name, text), sqliteHasNoNul(name)]),
  nulls: { ascending: '', descending: '' },
  ranges: 'one',
  storable: text => text,
}

/** LIKE takes all of these for U+FFFD; `instr` goes by the bytes. */
const MISREAD = /[\ufffd-\uffff]/

function sqliteContains(name: string, text: string): Sql {
  return sql`instr(lower(${column(name)}), ${value(foldAscii(text))}) > 0`
}

function sqliteHasNoNul(name: string): Sql {
  return sql`instr(${column(name)}, char(0)) = 0`
}

/**
 * And MariaDB. Text is compared as bytes, because all collations of the older versions take `a` and `a ` for the same;
 * `like` is a regular expression, because LIKE either takes É for é or A not for a.
 */
export const mysql: Dialect = {
  name: 'MySQL',
  key(field) {
    const name = column(field.column)
    if (field.type === 'boolean') return sql`(${name} <> 0)`
    if (isPlain(field) || isEpoch(field)) return name
    if (field.type === 'date' && !field.stored)
      return sql`date_sub(${name}, interval (microsecond(${name}) mod 1000) microsecond)`
    return sql`cast(convert(${name} using utf8mb4) as binary)`
  },
  value(field, it) {
    // A decimal as text would be compared as a double.
    if (field.type === 'number' && typeof it === 'string' && it.includes('.'))
      return sql`cast(${value(it)} as decimal(65, 30))`
    if (!(it instanceof Date)) return value(typeof it === 'boolean' ? Number(it) : it)
    return value(field.stored ? stored(field, it) : new Date(Math.min(Math.max(it.getTime(), FIRST), LAST)))
  },
  bound: field => (field.type === 'date' && !field.stored && !isPlain(field) ? column(field.column) : undefined),
  like: ({ column: name }, pattern) => mysqlLike(name, regexpPattern(pattern)),
  contains: ({ column: name }, text) => mysqlLike(name, containsRegexp(text)),
  nulls: { ascending: '', descending: '' },
  ranges: 'alternatives',
  storable: text => text,
}

/** What a DATETIME of MySQL can be. */
const FIRST = Date.UTC(1000, 0, 2)
const LAST = Date.UTC(9999, 11, 30)

function mysqlLike(name: string, pattern: string): Sql {
  const text = sql`convert(${column(name)} using utf8mb4)`
  return sql`(${text} collate utf8mb4_bin regexp ${value(pattern)} and instr(${text}, char(0)) = 0)`
}
