import type { Job } from '../engine.ts'
import type { Row, Value } from './driver.ts'

export function jobOf(row: Row): Job {
  return {
    id: textOf(row.id) ?? '',
    task: textOf(row.task) ?? '',
    owner: textOf(row.owner),
    state: row.state as Job['state'],
    version: Number(row.version),
    request: textOf(row.request) ?? '',
    fingerprint: textOf(row.fingerprint) ?? '',
    progress: textOf(row.progress),
    result: textOf(row.result),
    attempts: Number(row.attempts),
    failures: Number(row.failures),
    created: Number(row.created),
    due: Number(row.due),
    started: numberOf(row.started),
    finished: numberOf(row.finished),
  }
}

/**
 * A text as it is kept. SQLite ends one at a zero character, and has no place for half of a surrogate pair: those few are
 * kept as bytes, so that two that differ are never the same.
 */
export function columnOf(text: string | undefined): Value {
  if (text === undefined) return null
  return text.includes('\0') || !text.isWellFormed() ? Buffer.from(text, 'utf16le') : text
}

function textOf(value: Value | undefined): string | undefined {
  if (value === null || value === undefined) return undefined
  return typeof value === 'string' ? value : Buffer.from(value as Buffer).toString('utf16le')
}

function numberOf(value: Value | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}
