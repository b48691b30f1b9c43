import type { Statement } from './driver.ts'

/** Milliseconds between two looks. A look reads a number that processes share in memory. */
const PAUSE = 100

/** Tells whoever wants to know that another connection has changed the file. */
export class Watcher {
  readonly #changes: Statement
  readonly #listeners = new Set<{ readonly changed: () => void }>()
  #timer: NodeJS.Timeout | undefined
  #last: unknown

  constructor(changes: Statement) {
    this.#changes = changes
  }

  watch(changed: () => void): () => void {
    const listener = { changed }
    if (this.#listeners.size === 0) this.#start()
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.end()
    }
  }

  end(): void {
    clearInterval(this.#timer)
    this.#listeners.clear()
  }

  #start(): void {
    this.#last = this.#now()
    this.#timer = setInterval(() => this.#look(), PAUSE)
    this.#timer.unref()
  }

  #look(): void {
    const now = this.#now()
    if (now === this.#last) return
    this.#last = now
    for (const { changed } of [...this.#listeners]) changed()
  }

  /** Where it cannot be told something may have happened: who looks closer then is told what is wrong. */
  #now(): unknown {
    try {
      return this.#changes.get()?.data_version
    } catch (error) {
      return error
    }
  }
}
