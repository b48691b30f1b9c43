import type { Source } from '../types.ts'
import { collector } from './collect.ts'

/**
 * Async generators, streams of objects, cursors: in one pass that keeps no more rows than the page and what stands before
 * it. It is closed where the pass ends early: by an error, or because the client has gone.
 */
export const iterableSource: Source<AsyncIterable<unknown>> = {
  name: 'an async iterable',
  matches: value => typeof value === 'object' && value !== null && Symbol.asyncIterator in value,
  async read(rows, slice, counting, { signal }) {
    const { add, finish } = collector(slice, counting)
    for await (const row of rows) {
      signal.throwIfAborted()
      add(row)
    }
    return finish()
  },
}
