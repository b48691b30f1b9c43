import { isReading } from '../../src/conditional/index.ts'
import { type AroundContext, keyOf, kinds, problem, when } from '../../src/index.ts'
import { exceeded, type Policy, sendPolicy, sendState, tooCostly } from './answer.ts'
import { carefully } from './careful.ts'
import type { Settings } from './options.ts'
import { settle } from './settle.ts'
import type { Taken } from './store.ts'
import { whoOf } from './who.ts'

type Next = () => unknown

/** What a limit does with a request, under what it is called on the route. */
export type Count = (ctx: AroundContext, next: Next, policy: Policy) => unknown

/**
 * Makes the count of one `rateLimit()`.
 *
 * @param place what keeps it apart from others where the store is shared
 */
export function counter(settings: Settings, place: () => string): Count {
  const { rule, key, cost, counts, skip, dryRun, store, isShared, mayFail } = settings
  const ask = carefully(mayFail ? 'let through' : 'refused')
  let prefix = isShared ? undefined : ''

  function idOf(who: string): string {
    prefix ??= keyOf(place(), rule.algorithm, rule.limit, rule.per, rule.burst)
    return prefix + who
  }

  const count: Count = (ctx, next, called) => {
    const policy = dryRun ? called : sendPolicy(ctx, called)
    if (typeof cost === 'number') return countAs(ctx, next, policy, cost)
    return when(cost(ctx as never), cost => {
      if (!kinds.count.test(cost))
        throw new TypeError(`rateLimit: the option cost gave ${String(cost)}. Return a whole number from 0.`)
      if (cost > rule.burst) return refuse(ctx, next, policy, tooCostly(policy, cost))
      return countAs(ctx, next, policy, cost)
    })
  }

  function countAs(ctx: AroundContext, next: Next, policy: Policy, cost: number): unknown {
    return when(whoOf(ctx, key), who => {
      const id = idOf(who)
      const taken = ask(ctx, policy, () => store.take(id, cost, rule))
      return when(taken, taken => go(ctx, next, policy, { id, cost, taken }))
    })
  }

  function go(ctx: AroundContext, next: Next, policy: Policy, { id, cost, taken }: Counted): unknown {
    if (!taken) {
      if (mayFail) return next()
      return refuse(ctx, next, policy, problem(503, { headers: { 'Retry-After': '1' } }))
    }
    const say = (taken: Taken) => dryRun || sendState(ctx, policy, taken)
    if (counts && taken.allowed) {
      const giveBack = () => ask(ctx, policy, () => store.giveBack(id, cost, rule, taken.start))
      return settle(ctx, next, { counts, giveBack, say, taken, cost })
    }
    say(taken)
    return taken.allowed ? next() : refuse(ctx, next, policy, exceeded(policy, taken))
  }

  function refuse(ctx: AroundContext, next: Next, { name }: Policy, refusal: Error): unknown {
    if (!dryRun) throw refusal
    const { requestId, method, path } = ctx
    ctx.app.logger.warn({ limit: name, requestId, method, path }, 'rateLimit: a dry run would have refused this.')
    return next()
  }

  return (ctx, next, policy) => {
    if (isReading(ctx)) return next()
    if (!skip) return count(ctx, next, policy)
    return when(skip(ctx as never), skipped => (skipped ? next() : count(ctx, next, policy)))
  }
}

interface Counted {
  readonly id: string
  readonly cost: number
  readonly taken: Taken | undefined
}
