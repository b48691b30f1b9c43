import type { Database } from './driver.ts'

/** Of the tables below. A later one comes with what makes it of this one. */
export const VERSION = 1

// The state `queued` is divided in two: what is ready is found by its rank, what is not due yet by when it will be. The
// request is in a table of its own, since a row is written anew with all its texts whenever one of its columns changes.
// What follows from a change of state is done by triggers, so that no statement can forget it.
const TABLES = `
  CREATE TABLE kolba_jobs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    owner TEXT,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    is_ready INTEGER NOT NULL,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL,
    started INTEGER,
    leased INTEGER,
    finished INTEGER,
    expires INTEGER,
    gone INTEGER,
    fingerprint TEXT NOT NULL,
    progress TEXT,
    result TEXT
  );
  CREATE INDEX kolba_jobs_ready ON kolba_jobs (task, priority DESC, due, seq) WHERE state = 'queued' AND is_ready = 1;
  CREATE INDEX kolba_jobs_later ON kolba_jobs (task, due) WHERE state = 'queued' AND is_ready = 0;
  CREATE INDEX kolba_jobs_leased ON kolba_jobs (task, leased) WHERE leased IS NOT NULL;
  CREATE INDEX kolba_jobs_owned ON kolba_jobs (owner, seq) WHERE owner IS NOT NULL AND state <> 'expired';
  CREATE INDEX kolba_jobs_expires ON kolba_jobs (expires) WHERE expires IS NOT NULL;
  CREATE INDEX kolba_jobs_gone ON kolba_jobs (gone) WHERE gone IS NOT NULL;

  CREATE TABLE kolba_jobs_requests (job INTEGER PRIMARY KEY, request TEXT NOT NULL);

  CREATE TABLE kolba_jobs_keys (
    task TEXT NOT NULL,
    text TEXT NOT NULL,
    job INTEGER NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (task, text)
  ) WITHOUT ROWID;
  CREATE INDEX kolba_jobs_keys_of ON kolba_jobs_keys (job);

  CREATE TABLE kolba_jobs_waiting (task TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TRIGGER kolba_jobs_came AFTER INSERT ON kolba_jobs WHEN new.state = 'queued' BEGIN
    INSERT INTO kolba_jobs_waiting VALUES (new.task, 1) ON CONFLICT (task) DO UPDATE SET count = count + 1;
  END;
  CREATE TRIGGER kolba_jobs_moved AFTER UPDATE OF state ON kolba_jobs
  WHEN (old.state = 'queued') <> (new.state = 'queued') BEGIN
    UPDATE kolba_jobs_waiting SET count = count + (new.state = 'queued') - (old.state = 'queued') WHERE task = new.task;
  END;
  CREATE TRIGGER kolba_jobs_ended AFTER UPDATE OF state ON kolba_jobs
  WHEN old.finished IS NULL AND new.finished IS NOT NULL BEGIN
    DELETE FROM kolba_jobs_keys WHERE job = new.seq AND until = 'ended';
    DELETE FROM kolba_jobs_requests WHERE job = new.seq;
  END;
  CREATE TRIGGER kolba_jobs_expired AFTER UPDATE OF state ON kolba_jobs WHEN new.state = 'expired' BEGIN
    DELETE FROM kolba_jobs_keys WHERE job = new.seq;
  END;
  CREATE TRIGGER kolba_jobs_went AFTER DELETE ON kolba_jobs BEGIN
    DELETE FROM kolba_jobs_keys WHERE job = old.seq;
    DELETE FROM kolba_jobs_requests WHERE job = old.seq;
    UPDATE kolba_jobs_waiting SET count = count - 1 WHERE old.state = 'queued' AND task = old.task;
  END;

  CREATE TABLE kolba_jobs_schema (version INTEGER NOT NULL);
  INSERT INTO kolba_jobs_schema VALUES (${VERSION});
`

/** Makes a connection safe against a loss of power, and the tables where there are none. */
export function prepareFile(database: Database, file: string): void {
  // Who waits longer does so without blocking: see Writer.
  database.exec('PRAGMA busy_timeout = 20')
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
  if (mode !== 'wal')
    throw new Error(
      `sqlite: ${file} cannot have a write-ahead log, it stays at ${mode}. Put it on a disk of this machine.`,
    )
  database.exec('PRAGMA synchronous = FULL')
  // What macOS calls a sync leaves it in the cache of the disk.
  database.exec('PRAGMA fullfsync = ON')
  if (versionOf(database) === VERSION) return
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have made them by now.
    const version = versionOf(database)
    if (version === undefined) database.exec(TABLES)
    if (version !== undefined && version > VERSION)
      throw new Error(
        `sqlite: the tables in ${file} are of version ${version}, and this kolba knows ${VERSION}. Update it, or take another file.`,
      )
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/** Of a table, because the `user_version` of the file belongs to the app whose file it may be. */
function versionOf(database: Database): number | undefined {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kolba_jobs_schema'")
  if (!table.get()) return undefined
  return Number(database.prepare('SELECT version FROM kolba_jobs_schema').get()?.version)
}
