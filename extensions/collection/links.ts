import {
  type AroundContext,
  checkOptions,
  type Decorator,
  decorator,
  isBytes,
  kinds,
  type Note,
  nameOf,
  type Problem,
  Reply,
  type Route,
  statusOf,
  when,
} from '../../src/index.ts'
import { detailsOf, withDetails } from './body.ts'
import { type GivenLinks, HAL, halLinks, halPage, type Link, selfOf, wantsHal } from './hal.ts'
import type { Row } from './types.ts'

export type { Link } from './hal.ts'

/** Links by their relation (RFC 8288): a URL, one with more said of it, a list of them; what is false or null is none. */
export type Links = Readonly<Record<string, string | Link | readonly (string | Link)[] | false | null | undefined>>

export interface LinksOptions {
  /** Answers a client that names `application/hal+json` in it. @default true */
  hal?: boolean
  /** The name of the list in HAL's `_embedded`. @default that of the collection, else 'items' */
  name?: string
}

/** What a handler right below gives where the rows are of a declared type. */
type Linked<T> = T | readonly T[] | Reply | Response | Problem | null

/**
 * Adds `_links` to each row of a collection, to each of a list, or to the one row that a handler gives: the URLs that lead
 * on from it, by their relation. The function gets the row, with all that was read of it, and ctx.
 * Of `?fields=name` no more is read than that, the key and the order: so make URLs of the key.
 *
 * To a client that names `application/hal+json` in `Accept`, and wants plain JSON no more than that, the answer is HAL
 * (draft-kelly-json-hal-11): links are objects with `href`, the rows of a collection are `_embedded`, its `meta` stands
 * beside them, and its `links` are `_links`; one row, and a bare list, that GET gives without a link `self` get the
 * URL of the request. `Vary` says `Accept`, and nothing is ever 406. Below a `produces()` with that type, it decides.
 *
 * Only a 2xx with an object or a list is given links; text, bytes, streams, iterables, `null`, errors and a web `Response`
 * pass as they are, and so does what `produces()` makes CSV of.
 *
 * It stands right above `collection()`, below `etag()` and `json()`.
 *
 * @throws TypeError at registration for a wrong option, twice on a route, above what renders; at the request, as a 500,
 *   where the function gives anything but links
 * @example
 * app.get('/customers', etag(), json(), links((row, ctx) => ({
 *   self: ctx.urlFor('customers.show', { id: Number(row.id) }),
 *   invoices: { href: `/customers/${row.id}/invoices`, title: 'What they owe' },
 * })), collection(customers), () => db.selectFrom('customer'))
 */
export function links(
  of: (row: Row, ctx: AroundContext) => Links,
  options?: LinksOptions,
): Decorator<object, AroundContext, unknown>
export function links<T>(
  of: (row: T, ctx: AroundContext) => Links,
  options?: LinksOptions,
): Decorator<object, AroundContext, Linked<T>>
export function links(
  of: (row: never, ctx: AroundContext) => Links,
  options: LinksOptions = {},
): Decorator<object, AroundContext, never> {
  if (typeof of !== 'function')
    throw new TypeError('links: give a function of a row, links(row => ({ self: row.url })).')
  checkOptions('links', options, { hal: kinds.flag, name: kinds.text })
  const { hal = true, name } = options
  const linksOf = (row: unknown, ctx: AroundContext) => readLinks(ctx, of(row as never, ctx))

  const self: Decorator<object, AroundContext, never> = decorator<object, AroundContext>(
    'links',
    (ctx, next) => {
      const { representation } = ctx as { representation?: string }
      if (representation?.startsWith('text/csv')) return next()
      if (hal && representation === undefined) ctx.vary('Accept')
      const isOurs = hal && representation === undefined && wantsHal(ctx.req.headers.accept)
      const isHal = hal && (isOurs || representation === HAL)
      const go = (value: unknown) => answer(ctx, value, { linksOf, name, isHal, isOurs })
      // By this etag() tells the representations of one version apart.
      return when(next(isOurs ? { representation: HAL } : undefined), go)
    },
    { note: noteOf(hal), register: route => check(route, self) },
  )
  return Object.assign(self, { [linking]: true }) as never
}

const linking: unique symbol = Symbol('kolba.links') as never

interface How {
  readonly linksOf: (row: unknown, ctx: AroundContext) => GivenLinks
  readonly name: string | undefined
  readonly isHal: boolean
  /** Do we say the media type, or does a `produces()`? */
  readonly isOurs: boolean
}

function answer(ctx: AroundContext, value: unknown, how: How): unknown {
  const given = value instanceof Reply ? value : new Reply(statusOf(ctx), value)
  const { status, body, headers } = given
  if (status > 299 || !isRow(body)) return value
  const linked = addLinks(ctx, body, how)
  const type = how.isOurs ? { 'Content-Type': HAL } : {}
  return value instanceof Reply || how.isOurs ? new Reply(status, linked, { ...type, ...headers }) : linked
}

/** An object or a list that JSON is made of. */
function isRow(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isBytes(value) || value instanceof Error) return false
  return Array.isArray(value) || !(Symbol.iterator in value)
}

function addLinks(ctx: AroundContext, body: object, { linksOf, name, isHal }: How): object {
  const page = detailsOf(body)
  const link = (item: unknown, row: unknown = item, more: GivenLinks = {}): unknown => {
    if (!isRow(row)) return item
    const plain = plainOf(item)
    // A Date is text in JSON, and no row.
    if (typeof plain !== 'object' || plain === null) return item
    const links = { ...more, ...linksOf(row, ctx) }
    return { ...plain, _links: isHal ? halLinks(links) : links }
  }
  if (!page && !Array.isArray(body)) return link(body, body, isHal ? selfOf(ctx) : {}) as object
  const items = page
    ? page.items.map((item, index) => link(item, page.rows[index]))
    : (body as unknown[]).map(item => link(item))
  if (isHal) return halPage(ctx, body, items, name ?? page?.name ?? 'items')
  const its = page && { ...page, items: items as Row[] }
  const whole = page?.name === undefined ? items : { ...body, [page.name]: items }
  return its ? withDetails(whole, its) : whole
}

/** What JSON would be made of: a row may be an object of a class. */
function plainOf(row: unknown): unknown {
  const { toJSON } = Object(row) as { toJSON?: unknown }
  return typeof toJSON === 'function' ? toJSON.call(row, '') : row
}

/** @throws TypeError for what is no links */
function readLinks(ctx: AroundContext, given: unknown): GivenLinks {
  const where = `${ctx.route ? nameOf(ctx.route) : `${ctx.method} ${ctx.path}`}: links()`
  if (typeof given !== 'object' || given === null || 'then' in given || Array.isArray(given))
    throw new TypeError(`${where} got no object for a row. Return one, at once: { self: url }.`)
  const there = Object.entries(given).filter(([, link]) => link !== null && link !== undefined && link !== false)
  const odd = there.find(([, link]) => ![link].flat().every(isLink))
  if (odd) throw new TypeError(`${where} got no link as "${odd[0]}". Give a URL, { href }, a list of them, or null.`)
  return Object.fromEntries(there) as GivenLinks
}

function isLink(link: unknown): boolean {
  return kinds.text.test(link) || kinds.text.test((link as Link | null)?.href)
}

/** What renders makes text of the rows; where it stands below, no row would ever get its links. */
function check(route: Route, self: Decorator<object, AroundContext, never>): undefined {
  const { decorators } = route
  const place = decorators.indexOf(self as Decorator)
  const all = decorators.filter(it => linking in it)
  if (all.length > 1) throw new TypeError(`${nameOf(route)}: there is links() twice. Put all of them into one.`)
  const below = decorators.slice(place + 1).find(({ name }) => name === 'json' || name === 'produces')
  if (place >= 0 && below)
    throw new TypeError(`${nameOf(route)}: links() stands above ${below.name}(), which makes text. Put it below.`)
}

function noteOf(hal: boolean): Note {
  if (!hal) return {}
  return { responses: { 200: { description: 'With _links, as HAL where Accept names it', content: { [HAL]: {} } } } }
}
