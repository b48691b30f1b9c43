import { resolve } from 'node:path'
import { among, checkOptions, kinds } from '../../src/index.ts'
import type { Engine } from './engine.ts'
import { type Connection, connect } from './sqlite/connection.ts'
import type { Tables } from './sqlite/tables.ts'

export interface SqliteOptions {
  /** What opens the file. @default 'node:sqlite' where this Node has it, else 'libsql' */
  driver?: 'node:sqlite' | 'libsql'
  /** Seconds to wait while another program has the file locked, then what was asked for fails. @default 30 */
  timeout?: number
}

const OPTIONS = { driver: among('node:sqlite', 'libsql'), timeout: kinds.seconds }

/**
 * Keeps jobs in a file, for all processes of one machine: what was accepted is there after a crash, a `kill -9`, or a loss
 * of power, and a job whose process was lost is begun again by another when its lease is over.
 *
 * Each change is on the disk before it is answered (a write-ahead log, `synchronous = FULL`); what comes at the same time
 * shares one wait for the disk. A process that works holds a job by the number of the attempt, so that whoever was thought
 * dead and comes back has no say. It sees what others do within 100 ms.
 *
 * The file may be the database of the app: its tables are called `kolba_jobs` and `kolba_jobs_...`, and a `user_version`
 * stays the app's. Another program may read it at any time; one that writes lets jobs wait as long as its transaction
 * lasts. Beside it lie two more, `-wal` and `-shm`, which belong to it: copy them together, or by `VACUUM INTO`.
 *
 * Leases go by the clock of the machine. Several machines need `bullmq()`, as a file on a network is not safe: locks do
 * not hold there.
 *
 * Needs Node 22.13 or newer, which has SQLite, or the package libsql. Of the two Node's is the newer: libsql 0.5 has SQLite
 * 3.45, which lacks the repair of a very rare fault where several processes empty the log at one time (before 3.51.3).
 *
 * @param file its path; the folder has to be there, the file is made
 * @throws TypeError for no path, a database in memory, and a wrong option; when it is opened, for a missing package
 * @throws Error when it is opened, for a missing folder, a file that is no database, that has no write-ahead log, or that
 *   a newer kolba has written; later, where the file stays locked for longer than the `timeout`, or the disk fails
 * @example jobs({ engine: sqlite('jobs.db') })
 */
export function sqlite(file: string, options: SqliteOptions = {}): Engine {
  checkFile(file)
  checkOptions('sqlite', options, OPTIONS)
  const path = resolve(file)
  let connection: Connection | undefined

  function opened(): Connection {
    if (!connection) throw new Error(`sqlite: ${path} is not open. Call open() first, and nothing after close().`)
    return connection
  }
  const read = async <T>(look: (tables: Tables) => T): Promise<T> => opened().read(look)
  const write = async <T>(change: (tables: Tables) => T): Promise<T> => opened().write(change)

  return {
    name: 'sqlite',
    isLasting: true,
    async open() {
      connection = await connect(path, options.timeout ?? 30, options.driver)
    },
    async close() {
      const last = connection
      connection = undefined
      await last?.close()
    },
    add: job => write(tables => tables.add(job)),
    get: id => read(tables => tables.get(id)),
    async *list(owner) {
      let before = Number.MAX_SAFE_INTEGER
      for (;;) {
        const page = await read(tables => tables.list(owner, before))
        if (!page) return
        yield* page.jobs
        before = page.last
      }
    },
    async claim(task, lease) {
      // Who finds nothing has kept nobody from writing.
      const due = await read(tables => tables.due(task))
      return due === undefined || due > Date.now() ? undefined : write(tables => tables.claim(task, lease))
    },
    due: task => read(tables => tables.due(task)),
    waiting: task => read(tables => tables.waiting(task)),
    renew: async (claim, lease) => ((await write(tables => tables.renew(claim, lease))) ? 'held' : 'lost'),
    progress: (claim, progress) => write(tables => tables.progress(claim, progress)),
    finish: (claim, ending, result, keep) => write(tables => tables.finish(claim, ending, result, keep)),
    retry: (claim, due) => write(tables => tables.again(claim, due, 1)),
    release: claim => write(tables => tables.again(claim, Date.now(), 0)),
    cancel: (id, keep) => write(tables => tables.cancel(id, keep)),
    expire: id => write(tables => tables.expire(id)),
    async sweep() {
      while (await read(tables => tables.isOver())) await write(tables => tables.sweep())
    },
    watch: changed => opened().watch(changed),
  }
}

function checkFile(file: unknown): void {
  if (typeof file !== 'string' || file.trim() === '')
    throw new TypeError("sqlite: this is no path. Give one of a file, sqlite('jobs.db').")
  if (/^:|^file:.*memory/i.test(file))
    throw new TypeError('sqlite: jobs in memory are lost with the process. Give the path of a file, or take memory().')
  // One letter is a drive of Windows.
  if (/^[a-z][a-z\d+.-]+:/i.test(file))
    throw new TypeError(`sqlite: ${JSON.stringify(file)} is a URL. Give the path of a file, sqlite('jobs.db').`)
}
