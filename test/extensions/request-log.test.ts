import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import test from 'ava'
import { kolba, problem } from 'kolba'
import { requestLog } from 'kolba/request-log'
import { pino } from 'pino'
import { MemoryLogger } from '../support/memory-logger.ts'
import { exchange, listening } from '../support/raw.ts'

test('requestLog() writes one line with id, method, path, route, status, bytes, time and address', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/books/:id', requestLog(), () => 'book')
  const client = app.client({ port: true })
  await client.get('/books/7?secret=1', { headers: { 'X-Request-Id': 'abc' } })
  const [line] = await logger.until(1)
  await client.close()
  const { ms, ip, ...rest } = line?.fields ?? {}
  t.deepEqual(rest, { requestId: 'abc', method: 'GET', path: '/books/7', route: '/books/:id', status: 200, bytes: 4 })
  t.true(typeof ms === 'number' && ms >= 0 && ms < 60_000)
  t.regex(String(ip), /127\.0\.0\.1$/)
  t.is(line?.level, 'info')
  t.is(line?.message, 'request')
})

test('requestLog() writes JSON on the console by default, one line a request', t => {
  const program = `
    import { kolba } from 'kolba'
    import { requestLog } from 'kolba/request-log'
    const app = kolba()
    app.use(requestLog())
    app.get('/', () => 'x')
    await app.client().get('/?a=1', { headers: { 'X-Request-Id': 'one' } })
    await app.client().get('/missing', { headers: { 'X-Request-Id': 'two' } })`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  const [out, ...more] = stdout.trim().split('\n')
  t.deepEqual(more, [])
  t.like(JSON.parse(out as string), { requestId: 'one', path: '/', status: 200, message: 'request' })
  t.like(JSON.parse(stderr), { requestId: 'two', path: '/missing', status: 404, message: 'request' })
})

test('requestLog() writes a line of what the app does not let in, where it stands in app.use', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false, hosts: ['api.example.com'] })
  app.use(requestLog())
  app.get('/', () => 'x')
  const { port } = await listening(t, app)
  const requests: [target: string, head: string, status: number, path?: string | null][] = [
    ['/', 'Host: api.example.com', 200],
    ['/', 'Host: evil.example.com', 421],
    ['/zz%zz', 'Host: api.example.com', 400],
    ['//x', 'Host: api.example.com', 400],
    ['/?%ff', 'Host: api.example.com', 400, '/'],
    ['/', 'Host: api.example.com\r\nExpect: foo', 417],
    ['http://[/', 'Host: api.example.com', 400, null],
    ['/missing', 'Host: api.example.com', 404],
  ]
  for (const [index, [target, head, status, path = target]] of requests.entries()) {
    await exchange(port, `GET ${target} HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`)
    const lines = (await logger.until(index + 1)).filter(({ message }) => message === 'request')
    t.is(lines.length, index + 1)
    t.like(lines.at(-1), { level: status < 400 ? 'info' : 'warn', fields: { method: 'GET', status } }, target)
    if (path !== null) t.is(lines.at(-1)?.fields.path, path)
  }
})

test('requestLog() writes through pino', async t => {
  const destination = new PassThrough()
  const app = kolba()
  app.use(requestLog({ logger: pino({}, destination), query: true }))
  app.get('/', () => 'x')
  await app.client().get('/?a=1', { headers: { 'X-Request-Id': 'abc' } })
  const [chunk] = await once(destination, 'data')
  t.like(JSON.parse(String(chunk)), { level: 30, requestId: 'abc', path: '/?a=1', status: 200, msg: 'request' })
})

test('requestLog() has a level for each class of statuses, and no route for a 404', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger: new MemoryLogger() })
  app.use(requestLog({ logger }))
  app.get('/:status', ctx => {
    throw problem(Number(ctx.params.status))
  })
  app.get('/fine/here', () => null)
  for (const path of ['/400', '/499', '/500', '/503', '/fine/here', '/no/such/path']) await app.client().get(path)
  await app.client().post('/400')
  const lines = await logger.until(7)
  t.deepEqual(
    lines.map(({ level, fields }) => [level, fields.status, fields.route]),
    [
      ['warn', 400, '/:status'],
      ['warn', 499, '/:status'],
      ['error', 500, '/:status'],
      ['error', 503, '/:status'],
      ['info', 204, '/fine/here'],
      ['warn', 404, undefined],
      ['warn', 405, undefined],
    ],
  )
})

test('requestLog() in a stack logs the final status of an error, with the id that the client got', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', requestLog({ logger }), () => {
    throw new Error('inside')
  })
  const response = await app.client().get('/')
  const [line] = await logger.until(1)
  t.is(line?.fields.status, 500)
  t.is(line?.fields.requestId, response.headers.get('x-request-id'))
  t.is(line?.fields.bytes, (await response.arrayBuffer()).byteLength)
})

test('requestLog() counts no bytes for HEAD and leaves them out for a stream', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.use(requestLog())
  app.get('/', () => 'four')
  app.get('/stream', () => Readable.from(['four']))
  await app.client().head('/')
  await app.client().get('/stream')
  const lines = await logger.until(2)
  t.deepEqual(
    lines.map(({ fields }) => fields.bytes),
    [0, undefined],
  )
})

test('requestLog() says that the client left before the answer, and makes up no status', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const leave = new AbortController()
  let done = () => {}
  const hung = new Promise<void>(resolve => {
    done = resolve
  })
  app.get('/', requestLog(), async () => {
    leave.abort()
    await hung
    return 'late'
  })
  const client = app.client({ port: true })
  await t.throwsAsync(client.get('/', { signal: leave.signal }))
  const [line] = await logger.until(1)
  t.is(line?.level, 'warn')
  t.true(line?.fields.aborted)
  t.is(line?.fields.status, undefined)
  done()
  await client.close()
  t.is(logger.lines.length, 1)
})

test('requestLog() says that the client left in the middle of a stream', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger, signals: false })
  app.use(requestLog())
  app.get('/', () => {
    const stream = new PassThrough()
    stream.write('half')
    return stream
  })
  const server = app.listen(0)
  await once(server, 'listening')
  const request = http.get({ port: (server.address() as AddressInfo).port, agent: false })
  const [response] = await once(request, 'response')
  request.on('error', () => {})
  await once(response, 'data')
  request.destroy()
  const lines = await logger.until(1)
  const line = lines.find(({ message }) => message === 'request') ?? (await logger.until(2))[1]
  t.like(line?.fields, { status: 200, aborted: true })
  await app.close()
})

test('requestLog() refuses wrong options', t => {
  t.throws(() => requestLog({ logger: { info() {} } as never }), {
    instanceOf: TypeError,
    message: 'requestLog: the option logger is an object. Give an object with the methods info, warn and error.',
  })
  t.throws(() => requestLog({ query: 'yes' as never }), {
    instanceOf: TypeError,
    message: 'requestLog: the option query is "yes". Give true or false.',
  })
  t.throws(() => requestLog({ level: 'info' } as never), {
    instanceOf: TypeError,
    message: 'requestLog: the option "level" is unknown. It takes logger and query.',
  })
})
