import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Database, type DriverName, isBusy, openDatabase } from './driver.ts'
import { prepareFile } from './schema.ts'
import { statementsOf } from './statements.ts'
import { Tables } from './tables.ts'
import { Watcher } from './watcher.ts'
import { Patience, Writer } from './writer.ts'

export interface Connection {
  /** A look that needs no transaction. */
  read<T>(look: (tables: Tables) => T): Promise<T>
  /** A change, which is on the disk when it is answered. */
  write<T>(change: (tables: Tables) => T): Promise<T>
  watch(changed: () => void): () => void
  /** Ends what was begun, but for what another program keeps it from for a second. */
  close(): Promise<void>
}

/** Opens a file, and makes the tables in it where there are none. */
export async function connect(file: string, timeout: number, driver?: DriverName): Promise<Connection> {
  const folder = dirname(file)
  if (!existsSync(folder)) throw new Error(`sqlite: there is no folder ${folder}. Make it, or give another file.`)
  const patience = new Patience(file, timeout)
  const database = naming(file, () => openDatabase(file, driver))
  try {
    await patience.have(() => naming(file, () => prepareFile(database, file)))
    return connectionOn(database, patience)
  } catch (error) {
    database.close()
    throw error
  }
}

/** SQLite says what is wrong, but not where. */
function naming<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const isOurs = (error as Error).message.startsWith('sqlite: ')
    if (isOurs || isBusy(error)) throw error
    throw new Error(`sqlite: ${file} cannot be opened: ${(error as Error).message}.`, { cause: error })
  }
}

function connectionOn(database: Database, patience: Patience): Connection {
  const statements = statementsOf(database)
  const tables = new Tables(statements)
  const writer = new Writer(database, patience)
  const watcher = new Watcher(statements.changes)
  return {
    read: look => patience.have(() => look(tables)),
    write: change => writer.write(() => change(tables)),
    watch: changed => watcher.watch(changed),
    async close() {
      watcher.end()
      patience.end()
      await writer.end()
      database.close()
    },
  }
}
