import { nameOf, problem, type Route } from '../../src/index.ts'
import { type Answer, fromText } from './answer.ts'
import type { Found } from './store.ts'

/** @throws Problem 503 where the store fails */
export async function ask<T>(route: Route, question: () => T): Promise<Awaited<T>> {
  try {
    return await question()
  } catch (cause) {
    const detail = `${nameOf(route)}: the store of idempotent() failed, so nothing was done. See the cause.`
    throw problem(503, { detail, headers: { 'Retry-After': '5' } }, { cause })
  }
}

/** @throws Problem 422 for a key of something else, 409 for one that has not ended, or has left no answer */
export function readFound({ payload, isRunning, answer }: Found, asked: string): Answer {
  if (payload !== asked)
    throw problem(422, { detail: 'This Idempotency-Key was used for another request. Send a new key with this one.' })
  if (isRunning)
    throw problem(409, {
      detail: 'A request with this Idempotency-Key is still running. Send it again when it has ended.',
      headers: { 'Retry-After': '1' },
    })
  if (answer !== undefined) return fromText(answer)
  const advice = 'Look at what is there before you send it with a new key.'
  throw problem(409, { detail: `This request was carried out before, and its answer was not kept. ${advice}` })
}
