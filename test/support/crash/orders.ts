import { randomUUID } from 'node:crypto'
import type { Random } from './random.js'

/** One request of a client, which is sent until it is answered. */
export interface Order {
  readonly number: number
  readonly owner: string
  /** Its Idempotency-Key, the same however often it is sent. */
  readonly key: string
  /**
   * What becomes of it where nobody interferes: `plain` succeeds, `flaky` fails the first time, `failing` fails for good,
   * and `cancelled` is cancelled by its client, if that comes in time.
   */
  readonly kind: 'plain' | 'flaky' | 'failing' | 'cancelled'
  /** Is it left alone where the first answer did not come? */
  readonly isGivenUp: boolean
}

/** Jobs of one owner: as many as the list of `GET /jobs` has, with room. */
const OWNED = 50

export function ordersOf(count: number, random: Random): Order[] {
  return Array.from({ length: count }, (_, number) => {
    const chance = random()
    const kind = chance < 0.05 ? 'flaky' : chance < 0.1 ? 'failing' : chance < 0.15 ? 'cancelled' : 'plain'
    return {
      number,
      owner: `owner-${number % Math.ceil(count / OWNED)}`,
      key: randomUUID(),
      kind,
      isGivenUp: random() < 0.1,
    }
  })
}
