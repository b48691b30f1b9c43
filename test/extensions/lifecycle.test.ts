import { inspect } from 'node:util'
import test from 'ava'
import { type BaseContext, blueprint, type Context, decorator, kolba, problem, reply } from 'kolba'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { type DeprecatedOptions, deprecated, type Versioned, type VersionsOptions, versions } from 'kolba/lifecycle'
import { MemoryLogger } from '../support/memory-logger.js'
import { exchange, listening } from '../support/raw.js'

interface Link {
  readonly target: string
  readonly parameters: Record<string, string>
}

/** Reads `Link` by RFC 8288 section 3, and fails at what is not of its grammar. */
function readLinks(header: string | null): Link[] {
  const links: Link[] = []
  const member = /\s*<([^<>\s"]*)>((?:\s*;\s*[\w-]+="[^"]*")*)\s*(?:,|$)/y
  while (header && member.lastIndex < header.length) {
    const at = member.lastIndex
    const found = member.exec(header)
    if (!found) throw new Error(`This is no Link: ${header.slice(at)}`)
    const parameters = [...(found[2] as string).matchAll(/([\w-]+)="([^"]*)"/g)]
    links.push({ target: found[1] as string, parameters: Object.fromEntries(parameters.map(([, a, b]) => [a, b])) })
  }
  return links
}

function said(header: string | null): string[] {
  return readLinks(header).map(({ target, parameters }) => `${parameters.rel} ${target}`)
}

async function answer(options: DeprecatedOptions, handler: (ctx: Context) => unknown = () => 'x') {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', deprecated(options), handler)
  return app.client().get('/')
}

const since = '2026-01-01'
const PAGE = 'https://example.com/leave?now=1#how'

const SAID: [options: DeprecatedOptions, deprecation: string, sunset: string | null, links: string[]][] = [
  // The examples of RFC 9745 section 2.1 and of RFC 8594 section 3.
  [{ since: '2023-06-30T23:59:59Z' }, '@1688169599', null, []],
  [{ since: '2018-01-01', sunset: '2018-12-31T23:59:59Z' }, '@1514764800', 'Mon, 31 Dec 2018 23:59:59 GMT', []],
  [{ since }, '@1767225600', null, []],
  [{ since: '2026-01-01T01:00:00.999+01:00' }, '@1767225600', null, []],
  [{ since: new Date(1_767_225_600_999) }, '@1767225600', null, []],
  [{ since: new Date(0), sunset: new Date(0) }, '@0', 'Thu, 01 Jan 1970 00:00:00 GMT', []],
  [{ since, sunset: '9999-12-31' }, '@1767225600', 'Fri, 31 Dec 9999 00:00:00 GMT', []],
  [{ since, link: PAGE }, '@1767225600', null, [`deprecation ${PAGE}`]],
  [
    { since, sunset: '2027-01-01', link: '/leave', successor: '../v2' },
    '@1767225600',
    'Fri, 01 Jan 2027 00:00:00 GMT',
    ['deprecation /leave', 'sunset /leave', 'successor-version ../v2'],
  ],
  [
    { since, successor: ({ path }) => `${path}a b>"\n<é` },
    '@1767225600',
    null,
    ['successor-version /a%20b%3E%22%0A%3C%C3%A9'],
  ],
]
for (const [options, deprecation, sunset, links] of SAID) {
  test(`deprecated(${inspect(options, { breakLength: 999 })}) says so in headers`, async t => {
    const { status, headers } = await answer(options)
    t.is(status, 200)
    t.is(headers.get('deprecation'), deprecation)
    t.is(headers.get('sunset'), sunset)
    t.deepEqual(said(headers.get('link')), links)
  })
}

test('deprecated() is on errors too, without the links', async t => {
  const options = { since, sunset: '9000-01-01', link: '/leave' }
  const errors: [() => unknown, number][] = [
    [() => Promise.reject(problem(409)), 409],
    [() => problem(403), 403],
    [
      () => {
        throw new Error('inside')
      },
      500,
    ],
    [() => {}, 500],
  ]
  for (const [handler, status] of errors) {
    const response = await answer(options, handler)
    t.is(response.status, status)
    t.is(response.headers.get('deprecation'), '@1767225600')
    t.is(response.headers.get('sunset'), 'Wed, 01 Jan 9000 00:00:00 GMT')
    t.is(response.headers.get('link'), null)
  }
})

test('deprecated() adds its links to those that are there, and takes none away', async t => {
  const options = { since, link: '/leave' }
  const Link = ['</a>; rel="next"', '</b>; rel="prev"']
  const ours = 'deprecation /leave'
  const answers: [string, (ctx: Context) => unknown, string[]][] = [
    ['a reply', () => reply(200, 'x', { Link }), [ours, 'next /a', 'prev /b']],
    ['a reply in small letters', () => reply(200, 'x', { link: Link[0] as string }), [ours, 'next /a']],
    ['a reply of 404', () => reply(404, 'x', { Link }), [ours, 'next /a', 'prev /b']],
    ['a web Response', () => new Response('x', { headers: { Link: Link.join(', ') } }), [ours, 'next /a', 'prev /b']],
    [
      'ctx',
      ctx => {
        ctx.set('Link', Link)
        return 'x'
      },
      ['next /a', 'prev /b', ours],
    ],
    [
      'ctx, with a body there',
      ctx => {
        ctx.set('Link', Link[0] as string)
        ctx.body = 'x'
      },
      ['next /a', ours],
    ],
    ['nothing', () => null, [ours]],
  ]
  for (const [title, handler, links] of answers) {
    const { headers } = await answer(options, handler)
    t.deepEqual(said(headers.get('link')), links, title)
  }
})

test('deprecated() fits above and below json(), and on the line', async t => {
  const app = kolba({ signals: false })
  const ends = deprecated({ since, sunset: '9000-01-01', link: '/leave', successor: '/v2' })
  app.get('/above', ends, json(), () => reply(200, { a: 1 }, { Link: '</a>; rel="next"' }))
  app.get('/below', json(), ends, async () => reply(200, { a: 1 }, { Link: '</a>; rel="next"' }))
  const { port } = await listening(t, app)
  for (const path of ['/above', '/below']) {
    const [got] = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    t.is(got?.status, 200)
    t.is(got?.body, '{"a":1}')
    t.is(got?.headers.deprecation, '@1767225600')
    const links = said(got?.headers.link?.split('\n').join(', ') ?? '')
    t.deepEqual(links, ['deprecation /leave', 'sunset /leave', 'successor-version /v2', 'next /a'])
  }
})

test('deprecated() gives the successor of the very resource, by a function of ctx', async t => {
  const app = kolba()
  const v2 = blueprint('v2')
  v2.get('/books/:id', function show(ctx) {
    return ctx.params.id
  })
  app.mount('/v2', v2)
  const old = deprecated({ since, successor: ctx => app.url('v2.show', ctx.params) })
  app.get('/v1/books/:id', old, ctx => ctx.params.id)
  const { headers } = await app.client().get('/v1/books/7')
  t.deepEqual(said(headers.get('link')), ['successor-version /v2/books/7'])
})

test('deprecated() answers 500 where the function gives no successor, and the log says so', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false })
  app.get('/none', deprecated({ since, successor: () => undefined as never }), () => 'x')
  app.get('/empty', deprecated({ since, successor: () => '' }), () => 'x')
  t.is((await app.client().get('/none')).status, 500)
  t.is((await app.client().get('/empty')).status, 500)
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    [
      'GET /none: the successor of deprecated is undefined. Return a URI.',
      'GET /empty: the successor of deprecated is empty. Return a URI.',
    ],
  )
})

test.serial(
  'deprecated() with gone answers 410 from the sunset on, with the links, and runs nothing below',
  async t => {
    let calls = 0
    const app = kolba()
    const options = { since, sunset: '2027-01-01', link: '/leave', successor: '/v2', gone: true }
    app.get('/', deprecated(options), () => {
      calls += 1
      return 'x'
    })
    app.get('/silent', deprecated({ since, sunset: '2027-01-01', gone: true }), () => 'x')
    app.get('/stays', deprecated({ since, sunset: '2027-01-01' }), () => 'x')
    const client = app.client()
    const { now } = Date
    t.teardown(() => {
      Date.now = now
    })
    Date.now = () => Date.UTC(2027, 0) - 1
    t.is((await client.get('/')).status, 200)
    t.is(calls, 1)
    Date.now = () => Date.UTC(2027, 0)
    const response = await client.get('/')
    t.is(response.status, 410)
    t.is(calls, 1)
    t.is(response.headers.get('content-type'), 'application/problem+json')
    t.is(response.headers.get('deprecation'), '@1767225600')
    t.is(response.headers.get('sunset'), 'Fri, 01 Jan 2027 00:00:00 GMT')
    t.deepEqual(said(response.headers.get('link')), ['deprecation /leave', 'sunset /leave', 'successor-version /v2'])
    const { detail } = (await response.json()) as { detail: string }
    t.is(detail, 'This came to its end on Fri, 01 Jan 2027 00:00:00 GMT. See the links of this answer.')
    const silent = (await (await client.get('/silent')).json()) as { detail: string }
    t.is(silent.detail, 'This came to its end on Fri, 01 Jan 2027 00:00:00 GMT.')
    t.is((await client.get('/stays')).status, 200)
    Date.now = now
  },
)

test('deprecated() over a synchronous handler makes no promise', t => {
  const ctx = { set() {}, append() {} }
  t.is(deprecated({ since, link: '/leave' })(() => 'x')(ctx as never), 'x')
})

test('deprecated() says in the notes of the route that it is, and what it answers', t => {
  const app = kolba()
  app.get('/a', deprecated({ since }), () => 'x')
  app.get('/b', deprecated({ since, sunset: '2027-01-01', gone: true }), () => 'x')
  const [a, b] = app.routes().map(({ notes }) => notes[0])
  t.true(a?.deprecated)
  t.deepEqual(Object.keys(a?.headers ?? {}), ['Deprecation'])
  t.is(a?.responses, undefined)
  t.deepEqual(Object.keys(b?.headers ?? {}), ['Deprecation', 'Sunset'])
  t.deepEqual(Object.keys(b?.responses ?? {}), ['410'])
})

test('deprecated() refuses wrong options when it is made', t => {
  const date = "Give a Date from 1970 on, or ISO text such as '2026-01-01' or '2026-01-01T12:00:00Z'."
  const uri = 'Give a URI, with all that is not ASCII percent-encoded'
  const wrong: [unknown, string][] = [
    [{}, "deprecated: there is no date. Give since, as in { since: '2026-01-01' }."],
    [undefined, "deprecated: there is no date. Give since, as in { since: '2026-01-01' }."],
    [{ since: true }, `deprecated: the option since is true. ${date}`],
    [{ since: '2026-02-30' }, `deprecated: the option since is "2026-02-30". ${date}`],
    [{ since: '2026-01-01T12:00:00' }, `deprecated: the option since is "2026-01-01T12:00:00". ${date}`],
    [{ since: '1 January 2026' }, `deprecated: the option since is "1 January 2026". ${date}`],
    [{ since: new Date(Number.NaN) }, `deprecated: the option since is an object. ${date}`],
    [{ since: new Date(-1) }, `deprecated: the option since is an object. ${date}`],
    [{ since: new Date(253_402_300_800_000) }, `deprecated: the option since is an object. ${date}`],
    [{ since, sunset: 'soon' }, `deprecated: the option sunset is "soon". ${date}`],
    [{ since, sunset: '2025-12-31' }, 'deprecated: the sunset is before since. Give a later one, or an earlier since.'],
    [{ since, gone: true }, 'deprecated: gone needs a date. Give a sunset, or leave gone out.'],
    [{ since, gone: 1 }, 'deprecated: the option gone is 1. Give true or false.'],
    [{ since, link: '' }, `deprecated: the option link is "". ${uri}.`],
    [{ since, link: 'see the wiki' }, `deprecated: the option link is "see the wiki". ${uri}.`],
    [{ since, link: '/a>; rel="x"' }, `deprecated: the option link is "/a>; rel=\\"x\\"". ${uri}.`],
    [{ since, link: '/é' }, `deprecated: the option link is "/é". ${uri}.`],
    [{ since, link: '/100%' }, `deprecated: the option link is "/100%". ${uri}.`],
    [{ since, link: 'https://' }, `deprecated: the option link is "https://". ${uri}.`],
    [{ since, link: '/a\r\nX: b' }, `deprecated: the option link is "/a\\r\\nX: b". ${uri}.`],
    [{ since, successor: '/a b' }, `deprecated: the option successor is "/a b". ${uri}, or a function of ctx.`],
    [
      { since, until: 1 },
      'deprecated: the option "until" is unknown. It takes since, sunset, link, successor and gone.',
    ],
  ]
  for (const [options, message] of wrong)
    t.throws(() => deprecated(options as never), { instanceOf: TypeError, message }, JSON.stringify(options))
})

// versions()

function listV1() {
  return { version: 1 }
}
async function listV2() {
  return { version: 2 }
}

function library(options: Omit<VersionsOptions<1 | 2>, 'by'> & { by: VersionsOptions['by'] }) {
  const app = kolba({ logger: new MemoryLogger() })
  const both = versions({ 1: deprecated({ since })(listV1), 2: listV2 }, options)
  app.get(options.by === 'path' ? '{/:version}/books' : '/books', json(), both)
  return app.client()
}

interface Seen {
  readonly status: number
  readonly version: number | undefined
  readonly type: string | null
}

async function seen(response: Response): Promise<Seen> {
  const body = (await response.json()) as { version?: number }
  return { status: response.status, version: body.version, type: response.headers.get('content-type') }
}

const JSON_TYPE = 'application/json; charset=utf-8'
const PROBLEM = 'application/problem+json'

const BY_HEADER: [asked: string | undefined, status: number, version: number | undefined][] = [
  [undefined, 200, 1],
  ['', 200, 1],
  ['1', 200, 1],
  ['2', 200, 2],
  ['v2', 200, 2],
  ['V2', 200, 2],
  [' 2 ', 200, 2],
  ['3', 406, undefined],
  ['v', 406, undefined],
  ['vv2', 406, undefined],
  ['02', 406, undefined],
  ['2.0', 406, undefined],
  ['^2', 406, undefined],
  ['1, 2', 406, undefined],
  ['constructor', 406, undefined],
  ['__proto__', 406, undefined],
]
for (const [asked, status, version] of BY_HEADER) {
  test(`versions() by header answers Accept-Version ${JSON.stringify(asked)} with ${version ?? status}`, async t => {
    const client = library({ by: 'header' })
    const response = await client.get('/books', { headers: asked === undefined ? {} : { 'Accept-Version': asked } })
    t.is(response.headers.get('vary'), 'Accept-Version')
    t.is(response.headers.get('api-version'), version ? String(version) : null)
    t.is(response.headers.get('deprecation'), version === 1 ? '@1767225600' : null)
    t.deepEqual(await seen(response), { status, version, type: version ? JSON_TYPE : PROBLEM })
  })
}

test('versions() by header lists what there is where the client asks for something else', async t => {
  const response = await library({ by: 'header' }).get('/books', { headers: { 'Accept-Version': '3' } })
  t.like(await response.json(), {
    title: 'Not Acceptable',
    detail: 'Accept-Version asks for a version that is not there. There are 1 and 2.',
    available: ['1', '2'],
  })
  const app = kolba()
  app.get('/', versions({ v7: () => 1 }, { by: 'header' }))
  const only = await app.client().get('/', { headers: { 'Accept-Version': '3' } })
  t.like(await only.json(), {
    detail: 'Accept-Version asks for a version that is not there. There is 7.',
    available: ['7'],
  })
})

const V1 = 'application/vnd.acme.v1+json'
const V2 = 'application/vnd.acme.v2+json'
const P2 = 'application/json;version=2'
const NONE = [406, undefined, PROBLEM] as const

const BY_MEDIA_TYPE: [accept: string | undefined, vendor: Row, parameter: Row][] = [
  [undefined, [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['*/*', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['application/*', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['application/json', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['application/json; charset=UTF-8', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['text/html, */*;q=0.8', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  [V1, [200, 1, V1], NONE],
  [V2, [200, 2, V2], NONE],
  [V2.toUpperCase(), [200, 2, V2], NONE],
  [`${V2};charset=utf-8`, [200, 2, V2], NONE],
  ['application/vnd.acme+json', [200, 1, 'application/vnd.acme+json'], NONE],
  [`${V1};q=0.5, ${V2}`, [200, 2, V2], NONE],
  [`${V1};q=0, ${V2};q=0`, NONE, NONE],
  [`${V2}, */*;q=0.1`, [200, 2, V2], [200, 1, JSON_TYPE]],
  [`${V2}, application/json`, [200, 2, V2], [200, 1, JSON_TYPE]],
  ['application/vnd.acme.v3+json', NONE, NONE],
  ['application/vnd.acme.v3+json, application/json;q=0.1', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['application/vnd.other.v2+json', NONE, NONE],
  [P2, NONE, [200, 2, P2]],
  ['application/json; VERSION="2"', NONE, [200, 2, P2]],
  ['application/json;version=v2', NONE, [200, 2, 'application/json;version=v2']],
  ['application/json;version=3', NONE, NONE],
  [`application/json;q=0.5, ${P2}`, [200, 1, JSON_TYPE], [200, 2, P2]],
  ['text/html', NONE, NONE],
  ['application/json;q=0', NONE, NONE],
  ['', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  [',', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
  ['*', [200, 1, JSON_TYPE], [200, 1, JSON_TYPE]],
]
type Row = readonly [status: number, version: number | undefined, type: string]
for (const [accept, vendor, parameter] of BY_MEDIA_TYPE) {
  test(`versions() by media type answers Accept ${accept}`, async t => {
    for (const [options, [status, version, type]] of [
      [{ by: 'media-type', vendor: 'acme' }, vendor],
      [{ by: 'media-type' }, parameter],
    ] as const) {
      const response = await library(options).get('/books', { headers: accept === undefined ? {} : { Accept: accept } })
      t.is(response.headers.get('vary'), 'Accept')
      t.deepEqual(await seen(response), { status, version, type }, JSON.stringify(options))
    }
  })
}

test('versions() by media type lists the types where the client takes none of them', async t => {
  const headers = { Accept: 'text/html' }
  const vendor = await library({ by: 'media-type', vendor: 'acme' }).get('/books', { headers })
  t.like(await vendor.json(), {
    detail: `Accept asks for a version that is not there. There are ${V1} and ${V2}.`,
    available: [V1, V2],
  })
  const parameter = await library({ by: 'media-type' }).get('/books', { headers })
  t.like(await parameter.json(), { available: ['application/json;version=1', P2] })
})

test('versions() by media type puts its type on JSON, wherever that is rendered, and on nothing else', async t => {
  const answers: [string, () => unknown, string | null, string][] = [
    ['an object', () => ({ a: 1 }), V2, '{"a":1}'],
    ['a number', async () => 7, V2, '7'],
    ['a reply', () => reply(201, { a: 1 }, { Location: '/a' }), V2, '{"a":1}'],
    ['an object that is JSON already', json()(() => ({ a: 1 })) as () => unknown, V2, '{"a":1}'],
    ['a reply of CSV', () => reply(200, 'a,b', { 'content-type': 'text/csv' }), 'text/csv', 'a,b'],
    ['a reply of 409', () => reply(409, { a: 1 }), 'application/json; charset=utf-8', '{"a":1}'],
    ['bytes', () => Buffer.from('x'), 'application/octet-stream', 'x'],
    ['a string', () => 'x', 'text/plain; charset=utf-8', 'x'],
    ['null', () => null, null, ''],
    ['a web Response', () => new Response('x', { headers: { 'Content-Type': 'text/css' } }), 'text/css', 'x'],
  ]
  for (const [title, handler, type, text] of answers) {
    const app = kolba()
    app.get('/', versions({ 1: () => 'old', 2: handler }, { by: 'media-type', vendor: 'acme' }))
    const response = await app.client().get('/', { headers: { Accept: V2 } })
    t.is(response.headers.get('content-type'), type, title)
    t.is(await response.text(), text, title)
  }
  const app = kolba()
  app.get('/', json(), versions({ 1: () => 'old', 2: () => 'new' }, { by: 'media-type', vendor: 'acme' }))
  t.is(await (await app.client().get('/', { headers: { Accept: V2 } })).text(), '"new"')
})

const BY_PATH: [path: string, status: number, version: number | undefined][] = [
  ['/1/books', 200, 1],
  ['/v1/books', 200, 1],
  ['/v2/books', 200, 2],
  ['/V2/books', 200, 2],
  ['/books', 200, 1],
  ['/3/books', 404, undefined],
  ['/v/books', 404, undefined],
  ['/constructor/books', 404, undefined],
]
for (const [path, status, version] of BY_PATH) {
  test(`versions() by path answers ${path} with ${version ?? status}`, async t => {
    const response = await library({ by: 'path' }).get(path)
    t.is(response.headers.get('vary'), null)
    t.deepEqual(await seen(response), { status, version, type: version ? JSON_TYPE : PROBLEM })
  })
}

test('versions() by path says which there are', async t => {
  const response = await library({ by: 'path' }).get('/v3/books')
  t.like(await response.json(), { detail: 'Nothing is at this path. There are 1 and 2.' })
})

test('versions() gives the default to a client that does not say, and the first where none is named', async t => {
  for (const by of ['header', 'media-type', 'path'] as const) {
    t.is((await seen(await library({ by }).get('/books'))).version, 1)
    t.is((await seen(await library({ by, default: 2 }).get('/books'))).version, 2)
  }
})

test('versions() hands down the version, without its v, beside what the stack above adds', async t => {
  const app = kolba()
  const named = decorator<{ who: string }>('named', (_ctx, next) => next({ who: 'Ada' }))
  const show = (ctx: Context<'/:id', { who: string }> & Versioned) => [ctx.apiVersion, ctx.who, ctx.params.id]
  app.get('/:id', named, versions({ 'v2026-01-01': show, '1.2': json()(show) }, { by: 'header' }))
  const get = async (version: string) =>
    (await app.client().get('/7', { headers: { 'Accept-Version': version } })).json()
  t.deepEqual(await get(''), ['2026-01-01', 'Ada', '7'])
  t.deepEqual(await get('2026-01-01'), ['2026-01-01', 'Ada', '7'])
  t.deepEqual(await get('v1.2'), ['1.2', 'Ada', '7'])
})

test('versions() tells the decorators of each version of the route, which they may refuse', async t => {
  const seen: string[] = []
  const looking = (name: string) =>
    decorator(name, (_ctx, next) => next(), {
      register(route) {
        seen.push(`${name} ${route.path}`)
        return (ctx, next) => {
          ctx.set('X-Looking', `${name} ${ctx.route?.path}`)
          return next()
        }
      },
    })
  const books = blueprint('books')
  books.get('/', versions({ 1: looking('a')(listV1), 2: looking('b')(listV2) }, { by: 'header' }))
  const app = kolba()
  app.mount('/books', books)
  t.deepEqual(seen.sort(), ['a /books', 'b /books'])
  for (const [version, header] of [
    ['1', 'a /books'],
    ['2', 'b /books'],
  ] as const) {
    const response = await app.client().get('/books', { headers: { 'Accept-Version': version } })
    t.is(response.headers.get('x-looking'), header)
  }
  const refusing = decorator('refusing', (_ctx, next) => next(), {
    register() {
      throw new TypeError('refusing: not here.')
    },
  })
  const message = 'refusing: not here.'
  t.throws(() => app.get('/', versions({ 1: listV1, 2: refusing(listV2) }, { by: 'header' })), { message })
})

test('versions() has the name of the default, and goes around by hand as other handlers do', async t => {
  const app = kolba()
  const list = versions({ 1: listV1, 2: listV2 }, { by: 'header', default: 2 })
  app.get('/books', json()(list))
  t.is(app.url('listV2'), '/books')
  t.is(app.url(listV2), '/books')
  t.is(app.routes()[0]?.name, 'listV2')
  t.deepEqual(await (await app.client().get('/books', { headers: { 'Accept-Version': '1' } })).json(), { version: 1 })
  const ctx = { vary() {}, set() {}, get: () => '1' } as unknown as BaseContext
  t.deepEqual(list(ctx), { version: 1 } as never)
})

test('versions() of functions that are written in it has no name, on any number of routes', async t => {
  const app = kolba({ signals: false })
  const shown = (word: string) => versions({ 1: () => `${word} 1`, 2: () => `${word} 2` }, { by: 'header' as const })
  app.get('/books', shown('book'))
  app.get('/authors', shown('author'))
  t.deepEqual(
    app.routes().map(({ name }) => name),
    [undefined, undefined],
  )
  t.is(await (await app.client().get('/authors')).text(), 'author 1')
  t.is(await (await app.client().get('/authors', { headers: { 'Accept-Version': '2' } })).text(), 'author 2')
  const dotted = versions({ '1.0': () => 'old', 2: () => 'new' }, { by: 'header', default: '1.0' })
  app.get('/dotted', dotted)
  t.is(await (await app.client().get('/dotted')).text(), 'old')
})

test('versions() gives each version tags of its own, where etag() makes them of the row', async t => {
  const row = { id: 7, revision: 3 }
  const asked = { header: { 'Accept-Version': '2' }, vendor: { Accept: V2 }, parameter: { Accept: P2 } }
  const ways = {
    header: { by: 'header' },
    vendor: { by: 'media-type', vendor: 'acme' },
    parameter: { by: 'media-type' },
  }
  for (const way of ['header', 'vendor', 'parameter'] as const) {
    const app = kolba()
    const options = ways[way] as VersionsOptions<1 | 2>
    const tagged = etag({ version: ({ revision }: typeof row) => revision })
    app.get('/', tagged, json(), versions({ 1: () => row, 2: async () => row }, options))
    app.put('/', etag({ version: ({ revision }: typeof row) => revision, required: true }), () => null)
    const client = app.client()
    const [one, two] = [await client.get('/'), await client.get('/', { headers: asked[way] })]
    const [first, second] = [one, two].map(({ headers }) => headers.get('etag') ?? '') as [string, string]
    t.not(first, second)
    t.regex(second, /^"3;/)
    const again = (tag: string) => client.get('/', { headers: { ...asked[way], 'If-None-Match': tag } })
    t.is((await again(first)).status, 200)
    t.is((await again(second)).status, 304)
    t.is((await client.put('/', { headers: { 'If-Match': second } })).status, 204)
    t.is((await client.put('/', { headers: { 'If-Match': '"2"' } })).status, 412)
  }
})

test('versions() leaves a representation alone that was chosen above', async t => {
  const app = kolba()
  const chosen = decorator<{ representation: string }>('chosen', (_ctx, next) => next({ representation: 'text/csv' }))
  const say = (ctx: { representation: string } & Versioned) => `${ctx.representation} ${ctx.apiVersion}`
  app.get('/', chosen, versions({ 1: say, 2: say }, { by: 'header' }))
  t.is(await (await app.client().get('/', { headers: { 'Accept-Version': '2' } })).text(), 'text/csv 2')
})

test('versions() leaves Deprecation on the error of a version that has it', async t => {
  const app = kolba()
  const failing = () => {
    throw problem(409)
  }
  app.get('/', versions({ 1: listV1, 2: deprecated({ since, link: '/leave' })(failing) }, { by: 'header' }))
  const response = await app.client().get('/', { headers: { 'Accept-Version': '2' } })
  t.is(response.status, 409)
  t.is(response.headers.get('deprecation'), '@1767225600')
  t.is(response.headers.get('api-version'), '2')
  t.is(response.headers.get('vary'), 'Accept-Version')
})

test('versions() tells the route where the version is said, and what the decorators of the default do', t => {
  const app = kolba()
  const handlers = { 1: deprecated({ since })(listV1), 2: listV2 }
  app.get('/a', versions(handlers, { by: 'header' }))
  app.get('/b', versions(handlers, { by: 'media-type', vendor: 'acme', default: 2 }))
  app.get('/:version/c', versions(handlers, { by: 'path', default: 2 }))
  const [a, b, c] = app.routes().map(({ notes }) => notes)
  t.deepEqual(a?.[0]?.parameters, [
    { name: 'Accept-Version', in: 'header', schema: { type: 'string', enum: ['1', '2'], default: '1' } },
  ])
  t.deepEqual(Object.keys(a?.[0]?.responses ?? {}), ['406'])
  t.true(a?.[1]?.deprecated)
  t.is(b?.length, 1)
  t.deepEqual(Object.keys(b?.[0]?.responses?.[200]?.content ?? {}), ['application/json', V1, V2])
  t.like(c?.[0]?.parameters?.[0], { name: 'version', in: 'path', schema: { enum: ['v1', '1', 'v2', '2'] } })
})

test('versions() refuses wrong handlers and options when it is made', t => {
  const two = { 1: listV1, 2: listV2 }
  const by = 'header'
  const wrong: [unknown, unknown, string][] = [
    [undefined, { by }, 'versions: there are no versions. Give handlers by version, { 1: listV1, 2: listV2 }.'],
    [{}, { by }, 'versions: there are no versions. Give handlers by version, { 1: listV1, 2: listV2 }.'],
    [[listV1], { by }, 'versions: there are no versions. Give handlers by version, { 1: listV1, 2: listV2 }.'],
    [{ beta: listV1 }, { by }, 'versions: "beta" is no version. Give one that begins with a digit, 1 or v1.'],
    [{ '1,2': listV1 }, { by }, 'versions: "1,2" is no version. Give one that begins with a digit, 1 or v1.'],
    [{ 1: listV1, v1: listV2 }, { by }, 'versions: version 1 is there twice. Leave one of them out.'],
    [{ 1: 'listV1' }, { by }, 'versions: version 1 is no handler. Give a function.'],
    [{ 1: json() }, { by }, 'versions: version 1 is a decorator. Put it around a handler, json()(list).'],
    [
      { '1.0': listV1, 2: listV2 },
      { by },
      'versions: JavaScript puts 2 before 1.0, however they are written. Give default, the one for clients that do not say.',
    ],
    [two, undefined, "versions: there is no by. Give 'header', 'media-type' or 'path'."],
    [two, {}, "versions: there is no by. Give 'header', 'media-type' or 'path'."],
    [two, { by: 'cookie' }, 'versions: the option by is "cookie". Give one of "header", "media-type" and "path".'],
    [two, { by, default: 3 }, 'versions: there is no version 3, the default. Give one of the handlers.'],
    [two, { by, default: true }, 'versions: the option default is true. Give one of the versions.'],
    [two, { by, vendor: 'acme' }, "versions: a vendor is of media types. Give by: 'media-type', or leave it out."],
    [
      two,
      { by: 'media-type', vendor: 'a+b' },
      'versions: the option vendor is "a+b". Give a name of letters, digits, dots and hyphens, such as \'acme\'.',
    ],
    [two, { by, header: 'X' }, 'versions: the option "header" is unknown. It takes by, default and vendor.'],
  ]
  for (const [handlers, options, message] of wrong)
    t.throws(() => versions(handlers as never, options as never), { instanceOf: TypeError, message })
})

test('versions() by path refuses a route without :version when it is registered', t => {
  const app = kolba()
  const message = "GET /books: versions looks for :version, which the path does not have. Write '/:version/books'."
  t.throws(() => app.get('/books', versions({ 1: listV1 }, { by: 'path' })), { instanceOf: TypeError, message })
  const books = blueprint('books')
  books.get('/books', versions({ 1: listV1 }, { by: 'path' }))
  t.notThrows(() => app.mount('/:version', books))
})
