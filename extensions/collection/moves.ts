import { type Problem, problem } from '../../src/index.ts'
import type { Cursors, Position } from './cursor.ts'
import { extentOf, type Page } from './page.ts'
import type { PageQuery, Query } from './query.ts'

/** The pages around one, by relation (RFC 8288, IANA's registry): those that there are. */
export type Moves = Partial<Record<'first' | 'prev' | 'next' | 'last', PageQuery>>

/** The pages around one that was asked for by number or offset. */
export function movesOf(query: PageQuery, page: Page): Moves {
  const { offset, limit } = extentOf(query)
  const to = (offset: number): PageQuery =>
    query.kind === 'page' ? { ...query, page: offset / limit + 1 } : { kind: 'offset', offset, limit }
  const { total, isEstimate, more } = page
  // From an offset that is between pages one comes to the last rows in steps of whole pages.
  const last = total === undefined ? undefined : offset + Math.floor(Math.max(0, total - 1 - offset) / limit) * limit
  return {
    first: to(0),
    ...(offset > 0 && { prev: to(Math.max(0, offset - limit)) }),
    ...(more && { next: to(offset + limit) }),
    ...(last !== undefined && !isEstimate && { last: to(last) }),
  }
}

/** A walk by cursor: where it stands, and what it is an answer to. */
export interface Walk {
  readonly position?: Position | undefined
  readonly question: string
  readonly cursors: Cursors
}

/** The pages around one of a walk. Where rows have gone since, there may be nothing on them. */
export function cursorMovesOf(query: Query, page: Page, { position, question, cursors }: Walk): Moves {
  const limit = query.page.kind === 'page' ? query.page.perPage : query.page.limit
  const to = (cursor: string | undefined): PageQuery => ({ kind: 'cursor', cursor, limit })
  const { rows, more } = page
  const from = (index: 0 | -1, isBackward: boolean) => {
    const values = page.valuesAt(index)
    // A page that is empty has all rows on its other side.
    if (!values && !isBackward) return to(undefined)
    const cursor = cursors.write({ isBackward, values }, question)
    if (cursor === undefined) throw tooLong(query)
    return to(cursor)
  }
  const isBackward = position?.isBackward === true
  const hasPrev = isBackward ? more : position !== undefined
  const hasNext = isBackward ? position?.values !== undefined : more
  return {
    first: to(undefined),
    ...(hasPrev && { prev: from(0, true) }),
    ...(hasNext && { next: from(-1, false) }),
    ...((rows.length > 0 || hasPrev) && { last: to(cursors.write({ isBackward: true }, question)) }),
  }
}

/** @throws Problem where it is the client's order that no cursor can hold, or else the error of whoever declared it */
function tooLong({ order, isOrdered }: Query): Problem | Error {
  const names = order.map(({ field }) => field.name).join(', ')
  const what = `A row has more text in ${names} than a cursor holds`
  if (!isOrdered) return new RangeError(`collection: ${what}. Give the resource another sort, or page by number.`)
  const detail = `${what}. Sort by something shorter.`
  return problem(400, { detail, errors: [{ parameter: 'sort', detail }] })
}
