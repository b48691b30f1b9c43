import { bullmq, type Engine, memory, sqlite } from 'kolba/jobs'

export type EngineName = 'memory' | 'sqlite' | 'bullmq'

/** The engine by its name, and what it is given: nothing, a file, or a URL. */
export function engineOf(name: EngineName, place: string): Engine {
  return { memory: () => memory(), sqlite: () => sqlite(place), bullmq: () => bullmq(place) }[name]()
}
