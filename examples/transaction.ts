// A transaction a request, to copy: inject({ tx }). Committed before the answer goes out, rolled back on any error.
import { component } from 'kolba/inject'
import Sqlite from 'libsql'
import pg from 'pg'

export type Query = (sql: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[]; command?: string }>
type Connection = { query: Query; release(): void }
type Database = { query: Query; connect(): Promise<Connection>; end(): Promise<void> }

/** SQLite as pg has PostgreSQL. It has one connection, which the transactions take in turn. */
function sqlite(file: string): Database {
  const db = new Sqlite(file)
  const prepare = (sql: string) => db.prepare(sql.replace(/\$(?=\d)/g, '?'))
  const query: Query = async (sql, values = []) => ({ rows: prepare(sql).all(values) as [] })
  let last = Promise.resolve()
  const connect = () =>
    new Promise<Connection>(resolve => {
      const turn = last
      last = new Promise(release => turn.then(() => resolve({ query, release })))
    })
  return { query, connect, end: async () => void db.close() }
}

export async function open(url?: string): Promise<Database> {
  const pool = url && new pg.Pool({ connectionString: url }).on('error', console.error)
  const database: Database = pool || sqlite(':memory:')
  await database.query('select 1') // so that a wrong URL stops the app at its start
  return database
}

const release = (it: Connection) => it.release()
export const database = component(() => open(process.env.DATABASE_URL), { scope: 'app', dispose: it => it.end() })
const connection = component({ database }, ({ database }) => database.connect(), { commit: release, rollback: release })
export const tx = component({ connection }, ({ connection: it }) => it.query('begin').then(() => it), {
  commit: async it => {
    const { command } = await it.query('commit')
    if (command === 'ROLLBACK') throw new Error('A query had failed, so PostgreSQL has rolled back.')
  },
  rollback: it => it.query('rollback'),
})
