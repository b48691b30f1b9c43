import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { type BaseContext, isPromise, kolba } from 'kolba'
import { collection, expand, type Resource, type Row, relation, resource } from 'kolba/collection'
import { json } from 'kolba/json'
import { MemoryLogger } from '../../support/memory-logger.js'
import { knexOnSqlite, kyselyOnSqlite } from '../../support/sqlite.js'

const COUNTRIES = [
  { id: 1, code: 'AT', name: 'Austria', secret: 's', password: 'never' },
  { id: 2, code: 'BJ', name: 'Benin', secret: 's', password: 'never' },
]
const CUSTOMERS = [
  { id: 1, name: 'Ada', country_id: 2, password: 'never' },
  { id: 2, name: 'Bo', country_id: 1, password: 'never' },
  { id: 3, name: 'Cy', country_id: null, password: 'never' },
  { id: 4, name: 'Di', country_id: 2, password: 'never' },
  { id: 5, name: 'Ed', country_id: 99, password: 'never' },
]
const ORDERS = [
  { id: 10, customer_id: 2, total: 5 },
  { id: 11, customer_id: 1, total: 7 },
  { id: 12, customer_id: 2, total: 1 },
  { id: 13, customer_id: null, total: 0 },
]

interface Loads {
  countries: (keys: readonly unknown[], ctx: BaseContext) => unknown
  customers: (keys: readonly unknown[], ctx: BaseContext) => unknown
  orders: (keys: readonly unknown[], ctx: BaseContext) => unknown
}

const LISTS: Loads = { countries: () => COUNTRIES, customers: () => CUSTOMERS, orders: () => ORDERS }

/** Customers, their country and their orders, which lead back. */
function shop(loads: Partial<Loads> = {}, limit?: number) {
  const all = { ...LISTS, ...loads }
  const countries = resource({
    fields: { id: 'number', code: 'string', name: 'string', secret: { type: 'string', select: false } },
    expand: {
      customers: relation({ to: 'country_id', many: true, resource: () => customers, load: all.customers }),
    },
  })
  const customers: Resource = resource({
    fields: { id: 'number', name: 'string' },
    expand: {
      country: relation({ from: 'country_id', resource: countries, load: all.countries }),
      orders: relation({
        to: 'customer_id',
        many: true,
        resource: () => orders,
        load: all.orders,
        ...(limit && { limit }),
      }),
    },
  })
  const orders: Resource = resource({
    fields: { id: 'number', total: 'number' },
    sort: '-total',
    expand: { customer: relation({ from: 'customer_id', resource: () => customers, load: all.customers }) },
  })
  return { countries, customers, orders }
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, which the tests compare
type Answer = any

async function get(its: Resource, rows: () => unknown, query: string, depth?: number) {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', json(), collection(its, { name: false, ...(depth && { depth }) }), rows as never)
  const response = await app.client().get(`/?${query}`)
  return { status: response.status, answer: (await response.json()) as Answer, lines: logger.lines }
}

test('expand gives an object or null for a relation to one, and nothing undeclared with it', async t => {
  const { answer } = await get(shop().customers, () => CUSTOMERS, 'expand=country')
  const [austria, benin] = COUNTRIES.map(({ id, code, name }) => ({ id, code, name }))
  t.deepEqual(answer, [
    { id: 1, name: 'Ada', country: benin },
    { id: 2, name: 'Bo', country: austria },
    { id: 3, name: 'Cy', country: null },
    { id: 4, name: 'Di', country: benin },
    { id: 5, name: 'Ed', country: null },
  ])
})

test("expand gives a list for a relation to many, in the order of its resource's own", async t => {
  const { answer } = await get(shop().customers, () => CUSTOMERS, 'expand=orders&fields=name')
  t.deepEqual(answer, [
    { name: 'Ada', orders: [{ id: 11, total: 7 }] },
    {
      name: 'Bo',
      orders: [
        { id: 10, total: 5 },
        { id: 12, total: 1 },
      ],
    },
    { name: 'Cy', orders: [] },
    { name: 'Di', orders: [] },
    { name: 'Ed', orders: [] },
  ])
})

test('expand goes on from what it has read, several ways and levels at once', async t => {
  const { orders } = shop()
  const { answer } = await get(orders, () => ORDERS, 'expand=customer.country,customer,customer.orders&sort=id')
  const ada = { id: 1, name: 'Ada', country: { id: 2, code: 'BJ', name: 'Benin' }, orders: [{ id: 11, total: 7 }] }
  const bo = {
    id: 2,
    name: 'Bo',
    country: { id: 1, code: 'AT', name: 'Austria' },
    orders: [
      { id: 10, total: 5 },
      { id: 12, total: 1 },
    ],
  }
  t.deepEqual(answer, [
    { id: 10, total: 5, customer: bo },
    { id: 11, total: 7, customer: ada },
    { id: 12, total: 1, customer: bo },
    { id: 13, total: 0, customer: null },
  ])
})

test('expand is 400 beyond its depth, and for a relation that there is not', async t => {
  const { customers } = shop()
  const said = async (query: string, depth?: number) => {
    const { status, answer } = await get(customers, () => CUSTOMERS, query, depth)
    return [status, answer.errors?.[0]?.parameter, answer.errors?.[0]?.detail]
  }
  const deep = 'expand=country.customers.country'
  t.deepEqual(await said(deep), [400, 'expand', 'Expected at most 2 relations in a row.'])
  t.is((await said(deep, 3))[0], 200)
  t.deepEqual(await said('expand=country.customers', 1), [400, 'expand', 'Expected at most 1 relations in a row.'])
  t.deepEqual(await said('expand=contry'), [400, 'expand', 'There is no such relation. There are country and orders.'])
  t.deepEqual(await said('expand=country.contry'), [
    400,
    'expand',
    'There is no such relation in country. There are customers.',
  ])
  t.is((await said('expand=__proto__'))[0], 400)
})

test('expand loads each relation once, for the distinct keys that there are, with ctx', async t => {
  const calls: [name: string, keys: readonly unknown[], path: string][] = []
  const counting = (name: keyof Loads) => (keys: readonly unknown[], ctx: BaseContext) => {
    calls.push([name, keys, ctx.path])
    return LISTS[name](keys, ctx)
  }
  const loads = { countries: counting('countries'), customers: counting('customers'), orders: counting('orders') }
  await get(shop(loads).customers, () => CUSTOMERS, 'expand=country,orders,orders.customer,country.customers')
  t.deepEqual(calls, [
    ['countries', [2, 1, 99], '/'],
    ['customers', [1, 2], '/'],
    ['orders', [1, 2, 3, 4, 5], '/'],
    ['customers', [1, 2], '/'],
  ])
  calls.length = 0
  await get(shop(loads).customers, () => [CUSTOMERS[2]], 'expand=country,country.customers')
  await get(shop(loads).customers, () => [], 'expand=country,orders')
  t.deepEqual(calls, [])
})

test('expand waits for a load that makes a promise, and takes what an async generator gives', async t => {
  const loads = {
    countries: async () => COUNTRIES,
    async *orders() {
      yield* ORDERS
    },
  }
  const { answer } = await get(shop(loads).customers, () => CUSTOMERS, 'expand=country,orders&id=2')
  t.is(answer[0].country.code, 'AT')
  t.deepEqual(
    answer[0].orders.map((it: { id: number }) => it.id),
    [10, 12],
  )
})

test('expand() over lists makes no promise', t => {
  const { customers } = shop()
  const run = expand(customers)(() => CUSTOMERS)
  const ctx = { method: 'GET', querystring: 'expand=country,country.customers', response: {}, req: {}, get: () => '' }
  const value = run(ctx as never)
  t.false(isPromise(value))
  t.is((value as Answer)[0].country.customers.length, 2)
})

test('expand compares Dates as instants, texts by their characters, and enums with texts', async t => {
  const days = resource({ fields: { day: 'date', note: 'string' }, key: 'day' })
  const grades = resource({ fields: { grade: 'string' }, key: 'grade' })
  const its = resource({
    fields: { id: 'number', on: 'date', grade: ['a', 'b'] },
    expand: {
      day: relation({
        from: 'on',
        resource: days,
        load: () => [{ day: '2026-01-01T01:00:00+01:00', note: 'n' }],
      }),
      grades: relation({ from: 'grade', to: 'grade', many: true, resource: grades, load: () => [{ grade: 'A' }] }),
    },
  })
  const rows = [{ id: 1, on: new Date('2026-01-01'), grade: 'a' }]
  const { answer } = await get(its, () => rows, 'expand=day,grades')
  t.deepEqual(answer[0].day, { day: '2026-01-01T00:00:00.000Z', note: 'n' })
  t.deepEqual(answer[0].grades, [])
})

test('expand is 400 where a list relation has more rows than its limit, and cuts no list short', async t => {
  const { customers } = shop({}, 3)
  t.is((await get(customers, () => CUSTOMERS, 'expand=orders')).status, 200)
  const { status, answer } = await get(shop({}, 2).customers, () => CUSTOMERS, 'expand=orders')
  t.is(status, 400)
  t.is(
    answer.detail,
    'There are more than 2 rows to expand as orders. Ask for fewer rows at a time, or leave orders out.',
  )
  t.is((await get(shop({}, 2).customers, () => CUSTOMERS, 'expand=orders&per_page=1')).status, 200)
  const deep = await get(shop({}, 1).countries, () => COUNTRIES, 'expand=customers.orders')
  t.regex(deep.answer.detail, /to expand as customers\.orders\. Ask/)
})

test('expand is 400 where few rows would become very many by leading to each other', async t => {
  const many = Array.from({ length: 300 }, (_, index) => ({ id: index + 1, name: 'Ada', country_id: 1 }))
  const { customers } = shop({ customers: () => many })
  const all = () => many
  const fine = await get(customers, all, 'expand=country.customers&per_page=33', 4)
  t.is(fine.answer[32].country.customers.length, 300)
  const { status, answer } = await get(customers, all, 'expand=country.customers&per_page=34', 4)
  t.is(status, 400)
  t.is(
    answer.detail,
    'There would be more than 10000 rows in country.customers, each counted as often as the answer has it. ' +
      'Ask for fewer rows at a time, or leave country.customers out.',
  )
  const deep = await get(customers, all, 'expand=country.customers.country.customers&per_page=1', 4)
  t.regex(deep.answer.detail, /rows in country\.customers\.country\.customers, each/)
})

test('expand answers 500 for a wrong relation, and the log says what to do', async t => {
  const wrong = async (load: () => unknown, options: object = {}, from: 'number' | 'string' = 'number') => {
    const others = resource({ fields: { id: 'number', code: 'string' } })
    const it = relation({ from: 'other', resource: others, load, ...options })
    const its = resource({ fields: { id: 'number', other: from }, expand: { it } })
    const { status, lines } = await get(its, () => [{ id: 1, other: from === 'number' ? 5 : 'x' }], 'expand=it')
    t.is(status, 500)
    return lines[0]?.message
  }
  const rows = 'expand: load of it gave what has no rows. Return rows, or a query that has not run.'
  t.is(await wrong(() => undefined), rows)
  t.is(await wrong(async () => ({ id: 1 })), rows)
  const several = 'expand: it leads to several rows with one id. Declare it with many: true.'
  t.is(await wrong(() => [{ id: 5 }, { id: 5 }]), several)
  const type = 'expand: it leads from other, a string, to id, a number. Declare both of one type.'
  t.is(await wrong(() => [], {}, 'string'), type)
  const two = await get(
    resource({
      fields: { id: 'number', other: 'number' },
      expand: { it: relation({ from: 'other', to: 'id', resource: shop().countries, load: () => TWINS }) },
    }),
    () => [
      { id: 1, other: 5 },
      { id: 2, other: 6 },
    ],
    'expand=it',
  )
  t.is(two.lines[0]?.message, several)
})

const TWINS = [{ id: 5 }, { id: 5 }]

test('relation() refuses a limit that is none', t => {
  const load = () => []
  t.throws(() => relation({ to: 'x', many: true, limit: 0, resource: shop().orders, load }), {
    instanceOf: TypeError,
    message: 'relation: the option limit is 0. Give a whole number from 1 to 10000.',
  })
})

/** Countries, customers and orders in SQLite, and what was sent there. */
async function database(t: ExecutionContext) {
  const sent: { sql: string; parameters: readonly unknown[] }[] = []
  const db = kyselyOnSqlite({ log: ({ query }) => void sent.push(query) })
  t.teardown(() => db.destroy())
  const tables = { country: COUNTRIES, customer: CUSTOMERS, order: ORDERS }
  for (const [table, rows] of Object.entries(tables)) {
    let create = db.schema.createTable(table)
    for (const [name, value] of Object.entries(rows[0] as object))
      create = create.addColumn(name, typeof value === 'string' ? 'text' : 'integer')
    await create.execute()
    await db.insertInto(table).values(rows).execute()
  }
  sent.length = 0
  return { db, sent }
}

test('expand sends one query a relation and level, however many rows there are', async t => {
  const { db, sent } = await database(t)
  const { customers } = shop({
    countries: () => db.selectFrom('country'),
    orders: () => db.selectFrom('order').where('total', '>=', 5),
    customers: () => db.selectFrom('customer'),
  })
  const query = 'expand=country,orders,orders.customer,country.customers&sort=id'
  const { answer } = await get(customers, () => db.selectFrom('customer'), query)
  t.deepEqual(
    sent.map(({ sql }) => /from "(\w+)"/.exec(sql)?.[1]),
    ['customer', 'country', 'customer', 'order', 'customer'],
  )
  t.deepEqual(answer[1], {
    id: 2,
    name: 'Bo',
    country: { id: 1, code: 'AT', name: 'Austria', customers: [{ id: 2, name: 'Bo' }] },
    orders: [{ id: 10, total: 5, customer: { id: 2, name: 'Bo' } }],
  })
  t.deepEqual(answer, (await get(shop({ orders: () => ORDERS.slice(0, 2) }).customers, () => CUSTOMERS, query)).answer)
  // The keys are parameters, the limit is there, and no column that is not declared.
  const country = sent[1] as { sql: string; parameters: readonly unknown[] }
  t.notRegex(country.sql, /secret|password|99/)
  t.deepEqual(country.parameters, [2, 1, 99, 4])
  t.regex(country.sql, /limit \?$/)
})

test('expand does not run a Knex query before it is narrowed', async t => {
  const knex = knexOnSqlite()
  t.teardown(() => knex.destroy())
  await knex.schema.createTable('country', table => {
    table.integer('id')
    table.text('code')
    table.text('name')
  })
  await knex('country').insert(COUNTRIES.map(({ id, code, name }) => ({ id, code, name })))
  const sent: string[] = []
  knex.on('query', ({ sql }) => sent.push(sql))
  const { answer } = await get(
    shop({ countries: () => knex('country') }).customers,
    () => CUSTOMERS,
    'expand=country&id=1',
  )
  t.deepEqual(answer[0].country, { id: 2, code: 'BJ', name: 'Benin' })
  t.is(sent.length, 1)
  t.regex(sent[0] as string, /where `id` = \?/)
})

/** What expand is to give, slowly and obviously: a search through all rows for each row. */
function model(rows: readonly Row[], paths: readonly string[][], graph: Graph): Row[] {
  return rows.map(({ id, up }) => {
    const row: Row = { id }
    for (const name of new Set(paths.flatMap(([first]) => first ?? []))) {
      const rest = paths.filter(([first, second]) => first === name && second !== undefined).map(path => path.slice(1))
      const others = graph.filter(it => (name === 'parent' ? it.id === up : it.up === id))
      const expanded = model(others, rest, graph)
      row[name] = name === 'parent' ? (expanded[0] ?? null) : expanded
    }
    return row
  })
}

type Graph = { id: number; up: number | null }[]

const graphs = fc
  .uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 10 })
  .chain(ids =>
    fc.tuple(
      ...ids.map(id => fc.record({ id: fc.constant(id), up: fc.option(fc.integer({ min: 0, max: 12 }), { freq: 3 }) })),
    ),
  )
const paths = fc.array(
  fc.array(fc.constantFrom('parent', 'children'), { minLength: 1, maxLength: 3 }).map(path => path.join('.')),
  { minLength: 1, maxLength: 4 },
)

test('expand gives what a search for each row would give, over any rows and ways', async t => {
  let graph: Graph = []
  const loaded: string[] = []
  const load = (name: string) => () => {
    loaded.push(name)
    return graph
  }
  const nodes: Resource = resource({
    fields: { id: 'number' },
    expand: {
      parent: relation({ from: 'up', resource: () => nodes, load: load('parent') }),
      children: relation({ to: 'up', many: true, resource: () => nodes, load: load('children') }),
    },
  })
  const app = kolba()
  app.get('/', json(), expand(nodes, { depth: 3 }), () => graph as never)
  const client = app.client()
  await fc.assert(
    fc.asyncProperty(graphs, paths, async (rows, names) => {
      graph = [...rows].sort((one, other) => one.id - other.id)
      loaded.length = 0
      const answer = await (await client.get(`/?expand=${names.join(',')}`)).json()
      t.deepEqual(
        answer,
        model(
          graph,
          names.map(name => name.split('.')),
          graph,
        ),
      )
      const steps = new Set(names.flatMap(name => name.split('.').map((_, at, all) => all.slice(0, at + 1).join('.'))))
      t.true(loaded.length <= steps.size)
    }),
    { numRuns: 100 },
  )
})
