import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { kolba } from 'kolba'
import { rateLimit } from 'kolba/rate-limit'
import { parseList, serializeList } from 'structured-headers'
import { MemoryLogger } from '../support/memory-logger.js'
import { root } from '../support/root.js'
import { testVectors } from '../support/vectors.js'

type Fields = typeof import('../../dist/extensions/rate-limit/structured-fields.js')
const { append, writeItem }: Fields = await import(
  pathToFileURL(join(root, 'dist/extensions/rate-limit/structured-fields.js')).href
)

type Bare = string | number | boolean | { __type: string }
type Item = [Bare | Item[], [string, Bare][]]
interface Case {
  name: string
  raw?: string[]
  header_type: 'item' | 'list' | 'dictionary'
  expected?: Item | Item[]
  must_fail?: boolean
  canonical?: string[]
}

/** What the two headers are made of: strings and whole numbers, with parameters that are the same. */
function isOurs([bare, parameters]: Item): boolean {
  const isBare = (it: unknown) => typeof it === 'string' || Number.isInteger(it)
  const names = parameters.map(([name]) => name)
  return isBare(bare) && parameters.every(([, it]) => isBare(it)) && new Set(names).size === names.length
}

function writeAll(items: readonly Item[]): string | undefined {
  return items.reduce<string | undefined>(
    (list, [bare, parameters]) => append(list, writeItem(bare as string, Object.fromEntries(parameters) as never)),
    undefined,
  )
}

/** Both directions: what a header was parsed to is written as its canonical form, and what must not be is refused. */
function check(file: string, counts: { written: number; refused: number }) {
  testVectors(`the headers are written as structured fields are, ${file}`, `structured-fields/${file}`, (t, text) => {
    const found = { written: 0, refused: 0 }
    for (const { name, raw, header_type, expected, must_fail, canonical } of JSON.parse(text) as Case[]) {
      if (expected === undefined || header_type === 'dictionary') continue
      const items = (header_type === 'item' ? [expected] : expected) as Item[]
      if (must_fail) {
        if (!items.every(isOurs)) continue
        t.throws(() => writeAll(items), { instanceOf: RangeError }, name)
        found.refused += 1
        continue
      }
      const ours = items.every(isOurs) ? writeAll(items) : undefined
      // A decimal, 1.0, has become the same number as 1.
      if (ours === undefined || /\d\.\d/.test(raw?.join() ?? '')) continue
      t.is(ours, (canonical ?? raw ?? []).join(', '), name)
      found.written += 1
    }
    t.deepEqual(found, counts)
  })
}

check('string.json', { written: 6, refused: 0 })
check('string-generated.json', { written: 95, refused: 0 })
check('number.json', { written: 10, refused: 0 })
check('number-generated.json', { written: 45, refused: 0 })
check('item.json', { written: 2, refused: 0 })
check('list.json', { written: 7, refused: 0 })
check('examples.json', { written: 5, refused: 0 })
check('serialisation-tests/string-generated.json', { written: 0, refused: 33 })
check('serialisation-tests/number.json', { written: 0, refused: 2 })

test('writeItem() writes what structured-headers reads, and as it would', t => {
  const text = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map(it => String.fromCharCode(it)), maxLength: 20 })
  const number = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 })
  const key = fc.stringMatching(/^[a-z*][a-z\d_.*-]{0,8}$/)
  const parameters = fc.dictionary(key, fc.oneof(text, number), { maxKeys: 4, noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(text, number), parameters), { minLength: 1, maxLength: 4 }), items => {
      const written = items.reduce<string | undefined>((list, [it, its]) => append(list, writeItem(it, its)), undefined)
      const parsed = parseList(written as string)
      const expected = items.map(([it, its]) => [it, new Map(Object.entries(its))])
      t.deepEqual(parsed, expected as never)
      t.is(written, serializeList(parsed))
    }),
  )
})

test('writeItem() refuses what no structured field can hold', t => {
  t.throws(() => writeItem('é'), { instanceOf: RangeError, message: 'writeItem: "é" is not printable ASCII.' })
  t.throws(() => writeItem(1e15), {
    instanceOf: RangeError,
    message: 'writeItem: 1000000000000000 is no whole number of at most 15 digits.',
  })
  t.throws(() => writeItem(1, { Q: 1 }), { instanceOf: RangeError, message: 'writeItem: "Q" is no key.' })
})

test('rateLimit() sends headers that structured-headers reads as it means them', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', rateLimit('3/15min', { name: 'a:b.c-d_e' }), rateLimit('1/day'), () => 'ok')
  const client = app.client()
  for (const [status, items] of [
    [
      200,
      [
        ['a:b.c-d_e', { r: 2, t: 900 }],
        ['default', { r: 0, t: 86_400 }],
      ],
    ],
    [
      429,
      [
        ['a:b.c-d_e', { r: 1, t: 900 }],
        ['default', { r: 0, t: 86_400 }],
      ],
    ],
    [
      429,
      [
        ['a:b.c-d_e', { r: 0, t: 900 }],
        ['default', { r: 0, t: 86_400 }],
      ],
    ],
    [429, [['a:b.c-d_e', { r: 0, t: 900 }]]],
  ] as const) {
    const { status: its, headers } = await client.get('/')
    t.is(its, status)
    const read = (name: string) =>
      parseList(headers.get(name) ?? '').map(([it, parameters]) => [it, Object.fromEntries(parameters)])
    t.deepEqual(read('RateLimit'), items as never)
    const policies = [
      ['a:b.c-d_e', { q: 3, w: 900 }],
      ['default', { q: 1, w: 86_400 }],
    ]
    t.deepEqual(read('RateLimit-Policy'), policies.slice(0, items.length) as never)
  }
})
