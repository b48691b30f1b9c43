import test from 'ava'
import { blueprint, decorator, kolba, type Next, stack } from 'kolba'
import { anyOf, apiKey, basicAuth, optional, permit, roles, scopes, tokenAuth } from 'kolba/auth'
import { json } from 'kolba/json'
import { patch } from 'kolba/patch'
import { bearer, EXPECTED, good, SECRET, whoami } from '../../support/tokens.ts'

const token = tokenAuth({ secret: SECRET, ...EXPECTED })
const key = apiKey({ verify: key => (key === 'k3y' ? { id: 1 } : undefined) })

test('anyOf() goes around anyOf()', async t => {
  const all = anyOf(anyOf(token, key), anyOf(basicAuth(() => undefined)))
  const app = kolba()
  app.get('/all', all, whoami)
  app.get('/', optional(all), whoami)
  const response = await app.client().get('/all')
  t.is(
    response.headers.get('www-authenticate'),
    'Bearer realm="api", ApiKey realm="api", header="X-API-Key", Basic realm="api", charset="UTF-8"',
  )
  t.deepEqual(await (await app.client().get('/')).json(), {})
})

test('anyOf() and optional() refuse what does not authenticate', t => {
  const own = decorator('signedIn', (_ctx, next: Next<{ user: object }>) => next({ user: {} }))
  const advice = 'Give tokenAuth(...), basicAuth(...), apiKey(...) or anyOf(...).'
  const wrong: [() => unknown, string][] = [
    [() => anyOf(token, json() as never), `anyOf: json does not authenticate. ${advice}`],
    [() => anyOf(own), `anyOf: signedIn does not authenticate. ${advice}`],
    [() => anyOf(optional(token)), `anyOf: optional(tokenAuth) does not authenticate. ${advice}`],
    [() => anyOf(tokenAuth as never), `anyOf: tokenAuth does not authenticate. ${advice}`],
    [() => anyOf('x' as never), `anyOf: this does not authenticate. ${advice}`],
    [() => (anyOf as () => unknown)(), 'anyOf: there is nothing to choose from. Say anyOf(a, b).'],
    [() => anyOf(token, key, token), 'anyOf: of two that take Bearer the second is never asked. Let one do both.'],
    [
      () => anyOf(key, apiKey({ verify: () => 1, header: 'x-api-KEY' })),
      'anyOf: of two that take x-api-key the second is never asked. Let one do both.',
    ],
    [() => optional(optional(token)), `optional: optional(tokenAuth) does not authenticate. ${advice}`],
    [() => optional(undefined as never), `optional: this does not authenticate. ${advice}`],
  ]
  for (const [make, message] of wrong) t.throws(make, { instanceOf: TypeError, message })
})

test('optional() leaves ctx.user undefined, that of an outer decorator too', async t => {
  const app = kolba()
  const group = app.group('/in', key)
  group.get('/', optional(token), ctx => ({ has: 'user' in ctx, user: ctx.user ?? 'nobody' }))
  const response = await app.client().get('/in', { headers: { 'x-api-key': 'k3y' } })
  t.deepEqual(await response.json(), { has: true, user: 'nobody' })
})

test('anyOf() and optional() put their schemes into the notes', t => {
  const app = kolba()
  app.get('/a', anyOf(token, key), scopes('read'), whoami)
  app.get('/b', optional(anyOf(token, key)), whoami)
  const [a, b] = app.routes()
  const bearerScheme = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }
  const keyScheme = { type: 'apiKey', in: 'header', name: 'X-API-Key' }
  t.deepEqual(a?.notes[0]?.security, { bearer: { scheme: bearerScheme }, 'X-API-Key': { scheme: keyScheme } })
  t.deepEqual(a?.notes[1]?.security, {
    bearer: { scheme: bearerScheme, scopes: ['read'] },
    'X-API-Key': { scheme: keyScheme, scopes: ['read'] },
  })
  t.is(a?.notes[0]?.isAnonymous, undefined)
  t.true(b?.notes[0]?.isAnonymous)
})

test('authentication works in a stack, a group, a blueprint, a mount, a composition and app.use', async t => {
  const app = kolba()
  app.get('/stack', stack(token, roles('admin')), whoami)
  app.group('/group', token).get('/', roles('admin'), whoami)
  const routes = blueprint('routes', token)
  routes.get('/', roles('admin'), whoami)
  app.mount('/blueprint', routes)
  const bare = blueprint('bare')
  bare.get('/', whoami as never)
  app.mount('/mount', bare, token, roles('admin'))
  app.get(
    '/composition',
    stack(token, roles('admin'))(ctx => ({ user: ctx.user })),
  )
  const inner = kolba()
  inner.use(token)
  inner.get('/', roles('admin') as never, whoami as never)
  app.mount('/use', inner)
  const client = app.client()
  for (const path of ['/stack', '/group', '/blueprint', '/mount', '/composition', '/use']) {
    t.is((await client.get(path)).status, 401, path)
    t.is((await client.get(path)).headers.get('www-authenticate'), 'Bearer realm="api"', path)
    t.is((await client.get(path, bearer(good()))).status, 403, path)
    const response = await client.get(path, bearer(good({ roles: ['admin'] })))
    t.is(response.status, 200, path)
    t.like(await response.json(), { user: { sub: 'ada' } })
  }
})

test('what authentication found is there where a write reads what GET gives', async t => {
  const app = kolba()
  const signedIn = tokenAuth({ secret: SECRET, ...EXPECTED, load: () => ({ name: 'Ada', owner: true }) })
  const mine = permit((user: { owner: boolean }) => user.owner)
  app.get('/note', signedIn, scopes('read'), mine, () => ({ text: 'Milk' }))
  app.patch('/note', signedIn, scopes('write'), patch(), ctx => ctx.patched)
  const write = (scope: string) =>
    app.client().patch('/note', {
      headers: { authorization: `Bearer ${good({ scope })}`, 'content-type': 'application/merge-patch+json' },
      body: '{"text":"Bread"}',
    })
  t.is((await write('read')).status, 403)
  t.is((await write('write')).status, 403)
  const response = await write('read write')
  t.is(response.status, 200)
  t.deepEqual(await response.json(), { text: 'Bread' })
})
