import { show } from '../../src/detached/index.ts'

/** How far a job is: a number alone, or how much of how much is done, and what is being done. */
export type Progress = number | { readonly done: number; readonly total?: number; readonly message?: string }

/** Milliseconds in which what is told of a job is written once. */
export const PAUSE = 100

/**
 * Writes down how far a job is, at once and then as often as every tenth of a second, the last that was told in the end.
 */
export function progressOf(write: (text: string) => Promise<unknown>) {
  let latest: string | undefined
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  function save(): void {
    if (latest === undefined) return
    const text = latest
    latest = undefined
    timer = setTimeout(next, PAUSE).unref()
    writing = writing.then(() => write(text)).then(() => {})
  }

  function next(): void {
    timer = undefined
    save()
  }

  return {
    say(done: number, total?: number, message?: string): void {
      latest = JSON.stringify(progressIn(done, total, message))
      if (!timer) save()
    },
    /** When all is written that was told. */
    async flush(): Promise<void> {
      clearTimeout(timer)
      save()
      clearTimeout(timer)
      await writing
    },
  }
}

/** @throws TypeError for what is no number from 0, and for a message that is no text */
export function progressIn(done: number, total: number | undefined, message: string | undefined): Progress {
  const wrong = [done, total].find(it => it !== undefined && !(Number.isFinite(it) && it >= 0))
  if (wrong !== undefined || done === undefined)
    throw new TypeError(`progress: ${show(wrong)} is no number from 0. Write ctx.progress(done, total).`)
  if (message !== undefined && typeof message !== 'string')
    throw new TypeError(`progress: the message is ${show(message)}. Give a string.`)
  return total === undefined && message === undefined ? done : ({ done, total, message } as Progress)
}
