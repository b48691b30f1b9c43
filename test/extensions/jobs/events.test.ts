import { mock } from 'node:test'
import test, { type ExecutionContext } from 'ava'
import { type Engine, type JobState, memory } from 'kolba/jobs'
import { changesOf } from '../../../extensions/jobs/changes.js'
import { events } from '../../../extensions/jobs/events.js'
import { Listening, parseEvents } from '../../support/event-stream.js'
import { begin, type JobsApp, jobsApp, signal, signedIn, until } from '../../support/jobs.js'
import { listening } from '../../support/raw.js'

const EVENTS = { Accept: 'text/event-stream' }
const statesOf = (text: string) => parseEvents(text).messages.map(({ data }) => JSON.parse(data) as JobState)

test('parseEvents() reads what the HTML standard has as examples, and refuses what has no end', t => {
  const { messages } = parseEvents('data: YHOO\ndata: +2\ndata: 10\n\n')
  t.deepEqual(messages, [{ event: 'message', data: 'YHOO\n+2\n10', lastEventId: '' }])
  const second = parseEvents(
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
  )
  t.deepEqual(second.comments, [' test stream'])
  t.deepEqual(
    second.messages.map(({ data, lastEventId }) => [data, lastEventId]),
    [
      ['first event', '1'],
      ['second event', ''],
      [' third event', ''],
    ],
  )
  t.is(parseEvents('\uFEFFretry: 5\r\nevent: a\rdata\n\n').messages[0]?.event, 'a')
  for (const text of ['data: a', 'data: a\n', 'dat: a\n\n', 'retry: x\n\n'])
    t.throws(() => parseEvents(text), undefined, text)
})

test('the place of a job says all that happens to it as an event stream, and ends with it', async t => {
  const [first, second] = [signal(), signal()]
  const its = jobsApp(t)
  its.app.post('/x', its.work.background({ delay: 0.05 }), async ctx => {
    ctx.progress(1, 2, 'naïve\nlines')
    await first.promise
    ctx.progress(2, 2)
    await second.promise
    return 'secret result'
  })
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  const stream = await Listening.to(port, place)
  t.is(stream.status, 200)
  t.is(stream.headers['content-type'], 'text/event-stream')
  t.is(stream.headers['cache-control'], 'no-store')
  t.is(stream.headers['x-accel-buffering'], 'no')
  t.regex(stream.headers.vary as string, /Accept/)
  await until(t, () => stream.events.messages.some(({ data }) => data.includes('lines')))
  first.resolve()
  await until(t, () => statesOf(stream.text).some(({ progress }) => (progress as { done: number } | null)?.done === 2))
  t.false(stream.hasEnded)
  second.resolve()
  await until(t, () => stream.hasEnded)

  const { messages, retry } = parseEvents(stream.text)
  t.is(retry, 1000)
  const states = messages.map(({ data }) => JSON.parse(data) as JobState)
  const order = states.map(({ state }) => state).filter((it, index, all) => it !== all[index - 1])
  t.deepEqual(order.slice(-2), ['running', 'succeeded'])
  const ids = messages.map(({ lastEventId }) => Number(lastEventId))
  t.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
  )
  t.notRegex(stream.text, /secret result/)
  t.deepEqual(states.at(-1)?._links, { self: { href: place } })
})

test('an event stream of a job that has ended is its last state alone', async t => {
  const its = jobsApp(t)
  its.app.post('/x', its.work.background({ delay: 60 }), () => 1)
  const place = await begin(t, its, '/x')
  await its.client.delete(place)
  const response = await its.client.get(place, { headers: EVENTS })
  const { messages } = parseEvents(await response.text())
  t.is(messages.length, 1)
  t.is((JSON.parse(messages[0]?.data ?? '') as JobState).state, 'cancelled')
  const again = { ...EVENTS, 'Last-Event-ID': messages[0]?.lastEventId as string }
  const response2 = await its.client.get(place, { headers: again })
  t.is(response2.status, 204)
  t.is(response2.headers.get('Content-Type'), null)
})

test('an event stream goes on behind Last-Event-ID, and says nothing twice', async t => {
  const steps = Array.from({ length: 5 }, () => signal())
  const its = jobsApp(t)
  its.app.post('/x', its.work.background(), async ctx => {
    for (const [index, step] of steps.entries()) {
      ctx.progress(index, 5)
      await step.promise
    }
    return null
  })
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  const ids: string[] = []
  const seen: unknown[] = []
  for (const [index, step] of steps.entries()) {
    const last = ids.at(-1)
    const stream = await Listening.to(port, place, last ? { 'Last-Event-ID': last } : {})
    const done = () =>
      statesOf(stream.text).some(({ progress }) => (progress as { done: number } | null)?.done === index)
    if (index === 0 || !seen.includes(index)) await until(t, done)
    stream.leave()
    for (const { data, lastEventId } of stream.events.messages) {
      ids.push(lastEventId)
      seen.push(((JSON.parse(data) as JobState).progress as { done: number } | null)?.done)
    }
    step.resolve()
  }
  await until(t, async () => (await its.client.get(place)).status === 204)
  const last = await its.client.get(place, { headers: { ...EVENTS, 'Last-Event-ID': ids.at(-1) as string } })
  const end = parseEvents(await last.text()).messages
  t.deepEqual(
    end.map(({ data }) => (JSON.parse(data) as JobState).state),
    ['succeeded'],
  )
  ids.push(...end.map(({ lastEventId }) => lastEventId))
  t.is(new Set(ids).size, ids.length)
  t.deepEqual(
    seen.filter(it => it !== undefined),
    [0, 1, 2, 3, 4],
  )
})

for (const id of ['', 'x', '-1', '1.5', '9'.repeat(30), '1 ', '0x1']) {
  test(`an event stream begins where it is when Last-Event-ID is ${JSON.stringify(id).slice(0, 12)}`, async t => {
    const its = jobsApp(t)
    its.app.post('/x', its.work.background(), () => 1)
    const place = await begin(t, its, '/x')
    await until(t, async () => (await its.client.get(place)).status === 200)
    const response = await its.client.get(place, { headers: { ...EVENTS, 'Last-Event-ID': id } })
    // Spaces around a value are none of it: RFC 9110 section 5.5.
    t.is(parseEvents(await response.text()).messages.length, 1)
  })
}

const ACCEPTS: [accept: string, isStream: boolean][] = [
  ['text/event-stream', true],
  ['Text/Event-Stream', true],
  ['text/event-stream, */*;q=0.1', true],
  ['text/event-stream;q=0.5, application/json', false],
  ['text/event-stream;q=0', false],
  ['*/*', false],
  ['text/*', false],
  ['application/json', false],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
]

for (const [accept, isStream] of ACCEPTS) {
  test(`the place of a job is ${isStream ? 'an event stream' : 'JSON'} for Accept: ${accept}`, async t => {
    const its = jobsApp(t)
    its.app.post('/x', its.work.background({ delay: 60 }), () => 1)
    const place = await begin(t, its, '/x')
    await its.client.delete(place)
    const response = await its.client.get(place, { headers: { Accept: accept } })
    t.is(response.headers.get('Content-Type')?.split(';')[0], isStream ? 'text/event-stream' : 'application/json')
  })
}

test('HEAD of an event stream has its headers, and holds nothing', async t => {
  const { its, watching } = apartApp(t)
  const place = await begin(t, its, '/x')
  const response = await its.client.head(place, { headers: EVENTS })
  t.is(response.headers.get('Content-Type'), 'text/event-stream')
  await until(t, () => watching() === 0)
})

test('an event stream belongs to the user of the job', async t => {
  const its = jobsApp(t)
  its.app.post('/x', signedIn, its.work.background({ delay: 60 }), () => 1)
  const place = await begin(t, its, '/x', { headers: { 'X-User': 'ada' } })
  t.is((await its.client.get(place, { headers: { ...EVENTS, 'X-User': 'eve' } })).status, 404)
})

/** An app whose jobs nobody does here, how often its engine is watched, and what tells of other processes. */
function apartApp(t: ExecutionContext): { its: JobsApp; watching: () => number; tell: (id?: string) => void } {
  const watchers = new Set<(id?: string) => void>()
  const watch = (changed: (id?: string) => void) => {
    watchers.add(changed)
    return () => watchers.delete(changed)
  }
  const engine: Engine = { ...memory(), isLasting: true, watch }
  const its = jobsApp(t, { engine, run: 'apart' })
  its.app.post('/x', its.work.background(), () => 1)
  const tell = (id?: string) => {
    for (const changed of watchers) changed(id)
  }
  return { its, watching: () => watchers.size, tell }
}

test('clients that go leave nothing of their event streams behind', async t => {
  const { its, watching } = apartApp(t)
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  const streams = await Promise.all(Array.from({ length: 50 }, () => Listening.to(port, place)))
  await until(t, () => streams.every(({ events }) => events.messages.length === 1))
  t.is(watching(), 1)
  for (const stream of streams) stream.leave()
  await until(t, () => watching() === 0)
  t.deepEqual(
    its.logger.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('app.close() ends event streams, with jobs that have not ended', async t => {
  const { its, watching } = apartApp(t)
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  const stream = await Listening.to(port, place)
  await until(t, () => stream.events.messages.length === 1)
  const start = performance.now()
  await its.app.close()
  await until(t, () => stream.hasEnded)
  t.true(performance.now() - start < 5000)
  t.is(watching(), 0)
  t.is(parseEvents(stream.text).messages.length, 1)
})

test('an event stream ends with a job that another process ends and lets go of', async t => {
  const { its, tell } = apartApp(t)
  const { port } = await listening(t, its.app)
  const place = await begin(t, its, '/x')
  const stream = await Listening.to(port, place)
  await until(t, () => stream.events.messages.length === 1)
  await its.engine.cancel(place.slice(6), 1)
  await its.engine.expire(place.slice(6))
  t.false(stream.hasEnded)
  tell(place.slice(6))
  await until(t, () => stream.hasEnded)
  t.is(statesOf(stream.text).at(-1)?.state, 'expired')
  t.is((await its.client.get(place, { headers: EVENTS })).status, 410)
})

test.serial('an event stream that has nothing to say sends a comment every 15 seconds', async t => {
  const engine = memory()
  const work = { changes: changesOf(engine) }
  const new_ = { id: 'a', task: 'x', owner: undefined, request: '', fingerprint: '', due: 0 }
  const added = await engine.add({ ...new_, priority: 0, keys: [], limit: 9 })
  const job = added === 'full' ? t.fail('full') : added.job
  const gone = new AbortController()
  const stream = events(work as never, job as never, 0, [gone.signal], ({ state }) => ({ state }))
  t.is((await stream.next()).value, 'retry: 1000\n\n')
  t.is((await stream.next()).value, 'id: 1\ndata: {"state":"queued"}\n\n')
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (let turn = 0; turn < 3; turn += 1) {
    let text: unknown
    const next = stream.next().then(({ value }) => {
      text = value
    })
    await new Promise(setImmediate)
    mock.timers.tick(14_999)
    await new Promise(setImmediate)
    t.is(text, undefined)
    mock.timers.tick(1)
    await next
    t.is(text, ': still there\n\n')
  }
  const last = stream.next()
  gone.abort()
  t.true((await last).done)
})

test('changes leave no listener and watch no engine when nobody waits', async t => {
  let watching = 0
  const engine = memory()
  engine.watch = () => {
    watching += 1
    return () => {
      watching -= 1
    }
  }
  const changes = changesOf(engine)
  const ends = Array.from({ length: 100 }, (_, index) => {
    const controller = new AbortController()
    const waits = changes.until(`${index}`, () => false, { milliseconds: 30_000, signals: [controller.signal] })
    return { controller, waits }
  })
  const off = changes.listen('x', () => {})
  const offElsewhere = changes.listenElsewhere('x', () => {})
  t.is(watching, 1)
  for (const { controller } of ends) controller.abort()
  await Promise.all(ends.map(({ waits }) => waits))
  off()
  t.is(watching, 1)
  offElsewhere()
  t.is(watching, 0)
  await changes.until('x', () => false, { milliseconds: 1, signals: [AbortSignal.abort()] })
  await changes.until('x', () => false, { milliseconds: 1, signals: [] })
  t.is(watching, 0)
})

test('a change while the engine is asked is not missed', async t => {
  const engine = memory()
  const changes = changesOf(engine)
  let asked = 0
  engine.get = async () => {
    asked += 1
    if (asked === 1) changes.tell('x')
    return undefined
  }
  await changes.until('x', () => asked === 2, { milliseconds: 20_000, signals: [] })
  t.is(asked, 2)
})
