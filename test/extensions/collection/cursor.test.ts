import test from 'ava'
import fc from 'fast-check'
import { decorator, kolba, type Next } from 'kolba'
import { type CollectionOptions, collection, resource } from 'kolba/collection'
import { MemoryLogger } from '../../support/memory-logger.js'

interface Person {
  id: number
  name: string | null
  age?: number | null
  born?: Date | null
  note?: string
}

interface Body {
  items: Person[]
  meta: Record<string, unknown>
  links: Record<string, string>
  queries: Record<string, { cursor: string }>
}

const people = resource({
  fields: {
    id: 'number',
    name: 'string',
    age: 'number',
    born: 'date',
    note: { type: 'string', select: false, sort: true },
  },
  sort: 'age,-name',
})
const SECRET = 'a secret of at least 32 bytes, which this is'

const signedIn = decorator('signedIn', (ctx, next: Next<{ user: unknown }>) => {
  const user = ctx.get('X-User')
  return next({ user: user === '' ? undefined : JSON.parse(user) })
})

function serve(rows: () => unknown, options: CollectionOptions = {}, keys?: string[]) {
  const logger = new MemoryLogger()
  const app = kolba({ logger, ...(keys && { keys }) })
  const all = { paging: 'cursor', secret: SECRET, ...options } as const
  app.get('/people', signedIn, collection(people, all), rows as never)
  app.get('/clubs/:club/people', signedIn, collection(people, all), rows as never)
  app.query('/people', signedIn, collection(people, all), rows as never)
  const client = app.client()
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const response = await client.get(url, { headers })
    return { status: response.status, body: (await response.json()) as Body & { detail: string; errors: unknown } }
  }
  return { client, logger, get }
}

/** All pages from a URL on, by a link. */
async function walk(get: ReturnType<typeof serve>['get'], from: string, relation: 'next' | 'prev') {
  const pages: Person[][] = []
  for (let url: string | undefined = from; url !== undefined; ) {
    const { status, body } = await get(url)
    if (status !== 200 || pages.length > 200) throw new Error(`${status} at page ${pages.length}`)
    pages.push(body.items)
    url = body.links[relation]
  }
  return pages
}

const ids = (rows: readonly Person[]) => rows.map(({ id }) => id)

const SOME: Person[] = [
  { id: 1, name: 'b', age: 3, born: new Date(0) },
  { id: 2, name: null, age: null, born: null },
  { id: 3, name: 'a', age: 3, born: new Date(-1) },
  { id: 4, name: '😀', age: null, born: new Date(1e12) },
  { id: 5, name: 'b', age: 3, born: null },
  { id: 6, name: null, age: 1.5, born: new Date(0) },
  { id: 7, name: '\uffff', age: null, born: new Date(0) },
]

test('a cursor walks all rows once, with links both ways', async t => {
  const { get } = serve(() => SOME)
  const pages = await walk(get, '/people?limit=2', 'next')
  t.deepEqual(pages.map(ids), [[4, 7], [2, 6], [1, 5], [3]])
  const { body } = await get('/people?limit=2')
  t.deepEqual(Object.keys(body.links), ['self', 'first', 'next', 'last'])
  t.deepEqual(body.meta, { limit: 2 })
  const back = await walk(get, body.links.last as string, 'prev')
  t.deepEqual(back.map(ids), [[5, 3], [6, 1], [7, 2], [4]])
})

test('a cursor goes back to the very page that one came from', async t => {
  const { get } = serve(() => SOME)
  const first = await get('/people?limit=3')
  const second = await get(first.body.links.next as string)
  const back = await get(second.body.links.prev as string)
  t.deepEqual(back.body.items, first.body.items)
  t.false('prev' in back.body.links)
  t.is(back.body.links.next, first.body.links.next)
})

for (const sort of ['id', '-id', 'name', '-name', 'born', '-born,age', 'age,-born,name']) {
  test(`a cursor walks by ${sort}, nulls and dates included, as one long page has it`, async t => {
    const { get } = serve(() => SOME)
    const whole = ids((await get(`/people?sort=${sort}&limit=50`)).body.items)
    t.is(whole.length, 7)
    const start = `/people?sort=${sort}&limit=1`
    t.deepEqual((await walk(get, start, 'next')).flatMap(ids), whole)
    const last = (await get(start)).body.links.last as string
    t.deepEqual((await walk(get, last, 'prev')).flatMap(ids), whole.toReversed())
  })
}

test('a walk neither repeats nor misses a row that stays while others come and go', async t => {
  const person = fc.record({
    name: fc.option(fc.constantFrom('a', 'b', 'B', '', '😀', '\uffff')),
    age: fc.option(fc.integer({ min: 0, max: 3 })),
  })
  const change = fc.record({ added: fc.array(person, { maxLength: 3 }), removed: fc.array(fc.nat(), { maxLength: 3 }) })
  let rows: Person[] = []
  const { get } = serve(() => rows)
  const property = fc.asyncProperty(
    fc.array(person, { maxLength: 12 }),
    fc.array(change, { maxLength: 12 }),
    fc.constantFrom('age', '-age,name', 'name', '-name,-age,id', '-id'),
    fc.integer({ min: 1, max: 4 }),
    fc.boolean(),
    async (start, changes, sort, limit, isBackward) => {
      let next = 1
      const make = (it: Omit<Person, 'id'>): Person => ({ ...it, id: next++ })
      rows = start.map(make)
      const stayed = new Set(ids(rows))
      const seen: number[] = []
      const { body } = await get(`/people?sort=${sort}&limit=${limit}`)
      let url = isBackward ? body.links.last : body.links.self
      for (const { added, removed } of [
        ...changes,
        ...Array.from({ length: 60 }, () => ({ added: [], removed: [] })),
      ]) {
        if (url === undefined) break
        const page: Body = (await get(url)).body
        t.true(page.items.length <= limit)
        seen.push(...ids(page.items))
        url = isBackward ? page.links.prev : page.links.next
        const gone = new Set(removed.map(index => rows[index % (rows.length || 1)]?.id))
        rows = [...rows.filter(({ id }) => !gone.has(id)), ...added.map(make)]
        for (const id of gone) stayed.delete(id as number)
      }
      t.is(url, undefined)
      t.is(new Set(seen).size, seen.length)
      for (const id of stayed) t.true(seen.includes(id))
    },
  )
  await t.notThrowsAsync(fc.assert(property, { numRuns: 60 }))
})

test('a page that everything has gone from is empty, and its links lead to what is left', async t => {
  let rows = SOME
  const { get } = serve(() => rows)
  const first = (await get('/people?sort=id&limit=2')).body
  const second = (await get(first.links.next as string)).body
  rows = SOME.slice(0, 2)
  const behind = await get(second.links.next as string)
  t.is(behind.status, 200)
  t.deepEqual(behind.body.items, [])
  t.deepEqual(Object.keys(behind.body.links), ['self', 'first', 'prev', 'last'])
  t.deepEqual(ids((await get(behind.body.links.prev as string)).body.items), [1, 2])
  rows = SOME.slice(4)
  const before = await get(second.links.prev as string)
  t.deepEqual(before.body.items, [])
  t.deepEqual(ids((await get(before.body.links.next as string)).body.items), [5, 6])
  rows = []
  t.deepEqual(Object.keys((await get('/people?sort=id')).body.links), ['self', 'first'])
})

const cursorOf = (url: string | undefined) => new URL(url as string).searchParams.get('cursor') ?? ''
const FORGED = 'It is none that was given out here. Begin with the first page.'
const FOREIGN = 'It belongs to another filter, order or user. Begin with the first page of these.'

test('a cursor of which any bit is another is 400, and so is whatever else is none', async t => {
  const { get } = serve(() => SOME)
  const cursor = cursorOf((await get('/people?sort=name&limit=2')).body.links.next)
  t.is((await get(`/people?sort=name&limit=2&cursor=${cursor}`)).status, 200)
  const bytes = Buffer.from(cursor, 'base64url')
  const forged = [...bytes.keys()].map(index => {
    const copy = Buffer.from(bytes)
    copy[index] = (bytes[index] as number) ^ (1 << (index % 8))
    return copy.toString('base64url')
  })
  const shortened = [...cursor].map((_, index) => cursor.slice(0, index)).filter(text => text !== '')
  const others = [
    `${cursor}A`,
    `${cursor}=`,
    `${cursor}%0A`,
    `%20${cursor}`,
    'x',
    '-',
    'null',
    '%F0%9F%98%80',
    'A'.repeat(2000),
  ]
  for (const text of [...forged, ...shortened, ...others]) {
    const { status, body } = await get(`/people?sort=name&limit=2&cursor=${text}`)
    t.is(status, 400, text)
    t.is(body.detail, `The cursor cannot be used. ${FORGED}`)
    t.deepEqual(body.errors, [{ parameter: 'cursor', detail: FORGED }])
  }
  t.is((await get(`/people?sort=name&cursor=${'A'.repeat(2100)}`)).status, 400)
})

test('a cursor shows nothing of the row that it stands at', async t => {
  const { get } = serve(() => [
    { id: 1, name: 'x', note: 'hidden text' },
    { id: 2, name: 'x', note: 'hidden text' },
  ])
  const cursor = cursorOf((await get('/people?sort=note&limit=1')).body.links.next)
  t.is(cursor, cursorOf((await get('/people?sort=note&limit=1')).body.links.next))
  t.notRegex(Buffer.from(cursor, 'base64url').toString('latin1'), /hidden|text|note/)
})

test('a cursor is of one filter, search, order and route, however they are written', async t => {
  const { get } = serve(() => SOME)
  const { body } = await get('/people?age[gte]=1&name[ne]=c&sort=name&limit=1')
  const cursor = cursorOf(body.links.next)
  const same = ['name[ne]=c&age[gte]=1.0&sort=name,id&limit=2', 'age[gte]=1&name[ne]=c&sort=name&limit=1&fields=id']
  for (const query of same) t.is((await get(`/people?${query}&cursor=${cursor}`)).status, 200, query)
  const others = [
    '/people?limit=1',
    '/people?age[gte]=1&name[ne]=c',
    '/people?age[gte]=1&name[ne]=c&sort=-name',
    '/people?age[gte]=2&name[ne]=c&sort=name',
    '/people?age[gt]=1&name[ne]=c&sort=name',
    '/people?age[gte]=1&sort=name',
    '/clubs/1/people?age[gte]=1&name[ne]=c&sort=name',
  ]
  for (const url of others) {
    const { status, body } = await get(`${url}&cursor=${cursor}`)
    t.is(status, 400, url)
    t.deepEqual(body.errors, [{ parameter: 'cursor', detail: FOREIGN }])
  }
  const club = cursorOf((await get('/clubs/1/people?limit=1')).body.links.next)
  t.is((await get(`/clubs/1/people?cursor=${club}`)).status, 200)
  t.is((await get(`/clubs/2/people?cursor=${club}`)).status, 400)
})

test('a cursor is of one user, and of nobody who only has the same name in another place', async t => {
  const { get } = serve(() => SOME)
  const as = (user: unknown) => ({ 'X-User': user === undefined ? '' : JSON.stringify(user) })
  const users = [
    undefined,
    'ada',
    7,
    '7',
    { id: 8 },
    { id: '8' },
    { sub: 'ada', iat: 1 },
    { name: 'ada' },
    { name: 'bob' },
  ]
  for (const [index, user] of users.entries()) {
    const cursor = cursorOf((await get('/people?limit=1', as(user))).body.links.next)
    for (const [other, another] of users.entries()) {
      const { status } = await get(`/people?limit=1&cursor=${cursor}`, as(another))
      t.is(status, index === other ? 200 : 400, `${JSON.stringify(user)} ${JSON.stringify(another)}`)
    }
  }
  const { sub, iat } = { sub: 'ada', iat: 2 }
  const cursor = cursorOf((await get('/people?limit=1', as({ sub, iat: 1 }))).body.links.next)
  t.is((await get(`/people?cursor=${cursor}`, as({ sub, iat }))).status, 200)
})

test('a cursor is of whoever principal says', async t => {
  const { get } = serve(() => SOME, { principal: ctx => ctx.get('X-Tenant') })
  const cursor = cursorOf((await get('/people?limit=1', { 'X-Tenant': 'a' })).body.links.next)
  t.is((await get(`/people?cursor=${cursor}`, { 'X-Tenant': 'a' })).status, 200)
  t.is((await get(`/people?cursor=${cursor}`, { 'X-Tenant': 'b' })).status, 400)
})

test('a cursor is not given to whoever cannot be told from others', async t => {
  const cases: [CollectionOptions, unknown, string][] = [
    [{}, { big: 1n }, 'principalOf: this user cannot be told from others. Give ctx.user an id, or a sub.'],
    [{}, () => 1, 'principalOf: this user cannot be told from others. Give ctx.user an id, or a sub.'],
    [
      { principal: (async () => 'ada') as never },
      undefined,
      'collection: principal gave a promise. Give a string, or undefined for everybody.',
    ],
    [
      { principal: () => 7 as never },
      undefined,
      'collection: principal gave a value of the type number. Give a string, or undefined for everybody.',
    ],
  ]
  for (const [options, user, message] of cases) {
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    const known = decorator('known', (_ctx, next: Next<{ user: unknown }>) => next({ user }))
    app.get('/people', known, collection(people, { paging: 'cursor', secret: SECRET, ...options }), () => SOME)
    t.is((await app.client().get('/people')).status, 500)
    t.is(logger.lines[0]?.message, message)
  }
})

test('keys can be exchanged while cursors are under way', async t => {
  const [old, young] = ['o'.repeat(32), 'y'.repeat(32)]
  const start = async (secret: string | string[]) => {
    const { body } = await serve(() => SOME, { secret }).get('/people?limit=1')
    return `/people?limit=1&cursor=${cursorOf(body.links.next)}`
  }
  const before = await start(old)
  const after = await start([young, old])
  t.not(before, after)
  t.is(after, await start(young))
  for (const url of [before, after]) t.is((await serve(() => SOME, { secret: [young, old] }).get(url)).status, 200)
  t.is((await serve(() => SOME, { secret: young }).get(before)).status, 400)
})

test.serial('a cursor ends when it was told to', async t => {
  const { get } = serve(() => SOME, { cursorTtl: 100 })
  const now = Date.now
  const start = 1_800_000_003_000
  try {
    Date.now = () => start
    const url = (await get('/people?limit=1')).body.links.next as string
    Date.now = () => start + 5000
    t.is((await get('/people?limit=1')).body.links.next, url)
    Date.now = () => start + 100_000
    t.is((await get(url)).status, 200)
    Date.now = () => start + 110_001
    const { status, body } = await get(url)
    t.is(status, 400)
    t.deepEqual(body.errors, [{ parameter: 'cursor', detail: 'It is too old. Begin with the first page.' }])
  } finally {
    Date.now = now
  }
})

test('a cursor without a secret is signed with the keys of the app, where they are long enough', async t => {
  const keys = ['k'.repeat(32), 'l'.repeat(40)]
  const [one, two] = [
    serve(() => SOME, { secret: undefined } as never, keys),
    serve(() => SOME, { secret: undefined } as never, keys),
  ]
  const url = (await one.get('/people?limit=1')).body.links.next as string
  t.is((await two.get(url)).status, 200)
  t.deepEqual(one.logger.lines, [])
})

test('a cursor without any key has one of the process, of which the log has one line', async t => {
  for (const keys of [undefined, ['too short']]) {
    const { get, logger } = serve(() => SOME, { secret: undefined } as never, keys)
    t.deepEqual(logger.lines, [])
    const url = (await get('/people?limit=1')).body.links.next as string
    t.is((await get(url)).status, 200)
    await get('/clubs/1/people?limit=1')
    t.deepEqual(
      logger.lines.map(({ level, message }) => [level, message]),
      [['warn', 'collection: cursors end with this process. Give secret, or kolba({ keys }) of 32 bytes.']],
    )
    t.is((await serve(() => SOME).get(url)).status, 400)
  }
})

test('a cursor holds no text that is too long for it, and says so', async t => {
  const rows = [1, 2, 3].map(id => ({ id, name: `${'n'.repeat(1300)}${id}` }))
  const { get } = serve(() => rows)
  const pages = await walk(get, '/people?sort=name&limit=1', 'next')
  t.deepEqual(pages.flatMap(ids), [1, 2, 3])
  t.true(cursorOf((await get('/people?sort=name&limit=1')).body.links.next).length <= 2000)
  const long = rows.map(({ id }) => ({ id, name: 'n'.repeat(1500) }))
  const asked = await serve(() => long).get('/people?sort=name&limit=1')
  t.is(asked.status, 400)
  const detail = 'A row has more text in name, id than a cursor holds. Sort by something shorter.'
  t.deepEqual(asked.body.errors, [{ parameter: 'sort', detail }])
  t.is((await serve(() => long).get('/people?sort=name&limit=3')).status, 200)
  const { get: own, logger } = serve(() => long)
  t.is((await own('/people?limit=1')).status, 500)
  const message =
    'collection: A row has more text in age, name, id than a cursor holds. Give the resource another sort, or page by number.'
  t.is(logger.lines[0]?.message, message)
})

test('a walk counts where it is told to, and a QUERY walks by what to write into the next', async t => {
  const { get, client } = serve(() => SOME, { count: 'exact', totalHeader: true })
  t.deepEqual((await get('/people?limit=2')).body.meta, { limit: 2, total: 7 })
  const response = await client.query('/people', { json: { sort: 'id', limit: 3 } })
  t.is(response.headers.get('x-total-count'), '7')
  const { queries } = (await response.json()) as Body
  const ask = async (json: object) =>
    (await (await client.query('/people', { json })).json()) as Body & { errors: unknown }
  const { items, queries: more } = await ask({ sort: 'id', limit: 3, ...queries.next })
  t.deepEqual(ids(items), [4, 5, 6])
  t.deepEqual(ids((await ask({ sort: 'id', limit: 3, ...more.first })).items), [1, 2, 3])
  t.deepEqual((await ask({ sort: 'id', cursor: 'x' })).errors, [{ pointer: '#/cursor', detail: FORGED }])
})

test('of several ways to page the cursor is chosen by its parameter, and stays', async t => {
  const { get } = serve(() => SOME, { paging: ['page', 'cursor'] })
  t.deepEqual((await get('/people?per_page=3')).body.meta, { page: 1, per_page: 3, total: 7, pages: 3 })
  const { body } = await get('/people?sort=id&limit=3&cursor=')
  t.is(body.links.first, 'http://localhost/people?sort=id&limit=3&cursor=')
  t.deepEqual((await walk(get, body.links.first as string, 'next')).map(ids), [[1, 2, 3], [4, 5, 6], [7]])
})
