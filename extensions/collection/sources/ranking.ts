import type { Order } from '../types.ts'
import { comparator } from './compare.ts'
import { keyReader, type Row } from './row.ts'
import type { Compare } from './sort-between.ts'
import type { Key } from './values.ts'

/** How rows are sorted. */
export interface Ranking {
  /** Reads what is compared first of a row. */
  readonly keyOf: (row: Row) => Key
  /** The quickest way to compare rows whose keys are of these kinds, which are added up with `|`. */
  comparing(kinds: number): Compare<Key, Row>
  /** How a row stands to one that has these keys, one for each place of the order. */
  compareKeys(key: Key, row: Row, keys: readonly Key[]): number
}

/** Kinds of keys. */
const NUMBER = 1
const PLAIN_TEXT = 2
const OTHER = 4

/** From here on JavaScript's `<`, which takes a fifth of the time, may see another order than that of code points. */
const HIGH = 0xd800
/** In longer text it takes too long to look for that. */
const SHORT = 64

export function kindOf(key: Key): number {
  if (typeof key === 'number') return NUMBER
  return typeof key === 'string' && isPlain(key) ? PLAIN_TEXT : OTHER
}

function isPlain(text: string): boolean {
  if (text.length > SHORT) return false
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= HIGH) return false
  return true
}

export function rankingOf([first, ...rest]: readonly Order[]): Ranking {
  const { field, descending } = first as Order
  const compareFirst = comparator(first as Order)
  const sign = descending ? -1 : 1
  const places = rest.map(order => ({ read: keyReader(order.field), compare: comparator(order) }))

  function compareRest(one: Row, other: Row): number {
    for (const { read, compare } of places) {
      const difference = compare(read(one), read(other))
      if (difference !== 0) return difference
    }
    return 0
  }

  const numbers: Compare<number, Row> = (key, one, otherKey, other) =>
    key === otherKey ? compareRest(one, other) : sign * (key - otherKey)
  const plainTexts: Compare<string, Row> = (key, one, otherKey, other) =>
    key === otherKey ? compareRest(one, other) : key < otherKey ? -sign : sign
  const others: Compare<Key, Row> = (key, one, otherKey, other) =>
    compareFirst(key, otherKey) || compareRest(one, other)

  return {
    keyOf: keyReader(field),
    comparing(kinds) {
      if (kinds === NUMBER) return numbers as Compare<Key, Row>
      return kinds === PLAIN_TEXT ? (plainTexts as Compare<Key, Row>) : others
    },
    compareKeys(key, row, keys) {
      const difference = compareFirst(key, keys[0] as Key)
      if (difference !== 0) return difference
      for (const [index, { read, compare }] of places.entries()) {
        const difference = compare(read(row), keys[index + 1] as Key)
        if (difference !== 0) return difference
      }
      return 0
    },
  }
}
