import { isatty } from 'node:tty'
import type { Kolba } from '../../src/index.ts'

interface Actions {
  reload(): Promise<void>
  close(): Promise<void>
  /** Ends all workers at once. */
  kill(): void
}

/**
 * Lets signals act on the primary. Like the app's own, one that ends the process leaves that to whoever else listens to
 * it, and a second one does not wait.
 *
 * @returns a function that takes the listeners off again
 */
export function onSignals(app: Kolba, { reload, close, kill }: Actions): () => void {
  const terminal = [0, 1, 2].find(isatty)
  let isFirst = true

  function end(signal: NodeJS.Signals): void {
    if (!isFirst) {
      kill()
      process.exit(signal === 'SIGTERM' ? 143 : signal === 'SIGINT' ? 130 : 129)
    }
    isFirst = false
    const exit = (code: number) => void (process.listenerCount(signal) === 0 && process.exit(code))
    close().then(
      () => exit(0),
      error => {
        app.logger.error({ err: error }, 'serve: not all has ended well.')
        exit(1)
      },
    )
  }

  /** It also says that the terminal is gone, and on Windows nothing else: then nobody is there to reload for. */
  function hangUp(signal: NodeJS.Signals): void {
    const isGone = process.platform === 'win32' || (terminal !== undefined && !isatty(terminal))
    if (isGone) return end(signal)
    // Why it has failed is in the log.
    reload().catch(() => {})
  }

  const all = { SIGTERM: end, SIGINT: end, SIGHUP: hangUp }
  for (const [signal, act] of Object.entries(all)) process.on(signal, act)
  return () => {
    for (const [signal, act] of Object.entries(all)) process.off(signal, act)
  }
}
