import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'

const all = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of all) child.kill('SIGKILL')
})

/** Where a program's output goes. */
type Printing = (chunk: Buffer, stream: 'stdout' | 'stderr') => void

/**
 * Starts a program with a channel for messages, which is killed with this process. What it prints, this process prints:
 * were it handed ava's own pipe, as `fork` does, ava would wait without an end for a program that outlives its test.
 *
 * @param print takes what it prints in place of this process
 */
export function forked(
  program: string | URL,
  args: readonly string[] = [],
  options: ForkOptions = {},
  print: Printing = (chunk, stream) => void process[stream].write(chunk),
): ChildProcess {
  const child = fork(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  for (const stream of ['stdout', 'stderr'] as const) child[stream]?.on('data', chunk => print(chunk, stream))
  all.add(child)
  child.once('exit', () => all.delete(child))
  return child
}
