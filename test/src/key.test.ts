import test from 'ava'
import fc from 'fast-check'
import { type KeyPart, keyOf } from 'kolba'

test('keyOf() tells parts of every kind apart', t => {
  const keys = [
    keyOf(),
    keyOf(''),
    keyOf('', ''),
    keyOf('a', 'b'),
    keyOf('ab'),
    keyOf('a,1:b'),
    keyOf('1:a,'),
    keyOf('1'),
    keyOf(1),
    keyOf(1n),
    keyOf(null),
    keyOf('null'),
    keyOf(Number.NaN),
    keyOf(true),
    keyOf('\ud800'),
    keyOf('\ud801'),
    keyOf('\ufffd'),
    keyOf('\u0000'),
  ]
  t.is(new Set(keys).size, keys.length)
  t.is(keyOf('a', 1, 1n, true, null, '\ud800'), '1:a,n1,i1,true,null,j"\\ud800",')
})

test('keyOf() gives at most 128 bytes', t => {
  t.is(keyOf('x'.repeat(123)).length, 128)
  t.regex(keyOf('x'.repeat(124)), /^sha256:[\w-]{43}$/)
  t.regex(keyOf('é'.repeat(63)), /^sha256:[\w-]{43}$/)
  t.not(keyOf('x'.repeat(200)), keyOf('x'.repeat(201)))
  t.not(keyOf('\ud800'.repeat(200)), keyOf('\ud801'.repeat(200)))
})

test('keyOf() gives two lists the same key only where they are the same', t => {
  const part = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer(), fc.bigInt(), fc.constant(null))
  const parts = fc.array(part as fc.Arbitrary<KeyPart>, { maxLength: 4 })
  const isSame = (one: KeyPart[], other: KeyPart[]) =>
    one.length === other.length && one.every((it, index) => it === other[index])
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      t.is(keyOf(...one) === keyOf(...other), isSame(one, other))
      t.true(Buffer.byteLength(keyOf(...one)) <= 128)
    }),
  )
})
