import test from 'ava'
import Koa from 'koa'
import {
  type BaseContext,
  type Blueprint,
  blueprint,
  decorator,
  type Kolba,
  kolba,
  type Next,
  problem,
  reply,
  stack,
  when,
} from 'kolba'
import { json } from 'kolba/json'
import { keeping, layer, trace } from '../support/layers.ts'

const refused = (message: string) => ({ instanceOf: TypeError, message })
const text = async (app: Kolba, path: string) => (await app.client().get(path)).text()
const wrap = (label: string) => decorator(label, (_ctx, next) => when(next(), value => `${label}(${value})`))
/** A Koa app that says how it sees the path, and what it is asked for at `/missing` leaves to others. */
const echo = () => {
  const koa = new Koa()
  koa.use((ctx, next) => {
    if (ctx.path.startsWith('/missing')) return next()
    ctx.body = `${ctx.path}${ctx.search}`
  })
  return koa
}

test('group() stands outside the stacks of its routes, and nests', async t => {
  const app = kolba()
  const outer = app.group('/a', layer('1'), layer('2'))
  const inner = outer.group('/b/:id', stack(layer('3')))
  inner.get('/c', layer('4'), ctx => [...trace(ctx), ctx.params.id].join())
  outer.get('/', ctx => trace(ctx).join())
  t.is(await text(app, '/a/b/7/c'), '1,2,3,4,7')
  t.is(await text(app, '/a'), '1,2')
})

test('group() gives what its stack adds, and the parameters of its prefix, to its routes', async t => {
  const app = kolba()
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: string }>) => next({ user: 'Ada' }))
  const tenant = app.group('/:tenant', signedIn)
  tenant.get('/:id', ctx => `${ctx.user} ${ctx.params.tenant} ${ctx.params.id}`)
  t.is(await text(app, '/acme/7'), 'Ada acme 7')
})

test('mount() puts a blueprint under a prefix, with the stacks of the mount and of the blueprint', async t => {
  const books = blueprint('books', layer('blueprint'))
  books.get('/:id', layer('route'), function show(ctx) {
    return [...trace(ctx), ctx.params.id].join()
  })
  const app = kolba()
  app.group('/v1', layer('group')).mount('/books', books, layer('mount'))
  t.is(await text(app, '/v1/books/7'), 'group,mount,blueprint,route,7')
  t.is(app.url('books.show', { id: 7 }), '/v1/books/7')
})

test('mount() takes a blueprint that needs what the mount adds', async t => {
  const mine = blueprint<{ user: string }>('mine')
  mine.get('/', ctx => ctx.user)
  const app = kolba()
  const signedIn = decorator('signedIn', (_ctx, next: Next<{ user: string }>) => next({ user: 'Ada' }))
  app.mount('/mine', mine, signedIn)
  t.is(await text(app, '/mine'), 'Ada')
})

test('mount() takes blueprints in blueprints, whose names stand one before the other', async t => {
  const shelf = blueprint('shelf', layer('shelf'))
  const library = blueprint('library', layer('library'))
  library.mount('/shelves/:shelf', shelf, layer('mount'))
  shelf.get('/books/:id', function show(ctx) {
    return [...trace(ctx), ...Object.values(ctx.params)].join()
  })
  const app = kolba()
  app.mount('/', library)
  t.is(await text(app, '/shelves/2/books/7'), 'library,mount,shelf,2,7')
  t.deepEqual(
    app.routes().map(({ name }) => name),
    ['library.shelf.show'],
  )
})

test('mount() knows routes that a blueprint gets later, however deep', async t => {
  const inner = blueprint(layer('inner'))
  const outer = blueprint(layer('outer'))
  const app = kolba()
  outer.mount('/inner', inner)
  app.mount('/outer', outer, layer('mount'))
  inner.get('/late', ctx => trace(ctx).join())
  inner.group('/group', layer('group')).get('/later', ctx => trace(ctx).join())
  t.is(await text(app, '/outer/inner/late'), 'mount,outer,inner')
  t.is(await text(app, '/outer/inner/group/later'), 'mount,outer,inner,group')
})

test('mount() takes one blueprint several times, on several apps', async t => {
  const books = blueprint()
  const [first, second] = [kolba(), kolba()]
  first.mount('/a', books, wrap('a'))
  first.mount('/b', books, wrap('b'))
  second.mount('', books)
  books.get('/', () => 'book')
  t.is(await text(first, '/a'), 'a(book)')
  t.is(await text(first, '/b'), 'b(book)')
  t.is(await text(second, '/'), 'book')
})

test('a prefix joins a path whatever its slashes', t => {
  const app = kolba()
  const books = blueprint()
  books.get('/', () => 1)
  books.get('/x', () => 1)
  for (const prefix of ['/a', '/b/', '', '{/:lang}/c']) app.mount(prefix, books)
  t.deepEqual(
    app.routes().map(({ path }) => path),
    ['/a', '/a/x', '/b', '/b/x', '/', '/x', '{/:lang}/c', '{/:lang}/c/x'],
  )
})

test('a prefix with parameters keeps the stack of a group, a mount, an instance, a kolba app and a Koa app', async t => {
  const closed = decorator('closed', () => reply(403, 'closed'))
  const open = () => {
    const inner = kolba()
    inner.get('/x', () => 'open')
    return inner
  }
  const routes = () => {
    const its = blueprint()
    its.get('/x', () => 'open')
    return its
  }
  const app = kolba()
  app.group('/a/:id', closed).get('/x', () => 'open')
  app
    .group('/b/:id-:kind', closed)
    .group('/:other')
    .get('/x', () => 'open')
  app.mount('/c/:id', routes(), closed)
  app.mount('/d/:id', open(), closed)
  app.mount('/e/:id', echo(), closed)
  app.group('/f/:id', closed).mount('/:other', echo())
  app.group('/g{/:id}', closed).mount('/y', routes())
  app.group('/h/*rest', closed).get('/x', () => 'open')
  const client = app.client()
  const paths = [
    '/a/1/x',
    '/b/1-2/3/x',
    '/c/1/x',
    '/d/1/x',
    '/e/1',
    '/e/1/x',
    '/f/1/2',
    '/f/1/2/x',
    '/g/y/x',
    '/g/1/y/x',
    '/h/1/2/x',
  ]
  for (const path of [...paths, ...paths.map(path => `${path}/`)])
    for (const method of ['GET', 'HEAD']) t.is((await client.fetch(path, { method })).status, 403, `${method} ${path}`)
})

test('mount() puts a Koa app under a prefix, and shows it the path without', async t => {
  const app = kolba()
  app.mount('/koa', echo())
  app.mount('/t/:tenant/koa/', echo())
  t.is(await text(app, '/koa'), '/')
  t.is(await text(app, '/koa/'), '/')
  t.is(await text(app, '/koa/a/b?c=d'), '/a/b?c=d')
  t.is(await text(app, '/t/acme/koa/a%2Fb/'), '/a%2Fb/')
  t.is((await app.client().get('/koala')).status, 404)
})

test('mount() puts a Koa app at the root, behind the routes', async t => {
  const app = kolba()
  app.mount('/', echo())
  app.get('/own', () => 'own')
  t.is(await text(app, '/own'), 'own')
  t.is(await text(app, '/'), '/')
  t.is(await text(app, '/other'), '/other')
})

test('mount() gives a Koa app every method, and what it leaves ends in a 404', async t => {
  const app = kolba({ logger: keeping() })
  app.mount('/koa', echo(), wrap('w'))
  const client = app.client()
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
    t.is(await (await client.fetch('/koa/x', { method })).text(), 'w(/x)')
  const missing = await client.get('/koa/missing')
  t.is(missing.status, 404)
  t.is(missing.headers.get('content-type'), 'application/problem+json')
  t.is(((await missing.json()) as { instance: string }).instance, '/koa/missing')
})

test('mount() leaves a 404 to a Koa app that answers it, and an error to one that rescues it', async t => {
  const koa = new Koa()
  koa.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.body = `rescued ${(error as Error).message}`
    }
    if (ctx.status !== 404) return
    ctx.status = 404
    ctx.body = 'my own'
  })
  koa.use((ctx, next) => {
    if (ctx.path === '/broken') throw new Error('it')
    return next()
  })
  const app = kolba()
  app.mount('/koa', koa)
  const missing = await app.client().get('/koa/x')
  t.deepEqual([missing.status, await missing.text()], [404, 'my own'])
  t.is(await text(app, '/koa/broken'), 'rescued it')
})

test('mount() takes the next Koa app where the first has no answer', async t => {
  const app = kolba()
  app.mount('/koa', echo(), wrap('first'))
  const second = new Koa()
  second.use(ctx => {
    ctx.body = 'second'
  })
  app.mount('/koa/missing', second)
  t.is(await text(app, '/koa/x'), 'first(/x)')
  t.is(await text(app, '/koa/missing/x'), 'second')
})

test('mount() makes the routes of a kolba app routes here, inside the middleware and hooks of that app', async t => {
  const inner = kolba()
  const steps: string[] = []
  inner.use(async (ctx, next) => {
    steps.push(`in ${ctx.path}`)
    await next()
    steps.push(`out ${ctx.path}`)
  })
  inner.before(ctx => void steps.push(`before ${ctx.path}`))
  inner.after(ctx => void steps.push(`after ${ctx.path}`))
  inner.get('/books/:id', layer('route'), ctx => {
    steps.push(`handler ${ctx.path} ${ctx.route?.path}`)
    return [...trace(ctx), ctx.params.id].join()
  })
  const app = kolba()
  app.get('/own', () => 'own')
  app.mount('/v1/:tenant', inner, layer('mount'))
  t.is(await text(app, '/v1/acme/books/7'), 'mount,route,7')
  t.deepEqual(steps, [
    'in /books/7',
    'before /books/7',
    'handler /v1/acme/books/7 /v1/:tenant/books/:id',
    'out /books/7',
    'after /books/7',
  ])
  t.is(await text(app, '/own'), 'own')
  t.is(steps.length, 5, 'and nothing of it runs for the other routes')
  t.is((await app.client().post('/v1/acme/books/7')).headers.get('allow'), 'GET, HEAD, OPTIONS')
})

test('mount() knows routes, middleware and hooks that a kolba app gets later', async t => {
  const [app, inner, innermost] = [kolba(), kolba(), kolba()]
  app.mount('/a', inner)
  inner.mount('/b/:id', innermost, layer('mount'))
  const seen: string[] = []
  innermost.use((ctx, next) => {
    seen.push(ctx.path)
    return next()
  })
  inner.before(() => void seen.push('before'))
  innermost.get('/c', ctx => trace(ctx).join())
  t.is(await text(app, '/a/b/7/c'), 'mount')
  t.deepEqual(seen, ['before', '/c'])
  t.is(await text(inner, '/b/7/c'), 'mount')
  t.is(await text(innermost, '/c'), '')
})

test('a mounted kolba app answers errors of its routes by its own onError, the rest is left to the outer app', async t => {
  class Mine extends Error {}
  class Yours extends Error {}
  const inner = kolba()
  inner.onError(Mine, () => reply(418, 'inner'))
  inner.get('/mine', () => {
    throw new Mine()
  })
  inner.get('/yours', () => {
    throw new Yours()
  })
  const app = kolba()
  app.onError(Mine, () => reply(400, 'outer'))
  app.onError(Yours, () => reply(409, 'outer'))
  app.get('/mine', () => {
    throw new Mine()
  })
  app.mount('/in', inner)
  const client = app.client()
  const answer = async (path: string) => {
    const response = await client.get(path)
    return [response.status, await response.text()]
  }
  t.deepEqual(await answer('/in/mine'), [418, 'inner'])
  t.deepEqual(await answer('/in/yours'), [409, 'outer'])
  t.deepEqual(await answer('/mine'), [400, 'outer'])
})

test('before() of a mounted kolba app may answer, with a status and no body too', async t => {
  const inner = kolba()
  inner.before(ctx => (ctx.get('authorization') ? undefined : reply(401)))
  inner.get('/x', () => 'open')
  const app = kolba()
  app.mount('/in', inner)
  t.is((await app.client().get('/in/x')).status, 401)
  t.is(await (await app.client({ headers: { authorization: 'yes' } }).get('/in/x')).text(), 'open')
})

test('the middleware of a mounted kolba app answers what no route of it does', async t => {
  const inner = kolba()
  inner.use((ctx, next) => {
    if (ctx.path !== '/static.txt') return next()
    ctx.body = 'static'
  })
  inner.get('/x', () => 'x')
  const app = kolba()
  app.mount('/in', inner, wrap('w'))
  t.is(await text(app, '/in/static.txt'), 'w(static)')
  t.is(await text(app, '/in/x'), 'w(x)')
  t.is((await app.client().get('/in/none')).status, 404)
  t.is((await app.client().post('/in/x')).status, 405)
})

test('a mounted kolba app keeps the status of what its handlers give', async t => {
  const inner = kolba()
  inner.get('/reply', () => reply(202, 'later', { 'Retry-After': '5' }))
  inner.get('/empty', () => null)
  inner.get('/problem', () => {
    throw problem(409)
  })
  const app = kolba()
  app.mount('/in', inner)
  const client = app.client()
  const response = await client.get('/in/reply')
  t.deepEqual([response.status, response.headers.get('retry-after'), await response.text()], [202, '5', 'later'])
  t.is((await client.get('/in/empty')).status, 204)
  t.is((await client.get('/in/problem')).status, 409)
})

test('mount() of an app is refused under a prefix whose length varies', t => {
  const why = 'whose length varies. Mount it once for each length, without braces and wildcards.'
  t.throws(
    () => kolba().mount('{/:lang}/k', echo()),
    refused(`ALL {/:lang}/k{/*rest}: an app is mounted under {/:lang}/k, ${why}`),
  )
  t.throws(() => kolba().mount('/*path', echo()), refused(`ALL /*path{/*rest}: an app is mounted under /*path, ${why}`))
})

test('mount() is refused in a circle', t => {
  const message = (prefix: string) =>
    refused(`mount ${prefix}: this would be mounted on itself. Mount it on another blueprint or app.`)
  const [a, b, c] = [blueprint(), blueprint(), blueprint()]
  t.throws(() => a.mount('/a', a), message('/a'))
  a.mount('/b', b)
  b.mount('/c', c)
  t.throws(() => c.mount('/a', a), message('/a'))
  t.throws(() => a.group('/group').mount('/a', a), message('/a'))
  const [app, inner] = [kolba(), kolba()]
  t.throws(() => app.mount('/app', app), message('/app'))
  app.mount('/inner', inner)
  t.throws(() => inner.mount('/app', app), message('/app'))
  t.throws(() => app.group('/group').mount('/app', app), message('/app'))
})

test('mount(), group() and blueprint() refuse a prefix that is none, and what is no decorator', t => {
  const app = kolba() as Pick<Kolba, 'mount' | 'group'> as {
    mount(...args: unknown[]): void
    group(...args: unknown[]): Blueprint
  }
  const make = blueprint as (...args: unknown[]) => Blueprint
  for (const what of [blueprint(), kolba(), new Koa(), {}])
    t.throws(() => app.mount('v1', what), refused("mount v1: a path starts with a slash. Write '/v1'."))
  t.throws(() => app.group('v1'), refused("group v1: a path starts with a slash. Write '/v1'."))
  t.throws(
    () => app.group('/:id?'),
    refused('group /:id?: the path cannot be read: an optional part stands in braces: write {/:page} for /:page?.'),
  )
  t.throws(
    () => app.mount('/x', blueprint(), json),
    refused('mount /x: json is not a decorator. Did you mean json()? A handler goes last.'),
  )
  t.throws(
    () => app.group('/x', json),
    refused('group /x: json is not a decorator. Did you mean json()? A handler goes last.'),
  )
  t.throws(
    () => make('books', json),
    refused('blueprint books: json is not a decorator. Did you mean json()? A handler goes last.'),
  )
  t.throws(() => make(5), refused('blueprint: argument 1 of the stack is not a decorator.'))
})

test('a duplicate is refused when the blueprint that brings it is mounted, and when it comes later', t => {
  const app = kolba()
  const books = blueprint()
  books.get('/:id', () => 1)
  app.get('/books/:key', () => 1)
  t.throws(
    () => app.mount('/books', books),
    refused('GET /books/:id: GET /books/:key is there already. Change or remove one of them.'),
  )
  const late = blueprint()
  app.mount('/late', late)
  app.get('/late/x', () => 1)
  t.throws(
    () => late.get('/x', () => 1),
    refused('GET /late/x: GET /late/x is there already. Change or remove one of them.'),
  )
})

test('a parameter that stands twice in prefix and path is refused', t => {
  const app = kolba()
  t.throws(
    () => app.group('/:id').get('/:id', (ctx: BaseContext) => ctx.path),
    refused('GET /:id/:id: the parameter id stands twice in the path. Rename one.'),
  )
})

test('the middleware of a mounted kolba app runs once around the Koa apps that are mounted on it', async t => {
  const [app, inner] = [kolba(), kolba()]
  const seen: string[] = []
  inner.use((ctx, next) => {
    seen.push(`inner ${ctx.path}`)
    return next()
  })
  inner.mount('/k/:b', echo(), wrap('w'))
  const second = new Koa()
  second.use(ctx => {
    ctx.body = `second ${ctx.path} ${ctx.params.a}${ctx.params.b}`
  })
  inner.mount('/k/:b', second)
  app.mount('/in/:a', inner, wrap('m'))
  const client = app.client()
  t.is(await (await client.get('/in/1/k/2/x')).text(), 'm(w(/x))')
  t.is(await (await client.get('/in/1/k/2/missing')).text(), 'm(second /missing 12)')
  t.is((await client.get('/in/1/none')).status, 404)
  t.deepEqual(seen, ['inner /k/2/x', 'inner /k/2/missing', 'inner /none'])
})

test('ctx.route and ctx.params are as before where a mounted app has not answered', async t => {
  const app = kolba()
  const seen: unknown[] = []
  app.after(ctx => void seen.push(ctx.route, (ctx as { params?: object }).params))
  app.mount(
    '/koa',
    new Koa().use((_ctx, next) => next()),
  )
  t.is((await app.client().get('/koa/nothing')).status, 404)
  t.deepEqual(seen, [undefined, undefined])
})

test('mount() of an app starts and stops it with the outer one', async t => {
  const events: string[] = []
  const app = kolba()
  const inner = kolba()
  const innermost = kolba()
  const tell = (name: string, it: typeof app) =>
    it.onStart(() => void events.push(`start ${name}`)).onStop(() => void events.push(`stop ${name}`))
  tell('innermost', innermost)
  inner.mount('/c', innermost)
  tell('inner', inner)
  app.mount('/b', inner)
  tell('app', app)
  innermost.get('/', () => 'x')
  t.is(await (await app.client().get('/b/c')).text(), 'x')
  t.deepEqual(events, ['start app', 'start inner', 'start innermost'])
  await app.close()
  t.deepEqual(events.slice(3), ['stop innermost', 'stop inner', 'stop app'])
})
