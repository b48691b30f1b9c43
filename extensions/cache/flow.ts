import type { IncomingHttpHeaders } from 'node:http'
import { type Awaitable, type BaseContext, isOverruled, isPromise, nameOf } from '../../src/index.ts'
import { resourceOf } from './invalidate.ts'
import { isAnswer, type Outcome, present, readOutcome } from './kept.ts'
import { type Parts, variantOf } from './key.ts'
import type { Store, Version, Work } from './store.ts'

/** A request that may be answered by what is kept. */
export interface Call {
  readonly ctx: BaseContext & { user?: unknown }
  readonly next: () => unknown
  readonly store: Store
  readonly shared: boolean
  readonly ttl: number | undefined
  /** Of URL, user and what else was given; the representation is not known yet. */
  readonly key: string
  readonly parts: Parts
  readonly version: Version
  /** Does something above say how long other caches may use the answer? */
  readonly isTimedAbove: boolean
}

/** Gives what is kept, or what another request is waiting for, or runs what stands below. */
export function readOrRun(call: Call, hasWaited = false): unknown {
  const { ctx, store, key, version, isTimedAbove } = call
  const { own, entry } = store.find(key, version, names => variantOf(key, names, ctx))
  if (entry) {
    // With a version it is as good as new, and a lifetime that is given above counts from now.
    const isNew = version !== undefined || (isTimedAbove && entry.answer.maxAge === Number.POSITIVE_INFINITY)
    if (!isNew) ctx.set('Age', String(Math.floor((performance.now() - entry.since) / 1000)))
    return present(ctx, entry.answer)
  }
  // What HEAD gives may be less than what GET would; RFC 9111 section 5.2.1.5.
  if (ctx.method === 'HEAD' || /\bno-store\b/i.test(ctx.req.headers['cache-control'] ?? '')) return run(call)
  const leader = store.leaderOf(own, version)
  return leader ? follow(call, leader, hasWaited) : run(call, { own, leads: true })
}

/** Runs what stands below, and keeps what it gives where `own` says under what. */
function run(call: Call, { own, leads = false }: { own?: string; leads?: boolean } = {}): unknown {
  const { ctx, store, version } = call
  const made = runBelow(call)
  if (!isPromise(made)) {
    if (own !== undefined) keep(call, made)
    return finish(ctx, made)
  }
  if (own === undefined) return made.then(outcome => finish(ctx, outcome as Outcome))
  const work: Work = { path: resourceOf(ctx.path), key: own, version, isStale: false, done: Promise.resolve(undefined) }
  const ended = made.then(
    outcome => {
      store.end(work)
      if (!work.isStale) keep(call, outcome as Outcome)
      return outcome as Outcome
    },
    error => {
      store.end(work)
      throw error
    },
  )
  store.begin(work, leads)
  work.done = doneInTime(call, work, ended)
  return ended.then(outcome => finish(ctx, outcome))
}

/**
 * What others have of a run, for which they wait at most `timeouts.handler`, when its request has been answered with 503:
 * else one handler that never ends would close its URL for good.
 */
function doneInTime({ ctx, store }: Call, work: Work, ended: PromiseLike<Outcome>): Work['done'] {
  const { deadlines } = ctx.app
  return new Promise(resolve => {
    const wait = deadlines.begin(() => {
      work.isStale = true
      store.end(work)
      resolve('left')
    })
    const end = (found: Awaited<Work['done']>) => {
      deadlines.end(wait)
      resolve(found)
    }
    ended.then(
      outcome => end(isAnswer(outcome) ? { answer: outcome, ctx } : undefined),
      // What stands below may have given up because its client has.
      () => end(ctx.signal.aborted ? 'left' : undefined),
    )
  })
}

/**
 * Waits for what another request has begun, and takes its answer where that is the one for this request too.
 *
 * @throws the reason of `ctx.signal`, where the client has gone or time is over by then
 */
async function follow(call: Call, { done }: Work, hasWaited: boolean): Promise<unknown> {
  const found = await done
  call.ctx.signal.throwIfAborted()
  if (found && found !== 'left') {
    const { answer } = found
    const variant = (ctx: BaseContext) => variantOf('', lowered(answer.vary), ctx)
    if (variant(found.ctx) === variant(call.ctx)) return present(call.ctx, answer)
  }
  // By now it is known by which headers answers differ; and in the place of one that has left the next one leads.
  if (found && !hasWaited) return readOrRun(call, true)
  return run(call, { own: variantOf(call.key, call.store.namesOf(call.key), call.ctx) })
}

function finish(ctx: BaseContext, outcome: Outcome): unknown {
  return isAnswer(outcome) ? present(ctx, outcome) : outcome.value
}

function keep({ ctx, store, key, parts, ttl, version }: Call, outcome: Outcome): void {
  if (!isAnswer(outcome)) return
  const seconds = ttl === undefined ? Number.POSITIVE_INFINITY : Math.min(ttl, outcome.maxAge)
  if (seconds === 0) return
  const path = resourceOf(ctx.path)
  const known = store.namesOf(key)
  const names = [...new Set([...known, ...lowered(outcome.vary)])].sort()
  if (names.length > known.length) store.putNames(key, { path, names, parts })
  const since = performance.now()
  const entry = { answer: outcome, path, version, since, until: since + seconds * 1000 }
  if (names.length === 0) store.put(key, { ...entry, parts })
  else store.put(variantOf(key, names, ctx), entry)
}

/**
 * Runs what stands below as if the request had no preconditions: else a client that has the answer would get a 304 from
 * there, and nobody anything that can be kept. They are looked at when the answer is here.
 *
 * @throws TypeError where what is below sets `ctx.user`
 */
function runBelow({ ctx, next, shared }: Call): Awaitable<Outcome> {
  const user = userOf(ctx)
  const before = ctx.res.getHeaders()
  const giveBack = takeConditions(ctx.req.headers)
  const read = (value: unknown): Outcome => {
    giveBack()
    // It goes nowhere, and the headers on ctx are those of another answer.
    if (ctx.res.headersSent || isOverruled(ctx)) return { value }
    if (userOf(ctx) === user) return readOutcome(ctx, value, before, shared)
    const where = ctx.route ? nameOf(ctx.route) : ctx.path
    const what = 'cached() stands above what sets ctx.user, which an answer that is kept would not ask'
    throw new TypeError(`${where}: ${what}. Put it below.`)
  }
  const fail = (error: unknown): never => {
    giveBack()
    throw error
  }
  let value: unknown
  try {
    value = next()
  } catch (error) {
    return fail(error)
  }
  return isPromise(value) ? (value.then(read, fail) as PromiseLike<Outcome>) : read(value)
}

function userOf({ user, state }: Call['ctx']): unknown {
  return user ?? state.user
}

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const

/** @returns a function that gives them back */
function takeConditions(headers: IncomingHttpHeaders): () => void {
  const taken: IncomingHttpHeaders = {}
  for (const name of CONDITIONS) {
    if (headers[name] === undefined) continue
    taken[name] = headers[name]
    delete headers[name]
  }
  return () => void Object.assign(headers, taken)
}

function lowered(names: readonly string[]): string[] {
  return names.map(name => name.toLowerCase())
}
