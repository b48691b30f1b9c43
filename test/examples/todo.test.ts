import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { SignJWT } from 'jose'
import { type Program, startProgram } from '../support/program.js'
import { root } from '../support/root.js'

const SECRET = 'a secret of the tests, with more than 32 bytes'
const file = join(root, 'build/examples/todo.js')
const programs: Program[] = []

test.after.always(() => Promise.all(programs.map(program => program.stop())))

interface Todo {
  id: number
  title: string
  done: boolean
}

function tokenFor(user: string, { audience = 'todo', secret = SECRET, expires = '5m' } = {}): Promise<string> {
  return new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

/** A server of its own, and what sends to it as a user. */
async function open(user = 'ada') {
  const program = await startProgram(file, { env: { PORT: '4711', SECRET } })
  programs.push(program)
  const token = await tokenFor(user)
  return async (method: string, path: string, content?: unknown, headers: Record<string, string> = {}) =>
    fetch(program.real(`http://localhost:4711${path}`), {
      method,
      ...(content !== undefined && { body: JSON.stringify(content) }),
      headers: {
        Authorization: `Bearer ${token}`,
        ...(content !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
    })
}

test('examples/todo.ts has at most 30 lines of at most 100 characters', t => {
  const lines = readFileSync(join(root, 'examples/todo.ts'), 'utf8').trimEnd().split('\n')
  t.true(lines.length <= 30, `It has ${lines.length}.`)
  t.deepEqual(
    lines.filter(line => line.length > 100),
    [],
  )
})

test('examples/todo.ts creates, with a Location that counts from 1', async t => {
  const send = await open()
  for (const id of [1, 2, 3]) {
    const response = await send('POST', '/todos', { title: `Thing ${id}` })
    t.is(response.status, 201)
    t.is(response.headers.get('location'), `/todos/${id}`)
    t.deepEqual(await response.json(), { id, title: `Thing ${id}`, done: false })
  }
  // The id of one that is gone is nobody's again.
  t.is((await send('DELETE', '/todos/3')).status, 204)
  t.is((await send('POST', '/todos', { title: 'Next' })).headers.get('location'), '/todos/4')
})

test('examples/todo.ts lists a bare array in pages, with Link and X-Total-Count', async t => {
  const send = await open()
  const empty = await send('GET', '/todos')
  t.deepEqual([empty.status, empty.headers.get('x-total-count'), await empty.json()], [200, '0', []])
  for (let id = 1; id <= 25; id += 1) await send('POST', '/todos', { title: `Thing ${id}` })
  const ids = async (response: Response) => ((await response.json()) as Todo[]).map(({ id }) => id)
  const first = await send('GET', '/todos')
  t.is(first.headers.get('x-total-count'), '25')
  t.deepEqual(
    await ids(first),
    Array.from({ length: 20 }, (_, index) => index + 1),
  )
  const second = await send('GET', '/todos?page=2&per_page=10')
  t.deepEqual(
    await ids(second),
    Array.from({ length: 10 }, (_, index) => index + 11),
  )
  const link = second.headers.get('link') ?? ''
  for (const [rel, page] of Object.entries({ first: 1, prev: 1, next: 3, last: 3 }))
    t.regex(link, new RegExp(`<[^>]*[?&]page=${page}\\b[^>]*>; rel="${rel}"`))
  t.is((await ids(await send('GET', '/todos?per_page=100'))).length, 25)
  for (const query of ['per_page=101', 'per_page=0', 'per_page=x', 'page=0'])
    t.true([400, 422].includes((await send('GET', `/todos?${query}`)).status), query)
})

test('examples/todo.ts reads one with its ETag, and 304', async t => {
  const send = await open()
  await send('POST', '/todos', { title: 'Milk' })
  const found = await send('GET', '/todos/1')
  t.deepEqual(await found.json(), { id: 1, title: 'Milk', done: false })
  const tag = found.headers.get('etag') ?? ''
  t.regex(tag, /^"[^"]+"$/)
  t.is((await send('GET', '/todos/1', undefined, { 'If-None-Match': tag })).status, 304)
  for (const id of ['2', '01', 'x', '1.0']) t.is((await send('GET', `/todos/${id}`)).status, 404)
})

test('examples/todo.ts updates what the client has read, or 428, 412', async t => {
  const send = await open()
  await send('POST', '/todos', { title: 'Milk' })
  const tag = (await send('GET', '/todos/1')).headers.get('etag') ?? ''
  const put = (content: unknown, headers = {}) => send('PUT', '/todos/1', content, headers)
  t.is((await put({ title: 'Bread' })).status, 428)
  t.is((await put({ title: 'Bread' }, { 'If-Match': '"other"' })).status, 412)
  const done = await put({ title: 'Bread', done: true }, { 'If-Match': tag })
  t.deepEqual([done.status, await done.json()], [200, { id: 1, title: 'Bread', done: true }])
  t.is((await put({ title: 'Eggs' }, { 'If-Match': tag })).status, 412)
  t.is((await put({ title: 5 }, { 'If-Match': done.headers.get('etag') })).status, 422)
  // Of 20 who have read the same, one writes.
  const writes = await Promise.all(
    Array.from({ length: 20 }, (_, index) => put({ title: `${index}` }, { 'If-Match': done.headers.get('etag') })),
  )
  t.deepEqual(writes.map(({ status }) => status).sort(), [200, ...Array(19).fill(412)])
  t.is((await send('PUT', '/todos/2', { title: 'x' }, { 'If-Match': '*' })).status, 412)
  t.is((await send('PUT', '/todos/2', { title: 'x' }, { 'If-None-Match': '*' })).status, 404)
})

test('examples/todo.ts deletes, guarded where the client says what', async t => {
  const send = await open()
  await send('POST', '/todos', { title: 'Milk' })
  t.is((await send('DELETE', '/todos/1', undefined, { 'If-Match': '"other"' })).status, 412)
  t.is((await send('DELETE', '/todos/1')).status, 204)
  t.is((await send('DELETE', '/todos/1')).status, 404)
  t.is((await send('GET', '/todos/1')).status, 404)
})

test('examples/todo.ts refuses a body that is none of a to-do', async t => {
  const send = await open()
  for (const content of [
    { title: 5 },
    { title: null },
    { title: ['x'] },
    {},
    { title: 'x', done: 'yes' },
    [],
    'x',
    null,
  ])
    t.true([400, 422].includes((await send('POST', '/todos', content)).status), JSON.stringify(content))
  const more = await send('POST', '/todos', { id: 99, title: 'x', admin: true })
  t.deepEqual(await more.json(), { id: 1, title: 'x', done: false })
})

test('examples/todo.ts lets in who has a token of its own', async t => {
  const send = await open()
  const tokens: [title: string, header: string][] = [
    ['no token', ''],
    ['another scheme', 'Basic YTpi'],
    ['no JWT', 'Bearer abc'],
    ['another secret', `Bearer ${await tokenFor('ada', { secret: SECRET.toUpperCase() })}`],
    ['another audience', `Bearer ${await tokenFor('ada', { audience: 'other' })}`],
    ['one that has expired', `Bearer ${await tokenFor('ada', { expires: '-1m' })}`],
  ]
  for (const [title, Authorization] of tokens) {
    for (const [method, path] of [
      ['GET', '/todos'],
      ['POST', '/todos'],
      ['DELETE', '/todos/1'],
    ] as const) {
      const response = await send(method, path, undefined, { Authorization })
      t.is(response.status, 401, title)
      t.regex(response.headers.get('www-authenticate') ?? '', /^Bearer /, title)
    }
  }
})

test('examples/todo.ts does not start without a secret', async t => {
  const program = await startProgram(file, { env: { PORT: '4711' } })
  programs.push(program)
  t.is(program.code, 1)
  t.regex(program.printed(), /TypeError: tokenAuth: .*secret/)
})

test('examples/todo.ts lets a user make 100 requests a minute, and says when to come back', async t => {
  const send = await open('ada')
  const answers = await Promise.all(Array.from({ length: 130 }, () => send('GET', '/todos')))
  const refused = answers.filter(({ status }) => status === 429)
  t.is(answers.filter(({ status }) => status === 200).length, 100)
  t.is(refused.length, 30)
  for (const { headers } of refused) {
    const seconds = Number(headers.get('retry-after'))
    t.true(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, String(headers.get('retry-after')))
  }
  t.is((await send('POST', '/todos', { title: 'x' })).status, 429)
  // Another user has a limit of his own.
  const Authorization = `Bearer ${await tokenFor('bob')}`
  t.is((await send('GET', '/todos', undefined, { Authorization })).status, 200)
})
