import { createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import test from 'ava'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { type BaseContext, kolba, problem } from 'kolba'
import { type Claims, tokenAuth } from 'kolba/auth'
import { later } from '../../support/clock.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { bearer, claims, EXPECTED, ec, good, now, rsa, SECRET, token, whoami } from '../../support/tokens.ts'

type Options = Record<string, unknown>
const make = tokenAuth as (options?: unknown) => ReturnType<typeof tokenAuth>

function serving(options: Options = {}) {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', make({ secret: SECRET, ...EXPECTED, ...options }), whoami)
  const client = app.client()
  return { logger, get: (text: string) => client.get('/', bearer(text)) }
}

test('tokenAuth() adds the claims as ctx.user, and they cannot be changed', async t => {
  const app = kolba()
  const seen: Claims[] = []
  app.get('/', tokenAuth({ secret: SECRET, ...EXPECTED }), ctx => {
    seen.push(ctx.user)
    return ctx.user
  })
  const client = app.client()
  const text = good({ roles: ['a'], nested: { deep: [{}] } })
  for (const _ of [1, 2]) {
    const user = (await (await client.get('/', bearer(text))).json()) as Claims
    t.like(user, { sub: 'ada', iss: EXPECTED.issuer, aud: 'shop', roles: ['a'] })
  }
  for (const user of seen) {
    t.throws(() => Object.assign(user, { sub: 'root' }), { instanceOf: TypeError })
    t.throws(() => (user.roles as string[]).push('admin'), { instanceOf: TypeError })
    t.true(Object.isFrozen((user.nested as { deep: object[] }).deep[0]))
  }
})

test('tokenAuth() over a synchronous handler makes no promise', t => {
  const signedIn = tokenAuth({ secret: SECRET, ...EXPECTED })
  const run = signedIn((ctx: { user: Claims }) => ctx.user.sub)
  const ctx = { req: { headers: { authorization: `Bearer ${good()}` }, rawHeaders: [] }, state: {} }
  t.is(run(ctx as never), 'ada')
  t.is(run(ctx as never), 'ada')
})

test('tokenAuth() takes one of several issuers and audiences, and any where they are switched off', async t => {
  const many = serving({ issuer: ['https://a.example', EXPECTED.issuer], audience: ['x', 'shop'] })
  t.is((await many.get(good())).status, 200)
  t.is((await many.get(good({ iss: 'https://a.example', aud: 'x' }))).status, 200)
  t.is((await many.get(good({ iss: 'https://b.example' }))).status, 401)
  t.is((await many.get(good({ aud: ['y'] }))).status, 401)
  const any = serving({ issuer: false, audience: false })
  t.is((await any.get(good({ iss: undefined, aud: undefined }))).status, 200)
  t.is((await any.get(good({ iss: 1 }))).status, 401)
  t.is((await any.get(good({ exp: undefined }))).status, 401)
})

test('tokenAuth() wants an exp, unless that is switched off, and what is there counts all the same', async t => {
  const forever = serving({ expires: false })
  t.is((await forever.get(good({ exp: undefined }))).status, 200)
  t.is((await forever.get(good({ exp: now() - 60 }))).status, 401)
  t.is((await forever.get(good({ exp: null }))).status, 401)
  t.is((await serving().get(good({ exp: undefined }))).status, 401)
})

test('tokenAuth() allows clocks to differ by the leeway, and says that a token has expired', async t => {
  const { get } = serving()
  t.is((await get(good({ exp: now() - 3 }))).status, 200)
  t.is((await get(good({ nbf: now() + 3 }))).status, 200)
  t.is((await get(good({ nbf: now() + 10 }))).status, 401)
  const over = await get(good({ exp: now() - 6 }))
  t.is(over.status, 401)
  t.is(
    over.headers.get('www-authenticate'),
    'Bearer realm="api", error="invalid_token", error_description="The token has expired."',
  )
  t.like(await over.json(), { title: 'Unauthorized', status: 401, detail: 'The token has expired.' })
  const exact = serving({ leeway: 0 })
  t.is((await exact.get(good({ exp: now() - 1 }))).status, 401)
  t.is((await serving({ leeway: 60 }).get(good({ exp: now() - 50 }))).status, 200)
  // Of a token that is not good nobody says that it has expired.
  const forged = await get(token({ alg: 'HS256' }, claims({ exp: 1 }), 'x'.repeat(32)))
  t.regex(forged.headers.get('www-authenticate') ?? '', /"The token is not valid\."$/)
})

test('tokenAuth() wants the type that it is told, RFC 8725 section 3.11', async t => {
  const { get } = serving({ type: 'at+jwt' })
  t.is((await get(good({}, { typ: 'at+jwt' }))).status, 200)
  t.is((await get(good({}, { typ: 'application/AT+JWT' }))).status, 200)
  for (const typ of ['JWT', 'rt+jwt', undefined, 'xat+jwt', 'application/jwt'])
    t.is((await get(good({}, { typ }))).status, 401, typ)
})

test('tokenAuth() loads the account at each request, and undefined, null and false are 401', async t => {
  const accounts = new Map<unknown, object | null | false>([['ada', { name: 'Ada' }]])
  let count = 0
  const load = async ({ sub }: Claims, ctx: BaseContext) => {
    count += 1
    return ctx.path === '/' ? accounts.get(sub) : undefined
  }
  const { get } = serving({ load })
  const text = good()
  t.deepEqual(await (await get(text)).json(), { user: { name: 'Ada' } })
  accounts.set('ada', { name: 'Ada L.' })
  t.deepEqual(await (await get(text)).json(), { user: { name: 'Ada L.' } })
  for (const nobody of [undefined, null, false] as const) {
    accounts.set('ada', nobody as never)
    const response = await get(text)
    t.is(response.status, 401)
    t.regex(response.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  }
  t.is(count, 5)
})

test('tokenAuth() asks whether a token is revoked at each request, and lets it pass for false alone', async t => {
  const answers: unknown[] = []
  const revoked = (its: Claims) => {
    t.is(its.jti, 'x')
    return answers.shift()
  }
  const { get, logger } = serving({ revoked })
  const text = good({ jti: 'x' })
  for (const [answer, status] of [
    [false, 200],
    [Promise.resolve(false), 200],
    [true, 401],
    [Promise.resolve(true), 401],
    [undefined, 401],
    [null, 401],
    [0, 401],
    ['', 401],
    [false, 200],
  ]) {
    answers.push(answer)
    t.is((await get(text)).status, status as number, String(answer))
  }
  t.deepEqual(answers, [])
  t.deepEqual(logger.lines, [])
})

test('tokenAuth() lets nobody in where load or revoked fails', async t => {
  const fail = () => {
    throw new Error('The database is away.')
  }
  for (const options of [{ load: fail }, { revoked: fail }, { load: async () => fail() }, { load: () => true }]) {
    const { get, logger } = serving(options)
    t.is((await get(good())).status, 500)
    t.is(logger.lines.length, 1)
    t.false(JSON.stringify(logger.lines).includes(good().split('.')[0] as string))
  }
  t.is((await serving({ load: () => true }).get(good())).status, 500)
  t.is((await serving({ load: () => Promise.reject(problem(403)) }).get(good())).status, 403)
})

test.serial('tokenAuth() verifies a token once, and never beyond its exp', async t => {
  const original = jsonwebtoken.verify
  let count = 0
  jsonwebtoken.verify = ((...args: Parameters<typeof original>) => {
    count += 1
    return original(...args)
  }) as never
  t.teardown(() => {
    jsonwebtoken.verify = original
  })
  const { get } = serving()
  const text = good({ exp: now() + 60 })
  for (const _ of [1, 2, 3]) t.is((await get(text)).status, 200)
  t.is(count, 1)
  await later(55, async () => t.is((await get(text)).status, 200))
  t.is(count, 1)
  await later(70, async () => t.is((await get(text)).status, 401))
  // What is not good is not remembered, and neither is what no cache is for.
  const forged = token({ alg: 'HS256' }, claims(), 'x'.repeat(32))
  for (const _ of [1, 2]) t.is((await get(forged)).status, 401)
  t.is(count, 3)
  const none = serving({ cache: 0 })
  for (const _ of [1, 2]) t.is((await none.get(text)).status, 200)
  t.is(count, 5)
  // Of more than it keeps the oldest goes.
  const one = serving({ cache: 1 })
  for (const its of [text, good({ sub: 'eve' }), text]) t.is((await one.get(its)).status, 200)
  t.is(count, 8)
})

test('tokenAuth() remembers for itself: another with other options takes nothing from it', async t => {
  const text = good()
  const shop = serving()
  t.is((await shop.get(text)).status, 200)
  for (const options of [
    { audience: 'bank' },
    { issuer: 'x' },
    { secret: 'y'.repeat(32) },
    { type: 'at+jwt' },
    { algorithms: ['HS512'] },
  ])
    t.is((await serving(options).get(text)).status, 401)
  t.is((await shop.get(text)).status, 200)
})

test('tokenAuth({ verify }) takes any token, and what gives nobody is 401', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const users: Record<string, unknown> = { abc: { name: 'Ada' }, 'a.b-c_d~e+f/g==': 'text', nul: null, no: false }
  app.get('/', tokenAuth({ verify: token => users[token] }), whoami)
  app.get('/later', tokenAuth({ verify: async (token, ctx) => users[token] && `${users[token]}${ctx.path}` }), whoami)
  app.get('/true', tokenAuth({ verify: () => true }), whoami)
  const client = app.client()
  t.deepEqual(await (await client.get('/', bearer('abc'))).json(), { user: { name: 'Ada' } })
  t.deepEqual(await (await client.get('/later', bearer('a.b-c_d~e+f/g=='))).json(), { user: 'text/later' })
  for (const text of ['nul', 'no', 'nobody']) t.is((await client.get('/', bearer(text))).status, 401)
  t.is((await client.get('/later', bearer('nobody'))).status, 401)
  t.is((await client.get('/true', bearer('x'))).status, 500)
  t.is((await client.get('/true', bearer('x'.repeat(8193)))).status, 401)
})

test('tokenAuth({ verify }) answers 401 for what jose and jsonwebtoken throw, and 500 for any other error', async t => {
  const secret = Buffer.from(SECRET)
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const options = { issuer: EXPECTED.issuer, audience: EXPECTED.audience, algorithms: ['HS256'] }
  app.get('/jose', tokenAuth({ verify: async text => (await jose.jwtVerify(text, secret, options)).payload }), whoami)
  app.get('/sync', tokenAuth({ verify: text => jsonwebtoken.verify(text, SECRET, { algorithms: ['HS256'] }) }), whoami)
  app.get('/down', tokenAuth({ verify: () => Promise.reject(new Error('away')) }), whoami)
  const away = jose.createRemoteJWKSet(new URL('http://127.0.0.1:1/'))
  app.get('/jwks', tokenAuth({ verify: async text => (await jose.jwtVerify(text, away)).payload }), whoami)
  const client = app.client()
  const wrong = [
    good({ exp: 1 }),
    good({ nbf: now() + 99 }),
    'x',
    'x.y.z',
    token({ alg: 'none' }, claims()),
    token({ alg: 'HS512' }, claims(), SECRET, 'HS512'),
    good().slice(0, -4),
    good({}, { crit: ['x'] }),
  ]
  for (const path of ['/jose', '/sync']) {
    t.is((await client.get(path, bearer(good()))).status, 200)
    for (const text of wrong) {
      // jsonwebtoken knows no crit.
      const expected = path === '/sync' && text === wrong.at(-1) ? 200 : 401
      t.is((await client.get(path, bearer(text))).status, expected, `${path} ${text}`)
    }
  }
  t.is(logger.lines.length, 0)
  t.is((await client.get('/down', bearer('x'))).status, 500)
  t.is((await client.get('/jwks', bearer(token({ alg: 'RS256' }, claims(), rsa.privateKey, 'RS256')))).status, 500)
  t.is(logger.lines.length, 2)
})

test('tokenAuth() puts its security scheme and its answers into the notes of the route', t => {
  const app = kolba()
  app.get('/', tokenAuth({ secret: SECRET, ...EXPECTED }), whoami)
  app.get('/b', tokenAuth({ verify: () => 1 }), whoami)
  const [first, second] = app.routes().map(({ notes }) => notes[0])
  t.deepEqual(first?.security, { bearer: { scheme: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } })
  t.deepEqual(second?.security, { bearer: { scheme: { type: 'http', scheme: 'bearer' } } })
  t.deepEqual(Object.keys(first?.responses ?? {}), ['400', '401'])
})

test('tokenAuth() takes a secret as text, bytes and KeyObject', async t => {
  for (const secret of [
    SECRET,
    Buffer.from(SECRET),
    new Uint8Array(Buffer.from(SECRET)),
    createSecretKey(Buffer.from(SECRET)),
  ])
    t.is((await serving({ secret }).get(good())).status, 200)
})

test('tokenAuth() refuses to start with wrong options', t => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const ed = generateKeyPairSync('ed25519').publicKey
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = rsa.publicKey.export({ format: 'jwk' })
  const ecJwk = ec.publicKey.export({ format: 'jwk' })
  const base = { secret: SECRET, ...EXPECTED }
  const keyed = (keys: unknown, more = {}) => ({ keys, ...EXPECTED, ...more })
  const makeOne = `node -p "crypto.randomBytes(32).toString('base64')" makes one`
  const wrong: [unknown, string][] = [
    [undefined, 'tokenAuth: there are no options. Give tokenAuth({ secret }).'],
    [EXPECTED, 'tokenAuth: there is nothing to verify tokens with. Give one of secret, keys, jwks, verify.'],
    [
      { secret: process.env.NOT_SET, ...EXPECTED },
      'tokenAuth: secret is undefined. Is the variable of the environment set that it comes from?',
    ],
    [
      { jwks: undefined, ...EXPECTED },
      'tokenAuth: jwks is undefined. Is the variable of the environment set that it comes from?',
    ],
    [{ ...base, keys: pem }, 'tokenAuth: secret and keys are too many. Give one of them.'],
    [{ ...base, secret: null }, 'tokenAuth: the secret is neither text nor bytes. Give a string of at least 32 bytes.'],
    [{ ...base, secret: '' }, `tokenAuth secret: a secret of 0 bytes is too short. Give at least 32; ${makeOne}.`],
    [
      { ...base, secret: 'secret' },
      `tokenAuth secret: a secret of 6 bytes is too short. Give at least 32; ${makeOne}.`,
    ],
    [
      { ...base, secret: randomBytes(31) },
      `tokenAuth secret: a secret of 31 bytes is too short. Give at least 32; ${makeOne}.`,
    ],
    [
      { ...base, secret: randomBytes(40), algorithms: ['HS256', 'HS512'] },
      `tokenAuth secret: a secret of 40 bytes is too short. Give at least 64; ${makeOne.replace('32', '64')}.`,
    ],
    [{ ...base, secret: pem }, 'tokenAuth secret: this is a PEM or a JWK, and no secret. Give it as keys.'],
    [
      { ...base, secret: JSON.stringify(jwk) },
      'tokenAuth secret: this is a PEM or a JWK, and no secret. Give it as keys.',
    ],
    [{ ...base, secret: rsa.publicKey }, 'tokenAuth secret: this is a public key. Give it as keys.'],
    [
      { ...base, algorithms: ['RS256'] },
      'tokenAuth secret: it cannot be used with RS256. Give some of HS256, HS384, HS512.',
    ],
    [
      { ...base, algorithms: ['none'] },
      'tokenAuth: the option algorithms is a list. Give a list of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512.',
    ],
    [
      { ...base, algorithms: [] },
      'tokenAuth: the option algorithms is a list. Give a list of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512.',
    ],
    [
      { secret: SECRET, audience: 'shop' },
      "tokenAuth: there is no issuer. Say which one tokens must have, issuer: '...', or issuer: false to take any.",
    ],
    [
      { secret: SECRET, issuer: 'x', audience: undefined },
      "tokenAuth: there is no audience. Say which one tokens must have, audience: '...', or audience: false to take any.",
    ],
    [
      { ...base, issuer: true },
      'tokenAuth: the option issuer is true. Give a non-empty string, a list of them, or false.',
    ],
    [
      { ...base, audience: '' },
      'tokenAuth: the option audience is "". Give a non-empty string, a list of them, or false.',
    ],
    [
      { ...base, audience: [] },
      'tokenAuth: the option audience is a list. Give a non-empty string, a list of them, or false.',
    ],
    [{ ...base, leeway: Number.NaN }, 'tokenAuth: the option leeway is NaN. Give a number of seconds from 0 to 300.'],
    [{ ...base, leeway: -1 }, 'tokenAuth: the option leeway is -1. Give a number of seconds from 0 to 300.'],
    [{ ...base, leeway: 1e9 }, 'tokenAuth: the option leeway is 1000000000. Give a number of seconds from 0 to 300.'],
    [{ ...base, cache: -1 }, 'tokenAuth: the option cache is -1. Give a whole number from 0.'],
    [
      { ...base, realm: 'a\r\nb' },
      'tokenAuth: the option realm is "a\\r\\nb". Give a string of printable ASCII characters.',
    ],
    [{ ...base, revoked: true }, 'tokenAuth: the option revoked is true. Give a function.'],
    [
      { ...base, expire: false },
      'tokenAuth: the option "expire" is unknown. It takes realm, secret, keys, jwks, verify, algorithms, issuer, audience, expires, leeway, type, revoked, load and cache.',
    ],
    [{ verify: 'x' }, 'tokenAuth: verify is no function. Give (token, ctx) => user.'],
    [
      { verify: () => 1, issuer: 'x' },
      'tokenAuth: with verify nothing else looks at a token. Check issuer and audience there.',
    ],
    [
      { verify: () => 1, load: () => 1 },
      'tokenAuth: the option "load" is unknown. It takes realm, secret, keys, jwks and verify.',
    ],
    [keyed([]), 'tokenAuth keys: the list is empty. Give a key.'],
    [keyed('x'), 'tokenAuth keys: this is no key. Give a PEM, a JWK or a KeyObject.'],
    [keyed({ kty: 'RSA', n: 'x' }), 'tokenAuth keys: this is no key. Give a PEM, a JWK or a KeyObject.'],
    [keyed([pem, 7]), 'tokenAuth keys 2: this is no key. Give a PEM, a JWK or a KeyObject.'],
    [keyed(short), 'tokenAuth keys: an RSA key of 1024 bits is too short. Give one of at least 2048.'],
    [
      keyed(ed),
      'tokenAuth keys: it is of the type ed25519. Give a secret, an RSA or an EC key; or verify yourself, tokenAuth({ verify }).',
    ],
    [
      keyed(ec.publicKey, { algorithms: ['ES384'] }),
      'tokenAuth keys: it cannot be used with ES384. Give some of ES256.',
    ],
    [
      keyed(ec.publicKey, { algorithms: ['HS256'] }),
      'tokenAuth keys: it cannot be used with HS256. Give some of ES256.',
    ],
    [
      keyed({ ...jwk, use: 'enc' }),
      'tokenAuth keys: its use or key_ops say that it is not for signatures. Give another.',
    ],
    [
      keyed({ ...jwk, key_ops: ['encrypt'] }),
      'tokenAuth keys: its use or key_ops say that it is not for signatures. Give another.',
    ],
    [
      keyed({ ...jwk, alg: 'RS256' }, { algorithms: ['PS256'] }),
      'tokenAuth keys: its alg is not among PS256. Give another.',
    ],
    [keyed({ kid: 7, key: pem }), 'tokenAuth keys: the kid is no string.'],
    [keyed([pem, ecJwk, pem]), 'tokenAuth keys: the keys 1 and 3 have the same kid, or none. Give each its own.'],
    [
      keyed([pem, createSecretKey(Buffer.from(SECRET))]),
      'tokenAuth keys: there are secrets beside public keys. Leave one kind out.',
    ],
    [keyed({ keys: [{ ...jwk, use: 'enc' }] }), 'tokenAuth keys: none of the keys in the set is for signatures.'],
    [{ jwks: {}, ...EXPECTED }, "tokenAuth: jwks is no address. Give 'https://...', or a JWK Set as keys."],
    [
      { jwks: 'https://id.example.com', algorithms: ['HS256'], ...EXPECTED },
      'tokenAuth: keys that are published are no secrets. Leave HS out of the algorithms.',
    ],
    [
      { jwks: 'https://a:b@id.example.com', ...EXPECTED },
      'tokenAuth jwks: the address has a name or a password in it. Leave them out; the keys are public.',
    ],
    ...[
      'http://id.example.com',
      'ftp://id.example.com',
      'id.example.com',
      'file:///etc/passwd',
      'http://127.0.0.1.example.com',
      '',
    ].map((jwks): [unknown, string] => [
      { jwks, ...EXPECTED },
      "tokenAuth jwks: this is no https address. Give 'https://...'; http is for this machine alone.",
    ]),
  ]
  for (const [options, message] of wrong) t.throws(() => make(options), { instanceOf: TypeError, message }, message)
})

test('tokenAuth() tells nothing of a key that it refuses', t => {
  const pem = createPublicKey(rsa.publicKey.export({ type: 'spki', format: 'pem' })).export({
    type: 'spki',
    format: 'pem',
  })
  const secret = 'this is the secret'
  const errors = [
    { secret },
    { keys: secret },
    { keys: String(pem).replace('A', '!') },
    { keys: { kty: 'oct', k: 'AAAA' } },
  ].map(options => t.throws(() => make({ ...EXPECTED, ...options })) as Error)
  for (const { message, stack, cause } of errors) {
    t.false(`${message}${stack}`.includes(secret))
    t.false(`${message}${stack}`.includes('MII'))
    t.is(cause, undefined)
  }
})
