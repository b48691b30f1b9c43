import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import * as jose from 'jose'
import { kolba } from 'kolba'
import { tokenAuth } from 'kolba/auth'
import { MemoryLogger } from '../../support/memory-logger.ts'
import {
  base64url,
  bearer,
  claims,
  EXPECTED,
  ec,
  good,
  now,
  rsa,
  SECRET,
  signature,
  token,
  whoami,
} from '../../support/tokens.ts'

const withSecret = tokenAuth({ secret: SECRET, ...EXPECTED })
const withRsa = tokenAuth({ keys: { kid: 'one', key: rsa.publicKey }, ...EXPECTED })
const withEc = tokenAuth({ keys: ec.publicKey, ...EXPECTED })
const withPss = tokenAuth({ keys: rsa.publicKey, algorithms: ['PS256'], ...EXPECTED })
const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more }) as never
const withSet = tokenAuth({
  keys: [{ kid: 'one', key: rsa.publicKey }, jwk(ec.publicKey, { kid: 'two', use: 'sig', alg: 'ES256' })],
  ...EXPECTED,
})

const logger = new MemoryLogger()
const app = kolba({ logger })
app.get('/secret', withSecret, whoami)
app.get('/rsa', withRsa, whoami)
app.get('/ec', withEc, whoami)
app.get('/pss', withPss, whoami)
app.get('/set', withSet, whoami)
const client = app.client()

async function refuses(t: ExecutionContext, path: string, text: string, label: string): Promise<void> {
  const response = await client.get(path, bearer(text))
  const body = await response.text()
  t.is(response.status, 401, `${label}: ${body}`)
  t.is(
    response.headers.get('www-authenticate'),
    'Bearer realm="api", error="invalid_token", error_description="The token is not valid."',
    label,
  )
  // Not a part of the token comes back.
  const parts = text.split('.').filter(part => part.length > 8)
  t.false(parts.some(part => body.includes(part)))
}

async function accepts(t: ExecutionContext, path: string, text: string): Promise<void> {
  const response = await client.get(path, bearer(text))
  t.is(response.status, 200, await response.clone().text())
  const { user } = (await response.json()) as { user: { sub: string } }
  t.is(user.sub, 'ada')
}

test.after.always('no attack reached the log, and the process is alive', async t => {
  t.deepEqual(logger.lines, [])
  await accepts(t, '/secret', good())
})

test('tokenAuth() lets good tokens pass, of each kind of key', async t => {
  await accepts(t, '/secret', good())
  await accepts(t, '/rsa', token({ alg: 'RS256', kid: 'one' }, claims(), rsa.privateKey, 'RS256'))
  await accepts(t, '/ec', token({ alg: 'ES256' }, claims(), ec.privateKey, 'ES256'))
  await accepts(t, '/pss', token({ alg: 'PS256' }, claims(), rsa.privateKey, 'PS256'))
  await accepts(t, '/set', token({ alg: 'RS256', kid: 'one' }, claims(), rsa.privateKey, 'RS256'))
  await accepts(t, '/set', token({ alg: 'ES256', kid: 'two' }, claims(), ec.privateKey, 'ES256'))
  await accepts(t, '/set', token({ alg: 'ES256' }, claims(), ec.privateKey, 'ES256'))
})

test('tokenAuth() refuses none, in every case and with every signature', async t => {
  const signatures = ['', 'x', base64url('none'), good().split('.')[2] as string]
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null', 'HS0', 'hs256', 'HS256 ', 'HS1', 'dir']) {
    for (const its of signatures) {
      const text = `${base64url({ alg, typ: 'JWT' })}.${base64url(claims())}.${its}`
      for (const path of ['/secret', '/rsa', '/ec', '/set']) await refuses(t, path, text, `${alg} on ${path}`)
    }
  }
})

test('tokenAuth() refuses an alg that is no text, and a header without one', async t => {
  for (const alg of [null, 1, true, ['HS256'], { toString: 'HS256' }, ['HS256', 'none'], undefined]) {
    await refuses(t, '/secret', token({ alg, typ: 'JWT' }, claims()), JSON.stringify(alg) ?? 'undefined')
  }
})

test('tokenAuth() refuses a signature with the secret or key of another algorithm', async t => {
  for (const alg of ['HS384', 'HS512']) await refuses(t, '/secret', token({ alg }, claims(), SECRET, alg), alg)
  for (const alg of ['RS384', 'RS512', 'PS256', 'PS512'])
    await refuses(t, '/rsa', token({ alg, kid: 'one' }, claims(), rsa.privateKey, alg), alg)
  for (const alg of ['RS256', 'PS384']) await refuses(t, '/pss', token({ alg }, claims(), rsa.privateKey, alg), alg)
  // The name of one, made with another.
  await refuses(t, '/rsa', token({ alg: 'RS256', kid: 'one' }, claims(), rsa.privateKey, 'PS256'), 'PS256 as RS256')
  await refuses(t, '/secret', token({ alg: 'HS256' }, claims(), SECRET, 'HS512'), 'HS512 as HS256')
})

test('tokenAuth() refuses the public key as a secret, in every encoding that there is', async t => {
  const pair = { rsa: rsa.publicKey, ec: ec.publicKey }
  for (const [name, key] of Object.entries(pair)) {
    const types = name === 'rsa' ? (['spki', 'pkcs1'] as const) : (['spki'] as const)
    const pems = types.map(type => key.export({ type: type as 'spki', format: 'pem' }).toString())
    const ders = types.map(type => key.export({ type: type as 'spki', format: 'der' }))
    const set = key.export({ format: 'jwk' })
    const texts = [
      ...pems.flatMap(pem => [pem, pem.trim(), `${pem}\n`, pem.replaceAll('\n', ''), pem.replaceAll('\n', '\r\n')]),
      ...pems.map(pem => pem.replace(/-----[^-]+-----|\n/g, '')),
      ...ders.flatMap(der => [der.toString('base64'), der.toString('base64url'), der.toString('hex')]),
      JSON.stringify(set),
      JSON.stringify({ keys: [set] }),
      JSON.stringify(set, null, 2),
      String(set.n ?? set.x),
      '',
    ]
    const keys = [...texts.map(text => Buffer.from(text)), ...ders, Buffer.from(String(set.n ?? set.x), 'base64url')]
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      for (const [index, secret] of keys.entries()) {
        for (const kid of ['one', undefined]) {
          const text = token({ alg, kid }, claims(), secret, alg)
          await refuses(t, `/${name}`, text, `${name} ${alg} ${index}`)
          await refuses(t, '/set', text, `set ${name} ${alg} ${index}`)
        }
      }
    }
  }
})

test('tokenAuth() looks a kid up and does nothing else with it', async t => {
  const kids = [
    '../../../../../../dev/null',
    '/dev/null',
    'C:\\nul',
    "x' UNION SELECT 'secret'--",
    '"; sleep 5',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'one\0',
    'One',
    ' one',
    'one ',
    '',
    'x'.repeat(4000),
    'http://127.0.0.1:1/keys',
    null,
    1,
    true,
    ['one'],
    { one: 1 },
    ['one', 'two'],
  ]
  for (const kid of kids) {
    const header = { alg: 'RS256', kid }
    await refuses(t, '/set', token(header, claims(), rsa.privateKey, 'RS256'), JSON.stringify(kid).slice(0, 40))
    for (const secret of ['', '\0', 'secret', String(kid)])
      await refuses(
        t,
        '/set',
        token({ alg: 'HS256', kid }, claims(), secret),
        `HS256 ${JSON.stringify(kid).slice(0, 40)}`,
      )
  }
  // The kid of another key of the ring.
  await refuses(t, '/set', token({ alg: 'RS256', kid: 'two' }, claims(), rsa.privateKey, 'RS256'), 'two')
  await refuses(t, '/set', token({ alg: 'ES256', kid: 'one' }, claims(), ec.privateKey, 'ES256'), 'one')
})

test('tokenAuth() does not look at the keys and addresses that a token brings', async t => {
  let asked = 0
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...own.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' }
  const server = createServer((_req, res) => {
    asked += 1
    res.end(JSON.stringify({ keys: [key] }))
  }).listen(0)
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const der = own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  for (const more of [
    { jwk: key },
    { jku: url },
    { x5u: url },
    { x5c: [der] },
    { jwk: key, jku: url, x5u: url, x5c: [pem] },
    { keys: [key] },
    { iss: url, jwks_uri: url },
  ])
    for (const kid of ['one', undefined, 'three', url])
      await refuses(t, '/set', token({ alg: 'RS256', kid, ...more }, claims(), own.privateKey, 'RS256'), `${kid}`)
  t.is(asked, 0)
  // Beside a good signature they are not looked at either.
  await accepts(t, '/set', token({ alg: 'RS256', kid: 'one', jwk: key, jku: url }, claims(), rsa.privateKey, 'RS256'))
  t.is(asked, 0)
})

test('tokenAuth() refuses a header that has to be understood, RFC 7515 section 4.1.11 and RFC 7797', async t => {
  for (const more of [
    { crit: ['exp'] },
    { crit: [] },
    { crit: ['b64'], b64: false },
    { crit: null },
    { crit: 'exp' },
    { b64: false },
    { b64: true },
    { typ: 1 },
    { typ: ['JWT'] },
  ])
    await refuses(t, '/secret', good({}, more), JSON.stringify(more))
})

test('tokenAuth() refuses a payload that is no object of claims, and lives on', async t => {
  const payloads = [
    'null',
    'true',
    '0',
    '"text"',
    '[]',
    '[{"sub":"ada"}]',
    '',
    ' ',
    '{',
    '{}',
    'undefined',
    'NaN',
    `{"exp":1e400,"iss":"${EXPECTED.issuer}","aud":"shop"}`,
    `\ufeff${JSON.stringify(claims())}`,
    `${JSON.stringify(claims())}x`,
    `${'['.repeat(2800)}${']'.repeat(2800)}`,
    `{"a":`.repeat(500),
    JSON.stringify(claims()).replace('{', '{"__proto__":{"admin":true},'),
    JSON.stringify(claims()).replace('{', '{"a":{"__proto__":{"admin":true}},'),
    JSON.stringify(claims({ deep: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) })),
  ]
  for (const payload of payloads)
    for (const typ of ['JWT', undefined])
      await refuses(t, '/secret', token({ alg: 'HS256', typ }, payload), payload.slice(0, 40))
  await refuses(t, '/secret', token({ alg: 'HS256' }, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), 'UTF-8')
})

test('tokenAuth() refuses registered claims of wrong types', async t => {
  const wrong = {
    exp: ['9999999999', null, true, [9999999999], {}, '', -1, 0, 'Infinity'],
    nbf: ['0', null, [0], false, now() + 60],
    iat: ['0', null, [0], true],
    iss: [
      null,
      1,
      [EXPECTED.issuer],
      {},
      '',
      `${EXPECTED.issuer}/`,
      EXPECTED.issuer.toUpperCase(),
      'https://evil.example',
    ],
    aud: [null, 1, {}, [], [1], ['shop', 1], ['SHOP'], 'sho', 'shop ', ['other'], { 0: 'shop', length: 1 }],
    sub: [null, 1, ['ada'], { id: 'ada' }, true],
    jti: [null, 1, {}],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const isOver = name === 'exp' && typeof value === 'number'
      if (!isOver) await refuses(t, '/secret', good({ [name]: value }), `${name} ${JSON.stringify(value)}`)
    }
  }
  for (const name of ['exp', 'iss', 'aud']) await refuses(t, '/secret', good({ [name]: undefined }), `without ${name}`)
  await accepts(t, '/secret', good({ aud: ['other', 'shop'], nbf: now() - 1.5, iat: now() + 0.5, exp: now() + 1e9 }))
})

test('tokenAuth() takes the last of claims that are there twice, as RFC 7519 section 4 lets it, in its check and its user', async t => {
  const twice = JSON.stringify(claims({ role: 'user' })).replace(
    '{',
    '{"exp":1,"iss":"https://evil.example","role":"root",',
  )
  const response = await client.get('/secret', bearer(token({ alg: 'HS256' }, twice)))
  const { user } = (await response.json()) as { user: { role: string } }
  t.is(user.role, 'user')
  const past = JSON.stringify(claims()).replace(/}$/, ',"aud":"other"}')
  await refuses(t, '/secret', token({ alg: 'HS256' }, past), 'aud')
  await refuses(t, '/secret', token('{"alg":"HS256","alg":"none"}', claims()), 'alg')
})

test('tokenAuth() takes each token in one spelling', async t => {
  const text = good()
  const [header = '', payload = '', its = ''] = text.split('.')
  const spellings = [
    `${header}.${payload}.${its}=`,
    `${header}=.${payload}.${its}`,
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `.${payload}.${its}`,
    `${header}..${its}`,
    `${text}.`,
    `${text}.x`,
    `.${text}`,
    `${header}.${payload}.${its}.${its}`,
    `${header}.${payload}.${its}A`,
    `${header}.${payload}.${its.slice(0, -1)}`,
    `${header}.${payload}.${Buffer.from(its, 'base64url').toString('base64')}`,
    `${header}.${payload}.${its.toUpperCase()}`,
    `${payload}.${header}.${its}`,
  ]
  // The last character of 32 bytes has two bits that say nothing.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(its.at(-1) as string)
  for (let bits = 1; bits < 4; bits += 1)
    spellings.push(`${header}.${payload}.${its.slice(0, -1)}${alphabet[last ^ bits]}`)
  for (const spelling of spellings.filter(it => !it.endsWith('==') && it !== text)) {
    const { status } = await client.get('/secret', bearer(spelling))
    t.true(status === 401 || (status === 400 && spelling.includes('=')), `${status} ${spelling}`)
  }
  await accepts(t, '/secret', text)
})

test('tokenAuth() refuses tokens over 8 KiB, and takes one right below', async t => {
  const sized = (length: number) => {
    const bare = good({ pad: '' })
    return good({ pad: 'x'.repeat(Math.floor(((length - bare.length) * 3) / 4)) })
  }
  const fits = sized(8190)
  t.true(fits.length > 8150 && fits.length <= 8192, `${fits.length}`)
  await accepts(t, '/secret', fits)
  const large = sized(8300)
  t.true(large.length > 8192 && large.length < 8400)
  await refuses(t, '/secret', large, 'large')
  t.is((await client.get('/secret', bearer('x'.repeat(20_000)))).status, 431)
  await refuses(t, '/secret', '.'.repeat(8000), 'dots')
})

test('tokenAuth() refuses a token that is changed anywhere', async t => {
  const texts = {
    '/secret': good(),
    '/ec': token({ alg: 'ES256' }, claims(), ec.privateKey, 'ES256'),
    '/rsa': token({ alg: 'RS256', kid: 'one' }, claims(), rsa.privateKey, 'RS256'),
  }
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/'
  const change = fc.record({
    path: fc.constantFrom(...(Object.keys(texts) as (keyof typeof texts)[])),
    at: fc.nat(),
    kind: fc.constantFrom('replace', 'insert', 'remove', 'swap', 'repeat'),
    by: fc.constantFrom(...alphabet),
  })
  await fc.assert(
    fc.asyncProperty(change, async ({ path, at, kind, by }) => {
      const text = texts[path]
      const index = at % text.length
      const [before, after] = [text.slice(0, index), text.slice(index + 1)]
      const changed = {
        replace: `${before}${by}${after}`,
        insert: `${before}${by}${text.slice(index)}`,
        remove: `${before}${after}`,
        swap: `${before}${text[index + 1] ?? ''}${text[index]}${text.slice(index + 2)}`,
        repeat: `${text.slice(0, index)}${text.slice(index)}${text.slice(index)}`,
      }[kind] as string
      if (changed === text) return
      const { status } = await client.get(path, bearer(changed))
      t.true(status === 401 || status === 400, `${status} ${changed}`)
    }),
    { numRuns: 300 },
  )
})

test('tokenAuth() refuses claims that were exchanged under a good signature', async t => {
  const [header, , its] = good().split('.')
  for (const more of [{ sub: 'root' }, { exp: now() + 1e6 }, { admin: true }])
    await refuses(t, '/secret', `${header}.${base64url(claims(more))}.${its}`, JSON.stringify(more))
  const [, payload] = good({ sub: 'eve' }).split('.')
  await refuses(t, '/secret', `${header}.${payload}.${its}`, 'of another token')
  const input = `${header}.${base64url(claims())}`
  await refuses(
    t,
    '/secret',
    `${input}.${createHmac('sha256', 'another secret').update(input).digest('base64url')}`,
    'mac',
  )
})

test('tokenAuth() refuses signatures of ECDSA in DER, of zeros, and those that are too long', async t => {
  const input = `${base64url({ alg: 'ES256' })}.${base64url(claims())}`
  const raw = Buffer.from(signature(input, ec.privateKey, 'ES256'), 'base64url')
  const der = Buffer.concat([
    Buffer.from([0x30, 0x44, 2, 32]),
    raw.subarray(0, 32),
    Buffer.from([2, 32]),
    raw.subarray(32),
  ])
  const changed = [der, Buffer.alloc(64), Buffer.alloc(64, 255), Buffer.concat([raw, Buffer.alloc(2)]), raw.subarray(1)]
  for (const [index, bytes] of changed.entries())
    await refuses(t, '/ec', `${input}.${bytes.toString('base64url')}`, `${index}`)
})

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const
for (const alg of ALGORITHMS) {
  test(`tokenAuth() verifies what jose signs with ${alg}, from PEM, JWK and KeyObject`, async t => {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
    const text = await new jose.SignJWT({ sub: 'ada' })
      .setProtectedHeader({ alg, kid: 'k' })
      .setIssuer(EXPECTED.issuer)
      .setAudience(EXPECTED.audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
    const jwk = (await jose.exportJWK(publicKey)) as never
    const pem = await jose.exportSPKI(publicKey)
    const forms = [pem, jwk, createPublicKey(pem), { kid: 'k', key: pem }, await jose.exportPKCS8(privateKey)]
    for (const keys of forms) {
      const app = kolba()
      app.get('/', tokenAuth({ keys, algorithms: [alg], ...EXPECTED }), whoami)
      t.is((await app.client().get('/', bearer(text))).status, 200)
    }
  })
}

for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
  test(`tokenAuth() verifies what jose signs with ${alg}`, async t => {
    const text = await new jose.SignJWT(claims()).setProtectedHeader({ alg }).sign(Buffer.from(SECRET))
    const app = kolba()
    app.get('/', tokenAuth({ secret: Buffer.from(SECRET), algorithms: [alg], ...EXPECTED }), whoami)
    t.is((await app.client().get('/', bearer(text))).status, 200)
  })
}
