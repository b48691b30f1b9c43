import { type Dialect, isInstant, isNumber, isPlain, isText, isTimestamp, readRounded, stored } from './dialect.ts'
import { isEpoch, lastOf, millisecondsSql } from './epoch.ts'
import { containsPattern, likePattern } from './like.ts'
import { column, type Sql, sql, value } from './sql.ts'

/**
 * Text is cast to text, which costs nothing where it is, and lets uuids and enums be compared with whatever a client
 * sends. Numbers say of which type they are, or an integer column would refuse 30.5 and 3000000000. A timestamp has
 * microseconds, and a Date has not: compared by them, the last row of a page would come again on the next.
 */
export const postgres: Dialect = {
  name: 'PostgreSQL',
  key(field) {
    const name = column(field.column)
    if (isPlain(field)) return name
    if (isTimestamp(field))
      return sql`case when ${postgresFits(name)} then date_trunc('milliseconds', ${name} + interval '0') end`
    if (isEpoch(field))
      return millisecondsSql(
        field,
        name,
        sql`cast(${name} as double precision)`,
        it => sql`trunc(${it} + sign(${name}) * 0.5)`,
      )
    return sql`cast(${name} as text) collate "C"`
  },
  isRaw: field => !isInstant(field) || field.stored === 'text',
  // NaN is greater than all numbers there. The bound suits a column of any type of number: 'infinity' does not.
  fits(field, isAbove) {
    const name = column(field.column)
    if (isTimestamp(field)) return postgresFits(name)
    if (!isNumber(field)) return
    const last = field.type === 'date' ? lastOf(field) : Number.MAX_VALUE
    return sql(['', isAbove ? ` <= ${last}` : ` between ${-last} and ${last}`], name)
  },
  lacks(field) {
    const name = column(field.column)
    if (!isTimestamp(field)) return
    return sql`(${name} is null or ${name} = '-infinity' or ${name} >= ${sql([POSTGRES_END])})`
  },
  // Equal is equal in any collation but those that are called nondeterministic, and only this finds it in an index on
  // the column, which sorts by the collation of the database.
  same(field) {
    return !isPlain(field) && postgres.isRaw(field) ? sql`cast(${column(field.column)} as text)` : postgres.key(field)
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
  read(field) {
    if (isText(field) && !isPlain(field)) return sql`cast(${column(field.column)} as text)`
    return readRounded(postgres, field)
  },
  bound: field => (isInstant(field) && field.stored !== 'text' ? column(field.column) : undefined),
  like: ({ column: name }, pattern) =>
    sql`lower(cast(${column(name)} as text) collate "C") like ${value(likePattern(pattern))} escape '!'`,
  contains: ({ column: name }, text) =>
    sql`lower(cast(${column(name)} as text) collate "C") like ${value(containsPattern(text))} escape '!'`,
  nulls: { ascending: ' nulls first', descending: ' nulls last' },
  ranges: 'rows',
  // There is no NUL in its text, and it refuses one in a parameter.
  storable: text => text.split('\0', 1)[0] as string,
}

/** The end of the dates of JavaScript, less a day, by which time zones differ. */
const POSTGRES_END = "'275760-09-12'"

/** Neither of its two infinities, which no Date is. */
function postgresFits(name: Sql): Sql {
  return sql`(${name} > '-infinity' and ${name} < ${sql([POSTGRES_END])})`
}
