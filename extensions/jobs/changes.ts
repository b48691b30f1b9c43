import type { Engine, Job } from './engine.ts'

/** Who waits for something to happen to jobs, in this process or another. */
export interface Changes {
  /** Tells of something that this process has done to a job, or, by the name of its task, of a new one. */
  tell(idOrTask: string): void
  /** Calls when something may have happened to the job with this id, or when there may be new ones of this task. */
  listen(idOrTask: string, listener: () => void): () => void
  /** Calls when another process may have done something to the job with this id. */
  listenElsewhere(id: string, listener: () => void): () => void
  /** The job, when it is as it is waited for, or as it is when patience ends. */
  until(id: string, isDone: (job: Job | undefined) => boolean, patience: Patience): Promise<Job | undefined>
}

/** How long somebody waits. */
export interface Patience {
  readonly milliseconds: number
  /** It ends when one of them aborts. */
  readonly signals: readonly AbortSignal[]
}

/** Looks at the engine for what other processes do only while somebody here waits for it. */
export function changesOf(engine: Engine): Changes {
  const here = new Listeners()
  const elsewhere = new Listeners()
  let unwatch: (() => void) | undefined

  function heard(id?: string): void {
    elsewhere.call(id)
    here.call(id)
  }

  function watch(listeners: Listeners, key: string, listener: () => void): () => void {
    unwatch ??= engine.watch(heard)
    const remove = listeners.add(key, listener)
    return () => {
      remove()
      if (here.size + elsewhere.size > 0) return
      unwatch?.()
      unwatch = undefined
    }
  }

  // By hand, and not by AbortSignal.any(): it leaves something of itself on a signal that lasts, and a timeout in it may be
  // collected before it fires (nodejs/node issues 62363 and 57736).
  async function until(id: string, isDone: (job: Job | undefined) => boolean, { milliseconds, signals }: Patience) {
    let wake = () => {}
    let hasChanged = false
    let isOver = signals.some(({ aborted }) => aborted)
    const change = () => {
      hasChanged = true
      wake()
    }
    const giveUp = () => {
      isOver = true
      change()
    }
    const unlisten = watch(here, id, change)
    const late = setTimeout(giveUp, milliseconds)
    for (const signal of signals) signal.addEventListener('abort', giveUp)
    try {
      for (;;) {
        hasChanged = false
        const job = await engine.get(id)
        if (isOver || isDone(job)) return job
        if (!hasChanged)
          await new Promise<void>(resolve => {
            wake = resolve
          })
      }
    } finally {
      unlisten()
      clearTimeout(late)
      for (const signal of signals) signal.removeEventListener('abort', giveUp)
    }
  }

  return {
    tell: key => here.call(key),
    listen: (key, listener) => watch(here, key, listener),
    listenElsewhere: (id, listener) => watch(elsewhere, id, listener),
    until,
  }
}

class Listeners {
  readonly #all = new Map<string, Set<() => void>>()

  get size(): number {
    return this.#all.size
  }

  add(key: string, listener: () => void): () => void {
    const its = this.#all.get(key) ?? new Set()
    this.#all.set(key, its.add(listener))
    return () => {
      its.delete(listener)
      if (its.size === 0 && this.#all.get(key) === its) this.#all.delete(key)
    }
  }

  /** Calls those of a key, or all. */
  call(key?: string): void {
    const sets = key === undefined ? [...this.#all.values()] : [this.#all.get(key) ?? []]
    for (const set of sets) for (const listener of [...set]) listener()
  }
}
