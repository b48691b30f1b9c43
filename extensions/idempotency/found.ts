import { nameOf, problem, type Route } from '../../src/index.ts'
import { type Answer, fromText } from './answer.ts'
import type { Claim, Found, IdempotencyStore } from './store.ts'

/**
 * Takes a key for the first time.
 *
 * @returns what is there, where somebody else has it
 * @throws Problem 503 where the store fails
 */
export async function take(
  route: Route,
  store: IdempotencyStore,
  place: string,
  claim: Claim,
  lease: number,
): Promise<Found | undefined> {
  try {
    return await store.begin(place, claim, lease)
  } catch (cause) {
    void giveBack(store, place, claim)
    const detail = `${nameOf(route)}: the store of idempotent() failed, so nothing was done. See the cause.`
    throw problem(503, { detail, headers: { 'Retry-After': '5' } }, { cause })
  }
}

/** A store that was too slow, or whose answer got lost, has the key all the same, or will: nobody waits for that. */
async function giveBack(store: IdempotencyStore, place: string, claim: Claim): Promise<void> {
  try {
    await store.release(place, claim)
  } catch {
    // It has failed before, which the log has. The key is free when the lease is over.
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
