import type { IncomingMessage } from 'node:http'
import {
  among,
  type BaseContext,
  believedHops,
  type ClientAddress,
  checkOptions,
  type Decorator,
  decorator,
  type IsProxy,
  proxiesIn,
  readAddress,
} from '../src/index.ts'
import { forwardedFor } from './client-address/forwarded.ts'

export { type ClientAddress, type IsProxy, proxiesIn, readAddress } from '../src/index.ts'

/** The header in which the proxies write down whom they had a request from. */
export type ForwardingHeader = 'X-Forwarded-For' | 'Forwarded'

export interface ClientAddressOptions {
  /** The header that the proxies write. The other one is what a client likes it to be. @default 'X-Forwarded-For' */
  header?: ForwardingHeader
}

/** What `clientAddress()` adds to ctx. */
export interface WithClientAddress {
  clientAddress: ClientAddress
}

/**
 * Adds `ctx.clientAddress`: the `address` of the client, in the one way that it can be written (RFC 5952; IPv4 in IPv6's
 * clothes is IPv4, a zone goes), and its `network`, which is the address itself or the /64 of an IPv6 address.
 *
 * It believes the proxies that `kolba({ proxy })` names and nobody else: from the right, up to the first address that is
 * not a proxy's, or to what is no address. By default that is `ctx.ip`; `{ header: 'Forwarded' }` reads RFC 7239 in its
 * place, where the proxies write that. Both are empty where the connection has no address, as over a Unix socket.
 * A `rateLimit()` below it goes by what it found.
 *
 * @throws TypeError for a wrong option
 * @example app.get('/', clientAddress(), ctx => ctx.clientAddress.network)
 */
export function clientAddress(options: ClientAddressOptions = {}): Decorator<WithClientAddress> {
  checkOptions('clientAddress', options, { header: among('X-Forwarded-For', 'Forwarded') })
  const { header = 'X-Forwarded-For' } = options
  // ctx.ip is what a Koa middleware may have set.
  const byIp = (ctx: BaseContext) => readAddress(ctx.ip) ?? NOWHERE
  const byHeader = (isProxy: IsProxy) => (ctx: BaseContext) => resolveAddress(ctx.req, isProxy, options)
  const readerOf = ({ app }: Pick<BaseContext, 'app'>) =>
    header === 'Forwarded' ? byHeader(proxiesIn(app.settings.proxy)) : byIp
  return decorator<WithClientAddress>('clientAddress', (ctx, next) => next({ clientAddress: readerOf(ctx)(ctx) }), {
    register(route) {
      const read = readerOf(route)
      return (ctx, next) => next({ clientAddress: read(ctx) })
    },
  })
}

/**
 * The address of the client of a request, for where there is no ctx: a WebSocket's upgrade, a server of one's own.
 *
 * @param trusted the proxies to believe: a list of addresses and CIDR ranges, or what `proxiesIn()` has made of one,
 *   which is faster where there are many requests
 * @throws TypeError for what is no list of ranges, and for a wrong option
 * @example server.on('upgrade', req => console.log(resolveAddress(req, ['10.0.0.0/8']).address))
 */
export function resolveAddress(
  req: IncomingMessage,
  trusted: readonly string[] | IsProxy,
  options: ClientAddressOptions = {},
): ClientAddress {
  checkOptions('resolveAddress', options, { header: among('X-Forwarded-For', 'Forwarded') })
  const isProxy = typeof trusted === 'function' ? trusted : proxiesIn(trusted)
  const peer = readAddress(req.socket.remoteAddress ?? '')
  if (!peer || !isProxy(peer.address)) return peer ?? NOWHERE
  const hops = options.header === 'Forwarded' ? forwardedFor(req) : xForwardedFor(req)
  const [client] = believedHops(
    hops.map(hop => readAddress(hop)?.address ?? ''),
    isProxy,
  )
  return client === undefined ? peer : (readAddress(client) as ClientAddress)
}

const NOWHERE: ClientAddress = { address: '', network: '' }

function xForwardedFor({ headers }: IncomingMessage): string[] {
  return String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map(hop => hop.trim())
}
