import { type AroundContext, type Awaitable, isResponse, Reply, statusOf } from '../../src/index.ts'
import type { Taken } from './store.ts'

interface Settling {
  readonly counts: (status: number, ctx: never) => boolean
  readonly giveBack: () => Awaitable<unknown>
  readonly say: (taken: Taken) => void
  readonly taken: Taken
  readonly cost: number
}

/** Runs what stands below, and gives back what was taken for it where its status does not count. */
export async function settle(ctx: AroundContext, next: () => unknown, its: Settling): Promise<unknown> {
  const { counts, giveBack, say, taken, cost } = its
  const end = async (status: number) => {
    const isCounted = counts(status, ctx as never)
    if (!isCounted) await giveBack()
    if (!ctx.headerSent) say(isCounted ? taken : { ...taken, remaining: taken.remaining + cost })
  }
  let value: unknown
  try {
    value = await next()
    if (value instanceof Error) throw value
  } catch (error) {
    await end(await ctx.app.inside.statusOf(ctx, error))
    throw error
  }
  await end(statusFor(ctx, value))
  return value
}

function statusFor(ctx: AroundContext, value: unknown): number {
  if (value instanceof Reply || isResponse(value)) return value.status
  if (value === null) return 204
  // Somebody has answered in Koa's way, or nobody has.
  return value === undefined ? ctx.status : statusOf(ctx)
}
