import type { Condition, Field, Filter, Order } from '../types.ts'
import { comparator, compareText } from './compare.ts'
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

/**
 * Reads what a row is compared by. Nearly all values are of the declared type already, and most of what a row costs is
 * to see that.
 */
export function keyReader(field: Field): (row: Row) => Key {
  const { column, type } = field
  const read = reader(field)
  const convert = (row: Row): Key => keyOf(field, read(row))
  if (column.includes('.')) return convert
  if (type === 'string' || type === 'enum')
    return row => {
      const value = row[column]
      return typeof value === 'string' && Object.hasOwn(row, column) ? value : convert(row)
    }
  if (type !== 'number') return convert
  return row => {
    const value = row[column]
    // Of infinity and NaN it is NaN.
    return typeof value === 'number' && value - value === 0 && Object.hasOwn(row, column) ? value : convert(row)
  }
}

/** Compares what a row has at a place of an order with a key: the one step that most rows end at, so it is one function. */
export function ranker(order: Order): (row: Row, key: Key) => number {
  const { column, type } = order.field
  const read = keyReader(order.field)
  const compare = comparator(order)
  const sign = order.descending ? -1 : 1
  if (column.includes('.')) return (row, key) => compare(read(row), key)
  if (type === 'string' || type === 'enum')
    return (row, key) => {
      const value = row[column]
      if (typeof value === 'string' && typeof key === 'string' && Object.hasOwn(row, column))
        return sign * compareText(value, key)
      return compare(read(row), key)
    }
  if (type !== 'number') return (row, key) => compare(read(row), key)
  return (row, key) => {
    const value = row[column]
    if (typeof value === 'number' && typeof key === 'number' && isOwn(row, column, value)) return sign * (value - key)
    return compare(read(row), key)
  }
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
    case 'ne':
      return row => read(row) !== one
    case 'nin': {
      const all = new Set(keys)
      return row => !all.has(read(row))
    }
    case 'in': {
      const all = new Set(keys)
      return row => all.has(read(row))
    }
    case 'like': {
      const matches = matcher(String(one))
      return row => isText(read(row), matches)
    }
    case 'between':
      return both(comparing(field, 'gte', one), comparing(field, 'lte', two))
    default:
      return comparing(field, operator, one)
  }
}

function both(one: Test, other: Test): Test {
  return row => one(row) && other(row)
}

type Comparison = 'eq' | 'lt' | 'lte' | 'gt' | 'gte'

const SIGNS: Readonly<Record<Comparison, (sign: number) => boolean>> = {
  eq: sign => sign === 0,
  lt: sign => sign < 0,
  lte: sign => sign <= 0,
  gt: sign => sign > 0,
  gte: sign => sign >= 0,
}

function comparing(field: Field, operator: Comparison, bound: Key): Test {
  if (typeof bound === 'number') return comparingNumbers(field, operator, bound)
  const read = keyReader(field)
  if (operator === 'eq' && typeof bound === 'string') return equalText(field, bound)
  const fits = SIGNS[operator]
  return row => {
    const key = read(row)
    return typeof key === 'string' && fits(compareText(key, bound as string))
  }
}

function equalText(field: Field, bound: string): Test {
  const { column } = field
  const read = keyReader(field)
  if (column.includes('.')) return row => read(row) === bound
  return row => {
    const value = row[column]
    return typeof value === 'string' ? value === bound && Object.hasOwn(row, column) : read(row) === bound
  }
}

/** Each has a body of its own, which is what makes it fast: whether a value is the row's own is asked of the few that fit. */
function comparingNumbers(field: Field, operator: Comparison, bound: number): Test {
  const { column, type } = field
  const read = keyReader(field)
  const convert = (row: Row): number => {
    const key = read(row)
    // Null is no number, and JavaScript would take it for zero.
    return typeof key === 'number' ? key : Number.NaN
  }
  if (type !== 'number' || column.includes('.')) {
    const fits = SIGNS[operator]
    return row => fits(convert(row) - bound)
  }
  switch (operator) {
    case 'eq':
      return row => {
        const value = row[column]
        return typeof value === 'number' ? value === bound && Object.hasOwn(row, column) : convert(row) === bound
      }
    case 'lt':
      return row => {
        const value = row[column]
        return typeof value === 'number' ? value < bound && isOwn(row, column, value) : convert(row) < bound
      }
    case 'lte':
      return row => {
        const value = row[column]
        return typeof value === 'number' ? value <= bound && isOwn(row, column, value) : convert(row) <= bound
      }
    case 'gt':
      return row => {
        const value = row[column]
        return typeof value === 'number' ? value > bound && isOwn(row, column, value) : convert(row) > bound
      }
    case 'gte':
      return row => {
        const value = row[column]
        return typeof value === 'number' ? value >= bound && isOwn(row, column, value) : convert(row) >= bound
      }
  }
}

function isOwn(row: Row, column: string, value: number): boolean {
  return Number.isFinite(value) && Object.hasOwn(row, column)
}
