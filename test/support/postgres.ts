import test, { type ExecutionContext } from 'ava'
import pg from 'pg'

/** Where the tests look for PostgreSQL; a database in which they may make schemas. */
const SERVER = process.env.KOLBA_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/test'

const reason = await unreachable()

/** For tests that make schemas themselves. */
export const postgres = {
  url: SERVER,
  reason,
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
