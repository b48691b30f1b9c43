import { type AroundContext, type Handler, type Logger, nameOf, type Route } from '../../src/index.ts'
import { addedTo, type JobAdds, PREFER } from './request.ts'
import { crossing, valueFrom } from './thread/crossing.ts'
import { moduleOf } from './thread/module.ts'
import { loadPiscina, poolOf } from './thread/pool.ts'

/** The handlers of one `jobs()` that run in threads. */
export interface Threads {
  /**
   * The handler of a route, as one that runs in a thread: the default export of a module, which it is.
   *
   * @param names what of ctx it is given; all that decorators have added where there are none
   * @throws TypeError where piscina is not installed
   */
  handler(url: URL, route: Route, names: readonly string[] | undefined): Handler
  /** @throws TypeError where a module is not what its route says */
  check(): Promise<void>
  /** Ends all threads. */
  close(): Promise<void>
}

/** They are not data, or the thread has its own. */
const NEVER = new Set<string>([PREFER, 'job', 'progress'])

export function threadsOf(logger: () => Logger): Threads {
  const pool = poolOf(logger)
  const checks: (() => Promise<string>)[] = []

  return {
    handler(url, route, names) {
      const where = nameOf(route)
      loadPiscina(where)
      let found: Promise<string> | undefined
      const find = () => {
        found ??= moduleOf(where, url, route.handler)
        return found
      }
      checks.push(find)
      return async (ctx: AroundContext & JobAdds) => {
        const order = { where, url: await find(), given: givenTo(ctx, where, names), job: ctx.job }
        return valueFrom(await pool.run(order, ctx.signal, told => ctx.progress(...told)))
      }
    },
    async check() {
      for (const find of checks) await find()
    },
    close: pool.close,
  }
}

function givenTo(ctx: AroundContext, where: string, names: readonly string[] | undefined): string {
  const fields = Object.fromEntries(addedTo(ctx, names).filter(([name]) => !NEVER.has(name)))
  const advice = "which no thread is given. Name what it is given: background({ thread, fields: ['input'] })."
  return crossing(where, 'ctx', { ...fields, params: ctx.params }, advice)
}
