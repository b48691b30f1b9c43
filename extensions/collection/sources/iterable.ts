import type { PreparingSource, ReadSlice } from '../types.ts'
import { collecting } from './collect.ts'

/**
 * Async generators, streams of objects, cursors: in one pass that keeps no more rows than the page and what stands before
 * it, twice over. It is closed where the pass ends early: by an error, or because the client has gone.
 */
export const iterableSource: PreparingSource<AsyncIterable<unknown>> = {
  name: 'an async iterable',
  matches: value => typeof value === 'object' && value !== null && Symbol.asyncIterator in value,
  read: (rows, slice, counting, ctx) => iterableSource.prepare(slice, counting)(rows, ctx),
  prepare(slice, counting): ReadSlice<AsyncIterable<unknown>> {
    const begin = collecting(slice, counting)
    return async (rows, { signal }) => {
      const page = begin()
      for await (const row of rows) {
        signal.throwIfAborted()
        page.add([row])
      }
      return page.finish()
    }
  },
}
