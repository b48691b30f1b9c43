// What extensions need to run a part of a route without its request. It is not part of `kolba`, which loads none of it.

export { belowOf } from './below.ts'
export { type DetachedRequest, detached } from './detached.ts'
