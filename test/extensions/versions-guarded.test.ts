// What guards a write above versions() guards it in each version, where each reads a body of its own.
import test from 'ava'
import { kolba } from 'kolba'
import { basicAuth, roles } from 'kolba/auth'
import { type BodyInput, body } from 'kolba/body'
import { cached } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { idempotent } from 'kolba/idempotency'
import { json } from 'kolba/json'
import { versions } from 'kolba/lifecycle'

const send = (version: string, headers: Record<string, string>, body = '{"a":1}') => ({
  headers: { 'Content-Type': 'application/json', 'Accept-Version': version, ...headers },
  body,
})

test('idempotent() above versions() carries out a write of any version once', async t => {
  const app = kolba()
  let count = 0
  const add = () => {
    count += 1
    return { count }
  }
  app.post('/orders', idempotent(), json(), versions({ 1: body()(add), 2: body()(add) }, { by: 'header' }))
  const client = app.client()
  for (const version of ['1', '2']) {
    const key = { 'Idempotency-Key': `"${version}"` }
    const first = await client.post('/orders', send(version, key))
    const second = await client.post('/orders', send(version, key))
    t.is(second.headers.get('idempotency-replayed'), 'true', version)
    t.is(await second.text(), await first.text(), version)
    t.is((await client.post('/orders', send(version, key, '{"a":2}'))).status, 422, version)
  }
  t.is(count, 2)
})

test('etag() above versions() refuses a stale write of any version', async t => {
  const app = kolba()
  let page: unknown = { a: 0 }
  const put = (ctx: BodyInput) => {
    page = ctx.input.body
    return page
  }
  const get = () => page
  app.get('/page', etag(), json(), versions({ 1: get, 2: get }, { by: 'header' }))
  app.put('/page', etag({ required: true }), json(), versions({ 1: body()(put), 2: body()(put) }, { by: 'header' }))
  const client = app.client()
  for (const version of ['1', '2']) {
    const before = page
    t.is((await client.put('/page', send(version, { 'If-Match': '"stale"' }))).status, 412, version)
    t.is(page, before)
    const { headers } = await client.get('/page', { headers: { 'Accept-Version': version } })
    const written = { a: version }
    const put = send(version, { 'If-Match': headers.get('etag') as string }, JSON.stringify(written))
    t.is((await client.put('/page', put)).status, 200, version)
    t.deepEqual({ ...(page as object) }, written)
  }
})

test('cached({ shared }) refuses to stand above versions() of which one lets some users pass and others not', t => {
  const app = kolba()
  const signedIn = basicAuth(name => ({ role: name }))
  const get = () => 'x'
  const all = versions({ 1: get, 2: signedIn(roles('a')(get)) as typeof get }, { by: 'header' })
  t.throws(() => app.get('/', cached({ ttl: 60, shared: true }), all), {
    instanceOf: TypeError,
    message:
      'GET /: cached({ shared }) would give to all what versions lets some have. Put it below, or leave shared out.',
  })
})
