// What is read of a response, and what is set on it: each getter, setter and method of Koa's response, on ctx.response
// and where Koa delegates to it on ctx. What the answer is then on the line stands in the second table.
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import test from 'ava'
import Koa from 'koa'
import { kolba, reply } from 'kolba'
import { appOf, portOf, type Row, talk, testBesideKoa, testReadings, textOf } from '../support/beside-koa.ts'
import type { Named } from '../support/koa-differences.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { Line } from '../support/raw.ts'

/** What an action throws, as text. */
function thrownBy(action: () => void): string {
  try {
    action()
    return 'nothing'
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

const ANY_ID = 'any'

/** Headers as they are, and one id for every other. */
function headersOf(headers: Record<string, unknown>): Record<string, unknown> {
  return { ...headers, ...('x-request-id' in headers && { 'x-request-id': ANY_ID }) }
}

testReadings({
  'ctx.status is 404 at first': {
    read: ctx => [ctx.status, ctx.response.status, ctx.res.statusCode, ctx.message, ctx.body, ctx.headerSent],
    is: [404, 404, 404, 'Not Found', undefined, false],
  },
  'ctx.status sets the phrase': {
    read: ctx => {
      ctx.status = 201
      return [ctx.status, ctx.message, ctx.res.statusCode, ctx.res.statusMessage]
    },
    is: [201, 'Created', 201, 'Created'],
  },
  'ctx.response.status may be set, and res.statusCode is read': {
    read: ctx => {
      ctx.response.status = 202
      const first = ctx.status
      ctx.res.statusCode = 203
      return [first, ctx.status, ctx.response.status]
    },
    is: [202, 203, 203],
  },
  'ctx.status refuses what is none': {
    read: ctx => [
      thrownBy(() => {
        ctx.status = 'no' as never
      }),
      thrownBy(() => {
        ctx.status = 99
      }),
      thrownBy(() => {
        ctx.status = 1000
      }),
      ctx.status,
    ],
    is: [
      'AssertionError: status code must be a number',
      'AssertionError: invalid status code: 99',
      'AssertionError: invalid status code: 1000',
      404,
    ],
  },
  'ctx.status without a body takes the body away': {
    read: ctx => {
      ctx.body = 'a'
      ctx.status = 204
      return [ctx.body, ctx.type, ctx.length, ctx.status]
    },
    is: [null, '', undefined, 204],
  },
  'ctx.message may be set': {
    read: ctx => {
      ctx.status = 200
      ctx.message = 'Fine'
      return [ctx.message, ctx.response.message, ctx.res.statusMessage]
    },
    is: ['Fine', 'Fine', 'Fine'],
  },
  'ctx.body is what was set': {
    read: ctx => {
      const value = { a: 1 }
      ctx.body = value
      return [ctx.body === value, ctx.response.body === value, ctx.status, ctx.type]
    },
    is: [true, true, 200, 'application/json'],
  },
  'ctx.response.body may be set': {
    read: ctx => {
      ctx.response.body = 'a'
      return [ctx.body, ctx.status, ctx.type, ctx.length]
    },
    is: ['a', 200, 'text/plain', 1],
  },
  'ctx.length of each kind of body': {
    read: ctx =>
      ['é', Buffer.from('abc'), { a: 'é' }, [1], 7, Readable.from(['a']), new Blob(['abcd'])].map(value => {
        ctx.remove('Content-Length')
        ctx.body = value
        return ctx.response.length
      }),
    is: [2, 3, 10, 3, 1, undefined, 4],
  },
  'ctx.length may be set': {
    read: ctx => {
      ctx.length = 7
      return [ctx.length, ctx.response.length, ctx.response.get('Content-Length')]
    },
    is: [7, 7, 7],
  },
  'ctx.length that is no number is zero': {
    read: ctx => {
      ctx.set('Content-Length', 'x')
      const { length } = ctx
      ctx.remove('Content-Length')
      return length
    },
    is: 0,
  },
  'ctx.length is left out with Transfer-Encoding': {
    read: ctx => {
      ctx.set('Transfer-Encoding', 'chunked')
      ctx.length = 7
      const has = ctx.has('Content-Length')
      ctx.remove('Transfer-Encoding')
      return has
    },
    is: false,
  },
  'ctx.type by extension, by type, and none': {
    read: ctx =>
      [
        '.html',
        'json',
        'text/css',
        'application/vnd.api+json',
        'text/html; charset=latin1',
        'nothing-known',
        'png',
      ].map(type => {
        ctx.type = type
        return [ctx.type, ctx.response.type, ctx.response.get('Content-Type')]
      }),
    is: [
      ['text/html', 'text/html', 'text/html; charset=utf-8'],
      ['application/json', 'application/json', 'application/json; charset=utf-8'],
      ['text/css', 'text/css', 'text/css; charset=utf-8'],
      ['application/vnd.api+json', 'application/vnd.api+json', 'application/vnd.api+json'],
      ['text/html', 'text/html', 'text/html; charset=latin1'],
      ['', '', undefined],
      ['image/png', 'image/png', 'image/png'],
    ],
  },
  'ctx.response.is()': {
    read: ctx => {
      ctx.type = 'text/html; charset=utf-8'
      return [
        ctx.response.is(),
        ctx.response.is('html'),
        ctx.response.is('text/*', 'json'),
        ctx.response.is(['json', 'html']),
        ctx.response.is('json'),
      ]
    },
    is: ['text/html', 'html', 'text/html', 'html', false],
  },
  'ctx.response.is() without a type': { read: ctx => ctx.response.is('html'), is: false },
  'ctx.lastModified from a date and from text': {
    read: ctx => {
      const first = [ctx.lastModified, ctx.response.lastModified]
      ctx.lastModified = new Date(0)
      const second = [ctx.response.get('Last-Modified'), ctx.lastModified]
      ctx.response.lastModified = '2026-01-01' as never
      return [...first, ...second, ctx.response.get('Last-Modified')]
    },
    is: [undefined, undefined, 'Thu, 01 Jan 1970 00:00:00 GMT', new Date(0), 'Thu, 01 Jan 2026 00:00:00 GMT'],
  },
  'ctx.etag is put in quotes': {
    read: ctx =>
      ['a', '"b"', 'W/"c"'].map(tag => {
        ctx.etag = tag
        return [ctx.etag, ctx.response.etag, ctx.response.get('ETag')]
      }),
    is: [
      ['"a"', '"a"', '"a"'],
      ['"b"', '"b"', '"b"'],
      ['W/"c"', 'W/"c"', 'W/"c"'],
    ],
  },
  'ctx.set() with a name, a list, an object and nothing': {
    read: ctx => {
      ctx.set('X-A', 'a')
      ctx.set('X-B', ['b', 'c'])
      ctx.set({ 'X-D': 'd', 'X-E': 'e' })
      ctx.set('X-F', 6 as never)
      ctx.response.set('X-G', 'g')
      ctx.set('' as never)
      ctx.set(undefined as never)
      return ['x-a', 'X-B', 'X-D', 'X-E', 'X-F', 'X-G'].map(name => ctx.response.get(name))
    },
    is: ['a', ['b', 'c'], 'd', 'e', 6, 'g'],
  },
  'ctx.set() takes one value of a type or length': {
    read: ctx => {
      ctx.set('Content-Type', ['text/css'])
      const type = ctx.response.get('Content-Type')
      return [type, thrownBy(() => ctx.set('Content-Type', ['text/css', 'text/html']))]
    },
    is: ['text/css', 'AssertionError: Content-Type must contain exactly one value'],
  },
  'ctx.set() refuses what no header holds': {
    read: ctx => [thrownBy(() => ctx.set('X-A', 'a\r\nb')), thrownBy(() => ctx.set('X A', 'a'))],
    is: [
      'TypeError: Invalid character in header content ["X-A"]',
      'TypeError: Header name must be a valid HTTP token ["X A"]',
    ],
  },
  'ctx.append() adds to what is there': {
    read: ctx => {
      ctx.append('X-A', 'a')
      const first = ctx.response.get('X-A')
      ctx.append('X-A', 'b')
      ctx.response.append('X-A', ['c', 'd'])
      return [first, ctx.response.get('x-a')]
    },
    is: ['a', ['a', 'b', 'c', 'd']],
  },
  'ctx.remove() and has()': {
    read: ctx => {
      ctx.set('X-A', 'a')
      const first = [ctx.has('x-a'), (ctx.response as unknown as Koa.Context).has('X-A')]
      ctx.remove('X-A')
      return [...first, ctx.has('X-A'), ctx.response.get('X-A')]
    },
    is: [true, true, false, undefined],
  },
  'ctx.vary() adds each name once': {
    read: ctx => {
      ctx.vary('Accept')
      ctx.vary(['Accept-Encoding', 'accept'] as never)
      ctx.response.vary('Origin')
      const first = ctx.response.get('Vary')
      ctx.vary('*')
      return [first, ctx.response.get('Vary')]
    },
    is: ['Accept, Accept-Encoding, Origin', '*'],
  },
  'ctx.attachment() with names of all kinds': {
    read: ctx =>
      [undefined, 'a.txt', 'a "b".png', 'Đà Nẵng.csv'].map(name => {
        ctx.remove('Content-Type')
        ctx.attachment(name)
        return [ctx.response.get('Content-Disposition'), ctx.type]
      }),
    is: [
      ['attachment', ''],
      ['attachment; filename="a.txt"', 'text/plain'],
      ['attachment; filename="a \\"b\\".png"', 'image/png'],
      ['attachment; filename="?à N?ng.csv"; filename*=UTF-8\'\'%C4%90%C3%A0%20N%E1%BA%B5ng.csv', 'text/csv'],
    ],
  },
  'ctx.attachment() with options, and a type that stays': {
    read: ctx => {
      ctx.type = 'html'
      ctx.response.attachment('a.txt', { type: 'inline', fallback: false })
      return [ctx.response.get('Content-Disposition'), ctx.type]
    },
    is: ['inline; filename="a.txt"', 'text/html'],
  },
  'ctx.redirect() is a 302 with words for a person': {
    ask: { headers: { Accept: 'text/html' } },
    read: ctx => {
      ctx.redirect('/login?a=<b>')
      return [ctx.status, ctx.response.get('Location'), ctx.type, ctx.body]
    },
    is: [302, '/login?a=%3Cb%3E', 'text/html', 'Redirecting to /login?a=&lt;b&gt;.'],
  },
  'ctx.redirect() in text, with a status of its own, to an absolute URL': {
    ask: { headers: { Accept: 'text/plain' } },
    read: ctx => {
      ctx.status = 301
      ctx.response.redirect('https://a.example/é\\b')
      return [ctx.status, ctx.response.get('Location'), ctx.type, ctx.body]
    },
    is: [301, 'https://a.example/%C3%A9/b', 'text/plain', 'Redirecting to https://a.example/%C3%A9/b.'],
  },
  'ctx.back() goes to where the client came from': {
    ask: { headers: { Referer: 'http://example.com/from' } },
    read: ctx => {
      ctx.back('/other')
      return [ctx.status, ctx.response.get('Location')]
    },
    is: [302, 'http://example.com/from'],
  },
  'ctx.back() goes nowhere else': {
    ask: { headers: { Referer: 'http://evil.example/from' } },
    read: ctx => {
      ctx.back('/other')
      const first = ctx.response.get('Location')
      ctx.response.back()
      return [first, ctx.response.get('Location')]
    },
    is: ['/other', '/'],
  },
  'ctx.writable and headerSent before and after the end': {
    read: ctx => [ctx.writable, ctx.response.writable, ctx.headerSent, ctx.response.headerSent],
    is: [true, true, false, false],
  },
  'ctx.response.header and headers': {
    read: ctx => {
      ctx.set({ 'X-A': 'a', 'Set-Cookie': ['b=c'] })
      return [headersOf(ctx.response.header), headersOf(ctx.response.headers)]
    },
    is: [
      { 'x-a': 'a', 'set-cookie': ['b=c'] },
      { 'x-a': 'a', 'set-cookie': ['b=c'] },
    ].map(it => Object.assign(Object.create(null), it)),
    kolba: {
      is: [
        { 'x-request-id': ANY_ID, 'x-a': 'a', 'set-cookie': ['b=c'] },
        { 'x-request-id': ANY_ID, 'x-a': 'a', 'set-cookie': ['b=c'] },
      ],
      by: 'headersOnTheResponse',
    },
  },
  'ctx.response.toJSON() and inspect()': {
    read: ctx => {
      ctx.body = 'a'
      ctx.remove('X-Request-Id')
      const { header, ...json } = ctx.response.toJSON()
      return [json, { ...header }, ctx.response.inspect().body, inspect(ctx.response).includes("body: 'a'")]
    },
    is: [
      { status: 200, message: 'OK' },
      { 'content-type': 'text/plain; charset=utf-8', 'content-length': 1 },
      'a',
      true,
    ],
  },
})

/** A run that answers several times over, and says on ctx.body what it saw. */
const late = (ctx: Koa.Context, action: () => void): void => {
  ctx.status = 200
  ctx.set('X-A', 'first')
  ctx.flushHeaders()
  action()
  ctx.body = `${ctx.headerSent} ${ctx.status} ${ctx.response.get('X-A')} ${ctx.response.get('X-B')}`
}

const rows: Record<string, Row> = {
  'ctx.flushHeaders() sends them, and what is set later is left out': {
    run: ctx =>
      late(ctx, () => {
        ctx.status = 500
        ctx.set('X-A', 'second')
        ctx.append('X-B', 'b')
        ctx.remove('X-A')
        ctx.vary('Accept')
        ctx.type = 'html'
      }),
    is: [200, undefined, 'true 200 first undefined'],
  },
  'ctx.response.flushHeaders() before a stream': {
    run: ctx => {
      ctx.type = 'text'
      ctx.status = 200
      ctx.response.flushHeaders()
      ctx.body = Readable.from(['a', 'b'])
    },
    is: [200, 'text/plain; charset=utf-8', 'ab'],
  },
  'ctx.flushHeaders() before an object': {
    run: ctx => {
      ctx.status = 200
      ctx.type = 'json'
      ctx.flushHeaders()
      ctx.body = { a: 1 }
    },
    is: [200, 'application/json; charset=utf-8', '{"a":1}'],
  },
  'headers go out in the writing that they were set in': {
    run: ctx => {
      ctx.set({ 'x-lower': 'a', 'X-UPPER': 'b', 'Set-Cookie': ['c=1', 'd=2'] as never })
      ctx.append('Link', '</a>; rel=next')
      ctx.append('Link', '</b>; rel=prev')
      ctx.body = 'a'
    },
    is: [200, 'text/plain; charset=utf-8', 'a'],
  },
  'the message is the phrase on the line': {
    run: ctx => {
      ctx.body = 'a'
      ctx.message = 'Very Fine'
    },
    is: [200, undefined, 'a'],
  },
  'ctx.redirect()': { run: ctx => ctx.redirect('/a'), is: [302, 'text/html; charset=utf-8', 'Redirecting to /a.'] },
  'ctx.redirect(), asked by HEAD': { ask: { method: 'HEAD' }, run: ctx => ctx.redirect('/a'), is: [302] },
  'ctx.redirect() with a body of its own': {
    run: ctx => {
      ctx.redirect('/a')
      ctx.body = { to: '/a' }
    },
    is: [302, 'application/json; charset=utf-8', '{"to":"/a"}'],
  },
  'ctx.attachment() with a body': {
    run: ctx => {
      ctx.attachment('a.csv')
      ctx.body = 'a,b'
    },
    is: [200, 'text/csv; charset=utf-8', 'a,b'],
  },
  'Connection: close is kept': {
    run: ctx => {
      ctx.set('Connection', 'close')
      ctx.body = 'a'
    },
    is: [200, undefined, 'a'],
  },
  'res.setHeader() and res.removeHeader() are seen': {
    run: ctx => {
      ctx.body = 'a'
      ctx.res.setHeader('X-A', 'b')
      ctx.res.removeHeader('Content-Type')
    },
    is: [200, undefined, 'a'],
  },
  'res.writeHead() that somebody has put something in front of': {
    run: ctx => {
      const { res } = ctx
      const { writeHead } = res
      // In the way of on-headers, which session, response-time and compression use.
      res.writeHead = function (this: typeof res, ...args: unknown[]) {
        this.setHeader('X-Late', 'set')
        return writeHead.apply(this, args as never)
      } as never
      ctx.body = { a: 1 }
    },
    is: [200, 'application/json; charset=utf-8', '{"a":1}'],
  },
  'res.end() that somebody has put something in front of': {
    run: ctx => {
      const { res } = ctx
      const end = res.end.bind(res)
      res.end = ((chunk: unknown) => {
        res.setHeader('X-Late', String(chunk))
        return end(chunk)
      }) as never
      ctx.body = 'text'
    },
    is: [200, 'text/plain; charset=utf-8', 'text'],
  },
  'res.write() that somebody has put something in front of': {
    run: ctx => {
      const { res } = ctx
      const write = res.write.bind(res)
      res.write = ((chunk: unknown, ...rest: never[]) => write(String(chunk).toUpperCase(), ...rest)) as never
      ctx.body = Readable.from(['a', 'b'])
    },
    is: [200, 'application/octet-stream', 'AB'],
  },
  'a getter of body that somebody has put on ctx.response': {
    run: ctx => {
      Object.defineProperty(ctx.response, 'body', { get: () => 'mine' })
      ctx.status = 200
    },
    is: [200, undefined, 'mine'],
  },
  'res.end() by hand': {
    run: ctx => {
      ctx.res.statusCode = 200
      ctx.res.end('by hand')
    },
    is: [200, undefined, 'by hand'],
  },
  'res.end() by hand, and a body that comes too late': {
    run: ctx => {
      ctx.res.statusCode = 200
      ctx.res.end('by hand')
      ctx.body = 'late'
    },
    is: [200, undefined, 'by hand'],
  },
  'res.write() by hand, and a body as the rest': {
    run: ctx => {
      ctx.res.statusCode = 200
      ctx.res.write('first, ')
      ctx.body = 'then'
    },
    is: [200, undefined, 'first, then'],
  },
  'res.writeHead() by hand, and a body': {
    run: ctx => {
      ctx.res.writeHead(201, { 'X-A': 'b' })
      ctx.body = 'then'
    },
    is: [201, undefined, 'then'],
  },
  'ctx.respond = false leaves res to the middleware': {
    run: ctx => {
      ctx.respond = false
      ctx.body = 'not sent'
      setTimeout(() => {
        ctx.res.statusCode = 200
        ctx.res.removeHeader('Content-Length')
        ctx.res.end('later')
      }, 5)
    },
    is: [200, 'text/plain; charset=utf-8', 'later'],
  },
  'ctx.respond = false, asked by HEAD': {
    ask: { method: 'HEAD' },
    run: ctx => {
      ctx.respond = false
      ctx.res.writeHead(200, { 'X-A': 'b' }).end()
    },
    is: [200],
  },
  'ctx.respond = false with a status of an error': {
    run: ctx => {
      ctx.respond = false
      ctx.res.statusCode = 404
      ctx.res.end('mine')
    },
    is: [404, undefined, 'mine'],
  },
  'ctx.respond = false, and an error': {
    run: ctx => {
      ctx.respond = false
      ctx.throw(418, 'short and stout')
    },
    is: [418, 'text/plain; charset=utf-8', 'short and stout'],
    differs: { problem: { detail: 'short and stout' } } satisfies Named,
  },
}

testBesideKoa(rows)

for (const [name, value] of Object.entries({
  'text of ASCII': 'ok',
  'other text': 'é',
  'data of ASCII': { a: 1 },
  'other data': { a: 'é' },
  bytes: Buffer.from('ok'),
  nothing: null,
})) {
  test(`a header that is no ASCII has the bytes that it has in Koa, with ${name}`, async t => {
    const bytesOf = async (app: Koa) => {
      const line = new Line(await portOf(t, app)).write(textOf())
      await line.until(text => text.includes('\r\n\r\n'))
      line.socket.destroy()
      return /X-Name: .*/.exec(line.text)?.[0]
    }
    const [set, replied] = [kolba({ signals: false }), kolba({ signals: false })]
    set.get('/', ctx => {
      ctx.set('X-Name', 'é')
      return value
    })
    replied.get('/', () => reply(200, value, { 'X-Name': 'é' }))
    const koa = await bytesOf(
      new Koa().use(ctx => {
        ctx.set('X-Name', 'é')
        ctx.body = value
      }),
    )
    t.regex(koa ?? '', /^X-Name: (?:é|Ã©)$/)
    t.deepEqual([await bytesOf(set), await bytesOf(replied)], [koa, koa])
  })
}

test('a header that was ASCII in the answer before is looked at in the next one', async t => {
  const values = ['a', 'é', 'a', 'b', 'é', 'a']
  const [set, replied] = [kolba({ signals: false }), kolba({ signals: false })]
  set.get('/:at', ctx => {
    ctx.set('X-Name', values[Number(ctx.params.at)] as string)
    return 'ok'
  })
  replied.get('/:at', ctx => reply(200, 'ok', { 'X-Name': values[Number(ctx.params.at)] as string }))
  for (const app of [set, replied]) {
    const client = app.client()
    const found: unknown[] = []
    for (const at of values.keys()) found.push((await client.get(`/${at}`)).headers.get('X-Name'))
    // As Koa writes them: in the bytes of UTF-8, which fetch reads as latin1.
    t.deepEqual(
      found,
      values.map(value => Buffer.from(value).toString('latin1')),
    )
  }
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  app.get('/:at', ctx => reply(200, 'ok', { 'X-Name': ['a', 'a\r\nX-B: b'][Number(ctx.params.at)] as string }))
  t.is((await app.client().get('/0')).status, 200)
  t.is((await app.client().get('/1')).status, 500)
})

test('ctx.set() and ctx.append() set nothing by no name, as in Koa', async t => {
  const app = kolba({ signals: false })
  app.get('/', ctx => {
    ctx.set('', 'a')
    ctx.append('', 'b')
    ctx.set('X-C', 'c')
    return 'ok'
  })
  const response = await app.client().get('/')
  t.deepEqual([response.status, response.headers.get('X-C'), await response.text()], [200, 'c', 'ok'])
})

test('ctx.headerSent is true and ctx.writable false when the answer has gone out', async t => {
  for (const way of ['koa', 'use', 'route'] as const) {
    const seen: unknown[] = []
    await talk(t, way, {
      run: ctx => {
        ctx.body = 'a'
        ctx.res.once('finish', () => {
          const before = [ctx.headerSent, ctx.writable]
          // None of it may do anything now, or throw.
          ctx.status = 500
          ctx.set('X-A', 'b')
          ctx.remove('Content-Type')
          ctx.vary('Accept')
          ctx.append('X-B', 'c')
          seen.push([...before, ctx.status, ctx.response.get('X-A'), ctx.type])
        })
      },
    })
    t.deepEqual(seen[0], [true, false, 200, undefined, 'text/plain'], way)
  }
})

test('app.response has every property of Koa, for what is added to it to be found', t => {
  const [koa, ours] = [appOf('koa', { run: () => {} }), appOf('use', { run: () => {} })]
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(koa.response))
  t.true(names.length >= 20)
  t.deepEqual(
    names.filter(name => !(name in ours.response)),
    [],
  )
})
