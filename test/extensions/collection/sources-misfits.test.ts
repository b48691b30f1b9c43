import test, { type ExecutionContext } from 'ava'
import makeKnex from 'knex'
import { CompiledQuery, Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { asking, type Item } from '../../support/asking.ts'
import { testMariadb } from '../../support/mariadb.ts'
import { testPostgres } from '../../support/postgres.ts'
import { knexOnSqlite, kyselyOnSqlite, type Tables } from '../../support/sqlite.ts'

// Columns that have what the type of the field, or JSON, has not: NaN, infinities, text among numbers. It is given as null,
// and whatever a client asks, a walk has each row once, and a condition lets through what is seen to fulfil it.

interface Misfits {
  /** Of the column. */
  readonly type: string
  readonly field: object
  /** In SQL, by id from 1. */
  readonly values: readonly string[]
  /** The ids of those that the database does not have as null, and that are given so. */
  readonly misfits: readonly number[]
  /** Has `null=true` only what the database has as null, so that an index serves? */
  readonly isByColumn?: boolean
  /** Has the database no way to tell what fits? */
  readonly isOnlyWalked?: boolean
}

const numbers = [
  "'NaN'",
  '1',
  'null',
  "'infinity'",
  '2',
  "'-infinity'",
  "'NaN'",
  '-3',
  'null',
  "'infinity'",
  "'NaN'",
  '2',
]
const dates = [
  "'infinity'",
  "'2020-01-02'",
  'null',
  "'-infinity'",
  "'2020-01-01'",
  "'infinity'",
  "'2020-01-02'",
  "'infinity'",
]
const seconds = ["'NaN'", '1.5', 'null', "'infinity'", '2', "'-infinity'", '1e300', '1.5']
const ofNumbers = { type: 'number' }
const byDatabase = (field: object) => ({ ...field, collation: 'database' })

const POSTGRES: readonly Misfits[] = [
  ...['numeric', 'double precision', 'real'].map(type => ({
    type,
    field: ofNumbers,
    values: numbers,
    misfits: [1, 4, 6, 7, 10, 11],
    isByColumn: true,
  })),
  {
    type: 'numeric',
    field: ofNumbers,
    values: ['1e400', '1', 'null', '-1e400', '1e400'],
    misfits: [1, 4, 5],
    isByColumn: true,
  },
  ...['timestamptz', 'timestamp', 'date'].flatMap(type =>
    [{ type: 'date' }, byDatabase({ type: 'date' })].map(field => ({
      type,
      field,
      values: dates,
      misfits: [1, 4, 6, 8],
    })),
  ),
  ...[{ type: 'date', stored: 'seconds' }, byDatabase({ type: 'date', stored: 'seconds' })].map(field => ({
    type: 'double precision',
    field,
    values: seconds,
    misfits: [1, 4, 6, 7],
    isByColumn: true,
  })),
  {
    type: 'text',
    field: { type: 'date', stored: 'text' },
    values: ["'never'", "'2020-01-01T00:00:00.000Z'", 'null', "''", "'never'"],
    misfits: [1, 4, 5],
    isOnlyWalked: true,
  },
]

const SQLITE: readonly Misfits[] = [
  {
    type: 'real',
    field: ofNumbers,
    values: ['9e999', '1', 'null', '-9e999', '9e999', '2.5', '9e999', "'abc'", "''"],
    misfits: [1, 4, 5, 7, 8, 9],
    isByColumn: true,
  },
  {
    type: 'integer',
    field: ofNumbers,
    values: ["'abc'", '1', 'null', "''", "''", '-2', "'1 2'", '-9007199254740991'],
    misfits: [1, 4, 5, 7],
    isByColumn: true,
  },
  {
    type: 'integer',
    field: { type: 'boolean' },
    values: ["'yes'", '1', 'null', '0', "'no'", "x'01'"],
    misfits: [1, 5, 6],
  },
  ...[{ type: 'date' }, byDatabase({ type: 'date' })].map((field, index) => ({
    type: 'text',
    field,
    values: ["'never'", "'2020-01-01T00:00:00.000Z'", 'null', "''", "'never'", "'2021-01-01T00:00:00.000Z'"],
    misfits: [1, 4, 5],
    isByColumn: index === 1,
  })),
  ...[{ type: 'date', stored: 'seconds' }, byDatabase({ type: 'date', stored: 'seconds' })].map(field => ({
    type: 'real',
    field,
    values: ['9e999', '1.5', 'null', "'abc'", '2', '-9e999', '1e300', '1.5', "'abc'"],
    misfits: [1, 4, 6, 7, 9],
    isByColumn: true,
  })),
]

const MARIADB: readonly Misfits[] = [
  {
    type: 'datetime(6)',
    field: { type: 'date' },
    values: ["'0000-00-00'", "'2020-01-01'", 'null', "'2020-00-00'", "'0000-00-00'", "'2020-01-02'", "'0000-00-00'"],
    misfits: [1, 4, 5, 7],
    isByColumn: true,
  },
]

type Run = (sql: string) => Promise<unknown>

async function fill(run: Run, { type, values }: Pick<Misfits, 'type' | 'values'>): Promise<void> {
  await run('drop table if exists misfit')
  await run(`create table misfit (id integer primary key, it ${type})`)
  await run(`insert into misfit values ${values.map((it, index) => `(${index + 1}, ${it})`).join(', ')}`)
}

/** By what is shown, as a number. */
const placeOf = ({ it }: Item): number | null =>
  it === null ? null : typeof it === 'string' ? Date.parse(it) : Number(it)

const HOLDS: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  eq: (one, other) => one === other,
  lt: (one, other) => one < other,
  lte: (one, other) => one <= other,
  gt: (one, other) => one > other,
  gte: (one, other) => one >= other,
}

async function agrees(t: ExecutionContext, misfits: Misfits, rows: () => unknown): Promise<void> {
  const { field, values } = misfits
  const { all, there, back } = asking(field, rows)
  const title = `${misfits.type} as ${JSON.stringify(field)}`
  const items = await all()
  const ids = (some: readonly Item[]) => some.map(({ id }) => id)
  const isNull = ({ it }: Item) => it === null
  t.deepEqual(
    ids(items.filter(isNull)),
    values.flatMap((it, index) => (it === 'null' || misfits.misfits.includes(index + 1) ? [index + 1] : [])),
    title,
  )
  for (const sort of ['it', '-it', 'it,-id']) {
    const sorted = ids(await all(`sort=${sort}`))
    t.deepEqual(
      [...sorted].sort((a, b) => a - b),
      ids(items),
      `${title} by ${sort}`,
    )
    t.deepEqual(await there(sort), sorted, `${title}: there by ${sort}`)
    t.deepEqual(await back(sort), sorted, `${title}: back by ${sort}`)
  }
  if (misfits.isOnlyWalked) return
  const found = async (query: string) => ids(await all(query))
  t.deepEqual(await found('it[null]=false'), ids(items.filter(it => !isNull(it))), `${title}: not null`)
  const nulls = misfits.isByColumn
    ? values.flatMap((it, index) => (it === 'null' ? [index + 1] : []))
    : ids(items.filter(isNull))
  t.deepEqual(await found('it[null]=true'), nulls, `${title}: null`)
  const isBoolean = (field as { type: string }).type === 'boolean'
  for (const item of items.filter((it, index) => !isNull(it) && index < 6)) {
    const one = placeOf(item) as number
    for (const [operator, holds] of Object.entries(HOLDS)) {
      if (isBoolean && operator !== 'eq') continue
      const expected = items.filter(it => !isNull(it) && holds(placeOf(it) as number, one))
      t.deepEqual(await found(`it[${operator}]=${item.it}`), ids(expected), `${title} ${operator} ${item.it}`)
    }
    const others = items.filter(it => placeOf(it) !== one)
    t.deepEqual(await found(`it[ne]=${item.it}`), ids(others), `${title} ne ${item.it}`)
    t.deepEqual(
      await found(`it[in]=${item.it}`),
      ids(items.filter(it => placeOf(it) === one)),
      `${title} in ${item.it}`,
    )
  }
}

testPostgres(
  'no condition takes what a field has not for a value of PostgreSQL, and no walk stumbles over it',
  async (t, url) => {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
    const knex = makeKnex({ client: 'pg', connection: url })
    for (const [index, misfits] of POSTGRES.entries()) {
      await fill(sql => knex.raw(sql), misfits)
      await agrees(t, misfits, () => (index % 3 === 0 ? db.selectFrom('misfit') : knex('misfit')))
    }
    await knex.destroy()
    await db.destroy()
  },
)

testMariadb(
  'no condition takes what a field has not for a value of MariaDB, and no walk stumbles over it',
  async (t, url) => {
    const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createPool({ uri: url }) }) })
    const knex = makeKnex({ client: 'mysql2', connection: url })
    for (const misfits of MARIADB) {
      await fill(sql => db.executeQuery(CompiledQuery.raw(sql)), misfits)
      await agrees(t, misfits, () => db.selectFrom('misfit'))
      await agrees(t, misfits, () => knex('misfit'))
    }
    await knex.destroy()
    await db.destroy()
  },
)

test('no condition takes what a field has not for a value of SQLite, and no walk stumbles over it', async t => {
  const db = kyselyOnSqlite()
  const knex = knexOnSqlite()
  for (const misfits of SQLITE) {
    await fill(sql => db.executeQuery(CompiledQuery.raw(sql)), misfits)
    await agrees(t, misfits, () => db.selectFrom('misfit'))
    await fill(sql => knex.raw(sql), misfits)
    await agrees(t, misfits, () => knex('misfit'))
  }
  await knex.destroy()
  await db.destroy()
})

const MESSAGE = (type: string) =>
  `collection: a row has in the column it what is no ${type}, and no cursor holds it. Store null in its place, or give the resource another sort.`

/** A page is given where a walk is not, and the walk ends there. */
async function refuses(t: ExecutionContext, field: object, message: string, nulls: number[], rows: () => unknown) {
  const { app, all } = asking(field, rows)
  const shown = (await all()).filter(({ it }) => it === null).map(({ id }) => id)
  t.deepEqual(shown, nulls)
  const thrown: unknown[] = []
  app.on('error', error => thrown.push(error))
  for (const sort of ['it', '-it']) {
    let url: string | undefined = `/?cursor=&limit=1&sort=${sort}`
    let status = 200
    for (let page = 0; url && page < 9; page += 1) {
      const response = await app.client().get(url.replace('http://localhost', ''))
      status = response.status
      url = status === 200 ? ((await response.json()) as { links: Record<string, string> }).links.next : undefined
    }
    t.is(status, 500)
  }
  for (const error of thrown) t.like(error as object, { name: 'TypeError', message })
  t.is(thrown.length, 2)
}

test('a walk by text of SQLite that comes to bytes says in which column', async t => {
  const db = kyselyOnSqlite()
  await fill(sql => db.executeQuery(CompiledQuery.raw(sql)), { type: 'text', values: ["x'62'", "'a'", "x'61'", "'c'"] })
  const rows = () => db.selectFrom('misfit')
  await refuses(t, { type: 'string' }, MESSAGE('string'), [1, 3], rows)
  const { all } = asking({ type: 'string' }, rows)
  for (const query of ['it[gt]=a', 'it[like]=c*', 'it[null]=false&it[ne]=a'])
    t.deepEqual(
      (await all(query)).map(({ id }) => id),
      [4],
      query,
    )
  t.deepEqual(await all('it[like]=b*'), [])
  await db.destroy()
})

testMariadb(
  'a walk of MariaDB that comes to bytes, or to a date that is none, says in which column',
  async (t, url) => {
    const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createPool({ uri: url }) }) })
    const run = (sql: string) => db.executeQuery(CompiledQuery.raw(sql))
    const rows = () => db.selectFrom('misfit')
    await fill(run, { type: 'blob', values: ["'b'", "'a'", 'null'] })
    await refuses(t, { type: 'string' }, MESSAGE('string'), [1, 2, 3], rows)
    await fill(run, { type: 'datetime', values: ["'0000-00-00'", "'2020-01-01'", "'0000-00-00'"] })
    await refuses(t, byDatabase({ type: 'date' }), MESSAGE('date'), [1, 3], rows)
    await fill(run, { type: 'varchar(9)', values: ["'yes'", "'1'", "'no'"] })
    await refuses(t, { type: 'boolean' }, MESSAGE('boolean'), [1, 2, 3], rows)
    await db.destroy()
  },
)
