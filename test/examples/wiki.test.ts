import test, { type ExecutionContext } from 'ava'
import type { app as wiki } from '../../examples/wiki.js'
import { testPostgres } from '../support/postgres.js'

/** A wiki of its own: the module is loaded anew. */
async function open(copy: string, url = ''): Promise<ReturnType<typeof wiki.client>> {
  const { app } = await import(`../../examples/wiki.js?${copy}`)
  // Nothing may wait between these: the wikis of the other test want another database.
  if (url) process.env.DATABASE_URL = url
  else delete process.env.DATABASE_URL
  await app.start()
  return app.client()
}

/** Ada and Sei are two wikis over one database, or one and the same. */
async function edits(t: ExecutionContext, ada: ReturnType<typeof wiki.client>, sei: ReturnType<typeof wiki.client>) {
  const put = (who: typeof ada, text: string, headers = {}) => who.put('/pages/home', { json: { text }, headers })
  t.is((await ada.get('/pages/home')).status, 404)

  // A write that does not say what it changes is told what to send.
  const blind = await put(ada, 'Hello')
  t.is(blind.status, 428)
  t.regex(((await blind.json()) as { detail: string }).detail, /If-Match.*If-None-Match: \*/)

  // Both make the page at once: one of them does.
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, index) => put(index % 2 ? ada : sei, `Hello ${index}`, { 'If-None-Match': '*' })),
  )
  t.deepEqual(made.map(({ status }) => status).sort(), [200, ...Array(19).fill(412)])

  // Both read it, both write it: one of them has to read again.
  const tag = (await ada.get('/pages/home')).headers.get('etag') as string
  t.is(tag, '"1"')
  t.is((await sei.get('/pages/home', { headers: { 'If-None-Match': tag } })).status, 304)
  const writes = await Promise.all(
    Array.from({ length: 200 }, (_, index) => put(index % 2 ? ada : sei, `Hello again ${index}`, { 'If-Match': tag })),
  )
  t.deepEqual(writes.map(({ status }) => status).sort(), [200, ...Array(199).fill(412)])
  const done = writes.find(({ status }) => status === 200) as Response
  t.is(done.headers.get('etag'), '"2"')
  t.deepEqual(await (await sei.get('/pages/home')).json(), await done.json())
  t.is((await put(sei, 'The end', { 'If-Match': '"2"' })).status, 200)
}

test('examples/wiki.ts on SQLite: 200 editors with one tag, one write', async t => {
  const client = await open('sqlite')
  await edits(t, client, client)
})

testPostgres('examples/wiki.ts on PostgreSQL: 200 editors of two apps with one tag, one write', async (t, url) => {
  await edits(t, await open('one', url), await open('two', url))
})
