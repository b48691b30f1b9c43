import { existsSync, readFileSync } from 'node:fs'

const LINUX = '/proc/thread-self/schedstat'
const { threadCpuUsage } = process as { threadCpuUsage?: typeof process.cpuUsage }

/**
 * Milliseconds of the processor that this thread has had: what its event loop could do nothing else in, however much
 * other work the machine has. Node says it from 23.9 on, before that Linux; elsewhere it is that of all threads.
 */
export function threadTime(): number {
  if (!threadCpuUsage && existsSync(LINUX)) return Number(readFileSync(LINUX, 'utf8').split(' ', 1)[0]) / 1e6
  const { user, system } = (threadCpuUsage ?? process.cpuUsage).call(process)
  return (user + system) / 1000
}
