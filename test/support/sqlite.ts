import { createRequire } from 'node:module'
import makeKnex, { type Knex } from 'knex'
import { Kysely, type KyselyConfig, SqliteDialect } from 'kysely'
import Sqlite from 'libsql'

// SQLite in memory through libsql, which has the interface of better-sqlite3 that both query builders are written for.

export type Tables = Record<string, Record<string, unknown>>

export function kyselyOnSqlite(config: Omit<KyselyConfig, 'dialect'> = {}, file = ':memory:'): Kysely<Tables> {
  return new Kysely({ ...config, dialect: new SqliteDialect({ database: new Sqlite(file) as never }) })
}

export function knexOnSqlite(file = ':memory:'): Knex {
  const Client = createRequire(import.meta.url)('knex/lib/dialects/better-sqlite3') as typeof Knex.Client
  class LibsqlClient extends Client {
    _driver() {
      return Sqlite
    }
  }
  return makeKnex({ client: LibsqlClient, connection: { filename: file }, useNullAsDefault: true })
}
