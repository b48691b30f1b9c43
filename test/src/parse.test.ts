import test from 'ava'
import fc from 'fast-check'
import { excessOf, mayExceed, parseText } from '../../src/body/parse.ts'

const strict = new TextDecoder('utf-8', { fatal: true })

/** Text, or undefined where it is no UTF-8. */
function attempt(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Bytes of which many are of UTF-8: whole characters, and others in between. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map(it => Buffer.from(it)),
      fc.constantFrom('\ufeff', '\u0000', 'a', 'é', '💩').map(it => Buffer.from(it)),
      fc.uint8Array({ maxLength: 3 }).map(it => Buffer.from(it)),
    ),
    { maxLength: 6 },
  )
  .map(parts => Buffer.concat(parts))

test('parseText() reads what a strict TextDecoder reads, and refuses what that refuses', t => {
  const property = fc.property(bytes, bytes =>
    t.is(
      attempt(() => parseText(bytes)),
      attempt(() => strict.decode(bytes)),
    ),
  )
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }))
})

const name = fc.constantFrom('__proto__', 'constructor', 'prototype', 'proto', 'a', '', '{[', '\\u')
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(null, 1, '{', '['),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }).map(items => `[${items.map(toText)}]`),
  object: fc
    .array(fc.tuple(name, fc.boolean(), tie('value')), { maxLength: 3 })
    .map(pairs => `{${pairs.map(([name, isEscaped, it]) => `${toName(name, isEscaped)}:${toText(it)}`)}}`),
}))

/** What is text already has been made so by a list or an object, unless it is a bracket alone. */
function toText(value: unknown): string {
  return typeof value === 'string' && value.length > 1 ? value : JSON.stringify(value)
}

function toName(name: string, isEscaped: boolean): string {
  const text = JSON.stringify(name)
  return isEscaped ? text.replace('o', '\\u006f') : text
}

test('mayExceed() says of no JSON that it is harmless where excessOf() finds something', t => {
  let harmless = 0
  const limits = fc.record({ depth: fc.integer({ min: 1, max: 6 }), keys: fc.integer({ min: 1, max: 12 }) })
  const property = fc.property(value, limits, (value, limits) => {
    const text = toText(value)
    if (mayExceed(text, limits)) return
    harmless += 1
    t.is(excessOf(JSON.parse(text), limits), undefined, text)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 3000 }))
  t.true(harmless > 100, `${harmless} of them`)
})

test('mayExceed() is at rest about JSON as most clients send it', t => {
  const limits = { depth: 64, keys: 10_000 }
  const lines = Array.from({ length: 50 }, (_, index) => ({ index, note: 'é, "quoted" and \\ \n' }))
  t.false(mayExceed(JSON.stringify({ lines }), limits))
  t.true(mayExceed('{"__proto__":1}', limits))
  t.true(mayExceed('{"\\u005f_pr\\u006fto__":1}', limits))
  t.true(mayExceed('['.repeat(65), limits))
})
