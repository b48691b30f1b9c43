import { type BaseContext, readMediaType } from '../../src/index.ts'
import { detailsOf } from './body.ts'
import { urlOf } from './link-header.ts'

/** The media type of the JSON Hypertext Application Language, draft-kelly-json-hal-11. */
export const HAL = 'application/hal+json'

/** A link object, section 5 of the draft; a plain URL is its `href` alone. */
export interface Link {
  href: string
  /** Is `href` a URI Template (RFC 6570)? */
  templated?: boolean
  /** The media type of what is there. */
  type?: string
  /** A URL that says why the link will go away. */
  deprecation?: string
  /** Tells links of one relation apart. */
  name?: string
  /** A URI of RFC 6906. */
  profile?: string
  title?: string
  /** The language of what is there. */
  hreflang?: string
}

/** The links of a row or of a page, those that there are. */
export type GivenLinks = Readonly<Record<string, string | Link | readonly (string | Link)[]>>

/** What stands between commas, one in a quoted string being none. */
const MEMBER = /(?:[^",]+|"(?:[^"\\]+|\\.)*"?)+/g

/**
 * Does the client name HAL, and want nothing of plain JSON more (RFC 9110 section 12.5.1)? A range such as `*` does not
 * name it: who does not know HAL gets what a program expects.
 */
export function wantsHal(accept = ''): boolean {
  let hal = 0
  let json = { closeness: 0, q: 0 }
  for (const member of accept.match(MEMBER) ?? []) {
    const range = readMediaType(member.trim())
    const q = range && weightOf(range.parameters)
    if (q === undefined) continue
    if (range?.type === HAL) hal = Math.max(hal, q)
    const closeness = ['*/*', 'application/*', 'application/json'].indexOf(range?.type ?? '') + 1
    if (closeness > json.closeness) json = { closeness, q }
  }
  return hal > 0 && hal >= json.q
}

/** A parameter beside q asks for something more special than there is. */
function weightOf(parameters: ReadonlyMap<string, string>): number | undefined {
  const { q = '1', ...others } = Object.fromEntries(parameters)
  return Object.keys(others).length === 0 && /^(?:0?\.\d{1,3}|0\.?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : undefined
}

/** Links as HAL has them: section 4.1.1. */
export function halLinks(links: GivenLinks): Record<string, Link | Link[]> {
  const object = (link: string | Link): Link => (typeof link === 'string' ? { href: link } : link)
  const all = Object.entries(links).map(([relation, link]): [string, Link | Link[]] => [
    relation,
    Array.isArray(link) ? link.map(object) : object(link as string | Link),
  ])
  return Object.fromEntries(all)
}

/** A page, or a bare list, as a resource of its own whose rows are embedded: section 4.1.2. */
export function halPage(ctx: BaseContext, page: object, items: readonly unknown[], name: string): object {
  const { name: member = '', meta, links } = detailsOf(page) ?? {}
  const { [member]: _, meta: __, links: ___, ...rest } = Array.isArray(page) ? {} : (page as Record<string, unknown>)
  return { _links: halLinks(links ?? selfOf(ctx)), _embedded: { [name]: items }, ...meta, ...rest }
}

/** The URL of the request is that of the answer where it was asked for with GET, and in no other way. */
export function selfOf(ctx: BaseContext): { self?: string } {
  return ctx.method === 'GET' || ctx.method === 'HEAD' ? { self: urlOf(ctx) } : {}
}
