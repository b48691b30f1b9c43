import { randomUUID } from 'node:crypto'
import { problem } from '../../src/index.ts'
import { asked } from './asked.ts'
import type { Added, NewJob } from './engine.ts'
import type { Task, Work } from './work.ts'

export type AddedJob = Omit<NewJob, 'id' | 'task' | 'limit'>

/**
 * Keeps a job, and has it begun.
 *
 * @throws Problem 503 where too many wait, and where the engine fails
 */
export async function addJob(work: Work, task: Task, job: AddedJob): Promise<Exclude<Added, 'full'>> {
  const added = await addUnlessFull(work, task, job)
  if (added !== 'full') return added
  const detail = `${task.name}: ${task.terms.limit} jobs are waiting. Raise limit, or start more workers.`
  throw problem(503, { detail, headers: { 'Retry-After': '10' } })
}

/** @throws Problem 503 where the engine fails */
export async function addUnlessFull(work: Work, { name, terms }: Task, job: AddedJob): Promise<Added> {
  const { limit } = terms
  const added = await asked(work, name, engine => engine.add({ ...job, id: randomUUID(), task: name, limit }))
  if (added !== 'full' && added.isNew) work.changes.tell(name)
  return added
}
