// What extensions need to run a part of a route without its request. It is not part of `kolba`, which loads none of it,
// and it loads no Koa, so that it is cheap in a thread.

export { show } from '../check.ts'
export { Problem, toDocument, toError, toProblem } from '../problem.ts'
export { Reply } from '../reply.ts'
export { closeOnSignal } from '../server.ts'
export { discard } from '../streams.ts'
export { belowOf } from './below.ts'
export { type DetachedRequest, detached } from './detached.ts'
