import type { Condition, Field, Filter } from '../types.ts'
import { compareText } from './compare.ts'
import { container, matcher } from './like.ts'
import { isOwn, keyReader, type Row } from './row.ts'
import { type Key, keyOf } from './values.ts'

type Test = (row: Row) => boolean

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
    // Null is no number, and JavaScript would take it for zero. What a bigint loses here is beyond any bound.
    return typeof key === 'number' || typeof key === 'bigint' ? Number(key) : Number.NaN
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
