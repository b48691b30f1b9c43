import { setImmediate as soon } from 'node:timers/promises'
import test from 'ava'
import { type BaseContext, kolba } from 'kolba'
import { inTurn } from '../../support/inside.ts'

/** Contexts of one app, as far as turns look at them. */
function requests(handler = 30) {
  const app = kolba({ timeouts: { handler } })
  return () => {
    const leaving = new AbortController()
    return Object.assign({ app, signal: leaving.signal } as unknown as BaseContext, { leaving })
  }
}

/** Work that ends when it is told to, and says when it runs. */
function work(steps: string[], name: string) {
  let finish = (_value: string) => {}
  let fail = (_error: Error) => {}
  const promise = new Promise<string>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  const run = () => {
    steps.push(name)
    return promise
  }
  return { run, finish: () => finish(name), fail: () => fail(new Error(name)) }
}

test('inTurn() gives what runs, and makes no promise where nobody is there', t => {
  const request = requests()
  t.is(
    inTurn(request(), '/a', () => 7),
    7,
  )
  t.is(
    inTurn(request(), '/a', () => 8),
    8,
  )
})

test('inTurn() runs one at a time, in the order of coming, whether the one before ends well or not', async t => {
  const request = requests()
  const steps: string[] = []
  const [a, b, c] = [work(steps, 'a'), work(steps, 'b'), work(steps, 'c')]
  const first = inTurn(request(), '/', a.run)
  const second = inTurn(request(), '/', b.run)
  const third = inTurn(request(), '/', c.run)
  await soon()
  t.deepEqual(steps, ['a'])
  a.fail()
  await t.throwsAsync(async () => first, { message: 'a' })
  await soon()
  t.deepEqual(steps, ['a', 'b'])
  b.finish()
  t.is(await second, 'b')
  await soon()
  t.deepEqual(steps, ['a', 'b', 'c'])
  c.finish()
  t.is(await third, 'c')
})

test('inTurn() lets others pass on other paths, and in other apps', async t => {
  const request = requests()
  const steps: string[] = []
  const a = work(steps, 'a')
  const first = inTurn(request(), '/a', a.run)
  t.is(
    inTurn(request(), '/b', () => 'b'),
    'b',
  )
  t.is(
    inTurn(requests()(), '/a', () => 'other'),
    'other',
  )
  a.finish()
  t.is(await first, 'a')
})

test('inTurn() takes a path with a slash at its end, and with needless encoding, for the same', async t => {
  const request = requests()
  const steps: string[] = []
  const a = work(steps, 'a')
  const others = ['/a,é/', '/a%2C%C3%A9', '/a%2c%c3%a9/'].map((path, index) =>
    index ? inTurn(request(), path, () => steps.push(path)) : inTurn(request(), encodeURI(path), a.run),
  )
  await soon()
  t.deepEqual(steps, ['a'])
  a.finish()
  await Promise.all(others)
  t.is(steps.length, 3)
  const root = work(steps, 'root')
  const rest = [inTurn(request(), '/', root.run), inTurn(request(), '/', () => 1)]
  root.finish()
  t.deepEqual(await Promise.all(rest), ['root', 1])
})

test('inTurn() goes on at once for who has the turn already, and takes it back in the end', async t => {
  const request = requests()
  const steps: string[] = []
  const outer = request()
  const a = work(steps, 'a')
  const first = inTurn(outer, '/', async () => {
    await soon()
    return inTurn(outer, '/', () => inTurn(outer, '/', a.run))
  })
  const second = inTurn(request(), '/', () => steps.push('b'))
  while (steps.length === 0) await soon()
  a.finish()
  t.is(await first, 'a')
  await second
  t.deepEqual(steps, ['a', 'b'])
  // It has no turn any more, and waits like others.
  const c = work(steps, 'c')
  const third = inTurn(request(), '/', c.run)
  const fourth = inTurn(outer, '/', () => steps.push('d'))
  await soon()
  t.deepEqual(steps, ['a', 'b', 'c'])
  c.finish()
  await Promise.all([third, fourth])
  t.deepEqual(steps, ['a', 'b', 'c', 'd'])
})

test('inTurn() keeps no turn for what throws at once', async t => {
  const request = requests()
  const own = request()
  const steps: string[] = []
  const fails = () => {
    throw new Error('at once')
  }
  t.throws(() => inTurn(own, '/', fails), { message: 'at once' })
  const a = work(steps, 'a')
  const first = inTurn(request(), '/', a.run)
  const again = inTurn(own, '/', () => steps.push('again'))
  await soon()
  t.deepEqual(steps, ['a'])
  a.finish()
  await Promise.all([first, again])
  t.deepEqual(steps, ['a', 'again'])
})

test('inTurn() passes on the turn of who has gone, with the reason', async t => {
  const request = requests()
  const steps: string[] = []
  const a = work(steps, 'a')
  const first = inTurn(request(), '/', a.run)
  const gone = request()
  const second = inTurn(gone, '/', () => steps.push('gone'))
  const third = inTurn(request(), '/', () => steps.push('c'))
  gone.leaving.abort(new Error('The client has gone.'))
  a.finish()
  await first
  await t.throwsAsync(async () => second, { message: 'The client has gone.' })
  await third
  t.deepEqual(steps, ['a', 'c'])
})

test('inTurn() holds the turn to an end that comes later', async t => {
  const request = requests()
  const steps: string[] = []
  const later = work([], 'later')
  const first = inTurn(
    request(),
    '/',
    () => steps.push('a'),
    later.run().then(() => steps.push('end')),
  )
  t.is(first, 1)
  const second = inTurn(request(), '/', () => steps.push('b'))
  await soon()
  t.deepEqual(steps, ['a'])
  later.finish()
  await second
  t.deepEqual(steps, ['a', 'end', 'b'])
})

test('inTurn() ends a turn when the time of its request is over, and not before those that came earlier', async t => {
  const request = requests(0.1)
  const steps: string[] = []
  const never = new Promise(() => {})
  const hang = (name: string) => () => {
    steps.push(name)
    return never
  }
  void inTurn(request(), '/', hang('a'))
  void inTurn(request(), '/', hang('b'))
  await inTurn(request(), '/', async () => steps.push('c'))
  t.deepEqual(steps, ['a', 'b', 'c'])
})

test('inTurn() keeps nothing of paths where nobody is', async t => {
  const request = requests()
  const { app } = request()
  await Promise.all(Array.from({ length: 500 }, (_, index) => inTurn(request(), `/${index % 50}`, () => soon(index))))
  await soon()
  const kept = Object.getOwnPropertySymbols(app).map(it => (app as unknown as Record<symbol, unknown>)[it])
  const queues = kept.filter(it => it instanceof Map)
  t.deepEqual(
    queues.map(it => it.size),
    [0],
  )
})
