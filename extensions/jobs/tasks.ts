import { kinds, show } from '../../src/index.ts'
import { addJob } from './add.ts'
import { answerText, plainAnswer } from './answer.ts'
import { accepted, plainFailure } from './failure.ts'
import { type AddOptions, checkAdd, type JobDefaults, type TaskOptions, termsOf } from './options.ts'
import { addsOf, type JobAdds, readRequest } from './request.ts'
import { toText } from './stored.ts'
import type { Task, Work } from './work.ts'

/** What a handler finds that has no request: a task's, or one in a thread. What was stored, and what every job has. */
export type TaskContext<Fields = object> = JobAdds & {
  readonly params: Readonly<Record<string, string>>
  /**
   * Aborts when the job is cancelled, takes too long, is lost to another process, or this process ends. In a thread it
   * never does: the thread is ended.
   */
  readonly signal: AbortSignal
} & Fields

/** A task without a route, for what is begun by the program itself, or is done apart from the app that begins it. */
export interface PlainTask<Fields> {
  /**
   * Makes a job of it. The fields are what the handler is given.
   *
   * @returns its id
   * @throws TypeError for a field that cannot be stored, or an option that is wrong; Problem 503 where too many wait, or the engine fails
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

  async function add(fields: Fields, options: AddOptions = {}): Promise<string> {
    const where = `task ${name}`
    checkAdd(where, options)
    const { owner, key, delay = 0, runAt, priority = 0 } = options
    const due = runAt ? runAt.getTime() : Date.now() + delay * 1000
    const keys = key === undefined ? [] : [{ text: key, until: 'ended' as const }]
    const request = taskText(where, fields)
    const { job } = await addJob(work, task, { owner, request, fingerprint: request, keys, due, priority })
    return job.id
  }

  return { add, task }
}

/** In the form of a request, without one. */
export function taskText(where: string, given: object): string {
  if (!kinds.object.test(given))
    throw new TypeError(`${where}: ${show(given)} is no object of fields. Write add({ id }).`)
  const fields = Object.entries(given).map(([name, value]) => [name, toText(value, `${where}: ${name}`)])
  return JSON.stringify({ request: {}, params: {}, fields: Object.fromEntries(fields) })
}
