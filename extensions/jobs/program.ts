import { closeOnSignal } from '../../src/detached/index.ts'
import { checkHook, checkOptions, type Kind, kinds } from '../../src/index.ts'
import type { Apps } from './apps.ts'
import { keepSchedule, scheduleOf } from './every.ts'
import type { Life } from './life.ts'
import { checkTask, type JobDefaults, type TaskOptions } from './options.ts'
import { type PlainTask, plainTask, type TaskContext } from './tasks.ts'
import type { Threads } from './thread.ts'
import type { Work } from './work.ts'

/** What a program does with jobs by itself, without a route or an app. */
export interface Program {
  /**
   * A task without a route: what the program begins by itself, or what a worker without the app does for
   * `background({ name })`.
   *
   * @throws TypeError for a name that is taken
   */
  task<Fields extends object = Record<string, unknown>>(
    name: string,
    handler: (ctx: TaskContext<Fields>) => unknown,
    options?: TaskOptions,
  ): PlainTask<Fields>
  /**
   * Does something again and again, at each time in one process: what stands there is counted from midnight UTC, or is a
   * cron expression, which needs the package croner. A time that has come while nothing was running is made up for once;
   * one that comes while the last is not done waits for it, and those that come then are left out.
   *
   * @throws TypeError for a schedule that is none, a handler without a name, and a name that is taken
   * @example work.every('5 min', tidyUp)
   * @example work.every('0 3 * * mon', report, { timezone: 'Europe/Berlin' })
   */
  every(schedule: string, handler: (ctx: TaskContext<{ time: Date }>) => unknown, options?: EveryOptions): void
  /**
   * Begins to do jobs in a program that has no app, until `close()`, or SIGTERM or SIGINT, which end the process in order.
   *
   * @throws what the engine does where it cannot be opened; TypeError after `close()`
   */
  start(options?: StartOptions): Promise<void>
  /** Gives running jobs so many seconds to end, hands back the rest, and lets go of the engine. @default 10 */
  close(seconds?: number): Promise<void>
}

export interface StartOptions {
  /** Seconds that running jobs have to end on a signal; the rest is handed back. @default 10 */
  drain?: number
}

export interface EveryOptions extends TaskOptions {
  /** What tells it from others, across processes and versions of the program. @default the name of the handler */
  name?: string
  /** The IANA time zone of a cron expression. @default that of the process */
  timezone?: string
}

const EVERY = { schedule: kinds.text, name: kinds.text, timezone: kinds.text }
const SECONDS: Kind = { words: 'a number of seconds from 0', test: it => it === 0 || kinds.seconds.test(it) }
/** A time that comes while the last is at work waits for it, and those that come then are left out. */
const OF_SCHEDULE = { concurrency: 1, limit: 2, keep: 3600 }

export function programOf(work: Work, common: JobDefaults, life: Life, threads: Threads, { warn }: Apps): Program {
  const names = new Set<string>()
  const ends: (() => void)[] = []

  function checkPlain(where: string, name: string, handler: unknown, own: TaskOptions | undefined): void {
    checkHook(where, handler)
    checkTask(where, own)
    // Two of the same name would do each other's jobs.
    if (names.has(name)) throw new TypeError(`${where}: there is one of this name. Give another name.`)
    names.add(name)
  }

  async function close(seconds = 10): Promise<void> {
    checkOptions('close', { seconds }, { seconds: SECONDS })
    try {
      await life.drain(seconds)
      await threads.close()
      await life.close()
    } finally {
      end()
    }
  }

  function end(): void {
    for (const end of ends.splice(0)) end()
  }

  return {
    task(name, handler, own) {
      checkOptions('task', { name }, { name: kinds.text })
      checkPlain(`task ${name}`, name, handler, own)
      const { add } = plainTask(work, common, name, handler, own)
      return { add }
    },
    every(schedule, handler, { name = checkHook('every', handler).name, timezone, ...own } = {}) {
      if (!name) throw new TypeError(`every ${schedule}: the handler has no name. Give one: { name: 'tidy up' }.`)
      checkOptions('every', { schedule, name, timezone }, EVERY)
      const where = `every ${name}`
      checkPlain(where, where, handler, own)
      const next = scheduleOf(where, schedule, timezone)
      const { task } = plainTask(work, { ...common, ...OF_SCHEDULE }, where, handler, own)
      work.add(task, () => keepSchedule(work, task, next))
    },
    async start(its) {
      checkOptions('start', its, { drain: SECONDS })
      if (ends.length > 0) return life.begin()
      warn()
      const going = setInterval(() => {}, 2 ** 30)
      const ignoreSignals = closeOnSignal(() => close(its?.drain))
      ends.push(() => clearInterval(going), ignoreSignals)
      await life.begin().catch(error => {
        end()
        throw error
      })
    },
    close,
  }
}
