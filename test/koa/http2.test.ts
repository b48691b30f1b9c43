// app.callback() under node:http2, beside Koa: the same middleware, asked the same over HTTP/2.
import { once } from 'node:events'
import http2, { type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type Koa from 'koa'
import { kolba } from 'kolba'
import { body } from 'kolba/body'
import { appOf, type Run, type Way } from '../support/beside-koa.ts'
import { DIFFERENCES } from '../support/koa-differences.ts'

interface Seen {
  readonly status: number
  readonly headers: object
  readonly body: string
  readonly errors: readonly string[]
}

async function clientOf(t: ExecutionContext, app: Koa): Promise<ClientHttp2Session> {
  const server = http2.createServer(app.callback() as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  return client
}

async function ask(t: ExecutionContext, way: Way, run: Run, method = 'GET'): Promise<Seen> {
  const errors: string[] = []
  const app = appOf(way, { run, setup: app => void app.on('error', (error: Error) => errors.push(error.message)) })
  const client = await clientOf(t, app)
  const stream = client.request({ ':path': '/a?b=1', ':method': method, accept: 'text/html' })
  stream.setEncoding('latin1')
  let body = ''
  stream.on('data', (piece: string) => {
    body += piece
  })
  // A stream that is cut off is an error here.
  stream.on('error', (error: Error) => {
    body += ` ${error.message}`
  })
  let headers: IncomingHttpHeaders = {}
  stream.on('response', its => {
    headers = its
  })
  await new Promise(resolve => stream.once('close', resolve))
  const { date: _date, ':status': status, 'x-request-id': id, ...rest } = headers
  t.is(typeof id, way === 'koa' ? 'undefined' : 'string')
  return { status: Number(status), headers: { ...rest }, body, errors }
}

const runs: Record<string, Run> = {
  'a string': ctx => {
    ctx.body = 'a'
  },
  'an object': ctx => {
    ctx.body = [ctx.path, ctx.query.b, ctx.method, ctx.protocol, ctx.accepts('html')]
  },
  'the host that the client names': ctx => {
    ctx.body = { same: ctx.host === ctx.get(':authority'), hostname: ctx.hostname, isIn: ctx.href.includes(ctx.host) }
  },
  'a Buffer': ctx => {
    ctx.body = Buffer.from('a')
  },
  'a stream': ctx => {
    ctx.body = Readable.from(['a', 'b'])
  },
  'a web stream': ctx => {
    ctx.body = new Blob(['a']).stream()
  },
  null: ctx => {
    ctx.body = null
  },
  'null with a status': ctx => {
    ctx.body = null
    ctx.status = 200
  },
  'a status alone, of which HTTP/2 has no phrase': ctx => {
    ctx.status = 201
  },
  'a 304': ctx => {
    ctx.status = 304
    ctx.etag = 'a'
  },
  'a redirect': ctx => ctx.redirect('/b'),
  'headers and cookies': ctx => {
    ctx.set('X-A', ['b', 'c'])
    ctx.cookies.set('d', '1')
    ctx.cookies.set('e', '2')
    ctx.body = 'a'
  },
  'headers that HTTP/2 has not': ctx => {
    ctx.set('Connection', 'close')
    ctx.body = 'a'
  },
  'ctx.respond = false': ctx => {
    ctx.respond = false
    ctx.res.statusCode = 200
    ctx.res.end('by hand')
  },
  'ctx.flushHeaders()': ctx => {
    ctx.status = 200
    ctx.flushHeaders()
    ctx.body = 'a'
  },
}

for (const [name, run] of Object.entries(runs)) {
  for (const method of ['GET', 'HEAD']) {
    test.serial(`${method} over HTTP/2 is answered as by Koa: ${name}`, async t => {
      const koa = await ask(t, 'koa', run, method)
      t.deepEqual(koa.errors, [])
      t.true(koa.status < 400)
      t.deepEqual(await ask(t, 'use', run, method), koa)
      t.deepEqual(await ask(t, 'route', run, method), koa)
    })
  }
}

test.serial('an error over HTTP/2 is a problem document', async t => {
  for (const way of ['use', 'route'] as const) {
    const run: Run = ctx => ctx.throw(409, 'taken')
    const { status, headers, body, errors } = await ask(t, way, run)
    t.is(status, 409)
    t.is((headers as IncomingHttpHeaders)['content-type'], 'application/problem+json')
    t.is(JSON.parse(body).detail, 'taken')
    t.deepEqual(errors, ['taken'])
  }
})

test.serial('what cannot be written over HTTP/2 is a problem document', async t => {
  for (const way of ['use', 'route'] as const) {
    const { status, body } = await ask(t, way, ctx => {
      ctx.body = { big: 1n }
    })
    t.is(status, 500)
    t.is(JSON.parse(body).title, 'Internal Server Error')
  }
})

test.serial('a stream that fails over HTTP/2 is cut off', async t => {
  async function* failing() {
    yield 'first'
    await setTimeout(10)
    throw new Error('broken')
  }
  for (const way of ['koa', 'use', 'route'] as const) {
    const { status, errors } = await ask(t, way, ctx => {
      ctx.body = Readable.from(failing())
    })
    t.is(status, 200)
    t.true(errors.includes('broken'), way)
  }
})

test.serial('a client that resets its stream over HTTP/2 is no error of kolba', async t => {
  const bodies: Record<string, () => unknown> = {
    'pieces that never end': () => Readable.from(endless()),
    'bytes that never end': () => Readable.from(endless(), { objectMode: false }),
    'one large piece': () => Readable.from(['x'.repeat(1_000_000)]),
  }
  for (const way of ['use', 'route'] as const) {
    for (const [name, make] of Object.entries(bodies)) {
      const errors: string[] = []
      let isClosed = false
      const run: Run = ctx => {
        ctx.res.once('close', () => {
          isClosed = true
        })
        ctx.body = make()
      }
      const setup = (app: Koa) => void app.on('error', (error: Error) => errors.push(error.message))
      const client = await clientOf(t, appOf(way, { run, setup }))
      const stream = client.request({ ':path': '/' }).on('error', () => {})
      await once(stream, 'data')
      stream.close(http2.constants.NGHTTP2_CANCEL)
      while (!isClosed) await setTimeout(5)
      await setTimeout(20)
      t.deepEqual(errors, [], `${DIFFERENCES.goneClients.because} ${way}, ${name}`)
    }
  }
})

async function* endless() {
  for (;;) {
    yield 'x'.repeat(60_000)
    await setTimeout(1)
  }
}

test.serial('a client that resets its stream over HTTP/2 before the first byte is no error of kolba', async t => {
  for (const way of ['use', 'route'] as const) {
    const bodies: PassThrough[] = []
    const errors: string[] = []
    const run: Run = ctx => {
      const body = new PassThrough()
      bodies.push(body)
      ctx.body = body
    }
    const setup = (app: Koa) => void app.on('error', (error: Error) => errors.push(error.message))
    const client = await clientOf(t, appOf(way, { run, setup }))
    const stream = client.request({ ':path': '/' }).on('error', () => {})
    while (bodies.length === 0) await setTimeout(5)
    stream.close(http2.constants.NGHTTP2_CANCEL)
    while (!bodies[0]?.destroyed) await setTimeout(5)
    await setTimeout(20)
    t.deepEqual(errors, [], way)
  }
})

test.serial('ctx.signal aborts when a stream over HTTP/2 is reset, and not behind a whole answer', async t => {
  const app = kolba({ signals: false })
  const signals: AbortSignal[] = []
  app.get('/slow', async ctx => {
    signals.push(ctx.signal)
    await once(ctx.signal, 'abort')
    return null
  })
  app.get('/large', ctx => {
    signals.push(ctx.signal)
    return 'x'.repeat(1_000_000)
  })
  app.get('/late', async ctx => {
    await once(ctx.res, 'close')
    signals.push(ctx.signal)
    return null
  })
  app.get('/', ctx => {
    signals.push(ctx.signal)
    return 'whole'
  })
  const client = await clientOf(t, app)
  for (const path of ['/slow', '/large']) {
    const stream = client.request({ ':path': path }).on('error', () => {})
    while (signals.length === 0) await setTimeout(5)
    stream.close(http2.constants.NGHTTP2_CANCEL)
    const [signal] = signals.splice(0)
    while (!signal?.aborted) await setTimeout(5)
    t.is(signal?.reason.message, 'The client has gone.', path)
  }
  const late = client.request({ ':path': '/late' }).on('error', () => {})
  await new Promise(resolve => client.ping(resolve))
  late.close(http2.constants.NGHTTP2_CANCEL)
  while (signals.length === 0) await setTimeout(5)
  t.true(signals.pop()?.aborted, 'asked for when the client has gone')
  t.is(await text(client.request({ ':path': '/' })), 'whole')
  await setTimeout(20)
  t.false(signals[0]?.aborted)
})

test.serial('body() over HTTP/2 reads a body without a Content-Length, and finds that there is none', async t => {
  const app = kolba({ signals: false })
  app.post('/', body(), ctx => ({ got: ctx.input.body }))
  const client = await clientOf(t, app)
  const post = (content?: string, headers = {}) => {
    const stream = client.request(
      { ':path': '/', ':method': 'POST', 'content-type': 'application/json', ...headers },
      { endStream: content === undefined },
    )
    if (content !== undefined) stream.end(content)
    return text(stream)
  }
  t.is(await post('{"a":1}'), '{"got":{"a":1}}')
  t.is(await post('{"a":1}', { 'content-length': '7' }), '{"got":{"a":1}}')
  for (const nothing of [await post(), await post(''), await post('', { 'content-length': '0' })])
    t.regex(nothing, /There is no body/)
})
