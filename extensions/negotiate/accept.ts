import { type MediaType, readMediaType } from '../../src/index.ts'

// What a client prefers of what there is: RFC 9110 section 12, and RFC 4647 for languages. What a list says is read
// member by member, one that is malformed is as if it were not there, and of equal qualities the server's order decides.

/** How a member of a list fits what there is: its quality, and how closely it speaks of just that. */
interface Preference {
  readonly q: number
  /** Above 0 where it fits at all. The closest member is the one that counts. */
  readonly closeness: number
}

interface Named {
  readonly name: string
  readonly q: number
}

const NONE: Preference = { q: 0, closeness: 0 }

/** What stands between commas. One in a quoted string is none, and a quote that is not closed goes on to the end. */
const MEMBER = /(?:[^",]+|"(?:[^"\\]+|\\.)*"?)+/g
/** Three decimals at most (section 12.4.2), and `.2`, which the HTTP client of Java 8 to 19 sends. */
const WEIGHT = /^(?:0?\.\d{1,3}|0\.?|1(?:\.0{0,3})?)$/
const NAMED = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=([\d.]+))?$/i

/**
 * The media type of those available that a client prefers: by the most specific range that names it (RFC 9110 section
 * 12.5.1), `q=0` excludes. Without a header, or with an empty one, the first.
 *
 * @returns undefined where nothing fits, for a 406
 * @example preferredMediaType(ctx.headers.accept, ['application/json', 'text/csv'])
 */
export function preferredMediaType(header: string | undefined, available: readonly string[]): string | undefined {
  return mediaTypeChooser(available)(header)
}

/** The same for many headers: what is available is read once. */
export function mediaTypeChooser(available: readonly string[]): (header: string | undefined) => string | undefined {
  const types = available.map(readMediaType)
  return header => (isBlank(header) ? available[0] : best(available, weigh(header, types, readRange, fitOfRange)))
}

/**
 * The language tag of those available that a client prefers (RFC 9110 section 12.5.4): the range `en` fits `en-US`, which
 * is basic filtering (RFC 4647 section 3.3.1); `en-US` fits `en` where nothing nearer does, which is lookup (section
 * 3.4). Of equal qualities the exact tag comes first. Without a header, or with an empty one, the first.
 *
 * @returns undefined where nothing fits
 * @example preferredLanguage(ctx.headers['accept-language'], ['en', 'de']) ?? 'en'
 */
export function preferredLanguage(header: string | undefined, available: readonly string[]): string | undefined {
  if (isBlank(header)) return available[0]
  const tags = available.map(tag => tag.toLowerCase())
  // How long a tag is says nothing of tags that one range finds.
  const rank = ({ closeness }: Preference) => (closeness < 3 ? closeness : Math.floor(closeness))
  return best(available, weigh(header, tags, readNamed, fitOfLanguage), rank)
}

/**
 * The content coding of those available that a client prefers (RFC 9110 section 12.5.3). `identity` is no coding at all:
 * it fits unless `identity;q=0` or `*;q=0` excludes it, after whatever is named. Without a header it is `identity`, if
 * that is available.
 *
 * @returns undefined where nothing fits
 */
export function preferredCoding(header: string | undefined, available: readonly string[]): string | undefined {
  const names = available.map(codingOf)
  if (header === undefined) return available[Math.max(0, names.indexOf('identity'))]
  const found = weigh(header, names, readNamed, (range, name) => fitOfToken(codingOf(range.name), name))
  // Less than any quality that a client can give.
  const named = found.map((it, index) =>
    it === NONE && names[index] === 'identity' ? { q: 0.0001, closeness: 1 } : it,
  )
  return best(available, named)
}

/**
 * The charset of those available that a client prefers (RFC 9110 section 12.5.2, where the header is deprecated: what
 * kolba writes is UTF-8). Without a header, or with an empty one, the first.
 *
 * @returns undefined where nothing fits
 */
export function preferredCharset(header: string | undefined, available: readonly string[]): string | undefined {
  if (isBlank(header)) return available[0]
  const names = available.map(name => name.toLowerCase())
  return best(
    available,
    weigh(header, names, readNamed, ({ name }, it) => fitOfToken(name, it)),
  )
}

/** A header that says nothing is no preference, as one that is not there: RFC 9110 section 12.4.1. */
function isBlank(header: string | undefined): header is undefined {
  return header === undefined || /^[\s,]*$/.test(header)
}

/** For each that is available, the preference of the member that fits it most closely; of equal ones, of the first. */
function weigh<Range extends { q: number }, It>(
  header: string,
  available: readonly It[],
  read: (member: string) => Range | undefined,
  fit: (range: Range, it: It) => number,
): Preference[] {
  const found = available.map(() => NONE)
  for (const [member] of header.matchAll(MEMBER)) {
    const range = read(member.trim())
    if (!range) continue
    available.forEach((it, index) => {
      const closeness = fit(range, it)
      if (closeness > (found[index] as Preference).closeness) found[index] = { q: range.q, closeness }
    })
  }
  return found
}

/** The highest quality; then, where that says anything, the rank; then the first. */
function best(
  available: readonly string[],
  found: readonly Preference[],
  rank: (it: Preference) => number = () => 0,
): string | undefined {
  const order = found.map((it, index) => ({ index, q: it.q, rank: rank(it) })).filter(({ q }) => q > 0)
  order.sort((a, b) => b.q - a.q || b.rank - a.rank || a.index - b.index)
  return order[0] && available[order[0].index]
}

/** A range of media types. A bare `*` is what Java's client sends for all of them. */
function readRange(member: string): (MediaType & { q: number }) | undefined {
  const range = readMediaType(member.replace(/^\*(?=[ \t]*(?:;|$))/, '*/*'))
  const q = range && weightOf(range.parameters.get('q'))
  return q === undefined ? undefined : { ...(range as MediaType), q }
}

/** A name that may have a weight: a charset, a coding, a language range. */
function readNamed(member: string): Named | undefined {
  const [, name, weight] = NAMED.exec(member) ?? []
  const q = weightOf(weight)
  return name === undefined || q === undefined ? undefined : { name: name.toLowerCase(), q }
}

function weightOf(text = '1'): number | undefined {
  return WEIGHT.test(text) ? Number(text) : undefined
}

// 1 for all types, 2 for all of a kind, 3 for one; each parameter brings it nearer to the next.
function fitOfRange({ type: range, parameters }: MediaType, it: MediaType | undefined): number {
  if (!it) return 0
  const isWild = range.endsWith('/*')
  if (range !== '*/*' && (isWild ? !it.type.startsWith(range.slice(0, -1)) : range !== it.type)) return 0
  const named = [...parameters].filter(([name]) => name !== 'q')
  if (!named.every(([name, value]) => isSame(name, value, it.parameters.get(name)))) return 0
  return (range === '*/*' ? 1 : isWild ? 2 : 3) + named.length / (named.length + 1)
}

function isSame(name: string, value: string, its: string | undefined): boolean {
  return name === 'charset' ? value.toLowerCase() === its?.toLowerCase() : value === its
}

function fitOfToken(range: string, name: string): number {
  return range === name ? 2 : range === '*' ? 1 : 0
}

/** Lookup finds `en` for `en-US`, and a range that is refused refuses nothing more general than itself. */
function fitOfLanguage({ name: range, q }: Named, tag: string): number {
  if (range === tag) return 4
  if (tag.startsWith(`${range}-`)) return 3 + range.length / (tag.length + 1)
  if (q > 0 && range.startsWith(`${tag}-`)) return 2 + tag.length / range.length
  return range === '*' ? 1 : 0
}

/** `x-gzip` and `x-compress` are old names: RFC 9110 section 8.4.1. */
function codingOf(name: string): string {
  return name.toLowerCase().replace(/^x-(?=gzip$|compress$)/, '')
}
