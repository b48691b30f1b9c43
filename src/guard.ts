import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from './problem.ts'
import type { Settings } from './settings.ts'

// What is refused before anything looks at the request, because two layers might read it differently (a guard and
// what it guards, a cache and its origin), or because Node would drop it silently.

const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d{0,5})?$/i
/** A path with nothing to look at twice: no percent, no dot at the start of a segment, no empty segment. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/
const DOTS = /(?:^|[/\\])\.{1,2}(?:[/\\]|$)/
/** A percent-encoded letter, digit, hyphen, dot, underscore or tilde: RFC 3986 section 6.2.2.2 writes them plainly. */
const NEEDLESS = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/i

/** @returns the problem with the head of a request, or undefined. */
export function guard(req: IncomingMessage, path: string, { limits, hosts }: Settings): Problem | undefined {
  const { rawHeaders, url = '' } = req
  if (rawHeaders.length > limits.headers * 2) return refuse(431, `Send at most ${limits.headers} header fields.`)
  if (url.length > limits.url) return refuse(414, `Send a URL of at most ${limits.url} bytes.`)
  const host = hostOf(rawHeaders)
  if (host !== undefined) {
    if (host === null) return refuse(400, 'Send one Host header.')
    if (!HOST.test(host)) return refuse(400, 'The Host header is not a host with an optional port.')
    if (hosts && !hosts.includes(host.toLowerCase())) return refuse(421, 'This server does not answer for that host.')
  }
  if (!PLAIN.test(path)) return guardPath(req, path)
}

/** The Host header: undefined where there is none (HTTP/1.0, HTTP/2), null where there is more than one. */
function hostOf(rawHeaders: string[]): string | null | undefined {
  let host: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (host !== undefined) return null
    host = rawHeaders[index + 1] as string
  }
  return host
}

function guardPath({ method, url }: IncomingMessage, path: string): Problem | undefined {
  if (url === '*' && method === 'OPTIONS') return
  if (!path.startsWith('/')) return refuse(400, 'The request target is neither a path nor an absolute URL.')
  if (!/^[\x21-\x7e]*$/.test(path)) return refuse(400, 'The path has characters that must be percent-encoded.')
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return refuse(400, 'The percent-encoding of the path is malformed, or is not of UTF-8.')
  }
  const other = path.includes('//') || path.includes('\\') || decoded.includes('\0')
  if (other || NEEDLESS.test(path) || DOTS.test(decoded)) {
    const needless =
      'dot segments, empty segments, backslashes, NUL, and encoded letters, digits, "-", ".", "_" and "~"'
    return refuse(400, `The path is not in its canonical form. Send it without ${needless}.`)
  }
}

function refuse(status: number, detail: string): Problem {
  return problem(status, { detail })
}
