import { type BaseContext, isOverruled, unfinished } from '../../src/index.ts'
import { type Answer, answerOf, type Before, finalAnswerOf, toText, withBody } from './answer.ts'
import type { Claim, IdempotencyStore } from './store.ts'

/** How long things are kept, in milliseconds, and how much. */
export interface Terms {
  readonly lease: number
  readonly ttl: number
  /** Bytes of a body. */
  readonly limit: number
}

/** A key that a request has taken in a store. */
export interface Taken {
  readonly ctx: BaseContext
  readonly store: IdempotencyStore
  readonly place: string
  readonly claim: Claim
  readonly terms: Terms
  readonly before: Before
}

/** What a request does with the key that it has. */
export interface Held {
  /** What stands below has given a value: as those above get it, rendered, so that a repetition is the same. */
  give(value: unknown): Promise<unknown>
  /** What stands below has failed: the answer is known when the app has made one of the error. */
  fail(): Promise<void>
  /** The answer stands: keeps it. */
  conclude(): Promise<void>
  /** Nobody else may have the answer. */
  hide(): void
}

/**
 * The resource was not what the client meant (RFC 9110 section 15.5.13, RFC 6585 section 3), or this was one request too
 * many, which may come again (section 4): nothing was done.
 */
const NOTHING_DONE = new Set([412, 428, 429])

/**
 * Holds a key while its request is carried out, and keeps the answer. The lease is renewed until then; a store that
 * fails is asked again, because a repetition would do again what has been done.
 */
export function hold({ ctx, store, place, claim, terms, before }: Taken): Held {
  const since = performance.now()
  const timer = setInterval(() => void attend(), terms.lease / 3).unref()
  let isEnded = false
  let isConcluded = false
  let isHidden = false
  let answer: Answer | undefined
  let outcome: { readonly text: string | undefined } | undefined

  /** Once in a while, until all is kept. */
  async function attend(): Promise<void> {
    const age = performance.now() - since
    if (age > 2 * terms.ttl) return clearInterval(timer)
    const { res } = ctx
    // A hook of the app failed before ours, or a handler never ends.
    if ((isEnded && (res.writableEnded || res.destroyed)) || age > terms.ttl) outcome ??= { text: undefined }
    if (outcome && (await save())) return
    try {
      // Somebody else has it where this process slept too long.
      if (await store.begin(place, claim, terms.lease)) clearInterval(timer)
    } catch (error) {
      tell(error)
    }
  }

  async function save(): Promise<boolean> {
    try {
      const isOurs = await store.finish(place, claim, outcome?.text, terms.ttl)
      clearInterval(timer)
      if (!isOurs) tell(new Error('idempotent: another request took the key before this one ended. Raise the lease.'))
      return true
    } catch (error) {
      tell(error)
      return false
    }
  }

  async function release(): Promise<void> {
    clearInterval(timer)
    try {
      await store.release(place, claim)
    } catch (error) {
      tell(error)
    }
  }

  async function keep(answer: Answer | undefined): Promise<void> {
    const isKept = answer && !isHidden && Buffer.byteLength(answer.body ?? '') <= terms.limit
    outcome = { text: isKept ? toText(answer) : undefined }
    await save()
  }

  /** What stands above may still undo what has been done, as a transaction does that nobody can be told of. */
  function keepWhenOver(answer: Answer | undefined): void {
    Promise.resolve(unfinished(ctx)).then(
      () => keep(answer),
      () => keep(undefined),
    )
  }

  function tell(error: unknown): void {
    // A listener that fails must not undo what has been done, and nobody waits for the timer.
    ctx.app.inside.tell(error as Error, ctx)
  }

  return {
    async give(value) {
      isEnded = true
      answer = answerOf(ctx, value, before)
      // The client is told something else, that it took too long, and will ask again.
      isConcluded ||= isOverruled(ctx)
      if (isConcluded) keepWhenOver(answer)
      return answer ? withBody(value, answer) : value
    },
    async fail() {
      isEnded = true
      if (isConcluded) await keep(undefined)
    },
    async conclude() {
      if (isConcluded) return
      isConcluded = true
      if (!isEnded) return
      if (NOTHING_DONE.has(ctx.status)) return release()
      // What stands above may have failed since: a commit.
      await keep(answer?.status === ctx.status ? answer : finalAnswerOf(ctx, before))
    },
    hide() {
      isHidden = true
    },
  }
}
