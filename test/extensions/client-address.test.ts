import http, { type IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { duplexPair } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import test from 'ava'
import fc from 'fast-check'
import { kolba } from 'kolba'
import { type ClientAddressOptions, clientAddress, proxiesIn, resolveAddress } from 'kolba/client-address'
import { json } from 'kolba/json'
import { testVectors } from '../support/vectors.js'

/** What a request from this peer, with these headers, is resolved to. */
function resolve(
  remoteAddress: string | undefined,
  trusted: readonly string[],
  headers: Record<string, string>,
  options?: ClientAddressOptions,
): string {
  const req = { socket: { remoteAddress }, headers } as unknown as IncomingMessage
  const { address } = resolveAddress(req, trusted, options)
  return address
}

const PROXIES = ['10.0.0.0/8', 'fd00::/8']
const byForwarded = (forwarded: string, peer = '10.0.0.1') =>
  resolve(peer, PROXIES, { forwarded }, { header: 'Forwarded' })

for (const [header, address] of [
  ['for=203.0.113.7', '203.0.113.7'],
  ['For="203.0.113.7"', '203.0.113.7'],
  ['for="203.0.113.7:4711"', '203.0.113.7'],
  ['for="203.0.113.7:_port"', '203.0.113.7'],
  ['for="[2001:DB8:cafe::17]:4711"', '2001:db8:cafe::17'],
  ['for="[2001:db8:cafe::17]"', '2001:db8:cafe::17'],
  ['for="\\2\\0\\3.0.113.7"', '203.0.113.7'],
  ['for=203.0.113.7;proto=https;by=203.0.113.43', '203.0.113.7'],
  ['proto=https ; for=203.0.113.7', '203.0.113.7'],
  ['for=1.2.3.4, for=203.0.113.7', '203.0.113.7'],
  ['for=203.0.113.7, for=10.0.0.2', '203.0.113.7'],
  ['for=203.0.113.7,for="[fd00::2]";by=_b', '203.0.113.7'],
  ['for=10.0.0.3, for=10.0.0.2', '10.0.0.3'],
  ['for="[::ffff:203.0.113.7]"', '203.0.113.7'],
  // What a proxy does not say ends what is believed: it was the proxy itself.
  ['', '10.0.0.1'],
  ['for=unknown', '10.0.0.1'],
  ['for=_hidden', '10.0.0.1'],
  ['for="_SEVKISEK"', '10.0.0.1'],
  ['by=203.0.113.7', '10.0.0.1'],
  ['for=1.2.3.4, for=unknown, for=10.0.0.2', '10.0.0.2'],
  ['for=1.2.3.4, for=10.0.0.2,', '10.0.0.1'],
  // Malformed: section 4 has quotes around a colon, one `for` in an element, and pairs alone.
  ['for=[2001:db8::1]', '10.0.0.1'],
  ['for=203.0.113.7:80', '10.0.0.1'],
  ['for="2001:db8::1"', '10.0.0.1'],
  ['for="[203.0.113.7]"', '10.0.0.1'],
  ['for="203.0.113.7:123456"', '10.0.0.1'],
  ['for="203.0.113.7', '10.0.0.1'],
  ['for=1.2.3.4;for=203.0.113.7', '10.0.0.1'],
  ['for=203.0.113.7;secure', '10.0.0.1'],
  ['for = 203.0.113.7', '10.0.0.1'],
  ['203.0.113.7', '10.0.0.1'],
  // What a client writes swallows nothing of what the proxy writes behind it.
  ['for=", for=203.0.113.7', '203.0.113.7'],
  ['for="\\, for=203.0.113.7', '203.0.113.7'],
  ['for="x, for="[2001:db8::1]"', '2001:db8::1'],
  ['for=1.2.3.4, for=";by="y, for=203.0.113.7', '203.0.113.7'],
] as const) {
  test(`resolveAddress() reads Forwarded: ${header}`, t => {
    t.is(byForwarded(header), address)
    t.is(byForwarded(header, '192.0.2.1'), '192.0.2.1')
    t.is(resolve('10.0.0.1', [], { forwarded: header }, { header: 'Forwarded' }), '10.0.0.1')
  })
}

test('resolveAddress() reads one header, and never the other', t => {
  const headers = { forwarded: 'for=203.0.113.7', 'x-forwarded-for': '203.0.113.8' }
  t.is(resolve('10.0.0.1', PROXIES, headers, { header: 'Forwarded' }), '203.0.113.7')
  t.is(resolve('10.0.0.1', PROXIES, headers, { header: 'X-Forwarded-For' }), '203.0.113.8')
  t.is(resolve('10.0.0.1', PROXIES, headers), '203.0.113.8')
  t.is(resolve('10.0.0.1', PROXIES, { forwarded: 'for=203.0.113.7' }), '10.0.0.1')
})

test('resolveAddress() takes what proxiesIn() has made', t => {
  const req = { socket: { remoteAddress: '::ffff:10.0.0.1' }, headers: { 'x-forwarded-for': '2001:DB8::7' } }
  const found = resolveAddress(req as never, proxiesIn(PROXIES))
  t.deepEqual(found, { address: '2001:db8::7', network: '2001:db8::/64' })
})

test('resolveAddress() gives nothing where the connection has no address', t => {
  t.is(resolve(undefined, PROXIES, { 'x-forwarded-for': '203.0.113.7' }), '')
  t.is(resolve('', PROXIES, { forwarded: 'for=203.0.113.7' }, { header: 'Forwarded' }), '')
})

test('resolveAddress() survives whatever a header has', t => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'for=by;,"\\[]:. 127af%_'), { maxLength: 60 }), all => {
      const header = all.join('')
      for (const options of [{ header: 'Forwarded' }, {}] as const) {
        const address = resolve('10.0.0.1', PROXIES, { forwarded: header, 'x-forwarded-for': header }, options)
        t.regex(address, /^[\da-f:.]+$/)
      }
    }),
  )
})

test('resolveAddress() and clientAddress() refuse wrong arguments', t => {
  t.throws(() => resolve('10.0.0.1', ['loopback'], {}), {
    instanceOf: TypeError,
    message: "proxiesIn: these are no proxies. Give a list of addresses or CIDR ranges, ['10.0.0.0/8'].",
  })
  t.throws(() => proxiesIn(true as never), { instanceOf: TypeError, message: /^proxiesIn: these are no proxies/ })
  t.throws(() => proxiesIn(['0.0.0.0/0']), { instanceOf: TypeError })
  t.throws(() => resolve('10.0.0.1', [], {}, { header: 'forwarded' as never }), {
    instanceOf: TypeError,
    message: 'resolveAddress: the option header is "forwarded". Give one of "X-Forwarded-For" and "Forwarded".',
  })
  t.throws(() => clientAddress({ header: 'X-Real-IP' as never }), {
    instanceOf: TypeError,
    message: 'clientAddress: the option header is "X-Real-IP". Give one of "X-Forwarded-For" and "Forwarded".',
  })
  t.throws(() => clientAddress({ proxy: [] } as never), {
    instanceOf: TypeError,
    message: 'clientAddress: the option "proxy" is unknown. It takes header.',
  })
})

/** What clientAddress() adds for a request from this peer. */
async function seen(
  remoteAddress: string | undefined,
  headers: Record<string, string> = {},
  options?: ClientAddressOptions,
  isUse = false,
): Promise<unknown> {
  const app = kolba({ proxy: PROXIES })
  if (isUse) app.use(clientAddress(options))
  if (isUse) app.get('/', json(), ctx => (ctx as unknown as { clientAddress: object }).clientAddress)
  else app.get('/', json(), clientAddress(options), ctx => ctx.clientAddress)
  const server = app.createServer()
  const createConnection = () => {
    const [near, far] = duplexPair()
    server.emit('connection', Object.assign(far, { remoteAddress }))
    return near as never
  }
  const text = await new Promise<string>((resolve, reject) => {
    http.get({ headers: { host: 'a', ...headers }, createConnection }, it => resolve(readText(it))).on('error', reject)
  })
  return JSON.parse(text)
}

test('clientAddress() adds the address of the client, and its network', async t => {
  t.deepEqual(await seen('192.0.2.1'), { address: '192.0.2.1', network: '192.0.2.1' })
  t.deepEqual(await seen('::ffff:192.0.2.1'), { address: '192.0.2.1', network: '192.0.2.1' })
  t.deepEqual(await seen('fe80::1%eth0'), { address: 'fe80::1', network: 'fe80::/64' })
  t.deepEqual(await seen(undefined), { address: '', network: '' })
  t.deepEqual(await seen('10.0.0.1', { 'X-Forwarded-For': '1.2.3.4, 2001:DB8:0:0:1::7' }), {
    address: '2001:db8::1:0:0:7',
    network: '2001:db8::/64',
  })
})

test('clientAddress() goes by Forwarded where it is told to, in a stack and in app.use', async t => {
  const headers = { Forwarded: 'for=203.0.113.7', 'X-Forwarded-For': '203.0.113.8' }
  for (const isUse of [false, true]) {
    const from = { address: '203.0.113.7', network: '203.0.113.7' }
    t.deepEqual(await seen('10.0.0.1', headers, { header: 'Forwarded' }, isUse), from)
    t.deepEqual(await seen('10.0.0.1', headers, {}, isUse), { address: '203.0.113.8', network: '203.0.113.8' })
    t.deepEqual(await seen('192.0.2.1', headers, {}, isUse), { address: '192.0.2.1', network: '192.0.2.1' })
  }
})

test('clientAddress() works in a composition that is called by itself', async t => {
  const app = kolba()
  const inner = clientAddress({ header: 'Forwarded' })(ctx => ctx.clientAddress.address)
  app.get('/', ctx => inner(ctx))
  t.is(await (await app.client().get('/')).text(), '127.0.0.1')
})

interface Case {
  fn: 'addr' | 'all' | 'compile'
  remote?: string
  xff?: string
  trust?: string | string[]
  result?: string | string[]
  throws?: string
}

/**
 * Differences, by design: `trusted` is a list of addresses and CIDR ranges, so names, netmasks and functions of depth are
 * refused; without a list nobody is trusted; and a hop that is no address (RFC 7239 section 6.3) ends the chain in place
 * of being the client.
 */
testVectors('resolveAddress() finds the address that proxy-addr finds', 'client-ip/proxy-addr.json', (t, text) => {
  const counts = { same: 0, refused: 0, invalid: 0, untrusted: 0 }
  for (const { fn, remote, xff, trust, result, throws } of JSON.parse(text) as Case[]) {
    const what = JSON.stringify({ fn, remote, xff, trust })
    const trusted = [trust].flat() as string[]
    const headers: Record<string, string> = xff ? { 'x-forwarded-for': xff } : {}
    if (trust === undefined && !throws) {
      t.is(resolve(remote, [], headers), remote as string, what)
      counts.untrusted += 1
    } else if (throws || trusted.some(it => /^[a-z]+$|\/255\./.test(it))) {
      t.throws(() => proxiesIn(trusted), { instanceOf: TypeError }, what)
      counts.refused += 1
    } else {
      // Of `all` the client is the last.
      const theirs = [result ?? ''].flat().at(-1) as string
      const ours = resolve(remote, trusted, headers)
      const isAddress = theirs === '' || isIP(theirs) > 0
      if (isAddress) t.is(ours, theirs, what)
      else t.not(ours, theirs, what)
      counts[isAddress ? 'same' : 'invalid'] += 1
    }
  }
  t.deepEqual(counts, { same: 22, refused: 13, invalid: 3, untrusted: 3 })
})

/**
 * `forwarded` lists every hop, whoever wrote it; where all are trusted the last of its list is our client. It takes an
 * empty hop for none, where RFC 7239 has no such element and we end the chain: nobody said where it came from.
 */
testVectors('resolveAddress() walks the hops that forwarded lists', 'client-ip/forwarded.json', (t, text) => {
  const all = ['127.0.0.0/8', '10.0.0.0/8']
  const found = (JSON.parse(text) as Case[]).map(({ remote, xff, result }) => {
    const headers: Record<string, string> = xff ? { 'x-forwarded-for': xff } : {}
    return [xff, resolve(remote, all, headers), (result as string[]).at(-1)]
  })
  t.deepEqual(found, [
    [undefined, '127.0.0.1', '127.0.0.1'],
    ['10.0.0.2, 10.0.0.1', '10.0.0.2', '10.0.0.2'],
    ['10.0.0.2,, 10.0.0.1', '10.0.0.1', '10.0.0.2'],
    ['10.0.0.2 ,  , 10.0.0.1', '10.0.0.1', '10.0.0.2'],
  ])
})
