import { among, type BaseContext, checkOptions, type Kind, kinds } from '../../src/index.ts'
import { CURSOR_OPTIONS } from './cursor.ts'
import type { Paging, Part, StyleName } from './query.ts'
import type { Counting, Source } from './types.ts'

/** What all parts of a collection take. */
export interface CommonOptions {
  /** In which language clients ask. @default 'default' */
  style?: StyleName
  /** Query parameters that somebody else reads. Those that other decorators declare need not be named. @default none */
  ignore?: readonly string[]
  /** Where else rows come from, each made by `defineSource()`. @default arrays, iterables, Kysely, Knex */
  sources?: readonly Source<never>[]
}

/** What `paginate()` takes. */
export interface PaginateOptions<Needs = unknown> extends CommonOptions {
  /**
   * How pages are asked for. Of several the first is the default, and the others are chosen by their parameters.
   *
   * @default 'page'; 'offset' with the styles react-admin and json-server
   */
  paging?: Paging | readonly Paging[]
  /** Rows of a page. @default 20, or `maxPerPage` where that is less */
  perPage?: number
  /** What a client may ask for at most. @default 100, or `perPage` where that is more */
  maxPerPage?: number
  /**
   * Whether all rows are counted that the filter lets through: exactly, as the database guesses, or not.
   *
   * @default 'exact'; 'none' for a walk by cursor
   */
  count?: Counting
  /** The name of the list in the body, or false for a body that is the list. @default 'items'; false with the styles react-admin and json-server */
  name?: string | false
  /** Sends `X-Total-Count`, where rows are counted. @default false; true with the style json-server */
  totalHeader?: boolean
  /** Sends `Content-Range: items 0-24/319`, with another unit where that is given. @default false; true with the style react-admin */
  contentRange?: boolean | string
  /** What cursors are signed with, at least 32 bytes. Of several the first signs, and all are believed. @default the app's `keys` where they are that long, else a key that ends with the process */
  secret?: string | readonly string[]
  /** Seconds that a cursor lives, or up to a tenth more. @default for ever */
  cursorTtl?: number
  /** Who a cursor is for; nobody else can use it. @default the `id` or `sub` of `ctx.user`, else all of it, else everybody */
  principal?: (ctx: BaseContext & Needs) => string | undefined
}

/** What `expand()` takes. */
export interface ExpandOptions extends CommonOptions {
  /** How many relations deep: `customer.country` is two. @default 2 */
  depth?: number
}

/** What `collection()` takes. */
export interface CollectionOptions<Needs = unknown> extends PaginateOptions<Needs>, ExpandOptions {}

/** All that may be said of a route, by whichever part. */
export type PlanOptions = CollectionOptions<never>

const pagings: readonly unknown[] = ['page', 'offset', 'cursor']
const paging: Kind = {
  words: `one of "page", "offset" and "cursor", or a list of them`,
  test: value => {
    const all = [value].flat()
    return all.length > 0 && all.every(it => pagings.includes(it)) && new Set(all).size === all.length
  },
}
const size: Kind = {
  words: 'a whole number from 1 to 10000',
  test: value => Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= 10_000,
}
const name: Kind = {
  words: 'a name other than meta, links and queries, or false',
  test: value => value === false || (kinds.text.test(value) && !['meta', 'links', 'queries'].includes(value as string)),
}
const unit: Kind = {
  words: 'true, false or a unit, which is a token of RFC 9110',
  test: value => typeof value === 'boolean' || (typeof value === 'string' && /^[!#$%&'*+.^`|~\w-]+$/.test(value)),
}
const sources: Kind = {
  words: 'a list of what defineSource() gives',
  test: value =>
    Array.isArray(value) && value.every(it => typeof it?.matches === 'function' && typeof it.read === 'function'),
}
const COMMON = {
  style: among('default', 'classic', 'jsonapi', 'react-admin', 'json-server'),
  ignore: kinds.texts,
  sources,
}
const PAGE = {
  paging,
  perPage: size,
  maxPerPage: size,
  count: among('exact', 'estimated', 'none'),
  name,
  totalHeader: kinds.flag,
  contentRange: unit,
  ...CURSOR_OPTIONS,
  principal: kinds.function,
}
const EXPAND = { depth: { words: 'a whole number from 1 to 10', test: size.test } }

/** @throws TypeError for an option that no part of these takes, or of a wrong kind */
export function checkPlanOptions(where: string, parts: readonly Part[], options: PlanOptions): void {
  const known = { ...COMMON, ...(parts.includes('page') && PAGE), ...(parts.includes('expand') && EXPAND) }
  checkOptions(where, options, known)
  const { perPage = 1, maxPerPage = perPage } = options
  if (perPage > maxPerPage)
    throw new TypeError(`${where}: perPage is ${perPage}, and maxPerPage is ${maxPerPage}. Let it be as much at least.`)
}

/** The same with all defaults, those of the style among them. */
export interface Settings {
  readonly style: StyleName
  readonly paging: readonly Paging[]
  readonly perPage: number
  readonly maxPerPage: number
  readonly name: string | false
  readonly totalHeader: boolean
  readonly unit: string | undefined
  /** Clients with a table ask for the last page again after its last row has gone, and want to see that. */
  readonly mayBeBeyond: boolean
  readonly depth: number
  readonly sources: readonly Source<never>[]
  count(kind: Paging): Counting
}

export function settingsOf(options: PlanOptions): Settings {
  const { style = 'default', count, contentRange = style === 'react-admin' } = options
  const isFlat = style === 'react-admin' || style === 'json-server'
  const paging = [options.paging ?? (isFlat ? 'offset' : 'page')].flat() as readonly Paging[]
  const name = options.name ?? (isFlat ? false : 'items')
  const maxPerPage = options.maxPerPage ?? Math.max(100, options.perPage ?? 0)
  return {
    style,
    paging,
    perPage: options.perPage ?? Math.min(20, maxPerPage),
    maxPerPage,
    name,
    totalHeader: options.totalHeader ?? style === 'json-server',
    unit: contentRange === true ? name || 'items' : contentRange || undefined,
    mayBeBeyond: isFlat,
    depth: options.depth ?? 2,
    sources: options.sources ?? [],
    count: kind => count ?? (kind === 'cursor' ? 'none' : 'exact'),
  }
}
