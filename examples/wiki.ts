// A wiki: two editors, one page, no lost update. SQLite in memory, or PostgreSQL by DATABASE_URL.
import { kolba, problem } from 'kolba'
import { etag } from 'kolba/etag'
import { component, inject } from 'kolba/inject'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { text } from 'kolba/schema'
import { database, type Query } from './transaction.ts'

type Page = { name: string; text: string; version: number }

const wiki = component({ database }, makeTable, { scope: 'app' })
const guarded = etag({ version: (page: Page) => page.version, required: true })

export const app = kolba()
const pages = app.group('/pages', guarded, json(), inject({ wiki }))

pages.get('/:name', async ({ wiki, params }) => {
  const { rows } = await wiki.query('select * from pages where name = $1', [params.name])
  return rows[0] ?? problem(404, { detail: `There is no page ${params.name} yet. PUT it with If-None-Match: *.` })
})

pages.put('/:name', input({ body: { text: text({ max: 10_000 }) } }), async ctx => {
  const sql = `insert into pages values ($1, $2, 1) on conflict (name) do
    update set text = $2, version = pages.version + 1 where pages.version = $3 returning *`
  const { rows } = await ctx.wiki.query(sql, [ctx.params.name, ctx.input.body.text, ctx.version ?? 0])
  return rows[0] ?? ctx.stale()
})

async function makeTable({ database: db }: { database: { query: Query } }) {
  await db.query('create table if not exists pages (name text primary key, text text, version integer)')
  return db
}

if (process.argv[1] === import.meta.filename) app.listen(process.env.PORT ?? 3000)
