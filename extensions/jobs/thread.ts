import type { Handler, Route } from '../../src/index.ts'
import type { Work } from './work.ts'

/** STUB until the thread pool is merged */
export function threaded(_url: URL, route: Route, _work: Work): Handler {
  return route.handler
}
