import test from 'ava'
import { JobCancelled, type JobState } from 'kolba/jobs'
import { begin, ended, jobsApp, signal, signedIn, stateOf, until } from '../../support/jobs.js'

test('DELETE cancels a job that waits, which is never begun', async t => {
  const begun: string[] = []
  const go = signal()
  const its = jobsApp(t, { concurrency: 1 })
  its.app.post('/x/:name', its.work.background(), ctx => {
    begun.push(ctx.params.name)
    return go.promise.then(() => null)
  })
  const first = await begin(t, its, '/x/first')
  const place = await begin(t, its, '/x/cancelled')
  const last = await begin(t, its, '/x/last')
  const response = await its.client.delete(place)
  t.is(response.status, 204)
  t.is(await response.text(), '')
  const state = await its.client.get(place)
  t.is(state.status, 200)
  const { finished, ...body } = await stateOf(state)
  t.like(body, { state: 'cancelled', attempts: 0, started: null })
  t.deepEqual(body._links, { self: { href: place } })
  t.true(Date.parse(finished as string) >= Date.parse(body.created))
  go.resolve()
  for (const it of [first, last]) t.is((await ended(its, it)).status, 204)
  t.deepEqual(begun, ['first', 'last'])
})

test('DELETE cancels a job that runs, whose signal aborts and whose result nobody keeps', async t => {
  const [running, over] = [signal(), signal<unknown>()]
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), async ctx => {
    running.resolve()
    await new Promise(resolve => ctx.signal.addEventListener('abort', resolve))
    over.resolve(ctx.signal.reason)
    ctx.progress(1)
    return 'done'
  })
  const place = await begin(t, its, '/x')
  await running.promise
  t.is((await its.client.delete(place)).status, 204)
  const reason = await over.promise
  t.true(reason instanceof JobCancelled)
  t.is((reason as Error).message, 'The job was cancelled.')
  await new Promise(setImmediate)
  t.like(await stateOf(its.client.get(place)), { state: 'cancelled', progress: null, attempts: 1 } as Partial<JobState>)
  t.deepEqual(
    its.logger.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('DELETE of a job that was cancelled is 204 again', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background({ delay: 60 }), () => 1)
  const place = await begin(t, its, '/x')
  t.is((await its.client.delete(place)).status, 204)
  const first = await stateOf(its.client.get(place))
  t.is((await its.client.delete(place)).status, 204)
  t.deepEqual(await stateOf(its.client.get(place)), first)
})

for (const [title, run] of [
  ['succeeded', () => 'done'],
  ['failed', () => Promise.reject(Object.assign(new Error('no'), { retry: false }))],
] as const) {
  test(`DELETE of a job that has ${title} is 409, and leaves it as it is`, async t => {
    const its = jobsApp(t)
    its.app.post('/x', its.work.background(), () => run())
    const place = await begin(t, its, '/x')
    const { status } = await ended(its, place)
    const response = await its.client.delete(place)
    t.is(response.status, 409)
    t.is(response.headers.get('Cache-Control'), 'private, no-cache')
    t.is(((await response.json()) as { detail: string }).detail, 'This job has ended, so that it cannot be cancelled.')
    t.is((await its.client.get(place)).status, status)
  })
}

test('DELETE of the job of another is 404, and it goes on', async t => {
  const [go, running] = [signal(), signal()]
  const its = jobsApp(t)
  its.app.post('/x', signedIn, its.work.background(), async ctx => {
    running.resolve()
    await go.promise
    return ctx.signal.aborted
  })
  const place = await begin(t, its, '/x', { headers: { 'X-User': 'ada' } })
  await running.promise
  t.is((await its.client.delete(place, { headers: { 'X-User': 'eve' } })).status, 404)
  t.is((await its.client.delete(place)).status, 404)
  go.resolve()
  t.is(await (await ended(its, place, { 'X-User': 'ada' })).json(), false)
})

test('DELETE of a job that is to be begun again ends it', async t => {
  let runs = 0
  const its = jobsApp(t, { retry: { delay: 60 } })
  its.app.post('/x', its.work.background(), () => {
    runs += 1
    throw new Error('again')
  })
  const place = await begin(t, its, '/x')
  await until(t, async () => {
    const { state, attempts } = await stateOf(its.client.get(place))
    return state === 'queued' && attempts === 1
  })
  t.is((await its.client.delete(place)).status, 204)
  t.is(runs, 1)
  t.is((await stateOf(its.client.get(place))).state, 'cancelled')
})

test('DELETE beside the end of a job: one of the two is so, for everybody', async t => {
  const its = jobsApp(t, { concurrency: 50 })
  its.app.post('/x', its.work.background(), async () => {
    await new Promise(setImmediate)
    return 'done'
  })
  const ends = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const place = await begin(t, its, '/x')
      for (let turn = 0; turn < index % 12; turn += 1) await new Promise(setImmediate)
      const { status } = await its.client.delete(place)
      const last = await ended(its, place)
      return `${status} ${(await last.text()) === 'done' ? 'succeeded' : 'cancelled'}`
    }),
  )
  t.deepEqual(
    ends.filter(it => it !== '204 cancelled' && it !== '409 succeeded'),
    [],
  )
})

test('a handler that never heeds its signal leaves room for others', async t => {
  const its = jobsApp(t, { concurrency: 1 })
  its.app.post('/deaf', its.work.background({ name: 'x' }), ctx => (ctx.job.attempt ? new Promise(() => {}) : 1))
  const first = await begin(t, its, '/deaf')
  await until(t, async () => (await stateOf(its.client.get(first))).state === 'running')
  const second = await begin(t, its, '/deaf')
  t.is((await stateOf(its.client.get(second))).state, 'queued')
  t.is((await its.client.delete(first)).status, 204)
  await until(t, async () => (await stateOf(its.client.get(second))).state === 'running')
})
