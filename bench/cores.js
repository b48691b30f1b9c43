import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

export const SERVER = 1
export const LOAD = 0

/** A command that keeps to one core, where `taskset` is there to see to it. */
export function onCore(core, command) {
  return canPin ? ['taskset', '-c', String(core), ...command] : command
}

/** Keeps this process, which makes the load, to a core; what it starts says its own. */
export function keepTo(core) {
  if (canPin) spawnSync('taskset', ['-acp', String(core), String(process.pid)])
}
