import { checkOptions, type Kind } from '../../src/index.ts'
import { type JsonObject, readDate } from '../../src/schema/index.ts'
import { Faults, makeSchema, type Schema, same } from './make.ts'

interface Range<T> {
  /** The least that fits. */
  min?: T
  /** The most that fits. */
  max?: T
}

const whole: Kind = { words: 'a whole number', test: Number.isSafeInteger }
const finite: Kind = { words: 'a number', test: Number.isFinite }
const day: Kind = {
  words: 'a Date',
  test: value => value instanceof Date && !Number.isNaN(value.getTime()),
}

/** A whole number that a JavaScript number holds exactly. `"5"` is none; in a query, `input()` has made 5 of it. */
export function int(range: Range<number> = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = checkRange('int', range, whole)
  const expected = `Expected a whole number${between(range)}.`
  const read = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max ? value : new Faults(expected)
  return makeSchema(read, same({ type: 'integer', ...limits(range) }))
}

/** A number, NaN and the infinite ones not among them. */
export function float(range: Range<number> = {}): Schema<number> {
  const { min = -Infinity, max = Infinity } = checkRange('float', range, finite)
  const expected = `Expected a number${between(range)}.`
  const read = (value: unknown) =>
    Number.isFinite(value) && (value as number) >= min && (value as number) <= max ? value : new Faults(expected)
  return makeSchema(read, same({ type: 'number', ...limits(range) }))
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** A UUID of any version (RFC 9562), as it was written. */
export function uuid(): Schema<string> {
  const read = (value: unknown) =>
    typeof value === 'string' && UUID.test(value) ? value : new Faults('Expected a UUID.')
  return makeSchema(read, same({ type: 'string', format: 'uuid' }))
}

/** One of these values. */
export function oneOf<const T extends readonly (string | number | boolean | null)[]>(...values: T): Schema<T[number]> {
  if (values.length === 0) throw new TypeError('oneOf: there are no values. Give some.')
  const known = new Set<unknown>(values)
  const expected = `Expected one of ${values.map(value => JSON.stringify(value)).join(', ')}.`
  return makeSchema(value => (known.has(value) ? value : new Faults(expected)), same({ enum: [...values] }))
}

/** `true` or `false`; in a query, `1` and `0` too. */
export function flag(): Schema<boolean> {
  const read = (value: unknown) => (typeof value === 'boolean' ? value : new Faults('Expected true or false.'))
  return makeSchema(read, same({ type: 'boolean' }))
}

/**
 * A date, `2026-02-28`, which is midnight in UTC, or a date and time with an offset, `2026-02-28T12:30:00+01:00`, as
 * text; it becomes a Date. A day that is in no calendar does not fit.
 */
export function date(range: Range<Date> = {}): Schema<Date, string> {
  const { min, max } = checkRange('date', range, day)
  const words = { min: min?.toISOString(), max: max?.toISOString() }
  const expected = `Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z${between(words)}.`
  const read = (value: unknown) => {
    const date = typeof value === 'string' ? readDate(value) : undefined
    return date && !(min && date < min) && !(max && date > max) ? date : new Faults(expected)
  }
  const input: JsonObject = { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] }
  return makeSchema(read, { input, output: { type: 'string', format: 'date-time' } })
}

function checkRange<T extends number | Date>(where: string, range: Range<T>, kind: Kind): Range<T> {
  checkOptions(where, range, { min: kind, max: kind })
  const { min, max } = range
  if (min !== undefined && max !== undefined && min > max)
    throw new TypeError(`${where}: min ${min} is more than max ${max}. Exchange them.`)
  return range
}

function between({ min, max }: { min?: unknown; max?: unknown }): string {
  if (min === undefined) return max === undefined ? '' : `, at most ${max}`
  return max === undefined ? `, at least ${min}` : ` from ${min} to ${max}`
}

function limits({ min, max }: Range<number>): JsonObject {
  return { ...(min !== undefined && { minimum: min }), ...(max !== undefined && { maximum: max }) }
}
