import type { ServerResponse } from 'node:http'
import { type BaseContext, isResponse, problem, Reply, statusOf } from '../../src/index.ts'
import type { Outcome } from './component.ts'
import { disposeAll, type Hook, type Instance, lifeOf, lifeOfApp, quietly } from './instances.ts'

/** How the handler has ended. */
type Ended = { readonly value: unknown } | { readonly error: unknown }

/** Where in a request an `inject()` begins, for `end()`. */
export function begin(ctx: BaseContext): number {
  return lifeOf(ctx).made.length
}

/** Ends what was made since `begin()`, the last first, and hands on what the handler has given or thrown. */
export function end(ctx: BaseContext, begun: number, ended: Ended): unknown {
  const own = lifeOf(ctx).made.splice(begun).reverse()
  const has = (hook: Hook) => own.some(({ component }) => component.hooks[hook])
  if (has('commit') || has('rollback')) return settle(ctx, own, ended)
  if (has('dispose')) disposeLater(ctx, own, outcomeOf(ctx, ended))
  return handOn(ended)
}

async function settle(ctx: BaseContext, own: Instance[], ended: Ended): Promise<unknown> {
  // Nobody can be told of a success, and those above must not keep one that is rolled back.
  if (ctx.signal.aborted && 'value' in ended) ended = { error: ctx.signal.reason }
  let outcome = outcomeOf(ctx, ended)
  const committed = new Set<Instance>()
  try {
    for (const it of 'error' in outcome ? [] : own) {
      if (!it.component.hooks.commit) continue
      await it.component.hooks.commit(it.value as never)
      committed.add(it)
    }
  } catch (error) {
    ended = { error }
    outcome = outcomeOf(ctx, ended)
  }
  if ('error' in outcome) {
    for (const it of own) if (!committed.has(it)) await quietly('rollback', it, outcome, ctx.app, ctx)
  }
  disposeLater(ctx, own, outcome)
  return handOn(ended)
}

function outcomeOf(ctx: BaseContext, ended: Ended): Outcome {
  if ('error' in ended) return { error: ended.error ?? new TypeError(`${ended.error} was thrown.`) }
  if (ctx.signal.aborted) return { error: ctx.signal.reason }
  const { value } = ended
  if (value instanceof Error) return { error: value }
  const own = value instanceof Reply || isResponse(value) ? value : undefined
  // Koa's status is 404 until somebody answers, and a handler that gives nothing has to.
  const status = own?.status ?? (value === undefined && ctx.respond !== false ? ctx.status : statusOf(ctx))
  return status < 400 ? {} : { error: problem(Math.min(status, 599)) }
}

function handOn(ended: Ended): unknown {
  if ('error' in ended) throw ended.error
  return ended.value
}

/** Disposes when the response has closed, and what was made later has been disposed of. */
function disposeLater(ctx: BaseContext, own: Instance[], outcome: Outcome): void {
  const its = lifeOf(ctx)
  const { disposals } = lifeOfApp(ctx.app)
  const disposal = (its.disposal ?? closed(ctx.res)).then(() => disposeAll(own, outcome, ctx.app, ctx))
  its.disposal = disposal
  disposals.add(disposal)
  disposal.then(() => disposals.delete(disposal))
}

function closed(res: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    res.closed ? resolve() : res.once('close', resolve)
  })
}
