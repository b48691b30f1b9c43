import test, { type ExecutionContext } from 'ava'
import makeKnex from 'knex'
import { kolba } from 'kolba'
import { collection, resource } from 'kolba/collection'
import { json } from 'kolba/json'
import { CompiledQuery, Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { testMariadb } from '../../support/mariadb.js'
import { testPostgres } from '../../support/postgres.js'
import { kyselyOnSqlite, type Tables } from '../../support/sqlite.js'

// Walks by cursor over HTTP, both ways, where a column holds more than JavaScript does, or something else than is compared.

type Raw = string | number | bigint | boolean | null
interface Column {
  readonly type: 'number' | 'string' | 'date' | 'boolean' | readonly string[]
  readonly postgres: string
  readonly mysql?: string
  readonly values: readonly Raw[]
  /** The ids in ascending order, where rows of one value follow each other by their id. */
  readonly order: readonly number[]
}

const COLUMNS: Readonly<Record<string, Column>> = {
  float: { type: 'number', postgres: 'real', values: [0.1, 0.2, 0.3, 0.1, null], order: [5, 1, 4, 2, 3] },
  decimal: {
    type: 'number',
    postgres: 'numeric(40, 25)',
    mysql: 'decimal(40, 25)',
    values: ['0.1234567890123456789012', '0.1234567890123456789013', '0.1234567890123456789011', '5.50', null],
    order: [5, 3, 1, 2, 4],
  },
  money: {
    type: 'number',
    postgres: 'numeric(12, 2)',
    mysql: 'decimal(12, 2)',
    values: ['10.50', '9.00', '-0.10', '10.50', null],
    order: [5, 3, 2, 1, 4],
  },
  big: {
    type: 'number',
    postgres: 'bigint',
    mysql: 'bigint',
    values: ['9007199254740993', '9007199254740992', '9007199254740994', '9007199254740991', null],
    order: [5, 4, 2, 1, 3],
  },
  padded: {
    type: 'string',
    postgres: 'char(5)',
    mysql: 'char(5)',
    values: ['a', 'b', 'a', 'B', null],
    order: [5, 4, 1, 3, 2],
  },
  mood: {
    type: ['z', 'a', 'm'],
    postgres: 'varchar(5)',
    mysql: "enum('z', 'a', 'm')",
    values: ['z', 'a', 'm', 'z', null],
    order: [5, 2, 3, 1, 4],
  },
  day: {
    type: 'date',
    postgres: 'date',
    mysql: 'date',
    values: ['2020-03-29', '2020-03-30', '2020-10-25', '2020-03-29', null],
    order: [5, 1, 4, 2, 3],
  },
  flag: {
    type: 'boolean',
    postgres: 'boolean',
    mysql: 'boolean',
    values: [true, false, true, false, null],
    order: [5, 2, 4, 1, 3],
  },
}

/** Walks there and back, and gives the ids both times. */
async function walk(t: ExecutionContext, value: () => object, type: Column['type'], sort: string) {
  const its = resource({ fields: { id: 'number', it: type as 'string' } })
  const app = kolba({ keys: ['a key of at least 32 bytes for a walk'] })
  app.get('/', json(), collection(its, { paging: 'cursor' }), value)
  const ids = async (first: string, towards: 'next' | 'prev') => {
    const found: unknown[] = []
    let url: string | undefined = first
    for (let pages = 0; url && pages < 20; pages += 1) {
      const response = await app.client().get(url.replace('http://localhost', ''))
      const page = (await response.json()) as { items: { id: unknown }[]; links: Record<string, string> }
      t.is(response.status, 200)
      const some = page.items.map(({ id }) => id)
      found.push(...(towards === 'prev' ? some.reverse() : some))
      url = page.links[towards]
    }
    return found
  }
  const first = `/?sort=${sort}&limit=2&fields=id`
  const there = await ids(first, 'next')
  const { links } = (await (await app.client().get(first)).json()) as { links: { last: string } }
  t.deepEqual((await ids(links.last, 'prev')).reverse(), there, `back by ${sort}`)
  return there
}

/** Ascending, descending, and both at once. */
async function walkAll(t: ExecutionContext, value: () => object, { type, order }: Column): Promise<void> {
  t.deepEqual(await walk(t, value, type, 'it,id'), order)
  t.deepEqual(await walk(t, value, type, '-it,-id'), [...order].reverse())
  const mixed = await walk(t, value, type, '-it')
  t.deepEqual([...mixed].sort(), [1, 2, 3, 4, 5])
}

async function fill(db: Kysely<Tables>, { values }: Column, type: string, boolean = (it: boolean): Raw => it) {
  await db.executeQuery(CompiledQuery.raw('drop table if exists walked'))
  await db.executeQuery(CompiledQuery.raw(`create table walked (id integer primary key, it ${type})`))
  const rows = values.map((it, index) => ({ id: index + 1, it: typeof it === 'boolean' ? boolean(it) : it }))
  await db.insertInto('walked').values(rows).execute()
}

testPostgres('a cursor walks PostgreSQL over columns of any type, there and back', async (t, url) => {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
  const knex = makeKnex({ client: 'pg', connection: url })
  for (const column of Object.values(COLUMNS)) {
    await fill(db, column, column.postgres)
    await walkAll(t, () => db.selectFrom('walked'), column)
    await walkAll(t, () => knex('walked'), column)
  }
  await knex.destroy()
  await db.destroy()
})

testMariadb('a cursor walks MariaDB over columns of any type but FLOAT, there and back', async (t, url) => {
  const db = new Kysely<Tables>({
    dialect: new MysqlDialect({ pool: createPool({ uri: url, supportBigNumbers: true }) }),
  })
  for (const column of Object.values(COLUMNS)) {
    if (!column.mysql) continue
    await fill(db, column, column.mysql)
    await walkAll(t, () => db.selectFrom('walked'), column)
  }
  await db.destroy()
})

test('a cursor walks SQLite over columns of any type, there and back', async t => {
  const db = kyselyOnSqlite()
  for (const [name, column] of Object.entries(COLUMNS)) {
    // It has neither decimals of more digits than a double, nor, unless the driver is told to, whole numbers of more.
    if (name === 'decimal' || name === 'big') continue
    const type = column.type === 'number' ? 'numeric' : column.type === 'boolean' ? 'integer' : 'text'
    await fill(db, column, type, Number)
    await walkAll(t, () => db.selectFrom('walked'), column)
  }
  await db.destroy()
})

test('a cursor walks a list over values of any type, there and back', async t => {
  for (const [name, column] of Object.entries(COLUMNS)) {
    // What is compared has the digits of a double; rows that are equal by that follow each other by their id.
    const order = name === 'decimal' ? [5, 1, 2, 3, 4] : column.order
    const rows = column.values.map((it, index) => ({ id: index + 1, it }))
    await walkAll(t, () => rows, { ...column, order })
  }
})

test('a list is in a total order by whole numbers that JavaScript does not hold', async t => {
  const ids = ['9007199254740993', '9007199254740992', '9007199254740995', '9007199254740991', '-9007199254740993']
  const ascending = [ids[4], 9007199254740991, ids[1], ids[0], ids[2]]
  for (const rows of [ids.map(id => ({ id: BigInt(id) })), ids.map(id => ({ id }))]) {
    t.deepEqual(await walk(t, () => rows, 'string', 'id'), ascending)
    t.deepEqual(await walk(t, () => rows, 'string', '-id'), [...ascending].reverse())
  }
})

testPostgres('a number of a decimal column keeps its digits where JavaScript has not so many', async (t, url) => {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
  const values = [
    '10.50',
    '0.1000000000000000000000',
    '-0.30000000000000004',
    '0.1234567890123456789',
    '1e-7',
    '123456789012345.5',
  ]
  await fill(db, { ...(COLUMNS.decimal as Column), values }, 'numeric')
  const app = kolba()
  app.get('/', json(), collection(resource({ fields: { id: 'number', it: 'number' } })), () => db.selectFrom('walked'))
  const { items } = (await (await app.client().get('/')).json()) as { items: { it: unknown }[] }
  const expected = [10.5, 0.1, -0.30000000000000004, '0.1234567890123456789', 1e-7, 123456789012345.5]
  t.deepEqual(
    items.map(({ it }) => it),
    expected,
  )
  await db.destroy()
})
