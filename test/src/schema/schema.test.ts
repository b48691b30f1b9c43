import test from 'ava'
import fc from 'fast-check'
import { converter } from '../../../src/schema/convert.ts'
import { pruner } from '../../../src/schema/prune.ts'
import { readRefs } from '../../../src/schema/references.ts'
import { prepareSchema } from '../../../src/schema/schema.ts'

// What input() and output() are made of, by itself.

type Json = Record<string, unknown>

const convert = (schema: Json, value: unknown) => converter(schema, readRefs('test', schema), { text: true })(value)
const prune = (schema: Json, value: unknown) => pruner(schema, readRefs('test', schema), 'readOnly')(value)

const integer = { type: 'integer' }
const string = { type: 'string' }

const conversions: [schema: Json, text: unknown, result: unknown][] = [
  [integer, '5', 5],
  [integer, '1.0', 1],
  [integer, '9007199254740991', 9007199254740991],
  [integer, '9007199254740993', '9007199254740993'],
  [integer, '1e400', '1e400'],
  [integer, ' 1', ' 1'],
  [{ type: 'number' }, '1e21', 1e21],
  [{ type: 'number' }, '9007199254740993', '9007199254740993'],
  [{ type: ['number', 'string'] }, '5', '5'],
  [{ type: ['number', 'boolean'] }, '1', 1],
  [{ type: ['number', 'boolean'] }, 'true', true],
  [{ type: ['integer', 'null'] }, 'null', 'null'],
  [{ enum: [1, 2] }, '2', 2],
  [{ enum: ['1', 2] }, '1', '1'],
  [{ enum: ['1', 2] }, '2', 2],
  [{ enum: ['1', 2], type: 'string' }, '2', '2'],
  [{ const: true }, 'true', true],
  [{ anyOf: [integer, { const: 'auto' }] }, '5', 5],
  [{ anyOf: [integer, { const: 'auto' }] }, 'auto', 'auto'],
  [{ oneOf: [integer, string] }, '5', '5'],
  [{ allOf: [{ type: ['integer', 'string'] }, { type: 'number' }] }, '5', 5],
  [{ $ref: '#/$defs/n', $defs: { n: integer } }, '5', 5],
  [{ $ref: '#n', $defs: { n: { $anchor: 'n', ...integer } } }, '5', 5],
  [{ $ref: 'n', $defs: { n: { $id: 'n', ...integer } } }, '5', 5],
  [{ $id: 'urn:x:y', $ref: '#/$defs/n', $defs: { n: integer } }, '5', 5],
  [{ $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': integer } }, '5', 5],
  [{ anyOf: [integer, { $ref: '#' }] }, '5', 5],
  [{}, '5', '5'],
  [{ minimum: 1 }, '5', '5'],
  [{ type: 'array', items: integer }, '1,2', [1, 2]],
  [{ type: 'array', items: integer }, ['1', '2'], [1, 2]],
  [{ type: 'array', prefixItems: [string], items: integer }, '1,2', ['1', 2]],
  [{ type: ['array', 'string'], items: string }, 'a,b', 'a,b'],
  [{ type: 'array', items: { type: 'array', items: integer } }, '1,2', [[1], [2]]],
  [
    { properties: { a: integer }, additionalProperties: { type: 'boolean' } },
    { a: '1', b: '1' },
    { a: 1, b: true },
  ],
  [{ patternProperties: { '^n': integer } }, { n1: '1', m: '1' }, { n1: 1, m: '1' }],
  [{ allOf: [{ properties: { a: integer } }, { properties: { b: integer } }] }, { a: '1', b: '2' }, { a: 1, b: 2 }],
  [{ anyOf: [{ properties: { a: integer } }, { properties: { b: integer } }] }, { a: '1', b: '2' }, { a: 1, b: 2 }],
]
for (const [index, [schema, text, result]] of conversions.entries())
  test(`converter() ${index + 1}: ${JSON.stringify(schema)} makes of ${JSON.stringify(text)} ${JSON.stringify(result)}`, t =>
    t.deepEqual(convert(schema, text), result))

const tree: Json = {
  type: 'object',
  properties: { name: string, below: { type: 'array', items: { $ref: '#' } } },
}
const shape = {
  oneOf: [
    { type: 'object', properties: { kind: { const: 'circle' }, radius: integer }, required: ['kind'] },
    { type: 'object', properties: { kind: { const: 'square' }, side: integer }, required: ['kind'] },
  ],
}
const prunings: [schema: Json, value: unknown, result: unknown][] = [
  [{ type: 'object', properties: { a: {} } }, { a: 1, b: 2 }, { a: 1 }],
  [{ type: 'object' }, { a: 1 }, {}],
  [{}, { a: { b: 1 } }, { a: { b: 1 } }],
  [{ properties: { a: {} } }, { a: { x: 1 }, b: 2 }, { a: { x: 1 } }],
  [
    { properties: { a: {} }, additionalProperties: true },
    { a: 1, b: 2 },
    { a: 1, b: 2 },
  ],
  [
    { properties: { a: {} }, additionalProperties: {} },
    { a: 1, b: 2 },
    { a: 1, b: 2 },
  ],
  [
    { properties: { a: {} }, additionalProperties: false },
    { a: 1, b: { c: 1 } },
    { a: 1, b: { c: 1 } },
  ],
  [{ additionalProperties: { properties: { a: {} } } }, { x: { a: 1, b: 2 } }, { x: { a: 1 } }],
  [{ patternProperties: { '^x-': {} } }, { 'x-a': 1, b: 2 }, { 'x-a': 1 }],
  [{ type: 'array', items: { properties: { a: {} } } }, [{ a: 1, b: 2 }, 5], [{ a: 1 }, 5]],
  [{ prefixItems: [{ properties: { a: {} } }] }, [{ b: 1 }, { b: 1 }], [{}, { b: 1 }]],
  [{ allOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }, { a: 1, b: 2, c: 3 }, { a: 1, b: 2 }],
  [{ properties: { a: { readOnly: true }, b: {} } }, { a: 1, b: 2 }, { b: 2 }],
  [{ properties: { a: { $ref: '#/$defs/id' } }, $defs: { id: { readOnly: true } } }, { a: 1 }, {}],
  [
    { properties: { a: {} }, unevaluatedProperties: true },
    { a: 1, b: 2 },
    { a: 1, b: 2 },
  ],
  [
    { properties: { a: {} }, if: {}, else: { properties: { b: {} } } },
    { a: 1, b: 2, c: 3 },
    { a: 1, b: 2 },
  ],
  [{ properties: { a: {} }, anyOf: [{ required: ['a'] }, { required: ['b'] }] }, { a: 1, b: 2 }, { a: 1 }],
  [{ anyOf: [string, {}] }, { a: 1 }, { a: 1 }],
  [{ anyOf: [string, { properties: { a: {} } }] }, { a: 1, b: 2 }, { a: 1 }],
  [
    tree,
    { name: 'a', x: 1, below: [{ name: 'b', x: 1, below: [{ x: 1 }] }] },
    { name: 'a', below: [{ name: 'b', below: [{}] }] },
  ],
  [shape, { kind: 'circle', radius: 1, side: 2 }, { kind: 'circle', radius: 1 }],
  [shape, { kind: 'square', radius: 1, side: 2 }, { kind: 'square', side: 2 }],
  [shape, { kind: 'oval', radius: 1, side: 2, x: 3 }, { kind: 'oval', radius: 1, side: 2 }],
  [{ properties: { list: { items: shape } } }, { list: [{ kind: 'circle', side: 1 }] }, { list: [{ kind: 'circle' }] }],
]
for (const [index, [schema, value, result]] of prunings.entries())
  test(`pruner() ${index + 1}: ${JSON.stringify(schema)} leaves of ${JSON.stringify(value)} ${JSON.stringify(result)}`, t => {
    const before = structuredClone(value)
    t.deepEqual(prune(schema, value), result)
    t.deepEqual(value, before)
  })

test('pruner() gives the same value where there is nothing to take out, and drops __proto__', t => {
  const value = { a: [{ b: 1 }] }
  const schema = { properties: { a: { items: { properties: { b: {} } } } }, additionalProperties: true }
  t.is(prune(schema, value), value)
  t.deepEqual(Object.keys(prune(schema, JSON.parse('{"__proto__":1,"c":2}')) as object), ['c'])
})

test('readRefs() refuses a reference that leads nowhere', t => {
  const message = 'GET /: input body: the reference #/$defs/no leads nowhere. Put what it stands for into $defs.'
  t.throws(() => readRefs('GET /: input body', { items: { $ref: '#/$defs/no' } }), { instanceOf: TypeError, message })
})

test('prepareSchema() tells JSON Schema, records and Standard Schemas apart', t => {
  t.throws(() => prepareSchema('here', 5), { message: /^here is not a schema\. / })
  t.throws(() => prepareSchema('here', { a: 1 }), { message: /^here is not a schema\. / })
  t.deepEqual(prepareSchema('here', { type: 'integer' }).check(5), { value: 5 })
  t.deepEqual(prepareSchema('here', {}).check({ a: 1 }), { value: {} })
})

test('prepareSchema() takes what ajv knows, with formats, x- keywords and those of OpenAPI', t => {
  const schema = { type: 'string', format: 'email', example: 'a@b.ch', 'x-column': 'mail' }
  const { check } = prepareSchema('here', schema)
  t.deepEqual(check('a@b.ch'), { value: 'a@b.ch' })
  t.deepEqual(check('x'), { faults: [{ path: [], message: 'Must match format "email".' }] })
})

test('a message of a library that nobody knows does not carry the value', t => {
  const validate = (value: unknown) => ({ issues: [{ message: `${String(value)} is wrong` }, { message: 'Wrong!' }] })
  const { check } = prepareSchema('here', { '~standard': { version: 1, vendor: 'other', validate } })
  t.deepEqual(check('secret'), {
    faults: [
      { path: [], message: 'This is not one of the values that are possible here.' },
      { path: [], message: 'Wrong!' },
    ],
  })
})

// Models, written by hand.

test('converter() makes a number of JSON text for numbers and of nothing else', t => {
  const texts = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.integer().map(String),
    fc.constantFrom('1e5', '01', '+1', '.5'),
  )
  fc.assert(
    fc.property(texts, text => {
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {}
      const isNumber = typeof parsed === 'number' && text.trim() === text && Number.isFinite(parsed)
      const loses = isNumber && /^-?\d+$/.test(text) && !Number.isSafeInteger(parsed)
      return Object.is(convert({ type: 'number' }, text), isNumber && !loses ? parsed : text)
    }),
  )
  t.pass()
})

test('converter() leaves text alone where text is declared', t => {
  fc.assert(fc.property(fc.string(), text => convert(string, text) === text && convert({}, text) === text))
  t.pass()
})

/** A JSON Schema of objects, lists and numbers, with names of which values have more. */
const names = fc.constantFrom('a', 'b', 'c')
const { schemas } = fc.letrec<{ schemas: Json }>(tie => ({
  schemas: fc.oneof(
    { maxDepth: 3 },
    fc.constant<Json>({ type: 'integer' }),
    fc.record({ type: fc.constant('array'), items: tie('schemas') }) as fc.Arbitrary<Json>,
    fc.record({ type: fc.constant('object'), properties: fc.dictionary(names, tie('schemas')) }) as fc.Arbitrary<Json>,
  ),
}))
const values = fc.jsonValue({ maxDepth: 4 })
const mixed = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { noNullPrototype: true }),
  ),
})).value

function model({ type, properties = {}, items }: Json, value: unknown): unknown {
  if (Array.isArray(value)) return items ? value.map(it => model(items as Json, it)) : value
  if (typeof value !== 'object' || value === null || type !== 'object') return value
  const known = Object.entries(value).filter(([name]) => Object.hasOwn(properties as Json, name))
  return Object.fromEntries(
    known.map(([name, it]) => [name, model((properties as Record<string, Json>)[name] as Json, it)]),
  )
}

test('pruner() agrees with a model, and pruning twice is pruning once', t => {
  fc.assert(
    fc.property(schemas, fc.oneof(mixed, values), (schema, value) => {
      const pruned = prune(schema, value)
      t.deepEqual(pruned, model(schema, value))
      t.deepEqual(prune(schema, pruned), pruned)
    }),
  )
})
