// app.callback() under node:http2, beside Koa: the same middleware, asked the same over HTTP/2.
import { once } from 'node:events'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { appOf, type Run, type Way } from '../support/beside-koa.ts'

interface Seen {
  readonly status: number
  readonly headers: object
  readonly body: string
  readonly errors: readonly string[]
}

async function ask(t: ExecutionContext, way: Way, run: Run, method = 'GET'): Promise<Seen> {
  const errors: string[] = []
  const app = appOf(way, { run, setup: app => void app.on('error', (error: Error) => errors.push(error.message)) })
  const server = http2.createServer(app.callback() as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    client.destroy()
    server.close()
  })
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
    await new Promise(resolve => setTimeout(resolve, 10))
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
