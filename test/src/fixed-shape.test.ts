import { setFlagsFromString } from 'node:v8'
import test from 'ava'
import { kolba } from 'kolba'

// V8 looks properties up in a table where an object has lost its shape, and an app is asked for a dozen with each request.
setFlagsFromString('--allow-natives-syntax')
const isFast = new Function('value', 'return %HasFastProperties(value)') as (value: object) => boolean

test('an app keeps one fixed shape', t => {
  const app = kolba({ proxy: ['10.0.0.0/8'], keys: ['secret'] })
  app.get('/books/:id', ctx => ctx.params.id)
  app.use((_ctx, next) => next())
  app.before(() => {})
  app.onError(RangeError, () => 'none')
  app.callback()
  t.true(isFast(app))
  t.false(isFast(Object.defineProperty(kolba(), 'env', { get: () => 'test' })), 'an app that has lost it')
})

test('app.proxy is false and may be set to nothing else, by the class', t => {
  const app = kolba()
  t.false(Object.hasOwn(app, 'proxy'))
  app.proxy = false
  t.false(app.proxy)
  t.throws(() => Object.assign(app, { proxy: true }), {
    instanceOf: TypeError,
    message: "proxy: name the proxies to believe, kolba({ proxy: ['10.0.0.0/8'] }).",
  })
})
