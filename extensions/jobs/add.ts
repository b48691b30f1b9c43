import { randomUUID } from 'node:crypto'
import { problem } from '../../src/index.ts'
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
  const added = await tryToAdd(work, { ...job, id: randomUUID(), task: name, limit: terms.limit })
  if (added !== 'full' && added.isNew) work.changes.tell(name)
  return added
}

async function tryToAdd(work: Work, job: NewJob): Promise<Added> {
  try {
    await work.ready()
    return await work.engine.add(job)
  } catch (cause) {
    const detail = `${job.task}: the engine ${work.engine.name} failed, so that nothing was begun. See the cause.`
    throw problem(503, { detail, headers: { 'Retry-After': '5' } }, { cause })
  }
}
