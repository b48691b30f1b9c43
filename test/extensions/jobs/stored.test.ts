import { PassThrough } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { fromText, toText } from '../../../extensions/jobs/stored.js'

class Book {
  readonly title = 'Emma'
}

const bare = (its: object) => Object.assign(Object.create(null), its)

const VALUES: [title: string, value: unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['true', true],
  ['text', 'é € \u0000 \u2028 😀'],
  ['half a surrogate pair', '\ud83d'],
  ['a number', 1.5],
  ['minus zero', -0],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['minus infinity', Number.NEGATIVE_INFINITY],
  ['the largest number', Number.MAX_VALUE],
  ['a big integer', -(2n ** 100n)],
  ['a date', new Date(1)],
  ['a date that is none', new Date(Number.NaN)],
  ['a buffer', Buffer.from([0, 255, 10])],
  ['a buffer of nothing', Buffer.alloc(0)],
  ['bytes', new Uint8Array([0, 255, 10])],
  ['a part of bytes', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
  [
    'a map',
    new Map<unknown, unknown>([
      ['a', 1],
      [{ b: 2 }, new Set([1])],
      [undefined, undefined],
    ]),
  ],
  ['a map with lists as keys', new Map([[[1, [2]], [3]]])],
  ['a set', new Set([1, 'a', undefined, [2]])],
  ['a list', [1, [2, [undefined]], { a: [] }]],
  ['an object', { a: 1, b: { c: [null] } }],
  ['an object with what is undefined', { a: undefined, b: 1 }],
  ['an object without a prototype', bare({ a: 1, b: bare({}) })],
  ['an object with $', { $: 'date', value: 1 }],
  ['an object with $ that is no text', { $: 1 }],
  ['an object with $ in an object with $', { $: { $: { $: 'map' } } }],
  ['an object without a prototype, with $', bare({ $: 'set', value: [] })],
  ['names that objects have', { constructor: 1, toString: 2, hasOwnProperty: 3, value: 4 }],
  ['__proto__ as a name', JSON.parse('{ "__proto__": { "isAdmin": true }, "a": 1 }')],
  ['__proto__ as a name, without a prototype', JSON.parse('{ "a": 1 }', (_, it) => (it.a ? withProto() : it))],
]

function withProto(): object {
  const it = Object.create(null)
  Object.defineProperty(it, '__proto__', { value: 1, enumerable: true, writable: true, configurable: true })
  return it
}

for (const [title, value] of VALUES) {
  test(`toText() and fromText() keep ${title}`, t => {
    const read = fromText(toText(value, 'it'))
    t.deepEqual(read, value)
    t.is(Object.is(read, -0), Object.is(value, -0))
    t.is(Buffer.isBuffer(read), Buffer.isBuffer(value))
  })
}

test('fromText() makes a name of __proto__, and no prototype', t => {
  const read = fromText(toText(JSON.parse('{ "__proto__": { "isAdmin": true } }'), 'it')) as { isAdmin?: boolean }
  t.is(read.isAdmin, undefined)
  t.deepEqual(Object.keys(read), ['__proto__'])
  t.is(Object.getPrototypeOf(read), Object.prototype)
  t.is(({} as { isAdmin?: boolean }).isAdmin, undefined)
})

test('toText() and fromText() keep whatever there is', t => {
  const key = fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'value', 'constructor', 'toJSON'))
  const { tree } = fc.letrec(tie => ({
    leaf: fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.constantFrom(null, undefined),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 9 }),
    ),
    tree: fc.oneof(
      { maxDepth: 5 },
      tie('leaf'),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 }).map(it => new Map(it)),
      fc.array(tie('tree'), { maxLength: 3 }).map(it => new Set(it)),
    ),
  }))
  const same = fc.property(tree, value => {
    const text = toText(value, 'it')
    return toText(fromText(text), 'it') === text && isDeepStrictEqual(fromText(text), value)
  })
  t.notThrows(() => fc.assert(same, { numRuns: 300 }))
})

const circle: { its: unknown } = { its: [] }
circle.its = [circle]
const ring = new Map()
ring.set('ring', ring)
let deep: unknown = 1
for (let depth = 0; depth < 5000; depth += 1) deep = depth % 2 ? [deep] : { deep }

const REFUSED: [title: string, value: unknown, message: string][] = [
  ['a function', () => 1, 'ctx.a is a function'],
  ['a symbol', Symbol('a'), 'ctx.a is a symbol'],
  ['a stream', new PassThrough(), 'ctx.a is a stream'],
  ['a web stream', new ReadableStream(), 'ctx.a is a stream'],
  ['an async generator', (async function* () {})(), 'ctx.a is a stream'],
  ['an instance of a class', new Book(), 'ctx.a is an instance of Book'],
  ['an error', new RangeError('a'), 'ctx.a is an instance of RangeError'],
  ['a regular expression', /a/, 'ctx.a is an instance of RegExp'],
  ['a promise', Promise.resolve(), 'ctx.a is an instance of Promise'],
  ['a URL', new URL('http://localhost'), 'ctx.a is an instance of URL'],
  ['numbers that are no bytes', new Float64Array(1), 'ctx.a is an instance of Float64Array'],
  ['a weak map', new WeakMap(), 'ctx.a is an instance of WeakMap'],
  ['an object of an object', Object.create({ a: 1 }), 'ctx.a is an instance of Object'],
  ['an object of one without a prototype', Object.create(bare({})), 'ctx.a is an object of a kind of its own'],
]

for (const [title, value, message] of REFUSED) {
  test(`toText() refuses ${title}`, t => {
    t.throws(() => toText(value, 'ctx.a'), { instanceOf: TypeError, message })
  })
}

test('toText() says where what it refuses stands', t => {
  const refused = (value: unknown) => t.throws(() => toText(value, 'ctx.input'))?.message
  t.is(refused({ body: { files: [1, new PassThrough()] } }), 'ctx.input.body.files[1] is a stream')
  t.is(refused(new Map([['a', [new Book()]]])), 'ctx.input[0] is an instance of Book')
  t.is(refused(new Set([() => 1])), 'ctx.input is a function')
})

for (const [title, value] of [
  ['a circle', circle],
  ['a map in itself', ring],
  ['what is too deep', deep],
] as const) {
  test(`toText() refuses ${title}`, t => {
    const message = t.throws(() => toText(value, 'it'), { instanceOf: TypeError })?.message ?? ''
    t.regex(message, /^it.* is deeper than 200 levels, or leads back to itself$/)
    t.true(message.length < 3000)
  })
}

test('toText() takes what is as deep as bodies may be, and the same thing twice', t => {
  let value: unknown = 1
  for (let depth = 0; depth < 200; depth += 1) value = [value]
  t.deepEqual(fromText(toText(value, 'it')), value)
  const shared = { a: 1 }
  t.deepEqual(fromText(toText([shared, shared], 'it')), [shared, shared])
})
