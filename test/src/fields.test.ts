import test from 'ava'
import fc from 'fast-check'
import { kolba, reply } from 'kolba'
import { fieldIn, putField } from '../../src/fields.ts'

test('putField() and fieldIn() are what setHeader() and getHeader() are: one line a name, in whatever letters', t => {
  const name = fc.constantFrom('A', 'a', 'B', 'aa', 'Aa', 'ab', 'X-Request-Id', 'x-request-id')
  const same = fc.property(fc.array(fc.tuple(name, fc.string())), puts => {
    const fields: string[] = []
    const model = new Map<string, string>()
    for (const [name, value] of puts) {
      putField(fields, name, value)
      model.set(name.toLowerCase(), value)
    }
    for (const [name, value] of model) if (fieldIn(fields, name.toUpperCase()) !== value) return false
    return fields.length === model.size * 2 && fieldIn(fields, 'none') === undefined
  })
  t.notThrows(() => fc.assert(same))
})

/** What a client gets of an app that sets headers in all these ways before its route has answered, and after. */
test('headers that are set before a reply are in its answer, its own in their place, and Vary and Link beside them', async t => {
  const app = kolba({ signals: false })
  app.use(async (ctx, next) => {
    ctx.set('X-A', 'middleware')
    ctx.set('x-b', 'middleware')
    ctx.set('Vary', 'Origin')
    ctx.append('Link', '<a>; rel="a"')
    await next()
    ctx.set('X-C', 'after')
  })
  app.get('/plain', () => ({ a: 1 }))
  app.get('/reply', () =>
    reply(201, { a: 1 }, { 'X-B': 'reply', 'X-C': 'reply', Vary: 'Accept', Link: '<b>; rel="b"' }),
  )
  const client = app.client()
  const seen = async (path: string) => {
    const { status, headers } = await client.get(path)
    return [status, ...['x-a', 'x-b', 'x-c', 'vary', 'link', 'content-type'].map(name => headers.get(name))]
  }
  const json = 'application/json; charset=utf-8'
  t.deepEqual(await seen('/plain'), [200, 'middleware', 'middleware', 'after', 'Origin', '<a>; rel="a"', json])
  const both = ['Origin, Accept', '<a>; rel="a", <b>; rel="b"']
  t.deepEqual(await seen('/reply'), [201, 'middleware', 'reply', 'after', ...both, json])
})

test('ctx.set() refuses what is no header where it is called', async t => {
  const app = kolba({ signals: false })
  const seen: unknown[] = []
  app.get('/', ctx => {
    for (const [name, value] of [
      ['a b', 'c'],
      ['a', 'b\nc'],
    ] as const) {
      const error = t.throws(() => ctx.set(name, value), { instanceOf: TypeError })
      seen.push((error as NodeJS.ErrnoException).code)
    }
    return 'ok'
  })
  t.is((await app.client().get('/')).status, 200)
  t.deepEqual(seen, ['ERR_INVALID_HTTP_TOKEN', 'ERR_INVALID_CHAR'])
})
