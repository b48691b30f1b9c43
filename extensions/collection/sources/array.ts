import type { PreparingSource, ReadSlice } from '../types.ts'
import { collecting } from './collect.ts'

/**
 * Lists, sets, `map.values()` and whatever else can be gone through: in one pass, at most once. Only own properties of a
 * row are read. 100,000 rows take some ten milliseconds, in which nothing else runs: what is larger belongs in a database.
 */
export const arraySource: PreparingSource<Iterable<unknown>> = {
  name: 'a list',
  matches: value =>
    isObject(value) && Symbol.iterator in value && !ArrayBuffer.isView(value) && !(value instanceof Map),
  read: (rows, slice, counting, ctx) => arraySource.prepare(slice, counting)(rows, ctx),
  prepare(slice, counting): ReadSlice<Iterable<unknown>> {
    const begin = collecting(slice, counting)
    return rows => {
      const page = begin()
      if (Array.isArray(rows)) page.add(rows)
      else for (const row of rows) page.add([row])
      return page.finish()
    }
  },
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
