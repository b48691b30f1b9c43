import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { kolba, problem, reply } from 'kolba'
import { inject } from 'kolba/inject'
import { json } from 'kolba/json'
import { database, open, tx } from '../../examples/transaction.js'
import { MemoryLogger } from '../support/memory-logger.js'
import { testPostgres } from '../support/postgres.js'

type Transaction = Pick<Awaited<ReturnType<typeof open>>, 'query'>
type Shop = Awaited<ReturnType<typeof openShop>>

/** A shop with five copies of Emma, where each sale is a row in one table and a copy less in another. */
async function openShop(url: string, handler = 30) {
  const logger = new MemoryLogger()
  const app = kolba({ signals: false, logger, timeouts: { handler } })
  const db = await open(url)
  if (!url) await db.query('pragma foreign_keys = on')
  await db.query('create table stock (title varchar(20) primary key, copies int)')
  await db.query('create table sale (title text references stock (title) deferrable initially deferred)')
  await db.query("insert into stock values ('Emma', 5)")
  app.override(database, db)
  const count = async () => {
    const { rows } = await db.query('select copies, (select count(*) from sale) as sales from stock')
    return `${rows[0]?.copies} copies, ${rows[0]?.sales} sales`
  }
  return { app, db, logger, count, isPostgres: url !== '' }
}

async function sell(tx: Transaction, title = 'Emma'): Promise<number> {
  await tx.query('insert into sale (title) values ($1)', [title])
  const { rows } = await tx.query('update stock set copies = copies - 1 where title = $1 returning copies', [title])
  return Number(rows[0]?.copies)
}

/** Waits for the transactions that have sold: for their turn on SQLite, for the row on PostgreSQL. */
async function copiesAfterOthers(tx: Transaction): Promise<number> {
  const { rows } = await tx.query('update stock set copies = copies returning copies')
  return Number(rows[0]?.copies)
}

/** The same test on both databases. */
function testShop(title: string, run: (t: ExecutionContext, shop: Shop) => Promise<void>, handler?: number): void {
  const inShop = async (t: ExecutionContext, url: string) => {
    const shop = await openShop(url, handler)
    try {
      await run(t, shop)
      await shop.app.close()
    } finally {
      await shop.db.end()
    }
  }
  test(`tx on SQLite ${title}`, t => inShop(t, ''))
  testPostgres(`tx on PostgreSQL ${title}`, inShop)
}

testShop('commits when the handler ends well, before the answer is sent', async (t, { app, count }) => {
  app.post('/sales', inject({ tx }), ({ tx }) => sell(tx))
  const response = await app.client().post('/sales')
  t.is(await response.text(), '4')
  t.is(await count(), '4 copies, 1 sales')
})

const failures: Record<string, [status: number, handler: (tx: Transaction) => unknown]> = {
  'an error': [500, () => Promise.reject(new Error('oops'))],
  'a problem': [404, () => Promise.reject(problem(404))],
  'a reply of 409': [409, () => reply(409, 'Sold out.')],
  'a query that fails': [500, tx => tx.query('insert into stock values ($1, 1)', ['Emma'])],
  'no value': [500, () => undefined],
}

for (const [title, [status, handler]] of Object.entries(failures)) {
  testShop(`rolls back on ${title}`, async (t, { app, count }) => {
    app.post('/sales', inject({ tx }), async ({ tx }) => {
      t.is(await sell(tx), 4)
      return handler(tx)
    })
    t.is((await app.client().post('/sales')).status, status)
    t.is(await count(), '5 copies, 0 sales')
  })
}

testShop(
  'answers 500 when the commit fails, and the next request is none the worse',
  async (t, { app, count, logger }) => {
    app.post('/sales/:title', inject({ tx }), async ({ tx, params }) => {
      await sell(tx, params.title)
      return 'sold'
    })
    const client = app.client()
    t.is((await client.post('/sales/Unwritten')).status, 500)
    t.regex(logger.lines[0]?.fields.err?.message ?? '', /foreign key/i)
    t.is((await client.post('/sales/Emma')).status, 200)
    t.is(await count(), '4 copies, 1 sales')
    t.is(logger.lines.length, 1)
  },
)

testShop('is one for the group and for the route', async (t, { app, count }) => {
  const group = app.group('/group', inject({ tx }))
  group.post('/sales', inject({ same: tx }), async ctx => {
    await sell(ctx.tx)
    t.is(ctx.tx, ctx.same)
    return sell(ctx.same)
  })
  group.post('/failures', inject({ same: tx }), async ctx => {
    await sell(ctx.tx)
    await sell(ctx.same)
    throw problem(409)
  })
  const client = app.client()
  t.is((await client.post('/group/failures')).status, 409)
  t.is(await count(), '5 copies, 0 sales')
  t.is(await (await client.post('/group/sales')).text(), '3')
  t.is(await count(), '3 copies, 2 sales')
})

testShop('rolls back what json() cannot render, where json() stands below', async (t, { app, count }) => {
  const circular: { self?: object } = {}
  circular.self = circular
  app.post('/sales', inject({ tx }), json(), async ({ tx }) => {
    await sell(tx)
    return circular
  })
  t.is((await app.client().post('/sales')).status, 500)
  t.is(await count(), '5 copies, 0 sales')
})

testShop('keeps concurrent requests apart', async (t, { app, count }) => {
  app.post('/sales/:number', inject({ tx }), async ({ tx, params }) => {
    const copies = await sell(tx)
    await new Promise(setImmediate)
    if (Number(params.number) % 6 > 0) throw problem(409)
    return copies
  })
  const client = app.client()
  const numbers = Array.from({ length: 30 }, (_, number) => number)
  const responses = await Promise.all(numbers.map(number => client.post(`/sales/${number}`)))
  const sold = responses.filter(({ ok }) => ok).map(response => response.text())
  t.deepEqual((await Promise.all(sold)).toSorted(), ['0', '1', '2', '3', '4'])
  t.is(await count(), '0 copies, 5 sales')
})

testShop('rolls back when the client has gone', async (t, { app, count }) => {
  let onSold = () => {}
  const sold = new Promise<void>(resolve => {
    onSold = resolve
  })
  app.post('/sales', inject({ tx }), async ({ tx, signal }) => {
    await sell(tx)
    onSold()
    await once(signal, 'abort')
    return 'sold'
  })
  app.get('/copies', inject({ tx }), ({ tx }) => copiesAfterOthers(tx))
  const server = app.listen(0)
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('POST /sales HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n')
  await sold
  socket.destroy()
  t.is(await (await app.client().get('/copies')).text(), '5')
  t.is(await count(), '5 copies, 0 sales')
})

testShop(
  'rolls back when the client was told 503, because the time was over',
  async (t, { app, count }) => {
    let finish = () => {}
    const answered = new Promise<void>(resolve => {
      finish = resolve
    })
    app.post('/sales', inject({ tx }), async ({ tx }) => {
      await sell(tx)
      await answered
      return 'sold'
    })
    app.get('/copies', inject({ tx }), ({ tx }) => copiesAfterOthers(tx))
    t.is((await app.client().post('/sales')).status, 503)
    finish()
    t.is(await (await app.client().get('/copies')).text(), '5')
    t.is(await count(), '5 copies, 0 sales')
  },
  1,
)

testPostgres('tx on PostgreSQL answers 500 where a query had failed and the handler went on', async (t, url) => {
  const { app, db, logger, count } = await openShop(url)
  app.post('/sales', inject({ tx }), async ({ tx }) => {
    await sell(tx)
    await tx.query('nonsense').catch(() => {})
    return 'sold'
  })
  t.is((await app.client().post('/sales')).status, 500)
  t.is(logger.lines[0]?.fields.err?.message, 'A query had failed, so PostgreSQL has rolled back.')
  t.is(await count(), '5 copies, 0 sales')
  await db.end()
})

test('database takes SQLite in memory, and PostgreSQL by DATABASE_URL, where a wrong one stops the app', async t => {
  const shop = () => {
    const app = kolba({ signals: false })
    app.get('/', inject({ tx }), async ({ tx }) => (await tx.query('select 5 as n')).rows)
    return app
  }
  const app = shop()
  t.deepEqual(await (await app.client().get('/')).json(), [{ n: 5 }])
  await app.close()
  process.env.DATABASE_URL = 'postgres://nobody@127.0.0.1:1/none'
  const [error] = await once(shop().listen(0), 'listening').catch(error => [error])
  t.is(error.code, 'ECONNREFUSED')
})
