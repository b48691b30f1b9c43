import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const FILE = join(import.meta.dirname, 'server.js')

/** A process that is started again whenever it was killed. */
class Server {
  url: string | undefined
  readonly #env: Readonly<Record<string, string>>
  readonly #mayGiveUp: boolean
  readonly #fell: (why: string) => void
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(env: Readonly<Record<string, string>>, mayGiveUp: boolean, fell: (why: string) => void) {
    this.#env = env
    this.#mayGiveUp = mayGiveUp
    this.#fell = fell
  }

  start(): void {
    const child = spawn(process.execPath, [FILE], {
      env: { ...process.env, ...this.#env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let printed = ''
    child.stderr?.setEncoding('utf8').on('data', text => {
      printed = (printed + text).slice(-5000)
    })
    child.on('message', port => {
      if (child === this.#child) this.url = `http://127.0.0.1:${port}`
    })
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') return
      const wasUp = this.isUp
      this.url = undefined
      // One that finds no store gives up, and is started again as whatever looks after it would.
      if (!wasUp && this.#mayGiveUp && child === this.#child) return void setTimeout(() => this.#again(child), 100)
      this.#fell(`A server ended by itself, with ${signal ?? code}. It printed:\n${printed}`)
    })
    this.#child = child
    this.#ended = once(child, 'exit')
  }

  #again(child: ChildProcess): void {
    if (child === this.#child) this.start()
  }

  get isUp(): boolean {
    return this.url !== undefined
  }

  async kill(): Promise<void> {
    this.url = undefined
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
    await this.#ended
  }

  /** Stands still for so many milliseconds, as a machine that sleeps. It may have been killed meanwhile. */
  async stop(milliseconds: number): Promise<void> {
    const child = this.#child
    child?.kill('SIGSTOP')
    await sleep(milliseconds)
    child?.kill('SIGCONT')
  }
}

/** The servers of a round. */
export class Servers {
  readonly all: readonly Server[]
  /** Those that ended without being killed, with what they printed. */
  readonly fallen: string[] = []
  #turn = 0

  /** @param mayGiveUp may they end where they find no store when they start? */
  constructor(count: number, env: Readonly<Record<string, string>>, mayGiveUp: boolean) {
    const fell = (why: string) => this.fallen.push(why)
    this.all = Array.from({ length: count }, () => new Server(env, mayGiveUp, fell))
    for (const server of this.all) server.start()
  }

  /** Where one listens, one after another. @throws Error where none does for a minute */
  async url(): Promise<string> {
    const end = performance.now() + 60_000
    while (performance.now() < end) {
      this.#turn += 1
      const { url } = this.all[this.#turn % this.all.length] as Server
      if (url) return url
      await sleep(10)
      if (this.fallen.length > 0) break
    }
    throw new Error(`No server listens. ${this.fallen.join('\n')}`)
  }

  /** Kills all, and starts others. */
  async renew(): Promise<void> {
    await this.end()
    for (const server of this.all) server.start()
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map(server => server.kill()))
  }
}
