import type { Condition, Field, Filter, Value } from '../types.ts'
import type { Dialect } from './dialect.ts'
import { aroundMilliseconds, isEpoch } from './epoch.ts'
import { all, any, column, FALSE, join, type Sql, sql, TRUE } from './sql.ts'

type Comparison = 'eq' | 'lt' | 'lte' | 'gt' | 'gte'
type Given = Exclude<Value, null>

const SIGNS = { eq: ' = ', lt: ' < ', lte: ' <= ', gt: ' > ', gte: ' >= ' } as const

/** A filter as conditions, of which all have to hold. */
export function conditionsOf(dialect: Dialect, { where, search }: Filter): Sql[] {
  const conditions = where.map(it => condition(dialect, it))
  if (!search) return conditions
  const { text, fields } = search
  const found = text.includes('\0') ? FALSE : any(fields.map(field => dialect.contains(field, text)))
  return [...conditions, found]
}

function condition(dialect: Dialect, { field, operator, values }: Condition): Sql {
  const [one, two] = values as [Given, Given]
  switch (operator) {
    case 'null':
      return one === true ? lacksValue(dialect, field) : hasValue(dialect, field)
    case 'ne':
    case 'nin':
      return any([among(dialect, field, values, false), isNull(dialect, field)])
    case 'in':
      return among(dialect, field, values, true)
    case 'like':
      return String(one).includes('\0') ? FALSE : dialect.like(field, String(one))
    case 'between':
      return all([compare(dialect, field, 'gte', one), compare(dialect, field, 'lte', two)])
    case 'eq':
      return compare(dialect, field, operator, one)
    default:
      return all([compare(dialect, field, operator, one), ...fitting(dialect, field, operator.startsWith('g'))])
  }
}

/** A key that is not the column itself is null already of what is read as null. */
function fitting(dialect: Dialect, field: Field, isAbove = false): Sql[] {
  const fits = dialect.isRaw(field) ? dialect.fits?.(field, isAbove) : undefined
  return fits ? [fits] : []
}

/** By the column, so that an index on it serves. */
function lacksValue(dialect: Dialect, field: Field): Sql {
  return dialect.lacks?.(field) ?? sql`${column(field.column)} is null`
}

function hasValue(dialect: Dialect, field: Field): Sql {
  const key = dialect.isRaw(field) ? [] : [isNull(dialect, field, false)]
  return all([sql`${column(field.column)} is not null`, ...key, ...fitting(dialect, field)])
}

function among(dialect: Dialect, field: Field, values: readonly Given[], isIn: boolean): Sql {
  const known = values.filter(it => isStorable(dialect, it)).map(it => dialect.value(field, it))
  if (known.length === 0) return isIn ? FALSE : TRUE
  const list = join(known, ', ')
  const key = sameOf(dialect, field)
  const isOne = known.length === 1
  if (!isIn) return isOne ? sql`${key} <> ${list}` : sql`${key} not in (${list})`
  return all([...boundsAround(dialect, field, values), isOne ? sql`${key} = ${list}` : sql`${key} in (${list})`])
}

function boundsAround(dialect: Dialect, field: Field, values: readonly Given[]): Sql[] {
  const dates = values.filter(it => it instanceof Date).map(Number)
  if (dates.length === 0) return []
  const [first, last] = [new Date(Math.min(...dates)), new Date(Math.max(...dates))]
  return [...boundsOf(dialect, field, 'gte', first), ...boundsOf(dialect, field, 'lte', last)]
}

/** Is what it is compared by null, or, is it not? */
export function isNull(dialect: Dialect, field: Field, wanted = true): Sql {
  const it = dialect.isRaw(field) ? column(field.column) : dialect.key(field)
  return wanted ? sql`${it} is null` : sql`${it} is not null`
}

/** Compares a field with a value, so that an index on the column can help where there is one. */
export function compare(dialect: Dialect, field: Field, operator: Comparison, given: Given): Sql {
  if (!isStorable(dialect, given)) return comparePrefix(dialect, field, operator, String(given))
  const key = operator === 'eq' ? sameOf(dialect, field) : dialect.key(field)
  const exact = sql(['', SIGNS[operator], ''], key, dialect.value(field, given))
  return all([...boundsOf(dialect, field, operator, given), exact])
}

function sameOf(dialect: Dialect, field: Field): Sql {
  return dialect.same?.(field) ?? dialect.key(field)
}

/** What a value implies of the column itself. It lets through more than is wanted, and a column of days as well. */
export function boundsOf(dialect: Dialect, field: Field, operator: Comparison, given: Given): Sql[] {
  const bound = dialect.bound(field)
  if (!bound || !(given instanceof Date)) return []
  const time = given.getTime()
  const [from, to] = isEpoch(field) ? aroundMilliseconds(field, time) : [given, new Date(time + 1)]
  const bounds: Sql[] = []
  if (!operator.startsWith('l')) bounds.push(sql`${bound} >= ${dialect.value(field, from)}`)
  if (!operator.startsWith('g')) bounds.push(sql`${bound} <= ${dialect.value(field, to)}`)
  return bounds
}

function isStorable(dialect: Dialect, given: Given): boolean {
  return typeof given !== 'string' || dialect.storable(given) === given
}

/** No text of the database is `ab\0c`: what is below it is at most `ab`, and what is above it is above `ab`. */
function comparePrefix(dialect: Dialect, field: Field, operator: Comparison, text: string): Sql {
  if (operator === 'eq') return FALSE
  return compare(dialect, field, operator.startsWith('l') ? 'lte' : 'gt', dialect.storable(text))
}
