import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, isBusy } from './driver.ts'

/** How many pieces of work one transaction has at most: others wait for it. */
const GROUP = 200

interface Work {
  readonly run: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * Carries out what changes the file. All that comes in one turn of the event loop is one transaction, with one wait for the
 * disk, and each is answered when that is over.
 */
export class Writer {
  readonly #database: Database
  readonly #patience: Patience
  #queue: Work[] = []
  #running: Promise<void> | undefined

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  /** Work is carried out once more where the transaction that it is in fails: it changes nothing but the file. */
  write<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ run, resolve, reject })
      this.#running ??= this.#empty()
    })
  }

  /** Waits until everything is done that came before. */
  async end(): Promise<void> {
    await this.#running
  }

  async #empty(): Promise<void> {
    while (this.#queue.length > 0) {
      await new Promise(resolve => setImmediate(resolve))
      await this.#commit(this.#queue.splice(0, GROUP))
    }
    this.#running = undefined
  }

  async #commit(group: Work[]): Promise<void> {
    try {
      const values = await this.#patience.have(() => this.#transaction(group))
      for (const [index, { resolve }] of group.entries()) resolve(values[index] as never)
    } catch (error) {
      if (error instanceof LockedError) for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(error)
      else if (group.length === 1) group[0]?.reject(error)
      // One of them has failed: each for itself, so that the others do not.
      else for (const work of group) await this.#commit([work])
    }
  }

  #transaction(group: Work[]): unknown[] {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const values = group.map(({ run }) => run())
      this.#database.exec('COMMIT')
      return values
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK')
    } catch {
      // There is no transaction left: with a full disk or a broken one SQLite has rolled it back itself.
    }
  }
}

export class LockedError extends Error {
  override name = 'LockedError'
}

/** Milliseconds. */
const ENDING = 1000

/** Tries what others keep it from, again and again, without keeping this process from its other work. */
export class Patience {
  readonly #seconds: number
  readonly #file: string
  #last = Number.POSITIVE_INFINITY

  constructor(file: string, seconds: number) {
    this.#file = file
    this.#seconds = seconds
  }

  /** A process that ends waits for no other program: there is a second left for all that is still to be done. */
  end(): void {
    this.#last = performance.now() + ENDING
  }

  async have<T>(run: () => T): Promise<T> {
    const end = performance.now() + this.#seconds * 1000
    for (let wait = 1; ; wait = Math.min(2 * wait, 20)) {
      try {
        return run()
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() > Math.min(end, this.#last)) throw this.#locked(error)
      }
      // Of several that wait for each other not all come back at one time.
      await sleep(wait * (0.5 + Math.random()))
    }
  }

  #locked(cause: unknown): LockedError {
    const time = this.#last < Number.POSITIVE_INFINITY ? 'while it was closed' : `for ${this.#seconds} s`
    const what = `sqlite: another program has had ${this.#file} locked ${time}.`
    return new LockedError(`${what} Let it write in shorter transactions, or give jobs a file of their own.`, { cause })
  }
}
