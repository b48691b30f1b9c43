import test, { type ExecutionContext } from 'ava'
import type { app as shop } from '../../examples/shop.js'
import { testPostgres } from '../support/postgres.js'

// A shop of its own for each database: the module is loaded anew.
async function open(url: string): Promise<typeof shop> {
  if (url) process.env.DATABASE_URL = url
  else delete process.env.DATABASE_URL
  const { app } = await import(`../../examples/shop.js?${url ? 'postgres' : 'sqlite'}`)
  return app
}

async function sells(t: ExecutionContext, url: string): Promise<void> {
  const app = await open(url)
  app.logger = { info() {}, warn() {}, error() {} }
  const client = app.client()
  const pens = { customer: 'Ada', lines: [{ article: 'pen', quantity: 2 }] }

  const first = await client.post('/orders', { json: { ...pens, id: 99, admin: true } })
  t.is(first.status, 201)
  t.is(first.headers.get('location'), '/orders/1')
  const order = (await first.json()) as { placed: string }
  t.like(order, { id: 1, customer: 'Ada', lines: [{ article: 'pen', quantity: 2 }] })
  t.deepEqual(await (await client.get('/orders/1')).json(), order)

  // The pens are there and the ink is not: nothing of it may stay.
  const both = {
    customer: 'Sei',
    lines: [
      { article: 'pen', quantity: 1 },
      { article: 'ink', quantity: 4 },
    ],
  }
  const refused = await client.post('/orders', { json: both })
  t.is(refused.status, 409)
  t.is(((await refused.json()) as { detail: string }).detail, 'There are not 4 of ink. Nothing was ordered.')
  t.is(((await (await client.get('/orders')).json()) as unknown[]).length, 1)
  const rest = { customer: 'Sei', lines: [{ article: 'pen', quantity: 98 }] }
  t.is((await client.post('/orders', { json: rest })).status, 201)
  t.is((await client.post('/orders', { json: { ...pens, lines: [{ article: 'pen', quantity: 1 }] } })).status, 409)

  const list = async (query: string) => (await (await client.get(`/orders?${query}`)).json()) as { customer: string }[]
  t.deepEqual(
    (await list('customer=Sei')).map(({ customer }) => customer),
    ['Sei'],
  )
  t.is((await list(`since=${order.placed}`)).length, 2)
  t.is((await list('since=2100-01-01')).length, 0)

  const wrong = await client.post('/orders', { json: { lines: [{ article: 'pen', quantity: 0 }] } })
  t.is(wrong.status, 422)
  const { errors } = (await wrong.json()) as { errors: { pointer: string }[] }
  t.deepEqual(
    errors.map(({ pointer }) => pointer),
    ['#/customer', '#/lines/0/quantity'],
  )
  t.is((await client.get('/orders?since=soon')).status, 422)
  t.is((await client.get('/orders/77')).status, 404)
  t.is((await client.get('/orders/one')).status, 404)
  await app.close()
}

test.serial('shop.ts takes orders whole or not at all, on SQLite', t => sells(t, ''))
testPostgres('shop.ts takes orders whole or not at all, on PostgreSQL', sells)
