import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { kolba, reply } from 'kolba'
import { body } from 'kolba/body'
import { keepErrors } from '../support/log.ts'

const ways = [
  ['in memory', { port: false }],
  ['on a port', { port: true }],
] as const

/** An app with something of everything. */
function sampler() {
  const app = kolba({ logger: keepErrors().logger })
  app.get('/text', () => 'text')
  app.get('/stream', () => Readable.from(['a', 'b']))
  app.get('/large', () => Buffer.alloc(3_000_000, 'x'))
  app.get('/null', () => null)
  app.get('/reset', () => reply(205))
  app.get('/same', () => reply(304, undefined, { ETag: '"a"' }))
  app.get('/elsewhere', () => reply(302, undefined, { Location: '/text' }))
  app.get('/lists', () =>
    reply(200, 'x', { 'X-List': ['a', 'b'], 'Set-Cookie': ['a=1', 'b=2'], Vary: ['Accept', 'Range'] }),
  )
  app.get('/headers', ctx => [ctx.get('X-One'), ctx.get('X-Many'), ctx.get('Host'), ctx.ip])
  app.get('/cookies', ctx => ctx.get('Cookie'))
  app.get('/set', ctx => {
    for (const line of ctx.query.line ? [ctx.query.line].flat() : []) ctx.append('Set-Cookie', line)
    return 'set'
  })
  app.query('/body', body({ optional: true }), ctx => ({ got: ctx.input.body, type: ctx.get('Content-Type') }))
  app.post('/body', body({ optional: true }), ctx => ({ got: ctx.input.body, type: ctx.get('Content-Type') }))
  for (const verb of ['get', 'post', 'put', 'patch', 'delete', 'options', 'query'] as const)
    app[verb]('/method', ctx => reply(200, ctx.method, { 'X-Method': ctx.method }))
  app.get('/broken', () => {
    throw new Error('broken')
  })
  return app
}

function clientOf(t: ExecutionContext, options: Parameters<ReturnType<typeof sampler>['client']>[0], app = sampler()) {
  const client = app.client(options)
  t.teardown(() => client.close())
  return client
}

test('a client in memory and one on a port give the same', async t => {
  const app = sampler()
  const memory = clientOf(t, {}, app)
  const port = clientOf(t, { port: true }, app)
  const requests: [string, string, object?][] = [
    ['GET', '/text'],
    ['HEAD', '/text'],
    ['GET', '/stream'],
    ['HEAD', '/stream'],
    ['GET', '/large'],
    ['GET', '/null'],
    ['GET', '/reset'],
    ['GET', '/same'],
    ['GET', '/elsewhere'],
    ['GET', '/lists'],
    ['GET', '/headers', { headers: { 'X-One': 'ä', 'X-Many': ['a', 'b'] } }],
    ['POST', '/body', { json: { a: [1] } }],
    ['POST', '/body', { body: 'text', headers: { 'content-type': 'text/plain' } }],
    [
      'POST',
      '/body',
      { body: Buffer.from('a=1&b=ü'), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    ],
    ['POST', '/body'],
    ['QUERY', '/body', { json: null }],
    ['DELETE', '/text'],
    ['GET', '/nowhere'],
    ['GET', '/a/../b'],
    ['GET', '/broken'],
    ['POST', '/body', { body: '{', headers: { 'Content-Type': 'application/json' } }],
  ]
  for (const [method, path, init] of requests) {
    const told = async (client: typeof memory) => {
      const response = await client.fetch(path, { method, headers: { 'X-Request-Id': 'one' }, ...init })
      const headers = Object.fromEntries(response.headers)
      for (const name of ['date', 'x-request-id']) delete headers[name]
      const text = (await response.text()).replace(/"requestId":"[^"]*"/, '"requestId":""')
      return { status: response.status, message: response.statusText, headers, text }
    }
    t.deepEqual(await told(memory), await told(port), `${method} ${path}`)
  }
})

for (const [name, options] of ways) {
  test(`client() has a method for each verb, ${name}`, async t => {
    const client = clientOf(t, options)
    for (const verb of ['get', 'post', 'put', 'patch', 'delete', 'options', 'query'] as const)
      t.is(await (await client[verb]('/method')).text(), verb.toUpperCase())
    const head = await client.head('/method')
    t.is(head.headers.get('x-method'), 'HEAD')
    t.is(await head.text(), '')
  })

  test(`client() gives answers without a body, ${name}`, async t => {
    const client = clientOf(t, options)
    for (const [path, status] of [
      ['/null', 204],
      ['/reset', 205],
      ['/same', 304],
    ] as const) {
      const response = await client.get(path)
      t.is(response.status, status)
      t.is(response.body, null)
    }
    const head = await client.head('/large')
    t.is(head.headers.get('content-length'), '3000000')
    t.is(head.body, null)
  })

  test(`client() does not follow a redirect, ${name}`, async t => {
    const response = await clientOf(t, options).get('/elsewhere')
    t.is(response.status, 302)
    t.is(response.headers.get('location'), '/text')
  })

  test(`client() sends its headers with each request, and those of a request before them, ${name}`, async t => {
    const client = clientOf(t, { ...options, headers: { 'X-One': 'always', Host: 'example.com' } })
    t.deepEqual(await (await client.get('/headers')).json(), ['always', '', 'example.com', '127.0.0.1'])
    const headers = { 'x-one': 'now', 'X-Many': ['a', 'b'] }
    t.deepEqual(await (await client.get('/headers', { headers })).json(), ['now', 'a, b', 'example.com', '127.0.0.1'])
    t.deepEqual(await (await client.get('/headers')).json(), ['always', '', 'example.com', '127.0.0.1'])
  })

  test(`client() gives several lines of one header, ${name}`, async t => {
    const { headers } = await clientOf(t, options).get('/lists')
    t.is(headers.get('x-list'), 'a, b')
    t.is(headers.get('vary'), 'Accept, Range')
    t.deepEqual(headers.getSetCookie(), ['a=1', 'b=2'])
  })

  test(`client() writes json, with its type unless another is given, ${name}`, async t => {
    const client = clientOf(t, options)
    const post = async (init: object) => (await client.post('/body', init)).json()
    t.deepEqual(await post({ json: { ü: [1] } }), { got: { ü: [1] }, type: 'application/json' })
    for (const json of [null, 0, '', false]) t.deepEqual(await post({ json }), { got: json, type: 'application/json' })
    const type = 'application/merge-patch+json'
    t.deepEqual(await post({ json: {}, headers: { 'Content-Type': type } }), { got: {}, type })
    t.deepEqual(await post({ body: 'ü', headers: { 'Content-Type': 'text/plain' } }), { got: 'ü', type: 'text/plain' })
    t.deepEqual(await post({}), { type: '' })
  })

  test(`client() keeps cookies where it is told to, and lets them go, ${name}`, async t => {
    const client = clientOf(t, { ...options, cookies: true })
    const set = (...lines: string[]) =>
      client.get(`/set?${lines.map(line => `line=${encodeURIComponent(line)}`).join('&')}`)
    const cookies = async () => (await client.get('/cookies')).text()
    t.is(await cookies(), '')
    await set('a=1; Path=/; HttpOnly', 'b=x=y; Secure')
    t.is(await cookies(), 'a=1; b=x=y')
    await set('a=2')
    t.is(await cookies(), 'a=2; b=x=y')
    await set('a=; Max-Age=0')
    t.is(await cookies(), 'b=x=y')
    await set('b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'c=3; max-age=60; expires=Thu, 01 Jan 1970 00:00:00 GMT')
    t.is(await cookies(), 'c=3')
    await set('c=4; Expires=Thu, 01 Jan 2099 00:00:00 GMT', 'd=5; Max-Age=-1')
    t.is(await cookies(), 'c=4')
    t.is(await (await client.get('/cookies', { headers: { Cookie: 'mine=1' } })).text(), 'mine=1')
  })

  test(`client() keeps no cookies unless it is told to, ${name}`, async t => {
    const client = clientOf(t, options)
    await client.get('/set?line=a%3D1')
    t.is(await (await client.get('/cookies')).text(), '')
  })

  test(`client() takes many requests at once, ${name}`, async t => {
    const client = clientOf(t, options)
    const responses = await Promise.all(Array.from({ length: 50 }, () => client.get('/stream')))
    t.deepEqual(new Set(await Promise.all(responses.map(response => response.text()))), new Set(['ab']))
  })
}

test('client() goes on after close() with a port of its own', async t => {
  const client = clientOf(t, { port: true })
  t.is((await client.get('/text')).status, 200)
  await client.close()
  t.is((await client.get('/text')).status, 200)
})

test('clients of one app have cookies of their own', async t => {
  const app = sampler()
  const one = app.client({ cookies: true })
  const other = app.client({ cookies: true })
  await one.get('/set?line=a%3D1')
  t.is(await (await one.get('/cookies')).text(), 'a=1')
  t.is(await (await other.get('/cookies')).text(), '')
})

test('client() refuses an option that it does not know', t => {
  t.throws(() => kolba().client({ prot: true } as never), {
    instanceOf: TypeError,
    message: 'client: the option "prot" is unknown. It takes port, headers and cookies.',
  })
  t.throws(() => kolba().client({ port: 3000 } as never), {
    instanceOf: TypeError,
    message: 'client: the option port is 3000. Give true or false.',
  })
})

test('client() refuses an unknown option, an object as a body, and a path that is none', async t => {
  const client = kolba().client()
  await t.throwsAsync(client.post('/x', { title: 1 } as never), {
    message: 'client POST /x: the option "title" is unknown. It takes method, headers, body, json and signal.',
  })
  await t.throwsAsync(client.post('/x', { body: { title: 1 } as never }), {
    message: 'client POST /x: the option body is an object. Give a string or bytes; an object goes into json.',
  })
  await t.throwsAsync(client.get('x'), { message: 'client: x is no path. Begin it with a slash.' })
})

test('app.close() closes the port of a client that nobody has closed', async t => {
  const app = kolba({ signals: false })
  app.get('/', ctx => String(ctx.req.socket.localPort))
  const port = Number(await (await app.client({ port: true }).get('/')).text())
  await app.close()
  const error = await t.throwsAsync(once(connect(port, '127.0.0.1'), 'connect'))
  t.is((error as NodeJS.ErrnoException | undefined)?.code, 'ECONNREFUSED')
})
