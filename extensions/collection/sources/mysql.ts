import { type Dialect, isInstant, isPlain, isTimestamp, readRounded, stored } from './dialect.ts'
import { isEpoch, millisecondsSql } from './epoch.ts'
import { containsRegexp, regexpPattern } from './like.ts'
import { column, type Sql, sql, value } from './sql.ts'

/**
 * And MariaDB. Text is compared as bytes, because all collations of the older versions take `a` and `a ` for the same;
 * `like` is a regular expression, because LIKE either takes É for é or A not for a.
 */
export const mysql: Dialect = {
  name: 'MySQL',
  key(field) {
    const name = column(field.column)
    if (field.type === 'boolean') return sql`(${name} <> 0)`
    if (isPlain(field)) return name
    if (isTimestamp(field)) return sql`date_sub(${name}, interval (microsecond(${name}) mod 1000) microsecond)`
    if (isEpoch(field)) return millisecondsSql(field, name, name, it => sql`truncate(${it} + sign(${name}) * 0.5e0, 0)`)
    return sql`cast(convert(${name} using utf8mb4) as binary)`
  },
  // The key of a date that is none, 0000-00-00, is null.
  isRaw: field => !isInstant(field) || field.stored === 'text',
  value(field, it) {
    // A decimal as text would be compared as a double.
    if (field.type === 'number' && typeof it === 'string' && DECIMAL.test(it))
      return sql`cast(${value(it)} as decimal(65, 30))`
    if (!(it instanceof Date)) return value(typeof it === 'boolean' ? Number(it) : it)
    return value(field.stored ? stored(field, it) : new Date(Math.min(Math.max(it.getTime(), FIRST), LAST)))
  },
  read: field => readRounded(mysql, field),
  bound: field => (isInstant(field) && field.stored !== 'text' ? column(field.column) : undefined),
  like: ({ column: name }, pattern) => mysqlLike(name, regexpPattern(pattern)),
  contains: ({ column: name }, text) => mysqlLike(name, containsRegexp(text)),
  nulls: { ascending: '', descending: '' },
  ranges: 'alternatives',
  storable: text => text,
}

const DECIMAL = /^-?\d+\.\d+$/
/** What a DATETIME of MySQL can be. */
const FIRST = Date.UTC(1000, 0, 2)
const LAST = Date.UTC(9999, 11, 30)

function mysqlLike(name: string, pattern: string): Sql {
  const text = sql`convert(${column(name)} using utf8mb4)`
  return sql`(${text} collate utf8mb4_bin regexp ${value(pattern)} and instr(${text}, char(0)) = 0)`
}
