// Real programs, in processes of their own, with real sockets and signals.
import http from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type KolbaOptions, kolba } from 'kolba'
import { type ServeOptions, serve } from 'kolba/serve'
import { SERVER, testRedis } from '../support/redis.js'
import { Deployed, get, isAlive, isGroupAlive, Served, until } from '../support/served.js'
import { hasCommand, testTool } from '../support/tools.js'

interface Its {
  readonly app?: KolbaOptions
  readonly serve?: ServeOptions
  readonly imports?: string
  /** What stands before `serve()`. */
  readonly routes?: string
  /** What stands behind it. */
  readonly then?: string
}

/** A program that says which version of it answers, and in which process. */
function program(version: string, its: Its = {}): string {
  return `import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { kolba } from 'kolba'
import { serve } from 'kolba/serve'
${its.imports ?? ''}
// Nothing stays where the tests have ended before their time.
if (cluster.isPrimary) process.once('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
const app = kolba(${JSON.stringify(its.app ?? {})})
app.get('/', () => '${version}')
app.get('/pid', () => String(process.pid))
app.get('/exit', () => process.exit(3))
app.get('/slow', async () => {
  console.log('slow', process.pid)
  await sleep(700)
  return '${version} slow'
})
${its.routes ?? ''}
const service = await serve(app, ${JSON.stringify({ workers: 2, port: 0, ...its.serve })})
${its.then ?? ''}
`
}

async function running(t: ExecutionContext, its: Its = {}): Promise<{ served: Served; port: number; at: Deployed }> {
  const at = new Deployed(t).deploy(program('one', its))
  const served = await at.run(t)
  return { served, port: await served.port(), at }
}

/** The workers that answer. */
async function pidsOf(port: number, count: number): Promise<number[]> {
  const pids = new Set<number>()
  await until(async () => pids.add(Number((await get(port, '/pid')).text)).size === count)
  return [...pids]
}

test('serve() reloads on SIGHUP under load: no request fails, and the new code answers', async t => {
  const { served, port, at } = await running(t)
  const old = await pidsOf(port, 2)
  const failures: string[] = []
  const agent = new http.Agent({ keepAlive: true, maxSockets: 6 })
  let count = 0
  let closes = 0
  let isOn = true

  async function ask(agent: http.Agent | false, path: string): Promise<void> {
    while (isOn) {
      try {
        const { status, text, headers } = await get(port, path, agent)
        count += 1
        if (status !== 200 || !/^(one|two)( slow)?$/.test(text)) failures.push(`${status} ${text}`)
        if (agent && headers.connection === 'close') closes += 1
      } catch (error) {
        failures.push(String(error))
      }
      await sleep(5)
    }
  }

  const load = [
    ...Array.from({ length: 5 }, () => ask(agent, '/')),
    ask(false, '/'),
    ask(false, '/'),
    ask(agent, '/slow'),
  ]
  await until(() => count > 100)
  at.deploy(program('two'))
  process.kill(served.pid, 'SIGHUP')
  await served.line(/^serve: reloading/)
  // While one is under way the next waits, and those behind it are the same.
  process.kill(served.pid, 'SIGHUP')
  await served.line(/^serve: reloaded/)
  await served.line(/^serve: reloading/)
  await served.line(/^serve: reloaded/)
  await until(() => !old.some(isAlive))
  isOn = false
  await Promise.all(load)
  agent.destroy()
  t.deepEqual(failures, [])
  t.true(closes > 0)
  t.is((await get(port)).text, 'two')
  t.is((await pidsOf(port, 2)).filter(pid => old.includes(pid)).length, 0)
  t.false(served.has(/error/), served.text())
})

test('serve() loses no connection that is on its way to a worker which gives way', async t => {
  // While the primary is busy, connections and what its workers say come in one turn, the connections first.
  const routes = `
if (cluster.isPrimary) setInterval(() => { for (const end = Date.now() + 40; Date.now() < end; ); }, 50)`
  const { served, port } = await running(t, { routes })
  const failures: unknown[] = []
  let isOn = true
  const load = Array.from({ length: 12 }, async () => {
    while (isOn) {
      await get(port).catch(error => failures.push(error))
      await sleep(40 * Math.random())
    }
  })
  for (let index = 0; index < 4; index += 1) {
    process.kill(served.pid, 'SIGHUP')
    await served.line(/^serve: reloaded/)
  }
  isOn = false
  await Promise.all(load)
  t.deepEqual(failures, [])
})

test('serve() answers on a connection that was idle when the worker gave way, and closes it', async t => {
  // A busy machine may need longer for the reload than an idle connection is kept otherwise.
  const { served, port, at } = await running(t, { app: { timeouts: { keepAlive: 60, drain: 60 } } })
  const sockets = await Promise.all(Array.from({ length: 4 }, () => open(port)))
  // What goes wrong on them shows in the answer that is not there.
  for (const socket of sockets) socket.on('error', () => {})
  for (const socket of sockets) t.regex(await ask(socket), /^HTTP\/1.1 200 OK[\s\S]*keep-alive[\s\S]*one$/)
  at.deploy(program('two'))
  process.kill(served.pid, 'SIGHUP')
  await served.line(/^serve: reloaded/)
  t.is((await get(port)).text, 'two')
  for (const socket of sockets) {
    const closed = new Promise(resolve => socket.once('close', resolve))
    t.regex(await ask(socket), /^HTTP\/1.1 200 OK[\s\S]*Connection: close[\s\S]*one$/)
    await closed
  }
})

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.once('error', reject)
  })
}

async function isClosed(port: number): Promise<boolean> {
  try {
    const socket = await open(port)
    socket.destroy()
    return false
  } catch {
    return true
  }
}

function ask(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', data => resolve(String(data)))
    const closed = new Error('The connection was closed without an answer.')
    if (socket.destroyed) return reject(closed)
    socket.once('close', () => reject(closed))
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  })
}

test('serve() keeps the old workers where the new code does not come up, and says why', async t => {
  const { served, port, at } = await running(t)
  const old = await pidsOf(port, 2)
  const cases: [text: string, reason: string][] = [
    ['this is no JavaScript', 'a worker ended with exit code 1 before it listened'],
    ['process.exit(0)', 'a worker ended with exit code 0 before it listened'],
    ["process.kill(process.pid, 'SIGKILL')", 'a worker ended by SIGKILL before it listened'],
  ]
  for (const [text, reason] of cases) {
    at.deploy(text)
    process.kill(served.pid, 'SIGHUP')
    const line = await served.line(/given up/)
    const rest = '0 of 2 workers have the new code, and the old ones go on. What it printed says why.'
    t.is(line.message, `serve: the reload is given up, because ${reason}. ${rest}`)
    t.is(line.level, 'error')
  }
  t.deepEqual((await pidsOf(port, 2)).sort(), old.sort())
  at.deploy(program('two'))
  process.kill(served.pid, 'SIGHUP')
  await served.line(/^serve: reloaded/)
  t.is((await get(port)).text, 'two')
})

test('serve() replaces a worker that dies, after a pause that grows', async t => {
  const { served, port } = await running(t, { serve: { workers: 1, backoff: { first: 0.05, longest: 0.2 } } })
  const [pid = 0] = await pidsOf(port, 1)
  const pauses: number[] = []
  process.kill(pid, 'SIGKILL')
  const first = await served.line(/Another one starts/)
  t.regex(first.message, /^serve: a worker ended by SIGKILL\. Another one starts in 0\.\d\d s\.$/)
  t.is(first.pid, pid)
  pauses.push(first.pause as number)
  for (let index = 0; index < 4; index += 1) {
    await served.line(/in its place/)
    await t.throwsAsync(get(port, '/exit'), { code: 'ECONNRESET' })
    const line = await served.line(/Another one starts/)
    t.regex(line.message, /^serve: a worker ended with exit code 3\./)
    t.is(line.failures, index + 2)
    pauses.push(line.pause as number)
  }
  await served.line(/in its place/)
  t.is((await get(port)).status, 200)
  // Each is between half of it and all of it: 0.05, 0.1, 0.2, and then the longest.
  t.deepEqual(
    pauses.map((pause, index) => pause >= Math.min(0.2, 0.05 * 2 ** index) / 2 && pause <= 0.2),
    [true, true, true, true, true],
  )
  t.true((pauses[0] as number) <= 0.05 && (pauses[1] as number) <= 0.1)
})

test('serve() begins with the first pause again when a worker has lived, and counts one that closes its app as ended', async t => {
  const routes = "app.get('/close', () => { setImmediate(() => app.close()); return 'closing' })"
  const { served, port } = await running(t, {
    routes,
    serve: { workers: 1, backoff: { first: 0.1, reset: 0.001 } },
  })
  for (let index = 0; index < 3; index += 1) {
    t.is((await get(port, '/close')).text, 'closing')
    const { message, failures } = await served.line(/Another one starts/)
    t.regex(message, /^serve: a worker ended with exit code 0\./)
    t.is(failures, 1)
    await served.line(/in its place/)
  }
})

test('serve() has one port for all workers, also behind the last one of them, and no start hook in the primary', async t => {
  const routes = "app.onStart(() => console.log('started', process.pid))"
  const then = "console.log(service ? 'primary' : 'worker', process.pid, service?.port)"
  const { served, port } = await running(t, { routes, then, serve: { workers: 2, backoff: { first: 0.5 } } })
  t.is((await served.line(/^primary/)).message, `primary ${served.pid} ${port}`)
  const pids = await pidsOf(port, 2)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await served.line(/in its place/)
  await served.line(/in its place/)
  t.is((await pidsOf(port, 2)).filter(pid => pids.includes(pid)).length, 0)
  const said = (word: string) =>
    served.lines.filter(({ message }) => message.startsWith(`${word} `)).map(({ message }) => message.split(' ')[1])
  t.deepEqual(said('started').sort(), said('worker').sort())
  t.is(said('worker').length, 4)
  t.false(said('started').includes(String(served.pid)))
})

test('serve() ends with 1 where the first worker does not come up, and starts no other', async t => {
  const routes = "app.onStart(() => { throw new Error('There is no database.') })"
  const served = await new Deployed(t).deploy(program('one', { routes })).run(t)
  t.deepEqual(await served.ended, { code: 1, signal: null })
  await served.line(/There is no database/)
  await served.line(
    /serve: a worker ended with exit code 1 before it listened, and it was the first\. What it printed says why\.$/,
  )
  t.is(served.lines.filter(({ message }) => message.includes('Error: There is no database')).length, 1)
})

test('serve() ends with 1 where the first worker does not listen in time, and kills it', async t => {
  // The hook goes on for longer than anybody waits.
  const its = { routes: 'app.onStart(() => sleep(60_000))', serve: { startTimeout: 1 } }
  const served = await new Deployed(t).deploy(program('one', its)).run(t)
  t.deepEqual(await served.ended, { code: 1, signal: null })
  await served.line(/serve: a worker did not listen within 1 s, and it was the first\. What it printed says why\.$/)
  await until(() => !isGroupAlive(served.pid))
})

test('serve() on a port that is in use ends with 1 and says that', async t => {
  const server = createServer().listen(0)
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const served = await new Deployed(t).deploy(program('two', { serve: { port } })).run(t)
  t.is((await served.ended).code, 1)
  await served.line(new RegExp(`listen: port ${port} is in use\\. Stop what uses it, or choose another\\.`))
})

test('serve() lets a request end on SIGTERM, and ends with 0', async t => {
  const { served, port } = await running(t, { serve: { workers: 1 } })
  const slow = get(port, '/slow')
  await served.line(/^slow/)
  process.kill(served.pid, 'SIGTERM')
  t.like(await slow, { status: 200, text: 'one slow' })
  t.deepEqual(await served.ended, { code: 0, signal: null })
  t.false(served.has(/Another one starts|error/), served.text())
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`serve() lets a request end on ${signal} to the whole group, and replaces none`, async t => {
    const { served, port } = await running(t, { serve: { workers: 1 } })
    const slow = get(port, '/slow')
    await served.line(/^slow/)
    process.kill(-served.pid, signal)
    t.like(await slow, { status: 200, text: 'one slow' })
    t.deepEqual(await served.ended, { code: 0, signal: null })
    t.false(served.has(/Another one starts|error/), served.text())
  })
}

test('serve() ends all at once on a second signal', async t => {
  const { served, port } = await running(t, {
    routes: "app.get('/stuck', () => (console.log('stuck'), sleep(60_000)))",
  })
  const pids = await pidsOf(port, 2)
  const stuck = t.throwsAsync(get(port, '/stuck'), { code: 'ECONNRESET' })
  await served.line(/^stuck/)
  process.kill(served.pid, 'SIGTERM')
  // The same signal twice at once is one; when nobody accepts any more, the first has arrived.
  await until(() => isClosed(port))
  process.kill(served.pid, 'SIGTERM')
  await stuck
  t.deepEqual(await served.ended, { code: 143, signal: null })
  await until(() => !pids.some(isAlive))
})

test('serve() lets requests end, and the workers with them, when the primary is killed', async t => {
  const { served, port } = await running(t)
  const pids = await pidsOf(port, 2)
  const slow = get(port, '/slow')
  await served.line(/^slow/)
  process.kill(served.pid, 'SIGKILL')
  t.like(await slow, { status: 200, text: 'one slow' })
  await until(() => !pids.some(isAlive))
})

test('serve() kills a worker that does not end, and ends with 1', async t => {
  const { served } = await running(t, {
    app: { timeouts: { drain: 0.1 } },
    serve: { workers: 1, grace: 0.3 },
    routes: 'app.onStop(() => sleep(60_000))',
  })
  process.kill(served.pid, 'SIGTERM')
  t.deepEqual(await served.ended, { code: 1, signal: null })
  await served.line(/^serve: a worker did not end within 0\.4 s, and is killed\.$/)
  t.true(served.has(/serve: of 1 workers 1 did not end well, but by SIGKILL\./), served.text())
})

test('serve() gives what reloads and closes, for a program without signals', async t => {
  const then = `
process.on('message', async word => {
  await service?.[word]().catch(error => console.log(word, 'failed:', error.message))
  console.log(word, 'done')
  if (word === 'close') process.removeAllListeners('disconnect').disconnect()
})`
  const its = { app: { signals: false }, then }
  const { served, port, at } = await running(t, its)
  at.deploy(program('two', its))
  served.child.send('reload')
  await served.line(/^reload done/)
  t.is((await get(port)).text, 'two')
  at.deploy('process.exit(9)')
  served.child.send('reload')
  await served.line(/^reload failed: serve: the reload is given up, because a worker ended with exit code 9/)
  served.child.send('close')
  await served.line(/^close done/)
  t.deepEqual(await served.ended, { code: 0, signal: null })
  await t.throwsAsync(get(port), { code: 'ECONNREFUSED' })
})

testTool('script', hasCommand('script'), 'serve() ends when its terminal goes away, which sends SIGHUP', async t => {
  const at = new Deployed(t).deploy(program('one'))
  const terminal = new Served('script', ['-qfec', `exec ${process.execPath} ${at.file}`, '/dev/null'])
  t.teardown(() => terminal.killAll())
  const port = await terminal.port()
  const pids = await pidsOf(port, 2)
  // As a window that is closed: without a word to those in it.
  process.kill(terminal.pid, 'SIGKILL')
  await until(() => !pids.some(isAlive))
  await t.throwsAsync(get(port), { code: 'ECONNREFUSED' })
})

const SHARED = `import { rateLimit, redisStore } from 'kolba/rate-limit'`

testRedis('serve() has four workers let 100 of 400 requests through, by a limit in Redis', async (t, _, prefix) => {
  const routes = `
const store = redisStore('${SERVER}', { prefix: '${prefix}' })
for (const turn of [1, 2, 3]) app.get('/limited/' + turn, rateLimit('100/hour', { store }), () => String(process.pid))`
  const { served, port } = await running(t, { imports: SHARED, routes, serve: { workers: 4 } })
  // The first that listens would take them all.
  await pidsOf(port, 4)
  // Where the machine gives Redis no time, requests are let through, and the log says so: then it is done again.
  const misses = () => served.lines.filter(({ message }) => message.includes('the store does not answer')).length
  let answers: Awaited<ReturnType<typeof get>>[] = []
  for (const turn of [1, 2, 3]) {
    const before = misses()
    answers = await Promise.all(Array.from({ length: 400 }, () => get(port, `/limited/${turn}`)))
    // For a second a store that did not answer is left alone.
    await sleep(1500)
    if (misses() === before) break
  }
  t.is(answers.filter(({ status }) => status === 200).length, 100, served.text())
  t.is(answers.filter(({ status }) => status === 429).length, 300)
  const pids = new Set(answers.filter(({ status }) => status === 200).map(({ text }) => text))
  t.true(pids.size > 1, `Only ${[...pids]} answered.`)
})

test('serve() warns of what each worker has for itself, with the routes and what to give', async t => {
  const imports = `import { issueTokens } from 'kolba/auth'
import { cached } from 'kolba/cache'
import { collection, resource } from 'kolba/collection'
import { etag } from 'kolba/etag'
import { idempotent } from 'kolba/idempotency'
import { jobs } from 'kolba/jobs'
import { json } from 'kolba/json'
import { memoryStore, rateLimit } from 'kolba/rate-limit'`
  const routes = `
const work = jobs()
app.use(rateLimit('1000/s'))
app.get('/a', rateLimit('1000/s', { store: memoryStore() }), () => 'a')
app.post('/b', idempotent(), () => 'b')
app.get('/c', etag(), cached({ ttl: 1 }), json(), () => 'c')
app.put('/c', etag(), json(), () => 'c')
app.get('/versioned', etag({ version: row => row.version }), json(), () => ({ version: 1 }))
app.put('/versioned', etag({ version: row => row.version }), json(), () => ({ version: 2 }))
app.get('/e', cached({ version: () => 1 }), json(), () => 'e')
app.get('/f', json(), collection(resource({ fields: { id: 'number' } }), { paging: 'cursor' }), () => [])
app.post('/g', work.background(), () => 'g')
app.mount('/jobs', work.routes)
const secret = 'pK8nJ4vXw2RzQ7tYb5LcM9dFhG3sA6eU'
app.mount('/tokens', issueTokens({ secret, issuer: 'i', audience: 'a', check: () => undefined, load: () => undefined }))
`
  const { served } = await running(t, { imports, routes })
  const or = (name: string) => `, or say that it may be so: perWorker: ['${name}'].`
  const warned = () =>
    served.lines.filter(({ message }) => message.startsWith('serve: ') && message.includes('perWorker'))
  await until(() => warned().length === 7)
  t.deepEqual(
    warned()
      .map(({ message }) => message)
      .sort(),
    [
      `serve: GET /c: cached keeps until its ttl what another process has changed. Give version${or('cached')}`,
      `serve: GET /f: collection makes cursors that other processes refuse. Give secret, or kolba({ keys })${or('collection')}`,
      `serve: POST /b: idempotent knows the keys of its own process alone. Give store: redisStore(client)${or('idempotent')}`,
      `serve: POST /g: background keeps jobs where other processes answer 404 to them. Give jobs({ engine: sqlite(file) })${or('background')}`,
      `serve: POST /tokens: signIn of issueTokens() keeps tokens that other processes do not know. Give store${or('signIn')}`,
      `serve: PUT /c: etag lets writes take turns in one process alone. Give version, and UPDATE ... WHERE version = ?${or('etag')}`,
      `serve: app.use, and 1 more: rateLimit counts in each process for itself. Give store: redisStore(client)${or('rateLimit')}`,
    ],
  )
  t.deepEqual(warned().find(({ message }) => message.includes('rateLimit'))?.routes, ['app.use', 'GET /a'])
  const keys = 'app.keys = ["keys that are set behind the routes"]'
  const perWorker = ['cached', 'idempotent', 'background', 'signIn', 'etag', 'rateLimit']
  const quiet = await running(t, { imports, routes: `${routes}${keys}`, serve: { perWorker } })
  t.false(quiet.served.has(/perWorker/), quiet.served.text())
})

test('serve() refuses a second call in a process', async t => {
  const then = 'if (service) await serve(app).catch(error => console.log(error.message))'
  const { served } = await running(t, { then, serve: { workers: 1 } })
  const { message } = await served.line(/already/)
  t.is(message, 'serve: this process has workers already. Call it once, and mount one app on the other.')
})

test('serve() refuses what is no app, and wrong options', async t => {
  const app = kolba()
  const refused: [options: unknown, message: string][] = [
    [
      { worker: 2 },
      'serve: the option "worker" is unknown. It takes workers, port, host, startTimeout, grace, backoff and perWorker.',
    ],
    [{ workers: 0 }, 'serve: the option workers is 0. Give a whole number from 1.'],
    [{ workers: 1.5 }, 'serve: the option workers is 1.5. Give a whole number from 1.'],
    [{ port: 65_536 }, 'serve: the option port is 65536. Give a port from 0 to 65535, or the path of a socket.'],
    [{ port: 'http' }, 'serve: the option port is "http". Give a port from 0 to 65535, or the path of a socket.'],
    [{ port: '' }, 'serve: the option port is "". Give a port from 0 to 65535, or the path of a socket.'],
    [{ host: '' }, 'serve: the option host is "". Give a non-empty string.'],
    [{ startTimeout: 0 }, 'serve: the option startTimeout is 0. Give a number of seconds above 0.'],
    [{ grace: Number.NaN }, 'serve: the option grace is NaN. Give a number of seconds above 0.'],
    [{ perWorker: 'cached' }, 'serve: the option perWorker is "cached". Give a list of non-empty strings.'],
    [{ backoff: 1 }, 'serve: the option backoff is 1. Give an object.'],
    [{ backoff: { first: -1 } }, 'serve backoff: the option first is -1. Give a number of seconds above 0.'],
    [{ backoff: { max: 1 } }, 'serve backoff: the option "max" is unknown. It takes first, longest and reset.'],
    [{ backoff: { first: 31 } }, 'serve backoff: first is 31 and longest 30. Give a longest that is not shorter.'],
    [
      3000,
      'serve: the options are 3000. Give an object with workers, port, host, startTimeout, grace, backoff and perWorker.',
    ],
  ]
  for (const [options, message] of refused)
    await t.throwsAsync(serve(app, options as ServeOptions), { instanceOf: TypeError, message })
  await t.throwsAsync(serve({} as never), {
    instanceOf: TypeError,
    message: 'serve: the first argument is no app. Give what kolba() has made.',
  })
})
