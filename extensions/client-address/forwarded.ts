import type { IncomingMessage } from 'node:http'

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"'
const PAIR = new RegExp(`^(${TOKEN})=(${TOKEN}|${QUOTED})$`)
/** An address, or an IPv6 address in brackets, with a port or the name of one; section 6. */
const NODE = /^(?:\[([\da-f.]*:[\da-f:.]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/i

/**
 * The `for` of each hop in `Forwarded`, RFC 7239 section 4, as an address; empty where there is none, or where it is
 * `unknown`, a name of the proxy's own (section 6.3), or malformed, which ends what can be believed.
 *
 * Each hop is read by itself, up to its commas, quoted ones included: no address has one, and so nothing that a client
 * has written can swallow what a proxy wrote behind it.
 */
export function forwardedFor({ headers }: IncomingMessage): string[] {
  return String(headers.forwarded ?? '')
    .split(',')
    .map(readHop)
}

function readHop(hop: string): string {
  const pairs = hop.split(';').map(pair => PAIR.exec(pair.trim()))
  const nodes = pairs.filter(pair => pair?.[1]?.toLowerCase() === 'for')
  if (nodes.length !== 1 || pairs.includes(null)) return ''
  const [, ipv6, ipv4] = NODE.exec(unquote(nodes[0]?.[2] ?? '')) ?? []
  return ipv6 ?? ipv4 ?? ''
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
