import test from 'ava'
import { created, decorator, kolba, type Next, problem, reply } from 'kolba'
import { and, basicAuth, mayRead, not, optional, or, permit, roles, scopes, tokenAuth } from 'kolba/auth'
import { cached } from 'kolba/cache'
import { etag } from 'kolba/etag'
import { json } from 'kolba/json'
import { MemoryLogger } from '../../support/memory-logger.ts'
import { bearer, EXPECTED, good, SECRET } from '../../support/tokens.ts'

interface User {
  id: number
  roles?: string[]
  scope?: string
}

/** Whoever the header says, for rules that are asked about users. */
const signedIn = decorator('signedIn', (ctx, next: Next<{ user: User }>) =>
  next({ user: JSON.parse(ctx.get('X-User') || 'null') }),
)
const as = (user: unknown) => ({ headers: { 'x-user': JSON.stringify(user) } })
const yes = permit(() => true)
const no = permit(() => false)
const later = permit(async (user: User) => user.id === 1)
const admin = roles('admin')
type Rule = typeof admin

async function statusOf(rule: unknown, user: unknown = { id: 1 }): Promise<number> {
  const app = kolba({ logger: new MemoryLogger() })
  app.get('/', signedIn, rule as Rule, () => 'in')
  return (await app.client().get('/', as(user))).status
}

const A = { id: 1, roles: ['admin'] }
const E = { id: 2, roles: ['editor'] }
const TABLE: [string, unknown, unknown, number][] = [
  ['permit: true', yes, A, 200],
  ['permit: false', no, A, 403],
  ['permit: a promise of true', later, A, 200],
  ['permit: a promise of false', later, E, 403],
  ['roles: has it', admin, A, 200],
  ['roles: has another', admin, E, 403],
  ['roles: one of them', roles('admin', 'editor'), E, 200],
  ['roles: in another case', roles('Admin'), A, 403],
  ['roles: none', admin, {}, 403],
  ['roles: a user that is a text', admin, 'admin', 403],
  ['roles: a user that is 0', admin, 0, 403],
  ['roles: the prototype', roles('constructor'), { roles: {} }, 403],
  ['scopes: all', scopes('a', 'b'), { scope: 'b x a' }, 200],
  ['scopes: one', scopes('a', 'b'), { scope: 'a' }, 403],
  ['scopes: as a list', scopes('a'), { scope: ['a'] }, 200],
  ['scopes: one text with both', scopes('a'), { scope: ['a b'] }, 403],
  ['and: both', and(yes, later), A, 200],
  ['and: the first refuses', and(no, yes), A, 403],
  ['and: the second refuses', and(yes, later), E, 403],
  ['and: of one', and(yes), A, 200],
  ['or: the first', or(yes, no), A, 200],
  ['or: the second', or(no, later), A, 200],
  ['or: none', or(no, later), E, 403],
  ['not: true', not(yes), A, 403],
  ['not: false', not(no), A, 200],
  ['not: a promise of true', not(later), A, 403],
  ['not: a promise of false', not(later), E, 200],
  ['not: not', not(not(admin)), A, 200],
  ['nested', and(or(admin, later), not(roles('guest'))), A, 200],
  ['nested: a guest', and(or(admin, later), not(roles('guest'))), { id: 1, roles: ['guest'] }, 403],
  ['nested: neither', and(or(admin, later), not(roles('guest'))), E, 403],
]
for (const [title, rule, user, status] of TABLE)
  test(`${title} is ${status}`, async t => t.is(await statusOf(rule, user), status))

test('and() and or() ask no further than they have to', async t => {
  const asked: number[] = []
  const rule = (id: number, answer: boolean) => permit(() => asked.push(id) > 0 && answer)
  t.is(await statusOf(and(rule(1, true), rule(2, false), rule(3, true))), 403)
  t.is(await statusOf(or(rule(4, false), rule(5, true), rule(6, true))), 200)
  t.deepEqual(asked, [1, 2, 4, 5])
})

test('permit() lets nobody pass for what is neither true nor false, and not() neither', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const answers: unknown[] = [undefined, null, 1, 0, '', 'true', {}, [], Promise.resolve(1), Promise.resolve(undefined)]
  const check = permit(() => answers[0] as boolean)
  app.get('/permit', signedIn, check, () => 'in')
  app.get('/not', signedIn, not(check), () => 'in')
  app.get('/or', signedIn, or(check, yes), () => 'in')
  const client = app.client()
  while (answers.length > 0) {
    for (const path of ['/permit', '/not', '/or']) t.is((await client.get(path, as(A))).status, 500)
    answers.shift()
  }
  t.is(logger.lines.length, 30)
  for (const { message } of logger.lines)
    t.is(message, 'permit: the check gave neither true nor false. Return one of them.')
})

test('permit() lets nobody pass where the check fails, and not() neither', async t => {
  const fail = permit(() => {
    throw new Error('The database is away.')
  })
  for (const rule of [fail, not(fail), or(fail, yes), and(yes, fail), permit(() => Promise.reject(new Error('away')))])
    t.is(await statusOf(rule), 500)
  t.is(await statusOf(permit(() => Promise.reject(problem(402)))), 402)
})

test('permit() without a user is 401 by the authentication above, and 403 under a decorator of one’s own', async t => {
  let asked = 0
  const rule = permit(() => {
    asked += 1
    return true
  })
  const token = tokenAuth({ secret: SECRET, ...EXPECTED })
  const app = kolba()
  app.get('/optional', optional(token), rule, () => 'in')
  app.get('/not', optional(token), not(no), () => 'in')
  app.get('/own', signedIn, rule, () => 'in')
  app.get('/own-not', signedIn, not(no), () => 'in')
  app.get(
    '/read',
    optional(token),
    mayRead(() => true),
    () => 'in',
  )
  const client = app.client()
  for (const path of ['/optional', '/not', '/read']) {
    const response = await client.get(path)
    t.is(response.status, 401)
    t.is(response.headers.get('www-authenticate'), 'Bearer realm="api"')
    t.is((await client.get(path, bearer(good()))).status, 200)
  }
  asked = 0
  for (const user of [null, false]) {
    for (const path of ['/own', '/own-not']) {
      const response = await client.get(path, as(user))
      t.is(response.status, 403)
      t.like(await response.json(), { detail: 'This needs a user, and there is none.' })
    }
  }
  t.is(asked, 0)
})

test('roles() and the like refuse to stand above what says who the user is', t => {
  const basic = basicAuth(name => ({ name }))
  const app = kolba()
  const group = app.group('/g', admin as never)
  const wrong: [() => unknown, string][] = [
    [() => app.get('/', admin as never, basic, () => 1), 'GET /: roles(admin) stands above basicAuth'],
    [() => group.get('/', json(), optional(basic), () => 1), 'GET /g: roles(admin) stands above optional(basicAuth)'],
    [
      () => app.get('/', or(admin, no) as never, no, basic, () => 1),
      'GET /: or(roles(admin), permit) stands above basicAuth',
    ],
    [() => app.get('/', admin as never, basic, scopes('a'), () => 1), 'GET /: roles(admin) stands above basicAuth'],
  ]
  for (const [run, what] of wrong)
    t.throws(run, { instanceOf: TypeError, message: `${what}, which says who the user is. Put it below.` })
  t.throws(() => app.get('/', mayRead(() => true) as never, basic, () => 1), {
    message: /^GET \/: mayRead stands above basicAuth/,
  })
  // What may give a user is not known of a middleware, nor of a decorator of one's own.
  t.notThrows(() => app.get('/own', signedIn, admin, basic, () => 1))
  const served = kolba()
  served.use((_ctx, next) => next())
  t.notThrows(() => served.get('/', admin as never, basic, () => 1))
})

test('roles() and the like tell the log once where nothing gives a user', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  const basic = basicAuth(name => ({ name }))
  app.get('/none', admin as never, yes as never, () => 1)
  app.get('/late', json(), admin as never, basic, () => 1)
  app.get('/own', signedIn, admin, () => 1)
  app.get('/above', optional(basic), admin, () => 1)
  for (const path of ['/none', '/none', '/late', '/late', '/own']) t.is((await app.client().get(path)).status, 403)
  t.is((await app.client().get('/above')).status, 401)
  t.deepEqual(
    logger.lines.map(({ level, message }) => [level, message]),
    [
      [
        'warn',
        'GET /none: roles(admin) found no user, and no decorator above gives one. Put tokenAuth(...) or the like there.',
      ],
      ['warn', 'GET /late: roles(admin) found no user: basicAuth says who it is, and stands below. Put it above.'],
    ],
  )
})

test('permit() narrows the user for what stands below', async t => {
  const account = basicAuth((name): { name: string } | undefined => ({ name }))
  const app = kolba()
  app.get('/', optional(account), yes, ctx => ctx.user.name)
  const headers = { authorization: `Basic ${btoa('ada:x')}` }
  t.is(await (await app.client().get('/', { headers })).text(), 'ada')
})

test('permit({ hide }) answers 404, as for what is not there', async t => {
  const app = kolba()
  app.get(
    '/a',
    signedIn,
    permit(() => false, { hide: true }),
    () => 'in',
  )
  app.get(
    '/b',
    signedIn,
    permit(() => false, { hide: 'There is no such note.' }),
    () => 'in',
  )
  app.get(
    '/c',
    signedIn,
    and(
      yes,
      permit(() => false, { hide: true }),
    ),
    () => 'in',
  )
  app.get(
    '/d',
    signedIn,
    permit(() => false, { hide: false }),
    () => 'in',
  )
  const client = app.client()
  const missing = (await (await client.get('/missing')).json()) as { detail: string }
  const detailOf = async (path: string) => {
    const response = await client.get(path, as(A))
    const { detail } = (await response.json()) as { detail: string }
    return [response.status, detail]
  }
  t.deepEqual(await detailOf('/a'), [404, missing.detail])
  t.deepEqual(await detailOf('/b'), [404, 'There is no such note.'])
  t.deepEqual(await detailOf('/c'), [404, missing.detail])
  t.deepEqual(await detailOf('/d'), [403, 'You are not allowed to do this.'])
})

test('scopes() looks at the token, and not at the account that was loaded', async t => {
  const account = tokenAuth({ secret: SECRET, ...EXPECTED, load: () => ({ scope: 'admin' }) })
  const app = kolba()
  app.get('/', account, scopes('admin'), () => 'in')
  const client = app.client()
  const response = await client.get('/', bearer(good({ scope: 'read' })))
  t.is(response.status, 403)
  t.is(response.headers.get('www-authenticate'), 'Bearer realm="api", error="insufficient_scope", scope="admin"')
  t.like(await response.json(), { detail: 'This needs the scope admin.' })
  t.is((await client.get('/', bearer(good({ scope: 'admin' })))).status, 200)
})

interface Note {
  owner: number
}
const mine = mayRead((user: User, note: Note) => note.owner === user.id)

test('mayRead() answers 404 for what the user may not see, wherever it stands', async t => {
  const app = kolba()
  app.get('/below', signedIn, json(), mine, () => ({ owner: 1 }))
  app.get('/above', signedIn, mine, json(), () => ({ owner: 1 }))
  app.get('/reply', signedIn, mine, async () => reply(200, { owner: 1 }, { 'X-A': 'b' }))
  app.get('/ctx', signedIn, mine, ctx => {
    ctx.body = { owner: 1 }
  })
  app.get(
    '/forbidden',
    signedIn,
    mayRead(async () => false, { hide: false }),
    () => ({ owner: 1 }),
  )
  app.get(
    '/said',
    signedIn,
    mayRead(() => false, { hide: 'No.' }),
    () => ({ owner: 1 }),
  )
  const client = app.client()
  for (const path of ['/below', '/above', '/reply', '/ctx']) {
    const own = await client.get(path, as({ id: 1 }))
    t.is(own.status, 200, path)
    t.deepEqual(await own.json(), { owner: 1 })
    const other = await client.get(path, as({ id: 2 }))
    t.is(other.status, 404, path)
    t.like(await other.json(), { detail: 'Nothing is at this path.' })
    t.is((await client.head(path, as({ id: 2 }))).status, 404)
  }
  t.is((await client.get('/forbidden', as(A))).status, 403)
  t.like(await (await client.get('/said', as(A))).json(), { status: 404, detail: 'No.' })
})

test('mayRead() lets nothing, errors and refusals pass', async t => {
  const app = kolba()
  const never = mayRead(() => false)
  app.get('/null', signedIn, never, () => null)
  app.get('/problem', signedIn, never, () => problem(409))
  app.get('/reply', signedIn, never, () => reply(418, 'tea'))
  const client = app.client()
  t.is((await client.get('/null', as(A))).status, 204)
  t.is((await client.get('/problem', as(A))).status, 409)
  t.is((await client.get('/reply', as(A))).status, 418)
})

test('mayRead() is a 500 for bytes, and for a check that gives neither', async t => {
  const logger = new MemoryLogger()
  const app = kolba({ logger })
  app.get(
    '/bytes',
    signedIn,
    mayRead(() => true),
    () => Buffer.from('x'),
  )
  app.get(
    '/response',
    signedIn,
    mayRead(() => true),
    () => new Response('x'),
  )
  app.get('/neither', signedIn, mayRead((() => undefined) as never), () => 'x')
  for (const path of ['/bytes', '/response', '/neither']) t.is((await app.client().get(path, as(A))).status, 500)
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    [
      'mayRead: bytes cannot be asked about. Return the thing itself, or use permit().',
      'mayRead: bytes cannot be asked about. Return the thing itself, or use permit().',
      'mayRead: the check gave neither true nor false. Return one of them.',
    ],
  )
})

test('mayRead() refuses a route that writes', t => {
  const app = kolba()
  t.throws(() => app.put('/notes/:id', signedIn, mine, () => created('/', { owner: 1 })), {
    instanceOf: TypeError,
    message: 'PUT /notes/:id: mayRead is asked when the handler is done. On PUT write permit(), above it.',
  })
})

test('roles(), scopes(), permit() and their combinations refuse what is none when they are made', t => {
  const wrong: [() => unknown, string][] = [
    [() => (roles as () => unknown)(), "roles: nothing is named. Say roles('admin')."],
    [() => roles(''), 'roles: "" is none. Say roles(\'admin\').'],
    [() => roles(['admin'] as never), "roles: a name is none. Say roles('admin')."],
    [() => scopes('a b'), 'scopes: "a b" is none. Say scopes(\'notes:write\').'],
    [() => scopes('a"'), 'scopes: "a\\"" is none. Say scopes(\'notes:write\').'],
    [() => (scopes as () => unknown)(), "scopes: nothing is named. Say scopes('notes:write')."],
    [() => permit(true as never), 'permit: there is no function to ask. Give (user, ctx) => true or false.'],
    [
      () => permit(() => true, { hide: 1 } as never),
      'permit: the option hide is 1. Give true, false, or a non-empty string.',
    ],
    [() => mayRead(undefined as never), 'mayRead: there is no function to ask. Give (user, thing) => true or false.'],
    [() => and(signedIn), 'and: signedIn is no rule. Give permit(...), roles(...) or scopes(...).'],
    [() => or(admin, (() => true) as never), 'or: this is no rule. Give permit(...), roles(...) or scopes(...).'],
    [() => not(json() as never), 'not: json is no rule. Give permit(...), roles(...) or scopes(...).'],
    [() => (and as () => unknown)(), "and: there is nothing to combine. Say and(roles('a'), ...)."],
    [() => (or as () => unknown)(), "or: there is nothing to combine. Say or(roles('a'), ...)."],
  ]
  for (const [make, message] of wrong) t.throws(make, { instanceOf: TypeError, message })
})

test('rules are named in the route, and say 403 in its notes', t => {
  const app = kolba()
  app.get('/', signedIn, and(roles('a', 'b'), not(scopes('c'))), () => 1)
  const [route] = app.routes()
  t.is(route?.decorators[1]?.name, 'and(roles(a, b), not(scopes(c)))')
  t.deepEqual(Object.keys(route?.notes[0]?.responses ?? {}), ['403'])
})

test('mayRead() refuses to stand above what tells of a thing without showing it', async t => {
  const app = kolba({ logger: new MemoryLogger() })
  const never = mayRead(() => false)
  for (const [name, it] of [
    ['etag', etag()],
    ['cached', cached({ ttl: 60 })],
  ] as const)
    t.throws(() => app.get('/notes/:id', signedIn, never, it, () => 'x'), {
      instanceOf: TypeError,
      message: `GET /notes/:id: mayRead stands above ${name}(), whose 304 is not asked about. Put it below.`,
    })
  app.get('/below/:id', signedIn, etag(), json(), never, () => ({ secret: 1 }))
  app.get('/inside/:id', signedIn, never, () => reply(304, undefined, { ETag: '"a"' }))
  const client = app.client()
  const conditional = (url: string) => client.get(url, { headers: { ...as({ id: 1 }).headers, 'If-None-Match': '*' } })
  t.is((await conditional('/below/7')).status, 404)
  const response = await conditional('/inside/7')
  t.is(response.status, 500)
  t.false(response.headers.has('ETag'))
})
