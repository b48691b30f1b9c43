import { PassThrough, Readable } from 'node:stream'
import test from 'ava'
import fc from 'fast-check'
import { type Context, created, decorator, kolba, type Preferences, problem, reply, stack } from 'kolba'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { type PreferOptions, prefer } from 'kolba/prefer'
import { MemoryLogger } from '../support/memory-logger.js'
import { exchange, listening } from '../support/raw.js'

/** What prefer() makes of a header, without a request around it. */
function read(header: string): Preferences {
  const ctx = { method: 'GET', vary() {}, get: () => header, set() {} }
  return prefer()(ctx => ctx.prefer)(ctx as never) as Preferences
}

function seen({ return: which, handling, wait, respondAsync }: Preferences): object {
  return { return: which, handling, wait, respondAsync }
}

const NOTHING = { return: undefined, handling: undefined, wait: undefined, respondAsync: false }

// The examples of RFC 7240, and what its grammar lets in.
const READ: [header: string, expected: object][] = [
  ['respond-async, wait=10', { respondAsync: true, wait: 10 }],
  ['respond-async, wait=100, handling=lenient', { respondAsync: true, wait: 100, handling: 'lenient' }],
  ['handling=lenient, wait=100, respond-async', { respondAsync: true, wait: 100, handling: 'lenient' }],
  ['return=minimal', { return: 'minimal' }],
  ['return=representation', { return: 'representation' }],
  ['return=minimal; foo="some parameter"', { return: 'minimal' }],
  ['return=minimal;foo;bar=;;a = "b;c,d" ;', { return: 'minimal' }],
  ['handling=strict', { handling: 'strict' }],
  ['RETURN=minimal, Respond-Async, WaiT=1', { return: 'minimal', respondAsync: true, wait: 1 }],
  ['return="minimal"', { return: 'minimal' }],
  ['return="min\\imal"', { return: 'minimal' }],
  ['\treturn \t= minimal ,, \t,wait=2\t', { return: 'minimal', wait: 2 }],
  ['priority=5, wait=0', { wait: 0 }],
  // The first of a name, whatever its value is (section 2).
  ['return=minimal, return=representation', { return: 'minimal' }],
  ['return=other, return=minimal', {}],
  ['handling=lenient, handling=strict', { handling: 'lenient' }],
  // Values are told apart by case (section 2).
  ['return=Minimal, handling=LENIENT', {}],
  // What is no value of the preference is no preference.
  ['return, handling, wait', {}],
  ['return="", handling=', {}],
  ['wait=-1', {}],
  ['wait=1.5', {}],
  ['wait="7"', { wait: 7 }],
  ['wait=99999999999999999999', { wait: 2 ** 31 }],
  [`wait=${'9'.repeat(400)}`, { wait: 2 ** 31 }],
  ['respond-async=no', {}],
  // A malformed member is as if it were not there, and so counts as no first one.
  ['return=minimal=x, wait=3', { wait: 3 }],
  ['return minimal, return=representation', { return: 'representation' }],
  ['=minimal, (x), wait=3', { wait: 3 }],
  ['return=minimal"x", wait=3', { wait: 3 }],
  ['foo="a, return=minimal", wait=3', { wait: 3 }],
  ['foo="a\\", return=minimal", wait=3', { wait: 3 }],
  ['wait=3, foo="a, return=minimal', { wait: 3 }],
  ['wait=3, foo="a\\', { wait: 3 }],
  ['foo="a\u0001b", return=minimal', { return: 'minimal' }],
  [',', {}],
]
for (const [header, expected] of READ) {
  test(`prefer() reads ${JSON.stringify(header).slice(0, 60)}`, t => {
    t.deepEqual(seen(read(header)), { ...NOTHING, ...expected })
  })
}

test('prefer() takes an empty value for none, in each of the ways that RFC 7240 section 2 calls equal', t => {
  for (const header of ['foo; bar', 'foo; bar=""', 'foo=""; bar', 'foo', 'foo=""', 'Foo ="" ;bar=""']) {
    t.is(read(header).get('foo'), true, header)
    t.is(read(header).get('FOO'), true, header)
    t.is(read(header).get('bar'), undefined, header)
  }
})

test('prefer() gives the value of any preference, unquoted', t => {
  const preferences = read('a=1, b="x, \\"y\\" \\\\", c=\u00e9, d="\u00e9\t", __proto__=z, constructor')
  t.is(preferences.get('a'), '1')
  t.is(preferences.get('b'), 'x, "y" \\')
  t.is(preferences.get('c'), undefined)
  t.is(preferences.get('d'), '\u00e9\t')
  t.is(preferences.get('__proto__'), 'z')
  t.is(preferences.get('constructor'), true)
  t.is(preferences.get('toString'), undefined)
})

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const text = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,20}$/)
const space = fc.stringMatching(/^[ \t]{0,3}$/)
const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
const word = fc.oneof(
  token.map(value => ({ value, written: value })),
  text.map(value => ({ value, written: quoted(value) })),
)
const pair = fc.record({ name: token, word: fc.option(word), before: space, after: space })
const written = (it: { name: string; word: { written: string } | null; before: string; after: string }) =>
  it.word ? `${it.name}${it.before}=${it.after}${it.word.written}` : it.name
const preference = fc.record({ own: pair, parameters: fc.array(pair, { maxLength: 3 }), before: space, after: space })
const member = preference.map(({ own, parameters, before, after }) => ({
  name: own.name,
  value: (own.word?.value || true) as string | true,
  written: before + [own, ...parameters].map(written).join(`${after};${before}`) + after,
}))
// Neither has a quote or a comma, which would have a part in what stands behind.
const broken = fc.constantFrom('a b', '=', '=x', 'a==b', 'a=b c', 'a;=x', '(a)', 'a=b;c d', 'é', '/')

test('prefer() reads whatever the grammar of RFC 7240 section 2 can write, between members that are malformed', t => {
  const members = fc.array(
    fc.oneof(
      member,
      broken.map(written => ({ written, name: undefined, value: undefined })),
    ),
    { maxLength: 8 },
  )
  const property = fc.property(members, all => {
    const preferences = read(all.map(({ written }) => written).join(','))
    for (const { name } of all) {
      if (name === undefined) continue
      const first = all.find(it => it.name?.toLowerCase() === name.toLowerCase())
      t.is(preferences.get(name.toUpperCase()), first?.value)
    }
  })
  fc.assert(property, { numRuns: 300 })
  t.pass()
})

test('prefer() throws at no header', t => {
  const junk = fc.string({ unit: fc.constantFrom(...'",;=\\ \ta-1é\u0000/'), maxLength: 40 })
  fc.assert(
    fc.property(junk, header => void seen(read(header))),
    { numRuns: 500 },
  )
  t.pass()
})

const HOSTILE = [
  '"',
  '\\',
  '"\\',
  '""',
  ';',
  '; ',
  'a; ',
  'a=" ',
  ',',
  ', ,',
  '=',
  ' ',
  '\t',
  'a',
  'a=',
  'a"',
  ';=',
  'a ;',
]
for (const piece of HOSTILE) {
  test(`prefer() reads 64 KB of ${JSON.stringify(piece)} in time`, t => {
    for (const [start, end] of [
      ['', ''],
      ['a', '@'],
      ['a="', '\\'],
      ['"', ''],
    ]) {
      const header = start + piece.repeat(65_536 / piece.length) + end
      t.is(typeof read(header).respondAsync, 'boolean')
    }
  })
}

test('prefer() joins all lines of the header', async t => {
  const app = kolba({ signals: false })
  app.get('/', prefer(), ctx => seen(ctx.prefer))
  const { port } = await listening(t, app)
  const lines = 'Prefer: respond-async, wait=100\r\nprefer: handling=lenient\r\nPrefer: wait=5\r\n'
  const [answer] = await exchange(port, `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n`)
  t.deepEqual(JSON.parse(answer?.body ?? ''), { handling: 'lenient', wait: 100, respondAsync: true })
  t.is(answer?.headers.vary, 'Prefer')
})

test('prefer() gives a ctx.prefer that is empty where nothing is preferred', async t => {
  const app = kolba()
  app.get('/', prefer(), ctx => {
    ctx.prefer.applied('return')
    return { ...seen(ctx.prefer), any: ctx.prefer.get('return') ?? 'none' }
  })
  for (const headers of [{}, { Prefer: '' }]) {
    const response = await app.client().get('/', { headers })
    t.deepEqual(await response.json(), { respondAsync: false, any: 'none' })
    t.is(response.headers.get('preference-applied'), null)
  }
})

test('prefer() sets Vary on every answer, whether something is preferred or not', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const answers: Record<string, () => unknown> = {
    plain: () => 'x',
    nothing: () => null,
    missing: () => reply(404),
    refused: () => {
      throw problem(403)
    },
    broken: () => {
      throw new Error('inside')
    },
    redirected: () => reply(303, null, { Location: '/' }),
  }
  app.get('/:which', prefer(), ctx => answers[ctx.params.which]?.())
  for (const which of Object.keys(answers)) {
    for (const headers of [{}, { Prefer: 'return=minimal' }]) {
      t.is((await app.client().get(`/${which}`, { headers })).headers.get('vary'), 'Prefer', which)
    }
  }
})

test('prefer() and a reply that names a header too both stand in Vary', async t => {
  const app = kolba()
  app.get('/reply', prefer(), () => reply(200, 'x', { vary: 'Origin' }))
  app.get('/list', prefer(), () => reply(200, 'x', { Vary: ['Origin', 'Prefer'] }))
  app.get('/web', prefer(), () => new Response('x', { headers: { Vary: 'Origin' } }))
  for (const path of ['/reply', '/list', '/web'])
    t.is((await app.client().get(path)).headers.get('vary'), 'Prefer, Origin', path)
})

const book = { id: 7, title: 'Emma' }
type Answer = (ctx: Context) => unknown

async function write(answer: Answer, preference: string, method = 'POST', options?: PreferOptions, path = '/') {
  const app = kolba({ logger: new MemoryLogger() })
  app.route(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'], path, prefer(options), json(), answer)
  return app.client().fetch(path, { method, headers: { Prefer: preference } })
}

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
  test(`prefer() makes a ${method}'s 200 a 204 with return=minimal, and leaves it with return=representation`, async t => {
    const minimal = await write(() => book, 'return=minimal', method)
    t.is(minimal.status, 204)
    t.is(await minimal.text(), '')
    t.is(minimal.headers.get('content-type'), null)
    t.is(minimal.headers.get('preference-applied'), 'return=minimal')
    t.is(minimal.headers.get('vary'), 'Prefer')
    const whole = await write(() => book, 'return=representation', method)
    t.is(whole.status, 200)
    t.deepEqual(await whole.json(), book)
    t.is(whole.headers.get('preference-applied'), 'return=representation')
    t.is(whole.headers.get('content-location'), null)
  })
}

test('prefer() applies return to nothing that only reads', async t => {
  for (const method of ['GET', 'QUERY']) {
    for (const preference of ['return=minimal', 'return=representation']) {
      const response = await write(() => book, preference, method)
      t.is(response.status, 200)
      t.deepEqual(await response.json(), book)
      t.is(response.headers.get('preference-applied'), null)
    }
  }
})

test('prefer() takes the body of a 201 and leaves its Location, with return=minimal', async t => {
  const response = await write(() => created('/books/7', book), 'return=minimal')
  t.is(response.status, 201)
  t.is(await response.text(), '')
  t.is(response.headers.get('location'), '/books/7')
  t.is(response.headers.get('content-location'), null)
  t.is(response.headers.get('content-length'), '0')
  t.is(response.headers.get('content-type'), null)
  t.is(response.headers.get('preference-applied'), 'return=minimal')
})

test('prefer() keeps all headers but those of the body, with return=minimal', async t => {
  const app = kolba()
  const headers = {
    ETag: '"7"',
    'Last-Modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
    'Set-Cookie': ['a=1', 'b=2'],
    'content-language': 'en',
    'Content-Digest': 'sha-256=:AA==:',
    'Content-Location': '/books/7',
    'Content-Security-Policy': "default-src 'self'",
  }
  app.put('/', prefer(), ctx => {
    ctx.set({ 'Content-Encoding': 'identity', 'X-A': 'b' })
    return reply(200, book, headers)
  })
  const response = await app.client().put('/', { headers: { Prefer: 'return=minimal' } })
  t.is(response.status, 204)
  const names = ['etag', 'last-modified', 'set-cookie', 'content-security-policy', 'x-a', 'vary']
  for (const name of names) t.true(response.headers.has(name), name)
  t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  const gone = ['content-language', 'content-digest', 'content-location', 'content-encoding', 'content-type']
  for (const name of gone) t.false(response.headers.has(name), name)
})

test('prefer() says of a 201 whose representation its body is, with return=representation', async t => {
  const response = await write(() => created('/books/7', book), 'return=representation')
  t.is(response.status, 201)
  t.deepEqual(await response.json(), book)
  t.is(response.headers.get('location'), '/books/7')
  t.is(response.headers.get('content-location'), '/books/7')
  const onContext = await write(ctx => {
    ctx.status = 201
    ctx.set('Location', '/books/8')
    return book
  }, 'return=representation')
  t.is(onContext.headers.get('content-location'), '/books/8')
  const own = () => reply(201, book, { Location: '/books/7', 'Content-Location': '/books/7/v1' })
  t.is((await write(own, 'return=representation')).headers.get('content-location'), '/books/7/v1')
  t.is((await write(() => created('/books/7', book), 'wait=1')).headers.get('content-location'), null)
  t.is((await write(() => reply(201, book), 'return=representation')).headers.get('content-location'), null)
})

// What has no body, or no success, to be made more or less of.
const LEFT: [title: string, answer: Answer, status: number, minimal: string | null, whole: string | null][] = [
  ['null', () => null, 204, 'return=minimal', null],
  ['an empty 201', () => created('/books/7'), 201, 'return=minimal', null],
  ['a 202', () => reply(202, { state: 'queued' }), 202, null, null],
  ['a 207', () => reply(207, [book]), 207, null, null],
  ['a 303', () => reply(303, null, { Location: '/' }), 303, null, null],
  ['a 409', () => reply(409, { taken: true }), 409, null, null],
  ['a problem that is thrown', () => Promise.reject(problem(409)), 409, null, null],
  ['a problem that is returned', () => problem(409), 409, null, null],
  ['a web Response', () => new Response('x'), 200, null, null],
  ['nothing', () => {}, 500, null, null],
]
for (const [title, answer, status, minimal, whole] of LEFT) {
  test(`prefer() leaves ${title} as it is`, async t => {
    const before = await write(answer, 'wait=1')
    for (const [preference, applied] of [
      ['return=minimal', minimal],
      ['return=representation', whole],
    ] as const) {
      const response = await write(answer, preference)
      t.is(response.status, status)
      t.is(response.headers.get('preference-applied'), applied)
      t.is(response.headers.get('location'), before.headers.get('location'))
      t.is((await response.text()).length > 0, before.headers.get('content-length') !== '0' && status !== 204)
    }
  })
}

test('prefer() with { return: false } leaves the answer to the handler, which may say what it did', async t => {
  const options = { return: false }
  const response = await write(() => book, 'return=minimal', 'POST', options)
  t.is(response.status, 200)
  t.is(response.headers.get('preference-applied'), null)
  const app = kolba()
  app.post('/', prefer(options), ctx => {
    ctx.prefer.applied('return')
    return { id: ctx.prefer.return }
  })
  const own = await app.client().post('/', { headers: { Prefer: 'return=minimal' } })
  t.deepEqual(await own.json(), { id: 'minimal' })
  t.is(own.headers.get('preference-applied'), 'return=minimal')
})

test('prefer() sees what a handler puts on ctx in the way of Koa', async t => {
  const answer: Answer = ctx => {
    ctx.body = book
  }
  const app = kolba()
  app.post('/', prefer(), answer)
  t.is((await app.client().post('/', { headers: { Prefer: 'return=minimal' } })).status, 204)
  const whole = await app.client().post('/', { headers: { Prefer: 'return=representation' } })
  t.deepEqual(await whole.json(), book)
  t.is(whole.headers.get('preference-applied'), 'return=representation')
})

test('prefer() closes a stream that nobody will read, with return=minimal', async t => {
  const stream = new PassThrough()
  let isCancelled = false
  const web = new ReadableStream({
    cancel() {
      isCancelled = true
    },
  })
  t.is((await write(() => stream, 'return=minimal')).status, 204)
  t.true(stream.destroyed)
  t.is((await write(() => reply(200, web), 'return=minimal')).status, 204)
  t.true(isCancelled)
  const failing = Readable.from(['x']).destroy(new Error('late'))
  t.is((await write(() => failing, 'return=minimal')).status, 204)
})

test('ctx.prefer.applied() lists what was heeded in Preference-Applied, with its value and once', async t => {
  const app = kolba()
  app.get('/', prefer(), ctx => {
    for (const name of ['handling', 'Respond-Async', 'wait', 'handling', 'odd', 'return', 'toString'])
      ctx.prefer.applied(name)
    return 'x'
  })
  const said = async (Prefer: string) =>
    (await app.client().get('/', { headers: { Prefer } })).headers.get('preference-applied')
  t.is(await said('handling=lenient'), 'handling=lenient')
  t.is(await said('wait=10; x=1, respond-async'), 'respond-async, wait=10')
  t.is(await said('HANDLING="strict", other=1'), 'handling=strict')
  t.is(await said('odd="a, \\"b\\" \\\\"'), 'odd="a, \\"b\\" \\\\"')
  t.is(await said('other=1'), null)
})

test('ctx.prefer.applied() stays on an error that comes after it', async t => {
  const app = kolba()
  app.get('/', prefer(), ctx => {
    ctx.prefer.applied('handling')
    throw problem(400)
  })
  const response = await app.client().get('/', { headers: { Prefer: 'handling=strict' } })
  t.is(response.status, 400)
  t.is(response.headers.get('preference-applied'), 'handling=strict')
})

test('prefer() twice in a stack is as once', async t => {
  const app = kolba()
  const group = app.group('/books', prefer())
  group.post('/', prefer(), json(), ctx => {
    ctx.prefer.applied('handling')
    return book
  })
  const headers = { Prefer: 'return=minimal, handling=lenient' }
  const response = await app.client().post('/books', { headers })
  t.is(response.status, 204)
  t.is(response.headers.get('preference-applied'), 'handling=lenient, return=minimal')
  t.is(response.headers.get('vary'), 'Prefer')
})

test('prefer() above etag() keeps the tag of what was written, with return=minimal', async t => {
  const app = kolba()
  let title = 'Emma'
  app.get('/', etag(), json(), () => ({ title }))
  app.put('/', prefer(), etag(), json(), () => {
    title = 'Persuasion'
    return { title }
  })
  const client = app.client()
  const before = (await client.get('/')).headers.get('etag') ?? ''
  const headers = { Prefer: 'return=minimal', 'If-Match': before }
  const response = await client.put('/', { headers })
  t.is(response.status, 204)
  t.not(response.headers.get('etag'), before)
  t.is(response.headers.get('etag'), (await client.get('/')).headers.get('etag'))
  const refused = await client.put('/', { headers })
  t.is(refused.status, 412)
  t.is(refused.headers.get('preference-applied'), null)
})

test('prefer() over a synchronous handler makes no promise', t => {
  const ctx = { method: 'PUT', res: { getHeaderNames: () => [] }, vary() {}, get: () => 'return=minimal', set() {} }
  const whole = { ...ctx, response: {} }
  const value = stack(
    prefer(),
    decorator('pass', (_ctx, next) => next()),
  )(() => reply(200, book))(whole as never)
  t.is((value as { status: number }).status, 204)
})

test('prefer() tells the route of the header, and of the 204 where there is something to write', t => {
  const app = kolba()
  app.get('/', prefer(), () => 'x')
  app.put('/', prefer(), () => 'x')
  app.post('/', prefer({ return: false }), () => 'x')
  const [get, put, post] = app.routes().map(({ notes }) => notes[0])
  t.like(get?.parameters?.[0], { name: 'Prefer', in: 'header' })
  t.deepEqual(Object.keys(get?.headers ?? {}), ['Preference-Applied'])
  t.is(get?.responses, undefined)
  t.deepEqual(Object.keys(put?.responses ?? {}), ['204'])
  t.is(post?.responses, undefined)
})

test('prefer() refuses wrong options when it is made', t => {
  const wrong: [unknown, string][] = [
    [{ return: 'minimal' }, 'prefer: the option return is "minimal". Give true or false.'],
    [{ wait: true }, 'prefer: the option "wait" is unknown. It takes return.'],
    [[], 'prefer: the options are a list. Give an object with return.'],
  ]
  for (const [options, message] of wrong) t.throws(() => prefer(options as never), { instanceOf: TypeError, message })
})
