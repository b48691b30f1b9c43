import type { Claim } from './engine.ts'
import { JobCancelled, JobHandedBack, JobLost } from './errors.ts'
import { plainFailure } from './failure.ts'
import { type Held, hold } from './hold.ts'
import type { Terms } from './options.ts'
import { progressOf } from './progress.ts'
import type { Attempt, Failure, Running, Task, Work } from './work.ts'

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
    // Why it is not kept in an engine that is closed was told.
    if (!isKept && !work.closed.aborted)
      held.report(new JobLost('What came of it was not kept, because somebody else has the job now.'))
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
    const isOurs = await engine.progress(held.claim(), text).catch(held.report)
    if (isOurs) work.changes.tell(job.id)
  })
  const its = begun(work, task, { job, signal, progress: progress.say })

  async function fail(failure: Failure): Promise<boolean> {
    const failures = held.claim().job.failures + 1
    if (failure.isPermanent || failures >= terms.attempts) {
      failure.tell()
      return held.persist(claim => engine.finish(claim, 'failed', failure.text, terms.keep))
    }
    const wait = backoff(terms, failures)
    const fields = { err: failure.error, task: task.name, job: job.id, attempt: job.attempts }
    work.logger().warn(fields, `jobs: ${task.name} failed, and is done again in ${(wait / 1000).toFixed(1)} s.`)
    return held.persist(claim => engine.retry(claim, Date.now() + wait))
  }

  let run: Promise<string> | undefined
  try {
    // It was lost so often that it may be what ends the processes that do it.
    if (job.failures >= terms.attempts) throw lost(job.failures)
    run = its.run()
    const text = await unless(signal, run)
    await progress.flush()
    return await held.persist(claim => engine.finish(claim, 'succeeded', text, terms.keep))
  } catch (error) {
    const { reason } = signal
    if (reason instanceof JobCancelled || reason instanceof JobLost) return true
    if (reason instanceof JobHandedBack) {
      await settled(run)
      return held.persist(claim => engine.release(claim))
    }
    await progress.flush()
    return fail(await its.fail(error))
  }
}

/** Where what was stored cannot be read any more, by another version of the program, the job has failed. */
function begun(work: Work, task: Task, running: Running): Attempt {
  const fields = { task: task.name, job: running.job.id }
  const tell = (err: Error) => work.logger().error({ err, ...fields }, `jobs: ${task.name} failed for good.`)
  const fail = async (thrown: unknown) => plainFailure(task.name, thrown, tell)
  try {
    const { run, fail: its } = task.begin(running)
    return { run, fail: thrown => its(thrown).catch(fail) }
  } catch (error) {
    return { run: () => Promise.reject(error), fail }
  }
}

/** Milliseconds for a handler to heed that it is handed back, so that it does not go on beside the one that begins again. */
const HEEDING = 500

async function settled(run: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, HEEDING)
  })
  await Promise.race([Promise.allSettled([run]), late])
  clearTimeout(timer)
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
