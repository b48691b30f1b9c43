import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import * as jose from 'jose'
import { type BaseContext, kolba, problem, reply } from 'kolba'
import {
  hashPassword,
  hashToken,
  type IssueOptions,
  issueTokens,
  memoryTokens,
  type TokenStore,
  tokenAuth,
  verifyPassword,
} from 'kolba/auth'
import { body } from 'kolba/body'
import { later } from '../../support/clock.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { bearer, EXPECTED, ec, rsa, SECRET, whoami } from '../../support/tokens.ts'

interface User {
  id: number
  name: string
  roles: string[]
}
interface Given {
  access_token: string
  token_type: string
  expires_in: number
  refresh_token: string
}

function serving(options: Partial<IssueOptions<User>> = {}) {
  const users = new Map<string, User>([['7', { id: 7, name: 'ada', roles: ['admin'] }]])
  const stored = new Map<string, string>()
  const store: TokenStore = {
    get: async key => stored.get(key),
    set: async (key, value) => stored.set(key, value),
    delete: async key => stored.delete(key),
  }
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const tokens = issueTokens<User>({
    secret: SECRET,
    ...EXPECTED,
    check: ({ username, password }) =>
      password === 'pass' ? [...users.values()].find(it => it.name === username) : undefined,
    load: id => users.get(id),
    claims: ({ roles }) => ({ roles }),
    store,
    ...options,
  })
  app.mount('/tokens', tokens)
  app.get('/me', tokenAuth({ secret: SECRET, ...EXPECTED, type: 'at+jwt' }), whoami)
  app.get('/strict', tokenAuth({ secret: SECRET, ...EXPECTED, revoked: tokens.revoked }), whoami)
  const client = app.client()
  const post = (path: string, json: unknown) => client.post(`/tokens${path}`, { json })
  const signIn = async () => (await (await post('', { username: 'ada', password: 'pass' })).json()) as Given
  const refresh = (refresh_token: unknown) => post('/refresh', { refresh_token })
  const me = async (token: string, path = '/me') => (await client.get(path, bearer(token))).status
  return { app, client, post, signIn, refresh, me, users, stored, logger, tokens }
}

test('issueTokens() gives tokens as RFC 6749 section 5.1 writes them', async t => {
  const { post, client } = serving()
  const response = await post('', { username: 'ada', password: 'pass' })
  t.is(response.status, 200)
  t.is(response.headers.get('cache-control'), 'no-store')
  const given = (await response.json()) as Given
  t.deepEqual(Object.keys(given), ['access_token', 'token_type', 'expires_in', 'refresh_token'])
  t.is(given.token_type, 'Bearer')
  t.is(given.expires_in, 600)
  t.regex(given.refresh_token, /^rt_[\w-]{49}$/)
  const { user } = (await (await client.get('/me', bearer(given.access_token))).json()) as {
    user: Record<string, unknown>
  }
  t.like(user, { iss: EXPECTED.issuer, aud: 'shop', sub: '7', roles: ['admin'] })
  t.is((user.exp as number) - (user.iat as number), 600)
  t.regex(String(user.jti), /^[\da-f-]{36}$/)
})

test('issueTokens() takes a form too, and hands what else was sent to check', async t => {
  const seen: unknown[] = []
  const { client } = serving({
    check: (credentials, ctx) => {
      seen.push(credentials, ctx.path)
      return undefined
    },
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  t.is((await client.post('/tokens', { headers, body: 'username=ada&password=p%C3%A4&otp=123' })).status, 400)
  t.deepEqual(JSON.parse(JSON.stringify(seen)), [{ username: 'ada', password: 'pä', otp: '123' }, '/tokens'])
})

test('issueTokens() answers 400 invalid_grant for wrong credentials, the same for every name', async t => {
  const { post, stored } = serving()
  const answers = []
  for (const [username, password] of [
    ['ada', 'word'],
    ['eve', 'pass'],
    ['__proto__', 'x'],
    ['ada', 'PASS'],
  ]) {
    const response = await post('', { username, password })
    t.is(response.status, 400)
    const { requestId, ...document } = (await response.json()) as Record<string, unknown>
    t.truthy(requestId)
    answers.push(document)
  }
  for (const answer of answers) t.deepEqual(answer, answers[0])
  t.like(answers[0], { error: 'invalid_grant', detail: 'The name or the password is wrong.', title: 'Bad Request' })
  t.is(stored.size, 0)
})

test('issueTokens() answers 400 and the like for what is malformed, and asks nobody', async t => {
  let asked = 0
  const { post, client } = serving({
    check: () => {
      asked += 1
      return undefined
    },
  })
  const wrong: [unknown, string][] = [
    [{}, 'Send username, a text of 1 to 1024 characters.'],
    [{ username: 'ada' }, 'Send password, a text of 1 to 1024 characters.'],
    [{ username: 'ada', password: '' }, 'Send password, a text of 1 to 1024 characters.'],
    [{ username: ['ada'], password: 'x' }, 'Send username, a text of 1 to 1024 characters.'],
    [{ username: { $ne: 1 }, password: 'x' }, 'Send username, a text of 1 to 1024 characters.'],
    [{ username: 'x'.repeat(1025), password: 'x' }, 'Send username, a text of 1 to 1024 characters.'],
    [[], 'The body is no object.'],
    ['ada', 'The body is no object.'],
    [null, 'The body is no object.'],
  ]
  for (const [body, detail] of wrong) {
    const response = await post('', body)
    t.is(response.status, 400)
    t.like(await response.json(), { detail, error: 'invalid_request' })
  }
  for (const path of ['/refresh', '/revoke'])
    for (const body of [{}, { refresh_token: 1, token: 1 }, { refresh_token: '', token: null }, []])
      t.is((await post(path, body)).status, 400)
  t.is((await client.post('/tokens')).status, 400)
  t.is((await client.post('/tokens', { headers: { 'content-type': 'text/plain' }, body: 'x' })).status, 415)
  t.is((await post('', { username: 'ada', password: 'x', pad: 'x'.repeat(20_000) })).status, 413)
  t.is((await client.get('/tokens')).status, 405)
  t.is(asked, 0)
})

test('issueTokens() gives a new refresh token for an old one, which is used up', async t => {
  const { signIn, refresh, me, users } = serving()
  let { refresh_token } = await signIn()
  const seen = new Set([refresh_token])
  for (let index = 0; index < 5; index += 1) {
    const response = await refresh(refresh_token)
    t.is(response.status, 200)
    t.is(response.headers.get('cache-control'), 'no-store')
    const next = (await response.json()) as Given
    t.is(await me(next.access_token), 200)
    refresh_token = next.refresh_token
    seen.add(refresh_token)
  }
  t.is(seen.size, 6)
  // What the user may do now, and not what it was.
  ;(users.get('7') as User).roles = []
  const { access_token } = (await (await refresh(refresh_token)).json()) as Given
  t.deepEqual(jose.decodeJwt(access_token).roles, [])
})

test('issueTokens() ends the session when a refresh token is used a second time', async t => {
  const { signIn, refresh, me, logger } = serving()
  const other = await signIn()
  const first = await signIn()
  const second = (await (await refresh(first.refresh_token)).json()) as Given
  t.is(await me(second.access_token, '/strict'), 200)
  const reused = await refresh(first.refresh_token)
  t.is(reused.status, 400)
  t.like(await reused.json(), { error: 'invalid_grant', detail: 'The refresh token is not valid. Sign in again.' })
  // Whoever was right, nobody goes on.
  t.is((await refresh(second.refresh_token)).status, 400)
  t.is(await me(second.access_token, '/strict'), 401)
  t.is(await me(first.access_token, '/strict'), 401)
  t.is(await me(second.access_token), 200, 'where revoked is not asked it is good for its ten minutes')
  t.is((await refresh(other.refresh_token)).status, 200, 'another session is not touched')
  t.is(logger.lines.length, 1)
  const [line] = logger.lines
  t.is(line?.level, 'warn')
  t.is(line?.message, 'issueTokens: a refresh token was used twice, so its session has ended.')
  t.deepEqual(Object.keys(line?.fields ?? {}), ['requestId', 'session'])
  t.false(JSON.stringify(line).includes(first.refresh_token.slice(5, 30)))
})

test('issueTokens() gives one of two who refresh at once a token, whoever is first, and ends the session', async t => {
  for (let round = 0; round < 10; round += 1) {
    const { signIn, refresh } = serving()
    const { refresh_token } = await signIn()
    const responses = await Promise.all([1, 2, 3, 4, 5].map(() => refresh(refresh_token)))
    const won = responses.filter(({ status }) => status === 200)
    t.is(won.length, 1)
    t.is(responses.filter(({ status }) => status === 400).length, 4)
    const next = (await won[0]?.json()) as Given
    t.is((await refresh(next.refresh_token)).status, 400)
  }
})

test.serial('issueTokens({ grace }) leaves the session be for a moment, and gives no second token', async t => {
  const { signIn, refresh } = serving({ grace: 10 })
  const { refresh_token } = await signIn()
  const responses = await Promise.all([1, 2, 3].map(() => refresh(refresh_token)))
  const won = responses.filter(({ status }) => status === 200)
  t.is(won.length, 1)
  const next = (await won[0]?.json()) as Given
  const after = await refresh(next.refresh_token)
  t.is(after.status, 200)
  const last = (await after.json()) as Given
  await later(11, async () => t.is((await refresh(refresh_token)).status, 400))
  t.is((await refresh(last.refresh_token)).status, 400)
})

test.serial('issueTokens() lets nothing be used beyond its time', async t => {
  const { signIn, refresh, me } = serving({ access: 60, refresh: 3600, session: 7200 })
  const first = await signIn()
  t.is(first.expires_in, 60)
  await later(70, async () => t.is(await me(first.access_token), 401))
  await later(3601, async () => t.is((await refresh(first.refresh_token)).status, 400))
  let { refresh_token } = first
  for (const at of [3000, 6000])
    await later(at, async () => {
      const response = await refresh(refresh_token)
      t.is(response.status, 200)
      refresh_token = ((await response.json()) as Given).refresh_token
    })
  // However often it is refreshed, the session ends.
  await later(7201, async () => t.is((await refresh(refresh_token)).status, 400))
})

test('issueTokens() ends the session of a user who is there no longer', async t => {
  const { signIn, refresh, users } = serving()
  const { refresh_token } = await signIn()
  const user = users.get('7') as User
  users.delete('7')
  t.is((await refresh(refresh_token)).status, 400)
  users.set('7', user)
  t.is((await refresh(refresh_token)).status, 400)
})

test('issueTokens() leaves the refresh token good where the user could not be loaded', async t => {
  let isAway = true
  const load = (id: string) => {
    if (isAway) throw new Error('away')
    return { id: Number(id), name: 'ada', roles: [] }
  }
  const { signIn, refresh } = serving({ load })
  const { refresh_token } = await signIn()
  t.is((await refresh(refresh_token)).status, 500)
  isAway = false
  t.is((await refresh(refresh_token)).status, 200)
})

test('issueTokens() leaves the refresh token good where claims or subject fail', async t => {
  for (const name of ['claims', 'subject'] as const) {
    let isAway = false
    const fail = ({ id }: User) => {
      if (isAway) throw new Error('The directory is away.')
      return name === 'claims' ? { id } : String(id)
    }
    const { signIn, refresh, me, logger } = serving({ [name]: fail })
    const { access_token, refresh_token } = await signIn()
    isAway = true
    t.is((await refresh(refresh_token)).status, 500)
    isAway = false
    const next = await refresh(refresh_token)
    t.is(next.status, 200)
    t.is(await me(access_token, '/strict'), 200)
    t.is(await me(((await next.json()) as Given).access_token, '/strict'), 200)
    t.deepEqual(
      logger.lines.map(({ message }) => message),
      ['The directory is away.'],
    )
  }
})

test('issueTokens() takes tokens back, and says the same for known and unknown ones', async t => {
  const { signIn, refresh, post, me, stored } = serving()
  const first = await signIn()
  const second = (await (await refresh(first.refresh_token)).json()) as Given
  const answers = []
  const unknown = ['x', 'rt_x', second.access_token, first.refresh_token.replace(/^rt/, 'at'), `rt_${'A'.repeat(49)}`]
  for (const token of [...unknown, first.refresh_token, second.refresh_token, second.refresh_token]) {
    const response = await post('/revoke', { token })
    answers.push([response.status, response.headers.get('cache-control'), await response.text()])
  }
  for (const answer of answers) t.deepEqual(answer, [200, 'no-store', '{}'])
  t.is((await refresh(second.refresh_token)).status, 400)
  t.is(await me(second.access_token, '/strict'), 401)
  t.false([...stored.keys()].some(key => key.startsWith('session:') || key.startsWith('refresh:')))
  // One that was used is enough.
  const third = await signIn()
  const fourth = (await (await refresh(third.refresh_token)).json()) as Given
  await post('/revoke', { token: third.refresh_token })
  t.is((await refresh(fourth.refresh_token)).status, 400)
})

test('issueTokens() stores no token, and its hash alone', async t => {
  const { signIn, refresh, stored } = serving()
  const first = await signIn()
  const second = (await (await refresh(first.refresh_token)).json()) as Given
  const all = JSON.stringify([...stored])
  for (const { access_token, refresh_token } of [first, second]) {
    t.false(all.includes(refresh_token.slice(3, 46)))
    t.false(all.includes(access_token.slice(-20)))
  }
  t.true(all.includes(hashToken(second.refresh_token)))
})

test('issueTokens() tells a client nothing by what it forges', async t => {
  const { signIn, refresh, stored } = serving()
  const { refresh_token, access_token } = await signIn()
  const { sid } = jose.decodeJwt(access_token)
  const before = JSON.stringify([...stored])
  for (const forged of [
    `rt_${sid}`,
    `session:${sid}`,
    hashToken(refresh_token),
    String(sid),
    refresh_token.slice(0, -1),
    `${refresh_token} `,
  ]) {
    const response = await refresh(forged)
    t.is(response.status, 400)
    t.like(await response.json(), { error: 'invalid_grant' })
  }
  t.is(JSON.stringify([...stored]), before)
  t.is((await refresh(refresh_token)).status, 200)
})

test('issueTokens() wants a store whose delete says whether the key was there', async t => {
  const { signIn, refresh, stored, logger } = serving({
    store: {
      get: key => stored.get(key),
      set: (key, value) => void stored.set(key, value),
      delete: ((key: string) => void stored.delete(key)) as never,
    },
  })
  const { refresh_token } = await signIn()
  t.is((await refresh(refresh_token)).status, 500)
  t.is(
    logger.lines[0]?.message,
    'issueTokens: delete of the store must say whether the key was there. Return true or false.',
  )
})

test('issueTokens() takes a store that counts, as Redis does, and memoryTokens(), which is the default', async t => {
  const kept = new Map<string, string>()
  const counting: TokenStore = {
    get: key => kept.get(key) ?? null,
    set: (key, value, seconds) => {
      t.true(Number.isInteger(seconds) && seconds > 0)
      kept.set(key, value)
    },
    delete: key => Number(kept.delete(key)),
  }
  for (const store of [counting, memoryTokens(), undefined]) {
    const { signIn, refresh } = serving({ store } as object)
    const { refresh_token } = await signIn()
    t.is((await refresh(refresh_token)).status, 200)
    t.is((await refresh(refresh_token)).status, 400)
  }
})

test('memoryTokens() is bounded, and forgets what was used least recently', async t => {
  const store = memoryTokens(2)
  for (const key of ['a', 'b', 'c']) await store.set(key, key, 60)
  t.is(await store.get('a'), undefined)
  t.is(await store.get('c'), 'c')
  t.true(await store.delete('c'))
  t.false(await store.delete('c'))
})

for (const [name, pair] of Object.entries({
  RS256: rsa,
  ES256: ec,
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
})) {
  test(`issueTokens({ key }) signs with ${name} what jose verifies, and tokenAuth() with the public key`, async t => {
    const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const jwk = pair.privateKey.export({ format: 'jwk' }) as never
    for (const key of [pair.privateKey, pem, jwk]) {
      const { signIn } = serving({ secret: undefined, key, kid: 'k1' })
      const { access_token } = await signIn()
      const { payload, protectedHeader } = await jose.jwtVerify(access_token, pair.publicKey, {
        issuer: EXPECTED.issuer,
        audience: EXPECTED.audience,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      })
      t.deepEqual(protectedHeader, { alg: name, typ: 'at+jwt', kid: 'k1' })
      t.is(payload.sub, '7')
      const app = kolba()
      app.get('/', tokenAuth({ keys: { kid: 'k1', key: pair.publicKey }, ...EXPECTED }), whoami)
      t.is((await app.client().get('/', bearer(access_token))).status, 200)
    }
  })
}

test('issueTokens().issue() gives tokens to whom something else has let in', async t => {
  const { tokens, me, refresh } = serving()
  const { access_token, refresh_token } = await tokens.issue({ id: 7, name: 'ada', roles: [] })
  t.is(await me(access_token, '/strict'), 200)
  t.is((await refresh(refresh_token)).status, 200)
})

test('issueTokens() works behind body(), under any prefix, and its routes have names and notes', async t => {
  const { tokens } = serving()
  const app = kolba()
  app.mount('/v1/auth', tokens, body())
  t.is((await app.client().post('/v1/auth', { json: { username: 'ada', password: 'pass' } })).status, 200)
  t.is(app.url('tokens.refreshToken'), '/v1/auth/refresh')
  const [first] = app.routes()
  const note = first?.notes.findLast(({ responses }) => responses?.[400])
  t.deepEqual(Object.keys(note?.requestBody?.content ?? {}), ['application/json', 'application/x-www-form-urlencoded'])
})

test('issueTokens() never gives a token where claims or subject are wrong', async t => {
  const wrong: [Partial<IssueOptions<User>>, string][] = [
    ...['iss', 'aud', 'sub', 'iat', 'nbf', 'exp', 'jti', 'sid'].map((name): [Partial<IssueOptions<User>>, string] => [
      { claims: () => ({ [name]: 1 }) },
      `issueTokens: claims gives ${name}, which is set here. Leave it out.`,
    ]),
    [{ subject: () => '' }, 'issueTokens: subject gives no text for this user. Return who it is, user => user.email.'],
    [
      { check: () => ({ name: 'x' }) as never },
      'issueTokens: subject gives no text for this user. Return who it is, user => user.email.',
    ],
  ]
  for (const [options, message] of wrong) {
    const { post, logger } = serving(options)
    const response = await post('', { username: 'ada', password: 'pass' })
    t.is(response.status, 500)
    t.is(logger.lines[0]?.message, message)
  }
})

test('issueTokens() gives nothing where check gives neither a user nor nobody', async t => {
  const hash = await hashPassword('pass', { cost: 14 })
  const wrong: [unknown, string][] = [
    [true, 'true'],
    [verifyPassword('pass', hash, { cost: 14 }), 'true'],
    [[], 'a list'],
    ['', '""'],
    [Number.NaN, 'NaN'],
    [() => undefined, 'the function without a name'],
    [reply(401), 'an answer'],
    [Response.error(), 'an answer'],
  ]
  for (const [given, what] of wrong) {
    const { post, logger, stored } = serving({ check: () => given as never, subject: () => 'somebody' })
    t.is((await post('', { username: 'ada', password: 'pass' })).status, 500)
    t.is(logger.lines[0]?.message, `issueTokens: ${what} is no user. Return who it is, { id }, or undefined.`)
    t.is(stored.size, 0)
  }
  const { post, stored } = serving({ check: () => problem(403) as never, subject: () => 'somebody' })
  t.is((await post('', { username: 'ada', password: 'pass' })).status, 403)
  t.is(stored.size, 0)
})

test('issueTokens() refuses to start with wrong options', t => {
  const base = { secret: SECRET, ...EXPECTED, check: () => undefined, load: () => undefined }
  const make = issueTokens as (options?: unknown) => unknown
  const one =
    'issueTokens: give a secret or a key to sign with, one of them. Is the variable of the environment set that it comes from?'
  const required = 'Give issueTokens({ issuer, audience, check, load }).'
  const wrong: [unknown, string][] = [
    [undefined, `issueTokens: there is no issuer. ${required}`],
    [{ ...base, audience: undefined }, `issueTokens: there is no audience. ${required}`],
    [{ ...base, check: undefined }, `issueTokens: there is no check. ${required}`],
    [{ ...base, load: undefined }, `issueTokens: there is no load. ${required}`],
    [{ ...base, secret: undefined }, one],
    [{ ...base, key: rsa.privateKey }, one],
    [
      { ...base, secret: 'short' },
      `issueTokens secret: a secret of 5 bytes is too short. Give at least 32; node -p "crypto.randomBytes(32).toString('base64')" makes one.`,
    ],
    [
      { ...base, secret: undefined, key: rsa.publicKey },
      'issueTokens: the key is no private key. Give a PEM, a JWK or a KeyObject.',
    ],
    [
      { ...base, secret: undefined, key: 'x' },
      'issueTokens: the key is no private key. Give a PEM, a JWK or a KeyObject.',
    ],
    [
      { ...base, secret: undefined, key: ec.privateKey, algorithm: 'RS256' },
      'issueTokens key: it cannot be used with RS256. Give some of ES256.',
    ],
    [
      { ...base, access: 0 },
      'issueTokens: the option access is 0. Give a whole number of seconds, from 1 to 10 years.',
    ],
    [
      { ...base, refresh: Number.NaN },
      'issueTokens: the option refresh is NaN. Give a whole number of seconds, from 1 to 10 years.',
    ],
    [{ ...base, grace: 61 }, 'issueTokens: the option grace is 61. Give a number of seconds from 0 to 60.'],
    [
      { ...base, store: new Set() },
      'issueTokens: the option store is an object. Give an object with the methods get, set and delete.',
    ],
    [
      { ...base, audience: [] },
      'issueTokens: the option audience is a list. Give a non-empty string, or a list of them.',
    ],
    [
      { ...base, isuer: 'x' },
      'issueTokens: the option "isuer" is unknown. It takes secret, key, kid, algorithm, issuer, audience, check, load, subject, claims, store, prefix, access, refresh, session and grace.',
    ],
  ]
  for (const [options, message] of wrong) t.throws(() => make(options), { instanceOf: TypeError, message })
})

test('issueTokens() hands ctx to check and load', async t => {
  const seen: string[] = []
  const look = (_: unknown, ctx: BaseContext) => {
    seen.push(ctx.path)
    return { id: 7, name: 'ada', roles: [] }
  }
  const { signIn, refresh } = serving({ check: look, load: look })
  await refresh((await signIn()).refresh_token)
  t.deepEqual(seen, ['/tokens', '/tokens/refresh'])
})
