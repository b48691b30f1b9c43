import { type Problem, problem } from '../../../src/index.ts'

const COUNT = 100
/** More than the 2 KiB of one value, because `id[in]` and a filter in JSON hold a hundred of them. */
const LENGTH = 8192

/**
 * Reads a query string as the URL standard does, except that broken percent-encoding is refused: the texts of each
 * name, in the order in which they were sent.
 *
 * @throws Problem 400 for more than 100 parameters, one over 8 KiB, and malformed percent-encoding
 */
export function readPairs(query: string): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>()
  if (query === '') return all
  const pairs = query.split('&').filter(pair => pair !== '')
  if (pairs.length > COUNT) throw refuse(`Send at most ${COUNT} query parameters.`)
  for (const pair of pairs) {
    if (pair.length > LENGTH) throw refuse(`Send query parameters of at most ${LENGTH} bytes.`)
    const end = pair.indexOf('=')
    const name = decode(end < 0 ? pair : pair.slice(0, end))
    const text = decode(end < 0 ? '' : pair.slice(end + 1))
    const before = all.get(name)
    if (before) before.push(text)
    else all.set(name, [text])
  }
  return all
}

function decode(text: string): string {
  // Most of it is as it stands, and to look is several times faster than to decode.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refuse('The percent-encoding of the query is malformed, or is not of UTF-8.')
  }
}

function refuse(detail: string): Problem {
  return problem(400, { detail })
}

/** Splits text at a separator that no backslash stands before. The escapes stay in it, for `unescaped()`. */
export function splitEscaped(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === separator) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...parts, text.slice(start)]
}

/** `\,` as `,`: a backslash takes the meaning of what stands behind it. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text
}
