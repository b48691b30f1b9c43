import type { Claim } from './engine.ts'
import { JobCancelled, JobHandedBack, JobLost, JobTooLate } from './errors.ts'
import type { Terms } from './options.ts'
import { progressOf } from './progress.ts'
import type { Failure, Task, Work } from './work.ts'

/**
 * Does a job that was taken up, once: holds it, stops it when it is cancelled, late or lost, and keeps what came of it, or
 * has it done again. Never rejects.
 */
export async function attempt(work: Work, task: Task, claim: Claim): Promise<void> {
  const { job } = claim
  const controller = new AbortController()
  const held = hold(work, task, claim, reason => controller.abort(reason))
  try {
    const isKept = await conclude(work, task, claim, controller.signal, held)
    if (!isKept) held.report(new JobLost('What came of it was not kept, because somebody else has the job now.'))
  } catch (error) {
    held.report(error)
  } finally {
    held.end()
    work.changes.tell(job.id)
  }
}

/** @returns whether what came of it was kept */
async function conclude(work: Work, task: Task, claim: Claim, signal: AbortSignal, held: Held): Promise<boolean> {
  const { engine } = work
  const { job } = claim
  const { terms } = task
  const progress = progressOf(async text => {
    const isOurs = await engine.progress(claim, text).catch(held.report)
    if (isOurs) work.changes.tell(job.id)
  })
  const its = task.begin({ job, signal, progress: progress.say })

  async function fail(failure: Failure): Promise<boolean> {
    const failures = job.failures + 1
    if (failure.isPermanent || failures >= terms.attempts) {
      failure.tell()
      return held.persist(() => engine.finish(claim, 'failed', failure.text, terms.keep))
    }
    const wait = backoff(terms, failures)
    const fields = { err: failure.error, task: task.name, job: job.id, attempt: job.attempts }
    work.logger().warn(fields, `jobs: ${task.name} failed, and is done again in ${(wait / 1000).toFixed(1)} s.`)
    return held.persist(() => engine.retry(claim, Date.now() + wait))
  }

  try {
    // It was lost so often that it may be what ends the processes that do it.
    if (job.failures >= terms.attempts) throw lost(job.failures)
    const text = await unless(signal, its.run())
    await progress.flush()
    return await held.persist(() => engine.finish(claim, 'succeeded', text, terms.keep))
  } catch (error) {
    const { reason } = signal
    if (reason instanceof JobCancelled || reason instanceof JobLost) return true
    if (reason instanceof JobHandedBack) return held.persist(() => engine.release(claim))
    await progress.flush()
    return fail(await its.fail(error))
  }
}

interface Held {
  report(error: unknown): void
  /** Does what keeps the outcome, and does it again where the engine fails, for as long as nobody else may have the job. */
  persist(keep: () => Promise<boolean>): Promise<boolean>
  end(): void
}

/** Holds a job: renews its lease, and hears when it is cancelled. */
function hold(work: Work, { name, terms }: Task, claim: Claim, stop: (reason: Error) => void): Held {
  const { engine, changes, lease } = work
  const { job } = claim
  let heldUntil = Date.now() + lease

  function report(error: unknown): void {
    work
      .logger()
      .warn({ err: error, task: name, job: job.id }, `jobs: trouble with a job of ${name}, or with its engine.`)
  }

  async function renew(): Promise<void> {
    const until = Date.now() + lease
    try {
      if ((await engine.renew(claim, lease)) === 'held') heldUntil = until
      else await look()
    } catch (error) {
      report(error)
    }
    if (Date.now() >= heldUntil) stop(new JobLost('The lease could not be renewed in time.'))
  }

  /** Something was done to it elsewhere, or it is lost. */
  async function look(): Promise<void> {
    const now = await engine.get(job.id)
    if (now?.state === 'running' && now.attempts === job.attempts) return
    const isCancelled = now === undefined || now.state === 'cancelled' || now.state === 'expired'
    stop(isCancelled ? new JobCancelled('The job was cancelled.') : new JobLost('Another process has this job now.'))
  }

  async function persist(keep: () => Promise<boolean>): Promise<boolean> {
    for (let wait = 100; ; wait = Math.min(2 * wait, 2000)) {
      try {
        return await keep()
      } catch (error) {
        report(error)
        if (Date.now() >= heldUntil) return false
        await new Promise(resolve => setTimeout(resolve, wait))
      }
    }
  }

  work.running.set(job.id, stop)
  const renewing = setInterval(renew, lease / 3).unref()
  const late = setTimeout(() => stop(new JobTooLate(`It took longer than ${terms.timeout / 1000} s.`)), terms.timeout)
  const unlisten = changes.listenElsewhere(job.id, () => look().catch(report))
  return {
    report,
    persist,
    end() {
      clearInterval(renewing)
      clearTimeout(late.unref())
      unlisten()
      work.running.delete(job.id)
    },
  }
}

/** Rejects when the signal aborts, whatever the promise is at. */
function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Twice as long each time, and somewhere between half of it and all, so that what fails together does not come together. */
export function backoff({ delay, maxDelay }: Terms, failures: number): number {
  return Math.min(maxDelay, delay * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}

function lost(failures: number): Error {
  const what = `The processes that did it ended before it did, or lost their lease, ${failures} times`
  return Object.assign(new Error(`${what}. It is not begun again.`), { retry: false })
}
