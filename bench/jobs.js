// What a job costs, by engine, beside BullMQ without kolba: adding 10,000 of them to the engine and by POST over HTTP,
// doing them 10 at a time with a handler that does nothing, and asking for one that has ended.
// `npm run build && node bench/jobs.js`; PostgreSQL where DATABASE_URL says, and what needs Redis where redis-server is.
import http from 'node:http'
import { parseArgs } from 'node:util'
import { jobs } from '../dist/extensions/jobs.js'
import { json } from '../dist/extensions/json.js'
import { kolba } from '../dist/src/index.js'
import { places, plainBullMQ } from './jobs/places.js'

/** Under way at one time: requests, and jobs that are added. Done at one time: jobs. */
const ADDED = 50
const DONE = 10
const POLLS = 2000
const OWNER = { 'X-Owner': 'somebody' }
/** Jobs belong to so many. */
const OWNERS = 100
/** So far away that nobody counts. */
const LIMIT = 1_000_000
const request = JSON.stringify({ request: {}, params: {}, fields: { month: '"2026-01"' } })
const silent = { info() {}, warn() {}, error: console.error }

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '10000' }, only: { type: 'string', default: '' } },
})
const count = Number(values.jobs)
const rows = []
for (const place of places) {
  if (!place.title.includes(values.only)) continue
  const reason = place.missing()
  if (reason) console.log(`${place.title} is left out: ${reason}`)
  else rows.push(await measure(place))
}
console.table(rows)

async function measure(place) {
  process.stderr.write(`${place.title}\n`)
  // The first time is for the compiler.
  await place.use(where => oneRound(place, where, Math.min(count, 300)))
  return { title: place.title, ...(await place.use(where => oneRound(place, where, count))) }
}

async function oneRound(place, where, count) {
  if (place.isPlain) return plainRound(where, count)
  const added = await addTo(await place.engine(where), count)
  const engine = await place.engine(where)
  const gate = gateOf()
  const app = kolba({ signals: false, logger: silent })
  const work = jobs({ engine, limit: LIMIT, concurrency: DONE, logger: silent, principal: ctx => ctx.get('X-Owner') })
  app.mount('/jobs', work.routes)
  app.post('/reports/:month', work.background(), () => gate.pass(count))
  app.post('/nothing', () => null)
  app.get('/small', json(), () => ({ month: '2026-01', total: 17 }))
  app.post('/small', json(), work.background(), () => ({ month: '2026-01', total: 17 }))
  return serve(app, async ask => {
    const posted = await each(count, turn =>
      ask('POST', '/reports/2026-01', 202, { 'X-Owner': `user ${turn % OWNERS}` }),
    )
    const done = await timed(count, async () => {
      gate.open()
      await gate.emptied
      while ((await engine.waiting('POST /reports/:month')) > 0) await pause()
    })
    return { ...added, ...speedsOf(posted, done), ...(await polls(ask)) }
  })
}

/** The engine by itself. */
async function addTo(engine, count) {
  await engine.open()
  const at = { task: 'alone', request, fingerprint: 'f', priority: 0, keys: [], limit: LIMIT }
  const add = turn => engine.add({ ...at, owner: `user ${turn % OWNERS}`, id: crypto.randomUUID(), due: Date.now() })
  const single = await timed(count / 10, async () => {
    for (let index = 0; index < count / 10; index += 1) await add(index)
  })
  const many = await each(count, add)
  await engine.close()
  return costsOf(single, many)
}

/** Asking for a job that has ended: its result, and that it is as it was. */
async function polls(ask) {
  const { location } = await ask('POST', '/small', 202, OWNER)
  while ((await ask('GET', location, undefined, OWNER)).status !== 200) await pause()
  const { etag } = await ask('GET', location, 200, OWNER)
  const times = { 'GET 200, µs': [], 'GET 304, µs': [], 'GET without a job, µs': [] }
  for (let turn = 0; turn < 5; turn += 1) {
    const one = async use =>
      timed(POLLS / 5, async () => {
        for (let index = 0; index < POLLS / 5; index += 1) await use()
      })
    times['GET 200, µs'].push((await one(() => ask('GET', location, 200, OWNER))).past)
    times['GET 304, µs'].push((await one(() => ask('GET', location, 304, { ...OWNER, 'If-None-Match': etag }))).past)
    times['GET without a job, µs'].push((await one(() => ask('GET', '/small', 200))).past)
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, round(Math.min(...all))]))
}

/** BullMQ as its own guide has it: a queue, a worker, and a route that adds. */
async function plainRound(where, count) {
  const plain = await plainBullMQ(where, DONE)
  const add = () => plain.queue.add('report', { month: '2026-01' }, { jobId: crypto.randomUUID() })
  const single = await timed(count / 10, async () => {
    for (let index = 0; index < count / 10; index += 1) await add()
  })
  const many = await each(count, add)
  await plain.queue.obliterate()
  const app = kolba({ signals: false, logger: silent })
  app.post('/reports/:month', async ctx => {
    const { id } = await add()
    ctx.status = 202
    ctx.set('Location', `/jobs/${id}`)
    return { id, state: 'queued' }
  })
  return serve(app, async ask => {
    const posted = await each(count, () => ask('POST', '/reports/2026-01', 202))
    const done = await timed(count, () => plain.work(count))
    await plain.close()
    return {
      ...costsOf(single, many),
      ...speedsOf(posted, done),
    }
  })
}

function costsOf(single, many) {
  return { 'add, one by one, µs': round(single.past), [`add, ${ADDED} at once, µs`]: round(many.past) }
}

/** Processor time is of this process, which has the client as well, and not of a server of the store. */
function speedsOf(posted, done) {
  return {
    'POST 202, a second': round(1e6 / posted.past),
    'its processor time, µs': round(posted.used),
    'done, a second': round(1e6 / done.past),
    'processor time of that, µs': round(done.used),
  }
}

/** Lets nobody pass until it opens, so that all wait; then counts who does. */
function gateOf() {
  let passed = 0
  const [opened, open] = promise()
  const [emptied, empty] = promise()
  const pass = async count => {
    await opened
    passed += 1
    if (passed === count) empty()
    return null
  }
  return { open, emptied, pass }
}

function promise() {
  let resolve
  const promise = new Promise(its => {
    resolve = its
  })
  return [promise, resolve]
}

/** On a port, over connections that stay open; the client is in this process as well. */
async function serve(app, use) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: ADDED })
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address()

  function ask(method, path, expected, headers) {
    return new Promise((resolve, reject) => {
      const request = http.request({ agent, port, host: '127.0.0.1', method, path, headers }, response => {
        const { statusCode: status, headers } = response
        response.resume().on('end', () => {
          if (expected && status !== expected)
            reject(new Error(`bench: ${method} ${path} was answered with ${status}.`))
          else resolve({ status, ...headers })
        })
      })
      request.on('error', reject).end()
    })
  }

  try {
    return await use(ask)
  } finally {
    agent.destroy()
    await app.close()
  }
}

/** As `timed()`, many at once. */
function each(count, use) {
  let left = count
  const some = async () => {
    while (left-- > 0) await use(left)
  }
  return timed(count, () => Promise.all(Array.from({ length: ADDED }, some)))
}

/** Microseconds for each: those that went by, and those of the processor. */
async function timed(count, use) {
  const start = performance.now()
  const before = process.cpuUsage()
  await use()
  const past = (performance.now() - start) * 1000
  const { user, system } = process.cpuUsage(before)
  return { past: past / count, used: (user + system) / count }
}

function pause() {
  return new Promise(resolve => setTimeout(resolve, 2))
}

function round(value) {
  return value < 10 ? Number(value.toFixed(1)) : Math.round(value)
}
