import type { Field, Filter, Order } from './types.ts'

export type { LanguageOptions } from './language/options.ts'
export type { StyleName } from './language/styles.ts'
export { queryReader } from './read-query.ts'

/** The parts of a collection, each of which has parameters of its own. Free text belongs to `filter`. */
export type Part = 'filter' | 'sort' | 'page' | 'fields' | 'expand'

/** The ways to say which page. */
export type Paging = 'page' | 'offset' | 'cursor'

/** Which rows of all that the filter lets through. */
export type PageQuery =
  | { readonly kind: 'page'; readonly page: number; readonly perPage: number }
  | { readonly kind: 'offset'; readonly offset: number; readonly limit: number }
  /** Without a cursor it is the first page. */
  | { readonly kind: 'cursor'; readonly cursor?: string | undefined; readonly limit: number }

/** What a request asks of a collection, read, checked and converted. */
export interface Query {
  readonly filter: Filter
  /** A total order: the last one is the key. */
  readonly order: readonly Order[]
  /** Has the client said an order, or is it the resource's own? */
  readonly isOrdered: boolean
  /** In the order of their declaration; undefined is all that are selectable. */
  readonly fields?: readonly Field[] | undefined
  /** Relations to expand, each as a path: `customer.country` is `['customer', 'country']`. */
  readonly expand: readonly (readonly string[])[]
  readonly page: PageQuery
  /** The parameters, or pointers into the body, that were wrong and are ignored, because the client prefers it so. */
  readonly ignored: readonly string[]
}
