import test, { type ExecutionContext } from 'ava'
import makeKnex, { type Knex } from 'knex'
import { CompiledQuery, Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import pg from 'pg'
import { chooseSource } from '../../extensions/collection/source.ts'
import type { Counting, Field, FieldType, Rows, Slice } from '../../extensions/collection/types.ts'
import type { BaseContext } from '../../src/index.ts'
import { testMariadb } from './mariadb.ts'
import { testPostgres } from './postgres.ts'
import { knexOnSqlite, kyselyOnSqlite, type Tables } from './sqlite.ts'

/** A row with a column of every type that the sources treat in a way of its own. */
export interface Thing {
  readonly id: number
  readonly name: string | null
  readonly mood: string | null
  readonly size: number | null
  readonly rank: number | null
  /** A date, with microseconds where the database has them. */
  readonly seen: Date | null
  /** A date in milliseconds, in a column of whole numbers. */
  readonly born: Date | null
  readonly active: boolean | null
}

const field = (name: string, type: FieldType, more: Partial<Field> = {}): Field => ({
  name,
  type,
  column: name,
  collation: 'binary',
  ...more,
})

export const THING = {
  id: field('id', 'number'),
  name: field('name', 'string'),
  mood: field('mood', 'enum', { values: ['glad', 'Sad', 'é'] }),
  size: field('size', 'number'),
  rank: field('rank', 'number'),
  seen: field('seen', 'date'),
  born: field('born', 'date', { stored: 'milliseconds' }),
  active: field('active', 'boolean'),
} satisfies Record<keyof Thing, Field>

export const FIELDS: readonly Field[] = Object.values(THING)

/** All rows by their key, where a test says nothing else. */
export function slice(part: Partial<Slice> = {}): Slice {
  return {
    where: [],
    order: [{ field: THING.id, descending: false }],
    offset: 0,
    limit: 1000,
    fields: FIELDS,
    ...part,
  }
}

export interface Ran {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** A place that has things, and what it was asked. */
export interface Place {
  readonly name: string
  /** What a handler would return. */
  value(): unknown
  fill(rows: readonly Thing[]): Promise<void>
  add(row: Thing): Promise<void>
  remove(id: number): Promise<void>
  /** The statements that were run since it was last looked at. */
  ran(): Ran[]
  close(): Promise<void>
}

const context = { signal: new AbortController().signal } as BaseContext

type Open = Omit<Place, 'name'>

export async function read(value: unknown, slice: Slice, counting: Counting = 'none'): Promise<Rows> {
  return chooseSource(value).read(value, slice, counting, context)
}

function inMemory(give: (rows: Thing[]) => unknown): () => Promise<Open> {
  return async () => {
    const rows: Thing[] = []
    return {
      value: () => give(rows),
      async fill(given) {
        rows.splice(0, rows.length, ...given)
      },
      async add(row) {
        rows.push(row)
      },
      async remove(id) {
        rows.splice(0, rows.length, ...rows.filter(it => it.id !== id))
      },
      ran: () => [],
      close: async () => {},
    }
  }
}

async function* oneByOne(rows: Thing[]): AsyncGenerator<Thing> {
  for (const row of rows) yield row
}

const TYPES = {
  sqlite: 'name text, mood text, size real, "rank" integer, seen text, born integer, active integer',
  postgres:
    'name text, mood varchar(20), size double precision, "rank" integer, seen timestamptz, born bigint, active boolean',
  mysql: 'name varchar(500), mood varchar(20), size double, `rank` int, seen datetime(6), born bigint, active boolean',
}

type Database = keyof typeof TYPES

/** A row as the database stores it. */
function stored(row: Thing, database: Database): Record<string, unknown> {
  const born = row.born?.getTime() ?? null
  if (database !== 'sqlite') return { ...row, born }
  return {
    ...row,
    born,
    seen: row.seen?.toISOString() ?? null,
    active: row.active === null ? null : Number(row.active),
  }
}

async function throughKysely(db: Kysely<Tables>, ran: Ran[], database: Database): Promise<Open> {
  const raw = (sql: string) => db.executeQuery(CompiledQuery.raw(sql))
  await raw(`create table thing (id integer primary key, ${TYPES[database]})`)
  const insert = async (rows: readonly Thing[]) => {
    if (rows.length > 0)
      await db
        .insertInto('thing')
        .values(rows.map(row => stored(row, database)))
        .execute()
  }
  return {
    value: () => db.selectFrom('thing'),
    async fill(rows) {
      await db.deleteFrom('thing').execute()
      await insert(rows)
    },
    add: row => insert([row]),
    remove: async id => void (await db.deleteFrom('thing').where('id', '=', id).execute()),
    ran: () => ran.splice(0),
    close: () => db.destroy(),
  }
}

async function throughKnex(db: Knex, database: Database): Promise<Open> {
  const ran: Ran[] = []
  await db.raw(`create table thing (id integer primary key, ${TYPES[database]})`)
  db.on('query', ({ sql, bindings }) => ran.push({ sql, parameters: bindings ?? [] }))
  const insert = async (rows: readonly Thing[]) => {
    if (rows.length > 0) await db('thing').insert(rows.map(row => stored(row, database)))
  }
  return {
    value: () => db('thing'),
    async fill(rows) {
      await db('thing').delete()
      await insert(rows)
    },
    add: row => insert([row]),
    remove: async id => void (await db('thing').where({ id }).delete()),
    ran: () => ran.splice(0),
    close: () => db.destroy(),
  }
}

const logging = (ran: Ran[]) => ({
  log: (event: { query: Ran }) => void ran.push({ sql: event.query.sql, parameters: event.query.parameters }),
})

/** Every source that can be had on any machine. */
export const LOCAL: Readonly<Record<string, () => Promise<Open>>> = {
  'a list': inMemory(rows => rows),
  'an async iterable': inMemory(oneByOne),
  'Kysely on SQLite': async () => {
    const ran: Ran[] = []
    return throughKysely(kyselyOnSqlite(logging(ran)), ran, 'sqlite')
  },
  'Knex on SQLite': async () => throughKnex(knexOnSqlite(), 'sqlite'),
}

const POSTGRES: Readonly<Record<string, (url: string) => Promise<Open>>> = {
  'Kysely on PostgreSQL': async url => {
    const ran: Ran[] = []
    const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 2 }) })
    return throughKysely(new Kysely({ dialect, ...logging(ran) }), ran, 'postgres')
  },
  'Knex on PostgreSQL': async url =>
    throughKnex(makeKnex({ client: 'pg', connection: url, pool: { min: 0, max: 2 } }), 'postgres'),
}

const MARIADB: Readonly<Record<string, (url: string) => Promise<Open>>> = {
  'Kysely on MariaDB': async url => {
    const ran: Ran[] = []
    const dialect = new MysqlDialect({ pool: createPool({ uri: url, connectionLimit: 2 }) })
    return throughKysely(new Kysely({ dialect, ...logging(ran) }), ran, 'mysql')
  },
  'Knex on MariaDB': async url =>
    throughKnex(makeKnex({ client: 'mysql2', connection: url, pool: { min: 0, max: 2 } }), 'mysql'),
}

type Run = (t: ExecutionContext, place: Place) => Promise<void>

async function within(t: ExecutionContext, name: string, opening: Promise<Open>, run: Run): Promise<void> {
  const place = { name, ...(await opening) }
  try {
    await run(t, place)
  } finally {
    await place.close()
  }
}

/** The same test over every source, or over those that are asked in SQL; `title` has a `*` where the source is named. */
export function everySource(title: string, run: Run, which: 'all' | 'sql' = 'all'): void {
  const named = (name: string) => title.replace('*', name)
  for (const [name, open] of Object.entries(LOCAL)) {
    if (which === 'all' || name.includes(' on ')) test(named(name), t => within(t, name, open(), run))
  }
  for (const [name, open] of Object.entries(POSTGRES))
    testPostgres(named(name), (t, url) => within(t, name, open(url), run))
  for (const [name, open] of Object.entries(MARIADB))
    testMariadb(named(name), (t, url) => within(t, name, open(url), run))
}
