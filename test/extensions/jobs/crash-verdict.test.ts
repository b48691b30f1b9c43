// Whoever says that nothing was lost has to see it where it was.
import test from 'ava'
import type { Order } from '../../support/crash/orders.js'
import { judge, type Verdict } from '../../support/crash/verdict.js'

const TIME = '2026-01-02T03:04:05.678Z'

/** Order 0 was begun twice and done, order 1 has failed, and order 2 was cancelled after it was begun. */
function recordsOf() {
  const orders = (['plain', 'failing', 'cancelled'] as const).map(
    (kind, number): Order => ({ number, owner: 'somebody', key: `key ${number}`, kind, isGivenUp: false }),
  )
  const begin = (id: string, attempt: number, number: number) => ({ what: 'begin' as const, id, attempt, number })
  const done = { ...begin('a', 2, 0), what: 'done' as const }
  return {
    orders,
    accepted: new Map(['a', 'b', 'c'].map((id, number) => [number, id])),
    cancelled: new Map([[2, 204]]),
    ledger: [begin('a', 1, 0), begin('b', 1, 1), begin('c', 1, 2), begin('a', 2, 0), done],
    effects: [{ id: 'a', number: 0 }],
    finals: finalsOf(),
    later: finalsOf(),
    sightings: new Map([['a', new Set([`succeeded 2 ${TIME}`])]]),
  }
}

function finalsOf() {
  const final = (id: string, state: string, attempts: number, status: number) => ({
    ...{ id, state, attempts, finished: TIME, version: '5', status },
    result: state === 'succeeded' ? { number: 0, attempt: attempts } : undefined,
  })
  const all = [final('a', 'succeeded', 2, 200), final('b', 'failed', 1, 500), final('c', 'cancelled', 1, 200)]
  return new Map(all.map(it => [it.id, it]))
}

type Records = ReturnType<typeof recordsOf>

test('judge() finds nothing where all is well', t => {
  t.deepEqual(Object.values(judge(recordsOf())).flat(), [])
})

test('judge() finds nothing wrong with a job that no 202 was read for', t => {
  const records = recordsOf()
  records.accepted.delete(0)
  t.deepEqual(Object.values(judge(records)).flat(), [])
})

finds('lost', 'a job that is not there', it => it.finals.delete('c'), 'c was accepted and is not there.')
finds('lost', 'a job that does not end', it => become(it, 'c', { state: 'running' }), 'c was accepted and is running.')
finds(
  'twoFinals',
  'a job that has ended in another way later',
  it => it.later.delete('c'),
  /^c was \{.*later undefined\.$/,
)
finds(
  'twoFinals',
  'a job that was seen to have ended at another attempt',
  it => it.sightings.set('a', new Set([`succeeded 1 ${TIME}`])),
  `a was seen to have ended as succeeded 1 ${TIME} and as succeeded 2 ${TIME}.`,
)
finds(
  'twoFinals',
  'a cancelled job that has not ended as one',
  it => it.cancelled.set(2, 409),
  'DELETE of c was answered with 409, and it is cancelled.',
)
finds(
  'twoFinals',
  'a job that has failed and should not',
  it => become(it, 'a', { state: 'failed' }),
  `a was seen to have ended as succeeded 2 ${TIME} and as failed 2 ${TIME}.`,
  'a is failed, and a plain one has succeeded.',
  'a has failed, and was done.',
)
const NOT_DONE = 'a, order 0, has succeeded at attempt 2 and was not done.'
finds('withoutEffect', 'a success that nobody has done', it => it.ledger.pop(), NOT_DONE)
finds('withoutEffect', 'a success without its effect', it => it.effects.pop(), NOT_DONE)
finds(
  'withoutEffect',
  'a result that is of another order',
  it => become(it, 'a', { result: { number: 1, attempt: 2 } }),
  NOT_DONE,
)
finds(
  'duplicateJobs',
  'a second job of an order',
  it => it.ledger.push({ what: 'begin', id: 'd', attempt: 1, number: 1 }),
  'Order 1 has two jobs.',
)
finds(
  'duplicateJobs',
  'a job of two orders',
  it => it.accepted.set(1, 'a'),
  'Order 1 has two jobs.',
  'The job a is of two orders.',
)
finds(
  'duplicateEffects',
  'an effect that was had twice',
  it => it.effects.push({ id: 'a', number: 0 }),
  'Order 0 had its effect twice.',
)
finds(
  'miscounted',
  'a job that was begun more often than it counts',
  it => it.ledger.push({ what: 'begin', id: 'c', attempt: 2, number: 2 }),
  /^c was begun as number 2: \{/,
)
finds(
  'miscounted',
  'a result of an attempt that was not begun',
  it => become(it, 'a', { attempts: 3 }),
  /^a was begun as number 2: \{/,
)
finds(
  'miscounted',
  'two that were begun under one number',
  it => it.ledger.push({ what: 'begin', id: 'c', attempt: 1, number: 2 }),
  'The ledger has begin c 1 2 where it cannot be.',
)

/** A verdict has these sentences in this list. */
function finds(
  list: keyof Verdict,
  what: string,
  change: (records: Records) => unknown,
  ...sentences: (string | RegExp)[]
): void {
  test(`judge() finds ${what}`, t => {
    const records = recordsOf()
    change(records)
    const found = judge(records)[list]
    t.is(found.length, sentences.length, found.join('\n'))
    for (const [index, sentence] of sentences.entries())
      if (typeof sentence === 'string') t.is(found[index], sentence)
      else t.regex(String(found[index]), sentence)
  })
}

/** From beginning to end. */
function become({ finals, later }: Records, id: string, news: object): void {
  for (const all of [finals, later]) Object.assign(all.get(id) as object, news)
}
