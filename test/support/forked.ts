import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'

const all = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of all) child.kill('SIGKILL')
})

/**
 * Starts a program with a channel for messages, which is killed with this process. What it prints, this process prints:
 * were it handed ava's own pipe, as `fork` does, ava would wait without an end for a program that outlives its test.
 */
export function forked(program: string | URL, args: readonly string[] = [], options: ForkOptions = {}): ChildProcess {
  const child = fork(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  child.stdout?.on('data', chunk => process.stdout.write(chunk))
  child.stderr?.on('data', chunk => process.stderr.write(chunk))
  all.add(child)
  child.once('exit', () => all.delete(child))
  return child
}
