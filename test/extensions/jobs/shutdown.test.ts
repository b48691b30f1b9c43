import { once } from 'node:events'
import test from 'ava'
import { kolba } from 'kolba'
import { type Engine, JobHandedBack, JobLost, jobs, memory, sqlite } from 'kolba/jobs'
import { forked } from '../../support/forked.js'
import { begin, ended, jobsApp, jobsFile, signal, stateOf, until } from '../../support/jobs.js'
import { MemoryLogger } from '../../support/memory-logger.js'

/** An engine that tells when it is closed. */
function told(): { engine: Engine; events: string[] } {
  const events: string[] = []
  const inner = memory()
  const tell =
    <A extends unknown[], R>(name: string, ask: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      const value = await ask(...args)
      events.push(name)
      return value
    }
  const engine: Engine = {
    ...inner,
    finish: tell('finish', inner.finish),
    release: tell('release', inner.release),
    close: tell('close', inner.close),
  }
  return { engine, events }
}

test('app.close() lets running jobs end, begins no others, and closes the engine after them', async t => {
  const { engine, events } = told()
  const its = jobsApp(t, { engine, concurrency: 1 }, { timeouts: { drain: 20 } })
  const [running, go] = [signal(), signal()]
  let runs = 0
  its.app.post('/x', its.work.background(), async ctx => {
    runs += 1
    running.resolve()
    await go.promise
    return ctx.signal.aborted
  })
  const first = await begin(t, its, '/x')
  const second = await begin(t, its, '/x')
  await running.promise
  const closed = its.app.close()
  t.is((await its.client.post('/x')).status, 503)
  go.resolve()
  await closed
  t.like(await engine.get(first.slice(6)), { state: 'succeeded', attempts: 1 })
  t.like(await engine.get(second.slice(6)), { state: 'queued', attempts: 0 })
  t.is(runs, 1)
  t.deepEqual(events, ['finish', 'close'])
})

test('app.close() hands back jobs that do not end in time, as no failure of theirs', async t => {
  const { engine, events } = told()
  const its = jobsApp(t, { engine })
  const reason = signal<unknown>()
  const running = signal()
  its.app.post('/x', its.work.background(), ctx => {
    ctx.signal.addEventListener('abort', () => reason.resolve(ctx.signal.reason))
    running.resolve()
    return new Promise(() => {})
  })
  const place = await begin(t, its, '/x')
  await running.promise
  await its.app.close()
  t.true((await reason.promise) instanceof JobHandedBack)
  t.like(await engine.get(place.slice(6)), { state: 'queued', attempts: 1, failures: 0 })
  t.deepEqual(events, ['release', 'close'])
})

test('a handler that heeds that it is handed back ends before another one has its job', async t => {
  const { engine, events } = told()
  const its = jobsApp(t, { engine })
  const running = signal()
  its.app.post('/x', its.work.background(), async ctx => {
    running.resolve()
    await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
    await new Promise(resolve => setTimeout(resolve, 50))
    events.push('tidied up')
    return 'partly'
  })
  const place = await begin(t, its, '/x')
  await running.promise
  await its.app.close()
  t.deepEqual(events, ['tidied up', 'release', 'close'])
  t.is((await engine.get(place.slice(6)))?.state, 'queued')
})

test('what is handed back is begun again by another process, under the same id', async t => {
  const engine = { ...memory(), close: async () => {} }
  const [one, other] = [jobsApp(t, { engine }), jobsApp(t, { engine })]
  const ids: string[] = []
  for (const { app, work } of [one, other]) {
    app.post('/x', work.background(), ctx => {
      ids.push(ctx.job.id)
      return ids.length === 1 ? new Promise(() => {}) : ctx.job.attempt
    })
  }
  const place = await begin(t, one, '/x')
  await until(t, () => ids.length === 1)
  await one.app.close()
  t.is(await (await ended(other, place)).json(), 2)
  t.deepEqual(ids, [place.slice(6), place.slice(6)])
})

test('a handler that heeds nothing can change nothing after app.close()', async t => {
  const { engine, events } = told()
  const its = jobsApp(t, { engine })
  const [running, go, over] = [signal(), signal(), signal()]
  its.app.post('/x', its.work.background(), async ctx => {
    running.resolve()
    await go.promise
    ctx.progress(0.9)
    over.resolve()
    return 'late'
  })
  const place = await begin(t, its, '/x')
  await running.promise
  await its.app.close()
  const before = await engine.get(place.slice(6))
  go.resolve()
  await over.promise
  await new Promise(resolve => setTimeout(resolve, 150))
  t.deepEqual(await engine.get(place.slice(6)), before)
  t.deepEqual(events, ['release', 'close'])
})

test('app.close() with a claim on its way gives the job back', async t => {
  const { engine, events } = told()
  const { claim } = engine
  const [asked, go] = [signal(), signal()]
  engine.claim = async (...args) => {
    const its = await claim(...args)
    if (!its) return its
    asked.resolve()
    await go.promise
    return its
  }
  const its = jobsApp(t, { engine })
  let runs = 0
  its.app.post('/x', its.work.background(), () => {
    runs += 1
    return runs
  })
  const place = await begin(t, its, '/x')
  await asked.promise
  const closed = its.app.close()
  go.resolve()
  await closed
  t.is(runs, 0)
  t.like(await engine.get(place.slice(6)), { state: 'queued', failures: 0 })
  t.deepEqual(events, ['release', 'close'])
})

test('app.close() does not wait for ever for an engine that does not answer', async t => {
  const engine = memory()
  const asked = signal()
  engine.claim = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => 1)
  await begin(t, its, '/x')
  await asked.promise
  await t.notThrowsAsync(its.app.close())
})

test('app.close() asks nothing more of an engine that has failed when it is closed', async t => {
  const engine = memory()
  const running = signal()
  let releases = 0
  engine.release = async () => {
    releases += 1
    throw new Error('It is away.')
  }
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => {
    running.resolve()
    return new Promise(() => {})
  })
  await begin(t, its, '/x')
  await running.promise
  await its.app.close()
  const before = { releases, lines: its.logger.lines.length }
  t.true(before.releases > 0)
  await new Promise(resolve => setTimeout(resolve, 2500))
  t.deepEqual({ releases, lines: its.logger.lines.length }, before)
})

test('app.close() of an app that has never started, and twice, is fine', async t => {
  const app = kolba({ signals: false, logger: new MemoryLogger() })
  const work = jobs()
  app.mount('/jobs', work.routes)
  app.post('/x', work.background(), () => 1)
  await app.close()
  await app.close()
  await work.close()
  t.pass()
})

test('app.close() while the engine is opened waits for it, closes it, and begins no jobs', async t => {
  const { engine, events } = told()
  const [asked, go] = [signal(), signal()]
  engine.open = () => {
    asked.resolve()
    return go.promise
  }
  engine.claim = async () => {
    events.push('claim')
    return undefined
  }
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => 1)
  its.app.onStop(() => events.push('stopped'))
  const server = its.app.listen(0)
  server.on('error', error => events.push(error.message))
  await asked.promise
  const closed = its.app.close()
  go.resolve()
  await closed
  await new Promise(setImmediate)
  t.deepEqual(events, ['stopped', 'close'])
  t.deepEqual(its.logger.lines, [])
})

test('app.close() while threads are checked opens no engine', async t => {
  const { engine, events } = told()
  engine.open = async () => void events.push('open')
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), () => 1)
  const server = its.app.listen(0)
  server.on('error', error => events.push(error.message))
  await its.app.close()
  await new Promise(setImmediate)
  t.deepEqual(events, [])
  t.deepEqual(its.logger.lines, [])
})

test('a job whose lease cannot be renewed is stopped, and what comes of it is not kept', async t => {
  const engine = sqlite(jobsFile(t))
  const [reason, running] = [signal<unknown>(), signal()]
  // It hangs, as a line that was cut does.
  engine.renew = () => new Promise(() => {})
  let finished = 0
  const { finish } = engine
  engine.finish = (...args) => {
    finished += 1
    return finish(...args)
  }
  const its = jobsApp(t, { engine, lease: 0.2, retry: { attempts: 1 } })
  its.app.post('/x', its.work.background(), async ctx => {
    ctx.signal.addEventListener('abort', () => reason.resolve(ctx.signal.reason))
    running.resolve()
    await reason.promise
    return 'mine'
  })
  const place = await begin(t, its, '/x')
  await running.promise
  const why = await reason.promise
  t.true(why instanceof JobLost)
  t.is((why as Error).message, 'The lease could not be renewed in time.')
  // The next one to have it sees that it was lost too often.
  t.is((await ended(its, place)).status, 500)
  t.is(finished, 1)
})

test('a job that somebody else has by now is stopped', async t => {
  const engine = memory()
  const reason = signal<unknown>()
  engine.renew = async () => 'lost'
  const { get } = engine
  engine.get = async id => {
    const job = await get(id)
    return job?.state === 'running' ? { ...job, attempts: 2 } : job
  }
  const its = jobsApp(t, { engine, lease: 0.15 })
  its.app.post('/x', its.work.background(), ctx => {
    ctx.signal.addEventListener('abort', () => reason.resolve(ctx.signal.reason))
    return reason.promise
  })
  await begin(t, its, '/x')
  t.is(((await reason.promise) as Error).message, 'Another process has this job now.')
})

test('a job that another process has cancelled is stopped when that is heard of', async t => {
  const engine = memory()
  let changed: (id?: string) => void = () => {}
  engine.watch = tell => {
    changed = tell
    return () => {}
  }
  const [reason, running] = [signal<unknown>(), signal()]
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background(), ctx => {
    ctx.signal.addEventListener('abort', () => reason.resolve(ctx.signal.reason))
    running.resolve()
    return reason.promise
  })
  const place = await begin(t, its, '/x')
  await running.promise
  await engine.cancel(place.slice(6), 60_000)
  changed(place.slice(6))
  t.is(((await reason.promise) as Error).name, 'JobCancelled')
  t.is((await stateOf(its.client.get(place))).state, 'cancelled')
})

const program = new URL('../../support/jobs-server.js', import.meta.url)

/** Starts the program, and begins a job there. */
async function start(drain: string, path: string) {
  const child = forked(program, [drain])
  const words: unknown[] = []
  child.on('message', word => words.push(word))
  const [port] = await once(child, 'message')
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' })
  return { child, words, status: response.status }
}

test('SIGTERM lets a running job end, then the process ends with 0', async t => {
  const { child, words, status } = await start('30', '/quick')
  t.is(status, 202)
  await until(t, () => words.includes('begun'))
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  t.is(code, 0)
  t.deepEqual(words.slice(1), ['begun', 'finish succeeded', 'stopped'])
})

test('SIGTERM hands back a job that does not end, then the process ends with 0', async t => {
  const { child, words } = await start('0.2', '/endless')
  await until(t, () => words.includes('begun'))
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  t.is(code, 0)
  t.deepEqual(words.slice(1), ['begun', 'JobHandedBack', 'release', 'stopped'])
})
