import { converter, readDate } from '../../src/schema/index.ts'
import type { Condition, Field, FieldType, Operator } from './types.ts'
import { listed } from './words.ts'

const BYTES = 2048
/** Of a pattern of `like`, and of free text. */
export const PATTERN = 256

const EQUALITY = ['eq', 'ne', 'in', 'nin', 'null'] as const
const ORDERED = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'between', 'in', 'nin', 'null'] as const

/** The operators that each type has. */
export const OPERATORS: Readonly<Record<FieldType, readonly Operator[]>> = {
  string: [...ORDERED, 'like'],
  enum: [...ORDERED, 'like'],
  number: ORDERED,
  date: ORDERED,
  boolean: EQUALITY,
  other: [],
}

export type FieldValue = Condition['values'][number]

// The grammar of input(): JSON's of numbers, true, false, 1 and 0.
const toNumber = converter({ type: 'number' }, new Map(), { text: true })
const toBoolean = converter({ type: 'boolean' }, new Map(), { text: true })

/**
 * A value as its field has it, from the text of a query, or from JSON, where only a date is text.
 *
 * @returns undefined where it does not fit
 */
export function readValue({ type, values }: Pick<Field, 'type' | 'values'>, given: unknown, isText: boolean) {
  if (type === 'number') return readNumber(isText ? toNumber(given) : given)
  if (type === 'boolean') return readBoolean(isText ? toBoolean(given) : given)
  if (typeof given !== 'string') return
  if (type === 'date') return readDate(given)
  if (type === 'enum') return values?.includes(given) ? given : undefined
  return isGoodText(given, BYTES) ? given : undefined
}

/** Well-formed, and without U+0000, which PostgreSQL has no text for. */
export function isGoodText(text: string, bytes: number): boolean {
  return text.length <= bytes && text.isWellFormed() && !text.includes('\0') && Buffer.byteLength(text) <= bytes
}

export function readBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** A whole number that JavaScript does not hold exactly has lost digits, in JSON before anybody could look. */
function readNumber(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value
}

/** Is it the text of a number, and of one that JavaScript does not hold? */
function isTooLong(given: unknown): boolean {
  return typeof given === 'string' && (/^-?\d{16,}$/.test(given) || Number.isFinite(toNumber(given)))
}

/** What is expected of a value that does not fit, and a word on the usual reason. */
export function expectation({ type, values = [] }: Pick<Field, 'type' | 'values'>, given: unknown): string {
  const sentence = {
    string: `Expected well-formed text of at most ${BYTES} bytes, without U+0000.`,
    number: 'Expected a number.',
    boolean: 'Expected true or false.',
    date: 'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z.',
    enum: `Expected one of ${listed(values)}.`,
    other: 'Expected nothing.',
  }[type]
  if (given === null) return `${sentence} For null there is the operator null.`
  if (type === 'date' && typeof given === 'string' && given.includes(' '))
    return `${sentence} In a URL, + is written %2B.`
  if (type === 'number' && (typeof given === 'number' || isTooLong(given)))
    return 'Expected a number that loses no digits: a whole one is at most 9007199254740991.'
  return sentence
}
