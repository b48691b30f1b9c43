import test, { type ExecutionContext } from 'ava'
import makeKnex from 'knex'
import { CompiledQuery, Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { asking } from '../../support/asking.ts'
import { testMariadb } from '../../support/mariadb.ts'
import { testPostgres } from '../../support/postgres.ts'
import { knexOnSqlite, kyselyOnSqlite, type Tables } from '../../support/sqlite.ts'

// Dates that are stored as numbers with more digits than a Date has, as time.time() of Python gives them: every source has
// the rows that a list has, and in the order of a list.

const SECONDS = [
  1760000000.123456,
  1760000000.123111,
  1760000000.1226,
  1760000000.123,
  null,
  1760000000,
  1760000000.123499,
  -1.0006,
  // Between two milliseconds.
  -0.0005,
  0.0005,
  -0.0015,
  1.4999,
  1.0005,
  null,
  0,
]

type Stored = 'seconds' | 'milliseconds'

/** In milliseconds as a column with so many digits has them. */
const valuesOf = (stored: Stored) =>
  SECONDS.map(it => (it === null || stored === 'seconds' ? it : Number((it * 1000).toFixed(3))))

async function fill(run: (sql: string) => Promise<unknown>, type: string, stored: Stored): Promise<void> {
  await run('drop table if exists event')
  await run(`create table event (id integer primary key, it ${type})`)
  await run(
    `insert into event values ${valuesOf(stored)
      .map((it, index) => `(${index + 1}, ${it})`)
      .join(', ')}`,
  )
}

async function isLikeList(t: ExecutionContext, stored: Stored, type: string, rows: () => unknown): Promise<void> {
  const field = { type: 'date', stored }
  const list = asking(field, () => valuesOf(stored).map((it, index) => ({ id: index + 1, it })))
  const { all, there, back } = asking(field, rows)
  const title = `${stored} in ${type}`
  const items = await list.all()
  t.deepEqual(await all(), items, title)
  for (const sort of ['it', '-it', 'it,-id']) {
    const sorted = (await list.all(`sort=${sort}`)).map(({ id }) => id)
    t.deepEqual(await list.there(sort), sorted, sort)
    t.deepEqual(await there(sort), sorted, `${title}: there by ${sort}`)
    t.deepEqual(await back(sort), sorted, `${title}: back by ${sort}`)
  }
  const dates = [...new Set(items.flatMap(({ it }) => (it === null ? [] : [it])))]
  const queries = [
    'it[null]=true',
    'it[null]=false',
    `it[in]=${dates.slice(0, 2).join(',')}`,
    `it[nin]=${dates.slice(1, 3).join(',')}`,
    `it[between]=${dates[1]},${dates[0]}`,
    ...dates
      .slice(0, 7)
      .flatMap(it => ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in'].map(operator => `it[${operator}]=${it}`)),
  ]
  for (const query of queries) t.deepEqual(await all(query), await list.all(query), `${title}: ${query}`)

  // By the number itself, of which a Date has not all digits.
  const byNumber = asking({ ...field, collation: 'database' }, rows)
  for (const sort of ['it', '-it']) {
    const sorted = (await byNumber.all(`sort=${sort}`)).map(({ id }) => id)
    t.deepEqual(await byNumber.there(sort), sorted, `${title}: there by ${sort} in the order of the database`)
    t.deepEqual(await byNumber.back(sort), sorted, `${title}: back by ${sort} in the order of the database`)
  }
}

const STORED = ['seconds', 'milliseconds'] as const

test('dates of SQLite that are stored with a fraction of a millisecond are walked and found as in a list', async t => {
  const db = kyselyOnSqlite()
  const knex = knexOnSqlite()
  for (const stored of STORED) {
    await fill(sql => db.executeQuery(CompiledQuery.raw(sql)), 'real', stored)
    await isLikeList(t, stored, 'real', () => db.selectFrom('event'))
    await fill(sql => knex.raw(sql), 'numeric', stored)
    await isLikeList(t, stored, 'numeric', () => knex('event'))
  }
  await knex.destroy()
  await db.destroy()
})

testPostgres(
  'dates of PostgreSQL that are stored with a fraction are walked and found as in a list',
  async (t, url) => {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
    const knex = makeKnex({ client: 'pg', connection: url })
    for (const stored of STORED)
      for (const [type, rows] of [
        ['double precision', () => db.selectFrom('event')],
        ['numeric(20, 6)', () => knex('event')],
      ] as const) {
        await fill(sql => knex.raw(sql), type, stored)
        await isLikeList(t, stored, type, rows)
      }
    await knex.destroy()
    await db.destroy()
  },
)

testMariadb('dates of MariaDB that are stored with a fraction are walked and found as in a list', async (t, url) => {
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createPool({ uri: url }) }) })
  const knex = makeKnex({ client: 'mysql2', connection: url })
  for (const stored of STORED)
    for (const [type, rows] of [
      ['double', () => db.selectFrom('event')],
      ['decimal(20, 6)', () => knex('event')],
    ] as const) {
      await fill(sql => knex.raw(sql), type, stored)
      await isLikeList(t, stored, type, rows)
    }
  await knex.destroy()
  await db.destroy()
})

// Which index serves

const FIELDS = {
  seconds: { type: 'date', stored: 'seconds' },
  'seconds in the order of the database': { type: 'date', stored: 'seconds', collation: 'database' },
  number: { type: 'number' },
} as const

/** What is asked, and what of the plan says that an index on the column is gone through for it. */
const PLANS: readonly [keyof typeof FIELDS, string, sqlite: RegExp, postgres: RegExp][] = [
  ['seconds', 'it=1970-01-01T00:10:00Z', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['seconds', 'it[in]=1970-01-01T00:10:00Z,1970-01-01T00:11:00Z', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['seconds', 'it[between]=1970-01-01T00:10:00Z,1970-01-01T00:11:00Z', /\(it>\? AND it<\?\)/, /Index Cond/],
  ['seconds', 'it[null]=true', /INDEX event_it \(it=\?\)/, /Index Cond/],
  ['seconds in the order of the database', 'sort=it&per_page=3', /SCAN event .*INDEX event_it$/, /Limit.*Index.* Scan/],
  ['number', 'sort=it&per_page=3', /SCAN event .*INDEX event_it$/, /Limit.*Index.* Scan/],
  ['number', 'it[lt]=5&sort=-it', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['number', 'it[gt]=1990&sort=it', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['number', 'it[between]=7,9', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['number', 'it[gt]=7&it[lt]=9', /INDEX event_it \(it>\? AND it<\?\)/, /Index Cond/],
  ['number', 'it[null]=true', /INDEX event_it \(it=\?\)/, /Index Cond/],
]

const MANY = Array.from({ length: 2000 }, (_, index) => `(${index}, ${index % 100 === 0 ? 'null' : index})`).join(', ')

interface Ran {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

test('an index of SQLite on a column of numbers serves dates and numbers', async t => {
  const ran: Ran[] = []
  const db = kyselyOnSqlite({ log: ({ query }) => void ran.push(query) })
  const run = (sql: string, parameters: readonly unknown[] = []) =>
    db.executeQuery(CompiledQuery.raw(sql, [...parameters]))
  await run('create table event (id integer primary key, it integer)')
  await run('create index event_it on event (it, id)')
  await run(`insert into event values ${MANY}`)
  for (const [field, query, plan] of PLANS) {
    await asking(FIELDS[field], () => db.selectFrom('event')).all(query)
    const asked = ran.findLast(({ sql }) => sql.includes(' limit ')) as Ran
    const { rows } = await run(`explain query plan ${asked.sql}`, asked.parameters)
    const said = (rows as { detail: string }[]).map(({ detail }) => detail).join('; ')
    t.regex(said, plan, `${field} ${query}`)
  }
  await db.destroy()
})

for (const type of ['integer', 'double precision', 'numeric'])
  testPostgres(`an index of PostgreSQL on a column of ${type} serves dates and numbers`, async (t, url) => {
    const ran: Ran[] = []
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), log: ({ query }) => void ran.push(query) })
    const run = (sql: string, parameters: readonly unknown[] = []) =>
      db.executeQuery(CompiledQuery.raw(sql, [...parameters]))
    await run(`create table event (id integer primary key, it ${type})`)
    await run('create index event_it on event (it nulls first, id)')
    await run(`insert into event values ${MANY}`)
    await run('analyze event')
    for (const [field, query, , plan] of PLANS) {
      await asking(FIELDS[field], () => db.selectFrom('event')).all(query)
      const asked = ran.findLast(({ sql }) => sql.includes(' limit ')) as Ran
      const { rows } = await run(`explain ${asked.sql}`, asked.parameters)
      t.regex(JSON.stringify(rows), plan, `${field} ${query}`)
    }
    await db.destroy()
  })
