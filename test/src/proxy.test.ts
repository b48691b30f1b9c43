import http from 'node:http'
import { isIP } from 'node:net'
import { duplexPair } from 'node:stream'
import { json as readJson } from 'node:stream/consumers'
import test from 'ava'
import { kolba } from 'kolba'
import { keepErrors } from '../support/log.ts'
import { testVectors } from '../support/vectors.ts'

interface Seen {
  ip: string
  ips: string[]
  protocol: string
  secure: boolean
  host: string
  hostname: string
  url: string
}

/** What an app with these proxies sees of a request from this address. */
async function see(
  proxy: readonly string[],
  remoteAddress: string | undefined,
  headers: Record<string, string> = {},
  more: object = {},
): Promise<Seen> {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger, proxy, ...more })
  app.get('/', function home(ctx) {
    const { ip, ips, protocol, secure, host, hostname } = ctx
    return { ip, ips, protocol, secure, host, hostname, url: ctx.urlFor('home') }
  })
  const server = app.createServer()
  const createConnection = () => {
    const [near, far] = duplexPair()
    server.emit('connection', Object.assign(far, { remoteAddress }))
    return near as never
  }
  const seen = await new Promise<Seen>((resolve, reject) => {
    const request = http.get({ headers: { host: 'inner:8080', ...headers }, createConnection }, response =>
      readJson(response).then(value => resolve(value as Seen), reject),
    )
    request.on('error', reject)
  })
  if (errors[0]) throw errors[0].err
  return seen
}

const all = {
  'X-Forwarded-For': '203.0.113.7',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'api.example.com',
}

test('without proxies no forwarded header is believed', async t => {
  t.deepEqual(await see([], '10.0.0.1', all), {
    ip: '10.0.0.1',
    ips: [],
    protocol: 'http',
    secure: false,
    host: 'inner:8080',
    hostname: 'inner',
    url: 'http://inner:8080/',
  })
})

test('from a proxy on the list -For, -Proto and -Host are believed', async t => {
  t.deepEqual(await see(['10.0.0.0/8'], '10.0.0.1', all), {
    ip: '203.0.113.7',
    ips: ['203.0.113.7'],
    protocol: 'https',
    secure: true,
    host: 'api.example.com',
    hostname: 'api.example.com',
    url: 'https://api.example.com/',
  })
})

test('from another peer none of them is believed, not even from its own mouth', async t => {
  for (const peer of ['192.0.2.1', '11.0.0.1', '::1', undefined]) {
    const { ip, protocol, host } = await see(['10.0.0.0/8'], peer, { ...all, 'X-Forwarded-For': '10.0.0.1' })
    t.deepEqual([ip, protocol, host], [peer ?? '', 'http', 'inner:8080'])
  }
})

for (const [name, header, ip, ips] of [
  ['no header', undefined, '10.0.0.1', []],
  ['an empty header', '', '10.0.0.1', []],
  ['one client', '203.0.113.7', '203.0.113.7', ['203.0.113.7']],
  ['what the client made up on the left', '1.2.3.4, 203.0.113.7', '203.0.113.7', ['203.0.113.7']],
  ['two proxies', '203.0.113.7, 10.0.0.2', '203.0.113.7', ['203.0.113.7', '10.0.0.2']],
  ['proxies alone', '10.0.0.3,10.0.0.2', '10.0.0.3', ['10.0.0.3', '10.0.0.2']],
  ['a made up one before two proxies', '1.2.3.4, 203.0.113.7, 10.0.0.2', '203.0.113.7', ['203.0.113.7', '10.0.0.2']],
  ['a name', 'client', '10.0.0.1', []],
  ['a name behind a proxy', 'client, 10.0.0.2', '10.0.0.2', ['10.0.0.2']],
  ['a client left of a name', '203.0.113.7, unknown, 10.0.0.2', '10.0.0.2', ['10.0.0.2']],
  ['a client left of nothing', '203.0.113.7,, 10.0.0.2', '10.0.0.2', ['10.0.0.2']],
  ['a port', '203.0.113.7:80', '10.0.0.1', []],
  ['a number', '3405803783', '10.0.0.1', []],
  ['octal', '0203.0.113.7', '10.0.0.1', []],
  ['markup', '<script>', '10.0.0.1', []],
  ['IPv6', '2001:db8::7', '2001:db8::7', ['2001:db8::7']],
  ['IPv6 in brackets', '[2001:db8::7]', '10.0.0.1', []],
  ['a proxy of IPv6', '203.0.113.7, fd00::2', '203.0.113.7', ['203.0.113.7', 'fd00::2']],
  ['IPv4 in IPv6', '203.0.113.7, ::ffff:10.0.0.2', '203.0.113.7', ['203.0.113.7', '10.0.0.2']],
  ['IPv4 in IPv6, as hexadecimal', '203.0.113.7, ::ffff:a00:2', '203.0.113.7', ['203.0.113.7', '::ffff:a00:2']],
] as const) {
  test(`X-Forwarded-For with ${name} is read from the right`, async t => {
    const headers = header === undefined ? {} : { 'X-Forwarded-For': header }
    const seen = await see(['10.0.0.0/8', 'fd00::/8'], '10.0.0.1', headers)
    t.is(seen.ip, ip)
    t.deepEqual(seen.ips, [...ips])
  })
}

test('the peer may come as IPv4 in IPv6, as IPv6, and with a zone', async t => {
  const from = async (proxy: string, peer: string) => (await see([proxy], peer, all)).ip
  t.is(await from('10.0.0.1', '::ffff:10.0.0.1'), '203.0.113.7')
  t.is(await from('fd00::1', 'fd00::1'), '203.0.113.7')
  t.is(await from('fd00::/8', 'fd12:3456::1'), '203.0.113.7')
  t.is(await from('fd00::/8', 'fe80::1'), 'fe80::1')
  t.is(await from('fe80::/10', 'fe80::1%eth0'), '203.0.113.7')
  t.is(await from('fd00::/8', 'fe80::1%eth0'), 'fe80::1%eth0')
})

test('X-Forwarded-Proto is http or https, the last that was said', async t => {
  const protocol = async (header: string) =>
    (await see(['10.0.0.1'], '10.0.0.1', { 'X-Forwarded-Proto': header })).protocol
  t.is(await protocol('HTTPS'), 'https')
  t.is(await protocol('http, https'), 'https')
  t.is(await protocol('https, http'), 'http')
  for (const odd of ['', 'javascript', 'https:', 'wss', 'https;']) t.is(await protocol(odd), 'http', odd)
})

test('X-Forwarded-Host is a host, the last that was said', async t => {
  const host = async (header: string) => (await see(['10.0.0.1'], '10.0.0.1', { 'X-Forwarded-Host': header })).host
  t.is(await host('a.example:8443'), 'a.example:8443')
  t.is(await host('[::1]:80'), '[::1]:80')
  t.is(await host('evil.example, a.example'), 'a.example')
  for (const odd of ['', 'a/b', 'user@a', 'a b', 'a:b:c', '[[', '<a>', 'a?', '::1'])
    t.is(await host(odd), 'inner:8080', odd)
})

test('the list of hosts is held against the host that is believed', async t => {
  const hosts = ['api.example.com']
  t.is((await see(['10.0.0.1'], '10.0.0.1', all, { hosts })).host, 'api.example.com')
  for (const [peer, header] of [
    ['10.0.0.1', 'evil.example'],
    ['192.0.2.1', 'api.example.com'],
  ] as const) {
    const refused: unknown = await see(['10.0.0.1'], peer, { 'X-Forwarded-Host': header }, { hosts })
    t.like(refused as object, { status: 421, title: 'Misdirected Request' })
  }
})

test('kolba() refuses to trust every client, and what is no range', t => {
  const words = "Give a list of addresses or CIDR ranges, ['10.0.0.0/8']; to believe every client is not offered."
  for (const [proxy, shown] of [
    [true, 'true'],
    ['10.0.0.1', '"10.0.0.1"'],
    [1, '1'],
    [['*'], 'a list'],
    [['loopback'], 'a list'],
    [['10.0.0.0/33'], 'a list'],
    [['10.0.0.0/'], 'a list'],
    [['10.0.0.0/8/8'], 'a list'],
    [['10.0.0.0/-1'], 'a list'],
    [['10.0.0.0/255.0.0.0'], 'a list'],
    [['::1/129'], 'a list'],
    [['fe80::1%eth0'], 'a list'],
    [['10.0.0'], 'a list'],
    [['0.0.0.0/0'], 'a list'],
    [['::/0'], 'a list'],
    [[undefined], 'a list'],
  ] as const) {
    t.throws(() => void kolba({ proxy: proxy as never }), {
      instanceOf: TypeError,
      message: `kolba: the option proxy is ${shown}. ${words}`,
    })
  }
})

interface Case {
  fn: 'addr' | 'all' | 'compile'
  remote?: string
  xff?: string
  trust?: string | string[] | number
  result?: string | string[]
  throws?: string
}

/**
 * Differences, by design: `compile` must be a list of addresses and CIDR ranges, so names and netmasks are refused; a
 * hop that is no address ends the chain instead of being the client; and without a list nobody is trusted.
 */
testVectors('proxies are trusted as by proxy-addr', 'client-ip/proxy-addr.json', async (t, text) => {
  const counts = { same: 0, refused: 0, invalid: 0, untrusted: 0 }
  for (const { fn, remote, xff, trust, result, throws } of JSON.parse(text) as Case[]) {
    const what = JSON.stringify({ fn, remote, xff, trust })
    const proxy = [trust].flat() as string[]
    if (trust === undefined && !throws) {
      const { ip } = await see([], remote, xff ? { 'X-Forwarded-For': xff } : {})
      t.is(ip, remote as string, what)
      counts.untrusted += 1
    } else if (throws || proxy.some(it => /^[a-z]+$|\/255\./.test(it))) {
      t.throws(() => void kolba({ proxy }), { instanceOf: TypeError }, what)
      counts.refused += 1
    } else {
      const { ip, ips } = await see(proxy, remote, xff ? { 'X-Forwarded-For': xff } : {})
      const ours = fn === 'all' ? [ip, ...ips.slice(1), remote].reverse() : ip
      const theirs = [result ?? ''].flat() as string[]
      if (fn === 'addr' && theirs[0] && isIP(theirs[0]) === 0) {
        t.not(ip, theirs[0], what)
        counts.invalid += 1
      } else if (fn === 'all') {
        t.deepEqual(ips.length > 0 ? ours : [remote], theirs, what)
        counts.same += 1
      } else {
        t.is(ip, theirs[0] as string, what)
        counts.same += 1
      }
    }
  }
  t.log(counts)
})

test('a Koa middleware may set ctx.ip, with proxies too', async t => {
  for (const proxy of [[], ['127.0.0.1']]) {
    const app = kolba({ proxy })
    app.use((ctx, next) => {
      ctx.request.ip = '192.0.2.1'
      return next()
    })
    app.get('/', ctx => ctx.ip)
    t.is(await (await app.client().get('/')).text(), '192.0.2.1')
  }
})

test('app.proxy cannot be set to believe everyone', async t => {
  const app = kolba()
  t.false(app.proxy)
  t.throws(() => Object.assign(app, { proxy: true }), {
    instanceOf: TypeError,
    message: "proxy: name the proxies to believe, kolba({ proxy: ['10.0.0.0/8'] }).",
  })
  app.get('/', ctx => [ctx.ip, ctx.protocol])
  const headers = { 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'https' }
  t.deepEqual(await (await app.client().get('/', { headers })).json(), ['127.0.0.1', 'http'])
})
