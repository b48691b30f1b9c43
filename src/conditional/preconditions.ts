/**
 * The preconditions of a request (RFC 9110 section 13), as functions of data: headers are read into `Preconditions`,
 * and these are evaluated against what the resource is now.
 *
 * @example
 * const preconditions = readPreconditions(req.headers, req.rawHeaders)
 * const wrong = malformed(preconditions)
 * if (wrong && method === 'PUT') throw problem(400, { detail: `${wrong} is no list of entity tags.` })
 * const verdict = evaluate(method, preconditions, { exists: true, tag: { weak: false, opaque: 'v1' } })
 * if (verdict === 'failed') throw problem(412)
 */
import { readDate } from './http-date.ts'

/** An entity tag (RFC 9110 section 8.8.3). `opaque` is what stands between the quotes, one character for each byte. */
export interface EntityTag {
  readonly weak: boolean
  readonly opaque: string
}

/** What If-Match or If-None-Match says: any, these, or nothing that can be read. */
export type Tags = '*' | 'malformed' | readonly EntityTag[]

/** What a request makes conditions of. A date is undefined where it is to be ignored. */
export interface Preconditions {
  readonly ifMatch?: Tags | undefined
  readonly ifNoneMatch?: Tags | undefined
  readonly ifModifiedSince?: Date | undefined
  readonly ifUnmodifiedSince?: Date | undefined
}

/** What the resource is now. Where it does not exist, its tag and date do not count. */
export interface Current {
  readonly exists: boolean
  readonly tag?: EntityTag | undefined
  /** Compared in whole seconds, because HTTP cannot say more. */
  readonly lastModified?: Date | undefined
}

/** Do what the method says; answer 304; answer 412. */
export type Verdict = 'perform' | 'not-modified' | 'failed'

/** Headers by lower-case name, as `req.headers` of Node has them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** The methods that a 304 answers. A conditional QUERY is about its result (RFC 10008 section 2.6), as a GET is. */
const READING = new Set(['GET', 'HEAD', 'QUERY'])
/** The methods that select no representation, so that there is nothing to make a condition of (section 13.2.1). */
const UNCONDITIONAL = new Set(['CONNECT', 'OPTIONS', 'TRACE'])

const OPAQUE = '"([\\x21\\x23-\\x7e\\x80-\\xff]*)"'
const TAG = new RegExp(`^(W/)?${OPAQUE}$`)
/** A member of a list, or an empty one, and the comma or the end behind it: section 5.6.1.2. */
const MEMBER = new RegExp(`[ \\t]*(?:(W/)?${OPAQUE}[ \\t]*)?(,|$)`, 'y')

/**
 * Reads one entity tag, `"v1"` or `W/"v1"`, by the grammar of RFC 9110 section 8.8.3.
 *
 * @returns undefined for other text
 */
export function readTag(text: string): EntityTag | undefined {
  const [, weak, opaque] = TAG.exec(text) ?? []
  return opaque === undefined ? undefined : { weak: weak !== undefined, opaque }
}

/**
 * Writes an entity tag for an ETag header.
 *
 * @throws TypeError where it has a character that no entity tag has: a quote, a space, or one above U+00FF
 * @example writeTag({ weak: true, opaque: 'v1' }) // W/"v1"
 */
export function writeTag({ weak, opaque }: EntityTag): string {
  const text = `${weak ? 'W/' : ''}"${opaque}"`
  if (!TAG.test(text))
    throw new TypeError(
      'writeTag: an entity tag has no quotes, spaces or control characters. Encode what it is made of.',
    )
  return text
}

/**
 * Reads If-Match or If-None-Match: `*`, or a list of entity tags in which a member may be empty (RFC 9110 sections
 * 13.1.1 and 5.6.1). It takes time in proportion to its length.
 *
 * @returns undefined where there is no such header
 */
export function readTags(header: string | undefined): Tags | undefined {
  if (header === undefined) return undefined
  if (/^[ \t]*\*[ \t]*$/.test(header)) return '*'
  const tags: EntityTag[] = []
  MEMBER.lastIndex = 0
  for (;;) {
    const found = MEMBER.exec(header)
    if (!found) return 'malformed'
    const [, weak, opaque, end] = found
    if (opaque !== undefined) tags.push({ weak: weak !== undefined, opaque })
    if (end === '') return tags
  }
}

/** Strong comparison (RFC 9110 section 8.8.3.2): both are strong and the same. */
export function strongMatch(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque
}

/** Weak comparison (RFC 9110 section 8.8.3.2): both are the same, weak or not. */
export function weakMatch(a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque
}

/** Has a request any of the four preconditions? If-Range is none of them: it is about Range. */
export function hasPreconditions(headers: RequestHeaders): boolean {
  return (
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-match'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  )
}

/**
 * Reads the preconditions of a request. A date is ignored where it is invalid or was sent twice (RFC 9110 sections
 * 13.1.3 and 13.1.4).
 *
 * @param rawHeaders names and values in turn, as Node's `req.rawHeaders`: of a date that was sent twice, `headers` has
 * only the first
 */
export function readPreconditions(headers: RequestHeaders, rawHeaders: readonly string[] = []): Preconditions {
  return {
    ifMatch: readTags(textOf(headers, 'if-match')),
    ifNoneMatch: readTags(textOf(headers, 'if-none-match')),
    ifModifiedSince: dateOf(headers, rawHeaders, 'if-modified-since'),
    ifUnmodifiedSince: dateOf(headers, rawHeaders, 'if-unmodified-since'),
  }
}

/**
 * Does a request that reads have nothing to ask but whether this is still the tag, and is it, letter by letter? So most of
 * those are that are answered by 304, and what they say need not be read. False may be anything.
 *
 * @param tag as it stands in the ETag header
 */
export function isPlainlyCurrent(headers: RequestHeaders, tag: string | undefined): boolean {
  const given = headers['if-none-match']
  if (given === undefined || given !== tag) return false
  return headers['if-match'] === undefined && headers['if-unmodified-since'] === undefined
}

/**
 * The header that cannot be read, which a method that changes something refuses with 400: a client that wanted a guard
 * and misspelt it must learn so.
 */
export function malformed({ ifMatch, ifNoneMatch }: Preconditions): 'If-Match' | 'If-None-Match' | undefined {
  if (ifMatch === 'malformed') return 'If-Match'
  return ifNoneMatch === 'malformed' ? 'If-None-Match' : undefined
}

/**
 * Evaluates preconditions, in the order of RFC 9110 section 13.2.2, steps 1 to 4. Before it come the checks that would
 * answer without them by anything but a 2xx or a 412, because preconditions are then ignored (section 13.2.1).
 *
 * A malformed If-Match matches nothing. A malformed If-None-Match matches nothing either where a 304 would answer it,
 * and fails elsewhere, so that nothing is changed behind a guard that could not be read.
 *
 * @param method in upper case; GET, HEAD and QUERY are answered by 304
 */
export function evaluate(method: string, preconditions: Preconditions, current: Current): Verdict {
  if (UNCONDITIONAL.has(method)) return 'perform'
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = preconditions
  const isReading = READING.has(method)
  // A date that there is not is NaN, which is neither earlier nor later: the precondition is ignored.
  const changed = secondsOf(current.exists ? current.lastModified : undefined)

  // Steps 1 and 2: is it still what the client thinks it is?
  if (ifMatch !== undefined) {
    if (!hasMatch(ifMatch, current, strongMatch)) return 'failed'
  } else if (changed > secondsOf(ifUnmodifiedSince)) return 'failed'

  // Steps 3 and 4: is it other than what the client has?
  if (ifNoneMatch !== undefined) {
    const isOther = ifNoneMatch === 'malformed' ? isReading : !hasMatch(ifNoneMatch, current, weakMatch)
    if (isOther) return 'perform'
    return isReading ? 'not-modified' : 'failed'
  }
  return isReading && changed <= secondsOf(ifModifiedSince) ? 'not-modified' : 'perform'
}

/**
 * May a part be sent, because the client has the other parts of the same representation? Step 5 of RFC 9110 section
 * 13.2.2, for a GET with Range; a tag has to match strongly, and a date to be the very same (section 13.1.5).
 *
 * @param options `strongDate`: the date changes with every change of the representation, in the sense of section
 * 8.8.2.2. Default: false, and no date is enough
 * @returns true where there is no If-Range
 */
export function isCurrentRange(
  ifRange: string | undefined,
  { exists, tag, lastModified }: Current,
  { strongDate = false }: { strongDate?: boolean } = {},
): boolean {
  if (ifRange === undefined) return true
  if (!exists) return false
  const given = readTag(ifRange)
  if (given) return tag !== undefined && strongMatch(given, tag)
  return strongDate && secondsOf(readDate(ifRange)) === secondsOf(lastModified)
}

function hasMatch(tags: Tags, { exists, tag }: Current, isMatch: typeof strongMatch): boolean {
  if (!exists || tags === 'malformed') return false
  if (tags === '*') return true
  return tag !== undefined && tags.some(it => isMatch(it, tag))
}

function dateOf(headers: RequestHeaders, rawHeaders: readonly string[], name: string): Date | undefined {
  const text = textOf(headers, name)
  if (text === undefined) return undefined
  const lines = rawHeaders.filter((it, index) => index % 2 === 0 && it.toLowerCase() === name)
  return lines.length > 1 ? undefined : readDate(text)
}

/** Several lines of one name are one list: RFC 9110 section 5.2. */
function textOf(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}

function secondsOf(date: Date | undefined): number {
  return date ? Math.floor(date.getTime() / 1000) : Number.NaN
}
