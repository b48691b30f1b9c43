import { type BaseContext, type Decorator, nameOf, type Route, traitsOf } from '../../src/index.ts'

/** Tells the log, once, that there was no user where nothing could have given one. */
export type Tell = (ctx: BaseContext) => void

const nothing: Tell = () => {}

/**
 * Looks at what stands around a rule that asks about a user.
 *
 * @returns what to do where there is none
 * @throws TypeError where what says who the user is stands below it, and nothing that might stands above
 */
export function checkOrder(route: Route, self: Decorator, isRule: (it: Decorator) => boolean): Tell {
  const { app, decorators } = route
  const place = decorators.indexOf(self)
  const isSignIn = (it: Decorator) => traitsOf(it, route).note?.security !== undefined
  const above = decorators.slice(0, Math.max(place, 0)).filter(it => !isRule(it))
  if (place < 0 || route.isUse || above.some(isSignIn)) return nothing
  const where = `${nameOf(route)}: ${self.name}`
  const below = decorators.slice(place).find(it => !isRule(it) && isSignIn(it))
  // One more than the routes: a middleware, which may set ctx.user.
  if (below && above.length === 0 && app.middleware.length < 2)
    throw new TypeError(`${where} stands above ${below.name}, which says who the user is. Put it below.`)
  if (below) return once(`${where} found no user: ${below.name} says who it is, and stands below. Put it above.`)
  // A decorator of one's own may well let somebody pass without a user.
  if (above.length > 0) return nothing
  return once(`${where} found no user, and no decorator above gives one. Put tokenAuth(...) or the like there.`)
}

function once(message: string): Tell {
  let isTold = false
  return ({ app, requestId }) => {
    if (!isTold) app.logger.warn({ requestId }, message)
    isTold = true
  }
}
