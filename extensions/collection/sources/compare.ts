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

/** Puts surrogates behind the rest. */
function rank(unit: number): number {
  return unit >= 0xe000 ? unit : unit + 0x3000
}

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
