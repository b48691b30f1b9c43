import type { Claim } from './engine.ts'
import { JobCancelled, JobLost, JobTooLate } from './errors.ts'
import type { Task, Work } from './work.ts'

/** A job that this process has. */
export interface Held {
  report(error: unknown): void
  /** Does what keeps the outcome, and does it again where the engine fails, for as long as nobody else may have the job. */
  persist(keep: () => Promise<boolean>): Promise<boolean>
  end(): void
}

/** Holds a job: renews its lease, and hears when it is cancelled. */
export function hold(work: Work, { name, terms }: Task, claim: Claim, stop: (reason: Error) => void): Held {
  const { engine, changes, lease } = work
  const { job } = claim
  let heldUntil = Date.now() + lease
  let isAsking = false

  function report(error: unknown): void {
    work
      .logger()
      .warn({ err: error, task: name, job: job.id }, `jobs: trouble with a job of ${name}, or with its engine.`)
  }

  async function renew(): Promise<void> {
    // An engine that says nothing does not renew it either.
    if (isAsking) return stopWhenLate()
    isAsking = true
    const until = Date.now() + lease
    try {
      if ((await engine.renew(claim, lease)) === 'held') heldUntil = until
      else await look()
    } catch (error) {
      report(error)
    }
    isAsking = false
    stopWhenLate()
  }

  function stopWhenLate(): void {
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

  const unlisten = changes.listenElsewhere(job.id, () => look().catch(report))
  const renewing = setInterval(renew, lease / 3).unref()
  const late = setTimeout(() => stop(new JobTooLate(`It took longer than ${terms.timeout / 1000} s.`)), terms.timeout)
  work.running.set(job.id, stop)
  return {
    report,
    persist,
    end() {
      clearInterval(renewing)
      clearTimeout(late)
      unlisten()
      // It may have been begun again by now.
      if (work.running.get(job.id) === stop) work.running.delete(job.id)
    },
  }
}
