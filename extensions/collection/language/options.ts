import { among, type Kind, kinds } from '../../../src/index.ts'
import type { Paging, Part } from '../query.ts'
import { listed } from '../words.ts'
import { ROLES } from './page.ts'
import { STYLES, type StyleName } from './styles.ts'
import type { Style } from './terms.ts'

export interface LanguageOptions {
  /** How URLs say it. @default 'default' */
  style?: StyleName
  /** How pages are said. Of several the first is what a request has that says nothing. @default 'page', or 'offset' where the style has that alone */
  paging?: Paging | readonly Paging[]
  /** Rows on a page where the request does not say it. @default 20, or `maxPerPage` where that is less */
  perPage?: number
  /** Rows on a page at most; a request for more is 400. @default 100, or `perPage` where that is more */
  maxPerPage?: number
  /** How many relations an expansion may go through in a row. @default 2 */
  depth?: number
  /** Query parameters that something else reads. @default none */
  ignore?: readonly string[]
  /** The parts that take part. Parameters of the others do not exist. @default all */
  parts?: ReadonlySet<Part>
}

export const PARTS: ReadonlySet<Part> = new Set<Part>(['filter', 'sort', 'page', 'fields', 'expand'])
const PAGINGS = Object.keys(ROLES) as Paging[]
const whole: Kind = {
  words: 'a whole number from 1',
  test: value => Number.isSafeInteger(value) && (value as number) >= 1,
}
const pagings: Kind = {
  words: `one of ${listed(PAGINGS)}, or a list of them`,
  test: value => [value].flat().length > 0 && [value].flat().every(it => PAGINGS.includes(it as Paging)),
}

/** The options of the language, as `checkOptions` wants them. */
export const LANGUAGE_OPTIONS = {
  style: among(...STYLES.keys()),
  paging: pagings,
  perPage: whole,
  maxPerPage: whole,
  depth: whole,
  ignore: kinds.texts,
  parts: {
    words: `a Set of ${listed(PARTS)}`,
    test: value => value instanceof Set && [...value].every(it => PARTS.has(it)),
  },
} satisfies Record<string, Kind>

/** The ways to say a page, the first being what a request has that says none. */
export function pagingOf(
  where: string,
  { name, paging: known }: Style,
  given: LanguageOptions['paging'],
): readonly Paging[] {
  const paging = [given ?? known[0] ?? []].flat()
  const odd = paging.find(kind => !known.includes(kind))
  if (odd === undefined) return paging
  throw new TypeError(`${where}: the style ${name} has no paging by ${odd}. It has ${listed(known)}.`)
}

/** A name that two things would read is refused when the route is registered. */
export function checkNames(
  where: string,
  own: readonly string[],
  fields: readonly string[],
  ignore: ReadonlySet<string>,
): void {
  const field = fields.find(name => own.includes(name))
  if (field !== undefined)
    throw new TypeError(
      `${where}: the field ${field} has the name of a parameter. Rename it, and say as column what the source calls it.`,
    )
  const ignored = [...own, ...fields].find(name => ignore.has(name))
  if (ignored !== undefined)
    throw new TypeError(
      `${where}: the query parameter ${ignored} is of the collection, and of something else. Rename one.`,
    )
}
