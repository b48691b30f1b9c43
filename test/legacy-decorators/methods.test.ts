// The cases of test/src/methods.test.ts, compiled with experimentalDecorators. There, a private method cannot have an @.
import test from 'ava'
import Koa from 'koa'
import {
  type Context,
  decorator,
  del,
  get,
  head,
  kolba,
  options,
  patch,
  post,
  put,
  query,
  route,
  stack,
  when,
} from 'kolba'
import { json } from 'kolba/json'

const wrap = (label: string) => decorator(label, (_ctx, next) => when(next(), value => `${label}(${value})`))
const refused = (message: string) => ({ instanceOf: TypeError, message })
const OTHERS = 'a class, a field, an accessor, or a static, private or symbol-named method.'
const nowhere = (name: string) =>
  refused(`${name}: this stands on a handler or on a method of a class, not on ${OTHERS}`)

class Books {
  readonly #shelf: Map<string, string>

  constructor(shelf: Record<string, string> = {}) {
    this.#shelf = new Map(Object.entries(shelf))
  }

  @get('/books')
  @json()
  list() {
    return [...this.#shelf.keys()]
  }

  @get('/books/:id')
  @wrap('a')
  @stack(wrap('b'), wrap('c'))
  show(ctx: Context<'/books/:id'>) {
    return this.#shelf.get(ctx.params.id)
  }
}

test('@get() runs the method on the instance, its decorators outermost first', async t => {
  const app = kolba()
  app.mount('/v1', new Books({ 7: 'Dune' }))
  const client = app.client()
  t.deepEqual(await (await client.get('/v1/books')).json(), ['7'])
  t.is(await (await client.get('/v1/books/7')).text(), 'a(b(c(Dune)))')
  t.deepEqual(
    app.routes().map(({ path, name, decorators }) => [path, name, decorators.map(it => it.name).join()]),
    [
      ['/v1/books', 'books.list', 'json'],
      ['/v1/books/:id', 'books.show', 'a,b,c'],
    ],
  )
})

test('@get() leaves the method as it was written', t => {
  t.deepEqual(new Books({ 7: 'Dune' }).list(), ['7'])
})

test('mount() takes several instances of a class, each with a stack of its own', async t => {
  const app = kolba()
  app.mount('/fiction', new Books({ 1: 'Dune' }), wrap('f'))
  app.mount('/science/:field', new Books({ 1: 'Cosmos' }), wrap('s'))
  const client = app.client()
  t.is(await (await client.get('/fiction/books/1')).text(), 'f(a(b(c(Dune))))')
  t.is(await (await client.get('/science/stars/books/1')).text(), 's(a(b(c(Cosmos))))')
})

test('@ has every verb, several routes on a method, and @route()', async t => {
  class Verbs {
    @get('/') @post('/') @put('/') @patch('/') @del('/') @options('/') @query('/') answer(ctx: Context) {
      return ctx.method
    }
    @head('/head') head() {
      return 'head'
    }
    @route(['PUT', 'PATCH'], '/save') @get('/save/:id') save(ctx: Context) {
      return `${ctx.method} ${ctx.path}`
    }
  }
  const app = kolba()
  app.mount('/v', new Verbs())
  const client = app.client()
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])
    t.is(await (await client.fetch('/v', { method })).text(), method)
  t.is((await client.head('/v/head')).status, 200)
  t.is(await (await client.patch('/v/save')).text(), 'PATCH /v/save')
  t.is(await (await client.get('/v/save/7')).text(), 'GET /v/save/7')
})

test('a subclass keeps the routes it inherits, overrides a body, and overrides a route', async t => {
  class Base {
    @get('/kept') kept() {
      return 'kept'
    }
    @get('/body') @wrap('base') body() {
      return 'base'
    }
    @get('/old') moved() {
      return 'old'
    }
  }
  class Sub extends Base {
    override body() {
      return 'sub'
    }
    @get('/new') override moved() {
      return 'new'
    }
  }
  const app = kolba()
  app.mount('', new Sub())
  const client = app.client()
  t.is(await (await client.get('/kept')).text(), 'kept')
  t.is(await (await client.get('/body')).text(), 'base(sub)')
  t.is(await (await client.get('/new')).text(), 'new')
  t.is((await client.get('/old')).status, 404)
})

test('@ above the route is refused', t => {
  t.throws(() => {
    class Wrong {
      // biome-ignore format: the order is the matter
      @json() @get('/') show() { return 1 }
    }
    return Wrong
  }, refused("show: @json stands above the method's route, where it would not run. Put it below."))
})

test('@ is refused on a class', t => {
  t.throws(() => {
    // @ts-expect-error it is for methods
    @get('/')
    class Wrong {}
    return Wrong
  }, nowhere("@get('/')"))
  t.throws(() => {
    // @ts-expect-error it is for methods
    @json()
    class Wrong {}
    return Wrong
  }, nowhere('@json'))
})

test('@ is refused on a field', t => {
  t.throws(() => {
    class Wrong {
      // @ts-expect-error it is for methods
      @get('/') show = () => 1
    }
    return Wrong
  }, nowhere("@get('/')"))
  t.throws(() => {
    class Wrong {
      // @ts-expect-error it is for methods
      @json() show = () => 1
    }
    return Wrong
  }, nowhere('@json'))
})

test('@ is refused on a static method', t => {
  t.throws(() => {
    class Wrong {
      also = 1
      @get('/') static show() {}
    }
    return Wrong
  }, nowhere("@get('/')"))
  t.throws(() => {
    class Wrong {
      also = 1
      @json() static show() {}
    }
    return Wrong
  }, nowhere('@json'))
})

test('@ is refused on a getter', t => {
  t.throws(() => {
    class Wrong {
      // @ts-expect-error it is for methods
      @get('/') get show() {
        return 1
      }
    }
    return Wrong
  }, nowhere("@get('/')"))
  t.throws(() => {
    class Wrong {
      @json() get show() {
        return 1
      }
    }
    return Wrong
  }, nowhere('@json'))
})

test('@ is refused on a method that is named by a symbol', t => {
  const show = Symbol('show')
  t.throws(() => {
    class Wrong {
      @get('/') [show]() {}
    }
    return Wrong
  }, nowhere("@get('/')"))
})

test('@ refuses a path or a method that no route can have', t => {
  t.throws(() => get('books'), refused("@get('books'): a path starts with a slash. Write '/books'."))
  t.throws(
    () => get('/a/*'),
    refused("@get('/a/*'): the path cannot be read: a wildcard has a name: write /*rest for /*."),
  )
  t.throws(
    () => route('FETCH', '/a'),
    refused("@route /a: FETCH is no method. Give one like 'GET' or ['PUT', 'PATCH']."),
  )
  t.throws(
    () => route([], '/a'),
    refused("@route /a: an empty list is no method. Give one like 'GET' or ['PUT', 'PATCH']."),
  )
})

test('mount() refuses a class that has nothing to mount', t => {
  const app = kolba()
  class Plain {
    show() {}
  }
  class Halfway {
    @get('/') list() {}
    @json() @wrap('a') show() {}
  }
  const has = 'Mount a blueprint, an app, or an instance of a class with @get.'
  t.throws(() => app.mount('/x', new Plain()), refused(`mount /x: Plain has no routes. ${has}`))
  t.throws(() => app.mount('/x', {}), refused(`mount /x: Object has no routes. ${has}`))
  t.throws(() => app.mount('/x', null as never), refused(`mount /x: the object has no routes. ${has}`))
  t.throws(
    () => app.mount('/x', Books as never),
    refused('mount /x: Books is a class. Mount an instance: new Books().'),
  )
  t.throws(
    () => app.mount('/x', Koa as never),
    refused('mount /x: Application is a class. Mount an instance: new Application().'),
  )
  t.throws(
    () => app.mount('/x', new Halfway()),
    refused("mount /x: Halfway.show has @json @a and no route. Put @get('/...') or the like above."),
  )
})

/** A decorator of another library, which puts a function of its own in the place of the method. */
const traced = (_target: object, _name: string, descriptor: PropertyDescriptor) => {
  const method = descriptor.value
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return method.apply(this, args)
  }
}

test('mount() refuses an instance whose decorators another decorator hides, which would not run', t => {
  class Between {
    // biome-ignore format: the order is the matter
    @get('/') @traced @wrap('a') show() { return 1 }
  }
  class Above {
    // biome-ignore format: the order is the matter
    @traced @get('/') show() { return 1 }
    @get('/list') list() {}
  }
  const advice = "is hidden by a decorator that is not kolba's, so it would not run. Put that one below."
  t.throws(() => kolba().mount('/x', new Between()), refused(`show: @a ${advice}`))
  t.throws(() => kolba().mount('/x', new Above()), refused(`show: @get('/') ${advice}`))
})

test('a decorator of another library may stand below, in a base class too', async t => {
  class Base {
    // biome-ignore format: the order is the matter
    @get('/') @wrap('a') @traced show() { return 'base' }
  }
  class Sub extends Base {
    override show() {
      return 'sub'
    }
  }
  const app = kolba()
  app.mount('/base', new Base())
  app.mount('/sub', new Sub())
  t.is(await (await app.client().get('/base')).text(), 'a(base)')
  t.is(await (await app.client().get('/sub')).text(), 'a(sub)')
})
