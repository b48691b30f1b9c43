import type { IncomingMessage } from 'node:http'
import type { BaseContext } from './context.ts'
import { type Problem, problem } from './problem.ts'
import type { Settings } from './settings.ts'

// What is refused before anything looks at the request, because two layers might read it differently (a guard and
// what it guards, a cache and its origin), or because Node would drop it silently.

// A name in a Host may have a comma, by the letter; but so do two Hosts that somebody joined, and Koa takes the first.
export const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=%-]+)(?::\d{0,5})?$/i
/** A path with nothing to look at twice: no percent, no dot at the start of a segment, no empty segment. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/
const DOTS = /(?:^|[/\\])\.{1,2}(?:[/\\]|$)/
/** A percent-encoded letter, digit, hyphen, dot, underscore or tilde: RFC 3986 section 6.2.2.2 writes them plainly. */
const NEEDLESS = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/i

/** An absolute request target: its authority, and what follows. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i
const EXPECTED = /(?:^|\W)100-continue(?:$|\W)/i

/** What the core has to know of the lines of a head: `req.headers` is made when somebody asks for it, of all of them. */
export interface Head {
  /** The value of Host, and how many lines there are of it. */
  host: string | undefined
  hosts: number
  expect: string | undefined
  /** X-Request-Id; '' where there are several. */
  requestId: string | undefined
}

export function readHead({ rawHeaders }: IncomingMessage): Head {
  const head: Head = { host: undefined, hosts: 0, expect: undefined, requestId: undefined }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 4 && name.toLowerCase() === 'host') {
      head.host = rawHeaders[index + 1]
      head.hosts += 1
    } else if (name.length === 6 && name.toLowerCase() === 'expect') {
      head.expect = rawHeaders[index + 1]
    } else if (name.length === 12 && name.toLowerCase() === 'x-request-id') {
      head.requestId = head.requestId === undefined ? rawHeaders[index + 1] : ''
    }
  }
  return head
}

/**
 * What an app lets in.
 *
 * @returns a function that gives the problem with the head of a request, or undefined
 */
export function guardOf({ limits, hosts }: Settings): (ctx: BaseContext, head: Head) => Problem | undefined {
  /** Most requests name the host of the one before. */
  let known: string | undefined

  return function guard(ctx, head) {
    const { req } = ctx
    if (req.url?.[0] !== '/' && !readTarget(req, head))
      return refuse(400, 'The request target is neither a path nor an absolute URL.')
    const { rawHeaders, url = '' } = req
    if (rawHeaders.length > limits.headers * 2) return refuse(431, `Send at most ${limits.headers} header fields.`)
    if (url.length > limits.url) return refuse(414, `Send a URL of at most ${limits.url} bytes.`)
    if (head.hosts > 1 || (head.hosts === 0 && req.httpVersion === '1.1')) return refuse(400, 'Send one Host header.')
    if (head.host !== undefined && head.host !== known) {
      if (!HOST.test(head.host)) return refuse(400, 'The Host header is not a host with an optional port.')
      known = head.host
    }
    if (hosts && !hosts.includes(ctx.host.toLowerCase()))
      return refuse(421, 'This server does not answer for that host.')
    if (head.expect !== undefined && !EXPECTED.test(head.expect) && req.httpVersion === '1.1')
      return refuse(417, 'Only "Expect: 100-continue" is understood.')
    if (!PLAIN.test(url)) return guardTarget(url)
  }
}

/**
 * Makes an absolute target a path, and its authority the host, which counts instead of the header's (RFC 9112 section
 * 3.2.2): so whatever looks at the request later sees the same one.
 *
 * @returns whether there is a target to go on with
 */
function readTarget(req: IncomingMessage, head: Head): boolean {
  if (req.url === '*' && req.method === 'OPTIONS') return true
  const [, authority, rest = ''] = ABSOLUTE.exec(req.url ?? '') ?? []
  // Koa's parser throws at some targets, so none that is refused may stay.
  req.url = rest.startsWith('/') ? rest : `/${rest}`
  if (authority === undefined) return false
  req.headers.host = authority
  head.host = authority
  return true
}

function guardTarget(url: string): Problem | undefined {
  if (url === '*') return
  const path = plainPathOf(url)
  if (path === undefined) return refuse(400, 'The URL has characters that must be percent-encoded.')
  if (url.includes('%') && !isDecodable(url))
    return refuse(400, 'The percent-encoding of the URL is malformed, or is not of UTF-8.')
  if (PLAIN.test(path) || isCanonical(path, decodeURIComponent(path))) return
  const needless = 'dot segments, empty segments, backslashes, NUL, and encoded letters, digits, "-", ".", "_" and "~"'
  return refuse(400, `The path is not in its canonical form. Send it without ${needless}.`)
}

/** The path of a URL without characters to be encoded: what Koa's parser finds there, which takes longer. Else undefined. */
export function plainPathOf(url: string): string | undefined {
  if (!TEXT.test(url)) return undefined
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

const TEXT = /^\/[\x21\x22\x24-\x7e]*$/

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Is there one way to read a path, and is it this one? */
export function isCanonical(path: string, decoded: string): boolean {
  if (path.includes('//') || path.includes('\\') || decoded.includes('\0')) return false
  return !NEEDLESS.test(path) && !hasDots(decoded)
}

/** Is there a dot segment in it, once it is decoded? */
export function hasDots(decoded: string): boolean {
  return DOTS.test(decoded)
}

function refuse(status: number, detail: string): Problem {
  return problem(status, { detail })
}
