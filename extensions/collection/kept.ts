import { LRUCache } from 'lru-cache'
import type { Prepared } from './prepared.ts'
import type { Query } from './query.ts'

/** So many queries of a route, of at most so many characters, so that nothing that clients send fills the memory. */
const MOST = 200
const LONGEST = 512

/**
 * Keeps queries by the text of their URL, because clients send the same again and again. Nothing else may be in what is
 * kept than what follows from that text: no user, no cursor, no host.
 */
export function keeping() {
  const kept = new LRUCache<string, Prepared>({ max: MOST })
  return {
    get: (text: string): Prepared | undefined => kept.get(text),
    keep(text: string, prepared: Prepared): void {
      if (text.length <= LONGEST && isForAll(prepared.query)) kept.set(text, prepared)
    },
  }
}

/** A cursor comes once, and what is ignored is ignored because a header says so. */
function isForAll({ page, ignored }: Query): boolean {
  return (page.kind !== 'cursor' || page.cursor === undefined) && ignored.length === 0
}
