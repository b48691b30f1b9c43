import type { Field, Value } from '../types.ts'
import { isEpoch, toMilliseconds } from './epoch.ts'

/**
 * What a value is compared by: a date by its milliseconds, a boolean as 0 or 1, text as itself, and a whole number that
 * JavaScript does not hold as a bigint, so that no two of them are equal.
 */
export type Key = string | number | bigint | null

const NUMBER = /^-?\d+(?:\.\d+)?(?:[Ee][+-]?\d+)?$/
const WHOLE = /^-?\d+$/
const DECIMAL = /^(-?)0*(\d*)(?:\.(\d*?)0*)?$/
const ISO = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)([Zz]|[+-]\d\d:\d\d)?)?$/

/**
 * A value of a source as the declared type has it, null where it has no such value. A number that JavaScript cannot hold
 * (a bigint above 2^53, a decimal of more digits than a double has) is its digits as text; NaN and infinities are null.
 *
 * @param isSql whether booleans may be stored as 0 and 1
 */
export function readValue(field: Field, raw: unknown, isSql: boolean): unknown {
  if (raw === null || raw === undefined) return null
  if (field.type === 'other') return raw
  return convert(field, raw, isSql)
}

/** Is a value of the declared type as it is? Of infinity and NaN the difference is NaN. */
export function isOf({ type }: Field, value: unknown): boolean {
  if (type === 'string' || type === 'enum') return typeof value === 'string'
  if (type === 'number') return typeof value === 'number' && value - value === 0
  return type === 'boolean' && typeof value === 'boolean'
}

/** The same value as it is compared. */
export function keyOf(field: Field, raw: unknown): Key {
  if (typeof raw === 'string' && (field.type === 'string' || field.type === 'enum')) return raw
  if (typeof raw === 'number' && field.type === 'number') return Number.isFinite(raw) ? raw : null
  const value = field.type === 'other' ? toPlain(raw) : convert(field, raw, false)
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'boolean') return value ? 1 : 0
  if (field.type !== 'number' || typeof value !== 'string') return value
  return WHOLE.test(value) ? BigInt(value) : Number(value)
}

function convert(field: Field, raw: unknown, isSql: boolean): Value {
  switch (field.type) {
    case 'number':
      return toNumber(raw)
    case 'boolean':
      return toBoolean(raw, isSql)
    case 'date':
      return toDate(field, raw)
    default:
      return toText(raw)
  }
}

/** What a relation is loaded by may be of any type that can be compared. */
function toPlain(raw: unknown): Value {
  if (typeof raw === 'bigint') return toNumber(raw)
  return ['string', 'number', 'boolean'].includes(typeof raw) || raw instanceof Date ? (raw as Value) : null
}

function toText(raw: unknown): string | null {
  if (typeof raw === 'string') return raw
  if (raw instanceof Date) return Number.isNaN(raw.getTime()) ? null : raw.toISOString()
  return raw === null || raw === undefined || typeof raw === 'object' ? null : String(raw)
}

function toNumber(raw: unknown): number | string | null {
  if (typeof raw === 'number') return Number.isFinite(raw) ? raw : null
  const text = typeof raw === 'bigint' ? String(raw) : raw
  if (typeof text !== 'string' || !NUMBER.test(text)) return null
  const number = Number(text)
  if (!Number.isFinite(number)) return null
  return isExact(number, text) ? number : text
}

/** Does a number have all digits of its text? Of fifteen a double keeps each. */
function isExact(number: number, text: string): boolean {
  if (WHOLE.test(text)) return Number.isSafeInteger(number)
  const [, sign = '', whole = '', fraction = ''] = DECIMAL.exec(text) ?? []
  if (`${whole}${fraction}`.replace(/^0+/, '').length <= 15) return true
  return String(number) === `${sign}${whole || '0'}${fraction && `.${fraction}`}`
}

function toBoolean(raw: unknown, isSql: boolean): boolean | null {
  if (typeof raw === 'boolean') return raw
  if (!isSql) return null
  if (typeof raw === 'number' || typeof raw === 'bigint') return Number(raw) !== 0
  // A BIT(1) of MySQL.
  return raw instanceof Uint8Array ? raw.some(byte => byte !== 0) : null
}

function toDate(field: Field, raw: unknown): Date | null {
  if (raw instanceof Date) return Number.isNaN(raw.getTime()) ? null : raw
  if (typeof raw === 'string' && !isEpoch(field)) return readIso(raw)
  const number = toNumber(raw)
  if (number === null) return null
  const date = new Date(toMilliseconds(field, Number(number)))
  return Number.isNaN(date.getTime()) ? null : date
}

/** A date in the forms that SQLite takes as well; without an offset it is in UTC, as there. */
function readIso(text: string): Date | null {
  const [, day, time = '00:00', zone = 'Z'] = ISO.exec(text) ?? []
  const date = new Date(`${day}T${time}${zone.toUpperCase()}`)
  return Number.isNaN(date.getTime()) ? null : date
}
