import test from 'ava'
import fc from 'fast-check'
import { kolba } from 'kolba'
import { type CollectionOptions, collection, defineSource, paginate, resource, type Slice } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { csv, produces } from 'kolba/negotiate'
import { MemoryLogger } from '../../support/memory-logger.js'
import { kyselyOnSqlite } from '../../support/sqlite.js'

const things = resource({ fields: { id: 'number', name: 'string' } })

interface Thing {
  id: number
  name: string
}

interface Body {
  items: Thing[]
  meta: Record<string, unknown>
  links: Record<string, string>
}

const thingsTo = (count: number): Thing[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: index % 3 === 0 ? 'a' : 'b' }))

function serve(rows: unknown, options: CollectionOptions = {}) {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/things', json(), collection(things, options), () => rows as object)
  const client = app.client()
  return async (path: string) => {
    const response = await client.get(path)
    const body = (await response.json()) as Body & { detail: string; errors: { parameter: string; detail: string }[] }
    return { status: response.status, headers: response.headers, links: linksOf(response), body }
  }
}

/** Reads `Link`, RFC 8288 section 3, as far as kolba writes it. */
function linksOf({ headers }: Response): Record<string, string> {
  const all = [...(headers.get('link') ?? '').matchAll(/<([^<>]*)>; rel="(\w+)"/g)]
  return Object.fromEntries(all.map(([, url, relation]) => [relation, url]))
}

const ids = (rows: readonly Thing[]) => rows.map(({ id }) => id)

const db = kyselyOnSqlite()
test.before(async () => {
  await db.schema.createTable('thing').addColumn('id', 'integer').addColumn('name', 'text').execute()
  await db
    .insertInto('thing')
    .values(thingsTo(23) as never)
    .execute()
})
test.after(() => db.destroy())

const SOURCES: [string, () => object][] = [
  ['an array', () => thingsTo(23)],
  ['SQLite', () => db.selectFrom('thing')],
]
for (const [name, rows] of SOURCES) {
  for (const paging of ['page', 'offset', 'cursor'] as const) {
    test(`the Link headers of ${name} lead through all pages by ${paging}, there and back`, async t => {
      const app = kolba()
      app.get('/things', json(), collection(things, { paging, perPage: 5, secret: 's'.repeat(32) }), rows)
      const client = app.client()
      const walk = async (from: string, relation: string) => {
        const pages: number[][] = []
        for (let url: string | undefined = from; url !== undefined; ) {
          const response = await client.get(url)
          t.is(response.status, 200)
          pages.push(ids(((await response.clone().json()) as Body).items))
          const links = linksOf(response)
          t.deepEqual(((await response.json()) as Body).links, links)
          url = links[relation]
        }
        return pages
      }
      const whole = ids(thingsTo(23).sort((a, b) => (a.name < b.name ? 1 : a.name > b.name ? -1 : a.id - b.id)))
      t.deepEqual((await walk('/things?sort=-name', 'next')).flat(), whole)
      const { last, first } = linksOf(await client.get('/things?sort=-name'))
      t.deepEqual((await walk(last as string, 'prev')).reverse().flat(), whole)
      t.deepEqual((await walk(first as string, 'next')).flat(), whole)
    })
  }
}

test('paging by page has first, prev, next and last where there are such pages', async t => {
  const get = serve(thingsTo(45))
  const relations = async (page: number) => Object.keys((await get(`/things?page=${page}`)).links)
  t.deepEqual(await relations(1), ['self', 'first', 'next', 'last'])
  t.deepEqual(await relations(2), ['self', 'first', 'prev', 'next', 'last'])
  t.deepEqual(await relations(3), ['self', 'first', 'prev', 'last'])
  t.deepEqual((await get('/things?page=3')).body.meta, { page: 3, per_page: 20, total: 45, pages: 3 })
  t.is((await get('/things?page=3')).links.last, 'http://localhost/things?page=3')
})

test('a page behind the last is 404, and the first page of nothing is there', async t => {
  const get = serve(thingsTo(40))
  const { status, body } = await get('/things?page=3')
  t.is(status, 404)
  t.is(body.detail, 'This is behind the last page. There are 40 rows.')
  const none = await get('/things?name=z')
  t.is(none.status, 200)
  t.deepEqual(none.body, {
    items: [],
    meta: { page: 1, per_page: 20, total: 0, pages: 0 },
    links: {
      self: 'http://localhost/things?name=z',
      first: 'http://localhost/things?name=z&page=1',
      last: 'http://localhost/things?name=z&page=1',
    },
  })
  t.is((await get('/things?name=z&page=2')).status, 404)
  const uncounted = serve(thingsTo(40), { count: 'none' })
  t.is((await uncounted('/things?page=2')).status, 200)
  t.is((await uncounted('/things?page=3')).body.detail, 'This is behind the last page.')
  t.is((await uncounted('/things?name=z&page=1')).status, 200)
  t.is((await get('/things?page=999999999')).status, 404)
})

test('an offset behind the last row is 404, unless there are no rows', async t => {
  const get = serve(thingsTo(7), { paging: 'offset' })
  t.is((await get('/things?offset=6')).status, 200)
  t.is((await get('/things?offset=7')).status, 404)
  const none = await get('/things?offset=7&name=z')
  t.deepEqual(none.body.meta, { offset: 7, limit: 20, total: 0 })
  t.deepEqual(none.body.items, [])
})

test('paging by offset steps in whole pages, from wherever it is', async t => {
  const get = serve(thingsTo(23), { paging: 'offset' })
  const { links, body } = await get('/things?offset=3&limit=5')
  t.deepEqual(body.meta, { offset: 3, limit: 5, total: 23 })
  t.deepEqual(links, {
    self: 'http://localhost/things?offset=3&limit=5',
    first: 'http://localhost/things?offset=0&limit=5',
    prev: 'http://localhost/things?offset=0&limit=5',
    next: 'http://localhost/things?offset=8&limit=5',
    last: 'http://localhost/things?offset=18&limit=5',
  })
  t.deepEqual(ids((await get(links.last as string)).body.items), [19, 20, 21, 22, 23])
})

for (const [query, parameter, words] of [
  ['per_page=0', 'per_page', /from 1 to 50/],
  ['per_page=51', 'per_page', /from 1 to 50/],
  ['per_page=-1', 'per_page', /from 1 to 50/],
  ['per_page=1e1', 'per_page', /from 1 to 50/],
  ['per_page=', 'per_page', /from 1 to 50/],
  ['page=0', 'page', /from 1 to/],
  ['page=1.5', 'page', /from 1 to/],
  ['page=99999999999999999999', 'page', /from 1 to/],
  ['offset=0', 'offset', /There is no such parameter/],
] as const) {
  test(`?${query} is 400, and says what is allowed`, async t => {
    const { status, body } = await serve(thingsTo(3), { maxPerPage: 50 })(`/things?${query}`)
    t.is(status, 400)
    t.is(body.errors[0]?.parameter, parameter)
    t.regex(body.errors[0]?.detail ?? '', words)
  })
}

/** A source that tells what it was asked, and says of more as much as it is told to. */
function recording(rows: readonly Thing[], { more, total }: { more?: boolean; total?: number }) {
  const slices: [Slice, string][] = []
  const source = defineSource<{ recorded: true }>({
    name: 'a record',
    matches: value => typeof value === 'object' && value !== null && 'recorded' in value,
    read(_source, slice, counting) {
      slices.push([slice, counting])
      const after = slice.after ? rows.findIndex(({ id }) => id === slice.after?.at(-1)) + 1 : 0
      const from = after + slice.offset
      const its = rows.slice(from, from + slice.limit).map(row => ({ ...row }))
      return {
        rows: its,
        ...(counting !== 'none' && { total: total ?? rows.length }),
        ...(more !== undefined && { more }),
      }
    },
  })
  return { source, slices }
}

test('whether there is more is asked only where nothing says it, for one key, and no read is over a page', async t => {
  const cases: [CollectionOptions, { more?: boolean }, number, boolean, number][] = [
    [{ perPage: 5 }, {}, 10, true, 1],
    [{ perPage: 5, count: 'none' }, { more: true }, 10, true, 1],
    [{ perPage: 5, count: 'none' }, {}, 4, false, 1],
    [{ perPage: 5, count: 'none' }, {}, 5, false, 2],
    [{ perPage: 5, count: 'none' }, {}, 6, true, 2],
    [{ perPage: 5, paging: 'cursor' }, {}, 5, false, 2],
    [{ perPage: 5, paging: 'cursor' }, {}, 6, true, 2],
    [{ perPage: 5, paging: 'cursor', count: 'exact' }, {}, 6, true, 2],
  ]
  for (const [options, says, count, hasNext, reads] of cases) {
    const { source, slices } = recording(thingsTo(count), says)
    const get = serve({ recorded: true }, { ...options, sources: [source], secret: 's'.repeat(32) })
    t.is('next' in (await get('/things?sort=id')).links, hasNext)
    t.is(slices.length, reads)
    for (const [{ limit }] of slices) t.true(limit <= 5)
    if (reads === 1) continue
    const [{ limit, fields }, counting] = slices[1] as [Slice, string]
    t.deepEqual([limit, fields.map(({ name }) => name), counting], [1, ['id'], 'none'])
  }
})

test('an estimate is told from a count, is never less than what was seen, and has no last page', async t => {
  const rows = thingsTo(45)
  const estimate = async (total: number, query: string) => {
    const { source } = recording(rows, { total })
    const options: CollectionOptions = { count: 'estimated', sources: [source], totalHeader: true, contentRange: true }
    return serve({ recorded: true }, options)(`/things?${query}`)
  }
  const high = await estimate(1000, 'page=2')
  t.deepEqual(high.body.meta, { page: 2, per_page: 20, total: 1000, estimated: true })
  t.false('last' in high.links)
  t.is(high.headers.get('x-total-count'), '1000')
  t.is(high.headers.get('content-range'), 'items 20-39/1000')
  t.is((await estimate(7, 'page=2')).body.meta.total, 41)
  const last = await estimate(1000, 'page=3')
  t.deepEqual(last.body.meta, { page: 3, per_page: 20, total: 45, pages: 3 })
  t.is(last.links.last, last.links.self)
  t.is((await estimate(1000, 'page=4')).status, 404)
})

test('no count is no total, no last page, and next as long as there is one', async t => {
  const get = serve(thingsTo(25), { count: 'none', totalHeader: true })
  const { body, links, headers } = await get('/things')
  t.deepEqual(body.meta, { page: 1, per_page: 20 })
  t.deepEqual(Object.keys(links), ['self', 'first', 'next'])
  t.is(headers.get('x-total-count'), null)
  t.deepEqual(Object.keys((await get('/things?page=2')).links), ['self', 'first', 'prev'])
})

const STYLES: [CollectionOptions, string, Record<string, string>][] = [
  [{ style: 'classic' }, 'filter=name,eq,b&page=2&per_page=5', { next: 'filter=name,eq,b&page=3&per_page=5' }],
  [
    { style: 'jsonapi' },
    'filter[name]=b&page[size]=5&page[number]=2',
    { next: 'filter[name]=b&page[size]=5&page%5Bnumber%5D=3', last: 'filter[name]=b&page[size]=5&page%5Bnumber%5D=6' },
  ],
  [{ style: 'jsonapi', paging: 'offset' }, 'page%5Blimit%5D=5', { next: 'page%5Blimit%5D=5&page%5Boffset%5D=5' }],
  [{ style: 'react-admin' }, 'range=[5,9]', { prev: 'range=%5B0%2C4%5D', next: 'range=%5B10%2C14%5D' }],
  [{ style: 'json-server' }, '_end=10&_start=5', { prev: '_end=5&_start=0', next: '_end=15&_start=10' }],
]
for (const [options, query, expected] of STYLES) {
  test(`links in the style ${options.style} say pages in its words: ${query}`, async t => {
    const { status, links } = await serve(thingsTo(45), options)(`/things?${query}`)
    t.is(status, 200)
    for (const [relation, query] of Object.entries(expected)) t.is(links[relation], `http://localhost/things?${query}`)
  })
}

test('the style react-admin answers a bare list with Content-Range, json-server one with X-Total-Count', async t => {
  const admin = await serve(thingsTo(45), { style: 'react-admin' })('/things?range=[0,4]')
  t.is((admin.body as unknown as unknown[]).length, 5)
  t.is(admin.headers.get('content-range'), 'items 0-4/45')
  t.is(admin.headers.get('x-total-count'), null)
  const server = await serve(thingsTo(45), { style: 'json-server' })('/things?_start=0&_end=4')
  t.is((server.body as unknown as unknown[]).length, 4)
  t.is(server.headers.get('x-total-count'), '45')
  // Tables ask for the last page again when its last row is gone.
  const beyond = await serve(thingsTo(45), { style: 'react-admin' })('/things?range=[45,49]')
  t.is(beyond.status, 200)
  t.deepEqual(beyond.body as unknown, [])
  t.is(beyond.headers.get('content-range'), 'items */45')
  t.is((await serve(thingsTo(45), { style: 'json-server' })('/things?_start=50&_end=60')).status, 200)
  const named = await serve(thingsTo(2), { style: 'react-admin', name: 'things', contentRange: false })('/things')
  t.deepEqual(Object.keys(named.body), ['things', 'meta', 'links'])
  t.is(named.headers.get('content-range'), null)
})

test('links keep every parameter as it was sent', async t => {
  const app = kolba()
  const ignore = ['a', 'b[c]', 'é', '😀', 'q?', '&', '=', '<>', '"']
  app.get('/things', collection(things, { ignore, perPage: 2 }), () => thingsTo(9))
  const client = app.client()
  const value = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('page=7', '%', '"<>"', '+ +', '\\^`{|}'),
  )
  const pairs = fc.array(fc.tuple(fc.constantFrom(...ignore), value), { maxLength: 6 })
  const place = fc.nat({ max: 6 })
  const property = fc.asyncProperty(pairs, place, fc.boolean(), async (pairs, place, isPlus) => {
    const sent = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    if (isPlus) sent.push('a=+', '', 'a', '%C3%A9=%c3%a9', 'b[c]=<x>"{|}^`\\')
    sent.splice(place, 0, 'page=2')
    const response = await client.get(`/things?${sent.join('&')}`)
    t.is(response.status, 200)
    const links = linksOf(response)
    t.deepEqual(Object.keys(links), ['self', 'first', 'prev', 'next', 'last'])
    const read = (query: string) => [...new URLSearchParams(query)]
    for (const [relation, url] of Object.entries(links)) {
      const page = { self: '2', first: '1', prev: '1', next: '3', last: '5' }[relation] as string
      const expected = read(sent.join('&')).map(([name, value]) => [name, name === 'page' ? page : value])
      t.deepEqual(read(url.slice(url.indexOf('?') + 1)), expected as [string, string][])
      t.notRegex(url, /[^\x21-\x7e]|["<>\\^`{|}]/)
    }
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 100 }))
})

test('links that are too long for a header together are there by their use, and all are in the body', async t => {
  const get = serve(thingsTo(45), { ignore: ['long'] })
  const relations = async (length: number) => {
    const { status, links, body } = await get(`/things?page=2&long=${'x'.repeat(length)}`)
    t.is(status, 200)
    t.deepEqual(Object.keys(body.links), ['self', 'first', 'prev', 'next', 'last'])
    return Object.keys(links)
  }
  t.deepEqual(await relations(2000), ['self', 'first', 'prev', 'next', 'last'])
  t.deepEqual(await relations(3500), ['first', 'prev', 'next'])
  t.deepEqual(await relations(8100), ['next'])
})

test('links have the scheme and host of the request, as far as proxies are believed', async t => {
  const app = kolba({ proxy: ['127.0.0.1'] })
  app.get('/things', collection(things), () => thingsTo(1))
  const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example.com', Origin: 'http://evil.example' }
  t.is(linksOf(await app.client().get('/things', { headers })).self, 'https://api.example.com/things')
  const direct = kolba()
  direct.get('/things', collection(things), () => thingsTo(1))
  t.is(linksOf(await direct.client().get('/things', { headers })).self, 'http://localhost/things')
  t.is(linksOf(await direct.client().get('http://example.org?per_page=1')).self, undefined)
  t.is(
    linksOf(await direct.client().get('http://example.org/things?per_page=1')).self,
    'http://example.org/things?per_page=1',
  )
})

test('links have the path that the client asked for, though a middleware has changed it', async t => {
  const app = kolba()
  app.use(async (ctx, next) => {
    ctx.path = ctx.path.replace(/^\/api/, '')
    await next()
  })
  app.get('/things', collection(things), () => thingsTo(30))
  t.is(linksOf(await app.client().get('/api/things')).next, 'http://localhost/api/things?page=2')
})

test('a collection goes out as CSV where the client prefers that, its links beside it', async t => {
  const app = kolba()
  const types = { 'application/json': true, 'text/csv': csv() } as const
  app.get('/things', etag(), produces(types), paginate(things, { perPage: 2 }), () => thingsTo(3))
  const client = app.client()
  const response = await client.get('/things', { headers: { Accept: 'text/csv' } })
  t.is(response.headers.get('content-type')?.split(';')[0], 'text/csv')
  t.is(await response.text(), 'id,name\r\n1,a\r\n2,b\r\n')
  t.is(linksOf(response).next, 'http://localhost/things?page=2')
})
