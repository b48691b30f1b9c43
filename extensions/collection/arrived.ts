import { types } from 'node:util'
import { isPromise } from '../../src/index.ts'
import { SOURCES } from './sources/index.ts'
import type { Source } from './types.ts'

/**
 * Goes on with what a function of the user's gave, when it is there. A Knex query is a thenable that runs when somebody
 * waits for it, so what a source takes is not waited for.
 */
export function arrived<R>(value: unknown, extra: readonly Source<never>[], go: (value: unknown) => R) {
  const isWaitedFor = types.isPromise(value) || (isPromise(value) && !isSource(value, extra))
  return isWaitedFor ? value.then(go) : go(value)
}

/** Is there a source that takes it? */
export function isSource(value: unknown, extra: readonly Source<never>[]): boolean {
  return [...extra, ...SOURCES].some(it => it.matches(value))
}
