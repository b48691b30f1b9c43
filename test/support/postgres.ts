import test, { type ExecutionContext } from 'ava'
import pg from 'pg'

/** Where the tests look for PostgreSQL; a database in which they may make schemas. */
const SERVER = process.env.KOLBA_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/test'

const reason = await unreachable()

/** For tests that make schemas themselves. */
export const postgres = {
  url: SERVER,
  reason,
  /** Makes a database, which is dropped afterwards. */
  async inDatabase(use: (url: string) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: SERVER })
    await client.connect()
    const name = `kolba_${process.pid}_${Date.now()}`
    await client.query(`create database ${name}`)
    try {
      const url = new URL(SERVER)
      url.pathname = `/${name}`
      await use(url.href)
    } finally {
      await client.query(`drop database ${name} with (force)`)
      await client.end()
    }
  },
  /** Empties the tables of a schema, but for those that say what is in it. */
  async empty(schema: string): Promise<void> {
    const client = new pg.Client({ connectionString: SERVER })
    await client.connect()
    const text = `select table_name as name from information_schema.tables where table_schema = $1 and table_name <> 'migration'`
    const { rows } = await client.query(text, [schema])
    const names = rows.map(({ name }) => `"${schema}"."${name}"`)
    if (names.length > 0) await client.query(`truncate ${names.join(', ')}`)
    await client.end()
  },
  /** Drops a schema. */
  async clear(schema: string): Promise<void> {
    const client = new pg.Client({ connectionString: SERVER })
    await client.connect()
    await client.query('set client_min_messages = warning')
    await client.query(`drop schema if exists "${schema}" cascade`)
    await client.end()
  },
}

/**
 * A test with a PostgreSQL schema of its own, which its URL leads to. Where there is no server the test is skipped,
 * under a title that says so, or fails if `KOLBA_REQUIRE` names `postgres`.
 */
export function testPostgres(title: string, run: (t: ExecutionContext, url: string) => Promise<void>): void {
  if (!reason) return test(title, t => inSchema(url => run(t, url)))
  if (process.env.KOLBA_REQUIRE?.includes('postgres')) return test(title, t => t.fail(reason))
  test.skip(`${title} (skipped: ${reason})`, t => t.pass())
}

async function unreachable(): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    await client.end()
  } catch (error) {
    return `there is no PostgreSQL at ${SERVER}: ${(error as Error).message || String(error)}`
  }
}

let count = 0

async function inSchema(run: (url: string) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER })
  await client.connect()
  count += 1
  const schema = `kolba_${process.pid}_${Date.now()}_${count}`
  await client.query(`create schema ${schema}`)
  try {
    await run(`${SERVER}?options=${encodeURIComponent(`-c search_path=${schema}`)}`)
  } finally {
    await client.query(`drop schema ${schema} cascade`)
    await client.end()
  }
}
