import type { Job, State } from './engine.ts'
import type { Progress } from './progress.ts'

/** A job as its status resource says it. */
export interface JobState {
  readonly id: string
  readonly task: string
  readonly state: State
  readonly progress: Progress | null
  /** How often it was begun. */
  readonly attempts: number
  /** Times are RFC 3339, in UTC; null for what has not happened yet. */
  readonly created: string
  /** When it may begin. */
  readonly due: string
  readonly started: string | null
  readonly finished: string | null
  readonly _links: Readonly<Record<string, { readonly href: string; readonly method?: string }>>
}

export function stateOf(job: Job, href: string, result?: string): JobState {
  const { id, task, state, attempts, created, due, started, finished } = job
  return {
    id,
    task,
    state,
    progress: job.progress === undefined ? null : JSON.parse(job.progress),
    attempts,
    created: time(created),
    // The engine has written down when it came, a moment after it was said when it may begin.
    due: time(Math.max(due, created)),
    started: started === undefined ? null : time(started),
    finished: finished === undefined ? null : time(finished),
    _links: {
      self: { href },
      ...(!isEnded(job) && { cancel: { href, method: 'DELETE' } }),
      ...(result !== undefined && { result: { href: result } }),
    },
  }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export function isEnded(job: Job): boolean {
  return job.state !== 'queued' && job.state !== 'running'
}

const SHORTEST = 1
const LONGEST = 60

/**
 * Seconds after which it is worth to ask again (RFC 9110 section 10.2.3): when a job that waits may begin, when one that
 * says how far it is may be done, and where nothing is known after a tenth of the time that it has taken.
 */
export function retryAfter({ state, due, started, progress }: Job): string {
  const now = Date.now()
  const wait = state === 'queued' ? due - now : remaining(progress, now - (started ?? now))
  return `${Math.min(Math.max(Math.ceil(wait / 1000), SHORTEST), LONGEST)}`
}

function remaining(text: string | undefined, past: number): number {
  const progress: Progress = text === undefined ? 0 : JSON.parse(text)
  const { done, total } = typeof progress === 'number' ? { done: progress, total: 1 } : { total: 0, ...progress }
  return done > 0 && done < total ? (past * (total - done)) / done : past / 10
}
