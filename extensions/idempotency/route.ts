import { type Decorator, type Note, nameOf, type Route, traitsOf } from '../../src/index.ts'

/** The methods that do something again each time: all others are idempotent by themselves, RFC 9110 section 9.2.2. */
export const REPEATED: ReadonlySet<string> = new Set(['POST', 'PATCH'])

/** @throws TypeError where a repetition would be told from others wrongly, or pass what has to be asked each time */
export function checkRoute(route: Route, self: Decorator): void {
  if (route.isUse) throw new TypeError('use: idempotent() would stand above what signs users in. Put it into a stack.')
  const where = `${nameOf(route)}: idempotent`
  const { decorators } = route
  if (decorators.filter(({ name }) => name === self.name).length > 1)
    throw new TypeError(`${where} stands here twice. Remove one of them.`)
  const traits = decorators.map(it => ({ name: it.name, ...traitsOf(it, route) }))
  // A handler that another one chooses (versions) has decorators of its own, and below those of the route.
  const own = decorators.indexOf(self)
  const place = own < 0 ? decorators.length : own
  const reader = traits.slice(0, place).find(({ reads }) => reads)
  if (reader) throw new TypeError(`${where} cannot see the body that ${reader.name} has read. Put it above that.`)
  const last = traits.findLastIndex(({ reads }) => reads)
  const late = traits.find(({ guards, note }, index) => index > Math.max(place, last) && (guards || note?.security))
  if (late) throw new TypeError(`${where} stands above ${late.name}, which a repetition would not ask. Put it below.`)
}

export function noteOf({ methods }: Route, required: boolean): Note {
  if (!methods.some(method => REPEATED.has(method))) return {}
  const parameter = {
    name: 'Idempotency-Key',
    in: 'header',
    required: required && methods.every(method => REPEATED.has(method)),
    description: 'A string in double quotes, a new one for each thing to be done: sent again, it is done once',
    schema: { type: 'string', minLength: 3 },
  } as const
  return {
    parameters: [parameter],
    responses: {
      400: { description: 'The Idempotency-Key is malformed or missing' },
      409: { description: 'A request with this Idempotency-Key is still running, or its answer was not kept' },
      422: { description: 'The Idempotency-Key was used for another request' },
    },
    headers: { 'Idempotency-Replayed': { description: 'Is it the answer to an earlier request?' } },
  }
}
