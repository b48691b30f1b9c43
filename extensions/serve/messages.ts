import type { Worker } from 'node:cluster'

/** What a worker is told: to give way to a new one, to end now, or that nothing more comes for it. */
export type Order = 'retire' | 'close' | 'leave'

const ORDER = 'kolba.serve.order'
const LEAVE = 'kolba.serve.leave'
const ADDRESS = 'kolba.serve.address'

export function order(worker: Worker, what: Order): void {
  // One that is not there any more needs to be told nothing.
  if (worker.isConnected()) worker.send({ [ORDER]: what }, () => {})
}

/** The order in a message, which may be the program's own and hold none. */
export function orderIn(message: unknown): Order | undefined {
  return (Object(message) as Record<string, Order>)[ORDER]
}

/** Has a worker asked whether anything is on its way to it? */
export function wantsToLeave(message: unknown): boolean {
  return LEAVE in Object(message)
}

/**
 * Waits until nothing is on its way from the primary to this worker. It may have sent a connection before it has read
 * that the worker accepts no more; one that nobody sends back would be neither answered nor closed. What it has sent
 * arrives before its answer, and an answer that does not come in two seconds is not waited for.
 */
export function leave(): Promise<void> {
  return new Promise(resolve => {
    if (!process.connected) return resolve()
    const late = setTimeout(resolve, 2000)
    process.on('message', message => {
      if (orderIn(message) !== 'leave') return
      clearTimeout(late)
      resolve()
    })
    process.once('disconnect', resolve)
    process.send?.({ [LEAVE]: true }, () => {})
  })
}

export function tellAddress(address: number | string): void {
  process.send?.({ [ADDRESS]: address })
}

export function addressIn(message: unknown): number | string | undefined {
  return (Object(message) as Record<string, number | string>)[ADDRESS]
}
