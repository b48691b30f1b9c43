import test from 'ava'
import { Bare, isFixed, rememberFixed } from 'kolba'

const circle: Record<string, unknown> = { a: 1 }
circle.self = [circle]
Object.freeze(circle.self)

const fixed: Record<string, unknown> = {
  'a text': 'a',
  nothing: null,
  'an object': Object.freeze({ a: 1 }),
  'an object in an object': Object.freeze({ a: Object.freeze({ b: 1 }) }),
  'a list of objects': Object.freeze([Object.freeze({ a: 1 })]),
  'an object without a prototype': Object.freeze(Object.assign(Object.create(null), { a: 1 })),
  bare: Object.freeze(new Bare()),
  'what holds itself': Object.freeze(circle),
}
const open: Record<string, unknown> = {
  'an object that is not frozen': { a: 1 },
  'one in a frozen one': Object.freeze({ a: { b: 1 } }),
  'one in a frozen list': Object.freeze([{ a: 1 }]),
  'one under a symbol': Object.freeze({ [Symbol('a')]: {} }),
  'one that nobody counts': Object.freeze(Object.defineProperty({}, 'a', { value: {} })),
  'a getter': Object.freeze({
    get a() {
      return 1
    },
  }),
  'toJSON, which may say another thing each time': Object.freeze({ toJSON: () => 1 }),
  'an instance, which may have private fields': Object.freeze(new (class {})()),
  'a Date': Object.freeze(new Date(0)),
  'a Map': Object.freeze(new Map()),
}

test('isFixed() is true of what will be the same for ever', t => {
  for (const [name, value] of Object.entries(fixed)) t.true(isFixed(value), name)
})

test('isFixed() is false of what may change', t => {
  for (const [name, value] of Object.entries(open)) t.false(isFixed(value), name)
})

test('isFixed() looks at each object once, in however many places it is', t => {
  let value: object = Object.freeze({})
  for (let level = 0; level < 60; level += 1) value = Object.freeze([value, value])
  t.true(isFixed(value))
})

test('rememberFixed() makes it once of what is fixed, and each time of all else', t => {
  for (const [name, value] of Object.entries({ ...fixed, ...open })) {
    let made = 0
    const make = rememberFixed(it => {
      t.is(it, value)
      made += 1
      return `${made}`
    })
    const isKept = name in fixed && typeof value === 'object' && value !== null
    t.deepEqual([make(value), make(value)], isKept ? ['1', '1'] : ['1', '2'], name)
  }
})
