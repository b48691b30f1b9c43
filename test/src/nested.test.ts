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
