import type { Job } from './engine.ts'
import { isEnded } from './state.ts'
import type { Work } from './work.ts'

/** Milliseconds of silence after which a comment says that the stream is still there. */
const SILENCE = 15_000

/**
 * The states of a job as Server-Sent Events (the HTML standard, section 9.2), until it has ended: each has the job's
 * version as its id, by which a client that comes back goes on behind what it has seen.
 */
export async function* events(
  work: Work,
  first: Job,
  seen: number,
  signals: readonly AbortSignal[],
  write: (job: Job) => object,
) {
  yield 'retry: 1000\n\n'
  for (let job: Job | undefined = first, last = seen; job && !signals.some(({ aborted }) => aborted); ) {
    if (job.version > last) yield `id: ${job.version}\ndata: ${JSON.stringify(write(job))}\n\n`
    else if (!isEnded(job)) yield ': still there\n\n'
    if (isEnded(job)) return
    last = Math.max(job.version, last)
    const since = last
    job = await work.changes.until(job.id, now => !now || now.version > since, { milliseconds: SILENCE, signals })
  }
}

/** The version that a client has seen last, 0 for none: a text of its own, which may be anything. */
export function lastSeen(header: string): number {
  return /^\d{1,15}$/.test(header) ? Number(header) : 0
}
