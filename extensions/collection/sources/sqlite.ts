import type { Field } from '../types.ts'
import { type Dialect, isInstant, isNumber, isPlain, isText, readRounded, stored } from './dialect.ts'
import { isEpoch, millisecondsSql } from './epoch.ts'
import { foldAscii, likePattern } from './like.ts'
import { all, column, type Sql, sql, value } from './sql.ts'

/** It has neither dates nor booleans: dates are ISO 8601 text, or numbers, and booleans are 0 and 1. */
export const sqlite: Dialect = {
  name: 'SQLite',
  key(field) {
    const name = column(field.column)
    if (field.type === 'boolean') return sql`case when ${name} < '' then ${name} <> 0 end`
    if (isPlain(field)) return name
    if (field.type === 'date' && isEpoch(field)) return sqliteMilliseconds(field)
    if (field.type === 'date') return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${name})`
    return sql`${name} collate binary`
  },
  value: (field, it) => value(it instanceof Date ? stored(field, it) : typeof it === 'boolean' ? Number(it) : it),
  isRaw: field => field.type !== 'boolean' && !isInstant(field),
  // A column has what is put there. What is none of its type it keeps as it is, and sorts text and bytes behind numbers.
  fits(field, isAbove) {
    const name = column(field.column)
    if (isText(field)) return sql`typeof(${name}) <> 'blob'`
    if (field.type === 'number') return sqliteIsFinite(name, isAbove)
    if (isNumber(field)) return sql`${sqliteMilliseconds(field)} is not null`
    return field.type === 'date' ? sql`julianday(${name}) is not null` : undefined
  },
  lacks(field) {
    const name = column(field.column)
    if (field.type === 'boolean') return sql`(${name} is null or ${name} >= '')`
    return isInstant(field) && !isEpoch(field) ? sql`${sqlite.key(field)} is null` : undefined
  },
  read: field => readRounded(sqlite, field) ?? (field.type === 'date' ? sqlite.key(field) : undefined),
  bound: field => (isInstant(field) && isEpoch(field) ? column(field.column) : undefined),
  like: ({ column: name }, pattern) => {
    const pieces = pattern.split('*').filter(it => MISREAD.test(it))
    const like = sql`lower(${column(name)}) like ${value(likePattern(pattern))} escape '!'`
    return all([like, ...pieces.map(it => sqliteContains(name, it)), sqliteIsWholeText(name)])
  },
  contains: ({ column: name }, text) => all([sqliteContains(name, text), sqliteIsWholeText(name)]),
  nulls: { ascending: '', descending: '' },
  ranges: 'one',
  storable: text => text,
}

/** LIKE takes all of these for U+FFFD; `instr` goes by the bytes. */
const MISREAD = /[\ufffd-\uffff]/

function sqliteContains(name: string, text: string): Sql {
  return sql`instr(lower(${column(name)}), ${value(foldAscii(text))}) > 0`
}

function sqliteIsWholeText(name: string): Sql {
  return sql`instr(${column(name)}, char(0)) = 0 and typeof(${column(name)}) <> 'blob'`
}

/** Text is converted for the comparison where it is a number, and is equal to none where it is not. */
function sqliteIsNumber(name: Sql): Sql {
  return sql`${name} = cast(${name} as numeric)`
}

/** Text that is a number is compared as one, and all other text stands behind the numbers. */
function sqliteIsFinite(name: Sql, isAbove: boolean): Sql {
  const isLess = sql`${name} < cast(9e999 as numeric)`
  return isAbove ? isLess : sql`(${name} > cast(-9e999 as numeric) and ${isLess})`
}

function sqliteMilliseconds(field: Field): Sql {
  const name = column(field.column)
  const number = sql`cast(${name} as numeric)`
  const milliseconds = millisecondsSql(field, number, number, it => sql`round(${it})`)
  return sql`case when ${sqliteIsNumber(name)} then ${milliseconds} end`
}
