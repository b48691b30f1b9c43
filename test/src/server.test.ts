import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import http, { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { kolba } from 'kolba'
import { body } from 'kolba/body'
import { forked } from '../support/forked.ts'
import { keepErrors } from '../support/log.ts'
import { exchange, Line, listening } from '../support/raw.ts'
import { root } from '../support/root.ts'

const HEAD = 'Host: a\r\n\r\n'

/** A promise, and the function that resolves it. */
function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

// What cannot be read.

for (const [name, bytes] of [
  ['garbage', 'garbage\r\n\r\n'],
  ['bytes that are no text', Buffer.from([0, 255, 1, 254, 13, 10, 13, 10])],
  ['the beginning of TLS', Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3])],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
] as const) {
  test(`${name} answers 400 with a problem document and ends the connection`, async t => {
    const app = kolba({ signals: false })
    app.all('/', () => 'in')
    const { port } = await listening(t, app)
    const [answer, ...more] = await exchange(port, bytes)
    t.deepEqual(more, [])
    t.is(answer?.status, 400)
    t.is(answer?.headers.connection, 'close')
    t.is(answer?.headers['content-type'], 'application/problem+json')
    t.deepEqual(JSON.parse(answer?.body ?? ''), {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'The request is not HTTP as RFC 9112 has it.',
      requestId: answer?.headers['x-request-id'],
    })
  })
}

test('garbage behind a request under way does not take the place of its answer', async t => {
  const reached = signal()
  const release = signal()
  const app = kolba({ signals: false })
  app.get('/', async () => {
    reached.resolve()
    await release.promise
    return 'mine'
  })
  const { port, server } = await listening(t, app)
  const refused = once(server, 'clientError')
  const line = new Line(port).write(`GET / HTTP/1.1\r\n${HEAD}`)
  await reached.promise
  line.write('garbage\r\n\r\n')
  await refused
  release.resolve()
  await line.closed
  t.deepEqual(
    line.answers().map(({ status, body }) => [status, body]),
    [[200, 'mine']],
  )
})

test('a broken chunk in a body that is being read answers 400 once', async t => {
  const app = kolba({ signals: false, logger: keepErrors().logger })
  app.post('/', body(), () => 'read')
  const { port } = await listening(t, app)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n'
  const answers = await exchange(port, `${head}2\r\nab\r\nzz\r\n`)
  t.deepEqual(
    answers.map(({ status }) => status),
    [400],
  )
})

test('text is written in one piece, whatever it is, and other answers arrive whole', async t => {
  const bytes = Buffer.from([0, 255, 13, 10])
  const long = 'é'.repeat(3_000_000)
  const app = kolba({ signals: false })
  app.get('/json', () => ({ hello: 'world' }))
  app.get('/text', () => 'grüße')
  app.get('/long', () => long)
  app.get('/bytes', () => bytes)
  app.get('/nothing', () => null)
  app.get('/stream', () => Readable.from(['a', 'b', '', 'c']))
  const pieces: string[] = []
  const { port, server } = await listening(t, app)
  server.on('connection', socket => {
    const { _write: write } = socket
    socket._write = function (chunk, encoding, done) {
      pieces.push(typeof chunk === 'string' ? chunk.slice(chunk.indexOf('\r\n\r\n') + 4) : '')
      write.call(this, chunk, encoding, done)
    }
  })
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)

  t.deepEqual(await (await ask('/json')).json(), { hello: 'world' })
  t.is(await (await ask('/text')).text(), 'grüße')
  t.is(await (await ask('/long')).text(), long)
  t.deepEqual(pieces, ['{"hello":"world"}', 'grüße', long])
  t.deepEqual(Buffer.from(await (await ask('/bytes')).arrayBuffer()), bytes)
  t.is((await ask('/nothing')).status, 204)
  t.is(await (await ask('/stream')).text(), 'abc')
})

test('requests one behind the other are answered in their order', async t => {
  const app = kolba({ signals: false })
  app.get('/slow', async () => {
    await new Promise(setImmediate)
    return 'slow'
  })
  app.get('/quick', () => 'quick')
  const { port } = await listening(t, app)
  const line = new Line(port).write(`GET /slow HTTP/1.1\r\n${HEAD}GET /quick HTTP/1.1\r\n${HEAD}`)
  await line.next(2)
  t.deepEqual(
    line.answers().map(({ body }) => body),
    ['slow', 'quick'],
  )
  line.socket.destroy()
})

// Time.

test('headers that take longer than timeouts.headers answer 408', async t => {
  const app = kolba({ signals: false, timeouts: { headers: 0.1 } })
  const { port } = await listening(t, app)
  const [answer] = await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n')
  t.is(answer?.status, 408)
  t.is((JSON.parse(answer?.body ?? '') as { detail: string }).detail, 'The request took too long to arrive.')
})

test('a body that takes longer than timeouts.request answers 408', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ signals: false, logger, timeouts: { headers: 0.1, request: 0.2 } })
  app.post('/', body(), () => 'read')
  const { port } = await listening(t, app)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n'
  const answers = await exchange(port, `${head}half`)
  t.deepEqual(
    answers.map(({ status }) => status),
    [408],
  )
  t.deepEqual(errors, [])
})

test('a connection with nothing to do ends after timeouts.keepAlive', async t => {
  const app = kolba({ signals: false, timeouts: { keepAlive: 0.05 } })
  app.get('/', () => 'home')
  const { port } = await listening(t, app)
  const [answer] = await exchange(port, `GET / HTTP/1.1\r\n${HEAD}`)
  t.is(answer?.status, 200)
})

test('timeouts are taken in parts of a second, and a short timeouts.request alone', t => {
  const server = kolba({ timeouts: { keepAlive: 1.0001, request: 4.35 } }).createServer()
  t.is(server.keepAliveTimeout, 1001)
  t.is(server.requestTimeout, 4350)
  t.is(server.headersTimeout, 4350)
  const usual = kolba().createServer()
  t.deepEqual(
    [usual.headersTimeout, usual.requestTimeout, usual.keepAliveTimeout, usual.maxHeadersCount],
    [10_000, 30_000, 5_000, 0],
  )
})

test('a handler that takes longer than timeouts.handler is a 503, and ctx.signal aborts', async t => {
  const { logger, errors } = keepErrors()
  const aborted: unknown[] = []
  const app = kolba({ logger, timeouts: { handler: 0.05 } })
  app.get('/', ctx => new Promise(() => ctx.signal.addEventListener('abort', () => aborted.push(ctx.signal.reason))))
  const response = await app.client().get('/')
  t.is(response.status, 503)
  t.is(response.headers.get('retry-after'), '5')
  t.like(await response.json(), { title: 'Service Unavailable', status: 503 })
  t.is(aborted.length, 1)
  t.deepEqual(
    errors.map(({ err }) => err.message),
    ['GET /: no answer within 0.05 s. Make it quicker, a job, or raise timeouts.handler.'],
  )
})

test('what a handler fails with when its time is up is told, unless it is that it has stopped', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger, timeouts: { handler: 0.05 } })
  const ends = new Map<string, Error | DOMException | 'reason'>([
    ['/fails', new Error('the disk is full')],
    ['/stops', 'reason'],
    ['/aborts', new DOMException('stopped', 'AbortError')],
  ])
  const ended: Promise<unknown>[] = []
  app.get('/:how', ctx => {
    const end = ends.get(ctx.path)
    const stopped = new Promise((_resolve, reject) =>
      ctx.signal.addEventListener('abort', () => setImmediate(reject, end === 'reason' ? ctx.signal.reason : end)),
    )
    ended.push(stopped)
    return stopped
  })
  const client = app.client()
  for (const path of ends.keys()) t.is((await client.get(path)).status, 503)
  await Promise.allSettled(ended)
  const messages = errors.map(({ err }) => err.message).filter(message => !message.includes('no answer within'))
  t.deepEqual(messages, ['the disk is full'])
})

test('ctx.signal is aborted for who asks after the time is up', async t => {
  const late = signal<boolean>()
  const answered = signal()
  const app = kolba({ logger: keepErrors().logger, timeouts: { handler: 0.05 } })
  app.get('/', async ctx => {
    await answered.promise
    late.resolve(ctx.signal.aborted)
    return 'too late'
  })
  t.is((await app.client().get('/')).status, 503)
  answered.resolve()
  t.true(await late.promise)
})

test('a stream that comes when the time is up is let go', async t => {
  const answered = signal()
  const late = signal<Readable>()
  const app = kolba({ logger: keepErrors().logger, timeouts: { handler: 0.05 } })
  app.get('/', async () => {
    await answered.promise
    const stream = createReadStream('/nowhere/at/all')
    late.resolve(stream)
    return stream
  })
  t.is((await app.client().get('/')).status, 503)
  answered.resolve()
  const stream = await late.promise
  await new Promise(resolve => stream.on('close', resolve))
  t.true(stream.destroyed)
})

for (const port of [false, true]) {
  test(`a client that goes aborts ctx.signal, ${port ? 'on a port' : 'in memory'}`, async t => {
    const reached = signal()
    const reachedAgain = signal()
    const aborted = signal<Error>()
    const later = signal<boolean>()
    const app = kolba({ logger: keepErrors().logger })
    app.get('/', async ctx => {
      reached.resolve()
      await new Promise<void>(resolve => ctx.signal.addEventListener('abort', () => resolve()))
      aborted.resolve(ctx.signal.reason)
      return 'for nobody'
    })
    app.get('/late', async ctx => {
      const gone = once(ctx.res, 'close')
      reachedAgain.resolve()
      await gone
      later.resolve(ctx.signal.aborted)
      return 'for nobody'
    })
    const client = app.client({ port })
    t.teardown(() => client.close())
    const leave = new AbortController()
    const call = t.throwsAsync(client.fetch('/', { signal: leave.signal }), { name: 'AbortError' })
    await reached.promise
    leave.abort()
    await call
    t.is((await aborted.promise).message, 'The client has gone.')

    const another = new AbortController()
    const second = t.throwsAsync(client.fetch('/late', { signal: another.signal }), { name: 'AbortError' })
    await reachedAgain.promise
    another.abort()
    await second
    t.true(await later.promise)
  })
}

test('a handler that ends with its client is no error, and one that fails then is', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  const ended = [signal(), signal()]
  for (const [index, path] of ['/heeds', '/fails'].entries()) {
    app.get(path, async ctx => {
      ended[index]?.resolve()
      await new Promise<void>(resolve => ctx.signal.addEventListener('abort', () => resolve()))
      if (path === '/fails') throw new Error('no disk')
      ctx.signal.throwIfAborted()
    })
  }
  const client = app.client({ port: true })
  t.teardown(() => client.close())
  for (const [index, path] of ['/heeds', '/fails'].entries()) {
    const leave = new AbortController()
    const call = t.throwsAsync(client.fetch(path, { signal: leave.signal }), { name: 'AbortError' })
    await ended[index]?.promise
    leave.abort()
    await call
  }
  const end = Date.now() + 10_000
  while (errors.length === 0 && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 10))
  t.deepEqual(
    errors.map(({ message }) => message),
    ['no disk'],
  )
})

test('ctx.signal is not aborted by an answer that went out', async t => {
  let signal: AbortSignal | undefined
  const app = kolba({ signals: false })
  app.get('/', ctx => {
    signal = ctx.signal
    return 'home'
  })
  const { port } = await listening(t, app)
  await exchange(port, `GET / HTTP/1.1\r\nConnection: close\r\n${HEAD}`)
  t.false(signal?.aborted)
})

test('a reader that takes nothing of a stream for timeouts.stream loses its connection', async t => {
  const made = signal<Readable>()
  const app = kolba({ signals: false, logger: keepErrors().logger, timeouts: { stream: 0.2 } })
  app.get('/', () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536))
      },
    })
    made.resolve(endless)
    return endless
  })
  const { port } = await listening(t, app)
  const line = new Line(port)
  line.socket.pause()
  line.write(`GET / HTTP/1.1\r\n${HEAD}`)
  const stream = await made.promise
  await new Promise<void>(resolve => (stream.closed ? resolve() : stream.on('close', resolve)))
  t.true(stream.destroyed)
  line.socket.destroy()
})

test('a reader that takes nothing of a long answer for timeouts.stream loses its connection', async t => {
  const begun = signal<http.ServerResponse>()
  const app = kolba({ signals: false, timeouts: { stream: 0.2 } })
  app.get('/', ctx => {
    begun.resolve(ctx.res)
    return Buffer.alloc(30_000_000)
  })
  const { port } = await listening(t, app)
  const line = new Line(port)
  line.socket.pause()
  line.write(`GET / HTTP/1.1\r\n${HEAD}`)
  const response = await begun.promise
  await once(response, 'close', { signal: AbortSignal.timeout(10_000) })
  t.true(response.destroyed)
  line.socket.destroy()
})

test('a stream that gives something in time may take longer than timeouts.stream', async t => {
  const app = kolba({ timeouts: { stream: 1 } })
  app.get('/', () =>
    Readable.from(
      (async function* () {
        for (let part = 0; part < 6; part += 1) {
          await new Promise(resolve => setTimeout(resolve, 200))
          yield String(part)
        }
      })(),
    ),
  )
  const client = app.client({ port: true })
  t.teardown(() => client.close())
  t.is(await (await client.get('/')).text(), '012345')
})

// Start and stop, in this process.

test('listen() without hooks listens as in Koa', async t => {
  const app = kolba({ signals: false })
  app.get('/', () => 'home')
  const server = app.listen(0)
  t.teardown(() => app.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.is(await (await fetch(`http://localhost:${port}/`)).text(), 'home')
})

test('listen() waits for the hooks of onStart, in their order', async t => {
  const order: string[] = []
  const app = kolba({ signals: false })
  app.onStart(async () => {
    await new Promise(setImmediate)
    order.push('first')
  })
  app.onStart(() => order.push('second'))
  const server = app.listen(0, '127.0.0.1', () => order.push('listening'))
  t.teardown(() => app.close())
  t.false(server.listening)
  await once(server, 'listening')
  t.deepEqual(order, ['first', 'second', 'listening'])
  t.throws(() => app.onStart(() => {}), {
    instanceOf: TypeError,
    message: 'onStart: the app has started already. Register the hook before.',
  })
})

test('a hook of onStart that fails is an error of the server, which does not listen', async t => {
  const app = kolba({ signals: false })
  app.onStart(() => Promise.reject(new Error('no database')))
  const server = app.listen(0)
  const [error] = await once(server, 'error')
  t.is(error.message, 'no database')
  t.false(server.listening)
  await t.throwsAsync(app.client().get('/'), { message: 'no database' })
})

test('client() runs the hooks of onStart once', async t => {
  let count = 0
  const app = kolba()
  app.onStart(() => {
    count += 1
  })
  app.get('/', () => 'home')
  await Promise.all([app.client().get('/'), app.client().get('/')])
  t.is(count, 1)
})

test('close() runs the hooks of onStop once, the last registered first', async t => {
  const order: string[] = []
  const app = kolba({ signals: false })
  app.onStop(() => order.push('first'))
  app.onStop(async () => {
    await new Promise(setImmediate)
    order.push('second')
  })
  const server = app.listen(0)
  await once(server, 'listening')
  const closes = [app.close(), app.close()]
  t.is(closes[0], closes[1])
  await Promise.all(closes)
  await app.close()
  t.deepEqual(order, ['second', 'first'])
  t.false(server.listening)
})

test('close() before the app listens keeps it from listening', async t => {
  const release = signal()
  const started = signal()
  const app = kolba({ signals: false })
  app.onStart(async () => {
    await release.promise
    started.resolve()
  })
  const server = app.listen(0)
  await app.close()
  release.resolve()
  await started.promise
  await new Promise(setImmediate)
  t.false(server.listening)
})

for (const how of ['listen', 'work'] as const) {
  test(`${how}() of an app that is closed meanwhile begins no other hook of onStart, and logs one that fails`, async t => {
    const { logger, errors } = keepErrors()
    const release = signal()
    const order: string[] = []
    const app = kolba({ logger, signals: false })
    app.onStart(async () => {
      await release.promise
      throw new Error('no database')
    })
    app.onStart(() => order.push('second'))
    app.onStop(() => order.push('stopped'))
    const started = how === 'listen' ? app.listen(0) : app.work()
    if ('on' in started) started.on('error', () => order.push('an error of the server'))
    await app.close()
    release.resolve()
    await (how === 'work' && started)
    await new Promise(setImmediate)
    t.deepEqual(order, ['stopped'])
    t.deepEqual(
      errors.map(({ err, message }) => [err.message, message]),
      [['no database', 'onStart: a hook failed while the app closed.']],
    )
  })
}

test('a request that comes while the app closes is a 503 that nobody logs', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger, signals: false })
  app.get('/', () => 'home')
  await app.close()
  const response = await app.client().get('/')
  t.is(response.status, 503)
  t.is(response.headers.get('retry-after'), '5')
  t.is(response.headers.get('connection'), 'close')
  t.like(await response.json(), { title: 'Service Unavailable', status: 503 })
  t.deepEqual(errors, [])
})

test('close() ends a server that is still looking up its host', async t => {
  const app = kolba({ signals: false })
  const server = app.listen(0, 'localhost')
  await app.close()
  await once(server, 'listening')
  t.false(server.listening)
})

test('close() lets a request end on a server that accepts no more already', async t => {
  const reached = signal()
  const release = signal()
  const order: string[] = []
  const app = kolba({ signals: false })
  app.onStop(() => order.push('stopped'))
  app.get('/', async () => {
    reached.resolve()
    await release.promise
    order.push('answered')
    return 'home'
  })
  const { port, server } = await listening(t, app)
  const line = new Line(port).write(`GET / HTTP/1.1\r\n${HEAD}`)
  await reached.promise
  server.close()
  const closed = app.close()
  await new Promise(setImmediate)
  release.resolve()
  await closed
  await line.closed
  t.deepEqual(order, ['answered', 'stopped'])
  t.is(line.answers()[0]?.body, 'home')
})

test('close() leaves no listener on the process', async t => {
  const counts = () => ['SIGTERM', 'SIGINT'].map(name => process.listenerCount(name))
  const before = counts()
  const app = kolba()
  const server = app.listen(0)
  await once(server, 'listening')
  t.deepEqual(
    counts(),
    before.map(count => count + 1),
  )
  await app.close()
  t.deepEqual(counts(), before)
})

test('close() ends connections with nothing to do at once', async t => {
  const app = kolba({ signals: false, timeouts: { keepAlive: 30 } })
  app.get('/', () => 'home')
  const { port } = await listening(t, app)
  const line = new Line(port).write(`GET / HTTP/1.1\r\n${HEAD}`)
  await line.next()
  await app.close()
  await line.closed
  t.pass()
})

test('callback() serves from a server of your own', async t => {
  const app = kolba()
  app.get('/', () => 'home')
  const server = http.createServer(app.callback() as http.RequestListener).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const [answer] = await exchange(
    (server.address() as AddressInfo).port,
    `GET / HTTP/1.1\r\nConnection: close\r\n${HEAD}`,
  )
  t.is(answer?.body, 'home')
})

// The end, in a process of its own.

async function start(
  t: ExecutionContext,
  drain: number,
): Promise<{ child: ChildProcess; port: number; words: unknown[]; ended: Promise<unknown[]> }> {
  const child = forked(new URL('../support/shutdown.js', import.meta.url), [String(drain)])
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const [port] = await once(child, 'message')
  const words: unknown[] = []
  child.on('message', word => words.push(word))
  return { child, port, words, ended }
}

test('SIGTERM stops accepting, ends what is under way, answers 503 on open connections, and exits with 0', async t => {
  const { child, port, words, ended } = await start(t, 10)
  const slow = new Line(port).write(`GET /slow HTTP/1.1\r\n${HEAD}`)
  await once(child, 'message')
  const open = new Line(port).write(`GET / HTTP/1.1\r\n${HEAD}`)
  t.is((await open.next()).status, 200)
  open.write('GET / HTTP/1.1\r\n')
  // The half request has to be read before the signal, else the connection has nothing to do and is ended.
  const after = new Line(port).write(`GET / HTTP/1.1\r\n${HEAD}`)
  await after.next()

  child.kill('SIGTERM')
  await once(child, 'message')
  const refused = new Line(port)
  await refused.closed
  t.is(refused.text, '')

  open.write(HEAD)
  const unavailable = await open.next(2)
  t.is(unavailable.status, 503)
  t.is(unavailable.headers.connection, 'close')
  t.is(unavailable.headers['retry-after'], '5')
  t.is(unavailable.headers['content-type'], 'application/problem+json')
  await open.closed

  child.send('go on')
  const done = await slow.next()
  t.is(done.status, 200)
  t.is(done.body, 'done')
  t.is(done.headers.connection, 'close')
  const [code, how] = await ended
  t.deepEqual([code, how], [0, null])
  t.deepEqual(words, ['slow', 'SIGTERM', 'stopped'])
})

test('SIGTERM waits no longer than timeouts.drain, runs the stop hooks, and exits with 0', async t => {
  const { child, port, words, ended } = await start(t, 0.2)
  const slow = new Line(port).write(`GET /slow HTTP/1.1\r\n${HEAD}`)
  await once(child, 'message')
  child.kill('SIGTERM')
  const [code] = await ended
  await slow.closed
  t.is(code, 0)
  t.is(slow.text, '')
  t.deepEqual(words, ['slow', 'SIGTERM', 'stopped'])
})

for (const [name, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`a second signal, ${name}, exits at once with ${code}`, async t => {
    const { child, port, words, ended } = await start(t, 60)
    new Line(port).write(`GET /slow HTTP/1.1\r\n${HEAD}`)
    await once(child, 'message')
    child.kill(name)
    await once(child, 'message')
    child.kill(name)
    t.deepEqual(await ended, [code, null])
    t.deepEqual(words, ['slow', name])
  })
}

test('close() waits for the start hook that is under way, so that what it opens is closed', async t => {
  const app = kolba({ signals: false })
  const steps: string[] = []
  app.onStart(async () => {
    await new Promise(resolve => setTimeout(resolve, 50))
    steps.push('opened')
  })
  app.onStart(() => steps.push('not begun any more'))
  app.onStop(() => steps.push('closed'))
  app.listen(0, '127.0.0.1')
  await app.close()
  t.deepEqual(steps, ['opened', 'closed'])
})

test('close() waits for a start hook no longer than timeouts.drain, and one that fails keeps nothing from closing', async t => {
  const never = kolba({ signals: false, timeouts: { drain: 0.05 } })
  const steps: string[] = []
  never.onStart(() => new Promise(() => {}))
  never.onStop(() => steps.push('closed'))
  never.listen(0, '127.0.0.1')
  await never.close()
  const failing = kolba({ logger: keepErrors().logger, signals: false })
  failing.onStart(async () => {
    throw new Error('no database')
  })
  failing.onStop(() => steps.push('closed too'))
  await t.throwsAsync(failing.start(), { message: 'no database' })
  await failing.close()
  t.deepEqual(steps, ['closed', 'closed too'])
})

test('listen() says in a sentence that the port is in use', async t => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, resolve))
  const { port } = taken.address() as AddressInfo
  const program = `import { kolba } from 'kolba'; kolba().listen(${port})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: root })
  const said = await text(child.stderr)
  taken.close()
  t.true(said.includes(`Error: listen: port ${port} is in use. Stop what uses it, or choose another.`), said)
})

test('listen() refuses text that is no port, which Node would make a file of', t => {
  t.throws(() => kolba().listen('3070x'), {
    instanceOf: TypeError,
    message: 'listen: "3070x" is no port. Give a number, or the path of a socket.',
  })
})
