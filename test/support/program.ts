import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'

const freePort = new URL('./free-port.js', import.meta.url).href

export interface ProgramOptions {
  env?: Readonly<Record<string, string>>
  /** Another Node to run it with. @default the one of the tests */
  node?: string
  /** Waits until it sends 'done', though it may listen before. @default false */
  untilDone?: boolean
  /** Seconds until it must listen or have ended. @default 30 */
  seconds?: number
}

/** A program that runs in a process of its own, and that listens, has said that it is done, or has ended. */
export interface Program {
  /** The exit code, or undefined while it runs. */
  code: number | undefined
  /** What it has printed, with the ports that it asked for in place of those it got. */
  printed(): string
  /** A text with the ports that it got in place of those it asked for. */
  real(text: string): string
  /** A text with the ports that it asked for in place of those it got. */
  written(text: string): string
  stop(): Promise<void>
}

/** Starts a file, and waits until it listens, sends 'done', or ends. Its ports are replaced by free ones. */
export async function startProgram(file: string, options: ProgramOptions = {}): Promise<Program> {
  const { NODE_ENV, PORT, NODE_OPTIONS, ...inherited } = process.env
  const child = spawn(options.node ?? process.execPath, ['--import', freePort, file], {
    cwd: dirname(file),
    env: { ...inherited, NO_COLOR: '1', NODE_NO_WARNINGS: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ports = new Map<number, number>()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const ended = once(child, 'close')
  const program: Program = {
    code: undefined,
    printed: () => program.written(output),
    real: text => swap(text, [...ports]),
    written: text =>
      swap(
        text,
        [...ports].map(([asked, got]) => [got, asked]),
      ),
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
  const { seconds = 30 } = options
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`It neither listened nor ended in ${seconds} s. It printed:\n${output}`))
    }, seconds * 1000)
    const go = () => {
      clearTimeout(late)
      resolve()
    }
    child.on('message', message => {
      if (message === 'done') return go()
      const { asked, got } = message as { asked: number; got: number }
      ports.set(asked, got)
      if (!options.untilDone) go()
    })
    child.on('close', (code, signal) => {
      program.code = code ?? (signal ? 1 : 0)
      go()
    })
    child.on('error', reject)
  })
  return program
}

function swap(text: string, ports: [number, number][]): string {
  return ports.reduce((text, [from, to]) => text.replaceAll(new RegExp(`:${from}\\b`, 'g'), `:${to}`), text)
}
