import type { Final } from './client.js'
import type { Entry } from './ledger.js'
import type { Order } from './orders.js'

/** All that is known of a round, by several witnesses that know nothing of each other. */
export interface Records {
  readonly orders: readonly Order[]
  /** What the client has: the job of each order whose 202 it has read, by number. */
  readonly accepted: ReadonlyMap<number, string>
  /** What `DELETE` was answered with, by number. */
  readonly cancelled: ReadonlyMap<number, number>
  /** What the handlers have written. */
  readonly ledger: readonly Entry[]
  /** What the service has done, whose key is the id of the job. */
  readonly effects: readonly { readonly id: string; readonly number: number }[]
  /** What the API says of each accepted job in the end, and once more when all servers were killed and started again. */
  readonly finals: ReadonlyMap<string, Final | undefined>
  readonly later: ReadonlyMap<string, Final | undefined>
  /** What each job was seen to have ended as, in the midst of it and in the lists of the end. */
  readonly sightings: ReadonlyMap<string, ReadonlySet<string>>
}

/** What must not be: each list has a sentence for each time that it was. */
export interface Verdict {
  /** Jobs that were accepted, and are not there, or have not ended. */
  readonly lost: string[]
  /** Jobs that have ended in two ways, or otherwise than what was said of them. */
  readonly twoFinals: string[]
  /** Jobs that have succeeded without what they were to do. */
  readonly withoutEffect: string[]
  /** Orders of which there are two jobs. */
  readonly duplicateJobs: string[]
  /** Effects that were had twice. */
  readonly duplicateEffects: string[]
  /** Attempts that do not count what was begun. */
  readonly miscounted: string[]
}

const ENDINGS = ['succeeded', 'failed', 'cancelled']

export function judge(records: Records): Verdict {
  const { ledger, effects, finals } = records
  const accepted = [...records.accepted].map(([number, id]) => ({
    id,
    order: records.orders[number] as Order,
    final: finals.get(id),
  }))
  const known = accepted.filter((it): it is Known => it.final !== undefined && ENDINGS.includes(it.final.state))
  const done = new Set(ledger.filter(({ what }) => what === 'done').map(keyOf))
  return {
    lost: accepted
      .filter(({ final }) => !final || !ENDINGS.includes(final.state))
      .map(({ id, final }) => `${id} was accepted and is ${final?.state ?? 'not there'}.`),
    twoFinals: known.flatMap(it => twoFinalsOf(it, records)),
    withoutEffect: known
      .filter(({ final }) => final.state === 'succeeded')
      .flatMap(it => withoutEffectOf(it, done, effects)),
    duplicateJobs: duplicateJobsOf(records),
    duplicateEffects: twice(effects.map(({ number }) => `${number}`)).map(it => `Order ${it} had its effect twice.`),
    miscounted: [...miscountedOf(known, ledger), ...unpaired(ledger)],
  }
}

interface Known {
  readonly id: string
  readonly order: Order
  readonly final: Final
}

function twoFinalsOf({ id, order, final }: Known, { later, sightings, cancelled, ledger }: Records): string[] {
  const found: string[] = []
  const again = later.get(id)
  if (JSON.stringify(again) !== JSON.stringify(final))
    found.push(`${id} was ${JSON.stringify(final)} and later ${JSON.stringify(again)}.`)
  const seen = new Set(sightings.get(id)).add(`${final.state} ${final.attempts} ${final.finished}`)
  if (seen.size > 1) found.push(`${id} was seen to have ended as ${[...seen].join(' and as ')}.`)
  const answer = cancelled.get(order.number)
  if (answer !== undefined && (answer === 204) !== (final.state === 'cancelled'))
    found.push(`DELETE of ${id} was answered with ${answer}, and it is ${final.state}.`)
  const expected = order.kind === 'failing' ? 'failed' : 'succeeded'
  if (final.state !== expected && !(order.kind === 'cancelled' && final.state === 'cancelled'))
    found.push(`${id} is ${final.state}, and a ${order.kind} one has ${expected}.`)
  if (final.state === 'failed' && ledger.some(entry => entry.id === id && entry.what === 'done'))
    found.push(`${id} has failed, and was done.`)
  return found
}

/** The very attempt that its result is of has to have been done. */
function withoutEffectOf(
  { id, order, final }: Known,
  done: ReadonlySet<string>,
  effects: Records['effects'],
): string[] {
  const { number } = order
  const attempt = final.result?.attempt
  const isDone = done.has(keyOf({ what: 'done', id, attempt: attempt ?? 0, number })) && final.result?.number === number
  const hasEffect = effects.some(effect => effect.id === id && effect.number === number)
  return isDone && hasEffect ? [] : [`${id}, order ${number}, has succeeded at attempt ${attempt} and was not done.`]
}

function duplicateJobsOf({ accepted, ledger, effects }: Records): string[] {
  const all = [...[...accepted].map(([number, id]) => ({ number, id })), ...ledger, ...effects]
  const pairs = [...new Set(all.map(({ number, id }) => `${number} ${id}`))].map(pair => pair.split(' '))
  return [
    ...twice(pairs.map(([number]) => `${number}`)).map(it => `Order ${it} has two jobs.`),
    ...twice(pairs.map(([, id]) => `${id}`)).map(it => `The job ${it} is of two orders.`),
  ]
}

/**
 * Each time that a job is begun it has another number, which is not above its `attempts`; and a job that has succeeded or
 * failed was begun for the last time with just that number, which is the one that its result is of.
 */
function miscountedOf(known: readonly Known[], ledger: readonly Entry[]): string[] {
  const begun = new Map<string, number>()
  for (const { what, id, attempt } of ledger) if (what === 'begin') begun.set(id, Math.max(attempt, begun.get(id) ?? 0))
  const wrong = known.filter(({ id, final: { state, attempts, result } }) => {
    const most = begun.get(id) ?? 0
    if (state === 'cancelled') return most > attempts
    return most !== attempts || (state === 'succeeded' && result?.attempt !== attempts)
  })
  return wrong.map(({ id, final }) => `${id} was begun as number ${begun.get(id)}: ${JSON.stringify(final)}.`)
}

/** What was begun twice under one number, and what was done and not begun before. */
function unpaired(ledger: readonly Entry[]): string[] {
  const seen = new Set<string>()
  const found: string[] = []
  for (const entry of ledger) {
    const begin = keyOf({ ...entry, what: 'begin' })
    const isWrong = entry.what === 'begin' ? seen.has(begin) : !seen.has(begin) || seen.has(keyOf(entry))
    if (isWrong) found.push(`The ledger has ${keyOf(entry)} where it cannot be.`)
    seen.add(keyOf(entry))
  }
  return found
}

function keyOf({ what, id, attempt, number }: Entry): string {
  return `${what} ${id} ${attempt} ${number}`
}

function twice(texts: readonly string[]): string[] {
  const seen = new Set<string>()
  return texts.filter(text => seen.size === seen.add(text).size)
}
