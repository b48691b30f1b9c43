import cluster, { type Worker } from 'node:cluster'
import type { Kolba } from '../../src/index.ts'
import { pauseAfter } from './backoff.ts'
import { crew } from './crew.ts'
import type { Settings } from './options.ts'
import { onSignals } from './signals.ts'
import { howOf } from './start.ts'
import { warnOf } from './warn.ts'

/** What `serve()` gives in the primary. */
export interface Serving {
  /** The port that all workers have, or the path of the socket. */
  readonly port: number | string
  /**
   * Puts new workers, with the code that is on disk now, in the place of the old ones. It resolves when the new ones
   * listen, where the old ones may still have requests to answer. While one is under way, the next waits for it.
   *
   * @throws Error that says why a new worker did not come up; from there on the old ones stay
   */
  reload(): Promise<void>
  /** Lets all workers close their app, and resolves when they have ended. @throws Error where one has not ended well */
  close(): Promise<void>
}

/** One of as many places as there are to be workers. */
interface Place {
  /** Who listens. */
  worker?: Worker
  /** When that began, in milliseconds. */
  since: number
  /** Ends in a row. */
  failures: number
  pause?: NodeJS.Timeout
  /** While somebody starts a worker for it. */
  starting?: Promise<void>
}

/** Starts workers, and sees to it that there are as many as there should be. */
export async function lead(app: Kolba, settings: Settings): Promise<Serving> {
  if (Object.keys(cluster.workers ?? {}).length > 0)
    throw new Error('serve: this process has workers already. Call it once, and mount one app on the other.')
  const { workers, backoff, perWorker } = settings
  const { begin, retire, endAll, kill, port } = crew(app, settings)
  const places = Array.from({ length: workers }, (): Place => ({ since: 0, failures: 0 }))
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let closing: Promise<void> | undefined

  /** Starts a worker for a place, and then lets go whoever has it. @throws Error that says why it did not come up */
  async function fill(place: Place): Promise<void> {
    clearTimeout(place.pause)
    if (closing) throw new Error('serve: it has been closed')
    const worker = await begin()
    const old = place.worker
    Object.assign(place, { worker, since: performance.now() })
    worker.once('exit', (code, signal) => place.worker === worker && bury(place, worker, howOf(code, signal)))
    if (old) retire(old)
  }

  function bury(place: Place, { process: { pid } }: Worker, how: string): void {
    delete place.worker
    if (performance.now() - place.since > backoff.reset * 1000) place.failures = 0
    if (closing) return
    // Whoever is starting one already says what comes of it.
    if (place.starting) return app.logger.error({ pid }, `serve: a worker ended ${how}.`)
    startLater(place, `a worker ended ${how}`, { pid })
  }

  function startLater(place: Place, reason: string, fields: object): void {
    const pause = pauseAfter(place.failures, backoff)
    place.failures += 1
    place.pause = setTimeout(() => startAgain(place), pause * 1000)
    const when = `Another one starts in ${pause.toFixed(2)} s.`
    app.logger.error({ ...fields, pause, failures: place.failures }, `serve: ${reason}. ${when}`)
  }

  async function startAgain(place: Place): Promise<void> {
    await attempt(place)
    if (place.worker) app.logger.info({ pid: place.worker.process.pid }, 'serve: a worker listens in its place.')
  }

  /** Starts a worker for a place, now or, where it does not come up, later. */
  async function attempt(place: Place): Promise<void> {
    place.starting = fill(place).catch(error => {
      if (!closing) startLater(place, (error as Error).message, {})
    })
    await place.starting
    delete place.starting
  }

  /** The first one alone, so that what is wrong with the program is said once. */
  async function fillAll(): Promise<void> {
    await fill(places[0] as Place)
    await Promise.all(places.slice(1).map(attempt))
    const count = places.filter(({ worker }) => worker).length
    app.logger.info({ workers: count, port: port() }, `serve: ${count} of ${workers} workers listen on ${port()}.`)
  }

  function reload(): Promise<void> {
    if (closing) return Promise.reject(new Error('serve: it has been closed. Start the program anew.'))
    if (!running) return busy(exchange())
    next ??= running.then(again, again)
    return next
  }

  function again(): Promise<void> {
    next = undefined
    return reload()
  }

  function busy(work: Promise<void>): Promise<void> {
    running = work.finally(() => {
      running = undefined
    })
    return running
  }

  async function exchange(): Promise<void> {
    app.logger.info({ workers }, 'serve: reloading.')
    for (const [index, place] of places.entries()) {
      // What is being started may have the old code.
      await place.starting
      const filling = fill(place)
      // For who waits until it is over, whatever comes of it.
      place.starting = filling.catch(() => {})
      try {
        await filling
        place.failures = 0
      } catch (error) {
        throw giveUp(error as Error, index, place)
      } finally {
        delete place.starting
      }
    }
    app.logger.info({ workers }, 'serve: reloaded.')
  }

  function giveUp({ message }: Error, done: number, place: Place): Error {
    if (closing) return new Error('serve: it was closed during the reload.')
    const rest = `${done} of ${workers} workers have the new code, and the old ones go on`
    const error = new Error(`serve: the reload is given up, because ${message}. ${rest}. What it printed says why.`)
    app.logger.error({ reloaded: done, workers }, error.message)
    if (!place.worker) startLater(place, 'a place is free', {})
    return error
  }

  function close(): Promise<void> {
    closing ??= endAll().finally(ignoreSignals)
    for (const { pause } of places) clearTimeout(pause)
    return closing
  }

  const ignoreSignals = app.settings.signals ? onSignals(app, { reload, close, kill }) : () => {}
  if (workers > 1) warnOf(app, perWorker)
  try {
    await busy(fillAll())
  } catch (error) {
    if (closing) await closing
    else {
      ignoreSignals()
      throw new Error(`serve: ${(error as Error).message}, and it was the first. What it printed says why.`)
    }
  }
  return { port: port(), reload, close }
}
