import test, { type ExecutionContext } from 'ava'
import { kolba } from 'kolba'
import { collection, relation, resource } from 'kolba/collection'
import { json } from 'kolba/json'
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { MemoryLogger } from '../../support/memory-logger.js'
import { testPostgres } from '../../support/postgres.js'
import { kyselyOnSqlite, type Tables } from '../../support/sqlite.js'

// What a collection asks of a database, read from the SQL that it sends.

interface Ran {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

interface Towns {
  readonly db: Kysely<Tables>
  readonly ran: Ran[]
  /** What it asks for a page, and what the page says. */
  ask(path: string): Promise<{ ran: readonly Ran[]; body: { items: object[]; links: Record<string, string> } }>
}

const COUNT = 2000

/** Many towns of few sizes, with the index that docs/collections.md has for their order. */
async function townsIn(db: Kysely<Tables>, ran: Ran[], nulls: string): Promise<Towns> {
  await sql`create table country (code text primary key, name text)`.execute(db)
  const date = sql.raw(nulls === '' ? 'text' : 'timestamptz(3)')
  await sql`create table town (id integer primary key, name text, size integer, founded ${date}, country text,
    secret text)`.execute(db)
  const countries = ['CH', 'NZ', 'PE', 'IS'].map(code => ({ code, name: `Land of ${code}` }))
  await db.insertInto('country').values(countries).execute()
  const towns = Array.from({ length: COUNT }, (_, index) => ({
    id: index + 1,
    name: `Town ${index}`,
    size: index % 50 === 0 ? null : index % 37,
    founded: index % 9 === 0 ? null : new Date(Date.UTC(1900, index % 700)).toJSON(),
    country: countries[index % 5]?.code ?? null,
    secret: 'x',
  }))
  await db.insertInto('town').values(towns).execute()
  await sql`create index town_size on town (size desc ${sql.raw(nulls)}, id)`.execute(db)
  const text = sql.raw(nulls === '' ? 'name' : 'name collate "C" nulls first')
  await sql`create index town_name on town (${text}, id)`.execute(db)
  await sql`create index town_founded on town (founded desc ${sql.raw(nulls)}, id)`.execute(db)
  await sql`analyze town`.execute(db)

  const land = resource({ fields: { code: 'string', name: 'string' }, key: 'code' })
  const town = resource({
    fields: {
      id: 'number',
      name: 'string',
      size: 'number',
      // The column has milliseconds, and no form of its text but one: so it sorts as it is.
      founded: { type: 'date', collation: 'database', ...(nulls === '' && { stored: 'text' }) },
    },
    sort: '-size',
    search: ['name'],
    expand: { land: relation({ from: 'country', resource: land, load: () => db.selectFrom('country') }) },
  })
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  const paging = ['page', 'cursor', 'offset'] as const
  app.get('/towns', json(), collection(town, { paging, perPage: 10 }), () => db.selectFrom('town'))
  const client = app.client()
  return {
    db,
    ran,
    async ask(path) {
      ran.length = 0
      const response = await client.get(path.replace(/^https?:\/\/[^/]+/, ''))
      const body = await response.text()
      if (response.status !== 200) throw new Error(`${path} is ${response.status}: ${body}`)
      return { ran: [...ran], body: JSON.parse(body) }
    },
  }
}

/** The same test on both databases. */
function testTowns(title: string, run: (t: ExecutionContext, towns: Towns, explain: string) => Promise<void>): void {
  test(`collection() on SQLite ${title}`, async t => {
    const ran: Ran[] = []
    const db = kyselyOnSqlite({ log: ({ query }) => void ran.push(query) })
    t.teardown(() => db.destroy())
    await run(t, await townsIn(db, ran, ''), 'explain query plan')
  })
  testPostgres(`collection() on PostgreSQL ${title}`, async (t, url) => {
    const ran: Ran[] = []
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const log = ({ query }: { query: Ran }) => void ran.push(query)
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), log })
    try {
      const towns = await townsIn(db, ran, 'nulls last')
      // So few rows are read faster than any index, and what is asked is whether an index would do.
      await sql`set enable_seqscan = off`.execute(db)
      await sql`set enable_bitmapscan = off`.execute(db)
      await sql`set enable_sort = off`.execute(db)
      await run(t, towns, 'explain (format text)')
    } finally {
      await db.destroy()
    }
  })
}

const count = (text: string) => /^select count\(\*\) as "total" from "town"/.test(text)

testTowns('reads a page in one query, counts in one, and expands each relation in one', async (t, { ask }) => {
  const cases: [path: string, queries: number, counted: number][] = [
    ['/towns', 2, 1],
    ['/towns?page=7&per_page=100', 2, 1],
    ['/towns?page=200', 2, 1],
    ['/towns?name=Town%207', 1, 0],
    ['/towns?q=town%20199&size[gte]=3&sort=name', 1, 0],
    ['/towns?offset=500&limit=100&expand=land', 3, 1],
    ['/towns?per_page=100&expand=land&fields=name', 3, 1],
  ]
  for (const [path, queries, counted] of cases) {
    const { ran, body } = await ask(path)
    t.is(ran.length, queries, `${path}: ${ran.map(({ sql }) => sql).join('\n')}`)
    t.is(ran.filter(({ sql }) => count(sql)).length, counted, path)
    t.true(body.items.length > 0)
  }
})

testTowns('never fetches more rows than a page, nor columns that are not wanted', async (t, { ask }) => {
  const paths = [
    '/towns',
    '/towns?cursor=&limit=7',
    '/towns?offset=30&limit=50&fields=id',
    '/towns?per_page=100&sort=-name',
  ]
  for (const path of paths) {
    const { ran, body } = await ask(path)
    const next = await ask(body.links.next as string)
    for (const { sql, parameters } of [...ran, ...next.ran].filter(({ sql }) => !count(sql))) {
      const [, limit] = /limit (?:\?|\$(\d+))(?: offset (?:\?|\$\d+))?$/.exec(sql) ?? t.fail(sql) ?? []
      const place = limit ? Number(limit) - 1 : parameters.length - (sql.includes('offset') ? 2 : 1)
      t.true((parameters[place] as number) <= body.items.length, sql)
      t.notRegex(sql, /\*|secret|country/)
    }
  }
})

testTowns('sends what a client says as parameters, and none of it as text', async (t, { ask }) => {
  const said = ['4711', 'zz"top', "o'hara", '50%', '?x', '$9x', '--']
  for (const text of said) {
    const it = encodeURIComponent(text)
    const all = [
      `name=${it}`,
      `name[in]=${it},x&name[ne]=${it}`,
      `name[like]=${it}*&q=${it}`,
      `name[between]=${it},${it}z&sort=-name`,
      `name[nin]=${it}`,
    ]
    for (const query of all) {
      const { ran } = await ask(`/towns?${query}&offset=0&limit=10`)
      for (const { sql, parameters } of ran) {
        t.false(sql.includes(text), sql)
        t.true(
          parameters.some(it => String(it).replace(/!/g, '').includes(text)),
          sql,
        )
      }
    }
  }
})

for (const [sort, index] of [
  ['-size', 'town_size'],
  ['name', 'town_name'],
  ['-founded', 'town_founded'],
] as const)
  testTowns(`finds every page of a walk by ${sort} in its index, without sorting`, async (t, towns, explain) => {
    const { db, ask } = towns
    let path: string | undefined = `/towns?cursor=&limit=100&sort=${sort}`
    const seen = new Set<number>()
    let pages = 0
    for (; path; pages += 1) {
      const { ran, body } = await ask(path)
      // The end of one value, the values behind it, the rows without one, and whether there is more.
      t.true(ran.length <= 4, `${ran.length} queries`)
      for (const { sql, parameters } of ran) {
        const { rows } = await db.executeQuery(CompiledQuery.raw(`${explain} ${sql}`, [...parameters]))
        const plan = rows.map(row => Object.values(row as object).join(' ')).join('\n')
        t.true(plan.includes(index), `${sql}\n${plan}`)
        t.notRegex(plan, /TEMP B-TREE|\bSort\b|Seq Scan/, sql)
      }
      for (const { id } of body.items as { id: number }[]) seen.add(id)
      path = body.links.next
    }
    t.is(seen.size, COUNT)
    t.is(pages, COUNT / 100)
  })
