// Koa's application: its options and settings, use() and the order of middleware, callback(), events, currentContext.
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import { inspect } from 'node:util'
import test from 'ava'
import Koa from 'koa'
import { Kolba, kolba } from 'kolba'
import { appOf, portOf, type Row, talk, testBesideKoa, type Way } from '../support/beside-koa.ts'
import { DIFFERENCES } from '../support/koa-differences.ts'
import { MemoryLogger } from '../support/memory-logger.ts'

const WAYS: readonly Way[] = ['koa', 'use', 'route']
const text = 'text/plain; charset=utf-8'

test('kolba() is a Koa, with the statics of it', t => {
  t.true(kolba() instanceof Koa)
  const statics = ['HttpError', 'isHttpError', 'createHttpError', 'default'] as const
  const koas = Koa as unknown as Record<string, unknown>
  for (const name of statics.slice(0, 3)) t.is((Kolba as unknown as Record<string, unknown>)[name], koas[name])
})

test('app.env, keys, subdomainOffset and silent are as in Koa', t => {
  const settings = (app: Koa) => [app.env, app.keys, app.subdomainOffset, app.silent, app.proxy, app.maxIpsCount]
  t.deepEqual(settings(kolba()), settings(new Koa()))
  const options = { env: 'staging', keys: ['a', 'b'], subdomainOffset: 3 }
  t.deepEqual(settings(kolba(options)), settings(new Koa(options)))
  t.deepEqual(settings(kolba(options)).slice(0, 3), ['staging', ['a', 'b'], 3])
})

test('app.toJSON() and inspect() are as in Koa', t => {
  const options = { env: 'staging', subdomainOffset: 3 }
  const [koa, ours] = [new Koa(options), kolba(options)]
  t.deepEqual(ours.toJSON(), { subdomainOffset: 3, proxy: false, env: 'staging' })
  t.deepEqual(ours.toJSON(), koa.toJSON())
  t.deepEqual(ours.inspect(), koa.inspect())
  t.is(inspect(ours), inspect(koa))
  t.is(JSON.stringify(ours), JSON.stringify(koa))
})

/** What Koa takes and kolba refuses, when it is said. */
const refused: Record<string, readonly [say: (app: Koa) => unknown, sentence: RegExp]> = {
  'app.proxy = true': [
    app => {
      app.proxy = true
    },
    /^proxy: name the proxies to believe/,
  ],
  'app.use() of no function': [app => app.use('no' as never), /^use: /],
  'app.use() of a middleware of Express': [
    app => app.use(((_req: unknown, _res: unknown, _next: unknown) => {}) as never),
    /^use: this takes \(req, res, next\)/,
  ],
}

for (const [name, [say, message]] of Object.entries(refused)) {
  test(`kolba refuses ${name}`, t => {
    const { because } = DIFFERENCES.refusedByTheApp
    t.throws(() => say(kolba()), { instanceOf: TypeError, message }, because)
    if (!name.includes('no function')) t.notThrows(() => say(new Koa()))
    else t.throws(() => say(new Koa()), { instanceOf: TypeError, message: 'middleware must be a function!' })
  })
}

test('kolba takes no option for what Koa takes as a property alone, and says which there are', t => {
  for (const name of ['compose', 'proxyIpHeader', 'maxIpsCount'])
    t.throws(() => kolba({ [name]: undefined }), { instanceOf: TypeError }, name)
})

test('app.use() gives the app back, and app.middleware has the routes behind what was used', t => {
  const [koa, ours] = [new Koa(), kolba()]
  const first = () => {}
  t.is(koa.use(first), koa)
  t.is(ours.use(first), ours)
  t.is(koa.middleware.length, 1)
  t.is(ours.middleware.length, 2, DIFFERENCES.routesBehind.because)
  t.is(ours.middleware[0], koa.middleware[0])
})

const rows: Record<string, Row> = {
  'middleware runs inwards, and outwards again': {
    setup: app => {
      for (const name of ['a', 'b']) {
        app.use(async (ctx, next) => {
          ctx.state.order = [...(ctx.state.order ?? []), `${name} in`]
          await next()
          ctx.state.order.push(`${name} out`)
          ctx.body = ctx.state.order
        })
      }
    },
    run: ctx => {
      ctx.state.order.push('inside')
      ctx.body = 'inside'
    },
    is: [200, 'application/json; charset=utf-8', '["a in","b in","inside","b out","a out"]'],
  },
  'a middleware that calls no next() has answered': {
    setup: app => {
      app.use(ctx => {
        ctx.body = 'above'
      })
    },
    run: () => {
      throw new Error('not reached')
    },
    is: [200, text, 'above'],
  },
  'a middleware changes status, headers and body of what comes up': {
    setup: app => {
      app.use(async (ctx, next) => {
        await next()
        ctx.status = 203
        ctx.set('X-A', ctx.type)
        ctx.body = { was: ctx.body }
      })
    },
    run: ctx => {
      ctx.body = { a: 1 }
    },
    is: [203, 'application/json; charset=utf-8', '{"was":{"a":1}}'],
  },
  'a middleware takes the body away': {
    setup: app => {
      app.use(async (ctx, next) => {
        await next()
        ctx.body = null
      })
    },
    run: ctx => {
      ctx.body = 'a'
    },
    is: [204, undefined, ''],
  },
  'a middleware of promises without async': {
    setup: app => {
      app.use((ctx, next) => next().then(() => void ctx.set('X-A', 'b')))
    },
    run: ctx => {
      ctx.body = 'a'
    },
    is: [200, text, 'a'],
  },
  'what a middleware returns is no answer': {
    setup: app => {
      app.use(async (_ctx, next) => {
        await next()
        return 'not this'
      })
    },
    run: async ctx => {
      ctx.body = 'this'
    },
    is: [200, text, 'this'],
  },
  'ctx.state goes down and up': {
    setup: app => {
      app.use(async (ctx, next) => {
        ctx.state = { user: 'me' }
        await next()
        ctx.body = ctx.state
      })
    },
    run: ctx => {
      ctx.state.seen = ctx.state.user
      ctx.body = 'a'
    },
    is: [200, 'application/json; charset=utf-8', '{"user":"me","seen":"me"}'],
  },
  'a composer of the app': {
    setup: app => {
      const koas = (app as unknown as { compose: (list: Koa.Middleware[]) => Koa.Middleware }).compose
      const compose = (list: Koa.Middleware[]) => {
        const run = koas(list) as (ctx: Koa.Context, next: Koa.Next) => Promise<void>
        return async (ctx: Koa.Context, next: Koa.Next) => {
          ctx.set('X-Composed', 'mine')
          await run(ctx, next)
        }
      }
      Object.assign(app, { compose })
      app.use((_ctx, next) => next())
    },
    run: ctx => {
      ctx.body = 'a'
    },
    is: [200, text, 'a'],
  },
  'app.currentContext is the ctx, behind a promise too': {
    options: { asyncLocalStorage: true },
    run: async ctx => {
      const before = ctx.app.currentContext === ctx
      await new Promise(resolve => setImmediate(resolve))
      ctx.body = [before, ctx.app.currentContext === ctx]
    },
    is: [200, 'application/json; charset=utf-8', '[true,true]'],
  },
  'app.currentContext is undefined without asyncLocalStorage': {
    run: ctx => {
      ctx.body = String(ctx.app.currentContext)
    },
    is: [200, text, 'undefined'],
  },
}

rows['a body of the request is sent back as it comes'] = {
  ask: { method: 'POST', body: 'hello', headers: { 'Content-Type': 'text/css' } },
  run: ctx => {
    ctx.type = ctx.request.type
    ctx.body = ctx.req
  },
  is: [200, 'text/css; charset=utf-8', 'hello'],
}

rows['a body of the request that nobody reads'] = {
  ask: { method: 'PUT', body: 'x'.repeat(50_000) },
  run: ctx => {
    ctx.body = 'not read'
  },
  is: [200, text, 'not read'],
}

rows['a middleware that does nothing'] = {
  run: () => {},
  is: [404, text, 'Not Found'],
  differs: { problem: { detail: 'Nothing is at this path.' } },
  // A handler that forgets to return says so.
  differsAsRoute: {
    problem: { status: 500 },
    errors: ['TypeError: ALL /{*rest}: the handler returned undefined. Return a value, or null for 204 No Content.'],
  },
}

testBesideKoa(rows)

test('app.currentContext is nothing outside of a request, and another in each', async t => {
  for (const way of WAYS) {
    const seen: unknown[] = []
    const app = appOf(way, {
      options: { asyncLocalStorage: true },
      run: async ctx => {
        await new Promise(resolve => setTimeout(resolve, 5))
        seen.push([ctx.path, app.currentContext?.path])
        ctx.body = 'a'
      },
    })
    t.is(app.currentContext, undefined)
    const url = `http://127.0.0.1:${await portOf(t, app)}`
    await Promise.all(['/a', '/b', '/c'].map(path => fetch(url + path).then(response => response.text())))
    t.deepEqual(
      seen.sort(),
      ['/a', '/b', '/c'].map(path => [path, path]),
      way,
    )
    t.is(app.currentContext, undefined)
  }
})

test('asyncLocalStorage may be one that others look into', async t => {
  for (const way of WAYS) {
    const asyncLocalStorage = new AsyncLocalStorage<Koa.Context>()
    const run = async (ctx: Koa.Context) => {
      await null
      ctx.body = String(asyncLocalStorage.getStore() === ctx)
    }
    const { answers } = await talk(t, way, { options: { asyncLocalStorage }, run })
    t.is(answers[0]?.body, 'true', way)
  }
})

for (const way of WAYS) {
  test(`middleware that is used behind callback() runs in the next callback(), ${way}`, async t => {
    const app = appOf(way, {
      run: ctx => {
        ctx.body = 'first'
      },
      setup: app => void app.use((_ctx, next) => next()),
    })
    const url = `http://127.0.0.1:${await portOf(t, app)}/`
    app.middleware.unshift((ctx => {
      ctx.body = 'late'
    }) as Koa.Middleware)
    t.is(await (await fetch(url)).text(), 'first')
    const next = `http://127.0.0.1:${await portOf(t, app)}/`
    t.is(await (await fetch(next)).text(), 'late')
  })

  test(`app.callback() answers from any server, and listens for errors once, ${way}`, async t => {
    const app = appOf(way, {
      run: ctx => {
        ctx.body = ctx.path
      },
    })
    t.is(app.listenerCount('error'), 0)
    const callback = app.callback()
    app.callback()
    t.is(app.listenerCount('error'), 1)
    t.is(callback.length, 2)
    const server = http.createServer((req, res) => void callback(req, res)).listen(0)
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    t.is(await (await fetch(`http://127.0.0.1:${port}/a`)).text(), '/a')
    server.closeAllConnections()
  })

  test(`app.callback() promises the end of its work, ${way}`, async t => {
    const app = appOf(way, {
      run: async ctx => {
        await null
        ctx.body = 'a'
      },
    })
    const callback = app.callback()
    const ended: unknown[] = []
    const server = http.createServer((req, res) => {
      const running = callback(req, res)
      ended.push(running instanceof Promise)
      running.then(() => ended.push(res.writableEnded))
    })
    server.listen(0)
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    await (await fetch(`http://127.0.0.1:${port}/`)).text()
    server.closeAllConnections()
    t.deepEqual(ended, [true, true])
  })

  test(`app.createContext() makes a whole ctx of any request, ${way}`, t => {
    const app = appOf(way, { run: () => {} })
    const req = new http.IncomingMessage(null as never)
    Object.assign(req, { method: 'GET', url: '/a?b=1', headers: { host: 'example.com' } })
    const res = new http.ServerResponse(req)
    const ctx = app.createContext(req, res)
    t.deepEqual(
      [ctx.path, ctx.query.b, ctx.host, ctx.originalUrl, { ...ctx.state }],
      ['/a', '1', 'example.com', '/a?b=1', {}],
    )
    ctx.body = { a: 1 }
    t.deepEqual([ctx.status, ctx.type, ctx.response.body], [200, 'application/json', { a: 1 }])
    t.true(ctx.req === req && ctx.res === res && ctx.app === app && ctx.request.ctx === ctx)
  })

  test(`app.on('error') is told by who emits, and once() is once, ${way}`, async t => {
    const told: string[] = []
    const setup = (app: Koa) => {
      app.once('error', (error: Error) => told.push(`once ${error.message}`))
    }
    const run = (ctx: Koa.Context) => {
      ctx.app.emit('error', new Error('by hand'), ctx)
      ctx.body = 'a'
    }
    const { answers, errors } = await talk(t, way, { setup, run })
    t.deepEqual(errors, ['Error: by hand', 'Error: by hand'])
    t.deepEqual(told, ['once by hand'])
    t.is(answers[1]?.body, 'a')
  })
}

/** What the app does by itself with an error that nobody listens for: does Koa print it, and does kolba log it? */
const logged: Record<string, readonly [error: object, koa: boolean, ours: boolean]> = {
  'an Error': [new Error('a'), true, true],
  'an error that is shown': [Object.assign(new Error('a'), { status: 400, expose: true }), false, false],
  'a 404 that is not shown': [Object.assign(new Error('a'), { status: 404 }), false, true],
  'a server error that is shown': [Object.assign(new Error('a'), { status: 503, expose: true }), false, true],
}

for (const [name, [error, koaPrints, oursLogs]] of Object.entries(logged)) {
  test.serial(`app.onerror() of ${name}`, t => {
    const printed: unknown[] = []
    const { error: print } = console
    console.error = (...args) => printed.push(args)
    t.teardown(() => {
      console.error = print
    })
    new Koa().onerror(error as Error)
    t.is(printed.length > 0, koaPrints)
    const logger = new MemoryLogger()
    const app = kolba({ logger })
    app.onerror(error as Error)
    t.is(logger.lines.length > 0, oursLogs, DIFFERENCES.log.because)
    const before = [printed.length, logger.lines.length]
    Object.assign(new Koa(), { silent: true }).onerror(error as Error)
    app.silent = true
    app.onerror(error as Error)
    t.deepEqual([printed.length, logger.lines.length], before)
  })
}
