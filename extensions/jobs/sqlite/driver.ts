import { createRequire } from 'node:module'

/** What SQLite keeps in a column. */
export type Value = string | number | Buffer | null
export type Row = Record<string, Value>

/** What is used of a connection, whichever package it is of. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Statement {
  /** How many rows were changed. */
  run(...values: Value[]): number
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
}

export type DriverName = 'node:sqlite' | 'libsql'

/**
 * Opens a file with what Node brings, else with the package libsql.
 *
 * @throws TypeError where the one that is asked for, or either, is not there
 */
export function openDatabase(file: string, name?: DriverName): Database {
  const node = name === 'libsql' ? undefined : quietly(() => process.getBuiltinModule?.('node:sqlite'))
  if (node) return onNode(new (node as NodeSqlite).DatabaseSync(file))
  if (name === 'node:sqlite')
    throw new TypeError(`sqlite: Node ${process.versions.node} has no node:sqlite. Run 22.13 or newer, or use libsql.`)
  const Libsql = loadLibsql(name)
  return onLibsql(new Libsql(file))
}

/** Is it that somebody else has the file at this moment? */
export function isBusy(error: unknown): boolean {
  const { errcode, rawCode } = Object(error) as { errcode?: number; rawCode?: number }
  const [BUSY, LOCKED] = [5, 6]
  const code = Number(errcode ?? rawCode) & 255
  return code === BUSY || code === LOCKED
}

interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => NodeDatabase
}

interface NodeDatabase extends Pick<Database, 'exec' | 'close'> {
  prepare(sql: string): {
    run(...values: Value[]): { changes: number | bigint }
    get(...values: Value[]): object | undefined
    all(...values: Value[]): object[]
  }
}

function onNode(database: NodeDatabase): Database {
  return {
    exec: sql => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        run: (...values) => Number(statement.run(...values).changes),
        get: (...values) => statement.get(...values) as Row | undefined,
        all: (...values) => statement.all(...values) as Row[],
      }
    },
  }
}

interface LibsqlDatabase extends Pick<Database, 'exec' | 'close'> {
  prepare(sql: string): {
    run(values: Value[]): { changes: number }
    all(values: Value[]): Row[]
  }
}

/** It is given the values as one list, because it takes a single Buffer or null for names with values. */
function onLibsql(database: LibsqlDatabase): Database {
  return {
    exec: sql => database.exec(sql),
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        run: (...values) => statement.run(values).changes,
        // Its own get() does not end a statement that has failed, which then fails for ever.
        get: (...values) => statement.all(values)[0],
        all: (...values) => statement.all(values),
      }
    },
  }
}

function loadLibsql(name: DriverName | undefined): new (file: string) => LibsqlDatabase {
  const require = createRequire(import.meta.url)
  try {
    return require('libsql')
  } catch (error) {
    const what = name ? 'the driver libsql is a package' : `Node ${process.versions.node} has no SQLite of its own`
    const advice = name ? 'npm install libsql' : 'npm install libsql, or Node 22.13 or newer'
    throw new TypeError(`sqlite: ${what}. Run ${advice}.`, { cause: error })
  }
}

/** Node warns that its SQLite is an experiment whenever it is loaded. Who runs an app can do nothing about it. */
function quietly<T>(load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
