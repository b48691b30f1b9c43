import { isIP } from 'node:net'

/** A client's address, in the one way that it can be written. */
export interface ClientAddress {
  /** IPv4 as it is, IPv6 as in RFC 5952, without a zone. IPv4 in IPv6's clothes is IPv4. */
  readonly address: string
  /** What one client has for its own: an IPv4 address, the /64 of an IPv6 address (RFC 6177), as `2001:db8::/64`. */
  readonly network: string
}

/** Reads an address; undefined where it is none. */
export function readAddress(text: string): ClientAddress | undefined {
  const version = isIP(text)
  if (version === 0) return undefined
  if (version === 4) return { address: text, network: text }
  // So a socket that listens on IPv6 too gives most addresses there are.
  if (text.startsWith('::ffff:') && isIP(text.slice(7)) === 4) return readAddress(text.slice(7))
  const address = canonical(text.replace(/%.*$/s, ''))
  const groups = groupsOf(address)
  const mapped = groups.slice(0, 6).join() === '0,0,0,0,0,ffff' && plain(groups.slice(6))
  if (mapped) return { address: mapped, network: mapped }
  return { address, network: `${canonical(`${groups.slice(0, 4).join(':')}::`)}/64` }
}

/** The URL standard writes IPv6 as RFC 5952 does, but for IPv4 in it. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

function groupsOf(address: string): string[] {
  const [head = [], tail = []] = address.split('::').map(half => half.split(':').filter(group => group !== ''))
  return [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
}

function plain(groups: string[]): string {
  return groups
    .map(group => Number.parseInt(group, 16))
    .flatMap(it => [it >> 8, it & 255])
    .join('.')
}
