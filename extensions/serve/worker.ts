import cluster, { type Worker } from 'node:cluster'
import type { Kolba } from '../../src/index.ts'
import { leave, orderIn, tellAddress } from './messages.ts'
import type { Settings } from './options.ts'
import { retiring } from './retire.ts'
import { PORT } from './start.ts'

/** Seconds until an idle connection has been closed, and a request under way has ended. */
export function retirementOf({ settings: { timeouts } }: Kolba): number {
  return timeouts.keepAlive + timeouts.drain + 1
}

/** Answers in this process, until it is told to end, or nobody is there any more who could tell. */
export async function work(app: Kolba, { port, host }: Settings): Promise<undefined> {
  app.onStop(leave)
  const at = Number(process.env[PORT] ?? Number.NaN) || port
  const server = host === undefined ? app.listen(at) : app.listen(at, host)
  const retire = retiring(server)
  const isSignalled = app.settings.signals ? watchSignals() : () => false

  async function end(): Promise<void> {
    try {
      await app.close()
    } catch (error) {
      app.logger.error({ err: error }, 'serve: this worker did not end well.')
      process.exit(1)
    }
    // After a signal the app ends the process, as it does without workers.
    if (!isSignalled()) process.exit(0)
  }

  process.on('message', message => {
    const order = orderIn(message)
    if (order === 'close') void end()
    if (order !== 'retire') return
    retire()
    setTimeout(end, retirementOf(app) * 1000).unref()
  })
  // When no connection is left, or somebody has closed the app: without a server it is of no use.
  server.once('close', end)
  // Node would end the process at once.
  const worker = cluster.worker as Worker
  worker.once('disconnect', () => {
    worker.exitedAfterDisconnect = true
    void end()
  })
  // Not by once() of node:events, which would take an error for its own that the app explains.
  await new Promise<void>(resolve => server.once('listening', resolve))
  const address = server.address()
  tellAddress(typeof address === 'string' ? address : (address?.port ?? at))
  return undefined
}

/** Has a signal told the app to close? A reload is for the primary, and no reason to end. */
function watchSignals(): () => boolean {
  let isSignalled = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      isSignalled = true
    })
  process.on('SIGHUP', () => {})
  return () => isSignalled
}
