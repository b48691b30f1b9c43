import test from 'ava'
import { kolba, problem, reply } from 'kolba'
import { apiKey, basicAuth, hashToken, sameSecret, secretToken } from 'kolba/auth'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { whoami } from '../../support/tokens.ts'
import { testVectors } from '../../support/vectors.ts'

const app = kolba({ logger: new MemoryLogger() })
app.get(
  '/',
  basicAuth((name, password) => ({ name, pass: password })),
  whoami,
)
const client = app.client()
const ask = (authorization: string) => client.get('/', { headers: { authorization } })
const basic = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`

interface Parse {
  readonly args: [string?]
  readonly result: { name: string; pass: string } | null
}

testVectors('basicAuth() reads what jshttp/basic-auth reads', 'basic-auth/parse.json', async (t, text) => {
  for (const { args, result } of JSON.parse(text) as Parse[]) {
    const response = args[0] === undefined ? await client.get('/') : await ask(args[0])
    t.is(response.status, result ? 200 : 401, String(args[0]))
    if (result) t.deepEqual(await response.json(), { user: result }, args[0] ?? '')
  }
})

interface Format {
  readonly args: [{ name: string; pass: string }?]
  readonly result?: string
}

testVectors('basicAuth() reads what jshttp/basic-auth writes', 'basic-auth/format.json', async (t, text) => {
  const written = (JSON.parse(text) as Format[]).filter(({ result }) => result !== undefined)
  t.true(written.length > 3)
  for (const { args, result = '' } of written) t.deepEqual(await (await ask(result)).json(), { user: args[0] })
})

test('basicAuth() reads UTF-8, and everything behind the first colon as the password', async t => {
  for (const [name, pass] of [
    ['Aladdin', 'open sesame'],
    ['test', '123\u00a3'],
    ['J\u00fcrgen', 'p\u00e4ss\u{1f511}'],
    ['a', ':::'],
    ['', ''],
    ['a b', ' c '],
  ])
    t.deepEqual(await (await ask(basic(`${name}:${pass}`))).json(), { user: { name, pass } })
})

test('basicAuth() refuses what RFC 7617 section 2 does not let in', async t => {
  const wrong = [
    basic(Buffer.from([0x61, 0x3a, 0xe9])),
    basic(Buffer.from([0x61, 0x3a, 0xc0, 0x80])),
    basic('a:b\0'),
    basic('a\n:b'),
    basic('a:b\x7f'),
    basic('nocolon'),
    'Basic YTpi=',
    'Basic YTpiYg',
    'Basic YTpiYh==',
    'Basic YTpi=YTpi',
    'Basic -_-_',
    'Basic a',
  ]
  for (const text of wrong) {
    const response = await ask(text)
    t.true(response.status === 401 || (response.status === 400 && /=./.test(text)), `${response.status} ${text}`)
    t.is(response.headers.get('www-authenticate'), 'Basic realm="api", charset="UTF-8"')
  }
})

test('basicAuth() takes what verify gives, and refuses nobody and what is no user', async t => {
  const given: unknown[] = [{ id: 1 }, Promise.resolve({ id: 1 }), 'ada', 7]
  const nobody = [undefined, null, false, Promise.resolve(undefined), Promise.resolve(null), Promise.resolve(false)]
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  let next: unknown
  app.get(
    '/',
    basicAuth((_name, _password, ctx) => (ctx.path === '/' ? next : undefined), { realm: 'The shop' }),
    whoami,
  )
  const status = async (value: unknown) => {
    next = value
    return (await app.client().get('/', { headers: { authorization: basic('a:b') } })).status
  }
  for (const value of given) t.is(await status(value), 200)
  for (const value of nobody) t.is(await status(value), 401)
  t.is(await status(true), 500)
  t.is(await status(Promise.resolve(true)), 500)
  for (const odd of [[], [{ id: 1 }], '', Number.NaN, () => 1, reply(401), new Response()]) t.is(await status(odd), 500)
  t.is(await status(problem(403)), 403)
  t.is(await status(Promise.reject(new Error('away'))), 500)
  t.is(logger.lines[0]?.message, 'basicAuth: true is no user. Return who it is, { id }, or undefined.')
  t.is((await app.client().get('/')).headers.get('www-authenticate'), 'Basic realm="The shop", charset="UTF-8"')
})

test('apiKey() looks up what has the form of a key, by its hash', async t => {
  const { token, hash } = secretToken('shop')
  const clients = new Map([[hash, { id: 7 }]])
  let asked = 0
  const verify = async (key: string) => {
    asked += 1
    return clients.get(hashToken(key))
  }
  const app = kolba()
  app.get('/', apiKey({ prefix: 'shop', verify }), whoami)
  app.get('/other', apiKey({ header: 'X-Shop-Key', verify, realm: 'shop' }), whoami)
  const client = app.client()
  const get = (key: string) => client.get('/', { headers: { 'x-api-key': key } })
  t.deepEqual(await (await get(token)).json(), { user: { id: 7 } })
  t.is(asked, 1)
  for (const wrong of [
    'x',
    'shop_x',
    token.slice(0, -1),
    `${token}x`,
    token.replace('shop', 'Shop'),
    secretToken('bank').token,
  ])
    t.is((await get(wrong)).status, 401)
  t.is(asked, 1)
  t.is((await get(secretToken('shop').token)).status, 401)
  t.is(asked, 2)
  t.is((await client.get('/other', { headers: { 'x-shop-key': token } })).status, 200)
  const response = await client.get('/other', { headers: { 'x-api-key': token } })
  t.is(response.headers.get('www-authenticate'), 'ApiKey realm="shop", header="X-Shop-Key"')
  t.deepEqual(app.routes()[1]?.notes[0]?.security, {
    'X-Shop-Key': { scheme: { type: 'apiKey', in: 'header', name: 'X-Shop-Key' } },
  })
})

test('basicAuth() and apiKey() refuse wrong options when they are made', t => {
  const messages: [() => unknown, string][] = [
    [
      () => basicAuth(undefined as never),
      'basicAuth: there is no function to verify with. Give (name, password) => user.',
    ],
    [
      () => basicAuth(() => 1, { realm: '' }),
      'basicAuth: the option realm is "". Give a string of printable ASCII characters.',
    ],
    [
      () => basicAuth(() => 1, { realm: 'K\u00f6ln' }),
      'basicAuth: the option realm is "K\u00f6ln". Give a string of printable ASCII characters.',
    ],
    [
      () => basicAuth(() => 1, { charset: 'x' } as never),
      'basicAuth: the option "charset" is unknown. It takes realm.',
    ],
    [() => apiKey(undefined as never), 'apiKey: there is no verify. Give apiKey({ verify: key => user }).'],
    [() => apiKey({ verify: 'x' } as never), 'apiKey: the option verify is "x". Give a function.'],
    ...['Authorization', 'a b', '', 'Cookie'].map((header): [() => unknown, string] => [
      () => apiKey({ verify: () => 1, header }),
      `apiKey: the option header is ${JSON.stringify(header)}. Give the name of a header, 'X-API-Key'; for Authorization there is tokenAuth({ verify }).`,
    ]),
    [
      () => apiKey({ verify: () => 1, prefix: 'X' }),
      'apiKey: the option prefix is "X". Give a prefix of 2 to 32 lower-case letters, digits and underscores, which begins with a letter.',
    ],
  ]
  for (const [make, message] of messages) t.throws(make, { instanceOf: TypeError, message })
})

test('sameSecret() compares whole texts, and undefined is never the same', t => {
  t.true(sameSecret('a', 'a'))
  t.true(sameSecret('', ''))
  t.true(sameSecret('p\u00e4ss', 'p\u00e4ss'))
  for (const [one, other] of [
    ['a', 'b'],
    ['a', 'aa'],
    ['a', undefined],
    [undefined, undefined],
    ['', undefined],
  ] as const)
    t.false(sameSecret(one, other))
})
