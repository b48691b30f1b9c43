import type { Database, Statement } from './driver.ts'

const JOB = 'kolba_jobs LEFT JOIN kolba_jobs_requests ON job = seq'
const READY = "task = ? AND state = 'queued' AND is_ready = 1"
const LATER = "task = ? AND state = 'queued' AND is_ready = 0"
const HELD = "WHERE id = ? AND state = 'running' AND attempts = ?"
const END = 'version = version + 1, finished = ?, expires = ?, gone = ?, leased = NULL, is_ready = 0'
const EXPIRE =
  "UPDATE kolba_jobs SET state = 'expired', version = version + 1, progress = NULL, result = NULL, expires = NULL"

/** How many rows one transaction takes where there may be many, so that others need not wait for long. */
export const MANY = 500

/** All that is asked of the tables. */
export const SQL = {
  get: `SELECT * FROM ${JOB} WHERE id = ?`,
  list: `SELECT * FROM ${JOB} WHERE owner = ? AND state <> 'expired' AND seq < ? ORDER BY seq DESC LIMIT 50`,

  findKey: `SELECT * FROM ${JOB} WHERE seq = (SELECT job FROM kolba_jobs_keys WHERE task = ? AND text = ?)`,
  waiting: 'SELECT count FROM kolba_jobs_waiting WHERE task = ?',
  add: `INSERT INTO kolba_jobs (id, task, owner, fingerprint, due, is_ready, priority, created, state, version, attempts, failures)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 1, 0, 0) RETURNING seq`,
  addRequest: 'INSERT INTO kolba_jobs_requests VALUES (?, ?)',
  addKey: `INSERT INTO kolba_jobs_keys (task, text, job, until) VALUES (?, ?, ?, ?)
    ON CONFLICT (task, text) DO UPDATE SET until = 'expired' WHERE excluded.until = 'expired'`,

  firstLeased: 'SELECT seq, leased FROM kolba_jobs WHERE task = ? AND leased IS NOT NULL ORDER BY leased LIMIT 1',
  firstReady: `SELECT seq, due FROM kolba_jobs WHERE ${READY} ORDER BY priority DESC, due, seq LIMIT 1`,
  firstLater: `SELECT due FROM kolba_jobs WHERE ${LATER} ORDER BY due LIMIT 1`,
  makeReady: `UPDATE kolba_jobs SET is_ready = 1
    WHERE seq IN (SELECT seq FROM kolba_jobs WHERE ${LATER} AND due <= ? ORDER BY due LIMIT ${MANY})`,
  begin: `UPDATE kolba_jobs SET failures = failures + (state = 'running'), state = 'running', version = version + 1,
    attempts = attempts + 1, is_ready = 0, started = ?, leased = ? WHERE seq = ?`,
  begun: `SELECT * FROM ${JOB} WHERE seq = ?`,

  renew: `UPDATE kolba_jobs SET leased = ? ${HELD}`,
  progress: `UPDATE kolba_jobs SET progress = ?, version = version + 1 ${HELD}`,
  finish: `UPDATE kolba_jobs SET state = ?, result = ?, ${END} ${HELD}`,
  again: `UPDATE kolba_jobs SET state = 'queued', version = version + 1, leased = NULL, due = ?, is_ready = ?,
    failures = failures + ? ${HELD}`,

  stateOf: 'SELECT state FROM kolba_jobs WHERE id = ?',
  cancel: `UPDATE kolba_jobs SET state = 'cancelled', result = NULL, ${END} WHERE id = ? AND finished IS NULL`,
  expire: `${EXPIRE} WHERE id = ? AND expires IS NOT NULL`,
  isOver: `SELECT EXISTS (SELECT 1 FROM kolba_jobs WHERE expires <= ?)
    OR EXISTS (SELECT 1 FROM kolba_jobs WHERE gone <= ?) AS yes`,
  remove: `DELETE FROM kolba_jobs WHERE seq IN (SELECT seq FROM kolba_jobs WHERE gone <= ? LIMIT ${MANY})`,
  expireAll: `${EXPIRE} WHERE seq IN (SELECT seq FROM kolba_jobs WHERE expires <= ? LIMIT ${MANY})`,

  changes: 'PRAGMA data_version',
} as const

export type Statements = { readonly [K in keyof typeof SQL]: Statement }

export function statementsOf(database: Database): Statements {
  const entries = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])
  return Object.fromEntries(entries)
}
