import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import together, { type ExecutionContext } from 'ava'
import { decorator, kolba, type Next } from 'kolba'
import { type JobsOptions, jobs, memory, sqlite } from 'kolba/jobs'
import { forked } from '../../support/forked.js'
import { begin, ended, inState, until } from '../../support/jobs/watch.js'
import { MemoryLogger } from '../../support/memory-logger.js'

// One after the other, because each has processes of its own.
const test = together.serial
const program = fileURLToPath(new URL('../../support/jobs/worker.js', import.meta.url))

interface Message {
  ready?: boolean
  servers?: number
  isWorker?: boolean
  began?: string
  attempt?: number
  aborted?: string
  stopping?: boolean
}

/** A file for jobs, and an app that makes some, and does none. */
function open(t: ExecutionContext, options: JobsOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-worker-'))
  const file = join(folder, 'jobs.db')
  const engine = sqlite(file)
  const work = jobs({ engine, run: 'apart', ...options })
  const app = kolba({ logger: new MemoryLogger() })
  const given = decorator('given', (ctx, next: Next<object>) =>
    next({ input: { waits: ctx.query.waits }, user: { id: 'ada' } }),
  )
  const never = () => t.fail('The app that makes jobs does one.')
  app.post('/reports/:year', given, work.background({ name: 'report' }), never as never)
  const signedIn = decorator('signedIn', (_ctx, next: Next<object>) => next({ user: { id: 'ada' } }))
  app.mount('/jobs', work.routes, signedIn)
  t.teardown(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })
  return { file, engine, client: app.client() }
}

/** A program that does them. */
async function startWorker(t: ExecutionContext, env: Record<string, string>) {
  const messages: Message[] = []
  let printed = ''
  const child = forked(program, [], { env: { ...process.env, ...env } }, text => {
    printed += text
  })
  child.on('message', (message: Message) => messages.push(message))
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const told = <K extends keyof Message>(name: K) =>
    until(() => {
      const message = messages.find(it => it[name] !== undefined)
      if (!message && child.exitCode !== null) throw new Error(`It has ended, and printed: ${printed}`)
      return message
    }, `${name} of the worker`)
  await told('ready')
  return {
    child,
    messages,
    told,
    /** Sends SIGTERM, and gives what came of it. */
    async stop() {
      child.kill('SIGTERM')
      const [code] = await closed
      return { code, printed }
    },
  }
}

const WORKERS: [name: string, env: Record<string, string>][] = [
  ['work.start()', { APP: '' }],
  ['app.work()', { APP: 'yes' }],
]

for (const [name, env] of WORKERS) {
  test(`${name} does the jobs that an app with run: 'apart' makes, and serves nothing`, async t => {
    const { file, client } = open(t)
    const location = await begin(client, '/reports/2024')
    await inState(client, location, 'queued')
    const { messages, child, stop } = await startWorker(t, { ...env, FILE: file })
    const { progress } = await inState(client, location, 'succeeded')
    t.deepEqual(progress, { done: 1, total: 2, message: 'Reading' })
    const response = await client.get(location)
    t.is(response.status, 303)
    t.is(response.headers.get('Location'), `/reports/${location.split('/').at(-1)}`)
    const later = await client.post('/reports/2025', { headers: { Prefer: 'wait=25' } })
    t.is(later.status, 201)
    t.deepEqual(await later.json(), { input: {}, user: { id: 'ada' }, year: '2025', by: child.pid })
    t.is(messages.find(({ ready }) => ready)?.servers, 0)
    if (env.APP) t.true(messages.some(({ isWorker }) => isWorker))
    t.deepEqual(await stop(), { code: 0, printed: '' })
  })

  test(`${name} gives a job the drain time when SIGTERM comes, and takes up no other`, async t => {
    const { file, client } = open(t)
    const { told, child, stop } = await startWorker(t, { ...env, FILE: file })
    const location = await begin(client, '/reports/2024?waits=go')
    await told('began')
    const stopped = stop()
    await told('stopping')
    // What comes now is for the next worker.
    const other = await begin(client, '/reports/2025')
    await new Promise(resolve => setTimeout(resolve, 300))
    child.send('go')
    t.deepEqual(await stopped, { code: 0, printed: '' })
    await inState(client, location, 'succeeded')
    const { attempts } = await inState(client, other, 'queued')
    t.is(attempts, 0)
  })

  test(`${name} hands a job back that does not end in the drain time, and another worker does it`, async t => {
    const { file, engine, client } = open(t)
    const { told, stop } = await startWorker(t, { ...env, FILE: file, DRAIN: '0.3' })
    const location = await begin(client, '/reports/2024?waits=signal')
    await told('began')
    t.is((await stop()).code, 0)
    t.deepEqual(await told('aborted'), { aborted: 'JobHandedBack: This process ends.' })
    const id = location.split('/').at(-1) as string
    t.like(await engine.get(id), { state: 'queued', failures: 0, attempts: 1 })
    const next = await startWorker(t, { ...env, FILE: file, DRAIN: '0.3' })
    t.like(await next.told('began'), { began: id, attempt: 2 })
    t.is((await client.delete(location)).status, 204)
    t.deepEqual(await next.told('aborted'), { aborted: 'JobCancelled: The job was cancelled.' })
    t.is((await next.stop()).code, 0)
  })
}

test('work.start() begins once, and close() ends it for good', async t => {
  const logger = new MemoryLogger()
  const work = jobs({ logger })
  let runs = 0
  const count = work.task('count', () => runs++)
  await Promise.all([work.start(), work.start()])
  await count.add({})
  await until(() => runs || undefined)
  t.deepEqual(
    logger.lines.map(({ message }) => message),
    ['jobs: they are kept in memory and end with this process. Give an engine: jobs({ engine: sqlite(file) }).'],
  )
  const before = process.listenerCount('SIGTERM')
  await work.close()
  t.is(process.listenerCount('SIGTERM'), before - 1)
  await work.close()
  await t.throwsAsync(work.start(), { instanceOf: TypeError, message: 'jobs: they have been closed. Make others.' })
  t.is(process.listenerCount('SIGTERM'), before - 1)
  await t.throwsAsync(work.close(-1), {
    message: /^close: the option seconds is -1\. Give a number of seconds from 0\.$/,
  })
  await t.throwsAsync(jobs().start({ drain: Number.NaN }), { message: /^start: the option drain is NaN\./ })
})

test('work.start() rejects where the engine cannot be opened, and may be tried again', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kolba-worker-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const work = jobs({ engine: sqlite(join(folder, 'nowhere', 'jobs.db')), logger: new MemoryLogger() })
  const before = process.listenerCount('SIGTERM')
  await t.throwsAsync(work.start(), { message: /nowhere/ })
  await t.throwsAsync(work.start(), { message: /nowhere/ })
  t.is(process.listenerCount('SIGTERM'), before)
  await work.close()
})

test('close() while the engine is being opened lets go of it when it is, and begins nothing', async t => {
  const engine = memory()
  const calls: string[] = []
  let open = () => {}
  const slow = {
    ...engine,
    isLasting: true,
    open: () => new Promise<void>(resolve => (open = resolve)).then(() => void calls.push('open')),
    close: async () => void calls.push('close'),
    claim: async () => void calls.push('claim') as never,
  }
  const work = jobs({ engine: slow })
  work.task('some', () => 1)
  const started = work.start()
  const closed = work.close()
  open()
  await Promise.all([started, closed])
  t.deepEqual(calls, ['open', 'close'])
})

test("jobs({ run: 'apart' }) runs none where the app serves, and is refused with an engine that others do not see", async t => {
  const message = 'jobs: run is "apart", and no other process sees what is in memory. Give an engine that lasts.'
  t.throws(() => jobs({ run: 'apart' }), { instanceOf: TypeError, message })
  const { client } = open(t)
  const location = await begin(client, '/reports/2024')
  await new Promise(resolve => setTimeout(resolve, 200))
  await inState(client, location, 'queued')
})

test('jobs of an app that is mounted on another run, and have their place there', async t => {
  const work = jobs()
  const inner = kolba()
  inner.post('/things/:id', work.background(), ctx => ctx.params.id)
  const app = kolba({ logger: new MemoryLogger() })
  app.mount('/v1', inner)
  app.mount('/jobs', work.routes)
  t.teardown(() => app.close())
  const client = app.client()
  const location = await begin(client, '/v1/things/7')
  t.is(await (await ended(client, location)).text(), '7')
})
