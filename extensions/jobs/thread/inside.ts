import type { MessagePort } from 'node:worker_threads'
import { PAUSE, progressIn } from '../progress.ts'
import type { JobOfContext } from '../request.ts'
import { fromText } from '../stored.ts'
import { type Outcome, outcomeOf, thrownOf } from './crossing.ts'

// This runs in a thread.

/** What is to be done in a thread. */
export interface Order {
  /** The route, for errors. */
  readonly where: string
  /** The module whose default export is the handler. */
  readonly url: string
  /** The handler's parameters and fields, as text. */
  readonly given: string
  readonly job: JobOfContext
}

/** How far a handler is, as `progress()` was told; or, first of all, that the thread is there. */
export type Told = [done: number, total?: number, message?: string] | 'begun'

/** Does it, and never rejects. */
export async function runInThread({ where, url, given, job, port }: Order & { port: MessagePort }): Promise<Outcome> {
  const { say, flush } = telling(port)
  port.postMessage('begun' satisfies Told)
  try {
    const { default: handler } = await import(url)
    // The thread is ended when the job is, and a handler that passes a signal on needs one all the same.
    const { signal } = new AbortController()
    return outcomeOf(where, await handler({ ...(fromText(given) as object), job, progress: say, signal }))
  } catch (thrown) {
    return thrownOf(thrown)
  } finally {
    flush()
  }
}

/** Passes on what is told at once, or within a tenth of a second, once: no timer goes off while a handler computes. */
function telling(port: MessagePort) {
  let latest: Told | undefined
  let sent = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (!latest) return
    port.postMessage(latest)
    latest = undefined
    sent = performance.now()
  }

  function say(...told: Exclude<Told, 'begun'>): void {
    progressIn(...told)
    latest = told
    if (performance.now() - sent >= PAUSE) flush()
    else timer ??= setTimeout(flush, PAUSE).unref()
  }

  return { say, flush }
}
