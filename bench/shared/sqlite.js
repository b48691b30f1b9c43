// W7: the rows of W4 in SQLite (libsql, in memory). All but raw Node ask through Kysely, as kolba's collections do.
import { Kysely, SqliteDialect } from 'kysely'
import Sqlite from 'libsql'
import { products } from './endpoint.js'

const database = new Sqlite(':memory:')
database.exec('create table product (id integer primary key, name text, category text, price integer, stock integer)')
const insert = database.prepare('insert into product values (?, ?, ?, ?, ?)')
for (const { id, name, category, price, stock } of products) insert.run(id, name, category, price, stock)

export const db = new Kysely({ dialect: new SqliteDialect({ database }) })

/** Filters, sorts and cuts in the database. @returns the rows of the page and how many there are of all. */
export async function findInDatabase({ category, least, sort, page, perPage }) {
  let query = db.selectFrom('product')
  if (category !== undefined) query = query.where('category', '=', category)
  if (least !== undefined) query = query.where('price', '>=', least)
  const name = sort.replace('-', '')
  const sorted = query.orderBy(name, sort.startsWith('-') ? 'desc' : 'asc').orderBy('id')
  const rows = await sorted
    .selectAll()
    .limit(perPage)
    .offset((page - 1) * perPage)
    .execute()
  const { total } = await query.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow()
  return { rows, total }
}

const statements = new Map()

/** The same for raw Node: text of SQL by hand, and statements that are prepared once. */
export function findByStatement({ category, least, sort, page, perPage }) {
  const conditions = [category === undefined ? '' : 'category = ?', least === undefined ? '' : 'price >= ?']
  const where = conditions.filter(Boolean).join(' and ') || 'true'
  const values = [category, least].filter(value => value !== undefined)
  const order = sort.startsWith('-') ? `${sort.slice(1)} desc` : sort
  const rows = prepared(`select * from product where ${where} order by ${order}, id limit ? offset ?`)
  const { total } = prepared(`select count(*) as total from product where ${where}`).get(...values)
  return { rows: rows.all(...values, perPage, (page - 1) * perPage), total }
}

function prepared(sql) {
  if (!statements.has(sql)) statements.set(sql, database.prepare(sql))
  return statements.get(sql)
}
