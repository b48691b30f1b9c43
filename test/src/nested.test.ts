import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { type BaseContext, decorator, type Handler, kolba, nested, type Route } from 'kolba'
import { MemoryLogger } from '../support/memory-logger.ts'

/** A decorator that hands a request with `?inner` to another handler. */
function choosing(inner: Handler<BaseContext>) {
  return decorator('choosing', (_ctx, next) => next(), {
    register(route: Route) {
      const run = nested(inner, route)
      return (ctx, next) => (ctx.search === '?inner' ? run(ctx) : next())
    },
  })
}

test('nested() registers the decorators of a composed handler on the route', async t => {
  const app = kolba()
  const marked = decorator('marked', (_ctx, next) => next(), {
    register: route => async (_ctx, next) => `${route.path} ${await next()}`,
  })
  app.get('/books/:id', choosing(marked(marked(() => 'inner'))), () => 'outer')
  const client = app.client()
  t.is(await (await client.get('/books/7')).text(), 'outer')
  t.is(await (await client.get('/books/7?inner')).text(), '/books/:id /books/:id inner')
})

test('nested() takes a handler that has no decorators', async t => {
  const app = kolba()
  app.get(
    '/',
    choosing(ctx => `inner ${ctx.path}`),
    () => 'outer',
  )
  t.is(await (await app.client().get('/?inner')).text(), 'inner /')
})

test('nested() lets a decorator of the handler refuse the route', t => {
  const app = kolba()
  const refusing = decorator('refusing', (_ctx, next) => next(), {
    register() {
      throw new TypeError('refusing: not here.')
    },
  })
  t.throws(() => app.get('/', choosing(refusing(() => 'inner')), () => 'outer'), { message: 'refusing: not here.' })
})

test('nested() survives a stream that fails while a decorator of the handler still waits', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const waiting = decorator('waiting', async (_ctx, next) => {
    const value = await next()
    await setImmediate()
    return value
  })
  const failing = () => Readable.from(['x']).destroy(new Error('broken'))
  app.get('/', choosing(waiting(failing)), () => 'outer')
  t.is((await app.client().get('/?inner')).status, 500)
  t.is(logger.lines[0]?.message, 'broken')
})

test('nested() runs what waits for the body above, where the chosen handler has read it', async t => {
  const app = kolba()
  const seen: string[] = []
  const noting = (name: string, options = {}) =>
    decorator(
      name,
      (_ctx, next) => {
        seen.push(name)
        return next()
      },
      options,
    )
  const guard = decorator('guard', (_ctx, next) => next(), {
    register: () => ({
      afterBody(_ctx, next) {
        seen.push('guard')
        return next()
      },
    }),
  })
  const reader = (name: string) => noting(name, { reads: true })
  const outer = reader('outer body')(() => 'outer')
  app.get('/read', guard, choosing(noting('above')(reader('inner body')(() => 'inner'))), outer)
  app.get('/plain', guard, choosing(noting('above')(() => 'inner')), outer)
  app.get(
    '/bare',
    guard,
    choosing(() => 'inner'),
    outer,
  )
  const client = app.client()
  const runs = async (url: string) => {
    seen.length = 0
    await client.get(url)
    return seen.join(', ')
  }
  t.is(await runs('/read'), 'outer body, guard')
  t.is(await runs('/read?inner'), 'above, inner body, guard')
  t.is(await runs('/plain?inner'), 'guard, above')
  t.is(await runs('/bare?inner'), 'guard')
})
