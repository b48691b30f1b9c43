import test from 'ava'
import { kolba } from 'kolba'
import { anyOf, apiKey, basicAuth, optional, permit, roles, scopes, tokenAuth } from 'kolba/auth'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { exchange, listening } from '../../support/raw.ts'
import { EXPECTED, good, now, SECRET, whoami } from '../../support/tokens.ts'

// RFC 6750 section 3.1, RFC 9110 sections 11.6 and 15.5, RFC 7617: what is sent, and what comes back.

const bearer = tokenAuth({ secret: SECRET, realm: 'shop "x"', ...EXPECTED })
const basic = basicAuth((name, password) => (password === 'pass' ? { name, roles: ['admin'] } : undefined))
const key = apiKey({ verify: key => (key === 'k3y' ? { id: 1, scope: ['read'] } : undefined) })

const app = kolba({ logger: new MemoryLogger(), signals: false })
app.get('/bearer', bearer, whoami)
app.get('/basic', basic, whoami)
app.get('/key', key, whoami)
app.get('/any', anyOf(bearer, basic, key), whoami)
app.get('/optional', optional(anyOf(bearer, key)), whoami)
app.get('/scopes', bearer, scopes('read', 'write'), whoami)
app.get('/any-scope', anyOf(bearer, basic, key), scopes('read'), whoami)
app.get('/roles', anyOf(bearer, basic), roles('admin'), whoami)
app.get('/nobody', optional(bearer), roles('admin'), whoami)
app.get(
  '/hidden',
  bearer,
  permit(() => false, { hide: true }),
  whoami,
)
app.post('/write', bearer, whoami)

const B = 'Bearer realm="shop \\"x\\""'
const P = 'Basic realm="api", charset="UTF-8"'
const K = 'ApiKey realm="api", header="X-API-Key"'
const NOT_VALID = ', error="invalid_token", error_description="The token is not valid."'
const FORM = `, error="invalid_request", error_description="Send one Authorization header, as 'Bearer <credentials>'."`
const TWICE = ', error="invalid_request", error_description="Send one Authorization header."'
const token = good({ scope: 'read profile' })
const admin = good({ roles: ['admin', 'x'], scope: ['write', 'read'] })
const auth = (value: string) => `Authorization: ${value}`
const basicOf = (text: string) => auth(`Basic ${Buffer.from(text).toString('base64')}`)

/** What is sent to which path, the status, and the challenges. */
const ROWS: [title: string, path: string, headers: string[], status: number, challenges: string[]][] = [
  ['nothing', '/bearer', [], 401, [B]],
  ['another scheme', '/bearer', [basicOf('ada:pass')], 401, [B]],
  ['a scheme that begins alike', '/bearer', [auth(`BearerX ${token}`)], 401, [B]],
  ['an empty header', '/bearer', ['Authorization:'], 401, [B]],
  ['the token alone', '/bearer', [auth(token)], 401, [B]],
  ['a good token', '/bearer', [auth(`Bearer ${token}`)], 200, []],
  ['in lower case', '/bearer', [`authorization: bearer ${token}`], 200, []],
  ['in capitals', '/bearer', [`AUTHORIZATION: BEARER ${token}`], 200, []],
  ['in mixed case', '/bearer', [auth(`bEaReR ${token}`)], 200, []],
  ['several spaces', '/bearer', [auth(`Bearer    ${token}`)], 200, []],
  ['white space around the value', '/bearer', [`Authorization: \t Bearer ${token} \t`], 200, []],
  ['a tab between', '/bearer', [auth(`Bearer\t${token}`)], 400, [B + FORM]],
  ['no space', '/bearer', [auth(`Bearer:${token}`)], 400, [B + FORM]],
  ['the scheme alone', '/bearer', [auth('Bearer')], 400, [B + FORM]],
  ['the scheme and a space', '/bearer', [auth('Bearer ')], 400, [B + FORM]],
  ['two tokens with a space', '/bearer', [auth(`Bearer ${token} ${token}`)], 400, [B + FORM]],
  ['two tokens with a comma', '/bearer', [auth(`Bearer ${token}, Bearer ${token}`)], 400, [B + FORM]],
  ['a list of schemes', '/bearer', [auth(`Bearer ${token},Basic x`)], 400, [B + FORM]],
  ['a list that begins with another', '/bearer', [auth(`Basic x, Bearer ${token}`)], 401, [B]],
  ['quotes', '/bearer', [auth(`Bearer "${token}"`)], 400, [B + FORM]],
  ['parameters', '/bearer', [auth(`Bearer token="${token}"`)], 400, [B + FORM]],
  ['a character that is none of a token', '/bearer', [auth(`Bearer ${token}!`)], 400, [B + FORM]],
  ['a non-ASCII character', '/bearer', [auth(`Bearer ${token}\xe9`)], 400, [B + FORM]],
  ['more than is looked at, and no token', '/bearer', [auth(`Bearer ${'x'.repeat(8200)}!`)], 400, [B + FORM]],
  ['the header twice', '/bearer', [auth(`Bearer ${token}`), auth(`Bearer ${token}`)], 400, [B + TWICE]],
  ['the header twice, the second good', '/bearer', [auth('Bearer x'), auth(`Bearer ${token}`)], 400, [B + TWICE]],
  ['the header twice, of two schemes', '/bearer', [basicOf('ada:pass'), auth(`Bearer ${token}`)], 400, [B + TWICE]],
  ['the header twice, the first empty', '/bearer', ['Authorization:', auth(`Bearer ${token}`)], 400, [B + TWICE]],
  ['no JWT', '/bearer', [auth('Bearer abc')], 401, [B + NOT_VALID]],
  ['a wrong signature', '/bearer', [auth(`Bearer ${token.slice(0, -3)}AAA`)], 401, [B + NOT_VALID]],
  ['equals signs', '/bearer', [auth(`Bearer ${token}==`)], 401, [B + NOT_VALID]],
  [
    'an old token',
    '/bearer',
    [auth(`Bearer ${good({ exp: now() - 60 })}`)],
    401,
    [`${B}, error="invalid_token", error_description="The token has expired."`],
  ],
  ['a token in the query', `/bearer?access_token=${token}`, [], 401, [B]],
  ['a token in a cookie', '/bearer', [`Cookie: access_token=${token}`], 401, [B]],
  ['a token in Proxy-Authorization', '/bearer', [`Proxy-Authorization: Bearer ${token}`], 401, [B]],

  ['nothing', '/basic', [], 401, [P]],
  ['name and password', '/basic', [basicOf('ada:pass')], 200, []],
  ['in lower case', '/basic', [basicOf('ada:pass').replace('Basic', 'basic')], 200, []],
  ['a wrong password', '/basic', [basicOf('ada:word')], 401, [P]],
  ['no colon', '/basic', [basicOf('adapass')], 401, [P]],
  ['no base64', '/basic', [auth('Basic !!!')], 400, [P]],
  ['base64url', '/basic', [auth('Basic YT_-Og==')], 401, [P]],
  ['the header twice', '/basic', [basicOf('ada:pass'), basicOf('ada:pass')], 400, [P]],
  ['a token', '/basic', [auth(`Bearer ${token}`)], 401, [P]],

  ['nothing', '/key', [], 401, [K]],
  ['a key', '/key', ['X-API-Key: k3y'], 200, []],
  ['a wrong key', '/key', ['X-API-Key: key'], 401, [K]],
  ['an empty key', '/key', ['X-API-Key:'], 400, [K]],
  ['two keys', '/key', ['X-API-Key: k3y', 'X-API-Key: k3y'], 400, [K]],
  ['a list of keys', '/key', ['X-API-Key: k3y, k3y'], 400, [K]],
  ['a key in the query', '/key?X-API-Key=k3y&api_key=k3y', [], 401, [K]],

  ['nothing', '/any', [], 401, [B, P, K]],
  ['the first', '/any', [auth(`Bearer ${token}`)], 200, []],
  ['the second', '/any', [basicOf('ada:pass')], 200, []],
  ['the third', '/any', ['X-API-Key: k3y'], 200, []],
  ['the first is wrong, the third good', '/any', [auth('Bearer x'), 'X-API-Key: k3y'], 401, [B + NOT_VALID, P, K]],
  ['the first is good, the third wrong', '/any', [auth(`Bearer ${token}`), 'X-API-Key: no'], 200, []],
  ['an unknown scheme, the third good', '/any', [auth('Digest x'), 'X-API-Key: k3y'], 200, []],
  ['an unknown scheme', '/any', [auth('Digest x')], 401, [B, P, K]],
  [
    'the first twice, the third good',
    '/any',
    [auth('Bearer x'), auth('Bearer x'), 'X-API-Key: k3y'],
    400,
    [B + TWICE, P, K],
  ],
  ['the second is wrong', '/any', [basicOf('ada:word')], 401, [B, P, K]],

  ['nothing', '/optional', [], 200, []],
  ['a good token', '/optional', [auth(`Bearer ${token}`)], 200, []],
  ['a wrong token', '/optional', [auth('Bearer x')], 401, [B + NOT_VALID, K]],
  ['a malformed one', '/optional', [auth('Bearer')], 400, [B + FORM, K]],
  ['a wrong key', '/optional', ['X-API-Key: no'], 401, [B, K]],
  ['another scheme', '/optional', [basicOf('ada:pass')], 401, [B, K]],
  ['an empty header', '/optional', ['Authorization:'], 401, [B, K]],

  ['nothing', '/scopes', [], 401, [B]],
  ['all scopes, as a list', '/scopes', [auth(`Bearer ${admin}`)], 200, []],
  [
    'too few scopes',
    '/scopes',
    [auth(`Bearer ${token}`)],
    403,
    [`${B}, error="insufficient_scope", scope="read write"`],
  ],
  ['no scope', '/scopes', [auth(`Bearer ${good()}`)], 403, [`${B}, error="insufficient_scope", scope="read write"`]],
  [
    'a scope that begins alike',
    '/scopes',
    [auth(`Bearer ${good({ scope: 'reads write' })}`)],
    403,
    [`${B}, error="insufficient_scope", scope="read write"`],
  ],
  [
    'a scope of a wrong type',
    '/scopes',
    [auth(`Bearer ${good({ scope: { read: 1, write: 1 } })}`)],
    403,
    [`${B}, error="insufficient_scope", scope="read write"`],
  ],
  ['the scope of a key', '/any-scope', ['X-API-Key: k3y'], 200, []],
  ['no scope, with a password', '/any-scope', [basicOf('ada:pass')], 403, []],

  ['nothing', '/roles', [], 401, [B, P]],
  ['the role', '/roles', [auth(`Bearer ${admin}`)], 200, []],
  ['the role, with a password', '/roles', [basicOf('ada:pass')], 200, []],
  ['no role', '/roles', [auth(`Bearer ${token}`)], 403, []],
  ['a role as one text', '/roles', [auth(`Bearer ${good({ role: 'admin' })}`)], 200, []],
  ['a text that has the role in it', '/roles', [auth(`Bearer ${good({ roles: 'admin' })}`)], 403, []],
  ['a list in a list', '/roles', [auth(`Bearer ${good({ roles: [['admin']] })}`)], 403, []],
  ['an object', '/roles', [auth(`Bearer ${good({ roles: { admin: true } })}`)], 403, []],
  ['a wrong password', '/roles', [basicOf('ada:word')], 401, [B, P]],

  ['nothing', '/nobody', [], 401, [B]],
  ['no role', '/nobody', [auth(`Bearer ${token}`)], 403, []],
  ['nothing', '/hidden', [], 401, [B]],
  ['a good token', '/hidden', [auth(`Bearer ${token}`)], 404, []],
  ['no such path', '/missing', [], 404, []],
]

const PHRASES: Record<number, string> = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found' }

test('kolba/auth answers as RFC 6750, RFC 7617 and RFC 9110 say', async t => {
  const { port } = await listening(t, app)
  for (const [title, path, headers, status, challenges] of ROWS) {
    const label = `${path.slice(0, 12)}: ${title}`
    const head = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]
    const [answer] = await exchange(port, Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'))
    t.is(answer?.status, status, `${label}\n${answer?.body}`)
    t.deepEqual(answer?.headers['www-authenticate']?.split('\n') ?? [], challenges, label)
    if (status === 200) continue
    t.is(answer?.headers['content-type'], 'application/problem+json', label)
    const document = JSON.parse(answer?.body ?? '')
    t.like(document, { type: 'about:blank', title: PHRASES[status], status, instance: path.split('?')[0] }, label)
    t.false(/k3y|pass\b|eyJ/.test(`${document.detail}${answer?.headers['www-authenticate']}`), label)
  }
})

test('kolba/auth comes after 404 and 405', async t => {
  const client = app.client()
  t.is((await client.post('/bearer')).status, 405)
  t.is((await client.get('/write')).status, 405)
  t.is((await client.post('/write')).status, 401)
  t.is((await client.head('/bearer')).status, 401)
  t.is((await client.options('/bearer')).status, 204)
})

test('kolba/auth says in Vary what a cache does not know of', async t => {
  const client = app.client()
  const vary = async (path: string, headers = {}) => (await client.get(path, { headers })).headers.get('vary')
  // Of Authorization a shared cache knows by itself, RFC 9111 section 3.5.
  t.is(await vary('/bearer'), null)
  t.is(await vary('/bearer', { authorization: `Bearer ${token}` }), null)
  t.is(await vary('/key'), 'X-API-Key')
  t.is(await vary('/key', { 'x-api-key': 'k3y' }), 'X-API-Key')
  t.is(await vary('/any', { authorization: `Bearer ${token}` }), 'Authorization, X-API-Key')
  t.is(await vary('/optional'), 'Authorization, X-API-Key')
  t.is(await vary('/nobody'), 'Authorization')
})
