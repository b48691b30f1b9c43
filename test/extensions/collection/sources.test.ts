import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import makeKnex from 'knex'
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  MssqlAdapter,
  MssqlIntrospector,
  MssqlQueryCompiler,
  MysqlDialect,
  PostgresDialect,
  sql,
} from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { chooseSource, defineSource } from '../../../extensions/collection/source.ts'
import { compareText } from '../../../extensions/collection/sources/compare.ts'
import type { Condition, Field, FieldType, Slice, Source, Value } from '../../../extensions/collection/types.ts'
import type { BaseContext } from '../../../src/index.ts'
import { testMariadb } from '../../support/mariadb.ts'
import { testPostgres } from '../../support/postgres.ts'
import { root } from '../../support/root.ts'
import { knexOnSqlite, kyselyOnSqlite, type Tables } from '../../support/sqlite.ts'
import { everySource, read, slice, THING, type Thing } from '../../support/things.ts'

const field = (name: string, type: FieldType, more: Partial<Field> = {}): Field => ({
  name,
  type,
  column: name,
  collation: 'binary',
  ...more,
})
const ID = field('id', 'number')
const by = (field: Field, descending = false) => ({ field, descending })
const is = (field: Field, operator: Condition['operator'], ...values: Condition['values']): Condition => ({
  field,
  operator,
  values,
})
const thing = (id: number, more: Partial<Thing> = {}): Thing => ({
  id,
  name: null,
  mood: null,
  size: null,
  rank: null,
  seen: null,
  born: null,
  active: null,
  ...more,
})

/** The same field of all rows. */
async function column(value: unknown, one: Field, part: Partial<Slice> = {}): Promise<unknown[]> {
  const { rows } = await read(value, slice({ order: [by(ID)], fields: [one], ...part }))
  return rows.map(row => row[one.name])
}

// Choosing

const unknown: [string, unknown, string][] = [
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a number', 7, 'a number'],
  ['text', 'rows', 'a string'],
  ['a function', () => [], 'a function'],
  ['an object', { rows: [] }, 'an object'],
  ['a map', new Map(), 'a value of the class Map'],
  ['bytes', Buffer.from('rows'), 'a value of the class Buffer'],
]
for (const [title, value, words] of unknown)
  test(`chooseSource() refuses ${title}`, t => {
    const takes = 'a Kysely or Knex query that has not run, a list, an iterable or an async iterable'
    const message = `collection: the handler returned ${words}, which has no rows to choose from. Return ${takes}.`
    t.throws(() => chooseSource(value), { instanceOf: TypeError, message })
  })

test('chooseSource() goes by the value', async t => {
  const kysely = kyselyOnSqlite()
  const knex = knexOnSqlite()
  const named = (value: unknown) => chooseSource(value).name
  t.is(named([]), 'a list')
  t.is(named(new Set()), 'a list')
  t.is(named(new Map().values()), 'a list')
  t.is(named((async function* () {})()), 'an async iterable')
  t.is(named(kysely.selectFrom('thing')), 'a Kysely query')
  t.is(named(knex('thing')), 'a Knex query')
  t.throws(() => chooseSource(kysely.deleteFrom('thing')), { message: /a value of the class DeleteQueryBuilder/ })
  await kysely.destroy()
  await knex.destroy()
})

test('chooseSource() asks the sources of the user first, and names them', t => {
  const mine = defineSource<Set<unknown>>({
    name: 'a search',
    matches: it => it instanceof Set,
    read: () => ({ rows: [] }),
  })
  t.is(chooseSource(new Set(), [mine]).name, 'a search')
  t.is(chooseSource([], [mine]).name, 'a list')
  t.throws(() => chooseSource(1, [mine]), { message: /Return a search, a Kysely or Knex query/ })
})

const halves: [object, string][] = [
  [{ matches: () => true, read: () => ({ rows: [] }) }, 'defineSource: name is missing. Give { name, matches, read }.'],
  [{ name: 'x', read: () => ({ rows: [] }) }, 'defineSource: matches is missing. Give { name, matches, read }.'],
  [{ name: 'x', matches: () => true }, 'defineSource: read is missing. Give { name, matches, read }.'],
  [{ name: '', matches: () => true }, 'defineSource: the option name is "". Give a non-empty string.'],
  [{ name: 'x', matches: true }, 'defineSource: the option matches is true. Give a function.'],
  [{ name: 'x', load: 1 }, 'defineSource: the option "load" is unknown. It takes name, matches and read.'],
]
for (const [source, message] of halves)
  test(`defineSource() refuses: ${message}`, t => {
    t.throws(() => defineSource(source as Source), { instanceOf: TypeError, message })
  })

// Lists and iterables

test('a list gives own properties and nothing that is inherited', async t => {
  const name = field('name', 'string')
  class Person {
    id = 1
    get name() {
      return 'of the class'
    }
  }
  const own = {
    id: 2,
    get name() {
      return 'own'
    },
  }
  const rows = [new Person(), own, Object.assign(Object.create({ name: 'inherited' }), { id: 3 })]
  t.deepEqual(await column(rows, name), [null, 'own', null])
  for (const operator of ['eq', 'gte', 'like', 'in'] as const)
    t.deepEqual(await column(rows, ID, { where: [is(name, operator, 'inherited')] }), operator === 'gte' ? [2] : [])
  t.deepEqual(await column(rows, ID, { order: [by(name, true), by(ID)] }), [2, 1, 3])
  const odd = field('constructor', 'string')
  t.deepEqual(await column(rows, odd), [null, null, null])
  t.deepEqual(await column(rows, field('__proto__', 'string')), [null, null, null])
})

test('a list reads a column with a dot through an object', async t => {
  const total = field('total', 'number', { column: 'invoice.total' })
  const rows = [{ id: 1, invoice: { total: 7 } }, { id: 2, invoice: null }, { id: 3 }, { id: 4, invoice: { total: 3 } }]
  t.deepEqual(await column(rows, total), [7, null, null, 3])
  t.deepEqual(await column(rows, ID, { where: [is(total, 'gt', 3)] }), [1])
  t.deepEqual(await column(rows, ID, { order: [by(total), by(ID)] }), [2, 3, 4, 1])
})

const converted: [Field, unknown[], unknown[]][] = [
  [field('x', 'string'), ['a', 7, 7n, true, {}, [], undefined], ['a', '7', '7', 'true', null, null, null]],
  [
    field('x', 'number'),
    [1.5, 7n, 2n ** 60n, '12.50', '1e3', 'x', '0x10', Number.NaN, Infinity, true, '9007199254740993'],
    [1.5, 7, '1152921504606846976', 12.5, 1000, null, null, null, null, null, '9007199254740993'],
  ],
  [field('x', 'boolean'), [true, false, 1, 0, 'true'], [true, false, null, null, null]],
  [
    field('x', 'date'),
    ['2020-01-01', '2020-01-01 10:00', '2020-01-01T10:00:00+01:00', 0, new Date(7), new Date(Number.NaN), 'x', true],
    ['2020-01-01', '2020-01-01T10:00', '2020-01-01T09:00', 0, 7]
      .map(it => new Date(typeof it === 'string' && it.includes('T') ? `${it}Z` : it))
      .concat([null, null, null] as never),
  ],
  [
    field('x', 'date', { stored: 'seconds' }),
    [1, 1.005, '1', 'x', 8.64e12 + 1],
    [new Date(1000), new Date(1005), new Date(1000), null, null],
  ],
  [
    field('x', 'date', { stored: 'milliseconds' }),
    [1.4, 1.5, -1.4, -1.5, '2.5', Infinity, 8.64e15 + 1],
    [new Date(1), new Date(2), new Date(-1), new Date(-2), new Date(3), null, null],
  ],
  [field('x', 'other'), [{ a: 1 }, [1], 'x', null], [{ a: 1 }, [1], 'x', null]],
]
for (const [one, given, taken] of converted)
  test(`a list gives a ${one.type}${one.stored ? ` in ${one.stored}` : ''} as what is declared, else null`, async t => {
    t.deepEqual(
      await column(
        given.map((x, id) => ({ id, x })),
        one,
      ),
      taken,
    )
  })

test('a list keeps of its rows those of a page, and reads of the others no more than their first place', async t => {
  const reads = { size: 0, id: 0 }
  const counted = (name: keyof typeof reads, value: number) => ({
    get() {
      reads[name] += 1
      return value
    },
  })
  // A shuffle that is the same each time: 7919 and 10,000 have no common divisor.
  const rows = Array.from({ length: 10_000 }, (_, id) =>
    Object.defineProperties(
      {},
      {
        id: counted('id', id),
        size: counted('size', (id * 7919) % 10_000),
      },
    ),
  )
  const wanted = slice({ order: [by(THING.size, true), by(THING.id)], fields: [THING.size], limit: 20 })
  const found = await read(rows, wanted, 'exact')
  t.deepEqual(
    found.rows.map(({ size }) => size),
    Array.from({ length: 20 }, (_, index) => 9999 - index),
  )
  t.is(found.total, 10_000)
  t.true(reads.size < 12_000, `${reads.size} values of the first place were read`)
  t.true(reads.id < 500, `${reads.id} keys were read`)
})

test('a list is gone through once, whatever it is', async t => {
  let count = 0
  function* rows() {
    for (const id of [3, 1, 2]) {
      count += 1
      yield { id }
    }
  }
  const { rows: found, total, more } = await read(rows(), slice({ fields: [ID], limit: 2 }), 'exact')
  t.deepEqual({ found, total, more, count }, { found: [{ id: 1 }, { id: 2 }], total: 3, more: true, count: 3 })
  t.deepEqual(await column(new Set([{ id: 2 }, { id: 1 }]), ID), [1, 2])
})

for (const [row, words] of [
  [null, 'null'],
  [7, 'a number'],
  ['x', 'a string'],
] as const)
  test(`a list with ${words} for a row is refused`, async t => {
    await t.throwsAsync(() => read([row], slice()), {
      instanceOf: TypeError,
      message: `collection: a row is ${words}. Give objects.`,
    })
  })

test('an async iterable is closed when a row fails, and when the client has gone', async t => {
  let closed = 0
  async function* rows(...some: unknown[]) {
    try {
      yield* some
    } finally {
      closed += 1
    }
  }
  await t.throwsAsync(() => read(rows({ id: 1 }, null), slice()), { message: /a row is null/ })
  t.is(closed, 1)
  const ctx = { signal: AbortSignal.abort(new Error('gone')) } as BaseContext
  const value = rows({ id: 1 }, { id: 2 })
  await t.throwsAsync(async () => chooseSource(value).read(value, slice(), 'none', ctx), { message: 'gone' })
  t.is(closed, 2)
})

test('compareText() sorts as UTF-8 bytes do', t => {
  const unit = fc.constantFrom('a', 'b', '\ud7ff', '\ue000', '\uffff', '\ud83d\ude00', '\ud800\udc00', '\udbff\udfff')
  const text = fc.string({ unit, maxLength: 5 })
  const property = fc.property(text, text, (a, b) => {
    t.is(Math.sign(compareText(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
  })
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }))
})

// What is asked of a database

const hostile = "x' or '1'='1\"; drop table thing --"

everySource(
  '* is asked with parameters, a limit, and no more than is selected',
  async (t, place) => {
    await place.fill([1, 2, 3, 4, 5].map(id => thing(id, { name: `n${id}`, rank: 7 })))
    place.ran()
    const { name, rank, id } = THING
    const where = [is(name, 'ne', hostile), is(name, 'in', hostile, 'n1', 'n2', 'n3'), is(rank, 'lt', 424242)]
    const wanted = slice({ where, order: [by(name, true), by(id)], after: ['zzz', 9], limit: 2, fields: [id, name] })
    t.deepEqual((await read(place.value(), wanted)).rows, [
      { id: 3, name: 'n3' },
      { id: 2, name: 'n2' },
    ])
    const all = place.ran()
    // SQLite is asked for one range of an index after the other: those of the same name, and those of lesser ones.
    t.is(all.length, place.name.endsWith('SQLite') ? 2 : 1)
    for (const { sql, parameters } of all) {
      t.notRegex(sql, /drop|n1|zzz|424242|\*/)
      t.regex(sql, / limit /)
      t.notRegex(sql, /mood|born/)
      for (const value of [hostile, 'n1', 'zzz', 424242]) t.true(parameters.includes(value), String(value))
    }
  },
  'sql',
)

everySource(
  '* is asked once for a page, and once more where only a count says how many there are',
  async (t, place) => {
    await place.fill([1, 2, 3, 4, 5].map(id => thing(id)))
    const asked = async (part: Partial<Slice>, counting: 'exact' | 'none') => {
      place.ran()
      const { rows, total, more } = await read(place.value(), slice({ fields: [ID], ...part }), counting)
      return [rows.length, total, more, place.ran().length]
    }
    t.deepEqual(await asked({ limit: 2 }, 'none'), [2, undefined, undefined, 1])
    t.deepEqual(await asked({ limit: 2 }, 'exact'), [2, 5, true, 2])
    t.deepEqual(await asked({ limit: 5 }, 'exact'), [5, 5, false, 2])
    t.deepEqual(await asked({ limit: 6 }, 'exact'), [5, 5, false, 1])
    t.deepEqual(await asked({ limit: 2, offset: 4 }, 'exact'), [1, 5, false, 1])
    t.deepEqual(await asked({ limit: 2, offset: 6 }, 'exact'), [0, 5, false, 2])
    t.deepEqual(await asked({ limit: 2, offset: 6 }, 'none'), [0, undefined, false, 1])
    t.deepEqual(await asked({ limit: 0 }, 'exact'), [0, 5, true, 1])
    t.deepEqual(await asked({ limit: 2, after: [2] }, 'exact'), [2, 5, undefined, 2])
  },
  'sql',
)

everySource(
  '* estimates by the plan where the database has one, and counts where it has not',
  async (t, place) => {
    await place.fill(Array.from({ length: 500 }, (_, id) => thing(id, { rank: id })))
    place.ran()
    const { total } = await read(place.value(), slice({ fields: [ID], limit: 2 }), 'estimated')
    const ran = place.ran().map(({ sql }) => sql)
    t.is(typeof total, 'number')
    t.is(ran.length, 2)
    if (place.name.endsWith('SQLite')) t.is(total, 500)
    else t.regex(ran[1] ?? '', /^explain/)
    t.true((total ?? 0) > 0)
  },
  'sql',
)

everySource('* finds a pattern of a hundred stars in no time', async (t, place) => {
  await place.fill([thing(1, { name: 'a'.repeat(480) }), thing(2, { name: `${'a'.repeat(120)}b` })])
  const pattern = `${'*a'.repeat(100)}*b`
  t.deepEqual(await column(place.value(), ID, { where: [is(THING.name, 'like', pattern)] }), [2])
})

everySource('* takes a NUL in what a client sends', async (t, place) => {
  await place.fill([thing(1, { name: 'a' }), thing(2, { name: 'ab' }), thing(3, { name: 'b' }), thing(4)])
  const found = (operator: Condition['operator'], ...values: string[]) =>
    column(place.value(), ID, { where: [is(THING.name, operator, ...values)] })
  t.deepEqual(await found('eq', 'a\0'), [])
  t.deepEqual(await found('ne', 'a\0'), [1, 2, 3, 4])
  t.deepEqual(await found('in', 'a\0', 'b'), [3])
  t.deepEqual(await found('nin', 'a\0', 'b'), [1, 2, 4])
  t.deepEqual(await found('lt', 'a\0b'), [1])
  t.deepEqual(await found('lte', 'a\0b'), [1])
  t.deepEqual(await found('gt', 'a\0b'), [2, 3])
  t.deepEqual(await found('between', 'a\0', 'ab'), [2])
  t.deepEqual(await found('like', '*\0*'), [])
  t.deepEqual(await column(place.value(), ID, { search: { text: '\0', fields: [THING.name] } }), [])
})

everySource('* compares as the database does where a field says so', async (t, place) => {
  await place.fill([thing(1, { name: 'b' }), thing(2, { name: 'a' }), thing(3), thing(4, { seen: new Date(0) })])
  const name = field('name', 'string', { collation: 'database' })
  const seen = field('seen', 'date', { collation: 'database' })
  place.ran()
  t.deepEqual(await column(place.value(), ID, { order: [by(name), by(ID)] }), [3, 4, 2, 1])
  t.deepEqual(await column(place.value(), ID, { where: [is(name, 'gte', 'b')] }), [1])
  t.deepEqual(await column(place.value(), seen, { where: [is(seen, 'lte', new Date(0))] }), [new Date(0)])
  for (const { sql } of place.ran()) t.notRegex(sql, /collate|cast\(|convert|date_|strftime/)
})

// Kysely

const db = kyselyOnSqlite()
const query = db.selectFrom('thing')
const refusedByKysely: [string, unknown, string][] = [
  ['groups', query.groupBy('name'), 'groups'],
  ['distinct', query.distinct(), 'distinct rows'],
  ['a union', query.selectAll().union(query.selectAll()), 'a union'],
  ['an order', query.orderBy('name'), 'an order of its own'],
  ['a limit', query.limit(3), 'a limit of its own'],
  ['an offset', query.offset(3), 'an offset of its own'],
]
for (const [title, value, words] of refusedByKysely)
  test(`a Kysely query with ${title} is refused`, async t => {
    const advice = "Give the collection db.selectFrom(query.as('it')), and the order by resource({ sort })."
    await t.throwsAsync(() => read(value, slice()), {
      instanceOf: TypeError,
      message: `collection: the Kysely query has ${words}. ${advice}`,
    })
  })

test('a Kysely query keeps its own conditions as one, however they are written', async t => {
  const own = kyselyOnSqlite()
  await sql`create table thing (id integer, name text)`.execute(own)
  await sql`insert into thing values (1, 'a'), (2, 'b'), (3, 'c')`.execute(own)
  const from = own.selectFrom('thing')
  const where = [is(THING.name, 'ne', 'a')]
  const raws = [
    sql<boolean>`name = 'a' or name = 'b'`,
    sql<boolean>`(name = 'a') OR (name = 'b')`,
    sql<boolean>`${sql.raw("name = 'a' or name = 'b'")}`,
    sql<boolean>`name = 'a' ${sql`or`} name = ${'b'}`,
    sql<boolean>`(name = 'a' or name = 'b')`,
  ]
  for (const raw of raws) t.deepEqual(await column(from.where(raw), ID, { where }), [2])
  t.deepEqual(await column(from.where(sql`name = 'a' or name`, '=', 'b'), ID, { where }), [2])
  const message =
    'collection: the Kysely query has a raw condition with OR among others. Put it in parentheses: sql`(a or b)`.'
  for (const raw of raws.slice(0, 2))
    await t.throwsAsync(() => column(from.where('id', '<', 3).where(raw), ID, { where }), {
      instanceOf: TypeError,
      message,
    })
  t.deepEqual(
    await column(
      from.where(eb => eb.or([eb('name', '=', 'a'), eb('name', '=', 'b')])),
      ID,
      { where },
    ),
    [2],
  )
  await own.destroy()
})

test('a Kysely query keeps its joins and conditions, and what is more is a subquery', async t => {
  const own = kyselyOnSqlite()
  await sql`create table country (id integer, name text)`.execute(own)
  await sql`create table city (id integer, name text, country_id integer)`.execute(own)
  await sql`insert into country values (1, 'Italy'), (2, 'France')`.execute(own)
  await sql`insert into city values (1, 'Rome', 1), (2, 'Paris', 2), (3, 'Milan', 1), (4, 'Paris', 1)`.execute(own)
  const joined = own
    .selectFrom('city')
    .innerJoin('country', 'country.id', 'city.country_id')
    .where('country.name', '=', 'Italy')
    .selectAll('country')
  const id = field('id', 'number', { column: 'city.id' })
  const name = field('name', 'string', { column: 'country.name' })
  const city = field('city', 'string', { column: 'city.name' })
  const wanted = slice({ order: [by(city), by(id)], fields: [id, name, city], limit: 2 })
  t.deepEqual(await read(joined, wanted, 'exact'), {
    rows: [
      { id: 3, name: 'Italy', city: 'Milan' },
      { id: 4, name: 'Italy', city: 'Paris' },
    ],
    total: 3,
    more: true,
  })
  const distinct = own.selectFrom('city').select('name').distinct()
  const plain = slice({ order: [by(THING.name)], fields: [THING.name] })
  t.deepEqual((await read(own.selectFrom(distinct.as('it')), plain)).rows.length, 3)
  await own.destroy()
})

test('a Kysely query gives the names of the fields, whatever a plugin makes of the names of columns', async t => {
  const own = kyselyOnSqlite({ plugins: [new CamelCasePlugin({ underscoreBeforeDigits: true })] })
  await sql`create table thing (id integer, first_name text)`.execute(own)
  await sql`insert into thing values (1, 'Ada')`.execute(own)
  const from = own.selectFrom('thing')
  t.deepEqual(await column(from, field('first_name', 'string', { column: 'firstName' })), ['Ada'])
  t.deepEqual(await column(from, field('name', 'string', { column: 'first_name' })), ['Ada'])
  await own.destroy()
})

test('a name of a field that is another column does not change the order', async t => {
  const own = kyselyOnSqlite()
  await sql`create table thing (id integer, a integer, b integer)`.execute(own)
  await sql`insert into thing values (1, 1, 2), (2, 2, 1)`.execute(own)
  const [a, b] = [field('a', 'number', { column: 'b' }), field('b', 'number', { column: 'a' })]
  const { rows } = await read(own.selectFrom('thing'), slice({ order: [by(a), by(ID)], fields: [a, b] }))
  t.deepEqual(rows, [
    { a: 1, b: 2 },
    { a: 2, b: 1 },
  ])
  await own.destroy()
})

test('a Kysely query for another database is refused', async t => {
  const other = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new MssqlAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: it => new MssqlIntrospector(it),
      createQueryCompiler: () => new MssqlQueryCompiler(),
    },
  })
  const advice = 'It takes PostgreSQL, SQLite and MySQL; adapt another by defineSource().'
  await t.throwsAsync(() => read(other.selectFrom('thing'), slice()), {
    instanceOf: TypeError,
    message: `collection: the Kysely query is for a database that is not known here. ${advice}`,
  })
})

test('a Kysely query where kysely cannot be loaded says what to install', t => {
  const hooks = `export const resolve = (specifier, context, next) => {
    if (specifier === 'kysely') throw new Error('There is none.')
    return next(specifier, context)
  }`
  const program = `import { register } from 'node:module'
    const { Kysely, SqliteDialect } = await import('kysely')
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    const { chooseSource } = await import('./dist/extensions/collection/source.js')
    const query = new Kysely({ dialect: new SqliteDialect({}) }).selectFrom('thing')
    await chooseSource(query).read(query, { fields: [] }, 'none', {}).catch(error => console.log(String(error)))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
  })
  t.is(stdout.trim(), 'TypeError: collection: kysely could not be loaded. Run npm install kysely.')
})

// Knex

const knex = knexOnSqlite()
const refusedByKnex: [string, unknown, string][] = [
  ['groups', knex('thing').groupBy('name'), 'has groups'],
  ['having', knex('thing').having('name', '=', 'a'), 'has groups'],
  ['distinct', knex('thing').distinct('name'), 'has distinct rows'],
  ['a union', knex('thing').union(knex('thing')), 'has a union'],
  ['an order', knex('thing').orderBy('name'), 'has an order of its own'],
  ['a limit', knex('thing').limit(3), 'has a limit of its own'],
  ['an offset', knex('thing').offset(3), 'has an offset of its own'],
  ['first()', knex('thing').first(), 'is no select but first()'],
  ['delete()', knex('thing').delete(), 'is no select but del()'],
]
for (const [title, value, words] of refusedByKnex)
  test(`a Knex query with ${title} is refused`, async t => {
    const advice = "Give the collection knex.from(query.as('it')), and the order by resource({ sort })."
    await t.throwsAsync(() => read(value, slice()), {
      instanceOf: TypeError,
      message: `collection: the Knex query ${words}. ${advice}`,
    })
  })

test('a Knex query for another database is refused', async t => {
  const advice = 'It takes PostgreSQL, SQLite and MySQL; adapt another by defineSource().'
  await t.throwsAsync(() => read(makeKnex({ client: 'mssql' })('thing'), slice()), {
    instanceOf: TypeError,
    message: `collection: the Knex query is for mssql. ${advice}`,
  })
})

test('a Knex query keeps its own conditions as one, and is not changed', async t => {
  const own = knexOnSqlite()
  await own.schema.createTable('thing', table => {
    table.integer('id')
    table.text('name')
  })
  await own('thing').insert(['a', 'b', 'c'].map((name, id) => ({ id, name })))
  const given = own('thing').where({ name: 'a' }).orWhere({ name: 'b' }).select('name')
  const before = given.toString()
  t.deepEqual(await column(given, ID, { where: [is(THING.name, 'ne', 'a')] }), [1])
  t.is(given.toString(), before)
  const joined = own('thing').join('thing as other', 'thing.id', 'other.id').whereNot('other.name', 'b')
  const id = field('id', 'number', { column: 'thing.id' })
  t.deepEqual(await column(joined, id, { order: [by(id)] }), [0, 2])
  const wrapped = own.from(own('thing').distinct('name').as('it'))
  t.deepEqual(await column(wrapped, THING.name, { order: [by(THING.name)] }), ['a', 'b', 'c'])
  await own.destroy()
})

// Columns of types that a database has and JavaScript has not

type Rows = readonly (readonly [id: number, literal: string])[]

async function inPostgres(url: string, type: string, rows: Rows, run: (from: () => unknown) => Promise<void>) {
  const own = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
  await inTable(own, type, rows, run)
}

async function inMariadb(url: string, type: string, rows: Rows, run: (from: () => unknown) => Promise<void>) {
  const own = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createPool({ uri: url }) }) })
  await inTable(own, type, rows, run)
}

async function inTable(own: Kysely<Tables>, type: string, rows: Rows, run: (from: () => unknown) => Promise<void>) {
  const values = rows.map(([id, literal]) => `(${id}, ${literal})`).join(', ')
  await sql`${sql.raw(`create table thing (id integer primary key, x ${type})`)}`.execute(own)
  await sql`${sql.raw(`insert into thing values ${values}`)}`.execute(own)
  try {
    await run(() => own.selectFrom('thing'))
  } finally {
    await own.destroy()
  }
}

/** All ids in an order, one a page. */
async function walk(from: () => unknown, order: Slice['order']): Promise<unknown[]> {
  const ids: unknown[] = []
  const fields = order.map(({ field }) => field)
  let after: readonly Value[] | undefined
  for (let page = 0; page < 20; page += 1) {
    const { rows } = await read(from(), slice({ order, fields, limit: 1, ...(after && { after }) }))
    if (!rows[0]) return ids
    ids.push(rows[0].id)
    after = fields.map(({ name }) => rows[0]?.[name] as Value)
  }
  return ids
}

const micro: Rows = [
  [1, "'2020-01-01 00:00:00.123900'"],
  [2, "'2020-01-01 00:00:00.123100'"],
  [3, "'2020-01-01 00:00:00.123500'"],
  [4, "'2020-01-01 00:00:00.122999'"],
  [5, 'null'],
]

/** Of a column without a zone, which pg takes to be in that of the process. */
const local = (text: string) => new Date(text.replace(/Z$/, ''))
const inUtc = (text: string) => new Date(text)

async function walksMicroseconds(t: ExecutionContext, from: () => unknown, read = inUtc): Promise<void> {
  const x = field('x', 'date')
  t.deepEqual(await walk(from, [by(x), by(ID)]), [5, 4, 1, 2, 3])
  t.deepEqual(await walk(from, [by(x, true), by(ID)]), [1, 2, 3, 4, 5])
  const at = read('2020-01-01T00:00:00.123Z')
  const found = (operator: Condition['operator'], ...values: Date[]) =>
    column(from(), ID, { where: [is(x, operator, ...values)] })
  t.deepEqual(await found('eq', at), [1, 2, 3])
  t.deepEqual(await found('ne', at), [4, 5])
  t.deepEqual(await found('in', at), [1, 2, 3])
  t.deepEqual(await found('lte', at), [1, 2, 3, 4])
  t.deepEqual(await found('lt', at), [4])
  t.deepEqual(await found('gt', at), [])
  t.deepEqual(await found('gte', at), [1, 2, 3])
}

for (const type of ['timestamptz', 'timestamp'])
  testPostgres(`a walk by a ${type} of PostgreSQL neither repeats nor misses a row of the same millisecond`, (t, url) =>
    inPostgres(url, type, micro, from => walksMicroseconds(t, from, type === 'timestamp' ? local : inUtc)),
  )
testMariadb('a walk by a datetime(6) of MariaDB neither repeats nor misses a row of the same millisecond', (t, url) =>
  inMariadb(url, 'datetime(6)', micro, from => walksMicroseconds(t, from)),
)

const days: Rows = [
  [1, "'2020-01-01'"],
  [2, "'2020-01-02'"],
  [3, 'null'],
]
async function comparesDays(t: ExecutionContext, from: () => unknown, read = inUtc): Promise<void> {
  const x = field('x', 'date')
  const found = (operator: Condition['operator'], at: string) =>
    column(from(), ID, { where: [is(x, operator, read(at))] })
  t.deepEqual(await found('eq', '2020-01-01T00:00:00Z'), [1])
  t.deepEqual(await found('eq', '2020-01-01T10:00:00Z'), [])
  t.deepEqual(await found('lt', '2020-01-01T10:00:00Z'), [1])
  t.deepEqual(await found('lte', '2020-01-02T00:00:00Z'), [1, 2])
  t.deepEqual(await found('gte', '2020-01-01T10:00:00Z'), [2])
  t.deepEqual(await found('gt', '2020-01-01T00:00:00Z'), [2])
  t.deepEqual(await walk(from, [by(x, true), by(ID)]), [2, 1, 3])
}
testPostgres('a date of PostgreSQL is its midnight', (t, url) =>
  inPostgres(url, 'date', days, from => comparesDays(t, from, local)),
)
testMariadb('a date of MariaDB is its midnight', (t, url) =>
  inMariadb(url, 'date', days, from => comparesDays(t, from)),
)

testPostgres('a uuid of PostgreSQL is text, and what is no uuid is in no row', async (t, url) => {
  const one = '7f9c24e8-3b12-4a5e-9c3e-000000000001'
  const uuids: Rows = [
    [1, `'${one}'`],
    [2, "'0f9c24e8-3b12-4a5e-9c3e-000000000002'"],
  ]
  await inPostgres(url, 'uuid', uuids, async from => {
    const x = field('x', 'string')
    t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', one)] }), [1])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', 'nobody')] }), [])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'like', '7F9*')] }), [1])
    t.deepEqual(await walk(from, [by(x), by(ID)]), [2, 1])
    const plain = field('x', 'string', { collation: 'database' })
    t.deepEqual(await column(from(), ID, { where: [is(plain, 'eq', one)] }), [1])
    t.deepEqual(await walk(from, [by(plain), by(ID)]), [2, 1])
    const detail = 'A value of the filter does not fit the column that it is compared with.'
    const error = await t.throwsAsync(() => column(from(), ID, { where: [is(plain, 'eq', 'nobody')] }))
    t.like(error, { status: 400, members: { type: 'about:blank', title: 'Bad Request', detail } })
  })
})

testPostgres('an index on a column of PostgreSQL serves the equality of text', async (t, url) => {
  const many = Array.from({ length: 2000 }, (_, id) => [id, `'name ${id}'`] as const)
  const ran: string[] = []
  const own = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    log: ({ query }) => void ran.push(query.sql),
  })
  await inTable(own, 'varchar(20)', many, async from => {
    await sql`create index on thing (x)`.execute(own)
    await sql`analyze thing`.execute(own)
    const x = field('x', 'string')
    t.deepEqual(await column(from(), ID, { where: [is(x, 'in', 'name 7', 'name 9')], limit: 3 }), [7, 9])
    const { rows } = await sql<
      Record<string, string>
    >`explain ${sql.raw((ran.at(-1) ?? '').replace(/\$\d/g, "'3'"))}`.execute(own)
    t.regex(JSON.stringify(rows), /Index Cond/)
  })
})

const numeric: Rows = [
  [1, '12.50'],
  [2, '0.1'],
  [3, '-7'],
]
async function comparesNumbers(t: ExecutionContext, from: () => unknown): Promise<void> {
  const x = field('x', 'number')
  t.deepEqual(await column(from(), x), [12.5, 0.1, -7])
  t.deepEqual(await column(from(), ID, { where: [is(x, 'in', 12.5, 0.1)] }), [1, 2])
  t.deepEqual(await column(from(), ID, { where: [is(x, 'lt', 1e300)] }), [1, 2, 3])
  t.deepEqual(await walk(from, [by(x), by(ID)]), [3, 2, 1])
}
testPostgres('a numeric of PostgreSQL is a number', (t, url) =>
  inPostgres(url, 'numeric(12, 2)', numeric, from => comparesNumbers(t, from)),
)
testMariadb('a decimal of MariaDB is a number', (t, url) =>
  inMariadb(url, 'decimal(12, 2)', numeric, from => comparesNumbers(t, from)),
)

testPostgres('a smallint of PostgreSQL takes any number of a client', async (t, url) => {
  await inPostgres(url, 'smallint', [[1, '7']], async from => {
    const x = field('x', 'number')
    for (const value of [7.5, 1e300, -1e300, 9007199254740991, 5e-324])
      t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', value)] }), [])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'lte', 7.5)] }), [1])
  })
})

testMariadb('a column of MariaDB in latin1 takes text that it cannot hold', async (t, url) => {
  const rows: Rows = [
    [1, "'a'"],
    [2, "'\u00e9'"],
  ]
  await inMariadb(url, 'varchar(10) character set latin1', rows, async from => {
    const x = field('x', 'string')
    t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', '\ud83d\ude00')] }), [])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'lt', '\ud83d\ude00')] }), [1, 2])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'like', '\u00e9*')] }), [2])
  })
})

testMariadb('an enum and a bit of MariaDB are text and a boolean', async (t, url) => {
  await inMariadb(
    url,
    "enum('small', 'big')",
    [
      [1, "'small'"],
      [2, "'big'"],
    ],
    async from => {
      const x = field('x', 'enum', { values: ['small', 'big'] })
      t.deepEqual(await walk(from, [by(x), by(ID)]), [2, 1])
      t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', 'small')] }), [1])
    },
  )
})

testMariadb('a bit of MariaDB is a boolean', async (t, url) => {
  await inMariadb(
    url,
    'bit(1)',
    [
      [1, "b'1'"],
      [2, "b'0'"],
    ],
    async from => {
      const x = field('x', 'boolean')
      t.deepEqual(await column(from(), x), [true, false])
      t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', true)] }), [1])
    },
  )
})

test('dates of SQLite are ISO 8601 text in any form, or seconds', async t => {
  const rows: Rows = [
    [1, "'2020-01-01'"],
    [2, "'2020-01-01 01:00:00+01:00'"],
    [3, "'2020-01-01T00:00:00.001Z'"],
    [4, "'nonsense'"],
    [5, 'null'],
    [6, "'2019-12-31 23:59:59'"],
  ]
  await inTable(kyselyOnSqlite(), 'text', rows, async from => {
    const x = field('x', 'date')
    const at = new Date('2020-01-01T00:00:00Z')
    t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', at)] }), [1, 2])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'null', true)] }), [4, 5])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'lt', new Date('9999-12-31T23:59:59-01:00'))] }), [1, 2, 3, 6])
    t.deepEqual(await walk(from, [by(x), by(ID)]), [4, 5, 6, 1, 2, 3])
    t.deepEqual((await column(from(), x)).slice(0, 2), [at, at])
  })
  const seconds: Rows = [
    [1, '0'],
    [2, '1.5'],
  ]
  await inTable(kyselyOnSqlite(), 'real', seconds, async from => {
    const x = field('x', 'date', { stored: 'seconds' })
    t.deepEqual(await column(from(), x), [new Date(0), new Date(1500)])
    t.deepEqual(await column(from(), ID, { where: [is(x, 'eq', new Date(1500))] }), [2])
  })
})

test.after.always(async () => {
  await db.destroy()
  await knex.destroy()
})
