import { BlockList, isIP } from 'node:net'
import type Koa from 'koa'
import { HOST } from './guard.ts'

/** `10.0.0.1` or `10.0.0.0/8` or `fd00::/8`, and not everybody: `0.0.0.0/0`. */
export function isAddressRange(value: unknown): boolean {
  if (typeof value !== 'string') return false
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (version === 4 ? 32 : 128))
  )
}

/** Is it the address of a proxy that is believed? */
export type IsProxy = (address: string) => boolean

/**
 * Makes a function that says whether an address is in one of these ranges, `['10.0.0.0/8', '2001:db8::1']`.
 *
 * @throws TypeError for what is no list of ranges, and for all addresses there are
 */
export function proxiesIn(ranges: readonly string[]): IsProxy {
  if (!Array.isArray(ranges) || !ranges.every(isAddressRange))
    throw new TypeError("proxiesIn: these are no proxies. Give a list of addresses or CIDR ranges, ['10.0.0.0/8'].")
  const proxies = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (bits === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(bits), family)
  }
  return address => proxies.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Of the hops that a header lists, those that are to be believed: read from the right, up to the first that is not a
 * proxy's, which is the client. What is no address ends the list.
 */
export function believedHops(hops: readonly string[], isProxy: IsProxy): string[] {
  const believed: string[] = []
  for (const hop of [...hops].reverse()) {
    if (isIP(hop) === 0) break
    believed.unshift(hop)
    if (!isProxy(hop)) break
  }
  return believed
}

/**
 * Makes Koa's `ip`, `ips`, `protocol` and `host` believe X-Forwarded headers as far as they come from these proxies:
 * X-Forwarded-For is read from the right, and the first address that is not a proxy's is the client.
 */
export function trustProxies(request: Koa.BaseRequest, ranges: readonly string[]): void {
  const isProxy = proxiesIn(ranges)
  const peer = (it: Koa.Request) => plain(it.req.socket.remoteAddress ?? '')
  const forwarded = (it: Koa.Request, name: string) =>
    (isProxy(peer(it)) ? it.get(name) : '').split(',').map(s => s.trim())
  const inherited = Object.getPrototypeOf(request)
  const koas = (name: string) => Object.getOwnPropertyDescriptor(inherited, name)?.get as (this: Koa.Request) => string

  const getters = {
    ips(this: Koa.Request) {
      return believedHops(forwarded(this, 'X-Forwarded-For').map(plain), isProxy)
    },
    ip(this: Koa.Request) {
      return this.ips[0] ?? peer(this)
    },
    protocol(this: Koa.Request) {
      const protocol = forwarded(this, 'X-Forwarded-Proto').at(-1)?.toLowerCase()
      return protocol === 'https' || protocol === 'http' ? protocol : koas('protocol').call(this)
    },
    host(this: Koa.Request) {
      const host = forwarded(this, 'X-Forwarded-Host').at(-1) ?? ''
      return HOST.test(host) ? host : koas('host').call(this)
    },
  }
  for (const [name, get] of Object.entries(getters)) {
    Object.defineProperty(request, name, { get, configurable: true })
  }
  // Koa lets middleware set the address.
  const set = function (this: Koa.Request, value: string) {
    Object.defineProperty(this, 'ip', { value, configurable: true, writable: true })
  }
  Object.defineProperty(request, 'ip', { set })
}

/** Koa's `ctx.host`, which takes a Host apart at its commas: nearly none has one, and it is asked for with each link. */
export function readHosts(request: Koa.BaseRequest): void {
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(request), 'host') as { get(): string }
  function host(this: Koa.Request): string {
    const { headers, httpVersionMajor } = this.req
    const { host } = headers
    return httpVersionMajor === 1 && host !== undefined && !host.includes(',') ? host : get.call(this)
  }
  Object.defineProperty(request, 'host', { get: host, configurable: true })
}

/** An IPv4 address as such, where the socket gives it in IPv6's clothes. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}
