import type { BaseContext, Handler } from '../context.ts'
import type { Decorator } from '../decorator.ts'
import { fold } from '../fold.ts'
import type { Endpoint } from '../router.ts'
import { heeding } from '../streams.ts'

/**
 * What stands below a decorator on its route, as one handler that is given a context of its own. Without `handler` it
 * ends in that of the route.
 */
export function belowOf(
  { layers, route }: Endpoint,
  decorator: Decorator,
  handler: Handler = route.handler,
): Handler<BaseContext> {
  const index = layers.findLastIndex(layer => layer.decorator === decorator)
  return fold(layers.slice(index + 1), heeding(handler)) as Handler<BaseContext>
}
