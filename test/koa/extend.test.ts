// What a user adds to app.context, app.request and app.response, in each way in which JavaScript lets one, is on every
// ctx: also of an app that has answered already, and where it stands in the place of something of Koa's.
import test from 'ava'
import type Koa from 'koa'
import { appOf, isStable, portOf, type Reading, type Run, talk, testReadings, type Way } from '../support/beside-koa.ts'
import { DIFFERENCES } from '../support/koa-differences.ts'

const WAYS: readonly Way[] = ['koa', 'use', 'route']
const mark = Symbol('mark')

type Open = Record<string | symbol, unknown>

/** The three that are given, as objects to which anything may be added. */
const open = (app: Koa) => [app.context, app.request, app.response] as unknown as [Open, Open, Open]
const its = (ctx: Koa.Context) => [ctx, ctx.request, ctx.response] as unknown as [Open, Open, Open]

/** Adds to each of the three, and reads it there. */
function added(add: (it: Open, index: number) => void, read: (it: Open) => unknown, is: unknown): Reading {
  return { setup: app => open(app).forEach(add), read: ctx => its(ctx).map(read), is }
}

testReadings({
  'a value': added(
    (it, index) => {
      it.mine = index
    },
    it => it.mine,
    [0, 1, 2],
  ),
  'a function, which is called on its object': added(
    it => {
      it.mine = function (this: Open) {
        return this.mine === it.mine && this !== it
      }
    },
    it => (it.mine as () => unknown)(),
    [true, true, true],
  ),
  'a symbol': added(
    (it, index) => {
      it[mark] = index
    },
    it => it[mark],
    [0, 1, 2],
  ),
  'a getter with defineProperty': added(
    it => {
      Object.defineProperty(it, 'mine', {
        get(this: { app: Koa }) {
          return this.app.env
        },
      })
    },
    it => it.mine,
    Array(3).fill(process.env.NODE_ENV ?? 'development'),
  ),
  'a setter with defineProperty': added(
    it => {
      Object.defineProperty(it, 'mine', {
        set(this: Open, value: unknown) {
          this.given = value
        },
      })
    },
    it => {
      it.mine = 5
      return it.given
    },
    [5, 5, 5],
  ),
  'a value that cannot be changed': added(
    it => Object.defineProperty(it, 'mine', { value: 1 }),
    it => {
      try {
        it.mine = 2
      } catch {
        return it.mine
      }
    },
    [1, 1, 1],
  ),
  'several at once, with __defineGetter__ of the old days': added(
    it => {
      Object.defineProperties(it, { a: { value: 1 }, b: { get: () => 2 } })
      ;(it as unknown as { __defineGetter__(name: string, get: () => unknown): void }).__defineGetter__('c', () => 3)
    },
    it => [it.a, it.b, it.c],
    [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ],
  ),
  'a value that another ctx does not see changed': {
    setup: app => {
      app.context.mine = 1
    },
    read: ctx => {
      const before = ctx.mine
      ctx.mine += 1
      return [before, ctx.mine, Object.getPrototypeOf(ctx).mine]
    },
    is: [1, 2, 1],
  },
  "a getter in the place of Koa's, which ctx delegates to": {
    setup: app => {
      Object.defineProperty(app.request, 'ip', { get: () => '192.0.2.1', configurable: true })
      Object.defineProperty(app.request, 'protocol', { get: () => 'https', configurable: true })
      Object.defineProperty(app.response, 'etag', { get: () => '"mine"', configurable: true })
    },
    read: ctx => [ctx.ip, ctx.protocol, ctx.secure, ctx.href, ctx.request.ip, ctx.etag],
    is: ['192.0.2.1', 'https', true, 'https://example.com/', '192.0.2.1', '"mine"'],
  },
  "a getter of ctx.query in the place of Koa's, as koa-qs has": {
    ask: { path: '/?a[b]=c' },
    setup: app => {
      Object.defineProperty(app.request, 'query', {
        get(this: Koa.Request) {
          return { read: this.querystring }
        },
        configurable: true,
      })
    },
    read: ctx => ctx.query,
    is: { read: 'a[b]=c' },
  },
  "a method in the place of Koa's": {
    setup: app => {
      app.context.throw = (() => 'not thrown') as never
      app.request.accepts = (() => 'mine') as never
    },
    read: ctx => [(ctx as unknown as { throw(status: number): unknown }).throw(500), ctx.accepts('json')],
    is: ['not thrown', 'mine'],
  },
  'a getter that makes its value once for each ctx': {
    setup: app => {
      Object.defineProperty(app.context, 'mine', {
        get(this: Open) {
          const value = {}
          Object.defineProperty(this, 'mine', { value })
          return value
        },
      })
    },
    read: ctx => isStable(() => ctx.mine),
    is: true,
  },
  'an app.context that inherits from the first': {
    setup: app => {
      app.context = Object.create(app.context, { mine: { value: 'a' } })
      app.request = Object.create(app.request, { mine: { value: 'b' } })
      app.response = Object.create(app.response, { mine: { value: 'c' } })
    },
    read: ctx => its(ctx).map(it => it.mine),
    is: ['a', 'b', 'c'],
  },
  'a createContext of its own': {
    setup: app => {
      const { createContext } = app
      app.createContext = function (this: Koa, ...args: Parameters<Koa['createContext']>) {
        return Object.assign(createContext.apply(this, args), { mine: 'a' })
      } as never
    },
    read: ctx => [ctx.mine, ctx.request.ctx === ctx, ctx.path],
    is: ['a', true, '/'],
  },
})

for (const way of WAYS) {
  test(`what is added when the app has answered already is on the next ctx, ${way}`, async t => {
    const seen: unknown[] = []
    const run: Run = ctx => {
      seen.push(its(ctx).map(it => [it.mine, it[mark]]))
      ctx.body = 'a'
    }
    const app = appOf(way, { run })
    const url = `http://127.0.0.1:${await portOf(t, app)}/`
    for (const count of [1, 2, 3]) {
      await (await fetch(url)).text()
      for (const it of open(app)) Object.defineProperty(it, 'mine', { get: () => count, configurable: true })
      for (const it of open(app)) it[mark] = count
    }
    const all = (count: unknown) => Array(3).fill([count, count])
    t.deepEqual(seen, [all(undefined), all(1), all(2)])
  })

  test(`a setter of body in the place of Koa's decides what is sent, ${way}`, async t => {
    const setup = (app: Koa) => {
      const koas = inherited(app.response, 'body')
      Object.defineProperty(app.response, 'body', {
        get: koas?.get as () => unknown,
        set(this: Koa.Response, value: unknown) {
          koas?.set?.call(this, { wrapped: value })
        },
      })
    }
    const run: Run = ctx => {
      ctx.body = 'a'
    }
    const { answers } = await talk(t, way, { setup, run })
    t.is(answers[0]?.body, '{"wrapped":"a"}')
  })

  test(`an app.context.onerror of its own answers an error of the middleware, ${way}`, async t => {
    const seen: unknown[] = []
    let calls = 0
    const setup = (app: Koa) => {
      app.context.onerror = function (this: Koa.Context, error: Error | null) {
        calls += 1
        if (error === null) return
        seen.push([error.message, this.status, this.path])
        this.res.statusCode = 418
        this.res.setHeader('Content-Type', 'text/x-mine')
        this.res.end(`mine: ${error.message}`)
      } as never
    }
    const run: Run = () => {
      throw new Error('broken')
    }
    const { answers, connection, errors } = await talk(t, way, { ask: { path: '/a' }, setup, run })
    t.deepEqual(
      answers.map(({ line, body }) => [line, body]),
      Array(2).fill(["HTTP/1.1 418 I'm a Teapot", 'mine: broken']),
    )
    t.is(connection, 'kept')
    t.deepEqual(errors, [])
    t.deepEqual(seen, Array(2).fill(['broken', 404, '/a']))
    t.is(calls, way === 'koa' ? 4 : 2, DIFFERENCES.noCallAtTheEnd.because)
  })

  test(`an app.context.onerror of its own answers what cannot be written, ${way}`, async t => {
    const setup = (app: Koa) => {
      app.context.onerror = function (this: Koa.Context, error: Error | null) {
        if (error === null) return
        this.res.statusCode = 500
        this.res.removeHeader('Content-Length')
        this.res.end('mine')
      } as never
    }
    const run: Run = ctx => {
      ctx.body = { big: 1n }
    }
    const { answers } = await talk(t, way, { setup, run })
    t.deepEqual(
      answers.map(({ body }) => body),
      ['mine', 'mine'],
    )
  })
}

function inherited(it: object | null, name: string): PropertyDescriptor | undefined {
  if (it === null) return undefined
  return Object.getOwnPropertyDescriptor(it, name) ?? inherited(Object.getPrototypeOf(it), name)
}
