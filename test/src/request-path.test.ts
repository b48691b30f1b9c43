// The way of a request through an app, where something around the route is not as it expects: a middleware that writes
// the URL or does not wait, a server in front of it, a value that cannot be written.
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { type BaseContext, decorator, type Kolba, kolba, problem, reply, unfinished } from 'kolba'
import { middleware } from 'kolba/middleware'
import { keepErrors } from '../support/log.ts'
import { type Answer, exchange, Line, listening } from '../support/raw.ts'

type Listener = (req: IncomingMessage, res: ServerResponse) => void

/** Asks an app that stands behind a server of somebody else's. */
async function askBehind(t: ExecutionContext, app: Kolba, front: (go: Listener) => Listener, path = '/') {
  const server = http.createServer(front(app.callback() as Listener)).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [answer] = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  return answer as Answer
}

/** An app whose middleware is in another Koa app, and what is asked of that. */
async function askHost(t: ExecutionContext, host: Koa, guest: Kolba) {
  host.use(guest.middleware[0] as Koa.Middleware)
  host.use(ctx => {
    if (ctx.path === '/host') ctx.body = 'of the host'
    if (ctx.path === '/fails') ctx.throw(402, 'of the host')
  })
  const server = http.createServer(host.callback() as never).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, init)
    const text = await response.text()
    const isProblem = response.headers.get('Content-Type') === 'application/problem+json'
    const { status, headers } = response
    return { status, after: headers.get('X-After'), headers, says: isProblem ? JSON.parse(text) : text }
  }
}

test('an app in another Koa app answers errors, statuses and streams that fail as it does by itself', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.after(ctx => ctx.set('X-After', 'guest'))
  app.onError(RangeError, () => reply(422, 'mapped'))
  app.get('/ok', () => 'ok')
  app.get('/thrown', ctx => ctx.throw(400, 'bad'))
  app.get('/mapped', () => {
    throw new RangeError()
  })
  app.get('/replied', () => reply(500))
  app.get('/missing', () => reply(404))
  app.get('/stream', () => Readable.from(failing()))
  const ask = await askHost(t, new Koa(), app)
  t.like(await ask('/ok'), { status: 200, after: 'guest', says: 'ok' })
  t.like(await ask('/thrown'), { status: 400, after: 'guest', says: { detail: 'bad' } })
  t.like(await ask('/mapped'), { status: 422, after: 'guest', says: 'mapped' })
  t.like(await ask('/replied'), { status: 500, after: 'guest', says: { title: 'Internal Server Error' } })
  t.like(await ask('/missing'), { status: 404, after: 'guest', says: { detail: 'Nothing is at this path.' } })
  t.like(await ask('/stream'), { status: 500, after: 'guest', says: { title: 'Internal Server Error' } })
  t.like(await ask('/ok', { method: 'PUT' }), { status: 405, says: { detail: 'This path takes GET, HEAD, OPTIONS.' } })
  t.like(await ask('/%6fk'), { status: 400, after: 'guest' })
  t.deepEqual(
    errors.map(({ message }) => message),
    ['broken'],
  )
})

// biome-ignore lint/correctness/useYield: it fails before it gives anything
async function* failing() {
  throw new Error('broken')
}

test('an app in another Koa app leaves to that what it has no route for, errors included', async t => {
  const app = kolba()
  app.after(ctx => ctx.set('X-After', 'guest'))
  const host = new Koa()
  host.silent = true
  const ask = await askHost(t, host, app)
  t.like(await ask('/host'), { status: 200, after: 'guest', says: 'of the host' })
  t.like(await ask('/nowhere'), { status: 404, after: 'guest', says: 'Not Found' })
  t.like(await ask('/fails'), { status: 402, says: 'of the host' })
})

test('an app in another kolba app names a request as that does', async t => {
  const app = kolba()
  app.get('/thrown', ctx => ctx.throw(400, 'bad'))
  const ask = await askHost(t, kolba(), app)
  const { headers, says } = await ask('/thrown')
  t.is(says.requestId, headers.get('X-Request-Id'))
})

for (const [url, status] of [
  ['/api/books', 200],
  ['/api', 404],
  ['/api?x=1', 404],
] as const) {
  test(`a middleware that cuts a prefix off leaves of ${url} what is a ${status}, and the process goes on`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    app.use((ctx, next) => {
      ctx.url = ctx.url.replace(/^\/api/, '')
      return next()
    })
    app.get('/books', () => [])
    app.mount('/other', kolba())
    t.is((await app.client().get(url)).status, status)
    t.deepEqual(errors, [])
  })
}

test('a middleware that leaves a URL with a broken percent-encoding makes the 400 that a client gets for it', async t => {
  const { logger, errors } = keepErrors()
  const app = kolba({ logger })
  app.use((ctx, next) => {
    ctx.url = ctx.url.replace('/old', '/new').replace('~', '%')
    return next()
  })
  app.get('/new/:id', ctx => ctx.params.id)
  app.get('/new/:id/:name.csv', ctx => ctx.params.name)
  app.get('/new/in/*rest', ctx => ctx.params.rest)
  const problemAt = async (url: string) => {
    const { requestId: _, ...rest } = (await (await app.client().get(url)).json()) as {
      requestId: string
      status: number
    }
    return rest
  }
  for (const path of ['~zz', '~ff', '1/~zz.csv', 'in/~e9']) {
    const [sent, left] = await Promise.all([`/new/${path.replace('~', '%')}`, `/old/${path}`].map(problemAt))
    t.is(sent?.status, 400)
    t.deepEqual(left, sent)
  }
  t.is(await (await app.client().get('/old/~41')).text(), 'A')
  t.deepEqual(errors, [])
})

test('a middleware that makes the URL what is no text is a 500', async t => {
  const app = kolba()
  // The log of an app reads the path as well.
  app.on('error', () => {})
  app.use((ctx, next) => {
    ctx.url = undefined as never
    return next()
  })
  app.get('/', () => 'home')
  t.is((await app.client().get('/')).status, 500)
})

test('what a route gives after the request has been refused around it is not sent', async t => {
  const { logger } = keepErrors()
  const app = kolba({ logger })
  app.use(async (ctx, next) => {
    const below = next()
    below.catch(() => {})
    await sleep(10)
    ctx.throw(403, 'not you')
  })
  // It waits, as one that writes to a log does, and the route ends meanwhile.
  app.onError(Error, () => sleep(60, undefined))
  app.after(() => sleep(60) as Promise<never>)
  app.get('/', () => sleep(40, { secret: 42 }))
  const response = await app.client().get('/')
  t.is(response.status, 403)
  t.like(await response.json(), { status: 403, detail: 'not you' })
})

test('a middleware that has answered keeps its answer where no route takes the method', async t => {
  const app = kolba()
  app.use(async (ctx, next) => {
    if (ctx.method !== 'GET') ctx.body = 'handled'
    await next()
  })
  app.get('/x', () => 'x')
  for (const method of ['POST', 'OPTIONS']) {
    const response = await (method === 'POST' ? app.client().post('/x') : app.client().options('/x'))
    t.deepEqual([response.status, await response.text()], [200, 'handled'], method)
  }
})

for (const [name, value] of [
  ['a BigInt', () => 1n],
  ['an object with one', () => ({ x: 1n })],
] as const) {
  test(`hooks of app.after run once where ${name} cannot be written`, async t => {
    const { logger, errors } = keepErrors()
    const app = kolba({ logger })
    let count = 0
    app.after(() => {
      count += 1
    })
    app.get('/', value as () => unknown)
    t.is((await app.client().get('/')).status, 500)
    t.is(count, 1)
    t.is(errors.length, 1)
  })
}

test('data with the names of a stream is data', async t => {
  const app = kolba()
  const data = { pipe: 'steel', read: 'yes' }
  app.get('/', () => data)
  t.deepEqual(await (await app.client().get('/')).json(), data)
})

test('a reply adds its cookies to those that decorators have set', async t => {
  const app = kolba()
  const session = decorator('session', (ctx, next) => {
    ctx.cookies.set('sid', '1')
    return next()
  })
  const theme = { 'Set-Cookie': 'theme=dark' }
  app.get('/reply', session, () => reply(200, 'x', theme))
  app.get('/problem', session, () => problem(409, { headers: theme }))
  app.get('/response', session, () => new Response('x', { headers: theme }))
  for (const path of ['/reply', '/problem', '/response']) {
    const { headers } = await app.client().get(path)
    t.deepEqual(headers.getSetCookie(), ['sid=1; path=/; httponly', 'theme=dark'], path)
  }
})

test('a web stream is sent from a mounted app and below a middleware of a stack', async t => {
  const app = kolba()
  const inner = kolba()
  const stay = middleware(async (_ctx, next) => next())
  for (const [at, its] of [
    ['/mounted', inner],
    ['', app],
  ] as const) {
    its.get('/web', stay, () => new Blob(['web']).stream())
    its.get('/reply', stay, () => reply(202, new Blob(['web']).stream()))
    its.get('/response', stay, () => new Response(new Blob(['web']).stream(), { status: 202 }))
    if (at) app.mount(at, inner)
  }
  const client = app.client()
  for (const path of ['/web', '/reply', '/response', '/mounted/web', '/mounted/reply', '/mounted/response']) {
    const response = await client.get(path)
    t.is(response.status, path.endsWith('/web') ? 200 : 202, path)
    t.is(await response.text(), 'web', path)
  }
})

// A server in front of the callback.

test('headers that a server in front has set stay, and lists are added to', async t => {
  const app = kolba()
  app.get('/cookie', ctx => {
    ctx.append('Set-Cookie', 'b=2')
    return 'x'
  })
  app.get('/vary', () => reply(200, 'x', { Vary: 'Accept' }))
  app.get('/page', () => '<p>')
  const front = (go: Listener) => (req: IncomingMessage, res: ServerResponse) => {
    res.setHeader('Set-Cookie', 'a=1')
    res.setHeader('Vary', 'Origin')
    res.setHeader('Content-Type', 'text/html')
    go(req, res)
  }
  t.is((await askBehind(t, app, front, '/cookie')).headers['set-cookie'], 'a=1\nb=2')
  t.is((await askBehind(t, app, front, '/vary')).headers.vary, 'Origin\nAccept')
  t.is((await askBehind(t, app, front, '/page')).headers['content-type'], 'text/html')
})

test('a writeHead that a server in front has put there gets a status alone', async t => {
  const app = kolba()
  app.get('/', () => ({ a: 1 }))
  const calls: unknown[][] = []
  const answer = await askBehind(t, app, go => (req, res) => {
    const { writeHead } = res
    res.writeHead = (...args: never[]) => {
      calls.push(args)
      return Reflect.apply(writeHead, res, args)
    }
    go(req, res)
  })
  t.like(answer, { status: 200, body: '{"a":1}' })
  t.is(answer.headers['content-type'], 'application/json; charset=utf-8')
  t.deepEqual(calls, [[200]])
})

test('a server in front that waits for the end finds the headers then', async t => {
  const app = kolba()
  app.get('/', () => ({ a: 1 }))
  let found: unknown
  await askBehind(t, app, go => (req, res) => {
    res.on('finish', () => {
      found = [res.statusCode, res.getHeader('Content-Length'), res.getHeader('Content-Type')]
    })
    go(req, res)
  })
  t.deepEqual(found, [200, '7', 'application/json; charset=utf-8'])
})

test('close() ends in time while a connection is upgraded, and whoever has it closes it on stop', async t => {
  const app = kolba({ signals: false, timeouts: { drain: 0.2 } })
  app.get('/', () => 'home')
  const { port, server } = await listening(t, app)
  server.on('upgrade', (_req, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
    app.onStop(() => void socket.destroy())
  })
  const line = new Line(port).write('GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
  await line.until(text => text.includes('\r\n\r\n'))
  await app.close()
  await line.closed
  t.true(line.text.startsWith('HTTP/1.1 101 '))
})

test('unfinished() is what a route is still at behind the answer, and nothing where it ended in time', async t => {
  const { logger } = keepErrors()
  const app = kolba({ logger, timeouts: { handler: 0.05 } })
  const seen: [string, unknown][] = []
  app.after(async ctx => {
    const rest = unfinished(ctx)
    seen.push([ctx.path, rest && 'under way'])
    if (rest) seen.push([ctx.path, await rest])
  })
  app.use(async (ctx, next) => {
    const running = next()
    if (ctx.path === '/failed') throw problem(403)
    if (ctx.path === '/answered') ctx.body = 'x'
    else await running
  })
  const slow = (ctx: BaseContext) => sleep(100, ctx.path === '/late' ? 'its value' : 'another')
  for (const path of ['/late', '/failed', '/answered']) app.get(path, slow)
  app.get('/at-once', () => 1)
  app.get('/in-time', () => sleep(1, 1))
  const client = app.client()
  for (const path of ['/at-once', '/in-time', '/late', '/failed', '/answered']) await client.get(path)
  t.deepEqual(seen, [
    ['/at-once', undefined],
    ['/in-time', undefined],
    ['/late', 'under way'],
    ['/late', 'its value'],
    ['/failed', 'under way'],
    ['/failed', 'another'],
    ['/answered', 'under way'],
    ['/answered', 'another'],
  ])
})
