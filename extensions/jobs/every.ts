import { createRequire } from 'node:module'
import { addUnlessFull } from './add.ts'
import { taskText } from './tasks.ts'
import type { Task, Work } from './work.ts'

/** Gives the next time after another one, in milliseconds since 1970. */
export type Schedule = (after: number) => number

const UNITS: Record<string, number> = {
  s: 1,
  sec: 1,
  second: 1,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
}
const INTERVAL = /^(?:(\d{1,6}) ?)?(s|sec|second|min|minute|h|hour|d|day)s?$/

/**
 * Reads how often: `5 min`, `hour`, `2 days`, counted from midnight UTC of 1970-01-01, or a cron expression with five
 * fields, or six with seconds, which needs the package croner.
 *
 * @throws TypeError for what is neither, for a time zone that there is not, and where croner is not installed
 */
export function scheduleOf(where: string, text: string, timezone: string | undefined): Schedule {
  const [, count = '1', unit = ''] = INTERVAL.exec(text) ?? []
  const interval = Number(count) * (UNITS[unit] ?? 0) * 1000
  if (unit === '') return cron(where, text, timezone)
  if (interval === 0) throw new TypeError(`${where}: ${text} is no time. Give one like '5 min'.`)
  if (timezone !== undefined) throw new TypeError(`${where}: an interval has no time zone. Give a cron expression.`)
  return after => (Math.floor(after / interval) + 1) * interval
}

function cron(where: string, text: string, timezone: string | undefined): Schedule {
  const { Cron } = loadCroner(where)
  if (timezone !== undefined) checkTimezone(where, timezone)
  try {
    // It has nothing to do by itself: whose turn it is, the engine decides.
    const its = new Cron(text, { paused: true, ...(timezone !== undefined && { timezone }) })
    if (its.nextRun(new Date())) return after => its.nextRun(new Date(after))?.getTime() ?? Number.POSITIVE_INFINITY
  } catch (cause) {
    const what = `${JSON.stringify(text)} is neither a time such as '5 min' nor a cron expression such as '0 3 * * mon'`
    throw new TypeError(`${where}: ${what}. ${(cause as Error).message}`, { cause })
  }
  throw new TypeError(`${where}: the time ${JSON.stringify(text)} never comes.`)
}

function checkTimezone(where: string, timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch (cause) {
    const what = `there is no time zone ${JSON.stringify(timezone)}`
    throw new TypeError(`${where}: ${what}. Give one of the IANA's, such as 'Europe/Berlin'.`, { cause })
  }
}

interface Croner {
  readonly Cron: new (text: string, options: object) => { nextRun(after: Date): Date | null }
}

function loadCroner(where: string): Croner {
  try {
    return createRequire(import.meta.url)('croner')
  } catch (cause) {
    throw new TypeError(`${where}: cron expressions need croner. Run npm install croner, or say '5 min'.`, { cause })
  }
}

/** No timer waits for longer, in milliseconds. */
const LONGEST = 3_600_000

/** Milliseconds until it asks again an engine that has failed. */
const RECOVERY = 1000

/**
 * Adds the jobs of a schedule, each before its time, so that it is done after a crash as well. Of all processes that do so
 * one adds it, for the time is its key. Times that come while one that is due waits still are left out: they would only
 * pile up.
 *
 * @returns a function that ends it
 */
export function keepSchedule(work: Work, task: Task, next: Schedule): () => void {
  let timer: NodeJS.Timeout | undefined
  let isOpen = true
  let added = 0

  async function add(): Promise<void> {
    const due = next(Math.max(Date.now(), added))
    try {
      if (due < Number.POSITIVE_INFINITY) await addTime(due)
      added = due
      wait()
    } catch (error) {
      // The engine is let go, and whoever begins next adds it.
      if (!isOpen) return
      work
        .logger()
        .error({ err: error, task: task.name }, `jobs: the next ${task.name} could not be added. It is tried again.`)
      sleep(RECOVERY, add)
    }
  }

  async function addTime(due: number): Promise<void> {
    const time = new Date(due)
    const request = taskText(task.name, { time })
    const keys = [{ text: `${due}`, until: 'expired' as const }]
    const job = { owner: undefined, request, fingerprint: '', keys, due, priority: 0 }
    if ((await addUnlessFull(work, task, job)) !== 'full') return
    const what = `jobs: ${task.name} is left out at ${time.toISOString()}, because the last is not done.`
    work.logger().warn({ task: task.name }, what)
  }

  /** Until the one that was added is due. */
  function wait(): void {
    sleep(Math.min(Math.max(added - Date.now(), 0), LONGEST), () => (Date.now() < added ? wait() : add()))
  }

  function sleep(milliseconds: number, go: () => unknown): void {
    if (isOpen) timer = setTimeout(go, milliseconds).unref()
  }

  void add()
  return () => {
    isOpen = false
    clearTimeout(timer)
  }
}
