/** A job as BullMQ gives it, on Redis and on PostgreSQL: what is used of its `JobJson`. */
export interface Stored {
  /** JSON. */
  readonly data: string
  readonly progress?: unknown
  readonly attemptsStarted?: number
  readonly attemptsMade?: number
  readonly stalledCounter?: number
  readonly processedOn?: number
  readonly finishedOn?: number
  /** Who has it, or had it last: the token, as this engine names its workers. */
  readonly processedBy?: string
  /** JSON. */
  readonly returnvalue?: string
  readonly failedReason?: string
}

interface Ended {
  readonly id: string
  readonly opts: object
}

/**
 * What is used of BullMQ: its `IQueueBackend`, the interface under `Queue` and `Worker` that both of its databases have,
 * and which `getBackend()` gives. Each step is one script of Redis or one statement of PostgreSQL.
 */
export interface Backend {
  waitUntilReady(): Promise<void>
  forQueue(queueName: string, prefix?: string): Backend
  setQueueMeta(values: Record<string, string | number>): Promise<number>

  addJob(job: object, jobId: string): Promise<string>
  getJobData(jobId: string): Promise<Stored | undefined>
  updateData(job: { id: string }, data: object): Promise<void>
  updateProgress(jobId: string, progress: object): Promise<void>
  remove(jobId: string, removeChildren: boolean): Promise<number>

  moveToActive(token: string, name: string): Promise<[Stored | null | undefined, string?, number?, number?]>
  extendLock(jobId: string, token: string, duration: number): Promise<number>
  moveToCompleted(job: Ended, value: unknown, remove: boolean, token: string, fetchNext: boolean): Promise<unknown>
  moveToFailed(job: Ended, reason: string, remove: boolean, token: string, fetchNext: boolean): Promise<unknown>
  moveToDelayed(
    jobId: string,
    timestamp: number,
    delay: number,
    token: string,
    options: { skipAttempt: boolean; fieldsToUpdate?: { failedReason: string } },
  ): Promise<unknown>
  moveStalledJobsToWait(): Promise<string[]>
  changeDelay(jobId: string, delay: number): Promise<void>

  getCounts(types: string[]): Promise<number[]>
  getRanges(types: string[], start: number, end: number, asc: boolean): Promise<string[][]>

  addLog(jobId: string, row: string): Promise<number>
  getJobLogs(jobId: string, start: number, end: number, asc: boolean): Promise<{ logs: string[]; count: number }>
  clearLogs(jobId: string, keep: number): Promise<void>
}

/**
 * How long BullMQ locks what it hands out, in milliseconds, until it is told the lease. Whoever dies meanwhile has the job
 * for this time.
 */
export const LOCK = 5000

// What BullMQ says when the job is not there, has no lock, is not in that state, or is locked by somebody else.
const LOST = new Set<unknown>([-1, -2, -3, -6])

/** Does it, and says whether it could be done: not to a job that is not there, or that somebody else has. */
export async function did(step: Promise<unknown>): Promise<boolean> {
  try {
    await step
    return true
  } catch (error) {
    if (!LOST.has((error as { code?: unknown } | null)?.code)) throw error
    return false
  }
}

/** A job as BullMQ wants it for keeping. `priority` is 1 to 2,097,151, and the smaller number comes first. */
export function jobData(
  id: string,
  name: string,
  data: object,
  { delay = 0, priority = 1, key, ttl }: { delay?: number; priority?: number; key?: string; ttl?: number } = {},
): object {
  const deduplication = key === undefined ? {} : { deduplication: { id: key, ...(ttl && { ttl }) } }
  const opts = { jobId: id, attempts: 0, priority, ...(delay > 0 ? { delay } : {}), ...deduplication }
  const extra = key === undefined ? {} : { deduplicationId: key }
  return { id, name, data: JSON.stringify(data), opts, timestamp: Date.now(), ...extra }
}
