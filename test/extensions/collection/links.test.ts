import { Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { created, type KolbaOptions, kolba, problem, reply, stack } from 'kolba'
import { bulk, collection, type LinksOptions, links, paginate, resource, rowsOf } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { csv, produces } from 'kolba/negotiate'
import { MemoryLogger } from '../../support/memory-logger.js'

const HAL = 'application/hal+json'
const people = resource({ fields: { id: 'number', name: 'string' }, selectable: ['id', 'name'] })
const ROWS = [
  { id: 1, name: 'Ada', secret: 's' },
  { id: 2, name: 'Bo', secret: 's' },
  { id: 3, name: 'Cy', secret: 's' },
]

interface Person {
  id: number
}

function appOf(value: () => unknown, options?: LinksOptions, its: KolbaOptions = {}) {
  const app = kolba({ logger: new MemoryLogger(), ...its })
  const each = links<Person>(row => ({ self: `/people/${row.id}` }), options)
  app.get('/people', stack(json(), each) as never, value)
  return app
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, which the tests compare
type Answer = any

async function get(app: ReturnType<typeof kolba>, path = '/people', accept?: string) {
  const response = await app.client().get(path, accept === undefined ? {} : { headers: { Accept: accept } })
  const text = await response.text()
  const answer: Answer = text === '' ? undefined : JSON.parse(text)
  return { response, answer }
}

test('links() adds _links to each row of a collection, from all that was read of it', async t => {
  const app = kolba()
  const self = (row: { id: number }) => `/people/${row.id}`
  app.get(
    '/people',
    json(),
    links(row => ({ self: self(row as never), invoices: { href: `${self(row as never)}/invoices`, title: 'Owed' } })),
    collection(people, { perPage: 2 }),
    () => ROWS,
  )
  const { response, answer } = await get(app, '/people?fields=name')
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
  t.is(response.headers.get('vary'), 'Accept')
  t.deepEqual(answer.items, [
    { name: 'Ada', _links: { self: '/people/1', invoices: { href: '/people/1/invoices', title: 'Owed' } } },
    { name: 'Bo', _links: { self: '/people/2', invoices: { href: '/people/2/invoices', title: 'Owed' } } },
  ])
  t.deepEqual(answer.meta, { page: 1, per_page: 2, total: 3, pages: 2 })
  t.true(answer.links.next.endsWith('/people?fields=name&page=2'))
  t.regex(String(response.headers.get('link')), /rel="next"/)
})

test('links() adds them to a bare list of a collection, of a part, of a handler, and to one row', async t => {
  const linked = ROWS.map(({ id, name }) => ({ id, name, _links: { self: `/people/${id}` } }))
  const its = links<Person>(({ id }) => ({ self: `/people/${id}` }))
  const app = kolba()
  app.get('/a', json(), its, collection(people, { name: false }), () => ROWS)
  app.get('/b', json(), its, paginate(people, { name: 'people' }), () => ROWS)
  app.get('/c', json(), its, () => ROWS.map(({ id, name }) => ({ id, name })))
  app.get('/d', json(), its, () => ({ id: 2, name: 'Bo' }))
  app.get('/e', its, () => ({ id: 2, name: 'Bo' }))
  t.deepEqual((await get(app, '/a')).answer, linked)
  t.deepEqual((await get(app, '/b')).answer.people, linked)
  t.deepEqual((await get(app, '/c')).answer, linked)
  t.deepEqual((await get(app, '/d')).answer, linked[1])
  const { response, answer } = await get(app, '/e')
  t.deepEqual(answer, linked[1])
  t.is(response.headers.get('content-type'), 'application/json; charset=utf-8')
})

test('links() gives the function ctx, for the URLs of routes', async t => {
  const app = kolba({ hosts: ['api.test'] })
  app.get('/shelves/:shelf/books/:id', function show(ctx) {
    return { id: ctx.params.id }
  })
  const its = links<Person>(({ id }, ctx) => ({ self: ctx.urlFor('show', { shelf: ctx.params.shelf as string, id }) }))
  app.get('/shelves/:shelf/books', its, () => [{ id: 5 }])
  const response = await app.client().get('/shelves/b/books', { headers: { Host: 'api.test' } })
  t.deepEqual(await response.json(), [{ id: 5, _links: { self: 'http://api.test/shelves/b/books/5' } }])
})

test('links() leaves out what is false, null and undefined, and takes lists', async t => {
  const app = kolba()
  const its = links(() => ({ a: false, b: null, c: undefined, d: ['/1', { href: '/{x}', templated: true }] }))
  app.get('/', its, () => ({ id: 1 }))
  t.deepEqual((await get(app, '/')).answer, { id: 1, _links: { d: ['/1', { href: '/{x}', templated: true }] } })
  t.deepEqual((await get(app, '/', HAL)).answer._links.d, [{ href: '/1' }, { href: '/{x}', templated: true }])
})

test('links() keeps status and headers of a reply, and leaves alone what is no row', async t => {
  const app = appOf(() => created('/people/7', { id: 7 }))
  const { response, answer } = await get(app)
  t.is(response.status, 201)
  t.is(response.headers.get('location'), '/people/7')
  t.deepEqual(answer, { id: 7, _links: { self: '/people/7' } })
  const others: [value: () => unknown, status: number, text: string][] = [
    [() => null, 204, ''],
    [() => 'text', 200, '"text"'],
    [() => 5, 200, '5'],
    [() => true, 200, 'true'],
    [() => Buffer.from('bytes'), 200, 'bytes'],
    [() => Readable.from(['stream']), 200, 'stream'],
    [() => new Response('web'), 200, 'web'],
    [() => new Set([1]), 200, '{}'],
    [() => new Date(0), 200, '"1970-01-01T00:00:00.000Z"'],
    [() => reply(404, { id: 1 }), 404, '{"id":1}'],
    [() => reply(302, undefined, { Location: '/x' }), 302, ''],
  ]
  for (const [value, status, text] of others) {
    const response = await appOf(value).client().get('/people')
    t.deepEqual([response.status, await response.text()], [status, text])
  }
  for (const value of [() => problem(409), () => Promise.reject(problem(409))])
    t.is((await appOf(value).client().get('/people')).status, 409)
})

test('links() leaves items of a list alone that are no rows', async t => {
  const { answer } = await get(appOf(() => [1, 'x', null, new Date(0), { id: 4 }]))
  t.deepEqual(answer, [1, 'x', null, '1970-01-01T00:00:00.000Z', { id: 4, _links: { self: '/people/4' } }])
})

test('links() asks an object of a class for its JSON', async t => {
  class Account {
    readonly id = 7
    readonly password = 'never'
    toJSON() {
      return { number: this.id }
    }
  }
  t.deepEqual((await get(appOf(() => new Account()))).answer, { number: 7, _links: { self: '/people/7' } })
})

test('links() answers HAL to a client that names it, and wants JSON no more than that', async t => {
  const plain = ['', '*/*', 'application/*', 'application/json', 'text/html', 'application/hal+json;q=0', HAL.slice(1)]
  const more = [
    `${HAL};q=0.5, application/json`,
    `${HAL};q=0.5, */*`,
    `${HAL};q=0.8, application/*;q=0.9, */*;q=0.1`,
    `${HAL};profile="x"`,
    `${HAL};q=2`,
    `text/html, "${HAL}"`,
    '*/*, *, application/*+json',
  ]
  const hal = [
    HAL,
    'APPLICATION/HAL+JSON',
    `${HAL}, application/json, */*`,
    `application/json, ${HAL}`,
    `text/html, ${HAL};q=0.1, */*;q=0.1`,
    `${HAL};q=0.5, application/json;q=0.4, */*`,
    `${HAL};q=0.5, application/*;q=0.4, */*`,
    `${HAL};q=1.000, application/json;charset="a,b"`,
  ]
  const app = appOf(() => [{ id: 1 }])
  for (const accept of [...plain, ...more]) {
    const { response, answer } = await get(app, '/people', accept)
    t.is(response.headers.get('content-type'), 'application/json; charset=utf-8', accept)
    t.deepEqual(answer, [{ id: 1, _links: { self: '/people/1' } }], accept)
    t.is(response.headers.get('vary'), 'Accept')
  }
  for (const accept of hal) {
    const { response, answer } = await get(app, '/people', accept)
    t.is(response.headers.get('content-type'), HAL, accept)
    t.deepEqual(answer._embedded.items, [{ id: 1, _links: { self: { href: '/people/1' } } }], accept)
    t.is(response.headers.get('vary'), 'Accept')
  }
})

test('links() reads any Accept, however odd, in a moment', async t => {
  const client = appOf(() => ({ id: 1 })).client()
  const piece = fc.constantFrom(
    HAL,
    'application/json',
    '*/*',
    ';q=',
    '0.5',
    ',',
    ';',
    '"',
    '\\',
    'a/b',
    ' ',
    '\t',
    '=',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async pieces => {
      const response = await client.get('/people', { headers: { Accept: pieces.join('') } })
      t.is(response.status, 200)
      const { _links } = (await response.json()) as Answer
      const isHal = response.headers.get('content-type') === HAL
      t.deepEqual(_links.self, isHal ? { href: '/people/1' } : '/people/1')
    }),
    { numRuns: 60 },
  )
  t.is((await client.get('/people', { headers: { Accept: `"${'\\"'.repeat(5000)}` } })).status, 200)
})

test('links() makes of a page in HAL what the draft has, with meta beside it', async t => {
  const app = kolba()
  const its = links<Person>(({ id }) => ({ self: `/people/${id}` }))
  app.get('/people', json(), its, collection(people, { name: 'people', perPage: 2 }), () => ROWS)
  const page = await get(app, '/people?page=1', HAL)
  const base = new URL(page.answer._links.self.href).origin
  t.deepEqual(page.answer, {
    _links: {
      self: { href: `${base}/people?page=1` },
      first: { href: `${base}/people?page=1` },
      next: { href: `${base}/people?page=2` },
      last: { href: `${base}/people?page=2` },
    },
    _embedded: {
      people: [
        { id: 1, name: 'Ada', _links: { self: { href: '/people/1' } } },
        { id: 2, name: 'Bo', _links: { self: { href: '/people/2' } } },
      ],
    },
    page: 1,
    per_page: 2,
    total: 3,
    pages: 2,
  })
})

test('links() gives a bare list in HAL the URL of the request and the name that it is told', async t => {
  const { answer } = await get(
    appOf(() => [{ id: 1 }], { name: 'people' }),
    '/people?x=1',
    HAL,
  )
  const { self } = answer._links
  t.regex(self.href, /^http:\/\/[^/]+\/people\?x=1$/)
  t.deepEqual(answer, {
    _links: { self },
    _embedded: { people: [{ id: 1, _links: { self: { href: '/people/1' } } }] },
  })
})

test('links() gives one row in HAL the URL of the request, where GET asks and the function says none', async t => {
  const app = kolba()
  const none = links(() => ({ next: '/2' }))
  app.get('/1', none, () => ({ id: 1 }))
  app.post('/1', none, () => ({ id: 1 }))
  const { answer } = await get(app, '/1', HAL)
  t.regex(answer._links.self.href, /^http:\/\/[^/]+\/1$/)
  t.deepEqual(answer._links.next, { href: '/2' })
  const posted = await app.client().post('/1', { headers: { Accept: HAL } })
  t.deepEqual(await posted.json(), { id: 1, _links: { next: { href: '/2' } } })
})

test('links() keeps what a QUERY is told of the next pages', async t => {
  const app = kolba()
  app.query(
    '/people',
    json(),
    links<Person>(({ id }) => ({ self: `/people/${id}` })),
    collection(people),
    () => ROWS,
  )
  const response = await app.client().query('/people', { json: { per_page: 2 }, headers: { Accept: HAL } })
  const answer = (await response.json()) as Answer
  t.deepEqual(answer._links, {})
  t.is(answer._embedded.items.length, 2)
  t.deepEqual(answer.queries.next, { page: 2 })
})

test('links() without hal looks at no Accept', async t => {
  const { response, answer } = await get(
    appOf(() => ({ id: 1 }), { hal: false }),
    '/people',
    HAL,
  )
  t.deepEqual(answer, { id: 1, _links: { self: '/people/1' } })
  t.is(response.headers.get('vary'), null)
})

test('links() leaves the choice to a produces() above it', async t => {
  const app = kolba()
  const its = links<Person>(({ id }) => ({ self: `/people/${id}` }))
  const types = { 'application/json': true, [HAL]: true, 'text/csv': csv() } as const
  app.get('/people', produces(types), its, collection(people), () => ROWS)
  const hal = await get(app, '/people?per_page=1', `${HAL}, application/json;q=0.9`)
  t.is(hal.response.headers.get('content-type'), HAL)
  t.deepEqual(hal.answer._embedded.items, [{ id: 1, name: 'Ada', _links: { self: { href: '/people/1' } } }])
  // It is produces() that lists JSON first.
  t.truthy((await get(app, '/people', `${HAL}, application/json`)).answer.items)
  const response = await app.client().get('/people?per_page=1', { headers: { Accept: 'text/csv' } })
  t.is(await response.text(), 'id,name\r\n1,Ada\r\n')
  t.is((await app.client().get('/people', { headers: { Accept: 'text/html' } })).status, 406)
})

test('links() and etag() tell HAL and JSON of one version apart, and any of their tags guards a write', async t => {
  let version = 1
  const app = kolba({ logger: new MemoryLogger() })
  const byVersion = etag({ version: () => version })
  const its = links<Person>(({ id }) => ({ self: `/people/${id}` }))
  app.get('/people/:id', byVersion, json(), its, () => ({ id: 1 }))
  app.put('/people/:id', byVersion, json(), its, () => {
    version += 1
    return { id: 1 }
  })
  const client = app.client()
  const tagOf = async (accept: string) =>
    String((await client.get('/people/1', { headers: { Accept: accept } })).headers.get('etag'))
  const [hal, plain] = [await tagOf(HAL), await tagOf('*/*')]
  t.not(hal, plain)
  const again = await client.get('/people/1', { headers: { Accept: HAL, 'If-None-Match': hal } })
  t.is(again.status, 304)
  t.is(again.headers.get('vary'), 'Accept')
  t.is((await client.get('/people/1', { headers: { Accept: HAL, 'If-None-Match': plain } })).status, 200)
  const put = (tag: string) => client.put('/people/1', { headers: { 'If-Match': tag } })
  t.is((await put(hal)).status, 200)
  t.is((await put(plain)).status, 412)
})

test('links() keeps the rows of a collection for what stands above', async t => {
  let seen: unknown
  const app = kolba()
  const look = stack(
    links<Person>(({ id }) => ({ self: `/${id}` })),
    collection(people),
  )
  const run = look
  app.get('/people', json(), run, () => ROWS)
  app.after(ctx => {
    seen = rowsOf(ctx.body)
  })
  await get(app)
  t.is(seen, undefined)
  const bare = kolba()
  bare.get('/people', run, () => ROWS)
  bare.after(ctx => {
    seen = rowsOf(ctx.body)
  })
  await get(bare)
  t.deepEqual(
    seen,
    ROWS.map(({ id, name }) => ({ id, name })),
  )
})

test('links() below bulk() gives each item its links', async t => {
  const app = kolba()
  const its = links<Person>(({ id }) => ({ self: `/people/${id}` }))
  app.post('/people', json(), bulk(), its, ctx => created(`/people/${ctx.index}`, { id: ctx.index }))
  const response = await app.client().post('/people', { json: [1] })
  t.deepEqual(await response.json(), [
    { status: 201, location: '/people/0', body: { id: 0, _links: { self: '/people/0' } } },
  ])
})

test('links() stays synchronous, and waits for a handler that does not', async t => {
  const its = links<Person>(({ id }) => ({ self: `/${id}` }), { hal: false })
  const ctx = { req: { headers: {} }, response: {}, status: 404 }
  const sync = its((() => ({ id: 1 })) as never) as (ctx: unknown) => unknown
  t.deepEqual(sync(ctx), { id: 1, _links: { self: '/1' } })
  const later = its((async () => ({ id: 1 })) as never) as (ctx: unknown) => unknown
  t.deepEqual(await later(ctx), { id: 1, _links: { self: '/1' } })
})

test('links() answers 500 where its function gives no links, and the log says why', async t => {
  const wrong: [given: unknown, message: string][] = [
    [undefined, 'GET /: links() got no object for a row. Return one, at once: { self: url }.'],
    [null, 'GET /: links() got no object for a row. Return one, at once: { self: url }.'],
    ['/x', 'GET /: links() got no object for a row. Return one, at once: { self: url }.'],
    [[], 'GET /: links() got no object for a row. Return one, at once: { self: url }.'],
    [Promise.resolve({}), 'GET /: links() got no object for a row. Return one, at once: { self: url }.'],
    [{ self: 5 }, 'GET /: links() got no link as "self". Give a URL, { href }, a list of them, or null.'],
    [{ self: '' }, 'GET /: links() got no link as "self". Give a URL, { href }, a list of them, or null.'],
    [{ a: '/', b: {} }, 'GET /: links() got no link as "b". Give a URL, { href }, a list of them, or null.'],
    [{ a: ['/', 5] }, 'GET /: links() got no link as "a". Give a URL, { href }, a list of them, or null.'],
  ]
  for (const [given, message] of wrong) {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    const its = links(() => given as never)
    app.get('/', its, () => ({ id: 1 }))
    t.is((await app.client().get('/')).status, 500)
    t.is(logger.lines[0]?.message, message)
  }
})

test('links() refuses wrong options and places', t => {
  const message = (run: () => unknown) => t.throws(run, { instanceOf: TypeError })?.message
  const its = links(() => ({}))
  const app = kolba()
  t.is(
    message(() => links(undefined as never)),
    'links: give a function of a row, links(row => ({ self: row.url })).',
  )
  t.is(
    message(() => links(() => ({}), { hall: true } as never)),
    'links: the option "hall" is unknown. It takes hal and name.',
  )
  t.is(
    message(() => links(() => ({}), { name: '' })),
    'links: the option name is "". Give a non-empty string.',
  )
  t.is(
    message(() => app.get('/a', its, json(), () => 1)),
    'GET /a: links() stands above json(), which makes text. Put it below.',
  )
  t.is(
    message(() => app.get('/b', its, produces({ 'application/json': true }), () => 1)),
    'GET /b: links() stands above produces(), which makes text. Put it below.',
  )
  t.is(
    message(() =>
      app.get(
        '/c',
        its,
        links(() => ({})),
        () => 1,
      ),
    ),
    'GET /c: there is links() twice. Put all of them into one.',
  )
})

test('links() says that HAL is there', t => {
  const app = kolba()
  app.get(
    '/a',
    links(() => ({})),
    () => 1,
  )
  app.get(
    '/b',
    links(() => ({}), { hal: false }),
    () => 1,
  )
  const [a, b] = app.routes()
  t.deepEqual(a?.notes[0]?.responses?.[200]?.content, { [HAL]: {} })
  t.deepEqual(b?.notes, [{}])
})
