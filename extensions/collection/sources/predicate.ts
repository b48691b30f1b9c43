import type { Condition, Field, Filter } from '../types.ts'
import { compareText } from './compare.ts'
import { container, matcher } from './like.ts'
import { type Key, keyOf } from './values.ts'

export type Row = Readonly<Record<string, unknown>>
type Test = (row: Row) => boolean

/** Reads a property of a row, `invoice.total` through an object; what a row inherits is not there. */
export function reader({ column }: Field): (row: Row) => unknown {
  const path = column.split('.')
  if (path.length === 1) return row => (Object.hasOwn(row, column) ? row[column] : undefined)
  return row => {
    let value: unknown = row
    for (const name of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      value = (value as Row)[name]
    }
    return value
  }
}

/** Reads what a row is compared by. */
export function keyReader(field: Field): (row: Row) => Key {
  const read = reader(field)
  return row => keyOf(field, read(row))
}

/** Compiles a filter into one function. Conditions are tested in their order, the search last. */
export function predicate({ where, search }: Filter): Test {
  const tests = where.map(compile)
  if (search) tests.push(searching(search.text, search.fields))
  const [first, second] = tests
  if (!first) return () => true
  if (!second) return first
  if (tests.length === 2) return row => first(row) && second(row)
  return row => {
    for (const test of tests) if (!test(row)) return false
    return true
  }
}

function searching(text: string, fields: readonly Field[]): Test {
  const contains = container(text)
  const reads = fields.map(keyReader)
  return row => reads.some(read => isText(read(row), contains))
}

function isText(key: Key, test: (text: string) => boolean): boolean {
  return typeof key === 'string' && test(key)
}

function compile({ field, operator, values }: Condition): Test {
  const read = keyReader(field)
  const keys = values.map(value => keyOf(field, value))
  const [one = null, two = null] = keys
  switch (operator) {
    case 'null':
      return values[0] === true ? row => read(row) === null : row => read(row) !== null
    case 'eq':
      return row => read(row) === one
    case 'ne':
      return row => read(row) !== one
    case 'in': {
      const all = new Set(keys)
      return row => all.has(read(row))
    }
    case 'nin': {
      const all = new Set(keys)
      return row => !all.has(read(row))
    }
    case 'like': {
      const matches = matcher(String(one))
      return row => isText(read(row), matches)
    }
    case 'between':
      return both(comparing(read, 'gte', one), comparing(read, 'lte', two))
    default:
      return comparing(read, operator, one)
  }
}

function both(one: Test, other: Test): Test {
  return row => one(row) && other(row)
}

function comparing(read: (row: Row) => Key, operator: 'lt' | 'lte' | 'gt' | 'gte', bound: Key): Test {
  if (typeof bound === 'string') {
    const fits = SIGNS[operator]
    return row => {
      const key = read(row)
      return typeof key === 'string' && fits(compareText(key, bound))
    }
  }
  // Null is no number, and JavaScript would take it for zero.
  const limit = bound as number
  switch (operator) {
    case 'lt':
      return row => asNumber(read(row)) < limit
    case 'lte':
      return row => asNumber(read(row)) <= limit
    case 'gt':
      return row => asNumber(read(row)) > limit
    case 'gte':
      return row => asNumber(read(row)) >= limit
  }
}

function asNumber(key: Key): number {
  return typeof key === 'number' ? key : Number.NaN
}

const SIGNS = {
  lt: (sign: number) => sign < 0,
  lte: (sign: number) => sign <= 0,
  gt: (sign: number) => sign > 0,
  gte: (sign: number) => sign >= 0,
}
