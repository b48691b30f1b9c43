import type { Kolba } from './app.ts'
import type { BaseContext } from './context.ts'
import { isStatusSet } from './respond.ts'
import { nameOf, type Route } from './route.ts'

const WHAT = 'a middleware ended the request without next(), so that the route was not reached'
const ADVICE = 'Call next() there, or answer with a body or a status.'

/**
 * Says whether the 404 that Koa begins with is that of a route which the request has not come to: a middleware has ended
 * it, maybe unawares, of which the log is told once.
 */
export function unreachedIn(app: Kolba): (ctx: BaseContext, path: string | undefined) => boolean {
  let isTold = false
  return (ctx, path) => {
    if (ctx.status !== 404 || ctx.route || isStatusSet(ctx) || path === undefined) return false
    const route = routeAt(app, ctx.method, path)
    if (!route) return false
    if (!isTold) app.logger.warn({ requestId: ctx.requestId }, `${nameOf(route)}: ${WHAT}. ${ADVICE}`)
    isTold = true
    return true
  }
}

/** A path that a middleware has written may be malformed, and is no reason for an error here. */
function routeAt(app: Kolba, method: string, path: string): Route | undefined {
  try {
    return app.match(method, path).endpoint?.route
  } catch {
    return undefined
  }
}
