// What is read of a request, and what may be set on it: each getter, setter and method of Koa's request, on ctx.request
// and where Koa delegates to it on ctx.
import test from 'ava'
import type Koa from 'koa'
import { appOf, isStable, type Reading, talk, testReadings } from '../support/beside-koa.ts'
import { DIFFERENCES } from '../support/koa-differences.ts'

const page = { path: '/a/b?c=1&d=2&c=3' }
const absolute = { path: 'http://example.org/a?b=1' }
const accepting = (headers: Record<string, string>) => ({ headers })

testReadings({
  'ctx.header and headers are those of req': {
    ask: { headers: { 'X-A': 'b' } },
    read: ctx => [
      ctx.header === ctx.req.headers,
      ctx.headers === ctx.req.headers,
      ctx.request.header === ctx.req.headers,
      ctx.request.headers === ctx.req.headers,
      ctx.header['x-a'],
    ],
    is: [true, true, true, true, 'b'],
  },
  'ctx.request.header and headers may be set': {
    read: ctx => {
      ctx.request.header = { 'x-a': 'set' }
      const first = ctx.get('X-A')
      ctx.request.headers = { 'x-a': 'again' }
      return [first, ctx.get('X-A'), ctx.req.headers]
    },
    is: ['set', 'again', { 'x-a': 'again' }],
  },
  'ctx.get() takes any case, and gives an empty string for what is not there': {
    ask: { headers: { 'X-A': 'b' } },
    read: ctx => [ctx.get('x-a'), ctx.get('X-A'), ctx.request.get('X-a'), ctx.get('X-None')],
    is: ['b', 'b', 'b', ''],
  },
  'ctx.get() knows Referer by both spellings': {
    ask: { headers: { Referer: 'http://a.example/' } },
    read: ctx => [ctx.get('Referer'), ctx.get('Referrer')],
    is: ['http://a.example/', 'http://a.example/'],
  },
  'ctx.get() takes Referrer too': {
    ask: { headers: { Referrer: 'http://a.example/' } },
    read: ctx => [ctx.get('Referer'), ctx.get('Referrer')],
    is: ['http://a.example/', 'http://a.example/'],
  },
  'ctx.url is that of req, and may be set': {
    ask: page,
    read: ctx => {
      const first = [ctx.url, ctx.request.url]
      ctx.url = '/new?e=5'
      return [...first, ctx.url, ctx.req.url, ctx.path, ctx.querystring, ctx.originalUrl, ctx.request.originalUrl]
    },
    is: [page.path, page.path, '/new?e=5', '/new?e=5', '/new', 'e=5', page.path, page.path],
  },
  'ctx.request.url may be set': {
    ask: page,
    read: ctx => {
      ctx.request.url = '/new'
      return [ctx.url, ctx.path, ctx.search]
    },
    is: ['/new', '/new', ''],
  },
  'ctx.method is that of req, and may be set': {
    ask: { method: 'PUT' },
    read: ctx => {
      const first = [ctx.method, ctx.request.method]
      ctx.method = 'PATCH'
      return [...first, ctx.method, ctx.req.method]
    },
    is: ['PUT', 'PUT', 'PATCH', 'PATCH'],
  },
  'ctx.path may be set, and the query stays': {
    ask: page,
    read: ctx => {
      const first = [ctx.path, ctx.request.path]
      ctx.path = '/new'
      return [...first, ctx.path, ctx.url, ctx.originalUrl]
    },
    is: ['/a/b', '/a/b', '/new', '/new?c=1&d=2&c=3', page.path],
  },
  'ctx.path set to what it is changes nothing': {
    ask: page,
    read: ctx => {
      ctx.path = '/a/b'
      return ctx.url
    },
    is: page.path,
  },
  'ctx.query has lists for names that come twice': {
    ask: page,
    read: ctx => [{ ...ctx.query }, { ...ctx.request.query }],
    is: [
      { c: ['1', '3'], d: '2' },
      { c: ['1', '3'], d: '2' },
    ],
  },
  'ctx.query decodes names and values': {
    ask: { path: '/?a%20b=c+d&e=%C3%A9&f&g=&h=1;2' },
    read: ctx => ({ ...ctx.query }),
    is: { 'a b': 'c d', e: 'é', f: '', g: '', h: '1;2' },
  },
  'ctx.query is empty without one': { read: ctx => ({ ...ctx.query }), is: {} },
  'ctx.query is the same object each time, and may be changed': {
    ask: page,
    read: ctx => {
      const { query } = ctx
      query.d = 'changed'
      return [ctx.query === query, ctx.request.query === query, ctx.query.d]
    },
    is: [true, true, 'changed'],
  },
  'ctx.query is read again when the URL has changed': {
    ask: page,
    read: ctx => {
      const first = ctx.query.d
      ctx.url = '/?d=5'
      return [first, ctx.query.d]
    },
    is: ['2', '5'],
  },
  'ctx.query may be set': {
    ask: page,
    read: ctx => {
      ctx.query = { page: '2', tag: ['a', 'b'], size: 3, all: true, none: null } as never
      return [ctx.url, ctx.querystring, { ...ctx.query }]
    },
    is: [
      '/a/b?page=2&tag=a&tag=b&size=3&all=true&none=',
      'page=2&tag=a&tag=b&size=3&all=true&none=',
      { page: '2', tag: ['a', 'b'], size: '3', all: 'true', none: '' },
    ],
  },
  'ctx.query has names that are something else elsewhere': {
    ask: { path: '/?__proto__=a&constructor=b&toString=c' },
    read: ctx => Object.entries(ctx.query),
    is: [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ],
  },
  'ctx.query has no prototype': {
    read: ctx => [Object.getPrototypeOf(ctx.query) === null, 'toString' in ctx.query],
    is: [false, true],
    kolba: { is: [true, false], by: 'query' },
  },
  'ctx.querystring may be set': {
    ask: page,
    read: ctx => {
      const first = [ctx.querystring, ctx.request.querystring]
      ctx.querystring = 'e=5'
      return [...first, ctx.querystring, ctx.url, ctx.search, ctx.query.e, ctx.originalUrl]
    },
    is: ['c=1&d=2&c=3', 'c=1&d=2&c=3', 'e=5', '/a/b?e=5', '?e=5', '5', page.path],
  },
  'ctx.search may be set, with its mark and without': {
    ask: page,
    read: ctx => {
      const first = [ctx.search, ctx.request.search]
      ctx.search = '?e=5'
      const second = [ctx.search, ctx.querystring, ctx.url]
      ctx.search = 'f=6'
      return [...first, ...second, ctx.search, ctx.url]
    },
    is: ['?c=1&d=2&c=3', '?c=1&d=2&c=3', '?e=5', 'e=5', '/a/b?e=5', '?f=6', '/a/b?f=6'],
  },
  'ctx.search and querystring are empty without a query': {
    ask: { path: '/a' },
    read: ctx => [ctx.search, ctx.querystring],
    is: ['', ''],
  },
  'ctx.origin is the header, or null': {
    ask: { headers: { Origin: 'https://a.example' } },
    read: ctx => [ctx.origin, ctx.request.origin],
    is: ['https://a.example', 'https://a.example'],
  },
  'ctx.origin is null without the header': { read: ctx => [ctx.origin, ctx.request.origin], is: [null, null] },
  'ctx.href is the whole URL, of what was asked first': {
    ask: page,
    read: ctx => {
      ctx.url = '/new'
      return [ctx.href, ctx.request.href]
    },
    is: [`http://example.com${page.path}`, `http://example.com${page.path}`],
  },
  'ctx.href is an absolute target as it came': { ask: absolute, read: ctx => ctx.href, is: absolute.path },
  'an absolute target': {
    ask: absolute,
    read: ctx => [ctx.url, ctx.path, ctx.host, ctx.query.b, ctx.originalUrl],
    is: [absolute.path, '/a', 'example.com', '1', absolute.path],
    kolba: { is: ['/a?b=1', '/a', 'example.org', '1', absolute.path], by: 'target' },
  },
  'ctx.URL is parsed once': {
    ask: page,
    read: ctx => [ctx.URL.href, ctx.URL.searchParams.getAll('c'), isStable(() => ctx.URL), ctx.request.URL === ctx.URL],
    is: [`http://example.com${page.path}`, ['1', '3'], true, true],
  },
  'ctx.host and hostname': {
    ask: { headers: { Host: 'a.example:8080' } },
    read: ctx => [ctx.host, ctx.hostname, ctx.request.host, ctx.request.hostname, ctx.URL.port],
    is: ['a.example:8080', 'a.example', 'a.example:8080', 'a.example', '8080'],
  },
  'ctx.host and hostname of IPv6': {
    ask: { headers: { Host: '[::1]:8080' } },
    read: ctx => [ctx.host, ctx.hostname, ctx.subdomains],
    is: ['[::1]:8080', '[::1]', []],
  },
  'ctx.host is not what a client says that it forwards': {
    ask: { headers: { 'X-Forwarded-Host': 'b.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' } },
    read: ctx => [ctx.host, ctx.protocol, ctx.secure, ctx.ip, ctx.ips],
    is: ['example.com', 'http', false, '127.0.0.1', []],
  },
  'ctx.host, protocol and ip are what a proxy says': {
    isProxy: true,
    ask: { headers: { 'X-Forwarded-Host': 'b.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' } },
    read: ctx => [ctx.host, ctx.hostname, ctx.protocol, ctx.secure, ctx.ip, ctx.ips, ctx.href, ctx.request.protocol],
    is: ['b.example', 'b.example', 'https', true, '192.0.2.1', ['192.0.2.1'], 'https://b.example/', 'https'],
  },
  'ctx.host, protocol and ip of a proxy that says nothing': {
    isProxy: true,
    read: ctx => [ctx.host, ctx.protocol, ctx.secure, ctx.ip, ctx.ips],
    is: ['example.com', 'http', false, '127.0.0.1', []],
  },
  'ctx.ip and host of what came through several proxies': {
    isProxy: true,
    ask: { headers: { 'X-Forwarded-Host': 'evil.example, b.example', 'X-Forwarded-For': '192.0.2.1, 192.0.2.2' } },
    read: ctx => [ctx.host, ctx.ip, ctx.ips],
    is: ['evil.example', '192.0.2.1', ['192.0.2.1', '192.0.2.2']],
    kolba: { is: ['b.example', '192.0.2.2', ['192.0.2.2']], by: 'proxy' },
  },
  'app.proxyIpHeader and maxIpsCount': {
    isProxy: true,
    setup: app => Object.assign(app, { proxyIpHeader: 'X-Client', maxIpsCount: 1 }),
    ask: { headers: { 'X-Client': '192.0.2.1, 192.0.2.2', 'X-Forwarded-For': '192.0.2.3' } },
    read: ctx => [ctx.ip, ctx.ips],
    is: ['192.0.2.2', ['192.0.2.2']],
    kolba: { is: ['192.0.2.3', ['192.0.2.3']], by: 'proxy' },
  },
  'ctx.ip is remembered, and may be set': {
    read: ctx => {
      const first = ctx.ip
      ctx.request.ip = '192.0.2.9'
      return [first, ctx.ip, ctx.request.ip]
    },
    is: ['127.0.0.1', '192.0.2.9', '192.0.2.9'],
  },
  'ctx.subdomains is a list from the right': {
    ask: { headers: { Host: 'tobi.ferrets.example.com:80' } },
    read: ctx => [ctx.subdomains, ctx.request.subdomains],
    is: [
      ['ferrets', 'tobi'],
      ['ferrets', 'tobi'],
    ],
  },
  'ctx.subdomains with subdomainOffset': {
    options: { subdomainOffset: 3 },
    ask: { headers: { Host: 'tobi.ferrets.example.com' } },
    read: ctx => ctx.subdomains,
    is: ['tobi'],
  },
  'ctx.subdomains with subdomainOffset that was set on the app': {
    setup: app => {
      app.subdomainOffset = 1
    },
    ask: { headers: { Host: 'tobi.example.com' } },
    read: ctx => ctx.subdomains,
    is: ['example', 'tobi'],
  },
  'ctx.subdomains of an address are none': {
    ask: { headers: { Host: '127.0.0.1:80' } },
    read: ctx => ctx.subdomains,
    is: [],
  },
  'ctx.socket is that of req': {
    read: ctx => [
      ctx.socket === ctx.req.socket,
      ctx.request.socket === ctx.req.socket,
      ctx.response.socket === ctx.res.socket,
    ],
    is: [true, true, true],
  },
  'ctx.request.charset': {
    ask: { headers: { 'Content-Type': 'text/plain; charset=utf-8' } },
    read: ctx => [ctx.request.charset, ctx.request.type],
    is: ['utf-8', 'text/plain'],
  },
  'ctx.request.charset and type that are not there': {
    read: ctx => [ctx.request.charset, ctx.request.type, ctx.request.length],
    is: ['', '', undefined],
  },
  'ctx.request.charset of a type that is none': {
    ask: { headers: { 'Content-Type': 'hello; charset=utf-8' } },
    read: ctx => ctx.request.charset,
    is: '',
  },
  'ctx.request.length': { ask: { method: 'POST', body: 'hello' }, read: ctx => ctx.request.length, is: 5 },
  'ctx.idempotent of GET': { read: ctx => [ctx.idempotent, ctx.request.idempotent], is: [true, true] },
  'ctx.idempotent of POST': { ask: { method: 'POST' }, read: ctx => ctx.idempotent, is: false },
  'ctx.accepts() without a header is the first': {
    read: ctx => [
      ctx.accepts(),
      ctx.accepts('json', 'html'),
      ctx.accepts(['text', 'json']),
      ctx.request.accepts('png'),
    ],
    is: [['*/*'], 'json', 'text', 'png'],
  },
  'ctx.accepts() chooses by the client': {
    ask: accepting({ Accept: 'application/*;q=0.2, image/jpeg;q=0.8, text/html, text/plain;q=0.9' }),
    read: ctx => [
      ctx.accepts(),
      ctx.accepts('json'),
      ctx.accepts('text', 'html'),
      ctx.accepts(['png', 'jpeg', 'json']),
      ctx.accepts('image/png'),
      ctx.accepts('png'),
    ],
    is: [['text/html', 'text/plain', 'image/jpeg', 'application/*'], 'json', 'html', 'jpeg', false, false],
  },
  'ctx.acceptsEncodings()': {
    ask: accepting({ 'Accept-Encoding': 'gzip, deflate;q=0.5' }),
    read: ctx => [
      ctx.acceptsEncodings(),
      ctx.acceptsEncodings('deflate', 'gzip'),
      ctx.acceptsEncodings(['br']),
      ctx.request.acceptsEncodings('identity'),
    ],
    is: [['gzip', 'deflate', 'identity'], 'gzip', false, 'identity'],
  },
  'ctx.acceptsCharsets()': {
    ask: accepting({ 'Accept-Charset': 'utf-8, iso-8859-1;q=0.2, utf-7;q=0.5' }),
    read: ctx => [ctx.acceptsCharsets(), ctx.acceptsCharsets('utf-7', 'utf-8'), ctx.request.acceptsCharsets(['x'])],
    is: [['utf-8', 'utf-7', 'iso-8859-1'], 'utf-8', false],
  },
  'ctx.acceptsLanguages()': {
    ask: accepting({ 'Accept-Language': 'en;q=0.8, es, pt' }),
    read: ctx => [ctx.acceptsLanguages(), ctx.acceptsLanguages('en', 'pt'), ctx.request.acceptsLanguages(['fr'])],
    is: [['es', 'pt', 'en'], 'pt', false],
  },
  'ctx.accept is made once, and may be set': {
    ask: accepting({ Accept: 'text/html' }),
    read: ctx => {
      const first = [isStable(() => ctx.accept), ctx.accept === ctx.request.accept, ctx.accept.types(['json', 'html'])]
      ctx.accept = Object.create(ctx.accept, { types: { value: () => 'mine' } })
      return [...first, ctx.accepts('json')]
    },
    is: [true, true, 'html', 'mine'],
  },
  'ctx.is() of a body': {
    ask: { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json; charset=utf-8' } },
    read: ctx => [
      ctx.is(),
      ctx.is('json'),
      ctx.is('application/json'),
      ctx.is('html', 'application/*'),
      ctx.is(['html', 'json']),
      ctx.request.is('html'),
    ],
    is: ['application/json', 'json', 'application/json', 'application/json', 'json', false],
  },
  'ctx.is() without a body is null': {
    ask: { headers: { 'Content-Type': 'application/json' } },
    read: ctx => ctx.is('json'),
    is: null,
  },
  'ctx.is() of a body without a type is false': {
    ask: { method: 'POST', body: '{}' },
    read: ctx => ctx.is('json'),
    is: false,
  },
  'ctx.request.toJSON() and inspect()': {
    ask: { path: '/a', headers: { 'X-A': 'b' } },
    read: ctx => [ctx.request.toJSON(), ctx.request.inspect()],
    is: [
      { method: 'GET', url: '/a', header: { host: 'example.com', 'x-a': 'b' } },
      { method: 'GET', url: '/a', header: { host: 'example.com', 'x-a': 'b' } },
    ],
  },
})

/** ctx.fresh and ctx.stale by what was asked, and what stands on the response. */
const fresh: Record<string, readonly [Reading['ask'], set: (ctx: Koa.Context) => void, isFresh: boolean]> = {
  'a tag that matches': [{ headers: { 'If-None-Match': '"a"' } }, ctx => tagged(ctx, 200), true],
  'a tag that does not': [{ headers: { 'If-None-Match': '"b"' } }, ctx => tagged(ctx, 200), false],
  'no condition': [{}, ctx => tagged(ctx, 200), false],
  'a status that has no version': [{ headers: { 'If-None-Match': '"a"' } }, ctx => tagged(ctx, 404), false],
  'a 304 already': [{ headers: { 'If-None-Match': '"a"' } }, ctx => tagged(ctx, 304), true],
  'a HEAD': [{ method: 'HEAD', headers: { 'If-None-Match': '"a"' } }, ctx => tagged(ctx, 200), true],
  'a POST': [{ method: 'POST', headers: { 'If-None-Match': '"a"' } }, ctx => tagged(ctx, 200), false],
  'Cache-Control: no-cache': [
    { headers: { 'If-None-Match': '"a"', 'Cache-Control': 'no-cache' } },
    ctx => tagged(ctx, 200),
    false,
  ],
  'a date that is not later': [
    { headers: { 'If-Modified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' } },
    ctx => {
      ctx.status = 200
      ctx.lastModified = new Date('2026-01-01')
    },
    true,
  ],
}

function tagged(ctx: Koa.Context, status: number): void {
  ctx.status = status
  ctx.etag = 'a'
}

testReadings(
  Object.fromEntries(
    Object.entries(fresh).map(([name, [ask, set, isFresh]]): [string, Reading] => [
      `ctx.fresh with ${name}`,
      {
        ask,
        read: ctx => {
          set(ctx)
          return [ctx.fresh, ctx.stale, ctx.request.fresh, ctx.request.stale]
        },
        is: [isFresh, !isFresh, isFresh, !isFresh],
      },
    ]),
  ),
)

/** What Koa hands on, and kolba refuses before anything looks at it, each with its status. */
const refused: Record<string, readonly [ask: Reading['ask'], status: number]> = {
  'a Host with userinfo': [{ headers: { Host: 'user@example.com' } }, 400],
  'two Hosts in one': [{ headers: { Host: 'a.example, b.example' } }, 400],
  'a path that is not canonical': [{ path: '/a/../b' }, 400],
  'an empty segment': [{ path: '/a//b' }, 400],
  'percent-encoding that is malformed': [{ path: '/%zz' }, 400],
  'a URL that is too long': [{ path: `/${'a'.repeat(9000)}` }, 414],
}

for (const [name, [ask, status]] of Object.entries(refused)) {
  test(`kolba refuses ${name}, which Koa hands on`, async t => {
    const { because } = DIFFERENCES.refusedRequests
    const run = (ctx: Koa.Context) => {
      ctx.body = 'reached'
    }
    const [koa] = (await talk(t, 'koa', { ask, run })).answers
    t.is(koa?.body, 'reached')
    for (const way of ['use', 'route'] as const) {
      const [seen] = (await talk(t, way, { ask, run })).answers
      t.regex(seen?.line ?? '', new RegExp(`^HTTP/1.1 ${status} `), way)
      t.is(JSON.parse(seen?.body ?? '').status, status, because)
    }
  })
}

test('app.request has every property of Koa, for what is added to it to be found', t => {
  const [koa, ours] = [appOf('koa', { run: () => {} }), appOf('use', { run: () => {} })]
  for (const [name, descriptor] of Object.entries(
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(koa.request)),
  )) {
    t.true(name in ours.request, name)
    const { set } = inherited(ours.request, name)
    t.is(typeof set, typeof descriptor.set, `set ${name}`)
  }
})

function inherited(it: object | null, name: string): PropertyDescriptor {
  if (it === null) return {}
  return Object.getOwnPropertyDescriptor(it, name) ?? inherited(Object.getPrototypeOf(it), name)
}
