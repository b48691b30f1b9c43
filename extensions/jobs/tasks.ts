import { checkHook } from '../../src/index.ts'
import { addJob } from './add.ts'
import { answerText, plainAnswer } from './answer.ts'
import { accepted, plainFailure } from './failure.ts'
import { checkGiven, checkTask, type JobDefaults, type TaskOptions, termsOf } from './options.ts'
import { addsOf, type JobAdds, readRequest } from './request.ts'
import { toText } from './stored.ts'
import type { Task, Work } from './work.ts'

/** What a task without a route finds in its job: what was stored with it, and what every job has. */
export type TaskContext<Fields = object> = JobAdds & {
  readonly params: Readonly<Record<string, string>>
  /** Aborts when the job is cancelled, takes too long, is lost to another process, or this process ends. */
  readonly signal: AbortSignal
} & Fields

export interface AddOptions {
  /** Whose it is, as `principalOf(ctx)` names a user. @default nobody's */
  owner?: string
  /** While a job with this key is not done, another one gives it. */
  key?: string
  /** Seconds to wait before it begins. @default 0 */
  delay?: number
  /** When it begins, in place of `delay`. */
  runAt?: Date
  /** Those with a larger number begin first. @default 0 */
  priority?: number
}

/** A task without a route, for what is begun by the program itself, or is done apart from the app that begins it. */
export interface PlainTask<Fields> {
  /**
   * Makes a job of it. The fields are what the handler is given.
   *
   * @returns its id
   * @throws TypeError for a field that cannot be stored; Problem 503 where too many wait, or the engine fails
   */
  add(fields: Fields, options?: AddOptions): Promise<string>
}

export function plainTask<Fields extends object>(
  work: Work,
  common: JobDefaults,
  name: string,
  handler: (ctx: TaskContext<Fields>) => unknown,
  options: TaskOptions = {},
): PlainTask<Fields> & { task: Task } {
  checkTask(`task ${name}`, options)
  checkHook(`task ${name}`, handler)
  const task: Task = {
    name,
    terms: termsOf(common, options),
    begin(running) {
      const tell = (err: Error) =>
        work.logger().error({ err, task: name, job: running.job.id }, `jobs: ${name} failed for good.`)
      return {
        async run() {
          const { params, fields } = readRequest(running.job.request)
          const ctx = { ...fields, params, signal: running.signal, ...addsOf(running) }
          return answerText(name, accepted(await plainAnswer(await handler(ctx as never))))
        },
        fail: async thrown => plainFailure(name, thrown, tell),
      }
    },
  }
  work.add(task)

  async function add(fields: Fields, { owner, key, delay = 0, runAt, priority = 0 }: AddOptions = {}): Promise<string> {
    const where = `task ${name}`
    const due = runAt
      ? checkGiven(where, 'runAt', runAt).getTime()
      : Date.now() + checkGiven(where, 'delay', delay) * 1000
    const keys = key === undefined ? [] : [{ text: key, until: 'ended' as const }]
    const request = taskText(where, fields)
    checkGiven(where, 'priority', priority)
    const { job } = await addJob(work, task, { owner, request, fingerprint: request, keys, due, priority })
    return job.id
  }

  return { add, task }
}

/** In the form of a request, without one. */
export function taskText(where: string, given: object): string {
  const fields = Object.entries(given).map(([name, value]) => [name, toText(value, `${where}: ${name}`)])
  return JSON.stringify({ request: {}, params: {}, fields: Object.fromEntries(fields) })
}
