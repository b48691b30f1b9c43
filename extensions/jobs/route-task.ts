import { belowOf, discard } from '../../src/detached/index.ts'
import { type BaseContext, type Decorator, type Handler, nameOf, type Route } from '../../src/index.ts'
import { answerOf, answerText, whereOf } from './answer.ts'
import { accepted, failureOf } from './failure.ts'
import type { Terms } from './options.ts'
import { contextOf, readRequest } from './request.ts'
import type { Attempt, Running, Task } from './work.ts'

export interface RouteTask extends Task {
  /** Runs what stands below `background()` in its request. */
  runIn(ctx: BaseContext): unknown
}

/**
 * The jobs of a route: what stands below `background()` runs with a context of its own.
 *
 * @param handler what runs in place of the route's own
 */
export function routeTask(name: string, terms: Terms, route: Route, self: Decorator, handler?: Handler): RouteTask {
  const folded = new WeakMap<Route, Handler<BaseContext>>()

  /** The route of the request: an app that is mounted twice has two that do the same. */
  function enter(ctx: BaseContext): Handler<BaseContext> {
    const { endpoint } = route.app.match(ctx.method, ctx.path)
    if (!endpoint?.layers.some(({ decorator }) => decorator === self))
      throw Object.assign(new Error(`${nameOf(route)}: another route takes ${ctx.path} now.`), { retry: false })
    const its = endpoint.route
    const below = folded.get(its) ?? belowOf(endpoint, self, handler)
    folded.set(its, below)
    Object.assign(ctx, { route: its, _matchedRoute: its.path })
    return below
  }

  function begin(running: Running): Attempt {
    const ctx = contextOf(route.app, readRequest(running.job.request), running)
    Object.assign(ctx, { route })
    return {
      async run() {
        try {
          const value = await enter(ctx)(ctx)
          return answerText(whereOf(ctx), accepted(await answerOf(ctx, value)))
        } finally {
          // A stream in Koa's way, whose error nobody would hear.
          discard(ctx.body)
          // For those that end something with the answer, which this one will never have.
          ctx.res.emit('close')
        }
      },
      fail: thrown => failureOf(ctx, thrown),
    }
  }

  return { name, terms, handler: route.handler, begin, runIn: ctx => enter(ctx)(ctx) }
}
