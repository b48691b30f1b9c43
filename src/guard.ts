import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { BaseContext } from './context.ts'
import { type Problem, problem } from './problem.ts'
import { requestIds } from './request-id.ts'
import type { Settings } from './settings.ts'
import { type Shaped, target, targetPath } from './shaped.ts'

// What is refused before anything looks at the request, because two layers might read it differently (a guard and
// what it guards, a cache and its origin), or because Node would drop it silently.

// A name in a Host may have a comma, by the letter; but so do two Hosts that somebody joined, and Koa takes the first.
export const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+;=%-]+)(?::\d{0,5})?$/i
/** A path with nothing to look at twice: no percent, no dot at the start of a segment, no empty segment. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)*\/?$/
/** What stands in a URL as it is, and the same without a percent, of which there is something to decode. */
const TEXT = /^\/[\x21\x22\x24-\x7e]*$/
const PLAIN_TEXT = /^\/[\x21\x22\x24\x26-\x7e]*$/
const DOTS = /(?:^|[/\\])\.{1,2}(?:[/\\]|$)/
/** A percent-encoded letter, digit, hyphen, dot, underscore or tilde: RFC 3986 section 6.2.2.2 writes them plainly. */
const NEEDLESS = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/i

/** An absolute request target: its authority, and what follows. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i
const EXPECTED = /(?:^|\W)100-continue(?:$|\W)/i

/**
 * How an app lets requests in, and names them. It reads the lines of a head as they came, once: `req.headers` is made of
 * all of them when somebody asks for it.
 *
 * @returns a function that gives the problem with the head of a request, or undefined
 */
export function guardOf({ limits, hosts }: Settings): (ctx: BaseContext) => Problem | undefined {
  const requestIdOf = requestIds()
  /** Most requests name the host of the one before. */
  let known: string | undefined

  return function guard(ctx) {
    const { req } = ctx
    if (req.rawHeaders.length === 0) req.rawHeaders = linesOf(req.headers)
    const { rawHeaders } = req
    let host: string | undefined
    let hostLines = 0
    let expect: string | undefined
    let id: string | undefined
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const name = rawHeaders[index] as string
      if (name === 'Host' || (name.length === 4 && name.toLowerCase() === 'host')) {
        host = rawHeaders[index + 1]
        hostLines += 1
      } else if (name.length === 6 && name.toLowerCase() === 'expect') {
        expect = rawHeaders[index + 1]
      } else if (name.length === 12 && name.toLowerCase() === 'x-request-id') {
        // Of two, none is known to be the one that is meant.
        id = id === undefined ? rawHeaders[index + 1] : ''
      }
    }
    ctx.requestId = requestIdOf(id)
    if (req.url?.[0] !== '/') {
      const target = readTarget(req)
      if (!target) return refuse(400, 'The request target is neither a path nor an absolute URL.')
      host = target.host ?? host
    }
    const { url = '' } = req
    if (rawHeaders.length > limits.headers * 2) return refuse(431, `Send at most ${limits.headers} header fields.`)
    if (url.length > limits.url) return refuse(414, `Send a URL of at most ${limits.url} bytes.`)
    if (hostLines > 1 || (hostLines === 0 && req.httpVersion === '1.1')) return refuse(400, 'Send one Host header.')
    if (host !== undefined && host !== known) {
      if (!HOST.test(host)) return refuse(400, 'The Host header is not a host with an optional port.')
      known = host
    }
    if (hosts && !hosts.includes(ctx.host.toLowerCase()))
      return refuse(421, 'This server does not answer for that host.')
    if (expect !== undefined && !EXPECTED.test(expect) && req.httpVersion === '1.1')
      return refuse(417, 'Only "Expect: 100-continue" is understood.')
    // What has a query, or anything else that is not plain, is looked at once more.
    const path = PLAIN.test(url) ? url : plainIn(url)
    if (path === undefined) return guardTarget(url)
    const its = ctx as Shaped
    its[target] = url
    its[targetPath] = path
  }
}

/** The lines of a head that no server of Node's has read, as adapters of serverless platforms make it. */
function linesOf(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(line => [name, line]))
}

/**
 * Makes an absolute target a path, and its authority the host, which counts instead of the header's (RFC 9112 section
 * 3.2.2): so whatever looks at the request later sees the same one.
 *
 * @returns the host where it says one, or undefined where there is no target to go on with
 */
function readTarget(req: IncomingMessage): { host?: string } | undefined {
  if (req.url === '*' && req.method === 'OPTIONS') return {}
  const [, host, rest = ''] = ABSOLUTE.exec(req.url ?? '') ?? []
  // Koa's parser throws at some targets, so none that is refused may stay.
  req.url = rest.startsWith('/') ? rest : `/${rest}`
  if (host === undefined) return undefined
  req.headers.host = host
  return { host }
}

/** @throws the problem with its percent-encoding */
function guardTarget(url: string): Problem | undefined {
  if (url === '*') return
  const path = plainPathOf(url)
  if (path === undefined) return refuse(400, 'The URL has characters that must be percent-encoded.')
  // Of the query, too.
  if (url.includes('%')) decode(url)
  if (PLAIN.test(path) || isCanonical(path, decode(path))) return
  const needless = 'dot segments, empty segments, backslashes, NUL, and encoded letters, digits, "-", ".", "_" and "~"'
  return refuse(400, `The path is not in its canonical form. Send it without ${needless}.`)
}

/** The path of a URL without characters to be encoded: what Koa's parser finds there, which takes longer. Else undefined. */
export function plainPathOf(url: string): string | undefined {
  return TEXT.test(url) ? pathIn(url) : undefined
}

/** The path in front of a query, where there is nothing in either to look at twice. */
function plainIn(url: string): string | undefined {
  const path = pathIn(url)
  return path !== url && PLAIN_TEXT.test(url) && PLAIN.test(path) ? path : undefined
}

function pathIn(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** @throws the problem with a percent-encoding that is malformed, or is not of UTF-8 */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(400, 'The percent-encoding of the URL is malformed, or is not of UTF-8.')
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
