import { checkOptions, kinds } from '../../src/index.ts'
import { SOURCES } from './sources/index.ts'
import type { Source } from './types.ts'

/**
 * Adapts rows of another kind: a search engine, another query builder, an API of somebody else. Give what it returns to
 * `collection(resource, { sources: [yours] })`; it is asked before those that are built in.
 *
 * `matches` says whether a value that a handler has returned is of this kind, and must not run it. `read` gives the slice,
 * `{ rows, total, more }`: the rows that `where`, `search` and `after` let through, in `order`, from `offset`, at most
 * `limit`, each with the declared `fields` by their `name`; `total` where `counting` is not `'none'`; and `more` where it
 * is known without asking again.
 *
 * @throws TypeError for a missing name or function, and for an unknown option
 * @example
 * const search = defineSource<Search>({
 *   name: 'a search',
 *   matches: value => value instanceof Search,
 *   read: (search, slice) => search.run({ from: slice.offset, size: slice.limit, query: toQuery(slice.where) }),
 * })
 */
export function defineSource<S>(source: Source<S>): Source<S> {
  checkOptions('defineSource', source, { name: kinds.text, matches: kinds.function, read: kinds.function })
  for (const name of ['name', 'matches', 'read'] as const) {
    if (source?.[name] === undefined)
      throw new TypeError(`defineSource: ${name} is missing. Give { name, matches, read }.`)
  }
  return Object.freeze({ ...source })
}

/**
 * The source that a value which a handler has returned is read through: of those that the user has given, then of those
 * that are built in.
 *
 * @throws TypeError for a value that none of them takes
 */
export function chooseSource(value: unknown, extra: readonly Source<never>[] = []): Source<unknown> {
  const source = extra.find(it => it.matches(value)) ?? SOURCES.find(it => it.matches(value))
  if (source) return source as Source<unknown>
  const own = extra.map(({ name }) => `${name}, `).join('')
  const takes = `${own}a Kysely or Knex query that has not run, a list, an iterable or an async iterable`
  throw new TypeError(
    `collection: the handler returned ${describe(value)}, which has no rows to choose from. Return ${takes}.`,
  )
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  const { constructor: made } = value as { constructor?: { name?: string } }
  return made?.name && made !== Object ? `a value of the class ${made.name}` : 'an object'
}
