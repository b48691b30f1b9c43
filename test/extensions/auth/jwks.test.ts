import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { kolba } from 'kolba'
import { tokenAuth } from 'kolba/auth'
import { later } from '../../support/clock.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { bearer, claims, EXPECTED, ec, rsa, SECRET, token, whoami } from '../../support/tokens.ts'

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const one = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }
const two = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'two' }
const three = { ...other.publicKey.export({ format: 'jwk' }), kid: 'three', alg: 'ES256' }
const signed = {
  one: token({ alg: 'RS256', kid: 'one' }, claims(), rsa.privateKey, 'RS256'),
  two: token({ alg: 'ES256', kid: 'two' }, claims(), ec.privateKey, 'ES256'),
  three: token({ alg: 'ES256', kid: 'three' }, claims(), other.privateKey, 'ES256'),
  nameless: token({ alg: 'RS256' }, claims(), rsa.privateKey, 'RS256'),
}

const hours = claims({ exp: Math.floor(Date.now() / 1000) + 7200 })
const long = {
  one: token({ alg: 'RS256', kid: 'one' }, hours, rsa.privateKey, 'RS256'),
  two: token({ alg: 'ES256', kid: 'two' }, hours, ec.privateKey, 'ES256'),
}

/** An issuer of this test's own, whose answer may be exchanged, and an app that believes it. */
async function issuing(t: ExecutionContext, keys: unknown, options: object = {}) {
  const issuer = {
    asked: 0,
    answer: ((_req, res) => void res.end(JSON.stringify({ keys }))) as RequestListener,
    give(keys: unknown) {
      issuer.answer = (_req, res) => void res.end(JSON.stringify({ keys }))
    },
  }
  const server = createServer((req, res) => {
    issuer.asked += 1
    issuer.answer(req, res)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get('/', tokenAuth({ jwks: url, ...EXPECTED, ...options }), whoami)
  const client = app.client()
  const status = async (text: string) => (await client.get('/', bearer(text))).status
  return { issuer, logger, status, url, client, server }
}

test.serial('tokenAuth({ jwks }) fetches the keys once, when the first token comes', async t => {
  const { issuer, status } = await issuing(t, [
    one,
    two,
    { kty: 'OKP', crv: 'Ed25519', x: 'x', kid: 'ed' },
    null,
    'x',
    {},
  ])
  t.is(issuer.asked, 0)
  t.deepEqual(await Promise.all([1, 2, 3, 4].map(() => status(signed.one))), [200, 200, 200, 200])
  t.is(await status(signed.two), 200)
  t.is(await status(signed.nameless), 200)
  t.is(issuer.asked, 1)
})

test.serial('tokenAuth({ jwks }) fetches them again after ten minutes, and knows then what was taken out', async t => {
  const { issuer, status } = await issuing(t, [one, two])
  t.is(await status(long.two), 200)
  issuer.give([one])
  await later(599, async () => t.is(await status(long.two), 200))
  t.is(issuer.asked, 1)
  await later(601, async () => {
    // The token is remembered, and its key is not one any more.
    t.is(await status(long.two), 401)
    t.is(await status(long.one), 200)
    // Once because they were old, and once for a kid that is unknown by then.
    t.is(issuer.asked, 3)
  })
})

test.serial('tokenAuth({ jwks }) refuses a remembered token when its kid has another key', async t => {
  const { issuer, status } = await issuing(t, [two])
  t.is(await status(long.two), 200)
  issuer.give([{ ...three, kid: 'two' }])
  await later(601, async () => t.is(await status(long.two), 401))
})

test.serial('tokenAuth({ jwks }) refuses a remembered token when its key is for another algorithm', async t => {
  const { issuer, status } = await issuing(t, [{ ...one, alg: 'RS256' }])
  t.is(await status(long.one), 200)
  issuer.give([{ ...one, alg: 'PS256' }])
  await later(601, async () => {
    t.is(await status(long.one), 401)
    t.is(await status(token({ alg: 'PS256', kid: 'one' }, hours, rsa.privateKey, 'PS256')), 200)
  })
})

test.serial('tokenAuth({ jwks }) refuses a remembered token when it could be meant for two keys', async t => {
  const { issuer, status } = await issuing(t, [two])
  t.is(await status(long.two), 200)
  issuer.give([two, { ...three, kid: 'two' }])
  await later(601, async () => t.is(await status(long.two), 401))
})

test.serial('tokenAuth({ jwks }) fetches for an unknown kid at once, and then not for a minute', async t => {
  const { issuer, status } = await issuing(t, [one])
  t.is(await status(signed.one), 200)
  issuer.give([one, two])
  t.deepEqual(await Promise.all([1, 2, 3].map(() => status(signed.two))), [200, 200, 200])
  t.is(issuer.asked, 2)
  issuer.give([one, two, three])
  for (const _ of [1, 2, 3]) t.is(await status(signed.three), 401)
  for (let index = 0; index < 20; index += 1)
    t.is(await status(token({ alg: 'ES256', kid: `x${index}` }, claims(), other.privateKey, 'ES256')), 401)
  t.is(issuer.asked, 2)
  await later(61, async () => t.is(await status(signed.three), 200))
  t.is(issuer.asked, 3)
  // One without a kid, and one that is known, ask for nothing.
  t.is(
    await status(
      token({ alg: 'ES256' }, claims(), generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ES256'),
    ),
    401,
  )
  t.is(issuer.asked, 3)
})

const FAILURES: [string, RequestListener][] = [
  ['500', (_req, res) => void res.writeHead(500).end('{"keys":[]}')],
  ['404 with keys', (_req, res) => void res.writeHead(404).end(JSON.stringify({ keys: [two] }))],
  ['a redirect', (req, res) => void res.writeHead(302, { Location: `http://${req.headers.host}/other` }).end()],
  ['no JSON', (_req, res) => void res.end('<html>')],
  ['null', (_req, res) => void res.end('null')],
  ['a list', (_req, res) => void res.end(JSON.stringify([two]))],
  ['keys that are no list', (_req, res) => void res.end(JSON.stringify({ keys: { two } }))],
  ['a broken connection', (_req, res) => void res.destroy()],
  [
    'half an answer',
    (_req, res) => void res.writeHead(200, { 'Content-Length': '99' }).write('{"keys":[', () => res.destroy()),
  ],
  ['more than 256 KiB', (_req, res) => void res.end(JSON.stringify({ keys: [two], pad: 'x'.repeat(256 * 1024) }))],
  [
    'more than 256 KiB in gzip',
    (_req, res) =>
      void res
        .writeHead(200, { 'Content-Encoding': 'gzip' })
        .end(gzipSync(JSON.stringify({ keys: [two], pad: ' '.repeat(256 * 1024) }))),
  ],
]
for (const [what, listener] of FAILURES) {
  test.serial(`tokenAuth({ jwks }) keeps the last good keys where the issuer gives ${what}`, async t => {
    const { issuer, status, logger, url } = await issuing(t, [one])
    t.is(await status(long.one), 200)
    issuer.answer = listener
    await later(700, async () => {
      t.is(await status(long.one), 200)
      t.is(issuer.asked, 2)
      // For a minute nobody waits for another try.
      t.is(await status(long.one), 200)
      t.is(issuer.asked, 2)
    })
    t.is(logger.lines.length, 1)
    t.is(logger.lines[0]?.level, 'warn')
    t.is(logger.lines[0]?.message, `tokenAuth jwks: the keys at ${url} could not be fetched.`)
    issuer.give([one, two])
    await later(770, async () => {
      t.is(await status(long.one), 200)
      t.is(issuer.asked, 3)
    })
  })

  test.serial(`tokenAuth({ jwks }) answers 503 where there were never keys and the issuer gives ${what}`, async t => {
    const { issuer, client, status } = await issuing(t, [])
    issuer.answer = listener
    const response = await client.get('/', bearer(signed.two))
    t.is(response.status, 503)
    t.is(response.headers.get('retry-after'), '5')
    t.false((await response.text()).includes('127.0.0.1'))
    t.is(issuer.asked, 1)
    t.is(await status(signed.two), 503)
    t.is(issuer.asked, 1)
    issuer.give([two])
    await later(6, async () => t.is(await status(signed.two), 200))
  })
}

test.serial('tokenAuth({ jwks }) takes no secret that was published, and no key for something else', async t => {
  const oct = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'oct', alg: 'HS256' }
  const short = {
    ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
    kid: 'short',
  }
  const { status } = await issuing(t, [
    oct,
    { ...two, use: 'enc' },
    { ...one, alg: 'PS256' },
    short,
    { ...three, kid: 7 },
  ])
  t.is(await status(token({ alg: 'HS256', kid: 'oct' }, claims())), 401)
  t.is(await status(token({ alg: 'HS256' }, claims())), 401)
  t.is(await status(signed.two), 401)
  t.is(await status(signed.one), 401)
  t.is(await status(signed.three), 401)
  t.is(await status(token({ alg: 'PS256', kid: 'one' }, claims(), rsa.privateKey, 'PS256')), 200)
})

test.serial(
  'tokenAuth({ jwks }) takes of two keys with one kid that of the algorithm, and none where both fit',
  async t => {
    const { status } = await issuing(t, [{ ...one, kid: 'two' }, two])
    t.is(await status(signed.two), 200)
    t.is(await status(token({ alg: 'RS256', kid: 'two' }, claims(), rsa.privateKey, 'RS256')), 200)
    const same = await issuing(t, [two, { ...three, kid: 'two' }])
    t.is(await same.status(signed.two), 401)
  },
)

test.serial('tokenAuth({ jwks, algorithms }) takes no other algorithm', async t => {
  const { status } = await issuing(t, [one, two], { algorithms: ['PS256'] })
  t.is(await status(signed.one), 401)
  t.is(await status(signed.two), 401)
  t.is(await status(token({ alg: 'PS256', kid: 'one' }, claims(), rsa.privateKey, 'PS256')), 200)
})

test.serial('tokenAuth({ jwks }) asks the issuer for JSON, and sends it no credentials', async t => {
  const { issuer, status } = await issuing(t, [one])
  const { answer } = issuer
  let seen: object = {}
  issuer.answer = (req, res) => {
    seen = req.headers
    answer(req, res)
  }
  t.is(await status(signed.one), 200)
  t.like(seen, { accept: 'application/jwk-set+json, application/json' })
  t.false('authorization' in seen || 'cookie' in seen)
})

test('tokenAuth({ jwks }) takes http for this machine alone', t => {
  for (const jwks of [
    'http://localhost:1/x',
    'http://127.0.0.1/x',
    'http://[::1]:8080/x',
    new URL('https://id.example.com/x'),
  ])
    t.notThrows(() => tokenAuth({ jwks, ...EXPECTED }))
})
