import { type Decorator, type Note, nameOf, type Route, traitsOf } from '../../src/index.ts'
import { KEPT } from './request.ts'

/** @throws TypeError where a job would leave out a check, or want the body of a request that is over */
export function checkRoute(route: Route, self: Decorator): void {
  if (route.isUse) throw new TypeError('use: background() makes jobs of one route. Put it into a stack.')
  const where = nameOf(route)
  const { decorators } = route
  const place = decorators.indexOf(self)
  if (place < 0)
    throw new TypeError(
      `${where}: background() stands inside of what chooses a handler. Put it into the stack of a route.`,
    )
  if (decorators.lastIndexOf(self) > place || decorators.filter(({ name }) => name === self.name).length > 1)
    throw new TypeError(`${where}: background stands here twice. Remove one of them.`)
  for (const below of decorators.slice(place + 1)) {
    const { reads, guards, note } = traitsOf(below, route)
    if (reads)
      throw new TypeError(`${where}: ${below.name} stands below background, when the request is over. Put it above.`)
    if (guards || note?.security)
      throw new TypeError(`${where}: ${below.name} stands below background, so that anybody makes a job. Put it above.`)
    const header = note?.parameters?.find(it => isGone(it.in, it.name))?.name
    if (header)
      throw new TypeError(
        `${where}: ${below.name} stands below background, where no ${header} of the request is left. Put it above.`,
      )
  }
}

/** Does something above, such as `idempotent()`, read the Idempotency-Key in its own way? */
export function hasKeyAbove(route: Route, self: Decorator): boolean {
  const above = route.decorators.slice(0, route.decorators.indexOf(self))
  const names = above.flatMap(it => traitsOf(it, route).note?.parameters ?? []).map(({ name }) => name.toLowerCase())
  return names.includes('idempotency-key')
}

/** Whoever looks for it in a job would take it that nobody has sent it: a precondition, a key. */
function isGone(place: string, name: string): boolean {
  return place === 'cookie' || (place === 'header' && !KEPT.includes(name.toLowerCase()))
}

export function noteOf(isPreferred: boolean): Note {
  const preference = isPreferred ? 'respond-async makes a job; wait=10 waits' : 'wait=10 waits'
  return {
    parameters: [
      {
        name: 'Prefer',
        in: 'header',
        description: `${preference} so many seconds for its result, RFC 7240`,
        schema: { type: 'string' },
      },
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'A string in double quotes, a new one for each job: sent again, it gives the same job',
        schema: { type: 'string', minLength: 3 },
      },
    ],
    responses: {
      202: {
        description: 'A job was made of the request; Location is where it is watched',
        headers: {
          Location: { description: 'The job', schema: { type: 'string' } },
          'Retry-After': { description: 'Seconds after which to ask', schema: { type: 'integer' } },
        },
        content: { 'application/json': { schema: STATE } },
      },
      422: { description: 'The Idempotency-Key was used for another request' },
      503: { description: 'Too many jobs are waiting, or none can be kept' },
    },
  }
}

const TIME = { type: ['string', 'null'], format: 'date-time' }
const STATE = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    task: { type: 'string' },
    state: { enum: ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'] },
    progress: {
      anyOf: [
        { type: ['number', 'null'] },
        {
          type: 'object',
          properties: { done: { type: 'number' }, total: { type: 'number' }, message: { type: 'string' } },
          required: ['done'],
        },
      ],
    },
    attempts: { type: 'integer' },
    created: TIME,
    due: TIME,
    started: TIME,
    finished: TIME,
    _links: { type: 'object' },
  },
}
