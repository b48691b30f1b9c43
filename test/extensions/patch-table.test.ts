import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { kolba, reply } from 'kolba'
import { json } from 'kolba/json'
import { patch } from 'kolba/patch'
import { applyJsonPatch } from '../../extensions/patch/json-patch.ts'
import { applyMergePatch } from '../../extensions/patch/merge-patch.ts'
import { readOperations } from '../../extensions/patch/operations.ts'
import { testVectors } from '../support/vectors.ts'

// Patches, documents, and what becomes of them: the cases of json-patch-tests, those of the RFCs, and random ones.

interface Case {
  readonly comment?: string
  readonly doc: unknown
  readonly patch: unknown
  readonly expected?: unknown
  readonly error?: string
}

/** A case of which the recorded answer is not ours, and why. */
const OURS: Record<string, string> = {
  'duplicate ops': 'RFC 8259 section 4: of a name that is there twice JSON.parse takes the last, as most readers do',
}

const JSON_PATCH = 'application/json-patch+json'

/** The status and the patched document, through a whole app, whose document is seen to be what it was. */
async function send(text: string, doc: unknown, type = JSON_PATCH): Promise<{ status: number; patched?: unknown }> {
  const app = kolba()
  app.get('/', json(), () => reply(200, doc))
  app.patch('/', patch(), json(), ctx => reply(200, { patched: ctx.patched }))
  const response = await app.client().patch('/', { body: text, headers: { 'Content-Type': type } })
  return { status: response.status, ...((await response.json()) as object) }
}

for (const [file, count] of [
  ['tests.json', 95],
  ['spec_tests.json', 17],
] as const) {
  testVectors(`patch() answers the ${count} cases of ${file}`, `json-patch/${file}`, async (t, text) => {
    const cases: Case[] = JSON.parse(text)
    t.is(cases.length, count)
    for (const { comment = '', doc, patch, expected, error } of cases) {
      const { status, patched } = await send(JSON.stringify(patch), doc)
      const said = `${comment} ${JSON.stringify(patch)}: ${status}`
      if (error !== undefined && !OURS[comment]) t.true([400, 409, 422].includes(status), said)
      else {
        t.is(status, 200, said)
        if (expected !== undefined) t.deepEqual(patched, expected, said)
      }
    }
  })
}

/** What is malformed, what conflicts with the state, and what nothing can be made of: RFC 5789 section 2.2. */
const STATUSES: [status: number, doc: unknown, operations: unknown, pointer?: string][] = [
  [400, {}, {}],
  [400, {}, 'add'],
  [400, {}, null],
  [400, {}, [1], '#/0'],
  [400, {}, [null], '#/0'],
  [400, {}, [[]], '#/0'],
  [400, {}, [{}], '#/0/op'],
  [400, {}, [{ op: 'spam', path: '/a' }], '#/0/op'],
  [400, {}, [{ op: 'toString', path: '/a' }], '#/0/op'],
  [400, {}, [{ op: ['add'], path: '/a', value: 1 }], '#/0/op'],
  [400, {}, [{ op: 'ADD', path: '/a', value: 1 }], '#/0/op'],
  [400, {}, [{ op: 'remove' }], '#/0/path'],
  [400, {}, [{ op: 'remove', path: ['a'] }], '#/0/path'],
  [400, {}, [{ op: 'remove', path: 'a' }], '#/0/path'],
  [400, {}, [{ op: 'remove', path: '#/a' }], '#/0/path'],
  [400, {}, [{ op: 'remove', path: '/~' }], '#/0/path'],
  [400, {}, [{ op: 'remove', path: '/~2' }], '#/0/path'],
  [400, {}, [{ op: 'add', path: '/a' }], '#/0/value'],
  [400, { a: 1 }, [{ op: 'copy', path: '/b' }], '#/0/from'],
  [400, { a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }], '#/0/path'],
  [400, {}, [{ op: 'add', path: '/__proto__/x', value: 1 }], '#/0/path'],
  [400, {}, [{ op: 'move', from: '/__proto__', path: '/a' }], '#/0/from'],
  [422, {}, [{ op: 'remove', path: '/a' }], '#/0/path'],
  [422, {}, [{ op: 'replace', path: '/toString', value: 1 }], '#/0/path'],
  [422, {}, [{ op: 'copy', from: '/constructor/prototype', path: '/a' }], '#/0/from'],
  [422, {}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }], '#/0/path'],
  [409, { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], '#/0/value'],
  [409, { a: 1 }, [{ op: 'test', path: '/a', value: '1' }], '#/0/value'],
  [409, { a: [] }, [{ op: 'test', path: '/a', value: {} }], '#/0/value'],
  [409, { a: null }, [{ op: 'test', path: '/b', value: null }], '#/0/path'],
  [422, { a: 1 }, [{ op: 'add', path: '/a/b', value: 1 }], '#/0/path'],
  [422, { a: 'text' }, [{ op: 'replace', path: '/a/0', value: 'T' }], '#/0/path'],
  [422, [1], [{ op: 'add', path: '/2', value: 1 }], '#/0/path'],
  [422, [1], [{ op: 'add', path: '/length', value: 0 }], '#/0/path'],
  [422, [1], [{ op: 'add', path: '/00', value: 0 }], '#/0/path'],
  [422, [1], [{ op: 'add', path: '/99999999999999999999', value: 0 }], '#/0/path'],
  [422, [1], [{ op: 'remove', path: '/-' }], '#/0/path'],
  [422, [1], [{ op: 'move', from: '/-', path: '/0' }], '#/0/from'],
  [422, [1], [{ op: 'move', from: '/9', path: '/9' }], '#/0/from'],
  [
    409,
    [1],
    [
      { op: 'remove', path: '' },
      { op: 'test', path: '', value: [1] },
    ],
    '#/1/path',
  ],
  [422, [1], [{ op: 'remove', path: '' }]],
  [
    200,
    [1],
    [
      { op: 'remove', path: '' },
      { op: 'add', path: '', value: [2] },
    ],
  ],
  [200, { length: [1] }, [{ op: 'test', path: '', value: { length: [1] } }]],
  [200, { a: -0, b: 1e2 }, [{ op: 'test', path: '', value: { b: 100, a: 0 } }]],
  [200, { '~1': { '/': 1 } }, [{ op: 'test', path: '/~01/~1', value: 1 }]],
]
for (const [expected, doc, operations, pointer] of STATUSES) {
  test(`patch() answers ${expected} to ${JSON.stringify(operations)} on ${JSON.stringify(doc)}`, async t => {
    const { status, ...rest } = await send(JSON.stringify(operations), doc)
    t.is(status, expected)
    const { errors } = rest as { errors?: { pointer: string }[] }
    if (expected !== 200) t.is(errors?.[0]?.pointer, pointer)
  })
}

/** RFC 7396 appendix A. */
const MERGES: [target: unknown, patch: unknown, result: unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  // Beside the appendix.
  [{ a: [null] }, { a: [null, { b: null }] }, { a: [null, { b: null }] }],
  [{}, { toString: { a: 1 } }, { toString: { a: 1 } }],
]
for (const [target, patch, result] of MERGES) {
  test(`patch() merges ${JSON.stringify(patch)} into ${JSON.stringify(target)}`, async t => {
    const { status, patched } = await send(JSON.stringify(patch), target, 'application/merge-patch+json')
    t.is(status, 200)
    t.deepEqual(patched, result)
  })
}

const LIMITS = { depth: 64, copied: 100_000 }
const apply = (document: unknown, operations: unknown) =>
  applyJsonPatch(document, readOperations(operations, 1000), LIMITS)

/** JSON without the one name that no operation takes. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'toString', 'length', '', '~', '/', '0', '-'),
  fc.string({ maxLength: 3 }),
)
const { value: anyJson } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(fc.constantFrom(null, true, false, 0, 1, 'a', ''), fc.integer(), fc.string({ maxLength: 3 })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      name.filter(it => it !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}))

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

/** All pointers into a document, that to all of it among them. */
function pointersOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at]
  const below = Object.entries(value).flatMap(([name, child]) =>
    pointersOf(child, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  )
  return [at, ...below]
}

/** An operation on some place of a document, or near it. */
function operationOn(document: unknown) {
  const place = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...pointersOf(document)) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...pointersOf(document))
        .chain(it => name.map(more => `${it}/${more.replace(/[~/]/g, '')}`)),
    },
  )
  const op = fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test')
  return fc.record({ op, path: place, from: place, value: anyJson })
}

/** What an operation does, by RFC 6902 in the plainest way: on a copy of all, in place. Undefined where it fails. */
function model(
  document: unknown,
  { op, path, from, value }: { op: string; path: string; from: string; value: unknown },
) {
  const root = { '': structuredClone(document) } as Record<string, unknown>
  const walk = (pointer: string) => {
    const tokens = `${pointer}`.split('/').map(it => it.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = tokens.pop() as string
    const parent = tokens.reduce<unknown>((it, token) => get(it, token), root)
    return { parent: parent as Record<string, unknown>, last }
  }
  const get = (it: unknown, token: string): unknown => {
    if (Array.isArray(it)) return String(Number(token)) === token ? it[Number(token)] : undefined
    return typeof it === 'object' && it !== null && Object.hasOwn(it, token) ? (it as never)[token] : undefined
  }
  const put = (what: unknown) => {
    const { parent, last } = walk(path)
    if (Array.isArray(parent)) {
      const index = last === '-' ? parent.length : Number(last)
      if ((last !== '-' && String(index) !== last) || !(index >= 0 && index <= parent.length)) return false
      parent.splice(index, 0, what)
    } else if (typeof parent === 'object' && parent !== null) parent[last] = what
    else return false
    return true
  }
  const take = (pointer: string) => {
    const { parent, last } = walk(pointer)
    const there = get(parent, last)
    if (there === undefined) return undefined
    if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else delete parent[last]
    return there
  }
  const at = (pointer: string) => get(walk(pointer).parent, walk(pointer).last)
  const isInside = path.startsWith(`${from}/`)
  const steps: Record<string, () => boolean> = {
    add: () => put(value),
    remove: () => take(path) !== undefined,
    replace: () => {
      if (at(path) === undefined) return false
      const { parent, last } = walk(path)
      parent[last] = value
      return true
    },
    move: () => {
      if (isInside) return false
      if (from === path) return at(from) !== undefined
      const moved = take(from)
      return moved !== undefined && put(moved)
    },
    copy: () => at(from) !== undefined && put(structuredClone(at(from))),
    test: () => isDeepStrictEqual(at(path), value),
  }
  return steps[op]?.() && Object.hasOwn(root, '') ? root[''] : undefined
}

test('patch() does what each operation says, to random documents, and leaves the document and the patch as they were', t => {
  const property = fc.property(
    anyJson.chain(document => fc.tuple(fc.constant(document), operationOn(document))),
    ([document, operation]) => {
      const expected = model(document, operation)
      let result: unknown
      try {
        result = apply(frozen(document), frozen([operation]))
      } catch (error) {
        const { status } = error as { status?: number }
        if (![400, 409, 422].includes(status as number)) throw error
      }
      return isDeepStrictEqual(result, expected)
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }))
})

test('patch() of many operations does what one after the other does', t => {
  const property = fc.property(
    anyJson.chain(document => fc.tuple(fc.constant(document), fc.array(operationOn(document), { maxLength: 8 }))),
    ([document, operations]) => {
      const attempt = (run: () => unknown) => {
        try {
          return { result: run() }
        } catch {
          return 'refused'
        }
      }
      const byOne = attempt(() => operations.reduce<unknown>((it, operation) => apply(it, [operation]), document))
      const isEmptied = operations.some(
        ({ op, path, from }) => (op === 'remove' && path === '') || (op === 'move' && from === ''),
      )
      const together = attempt(() => apply(frozen(document), frozen(operations)))
      return isEmptied || isDeepStrictEqual(together, byOne)
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})

test('patch() takes an addition back by its removal', t => {
  const property = fc.property(
    fc.dictionary(fc.string(), anyJson),
    fc.array(anyJson),
    anyJson,
    (object, list, value) => {
      const document = frozen({ object: { ...object, new: undefined }, list })
      const plain = JSON.parse(JSON.stringify(document))
      return ['/object/new', '/list/0', `/list/${list.length}`].every(path => {
        const added = apply(plain, [{ op: 'add', path, value }])
        const removal = [
          { op: 'test', path, value },
          { op: 'remove', path },
        ]
        return isDeepStrictEqual(apply(added, removal), plain)
      })
    },
  )
  t.notThrows(() => fc.assert(property, { numRuns: 300 }))
})

/** RFC 7396 section 2, read aloud. */
function mergeModel(target: unknown, patch: unknown): unknown {
  const isObject = (it: unknown): it is Record<string, unknown> =>
    typeof it === 'object' && it !== null && !Array.isArray(it)
  if (!isObject(patch)) return structuredClone(patch)
  const result: Record<string, unknown> = isObject(target) ? structuredClone(target) : {}
  for (const name of Object.keys(patch)) {
    if (patch[name] === null) delete result[name]
    else result[name] = mergeModel(Object.hasOwn(result, name) ? result[name] : undefined, patch[name])
  }
  return result
}

test('patch() merges random documents as RFC 7396 says, once or twice the same, and leaves both as they were', t => {
  const property = fc.property(anyJson, anyJson, (target, patch) => {
    const merged = applyMergePatch(frozen(target), frozen(patch))
    const isStable = isDeepStrictEqual(applyMergePatch(merged, patch), merged)
    return isStable && isDeepStrictEqual(merged, mergeModel(target, patch))
  })
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }))
})
