import test from 'ava'
import { decorator, kolba, type Middleware, reply, when } from 'kolba'
import { json } from 'kolba/json'
import { middleware } from 'kolba/middleware'
import { MemoryLogger } from '../support/memory-logger.ts'

async function through(koa: Middleware, handler: () => unknown): Promise<Response> {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', middleware(koa), handler)
  return app.client().get('/')
}

test('middleware() sees body, status and headers from below', async t => {
  const seen: unknown[] = []
  const response = await through(
    async (ctx, next) => {
      seen.push(ctx.body)
      await next()
      seen.push(ctx.body, ctx.status, ctx.response.get('X-A'))
    },
    () => reply(201, { a: 1 }, { 'X-A': 'b' }),
  )
  t.deepEqual(seen, [undefined, { a: 1 }, 201, 'b'])
  t.is(response.status, 201)
  t.is(response.headers.get('x-a'), 'b')
  t.deepEqual(await response.json(), { a: 1 })
})

test('middleware() lets a value without a change go up as it is', async t => {
  const app = kolba()
  const value = { a: 1 }
  let above: unknown
  const look = decorator('look', (_ctx, next) => when(next(), it => (above = it)))
  app.get(
    '/',
    look,
    middleware(async (_ctx, next) => next()),
    () => value,
  )
  await app.client().get('/')
  t.is(above, value)
})

test('middleware() changes the body', async t => {
  const response = await through(
    async (ctx, next) => {
      await next()
      ctx.body = { wrapped: ctx.body }
    },
    () => [1],
  )
  t.deepEqual(await response.json(), { wrapped: [1] })
})

test('middleware() changes the status and the headers of a reply', async t => {
  const response = await through(
    async (ctx, next) => {
      await next()
      ctx.status = 202
      ctx.set('X-A', 'changed')
      ctx.remove('X-B')
    },
    () => reply(201, 'x', { 'X-A': 'a', 'X-B': 'b', 'Set-Cookie': ['a=1', 'b=2'] }),
  )
  t.is(response.status, 202)
  t.is(response.headers.get('x-a'), 'changed')
  t.is(response.headers.get('x-b'), null)
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  t.is(await response.text(), 'x')
})

test('middleware() changes the status and the headers of a web Response', async t => {
  const response = await through(
    async (ctx, next) => {
      await next()
      ctx.status = 202
      ctx.set('X-A', 'changed')
    },
    () => new Response('x', { status: 201, headers: { 'X-A': 'a', 'Content-Type': 'text/csv' } }),
  )
  t.is(response.status, 202)
  t.is(response.headers.get('x-a'), 'changed')
  t.is(response.headers.get('content-type'), 'text/csv')
  t.is(await response.text(), 'x')
})

test('middleware() keeps a status without a body', async t => {
  for (const status of [201, 204, 304]) {
    const response = await through(
      (_ctx, next) => next(),
      () => reply(status, undefined, { 'X-A': 'a' }),
    )
    t.is(response.status, status)
    t.is(response.headers.get('x-a'), 'a')
    t.is(await response.text(), '')
  }
})

test('middleware() takes the body away', async t => {
  const response = await through(
    async (ctx, next) => {
      await next()
      ctx.body = null
    },
    () => 'x',
  )
  t.is(response.status, 204)
})

test('middleware() answers itself where the middleware calls no next', async t => {
  let called = false
  const response = await through(
    ctx => {
      ctx.status = 203
      ctx.body = 'mine'
    },
    () => {
      called = true
      return 'never'
    },
  )
  t.is(response.status, 203)
  t.is(await response.text(), 'mine')
  t.false(called)
})

test('middleware() makes a status of an error without a body a problem', async t => {
  const response = await through(
    ctx => {
      ctx.status = 402
      ctx.set('X-Price', '3')
    },
    () => 'never',
  )
  t.is(response.status, 402)
  t.is(response.headers.get('content-type'), 'application/problem+json')
  t.is(response.headers.get('x-price'), '3')
})

test('middleware() answers 404 where the middleware says so by the status alone', async t => {
  const response = await through(
    ctx => {
      ctx.status = 404
    },
    () => 'never',
  )
  t.is(response.status, 404)
  t.is(response.headers.get('content-type'), 'application/problem+json')
})

test('middleware() lets the middleware throw', async t => {
  const response = await through(
    ctx => ctx.throw(418, 'short and stout'),
    () => 'never',
  )
  t.is(response.status, 418)
  t.is(((await response.json()) as { detail: string }).detail, 'short and stout')
})

test('middleware() catches an error from below', async t => {
  const response = await through(
    async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.status = 409
        ctx.body = { caught: (error as Error).message }
      }
    },
    () => {
      throw new Error('from below')
    },
  )
  t.is(response.status, 409)
  t.deepEqual(await response.json(), { caught: 'from below' })
})

test('middleware() stands in order with decorators and other middleware', async t => {
  const order: string[] = []
  const mark = (name: string) =>
    decorator(name, (_ctx, next) => {
      order.push(`${name} down`)
      return when(next(), value => {
        order.push(`${name} up`)
        return value
      })
    })
  const koa = (name: string) =>
    middleware(async (_ctx, next) => {
      order.push(`${name} down`)
      await next()
      order.push(`${name} up`)
    })
  const app = kolba()
  app.get('/', mark('a'), koa('b'), mark('c'), koa('d'), () => 'x')
  t.is(await (await app.client().get('/')).text(), 'x')
  t.deepEqual(order, ['a down', 'b down', 'c down', 'd down', 'd up', 'c up', 'b up', 'a up'])
})

test('middleware() under json() has its value rendered, a string too', async t => {
  const app = kolba()
  const pass = middleware((_ctx, next) => next())
  app.get('/text', json(), pass, () => 'x')
  app.get('/object', json(), pass, () => reply(201, { a: 1n }))
  const client = app.client()
  t.is(await (await client.get('/text')).text(), '"x"')
  const response = await client.get('/object')
  t.is(response.status, 201)
  t.deepEqual(await response.json(), { a: '1' })
})

test('middleware() passes ctx.state and an awaited handler', async t => {
  const app = kolba()
  const state = middleware(async (ctx, next) => {
    await Promise.resolve()
    ctx.state.user = 'Ada'
    await next()
  })
  app.get('/', state, async ctx => {
    await Promise.resolve()
    return ctx.state.user
  })
  t.is(await (await app.client().get('/')).text(), 'Ada')
})

test('middleware() runs for its own route alone', async t => {
  const app = kolba()
  let runs = 0
  app.get(
    '/a',
    middleware((_ctx, next) => {
      runs += 1
      return next()
    }),
    () => 'a',
  )
  app.get('/b', () => 'b')
  await app.client().get('/b')
  t.is(runs, 0)
  await app.client().get('/a')
  t.is(runs, 1)
})

test('middleware() runs the handler once where next() is called twice, as Koa does', async t => {
  let runs = 0
  const response = await through(
    async (_ctx, next) => {
      await next()
      await next()
    },
    () => {
      runs += 1
      return 'x'
    },
  )
  t.is(response.status, 500)
  t.is(runs, 1)
})

test('middleware() says what the handler forgot to return', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get(
    '/',
    middleware((_ctx, next) => next()),
    function show() {},
  )
  t.is((await app.client().get('/')).status, 500)
  const message = logger.lines[0]?.message ?? ''
  t.true(message.startsWith('GET /: show returned undefined. Return a value, or null for 204 No Content. Or '), message)
})

test('middleware() refuses what is no Koa middleware', t => {
  t.throws(() => middleware({} as never), {
    instanceOf: TypeError,
    message: 'middleware: this is no function. Give a Koa middleware, as in middleware(compress()).',
  })
  t.throws(() => middleware(json() as never), {
    instanceOf: TypeError,
    message: 'middleware: json is a decorator. Put it in the stack as it is.',
  })
})
