import type { PageQuery, Paging } from '../query.ts'
import { addFault, type PageRole, type PageTerm, type Terms } from './terms.ts'

const MOST = 999_999_999
const CURSOR = 2048

/** What each kind of page is said by. */
export const ROLES: Readonly<Record<Paging, readonly PageRole[]>> = {
  page: ['page', 'size'],
  offset: ['offset', 'limit', 'end'],
  cursor: ['cursor', 'limit', 'size'],
}

export interface PageOptions {
  readonly paging: readonly Paging[]
  /** Where the request does not say it. */
  readonly perPage: number
  readonly maxPerPage: number
}

/** Which page is asked for: of the first kind that has all of these parameters. */
export function readPage(terms: Terms, { paging, perPage, maxPerPage }: PageOptions): PageQuery {
  const { page: given } = terms
  const kind = paging.find(kind => given.every(({ role }) => ROLES[kind].includes(role)))
  const odd = given.find(({ role }) => !ROLES[paging[0] as Paging].includes(role))
  if (!kind && odd) addFault(terms, odd.place, 'This does not go together with the other parameters of the page.')
  const [one, other] = given.filter(({ role }) => role === 'size' || role === 'limit' || role === 'end')
  if (one && other) addFault(terms, other.place, 'The size of the page is there twice. Send it once.')

  const size = readCount(terms, 'size', 1, maxPerPage) ?? readCount(terms, 'limit', 1, maxPerPage) ?? perPage
  // Of several ways at once only the first counts, where the client would rather have that than an error.
  if (kind === 'offset') {
    const offset = readCount(terms, 'offset', 0, MOST) ?? 0
    const end = readCount(terms, 'end', offset + 1, offset + maxPerPage)
    return { kind, offset, limit: end === undefined ? size : end - offset }
  }
  if (kind === 'cursor') return { kind, cursor: readCursor(terms), limit: size }
  if (kind === 'page') return { kind, page: readCount(terms, 'page', 1, MOST) ?? 1, perPage: size }
  return first(paging[0] as Paging, size)
}

function first(kind: Paging, size: number): PageQuery {
  if (kind === 'page') return { kind, page: 1, perPage: size }
  return kind === 'offset' ? { kind, offset: 0, limit: size } : { kind, limit: size }
}

function find({ page }: Terms, role: PageRole): PageTerm | undefined {
  return page.find(it => it.role === role)
}

function readCount(terms: Terms, role: PageRole, least: number, most: number): number | undefined {
  const term = find(terms, role)
  if (!term) return
  const { value, isText, place } = term
  const count = isText ? (/^\d{1,10}$/.test(String(value)) ? Number(value) : Number.NaN) : value
  if (Number.isSafeInteger(count) && (count as number) >= least && (count as number) <= most) return count as number
  addFault(terms, place, `Expected a whole number from ${least} to ${most}.`)
}

/** What is in it is for whoever made it to say. An empty one asks for the first page. */
function readCursor(terms: Terms): string | undefined {
  const term = find(terms, 'cursor')
  if (!term || term.value === '') return
  if (typeof term.value === 'string' && term.value.length <= CURSOR) return term.value
  addFault(terms, term.place, 'Expected a cursor, as the link to a page has it.')
}
