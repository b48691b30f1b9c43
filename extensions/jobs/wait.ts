import type { BaseContext, Preferences } from '../../src/index.ts'
import type { Job } from './engine.ts'
import { isEnded } from './state.ts'
import type { Work } from './work.ts'

/** Waits for the end of a job as long as the client prefers, and no longer than its request may take. */
export async function waitFor(
  work: Work,
  ctx: BaseContext,
  id: string,
  { wait, applied }: Preferences,
): Promise<Job | undefined> {
  if (!wait) return undefined
  applied('wait')
  // The handler has so many seconds for its answer, and that of others is written in the last of them.
  const { handler } = ctx.app.settings.timeouts
  const milliseconds = Math.min(wait, Math.max(handler - 1, handler / 2)) * 1000
  const patience = { milliseconds, signals: [ctx.signal, work.closing] }
  try {
    return await work.changes.until(id, job => !job || isEnded(job), patience)
  } catch (err) {
    // The job is kept, and its place is as good an answer as its outcome.
    work.logger().warn({ err, job: id }, 'jobs: an outcome could not be waited for, because the engine failed.')
    return undefined
  }
}
