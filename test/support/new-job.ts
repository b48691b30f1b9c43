import { randomUUID } from 'node:crypto'
import type { NewJob } from '../../dist/extensions/jobs/engine.js'

/** A job to be kept, of which the test says what matters to it. */
export function newJob(fields: Partial<NewJob> = {}): NewJob {
  return {
    id: randomUUID(),
    task: 'POST /reports',
    owner: undefined,
    request: '{}',
    fingerprint: 'f',
    due: Date.now(),
    priority: 0,
    keys: [],
    limit: 1_000_000,
    ...fields,
  }
}
