import test from 'ava'
import { apis, type Library } from '../support/five-apis.ts'

// The same requests, with the same answers, whichever library declares them.

interface Row {
  /** `GET /books/7?page=2` */
  readonly request: string
  readonly headers?: Record<string, string>
  readonly json?: unknown
  readonly body?: string
  readonly status: number
  /** What the handler is given, as JSON, those of its parts that are named here. */
  readonly input?: Record<string, unknown>
  /** Where the faults are. */
  readonly places?: readonly string[]
  /** The libraries that cannot say this. */
  readonly not?: readonly Library[]
}

type Extras = Omit<Row, 'request' | 'status' | 'input' | 'places'>

const query = (search: string, input: object, extras: Extras = {}): Row => ({
  request: `GET /books/7${search}`,
  status: 200,
  input: { query: { page: 1, ...input } },
  ...extras,
})
const badQuery = (search: string, ...names: string[]): Row => ({
  request: `GET /books/7${search}`,
  status: 422,
  places: names.map(name => `query ${name}`),
})
const path = (id: string, status: number): Row => ({
  request: `GET /books/${id}`,
  status,
  ...(status === 200 && { input: { params: { id: Number(id) } } }),
})
const malformed = (search: string): Row => ({ request: `GET /books/7${search}`, status: 400 })
const head = (headers: Record<string, string>, input: Record<string, unknown>): Row => ({
  request: 'GET /books/7',
  headers,
  status: 200,
  input,
})
const badHead = (headers: Record<string, string>, ...places: string[]): Row => ({
  request: 'GET /books/7',
  headers,
  status: 422,
  places,
})

const line = { article: 'pen', quantity: 2 }
const order = { customer: 'Ada', lines: [line] }
const body = (json: object, body: object = json, extras: Extras = {}): Row => ({
  request: 'POST /orders',
  json,
  status: 200,
  input: { body: { gift: false, ...body } },
  ...extras,
})
const badBody = (json: unknown, ...pointers: string[]): Row => ({
  request: 'POST /orders',
  json,
  status: 422,
  places: pointers.map(pointer => `body ${pointer}`),
})
const unread = (status: number, body: string, type: string): Row => ({
  request: 'POST /orders',
  body,
  headers: { 'Content-Type': type },
  status,
})
const FORM = 'application/x-www-form-urlencoded'
const union: { not: Library[] } = { not: ['kolba'] }

const rows: Row[] = [
  // path parameters: what does not fit is nowhere
  path('7', 200),
  path('1', 200),
  path('0', 404),
  path('-1', 404),
  path('7.5', 404),
  path('seven', 404),
  path('0x10', 404),
  path('1e999', 404),
  path('9007199254740993', 404),

  // numbers
  query('', {}),
  query('?page=2', { page: 2 }),
  query('?page=1e2', { page: 100 }),
  query('?ratio=-0.5', { ratio: -0.5 }),
  query('?ratio=1e-3', { ratio: 0.001 }),
  badQuery('?page=0', 'page'),
  badQuery('?page=1001', 'page'),
  badQuery('?page=', 'page'),
  badQuery('?page=two', 'page'),
  badQuery('?page=+2', 'page'),
  badQuery('?page=02', 'page'),
  badQuery('?page=0b11', 'page'),
  badQuery('?page=2.5', 'page'),
  badQuery('?ratio=NaN', 'ratio'),
  badQuery('?ratio=Infinity', 'ratio'),
  badQuery('?ratio=1e999', 'ratio'),

  // flags
  query('?all=true', { all: true }),
  query('?all=0', { all: false }),
  query('?all=1', { all: true }),
  badQuery('?all=yes', 'all'),
  badQuery('?all=TRUE', 'all'),
  badQuery('?all', 'all'),

  // text stays text
  query('?q=5', { q: '5' }),
  query('?q=true', { q: 'true' }),
  query('?q=null', { q: 'null' }),
  query('?q=a%20b+c', { q: 'a b c' }),
  query('?q=a,b', { q: 'a,b' }),
  query('?q=', { q: '' }),
  badQuery('?q=123456789012345678901', 'q'),

  // lists
  query('?tags=a', { tags: ['a'] }),
  query('?tags=a,b', { tags: ['a', 'b'] }),
  query('?tags=a&tags=b', { tags: ['a', 'b'] }),
  query('?tags=a,b&tags=c', { tags: ['a,b', 'c'] }),
  query('?tags=', { tags: [] }),
  query('?tags=1,2', { tags: ['1', '2'] }),
  query('?ids=1,2,3', { ids: [1, 2, 3] }),
  query('?ids=1&ids=2', { ids: [1, 2] }),
  badQuery('?ids=1,x', 'ids'),
  badQuery('?tags=a,b,c,d', 'tags'),

  // enumerations, dates
  query('?sort=-title', { sort: '-title' }),
  badQuery('?sort=size', 'sort'),
  query('?level=2', { level: 2 }),
  badQuery('?level=4', 'level'),
  query('?since=2026-02-28T12:30:00.000Z', { since: '2026-02-28T12:30:00.000Z' }),
  query('?since=2026-02-28', { since: '2026-02-28T00:00:00.000Z' }, { not: ['ajv'] }),
  badQuery('?since=yesterday', 'since'),
  badQuery('?since=2026-02-30T12:30:00Z', 'since'),
  badQuery('?since=1772281800000', 'since'),

  // a query as such
  query('?unknown=1&unknown=2', {}),
  query('?__proto__=1&constructor=2', {}),
  badQuery('?page=0&all=x&level=9', 'page', 'all', 'level'),
  malformed('?page=1&page=2'),
  malformed('?q=%zz'),
  malformed('?q=%ff'),
  malformed(`?${'a=1&'.repeat(101)}`),
  malformed(`?q=${'a'.repeat(2049)}`),

  // alternatives, which convert and prune by the one that fits
  { request: 'GET /sized?by=page&size=5', status: 200, input: { query: { by: 'page', size: 5 } }, ...union },
  { request: 'GET /sized?by=page&size=auto', status: 200, input: { query: { by: 'page', size: 'auto' } }, ...union },
  { request: 'GET /sized?by=name&size=L&x=1', status: 200, input: { query: { by: 'name', size: 'L' } }, ...union },
  { request: 'GET /sized', status: 422, ...union },

  // headers and cookies
  head({ 'X-VERSION': '3' }, { headers: { 'X-Version': 3 } }),
  head({ 'x-parts': '1, 2 ,3' }, { headers: { 'X-Parts': [1, 2, 3] } }),
  head({ 'x-other': '3' }, { headers: {} }),
  badHead({ 'x-version': 'three' }, 'header X-Version'),
  head({ cookie: 'theme=dark; visits=3; other=1' }, { cookies: { theme: 'dark', visits: 3 } }),
  head({ cookie: 'themes=dark' }, { cookies: {} }),
  badHead({ cookie: 'theme=red; visits=many' }, 'cookie theme', 'cookie visits'),
  badHead({ cookie: 'theme=red', 'x-version': 'three' }, 'header X-Version', 'cookie theme'),

  // bodies
  body(order),
  body({ ...order, gift: true, note: null, address: { city: 'Bern', geo: { lat: 46.9, lon: 7.4 } } }),
  body({ ...order, due: '2026-02-28T12:30:00.000Z' }),
  body({ ...order, customer: '5' }),
  badBody({}, '#/customer', '#/lines'),
  badBody({ ...order, customer: 5 }, '#/customer'),
  badBody({ ...order, customer: '' }, '#/customer'),
  badBody({ ...order, customer: null }, '#/customer'),
  badBody({ ...order, gift: 'true' }, '#/gift'),
  badBody({ ...order, due: 'soon' }, '#/due'),
  badBody({ ...order, lines: [] }, '#/lines'),
  badBody({ ...order, lines: 'pen' }, '#/lines'),
  badBody({ ...order, lines: [line, line, line, line] }, '#/lines'),
  badBody({ ...order, lines: [line, { article: 'P', quantity: '2' }] }, '#/lines/1/article', '#/lines/1/quantity'),
  badBody({ ...order, lines: [{ quantity: 0 }] }, '#/lines/0/article', '#/lines/0/quantity'),
  badBody({ ...order, address: {} }, '#/address/city'),
  badBody({ ...order, address: { city: 'Bern', geo: { lat: 1 } } }, '#/address/geo/lon'),
  badBody({ ...order, options: { express: true, 'a/b~c d': 1 } }, '#/options/a~1b~0c%20d'),
  // To valibot and arktype a list is an object.
  { ...badBody([], '#'), not: ['valibot', 'arktype'] },
  badBody(null, '#'),
  badBody('text', '#'),

  // mass assignment, at every level
  body({ ...order, admin: true }, order),
  body({ ...order, id: 1 }, order),
  body({ ...order, id: 'x' }, order),
  body({ ...order, lines: [{ ...line, id: 9, price: 0 }] }, order),
  body(
    { ...order, address: { city: 'Bern', owner: 1, geo: { lat: 1, lon: 2, alt: 3 } } },
    { ...order, address: { city: 'Bern', geo: { lat: 1, lon: 2 } } },
  ),
  body({ ...order, constructor: 1, toString: 2 }, order),

  // what is no body, or none of these
  unread(400, '', 'application/json'),
  unread(400, '{', 'application/json'),
  unread(400, '{"__proto__":{}}', 'application/json'),
  unread(415, 'x', 'text/plain'),
  unread(415, '<a/>', 'application/xml'),
  unread(422, 'customer=Ada&gift=1', FORM),
  unread(422, 'customer=Ada&gift=yes&lines=pen', FORM),
]

for (const [index, row] of rows.entries()) {
  const { request, headers = {}, json, body, status, input, places, not = [] } = row
  const [method = '', target = ''] = request.split(' ')
  const init = { method, headers, ...(json !== undefined && { json }), ...(body !== undefined && { body }) }
  const sent = [headers, json].map(it => JSON.stringify(it)).filter(it => it && it !== '{}')
  const title = `${index + 1}: ${request} ${sent.join(' ')}${body ?? ''}`.slice(0, 150)

  test(`input() answers ${status} to request ${title}`, async t => {
    for (const [library, app] of Object.entries(apis)) {
      if (not.includes(library as Library)) continue
      const response = await app.client().fetch(target, init)
      const answer = (await response.json()) as { input?: Record<string, unknown>; errors?: Record<string, string>[] }
      t.is(response.status, status, `${library}: ${JSON.stringify(answer)}`)
      for (const [part, value] of Object.entries(input ?? {})) t.deepEqual(answer.input?.[part], value, library)
      const found = (answer.errors ?? []).map(it => `${it.in} ${it.pointer ?? it.parameter}`)
      if (places) t.deepEqual([...new Set(found)].sort(), [...places].sort(), library)
      for (const { detail } of answer.errors ?? []) t.regex(String(detail), /^[A-Z"].*[.!?]$/s, library)
    }
  })
}

test('input() is asked the same sixty requests and more in each library', t => {
  t.true(rows.length >= 60)
  t.true(rows.filter(({ not }) => !not).length >= 60)
})
