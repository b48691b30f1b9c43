// A shop: orders with lines, each taken in one transaction. SQLite in memory, or PostgreSQL by DATABASE_URL.
import { created, kolba, problem } from 'kolba'
import { component, inject } from 'kolba/inject'
import { input } from 'kolba/input'
import { json } from 'kolba/json'
import { output } from 'kolba/output'
import { date, int, list, object, optional, readOnly, text } from 'kolba/schema'
import { database, type Query, tx } from './transaction.ts'

const line = object({ article: text({ max: 40 }), quantity: int({ min: 1, max: 1000 }) })
const order = object({ id: readOnly(int()), placed: readOnly(date()), customer: text(), lines: list(line, { min: 1 }) })
const filter = input({ query: { customer: optional(text(), ''), since: optional(date(), new Date(0)) } })
const byId = input({ params: { id: int({ min: 1, max: 2 ** 31 - 1 }) } })

const shop = component({ database }, makeTables, { scope: 'app' })
export const app = kolba()
const orders = app.group('/orders', json())

orders.get('/', filter, output(list(order)), inject({ shop }), async ({ shop, input: { query } }) => {
  const sql = `select * from orders where ($1 = '' or customer = $1) and placed >= $2 order by id limit 100`
  const { rows } = await shop.query(sql, [query.customer, query.since.toISOString()])
  return Promise.all(rows.map(row => toOrder(row, shop)))
})

const show = orders.get('/:id', byId, output(order), inject({ shop }), async ({ shop, input: { params } }) => {
  const { rows } = await shop.query('select * from orders where id = $1', [params.id])
  if (!rows[0]) throw problem(404, { detail: `There is no order ${params.id}.` })
  return toOrder(rows[0], shop)
})

orders.post('/', input({ body: order }), output(201, order), inject({ shop, tx }), async ({ tx, input: { body } }) => {
  const sql = 'insert into orders (placed, customer) values ($1, $2) returning *'
  const [row = {}] = (await tx.query(sql, [new Date().toISOString(), body.customer])).rows
  for (const { article, quantity } of body.lines) {
    const take = 'update stock set pieces = pieces - $1 where article = $2 and pieces >= $1 returning pieces'
    const { rows } = await tx.query(take, [quantity, article])
    if (!rows[0]) throw problem(409, { detail: `There are not ${quantity} of ${article}. Nothing was ordered.` })
    await tx.query('insert into lines values ($1, $2, $3)', [row.id, article, quantity])
  }
  return created(app.url(show, { id: Number(row.id) }), await toOrder(row, tx))
})

async function toOrder({ id, placed, customer }: Record<string, unknown>, db: { query: Query }) {
  const { rows } = await db.query('select article, quantity from lines where ordered = $1', [id])
  const lines = rows as { article: string; quantity: number }[]
  return { id: Number(id), placed: new Date(String(placed)), customer: String(customer), lines }
}

async function makeTables({ database: db }: { database: { query: Query } }) {
  const serial = process.env.DATABASE_URL ? 'serial' : 'integer'
  await db.query('create table if not exists stock (article text primary key, pieces integer)')
  await db.query(`create table if not exists orders (id ${serial} primary key, placed text, customer text)`)
  await db.query('create table if not exists lines (ordered integer, article text, quantity integer)')
  await db.query(`insert into stock values ('pen', 100), ('ink', 3) on conflict do nothing`)
  return db
}

if (process.argv[1] === import.meta.filename) app.listen(process.env.PORT ?? 3000)
