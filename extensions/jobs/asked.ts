import { type Problem, problem } from '../../src/index.ts'
import type { Engine } from './engine.ts'
import type { Work } from './work.ts'

/**
 * What the engine says to a request.
 *
 * @param where what the log says that it was for
 * @throws Problem 503 where the engine fails, which may pass
 */
export async function asked<T>(work: Work, where: string, ask: (engine: Engine) => Promise<T>): Promise<T> {
  try {
    await work.ready()
    return await ask(work.engine)
  } catch (cause) {
    throw engineFailure(work, where, cause)
  }
}

export function engineFailure({ engine }: Work, where: string, cause: unknown): Problem {
  const detail = `${where}: the engine ${engine.name} failed, so that nothing was done. See the cause.`
  return problem(503, { detail, headers: { 'Retry-After': '5' } }, { cause })
}
