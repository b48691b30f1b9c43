import { availableParallelism } from 'node:os'
import { checkOptions, type Kind, kinds } from '../../src/index.ts'

export interface ServeOptions {
  /** How many processes answer. One is worth it too, for reloads and restarts. @default one for each processor */
  workers?: number
  /** The port, 0 for any that is free, or the path of a socket. @default 3000 */
  port?: number | string
  /** The address to listen at. @default all of this machine */
  host?: string
  /** Seconds in which a worker has to listen, start hooks included. @default 30 */
  startTimeout?: number
  /** Seconds beyond `timeouts.drain` after which a worker that is to end is killed. @default 5 */
  grace?: number
  /** How long a worker that has ended by itself is waited for, in seconds. */
  backoff?: Backoff
  /** Decorators that may keep something in each worker for itself, so that the log does not warn of them: `['cached']`. */
  perWorker?: readonly string[]
}

export interface Backoff {
  /** The pause at first. It doubles each time, and up to half of it, by chance, is left out. @default 0.2 */
  first?: number
  /** The longest pause. @default 30 */
  longest?: number
  /** A worker that has listened for so long begins at first again. @default 30 */
  reset?: number
}

/** The options with their defaults. */
export interface Settings extends Required<Omit<ServeOptions, 'host' | 'backoff'>> {
  readonly host: string | undefined
  readonly backoff: Required<Backoff>
}

const workers: Kind = {
  words: 'a whole number from 1',
  test: value => kinds.count.test(value) && (value as number) > 0,
}
const port: Kind = {
  words: 'a port from 0 to 65535, or the path of a socket',
  test: value =>
    typeof value === 'string' && !/^\d+$/.test(value)
      ? /[/\\]/.test(value)
      : value !== '' && kinds.count.test(Number(value)) && Number(value) < 65_536,
}

export const OPTIONS: Record<keyof ServeOptions, Kind> = {
  workers,
  port,
  host: kinds.text,
  startTimeout: kinds.seconds,
  grace: kinds.seconds,
  backoff: kinds.object,
  perWorker: kinds.texts,
}

/** @throws TypeError for a wrong pause */
export function settingsOf(options: ServeOptions): Settings {
  const { workers = availableParallelism(), port = 3000, host, startTimeout = 30, grace = 5, perWorker = [] } = options
  const { seconds } = kinds
  checkOptions('serve backoff', options.backoff, { first: seconds, longest: seconds, reset: seconds })
  const { first = 0.2, longest = 30, reset = 30 } = options.backoff ?? {}
  if (first > longest)
    throw new TypeError(`serve backoff: first is ${first} and longest ${longest}. Give a longest that is not shorter.`)
  // A port from the environment is text.
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port
  return { workers, port: number, host, startTimeout, grace, perWorker, backoff: { first, longest, reset } }
}
