import type { Settings } from './options.ts'
import { extentOf, selectableOf } from './page.ts'
import { type Linking, linking } from './page-links.ts'
import type { PageWords } from './page-words.ts'
import type { Query } from './query.ts'
import type { Resource } from './resource.ts'
import type { Counting, Field, PreparingSource, ReadSlice, Slice, Source } from './types.ts'

/** A query with all that follows from it and from nothing else, so that it may be kept for whoever asks the same. */
export interface Prepared {
  readonly query: Query
  /** What is read; of a walk, where it begins. */
  readonly slice: Slice
  readonly counting: Counting
  /** The names of what leaves of a row, in their order. */
  readonly names: readonly string[]
  /** Is that all that is read, in the same order? */
  readonly isWhole: boolean
  /** What a source reads the slice by. */
  readerOf(source: Source): ReadSlice
  /** The links of the page that is asked for by number or offset. */
  readonly links: Linking
}

/** What of a route a query is prepared for. */
export interface Preparing {
  readonly resource: Resource
  readonly isPaged: boolean
  readonly settings: Settings
  readonly words: PageWords
}

export function prepare(query: Query, { resource, isPaged, settings, words }: Preparing): Prepared {
  const { order, expand, page } = query
  const { where, search } = query.filter
  const { offset, limit } = isPaged ? extentOf(page) : { offset: 0, limit: Number.MAX_SAFE_INTEGER }
  const selected = query.fields ?? selectableOf(resource)
  const fields = fieldsOf(selected, resource, query)
  // Whoever adapts a source is given the same slice for the next request.
  const slice = frozen({ where, search, order, offset, limit, fields })
  const counting = isPaged ? settings.count(page.kind) : 'none'
  let last: { readonly source: Source; readonly read: ReadSlice } | undefined

  return {
    query,
    slice,
    counting,
    names: [...new Set([...selected.map(({ name }) => name), ...expand.map(([name]) => name as string)])],
    isWhole: expand.length === 0 && selected.length === fields.length,
    readerOf(source) {
      if (last?.source !== source) last = { source, read: readerOf(source, slice, counting) }
      return last.read
    },
    links: linking(words, page),
  }
}

function readerOf(source: Source, slice: Slice, counting: Counting): ReadSlice {
  if (isPreparing(source)) return source.prepare(slice, counting)
  return (value, ctx) => source.read(value, slice, counting, ctx)
}

/** Is it one of ours, whose rows have the fields of the slice and nothing else? */
export function isPreparing(source: Source): source is PreparingSource {
  return 'prepare' in source
}

/** What leaves, what a cursor holds, and what relations are found by. */
function fieldsOf(selected: readonly Field[], { key, relations }: Resource, { order, expand }: Query): Field[] {
  const from = expand.map(([name]) => relations.get(name as string)?.from as Field)
  return [...new Set([...selected, key, ...order.map(({ field }) => field), ...from])]
}

function frozen(slice: Slice): Slice {
  for (const { values } of slice.where) Object.freeze(values)
  for (const list of [slice.where, slice.order]) for (const it of list) Object.freeze(it)
  if (slice.search) Object.freeze(slice.search)
  for (const list of [slice.where, slice.order, slice.fields]) Object.freeze(list)
  return Object.freeze(slice)
}
