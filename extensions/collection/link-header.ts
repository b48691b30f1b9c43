import type { BaseContext } from '../../src/index.ts'

/** Query parameters by name, as they are to be; undefined leaves one out. */
export type Changes = ReadonlyMap<string, string | undefined>

/**
 * The URL of the request, absolute (from its scheme and host, as far as `proxy` believes them), for links to be made of:
 * as the client has sent it, before any middleware or mount has cut at it.
 */
export function urlOf(ctx: BaseContext): string {
  const target = ctx.originalUrl.replace(/^https?:\/\/[^/?#]*/i, '')
  const path = target.startsWith('/') ? target : `/${target}`
  // What no URI may hold, a Link header would not hold either: RFC 8288 section 3.
  const safe = path.replace(/[^\x21-\x7e]|["<>\\^`{|}]/g, it => `%${it.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return ctx.host ? `${ctx.protocol}://${ctx.host}${safe}` : safe
}

/**
 * Makes of a URL the same one with other values for some parameters. All others stay as they were sent: in their order,
 * repeated, spelt as they were, ours or not.
 */
export function changer(url: string): (changes: Changes) => string {
  const start = url.indexOf('?')
  const path = start < 0 ? url : url.slice(0, start)
  const pairs = start < 0 ? [] : url.slice(start + 1).split('&')
  const sent = pairs.filter(pair => pair !== '').map(pair => ({ pair, name: nameOf(pair) }))
  return changes => {
    const waiting = new Map(changes)
    const kept = sent.map(({ pair, name }) => {
      if (!changes.has(name)) return pair
      const value = waiting.get(name)
      waiting.delete(name)
      return write(name, value)
    })
    const added = [...waiting].map(([name, value]) => write(name, value))
    const query = [...kept, ...added].filter(pair => pair !== '').join('&')
    return query === '' ? path : `${path}?${query}`
  }
}

/** Which links a header has at all costs, where not all have room. */
const BY_USE = ['next', 'prev', 'first', 'last', 'self']
/** Clients take 16 KiB of headers altogether, Node's `fetch` among them, and a URL alone may have 8 KiB. */
const LONGEST = 12_000

/**
 * `<https://example.com/books?page=2>; rel="next"`, and so on: RFC 8288 section 3. Of links that are too long for a
 * header together, those are there that most is done with.
 */
export function linkHeader(links: Readonly<Record<string, string>>): string {
  const kept = new Set<string>()
  let length = 0
  for (const relation of BY_USE.filter(it => it in links)) {
    length += (links[relation] as string).length + 20
    if (length <= LONGEST) kept.add(relation)
  }
  const all = Object.entries(links).filter(([relation]) => kept.has(relation))
  return all.map(([relation, url]) => `<${url}>; rel="${relation}"`).join(', ')
}

/** The name of a parameter, as the URL standard reads it; a question mark at the front would be read over. */
function nameOf(pair: string): string {
  const [[name] = ['']] = new URLSearchParams(`&${pair}`)
  return name
}

function write(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
}
