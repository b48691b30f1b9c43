import test from 'ava'
import fc from 'fast-check'
import { decorator, get as getRoute, kolba, problem, reply, stack, when } from 'kolba'
import {
  type CollectionOptions,
  collection,
  defineSource,
  detailsOf,
  expand,
  fields,
  filter,
  links,
  paginate,
  relation,
  resource,
  rowsOf,
  sort,
} from 'kolba/collection'
import { etag } from 'kolba/etag'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { versions } from 'kolba/lifecycle'
import { produces } from 'kolba/negotiate'
import { prefer } from 'kolba/prefer'
import { int, optional } from 'kolba/schema'
import { MemoryLogger } from '../../support/memory-logger.js'

const countries = resource({ fields: { id: 'number', name: 'string' } })
const LANDS = [
  { id: 1, name: 'Austria' },
  { id: 2, name: 'Benin' },
]

const people = resource({
  fields: { id: 'number', name: 'string', age: 'number', born: 'date', secret: { type: 'string', select: false } },
  sort: '-age',
  search: ['name'],
  expand: { country: relation({ from: 'country_id', resource: countries, load: () => LANDS }) },
})

const ROWS = Array.from({ length: 45 }, (_, index) => ({
  id: index + 1,
  name: `P${String(index + 1).padStart(2, '0')}`,
  age: index % 9 === 8 ? null : 20 + (index % 7),
  born: new Date(Date.UTC(2000, 0, index + 1)),
  secret: 's',
  password: 'never',
  country_id: 1 + (index % 2),
}))

function appOf(options: CollectionOptions = {}, rows: () => unknown = () => ROWS) {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/people', json(), collection(people, options), rows as never)
  return app
}

interface Body {
  items: Record<string, unknown>[]
  meta: Record<string, unknown>
  links: Record<string, string>
  queries: Record<string, object>
}

async function read(response: Promise<Response>): Promise<Body> {
  return (await (await response).json()) as Body
}

async function get(path: string, options?: CollectionOptions, rows?: () => unknown) {
  const response = await appOf(options, rows).client().get(path)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

test('collection() answers the first page, its counts and its links', async t => {
  const { status, headers, body } = await get('/people?sort=id')
  t.is(status, 200)
  t.is(body.items.length, 20)
  t.deepEqual(body.items[0], { id: 1, name: 'P01', age: 20, born: '2000-01-01T00:00:00.000Z' })
  t.deepEqual(body.meta, { page: 1, per_page: 20, total: 45, pages: 3 })
  t.deepEqual(body.links, {
    self: 'http://localhost/people?sort=id',
    first: 'http://localhost/people?sort=id&page=1',
    next: 'http://localhost/people?sort=id&page=2',
    last: 'http://localhost/people?sort=id&page=3',
  })
  const links = Object.entries(body.links).map(([relation, url]) => `<${url}>; rel="${relation}"`)
  t.is(headers.get('link'), links.join(', '))
  t.is(headers.get('x-total-count'), null)
  t.is(headers.get('content-range'), null)
})

test('collection() filters, searches, sorts, selects and expands', async t => {
  const { body } = await get('/people?age[gte]=25&q=p0&sort=-name&fields=name,id&expand=country&per_page=2')
  t.deepEqual(body.items, [
    { id: 7, name: 'P07', country: { id: 1, name: 'Austria' } },
    { id: 6, name: 'P06', country: { id: 2, name: 'Benin' } },
  ])
  t.is(body.meta.total, 2)
})

test('collection() gives nothing that is not declared, or may not be selected', async t => {
  const { body } = await get('/people?per_page=100')
  for (const item of body.items) t.deepEqual(Object.keys(item), ['id', 'name', 'age', 'born'])
  for (const parameter of ['fields=secret', 'fields=password', 'sort=password', 'password=never', 'fields=country_id'])
    t.is((await get(`/people?${parameter}`)).status, 400, parameter)
})

test('collection() lets nobody find out by asking what may not be seen', async t => {
  const app = kolba()
  app.get('/people', prefer(), collection(people), () => ROWS)
  const all = await (await app.client().get('/people')).text()
  for (const query of [
    'secret=s1',
    'secret[like]=s*',
    'secret[null]=false',
    'sort=secret',
    'fields=secret',
    'expand=secret',
  ]) {
    t.is((await app.client().get(`/people?${query}`)).status, 400, query)
    const lenient = await app.client().get(`/people?${query}`, { headers: { prefer: 'handling=lenient' } })
    t.is((await lenient.text()).replaceAll(`?${query}&`, '?').replaceAll(`?${query}`, ''), all, query)
  }
})

test('collection() refuses what is unknown or malformed, before the handler runs', async t => {
  let runs = 0
  const rows = () => {
    runs += 1
    return ROWS
  }
  for (const query of [
    'nme=x',
    'age[gte]=old',
    'sort=nme',
    'per_page=101',
    'per_page=0',
    'page=0',
    'page=x',
    'expand=x',
  ])
    t.is((await get(`/people?${query}`, {}, rows)).status, 400, query)
  t.is(runs, 0)
})

test('collection() ignores what is wrong where the client prefers it so, and says that', async t => {
  const app = kolba()
  app.get('/people', prefer(), json(), collection(people), () => ROWS)
  const client = app.client({ headers: { Prefer: 'handling=lenient' } })
  const lenient = await client.get('/people?nme=x&age=21')
  t.is(lenient.status, 200)
  t.is(lenient.headers.get('preference-applied'), 'handling=lenient')
  t.is((await client.get('/people?age=21')).headers.get('preference-applied'), null)
})

test('collection() lets pass what is no collection', async t => {
  t.is((await get('/people', {}, () => null)).status, 204)
  t.is((await get('/people', {}, () => reply(202, { state: 'queued' }))).status, 202)
  t.is((await get('/people', {}, () => new Response('"hi"', { status: 203 }))).body, 'hi')
  t.is((await get('/people', {}, () => problem(403))).status, 403)
  t.is((await get('/people', {}, () => Promise.reject(problem(410)))).status, 410)
})

test('collection() keeps the headers of a 200 reply, its own links beside those', async t => {
  const { body, headers } = await get('/people', {}, () => reply(200, ROWS, { 'X-A': 'b' }))
  t.is(headers.get('x-a'), 'b')
  t.is(body.meta.total, 45)
  const app = kolba()
  app.get('/people', json(), collection(people), ctx => {
    ctx.set('Link', '</about>; rel="help"')
    return ROWS
  })
  const link = (await app.client().get('/people')).headers.get('link')
  t.regex(link ?? '', /^<\/about>; rel="help", <http:\/\/localhost\/people>; rel="self", /)
  const replied = await get('/people', {}, () => reply(200, ROWS, { link: ['</a>; rel="a"', '</b>; rel="b"'] }))
  for (const text of ['<http://localhost/people>; rel="self"', '</a>; rel="a"', '</b>; rel="b"'])
    t.true(replied.headers.get('link')?.includes(text), text)
})

test('collection() names the list as it is told, or gives the list alone', async t => {
  t.deepEqual(Object.keys((await get('/people', { name: 'people' })).body), ['people', 'meta', 'links'])
  const bare = await get('/people?per_page=3', { name: false, totalHeader: true, contentRange: true })
  t.is(bare.body.length, 3)
  t.is(bare.headers.get('x-total-count'), '45')
  t.is(bare.headers.get('content-range'), 'items 0-2/45')
  t.regex(bare.headers.get('link') ?? '', /rel="next"/)
  const named = await get('/people?page=3', { name: 'people', contentRange: true })
  t.is(named.headers.get('content-range'), 'people 40-44/45')
  t.is((await get('/people?age=999', { contentRange: 'rows' })).headers.get('content-range'), 'rows */0')
  t.is((await get('/people', { contentRange: true, count: 'none' })).headers.get('content-range'), 'items 0-19/*')
})

test('collection() on HEAD sends the headers of GET', async t => {
  const app = appOf({ totalHeader: true })
  const [head, gotten] = [await app.client().head('/people?page=2'), await app.client().get('/people?page=2')]
  t.is(head.status, 200)
  t.is(await head.text(), '')
  for (const name of ['link', 'x-total-count', 'content-length', 'content-type'])
    t.is(head.headers.get(name), gotten.headers.get(name), name)
})

test('collection() below etag() is a 304 while it is the same', async t => {
  let rows = ROWS
  const app = kolba()
  app.get('/people', etag(), json(), collection(people), () => rows)
  const client = app.client()
  const first = await client.get('/people?sort=id')
  const tag = first.headers.get('etag') ?? ''
  const again = await client.get('/people?sort=id', { headers: { 'If-None-Match': tag } })
  t.is(again.status, 304)
  t.is(again.headers.get('link'), first.headers.get('link'))
  rows = ROWS.slice(1)
  t.is((await client.get('/people?sort=id', { headers: { 'If-None-Match': tag } })).status, 200)
})

test('collection() reads a QUERY from its body, and says what to write into the next', async t => {
  const app = kolba()
  app.query('/people', json(), collection(people, { paging: ['page', 'cursor'] }), () => ROWS)
  const client = app.client()
  const ask = (json: object) => read(client.query('/people', { json }))
  const body = await ask({ filter: { age: { gte: 25 } }, sort: 'id', fields: ['id'], per_page: 2 })
  t.deepEqual(body.items, [{ id: 6 }, { id: 7 }])
  t.false('links' in body)
  t.deepEqual(body.queries.next, { page: 2 })
  t.is((await client.query('/people', { json: {} })).headers.get('link'), null)
  const next = await ask({
    filter: { age: { gte: 25 } },
    sort: 'id',
    fields: ['id'],
    per_page: 2,
    ...body.queries.next,
  })
  t.deepEqual(next.items, [{ id: 13 }, { id: 14 }])
  t.is((await client.query('/people', { json: { sort: 'nme' } })).status, 400)
})

test('collection() keeps the rows with all that was read beside the body, and no JSON has them', async t => {
  let seen: unknown
  const app = kolba()
  const look = decorator('look', (_ctx, next) => when(next(), value => (seen = value)))
  app.get('/people', look, collection(people), () => ROWS)
  app.get('/bare', look, collection(people, { name: false }), () => ROWS)
  const body = await read(app.client().get('/people?fields=name&sort=age&per_page=1'))
  t.deepEqual(body.items, [{ name: 'P09' }])
  const [row] = rowsOf(seen) ?? []
  t.is(row?.id, 9)
  t.is(row?.age, null)
  t.false('password' in (row ?? {}))
  t.is(detailsOf(seen)?.name, 'items')
  t.is(detailsOf(seen)?.links?.self, body.links.self)
  await app.client().get('/bare')
  t.is(rowsOf(seen)?.length, 20)
  t.is(detailsOf(seen)?.name, undefined)
  for (const value of [undefined, null, [], {}, 'x']) t.is(rowsOf(value), undefined)
})

test('collection() takes iterables, promises, async iterables, and a source of its own', async t => {
  async function* some() {
    yield* ROWS
  }
  const values = [() => new Set(ROWS), () => new Map(ROWS.map(it => [it.id, it])).values(), async () => ROWS, some]
  for (const value of values) t.is((await get('/people?sort=id', {}, value)).body.meta.total, 45)
  const slices: unknown[] = []
  const source = defineSource<{ box: true }>({
    name: 'a box',
    matches: value => typeof value === 'object' && value !== null && 'box' in value,
    read(_box, slice, counting) {
      slices.push([slice.offset, slice.limit, slice.fields.map(({ name }) => name), counting])
      return { rows: [{ id: 1, name: 'x' }], total: 1 }
    },
  })
  const { body } = await get('/people?fields=name', { sources: [source] }, () => ({ box: true }))
  t.deepEqual(body.items, [{ name: 'x' }])
  t.deepEqual(slices, [[0, 20, ['name', 'id', 'age'], 'exact']])
})

test('collection() waits for any promise, and for no query that is a thenable', async t => {
  const thenable = {
    // biome-ignore lint/suspicious/noThenProperty: it is what a query of Knex has
    then: (...args: never[]) => Promise.resolve(ROWS).then(...args),
  }
  t.is((await get('/people', {}, () => thenable)).body.meta.total, 45)
  const query = {
    // biome-ignore lint/suspicious/noThenProperty: it is what a query of Knex has
    then() {
      throw new Error('It was run.')
    },
  }
  const source = defineSource<object>({ name: 'it', matches: it => it === query, read: () => ({ rows: [], total: 0 }) })
  t.is((await get('/people', { sources: [source] }, () => query)).body.meta.total, 0)
})

test('collection() makes of a value without rows a 500 whose log says what it takes', async t => {
  const app = appOf({}, () => 'text')
  t.is((await app.client().get('/people')).status, 500)
  const [line] = (app.logger as MemoryLogger).lines
  t.regex(line?.message ?? '', /^collection: the handler returned a string, which has no rows to choose from\. Return /)
})

test('collection() over a synchronous handler makes no promise', t => {
  const ctx = {
    method: 'GET',
    querystring: '',
    query: {},
    originalUrl: '/people',
    protocol: 'http',
    host: 'localhost',
    app: kolba(),
    response: {},
    res: { getHeader() {} },
    set() {},
    get: () => '',
  }
  const value = collection(people)(() => ROWS)(ctx as never) as { items?: unknown[] }
  t.is(value.items?.length, 20)
})

test('collection() leaves alone what other decorators read, and what it is told to ignore', async t => {
  const app = kolba()
  const version = input({ query: { version: optional(int(), 1) } })
  app.get('/people', json(), version, collection(people, { ignore: ['utm_source'] }), () => ROWS)
  const client = app.client()
  const response = await client.get('/people?utm_source=x&version=2&per_page=30')
  t.is(response.status, 200)
  const { links } = (await response.json()) as { links: Record<string, string> }
  t.is(links.next, 'http://localhost/people?utm_source=x&version=2&per_page=30&page=2')
  t.is((await client.get('/people?utm_medium=x')).status, 400)
})

test('collection() stands on routes of a mounted app, and its links have the whole path', async t => {
  const inner = kolba()
  inner.get('/people', json(), collection(people), () => ROWS)
  const app = kolba()
  app.mount('/v1', inner)
  const body = await read(app.client().get('/v1/people?page=2'))
  t.is(body.links.prev, 'http://localhost/v1/people?page=1')
})

test('collection() says what it does to the interface', t => {
  const app = kolba()
  app.get('/people', collection(people, { totalHeader: true }), () => ROWS)
  app.route(['QUERY'], '/ask', collection(people), () => ROWS)
  const [note, ask] = app.routes().map(({ notes }) => notes[0])
  const names = note?.parameters?.map(({ name }) => name) ?? []
  for (const name of [
    'name',
    'name[like]',
    'age[between]',
    'born[gte]',
    'q',
    'sort',
    'fields',
    'expand',
    'page',
    'per_page',
  ])
    t.true(names.includes(name), name)
  for (const name of ['age[like]', 'offset', 'cursor', 'country_id']) t.false(names.includes(name), name)
  t.is(new Set(names).size, names.length)
  t.deepEqual(note?.parameters?.find(({ name }) => name === 'per_page')?.schema, {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 20,
  })
  t.deepEqual(Object.keys(note?.responses ?? {}), ['200', '400', '404'])
  const schema = note?.responses?.[200]?.content?.['application/json']?.schema as { properties: Record<string, object> }
  t.deepEqual(Object.keys(schema.properties), ['items', 'meta', 'links'])
  t.deepEqual(Object.keys(note?.responses?.[200]?.headers ?? {}), ['Link', 'X-Total-Count'])
  t.is(ask?.parameters, undefined)
  t.truthy(ask?.requestBody)
})

for (const style of ['default', 'classic', 'jsonapi', 'react-admin', 'json-server'] as const) {
  test(`collection() in the style ${style} takes every parameter that its note has`, async t => {
    const paging = style.includes('-') ? 'offset' : (['page', 'offset', 'cursor'] as const)
    const app = appOf({ style, paging })
    const parameters = app.routes().flatMap(({ notes }) => notes.flatMap(({ parameters = [] }) => parameters))
    t.true(parameters.length > 3)
    for (const { name } of parameters) {
      const { status, body } = await get(`/people?${encodeURIComponent(name)}=%7B`, { style, paging })
      if (status !== 200) t.notRegex(body.errors[0].detail, /There is no such (?:parameter|operator)/, name)
    }
  })
}

test('filter(), sort(), fields(), expand() and paginate() are one collection', async t => {
  const app = kolba()
  app.get(
    '/parts',
    json(),
    filter(people),
    sort(people),
    fields(people),
    expand(people),
    paginate({ perPage: 5 }),
    () => ROWS,
  )
  app.get('/whole', json(), collection(people, { perPage: 5 }), () => ROWS)
  const client = app.client()
  const query = '?age[gte]=22&sort=-name&fields=name&expand=country&page=2&q=p'
  const [parts, whole] = [await client.get(`/parts${query}`), await client.get(`/whole${query}`)]
  t.is((await parts.text()).replaceAll('/parts', '/whole'), await whole.text())
})

test('filter() alone gives the list of all that fits, in the order of the resource', async t => {
  const app = kolba()
  app.get('/people', json(), filter(people), () => ROWS)
  const client = app.client()
  const response = await client.get('/people?age=20')
  const body = (await response.json()) as unknown[]
  t.is(body.length, ROWS.filter(({ age }) => age === 20).length)
  t.is(response.headers.get('link'), null)
  for (const query of ['page=1', 'sort=id', 'fields=id', 'expand=country', 'cursor=x'])
    t.is((await client.get(`/people?${query}`)).status, 400, query)
})

test('paginate() takes the resource of the other parts, or one of its own', async t => {
  const app = kolba()
  app.get('/own', json(), paginate(people, { perPage: 2 }), () => ROWS)
  app.get('/theirs', json(), paginate({ perPage: 2 }), sort(people), () => ROWS)
  const client = app.client()
  t.is((await read(client.get('/own'))).items.length, 2)
  t.is((await read(client.get('/theirs?sort=id&page=2'))).items[0]?.id, 3)
  t.is((await client.get('/own?age=20')).status, 400)
})

test('parts of a route work as one, whatever stands among them', async t => {
  const app = kolba()
  let seen: unknown
  const look = decorator('look', (_ctx, next) => when(next(), value => (seen = value)))
  app.get('/people', filter(people), look, paginate({ name: false }), () => ROWS)
  const body = (await (await app.client().get('/people?age=21')).json()) as unknown[]
  t.is((seen as unknown[]).length, body.length)
})

test('collection() and its parts refuse mistakes at registration', t => {
  const app = kolba()
  const rows = () => ROWS
  const wrong: [() => unknown, string][] = [
    [
      () => collection(people, { perPag: 1 } as never),
      'collection: the option "perPag" is unknown. It takes style, ignore, sources, paging, perPage, maxPerPage, count, name, totalHeader, contentRange, secret, cursorTtl, principal and depth.',
    ],
    [
      () => collection({} as never),
      'collection: the first argument is no resource. Write collection(resource({ fields }), options).',
    ],
    [
      () => filter(undefined as never),
      'filter: the first argument is no resource. Write filter(resource({ fields }), options).',
    ],
    [
      () => paginate({} as never, {}),
      'paginate: the first argument is no resource. Write paginate(resource({ fields }), options).',
    ],
    [
      () => filter(people, { perPage: 2 } as never),
      'filter: the option "perPage" is unknown. It takes style, ignore and sources.',
    ],
    [
      () => paginate({ paging: 'pages' as never }),
      'paginate: the option paging is "pages". Give one of "page", "offset" and "cursor", or a list of them.',
    ],
    [
      () => paginate({ paging: [] }),
      'paginate: the option paging is a list. Give one of "page", "offset" and "cursor", or a list of them.',
    ],
    [() => paginate({ perPage: 0 }), 'paginate: the option perPage is 0. Give a whole number from 1 to 10000.'],
    [
      () => paginate({ perPage: 50, maxPerPage: 10 }),
      'paginate: perPage is 50, and maxPerPage is 10. Let it be as much at least.',
    ],
    [
      () => paginate({ name: 'meta' }),
      'paginate: the option name is "meta". Give a name other than meta, links and queries, or false.',
    ],
    [
      () => paginate({ contentRange: 'a b' }),
      'paginate: the option contentRange is "a b". Give true, false or a unit, which is a token of RFC 9110.',
    ],
    [
      () => paginate({ secret: 'short' }),
      'paginate: the option secret is a string of 5 bytes. Give a string of at least 32 bytes, or a list of them.',
    ],
    [() => expand(people, { depth: 0 }), 'expand: the option depth is 0. Give a whole number from 1 to 10.'],
    [
      () => collection(people, { sources: [{} as never] }),
      'collection: the option sources is a list. Give a list of what defineSource() gives.',
    ],
    [() => app.post('/1', collection(people), rows), 'POST /1: collection() reads. Put it on GET, HEAD or QUERY.'],
    [() => app.all('/2', filter(people), rows), 'ALL /2: filter() reads. Put it on GET, HEAD or QUERY.'],
    [
      () => app.get('/3', collection(people), collection(people), rows),
      'GET /3: there is collection() twice. Leave one of them out.',
    ],
    [
      () => app.get('/4', collection(people), sort(people), rows),
      'GET /4: there is both collection() and sort(). Leave one of them out.',
    ],
    [() => app.get('/5', paginate(), rows), 'GET /5: paginate() has no resource. Write paginate(resource, options).'],
    [
      () => app.get('/6', filter(people), sort(countries), rows),
      'GET /6: filter() and sort() have different resources. Give them the same, as a value.',
    ],
    [
      () => app.get('/7', filter(people, { style: 'jsonapi' }), sort(people, { style: 'classic' }), rows),
      'GET /7: sort() has another style than a part above it. Say it once.',
    ],
    [
      () => app.query('/8', collection(people, { paging: 'cursor', name: false }), rows),
      'QUERY /8: collection: with QUERY a cursor goes into the body, and this one is a bare list. Give it a name.',
    ],
    [
      () => app.get('/9', input({ query: { page: int() } }), collection(people), rows),
      'GET /9: collection: the query parameter page is of the collection, and of something else. Rename one.',
    ],
    [
      () => app.get('/10', collection(people), json(), rows),
      'GET /10: collection() stands above json(), which makes text. Put it below.',
    ],
    [
      () => app.get('/11', filter(people), produces({ 'application/json': true }), sort(people), rows),
      'GET /11: filter() stands above produces(), which makes text. Put it below.',
    ],
    [
      () => app.get('/12', json(), collection(people), links(() => ({ self: '/' })) as never, rows),
      'GET /12: collection() stands above links(), whose links would be left out with what is not declared. Put it below.',
    ],
  ]
  for (const [make, message] of wrong) t.throws(make, { instanceOf: TypeError, message })
})

test('collection() answers whatever is asked with 200, 400 or 404, and with nothing undeclared', async t => {
  const paging = ['page', 'offset', 'cursor'] as const
  const client = appOf({ paging, secret: 's'.repeat(32) }).client()
  const word = fc.constantFrom(
    'id',
    'name',
    'age',
    'born',
    'password',
    '__proto__',
    'constructor',
    'sort',
    'page',
    'cursor',
  )
  const name = fc.oneof(
    word,
    fc.tuple(word, fc.constantFrom('gte', 'like', 'in', '', '__proto__')).map(([a, b]) => `${a}[${b}]`),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom("' OR 1=1--", '*'.repeat(256), '1e309', '-0', 'null'),
  )
  const property = fc.asyncProperty(fc.array(fc.tuple(name, text), { maxLength: 4 }), async pairs => {
    const query = pairs.map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`)
    const response = await client.get(`/people?${query.join('&')}`)
    const body = await response.text()
    t.true([200, 400, 404].includes(response.status), `${response.status} ${query}`)
    if (response.status !== 200) return
    for (const item of JSON.parse(body).items)
      for (const name of Object.keys(item)) t.true(['id', 'name', 'age', 'born', 'country'].includes(name), name)
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: 300 }))
})

test('collection() goes around a handler by hand, and above a method', async t => {
  class People {
    @getRoute('/')
    @json()
    @collection(people)
    list() {
      return ROWS
    }
  }
  const app = kolba()
  app.mount('/class', new People())
  app.get(
    '/hand',
    stack(json(), filter(people), paginate({ perPage: 2 }))(() => ROWS),
  )
  app.get('/by', versions({ 1: collection(people, { perPage: 3 })(() => ROWS) }, { by: 'header' }))
  const client = app.client()
  t.is((await read(client.get('/class'))).items.length, 20)
  t.is((await read(client.get('/hand?age=20'))).items.length, 2)
  t.is((await read(client.get('/by?age=20'))).items.length, 3)
})
