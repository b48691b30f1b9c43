import { attempt } from './attempt.ts'
import type { Claim } from './engine.ts'
import type { Task, Work } from './work.ts'

/** Does the jobs of a task in this process, as many at a time as it may. */
export interface Runner {
  /** Takes up no more. */
  stop(): void
  /** When none is running. */
  idle(): Promise<void>
}

/** Looks once in this time, in milliseconds, whatever it has heard. */
const LOOKING = 5000
/** Milliseconds until it asks again an engine that has failed. */
const RECOVERY = 1000

export function runTask(work: Work, task: Task): Runner {
  const { engine, changes } = work
  const running = new Set<Promise<void>>()
  const waiting: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let isOpen = true
  let isLooking = false
  let isAsked = false
  let isPlenty = false

  function wake(): void {
    isAsked = true
    if (!isLooking && isOpen) void look()
  }

  async function look(): Promise<void> {
    isLooking = true
    let wait = LOOKING
    try {
      while (isAsked) {
        isAsked = false
        await takeUp()
      }
      wait = await untilDue()
    } catch (error) {
      wait = RECOVERY
      tell(error)
    } finally {
      isLooking = false
      settle()
    }
    if (isAsked && isOpen) return wake()
    sleep(wait)
  }

  /** Tells those who wait for it that nothing is running. */
  function settle(): void {
    if (!isLooking && running.size === 0) for (const go of waiting.splice(0)) go()
  }

  function tell(err: unknown): void {
    work.logger().error({ err, task: task.name }, `jobs: the engine ${engine.name} failed. It is asked again.`)
  }

  async function takeUp(): Promise<void> {
    while (isOpen && running.size < task.terms.concurrency) {
      // A process that was busy for longer than the lease would be given what it is doing itself.
      await Promise.all([...work.running.values()].map(taken => taken.catchUp()))
      // Where there was one there are others: those that are asked for at once share a wait for the disk.
      const places = isPlenty ? task.terms.concurrency - running.size : 1
      const found = await Promise.allSettled(Array.from({ length: places }, () => engine.claim(task.name, work.lease)))
      const claims = found.flatMap(its => (its.status === 'fulfilled' && its.value ? [its.value] : []))
      isPlenty = claims.length === places
      const news = claims.filter(claim => !work.running.get(claim.job.id)?.goOn(claim))
      // Between the asking and the answer it may have been told to take up no more.
      if (isOpen) for (const claim of news) begin(claim)
      else await Promise.all(news.map(claim => engine.release(claim)))
      const failed = found.find(its => its.status === 'rejected')
      if (failed) throw failed.reason
      if (!isPlenty) return
    }
  }

  function begin(claim: Claim): void {
    changes.tell(claim.job.id)
    const run = attempt(work, task, claim)
      .catch(tell)
      .finally(() => {
        running.delete(run)
        settle()
        wake()
      })
    running.add(run)
  }

  async function untilDue(): Promise<number> {
    if (running.size >= task.terms.concurrency) return LOOKING
    const due = await engine.due(task.name)
    // What is due and was not given is on its way to another process.
    return Math.min(due === undefined ? LOOKING : Math.max(due - Date.now(), 20), LOOKING)
  }

  function sleep(milliseconds: number): void {
    clearTimeout(timer)
    if (isOpen) timer = setTimeout(wake, milliseconds).unref()
  }

  const unlisten = changes.listen(task.name, wake)
  wake()
  return {
    stop() {
      isOpen = false
      unlisten()
      clearTimeout(timer)
    },
    idle: () =>
      new Promise(resolve => {
        waiting.push(resolve)
        settle()
      }),
  }
}
