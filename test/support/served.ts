import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { root } from './root.js'

/** A line of the log, or, where it is none, what was printed. */
export interface Printed {
  readonly message: string
  readonly level?: 'info' | 'warn' | 'error'
  readonly pause?: number
  readonly failures?: number
  readonly routes?: readonly string[]
  readonly pid?: number
}

const all = new Set<Served>()
process.once('exit', () => {
  for (const served of all) served.killAll()
})

/** A program with `serve()` in processes of its own. */
export class Served {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: string | null }>
  readonly lines: Printed[] = []
  #read = 0
  #wake = () => {}

  constructor(command: string, args: readonly string[]) {
    const { NODE_OPTIONS, PORT, ...inherited } = process.env
    // A group of its own, to be signalled and cleared as one.
    this.child = spawn(command, args, {
      detached: true,
      env: { ...inherited, NO_COLOR: '1', NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }))
    for (const stream of [this.child.stdout, this.child.stderr]) this.#listen(stream as NodeJS.ReadableStream)
    this.child.once('close', () => this.#wake())
    all.add(this)
  }

  get pid(): number {
    return this.child.pid as number
  }

  /** The next line that says so, behind the one that was found before. */
  async line(pattern: RegExp): Promise<Printed> {
    for (;;) {
      while (this.#read < this.lines.length) {
        const line = this.lines[this.#read] as Printed
        this.#read += 1
        if (pattern.test(line.message)) return line
      }
      await this.#more(pattern)
    }
  }

  /** Waits until more is printed, as long as there is somebody who could, and for forty seconds at most. */
  async #more(pattern: RegExp): Promise<void> {
    const count = this.lines.length
    const missing = () => new Error(`No line has ${pattern} in:\n${this.text()}`)
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(missing()), 40_000)
      this.#wake = () => {
        clearTimeout(late)
        if (this.lines.length > count) resolve()
        else reject(missing())
      }
    })
  }

  has(pattern: RegExp): boolean {
    return this.lines.some(({ message }) => pattern.test(message))
  }

  text(): string {
    return this.lines.map(({ level = '', message }) => `${level} ${message}`).join('\n')
  }

  /** The port, when the workers listen. */
  async port(): Promise<number> {
    const { message } = await this.line(/workers listen on \d+/)
    return Number(/on (\d+)/.exec(message)?.[1])
  }

  killAll(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // All of them have ended.
    }
  }

  #listen(stream: NodeJS.ReadableStream): void {
    let rest = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines.map(toPrinted))
      this.#wake()
    })
  }
}

function toPrinted(line: string): Printed {
  return line.startsWith('{"time"') ? JSON.parse(line) : { message: line }
}

/** A folder with a program in it, which can be put in the place of another while that runs. */
export class Deployed {
  readonly folder: string
  #release = 0

  constructor(t: ExecutionContext) {
    // Within the repository, so that its programs find kolba.
    mkdirSync(join(root, 'build/served'), { recursive: true })
    this.folder = mkdtempSync(join(root, 'build/served/'))
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 }))
  }

  get file(): string {
    return join(this.folder, 'current', 'app.js')
  }

  /** Puts a program in place as deployments do: a folder of its own, and a link that leads there from now on. */
  deploy(text: string): this {
    this.#release += 1
    const release = join(this.folder, String(this.#release))
    mkdirSync(release)
    writeFileSync(join(release, 'app.js'), text)
    symlinkSync(release, `${release}.link`)
    renameSync(`${release}.link`, join(this.folder, 'current'))
    return this
  }

  /** Runs it, when not too many are running. */
  async run(t: ExecutionContext): Promise<Served> {
    await turn(t)
    const served = new Served(process.execPath, [this.file])
    t.teardown(() => served.killAll())
    return served
  }
}

const waiting: (() => void)[] = []
let free = 5

/** Each has three processes and more, so that all tests of a file at once would wait for each other. */
async function turn(t: ExecutionContext): Promise<void> {
  if (free === 0) await new Promise<void>(resolve => waiting.push(resolve))
  else free -= 1
  t.teardown(() => {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  })
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: http.IncomingHttpHeaders
}

/** A request, on a connection of its own unless there is an agent. */
export function get(port: number, path = '/', agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.setTimeout(30_000, () => request.destroy(new Error('There was no answer in 30 s.')))
  })
}

/** Asks until it gives what is true, for forty seconds at most. */
export async function until<T>(ask: () => T | Promise<T>): Promise<T> {
  for (const end = Date.now() + 40_000; ; await new Promise(resolve => setTimeout(resolve, 20))) {
    const value = await ask()
    if (value) return value
    if (Date.now() > end) throw new Error(`It has not come true in 40 s: ${ask}`)
  }
}

/** Is there anybody in the group of a program that is led by this process, or was? */
export function isGroupAlive(pid: number): boolean {
  return isAlive(-pid)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
