import { type Problem, problem } from '../../src/index.ts'

const COUNT = 100
const LENGTH = 2048

/**
 * Reads a query as the URL standard does, except that broken percent-encoding is refused: text by name, and a list of
 * texts where a name repeats.
 *
 * @param mayRepeat whether a name that is there twice is a list
 * @throws Problem 400 for what is malformed or too much, and for a repeated name that is no list
 */
export function readQuery(query: string, mayRepeat: (name: string) => boolean): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = Object.create(null)
  if (query === '') return values
  const pairs = query.split('&').filter(pair => pair !== '')
  if (pairs.length > COUNT) throw refuse(`Send at most ${COUNT} query parameters.`)
  for (const pair of pairs) {
    if (pair.length > LENGTH) throw refuse(`Send query parameters of at most ${LENGTH} bytes.`)
    const end = pair.indexOf('=')
    const name = decode(end < 0 ? pair : pair.slice(0, end))
    const value = decode(end < 0 ? '' : pair.slice(end + 1))
    const before = values[name]
    if (before === undefined) values[name] = value
    else if (!mayRepeat(name)) throw refuse(`The query parameter ${name} is there twice. Send it once.`)
    else if (Array.isArray(before)) before.push(value)
    else values[name] = [before, value]
  }
  return values
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refuse('The percent-encoding of the query is malformed, or is not of UTF-8.')
  }
}

function refuse(detail: string): Problem {
  return problem(400, { detail })
}
