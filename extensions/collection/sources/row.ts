import type { Field } from '../types.ts'
import { type Key, keyOf } from './values.ts'

export type Row = Readonly<Record<string, unknown>>

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

/** Is it a number to compare with, and not inherited? */
export function isOwn(row: Row, column: string, value: number): boolean {
  return Number.isFinite(value) && Object.hasOwn(row, column)
}
