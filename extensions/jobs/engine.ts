/** Where a job is on its way. The last four are final, and what is final stays; `expired` is what is left in the end. */
export type State = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired'

/** How a job has ended. */
export type Ending = 'succeeded' | 'failed' | 'cancelled'

/** A job as an engine keeps it. Times are milliseconds since 1970. Texts are of no concern to an engine. */
export interface Job {
  /** Unguessable, and in no other use: it is in the URL of the job. */
  readonly id: string
  /** What is to be done, `POST /reports`. */
  readonly task: string
  /** Whose it is, undefined for nobody's. */
  readonly owner: string | undefined
  readonly state: State
  /** A whole number that rises with every change of what the others say, from 1. */
  readonly version: number
  /** What the handler is given, as text. Gone when the job has ended: nobody reads it again, and it may hold secrets. */
  readonly request: string
  /** What tells one request from another where both have the same key. */
  readonly fingerprint: string
  /** How far it is, as text. */
  readonly progress: string | undefined
  /** What came of it, as text: of a job that has succeeded or failed. Gone when it has expired. */
  readonly result: string | undefined
  /** How often it was begun. */
  readonly attempts: number
  /** How often it was begun in vain: it failed, or its process was lost. One that was handed back is none. */
  readonly failures: number
  readonly created: number
  /** When it may begin. */
  readonly due: number
  /** When it last began. */
  readonly started: number | undefined
  readonly finished: number | undefined
}

/** What every job begins as. */
export const NEW = {
  state: 'queued',
  version: 1,
  progress: undefined,
  result: undefined,
  attempts: 0,
  failures: 0,
  started: undefined,
  finished: undefined,
} as const satisfies Partial<Job>

/** A job to be kept. */
export interface NewJob extends Pick<Job, 'id' | 'task' | 'owner' | 'request' | 'fingerprint' | 'due'> {
  /** Those with a larger number begin before others that are due; those with the same in the order of `due`, then of their coming. */
  readonly priority: number
  /** Of jobs of a task with the same key there is one: until it has ended, or for as long as it is kept. */
  readonly keys: readonly { readonly text: string; readonly until: 'ended' | 'expired' }[]
  /** How many jobs of the task may wait, those that are not due yet among them. */
  readonly limit: number
}

/** What became of a job that was to be kept: it is, or there is one with its key, or too many are waiting. */
export type Added = { readonly job: Job; readonly isNew: boolean } | 'full'

/** A job that somebody has taken up. */
export interface Claim {
  readonly job: Job
  /** Of this taking up alone: whoever comes with an older one has lost the job. */
  readonly token: string
}

/**
 * Keeps jobs, and gives each to one worker at a time. What `add` has kept is there after a crash, as far as the engine
 * promises any such thing.
 *
 * A worker holds a job for as long as its lease, which it renews. A job whose lease is over is given to the next one,
 * as one failure more; not where jobs end with the process, for then whoever has it is there. `progress`, `finish`,
 * `retry`, `release` and `renew` are of whoever holds the job, by the token: for others nothing is done, and they are told
 * so. A job that has ended never changes again, but for expiring.
 */
export interface Engine {
  /** `memory`, `sqlite`, `bullmq`, for messages. */
  readonly name: string
  /** Do jobs outlive the process? */
  readonly isLasting: boolean

  /** Gets ready, and refuses where it would lose jobs. Called once, before all others. */
  open(): Promise<void>
  /** Lets go of what it holds. Jobs that are running are not its concern. */
  close(): Promise<void>

  /** Keeps a job, unless there is one with one of its keys. When it is done, the job is safe. */
  add(job: NewJob): Promise<Added>
  get(id: string): Promise<Job | undefined>
  /** The jobs of somebody, those that came last first, without the expired. */
  list(owner: string): AsyncIterable<Job>

  /**
   * Gives the next job of a task that is due, for a lease of so many milliseconds; undefined where none is, and then it is
   * not asked again at once. Of jobs that were handed back for the same time any may come first.
   */
  claim(task: string, lease: number): Promise<Claim | undefined>
  /** When the next job of a task could be claimed, by what is known now, ends of leases included; undefined for none. */
  due(task: string): Promise<number | undefined>
  /** How many jobs of a task wait, those that are not due yet among them. */
  waiting(task: string): Promise<number>

  /** For another lease. `lost` where somebody else has the job, or it was cancelled, or has ended. */
  renew(claim: Claim, lease: number): Promise<'held' | 'lost'>
  /** Says how far it is. */
  progress(claim: Claim, progress: string): Promise<boolean>
  /** Ends a job, and keeps it for so many milliseconds more. */
  finish(claim: Claim, ending: Exclude<Ending, 'cancelled'>, result: string, keep: number): Promise<boolean>
  /** Has it done again, at a time, as one failure more. */
  retry(claim: Claim, due: number): Promise<boolean>
  /** Hands it back: it is due at once, and this was no failure. */
  release(claim: Claim): Promise<boolean>

  /** Ends a job whatever it is at, and keeps it for so many milliseconds more. What state it was in before. */
  cancel(id: string, keep: number): Promise<State | undefined>
  /** Makes a job that has ended an expired one at once. */
  expire(id: string): Promise<void>
  /**
   * Makes expired ones of jobs that have been kept for long enough: their result goes. When as much time
   * again has gone by, nothing is left of them. Called once in a while.
   */
  sweep(): Promise<void>

  /**
   * Calls whenever something may have happened that this process has not done itself: to the job with this id, or, where
   * none is given, to any, and whenever there may be one to claim.
   *
   * @returns a function that ends it
   */
  watch(changed: (id?: string) => void): () => void
}
