import type { Handler } from './context.ts'
import { takeApart } from './decorator.ts'
import { flat, fold, layersOf, parts } from './fold.ts'
import type { Route } from './route.ts'
import { heeding } from './streams.ts'

/**
 * A handler that another one calls, as it runs on a route: the decorators that it was composed with are told of the
 * route, as those of the stack are, and may refuse it. What stands above and waits for the body, as the guard of a write
 * does, runs here too, below all that reads it. For what chooses among handlers; call it in `register`.
 *
 * @example const v1 = nested(deprecated({ since: '2026-01-01' })(listV1), route)
 */
export function nested<C, R>(composed: Handler<C, R>, route: Route): Handler<C, R> {
  const { decorators, handler } = takeApart(composed as Handler)
  return fold(layersOf(decorators, route), decorators.length > 0 ? heeding(handler) : handler) as Handler<C, R>
}

/** Does one of the decorators that a handler was composed with turn some users away? Whoever chooses it does so too. */
export function isGuarded(composed: Handler): boolean {
  return flat(takeApart(composed).decorators).some(it => it[parts].guards)
}
