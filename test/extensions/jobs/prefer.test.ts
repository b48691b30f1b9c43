import { setMaxListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { created, problem } from 'kolba'
import { type Engine, memory } from 'kolba/jobs'
import { prefer } from 'kolba/prefer'
import { begin, done, ended, jobsApp, signal, stateOf, until } from '../../support/jobs.js'

/** An engine that no process here does jobs for, and how many watch it. */
function apart(): { engine: Engine; watching: () => number } {
  let count = 0
  const watch = () => {
    count += 1
    return () => {
      count -= 1
    }
  }
  return { engine: { ...memory(), isLasting: true, watch }, watching: () => count }
}

const ask = (value: string) => ({ headers: { Prefer: value } })

test('background({ when: "preferred" }) makes a job where respond-async is preferred, and else answers', async t => {
  const its = jobsApp(t)
  const jobs: unknown[] = []
  its.app.post('/x', its.work.background({ when: 'preferred' }), ctx => {
    jobs.push(ctx.job.attempt)
    ctx.progress(1)
    return ctx.job.id === ctx.requestId ? 'at once' : 'later'
  })
  for (const value of [undefined, 'wait=10', 'return=minimal', 'respond-async=no', 'x; respond-async']) {
    const response = await its.client.post('/x', value ? ask(value) : {})
    t.is(response.status, 200, value)
    t.is(await response.text(), 'at once')
    t.is(response.headers.get('Vary'), 'Prefer')
    t.is(response.headers.get('Preference-Applied'), null)
  }
  for (const value of ['respond-async', 'Respond-Async', 'return=minimal, respond-async']) {
    const response = await its.client.post('/x', ask(value))
    t.is(response.status, 202, value)
    t.is(response.headers.get('Vary'), 'Prefer')
    t.is(response.headers.get('Preference-Applied'), 'respond-async')
    t.is(await (await ended(its, response.headers.get('Location') as string)).text(), 'later')
  }
  t.deepEqual(jobs, Array(8).fill(1))
})

test('background({ when: "preferred" }) has no part in an error of the handler in its request', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background({ when: 'preferred' }), () => {
    throw problem(409)
  })
  const response = await its.client.post('/x')
  t.is(response.status, 409)
  t.is(response.headers.get('Vary'), 'Prefer')
})

test('background() heeds respond-async by what it does, and says so', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), () => 1)
  t.is((await its.client.post('/x')).headers.get('Preference-Applied'), null)
  t.is((await its.client.post('/x', ask('respond-async'))).headers.get('Preference-Applied'), 'respond-async')
})

test('wait=N gives the result with its status and headers when it is there in time', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), async () => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return created('/books/7', { id: 7 })
  })
  const response = await its.client.post('/x', ask('respond-async, wait=20'))
  t.is(response.status, 201)
  t.is(response.headers.get('Location'), '/books/7')
  t.is(response.headers.get('Preference-Applied'), 'wait=20')
  t.is(response.headers.get('Vary'), 'Prefer')
  t.is(response.headers.get('Cache-Control'), 'private, no-cache')
  t.is(response.headers.get('ETag'), null)
  t.deepEqual(await response.json(), { id: 7 })
})

test('wait=N gives what has failed as the problem that it is', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), () => Promise.reject(problem(409, { detail: 'No.' })))
  const response = await its.client.post('/x', ask('wait=20'))
  t.is(response.status, 409)
  t.regex(((await response.json()) as { instance: string }).instance, /^\/jobs\/[\da-f-]{36}$/)
})

test('wait=N of another GET is no 304 for another job', async t => {
  let count = 0
  const its = jobsApp(t)
  its.app.get('/x', its.work.background(), () => ({ count: ++count }))
  t.deepEqual(await (await its.client.get('/x', ask('wait=20'))).json(), { count: 1 })
  for (const tag of ['*', 'W/"2"', 'W/"3"', 'W/"4"']) {
    const response = await its.client.get('/x', { headers: { Prefer: 'wait=20', 'If-None-Match': tag } })
    t.is(response.status, 200, tag)
  }
})

test('wait=N is 202 where the result is not there in time, whatever garbage is collected', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), () => new Promise(() => {}))
  const start = performance.now()
  const posting = its.client.post('/x', ask('wait=1'))
  // What a timer holds weakly is gone then, and never fires.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(resolve => setTimeout(resolve, 20))
    collect()
  }
  const response = await posting
  t.true(performance.now() - start > 900)
  t.is(response.status, 202)
  t.is(response.headers.get('Preference-Applied'), 'wait=1')
  t.is((await stateOf(response.clone())).state, 'running')
  const again = await its.client.get(response.headers.get('Location') as string, ask('wait=1'))
  t.is(again.status, 202)
  t.is(again.headers.get('Preference-Applied'), 'wait=1')
})

test('wait=N is cut where the handler has less time than that', async t => {
  const its = jobsApp(t, {}, { timeouts: { handler: 1.3, drain: 0.2 } })
  its.app.post('/x', its.work.background(), () => new Promise(() => {}))
  for (const value of ['wait=1000', 'wait=99999999999999999999']) {
    const response = await its.client.post('/x', ask(value))
    t.is(response.status, 202)
    const place = response.headers.get('Location') as string
    t.is((await its.client.get(place, ask(value))).status, 202)
  }
})

for (const value of ['wait=0', 'wait=-1', 'wait=x', 'wait', 'wait=1.5']) {
  test(`${value} waits for nothing`, async t => {
    const its = jobsApp(t)
    its.app.post('/x', its.work.background(), () => new Promise(() => {}))
    const response = await its.client.post('/x', ask(value))
    t.is(response.status, 202)
    t.is(response.headers.get('Preference-Applied'), null)
  })
}

test('wait=N at the place of a job answers as soon as it has ended', async t => {
  const go = signal()
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), () => go.promise.then(() => 'done'))
  const place = await begin(t, its, '/x')
  const waiting = Array.from({ length: 30 }, () => its.client.get(place, ask('wait=20')))
  await until(t, async () => (await stateOf(its.client.get(place))).state === 'running')
  go.resolve()
  for (const response of await Promise.all(waiting)) t.is(await response.text(), 'done')
})

test('wait=N at the place of a job that is deleted meanwhile is 410', async t => {
  const go = signal()
  const its = jobsApp(t, { autoDelete: true })
  its.app.post('/x', its.work.background(), () => go.promise.then(() => 'done'))
  const place = await begin(t, its, '/x')
  const waiting = its.client.get(place, ask('wait=20'))
  await until(t, async () => (await stateOf(its.client.get(place))).state === 'running')
  await its.client.delete(place)
  await its.engine.expire(place.slice(6))
  t.true([200, 410].includes((await waiting).status))
  t.is((await its.client.get(place, ask('wait=20'))).status, 410)
})

test('wait=N reads a result, which autoDelete then deletes', async t => {
  const its = jobsApp(t, { autoDelete: true })
  let id = ''
  its.app.post('/x', its.work.background(), ctx => {
    id = ctx.job.id
    return 'done'
  })
  t.is(await (await its.client.post('/x', ask('wait=20'))).text(), 'done')
  await until(t, async () => (await its.client.get(`/jobs/${id}`)).status === 410)
})

test('a client that goes while it waits leaves its job alone, and nothing else behind', async t => {
  const { engine, watching } = apart()
  const its = jobsApp(t, { engine, run: 'apart' })
  its.app.post('/x', its.work.background(), () => 1)
  const place = await begin(t, its, '/x')
  const gone = new AbortController()
  setMaxListeners(0, gone.signal)
  const waiting = Array.from({ length: 20 }, () => {
    return its.client.get(place, { ...ask('wait=20'), signal: gone.signal })
  })
  const posting = its.client.post('/x', { ...ask('wait=20'), signal: gone.signal })
  await until(t, () => watching() === 1)
  gone.abort()
  for (const it of [...waiting, posting]) await t.throwsAsync(it)
  await until(t, () => watching() === 0)
  t.is((await stateOf(its.client.get(place))).state, 'queued')
})

test('clients that wait cause no warning of listeners, and are answered when the app closes', async t => {
  const warnings: string[] = []
  const warn = (warning: Error) => warnings.push(warning.name)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { engine, watching } = apart()
  const its = jobsApp(t, { engine, run: 'apart' })
  its.app.post('/x', its.work.background(), () => 1)
  const place = await begin(t, its, '/x')
  let answered = 0
  const waiting = Array.from({ length: 30 }, async () => {
    const response = await its.client.get(place, ask('wait=25'))
    answered += 1
    return response.status
  })
  await until(t, () => watching() === 1)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.is(answered, 0)
  await its.app.close()
  t.deepEqual(await Promise.all(waiting), Array(30).fill(202))
  t.is(watching(), 0)
  t.deepEqual(
    warnings.filter(it => it === 'MaxListenersExceededWarning'),
    [],
  )
})

test('a job that was made is 202, though the engine fails while its client waits', async t => {
  const engine = memory()
  const its = jobsApp(t, { engine })
  its.app.post('/x', its.work.background({ delay: 60 }), () => 1)
  engine.get = async () => {
    throw new Error('away')
  }
  const response = await its.client.post('/x', ask('wait=5'))
  t.is(response.status, 202)
  t.truthy(response.headers.get('Location'))
  const warning = its.logger.lines.find(({ message }) => /could not be waited for/.test(message ?? ''))
  t.is(warning?.fields.err?.message, 'away')
})

test('prefer() above background() and its own preferences go together', async t => {
  const its = jobsApp(t)
  its.app.post('/x', prefer(), its.work.background(), ctx => [ctx.prefer.return, ctx.prefer.get('x')])
  const response = await its.client.post('/x', ask('respond-async, return=minimal, x=1'))
  t.is(response.status, 202)
  t.is(response.headers.get('Vary'), 'Prefer')
  t.regex(response.headers.get('Preference-Applied') as string, /respond-async/)
  t.deepEqual(await (await ended(its, response.headers.get('Location') as string)).json(), ['minimal', '1'])
})

test('prefer() below background() answers as it would, and says nothing of it elsewhere', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), prefer(), () => ({ a: 1 }))
  const response = await done(t, its, '/x', ask('return=minimal'))
  t.is(response.status, 204)
  t.is(response.headers.get('Preference-Applied'), null)
})
