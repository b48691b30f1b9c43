import type { Worker } from 'node:cluster'

/** What a worker is told: to give way to a new one, or to end now. */
export type Order = 'retire' | 'close'

const ORDER = 'kolba.serve.order'
const ADDRESS = 'kolba.serve.address'

export function order(worker: Worker, what: Order): void {
  // One that is not there any more needs to be told nothing.
  if (worker.isConnected()) worker.send({ [ORDER]: what }, () => {})
}

/** The order in a message, which may be the program's own and hold none. */
export function orderIn(message: unknown): Order | undefined {
  return (Object(message) as Record<string, Order>)[ORDER]
}

export function tellAddress(address: number | string): void {
  process.send?.({ [ADDRESS]: address })
}

export function addressIn(message: unknown): number | string | undefined {
  return (Object(message) as Record<string, number | string>)[ADDRESS]
}
