import type { Server } from 'node:http'
import { closeOnSignal, drain } from './server.ts'

type Hook = () => unknown

/** The life of an app: what runs before it answers, where it listens, and how it ends. */
export class Lifecycle {
  readonly #starts: Hook[] = []
  readonly #drains: Hook[] = []
  readonly #stops: Hook[] = []
  readonly #inner: Lifecycle[] = []
  readonly #servers = new Set<Server>()
  /** Is the app mounted on another, which starts and ends it? */
  isInner = false
  /** Does it work without a server? */
  isWorker = false
  #started: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #ignoreSignals: (() => void) | undefined
  #going: NodeJS.Timeout | undefined
  readonly #log: (error: unknown) => void

  /** @param log tells of a start hook that fails when nobody waits for it any more */
  constructor(log: (error: unknown) => void) {
    this.#log = log
  }

  onStart(hook: Hook): void {
    if (this.#started) throw new TypeError('onStart: the app has started already. Register the hook before.')
    this.#starts.push(hook)
  }

  onDrain(hook: Hook): void {
    this.#drains.push(hook)
  }

  onStop(hook: Hook): void {
    this.#stops.push(hook)
  }

  /** Takes along the life of an app that is mounted on this one. */
  adopt(inner: Lifecycle): void {
    inner.isInner = true
    this.#inner.push(inner)
    if (this.#started) this.#started = this.#started.then(() => inner.start())
  }

  /** Runs the start hooks in order, once, those of mounted apps last, unless the app is closed meanwhile. */
  start(): Promise<void> {
    this.#started ??= this.#runAll([...this.#starts, ...this.#inner.map(inner => () => inner.start())])
    return this.#started
  }

  async #runAll(hooks: Hook[]): Promise<void> {
    for (const hook of hooks) if (!this.#closed) await hook()
  }

  /** Starts the app and then the server. With no hooks it listens at once, as a Koa app does. */
  listen(server: Server, args: unknown[], close?: () => Promise<void>): Server {
    checkAddress(args[0])
    if (this.#closed) throw new TypeError('listen: the app has been closed. Make another one.')
    this.#servers.add(server)
    server.once('close', () => this.#servers.delete(server))
    if (close) this.#ignoreSignals ??= closeOnSignal(close)
    server.on('error', error => explain(error, server))
    const listen = () => server.listen(...(args as []))
    if (!this.#hasStarts()) return listen()
    this.start().then(
      () => void (this.#closed ?? listen()),
      error => void (this.#closed ? this.#log(error) : server.emit('error', error)),
    )
    return server
  }

  /** Starts the app without a server, and keeps the process going until the app is closed. */
  async work(close?: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new TypeError('work: the app has been closed. Make another one.')
    this.isWorker = true
    if (close) this.#ignoreSignals ??= closeOnSignal(close)
    this.#going ??= setInterval(() => {}, 2 ** 30)
    try {
      await this.start()
    } catch (error) {
      if (this.#closed) return this.#log(error)
      this.#letGo()
      throw error
    }
  }

  #letGo(): void {
    clearInterval(this.#going)
    this.#ignoreSignals?.()
  }

  #hasStarts(): boolean {
    return this.#starts.length > 0 || this.#inner.some(inner => inner.#hasStarts())
  }

  /** Ends the servers, and what goes on beside them, then runs the stop hooks, the last registered first; once. */
  close(seconds: number): Promise<void> {
    this.#closed ??= this.#close(seconds)
    return this.#closed
  }

  async #close(seconds: number): Promise<void> {
    const drains = [...[...this.#servers].map(server => () => drain(server, seconds)), ...this.#allDrains()]
    const inner = this.#inner.map(inner => () => inner.close(seconds))
    const begun = () => inTime(this.#started, seconds)
    try {
      await endAll([() => endTogether(drains), begun, ...inner.reverse(), ...this.#stops.reverse()])
    } finally {
      this.#letGo()
    }
  }

  #allDrains(): Hook[] {
    const own = this.#drains.splice(0)
    return [...own, ...this.#inner.flatMap(inner => inner.#allDrains())]
  }
}

/** Waits for what a start hook is at, so that the stop hooks find what it opens. That it fails, who started the app hears. */
async function inTime(started: Promise<void> | undefined, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>(resolve => {
    timer = setTimeout(resolve, seconds * 1000)
  })
  await Promise.race([Promise.allSettled([started]), over])
  clearTimeout(timer)
}

/** One that fails does not keep the others from running. */
async function endAll(hooks: Hook[]): Promise<void> {
  const errors: unknown[] = []
  for (const hook of hooks) {
    try {
      await hook()
    } catch (error) {
      errors.push(...(error instanceof Ends ? error.errors : [error]))
    }
  }
  if (errors.length > 1) throw new AggregateError(errors, `onStop: ${errors.length} hooks failed. See errors.`)
  if (errors.length > 0) throw errors[0]
}

async function endTogether(hooks: Hook[]): Promise<void> {
  const ends = await Promise.allSettled(hooks.map(async hook => hook()))
  const errors = ends.flatMap(end => (end.status === 'rejected' ? [end.reason] : []))
  if (errors.length > 0) throw new Ends(errors)
}

/** What has failed at the same time. */
class Ends extends AggregateError {}

/** Node makes a file of whatever text is no number, which a port that is mistyped should not become. */
function checkAddress(first: unknown): void {
  if (typeof first !== 'string' || /^\d+$/.test(first) || /[/\\]/.test(first)) return
  throw new TypeError(`listen: ${JSON.stringify(first)} is no port. Give a number, or the path of a socket.`)
}

/** Ends the program with a sentence where nobody else listens to the server's errors, as Node would with a dump. */
function explain(error: NodeJS.ErrnoException & { port?: number }, server: Server): void {
  if (server.listenerCount('error') > 1) return
  if (error.code !== 'EADDRINUSE') throw error
  throw new Error(`listen: port ${error.port} is in use. Stop what uses it, or choose another.`, { cause: error })
}
