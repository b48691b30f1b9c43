import { type Collecting, partDecorator } from './collection/collection.ts'
import type { CollectionOptions, CommonOptions, ExpandOptions, PaginateOptions } from './collection/options.ts'
import { isResource } from './collection/parts.ts'
import type { Resource } from './collection/resource.ts'

export { detailsOf, type PageDetails, rowsOf } from './collection/body.ts'
export { type BulkItem, type BulkOptions, type BulkResult, bulk } from './collection/bulk.ts'
export { type Link, type Links, type LinksOptions, links } from './collection/links.ts'
export type { CollectionOptions, CommonOptions, ExpandOptions, PaginateOptions } from './collection/options.ts'
export { type Relation, type RelationOptions, type Resource, relation, resource } from './collection/resource.ts'
export { defineSource } from './collection/source.ts'
export type {
  Condition,
  Counting,
  Field,
  Filter,
  Operator,
  Order,
  Row,
  Rows,
  Slice,
  Source,
  Value,
} from './collection/types.ts'

/**
 * Makes a collection of what the handler returns, rows or a query for them: the client filters, sorts, searches, pages,
 * selects and expands it, as far as the resource declares that, and nothing undeclared leaves.
 *
 * The handler returns an array or another iterable, an async iterable, a Kysely or Knex query that has not run, or what a
 * `defineSource()` takes; a `reply(200, rows, headers)` keeps its headers. A query gets conditions, order, limit and
 * columns added, and the database does the work. A Knex query is itself a promise of all its rows: return it from a
 * function that is not `async`, right below. Other statuses, errors, `null` and a web `Response` pass as they are.
 *
 * `?name=x&age[gte]=30&status[in]=a,b&name[like]=A*&deleted[null]=true&q=free&sort=-age,name&fields=id,name&expand=customer`
 * is the language, `style` is another; with QUERY (RFC 10008) it is JSON. What is unknown or malformed is a 400 that names
 * it, unless `Prefer: handling=lenient` and a `prefer()` above say to ignore it.
 *
 * Pages are asked for as `page` and `per_page`, `offset` and `limit`, or `cursor` and `limit`. One behind the last is 404.
 * A cursor is signed, belongs to its filter, order, route and user, and neither repeats nor misses a row that stays while
 * others come and go; one that is none, another's or too old is 400. Sort by short fields there: a cursor holds the
 * values that the page ended with, 1.4 KB of them.
 *
 * The body is `{ items, meta: { page, per_page, total, pages }, links: { self, first, prev, next, last } }`, or with
 * `name: false` the list alone. The links are absolute, keep all other parameters as they were sent, and are sent as
 * `Link` too (RFC 8288). The answer to a QUERY has `queries` in their place: what to write into the next one.
 *
 * It stands below `etag()` and `json()`. On GET, HEAD and QUERY; a write is `bulk()`.
 *
 * @throws TypeError at registration for a wrong option, another method, and fields that have the name of a parameter
 * @example
 * const books = resource({ fields: { id: 'number', title: 'string', year: 'number' }, search: ['title'] })
 * app.get('/books', etag(), json(), collection(books, { perPage: 50 }), () => db.selectFrom('book'))
 */
export function collection<Needs = unknown>(
  resource: Resource,
  options: CollectionOptions<Needs> = {},
): Collecting<Needs> {
  checkResource('collection', resource)
  return partDecorator('collection', ['filter', 'sort', 'page', 'fields', 'expand'], resource, options)
}

/**
 * The conditions and the search of a collection alone. The parts of a route work as one: the innermost reads the rows, as
 * a list, or as a page where `paginate()` is among them. The parameters of parts that are not there are unknown: 400.
 *
 * @throws TypeError at registration for a wrong option, a part that is there twice, and different resources
 * @example app.get('/books', json(), filter(books), () => shelf.all())
 */
export function filter(resource: Resource, options: CommonOptions = {}): Collecting {
  checkResource('filter', resource)
  return partDecorator('filter', ['filter'], resource, options)
}

/** The order of a collection alone, `?sort=-year,title`; see `filter()` for how parts work together. */
export function sort(resource: Resource, options: CommonOptions = {}): Collecting {
  checkResource('sort', resource)
  return partDecorator('sort', ['sort'], resource, options)
}

/** The selection of fields alone, `?fields=id,title`; see `filter()` for how parts work together. */
export function fields(resource: Resource, options: CommonOptions = {}): Collecting {
  checkResource('fields', resource)
  return partDecorator('fields', ['fields'], resource, options)
}

/** The relations alone, `?expand=author`, to a depth; see `filter()` for how parts work together. */
export function expand(resource: Resource, options: ExpandOptions = {}): Collecting {
  checkResource('expand', resource)
  return partDecorator('expand', ['expand'], resource, options)
}

/**
 * The pages of a collection alone; see `filter()` for how parts work together. It takes the resource of the others, and
 * has one of its own where there are none.
 *
 * @example
 * app.get('/books', json(), filter(books), paginate({ paging: 'cursor' }), () => shelf.all())
 * app.get('/authors', json(), paginate(authors), () => all)
 */
export function paginate<Needs = unknown>(resource: Resource, options?: PaginateOptions<Needs>): Collecting<Needs>
export function paginate<Needs = unknown>(options?: PaginateOptions<Needs>): Collecting<Needs>
export function paginate(first: Resource | PaginateOptions<never> = {}, second?: PaginateOptions<never>): Collecting {
  const resource = isResource(first) ? first : undefined
  if (second !== undefined) checkResource('paginate', first)
  return partDecorator('paginate', ['page'], resource, resource ? (second ?? {}) : (first as PaginateOptions<never>))
}

/** @throws TypeError for what `resource()` has not made */
function checkResource(where: string, value: unknown): void {
  if (!isResource(value))
    throw new TypeError(`${where}: the first argument is no resource. Write ${where}(resource({ fields }), options).`)
}
