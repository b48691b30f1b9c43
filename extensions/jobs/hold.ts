import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from './engine.ts'
import { JobCancelled, JobLost, JobTooLate } from './errors.ts'
import type { Taken, Task, Work } from './work.ts'

/** A job that this process has. */
export interface Held {
  /** What it is held by: another one than at first where its lease was over, and this process had it again. */
  claim(): Claim
  report(error: unknown): void
  /**
   * Does what keeps the outcome, and does it again where the engine fails, for as long as nobody else may have the job and
   * the engine is not closed.
   */
  persist(keep: (claim: Claim) => Promise<boolean>): Promise<boolean>
  end(): void
}

/** Milliseconds at most until a job is stopped that the engine has let go, and that nobody has yet. */
const UNHELD = 1000

/** Holds a job: renews its lease, and hears when it is cancelled. */
export function hold(work: Work, { name, terms }: Task, first: Claim, abort: (reason: Error) => void): Held {
  const { engine, changes, lease } = work
  const { job } = first
  let claim = first
  let heldUntil = Date.now() + lease
  let asked = 0
  let asking: Promise<void> | undefined
  let isAtWork = true
  let ending: NodeJS.Timeout | undefined

  function stop(reason: Error): void {
    isAtWork = false
    abort(reason)
  }

  function report(error: unknown): void {
    work
      .logger()
      .warn({ err: error, task: name, job: job.id }, `jobs: trouble with a job of ${name}, or with its engine.`)
  }

  function renew(): Promise<void> | undefined {
    // An engine that says nothing does not renew it either.
    if (isSilent()) return void stopWhenLate()
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }

  async function ask(): Promise<void> {
    asked = Date.now()
    const until = asked + lease
    try {
      if ((await engine.renew(claim, lease)) === 'held') heldUntil = until
      else if (await isFree()) takeBack()
    } catch (error) {
      report(error)
    }
    if (!ending) stopWhenLate()
  }

  /** One that was asked a moment ago has had no time to answer. */
  function isSilent(): boolean {
    return asking !== undefined && Date.now() - asked > lease / 4
  }

  function stopWhenLate(): void {
    if (Date.now() >= heldUntil) stop(new JobLost('The lease could not be renewed in time.'))
  }

  /** An engine may forget a lease that is over, and give the job to whoever asks next: to this process, most likely. */
  function takeBack(): void {
    ending ??= setTimeout(
      () => {
        ending = undefined
        stopWhenLate()
      },
      Math.min(lease / 3, UNHELD),
    ).unref()
    changes.tell(name)
  }

  /** Something was done to it elsewhere, or it is lost; if not, nobody else has it. */
  async function isFree(): Promise<boolean> {
    const { attempts } = claim.job
    const now = await engine.get(job.id)
    if (now?.state === 'running' && now.attempts === attempts) return true
    if (claim.job.attempts !== attempts) return false
    const isCancelled = now === undefined || now.state === 'cancelled' || now.state === 'expired'
    stop(isCancelled ? new JobCancelled('The job was cancelled.') : new JobLost('Another process has this job now.'))
    return false
  }

  async function persist(keep: (claim: Claim) => Promise<boolean>): Promise<boolean> {
    isAtWork = false
    for (let wait = 100; ; wait = Math.min(2 * wait, 2000)) {
      try {
        return await keep(claim)
      } catch (error) {
        report(error)
        if (Date.now() >= heldUntil) return false
        // It throws at once where the engine is closed, which is asked next.
        await sleep(wait, undefined, { signal: work.closed }).catch(() => {})
        if (work.closed.aborted) return false
      }
    }
  }

  const unlisten = changes.listenElsewhere(job.id, () => isFree().catch(report))
  const renewing = setInterval(renew, lease / 3).unref()
  const late = setTimeout(() => stop(new JobTooLate(`It took longer than ${terms.timeout / 1000} s.`)), terms.timeout)
  const taken: Taken = {
    stop,
    catchUp: () => (Date.now() > heldUntil - lease / 2 ? renew() : undefined),
    goOn(again) {
      if (isSilent()) stopWhenLate()
      if (!isAtWork) return false
      claim = again
      heldUntil = Date.now() + lease
      report(
        new Error('Its lease was over, so that it was given to this process once more. What kept it from renewing?'),
      )
      return true
    },
  }
  work.running.set(job.id, taken)
  return {
    claim: () => claim,
    report,
    persist,
    end() {
      clearInterval(renewing)
      clearTimeout(late)
      clearTimeout(ending)
      unlisten()
      // It may have been begun again by now.
      if (work.running.get(job.id) === taken) work.running.delete(job.id)
    },
  }
}
