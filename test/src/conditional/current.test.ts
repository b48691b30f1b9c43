import { Readable } from 'node:stream'
import test from 'ava'
import { type BaseContext, decorator, type Kolba, kolba, type Next, problem, reply } from 'kolba'
import { body } from 'kolba/body'
import { json } from 'kolba/json'
import { currentReader, isReading } from '../../support/inside.ts'

type CurrentOptions = Parameters<typeof currentReader>[0]
type Reading = NonNullable<Awaited<ReturnType<ReturnType<typeof currentReader>>>>

const place = decorator('place', (_ctx, next) => next())
const options: CurrentOptions = { passed: [], isPlace: it => it === place }

/** What a PUT at a path reads. */
async function readAt(
  app: Kolba,
  path: string,
  given: CurrentOptions = options,
  other?: { path?: string; headers?: Record<string, string> },
): Promise<{ reading: Reading; ctx: BaseContext; error: unknown }> {
  const read = currentReader(given)
  let reading: Reading | undefined
  let ctx: BaseContext | undefined
  let error: unknown
  app.use(async (its, next) => {
    if (its.method !== 'POST') return next()
    ctx = its as never
    try {
      reading = await read(its as never, other)
    } catch (thrown) {
      error = thrown
    }
    // An app that is asked again has one more of these.
    await next()
  })
  await app.client().post(path, { body: 'x', headers: { 'If-Match': '*', Range: 'bytes=0-1' } })
  return { reading: reading as unknown as Reading, ctx: ctx as unknown as BaseContext, error }
}

test('currentReader() reads the value at a place of the stack of GET, and the status', async t => {
  const app = kolba()
  app.get('/:id', json(), place, ctx => reply(203, { id: ctx.params.id }))
  const { reading } = await readAt(app, '/7')
  t.is(reading.status, 203)
  t.deepEqual((reading.value as { body: unknown }).body, { id: '7' })
  t.deepEqual({ ...(reading.ctx as unknown as { params: object }).params }, { id: '7' })
})

test('currentReader() reads what comes out above where there is no such place, and undefined without a GET', async t => {
  const app = kolba()
  app.get('/a', json(), () => ({ a: 1 }))
  t.is(((await readAt(app, '/a')).reading.value as { body: unknown }).body, '{"a":1}')
  t.is((await readAt(kolba(), '/none')).reading as unknown, undefined)
})

test('currentReader() takes the innermost place, and of a decorator with two places the first', async t => {
  const app = kolba()
  const double = decorator('double', (_ctx, next) => next(), {
    register: () => ({
      around: async (_ctx, next) => `around(${await next()})`,
      afterBody: async (_ctx, next) => `after(${await next()})`,
    }),
  })
  const shout = decorator('shout', async (_ctx, next) => `${await next()}!`)
  app.get('/', double, shout, body({ optional: true }), () => 'x')
  const read = await readAt(app, '/', { passed: [], isPlace: it => it === double })
  t.is(read.reading.value, 'after(x)!')
})

test('currentReader() runs above the place what has not been passed, and all below it', async t => {
  const steps: string[] = []
  const step = (name: string) =>
    decorator(name, (_ctx, next) => {
      steps.push(name)
      return next()
    })
  const [passed, above, below] = [step('passed'), step('above'), step('below')]
  const app = kolba()
  app.get('/', passed, above, place, below, passed, () => steps.push('handler'))
  await readAt(app, '/', { ...options, passed: [passed] })
  t.deepEqual(steps, ['above', 'below', 'passed', 'handler'])
})

test('currentReader() gives what turns a GET away above the place, thrown or returned', async t => {
  const app = kolba()
  const closed = decorator('closed', () => reply(403, 'no'))
  app.get('/closed', closed, place, () => 'text')
  app.get('/gone', place, () => Promise.reject(problem(410)))
  app.get('/error', place, () => problem(404))
  app.get('/response', place, () => new Response('no', { status: 503 }))
  app.get('/koa', place, ctx => {
    ctx.status = 409
  })
  for (const [path, status] of [
    ['/closed', 403],
    ['/gone', 410],
    ['/error', 404],
    ['/response', 503],
    ['/koa', 409],
  ] as const)
    t.is((await readAt(app, path)).reading.status, status, path)
})

test('currentReader() rejects with what GET throws, unless that is answered with 404 or 410', async t => {
  class Missing extends Error {}
  class Away extends Error {}
  const app = kolba()
  const seen: string[] = []
  app.on('error', error => seen.push(error.message))
  app.onError(Missing, () => problem(404))
  app.onError(Away, () => reply(503, 'away'))
  app.get('/missing', place, () => Promise.reject(new Missing()))
  app.get('/away', place, () => Promise.reject(new Away('away')))
  app.get('/broken', place, () => {
    throw new Error('broken')
  })
  app.get('/returned', place, () => new Error('returned'))
  t.is((await readAt(app, '/missing')).reading.status, 404)
  for (const path of ['/away', '/broken', '/returned'])
    t.is(((await readAt(app, path)).error as Error).message, path.slice(1))
  t.deepEqual(seen, [], 'it is for those who read to tell')
})

test('currentReader() reads without conditions, content and range, and with the headers it is given', async t => {
  const app = kolba()
  app.get('/', place, ctx => ({ ...ctx.headers, method: ctx.method, length: ctx.req.headers['content-length'] }))
  const { reading, ctx } = await readAt(app, '/?a=1', options, { headers: { accept: 'a/b' } })
  const { host, connection, ...rest } = reading.value as Record<string, unknown>
  t.deepEqual(rest, { accept: 'a/b', method: 'GET', length: undefined })
  t.is(reading.ctx.url, '/?a=1')
  t.deepEqual([ctx.method, ctx.headers['if-match'], ctx.headers.accept], ['POST', '*', undefined])
})

test('currentReader() reads another path, without the query of the own', async t => {
  const app = kolba()
  app.get('/b/:id', place, ctx => `${ctx.url} ${ctx.params.id} ${ctx.path}`)
  const { reading, ctx } = await readAt(app, '/a?x=1', options, { path: '/b/7' })
  t.deepEqual([reading.value, ctx.url, ctx.path], ['/b/7 7 /b/7', '/a?x=1', '/a'])
})

test('currentReader() leaves the request as it is, its path too, where GET changes all it can', async t => {
  const app = kolba()
  const inner = kolba()
  inner.use((ctx, next) => {
    if (ctx.method === 'GET') ctx.set('X-Inner', ctx.path)
    return next()
  })
  inner.get('/b', place, ctx => {
    ctx.state.user = 'bob'
    ctx.status = 201
    ctx.cookies.set('a', 'b')
    ctx.path = '/elsewhere'
    return 'text'
  })
  app.mount('/inner', inner)
  const { reading, ctx } = await readAt(app, '/inner/b')
  t.is(reading.status, 201)
  t.deepEqual([ctx.path, ctx.url, ctx.state.user], ['/inner/b', '/inner/b', undefined])
  t.deepEqual([ctx.res.hasHeader('X-Inner'), ctx.res.hasHeader('Set-Cookie')], [false, false])
})

test('currentReader() hands down what stands on ctx, the id and the signal of the request', async t => {
  const app = kolba()
  const named = decorator('named', (_ctx, next: Next<{ user: string }>) => next({ user: 'ann' }))
  const read = currentReader({ passed: [named], isPlace: () => false })
  app.get('/', named, ctx => ({ user: ctx.user, id: ctx.requestId, signal: ctx.signal, reading: isReading(ctx) }))
  app.put('/', named, async ctx => {
    const reading = (await read(ctx)) as Reading
    const { id, signal, ...rest } = reading.value as Record<string, unknown>
    return { ...rest, same: id === ctx.requestId && signal === ctx.signal, self: isReading(ctx) }
  })
  const answer = await app.client().put('/')
  t.deepEqual(await answer.json(), { user: 'ann', reading: true, same: true, self: false })
})

test('currentReader() puts a handler in the place of that of GET, which has the names of both paths', async t => {
  const app = kolba()
  let isRun = false
  const read = currentReader({
    ...options,
    handler: (ctx: { params: object }) => ({ ...ctx.params, of: 'load' }),
  })
  app.get('/:id', json(), place, () => {
    isRun = true
  })
  app.put('/:key', async ctx => ((await read(ctx)) as Reading).value as object)
  t.deepEqual(await (await app.client().put('/7')).json(), { id: '7', key: '7', of: 'load' })
  t.false(isRun)
})

test('currentReader() closes what it has read: its response, and a stream', async t => {
  const app = kolba()
  const stream = Readable.from(['a'])
  let isClosed = false
  app.get('/', place, ctx => {
    ctx.res.once('close', () => {
      isClosed = true
    })
    return stream
  })
  const { reading } = await readAt(app, '/')
  t.deepEqual([reading.value, stream.destroyed, isClosed], [stream, true, true])
})

test('currentReader() gives a Response that can be read within the request, and is cancelled with it', async t => {
  const app = kolba()
  let cancelled = 0
  const cancel = () => {
    cancelled += 1
  }
  const endless = () => new ReadableStream({ start: its => its.enqueue(Buffer.from('a')), cancel })
  app.get('/text', place, () => new Response('text'))
  app.get('/endless', place, () => new Response(endless()))
  app.get('/stream', place, endless)
  const read = currentReader(options)
  app.put('/:name', async ctx => {
    const { value } = (await read(ctx)) as Reading
    return ctx.params.name === 'text' ? (value as Response).text() : null
  })
  t.is(await (await app.client().put('/text')).text(), 'text')
  t.is(cancelled, 0)
  for (const name of ['endless', 'stream']) {
    t.is((await app.client().put(`/${name}`)).status, 204)
    while (cancelled === 0) await new Promise(setImmediate)
    t.is(cancelled, 1, name)
    cancelled = 0
  }
})
