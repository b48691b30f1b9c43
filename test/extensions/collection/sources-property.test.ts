import fc from 'fast-check'
import type { Condition, Field, Operator, Order, Slice, Value } from '../../../extensions/collection/types.ts'
import { slowRead } from '../../support/slow-model.ts'
import { everySource, type Place, read, slice, THING, type Thing } from '../../support/things.ts'

// Random rows and random slices: every source gives what the slow model gives. And a walk by `after`, while rows come and
// go, neither repeats a row nor misses one that stayed.

const SIGNS = [
  'a',
  'A',
  'b',
  'z',
  'é',
  'É',
  '\u0301',
  ' ',
  '%',
  '_',
  '\\',
  '*',
  '!',
  "'",
  '"',
  '0',
  '\n',
  'ſ',
  '\u212a',
  '\ue000',
  '\uffff',
  '\ud83d\ude00',
]

const text = fc.string({ unit: fc.constantFrom(...SIGNS), maxLength: 4 })
const whole = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -2147483648, max: 2147483647 }))
const number = fc.oneof(
  whole,
  whole.map(it => it / 8),
  fc.constantFrom(0.1, 0.3, 0.1 + 0.2, 1e300, -1e300, 3000000000, 9007199254740991),
)
const date = fc
  .oneof(
    fc.constantFrom('1970-01-01T00:00:00Z', '2020-03-29T01:00:00Z', '2020-10-25T00:30:00Z', '2020-10-25T01:30:00Z'),
    fc.constantFrom('1969-12-31T23:59:59.999Z', '2020-02-29T00:00:00.001Z', '1900-01-01T00:00:00Z'),
  )
  .chain(it => fc.integer({ min: -1, max: 1 }).map(by => new Date(Date.parse(it) + by)))

const VALUES: Readonly<Record<keyof Thing, fc.Arbitrary<NonNullable<Value>>>> = {
  id: fc.integer({ min: 0, max: 40 }),
  name: text,
  mood: fc.constantFrom('glad', 'Sad', 'é'),
  size: number,
  rank: number,
  seen: date,
  born: date,
  active: fc.boolean(),
}
/** What a row can have: no whole number has a fraction, though a filter may. */
const HELD = { ...VALUES, rank: whole }
const NAMES = Object.keys(VALUES) as (keyof Thing)[]

const orNull = <T>(it: fc.Arbitrary<T>) => fc.option(it, { freq: 4 })
const thing = fc.record({
  id: VALUES.id,
  name: orNull(text),
  mood: orNull(VALUES.mood),
  size: orNull(number),
  rank: orNull(whole),
  seen: orNull(date),
  born: orNull(date),
  active: orNull(fc.boolean()),
}) as fc.Arbitrary<Thing>
const things = fc.uniqueArray(thing, { selector: ({ id }) => id, maxLength: 14 })

const condition: fc.Arbitrary<Condition> = fc.constantFrom(...NAMES).chain(name => {
  const field: Field = THING[name]
  const comparing: Operator[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'between', 'null']
  const equating: Operator[] = ['eq', 'ne', 'in', 'nin', 'null']
  const more: Operator[] = name === 'name' ? ['like', 'like', 'like'] : []
  return fc.constantFrom(...(name === 'active' ? equating : [...comparing, ...more])).chain(operator => {
    const counts: Partial<Record<Operator, [number, number]>> = { in: [0, 3], nin: [0, 3], between: [2, 2] }
    const [minLength, maxLength] = counts[operator] ?? [1, 1]
    const one = operator === 'null' ? fc.boolean() : VALUES[name]
    return fc.array(one, { minLength, maxLength }).map(values => ({ field, operator, values }))
  })
})

const order: fc.Arbitrary<readonly Order[]> = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom(...NAMES.filter(name => name !== 'id')), { maxLength: 2 }),
    fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  )
  .map(([names, directions]) =>
    [...names, 'id' as const].map((name, index) => ({ field: THING[name], descending: directions[index] === true })),
  )

const wanted: fc.Arbitrary<Slice> = order
  .chain(order =>
    fc.record({
      order: fc.constant(order),
      where: fc.array(condition, { maxLength: 3 }),
      search: fc.option(fc.record({ text, fields: fc.constant([THING.name, THING.mood]) }), {
        nil: undefined,
        freq: 1,
      }),
      offset: fc.constantFrom(0, 0, 1, 3),
      limit: fc.integer({ min: 0, max: 6 }),
      after: fc.option(
        fc.tuple(
          ...order.map(({ field }) =>
            field.name === 'id' ? VALUES.id : orNull(HELD[field.name as keyof Thing] as fc.Arbitrary<Value>),
          ),
        ),
        { nil: undefined },
      ),
    }),
  )
  .map(part => slice(part))

/** Fewer where each is a conversation with a server. */
const runs = (place: Place): number => (place.ran().length > 0 ? 60 : 200)

everySource('* gives what the slow model gives, for any rows and any slice', async (t, place) => {
  await place.fill([])
  const property = fc.asyncProperty(things, fc.array(wanted, { minLength: 1, maxLength: 5 }), async (rows, slices) => {
    await place.fill(rows)
    for (const slice of slices) {
      const expected = slowRead(rows as never, slice)
      const found = await read(place.value(), slice, 'exact')
      t.is(JSON.stringify(found.rows), JSON.stringify(expected.rows))
      t.is(found.total, expected.total)
      t.is(found.more ?? expected.more, expected.more)
    }
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: runs(place) }))
})

everySource('a walk by after through * neither repeats a row nor misses one that stayed', async (t, place) => {
  await place.fill([])
  const changes = fc.array(fc.tuple(fc.boolean(), thing), { maxLength: 3 })
  const walk = fc.tuple(things, order, fc.integer({ min: 1, max: 4 }), fc.array(changes, { maxLength: 8 }))
  const property = fc.asyncProperty(walk, async ([rows, order, limit, steps]) => {
    await place.fill(rows)
    const there = new Map(rows.map(row => [row.id, row]))
    const stayed = new Set(there.keys())
    const seen: unknown[] = []
    let after: readonly Value[] | undefined
    for (let step = 0; ; step += 1) {
      const { rows: page } = await read(place.value(), slice({ order, limit, ...(after ? { after } : {}) }))
      seen.push(...page.map(({ id }) => id))
      if (page.length < limit) break
      after = order.map(({ field }) => page.at(-1)?.[field.name] as Value)
      for (const [isNew, row] of steps[step] ?? []) {
        if (isNew && !there.has(row.id) && !seen.includes(row.id)) {
          there.set(row.id, row)
          await place.add(row)
        } else if (!isNew && there.delete(row.id)) {
          stayed.delete(row.id)
          await place.remove(row.id)
        }
      }
    }
    t.is(new Set(seen).size, seen.length)
    t.deepEqual(
      [...stayed].filter(id => !seen.includes(id)),
      [],
    )
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: runs(place) }))
})
