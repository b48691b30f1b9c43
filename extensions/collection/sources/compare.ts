import type { Order } from '../types.ts'
import type { Key } from './values.ts'

/**
 * Text by Unicode code point, as UTF-8 bytes sort. JavaScript's `<` goes by UTF-16 units, in which what is beyond the
 * first plane (surrogates) would stand before U+E000.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const one = a.charCodeAt(index)
    const other = b.charCodeAt(index)
    if (one === other) continue
    return one >= 0xd800 && other >= 0xd800 ? rank(one) - rank(other) : one - other
  }
  return a.length - b.length
}

/** Puts surrogates behind the rest. Of a unit from U+D800 on. */
function rank(unit: number): number {
  return unit >= 0xe000 ? unit : unit + 0x3000
}

/**
 * What a text begins with as a number, which is never more than that of a text behind it: three UTF-16 units, and where
 * the text ends before that, what comes before all units.
 */
export function beginningOf(text: string): number {
  let number = 0
  for (let index = 0; index < 3; index += 1) {
    const unit = index < text.length ? text.charCodeAt(index) : -1
    number = number * BASE + (unit < 0xd800 ? unit : rank(unit)) + 1
  }
  return number
}

/** More than there are units and their ranks, and few enough for a double to hold three. */
const BASE = 0x20000

/** Compares by the places of an order, null before all values. */
export type Comparator = (a: Key, b: Key) => number

export function comparator({ field, descending }: Order): Comparator {
  const isText = field.type === 'string' || field.type === 'enum'
  if (isText) return descending ? (a, b) => compareTexts(b, a) : compareTexts
  return descending ? (a, b) => compareNumbers(b, a) : compareNumbers
}

function compareTexts(a: Key, b: Key): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return a === b ? 0 : a === null ? -1 : 1
}

function compareNumbers(a: Key, b: Key): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
