import { type Ending, type Job, NEW, type NewJob } from '../engine.ts'
import type { Stored } from './backend.ts'
import { pack, unpack } from './text.ts'

/** What is kept with a job in BullMQ and does not change. */
export interface Data extends Pick<Job, 'id' | 'task' | 'owner' | 'request' | 'fingerprint' | 'created' | 'due'> {
  /** How long it has each of its keys. */
  readonly keys: readonly ('ended' | 'expired')[]
}

/** How a job has ended: everything about it that is seen from then on, so that nothing that comes late is. */
export interface Outcome extends Omit<Job, 'id' | 'task' | 'owner' | 'request' | 'fingerprint' | 'created' | 'state'> {
  readonly state: Ending
  readonly finished: number
  /** For so many milliseconds it is kept. */
  readonly keep: number
}

/** What a job was put back with: when it is due, how often it was handed back, and what its stalls were counted then. */
interface Note {
  readonly due: number
  readonly released: number
  readonly stalled: number
}

export interface Progress {
  /** How often it was said, since the job came. */
  readonly count: number
  readonly text: string | undefined
}

/** A job as it is in BullMQ. */
export interface Entity {
  readonly job: Job
  readonly data: Data
  /** Whoever began it last. */
  readonly token: string | undefined
  readonly note: Note
  readonly progress: Progress
  readonly stalled: number
  readonly outcome: Outcome | undefined
  /** It begins when the next one takes it up: it waits, or its lease was found to be over. */
  readonly isFree: boolean
}

/** JSON of texts that may hold anything. */
export function toJson(value: object): object {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, it]) =>
      it === undefined ? [] : [[name, typeof it === 'string' ? pack(it) : it]],
    ),
  )
}

export function fromJson<T>(value: object): T {
  return Object.fromEntries(
    Object.entries(value).map(([name, it]) => [name, typeof it === 'string' ? unpack(it) : it]),
  ) as T
}

export function dataOf({ id, task, owner, request, fingerprint, due, keys }: NewJob, created: number): Data {
  return { id, task, owner, request, fingerprint, created, due, keys: keys.map(({ until }) => until) }
}

/** A job of which not everything is said. */
export function jobOf(
  job: Pick<Job, 'id' | 'task' | 'request' | 'fingerprint' | 'created' | 'due'> & Partial<Job>,
): Job {
  return { owner: undefined, ...NEW, ...job }
}

export const newJobOf = ({ keys, ...data }: Data): Job => jobOf(data)

// BullMQ counts how often a job was begun, how often it came back for another attempt, and how often its lock was found
// to be over, each in the same step as the change itself. A hand-over of which it keeps no count is in the note, which
// goes with it in one step too. Together they tell the state of a job that has not ended, and a version that rises.
export function entityOf(stored: Stored): Entity {
  const data = fromJson<Data>(JSON.parse(stored.data))
  const note = noteOf(stored, data)
  const outcome = stored.finishedOn === undefined ? undefined : outcomeOf(stored)
  const progress = progressOf(stored.progress)
  const attempts = stored.attemptsStarted ?? 0
  const retried = stored.attemptsMade ?? 0
  const stalled = stored.stalledCounter ?? 0
  const isFree = !outcome && attempts === retried + stalled + note.released
  // Who looks at a job whose lease is over sees it running until somebody takes it up.
  const isLapsed = isFree && stalled > note.stalled
  const isRunning = !isFree || isLapsed
  const now: Job = {
    ...newJobOf(data),
    due: note.due,
    state: isRunning ? 'running' : 'queued',
    version: 2 * attempts + (isRunning ? 0 : 1) + progress.count,
    progress: progress.text,
    attempts,
    failures: retried + stalled - (isLapsed ? 1 : 0),
    started: stored.processedOn,
  }
  const job = outcome ? endedJob(data, outcome) : now
  return { job, data, token: stored.processedBy, note, progress, stalled, outcome, isFree }
}

export function endedJob(data: Data, { keep, ...outcome }: Outcome): Job {
  return { ...newJobOf(data), ...outcome, request: '' }
}

/** What is seen of a job that ends now. */
export function endOf(job: Job, state: Ending, result: string | undefined, keep: number): Outcome {
  const { attempts, failures, started, due, progress } = job
  return {
    state,
    result,
    finished: Date.now(),
    keep,
    attempts,
    failures,
    started,
    due,
    progress,
    version: job.version + 2,
  }
}

export function expiredJob(job: Job): Job {
  return { ...job, state: 'expired', version: job.version + 1, progress: undefined, result: undefined }
}

export const noteText = (note: Note): string => `again ${JSON.stringify(note)}`

function noteOf({ failedReason }: Stored, { due }: Data): Note {
  if (!failedReason?.startsWith('again ')) return { due, released: 0, stalled: 0 }
  return JSON.parse(failedReason.slice('again '.length)) as Note
}

// A job that has succeeded may have a note from before.
function outcomeOf({ returnvalue, failedReason }: Stored): Outcome {
  const value = returnvalue === undefined ? null : (JSON.parse(returnvalue) as object | null)
  return fromJson<Outcome>(value ?? JSON.parse(String(failedReason)))
}

function progressOf(progress: unknown): Progress {
  if (typeof progress !== 'object' || progress === null) return { count: 0, text: undefined }
  return fromJson<Progress>(progress)
}
