import cluster, { type Worker } from 'node:cluster'
import { addressIn } from './messages.ts'

/** Names the port in the environment of a worker, where any was asked for and there was one already. */
export const PORT = 'KOLBA_SERVE_PORT'

export interface Starting {
  readonly worker: Worker
  /** Where it listens. It rejects with how it has ended instead. */
  readonly listening: Promise<number | string>
}

/** Starts a worker, with the code that is on disk now. */
export function start(seconds: number, env?: object): Starting {
  const worker = cluster.fork(env)
  const listening = new Promise<number | string>((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error(`a worker did not listen within ${seconds} s`))
      worker.process.kill('SIGKILL')
    }, seconds * 1000)
    const fail = (error: Error) => {
      clearTimeout(late)
      reject(error)
    }
    worker.on('message', message => {
      const address = addressIn(message)
      if (address === undefined) return
      clearTimeout(late)
      resolve(address)
    })
    worker.once('exit', (code, signal) => fail(new Error(`a worker ended ${howOf(code, signal)} before it listened`)))
    worker.on('error', fail)
  })
  return { worker, listening }
}

/** `with exit code 1`, `by SIGKILL` */
export function howOf(code: number | null, signal: string | null): string {
  return signal ? `by ${signal}` : `with exit code ${code}`
}
