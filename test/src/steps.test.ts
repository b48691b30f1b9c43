// A route runs the steps that it declared and no others. This counts, and does not time: how often a request reads the
// clock, hashes, renders or parses JSON, reads a query, sets a timer and makes a promise. Whoever adds a step to the way
// of all requests, or to a decorator, sees it here.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { Kolba } from 'kolba'
import { root } from '../support/root.ts'
import { type Step, type Steps, spyOnSteps, stepsOf } from '../support/steps.ts'

spyOnSteps()
const { kolba } = await import('kolba')
const { tokenAuth } = await import('kolba/auth')
const { cacheControl, cached } = await import('kolba/cache')
const { collection, resource } = await import('kolba/collection')
const { etag } = await import('kolba/etag')
const { input } = await import('kolba/input')
const { json } = await import('kolba/json')
const { deprecated } = await import('kolba/lifecycle')
const { rateLimit } = await import('kolba/rate-limit')
const { int, object, text } = await import('kolba/schema')
const { requesterOf } = await import(pathToFileURL(join(root, 'bench/in-process.js')).href)
const { AUDIENCE, SECRET, tokenOf } = await import(pathToFileURL(join(root, 'bench/shared/endpoint.js')).href)

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

interface Row extends Asked {
  readonly add: (app: Kolba) => unknown
  /** What is asked before, where it is not the same: the code has then run once, for another. */
  readonly before?: Asked
  /** @default 200 */
  readonly status?: number
  /** How often each step is taken, promises at most; one that is not named is not taken. */
  readonly steps: Steps
}

const book = () => ({ title: 'Emma', version: 3 })
const later = async () => 'later'
const signedIn = () => tokenAuth({ secret: SECRET, issuer: false, audience: AUDIENCE })
const bearer = (user: string) => ({ headers: { authorization: `Bearer ${tokenOf(user)}` } })
const ada = bearer('ada')
const version = (it: { version: number }) => it.version
const titled = object({ title: text(), year: int() })
const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title":"Emma","year":1815}' }
const all = collection(resource({ fields: { id: 'number', title: 'string' } }))

const rows: Record<string, Row> = {
  'a value': { add: app => app.get('/', book), steps: { stringify: 1 } },
  'a text': { add: app => app.get('/', () => 'text'), steps: {} },
  nothing: { add: app => app.get('/', () => null), status: 204, steps: {} },
  'a parameter of the path': { add: app => app.get('/:id', ctx => ctx.params.id), path: '/7', steps: {} },
  'a query that nobody reads': { add: app => app.get('/', () => 'text'), path: '/?a=1', steps: {} },
  'a promise': { add: app => app.get('/', later), steps: { clock: 1, promise: 4 } },
  'json()': { add: app => app.get('/', json(), book), steps: { stringify: 1 } },
  'etag() by hash': { add: app => app.get('/', etag(), json(), book), steps: { stringify: 1, hash: 1 } },
  'etag() by version': { add: app => app.get('/', json(), etag({ version }), book), steps: { stringify: 1 } },
  'etag() by version, 304': {
    add: app => app.get('/', json(), etag({ version }), book),
    headers: { 'if-none-match': '"3"' },
    status: 304,
    steps: {},
  },
  'tokenAuth(), a new token': {
    add: app => app.get('/', signedIn(), () => 'text'),
    ...ada,
    before: bearer('bob'),
    steps: { clock: 2, hash: 2, parse: 5 },
  },
  'tokenAuth(), a token seen before': {
    add: app => app.get('/', signedIn(), () => 'text'),
    ...ada,
    steps: { clock: 1, hash: 1 },
  },
  'rateLimit()': { add: app => app.get('/', rateLimit('100/min'), () => 'text'), steps: { clock: 1 } },
  'collection()': { add: app => app.get('/', all, () => [{ id: 1, title: 'Emma' }]), steps: { stringify: 1 } },
  'collection(), a query seen before': {
    add: app => app.get('/', all, () => [{ id: 1, title: 'Emma' }]),
    path: '/?id[gt]=0&sort=title',
    steps: { stringify: 1 },
  },
  'collection(), a new query': {
    add: app => app.get('/', all, () => [{ id: 1, title: 'Emma' }]),
    path: '/?id[gt]=0&sort=title',
    before: { path: '/?id[gt]=1&sort=title' },
    steps: { query: 2, stringify: 1 },
  },
  'input({ params })': {
    add: app => app.get('/:id', input({ params: { id: int() } }), () => 'text'),
    path: '/7',
    steps: {},
  },
  'input({ query })': {
    add: app => app.get('/', input({ query: { a: int() } }), () => 'text'),
    path: '/?a=1',
    steps: { decode: 2 },
  },
  'input({ body })': {
    add: app => app.post('/', input({ body: titled }), () => 'text'),
    ...post,
    steps: { clock: 1, parse: 1, promise: 5 },
  },
  'cached(), kept': {
    add: app => app.get('/:id', cached({ ttl: 60 }), json(), book),
    path: '/1',
    steps: { clock: 2, promise: 2 },
  },
  'cached(), not kept yet': {
    add: app => app.get('/:id', cached({ ttl: 60 }), json(), book),
    path: '/2',
    before: { path: '/1' },
    steps: { clock: 2, hash: 1, stringify: 1, promise: 2 },
  },
  'cached() by version, kept': {
    add: app => app.get('/', cached({ version: () => 1 }), json(), book),
    steps: { promise: 2 },
  },
  'cacheControl()': { add: app => app.get('/', cacheControl({ maxAge: 60 }), () => 'text'), steps: {} },
  'deprecated()': { add: app => app.get('/', deprecated({ since: '2026-01-01' }), () => 'text'), steps: {} },
  'a text behind app.use': {
    add: app => app.use((_ctx, next) => next()).get('/', () => 'text'),
    steps: { promise: 2 },
  },
}

/** Asks so, and checks the status. */
const asker = (t: ExecutionContext, asked: Asked, app: { callback(): unknown }, status: number) => {
  const send = requesterOf(app, { path: '/', ...asked })
  return async () => t.is((await send()).statusCode, status)
}
/** What sending a request takes by itself, without an app. */
const empty = { callback: () => (_req: unknown, res: { end(): void }) => res.end() }

for (const [name, { add, before, status = 200, steps, ...asked }] of Object.entries(rows)) {
  test.serial(`${name} takes its own steps and no others`, async t => {
    const app = kolba({ signals: false })
    add(app)
    // Ids of requests are made for many at a time, so that one in some would take a step more.
    const headers = { 'x-request-id': 'steps', ...asked.headers }
    const request = asker(t, { ...asked, headers }, app, status)
    const first = before ? asker(t, { ...asked, ...before }, app, status) : request
    const bare = asker(t, { ...asked, headers }, empty, 200)
    for (const run of [bare, bare, first, first]) await run()
    const own = await stepsOf(bare)
    const seen = Object.entries(await stepsOf(request)).map(([step, count]) => [step, count - (own[step as Step] ?? 0)])
    const { promise = 0, ...taken } = Object.fromEntries(seen.filter(([, count]) => count !== 0)) as Steps
    const { promise: most = 0, ...expected } = steps
    t.deepEqual(taken, expected)
    // How many an `await` makes is V8's to say.
    t.true(promise <= most, `${promise} promises, and not ${most}`)
  })
}
