import { type AroundContext, headerOn } from '../../src/index.ts'
import { cursorMovesOf, type Moves, movesOf } from './moves.ts'
import type { Settings } from './options.ts'
import { extentOf, type Page } from './page.ts'
import { linksOf } from './page-links.ts'
import { pageMembers } from './page-words.ts'
import type { Asked, Plan } from './plan.ts'
import type { PageQuery } from './query.ts'
import type { Row } from './types.ts'

/** What is known of a page beside the JSON that it becomes: for those above that add to it. */
export interface PageDetails {
  /** The rows with all that was read of them, in the order of the items. */
  readonly rows: readonly Row[]
  /** The rows as they leave. */
  readonly items: readonly Row[]
  /** The name of the list in the body, `items`; undefined for a bare list. */
  readonly name?: string | undefined
  readonly meta?: Readonly<Record<string, unknown>> | undefined
  /** Absolute URLs by relation: self, first, prev, next, last. None for QUERY. */
  readonly links?: Readonly<Record<string, string>> | undefined
}

const details: unique symbol = Symbol('kolba.collection.page') as never

/** Keeps what is known of a body beside it, where no JSON has it. */
export function withDetails<T extends object>(body: T, its: PageDetails): T {
  return Object.defineProperty(body, details, { value: its })
}

/** What is known of a body that a collection has made; undefined for any other value. */
export function detailsOf(body: unknown): PageDetails | undefined {
  return typeof body === 'object' && body !== null ? (body as { [details]?: PageDetails })[details] : undefined
}

/** The rows of a body with all that was read of them, the key among it; undefined for what no collection has made. */
export function rowsOf(body: unknown): readonly Row[] | undefined {
  return detailsOf(body)?.rows
}

/** A page that was read, and its rows as they leave. */
export interface Projected extends Page {
  readonly items: readonly Row[]
}

/** The body of a page, its headers on ctx. */
export function bodyOf(ctx: AroundContext, page: Projected, asked: Asked, { settings, words }: Plan): object {
  const { prepared, walk } = asked
  const { query } = prepared
  const { rows, items } = page
  const name = settings.name || undefined
  const meta = metaOf(query.page, page)
  if (ctx.method === 'QUERY') {
    sendCounts(ctx, page, query.page, settings)
    const moves = walk ? cursorMovesOf(query, page, walk) : movesOf(query.page, page)
    const its = { rows, items, name, meta }
    return name ? withDetails({ [name]: items, meta, queries: queriesOf(moves) }, its) : withDetails([...items], its)
  }
  const found = walk ? linksOf(ctx, cursorMovesOf(query, page, walk), words) : prepared.links(ctx, page)
  if (found.header) addLink(ctx, found.header)
  sendCounts(ctx, page, query.page, settings)
  // Its own for each answer: those above may add to it.
  const links = { ...found.links }
  const its = { rows, items, name, meta, links }
  return name ? withDetails({ [name]: items, meta, links }, its) : withDetails([...items], its)
}

function addLink(ctx: AroundContext, header: string): void {
  if (headerOn(ctx, 'Link') === undefined) ctx.set('Link', header)
  else ctx.append('Link', header)
}

function metaOf(query: PageQuery, { total, isEstimate }: Page): Readonly<Record<string, unknown>> {
  if (query.kind === 'page' && total !== undefined && !isEstimate)
    return { page: query.page, per_page: query.perPage, total, pages: Math.ceil(total / query.perPage) }
  const counted = total !== undefined && { total, ...(isEstimate && { estimated: true }) }
  if (query.kind === 'offset') return { offset: query.offset, limit: query.limit, ...counted }
  if (query.kind === 'cursor') return { limit: query.limit, ...counted }
  return { page: query.page, per_page: query.perPage, ...counted }
}

/**
 * The moves of a QUERY. A link can be followed with GET alone, and the answer to a QUERY is the content of the request as
 * well (RFC 10008): so these are the members to write into the next content, in place of those of this kind.
 */
function queriesOf(moves: Moves): Record<string, object> {
  const all = Object.entries(moves).map(([relation, page]) => [relation, pageMembers(page)])
  return Object.fromEntries(all)
}

function sendCounts(
  ctx: AroundContext,
  { rows, total }: Page,
  query: PageQuery,
  { totalHeader, unit }: Settings,
): void {
  if (totalHeader && total !== undefined) ctx.set('X-Total-Count', String(total))
  if (!unit || query.kind === 'cursor') return
  const { offset } = extentOf(query)
  const range = rows.length > 0 ? `${offset}-${offset + rows.length - 1}` : '*'
  ctx.set('Content-Range', `${unit} ${range}/${total ?? '*'}`)
}
