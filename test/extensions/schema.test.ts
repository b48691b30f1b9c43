import test from 'ava'
import fc from 'fast-check'
import {
  date,
  flag,
  float,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  readOnly,
  type Schema,
  text,
  uuid,
  writeOnly,
} from 'kolba/schema'
import { z } from 'zod'

type Result = { readonly value: unknown } | { readonly issues: readonly { message: string; path?: unknown }[] }

function run(schema: Schema<unknown>, value: unknown): Result {
  return schema['~standard'].validate(value) as Result
}

function fits(schema: Schema<unknown>, value: unknown): boolean {
  return 'value' in run(schema, value)
}

function json(schema: Schema<unknown>, side: 'input' | 'output' = 'input'): unknown {
  return schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12' })
}

/** A value, what should come of it (undefined: it does not fit), and the sentence if not. */
type Row = [schema: Schema<unknown>, value: unknown, result?: unknown, message?: string]

const rows: Record<string, Row[]> = {
  'int()': [
    [int(), 5, 5],
    [int(), -0, -0],
    [int(), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [int(), Number.MAX_SAFE_INTEGER + 1, undefined, 'Expected a whole number.'],
    [int(), '5', undefined, 'Expected a whole number.'],
    [int(), 5.5, undefined, 'Expected a whole number.'],
    [int(), undefined, undefined, 'Expected a whole number.'],
    [int(), null, undefined, 'Expected a whole number.'],
    [int({ min: 1 }), 0, undefined, 'Expected a whole number, at least 1.'],
    [int({ max: 9 }), 10, undefined, 'Expected a whole number, at most 9.'],
    [int({ min: 1, max: 9 }), 10, undefined, 'Expected a whole number from 1 to 9.'],
    [int({ min: 1, max: 9 }), 9, 9],
  ],
  'float()': [
    [float(), 0.5, 0.5],
    [float(), Number.NaN, undefined, 'Expected a number.'],
    [float(), Infinity, undefined, 'Expected a number.'],
    [float({ min: 0.5 }), 0.4, undefined, 'Expected a number, at least 0.5.'],
  ],
  'text()': [
    [text(), '', ''],
    [text(), 5, undefined, 'Expected text.'],
    [text({ min: 2, max: 3 }), 'a', undefined, 'Expected text of 2 to 3 characters.'],
    [text({ max: 3 }), 'abcd', undefined, 'Expected text of at most 3 characters.'],
    [text({ max: 3 }), '😀😀😀', '😀😀😀'],
    [text({ max: 2 }), '😀😀😀', undefined, 'Expected text of at most 2 characters.'],
    [text({ min: 2 }), '😀', undefined, 'Expected text of 2 to 10000 characters.'],
    [text(), 'a'.repeat(10_000), 'a'.repeat(10_000)],
    [text(), 'a'.repeat(10_001), undefined, 'Expected text of at most 10000 characters.'],
    [text(), '\ud800', undefined, 'Expected text.'],
    [text({ pattern: /^a+$/ }), 'aaa', 'aaa'],
    [text({ pattern: /^a+$/ }), 'aab', undefined, 'This is not in the form that is expected.'],
    [text({ pattern: /^a+$/ }), 'a'.repeat(257), undefined, 'Expected text of at most 256 characters.'],
    [text({ pattern: /^a+$/, max: 300 }), 'a'.repeat(300), 'a'.repeat(300)],
  ],
  'uuid()': [
    [uuid(), '0190163d-8694-739b-aea5-966c26f8ad91', '0190163d-8694-739b-aea5-966c26f8ad91'],
    [uuid(), '0190163D-8694-739B-AEA5-966C26F8AD91', '0190163D-8694-739B-AEA5-966C26F8AD91'],
    [uuid(), '0190163d8694739baea5966c26f8ad91', undefined, 'Expected a UUID.'],
    [uuid(), '{0190163d-8694-739b-aea5-966c26f8ad91}', undefined, 'Expected a UUID.'],
  ],
  'oneOf()': [
    [oneOf('a', 1, null), 1, 1],
    [oneOf('a', 1, null), null, null],
    [oneOf('a', 1), '1', undefined, 'Expected one of "a", 1.'],
  ],
  'flag()': [
    [flag(), false, false],
    [flag(), 0, undefined, 'Expected true or false.'],
  ],
  'date()': [
    [date(), '2024-02-29', new Date('2024-02-29T00:00:00Z')],
    [date(), '2026-02-28T12:30:00.5+01:00', new Date('2026-02-28T11:30:00.500Z')],
    [date(), '2026-02-28t12:30:00z', new Date('2026-02-28T12:30:00Z')],
    ...[
      '2023-02-29',
      '2026-13-01',
      '2026-00-01',
      '2026-01-00',
      '2026-1-1',
      '2026-02-28T12:30:00',
      '2026-02-28T24:00:00Z',
      '1772281800',
      '',
      'now',
    ].map((it): Row => [date(), it, undefined, 'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z.']),
    [date(), 1772281800000, undefined, 'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z.'],
    [date(), new Date(), undefined, 'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z.'],
    [
      date({ min: new Date('2026-01-01') }),
      '2025-12-31',
      undefined,
      'Expected a date such as 2026-02-28 or 2026-02-28T12:30:00Z, at least 2026-01-01T00:00:00.000Z.',
    ],
    [date({ max: new Date('2026-01-01') }), '2026-01-01', new Date('2026-01-01')],
  ],
  'list()': [
    [list(int()), [1, 2], [1, 2]],
    [list(int()), [], []],
    [list(int()), { length: 0 }, undefined, 'Expected a list.'],
    [list(int(), { min: 1 }), [], undefined, 'Expected at least 1 items.'],
    [list(int(), { max: 1 }), [1, 2], undefined, 'Expected 0 to 1 items.'],
    [list(int(), { unique: true }), [1, 1], undefined, 'Expected no item twice.'],
    [list(object({ a: int() }), { unique: true }), [{ a: 1 }, { a: 1 }], undefined, 'Expected no item twice.'],
    [list(date()), ['2026-01-01'], [new Date('2026-01-01')]],
    [list(z.string().toUpperCase()), ['a'], ['A']],
  ],
  'optional()': [
    [optional(int()), 5, 5],
    [optional(int(), 7), undefined, 7],
    [optional(int(), 7), null, undefined, 'Expected a whole number.'],
  ],
  'nullable()': [
    [nullable(int()), null, null],
    [nullable(int()), undefined, undefined, 'Expected a whole number.'],
  ],
  'object()': [
    [object({ a: int() }), { a: 1, b: 2 }, { a: 1 }],
    [object({ a: int() }, { additional: 'keep' }), { a: 1, b: 2 }, { a: 1, b: 2 }],
    [object({ a: int() }, { additional: 'refuse' }), { a: 1, b: 2 }, undefined, 'This is not expected here.'],
    [object({ a: optional(int(), 3) }, { additional: 'keep' }), { b: 2 }, { a: 3, b: 2 }],
    [object({ a: int() }), {}, undefined, 'This is required.'],
    [object({ a: int() }), [], undefined, 'Expected an object.'],
    [object({ a: int() }), null, undefined, 'Expected an object.'],
    [object({ a: optional(int()) }), {}, {}],
    [object({ a: optional(int()) }), { a: undefined }, { a: undefined }],
    [object({ a: optional(date()) }), { a: '2026-01-01' }, { a: new Date('2026-01-01') }],
    [object({ a: z.string().trim() }), { a: ' x ' }, { a: 'x' }],
    [object({ constructor: optional(text()), toString: optional(text()) }), {}, {}],
    [object({ constructor: text() }), {}, undefined, 'This is required.'],
  ],
}

for (const [title, all] of Object.entries(rows)) {
  test(`${title} takes what fits, and says what it expected`, t => {
    for (const [schema, value, result, message] of all) {
      const found = run(schema, value)
      if (result !== undefined) t.deepEqual(found, { value: result })
      else t.is((found as { issues: { message: string }[] }).issues[0]?.message, message ?? 'a message in the row')
    }
  })
}

test('object() finds all faults at every level', t => {
  const schema = object({ a: int(), b: list(object({ c: text(), d: flag() })) })
  const { issues } = run(schema, { a: 'x', b: [{ c: 1 }, { c: 'x', d: true }, 5] }) as { issues: unknown[] }
  t.deepEqual(issues, [
    { path: ['a'], message: 'Expected a whole number.' },
    { path: ['b', 0, 'c'], message: 'Expected text.' },
    { path: ['b', 0, 'd'], message: 'This is required.' },
    { path: ['b', 2], message: 'Expected an object.' },
  ])
})

test('object() gives the same object where there is nothing to change', t => {
  const value = { a: 1, b: [{ c: 'x' }] }
  const result = run(object({ a: int(), b: list(object({ c: text() })) }), value) as { value: unknown }
  t.is(result.value, value)
})

test('object() does not set a prototype, nor read one', t => {
  const schema = object({ a: optional(int()) })
  const given = JSON.parse('{"__proto__":{"a":1},"b":1}')
  const { value } = run(schema, given) as { value: object }
  t.deepEqual(Object.keys(value), [])
  t.is(Object.getPrototypeOf(value), Object.prototype)
})

test('optional() gives each its own copy of a default', t => {
  const schema = object({ tags: optional(list(text()), []) })
  const first = run(schema, {}) as { value: { tags: string[] } }
  first.value.tags.push('x')
  t.deepEqual(run(schema, {}), { value: { tags: [] } })
})

test('readOnly() is not required, and writeOnly() is', t => {
  const schema = object({ id: readOnly(int()), password: writeOnly(text()) })
  t.true(fits(schema, { password: 'x' }))
  t.false(fits(schema, { id: 1 }))
  t.deepEqual(json(schema), {
    type: 'object',
    properties: {
      id: { type: 'integer', readOnly: true },
      password: { type: 'string', maxLength: 10_000, writeOnly: true },
    },
    required: ['password'],
  })
  t.deepEqual((json(schema, 'output') as { required: string[] }).required, ['id'])
})

test('a schema says itself as JSON Schema, what it takes and what it gives', t => {
  t.deepEqual(json(int({ min: 1, max: 9 })), { type: 'integer', minimum: 1, maximum: 9 })
  t.deepEqual(json(text({ min: 1, max: 9, pattern: /^a/ })), {
    type: 'string',
    minLength: 1,
    maxLength: 9,
    pattern: '^a',
  })
  t.deepEqual(json(text({ pattern: /^a/i })), { type: 'string', maxLength: 256 })
  t.deepEqual(json(oneOf('a', 1)), { enum: ['a', 1] })
  t.deepEqual(json(date()), { type: 'string', anyOf: [{ format: 'date' }, { format: 'date-time' }] })
  t.deepEqual(json(date(), 'output'), { type: 'string', format: 'date-time' })
  t.deepEqual(json(nullable(int())), { anyOf: [{ type: 'integer' }, { type: 'null' }] })
  t.deepEqual(json(optional(int(), 1)), { type: 'integer', default: 1 })
  t.deepEqual(json(list(z.int(), { min: 1, unique: true })), {
    type: 'array',
    items: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    minItems: 1,
    uniqueItems: true,
  })
  const shape = object({ a: optional(int(), 1), b: int() }, { additional: 'refuse' })
  t.deepEqual((json(shape) as { required: unknown }).required, ['b'])
  t.deepEqual((json(shape, 'output') as { required: unknown }).required, ['a', 'b'])
  t.is((json(shape) as { additionalProperties: unknown }).additionalProperties, false)
})

test('a schema is a Standard Schema, for JSON Schema 2020-12 and no other', t => {
  const its = int()['~standard']
  t.is(its.version, 1)
  t.is(its.vendor, 'kolba')
  t.throws(() => its.jsonSchema.input({ target: 'openapi-3.0' }), {
    message: 'openapi-3.0 is not known here. Ask for draft-2020-12.',
  })
})

const refused: [make: () => unknown, message: string][] = [
  [() => int({ min: 0.5 }), 'int: the option min is 0.5. Give a whole number.'],
  [() => int({ min: Number.NaN }), 'int: the option min is NaN. Give a whole number.'],
  [() => int({ min: 5, max: 1 }), 'int: min 5 is more than max 1. Exchange them.'],
  [() => int({ mim: 1 } as never), 'int: the option "mim" is unknown. It takes min and max.'],
  [() => text({ min: -1 }), 'text: the option min is -1. Give a whole number from 0.'],
  [() => text({ min: 300, pattern: /a/ }), 'text: min 300 is more than max 256. Exchange them.'],
  [() => text({ pattern: 'a' as never }), 'text: the option pattern is "a". Give a RegExp.'],
  [() => oneOf(), 'oneOf: there are no values. Give some.'],
  [() => date({ min: '2026' as never }), 'date: the option min is "2026". Give a Date.'],
  [() => list({} as never), 'list is not a schema. Give one such as int(), or one of another library.'],
  [() => list(int(), { min: 2, max: 1 }), 'list: min 2 is more than max 1. Exchange them.'],
  [() => object({ a: 5 } as never), 'object a is not a schema. Give one such as int(), or one of another library.'],
  [() => object(null as never), 'object: the shape is no object. Give one of schemas by name, { id: int() }.'],
]
for (const [make, message] of refused)
  test(`a schema is refused: ${message}`, t => void t.throws(make, { instanceOf: TypeError, message }))

test('object() refuses an asynchronous schema within it when it is used', t => {
  const schema = object({ a: z.string().refine(async () => true) })
  t.throws(() => run(schema, { a: 'x' }), {
    message: 'object a is an asynchronous schema, which stands alone and not in another.',
  })
})

const SLOW: [pattern: RegExp, what: string][] = [
  [/^(a+)+$/, 'a repetition in a repetition'],
  [/^(?:a*)*$/, 'a repetition in a repetition'],
  [/^(?:(?:a|b)+c?)+$/, 'a repetition in a repetition'],
  [/^(?:a?){20}$/, 'a repetition in a repetition'],
  [/^(\w+\s?)*$/, 'a repetition in a repetition'],
  [/^(a|a)*$/, 'a repeated choice of what may begin alike'],
  [/^(?:a|ab)+$/, 'a repeated choice of what may begin alike'],
  [/^(?:\d|[0-9])+$/, 'a repeated choice of what may begin alike'],
  [/^(a)\1$/, 'a backreference'],
  [/^(?<x>a)\k<x>$/, 'a backreference'],
]
for (const [pattern, what] of SLOW)
  test(`text() refuses ${pattern}`, t => {
    const message = `text: the pattern ${pattern} has ${what}, which can take very long. Write it in another way.`
    t.throws(() => text({ pattern }), { message })
  })

test('text() takes patterns that are bounded', t => {
  const fine = [
    /^[a-z]+$/,
    /^[\w.+-]+@[\w-]+\.[a-z]{2,}$/i,
    /^\d{4}-\d{2}-\d{2}$/,
    /^(?:\d{1,3}\.){3}\d{1,3}$/,
    /^(?:a|b|c)+$/,
    /^(?:ab|cd)*$/,
    /^[()*+]{2,5}$/,
    /^\(\*\)+$/,
    /^(?=.*\d)(?=.*[a-z]).+$/,
    /^https?:\/\/[^/]+\/?$/,
  ]
  for (const pattern of fine) t.notThrows(() => text({ pattern }), String(pattern))
})

test('text() with a global pattern remembers nothing', t => {
  const schema = text({ pattern: /a/g })
  t.true(fits(schema, 'a'))
  t.true(fits(schema, 'a'))
})

// Models, written by hand.

test('int() and float() agree with a model', t => {
  const any = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constantFrom(null, undefined, true, '5'))
  const bounds = fc.tuple(fc.integer(), fc.integer()).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }))
  fc.assert(
    fc.property(any, bounds, (value, { min, max }) => {
      const within = typeof value === 'number' && value >= min && value <= max
      return (
        fits(int({ min, max }), value) === (within && Number.isInteger(value)) &&
        fits(float({ min, max }), value) === within
      )
    }),
  )
  t.pass()
})

test('text() agrees with a model that counts characters', t => {
  const bounds = fc.tuple(fc.nat(12), fc.nat(12)).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }))
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 14 }), bounds, (value, { min, max }) => {
      const length = [...value].length
      return fits(text({ min, max }), value) === (length >= min && length <= max)
    }),
  )
  t.pass()
})

test('date() reads what Date writes, and no day that is in no calendar', t => {
  const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  fc.assert(
    fc.property(dates, it => (run(date(), it.toISOString()) as { value: Date }).value.getTime() === it.getTime()),
  )
  const pad = (n: number, width: number) => String(n).padStart(width, '0')
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), fc.nat(13), fc.nat(32), (year, month, day) => {
      const written = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
      const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
      const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      const exists = month >= 1 && day >= 1 && day <= (lengths[month - 1] ?? 0)
      return fits(date(), written) === exists
    }),
  )
  t.pass()
})

test('object() gives the declared properties of any object, and no others', t => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'toString', 'constructor', '__proto__')
  const schema = object({ a: optional(int()), b: optional(object({ c: optional(int()) })), toString: optional(int()) })
  const inner = fc.dictionary(names, fc.integer())
  fc.assert(
    fc.property(fc.dictionary(names, fc.integer()), inner, (outer, b) => {
      const has = (name: string) => Object.hasOwn(outer, name)
      const expected = {
        ...(has('a') && { a: outer.a }),
        b: Object.hasOwn(b, 'c') ? { c: b.c } : {},
        ...(has('toString') && { toString: outer.toString }),
      }
      const { value } = run(schema, { ...outer, b }) as { value: object }
      const sorted = (it: object) => JSON.stringify(Object.entries(it).sort(([a], [b]) => (a < b ? -1 : 1)))
      return sorted(value) === sorted(expected)
    }),
  )
  t.pass()
})
