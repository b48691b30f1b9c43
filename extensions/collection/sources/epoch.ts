import type { Field } from '../types.ts'
import { type Sql, sql } from './sql.ts'

// Dates that are stored as a number of seconds or milliseconds, which may have a fraction: `time.time()` of Python has six
// digits of one. A Date has milliseconds, and so they are rounded to these, halves away from zero, in JavaScript as in SQL.

/** The last and, negative, the first millisecond of a Date. */
const LAST = 8.64e15

type Stored = Pick<Field, 'stored'>

export const isEpoch = ({ stored }: Stored): boolean => stored === 'seconds' || stored === 'milliseconds'

/** How many milliseconds one of the stored number is. */
const unitOf = ({ stored }: Stored): number => (stored === 'seconds' ? 1000 : 1)

/** The last number that is a date. */
export const lastOf = (field: Stored): number => LAST / unitOf(field)

/** The milliseconds of a stored number. */
export function toMilliseconds(field: Stored, number: number): number {
  const exact = number * unitOf(field)
  return Math.sign(exact) * Math.round(Math.abs(exact))
}

/** The number that a date is stored as. */
export function fromMilliseconds(field: Stored, milliseconds: number): number {
  return milliseconds / unitOf(field)
}

/** Whole numbers between which all is stored that is rounded to so many milliseconds: of an integer column an index has them. */
export function aroundMilliseconds(field: Stored, milliseconds: number): [from: number, to: number] {
  const unit = unitOf(field)
  return [Math.floor((milliseconds - 1) / unit), Math.ceil((milliseconds + 1) / unit)]
}

/** The milliseconds in SQL, null where JavaScript has no date. `double` is the column as a double, which may overflow. */
export function millisecondsSql(field: Stored, column: Sql, double: Sql, round: (exact: Sql) => Sql): Sql {
  const exact = sql(['', ` * ${unitOf(field)}e0`], double)
  return sql(['case when ', ` between ${-lastOf(field)} and ${lastOf(field)} then `, ' end'], column, round(exact))
}

/** The same in the unit of the column, to be read. */
export function roundedSql(field: Stored, milliseconds: Sql): Sql {
  return sql(['(', `) / ${unitOf(field)}e0`], milliseconds)
}
