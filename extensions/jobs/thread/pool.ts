import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Logger } from '../../../src/index.ts'
import type { Outcome } from './crossing.ts'
import type { Order, Told } from './inside.ts'

/** How many handlers compute at the same time: more would take the processors from each other. */
export const THREADS = availableParallelism()

const require = createRequire(import.meta.url)

/** Where threads begin: a file of its own, wherever in the package this one is. */
const INSIDE = join(dirname(require.resolve('kolba/package.json')), 'dist/extensions/jobs/thread/inside.js')

/** Milliseconds after which a thread that has nothing to do ends. */
const IDLE = 10_000
/** How often a thread is started for a job before it has failed. */
const STARTS = 3

type Tell = (told: Exclude<Told, 'begun'>) => void
type Task = Order & { readonly port: MessagePort }

/** The threads of one `jobs()`, which are started when they are needed. */
export interface Pool {
  /** Does it in a thread of its own for that time. When the signal aborts the thread is ended, whatever it is at. */
  run(order: Order, signal: AbortSignal, tell: Tell): Promise<Outcome>
  /** Ends all threads, for good. */
  close(): Promise<void>
}

interface Piscina {
  run(task: object, options: { transferList: MessagePort[]; signal: AbortSignal }): Promise<unknown>
  destroy(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

/** @throws TypeError where piscina is not installed */
export function loadPiscina(where: string): new (options: object) => Piscina {
  try {
    return require('piscina').Piscina
  } catch (cause) {
    throw new TypeError(`${where}: thread needs piscina. Run npm install piscina.`, { cause })
  }
}

export function poolOf(logger: () => Logger): Pool {
  /** Of jobs whose threads are being started. */
  const starting = new Set<AbortController>()
  const places = placesOf(THREADS)
  let threads: Piscina | undefined
  let isClosed = false

  function open(): Piscina {
    if (isClosed) throw new Error('jobs: they have been closed, and their threads have ended.')
    threads ??= start()
    return threads
  }

  function start(): Piscina {
    const its = new (loadPiscina('jobs'))({
      filename: INSIDE,
      name: 'runInThread',
      minThreads: 0,
      maxThreads: THREADS,
      idleTimeout: IDLE,
      // What a handler has left running in its thread, a connection say, goes on between two jobs.
      atomics: 'disabled',
    })
    its.on('error', err => {
      logger().error({ err }, 'jobs: a thread that had no job failed, or could not be started.')
      for (const controller of starting) controller.abort(err)
    })
    return its
  }

  /** Runs it, unless its thread does not start. */
  async function tryToRun(task: Task, signal: AbortSignal, failing: AbortController): Promise<Outcome> {
    starting.add(failing)
    try {
      const either = AbortSignal.any([signal, failing.signal])
      return (await open().run(task, { transferList: [task.port], signal: either })) as Outcome
    } catch (error) {
      signal.throwIfAborted()
      throw failing.signal.aborted ? failing.signal.reason : error
    } finally {
      starting.delete(failing)
    }
  }

  async function run(order: Order, signal: AbortSignal, tell: Tell): Promise<Outcome> {
    await places.enter(signal)
    const { port1, port2 } = new MessageChannel()
    let failing: AbortController
    const hear = (told: Told) => (told === 'begun' ? starting.delete(failing) : tell(told))
    const latest = () => (signal.aborted ? undefined : receiveMessageOnPort(port1))
    port1.on('message', hear).unref()
    const attempt = async (left: number): Promise<Outcome> => {
      failing = new AbortController()
      return tryToRun({ ...order, port: port2 }, signal, failing).catch(error => {
        if (left === 0 || !failing.signal.aborted) throw error
        return attempt(left - 1)
      })
    }
    try {
      return await attempt(STARTS - 1)
    } finally {
      // What was told last may be on its way.
      for (let it = latest(); it; it = latest()) hear(it.message)
      port1.close()
      places.leave()
    }
  }

  return {
    run,
    async close() {
      isClosed = true
      await threads?.destroy()
    },
  }
}

/** So many at a time: those that come when all places are taken wait for one, in the order of their coming. */
function placesOf(count: number) {
  const waiting = new Set<() => void>()
  let free = count

  function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) return Promise.resolve(void free--)
    return new Promise((resolve, reject) => {
      const end = () => {
        waiting.delete(take)
        signal.removeEventListener('abort', give)
      }
      const take = () => {
        end()
        resolve()
      }
      const give = () => {
        end()
        reject(signal.reason)
      }
      waiting.add(take)
      signal.addEventListener('abort', give)
    })
  }

  function leave(): void {
    const [next] = waiting
    if (next) next()
    else free++
  }

  return { enter, leave }
}
