import { setImmediate as soon, setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import hash from 'etag'
import fc from 'fast-check'
import Koa from 'koa'
import {
  blueprint,
  type Context,
  created,
  type Decorator,
  decorator,
  del,
  get,
  type Kolba,
  type KolbaOptions,
  kolba,
  type Next,
  problem,
  put,
  Reply,
  reply,
  stack,
} from 'kolba'
import { type BodyInput, body } from 'kolba/body'
import { type EtagOptions, etag, type Guarded } from 'kolba/etag'
import { component, inject } from 'kolba/inject'
import { json } from 'kolba/json'
import { csv, languages, produces } from 'kolba/negotiate'
import { output } from 'kolba/output'
import { int, object, text } from 'kolba/schema'
import { MemoryLogger } from '../support/memory-logger.ts'
import { Line, listening } from '../support/raw.ts'

interface Page {
  text: string
  rev: number
}

/** An app with pages in memory, which take a moment to be read and to be written. */
function wiki(options: EtagOptions<Page, number> = {}, settings: KolbaOptions = {}) {
  const pages = new Map<string, Page>([['1', { text: 'old', rev: 1 }]])
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false, ...settings })
  const tagged = etag(options)
  const steps: string[] = []
  app.get('/pages/:id', tagged, json(), async ctx => {
    await soon()
    const page = pages.get(ctx.params.id)
    if (!page) throw problem(404)
    return page
  })
  app.put('/pages/:id', tagged, json(), body(), async ctx => {
    const { id } = ctx.params
    const last = pages.get(id)
    steps.push(`put ${id}`)
    await soon()
    await soon()
    const page = { ...(ctx.input.body as Page), rev: (last?.rev ?? 0) + 1 }
    pages.set(id, page)
    return last ? page : created(`/pages/${id}`, page)
  })
  app.delete('/pages/:id', tagged, async ctx => {
    const isThere = pages.has(ctx.params.id)
    await soon()
    if (!isThere) throw problem(404)
    pages.delete(ctx.params.id)
    return null
  })
  return { app, client: app.client(), pages, steps, logger, tagged }
}

const tagOf = async (app: Kolba, path: string, headers = {}) =>
  (await app.client().get(path, { headers })).headers.get('etag') as string

async function detailOf(answer: Response | Promise<Response>): Promise<[number, string]> {
  const { status } = await answer
  return [status, (JSON.parse((await (await answer).text()) || '{}') as { detail: string }).detail]
}

const CHANGED = 'It has changed since you read it. GET it again, and send its ETag as If-Match.'
const EXISTS = 'It is there already. GET it, and send its ETag as If-Match to change it.'
const MISSING = 'There is nothing here. Send If-None-Match: * to make it.'
const UNREADABLE = 'is no list of entity tags. Send them as the ETag header had them, with their quotes, or *.'
const RACE = 'It was changed by somebody else at the same time. GET it again, and try once more.'

// --- preconditions ---

for (const [title, options] of [
  ['of bytes', {}],
  ['of a version', { version: (page: Page) => page.rev }],
] as const) {
  test(`etag() guards a PUT by a tag ${title}, before the handler runs`, async t => {
    const { app, client, steps, pages } = wiki(options)
    const tag = await tagOf(app, '/pages/1')
    const json = { text: 'new' }
    const first = await client.put('/pages/1', { json, headers: { 'If-Match': tag } })
    t.is(first.status, 200)
    t.is(first.headers.get('etag'), await tagOf(app, '/pages/1'))
    t.not(first.headers.get('etag'), tag)
    t.deepEqual(await detailOf(client.put('/pages/1', { json, headers: { 'If-Match': tag } })), [412, CHANGED])
    t.deepEqual(steps, ['put 1'])
    const next = first.headers.get('etag') as string
    const list = await client.put('/pages/1', { json, headers: { 'If-Match': `"a,b", ${next}` } })
    t.is(list.status, 200)
    t.is(pages.get('1')?.rev, 3)
  })

  test(`etag() guards a DELETE by a tag ${title}`, async t => {
    const { app, client, pages } = wiki(options)
    t.deepEqual(await detailOf(client.delete('/pages/1', { headers: { 'If-Match': '"x"' } })), [412, CHANGED])
    t.true(pages.has('1'))
    const headers = { 'If-Match': await tagOf(app, '/pages/1') }
    const answer = await client.delete('/pages/1', { headers })
    t.deepEqual([answer.status, answer.headers.get('etag')], [204, null])
    t.deepEqual(await detailOf(client.delete('/pages/1', { headers })), [412, 'There is nothing here.'])
  })

  test(`etag() makes a page once, with If-None-Match: * and a tag ${title}`, async t => {
    const { app, client, pages } = wiki(options)
    const make = () => client.put('/pages/2', { json: { text: 'a' }, headers: { 'If-None-Match': '*' } })
    const first = await make()
    t.deepEqual([first.status, first.headers.get('etag')], [201, await tagOf(app, '/pages/2')])
    t.deepEqual(await detailOf(make()), [412, EXISTS])
    t.is(pages.get('2')?.rev, 1)
  })
}

test('etag() says that there is nothing to change, and how to make it', async t => {
  const { client, pages } = wiki()
  const put = (headers: Record<string, string>) => detailOf(client.put('/pages/9', { json: {}, headers }))
  t.deepEqual(await put({ 'If-Match': '"x"' }), [412, MISSING])
  t.deepEqual(await put({ 'If-Match': '*' }), [412, MISSING])
  t.false(pages.has('9'))
})

test('etag() refuses what it cannot read as a condition, with 400', async t => {
  const { client, steps } = wiki()
  for (const name of ['If-Match', 'If-None-Match', 'IF-MATCH', 'if-none-match'])
    for (const value of ['abc', '"a', 'w/"a"', '*, "a"', '"a" "b"', '\xff']) {
      const shown = name.toLowerCase() === 'if-match' ? 'If-Match' : 'If-None-Match'
      t.deepEqual(await detailOf(client.put('/pages/1', { json: {}, headers: { [name]: value } })), [
        400,
        `${shown} ${UNREADABLE}`,
      ])
    }
  t.deepEqual(steps, [])
})

test('etag() without a condition lets a write through, and Cache-Control changes nothing', async t => {
  const { client } = wiki()
  t.is((await client.put('/pages/1', { json: { text: 'x' } })).status, 200)
  const headers = { 'If-Match': '"x"', 'Cache-Control': 'no-cache', 'If-Modified-Since': 'never' }
  t.is((await client.put('/pages/1', { json: {}, headers })).status, 412)
})

test('etag() compares what another method writes with GET too: POST and PATCH to what is there', async t => {
  const { app, client, tagged } = wiki()
  app.patch('/pages/:name', tagged, body(), () => 'patched')
  app.post('/pages/:id', tagged, () => 'posted')
  const headers = { 'If-Match': await tagOf(app, '/pages/1') }
  t.is(await (await client.patch('/pages/1', { json: {}, headers })).text(), 'patched')
  t.is(await (await client.post('/pages/1', { headers })).text(), 'posted')
  for (const method of ['PATCH', 'POST'])
    t.is((await client.fetch('/pages/1', { method, json: {}, headers: { 'If-Match': '"x"' } })).status, 412)
})

test('etag() never takes a weak tag for If-Match', async t => {
  const { app, client } = wiki()
  const tag = await tagOf(app, '/pages/1')
  const put = (headers: Record<string, string>) => client.put('/pages/1', { json: {}, headers })
  t.is((await put({ 'If-Match': `W/${tag}` })).status, 412)
  t.is((await put({ 'If-None-Match': `W/${tag}` })).status, 412)
  const weak = wiki({ weak: true })
  const weakTag = await tagOf(weak.app, '/pages/1')
  t.regex(weakTag, /^W\/"/)
  t.is((await weak.client.put('/pages/1', { json: {}, headers: { 'If-Match': weakTag } })).status, 412)
  t.is((await weak.client.put('/pages/1', { json: {}, headers: { 'If-Match': '*' } })).status, 200)
})

test('etag() reads lines of If-Match that were sent apart as one list, and no line gets by', async t => {
  const { app } = wiki()
  const tag = await tagOf(app, '/pages/1')
  const { port } = await listening(t, app)
  const send = async (lines: string[]) => {
    const head = ['DELETE /pages/1 HTTP/1.1', 'Host: a', ...lines, 'Connection: close', '', '']
    const line = new Line(port).write(head.join('\r\n'))
    await line.closed
    return line.answers()[0]?.status
  }
  t.is(await send(['If-Match: "x"', 'if-match: "y"']), 412)
  t.is(await send(['If-Match: *', 'If-Match: "x"']), 400)
  t.is(await send(['If-Match:', 'If-Match:']), 412)
  t.is(await send(['iF-mAtCh: "x"']), 412)
  t.is(await send(['If-Match: "x"', `If-Match: ${tag}`]), 204)
})

test('no header lets a write through whose condition does not hold, and none is a 5xx', async t => {
  const app = kolba()
  let writes = 0
  app.get('/', etag({ version: () => 'v;1', lastModified: () => 1e12 }), () => 'text')
  const layers = etag({ version: () => 'v;1', lastModified: () => 1e12, required: true })
  app.put('/', layers, () => {
    writes += 1
    return 'written'
  })
  const client = app.client()
  const piece = fc.constantFrom(
    '"v%3B1"',
    '"v%3B1;a/b"',
    'W/"v%3B1"',
    '"',
    'W/',
    '*',
    ',',
    ' ',
    ';',
    'v%3B1',
    '"x"',
    '\xe9',
    '%',
  )
  const header = fc.oneof(
    fc.array(piece, { maxLength: 6 }).map(it => it.join('')),
    fc.string({
      unit: fc
        .integer({ min: 0x20, max: 0xff })
        .filter(it => it !== 0x7f)
        .map(it => String.fromCharCode(it)),
      maxLength: 30,
    }),
  )
  const name = fc.constantFrom('If-Match', 'if-match', 'If-None-Match', 'If-Unmodified-Since', 'If-Modified-Since')
  const property = fc.asyncProperty(fc.dictionary(name, header, { maxKeys: 3 }), async headers => {
    const before = writes
    const { status } = await client.put('/', { headers })
    const sent = Object.entries(headers).map(([name, value]) => `${name.toLowerCase()}: ${value.trim()}`)
    const isMatch = sent.some(it => /^if-match: (\*$|.*"v%3B1[;"])/.test(it))
    t.true([200, 400, 412, 428].includes(status), `${status} ${sent}`)
    t.is(writes - before, Number(status === 200))
    if (status === 200) t.true(isMatch, sent.join())
  })
  // By chance alone no header might fit.
  await fc.assert(property, { numRuns: 400, examples: [[{ 'If-Match': '"v%3B1"' }]] })
  t.true(writes > 0)
})

// --- dates ---

const AT = new Date('2024-02-29T12:00:00.900Z')
const TEXT = 'Thu, 29 Feb 2024 12:00:00 GMT'
const OLDER = 'Thu, 29 Feb 2024 11:59:59 GMT'

test('etag({ lastModified }) guards a write by If-Unmodified-Since', async t => {
  const { client, steps } = wiki({ lastModified: () => AT })
  const put = (date: string, more = {}) =>
    detailOf(client.put('/pages/1', { json: {}, headers: { 'If-Unmodified-Since': date, ...more } }))
  t.deepEqual(await put(OLDER), [412, CHANGED])
  t.is((await put(TEXT))[0], 200)
  t.is((await put('Thursday, 29-Feb-24 12:00:00 GMT'))[0], 200)
  t.is((await put('yesterday'))[0], 200, 'RFC 9110 section 13.1.4: an invalid date is ignored')
  t.is((await put(OLDER, { 'If-Match': '*' }))[0], 200, 'and any date is, beside If-Match')
  t.is(steps.length, 4)
})

test('etag({ required, lastModified }) takes If-Unmodified-Since where there is a date to compare it with', async t => {
  const { client, pages, steps } = wiki({
    required: true,
    lastModified: page => (page.rev === 1 ? AT : undefined),
  })
  const put = (id: string, date: string) =>
    detailOf(client.put(`/pages/${id}`, { json: {}, headers: { 'If-Unmodified-Since': date } }))
  const [status, detail] = await put('1', 'yesterday')
  t.is(status, 428)
  t.is(
    detail,
    'Say what you mean to change: send the ETag that GET gave as If-Match, its Last-Modified as If-Unmodified-Since, or If-None-Match: * to make what is not there yet.',
  )
  t.is((await put('1', OLDER))[0], 412)
  t.is((await put('1', TEXT))[0], 200)
  t.is((await put('1', TEXT))[0], 428, 'the page has no date any more')
  t.is((await put('2', TEXT))[0], 428, 'there is no such page, and no date')
  t.deepEqual([steps.length, pages.has('2')], [1, false])
})

// --- required ---

test('etag({ required }) answers 428 to a write that makes no condition, and says what to send', async t => {
  const { client, app, steps } = wiki({ required: true })
  const toMake = ', or If-None-Match: * to make what is not there yet'
  const SAY = 'Say what you mean to change: send the ETag that GET gave as If-Match'
  t.deepEqual(await detailOf(client.put('/pages/1', { json: {} })), [428, `${SAY}${toMake}.`])
  t.deepEqual(await detailOf(client.delete('/pages/1')), [428, `${SAY}.`])
  for (const headers of [
    { 'If-None-Match': '"x"' },
    { 'If-Unmodified-Since': TEXT },
    { 'If-Modified-Since': TEXT },
    { 'If-Range': '"x"' },
  ] as Record<string, string>[])
    t.is((await client.put('/pages/1', { json: {}, headers })).status, 428)
  t.deepEqual(steps, [])
  t.is((await client.put('/pages/1', { json: {}, headers: { 'If-Match': await tagOf(app, '/pages/1') } })).status, 200)
  t.is((await client.put('/pages/2', { json: {}, headers: { 'If-None-Match': '*' } })).status, 201)
  t.is((await client.get('/pages/1')).status, 200)
})

test('etag({ required }) asks for the condition before it reads the body', async t => {
  const { client } = wiki({ required: true })
  const answer = await client.put('/pages/1', { body: '{', headers: { 'Content-Type': 'application/json' } })
  t.is(answer.status, 428)
})

test('etag({ required }) asks nothing of what changes nothing', async t => {
  const app = kolba()
  app.all('/', etag({ required: true }), ctx => ctx.method)
  for (const method of ['GET', 'HEAD', 'QUERY', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'REPORT'])
    t.is((await app.client().fetch('/', { method, headers: { 'If-None-Match': 'x' } })).status, 200, method)
  for (const method of ['PUT', 'PATCH', 'DELETE', 'POST', 'LOCK', 'MKCOL', 'PURGE'])
    t.is((await app.client().fetch('/', { method })).status, 428, method)
})

// --- registration ---

test('etag() refuses a write that has nothing to be compared with', t => {
  const refuses = (register: (app: Kolba) => unknown, message: string) =>
    t.throws(() => register(kolba()), { instanceOf: TypeError, message })
  refuses(
    app => app.put('/a', etag(), () => 1),
    'PUT /a: etag compares with what GET /a gives, and there is none yet. Register that first, or give load.',
  )
  refuses(
    app => app.post('/a', etag({ required: true }), () => 1),
    'POST /a: etag compares with what GET /a gives, and there is none yet. Register that first, or give load.',
  )
  refuses(app => {
    app.get('/a/:id', json(), () => 1)
    app.delete('/a/:key', etag(), () => 1)
  }, 'DELETE /a/:key: etag: GET /a/:id has no etag(), so no client has a tag to send. Put one there too.')
  refuses(app => {
    app.get('/a', etag(), () => 1)
    app.put('/a', etag({ version: () => 1 }), () => 1)
  }, 'PUT /a: etag: this one has a version, and that of GET /a has none. Give both the same, as a value.')
  refuses(app => {
    app.get('/a', etag({ weak: true }), () => 1)
    app.put('/a', etag({ required: true }), () => 1)
  }, 'PUT /a: etag: the tags of GET /a are weak and never match If-Match, so no write could pass. Leave out weak there.')
  t.notThrows(() => {
    const app = kolba()
    app.post('/a', etag(), () => 1)
    app.put('/b', etag({ load: () => 1 }), () => 1)
    app.route(['GET', 'PUT'], '/c', etag(), () => 1)
    app.use(etag())
    app.get('/d', () => 1)
    app.put('/d', etag(), () => 1)
  })
})

test('a composition with etag() that no route knows refuses to write', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const composed = etag()(() => 'written')
  app.put('/', ctx => composed(ctx as never))
  t.is((await app.client().put('/')).status, 500)
  t.is(logger.lines[0]?.message, 'etag: without a route nothing guards this PUT. Give the composition to a route.')
})

test('etag() notes what it does to what is written', t => {
  const { app } = wiki({ required: true })
  const note = app.routes().find(({ methods }) => methods.includes('PUT'))?.notes[0]
  t.deepEqual(Object.keys(note?.responses ?? {}), ['412', '428'])
  t.like(note?.parameters?.[0], { name: 'If-Match', required: true })
  t.deepEqual(Object.keys(wiki().app.routes()[1]?.notes[0]?.responses ?? {}), ['412'])
})

// --- load ---

interface Row {
  id: string
  rev: number
  secret: number
}

function loading(options: EtagOptions<Row, number>, row: () => unknown = () => ({ id: '1', rev: 3, secret: 0 })) {
  const app = kolba({ logger: new MemoryLogger() })
  const seen: unknown[] = []
  const load = (ctx: { params: Readonly<Record<string, string>> }) => {
    seen.push({ ...ctx.params })
    return row() as Row
  }
  const { version } = options
  app.get(
    '/rows/:id',
    etag(version ? { version } : {}),
    json({ pretty: true }),
    output(object({ rev: int() })),
    () => ({
      rev: 3,
    }),
  )
  app.put('/rows/:key', etag({ ...options, load }), json(), ctx => ({ version: ctx.version ?? null }))
  return { app, client: app.client(), seen }
}

test('etag({ load, version }) compares the version of what load gives, and runs no GET', async t => {
  const { app, client, seen } = loading({ version: row => row.rev })
  t.is(await tagOf(app, '/rows/1'), '"3"')
  const good = await client.put('/rows/1', { headers: { 'If-Match': '"3"' } })
  t.deepEqual([good.status, await good.text()], [200, '{"version":3}'])
  t.is((await client.put('/rows/1', { headers: { 'If-Match': '"2"' } })).status, 412)
  t.deepEqual(seen, [{ key: '1' }, { key: '1' }])
})

test('etag({ load }) compares what GET would make of what load gives, whose path has other names', async t => {
  const { app, client, seen } = loading({})
  const tag = await tagOf(app, '/rows/1')
  t.is(tag, hash('{\n  "rev": 3\n}'))
  const good = await client.put('/rows/1', { headers: { 'If-Match': tag } })
  t.deepEqual([good.status, JSON.parse(await good.text())], [200, { version: tag }])
  t.is((await client.put('/rows/1', { headers: { 'If-Match': '"2"' } })).status, 412)
  t.deepEqual(seen, [
    { id: '1', key: '1' },
    { id: '1', key: '1' },
  ])
})

test('etag({ load }) without a GET makes the tag of what load gives', async t => {
  const app = kolba()
  let row: unknown = { a: 1 }
  app.put('/', etag({ load: () => row }), () => 'written')
  const put = async (headers: Record<string, string>) => (await app.client().put('/', { headers })).status
  t.is(await put({ 'If-Match': hash('{"a":1}') }), 200)
  t.is(await put({ 'If-Match': '"x"' }), 412)
  t.is(await put({ 'If-None-Match': '*' }), 412)
  row = null
  t.is(await put({ 'If-None-Match': '*' }), 200)
})

class Missing extends Error {}

for (const [title, row] of [
  ['null', () => null],
  ['undefined', () => undefined],
  ['a thrown 404', () => Promise.reject(problem(404))],
  ['a problem that is returned', () => problem(404)],
  ['a thrown 410', () => Promise.reject(problem(410))],
  ['an error that app.onError makes a 404 of', () => Promise.reject(new Missing())],
] as const)
  for (const version of [undefined, ({ rev }: Row) => rev]) {
    test(`etag({ load${version ? ', version' : ''} }) takes ${title} for nothing there`, async t => {
      for (const answer of [() => problem(404), () => reply(404, { no: 1 }, { 'X-No': '1' })]) {
        const { app, client } = loading(version ? { version } : {}, row)
        app.onError(Missing, answer)
        const made = await client.put('/rows/1', { headers: { 'If-None-Match': '*' } })
        t.deepEqual([made.status, await made.text()], [200, '{"version":null}'])
        t.is(made.headers.get('x-no'), null)
        t.deepEqual(await detailOf(client.put('/rows/1', { headers: { 'If-Match': '*' } })), [412, MISSING])
      }
    })
  }

test('etag({ load }) that fails or refuses is an answer of its own, and the handler does not run', async t => {
  for (const version of [undefined, ({ rev }: Row) => rev])
    for (const [error, status] of [
      [problem(403, { detail: 'No.' }), 403],
      [new Error('secret'), 500],
    ] as const) {
      const { client } = loading(version ? { version } : {}, () => Promise.reject(error))
      const answer = await client.put('/rows/1', { headers: { 'If-None-Match': '*' } })
      t.is(answer.status, status)
      t.false((await answer.text()).includes('secret'))
    }
})

// --- GET as the source ---

test('a GET that refuses, refuses what is compared with it, thrown or returned', async t => {
  for (const [answer, status] of [
    [() => reply(403, 'no'), 403],
    [() => reply(503, 'later'), 503],
    [() => new Response('no', { status: 401 }), 401],
    [() => problem(402), 402],
    [() => Promise.reject(problem(429)), 429],
    [() => Promise.reject(new Error('broken')), 500],
  ] as const) {
    const app = kolba({ logger: new MemoryLogger() })
    app.get('/', etag(), answer as () => unknown)
    app.put('/', etag(), () => 'written')
    t.is((await app.client().put('/', { headers: { 'If-None-Match': '*' } })).status, status)
  }
})

test('a GET that answers 404 or 410 in any way is nothing there, and one that answers 204 or 301 is something', async t => {
  class Gone extends Error {}
  for (const [answer, status] of [
    [() => reply(404, 'no'), 200],
    [() => reply(410), 200],
    [() => problem(404), 200],
    [() => new Response('no', { status: 404 }), 200],
    [() => Promise.reject(problem(410)), 200],
    [() => Promise.reject(new Gone()), 200],
    [(ctx: Context) => void Object.assign(ctx, { status: 404 }), 200],
    [() => null, 412],
    [() => reply(301, null, { Location: '/a' }), 412],
    [() => 'text', 412],
  ] as const) {
    const app = kolba({ logger: new MemoryLogger() })
    app.onError(Gone, () => problem(404))
    app.get('/', etag(), answer as () => unknown)
    app.put('/', etag(), () => 'written')
    t.is((await app.client().put('/', { headers: { 'If-None-Match': '*' } })).status, status, String(answer))
  }
})

test('a GET leaves no trace on the answer of the write that reads it', async t => {
  const app = kolba()
  app.get('/', etag(), ctx => {
    ctx.cookies.set('a', 'b')
    ctx.set('X-A', 'b')
    ctx.status = 203
    ctx.state.trace = true
    return { a: 1 }
  })
  app.put('/', etag(), json(), ctx => ({ a: ctx.state.trace ?? 1 }))
  const answer = await app.client().put('/', { headers: { 'If-Match': hash('{"a":1}') } })
  t.deepEqual([answer.status, await answer.text()], [200, '{"a":1}'])
  t.deepEqual([answer.headers.get('set-cookie'), answer.headers.get('x-a')], [null, null])
})

test('a GET does not see the conditions, the body and the range of the write', async t => {
  const app = kolba()
  let seen: Record<string, unknown> = {}
  app.get('/', etag(), ctx => {
    seen = { ...ctx.headers, method: ctx.method, url: ctx.url, id: ctx.requestId }
    return 1
  })
  app.put('/', etag(), body(), () => 1)
  const headers = { 'If-Match': '*', Range: 'bytes=0-1', Prefer: 'return=minimal', Expect: '100-continue', 'X-A': 'b' }
  const given = { ...headers, 'X-Request-Id': 'r1', authorization: 'x' }
  t.is((await app.client().put('/?a=1', { json: {}, headers: given })).status, 200)
  const { host, connection, ...rest } = seen
  t.deepEqual(rest, { 'x-a': 'b', authorization: 'x', 'x-request-id': 'r1', method: 'GET', url: '/?a=1', id: 'r1' })
})

test('a GET runs again what stands on it and not on the write, and nothing that has run already', async t => {
  const steps: string[] = []
  const step = (name: string) =>
    decorator(name, (_ctx, next) => {
      steps.push(name)
      return next()
    })
  const [both, own] = [step('both'), step('own')]
  const app = kolba()
  app.get('/', both, own, etag(), step('below'), () => 1)
  app.put('/', both, step('put'), etag(), step('under'), () => steps.push('handler') && 2)
  t.is((await app.client().put('/', { headers: { 'If-Match': hash('1') } })).status, 200)
  // Before the handler, and after it, for the tag of the reply.
  t.deepEqual(steps, ['both', 'put', 'own', 'below', 'under', 'handler', 'own', 'below'])
})

test('a GET finds what the write has put on ctx, and components that are made for it are disposed of', async t => {
  interface User {
    name: string
  }
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: User }>) => next({ user: { name: 'ann' } }))
  const made: string[] = []
  let count = 0
  const connection = component(
    () => {
      count += 1
      made.push(`made ${count}`)
      return count
    },
    { dispose: it => void made.push(`disposed ${it}`) },
  )
  const app = kolba()
  app.get('/', signedIn, etag({ version: () => 7 }), inject({ connection }), ctx => ctx.user.name)
  app.put('/', signedIn, etag({ version: () => 7 }), inject({ connection }), ctx => `${ctx.user.name}!`)
  const answer = await app.client().put('/', { headers: { 'If-Match': '"7"' } })
  t.deepEqual([answer.status, answer.headers.get('etag')], [200, '"7"'])
  await soon()
  t.deepEqual(made, ['made 1', 'disposed 1', 'made 2', 'disposed 2'])
})

// --- version and stale ---

test('ctx.version is the version that was read, or the tag where there is none, or undefined', async t => {
  const app = kolba()
  let row: Page | null = { text: 'a', rev: 4 }
  const versioned = etag({ version: (page: Page) => page.rev })
  app.get('/version', versioned, json(), () => row ?? reply(404))
  app.put('/version', versioned, ctx => String(ctx.version))
  app.get('/bytes', etag(), () => 'text')
  app.put('/bytes', etag(), ctx => String(ctx.version))
  const put = async (path: string) => (await app.client().put(path)).text()
  t.is(await put('/version'), '4')
  t.is(await put('/bytes'), hash('text'))
  row = null
  t.is(await put('/version'), 'undefined')
})

test('ctx.stale() answers 412 to who made a condition, and 409 to others, thrown, returned and bare', async t => {
  const app = kolba()
  const tagged = etag({ version: () => 1 })
  app.get('/', tagged, () => 1)
  const ways: Record<string, (ctx: Guarded<number>) => unknown> = {
    thrown(ctx) {
      throw ctx.stale()
    },
    returned: ctx => ctx.stale(),
    bare(ctx) {
      ctx.stale()
    },
  }
  app.put('/', tagged, json(), ctx => ways[ctx.get('X-Way')]?.(ctx))
  for (const way of Object.keys(ways)) {
    const put = (headers: Record<string, string>) =>
      detailOf(app.client().put('/', { headers: { 'X-Way': way, ...headers } }))
    t.deepEqual(await put({ 'If-Match': '"1"' }), [412, CHANGED])
    t.deepEqual(await put({ 'If-None-Match': '"2"' }), [412, CHANGED])
    t.deepEqual(await put({}), [409, RACE])
    t.deepEqual(await put({ 'If-Modified-Since': TEXT }), [409, RACE], 'which is no condition of a write')
  }
})

test('ctx.version and ctx.stale() settle a race that another process wins', async t => {
  const table = { rev: 1 }
  const update = (rev: number | undefined) =>
    table.rev === rev ? Object.assign(table, { rev: table.rev + 1 }) : undefined
  const versioned = etag({ version: (row: { rev: number }) => row.rev })
  const app = kolba()
  app.get('/', versioned, json(), () => ({ ...table }))
  app.put('/', versioned, json(), ctx => {
    if (ctx.get('X-Race')) table.rev += 1
    return update(ctx.version) ?? ctx.stale()
  })
  const put = (headers: Record<string, string>) => app.client().put('/', { headers })
  t.is((await put({ 'If-Match': '"1"' })).headers.get('etag'), '"2"')
  t.deepEqual(await detailOf(put({ 'If-Match': '"2"', 'X-Race': '1' })), [412, CHANGED])
  t.deepEqual(await detailOf(put({ 'X-Race': '1' })), [409, RACE])
})

// --- the reply's tag ---

test('the reply carries the tag that the next GET gives', async t => {
  const app = kolba()
  const rows = new Map<string, Row>()
  const row = (id: string) => rows.get(id) ?? reply(404)
  const shown = output(object({ id: text(), rev: int() }))
  const write = (id: string) => {
    const rev = (rows.get(id)?.rev ?? 0) + 1
    rows.set(id, { id, rev, secret: 1 })
    return rows.get(id) as Row
  }
  const kinds = {
    bytes: stack(etag(), json()),
    below: stack(json(), etag()),
    pretty: stack(etag(), json({ pretty: true })),
    pruned: stack(etag(), json(), shown),
    version: stack(etag({ version: (it: Row) => it.rev }), json()),
    versionBelow: stack(json(), etag({ version: (it: Row) => it.rev })),
    weak: stack(etag({ weak: true }), json()),
  } as Record<string, Decorator>
  for (const [kind, layers] of Object.entries(kinds)) {
    app.get(`/${kind}/:id`, layers, ctx => row(ctx.params.id))
    app.put(`/${kind}/:id`, layers, ctx => write(ctx.params.id))
    app.patch(`/${kind}/:id`, layers, ctx => reply(200, write(ctx.params.id), { 'X-A': 'b' }))
    app.post(`/${kind}`, layers, ctx => created(`http://localhost/${kind}/n${ctx.get('X-N')}`, write('n')))
  }
  const client = app.client()
  for (const kind of Object.keys(kinds))
    for (const method of ['PUT', 'PATCH', 'PUT']) {
      const answer = await client.fetch(`/${kind}/1`, { method })
      if (kind === 'pruned' && method === 'PATCH') continue
      t.is(answer.status, 200, kind)
      t.truthy(answer.headers.get('etag'), kind)
      t.is(answer.headers.get('etag'), await tagOf(app, `/${kind}/1`), `${kind} ${method}`)
    }
  for (const kind of ['bytes', 'below', 'pretty', 'version', 'versionBelow']) {
    const made = await client.post(`/${kind}`)
    t.deepEqual([made.status, made.headers.get('etag')], [201, await tagOf(app, `/${kind}/n`)], kind)
  }
})

test('the reply carries no tag where it is not what GET gives', async t => {
  const app = kolba()
  let rev = 0
  app.get('/', etag(), json(), () => ({ rev }))
  const bodies: unknown[] = [
    { ok: true },
    null,
    reply(202, { rev }),
    reply(400, { rev: 1 }),
    new Response('{"rev":5}'),
    problem(422),
    created('/elsewhere', { rev }),
  ]
  app.put('/', etag(), json(), ctx => {
    rev += 1
    return bodies[Number(ctx.get('X-N'))]
  })
  for (const index of bodies.keys()) {
    const answer = await app.client().put('/', { headers: { 'X-N': String(index) } })
    t.is(answer.headers.get('etag'), null, String(index))
  }
})

test('the reply never carries the tag of a state that the writer has not seen', async t => {
  const app = kolba()
  let text = 'a'
  let between: (() => void) | undefined
  const slow = decorator('slow', async (_ctx, next) => {
    const value = await next()
    between?.()
    return value
  })
  app.get('/', etag(), () => text)
  // It stands below etag(), and what it does comes after the handler and before the reply has its tag.
  app.put('/', etag(), slow, body({ types: ['text'] }), ctx => {
    text = String(ctx.input.body)
    return text
  })
  const put = (body: string) => app.client().put('/', { body, headers: { 'Content-Type': 'text/plain' } })
  t.is((await put('b')).headers.get('etag'), hash('b'))
  between = () => {
    text = 'of another process'
  }
  const answer = await put('c')
  t.deepEqual([answer.status, answer.headers.get('etag'), await answer.text()], [200, null, 'c'])
})

test('a reply whose tag cannot be had is sent all the same, and the log says why', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  let isBroken = false
  app.get('/', etag(), () => {
    if (isBroken) throw new Error('GET is broken')
    return 1
  })
  app.put('/', etag(), () => {
    isBroken = true
    return 2
  })
  const answer = await app.client().put('/', { headers: { 'If-Match': hash('1') } })
  t.deepEqual([answer.status, await answer.text(), answer.headers.get('etag')], [200, '2', null])
  t.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [['error', 'GET is broken']],
  )
})

test('a tag that the handler gives the reply stays', async t => {
  const app = kolba()
  app.get('/', etag(), () => reply(200, 1, { ETag: '"mine"' }))
  app.put('/', etag(), () => reply(200, 2, { etag: '"other"' }))
  const answer = await app.client().put('/', { headers: { 'If-Match': '"mine"' } })
  t.deepEqual([answer.status, answer.headers.get('etag')], [200, '"other"'])
})

// --- representations ---

test('a guarded write takes the tag of any representation, where it is of a version', async t => {
  const formats = decorator('formats', (ctx, next) => next({ representation: ctx.get('Accept') }))
  const app = kolba()
  const tagged = etag({ version: (row: Page) => row.rev })
  app.get('/version', formats, tagged, json(), () => ({ text: 'a', rev: 4 }))
  app.put('/version', formats, tagged, json(), () => ({ text: 'a', rev: 5 }))
  const plain = etag()
  app.get('/bytes', formats, plain, ctx => ({ as: ctx.get('Accept') }))
  app.put('/bytes', plain, () => 'written')
  const put = (path: string, tag: string, accept = 'text/html') =>
    app.client().put(path, { headers: { 'If-Match': tag, accept } })
  const csv = await tagOf(app, '/version', { accept: 'text/csv' })
  t.is(csv, '"4;text/csv"')
  t.is((await put('/version', csv)).headers.get('etag'), '"5;text/html"')
  t.is((await put('/version', '"4"')).status, 200)
  t.is((await put('/version', '"5;text/html"')).status, 412)
  // A hash is of the bytes that this representation has.
  for (const accept of ['text/csv', 'application/json; q="a"']) {
    const tag = await tagOf(app, '/bytes', { accept })
    t.is((await put('/bytes', tag)).status, 200)
    t.is((await put('/bytes', tag.replace(/;.*/, ';text/html"'))).status, 412)
  }
  for (const odd of ['"x;a/%zz"', '"x;a/\xff"', '"x;/"', '"x;a/b;c/d"'])
    t.is((await put('/bytes', odd)).status, 412, odd)
})

test('a guarded write takes the tag of any language, where it is of a version, and a hash for its own', async t => {
  const app = kolba()
  let page = { en: 'a', de: 'b', rev: 4 }
  const save = () => {
    page = { ...page, rev: page.rev + 1 }
    return page
  }
  const chosen = languages('en', 'de')
  const formats = produces({ 'application/json': true, 'text/plain': (row: { text: string }) => row.text })
  const tagged = etag({ version: (row: { rev: number }) => row.rev })
  app.get('/version', chosen, tagged, formats, ctx => ({ text: page[ctx.language], rev: page.rev }))
  app.put('/version', tagged, save)
  app.get('/bytes', chosen, etag(), formats, ctx => ({ text: page[ctx.language] }))
  app.put('/bytes', chosen, etag(), save)
  const put = async (path: string, tag: string, language: string) =>
    (await app.client().put(path, { headers: { 'If-Match': tag, 'Accept-Language': language } })).status
  const german = { accept: 'text/plain', 'accept-language': 'de' }
  t.is(await tagOf(app, '/version', german), '"4;text/plain;de"')
  t.is(await put('/version', '"4;text/plain;de"', 'en'), 200)
  t.is(await put('/version', '"4;text/plain;de"', 'de'), 412)
  t.is(await put('/version', '"5;de"', 'en'), 200)
  const tag = await tagOf(app, '/bytes', german)
  t.regex(tag, /;text\/plain;de"$/)
  t.is(await put('/bytes', tag, 'en'), 412)
  t.is(await put('/bytes', tag, 'de'), 200)
})

test('the tag of a sparse or expanded read guards a write, where it is of a version, and a hash guards the whole', async t => {
  let page = { text: 'a', author: 7, rev: 4 }
  const shaped = decorator('shaped', async (ctx, next) => {
    const row = (await next()) as typeof page
    // A 304 from below has nothing to shape.
    if (row instanceof Reply) return row
    if (ctx.query.fields) return { [String(ctx.query.fields)]: row[ctx.query.fields as 'text'] }
    return ctx.query.expand ? { ...row, author: { id: 7, name: 'Ada' } } : row
  })
  const app = kolba({ signals: false })
  const stacks: [string, Decorator][] = [
    ['/version', stack(json(), shaped, etag({ version: (row: typeof page) => row.rev }))],
    ['/hash', stack(etag(), json(), shaped)],
  ]
  for (const [path, tagged] of stacks) {
    app.get(path, tagged, () => page)
    app.put(path, tagged, () => {
      page = { ...page, rev: page.rev + 1 }
      return page
    })
  }
  const put = async (path: string, tag: string) =>
    (await app.client().put(path, { headers: { 'If-Match': tag } })).status
  for (const query of ['?fields=text', '?expand=author']) {
    const tag = await tagOf(app, `/version${query}`)
    t.is((await app.client().get(`/version${query}`, { headers: { 'If-None-Match': tag } })).status, 304)
    t.is(await put('/version', tag), 200)
    t.is(await put('/version', tag), 412)
    // Of bytes that are a part it cannot be told whether the rest has changed.
    t.is(await put('/hash', await tagOf(app, `/hash${query}`)), 412)
  }
  t.is(await put('/hash', await tagOf(app, '/hash')), 200)
})

test('a tag of its own with a semicolon is compared as a whole, version or not', async t => {
  const app = kolba()
  const tagged = etag({ version: (row: { rev: number }) => row.rev })
  app.get('/', tagged, () => reply(200, { rev: 1 }, { ETag: '"book;2"' }))
  app.put('/', tagged, () => 'written')
  const put = async (tag: string) => (await app.client().put('/', { headers: { 'If-Match': tag } })).status
  t.is(await put('"book;2"'), 200)
  t.is(await put('"book;1"'), 412)
})

// --- places ---

test('etag() guards in a group, with a second one on the route that says more', async t => {
  const app = kolba()
  const pages = app.group('/pages', etag(), json({ pretty: true }))
  let text = 'a'
  pages.get('/:id', () => ({ text }))
  pages.put('/:id', etag({ required: true }), body(), ctx => {
    text = String(ctx.input.body)
    return { text }
  })
  const tag = await tagOf(app, '/pages/1')
  t.is(tag, hash('{\n  "text": "a"\n}'))
  const put = (headers: Record<string, string>) => app.client().put('/pages/1', { json: 'b', headers })
  t.is((await put({})).status, 428)
  t.is((await put({ 'If-Match': '"x"' })).status, 412)
  const answer = await put({ 'If-Match': tag })
  t.deepEqual([answer.status, answer.headers.get('etag')], [200, await tagOf(app, '/pages/1')])
})

class Shelf {
  text = 'a'

  @get('/')
  @etag()
  @json()
  show(_ctx: Context<'/'>) {
    return { text: this.text }
  }

  @put('/')
  @etag({ required: true })
  @json()
  @body()
  change(ctx: Context<'/', BodyInput>) {
    this.text = String(ctx.input.body)
    return { text: this.text }
  }

  @del('/')
  @etag()
  remove(_ctx: Context<'/'>) {
    return null
  }
}

test('etag() guards in a class, a stack, a composition, a blueprint, a mounted app and below app.use(etag())', async t => {
  const app = kolba()
  let value = { text: 'a' }
  const show = () => value
  const change = (ctx: { input: { body: unknown } }) => {
    value = { text: String(ctx.input.body) }
    return value
  }
  const write = etag({ required: true })
  app.mount('/class', new Shelf())
  const both = stack(write, json())
  app.get('/stack', both, show)
  app.put('/stack', both, body(), change)
  app.get('/composed', etag()(json()(show)))
  app.put('/composed', etag({ required: true })(json()(body()(change))))
  const books = blueprint('books', write)
  books.get('/:id', json(), show)
  books.put('/:key', json(), body(), change)
  app.mount('/blueprint', books)
  app.mount('/deep/:shelf', books)
  const inner = kolba()
  inner.get('/x/:id', write, json(), show)
  inner.put('/x/:key', write, json(), body(), change)
  app.mount('/inner', inner)
  for (const path of ['/class', '/stack', '/composed', '/blueprint/1', '/deep/a/1', '/inner/x/1']) {
    value = { text: 'a' }
    await guards(t, app, path)
  }
  const whole = kolba()
  whole.use(etag())
  whole.get('/', json(), show)
  whole.put('/', write, json(), body(), change)
  value = { text: 'a' }
  await guards(t, whole, '/')
})

async function guards(t: ExecutionContext, app: Kolba, path: string) {
  const client = app.client()
  const tag = await tagOf(app, path)
  t.is(tag, hash('{"text":"a"}'), path)
  t.is((await client.put(path, { json: 'b' })).status, 428, path)
  t.is((await client.put(path, { json: 'b', headers: { 'If-Match': '"x"' } })).status, 412, path)
  const good = await client.put(path, { json: 'b', headers: { 'If-Match': tag } })
  t.deepEqual([good.status, good.headers.get('etag')], [200, hash('{"text":"b"}')], path)
  t.is((await client.put(path, { json: 'b', headers: { 'If-Match': tag } })).status, 412, path)
}

test('etag() on a route of GET and PUT compares with what that route gives, though it reads a body', async t => {
  const app = kolba()
  let text = 'a'
  app.route(['GET', 'PUT'], '/', etag(), json({ pretty: true }), body({ optional: true }), ctx => {
    if (ctx.method === 'PUT') text = String(ctx.input.body)
    return { text }
  })
  const tag = await tagOf(app, '/')
  t.is(tag, hash('{\n  "text": "a"\n}'))
  const put = (tag: string) => app.client().put('/', { json: 'b', headers: { 'If-Match': tag } })
  t.is((await put('"x"')).status, 412)
  const answer = await put(tag)
  t.deepEqual([answer.status, answer.headers.get('etag')], [200, await tagOf(app, '/')])
})

test('etag() where an app is mounted at no prefix guards its routes, and none of the others', async t => {
  const app = kolba()
  const inner = kolba()
  let text = 'a'
  inner.get('/in', () => text)
  inner.put('/in', () => {
    text = 'b'
    return text
  })
  app.mount('', inner, etag({ required: true }))
  app.get('/out', () => 'text')
  t.is(await tagOf(app, '/out'), null as never)
  t.is((await app.client().put('/in')).status, 428)
  t.is((await app.client().put('/in', { headers: { 'If-Match': hash('a') } })).status, 200)
  t.is((await app.client().put('/in', { headers: { 'If-Match': hash('a') } })).status, 412)
})

test('etag() where a Koa app is mounted, whose GET nobody else can read, lets no condition pass', async t => {
  const app = kolba()
  const inner = new Koa()
  inner.use(ctx => {
    ctx.body = 'of Koa'
  })
  app.mount('/koa', inner, etag({ required: true }))
  const tag = await tagOf(app, '/koa/a')
  t.is(tag, hash('of Koa'))
  const put = async (headers: Record<string, string>) => (await app.client().put('/koa/a', { headers })).status
  t.is(await put({}), 428)
  t.is(await put({ 'If-None-Match': '*' }), 412)
  t.is(await put({ 'If-Match': tag }), 412)
})

test('one etag() in a group and on its routes guards like one', async t => {
  const app = kolba()
  const tagged = etag({ required: true })
  const group = app.group('/', tagged, json({ pretty: true }))
  let value = ['a']
  group.get('/', tagged, () => value)
  group.put('/', tagged, body(), ctx => {
    value = ctx.input.body as string[]
    return value
  })
  const headers = { 'If-Match': await tagOf(app, '/') }
  const put = () => app.client().put('/', { json: ['b'], headers })
  t.is((await put()).headers.get('etag'), await tagOf(app, '/'))
  t.is((await put()).status, 412)
})

test('etag() compares with the innermost of two on GET, which has made the tag', async t => {
  const app = kolba()
  const versioned = etag({ version: () => 7 })
  app.get('/', etag(), json(), versioned, () => 'text')
  app.put('/', versioned, json(), () => 'text')
  const tag = await tagOf(app, '/')
  t.is(tag, '"7"')
  const answer = await app.client().put('/', { headers: { 'If-Match': tag } })
  t.deepEqual([answer.status, answer.headers.get('etag')], [200, '"7"'])
})

test('a method that somebody has put in the place of the first does not make a read of a write', async t => {
  const override = decorator('override', (ctx, next) => {
    ctx.method = ctx.get('X-HTTP-Method-Override') || ctx.method
    return next()
  })
  const app = kolba()
  app.get('/', etag(), () => 'text')
  app.route(['PUT', 'POST'], '/', override, etag({ required: true }), () => 'written')
  for (const method of ['GET', 'QUERY', 'OPTIONS']) {
    const put = (headers: Record<string, string>) =>
      app.client().put('/', { headers: { 'X-HTTP-Method-Override': method, ...headers } })
    t.is((await put({})).status, 428, method)
    t.is((await put({ 'If-None-Match': '*', 'If-Match': '"x"' })).status, 412, method)
  }
})

test('etag() below output() has a version that nobody is shown', async t => {
  const app = kolba()
  const row = { id: 1, rev: 3 }
  const layers = stack(json(), output(object({ id: int() })), etag({ version: (it: typeof row) => it.rev }))
  app.get('/', layers, () => row)
  app.put('/', layers, ctx => {
    row.rev = (ctx.version ?? 0) + 1
    return row
  })
  const first = await app.client().get('/')
  t.deepEqual([first.headers.get('etag'), await first.text()], ['"3"', '{"id":1}'])
  const put = () => app.client().put('/', { headers: { 'If-Match': '"3"' } })
  const answer = await put()
  t.deepEqual([answer.headers.get('etag'), await answer.text()], ['"4"', '{"id":1}'])
  t.is((await put()).status, 412)
})

test('a reply does not wait long for a tag, where GET waits for a connection that the write holds', async t => {
  const app = kolba()
  const waiting: (() => void)[] = []
  let free = 1
  const connection = component(
    async () => {
      if (free === 0) await new Promise<void>(resolve => waiting.push(resolve))
      free -= 1
      return 'connection'
    },
    {
      dispose() {
        free += 1
        waiting.shift()?.()
      },
    },
  )
  app.get('/', etag(), inject({ connection }), () => 'text')
  app.put('/', etag(), inject({ connection }), () => 'text')
  const answer = await app.client().put('/', { headers: { 'If-Match': hash('text') } })
  t.deepEqual([answer.status, await answer.text(), answer.headers.get('etag')], [200, 'text', null])
})

// --- races ---

async function race(count: number, run: (index: number) => Promise<Response>): Promise<Record<number, number>> {
  const statuses = await Promise.all(Array.from({ length: count }, async (_, index) => (await run(index)).status))
  const counts: Record<number, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

for (const [title, options] of [
  ['of bytes', {}],
  ['of a version', { version: (page: Page) => page.rev }],
] as const) {
  test(`of 200 PUTs at once with one tag ${title}, one writes`, async t => {
    const { app, client, pages, steps } = wiki(options)
    const headers = { 'If-Match': await tagOf(app, '/pages/1') }
    const put = (index: number) => client.put('/pages/1', { json: { text: `by ${index}` }, headers })
    t.deepEqual(await race(200, put), { 200: 1, 412: 199 })
    t.deepEqual([pages.get('1')?.rev, steps.length], [2, 1])
  })
}

test('of 60 PUTs, PATCHes and DELETEs at once with one tag, one writes', async t => {
  const { app, client, tagged } = wiki()
  let patched = 0
  app.patch('/pages/:name', tagged, json(), body(), async () => {
    await soon()
    patched += 1
    return { text: 'patched' }
  })
  const headers = { 'If-Match': await tagOf(app, '/pages/1') }
  const methods = ['PUT', 'DELETE', 'PUT']
  const write = (index: number) =>
    client.fetch('/pages/1', { method: methods[index % 3] as string, json: { text: `${index}` }, headers })
  const statuses = await race(60, write)
  t.deepEqual([statuses[412], patched], [59, 0])
})

test('of 50 PUTs that make one page, one makes it', async t => {
  const { client, pages } = wiki()
  const make = () => client.put('/pages/2', { json: { text: 'x' }, headers: { 'If-None-Match': '*' } })
  t.deepEqual(await race(50, make), { 201: 1, 412: 49 })
  t.is(pages.get('2')?.rev, 1)
})

test('a path that is written in two ways is one path', async t => {
  const { app, client, pages } = wiki()
  pages.set('a,b', { text: 'a', rev: 1 })
  const headers = { 'If-Match': await tagOf(app, '/pages/a,b') }
  const ways = ['/pages/a,b', '/pages/a,b/', '/pages/a%2Cb', '/pages/a%2cb/', '/pages/a,b?x=1']
  const put = (index: number) =>
    client.put(ways[index % ways.length] as string, { json: { text: `${index}` }, headers })
  const statuses = await race(50, put)
  t.is(statuses[200], 1)
  t.is(pages.get('a,b')?.rev, 2)
})

test('a path that has a suffix too is one path, and where GET alone has it, it is another', async t => {
  let count = 0
  const says = produces({ 'application/json': true, 'text/csv': csv() }, { suffix: true })
  const app = kolba({ signals: false })
  const counter = app.group('/counters/:name', etag({ version: () => count }), says)
  counter.get('/', ({ params }) => ({ name: params.name, count }))
  counter.put('/', async ({ params }) => {
    await soon()
    count += 1
    return { name: params.name, count }
  })
  app.get('/files/:name', etag(), says, ({ params }) => (params.name === 'a' ? { is: 'a' } : problem(404)))
  app.put('/files/:name', etag(), json(), ({ params, version }) => [params.name, version ?? 'new'])
  const client = app.client()

  const headers = { 'If-Match': '"0"' }
  const ways = ['', '.csv', '.json', '/', '.csv/']
  const put = (index: number) => client.put(`/counters/a${ways[index % ways.length]}`, { headers })
  t.deepEqual(await race(50, put), { 200: 1, 412: 49 })
  t.is(count, 1)

  // GET of this path is of the file a, and PUT of one with the name a.json.
  const create = await client.put('/files/a.json', { headers: { 'If-None-Match': '*' } })
  t.deepEqual([create.status, await create.json()], [200, ['a.json', 'new']])
  t.is((await client.put('/files/a.json', { headers: { 'If-Match': '*' } })).status, 412)
  t.is((await client.put('/files/a', { headers: { 'If-Match': '*' } })).status, 200)
})

test('writes without conditions do not get between the reading and the writing of others', async t => {
  const { app, client, pages } = wiki()
  const headers = { 'If-Match': await tagOf(app, '/pages/1') }
  const put = (index: number) =>
    client.put('/pages/1', { json: { text: `${index}` }, headers: index % 2 ? headers : {} })
  const statuses = await race(40, put)
  t.is(statuses[200], 20, 'the first has no condition, and all that have one come too late')
  t.is(pages.get('1')?.rev, 21)
})

test('a transaction that stands between etag() and body() is committed before the next one reads', async t => {
  const app = kolba()
  let rev = 1
  const transaction = component(() => ({ rev: 0 }), {
    async commit(it) {
      await soon()
      await soon()
      await soon()
      rev = it.rev
    },
  })
  app.get('/', etag({ version: (row: { rev: number }) => row.rev }), json(), () => ({ rev }))
  const write = etag({ version: (row: { rev: number }) => row.rev })
  app.put('/', write, json(), inject({ transaction }), body(), ctx => {
    ctx.transaction.rev = rev + 1
    return { rev: rev + 1 }
  })
  const put = () => app.client().put('/', { json: {}, headers: { 'If-Match': '"1"' } })
  t.deepEqual(await race(20, put), { 200: 1, 412: 19 })
  t.is(rev, 2)
})

/** A PUT whose handler can be seen, and held. */
function held(settings: KolbaOptions = {}) {
  const logger = new MemoryLogger()
  const app = kolba({ signals: false, logger, ...settings })
  const running: { path: string; release: () => void }[] = []
  const entered: string[] = []
  const arrived: string[] = []
  app.use((ctx, next) => {
    arrived.push(ctx.get('X-N'))
    return next()
  })
  app.get('/:id', etag({ version: () => 1 }), () => 'text')
  app.put('/:id', etag(), body({ optional: true }), async ctx => {
    entered.push(`${ctx.path} ${ctx.get('X-N')}`)
    if (ctx.get('X-Hold')) await new Promise<void>(release => running.push({ path: ctx.path, release }))
    return 'written'
  })
  const until = async (check: () => boolean) => {
    while (!check()) await soon()
  }
  /** It has come, and stands where it has to wait. */
  const arrival = async (n: string) => {
    await until(() => arrived.includes(n))
    await soon()
  }
  return { app, running, entered, until, arrival, logger }
}

const request = (path: string, ...lines: string[]) => [`PUT ${path} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n')

test('writes to different paths do not wait for each other', async t => {
  const { app, running, until } = held()
  const client = app.client()
  const first = client.put('/a', { headers: { 'X-Hold': '1' } })
  await until(() => running.length === 1)
  t.is((await client.put('/b')).status, 200)
  t.is((await client.get('/a')).status, 200)
  running[0]?.release()
  t.is((await first).status, 200)
})

test('writes to one path run in the order of their coming', async t => {
  const { app, running, entered, until, arrival } = held()
  const { port } = await listening(t, app)
  const lines = [1, 2, 3].map(() => new Line(port))
  lines[0]?.write(request('/a', 'X-N: 1', 'X-Hold: 1'))
  await until(() => running.length === 1)
  for (const [index, line] of lines.slice(1).entries()) {
    line.write(request('/a', `X-N: ${index + 2}`))
    await arrival(`${index + 2}`)
  }
  t.deepEqual(entered, ['/a 1'])
  running[0]?.release()
  for (const line of lines) t.is((await line.next()).status, 200)
  t.deepEqual(entered, ['/a 1', '/a 2', '/a 3'])
})

test('a body that is sent slowly keeps nobody waiting', async t => {
  const { app, entered, arrival } = held()
  const { port } = await listening(t, app)
  const slow = new Line(port).write(request('/a', 'X-N: slow', 'Content-Type: application/json', 'Content-Length: 4'))
  slow.write('tr')
  await arrival('slow')
  const quick = new Line(port).write(request('/a', 'X-N: quick'))
  t.is((await quick.next()).status, 200)
  t.deepEqual(entered, ['/a quick'])
  slow.write('ue')
  t.is((await slow.next()).status, 200)
  t.deepEqual(entered, ['/a quick', '/a slow'])
})

test('a client that leaves while it waits for its turn writes nothing', async t => {
  const { app, running, entered, until, arrival, logger } = held()
  const { port } = await listening(t, app)
  const first = new Line(port).write(request('/a', 'X-N: 1', 'X-Hold: 1'))
  await until(() => running.length === 1)
  const second = new Line(port).write(request('/a', 'X-N: 2'))
  await arrival('2')
  const third = new Line(port).write(request('/a', 'X-N: 3'))
  await arrival('3')
  second.socket.destroy()
  await second.closed
  // So that the server knows of it too.
  await new Line(port).write(request('/b')).next()
  running[0]?.release()
  t.is((await first.next()).status, 200)
  t.is((await third.next()).status, 200)
  t.deepEqual(entered, ['/a 1', '/b ', '/a 3'])
  t.deepEqual(logger.lines, [])
})

test('time that is over while it waits for its turn is 503, and its handler never runs', async t => {
  const { app, running, entered, until } = held({ timeouts: { handler: 0.6 } })
  const { port } = await listening(t, app)
  const head = request('/a', 'X-N: late', 'Content-Type: application/json', 'Content-Length: 4')
  const late = new Line(port).write(`${head}tr`)
  // Its time runs while its body is on the way, and that of the one before it begins later.
  await wait(300)
  const first = new Line(port).write(request('/a', 'X-N: first', 'X-Hold: 1'))
  await until(() => running.length === 1)
  late.write('ue')
  t.is((await late.next()).status, 503)
  t.is((await first.next()).status, 503)
  const third = new Line(port).write(request('/a', 'X-N: third'))
  t.is((await third.next()).status, 200)
  t.deepEqual(entered, ['/a first', '/a third'])
})

test('a handler that never ends does not close its path for good', async t => {
  const { app, entered } = held({ timeouts: { handler: 0.5 } })
  const client = app.client()
  t.is((await client.put('/a', { headers: { 'X-N': '1', 'X-Hold': '1' } })).status, 503)
  t.is((await client.put('/a', { headers: { 'X-N': '2' } })).status, 200)
  t.deepEqual(entered, ['/a 1', '/a 2'])
})

test('a write that is tried twice by a decorator above waits as it should', async t => {
  const app = kolba()
  let tries = 0
  const twice = decorator('twice', async (_ctx, next) => {
    try {
      return await next()
    } catch {
      return next()
    }
  })
  app.get('/', etag({ version: () => 1 }), () => 'text')
  app.put('/', twice, etag(), async () => {
    await soon()
    tries += 1
    if (tries % 2) throw new Error('deadlock')
    return 'written'
  })
  t.deepEqual(await race(10, () => app.client().put('/', { headers: { 'If-Match': '"1"' } })), { 200: 10 })
  t.is(tries, 20)
})
