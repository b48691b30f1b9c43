import { createRequire } from 'node:module'
import { Octokit } from '@octokit/core'
import { paginateRest } from '@octokit/plugin-paginate-rest'
import test, { type ExecutionContext } from 'ava'
import { type AddsOf, created, kolba, problem } from 'kolba'
import { type CollectionOptions, collection, relation, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { int, object, readOnly, text } from 'kolba/schema'
import { type ReactAdmin, type Refine, testClient } from '../support/clients.js'
import { MemoryLogger } from '../support/memory-logger.js'
import { listening } from '../support/raw.js'
import { kyselyOnSqlite } from '../support/sqlite.js'

const GENRES = ['novel', 'play', 'verse'] as const

/** What lies in the table, for the tests to say what a client should have got. */
const BOOKS = Array.from({ length: 57 }, (_, index) => ({
  id: index + 1,
  title: `${['Emma', 'Faust', 'Odes', 'émile', 'Ulysses'][index % 5]} ${index + 1}`,
  year: 1800 + ((index * 37) % 101),
  genre: GENRES[index % 3] as string,
  author_id: (index % 4) + 1,
}))
type Book = (typeof BOOKS)[number]

/** Books in SQLite, which clients read through a collection and write one by one. */
async function library(t: ExecutionContext, options: CollectionOptions) {
  const queries: string[] = []
  const db = kyselyOnSqlite({
    log: ({ level, query }) => void queries.push(level === 'error' ? `failed: ${query.sql}` : query.sql),
  })
  t.teardown(() => db.destroy())
  const create = db.schema.createTable('book').addColumn('id', 'integer', column => column.primaryKey())
  await create
    .addColumn('title', 'text')
    .addColumn('year', 'integer')
    .addColumn('genre', 'text')
    .addColumn('author_id', 'integer')
    .addColumn('secret', 'text')
    .execute()
  await db.schema.createTable('author').addColumn('id', 'integer').addColumn('name', 'text').execute()
  await db
    .insertInto('book')
    .values(BOOKS.map(book => ({ ...book, secret: 'x' })))
    .execute()
  await db
    .insertInto('author')
    .values([1, 2, 3, 4].map(id => ({ id, name: `Author ${id}` })))
    .execute()

  const authors = resource({ fields: { id: 'number', name: 'string' } })
  const books = resource({
    fields: { id: 'number', title: 'string', year: 'number', genre: GENRES, author_id: 'number' },
    search: ['title'],
    expand: { author: relation({ from: 'author_id', resource: authors, load: () => db.selectFrom('author') }) },
  })
  const book = object({
    id: readOnly(int()),
    title: text({ min: 1 }),
    year: int({ min: 1000 }),
    genre: text(),
    author_id: int(),
  })
  const byId = input({ params: { id: int() } })

  async function find({ input: { params } }: AddsOf<typeof byId>) {
    const found = db
      .selectFrom('book')
      .select(Object.keys(BOOKS[0] as Book))
      .where('id', '=', params.id)
    return (await found.executeTakeFirst()) ?? problem(404, { detail: `There is no book ${params.id}.` })
  }
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get('/books', etag(), json(), collection(books, options), () => db.selectFrom('book'))
  const show = app.get('/books/:id', json(), byId, find)
  app.post('/books', json(), input({ body: book }), async ({ input: { body } }) => {
    const row = await db.insertInto('book').values(body).returning('id').executeTakeFirstOrThrow()
    return created(app.url(show, { id: String(row.id) }), { ...body, id: row.id })
  })
  // React-admin sends the whole with PUT, Refine what has changed with PATCH.
  const change = async (ctx: AddsOf<typeof byId>, body: object) => {
    if (Object.keys(body).length > 0)
      await db
        .updateTable('book')
        .set({ ...body })
        .where('id', '=', ctx.input.params.id)
        .execute()
    return find(ctx)
  }
  app.put('/books/:id', json(), byId, input({ body: book }), ctx => change(ctx, ctx.input.body))
  app.patch('/books/:id', json(), byId, input({ body: { year: int() } }), ctx => change(ctx, ctx.input.body))
  app.delete('/books/:id', json(), byId, async ctx => {
    const row = await find(ctx)
    await db.deleteFrom('book').where('id', '=', ctx.input.params.id).execute()
    return row
  })
  const { port } = await listening(t, app)
  queries.length = 0
  return { url: `http://127.0.0.1:${port}`, queries }
}

/** The books by fields, `-year`, and by their ids in the end. */
function sorted(books: readonly Book[], ...order: string[]): Book[] {
  const fields = [...order, 'id'].map(it => ({ name: it.replace('-', '') as keyof Book, sign: it[0] === '-' ? -1 : 1 }))
  return books.toSorted((a, b) => {
    const { name, sign } = fields.find(({ name }) => a[name] !== b[name]) ?? { name: 'id', sign: 0 }
    return a[name] < b[name] ? -sign : sign
  })
}

for (const paging of ['page', 'offset', 'cursor'] as const) {
  test(`octokit.paginate() walks the Link header of a collection by ${paging}`, async t => {
    const { url, queries } = await library(t, { paging, name: false })
    const octokit = new (Octokit.plugin(paginateRest))({ baseUrl: url })
    const size = paging === 'page' ? 'per_page' : 'limit'
    const found = await octokit.paginate('GET /books', { [size]: 10, sort: '-year', genre: 'novel' })
    const expected = sorted(
      BOOKS.filter(({ genre }) => genre === 'novel'),
      '-year',
    )
    t.deepEqual(found, expected)
    t.is(expected.length, 19)
    t.true(queries.every(query => query.includes('limit ?') || query.includes('count(*)')))
  })
}

test('octokit.paginate() takes the items of a collection by its map function, and stops where it is told', async t => {
  const { url } = await library(t, {})
  const octokit = new (Octokit.plugin(paginateRest))({ baseUrl: url })
  const requests: string[] = []
  octokit.hook.before('request', ({ url }) => void requests.push(url))
  const found = await octokit.paginate({ method: 'GET', url: '/books?q=émile', per_page: 2 }, ({ data }, done) => {
    const { items, links } = data as unknown as { items: Book[]; links: { last: string } }
    if (items.some(({ id }) => id === 19)) done()
    t.regex(links.last, /page=6/)
    return items.map(({ id }) => id)
  })
  t.deepEqual(found, [4, 9, 14, 19])
  t.is(requests.length, 2)
})

test('parse-link-header reads the Link header of a collection', async t => {
  const { url } = await library(t, { paging: ['page', 'cursor'] })
  const parse = createRequire(import.meta.url)('parse-link-header') as (text: string | null) => Record<string, object>
  // A comma, a semicolon, quotes and angle brackets are what a header could be torn at.
  const foreign = 'title[ne]=a,b;rel=%22next%22<>'
  const response = await fetch(`${url}/books?page=3&per_page=10&${foreign}`)
  t.is(response.status, 200)
  const links = parse(response.headers.get('link'))
  t.deepEqual(Object.keys(links), ['self', 'first', 'prev', 'next', 'last'])
  const pages = Object.entries(links).map(([relation, link]) => [relation, (link as { page: string }).page])
  t.deepEqual(Object.fromEntries(pages), { self: '3', first: '1', prev: '2', next: '4', last: '6' })
  for (const link of Object.values(links)) {
    t.like(link, { per_page: '10', 'title[ne]': 'a,b;rel="next"<>' })
    t.is((await fetch((link as { url: string }).url)).status, 200)
  }
})

testClient<ReactAdmin>(
  'ra-data-simple-rest',
  'ra-data-simple-rest lists, filters, sorts and pages',
  async (t, client) => {
    const { url, queries } = await library(t, { style: 'react-admin' })
    const { getList, getMany, getManyReference, getOne } = client(url)
    const all: object[] = []
    for (let page = 1; page <= 6; page += 1) {
      const { data, total } = await getList('books', {
        pagination: { page, perPage: 10 },
        sort: { field: 'year', order: 'DESC' },
        filter: {},
      })
      t.is(total, 57)
      all.push(...data)
    }
    t.deepEqual(all, sorted(BOOKS, '-year'))

    const pagination = { page: 1, perPage: 50 }
    const sort = { field: 'title', order: 'ASC' } as const
    const list = async (filter: object) => (await getList('books', { pagination, sort, filter })).data
    const expect = (isWanted: (book: Book) => boolean) => sorted(BOOKS.filter(isWanted), 'title')
    t.deepEqual(
      await list({ genre: 'play' }),
      expect(({ genre }) => genre === 'play'),
    )
    t.deepEqual(
      await list({ q: 'EMMA' }),
      expect(({ title }) => title.startsWith('Emma')),
    )
    t.deepEqual(
      await list({ year_gte: 1850, year_lt: '1880', genre: ['novel', 'verse'] }),
      expect(({ year, genre }) => year >= 1850 && year < 1880 && genre !== 'play'),
    )
    t.deepEqual(
      await list({ title_q: 'u' }),
      expect(({ title }) => title.includes('u') || title.includes('U')),
    )

    t.deepEqual(await getOne('books', { id: 7 }), { data: BOOKS[6] as Book })
    t.deepEqual((await getMany('books', { ids: [3, 1, 57] })).data, [BOOKS[0], BOOKS[2], BOOKS[56]] as Book[])
    const reference = await getManyReference('books', {
      target: 'author_id',
      id: 2,
      pagination: { page: 2, perPage: 10 },
      sort: { field: 'id', order: 'ASC' },
      filter: { genre: 'novel' },
    })
    const theirs = BOOKS.filter(({ author_id, genre }) => author_id === 2 && genre === 'novel')
    t.deepEqual(reference, { data: theirs.slice(10), total: theirs.length })
    // What a table asks for when the last row of its last page was deleted.
    t.deepEqual(await getList('books', { pagination: { page: 7, perPage: 10 }, sort, filter: {} }), {
      data: [],
      total: 57,
    })

    queries.length = 0
    const { data } = await getList('books', { pagination, sort, filter: { id: 1 }, meta: { embed: ['author'] } })
    t.deepEqual(data, [{ ...(BOOKS[0] as Book), author: { id: 1, name: 'Author 1' } }])
    t.is(queries.length, 2)
  },
)

testClient<ReactAdmin>('ra-data-simple-rest', 'ra-data-simple-rest creates, updates and deletes', async (t, client) => {
  const { url } = await library(t, { style: 'react-admin' })
  const { create, delete: remove, deleteMany, getList, getOne, update, updateMany } = client(url)
  const hamlet = { title: 'Hamlet', year: 1603, genre: 'play', author_id: 1 }
  t.deepEqual(await create('books', { data: hamlet }), { data: { ...hamlet, id: 58 } })
  t.deepEqual((await getOne('books', { id: 58 })).data, { ...hamlet, id: 58 })
  const changed = { ...hamlet, id: 58, year: 1604 }
  t.deepEqual(await update('books', { id: 58, data: changed }), { data: changed })
  t.deepEqual(await updateMany('books', { ids: [1, 2], data: hamlet }), { data: [1, 2] })
  t.deepEqual(await remove('books', { id: 58 }), { data: changed })
  t.deepEqual(await deleteMany('books', { ids: [1, 2] }), { data: [1, 2] })
  const params = { pagination: { page: 1, perPage: 1 }, sort: { field: 'id', order: 'ASC' as const }, filter: {} }
  t.deepEqual(await getList('books', params), { data: [BOOKS[2] as Book], total: 55 })

  const missing = await t.throwsAsync(getOne('books', { id: 58 }))
  t.like(missing, { status: 404, body: { detail: 'There is no book 58.' } })
  const wrong = await t.throwsAsync(create('books', { data: { ...hamlet, year: 'old' } }))
  t.like(wrong, { status: 422, body: { errors: [{ in: 'body', pointer: '#/year' }] } })
  const unknown = await t.throwsAsync(getList('books', { ...params, filter: { secret: 'x' } }))
  t.like(unknown, { status: 400, body: { errors: [{ parameter: 'filter', pointer: '#/secret' }] } })
})

testClient<Refine>('@refinedev/simple-rest', 'Refine lists, filters, sorts and pages', async (t, client) => {
  const { url, queries } = await library(t, { style: 'json-server' })
  const { getList, getMany, getOne } = client(url)
  const all: object[] = []
  for (let currentPage = 1; currentPage <= 6; currentPage += 1) {
    const pagination = { currentPage, pageSize: 10 }
    const sorters = [
      { field: 'genre', order: 'desc' as const },
      { field: 'year', order: 'asc' as const },
    ]
    const { data, total } = await getList({ resource: 'books', pagination, sorters })
    t.is(total, 57)
    all.push(...data)
  }
  t.deepEqual(all, sorted(BOOKS, '-genre', 'year'))

  const pagination = { pageSize: 100 }
  const list = async (...filters: [field: string, operator: string, value: unknown][]) => {
    const given = filters.map(([field, operator, value]) => ({ field, operator, value }))
    const { data, total } = await getList({ resource: 'books', pagination, filters: given })
    t.is(total, data.length)
    return data
  }
  const expect = (isWanted: (book: Book) => boolean) => BOOKS.filter(isWanted)
  t.deepEqual(
    await list(['genre', 'eq', 'play']),
    expect(({ genre }) => genre === 'play'),
  )
  t.deepEqual(
    await list(['genre', 'ne', 'play']),
    expect(({ genre }) => genre !== 'play'),
  )
  t.deepEqual(
    await list(['genre', 'in', ['play', 'verse']]),
    expect(({ genre }) => genre !== 'novel'),
  )
  t.deepEqual(
    await list(['year', 'gte', 1850], ['year', 'lte', 1860]),
    expect(({ year }) => year >= 1850 && year <= 1860),
  )
  t.deepEqual(
    await list(['title', 'contains', 'ULY']),
    expect(({ title }) => title.startsWith('Uly')),
  )
  t.deepEqual(
    await list(['q', 'eq', 'od']),
    expect(({ title }) => title.startsWith('Odes')),
  )

  t.deepEqual(await getOne({ resource: 'books', id: 7 }), { data: BOOKS[6] as Book })
  t.deepEqual((await getMany({ resource: 'books', ids: [3, 1] })).data, [BOOKS[0], BOOKS[2]] as Book[])
  t.deepEqual((await getList({ resource: 'books', pagination: { mode: 'off' } })).data, BOOKS)
  t.true(queries.every(query => !query.includes('secret')))
})

testClient<Refine>('@refinedev/simple-rest', 'Refine creates, updates and deletes', async (t, client) => {
  const { url } = await library(t, { style: 'json-server' })
  const { create, deleteOne, getOne, update } = client(url)
  const resource = 'books'
  const hamlet = { title: 'Hamlet', year: 1603, genre: 'play', author_id: 1 }
  t.deepEqual(await create({ resource, variables: hamlet }), { data: { ...hamlet, id: 58 } })
  const changed = { ...hamlet, id: 58, year: 1604 }
  t.deepEqual(await update({ resource, id: 58, variables: { year: 1604 } }), { data: changed })
  t.deepEqual(await getOne({ resource, id: 58 }), { data: changed })
  t.deepEqual(await deleteOne({ resource, id: 58, variables: {} }), { data: changed })
  // Its errors are no instances of Error.
  t.like(await t.throwsAsync(getOne({ resource, id: 58 }), { any: true }), { statusCode: 404 })
  const wrong = create({ resource, variables: { ...hamlet, year: 'old' } })
  t.like(await t.throwsAsync(wrong, { any: true }), { statusCode: 422 })
})
