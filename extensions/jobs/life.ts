import { setMaxListeners } from 'node:events'
import type { Engine } from './engine.ts'
import { JobHandedBack } from './errors.ts'
import { type Runner, runTask } from './runner.ts'
import type { Task, Work } from './work.ts'

/** Milliseconds between two looks for what has been kept for long enough. */
const SWEEPING = 30_000
/** Milliseconds for handlers to heed that they are handed back. */
const GRACE = 1000

/** How the jobs of one process begin and end. */
export interface Life {
  /** When the engine is ready: it is opened once, and one that could not be is tried again. */
  ready(): Promise<void>
  /** Does jobs here from now on, and keeps schedules. */
  begin(): Promise<void>
  /** Adds a task, and what it needs while jobs are done here. */
  add(task: Task, beside?: () => () => void): void
  /** Takes up no more, gives those that are running so many seconds to end, and hands back the rest. */
  drain(seconds: number): Promise<void>
  /** Lets go of the engine. */
  close(): Promise<void>
  /** Aborts when it begins to end. */
  readonly closing: AbortSignal
  /** Aborts when the engine is let go. */
  readonly closed: AbortSignal
}

export function lifeOf(engine: Engine, work: () => Work): Life {
  const tasks = new Map<string, { task: Task; beside: (() => () => void) | undefined }>()
  const runners = new Map<string, Runner>()
  const ends = new Map<string, () => void>()
  const closing = new AbortController()
  const gone = new AbortController()
  // Every client that waits listens to the one, and every job that is ending to the other.
  setMaxListeners(0, closing.signal, gone.signal)
  let opened: Promise<void> | undefined
  let drained: Promise<void> | undefined
  let closed: Promise<void> | undefined
  let sweeping: NodeJS.Timeout | undefined
  let hasBegun = false

  async function open(): Promise<void> {
    checkOpen()
    await engine.open()
    const sweep = () =>
      engine.sweep().catch(error => work().logger().warn({ err: error }, 'jobs: expired ones could not be removed.'))
    sweeping = setInterval(sweep, SWEEPING).unref()
  }

  function checkOpen(): void {
    if (closing.signal.aborted) throw new TypeError('jobs: they have been closed. Make others.')
  }

  function ready(): Promise<void> {
    opened ??= open().catch(error => {
      opened = undefined
      throw error
    })
    return opened
  }

  function beginTask(name: string): void {
    const { task, beside } = tasks.get(name) as { task: Task; beside?: () => () => void }
    runners.get(name)?.stop()
    runners.set(name, runTask(work(), task))
    if (beside && !ends.has(name)) ends.set(name, beside())
  }

  async function end(seconds: number): Promise<void> {
    closing.abort()
    for (const stop of ends.values()) stop()
    for (const runner of runners.values()) runner.stop()
    const idle = Promise.all([...runners.values()].map(runner => runner.idle()))
    if (await within(seconds * 1000, idle)) return
    for (const { stop } of work().running.values()) stop(new JobHandedBack('This process ends.'))
    await within(GRACE, idle)
  }

  async function letGo(): Promise<void> {
    // One that could not be opened has nothing to let go, and whoever wanted it was told.
    const isOpen = await opened?.then(
      () => true,
      () => false,
    )
    gone.abort()
    if (isOpen) await engine.close()
  }

  return {
    closing: closing.signal,
    closed: gone.signal,
    ready,
    async begin() {
      checkOpen()
      await ready()
      // It may have been told to end while the engine was opened.
      if (hasBegun || closing.signal.aborted) return
      hasBegun = true
      for (const name of tasks.keys()) beginTask(name)
    },
    add(task, beside) {
      tasks.set(task.name, { task, beside })
      if (hasBegun && !closing.signal.aborted) beginTask(task.name)
    },
    drain(seconds) {
      drained ??= end(seconds)
      return drained
    },
    async close() {
      clearInterval(sweeping)
      closed ??= letGo()
      await closed
    },
  }
}

/** Is it done in so many milliseconds? */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(resolve, milliseconds, false)
  })
  const done = await Promise.race([promise.then(() => true as const), late])
  clearTimeout(timer)
  return done
}
