import test from 'ava'
import fc from 'fast-check'
import { type Answer, appOf, ask, type Plain, send } from '../../support/asked.ts'
import { testVectors } from '../../support/vectors.ts'

// What is printed in a language and read again is the same.

interface Model {
  where: [field: string, operator: string, ...values: (string | number | boolean)[]][]
  order: string[]
  q?: string | undefined
  fields?: string[] | undefined
  expand: string[]
  first: number
  size: number
}

const good = (max: number) =>
  fc.string({ unit: 'grapheme', maxLength: max }).filter(text => text.isWellFormed() && !text.includes('\0'))
const VALUES: Record<string, fc.Arbitrary<string | number | boolean>> = {
  id: fc.integer(),
  name: good(12),
  age: fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter(number => !Number.isInteger(number) || Number.isSafeInteger(number)),
  status: fc.constantFrom('new', 'old'),
  created: fc
    .date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') })
    .map(date => date.toJSON()),
  active: fc.boolean(),
}
const EQUALITY = ['eq', 'ne', 'in', 'nin', 'null']
const ORDERED = [...EQUALITY, 'lt', 'lte', 'gt', 'gte', 'between']
const operatorsOf = (field: string) =>
  field === 'active' ? EQUALITY : field === 'name' || field === 'status' ? [...ORDERED, 'like'] : ORDERED

const condition = fc
  .constantFrom(...Object.keys(VALUES))
  .chain(field => fc.tuple(fc.constant(field), fc.constantFrom(...operatorsOf(field))))
  .chain(([field, operator]) => {
    const value = operator === 'null' ? fc.boolean() : operator === 'like' ? good(12) : VALUES[field]
    const [minLength, maxLength] = { in: [1, 4], nin: [1, 4], between: [2, 2] }[operator] ?? [1, 1]
    const values = fc.array(value as fc.Arbitrary<string>, {
      minLength: minLength as number,
      maxLength: maxLength as number,
    })
    return values.map(values => [field, operator, ...values] as Model['where'][number])
  })
const model: fc.Arbitrary<Model> = fc.record({
  where: fc.uniqueArray(condition, { maxLength: 6, selector: ([field, operator]) => `${field} ${operator}` }),
  order: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...Object.keys(VALUES)), fc.constantFrom('', '-')), {
      maxLength: 3,
      selector: ([field]) => field,
    })
    .map(all => all.map(([field, sign]) => `${sign}${field}`)),
  q: fc.option(
    good(12).filter(text => text !== ''),
    { nil: undefined },
  ),
  fields: fc.option(fc.uniqueArray(fc.constantFrom(...Object.keys(VALUES)), { minLength: 1 }), { nil: undefined }),
  expand: fc.uniqueArray(fc.constantFrom('country', 'friends', 'country.continent')),
  first: fc.nat(1000),
  size: fc.integer({ min: 1, max: 100 }),
})

const LISTS = ['in', 'nin', 'between']
const encode = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
const escaped = (value: unknown) => String(value).replace(/[\\,;]/g, '\\$&')
const said = (operator: string, values: readonly unknown[]) =>
  LISTS.includes(operator) ? values.map(escaped).join() : String(values[0])
const json5 = (operator: string, values: readonly unknown[]) => (LISTS.includes(operator) ? values : values[0])

/** What a language cannot say is taken out of the model, and the rest printed. */
const PRINTERS: Record<string, (it: Model) => { model: Model; text: string }> = {
  default: it => ({
    model: it,
    text: encode([
      ...it.where.map(
        ([field, operator, ...values]) =>
          [operator === 'eq' ? field : `${field}[${operator}]`, said(operator, values)] as const,
      ),
      ...(it.q === undefined ? [] : [['q', it.q] as const]),
      ['sort', it.order.join()],
      ...(it.fields ? [['fields', it.fields.join()] as const] : []),
      ['expand', it.expand.join()],
      ['page', String(it.first + 1)],
      ['per_page', String(it.size)],
    ]),
  }),
  classic: it => ({
    model: it,
    text: encode([
      [
        'filter',
        it.where
          .map(([field, operator, ...values]) =>
            [field, { gte: 'ge', lte: 'le' }[operator] ?? operator, ...values].map(escaped).join(),
          )
          .join(';'),
      ],
      ...(it.q === undefined ? [] : [['q', it.q] as const]),
      ['sort', it.order.map(name => (name.startsWith('-') ? `${name.slice(1)},desc` : `${name},asc`)).join(';')],
      ...(it.fields ? [['fields', it.fields.join()] as const] : []),
      ['expand', it.expand.join()],
      ['page', String(it.first + 1)],
      ['per_page', String(it.size)],
    ]),
  }),
  jsonapi: it => ({
    model: it,
    text: encode([
      ...it.where.map(
        ([field, operator, ...values]) => [`filter[${field}][${operator}]`, said(operator, values)] as const,
      ),
      ...(it.q === undefined ? [] : [['filter[q]', it.q] as const]),
      ['sort', it.order.join()],
      ...(it.fields ? [['fields[people]', it.fields.join()] as const] : []),
      ['include', it.expand.join()],
      ['page[number]', String(it.first + 1)],
      ['page[size]', String(it.size)],
    ]),
  }),
  'react-admin': it => {
    const [name = 'id'] = it.order
    const filter = it.where.map(([field, operator, ...values]) => [`${field}_${operator}`, json5(operator, values)])
    return {
      model: { ...it, order: [name], fields: undefined },
      text: encode([
        ['filter', JSON.stringify({ ...Object.fromEntries(filter), ...(it.q !== undefined && { q: it.q }) })],
        ['sort', JSON.stringify([name.replace('-', ''), name.startsWith('-') ? 'DESC' : 'ASC'])],
        ['range', JSON.stringify([it.first, it.first + it.size - 1])],
        ['embed', JSON.stringify(it.expand)],
      ]),
    }
  },
  'json-server': it => {
    const names = new Map<string, Model['where'][number]>()
    for (const term of it.where) {
      const [field, operator, ...values] = term
      if (operator === 'null' || operator === 'between' || operator === 'like') continue
      if ((operator === 'in' || operator === 'nin') && values.length < 2) continue
      const suffix = { eq: '', in: '', nin: '_ne' }[operator] ?? `_${operator}`
      names.set(`${field}${suffix}`, term)
    }
    return {
      model: { ...it, where: [...names.values()], fields: undefined },
      text: encode([
        ...[...names].flatMap(([name, [, , ...values]]) => values.map(value => [name, String(value)] as const)),
        ...(it.q === undefined ? [] : [['q', it.q] as const]),
        ['_sort', it.order.map(name => name.replace('-', '')).join()],
        ['_order', it.order.map(name => (name.startsWith('-') ? 'desc' : 'asc')).join()],
        ...it.expand.map(name => ['_expand', name] as const),
        ['_start', String(it.first)],
        ['_end', String(it.first + it.size)],
      ]),
    }
  },
}

/** What should come of a model. Conditions have no order. */
function expectedOf(it: Model, kind: 'page' | 'offset'): Plain {
  const end = it.order.findIndex(name => name.replace('-', '') === 'id')
  const total = end < 0 ? [...it.order, 'id'] : it.order.slice(0, end + 1)
  const page =
    kind === 'page' ? { kind, page: it.first + 1, perPage: it.size } : { kind, offset: it.first, limit: it.size }
  const isUsual = kind === 'page' && it.first === 0 && it.size === 20
  return {
    ...(it.where.length > 0 && { where: sorted(JSON.parse(JSON.stringify(it.where))) }),
    ...(it.q !== undefined && { q: it.q }),
    ...(it.order.length > 0 && { order: total.join() }),
    ...(it.fields && { fields: Object.keys(VALUES).filter(name => it.fields?.includes(name)) }),
    ...(it.expand.length > 0 && { expand: it.expand }),
    ...(!isUsual && { page }),
  }
}

function sorted(where: unknown[]): unknown[] {
  return where.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

function ordered(plain: Plain): Plain {
  return { ...plain, ...(plain.where && { where: sorted(plain.where) }) }
}

for (const [style, print] of Object.entries(PRINTERS)) {
  test(`queryReader() reads back whatever is printed in the language ${style}`, async t => {
    const app = appOf({ style: style as never })
    const property = fc.asyncProperty(model, async given => {
      const { model, text } = print(given)
      const { status, body } = await ask(app, text)
      t.is(status, 200, text)
      const kind = style === 'react-admin' || style === 'json-server' ? 'offset' : 'page'
      t.deepEqual(ordered(body), expectedOf(model, kind), text)
    })
    await fc.assert(property, { numRuns: 40 })
  })
}

test('queryReader() reads back whatever is written into the JSON of a QUERY', async t => {
  const app = appOf()
  const property = fc.asyncProperty(model, async it => {
    const filter: Record<string, Record<string, unknown>> = {}
    for (const [field, operator, ...values] of it.where)
      filter[field] = { ...filter[field], [operator]: json5(operator, values) }
    const { order: sort, q, fields, expand } = it
    const { status, body } = await send(app, { filter, sort, q, fields, expand, page: it.first + 1, per_page: it.size })
    t.is(status, 200)
    t.deepEqual(ordered(body), expectedOf(it, 'page'))
  })
  await fc.assert(property, { numRuns: 40 })
})

// Whatever is sent, the answer is a query of declared fields, or a 400.

const PIECES =
  'id name age secret country_id status [ ] [gte] [in] [null] _ne _like filter sort page per_page limit cursor fields expand include embed range _start _end _sort q __proto__ constructor toString . , ; \\ - * 1 -1 1e400 9007199254740993 true null { } " : [0,24] ["id","ASC"] {"age":1} {"__proto__":{}} 2026-01-01 \' OR 1=1 -- % _ %00 😀'.split(
    ' ',
  )
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
)
const word = fc.array(piece, { maxLength: 4 }).map(all => all.join('').toWellFormed())
const declared = ['id', 'name', 'age', 'status', 'created', 'active']

function check(t: { true(value: boolean, message?: string): void }, { status, body }: Answer, query: string): void {
  t.true(status === 200 || status === 400, `${status} ${query}`)
  if (status === 400) {
    t.true(typeof body.detail === 'string' && body.detail.length < 200, query)
    t.true(
      (body.errors ?? []).every(({ detail }) => detail.length > 0 && detail.length < 400),
      query,
    )
    return
  }
  const { where = [], order = '', fields = [] } = body
  const names = [...where.map(it => (it as string[])[0]), ...order.split(',').filter(it => it !== ''), ...fields]
  t.true(
    names.every(name => declared.includes(String(name).replace(/^-/, ''))),
    query,
  )
}

for (const style of Object.keys(PRINTERS)) {
  test(`queryReader() answers 200 or 400 to any query in the language ${style}`, async t => {
    const app = appOf({
      style: style as never,
      paging: /react|json-server/.test(style) ? 'offset' : ['page', 'offset', 'cursor'],
    })
    const query = fc.array(fc.tuple(word, word), { maxLength: 6 })
    const property = fc.asyncProperty(query, fc.boolean(), async (pairs, isLenient) => {
      const text = encode(pairs)
      check(t, await ask(app, text, isLenient ? { prefer: 'handling=lenient' } : {}), text)
    })
    await fc.assert(property, { numRuns: 60 })
  })
}

test('queryReader() answers 200 or 400 to any JSON of a QUERY', async t => {
  const app = appOf()
  const names = [
    'filter',
    'sort',
    'q',
    'fields',
    'expand',
    'page',
    'per_page',
    'age',
    'name',
    'gte',
    'in',
    'null',
    'toString',
  ]
  const value = fc.object({
    key: fc.constantFrom(...names),
    values: [fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)],
    maxDepth: 4,
  })
  const property = fc.asyncProperty(value, async value => check(t, await send(app, value), JSON.stringify(value)))
  await fc.assert(property, { numRuns: 60 })
})

const LONG: Record<string, string[]> = {
  default: ['name', 'age[in]', 'sort', 'fields', 'expand'],
  classic: ['filter', 'sort', 'expand'],
  jsonapi: ['filter[age][in]', 'include'],
  'react-admin': ['filter', 'sort', 'range', 'embed'],
  'json-server': ['name_like', '_sort', '_order'],
}

test('queryReader() answers 200 or 400 to what is long', async t => {
  const parts = [
    'a',
    ',',
    ';',
    '\\',
    '-',
    '.',
    '[',
    '*',
    '%5B',
    '{"a":',
    '[[',
    'age,ge,',
    'country.',
    '9',
    '%F0%9F%98%80',
  ]
  for (const style of Object.keys(PRINTERS)) {
    const app = appOf({ style: style as never })
    for (const name of LONG[style] ?? []) {
      for (const part of parts) {
        const text = `${encodeURIComponent(name)}=${part.repeat(Math.floor(8100 / part.length))}`
        check(t, await ask(app, text), `${style} ${text.slice(0, 40)}`)
      }
    }
  }
})

testVectors('queryReader() reads the big list of naughty strings', 'naughty-strings/blns.json', async (t, text) => {
  const all = (JSON.parse(text) as string[]).filter(it => !it.includes('\0') && it.length < 200)
  t.true(all.length > 400)
  const app = appOf()
  for (let start = 0; start < all.length; start += 20) {
    const some = all.slice(start, start + 20)
    const { body } = await ask(app, encode([['name[in]', some.map(escaped).join()]]))
    t.deepEqual(body.where, [['name', 'in', ...some]])
    const answer = await send(app, { filter: { name: some } })
    t.deepEqual(answer.body.where, [['name', 'in', ...some]])
  }
})
