import test from 'ava'
import fc from 'fast-check'
import { arraySource } from '../../../extensions/collection/sources/array.ts'
import { comparator } from '../../../extensions/collection/sources/compare.ts'
import { sortBetween } from '../../../extensions/collection/sources/sort-between.ts'
import { keyOf, readValue } from '../../../extensions/collection/sources/values.ts'
import type { Field, FieldType, Order, Value } from '../../../extensions/collection/types.ts'
import type { BaseContext } from '../../../src/index.ts'

// A page of a long list is what stands there when all of it is sorted, although only the page is.

const ctx = {} as BaseContext
const field = (name: string, type: FieldType): Field => ({ name, type, column: name, collation: 'binary' })
const id = field('id', 'number')

/** What rows may have where a field of this type is declared, most of it not what was declared. */
const HELD: Readonly<Record<string, readonly unknown[]>> = {
  number: [0, -0, 1, 1.5, -7, 1e300, 2 ** 53, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 60n), '12.50', '9007199254740993'],
  string: ['', 'a', 'ab', 'abc', 'abcd', 'abce', 'abd\0', 'é', '\ud7ff', '\ue000', '\uffff', '\ud83d\ude00', '\ud83d'],
  date: [new Date(0), new Date(1), new Date(Number.NaN), '1970-01-01', '1969-12-31T23:59:59.999Z', 0, -1],
  boolean: [true, false],
}
const ANY = [
  null,
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  'text',
  3,
  true,
  {},
  'x'.repeat(70),
  `${'x'.repeat(70)}y`,
]

const list = fc.constantFrom(...Object.keys(HELD)).chain(type =>
  fc.record({
    type: fc.constant(type as FieldType),
    values: fc.array(fc.constantFrom(...(HELD[type] as readonly unknown[]), ...ANY), { minLength: 1, maxLength: 20 }),
    length: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1000, max: 4000 })),
    step: fc.constantFrom(1, 7, 4998),
    descending: fc.boolean(),
    keyDescends: fc.boolean(),
    offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    limit: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 600 })),
  }),
)

test('a page of a list of any length and with any values is that of the sorted list', t => {
  const property = fc.property(list, fc.boolean(), (its, isWalk) => {
    const { type, values, length, step, descending, keyDescends, offset, limit } = its
    const by = field('it', type)
    const rows = Array.from({ length }, (_, index) => ({
      id: (index * step) % 4999,
      it: values[index % values.length],
    }))
    const order: Order[] = [
      { field: by, descending },
      { field: id, descending: keyDescends },
    ]
    const sorted = sortedBy(rows, order)
    const at = isWalk ? sorted[Math.floor(length / 2)] : undefined
    const after = at && [readValue(by, at.it, false) as Value, at.id]
    const behind = at ? sorted.slice(sorted.indexOf(at) + 1) : sorted
    const slice = { where: [], order, offset, limit, fields: [id], after }
    const found = arraySource.read(rows, slice, 'exact', ctx) as {
      rows: { id: number }[]
      total: number
      more: boolean
    }
    const page = behind.slice(offset, offset + limit)
    t.is(JSON.stringify(found.rows), JSON.stringify(page.map(({ id }) => ({ id }))))
    t.is(found.total, length)
    t.is(found.more, behind.length > offset + limit)
  })
  fc.assert(property, { numRuns: 400 })
})

function sortedBy<T extends { id: number; it: unknown }>(rows: readonly T[], order: readonly Order[]): T[] {
  const places = order.map(it => ({ field: it.field, compare: comparator(it) }))
  return rows.toSorted((one, other) => {
    for (const { field, compare } of places) {
      const name = field.name as 'id' | 'it'
      const sign = compare(keyOf(field, one[name]), keyOf(field, other[name]))
      if (sign !== 0) return sign
    }
    return 0
  })
}

test('sortBetween() puts in order what is asked for, and leaves out nothing', t => {
  const wanted = fc.tuple(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), fc.nat(210), fc.nat(210))
  const property = fc.property(wanted, ([all, one, other]) => {
    const [from, to] = [Math.min(one, other), Math.max(one, other)]
    const sorted = all.toSorted((a, b) => a - b)
    const given = [...all]
    const texts = all.map(String)
    sortBetween(given, texts, from, to, (a, _text, b) => a - b)
    t.deepEqual(texts, given.map(String))
    t.deepEqual(given.slice(from, to), sorted.slice(from, to))
    t.deepEqual(
      given.slice(0, from).toSorted((a, b) => a - b),
      sorted.slice(0, from),
    )
    t.deepEqual(
      given.toSorted((a, b) => a - b),
      sorted,
    )
  })
  fc.assert(property, { numRuns: 500 })
})

test('sortBetween() takes no longer for lists that are bad for many quicksorts', t => {
  const length = 100_000
  const lists = [
    Array.from({ length }, (_, index) => index),
    Array.from({ length }, (_, index) => length - index),
    Array.from({ length }, () => 1),
    Array.from({ length }, (_, index) => (index % 2 === 0 ? index : length - index)),
  ]
  for (const list of lists) {
    let count = 0
    sortBetween([...list], list, 50_000, 50_020, (a, _one, b) => {
      count += 1
      return a - b
    })
    t.true(count < 20 * length, `${count} comparisons`)
  }
})

test('a list gives copies of its rows, with the declared fields alone', t => {
  const name = field('name', 'string')
  const slice = { where: [], order: [{ field: id, descending: false }], offset: 0, limit: 10, fields: [id, name] }
  const inherits = Object.create({ name: 'inherited' }, { id: { value: 5, enumerable: true } })
  const hidden = Object.defineProperty({ id: 6, name: 'b' }, 'secret', { value: 1 })
  const rows = [
    { id: 1, name: 'a' },
    { name: 'a', id: 2 },
    { id: 3, name: 'a', secret: 1 },
    { id: 4, secret: 1 },
    inherits,
    hidden,
    { id: 7, name: Number.NaN },
    { id: 8, name: 'a', [Symbol('secret')]: 1 },
  ]
  const { rows: found } = arraySource.read(rows, slice, 'none', ctx) as { rows: object[] }
  t.deepEqual(
    found.map(row => Reflect.ownKeys(row)),
    rows.map(() => ['id', 'name']),
  )
  t.deepEqual(
    found.map(row => Object.values(row)),
    [
      [1, 'a'],
      [2, 'a'],
      [3, 'a'],
      [4, null],
      [5, null],
      [6, 'b'],
      [7, 'NaN'],
      [8, 'a'],
    ],
  )
  t.false(found.some(row => rows.includes(row)))
  Object.assign(found[0] as object, { name: 'changed' })
  t.is(rows[0].name, 'a')
})
