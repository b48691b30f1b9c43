import test from 'ava'
import { type AnySchema, kolba } from 'kolba'
import { output } from 'kolba/output'
import type { Library } from '../support/five-apis.ts'
import { outputs } from '../support/five-outputs.ts'
import { MemoryLogger } from '../support/memory-logger.ts'

// The same values, with the same bytes and the same faults, whichever library declares them. All that must not leave,
// and must not be in a log, has HIDDEN in its name or its value.

interface Row {
  readonly title: string
  readonly value: unknown
  /** What the client gets where the value fits, and in production. */
  readonly sent: unknown
  /** Where it does not fit. */
  readonly faults?: readonly string[]
  /** Where else the libraries find them that take a list for an object. */
  readonly elsewhere?: readonly string[]
  readonly of?: 'payment'
}

const line = { article: 'pen', quantity: 2 }
const customer = { name: 'Ada' }
const order = { id: 7, customer, state: 'open', lines: [line] }
const HIDDEN = 'HIDDEN'
const TAKES_LISTS = new Set<Library>(['valibot', 'arktype'])
const user = { HIDDEN, password: HIDDEN, list: [{ HIDDEN }] }

class Row7 {
  readonly id = 7
  readonly customer = customer
  readonly state = 'open'
  readonly lines = [line]
  readonly HIDDEN = HIDDEN
  get more(): string {
    return HIDDEN
  }
}

const row = (title: string, more: object, sent: object = more): Row => ({
  title,
  value: { ...order, ...more },
  sent: { ...order, ...sent },
})
const bad = (title: string, more: object, sent: object, ...faults: string[]): Row => ({
  ...row(title, more, sent),
  faults,
})
const payment = (title: string, by: unknown, sent: unknown, ...faults: string[]): Row => ({
  title,
  value: { by, HIDDEN },
  sent: { by: sent },
  of: 'payment',
  ...(faults.length > 0 && { faults }),
})

const rows: Row[] = [
  row('what is declared', {}),
  row('all that is declared', { note: 'x', paid: true, total: 1.5 }),
  row('null where it is declared', { note: null }),
  row('undefined for what is optional', { note: undefined }, {}),
  row('an undeclared property', { HIDDEN }, {}),
  row('several undeclared ones', { HIDDEN, HIDDEN2: { a: [HIDDEN] }, HIDDEN3: 1 }, {}),
  row('one in a nested object', { customer: { ...customer, HIDDEN } }, {}),
  row('one in the objects of a list', { lines: [line, { ...line, HIDDEN }] }, { lines: [line, line] }),
  row('one called __proto__', JSON.parse('{"__proto__":{"HIDDEN":1}}'), {}),
  row('one called constructor', { constructor: HIDDEN, toString: HIDDEN }, {}),
  row('one called toJSON that is no function', { toJSON: HIDDEN }, {}),
  row('a writeOnly property', { customer: { ...customer, password: HIDDEN } }, {}),
  row('a writeOnly property that may be null', { customer: { ...customer, pin: HIDDEN, password: HIDDEN } }, {}),
  row('a wrong writeOnly property', { customer: { ...customer, password: { HIDDEN } } }, {}),
  row('a default that is not filled in', { total: undefined }, {}),
  row('an empty list', { lines: [] }),
  row('a Date', { due: new Date(0) }, { due: '1970-01-01T00:00:00.000Z' }),
  row('a date as text', { due: '2026-02-28T12:00:00Z' }),
  row('an undeclared Date', { HIDDEN: new Date(0) }, {}),
  row('toJSON that gives text', { note: { HIDDEN, toJSON: () => 'said' } }, { note: 'said' }),
  row('toJSON that gives an object', { customer: { HIDDEN, toJSON: () => ({ ...customer, HIDDEN }) } }, {}),
  row('toJSON that gives what has toJSON', { customer: { toJSON: () => ({ ...customer, toJSON: () => user }) } }, {}),
  row('toJSON of a list', { lines: { HIDDEN, toJSON: () => [{ ...line, HIDDEN }] } }, {}),
  row('toJSON of an item', { lines: [{ toJSON: () => ({ ...line, HIDDEN }) }] }, {}),
  { title: 'toJSON of it all', value: { HIDDEN, toJSON: () => ({ ...order, HIDDEN }) }, sent: order },
  { title: 'an object of a class', value: new Row7(), sent: order },
  { title: 'an object without a prototype', value: Object.assign(Object.create(null), order, { HIDDEN }), sent: order },
  row('what leads back to itself and is not declared', cyclic(), {}),
  bad('text for a number', { id: HIDDEN }, { id: HIDDEN }, '#/id'),
  bad(
    'a number that is too small',
    { lines: [line, { ...line, quantity: 0 }] },
    { lines: [line, { ...line, quantity: 0 }] },
    '#/lines/1/quantity',
  ),
  bad('a property that is not there', { state: undefined }, { state: undefined }, '#/state'),
  bad('a nested one that is not there', { customer: {} }, { customer: {} }, '#/customer/name'),
  bad('a wrong word', { state: HIDDEN }, { state: HIDDEN }, '#/state'),
  bad(
    'all of it at once',
    { state: HIDDEN, paid: 'yes', lines: [{ ...line, article: 5 }] },
    { state: HIDDEN, paid: 'yes', lines: [{ ...line, article: 5 }] },
    '#/lines/0/article',
    '#/paid',
    '#/state',
  ),
  bad('null where it is not declared', { customer: null }, { customer: null }, '#/customer'),
  bad('NaN', { total: Number.NaN }, { total: null }, '#/total'),
  bad('an object for text', { note: user }, { note: {} }, '#/note'),
  bad('a list of objects for text', { note: [user] }, { note: [{}] }, '#/note'),
  {
    ...bad('a list for an object', { customer: [user] }, { customer: [{}] }, '#/customer'),
    elsewhere: ['#/customer/name'],
  },
  bad('an object for a list', { lines: user }, { lines: {} }, '#/lines'),
  bad('a Date that is none', { due: new Date(Number.NaN) }, { due: null }, '#/due'),
  bad('toJSON of a wrong kind', { note: { toJSON: () => user } }, { note: {} }, '#/note'),
  payment('one of two kinds', { card: '1', owner: { name: 'Ada' } }, { card: '1', owner: { name: 'Ada' } }),
  payment('the other of two', { iban: '1', owner: { bank: 'B' } }, { iban: '1', owner: { bank: 'B' } }),
  payment(
    'one of two, with undeclared ones',
    { card: '1', HIDDEN, owner: { name: 'Ada', HIDDEN } },
    { card: '1', owner: { name: 'Ada' } },
  ),
  payment(
    'one of two, with what the other declares',
    { card: '1', owner: { name: 'A', bank: HIDDEN } },
    { card: '1', owner: { name: 'A' } },
  ),
  payment('a list among alternatives', [{ coin: 5, HIDDEN }], [{ coin: 5 }]),
  payment(
    'toJSON among alternatives',
    { card: '1', owner: { toJSON: () => ({ name: 'A', HIDDEN }) } },
    { card: '1', owner: { name: 'A' } },
  ),
  payment('none of the alternatives', { HIDDEN, owner: { HIDDEN } }, { owner: {} }, '#/by'),
]

for (const [library, { order, payment }] of Object.entries(outputs) as [Library, (typeof outputs)['zod']][]) {
  for (const { title, value, sent, faults, elsewhere, of } of rows) {
    const schema = of ? payment : order
    if (schema === undefined) continue
    test(`output() with ${library} sends ${title}`, async t => {
      const development = await call(schema, value, {})
      const production = await call(schema, value, { env: 'production' })
      const enforced = await call(schema, value, { env: 'production', enforce: true })
      t.deepEqual(JSON.parse(production.text), JSON.parse(JSON.stringify(sent)), 'in production')
      t.false(/HIDDEN\d?"\s*:/.test(production.text))
      if (!faults) {
        t.is(development.text, production.text)
        t.is(enforced.text, production.text)
        return t.deepEqual([...development.lines, ...production.lines], [])
      }
      t.deepEqual([development.status, production.status, enforced.status], [500, 200, 500])
      t.deepEqual(
        production.lines.map(it => it.level),
        ['warn'],
      )
      const fields = production.lines[0]?.fields as { errors: { pointer: string }[]; route: string; status: number }
      const places = new Set(fields.errors.map(({ pointer }) => pointer))
      // What is wrong with a union the libraries find at different depths.
      if (of) t.true([...places].every(place => place.startsWith('#/by')))
      else t.deepEqual([...places].sort(), [...(TAKES_LISTS.has(library) ? (elsewhere ?? faults) : faults)])
      t.is(fields.route, 'GET /orders/:id')
      t.is(fields.status, 200)
      for (const { lines } of [development, production, enforced]) {
        t.is(lines.length, 1)
        const line = `${lines[0]?.message} ${JSON.stringify(lines[0]?.fields)} ${lines[0]?.fields.err?.stack}`
        t.regex(line, /GET \/orders\/:id: output 200: the value does not fit: #\//)
        t.notRegex(line, /HIDDEN/)
      }
    })
  }
}

async function call(schema: AnySchema, value: unknown, { env = 'development', enforce = false }) {
  const logger = new MemoryLogger()
  const app = kolba({ env, logger })
  app.get('/orders/:id', output({ 200: schema }, { enforce }) as never, () => value)
  const response = await app.client().get('/orders/7')
  return { status: response.status, text: await response.text(), lines: logger.lines }
}

function cyclic(): object {
  const HIDDEN: Record<string, unknown> = {}
  HIDDEN.self = HIDDEN
  return { HIDDEN, customer: { ...customer, HIDDEN } }
}
